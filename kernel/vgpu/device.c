// SPDX-License-Identifier: GPL-2.0-only
/* The device: emulated memory, work queues, and its end. */
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_vma_manager.h>

#include "internal.h"

static int bo_populated(struct drm_gem_sync_shmem_object *shmem)
{
	struct vgpu_device *vdev = to_vgpu_device(shmem->base.dev);
	struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);
	struct ncmem_pages *nc_pages;

	nc_pages = ncmem_pages_add(vdev->nc, drm_gem_sync_shmem_pages(shmem),
				   shmem->base.size >> PAGE_SHIFT, &bo->owner);
	if (IS_ERR(nc_pages))
		return PTR_ERR(nc_pages);
	bo->nc_pages = nc_pages;
	return 0;
}

static void bo_releasing(struct drm_gem_sync_shmem_object *shmem)
{
	struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);

	ncmem_pages_remove(bo->nc_pages);
	bo->nc_pages = NULL;
}

static struct page *bo_cpu_page(struct drm_gem_sync_shmem_object *shmem, pgoff_t index)
{
	struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);

	return ncmem_cpu_page(bo->nc_pages, index);
}

static enum drm_gem_sync_show bo_touched(struct drm_gem_sync_shmem_object *shmem, pgoff_t index,
					 const struct vm_fault *vmf)
{
	static const enum drm_gem_sync_show shows[] = {
		[NCMEM_HIDE] = DRM_GEM_SYNC_HIDE,
		[NCMEM_SHOW_READ_ONLY] = DRM_GEM_SYNC_SHOW_READ_ONLY,
		[NCMEM_SHOW] = DRM_GEM_SYNC_SHOW,
	};
	struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);
	struct ncmem_touch touch;

	if (!vmf)
		return shows[ncmem_cpu_touch(bo->nc_pages, index, NULL)];
	touch.address = vmf->real_address;
	touch.store = vmf->flags & FAULT_FLAG_WRITE;
	return shows[ncmem_cpu_touch(bo->nc_pages, index, &touch)];
}

static const struct drm_gem_sync_device_ops gem_ops = {
	.populated = bo_populated,
	.releasing = bo_releasing,
	.cpu_page = bo_cpu_page,
	.touched = bo_touched,
	.evicting = vgpu_bo_evicting,
};

static enum ncmem_user_op maintain(struct vm_area_struct *vma, unsigned long address, u32 size,
				   enum gs_sync_type type)
{
	struct drm_gem_sync_shmem_object *shmem;
	struct vgpu_bo *bo;
	pgoff_t index;

	shmem = drm_gem_sync_shmem_of_map(vma, address, &index);
	if (!shmem || shmem->sdev->ops != &gem_ops)
		return NCMEM_USER_OP_FOREIGN;
	if (drm_gem_sync_shmem_is_wc(shmem))
		return NCMEM_USER_OP_DONE;
	if (!dma_resv_trylock(shmem->base.resv))
		return NCMEM_USER_OP_AGAIN;
	bo = container_of(shmem, struct vgpu_bo, base);
	/* What has no pages has no lines. */
	if (bo->nc_pages && index < shmem->base.size >> PAGE_SHIFT)
		ncmem_user_op(bo->nc_pages, index, offset_in_page(address), size, type);
	dma_resv_unlock(shmem->base.resv);
	return NCMEM_USER_OP_DONE;
}

struct ncmem_maps vgpu_maps = { .maintain = maintain };

static void put_memory(struct drm_device *drm, void *nc)
{
	ncmem_put(nc);
}

static int init_memory(struct vgpu_device *vdev, const struct vgpu_device_config *config)
{
	struct device *dev = vdev->drm.dev;
	int ret;

	/* The emulation owns the device's DMA operations, which set masks. */
	vdev->nc = ncmem_create(dev, &config->memory);
	if (IS_ERR(vdev->nc))
		return PTR_ERR(vdev->nc);
	ret = drmm_add_action(&vdev->drm, put_memory, vdev->nc);
	if (ret) {
		ncmem_detach(vdev->nc);
		ncmem_put(vdev->nc);
		return ret;
	}
	ret = dma_set_mask_and_coherent(dev, ncmem_dma_mask(&config->memory));
	if (ret) {
		ncmem_detach(vdev->nc);
		return ret;
	}
	dma_set_max_seg_size(dev, UINT_MAX);
	return 0;
}

