// SPDX-License-Identifier: GPL-2.0-only
/* Fences of jobs and binds. */
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "vgpu";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	return "vgpu-queue";
}

/* User space may keep a fence for ever, and this code has to stay as long. */
static void fence_release(struct dma_fence *fence)
{
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

struct vgpu_fence *vgpu_fence_alloc(void)
{
	/* dma_fence_free() frees what starts with the fence. */
	BUILD_BUG_ON(offsetof(struct vgpu_fence, base));
	return kzalloc(sizeof(struct vgpu_fence), GFP_KERNEL_ACCOUNT);
}

/* Under the VM's reservation lock, which makes the sequence numbers follow the order of tasks. */
void vgpu_fence_init(struct vgpu_fence *fence, struct vgpu_timeline *timeline)
{
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, timeline->context,
		       ++timeline->seqno);
}

void vgpu_fence_signal(struct vgpu_fence *fence, int error)
{
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
}

/* Drop the reference of a fence that may not have been initialized. */
void vgpu_fence_put(struct vgpu_fence *fence)
{
	if (fence && fence->base.ops)
		dma_fence_put(&fence->base);
	else
		kfree(fence);
}
