// SPDX-License-Identifier: GPL-2.0-only
/* Buffer objects. */
#include <linux/dma-resv.h>

#include <batch.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_utils.h>

#include "vpanfrost.h"

#define BO_FLAGS	(PANFROST_BO_NOEXEC | PANFROST_BO_HEAP | PANFROST_BO_WB_MMAP)

static const struct drm_gem_sync_funcs bo_funcs = {
	.base = {
		.free = vgpu_bo_free,
		.open = vpanfrost_object_open,
		.close = vpanfrost_object_close,
		.print_info = drm_gem_sync_print_info,
		.export = drm_gem_sync_shmem_export,
		.pin = drm_gem_sync_shmem_gem_pin,
		.unpin = drm_gem_sync_shmem_gem_unpin,
		.get_sg_table = drm_gem_sync_shmem_get_sg_table,
		.status = drm_gem_sync_shmem_status,
		.vmap = drm_gem_sync_shmem_vmap,
		.vunmap = drm_gem_sync_shmem_vunmap,
		.mmap = drm_gem_sync_shmem_mmap,
		.vm_ops = &drm_gem_sync_shmem_vm_ops,
	},
	.shmem = true,
	.hold = drm_gem_sync_shmem_hold,
	.release = drm_gem_sync_shmem_release,
	.sync = drm_gem_sync_shmem_sync,
	.sync_ops = drm_gem_sync_shmem_sync_ops,
	.print_info = drm_gem_sync_shmem_print_info,
};

/* ---- Heaps ---- */

/* What a heap consists of has no handle, so that it is never shared or mapped. */
static const struct drm_gem_sync_funcs chunk_funcs =
	DRM_GEM_SYNC_SHMEM_FUNCS(vgpu_bo_free, drm_gem_sync_shmem_export);

/* The heap itself has no pages that an importer could use. */
static int heap_pin(struct drm_gem_object *obj)
{
	return -EINVAL;
}

static enum drm_gem_object_status heap_status(struct drm_gem_object *obj)
{
	return vgpu_bo_grown(to_vgpu_bo(obj)) ? DRM_GEM_OBJECT_RESIDENT : 0;
}

static size_t heap_rss(struct drm_gem_object *obj)
{
	return vgpu_bo_grown(to_vgpu_bo(obj));
}

/*
 * The CPU never maps a heap: no line of it is in a cache, and there is nothing to
 * synchronize, whatever has grown or is growing (R9).
 */
static const struct drm_gem_sync_funcs heap_funcs = {
	.base = {
		.free = vgpu_bo_free,
		.open = vpanfrost_object_open,
		.close = vpanfrost_object_close,
		.print_info = drm_gem_sync_print_info,
		.export = drm_gem_sync_shmem_export,
		.pin = heap_pin,
		.status = heap_status,
		.rss = heap_rss,
		.vmap = drm_gem_sync_shmem_vmap,
		.mmap = drm_gem_sync_shmem_mmap,
		.vm_ops = &drm_gem_sync_shmem_vm_ops,
	},
	.shmem = true,
	.print_info = drm_gem_sync_shmem_print_info,
};

/* ---- Creation ---- */

/* What is imported may be anything but a shader. */
struct drm_gem_object *vpanfrost_gem_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt)
{
	struct vgpu_bo *bo = vgpu_bo_import(to_vgpu_device(drm), &bo_funcs, attach, sgt);

	if (IS_ERR(bo))
		return ERR_CAST(bo);
	bo->create_flags = PANFROST_BO_NOEXEC;
	return &bo->base.base;
}

static struct vgpu_bo *create_bo(struct vgpu_device *vdev, u32 size, u32 flags)
{
	const bool heap = flags & PANFROST_BO_HEAP;
	const struct vgpu_bo_args args = {
		.size = size,
		.create_flags = flags,
		.cached = flags & PANFROST_BO_WB_MMAP,
		.no_mmap = heap ? -EINVAL : 0,
		.chunk_funcs = heap ? &chunk_funcs : NULL,
	};

	return vgpu_bo_create(vdev, heap ? &heap_funcs : &bo_funcs, &args);
}

static int get_address(struct vpanfrost_file *vfile, struct drm_gem_object *obj, u64 *address)
{
	struct vgpu_mapping *mapping = vpanfrost_mapping_get(vfile, obj);

	/* Only while the handle comes or goes. */
	if (!mapping)
		return -EINVAL;
	*address = vgpu_mapping_va(mapping);
	vgpu_mapping_put(mapping);
	return 0;
}

