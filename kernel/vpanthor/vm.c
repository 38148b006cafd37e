// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces. */
#include <linux/log2.h>
#include <linux/sizes.h>

#include <drm/drm_file.h>

#include "vpanthor.h"

/* All addresses there are, and the least that the kernel needs of them. */
#define VA_RANGE		BIT_ULL(VPANTHOR_VA_BITS)
#define MIN_KERNEL_VA_RANGE	SZ_256M

struct vgpu_vm *vpanthor_vm_lookup(struct vpanthor_file *vfile, u32 id)
{
	return vgpu_vm_lookup(&vfile->vms, id);
}

void vpanthor_file_destroy_vms(struct vpanthor_file *vfile)
{
	struct vgpu_vm *vm;
	unsigned long id;

	xa_for_each(&vfile->vms, id, vm) {
		xa_erase(&vfile->vms, id);
		vpanthor_vm_destroy_heaps(vfile, id);
		vgpu_vm_destroy(vm);
	}
}

/*
 * Bytes of the user's part: what is asked for, by default half. The kernel's part is a
 * power of two, as in the driver for hardware, so that the user may get more. 0 if the
 * kernel would get too little.
 */
static u64 user_va_range(u64 wanted)
{
	if (wanted > VA_RANGE - MIN_KERNEL_VA_RANGE)
		return 0;
	return VA_RANGE - rounddown_pow_of_two(VA_RANGE - (wanted ?: VA_RANGE / 2));
}

int vpanthor_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;
	struct drm_panthor_vm_create *args = data;
	u64 user_range = user_va_range(args->user_va_range);
	struct vgpu_vm *vm;
	int ret;
	u32 id;

	if (args->flags || !user_range)
		return -EINVAL;
	vm = vgpu_vm_create(to_vgpu_device(drm), user_range, VA_RANGE);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = xa_alloc(&vfile->vms, &id, vm, XA_LIMIT(1, VPANTHOR_MAX_VMS),
		       GFP_KERNEL_ACCOUNT);
	if (ret) {
		vgpu_vm_destroy(vm);
		return ret;
	}
	args->id = id;
	args->user_va_range = user_range;
	return 0;
}

int vpanthor_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;
	struct drm_panthor_vm_destroy *args = data;
	struct vgpu_vm *vm;
	int ret;

	if (args->pad)
		return -EINVAL;
	/* A heap is made in a VM that is there, and goes with it. */
	ret = mutex_lock_interruptible(&vfile->heaps_lock);
	if (ret)
		return ret;
	vm = xa_erase(&vfile->vms, args->id);
	if (vm)
		vpanthor_vm_destroy_heaps(vfile, args->id);
	mutex_unlock(&vfile->heaps_lock);
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
	args->state = DRM_PANTHOR_VM_STATE_USABLE;
	if (vgpu_vm_is_unusable(vm))
		args->state = DRM_PANTHOR_VM_STATE_UNUSABLE;
	vgpu_vm_put(vm);
	return 0;
}
