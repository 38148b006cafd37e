// SPDX-License-Identifier: GPL-2.0-only
/* What is mapped into address spaces: at once, or after its sync ops. */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vpanthor.h"

#define BIND_MAP_FLAGS				\
	(DRM_PANTHOR_VM_BIND_OP_MAP_READONLY |	\
	 DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC |	\
	 DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED |	\
	 DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE |	\
	 DRM_PANTHOR_VM_BIND_OP_TYPE_MASK)

/*
 * Shader programs must not lie in what is NOEXEC. Command streams may: the firmware of
 * the hardware reads them as data, and user space binds them so.
 */
static u32 map_flags(u32 flags)
{
	return flags & DRM_PANTHOR_VM_BIND_OP_MAP_READONLY ? VGPU_VA_READONLY : 0;
}

/* No object, and nothing that could be executed. */
static int decode_sparse(const struct drm_panthor_vm_bind_op *op, struct vgpu_bind_args *args)
{
	if (op->bo_handle || op->bo_offset || !(op->flags & DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC))
		return -EINVAL;
	args->sparse = true;
	args->flags = map_flags(op->flags);
	return 0;
}

static int decode_map(struct drm_file *file, const struct drm_panthor_vm_bind_op *op,
		      struct vgpu_bind_args *args)
{
	struct drm_gem_object *obj;

	if (op->flags & ~BIND_MAP_FLAGS)
		return -EINVAL;
	if (op->flags & DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE)
		return decode_sparse(op, args);
	obj = drm_gem_object_lookup(file, op->bo_handle);
	if (!obj)
		return -EINVAL;
	args->bo = to_vgpu_bo(obj);
	args->offset = op->bo_offset;
	args->flags = map_flags(op->flags);
	return 0;
}

static int check_no_map(const struct drm_panthor_vm_bind_op *op)
{
	if (op->flags & ~DRM_PANTHOR_VM_BIND_OP_TYPE_MASK)
		return -EINVAL;
	return op->bo_handle || op->bo_offset ? -EINVAL : 0;
}

static int check_sync_only(const struct drm_panthor_vm_bind_op *op)
{
	if (op->va || op->size || !op->syncs.count)
		return -EINVAL;
	return check_no_map(op);
}

/* On success @args->bo, if there is one, has a reference for the caller to put. */
static int decode_op(struct drm_file *file, const struct drm_panthor_vm_bind_op *op,
		     struct vgpu_bind_args *args)
{
	*args = (struct vgpu_bind_args){ .va = op->va, .size = op->size };
	switch (op->flags & DRM_PANTHOR_VM_BIND_OP_TYPE_MASK) {
	case DRM_PANTHOR_VM_BIND_OP_TYPE_MAP:
		return decode_map(file, op, args);
	case DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP:
		return check_no_map(op);
	case DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY:
		return check_sync_only(op);
	default:
		return -EINVAL;
	}
}

static void put_args(const struct vgpu_bind_args *args)
{
	if (args->bo)
		drm_gem_object_put(&args->bo->base.base);
}

static int bind_op(struct drm_file *file, struct vgpu_vm *vm,
		   const struct drm_panthor_vm_bind_op *op)
{
	struct vgpu_bind_args args;
	int ret;

	/* Only asynchronous operations wait and signal. */
	if (op->syncs.count)
		return -EINVAL;
	/* As the driver for hardware does, before it looks at anything else. */
	if (!op->size)
		return 0;
	ret = decode_op(file, op, &args);
	if (ret)
		return ret;
	ret = vgpu_vm_bind(vm, &args);
	put_args(&args);
	return ret;
}

static int bind_sync(struct drm_file *file, struct vgpu_vm *vm, struct drm_panthor_vm_bind *args,
		     const struct drm_panthor_vm_bind_op *ops)
{
	u32 count = args->ops.count;

	for (u32 i = 0; i < count; i++) {
		int ret = fatal_signal_pending(current) ? -EINTR : bind_op(file, vm, &ops[i]);

		/* Tell the user where things failed, but keep what is tried again. */
		if (ret && ret != -EINTR)
			args->ops.count = i;
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static int add_bind(struct vgpu_submit *submit, const struct drm_panthor_vm_bind_op *op)
{
	struct vgpu_bind_args args;
	struct vgpu_sync_op *syncs;
	int ret;

	ret = decode_op(submit->file, op, &args);
	if (ret)
		return ret;
	syncs = vpanthor_get_syncs(&op->syncs);
	if (IS_ERR(syncs))
		ret = PTR_ERR(syncs);
	else
		ret = vgpu_submit_add_bind(submit, &args, syncs, op->syncs.count);
	put_args(&args);
	return ret;
}

static int bind_async(struct drm_file *file, struct vgpu_vm *vm, u32 count,
		      const struct drm_panthor_vm_bind_op *ops)
{
	struct vgpu_submit submit;
	int ret;

	ret = vgpu_submit_init(&submit, file, vm, NULL, count);
	if (ret)
		return ret;
	for (u32 i = 0; i < count && !ret; i++)
		ret = add_bind(&submit, &ops[i]);
	if (!ret)
		ret = vgpu_submit_commit(&submit);
	vgpu_submit_fini(&submit);
	return ret;
}

static int bind(struct drm_file *file, struct vgpu_vm *vm, struct drm_panthor_vm_bind *args)
{
	const struct vgpu_uarray array =
		VPANTHOR_UARRAY(&args->ops, struct drm_panthor_vm_bind_op, syncs);
	struct drm_panthor_vm_bind_op *ops = vgpu_uarray_get(&array);
	int ret;

	if (IS_ERR(ops))
		return PTR_ERR(ops);
	if (args->flags & DRM_PANTHOR_VM_BIND_ASYNC)
		ret = bind_async(file, vm, array.count, ops);
	else
		ret = bind_sync(file, vm, args, ops);
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
	vm = vpanthor_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -EINVAL;
	ret = bind(file, vm, args);
	vgpu_vm_put(vm);
	return ret;
}
