// SPDX-License-Identifier: MIT
/*
 * Synchronization through the driver. Everything is checked here before the
 * driver is asked: operations that have nothing to do never reach it (R9), so it
 * could not refuse them.
 */
#include <errno.h>

#include "internal.h"

static int check_op(const struct gemsync_device *dev, const struct gemsync_op *op)
{
	if (!op->bo || op->bo->dev != dev)
		return -EINVAL;
	if (op->type != GEMSYNC_FLUSH && op->type != GEMSYNC_INVALIDATE)
		return -EINVAL;
	if (op->size > op->bo->size || op->offset > op->bo->size - op->size)
		return -EINVAL;
	return 0;
}

int gemsync_device_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	bool idle = true;
	size_t i;
	int ret;

	if (count > BATCH_MAX)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		ret = check_op(dev, &ops[i]);
		if (ret)
			return ret;
		idle = idle && op_is_idle(&ops[i]);
	}
	if (idle)
		return 0;
	if (!dev->ops->sync)
		return -EOPNOTSUPP;
	return dev->ops->sync(dev, ops, count);
}

int gemsync_bo_flush(struct gemsync_bo *bo, uint64_t offset, uint64_t size)
{
	struct gemsync_op op = { .bo = bo, .type = GEMSYNC_FLUSH, .offset = offset, .size = size };

	return gemsync_device_sync(bo->dev, &op, 1);
}

int gemsync_bo_invalidate(struct gemsync_bo *bo, uint64_t offset, uint64_t size)
{
	struct gemsync_op op = {
		.bo = bo,
		.type = GEMSYNC_INVALIDATE,
		.offset = offset,
		.size = size,
	};

	return gemsync_device_sync(bo->dev, &op, 1);
}
