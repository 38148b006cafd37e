/* SPDX-License-Identifier: MIT */
/* What the files of the library share; nothing of it is exported. */
#ifndef GEMSYNC_INTERNAL_H
#define GEMSYNC_INTERNAL_H

/* The build hides symbols by default; the public calls are the ones that are seen. */
#pragma GCC visibility push(default)
#include <gemsync/gemsync.h>
#pragma GCC visibility pop

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* The most operations of one batch; drivers take no more (R8). */
#define BATCH_MAX	1048576u

/*
 * A driver: one row of the table in device.c. What a driver lacks is NULL, and
 * its callers return -EOPNOTSUPP. All calls return 0 or -errno.
 */
struct device_ops {
	const char *driver;
	/* Is the version in dev->info one that can synchronize? Else -EOPNOTSUPP. */
	int (*probe)(const struct gemsync_device *dev);
	/* Fill what the driver knows: info->coherent. */
	int (*query)(struct gemsync_device *dev, struct gemsync_device_info *info);
	/* The address space of private BOs; both NULL if the driver has none. */
	int (*vm_create)(struct gemsync_device *dev, uint32_t *vm);
	void (*vm_destroy)(struct gemsync_device *dev, uint32_t vm);
	/* @size is rounded up by the driver. */
	int (*bo_create)(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			 uint32_t *handle);
	int (*bo_map_offset)(struct gemsync_device *dev, uint32_t handle, uint64_t *offset);
	/* Fill info->flags and info->imported. */
	int (*bo_query)(struct gemsync_device *dev, uint32_t handle, struct gemsync_bo_info *info);
	/* @ops were checked; those of op_is_idle() are to be left out. */
	int (*sync)(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count);
};

extern const struct device_ops gemsync_panthor_ops;

struct gemsync_device {
	const struct device_ops *ops;
	int fd;
	int counters;	/* sysfs directory of the emulation's attributes, or -1 */
	uint32_t vm;
	struct gemsync_device_info info;
};

struct gemsync_bo {
	struct gemsync_device *dev;
	void *map;	/* NULL while not mapped */
	uint64_t size;
	uint32_t handle;
	bool needs_sync;
};

/* An operation for which nothing has to be maintained (R9). */
static inline bool op_is_idle(const struct gemsync_op *op)
{
	return !op->size || !op->bo->needs_sync;
}

/* ioctl() that restarts after signals and returns 0 or -errno. */
int gemsync_device_ioctl(const struct gemsync_device *dev, unsigned long request, void *arg);

/* Bytes of a line of this CPU's data cache, 0 if unknown. */
uint32_t gemsync_cpu_line_size(void);

/*
 * The emulation's attributes beside the DRM node @fd: a directory to be closed,
 * or -ENOENT if the device is not emulated.
 */
int gemsync_emulation_open(int fd);

/* Read one decimal attribute. -EIO if it is none. */
int gemsync_emulation_read(int dir, const char *name, uint64_t *value);

#endif
