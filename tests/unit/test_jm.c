// SPDX-License-Identifier: MIT
/* jm.h: each type of job, each fault, what ends and what resumes a chain. */
#include "jm_gpu.h"

struct fixture {
	struct jm_gpu gpu;
	struct gs_jm jm;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	gs_jm_init(&f->jm, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static enum gs_jm_status go(struct fixture *f, u32 budget)
{
	return gs_jm_run(&f->jm, &jm_mem, &f->gpu, &budget);
}

/* The chain that begins with job 0. */
static enum gs_jm_status run_chain(struct fixture *f)
{
	gs_jm_start(&f->jm, JOB(0));
	return go(f, 1000);
}

/* Job 0 has to fault, and to leave its header and the data as they are. */
static void assert_fault(struct fixture *f, enum gs_jm_fault_kind kind, u64 address)
{
	struct gpu before = f->gpu.gpu;

	assert_int_equal(run_chain(f), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, kind);
	assert_int_equal(f->jm.fault.address, address);
	assert_int_equal(f->jm.fault.job, JOB(0));
	assert_int_equal(f->jm.fault.control, gpu_get32(before.code, 16));
	assert_memory_equal(f->gpu.gpu.code, before.code, REGION);
	assert_memory_equal(f->gpu.gpu.data, before.data, REGION);
	assert_int_equal(go(f, 1), GS_JM_FAULT);
}

/* ---- The chain ---- */

static void no_chain_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(go(f, 0), GS_JM_DONE);
	gs_jm_start(&f->jm, 0);
	assert_int_equal(go(f, 10), GS_JM_DONE);
	assert_int_equal(f->gpu.gpu.calls, 0);
}

static void header_of_a_done_job(void **state)
{
	struct fixture *f = *state;
	u8 *job = put_job(&f->gpu, 0, GS_JM_NULL);

	gpu_set32(job, 4, 0x11111111);
	gpu_set64(job, 8, 0x2222222233333333);
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(gpu_get32(job, 0), 1);
	assert_int_equal(gpu_get32(job, 4), 0x11111111);
	assert_int_equal(gpu_get64(job, 8), 0);
	assert_int_equal(gpu_get32(job, 16), jm_control(GS_JM_NULL, 0));
	assert_int_equal(f->jm.job, 0);
}

static void jobs_run_in_the_order_of_the_list(void **state)
{
	struct fixture *f = *state;

	put_write(&f->gpu, 0, DATA, GS_JM_VALUE_IMM32, 1);
	put_write(&f->gpu, 1, DATA, GS_JM_VALUE_IMM32, 2);
	put_write(&f->gpu, 2, DATA, GS_JM_VALUE_IMM32, 3);
	link_job(&f->gpu, 0, JOB(2));
	link_job(&f->gpu, 2, JOB(1));
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(gpu_get32(f->gpu.gpu.data, 0), 2);
	assert_int_equal(job_status(&f->gpu, 0) + job_status(&f->gpu, 1) +
			 job_status(&f->gpu, 2), 3);
}

/* What is not linked does not run. */
static void next_0_ends_the_chain(void **state)
{
	struct fixture *f = *state;

	put_job(&f->gpu, 0, GS_JM_NULL);
	put_job(&f->gpu, 1, GS_JM_NULL);
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(job_status(&f->gpu, 1), 0);
}

/* Without is64 the upper half of the address of the next job is not looked at. */
static void next_of_32_bits(void **state)
{
	struct fixture *f = *state;
	u8 *job = put_job(&f->gpu, 0, GS_JM_NULL);

	gpu_set32(job, 16, GS_JM_NULL << 1);
	link_job(&f->gpu, 0, 0xdeadbeef00000000);
	assert_int_equal(run_chain(f), GS_JM_DONE);
	put_job(&f->gpu, 0, GS_JM_NULL);
	link_job(&f->gpu, 0, 0xdeadbeef00000000);
	assert_int_equal(run_chain(f), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.address, 0xdeadbeef00000000);
}

static void budget_counts_jobs(void **state)
{
	struct fixture *f = *state;
	u32 budget = 2;

	for (u32 i = 0; i < 3; i++) {
		put_job(&f->gpu, i, GS_JM_NULL);
		link_job(&f->gpu, i, i < 2 ? JOB(i + 1) : 0);
	}
	gs_jm_start(&f->jm, JOB(0));
	assert_int_equal(gs_jm_run(&f->jm, &jm_mem, &f->gpu, &budget), GS_JM_RUNNING);
	assert_int_equal(budget, 0);
	assert_int_equal(job_status(&f->gpu, 1), 1);
	assert_int_equal(job_status(&f->gpu, 2), 0);
	budget = 5;
	assert_int_equal(gs_jm_run(&f->jm, &jm_mem, &f->gpu, &budget), GS_JM_DONE);
	assert_int_equal(budget, 4);
}

/* Each clears the other's status, or the second round would be a fault. */
static void chain_without_end(void **state)
{
	struct fixture *f = *state;

	put_write(&f->gpu, 0, JOB(1), GS_JM_VALUE_ZERO, 0);
	put_write(&f->gpu, 1, JOB(0), GS_JM_VALUE_ZERO, 0);
	link_job(&f->gpu, 0, JOB(1));
	link_job(&f->gpu, 1, JOB(0));
	gs_jm_start(&f->jm, JOB(0));
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(go(f, 7), GS_JM_RUNNING);
	gpu_set64(f->gpu.gpu.code + SLOT, 32, DATA);
	assert_int_equal(go(f, 1000), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_DATA);
}

static void job_with_a_status(void **state)
{
	static const u32 bad[] = { 1, 0x40, 0x80000000 };
	struct fixture *f = *state;

	for (u32 i = 0; i < 3; i++) {
		gpu_set32(put_job(&f->gpu, 0, GS_JM_NULL), 0, bad[i]);
		assert_fault(f, GS_JM_FAULT_DATA, JOB(0));
	}
}

/* A chain that was done is not run again by accident. */
static void second_run(void **state)
{
	struct fixture *f = *state;

	put_job(&f->gpu, 0, GS_JM_NULL);
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_fault(f, GS_JM_FAULT_DATA, JOB(0));
	put_job(&f->gpu, 0, GS_JM_NULL);
	assert_int_equal(run_chain(f), GS_JM_DONE);
}

static void fault_stops_the_chain(void **state)
{
	struct fixture *f = *state;

	put_job(&f->gpu, 0, GS_JM_NULL);
	put_write(&f->gpu, 1, NOWHERE, GS_JM_VALUE_IMM64, 1);
	put_job(&f->gpu, 2, GS_JM_NULL);
	link_job(&f->gpu, 0, JOB(1));
	link_job(&f->gpu, 1, JOB(2));
	assert_int_equal(run_chain(f), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_WRITE);
	assert_int_equal(f->jm.fault.address, NOWHERE);
	assert_int_equal(f->jm.fault.job, JOB(1));
	assert_int_equal(job_status(&f->gpu, 0), 1);
	assert_int_equal(job_status(&f->gpu, 1), 0);
	assert_int_equal(job_status(&f->gpu, 2), 0);
}

static void bad_addresses_of_jobs(void **state)
{
	struct fixture *f = *state;

	put_job(&f->gpu, 0, GS_JM_NULL);
	gs_jm_start(&f->jm, JOB(0) + 32);
	assert_int_equal(go(f, 1), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_ALIGNMENT);
	assert_int_equal(f->jm.fault.control, 0);
	gs_jm_start(&f->jm, NOWHERE);
	assert_int_equal(go(f, 1), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_FETCH);
	assert_int_equal(f->jm.fault.address, NOWHERE);
	gs_jm_start(&f->jm, 0ull - 64);
	memset(f->gpu.gpu.top, 0xff, REGION);
	assert_int_equal(go(f, 1), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_DATA);
}

/* What a job in memory that the GPU may only read did has been done. */
static void read_only_header(void **state)
{
	struct fixture *f = *state;

	memcpy(f->gpu.gpu.rom, put_write(&f->gpu, 0, DATA, GS_JM_VALUE_IMM32, 5), SLOT);
	gs_jm_start(&f->jm, ROM);
	assert_int_equal(go(f, 10), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_WRITE);
	assert_int_equal(f->jm.fault.address, ROM + 8);
	assert_int_equal(gpu_get32(f->gpu.gpu.data, 0), 5);
}

static void types_that_do_not_run(void **state)
{
	static const char *const names[] = {
		"COMPUTE", "VERTEX", "GEOMETRY", "TILER", "FUSED", "FRAGMENT", "INDEXED_VERTEX",
	};
	struct fixture *f = *state;

	for (u32 type = GS_JM_COMPUTE; type <= 10; type++) {
		put_job(&f->gpu, 0, type);
		assert_fault(f, GS_JM_FAULT_UNSUPPORTED, JOB(0));
		assert_string_equal(gs_jm_type_name(f->jm.fault.control),
				    names[type - GS_JM_COMPUTE]);
	}
	for (u32 type = 0; type < 128; type++) {
		if ((type >= GS_JM_NULL && type <= 10) || type >= GS_JM_VIRTUAL_COPY)
			continue;
		put_job(&f->gpu, 0, type);
		assert_fault(f, GS_JM_FAULT_JOB, JOB(0));
		assert_string_equal(gs_jm_type_name(f->jm.fault.control), "unknown");
	}
}

static void cache_flush_and_barrier(void **state)
{
	struct fixture *f = *state;
	u8 *job = put_job(&f->gpu, 0, GS_JM_CACHE_FLUSH);

	gpu_set32(job, 16, jm_control(GS_JM_CACHE_FLUSH, 3) | 1 << 8);
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(job_status(&f->gpu, 0), 1);
}

/* ---- Dependencies ---- */

static void met_dependencies(void **state)
{
	struct fixture *f = *state;

	gpu_set32(put_job(&f->gpu, 0, GS_JM_NULL), 16, jm_control(GS_JM_NULL, 1));
	gpu_set32(put_job(&f->gpu, 1, GS_JM_NULL), 16, jm_control(GS_JM_NULL, 0xffff));
	gpu_set32(put_job(&f->gpu, 2, GS_JM_NULL), 20, 0xffff0001);
	link_job(&f->gpu, 0, JOB(1));
	link_job(&f->gpu, 1, JOB(2));
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(job_status(&f->gpu, 2), 1);
}

/* It waits for ever, as nothing of the chain is left that could be done. */
static void unmet_dependency(void **state)
{
	struct fixture *f = *state;

	for (u32 shift = 0; shift <= 16; shift += 16) {
		gpu_set32(put_job(&f->gpu, 0, GS_JM_NULL), 16, jm_control(GS_JM_NULL, 2));
		gpu_set32(put_job(&f->gpu, 1, GS_JM_NULL), 20, 3u << shift);
		link_job(&f->gpu, 0, JOB(1));
		assert_int_equal(run_chain(f), GS_JM_BLOCKED);
		assert_int_equal(go(f, 10), GS_JM_BLOCKED);
		assert_int_equal(job_status(&f->gpu, 0), 1);
		assert_int_equal(job_status(&f->gpu, 1), 0);
	}
	/* A job does not wait for those of an earlier chain. */
	gpu_set32(put_job(&f->gpu, 0, GS_JM_NULL), 20, 2);
	assert_int_equal(run_chain(f), GS_JM_BLOCKED);
}

/* ---- WRITE_VALUE ---- */

static void values_are_written(void **state)
{
	static const struct {
		u32 kind;
		u32 size;
		u64 value;
	} cases[] = {
		{ GS_JM_VALUE_CYCLES, 8, CYCLES },
		{ GS_JM_VALUE_TIMESTAMP, 8, TIMESTAMP },
		{ GS_JM_VALUE_ZERO, 8, 0 },
		{ GS_JM_VALUE_IMM8, 1, 0xf0 },
		{ GS_JM_VALUE_IMM16, 2, 0xdef0 },
		{ GS_JM_VALUE_IMM32, 4, 0x9abcdef0 },
		{ GS_JM_VALUE_IMM64, 8, 0x123456789abcdef0 },
	};
	struct fixture *f = *state;
	u8 expected[24];
	u64 value;

	for (u32 i = 0; i < 7; i++) {
		memset(f->gpu.gpu.data, 0x55, 24);
		memset(expected, 0x55, 24);
		value = htole64(cases[i].value);
		memcpy(expected + 8, &value, cases[i].size);
		put_write(&f->gpu, 0, DATA + 8, cases[i].kind, 0x123456789abcdef0);
		assert_int_equal(run_chain(f), GS_JM_DONE);
		assert_memory_equal(f->gpu.gpu.data, expected, 24);
	}
}

static void bad_values(void **state)
{
	static const u32 kinds[] = { 0, 8, U32_MAX };
	struct fixture *f = *state;

	for (u32 i = 0; i < 3; i++) {
		put_write(&f->gpu, 0, DATA, kinds[i], 1);
		assert_fault(f, GS_JM_FAULT_JOB, JOB(0));
	}
	put_write(&f->gpu, 0, DATA + 1, GS_JM_VALUE_IMM16, 1);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, DATA + 1);
	put_write(&f->gpu, 0, DATA + 2, GS_JM_VALUE_IMM32, 1);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, DATA + 2);
	put_write(&f->gpu, 0, DATA + 4, GS_JM_VALUE_ZERO, 1);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, DATA + 4);
	put_write(&f->gpu, 0, ROM, GS_JM_VALUE_IMM8, 1);
	assert_fault(f, GS_JM_FAULT_WRITE, ROM);
	put_write(&f->gpu, 0, DATA + REGION, GS_JM_VALUE_IMM64, 1);
	assert_fault(f, GS_JM_FAULT_WRITE, DATA + REGION);
}

