// SPDX-License-Identifier: GPL-2.0-only
/* Which device can bounce, and has no cached objects (R21). */
#include <linux/dma-direct.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include "fake.h"

#define BO_SIZE	(4 * PAGE_SIZE)

static const struct drm_gem_sync_shmem_args write_combined = {};
static const struct drm_gem_sync_shmem_args cached = { .cached = true, .private = true };
static const struct drm_gem_sync_shmem_args cached_shared = { .cached = true };

/* What creating an object returns. */
static int create(struct fake *fake, const struct drm_gem_sync_shmem_args *args)
{
	struct drm_gem_sync_shmem_object *bo;
	int ret = fake_try_bo(fake, BO_SIZE, args, &bo);

	if (!ret)
		drm_gem_object_put(&bo->base);
	return ret;
}

static void set_mask(struct kunit *test, struct fake *fake, unsigned int bits)
{
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(fake->drm.dev, DMA_BIT_MASK(bits)), 0);
}

/* The DMA API takes 32 bits to be enough for DMA operations of a device's own. */
static void addressing_limited(struct kunit *test)
{
	struct fake *fake = fake_create(test);

	set_mask(test, fake, 31);
	KUNIT_EXPECT_EQ(test, create(fake, &cached), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, create(fake, &write_combined), 0);
	KUNIT_EXPECT_EQ_MSG(test, create(fake, &cached_shared), -EINVAL, "R13 counts first");
	fake->sdev.coherent = true;
	KUNIT_EXPECT_EQ(test, create(fake, &cached), 0);
	fake->sdev.coherent = false;
	set_mask(test, fake, 32);
	KUNIT_EXPECT_EQ(test, create(fake, &cached), 0);
}

/* A limit of the bus is one of the device. */
static void bus_limited(struct kunit *test)
{
	struct fake *fake = fake_create(test);

	fake->drm.dev->bus_dma_limit = DMA_BIT_MASK(31);
	KUNIT_EXPECT_EQ(test, create(fake, &cached), -EOPNOTSUPP);
	fake->drm.dev->bus_dma_limit = 0;
	KUNIT_EXPECT_EQ(test, create(fake, &cached), 0);
}

/* From here on the device has no DMA operations of its own. */
static void map_directly(struct kunit *test, struct fake *fake)
{
	set_dma_ops(fake->drm.dev, NULL);
	if (get_dma_ops(fake->drm.dev))
		kunit_skip(test, "all devices of this machine have DMA operations");
}

/* Bouncing that is forced, as it is for devices behind a restricted pool. */
static void forced(struct kunit *test)
{
	struct io_tlb_mem *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	struct fake *fake = fake_create(test);

	KUNIT_ASSERT_NOT_NULL(test, pool);
	fake->drm.dev->dma_io_tlb_mem = pool;
	pool->force_bounce = true;
	KUNIT_EXPECT_EQ_MSG(test, create(fake, &cached), 0, "its own operations do not bounce");
	map_directly(test, fake);
	KUNIT_EXPECT_EQ(test, create(fake, &cached), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, create(fake, &write_combined), 0);
	pool->force_bounce = false;
	KUNIT_EXPECT_EQ(test, create(fake, &cached), 0);
}

/* The bus adds an offset to physical addresses: that is no bounce. */
static void direct_with_offset(struct kunit *test)
{
	static const struct bus_dma_region map[] = {
		{ .cpu_start = 0, .dma_start = SZ_1G * 1024ULL, .size = SZ_1G * 512ULL },
		{}
	};
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;
	u64 length;

	map_directly(test, fake);
	fake->drm.dev->dma_range_map = map;
	KUNIT_ASSERT_EQ(test, fake_try_bo(fake, BO_SIZE, &cached, &bo), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	if (bo->pages) {
		KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_dma_addr(bo, 0, &length),
				page_to_phys(bo->pages[0]) + map[0].dma_start);
		drm_gem_sync_shmem_unpin(bo);
	}
	drm_gem_object_put(&bo->base);
	/* It is no allocation that the device could free. */
	fake->drm.dev->dma_range_map = NULL;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(addressing_limited),
	KUNIT_CASE(bus_limited),
	KUNIT_CASE(forced),
	KUNIT_CASE(direct_with_offset),
	{}
};

struct kunit_suite gem_sync_bounce_suite = {
	.name = "gem_sync_bounce",
	.test_cases = cases,
};
