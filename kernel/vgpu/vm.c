// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces: their life, and binds that are done at once. */
#include <linux/export.h>
#include <linux/slab.h>

#include "internal.h"
#include "vm_op.h"

static void vm_free(struct drm_gpuvm *gpuvm)
{
	struct vgpu_vm *vm = to_vgpu_vm(gpuvm);
	struct vgpu_device *vdev = vm->vdev;

	vgpu_bind_queue_fini(vm);
	drm_mm_takedown(&vm->kernel_space);
	mutex_destroy(&vm->kernel_lock);
	mutex_destroy(&vm->objs_lock);
	kfree(vm);
	drm_dev_put(&vdev->drm);
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_validate = vgpu_vm_bo_validate,
	.sm_step_map = vgpu_vm_step_map,
	.sm_step_remap = vgpu_vm_step_remap,
	.sm_step_unmap = vgpu_vm_step_unmap,
};

static int check_map(struct vgpu_vm *vm, const struct vgpu_bind_args *args)
{
	u64 bo_size = args->bo->base.base.size;

	if (!args->size || !PAGE_ALIGNED(args->offset))
		return -EINVAL;
	if (args->size > bo_size || args->offset > bo_size - args->size)
		return -EINVAL;
	if (args->bo->vm_resv_obj && args->bo->vm_resv_obj != drm_gpuvm_resv_obj(&vm->base))
		return -EINVAL;
	return 0;
}

int vgpu_vm_check_bind(struct vgpu_vm *vm, const struct vgpu_bind_args *args)
{
	if (!PAGE_ALIGNED(args->va | args->size))
		return -EINVAL;
	if (args->size > vm->user_range || args->va > vm->user_range - args->size)
		return -EINVAL;
	if (args->sparse)
		return args->size ? 0 : -EINVAL;
	return args->bo ? check_map(vm, args) : 0;
}

/**
 * vgpu_vm_bind() - change an address space, at once
 * @vm: the VM
 * @args: the change
 *
 * A mapped object is populated, and is so whenever a job executes. On return no device
 * access to what was unmapped is in flight.
 *
 * Context: Process context, may sleep. Takes the objects' reservation locks.
 *
 * Return: 0; -EINVAL for a range that is not aligned to pages, or leaves the user's
 * part of the address space or the object, for an empty range to map, for another
 * VM's exclusive object, or if nothing can be mapped any more; -ENOENT if there is no
 * mapping of exactly the range that @args wants to unmap; -ENOMEM; -EINTR; an error of
 * the DMA mapping.
 */
int vgpu_vm_bind(struct vgpu_vm *vm, const struct vgpu_bind_args *args)
{
	struct vgpu_vm_op op = {};
	int ret;

	ret = vgpu_vm_check_bind(vm, args);
	if (!ret)
		ret = vgpu_vm_op_prepare(vm, &op, args);
	if (ret)
		return ret;
	ret = vgpu_vm_op_execute(vm, &op);
	vgpu_vm_op_cleanup(vm, &op);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_vm_bind);

/**
 * vgpu_vm_is_unusable() - whether an asynchronous bind has failed
 * @vm: the VM
 *
 * Context: Process context, may sleep.
 *
 * Return: true after one: then nothing can be mapped any more.
 */
bool vgpu_vm_is_unusable(struct vgpu_vm *vm)
{
	bool unusable;

	down_read(&vm->mmu_lock);
	unusable = vm->unusable;
	up_read(&vm->mmu_lock);
	return unusable;
}
EXPORT_SYMBOL_GPL(vgpu_vm_is_unusable);

/**
 * vgpu_vm_find() - find what is mapped at an address
 * @vm: the VM
 * @va: GPU address
 * @size: is set to the bytes of the whole mapping
 *
 * Context: Process context, may sleep.
 *
 * Return: the object with a reference, or NULL if there is none.
 */
struct vgpu_bo *vgpu_vm_find(struct vgpu_vm *vm, u64 va, u64 *size)
{
	struct drm_gem_object *obj = NULL;
	struct drm_gpuva *found;

