// SPDX-License-Identifier: GPL-2.0-only
/* Buffer objects: who may create, map and open them. */
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include <policy.h>

#include "vpowervr.h"

/* The user maps what was created for that, and no object is both. */
#define PROTECTED_AND_MAPPED \
	(DRM_PVR_BO_PM_FW_PROTECT | DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS)

static bool has_flag(const struct drm_gem_object *obj, u32 flag)
{
	return to_vgpu_bo(obj)->create_flags & flag;
}

/* R16, for all but the driver itself. Imported objects have no flags and their own error. */
static int check_access(const struct drm_gem_object *obj)
{
	if (obj->import_attach || has_flag(obj, DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS))
		return 0;
	return -EINVAL;
}

static int bo_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	return check_access(obj) ?: drm_gem_sync_shmem_mmap(obj, vma);
}

/* Of importers of its dma-buf. */
static int bo_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	return check_access(obj) ?: drm_gem_sync_shmem_vmap(obj, map);
}

/* A handle on another file: of no object that the helper or the protection keeps in its own. */
static int bo_open(struct drm_gem_object *obj, struct drm_file *file)
{
	const struct gs_policy_device policy = {
		.coherent = to_vgpu_device(obj->dev)->gem.coherent,
	};
	const struct gs_policy_object policy_obj = {
		.is_protected = has_flag(obj, DRM_PVR_BO_PM_FW_PROTECT),
	};
	int ret = drm_gem_sync_shmem_open(obj, file);

	if (ret || drm_gem_sync_shmem_is_creator(to_drm_gem_sync_shmem(obj), file))
		return ret;
	return gs_policy_open_elsewhere(&policy, &policy_obj);
}

/* The helper's functions, but for those that look at flags of the ABI. */
static const struct drm_gem_sync_funcs bo_funcs = {
	.base = {
		.free = vgpu_bo_free,
		.open = bo_open,
		.print_info = drm_gem_sync_print_info,
		.export = drm_gem_sync_shmem_export,
		.pin = drm_gem_sync_shmem_gem_pin,
		.unpin = drm_gem_sync_shmem_gem_unpin,
		.get_sg_table = drm_gem_sync_shmem_get_sg_table,
		.status = drm_gem_sync_shmem_status,
		.vmap = bo_vmap,
		.vunmap = drm_gem_sync_shmem_vunmap,
		.mmap = bo_mmap,
		.vm_ops = &drm_gem_sync_shmem_vm_ops,
	},
	.shmem = true,
	.hold = drm_gem_sync_shmem_hold,
	.release = drm_gem_sync_shmem_release,
	.sync = drm_gem_sync_shmem_sync,
	.sync_ops = drm_gem_sync_shmem_sync_ops,
	.print_info = drm_gem_sync_shmem_print_info,
};

int vpowervr_bo_kernel_map(struct drm_gem_object *obj, struct iosys_map *map)
{
	int ret;

	ret = dma_resv_lock_interruptible(obj->resv, NULL);
	if (ret)
		return ret;
	ret = drm_gem_sync_shmem_vmap(obj, map);
	dma_resv_unlock(obj->resv);
	return ret;
}

void vpowervr_bo_kernel_unmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	dma_resv_lock(obj->resv, NULL);
	drm_gem_sync_shmem_vunmap(obj, map);
	dma_resv_unlock(obj->resv);
}

struct drm_gem_object *vpowervr_gem_import_sg_table(struct drm_device *drm,
						    struct dma_buf_attachment *attach,
						    struct sg_table *sgt)
{
	struct vgpu_bo *bo = vgpu_bo_import(to_vgpu_device(drm), &bo_funcs, attach, sgt);

	return IS_ERR(bo) ? ERR_CAST(bo) : &bo->base.base;
}

static int check_create(const struct vpowervr_device *vdev,
			const struct drm_pvr_ioctl_create_bo_args *args)
{
	u64 allowed = DRM_PVR_BO_FLAGS_MASK;

	if (vdev->user_cached)
		allowed |= PVR_BO_CPU_CACHED;
	if (args->_padding_c || (args->flags & ~allowed))
		return -EINVAL;
	if ((args->flags & PROTECTED_AND_MAPPED) == PROTECTED_AND_MAPPED)
		return -EINVAL;
	return args->size && PAGE_ALIGNED(args->size) ? 0 : -EINVAL;
}

int vpowervr_ioctl_create_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_pvr_ioctl_create_bo_args *args = data;
	const struct vgpu_bo_args bo_args = {
		.size = args->size,
		.create_flags = args->flags & DRM_PVR_BO_FLAGS_MASK,
		.cached = args->flags & PVR_BO_CPU_CACHED,
	};
	struct vgpu_bo *bo;
	int ret;

	ret = check_create(to_vpowervr(drm), args);
	if (ret)
		return ret;
	bo = vgpu_bo_create(to_vgpu_device(drm), &bo_funcs, &bo_args);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	drm_gem_object_put(&bo->base.base);
	return ret;
}

int vpowervr_ioctl_get_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_pvr_ioctl_get_bo_mmap_offset_args *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->_padding_4)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	/* R15. What may not be mapped for other reasons is mmap()'s to refuse, as in Linux. */
	ret = obj->import_attach ? -EPERM : drm_gem_create_mmap_offset(obj);
	if (!ret && !check_access(obj))
		ret = drm_gem_sync_shmem_prepare_map(to_drm_gem_sync_shmem(obj));
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}
