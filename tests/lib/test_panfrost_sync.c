// SPDX-License-Identifier: MIT
/* SYNC_BO as it is: refusals in their order, exact lines, and both directions (R1..R9). */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "panfrost_calls.h"

#define WB	(PANFROST_BO_WB_MMAP | PANFROST_BO_NOEXEC)
#define FLUSH	PANFROST_BO_SYNC_CPU_CACHE_FLUSH
#define INVAL	PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE
#define MAX_OPS	(1u << 20)

typedef struct drm_panfrost_bo_sync_op sync_op;

static int sync_one(struct fixture *f, uint32_t handle, uint32_t type, uint32_t offset,
		    uint32_t size)
{
	sync_op op = { .handle = handle, .type = type, .offset = offset, .size = size };

	return pf_sync_bo(f->fd, &op, 1);
}

static uint32_t *new_mapped(struct fixture *f, uint32_t size, uint32_t flags, uint32_t *handle)
{
	void *map;

	*handle = pf_new_bo(f->fd, size, flags);
	map = pf_map_bo(f->fd, *handle, size);
	assert_true(map != MAP_FAILED);
	return map;
}

/* R8, each of them also for write-combined BOs, and size 0. */
static void bad_ops(void **state)
{
	static const uint32_t flags[] = { WB, PANFROST_BO_NOEXEC };
	struct fixture *f = need_panfrost(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		uint32_t bo = pf_new_bo(f->fd, 2 * PAGE, flags[i]);

		assert_int_equal(sync_one(f, NO_HANDLE, FLUSH, 0, 0), -ENOENT);
		assert_int_equal(sync_one(f, bo, 2, 0, 0), -EINVAL);
		assert_int_equal(sync_one(f, bo, UINT32_MAX, 0, 4), -EINVAL);
		assert_int_equal(sync_one(f, bo, FLUSH, 2 * PAGE + 1, 0), -EINVAL);
		assert_int_equal(sync_one(f, bo, FLUSH, 0, 2 * PAGE + 1), -EINVAL);
		assert_int_equal(sync_one(f, bo, FLUSH, 2 * PAGE - 1, 2), -EINVAL);
		/* Case 9: what wraps 32 bits. */
		assert_int_equal(sync_one(f, bo, FLUSH, UINT32_MAX, 2), -EINVAL);
		assert_int_equal(sync_one(f, bo, INVAL, PAGE, UINT32_MAX - PAGE + 1), -EINVAL);
		/* Case 6: the end with size 0 is a good place. */
		assert_ok(sync_one(f, bo, INVAL, 2 * PAGE, 0));
		assert_ok(sync_one(f, bo, INVAL, 0, 2 * PAGE));
	}
}

static void bad_arrays(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_sync_bo args = { .pad = 1 };
	sync_op op = { .handle = pf_new_bo(f->fd, PAGE, WB) };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SYNC_BO, &args), -EINVAL);
	args.pad = 0;
	/* Without ops it does not matter where they are. */
	args.ops = 8;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SYNC_BO, &args));
	args.op_count = 1;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SYNC_BO, &args), -EFAULT);
	/* Too many before unreadable. */
	args.op_count = MAX_OPS + 1;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SYNC_BO, &args), -E2BIG);
	args.op_count = UINT32_MAX;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SYNC_BO, &args), -E2BIG);
	assert_ok(pf_sync_bo(f->fd, &op, 1));
}

/* R7: a bad op anywhere, and nothing was done. */
static void all_or_nothing(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_counters before;
	sync_op ops[3];
	uint32_t bo;

	need_panfrost(state);
	new_mapped(f, PAGE, WB, &bo)[0] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (sync_op){ .handle = bo, .type = FLUSH, .size = 4 };
	before = lines_now(f);
	ops[2].handle = NO_HANDLE;
	assert_int_equal(pf_sync_bo(f->fd, ops, 3), -ENOENT);
	ops[2].handle = bo;
	ops[2].type = 9;
	assert_int_equal(pf_sync_bo(f->fd, ops, 3), -EINVAL);
	assert_lines(f, &before, 0, 0);
	ops[2].type = INVAL;
	assert_ok(pf_sync_bo(f->fd, ops, 3));
	assert_lines(f, &before, 3, 1);
}

/* R20: a handle means nothing on another file. */
static void handles_are_private(void **state)
{
	struct fixture *f = need_panfrost(state);
	sync_op op = { .size = 4 };
	uint32_t i;

	for (i = 0; i < 8; i++)
		op.handle = pf_new_bo(f->fd, PAGE, WB);
	assert_ok(pf_sync_bo(f->fd, &op, 1));
	assert_int_equal(pf_sync_bo(gemsync_device_fd(fixture_other(f)), &op, 1), -ENOENT);
}

