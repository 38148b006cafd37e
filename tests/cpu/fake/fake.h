/* SPDX-License-Identifier: MIT */
/*
 * A CPU that records. The headers beside this one take the place of lib/cpu/<arch>_insn.h:
 * each instruction is written down, and does to a pretended cache what it would do.
 *
 * The pretended cache is a buffer of the test ("view", what the CPU loads and stores)
 * over another one ("memory", what the device sees); a line is dirty if it was stored to
 * since it was filled. A flush sends a dirty line as it is at that moment; dropping
 * brings the line of memory. Both happen at the next fence that is strong enough, and
 * not before.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_insn {
	FAKE_CLWB,
	FAKE_CLFLUSHOPT,
	FAKE_CLFLUSH,
	FAKE_STREAM,		/* a line's worth of non-temporal stores */
	FAKE_MOVDIR64B,		/* a line stored to directly */
	FAKE_SFENCE,
	FAKE_MFENCE,
	FAKE_LOCKED,		/* an operation with a lock prefix */
	FAKE_DC_CVAC,
	FAKE_DC_CIVAC,
	FAKE_DSB_SY,
	FAKE_CBO_CLEAN,
	FAKE_CBO_FLUSH,
	FAKE_FENCE,
	FAKE_INSNS,
};

struct fake_event {
	enum fake_insn insn;
	uintptr_t address;	/* of the line; 0 for fences */
};

/* What the CPU says that it is: set by the test, asked by the back ends. */
struct fake_machine {
	/* x86-64: CPUID, by leaf; a vendor of "" is a CPU without leaf 7. */
	char vendor[13];
	uint32_t signature;	/* leaf 1, EAX */
	uint32_t base_ebx, base_edx, more_ebx, more_ecx;
	/* aarch64 */
	uint64_t ctr_el0;
	/* riscv64: hwprobe's answers */
	bool no_hwprobe;
	uint64_t extensions;
	int64_t block_key;	/* -1: the kernel does not know the key */
	uint64_t block_size;
};

extern struct fake_machine fake_machine;

/* Bytes of a line that instructions work on; at most 256. */
extern size_t fake_line;

/* Begin a record, without a cache. */
void fake_begin(void);

/*
 * Pretend one: whole lines, all of them clean, whatever their content. @base is the
 * fake's to remember what they were filled with, and gets it here.
 */
void fake_cache(char *view, char *memory, char *base, size_t size);

/* What was recorded since. */
extern struct fake_event *fake_events;
extern size_t fake_count;
extern bool fake_keep;	/* false: events act, but are not kept */

/* An instruction on a line, or a fence. */
void fake_line_insn(enum fake_insn insn, uintptr_t address);
void fake_fence_insn(enum fake_insn insn);

#endif
