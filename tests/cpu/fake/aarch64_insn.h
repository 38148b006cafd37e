/* SPDX-License-Identifier: MIT */
/* In place of lib/cpu/aarch64_insn.h. */
#ifndef GEMSYNC_AARCH64_INSN_H
#define GEMSYNC_AARCH64_INSN_H

#include "fake.h"

static inline void insn_dc_cvac(uintptr_t line)
{
	fake_line_insn(FAKE_DC_CVAC, line);
}

static inline void insn_dc_civac(uintptr_t line)
{
	fake_line_insn(FAKE_DC_CIVAC, line);
}

static inline void insn_dsb_sy(void)
{
	fake_fence_insn(FAKE_DSB_SY);
}

static inline uint64_t insn_read_ctr_el0(void)
{
	return fake_machine.ctr_el0;
}

#endif
