// SPDX-License-Identifier: MIT
/* One range at a time: exactness, the two operations, edges (R1, R4, R5, R8, R9, R10). */
#include <pthread.h>
#include <stdatomic.h>

#include "fixture.h"

#define OLD	0x01d01d01u
#define NEW	0x7e37e37eu

struct range {
	uint64_t offset;
	uint64_t size;
};

/* R1, cases 1, 3, 5: exactly the lines that overlap, wherever the range lies. */
static void lines_of_a_range(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, MIB, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size;
	const struct range ranges[] = {
		{ 0, 64 }, { 0, 1 }, { 0, line }, { 0, line + 1 }, { line - 1, 1 },
		{ line - 1, 2 }, { line / 2, line }, { 3 * line + 5, 10 * line - 7 },
		{ 4095, 1 }, { 4095, 2 }, { 4096 - line, line }, { 4090, 4096 },
		{ 5 * 4096 + 1, 3 * 4096 }, { MIB - 1, 1 }, { MIB - 64, 64 },
		{ MIB - line - 1, line + 1 }, { 0, MIB },
	};
	struct gemsync_counters before;
	uint64_t lines;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		lines = lines_of(f, ranges[i].offset, ranges[i].size);
		before = lines_now(f);
		assert_ok(gemsync_bo_flush(buf->bo, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, lines, 0);
		before = lines_now(f);
		assert_ok(gemsync_bo_invalidate(buf->bo, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, lines, lines);
	}
}

/* R1: the GPU sees what was in the range's lines, and nothing of the lines around. */
static void lines_around_stay_dirty(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 16 * KIB, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size, at;

	for (at = 0; at < 4 * line; at += line)
		put_both(f, buf, at, OLD);
	for (at = 0; at < 4 * line; at += line)
		cpu_put(buf, at, NEW);
	assert_ok(gemsync_bo_flush(buf->bo, line + 4, line));
	assert_int_equal(gpu_get(f, buf, 0), OLD);
	assert_int_equal(gpu_get(f, buf, line), NEW);
	assert_int_equal(gpu_get(f, buf, 2 * line), NEW);
	assert_int_equal(gpu_get(f, buf, 3 * line), OLD);
}

/* R1, R10, cases 2, 7: the same lines at the end of a big BO, also at its first sync. */
static void end_of_a_big_bo(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 64 * MIB, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size, last = 64 * MIB - 2 * line;
	struct gemsync_counters before = lines_now(f);

	cpu_put(buf, last, NEW);
	assert_ok(gemsync_bo_flush(buf->bo, last, 2 * line));
	assert_lines(f, &before, 2, 0);
	assert_int_equal(gpu_get(f, buf, last), NEW);
}

/* R4, case 25 */
static void cpu_to_gpu(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);

	put_both(f, buf, 256, OLD);
	cpu_put(buf, 256, NEW);
	assert_int_equal(gpu_get(f, buf, 256), OLD);
	assert_ok(gemsync_bo_flush(buf->bo, 256, 4));
	assert_int_equal(gpu_get(f, buf, 256), NEW);
}

/* R4, case 26 */
static void gpu_to_cpu(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);

	put_both(f, buf, 256, OLD);
	gpu_put(f, buf, 256, NEW);
	assert_int_equal(cpu_get(buf, 256), OLD);
	assert_ok(gemsync_bo_invalidate(buf->bo, 256, 4));
	assert_int_equal(cpu_get(buf, 256), NEW);
}

/* R4, case 20: a flush writes back, and drops nothing. */
static void flush_keeps_lines(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);

	cpu_put(buf, 256, OLD);
	assert_ok(gemsync_bo_flush(buf->bo, 256, 4));
	gpu_put(f, buf, 256, NEW);
	assert_ok(gemsync_bo_flush(buf->bo, 256, 4));
	assert_int_equal(cpu_get(buf, 256), OLD);
	assert_int_equal(gpu_get(f, buf, 256), NEW);
}

