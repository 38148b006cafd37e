// SPDX-License-Identifier: MIT
#include <errno.h>

#include "report.h"

int report_junit(const struct conform_report *report, FILE *file)
{
	return -EOPNOTSUPP;
}
