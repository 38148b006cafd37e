// SPDX-License-Identifier: GPL-2.0-only
/* Queues: a scheduler each, and the slices in which they execute their jobs. */
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "internal.h"

/* What a job executes before it lets others have their turn, and how often it looks. */
#define SLICE_NS		(2 * NSEC_PER_MSEC)
#define SLICE_COMMANDS		64

/* What a slice takes beyond this is not the job's doing: others had the CPU. */
#define MAX_SLICE_NS		(5 * SLICE_NS)

/* A job ends that was blocked for so many timeouts, however long its time stood still. */
#define PATIENCE		8

/**
 * DOC: timeouts
 *
 * A job may take &vgpu_device_config.job_timeout_ms, of which counts
 *
 * - the time in which it executes, and
 * - the time in which it is blocked and nothing on the device wants to execute: then
 *   only somebody outside, such as a CPU, can store what it waits for. It is counted from
 *   one look at the memory to the next, however many of these others cause.
 *
 * The time in which it waits for its turn does not count: nobody's jobs time out because
 * somebody else keeps the device busy. It is looked at behind a slice, so that a job
 * always gets to do something first.
 *
 * While a job is blocked and any queue of the device has commands to execute, its time
 * stands still, because that may be about to unblock it. Which memory that job can reach
 * is not looked at: a device has no way to know what a job will do. An endless job ends
 * by its own timeout, and queues that wait for each other in a circle do not execute:
 * both end. However long its time stands still, a job ends when it was blocked for eight
 * timeouts: fences are signalled in finite time. For the same reason no device is without
 * a timeout.
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
	job->nc_job.submission = job->task.fence->base.seqno;
	job->nc_job.address = job->va;
	job->nc_job.group = queue->group->id;
	job->nc_job.queue = queue->index;
	ncmem_job_begin(queue->group->vdev->nc, &job->nc_job);
	queue->group->vdev->engine->start(queue->engine, job->va, job->size);
	set_blocked(queue, false);
	/* Pairs with vgpu_queue_run(): the engine and the job are ready. */
	smp_store_release(&queue->job, job);
	vgpu_queue_wake(queue);
}

/* The job stays in the queue's hands until its fence is signalled. */
static void end_job(struct vgpu_queue *queue, int error)
{
	struct vgpu_fence *fence = queue->job->task.fence;

	set_blocked(queue, true);
	ncmem_job_end(queue->group->vdev->nc, &queue->job->nc_job);
	dma_fence_get(&fence->base);
	WRITE_ONCE(queue->job, NULL);
	vgpu_fence_signal(fence, error);
	dma_fence_put(&fence->base);
}

