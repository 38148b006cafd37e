// SPDX-License-Identifier: MIT
/*
 * line.c while the CPU stores (R4, R5).
 *
 * line.c is built into this file with its word accesses hooked: a store by the
 * CPU is tried between each two of them, so every interleaving is seen. A second
 * test does it with a real thread.
 */
#include <pthread.h>

#include "window.h"

#define LINE	16u
#define SIZE	64u

static struct {
	void (*run)(void *arg);
	void *arg;
	u32 countdown;	/* word accesses until then; 0 is never */
} hook;

static void hook_step(void)
{
	if (hook.countdown && !--hook.countdown)
		hook.run(hook.arg);
}

static u64 hooked_load(const u64 *word)
{
	hook_step();
	return gs_word_load(word);
}

static void hooked_store(u64 *word, u64 value)
{
	hook_step();
	gs_word_store(word, value);
}

static bool hooked_replace(u64 *word, u64 from, u64 to)
{
	hook_step();
	return gs_word_replace(word, from, to);
}

/* How memory was accessed. */
static struct {
	u32 bytes, halves, words;
} accesses;

static u64 counted_word_load(const u64 *word)
{
	accesses.words++;
	return hooked_load(word);
}

static void counted_word_store(u64 *word, u64 value)
{
	accesses.words++;
	hooked_store(word, value);
}

static u32 counted_half_load(const u32 *half)
{
	accesses.halves++;
	return gs_half_load(half);
}

static void counted_half_store(u32 *half, u32 value)
{
	accesses.halves++;
	gs_half_store(half, value);
}

static u8 counted_byte_load(const u8 *byte)
{
	accesses.bytes++;
	return gs_byte_load(byte);
}

static void counted_byte_store(u8 *byte, u8 value)
{
	accesses.bytes++;
	gs_byte_store(byte, value);
}

#define gs_word_load counted_word_load
#define gs_word_store counted_word_store
#define gs_word_replace hooked_replace
#define gs_half_load counted_half_load
#define gs_half_store counted_half_store
#define gs_byte_load counted_byte_load
#define gs_byte_store counted_byte_store
#include "line.c"
#undef gs_word_load
#undef gs_word_store
#undef gs_word_replace
#undef gs_half_load
#undef gs_half_store
#undef gs_byte_load
#undef gs_byte_store

struct store {
	struct window *window;
	u32 offset;
};

#define STORED	0xcc
#define BEFORE	0x33	/* dirty before the call */
#define DEVICE	0xdd	/* in memory only before the call */

static void store_byte(void *arg)
{
	struct store *store = arg;

	store->window->cache[store->offset] = STORED;
}

struct geometry {
	u32 line;
	u32 from, to;	/* the range */
};

/* After a drop: a line is dirty, or shows what memory has. */
static bool line_hides_staleness(const struct window *window, u32 line)
{
	u32 size = window->lines.line;

	return !memcmp(window->cache + line, window->base + line, size) &&
	       memcmp(window->cache + line, window->mem + line, size);
}

/* R5: what was dirty outside the range before the call. */
static void assert_neighbours(const struct window *window, const struct geometry *geometry,
			      u32 stored)
{
	for (u32 i = 0; i < SIZE; i++) {
		if ((i < geometry->from || i >= geometry->to) && i != stored)
			assert_int_equal(window->cache[i], BEFORE);
	}
}

/* After a drop with nothing dirty before it: all lines but the one stored to show memory. */
static void assert_dropped(const struct window *window, const struct geometry *geometry,
			   u32 stored)
{
	u32 mask = ~(geometry->line - 1);

	for (u32 i = geometry->from & mask; i <= ((geometry->to - 1) | ~mask); i++) {
		if ((i & mask) != (stored & mask))
			assert_int_equal(window->cache[i], DEVICE);
	}
}

static struct window *race_window(const struct geometry *geometry, bool dirty)
{
	struct window *window = window_create(SIZE, geometry->line);

	memset(window->mem, DEVICE, SIZE);
	if (dirty)
		memset(window->cache, BEFORE, SIZE);
	return window;
}

/*
 * One run of @op with a store at byte @offset before its @step-th word access.
 * Returns whether the store came during the call.
 */