static void no_counters(void **state)
{
	struct gs_jm_mem without = jm_mem;
	struct fixture *f = *state;
	u32 budget = 1;

	without.cycles = NULL;
	put_write(&f->gpu, 0, DATA, GS_JM_VALUE_CYCLES, 0);
	gs_jm_start(&f->jm, JOB(0));
	assert_int_equal(gs_jm_run(&f->jm, &without, &f->gpu, &budget), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_UNSUPPORTED);
	budget = 1;
	put_write(&f->gpu, 0, DATA, GS_JM_VALUE_TIMESTAMP, 0);
	gs_jm_start(&f->jm, JOB(0));
	assert_int_equal(gs_jm_run(&f->jm, &without, &f->gpu, &budget), GS_JM_DONE);
}

/* A job may change the one behind it, which is fetched when it runs. */
static void chain_changes_itself(void **state)
{
	struct fixture *f = *state;

	put_write(&f->gpu, 0, JOB(1) + 48, GS_JM_VALUE_IMM64, 77);
	put_write(&f->gpu, 1, DATA, GS_JM_VALUE_IMM64, 1);
	link_job(&f->gpu, 0, JOB(1));
	assert_int_equal(run_chain(f), GS_JM_DONE);
	assert_int_equal(gpu_get64(f->gpu.gpu.data, 0), 77);
}

