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

/*
 * 0, or -EINTR if the task is killed while somebody has the lock, who may be bringing in
 * memory for a long time.
 */
static int vm_bo_release(struct vgpu_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);
	int ret;

	ret = mutex_lock_killable(&vm->objs_lock);
	if (ret)
		return ret;
	/* The lock that is held lives in the object. */
	drm_gem_object_get(&bo->base.base);
	mutex_lock(vgpu_gpuva_lock(bo));
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(vgpu_gpuva_lock(bo));
	mutex_unlock(&vm->objs_lock);
	drm_gem_object_put(&bo->base.base);
	return 0;
}

/* Let go of the objects of mappings that are gone, as far as 0 or -EINTR says. */
static int release_removed(struct vgpu_vm *vm, struct list_head *removed)
{
	struct vgpu_va *va, *next;
	int ret;

	list_for_each_entry_safe(va, next, removed, removed) {
		ret = va->vm_bo ? vm_bo_release(vm, va->vm_bo) : 0;
		if (ret)
			return ret;
		list_del(&va->removed);
		kfree(va);
		cond_resched();
	}
	return 0;
}

static void release_later(struct vgpu_vm *vm, struct list_head *removed)
{
	spin_lock(&vm->late_lock);
	list_splice_tail_init(removed, &vm->late);
	spin_unlock(&vm->late_lock);
	vgpu_vm_get(vm);
	if (!queue_work(vgpu_release_wq, &vm->late_work))
		vgpu_vm_put(vm);
}

void vgpu_vm_late_work(struct work_struct *work)
{
	struct vgpu_vm *vm = container_of(work, struct vgpu_vm, late_work);
	LIST_HEAD(removed);

	spin_lock(&vm->late_lock);
	list_splice_init(&vm->late, &removed);
	spin_unlock(&vm->late_lock);
	/* Nobody kills a worker. */
	release_removed(vm, &removed);
	vgpu_vm_put(vm);
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
	if (op->vm_bo) {
		struct vgpu_va *va = take_spare(op);

		va->vm_bo = op->vm_bo;
		list_add_tail(&va->removed, &op->removed);
		drm_gem_sync_shmem_unpin(&to_vgpu_bo(op->vm_bo->obj)->base);
	}
	while (op->spare_count)
		kfree(take_spare(op));
	if (release_removed(vm, &op->removed))
		release_later(vm, &op->removed);
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

/* How many mappings go without others having a look at the address space. */
#define STEP	1024

/* Where the first mappings of a range end; 0 if there are no more than a step's. */
static u64 end_of_step(struct vgpu_vm *vm, u64 va, u64 end)
{
	unsigned int count = 0;
	struct drm_gpuva *mapping;

	drm_gpuvm_for_each_va_range(mapping, &vm->base, va, end) {
		if (count++ == STEP)
			return mapping->va.addr;
	}
	return 0;
}

/*
 * Every job that accesses memory waits for the lock, and with it all whose turn would be
 * next. So of many mappings, which a user can have by the million, some go at a time, all
 * but those of the last step here.
 */
static int unmap_steps(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	u64 end = op->va + op->size, va = op->va, next;
	int ret = 0;

	while (!ret && (next = end_of_step(vm, va, end))) {
		ret = drm_gpuvm_sm_unmap(&vm->base, op, va, next - va);
		va = next;
		up_write(&vm->mmu_lock);
		cond_resched();
		down_write(&vm->mmu_lock);
	}
	return ret;
}

static bool can_map(const struct vgpu_vm *vm)
{
	return !vm->destroyed && !vm->unusable;
}

static int execute_locked(struct vgpu_vm *vm, struct vgpu_vm_op *op)
{
	const bool maps = op->vm_bo || op->sparse;
	int ret;

	if (op->exact && (!op->size || !drm_gpuva_find(&vm->base, op->va, op->size)))
		return -ENOENT;
	if (!op->size)
		return 0;
	if (maps && !can_map(vm))
		return -EINVAL;
	ret = unmap_steps(vm, op);
	if (ret)
		return ret;
	if (!maps)
		return drm_gpuvm_sm_unmap(&vm->base, op, op->va, op->size);
	if (!can_map(vm))
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
