// SPDX-License-Identifier: MIT
/*
 * New pages read as zero through every view, before any sync (R17). On an
 * emulated device memory is poisoned first, so that a page that was not
 * published is seen.
 */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define SIZE	(256 * KIB)

static size_t count_nonzero(const uint8_t *data, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i++)
		n += data[i] != 0;
	return n;
}

/* A BO that is not mapped, so that the GPU's view can be the first. */
static void gpu_reads_zero(struct fixture *f, uint32_t flags)
{
	uint8_t *data = malloc(SIZE);
	struct gemsync_bo *bo;
	uint64_t va;

	assert_non_null(data);
	assert_ok(gemsync_bo_create(f->dev, SIZE, flags, &bo));
	assert_ok(gpu_bind(f->gpu, bo, &va));
	memset(data, 0xff, SIZE);
	assert_ok(gpu_read(f->gpu, va, data, SIZE));
	assert_int_equal(count_nonzero(data, SIZE), 0);
	gemsync_bo_destroy(bo);
	free(data);
}

static void gpu_view_first(void **state)
{
	struct fixture *f = need_device(state);

	gpu_reads_zero(f, 0);
	gpu_reads_zero(f, GEMSYNC_BO_CACHED);
	gpu_reads_zero(f, GEMSYNC_BO_NO_MMAP);
	gpu_reads_zero(f, GEMSYNC_BO_SHAREABLE);
}

/* The CPU's view is the first one, then the GPU's is zero too. */
static void cpu_reads_zero(struct fixture *f, uint32_t flags)
{
	uint8_t *data = malloc(SIZE);
	struct gemsync_bo *bo;
	uint64_t va;
	void *map;

	assert_non_null(data);
	assert_ok(gemsync_bo_create(f->dev, SIZE, flags, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	assert_int_equal(count_nonzero(map, SIZE), 0);
	assert_ok(gpu_bind(f->gpu, bo, &va));
	assert_ok(gpu_read(f->gpu, va, data, SIZE));
	assert_int_equal(count_nonzero(data, SIZE), 0);
	gemsync_bo_destroy(bo);
	free(data);
}

static void write_combined_view_first(void **state)
{
	cpu_reads_zero(need_device(state), 0);
}

static void cached_view_first(void **state)
{
	cpu_reads_zero(need_device(state), GEMSYNC_BO_CACHED);
}

/* An invalidate of fresh pages brings nothing else to light. */
static void zero_after_invalidate(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, SIZE, GEMSYNC_BO_CACHED);

	assert_ok(gemsync_bo_invalidate(buf->bo, 0, SIZE));
	assert_int_equal(count_nonzero(buf->map, SIZE), 0);
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, SIZE));
	assert_int_equal(count_nonzero(buf->map, SIZE), 0);
}

/* Memory that was used before is not given on with its content. */
static void nothing_left_of_a_freed_bo(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_bo *bo;
	void *map;
	int i;

	for (i = 0; i < 8; i++) {
		assert_ok(gemsync_bo_create(f->dev, SIZE, i & 1 ? GEMSYNC_BO_CACHED : 0, &bo));
		assert_ok(gemsync_bo_map(bo, &map));
		assert_int_equal(count_nonzero(map, SIZE), 0);
		memset(map, 0x5a, SIZE);
		gemsync_bo_destroy(bo);
		gpu_reads_zero(f, i & 2 ? GEMSYNC_BO_CACHED : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(gpu_view_first),
		device_test(write_combined_view_first),
		device_test(cached_view_first),
		device_test(zero_after_invalidate),
		device_test(nothing_left_of_a_freed_bo),
	};

	return cmocka_run_group_tests_name("fresh", tests, NULL, NULL);
}
