// SPDX-License-Identifier: MIT
/* The BO_SYNC ioctl as it is: its refusals and their order (R7, R8, R20). */
#include <string.h>
#include <sys/mman.h>

#include "fixture.h"

#define OLD	0x01d01d01u
#define NEW	0x7e37e37eu
#define FLUSH	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH
#define BOTH	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE

typedef struct drm_panthor_bo_sync_op op_t;

/* A device with this ioctl and counters. */
static struct fixture *need_raw(void **state)
{
	need_file(state);
	return need_lazy(state);
}

/* A word that the GPU sees old, and a flush of it. */
static struct buffer *dirty_word(struct fixture *f, op_t *op)
{
	struct buffer *buf = new_buffer(f, 8192, GEMSYNC_BO_CACHED);

	put_both(f, buf, 0, OLD);
	cpu_put(buf, 0, NEW);
	*op = (op_t){ .handle = gemsync_bo_handle(buf->bo), .type = FLUSH, .size = 4 };
	return buf;
}

static void nothing_was_done(struct fixture *f, struct buffer *buf,
			     const struct gemsync_counters *before)
{
	assert_lines(f, before, 0, 0);
	assert_int_equal(gpu_get(f, buf, 0), OLD);
	assert_int_equal(cpu_get(buf, 0), NEW);
}

/* The two are what their names say. */
static void good_ops(void **state)
{
	struct fixture *f = need_raw(state);
	struct gemsync_counters before;
	struct buffer *buf;
	op_t op;

	buf = dirty_word(f, &op);
	before = lines_now(f);
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	assert_lines(f, &before, 1, 0);
	assert_int_equal(gpu_get(f, buf, 0), NEW);
	op.type = BOTH;
	before = lines_now(f);
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	assert_lines(f, &before, 1, 1);
}

/* R8: each op good but for one thing, cases 8, 10, 11, 16; first, in between and last. */
static void one_bad_op(void **state)
{
	static const struct {
		int error;
		op_t wrong;	/* what is added to the good op */
	} cases[] = {
		{ -ENOENT, { .handle = 0x10000000 } },
		{ -EINVAL, { .type = 2 } },
		{ -EINVAL, { .type = 0x80000000 } },
		{ -EINVAL, { .offset = 8192 } },
		{ -EINVAL, { .offset = 8189 } },
		{ -EINVAL, { .offset = 1ull << 32 } },
		{ -EINVAL, { .offset = UINT64_MAX } },
		{ -EINVAL, { .size = 8192 } },
		{ -EINVAL, { .size = 1ull << 32 } },
		{ -EINVAL, { .size = UINT64_MAX - 4 } },
	};
	struct fixture *f = need_raw(state);
	struct gemsync_counters before;
	struct buffer *buf;
	op_t ops[3], good;
	size_t i, k;

	buf = dirty_word(f, &good);
	before = lines_now(f);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (k = 0; k < ARRAY_SIZE(ops); k++) {
			ops[0] = ops[1] = ops[2] = good;
			ops[k].handle += cases[i].wrong.handle;
			ops[k].type += cases[i].wrong.type;
			ops[k].offset += cases[i].wrong.offset;
			ops[k].size += cases[i].wrong.size;
			assert_int_equal(raw_sync(f->fd, ops, 3, sizeof(good)), cases[i].error);
		}
	}
	nothing_was_done(f, buf, &before);
	ops[0] = ops[1] = ops[2] = good;
	assert_ok(raw_sync(f->fd, ops, 3, sizeof(good)));
	assert_lines(f, &before, 3, 0);
}

/* R8, cases 10, 11: write-combined BOs and empty ranges are checked all the same. */
static void idle_ops_are_checked(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *wc = new_buffer(f, 4096, 0);
	op_t good = { .handle = gemsync_bo_handle(wc->bo), .offset = 4096 };
	op_t op;

	assert_ok(raw_sync(f->fd, &good, 1, sizeof(op)));
	op = good;
	op.type = 2;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -EINVAL);
	op = good;
	op.offset = 4097;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -EINVAL);
	op = good;
	op.size = 1;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -EINVAL);
	op = good;
	op.handle = NO_HANDLE;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -ENOENT);
}

/* R8: where two things are wrong, the first in the order is reported. */
static void order_of_refusals(void **state)
{
	struct fixture *f = need_raw(state);
	uint8_t longer[2 * (sizeof(op_t) + 8)] = { 0 };
	struct gemsync_counters before;
	const void *nowhere = (void *)8;
	struct buffer *buf;
	op_t op, ops[2];

	buf = dirty_word(f, &op);
	before = lines_now(f);
	/* count 0, before a short stride and a bad pointer */
	assert_ok(raw_sync(f->fd, nowhere, 0, 0));
	/* short stride, before too many */
	assert_int_equal(raw_sync(f->fd, nowhere, UINT32_MAX, sizeof(op) - 1), -EINVAL);
	/* too many, before a bad pointer: case 14 */
	assert_int_equal(raw_sync(f->fd, nowhere, 1048577, sizeof(op)), -E2BIG);
	assert_int_equal(raw_sync(f->fd, nowhere, UINT32_MAX, sizeof(op)), -E2BIG);
	assert_int_equal(raw_sync(f->fd, nowhere, UINT32_MAX, UINT32_MAX), -E2BIG);
	/* a bad pointer, also with the most ops */
	assert_int_equal(raw_sync(f->fd, nowhere, 1, sizeof(op)), -EFAULT);
	assert_int_equal(raw_sync(f->fd, nowhere, 1048576, sizeof(op)), -EFAULT);
	/* a tail that is not zero, before a bad handle in the first op */
	op.handle = NO_HANDLE;
	memcpy(longer, &op, sizeof(op));
	memcpy(longer + sizeof(op) + 8, &op, sizeof(op));
	longer[sizeof(longer) - 1] = 1;
	assert_int_equal(raw_sync(f->fd, longer, 2, sizeof(op) + 8), -E2BIG);
	/* an unknown handle, before an unknown type and a bad range */
	op.type = 7;
	op.offset = UINT64_MAX;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -ENOENT);
	/* the first bad op decides */
	ops[0] = (op_t){ .handle = gemsync_bo_handle(buf->bo), .type = 7 };
	ops[1] = op;
	assert_int_equal(raw_sync(f->fd, ops, 2, sizeof(op)), -EINVAL);
	nothing_was_done(f, buf, &before);
}

