// SPDX-License-Identifier: MIT
/* line.h: what each operation of the cache-line model does, and what happens without it. */
#include "window.h"

#define LINE	64u
#define SIZE	8192u
#define OLD	0x11	/* in both copies at the start of a test */
#define CPU	0xc0	/* stored by the CPU */
#define DEV	0xd0	/* written by the device */

static int setup(void **state)
{
	struct window *window = window_create(SIZE, LINE);

	memset(window->mem, OLD, SIZE);
	gs_lines_fill(&window->lines);
	*state = window;
	return 0;
}

static int teardown(void **state)
{
	window_destroy(*state);
	return 0;
}

static void cpu_store(struct window *window, u32 offset, u32 size)
{
	memset(window->cache + offset, CPU, size);
}

static void dev_write(struct window *window, u32 offset, u32 size)
{
	u8 bytes[SIZE];

	memset(bytes, DEV, size);
	gs_lines_dev_write(&window->lines, offset, bytes, size);
}

static void assert_dev_reads(struct window *window, u32 from, u32 to, u8 value)
{
	u8 bytes[SIZE];

	gs_lines_dev_read(&window->lines, from, bytes, to - from);
	assert_bytes(bytes, 0, to - from, value);
}

static void fill_shows_memory(void **state)
{
	struct window *window = *state;

	assert_bytes(window->cache, 0, SIZE, OLD);
	assert_bytes(window->base, 0, SIZE, OLD);
	assert_false(gs_lines_dirty(&window->lines, 0, SIZE));
}

/* R4 */
static void flush_shows_stores_to_the_device(void **state)
{
	struct window *window = *state;

	cpu_store(window, 100, 200);
	assert_int_equal(gs_lines_clean(&window->lines, 100, 200), 4);
	assert_dev_reads(window, 100, 300, CPU);
	assert_dev_reads(window, 0, 100, OLD);
	assert_dev_reads(window, 300, SIZE, OLD);
}

/* R4, the twin: without a flush the device sees nothing of it. */
static void without_flush_the_device_reads_stale_data(void **state)
{
	struct window *window = *state;

	cpu_store(window, 100, 200);
	assert_dev_reads(window, 0, SIZE, OLD);
}

/* R4: the lines stay in the cache, clean. */
static void flush_keeps_lines(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, SIZE);
	gs_lines_clean(&window->lines, 0, SIZE);
	assert_bytes(window->cache, 0, SIZE, CPU);
	assert_false(gs_lines_dirty(&window->lines, 0, SIZE));
	dev_write(window, 0, SIZE);
	assert_bytes(window->cache, 0, SIZE, CPU);
}

/* R6: why the device's writes ask for a flush as well. */
static void flush_before_a_device_write_saves_it(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, LINE);
	gs_lines_clean(&window->lines, 0, LINE);
	dev_write(window, 0, LINE);
	gs_lines_clean(&window->lines, 0, LINE);
	assert_dev_reads(window, 0, LINE, DEV);
}

/* R6, the twin: the dirty line is evicted over what the device wrote. */
static void without_flush_an_eviction_overwrites_the_device(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, LINE);
	dev_write(window, 0, LINE);
	gs_lines_clean(&window->lines, 0, LINE);
	assert_dev_reads(window, 0, LINE, CPU);
}

/* R3: a dirty line is written whole, with bytes that the CPU did not touch: the lost update. */
static void flush_writes_a_dirty_line_whole(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, 1);
	dev_write(window, 8, LINE - 8);
	gs_lines_clean(&window->lines, 0, 1);
	assert_dev_reads(window, 0, 1, CPU);
	assert_dev_reads(window, 1, LINE, OLD);
}

/* R3, the twin: a clean line is not written. */
static void flush_does_not_write_a_clean_line(void **state)
{
	struct window *window = *state;

	dev_write(window, 0, LINE);
	assert_int_equal(gs_lines_clean(&window->lines, 0, LINE), 1);
	assert_dev_reads(window, 0, LINE, DEV);
}

/* R4 */
static void drop_shows_memory_to_the_cpu(void **state)
{
	struct window *window = *state;

	dev_write(window, 128, 256);
	assert_int_equal(gs_lines_drop(&window->lines, 128, 256), 4);
	assert_bytes(window->cache, 128, 384, DEV);
	assert_bytes(window->cache, 0, 128, OLD);
	assert_bytes(window->cache, 384, SIZE, OLD);
}

/* R4, the twin. */
static void without_drop_the_cpu_reads_stale_data(void **state)
{
	struct window *window = *state;

	dev_write(window, 128, 256);
	assert_bytes(window->cache, 0, SIZE, OLD);
}

