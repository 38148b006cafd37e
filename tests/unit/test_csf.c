// SPDX-License-Identifier: MIT
/* csf.h: every instruction that goes on with the next, every fault, going on after a stop. */
#include "csf_fixture.h"

static void no_stream_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(go(f, 0), GS_CSF_DONE);
	assert_int_equal(gs_csf_start(&f->csf, NOWHERE, 0), 0);
	assert_int_equal(go(f, 10), GS_CSF_DONE);
	assert_int_equal(f->gpu.calls, 0);
	for (u32 i = 0; i < GS_CSF_REGS; i++)
		assert_int_equal(REG(&f->csf, i), 0);
}

static void start_refuses_bad_streams(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gs_csf_start(&f->csf, CODE + 4, 8), -EINVAL);
	assert_int_equal(gs_csf_start(&f->csf, CODE, 12), -EINVAL);
	assert_int_equal(gs_csf_start(&f->csf, 0ull - 8, 8), -EINVAL);
	assert_int_equal(gs_csf_start(&f->csf, CODE, 0ull - 8), -EINVAL);
	assert_int_equal(gs_csf_start(&f->csf, 0ull - 16, 8), 0);
}

static void instructions_without_effect(void **state)
{
	struct fixture *f = *state;
	u32 zero[GS_CSF_REGS] = { 0 };

	assert_int_equal(RUN(f, op(0), op(3) | 0xff0000, op(36) | 0x233, op(23) | 0x21, op(24),
			     op(34) | 0xf, op(47), op(49) | 1ull << 32, op(50)), GS_CSF_DONE);
	assert_memory_equal(f->csf.regs, zero, sizeof(zero));
	assert_int_equal(f->gpu.calls, 9);
	assert_int_equal(f->gpu.fetches, 9);
}

static void move(void **state)
{
	struct fixture *f = *state;

	REG(&f->csf, 95) = 0xffffffff;
	assert_int_equal(RUN(f, move48(94, 0xfedcba987654), move32(0, 0xffffffff), move32(7, 5)),
			 GS_CSF_DONE);
	assert_int_equal(get_pair(f, 94), 0xfedcba987654);
	assert_int_equal(REG(&f->csf, 0), 0xffffffff);
	assert_int_equal(REG(&f->csf, 1), 0);
	assert_int_equal(REG(&f->csf, 7), 5);
}

static void add_immediate32(void **state)
{
	struct fixture *f = *state;

	REG(&f->csf, 3) = 5;
	assert_int_equal(RUN(f, add32(4, 3, 7), add32(5, 3, -7), add32(3, 3, -5)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 4), 12);
	assert_int_equal(REG(&f->csf, 5), 0xfffffffe);
	assert_int_equal(REG(&f->csf, 3), 0);
}

static void add_immediate64(void **state)
{
	struct fixture *f = *state;

	pair(f, 2, 0xffffffff);
	pair(f, 4, 0xffffffffffffffff);
	assert_int_equal(RUN(f, add64(6, 2, 1), add64(8, 2, INT32_MIN), add64(4, 4, 1)),
			 GS_CSF_DONE);
	assert_int_equal(get_pair(f, 6), 0x100000000);
	assert_int_equal(get_pair(f, 8), 0x7fffffff);
	assert_int_equal(get_pair(f, 4), 0);
}

/* Unsigned, and the destination may be a source. */
static void umin(void **state)
{
	struct fixture *f = *state;

	REG(&f->csf, 1) = 0x80000000;
	REG(&f->csf, 2) = 0x7fffffff;
	assert_int_equal(RUN(f, umin32(3, 1, 2), umin32(4, 2, 1), umin32(5, 1, 1), umin32(6, 1, 95),
			     umin32(1, 1, 2)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 3), 0x7fffffff);
	assert_int_equal(REG(&f->csf, 4), 0x7fffffff);
	assert_int_equal(REG(&f->csf, 5), 0x80000000);
	assert_int_equal(REG(&f->csf, 6), 0);
	assert_int_equal(REG(&f->csf, 1), 0x7fffffff);
	assert_int_equal(REG(&f->csf, 2), 0x7fffffff);
}

