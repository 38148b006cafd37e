// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers do with the helper besides what it is made for: they put a hook of their own
 * around its sync, import what moves, and forget things.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_prime.h>

#include "witness.h"

#define FLUSH	(DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)

/* ---- A hook around the helper's ---- */

static unsigned int syncs;

static int counting_sync(struct drm_gem_object *obj, size_t offset, size_t size,
			 enum drm_gem_object_access_flags access)
{
	syncs++;
	return drm_gem_sync_shmem_sync(obj, offset, size, access);
}

/* The helper's functions but one. */
static struct drm_gem_sync_funcs counting_funcs;

static struct witness_object *counting_object(struct witness *w, struct drm_gem_sync_device *sdev)
{
	struct witness_object *object = NULL;
	int ret;

	counting_funcs = witness_object_funcs;
	counting_funcs.sync = counting_sync;
	ret = witness_create_funcs(w, sdev, SMALL, true, &counting_funcs, &object);
	syncs = 0;
	return witness_ready(w, object, ret);
}

static bool share_it(struct witness *w, struct witness_share *share,
		     struct witness_object *object, bool synced)
{
	if (!object)
		return false;
	*share = (struct witness_share){
		.w = w, .object = object, .synced = synced, .known = true,
	};
	return witness_share(share, drm_gem_sync_shmem_export(&object->base.base, O_RDWR));
}

/* All syncs go through it, and what they do is done. */
static void hook_is_called(struct witness *w)
{
	struct witness_object *object = counting_object(w, &w->hooks);
	struct witness_share share;

	if (!share_it(w, &share, object, true))
		return;
	witness_share_reset(&share);
	EXPECT(w, !drm_gem_sync(&object->base.base, 10, 20, FLUSH), "sync");
	EXPECT(w, syncs == 1, "%u syncs", syncs);
	witness_want(object, 10, 20, GS_SYNC_FLUSH);
	witness_share_verify(&share, "sync");
	EXPECT(w, !dma_buf_end_cpu_access(share.dma_buf, DMA_TO_DEVICE) && syncs > 1, "end");
	witness_want_end(&share);
	witness_share_verify(&share, "end");
	syncs = 0;
	EXPECT(w, !dma_buf_begin_cpu_access(share.dma_buf, DMA_FROM_DEVICE) && syncs, "begin");
	witness_want_begin(&share);
	witness_share_verify(&share, "begin");
	witness_unshare(&share);
}

/* R17: what a coherent device's CPU wrote is published to importers with such a hook too. */
static void hook_and_importers(struct witness *w)
{
	struct witness_object *object = counting_object(w, &w->coherent);
	const u8 *written;
	struct witness_share share;

	if (!share_it(w, &share, object, false))
		return;
	witness_reset(object);
	if (witness_map(&share, 0, 0, DMA_BIDIRECTIONAL)) {
		written = object->content[BY_IMPORTER];
		witness_verify_view(w, share.mappings[0].view, object->want.cpu, SMALL, "mapped",
				    "importer's view");
		witness_importer_writes(&share, 0, written);
		witness_unmap(&share, 0);
		memcpy(object->want.cpu, written, SMALL);
		witness_verify(w, object, "unmapped");
	}
	witness_unshare(&share);
}

/* ---- An exporter that moves its memory ---- */

static struct {
	struct page *page;
	int pins;
	int maps;
} dynamic;

static int dynamic_pin(struct dma_buf_attachment *attach)
{
	dynamic.pins++;
	return 0;
}

static void dynamic_unpin(struct dma_buf_attachment *attach)
{
	dynamic.pins--;
}

static struct sg_table *dynamic_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto err_free;
	sg_set_page(sgt->sgl, dynamic.page, PAGE_SIZE, 0);
	if (dma_map_sgtable(attach->dev, sgt, dir, 0))
		goto err_free_table;
	dynamic.maps++;
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void dynamic_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	dynamic.maps--;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void dynamic_release(struct dma_buf *dma_buf)
{
	__free_page(dynamic.page);
}

static const struct dma_buf_ops dynamic_ops = {
	.pin = dynamic_pin,
	.unpin = dynamic_unpin,
	.map_dma_buf = dynamic_map,
	.unmap_dma_buf = dynamic_unmap,
	.release = dynamic_release,
};

static struct dma_buf *dynamic_export(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dma_buf;

	memset(&dynamic, 0, sizeof(dynamic));
	dynamic.page = alloc_page(GFP_KERNEL);
	if (!dynamic.page)
		return ERR_PTR(-ENOMEM);
	info.ops = &dynamic_ops;
	info.size = PAGE_SIZE;
	info.priv = &dynamic;
	dma_buf = dma_buf_export(&info);
	if (IS_ERR(dma_buf))
		__free_page(dynamic.page);
	return dma_buf;
}

/* A device that can be unplugged, as the case's others must not be. */
static struct drm_gem_sync_device *leaving;

static struct drm_gem_sync_device *device_that_leaves(struct witness *w)
{
	struct drm_gem_sync_device *sdev = drmm_kzalloc(&w->drm, sizeof(*sdev), GFP_KERNEL);

	if (!sdev)
		return NULL;
	sdev->drm = &w->drm;
	return drm_gem_sync_device_init(sdev) ? NULL : sdev;
}

struct drm_gem_object *witness_import_sg_table(struct drm_device *drm,
					       struct dma_buf_attachment *attach,
					       struct sg_table *sgt)
{
	struct witness_object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	int ret;

	if (!object)
		return ERR_PTR(-ENOMEM);
	ret = drm_gem_sync_shmem_init_import(leaving, &object->base, &witness_object_funcs,
					     attach, sgt);
	if (ret) {
		kfree(object);
		return ERR_PTR(ret);
	}
	return &object->base.base;
}

