// SPDX-License-Identifier: GPL-2.0-only
/* Queues: a scheduler each, and the work item that executes the jobs. */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "internal.h"

/* Commands that a job executes before it lets others have the CPU. */
#define SLICE_COMMANDS		1024

/* CPU stores wake nobody: a blocked job looks again after this time. */
#define BLOCKED_POLL_MS		5

/* So many timeouts after its begin a job ends, however long its time stood still. */
#define PATIENCE		8

/* Longer than anybody waits, and jiffies can tell before from after. */
#define MAX_TIMEOUT		(MAX_JIFFY_OFFSET / PATIENCE)

/**
 * DOC: timeouts
 *
 * A job may take &vgpu_device_config.job_timeout_ms, of which counts
 *
 * - the time in which it executes, and
 * - the time in which it is blocked and nothing on the device executes: then only
 *   somebody outside, such as a CPU, can store what it waits for.
 *
 * While it is blocked and any queue of the device executes a job, or an object grows,
 * its time stands still, because that may be about to unblock it. Which memory that job
 * can reach is not looked at: a device has no way to know what a job will do. An endless
 * job ends by its own timeout, and queues that wait for each other in a circle do not
 * execute: both end. However long its time stands still, a job ends eight timeouts
 * after it began: fences are signalled in finite time.
 *
 * A blocked job is looked at every few milliseconds, and is as exact as that.
 */

static void set_blocked(struct vgpu_queue *queue, bool blocked)
{
	struct vgpu_device *vdev = queue->group->vdev;

	if (queue->blocked == blocked)
		return;
	queue->blocked = blocked;
	if (blocked)
		atomic_dec(&vdev->running);
	else
		atomic_inc(&vdev->running);
}

/* The scheduler's part of a job ends here; the queue has none. */
void vgpu_queue_begin(struct vgpu_queue *queue, struct vgpu_job *job)
{
	queue->group->vdev->engine->start(queue->engine, job->va, job->size);
	job->stamp = jiffies;
	job->begin = job->stamp;
	set_blocked(queue, false);
	/* Pairs with run_work(): the engine and the job are ready. */
	smp_store_release(&queue->job, job);
	vgpu_queue_wake(queue);
}

/* The job stays in the queue's hands until its fence is signalled. */
static void end_job(struct vgpu_queue *queue, int error)
{
	struct vgpu_fence *fence = queue->job->task.fence;

	set_blocked(queue, true);
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
		if (!group->vdev->jobs_fail_alone)
			vgpu_group_set_fatal(group, queue->index);
	}
	end_job(queue, vgpu_group_error(group, queue->index) ?: -EINVAL);
}

static void count_time(struct vgpu_queue *queue)
{
	unsigned long now = jiffies;

	if (!queue->blocked || !atomic_read(&queue->group->vdev->running))
		queue->job->used += now - queue->job->stamp;
	queue->job->stamp = now;
}

/*
 * Others can make a blocked job's time stand still, but not for ever: its fence
 * has to be signalled in finite time.
 */
static bool timed_out(const struct vgpu_job *job, unsigned long timeout)
{
	if (!timeout)
		return false;
	timeout = min(timeout, MAX_TIMEOUT);
	return job->used >= timeout ||
	       time_after(jiffies, job->begin + PATIENCE * timeout);
}

/* 0, or the negative errno with which the job alone ends. */
static int check_timeout(struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;

	count_time(queue);
	if (!timed_out(queue->job, group->vdev->job_timeout))
		return 0;
	if (!vgpu_group_can_run(group))
		return 0;
	dev_warn_ratelimited(group->vdev->drm.dev,
			     "%s[%d] group %u queue %u: job timeout after %u ms, stream at 0x%llx\n",
			     group->comm, group->pid, group->id, queue->index,
			     jiffies_to_msecs(group->vdev->job_timeout), queue->job->va);
	if (group->vdev->jobs_fail_alone)
		return -ETIMEDOUT;
	vgpu_group_set_timedout(group);
	return 0;
}

static void run_slice(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	s64 kicks = atomic64_read(&vdev->kicks);
	u32 budget = SLICE_COMMANDS;
	int error;

	error = check_timeout(queue) ?: vgpu_group_error(queue->group, queue->index);
	if (error) {
		end_job(queue, error);
		return;
	}
	switch (vdev->engine->run(queue->engine, &budget)) {
	case VGPU_RUN_RUNNING:
		set_blocked(queue, false);
		vgpu_queue_wake(queue);
		break;
	case VGPU_RUN_BLOCKED:
		set_blocked(queue, true);
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
	/* Pairs with vgpu_queue_begin(). */
	if (smp_load_acquire(&queue->job))
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

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->group = group;
	queue->index = index;
	queue->timeline.context = dma_fence_context_alloc(1);
	queue->blocked = true;
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
	/* The last job's fence may still be on its way through the scheduler. */
	cancel_delayed_work_sync(&queue->work);
	drm_sched_wqueue_stop(&queue->sched);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_fini(&queue->sched);
	queue->group->vdev->engine->destroy(queue->engine);
	kfree(queue);
}
