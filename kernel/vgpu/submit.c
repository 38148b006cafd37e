// SPDX-License-Identifier: GPL-2.0-only
/* Submissions: all jobs of one run, or none. */
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "internal.h"

/**
 * vgpu_submit_init() - begin a submission
 * @submit: the submission
 * @file: whose handles the syncobjs are
 * @group: runs the jobs; the caller has a reference until vgpu_submit_fini()
 * @capacity: the most jobs that will be added
 *
 * On failure there is nothing to release.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -ENOMEM.
 */
int vgpu_submit_init(struct vgpu_submit *submit, struct drm_file *file, struct vgpu_group *group,
		     u32 capacity)
{
	memset(submit, 0, sizeof(*submit));
	submit->file = file;
	submit->group = group;
	submit->signals = RB_ROOT;
	submit->capacity = capacity;
	submit->entries = kvcalloc(capacity, sizeof(*submit->entries),
				   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (capacity && !submit->entries)
		return -ENOMEM;
	drm_exec_init(&submit->exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(vgpu_submit_init);

/**
 * vgpu_submit_add() - add a job
 * @submit: the submission
 * @args: the job
 * @syncs: what it waits for and signals, from kvmalloc(); taken over in any case
 * @sync_count: number of sync ops
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL if there is no such queue or the group cannot run; -ENOMEM;
 * -E2BIG if the submission is full; -EINTR if the process is being killed.
 */
int vgpu_submit_add(struct vgpu_submit *submit, const struct vgpu_job_args *args,
		    struct vgpu_sync_op *syncs, u32 sync_count)
{
	struct vgpu_submit_entry *entry;
	struct vgpu_job *job;
	int ret = 0;

	if (submit->count == submit->capacity)
		ret = -E2BIG;
	else if (fatal_signal_pending(current))
		ret = -EINTR;
	if (ret)
		goto err_free;
	cond_resched();
	job = vgpu_job_create(submit->group, args, submit->file->client_id);
	if (IS_ERR(job)) {
		ret = PTR_ERR(job);
		goto err_free;
	}
	entry = &submit->entries[submit->count++];
	entry->job = job;
	entry->syncs = syncs;
	entry->sync_count = sync_count;
	return 0;

err_free:
	kvfree(syncs);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_submit_add);

/*
 * Lock the reservations of all that the jobs may access, with room for one fence of
 * each queue: a later fence of a queue takes the place of an earlier one.
 */
static int lock_objects(struct vgpu_submit *submit)
{
	struct vgpu_vm *vm = submit->group->vm;
	unsigned int fences = submit->group->queue_count;
	int ret;

	ret = mutex_lock_interruptible(&vm->objs_lock);
	if (ret)
		return ret;
	drm_exec_until_all_locked(&submit->exec) {
		ret = drm_gpuvm_prepare_vm(&vm->base, &submit->exec, fences);
		drm_exec_retry_on_contention(&submit->exec);
		if (ret)
			break;
		ret = drm_gpuvm_prepare_objects(&vm->base, &submit->exec, fences);
		drm_exec_retry_on_contention(&submit->exec);
		if (ret)
			break;
	}
	mutex_unlock(&vm->objs_lock);
	return ret;
}

/* Under the VM's reservation lock, which fixes the order of jobs in their queues. */
static int arm_jobs(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		struct vgpu_submit_entry *entry = &submit->entries[i];
		int ret = vgpu_signals_wait(submit, entry);

		if (ret)
			return ret;
		vgpu_job_arm(entry->job);
		entry->fence = dma_fence_get(&entry->job->fence->base);
		vgpu_signals_update(submit, entry);
	}
	return 0;
}

/* The last job of a queue ends after all others of it. */
static void add_fences(struct vgpu_submit *submit)
{
	u32 seen = 0;

	for (u32 i = submit->count; i--;) {
		struct vgpu_submit_entry *entry = &submit->entries[i];
		u32 queue = BIT(entry->job->queue->index);

		if (!(seen & queue))
			drm_gpuvm_resv_add_fence(&submit->group->vm->base, &submit->exec,
						 entry->fence, DMA_RESV_USAGE_BOOKKEEP,
						 DMA_RESV_USAGE_BOOKKEEP);
		seen |= queue;
	}
}

static void push_jobs(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		struct vgpu_submit_entry *entry = &submit->entries[i];

		drm_sched_entity_push_job(&entry->job->base);
		entry->job = NULL;
	}
}

/**
 * vgpu_submit_commit() - run the jobs
 * @submit: the submission
 *
 * A job may wait for a syncobj that a job before it signals. On failure nothing
 * runs and no syncobj has changed.
 *
 * Context: Process context, may sleep. Takes the reservation locks of the VM's
 * objects, which are held until vgpu_submit_fini().
 *
 * Return: 0; -EINVAL for an unknown syncobj to signal, or a wait for one without a
 * fence; -ENOENT for an unknown syncobj to wait for; -E2BIG for more than 4096 syncobj
 * points to signal; -ENOMEM; -EINTR if a signal came.
 */
int vgpu_submit_commit(struct vgpu_submit *submit)
{
	int ret;

	if (!submit->count)
		return 0;
	ret = vgpu_signals_collect(submit);
	if (ret)
		return ret;
	ret = lock_objects(submit);
	if (ret)
		return ret;
	ret = arm_jobs(submit);
	if (ret)
		return ret;
	add_fences(submit);
	push_jobs(submit);
	vgpu_signals_publish(submit);
	return 0;
}
EXPORT_SYMBOL_GPL(vgpu_submit_commit);

/**
 * vgpu_submit_fini() - release what a submission has
 * @submit: the submission, committed or not
 *
 * Context: Process context, may sleep.
 */
void vgpu_submit_fini(struct vgpu_submit *submit)
{
	drm_exec_fini(&submit->exec);
	vgpu_signals_free(submit);
	for (u32 i = 0; i < submit->count; i++) {
		dma_fence_put(submit->entries[i].fence);
		vgpu_job_free(submit->entries[i].job);
		kvfree(submit->entries[i].syncs);
		cond_resched();
	}
	kvfree(submit->entries);
}
EXPORT_SYMBOL_GPL(vgpu_submit_fini);
