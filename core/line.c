// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "line_internal.h"

static u64 merge(u64 old, u64 value, u64 mask)
{
	return (old & ~mask) | (value & mask);
}

/* Store the bits in @mask. The others may belong to a line that the CPU stores to. */
static void put(u64 *word, u64 value, u64 mask)
{
	u64 old;

	if (mask == WHOLE_WORD) {
		gs_word_store(word, value);
		return;
	}
	do {
		old = gs_word_load(word);
	} while (!gs_word_replace(word, old, merge(old, value, mask)));
}

/* One load of the cache word feeds both copies: a store behind it leaves the word dirty. */
static void line_clean(const struct gs_lines *lines, u32 start)
{
	struct span line = line_at(lines, start);
	u64 value;
	u32 i;

	if (!line_dirty(lines, start))
		return;
	for (i = line.first; i < line.first + line.words; i++) {
		value = gs_word_load(&lines->cache[i]);
		put(&lines->mem[i], value, line.mask);
		put(&lines->base[i], value, line.mask);
	}
}

/*
 * A store by the CPU comes before ours to the cache word and is overwritten (lost,
 * the caller's race of R4), or behind it and differs from the base (dirty): never
 * clean and unlike memory, in whichever order our two stores are made. It takes
 * one load of the memory word for both: with a device write between two loads, a
 * line that no CPU stored to would be dirty, and go back over what the device wrote.
 */
static void line_drop(const struct gs_lines *lines, struct span line)
{
	u64 value;
	u32 i;

	for (i = line.first; i < line.first + line.words; i++) {
		value = gs_word_load(&lines->mem[i]);
		put(&lines->base[i], value, line.mask);
		put(&lines->cache[i], value, line.mask);
	}
}

/*
 * A failed exchange means that the CPU stored to the word: to the line's part,
 * then it is dirty and stays (R5), or to another line's, then try again.
 */
static void word_refill(const struct gs_lines *lines, u32 i, u64 mask)
{
	u64 value = gs_word_load(&lines->mem[i]);
	u64 base = lines->base[i];
	u64 old = gs_word_load(&lines->cache[i]);

	if (!((value ^ base) & mask))
		return;
	while (!((old ^ base) & mask)) {
		if (gs_word_replace(&lines->cache[i], old, merge(old, value, mask))) {
			put(&lines->base[i], value, mask);
			return;
		}
		old = gs_word_load(&lines->cache[i]);
	}
}

static void line_refill(const struct gs_lines *lines, struct span line)
{
	u32 i;

	for (i = line.first; i < line.first + line.words; i++)
		word_refill(lines, i, line.mask);
}

void gs_lines_fill(const struct gs_lines *lines)
{
	struct span all = { 0, lines->size / WORD, WHOLE_WORD };
	u32 start;

	line_drop(lines, all);
	for (start = 0; start < lines->size; start += lines->line)
		forget_bits(lines, start);
}

u32 gs_lines_clean(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 start = range.start;
	u32 i;

	for (i = 0; i < range.count; i++, start += lines->line) {
		line_clean(lines, start);
		forget_bits(lines, start);
	}
	return range.count;
}

u32 gs_lines_drop(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 start = range.start;
	u32 i;

	for (i = 0; i < range.count; i++, start += lines->line) {
		struct span line = line_at(lines, start);

		if (start >= offset && start - offset + lines->line <= size) {
			line_drop(lines, line);
		} else {
			line_clean(lines, start);
			line_refill(lines, line);
		}
		forget_bits(lines, start);
	}
	return range.count;
}

u32 gs_lines_refill(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 start = range.start;
	u32 refilled = 0;
	u32 i;

	for (i = 0; i < range.count; i++, start += lines->line) {
		if (line_dirty(lines, start))
			continue;
		line_refill(lines, line_at(lines, start));
		refilled++;
	}
	return refilled;
}

void gs_lines_store(const struct gs_lines *lines, u32 offset)
{
	set_bit_of(lines->stored, lines, offset, true);
}

bool gs_lines_dirty(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 i;

	for (i = 0; i < range.count; i++) {
		if (line_dirty(lines, range.start + i * lines->line))
			return true;
	}
	return false;
}

u32 gs_lines_count_dirty(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 count = 0, i;

	for (i = 0; i < range.count; i++)
		count += line_dirty(lines, range.start + i * lines->line);
	return count;
}

u32 gs_lines_count_stale(const struct gs_lines *lines, u32 offset, u32 size)
{
	struct cover range = cover(lines, offset, size);
	u32 count = 0, i;

	for (i = 0; i < range.count; i++)
		count += line_differs(lines, lines->mem,
				      line_at(lines, range.start + i * lines->line));
	return count;
}

/*
 * The size of the next access of a copy: words and half words in one access each,
 * as the CPU may poll them; bytes at odd ends, since WC CPU maps may write the
 * bytes beside them.
 */
static u32 unit(u32 offset, u32 left)
{
	if (!(offset % WORD) && left >= WORD)
		return WORD;
	if (!(offset % HALF) && left >= HALF)
		return HALF;
	return 1;
}

void gs_lines_dev_read(const struct gs_lines *lines, u32 offset, void *to, u32 size)
{
	const u8 *mem = (const u8 *)lines->mem + offset;
	u8 *out = to;
	u32 done, step;
	u64 word;
	u32 half;

	for (done = 0; done < size; done += step) {
		step = unit(offset + done, size - done);
		if (step == WORD) {
			word = gs_word_load((const u64 *)(mem + done));
			gs_copy(out + done, &word, WORD);
		} else if (step == HALF) {
			half = gs_half_load((const u32 *)(mem + done));
			gs_copy(out + done, &half, HALF);
		} else {
			out[done] = gs_byte_load(mem + done);
		}
	}
}

void gs_lines_dev_write(const struct gs_lines *lines, u32 offset, const void *from, u32 size)
{
	u8 *mem = (u8 *)lines->mem + offset;
	const u8 *in = from;
	u32 done, step;
	u64 word;
	u32 half;

	for (done = 0; done < size; done += step) {
		step = unit(offset + done, size - done);
		if (step == WORD) {
			gs_copy(&word, in + done, WORD);
			gs_word_store((u64 *)(mem + done), word);
		} else if (step == HALF) {
			gs_copy(&half, in + done, HALF);
			gs_half_store((u32 *)(mem + done), half);
		} else {
			gs_byte_store(mem + done, in[done]);
		}
	}
}
