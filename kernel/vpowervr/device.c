// SPDX-License-Identifier: GPL-2.0-only
/* What the device says about itself: an AXE-1-16M, of which only memory works. */
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "vpowervr.h"

/* The ABI is proven here, at compile time. */
#include "pvr_drm_check.h"

/* Branch, version, scalable units, configuration. */
#define GPU_ID			(33ULL << 48 | 15ULL << 32 | 11ULL << 16 | 3)

/* The one that the GPU has of those that user space knows. */
#define ENHANCEMENT		35421

static const struct drm_pvr_heap heaps[DRM_PVR_HEAP_COUNT] = {
	[DRM_PVR_HEAP_GENERAL] = { 0x8000000000, 128ULL * SZ_1G, 0, PAGE_SHIFT },
	[DRM_PVR_HEAP_PDS_CODE_DATA] = { 0xda00000000, SZ_4G, 0, PAGE_SHIFT },
	[DRM_PVR_HEAP_USC_CODE] = { 0xe000000000, SZ_4G, 0, PAGE_SHIFT },
	/* For the GPUs with one quirk, which this is not. */
	[DRM_PVR_HEAP_RGNHDR] = { 0xdbf0000000, 0, 0, PAGE_SHIFT },
	[DRM_PVR_HEAP_VIS_TEST] = { 0xf200000000, SZ_2M, 0, PAGE_SHIFT },
	[DRM_PVR_HEAP_TRANSFER_FRAG] = { 0xe400000000, 16ULL * SZ_1G, 0, PAGE_SHIFT },
};

static const struct drm_pvr_static_data_area static_data_areas[] = {
	{ DRM_PVR_STATIC_DATA_AREA_FENCE, DRM_PVR_HEAP_GENERAL, 128, 0 },
	{ DRM_PVR_STATIC_DATA_AREA_YUV_CSC, DRM_PVR_HEAP_GENERAL, 1024, 128 },
	{ DRM_PVR_STATIC_DATA_AREA_VDM_SYNC, DRM_PVR_HEAP_PDS_CODE_DATA, 128, 0 },
	{ DRM_PVR_STATIC_DATA_AREA_EOT, DRM_PVR_HEAP_PDS_CODE_DATA, 128, 128 },
	{ DRM_PVR_STATIC_DATA_AREA_VDM_SYNC, DRM_PVR_HEAP_USC_CODE, 128, 0 },
};

const struct drm_pvr_heap *vpowervr_find_heap(u64 addr, u64 size)
{
	for (u32 i = 0; i < ARRAY_SIZE(heaps); i++) {
		const struct drm_pvr_heap *heap = &heaps[i];

		if (addr >= heap->base && size <= heap->size &&
		    addr - heap->base <= heap->size - size)
			return heap;
	}
	return NULL;
}

/* Write a struct as far as the user has room for it, and tell how much that was. */
static int answer(struct drm_pvr_ioctl_dev_query_args *args, const void *info, u32 min_size,
		  u32 size)
{
	int ret = vgpu_uobj_set(args->pointer, args->size, info, min_size, size);

	if (!ret)
		args->size = min(args->size, size);
	return ret;
}

static int query_gpu_info(struct drm_pvr_ioctl_dev_query_args *args)
{
	static const struct drm_pvr_dev_query_gpu_info info = {
		.gpu_id = GPU_ID,
		.num_phantoms = 1,
	};

	return answer(args, &info, offsetofend(struct drm_pvr_dev_query_gpu_info, num_phantoms),
		      sizeof(info));
}

static int query_runtime_info(struct drm_pvr_ioctl_dev_query_args *args)
{
	static const struct drm_pvr_dev_query_runtime_info info = {
		.free_list_min_pages = 25,
		.free_list_max_pages = SZ_2G / SZ_4K,
		.common_store_alloc_region_size = 6144,
		.common_store_partition_space_size = 1024,
		.max_coeffs = 4096,
		.cdm_max_local_mem_size_regs = 4096,
	};

	return answer(args, &info, sizeof(info), sizeof(info));
}

