// SPDX-License-Identifier: MIT
/* What panfrost lets out and takes in (R11, R13, R15, R23; cases 37, 40, 47, 49). */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "exporter.h"
#include "panfrost_calls.h"

#define NOEXEC	PANFROST_BO_NOEXEC
#define WB	(PANFROST_BO_WB_MMAP | NOEXEC)

static int export_handle(int fd, uint32_t handle, int *dmabuf)
{
	return drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, dmabuf) ? -errno : 0;
}

static int import_dmabuf(int fd, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(fd, dmabuf, handle) ? -errno : 0;
}

static void *map_dmabuf(int dmabuf)
{
	void *map;

	assert_ok(dmabuf_map(dmabuf, PAGE, &map));
	return map;
}

static void sync_dmabuf(int dmabuf, uint64_t flags)
{
	assert_ok(dmabuf_sync(dmabuf, flags));
}

/* A page of another maker, or the test is skipped. */
static struct exported new_page(const char *name)
{
	struct exported page;

	if (exporter_probe(exporter_find(name)))
		skip_because("%s is not there, or not for this user", name);
	assert_ok(exporter_alloc(exporter_find(name), PAGE, &page));
	return page;
}

/* The device's primary node, opened once more. */
static int open_primary(struct fixture *f)
{
	char *name = drmGetPrimaryDeviceNameFromFd(f->fd);
	int fd;

	assert_non_null(name);
	fd = open(name, O_RDWR | O_CLOEXEC);
	drmFree(name);
	if (fd < 0)
		skip_because("the primary node does not open: run as root");
	return fd;
}

static void need_strict(struct fixture *f)
{
	if (f->info.coherent)
		skip_because("the device is coherent: run on one that is not");
}

/* Case 40. */
static void cached_bos_are_not_exported(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t cached = pf_new_bo(f->fd, PAGE, WB), plain = pf_new_bo(f->fd, PAGE, NOEXEC);
	int dmabuf;

	need_strict(f);
	assert_int_equal(export_handle(f->fd, cached, &dmabuf), -EPERM);
	assert_ok(export_handle(f->fd, plain, &dmabuf));
	close(dmabuf);
}

/* By name, on the primary node: the creator's file may, others get write-combined ones only. */
static void cached_bos_are_not_opened(void **state)
{
	struct fixture *f = need_panfrost(state);
	int creator = open_primary(f), other = open_primary(f);
	const struct {
		uint32_t flags;
		int error;
	} cases[] = { { WB, -EPERM }, { NOEXEC, 0 } };
	size_t i;

	need_strict(f);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_gem_flink flink = { .handle = pf_new_bo(creator, PAGE, cases[i].flags) };
		struct drm_gem_open open = { 0 };

		assert_ok(raw_ioctl(creator, DRM_IOCTL_GEM_FLINK, &flink));
		open.name = flink.name;
		assert_int_equal(raw_ioctl(other, DRM_IOCTL_GEM_OPEN, &open), cases[i].error);
		if (!cases[i].error)
			assert_true(pf_bo_va(other, open.handle) >= 32 * MIB);
		/* A second handle of the same file has the same address. */
		assert_ok(raw_ioctl(creator, DRM_IOCTL_GEM_OPEN, &open));
		assert_true(open.handle != flink.handle);
		assert_int_equal(pf_bo_va(creator, open.handle), pf_bo_va(creator, flink.handle));
		pf_close_bo(creator, flink.handle);
		assert_true(pf_bo_va(creator, open.handle) != 0);
	}
	close(other);
	close(creator);
}

/* Case 38: what comes back to its own file is the BO that it was. */
static void own_export_comes_back(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, 0), again, create, extra;
	int dmabuf;

	assert_ok(export_handle(f->fd, bo, &dmabuf));
	assert_ok(import_dmabuf(f->fd, dmabuf, &again));
	close(dmabuf);
	assert_int_equal(again, bo);
	assert_ok(pf_query_bo(f->fd, bo, &create, &extra));
	assert_int_equal(create | extra, 0);
}

/* ---- Imports ---- */

/* R11, R23: it belongs to its exporter, says so, and is not synchronized here. */
static void imports(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_bo_sync_op op = { .size = 4 };
	struct exported page = new_page("heap");
	uint32_t create, extra, retained;

	assert_ok(import_dmabuf(f->fd, page.dmabuf, &op.handle));
	exporter_free(&page);
	assert_ok(pf_query_bo(f->fd, op.handle, &create, &extra));
	assert_int_equal(create, 0);
	assert_int_equal(extra, DRM_PANFROST_BO_IS_IMPORTED);
	assert_int_equal(pf_sync_bo(f->fd, &op, 1), -EINVAL);
	op.size = 0;
	assert_int_equal(pf_sync_bo(f->fd, &op, 1), -EINVAL);
	op.size = PAGE + 1;
	assert_int_equal(pf_sync_bo(f->fd, &op, 1), -EINVAL);
	assert_ok(pf_madvise_bo(f->fd, op.handle, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(retained, 1);
}

/* R15: by default the exporter maps it; the parameter map_imports=0 refuses. */
static void maps_of_imports(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_mmap_bo args = { 0 };
	struct exported page = new_page("heap");
	int dmabuf = page.dmabuf;
	volatile uint32_t *map;
	uint32_t *direct = map_dmabuf(dmabuf);
	struct chain chain = new_chain(f);
	char refused = 'Y';
	FILE *file;

	assert_ok(import_dmabuf(f->fd, dmabuf, &args.handle));
	file = fopen("/sys/module/vpanfrost/parameters/map_imports", "re");
	if (file) {
		refused = (char)fgetc(file);
		fclose(file);
	}
	if (refused == 'N') {
		assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args), -EPERM);
		munmap(direct, PAGE);
		exporter_free(&page);
		return;
	}
	map = pf_map_bo(f->fd, args.handle, PAGE);
	assert_true((void *)map != MAP_FAILED);
	direct[1] = 0x1234;
	assert_int_equal(map[1], 0x1234);
	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, args.handle) + 8, JM_IMM32, 0x5678, 0);
	assert_ok(run_chain(&chain));
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	assert_int_equal(map[2], 0x5678);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	/* The map outlives the handle and the dma-buf's descriptor. */
	pf_close_bo(f->fd, args.handle);
	exporter_free(&page);
	assert_int_equal(map[1], 0x1234);
	munmap((void *)map, PAGE);
	munmap(direct, PAGE);
}

