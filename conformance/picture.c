// SPDX-License-Identifier: MIT
/* Lines, one by one: what a sync did to each, and what it should have done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "result.h"

/* Lines looked at on either side of each end of a range. */
#define AROUND	3

/* What is in a line while a sync is watched: one word of it tells. */
#define DEVICE	0xdec0dec0u

static const char *name_of(uint32_t word, char *text, size_t size)
{
	if (word == OLD)
		return "old";
	if (word == NEW)
		return "new";
	if (word == DEVICE)
		return "device's";
	snprintf(text, size, "%#" PRIx32, word);
	return text;
}

static void set_word(char *to, size_t size, uint32_t word)
{
	char text[16];

	snprintf(to, size, "%s", name_of(word, text, sizeof(text)));
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

/* ---- A word that is wrong ---- */

static bool was_asked(const struct cf *cf, const struct buffer *buf, uint64_t line,
		      bool invalidated)
{
	size_t i, count = cf->asked_count < CASE_ASKED ? cf->asked_count : CASE_ASKED;

	for (i = 0; i < count; i++)
		if (cf->asked[i].buf == buf &&
		    (!invalidated || cf->asked[i].type == GEMSYNC_INVALIDATE) &&
		    overlaps(line, cf->info.line_size, cf->asked[i].offset, cf->asked[i].size))
			return true;
	return false;
}

void picture_of_word(struct cf *cf, const struct buffer *buf, uint64_t offset)
{
	struct conform_picture *picture = &cf->result->picture;
	uint64_t size = gemsync_bo_size(buf->bo), line = cf->info.line_size, at, skew;
	struct conform_line *row;
	uint32_t word;

	if (!line)
		return;
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
		row->should_clean = was_asked(cf, buf, at, false) ? CONFORM_YES : CONFORM_NO;
		row->should_drop = was_asked(cf, buf, at, true) ? CONFORM_YES : CONFORM_NO;
		row->cleaned = row->should_clean ? CONFORM_UNKNOWN : CONFORM_NO;
		row->dropped = row->should_drop ? CONFORM_UNKNOWN : CONFORM_NO;
	}
}

/* ---- A sync that is watched ---- */

struct watch {
	struct cf *cf;
	const struct buffer *buf;
	enum gemsync_op_type type;
	uint64_t offset, size;		/* of the sync */
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
		row->should_clean = asked ? CONFORM_YES : CONFORM_NO;
		row->should_drop = asked && watch->type == GEMSYNC_INVALIDATE ? CONFORM_YES :
										CONFORM_NO;
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

static int do_sync(struct watch *watch)
{
	if (watch->type == GEMSYNC_FLUSH)
		return flush(watch->cf, watch->buf, watch->offset, watch->size);
	return invalidate(watch->cf, watch->buf, watch->offset, watch->size);
}

#define for_each_line(watch, row)						\
	for (row = (watch)->picture.lines;					\
	     row < (watch)->picture.lines + (watch)->picture.count; row++)

/* Every line is dirty: those that are written back show what the CPU wrote. */
static void watch_cleaning(struct watch *watch)
{
	struct cf *cf = watch->cf;
	struct conform_line *row;
	uint32_t word;

	for_each_line(watch, row) {
		cpu_put(watch->buf, row->offset, OLD);
		EXPECT_OK(flush(cf, watch->buf, row->offset, 4));
		cpu_put(watch->buf, row->offset, NEW);
	}
	EXPECT_OK(do_sync(watch));
	for_each_line(watch, row) {
		word = gpu_get(cf, watch->buf, row->offset);
		row->cleaned = word == NEW ? CONFORM_YES : CONFORM_NO;
		set_word(row->memory, sizeof(row->memory), word);
		EXPECT_CPU(cf, watch->buf, row->offset, NEW);
	}
}

/* Every line is clean, and the device has written: those that are dropped show it. */
static void watch_dropping(struct watch *watch)
{
	struct cf *cf = watch->cf;
	struct conform_line *row;
	uint32_t word;

	for_each_line(watch, row) {
		EXPECT_OK(flush(cf, watch->buf, row->offset, 4));
		gpu_put(cf, watch->buf, row->offset, DEVICE);
	}
	EXPECT_OK(do_sync(watch));
	for_each_line(watch, row) {
		word = cpu_get(watch->buf, row->offset);
		row->dropped = word == DEVICE ? CONFORM_YES : CONFORM_NO;
		set_word(row->cache, sizeof(row->cache), word);
		EXPECT_GPU(cf, watch->buf, row->offset, DEVICE);
	}
	/* Clean and up to date again. */
	for_each_line(watch, row)
		EXPECT_OK(gemsync_bo_invalidate(watch->buf->bo, row->offset, 4));
}

/* Lines that move on their own prove nothing when they moved. */
static bool as_it_should(const struct watch *watch, enum conform_answer was,
			 enum conform_answer should)
{
	bool alone = !watch->cf->info.emulated || watch->cf->info.chaos;

	return was == should || (alone && was == CONFORM_YES);
}

static uint32_t count_wrong(struct watch *watch)
{
	struct conform_line *row;
	uint32_t wrong = 0;

	for_each_line(watch, row) {
		wrong += !as_it_should(watch, row->cleaned, row->should_clean) ||
			 !as_it_should(watch, row->dropped, row->should_drop);
	}
	return wrong;
}

void expect_range(struct cf *cf, const struct buffer *buf, enum gemsync_op_type type,
		  uint64_t offset, uint64_t size, const char *file, int line)
{
	struct watch watch = {
		.cf = cf, .buf = buf, .type = type, .offset = offset, .size = size,
	};
	uint32_t wrong;
	char what[96];

	choose_lines(&watch);
	watch_cleaning(&watch);
	watch_dropping(&watch);
	wrong = count_wrong(&watch);
	snprintf(what, sizeof(what), "lines wrong after a %s of %#" PRIx64 " + %#" PRIx64,
		 type == GEMSYNC_FLUSH ? "flush" : "flush and invalidate", offset, size);
	if (wrong) {
		cf->result->picture = watch.picture;
		snprintf(cf->result->picture.title, sizeof(cf->result->picture.title), "%s", what);
	}
	expect_int(what, wrong, "0", 0, file, line);
}
