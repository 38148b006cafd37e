// SPDX-License-Identifier: MIT
/* Back end for the panfrost driver (Mali with job manager). */
#include <errno.h>
#include <stdlib.h>
#include <xf86drm.h>

#include "../internal.h"
#include "panfrost_drm.h"

#define STACK_OPS	32	/* batches up to this size allocate nothing */

/* 1.6 brought WB_MMAP, SYNC_BO and QUERY_BO_INFO. */
static int panfrost_probe(const struct gemsync_device *dev)
{
	if (dev->info.version_major != 1 || dev->info.version_minor < 6)
		return -EOPNOTSUPP;
	return 0;
}

static int panfrost_query(struct gemsync_device *dev, struct gemsync_device_info *info)
{
	struct drm_panfrost_get_param args = { .param = DRM_PANFROST_PARAM_SELECTED_COHERENCY };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_GET_PARAM, &args);
	if (ret)
		return ret;
	info->coherent = args.value != DRM_PANFROST_GPU_COHERENCY_NONE;
	return 0;
}

/* What the CPU never maps is a heap: the driver has nothing else of the kind. */
static int panfrost_bo_create(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			      uint32_t *handle)
{
	const uint64_t page_mask = dev->info.page_size - 1;
	struct drm_panfrost_create_bo args = { .size = *size, .flags = PANFROST_BO_NOEXEC };
	int ret;

	if (*size > UINT32_MAX)
		return -ENOMEM;
	if (flags & GEMSYNC_BO_CACHED)
		args.flags |= PANFROST_BO_WB_MMAP;
	if (flags & GEMSYNC_BO_NO_MMAP)
		args.flags |= PANFROST_BO_HEAP;
	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_CREATE_BO, &args);
	if (ret)
		return ret;
	/* What its policy is, the driver says at the export only (R13). */
	if (flags & GEMSYNC_BO_CACHED && flags & GEMSYNC_BO_SHAREABLE)
		ret = gemsync_drm_bo_check_export(dev, args.handle);
	if (ret) {
		gemsync_drm_bo_destroy(dev, args.handle);
		return ret;
	}
	*size = (*size + page_mask) & ~page_mask;
	*handle = args.handle;
	return 0;
}

static int panfrost_bo_map(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	struct drm_panfrost_mmap_bo args = { .handle = bo->handle };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_MMAP_BO, &args);
	/* With a good handle, this is how the driver says that it is a heap. */
	if (ret)
		return ret == -EINVAL ? -EPERM : ret;
	return gemsync_drm_bo_map_at(dev, bo, args.offset, out);
}

static int panfrost_bo_set_label(struct gemsync_device *dev, uint32_t handle, const char *label)
{
	struct drm_panfrost_set_label_bo args = { .handle = handle, .label = (uintptr_t)label };

	return gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_SET_LABEL_BO, &args);
}

/* The query does not tell whether an import may be mapped: it depends on the device (R15). */
static bool is_mappable(const struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_mmap_bo args = { .handle = handle };

	return gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_MMAP_BO, &args) != -EPERM;
}

static int panfrost_bo_query(struct gemsync_device *dev, uint32_t handle,
			     struct gemsync_bo_info *info)
{
	struct drm_panfrost_query_bo_info args = { .handle = handle };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_QUERY_BO_INFO, &args);
	if (ret)
		return ret;
	info->flags = 0;
	if (args.create_flags & PANFROST_BO_WB_MMAP)
		info->flags |= GEMSYNC_BO_CACHED;
	if (args.create_flags & PANFROST_BO_HEAP)
		info->flags |= GEMSYNC_BO_NO_MMAP;
	info->imported = args.extra_flags & DRM_PANFROST_BO_IS_IMPORTED;
	if (info->imported && !is_mappable(dev, handle))
		info->flags |= GEMSYNC_BO_NO_MMAP;
	return 0;
}

static bool fits(const struct gemsync_op *op)
{
	return op->offset <= UINT32_MAX && op_size(op) <= UINT32_MAX;
}

static void convert_op(struct drm_panfrost_bo_sync_op *to, const struct gemsync_op *op)
{
	*to = (struct drm_panfrost_bo_sync_op){
		.handle = op->bo->handle,
		.type = op->type == GEMSYNC_FLUSH ?
			PANFROST_BO_SYNC_CPU_CACHE_FLUSH :
			PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE,
		.offset = (uint32_t)op->offset,
		.size = (uint32_t)op_size(op),
	};
}

/* One call for the whole batch: two calls would not be all or nothing (R7). */
static int panfrost_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	struct drm_panfrost_bo_sync_op on_stack[STACK_OPS];
	struct drm_panfrost_bo_sync_op *converted = on_stack;
	struct drm_panfrost_sync_bo args = { 0 };
	size_t i;
	int ret;

	for (i = 0; i < count; i++)
		if (!op_is_idle(&ops[i]) && !fits(&ops[i]))
			return -EINVAL;
	if (count > STACK_OPS) {
		converted = malloc(count * sizeof(*converted));
		if (!converted)
			return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		if (!op_is_idle(&ops[i]))
			convert_op(&converted[args.op_count++], &ops[i]);
	args.ops = (uintptr_t)converted;
	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PANFROST_SYNC_BO, &args);
	if (converted != on_stack)
		free(converted);
	return ret;
}

const struct drm_ops gemsync_panfrost_ops = {
	.base = {
		.driver = "panfrost",
		.close = gemsync_drm_close,
		.bo_create = panfrost_bo_create,
		.bo_destroy = gemsync_drm_bo_destroy,
		.bo_map = panfrost_bo_map,
		.bo_unmap = gemsync_drm_bo_unmap,
		.bo_query = panfrost_bo_query,
		.bo_set_label = panfrost_bo_set_label,
		.bo_export = gemsync_drm_bo_export,
		.bo_import = gemsync_drm_bo_import,
		.sync = panfrost_sync,
		/* The ABI's, of 32 bits, as the address space. */
		.limits = { .offset_max = UINT32_MAX, .size_max = UINT32_MAX },
	},
	.probe = panfrost_probe,
	.query = panfrost_query,
};
