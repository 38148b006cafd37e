// SPDX-License-Identifier: GPL-2.0-only
/* Submissions: all jobs or binds of one run, or none. */
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "internal.h"

/**
 * vgpu_submit_init() - begin a submission
 * @submit: the submission
 * @file: whose handles the syncobjs are
 * @vm: of the jobs or binds; the caller has a reference until vgpu_submit_fini()
 * @group: runs the jobs, in @vm; the caller has a reference as well; NULL for binds
 * @capacity: the most jobs or binds that will be added
 *
 * On failure there is nothing to release.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -ENOMEM.
 */
int vgpu_submit_init(struct vgpu_submit *submit, struct drm_file *file, struct vgpu_vm *vm,
		     struct vgpu_group *group, u32 capacity)
{
	memset(submit, 0, sizeof(*submit));
	submit->file = file;
	submit->vm = vm;
	submit->group = group;
	submit->signals = RB_ROOT;
	submit->capacity = capacity;
	submit->entries = kvcalloc(capacity, sizeof(*submit->entries),
				   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (capacity && !submit->entries)
		return -ENOMEM;
	vgpu_exec_init(&submit->exec);
	return 0;
}
EXPORT_SYMBOL_GPL(vgpu_submit_init);

/*
 * The most sync ops of one submission. Each job may name the same user array, of
 * which all copies live until the end.
 */
#define MAX_SYNCS	SZ_1M

/* Whether there is room and reason for one more. */
static int check_add(struct vgpu_submit *submit, u32 sync_count)
{
	if (submit->count == submit->capacity || sync_count > MAX_SYNCS - submit->sync_count)
		return -E2BIG;
	submit->sync_count += sync_count;
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return 0;
}

static int add_task(struct vgpu_submit *submit, struct vgpu_task *task,
		    struct vgpu_sync_op *syncs, u32 sync_count)
{
	struct vgpu_submit_entry *entry;

	if (IS_ERR(task)) {
		kvfree(syncs);
		return PTR_ERR(task);
	}
	entry = &submit->entries[submit->count++];
	entry->task = task;
	entry->syncs = syncs;
	entry->sync_count = sync_count;
	return 0;
}

/**
 * vgpu_submit_add_job() - add a job
 * @submit: the submission
 * @args: the job
 * @syncs: what it waits for and signals, from kvmalloc(); taken over in any case
 * @sync_count: number of sync ops
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL if there is no such queue or the group cannot run; -ENOMEM;
 * -E2BIG if the submission is full or has more than 1,048,576 sync ops; -EINTR if
 * the process is being killed.
 */
int vgpu_submit_add_job(struct vgpu_submit *submit, const struct vgpu_job_args *args,
			struct vgpu_sync_op *syncs, u32 sync_count)
{
	int ret = check_add(submit, sync_count);
	struct vgpu_task *task;

	if (ret)
		task = ERR_PTR(ret);
	else
		task = vgpu_job_create(submit->group, args, submit->file->client_id);
	/* There is no job that could give it back. */
	if (IS_ERR(task) && args->release)
		args->release(args->data);
	return add_task(submit, task, syncs, sync_count);
}
EXPORT_SYMBOL_GPL(vgpu_submit_add_job);

/**
 * vgpu_submit_add_bind() - add a change of the address space
 * @submit: the submission
 * @args: the change
 * @syncs: what it waits for and signals, from kvmalloc(); taken over in any case
 * @sync_count: number of sync ops
 *
 * The asynchronous binds of an address space run in the order of their submission.
 * All that may fail is done here: what is mapped is populated, and stays so until then.
 *
 * Context: Process context, may sleep. Takes the object's reservation lock.
 *
 * Return: 0; -EINVAL as vgpu_vm_bind(), or if the VM is unusable; -ENOMEM; -E2BIG if
 * the submission is full or has more than 1,048,576 sync ops; -EINTR; an error of
 * the DMA mapping.
 */
int vgpu_submit_add_bind(struct vgpu_submit *submit, const struct vgpu_bind_args *args,
			 struct vgpu_sync_op *syncs, u32 sync_count)
{
	int ret = check_add(submit, sync_count);
	struct vgpu_task *task;