/* R4: lines wholly inside the range are lost, also dirty ones. */
static void drop_discards_interior_lines(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, 4 * LINE);
	dev_write(window, LINE, 2 * LINE);
	gs_lines_drop(&window->lines, LINE, 2 * LINE);
	assert_bytes(window->cache, LINE, 3 * LINE, DEV);
	assert_dev_reads(window, LINE, 3 * LINE, DEV);
	assert_false(gs_lines_dirty(&window->lines, LINE, 2 * LINE));
	assert_true(gs_lines_dirty(&window->lines, 0, LINE));
	assert_true(gs_lines_dirty(&window->lines, 3 * LINE, LINE));
}

/* What a sync is good for: dirty lines for a clean, and for a drop what the device wrote. */
static void useful_lines_are_counted(void **state)
{
	struct window *window = *state;
	const struct gs_lines *lines = &window->lines;

	assert_int_equal(gs_lines_count_dirty(lines, 0, SIZE), 0);
	assert_int_equal(gs_lines_count_stale(lines, 0, SIZE), 0);
	cpu_store(window, LINE + 8, LINE);
	dev_write(window, 4 * LINE, 3 * LINE);
	assert_int_equal(gs_lines_count_dirty(lines, 0, SIZE), 2);
	assert_int_equal(gs_lines_count_stale(lines, 0, SIZE), 3);
	assert_int_equal(gs_lines_count_dirty(lines, LINE + LINE - 1, 1), 1);
	assert_int_equal(gs_lines_count_dirty(lines, 3 * LINE, SIZE - 3 * LINE), 0);
	assert_int_equal(gs_lines_count_stale(lines, 5 * LINE - 1, 2), 2);
	assert_int_equal(gs_lines_count_stale(lines, 0, 0), 0);
	gs_lines_clean(lines, 0, SIZE);
	gs_lines_drop(lines, 0, SIZE);
	assert_int_equal(gs_lines_count_dirty(lines, 0, SIZE), 0);
	assert_int_equal(gs_lines_count_stale(lines, 0, SIZE), 0);
}

/* R4: clean, then drop. */
static void flush_and_invalidate_keeps_stores(void **state)
{
	struct window *window = *state;

	cpu_store(window, LINE, LINE);
	gs_lines_clean(&window->lines, LINE, LINE);
	gs_lines_drop(&window->lines, LINE, LINE);
	assert_bytes(window->cache, LINE, 2 * LINE, CPU);
	assert_dev_reads(window, LINE, 2 * LINE, CPU);
}

/* R4, the twin: a bare drop is no operation of the contract because it does this. */
static void bare_drop_loses_stores(void **state)
{
	struct window *window = *state;

	cpu_store(window, LINE, LINE);
	gs_lines_drop(&window->lines, LINE, LINE);
	assert_bytes(window->cache, LINE, 2 * LINE, OLD);
}

/* R5: edge lines are written back first, on both sides of the range. */
static void drop_keeps_the_neighbours_of_an_edge(void **state)
{
	struct window *window = *state;

	cpu_store(window, LINE, 8);
	cpu_store(window, 3 * LINE - 8, 8);
	assert_int_equal(gs_lines_drop(&window->lines, LINE + 8, 2 * LINE - 16), 2);
	assert_bytes(window->cache, LINE, LINE + 8, CPU);
	assert_bytes(window->cache, 3 * LINE - 8, 3 * LINE, CPU);
	assert_dev_reads(window, LINE, LINE + 8, CPU);
	assert_dev_reads(window, 3 * LINE - 8, 3 * LINE, CPU);
}

/* R5: and a range inside one line has one edge line, no interior. */
static void drop_inside_a_line_keeps_both_neighbours(void **state)
{
	struct window *window = *state;

	cpu_store(window, LINE, 1);
	cpu_store(window, 2 * LINE - 1, 1);
	assert_int_equal(gs_lines_drop(&window->lines, LINE + 1, LINE - 2), 1);
	assert_bytes(window->cache, LINE, LINE + 1, CPU);
	assert_bytes(window->cache, 2 * LINE - 1, 2 * LINE, CPU);
}

/* An edge line that the CPU did not store to is dropped like any other. */
static void drop_refills_clean_edges(void **state)
{
	struct window *window = *state;

	dev_write(window, LINE + 8, 2 * LINE - 16);
	gs_lines_drop(&window->lines, LINE + 8, 2 * LINE - 16);
	assert_bytes(window->cache, LINE + 8, 3 * LINE - 8, DEV);
	assert_false(gs_lines_dirty(&window->lines, 0, SIZE));
}

static void refill_shows_memory_in_clean_lines(void **state)
{
	struct window *window = *state;

	dev_write(window, 0, 4 * LINE);
	assert_int_equal(gs_lines_refill(&window->lines, LINE, 2 * LINE), 2);
	assert_bytes(window->cache, 0, LINE, OLD);
	assert_bytes(window->cache, LINE, 3 * LINE, DEV);
	assert_bytes(window->cache, 3 * LINE, SIZE, OLD);
}

