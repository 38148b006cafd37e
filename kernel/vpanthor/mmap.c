// SPDX-License-Identifier: GPL-2.0-only
/* Maps of the DRM file: buffer objects, and the page with the flush id. */
#include <linux/compat.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_managed.h>

#include "vpanthor.h"

static void free_flush_page(struct drm_device *drm, void *page)
{
	__free_page(page);
}

/* The GPU has no caches of its own, and so flushes none: the id stays 0. */
int vpanthor_init_flush_page(struct vgpu_device *vdev)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!page)
		return -ENOMEM;
	to_vpanthor(&vdev->drm)->flush_page = page;
	return drmm_add_action_or_reset(&vdev->drm, free_flush_page, page);
}

u64 vpanthor_default_mmio_offset(void)
{
	if (in_compat_syscall())
		return DRM_PANTHOR_USER_MMIO_OFFSET_32BIT;
	return DRM_PANTHOR_USER_MMIO_OFFSET_64BIT;
}

int vpanthor_ioctl_set_user_mmio_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_set_user_mmio_offset *args = data;
	struct vpanthor_file *vfile = file->driver_priv;

	if (args->offset != DRM_PANTHOR_USER_MMIO_OFFSET_32BIT &&
	    args->offset != DRM_PANTHOR_USER_MMIO_OFFSET_64BIT)
		return -EINVAL;
	WRITE_ONCE(vfile->mmio_offset, args->offset);
	return 0;
}

/* The file that is mapped keeps the device, and that the page. */
static vm_fault_t flush_id_fault(struct vm_fault *vmf)
{
	struct vpanthor_device *vdev = vmf->vma->vm_private_data;
	vm_fault_t ret;
	int idx;

	if (!drm_dev_enter(&vdev->base.drm, &idx))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(vdev->flush_page));
	drm_dev_exit(idx);
	return ret;
}

static const struct vm_operations_struct flush_id_vm_ops = {
	.fault = flush_id_fault,
};

/* @offset is relative to the place of such pages. */
static int mmap_mmio(struct vpanthor_device *vdev, struct vm_area_struct *vma, u64 offset)
{
	if (!(vma->vm_flags & VM_SHARED) || offset)
		return -EINVAL;
	if (vma_pages(vma) != 1 || (vma->vm_flags & (VM_WRITE | VM_EXEC)))
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_set(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_NORESERVE | VM_DONTDUMP |
		     VM_PFNMAP);
	vma->vm_private_data = vdev;
	vma->vm_ops = &flush_id_vm_ops;
	return 0;
}

int vpanthor_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file = filp->private_data;
	struct vpanthor_file *vfile = file->driver_priv;
	u64 mmio_offset = READ_ONCE(vfile->mmio_offset);
	struct drm_device *drm = file->minor->dev;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (offset < mmio_offset)
		return drm_gem_mmap(filp, vma);
	if (drm_dev_is_unplugged(drm))
		return -ENODEV;
	return mmap_mmio(to_vpanthor(drm), vma, offset - mmio_offset);
}
