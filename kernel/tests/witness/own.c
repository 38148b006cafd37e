// SPDX-License-Identifier: GPL-2.0-only
/*
 * An object that is not shmem-backed: the helper knows nothing of it but a sync hook that
 * does for itself what the helper does for others.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "witness.h"

#define to_object(obj) container_of(to_drm_gem_sync_shmem(obj), struct witness_object, base)

/* Contiguous memory that swiotlb can map in one piece. */
static struct page *pages_of(const struct witness_object *object)
{
	return sg_page(object->sgt->sgl);
}

static int own_sync(struct drm_gem_object *obj, size_t offset, size_t size,
		    enum drm_gem_object_access_flags access)
{
	dma_addr_t addr = sg_dma_address(to_object(obj)->sgt->sgl) + offset;
	struct device *dev = obj->dev->dev;

	dma_sync_single_for_device(dev, addr, size, DMA_TO_DEVICE);
	if (!(access & DRM_GEM_OBJECT_DEV_ACCESS))
		dma_sync_single_for_cpu(dev, addr, size, DMA_FROM_DEVICE);
	return 0;
}

static int own_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, page_address(pages_of(to_object(obj))));
	return 0;
}

/* A table of the pages, in one piece. */
static struct sg_table *make_table(struct page *pages, size_t size)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	sg_set_page(sgt->sgl, pages, size, 0);
	return sgt;
}

static void free_table(struct sg_table *sgt)
{
	sg_free_table(sgt);
	kfree(sgt);
}

/* For an importer. */
static struct sg_table *own_sg_table(struct drm_gem_object *obj)
{
	return make_table(pages_of(to_object(obj)), obj->size);
}

static void own_free(struct drm_gem_object *obj)
{
	struct witness_object *object = to_object(obj);

	dma_unmap_sgtable(obj->dev->dev, object->sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	__free_pages(pages_of(object), get_order(obj->size));
	free_table(object->sgt);
	drm_gem_object_release(obj);
	witness_free_views(object);
	kfree(object);
}

static const struct drm_gem_sync_funcs own_funcs = {
	.base = {
		.free = own_free,
		.get_sg_table = own_sg_table,
		.vmap = own_vmap,
		.print_info = drm_gem_sync_print_info,
	},
	.sync = own_sync,
};

static int map_pages(struct witness_object *object, struct device *dev, struct page *pages,
		     size_t size)
{
	int ret;

	object->sgt = make_table(pages, size);
	if (IS_ERR(object->sgt))
		return PTR_ERR(object->sgt);
	ret = dma_map_sgtable(dev, object->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		free_table(object->sgt);
	return ret;
}

static int own_create(struct witness *w, u64 size, struct witness_object **out)
{
	struct witness_object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	struct page *pages = alloc_pages(GFP_KERNEL, get_order(size));
	int ret = -ENOMEM;

	if (object && pages)
		ret = map_pages(object, w->drm.dev, pages, size);
	if (ret) {
		if (pages)
			__free_pages(pages, get_order(size));
		kfree(object);
		return ret;
	}
	drm_gem_private_object_init(&w->drm, &object->base.base, size);
	drm_gem_sync_set_funcs(&object->base.base, &own_funcs);
	list_add_tail(&object->node, &w->objects);
	*out = object;
	return 0;
}

struct witness_object *witness_own_object(struct witness *w, u64 size)
{
	struct witness_object *object = NULL;
	int ret = own_create(w, size, &object);

	return witness_ready(w, object, ret);
}

/* ---- Its dma-buf ---- */

static const struct dma_buf_ops known_ops = {
	.attach = drm_gem_sync_dmabuf_attach,
	.detach = drm_gem_sync_dmabuf_detach,
	.map_dma_buf = drm_gem_sync_dmabuf_map,
	.unmap_dma_buf = drm_gem_sync_dmabuf_unmap,
	.release = drm_gem_dmabuf_release,
	.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
	.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
};

static const struct dma_buf_ops unknown_ops = {
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
	.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
};

struct dma_buf *witness_own_export(struct witness_object *object, bool known)
{
	struct drm_gem_object *obj = &object->base.base;
	struct dma_buf_export_info info = {
		.exp_name = "gem-sync-witness",
		.owner = THIS_MODULE,
		.ops = known ? &known_ops : &unknown_ops,
		.size = obj->size,
		.priv = obj,
		.resv = obj->resv,
	};

	return drm_gem_dmabuf_export(obj->dev, &info);
}

COMPAT_IMPORT_NS(DMA_BUF);
