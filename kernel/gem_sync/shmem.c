// SPDX-License-Identifier: GPL-2.0-only
/* shmem-backed objects: creation, population, pins and holds, and their sync hook. */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "internal.h"
#include "trace.h"

/**
 * DOC: life of an object
 *
 * The reservation lock protects the state of a shmem-backed object, which its pages and
 * some counts make up:
 *
 * ========= ======================= ============================ ==========================
 * State     What makes it           Who relies on it             What comes next
 * ========= ======================= ============================ ==========================
 * empty     no @pages               nobody; syncs do nothing     populated, by the first who
 *                                                                needs pages; unplugged; freed
 * populated @pages, @sgt, @runs     CPU maps, which eviction     pinned; held; evicted, which
 *                                   and purge revoke; jobs, by   is empty with the content in
 *                                   their fences                 swap; purged; unplugged; freed
 * pinned    populated, @pins        importers, kernel maps,      populated, by the last unpin;
 *                                   drivers: the pages stay      unplugged
 * held      populated, @holds       a sync that walks @runs      as it was, by the last
 *                                   without the lock             release, without the lock
 * purged    @purged, no @pages      nobody: maps are SIGBUS, who unplugged; freed
 *                                   needs pages gets -EINVAL
 * unplugged @unplugged, no @sgt;    importers, by their pins     empty of pages when the last
 *           @pages while pinned                                  pin goes; freed
 * imported  @imported, @sgt, no     the exporter keeps the pages unplugged: detached from the
 *           @pages                                               exporter; freed
 * ========= ======================= ============================ ==========================
 *
 * Evicted and purged are only objects that are neither pinned nor held, whose fences have
 * all signalled, by who gets the lock without waiting; purged those alone that are
 * @unneeded and not @exported. An unplug waits for the holds. Freed is an object when
 * nobody knows it any more, and so without the lock.
 */

/*
 * A populated object is whole and in memory, so a larger one is of no use. That
 * also keeps the allocation of its table of pages from a warning.
 */
static bool fits_memory(u64 size)
{
	u64 pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);

	return pages <= totalram_pages() && pages <= INT_MAX / sizeof(struct page *);
}

/**
 * drm_gem_sync_shmem_init() - initialize an object
 * @sdev: the device
 * @shmem: zeroed memory, embedded in the driver's object
 * @funcs: the driver's table, see DRM_GEM_SYNC_SHMEM_FUNCS()
 * @size: bytes, rounded up to whole pages
 * @args: caching and sharing, fixed from now on (R12, R13)
 *
 * No pages are allocated. On success the object is released by its last
 * drm_gem_object_put(); on failure nothing is left and the caller frees its
 * memory.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL for a @size of 0 or one that cannot be an object's, for a table that
 * is not one of shmem-backed objects or a device without drm_gem_sync_device_init() (which
 * the log tells the driver's author), or for a
 * cached object that is not private where the device needs it to be; -EOPNOTSUPP for
 * a cached object of a non-coherent device that can bounce (R21), or for one that would
 * be mapped write-combined, where the CPU has no such maps (R12); -ENOMEM, also if it
 * is larger than the machine's memory;
 * -ENOSPC if there is no room for its mmap offset or its file; -ENODEV behind an unplug.
 */