	down_read(&vm->mmu_lock);
	found = drm_gpuva_find_first(&vm->base, va, 1);
	if (found && found->gem.obj) {
		obj = found->gem.obj;
		drm_gem_object_get(obj);
		*size = found->va.range;
	}
	up_read(&vm->mmu_lock);
	return obj ? to_vgpu_bo(obj) : NULL;
}
EXPORT_SYMBOL_GPL(vgpu_vm_find);

/**
 * vgpu_vm_lookup() - find the VM of a handle
 * @vms: VMs by their handles; an entry is removed before its VM is destroyed
 * @handle: the handle, as user space gave it
 *
 * Context: Any.
 *
 * Return: the VM with a reference, or NULL.
 */
struct vgpu_vm *vgpu_vm_lookup(struct xarray *vms, unsigned long handle)
{
	struct vgpu_vm *vm;

	xa_lock(vms);
	vm = xa_load(vms, handle);
	if (vm)
		vgpu_vm_get(vm);
	xa_unlock(vms);
	return vm;
}
EXPORT_SYMBOL_GPL(vgpu_vm_lookup);

/**
 * vgpu_vm_create() - create an address space
 * @vdev: the device
 * @user_range: bytes from address 0 on that the user binds, a multiple of the page size
 * @va_range: bytes from address 0 on that there are; more than @user_range
 *
 * Context: Process context, may sleep.
 *
 * Return: the VM with one reference, which vgpu_vm_destroy() drops; an ERR_PTR() of
 * -ENOMEM.
 */
struct vgpu_vm *vgpu_vm_create(struct vgpu_device *vdev, u64 user_range, u64 va_range)
{
	struct drm_gem_object *resv_obj;
	struct vgpu_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->vdev = vdev;
	vm->user_range = user_range;
	if (vgpu_bind_queue_init(vm))
		goto err_free;
	resv_obj = drm_gpuvm_resv_object_alloc(&vdev->drm);
	if (!resv_obj)
		goto err_bind_queue;
	init_rwsem(&vm->mmu_lock);
	mutex_init(&vm->objs_lock);
	mutex_init(&vm->kernel_lock);
	spin_lock_init(&vm->late_lock);
	INIT_LIST_HEAD(&vm->late);
	INIT_WORK(&vm->late_work, vgpu_vm_late_work);
	INIT_LIST_HEAD(&vm->heap_maps);
	drm_mm_init(&vm->kernel_space, user_range, va_range - user_range);
	drm_gpuvm_init(&vm->base, "vgpu-vm", COMPAT_GPUVM_IMMEDIATE_MODE, &vdev->drm, resv_obj,
		       0, va_range, 0, 0, &vm_ops);
	drm_gem_object_put(resv_obj);
	/* A bind that waits keeps the VM longer than the file has it. */
	drm_dev_get(&vdev->drm);
	return vm;

err_bind_queue:
	vgpu_bind_queue_fini(vm);
err_free:
	kfree(vm);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(vgpu_vm_create);

/**
 * vgpu_vm_destroy() - unmap everything for ever, and drop the creator's reference
 * @vm: the VM
 *
 * Groups and queued binds may still have references: accesses of the former find
 * nothing mapped, and the latter map nothing.
 *
 * Context: Process context, may sleep. Takes the objects' reservation locks.
 */
void vgpu_vm_destroy(struct vgpu_vm *vm)
{
	struct vgpu_vm_op op = {
		.va = vm->base.mm_start,
		.size = vm->base.mm_range,
		.removed = LIST_HEAD_INIT(op.removed),
	};

	down_write(&vm->mmu_lock);
	vm->destroyed = true;
	up_write(&vm->mmu_lock);
	/* Needs no spare: every mapping lies in the range. */
	vgpu_vm_op_execute(vm, &op);
	vgpu_vm_op_cleanup(vm, &op);
	vgpu_vm_put(vm);
}
EXPORT_SYMBOL_GPL(vgpu_vm_destroy);
