// SPDX-License-Identifier: MIT
/* What leaves a powervr file, and what comes in (R11, R13, R15, R16, R20; case 41). */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "exporter.h"
#include "powervr_calls.h"

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

static int open_card(struct pvr *p)
{
	char *name = drmGetPrimaryDeviceNameFromFd(p->fd);
	int fd;

	assert_non_null(name);
	fd = open(name, O_RDWR | O_CLOEXEC);
	drmFree(name);
	if (fd < 0 || geteuid())
		skip_because("GEM_FLINK wants an authenticated primary node: run as root");
	return fd;
}

/* Of an object with @flags: what opening it by name says to another file. */
static int open_elsewhere(struct pvr *p, uint64_t flags)
{
	int first = open_card(p), second = open_card(p), ret;
	uint32_t bo, name;

	assert_ok(create_bo(first, PAGE, flags, &bo));
	assert_ok(flink(first, bo, &name));
	assert_ok(open_name(first, name));
	ret = open_name(second, name);
	close(first);
	close(second);
	return ret;
}

/* R13: GEM_OPEN passes no export hook, and is a way out all the same. */
static void names(void **state)
{
	struct pvr *p = need_pvr(state);

	assert_ok(open_elsewhere(p, 0));
	assert_ok(open_elsewhere(p, USER_ACCESS));
	assert_int_equal(open_elsewhere(p, DRM_PVR_BO_PM_FW_PROTECT), -EPERM);
}

static void names_of_cached_ones(void **state)
{
	struct pvr *p = need_user_cached(state);
	const int expected = p->info.coherent ? 0 : -EPERM;

	assert_int_equal(open_elsewhere(p, CACHED), expected);
	assert_int_equal(open_elsewhere(p, PVR_BO_CPU_CACHED), expected);
}

/* R13, case 41: cached or shared, not both; on a coherent device there is no harm. */
static void exports_of_cached_ones(void **state)
{
	struct pvr *p = need_user_cached(state);
	const int expected = p->info.coherent ? 0 : -EPERM;
	int dmabuf = -1;

	assert_int_equal(export_bo(p->fd, new_bo(p, PAGE, CACHED), &dmabuf), expected);
	close(dmabuf);
	dmabuf = -1;
	assert_int_equal(export_bo(p->fd, new_bo(p, PAGE, PVR_BO_CPU_CACHED), &dmabuf),
			 expected);
	close(dmabuf);
	assert_ok(export_bo(p->fd, new_bo(p, PAGE, USER_ACCESS), &dmabuf));
	close(dmabuf);
}

/* R20: another file needs the dma-buf; with it, both files' maps and devices share bytes. */
static void another_file(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t bo = new_bo(p, PAGE, USER_ACCESS), handle;
	volatile uint32_t *map = map_bo(p, bo), *again;
	uint64_t offset;
	int dmabuf;

	assert_ok(export_bo(p->fd, bo, &dmabuf));
	assert_ok(import_bo(p->fd, dmabuf, &handle));
	assert_int_equal(handle, bo);
	assert_ok(import_bo(p->other, dmabuf, &handle));
	assert_ok(bo_offset(p->other, handle, &offset));
	again = map_offset(p->other, offset);
	assert_ptr_not_equal(again, MAP_FAILED);
	again[3] = 0x1234;
	assert_int_equal(map[3], 0x1234);
	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, PAGE));
	assert_int_equal(dev_get(p, GENERAL + 12), 0x1234);
	close(dmabuf);
}

/* R13: neither a handle of a protected object on another file. */
static void protected_stays(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t bo = new_bo(p, PAGE, DRM_PVR_BO_PM_FW_PROTECT), handle;
	int dmabuf;

	assert_ok(export_bo(p->fd, bo, &dmabuf));
	assert_int_equal(import_bo(p->other, dmabuf, &handle), -EPERM);
	assert_ok(import_bo(p->fd, dmabuf, &handle));
	assert_int_equal(handle, bo);
	close(dmabuf);
}

/* R16: without the flag, not through the dma-buf either; the twin with it can be mapped. */
static void dmabuf_maps(void **state)
{
	struct pvr *p = need_pvr(state);
	int dmabuf;
	void *map;

	assert_ok(export_bo(p->fd, new_bo(p, PAGE, 0), &dmabuf));
	assert_int_equal(dmabuf_map(dmabuf, PAGE, &map), -EINVAL);
	close(dmabuf);
	assert_ok(export_bo(p->fd, new_bo(p, PAGE, USER_ACCESS), &dmabuf));
	assert_ok(dmabuf_map(dmabuf, PAGE, &map));
	munmap(map, PAGE);
	close(dmabuf);
}

/* A buffer of two pages of another driver; the test is skipped without it. */
static struct exported new_exported(const char *name)
{
	const struct exporter *exporter = exporter_find(name);
	struct exported made;
	int ret = exporter_probe(exporter);

