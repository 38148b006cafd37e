// SPDX-License-Identifier: MIT
/* Every call of the panthor device, with failures. */
#include <unistd.h>
#include <xf86drm.h>

#include "driver.h"
#include "pressure.h"

#define PAGE		4096ull
#define BASE		GPU_BIND_AT_START

#define MANY		100u
#define RING_SIZE	4096u
#define WAIT_NS		10000000000ll

struct own {
	uint32_t many[MANY];	/* BOs, populated */
	uint32_t group;
	uint32_t syncobjs[2];
};

/* ---- Ingredients ---- */

static int bo_create(struct context *c, uint32_t flags, uint32_t vm, uint32_t *handle)
{
	struct drm_panthor_bo_create args = {
		.size = FAULT_SIZE,
		.flags = flags,
		.exclusive_vm_id = vm,
	};
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

static int bo_close(struct context *c, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return raw_ioctl(c->fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static int vm_create(struct context *c, uint32_t *vm)
{
	struct drm_panthor_vm_create args = { 0 };
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &args);

	if (!ret)
		*vm = args.id;
	return ret;
}

static int vm_destroy(struct context *c, uint32_t vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm };

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

static struct drm_panthor_vm_bind_op map_op(uint32_t bo, unsigned int bo_page, unsigned int count,
					    unsigned int at)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
		.bo_handle = bo,
		.bo_offset = bo_page * PAGE,
		.va = BASE + at * PAGE,
		.size = count * PAGE,
	};
}

static struct drm_panthor_vm_bind_op unmap_op(unsigned int at, unsigned int count)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = BASE + at * PAGE,
		.size = count * PAGE,
	};
}

static int bind(struct context *c, const struct drm_panthor_vm_bind_op *ops, uint32_t count)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = c->vm,
		.ops = DRM_PANTHOR_OBJ_ARRAY(count, ops),
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

static int bind_one(struct context *c, struct drm_panthor_vm_bind_op op)
{
	return bind(c, &op, 1);
}

static int mmap_offset(struct context *c, uint32_t handle, uint64_t *offset)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = handle };
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);

	if (!ret)
		*offset = args.offset;
	return ret;
}

static int group_create(struct context *c, uint32_t queue_count, uint32_t *group)
{
	const struct drm_panthor_queue_create queues[3] = {
		{ .ringbuf_size = RING_SIZE },
		{ .ringbuf_size = RING_SIZE },
		{ .ringbuf_size = RING_SIZE },
	};
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(queue_count, queues),
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.vm_id = c->vm,
	};
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);

	if (!ret)
		*group = args.group_handle;
	return ret;
}

/* ---- Around the calls ---- */

static void with_vm(struct context *c)
{
	assert_ok(vm_create(c, &c->vm));
}

static void with_bos(struct context *c)
{
	with_vm(c);
	assert_ok(bo_create(c, 0, 0, &c->wc));
	assert_ok(bo_create(c, DRM_PANTHOR_BO_WB_MMAP, c->vm, &c->wb));
}

const struct driver driver = {
	.with_bos = with_bos,
	.mmap_offset = mmap_offset,
	.peer = "panfrost",
};

static void with_bound(struct context *c)
{
	with_bos(c);
	assert_ok(bind_one(c, map_op(c->wb, 0, FAULT_PAGES, 0)));
}

static void with_group(struct context *c)
{
	unsigned int i;

	with_bound(c);
	assert_ok(bind_one(c, map_op(c->wc, 0, FAULT_PAGES, FAULT_PAGES)));
	assert_ok(group_create(c, 3, &c->own->group));
	for (i = 0; i < 2; i++)
		assert_ok(drmSyncobjCreate(c->fd, 0, &c->own->syncobjs[i]));
}

static void with_evicted_group(struct context *c)
{
	with_group(c);
	assert_true(evict_all(c->f) >= FAULT_PAGES);
}

/* ---- The calls ---- */

static int call_dev_query(struct context *c)
{
	struct drm_panthor_gpu_info info;
	struct drm_panthor_dev_query args = {
		.type = DRM_PANTHOR_DEV_QUERY_GPU_INFO,
		.size = sizeof(info),
		.pointer = (uintptr_t)&info,
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args);
}

static int call_vm_create(struct context *c)
{
	return vm_create(c, &c->vm);
}

static int call_vm_get_state(struct context *c)
{
	struct drm_panthor_vm_get_state args = { .vm_id = c->vm };

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &args);
}

