/* SPDX-License-Identifier: MIT */
/*
 * GPUs with a command-stream front end: the streams behind gpu.h, which need no
 * shader cores, and what tests of streams need beyond it: queues and programs of
 * their own. A driver embeds struct gpu_csf and fills struct gpu_csf_ops. All
 * functions return 0 or -errno.
 */
#ifndef GPU_CSF_H
#define GPU_CSF_H

#include "csf_asm.h"
#include "gpu_ops.h"

#define GPU_CSF_TIMEOUT_NS	10000000000ll

/* A queue that executes one stream at a time; drivers embed it. */
struct gpu_queue {
	struct gpu_csf *gpu;
};

struct gpu_csf_ops {
	/* @out->gpu is set by the caller. */
	int (*queue_create)(struct gpu_csf *gpu, struct gpu_queue **out);
	void (*queue_destroy)(struct gpu_queue *queue);
	int (*submit)(struct gpu_queue *queue, uint64_t va, uint32_t size);
	int (*wait)(struct gpu_queue *queue, int64_t timeout_ns);
	/* Bind what the GPU may execute but not write. */
	int (*bind_program)(struct gpu_csf *gpu, uint32_t handle, uint64_t size, uint64_t va);
};

/* The part that is the same for every driver; base is the first member. */
struct gpu_csf {
	struct gemsync_gpu base;
	const struct gpu_csf_ops *csf;
	struct gpu_queue *queue;	/* of gpu.h's own jobs */
	struct gemsync_bo *program;
	void *program_map;
};

/* For drivers' open and close: @gpu->csf is set. Binds the programs, creates the queue. */
int gpu_csf_init(struct gpu_csf *gpu, struct gemsync_device *dev);
void gpu_csf_fini(struct gpu_csf *gpu);

/* Members of struct gpu_ops. */
int gpu_csf_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size);
int gpu_csf_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size);
int gpu_csf_spin_begin(struct gemsync_gpu *gpu, uint64_t va);
int gpu_csf_spin_running(struct gemsync_gpu *gpu);
int gpu_csf_spin_end(struct gemsync_gpu *gpu);

/* ---- For tests; @gpu is one of a driver with command streams ---- */

/*
 * Programs: slots of GPU_CSF_SLOT_SIZE bytes that the GPU may execute but not
 * write. Slot 0 is the GPU's own.
 */
#define GPU_CSF_SLOTS		16
#define GPU_CSF_SLOT_SIZE	4096

/* Put a stream into a slot. -EINVAL if it does not fit. */
int gpu_csf_load(struct gemsync_gpu *gpu, unsigned int slot, const uint64_t *words, size_t count,
		 uint64_t *va);

/* Run a stream on the GPU's own queue and wait; -EIO, -ETIME as in gpu.h. */
int gpu_csf_run(struct gemsync_gpu *gpu, const uint64_t *words, size_t count);

int gpu_csf_queue_create(struct gemsync_gpu *gpu, struct gpu_queue **out);
void gpu_csf_queue_destroy(struct gpu_queue *queue);

/* -EINVAL if the stream cannot be one, or the queue is dead. */
int gpu_csf_submit(struct gpu_queue *queue, uint64_t va, uint32_t size);

/*
 * Wait for the stream's end, at most @timeout_ns. -ETIME if it still runs; -EIO if
 * it faulted, -ETIMEDOUT if the driver ended it: then the queue is dead.
 */
int gpu_csf_wait(struct gpu_queue *queue, int64_t timeout_ns);

#endif
