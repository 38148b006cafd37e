// SPDX-License-Identifier: GPL-2.0-only
/* Changes of an address space, step by step. */
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"
#include "vm_op.h"

/*
 * While an object is mapped into a VM, or about to be, the two have one vm_bo. A change
 * that maps the object pins it until it is done: from then on vgpu_bo_evicting() knows
 * of the VM, and what it does.
 */
static struct drm_gpuvm_bo *vm_bo_obtain(struct vgpu_vm *vm, struct vgpu_bo *bo)
{
	struct drm_gpuvm_bo *new, *vm_bo;
	int ret;

	ret = drm_gem_sync_shmem_pin(&bo->base);
	if (ret)
		return ERR_PTR(ret);
	new = drm_gpuvm_bo_create(&vm->base, &bo->base.base);
	if (!new) {
		drm_gem_sync_shmem_unpin(&bo->base);
		return ERR_PTR(-ENOMEM);
	}
	vm_bo = compat_gpuvm_bo_obtain_prealloc(new, &bo->gpuva_lock);
	drm_gpuvm_bo_extobj_add(vm_bo);
	return vm_bo;
}

static void vm_bo_release(struct vgpu_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);

	/* The lock that is held lives in the object. */
	drm_gem_object_get(&bo->base.base);
	mutex_lock(&vm->objs_lock);
	mutex_lock(vgpu_gpuva_lock(bo));
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(vgpu_gpuva_lock(bo));
	mutex_unlock(&vm->objs_lock);
	drm_gem_object_put(&bo->base.base);
}

/* Undo vm_bo_obtain(). */
static void vm_bo_unpin(struct vgpu_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);

	drm_gem_object_get(&bo->base.base);
	vm_bo_release(vm, vm_bo);
	drm_gem_sync_shmem_unpin(&bo->base);
	drm_gem_object_put(&bo->base.base);
}

static struct vgpu_va *take_spare(struct vgpu_vm_op *op)
{
	return op->spares[--op->spare_count];
}

/* An inserted mapping refers to its object twice: the second reference ends it safely. */
static void link_va(struct vgpu_va *va, struct drm_gpuvm_bo *vm_bo, u32 flags)
{
	struct vgpu_bo *bo;

	va->flags = flags;
	if (!vm_bo)
		return;
	bo = to_vgpu_bo(vm_bo->obj);
	va->vm_bo = drm_gpuvm_bo_get(vm_bo);
	mutex_lock(vgpu_gpuva_lock(bo));
	drm_gpuva_link(&va->base, vm_bo);
	mutex_unlock(vgpu_gpuva_lock(bo));
}

static void unlink_va(struct vgpu_va *va, struct vgpu_vm_op *op)
{
	if (va->vm_bo) {
		struct vgpu_bo *bo = to_vgpu_bo(va->vm_bo->obj);

		mutex_lock(vgpu_gpuva_lock(bo));
		drm_gpuva_unlink(&va->base);
		mutex_unlock(vgpu_gpuva_lock(bo));
	}
	list_add_tail(&va->removed, &op->removed);
	cond_resched();
}

int vgpu_vm_step_map(struct drm_gpuva_op *step, void *priv)
{
	struct vgpu_vm_op *op = priv;
	struct vgpu_va *va = take_spare(op);

	drm_gpuva_map(&op->vm->base, &va->base, &step->map);
	link_va(va, op->vm_bo, op->flags);
	return 0;
}

int vgpu_vm_step_remap(struct drm_gpuva_op *step, void *priv)
{
	struct drm_gpuva_op_remap *remap = &step->remap;
	struct vgpu_va *va = to_vgpu_va(remap->unmap->va);
	struct vgpu_vm_op *op = priv;
	struct vgpu_va *prev = remap->prev ? take_spare(op) : NULL;
	struct vgpu_va *next = remap->next ? take_spare(op) : NULL;

	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL, remap);
	if (prev)
		link_va(prev, va->vm_bo, va->flags);
	if (next)
		link_va(next, va->vm_bo, va->flags);
	unlink_va(va, op);
	return 0;
}

int vgpu_vm_step_unmap(struct drm_gpuva_op *step, void *priv)
{
	drm_gpuva_unmap(&step->unmap);
	unlink_va(to_vgpu_va(step->unmap.va), priv);
	return 0;
}

void vgpu_vm_op_cleanup(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	struct vgpu_va *va, *next;

	list_for_each_entry_safe(va, next, &op->removed, removed) {
		if (va->vm_bo)
			vm_bo_release(vm, va->vm_bo);
		kfree(va);
		cond_resched();
	}
	while (op->spare_count)
		kfree(take_spare(op));
	if (op->vm_bo)
		vm_bo_unpin(vm, op->vm_bo);
}

int vgpu_vm_op_prepare(struct vgpu_vm *vm, struct vgpu_vm_op *op,
		       const struct vgpu_bind_args *args)
{
	int ret;

	op->va = args->va;
	op->size = args->size;
	op->offset = args->offset;
	op->flags = args->flags;
	op->exact = args->exact;
	op->sparse = args->sparse;
	INIT_LIST_HEAD(&op->removed);
	while (op->spare_count < VGPU_VM_OP_SPARES) {
		struct vgpu_va *va = kzalloc(sizeof(*va), GFP_KERNEL_ACCOUNT);

		if (!va) {
			ret = -ENOMEM;
			goto err_cleanup;
		}
		op->spares[op->spare_count++] = va;
	}
	if (args->bo) {
		struct drm_gpuvm_bo *vm_bo = vm_bo_obtain(vm, args->bo);

		if (IS_ERR(vm_bo)) {
			ret = PTR_ERR(vm_bo);
			goto err_cleanup;
		}
		op->vm_bo = vm_bo;
	}
	return 0;

err_cleanup:
	vgpu_vm_op_cleanup(vm, op);
	return ret;
}

static int execute_locked(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	if (op->exact && (!op->size || !drm_gpuva_find(&vm->base, op->va, op->size)))
		return -ENOENT;
	if (!op->size)
		return 0;
	if (!op->vm_bo && !op->sparse)
		return drm_gpuvm_sm_unmap(&vm->base, op, op->va, op->size);
	if (vm->destroyed || vm->unusable)
		return -EINVAL;
	op->vm = vm;
	return compat_gpuvm_sm_map(&vm->base, op, op->va, op->size,
				    op->vm_bo ? op->vm_bo->obj : NULL, op->offset);
}

int vgpu_vm_op_execute(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	int ret;

	down_write(&vm->mmu_lock);
	ret = execute_locked(vm, op);
	up_write(&vm->mmu_lock);
	return ret;
}

int vgpu_vm_op_execute_async(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	int ret;

	down_write(&vm->mmu_lock);
	if (atomic_dec_if_positive(&vm->vdev->fail_binds) >= 0)
		ret = -ENOMEM;
	else
		ret = execute_locked(vm, op);
	if (ret)
		vm->unusable = true;
	up_write(&vm->mmu_lock);
	return ret;
}
