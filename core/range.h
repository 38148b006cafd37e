/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Byte ranges and the cache lines that they overlap (R1). No function here
 * overflows for any input; all offsets and sizes are bytes.
 */
#ifndef GS_RANGE_H
#define GS_RANGE_H

#include "types.h"

/* Cache lines that overlap a range: [start, end), both multiples of the line. */
struct gs_range {
	u64 start;
	u64 end;
};

/* A line size that core/ can work with: a power of two from 2 to 4096. */
static inline bool gs_line_size_valid(u32 line)
{
	return line >= 2 && line <= 4096 && !(line & (line - 1));
}

/**
 * Check that [@offset, @offset + @size) lies in an object of @limit bytes (R8).
 *
 * A @size of 0 is inside when @offset is at most @limit.
 * Returns 0; -EINVAL if the range leaves the object or wraps.
 */
static inline int gs_range_check(u64 offset, u64 size, u64 limit)
{
	if (size > limit || offset > limit - size)
		return -EINVAL;
	return 0;
}

/**
 * Widen [@offset, @offset + @size) to whole lines (R1).
 *
 * @line is the line size in bytes, valid for gs_line_size_valid(). A @size of 0
 * overlaps no line and yields an empty range.
 * Returns 0; -EINVAL if the last line would end past 2^64, @out untouched.
 */
static inline int gs_range_to_lines(u64 offset, u64 size, u32 line, struct gs_range *out)
{
	u64 mask = (u64)line - 1;
	u64 last;

	if (!size) {
		out->start = offset & ~mask;
		out->end = out->start;
		return 0;
	}
	last = offset + (size - 1);
	if (last < offset || (last | mask) == U64_MAX)
		return -EINVAL;
	out->start = offset & ~mask;
	out->end = (last | mask) + 1;
	return 0;
}

/* Number of lines in a range made by gs_range_to_lines(). */
static inline u64 gs_range_lines(const struct gs_range *range, u32 line)
{
	return (range->end - range->start) >> gs_log2(line);
}

#endif