static int call_vm_destroy(struct context *c)
{
	return vm_destroy(c, c->vm);
}

static int call_bo_create_wc(struct context *c)
{
	return bo_create(c, 0, 0, &c->made);
}

static int call_bo_create_wb(struct context *c)
{
	return bo_create(c, DRM_PANTHOR_BO_WB_MMAP, c->vm, &c->made);
}

static int call_bo_mmap_offset(struct context *c)
{
	return mmap_offset(c, c->wc, &c->offset);
}

static int call_bo_query_info(struct context *c)
{
	struct drm_panthor_bo_query_info args = { .handle = c->wb };

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &args);
}

static int call_bo_sync(struct context *c)
{
	const struct drm_panthor_bo_sync_op ops[] = {
		{ c->wb, DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, 100, FAULT_SIZE - 100 },
		{ c->wc, DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, 0, FAULT_SIZE },
		{ c->wb, DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE, 0, PAGE },
	};

	return raw_sync(c->fd, ops, ARRAY_SIZE(ops), sizeof(ops[0]));
}

static int call_bo_sync_strided(struct context *c)
{
	struct {
		struct drm_panthor_bo_sync_op op;
		uint64_t tail;
	} ops[] = {
		{ { c->wb, DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, 0, PAGE }, 0 },
		{ { c->wb, DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, PAGE, PAGE }, 0 },
	};

	return raw_sync(c->fd, ops, ARRAY_SIZE(ops), sizeof(ops[0]));
}

static int call_bind_map(struct context *c)
{
	return bind_one(c, map_op(c->wb, 0, FAULT_PAGES, 0));
}

static int call_bind_map_wc(struct context *c)
{
	return bind_one(c, map_op(c->wc, 1, 2, 0));
}

/* In the middle of what is mapped: two halves and a new piece. */
static int call_bind_split(struct context *c)
{
	return bind_one(c, map_op(c->wc, 0, 1, 1));
}

static int call_unbind(struct context *c)
{
	return bind_one(c, unmap_op(0, FAULT_PAGES));
}

static int call_unbind_middle(struct context *c)
{
	return bind_one(c, unmap_op(1, 2));
}

static int call_bind_many(struct context *c)
{
	const struct drm_panthor_vm_bind_op ops[] = {
		map_op(c->wb, 0, FAULT_PAGES, 0),
		map_op(c->wc, 0, 2, 1),
		unmap_op(2, 1),
	};

	return bind(c, ops, ARRAY_SIZE(ops));
}

static int call_group_create(struct context *c)
{
	return group_create(c, 3, &c->own->group);
}

static int call_group_get_state(struct context *c)
{
	struct drm_panthor_group_get_state args = { .group_handle = c->own->group };
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);

	return ret ? ret : args.state ? -EIO : 0;
}

static int call_group_destroy(struct context *c)
{
	struct drm_panthor_group_destroy args = { .group_handle = c->own->group };

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
}

/* Two queues: the second waits for the first, by a timeline, and signals another object. */
static int call_group_submit(struct context *c)
{
	const uint32_t timeline = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ;
	const uint32_t signals = (uint32_t)DRM_PANTHOR_SYNC_OP_SIGNAL;
	const struct drm_panthor_sync_op first[] = {
		{ timeline | signals, c->own->syncobjs[0], 1 },
	};
	const struct drm_panthor_sync_op second[] = {
		{ timeline, c->own->syncobjs[0], 1 },
		{ DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ | signals, c->own->syncobjs[1], 0 },
	};
	/* WB memory that nobody wrote: zeroes, which are NOPs. */
	const struct drm_panthor_queue_submit submits[] = {
		{
			.queue_index = 0,
			.stream_size = 64,
			.stream_addr = BASE,
			.syncs = DRM_PANTHOR_OBJ_ARRAY(1, first),
		}, {
			.queue_index = 2,
			.stream_size = 64,
			.stream_addr = BASE,
			.syncs = DRM_PANTHOR_OBJ_ARRAY(2, second),
		},
	};
	struct drm_panthor_group_submit args = {
		.group_handle = c->own->group,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(2, submits),
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

static void wait_for_jobs(struct context *c)
{
	uint32_t first;

	assert_ok(drmSyncobjWait(c->fd, &c->own->syncobjs[1], 1, now_ms() * 1000000 + WAIT_NS,
				 DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, &first));
	assert_ok(call_group_get_state(c));
}

/* Many populated BOs: the trees of what is mapped have more than one level. */
static void with_many(struct context *c)
{
	unsigned int i;

	with_vm(c);
	for (i = 0; i < MANY; i++) {
		assert_ok(bo_create(c, 0, 0, &c->own->many[i]));
		assert_ok(mmap_offset(c, c->own->many[i], &c->offset));
		assert_ok(call_mmap(c));
		assert_ok(fault_unmap(&c->map));
	}
}

static int call_gem_close_many(struct context *c)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < MANY && !ret; i++)
		ret = bo_close(c, c->own->many[i]);
	return ret;
}