/* ---- Virtual jobs ---- */

/* Hardware does not know them, nor does an interpreter that was not told. */
static void virtual_jobs_are_off(void **state)
{
	struct fixture *f = *state;

	gs_jm_init(&f->jm, false);
	put_copy(&f->gpu, 0, DATA, ROM, 4);
	assert_fault(f, GS_JM_FAULT_JOB, JOB(0));
	put_wait(&f->gpu, 0, DATA, 1);
	assert_fault(f, GS_JM_FAULT_JOB, JOB(0));
}

static void copies(void **state)
{
	static const u32 sizes[] = { 0, 4, 60, 64, 68, 128, 512 };
	struct fixture *f = *state;
	u8 expected[REGION];

	for (u32 i = 0; i < REGION; i++)
		f->gpu.gpu.rom[i] = (u8)(i * 7 + 1);
	for (u32 i = 0; i < 7; i++) {
		memset(f->gpu.gpu.data, 0, REGION);
		memset(expected, 0, REGION);
		memcpy(expected + 12, f->gpu.gpu.rom + 20, sizes[i]);
		put_copy(&f->gpu, 0, DATA + 12, ROM + 20, sizes[i]);
		assert_int_equal(run_chain(f), GS_JM_DONE);
		assert_memory_equal(f->gpu.gpu.data, expected, REGION);
	}
}

