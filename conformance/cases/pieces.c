// SPDX-License-Identifier: MIT
/* BOs whose memory is in pieces: a sync covers their own bytes, and no others (R22). */
#include <stdlib.h>

#include "case.h"

struct range {
	uint64_t offset;
	uint64_t size;
};

#define PIECES	64u	/* pages of each BO */

/*
 * Two BOs whose pages lie between each other, as far as the kernel reuses what was
 * freed last: of many BOs of a page, every second one makes room for @a, the others
 * for @b. A sync of @a that runs past the end of a piece meets lines of @b.
 */
static void new_interleaved(struct cf *cf, struct buffer **a, struct buffer **b)
{
	struct gemsync_bo *small[2 * PIECES];
	void *map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		EXPECT_OK(gemsync_bo_create(cf->dev, cf->info.page_size, 0, &small[i]));
		EXPECT_OK(gemsync_bo_map(small[i], &map));
		*(volatile uint32_t *)map = NEW;
	}
	for (i = 0; i < ARRAY_SIZE(small); i += 2)
		gemsync_bo_destroy(small[i]);
	*a = new_buffer(cf, PIECES * cf->info.page_size, GEMSYNC_BO_CACHED);
	for (i = 1; i < ARRAY_SIZE(small); i += 2)
		gemsync_bo_destroy(small[i]);
	*b = new_buffer(cf, PIECES * cf->info.page_size, GEMSYNC_BO_CACHED);
}

/* Every word that is looked at: the first ones of a page's first and last line. */
static uint64_t place(const struct cf *cf, unsigned int i)
{
	uint64_t page = cf->info.page_size;

	return i / 2 * page + (i % 2 ? page - cf->info.line_size : 0);
}

static void make_dirty(struct cf *cf, const struct buffer *buf)
{
	unsigned int i;

	for (i = 0; i < 2 * PIECES; i++)
		cpu_put(buf, place(cf, i), OLD + i);
	EXPECT_OK(gemsync_bo_flush(buf->bo, 0, gemsync_bo_size(buf->bo)));
	for (i = 0; i < 2 * PIECES; i++)
		cpu_put(buf, place(cf, i), NEW + i);
}

/* The GPU sees the new words in the lines of the range, and the old ones elsewhere. */
static void expect_written_back(struct cf *cf, const struct buffer *buf, struct range range)
{
	uint64_t line = cf->info.line_size, size = gemsync_bo_size(buf->bo), at;
	uint8_t *seen = new_array(1, size);
	unsigned int i, right = 0;
	uint32_t expected;
	bool inside;

	EXPECT_OK(gpu_read(cf->gpu, buf->va, seen, size));
	for (i = 0; i < 2 * PIECES; i++) {
		at = place(cf, i);
		inside = range.size && at < range.offset + range.size && range.offset < at + line;
		expected = (inside ? NEW : OLD) + i;
		if (*(uint32_t *)(seen + at) != expected)
			EXPECT_GPU(cf, buf, at, expected);
		else
			right++;
	}
	free(seen);
	EXPECT_EQ(right, 2 * PIECES);
}

CASE(r22_pieces, "R22 R1", NEED_LAZY,
     "a range over 2, 3 or all physical pieces of a BO is synced to the line, and no other BO with it")
{
	uint64_t page = cf->info.page_size, line = cf->info.line_size;
	const struct range ranges[] = {
		{ page - 1, 2 }, { page - line, 2 * line }, { page / 2, page },
		{ 7 * page - 1, page + 2 }, { 9 * page + 3, 2 * page }, { 3 * page, 16 * page },
		{ 1, PIECES * page - 2 }, { 0, PIECES * page },
	};
	struct gemsync_counters before;
	struct buffer *a, *b;
	uint64_t lines;
	size_t i;

	new_interleaved(cf, &a, &b);
	make_dirty(cf, b);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		make_dirty(cf, a);
		lines = lines_of(cf, ranges[i].offset, ranges[i].size);
		before = lines_now(cf);
		EXPECT_OK(flush(cf, a, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, 0);
		expect_written_back(cf, a, ranges[i]);
		before = lines_now(cf);
		EXPECT_OK(invalidate(cf, a, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, lines);
		expect_written_back(cf, b, (struct range){ 0 });
	}
}

/* The same by what both sides see, which hardware can show too. */
CASE(r22_each_piece_seen, "R22 R1 R4", NEED_INCOHERENT | NEED_SYNC,
     "line by line, at the ends of physical pieces too, a sync reaches its range")
{
	uint64_t page = cf->info.page_size, line = cf->info.line_size;
	struct buffer *a, *b;
	uint64_t i;

	new_interleaved(cf, &a, &b);
	for (i = 1; i < PIECES; i += 9) {
		EXPECT_RANGE(cf, a, GEMSYNC_FLUSH, i * page - line, 2 * line);
		EXPECT_RANGE(cf, a, GEMSYNC_INVALIDATE, i * page - line / 2, line);
	}
	EXPECT_RANGE(cf, b, GEMSYNC_INVALIDATE, page / 2, PIECES * page - page);
}

CASES(pieces, "Physical pieces",
      &r22_pieces,
      &r22_each_piece_seen);
