// SPDX-License-Identifier: GPL-2.0-only
/* What the device says about itself: a Mali-G610 without the parts that draw. */
#include "vpanthor.h"

/* The ABI is proven here, at compile time. */
#include "panthor_drm_check.h"

static void fill_gpu_info(const struct vgpu_device *vdev, struct drm_panthor_gpu_info *info)
{
	*info = (struct drm_panthor_gpu_info) {
		.gpu_id = 0xa8670000,
		.tiler_features = 0x809,
		.mem_features = 0x301,
		.mmu_features = 0x2830,
		.thread_features = 0x4010000,
		.max_threads = 2048,
		.thread_max_workgroup_size = 1024,
		.thread_max_barrier_size = 1024,
		.as_present = 0xff,
		.selected_coherency = DRM_PANTHOR_GPU_COHERENCY_NONE,
		.shader_present = VPANTHOR_SHADERS,
		.l2_present = 1,
		.tiler_present = VPANTHOR_TILERS,
	};
	if (vdev->gem.coherent) {
		info->coherency_features = BIT(DRM_PANTHOR_GPU_COHERENCY_ACE_LITE);
		info->selected_coherency = DRM_PANTHOR_GPU_COHERENCY_ACE_LITE;
	}
}

static int query_gpu_info(const struct vgpu_device *vdev, struct drm_panthor_dev_query *args)
{
	struct drm_panthor_gpu_info info;

	if (!args->pointer) {
		args->size = sizeof(info);
		return 0;
	}
	fill_gpu_info(vdev, &info);
	return vgpu_uobj_set(args->pointer, args->size, &info,
			     offsetofend(struct drm_panthor_gpu_info, tiler_present),
			     sizeof(info));
}

static int query_csif_info(struct drm_panthor_dev_query *args)
{
	static const struct drm_panthor_csif_info info = {
		.csg_slot_count = VPANTHOR_CSG_SLOTS,
		.cs_slot_count = VPANTHOR_CS_SLOTS,
		.cs_reg_count = 96,
		.scoreboard_slot_count = 8,
		.unpreserved_cs_reg_count = 4,
	};

	if (!args->pointer) {
		args->size = sizeof(info);
		return 0;
	}
	return vgpu_uobj_set(args->pointer, args->size, &info, sizeof(info), sizeof(info));
}

int vpanthor_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_dev_query *args = data;

	switch (args->type) {
	case DRM_PANTHOR_DEV_QUERY_GPU_INFO:
		return query_gpu_info(to_vgpu_device(drm), args);
	case DRM_PANTHOR_DEV_QUERY_CSIF_INFO:
		return query_csif_info(args);
	default:
		return -EINVAL;
	}
}
