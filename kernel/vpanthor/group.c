// SPDX-License-Identifier: GPL-2.0-only
/* Groups of queues, and the streams that they run. */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_auth.h>
#include <drm/drm_file.h>

#include "vpanthor.h"

#define MAX_GROUPS_PER_FILE	128
#define MAX_QUEUE_PRIORITY	15

static struct vgpu_group *group_lookup(struct vpanthor_file *vfile, u32 handle)
{
	struct vgpu_group *group;

	xa_lock(&vfile->groups);
	group = xa_load(&vfile->groups, handle);
	if (group)
		vgpu_group_get(group);
	xa_unlock(&vfile->groups);
	return group;
}

void vpanthor_file_kill_groups(struct vpanthor_file *vfile)
{
	struct vgpu_group *group;
	unsigned long handle;

	xa_for_each(&vfile->groups, handle, group) {
		xa_erase(&vfile->groups, handle);
		vgpu_group_kill(group);
		vgpu_group_put(group);
	}
}

static int check_priority(struct drm_file *file, u8 priority)
{
	if (priority > PANTHOR_GROUP_PRIORITY_REALTIME)
		return -EINVAL;
	if (priority <= PANTHOR_GROUP_PRIORITY_MEDIUM)
		return 0;
	if (capable(CAP_SYS_NICE) || drm_is_current_master(file))
		return 0;
	return -EACCES;
}

static int check_cores(u64 present, u64 mask, u8 max)
{
	return (mask & ~present) || hweight64(mask) < max ? -EINVAL : 0;
}

static int check_group(const struct drm_panthor_group_create *args)
{
	if (args->pad)
		return -EINVAL;
	if (check_cores(VPANTHOR_SHADERS, args->compute_core_mask, args->max_compute_cores) ||
	    check_cores(VPANTHOR_SHADERS, args->fragment_core_mask, args->max_fragment_cores) ||
	    check_cores(VPANTHOR_TILERS, args->tiler_core_mask, args->max_tiler_cores))
		return -EINVAL;
	return 0;
}

static int check_queues(const struct vgpu_uarray *array)
{
	struct drm_panthor_queue_create *queues = vgpu_uarray_get(array);
	int ret = 0;

	if (IS_ERR(queues))
		return PTR_ERR(queues);
	for (u32 i = 0; i < array->count; i++) {
		const struct drm_panthor_queue_create *queue = &queues[i];

		if (queue->pad[0] || queue->pad[1] || queue->pad[2] ||
		    queue->priority > MAX_QUEUE_PRIORITY || queue->ringbuf_size < SZ_4K ||
		    queue->ringbuf_size > SZ_64K || !is_power_of_2(queue->ringbuf_size))
			ret = -EINVAL;
	}
	kvfree(queues);
	return ret;
}

static int create_group(struct vpanthor_file *vfile, struct drm_panthor_group_create *args)
{
	struct vgpu_vm *vm = vpanthor_vm_lookup(vfile, args->vm_id);
	struct vgpu_group *group;
	u32 handle;
	int ret;

	if (!vm)
		return -EINVAL;
	group = vgpu_group_create(vm, args->queues.count);
	vgpu_vm_put(vm);
	if (IS_ERR(group))
		return PTR_ERR(group);
	ret = xa_alloc(&vfile->groups, &handle, group, XA_LIMIT(1, MAX_GROUPS_PER_FILE),
		       GFP_KERNEL);
	if (ret) {
		vgpu_group_put(group);
		return ret;
	}
	args->group_handle = handle;
	return 0;
}

int vpanthor_ioctl_group_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_group_create *args = data;
	const struct vgpu_uarray queues =
		VPANTHOR_UARRAY(&args->queues, struct drm_panthor_queue_create, ringbuf_size);
	int ret;

	if (!args->queues.count || args->queues.count > VPANTHOR_CS_SLOTS)
		return -EINVAL;
	ret = check_queues(&queues);
	if (!ret)
		ret = check_priority(file, args->priority);
	if (!ret)
		ret = check_group(args);
	if (!ret)
		ret = create_group(file->driver_priv, args);
	return ret;
}

int vpanthor_ioctl_group_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;
	struct drm_panthor_group_destroy *args = data;
	struct vgpu_group *group;

	if (args->pad)
		return -EINVAL;
	group = xa_erase(&vfile->groups, args->group_handle);
	if (!group)
		return -EINVAL;
	vgpu_group_kill(group);
	vgpu_group_put(group);
	return 0;
}

