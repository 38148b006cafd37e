/* SPDX-License-Identifier: MIT */
/* In place of lib/cpu/riscv64_insn.h. */
#ifndef GEMSYNC_RISCV64_INSN_H
#define GEMSYNC_RISCV64_INSN_H

#include "fake.h"

struct insn_hwprobe {
	int64_t key;
	uint64_t value;
};

static inline void insn_cbo_clean(uintptr_t line)
{
	fake_line_insn(FAKE_CBO_CLEAN, line);
}

static inline void insn_cbo_flush(uintptr_t line)
{
	fake_line_insn(FAKE_CBO_FLUSH, line);
}

static inline void insn_fence(void)
{
	fake_fence_insn(FAKE_FENCE);
}

static inline int insn_hwprobe(struct insn_hwprobe *pairs, size_t count)
{
	size_t i;

	if (fake_machine.no_hwprobe)
		return -1;
	for (i = 0; i < count; i++) {
		if (pairs[i].key == 4) {
			pairs[i].value = fake_machine.extensions;
		} else {
			pairs[i].key = fake_machine.block_key;
			pairs[i].value = fake_machine.block_size;
		}
	}
	return 0;
}

#endif
