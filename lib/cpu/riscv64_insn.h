/* SPDX-License-Identifier: MIT */
/*
 * RISC-V CMO extensions 1.0: the instructions that riscv64.c uses, spelled out for
 * assemblers that do not know them, and Linux's call that says what there is.
 */
#ifndef GEMSYNC_RISCV64_INSN_H
#define GEMSYNC_RISCV64_INSN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_riscv_hwprobe
#define __NR_riscv_hwprobe	258
#endif

/* An answer's key is -1 if the kernel does not know the one that was asked for. */
struct insn_hwprobe {
	int64_t key;
	uint64_t value;
};

static inline void insn_cbo_clean(uintptr_t line)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" : : "r"(line) : "memory");
}

static inline void insn_cbo_flush(uintptr_t line)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 2" : : "r"(line) : "memory");
}

static inline void insn_fence(void)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

/* Of all CPUs that are online. 0, or -1 with an errno. */
static inline int insn_hwprobe(struct insn_hwprobe *pairs, size_t count)
{
	return (int)syscall(__NR_riscv_hwprobe, pairs, count, 0, NULL, 0);
}

#endif
