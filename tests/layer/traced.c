// SPDX-License-Identifier: MIT
/* What clang compiles with hooks for loads: an application's code that reads results. */
#include "traced.h"

unsigned int traced_sum(const unsigned char *from, unsigned long size)
{
	unsigned int sum = 0;
	unsigned long i;

	for (i = 0; i < size; i++)
		sum += from[i];
	return sum;
}