/* A file with a bit of everything, closed at once. */
static void with_everything(struct context *c)
{
	with_group(c);
	assert_ok(mmap_offset(c, c->wb, &c->offset));
	assert_ok(call_mmap(c));
	fault_dirty(c->map);
	assert_ok(fault_unmap(&c->map));
	assert_ok(call_group_submit(c));
}

/* ---- Memory of others ---- */

static void with_vm_and_import(struct context *c)
{
	with_vm(c);
	with_import(c);
}

static int call_bind_import(struct context *c)
{
	return bind_one(c, map_op(c->made, 0, FAULT_PAGES, 0));
}

/* ---- Labels, tiler heaps, binds that wait ---- */

static int call_heap_create(struct context *c)
{
	struct drm_panthor_tiler_heap_create args = {
		.vm_id = c->vm,
		.initial_chunk_count = 2,
		.chunk_size = 128 * KIB,
		.max_chunks = 4,
		.target_in_flight = 4,
	};
	int ret = raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, &args);

	if (!ret)
		c->made = args.handle;
	return ret;
}

static void with_heap(struct context *c)
{
	with_vm(c);
	assert_ok(call_heap_create(c));
}

static int call_heap_destroy(struct context *c)
{
	struct drm_panthor_tiler_heap_destroy args = { .handle = c->made };

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args);
}

/* The second waits for the first, and signals. */
static int call_bind_async(struct context *c)
{
	const uint32_t timeline = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ;
	const uint32_t signals = (uint32_t)DRM_PANTHOR_SYNC_OP_SIGNAL;
	const struct drm_panthor_sync_op first[] = {
		{ timeline | signals, c->own->syncobjs[0], 1 },
	};
	const struct drm_panthor_sync_op second[] = {
		{ timeline, c->own->syncobjs[0], 1 },
		{ DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ | signals, c->own->syncobjs[1], 0 },
	};
	struct drm_panthor_vm_bind_op ops[] = {
		map_op(c->wc, 0, 1, 1),
		unmap_op(2, 1),
	};
	struct drm_panthor_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_PANTHOR_VM_BIND_ASYNC,
		.ops = DRM_PANTHOR_OBJ_ARRAY(2, ops),
	};

	ops[0].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, first);
	ops[1].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(2, second);
	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

static int call_set_label(struct context *c)
{
	struct drm_panthor_bo_set_label args = {
		.handle = c->wc,
		.label = (uintptr_t)"a label",
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args);
}

/* ---- The cases ---- */

static const struct fixture *need_panthor(void **state)
{
	return fault_need(state, "panthor");
}

static const struct context_ops context_ops = {
	.size = DRIVER_CONTEXT_SIZE(sizeof(struct own)),
	.need = need_panthor,
	.begin = driver_begin,
	.end = driver_end,
};

FAULT_CASE(open_file, .call = call_open)
FAULT_CASE(dev_query, .call = call_dev_query)
FAULT_CASE(create_vm, .call = call_vm_create)
FAULT_CASE(vm_get_state, .prepare = with_vm, .call = call_vm_get_state)
FAULT_CASE(destroy_vm, .prepare = with_bound, .call = call_vm_destroy)
/* For want of memory the kernel's shmem says that there is no space. */
FAULT_CASE(create_wc_bo, .call = call_bo_create_wc, .other_error = -ENOSPC)
FAULT_CASE(create_wb_bo, .prepare = with_vm, .call = call_bo_create_wb, .other_error = -ENOSPC)
FAULT_CASE(bo_mmap_offset, .prepare = with_bos, .call = call_bo_mmap_offset)
FAULT_CASE(bo_query_info, .prepare = with_bos, .call = call_bo_query_info)
FAULT_CASE(mmap_wc, .prepare = with_wc_offset, .call = call_mmap)
FAULT_CASE(mmap_wb, .prepare = with_wb_offset, .call = call_mmap)
FAULT_CASE(touch_wc, .prepare = with_wc_map, .call = call_touch, .never_fails = 1,
	   .retries = 1)
