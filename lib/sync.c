// SPDX-License-Identifier: MIT
/*
 * Synchronization through the driver. Everything is checked here before the
 * driver is asked: operations that have nothing to do never reach it (R9), so it
 * could not refuse them.
 */
#include <errno.h>

#include "batch.h"
#include "internal.h"

_Static_assert((int)GEMSYNC_FLUSH == (int)GS_SYNC_FLUSH &&
	       (int)GEMSYNC_INVALIDATE == (int)GS_SYNC_FLUSH_AND_INVALIDATE,
	       "types of operations are those of core/");

static int check_op(const struct gemsync_device *dev, const struct gemsync_op *op)
{
	struct gs_sync_op plain = { .type = op->type, .offset = op->offset, .size = op->size };
	struct gs_sync_target target;

	if (!op->bo || op->bo->dev != dev)
		return -EINVAL;
	target.size = op->bo->size;
	target.imported = op->bo->imported;
	return gs_sync_op_check(&plain, &target);
}

int gemsync_device_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	bool idle = true;
	size_t i;
	int ret;

	if (count > GS_BATCH_MAX)
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
