// SPDX-License-Identifier: MIT
/*
 * violation.h: each kind and its negative twin, exact rows, every line size; and
 * random windows against an implementation that knows bytes only.
 */
#include "window.h"

#include "violation.h"

#define SIZE	512u
#define MAX	SIZE		/* there is at most one row for every byte */
#define ROUNDS	5000		/* for each line size */

#define POISON	0xa5

/* What was reported, or should be, in its order. */
struct findings {
	struct gs_violation rows[MAX];
	u32 count;
};

static void record(void *ctx, const struct gs_violation *violation)
{
	struct findings *log = ctx;

	assert_in_range(log->count, 0, MAX - 1);
	log->rows[log->count++] = *violation;
}

enum look { CLEAN, DEV_WRITE, DEV_READ, LOOKS };

static struct findings look(const struct window *window, enum look look, u32 offset, u32 size)
{
	struct findings log = { .count = 0 };

	if (look == CLEAN)
		gs_violations_of_clean(&window->lines, offset, size, record, &log);
	else if (look == DEV_WRITE)
		gs_violations_of_dev_write(&window->lines, offset, size, record, &log);
	else
		gs_violations_of_dev_read(&window->lines, offset, size, record, &log);
	return log;
}

static void assert_logs(const struct findings *log, const struct findings *expected)
{
	assert_int_equal(log->count, expected->count);
	for (u32 i = 0; i < log->count; i++) {
		assert_int_equal(log->rows[i].kind, expected->rows[i].kind);
		assert_int_equal(log->rows[i].offset, expected->rows[i].offset);
		assert_int_equal(log->rows[i].size, expected->rows[i].size);
	}
}

struct row {
	enum gs_violation_kind kind;
	u32 offset;
	u32 size;
};

static struct gs_violation to_violation(struct row row)
{
	return (struct gs_violation){ .kind = row.kind, .offset = row.offset, .size = row.size };
}

/* The rows of a look are exactly those given, each as { kind, offset, size }. */
#define ASSERT_ROWS(log, ...) \
	do { \
		const struct row rows[] = { __VA_ARGS__ }; \
		struct findings expected = { .count = sizeof(rows) / sizeof(rows[0]) }; \
		struct findings found = (log); \
\
		for (u32 row = 0; row < expected.count; row++) \
			expected.rows[row] = to_violation(rows[row]); \
		assert_logs(&found, &expected); \
	} while (0)

/* There are some, all of one kind. */
#define ASSERT_KIND(log, kind_) \
	do { \
		struct findings found = (log); \
\
		assert_true(found.count > 0); \
		for (u32 row = 0; row < found.count; row++) \
			assert_int_equal(found.rows[row].kind, kind_); \
	} while (0)

#define ASSERT_NOTHING(log) assert_int_equal((log).count, 0)

static int setup(void **state)
{
	*state = window_create(SIZE, 64);
	return 0;
}

static int teardown(void **state)
{
	window_destroy(*state);
	return 0;
}

static void lost_update(void **state)
{
	struct window *w = *state;

	/* Twin: neither side alone is one. */
	memset(w->mem + 64 + 8, 1, 4);
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	memset(w->mem, 0, SIZE);
	w->cache[64 + 40] = 1;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));

	memset(w->mem + 64 + 8, 1, 4);
	ASSERT_ROWS(look(w, CLEAN, 0, SIZE), { GS_LOST_UPDATE, 64 + 8, 4 });
	assert_false(look(w, CLEAN, 0, SIZE).rows[0].late);
	/* It happens as foretold. */
	gs_lines_clean(&w->lines, 0, SIZE);
	assert_bytes(w->mem, 64 + 8, 64 + 12, 0);
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
}

/* Not of the line beside it, nor of one outside the range. */
static void lost_update_is_of_one_line(void **state)
{
	struct window *w = *state;

	w->cache[63] = 1;
	w->mem[64] = 1;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	w->mem[0] = 1;
	w->mem[62] = 1;
	ASSERT_ROWS(look(w, CLEAN, 63, 1), { GS_LOST_UPDATE, 0, 1 }, { GS_LOST_UPDATE, 62, 1 });
	ASSERT_NOTHING(look(w, CLEAN, 64, SIZE - 64));
	ASSERT_NOTHING(look(w, CLEAN, 63, 0));
	ASSERT_NOTHING(look(w, CLEAN, 5, 0));
}

