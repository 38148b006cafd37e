// SPDX-License-Identifier: MIT
/* csf.h: BRANCH, CALL and JUMP, what they refuse, and stops inside of called streams. */
#include "csf_fixture.h"

#define PART(i)	(CODE + 128 + 64 * (i))	/* room for 8 instructions each, behind the outermost */

/* Put an instruction of a called stream in place. */
static void put(struct fixture *f, u64 va, u64 word)
{
	gpu_set64(f->gpu.code, (u32)(va - CODE), word);
}

/* Put a stream in place, and its address and length in registers @reg to @reg + 2. */
#define CALLABLE(f, reg, va, ...) \
	callable(f, reg, va, (const u64[]){ __VA_ARGS__ }, \
		 sizeof((const u64[]){ __VA_ARGS__ }) / sizeof(u64))

static void callable(struct fixture *f, u32 reg, u64 va, const u64 *words, u32 count)
{
	for (u32 i = 0; i < count; i++)
		put(f, va + 8 * i, words[i]);
	pair(f, reg, va);
	REG(&f->csf, reg + 2) = 8 * count;
}

static void branch_conditions(void **state)
{
	static const s32 values[] = { INT32_MIN, -1, 0, 1, INT32_MAX };
	struct fixture *f = *state;

	for (u32 i = 0; i < 5; i++) {
		s32 value = values[i];
		const bool taken[] = { value <= 0, value > 0, value == 0, value != 0,
				       value < 0, value >= 0, true };

		for (u32 condition = 0; condition < 7; condition++) {
			REG(&f->csf, 9) = (u32)value;
			assert_int_equal(RUN(f, move32(0, 0), branch(condition, 9, 1),
					     move32(0, 1)), GS_CSF_DONE);
			assert_int_equal(REG(&f->csf, 0), !taken[condition]);
		}
	}
}

static void branch_loops(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, move32(0, 10), add32(1, 1, 3), add32(0, 0, -1), branch(1, 0, -3)),
			 GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 1), 30);
}

/* The first instruction and the end are the limits. */
static void branch_outside_is_a_fetch_fault(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, branch(6, 0, 1), branch(6, 0, 1), branch(6, 0, -3)),
			 GS_CSF_RUNNING);
	assert_fault(f, branch(6, 0, 2), GS_CSF_FAULT_FETCH, CODE + 32);
	assert_fault(f, branch(6, 0, INT16_MAX), GS_CSF_FAULT_FETCH, CODE + 16 + 8 * INT16_MAX);
	assert_fault(f, branch(6, 0, -3), GS_CSF_FAULT_FETCH, CODE - 8);
	assert_fault(f, branch(6, 0, INT16_MIN), GS_CSF_FAULT_FETCH, CODE + 16 - 8 * 32768);
	assert_int_equal(RUN(f, branch(1, 0, 100)), GS_CSF_DONE);
}

static void call_runs_and_returns(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, PART(0), add32(0, 0, 1), add32(1, 0, 10));
	assert_int_equal(RUN(f, call(10, 12), add32(2, 0, 100), call(10, 12), add32(3, 0, 1000)),
			 GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 2);
	assert_int_equal(REG(&f->csf, 1), 12);
	assert_int_equal(REG(&f->csf, 2), 101);
	assert_int_equal(REG(&f->csf, 3), 1002);
	assert_int_equal(f->csf.stream.pc, CODE + 32);
	assert_int_equal(f->csf.depth, 0);
}

