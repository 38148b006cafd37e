/* SPDX-License-Identifier: MIT */
/*
 * gemsync/gpu.h by short names, as cases are made of its calls; and what the suite asks of
 * a driver besides. A driver is one file that fills struct gpu_ops (gpu_ops.h) and a row of
 * the table in gpu.c; or a description (gemsync/driver.h).
 */
#ifndef GPU_H
#define GPU_H

#include <gemsync/driver.h>

/* As in lib/internal.h: of a shared library the public calls are seen. */
#ifdef GEMSYNC_SHARED
#pragma GCC visibility push(default)
#endif
#include <gemsync/gpu.h>
#ifdef GEMSYNC_SHARED
#pragma GCC visibility pop
#endif

#define gpu_open		gemsync_gpu_open
#define gpu_close		gemsync_gpu_close
#define gpu_bind		gemsync_gpu_bind
#define gpu_bind_dmabuf		gemsync_gpu_bind_dmabuf
#define gpu_bind_readonly	gemsync_gpu_bind_readonly
#define gpu_bind_at		gemsync_gpu_bind_at
#define gpu_unbind		gemsync_gpu_unbind
#define gpu_write		gemsync_gpu_write
#define gpu_fill		gemsync_gpu_fill
#define gpu_read		gemsync_gpu_read
#define gpu_copy		gemsync_gpu_copy
#define gpu_write32		gemsync_gpu_write32
#define gpu_read32		gemsync_gpu_read32
#define gpu_spin_begin		gemsync_gpu_spin_begin
#define gpu_spin_running	gemsync_gpu_spin_running
#define gpu_spin_fence		gemsync_gpu_spin_fence
#define gpu_spin_end		gemsync_gpu_spin_end
#define GPU_BIND_AT_START	GEMSYNC_GPU_BIND_AT_START
#define GPU_BIND_AT_END		GEMSYNC_GPU_BIND_AT_END

/* None of the following needs an open GPU. */

/*
 * At which offset of gemsync_device_fd() a BO is mapped. -EPERM if it may not be;
 * -EOPNOTSUPP if BOs are not mapped at offsets of a file.
 */
int gpu_map_offset(struct gemsync_device *dev, struct gemsync_bo *bo, uint64_t *offset);

/*
 * Say whether the content of a BO is needed; *@retained: whether it is still there.
 * -EOPNOTSUPP if the driver never purges.
 */
int gpu_madvise(struct gemsync_device *dev, struct gemsync_bo *bo, bool needed, bool *retained);

/*
 * Map the page of the GPU's registers that user space may read. -EOPNOTSUPP if the
 * driver has none.
 */
int gpu_map_registers(struct gemsync_device *dev, void **out);

/*
 * The driver's ioctl that takes an array of sync ops (struct gemsync_sync_abi), as it is, for
 * what the library never asks of it: without restart. 0 or -errno.
 */
int gpu_sync_call(const struct gemsync_sync_abi *abi, int fd, const void *ops, uint32_t count,
		  uint32_t stride, uint32_t pad);

/* NULL if the driver has none. */
const struct gemsync_sync_abi *gpu_sync_abi(struct gemsync_device *dev);

/*
 * A call of the driver that takes a handle of a BO of at least a page, with all else
 * right. 0 or -errno.
 */
struct gpu_handle_call {
	const char *name;
	int missing;	/* what it says to a handle that the file does not have */
	int (*call)(struct gemsync_device *dev, uint32_t handle);
};

/* Number @index of all of them, or NULL. */
const struct gpu_handle_call *gpu_handle_call(struct gemsync_device *dev, unsigned int index);

#endif
