// SPDX-License-Identifier: MIT
/* Where there is nothing to do, nothing is done, and nothing is allocated (R9, R12). */
#include "machine.h"
#include "raw_sync.h"

/* Both operations on the whole BO, by the library, and by the driver's call if there is one. */
static void sync_all(struct cf *cf, struct gemsync_bo *bo, uint64_t size)
{
	struct raw_op op = { .handle = gemsync_bo_handle(bo), .type = FLUSH, .size = size };

	EXPECT_OK(gemsync_bo_flush(bo, 0, size));
	EXPECT_OK(gemsync_bo_invalidate(bo, 0, size));
	if (cf->fd < 0 || !gpu_sync_abi(cf->dev))
		return;
	EXPECT_OK(raw_sync(cf, &op, 1));
	op.type = BOTH;
	EXPECT_OK(raw_sync(cf, &op, 1));
}

CASE(r9_size_0, "R9 R1", NEED_LAZY,
     "a sync of 0 bytes is 0 and touches no line, at both ends of the BO and inside it")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;

	put_both(cf, buf, 0, OLD);
	cpu_put(buf, 0, NEW);
	before = lines_now(cf);
	sync_all(cf, buf->bo, 0);
	EXPECT_OK(flush(cf, buf, 4096, 0));
	EXPECT_OK(invalidate(cf, buf, 4096, 0));
	EXPECT_OK(flush(cf, buf, 2, 0));
	EXPECT_LINES(cf, &before, 0, 0);
	EXPECT_GPU(cf, buf, 0, OLD);
	/* The twin: one byte. */
	EXPECT_OK(flush(cf, buf, 0, 1));
	EXPECT_LINES(cf, &before, 1, 0);
	EXPECT_GPU(cf, buf, 0, NEW);
}

CASE(r9_write_combined, "R9 R12", NEED_LAZY,
     "a sync of a write-combined BO is 0 and touches no line; the same of a cached one does")
{
	struct buffer *cached = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(cf, 4096, 0);
	struct gemsync_counters before;
	uint64_t lines = lines_of(cf, 0, 4096);

	cpu_put(cached, 0, NEW);
	cpu_put(wc, 0, NEW);
	before = lines_now(cf);
	sync_all(cf, wc->bo, 4096);
	EXPECT_LINES(cf, &before, 0, 0);
	EXPECT_OK(invalidate(cf, cached, 0, 4096));
	EXPECT_LINES(cf, &before, lines, lines);
}

CASE(r12_write_combined_is_seen_at_once, "R12", NO_SYNC,
     "a BO without flags needs no sync, in either direction")
{
	struct buffer *buf = new_buffer(cf, 4096, 0);

	cpu_put(buf, 64, OLD);
	EXPECT_GPU(cf, buf, 64, OLD);
	gpu_put(cf, buf, 64, NEW);
	EXPECT_CPU(cf, buf, 64, NEW);
}

CASE(r9_coherent, "R9", NEED_COHERENT | NEED_COUNTERS,
     "on a coherent device a sync is 0 and touches no line")
{
	struct buffer *buf = new_buffer(cf, 64 * KIB, GEMSYNC_BO_CACHED);
	struct gemsync_counters before = lines_now(cf);

	cpu_put(buf, 0, NEW);
	sync_all(cf, buf->bo, 64 * KIB);
	EXPECT_LINES(cf, &before, 0, 0);
}

/* Lines too, where they are counted. */
CASE(r9_unpopulated, "R9 R2", NEED_SYNC | NEED_BIND,
     "a sync of a cached BO that has no pages yet is 0, and gives it none, on coherent devices too")
{
	struct gemsync_counters lines = { 0 };
	struct memory before;
	struct gemsync_bo *bo;
	void *map;
	bool counted = !gemsync_device_counters(cf->dev, &lines);

	EXPECT_OK(gemsync_bo_create(cf->dev, MIB, GEMSYNC_BO_CACHED, &bo));
	before = memory_now(cf);
	sync_all(cf, bo, MIB);
	expect_same_memory(cf, &before);
	if (counted)
		EXPECT_LINES(cf, &lines, 0, 0);

	/* The twin: a store is what gives it pages. */
	EXPECT_OK(gemsync_bo_map(bo, &map));
	*(volatile uint32_t *)map = NEW;
	expect_more_memory(cf, &before);
	if (before.has_pages)
		EXPECT_EQ(memory_now(cf).pages, before.pages + MIB / cf->info.page_size);
	gemsync_bo_destroy(bo);
}

CASE(r9_untouched, "R9 R2", NEED_SYNC,
     "a sync of a BO that only the GPU has used allocates nothing")
{
	struct buffer *buf = new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
	struct memory before;

	need_memory_counters(cf);
	gpu_put(cf, buf, 4096, NEW);
	before = memory_now(cf);
	sync_all(cf, buf->bo, MIB);
	expect_same_memory(cf, &before);
	EXPECT_CPU(cf, buf, 4096, NEW);
	/* The twin: another BO, used in the same way. */
	gpu_put(cf, new_buffer(cf, MIB, GEMSYNC_BO_CACHED), 4096, NEW);
	expect_more_memory(cf, &before);
}

/* Heaps among them, which get memory when the GPU touches it. */
CASE(r9_never_mapped, "R9 R2", NEED_SYNC,
     "a sync of a BO that the CPU never maps is 0 and allocates nothing, before its use and after it")
{
	struct memory before;
	struct gemsync_bo *bo;
	uint64_t va;
	uint32_t value;

	need_memory_counters(cf);
	bo = new_hidden(cf, 8 * MIB);
	before = memory_now(cf);
	sync_all(cf, bo, 8 * MIB);
	expect_same_memory(cf, &before);
	/* The twin: the GPU. */
	EXPECT_OK(gpu_bind(cf->gpu, bo, &va));
	EXPECT_OK(gpu_write32(cf->gpu, va + 5 * MIB, NEW));
	expect_more_memory(cf, &before);
	before = memory_now(cf);
	sync_all(cf, bo, 8 * MIB);
	expect_same_memory(cf, &before);
	EXPECT_OK(gpu_read32(cf->gpu, va + 5 * MIB, &value));
	EXPECT_EQ(value, NEW);
	unbind(cf, va, 8 * MIB);
	gemsync_bo_destroy(bo);
}

CASES(idle, "Free when free",
      &r9_size_0,
      &r9_write_combined,
      &r12_write_combined_is_seen_at_once,
      &r9_coherent,
      &r9_unpopulated,
      &r9_untouched,
      &r9_never_mapped);
