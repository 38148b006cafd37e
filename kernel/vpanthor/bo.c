// SPDX-License-Identifier: GPL-2.0-only
/* Buffer objects. */
#include <batch.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vpanthor.h"

/* All there are; no object has both, as what is never mapped has no caching. */
#define BO_FLAGS	(DRM_PANTHOR_BO_NO_MMAP | DRM_PANTHOR_BO_WB_MMAP)

const struct drm_gem_sync_funcs vpanthor_bo_funcs =
	DRM_GEM_SYNC_SHMEM_FUNCS(vgpu_bo_free, drm_gem_sync_shmem_export);

struct drm_gem_object *vpanthor_gem_import_sg_table(struct drm_device *drm,
						    struct dma_buf_attachment *attach,
						    struct sg_table *sgt)
{
	struct vgpu_device *vdev = to_vgpu_device(drm);
	struct vgpu_bo *bo = vgpu_bo_import(vdev, &vpanthor_bo_funcs, attach, sgt);

	if (IS_ERR(bo))
		return ERR_CAST(bo);
	/* The flag with which the creation of an object without maps is asked for (R15, R23). */
	if (!vdev->gem.map_imports)
		bo->create_flags = DRM_PANTHOR_BO_NO_MMAP;
	return &bo->base.base;
}

static int create_handle(struct drm_device *drm, struct drm_file *file, struct vgpu_vm *vm,
			 struct drm_panthor_bo_create *args)
{
	const struct vgpu_bo_args bo_args = {
		.size = args->size,
		.create_flags = args->flags,
		.cached = args->flags & DRM_PANTHOR_BO_WB_MMAP,
		.no_mmap = args->flags & DRM_PANTHOR_BO_NO_MMAP ? -EPERM : 0,
		.vm = vm,
	};
	struct vgpu_bo *bo;
	u64 size;
	int ret;

	bo = vgpu_bo_create(to_vgpu_device(drm), &vpanthor_bo_funcs, &bo_args);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	size = bo->base.base.size;
	ret = vgpu_bo_handle_create(file, bo, &args->handle);
	drm_gem_object_put(&bo->base.base);
	if (!ret)
		args->size = size;
	return ret;
}

int vpanthor_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_bo_create *args = data;
	struct vgpu_vm *vm = NULL;
	int ret;

	if (!args->size || args->pad || (args->flags & ~BO_FLAGS) || args->flags == BO_FLAGS)
		return -EINVAL;
	if (args->exclusive_vm_id) {
		vm = vpanthor_vm_lookup(file->driver_priv, args->exclusive_vm_id);
		if (!vm)
			return -EINVAL;
	}
	ret = create_handle(drm, file, vm, args);
	vgpu_vm_put(vm);
	return ret;
}

int vpanthor_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_bo_mmap_offset *args = data;

	if (args->pad)
		return -EINVAL;
	return vgpu_bo_mmap_offset(file, args->handle, &args->offset);
}

VGPU_DEFINE_SYNC_DECODE(decode_sync_op, struct drm_panthor_bo_sync_op)

int vpanthor_ioctl_bo_sync(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panthor_bo_sync *args = data;
	const struct drm_gem_sync_array array = {
		.ptr = args->ops.array,
		.stride = args->ops.stride,
		.count = args->ops.count,
		.op_size = sizeof(struct drm_panthor_bo_sync_op),
		.decode = decode_sync_op,
	};

	return vgpu_bo_sync(file, &array);
}

int vpanthor_ioctl_bo_query_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_bo_query_info *args = data;
	struct drm_gem_object *obj;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	/* All but the handle is only written: user space need not clear it. */
	args->pad = 0;
	args->extra_flags = obj->import_attach ? DRM_PANTHOR_BO_IS_IMPORTED : 0;
	args->create_flags = to_vgpu_bo(obj)->create_flags;
	drm_gem_object_put(obj);
	return 0;
}

int vpanthor_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panthor_bo_set_label *args = data;

	if (args->pad)
		return -EINVAL;
	return vgpu_bo_set_user_label(file, args->handle, args->label);
}