int drm_gem_sync_shmem_init(struct drm_gem_sync_device *sdev,
			    struct drm_gem_sync_shmem_object *shmem,
			    const struct drm_gem_sync_funcs *funcs, u64 size,
			    const struct drm_gem_sync_shmem_args *args)
{
	const struct gs_policy_object policy_obj = gem_sync_policy_object(args);
	const struct gs_policy_device policy = gem_sync_policy(sdev);
	struct drm_gem_object *obj = &shmem->base;
	int ret;

	ret = gem_sync_check_device(sdev) ?: gem_sync_check_funcs(sdev->drm, funcs, true);
	if (ret)
		return ret;
	if (!size || size > (u64)MAX_LFS_FILESIZE - PAGE_SIZE)
		return -EINVAL;
	if (!fits_memory(size))
		return -ENOMEM;
	ret = gs_policy_create(&policy, &policy_obj);
	if (ret)
		return ret;
	if (args->cached && !sdev->coherent && gem_sync_can_bounce(sdev->drm->dev))
		return -EOPNOTSUPP;

	shmem->sdev = sdev;
	shmem->args = *args;
	atomic_set(&shmem->holds, 0);
	obj->funcs = &funcs->base;
	ret = drm_gem_object_init(sdev->drm, obj, PAGE_ALIGN(size));
	if (ret)
		goto err_fini;
	if (args->resv)
		obj->resv = args->resv;
	/* As populated pages stay, keep them out of zones that must be movable. */
	mapping_set_gfp_mask(obj->filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = gem_sync_track(shmem);
	if (ret)
		goto err_release;
	return 0;

err_release:
	drm_gem_object_release(obj);
	return ret;
err_fini:
	drm_gem_private_object_fini(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_init);

static unsigned long page_count_of(const struct drm_gem_sync_shmem_object *shmem)
{
	return shmem->base.size >> PAGE_SHIFT;
}

/* Make the device's mapping of the pages; that publishes their content (R17). */
static int map_for_device(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_device *drm = shmem->base.dev;
	int ret;

	shmem->sgt = drm_prime_pages_to_sg(drm, shmem->pages, page_count_of(shmem));
	if (IS_ERR(shmem->sgt)) {
		ret = PTR_ERR(shmem->sgt);
		goto err_clear;
	}
	ret = dma_map_sgtable(drm->dev, shmem->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err_free_sgt;
	/* Whatever its caching: only a device that syncs for each access could use it. */
	if (gem_sync_is_bounced(drm->dev, shmem->sgt)) {
		ret = -EOPNOTSUPP;
		goto err_unmap;
	}
	ret = gem_sync_runs_build(shmem);
	if (ret)
		goto err_unmap;
	return 0;

err_unmap:
	dma_unmap_sgtable(drm->dev, shmem->sgt, DMA_BIDIRECTIONAL, 0);
err_free_sgt:
	sg_free_table(shmem->sgt);
	kfree(shmem->sgt);
err_clear:
	shmem->sgt = NULL;
	return ret;
}

/* Whether to go on: nobody needs the pages of a task that is killed or a device that goes. */
static int populating_ends(const struct drm_gem_sync_shmem_object *shmem)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return READ_ONCE(shmem->sdev->unplugged) ? -ENODEV : 0;
}

/* Enter the pages of a folio from @index on, and return how many they are. */
static unsigned long add_folio(struct page **pages, struct folio *folio, unsigned long index,
			       unsigned long count)
{
	unsigned long added = min(count - index, folio_nr_pages(folio));

	for (unsigned long i = index; i < index + added; i++)
		pages[i] = folio_file_page(folio, i);
	return added;
}

/*
 * As drm_gem_get_pages(), which however cannot be ended before it has brought in all.
 * drm_gem_put_pages() is the end of both: it skips what is not there.
 */
static struct page **get_pages(struct drm_gem_sync_shmem_object *shmem)
{
	struct address_space *mapping = shmem->base.filp->f_mapping;
	const unsigned long count = page_count_of(shmem);
	unsigned long i = 0;
	struct page **pages;
	struct folio *folio;
	int ret;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	mapping_set_unevictable(mapping);
	while (i < count) {
		ret = populating_ends(shmem);
		if (ret)
			goto err_put;
		folio = shmem_read_folio_gfp(mapping, i, mapping_gfp_mask(mapping));
		if (IS_ERR(folio)) {
			ret = PTR_ERR(folio);
			goto err_put;
		}
		i += add_folio(pages, folio, i, count);
		cond_resched();
	}
	return pages;

err_put:
	drm_gem_put_pages(&shmem->base, pages, false, false);
	return ERR_PTR(ret);
}

/* They may hold all there is of the content. That they go is no access to them. */
static void put_pages(struct drm_gem_sync_shmem_object *shmem, struct page **pages)
{
	drm_gem_put_pages(&shmem->base, pages, true, false);
}

/*
 * Allocate the pages, map them for the device and publish their content to every
 * view, before the first view exists (R17). Nothing to do if that was done. It takes as
 * long as the object is large, and ends early with -EINTR if the task is killed, with
 * -ENODEV if the device goes.
 */
int gem_sync_populate_locked(struct drm_gem_sync_shmem_object *shmem)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;
	struct page **pages;
	int ret;

	dma_resv_assert_held(shmem->base.resv);
	if (shmem->unplugged)
		return -ENODEV;
	if (shmem->purged)
		return -EINVAL;
	if (shmem->pages || shmem->imported)
		return 0;
	pages = get_pages(shmem);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	/* Others look at whether there are any, without the lock. */
	WRITE_ONCE(shmem->pages, pages);
	if (ops && ops->populated) {
		ret = ops->populated(shmem);
		if (ret)
			goto err_put_pages;
	}
	ret = map_for_device(shmem);
	if (ret)
		goto err_releasing;
	atomic_long_add(page_count_of(shmem), &gem_sync_totals.pages);
	gem_sync_lru_update(shmem);
	return 0;

err_releasing:
	if (ops && ops->releasing)
		ops->releasing(shmem);
err_put_pages:
	WRITE_ONCE(shmem->pages, NULL);
	put_pages(shmem, pages);
	/* Whatever it was that failed: it had not to be done any more. */
	return populating_ends(shmem) ?: ret;
}

static void unmap(struct drm_gem_sync_shmem_object *shmem, unsigned long attrs)
{
	if (!shmem->sgt)
		return;
	gem_sync_runs_free(shmem);
	dma_unmap_sgtable(shmem->base.dev->dev, shmem->sgt, DMA_BIDIRECTIONAL, attrs);
	sg_free_table(shmem->sgt);
	kfree(shmem->sgt);
	shmem->sgt = NULL;
}

void gem_sync_unmap(struct drm_gem_sync_shmem_object *shmem)
{
	unmap(shmem, 0);
}

static void depopulate(struct drm_gem_sync_shmem_object *shmem, unsigned long attrs)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;

	if (!shmem->pages)
		return;
	unmap(shmem, attrs);
	if (ops && ops->releasing)
		ops->releasing(shmem);
	put_pages(shmem, shmem->pages);
	WRITE_ONCE(shmem->pages, NULL);
	atomic_long_sub(page_count_of(shmem), &gem_sync_totals.pages);
}

