// SPDX-License-Identifier: MIT
/* Export and import within one driver (R11, R13, R15, R16, R20). */
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "sharing.h"

/* R13: a private BO has no way out; its shareable twin has. */
static void private_is_not_exported(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *private = new_buffer(f, 4096, 0);
	struct buffer *shareable = new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE);
	int dmabuf;

	assert_int_equal(export_handle(f->fd, gemsync_bo_handle(private->bo), &dmabuf), -EINVAL);
	close(export_bo(f, shareable));
}

/* Case 38: what comes home is what it was. */
static void import_of_the_own_export(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE);
	struct drm_panthor_bo_sync_op op = { .size = 64 };
	uint32_t create_flags, extra_flags;
	int dmabuf = export_bo(f, buf);

	assert_ok(import_dmabuf(f->fd, dmabuf, &op.handle));
	assert_int_equal(op.handle, gemsync_bo_handle(buf->bo));
	assert_ok(query_handle(f->fd, op.handle, &create_flags, &extra_flags));
	assert_int_equal(extra_flags & DRM_PANTHOR_BO_IS_IMPORTED, 0);
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));
	close(dmabuf);
}

/* R20: another file needs the dma-buf; with it, CPU and GPU of both files share bytes. */
static void another_file_of_the_device(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_device *other = fixture_other(f);
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE);
	int fd = gemsync_device_fd(other);
	int dmabuf = export_bo(f, buf);
	uint32_t handle, *map;
	uint64_t offset;

	assert_ok(import_dmabuf(fd, dmabuf, &handle));
	assert_ok(mmap_offset(fd, handle, &offset));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[3] = 0x11223344;
	assert_int_equal(gpu_get(f, buf, 12), 0x11223344);
	gpu_put(f, buf, 16, 0x55667788);
	assert_int_equal(map[4], 0x55667788);
	munmap(map, 4096);
	close(dmabuf);
}

/* R16: NO_MMAP holds through the dma-buf as well; the twin without it can be mapped. */
static void no_mmap_through_the_dmabuf(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *hidden = new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_NO_MMAP);
	struct buffer *shown = new_buffer(f, 4096, GEMSYNC_BO_SHAREABLE);
	int hidden_fd = export_bo(f, hidden);
	int shown_fd = export_bo(f, shown);
	uint32_t *map;

	assert_ptr_equal(map_dmabuf(hidden_fd, 4096), MAP_FAILED);
	assert_int_equal(errno, EPERM);
	map = map_dmabuf(shown_fd, 4096);
	assert_ptr_not_equal(map, MAP_FAILED);
	gpu_put(f, shown, 0, 0xabcd);
	assert_int_equal(map[0], 0xabcd);
	munmap(map, 4096);
	close(hidden_fd);
	close(shown_fd);
}

/* The exporter's handle and file may go: the dma-buf keeps the memory. */
static void dmabuf_outlives_its_file(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_device *other = fixture_other(f);
	struct gemsync_bo *bo;
	uint32_t *map, *again;
	void *ptr;
	int dmabuf;

	assert_ok(gemsync_bo_create(other, 4096, GEMSYNC_BO_SHAREABLE, &bo));
	assert_ok(gemsync_bo_map(bo, &ptr));
	map = ptr;
	map[0] = 0xfeedbeef;
	assert_ok(export_handle(gemsync_device_fd(other), gemsync_bo_handle(bo), &dmabuf));
	gemsync_bo_destroy(bo);
	gemsync_device_close(other);
	f->other = NULL;
	again = map_dmabuf(dmabuf, 4096);
	assert_ptr_not_equal(again, MAP_FAILED);
	assert_int_equal(again[0], 0xfeedbeef);
	munmap(again, 4096);
	close(dmabuf);
}

static int flink(int fd, uint32_t handle, uint32_t *name)
{
	struct drm_gem_flink args = { .handle = handle };
	int ret = raw_ioctl(fd, DRM_IOCTL_GEM_FLINK, &args);

	*name = args.name;
	return ret;
}

static int open_name(int fd, uint32_t name)
{
	struct drm_gem_open args = { .name = name };

	return raw_ioctl(fd, DRM_IOCTL_GEM_OPEN, &args);
}

static uint32_t create_on(int fd, uint32_t flags, uint32_t vm)
{
	struct drm_panthor_bo_create args = { .size = 4096, .flags = flags, .exclusive_vm_id = vm };

	assert_ok(raw_ioctl(fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args));
	return args.handle;
}

/* R13: GEM_OPEN passes no export hook, and is a way out all the same. */
static void flink_opens_shareable_ones_only(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create vm = {};
	int first, second;
	uint32_t name;

	if (getuid())
		skip_because("GEM_FLINK wants an authenticated file: run as root");
	first = open_primary(f);
	second = open_primary(f);
	assert_ok(raw_ioctl(first, DRM_IOCTL_PANTHOR_VM_CREATE, &vm));

	assert_ok(flink(first, create_on(first, 0, 0), &name));
	assert_ok(open_name(second, name));

	assert_ok(flink(first, create_on(first, 0, vm.id), &name));
	assert_int_equal(open_name(second, name), -EPERM);
	assert_ok(open_name(first, name));

	assert_ok(flink(first, create_on(first, DRM_PANTHOR_BO_WB_MMAP, vm.id), &name));
	assert_int_equal(open_name(second, name), -EPERM);
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(private_is_not_exported),
		device_test(import_of_the_own_export),
		device_test(another_file_of_the_device),
		device_test(no_mmap_through_the_dmabuf),
		device_test(dmabuf_outlives_its_file),
		device_test(flink_opens_shareable_ones_only),
	};

	return cmocka_run_group_tests_name("sharing", tests, NULL, NULL);
}