/* Heaps are no code, and as the CPU never maps them they have no caching. */
static bool is_heap_flags(u32 flags)
{
	return (flags & PANFROST_BO_NOEXEC) && !(flags & PANFROST_BO_WB_MMAP);
}

int vpanfrost_ioctl_create_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_create_bo *args = data;
	struct drm_gem_object *obj;
	struct vgpu_bo *bo;
	int ret;

	if (!args->size || args->pad || (args->flags & ~BO_FLAGS))
		return -EINVAL;
	if ((args->flags & PANFROST_BO_HEAP) && !is_heap_flags(args->flags))
		return -EINVAL;
	bo = create_bo(to_vgpu_device(drm), args->size, args->flags);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	obj = &bo->base.base;
	ret = drm_gem_handle_create(file, obj, &args->handle);
	if (!ret)
		ret = get_address(file->driver_priv, obj, &args->offset);
	drm_gem_object_put(obj);
	return ret;
}

/* ---- Addresses and maps ---- */

int vpanfrost_ioctl_get_bo_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_get_bo_offset *args = data;
	struct drm_gem_object *obj = drm_gem_object_lookup(file, args->handle);
	int ret;

	if (!obj)
		return -ENOENT;
	ret = get_address(file->driver_priv, obj, &args->offset);
	drm_gem_object_put(obj);
	return ret;
}

int vpanfrost_ioctl_mmap_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_mmap_bo *args = data;

	if (args->flags)
		return -EINVAL;
	return vgpu_bo_mmap_offset(file, args->handle, &args->offset);
}

/* ---- The rest ---- */

int vpanfrost_ioctl_wait_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panfrost_wait_bo *args = data;
	struct drm_gem_object *obj;
	unsigned long timeout;
	long ret;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	timeout = drm_timeout_abs_to_jiffies(args->timeout_ns);
	ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_READ, true, timeout);
	drm_gem_object_put(obj);
	if (ret > 0)
		return 0;
	if (ret < 0)
		return ret;
	return timeout ? -ETIMEDOUT : -EBUSY;
}

/* What a heap has grown is not its object's to give, so that it keeps its content. */
int vpanfrost_ioctl_madvise(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_madvise *args = data;
	const bool needed = args->madv == PANFROST_MADV_WILLNEED;
	struct drm_gem_object *obj;
	int ret;

	if (!needed && args->madv != PANFROST_MADV_DONTNEED)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	/* It is not one file's to give up. */
	if (!needed && atomic_read(&to_vgpu_bo(obj)->files) > 1)
		ret = -EINVAL;
	else
		ret = drm_gem_sync_shmem_madvise(to_drm_gem_sync_shmem(obj), needed);
	drm_gem_object_put(obj);
	if (ret < 0)
		return ret;
	args->retained = ret;
	return 0;
}

int vpanfrost_ioctl_set_label_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panfrost_set_label_bo *args = data;

	if (args->pad)
		return -EINVAL;
	return vgpu_bo_set_user_label(file, args->handle, args->label);
}

VGPU_DEFINE_SYNC_DECODE(decode_sync_op, struct drm_panfrost_bo_sync_op)

int vpanfrost_ioctl_sync_bo(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panfrost_sync_bo *args = data;
	const struct drm_gem_sync_array array = {
		.ptr = args->ops,
		.stride = sizeof(struct drm_panfrost_bo_sync_op),
		.count = args->op_count,
		.op_size = sizeof(struct drm_panfrost_bo_sync_op),
		.decode = decode_sync_op,
	};

	if (args->pad)
		return -EINVAL;
	return vgpu_bo_sync(file, &array);
}

int vpanfrost_ioctl_query_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_query_bo_info *args = data;
	struct drm_gem_object *obj;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	/* All but the handle is only written: user space need not clear it. */
	args->pad = 0;
	/* As created, not as mapped: on a coherent device all maps are cached (R23). */
	args->create_flags = obj->import_attach ? 0 : to_vgpu_bo(obj)->create_flags;
	args->extra_flags = obj->import_attach ? DRM_PANFROST_BO_IS_IMPORTED : 0;
	drm_gem_object_put(obj);
	return 0;
}