/* Tell whose job failed, and in words that let the user find the command. */
static void report_fault(struct vgpu_queue *queue)
{
	const struct vgpu_group *group = queue->group;
	struct vgpu_fault fault = {};

	if (!vgpu_client_may_log(group->vdev, group->client))
		return;
	group->vdev->engine->fault(queue->engine, &fault);
	dev_warn(group->vdev->drm.dev,
		 "%s[%d] group %u queue %u: %s at 0x%llx, pc 0x%llx, command 0x%016llx (%s)\n",
		 group->comm, group->pid, group->id, queue->index, fault.name, fault.address,
		 fault.pc, fault.command, fault.opcode);
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

/* What a slice of @ns has told of the time of its job. */
static void count_slice(struct vgpu_queue *queue, u64 ns, bool progress)
{
	struct vgpu_job *job = queue->job;

	/* A look that finds the job blocked as before is no work of the job's. */
	if (!progress)
		return;
	job->used_ns += min(ns, MAX_SLICE_NS);
	vgpu_client_count(queue, ns);
}

/*
 * The time since it was found blocked, waiting for its turn included: others can make a
 * blocked job's time stand still, not its patience.
 */
static void count_blocked(struct vgpu_queue *queue)
{
	u64 ns;

	if (!queue->blocked)
		return;
	ns = ktime_get_ns() - queue->looked_ns;
	queue->job->blocked_ns += ns;
	if (!atomic_read(&queue->group->vdev->running))
		queue->job->used_ns += ns;
}

static bool timed_out(const struct vgpu_queue *queue)
{
	u64 limit = (u64)queue->group->vdev->job_timeout_ms * NSEC_PER_MSEC;

	return queue->job->used_ns >= limit || queue->job->blocked_ns >= PATIENCE * limit;
}

static void handle_timeout(struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;

	if (vgpu_group_can_run(group)) {
		if (vgpu_client_may_log(group->vdev, group->client))
			dev_warn(group->vdev->drm.dev,
				 "%s[%d] group %u queue %u: job timeout after %u ms, stream at 0x%llx\n",
				 group->comm, group->pid, group->id, queue->index,
				 group->vdev->job_timeout_ms, queue->job->va);
		if (!group->vdev->jobs_fail_alone)
			vgpu_group_set_timedout(group);
	}
	end_job(queue, vgpu_group_error(group, queue->index) ?: -ETIMEDOUT);
}

/* A job that waited too long looks once more: of a word that was never flushed, this tells. */
static void look_in_vain(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	u32 budget = 1;

	ncmem_job_run(vdev->nc, &queue->job->nc_job, true);
	vdev->engine->run(queue->engine, &budget);
	ncmem_job_pause(vdev->nc, &queue->job->nc_job);
}

/* Commands for the time of a slice. */
static enum vgpu_run run_commands(struct vgpu_queue *queue)
{
	const struct vgpu_engine_ops *engine = queue->group->vdev->engine;
	struct ncmem *nc = queue->group->vdev->nc;
	u64 begin = ktime_get_ns(), now = begin;
	bool progress = false;
	enum vgpu_run run;

	ncmem_job_run(nc, &queue->job->nc_job, false);
	do {
		u32 budget = SLICE_COMMANDS;

		run = engine->run(queue->engine, &budget);
		progress |= budget < SLICE_COMMANDS;
		now = ktime_get_ns();
	} while (run == VGPU_RUN_RUNNING && now - begin < SLICE_NS);
	ncmem_job_pause(nc, &queue->job->nc_job);
	count_slice(queue, now - begin, progress);
	return run;
}

static enum vgpu_after_slice run_slice(struct vgpu_queue *queue)
{
	int error = vgpu_group_error(queue->group, queue->index);
	enum vgpu_run run;

	if (error) {
		end_job(queue, error);
		return VGPU_QUEUE_IDLE;
	}
	count_blocked(queue);
	run = run_commands(queue);
	if (run == VGPU_RUN_DONE) {
		end_job(queue, 0);
		return VGPU_QUEUE_IDLE;
	}
	if (run == VGPU_RUN_FAULT) {
		handle_fault(queue);
		return VGPU_QUEUE_IDLE;
	}
	set_blocked(queue, run == VGPU_RUN_BLOCKED);
	queue->looked_ns = ktime_get_ns();
	if (timed_out(queue)) {
		if (run == VGPU_RUN_BLOCKED)
			look_in_vain(queue);
		handle_timeout(queue);
		return VGPU_QUEUE_IDLE;
	}
	return run == VGPU_RUN_BLOCKED ? VGPU_QUEUE_BLOCKED : VGPU_QUEUE_READY;
}

enum vgpu_after_slice vgpu_queue_run(struct vgpu_queue *queue)
{
	/* Pairs with vgpu_queue_begin(). */
	if (!smp_load_acquire(&queue->job))
		return VGPU_QUEUE_IDLE;
	return run_slice(queue);
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
	INIT_LIST_HEAD(&queue->turn);
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
	vgpu_queue_stop(queue);
	drm_sched_wqueue_stop(&queue->sched);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_fini(&queue->sched);
	queue->group->vdev->engine->destroy(queue->engine);
	kfree(queue);
}
