// SPDX-License-Identifier: GPL-2.0-only
/* Buffer objects. */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_vma_manager.h>

#include "internal.h"

/* The name of the process. It is shown in lines of text, which it must not be able to end. */
void vgpu_get_comm(char comm[TASK_COMM_LEN])
{
	strscpy_pad(comm, current->group_leader->comm, TASK_COMM_LEN);
	for (char *c = comm; *c; c++)
		*c = isprint(*c) ? *c : '?';
}

/* Reclaim takes the lock (vgpu_bo_evicting()): lockdep is to know from the start. */
static void teach_lockdep(struct vgpu_bo *bo)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&bo->gpuva_lock);
	fs_reclaim_release(GFP_KERNEL);
}

/*
 * Fences wait for the end of the job that calls this, and it calls MMU notifiers, some of
 * which wait for fences, as lockdep knows: for those of devices that use ordinary memory
 * of a program, which these maps are not.
 */
static void revoke(const struct ncmem_owner *owner, unsigned long first, unsigned long count)
{
	struct vgpu_bo *bo = container_of(owner, struct vgpu_bo, owner);

	lockdep_off();
	drm_gem_sync_shmem_revoke(&bo->base, first, count);
	lockdep_on();
}

static struct vgpu_bo *bo_alloc(struct vgpu_device *vdev)
{
	struct vgpu_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return NULL;
	vgpu_get_comm(bo->owner.comm);
	bo->owner.pid = task_tgid_nr(current);
	bo->owner.id = atomic64_inc_return(&vdev->bo_ids);
	mutex_init(&bo->gpuva_lock);
	teach_lockdep(bo);
	return bo;
}

static void bo_free(struct vgpu_bo *bo)
{
	vgpu_heap_destroy(bo->heap);
	mutex_destroy(&bo->gpuva_lock);
	kfree(bo);
}

static int init_heap(struct vgpu_device *vdev, struct vgpu_bo *bo,
		     const struct vgpu_bo_args *args)
{
	if (!args->chunk_funcs)
		return 0;
	bo->heap = vgpu_heap_create(vdev, args->chunk_funcs, args->size);
	return bo->heap ? 0 : -ENOMEM;
}

/**
 * vgpu_bo_create() - create a buffer object
 * @vdev: the device
 * @funcs: the driver's table, with vgpu_bo_free() as its .free
 * @args: what is decided at creation
 *
 * Context: Process context, may sleep.
 *
 * Return: the object with one reference; an ERR_PTR() of -EINVAL for a bad size, or a
 * cached object that has to be private and is not (R13); -EOPNOTSUPP for a cached one of
 * a device that can bounce (R21); -ENOMEM; -ENOSPC.
 */
struct vgpu_bo *vgpu_bo_create(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       const struct vgpu_bo_args *args)
{
	struct drm_gem_sync_shmem_args shmem_args = {
		.cached = args->cached,
		.private = args->vm,
		.no_mmap = args->no_mmap,
		.resv = args->vm ? drm_gpuvm_resv(&args->vm->base) : NULL,
	};
	struct vgpu_bo *bo;
	int ret;

	bo = bo_alloc(vdev);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->create_flags = args->create_flags;
	ret = init_heap(vdev, bo, args);
	if (!ret)
		ret = drm_gem_sync_shmem_init(&vdev->gem, &bo->base, funcs, args->size,
					      &shmem_args);
	if (ret) {
		bo_free(bo);
		return ERR_PTR(ret);
	}
	/* Maps that go past the cache show nothing that is stale. */
	if (!drm_gem_sync_shmem_is_wc(&bo->base))
		bo->owner.revoke = revoke;
	compat_gpuva_set_lock(&bo->base.base, &bo->gpuva_lock);
	if (args->vm) {
		bo->vm_resv_obj = drm_gpuvm_resv_obj(&args->vm->base);
		drm_gem_object_get(bo->vm_resv_obj);
	}
	return bo;
}
EXPORT_SYMBOL_GPL(vgpu_bo_create);

/**
 * vgpu_bo_import() - make a buffer object of another exporter's memory
 * @vdev: the device
 * @funcs: the driver's table, with vgpu_bo_free() as its .free
 * @attach: the attachment
 * @sgt: the memory, mapped for the device
 *
 * Context: Process context, may sleep.
 *
 * Return: the object with one reference; an ERR_PTR() of -ENOMEM, or of what
 * drm_gem_sync_shmem_init_import() returned.
 */
struct vgpu_bo *vgpu_bo_import(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct vgpu_bo *bo = bo_alloc(vdev);
	int ret;

	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = drm_gem_sync_shmem_init_import(&vdev->gem, &bo->base, funcs, attach, sgt);
	if (ret) {
		bo_free(bo);
		return ERR_PTR(ret);
	}
	compat_gpuva_set_lock(&bo->base.base, &bo->gpuva_lock);
	return bo;
}
EXPORT_SYMBOL_GPL(vgpu_bo_import);

/**
 * vgpu_prime_import() - &drm_driver.gem_prime_import: on a device that stays
 * @drm: the device that imports
 * @dma_buf: what it imports
 *
 * The exporter maps for the device, whose DMA operations an unplug takes away. It may have
 * to bring in memory first, for which no unplug of another device should wait: so this is
 * not between drm_dev_enter() and drm_dev_exit().
 *
 * Context: Process context, may sleep.
 *
 * Return: as drm_gem_sync_prime_import(); ERR_PTR(-ENODEV) behind an unplug; -EINTR if the
 * task is killed.
 */
