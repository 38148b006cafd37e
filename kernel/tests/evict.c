// SPDX-License-Identifier: GPL-2.0-only
/* Eviction and purge, where user space cannot see or cause it (R9, R17, R18, R19). */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "fake.h"

#define DEV_RW	(DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)

#define PAGES	4
#define SIZE	(PAGES * PAGE_SIZE)

static int evicting_result;

static int evicting(struct drm_gem_sync_shmem_object *shmem)
{
	fake_log(to_fake(shmem->base.dev), 'e');
	return evicting_result;
}

static void releasing(struct drm_gem_sync_shmem_object *shmem)
{
	fake_log(to_fake(shmem->base.dev), 'r');
}

static const struct drm_gem_sync_device_ops ops = {
	.evicting = evicting,
	.releasing = releasing,
};

static struct drm_gem_sync_shmem_object *populated(struct kunit *test, struct fake *fake)
{
	struct drm_gem_sync_shmem_object *bo = fake_bo(test, fake, SIZE);

	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	drm_gem_sync_shmem_unpin(bo);
	fake_forget(fake);
	return bo;
}

static struct fake *create(struct kunit *test)
{
	struct fake *fake = fake_create(test);

	evicting_result = 0;
	fake->sdev.ops = &ops;
	return fake;
}

/* R18: the device is kept away, what is dirty is written back, and then the mapping goes. */
static void order(struct kunit *test)
{
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);
	u64 bytes = 0;

	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, 1), PAGES);
	KUNIT_EXPECT_NULL(test, bo->pages);
	for (unsigned int i = 0; i < fake->count; i++) {
		KUNIT_EXPECT_FALSE(test, fake->records[i].for_cpu);
		bytes += fake->records[i].size;
	}
	KUNIT_EXPECT_EQ(test, bytes, SIZE);
	KUNIT_ASSERT_EQ(test, fake->log[0], 'e');
	KUNIT_EXPECT_STREQ(test, fake->log + 1 + fake->count, "ur");
}

/* Nothing is dirty in what the CPU maps write-combined, or where the device snoops. */
static void nothing_to_write_back(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args wc = {};
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = fake_bo_args(test, fake, SIZE, &wc);

	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	drm_gem_sync_shmem_unpin(bo);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, 1), PAGES);
	fake->sdev.coherent = true;
	populated(test, fake);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, 1), PAGES);
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

static void put_word(struct drm_gem_sync_shmem_object *bo, u32 word)
{
	u32 *map = kmap_local_page(bo->pages[PAGES - 1]);

	map[1] = word;
	kunmap_local(map);
}

static u32 get_word(struct drm_gem_sync_shmem_object *bo)
{
	u32 *map = kmap_local_page(bo->pages[PAGES - 1]), word = map[1];

	kunmap_local(map);
	return word;
}

/* That its pages are put is no use of one: swap would pass over what was used last. */
static void not_accessed(struct kunit *test)
{
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);
	struct folio *folio = page_folio(bo->pages[0]);

	folio_get(folio);
	folio_clear_referenced(folio);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, 1), PAGES);
	KUNIT_EXPECT_FALSE(test, folio_test_referenced(folio) || folio_test_active(folio));
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	folio_put(folio);
}

/* R17: the content comes back with the pages. */
static void content(struct kunit *test)
{
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);

	put_word(bo, 0x12345678);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, 1), PAGES);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	KUNIT_EXPECT_EQ(test, get_word(bo), 0x12345678);
	drm_gem_sync_shmem_unpin(bo);
}

static void expect_stays(struct kunit *test, struct fake *fake,
			 struct drm_gem_sync_shmem_object *bo)
{
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, UINT_MAX), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->pages);
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "gem-sync-kunit";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static void add_fence(struct kunit *test, struct drm_gem_sync_shmem_object *bo,
		      struct dma_fence *fence)
{
	KUNIT_ASSERT_EQ(test, dma_resv_lock(bo->base.resv, NULL), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(bo->base.resv, 1), 0);
	dma_resv_add_fence(bo->base.resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(bo->base.resv);
}

/* What is pinned, held by a sync, fenced, or needed by the driver stays; then it goes. */
static void in_use(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	expect_stays(test, fake, bo);
	drm_gem_sync_shmem_unpin(bo);

	atomic_inc(&bo->holds);
	expect_stays(test, fake, bo);
	atomic_dec(&bo->holds);

	dma_fence_init(fence, &fence_ops, &lock, dma_fence_context_alloc(1), 1);
	add_fence(test, bo, fence);
	expect_stays(test, fake, bo);
	dma_fence_signal(fence);
	dma_fence_put(fence);

	dma_resv_lock(bo->base.resv, NULL);
	expect_stays(test, fake, bo);
	dma_resv_unlock(bo->base.resv);

	evicting_result = -EBUSY;
	expect_stays(test, fake, bo);
	evicting_result = 0;
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, UINT_MAX), PAGES);
	KUNIT_EXPECT_NULL(test, bo->pages);
}

/* R9, case 36: what was purged is gone for ever, and a sync of it is nothing. */
static void purged(struct kunit *test)
{
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);

	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_purge(&fake->sdev, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, false), 1);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_purge(&fake->sdev, UINT_MAX), PAGES);
	KUNIT_EXPECT_STREQ(test, fake->log, "eur");
	KUNIT_EXPECT_NULL(test, bo->pages);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, true), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_pin(bo), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, SIZE, DEV_RW), 0);
	KUNIT_EXPECT_NULL(test, bo->pages);
	KUNIT_EXPECT_EQ(test, bo->base.filp->f_mapping->nrpages, 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_purge(&fake->sdev, UINT_MAX), 0);
}

/* Who changes his mind in time has lost nothing. */
static void needed_again(struct kunit *test)
{
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = populated(test, fake);

	put_word(bo, 0x600d);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, false), 1);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, true), 1);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_purge(&fake->sdev, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_evict(&fake->sdev, UINT_MAX), PAGES);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	KUNIT_EXPECT_EQ(test, get_word(bo), 0x600d);
	drm_gem_sync_shmem_unpin(bo);
}

/* What others may be looking at is not dropped, also when the exporter's handle is gone. */
static void exported(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args wc = {};
	struct fake *fake = create(test);
	struct drm_gem_sync_shmem_object *bo = fake_bo_args(test, fake, SIZE, &wc);
	struct dma_buf *dma_buf = drm_gem_sync_shmem_export(&bo->base, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	drm_gem_sync_shmem_unpin(bo);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, false), 1);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_device_purge(&fake->sdev, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_madvise(bo, true), 1);
	dma_buf_put(dma_buf);
	flush_delayed_fput();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(order),
	KUNIT_CASE(nothing_to_write_back),
	KUNIT_CASE(not_accessed),
	KUNIT_CASE(content),
	KUNIT_CASE(in_use),
	KUNIT_CASE(purged),
	KUNIT_CASE(needed_again),
	KUNIT_CASE(exported),
	{}
};

struct kunit_suite gem_sync_evict_suite = {
	.name = "gem_sync_evict",
	.test_cases = cases,
};

COMPAT_IMPORT_NS(DMA_BUF);