/* A byte that both sides changed is the CPU's: it was not lost unawares. */
static void cpu_store_stale(void **state)
{
	struct window *w = *state;

	w->mem[20] = 1;
	ASSERT_NOTHING(look(w, CLEAN, 0, 64));
	w->cache[20] = 2;
	w->cache[21] = 2;
	w->cache[50] = 2;
	ASSERT_ROWS(look(w, CLEAN, 0, 64), { GS_CPU_STORE_STALE, 20, 2 },
		    { GS_CPU_STORE_STALE, 50, 1 });
	/* Also when both stored the same. */
	w->mem[20] = 2;
	ASSERT_ROWS(look(w, CLEAN, 0, 64), { GS_CPU_STORE_STALE, 20, 2 },
		    { GS_CPU_STORE_STALE, 50, 1 });
	/* Twin: a lost byte in the line is reported instead, not in addition. */
	w->mem[63] = 1;
	ASSERT_ROWS(look(w, CLEAN, 0, 64), { GS_LOST_UPDATE, 63, 1 });
	/* Twin: after a fill nothing is stale. */
	gs_lines_fill(&w->lines);
	w->cache[20] = 9;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
}

/* The order of the two decides, not the bytes: what the CPU stored first destroys. */
static void older_store_loses_update(void **state)
{
	struct window *w = *state;

	memset(w->cache, 7, 128);
	w->mem[64] = 1;
	/* Twin: the CPU stored all of the line later, and discards what the device wrote. */
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	w->mem[64] = 0;
	ASSERT_ROWS(look(w, DEV_WRITE, 64, 4), { GS_DEV_WRITE_DIRTY, 64, 64 });
	memset(w->mem + 64, 1, 3);
	w->mem[67] = 7;
	w->mem[3] = 1;
	ASSERT_ROWS(look(w, CLEAN, 0, SIZE), { GS_LOST_UPDATE, 64, 3 });
	assert_true(look(w, CLEAN, 0, SIZE).rows[0].late);
	gs_lines_clean(&w->lines, 0, SIZE);
	/* Written back: what the CPU stores from here on is the later one. */
	memset(w->cache, 8, 128);
	w->mem[64] = 1;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
}

/* So do a drop, whole or at an edge, and a fill; a refill finds no dirty line. */
static void drops_forget_the_order(void **state)
{
	struct window *w = *state;

	for (u32 i = 0; i < 3; i++) {
		w->cache[64 + 1] = 7;
		look(w, DEV_WRITE, 64, 1);
		if (i == 0)
			gs_lines_drop(&w->lines, 64, 64);
		else if (i == 1)
			gs_lines_drop(&w->lines, 64, 1);
		else
			gs_lines_fill(&w->lines);
		memset(w->cache + 64, 10 + i, 64);
		w->mem[64] = 1;
		ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
		gs_lines_clean(&w->lines, 0, SIZE);
	}
}

/* Every word that the CPU stored, even if some of its bytes are what they were. */
static void discard_is_no_mistake(void **state)
{
	struct window *w = *state;

	memset(w->mem, 1, SIZE);
	for (u32 i = 64; i < 128; i += 4)
		w->cache[i + i / 4 % 4] = 2;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	/* Twin: all but one word. */
	memset(w->cache + 80, 0, 4);
	ASSERT_KIND(look(w, CLEAN, 64, 1), GS_LOST_UPDATE);
	memset(w->mem + 64, 0, 64);
	w->mem[64] = 1;
	w->cache[64] = 2;
	ASSERT_KIND(look(w, CLEAN, 64, 1), GS_CPU_STORE_STALE);
}

