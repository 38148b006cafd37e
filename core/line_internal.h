/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* How line.c and violation.c address a line. Not for others. */
#ifndef GS_LINE_INTERNAL_H
#define GS_LINE_INTERNAL_H

#include "line.h"

#define WORD		8u
#define HALF		4u
#define WHOLE_WORD	U64_MAX

/* A line: some words, or for lines smaller than a word the bytes of one in @mask. */
struct span {
	u32 first;	/* index of the first word */
	u32 words;
	u64 mask;	/* bits of a word that belong to the line */
};

/* Lines that overlap a range; @start is the first one's offset in bytes. */
struct cover {
	u32 start;
	u32 count;
};

static inline struct cover cover(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover cover = { offset & ~(lines->line - 1), 0 };

	if (size)
		cover.count = ((offset + size - 1 - cover.start) >> gs_log2(lines->line)) + 1;
	return cover;
}

/* Built from bytes in memory, so that it fits either byte order. */
static inline u64 byte_mask(u32 first, u32 count)
{
	u8 bytes[WORD];
	u64 mask;
	u32 i;

	for (i = 0; i < WORD; i++)
		bytes[i] = i - first < count ? 0xff : 0;
	gs_copy(&mask, bytes, WORD);
	return mask;
}

static inline struct span line_at(const struct gs_lines *lines, u32 start)
{
	struct span span = { start / WORD, lines->line / WORD, WHOLE_WORD };

	if (lines->line < WORD) {
		span.words = 1;
		span.mask = byte_mask(start % WORD, lines->line);
	}
	return span;
}

static inline bool has_bit(const u64 *bits, const struct gs_lines *lines, u32 start)
{
	u32 i = start >> gs_log2(lines->line);

	return bits && bits[i / 64] >> i % 64 & 1;
}

static inline void set_bit_of(u64 *bits, const struct gs_lines *lines, u32 start, bool value)
{
	u32 i = start >> gs_log2(lines->line);

	if (!bits)
		return;
	if (value)
		bits[i / 64] |= 1ull << i % 64;
	else
		bits[i / 64] &= ~(1ull << i % 64);
}

/* The device wrote to the line while it was dirty. */
static inline bool is_under(const struct gs_lines *lines, u32 start)
{
	return has_bit(lines->under, lines, start);
}

/* Somebody saw a store to the line. */
static inline bool is_stored(const struct gs_lines *lines, u32 start)
{
	return has_bit(lines->stored, lines, start);
}

/* The line is clean from now on, as far as only bits say that it is not. */
static inline void forget_bits(const struct gs_lines *lines, u32 start)
{
	set_bit_of(lines->under, lines, start, false);
	set_bit_of(lines->stored, lines, start, false);
}

/* Whether a line of @side, the cache or memory, differs from its base. */
static inline bool line_differs(const struct gs_lines *lines, const u64 *side, struct span line)
{
	u32 i;

	for (i = line.first; i < line.first + line.words; i++) {
		if ((gs_word_load(&side[i]) ^ lines->base[i]) & line.mask)
			return true;
	}
	return false;
}

static inline bool line_dirty(const struct gs_lines *lines, u32 start)
{
	return is_stored(lines, start) ||
	       line_differs(lines, lines->cache, line_at(lines, start));
}

#endif
