// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that others need: eviction, which keeps the content, purge, which drops what
 * the user said is not needed, and the shrinker that asks for them (R9, R17, R18, R19).
 *
 * Reclaim may come while any lock is held under which memory is allocated, the
 * reservation lock of the object that is being populated among them. So here it is
 * only tried, nothing is allocated, and no fence is waited for.
 */
#include <linux/debugfs.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include <drm/drm_device.h>
#include <drm/drm_managed.h>
#include <drm/drm_vma_manager.h>

#include "internal.h"

/* Under the reservation lock, whenever something that counts here has changed. */
void gem_sync_lru_update(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_gem_sync_device *sdev = shmem->sdev;
	struct drm_gem_lru *lru = &sdev->unmovable;

	if (shmem->pages && !shmem->pins && !shmem->unplugged)
		lru = shmem->unneeded ? &sdev->purgeable : &sdev->evictable;
	drm_gem_lru_move_tail(lru, &shmem->base);
}

/*
 * A dying object, before the DRM core takes it off its list: that looks at the list
 * first and takes the lock then, which is right only where no scan moves objects.
 */
void gem_sync_lru_fini(struct drm_gem_sync_shmem_object *shmem)
{
	drm_gem_lru_move_tail(&shmem->sdev->unmovable, &shmem->base);
}

/*
 * The user's maps: the next touch is a fault. Those of dma-bufs are among them, as
 * drm_gem_dmabuf_export() gives these the address space of the device's files.
 */
void gem_sync_revoke_maps(struct drm_gem_sync_shmem_object *shmem)
{
	drm_vma_node_unmap(&shmem->base.vma_node, shmem->base.dev->anon_inode->i_mapping);
}

/**
 * drm_gem_sync_shmem_revoke() - the next touch of pages by user space is a fault
 * @shmem: an object with pages
 * @first: the first page
 * @count: how many
 *
 * Context: Process context, may sleep. Allocates no memory.
 */
void drm_gem_sync_shmem_revoke(struct drm_gem_sync_shmem_object *shmem, pgoff_t first,
			       pgoff_t count)
{
	struct drm_vma_offset_node *node = &shmem->base.vma_node;

	if (drm_mm_node_allocated(&node->vm_node))
		unmap_mapping_range(shmem->base.dev->anon_inode->i_mapping,
				    drm_vma_node_offset_addr(node) + ((loff_t)first << PAGE_SHIFT),
				    (loff_t)count << PAGE_SHIFT, 1);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_revoke);

/* Whether nobody needs the pages where they are; then the device is kept away from them. */
static bool let_go(struct drm_gem_sync_shmem_object *shmem)
{
	const struct drm_gem_sync_device_ops *ops = shmem->sdev->ops;

	dma_resv_assert_held(shmem->base.resv);
	if (!shmem->pages || shmem->pins || shmem->unplugged || atomic_read(&shmem->holds))
		return false;
	if (!dma_resv_test_signaled(shmem->base.resv, DMA_RESV_USAGE_BOOKKEEP))
		return false;
	return !ops || !ops->evicting || !ops->evicting(shmem);
}

/* What is stored until the maps are gone is written back; the device has it until then. */
static bool evict(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	if (!let_go(shmem))
		return false;
	gem_sync_revoke_maps(shmem);
	gem_sync_write_back(shmem);
	gem_sync_depopulate(shmem);
	gem_sync_lru_update(shmem);
	atomic_long_add(obj->size >> PAGE_SHIFT, &shmem->sdev->evicted);
	return true;
}

/* What was exported is not its owner's alone to drop. */
static bool purge(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *shmem = to_drm_gem_sync_shmem(obj);

	if (READ_ONCE(shmem->exported) || !let_go(shmem))
		return false;
	gem_sync_revoke_maps(shmem);
	gem_sync_discard(shmem);
	shmem_truncate_range(file_inode(obj->filp), 0, (loff_t)-1);
	shmem->purged = true;
	gem_sync_lru_update(shmem);
	atomic_long_add(obj->size >> PAGE_SHIFT, &shmem->sdev->purged);
	return true;
}

COMPAT_LRU_SHRINK(evict)
COMPAT_LRU_SHRINK(purge)

/**
 * drm_gem_sync_shmem_madvise() - say whether the content of an object is needed
 * @shmem: the object
 * @needed: false: under memory pressure its pages may go with all that is in them
 *
 * For the driver's madvise ioctl. An object that is purged stays so for ever: it has
 * no pages, syncs of it succeed and do nothing (R9), touching a map of it raises
 * SIGBUS, and whatever needs its pages fails with -EINVAL. Not purged are objects
 * that are pinned, in use by the device, or being synced; nor exported ones while there
 * is a dma-buf of them, which the DRM core keeps as long as they have a handle.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 *
 * Return: 1 if the content is there, as an imported object's is whatever its importer
 * says; 0 if it was purged; -EINTR.
 */
int drm_gem_sync_shmem_madvise(struct drm_gem_sync_shmem_object *shmem, bool needed)
{
	int ret;

	if (shmem->imported)
		return 1;
	ret = dma_resv_lock_interruptible(shmem->base.resv, NULL);
	if (ret)
		return ret;
	if (!shmem->purged) {
		shmem->unneeded = !needed;
		gem_sync_lru_update(shmem);
	}
	ret = !shmem->purged;
	dma_resv_unlock(shmem->base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_madvise);

/* Pages that were evicted are still in memory: they leave it only for swap. */
static bool can_evict(void)
{
	return get_nr_swap_pages() > 0;
}

static unsigned long shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	const struct drm_gem_sync_device *sdev = shrinker->private_data;
	unsigned long count = READ_ONCE(sdev->purgeable.count);

	if (can_evict())
		count += READ_ONCE(sdev->evictable.count);
	return count ?: SHRINK_EMPTY;
}

