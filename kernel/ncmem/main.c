// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "internal.h"

/**
 * DOC: overview
 *
 * A virtual device in a VM shares the host's coherent memory, so a forgotten
 * cache flush never shows. This module makes the memory of such a device
 * non-coherent: every page of an object is what the device and write-combined
 * CPU maps see, and cached CPU maps see another page, the cache, from which
 * lines move only when the DMA API says so. The model of the lines is
 * core/line.h.
 *
 * It replaces the device's DMA operations. Mapping and syncing for the device
 * write lines back; syncing for the CPU, and unmapping, drop them unless the
 * device could only read. Exact line counts are in the sysfs directory `ncmem`
 * of the device: `lines_cleaned`, `lines_dropped`; with `line_size` and `mode`.
 * The directory tells user space that cache instructions of the CPU move nothing
 * here: only the kernel can synchronize, unless `user_ops` says that they are trapped.
 * Counters tell any user what others sync, and
 * when: `public_counters=0` keeps them to those who may monitor performance.
 *
 * What goes wrong with data, or nearly does, is reported (core/violation.h). Rows of
 * bytes become records (core/record.h): counted in the sysfs directory, and kept in the
 * debugfs file `ncmem_violations`. When a record is complete it is the trace event
 * `ncmem:ncmem_violation`. A driver that says what the device works at, with
 * ncmem_job_begin() and its relatives, has that in the records.
 *
 * A virtual driver puts it under its objects like this::
 *
 *	nc = ncmem_create(dev, &(struct ncmem_params){ .line_size = 64 });
 *
 *	when pages were allocated, before dma_map_sgtable():
 *		set = ncmem_pages_add(nc, pages, count, &bo->owner);
 *	for the fault handler of a cached map:
 *		page = ncmem_cpu_page(set, index);
 *		shown = ncmem_cpu_touch(set, index, touch);
 *	when the device accesses memory:
 *		ncmem_dev_write(nc, dma_address, data, size);
 *	after dma_unmap_sgtable(), before the pages are put:
 *		ncmem_pages_remove(set);
 *
 *	when the device goes, after its last dma_unmap_sgtable():
 *		ncmem_detach(nc);
 *		ncmem_put(nc);
 *
 * In lazy mode lines move when maintenance moves them and never on their own, so
 * what is stale stays stale. Whoever zeroed a page, or read it from disk, did so through
 * the cache, and writing its lines back left them there: a cached view that is made later
 * shows them, until they are dropped. (A device's write while there is no view leaves the
 * cache what memory held before, if there is memory for it at once.) In kind mode no line
 * is in the cache before a view is there. In chaos mode random dirty lines are written back
 * and random clean lines refilled at every device access, and every few milliseconds;
 * a seed makes the former reproducible as long as one thread uses the device. In
 * coherent mode there is no cache, and nothing is maintained.
 */

struct ncmem_totals ncmem_totals;

static DEFINE_SPINLOCK(attached_lock);
static LIST_HEAD(attached);

struct ncmem *ncmem_of(struct device *dev)
{
	struct ncmem *nc;

	spin_lock(&attached_lock);
	list_for_each_entry(nc, &attached, node) {
		if (nc->dev == dev)
			break;
	}
	spin_unlock(&attached_lock);
	return nc;
}

static void set_attached(struct ncmem *nc, bool is_attached)
{
	spin_lock(&attached_lock);
	if (is_attached)
		list_add(&nc->node, &attached);
	else
		list_del(&nc->node);
	spin_unlock(&attached_lock);
}

static bool public_counters = true;
module_param(public_counters, bool, 0644);
MODULE_PARM_DESC(public_counters,
		 "Everybody may read the counters, which tell what others do; else who may monitor performance (default Y)");

bool ncmem_may_read_counters(void)
{
	return READ_ONCE(public_counters) || perfmon_capable();
}

static int totals_get(char *buffer, const struct kernel_param *param)
{
	if (!ncmem_may_read_counters())
		return -EPERM;
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(param->arg));
}

static const struct kernel_param_ops totals_ops = { .get = totals_get };

module_param_cb(pages, &totals_ops, &ncmem_totals.pages, 0444);
MODULE_PARM_DESC(pages, "pages under emulation (read only)");
module_param_cb(shadows, &totals_ops, &ncmem_totals.shadows, 0444);
MODULE_PARM_DESC(shadows, "pages that have a cache copy (read only)");
module_param_cb(maps, &totals_ops, &ncmem_totals.maps, 0444);
MODULE_PARM_DESC(maps, "DMA mappings (read only)");

