// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU access to exported objects (R14): the hooks, for any object that has a sync hook,
 * and the importers' mappings that these have to know.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_prime.h>

#include "internal.h"

/* One importer's mapping. */
struct mapping {
	struct list_head node;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

/* &dma_buf_attachment.priv: its mappings, under the reservation lock. */
struct attachment {
	struct list_head mappings;
};

/**
 * drm_gem_sync_dmabuf_attach() - &dma_buf_ops.attach that goes with drm_gem_sync_dmabuf_map()
 * @dma_buf: of a GEM object
 * @attach: the attachment
 *
 * As drm_gem_map_attach(); &dma_buf_attachment.priv is the helper's.
 *
 * Return: 0; -ENOMEM; an error of the object's pin.
 */
int drm_gem_sync_dmabuf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct attachment *own = kmalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!own)
		return -ENOMEM;
	INIT_LIST_HEAD(&own->mappings);
	ret = drm_gem_map_attach(dma_buf, attach);
	if (ret) {
		kfree(own);
		return ret;
	}
	attach->priv = own;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_attach);

/**
 * drm_gem_sync_dmabuf_detach() - &dma_buf_ops.detach that undoes drm_gem_sync_dmabuf_attach()
 * @dma_buf: of a GEM object
 * @attach: the attachment, without mappings
 */
void drm_gem_sync_dmabuf_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct attachment *own = attach->priv;
	struct drm_gem_object *obj = dma_buf->priv;

	drm_WARN_ON(obj->dev, !list_empty(&own->mappings));
	drm_gem_map_detach(dma_buf, attach);
	kfree(own);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_detach);

/*
 * Pages of a coherent device are in the CPU's caches, zeroes that replaced what others
 * had in them too, and drm_gem_map_dma_buf() syncs nothing: an importer that does not
 * snoop would read what was there before (R17).
 */
static void publish(struct dma_buf_attachment *attach, struct sg_table *sgt,
		    enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);

	if (funcs && funcs->sync == drm_gem_sync_shmem_sync &&
	    to_drm_gem_sync_shmem(obj)->sdev->coherent)
		dma_sync_sgtable_for_device(attach->dev, sgt, dir);
}

/**
 * drm_gem_sync_dmabuf_map() - &dma_buf_ops.map_dma_buf that keeps track of mappings
 * @attach: the attachment, see drm_gem_sync_dmabuf_attach()
 * @dir: what the importer's device does
 *
 * As drm_gem_map_dma_buf(). Any number of mappings of one attachment may live at once.
 *
 * Context: Under the reservation lock.
 *
 * Return: the mapped table; an ERR_PTR() of -ENOMEM, or of what
 * drm_gem_map_dma_buf() returned.
 */
struct sg_table *drm_gem_sync_dmabuf_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct mapping *mapping = kmalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	struct attachment *own = attach->priv;
	struct sg_table *sgt;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	sgt = drm_gem_map_dma_buf(attach, dir);
	if (IS_ERR(sgt)) {
		kfree(mapping);
		return sgt;
	}
	publish(attach, sgt, dir);
	mapping->sgt = sgt;
	mapping->dir = dir;
	list_add_tail(&mapping->node, &own->mappings);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_map);

static void forget_mapping(struct attachment *own, const struct sg_table *sgt)
{
	struct mapping *mapping;

	list_for_each_entry(mapping, &own->mappings, node) {
		if (mapping->sgt != sgt)
			continue;
		list_del(&mapping->node);
		kfree(mapping);
		return;
	}
}

/**
 * drm_gem_sync_dmabuf_unmap() - &dma_buf_ops.unmap_dma_buf that undoes drm_gem_sync_dmabuf_map()
 * @attach: the attachment
 * @sgt: one of its mappings; they may go in any order
 * @dir: as it was mapped
 *
 * Context: Under the reservation lock.
 */
void drm_gem_sync_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	forget_mapping(attach->priv, sgt);
	drm_gem_unmap_dma_buf(attach, sgt, dir);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_unmap);

/* A device that only reads leaves nothing behind for the CPU. */
static void mapping_for_cpu(struct device *dev, const struct mapping *mapping)
{
	if (mapping->dir != DMA_TO_DEVICE)
		dma_sync_sgtable_for_cpu(dev, mapping->sgt, mapping->dir);
}

/* One that only writes needs nothing of what the CPU left; the cache is clean by now. */
static void mapping_for_device(struct device *dev, const struct mapping *mapping)
{
	if (mapping->dir != DMA_FROM_DEVICE)
		dma_sync_sgtable_for_device(dev, mapping->sgt, mapping->dir);
}

typedef void (*mapping_sync)(struct device *dev, const struct mapping *mapping);

/*
 * Under the reservation lock, which keeps attachments and mappings. Returns 0; -EINTR if
 * a fatal signal came: others wait for the lock.
 */
