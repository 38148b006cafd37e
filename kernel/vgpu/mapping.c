// SPDX-License-Identifier: GPL-2.0-only
/* Objects at addresses that the driver chooses: a user's, and the driver's own. */
#include <linux/export.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"
#include "vm_op.h"

/* With a page behind it where nothing is, so that accesses past an object's end fault. */
static int alloc_va(struct vgpu_mapping *mapping, u64 align)
{
	struct vgpu_vm *vm = mapping->vm;
	int ret;

	mutex_lock(&vm->kernel_lock);
	ret = drm_mm_insert_node_generic(&vm->kernel_space, &mapping->node,
					 mapping->bo->base.base.size + PAGE_SIZE, align, 0,
					 DRM_MM_INSERT_BEST);
	mutex_unlock(&vm->kernel_lock);
	return ret;
}

static void free_va(struct vgpu_mapping *mapping)
{
	mutex_lock(&mapping->vm->kernel_lock);
	drm_mm_remove_node(&mapping->node);
	mutex_unlock(&mapping->vm->kernel_lock);
}

static int bind(struct vgpu_mapping *mapping)
{
	const struct vgpu_bind_args args = {
		.bo = mapping->bo,
		.va = mapping->node.start,
		.size = mapping->bo->base.base.size,
		.flags = mapping->flags,
	};
	struct vgpu_vm_op op = {};
	int ret;

	ret = vgpu_vm_op_prepare(mapping->vm, &op, &args);
	if (ret)
		return ret;
	ret = vgpu_vm_op_execute(mapping->vm, &op);
	vgpu_vm_op_cleanup(mapping->vm, &op);
	return ret;
}

/* Whole objects go, so that this needs no spares and cannot fail. */
static void unbind(struct vgpu_mapping *mapping)
{
	struct vgpu_vm_op op = {
		.va = mapping->node.start,
		.size = mapping->node.size,
		.removed = LIST_HEAD_INIT(op.removed),
	};

	vgpu_vm_op_execute(mapping->vm, &op);
	vgpu_vm_op_cleanup(mapping->vm, &op);
}

static struct vgpu_mapping *mapping_alloc(struct vgpu_vm *vm, struct vgpu_bo *bo, u32 flags)
{
	struct vgpu_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);

	if (!mapping)
		return NULL;
	kref_init(&mapping->ref);
	mapping->vm = vgpu_vm_get(vm);
	mapping->bo = bo;
	mapping->flags = flags;
	drm_gem_object_get(&bo->base.base);
	return mapping;
}

static void mapping_free(struct vgpu_mapping *mapping)
{
	drm_gem_object_put(&mapping->bo->base.base);
	vgpu_vm_put(mapping->vm);
	kfree(mapping);
}

/**
 * vgpu_mapping_create() - map an object where there is room in the driver's part of a VM
 * @vm: the VM
 * @bo: the object; one that grows is mapped as it grows
 * @align: of the address: bytes, or 0 for any page
 * @flags: VGPU_VA_*
 *
 * Context: Process context, may sleep.
 *
 * Return: the mapping with one reference; an ERR_PTR() of -EINVAL if nothing can be
 * mapped in @vm any more or @bo is another VM's; -ENOSPC if there is no room; -ENOMEM;
 * -EINTR; -ENODEV behind an unplug; an error of the DMA mapping.
 */
struct vgpu_mapping *vgpu_mapping_create(struct vgpu_vm *vm, struct vgpu_bo *bo, u64 align,
					 u32 flags)
{
	struct vgpu_mapping *mapping;
	int ret;

	if (bo->vm_resv_obj && bo->vm_resv_obj != drm_gpuvm_resv_obj(&vm->base))
		return ERR_PTR(-EINVAL);
	mapping = mapping_alloc(vm, bo, flags);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	ret = alloc_va(mapping, align);
	if (ret)
		goto err_free;
	if (bo->heap)
		ret = vgpu_heap_map(mapping);
	else
		ret = bind(mapping);
	if (ret)
		goto err_free_va;
	return mapping;

err_free_va:
	free_va(mapping);
err_free:
	mapping_free(mapping);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vgpu_mapping_create);

static void mapping_release(struct kref *ref)
{
	struct vgpu_mapping *mapping = container_of(ref, struct vgpu_mapping, ref);

	if (mapping->bo->heap)
		vgpu_heap_unmap(mapping);
	unbind(mapping);
	free_va(mapping);
	mapping_free(mapping);
}

/**
 * vgpu_mapping_put() - drop a reference
 * @mapping: the mapping, or NULL; with the last reference it goes
 *
 * Context: Process context, may sleep. Takes reservation locks.
 */
void vgpu_mapping_put(struct vgpu_mapping *mapping)
{
	if (mapping)
		kref_put(&mapping->ref, mapping_release);
}
EXPORT_SYMBOL_GPL(vgpu_mapping_put);

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
