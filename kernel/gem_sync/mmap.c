// SPDX-License-Identifier: GPL-2.0-only
/* CPU maps of shmem-backed objects. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/huge_mm.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

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

/**
 * drm_gem_sync_shmem_prepare_map() - populate an object that user space is about to map
 * @shmem: the object
 *
 * For the driver's mmap-offset call, so that running out of memory is an error of a call
 * and not a signal at the first touch. mmap() itself is too late: it holds the lock of
 * the address space, for which other threads and readers of /proc wait.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0, also if there is nothing to do, or mmap() will refuse a purged object;
 * -ENODEV behind an unplug; -ENOMEM; -EINTR; -EOPNOTSUPP if the mapping bounced (R21);
 * an error of the DMA mapping.
 */
int drm_gem_sync_shmem_prepare_map(struct drm_gem_sync_shmem_object *shmem)
{
	int ret;

	if (shmem->imported)
		return 0;
	ret = dma_resv_lock_interruptible(shmem->base.resv, NULL);
	if (ret)
		return ret;
	if (!shmem->purged)
		ret = gem_sync_populate_locked(shmem);
	dma_resv_unlock(shmem->base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_prepare_map);

#if IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
/* Whether what the CPU sees is the object's own pages. */
static bool shows_own_pages(const struct drm_gem_sync_shmem_object *shmem)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;

	return !ops || !ops->cpu_page || drm_gem_sync_shmem_is_wc(shmem);
}

/* Whether so many pages from @index on are one piece of memory that can be one entry. */
static bool is_huge(const struct drm_gem_sync_shmem_object *shmem, pgoff_t index, pgoff_t count)
{
	unsigned long pfn = page_to_pfn(shmem->pages[index]);

	if (!IS_ALIGNED(pfn, count))
		return false;
	for (pgoff_t i = 1; i < count; i++)
		if (page_to_pfn(shmem->pages[index + i]) != pfn + i)
			return false;
	return true;
}

/* One entry for all that a page table would map. False if it cannot be. */
static bool insert_huge(const struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
			pgoff_t index)
{
	const pgoff_t count = PMD_SIZE >> PAGE_SHIFT;
	const unsigned long start = vmf->address & PMD_MASK;
	const pgoff_t before = (vmf->address - start) >> PAGE_SHIFT;
	pgoff_t first = index - before;

	/* Another thread's fault for it came first. */
	if (pmd_trans_huge(*vmf->pmd))
		return true;
	if (start < vmf->vma->vm_start || vmf->vma->vm_end - start < PMD_SIZE)
		return false;
	if (index < before || first + count > shmem->base.size >> PAGE_SHIFT)
		return false;
	if (!shows_own_pages(shmem) || !pmd_none(*vmf->pmd) || !is_huge(shmem, first, count))
		return false;
	return compat_insert_pfn_pmd(vmf, page_to_pfn(shmem->pages[first]),
				     vmf->flags & FAULT_FLAG_WRITE) == VM_FAULT_NOPAGE;
}
#else
static bool insert_huge(const struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
			pgoff_t index)
{
	return false;
}
#endif

/* Whether somebody looks at touches of its maps. */
static bool is_watched(const struct drm_gem_sync_shmem_object *shmem)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;

	return ops && ops->touched && !drm_gem_sync_shmem_is_wc(shmem);
}

static vm_fault_t insert_watched(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
				 unsigned long address, pgoff_t index, unsigned long pfn)
{
	const struct vm_fault *touch = address == vmf->address ? vmf : NULL;
	vm_flags_t flags = vmf->vma->vm_flags;

	switch (shmem->sdev->ops->touched(shmem, index, touch)) {
	case DRM_GEM_SYNC_HIDE:
		return VM_FAULT_NOPAGE;
	case DRM_GEM_SYNC_SHOW_READ_ONLY:
		/* As the kernel does it where a file system wants to know of stores. */
		flags &= ~VM_SHARED;
		break;
	case DRM_GEM_SYNC_SHOW:
		break;
	}
	return vmf_insert_pfn_prot(vmf->vma, address, pfn, vm_get_page_prot(flags));
}

static vm_fault_t insert_page(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
			      unsigned long address, pgoff_t index)
{
	struct page *page = gem_sync_view_page(shmem, index);

	if (IS_ERR(page))
		return vmf_error(PTR_ERR(page));
	if (is_watched(shmem))
		return insert_watched(shmem, vmf, address, index, page_to_pfn(page));
	return vmf_insert_pfn(vmf->vma, address, page_to_pfn(page));
}

