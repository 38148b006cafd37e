// SPDX-License-Identifier: MIT
/* Batches through the library (R7, R8, R9). */
#include <stdlib.h>

#include "fixture.h"

#define OLD	0x01d01d01u
#define NEW	0x7e37e37eu
#define RANGES	256u
#define STRIDE	4096u

/* 256 words, one a page; the GPU knows the old ones, the CPU has written new ones. */
static struct buffer *dirty_pages(struct fixture *f, struct gemsync_op *ops)
{
	struct buffer *buf = new_buffer(f, RANGES * STRIDE, GEMSYNC_BO_CACHED);
	unsigned int i;

	for (i = 0; i < RANGES; i++) {
		ops[i] = (struct gemsync_op){
			.bo = buf->bo, .offset = i * STRIDE, .size = 4,
		};
		cpu_put(buf, i * STRIDE, OLD + i);
	}
	assert_ok(gemsync_device_sync(f->dev, ops, RANGES));
	for (i = 0; i < RANGES; i++)
		cpu_put(buf, i * STRIDE, NEW + i);
	return buf;
}

/* In how many pages the GPU sees @value + page. */
static unsigned int gpu_count(struct fixture *f, const struct buffer *buf, uint32_t value)
{
	uint8_t *data = malloc(RANGES * STRIDE);
	unsigned int i, n = 0;

	assert_non_null(data);
	assert_ok(gpu_read(f->gpu, buf->va, data, RANGES * STRIDE));
	for (i = 0; i < RANGES; i++)
		n += *(uint32_t *)(data + i * STRIDE) == value + i;
	free(data);
	return n;
}

/* R1, R4: the GPU sees every range, and one line was maintained for each. */
static void batch_of_256(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_op ops[RANGES];
	struct buffer *buf = dirty_pages(f, ops);
	struct gemsync_counters before;

	assert_int_equal(gpu_count(f, buf, OLD), RANGES);
	before = lines_now(f);
	assert_ok(gemsync_device_sync(f->dev, ops, RANGES));
	assert_lines(f, &before, RANGES, 0);
	assert_int_equal(gpu_count(f, buf, NEW), RANGES);
}

static void nothing_was_done(struct fixture *f, struct buffer *buf,
			     const struct gemsync_counters *before)
{
	assert_lines(f, before, 0, 0);
	assert_int_equal(gpu_count(f, buf, OLD), RANGES);
}

/* R7: whatever is wrong with one op, and wherever it is, nothing is done. */
static void one_bad_op(void **state)
{
	static const unsigned int places[] = { 0, RANGES / 2, RANGES - 1 };
	struct fixture *f = need_lazy(state);
	struct gemsync_op ops[RANGES], good;
	struct buffer *buf = dirty_pages(f, ops);
	struct gemsync_counters before = lines_now(f);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		good = ops[places[i]];
		ops[places[i]].offset = RANGES * STRIDE;
		assert_int_equal(gemsync_device_sync(f->dev, ops, RANGES), -EINVAL);
		ops[places[i]] = good;
		ops[places[i]].type = (enum gemsync_op_type)2;
		assert_int_equal(gemsync_device_sync(f->dev, ops, RANGES), -EINVAL);
		ops[places[i]] = good;
		ops[places[i]].bo = NULL;
		assert_int_equal(gemsync_device_sync(f->dev, ops, RANGES), -EINVAL);
		ops[places[i]] = good;
	}
	nothing_was_done(f, buf, &before);
	assert_ok(gemsync_device_sync(f->dev, ops, RANGES));
	assert_int_equal(gpu_count(f, buf, NEW), RANGES);
}

/* R20: a BO of another device is nothing that this one can sync. */
static void bo_of_another_device(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_op op = { .size = 4 };

	assert_ok(gemsync_bo_create(fixture_other(f), 4096, GEMSYNC_BO_CACHED, &op.bo));
	assert_int_equal(gemsync_device_sync(f->dev, &op, 1), -EINVAL);
	assert_ok(gemsync_device_sync(f->other, &op, 1));
	gemsync_bo_destroy(op.bo);
}

/* R8, case 14: the count is checked before the array is looked at. */
static void counts(void **state)
{
	struct fixture *f = need_device(state);

	assert_ok(gemsync_device_sync(f->dev, NULL, 0));
	assert_int_equal(gemsync_device_sync(f->dev, NULL, 1048577), -E2BIG);
	assert_int_equal(gemsync_device_sync(f->dev, NULL, SIZE_MAX), -E2BIG);
}

/* R8: the most ops that are allowed; most of them have nothing to do. */
static void longest_batch(void **state)
{
	const size_t count = 1048576;
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_op *ops = calloc(count, sizeof(*ops));
	struct gemsync_counters before;
	size_t i;
	int ret;

	assert_non_null(ops);
	for (i = 0; i < count; i++)
		ops[i].bo = buf->bo;
	ops[0].size = 1;
	ops[count - 1].size = 1;
	before = lines_now(f);
	ret = gemsync_device_sync(f->dev, ops, count);
	free(ops);
	assert_ok(ret);
	assert_lines(f, &before, 2, 0);
}

/* R7, case 17: the same range twice, one over another, both operations. */
static void duplicates_and_overlaps(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = f->info.line_size;
	const struct gemsync_op ops[] = {
		{ buf->bo, GEMSYNC_FLUSH, 0, line },
		{ buf->bo, GEMSYNC_FLUSH, 0, line },
		{ buf->bo, GEMSYNC_INVALIDATE, line / 2, line },
		{ buf->bo, GEMSYNC_INVALIDATE, 0, 4 * line },
	};
	struct gemsync_counters before;

	put_both(f, buf, 0, OLD);
	put_both(f, buf, 2 * line, OLD);
	cpu_put(buf, 0, NEW);
	gpu_put(f, buf, 2 * line, NEW);
	before = lines_now(f);
	assert_ok(gemsync_device_sync(f->dev, ops, ARRAY_SIZE(ops)));
	assert_lines(f, &before, 1 + 1 + 2 + 4, 2 + 4);
	assert_int_equal(gpu_get(f, buf, 0), NEW);
	assert_int_equal(cpu_get(buf, 0), NEW);
	assert_int_equal(cpu_get(buf, 2 * line), NEW);
}

/* R9: write-combined BOs and empty ranges in between change nothing. */
static void idle_ops_in_between(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *a = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct buffer *b = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(f, 4096, 0);
	const struct gemsync_op ops[] = {
		{ wc->bo, GEMSYNC_FLUSH, 0, 4096 },
		{ a->bo, GEMSYNC_FLUSH, 0, 4 },
		{ a->bo, GEMSYNC_FLUSH, 512, 0 },
		{ wc->bo, GEMSYNC_INVALIDATE, 0, 4096 },
		{ b->bo, GEMSYNC_FLUSH, 0, 4 },
	};
	struct gemsync_counters before;

	put_both(f, a, 0, OLD);
	put_both(f, b, 0, OLD);
	cpu_put(a, 0, NEW);
	cpu_put(b, 0, NEW);
	before = lines_now(f);
	assert_ok(gemsync_device_sync(f->dev, ops, ARRAY_SIZE(ops)));
	assert_lines(f, &before, 2, 0);
	assert_int_equal(gpu_get(f, a, 0), NEW);
	assert_int_equal(gpu_get(f, b, 0), NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(batch_of_256),
		device_test(one_bad_op),
		device_test(bo_of_another_device),
		device_test(counts),
		device_test(longest_batch),
		device_test(duplicates_and_overlaps),
		device_test(idle_ops_in_between),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
