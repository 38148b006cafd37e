// SPDX-License-Identifier: GPL-2.0-only
/* Jobs, from creation to the scheduler's hands and back. */
#include <linux/slab.h>

#include "internal.h"

struct vgpu_job *vgpu_job_create(struct vgpu_group *group, const struct vgpu_job_args *args,
				 u64 client_id)
{
	struct vgpu_job *job;
	int ret;

	if (args->queue >= group->queue_count || !vgpu_group_can_run(group))
		return ERR_PTR(-EINVAL);
	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->queue = group->queues[args->queue];
	job->va = args->va;
	job->size = args->size;
	job->fence = vgpu_fence_alloc();
	if (!job->fence) {
		ret = -ENOMEM;
		goto err_free;
	}
	ret = drm_sched_job_init(&job->base, &job->queue->entity, 1, group, client_id);
	if (ret)
		goto err_put_fence;
	job->group = vgpu_group_get(group);
	return job;

err_put_fence:
	vgpu_fence_put(job->fence);
err_free:
	kfree(job);
	return ERR_PTR(ret);
}

/* From here on the order of jobs in their queue is fixed. */
void vgpu_job_arm(struct vgpu_job *job)
{
	drm_sched_job_arm(&job->base);
	vgpu_fence_init(job->fence, job->queue);
}

/* The scheduler is done with the job, or never got it. */
void vgpu_job_free(struct vgpu_job *job)
{
	struct vgpu_group *group;

	if (!job)
		return;
	group = job->group;
	drm_sched_job_cleanup(&job->base);
	vgpu_fence_put(job->fence);
	kfree(job);
	vgpu_group_put(group);
}

/* All dependencies are met and the queue is free: credit_limit is 1. */
static struct dma_fence *run_job(struct drm_sched_job *sched_job)
{
	struct vgpu_job *job = to_vgpu_job(sched_job);
	struct vgpu_device *vdev = job->group->vdev;
	struct vgpu_queue *queue = job->queue;
	struct dma_fence *fence = dma_fence_get(&job->fence->base);

	if (!vgpu_group_can_run(job->group)) {
		vgpu_fence_signal(job->fence, -ECANCELED);
		return fence;
	}
	if (!job->size) {
		vgpu_fence_signal(job->fence, 0);
		return fence;
	}
	job->deadline = jiffies + vdev->job_timeout;
	vdev->engine->start(queue->engine, job->va, job->size);
	WRITE_ONCE(queue->job, job);
	vgpu_queue_wake(queue);
	return fence;
}

static enum drm_gpu_sched_stat timedout_job(struct drm_sched_job *sched_job)
{
	/* Never called: queues keep the time of their jobs themselves. */
	return DRM_GPU_SCHED_STAT_NOMINAL;
}

static void free_job(struct drm_sched_job *sched_job)
{
	vgpu_job_free(to_vgpu_job(sched_job));
}

const struct drm_sched_backend_ops vgpu_sched_ops = {
	.run_job = run_job,
	.timedout_job = timedout_job,
	.free_job = free_job,
};