/**
 * ncmem_create() - make a device's memory non-coherent
 * @dev: a virtual device that nothing was mapped for yet
 * @params: copied
 *
 * Replaces the DMA operations of @dev and adds the sysfs directory. Call it
 * before dma_set_mask_and_coherent().
 *
 * Context: Process context, may sleep.
 *
 * Return: The emulation; ERR_PTR of -EINVAL for a line size that is not 32, 64 or
 * 128, an unknown mode, or @params->dma_bits out of range; -EOPNOTSUPP if the kernel
 * has no replaceable DMA operations (CONFIG_ARCH_HAS_DMA_OPS); -ENOMEM.
 */
struct ncmem *ncmem_create(struct device *dev, const struct ncmem_params *params)
{
	struct ncmem *nc;
	int ret;

	if (!gs_line_size_valid(params->line_size) || params->line_size < NCMEM_LINE_MIN ||
	    params->line_size > NCMEM_LINE_MAX || params->mode > NCMEM_KIND)
		return ERR_PTR(-EINVAL);
	if (params->dma_bits && (params->dma_bits < NCMEM_DMA_BITS_MIN || params->dma_bits > 64))
		return ERR_PTR(-EINVAL);
	nc = kvzalloc(sizeof(*nc), GFP_KERNEL);
	if (!nc)
		return ERR_PTR(-ENOMEM);
	kref_init(&nc->ref);
	nc->dev = dev;
	nc->params = *params;
	/* Looked up without a lock, while others map and unmap. */
	mt_init_flags(&nc->maps, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	ret = ncmem_reports_init(nc);
	if (ret)
		goto err_free;
	ncmem_chaos_init(nc);
	if (params->identity)
		ncmem_identity_ops_init(&nc->ops);
	else
		ncmem_dma_ops_init(&nc->ops);
	set_dma_ops(dev, &nc->ops);
	if (get_dma_ops(dev) != &nc->ops) {
		ret = -EOPNOTSUPP;
		goto err_chaos;
	}
	set_attached(nc, true);
	ret = sysfs_create_group(&dev->kobj, &ncmem_group);
	if (ret)
		goto err_ops;
	return nc;

err_ops:
	set_attached(nc, false);
	set_dma_ops(dev, NULL);
err_chaos:
	ncmem_chaos_stop(nc);
	ncmem_chaos_fini(nc);
	ncmem_reports_fini(nc);
err_free:
	kvfree(nc);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ncmem_create);

/**
 * ncmem_reattach() - replace a device's DMA operations again
 * @nc: the emulation of the device, which is not detached
 *
 * For a device that drivers come to and go from: binding and unbinding set the device's
 * operations back.
 *
 * Context: Any context, with the device locked.
 */
void ncmem_reattach(struct ncmem *nc)
{
	set_dma_ops(nc->dev, &nc->ops);
}
EXPORT_SYMBOL_GPL(ncmem_reattach);

/**
 * ncmem_detach() - give a device its own DMA operations back
 * @nc: the emulation; no mapping of the device is left, and none will be made
 *
 * Sets of pages stay usable for CPU views until their removal.
 *
 * Context: Process context, may sleep.
 */
void ncmem_detach(struct ncmem *nc)
{
	sysfs_remove_group(&nc->dev->kobj, &ncmem_group);
	set_attached(nc, false);
	ncmem_free_ranges(nc, GFP_KERNEL);
	WARN_ON(!mtree_empty(&nc->maps));
	set_dma_ops(nc->dev, NULL);
	ncmem_chaos_stop(nc);
}
EXPORT_SYMBOL_GPL(ncmem_detach);

static void ncmem_release(struct kref *ref)
{
	struct ncmem *nc = container_of(ref, struct ncmem, ref);

	mtree_destroy(&nc->maps);
	ncmem_chaos_fini(nc);
	ncmem_reports_fini(nc);
	kvfree(nc);
}

/**
 * ncmem_put() - drop the creator's reference
 * @nc: the emulation, detached
 *
 * It lives until the last set of pages is removed.
 *
 * Context: Process context, may sleep.
 */
void ncmem_put(struct ncmem *nc)
{
	kref_put(&nc->ref, ncmem_release);
}
EXPORT_SYMBOL_GPL(ncmem_put);

static int __init ncmem_module_init(void)
{
	return ncmem_user_ops_init();
}

static void __exit ncmem_module_exit(void)
{
	ncmem_user_ops_exit();
	WARN_ON(atomic_long_read(&ncmem_totals.pages));
	WARN_ON(atomic_long_read(&ncmem_totals.shadows));
	WARN_ON(atomic_long_read(&ncmem_totals.maps));
}

module_init(ncmem_module_init);
module_exit(ncmem_module_exit);

MODULE_DESCRIPTION("Emulated non-coherent memory for virtual devices");
MODULE_LICENSE("GPL");
