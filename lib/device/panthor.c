// SPDX-License-Identifier: MIT
/* Back end for the panthor driver (Mali with command-stream front end). */
#include <errno.h>
#include <stdlib.h>
#include <xf86drm.h>

#include "../internal.h"
#include "panthor_drm.h"

#define STACK_OPS	32	/* batches up to this size allocate nothing */

/* 1.7 brought WB_MMAP, BO_SYNC and BO_QUERY_INFO. */
static int panthor_probe(const struct gemsync_device *dev)
{
	if (dev->info.version_major != 1 || dev->info.version_minor < 7)
		return -EOPNOTSUPP;
	return 0;
}

static int panthor_query(struct gemsync_device *dev, struct gemsync_device_info *info)
{
	struct drm_panthor_gpu_info gpu = { 0 };
	struct drm_panthor_dev_query query = {
		.type = DRM_PANTHOR_DEV_QUERY_GPU_INFO,
		.size = sizeof(gpu),
		.pointer = (uintptr_t)&gpu,
	};
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_DEV_QUERY, &query);
	if (ret)
		return ret;
	info->coherent = gpu.selected_coherency != DRM_PANTHOR_GPU_COHERENCY_NONE;
	return 0;
}

static int panthor_vm_create(struct gemsync_device *dev, uint32_t *vm)
{
	struct drm_panthor_vm_create args = { 0 };	/* the kernel chooses the range */
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_VM_CREATE, &args);
	if (ret)
		return ret;
	*vm = args.id;
	return 0;
}

static void panthor_vm_destroy(struct gemsync_device *dev, uint32_t vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm };

	gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

static int panthor_bo_create(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			     uint32_t *handle)
{
	struct drm_panthor_bo_create args = { .size = *size };
	int ret;

	if (flags & GEMSYNC_BO_CACHED)
		args.flags |= DRM_PANTHOR_BO_WB_MMAP;
	if (flags & GEMSYNC_BO_NO_MMAP)
		args.flags |= DRM_PANTHOR_BO_NO_MMAP;
	if (!(flags & GEMSYNC_BO_SHAREABLE))
		args.exclusive_vm_id = dev->vm;
	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_BO_CREATE, &args);
	if (ret)
		return ret;
	*size = args.size;
	*handle = args.handle;
	return 0;
}

static int panthor_bo_map(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = bo->handle };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);
	if (ret)
		return ret;
	return gemsync_drm_bo_map_at(dev, bo, args.offset, out);
}

/* A driver of a version that has labels may still not know the call. */
static int panthor_bo_set_label(struct gemsync_device *dev, uint32_t handle, const char *label)
{
	struct drm_panthor_bo_set_label args = { .handle = handle, .label = (uintptr_t)label };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args);
	return ret == -ENOTTY || ret == -EINVAL ? -EOPNOTSUPP : ret;
}

static int panthor_bo_query(struct gemsync_device *dev, uint32_t handle,
			    struct gemsync_bo_info *info)
{
	struct drm_panthor_bo_query_info args = { .handle = handle };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &args);
	if (ret)
		return ret;
	info->flags = 0;
	if (args.create_flags & DRM_PANTHOR_BO_WB_MMAP)
		info->flags |= GEMSYNC_BO_CACHED;
	if (args.create_flags & DRM_PANTHOR_BO_NO_MMAP)
		info->flags |= GEMSYNC_BO_NO_MMAP;
	info->imported = args.extra_flags & DRM_PANTHOR_BO_IS_IMPORTED;
	return 0;
}

/* Fills @to with the operations that have something to do; returns how many. */
static uint32_t convert_ops(struct drm_panthor_bo_sync_op *to, const struct gemsync_op *ops,
			    size_t count)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (op_is_idle(&ops[i]))
			continue;
		to[n].handle = ops[i].bo->handle;
		to[n].type = ops[i].type == GEMSYNC_FLUSH ?
			     DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH :
			     DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE;
		to[n].offset = ops[i].offset;
		to[n].size = op_size(&ops[i]);
		n++;
	}
	return n;
}

/* One call for the whole batch: two calls would not be all or nothing (R7). */
static int panthor_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	struct drm_panthor_bo_sync_op on_stack[STACK_OPS];
	struct drm_panthor_bo_sync_op *converted = on_stack;
	struct drm_panthor_bo_sync args;
	int ret;

	if (count > STACK_OPS) {
		converted = malloc(count * sizeof(*converted));
		if (!converted)
			return -ENOMEM;
	}
	args.ops.stride = sizeof(*converted);
	args.ops.count = convert_ops(converted, ops, count);
	args.ops.array = (uintptr_t)converted;
	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANTHOR_BO_SYNC, &args);
	if (converted != on_stack)
		free(converted);
	return ret;
}

const struct drm_ops gemsync_panthor_ops = {
	.base = {
		.driver = "panthor",
		.close = gemsync_drm_close,
		.bo_create = panthor_bo_create,
		.bo_destroy = gemsync_drm_bo_destroy,
		.bo_map = panthor_bo_map,
		.bo_unmap = gemsync_drm_bo_unmap,
		.bo_query = panthor_bo_query,
		.bo_set_label = panthor_bo_set_label,
		.bo_export = gemsync_drm_bo_export,
		.bo_import = gemsync_drm_bo_import,
		.sync = panthor_sync,
	},
	.probe = panthor_probe,
	.query = panthor_query,
	.vm_create = panthor_vm_create,
	.vm_destroy = panthor_vm_destroy,
};