static void dev_write_dirty(void **state)
{
	struct window *w = *state;

	w->mem[64] = 1;
	ASSERT_NOTHING(look(w, DEV_WRITE, 0, SIZE));
	w->cache[64] = 1;
	w->cache[127] = 1;
	/* The whole line counts, and no other. */
	ASSERT_ROWS(look(w, DEV_WRITE, 100, 1), { GS_DEV_WRITE_DIRTY, 64, 1 },
		    { GS_DEV_WRITE_DIRTY, 127, 1 });
	ASSERT_NOTHING(look(w, DEV_WRITE, 63, 1));
	ASSERT_NOTHING(look(w, DEV_WRITE, 128, SIZE - 128));
	ASSERT_NOTHING(look(w, DEV_WRITE, 100, 0));
	gs_lines_clean(&w->lines, 64, 1);
	ASSERT_NOTHING(look(w, DEV_WRITE, 0, SIZE));
}

static void dev_read_dirty(void **state)
{
	struct window *w = *state;

	w->mem[100] = 1;
	ASSERT_NOTHING(look(w, DEV_READ, 0, SIZE));
	memset(w->cache + 99, 1, 3);
	ASSERT_ROWS(look(w, DEV_READ, 0, SIZE), { GS_DEV_READ_DIRTY, 99, 3 });
	/* Only the bytes that are read. */
	ASSERT_ROWS(look(w, DEV_READ, 100, 1), { GS_DEV_READ_DIRTY, 100, 1 });
	ASSERT_ROWS(look(w, DEV_READ, 90, 10), { GS_DEV_READ_DIRTY, 99, 1 });
	ASSERT_NOTHING(look(w, DEV_READ, 64, 35));
	ASSERT_NOTHING(look(w, DEV_READ, 102, 26));
	ASSERT_NOTHING(look(w, DEV_READ, 100, 0));
	gs_lines_clean(&w->lines, 100, 1);
	ASSERT_NOTHING(look(w, DEV_READ, 0, SIZE));
}

/* Of what is there: the line is dirty, and its write-back destroys what the device wrote. */
static void store_of_the_same(void **state)
{
	struct window *w = *state;

	gs_lines_store(&w->lines, 70);
	assert_true(gs_lines_dirty(&w->lines, 64, 1));
	assert_false(gs_lines_dirty(&w->lines, 0, 64));
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	ASSERT_NOTHING(look(w, DEV_READ, 0, SIZE));
	ASSERT_NOTHING(look(w, DEV_WRITE, 128, 64));
	ASSERT_ROWS(look(w, DEV_WRITE, 100, 4), { GS_DEV_WRITE_DIRTY, 64, 64 });
	memset(w->mem + 100, 1, 4);
	ASSERT_ROWS(look(w, CLEAN, 0, SIZE), { GS_LOST_UPDATE, 100, 4 });
	gs_lines_clean(&w->lines, 0, SIZE);
	assert_bytes(w->mem, 0, SIZE, 0);
	/* Twin: it was flushed before. */
	gs_lines_store(&w->lines, 70);
	gs_lines_clean(&w->lines, 64, 64);
	ASSERT_NOTHING(look(w, DEV_WRITE, 100, 4));
	memset(w->mem + 100, 1, 4);
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	gs_lines_clean(&w->lines, 0, SIZE);
	assert_bytes(w->mem, 100, 104, 1);
	/* Who stores later may overwrite the whole line. */
	gs_lines_store(&w->lines, 70);
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	gs_lines_clean(&w->lines, 0, SIZE);
	assert_bytes(w->mem, 64, 128, 0);
}

/* A load is of one byte, and tells of all the lines behind it that are as bad. */
static void cpu_read_stale(void **state)
{
	struct window *w = *state;
	struct gs_violation found;

	w->cache[64] = 1;
	assert_false(gs_violation_of_cpu_load(&w->lines, 64, &found));
	w->mem[100] = 1;
	w->mem[130] = 1;
	w->mem[256] = 1;
	assert_true(gs_violation_of_cpu_load(&w->lines, 70, &found));
	assert_int_equal(found.kind, GS_CPU_READ_STALE);
	assert_int_equal(found.offset, 70);
	assert_int_equal(found.size, 192 - 70);
	assert_false(gs_violation_of_cpu_load(&w->lines, 63, &found));
	assert_false(gs_violation_of_cpu_load(&w->lines, 192, &found));
	gs_lines_drop(&w->lines, 64, 64);
	assert_false(gs_violation_of_cpu_load(&w->lines, 100, &found));
	assert_true(gs_violation_of_cpu_load(&w->lines, 128, &found));
	w->mem[SIZE - 1] = 1;
	assert_true(gs_violation_of_cpu_load(&w->lines, SIZE - 1, &found));
	assert_int_equal(found.size, 1);
}

