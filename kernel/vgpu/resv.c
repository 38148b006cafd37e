// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservation locks of the objects of an address space, and implicit synchronization:
 * a job, and the other users of the objects that it names.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_exec.h>

#include "internal.h"

/* Imports of one dma-buf have one lock. */
void vgpu_exec_init(struct drm_exec *exec)
{
	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
}

/*
 * drm_exec_fini() drops each object while those before it are still locked. If that
 * is the last reference of an import, freeing it takes the lock of its dma-buf: so the
 * references outlive the locks.
 */
void vgpu_exec_fini(struct drm_exec *exec)
{
	struct drm_gem_object **objs = exec->objects;
	unsigned int count = exec->num_objects;

	for (unsigned int i = count; i--;)
		dma_resv_unlock(objs[i]->resv);
	exec->objects = NULL;
	exec->num_objects = 0;
	drm_exec_fini(exec);
	for (unsigned int i = count; i--;)
		drm_gem_object_put(objs[i]);
	kvfree(objs);
}

/* There may be as many objects as an address space holds. */
static int check_progress(void)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return 0;
}

/*
 * With room for two fences of the last job, because what keeps the object is another
 * one than what others wait for.
 */
int vgpu_implicit_prepare(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->obj_count; i++) {
		int ret = drm_exec_prepare_obj(&submit->exec, submit->objs[i], 2) ?:
			  check_progress();

		if (ret)
			return ret;
	}
	return 0;
}

/* Of a timeline the last fence is enough. */
static int add_wait(struct vgpu_submit *submit, struct xarray *waits, struct dma_fence *fence)
{
	struct dma_fence *old = xa_load(waits, fence->context);
	int ret;

	if (dma_fence_is_signaled(fence) || (old && !dma_fence_is_later(fence, old)))
		return 0;
	if (!old && submit->wait_count == VGPU_MAX_WAITS)
		return -E2BIG;
	ret = xa_err(xa_store(waits, fence->context, dma_fence_get(fence), GFP_KERNEL_ACCOUNT));
	if (ret) {
		dma_fence_put(fence);
		return ret;
	}
	submit->wait_count += !old;
	dma_fence_put(old);
	return 0;
}

/* All users of an object: what the job does to it is not known. */
static int add_users(struct vgpu_submit *submit, struct xarray *waits, struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_READ, fence) {
		int ret = add_wait(submit, waits, fence) ?: check_progress();

		if (ret)
			return ret;
	}
	return 0;
}

static int collect_waits(struct vgpu_submit *submit, struct xarray *waits)
{
	for (u32 i = 0; i < submit->obj_count; i++) {
		int ret = add_users(submit, waits, submit->objs[i]->resv) ?: check_progress();

		if (ret)
			return ret;
	}
	return 0;
}

/*
 * The scheduler compares each fence that it gets with all that it has. Many objects have
 * few users, so what it gets is one fence of each timeline, however many objects there
 * are.
 */
int vgpu_implicit_wait(struct vgpu_submit *submit, struct vgpu_task *task)
{
	struct dma_fence *fence;
	struct xarray waits;
	unsigned long index;
	int ret;

	xa_init(&waits);
	ret = collect_waits(submit, &waits);
	xa_for_each(&waits, index, fence) {
		if (!ret)
			ret = drm_sched_job_add_dependency(&task->base, dma_fence_get(fence)) ?:
			      check_progress();
		dma_fence_put(fence);
	}
	xa_destroy(&waits);
	return ret;
}

/* The job will run: from now on others wait for it. */
void vgpu_implicit_add(struct vgpu_submit *submit, struct dma_fence *fence)
{
	for (u32 i = 0; i < submit->obj_count; i++) {
		dma_resv_add_fence(submit->objs[i]->resv, fence, DMA_RESV_USAGE_WRITE);
		cond_resched();
	}
}