static void load_multiple(void **state)
{
	struct fixture *f = *state;

	for (u32 i = 0; i < 40; i++)
		gpu_set32(f->gpu.data, 4 * i, 100 + i);
	pair(f, 0, DATA + 64);
	assert_int_equal(RUN(f, load(10, 0x8005, 0, -64)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 10), 100);
	assert_int_equal(REG(&f->csf, 11), 0);
	assert_int_equal(REG(&f->csf, 12), 102);
	assert_int_equal(REG(&f->csf, 24), 0);
	assert_int_equal(REG(&f->csf, 25), 115);
	assert_int_equal(RUN(f, load(80, 0xffff, 0, 4)), GS_CSF_DONE);
	for (u32 i = 0; i < 16; i++)
		assert_int_equal(REG(&f->csf, 80 + i), 117 + i);
}

/* The address is read before the data overwrites it. */
static void load_multiple_over_its_address(void **state)
{
	struct fixture *f = *state;

	gpu_set32(f->gpu.data, 0, 1);
	gpu_set32(f->gpu.data, 4, 2);
	pair(f, 0, DATA);
	assert_int_equal(RUN(f, load(0, 3, 0, 0)), GS_CSF_DONE);
	assert_int_equal(get_pair(f, 0), 0x200000001);
}

static void store_multiple(void **state)
{
	struct fixture *f = *state;

	memset(f->gpu.data, 0xee, REGION);
	pair(f, 0, DATA + 8);
	for (u32 i = 0; i < 16; i++)
		REG(&f->csf, 80 + i) = 0x01020300 + i;
	assert_int_equal(RUN(f, store(80, 0xc007, 0, -4)), GS_CSF_DONE);
	assert_int_equal(f->gpu.data[4], 0x00);
	assert_int_equal(f->gpu.data[7], 0x01);
	for (u32 i = 0; i < REGION / 4; i++) {
		bool stored = i >= 1 && i <= 16 && (0xc007 >> (i - 1) & 1);

		assert_int_equal(gpu_get32(f->gpu.data, 4 * i),
				 stored ? 0x01020300 + i - 1 : 0xeeeeeeee);
	}
}

/* A gap in the mask is not accessed: it may lie outside the mapping. */
static void multiple_skips_gaps(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA + REGION - 4);
	assert_int_equal(RUN(f, load(10, 1, 0, 0), store(10, 1, 0, 0)), GS_CSF_DONE);
	assert_int_equal(RUN(f, load(10, 0, 0, 400), store(10, 0, 0, 400)), GS_CSF_DONE);
	assert_fault(f, load(10, 3, 0, 0), GS_CSF_FAULT_READ, DATA + REGION - 4);
	assert_fault(f, load(10, 5, 0, 0), GS_CSF_FAULT_READ, DATA + REGION + 4);
}

static void store_state_values(void **state)
{
	static const u64 values[] = { TIMESTAMP, CYCLES, 0, 0 };
	struct fixture *f = *state;

	for (u32 i = 0; i < 4; i++) {
		memset(f->gpu.data, 0xee, REGION);
		pair(f, 0, DATA + 64);
		assert_int_equal(RUN(f, store_state(i, 0, -16) | 0xfull << 48 | 0xff0000),
				 GS_CSF_DONE);
		assert_int_equal(gpu_get64(f->gpu.data, 40), 0xeeeeeeeeeeeeeeee);
		assert_int_equal(gpu_get64(f->gpu.data, 48), values[i]);
		assert_int_equal(gpu_get64(f->gpu.data, 56), 0xeeeeeeeeeeeeeeee);
	}
	for (s16 offset = 1; offset < 8; offset++) {
		assert_fault(f, store_state(2, 0, offset), GS_CSF_FAULT_ALIGNMENT,
			     DATA + 64 + (u64)offset);
	}
	assert_fault(f, store_state(0, 0, (s16)REGION), GS_CSF_FAULT_WRITE, DATA + 64 + REGION);
	pair(f, 0, DATA + 4);
	assert_int_equal(RUN(f, store_state(0, 0, 4)), GS_CSF_DONE);
	pair(f, 0, ROM);
	assert_fault(f, store_state(3, 0, 0), GS_CSF_FAULT_WRITE, ROM);
}