static void refill_leaves_dirty_lines(void **state)
{
	struct window *window = *state;

	cpu_store(window, LINE, 1);
	dev_write(window, 0, 3 * LINE);
	assert_int_equal(gs_lines_refill(&window->lines, 0, 3 * LINE), 2);
	assert_bytes(window->cache, LINE, LINE + 1, CPU);
	assert_bytes(window->cache, LINE + 1, 2 * LINE, OLD);
	assert_true(gs_lines_dirty(&window->lines, LINE, LINE));
}

/* R1: neither the page nor the window, by count and by effect. */
static void sync_touches_its_lines_only(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, SIZE);
	assert_int_equal(gs_lines_clean(&window->lines, 4160, 64), 1);
	assert_dev_reads(window, 0, 4160, OLD);
	assert_dev_reads(window, 4160, 4224, CPU);
	assert_dev_reads(window, 4224, SIZE, OLD);
}

/* R1: an unaligned range overlaps one line more than its size says. */
static void sync_includes_the_last_line(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, SIZE);
	assert_int_equal(gs_lines_clean(&window->lines, LINE - 1, LINE), 2);
	assert_dev_reads(window, 0, 2 * LINE, CPU);
	assert_dev_reads(window, 2 * LINE, SIZE, OLD);

	dev_write(window, 0, SIZE);
	assert_int_equal(gs_lines_drop(&window->lines, LINE - 1, LINE), 2);
	assert_bytes(window->cache, 0, 2 * LINE, DEV);
}

/* R9 */
static void sync_of_nothing_does_nothing(void **state)
{
	struct window *window = *state;

	cpu_store(window, 0, SIZE);
	dev_write(window, 0, SIZE);
	for (u32 offset = 0; offset <= SIZE; offset += 8) {
		assert_int_equal(gs_lines_clean(&window->lines, offset, 0), 0);
		assert_int_equal(gs_lines_drop(&window->lines, offset, 0), 0);
		assert_int_equal(gs_lines_refill(&window->lines, offset, 0), 0);
		assert_false(gs_lines_dirty(&window->lines, offset, 0));
	}
	assert_bytes(window->cache, 0, SIZE, CPU);
	assert_dev_reads(window, 0, SIZE, DEV);
}

static void dirty_finds_a_single_byte(void **state)
{
	struct window *window = *state;

	window->cache[2 * LINE - 1] ^= 0x80;
	assert_true(gs_lines_dirty(&window->lines, LINE, 1));
	assert_true(gs_lines_dirty(&window->lines, 0, SIZE));
	assert_true(gs_lines_dirty(&window->lines, 0, LINE + 1));
	assert_false(gs_lines_dirty(&window->lines, 0, LINE));
	assert_false(gs_lines_dirty(&window->lines, 2 * LINE, LINE));
}

/* Documented as unseen: the value that is there already. */
static void dirty_misses_a_store_of_the_same_value(void **state)
{
	struct window *window = *state;

	memset(window->cache, OLD, LINE);
	assert_false(gs_lines_dirty(&window->lines, 0, LINE));
}

/* Device accesses of any alignment and size touch their bytes only. */
static void dev_access_is_byte_precise(void **state)
{
	struct window *window = *state;

	for (u32 offset = 0; offset < 24; offset++) {
		for (u32 size = 0; size < 24; size++) {
			memset(window->mem, OLD, LINE);
			dev_write(window, offset, size);
			assert_bytes(window->mem, 0, offset, OLD);
			assert_bytes(window->mem, offset, offset + size, DEV);
			assert_bytes(window->mem, offset + size, LINE, OLD);
			assert_dev_reads(window, offset, offset + size, DEV);
		}
	}
	assert_bytes(window->cache, 0, SIZE, OLD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fill_shows_memory),
		TEST(flush_shows_stores_to_the_device),
		TEST(without_flush_the_device_reads_stale_data),
		TEST(flush_keeps_lines),
		TEST(flush_before_a_device_write_saves_it),
		TEST(without_flush_an_eviction_overwrites_the_device),
		TEST(flush_writes_a_dirty_line_whole),
		TEST(flush_does_not_write_a_clean_line),
		TEST(drop_shows_memory_to_the_cpu),
		TEST(without_drop_the_cpu_reads_stale_data),
		TEST(useful_lines_are_counted),
		TEST(drop_discards_interior_lines),
		TEST(flush_and_invalidate_keeps_stores),
		TEST(bare_drop_loses_stores),
		TEST(drop_keeps_the_neighbours_of_an_edge),
		TEST(drop_inside_a_line_keeps_both_neighbours),
		TEST(drop_refills_clean_edges),
		TEST(refill_shows_memory_in_clean_lines),
		TEST(refill_leaves_dirty_lines),
		TEST(sync_touches_its_lines_only),
		TEST(sync_includes_the_last_line),
		TEST(sync_of_nothing_does_nothing),
		TEST(dirty_finds_a_single_byte),
		TEST(dirty_misses_a_store_of_the_same_value),
		TEST(dev_access_is_byte_precise),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