/* The others that the page table has room for: they are in memory as well. */
static void insert_around(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
			  pgoff_t index)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long address = max(vma->vm_start, vmf->address & PMD_MASK);
	const unsigned long end = min(vma->vm_end - 1, vmf->address | ~PMD_MASK);
	const pgoff_t count = shmem->base.size >> PAGE_SHIFT;
	pgoff_t i;

	if ((vmf->address - address) >> PAGE_SHIFT > index)
		address = vmf->address - (index << PAGE_SHIFT);
	i = index - ((vmf->address - address) >> PAGE_SHIFT);
	for (; address <= end && i < count; address += PAGE_SIZE, i++) {
		if (fatal_signal_pending(current))
			return;
		/* What was asked for is there: without memory for more, that is all. */
		if (insert_page(shmem, vmf, address, i) != VM_FAULT_NOPAGE)
			return;
		cond_resched();
	}
}

static vm_fault_t insert_pages(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf,
			       pgoff_t index)
{
	vm_fault_t ret;

	if (insert_huge(shmem, vmf, index))
		return VM_FAULT_NOPAGE;
	ret = insert_page(shmem, vmf, vmf->address, index);
	if (ret == VM_FAULT_NOPAGE)
		insert_around(shmem, vmf, index);
	return ret;
}

static bool can_wait_without_lock(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_ALLOW_RETRY;
}

/*
 * The task is being killed. It must not come here again, as it would after a fault that
 * succeeded, if it was the kernel that touched the page.
 */
static vm_fault_t give_up(struct vm_fault *vmf)
{
	if (!can_wait_without_lock(vmf))
		return VM_FAULT_SIGBUS;
	if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		release_fault_lock(vmf);
	return VM_FAULT_RETRY;
}