static void copy_in_slices(void **state)
{
	struct fixture *f = *state;
	u32 budget;

	memset(f->gpu.gpu.rom, 9, REGION);
	put_copy(&f->gpu, 0, DATA, ROM, 4 * 64 + 4);
	gs_jm_start(&f->jm, JOB(0));
	for (u32 i = 1; i <= 4; i++) {
		budget = 1;
		assert_int_equal(gs_jm_run(&f->jm, &jm_mem, &f->gpu, &budget), GS_JM_RUNNING);
		assert_int_equal(budget, 0);
		assert_int_equal(f->gpu.gpu.data[64 * i - 1], 9);
		assert_int_equal(f->gpu.gpu.data[64 * i], 0);
		assert_int_equal(job_status(&f->gpu, 0), 0);
	}
	budget = 10;
	assert_int_equal(gs_jm_run(&f->jm, &jm_mem, &f->gpu, &budget), GS_JM_DONE);
	assert_int_equal(budget, 9);
	assert_int_equal(f->gpu.gpu.data[4 * 64 + 3], 9);
	assert_int_equal(f->gpu.gpu.data[4 * 64 + 4], 0);
}

static void bad_copies(void **state)
{
	struct fixture *f = *state;

	put_copy(&f->gpu, 0, DATA + 2, ROM, 4);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, DATA + 2);
	put_copy(&f->gpu, 0, DATA, ROM + 1, 4);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, ROM + 1);
	put_copy(&f->gpu, 0, DATA, ROM, 6);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, 6);
	put_copy(&f->gpu, 0, ROM, DATA, 4);
	assert_fault(f, GS_JM_FAULT_WRITE, ROM);
	put_copy(&f->gpu, 0, DATA, NOWHERE, 4);
	assert_fault(f, GS_JM_FAULT_READ, NOWHERE);
	put_copy(&f->gpu, 0, DATA, 0ull - 4, 8);
	assert_fault(f, GS_JM_FAULT_READ, 0ull - 4);
	put_copy(&f->gpu, 0, 0ull - 4, DATA, 8);
	assert_fault(f, GS_JM_FAULT_WRITE, 0ull - 4);
}

