// SPDX-License-Identifier: MIT
/*
 * New pages read as zero through every view, before any sync (R17). An emulated
 * device poisons memory first, so that a page that was not published is seen.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "share.h"

#define SIZE	(256 * KIB)

static const uint32_t all_flags[] = {
	0, GEMSYNC_BO_CACHED, GEMSYNC_BO_NO_MMAP, GEMSYNC_BO_SHAREABLE,
	GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_NO_MMAP,
};

/* A BO that is bound, and not mapped. */
static struct buffer *new_unmapped(struct cf *cf, uint32_t flags)
{
	struct buffer *buf = next_buffer(cf);

	EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, flags, &buf->bo));
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	return buf;
}

static void map_buffer(struct buffer *buf)
{
	void *map;

	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
}

CASE(r17_gpu_looks_first, "R17", NO_SYNC,
     "new pages read as zero by the GPU, with no CPU map before")
{
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_flags); i++) {
		if (all_flags[i] & GEMSYNC_BO_CACHED && !makes_cached(cf))
			continue;
		buf = new_unmapped(cf, all_flags[i]);
		EXPECT_EQ(count_nonzero_by_gpu(cf, buf, SIZE), 0);
		if (all_flags[i] & GEMSYNC_BO_NO_MMAP)
			continue;
		map_buffer(buf);
		EXPECT_EQ(count_nonzero(buf->map, SIZE), 0);
		/* What is counted can be seen. */
		gpu_put(cf, buf, SIZE - 4, ~0u);
		EXPECT_EQ(count_nonzero_by_gpu(cf, buf, SIZE), 4);
	}
}

static void cpu_looks_first(struct cf *cf, uint32_t flags)
{
	struct buffer *buf = next_buffer(cf);

	EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, flags, &buf->bo));
	map_buffer(buf);
	EXPECT_EQ(count_nonzero(buf->map, SIZE), 0);
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	EXPECT_EQ(count_nonzero_by_gpu(cf, buf, SIZE), 0);
}

CASE(r17_write_combined_map_looks_first, "R17", NO_SYNC,
     "new pages read as zero by a write-combined map before the GPU, and by the GPU then")
{
	cpu_looks_first(cf, 0);
	cpu_looks_first(cf, GEMSYNC_BO_SHAREABLE);
}

CASE(r17_cached_map_looks_first, "R17", 0,
     "new pages read as zero by a cached map before the GPU, and by the GPU then, with no sync")
{
	cpu_looks_first(cf, GEMSYNC_BO_CACHED);
}

CASE(r17_gpu_write_is_not_published_over, "R17", NEED_SYNC,
     "what the GPU writes first is not overwritten when the BO is mapped after that")
{
	static const uint32_t flags[] = { 0, GEMSYNC_BO_CACHED };
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = new_unmapped(cf, flags[i]);
		EXPECT_OK(gpu_fill(cf->gpu, buf->va, NEW, SIZE));
		map_buffer(buf);
		/* The cache may have had these lines since the pages were zeroed. */
		EXPECT_OK(flush(cf, buf, 0, SIZE));
		EXPECT_GPU(cf, buf, PAGE, NEW);
		EXPECT_OK(invalidate(cf, buf, 0, SIZE));
		EXPECT_CPU(cf, buf, 0, NEW);
		EXPECT_CPU(cf, buf, SIZE - 4, NEW);
	}
}

/* The worst that a cache may do is what an emulated one does, unless it is asked to be kind. */
static bool is_kind(struct cf *cf)
{
	char value[4];

	if (!module_parameter(cf, "kind", value, sizeof(value)))
		return value[0] == 'Y';
	return strstr(cf->info.node, "mode=kind");
}

CASE(r4_readback_once_is_stale, "R4 R17", NEED_LAZY,
     "what the GPU wrote to a new BO is stale for its first cached map, until it is invalidated")
{
	struct buffer *buf = new_unmapped(cf, GEMSYNC_BO_CACHED);

	gpu_put(cf, buf, PAGE, OLD);
	map_buffer(buf);
	EXPECT_CPU(cf, buf, PAGE, is_kind(cf) ? OLD : 0);
	/* Flushing does not help, nor does an invalidation of the line beside. */
	gpu_put(cf, buf, PAGE, NEW);
	EXPECT_OK(flush(cf, buf, 0, SIZE));
	EXPECT_OK(invalidate(cf, buf, PAGE + cf->info.line_size, 4));
	EXPECT_CPU(cf, buf, PAGE, is_kind(cf) ? OLD : 0);
	EXPECT_OK(invalidate(cf, buf, PAGE, 4));
	EXPECT_CPU(cf, buf, PAGE, NEW);
}

