// SPDX-License-Identifier: MIT
/* Every call of the panfrost device, with failures. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "driver.h"
#include "panfrost_calls.h"
#include "pressure.h"

#define NOEXEC	PANFROST_BO_NOEXEC
#define WB	(PANFROST_BO_WB_MMAP | NOEXEC)
#define HEAP	(PANFROST_BO_HEAP | NOEXEC)

struct own {
	uint32_t ctx;
	uint32_t syncobjs[2];	/* one that is signalled, and the one of the job */
	struct chain chain;
	uint64_t target;	/* where its job writes */
};

/* ---- Around the calls ---- */

static void with_bos(struct context *c)
{
	c->wc = pf_new_bo(c->fd, FAULT_SIZE, NOEXEC);
	c->wb = pf_new_bo(c->fd, FAULT_SIZE, WB);
}

static int mmap_offset(struct context *c, uint32_t handle, uint64_t *offset)
{
	struct drm_panfrost_mmap_bo args = { .handle = handle };
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args);

	if (!ret)
		*offset = args.offset;
	return ret;
}

const struct driver driver = {
	.with_bos = with_bos,
	.mmap_offset = mmap_offset,
	.peer = "panthor",
};

/* Not by the call: where eviction took the map, touching it is a call of its own. */
static void put_jobs(struct context *c)
{
	struct chain *chain = &c->own->chain;

	chain->jobs[0] = jm_write_value(c->own->target, JM_IMM32, 7, job_va(chain, 1));
	chain->jobs[1] = jm_job(JM_NULL, 0);
}

static void with_chain(struct context *c)
{
	with_bos(c);
	c->own->chain = new_chain_on(c->fd);
	c->own->target = pf_bo_va(c->fd, c->wc);
	put_jobs(c);
	c->own->syncobjs[0] = pf_new_syncobj(c->fd);
	c->own->syncobjs[1] = pf_new_syncobj(c->fd);
	assert_ok(drmSyncobjSignal(c->fd, c->own->syncobjs, 1));
}

static void with_ctx(struct context *c)
{
	assert_ok(pf_create_ctx(c->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM, &c->own->ctx));
}

static void with_evicted_chain(struct context *c)
{
	with_chain(c);
	assert_true(evict_all(c->f) >= FAULT_PAGES);
}

static void with_purgeable(struct context *c)
{
	uint32_t retained = 0;

	with_dirty_unmapped(c);
	assert_ok(pf_madvise_bo(c->fd, c->wb, PANFROST_MADV_DONTNEED, &retained));
	assert_int_equal(retained, 1);
	open_made(c, "purge");
}

/* ---- The calls: files, queries ---- */

static int call_get_param(struct context *c)
{
	uint64_t value;

	return pf_get_param(c->fd, DRM_PANFROST_PARAM_GPU_PROD_ID, &value);
}

/* Refused, whatever fails. */
static int call_perfcnt(struct context *c)
{
	struct drm_panfrost_perfcnt_enable args = { .enable = 1 };
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANFROST_PERFCNT_ENABLE, &args);

	return ret == -ENOSYS ? 0 : ret;
}

/* ---- BOs ---- */

static int call_create_wc(struct context *c)
{
	return pf_create_bo(c->fd, FAULT_SIZE, NOEXEC, &c->made);
}

static int call_create_wb(struct context *c)
{
	return pf_create_bo(c->fd, FAULT_SIZE, WB, &c->made);
}

static int call_create_heap(struct context *c)
{
	return pf_create_bo(c->fd, FAULT_SIZE, HEAP, &c->made);
}

static int call_mmap_bo(struct context *c)
{
	return mmap_offset(c, c->wc, &c->offset);
}

static int call_get_bo_offset(struct context *c)
{
	struct drm_panfrost_get_bo_offset args = { .handle = c->wc };

	return raw_ioctl(c->fd, DRM_IOCTL_PANFROST_GET_BO_OFFSET, &args);
}

static int call_query_bo_info(struct context *c)
{
	uint32_t create, extra;

	return pf_query_bo(c->fd, c->wb, &create, &extra);
}

static int call_set_label(struct context *c)
{
	struct drm_panfrost_set_label_bo args = {
		.handle = c->wc,
		.label = (uintptr_t)"a label",
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PANFROST_SET_LABEL_BO, &args);
}

/* Without a deadline, which would need the clock: that may be a call that fails as well. */
static int wait_for_bo(int fd, uint32_t handle)
{
	struct drm_panfrost_wait_bo args = { .handle = handle, .timeout_ns = INT64_MAX };

	return raw_ioctl(fd, DRM_IOCTL_PANFROST_WAIT_BO, &args);
}

