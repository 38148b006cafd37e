/* SPDX-License-Identifier: MIT */
/*
 * Making a GPU do something: what tests and demonstrations need of a device besides the
 * library, which is only about its memory. It is a library of its own, libgemsync-gpu, and
 * not for programs that have a driver in user space: what works here needs no shaders.
 *
 *	gemsync_gpu_open()	of a device
 *	gemsync_gpu_bind()	a BO of it: that is its address
 *	gemsync_gpu_read()	what the GPU sees there
 *
 * Every call that makes the GPU work returns when the GPU is done. All return 0 or -errno;
 * where the GPU works also -EIO if the job faulted (the GPU address was not mapped for this
 * access), -ETIME if it did not end in time, and -EOPNOTSUPP if the driver cannot do it.
 * After a failed job the GPU is ready for the next one. GPU addresses and sizes are
 * multiples of 4 bytes, else -EINVAL; a size of 0 does nothing.
 *
 * Threads: a struct gemsync_gpu is used by one thread at a time. One device has one of
 * them, because they share the device's address space.
 */
#ifndef GEMSYNC_GPU_H
#define GEMSYNC_GPU_H

#include <gemsync/gemsync.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gemsync_gpu;

/**
 * Open the GPU of a device, which must outlive it.
 *
 * Returns 0; -EOPNOTSUPP if nothing is known that makes a GPU of this driver work; -EACCES
 * if that is root's (powervr: debugfs); -ENOMEM; or another error of the kernel.
 */
int gemsync_gpu_open(struct gemsync_device *dev, struct gemsync_gpu **out);

/* End what is still running. Bound BOs stay bound. NULL is allowed. */
void gemsync_gpu_close(struct gemsync_gpu *gpu);

/**
 * Bind a whole BO for reading and writing, at an address that was never used before.
 *
 * Drivers that bind every BO themselves tell where it is.
 */
int gemsync_gpu_bind(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t *va);

/**
 * Import a dma-buf and bind all of it, as gemsync_gpu_bind() does, without the library,
 * which does not know imports of every driver. It stays imported until the device is closed.
 */
int gemsync_gpu_bind_dmabuf(struct gemsync_gpu *gpu, int dmabuf, uint64_t *va);

/* As gemsync_gpu_bind(), for reading alone. -EOPNOTSUPP if the GPU's pages are always writable. */
int gemsync_gpu_bind_readonly(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t *va);

#define GEMSYNC_GPU_BIND_AT_START	(1ull << 36)
#define GEMSYNC_GPU_BIND_AT_END		(1ull << 37)

/**
 * Bind part of a BO at an address, in place of what is bound there.
 *
 * @offset, @size, @va: multiples of the page. GEMSYNC_WHOLE_SIZE is up to the BO's end. No
 * other call chooses an address from GEMSYNC_GPU_BIND_AT_START to GEMSYNC_GPU_BIND_AT_END.
 *
 * Returns -EOPNOTSUPP if the driver alone decides what is bound.
 */
int gemsync_gpu_bind_at(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t offset,
			uint64_t size, uint64_t va);

/* Unbind whatever is bound in the range, of whole pages. -EOPNOTSUPP as for bind_at. */
int gemsync_gpu_unbind(struct gemsync_gpu *gpu, uint64_t va, uint64_t size);

/* The GPU writes @size bytes of @data. */
int gemsync_gpu_write(struct gemsync_gpu *gpu, uint64_t va, const void *data, uint64_t size);

/* The GPU writes @value into every 32-bit word of the range. */
int gemsync_gpu_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size);

/* The GPU reads @size bytes; @data is what it saw. On failure its content is undefined. */
int gemsync_gpu_read(struct gemsync_gpu *gpu, uint64_t va, void *data, uint64_t size);

/* The GPU copies; the ranges must not overlap. */
int gemsync_gpu_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);

/* The GPU writes, or reads, one 32-bit word. */
int gemsync_gpu_write32(struct gemsync_gpu *gpu, uint64_t va, uint32_t value);
int gemsync_gpu_read32(struct gemsync_gpu *gpu, uint64_t va, uint32_t *value);

/**
 * Start a job that runs until the 32-bit word at @va is not 0, and return while it runs.
 *
 * It is for the CPU to write the word, through a write-combined map or with a flush. No
 * other call that makes this GPU work may come before gemsync_gpu_spin_end().
 */
int gemsync_gpu_spin_begin(struct gemsync_gpu *gpu, uint64_t va);

/* Whether the job is still running: 1 or 0, or -errno. */
int gemsync_gpu_spin_running(struct gemsync_gpu *gpu);

/**
 * The job's end as a sync file, a new descriptor that the caller closes. Others can wait
 * for it without the device.
 */
int gemsync_gpu_spin_fence(struct gemsync_gpu *gpu, int *sync_file);

/* Wait for the job's end. */
int gemsync_gpu_spin_end(struct gemsync_gpu *gpu);

#ifdef __cplusplus
}
#endif

#endif