/* R8, case 13 */
static void strides(void **state)
{
	struct fixture *f = need_raw(state);
	struct {
		op_t op;
		uint64_t tail;
	} longer[2] = { 0 };
	struct gemsync_counters before;
	struct buffer *buf;

	buf = dirty_word(f, &longer[0].op);
	longer[1].op = longer[0].op;
	before = lines_now(f);
	assert_int_equal(raw_sync(f->fd, longer, 1, sizeof(op_t) - 8), -EINVAL);
	assert_int_equal(raw_sync(f->fd, longer, 1, 0), -EINVAL);
	longer[1].tail = 1ull << 63;
	assert_int_equal(raw_sync(f->fd, longer, 2, sizeof(longer[0])), -E2BIG);
	nothing_was_done(f, buf, &before);
	longer[1].tail = 0;
	assert_ok(raw_sync(f->fd, longer, 2, sizeof(longer[0])));
	assert_lines(f, &before, 2, 0);
	assert_int_equal(gpu_get(f, buf, 0), NEW);
}

/* R7, case 15: the second op of the array lies in a page that is not there. */
static void array_that_faults(void **state)
{
	struct fixture *f = need_raw(state);
	size_t page = f->info.page_size;
	struct gemsync_counters before;
	struct buffer *buf;
	uint8_t *pages;
	op_t *ops;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_ok(munmap(pages + page, page));
	ops = (op_t *)(pages + page) - 1;
	buf = dirty_word(f, ops);
	before = lines_now(f);
	assert_int_equal(raw_sync(f->fd, ops, 2, sizeof(*ops)), -EFAULT);
	nothing_was_done(f, buf, &before);
	assert_ok(raw_sync(f->fd, ops, 1, sizeof(*ops)));
	assert_lines(f, &before, 1, 0);
	munmap(pages, page);
}

/* R8: a fault comes before a tail that is not zero, also when that one is met first. */
static void fault_before_tail(void **state)
{
	struct fixture *f = need_file(state);
	const uint32_t stride = sizeof(op_t) + 8;
	size_t page = f->info.page_size;
	uint8_t *pages, *ops;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_ok(munmap(pages + page, page));
	ops = pages + page - stride;
	memset(ops, 0xff, stride);
	assert_int_equal(raw_sync(f->fd, ops, 1, stride), -E2BIG);
	assert_int_equal(raw_sync(f->fd, ops, 2, stride), -EFAULT);
	munmap(pages, page);
}

/* R7, case 15: the array lies in a map of the BO that it syncs, touched or not. */
static void array_inside_the_bo(void **state)
{
	static const uint32_t flags[] = { GEMSYNC_BO_CACHED, 0 };
	struct fixture *f = need_file(state);
	struct buffer *buf;
	op_t *ops;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = new_buffer(f, 8192, flags[i]);
		/* The second op begins in the next page. */
		ops = (op_t *)(buf->map + 4096) - 1;
		ops[0] = (op_t){ .handle = gemsync_bo_handle(buf->bo), .type = BOTH, .size = 8192 };
		ops[1] = ops[0];
		assert_ok(raw_sync(f->fd, ops, 2, sizeof(*ops)));
		assert_int_equal(ops[1].size, 8192);
	}
	/* Never touched: the copy itself populates the page, and finds zeroes. */
	buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	assert_int_equal(raw_sync(f->fd, buf->map, 1, sizeof(*ops)), -ENOENT);
}

/* R20, case 19 */
static void handle_of_another_file(void **state)
{
	struct fixture *f = need_raw(state);
	struct gemsync_device *other = fixture_other(f);
	struct gemsync_bo *bos[64];
	struct gemsync_counters before;
	struct buffer *buf;
	op_t ops[2], op;
	size_t count = 0;

	/* Handles are small numbers: make one that this file does not have. */
	buf = dirty_word(f, &op);
	do {
		assert_true(count < ARRAY_SIZE(bos));
		assert_ok(gemsync_bo_create(other, 4096, GEMSYNC_BO_CACHED, &bos[count]));
	} while (gemsync_bo_handle(bos[count++]) <= op.handle);
	ops[0] = op;
	ops[1] = op;
	ops[1].handle = gemsync_bo_handle(bos[count - 1]);
	before = lines_now(f);
	assert_int_equal(raw_sync(f->fd, ops, 2, sizeof(op)), -ENOENT);
	nothing_was_done(f, buf, &before);
	assert_ok(raw_sync(gemsync_device_fd(other), &ops[1], 1, sizeof(op)));
	while (count)
		gemsync_bo_destroy(bos[--count]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(good_ops),
		device_test(one_bad_op),
		device_test(idle_ops_are_checked),
		device_test(order_of_refusals),
		device_test(strides),
		device_test(array_that_faults),
		device_test(fault_before_tail),
		device_test(array_inside_the_bo),
		device_test(handle_of_another_file),
	};

	return cmocka_run_group_tests_name("bo_sync_abi", tests, NULL, NULL);
}