struct drm_gem_object *vgpu_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct vgpu_device *vdev = to_vgpu_device(drm);
	struct drm_gem_object *obj;

	if (down_read_killable(&vdev->import_lock))
		return ERR_PTR(-EINTR);
	if (drm_dev_is_unplugged(drm))
		obj = ERR_PTR(-ENODEV);
	else
		obj = drm_gem_sync_prime_import(drm, dma_buf);
	up_read(&vdev->import_lock);
	return obj;
}
EXPORT_SYMBOL_GPL(vgpu_prime_import);

/**
 * vgpu_bo_handle_create() - give the creator of an object its handle
 * @file: the creator's DRM file
 * @bo: the object
 * @handle: is set to the handle, which reports of violations name
 *
 * Context: Process context, may sleep.
 *
 * Return: 0 or a negative errno, as drm_gem_handle_create().
 */
int vgpu_bo_handle_create(struct drm_file *file, struct vgpu_bo *bo, u32 *handle)
{
	int ret = drm_gem_handle_create(file, &bo->base.base, handle);

	if (!ret)
		WRITE_ONCE(bo->owner.handle, *handle);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_bo_handle_create);

/**
 * vgpu_bo_free() - &drm_gem_object_funcs.free of a &struct vgpu_bo
 * @obj: the object
 *
 * Context: Process context, may sleep.
 */
void vgpu_bo_free(struct drm_gem_object *obj)
{
	struct vgpu_bo *bo = to_vgpu_bo(obj);
	struct drm_gem_object *vm_resv_obj = bo->vm_resv_obj;

	drm_gem_sync_shmem_fini(&bo->base);
	/* The reservation lock was in use until here. */
	if (vm_resv_obj)
		drm_gem_object_put(vm_resv_obj);
	bo_free(bo);
}
EXPORT_SYMBOL_GPL(vgpu_bo_free);

/**
 * vgpu_bo_set_label() - name an object, for reports and debugfs
 * @bo: the object
 * @label: the name, or "" for none; what is too long is cut off
 *
 * Context: Process context, may sleep.
 */
void vgpu_bo_set_label(struct vgpu_bo *bo, const char *label)
{
	struct vgpu_device *vdev = to_vgpu_device(bo->base.base.dev);

	mutex_lock(&vdev->lock);
	ncmem_owner_set_label(vdev->nc, &bo->owner, label);
	mutex_unlock(&vdev->lock);
}
EXPORT_SYMBOL_GPL(vgpu_bo_set_label);

/* Bytes of a label with its terminating 0. */
#define MAX_LABEL	4096

static int set_user_label(struct vgpu_bo *bo, u64 user_label)
{
	char *label;

	if (!user_label) {
		vgpu_bo_set_label(bo, "");
		return 0;
	}
	label = strndup_user(u64_to_user_ptr(user_label), MAX_LABEL);
	if (IS_ERR(label))
		return PTR_ERR(label) == -EINVAL ? -E2BIG : PTR_ERR(label);
	vgpu_bo_set_label(bo, label);
	kfree(label);
	return 0;
}

/**
 * vgpu_bo_set_user_label() - name an object as user space wants it
 * @file: the DRM file
 * @handle: of the object, in it
 * @user_label: user address of a string, or 0 for no name
 *
 * Context: as vgpu_bo_set_label().
 *
 * Return: 0; -ENOENT for an unknown handle; -E2BIG for 4096 bytes and more; -EFAULT;
 * -ENOMEM.
 */
int vgpu_bo_set_user_label(struct drm_file *file, u32 handle, u64 user_label)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	int ret;

	if (!obj)
		return -ENOENT;
	ret = set_user_label(to_vgpu_bo(obj), user_label);
	drm_gem_object_put(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_bo_set_user_label);

/**
 * vgpu_bo_mmap_offset() - where in its file an object is mapped
 * @file: the DRM file
 * @handle: of the object, in it
 * @offset: is set to the offset
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -ENOENT for an unknown handle; what drm_gem_sync_shmem_map_error() says of
 * an object that may not be mapped (R15, R16); -ENOMEM; -ENOSPC; what
 * drm_gem_sync_shmem_prepare_map() says of one that cannot be populated.
 */
int vgpu_bo_mmap_offset(struct drm_file *file, u32 handle, u64 *offset)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	int ret;

	if (!obj)
		return -ENOENT;
	ret = drm_gem_sync_shmem_map_error(to_drm_gem_sync_shmem(obj));
	if (!ret)
		ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = drm_gem_sync_shmem_prepare_map(to_drm_gem_sync_shmem(obj));
	if (!ret)
		*offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_bo_mmap_offset);

/**
 * vgpu_bo_sync() - run a user's array of sync ops, and look again at jobs that wait
 * @file: the DRM file
 * @array: see drm_gem_sync_ioctl()
 *
 * A job that waits for memory may see now what it waits for, also after a failure:
 * part of the ops may have run.
 *
 * Context: as drm_gem_sync_ioctl(). Not between drm_dev_enter() and drm_dev_exit(): the
 * array is the user's memory, which may keep a copy waiting for ever, and every unplug of
 * a DRM device waits for whoever is there.
 *
 * Return: as drm_gem_sync_ioctl().
 */
int vgpu_bo_sync(struct drm_file *file, const struct drm_gem_sync_array *array)
{
	int ret = drm_gem_sync_ioctl(file, array);

	vgpu_device_kick(to_vgpu_device(file->minor->dev));
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_bo_sync);