/* A caller without counters makes asking for one a fault, and nothing else. */
static void store_state_without_counters(void **state)
{
	struct gs_csf_mem mem = gpu_mem;
	struct fixture *f = *state;
	u64 word;

	mem.timestamp = NULL;
	mem.cycles = NULL;
	pair(f, 0, DATA);
	memset(f->gpu.data, 0xee, REGION);
	for (u64 i = 0; i < 4; i++) {
		u32 budget = 10;

		word = store_state(i, 0, (s16)(8 * i));
		load_stream(f, &word, 1);
		assert_int_equal(gs_csf_run(&f->csf, &mem, &f->gpu, &budget),
				 i < 2 ? GS_CSF_FAULT : GS_CSF_DONE);
		if (i < 2)
			assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_UNSUPPORTED);
		assert_int_equal(gpu_get64(f->gpu.data, 8 * (u32)i),
				 i < 2 ? 0xeeeeeeeeeeeeeeee : 0);
	}
}

/* Kept with the values that the registers have then; nothing runs or reads it. */
static void heap_and_handler_are_kept(void **state)
{
	struct fixture *f = *state;

	pair(f, 4, 0x123456789abc);
	pair(f, 6, 0xfedcba987654);
	REG(&f->csf, 8) = 99;
	assert_int_equal(RUN(f, heap_set(4), set_exception_handler(2, 6, 8), move48(4, 0),
			     move48(6, 0), move32(8, 0)), GS_CSF_DONE);
	assert_int_equal(f->csf.heap, 0x123456789abc);
	assert_int_equal(f->csf.tiler_oom.address, 0xfedcba987654);
	assert_int_equal(f->csf.tiler_oom.length, 99);
	assert_int_equal(f->gpu.calls, 5);
	assert_int_equal(RUN(f, op(0)), GS_CSF_DONE);
	assert_int_equal(f->csf.heap, 0x123456789abc);
	assert_int_equal(f->csf.tiler_oom.length, 99);
	for (u64 type = 0; type < 256; type++) {
		if (type != 2)
			assert_bad(f, set_exception_handler(type, 4, 8));
	}
	assert_int_equal(f->csf.tiler_oom.address, 0xfedcba987654);
	gs_csf_init(&f->csf);
	assert_int_equal(f->csf.heap, 0);
	assert_int_equal(f->csf.tiler_oom.length, 0);
}

static void sync_set(void **state)
{
	struct fixture *f = *state;

	memset(f->gpu.data, 0xee, REGION);
	pair(f, 0, DATA + 16);
	pair(f, 2, 0x0102030405060708);
	assert_int_equal(RUN(f, sync_op(38, 0, 2) | 7), GS_CSF_DONE);
	assert_int_equal(gpu_get64(f->gpu.data, 16), 0xeeeeeeee05060708);
	assert_int_equal(RUN(f, sync_op(52, 0, 2) | 7), GS_CSF_DONE);
	assert_int_equal(gpu_get64(f->gpu.data, 16), 0x0102030405060708);
	assert_int_equal(gpu_get64(f->gpu.data, 24), 0xeeeeeeeeeeeeeeee);
}

static void sync_add(void **state)
{
	struct fixture *f = *state;

	gpu_set64(f->gpu.data, 16, 0x7ffffffff);
	pair(f, 0, DATA + 16);
	pair(f, 2, 0x100000002);
	assert_int_equal(RUN(f, sync_op(37, 0, 2)), GS_CSF_DONE);
	assert_int_equal(gpu_get64(f->gpu.data, 16), 0x700000001);
	assert_int_equal(RUN(f, sync_op(51, 0, 2)), GS_CSF_DONE);
	assert_int_equal(gpu_get64(f->gpu.data, 16), 0x800000003);
}

