// SPDX-License-Identifier: GPL-2.0-only
/* Devices: their objects, and what happens to these when the device goes. */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/wait_bit.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>

#include "internal.h"

static bool has_objects(struct drm_gem_sync_device *sdev)
{
	bool has;

	mutex_lock(&sdev->lock);
	has = !list_empty(&sdev->objects);
	mutex_unlock(&sdev->lock);
	return has;
}

/* The device's driver is gone, and with what is left of it goes what its mappings need. */
static void driver_gone(void *data)
{
	struct drm_gem_sync_device *sdev = data;
	struct drm_device *drm = sdev->drm;

	if (!sdev->unplugged && has_objects(sdev)) {
		drm_err(drm, "objects are left: drm_gem_sync_device_unplug() was not called\n");
		drm_gem_sync_device_unplug(sdev);
	}
	drm_dev_put(drm);
}

/**
 * drm_gem_sync_device_init() - initialize the helper's part of a device
 * @sdev: the device, its other members filled
 *
 * Context: Process context, may sleep. Before the first object is created. It is undone
 * when the last reference to the DRM device goes, which is not before its driver is
 * unbound.
 *
 * Return: 0; -ENOMEM.
 */
int drm_gem_sync_device_init(struct drm_gem_sync_device *sdev)
{
	int ret;

	mutex_init(&sdev->lock);
	INIT_LIST_HEAD(&sdev->objects);
	atomic_set(&sdev->in_use, 0);
	ret = gem_sync_evict_init(sdev);
	if (ret)
		return ret;
	drm_dev_get(sdev->drm);
	return devm_add_action_or_reset(sdev->drm->dev, driver_gone, sdev);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_device_init);

int gem_sync_check_device(const struct drm_gem_sync_device *sdev)
{
	if (sdev->objects.next)
		return 0;
	pr_err_ratelimited("drm_gem_sync: no object without drm_gem_sync_device_init()\n");
	return -EINVAL;
}

int gem_sync_track(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_gem_sync_device *sdev = shmem->sdev;
	int ret = 0;

	mutex_lock(&sdev->lock);
	if (sdev->unplugged) {
		ret = -ENODEV;
	} else {
		atomic_inc(&sdev->in_use);
		list_add_tail(&shmem->node, &sdev->objects);
	}
	mutex_unlock(&sdev->lock);
	if (!ret)
		atomic_long_inc(&gem_sync_totals.objects);
	return ret;
}

/* An object is off the device, by an unplug or by its own end. */
static void object_is_off(struct drm_gem_sync_device *sdev)
{
	if (atomic_dec_and_test(&sdev->in_use))
		wake_up_var(&sdev->in_use);
}

void gem_sync_untrack(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_gem_sync_device *sdev = shmem->sdev;

	mutex_lock(&sdev->lock);
	list_del(&shmem->node);
	mutex_unlock(&sdev->lock);
	if (!shmem->unplugged)
		object_is_off(sdev);
	atomic_long_dec(&gem_sync_totals.objects);
}

/**
 * drm_gem_sync_device_for_each() - look at each object of a device
 * @sdev: the device
 * @fn: called for each, with @data; must not create or free objects, nor take a
 *      reservation lock
 * @data: for @fn
 *
 * Context: Process context, may sleep.
 */
void drm_gem_sync_device_for_each(struct drm_gem_sync_device *sdev,
				  void (*fn)(struct drm_gem_sync_shmem_object *shmem, void *data),
				  void *data)
{
	struct drm_gem_sync_shmem_object *shmem;

	mutex_lock(&sdev->lock);
	list_for_each_entry(shmem, &sdev->objects, node)
		fn(shmem, data);
	mutex_unlock(&sdev->lock);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_device_for_each);

/**
 * drm_gem_sync_shmem_get_info() - what an object is
 * @shmem: the object
 * @info: is filled
 *
 * Takes no lock: what changes meanwhile is seen as it was or as it will be.
 *
 * Context: Any.
 */
void drm_gem_sync_shmem_get_info(const struct drm_gem_sync_shmem_object *shmem,
				 struct drm_gem_sync_shmem_info *info)
{
	*info = (struct drm_gem_sync_shmem_info) {
		.resident = READ_ONCE(shmem->pages) ? shmem->base.size : 0,
		.pins = READ_ONCE(shmem->pins),
		.private = shmem->args.private,
		.imported = shmem->imported,
		.purged = READ_ONCE(shmem->purged),
	};
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_get_info);

