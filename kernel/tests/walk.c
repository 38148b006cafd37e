// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk over the runs of an object (R1, R10, R22): every sync lies in one piece
 * that is contiguous both in memory and for the device, and together they are the
 * range, in its order, without a byte twice. What a byte's address is, and where
 * pieces end, is computed here page by page from the mapping's scatter list.
 */
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "fake.h"

#define FLUSH		(DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)
#define INVALIDATE	(DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)

/* No cache line is longer. */
#define MAX_LINE	128

/* One way to lay an object out. */
struct layout {
	const char *name;
	unsigned int pages;
	unsigned int max_segment;
	unsigned int cuts[FAKE_CUTS];
};

static const struct layout layouts[] = {
	{ "one page", 1 },
	{ "as it comes", 16 },
	{ "fragmented", 16, .max_segment = 1 },
	{ "pieces of 3 pages", 16, .max_segment = 3 },
	{ "merged by the IOMMU", 16, .max_segment = 1, .cuts = { 16 } },
	{ "merged in part", 16, .max_segment = 1, .cuts = { 1, 6, 2, 7 } },
	{ "split elsewhere", 16, .max_segment = 3, .cuts = { 2, 5, 1, 1, 4, 3 } },
	{ "longer than a step", 3 * SZ_1M / PAGE_SIZE },
	{ "longer than a step, merged", 3 * SZ_1M / PAGE_SIZE, .max_segment = 512,
	  .cuts = { 1, 767 } },
};

static void layout_name(const struct layout *layout, char *name)
{
	strscpy(name, layout->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(layout, layouts, layout_name);

/* The device's address of a byte, and the number of its segment. */
static dma_addr_t dma_of(const struct drm_gem_sync_shmem_object *bo, u64 offset,
			 unsigned int *segment)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(bo->sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*segment = i;
			return sg_dma_address(sg) + offset;
		}
		offset -= sg_dma_len(sg);
	}
	*segment = UINT_MAX;
	return 0;
}

/* The number of the physical segment of a byte. */
static unsigned int physical_of(const struct drm_gem_sync_shmem_object *bo, u64 offset)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(bo->sgt, sg, i) {
		if (offset < sg->length)
			return i;
		offset -= sg->length;
	}
	return UINT_MAX;
}

/* Check that one record syncs [offset, ...) and return its end. */
static u64 check_record(struct kunit *test, const struct drm_gem_sync_shmem_object *bo,
			const struct fake_record *record, u64 offset)
{
	u64 last = offset + record->size - 1;
	unsigned int first_dma, last_dma;

	KUNIT_ASSERT_GT(test, record->size, 0);
	KUNIT_EXPECT_EQ(test, record->addr, dma_of(bo, offset, &first_dma));
	dma_of(bo, last, &last_dma);
	KUNIT_EXPECT_EQ_MSG(test, first_dma, last_dma, "crosses DMA segments at %#llx", offset);
	KUNIT_EXPECT_EQ_MSG(test, physical_of(bo, offset), physical_of(bo, last),
			    "crosses physical segments at %#llx", offset);
	return last + 1;
}

/* Pieces that are contiguous everywhere, of which a range has at least a byte. */
static unsigned int count_pieces(const struct drm_gem_sync_shmem_object *bo, u64 offset, u64 end)
{
	unsigned int count = 1, dma, physical, next_dma, next_physical;

	dma_of(bo, offset, &dma);
	physical = physical_of(bo, offset);
	for (u64 page = round_down(offset, PAGE_SIZE) + PAGE_SIZE; page < end; page += PAGE_SIZE) {
		dma_of(bo, page, &next_dma);
		next_physical = physical_of(bo, page);
		if (next_dma != dma || next_physical != physical || !(page % SZ_1M))
			count++;
		dma = next_dma;
		physical = next_physical;
	}
	return count;
}

static void check_flush(struct kunit *test, struct fake *fake,
			struct drm_gem_sync_shmem_object *bo, u64 start, u64 size)
{
	u64 offset = start, end = start + size;

	fake_forget(fake);
	KUNIT_ASSERT_EQ(test, drm_gem_sync(&bo->base, start, size, FLUSH), 0);
	KUNIT_ASSERT_LT(test, fake->count, FAKE_RECORDS);
	for (unsigned int i = 0; i < fake->count; i++) {
		offset = check_record(test, bo, &fake->records[i], offset);
		KUNIT_EXPECT_FALSE(test, fake->records[i].for_cpu);
		/* No line is in two pieces: all but the ends are aligned to lines. */
		if (offset != end)
			KUNIT_EXPECT_EQ(test, offset % MAX_LINE, 0);
	}
	KUNIT_EXPECT_EQ(test, offset, end);
	KUNIT_EXPECT_EQ(test, fake->count, count_pieces(bo, start, end));
}

/* The same pieces, each written back and then dropped. */
static void check_invalidate(struct kunit *test, struct fake *fake,
			     struct drm_gem_sync_shmem_object *bo, u64 start, u64 size)
{
	u64 offset = start;

	fake_forget(fake);
	KUNIT_ASSERT_EQ(test, drm_gem_sync(&bo->base, start, size, INVALIDATE), 0);
	KUNIT_ASSERT_LT(test, fake->count, FAKE_RECORDS);
	KUNIT_ASSERT_EQ(test, fake->count, 2 * count_pieces(bo, start, start + size));
	for (unsigned int i = 0; i < fake->count; i += 2) {
		const struct fake_record *clean = &fake->records[i], *drop = clean + 1;

		offset = check_record(test, bo, clean, offset);
		KUNIT_EXPECT_FALSE(test, clean->for_cpu);
		KUNIT_EXPECT_TRUE(test, drop->for_cpu);
		KUNIT_EXPECT_EQ(test, drop->addr, clean->addr);
		KUNIT_EXPECT_EQ(test, drop->size, clean->size);
	}
	KUNIT_EXPECT_EQ(test, offset, start + size);
}

