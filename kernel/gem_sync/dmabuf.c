// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU access to exported objects (R14): the hooks, for any object that has a sync hook,
 * and the importers' mappings that these have to know.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "internal.h"

/* One importer's mapping. */
struct mapping {
	struct list_head node;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	bool direct;			/* has no bounce buffer that a write-back would fill */
	bool drops;			/* a sync for the CPU may drop lines */
	bool needs_sync;		/* its device does not snoop, or it has a bounce buffer */
	struct scatterlist *sg;		/* of a walk over all mappings, under the lock: */
	unsigned int done;		/* bytes of @sg that it has behind it */
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
 * Whether the CPU reads and writes the object through its caches without ever syncing it,
 * as its own device snoops them.
 */
static bool is_coherent(const struct drm_gem_object *obj)
{
	const struct drm_gem_sync_shmem_object *shmem = gem_sync_shmem(obj);
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);

	return shmem ? shmem->sdev->coherent : !funcs || !funcs->sync;
}

/* ---- What is done with a mapping ---- */

static void rewind(struct mapping *mapping)
{
	mapping->sg = mapping->sgt->sgl;
	mapping->done = 0;
}

/*
 * The next @size bytes of a mapping for the CPU. Where that drops lines, they are written
 * back first, which needs no other direction than that of the mapping: with the one that
 * only lets the device write, some architectures do it and others cannot.
 */
static void piece_for_cpu(struct device *dev, struct mapping *mapping, size_t size,
			  bool write_back)
{
	while (size && mapping->sg) {
		dma_addr_t addr = sg_dma_address(mapping->sg) + mapping->done;
		size_t bytes = min_t(size_t, size, sg_dma_len(mapping->sg) - mapping->done);

		if (write_back && mapping->direct)
			dma_sync_single_for_device(dev, addr, bytes, mapping->dir);
		dma_sync_single_for_cpu(dev, addr, bytes, mapping->dir);
		size -= bytes;
		mapping->done += bytes;
		if (mapping->done == sg_dma_len(mapping->sg)) {
			mapping->sg = sg_next(mapping->sg);
			mapping->done = 0;
		}
	}
}

/* Asked for each segment: for a whole device the answer is always yes on debug kernels. */
static bool needs_sync(struct device *dev, const struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	}
	return false;
}

/* A device that only reads leaves nothing behind for the CPU. */
static bool is_for_cpu(const struct mapping *mapping)
{
	return mapping->dir != DMA_TO_DEVICE && mapping->needs_sync;
}

/* All of a mapping that goes: what its device wrote is in memory, beside stale lines. */
static void mapping_for_cpu(struct device *dev, struct mapping *mapping, size_t size)
{
	if (!is_for_cpu(mapping))
		return;
	rewind(mapping);
	for (size_t step; size; size -= step) {
		step = min_t(size_t, size, GEM_SYNC_NARROW);
		gem_sync_narrow_begin();
		piece_for_cpu(dev, mapping, step, true);
		gem_sync_narrow_end();
		cond_resched();
	}
}

/*
 * One that only writes needs nothing of what the CPU left, but that must not be written
 * back later, over what the device wrote.
 */
static void mapping_for_device(struct device *dev, const struct mapping *mapping, bool is_clean)
{
	if (mapping->dir != DMA_FROM_DEVICE || !is_clean)
		dma_sync_sgtable_for_device(dev, mapping->sgt, mapping->dir);
}

/*
 * Pages of a coherent device are in the CPU's caches, zeroes that replaced what others
 * had in them too, and drm_gem_map_dma_buf() syncs nothing: an importer that does not
 * snoop would read what was there before (R17).
 */
static void publish(struct dma_buf_attachment *attach, const struct mapping *mapping)
{
	if (is_coherent(attach->dmabuf->priv))
		dma_sync_sgtable_for_device(attach->dev, mapping->sgt, mapping->dir);
}

/* ---- Mappings come and go ---- */

/**
 * drm_gem_sync_dmabuf_map() - &dma_buf_ops.map_dma_buf that keeps track of mappings
 * @attach: the attachment, see drm_gem_sync_dmabuf_attach()
 * @dir: what the importer's device does
 *
 * As drm_gem_map_dma_buf(). Any number of mappings of one attachment may live at once. What
 * the CPU wrote into an object that its own device needs no syncs for is synced for the
 * importer's device (R17).
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
	mapping->sgt = sgt;
	mapping->dir = dir;
	mapping->direct = gem_sync_is_direct(attach->dev, sgt);
	mapping->drops = !gem_sync_is_all_bounced(attach->dev, sgt);
	mapping->needs_sync = needs_sync(attach->dev, sgt);
	publish(attach, mapping);
	list_add_tail(&mapping->node, &own->mappings);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_map);

static struct mapping *find_mapping(struct attachment *own, const struct sg_table *sgt)
{
	struct mapping *mapping;

	list_for_each_entry(mapping, &own->mappings, node)
		if (mapping->sgt == sgt)
			return mapping;
	return NULL;
}

/**
 * drm_gem_sync_dmabuf_unmap() - &dma_buf_ops.unmap_dma_buf that undoes drm_gem_sync_dmabuf_map()
 * @attach: the attachment
 * @sgt: one of its mappings; they may go in any order
 * @dir: as it was mapped
 *
 * What the importer's device wrote into an object that its own device needs no syncs for is
 * synced for the CPU: there need not be any later call that would do that. For the bytes
 * that are lost meanwhile, see drm_gem_dmabuf_begin_cpu_access().
 *
 * Context: Under the reservation lock.
 */