/* Rows go over words; of a clean they end with the line, of an access they do not. */
static void rows(void **state)
{
	struct window *w = *state;

	memset(w->cache + 6, 1, 12);
	memset(w->cache + 60, 1, 8);
	w->cache[511] = 1;
	ASSERT_ROWS(look(w, DEV_READ, 0, SIZE), { GS_DEV_READ_DIRTY, 6, 12 },
		    { GS_DEV_READ_DIRTY, 60, 8 }, { GS_DEV_READ_DIRTY, 511, 1 });
	ASSERT_ROWS(look(w, DEV_WRITE, 70, 1), { GS_DEV_WRITE_DIRTY, 64, 4 });
	ASSERT_ROWS(look(w, DEV_WRITE, 63, 2), { GS_DEV_WRITE_DIRTY, 6, 12 },
		    { GS_DEV_WRITE_DIRTY, 60, 8 });
	/* What the looks remember of device writes that did not happen. */
	w->under[0] = 0;
	memset(w->mem, 1, 128);
	memset(w->cache, 0, 128);
	w->cache[30] = 2;
	w->cache[100] = 2;
	ASSERT_ROWS(look(w, CLEAN, 0, 128), { GS_LOST_UPDATE, 0, 30 }, { GS_LOST_UPDATE, 31, 33 },
		    { GS_LOST_UPDATE, 64, 36 }, { GS_LOST_UPDATE, 101, 27 });
}

/* Whatever bits of a byte changed. */
static void every_bit(void **state)
{
	struct window *w = *state;

	for (u32 bit = 0; bit < 64; bit++) {
		u32 byte = bit / 8;

		w->mem[byte] = (u8)(1 << bit % 8);
		w->cache[9] = 1;
		ASSERT_ROWS(look(w, CLEAN, 0, 1), { GS_LOST_UPDATE, byte, 1 });
		/* All bytes of the word but this one are the CPU's, by one bit each. */
		memset(w->mem, 0xff, 8);
		memset(w->cache, 1 << bit % 8, 8);
		w->cache[byte] = 0;
		ASSERT_ROWS(look(w, CLEAN, 0, 1), { GS_LOST_UPDATE, byte, 1 });
		memset(w->mem, 0, 8);
		memset(w->cache, 0, 8);
		memset(w->cache, 0, 10);
		w->cache[byte] = (u8)(1 << bit % 8);
		ASSERT_ROWS(look(w, DEV_READ, 0, 8), { GS_DEV_READ_DIRTY, byte, 1 });
		w->cache[byte] = 0;
	}
}

/* A fresh page: content over poisoned memory is all dirty, but nobody wrote memory. */
static void fresh_pages_are_quiet(void **state)
{
	struct window *w = *state;

	memset(w->mem, POISON, SIZE);
	memset(w->base, POISON, SIZE);
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	for (u32 i = 0; i < SIZE; i++)
		w->cache[i] = (u8)i;
	ASSERT_NOTHING(look(w, CLEAN, 0, SIZE));
	gs_lines_clean(&w->lines, 0, SIZE);
	for (enum look kind = CLEAN; kind < LOOKS; kind++)
		ASSERT_NOTHING(look(w, kind, 0, SIZE));
	assert_memory_equal(w->mem, w->cache, SIZE);
}

/* Twin: once the device writes to such a page before it was cleaned, that is lost. */
static void fresh_pages_are_not_exempt(void **state)
{
	struct window *w = *state;

	memset(w->mem, POISON, SIZE);
	memset(w->base, POISON, SIZE);
	memset(w->cache + 68, POISON, 4);
	w->mem[70] = 1;
	ASSERT_ROWS(look(w, CLEAN, 0, SIZE), { GS_LOST_UPDATE, 70, 1 });
}