static vm_fault_t fault_locked(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf)
{
	/* Not from the address: after a partial munmap the map starts elsewhere. */
	pgoff_t index = vmf->pgoff - drm_vma_node_start(&shmem->base.vma_node);
	int ret;

	if (index >= shmem->base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	ret = gem_sync_populate_locked(shmem);
	if (ret == -EINTR)
		return VM_FAULT_RETRY;
	if (ret)
		return vmf_error(ret);
	return insert_pages(shmem, vmf, index);
}

/* How long a fault that was tried before waits with the lock of the address space. */
#define PATIENCE	(HZ / 20 + 1)

/*
 * Wait for the reservation lock until the task is killed; for less, if the fault allows
 * other signals to end it. The lock has no way to sleep that only a kill ends: with
 * another signal pending it is looked at in every tick. 0 or -EINTR.
 */
static int lock_for_fault(struct dma_resv *resv, unsigned int flags)
{
	const bool may_return = (flags & FAULT_FLAG_USER) && (flags & FAULT_FLAG_INTERRUPTIBLE) &&
				(flags & FAULT_FLAG_ALLOW_RETRY);

	while (dma_resv_lock_interruptible(resv, NULL)) {
		if (may_return || fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_killable(1);
	}
	return 0;
}

/* The lock, if it comes soon. */
static bool lock_soon(struct dma_resv *resv)
{
	const unsigned long end = jiffies + PATIENCE;

	while (!dma_resv_trylock(resv)) {
		if (time_after(jiffies, end) || fatal_signal_pending(current))
			return false;
		schedule_timeout_killable(1);
	}
	return true;
}

/*
 * Wait for the lock, and have the pages brought in, without the lock of the address space.
 * An error is found again, and told, when the fault is tried again.
 */
static vm_fault_t wait_and_retry(struct drm_gem_sync_shmem_object *shmem, struct vm_fault *vmf)
{
	struct drm_gem_object *obj = &shmem->base;
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	/*
	 * From here on the map may go, the object with it, and behind an unplug the device
	 * and the module as well, all of which the file keeps until the task is back in user
	 * space.
	 */
	file = get_file(vmf->vma->vm_file);
	drm_gem_object_get(obj);
	release_fault_lock(vmf);
	if (!lock_for_fault(obj->resv, vmf->flags)) {
		gem_sync_populate_locked(shmem);
		dma_resv_unlock(obj->resv);
	}
	drm_gem_object_put(obj);
	fput(file);
	return VM_FAULT_RETRY;
}

/*
 * Whoever has the reservation lock may be swapping in gigabytes, and so may this fault:
 * both are waited for without the lock of the address space, and the fault is tried again.
 * Then the pages nearly always are there. The lock may be somebody else's again, who takes
 * as long, and so is never waited for but a little.
 */
static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	vm_fault_t ret;

	if (fault_flag_allow_retry_first(vmf->flags)) {
		if (!dma_resv_trylock(obj->resv))
			return wait_and_retry(shmem, vmf);
		if (!shmem->pages && !shmem->unplugged && !shmem->purged) {
			dma_resv_unlock(obj->resv);
			return wait_and_retry(shmem, vmf);
		}
	} else if (can_wait_without_lock(vmf)) {
		if (!lock_soon(obj->resv))
			return wait_and_retry(shmem, vmf);
	} else if (lock_for_fault(obj->resv, vmf->flags)) {
		return give_up(vmf);
	}
	ret = fault_locked(shmem, vmf);
	dma_resv_unlock(obj->resv);
	return ret == VM_FAULT_RETRY ? give_up(vmf) : ret;
}

/* &drm_gem_object_funcs.vm_ops of shmem-backed objects */
const struct vm_operations_struct drm_gem_sync_shmem_vm_ops = {
	.fault = shmem_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_vm_ops);

/*
 * A store to a page that was shown to loads alone. Here nobody may wait without the lock of
 * the address space: where the reservation lock is somebody else's, the page is taken away,
 * and the store is a fault like others.
 */
static vm_fault_t watched_mkwrite(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	pgoff_t index = vmf->pgoff - drm_vma_node_start(&obj->vma_node);

	if (!dma_resv_trylock(obj->resv)) {
		drm_gem_sync_shmem_revoke(shmem, index, 1);
		return VM_FAULT_NOPAGE;
	}
	/* Pages that are gone are in no map any more: then nothing becomes of this. */
	if (shmem->pages)
		shmem->sdev->ops->touched(shmem, index, vmf);
	dma_resv_unlock(obj->resv);
	return 0;
}

static const struct vm_operations_struct watched_vm_ops = {
	.fault = shmem_fault,
	.pfn_mkwrite = watched_mkwrite,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

/**
 * drm_gem_sync_shmem_of_map() - the object that a map of user space shows
 * @vma: the map
 * @address: in the map
 * @index: which page of the object is at @address; it may be behind its end
 *
 * Context: Any, with the map's address space locked, which keeps the object.
 *
 * Return: The object; NULL if the map is none of this helper's.
 */
struct drm_gem_sync_shmem_object *
drm_gem_sync_shmem_of_map(const struct vm_area_struct *vma, unsigned long address, pgoff_t *index)
{
	struct drm_gem_object *obj = vma->vm_private_data;

	if (vma->vm_ops != &drm_gem_sync_shmem_vm_ops && vma->vm_ops != &watched_vm_ops)
		return NULL;
	/* Not from the start of the map, which is another one after a partial munmap. */
	*index = ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff -
		 drm_vma_node_start(&obj->vma_node);
	return to_drm_gem_sync_shmem(obj);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_of_map);

/**
 * drm_gem_sync_get_unmapped_area() - &file_operations.get_unmapped_area of the device's file
 * @filp: the file
 * @addr: address that the user wants, or 0
 * @len: bytes
 * @pgoff: where in the file
 * @flags: MAP_*
 *
 * Places what is large so that pieces of memory that are contiguous and aligned can be
 * mapped by one entry each. Where objects are in the file says nothing about alignment:
 * what counts is the distance to the object's start, with which nearly all maps begin.
 *
 * Return: the address, or a negative errno.
 */
unsigned long drm_gem_sync_get_unmapped_area(struct file *filp, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	return thp_get_unmapped_area(filp, addr, len, 0, flags);
#else
	return mm_get_unmapped_area(current->mm, filp, addr, len, pgoff, flags);
#endif
}
EXPORT_SYMBOL_GPL(drm_gem_sync_get_unmapped_area);

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
	ret = dma_buf_mmap(shmem->dma_buf, vma, 0);
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
 * Pages that are not there, as none of a dma-buf's need be that nobody has used, come when
 * they are touched; for the driver's own maps see drm_gem_sync_shmem_prepare_map(). An
 * imported object that may be mapped is mapped by its exporter, and from then on the map
 * is a map of the dma-buf.
 *
 * Context: Process context with the mmap lock held.
 *
 * Return: 0; the object's own error if it may not be mapped (R16); -EPERM for an
 * imported object of a device that does not map them (R15), or for a file that may
 * not open it (R13); -EINVAL for a private (copy-on-write) map, or a purged object;
 * -ENODEV behind an unplug; an error of the exporter.
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
	if (compat_vma_is_cow(vma))
		return -EINVAL;
	if (shmem->imported)
		return mmap_import(shmem, vma);
	if (READ_ONCE(shmem->unplugged))
		return -ENODEV;
	if (READ_ONCE(shmem->purged))
		return -EINVAL;

	if (is_watched(shmem))
		vma->vm_ops = &watched_vm_ops;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	if (drm_gem_sync_shmem_is_wc(shmem))
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_mmap);
