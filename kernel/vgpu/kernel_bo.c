// SPDX-License-Identifier: GPL-2.0-only
/* Objects of the driver, mapped where the user maps nothing. */
#include <linux/export.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * vgpu_kernel_bo_create() - create an object and map it for the device
 * @vm: the VM, the only one that maps it
 * @funcs: the driver's table
 * @size: bytes
 * @label: for debugging
 *
 * Its bytes are 0, and its pages stay. The driver accesses it as the device does, with
 * vgpu_vm_write().
 *
 * Context: Process context, may sleep.
 *
 * Return: the object; an ERR_PTR() of -EINVAL if @vm is destroyed or unusable;
 * -ENOMEM; -ENOSPC if there are no addresses left; -EINTR; -ENODEV behind an unplug; an
 * error of the DMA mapping.
 */
struct vgpu_kernel_bo *vgpu_kernel_bo_create(struct vgpu_vm *vm,
					     const struct drm_gem_sync_funcs *funcs, u64 size,
					     const char *label)
{
	const struct vgpu_bo_args args = { .size = size, .no_mmap = -EPERM, .vm = vm };
	struct vgpu_kernel_bo *kbo;
	int ret;

	kbo = kzalloc(sizeof(*kbo), GFP_KERNEL_ACCOUNT);
	if (!kbo)
		return ERR_PTR(-ENOMEM);
	kbo->bo = vgpu_bo_create(vm->vdev, funcs, &args);
	if (IS_ERR(kbo->bo)) {
		ret = PTR_ERR(kbo->bo);
		goto err_free;
	}
	vgpu_bo_set_label(kbo->bo, label);
	/* The driver accesses it without a job, which would bring back what was evicted. */
	ret = drm_gem_sync_shmem_pin(&kbo->bo->base);
	if (ret)
		goto err_put_bo;
	kbo->mapping = vgpu_mapping_create(vm, kbo->bo, size < SZ_2M ? 0 : SZ_2M, 0);
	if (IS_ERR(kbo->mapping)) {
		ret = PTR_ERR(kbo->mapping);
		goto err_unpin;
	}
	return kbo;

err_unpin:
	drm_gem_sync_shmem_unpin(&kbo->bo->base);
err_put_bo:
	drm_gem_object_put(&kbo->bo->base.base);
err_free:
	kfree(kbo);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vgpu_kernel_bo_create);

/**
 * vgpu_kernel_bo_destroy() - unmap and free an object
 * @kbo: the object
 *
 * Context: Process context, may sleep. Takes reservation locks.
 */
void vgpu_kernel_bo_destroy(struct vgpu_kernel_bo *kbo)
{
	vgpu_mapping_put(kbo->mapping);
	drm_gem_sync_shmem_unpin(&kbo->bo->base);
	drm_gem_object_put(&kbo->bo->base.base);
	kfree(kbo);
}
EXPORT_SYMBOL_GPL(vgpu_kernel_bo_destroy);
