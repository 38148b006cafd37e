// SPDX-License-Identifier: MIT
/* Paths, copies and deferred batches on a device (R1, R4, R9, R24, R26). */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define SIZE	(256 * KIB)
#define GUARD	0xa5

static void fill(uint8_t *data, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + seed);
}

/* R24: CPU instructions move no emulated line, so nobody gets to rely on them. */
static void emulated_bos_are_the_drivers(void **state)
{
	struct fixture *f = need_incoherent(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_bo_info info;

	if (!f->info.emulated)
		skip_because("the device is not emulated");
	assert_ok(gemsync_bo_query(buf->bo, &info));
	assert_int_equal(info.path, GEMSYNC_PATH_DRIVER);
	assert_non_null(strstr(info.why, "emulated"));
	assert_int_equal(gemsync_bo_set_path(buf->bo, GEMSYNC_PATH_CPU), -EOPNOTSUPP);
	assert_ok(gemsync_bo_set_path(buf->bo, GEMSYNC_PATH_DRIVER));
	put_both(f, buf, 64, 0x12345678);
}

/* R9 */
static void write_combined_bos_are_nobodys(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);
	struct gemsync_bo_info info;

	assert_ok(gemsync_bo_query(buf->bo, &info));
	assert_int_equal(info.path, GEMSYNC_PATH_NONE);
	assert_false(info.needs_sync);
}

static void check_upload(struct fixture *f, uint32_t flags, uint64_t offset, uint64_t size)
{
	struct buffer *buf = new_buffer(f, SIZE, flags);
	uint8_t *data = malloc(SIZE), *seen = malloc(SIZE);
	uint64_t i;

	assert_true(data && seen);
	memset(buf->map, GUARD, SIZE);
	fill(data, size, 3);
	assert_ok(gemsync_bo_upload(buf->bo, offset, data, size, 0));
	for (i = 0; i < SIZE; i++)
		if (i < offset || i >= offset + size)
			assert_int_equal(buf->map[i], GUARD);
	assert_ok(gpu_read(f->gpu, buf->va, seen, SIZE));
	assert_memory_equal(seen + offset, data, size);
	free(seen);
	free(data);
}

/* R26 */
static void the_gpu_sees_uploads(void **state)
{
	struct fixture *f = need_device(state);

	check_upload(f, GEMSYNC_BO_CACHED, 0, SIZE);
	check_upload(f, GEMSYNC_BO_CACHED, 61, 7);
	check_upload(f, GEMSYNC_BO_CACHED, 4095, 100001);
	check_upload(f, 0, 4095, 100001);
}

/* The twin: without the flush the GPU does not see them. */
static void the_gpu_does_not_see_a_bare_copy(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);

	put_both(f, buf, 0, 1);
	memcpy(buf->map, "text", 4);
	assert_int_equal(gpu_get(f, buf, 0), 1);
}

/* R1, R4 */
static void readbacks_see_what_the_gpu_wrote(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;
	uint32_t word = 0;

	put_both(f, buf, 128, 1);
	gpu_put(f, buf, 128, 2);
	assert_int_equal(cpu_get(buf, 128), 1);
	before = lines_now(f);
	assert_ok(gemsync_bo_readback(buf->bo, 128, &word, sizeof(word)));
	assert_lines(f, &before, 1, 1);
	assert_int_equal(word, 2);
}

static void copies_outside_are_refused(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t size = gemsync_bo_size(buf->bo);
	uint32_t word = 5;

	assert_int_equal(gemsync_bo_upload(buf->bo, size - 2, &word, 4, 0), -EINVAL);
	assert_int_equal(gemsync_bo_upload(buf->bo, UINT64_MAX, &word, 4, 0), -EINVAL);
	assert_int_equal(gemsync_bo_upload(buf->bo, 0, &word, 4, 0x80), -EINVAL);
	assert_int_equal(gemsync_bo_readback(buf->bo, size, &word, 1), -EINVAL);
	assert_ok(gemsync_bo_readback(buf->bo, size, &word, 0));
	gemsync_bo_unmap(buf->bo);
	assert_int_equal(gemsync_bo_upload(buf->bo, 0, &word, 4, 0), -EINVAL);
	assert_int_equal(word, 5);
}

/* R1, R8: up to the end of the BO, each line once. */
static void the_whole_size(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t size = gemsync_bo_size(buf->bo), lines = size / 2 / f->info.line_size;
	struct gemsync_counters before;

	put_both(f, buf, size - 4, 1);
	put_both(f, buf, 0, 1);
	cpu_put(buf, size - 4, 2);
	cpu_put(buf, 0, 2);
	before = lines_now(f);
	assert_ok(gemsync_bo_flush(buf->bo, size / 2, GEMSYNC_WHOLE_SIZE));
	assert_lines(f, &before, lines, 0);
	assert_int_equal(gpu_get(f, buf, size - 4), 2);
	assert_int_equal(gpu_get(f, buf, 0), 1);
	before = lines_now(f);
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, GEMSYNC_WHOLE_SIZE));
	assert_lines(f, &before, 2 * lines, 2 * lines);
	assert_int_equal(gpu_get(f, buf, 0), 2);
	assert_ok(gemsync_bo_flush(buf->bo, size, GEMSYNC_WHOLE_SIZE));
	assert_int_equal(gemsync_bo_flush(buf->bo, size + 1, GEMSYNC_WHOLE_SIZE), -EINVAL);
}

/* R1: what meets is one operation, and no line between two ranges is maintained. */
static void deferred_batches(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, SIZE, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;
	struct gemsync_batch batch;
	struct gemsync_op ops[16];
	uint32_t line = f->info.line_size;
	unsigned int i;

	assert_ok(gemsync_device_batch_init(f->dev, &batch, ops, ARRAY_SIZE(ops), 0));
	for (i = 0; i < 8; i++) {
		put_both(f, buf, i * line, 0);
		put_both(f, buf, 4096 + i * 2 * line, 0);
	}
	for (i = 0; i < 8; i++) {
		cpu_put(buf, i * line, i + 1);
		assert_ok(gemsync_batch_add(&batch, buf->bo, GEMSYNC_FLUSH, i * line, 4));
	}
	for (i = 0; i < 8; i++) {
		cpu_put(buf, 4096 + i * 2 * line, i + 1);
		assert_ok(gemsync_batch_add(&batch, buf->bo, GEMSYNC_FLUSH, 4096 + i * 2 * line,
					    4));
	}
	assert_int_equal(batch.count, 9);
	assert_int_equal(gpu_get(f, buf, line), 0);
	before = lines_now(f);
	assert_ok(gemsync_batch_submit(&batch));
	assert_lines(f, &before, 16, 0);
	for (i = 0; i < 8; i++) {
		assert_int_equal(gpu_get(f, buf, i * line), i + 1);
		assert_int_equal(gpu_get(f, buf, 4096 + i * 2 * line), i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(emulated_bos_are_the_drivers),
		device_test(write_combined_bos_are_nobodys),
		device_test(the_gpu_sees_uploads),
		device_test(the_gpu_does_not_see_a_bare_copy),
		device_test(readbacks_see_what_the_gpu_wrote),
		device_test(copies_outside_are_refused),
		device_test(the_whole_size),
		device_test(deferred_batches),
	};

	return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
