// SPDX-License-Identifier: GPL-2.0-only
/* VM contexts, and what is mapped into them. */
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vpowervr.h"

/* Where the heaps end; what is above is nobody's. */
#define USER_VA_RANGE		0xf300000000ULL

/* Each is kernel memory that nobody else bounds. */
#define MAX_VMS_PER_FILE	256

/* A handle and an address fit into a file offset, see debugfs.c. */
#define MAX_HANDLE		GENMASK(62 - VPOWERVR_VA_BITS, 0)

/*
 * Handles are valid in their file alone, but unique in the device, for debugfs. There
 * the VM is found for as long as its creator's reference lasts.
 */
static int add_vm(struct vpowervr_device *vdev, struct vpowervr_file *vfile, struct vgpu_vm *vm,
		  u32 *handle)
{
	int ret;

	ret = xa_alloc(&vdev->vms, handle, vm, XA_LIMIT(1, MAX_HANDLE), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = xa_insert(&vfile->vms, *handle, vm, GFP_KERNEL_ACCOUNT);
	if (ret)
		xa_erase(&vdev->vms, *handle);
	return ret;
}

/* @vm was taken out of the file, by nobody else. */
static void destroy_vm(struct vpowervr_device *vdev, struct vpowervr_file *vfile, u32 handle,
		       struct vgpu_vm *vm)
{
	xa_erase(&vdev->vms, handle);
	vgpu_vm_destroy(vm);
	atomic_dec(&vfile->vm_count);
}

void vpowervr_file_destroy_vms(struct vpowervr_device *vdev, struct vpowervr_file *vfile)
{
	struct vgpu_vm *vm;
	unsigned long handle;

	xa_for_each(&vfile->vms, handle, vm) {
		xa_erase(&vfile->vms, handle);
		destroy_vm(vdev, vfile, handle, vm);
	}
}

static int create_vm(struct vpowervr_device *vdev, struct vpowervr_file *vfile, u32 *out)
{
	struct vgpu_vm *vm;
	u32 handle;
	int ret;

	vm = vgpu_vm_create(&vdev->base, USER_VA_RANGE, BIT_ULL(VPOWERVR_VA_BITS));
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = add_vm(vdev, vfile, vm, &handle);
	if (ret) {
		vgpu_vm_destroy(vm);
		return ret;
	}
	*out = handle;
	return 0;
}

int vpowervr_ioctl_create_vm_context(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_pvr_ioctl_create_vm_context_args *args = data;
	struct vpowervr_file *vfile = file->driver_priv;
	int ret;

	if (args->_padding_4)
		return -EINVAL;
	if (atomic_inc_return(&vfile->vm_count) > MAX_VMS_PER_FILE)
		ret = -EBUSY;
	else
		ret = create_vm(to_vpowervr(drm), vfile, &args->handle);
	if (ret)
		atomic_dec(&vfile->vm_count);
	return ret;
}

int vpowervr_ioctl_destroy_vm_context(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_pvr_ioctl_destroy_vm_context_args *args = data;
	struct vpowervr_file *vfile = file->driver_priv;
	struct vgpu_vm *vm;

	if (args->_padding_4)
		return -EINVAL;
	vm = xa_erase(&vfile->vms, args->handle);
	if (!vm)
		return -EINVAL;
	destroy_vm(to_vpowervr(drm), vfile, args->handle, vm);
	return 0;
}

static int map_object(struct vgpu_vm *vm, struct drm_file *file,
		      const struct drm_pvr_ioctl_vm_map_args *args)
{
	struct vgpu_bind_args bind = {
		.offset = args->offset,
		.va = args->device_addr,
		.size = args->size,
	};
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	bind.bo = to_vgpu_bo(obj);
	ret = vgpu_vm_bind(vm, &bind);
	drm_gem_object_put(obj);
	return ret;
}

int vpowervr_ioctl_vm_map(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_vm_map_args *args = data;
	struct vpowervr_file *vfile = file->driver_priv;
	struct vgpu_vm *vm;
	int ret;

	if (args->flags || args->_padding_14 ||
	    !vpowervr_find_heap(args->device_addr, args->size))
		return -EINVAL;
	vm = vgpu_vm_lookup(&vfile->vms, args->vm_context_handle);
	if (!vm)
		return -EINVAL;
	ret = map_object(vm, file, args);
	vgpu_vm_put(vm);
	return ret;
}

int vpowervr_ioctl_vm_unmap(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_pvr_ioctl_vm_unmap_args *args = data;
	const struct vgpu_bind_args bind = {
		.va = args->device_addr,
		.size = args->size,
		.exact = true,
	};
	struct vpowervr_file *vfile = file->driver_priv;
	struct vgpu_vm *vm;
	int ret;

	if (args->_padding_4)
		return -EINVAL;
	vm = vgpu_vm_lookup(&vfile->vms, args->vm_context_handle);
	if (!vm)
		return -EINVAL;
	ret = vgpu_vm_bind(vm, &bind);
	vgpu_vm_put(vm);
	return ret;
}
