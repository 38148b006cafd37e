// SPDX-License-Identifier: GPL-2.0-only
/* CPU maps of shmem-backed objects. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_vma_manager.h>

#include "internal.h"

/* The page that a CPU map of a populated object shows. */
struct page *gem_sync_view_page(struct drm_gem_sync_shmem_object *shmem, pgoff_t index)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;

	if (ops && ops->cpu_page && !drm_gem_sync_shmem_is_wc(shmem))
		return ops->cpu_page(shmem, index);
	return shmem->pages[index];
}

/**
 * drm_gem_sync_shmem_map_error() - whether the CPU may map an object, for mmap-offset calls
 * @shmem: the object
 *
 * Context: Any.
 *
 * Return: 0; the object's own error if it may not be mapped (R16); -EPERM for an
 * imported object of a device without &drm_gem_sync_device.map_imports (R15).
 */
int drm_gem_sync_shmem_map_error(const struct drm_gem_sync_shmem_object *shmem)
{
	if (shmem->imported)
		return shmem->sdev->map_imports ? 0 : -EPERM;
	return shmem->args.no_mmap;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_map_error);

static vm_fault_t fault_locked(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf)
{
	/* Not from the address: after a partial munmap the map starts elsewhere. */
	pgoff_t index = vmf->pgoff - drm_vma_node_start(&shmem->base.vma_node);
	struct page *page;
	int ret;

	if (index >= shmem->base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	ret = gem_sync_populate_locked(shmem);
	if (ret)
		return vmf_error(ret);
	gem_sync_lru_update(shmem);
	page = gem_sync_view_page(shmem, index);
	if (IS_ERR(page))
		return vmf_error(PTR_ERR(page));
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
}

static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	vm_fault_t ret;

	dma_resv_lock(obj->resv, NULL);
	ret = fault_locked(to_drm_gem_sync_shmem(obj), vmf);
	dma_resv_unlock(obj->resv);
	return ret;
}

/* &drm_gem_object_funcs.vm_ops of shmem-backed objects */
const struct vm_operations_struct drm_gem_sync_shmem_vm_ops = {
	.fault = shmem_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_vm_ops);

/*
 * A file whose GEM_OPEN is being refused may map for a moment, as far as the DRM
 * core is concerned. A dma-buf's file has no say here: its export was allowed.
 */
static int file_error(const struct drm_gem_sync_shmem_object *shmem, const struct file *file)
{
	if (file->f_op != shmem->base.dev->driver->fops)
		return 0;
	return gem_sync_may_use(shmem, file->private_data);
}

/*
 * The exporter fills in the map. Until then it is the object's, for whose sake the DRM
 * core has taken a reference, and wants VM_DONTEXPAND.
 */
static int mmap_import(struct drm_gem_sync_shmem_object *shmem, struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = &shmem->base;
	int ret;

	if (READ_ONCE(shmem->unplugged))
		return -ENODEV;
	vma->vm_ops = NULL;
	vma->vm_private_data = NULL;
	ret = dma_buf_mmap(obj->import_attach->dmabuf, vma, 0);
	if (ret)
		return ret;
	vm_flags_set(vma, VM_DONTEXPAND);
	drm_gem_object_put(obj);
	return 0;
}

/**
 * drm_gem_sync_shmem_mmap() - &drm_gem_object_funcs.mmap of shmem-backed objects
 * @obj: the object
 * @vma: the map to be
 *
 * Populates the object, so that running out of memory is an error of mmap()
 * and not a signal at the first touch. An imported object that may be mapped is
 * mapped by its exporter, and from then on the map is a map of the dma-buf. Pages
 * that were evicted come back when they are touched.
 *
 * Context: Process context with the mmap lock held.
 *
 * Return: 0; the object's own error if it may not be mapped (R16); -EPERM for an
 * imported object of a device that does not map them (R15), or for a file that may
 * not open it (R13); -EINVAL for a private (copy-on-write) map, or a purged object;
 * -ENODEV behind an unplug; -ENOMEM; -EOPNOTSUPP if the DMA mapping bounced (R21); an
 * error of the DMA mapping, or of the exporter.
 */
int drm_gem_sync_shmem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	int ret;

	ret = drm_gem_sync_shmem_map_error(shmem);
	if (!ret)
		ret = file_error(shmem, vma->vm_file);
	if (ret)
		return ret;
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	if (shmem->imported)
		return mmap_import(shmem, vma);
	dma_resv_lock(obj->resv, NULL);
	ret = gem_sync_populate_locked(shmem);
	dma_resv_unlock(obj->resv);
	if (ret)
		return ret;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	if (drm_gem_sync_shmem_is_wc(shmem))
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_mmap);
