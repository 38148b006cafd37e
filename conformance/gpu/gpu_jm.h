/* SPDX-License-Identifier: MIT */
/*
 * GPUs with a job manager: the chains behind gpu.h. What the GPU writes, it writes with
 * WRITE_VALUE jobs, which every such GPU has. Jobs that read memory and tell what they
 * saw need shader code: reading, copying and waiting are done with the virtual jobs of
 * core/jm.h, and are -EOPNOTSUPP on a GPU that lacks them, which all hardware does.
 *
 * A driver embeds struct gpu_jm and fills struct gpu_jm_ops. All functions return 0 or
 * -errno.
 */
#ifndef GPU_JM_H
#define GPU_JM_H

#include "gpu_ops.h"
#include "jm_asm.h"

#define GPU_JM_TIMEOUT_NS	10000000000ll

struct gpu_jm;

struct gpu_jm_ops {
	/* Run the chain that begins at @va; one at a time. */
	int (*submit)(struct gpu_jm *gpu, uint64_t va);
	/* -ETIME if it still runs; -EIO if it faulted; -ETIMEDOUT if the driver ended it. */
	int (*wait)(struct gpu_jm *gpu, int64_t timeout_ns);
	/* The chain's end as a sync file; NULL if there is none. */
	int (*fence)(struct gpu_jm *gpu, int *sync_file);
};

/* The part that is the same for every driver; base is the first member. */
struct gpu_jm {
	struct gemsync_gpu base;
	const struct gpu_jm_ops *jm;
	struct gemsync_bo *jobs;	/* write-combined */
	struct jm_job *jobs_map;
	uint64_t jobs_va;
	bool has_virtual_jobs;
};

/*
 * For drivers' open and close: @gpu->jm, base.ops and base.dev are set. @ask: the GPU
 * may be one with virtual jobs; hardware would log a fault.
 */
int gpu_jm_init(struct gpu_jm *gpu, bool ask);
void gpu_jm_fini(struct gpu_jm *gpu);

/* Members of struct gpu_ops. */
int gpu_jm_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);
int gpu_jm_write(struct gemsync_gpu *gpu, uint64_t va, const void *data, uint64_t size);
int gpu_jm_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size);
int gpu_jm_spin_begin(struct gemsync_gpu *gpu, uint64_t va);
int gpu_jm_spin_running(struct gemsync_gpu *gpu);
int gpu_jm_spin_fence(struct gemsync_gpu *gpu, int *sync_file);
int gpu_jm_spin_end(struct gemsync_gpu *gpu);

#endif
