/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The cache-line model: an incoherent write-back CPU cache over plain memory.
 *
 * A window of memory has three copies of its bytes:
 *   mem    M, what the device and uncached (WC) CPU maps see
 *   cache  C, what cached CPU maps see; CPU threads store to it at any time
 *   base   B, C as of the last fill or write-back; nobody else sees it
 * A word of 8 bytes is dirty when C differs from B; a line is dirty when any of
 * its words is, or when somebody saw a store to it. All operations work on lines
 * that overlap the given range and on no other byte (R1).
 *
 * Because the CPU may store to C during any operation, C is read once per word
 * and replaced only by compare-and-exchange, except where hardware drops
 * unconditionally: the interior lines of gs_lines_drop() (R4, R5). Callers
 * serialize the operations on one window against each other; nothing serializes
 * them against the CPU's stores.
 *
 * Lines smaller than a word (2, 4: for exhaustive tests) share a word; the model
 * then works on the line's bytes of that word.
 */
#ifndef GS_LINE_H
#define GS_LINE_H

#include "range.h"

/* A window: three 8-byte-aligned buffers of @size bytes, a multiple of @line and 8. */
struct gs_lines {
	u64 *mem;
	u64 *cache;
	u64 *base;
	u32 size;	/* bytes of the window */
	u32 line;	/* bytes of a line, a power of two from 2 to @size */
	/*
	 * Bit n: the device wrote to line n while it was dirty, so that the write-back of
	 * this line destroys what the device wrote. Whole words for the lines of the
	 * window; NULL if nobody looks for violations.
	 */
	u64 *under;
	/*
	 * Bit n: the CPU stored to line n, which makes it dirty even if no byte of it changed.
	 * As many words; NULL if nobody sees stores. Clean, drop and fill take the bits away.
	 */
	u64 *stored;
};

/**
 * Fill the cache from memory: C = B = M for the whole window.
 *
 * For a window that no cached view shows yet.
 */
void gs_lines_fill(const struct gs_lines *lines);

/**
 * Write the dirty lines of a range back to memory; they stay cached.
 *
 * A dirty line is written whole, as hardware does: words of it that the CPU did
 * not change overwrite what the device wrote there (the "lost update").
 * @offset and @size are inside the window. Returns the number of lines
 * maintained, dirty or not: those that overlap the range.
 */
u32 gs_lines_clean(const struct gs_lines *lines, u32 offset, u32 size);

/**
 * Drop the lines of a range: later CPU loads see memory.
 *
 * Lines that lie wholly inside the range are dropped even when dirty, what the
 * CPU wrote is lost. Lines that the range covers in part are written back and
 * then refilled word by word; a word that the CPU stores to meanwhile stays
 * (R5). That is what arm64 does for a device-to-CPU sync.
 * Returns the number of lines maintained.
 */
u32 gs_lines_drop(const struct gs_lines *lines, u32 offset, u32 size);

/**
 * Refill the clean lines of a range from memory; dirty lines stay as they are.
 *
 * What a cache may do on its own at any time. Returns the number of lines
 * refilled.
 */
u32 gs_lines_refill(const struct gs_lines *lines, u32 offset, u32 size);

/* The CPU stores to the byte at @offset, maybe what is there. Does nothing without @stored. */
void gs_lines_store(const struct gs_lines *lines, u32 offset);

/* Whether any line that overlaps the range is dirty. */
bool gs_lines_dirty(const struct gs_lines *lines, u32 offset, u32 size);

/* How many lines of a range are dirty: so many a clean has to write back. */
u32 gs_lines_count_dirty(const struct gs_lines *lines, u32 offset, u32 size);

/*
 * How many are stale: memory has other bytes than when the line was filled or written back.
 * So many show something else after a drop.
 */
u32 gs_lines_count_stale(const struct gs_lines *lines, u32 offset, u32 size);

/* Device access: bytes of M, past the cache. The range is inside the window. */
void gs_lines_dev_read(const struct gs_lines *lines, u32 offset, void *to, u32 size);
void gs_lines_dev_write(const struct gs_lines *lines, u32 offset, const void *from, u32 size);

#endif
