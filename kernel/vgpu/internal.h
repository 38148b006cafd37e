/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of vgpu.ko share and drivers do not see. */
#ifndef VGPU_INTERNAL_H
#define VGPU_INTERNAL_H

#include <linux/dma-fence.h>

#include "vgpu.h"

/*
 * The fence of a job, which is all of it that the outside sees: it needs neither
 * the queue nor the scheduler, so it may outlive both.
 */
struct vgpu_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
};

struct vgpu_fence *vgpu_fence_alloc(void);
void vgpu_fence_init(struct vgpu_fence *fence, struct vgpu_queue *queue);
void vgpu_fence_signal(struct vgpu_fence *fence, int error);
void vgpu_fence_put(struct vgpu_fence *fence);

struct vgpu_job {
	struct drm_sched_job base;
	struct vgpu_group *group;
	struct vgpu_queue *queue;
	struct vgpu_fence *fence;
	u64 va;
	u64 size;
	unsigned long deadline;		/* jiffies; valid while it runs */
};

#define to_vgpu_job(job) container_of(job, struct vgpu_job, base)

struct vgpu_job *vgpu_job_create(struct vgpu_group *group, const struct vgpu_job_args *args,
				 u64 client_id);
void vgpu_job_arm(struct vgpu_job *job);
void vgpu_job_free(struct vgpu_job *job);

struct vgpu_queue *vgpu_queue_create(struct vgpu_group *group, u32 index);
void vgpu_queue_destroy(struct vgpu_queue *queue);
void vgpu_queue_wake(struct vgpu_queue *queue);
extern const struct drm_sched_backend_ops vgpu_sched_ops;

/* 0, or the negative errno with which the jobs of a queue end. */
int vgpu_group_error(struct vgpu_group *group, u32 queue);
void vgpu_group_set_fatal(struct vgpu_group *group, u32 queue);
void vgpu_group_set_timedout(struct vgpu_group *group);

struct vgpu_submit_entry {
	struct vgpu_job *job;		/* NULL once the scheduler has it */
	struct dma_fence *fence;	/* of the job, once it is armed */
	struct vgpu_sync_op *syncs;
	u32 sync_count;
};

int vgpu_signals_collect(struct vgpu_submit *submit);
int vgpu_signals_wait(struct vgpu_submit *submit, struct vgpu_submit_entry *entry);
void vgpu_signals_update(struct vgpu_submit *submit, struct vgpu_submit_entry *entry);
void vgpu_signals_publish(struct vgpu_submit *submit);
void vgpu_signals_free(struct vgpu_submit *submit);

#endif