/* R19: with the device goes the attachment, with all that the exporter keeps for it. */
static void check_unplugged_import(struct witness *w, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = drm_gem_prime_import(&w->drm, dma_buf);

	EXPECT(w, !IS_ERR(obj), "no import: %d", PTR_ERR_OR_ZERO(obj));
	if (IS_ERR(obj))
		return;
	EXPECT(w, dynamic.pins == 1 && dynamic.maps == 1, "before: %d pins, %d mappings",
	       dynamic.pins, dynamic.maps);
	drm_gem_sync_device_unplug(leaving);
	EXPECT(w, !dynamic.pins && !dynamic.maps, "behind: %d pins, %d mappings", dynamic.pins,
	       dynamic.maps);
	EXPECT(w, list_empty(&dma_buf->attachments), "the device is attached");
	EXPECT(w, file_count(dma_buf->file) == 2, "%ld references", file_count(dma_buf->file));
	EXPECT(w, drm_gem_sync(obj, 0, 1, FLUSH) == -EINVAL, "it is synced");
	drm_gem_object_put(obj);
	EXPECT(w, file_count(dma_buf->file) == 1, "%ld references", file_count(dma_buf->file));
}

static void unplugged_import(struct witness *w)
{
	struct dma_buf *dma_buf;

	leaving = device_that_leaves(w);
	EXPECT(w, leaving, "no device");
	dma_buf = leaving ? dynamic_export() : ERR_PTR(-ENODEV);
	EXPECT(w, !IS_ERR(dma_buf), "no export");
	if (IS_ERR(dma_buf))
		return;
	check_unplugged_import(w, dma_buf);
	__fput_sync(dma_buf->file);
}

/* ---- What is forgotten ---- */

static void own_print_info(struct drm_printer *p, unsigned int indent,
			   const struct drm_gem_object *obj)
{
}

static int create_with(struct witness *w, struct drm_gem_sync_device *sdev,
		       const struct drm_gem_sync_funcs *funcs)
{
	struct witness_object *object;

	return witness_create_funcs(w, sdev, SMALL, false, funcs, &object);
}

/* A table that the helper would not recognize: its objects would never be synced. */
static void tables(struct witness *w)
{
	static struct drm_gem_sync_funcs funcs;
	struct drm_gem_object obj = { .dev = &w->drm };

	funcs = witness_object_funcs;
	EXPECT(w, !create_with(w, &w->sdev, &funcs), "as it should be");
	funcs.base.print_info = own_print_info;
	EXPECT(w, create_with(w, &w->sdev, &funcs) == -EINVAL, "own print_info");
	funcs = witness_object_funcs;
	funcs.hold = NULL;
	EXPECT(w, create_with(w, &w->sdev, &funcs) == -EINVAL, "release without hold");
	funcs.release = NULL;
	EXPECT(w, create_with(w, &w->sdev, &funcs) == -EINVAL, "sync without hold");
	funcs = witness_object_funcs;
	funcs.shmem = false;
	EXPECT(w, create_with(w, &w->sdev, &funcs) == -EINVAL, "not shmem-backed");

	EXPECT(w, !drm_gem_sync_set_funcs(&obj, &funcs), "other object");
	EXPECT(w, obj.funcs == &funcs.base, "another table");
	obj.funcs = NULL;
	funcs.base.print_info = NULL;
	EXPECT(w, drm_gem_sync_set_funcs(&obj, &funcs) == -EINVAL && !obj.funcs, "no print_info");
	EXPECT(w, drm_gem_sync_set_funcs(&obj, &witness_object_funcs) == -EINVAL, "shmem-backed");
	/* The device of this one is used by other cases, and can be: none was broken. */
	EXPECT(w, !create_with(w, &w->sdev, &witness_object_funcs), "the helper's");
}

static void no_init(struct witness *w)
{
	struct drm_gem_sync_device sdev = { .drm = &w->drm };

	EXPECT(w, create_with(w, &sdev, &witness_object_funcs) == -EINVAL, "no init");
}

/* A device whose driver leaves with an object mapped, which is not a small thing to forget. */
static void no_unplug(struct witness *w)
{
	struct device *dev = w->drm.dev;
	struct drm_gem_sync_device *sdev;
	struct witness_object *object = NULL;
	void *group = devres_open_group(dev, NULL, GFP_KERNEL);
	int ret = -ENOMEM;

	sdev = group ? device_that_leaves(w) : NULL;
	if (sdev)
		ret = witness_create(w, sdev, SMALL, true, &object);
	if (!ret)
		ret = drm_gem_sync_shmem_pin(&object->base);
	EXPECT(w, !ret, "no object: %d", ret);
	if (!ret)
		EXPECT(w, object->base.sgt, "not mapped");
	if (group)
		devres_release_group(dev, group);
	if (ret)
		return;
	EXPECT(w, !object->base.sgt, "mapped when the driver is gone");
	EXPECT(w, drm_gem_sync_shmem_pin(&object->base) == -ENODEV, "and again");
	drm_gem_sync_shmem_unpin(&object->base);
}

const struct witness_case witness_driver_cases[] = {
	{ "R6: a driver's hook around the helper's is called for all syncs", hook_is_called },
	{ "R17: with such a hook importers see what the CPU wrote", hook_and_importers },
	{ "R19: unplugging detaches from an exporter that moves memory", unplugged_import },
	{ "R6: a table that is not known as one is refused", tables },
	{ "R6: a device that was not initialized has no objects", no_init },
	{ "R19: a driver that does not unplug leaves nothing mapped", no_unplug },
	{}
};
