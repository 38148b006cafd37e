// SPDX-License-Identifier: GPL-2.0-only
/* Groups of queues. */
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "vpanthor.h"

#define MAX_GROUPS_PER_FILE	128
#define MAX_QUEUE_PRIORITY	15

struct vgpu_group *vpanthor_group_lookup(struct vpanthor_file *vfile, u32 handle)
{
	return vgpu_group_lookup(&vfile->groups, handle);
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

int vpanthor_check_priority(struct drm_file *file, u8 priority)
{
	return vgpu_check_priority(file, priority, PANTHOR_GROUP_PRIORITY_MEDIUM,
				   PANTHOR_GROUP_PRIORITY_REALTIME);
}

/* They are those of vgpu. */
static_assert(PANTHOR_GROUP_PRIORITY_REALTIME < VGPU_PRIORITIES);

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
	group = vgpu_group_create(vfile->client, vm, args->priority, args->queues.count);
	vgpu_vm_put(vm);
	if (IS_ERR(group))
		return PTR_ERR(group);
	ret = xa_alloc(&vfile->groups, &handle, group, XA_LIMIT(1, MAX_GROUPS_PER_FILE),
		       GFP_KERNEL_ACCOUNT);
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
		ret = vpanthor_check_priority(file, args->priority);
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
	group = vpanthor_group_lookup(file->driver_priv, args->group_handle);
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
