// SPDX-License-Identifier: MIT
/* Every call of the powervr device, with failures. */
#include <unistd.h>

#include "driver.h"
#include "powervr_calls.h"
#include "pressure.h"

/* Across the boundary of two pages. */
#define ACCESS_AT	(PAGE / 2)

/* ---- Around the calls ---- */

static void with_vm(struct context *c)
{
	assert_ok(create_vm_context(c->fd, &c->vm));
}

static void with_bos(struct context *c)
{
	with_vm(c);
	assert_ok(create_bo(c->fd, FAULT_SIZE, USER_ACCESS, &c->wc));
	assert_ok(create_bo(c->fd, FAULT_SIZE, CACHED, &c->wb));
}

static int mmap_offset(struct context *c, uint32_t handle, uint64_t *offset)
{
	return bo_offset(c->fd, handle, offset);
}

const struct driver driver = {
	.with_bos = with_bos,
	.mmap_offset = mmap_offset,
	.peer = "panthor",
};

static int bind_bo(struct context *c, uint32_t bo, unsigned int page, unsigned int count)
{
	return vm_map(c->fd, c->vm, bo, page * PAGE, GENERAL + page * PAGE, count * PAGE);
}

static void with_bound(struct context *c)
{
	with_dirty(c);
	assert_ok(bind_bo(c, c->wb, 0, FAULT_PAGES));
}

static void with_evictable_bound(struct context *c)
{
	with_bound(c);
	open_made(c, "evict");
}

static void with_device_access(struct context *c)
{
	with_bound(c);
	open_made(c, "device_access");
}

static void with_evicted_access(struct context *c)
{
	with_device_access(c);
	assert_true(evict_all(c->f) >= FAULT_PAGES);
}

static void with_kernel_access(struct context *c)
{
	with_dirty(c);
	open_made(c, "kernel_access");
}

/* ---- The calls: files, queries ---- */

static int dev_query(struct context *c, uint32_t type, void *info, uint32_t size)
{
	struct drm_pvr_ioctl_dev_query_args args = {
		.type = type,
		.size = size,
		.pointer = (uintptr_t)info,
	};

	return raw_ioctl(c->fd, DRM_IOCTL_PVR_DEV_QUERY, &args);
}

static int call_query_gpu(struct context *c)
{
	struct drm_pvr_dev_query_gpu_info info = { 0 };

	return dev_query(c, DRM_PVR_DEV_QUERY_GPU_INFO_GET, &info, sizeof(info));
}

static int call_query_runtime(struct context *c)
{
	struct drm_pvr_dev_query_runtime_info info = { 0 };

	return dev_query(c, DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET, &info, sizeof(info));
}

static int call_query_quirks(struct context *c)
{
	uint32_t numbers[8];
	struct drm_pvr_dev_query_quirks info = {
		.quirks = (uintptr_t)numbers,
		.count = ARRAY_SIZE(numbers),
	};

	return dev_query(c, DRM_PVR_DEV_QUERY_QUIRKS_GET, &info, sizeof(info));
}

static int call_query_enhancements(struct context *c)
{
	uint32_t numbers[8];
	struct drm_pvr_dev_query_enhancements info = {
		.enhancements = (uintptr_t)numbers,
		.count = ARRAY_SIZE(numbers),
	};

	return dev_query(c, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &info, sizeof(info));
}

static int call_query_heaps(struct context *c)
{
	struct drm_pvr_heap heaps[DRM_PVR_HEAP_COUNT];
	struct drm_pvr_dev_query_heap_info info = {
		.heaps = DRM_PVR_OBJ_ARRAY(ARRAY_SIZE(heaps), heaps),
	};

	return dev_query(c, DRM_PVR_DEV_QUERY_HEAP_INFO_GET, &info, sizeof(info));
}

static int call_query_areas(struct context *c)
{
	struct drm_pvr_static_data_area areas[8];
	struct drm_pvr_dev_query_static_data_areas info = {
		.static_data_areas = DRM_PVR_OBJ_ARRAY(ARRAY_SIZE(areas), areas),
	};

	return dev_query(c, DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET, &info, sizeof(info));
}

/* What would need firmware is refused, whatever fails. */
static int refused(int ret, int error)
{
	return ret == error ? 0 : ret;
}

static int call_submit(struct context *c)
{
	const struct drm_pvr_job jobs[] = {
		{ .type = DRM_PVR_JOB_TYPE_GEOMETRY },
		{ .type = DRM_PVR_JOB_TYPE_COMPUTE },
	};
	struct drm_pvr_ioctl_submit_jobs_args args = {
		.jobs = DRM_PVR_OBJ_ARRAY(ARRAY_SIZE(jobs), jobs),
	};

	/* Of a context, of which there are none. */
	return refused(raw_ioctl(c->fd, DRM_IOCTL_PVR_SUBMIT_JOBS, &args), -EINVAL);
}

