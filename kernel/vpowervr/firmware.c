// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware and shader cores would do: nothing of it is here. What is wrong in the
 * arguments is refused as the ABI says; what is right, for want of both.
 */
#include <linux/pagemap.h>
#include <linux/sched.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vpowervr.h"

/* Of the addresses of pages that a free list holds, which are u32, in its units. */
#define FREE_LIST_ENTRY_SIZE	sizeof(u32)
#define FREE_LIST_ALIGN		4

/* A longer state of a context holds more than there is to say. */
#define MAX_CONTEXT_STATE	PAGE_SIZE

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

/* The ABI's priorities are not dense. */
static int check_priority(struct drm_file *file, s32 priority)
{
	static const s32 priorities[] = {
		DRM_PVR_CTX_PRIORITY_LOW, DRM_PVR_CTX_PRIORITY_NORMAL, DRM_PVR_CTX_PRIORITY_HIGH,
	};
	u32 rank = 0;

	while (rank < ARRAY_SIZE(priorities) && priorities[rank] != priority)
		rank++;
	return vgpu_check_priority(file, rank, 1, ARRAY_SIZE(priorities) - 1);
}

/* What it says is for the firmware to understand. Transfers have no state. */
static int check_context_state(const struct drm_pvr_ioctl_create_context_args *args)
{
	const bool transfer = args->type == DRM_PVR_CTX_TYPE_TRANSFER_FRAG;
	const u32 len = args->static_context_state_len;

	if (!len != transfer || len > MAX_CONTEXT_STATE)
		return -EINVAL;
	return fault_in_readable(u64_to_user_ptr(args->static_context_state), len) ? -EFAULT : 0;
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
	if (!ret)
		ret = check_context_state(args);
	return ret ?: refuse(drm, "contexts");
}

int vpowervr_ioctl_destroy_context(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_destroy_context_args *args = data;

	if (args->_padding_4)
		return -EINVAL;
	return refuse_handle(drm, "contexts", args->handle);
}

static int check_free_list_sizes(const struct drm_pvr_ioctl_create_free_list_args *args)
{
	const bool grows = args->initial_num_pages < args->max_num_pages;

	if (!args->max_num_pages || args->initial_num_pages > args->max_num_pages ||
	    args->grow_num_pages > args->max_num_pages || args->grow_threshold > 100)
		return -EINVAL;
	if (!args->grow_num_pages == grows)
		return -EINVAL;
	return IS_ALIGNED(args->initial_num_pages | args->max_num_pages | args->grow_num_pages,
			  FREE_LIST_ALIGN) ? 0 : -EINVAL;
}

/* The list lies in an object that is the firmware's alone, and fits. */
static int check_free_list_object(struct vgpu_vm *vm,
				  const struct drm_pvr_ioctl_create_free_list_args *args)
{
	struct vgpu_bo *bo;
	u32 flags;
	u64 size;

	bo = vgpu_vm_find(vm, args->free_list_gpu_addr, &size);
	if (!bo)
		return -EINVAL;
	flags = bo->create_flags;
	drm_gem_object_put(&bo->base.base);
	if (!(flags & DRM_PVR_BO_PM_FW_PROTECT) || (flags & DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS))
		return -EINVAL;
	return size < (u64)args->max_num_pages * FREE_LIST_ENTRY_SIZE ? -EINVAL : 0;
}

int vpowervr_ioctl_create_free_list(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_create_free_list_args *args = data;
	struct vpowervr_file *vfile = file->driver_priv;
	struct vgpu_vm *vm;
	int ret;

	ret = check_free_list_sizes(args);
	if (ret)
		return ret;
	vm = vgpu_vm_lookup(&vfile->vms, args->vm_context_handle);
	if (!vm)
		return -EINVAL;
	ret = check_free_list_object(vm, args);
	vgpu_vm_put(vm);
	return ret ?: refuse(drm, "free lists");
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
	return refuse_handle(drm, "free lists", args->free_list_handles[0]);
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

/* A job is one of a context, and there are none. */
static int refuse_jobs(struct drm_device *drm, const struct drm_pvr_job *jobs, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		int ret = check_job(&jobs[i]);

		if (ret)
			return ret;
		cond_resched();
	}
	return refuse_handle(drm, "contexts", jobs[0].context_handle);
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
	struct drm_pvr_job *jobs;
	int ret;

	if (!args->jobs.count)
		return -EINVAL;
	jobs = vgpu_uarray_get(&uarray);
	if (IS_ERR(jobs))
		return PTR_ERR(jobs);
	ret = refuse_jobs(drm, jobs, args->jobs.count);
	kvfree(jobs);
	return ret;
}
