// SPDX-License-Identifier: GPL-2.0-only
/* Sync ops, as submits and binds have them. */
#include <linux/slab.h>

#include "vpanthor.h"

#define SYNC_OP_FLAGS	(DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK | DRM_PANTHOR_SYNC_OP_SIGNAL)

static int decode_sync(const struct drm_panthor_sync_op *sync, struct vgpu_sync_op *op)
{
	u32 type = sync->flags & DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK;

	if (sync->flags & ~SYNC_OP_FLAGS)
		return -EINVAL;
	if (type != DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ &&
	    type != DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ)
		return -EINVAL;
	if (type == DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ && sync->timeline_value)
		return -EINVAL;
	op->handle = sync->handle;
	op->signal = sync->flags & DRM_PANTHOR_SYNC_OP_SIGNAL;
	op->point = sync->timeline_value;
	return 0;
}

struct vgpu_sync_op *vpanthor_get_syncs(const struct drm_panthor_obj_array *array)
{
	const struct vgpu_uarray uarray =
		VPANTHOR_UARRAY(array, struct drm_panthor_sync_op, timeline_value);
	struct drm_panthor_sync_op *syncs = vgpu_uarray_get(&uarray);
	struct vgpu_sync_op *ops;
	int ret = 0;

	if (IS_ERR_OR_NULL(syncs))
		return ERR_CAST(syncs);
	ops = kvmalloc_array(array->count, sizeof(*ops), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ops)
		ret = -ENOMEM;
	for (u32 i = 0; i < array->count && !ret; i++) {
		ret = decode_sync(&syncs[i], &ops[i]);
		cond_resched();
	}
	kvfree(syncs);
	if (ret) {
		kvfree(ops);
		return ERR_PTR(ret);
	}
	return ops;
}
