// SPDX-License-Identifier: MIT
/* What the library has to know of this CPU's cache. */
#include "internal.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

uint32_t gemsync_cpu_line_size(void)
{
	unsigned int eax, ebx, ecx, edx;

	/* CPUID.01H: EDX[19] CLFSH is there, EBX[15:8] its line in units of 8 bytes. */
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(edx & (1u << 19)))
		return 0;
	return (ebx >> 8 & 0xff) * 8;
}

#elif defined(__aarch64__)

uint32_t gemsync_cpu_line_size(void)
{
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	/* CTR_EL0[19:16] DminLine: log2 of the smallest data cache line, in 4-byte words. */
	return 4u << (ctr >> 16 & 0xf);
}

#else

uint32_t gemsync_cpu_line_size(void)
{
	return 0;
}

#endif