CASE(r4_readback_invalidated_too_early_is_stale, "R4", NEED_LAZY,
     "lines that are invalidated before the GPU writes are stale after it, mapped or not")
{
	struct buffer *buf = new_unmapped(cf, GEMSYNC_BO_CACHED);

	gpu_put(cf, buf, PAGE, OLD);
	gpu_put(cf, buf, 0, OLD);
	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	gpu_put(cf, buf, PAGE, NEW);
	map_buffer(buf);
	EXPECT_CPU(cf, buf, 0, OLD);
	EXPECT_CPU(cf, buf, PAGE, is_kind(cf) ? NEW : OLD);
	/* A page that the GPU had not written has zeros, as at its birth. */
	gpu_put(cf, buf, 2 * PAGE, NEW);
	if (!is_kind(cf))
		EXPECT_CPU(cf, buf, 2 * PAGE, 0);
	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	EXPECT_CPU(cf, buf, PAGE, NEW);
	EXPECT_CPU(cf, buf, 2 * PAGE, NEW);
}

CASE(r17_invalidate_of_new_pages, "R17 R4", NEED_SYNC,
     "a flush and invalidate of new pages brings nothing but zeros to light")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	EXPECT_EQ(count_nonzero(buf->map, SIZE), 0);
	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	EXPECT_EQ(count_nonzero(buf->map, SIZE), 0);
	EXPECT_EQ(count_nonzero_by_gpu(cf, buf, SIZE), 0);
}

CASE(r17_nothing_left_of_a_freed_bo, "R17", NO_SYNC,
     "pages of a freed BO, which CPU and GPU had written, read as zero in the next one")
{
	uint32_t cached = makes_cached(cf) ? GEMSYNC_BO_CACHED : 0;
	struct gemsync_bo *bo;
	uint64_t va;
	void *map;
	int i;

	for (i = 0; i < 8; i++) {
		EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, i & 1 ? cached : 0, &bo));
		EXPECT_OK(gemsync_bo_map(bo, &map));
		EXPECT_EQ(count_nonzero(map, SIZE), 0);
		memset(map, 0x5a, SIZE);
		EXPECT_EQ(count_nonzero(map, SIZE), SIZE);
		EXPECT_OK(gpu_bind(cf->gpu, bo, &va));
		EXPECT_OK(gpu_fill(cf->gpu, va, NEW, SIZE / 2));
		unbind(cf, va, SIZE);
		gemsync_bo_destroy(bo);
		EXPECT_EQ(count_nonzero_by_gpu(cf, new_unmapped(cf, i & 2 ? cached : 0), SIZE), 0);
	}
}

CASE(r17_import_elsewhere_looks_first, "R17 R13", NEED_FILE,
     "new pages read as zero by the GPU of another file that imports them, before any map")
{
	struct gemsync_bo *bo;
	struct buffer *imported;
	int dmabuf;

	EXPECT_OK(gemsync_bo_create(other_file(cf), SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	EXPECT_OK(gemsync_bo_export(bo, &dmabuf));
	imported = import_buffer(cf, dmabuf);
	EXPECT_EQ(count_nonzero_by_gpu(cf, imported, SIZE), 0);
	gpu_put(cf, imported, 0, ~0u);
	EXPECT_EQ(count_nonzero(map_fd(dmabuf, 0, SIZE), SIZE), 4);
	gemsync_bo_destroy(bo);
}

CASES(fresh, "New pages",
      &r17_gpu_looks_first,
      &r17_write_combined_map_looks_first,
      &r17_cached_map_looks_first,
      &r17_gpu_write_is_not_published_over,
      &r4_readback_once_is_stale,
      &r4_readback_invalidated_too_early_is_stale,
      &r17_invalidate_of_new_pages,
      &r17_nothing_left_of_a_freed_bo,
      &r17_import_elsewhere_looks_first);