static int call_wait_bo(struct context *c)
{
	return wait_for_bo(c->fd, c->wc);
}

static int call_madvise(struct context *c)
{
	uint32_t retained;

	return pf_madvise_bo(c->fd, c->wb, PANFROST_MADV_DONTNEED, &retained);
}

static int call_sync_bo(struct context *c)
{
	const struct drm_panfrost_bo_sync_op ops[] = {
		{ c->wb, PANFROST_BO_SYNC_CPU_CACHE_FLUSH, 100, FAULT_SIZE - 100 },
		{ c->wc, PANFROST_BO_SYNC_CPU_CACHE_FLUSH, 0, FAULT_SIZE },
		{ c->wb, PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE, 0, PAGE },
	};

	return pf_sync_bo(c->fd, ops, ARRAY_SIZE(ops));
}

static void check_purged(struct context *c)
{
	uint32_t retained = 1;

	assert_ok(pf_madvise_bo(c->fd, c->wb, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(retained, 0);
}

/* ---- Contexts and jobs ---- */

static int call_ctx_create(struct context *c)
{
	return pf_create_ctx(c->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM, &c->own->ctx);
}

static int call_ctx_destroy(struct context *c)
{
	return pf_destroy_ctx(c->fd, c->own->ctx);
}

/* It waits for one syncobj and names three BOs, one of them twice. */
static int call_submit(struct context *c)
{
	const uint32_t bos[] = { c->wc, c->wb, c->own->chain.bo, c->wc };
	struct drm_panfrost_submit args = submit_args(&c->own->chain, c->own->syncobjs[1]);

	args.in_syncs = (uintptr_t)c->own->syncobjs;
	args.in_sync_count = 1;
	args.bo_handles = (uintptr_t)bos;
	args.bo_handle_count = ARRAY_SIZE(bos);
	return pf_submit(c->fd, &args);
}

static void wait_for_job(struct context *c)
{
	assert_ok(pf_wait_syncobj(c->fd, c->own->syncobjs[1], LONG_NS));
	assert_ok(pf_syncobj_error(c->fd, c->own->syncobjs[1]));
	assert_int_equal(c->own->chain.jobs[1].status, 1);
}

/* ---- Heaps ---- */

static void with_heap(struct context *c)
{
	with_chain(c);
	c->made = pf_new_bo(c->fd, FAULT_SIZE, HEAP);
	c->own->target = pf_bo_va(c->fd, c->made);
}

/*
 * The submit makes ready what the job makes the heap grow by. What is not ready is that
 * job's fault, and no other's.
 */
static int call_grow(struct context *c)
{
	int ret;

	put_jobs(c);
	ret = call_submit(c);
	if (!ret)
		ret = wait_for_bo(c->fd, c->own->chain.bo);
	if (ret)
		return ret;
	return c->own->chain.jobs[1].status == 1 ? 0 : -EINVAL;
}

static void with_grown_heap(struct context *c)
{
	with_heap(c);
	assert_ok(call_grow(c));
}

/* ---- Sharing ---- */

/* panfrost maps imports for GL. */
static void with_import_offset(struct context *c)
{
	with_import(c);
	assert_ok(mmap_offset(c, c->made, &c->offset));
}

static void with_dmabuf_map(struct context *c)
{
	with_dmabuf(c);
	assert_ok(call_mmap_dmabuf(c));
}

/* ---- The end ---- */

/* A file with a bit of everything, closed at once. */
static void with_everything(struct context *c)
{
	with_grown_heap(c);
	with_ctx(c);
	assert_ok(mmap_offset(c, c->wb, &c->offset));
	assert_ok(call_mmap(c));
	fault_dirty(c->map);
	assert_ok(fault_unmap(&c->map));
	put_jobs(c);
	assert_ok(call_submit(c));
}

/* ---- The cases ---- */

static const struct fixture *need_one(void **state)
{
	return need_panfrost(state);
}

static void end(struct context *c)
{
	if (c->own->chain.jobs)
		assert_ok(munmap(c->own->chain.jobs, CHAIN_MAX * JM_JOB_SIZE));
	driver_end(c);
}

static const struct context_ops context_ops = {
	.size = DRIVER_CONTEXT_SIZE(sizeof(struct own)),
	.need = need_one,
	.begin = driver_begin,
	.end = end,
};

FAULT_CASE(open_file, .call = call_open)
FAULT_CASE(get_param, .call = call_get_param)
FAULT_CASE(perfcnt, .call = call_perfcnt)
/* For want of memory the kernel's shmem says that there is no space. */
FAULT_CASE(create_wc_bo, .call = call_create_wc, .other_error = -ENOSPC)
FAULT_CASE(create_wb_bo, .call = call_create_wb, .other_error = -ENOSPC)
FAULT_CASE(create_heap, .call = call_create_heap, .other_error = -ENOSPC)
FAULT_CASE(mmap_bo, .prepare = with_bos, .call = call_mmap_bo)
FAULT_CASE(get_bo_offset, .prepare = with_bos, .call = call_get_bo_offset)
FAULT_CASE(query_bo_info, .prepare = with_bos, .call = call_query_bo_info)
FAULT_CASE(set_bo_label, .prepare = with_bos, .call = call_set_label)
FAULT_CASE(wait_bo, .prepare = with_bos, .call = call_wait_bo)
FAULT_CASE(madvise_bo, .prepare = with_dirty_unmapped, .call = call_madvise)
FAULT_CASE(sync_bo, .prepare = with_dirty, .call = call_sync_bo)
FAULT_CASE(gem_close, .prepare = with_dirty_unmapped, .call = call_close_wb)
FAULT_CASE(mmap_wc, .prepare = with_wc_offset, .call = call_mmap)
FAULT_CASE(mmap_wb, .prepare = with_wb_offset, .call = call_mmap)
FAULT_CASE(touch_wc, .prepare = with_wc_map, .call = call_touch, .never_fails = 1, .retries = 1)
FAULT_CASE(touch_wb, .prepare = with_wb_map, .call = call_touch, .never_fails = 1, .retries = 1)
FAULT_CASE(munmap_wb, .prepare = with_dirty, .call = call_munmap)
FAULT_CASE(evict, .prepare = with_evictable, .call = call_write_all, .check = check_touched)
FAULT_CASE(purge, .prepare = with_purgeable, .call = call_write_all, .check = check_purged)
FAULT_CASE(touch_evicted, .prepare = with_evicted_map, .call = call_touch_evicted,
	   .never_fails = 1, .retries = 1)
FAULT_CASE(ctx_create, .call = call_ctx_create)
FAULT_CASE(ctx_destroy, .prepare = with_ctx, .call = call_ctx_destroy)
FAULT_CASE(submit, .prepare = with_chain, .call = call_submit, .check = wait_for_job)
FAULT_CASE(submit_evicted, .prepare = with_evicted_chain, .call = call_submit,
	   .check = wait_for_job)
FAULT_CASE(grow, .prepare = with_heap, .call = call_grow, .check = wait_for_job,
	   .other_error = -EINVAL)
FAULT_CASE(close_heap, .prepare = with_grown_heap, .call = call_close_made)
FAULT_CASE(export_bo, .prepare = with_bos, .call = call_export)
FAULT_CASE(import_own, .prepare = with_dmabuf, .call = call_import_own)
FAULT_CASE(import_bo, .prepare = with_peer, .call = call_import)
FAULT_CASE(close_import, .prepare = with_import, .call = call_close_made)
FAULT_CASE(mmap_import, .prepare = with_import_offset, .call = call_mmap)
FAULT_CASE(mmap_dmabuf, .prepare = with_dmabuf, .call = call_mmap_dmabuf)
FAULT_CASE(touch_dmabuf, .prepare = with_dmabuf_map, .call = call_touch, .never_fails = 1,
	   .retries = 1)
FAULT_CASE(close_file, .prepare = with_everything, .call = call_close, .never_fails = 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(open_file),
		device_test(get_param),
		device_test(perfcnt),
		device_test(create_wc_bo),
		device_test(create_wb_bo),
		device_test(create_heap),
		device_test(mmap_bo),
		device_test(get_bo_offset),
		device_test(query_bo_info),
		device_test(set_bo_label),
		device_test(wait_bo),
		device_test(madvise_bo),
		device_test(sync_bo),
		device_test(gem_close),
		device_test(mmap_wc),
		device_test(mmap_wb),
		device_test(touch_wc),
		device_test(touch_wb),
		device_test(munmap_wb),
		device_test(evict),
		device_test(purge),
		device_test(touch_evicted),
		device_test(ctx_create),
		device_test(ctx_destroy),
		device_test(submit),
		device_test(submit_evicted),
		device_test(grow),
		device_test(close_heap),
		device_test(export_bo),
		device_test(import_own),
		device_test(import_bo),
		device_test(close_import),
		device_test(mmap_import),
		device_test(mmap_dmabuf),
		device_test(touch_dmabuf),
		device_test(close_file),
	};

	return fault_main("panfrost", tests);
}
