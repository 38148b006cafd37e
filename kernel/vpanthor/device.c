// SPDX-License-Identifier: GPL-2.0-only
/* What the device says about itself: a Mali-G610 without the parts that draw. */
#include <linux/sizes.h>
#include <linux/timekeeping.h>

#include "vpanthor.h"

/* The ABI is proven here, at compile time. */
#include "panthor_drm_check.h"

static void fill_gpu_info(const struct vgpu_device *vdev, struct drm_panthor_gpu_info *info)
{
	*info = (struct drm_panthor_gpu_info) {
		.gpu_id = 0xa8670000,
		.tiler_features = 0x809,
		.mem_features = 0x301,
		.mmu_features = 0x2800 | VPANTHOR_VA_BITS,
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

#define TIMESTAMP_FLAGS \
	(DRM_PANTHOR_TIMESTAMP_GPU | DRM_PANTHOR_TIMESTAMP_CPU_TYPE_MASK | \
	 DRM_PANTHOR_TIMESTAMP_GPU_OFFSET | DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT | \
	 DRM_PANTHOR_TIMESTAMP_FREQ | DRM_PANTHOR_TIMESTAMP_DURATION)
/* What older user space gets, which knows no flags. */
#define TIMESTAMP_DEFAULT_FLAGS \
	(DRM_PANTHOR_TIMESTAMP_GPU | DRM_PANTHOR_TIMESTAMP_GPU_OFFSET | \
	 DRM_PANTHOR_TIMESTAMP_FREQ)

u64 vpanthor_timestamp(void)
{
	return vgpu_ticks(VPANTHOR_TIMESTAMP_HZ);
}

u64 vpanthor_cycles(void)
{
	return vgpu_ticks(VPANTHOR_CYCLES_HZ);
}

static int check_timestamp_flags(u32 flags)
{
	if (flags & ~TIMESTAMP_FLAGS)
		return -EINVAL;
	switch (flags & DRM_PANTHOR_TIMESTAMP_CPU_TYPE_MASK) {
	case DRM_PANTHOR_TIMESTAMP_CPU_NONE:
	case DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC:
	case DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC_RAW:
		return 0;
	default:
		return -EINVAL;
	}
}

static void read_cpu_clock(struct drm_panthor_timestamp_info *info)
{
	struct timespec64 now = {};

	switch (info->flags & DRM_PANTHOR_TIMESTAMP_CPU_TYPE_MASK) {
	case DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC:
		ktime_get_ts64(&now);
		break;
	case DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC_RAW:
		ktime_get_raw_ts64(&now);
		break;
	}
	info->cpu_timestamp_sec = now.tv_sec;
	info->cpu_timestamp_nsec = now.tv_nsec;
}

/* All clocks at one time, as far as that is possible. The offset is 0. */
static void read_clocks(struct drm_panthor_timestamp_info *info, u32 flags)
{
	u64 begin;

	preempt_disable();
	begin = ktime_get_raw_ns();
	read_cpu_clock(info);
	if (flags & DRM_PANTHOR_TIMESTAMP_GPU)
		info->current_timestamp = vpanthor_timestamp();
	if (flags & DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT)
		info->cycle_count = vpanthor_cycles();
	if (flags & DRM_PANTHOR_TIMESTAMP_DURATION)
		info->duration_nsec = ktime_get_raw_ns() - begin;
	preempt_enable();
	if (flags & DRM_PANTHOR_TIMESTAMP_FREQ)
		info->timestamp_frequency = VPANTHOR_TIMESTAMP_HZ;
}

static int query_timestamp_info(struct drm_panthor_dev_query *args)
{
	const size_t min_size = offsetofend(struct drm_panthor_timestamp_info, current_timestamp);
	struct drm_panthor_timestamp_info in = {}, info = {};
	int ret;

	if (!args->pointer) {
		args->size = sizeof(info);
		return 0;
	}
	/* The flags are part of it; shorter ones have none. */
	ret = vgpu_uobj_get(args->pointer, args->size, &in, min_size, sizeof(in));
	if (!ret)
		ret = check_timestamp_flags(in.flags);
	if (ret)
		return ret;
	info.flags = in.flags;
	read_clocks(&info, in.flags ?: TIMESTAMP_DEFAULT_FLAGS);
	return vgpu_uobj_set(args->pointer, args->size, &info, min_size, sizeof(info));
}

static int query_mmu_info(struct drm_panthor_dev_query *args)
{
	static const struct drm_panthor_mmu_info info = { .page_size_bitmap = SZ_4K | SZ_2M };

	if (!args->pointer) {
		args->size = sizeof(info);
		return 0;
	}
	return vgpu_uobj_set(args->pointer, args->size, &info, sizeof(info), sizeof(info));
}

static int query_priorities(struct drm_panthor_dev_query *args, struct drm_file *file)
{
	struct drm_panthor_group_priorities_info info = {};

	if (!args->pointer) {
		args->size = sizeof(info);
		return 0;
	}
	for (u8 i = 0; i <= PANTHOR_GROUP_PRIORITY_REALTIME; i++)
		if (!vpanthor_check_priority(file, i))
			info.allowed_mask |= BIT(i);
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
	case DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO:
		return query_timestamp_info(args);
	case DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO:
		return query_priorities(args, file);
	case DRM_PANTHOR_DEV_QUERY_MMU_INFO:
		return query_mmu_info(args);
	default:
		return -EINVAL;
	}
}
