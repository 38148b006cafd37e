// SPDX-License-Identifier: GPL-2.0-only
/* Submission of streams to the queues of a group. */
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "vpanthor.h"

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
	syncs = vpanthor_get_syncs(&args->syncs);
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	return vgpu_submit_add_job(submit, &job, syncs, args->syncs.count);
}

static int submit_jobs(struct drm_file *file, struct vgpu_group *group,
		       const struct vgpu_uarray *array)
{
	struct drm_panthor_queue_submit *jobs = vgpu_uarray_get(array);
	struct vgpu_submit submit;
	int ret;

	if (IS_ERR(jobs))
		return PTR_ERR(jobs);
	ret = vgpu_submit_init(&submit, file, group->vm, group, array->count);
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
	group = vpanthor_group_lookup(file->driver_priv, args->group_handle);
	if (!group)
		return -EINVAL;
	ret = submit_jobs(file, group, &jobs);
	vgpu_group_put(group);
	return ret;
}
