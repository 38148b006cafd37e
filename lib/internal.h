/* SPDX-License-Identifier: MIT */
/* What the files of the library share; nothing of it is exported. */
#ifndef GEMSYNC_INTERNAL_H
#define GEMSYNC_INTERNAL_H

#include <pthread.h>

/* The build hides symbols; of a shared library the public calls are the ones that are seen. */
#ifdef GEMSYNC_SHARED
#pragma GCC visibility push(default)
#endif
#include <gemsync/cpu.h>
#include <gemsync/driver.h>
#include <gemsync/gemsync.h>
#ifdef GEMSYNC_SHARED
#pragma GCC visibility pop
#endif

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/*
 * A back end: one row in its own file. What it lacks is NULL, and its callers
 * return -EOPNOTSUPP. All calls return 0 or -errno.
 */
struct device_ops {
	const char *driver;
	/* Release what opening the device took. */
	void (*close)(struct gemsync_device *dev);
	/* @size is rounded up by the driver. */
	int (*bo_create)(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			 uint32_t *handle);
	void (*bo_destroy)(struct gemsync_device *dev, uint32_t handle);
	int (*bo_map)(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out);
	void (*bo_unmap)(struct gemsync_device *dev, const struct gemsync_bo *bo);
	/* Fill info->flags and info->imported. */
	int (*bo_query)(struct gemsync_device *dev, uint32_t handle, struct gemsync_bo_info *info);
	int (*bo_set_label)(struct gemsync_device *dev, uint32_t handle, const char *label);
	int (*bo_export)(struct gemsync_device *dev, uint32_t handle, int *fd);
	/* A dma-buf that the device knows already yields the handle it has. */
	int (*bo_import)(struct gemsync_device *dev, int fd, uint32_t *handle, uint64_t *size);
	/* @ops were checked, and op_size() is theirs; those of op_is_idle() are to be left out. */
	int (*sync)(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count);
	/* What one operation, and one call of sync, can take. */
	struct gemsync_batch_limits limits;
};

/* What only a back end for DRM drivers has. */
struct drm_ops {
	struct device_ops base;
	/* Is the version in dev->info one that can synchronize? Else -EOPNOTSUPP. */
	int (*probe)(const struct gemsync_device *dev);
	/* Fill what the driver knows: info->coherent. */
	int (*query)(struct gemsync_device *dev, struct gemsync_device_info *info);
	/* The address space of private BOs; both NULL if the driver has none. */
	int (*vm_create)(struct gemsync_device *dev, uint32_t *vm);
	void (*vm_destroy)(struct gemsync_device *dev, uint32_t vm);
};

struct gs_record;

struct found_violation {
	uint64_t serial;
	struct gemsync_violation violation;
};

/* The public form of a record (core/record.h). */
void gemsync_found_violation(const struct gs_record *record, struct found_violation *found);

/* How an emulated cache is looked into; as the public calls. */
struct emulation_ops {
	int (*counters)(struct gemsync_device *dev, struct gemsync_counters *counters);
	int (*costs)(struct gemsync_device *dev, struct gemsync_costs *costs);
	int (*violation_count)(struct gemsync_device *dev, enum gemsync_violation_kind kind,
			       uint64_t *count);
	/* The oldest one above @serial, with its number in violation->serial. */
	int (*next_violation)(struct gemsync_device *dev, uint64_t serial,
			      struct found_violation *found);
	int (*last_violation)(struct gemsync_device *dev, uint64_t *serial);
	int (*watch)(struct gemsync_device *dev, uint32_t watch, uint32_t *before);
};

extern const struct drm_ops gemsync_panthor_ops;
extern const struct drm_ops gemsync_powervr_ops;
extern const struct drm_ops gemsync_panfrost_ops;
extern const struct emulation_ops gemsync_kernel_emulation_ops;

struct gemsync_device {
	const struct device_ops *ops;
	const struct emulation_ops *emulation;	/* NULL if there is none */
	struct gemsync_device_info info;
	uint32_t vm;
	pthread_mutex_t lock;	/* of the list, and of the references of its BOs */
	struct gemsync_bo *bos;

	/* A DRM device's: */
	int fd;			/* others have -EOPNOTSUPP */
	int attributes;		/* sysfs directory of the kernel's emulation, or -1 */
	bool user_ops;		/* its kernel does cache instructions of user space too */
	bool unseen;		/* no sysfs: nobody knows whether it is emulated */
	struct found_violation *found;	/* what the kernel had recorded when it was read, under */
	size_t found_count;		/* the lock above, in the order of the serials */