static bool race(u32 (*op)(const struct gs_lines *lines, u32 offset, u32 size),
		 const struct geometry *geometry, bool dirty, u32 offset, u32 step)
{
	struct window *window = race_window(geometry, dirty);
	struct store store = { window, offset };
	u32 line = offset & ~(geometry->line - 1);
	bool interior = line >= geometry->from && line + geometry->line <= geometry->to;
	bool came;

	hook.run = store_byte;
	hook.arg = &store;
	hook.countdown = step;
	op(&window->lines, geometry->from, geometry->to - geometry->from);
	came = !hook.countdown;
	hook.countdown = 0;
	hook.arg = NULL;
	if (came && (op != gs_lines_drop || !interior))
		assert_int_equal(window->cache[offset], STORED);
	if (op == gs_lines_drop && interior)
		assert_false(line_hides_staleness(window, line));
	if (dirty)
		assert_neighbours(window, geometry, offset);
	else if (op == gs_lines_drop)
		assert_dropped(window, geometry, offset);
	gs_lines_clean(&window->lines, 0, SIZE);
	if (came)
		assert_int_equal(window->mem[offset], window->cache[offset]);
	window_destroy(window);
	return came;
}

static void race_everywhere(u32 (*op)(const struct gs_lines *lines, u32 offset, u32 size),
			    const struct geometry *geometry)
{
	for (u32 offset = 0; offset < SIZE; offset++) {
		for (int dirty = 0; dirty < 2; dirty++) {
			u32 step = 1;

			while (race(op, geometry, dirty, offset, step))
				step++;
			assert_true(step > 1);
		}
	}
}

static const struct geometry geometries[] = {
	{ LINE, 16, 48 },	/* whole lines */
	{ LINE, 24, 40 },	/* edges, whole words */
	{ LINE, 19, 61 },	/* edges within words, and a line between them */
	{ LINE, 33, 34 },	/* inside a line */
	{ 8, 11, 37 },
	{ 4, 5, 23 },		/* lines that share words */
	{ 2, 3, 9 },
};

/* R5: stores to edge lines survive; R4: those to interior lines are lost or stay dirty. */
static void drop_loses_no_store_to_an_edge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++)
		race_everywhere(gs_lines_drop, &geometries[i]);
}

/* R4: a store during a flush is written back by this flush or by the next one. */
static void clean_loses_no_store(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++)
		race_everywhere(gs_lines_clean, &geometries[i]);
}

static void write_word(void *arg)
{
	struct store *store = arg;
	u64 value = 0x1234567812345678;

	gs_word_store(&store->window->lines.mem[store->offset / 8], value);
}

/* R3: the device may write at any time. That makes no line dirty: only the CPU does. */
static void drop_during_a_device_write_leaves_nothing_dirty(void **state)
{
	static const struct geometry geometry = { LINE, 24, 56 };
	bool came = true;

	(void)state;
	for (u32 offset = 16; offset < SIZE; offset += 8, came = true) {
		for (u32 step = 1; came; step++) {
			struct window *window = race_window(&geometry, false);
			struct store store = { window, offset };

			hook.run = write_word;
			hook.arg = &store;
			hook.countdown = step;
			gs_lines_drop(&window->lines, geometry.from, geometry.to - geometry.from);
			came = !hook.countdown;
			hook.countdown = 0;
			assert_false(gs_lines_dirty(&window->lines, 0, SIZE));
			window_destroy(window);
		}
	}
}

static u32 stores_lost(u32 (*op)(const struct gs_lines *lines, u32 offset, u32 size))
{
	const struct geometry geometry = { LINE, 16, 48 };
	u32 lost = 0;

	for (u32 step = 1; step < 20; step++) {
		struct window *window = race_window(&geometry, false);
		struct store store = { window, 20 };

		hook.run = store_byte;
		hook.arg = &store;
		hook.countdown = step;
		op(&window->lines, geometry.from, geometry.to - geometry.from);
		lost += !hook.countdown && window->cache[20] != STORED;
		hook.countdown = 0;
		window_destroy(window);
	}
	return lost;
}

/* The twin: the race is real, and R4 leaves it to the caller in interior lines. */
static void drop_may_lose_a_store_to_the_interior(void **state)
{
	(void)state;
	assert_true(stores_lost(gs_lines_drop) > 0);
	assert_int_equal(stores_lost(gs_lines_clean), 0);
}

/* A cache may refill a clean line at any time, and may not lose a store by it. */
static void refill_loses_no_store(void **state)
{
	const struct geometry geometry = { LINE, 16, 48 };

	(void)state;
	for (u32 step = 1; step < 40; step++) {
		struct window *window = race_window(&geometry, false);
		struct store store = { window, 24 };

		hook.run = store_byte;
		hook.arg = &store;
		hook.countdown = step;
		gs_lines_refill(&window->lines, 16, 32);
		if (!hook.countdown) {
			assert_int_equal(window->cache[24], STORED);
			assert_true(gs_lines_dirty(&window->lines, 24, 1));
		}
		hook.countdown = 0;
		window_destroy(window);
	}
}

#define DROPS	500000u

