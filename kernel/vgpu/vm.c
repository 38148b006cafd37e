// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces: their life, and the mappings in them. */
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"
#include "vm.h"

/* A change splits at most two mappings in two and adds one. */
#define OP_SPARES	3

/*
 * A change of the mappings. All that can fail is done before it executes, and all
 * that may take a reservation lock or free an object after it: the execution itself
 * is fit for the path that signals fences.
 */
struct vm_op {
	u64 va;
	u64 size;
	const struct vgpu_map_args *map;	/* NULL to unmap only */
	struct drm_gpuvm_bo *vm_bo;		/* of what is mapped */
	struct vgpu_va *spares[OP_SPARES];
	int spare_count;
	struct list_head removed;		/* struct vgpu_va.removed */
};

/*
 * While an object is mapped into a VM, or about to be, the two have one vm_bo, and
 * that has one pin.
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
	mutex_lock(&bo->gpuva_lock);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(new);
	mutex_unlock(&bo->gpuva_lock);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (vm_bo != new)
		drm_gem_sync_shmem_unpin(&bo->base);
	return vm_bo;
}

static void vm_bo_release(struct vgpu_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);
	bool last;

	/* The lock that is held lives in the object. */
	drm_gem_object_get(&bo->base.base);
	mutex_lock(&vm->objs_lock);
	mutex_lock(&bo->gpuva_lock);
	last = drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(&bo->gpuva_lock);
	mutex_unlock(&vm->objs_lock);
	if (last)
		drm_gem_sync_shmem_unpin(&bo->base);
	drm_gem_object_put(&bo->base.base);
}

static struct vgpu_va *take_spare(struct vm_op *op)
{
	return op->spares[--op->spare_count];
}

/* An inserted mapping refers to its object twice: the second reference ends it safely. */
static void link_va(struct vgpu_va *va, struct drm_gpuvm_bo *vm_bo, u32 flags)
{
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);

	va->flags = flags;
	va->vm_bo = drm_gpuvm_bo_get(vm_bo);
	mutex_lock(&bo->gpuva_lock);
	drm_gpuva_link(&va->base, vm_bo);
	mutex_unlock(&bo->gpuva_lock);
}

static void unlink_va(struct vgpu_va *va, struct vm_op *op)
{
	struct vgpu_bo *bo = to_vgpu_bo(va->vm_bo->obj);

	mutex_lock(&bo->gpuva_lock);
	drm_gpuva_unlink(&va->base);
	mutex_unlock(&bo->gpuva_lock);
	list_add_tail(&va->removed, &op->removed);
	cond_resched();
}

static int step_map(struct drm_gpuva_op *step, void *priv)
{
	struct vm_op *op = priv;
	struct vgpu_va *va = take_spare(op);

	drm_gpuva_map(op->vm_bo->vm, &va->base, &step->map);
	link_va(va, op->vm_bo, op->map->flags);
	return 0;
}