	/* A simulated one's: */
	struct sim *sim;
};

struct gemsync_bo {
	struct gemsync_device *dev;
	struct gemsync_bo *next;
	struct gemsync_bo *prev;
	unsigned int refs;
	void *map;	/* NULL while not mapped */
	uint64_t size;
	uint32_t handle;
	uint32_t flags;		/* as created; of BOs that the driver tells about, nobody asks */
	bool needs_sync;
	bool imported;
	bool borrowed;			/* the handle stays its owner's, */
	bool map_borrowed;		/* and so does the map */
	enum gemsync_path wanted;	/* AUTO, DRIVER or CPU */
	bool by_cpu;			/* needs_sync, and the CPU does it */
};

/* Bytes of an operation. A range that begins behind the BO's end is for gemsync_op_check(). */
static inline uint64_t op_size(const struct gemsync_op *op)
{
	bool whole = op->size == GEMSYNC_WHOLE_SIZE && op->offset <= op->bo->size;

	return whole ? op->bo->size - op->offset : op->size;
}

/* An operation that leaves nothing to the driver: it has nothing to do (R9), or the CPU does it. */
static inline bool op_is_idle(const struct gemsync_op *op)
{
	return !op_size(op) || !op->bo->needs_sync || op->bo->by_cpu;
}

/* ---- Synchronization (sync.c) ---- */

/* Is this operation one that the BO can do? -EINVAL, -EOPNOTSUPP as the public calls. */
int gemsync_op_check(const struct gemsync_op *op);

/* Fill info->path and info->why. */
void gemsync_bo_describe_path(const struct gemsync_bo *bo, struct gemsync_bo_info *info);

/* After the map or the wanted path changed. */
void gemsync_bo_choose_path(struct gemsync_bo *bo);

/* ---- DRM devices (drm.c) ---- */

/* As gemsync_device_open() and gemsync_device_open_fd(); @dev is zeroed memory. */
int gemsync_drm_open(struct gemsync_device *dev, const char *name);
int gemsync_drm_open_fd(struct gemsync_device *dev, int fd);

/* Whether it is a driver that the library has a file for. */
bool gemsync_drm_knows(const char *name);

/* The back end of a driver that was added (device/described.c), or NULL. */
const struct drm_ops *gemsync_described_find(const char *name);

/* ioctl() that restarts after signals and returns 0 or -errno. */
int gemsync_drm_ioctl(const struct gemsync_device *dev, unsigned long request, void *arg);

/* Members of struct device_ops that are the same for every driver. */
void gemsync_drm_close(struct gemsync_device *dev);
void gemsync_drm_bo_destroy(struct gemsync_device *dev, uint32_t handle);
void gemsync_drm_bo_unmap(struct gemsync_device *dev, const struct gemsync_bo *bo);
int gemsync_drm_bo_export(struct gemsync_device *dev, uint32_t handle, int *fd);
/* Whether a new BO may be exported: the driver is asked. -EINVAL if it may not (R13). */
int gemsync_drm_bo_check_export(struct gemsync_device *dev, uint32_t handle);
int gemsync_drm_bo_import(struct gemsync_device *dev, int fd, uint32_t *handle, uint64_t *size);

/* Map a BO at its offset of the device's descriptor. */
int gemsync_drm_bo_map_at(struct gemsync_device *dev, const struct gemsync_bo *bo,
			  uint64_t offset, void **out);

/* ---- The kernel's emulation (emulation.c) ---- */

/*
 * The emulation's attributes beside the DRM node @fd: a directory to be closed;
 * -ENOENT if the device is not emulated; -ENODEV if sysfs does not show it at all.
 */
int gemsync_emulation_open(int fd);

/* Read one decimal attribute. -EIO if it is none. */
int gemsync_emulation_read(int dir, const char *name, uint64_t *value);

/* Whether lines move on their own: attribute "mode", which may not be there. */
int gemsync_emulation_read_chaos(int dir, bool *chaos);

/* Whether cache instructions of user space move its lines. */
int gemsync_emulation_read_user_ops(int dir, bool *work);

/* Whether there is nothing to emulate: the attribute "mode", which has to be there. */
int gemsync_emulation_read_coherent(int dir, bool *coherent);

/* ---- Simulated devices (device/sim.c) ---- */

/* Whether gemsync_sim_open() is the one to open it. */
bool gemsync_sim_is_name(const char *name);

/* As gemsync_device_open(); @dev is zeroed memory. */
int gemsync_sim_open(struct gemsync_device *dev, const char *name);

#endif