struct thread {
	struct window *window;
	u32 offset;
	bool half;	/* stores of 4 bytes, the other half of the word is in the range */
	bool stop;
	u64 stored;	/* the last value */
	u64 lost;
};

static u64 thread_load(const struct thread *thread)
{
	const u8 *at = thread->window->cache + thread->offset;

	if (thread->half)
		return __atomic_load_n((const u32 *)at, __ATOMIC_RELAXED);
	return __atomic_load_n((const u64 *)at, __ATOMIC_RELAXED);
}

static void thread_store(const struct thread *thread, u64 value)
{
	u8 *at = thread->window->cache + thread->offset;

	if (thread->half)
		__atomic_store_n((u32 *)at, (u32)value, __ATOMIC_RELAXED);
	else
		__atomic_store_n((u64 *)at, value, __ATOMIC_RELAXED);
}

/* Nobody else stores to these bytes: any other value in them is a lost store. */
static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	u64 value = 0;

	while (!__atomic_load_n(&thread->stop, __ATOMIC_RELAXED)) {
		thread_store(thread, ++value);
		for (int i = 0; i < 8; i++)
			thread->lost += thread_load(thread) != value;
	}
	thread->stored = value;
	return NULL;
}

/* Writes of the device to the range, and drops of it, while @thread stores beside it. */
static void thread_race(struct thread *thread, u32 from, u32 to)
{
	struct window *window = thread->window;
	pthread_t id;
	u8 bytes[SIZE];

	assert_int_equal(pthread_create(&id, NULL, thread_main, thread), 0);
	for (u32 i = 0; i < DROPS; i++) {
		memset(bytes, (u8)i, to - from);
		gs_lines_dev_write(&window->lines, from, bytes, to - from);
		gs_lines_drop(&window->lines, from, to - from);
	}
	__atomic_store_n(&thread->stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(id, NULL), 0);
	assert_int_equal(thread->lost, 0);
	assert_int_equal(thread_load(thread), thread->stored);
	gs_lines_clean(&window->lines, 0, SIZE);
	assert_memory_equal(window->mem + thread->offset, &thread->stored, thread->half ? 4 : 8);
}

/* R5, with a real second CPU: whole words beside the range. */
static void drop_against_a_thread_that_stores_words(void **state)
{
	struct thread thread = { .window = window_create(SIZE, LINE), .offset = 16 };

	(void)state;
	thread_race(&thread, 24, 56);
	window_destroy(thread.window);
}

/* R5: the range begins within the word that the thread stores to. */
static void drop_against_a_thread_that_stores_half_words(void **state)
{
	struct thread thread = { .window = window_create(SIZE, LINE), .offset = 24, .half = true };

	(void)state;
	thread_race(&thread, 28, 56);
	window_destroy(thread.window);
}

/* Who polls memory sees a word or half word of the device as it was or as it is, never torn. */
static void device_accesses_are_not_torn(void **state)
{
	static const struct {
		u32 offset, size;
		u32 bytes, halves, words;
	} cases[] = {
		{ 8, 8, 0, 0, 1 }, { 8, 4, 0, 1, 0 }, { 12, 4, 0, 1, 0 }, { 12, 8, 0, 2, 0 },
		{ 8, 12, 0, 1, 1 }, { 3, 18, 2, 2, 1 }, { 5, 2, 2, 0, 0 }, { 16, 32, 0, 0, 4 },
	};
	struct window *window = window_create(SIZE, LINE);
	u8 data[SIZE] = { 0 };
	size_t i;
	int write;

	(void)state;
	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		write = i % 2;
		memset(&accesses, 0, sizeof(accesses));
		if (write)
			gs_lines_dev_write(&window->lines, cases[i / 2].offset, data,
					   cases[i / 2].size);
		else
			gs_lines_dev_read(&window->lines, cases[i / 2].offset, data,
					  cases[i / 2].size);
		assert_int_equal(accesses.bytes, cases[i / 2].bytes);
		assert_int_equal(accesses.halves, cases[i / 2].halves);
		assert_int_equal(accesses.words, cases[i / 2].words);
	}
	window_destroy(window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drop_loses_no_store_to_an_edge),
		cmocka_unit_test(clean_loses_no_store),
		cmocka_unit_test(drop_during_a_device_write_leaves_nothing_dirty),
		cmocka_unit_test(drop_may_lose_a_store_to_the_interior),
		cmocka_unit_test(refill_loses_no_store),
		cmocka_unit_test(device_accesses_are_not_torn),
		cmocka_unit_test(drop_against_a_thread_that_stores_words),
		cmocka_unit_test(drop_against_a_thread_that_stores_half_words),
	};

	return cmocka_run_group_tests_name("line_race", tests, NULL, NULL);
}
