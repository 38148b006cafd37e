// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "line_internal.h"
#include "violation.h"

/* What a byte can be, by the sides that changed it since the last fill or write-back. */
enum change {
	BY_CPU,			/* C != B */
	BY_DEVICE_ALONE,	/* M != B and C == B */
	BY_DEVICE_UNLIKE,	/* M != B and M != C */
	UNKNOWN,		/* any byte may be the one */
};

/* Rows of changed bytes, reported as they end. */
struct rows {
	struct gs_violation row;	/* size 0: none is open */
	gs_violation_report report;
	void *ctx;
	bool any;
};

/* 0xff for every byte of @word that is not 0. */
static u64 whole_bytes(u64 word)
{
	word |= word >> 4;
	word |= word >> 2;
	word |= word >> 1;
	return (word & 0x0101010101010101ull) * 0xff;
}

/* A word whose bytes are not 0 where they changed. */
static u64 word_changes(const struct gs_lines *lines, u32 word, enum change change)
{
	u64 cache = gs_word_load(&lines->cache[word]);
	u64 cpu = cache ^ lines->base[word];
	u64 mem;

	if (change == UNKNOWN)
		return U64_MAX;
	if (change == BY_CPU)
		return cpu;
	mem = gs_word_load(&lines->mem[word]);
	if (change == BY_DEVICE_UNLIKE)
		return (mem ^ lines->base[word]) & whole_bytes(mem ^ cache);
	return (mem ^ lines->base[word]) & ~whole_bytes(cpu);
}

static void rows_end(struct rows *rows)
{
	if (!rows->row.size)
		return;
	rows->report(rows->ctx, &rows->row);
	rows->row.size = 0;
	rows->any = true;
}

/* Go on with the bytes [@offset, @end) of a word. */
static void rows_add(struct rows *rows, u64 changes, u32 offset, u32 end)
{
	u8 bytes[WORD];

	gs_copy(bytes, &changes, WORD);
	for (; offset < end; offset++) {
		if (!bytes[offset % WORD]) {
			rows_end(rows);
			continue;
		}
		if (!rows->row.size)
			rows->row.offset = offset;
		rows->row.size++;
	}
}

/* Go on with the changed bytes of [@offset, @end). */
static void rows_walk(struct rows *rows, const struct gs_lines *lines, u32 offset, u32 end,
		      enum change change)
{
	u32 next;

	for (; offset < end; offset = next) {
		u64 changes = word_changes(lines, offset / WORD, change);

		next = (offset | (WORD - 1)) + 1;
		if (next > end)
			next = end;
		if (changes)
			rows_add(rows, changes, offset, next);
		else
			rows_end(rows);
	}
}

/* Report every row of changed bytes in [@offset, @end); false if there is none. */
static bool report_rows(const struct gs_lines *lines, u32 offset, u32 end, enum change change,
			enum gs_violation_kind kind, gs_violation_report report, void *ctx)
{
	struct rows rows = { .row = { .kind = kind }, .report = report, .ctx = ctx };

	rows.row.late = change == BY_DEVICE_UNLIKE;
	rows_walk(&rows, lines, offset, end, change);
	rows_end(&rows);
	return rows.any;
}

/* Somebody saw a store to the line, which changed nothing. */
static bool stored_the_same(const struct gs_lines *lines, u32 start)
{
	return is_stored(lines, start) &&
	       !line_differs(lines, lines->cache, line_at(lines, start));
}

/* CPUs store words, and some bytes of a word that is stored are what they were. */
static bool stores_all(const struct gs_lines *lines, u32 start)
{
	u32 unit = lines->line < 2 * WORD ? 1 : HALF;
	u32 offset, i;

	for (offset = start; offset < start + lines->line; offset += unit) {
		u64 changes = word_changes(lines, offset / WORD, BY_CPU);
		u8 bytes[WORD];
		u8 any = 0;

		gs_copy(bytes, &changes, WORD);
		for (i = 0; i < unit; i++)
			any |= bytes[offset % WORD + i];
		if (!any)
			return false;
	}
	return true;
}