	if (ret)
		task = ERR_PTR(ret);
	else
		task = vgpu_bind_create(submit->vm, args, submit->file->client_id);
	return add_task(submit, task, syncs, sync_count);
}
EXPORT_SYMBOL_GPL(vgpu_submit_add_bind);

/*
 * What jobs may access: all that is mapped, with room for one fence of each queue. A
 * later fence of a queue takes the place of an earlier one. What was evicted comes
 * back, and stays for the fence's sake.
 */
static int prepare_for_jobs(struct vgpu_submit *submit)
{
	unsigned int fences = submit->group->queue_count;
	int ret;

	ret = drm_gpuvm_prepare_vm(&submit->vm->base, &submit->exec, fences);
	if (ret)
		return ret;
	ret = drm_gpuvm_prepare_objects(&submit->vm->base, &submit->exec, fences);
	return ret ?: vgpu_implicit_prepare(submit);
}

/* What binds change: the VM, and what they map, with room for the fence of the last bind. */
static int prepare_for_binds(struct vgpu_submit *submit)
{
	int ret;

	ret = drm_gpuvm_prepare_vm(&submit->vm->base, &submit->exec, 1);
	for (u32 i = 0; i < submit->count && !ret; i++) {
		struct drm_gem_object *obj = submit->entries[i].task->obj;

		if (obj)
			ret = drm_exec_prepare_obj(&submit->exec, obj, 1);
	}
	return ret;
}

static int lock_objects(struct vgpu_submit *submit)
{
	struct vgpu_vm *vm = submit->vm;
	int ret;

	ret = mutex_lock_interruptible(&vm->objs_lock);
	if (ret)
		return ret;
	drm_exec_until_all_locked(&submit->exec) {
		ret = submit->group ? prepare_for_jobs(submit) : prepare_for_binds(submit);
		drm_exec_retry_on_contention(&submit->exec);
		if (ret)
			break;
	}
	if (!ret && submit->group)
		ret = drm_gpuvm_validate(&vm->base, &submit->exec);
	mutex_unlock(&vm->objs_lock);
	return ret;
}

static int count_waits(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		const struct vgpu_submit_entry *entry = &submit->entries[i];

		for (u32 j = 0; j < entry->sync_count; j++)
			submit->wait_count += !entry->syncs[j].signal;
		cond_resched();
	}
	return submit->wait_count > VGPU_MAX_WAITS ? -E2BIG : 0;
}

/*
 * Under the VM's reservation lock, which fixes the order of tasks on their timelines. Of
 * this all can be undone: a fence that nobody outside has seen need not be signalled.
 */
static int order_tasks(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		struct vgpu_submit_entry *entry = &submit->entries[i];
		struct vgpu_task *task = entry->task;
		int ret = vgpu_implicit_wait(submit, task) ?: vgpu_signals_wait(submit, entry);

		if (ret)
			return ret;
		vgpu_fence_init(task->fence, task->timeline);
		entry->fence = dma_fence_get(&task->fence->base);
		vgpu_signals_update(submit, entry);
		cond_resched();
	}
	return 0;
}

static void add_to_all(struct vgpu_submit *submit, struct dma_fence *fence)
{
	struct drm_exec *exec = &submit->exec;

	/* drm_exec_for_each_locked_object() has other arguments in other 6.12s. */
	for (unsigned int i = 0; i < exec->num_objects; i++) {
		dma_resv_add_fence(exec->objects[i]->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
		cond_resched();
	}
}

/* The last task on a timeline ends after all others of it. */
static void add_fences(struct vgpu_submit *submit)
{
	u32 seen = 0;

	for (u32 i = submit->count; i--;) {
		struct vgpu_submit_entry *entry = &submit->entries[i];
		u32 queue = BIT(entry->task->queue_index);

		if (!(seen & queue))
			add_to_all(submit, entry->fence);
		seen |= queue;
	}
	vgpu_implicit_add(submit, submit->entries[submit->count - 1].fence);
}

static void push_tasks(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		struct vgpu_submit_entry *entry = &submit->entries[i];

		/* An armed job has to be pushed: nothing that may fail comes between. */
		drm_sched_job_arm(&entry->task->base);
		drm_sched_entity_push_job(&entry->task->base);
		entry->task = NULL;
		cond_resched();
	}
}

/* From the first fence that others see on, all have to be signalled: nothing fails or waits. */
static void publish(struct vgpu_submit *submit)
{
	bool cookie = dma_fence_begin_signalling();

	add_fences(submit);
	push_tasks(submit);
	vgpu_signals_publish(submit);
	dma_fence_end_signalling(cookie);
}

/**
 * vgpu_submit_commit() - run the jobs or binds
 * @submit: the submission
 *
 * Each may wait for a syncobj that one before it signals. On failure nothing
 * runs and no syncobj has changed.
 *
 * Context: Process context, may sleep. Takes the reservation locks of the VM's
 * objects, which are held until vgpu_submit_fini().
 *
 * Return: 0; -EINVAL for an unknown syncobj to signal, or a wait for one without a
 * fence; -ENOENT for an unknown syncobj to wait for; -E2BIG for more than 4096 syncobj
 * points to signal, or waits, which include one for each timeline that uses
 * &vgpu_submit.objs; -ENOMEM; -EINTR if a signal came; an error of the DMA mapping.
 */
int vgpu_submit_commit(struct vgpu_submit *submit)
{
	int ret;

	if (!submit->count)
		return 0;
	ret = count_waits(submit);
	if (ret)
		return ret;
	ret = vgpu_signals_collect(submit);
	if (!ret && submit->group)
		ret = vgpu_heaps_prepare(submit->vm);
	if (ret)
		return ret;
	ret = lock_objects(submit);
	if (ret)
		return ret;
	ret = order_tasks(submit);
	if (ret)
		return ret;
	publish(submit);
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
	vgpu_exec_fini(&submit->exec);
	vgpu_signals_free(submit);
	for (u32 i = 0; i < submit->count; i++) {
		dma_fence_put(submit->entries[i].fence);
		vgpu_task_free(submit->entries[i].task);
		kvfree(submit->entries[i].syncs);
		cond_resched();
	}
	kvfree(submit->entries);
}
EXPORT_SYMBOL_GPL(vgpu_submit_fini);
