// SPDX-License-Identifier: MIT
/* A sync maintains the lines of its range, and costs what these cost (R1, R10, R22). */
#include "case.h"

struct range {
	uint64_t offset;
	uint64_t size;
};

CASE(r1_lines_of_a_range, "R1", NEED_LAZY,
     "a sync counts exactly the lines that overlap its range, wherever it lies")
{
	struct buffer *buf = new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct range ranges[] = {
		{ 0, 64 }, { 0, 1 }, { 0, line }, { 0, line + 1 }, { line - 1, 1 },
		{ line - 1, 2 }, { line / 2, line }, { 3 * line + 5, 10 * line - 7 },
		{ 4095, 1 }, { 4095, 2 }, { 4096 - line, line }, { 4090, 4096 },
		{ 5 * 4096 + 1, 3 * 4096 }, { MIB - 1, 1 }, { MIB - 64, 64 },
		{ MIB - line - 1, line + 1 }, { 0, MIB },
	};
	struct gemsync_counters before;
	uint64_t lines;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		lines = lines_of(cf, ranges[i].offset, ranges[i].size);
		before = lines_now(cf);
		EXPECT_OK(flush(cf, buf, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, 0);
		before = lines_now(cf);
		EXPECT_OK(invalidate(cf, buf, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, lines);
	}
}

/* The same by what both sides see, which hardware can show too. */
CASE(r1_each_line_seen, "R1 R4", NEED_INCOHERENT | NEED_SYNC,
     "line by line, a flush writes its range back, and an invalidate also drops it")
{
	struct buffer *buf = new_buffer(cf, 64 * KIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct range ranges[] = {
		{ 8 * line, line }, { 8 * line + 4, 4 }, { 9 * line - 1, 2 },
		{ 4096 - 2 * line, 4 * line }, { 4096 + line / 2, 4096 }, { 64 * KIB - 1, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT_RANGE(cf, buf, GEMSYNC_FLUSH, ranges[i].offset, ranges[i].size);
		EXPECT_RANGE(cf, buf, GEMSYNC_INVALIDATE, ranges[i].offset, ranges[i].size);
	}
}

CASES(exactness, "Exactness and cost",
      &r1_lines_of_a_range,
      &r1_each_line_seen);