	if (ret)
		skip_because("%s: %s: run as root where it is", name, strerror(-ret));
	assert_ok(exporter_alloc(exporter, 2 * PAGE, &made));
	return made;
}

/* Case 49: another driver maps ours, and each sees what the other wrote. */
static void export_to_vgem(void **state)
{
	struct pvr *p = need_pvr(state);
	struct exported vgem = new_exported("vgem");
	uint32_t bo = new_bo(p, 2 * PAGE, USER_ACCESS), handle;
	volatile uint32_t *map;
	void *ptr;
	int dmabuf;

	assert_ok(export_bo(p->fd, bo, &dmabuf));
	assert_ok(import_bo(vgem.node, dmabuf, &handle));
	assert_ok(dmabuf_map(dmabuf, 2 * PAGE, &ptr));
	map = ptr;
	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, 2 * PAGE));
	map[1] = 0x600d;
	assert_int_equal(dev_get(p, GENERAL + 4), 0x600d);
	dev_put(p, GENERAL + PAGE, 0x900d);
	assert_int_equal(map[PAGE / 4], 0x900d);
	munmap(ptr, 2 * PAGE);
	close(dmabuf);
	exporter_free(&vgem);
}

/* R11, R15: the device uses what others export; the CPU maps it through its exporter. */
static void import_from(void **state, const char *name)
{
	struct pvr *p = need_pvr(state);
	struct exported made = new_exported(name);
	volatile uint32_t *map;
	uint64_t offset;
	uint32_t bo;
	void *ptr;

	assert_ok(dmabuf_map(made.dmabuf, 2 * PAGE, &ptr));
	map = ptr;
	assert_ok(import_bo(p->fd, made.dmabuf, &bo));
	assert_int_equal(bo_offset(p->fd, bo, &offset), -EPERM);
	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, 2 * PAGE));
	assert_ok(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	map[PAGE / 4] = 0x1234;
	assert_ok(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	assert_int_equal(dev_get(p, GENERAL + PAGE), 0x1234);
	dev_put(p, GENERAL + PAGE, 0x5678);
	assert_ok(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	assert_int_equal(map[PAGE / 4], 0x5678);
	assert_ok(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	munmap(ptr, 2 * PAGE);
	exporter_free(&made);
}

static void import_from_the_system_heap(void **state)
{
	import_from(state, "heap");
}

static void import_from_udmabuf(void **state)
{
	import_from(state, "udmabuf");
}

static void import_from_vgem(void **state)
{
	import_from(state, "vgem");
}

/* R15: no guess finds an import among native ones. */
static void guessed_imports(void **state)
{
	struct pvr *p = need_pvr(state);
	struct exported made = new_exported("heap");
	unsigned int found = 0;
	uint64_t offset;
	uint32_t bo;
	int64_t i;
	void *map;

	assert_ok(import_bo(p->fd, made.dmabuf, &bo));
	assert_ok(bo_offset(p->fd, new_bo(p, PAGE, USER_ACCESS), &offset));
	for (i = -256; i <= 256; i++) {
		map = map_offset(p->fd, offset + (uint64_t)i * PAGE);
		if (map == MAP_FAILED)
			continue;
		munmap(map, PAGE);
		assert_int_equal(i, 0);
		found++;
	}
	assert_int_equal(found, 1);
	exporter_free(&made);
}

/* The driver does not tell what an import is, so the library takes over none but its own. */
static void library_imports(void **state)
{
	struct pvr *p = need_pvr(state);
	struct exported made = new_exported("heap");
	struct drm_gem_close args = { 0 };
	struct gemsync_bo *bo, *again = NULL;
	int own;

	/* The handle that an import gets, and that of one that failed, is free again. */
	assert_ok(import_bo(p->fd, made.dmabuf, &args.handle));
	assert_ok(raw_ioctl(p->fd, DRM_IOCTL_GEM_CLOSE, &args));
	assert_int_equal(gemsync_device_import(p->dev, made.dmabuf, &again), -EOPNOTSUPP);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_GEM_CLOSE, &args), -EINVAL);
	exporter_free(&made);
	assert_ok(gemsync_bo_create(p->dev, PAGE, GEMSYNC_BO_SHAREABLE, &bo));
	assert_ok(gemsync_bo_export(bo, &own));
	assert_ok(gemsync_device_import(p->dev, own, &again));
	assert_ptr_equal(again, bo);
	close(own);
	gemsync_bo_destroy(again);
	gemsync_bo_destroy(bo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvr_test(names),
		pvr_test(names_of_cached_ones),
		pvr_test(exports_of_cached_ones),
		pvr_test(another_file),
		pvr_test(protected_stays),
		pvr_test(dmabuf_maps),
		pvr_test(export_to_vgem),
		pvr_test(import_from_the_system_heap),
		pvr_test(import_from_udmabuf),
		pvr_test(import_from_vgem),
		pvr_test(guessed_imports),
		pvr_test(library_imports),
	};

	return cmocka_run_group_tests_name("powervr_sharing", tests, NULL, NULL);
}
