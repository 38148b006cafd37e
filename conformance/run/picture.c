// SPDX-License-Identifier: MIT
/* Lines, one by one: what a sync did to each, and what it should have done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "asked.h"
#include "result.h"

/* Lines looked at on either side of each end of a range. */
#define AROUND	3

/* What is in a line while a sync is watched: one word of it tells. */
#define DEVICE	0xdec0dec0u

const char *picture_name(uint32_t word)
{
	if (word == OLD)
		return "old";
	if (word == NEW)
		return "new";
	return word == DEVICE ? "device's" : NULL;
}

static void set_word(char *to, size_t size, uint32_t word)
{
	const char *name = picture_name(word);

	if (name)
		snprintf(to, size, "%s", name);
	else
		snprintf(to, size, "%#" PRIx32, word);
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

/* ---- A word that is wrong ---- */

static enum conform_answer to_answer(bool yes)
{
	return yes ? CONFORM_YES : CONFORM_NO;
}

void picture_of_word(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t due,
		     bool by_gpu)
{
	struct conform_picture *picture = &cf->result->picture;
	uint64_t size = gemsync_bo_size(buf->bo), line = cf->info.line_size, at, skew;
	struct conform_line *row;
	enum asked asked;
	uint32_t word;

	if (!line)
		return;
	snprintf(picture->note, sizeof(picture->note), "%s",
		 "One word of each line, at the place of the wrong one. What was maintained is what the case asked for, in single syncs; what the driver did of it shows in the words alone. A sync before the last write does nothing for it.");
	/* The word's own place in each line: its neighbours are often of its kind. */
	skew = offset % line;
	at = offset / line > AROUND ? (offset / line - AROUND) * line : 0;
	picture->line_size = line;
	for (; at + line <= size && at <= offset + AROUND * line; at += line) {
		row = &picture->lines[picture->count++];
		row->offset = at;
		if (buf->map)
			set_word(row->cache, sizeof(row->cache), cpu_get(buf, at + skew));
		if (!gpu_read32(cf->gpu, buf->va + at + skew, &word))
			set_word(row->memory, sizeof(row->memory), word);
		if (at + skew == offset)
			set_word(by_gpu ? row->memory_due : row->cache_due,
				 sizeof(row->memory_due), due);
		row->cleaned = CONFORM_UNKNOWN;
		row->dropped = CONFORM_UNKNOWN;
		asked = asked_to_clean(buf, at, line);
		row->should_clean = to_answer(asked == ASKED);
		row->clean_early = asked == ASKED_EARLY;
		asked = asked_to_drop(buf, at, line);
		row->should_drop = to_answer(asked == ASKED);
		row->drop_early = asked == ASKED_EARLY;
	}
}

/* ---- A sync that is watched ---- */

struct watch {
	struct cf *cf;
	const struct buffer *buf;
	enum gemsync_op_type type;
	uint64_t offset, size;		/* of the sync */
	const char *file;		/* of the EXPECT_RANGE */
	int line;
	struct conform_picture picture;
};

static void add_lines(struct watch *watch, uint64_t first, uint64_t end)
{
	struct conform_picture *picture = &watch->picture;
	uint64_t line = watch->cf->info.line_size, limit = gemsync_bo_size(watch->buf->bo);
	struct conform_line *row;
	bool asked;

	for (; first < end && first < limit; first += line) {
		if (picture->count && first <= picture->lines[picture->count - 1].offset)
			continue;
		asked = overlaps(first, line, watch->offset, watch->size);
		row = &picture->lines[picture->count++];
		row->offset = first;
		row->should_clean = to_answer(asked);
		row->should_drop = to_answer(asked && watch->type == GEMSYNC_INVALIDATE);
	}
}

/* Both ends of the range with what is beside them, and its middle. */
static void choose_lines(struct watch *watch)
{
	uint64_t line = watch->cf->info.line_size, around = AROUND * line;
	uint64_t first = watch->offset / line * line;
	uint64_t last = (watch->offset + watch->size - 1) / line * line;

	watch->picture.line_size = line;
	add_lines(watch, first > around ? first - around : 0, first + around + line);
	add_lines(watch, (first + last) / 2 / line * line, (first + last) / 2 / line * line + line);
	add_lines(watch, last > around ? last - around : 0, last + around + line);
}

static void do_sync(struct watch *watch)
{
	int ret;

	if (watch->type == GEMSYNC_FLUSH)
		ret = flush(watch->cf, watch->buf, watch->offset, watch->size);
	else
		ret = invalidate(watch->cf, watch->buf, watch->offset, watch->size);
	expect_int("the sync", ret, "0", 0, watch->file, watch->line);
}

#define for_each_line(watch, row)						\
	for ((row) = (watch)->picture.lines;					\
	     (row) < (watch)->picture.lines + (watch)->picture.count; (row)++)

/* Nobody knows who did it, if lines move on their own and this one was not asked for. */
static enum conform_answer done(bool was, enum conform_answer should, bool alone)
{
	if (was && alone && should == CONFORM_NO)
		return CONFORM_UNKNOWN;
	return to_answer(was);
}

/*
 * What both sides see in a line. One that moved on its own, as a real cache may do at
 * any time, shows @moved, and proves nothing.
 */
static void look(struct watch *watch, struct conform_line *row, uint32_t memory_due,
		 uint32_t cache_due, uint32_t moved)
{
	bool alone = !watch->cf->info.emulated || watch->cf->info.chaos;
	uint32_t memory = gpu_get(watch->cf, watch->buf, row->offset);
	uint32_t cache = cpu_get(watch->buf, row->offset);

	set_word(row->memory, sizeof(row->memory), memory);
	set_word(row->cache, sizeof(row->cache), cache);
	if (memory != memory_due && !(alone && memory == moved))
		set_word(row->memory_due, sizeof(row->memory_due), memory_due);
	if (cache != cache_due && !(alone && cache == moved))
		set_word(row->cache_due, sizeof(row->cache_due), cache_due);
	row->cleaned = moved == NEW ? done(memory == moved, row->should_clean, alone) :
				      row->cleaned;
	row->dropped = moved == DEVICE ? done(cache == moved, row->should_drop, alone) :
					 CONFORM_UNKNOWN;
}

/*
 * Make all watched lines clean. A line more at each end: a driver that skips the first
 * or the last one is to be caught at the sync that is watched.
 */
static void flush_around(struct watch *watch)
{
	const struct conform_picture *picture = &watch->picture;
	uint64_t line = picture->line_size, limit = gemsync_bo_size(watch->buf->bo);
	uint64_t start = picture->lines[0].offset;
	uint64_t end = picture->lines[picture->count - 1].offset + line;

	start = start > line ? start - line : 0;
	end = end + line < limit ? end + line : limit;
	EXPECT_OK(flush(watch->cf, watch->buf, start, end - start));
}

/* Every line is dirty: those that are written back show what the CPU wrote. */
static void watch_cleaning(struct watch *watch)
{
	struct cf *cf = watch->cf;
	struct conform_line *row;

	for_each_line(watch, row)
		cpu_put(watch->buf, row->offset, OLD);
	flush_around(watch);
	for_each_line(watch, row) {
		expect_word(cf, watch->buf, row->offset, OLD, true, watch->file, watch->line);
		cpu_put(watch->buf, row->offset, NEW);
	}
	do_sync(watch);
	for_each_line(watch, row)
		look(watch, row, row->should_clean == CONFORM_YES ? NEW : OLD, NEW, NEW);
	snprintf(watch->picture.note, sizeof(watch->picture.note), "%s",
		 "Before the sync, every line was dirty: old in memory, new in the cache. The sync writes back the lines of its range, and loses nothing of any line.");
}

/* Every line is clean, and the device has written: those that are dropped show it. */
static void watch_dropping(struct watch *watch)
{
	struct cf *cf = watch->cf;
	struct conform_line *row;

	flush_around(watch);
	for_each_line(watch, row)
		gpu_put(cf, watch->buf, row->offset, DEVICE);
	do_sync(watch);
	for_each_line(watch, row)
		look(watch, row, DEVICE, row->should_drop == CONFORM_YES ? DEVICE : NEW, DEVICE);
	snprintf(watch->picture.note, sizeof(watch->picture.note), "%s",
		 "Before the sync, every line was clean, and then the device wrote to memory. A flush and invalidate drops the lines of its range, a flush drops none; neither changes memory.");
	/* Clean and up to date again. */
	for_each_line(watch, row)
		EXPECT_OK(gemsync_bo_invalidate(watch->buf->bo, row->offset, 4));
}

static uint32_t count_wrong(struct watch *watch)
{
	struct conform_line *row;
	uint32_t wrong = 0;

	for_each_line(watch, row)
		wrong += *row->memory_due || *row->cache_due;
	return wrong;
}

void expect_range(struct cf *cf, const struct buffer *buf, enum gemsync_op_type type,
		  uint64_t offset, uint64_t size, const char *file, int line)
{
	struct watch watch = {
		.cf = cf, .buf = buf, .type = type, .offset = offset, .size = size,
		.file = file, .line = line,
	};
	uint32_t wrong;
	char what[96];

	choose_lines(&watch);
	watch_cleaning(&watch);
	wrong = count_wrong(&watch);
	if (!wrong) {
		watch_dropping(&watch);
		wrong = count_wrong(&watch);
	}
	snprintf(what, sizeof(what), "lines wrong after a %s of %#" PRIx64 " + %#" PRIx64,
		 type == GEMSYNC_FLUSH ? "flush" : "flush and invalidate", offset, size);
	snprintf(watch.picture.title, sizeof(watch.picture.title), "%s", what);
	if (wrong)
		cf->result->picture = watch.picture;
	expect_int(what, wrong, "0", 0, file, line);
}