static int sync_mappings(struct dma_buf *dma_buf, mapping_sync sync)
{
	struct dma_buf_attachment *attach;
	struct mapping *mapping;

	/* Without our bookkeeping @priv is not ours. */
	if (dma_buf->ops->map_dma_buf != drm_gem_sync_dmabuf_map)
		return 0;
	list_for_each_entry(attach, &dma_buf->attachments, node) {
		const struct attachment *own = attach->priv;

		list_for_each_entry(mapping, &own->mappings, node) {
			if (fatal_signal_pending(current))
				return -EINTR;
			sync(attach->dev, mapping);
			cond_resched();
		}
	}
	return 0;
}

/* All of the object, through the exporter's own mapping. */
static int sync_object(struct drm_gem_object *obj, enum drm_gem_object_access_flags access)
{
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);

	if (!funcs)
		return 0;
	if (funcs->sync_locked)
		return funcs->sync_locked(obj, 0, obj->size, access);
	return funcs->sync ? funcs->sync(obj, 0, obj->size, access) : 0;
}

/*
 * Take the reservation lock with the conflicting fences signalled: they are waited for
 * without it, as others need it for what signals them.
 */
static int lock_unfenced(struct dma_resv *resv, enum dma_resv_usage usage)
{
	long ret;

	for (;;) {
		ret = dma_resv_wait_timeout(resv, usage, true, MAX_SCHEDULE_TIMEOUT);
		if (ret < 0)
			return ret;
		ret = dma_resv_lock_interruptible(resv, NULL);
		if (ret)
			return ret;
		if (dma_resv_test_signaled(resv, usage))
			return 0;
		dma_resv_unlock(resv);
	}
}

static bool cpu_writes(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL;
}

static enum drm_gem_object_access_flags access_types(enum dma_data_direction dir)
{
	if (dir == DMA_BIDIRECTIONAL)
		return DRM_GEM_OBJECT_RW_ACCESS;
	return cpu_writes(dir) ? DRM_GEM_OBJECT_WRITE_ACCESS : DRM_GEM_OBJECT_READ_ACCESS;
}

/**
 * drm_gem_dmabuf_begin_cpu_access() - &dma_buf_ops.begin_cpu_access of any GEM object
 * @dma_buf: of a GEM object, with a sync hook or without
 * @dir: DMA_FROM_DEVICE if the CPU reads, DMA_TO_DEVICE if it writes, or both
 *
 * Waits for the fences that conflict, then writes back and drops the object's lines
 * through the exporter's own mapping, and then syncs every mapping of importers for the
 * CPU, in the mapping's own direction: nothing that the CPU wrote elsewhere in the
 * object is lost, and it reads what the devices wrote (R14). Importers' mappings are
 * known if the dma-buf uses drm_gem_sync_dmabuf_map() and its relatives. May be called
 * without an end, and more than once.
 *
 * On a coherent device, which has no lines to write back, a non-coherent importer's
 * sync drops what the CPU has not finished to write.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0; -EINVAL for another @dir; -ERESTARTSYS or -EINTR if a signal came (call
 * again); another errno of the hook.
 */
int drm_gem_dmabuf_begin_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct drm_gem_object *obj = dma_buf->priv;
	int ret;

	if (!valid_dma_direction(dir) || dir == DMA_NONE)
		return -EINVAL;
	ret = lock_unfenced(dma_buf->resv, dma_resv_usage_rw(cpu_writes(dir)));
	if (ret)
		return ret;
	ret = sync_object(obj, DRM_GEM_OBJECT_CPU_ACCESS | access_types(dir));
	if (!ret)
		ret = sync_mappings(dma_buf, mapping_for_cpu);
	dma_resv_unlock(dma_buf->resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_dmabuf_begin_cpu_access);

/**
 * drm_gem_dmabuf_end_cpu_access() - &dma_buf_ops.end_cpu_access of any GEM object
 * @dma_buf: of a GEM object, with a sync hook or without
 * @dir: what the CPU did, as in drm_gem_dmabuf_begin_cpu_access()
 *
 * If the CPU wrote, writes back the object's lines through the exporter's own mapping,
 * and then syncs every mapping of importers for its device, in the mapping's own
 * direction. May be called without a begin, and more than once.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0; -EINVAL for another @dir; -EINTR if a signal came (call again); another
 * errno of the hook.
 */
int drm_gem_dmabuf_end_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct drm_gem_object *obj = dma_buf->priv;
	int ret;

	if (!valid_dma_direction(dir) || dir == DMA_NONE)
		return -EINVAL;
	if (!cpu_writes(dir))
		return 0;
	ret = dma_resv_lock_interruptible(dma_buf->resv, NULL);
	if (ret)
		return ret;
	ret = sync_object(obj, DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS);
	if (!ret)
		ret = sync_mappings(dma_buf, mapping_for_device);
	dma_resv_unlock(dma_buf->resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_dmabuf_end_cpu_access);