/* Lines that share a word do not share their violations. */
static void lines_smaller_than_a_word(void **state)
{
	(void)state;
	for (u32 line = 2; line <= 4; line *= 2) {
		struct window *w = window_create(16, line);

		for (u32 at = 0; at < 16; at += line) {
			u32 beside = (at + line) % 16;

			w->mem[at] = 1;
			w->cache[beside] = 1;
			ASSERT_NOTHING(look(w, CLEAN, 0, 16));
			ASSERT_NOTHING(look(w, DEV_WRITE, at, line));
			ASSERT_ROWS(look(w, DEV_WRITE, beside + line - 1, 1),
				    { GS_DEV_WRITE_DIRTY, beside, 1 });
			w->cache[at + line - 1] = 1;
			ASSERT_ROWS(look(w, CLEAN, 0, 16), { GS_LOST_UPDATE, at, 1 });
			ASSERT_ROWS(look(w, CLEAN, at + 1, 1), { GS_LOST_UPDATE, at, 1 });
			ASSERT_NOTHING(look(w, CLEAN, beside, line));
			memset(w->mem, 0, 16);
			memset(w->cache, 0, 16);
		}
		window_destroy(w);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(gs_violation_name(GS_LOST_UPDATE), "lost-update");
	assert_string_equal(gs_violation_name(GS_CPU_STORE_STALE), "cpu-store-stale");
	assert_string_equal(gs_violation_name(GS_DEV_WRITE_DIRTY), "dev-write-dirty");
	assert_string_equal(gs_violation_name(GS_DEV_READ_DIRTY), "dev-read-dirty");
	assert_string_equal(gs_violation_name(GS_CPU_READ_STALE), "cpu-read-stale");
	assert_string_equal(gs_violation_name(GS_VIOLATION_KINDS), "unknown");
	assert_string_equal(gs_violation_name((enum gs_violation_kind)99), "unknown");
	for (u32 kind = 0; kind < GS_VIOLATION_KINDS; kind++)
		assert_string_not_equal(gs_violation_explain((enum gs_violation_kind)kind),
					"unknown");
	assert_string_equal(gs_violation_explain(GS_VIOLATION_KINDS), "unknown");
}

/* Rows of the bytes in [@from, @to) that are marked. */
static void naive_rows(struct findings *log, const bool *marked, u32 from, u32 to,
		       enum gs_violation_kind kind)
{
	for (u32 i = from; i < to; i++) {
		if (!marked[i])
			continue;
		if (i > from && marked[i - 1])
			log->rows[log->count - 1].size++;
		else
			log->rows[log->count++] = to_violation((struct row){ kind, i, 1 });
	}
}

static bool any(const bool *marked, u32 from, u32 to)
{
	return memchr(marked + from, 1, to - from) != NULL;
}

static bool naive_stores_all(const bool *cpu, u32 at, u32 line)
{
	u32 unit = line < 16 ? 1 : 4;

	for (u32 i = at; i < at + line; i += unit)
		if (!any(cpu, i, i + unit))
			return false;
	return true;
}

/* The second implementation. */
static struct findings naive(const struct window *w, enum look look, u32 offset, u32 size)
{
	bool cpu[SIZE], device[SIZE], lost[SIZE], destroyed[SIZE];
	struct findings log = { .count = 0 };
	u32 line = w->lines.line;
	u32 first = offset / line * line;
	u32 last = (offset + size + line - 1) / line * line;
	bool dirty[SIZE], same[SIZE];

	for (u32 i = 0; i < w->lines.size; i++) {
		cpu[i] = w->cache[i] != w->base[i];
		device[i] = w->mem[i] != w->base[i];
		lost[i] = device[i] && !cpu[i];
		destroyed[i] = device[i] && w->mem[i] != w->cache[i];
	}
	if (!size)
		return log;
	for (u32 at = first; at < last; at += line) {
		bool changed = any(cpu, at, at + line);
		bool seen = w->stored[at / line / 64] >> at / line % 64 & 1;

		memset(same + at, seen && !changed, line);
		memset(dirty + at, seen || changed, line);
	}
	if (look == DEV_READ)
		naive_rows(&log, cpu, offset, offset + size, GS_DEV_READ_DIRTY);
	if (look == DEV_WRITE) {
		for (u32 i = first; i < last; i++)
			cpu[i] |= same[i];
		naive_rows(&log, cpu, first, last, GS_DEV_WRITE_DIRTY);
	}
	for (u32 at = first; look == CLEAN && at < last; at += line) {
		if (!dirty[at] || !any(device, at, at + line))
			continue;
		if (w->under[at / line / 64] >> at / line % 64 & 1)
			naive_rows(&log, destroyed, at, at + line, GS_LOST_UPDATE);
		else if (same[at] || naive_stores_all(cpu, at, line))
			continue;
		else if (any(lost, at, at + line))
			naive_rows(&log, lost, at, at + line, GS_LOST_UPDATE);
		else
			naive_rows(&log, cpu, at, at + line, GS_CPU_STORE_STALE);
	}
	return log;
}

/* Some rows of changed bytes; few different values, so that equal ones happen. */
static void random_changes(struct rng *rng, u8 *bytes, u32 size)
{
	for (u32 n = rng_below(rng, 6); n; n--) {
		u32 offset = rng_below(rng, size);
		u32 limit = size - offset < 40 ? size - offset : 40;

		for (u32 end = offset + rng_below(rng, limit + 1); offset < end; offset++)
			bytes[offset] = (u8)(rng_below(rng, 4) << rng_below(rng, 7));
	}
}

static u32 seen[GS_VIOLATION_KINDS];

static void random_round(struct rng *rng, struct window *w)
{
	u32 size = w->lines.size;
	u8 start = rng_below(rng, 2) ? 0 : 1;
	u32 offset, length;

	memset(w->mem, start, size);
	memset(w->cache, start, size);
	memset(w->base, start, size);
	random_changes(rng, w->mem, size);
	random_changes(rng, w->cache, size);
	for (u32 i = 0; i < size / w->lines.line; i++) {
		w->under[i / 64] &= ~(1ull << i % 64);
		w->under[i / 64] |= (u64)!rng_below(rng, 4) << i % 64;
		w->stored[i / 64] &= ~(1ull << i % 64);
		w->stored[i / 64] |= (u64)!rng_below(rng, 4) << i % 64;
	}
	offset = rng_below(rng, size + 1);
	length = rng_below(rng, size - offset + 1);
	for (enum look kind = CLEAN; kind < LOOKS; kind++) {
		struct findings expected = naive(w, kind, offset, length);
		struct findings found = look(w, kind, offset, length);

		assert_logs(&found, &expected);
		for (u32 i = 0; i < found.count; i++)
			seen[found.rows[i].kind]++;
	}
}

static void random_windows_match_bytes(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 line = 2; line <= 128; line *= 2) {
		struct window *small = window_create(line < 8 ? 8 : line, line);
		struct window *large = window_create(SIZE, line);

		for (u32 i = 0; i < ROUNDS; i++) {
			random_round(&rng, small);
			random_round(&rng, large);
		}
		window_destroy(small);
		window_destroy(large);
	}
	for (u32 kind = 0; kind <= GS_DEV_READ_DIRTY; kind++)
		assert_true(seen[kind] > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lost_update),
		TEST(lost_update_is_of_one_line),
		TEST(cpu_store_stale),
		TEST(older_store_loses_update),
		TEST(drops_forget_the_order),
		TEST(discard_is_no_mistake),
		TEST(dev_write_dirty),
		TEST(dev_read_dirty),
		TEST(store_of_the_same),
		TEST(cpu_read_stale),
		TEST(rows),
		TEST(every_bit),
		TEST(fresh_pages_are_quiet),
		TEST(fresh_pages_are_not_exempt),
		cmocka_unit_test(lines_smaller_than_a_word),
		cmocka_unit_test(names),
		cmocka_unit_test(random_windows_match_bytes),
	};

	return cmocka_run_group_tests_name("violation", tests, NULL, NULL);
}