static struct drm_gem_sync_shmem_object *lay_out(struct kunit *test, struct fake *fake,
						 const struct layout *layout)
{
	fake->max_segment = layout->max_segment;
	memcpy(fake->cuts, layout->cuts, sizeof(layout->cuts));
	return fake_pinned(test, fake, (u64)layout->pages * PAGE_SIZE);
}

static void check_range(struct kunit *test, struct fake *fake,
			struct drm_gem_sync_shmem_object *bo, u64 start, u64 size)
{
	if (start >= bo->base.size || size > bo->base.size - start)
		return;
	check_flush(test, fake, bo, start, size);
	check_invalidate(test, fake, bo, start, size);
}

/* Ranges that begin and end in, at and around every page's border. */
static void exact_ranges(struct kunit *test)
{
	static const unsigned int offsets[] = { 0, 1, 63, 64, PAGE_SIZE - 1 };
	const struct layout *layout = test->param_value;
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = lay_out(test, fake, layout);
	u64 size = bo->base.size, step = layout->pages > 32 ? 331 * PAGE_SIZE : PAGE_SIZE;

	check_range(test, fake, bo, 0, size);
	check_range(test, fake, bo, 1, size - 2);
	check_range(test, fake, bo, 1, SZ_1M);
	check_range(test, fake, bo, SZ_1M - 1, 2);
	check_range(test, fake, bo, SZ_1M, SZ_1M);
	for (u64 page = 0; page < size; page += step) {
		for (unsigned int i = 0; i < ARRAY_SIZE(offsets); i++) {
			check_range(test, fake, bo, page + offsets[i], 1);
			check_range(test, fake, bo, page + offsets[i], 64);
			check_range(test, fake, bo, page + offsets[i], 3 * PAGE_SIZE - 7);
			check_range(test, fake, bo, page + offsets[i], size - page - offsets[i]);
		}
	}
}

/* drm_gem_sync_shmem_dma_addr() tells the same addresses, and where they end. */
static void device_addresses(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = lay_out(test, fake, test->param_value);
	unsigned int segment;

	for (u64 offset = 0; offset < bo->base.size; offset += 1000) {
		u64 length = 0;
		dma_addr_t dma = drm_gem_sync_shmem_dma_addr(bo, offset, &length);

		KUNIT_ASSERT_EQ(test, dma, dma_of(bo, offset, &segment));
		KUNIT_ASSERT_GT(test, length, 0);
		KUNIT_ASSERT_LE(test, length, bo->base.size - offset);
		KUNIT_ASSERT_EQ(test, dma + length - 1, dma_of(bo, offset + length - 1, &segment));
		KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_dma_addr(bo, offset, NULL), dma);
	}
}

/* Once a sync that had taken more than a second listened to signals. */
#define LONG_MS		1100

/* A flush of all of an object in pages, in whose third piece a signal comes. */
static int flush_with_signal(struct fake *fake, struct drm_gem_sync_shmem_object *bo, int signal,
			     unsigned int delay_ms)
{
	int ret;

	allow_signal(signal);
	fake->signal = signal;
	fake->signal_after = 3;
	fake->signal_delay_ms = delay_ms;
	ret = drm_gem_sync(&bo->base, 0, bo->base.size, FLUSH);
	flush_signals(current);
	disallow_signal(signal);
	fake->signal_after = 0;
	return ret;
}

/* R7: a signal that kills ends a sync, its hold is gone, and doing it again does it all. */
static void kill_ends_walk(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	const struct layout fragmented = { .pages = 8, .max_segment = 1 };
	struct drm_gem_sync_shmem_object *bo = lay_out(test, fake, &fragmented);

	KUNIT_EXPECT_EQ(test, flush_with_signal(fake, bo, SIGKILL, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, fake->count, 3);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&bo->holds), 0, "the hold was not released");

	check_flush(test, fake, bo, 0, bo->base.size);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->holds), 0);
}

/* R7: any other lets a sync end, however long that takes. */
static void signal_lets_walk_end(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	const struct layout fragmented = { .pages = 8, .max_segment = 1 };
	struct drm_gem_sync_shmem_object *bo = lay_out(test, fake, &fragmented);

	KUNIT_EXPECT_EQ(test, flush_with_signal(fake, bo, SIGUSR1, LONG_MS), 0);
	KUNIT_EXPECT_EQ(test, fake->count, 8);
}

/* One behind the last piece does not fail what is done. */
static void kill_after_walk(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	const struct layout fragmented = { .pages = 3, .max_segment = 1 };
	struct drm_gem_sync_shmem_object *bo = lay_out(test, fake, &fragmented);

	KUNIT_EXPECT_EQ(test, flush_with_signal(fake, bo, SIGKILL, 0), 0);
	KUNIT_EXPECT_EQ(test, fake->count, 3);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(exact_ranges, layout_gen_params),
	KUNIT_CASE_PARAM(device_addresses, layout_gen_params),
	KUNIT_CASE(kill_ends_walk),
	KUNIT_CASE(signal_lets_walk_end),
	KUNIT_CASE(kill_after_walk),
	{}
};

struct kunit_suite gem_sync_walk_suite = {
	.name = "gem_sync_walk",
	.test_cases = cases,
};