/* Up to where it could not go on, and not beyond. */
static void copy_ends_in_the_middle(void **state)
{
	struct fixture *f = *state;

	memset(f->gpu.gpu.rom, 9, REGION);
	put_copy(&f->gpu, 0, DATA + REGION - 128, ROM, U64_MAX - 3);
	assert_int_equal(run_chain(f), GS_JM_FAULT);
	assert_int_equal(f->jm.fault.kind, GS_JM_FAULT_WRITE);
	assert_int_equal(f->jm.fault.address, DATA + REGION);
	assert_int_equal(f->gpu.gpu.data[REGION - 1], 9);
	assert_int_equal(job_status(&f->gpu, 0), 0);
}

static void wait_blocks(void **state)
{
	struct fixture *f = *state;

	put_wait(&f->gpu, 0, DATA + 4, 7);
	gpu_set32(f->gpu.gpu.data, 4, 7);
	assert_int_equal(run_chain(f), GS_JM_BLOCKED);
	assert_int_equal(go(f, 5), GS_JM_BLOCKED);
	assert_int_equal(job_status(&f->gpu, 0), 0);
	gpu_set32(f->gpu.gpu.data, 4, 8);
	assert_int_equal(go(f, 5), GS_JM_DONE);
	assert_int_equal(job_status(&f->gpu, 0), 1);
}

