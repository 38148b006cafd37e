// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/device.h>

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "fake.h"

/* Where the IOMMU's addresses begin, and how far segments lie apart. */
#define FIRST_ADDR	0x100000000ULL
#define GAP		0x10000000ULL

static struct drm_gem_object *import_sg_table(struct drm_device *drm,
					      struct dma_buf_attachment *attach,
					      struct sg_table *sgt);

static const struct file_operations fake_fops = {
	.owner = THIS_MODULE,
};

static const struct drm_driver fake_driver = {
	.driver_features = DRIVER_GEM,
	.gem_prime_import_sg_table = import_sg_table,
	.fops = &fake_fops,
	.name = "gem-sync-kunit",
	.desc = "device of a test",
	.major = 1,
};

static struct fake *dev_to_fake(struct device *dev)
{
	return container_of((struct dma_map_ops *)get_dma_ops(dev), struct fake, ops);
}

static int map_as_physical(struct fake *fake, struct scatterlist *sgl, int nents)
{
	u64 addr = fake->next_addr;
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		addr += sg->length + GAP;
	}
	fake->next_addr = addr;
	return nents;
}

static u64 total_size(struct scatterlist *sgl, int nents)
{
	struct scatterlist *sg;
	u64 size = 0;
	int i;

	for_each_sg(sgl, sg, nents, i)
		size += sg->length;
	return size;
}

/* Segments of DMA addresses that have nothing to do with the physical ones. */
static int map_as_cut(struct fake *fake, struct scatterlist *sgl, int nents)
{
	u64 left = total_size(sgl, nents), addr = fake->next_addr;
	struct scatterlist *sg;
	int i, used = 0;

	for_each_sg(sgl, sg, nents, i) {
		u64 size = min_t(u64, left, (u64)fake->cuts[used] << PAGE_SHIFT);

		/* A list that is shorter than the object: the last segment has the rest. */
		if (!size || !fake->cuts[used + 1])
			size = left;
		if (!left) {
			sg_dma_len(sg) = 0;
			break;
		}
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = size;
		addr += size + GAP;
		left -= size;
		used++;
	}
	fake->next_addr = addr;
	return left ? -EINVAL : used;
}

static int map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		  enum dma_data_direction dir, unsigned long attrs)
{
	struct fake *fake = dev_to_fake(dev);

	return fake->cuts[0] ? map_as_cut(fake, sgl, nents) : map_as_physical(fake, sgl, nents);
}

void fake_log(struct fake *fake, char event)
{
	size_t length = strlen(fake->log);

	if (length < sizeof(fake->log) - 1)
		fake->log[length] = event;
}

static void unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct fake *fake = dev_to_fake(dev);

	fake_log(fake, 'u');
	if (fake->unmapping)
		fake->unmapping();
}

static void record(struct device *dev, dma_addr_t addr, size_t size,
		   enum dma_data_direction dir, bool for_cpu)
{
	struct fake *fake = dev_to_fake(dev);

	fake_log(fake, for_cpu ? 'c' : 'd');
	if (fake->count < FAKE_RECORDS)
		fake->records[fake->count] = (struct fake_record){
			.for_cpu = for_cpu,
			.dir = dir,
			.addr = addr,
			.size = size,
		};
	fake->count++;
	if (fake->count == fake->signal_after) {
		if (fake->signal_delay_ms)
			msleep(fake->signal_delay_ms);
		send_sig(fake->signal, current, 1);
	}
}

static void sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	record(dev, addr, size, dir, false);
}

static void sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	record(dev, addr, size, dir, true);
}

static void sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
			       enum dma_data_direction dir)
{
	record(dev, sg_dma_address(sgl), total_size(sgl, nents), dir, false);
}

static void sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
			    enum dma_data_direction dir)
{
	record(dev, sg_dma_address(sgl), total_size(sgl, nents), dir, true);
}

static size_t max_mapping_size(struct device *dev)
{
	struct fake *fake = dev_to_fake(dev);

	return fake->max_segment ? (size_t)fake->max_segment << PAGE_SHIFT : SIZE_MAX;
}

struct fake *fake_create(struct kunit *test)
{
	static atomic_t count;
	struct device *dev;
	struct fake *fake;
	char name[32];

