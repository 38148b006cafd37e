// SPDX-License-Identifier: GPL-2.0-only
/* Objects of the driver, mapped where the user maps nothing. */
#include <linux/export.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"
#include "vm_op.h"

static int map_at(struct vgpu_kernel_bo *kbo)
{
	const struct vgpu_bind_args args = {
		.bo = kbo->bo,
		.va = kbo->node.start,
		.size = kbo->node.size,
		.flags = VGPU_VA_NOEXEC,
	};
	struct vgpu_vm_op op = {};
	int ret;

	ret = vgpu_vm_op_prepare(kbo->vm, &op, &args);
	if (ret)
		return ret;
	ret = vgpu_vm_op_execute(kbo->vm, &op);
	vgpu_vm_op_cleanup(kbo->vm, &op);
	return ret;
}

static int alloc_va(struct vgpu_kernel_bo *kbo, u64 size)
{
	int ret;

	mutex_lock(&kbo->vm->kernel_lock);
	ret = drm_mm_insert_node_generic(&kbo->vm->kernel_space, &kbo->node, size,
					 size < SZ_2M ? SZ_4K : SZ_2M, 0, DRM_MM_INSERT_BEST);
	mutex_unlock(&kbo->vm->kernel_lock);
	return ret;
}

static void free_va(struct vgpu_kernel_bo *kbo)
{
	mutex_lock(&kbo->vm->kernel_lock);
	drm_mm_remove_node(&kbo->node);
	mutex_unlock(&kbo->vm->kernel_lock);
}

/* Pinned, as the driver accesses it without a job. */
static int map_bo(struct vgpu_kernel_bo *kbo)
{
	int ret;

	ret = drm_gem_sync_shmem_pin(&kbo->bo->base);
	if (ret)
		return ret;
	ret = alloc_va(kbo, kbo->bo->base.base.size);
	if (ret)
		goto err_unpin;
	ret = map_at(kbo);
	if (ret)
		goto err_free_va;
	return 0;

err_free_va:
	free_va(kbo);
err_unpin:
	drm_gem_sync_shmem_unpin(&kbo->bo->base);
	return ret;
}

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
 * Context: Process context, may sleep; between drm_dev_enter() and drm_dev_exit().
 *
 * Return: the object; an ERR_PTR() of -EINVAL if @vm is destroyed or unusable;
 * -ENOMEM; -ENOSPC if there are no addresses left; -EINTR; an error of the DMA mapping.
 */
struct vgpu_kernel_bo *vgpu_kernel_bo_create(struct vgpu_vm *vm,
					     const struct drm_gem_sync_funcs *funcs, u64 size,
					     const char *label)
{
	const struct vgpu_bo_args args = { .size = size, .no_mmap = -EPERM, .vm = vm };
	struct vgpu_kernel_bo *kbo;
	int ret;

	kbo = kzalloc(sizeof(*kbo), GFP_KERNEL);
	if (!kbo)
		return ERR_PTR(-ENOMEM);
	kbo->vm = vgpu_vm_get(vm);
	kbo->bo = vgpu_bo_create(vm->vdev, funcs, &args);
	if (IS_ERR(kbo->bo)) {
		ret = PTR_ERR(kbo->bo);
		goto err_put_vm;
	}
	vgpu_bo_set_label(kbo->bo, label);
	ret = map_bo(kbo);
	if (ret)
		goto err_put_bo;
	return kbo;

err_put_bo:
	drm_gem_object_put(&kbo->bo->base.base);
err_put_vm:
	vgpu_vm_put(kbo->vm);
	kfree(kbo);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vgpu_kernel_bo_create);

/* Nothing is split, so that this needs no spares and cannot fail. */
static void unmap_bo(struct vgpu_kernel_bo *kbo)
{
	struct vgpu_vm_op op = {
		.va = kbo->node.start,
		.size = kbo->node.size,
		.removed = LIST_HEAD_INIT(op.removed),
	};

	vgpu_vm_op_execute(kbo->vm, &op);
	vgpu_vm_op_cleanup(kbo->vm, &op);
}

/**
 * vgpu_kernel_bo_destroy() - unmap and free an object
 * @kbo: the object
 *
 * Context: Process context, may sleep. Takes reservation locks.
 */
void vgpu_kernel_bo_destroy(struct vgpu_kernel_bo *kbo)
{
	unmap_bo(kbo);
	free_va(kbo);
	drm_gem_sync_shmem_unpin(&kbo->bo->base);
	drm_gem_object_put(&kbo->bo->base.base);
	vgpu_vm_put(kbo->vm);
	kfree(kbo);
}
EXPORT_SYMBOL_GPL(vgpu_kernel_bo_destroy);