/* None of the quirks that user space can be told about. */
static int query_quirks(struct drm_pvr_ioctl_dev_query_args *args)
{
	struct drm_pvr_dev_query_quirks query;
	int ret;

	ret = vgpu_uobj_get(args->pointer, args->size, &query, sizeof(query), sizeof(query));
	if (ret)
		return ret;
	if (query._padding_c)
		return -EINVAL;
	query.count = 0;
	if (query.quirks)
		query.musthave_count = 0;
	return answer(args, &query, sizeof(query), sizeof(query));
}

static int query_enhancements(struct drm_pvr_ioctl_dev_query_args *args)
{
	struct drm_pvr_dev_query_enhancements query;
	int ret;

	ret = vgpu_uobj_get(args->pointer, args->size, &query, sizeof(query), sizeof(query));
	if (ret)
		return ret;
	if (query._padding_a || query._padding_c)
		return -EINVAL;
	if (query.enhancements) {
		if (!query.count)
			return -E2BIG;
		if (put_user((u32)ENHANCEMENT, (u32 __user *)u64_to_user_ptr(query.enhancements)))
			return -EFAULT;
	}
	query.count = 1;
	return answer(args, &query, sizeof(query), sizeof(query));
}

/* Write what fits of @count objects of @size bytes, which have had that size since ever. */
static int set_array(struct drm_pvr_obj_array *array, const void *objs, u32 count, u32 size)
{
	int ret = 0;

	if (!array->array) {
		array->count = count;
		array->stride = size;
		return 0;
	}
	array->count = min(array->count, count);
	for (u32 i = 0; i < array->count && !ret; i++)
		ret = vgpu_uobj_set(array->array + (u64)i * array->stride, array->stride,
				    objs + i * size, size, size);
	return ret;
}

/* Of those queries whose struct is an array and nothing else. */
static int query_array(struct drm_pvr_ioctl_dev_query_args *args, const void *objs, u32 count,
		       u32 size)
{
	struct drm_pvr_obj_array array;
	int ret;

	ret = vgpu_uobj_get(args->pointer, args->size, &array, sizeof(array), sizeof(array));
	if (!ret)
		ret = set_array(&array, objs, count, size);
	if (ret)
		return ret;
	return answer(args, &array, sizeof(array), sizeof(array));
}

static u32 query_size(u32 type)
{
	switch (type) {
	case DRM_PVR_DEV_QUERY_GPU_INFO_GET:
		return sizeof(struct drm_pvr_dev_query_gpu_info);
	case DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET:
		return sizeof(struct drm_pvr_dev_query_runtime_info);
	case DRM_PVR_DEV_QUERY_QUIRKS_GET:
		return sizeof(struct drm_pvr_dev_query_quirks);
	case DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET:
		return sizeof(struct drm_pvr_dev_query_enhancements);
	case DRM_PVR_DEV_QUERY_HEAP_INFO_GET:
		return sizeof(struct drm_pvr_dev_query_heap_info);
	case DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET:
		return sizeof(struct drm_pvr_dev_query_static_data_areas);
	default:
		return 0;
	}
}

int vpowervr_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_pvr_ioctl_dev_query_args *args = data;

	if (!query_size(args->type))
		return -EINVAL;
	if (!args->pointer) {
		args->size = query_size(args->type);
		return 0;
	}
	switch (args->type) {
	case DRM_PVR_DEV_QUERY_GPU_INFO_GET:
		return query_gpu_info(args);
	case DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET:
		return query_runtime_info(args);
	case DRM_PVR_DEV_QUERY_QUIRKS_GET:
		return query_quirks(args);
	case DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET:
		return query_enhancements(args);
	case DRM_PVR_DEV_QUERY_HEAP_INFO_GET:
		return query_array(args, heaps, ARRAY_SIZE(heaps), sizeof(heaps[0]));
	default:
		return query_array(args, static_data_areas, ARRAY_SIZE(static_data_areas),
				   sizeof(static_data_areas[0]));
	}
}