	snprintf(name, sizeof(name), "gem-sync-kunit-%d", atomic_inc_return(&count));
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	fake = devm_drm_dev_alloc(dev, &fake_driver, struct fake, drm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake);
	fake->records = kunit_kcalloc(test, FAKE_RECORDS, sizeof(*fake->records), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->records);
	fake->ops = (struct dma_map_ops){
		.map_sg = map_sg,
		.unmap_sg = unmap_sg,
		.sync_single_for_cpu = sync_single_for_cpu,
		.sync_single_for_device = sync_single_for_device,
		.sync_sg_for_cpu = sync_sg_for_cpu,
		.sync_sg_for_device = sync_sg_for_device,
		.max_mapping_size = max_mapping_size,
	};
	set_dma_ops(dev, &fake->ops);
	dev->dma_mask = &fake->dma_mask;
	dev->dma_parms = &fake->dma_parms;
	fake->next_addr = FIRST_ADDR;
	dma_set_max_seg_size(dev, UINT_MAX);
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	fake->sdev.drm = &fake->drm;
	fake->sdev.cached_needs_private = true;
	KUNIT_ASSERT_EQ(test, drm_gem_sync_device_init(&fake->sdev), 0);
	return fake;
}

static void bo_free(struct drm_gem_object *obj)
{
	struct drm_gem_sync_shmem_object *bo = to_drm_gem_sync_shmem(obj);

	drm_gem_sync_shmem_fini(bo);
	kfree(bo);
}

static const struct drm_gem_sync_funcs bo_funcs = DRM_GEM_SYNC_SHMEM_FUNCS(bo_free, NULL);

static struct drm_gem_object *import_sg_table(struct drm_device *drm,
					      struct dma_buf_attachment *attach,
					      struct sg_table *sgt)
{
	struct drm_gem_sync_shmem_object *bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	int ret;

	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = drm_gem_sync_shmem_init_import(&to_fake(drm)->sdev, bo, &bo_funcs, attach, sgt);
	if (ret) {
		kfree(bo);
		return ERR_PTR(ret);
	}
	return &bo->base;
}

static void put_bo(void *data)
{
	struct drm_gem_sync_shmem_object *bo = data;

	drm_gem_object_put(&bo->base);
}

static void unpin_bo(void *data)
{
	drm_gem_sync_shmem_unpin(data);
}

int fake_try_bo(struct fake *fake, u64 size, const struct drm_gem_sync_shmem_args *args,
		struct drm_gem_sync_shmem_object **bo)
{
	int ret;

	*bo = kzalloc(sizeof(**bo), GFP_KERNEL);
	if (!*bo)
		return -ENOMEM;
	ret = drm_gem_sync_shmem_init(&fake->sdev, *bo, &bo_funcs, size, args);
	if (ret)
		kfree(*bo);
	return ret;
}

struct drm_gem_sync_shmem_object *fake_bo_args(struct kunit *test, struct fake *fake, u64 size,
					       const struct drm_gem_sync_shmem_args *args)
{
	struct drm_gem_sync_shmem_object *bo;

	KUNIT_ASSERT_EQ(test, fake_try_bo(fake, size, args, &bo), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_bo, bo), 0);
	return bo;
}

struct drm_gem_sync_shmem_object *fake_bo(struct kunit *test, struct fake *fake, u64 size)
{
	const struct drm_gem_sync_shmem_args args = { .cached = true, .private = true };

	return fake_bo_args(test, fake, size, &args);
}

struct drm_gem_sync_shmem_object *fake_pinned(struct kunit *test, struct fake *fake, u64 size)
{
	struct drm_gem_sync_shmem_object *bo = fake_bo(test, fake, size);

	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unpin_bo, bo), 0);
	fake_forget(fake);
	return bo;
}

struct drm_gem_sync_shmem_object *fake_import(struct kunit *test, struct fake *fake,
					      struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = drm_gem_prime_import(&fake->drm, dma_buf);
	struct drm_gem_sync_shmem_object *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	bo = to_drm_gem_sync_shmem(obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_bo, bo), 0);
	return bo;
}
