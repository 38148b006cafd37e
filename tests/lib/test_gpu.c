// SPDX-License-Identifier: MIT
/* What the other tests build on: the GPU's writes, fills, copies and reads, to the byte. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define GUARD	0x6a6a6a6au

static const uint64_t sizes[] = {
	4, 8, 60, 64, 68, 252, 256, 260, 508, 512, 516, 4092, 4096, 4100, 65536 + 12,
	262144 - 4, 262144 + 4, 1048576, 1048576 + 4, 2 * 1048576 + 260,
};

#define AT	1028u		/* where the ranges begin: not on a line, not on a block */
#define SIZE	(3 * MIB)

static uint32_t word(uint64_t i)
{
	return i * 2654435761u + 12345;
}

/* GUARD in the range and around it. */
static void reset(struct buffer *buf, uint64_t size)
{
	uint64_t at;

	for (at = 0; at < AT + size + 4096; at += 4)
		cpu_put(buf, at, GUARD);
}

static void check_guards(const struct buffer *buf, uint64_t size)
{
	uint64_t at;

	for (at = 0; at < AT; at += 4)
		assert_int_equal(cpu_get(buf, at), GUARD);
	for (at = AT + size; at < AT + size + 4096; at += 4)
		assert_int_equal(cpu_get(buf, at), GUARD);
}

static void fills(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, SIZE, 0);
	uint64_t at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		reset(buf, sizes[i]);
		assert_ok(gpu_fill(f->gpu, buf->va + AT, word(i), sizes[i]));
		check_guards(buf, sizes[i]);
		for (at = 0; at < sizes[i]; at += 4)
			assert_int_equal(cpu_get(buf, AT + at), word(i));
	}
}

static void copies(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *from = new_buffer(f, SIZE, 0);
	struct buffer *to = new_buffer(f, SIZE, 0);
	uint64_t at;
	size_t i;

	for (at = 0; at < SIZE; at += 4)
		cpu_put(from, at, word(at));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		reset(to, sizes[i]);
		assert_ok(gpu_copy(f->gpu, to->va + AT, from->va + 16, sizes[i]));
		check_guards(to, sizes[i]);
		for (at = 0; at < sizes[i]; at += 4)
			assert_int_equal(cpu_get(to, AT + at), word(16 + at));
	}
}

static void writes_and_reads(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, SIZE, 0);
	uint32_t *data = malloc(SIZE), *seen = malloc(SIZE);
	uint64_t k;
	size_t i;

	assert_true(data && seen);
	for (k = 0; k < SIZE / 4; k++)
		data[k] = word(k);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		reset(buf, sizes[i]);
		assert_ok(gpu_write(f->gpu, buf->va + AT, data, sizes[i]));
		check_guards(buf, sizes[i]);
		memset(seen, 0, SIZE);
		assert_ok(gpu_read(f->gpu, buf->va + AT, seen, sizes[i]));
		assert_memory_equal(seen, data, sizes[i]);
		assert_int_equal(seen[sizes[i] / 4], 0);
	}
	free(seen);
	free(data);
}

static void refusals(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);
	uint32_t data[2];

	assert_int_equal(gpu_read(f->gpu, buf->va + 1, data, 4), -EINVAL);
	assert_int_equal(gpu_read(f->gpu, buf->va, data, 6), -EINVAL);
	assert_int_equal(gpu_write(f->gpu, buf->va + 2, data, 4), -EINVAL);
	assert_int_equal(gpu_fill(f->gpu, buf->va, 0, 3), -EINVAL);
	assert_int_equal(gpu_copy(f->gpu, buf->va, buf->va + 2, 4), -EINVAL);
	assert_int_equal(gpu_spin_begin(f->gpu, buf->va + 2), -EINVAL);
	assert_ok(gpu_read(f->gpu, buf->va, data, 0));
	assert_ok(gpu_fill(f->gpu, buf->va, 1, 0));
	assert_ok(gpu_copy(f->gpu, 0, 0, 0));
	assert_int_equal(cpu_get(buf, 0), 0);
}

/* A fault is reported, and the next job is a job again. */
static void faults(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);
	uint32_t value;

	assert_int_equal(gpu_read32(f->gpu, buf->va + 4096, &value), -EIO);
	assert_int_equal(gpu_write32(f->gpu, buf->va + 4096, 1), -EIO);
	assert_int_equal(gpu_fill(f->gpu, buf->va + 4092, 1, 8), -EIO);
	gpu_put(f, buf, 0, 0x1234);
	assert_int_equal(gpu_get(f, buf, 0), 0x1234);
}

static void spins(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *flag = new_buffer(f, 4096, 0);

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	assert_int_equal(gpu_spin_running(f->gpu), 1);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
	assert_int_equal(gpu_spin_running(f->gpu), 0);
	/* Nothing to wait for. */
	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	assert_ok(gpu_spin_end(f->gpu));
}

/* Maps, binds and new BOs beside a running job wait for nothing. */
static void calls_beside_a_spin(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *flag = new_buffer(f, 4096, 0);
	int64_t began;
	int i;

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	began = now_ms();
	for (i = 0; i < 8; i++)
		cpu_put(new_buffer(f, 64 * KIB, i & 1 ? GEMSYNC_BO_CACHED : 0), 4096, i);
	assert_true(now_ms() - began < 2000);
	assert_int_equal(gpu_spin_running(f->gpu), 1);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(fills),
		device_test(copies),
		device_test(writes_and_reads),
		device_test(refusals),
		device_test(faults),
		device_test(spins),
		device_test(calls_beside_a_spin),
	};

	return cmocka_run_group_tests_name("gpu", tests, NULL, NULL);
}