static void look_at_dirty_line(const struct gs_lines *lines, u32 start,
			       gs_violation_report report, void *ctx)
{
	u32 end = start + lines->line;

	if (is_under(lines, start)) {
		report_rows(lines, start, end, BY_DEVICE_UNLIKE, GS_LOST_UPDATE, report, ctx);
		return;
	}
	/* Of stores that changed nothing nobody knows whether they covered the line. */
	if (stored_the_same(lines, start) || stores_all(lines, start))
		return;
	if (!report_rows(lines, start, end, BY_DEVICE_ALONE, GS_LOST_UPDATE, report, ctx))
		report_rows(lines, start, end, BY_CPU, GS_CPU_STORE_STALE, report, ctx);
}

/* Runs before every clean: a line that one side left alone costs word compares only. */
void gs_violations_of_clean(const struct gs_lines *lines, u32 offset, u32 size,
			    gs_violation_report report, void *ctx)
{
	struct cover range = cover(lines, offset, size);
	u32 start = range.start;
	u32 i;

	for (i = 0; i < range.count; i++, start += lines->line) {
		struct span line = line_at(lines, start);

		if (line_differs(lines, lines->mem, line) && line_dirty(lines, start))
			look_at_dirty_line(lines, start, report, ctx);
	}
}

void gs_violations_of_dev_write(const struct gs_lines *lines, u32 offset, u32 size,
				gs_violation_report report, void *ctx)
{
	struct rows rows = { .row = { .kind = GS_DEV_WRITE_DIRTY }, .report = report, .ctx = ctx };
	struct cover range = cover(lines, offset, size);
	u32 start = range.start;
	u32 i;

	for (i = 0; i < range.count; i++, start += lines->line) {
		rows_walk(&rows, lines, start, start + lines->line,
			  stored_the_same(lines, start) ? UNKNOWN : BY_CPU);
		if (line_dirty(lines, start))
			set_bit_of(lines->under, lines, start, true);
	}
	rows_end(&rows);
}

void gs_violations_of_dev_read(const struct gs_lines *lines, u32 offset, u32 size,
			       gs_violation_report report, void *ctx)
{
	report_rows(lines, offset, offset + size, BY_CPU, GS_DEV_READ_DIRTY, report, ctx);
}

bool gs_violation_of_cpu_load(const struct gs_lines *lines, u32 offset,
			      struct gs_violation *violation)
{
	u32 start = offset & ~(lines->line - 1), end = start;

	while (end < lines->size && line_differs(lines, lines->mem, line_at(lines, end)))
		end += lines->line;
	if (end == start)
		return false;
	*violation = (struct gs_violation){
		.kind = GS_CPU_READ_STALE,
		.offset = offset,
		.size = end - offset,
	};
	return true;
}

const char *gs_violation_name(enum gs_violation_kind kind)
{
	static const char *const names[GS_VIOLATION_KINDS] = {
		[GS_LOST_UPDATE] = "lost-update",
		[GS_CPU_STORE_STALE] = "cpu-store-stale",
		[GS_DEV_WRITE_DIRTY] = "dev-write-dirty",
		[GS_DEV_READ_DIRTY] = "dev-read-dirty",
		[GS_CPU_READ_STALE] = "cpu-read-stale",
	};

	return kind < GS_VIOLATION_KINDS ? names[kind] : "unknown";
}

const char *gs_violation_explain(enum gs_violation_kind kind)
{
	static const char *const texts[GS_VIOLATION_KINDS] = {
		[GS_LOST_UPDATE] =
			"a write-back destroyed what the device wrote: sync the lines before that",
		[GS_CPU_STORE_STALE] =
			"the CPU stored to a line that the device wrote: invalidate it before",
		[GS_DEV_WRITE_DIRTY] =
			"the device wrote to a line that was dirty: flush it before the submit",
		[GS_DEV_READ_DIRTY] =
			"the device read old data: flush what the CPU stored, before the submit",
		[GS_CPU_READ_STALE] =
			"the CPU read old data: invalidate what the device wrote, when it is done",
	};

	return kind < GS_VIOLATION_KINDS ? texts[kind] : "unknown";
}
