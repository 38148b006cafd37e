/* SPDX-License-Identifier: MIT */
/* Between gpu.c and the drivers' files. What a driver lacks is NULL. */
#ifndef GPU_OPS_H
#define GPU_OPS_H

#include "gpu.h"

struct gpu_ops {
	const char *driver;		/* name of the DRM driver */
	/* Sets @out->ops, this or another table; dev and next_va are set by gpu.c. */
	int (*open)(struct gemsync_device *dev, struct gemsync_gpu **out);
	void (*close)(struct gemsync_gpu *gpu);
	/* Where a driver that maps every BO by itself has mapped this one: in place of bind. */
	int (*address)(struct gemsync_gpu *gpu, uint32_t handle, uint64_t *va);
	int (*bind)(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
		    uint64_t va);
	int (*bind_readonly)(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset,
			     uint64_t size, uint64_t va);
	int (*unbind)(struct gemsync_gpu *gpu, uint64_t va, uint64_t size);
	int (*map_offset)(struct gemsync_device *dev, uint32_t handle, uint64_t *offset);
	/* Whether the CPU may map imports through the device, if nothing else is said (R15). */
	bool maps_imports;
	int (*madvise)(struct gemsync_device *dev, uint32_t handle, bool needed, bool *retained);
	int (*map_registers)(struct gemsync_device *dev, void **out);
	const struct gemsync_sync_abi *sync_abi;
	const struct gpu_handle_call *handle_calls;	/* the last one has no name */
	/* Addresses and sizes are checked: multiples of 4, no size 0. */
	int (*copy)(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);
	/* NULL: the data is copied from where the CPU puts it. */
	int (*write)(struct gemsync_gpu *gpu, uint64_t va, const void *data, uint64_t size);
	int (*fill)(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size);
	int (*spin_begin)(struct gemsync_gpu *gpu, uint64_t va);
	int (*spin_running)(struct gemsync_gpu *gpu);
	int (*spin_fence)(struct gemsync_gpu *gpu, int *sync_file);
	int (*spin_end)(struct gemsync_gpu *gpu);
};

extern const struct gpu_ops gpu_panthor_ops;
extern const struct gpu_ops gpu_panfrost_ops;
extern const struct gpu_ops gpu_powervr_ops;
extern const struct gpu_ops gpu_sim_ops;
extern const struct gpu_ops gpu_described_ops;	/* of drivers that others describe */

/* As gpu_handle_call(), of a driver that others describe: what its description has. */
const struct gpu_handle_call *gpu_described_call(struct gemsync_device *dev, unsigned int index);

/* The part of a GPU that is the same for every driver; drivers embed it. */
struct gemsync_gpu {
	const struct gpu_ops *ops;
	struct gemsync_device *dev;
	uint64_t next_va;	/* never bound before */
	/* A write-combined BO through which data goes to and from the GPU. */
	struct gemsync_bo *staging;
	void *staging_map;
	uint64_t staging_va;
};

#endif
