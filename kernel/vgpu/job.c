// SPDX-License-Identifier: GPL-2.0-only
/* Jobs, from creation to the scheduler's hands and back. */
#include <linux/nospec.h>
#include <linux/slab.h>

#include "internal.h"

static void job_free(struct vgpu_task *task)
{
	struct vgpu_job *job = container_of(task, struct vgpu_job, task);
	struct vgpu_group *group = job->group;

	if (job->release)
		job->release(job->data);
	vgpu_task_fini(task);
	kfree(job);
	vgpu_group_put(group);
}

static void free_work(struct work_struct *work)
{
	struct vgpu_job *job = container_of(work, struct vgpu_job, free_work);

	job_free(&job->task);
}

static struct vgpu_job *job_alloc(struct vgpu_queue *queue, const struct vgpu_job_args *args)
{
	struct vgpu_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	job->queue = queue;
	job->va = args->va;
	job->size = args->size;
	job->data = args->data;
	job->release = args->release;
	INIT_WORK(&job->free_work, free_work);
	job->task.timeline = &queue->timeline;
	job->task.queue_index = args->queue;
	job->task.free = job_free;
	return job;
}

struct vgpu_task *vgpu_job_create(struct vgpu_group *group, const struct vgpu_job_args *args,
				  u64 client_id)
{
	struct vgpu_job *job;
	int ret;

	if (args->queue >= group->queue_count || !vgpu_group_can_run(group))
		return ERR_PTR(-EINVAL);
	job = job_alloc(group->queues[array_index_nospec(args->queue, group->queue_count)], args);
	if (!job)
		return ERR_PTR(-ENOMEM);
	ret = vgpu_task_init(&job->task, &job->queue->entity, client_id);
	if (ret) {
		kfree(job);
		return ERR_PTR(ret);
	}
	job->group = vgpu_group_get(group);
	return &job->task;
}

/* All dependencies are met and the queue is free: credit_limit is 1. */
static struct dma_fence *run_job(struct drm_sched_job *sched_job)
{
	struct vgpu_job *job = to_vgpu_job(sched_job);
	struct dma_fence *fence = dma_fence_get(&job->task.fence->base);
	bool cookie = dma_fence_begin_signalling();

	if (!vgpu_group_can_run(job->group))
		vgpu_fence_signal(job->task.fence, -ECANCELED);
	else if (!job->size)
		vgpu_fence_signal(job->task.fence, 0);
	else
		vgpu_queue_begin(job->queue, job);
	dma_fence_end_signalling(cookie);
	return fence;
}

static enum drm_gpu_sched_stat timedout_job(struct drm_sched_job *sched_job)
{
	/* Never called: queues keep the time of their jobs themselves. */
	return COMPAT_SCHED_STAT_RESET;
}

/* What the driver kept is given back where any lock may be taken. */
static void free_job(struct drm_sched_job *sched_job)
{
	struct vgpu_job *job = to_vgpu_job(sched_job);

	if (job->release)
		queue_work(vgpu_release_wq, &job->free_work);
	else
		job_free(&job->task);
}

const struct drm_sched_backend_ops vgpu_sched_ops = {
	.run_job = run_job,
	.timedout_job = timedout_job,
	.free_job = free_job,
};