/* The comparison is unsigned, and of the object's width. */
static void sync_wait_conditions(void **state)
{
	static const u64 values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
				      0x100000000, U64_MAX >> 1, U64_MAX };
	struct fixture *f = *state;

	pair(f, 0, DATA);
	for (u32 i = 0; i < 64; i++) {
		u64 value = values[i % 8];
		u64 reference = values[i / 8];
		bool greater32 = (u32)value > (u32)reference;
		bool greater64 = value > reference;

		gpu_set64(f->gpu.data, 0, value);
		pair(f, 2, reference);
		assert_int_equal(RUN(f, sync_wait(39, 0, 2, 0, 0)),
				 greater32 ? GS_CSF_BLOCKED : GS_CSF_DONE);
		assert_int_equal(RUN(f, sync_wait(39, 0, 2, 1, 0)),
				 greater32 ? GS_CSF_DONE : GS_CSF_BLOCKED);
		assert_int_equal(RUN(f, sync_wait(53, 0, 2, 0, 0)),
				 greater64 ? GS_CSF_BLOCKED : GS_CSF_DONE);
		assert_int_equal(RUN(f, sync_wait(53, 0, 2, 1, 0)),
				 greater64 ? GS_CSF_DONE : GS_CSF_BLOCKED);
	}
}

static void sync_wait_blocks_and_goes_on(void **state)
{
	struct fixture *f = *state;
	u32 budget = 100;

	pair(f, 0, DATA + 8);
	pair(f, 2, 41);
	load_stream(f, (const u64[]){ op(0), sync_wait(53, 0, 2, 1, 1), move32(5, 1) }, 3);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_BLOCKED);
	assert_int_equal(budget, 99);
	assert_int_equal(f->csf.stream.pc, CODE + 8);
	assert_int_equal(f->csf.wait.address, DATA + 8);
	assert_int_equal(f->csf.wait.reference, 41);
	assert_int_equal(f->csf.wait.size, 8);
	assert_int_equal(f->csf.wait.condition, GS_CSF_GREATER);
	assert_true(f->csf.wait.reject);

	gpu_set64(f->gpu.data, 8, 41);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_BLOCKED);
	assert_int_equal(budget, 99);
	gpu_set64(f->gpu.data, 8, 42);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_DONE);
	assert_int_equal(budget, 97);
	assert_int_equal(REG(&f->csf, 5), 1);
}

/* With reject, an error ends the wait, met or not; without, nobody looks at it. */
static void sync_wait_rejects_errors(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA);
	pair(f, 2, 0);
	gpu_set32(f->gpu.data, 4, 1);
	assert_int_equal(RUN(f, sync_wait(39, 0, 2, 0, 0)), GS_CSF_DONE);
	assert_fault(f, sync_wait(39, 0, 2, 0, 1), GS_CSF_FAULT_SYNC_ERROR, DATA);
	assert_fault(f, sync_wait(39, 0, 2, 1, 1), GS_CSF_FAULT_SYNC_ERROR, DATA);

	gpu_set64(f->gpu.data, 0, 0);
	gpu_set64(f->gpu.data, 8, 1);
	assert_int_equal(RUN(f, sync_wait(53, 0, 2, 0, 0)), GS_CSF_DONE);
	assert_fault(f, sync_wait(53, 0, 2, 0, 1), GS_CSF_FAULT_SYNC_ERROR, DATA);
	gpu_set64(f->gpu.data, 8, 0x100000000);
	assert_int_equal(RUN(f, sync_wait(53, 0, 2, 0, 1)), GS_CSF_DONE);
}

