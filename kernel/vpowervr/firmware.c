// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware and shader cores would do: nothing of it is here. What is wrong in the
 * arguments is refused as the ABI says; what is right, for want of both.
 */
#include <linux/capability.h>
#include <linux/sched.h>

#include <drm/drm_auth.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vpowervr.h"

#define FREE_LIST_MIN_PAGES	25
#define FREE_LIST_MAX_PAGES	(SZ_2G / SZ_4K)

static int refuse(struct drm_device *drm, const char *what)
{
	drm_dbg(drm, "%s[%d]: %s need firmware and shader cores, which this device has not\n",
		current->comm, task_pid_nr(current), what);
	return -EOPNOTSUPP;
}

/* No such object was ever made. */
static int refuse_handle(struct drm_device *drm, const char *what, u32 handle)
{
	drm_dbg(drm, "%s[%d]: no handle %u: %s need firmware, which this device has not\n",
		current->comm, task_pid_nr(current), handle, what);
	return -EINVAL;
}

static int check_vm(struct drm_file *file, u32 handle)
{
	struct vpowervr_file *vfile = file->driver_priv;
	struct vgpu_vm *vm = vgpu_vm_lookup(&vfile->vms, handle);

	if (!vm)
		return -EINVAL;
	vgpu_vm_put(vm);
	return 0;
}

static int check_priority(struct drm_file *file, s32 priority)
{
	switch (priority) {
	case DRM_PVR_CTX_PRIORITY_LOW:
	case DRM_PVR_CTX_PRIORITY_NORMAL:
		return 0;
	case DRM_PVR_CTX_PRIORITY_HIGH:
		return capable(CAP_SYS_NICE) || drm_is_current_master(file) ? 0 : -EACCES;
	default:
		return -EINVAL;
	}
}

int vpowervr_ioctl_create_context(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_create_context_args *args = data;
	int ret;

	if (args->flags || args->type > DRM_PVR_CTX_TYPE_TRANSFER_FRAG)
		return -EINVAL;
	if (args->type != DRM_PVR_CTX_TYPE_RENDER && args->callstack_addr)
		return -EINVAL;
	ret = check_priority(file, args->priority);
	if (!ret)
		ret = check_vm(file, args->vm_context_handle);
	return ret ?: refuse(drm, "contexts");
}

int vpowervr_ioctl_destroy_context(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_destroy_context_args *args = data;

	if (args->_padding_4)
		return -EINVAL;
	return refuse_handle(drm, "contexts", args->handle);
}

int vpowervr_ioctl_create_free_list(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_create_free_list_args *args = data;

	if (args->initial_num_pages < FREE_LIST_MIN_PAGES ||
	    args->max_num_pages > FREE_LIST_MAX_PAGES ||
	    args->initial_num_pages > args->max_num_pages ||
	    args->grow_num_pages > args->max_num_pages || args->grow_threshold > 100)
		return -EINVAL;
	return check_vm(file, args->vm_context_handle) ?: refuse(drm, "free lists");
}

int vpowervr_ioctl_destroy_free_list(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_destroy_free_list_args *args = data;

	if (args->_padding_4)
		return -EINVAL;
	return refuse_handle(drm, "free lists", args->handle);
}

int vpowervr_ioctl_create_hwrt_dataset(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_create_hwrt_dataset_args *args = data;

	if (!args->width || !args->height || !args->samples || !args->layers)
		return -EINVAL;
	return refuse(drm, "render targets");
}

int vpowervr_ioctl_destroy_hwrt_dataset(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_destroy_hwrt_dataset_args *args = data;

	if (args->_padding_4)
		return -EINVAL;
	return refuse_handle(drm, "render targets", args->handle);
}

static int check_job(const struct drm_pvr_job *job)
{
	static const u32 flags[] = {
		[DRM_PVR_JOB_TYPE_GEOMETRY] = DRM_PVR_SUBMIT_JOB_GEOM_CMD_FLAGS_MASK,
		[DRM_PVR_JOB_TYPE_FRAGMENT] = DRM_PVR_SUBMIT_JOB_FRAG_CMD_FLAGS_MASK,
		[DRM_PVR_JOB_TYPE_COMPUTE] = DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_FLAGS_MASK,
		[DRM_PVR_JOB_TYPE_TRANSFER_FRAG] = DRM_PVR_SUBMIT_JOB_TRANSFER_CMD_FLAGS_MASK,
	};

	if (job->type >= ARRAY_SIZE(flags) || (job->flags & ~flags[job->type]))
		return -EINVAL;
	return 0;
}

int vpowervr_ioctl_submit_jobs(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_submit_jobs_args *args = data;
	const struct vgpu_uarray uarray = {
		.ptr = args->jobs.array,
		.stride = args->jobs.stride,
		.count = args->jobs.count,
		.min_size = sizeof(struct drm_pvr_job),
		.size = sizeof(struct drm_pvr_job),
	};
	struct drm_pvr_job *jobs = vgpu_uarray_get(&uarray);
	int ret = 0;

	if (IS_ERR_OR_NULL(jobs))
		return PTR_ERR_OR_ZERO(jobs);
	for (u32 i = 0; i < args->jobs.count && !ret; i++) {
		ret = check_job(&jobs[i]);
		cond_resched();
	}
	kvfree(jobs);
	return ret ?: refuse(drm, "jobs");
}