void gem_sync_depopulate(struct drm_gem_sync_shmem_object *shmem)
{
	depopulate(shmem, 0);
}

/*
 * Nobody reads the content any more. Lines that stay in the cache are the next owner's
 * problem no more than those of any other freed page: what he reads, he stored first.
 */
void gem_sync_discard(struct drm_gem_sync_shmem_object *shmem)
{
	depopulate(shmem, DMA_ATTR_SKIP_CPU_SYNC);
}

/**
 * drm_gem_sync_shmem_fini() - release what an object has
 * @shmem: the object, in its &drm_gem_object_funcs.free
 *
 * The driver then frees the memory, and puts what owns a shared reservation
 * object only after this call.
 *
 * Context: Process context, may sleep.
 */
void drm_gem_sync_shmem_fini(struct drm_gem_sync_shmem_object *shmem)
{
	drm_WARN_ON(shmem->base.dev, shmem->pins || atomic_read(&shmem->holds));

	if (shmem->imported) {
		gem_sync_runs_free(shmem);
		if (shmem->base.import_attach)
			drm_prime_gem_destroy(&shmem->base, shmem->sgt);
		else
			dma_buf_put(shmem->dma_buf);
	} else {
		/*
		 * Without the lock: nobody else knows the object any more, and the last
		 * reference may be dropped by somebody who holds other objects' locks.
		 */
		gem_sync_discard(shmem);
	}
	gem_sync_lru_fini(shmem);
	gem_sync_untrack(shmem);
	drm_gem_object_release(&shmem->base);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_fini);

/*
 * Behind an unplug, when nobody needs the pages where they are: until the last file is
 * closed they wait there for nothing, and swap may have them.
 */
void gem_sync_drop_unplugged(struct drm_gem_sync_shmem_object *shmem)
{
	if (shmem->unplugged && !shmem->sgt && !shmem->pins)
		gem_sync_depopulate(shmem);
}

int gem_sync_pin_locked(struct drm_gem_sync_shmem_object *shmem)
{
	int ret = gem_sync_populate_locked(shmem);

	if (ret)
		return ret;
	if (!shmem->pins++)
		gem_sync_lru_update(shmem);
	return 0;
}

