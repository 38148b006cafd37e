/* SPDX-License-Identifier: MIT */
/*
 * The powervr driver's calls as they are, and a fixture for its tests: they run on the
 * device that GEMSYNC_TEST_DEVICE names if its driver is powervr, and are skipped
 * otherwise. Those calls that return int return 0 or -errno.
 */
#ifndef POWERVR_CALLS_H
#define POWERVR_CALLS_H

#include "fixture.h"
#include "pvr_drm.h"

#define PAGE		4096ull
#define GENERAL		0x8000000000ull	/* where the general heap begins */

#define USER_ACCESS	DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS
#define CACHED		(PVR_BO_CPU_CACHED | USER_ACCESS)

struct pvr {
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	int fd;
	int other;	/* another file of the device */
	uint32_t vm;
};

int pvr_setup(void **state);
int pvr_teardown(void **state);

#define pvr_test(test) cmocka_unit_test_setup_teardown(test, pvr_setup, pvr_teardown)

/* The fixture, or the test is skipped: it needs any powervr device; */
struct pvr *need_pvr(void **state);
/* one that gives cached BOs to user space; */
struct pvr *need_user_cached(void **state);
/* one of these whose lines move by maintenance alone. */
struct pvr *need_cached_lazy(void **state);

/* ---- Objects ---- */

int create_bo(int fd, uint64_t size, uint64_t flags, uint32_t *handle);
/* One that must be there. */
uint32_t new_bo(struct pvr *p, uint64_t size, uint64_t flags);
void close_bo(int fd, uint32_t handle);
int export_bo(int fd, uint32_t handle, int *dmabuf);
int import_bo(int fd, int dmabuf, uint32_t *handle);
int bo_offset(int fd, uint32_t handle, uint64_t *offset);
/* A map of one page, or MAP_FAILED with errno. */
void *map_offset(int fd, uint64_t offset);
/* A map of a BO's first page that must work. */
volatile uint32_t *map_bo(struct pvr *p, uint32_t handle);

/* ---- VM contexts ---- */

int create_vm_context(int fd, uint32_t *vm);
int destroy_vm_context(int fd, uint32_t vm);
int vm_map(int fd, uint32_t vm, uint32_t bo, uint64_t offset, uint64_t va, uint64_t size);
int vm_unmap(int fd, uint32_t vm, uint64_t va, uint64_t size);

/* ---- Memory as others see it; the test is skipped without debugfs ---- */

/* The device, at a GPU address. */
int dev_read(struct pvr *p, uint32_t vm, uint64_t va, void *to, size_t size);
int dev_write(struct pvr *p, uint32_t vm, uint64_t va, const void *from, size_t size);
/* A word of the fixture's VM context, which must work. */
uint32_t dev_get(struct pvr *p, uint64_t va);
void dev_put(struct pvr *p, uint64_t va, uint32_t value);

/* The kernel, at an mmap offset; it syncs what it reads and writes. */
int kernel_read(struct pvr *p, uint64_t pos, void *to, size_t size);
int kernel_write(struct pvr *p, uint64_t pos, const void *from, size_t size);

#endif