/* The length says where a stream ends, not what is behind it. */
static void call_ends_with_its_length(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, PART(0), add32(0, 0, 1), op(4));
	REG(&f->csf, 12) = 8;
	assert_int_equal(RUN(f, call(10, 12)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 1);
	REG(&f->csf, 12) = 16;
	assert_int_equal(RUN(f, call(10, 12)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.pc, PART(0) + 8);
}

/* Nothing is fetched of a stream without instructions, so it may be anywhere. */
static void call_of_nothing(void **state)
{
	struct fixture *f = *state;

	pair(f, 10, NOWHERE);
	assert_int_equal(RUN(f, call(10, 12), move32(0, 1)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 1);
	assert_int_equal(RUN(f, jump(10, 12), move32(0, 2)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 1);
}

/* @calls of them inside the outermost stream, each the last instruction of the one before. */
static enum gs_csf_status nest(struct fixture *f, u32 calls)
{
	pair(f, 10, PART(0));
	REG(&f->csf, 12) = 24;
	for (u32 i = 0; i < calls; i++) {
		put(f, PART(i), add32(0, 0, 1));
		put(f, PART(i) + 8, add64(10, 10, 64));
		put(f, PART(i) + 16, i == calls - 1 ? op(0) : call(10, 12));
	}
	return RUN(f, call(10, 12), add32(0, 0, 100));
}

static void calls_nest_up_to_the_limit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nest(f, GS_CSF_DEPTH - 1), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 107);

	/* What a fault left open does not count against the next stream. */
	assert_int_equal(nest(f, GS_CSF_DEPTH), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_CALL_STACK);
	assert_int_equal(f->csf.fault.address, PART(6) + 16);
	assert_int_equal(f->csf.fault.pc, PART(6) + 16);
	assert_int_equal(f->csf.fault.instruction, call(10, 12));
	assert_int_equal(REG(&f->csf, 0), 114);
	assert_int_equal(f->csf.depth, GS_CSF_DEPTH - 1);
	assert_int_equal(nest(f, GS_CSF_DEPTH - 1), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 221);
}

/* A stream that calls itself ends; one after the other is without limit. */
static void recursion_overflows(void **state)
{
	struct fixture *f = *state;
	u32 calls = 50;

	pair(f, 10, CODE);
	REG(&f->csf, 12) = 16;
	assert_int_equal(RUN(f, add32(0, 0, 1), call(10, 12)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_CALL_STACK);
	assert_int_equal(REG(&f->csf, 0), 8);

	CALLABLE(f, 10, PART(0), add32(1, 1, 1));
	REG(&f->csf, 2) = calls;
	assert_int_equal(RUN(f, call(10, 12), add32(2, 2, -1), branch(1, 2, -3)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 1), calls);
}

/* The end of what was jumped to is the end of the stream that jumped. */
static void jump_does_not_return(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, PART(0), add32(0, 0, 1));
	assert_int_equal(RUN(f, jump(10, 12), add32(0, 0, 100)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 1);
	assert_int_equal(f->csf.stream.pc, PART(0) + 8);

	CALLABLE(f, 14, PART(1), add32(0, 0, 10), jump(10, 12), add32(0, 0, 100));
	assert_int_equal(RUN(f, call(14, 16), add32(0, 0, 1000)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 1012);
	assert_int_equal(f->csf.stream.pc, CODE + 16);
}

/* It takes no place on the stack, so it may go on forever. */
static void jump_does_not_nest(void **state)
{
	struct fixture *f = *state;
	u32 budget = 1000;

	pair(f, 10, CODE);
	REG(&f->csf, 12) = 8;
	load_stream(f, (const u64[]){ jump(10, 12) }, 1);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_RUNNING);
	assert_int_equal(budget, 0);
	assert_int_equal(f->csf.depth, 0);
}

/* A called stream cannot branch into its caller, nor a caller back into it. */
static void branch_stays_in_its_stream(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, CODE + 8, op(0), branch(6, 0, -3));
	assert_int_equal(RUN(f, call(10, 12), op(0), branch(6, 0, -3)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_FETCH);
	assert_int_equal(f->csf.fault.address, CODE);
	assert_int_equal(f->csf.fault.pc, CODE + 16);
	assert_int_equal(f->csf.depth, 1);

	CALLABLE(f, 10, CODE + 8, branch(6, 0, 1));
	assert_int_equal(RUN(f, call(10, 12), branch(6, 0, 1), op(0)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.address, CODE + 24);

	/* Its limits are those of the new stream after a jump, of its own after a return. */
	CALLABLE(f, 10, PART(0), branch(6, 0, 1), op(4));
	assert_int_equal(RUN(f, jump(10, 12)), GS_CSF_DONE);
	assert_int_equal(RUN(f, call(10, 12), branch(6, 0, 1), op(4)), GS_CSF_DONE);
	assert_int_equal(f->csf.stream.pc, CODE + 24);
	put(f, PART(0), op(0));
	put(f, PART(0) + 8, op(0));
	assert_int_equal(RUN(f, call(10, 12), branch(6, 0, 2)), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.address, CODE + 32);
}

/* Refused without a change, at any depth; the address is looked at first. */
static void bad_streams_fault(void **state)
{
	static const u64 ops[] = { 32, 33 };
	struct fixture *f = *state;

	for (u32 i = 0; i < 2; i++) {
		u64 word = op(ops[i]) | 10ull << 40 | 12ull << 32;

		for (u32 offset = 1; offset < 8; offset++) {
			pair(f, 10, CODE + offset);
			REG(&f->csf, 12) = 8;
			assert_fault(f, word, GS_CSF_FAULT_ALIGNMENT, CODE + offset);
			pair(f, 10, CODE);
			REG(&f->csf, 12) = offset;
			assert_fault(f, word, GS_CSF_FAULT_ALIGNMENT, CODE + offset);
		}
		pair(f, 10, 0ull - 8);
		REG(&f->csf, 12) = 8;
		assert_fault(f, word, GS_CSF_FAULT_FETCH, 0ull - 8);
		pair(f, 10, 0ull - 0x80000000);
		REG(&f->csf, 12) = 0xfffffff8;
		assert_fault(f, word, GS_CSF_FAULT_FETCH, 0ull - 0x80000000);
		assert_int_equal(f->csf.depth, 0);
	}
}

/* The fault of what is called is in what is called. */
static void call_of_unmapped_memory(void **state)
{
	struct fixture *f = *state;

	REG(&f->csf, 12) = 8;
	for (u64 i = 0; i < 2; i++) {
		pair(f, 10, i ? DATA : NOWHERE);
		assert_int_equal(RUN(f, call(10, 12)), GS_CSF_FAULT);
		assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_FETCH);
		assert_int_equal(f->csf.fault.address, i ? DATA : NOWHERE);
		assert_int_equal(f->csf.fault.pc, i ? DATA : NOWHERE);
		assert_int_equal(f->csf.fault.instruction, 0);
	}
}

static void call_may_change_its_operands(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, PART(0), move48(10, NOWHERE), move32(12, 4), add32(0, 0, 1));
	assert_int_equal(RUN(f, call(10, 12), add32(0, 0, 1)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 0), 2);
}

static void wait_blocks_inside_a_call(void **state)
{
	struct fixture *f = *state;
	u32 budget = 100;

	CALLABLE(f, 10, PART(0), sync_wait(39, 4, 6, 1, 0));
	CALLABLE(f, 14, PART(1), call(10, 12), add32(0, 0, 1));
	pair(f, 4, DATA);
	REG(&f->csf, 6) = 3;
	load_stream(f, (const u64[]){ call(14, 16), add32(0, 0, 10) }, 2);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_BLOCKED);
	assert_int_equal(budget, 98);
	assert_int_equal(f->csf.stream.pc, PART(0));
	assert_int_equal(f->csf.depth, 2);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_BLOCKED);
	gpu_set32(f->gpu.data, 0, 4);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_DONE);
	assert_int_equal(budget, 95);
	assert_int_equal(REG(&f->csf, 0), 11);
}

