// SPDX-License-Identifier: GPL-2.0-only
/* What jobs and binds have in common, their fences among it, up to the scheduler's hands. */
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

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
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
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, timeline->context,
		       ++timeline->seqno);
}

/*
 * User space may keep a fence for ever, and so longer than this module, which it must
 * not keep. A signalled fence is memory that the core frees, and two names: from here on
 * they are the core's, as those of its stub. Fences that are not signalled have a job,
 * which keeps its device, for whose end drivers wait before they go.
 */
static void detach(struct vgpu_fence *fence)
{
	struct dma_fence *stub = dma_fence_get_stub();

	WRITE_ONCE(fence->base.ops, stub->ops);
	dma_fence_put(stub);
}

/* The caller has a reference. */
void vgpu_fence_signal(struct vgpu_fence *fence, int error)
{
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
	detach(fence);
}

/* Drop the reference of a fence that may not have been initialized. */
void vgpu_fence_put(struct vgpu_fence *fence)
{
	/* Its operations tell nothing: the core may take them away when it is signalled. */
	if (fence && kref_read(&fence->base.refcount))
		dma_fence_put(&fence->base);
	else
		kfree(fence);
}

int vgpu_task_init(struct vgpu_task *task, struct drm_sched_entity *entity, u64 client_id)
{
	int ret;

	task->fence = vgpu_fence_alloc();
	if (!task->fence)
		return -ENOMEM;
	ret = drm_sched_job_init(&task->base, entity, 1, NULL, client_id);
	if (ret)
		vgpu_fence_put(task->fence);
	return ret;
}

void vgpu_task_fini(struct vgpu_task *task)
{
	drm_sched_job_cleanup(&task->base);
	vgpu_fence_put(task->fence);
}

void vgpu_task_free(struct vgpu_task *task)
{
	if (task)
		task->free(task);
}
