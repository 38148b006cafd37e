// SPDX-License-Identifier: GPL-2.0-only
/* Asynchronous binds: changes of an address space that wait and signal. */
#include <linux/slab.h>

#include "internal.h"
#include "vm_op.h"

struct vgpu_bind {
	struct vgpu_task task;
	struct vgpu_vm *vm;
	struct vgpu_vm_op op;
	struct work_struct free_work;
};

#define to_vgpu_bind(task_) container_of(task_, struct vgpu_bind, task)

static void bind_free(struct vgpu_task *task)
{
	struct vgpu_bind *bind = to_vgpu_bind(task);
	struct vgpu_vm *vm = bind->vm;

	vgpu_vm_op_cleanup(vm, &bind->op);
	vgpu_task_fini(task);
	kfree(bind);
	vgpu_vm_put(vm);
}

static void free_work(struct work_struct *work)
{
	struct vgpu_bind *bind = container_of(work, struct vgpu_bind, free_work);

	bind_free(&bind->task);
}

/* All dependencies are met, and the bind before this one is done: credit_limit is 1. */
static struct dma_fence *run_bind(struct drm_sched_job *sched_job)
{
	struct vgpu_bind *bind = to_vgpu_bind(to_vgpu_task(sched_job));
	struct dma_fence *fence = dma_fence_get(&bind->task.fence->base);
	bool cookie = dma_fence_begin_signalling();

	vgpu_fence_signal(bind->task.fence, vgpu_vm_op_execute_async(bind->vm, &bind->op));
	dma_fence_end_signalling(cookie);
	return fence;
}

static enum drm_gpu_sched_stat timedout_bind(struct drm_sched_job *sched_job)
{
	/* Never called: a bind is done when run_bind() returns. */
	return COMPAT_SCHED_STAT_RESET;
}

/* The cleanup takes reservation locks, which the path that signals fences must not. */
static void free_bind(struct drm_sched_job *sched_job)
{
	queue_work(vgpu_release_wq, &to_vgpu_bind(to_vgpu_task(sched_job))->free_work);
}

static const struct drm_sched_backend_ops bind_ops = {
	.run_job = run_bind,
	.timedout_job = timedout_bind,
	.free_job = free_bind,
};

int vgpu_bind_queue_init(struct vgpu_vm *vm)
{
	const struct drm_sched_init_args args = {
		.ops = &bind_ops,
		.submit_wq = vm->vdev->sched_wq,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "vgpu-bind",
		.dev = vm->vdev->drm.dev,
	};
	struct drm_gpu_scheduler *sched = &vm->bind_sched;
	int ret;

	vm->bind_timeline.context = dma_fence_context_alloc(1);
	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&vm->bind_entity, DRM_SCHED_PRIORITY_KERNEL, &sched, 1, NULL);
	if (ret)
		drm_sched_fini(sched);
	return ret;
}

/* No bind is left, and this is not one of the scheduler's work items. */
void vgpu_bind_queue_fini(struct vgpu_vm *vm)
{
	drm_sched_entity_fini(&vm->bind_entity);
	drm_sched_fini(&vm->bind_sched);
}

/* Whether the VM takes new binds. */
static int check_vm(struct vgpu_vm *vm)
{
	int ret;

	down_read(&vm->mmu_lock);
	ret = vm->destroyed || vm->unusable ? -EINVAL : 0;
	up_read(&vm->mmu_lock);
	return ret;
}

static struct vgpu_bind *bind_alloc(struct vgpu_vm *vm, u64 client_id)
{
	struct vgpu_bind *bind = kzalloc(sizeof(*bind), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!bind)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&bind->free_work, free_work);
	bind->task.timeline = &vm->bind_timeline;
	bind->task.free = bind_free;
	ret = vgpu_task_init(&bind->task, &vm->bind_entity, client_id);
	if (ret) {
		kfree(bind);
		return ERR_PTR(ret);
	}
	return bind;
}

struct vgpu_task *vgpu_bind_create(struct vgpu_vm *vm, const struct vgpu_bind_args *args,
				   u64 client_id)
{
	struct vgpu_bind *bind;
	int ret;

	ret = check_vm(vm);
	if (!ret)
		ret = vgpu_vm_check_bind(vm, args);
	if (ret)
		return ERR_PTR(ret);
	bind = bind_alloc(vm, client_id);
	if (IS_ERR(bind))
		return ERR_CAST(bind);
	ret = vgpu_vm_op_prepare(vm, &bind->op, args);
	if (ret) {
		vgpu_task_fini(&bind->task);
		kfree(bind);
		return ERR_PTR(ret);
	}
	bind->task.obj = bind->op.vm_bo ? bind->op.vm_bo->obj : NULL;
	bind->vm = vgpu_vm_get(vm);
	return &bind->task;
}