static void alignment_faults(void **state)
{
	static const u64 ops32[] = { 37, 38, 39 };
	static const u64 ops64[] = { 51, 52, 53 };
	struct fixture *f = *state;

	for (u32 offset = 1; offset < 8; offset++) {
		pair(f, 0, DATA + offset);
		for (u32 i = 0; i < 3; i++) {
			assert_fault(f, sync_op(ops64[i], 0, 2), GS_CSF_FAULT_ALIGNMENT,
				     DATA + offset);
			if (offset != 4)
				assert_fault(f, sync_op(ops32[i], 0, 2), GS_CSF_FAULT_ALIGNMENT,
					     DATA + offset);
		}
		pair(f, 0, DATA);
		if (offset == 4)
			continue;
		assert_fault(f, load(4, 1, 0, offset), GS_CSF_FAULT_ALIGNMENT, DATA + offset);
		assert_fault(f, store(4, 1, 0, offset), GS_CSF_FAULT_ALIGNMENT, DATA + offset);
	}
	pair(f, 0, DATA + 4);
	assert_int_equal(RUN(f, sync_op(37, 0, 2), sync_op(38, 0, 2), load(4, 1, 0, 4)),
			 GS_CSF_DONE);
}

static void access_faults(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, NOWHERE);
	assert_fault(f, load(4, 1, 0, 0), GS_CSF_FAULT_READ, NOWHERE);
	assert_fault(f, store(4, 1, 0, 4), GS_CSF_FAULT_WRITE, NOWHERE + 4);
	assert_fault(f, sync_op(37, 0, 2), GS_CSF_FAULT_WRITE, NOWHERE);
	assert_fault(f, sync_op(38, 0, 2), GS_CSF_FAULT_WRITE, NOWHERE);
	assert_fault(f, sync_op(39, 0, 2), GS_CSF_FAULT_READ, NOWHERE);
	assert_fault(f, sync_op(51, 0, 2), GS_CSF_FAULT_WRITE, NOWHERE);
	assert_fault(f, sync_op(52, 0, 2), GS_CSF_FAULT_WRITE, NOWHERE);
	assert_fault(f, sync_op(53, 0, 2), GS_CSF_FAULT_READ, NOWHERE);

	pair(f, 0, ROM);
	assert_int_equal(RUN(f, load(4, 1, 0, 0), sync_op(39, 0, 2)), GS_CSF_DONE);
	assert_fault(f, store(4, 1, 0, 0), GS_CSF_FAULT_WRITE, ROM);
	assert_fault(f, sync_op(38, 0, 2), GS_CSF_FAULT_WRITE, ROM);

	pair(f, 0, DATA + REGION - 4);
	assert_fault(f, sync_wait(39, 0, 2, 0, 1), GS_CSF_FAULT_READ, DATA + REGION);
}

static void fetch_faults(void **state)
{
	struct fixture *f = *state;

	gpu_set64(f->gpu.code, REGION - 8, move32(1, 1));
	assert_int_equal(gs_csf_start(&f->csf, CODE + REGION - 8, 16), 0);
	assert_int_equal(go(f, 10), GS_CSF_FAULT);
	assert_int_equal(REG(&f->csf, 1), 1);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_FETCH);
	assert_int_equal(f->csf.fault.address, CODE + REGION);
	assert_int_equal(f->csf.fault.pc, CODE + REGION);
	assert_int_equal(f->csf.fault.instruction, 0);

	assert_int_equal(gs_csf_start(&f->csf, DATA, 8), 0);
	assert_int_equal(go(f, 10), GS_CSF_FAULT);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_FETCH);
}

/* Only what is executed is fetched. */
static void fetch_does_not_run_ahead(void **state)
{
	struct fixture *f = *state;

	gpu_set64(f->gpu.code, REGION - 8, branch(6, 0, 3));
	assert_int_equal(gs_csf_start(&f->csf, CODE + REGION - 8, 32), 0);
	assert_int_equal(go(f, 10), GS_CSF_DONE);
	assert_int_equal(f->gpu.fetches, 1);
}