void drm_gem_sync_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct mapping *mapping = find_mapping(attach->priv, sgt);

	if (!drm_WARN_ON(obj->dev, !mapping)) {
		if (is_coherent(obj))
			mapping_for_cpu(attach->dev, mapping, obj->size);
		list_del(&mapping->node);
		kfree(mapping);
	}
	drm_gem_unmap_dma_buf(attach, sgt, dir);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_dmabuf_unmap);

/* ---- The hooks ---- */

/* What a begin or an end works on, under the reservation lock. */
struct share {
	struct dma_buf *dma_buf;
	struct drm_gem_object *obj;
	const struct drm_gem_sync_funcs *funcs;		/* NULL: nothing to call */
	const struct drm_gem_sync_shmem_object *shmem;	/* with lines to maintain, or NULL */
	bool tracked;					/* importers' mappings are known */
};

static struct share share_of(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct share share = {
		.dma_buf = dma_buf,
		.obj = obj,
		.funcs = gem_sync_funcs(obj),
		.shmem = gem_sync_shmem(obj),
		/* Without our bookkeeping &dma_buf_attachment.priv is not ours. */
		.tracked = dma_buf->ops->map_dma_buf == drm_gem_sync_dmabuf_map,
	};

	if (share.shmem && !gem_sync_needs_sync(share.shmem)) {
		share.shmem = NULL;
		share.funcs = NULL;
	}
	if (share.funcs && !share.funcs->sync)
		share.funcs = NULL;
	return share;
}

/* Bring all mappings to their beginning. Returns whether there is one to sync for the CPU. */
static bool rewind_all(const struct share *share)
{
	struct dma_buf_attachment *attach;
	struct mapping *mapping;
	bool any = false;

	if (!share->tracked)
		return false;
	list_for_each_entry(attach, &share->dma_buf->attachments, node) {
		const struct attachment *own = attach->priv;

		list_for_each_entry(mapping, &own->mappings, node) {
			rewind(mapping);
			any |= is_for_cpu(mapping);
		}
	}
	return any;
}

/*
 * The next piece of all mappings, of which there may be many: anybody who opens a device
 * can import. The exporter's lines of it were written back and dropped a moment ago, but
 * the CPU may have stored to them since, or a preemption been between. Behind the first
 * mapping that is only for those whose sync drops lines: what the bounce buffer of one has
 * brought is no business of the next one's.
 */
static void pieces_for_cpu(const struct share *share, size_t offset, size_t size)
{
	struct dma_buf_attachment *attach;
	struct mapping *mapping;
	bool first = true;

	list_for_each_entry(attach, &share->dma_buf->attachments, node) {
		const struct attachment *own = attach->priv;

		list_for_each_entry(mapping, &own->mappings, node) {
			if (!is_for_cpu(mapping))
				continue;
			gem_sync_narrow_begin();
			if (share->shmem && (first || mapping->drops))
				gem_sync_runs_walk(share->shmem, offset, size, GS_SYNC_FLUSH);
			first = false;
			piece_for_cpu(attach->dev, mapping, size, !share->shmem);
			gem_sync_narrow_end();
		}
		cond_resched();
	}
}

/*
 * All of the object for the CPU, in pieces that are short enough for what others store
 * meanwhile. Returns 0; -EINTR for a signal that kills: others wait for the lock; an
 * errno of the hook.
 */
static int share_for_cpu(const struct share *share, enum drm_gem_object_access_flags access)
{
	bool mapped = rewind_all(share);
	size_t offset, size;
	int ret;

	if (!share->funcs && !mapped)
		return 0;
	for (offset = 0; offset < share->obj->size; offset += size) {
		size = min_t(size_t, share->obj->size - offset, GEM_SYNC_NARROW);
		if (fatal_signal_pending(current))
			return -EINTR;
		/* The unplug waits for the lock, and does itself what has to be done. */
		if (share->shmem && READ_ONCE(share->shmem->sdev->unplugged))
			return -ENODEV;
		ret = share->funcs ? share->funcs->sync(share->obj, offset, size, access) : 0;
		if (ret)
			return ret;
		if (mapped)
			pieces_for_cpu(share, offset, size);
		cond_resched();
	}
	return 0;
}

/* As share_for_cpu(), in one piece: nothing is lost by writing back. */
static int share_for_device(const struct share *share)
{
	struct dma_buf_attachment *attach;
	struct mapping *mapping;
	int ret = 0;

	if (share->funcs)
		ret = share->funcs->sync(share->obj, 0, share->obj->size,
					 DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS);
	if (ret || !share->tracked)
		return ret;
	list_for_each_entry(attach, &share->dma_buf->attachments, node) {
		const struct attachment *own = attach->priv;

		list_for_each_entry(mapping, &own->mappings, node) {
			if (fatal_signal_pending(current))
				return -EINTR;
			mapping_for_device(attach->dev, mapping, share->funcs);
			cond_resched();
		}
	}
	return 0;
}