/* ---- Case 49: others' memory, and ours for others ---- */

static void write_and_read(struct fixture *f, uint32_t handle, volatile uint32_t *map, int dmabuf)
{
	struct chain chain = new_chain(f);
	uint32_t copy = pf_new_bo(f->fd, PAGE, NOEXEC);
	volatile uint32_t *seen = pf_map_bo(f->fd, copy, PAGE);
	uint64_t va = pf_bo_va(f->fd, handle);

	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	map[5] = 0x01020304;
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	chain.jobs[0] = jm_copy(pf_bo_va(f->fd, copy), va, 64, job_va(&chain, 1));
	chain.jobs[1] = jm_write_value(va + 64, JM_IMM32, 0x05060708, 0);
	assert_ok(run_chain(&chain));
	assert_int_equal(seen[5], 0x01020304);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	assert_int_equal(map[16], 0x05060708);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

static void memory_of_others(void **state)
{
	static const char *const makers[] = { "heap", "udmabuf", "vgem" };
	struct fixture *f = need_virtual_jobs(state);
	struct exported page;
	uint32_t handle;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		page = new_page(makers[i]);
		assert_ok(import_dmabuf(f->fd, page.dmabuf, &handle));
		write_and_read(f, handle, page.map ? page.map : map_dmabuf(page.dmabuf),
			       page.dmabuf);
		pf_close_bo(f->fd, handle);
		exporter_free(&page);
	}
}

static void memory_for_others(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC), theirs;
	struct exported page = new_page("vgem");	/* for its file */
	int dmabuf;
	volatile uint32_t *map;

	assert_ok(export_handle(f->fd, bo, &dmabuf));
	assert_ok(import_dmabuf(page.node, dmabuf, &theirs));
	map = map_dmabuf(dmabuf);
	assert_int_equal(map[0], 0);
	write_and_read(f, bo, map, dmabuf);
	munmap((void *)map, PAGE);
	close(dmabuf);
	exporter_free(&page);
}

/* With the other virtual device, both ways, if it is there: no sync for write-combined. */
static void memory_of_panthor(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct gemsync_device *panthor;
	struct gemsync_bo *theirs, *ours;
	struct gemsync_gpu *gpu;
	uint64_t va;
	int dmabuf;
	uint32_t value, bo;
	volatile uint32_t *map;
	void *bo_map;

	if (gemsync_device_open("panthor", &panthor))
		skip_because("there is no panthor device: load vpanthor too");
	assert_ok(gpu_open(panthor, &gpu));
	assert_ok(gemsync_bo_create(panthor, PAGE, GEMSYNC_BO_SHAREABLE, &theirs));
	assert_ok(gemsync_bo_map(theirs, &bo_map));
	assert_ok(gemsync_bo_export(theirs, &dmabuf));
	assert_ok(import_dmabuf(f->fd, dmabuf, &bo));
	write_and_read(f, bo, bo_map, dmabuf);
	close(dmabuf);
	assert_ok(gpu_bind(gpu, theirs, &va));
	assert_ok(gpu_read32(gpu, va + 64, &value));
	assert_int_equal(value, 0x05060708);

	bo = pf_new_bo(f->fd, PAGE, NOEXEC);
	map = pf_map_bo(f->fd, bo, PAGE);
	assert_ok(export_handle(f->fd, bo, &dmabuf));
	assert_ok(gemsync_device_import(panthor, dmabuf, &ours));
	close(dmabuf);
	assert_ok(gpu_bind(gpu, ours, &va));
	assert_ok(gpu_write32(gpu, va + 4, 0x77));
	assert_int_equal(map[1], 0x77);
	gpu_close(gpu);
	gemsync_bo_destroy(ours);
	gemsync_bo_destroy(theirs);
	gemsync_device_close(panthor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(cached_bos_are_not_exported),
		device_test(cached_bos_are_not_opened),
		device_test(own_export_comes_back),
		device_test(imports),
		device_test(maps_of_imports),
		device_test(memory_of_others),
		device_test(memory_for_others),
		device_test(memory_of_panthor),
	};

	return cmocka_run_group_tests_name("panfrost_sharing", tests, NULL, NULL);
}