int vpanthor_ioctl_group_get_state(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_group_get_state *args = data;
	struct vgpu_group *group;
	bool timedout;

	if (args->pad)
		return -EINVAL;
	group = group_lookup(file->driver_priv, args->group_handle);
	if (!group)
		return -EINVAL;
	args->fatal_queues = vgpu_group_fatal_queues(group, &timedout);
	vgpu_group_put(group);
	args->state = 0;
	if (timedout)
		args->state |= DRM_PANTHOR_GROUP_STATE_TIMEDOUT;
	if (args->fatal_queues)
		args->state |= DRM_PANTHOR_GROUP_STATE_FATAL_FAULT;
	return 0;
}

#define SYNC_OP_FLAGS	(DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK | DRM_PANTHOR_SYNC_OP_SIGNAL)

static int decode_sync(const struct drm_panthor_sync_op *sync, struct vgpu_sync_op *op)
{
	u32 type = sync->flags & DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK;

	if (sync->flags & ~SYNC_OP_FLAGS)
		return -EINVAL;
	if (type != DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ &&
	    type != DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ)
		return -EINVAL;
	if (type == DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ && sync->timeline_value)
		return -EINVAL;
	op->handle = sync->handle;
	op->signal = sync->flags & DRM_PANTHOR_SYNC_OP_SIGNAL;
	op->point = sync->timeline_value;
	return 0;
}

/* The sync ops of a submit in the common form; NULL if there are none. */
static struct vgpu_sync_op *get_syncs(const struct drm_panthor_obj_array *array)
{
	const struct vgpu_uarray uarray =
		VPANTHOR_UARRAY(array, struct drm_panthor_sync_op, timeline_value);
	struct drm_panthor_sync_op *syncs = vgpu_uarray_get(&uarray);
	struct vgpu_sync_op *ops;
	int ret = 0;

	if (IS_ERR_OR_NULL(syncs))
		return ERR_CAST(syncs);
	ops = kvmalloc_array(array->count, sizeof(*ops), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ops)
		ret = -ENOMEM;
	for (u32 i = 0; i < array->count && !ret; i++) {
		ret = decode_sync(&syncs[i], &ops[i]);
		cond_resched();
	}
	kvfree(syncs);
	if (ret) {
		kvfree(ops);
		return ERR_PTR(ret);
	}
	return ops;
}

static int check_submit(const struct drm_panthor_queue_submit *submit)
{
	if (submit->pad)
		return -EINVAL;
	if (!submit->stream_size != !submit->stream_addr)
		return -EINVAL;
	/* Streams begin on a cache line of the GPU and are whole instructions. */
	if (!IS_ALIGNED(submit->stream_addr, 64) || !IS_ALIGNED(submit->stream_size, 8))
		return -EINVAL;
	if (submit->latest_flush & GENMASK(30, 24))
		return -EINVAL;
	return 0;
}

static int add_job(struct vgpu_submit *submit, const struct drm_panthor_queue_submit *args)
{
	const struct vgpu_job_args job = {
		.queue = args->queue_index,
		.va = args->stream_addr,
		.size = args->stream_size,
	};
	struct vgpu_sync_op *syncs;
	int ret;

	ret = check_submit(args);
	if (ret)
		return ret;
	syncs = get_syncs(&args->syncs);
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	return vgpu_submit_add(submit, &job, syncs, args->syncs.count);
}

static int submit_jobs(struct drm_file *file, struct vgpu_group *group,
		       const struct vgpu_uarray *array)
{
	struct drm_panthor_queue_submit *jobs = vgpu_uarray_get(array);
	struct vgpu_submit submit;
	int ret;

	if (IS_ERR(jobs))
		return PTR_ERR(jobs);
	ret = vgpu_submit_init(&submit, file, group, array->count);
	if (ret)
		goto out_free;
	for (u32 i = 0; i < array->count && !ret; i++)
		ret = add_job(&submit, &jobs[i]);
	if (!ret)
		ret = vgpu_submit_commit(&submit);
	vgpu_submit_fini(&submit);
out_free:
	kvfree(jobs);
	return ret;
}

int vpanthor_ioctl_group_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panthor_group_submit *args = data;
	const struct vgpu_uarray jobs =
		VPANTHOR_UARRAY(&args->queue_submits, struct drm_panthor_queue_submit, syncs);
	struct vgpu_group *group;
	int ret;

	if (args->pad)
		return -EINVAL;
	group = group_lookup(file->driver_priv, args->group_handle);
	if (!group)
		return -EINVAL;
	ret = submit_jobs(file, group, &jobs);
	vgpu_group_put(group);
	return ret;
}
