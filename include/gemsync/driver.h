/* SPDX-License-Identifier: MIT */
/*
 * A DRM driver that the library does not know, described by its author.
 *
 * A description says how the driver's own calls are made: how a BO is created, mapped and
 * synchronized, and what there is of a GPU that a test can make work. With it the library
 * opens the driver's devices, and the conformance suite runs on them; neither has to be
 * changed. A description needs no library:
 *
 *	cc -shared -fPIC -o my.so my_conform.c
 *	gemsync conform --driver my.so
 *
 * where my_conform.c has
 *
 *	const struct gemsync_driver gemsync_driver = { .size = sizeof(gemsync_driver), ... };
 *
 * Every call returns 0 or -errno, and may come from any thread. @fd is an open DRM file of
 * the driver. What the driver lacks is NULL; only the members that say so must be there.
 *
 * Threads: gemsync_driver_add() may run in any thread, at the same time as any other call.
 */
#ifndef GEMSYNC_DRIVER_H
#define GEMSYNC_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gemsync_device;

/* The ioctl that takes an array of sync ops. */
struct gemsync_sync_abi {
	uint32_t op_size;	/* bytes */
	bool has_stride;	/* user space says how far apart the ops are */
	bool has_pad;		/* the call has a pad that must be 0 */
	bool wide;		/* offsets and sizes have 64 bits; else 32: the rest is cut off */
	/* Make one op at @raw, which is 0 throughout. Types: 0 flush, 1 flush and invalidate. */
	void (*encode)(void *raw, uint32_t handle, uint32_t type, uint64_t offset, uint64_t size);
	unsigned long request;	/* of the ioctl */
	uint32_t args_size;	/* bytes of its argument, at most GEMSYNC_SYNC_ARGS */
	/* Make the argument at @args, which is 0 throughout. What the ABI lacks is ignored. */
	void (*encode_args)(void *args, const void *ops, uint32_t count, uint32_t stride,
			    uint32_t pad);
};

#define GEMSYNC_SYNC_ARGS	64

/*
 * A GPU, or whatever else of the device reads and writes memory. A call that makes it work
 * returns when it is done: -EIO if it faulted, -ETIME if it did not end in time. Addresses
 * and sizes are multiples of 4, no size is 0. One thread uses a GPU at a time.
 */
struct gemsync_driver_gpu {
	/* Must be there. @vm: of vm_create() below, 0 without; *@gpu: given to all others. */
	int (*open)(int fd, uint32_t vm, void **gpu);
	void (*close)(void *gpu);	/* must be there */
	/* Where the driver has mapped a BO by itself; or */
	int (*address)(void *gpu, uint32_t handle, uint64_t *va);
	/* map part of one at @va, in place of what is there, for reading alone if @readonly, */
	int (*bind)(void *gpu, uint32_t handle, uint64_t offset, uint64_t size, uint64_t va,
		    bool readonly);
	int (*unbind)(void *gpu, uint64_t va, uint64_t size);
	bool binds_readonly;		/* if @readonly means something */
	int (*copy)(void *gpu, uint64_t dst, uint64_t src, uint64_t size); /* must be there */
	/* Store @value to each 32-bit word. */
	int (*fill)(void *gpu, uint64_t va, uint32_t value, uint64_t size);
	/* Run until the word at @va is not 0: begin, and return; 1 or 0; a sync file; wait. */
	int (*spin_begin)(void *gpu, uint64_t va);
	int (*spin_running)(void *gpu);
	int (*spin_fence)(void *gpu, int *sync_file);
	int (*spin_end)(void *gpu);
};

struct gemsync_driver {
	uint32_t size;		/* sizeof(struct gemsync_driver), as its author compiled it */
	const char *name;	/* of the DRM driver */
	/* The least version whose minor number has what is described. */
	uint32_t version_major;
	uint32_t version_minor;

	/* Must be there: whether the device snoops CPU caches. */
	int (*query)(int fd, bool *coherent);
	/* The address space that private BOs belong to; both or none. */
	int (*vm_create)(int fd, uint32_t *vm);
	void (*vm_destroy)(int fd, uint32_t vm);
	/*
	 * Must be there. @flags: GEMSYNC_BO_* (gemsync/gemsync.h); -EOPNOTSUPP for one that the
	 * driver has not. @vm is 0 for shareable BOs. *@size is rounded as the driver does.
	 */
	int (*bo_create)(int fd, uint32_t vm, uint32_t flags, uint64_t *size, uint32_t *handle);
	/* Must be there: for mmap() of @fd. -EPERM for what may not be mapped (R15, R16). */
	int (*bo_map_offset)(int fd, uint32_t handle, uint64_t *offset);
	/* GEMSYNC_BO_CACHED, GEMSYNC_BO_NO_MMAP as created; whether another driver made it. */
	int (*bo_query)(int fd, uint32_t handle, uint32_t *flags, bool *imported);
	int (*bo_set_label)(int fd, uint32_t handle, const char *label);
	/* Whether the content is needed; *@retained: whether it is still there. */
	int (*bo_madvise)(int fd, uint32_t handle, bool needed, bool *retained);
	/* The CPU may map imports through the device, if no parameter map_imports says else. */
	bool maps_imports;

	const struct gemsync_sync_abi *sync_abi;
	const struct gemsync_driver_gpu *gpu;
};

/**
 * Let the library know a driver: gemsync_device_open() opens its devices from now on.
 *
 * @driver: stays the caller's, and must live, unchanged, until the program ends.
 *
 * Returns 0; -EINVAL if @driver is of a size that no version had, or lacks what must be
 * there; -EEXIST if the library knows a driver of that name; -ENOMEM.
 */
int gemsync_driver_add(const struct gemsync_driver *driver);

/* The description that a device was opened with; NULL if the library knows its driver itself. */
const struct gemsync_driver *gemsync_device_driver(const struct gemsync_device *dev);

#ifdef __cplusplus
}
#endif

#endif