/* The last reference is gone, so there are no groups, VMs and objects any more. */
static void device_release(struct drm_device *drm, void *unused)
{
	struct vgpu_device *vdev = to_vgpu_device(drm);
	atomic_t *devices = vdev->devices;

	vgpu_turns_fini(vdev);
	destroy_workqueue(vdev->run_wq);
	destroy_workqueue(vdev->sched_wq);
	mutex_destroy(&vdev->lock);
	if (atomic_dec_and_test(devices))
		wake_up_var(devices);
}

static int init_workqueues(struct vgpu_device *vdev)
{
	const char *name = dev_name(vdev->drm.dev);

	vdev->sched_wq = alloc_workqueue("%s-sched", WQ_UNBOUND | WQ_MEM_RECLAIM, 0, name);
	if (!vdev->sched_wq)
		return -ENOMEM;
	vdev->run_wq = alloc_workqueue("%s-run", WQ_UNBOUND | WQ_MEM_RECLAIM, 0, name);
	if (!vdev->run_wq)
		goto err_sched_wq;
	if (vgpu_turns_init(vdev))
		goto err_run_wq;
	atomic_inc(vdev->devices);
	return drmm_add_action_or_reset(&vdev->drm, device_release, NULL);

err_run_wq:
	destroy_workqueue(vdev->run_wq);
err_sched_wq:
	destroy_workqueue(vdev->sched_wq);
	return -ENOMEM;
}

/*
 * The core's first offset is 4 GiB, which programs that keep offsets in an int take for 0.
 * It stays free: there are no objects yet, so that the manager can begin anew.
 */
static void skip_first_offset(struct drm_device *drm)
{
	struct drm_vma_offset_manager *manager = drm->vma_offset_manager;

	drm_vma_offset_manager_destroy(manager);
	drm_vma_offset_manager_init(manager, DRM_FILE_PAGE_OFFSET_START + 1,
				    DRM_FILE_PAGE_OFFSET_SIZE - 1);
}

static void init_members(struct vgpu_device *vdev, const struct vgpu_device_config *config)
{
	init_rwsem(&vdev->import_lock);
	mutex_init(&vdev->lock);
	INIT_LIST_HEAD(&vdev->groups);
	vdev->engine = config->engine;
	vdev->jobs_fail_alone = config->jobs_fail_alone;
	vdev->job_timeout_ms = min_not_zero(config->job_timeout_ms, VGPU_MAX_JOB_TIMEOUT_MS);
	vdev->gem.drm = &vdev->drm;
	vdev->gem.coherent = config->coherent;
	vdev->gem.policy = config->policy;
	vdev->gem.cached_needs_private = config->cached_needs_private;
	vdev->gem.map_imports = config->map_imports;
	vdev->gem.ops = &gem_ops;
}

int vgpu_device_init(struct vgpu_device *vdev, const struct vgpu_device_config *config,
		     atomic_t *devices)
{
	int ret;

	init_members(vdev, config);
	vdev->devices = devices;
	skip_first_offset(&vdev->drm);
	/* What is initialized first goes last: then the driver's module may go too. */
	ret = init_workqueues(vdev);
	if (ret)
		return ret;
	ret = drm_gem_sync_device_init(&vdev->gem);
	if (ret)
		return ret;
	return init_memory(vdev, config);
}

void vgpu_device_fini(struct vgpu_device *vdev)
{
	ncmem_detach(vdev->nc);
}

void vgpu_device_unplug(struct vgpu_device *vdev)
{
	drm_dev_unplug(&vdev->drm);
	/* Imports under way end; those that come later see that the device is gone. */
	down_write(&vdev->import_lock);
	up_write(&vdev->import_lock);
	vgpu_groups_unplug(vdev);
	drm_gem_sync_device_unplug(&vdev->gem);
	ncmem_detach(vdev->nc);
}

/**
 * vgpu_ticks() - a clock of the device, which never stops
 * @hz: ticks per second
 *
 * Context: Any.
 *
 * Return: the ticks so far.
 */
u64 vgpu_ticks(u32 hz)
{
	return mul_u64_u32_div(ktime_get_raw_ns(), hz, NSEC_PER_SEC);
}
EXPORT_SYMBOL_GPL(vgpu_ticks);
