// SPDX-License-Identifier: MIT
/* Buffer objects and their maps. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "internal.h"

#define BO_FLAGS	(GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP | GEMSYNC_BO_SHAREABLE)

int gemsync_bo_create(struct gemsync_device *dev, uint64_t size, uint32_t flags,
		      struct gemsync_bo **out)
{
	struct gemsync_bo *bo;
	int ret;

	if (!size || flags & ~BO_FLAGS)
		return -EINVAL;
	if (!dev->ops->bo_create)
		return -EOPNOTSUPP;
	bo = calloc(1, sizeof(*bo));
	if (!bo)
		return -ENOMEM;
	bo->dev = dev;
	bo->size = size;
	bo->needs_sync = flags & GEMSYNC_BO_CACHED && !dev->info.coherent;
	ret = dev->ops->bo_create(dev, flags, &bo->size, &bo->handle);
	if (ret)
		goto err_free;
	*out = bo;
	return 0;
err_free:
	free(bo);
	return ret;
}

void gemsync_bo_destroy(struct gemsync_bo *bo)
{
	if (!bo)
		return;
	gemsync_bo_unmap(bo);
	drmCloseBufferHandle(bo->dev->fd, bo->handle);
	free(bo);
}

uint64_t gemsync_bo_size(const struct gemsync_bo *bo)
{
	return bo->size;
}

uint32_t gemsync_bo_handle(const struct gemsync_bo *bo)
{
	return bo->handle;
}

int gemsync_bo_query(struct gemsync_bo *bo, struct gemsync_bo_info *info)
{
	struct gemsync_bo_info found = { .needs_sync = bo->needs_sync };
	int ret;

	if (!bo->dev->ops->bo_query)
		return -EOPNOTSUPP;
	ret = bo->dev->ops->bo_query(bo->dev, bo->handle, &found);
	if (ret)
		return ret;
	*info = found;
	return 0;
}

int gemsync_bo_map(struct gemsync_bo *bo, void **out)
{
	uint64_t offset;
	void *map;
	int ret;

	if (bo->map) {
		*out = bo->map;
		return 0;
	}
	if (!bo->dev->ops->bo_map_offset)
		return -EOPNOTSUPP;
	ret = bo->dev->ops->bo_map_offset(bo->dev, bo->handle, &offset);
	if (ret)
		return ret;
	if ((size_t)bo->size != bo->size)
		return -ENOMEM;
	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, bo->dev->fd, offset);
	if (map == MAP_FAILED)
		return -errno;
	bo->map = map;
	*out = map;
	return 0;
}

void gemsync_bo_unmap(struct gemsync_bo *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	bo->map = NULL;
}