static void bad_waits(void **state)
{
	struct fixture *f = *state;

	put_wait(&f->gpu, 0, DATA + 2, 0);
	assert_fault(f, GS_JM_FAULT_ALIGNMENT, DATA + 2);
	put_wait(&f->gpu, 0, NOWHERE, 0);
	assert_fault(f, GS_JM_FAULT_READ, NOWHERE);
}

/* ---- Memory that is on its way ---- */

/* Whatever access of a job it is that finds none, the job is done in the end. */
static void memory_comes_later(void **state)
{
	struct fixture *f = *state;
	u32 blocked = 0;

	for (u32 at = 0; at < 12; at++) {
		enum gs_jm_status status;

		memset(f->gpu.gpu.rom, (int)at + 1, REGION);
		put_write(&f->gpu, 0, DATA, GS_JM_VALUE_IMM32, at);
		put_copy(&f->gpu, 1, DATA + 64, ROM, 68);
		link_job(&f->gpu, 0, JOB(1));
		f->gpu.busy_until = f->gpu.gpu.calls + at;
		f->gpu.absent = 2;
		status = run_chain(f);
		for (u32 i = 0; i < 2 && status == GS_JM_BLOCKED; i++, blocked++)
			status = go(f, 1000);
		assert_int_equal(status, GS_JM_DONE);
		assert_int_equal(gpu_get32(f->gpu.gpu.data, 0), at);
		assert_int_equal(f->gpu.gpu.data[64 + 67], at + 1);
		assert_int_equal(job_status(&f->gpu, 0) + job_status(&f->gpu, 1), 2);
	}
	assert_int_equal(blocked, 24);
}

static void names_are_there(void **state)
{
	(void)state;
	for (int i = GS_JM_FAULT_NONE; i <= GS_JM_FAULT_UNSUPPORTED + 1; i++)
		assert_non_null(gs_jm_fault_name((enum gs_jm_fault_kind)i));
	assert_string_equal(gs_jm_fault_name(GS_JM_FAULT_DATA), "job with a status");
	assert_string_equal(gs_jm_type_name(GS_JM_WRITE_VALUE << 1), "WRITE_VALUE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_chain_is_done),
		TEST(header_of_a_done_job),
		TEST(jobs_run_in_the_order_of_the_list),
		TEST(next_0_ends_the_chain),
		TEST(next_of_32_bits),
		TEST(budget_counts_jobs),
		TEST(chain_without_end),
		TEST(job_with_a_status),
		TEST(second_run),
		TEST(fault_stops_the_chain),
		TEST(bad_addresses_of_jobs),
		TEST(read_only_header),
		TEST(types_that_do_not_run),
		TEST(cache_flush_and_barrier),
		TEST(met_dependencies),
		TEST(unmet_dependency),
		TEST(values_are_written),
		TEST(bad_values),
		TEST(no_counters),
		TEST(chain_changes_itself),
		TEST(virtual_jobs_are_off),
		TEST(copies),
		TEST(copy_in_slices),
		TEST(bad_copies),
		TEST(copy_ends_in_the_middle),
		TEST(wait_blocks),
		TEST(bad_waits),
		TEST(memory_comes_later),
		cmocka_unit_test(names_are_there),
	};

	return cmocka_run_group_tests_name("jm", tests, NULL, NULL);
}