/* R4, cases 21, 22: an invalidate never loses what the CPU wrote, whole lines included. */
static void invalidate_writes_back_first(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size, at;

	for (at = 0; at < 3 * line; at += 4)
		put_both(f, buf, at, OLD);
	for (at = 0; at < 3 * line; at += 4)
		cpu_put(buf, at, NEW + at);
	assert_int_equal(gpu_get(f, buf, line), OLD);
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, 3 * line));
	for (at = 0; at < 3 * line; at += 4) {
		assert_int_equal(cpu_get(buf, at), NEW + at);
		assert_int_equal(gpu_get(f, buf, at), NEW + at);
	}
}

/* R5, case 23: dirty bytes beside the range survive in the cache and reach memory. */
static void edges_survive(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size;
	uint64_t low = line + line / 2, high = 3 * line + line / 2;

	put_both(f, buf, low - 4, OLD);
	put_both(f, buf, high, OLD);
	cpu_put(buf, low - 4, NEW);
	cpu_put(buf, high, NEW);
	assert_int_equal(gpu_get(f, buf, low - 4), OLD);
	assert_ok(gemsync_bo_invalidate(buf->bo, low, high - low));
	assert_int_equal(cpu_get(buf, low - 4), NEW);
	assert_int_equal(cpu_get(buf, high), NEW);
	assert_int_equal(gpu_get(f, buf, low - 4), NEW);
	assert_int_equal(gpu_get(f, buf, high), NEW);
}

struct writer {
	struct buffer *buf;
	uint64_t low;
	uint64_t high;
	atomic_bool stop;
	uint32_t lost;		/* stores that were gone when looked at again */
	atomic_uint last;
};

static void *write_neighbours(void *arg)
{
	struct writer *writer = arg;
	uint32_t i;

	for (i = 1; !writer->stop; i++) {
		cpu_put(writer->buf, writer->low, i);
		cpu_put(writer->buf, writer->high, ~i);
		writer->lost += cpu_get(writer->buf, writer->low) != i;
		writer->lost += cpu_get(writer->buf, writer->high) != ~i;
		writer->last = i;
	}
	return NULL;
}

/* R5, case 24: another thread writes beside the range during every call. */
static void edges_survive_a_writer(void **state)
{
	struct fixture *f = need_incoherent(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size;
	struct writer writer = {
		.buf = buf,
		.low = 2 * line - 8,
		.high = 3 * line + 8,
	};
	uint64_t start = writer.low + 4, size = writer.high - start;
	pthread_t thread;
	int i, ret = 0;

	assert_ok(pthread_create(&thread, NULL, write_neighbours, &writer));
	while (!writer.last)
		;
	for (i = 0; i < 5000 && !ret; i++)
		ret = gemsync_bo_invalidate(buf->bo, start, size);
	writer.stop = true;
	assert_ok(pthread_join(thread, NULL));
	assert_ok(ret);
	assert_int_equal(writer.lost, 0);
	assert_ok(gemsync_bo_flush(buf->bo, 0, 4096));
	assert_int_equal(gpu_get(f, buf, writer.low), writer.last);
	assert_int_equal(gpu_get(f, buf, writer.high), ~writer.last);
}

/* R8, cases 8, 10: for cached and write-combined BOs alike. */
static void ranges_that_leave_the_bo(void **state)
{
	static const struct range ranges[] = {
		{ 0, 8193 }, { 8192, 1 }, { 8193, 0 }, { 1, 8192 }, { 1, UINT64_MAX },
		{ UINT64_MAX, 1 }, { UINT64_MAX, UINT64_MAX }, { UINT64_MAX - 1, 4 },
		{ UINT64_MAX, 0 }, { 1ull << 32, 0 }, { 0, 1ull << 32 },
	};
	struct fixture *f = need_device(state);
	struct gemsync_bo *bos[] = {
		new_buffer(f, 8192, GEMSYNC_BO_CACHED)->bo,
		new_buffer(f, 8192, 0)->bo,
	};
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(bos); k++) {
		for (i = 0; i < ARRAY_SIZE(ranges); i++) {
			assert_int_equal(gemsync_bo_flush(bos[k], ranges[i].offset, ranges[i].size),
					 -EINVAL);
			assert_int_equal(gemsync_bo_invalidate(bos[k], ranges[i].offset,
							       ranges[i].size), -EINVAL);
		}
		assert_ok(gemsync_bo_flush(bos[k], 8192, 0));
		assert_ok(gemsync_bo_flush(bos[k], 0, 8192));
	}
}