/* An access that would wrap past 2^64 is a fault, and no callback sees it. */
static void accesses_do_not_wrap(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, 0ull - 4);
	assert_int_equal(RUN(f, load(4, 1, 0, 0), store(4, 1, 0, 0), sync_op(38, 0, 2)),
			 GS_CSF_DONE);
	f->gpu.calls = 0;
	assert_fault(f, load(4, 3, 0, 0), GS_CSF_FAULT_READ, 0ull - 4);
	assert_fault(f, store(4, 3, 0, 0), GS_CSF_FAULT_WRITE, 0ull - 4);
	assert_int_equal(f->gpu.calls, 4);
	assert_fault(f, sync_wait(39, 0, 2, 0, 1), GS_CSF_FAULT_READ, 0ull - 4);
	pair(f, 0, 0ull - 8);
	assert_fault(f, sync_wait(53, 0, 2, 0, 1), GS_CSF_FAULT_READ, 0ull - 8);
	assert_fault(f, load(4, 4, 0, 0), GS_CSF_FAULT_READ, 0);
}

/* A fault in the middle of a load leaves all registers as they were (see assert_fault). */
static void load_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;

	gpu_set32(f->gpu.data, REGION - 8, 5);
	pair(f, 0, DATA + REGION - 8);
	assert_fault(f, load(10, 5, 0, 0), GS_CSF_FAULT_READ, DATA + REGION);
}

/* A store is so for each run of registers. */
static void store_does_the_runs_before_its_fault(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA + REGION - 12);
	REG(&f->csf, 10) = 1;
	REG(&f->csf, 12) = 2;
	REG(&f->csf, 13) = 3;
	assert_fault(f, store(10, 0xd, 0, 0), GS_CSF_FAULT_WRITE, DATA + REGION - 4);
	assert_int_equal(gpu_get32(f->gpu.data, REGION - 12), 1);
	assert_int_equal(gpu_get32(f->gpu.data, REGION - 4), 0);
}

/* Registers end at r95. */
static void bad_registers_fault(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA);
	for (u64 reg = 96; reg < 256; reg++) {
		assert_bad(f, move48(reg, 0));
		assert_bad(f, move32(reg, 0));
		assert_bad(f, add32(reg, 0, 0));
		assert_bad(f, add32(0, reg, 0));
		assert_bad(f, add64(reg, 0, 0));
		assert_bad(f, add64(0, reg, 0));
		assert_bad(f, load(reg, 0, 0, 0));
		assert_bad(f, load(2, 0, reg, 0));
		assert_bad(f, store(reg, 0, 0, 0));
		assert_bad(f, store(2, 0, reg, 0));
		assert_bad(f, branch(1, reg, 0));
		assert_bad(f, op(36) | reg << 40);
		assert_bad(f, umin32(reg, 0, 0));
		assert_bad(f, umin32(0, reg, 0));
		assert_bad(f, umin32(0, 0, reg));
		assert_bad(f, set_exception_handler(2, reg, 0));
		assert_bad(f, set_exception_handler(2, 0, reg));
		assert_bad(f, call(reg, 2));
		assert_bad(f, call(0, reg));
		assert_bad(f, jump(reg, 2));
		assert_bad(f, jump(0, reg));
		assert_bad(f, store_state(2, reg, 0));
		assert_bad(f, heap_set(reg));
		for (u64 sync = 37; sync < 54; sync = sync == 39 ? 51 : sync + 1) {
			assert_bad(f, sync_op(sync, reg, 2));
			assert_bad(f, sync_op(sync, 0, reg));
		}
	}
}

static void odd_pairs_fault(void **state)
{
	struct fixture *f = *state;

	for (u64 reg = 1; reg < 96; reg += 2) {
		assert_bad(f, move48(reg, 0));
		assert_bad(f, add64(reg, 0, 0));
		assert_bad(f, add64(0, reg, 0));
		assert_bad(f, load(2, 1, reg, 0));
		assert_bad(f, store(2, 1, reg, 0));
		assert_bad(f, set_exception_handler(2, reg, 0));
		assert_bad(f, call(reg, 2));
		assert_bad(f, jump(reg, 2));
		assert_bad(f, store_state(2, reg, 0));
		assert_bad(f, heap_set(reg));
		for (u64 sync = 37; sync < 40; sync++)
			assert_bad(f, sync_op(sync, reg, 2));
		for (u64 sync = 51; sync < 54; sync++) {
			assert_bad(f, sync_op(sync, reg, 2));
			assert_bad(f, sync_op(sync, 0, reg));
		}
	}
	pair(f, 0, DATA);
	assert_int_equal(RUN(f, sync_op(37, 0, 3), sync_op(38, 0, 3), sync_op(39, 0, 3)),
			 GS_CSF_DONE);
}

