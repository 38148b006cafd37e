// SPDX-License-Identifier: MIT
/*
 * The device's memory with ncmem beneath: the same driver, on a machine that snoops, sees a
 * cache that the device does not. Nothing else of the driver knows.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <ncmem.h>

#include "courier.h"

static unsigned int line_size = 64;
module_param(line_size, uint, 0444);
MODULE_PARM_DESC(line_size, "Bytes of an emulated CPU cache line: 32, 64 or 128 (default 64)");

static bool coherent;
module_param(coherent, bool, 0444);
MODULE_PARM_DESC(coherent, "The device is coherent with CPU caches (default N)");

/* The pages of one object, and whose they are. */
struct emulated {
	struct ncmem_owner owner;
	struct ncmem_pages *pages;
};

static struct ncmem *ncmem_of(struct drm_gem_sync_shmem_object *shmem)
{
	return to_courier(shmem->base.dev)->nc;
}

static struct emulated *emulated_of(struct drm_gem_sync_shmem_object *shmem)
{
	return container_of(shmem, struct courier_bo, base)->emulated;
}

void courier_memory_label(struct courier_bo *bo)
{
	/* Reports read it at any time. Without pages there is nothing to report. */
	if (bo->emulated)
		ncmem_owner_set_label(ncmem_of(&bo->base), &bo->emulated->owner, bo->label);
}

static int populated(struct drm_gem_sync_shmem_object *shmem)
{
	struct courier_bo *bo = container_of(shmem, struct courier_bo, base);
	struct emulated *emulated = kzalloc(sizeof(*emulated), GFP_KERNEL);

	if (!emulated)
		return -ENOMEM;
	strscpy(emulated->owner.comm, bo->comm);
	emulated->owner.pid = bo->pid;
	emulated->pages = ncmem_pages_add(ncmem_of(shmem), drm_gem_sync_shmem_pages(shmem),
					  shmem->base.size >> PAGE_SHIFT, &emulated->owner);
	if (IS_ERR(emulated->pages)) {
		int ret = PTR_ERR(emulated->pages);

		kfree(emulated);
		return ret;
	}
	bo->emulated = emulated;
	courier_memory_label(bo);
	return 0;
}

static void releasing(struct drm_gem_sync_shmem_object *shmem)
{
	struct emulated *emulated = emulated_of(shmem);

	ncmem_pages_remove(emulated->pages);
	kfree(emulated);
	container_of(shmem, struct courier_bo, base)->emulated = NULL;
}

static struct page *cpu_page(struct drm_gem_sync_shmem_object *shmem, pgoff_t index)
{
	return ncmem_cpu_page(emulated_of(shmem)->pages, index);
}

static const struct drm_gem_sync_device_ops courier_gem_ops = {
	.populated = populated,
	.releasing = releasing,
	.cpu_page = cpu_page,
};

int courier_memory_init(struct courier_device *courier)
{
	const struct ncmem_params params = {
		.line_size = line_size,
		.mode = coherent ? NCMEM_COHERENT : NCMEM_LAZY,
	};
	struct device *dev = courier->drm.dev;
	struct ncmem *nc;
	int ret;

	nc = ncmem_create(dev, &params);
	if (IS_ERR(nc))
		return PTR_ERR(nc);
	courier->nc = nc;
	ret = dma_set_mask_and_coherent(dev, ncmem_dma_mask(&params));
	if (ret) {
		courier_memory_fini(courier);
		return ret;
	}
	dma_set_max_seg_size(dev, UINT_MAX);
	courier->gem.coherent = coherent;
	courier->gem.ops = &courier_gem_ops;
	return 0;
}

void courier_memory_fini(struct courier_device *courier)
{
	ncmem_detach(courier->nc);
	ncmem_put(courier->nc);
}

void courier_memory_debugfs(struct courier_device *courier, struct dentry *root)
{
	ncmem_debugfs_init(courier->nc, root);
}

/* By DMA addresses alone, as a device has to. */
static int access(struct courier_bo *bo, u64 offset, void *to, const void *from, size_t size)
{
	struct ncmem *nc = ncmem_of(&bo->base);
	u64 done, piece;
	dma_addr_t dma;
	int ret = 0;

	for (done = 0; !ret && done < size; done += piece) {
		dma = drm_gem_sync_shmem_dma_addr(&bo->base, offset + done, &piece);
		piece = min_t(u64, piece, size - done);
		ret = to ? ncmem_dev_read(nc, dma, to + done, piece) :
			   ncmem_dev_write(nc, dma, from + done, piece);
	}
	return ret;
}

int courier_memory_read(struct courier_bo *bo, u64 offset, void *to, size_t size)
{
	return access(bo, offset, to, NULL, size);
}

int courier_memory_write(struct courier_bo *bo, u64 offset, const void *from, size_t size)
{
	return access(bo, offset, NULL, from, size);
}
