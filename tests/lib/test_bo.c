// SPDX-License-Identifier: MIT
/* Buffer objects: creation, maps, queries (R12, R13, R16, R23). */
#include <string.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "fixture.h"

static void create_checks(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_bo *bo = NULL;

	assert_int_equal(gemsync_bo_create(f->dev, 0, 0, &bo), -EINVAL);
	assert_int_equal(gemsync_bo_create(f->dev, 4096, 1u << 31, &bo), -EINVAL);
	assert_true(gemsync_bo_create(f->dev, UINT64_MAX, 0, &bo) < 0);
	assert_true(gemsync_bo_create(f->dev, UINT64_MAX - 4095, 0, &bo) < 0);
	assert_null(bo);
}

static void size_is_rounded_to_pages(void **state)
{
	struct fixture *f = need_device(state);

	assert_int_equal(gemsync_bo_size(new_buffer(f, 1, 0)->bo), f->info.page_size);
	assert_int_equal(gemsync_bo_size(new_buffer(f, f->info.page_size + 1, 0)->bo),
			 2 * f->info.page_size);
}

static int create_raw(struct fixture *f, struct drm_panthor_bo_create *args)
{
	int ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, args);

	if (!ret)
		drmCloseBufferHandle(f->fd, args->handle);
	return ret;
}

/* The driver's own refusals, each with one thing broken. */
static void create_refuses(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_create good = { .size = 4096, .exclusive_vm_id = f->vm };
	struct drm_panthor_bo_create bad;

	bad = good;
	assert_ok(create_raw(f, &bad));
	bad = good;
	bad.size = 0;
	assert_int_equal(create_raw(f, &bad), -EINVAL);
	bad = good;
	bad.flags = 1u << 30;
	assert_int_equal(create_raw(f, &bad), -EINVAL);
	bad = good;
	bad.pad = 1;
	assert_int_equal(create_raw(f, &bad), -EINVAL);
	bad = good;
	bad.exclusive_vm_id = NO_HANDLE;
	assert_int_equal(create_raw(f, &bad), -EINVAL);
}

/* R13: cached or shareable; neither of the two alone is refused. */
static void cached_or_shareable(void **state)
{
	struct fixture *f = need_incoherent(state);
	struct gemsync_bo *bo;

	assert_int_equal(gemsync_bo_create(f->dev, 4096,
					   GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE, &bo),
			 -EINVAL);
	new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE);
}

/* R13: cached needs an exclusive address space. */
static void cached_is_exclusive(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_create args = {
		.size = 4096,
		.flags = DRM_PANTHOR_BO_WB_MMAP,
		.exclusive_vm_id = f->vm,
	};

	assert_ok(create_raw(f, &args));
	need_incoherent(state);
	args.exclusive_vm_id = 0;
	assert_int_equal(create_raw(f, &args), -EINVAL);
}

/* R13: what is private stays private. */
static void private_is_not_exported(void **state)
{
	struct fixture *f = need_incoherent(state);
	int fd;

	assert_int_equal(gemsync_bo_export(new_buffer(f, 4096, GEMSYNC_BO_CACHED)->bo, &fd),
			 -EINVAL);
	assert_int_equal(gemsync_bo_export(new_buffer(f, 4096, 0)->bo, &fd), -EINVAL);
}

/* A second map is the first; content outlives a map, flushed or not. */
static void maps(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 8192, GEMSYNC_BO_CACHED);
	void *map;

	assert_ok(gemsync_bo_map(buf->bo, &map));
	assert_ptr_equal(map, buf->map);
	cpu_put(buf, 4096, 0x600d);
	gemsync_bo_unmap(buf->bo);
	gemsync_bo_unmap(buf->bo);
	assert_ok(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
	assert_int_equal(cpu_get(buf, 4096), 0x600d);
}

/* R23: the flags of creation, and nobody else's BO. */
static void query_reports_creation(void **state)
{
	static const uint32_t flags[] = { 0, GEMSYNC_BO_CACHED, GEMSYNC_BO_NO_MMAP };
	struct fixture *f = need_incoherent(state);
	struct gemsync_bo_info info;
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = new_buffer(f, 4096, flags[i]);
		assert_ok(gemsync_bo_query(buf->bo, &info));
		assert_int_equal(info.flags, flags[i]);
		assert_false(info.imported);
		assert_int_equal(info.needs_sync, !!(flags[i] & GEMSYNC_BO_CACHED));
	}
}

/* R12: a coherent device needs no sync, whatever the flags. */
static void query_on_coherent_device(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_bo_info info;

	if (!f->info.coherent)
		skip_because("the device is not coherent: run on one that is");
	assert_ok(gemsync_bo_query(new_buffer(f, 4096, GEMSYNC_BO_CACHED)->bo, &info));
	assert_false(info.needs_sync);
}

static void unknown_handles(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_query_info query = { .handle = NO_HANDLE };
	struct drm_panthor_bo_mmap_offset offset = { .handle = NO_HANDLE };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &query), -ENOENT);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset), -ENOENT);
	offset.handle = gemsync_bo_handle(new_buffer(f, 4096, 0)->bo);
	offset.pad = 1;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset), -EINVAL);
	offset.pad = 0;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset));
}

static void no_mmap_is_refused(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_NO_MMAP);
	uint64_t offset;
	void *map;

	assert_int_equal(gemsync_bo_map(buf->bo, &map), -EPERM);
	if (f->fd >= 0)
		assert_int_equal(gpu_map_offset(f->dev, buf->bo, &offset), -EPERM);
	/* The GPU may use it all the same. */
	gpu_put(f, buf, 8, 0x1234);
	assert_int_equal(gpu_get(f, buf, 8), 0x1234);
}

/*
 * R16: the only BOs of this file are one that may be mapped and, created right
 * after it, one that may not: around the first one's offset nothing else maps.
 */
static void no_mmap_at_guessed_offset(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_device *dev = fixture_other(f);
	struct drm_panthor_bo_mmap_offset known = { 0 };
	uint64_t page = f->info.page_size;
	struct gemsync_bo *open_bo, *closed_bo;
	int64_t i, found = 0;
	void *map;

	assert_ok(gemsync_bo_create(dev, page, 0, &open_bo));
	assert_ok(gemsync_bo_create(dev, page, GEMSYNC_BO_NO_MMAP, &closed_bo));
	assert_int_equal(gemsync_bo_map(closed_bo, &map), -EPERM);
	known.handle = gemsync_bo_handle(open_bo);
	assert_ok(raw_ioctl(gemsync_device_fd(dev), DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &known));
	for (i = -512; i <= 512; i++) {
		map = mmap(NULL, page, PROT_READ, MAP_SHARED, gemsync_device_fd(dev),
			   known.offset + (uint64_t)i * page);
		if (map == MAP_FAILED)
			continue;
		munmap(map, page);
		assert_int_equal(i, 0);
		found++;
	}
	assert_int_equal(found, 1);
	gemsync_bo_destroy(closed_bo);
	gemsync_bo_destroy(open_bo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(create_checks),
		device_test(size_is_rounded_to_pages),
		device_test(create_refuses),
		device_test(cached_or_shareable),
		device_test(cached_is_exclusive),
		device_test(private_is_not_exported),
		device_test(maps),
		device_test(query_reports_creation),
		device_test(query_on_coherent_device),
		device_test(unknown_handles),
		device_test(no_mmap_is_refused),
		device_test(no_mmap_at_guessed_offset),
	};

	return cmocka_run_group_tests_name("bo", tests, NULL, NULL);
}