void gem_sync_unpin_locked(struct drm_gem_sync_shmem_object *shmem)
{
	dma_resv_assert_held(shmem->base.resv);
	if (drm_WARN_ON(shmem->base.dev, !shmem->pins) || --shmem->pins)
		return;
	gem_sync_lru_update(shmem);
	gem_sync_drop_unplugged(shmem);
}

/**
 * drm_gem_sync_shmem_populate() - let an object have pages, without keeping them
 * @shmem: the object, its reservation lock held
 *
 * For a driver whose device comes back to an object that
 * &drm_gem_sync_device_ops.evicting took from it: the pages stay while the lock is
 * held, and after that while a fence is there.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL if the object was purged; -ENODEV behind an unplug; -ENOMEM; -EINTR
 * if the task is killed; an error of the DMA mapping.
 */
int drm_gem_sync_shmem_populate(struct drm_gem_sync_shmem_object *shmem)
{
	return gem_sync_populate_locked(shmem);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_populate);

/**
 * drm_gem_sync_shmem_pin() - populate an object and keep it so
 * @shmem: the object
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 0; -EINVAL if the object was purged; -ENODEV behind an unplug; -ENOMEM;
 * -EINTR; -EOPNOTSUPP if the mapping bounced (R21); an error of the DMA mapping.
 */
int drm_gem_sync_shmem_pin(struct drm_gem_sync_shmem_object *shmem)
{
	int ret;

	ret = dma_resv_lock_interruptible(shmem->base.resv, NULL);
	if (ret)
		return ret;
	ret = gem_sync_pin_locked(shmem);
	dma_resv_unlock(shmem->base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_pin);

/**
 * drm_gem_sync_shmem_unpin() - undo one drm_gem_sync_shmem_pin()
 * @shmem: the object
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 */
void drm_gem_sync_shmem_unpin(struct drm_gem_sync_shmem_object *shmem)
{
	dma_resv_lock(shmem->base.resv, NULL);
	gem_sync_unpin_locked(shmem);
	dma_resv_unlock(shmem->base.resv);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_unpin);

/**
 * drm_gem_sync_shmem_hold() - &drm_gem_sync_funcs.hold of shmem-backed objects
 * @obj: the object
 *
 * The pages stay, and stay mapped for the device, without the lock (R10): eviction and
 * purge pass the object by, and an unplug waits for drm_gem_sync_shmem_release().
 *
 * Context: Process context, may sleep. Takes the reservation lock, and drops it.
 *
 * Return: 1 with the hold taken; 0 if there is nothing to maintain: for write-combined
 * objects, coherent devices and objects without pages (R9); -EINTR if a signal came that
 * kills the task; -ENODEV behind an unplug.
 */
int drm_gem_sync_shmem_hold(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	int ret;

	if (shmem->sdev->coherent || drm_gem_sync_shmem_is_wc(shmem))
		return 0;
	ret = gem_sync_lock(obj->resv);
	if (ret)
		return ret;
	atomic_long_inc(&gem_sync_totals.locks);
	ret = shmem->unplugged ? -ENODEV : gem_sync_needs_sync(shmem);
	if (ret > 0)
		atomic_inc(&shmem->holds);
	dma_resv_unlock(obj->resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_hold);

/**
 * drm_gem_sync_shmem_release() - &drm_gem_sync_funcs.release of shmem-backed objects
 * @obj: the object, with a hold of drm_gem_sync_shmem_hold()
 *
 * Context: Any.
 */
void drm_gem_sync_shmem_release(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	if (atomic_dec_and_test(&shmem->holds))
		wake_up_var(&shmem->holds);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_release);

/**
 * drm_gem_sync_shmem_sync() - &drm_gem_sync_funcs.sync of shmem-backed objects
 * @obj: the object, with a hold or under its reservation lock
 * @offset: start of the range in bytes, checked
 * @size: length of the range in bytes, checked
 * @access: the access, checked
 *
 * The cost depends on the lines in the range alone (R10). A driver that has more to do
 * calls this from a hook of its own.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0, also if there is nothing to maintain, as there is not under the lock behind
 * an unplug; -EINTR if a signal came that kills the task; -ENODEV if the device was
 * unplugged meanwhile.
 */
int drm_gem_sync_shmem_sync(struct drm_gem_object *obj, size_t offset, size_t size,
			    enum drm_gem_object_access_flags access)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	int type = gs_access_to_sync(access);
	int ret;

	if (!gem_sync_needs_sync(shmem))
		return 0;
	ret = gem_sync_runs_walk(shmem, offset, size, type);
	trace_drm_gem_sync(obj, offset, size, type, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_sync);

/**
 * drm_gem_sync_shmem_sync_ops() - &drm_gem_sync_funcs.sync_ops of shmem-backed objects
 * @obj: the object, with a hold
 * @ops: ops on it, checked
 * @count: how many
 *
 * As drm_gem_sync_shmem_sync() for each. What is written back is given to the DMA API as
 * lists, which the kernel may end with one barrier each. A driver whose own sync hook has
 * more to do leaves this one out.
 *
 * Context: Process context, may sleep.
 *
 * Return: as drm_gem_sync_shmem_sync().
 */
int drm_gem_sync_shmem_sync_ops(struct drm_gem_object *obj, const struct gs_sync_op *ops,
				unsigned int count)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);
	struct gem_sync_walk walk;
	unsigned int i;
	int ret = 0;

	if (!gem_sync_needs_sync(shmem))
		return 0;
	gem_sync_walk_begin(&walk, shmem);
	for (i = 0; i < count && !ret; i++) {
		if (i)
			ret = gem_sync_interrupted(obj->dev);
		if (ret || !ops[i].size)
			continue;
		ret = gem_sync_walk_range(&walk, ops[i].offset, ops[i].size, ops[i].type);
		trace_drm_gem_sync(obj, ops[i].offset, ops[i].size, ops[i].type, ret);
		cond_resched();
	}
	gem_sync_walk_end(&walk);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_sync_ops);