/* Returning is free: the last instruction, deep inside, is the end of all. */
static void done_needs_no_budget_to_return(void **state)
{
	struct fixture *f = *state;
	u32 budget = 3;

	CALLABLE(f, 10, PART(0), add32(0, 0, 1));
	CALLABLE(f, 14, PART(1), call(10, 12));
	load_stream(f, (const u64[]){ call(14, 16) }, 1);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_DONE);
	assert_int_equal(budget, 0);
	load_stream(f, (const u64[]){ call(14, 16), op(0) }, 2);
	budget = 3;
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_RUNNING);
	assert_int_equal(f->csf.stream.pc, CODE + 8);
	assert_int_equal(f->csf.depth, 0);
}

/* Stopped and resumed after every number of instructions, in whichever stream that is. */
static void any_slicing_of_calls_gives_the_same(void **state)
{
	struct fixture *f = *state;

	CALLABLE(f, 10, PART(0), add32(0, 0, 1), add32(1, 0, 0));
	CALLABLE(f, 14, PART(1), call(10, 12), add32(0, 0, 10), jump(10, 12), op(4));
	for (u32 slice = 1; slice < 40; slice++) {
		enum gs_csf_status status;
		u32 done = 0;

		REG(&f->csf, 0) = 0;
		REG(&f->csf, 2) = 3;
		load_stream(f, (const u64[]){ call(14, 16), call(10, 12), add32(2, 2, -1),
					      branch(1, 2, -4) }, 4);
		do {
			u32 budget = slice;

			status = gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget);
			done += slice - budget;
			assert_true(status == GS_CSF_DONE || !budget);
			assert_in_range(done, 1, 3 * 13);
		} while (status == GS_CSF_RUNNING);
		assert_int_equal(status, GS_CSF_DONE);
		assert_int_equal(done, 3 * 13);
		assert_int_equal(REG(&f->csf, 0), 3 * 13);
		assert_int_equal(REG(&f->csf, 1), 3 * 13);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(branch_conditions),
		TEST(branch_loops),
		TEST(branch_outside_is_a_fetch_fault),
		TEST(call_runs_and_returns),
		TEST(call_ends_with_its_length),
		TEST(call_of_nothing),
		TEST(calls_nest_up_to_the_limit),
		TEST(recursion_overflows),
		TEST(jump_does_not_return),
		TEST(jump_does_not_nest),
		TEST(branch_stays_in_its_stream),
		TEST(bad_streams_fault),
		TEST(call_of_unmapped_memory),
		TEST(call_may_change_its_operands),
		TEST(wait_blocks_inside_a_call),
		TEST(done_needs_no_budget_to_return),
		TEST(any_slicing_of_calls_gives_the_same),
	};

	return cmocka_run_group_tests_name("csf_flow", tests, NULL, NULL);
}
