// SPDX-License-Identifier: GPL-2.0-only
/* Queues: a scheduler each, and the work item that executes the jobs. */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "internal.h"

/* Commands that a job executes before it lets others have the CPU. */
#define SLICE_COMMANDS		1024

/* CPU stores wake nobody: a blocked job looks again after this time. */
#define BLOCKED_POLL_MS		5

/* The job stays in the queue's hands until its fence is signalled. */
static void end_job(struct vgpu_queue *queue, int error)
{
	struct vgpu_fence *fence = queue->job->fence;

	dma_fence_get(&fence->base);
	WRITE_ONCE(queue->job, NULL);
	vgpu_fence_signal(fence, error);
	dma_fence_put(&fence->base);
}

static void park(struct vgpu_queue *queue, s64 kicks)
{
	struct vgpu_device *vdev = queue->group->vdev;

	spin_lock(&vdev->parked_lock);
	list_add_tail(&queue->parked, &vdev->parked);
	spin_unlock(&vdev->parked_lock);
	/* Pairs with vgpu_device_kick(). */
	smp_mb();
	if (atomic64_read(&vdev->kicks) != kicks)
		vgpu_queue_wake(queue);
	else
		queue_delayed_work(vdev->run_wq, &queue->work, msecs_to_jiffies(BLOCKED_POLL_MS));
}

static void unpark(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;

	spin_lock(&vdev->parked_lock);
	list_del_init(&queue->parked);
	spin_unlock(&vdev->parked_lock);
}

/* Tell whose job failed, and in words that let the user find the command. */
static void report_fault(struct vgpu_queue *queue)
{
	const struct vgpu_group *group = queue->group;
	struct vgpu_fault fault = {};

	group->vdev->engine->fault(queue->engine, &fault);
	dev_warn_ratelimited(group->vdev->drm.dev,
			     "%s[%d] group %u queue %u: %s at 0x%llx, pc 0x%llx, command 0x%016llx (%s)\n",
			     group->comm, group->pid, group->id, queue->index, fault.name,
			     fault.address, fault.pc, fault.command, fault.opcode);
}

static void handle_fault(struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;

	/* Memory that went away with the file is not the job's fault. */
	if (vgpu_group_can_run(group)) {
		report_fault(queue);
		vgpu_group_set_fatal(group, queue->index);
	}
	end_job(queue, vgpu_group_error(group, queue->index));
}

static void check_timeout(struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;

	if (!group->vdev->job_timeout || time_before(jiffies, queue->job->deadline))
		return;
	if (!vgpu_group_can_run(group))
		return;
	dev_warn_ratelimited(group->vdev->drm.dev,
			     "%s[%d] group %u queue %u: job timeout after %u ms, stream at 0x%llx\n",
			     group->comm, group->pid, group->id, queue->index,
			     jiffies_to_msecs(group->vdev->job_timeout), queue->job->va);
	vgpu_group_set_timedout(group);
}

static void run_slice(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	s64 kicks = atomic64_read(&vdev->kicks);
	u32 budget = SLICE_COMMANDS;
	int error;

	check_timeout(queue);
	error = vgpu_group_error(queue->group, queue->index);
	if (error) {
		end_job(queue, error);
		return;
	}
	switch (vdev->engine->run(queue->engine, &budget)) {
	case VGPU_RUN_RUNNING:
		vgpu_queue_wake(queue);
		break;
	case VGPU_RUN_BLOCKED:
		park(queue, kicks);
		break;
	case VGPU_RUN_DONE:
		end_job(queue, 0);
		break;
	case VGPU_RUN_FAULT:
		handle_fault(queue);
		break;
	}
}

static void run_work(struct work_struct *work)
{
	struct vgpu_queue *queue = container_of(to_delayed_work(work), struct vgpu_queue, work);
	bool cookie = dma_fence_begin_signalling();

	unpark(queue);
	if (READ_ONCE(queue->job))
		run_slice(queue);
	dma_fence_end_signalling(cookie);
}

/* Execute a slice soon, whatever was planned. May be called in atomic context. */
void vgpu_queue_wake(struct vgpu_queue *queue)
{
	mod_delayed_work(queue->group->vdev->run_wq, &queue->work, 0);
}

static int init_scheduler(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	const struct drm_sched_init_args args = {
		.ops = &vgpu_sched_ops,
		.submit_wq = vdev->sched_wq,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "vgpu-queue",
		.dev = vdev->drm.dev,
	};
	struct drm_gpu_scheduler *sched = &queue->sched;
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL, &sched, 1, NULL);
	if (ret)
		drm_sched_fini(sched);
	return ret;
}

struct vgpu_queue *vgpu_queue_create(struct vgpu_group *group, u32 index)
{
	struct vgpu_queue *queue;
	int ret;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->group = group;
	queue->index = index;
	queue->fence_context = dma_fence_context_alloc(1);
	INIT_DELAYED_WORK(&queue->work, run_work);
	INIT_LIST_HEAD(&queue->parked);
	queue->engine = group->vdev->engine->create(queue);
	if (IS_ERR(queue->engine)) {
		ret = PTR_ERR(queue->engine);
		goto err_free;
	}
	ret = init_scheduler(queue);
	if (ret)
		goto err_destroy_engine;
	return queue;

err_destroy_engine:
	group->vdev->engine->destroy(queue->engine);
err_free:
	kfree(queue);
	return ERR_PTR(ret);
}

/* No job is left, and this is not one of the scheduler's work items. */
void vgpu_queue_destroy(struct vgpu_queue *queue)
{
	if (!queue)
		return;
	drm_sched_entity_fini(&queue->entity);
	drm_sched_fini(&queue->sched);
	cancel_delayed_work_sync(&queue->work);
	queue->group->vdev->engine->destroy(queue->engine);
	kfree(queue);
}
