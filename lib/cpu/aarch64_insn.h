/* SPDX-License-Identifier: MIT */
/* Arm ARM, DDI 0487: the instructions that aarch64.c uses. */
#ifndef GEMSYNC_AARCH64_INSN_H
#define GEMSYNC_AARCH64_INSN_H

#include <stdint.h>

static inline void insn_dc_cvac(uintptr_t line)
{
	__asm__ volatile("dc cvac, %0" : : "r"(line) : "memory");
}

static inline void insn_dc_civac(uintptr_t line)
{
	__asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
}

static inline void insn_dsb_sy(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline uint64_t insn_read_ctr_el0(void)
{
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	return ctr;
}

#endif