static void multiple_past_the_last_register_faults(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA);
	assert_int_equal(RUN(f, load(95, 1, 0, 0), store(95, 1, 0, 0), load(81, 0x7fff, 0, 0)),
			 GS_CSF_DONE);
	assert_bad(f, load(95, 2, 0, 0));
	assert_bad(f, store(95, 3, 0, 0));
	assert_bad(f, load(81, 0x8000, 0, 0));
	assert_bad(f, store(81, 0xffff, 0, 0));
}

static void unknown_conditions_fault(void **state)
{
	struct fixture *f = *state;

	pair(f, 0, DATA);
	assert_bad(f, branch(7, 0, 0));
	for (u64 condition = 2; condition < 16; condition++) {
		assert_bad(f, sync_wait(39, 0, 2, condition, 0));
		assert_bad(f, sync_wait(53, 0, 2, condition, 0));
	}
}

static const u8 executed[] = { 0,  1,  2,  3,  16, 17, 18, 20, 21, 22, 23, 24, 25, 32, 33,
			       34, 36, 37, 38, 39, 40, 47, 48, 49, 50, 51, 52, 53 };
static const u8 unsupported[] = { 4, 5, 6, 7, 8, 9, 11, 41, 42, 43, 44 };

/* Nothing is ever skipped: an opcode runs, or it faults. */
static void other_opcodes_fault(void **state)
{
	struct fixture *f = *state;

	for (u64 opcode = 0; opcode < 256; opcode++) {
		bool known = memchr(unsupported, (int)opcode, sizeof(unsupported));

		pair(f, 0, DATA);
		if (memchr(executed, (int)opcode, sizeof(executed))) {
			u64 type = opcode == 25 ? 2 : 0;

			/* r0 is the address, r2 of 0 the length that CALL and JUMP take. */
			assert_int_equal(RUN(f, op(opcode) | type | 2ull << 32), GS_CSF_DONE);
			assert_string_not_equal(gs_csf_opcode_name(op(opcode)), "unknown");
			continue;
		}
		assert_fault(f, op(opcode) | 0x1234,
			     known ? GS_CSF_FAULT_UNSUPPORTED : GS_CSF_FAULT_INSTRUCTION, CODE + 8);
		assert_int_equal(!strcmp(gs_csf_opcode_name(op(opcode)), "unknown"), !known);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(gs_csf_opcode_name(op(4) | 99), "RUN_COMPUTE");
	assert_string_equal(gs_csf_opcode_name(op(53)), "SYNC_WAIT64");
	assert_string_equal(gs_csf_opcode_name(op(54)), "unknown");
	assert_string_equal(gs_csf_opcode_name(U64_MAX), "unknown");
	assert_string_equal(gs_csf_fault_name(GS_CSF_FAULT_READ), "unmapped read");
	assert_string_equal(gs_csf_fault_name(GS_CSF_FAULT_CALL_STACK), "call stack overflow");
	for (int kind = 0; kind < 20; kind++)
		assert_true(gs_csf_fault_name((enum gs_csf_fault_kind)kind)[0]);
}

static void a_fault_stays_until_the_next_start(void **state)
{
	struct fixture *f = *state;
	u32 budget = 7;

	assert_fault(f, op(4), GS_CSF_FAULT_UNSUPPORTED, CODE + 8);
	f->gpu.calls = 0;
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_FAULT);
	assert_int_equal(budget, 7);
	assert_int_equal(f->gpu.calls, 0);
	assert_int_equal(RUN(f, op(0)), GS_CSF_DONE);
	assert_int_equal(f->csf.fault.kind, GS_CSF_FAULT_NONE);
}