static unsigned long shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct drm_gem_sync_device *sdev = shrinker->private_data;
	unsigned long freed, remaining = 0;

	freed = compat_lru_scan(sdev->drm, &sdev->purgeable, sc->nr_to_scan, &remaining,
				purge_lru);
	if (freed < sc->nr_to_scan && can_evict())
		freed += compat_lru_scan(sdev->drm, &sdev->evictable, sc->nr_to_scan - freed,
					 &remaining, evict_lru);
	return freed ?: SHRINK_STOP;
}

static void free_shrinker(struct drm_device *drm, void *shrinker)
{
	shrinker_free(shrinker);
}

/* Reclaim takes the lock: lockdep is to know before memory is first short. */
static void teach_lockdep(struct drm_gem_sync_device *sdev)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&sdev->lru_lock);
	fs_reclaim_release(GFP_KERNEL);
}

int gem_sync_evict_init(struct drm_gem_sync_device *sdev)
{
	struct shrinker *shrinker;

	mutex_init(&sdev->lru_lock);
	teach_lockdep(sdev);
	compat_lru_init(&sdev->evictable, &sdev->lru_lock);
	compat_lru_init(&sdev->purgeable, &sdev->lru_lock);
	compat_lru_init(&sdev->unmovable, &sdev->lru_lock);
	shrinker = shrinker_alloc(0, "drm-gem-sync:%s", dev_name(sdev->drm->dev));
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;
	shrinker->private_data = sdev;
	shrinker_register(shrinker);
	return drmm_add_action_or_reset(sdev->drm, free_shrinker, shrinker);
}

/* In the state that reclaim is in, so that lockdep knows it as such. */
static unsigned long reclaim(struct drm_device *drm, struct drm_gem_lru *lru,
			     unsigned int pages, compat_lru_shrink shrink)
{
	unsigned long freed, remaining = 0;
	unsigned int flags;

	fs_reclaim_acquire(GFP_KERNEL);
	flags = memalloc_noreclaim_save();
	freed = compat_lru_scan(drm, lru, pages, &remaining, shrink);
	memalloc_noreclaim_restore(flags);
	fs_reclaim_release(GFP_KERNEL);
	return freed;
}

/**
 * drm_gem_sync_device_evict() - evict objects as the shrinker would, swap or no swap
 * @sdev: the device
 * @pages: how many pages shall go, in whole objects
 *
 * Context: Process context, may sleep.
 *
 * Return: how many pages went; less than @pages if no object is left that may go.
 */
unsigned long drm_gem_sync_device_evict(struct drm_gem_sync_device *sdev, unsigned int pages)
{
	return reclaim(sdev->drm, &sdev->evictable, pages, evict_lru);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_device_evict);

/**
 * drm_gem_sync_device_purge() - purge objects as the shrinker would
 * @sdev: the device
 * @pages: how many pages shall go, in whole objects
 *
 * Context: Process context, may sleep.
 *
 * Return: how many pages went; less than @pages if no object is left that may go.
 */
unsigned long drm_gem_sync_device_purge(struct drm_gem_sync_device *sdev, unsigned int pages)
{
	return reclaim(sdev->drm, &sdev->purgeable, pages, purge_lru);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_device_purge);

/* Number of pages that a user asks for: a number or "all". */
static int get_pages(const char __user *user, size_t size, unsigned int *pages)
{
	char text[16];

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, size))
		return -EFAULT;
	text[size] = '\0';
	if (sysfs_streq(text, "all")) {
		*pages = UINT_MAX;
		return 0;
	}
	return kstrtouint(text, 0, pages);
}

static struct drm_gem_sync_device *seq_device(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

static int evict_show(struct seq_file *seq, void *unused)
{
	struct drm_gem_sync_device *sdev = seq->private;

	seq_printf(seq, "evictable %ld\nevicted %ld\n", READ_ONCE(sdev->evictable.count),
		   atomic_long_read(&sdev->evicted));
	return 0;
}

static ssize_t evict_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	struct drm_gem_sync_device *sdev = seq_device(file);
	unsigned int pages;
	int ret = get_pages(user, size, &pages);

	if (ret)
		return ret;
	drm_gem_sync_device_evict(sdev, pages);
	return size;
}
DEFINE_SHOW_STORE_ATTRIBUTE(evict);

static int purge_show(struct seq_file *seq, void *unused)
{
	struct drm_gem_sync_device *sdev = seq->private;

	seq_printf(seq, "purgeable %ld\npurged %ld\n", READ_ONCE(sdev->purgeable.count),
		   atomic_long_read(&sdev->purged));
	return 0;
}

static ssize_t purge_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	struct drm_gem_sync_device *sdev = seq_device(file);
	unsigned int pages;
	int ret = get_pages(user, size, &pages);

	if (ret)
		return ret;
	drm_gem_sync_device_purge(sdev, pages);
	return size;
}
DEFINE_SHOW_STORE_ATTRIBUTE(purge);

/**
 * drm_gem_sync_debugfs_init() - files by which tests make memory short
 * @sdev: the device
 * @root: directory of the device
 *
 * A number of pages, or "all", written to `evict` or `purge` does to objects what the
 * shrinker would do, swap or no swap, until that many pages went or no object is left.
 * Reading shows how many pages can go at the most, and how many went so far for
 * whatever reason.
 *
 * Context: Process context, may sleep.
 */
void drm_gem_sync_debugfs_init(struct drm_gem_sync_device *sdev, struct dentry *root)
{
	debugfs_create_file("evict", 0644, root, sdev, &evict_fops);
	debugfs_create_file("purge", 0644, root, sdev, &purge_fops);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_debugfs_init);
