// SPDX-License-Identifier: MIT
/* The device's only work: it carries bytes. A call of the user's is a whole job. */
#include <linux/dma-resv.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include <range.h>

#include "courier.h"

#define PIECE	PAGE_SIZE	/* bytes that the device carries at once */

/*
 * Other devices use what is shared, too: what they write is there first, and what they read
 * was read.
 */
static int wait_for_others(struct drm_gem_object *obj, bool write)
{
	long ret = dma_resv_wait_timeout(obj->resv, dma_resv_usage_rw(write), true,
					 MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

/* One piece, while the device is there. */
static int carry(struct courier_bo *dst, struct courier_bo *src,
		 const struct drm_courier_work *args, u64 done, void *buffer, size_t size)
{
	int ret = 0, idx;

	if (!drm_dev_enter(dst->base.base.dev, &idx))
		return -ENODEV;
	if (src)
		ret = courier_memory_read(src, args->src_offset + done, buffer, size);
	if (!ret)
		ret = courier_memory_write(dst, args->dst_offset + done, buffer, size);
	drm_dev_exit(idx);
	return ret;
}

static int carry_all(struct courier_bo *dst, struct courier_bo *src,
		     const struct drm_courier_work *args)
{
	void *buffer = kmalloc(PIECE, GFP_KERNEL);
	u64 done, size;
	int ret = 0;

	if (!buffer)
		return -ENOMEM;
	memset32(buffer, args->value, PIECE / sizeof(u32));
	for (done = 0; !ret && done < args->size; done += size) {
		size = min_t(u64, args->size - done, PIECE);
		ret = fatal_signal_pending(current) ? -EINTR : 0;
		if (!ret)
			ret = carry(dst, src, args, done, buffer, size);
		cond_resched();
	}
	kfree(buffer);
	return ret;
}

/* The pages stay for as long as the device is at them. */
static int with_pages(struct courier_bo *dst, struct courier_bo *src,
		      const struct drm_courier_work *args)
{
	int ret;

	ret = drm_gem_sync_shmem_pin(&dst->base);
	if (ret)
		return ret;
	if (src)
		ret = drm_gem_sync_shmem_pin(&src->base);
	if (ret)
		goto out_dst;
	if (src)
		ret = wait_for_others(&src->base.base, false);
	if (!ret)
		ret = wait_for_others(&dst->base.base, true);
	if (!ret)
		ret = carry_all(dst, src, args);
	if (src)
		drm_gem_sync_shmem_unpin(&src->base);
out_dst:
	drm_gem_sync_shmem_unpin(&dst->base);
	return ret;
}

static int check_work(const struct drm_courier_work *args)
{
	switch (args->type) {
	case DRM_COURIER_WORK_COPY:
		if (args->value)
			return -EINVAL;
		break;
	case DRM_COURIER_WORK_FILL:
		if (args->src || args->src_offset)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return (args->dst_offset | args->src_offset | args->size) % sizeof(u32) ? -EINVAL : 0;
}

int courier_ioctl_work(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_courier_work *args = data;
	struct drm_gem_object *dst, *src = NULL;
	int ret;

	ret = check_work(args);
	if (ret)
		return ret;
	dst = drm_gem_object_lookup(file, args->dst);
	if (!dst)
		return -ENOENT;
	if (args->type == DRM_COURIER_WORK_COPY) {
		src = drm_gem_object_lookup(file, args->src);
		ret = src ? 0 : -ENOENT;
	}
	if (!ret && (gs_range_check(args->dst_offset, args->size, dst->size) ||
		     (src && gs_range_check(args->src_offset, args->size, src->size))))
		ret = -ERANGE;
	if (!ret)
		ret = with_pages(to_courier_bo(dst), src ? to_courier_bo(src) : NULL, args);
	if (src)
		drm_gem_object_put(src);
	drm_gem_object_put(dst);
	return ret;
}