/* R1: the lines that overlap the range, whatever its edges. */
static void exact_lines(void **state)
{
	static const struct {
		uint32_t offset;
		uint32_t size;
	} ranges[] = {
		{ 0, 1 }, { 0, 64 }, { 63, 2 }, { 127, 130 }, { 4095, 2 }, { 100, 4000 },
		{ 3 * 4096 - 1, 1 }, { 0, 3 * 4096 },
	};
	struct fixture *f = need_lazy(state);
	struct gemsync_counters before;
	uint32_t bo;
	size_t i;

	need_panfrost(state);
	new_mapped(f, 3 * PAGE, WB, &bo)[0] = 1;
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t lines = lines_of(f, ranges[i].offset, ranges[i].size);

		before = lines_now(f);
		assert_ok(sync_one(f, bo, FLUSH, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, lines, 0);
		assert_ok(sync_one(f, bo, INVAL, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, 2 * lines, lines);
	}
}

/* R9: write-combined, nobody maintains anything. */
static void write_combined_is_free(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_counters before;
	uint32_t bo;

	need_panfrost(state);
	new_mapped(f, PAGE, PANFROST_BO_NOEXEC, &bo)[0] = 1;
	before = lines_now(f);
	assert_ok(sync_one(f, bo, INVAL, 0, PAGE));
	assert_lines(f, &before, 0, 0);
}

/* Case 25: without a flush the GPU reads what was, with it what is. */
static void cpu_to_gpu(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct chain chain = new_chain(f);
	uint32_t bo, copy;
	volatile uint32_t *map = new_mapped(f, PAGE, WB, &bo);
	volatile uint32_t *seen = new_mapped(f, PAGE, PANFROST_BO_NOEXEC, &copy);
	const struct jm_job job = jm_copy(pf_bo_va(f->fd, copy), pf_bo_va(f->fd, bo), 64, 0);

	need_lazy(state);
	map[3] = 1;
	assert_ok(sync_one(f, bo, FLUSH, 0, PAGE));
	map[3] = 2;
	chain.jobs[0] = job;
	assert_ok(run_chain(&chain));
	assert_int_equal(seen[3], 1);
	assert_ok(sync_one(f, bo, FLUSH, 12, 4));
	chain.jobs[0] = job;
	assert_ok(run_chain(&chain));
	assert_int_equal(seen[3], 2);
}

/* Case 26: without an invalidation the CPU reads what was, with it what is. */
static void gpu_to_cpu(void **state)
{
	struct fixture *f = need_lazy(state);
	struct chain chain;
	volatile uint32_t *map;
	uint32_t bo;

	need_panfrost(state);
	chain = new_chain(f);
	map = new_mapped(f, PAGE, WB, &bo);
	map[3] = 1;
	assert_ok(sync_one(f, bo, FLUSH, 0, PAGE));
	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, bo) + 12, JM_IMM32, 2, 0);
	assert_ok(run_chain(&chain));
	assert_int_equal(map[3], 1);
	assert_ok(sync_one(f, bo, INVAL, 12, 4));
	assert_int_equal(map[3], 2);
}

/* The jobs themselves may be in cached memory: the GPU runs what was flushed. */
static void jobs_in_cached_memory(void **state)
{
	struct fixture *f = need_lazy(state);
	uint32_t bo, done;
	struct chain chain = { 0 };
	struct drm_panfrost_submit args;

	need_panfrost(state);
	chain.fd = f->fd;
	chain.jobs = (struct jm_job *)new_mapped(f, PAGE, WB, &bo);
	chain.va = pf_bo_va(f->fd, bo);
	done = pf_new_syncobj(f->fd);
	args = submit_args(&chain, done);
	chain.jobs[0] = jm_job(JM_NULL, 0);
	/* The twin: without a flush there are zeros, which is no job. */
	assert_int_equal(run_chain(&chain), -EINVAL);
	assert_ok(sync_one(f, bo, FLUSH, 0, JM_JOB_SIZE));
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_ok(pf_syncobj_error(f->fd, done));
	/* The GPU has written the status. */
	assert_int_equal(*(volatile uint32_t *)&chain.jobs[0].status, 0);
	assert_ok(sync_one(f, bo, INVAL, 0, JM_JOB_SIZE));
	assert_int_equal(*(volatile uint32_t *)&chain.jobs[0].status, 1);
}