FAULT_CASE(touch_wb, .prepare = with_wb_map, .call = call_touch, .never_fails = 1,
	   .retries = 1)
FAULT_CASE(munmap_wb, .prepare = with_dirty, .call = call_munmap)
FAULT_CASE(bo_sync, .prepare = with_dirty, .call = call_bo_sync)
FAULT_CASE(bo_sync_strided, .prepare = with_dirty, .call = call_bo_sync_strided)
FAULT_CASE(gem_close, .prepare = with_dirty_unmapped, .call = call_close_wb)
FAULT_CASE(gem_close_many, .prepare = with_many, .call = call_gem_close_many, .all_only = 1)
FAULT_CASE(bind_map, .prepare = with_bos, .call = call_bind_map)
FAULT_CASE(bind_map_wc, .prepare = with_bos, .call = call_bind_map_wc)
FAULT_CASE(bind_map_splits, .prepare = with_bound, .call = call_bind_split)
FAULT_CASE(unbind, .prepare = with_bound, .call = call_unbind)
FAULT_CASE(unbind_splits, .prepare = with_bound, .call = call_unbind_middle)
FAULT_CASE(bind_many, .prepare = with_bos, .call = call_bind_many)
FAULT_CASE(create_group, .prepare = with_bos, .call = call_group_create)
FAULT_CASE(group_get_state, .prepare = with_group, .call = call_group_get_state)
FAULT_CASE(group_destroy, .prepare = with_group, .call = call_group_destroy)
FAULT_CASE(group_submit, .prepare = with_group, .call = call_group_submit, .check = wait_for_jobs)
FAULT_CASE(evict, .prepare = with_evictable, .call = call_write_all, .check = check_touched)
FAULT_CASE(touch_evicted, .prepare = with_evicted_map, .call = call_touch_evicted,
	   .never_fails = 1, .retries = 1)
FAULT_CASE(submit_evicted, .prepare = with_evicted_group, .call = call_group_submit,
	   .check = wait_for_jobs)
FAULT_CASE(export_bo, .prepare = with_bos, .call = call_export)
FAULT_CASE(import_own, .prepare = with_dmabuf, .call = call_import_own)
FAULT_CASE(import_bo, .prepare = with_peer, .call = call_import)
FAULT_CASE(bind_import, .prepare = with_vm_and_import, .call = call_bind_import)
FAULT_CASE(close_import, .prepare = with_vm_and_import, .call = call_close_made)
FAULT_CASE(create_heap, .prepare = with_vm, .call = call_heap_create, .other_error = -ENOSPC)
FAULT_CASE(destroy_heap, .prepare = with_heap, .call = call_heap_destroy)
FAULT_CASE(bind_async, .prepare = with_group, .call = call_bind_async, .check = wait_for_jobs)
FAULT_CASE(set_bo_label, .prepare = with_bos, .call = call_set_label)
FAULT_CASE(close_file, .prepare = with_everything, .call = call_close, .never_fails = 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(open_file),
		device_test(dev_query),
		device_test(create_vm),
		device_test(vm_get_state),
		device_test(destroy_vm),
		device_test(create_wc_bo),
		device_test(create_wb_bo),
		device_test(bo_mmap_offset),
		device_test(bo_query_info),
		device_test(mmap_wc),
		device_test(mmap_wb),
		device_test(touch_wc),
		device_test(touch_wb),
		device_test(munmap_wb),
		device_test(bo_sync),
		device_test(bo_sync_strided),
		device_test(gem_close),
		device_test(gem_close_many),
		device_test(bind_map),
		device_test(bind_map_wc),
		device_test(bind_map_splits),
		device_test(unbind),
		device_test(unbind_splits),
		device_test(bind_many),
		device_test(create_group),
		device_test(group_get_state),
		device_test(group_destroy),
		device_test(group_submit),
		device_test(evict),
		device_test(touch_evicted),
		device_test(submit_evicted),
		device_test(export_bo),
		device_test(import_own),
		device_test(import_bo),
		device_test(bind_import),
		device_test(close_import),
		device_test(create_heap),
		device_test(destroy_heap),
		device_test(bind_async),
		device_test(set_bo_label),
		device_test(close_file),
	};

	return fault_main("panthor", tests);
}
