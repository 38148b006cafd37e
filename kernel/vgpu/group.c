// SPDX-License-Identifier: GPL-2.0-only
/* Groups: queues that fail together. */
#include <linux/capability.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_auth.h>
#include <drm/drm_drv.h>

#include "internal.h"

/* The last reference may be a job's, dropped by the scheduler that ends here. */
static void release_work(struct work_struct *work)
{
	struct vgpu_group *group = container_of(work, struct vgpu_group, release_work);
	struct vgpu_device *vdev = group->vdev;

	mutex_lock(&vdev->lock);
	list_del(&group->node);
	mutex_unlock(&vdev->lock);
	for (u32 i = 0; i < group->queue_count; i++)
		vgpu_queue_destroy(group->queues[i]);
	vgpu_vm_put(group->vm);
	vgpu_client_put(group->client);
	kfree(group);
	drm_dev_put(&vdev->drm);
}

static void group_release(struct kref *ref)
{
	struct vgpu_group *group = container_of(ref, struct vgpu_group, ref);

	queue_work(vgpu_release_wq, &group->release_work);
}

static int create_queues(struct vgpu_group *group)
{
	for (u32 i = 0; i < group->queue_count; i++) {
		struct vgpu_queue *queue = vgpu_queue_create(group, i);

		if (IS_ERR(queue))
			return PTR_ERR(queue);
		group->queues[i] = queue;
	}
	return 0;
}

/* An unplug kills the groups that it finds; none comes later. 0 or -ENODEV. */
static int add_group(struct vgpu_group *group)
{
	struct vgpu_device *vdev = group->vdev;
	int ret = 0;

	mutex_lock(&vdev->lock);
	if (drm_dev_is_unplugged(&vdev->drm))
		ret = -ENODEV;
	else
		list_add_tail(&group->node, &vdev->groups);
	mutex_unlock(&vdev->lock);
	return ret;
}

/**
 * vgpu_group_create() - create a group of queues
 * @client: whose turns its jobs take; the group takes a reference
 * @vm: the address space of its jobs; the group takes a reference
 * @priority: of its jobs, below VGPU_PRIORITIES; a higher one has its turns first
 * @queue_count: number of queues, at most 32
 *
 * Context: Process context of the user, may sleep.
 *
 * Return: the group with one reference; an ERR_PTR() of -ENOMEM, of what the engine's
 * &vgpu_engine_ops.create returned, or of -ENODEV behind an unplug.
 */
struct vgpu_group *vgpu_group_create(struct vgpu_client *client, struct vgpu_vm *vm,
				     unsigned int priority, u32 queue_count)
{
	struct vgpu_device *vdev = vm->vdev;
	struct vgpu_group *group;
	int ret;

	group = kzalloc(struct_size(group, queues, queue_count), GFP_KERNEL_ACCOUNT);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->queue_count = queue_count;
	kref_init(&group->ref);
	group->vdev = vdev;
	group->vm = vgpu_vm_get(vm);
	group->client = vgpu_client_get(client);
	group->priority = priority;
	INIT_LIST_HEAD(&group->turn);
	INIT_LIST_HEAD(&group->ready);
	group->id = atomic_inc_return(&vdev->group_ids);
	vgpu_get_comm(group->comm);
	group->pid = task_tgid_nr(current);
	spin_lock_init(&group->lock);
	INIT_WORK(&group->release_work, release_work);
	INIT_LIST_HEAD(&group->node);
	drm_dev_get(&vdev->drm);
	ret = create_queues(group);
	if (ret) {
		vgpu_group_put(group);
		return ERR_PTR(ret);
	}
	ret = add_group(group);
	if (ret) {
		vgpu_group_put(group);
		return ERR_PTR(ret);
	}
	return group;
}
EXPORT_SYMBOL_GPL(vgpu_group_create);

/**
 * vgpu_group_put() - drop a reference
 * @group: the group, or NULL
 *
 * Context: Any. The end of the group is a work item.
 */
void vgpu_group_put(struct vgpu_group *group)
{
	if (group)
		kref_put(&group->ref, group_release);
}
EXPORT_SYMBOL_GPL(vgpu_group_put);

/* The jobs that run or block look at the group's state at once. */
static void wake_queues(struct vgpu_group *group)
{
	for (u32 i = 0; i < group->queue_count; i++)
		vgpu_queue_wake(group->queues[i]);
}

