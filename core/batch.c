// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "batch.h"

int gs_batch_check(u32 count, u32 stride, u32 op_size)
{
	if (!count)
		return 0;
	if (stride < op_size)
		return -EINVAL;
	if (count > GS_BATCH_MAX)
		return -E2BIG;
	return 1;
}

int gs_sync_op_check(const struct gs_sync_op *op, const struct gs_sync_target *target)
{
	int ret;

	if (op->type != GS_SYNC_FLUSH && op->type != GS_SYNC_FLUSH_AND_INVALIDATE)
		return -EINVAL;
	if (op->pad)
		return -EINVAL;
	ret = gs_range_check(op->offset, op->size, target->size);
	if (ret)
		return ret;
	return target->imported ? -EINVAL : 0;
}