/* Whether a file may have a handle or a map of the object: 0 or -EPERM (R13). */
int gem_sync_may_use(const struct drm_gem_sync_shmem_object *shmem, const struct drm_file *file)
{
	const struct gs_policy_object policy_obj = gem_sync_policy_object(&shmem->args);
	const struct gs_policy_device policy = gem_sync_policy(shmem->sdev);

	if (READ_ONCE(shmem->owner) == file->client_id)
		return 0;
	return gs_policy_open_elsewhere(&policy, &policy_obj);
}

/**
 * drm_gem_sync_shmem_open() - &drm_gem_object_funcs.open: incoherence stays in its file
 * @obj: the object
 * @file: the DRM file that gets a handle
 *
 * The first file is the creator's. Private objects, and cached ones of a
 * non-coherent device, get handles on no other (R13): GEM_OPEN ends here.
 *
 * Return: 0; -EPERM.
 */
int drm_gem_sync_shmem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	if (!cmpxchg64(&shmem->owner, 0, file->client_id))
		return 0;
	return gem_sync_may_use(shmem, file);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_open);

/**
 * drm_gem_sync_shmem_status() - &drm_gem_object_funcs.status, for fdinfo
 * @obj: the object
 *
 * Return: DRM_GEM_OBJECT_RESIDENT if the object has pages of its own,
 * DRM_GEM_OBJECT_PURGEABLE if they may go with their content, or neither.
 */
enum drm_gem_object_status drm_gem_sync_shmem_status(struct drm_gem_object *obj)
{
	const struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	if (!READ_ONCE(shmem->pages))
		return 0;
	return DRM_GEM_OBJECT_RESIDENT |
	       (READ_ONCE(shmem->unneeded) ? DRM_GEM_OBJECT_PURGEABLE : 0);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_status);

/**
 * drm_gem_sync_shmem_print_info() - &drm_gem_sync_funcs.print_info
 * @p: where to print to
 * @indent: indentation level
 * @obj: the object
 */
void drm_gem_sync_shmem_print_info(struct drm_printer *p, unsigned int indent,
				   const struct drm_gem_object *obj)
{
	const struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	drm_printf_indent(p, indent, "map=%s private=%d populated=%d pins=%u runs=%u\n",
			  drm_gem_sync_shmem_is_wc(shmem) ? "wc" : "cached",
			  shmem->args.private, !!shmem->pages, shmem->pins, shmem->nr_runs);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_print_info);
