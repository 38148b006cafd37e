// SPDX-License-Identifier: GPL-2.0-only
/* Sharing of shmem-backed objects: export, import, kernel maps (R11, R13, R15, R16). */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "internal.h"

/**
 * drm_gem_sync_shmem_gem_pin() - &drm_gem_object_funcs.pin
 * @obj: the object, its reservation lock held
 *
 * Attaching pins, so an importer never sees memory from before (R17).
 *
 * Return: 0; an error of the population.
 */
int drm_gem_sync_shmem_gem_pin(struct drm_gem_object *obj)
{
	return gem_sync_pin_locked(to_drm_gem_sync_shmem(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_gem_pin);

/**
 * drm_gem_sync_shmem_gem_unpin() - &drm_gem_object_funcs.unpin
 * @obj: the object, its reservation lock held
 */
void drm_gem_sync_shmem_gem_unpin(struct drm_gem_object *obj)
{
	gem_sync_unpin_locked(to_drm_gem_sync_shmem(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_gem_unpin);

/**
 * drm_gem_sync_shmem_get_sg_table() - &drm_gem_object_funcs.get_sg_table
 * @obj: a pinned object
 *
 * Return: The table, or an ERR_PTR().
 */
struct sg_table *drm_gem_sync_shmem_get_sg_table(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	return drm_prime_pages_to_sg(obj->dev, shmem->pages, obj->size >> PAGE_SHIFT);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_get_sg_table);

/* The pages that a kernel map shows: like a user map's, all of them at once. */
static struct page **kernel_view(struct drm_gem_sync_shmem_object *shmem)
{
	unsigned long i, count = shmem->base.size >> PAGE_SHIFT;
	struct page **view;

	view = kvmalloc_array(count, sizeof(*view), GFP_KERNEL | __GFP_NOWARN);
	if (!view)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		view[i] = gem_sync_view_page(shmem, i);
		if (IS_ERR(view[i])) {
			struct page *error = view[i];

			kvfree(view);
			return ERR_CAST(error);
		}
	}
	return view;
}

static int vmap_view(struct drm_gem_sync_shmem_object *shmem)
{
	pgprot_t prot = PAGE_KERNEL;
	struct page **view;

	view = kernel_view(shmem);
	if (IS_ERR(view))
		return PTR_ERR(view);
	if (drm_gem_sync_shmem_is_wc(shmem))
		prot = pgprot_writecombine(prot);
	shmem->vaddr = vmap(view, shmem->base.size >> PAGE_SHIFT, VM_MAP, prot);
	kvfree(view);
	return shmem->vaddr ? 0 : -ENOMEM;
}

/**
 * drm_gem_sync_shmem_vmap() - &drm_gem_object_funcs.vmap
 * @obj: the object, its reservation lock held
 * @map: set to the kernel's address
 *
 * A kernel map is cached or write-combined as the user's are, and pins the object.
 *
 * The kernel maps an imported object through its dma-buf.
 *
 * Return: 0; the object's own error if it may not be mapped (R16); -EPERM for an
 * imported object; -ENOMEM; an error of the population.
 */
int drm_gem_sync_shmem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	int ret = shmem->imported ? -EPERM : shmem->args.no_mmap;

	dma_resv_assert_held(obj->resv);
	if (ret)
		return ret;
	ret = gem_sync_pin_locked(shmem);
	if (ret)
		return ret;
	if (!shmem->vmaps) {
		ret = vmap_view(shmem);
		if (ret) {
			gem_sync_unpin_locked(shmem);
			return ret;
		}
	}
	shmem->vmaps++;
	iosys_map_set_vaddr(map, shmem->vaddr);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_vmap);

/**
 * drm_gem_sync_shmem_vunmap() - &drm_gem_object_funcs.vunmap
 * @obj: the object, its reservation lock held
 * @map: the map
 */
void drm_gem_sync_shmem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	dma_resv_assert_held(obj->resv);
	if (drm_WARN_ON(obj->dev, !shmem->vmaps))
		return;
	if (!--shmem->vmaps) {
		vunmap(shmem->vaddr);
		shmem->vaddr = NULL;
	}
	gem_sync_unpin_locked(shmem);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_vunmap);

static void shmem_dmabuf_release(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;

	WRITE_ONCE(to_drm_gem_sync_shmem(obj)->exported, false);
	drm_gem_dmabuf_release(dma_buf);
}

/* Of what the CPU maps write-combined: there is nothing to sync. */
static const struct dma_buf_ops wc_dmabuf_ops = {
	COMPAT_CACHE_SGT_MAPPING
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = shmem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/*
 * Of what it maps cached: because the policy lets it out (R14), or because the device is
 * coherent, which an importer's may not be (R13).
 */
static const struct dma_buf_ops cached_dmabuf_ops = {
	.attach = drm_gem_sync_dmabuf_attach,
	.detach = drm_gem_sync_dmabuf_detach,
	.map_dma_buf = drm_gem_sync_dmabuf_map,
	.unmap_dma_buf = drm_gem_sync_dmabuf_unmap,
	.release = shmem_dmabuf_release,
	.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
	.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/**
 * drm_gem_sync_shmem_export() - &drm_gem_object_funcs.export: what the policy lets out
 * @obj: the object
 * @flags: for the dma-buf's file
 *
 * The dma-buf of an object that the CPU maps cached has drm_gem_dmabuf_begin_cpu_access()
 * and drm_gem_dmabuf_end_cpu_access() (R14).
 *
 * Return: The dma-buf; ERR_PTR of -EINVAL for a private object, under any policy, -EPERM
 * for a cached one of a non-coherent device under DRM_GEM_SYNC_STRICT (R13); -ENOMEM.
 */
struct dma_buf *drm_gem_sync_shmem_export(struct drm_gem_object *obj, int flags)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	const struct gs_policy_object policy_obj = gem_sync_policy_object(&shmem->args);
	const struct gs_policy_device policy = gem_sync_policy(shmem->sdev);
	struct dma_buf_export_info info = {
		.exp_name = obj->dev->driver->name,
		.owner = obj->dev->driver->fops->owner,
		.ops = drm_gem_sync_shmem_is_wc(shmem) ? &wc_dmabuf_ops : &cached_dmabuf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};
	struct dma_buf *dma_buf;
	int ret;

	ret = gs_policy_export(&policy, &policy_obj);
	if (ret)
		return ERR_PTR(ret);
	dma_buf = drm_gem_dmabuf_export(obj->dev, &info);
	if (!IS_ERR(dma_buf))
		WRITE_ONCE(shmem->exported, true);
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_export);

/**
 * drm_gem_sync_prime_import() - &drm_driver.gem_prime_import for exports of this helper
 * @drm: the device that imports
 * @dma_buf: what it imports
 *
 * A dma-buf that the device itself exported is the object it was (R11).
 *
 * Return: The object, or an ERR_PTR().
 */
struct drm_gem_object *drm_gem_sync_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if ((dma_buf->ops == &wc_dmabuf_ops || dma_buf->ops == &cached_dmabuf_ops) &&
	    obj->dev == drm) {
		drm_gem_object_get(obj);
		return obj;
	}
	return drm_gem_prime_import(drm, dma_buf);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_prime_import);

/**
 * drm_gem_sync_shmem_init_import() - initialize an object that another exporter backs
 * @sdev: the device
 * @shmem: zeroed memory, embedded in the driver's object
 * @funcs: the driver's table
 * @attach: the attachment, as &drm_driver.gem_prime_import_sg_table gets it
 * @sgt: the memory, mapped for the device
 *
 * For the driver's &drm_driver.gem_prime_import_sg_table. Syncs of the object are
 * refused (R11), and so are CPU maps but with &drm_gem_sync_device.map_imports (R15).
 *
 * Return: 0; -ENOMEM; -ENOSPC; -ENODEV behind an unplug; -EINVAL if less is mapped
 * than the dma-buf's size, and for a table or a device that drm_gem_sync_shmem_init()
 * refuses. On failure nothing is left and the caller frees its memory.
 */
int drm_gem_sync_shmem_init_import(struct drm_gem_sync_device *sdev,
				   struct drm_gem_sync_shmem_object *shmem,
				   const struct drm_gem_sync_funcs *funcs,
				   struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct drm_gem_object *obj = &shmem->base;
	int ret;

	ret = gem_sync_check_device(sdev) ?: gem_sync_check_funcs(sdev->drm, funcs, true);
	if (ret)
		return ret;
	shmem->sdev = sdev;
	shmem->imported = true;
	shmem->dma_buf = attach->dmabuf;
	shmem->sgt = sgt;
	gem_sync_shmem_init(shmem);
	obj->funcs = &funcs->base;
	drm_gem_private_object_init(sdev->drm, obj, PAGE_ALIGN(attach->dmabuf->size));
	/* The DRM core sets these too, but later than an unplug may want them. */
	obj->import_attach = attach;
	obj->resv = attach->dmabuf->resv;
	ret = gem_sync_runs_build(shmem);
	if (ret)
		goto err_fini;
	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = gem_sync_track(shmem);
	if (ret)
		goto err_release;
	return 0;

err_release:
	drm_gem_object_release(obj);
	gem_sync_runs_free(shmem);
	return ret;
err_fini:
	drm_gem_private_object_fini(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_init_import);

COMPAT_IMPORT_NS(DMA_BUF);
