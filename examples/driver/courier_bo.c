// SPDX-License-Identifier: MIT
/* Buffer objects: what the helper leaves to the driver. */
#include <linux/ctype.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include <batch.h>

#include "courier.h"

#define CREATE_FLAGS	(DRM_COURIER_BO_CACHED | DRM_COURIER_BO_NO_MMAP)

/* The name goes into lines of text, which it must not be able to end. */
static struct courier_bo *courier_bo_alloc(u32 flags)
{
	struct courier_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return NULL;
	bo->flags = flags;
	bo->pid = task_tgid_nr(current);
	get_task_comm(bo->comm, current->group_leader);
	for (char *c = bo->comm; *c; c++)
		*c = isprint(*c) ? *c : '?';
	return bo;
}

static void courier_bo_free(struct drm_gem_object *obj)
{
	struct courier_bo *bo = to_courier_bo(obj);

	drm_gem_sync_shmem_fini(&bo->base);
	kfree(bo);
}

static const struct drm_gem_sync_funcs courier_bo_funcs =
	DRM_GEM_SYNC_SHMEM_FUNCS(courier_bo_free, drm_gem_sync_shmem_export);

int courier_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_courier_bo_create *args = data;
	const struct drm_gem_sync_shmem_args shmem_args = {
		.cached = args->flags & DRM_COURIER_BO_CACHED,
		.no_mmap = args->flags & DRM_COURIER_BO_NO_MMAP ? -EPERM : 0,
	};
	struct courier_bo *bo;
	int ret;

	if (args->flags & ~CREATE_FLAGS)
		return -EINVAL;
	bo = courier_bo_alloc(args->flags);
	if (!bo)
		return -ENOMEM;
	ret = drm_gem_sync_shmem_init(&to_courier(drm)->gem, &bo->base, &courier_bo_funcs,
				      args->size, &shmem_args);
	if (ret) {
		kfree(bo);
		return ret;
	}
	args->size = bo->base.base.size;
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	/* The handle has a reference of its own. */
	drm_gem_object_put(&bo->base.base);
	return ret;
}

struct drm_gem_object *courier_gem_import_sg_table(struct drm_device *drm,
						   struct dma_buf_attachment *attach,
						   struct sg_table *sgt)
{
	struct courier_bo *bo;
	int ret;

	bo = courier_bo_alloc(DRM_COURIER_BO_NO_MMAP);	/* R15 */
	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = drm_gem_sync_shmem_init_import(&to_courier(drm)->gem, &bo->base, &courier_bo_funcs,
					     attach, sgt);
	if (ret) {
		kfree(bo);
		return ERR_PTR(ret);
	}
	return &bo->base.base;
}

int courier_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_courier_bo_mmap_offset *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = drm_gem_sync_shmem_map_error(to_drm_gem_sync_shmem(obj));
	if (!ret)
		ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = drm_gem_sync_shmem_prepare_map(to_drm_gem_sync_shmem(obj));
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}

int courier_ioctl_bo_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_courier_bo_query *args = data;
	struct drm_gem_sync_shmem_info info;
	struct drm_gem_object *obj;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	args->create_flags = to_courier_bo(obj)->flags;
	drm_gem_sync_shmem_get_info(to_drm_gem_sync_shmem(obj), &info);
	args->extra_flags = info.imported ? DRM_COURIER_BO_IMPORTED : 0;
	drm_gem_object_put(obj);
	return 0;
}

/* The helper checks what all drivers have; what has to be 0 goes into one pad. */
static void decode_op(const void *raw, struct gs_sync_op *op)
{
	const struct drm_courier_bo_sync_op *courier = raw;

	op->handle = courier->handle;
	op->type = courier->type;
	op->pad = courier->pad | courier->pad2;
	op->offset = courier->offset;
	op->size = courier->size;
}

int courier_ioctl_bo_sync(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_courier_bo_sync *args = data;
	const struct drm_gem_sync_array array = {
		.ptr = args->ops,
		.stride = args->stride,
		.count = args->count,
		.op_size = sizeof(struct drm_courier_bo_sync_op),
		.decode = decode_op,
	};

	return drm_gem_sync_ioctl(file, &array);
}

/* Its pages may come and go, its label stays. */
static int set_label(struct courier_bo *bo, const char *label)
{
	int ret;

	ret = dma_resv_lock_interruptible(bo->base.base.resv, NULL);
	if (ret)
		return ret;
	strscpy(bo->label, label);
	courier_memory_label(bo);
	dma_resv_unlock(bo->base.base.resv);
	return 0;
}

int courier_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_courier_bo_set_label *args = data;
	char label[DRM_COURIER_LABEL_SIZE] = "";
	struct drm_gem_object *obj;
	long length = 0;
	int ret;

	if (args->pad)
		return -EINVAL;
	if (args->label)
		length = strncpy_from_user(label, u64_to_user_ptr(args->label), sizeof(label));
	if (length < 0)
		return length;
	if (length == sizeof(label))
		return -E2BIG;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = set_label(to_courier_bo(obj), label);
	drm_gem_object_put(obj);
	return ret;
}