/* R9, cases 6, 31: nothing to do costs nothing. */
static void free_when_free(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *cached = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(f, 4096, 0);
	struct gemsync_counters before;

	cpu_put(cached, 0, NEW);
	cpu_put(wc, 0, NEW);
	before = lines_now(f);
	assert_ok(gemsync_bo_flush(cached->bo, 0, 0));
	assert_ok(gemsync_bo_invalidate(cached->bo, 4096, 0));
	assert_ok(gemsync_bo_flush(wc->bo, 0, 4096));
	assert_ok(gemsync_bo_invalidate(wc->bo, 0, 4096));
	assert_lines(f, &before, 0, 0);
	/* The twin: the same call with something to do. */
	assert_ok(gemsync_bo_invalidate(cached->bo, 0, 4096));
	assert_lines(f, &before, lines_of(f, 0, 4096), lines_of(f, 0, 4096));
}

/* The same, without the library in between. */
static void driver_free_when_free(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_sync_op op = { .type = 1, .size = 4096 };
	struct buffer *cached = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(f, 4096, 0);
	struct gemsync_counters before;

	need_lazy(state);
	cpu_put(cached, 0, NEW);
	before = lines_now(f);
	op.handle = gemsync_bo_handle(wc->bo);
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	op.handle = gemsync_bo_handle(cached->bo);
	op.size = 0;
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	assert_lines(f, &before, 0, 0);
	op.size = 4096;
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	assert_lines(f, &before, lines_of(f, 0, 4096), lines_of(f, 0, 4096));
}

/* R9, case 34: neither mapped nor bound, the BO has no pages yet. */
static void unpopulated_bo(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_counters before = lines_now(f);
	struct gemsync_bo *bo;

	assert_ok(gemsync_bo_create(f->dev, 64 * KIB, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_flush(bo, 0, 64 * KIB));
	assert_ok(gemsync_bo_invalidate(bo, 0, 64 * KIB));
	assert_lines(f, &before, 0, 0);
	gemsync_bo_destroy(bo);
}

/* R12: write-combined needs no sync, in both directions. */
static void write_combined_is_seen_at_once(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);

	cpu_put(buf, 64, OLD);
	assert_int_equal(gpu_get(f, buf, 64), OLD);
	gpu_put(f, buf, 64, NEW);
	assert_int_equal(cpu_get(buf, 64), NEW);
}

/* R9, R12, case 32: on a coherent device nothing is stale and nothing is done. */
static void coherent_device(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf;

	if (!f->info.coherent)
		skip_because("the device is not coherent: run on one that is");
	buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	cpu_put(buf, 64, OLD);
	assert_int_equal(gpu_get(f, buf, 64), OLD);
	gpu_put(f, buf, 64, NEW);
	assert_int_equal(cpu_get(buf, 64), NEW);
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(lines_of_a_range),
		device_test(lines_around_stay_dirty),
		device_test(end_of_a_big_bo),
		device_test(cpu_to_gpu),
		device_test(gpu_to_cpu),
		device_test(flush_keeps_lines),
		device_test(invalidate_writes_back_first),
		device_test(edges_survive),
		device_test(edges_survive_a_writer),
		device_test(ranges_that_leave_the_bo),
		device_test(free_when_free),
		device_test(driver_free_when_free),
		device_test(unpopulated_bo),
		device_test(write_combined_is_seen_at_once),
		device_test(coherent_device),
	};

	return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
