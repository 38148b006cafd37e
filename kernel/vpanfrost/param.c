// SPDX-License-Identifier: GPL-2.0-only
/* What the device says about itself: a Mali-G52 without the parts that draw. */
#include <linux/array_size.h>
#include <linux/nospec.h>

#include "vpanfrost.h"

/* The ABI is proven here, at compile time. */
#include "panfrost_drm_check.h"

/* Ticks per second. */
#define TIMESTAMP_HZ	24000000

/* Registers of the GPU. What is not here reads as 0. */
static const u64 registers[] = {
	[DRM_PANFROST_PARAM_GPU_PROD_ID] = 0x7402,
	[DRM_PANFROST_PARAM_GPU_REVISION] = 0x1000,
	[DRM_PANFROST_PARAM_SHADER_PRESENT] = 0x1,
	[DRM_PANFROST_PARAM_TILER_PRESENT] = 0x1,
	[DRM_PANFROST_PARAM_L2_PRESENT] = 0x1,
	[DRM_PANFROST_PARAM_AS_PRESENT] = 0xff,
	[DRM_PANFROST_PARAM_JS_PRESENT] = 0x7,
	[DRM_PANFROST_PARAM_L2_FEATURES] = 0x07110206,
	[DRM_PANFROST_PARAM_CORE_FEATURES] = 0x2,
	[DRM_PANFROST_PARAM_TILER_FEATURES] = 0x209,
	[DRM_PANFROST_PARAM_MEM_FEATURES] = 0x1,
	[DRM_PANFROST_PARAM_MMU_FEATURES] = 0x2823,
	[DRM_PANFROST_PARAM_THREAD_FEATURES] = 0x04036000,
	[DRM_PANFROST_PARAM_MAX_THREADS] = 768,
	[DRM_PANFROST_PARAM_THREAD_MAX_WORKGROUP_SZ] = 384,
	[DRM_PANFROST_PARAM_THREAD_MAX_BARRIER_SZ] = 384,
	[DRM_PANFROST_PARAM_TEXTURE_FEATURES0] = 0x00fe001e,
	[DRM_PANFROST_PARAM_TEXTURE_FEATURES1] = 0x0000ffff,
	[DRM_PANFROST_PARAM_TEXTURE_FEATURES2] = 0x9f81ffff,
	[DRM_PANFROST_PARAM_JS_FEATURES0] = 0x20e,
	[DRM_PANFROST_PARAM_JS_FEATURES1] = 0x1fe,
	[DRM_PANFROST_PARAM_JS_FEATURES2] = 0x7e,
	[DRM_PANFROST_PARAM_NR_CORE_GROUPS] = 1,
	[DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP_FREQUENCY] = TIMESTAMP_HZ,
	[DRM_PANFROST_PARAM_SELECTED_COHERENCY] = DRM_PANFROST_GPU_COHERENCY_NONE,
};

u64 vpanfrost_timestamp(void)
{
	return vgpu_ticks(TIMESTAMP_HZ);
}

u64 vpanfrost_cycles(void)
{
	return vgpu_ticks(VPANFROST_CYCLES_HZ);
}

static u64 allowed_priorities(struct drm_file *file)
{
	u64 mask = 0;

	for (u32 i = 0; i <= PANFROST_JM_CTX_PRIORITY_HIGH; i++)
		if (!vpanfrost_check_priority(file, i))
			mask |= BIT_ULL(i);
	return mask;
}

int vpanfrost_ioctl_get_param(struct drm_device *drm, void *data, struct drm_file *file)
{
	const bool coherent = to_vgpu_device(drm)->gem.coherent;
	struct drm_panfrost_get_param *args = data;

	if (args->pad || args->param >= ARRAY_SIZE(registers))
		return -EINVAL;
	args->value = registers[array_index_nospec(args->param, ARRAY_SIZE(registers))];
	switch (args->param) {
	case DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP:
		args->value = vpanfrost_timestamp();
		break;
	case DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES:
		args->value = allowed_priorities(file);
		break;
	case DRM_PANFROST_PARAM_COHERENCY_FEATURES:
		if (coherent)
			args->value = BIT(DRM_PANFROST_GPU_COHERENCY_ACE_LITE);
		break;
	case DRM_PANFROST_PARAM_SELECTED_COHERENCY:
		if (coherent)
			args->value = DRM_PANFROST_GPU_COHERENCY_ACE_LITE;
		break;
	}
	return 0;
}

/* Counters are no part of the stable ABI, and the switch that makes them one is not here. */
int vpanfrost_ioctl_perfcnt(struct drm_device *drm, void *data, struct drm_file *file)
{
	return -ENOSYS;
}
