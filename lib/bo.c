// SPDX-License-Identifier: MIT
/* Buffer objects, their maps, and sharing them. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define BO_FLAGS	(GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP | GEMSYNC_BO_SHAREABLE)

/* dev->lock is held by the callers of the next three. */

static void add_bo(struct gemsync_device *dev, struct gemsync_bo *bo)
{
	bo->dev = dev;
	bo->refs = 1;
	bo->next = dev->bos;
	if (bo->next)
		bo->next->prev = bo;
	dev->bos = bo;
}

static void remove_bo(struct gemsync_device *dev, struct gemsync_bo *bo)
{
	if (bo->next)
		bo->next->prev = bo->prev;
	if (bo->prev)
		bo->prev->next = bo->next;
	else
		dev->bos = bo->next;
}

static struct gemsync_bo *find_bo(struct gemsync_device *dev, uint32_t handle)
{
	struct gemsync_bo *bo;

	for (bo = dev->bos; bo; bo = bo->next)
		if (bo->handle == handle)
			return bo;
	return NULL;
}

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
	bo->size = size;
	bo->flags = flags & (GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP);
	bo->needs_sync = flags & GEMSYNC_BO_CACHED && !dev->info.coherent;
	ret = dev->ops->bo_create(dev, flags, &bo->size, &bo->handle);
	if (ret)
		goto err_free;
	pthread_mutex_lock(&dev->lock);
	add_bo(dev, bo);
	pthread_mutex_unlock(&dev->lock);
	*out = bo;
	return 0;
err_free:
	free(bo);
	return ret;
}

void gemsync_bo_destroy(struct gemsync_bo *bo)
{
	struct gemsync_device *dev;

	if (!bo)
		return;
	dev = bo->dev;
	/* An import at the same time finds the BO with its handle, or neither. */
	pthread_mutex_lock(&dev->lock);
	if (!--bo->refs) {
		remove_bo(dev, bo);
		gemsync_bo_unmap(bo);
		if (!bo->borrowed)
			dev->ops->bo_destroy(dev, bo->handle);
		free(bo);
	}
	pthread_mutex_unlock(&dev->lock);
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
	struct gemsync_bo_info found = { .flags = bo->flags, .needs_sync = bo->needs_sync };
	int ret = 0;

	if (bo->dev->ops->bo_query)
		ret = bo->dev->ops->bo_query(bo->dev, bo->handle, &found);
	if (ret)
		return ret;
	gemsync_bo_describe_path(bo, &found);
	*info = found;
	return 0;
}

int gemsync_bo_map(struct gemsync_bo *bo, void **out)
{
	int ret;

	if (!bo->map) {
		if (!bo->dev->ops->bo_map)
			return -EOPNOTSUPP;
		ret = bo->dev->ops->bo_map(bo->dev, bo, &bo->map);
		if (ret)
			return ret;
		gemsync_bo_choose_path(bo);
	}
	*out = bo->map;
	return 0;
}

void gemsync_bo_unmap(struct gemsync_bo *bo)
{
	if (bo->map && !bo->map_borrowed && bo->dev->ops->bo_unmap)
		bo->dev->ops->bo_unmap(bo->dev, bo);
	bo->map = NULL;
	bo->map_borrowed = false;
	gemsync_bo_choose_path(bo);
}

int gemsync_bo_set_label(struct gemsync_bo *bo, const char *label)
{
	if (!bo->dev->ops->bo_set_label)
		return -EOPNOTSUPP;
	return bo->dev->ops->bo_set_label(bo->dev, bo->handle, label);
}

int gemsync_bo_export(struct gemsync_bo *bo, int *fd)
{
	if (!bo->dev->ops->bo_export)
		return -EOPNOTSUPP;
	return bo->dev->ops->bo_export(bo->dev, bo->handle, fd);
}

/* A BO for a handle that is new to the library. */
static int adopt_handle(struct gemsync_device *dev, uint32_t handle, uint64_t size,
			struct gemsync_bo **out)
{
	struct gemsync_bo_info info = { 0 };
	struct gemsync_bo *bo;
	int ret;

	if (!dev->ops->bo_query)
		return -EOPNOTSUPP;
	ret = dev->ops->bo_query(dev, handle, &info);
	if (ret)
		return ret;
	bo = calloc(1, sizeof(*bo));
	if (!bo)
		return -ENOMEM;
	bo->size = size;
	bo->handle = handle;
	bo->imported = info.imported;
	bo->needs_sync = info.flags & GEMSYNC_BO_CACHED && !info.imported && !dev->info.coherent;
	add_bo(dev, bo);
	*out = bo;
	return 0;
}

static int wrap_locked(struct gemsync_device *dev, uint32_t handle, uint64_t size, void *map,
		       struct gemsync_bo **out)
{
	struct gemsync_bo *bo;
	int ret;

	if (find_bo(dev, handle))
		return -EEXIST;
	ret = adopt_handle(dev, handle, size, &bo);
	if (ret)
		return ret;
	bo->borrowed = true;
	bo->map = map;
	bo->map_borrowed = map;
	gemsync_bo_choose_path(bo);
	*out = bo;
	return 0;
}

int gemsync_bo_wrap(struct gemsync_device *dev, uint32_t handle, uint64_t size, void *map,
		    struct gemsync_bo **out)
{
	int ret;

	if (!size)
		return -EINVAL;
	pthread_mutex_lock(&dev->lock);
	ret = wrap_locked(dev, handle, size, map, out);
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

static int import_locked(struct gemsync_device *dev, int fd, struct gemsync_bo **out)
{
	struct gemsync_bo *bo;
	uint32_t handle;
	uint64_t size;
	int ret;

	ret = dev->ops->bo_import(dev, fd, &handle, &size);
	if (ret)
		return ret;
	bo = find_bo(dev, handle);
	if (bo) {
		bo->refs++;
		*out = bo;
		return 0;
	}
	ret = adopt_handle(dev, handle, size, out);
	if (ret)
		dev->ops->bo_destroy(dev, handle);
	return ret;
}

int gemsync_device_import(struct gemsync_device *dev, int fd, struct gemsync_bo **out)
{
	int ret;

	if (!dev->ops->bo_import)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&dev->lock);
	ret = import_locked(dev, fd, out);
	pthread_mutex_unlock(&dev->lock);
	return ret;
}