static int call_create_context(struct context *c)
{
	uint64_t state = 0;
	struct drm_pvr_ioctl_create_context_args args = {
		.type = DRM_PVR_CTX_TYPE_RENDER,
		.static_context_state = (uintptr_t)&state,
		.static_context_state_len = sizeof(state),
		.vm_context_handle = c->vm,
	};

	return refused(raw_ioctl(c->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EOPNOTSUPP);
}

static int call_destroy_context(struct context *c)
{
	struct drm_pvr_ioctl_destroy_context_args args = { .handle = 1 };

	return refused(raw_ioctl(c->fd, DRM_IOCTL_PVR_DESTROY_CONTEXT, &args), -EINVAL);
}

static int call_create_free_list(struct context *c)
{
	struct drm_pvr_ioctl_create_free_list_args args = {
		.initial_num_pages = 25,
		.max_num_pages = 25,
		.vm_context_handle = c->vm,
	};

	/* Nothing is mapped where it would be. */
	return refused(raw_ioctl(c->fd, DRM_IOCTL_PVR_CREATE_FREE_LIST, &args), -EINVAL);
}

static int call_create_hwrt(struct context *c)
{
	struct drm_pvr_ioctl_create_hwrt_dataset_args args = {
		.width = 1,
		.height = 1,
		.samples = 1,
		.layers = 1,
	};

	/* It needs free lists, of which there are none. */
	return refused(raw_ioctl(c->fd, DRM_IOCTL_PVR_CREATE_HWRT_DATASET, &args), -EINVAL);
}

/* ---- BOs ---- */

static int call_create_wc(struct context *c)
{
	return create_bo(c->fd, FAULT_SIZE, USER_ACCESS, &c->made);
}

static int call_create_wb(struct context *c)
{
	return create_bo(c->fd, FAULT_SIZE, CACHED, &c->made);
}

static int call_mmap_offset(struct context *c)
{
	return bo_offset(c->fd, c->wc, &c->offset);
}

/* ---- VM contexts ---- */

static int call_vm_create(struct context *c)
{
	return create_vm_context(c->fd, &c->vm);
}

static int call_vm_destroy(struct context *c)
{
	return destroy_vm_context(c->fd, c->vm);
}

static int call_vm_map_wc(struct context *c)
{
	return bind_bo(c, c->wc, 0, FAULT_PAGES);
}

static int call_vm_map_wb(struct context *c)
{
	return bind_bo(c, c->wb, 0, FAULT_PAGES);
}

/* In the middle of what is mapped: two halves and a new piece. */
static int call_vm_map_splits(struct context *c)
{
	return bind_bo(c, c->wc, 1, 1);
}

static int call_vm_unmap(struct context *c)
{
	return vm_unmap(c->fd, c->vm, GENERAL, FAULT_SIZE);
}

/* ---- Memory as the device and the kernel see it ---- */

/* All or nothing: it is one piece. */
static int transferred(ssize_t len)
{
	if (len < 0)
		return -errno;
	return len == (ssize_t)PAGE ? 0 : -EIO;
}

static int call_device_read(struct context *c)
{
	uint8_t data[PAGE];
	off_t at = (off_t)((uint64_t)c->vm << 40 | (GENERAL + ACCESS_AT));

	return transferred(pread(c->made_fd, data, sizeof(data), at));
}

static int call_device_write(struct context *c)
{
	uint8_t data[PAGE] = { 0 };
	off_t at = (off_t)((uint64_t)c->vm << 40 | (GENERAL + ACCESS_AT));

	return transferred(pwrite(c->made_fd, data, sizeof(data), at));
}

static int call_kernel_read(struct context *c)
{
	uint8_t data[PAGE];

	return transferred(pread(c->made_fd, data, sizeof(data), (off_t)(c->offset + ACCESS_AT)));
}

static int call_kernel_write(struct context *c)
{
	uint8_t data[PAGE] = { 0 };

	return transferred(pwrite(c->made_fd, data, sizeof(data), (off_t)(c->offset + ACCESS_AT)));
}

/* ---- Sharing ---- */

static void with_vm_and_import(struct context *c)
{
	with_vm(c);
	with_import(c);
}

static int call_map_import(struct context *c)
{
	return bind_bo(c, c->made, 0, FAULT_PAGES);
}

/* ---- The end ---- */

/* A file with a bit of everything, closed at once. */
static void with_everything(struct context *c)
{
	with_bound(c);
	assert_ok(fault_unmap(&c->map));
	assert_ok(call_vm_map_splits(c));
}

/* ---- The cases ---- */

static const struct fixture *need_cached(void **state)
{
	const struct fixture *f = fault_need(state, "powervr");
	uint32_t bo;

	if (create_bo(f->fd, PAGE, CACHED, &bo))
		skip_because("no cached BOs for user space: run with vpowervr.user_cached=1");
	close_bo(f->fd, bo);
	return f;
}

static const struct context_ops context_ops = {
	.size = DRIVER_CONTEXT_SIZE(0),
	.need = need_cached,
	.begin = driver_begin,
	.end = driver_end,
};

FAULT_CASE(open_file, .call = call_open)
FAULT_CASE(query_gpu, .call = call_query_gpu)
FAULT_CASE(query_runtime, .call = call_query_runtime)
FAULT_CASE(query_quirks, .call = call_query_quirks)
FAULT_CASE(query_enhancements, .call = call_query_enhancements)
FAULT_CASE(query_heaps, .call = call_query_heaps)
FAULT_CASE(query_areas, .call = call_query_areas)
FAULT_CASE(submit_jobs, .call = call_submit)
FAULT_CASE(create_context, .prepare = with_vm, .call = call_create_context)
FAULT_CASE(destroy_context, .call = call_destroy_context)
FAULT_CASE(create_free_list, .prepare = with_vm, .call = call_create_free_list)
FAULT_CASE(create_hwrt_dataset, .call = call_create_hwrt)
/* For want of memory the kernel's shmem says that there is no space. */
FAULT_CASE(create_wc_bo, .call = call_create_wc, .other_error = -ENOSPC)
FAULT_CASE(create_wb_bo, .call = call_create_wb, .other_error = -ENOSPC)
FAULT_CASE(get_bo_mmap_offset, .prepare = with_bos, .call = call_mmap_offset)
FAULT_CASE(mmap_wc, .prepare = with_wc_offset, .call = call_mmap)
FAULT_CASE(mmap_wb, .prepare = with_wb_offset, .call = call_mmap)
FAULT_CASE(touch_wc, .prepare = with_wc_map, .call = call_touch, .never_fails = 1, .retries = 1)
FAULT_CASE(touch_wb, .prepare = with_wb_map, .call = call_touch, .never_fails = 1, .retries = 1)
FAULT_CASE(munmap_wb, .prepare = with_dirty, .call = call_munmap)
FAULT_CASE(close_wb, .prepare = with_dirty_unmapped, .call = call_close_wb)
FAULT_CASE(vm_create, .call = call_vm_create)
FAULT_CASE(vm_destroy, .prepare = with_bound, .call = call_vm_destroy)
FAULT_CASE(vm_map_wc, .prepare = with_bos, .call = call_vm_map_wc)
FAULT_CASE(vm_map_wb, .prepare = with_bos, .call = call_vm_map_wb)
FAULT_CASE(vm_map_splits, .prepare = with_bound, .call = call_vm_map_splits)
FAULT_CASE(vm_unmap_exact, .prepare = with_bound, .call = call_vm_unmap)
FAULT_CASE(device_read, .prepare = with_device_access, .call = call_device_read)
FAULT_CASE(device_write, .prepare = with_device_access, .call = call_device_write)
FAULT_CASE(device_read_evicted, .prepare = with_evicted_access, .call = call_device_read,
	   .check = check_touched)
FAULT_CASE(kernel_read_dirty, .prepare = with_kernel_access, .call = call_kernel_read)
FAULT_CASE(kernel_write_dirty, .prepare = with_kernel_access, .call = call_kernel_write)
FAULT_CASE(evict, .prepare = with_evictable_bound, .call = call_write_all, .check = check_touched)
FAULT_CASE(touch_evicted, .prepare = with_evicted_map, .call = call_touch_evicted,
	   .never_fails = 1, .retries = 1)
FAULT_CASE(export_wc, .prepare = with_bos, .call = call_export)
FAULT_CASE(import_own, .prepare = with_dmabuf, .call = call_import_own)
FAULT_CASE(import_peer, .prepare = with_peer, .call = call_import)
FAULT_CASE(map_import, .prepare = with_vm_and_import, .call = call_map_import)
FAULT_CASE(close_import, .prepare = with_vm_and_import, .call = call_close_made)
FAULT_CASE(close_file, .prepare = with_everything, .call = call_close, .never_fails = 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(open_file),
		device_test(query_gpu),
		device_test(query_runtime),
		device_test(query_quirks),
		device_test(query_enhancements),
		device_test(query_heaps),
		device_test(query_areas),
		device_test(submit_jobs),
		device_test(create_context),
		device_test(destroy_context),
		device_test(create_free_list),
		device_test(create_hwrt_dataset),
		device_test(create_wc_bo),
		device_test(create_wb_bo),
		device_test(get_bo_mmap_offset),
		device_test(mmap_wc),
		device_test(mmap_wb),
		device_test(touch_wc),
		device_test(touch_wb),
		device_test(munmap_wb),
		device_test(close_wb),
		device_test(vm_create),
		device_test(vm_destroy),
		device_test(vm_map_wc),
		device_test(vm_map_wb),
		device_test(vm_map_splits),
		device_test(vm_unmap_exact),
		device_test(device_read),
		device_test(device_write),
		device_test(device_read_evicted),
		device_test(kernel_read_dirty),
		device_test(kernel_write_dirty),
		device_test(evict),
		device_test(touch_evicted),
		device_test(export_wc),
		device_test(import_own),
		device_test(import_peer),
		device_test(map_import),
		device_test(close_import),
		device_test(close_file),
	};

	return fault_main("powervr", tests);
}