/* What the CPU wrote reaches memory, before the device's mapping of it goes. */
void gem_sync_write_back(struct drm_gem_sync_shmem_object *shmem)
{
	u64 offset = 0, size = shmem->base.size;
	u64 length;

	if (!shmem->pages || shmem->sdev->coherent || drm_gem_sync_shmem_is_wc(shmem))
		return;
	for (; offset < size; offset += length) {
		dma_addr_t dma = drm_gem_sync_shmem_dma_addr(shmem, offset, &length);

		dma_sync_single_for_device(shmem->base.dev->dev, dma, length, DMA_TO_DEVICE);
		cond_resched();
	}
}

/*
 * The mapping of an import is its exporter's, which may have been made by the attachment
 * and not end before it: so the attachment ends. The DRM core reads and writes
 * import_attach under object_name_lock, also behind the creation of an object that is
 * being imported now; what is left of the import is &drm_gem_object.dma_buf.
 */
static void detach_import(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_gem_object *obj = &shmem->base;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	mutex_lock(&obj->dev->object_name_lock);
	attach = obj->import_attach;
	obj->import_attach = NULL;
	mutex_unlock(&obj->dev->object_name_lock);

	dma_resv_lock(obj->resv, NULL);
	gem_sync_runs_free(shmem);
	sgt = shmem->sgt;
	shmem->sgt = NULL;
	dma_resv_unlock(obj->resv);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(shmem->dma_buf, attach);
}

/*
 * For whoever is at the object now (R19): first no view is made any more, then there is
 * none, then no walk, then nothing dirty, and then no mapping.
 */
static void unplug_object(struct drm_gem_sync_shmem_object *shmem)
{
	struct drm_gem_object *obj = &shmem->base;

	dma_resv_lock(obj->resv, NULL);
	WRITE_ONCE(shmem->unplugged, true);
	gem_sync_lru_update(shmem);
	dma_resv_unlock(obj->resv);

	gem_sync_revoke_maps(shmem);
	wait_var_event(&shmem->holds, !atomic_read(&shmem->holds));

	if (shmem->imported) {
		detach_import(shmem);
	} else {
		dma_resv_lock(obj->resv, NULL);
		gem_sync_write_back(shmem);
		gem_sync_unmap(shmem);
		gem_sync_drop_unplugged(shmem);
		dma_resv_unlock(obj->resv);
	}
	object_is_off(shmem->sdev);
}

/*
 * The next object to unplug, with a reference; NULL if only dying ones are left. Those
 * that were found before are behind the others.
 */
static struct drm_gem_sync_shmem_object *next_object(struct drm_gem_sync_device *sdev)
{
	struct drm_gem_sync_shmem_object *shmem, *found = NULL;

	mutex_lock(&sdev->lock);
	list_for_each_entry(shmem, &sdev->objects, node) {
		if (shmem->unplugged)
			break;
		if (!kref_get_unless_zero(&shmem->base.refcount))
			continue;
		list_move_tail(&shmem->node, &sdev->objects);
		found = shmem;
		break;
	}
	mutex_unlock(&sdev->lock);
	return found;
}

/**
 * drm_gem_sync_device_unplug() - take all objects off a device that goes (R19)
 * @sdev: the device
 *
 * CPU maps are revoked (later touches get SIGBUS), syncs under way end, dirty
 * lines are written back, and every object and import is unmapped from the
 * device: on return nothing is mapped for DMA any more, and nothing ever will be.
 * Objects live on until their last user closes them, and their pages for as long as an
 * importer of another device has them.
 *
 * The driver has unplugged the DRM device and stopped its work before.
 *
 * Context: Process context, may sleep.
 */
void drm_gem_sync_device_unplug(struct drm_gem_sync_device *sdev)
{
	struct drm_gem_sync_shmem_object *shmem;

	mutex_lock(&sdev->lock);
	WRITE_ONCE(sdev->unplugged, true);
	mutex_unlock(&sdev->lock);
	while ((shmem = next_object(sdev))) {
		unplug_object(shmem);
		drm_gem_object_put(&shmem->base);
	}
	/* Objects that were being freed unmap themselves. */
	wait_var_event(&sdev->in_use, !atomic_read(&sdev->in_use));
}
EXPORT_SYMBOL_GPL(drm_gem_sync_device_unplug);

COMPAT_IMPORT_NS(DMA_BUF);
