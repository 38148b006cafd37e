/* SPDX-License-Identifier: MIT */
/*
 * Making a GPU do something: what the demo and the tests need of a device
 * besides the library. It names no driver; a driver is one file that fills
 * struct gpu_ops (gpu_ops.h) and a row of the table in gpu.c.
 *
 * Every call that makes the GPU work returns when the GPU is done. All return 0
 * or -errno; where the GPU works also -EIO if the job faulted (the GPU address
 * was not mapped for this access), -ETIME if it did not end in time, and
 * -EOPNOTSUPP if the driver cannot do it. After a failed job the GPU is ready
 * for the next one. GPU addresses and sizes are multiples of 4 bytes, else
 * -EINVAL; a size of 0 does nothing.
 *
 * A struct gpu is used by one thread at a time. One device has one of them,
 * because they share the device's address space.
 */
#ifndef GPU_H
#define GPU_H

#include <gemsync/gemsync.h>

struct gpu;

/* -EOPNOTSUPP if the driver has no row here. @dev must outlive the GPU. */
int gpu_open(struct gemsync_device *dev, struct gpu **out);

/* Ends what is still running. Bound BOs stay bound. NULL is allowed. */
void gpu_close(struct gpu *gpu);

/*
 * Bind a whole BO for reading and writing, at an address that was never used before.
 * Drivers that bind every BO themselves tell where it is.
 */
int gpu_bind(struct gpu *gpu, struct gemsync_bo *bo, uint64_t *va);

/*
 * Import a dma-buf and bind all of it, as gpu_bind() does, without the library, which
 * does not know imports of every driver. It stays imported until the device is closed.
 */
int gpu_bind_dmabuf(struct gpu *gpu, int dmabuf, uint64_t *va);

/* As gpu_bind(), for reading alone. -EOPNOTSUPP if the GPU's pages are always writable. */
int gpu_bind_readonly(struct gpu *gpu, struct gemsync_bo *bo, uint64_t *va);

/*
 * Bind @size bytes of a BO from @offset on at @va, in place of what is bound
 * there; page-aligned. gpu_bind() never chooses an address from GPU_BIND_AT_START
 * to GPU_BIND_AT_END. -EOPNOTSUPP if the driver alone decides what is bound, as for
 * gpu_unbind().
 */
int gpu_bind_at(struct gpu *gpu, struct gemsync_bo *bo, uint64_t offset, uint64_t size,
		uint64_t va);

#define GPU_BIND_AT_START	(1ull << 36)
#define GPU_BIND_AT_END		(1ull << 37)

/* Unbind whatever is bound in the range; page-aligned. */
int gpu_unbind(struct gpu *gpu, uint64_t va, uint64_t size);

/*
 * At which offset of gemsync_device_fd() a BO is mapped. -EPERM if it may not be;
 * -EOPNOTSUPP if BOs are not mapped at offsets of a file. Needs no open GPU.
 */
int gpu_map_offset(struct gemsync_device *dev, struct gemsync_bo *bo, uint64_t *offset);

/*
 * Say whether the content of a BO is needed; *@retained: whether it is still there.
 * -EOPNOTSUPP if the driver never purges. Needs no open GPU.
 */
int gpu_madvise(struct gemsync_device *dev, struct gemsync_bo *bo, bool needed, bool *retained);

/*
 * Map the page of the GPU's registers that user space may read. -EOPNOTSUPP if the
 * driver has none. Needs no open GPU.
 */
int gpu_map_registers(struct gemsync_device *dev, void **out);

/*
 * The driver's ioctl that takes an array of sync ops, as it is, for what the library
 * never asks of it. Types: 0 flush, 1 flush and invalidate.
 */
struct gpu_sync_abi {
	uint32_t op_size;	/* bytes */
	bool has_stride;	/* user space says how far apart the ops are */
	bool has_pad;		/* the call has a pad that must be 0 */
	bool wide;		/* offsets and sizes have 64 bits; else 32: the rest is cut off */
	/* Make one op at @raw. */
	void (*encode)(void *raw, uint32_t handle, uint32_t type, uint64_t offset, uint64_t size);
	unsigned long request;	/* of the ioctl */
	uint32_t args_size;	/* bytes of its argument, at most GPU_SYNC_ARGS */
	/* Make the argument at @args. What the ABI lacks is ignored. */
	void (*encode_args)(void *args, const void *ops, uint32_t count, uint32_t stride,
			    uint32_t pad);
};

#define GPU_SYNC_ARGS	64

/* The call, without restart: 0 or -errno. */
int gpu_sync_call(const struct gpu_sync_abi *abi, int fd, const void *ops, uint32_t count,
		  uint32_t stride, uint32_t pad);

/* NULL if the driver has none. Needs no open GPU. */
const struct gpu_sync_abi *gpu_sync_abi(struct gemsync_device *dev);

/*
 * A call of the driver that takes a handle of a BO of at least a page, with all else
 * right. 0 or -errno.
 */
struct gpu_handle_call {
	const char *name;
	int missing;	/* what it says to a handle that the file does not have */
	int (*call)(struct gemsync_device *dev, uint32_t handle);
};

/* Number @index of all of them, or NULL. Needs no open GPU. */
const struct gpu_handle_call *gpu_handle_call(struct gemsync_device *dev, unsigned int index);

/* The GPU writes @size bytes of @data. */
int gpu_write(struct gpu *gpu, uint64_t va, const void *data, uint64_t size);

/* The GPU writes @value into every 32-bit word of the range. */
int gpu_fill(struct gpu *gpu, uint64_t va, uint32_t value, uint64_t size);

/* The GPU reads @size bytes; @data is what it saw. On failure its content is undefined. */
int gpu_read(struct gpu *gpu, uint64_t va, void *data, uint64_t size);

/* The GPU copies; the ranges must not overlap. */
int gpu_copy(struct gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);

/* One 32-bit word, for brevity. */
int gpu_write32(struct gpu *gpu, uint64_t va, uint32_t value);
int gpu_read32(struct gpu *gpu, uint64_t va, uint32_t *value);

/*
 * Start a job that runs until the 32-bit word at @va is not 0, and return while
 * it runs. It is for the CPU to write the word, through a write-combined map or
 * with a flush. No other call that makes this GPU work may come before
 * gpu_spin_end().
 */
int gpu_spin_begin(struct gpu *gpu, uint64_t va);

/* Whether the job is still running: 1 or 0, or -errno. */
int gpu_spin_running(struct gpu *gpu);

/*
 * The job's end as a sync file, a new descriptor that the caller closes. Others can
 * wait for it without the device.
 */
int gpu_spin_fence(struct gpu *gpu, int *sync_file);

/* Wait for the job's end. */
int gpu_spin_end(struct gpu *gpu);

#endif