/* R3: a sync waits for no fence; a submit that names the BO is under way. */
static void sync_does_not_wait(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct chain chain = new_chain(f);
	uint32_t word, bo;
	volatile uint32_t *flag = new_mapped(f, PAGE, PANFROST_BO_NOEXEC, &word);
	struct drm_panfrost_submit args = submit_args(&chain, 0);

	new_mapped(f, PAGE, WB, &bo)[0] = 1;
	chain.jobs[0] = jm_wait(pf_bo_va(f->fd, word), 0, 0);
	args.bo_handles = (uintptr_t)&bo;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(f->fd, &args));
	assert_int_equal(pf_wait_bo(f->fd, bo, 0), -EBUSY);
	assert_ok(sync_one(f, bo, INVAL, 0, PAGE));
	assert_int_equal(pf_wait_bo(f->fd, bo, 0), -EBUSY);
	flag[0] = 1;
	assert_ok(pf_wait_bo(f->fd, bo, LONG_NS));
}

/* Through the library: what it makes of flags, and a range at the end. */
static void library_back_end(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct gemsync_op ops[2], room[4];
	struct gemsync_bo_info info;
	struct gemsync_batch batch;
	struct gemsync_bo *bo;
	void *map;

	assert_int_equal(gemsync_bo_create(f->dev, 1ull << 32, 0, &bo), -ENOMEM);
	if (!f->info.coherent)
		assert_int_equal(gemsync_bo_create(f->dev, PAGE, GEMSYNC_BO_CACHED |
						   GEMSYNC_BO_SHAREABLE, &bo), -EINVAL);
	assert_ok(gemsync_bo_create(f->dev, PAGE + 1, GEMSYNC_BO_CACHED, &bo));
	assert_int_equal(gemsync_bo_size(bo), 2 * PAGE);
	assert_ok(gemsync_bo_query(bo, &info));
	assert_int_equal(info.flags, GEMSYNC_BO_CACHED);
	assert_int_equal(info.needs_sync, !f->info.coherent);
	assert_ok(gemsync_bo_map(bo, &map));
	assert_ok(gemsync_bo_flush(bo, 2 * PAGE - 1, 1));
	assert_int_equal(gemsync_bo_flush(bo, 2 * PAGE - 1, 2), -EINVAL);
	assert_ok(gemsync_bo_flush(bo, 1, GEMSYNC_WHOLE_SIZE));
	assert_int_equal(gemsync_bo_flush(bo, 2 * PAGE + 1, GEMSYNC_WHOLE_SIZE), -EINVAL);
	/* What the driver's 32 bits cannot say is not cut to them. */
	assert_int_equal(gemsync_bo_flush(bo, 1ull << 32, 4), -EINVAL);
	assert_int_equal(gemsync_bo_invalidate(bo, 1ull << 32, 4), -EINVAL);
	assert_int_equal(gemsync_bo_flush(bo, 0, (1ull << 32) + 4), -EINVAL);
	ops[0] = (struct gemsync_op){ .bo = bo, .size = 4 };
	ops[1] = (struct gemsync_op){ .bo = bo, .offset = 1ull << 32, .size = 4 };
	assert_int_equal(gemsync_device_sync(f->dev, ops, 2), -EINVAL);
	assert_ok(gemsync_device_batch_init(f->dev, &batch, room, ARRAY_SIZE(room), 0));
	assert_int_equal(gemsync_batch_add(&batch, bo, GEMSYNC_FLUSH, 1ull << 32, 4), -EOVERFLOW);
	assert_ok(gemsync_batch_submit(&batch));
	gemsync_bo_destroy(bo);
	assert_ok(gemsync_bo_create(f->dev, PAGE, GEMSYNC_BO_NO_MMAP, &bo));
	assert_int_equal(gemsync_bo_map(bo, &map), -EPERM);
	assert_ok(gemsync_bo_query(bo, &info));
	assert_int_equal(info.flags, GEMSYNC_BO_NO_MMAP);
	gemsync_bo_destroy(bo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(bad_ops),
		device_test(bad_arrays),
		device_test(all_or_nothing),
		device_test(handles_are_private),
		device_test(exact_lines),
		device_test(write_combined_is_free),
		device_test(cpu_to_gpu),
		device_test(gpu_to_cpu),
		device_test(jobs_in_cached_memory),
		device_test(sync_does_not_wait),
		device_test(library_back_end),
	};

	return cmocka_run_group_tests_name("panfrost_sync", tests, NULL, NULL);
}