/*
 * Where caches go by virtual addresses, the kernel's own map of an object has lines that
 * no sync of the DMA API knows.
 */
static void for_kernel_map(const struct drm_gem_object *obj, void (*op)(void *vaddr, int size))
{
	const struct drm_gem_sync_shmem_object *shmem = gem_sync_shmem(obj);
	size_t offset, size;

	if (!shmem || !shmem->vaddr || drm_gem_sync_shmem_is_wc(shmem))
		return;
	for (offset = 0; offset < obj->size; offset += size) {
		size = min_t(size_t, obj->size - offset, SZ_1G);
		op(shmem->vaddr + offset, size);
	}
}

static void invalidate_map(void *vaddr, int size)
{
	invalidate_kernel_vmap_range(vaddr, size);
}

static void flush_map(void *vaddr, int size)
{
	flush_kernel_vmap_range(vaddr, size);
}

/*
 * Wait for the fences that are there now. Others may come all the time, and each of them
 * would have to be waited for if the end had to find none.
 */
static int wait_for_fences(struct dma_resv *resv, enum dma_resv_usage usage)
{
	struct dma_fence **fences;
	unsigned int i, count;
	long ret;

	ret = dma_resv_get_fences(resv, usage, &count, &fences);
	for (i = 0; i < count && !ret; i++)
		ret = dma_fence_wait(fences[i], true);
	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
	return ret;
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
 * Waits for the fences that conflict and are there when it is called. Then it goes through
 * the object in pieces of 512 bytes: it writes back and drops the lines of each through
 * the exporter's own mapping, with &drm_gem_sync_funcs.sync, and then syncs the piece for
 * the CPU in every mapping of importers, in the mapping's own direction. So the CPU reads
 * what the devices wrote, and what it wrote itself elsewhere in the object and has not
 * flushed is not lost (R14). Importers' mappings are known if the dma-buf uses
 * drm_gem_sync_dmabuf_map() and its relatives. May be called without an end, and more than
 * once.
 *
 * What CPU threads store while it is under way may be lost: the DMA API has no call that
 * writes a line back and drops it in one go, so a store to a line between the two is
 * dropped with it. Of shmem-backed objects the two calls are made for a piece at a time,
 * without preemption, and of importers' mappings as well; so a store is lost if it falls
 * into the time that 512 bytes take, for each mapping that is not coherent. An interrupt
 * makes that longer, on a real-time kernel a preemption too. Threads that share an object
 * must not store to it during a begin.
 *
 * Where only importers' devices do not snoop, it is their mappings through which lines are
 * written back before they are dropped. That cannot be done through a mapping whose device
 * has DMA operations of its own, nor on some architectures (arm) through one that lets the
 * device only write: there all that the CPU stored and that has not reached memory by itself is
 * lost. A bounce buffer of an importer is copied over the object as it is.
 *
 * dma_buf_begin_cpu_access() itself waits for fences again when this has returned, also for
 * those that came meanwhile, and a signal that comes then has all of it done once more.
 *
 * CONFIG_DMA_API_DEBUG cannot tell to which mapping a piece belongs, and complains, where
 * one device has the object mapped twice at the same DMA addresses.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0; -EINVAL for another @dir; -ENOMEM; -ERESTARTSYS if a signal came while it
 * waited for fences, which has to be called again; -EINTR for one that kills the task;
 * -ENODEV if the exporting device goes meanwhile; another errno of the hook.
 */
int drm_gem_dmabuf_begin_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct share share;
	int ret;

	if (!valid_dma_direction(dir) || dir == DMA_NONE)
		return -EINVAL;
	ret = wait_for_fences(dma_buf->resv, dma_resv_usage_rw(cpu_writes(dir)));
	if (ret)
		return ret;
	ret = gem_sync_lock(dma_buf->resv);
	if (ret)
		return ret;
	share = share_of(dma_buf);
	ret = share_for_cpu(&share, DRM_GEM_OBJECT_CPU_ACCESS | access_types(dir));
	for_kernel_map(share.obj, invalidate_map);
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
 * direction. Without such a mapping of the exporter's, as its device snoops, that is also
 * done where the importer's device only writes: what the CPU wrote would be written back
 * later, over what the device did. May be called without a begin, and more than once.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0; -EINVAL for another @dir; -EINTR for a signal that kills the task; another
 * errno of the hook.
 */
int drm_gem_dmabuf_end_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct share share;
	int ret;

	if (!valid_dma_direction(dir) || dir == DMA_NONE)
		return -EINVAL;
	if (!cpu_writes(dir))
		return 0;
	ret = gem_sync_lock(dma_buf->resv);
	if (ret)
		return ret;
	share = share_of(dma_buf);
	for_kernel_map(share.obj, flush_map);
	ret = share_for_device(&share);
	dma_resv_unlock(dma_buf->resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_dmabuf_end_cpu_access);