static int step_remap(struct drm_gpuva_op *step, void *priv)
{
	struct drm_gpuva_op_remap *remap = &step->remap;
	struct vgpu_va *va = to_vgpu_va(remap->unmap->va);
	struct vm_op *op = priv;
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

static int step_unmap(struct drm_gpuva_op *step, void *priv)
{
	drm_gpuva_unmap(&step->unmap);
	unlink_va(to_vgpu_va(step->unmap.va), priv);
	return 0;
}

static void vm_free(struct drm_gpuvm *gpuvm)
{
	struct vgpu_vm *vm = to_vgpu_vm(gpuvm);

	mutex_destroy(&vm->objs_lock);
	kfree(vm);
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.sm_step_map = step_map,
	.sm_step_remap = step_remap,
	.sm_step_unmap = step_unmap,
};

static void op_cleanup(struct vgpu_vm *vm, struct vm_op *op)
{
	struct vgpu_va *va, *next;

	list_for_each_entry_safe(va, next, &op->removed, removed) {
		vm_bo_release(vm, va->vm_bo);
		kfree(va);
		cond_resched();
	}
	while (op->spare_count)
		kfree(take_spare(op));
	if (op->vm_bo)
		vm_bo_release(vm, op->vm_bo);
}

static int op_prepare(struct vgpu_vm *vm, struct vm_op *op)
{
	int ret;

	INIT_LIST_HEAD(&op->removed);
	while (op->spare_count < OP_SPARES) {
		struct vgpu_va *va = kzalloc(sizeof(*va), GFP_KERNEL);

		if (!va) {
			ret = -ENOMEM;
			goto err_cleanup;
		}
		op->spares[op->spare_count++] = va;
	}
	if (op->map) {
		struct drm_gpuvm_bo *vm_bo = vm_bo_obtain(vm, op->map->bo);

		if (IS_ERR(vm_bo)) {
			ret = PTR_ERR(vm_bo);
			goto err_cleanup;
		}
		op->vm_bo = vm_bo;
	}
	return 0;

err_cleanup:
	op_cleanup(vm, op);
	return ret;
}

/* The device sees all of the change, or nothing yet. */
static int op_execute(struct vgpu_vm *vm, struct vm_op *op)
{
	int ret;

	down_write(&vm->mmu_lock);
	if (!op->map)
		ret = drm_gpuvm_sm_unmap(&vm->base, op, op->va, op->size);
	else if (vm->destroyed)
		ret = -EINVAL;
	else
		ret = drm_gpuvm_sm_map(&vm->base, op, op->va, op->size, op->vm_bo->obj,
				       op->map->offset);
	up_write(&vm->mmu_lock);
	return ret;
}

static int op_run(struct vgpu_vm *vm, struct vm_op *op)
{
	int ret;

	ret = op_prepare(vm, op);
	if (ret)
		return ret;
	ret = op_execute(vm, op);
	op_cleanup(vm, op);
	return ret;
}

static bool range_ok(const struct vgpu_vm *vm, u64 va, u64 size)
{
	u64 end = vm->base.mm_start + vm->base.mm_range;

	return size && size <= end && va <= end - size && PAGE_ALIGNED(va | size);
}

/**
 * vgpu_vm_map() - map part of an object, in the place of what was mapped there
 * @vm: the VM
 * @args: the mapping
 *
 * Populates the object and keeps it so while it is mapped.
 *
 * Context: Process context, may sleep. Takes the object's reservation lock.
 *
 * Return: 0; -EINVAL for a range that is empty, not aligned to pages, or leaves the
 * address space or the object, for another VM's exclusive object, or if the VM was
 * destroyed; -ENOMEM; -EINTR; an error of the DMA mapping.
 */
int vgpu_vm_map(struct vgpu_vm *vm, const struct vgpu_map_args *args)
{
	struct vgpu_bo *bo = args->bo;
	u64 bo_size = bo->base.base.size;
	struct vm_op op = {
		.va = args->va,
		.size = args->size,
		.map = args,
	};

	if (!range_ok(vm, args->va, args->size) || !PAGE_ALIGNED(args->offset))
		return -EINVAL;
	if (args->size > bo_size || args->offset > bo_size - args->size)
		return -EINVAL;
	if (bo->vm_resv_obj && bo->vm_resv_obj != drm_gpuvm_resv_obj(&vm->base))
		return -EINVAL;
	return op_run(vm, &op);
}
EXPORT_SYMBOL_GPL(vgpu_vm_map);

/**
 * vgpu_vm_unmap() - unmap a range, mapped or not
 * @vm: the VM
 * @va: GPU address
 * @size: bytes
 *
 * On return no device access to what was mapped there is in flight.
 *
 * Context: Process context, may sleep. Takes the objects' reservation locks.
 *
 * Return: 0; -EINVAL for a range that is empty, not aligned to pages, or leaves the
 * address space; -ENOMEM.
 */
int vgpu_vm_unmap(struct vgpu_vm *vm, u64 va, u64 size)
{
	struct vm_op op = {
		.va = va,
		.size = size,
	};

	if (!range_ok(vm, va, size))
		return -EINVAL;
	return op_run(vm, &op);
}
EXPORT_SYMBOL_GPL(vgpu_vm_unmap);

/**
 * vgpu_vm_create() - create an address space
 * @vdev: the device
 * @va_range: bytes from address 0, a multiple of the page size
 *
 * Context: Process context, may sleep.
 *
 * Return: the VM with one reference, which vgpu_vm_destroy() drops; an ERR_PTR() of
 * -ENOMEM.
 */
struct vgpu_vm *vgpu_vm_create(struct vgpu_device *vdev, u64 va_range)
{
	struct drm_gem_object *resv_obj;
	struct vgpu_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	resv_obj = drm_gpuvm_resv_object_alloc(&vdev->drm);
	if (!resv_obj) {
		kfree(vm);
		return ERR_PTR(-ENOMEM);
	}
	vm->vdev = vdev;
	init_rwsem(&vm->mmu_lock);
	mutex_init(&vm->objs_lock);
	drm_gpuvm_init(&vm->base, "vgpu-vm", 0, &vdev->drm, resv_obj, 0, va_range, 0, 0, &vm_ops);
	drm_gem_object_put(resv_obj);
	return vm;
}
EXPORT_SYMBOL_GPL(vgpu_vm_create);

/**
 * vgpu_vm_destroy() - unmap everything for ever, and drop the creator's reference
 * @vm: the VM
 *
 * Groups may still have references: their accesses find nothing mapped.
 *
 * Context: Process context, may sleep. Takes the objects' reservation locks.
 */
void vgpu_vm_destroy(struct vgpu_vm *vm)
{
	struct vm_op op = {
		.va = vm->base.mm_start,
		.size = vm->base.mm_range,
		.removed = LIST_HEAD_INIT(op.removed),
	};

	down_write(&vm->mmu_lock);
	vm->destroyed = true;
	up_write(&vm->mmu_lock);
	/* Needs no spare: every mapping lies in the range. */
	op_execute(vm, &op);
	op_cleanup(vm, &op);
	vgpu_vm_put(vm);
}
EXPORT_SYMBOL_GPL(vgpu_vm_destroy);
