/* SPDX-License-Identifier: MIT */
/* A GPU and a queue for each test of the interpreter. */
#ifndef CSF_FIXTURE_H
#define CSF_FIXTURE_H

#include "csf_gpu.h"

struct fixture {
	struct gpu gpu;
	struct gs_csf csf;
};

#define REG(csf, i) ((csf)->regs[i])

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	gs_csf_init(&f->csf);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Put a stream of @count instructions in place, at CODE. */
static inline void load_stream(struct fixture *f, const u64 *words, u32 count)
{
	for (u32 i = 0; i < count; i++)
		gpu_set64(f->gpu.code, 8 * i, words[i]);
	assert_int_equal(gs_csf_start(&f->csf, CODE, 8 * count), 0);
}

static inline enum gs_csf_status go(struct fixture *f, u32 budget)
{
	return gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget);
}

/* Load and run a stream given as a list of instructions. */
#define RUN(f, ...) \
	(load_stream(f, (const u64[]){ __VA_ARGS__ }, \
		     sizeof((const u64[]){ __VA_ARGS__ }) / sizeof(u64)), \
	 go(f, 1000))

static inline void pair(struct fixture *f, u32 reg, u64 value)
{
	f->csf.regs[reg] = (u32)value;
	f->csf.regs[reg + 1] = (u32)(value >> 32);
}

static inline u64 get_pair(const struct fixture *f, u32 reg)
{
	return f->csf.regs[reg] | (u64)f->csf.regs[reg + 1] << 32;
}

/* One instruction that has to fault, and to change no register. */
static inline void assert_fault(struct fixture *f, u64 word, enum gs_csf_fault_kind kind,
				u64 address)
{
	u32 regs[GS_CSF_REGS];

	memcpy(regs, f->csf.regs, sizeof(regs));
	assert_int_equal(RUN(f, op(0), word, op(0)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.kind, kind);
	assert_int_equal(f->csf.fault.address, address);
	assert_int_equal(f->csf.fault.pc, CODE + 8);
	assert_int_equal(f->csf.fault.instruction, word);
	assert_int_equal(f->csf.stream.pc, CODE + 8);
	assert_memory_equal(regs, f->csf.regs, sizeof(regs));
}

static inline void assert_bad(struct fixture *f, u64 word)
{
	assert_fault(f, word, GS_CSF_FAULT_INSTRUCTION, CODE + 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