/**
 * vgpu_group_kill() - end all jobs of a group, now and for ever
 * @group: the group
 *
 * Running jobs end within their slice of at most some milliseconds, the others when
 * their dependencies are met; all of them with -ECANCELED.
 *
 * Context: Process context.
 */
void vgpu_group_kill(struct vgpu_group *group)
{
	spin_lock(&group->lock);
	group->killed = true;
	spin_unlock(&group->lock);
	wake_queues(group);
}
EXPORT_SYMBOL_GPL(vgpu_group_kill);

void vgpu_groups_unplug(struct vgpu_device *vdev)
{
	struct vgpu_group *group;

	mutex_lock(&vdev->lock);
	list_for_each_entry(group, &vdev->groups, node) {
		/* One that is being released has no job. */
		if (!kref_get_unless_zero(&group->ref))
			continue;
		vgpu_group_kill(group);
		vgpu_group_put(group);
	}
	mutex_unlock(&vdev->lock);
	/* Slices that begin from here on end their job and do nothing else. */
	vgpu_turns_flush(vdev);
}

void vgpu_group_set_fatal(struct vgpu_group *group, u32 queue)
{
	spin_lock(&group->lock);
	group->fatal_queues |= BIT(queue);
	spin_unlock(&group->lock);
	wake_queues(group);
}

void vgpu_group_set_timedout(struct vgpu_group *group)
{
	spin_lock(&group->lock);
	group->timedout = true;
	spin_unlock(&group->lock);
	wake_queues(group);
}

int vgpu_group_error(struct vgpu_group *group, u32 queue)
{
	int error = 0;

	spin_lock(&group->lock);
	if (group->fatal_queues & BIT(queue))
		error = -EINVAL;
	else if (group->timedout)
		error = -ETIMEDOUT;
	else if (group->fatal_queues || group->killed)
		error = -ECANCELED;
	spin_unlock(&group->lock);
	return error;
}

/**
 * vgpu_group_can_run() - whether a group executes jobs
 * @group: the group
 *
 * Context: Process context.
 *
 * Return: false after a fault, a timeout or vgpu_group_kill().
 */
bool vgpu_group_can_run(struct vgpu_group *group)
{
	bool can_run;

	spin_lock(&group->lock);
	can_run = !group->fatal_queues && !group->timedout && !group->killed;
	spin_unlock(&group->lock);
	return can_run;
}
EXPORT_SYMBOL_GPL(vgpu_group_can_run);

/**
 * vgpu_group_fatal_queues() - what ended a group
 * @group: the group
 * @timedout: set to whether a job ran into the timeout
 *
 * Context: Process context.
 *
 * Return: a mask of the queues whose jobs faulted.
 */
u32 vgpu_group_fatal_queues(struct vgpu_group *group, bool *timedout)
{
	u32 fatal_queues;

	spin_lock(&group->lock);
	fatal_queues = group->fatal_queues;
	*timedout = group->timedout;
	spin_unlock(&group->lock);
	return fatal_queues;
}
EXPORT_SYMBOL_GPL(vgpu_group_fatal_queues);

/**
 * vgpu_group_lookup() - find the group of a handle
 * @groups: groups by their handles; an entry is removed before its reference is dropped
 * @handle: the handle, as user space gave it
 *
 * Context: Any.
 *
 * Return: the group with a reference, or NULL.
 */
struct vgpu_group *vgpu_group_lookup(struct xarray *groups, unsigned long handle)
{
	struct vgpu_group *group;

	xa_lock(groups);
	group = xa_load(groups, handle);
	if (group)
		vgpu_group_get(group);
	xa_unlock(groups);
	return group;
}
EXPORT_SYMBOL_GPL(vgpu_group_lookup);

/**
 * vgpu_check_priority() - whether a file may use a priority
 * @file: the DRM file
 * @priority: the priority, a number that is higher for what goes first
 * @everybodys: the highest that everybody may use
 * @highest: the highest that there is
 *
 * Context: Process context of the user.
 *
 * Return: 0; -EINVAL for one that there is not; -EACCES for one that takes CAP_SYS_NICE,
 * or the DRM master, where the file has neither.
 */
int vgpu_check_priority(struct drm_file *file, u32 priority, u32 everybodys, u32 highest)
{
	if (priority > highest)
		return -EINVAL;
	if (priority <= everybodys || capable(CAP_SYS_NICE) || drm_is_current_master(file))
		return 0;
	return -EACCES;
}
EXPORT_SYMBOL_GPL(vgpu_check_priority);