static void registers_survive_streams(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, move32(5, 7)), GS_CSF_DONE);
	assert_int_equal(RUN(f, add32(5, 5, 1)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 5), 8);
}

static void a_stream_can_change_itself(void **state)
{
	struct fixture *f = *state;
	u64 word = move32(9, 77);

	pair(f, 0, CODE + 8);
	pair(f, 2, word);
	assert_int_equal(RUN(f, store(2, 3, 0, 0), op(4)), GS_CSF_DONE);
	assert_int_equal(REG(&f->csf, 9), 77);
}

static void a_loop_ends_with_its_budget(void **state)
{
	struct fixture *f = *state;
	u32 budget = 12345;

	load_stream(f, (const u64[]){ branch(6, 0, -1) }, 1);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_RUNNING);
	assert_int_equal(budget, 0);
	assert_int_equal(f->gpu.fetches, 12345);
	assert_int_equal(gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget), GS_CSF_RUNNING);
	assert_int_equal(f->gpu.fetches, 12345);
}

static void any_slicing_gives_the_same(void **state)
{
	const u64 words[] = {
		move48(0, DATA),    move32(2, 9),	   add32(3, 3, 5), store(2, 3, 0, 16),
		load(6, 3, 0, 16),  sync_op(37, 0, 3), add32(2, 2, -1), branch(1, 2, -6),
	};
	struct fixture *f = *state;
	struct gs_csf whole;

	load_stream(f, words, 8);
	assert_int_equal(go(f, 1000), GS_CSF_DONE);
	whole = f->csf;
	assert_int_equal(gpu_get32(f->gpu.data, 0), 9 * 10 / 2 * 5);
	for (u32 slice = 1; slice < 60; slice++) {
		u32 done = 0;

		memset(f->gpu.data, 0, REGION);
		gs_csf_init(&f->csf);
		load_stream(f, words, 8);
		for (;;) {
			u32 budget = slice;
			enum gs_csf_status status = gs_csf_run(&f->csf, &gpu_mem, &f->gpu, &budget);

			done += slice - budget;
			if (status == GS_CSF_DONE)
				break;
			assert_int_equal(status, GS_CSF_RUNNING);
			assert_int_equal(budget, 0);
		}
		assert_int_equal(done, 2 + 9 * 6);
		assert_memory_equal(f->csf.regs, whole.regs, sizeof(whole.regs));
		assert_int_equal(gpu_get32(f->gpu.data, 0), 9 * 10 / 2 * 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_stream_is_done),
		TEST(start_refuses_bad_streams),
		TEST(instructions_without_effect),
		TEST(move),
		TEST(add_immediate32),
		TEST(add_immediate64),
		TEST(umin),
		TEST(load_multiple),
		TEST(load_multiple_over_its_address),
		TEST(store_multiple),
		TEST(multiple_skips_gaps),
		TEST(store_state_values),
		TEST(store_state_without_counters),
		TEST(heap_and_handler_are_kept),
		TEST(sync_set),
		TEST(sync_add),
		TEST(sync_wait_conditions),
		TEST(sync_wait_blocks_and_goes_on),
		TEST(sync_wait_rejects_errors),
		TEST(alignment_faults),
		TEST(access_faults),
		TEST(fetch_faults),
		TEST(fetch_does_not_run_ahead),
		TEST(accesses_do_not_wrap),
		TEST(load_is_all_or_nothing),
		TEST(store_does_the_runs_before_its_fault),
		TEST(bad_registers_fault),
		TEST(odd_pairs_fault),
		TEST(multiple_past_the_last_register_faults),
		TEST(unknown_conditions_fault),
		TEST(other_opcodes_fault),
		TEST(names),
		TEST(a_fault_stays_until_the_next_start),
		TEST(registers_survive_streams),
		TEST(a_stream_can_change_itself),
		TEST(a_loop_ends_with_its_budget),
		TEST(any_slicing_gives_the_same),
	};

	return cmocka_run_group_tests_name("csf", tests, NULL, NULL);
}
