// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces and what is mapped into them. */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vpanthor.h"

/* Half of the 48-bit address space belongs to the user. */
#define USER_VA_RANGE		BIT_ULL(47)
#define MAX_VMS_PER_FILE	32

#define BIND_MAP_FLAGS				\
	(DRM_PANTHOR_VM_BIND_OP_MAP_READONLY |	\
	 DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC |	\
	 DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED |	\
	 DRM_PANTHOR_VM_BIND_OP_TYPE_MASK)

struct vgpu_vm *vpanthor_vm_lookup(struct vpanthor_file *vfile, u32 id)
{
	struct vgpu_vm *vm;

	xa_lock(&vfile->vms);
	vm = xa_load(&vfile->vms, id);
	if (vm)
		vgpu_vm_get(vm);
	xa_unlock(&vfile->vms);
	return vm;
}

void vpanthor_file_destroy_vms(struct vpanthor_file *vfile)
{
	struct vgpu_vm *vm;
	unsigned long id;

	xa_for_each(&vfile->vms, id, vm) {
		xa_erase(&vfile->vms, id);
		vgpu_vm_destroy(vm);
	}
}

int vpanthor_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;
	struct drm_panthor_vm_create *args = data;
	struct vgpu_vm *vm;
	int ret;
	u32 id;

	if (args->flags || args->user_va_range > USER_VA_RANGE)
		return -EINVAL;
	vm = vgpu_vm_create(to_vgpu_device(drm), USER_VA_RANGE);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = xa_alloc(&vfile->vms, &id, vm, XA_LIMIT(1, MAX_VMS_PER_FILE), GFP_KERNEL);
	if (ret) {
		vgpu_vm_destroy(vm);
		return ret;
	}
	args->id = id;
	args->user_va_range = USER_VA_RANGE;
	return 0;
}

int vpanthor_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;
	struct drm_panthor_vm_destroy *args = data;
	struct vgpu_vm *vm;

	if (args->pad)
		return -EINVAL;
	vm = xa_erase(&vfile->vms, args->id);
	if (!vm)
		return -EINVAL;
	vgpu_vm_destroy(vm);
	return 0;
}

int vpanthor_ioctl_vm_get_state(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_vm_get_state *args = data;
	struct vgpu_vm *vm = vpanthor_vm_lookup(file->driver_priv, args->vm_id);

	if (!vm)
		return -EINVAL;
	/* No bind operation of this driver fails half-way. */
	args->state = DRM_PANTHOR_VM_STATE_USABLE;
	vgpu_vm_put(vm);
	return 0;
}

static u32 map_flags(u32 flags)
{
	u32 va_flags = 0;

	if (flags & DRM_PANTHOR_VM_BIND_OP_MAP_READONLY)
		va_flags |= VGPU_VA_READONLY;
	if (flags & DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC)
		va_flags |= VGPU_VA_NOEXEC;
	if (flags & DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED)
		va_flags |= VGPU_VA_UNCACHED;
	return va_flags;
}

static int bind_map(struct drm_file *file, struct vgpu_vm *vm,
		    const struct drm_panthor_vm_bind_op *op)
{
	struct vgpu_map_args map = {
		.offset = op->bo_offset,
		.va = op->va,
		.size = op->size,
		.flags = map_flags(op->flags),
	};
	struct drm_gem_object *obj;
	int ret;

	if (op->flags & ~BIND_MAP_FLAGS)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, op->bo_handle);
	if (!obj)
		return -EINVAL;
	map.bo = to_vgpu_bo(obj);
	ret = vgpu_vm_map(vm, &map);
	drm_gem_object_put(obj);
	return ret;
}

static int bind_unmap(struct vgpu_vm *vm, const struct drm_panthor_vm_bind_op *op)
{
	if (op->flags & ~DRM_PANTHOR_VM_BIND_OP_TYPE_MASK)
		return -EINVAL;
	if (op->bo_handle || op->bo_offset)
		return -EINVAL;
	return vgpu_vm_unmap(vm, op->va, op->size);
}

static int bind_op(struct drm_file *file, struct vgpu_vm *vm,
		   const struct drm_panthor_vm_bind_op *op)
{
	/* Only asynchronous operations wait and signal. */
	if (op->syncs.count)
		return -EINVAL;
	/* As the driver for hardware does, before it looks at anything else. */
	if (!op->size)
		return 0;
	switch (op->flags & DRM_PANTHOR_VM_BIND_OP_TYPE_MASK) {
	case DRM_PANTHOR_VM_BIND_OP_TYPE_MAP:
		return bind_map(file, vm, op);
	case DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP:
		return bind_unmap(vm, op);
	default:
		return -EINVAL;
	}
}

static int bind_ops(struct drm_file *file, struct vgpu_vm *vm, struct drm_panthor_vm_bind *args)
{
	const struct vgpu_uarray array =
		VPANTHOR_UARRAY(&args->ops, struct drm_panthor_vm_bind_op, syncs);
	struct drm_panthor_vm_bind_op *ops = vgpu_uarray_get(&array);
	int ret = 0;

	if (IS_ERR(ops))
		return PTR_ERR(ops);
	for (u32 i = 0; i < array.count && !ret; i++) {
		ret = fatal_signal_pending(current) ? -EINTR : bind_op(file, vm, &ops[i]);
		/* Tell the user where things failed, but keep what is tried again. */
		if (ret && ret != -EINTR)
			args->ops.count = i;
		cond_resched();
	}
	kvfree(ops);
	return ret;
}

int vpanthor_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_vm_bind *args = data;
	struct vgpu_vm *vm;
	int ret;

	if (args->flags & ~DRM_PANTHOR_VM_BIND_ASYNC)
		return -EINVAL;
	/* Sparse queues are not implemented: what user space needs binds at once. */
	if (args->flags & DRM_PANTHOR_VM_BIND_ASYNC)
		return -EOPNOTSUPP;
	vm = vpanthor_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -EINVAL;
	ret = bind_ops(file, vm, args);
	vgpu_vm_put(vm);
	return ret;
}
