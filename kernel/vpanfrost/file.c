// SPDX-License-Identifier: GPL-2.0-only
/* Files: an address space each, in which the objects that they have handles of are. */
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vpanfrost.h"

static int file_init(struct vgpu_device *vdev, struct vpanfrost_file *vfile)
{
	int ret;

	vfile->client = vgpu_client_create();
	if (!vfile->client)
		return -ENOMEM;
	vfile->vm = vgpu_vm_create(vdev, VPANFROST_VA_START, VPANFROST_VA_END);
	if (IS_ERR(vfile->vm)) {
		ret = PTR_ERR(vfile->vm);
		goto err_put_client;
	}
	xa_init(&vfile->objects);
	xa_init_flags(&vfile->ctxs, XA_FLAGS_ALLOC);
	ret = vpanfrost_ctx_create_default(vfile);
	if (ret)
		goto err_destroy_vm;
	return 0;

err_destroy_vm:
	vgpu_vm_destroy(vfile->vm);
err_put_client:
	vgpu_client_put(vfile->client);
	return ret;
}

int vpanfrost_open(struct drm_device *drm, struct drm_file *file)
{
	struct vpanfrost_file *vfile;
	int ret = -ENODEV, idx;

	vfile = kzalloc(sizeof(*vfile), GFP_KERNEL_ACCOUNT);
	if (!vfile)
		return -ENOMEM;
	if (drm_dev_enter(drm, &idx)) {
		ret = file_init(to_vgpu_device(drm), vfile);
		drm_dev_exit(idx);
	}
	if (ret) {
		kfree(vfile);
		return ret;
	}
	mutex_init(&vfile->lock);
	file->driver_priv = vfile;
	return 0;
}

/* The handles are closed already, and the contexts are dead. */
void vpanfrost_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vpanfrost_file *vfile = file->driver_priv;

	vpanfrost_file_put_ctxs(vfile);
	vgpu_vm_destroy(vfile->vm);
	mutex_destroy(&vfile->lock);
	xa_destroy(&vfile->ctxs);
	xa_destroy(&vfile->objects);
	vgpu_client_put(vfile->client);
	kfree(vfile);
}

static struct vpanfrost_object *find_object(struct vpanfrost_file *vfile,
					    struct drm_gem_object *obj)
{
	lockdep_assert_held(&vfile->lock);
	return xa_load(&vfile->objects, (unsigned long)obj);
}

struct vgpu_mapping *vpanfrost_mapping_get(struct vpanfrost_file *vfile,
					   struct drm_gem_object *obj)
{
	struct vgpu_mapping *mapping = NULL;
	struct vpanfrost_object *object;

	mutex_lock(&vfile->lock);
	object = find_object(vfile, obj);
	if (object)
		mapping = vgpu_mapping_get(object->mapping);
	mutex_unlock(&vfile->lock);
	return mapping;
}

/*
 * Shaders count their instructions in 24 bits, so what is executable must not cross a
 * multiple of 16 MiB, if it is smaller than that.
 */
static struct vgpu_mapping *map_object(struct vpanfrost_file *vfile, struct vgpu_bo *bo)
{
	const bool noexec = bo->create_flags & PANFROST_BO_NOEXEC;
	u64 size = bo->base.base.size;
	u64 align = 0;

	if (!noexec)
		align = min_t(u64, roundup_pow_of_two(size), SZ_16M);
	else if (size >= SZ_2M)
		align = SZ_2M;
	return vgpu_mapping_create(vfile->vm, bo, align, 0);
}

static void object_free(struct vpanfrost_object *object)
{
	vgpu_mapping_put(object->mapping);
	kfree(object);
}

static struct vpanfrost_object *object_create(struct vpanfrost_file *vfile, struct vgpu_bo *bo)
{
	struct vpanfrost_object *object;
	int ret;

	object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	if (!object)
		return ERR_PTR(-ENOMEM);
	object->handles = 1;
	object->mapping = map_object(vfile, bo);
	if (IS_ERR(object->mapping)) {
		ret = PTR_ERR(object->mapping);
		kfree(object);
		return ERR_PTR(ret);
	}
	return object;
}

/* One handle more of an object that the file has. */
static bool add_handle(struct vpanfrost_file *vfile, struct drm_gem_object *obj)
{
	struct vpanfrost_object *object = find_object(vfile, obj);

	if (object)
		object->handles++;
	return object;
}

/* Mapping populates, which takes as long as the object is large: other threads go on. */
static int open_object(struct vpanfrost_file *vfile, struct drm_gem_object *obj)
{
	struct vpanfrost_object *object;
	int ret = 0;
	bool known;

	mutex_lock(&vfile->lock);
	known = add_handle(vfile, obj);
	mutex_unlock(&vfile->lock);
	if (known)
		return 0;
	object = object_create(vfile, to_vgpu_bo(obj));
	if (IS_ERR(object))
		return PTR_ERR(object);
	mutex_lock(&vfile->lock);
	/* Another thread's handle may have come first. */
	known = add_handle(vfile, obj);
	if (!known)
		ret = xa_err(xa_store(&vfile->objects, (unsigned long)obj, object,
				      GFP_KERNEL_ACCOUNT));
	mutex_unlock(&vfile->lock);
	if (known || ret)
		object_free(object);
	else
		atomic_inc(&to_vgpu_bo(obj)->files);
	return ret;
}

/* &drm_gem_object_funcs.open: with its first handle an object gets its address. */
int vpanfrost_object_open(struct drm_gem_object *obj, struct drm_file *file)
{
	int ret = drm_gem_sync_shmem_open(obj, file);

	return ret ?: open_object(file->driver_priv, obj);
}

/* &drm_gem_object_funcs.close: jobs that use the object keep its mapping. */
void vpanfrost_object_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct vpanfrost_file *vfile = file->driver_priv;
	struct vpanfrost_object *object;

	mutex_lock(&vfile->lock);
	object = find_object(vfile, obj);
	if (object && !--object->handles)
		xa_erase(&vfile->objects, (unsigned long)obj);
	else
		object = NULL;
	mutex_unlock(&vfile->lock);
	if (object) {
		atomic_dec(&to_vgpu_bo(obj)->files);
		object_free(object);
	}
}
