// SPDX-License-Identifier: MIT
/*
 * Each mistake that the layer names, as a small program makes it, and its twin, in which the
 * call is where it belongs: the twin is silent and its data right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#define SIZE	4096

static int open_gpu_with(void **state, const char *settings)
{
	static struct gpu gpu;

	gpu_open(&gpu, settings);
	*state = &gpu;
	return 0;
}

static int open_gpu(void **state)
{
	return open_gpu_with(state, "mode=strict");
}

static int close_gpu(void **state)
{
	gpu_close(*state);
	return 0;
}

static uint32_t word(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const struct gpu_message *expect(struct gpu *gpu, const char *id)
{
	const struct gpu_message *message = gpu_find(gpu, id);

	assert_int_equal(gpu->message_count, 1);
	return message;
}

/* ---- The host stores, the device reads ---- */

/* @flush: the host does what it has to. Returns what the device saw. */
static uint32_t upload(struct gpu *gpu, bool flush)
{
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_name(gpu, &from, "staging");
	gpu_map(gpu, &from);
	memset(from.map, 0, SIZE);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	memset(from.map + 256, 0x11, 128);
	if (flush)
		gpu_flush(gpu, &from, 256, 128);
	gpu_peek(gpu, &from, 256, &seen, sizeof(seen));
	gpu_buffer_destroy(gpu, &from);
	return seen;
}

/* The message says which buffer, where in it, and where in the memory. */
static void flush_is_missing(void **state)
{
	const struct gpu_message *message;

	assert_int_equal(upload(*state, false), 0);
	message = expect(*state, "dev-read-dirty");
	assert_false(message->possibly);
	assert_non_null(strstr(message->text, "VkBuffer \"staging\" at 256"));
	assert_non_null(strstr(message->text, "64 bytes at offset 256"));
	assert_non_null(strstr(message->text, "submission 2"));
}

static void flush_is_there(void **state)
{
	assert_int_equal(upload(*state, true), 0x11111111);
	gpu_expect_silence(*state);
}

static uint32_t store_around_flush(struct gpu *gpu, bool again)
{
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 1, SIZE);
	if (!again)
		memset(from.map, 2, 64);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	if (again)
		memset(from.map, 2, 64);
	gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	gpu_buffer_destroy(gpu, &from);
	return seen;
}

static void flush_is_too_early(void **state)
{
	assert_int_equal(store_around_flush(*state, true), 0x01010101);
	expect(*state, "flush-too-early");
}

static void flush_is_late_enough(void **state)
{
	assert_int_equal(store_around_flush(*state, false), 0x02020202);
	gpu_expect_silence(*state);
}

/* Of two submits it takes the second one to see the data: the flush comes between them. */
static void flush_is_too_late(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 3, SIZE);
	gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	assert_int_not_equal(seen, 0x03030303);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	assert_int_equal(seen, 0x03030303);
	gpu_find(gpu, "dev-read-dirty");
	gpu_find(gpu, "flush-too-late");
	assert_int_equal(gpu->message_count, 2);
	gpu_buffer_destroy(gpu, &from);
}

static uint32_t unmap_after_store(struct gpu *gpu, bool flush)
{
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 4, SIZE);
	if (flush)
		gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	gpu_unmap(gpu, &from);
	gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	gpu_buffer_destroy(gpu, &from);
	return seen;
}

static void unmap_is_no_flush(void **state)
{
	assert_int_not_equal(unmap_after_store(*state, false), 0x04040404);
	expect(*state, "unmap-for-flush");
}

static void unmap_after_flush(void **state)
{
	assert_int_equal(unmap_after_store(*state, true), 0x04040404);
	gpu_expect_silence(*state);
}

/* A part of a buffer that no command of the submission reads may be anything. */
static void what_is_not_read_needs_no_flush(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 5, SIZE);
	gpu_flush(gpu, &from, 1024, 64);
	gpu_peek(gpu, &from, 1024, &seen, 64 < sizeof(seen) ? 64 : sizeof(seen));
	assert_int_equal(seen, 0x05050505);
	gpu_expect_silence(gpu);
	gpu_buffer_destroy(gpu, &from);
}

/* Nothing moves but the atoms of the range, of that memory. */
static void flush_is_exact(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer from, other;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_buffer_create(gpu, &other, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	gpu_map(gpu, &other);
	memset(from.map, 1, SIZE);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	memset(from.map, 2, SIZE);
	memset(other.map, 3, SIZE);
	gpu_flush(gpu, &from, 128, 64);
	gpu_peek(gpu, &from, 124, &seen, sizeof(seen));
	assert_int_equal(seen, 0x01010101);
	gpu_peek(gpu, &from, 128, &seen, sizeof(seen));
	assert_int_equal(seen, 0x02020202);
	gpu_peek(gpu, &from, 192, &seen, sizeof(seen));
	assert_int_equal(seen, 0x01010101);
	gpu_peek(gpu, &other, 128, &seen, sizeof(seen));
	assert_int_not_equal(seen, 0x03030303);
	gpu_buffer_destroy(gpu, &from);
	gpu_buffer_destroy(gpu, &other);
}

/* What a shader may reach by an address alone is only possibly read. */
static void submit_beside_addressed(struct gpu *gpu, bool shaders)
{
	struct gpu_buffer addressed, other;

	gpu_buffer_create_for(gpu, &addressed, SIZE, GPU_NONCOHERENT,
			      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
			      VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
	gpu_buffer_create(gpu, &other, SIZE, GPU_COHERENT);
	gpu_map(gpu, &addressed);
	addressed.map[0] = 1;
	gpu_begin(gpu);
	if (shaders)
		gpu_add_one(gpu, &other, 256);
	else
		gpu_fill(gpu, &other, 0, 64, 0);
	gpu_run(gpu);
	/* For a submission to come. */
	gpu_flush(gpu, &addressed, 0, 64);
	gpu_buffer_destroy(gpu, &addressed);
	gpu_buffer_destroy(gpu, &other);
}

static void addresses_are_possibly_read(void **state)
{
	submit_beside_addressed(*state, true);
	assert_true(gpu_find(*state, "dev-read-dirty")->possibly);
	assert_true(gpu_find(*state, "flush-too-late")->possibly);
	assert_int_equal(((struct gpu *)*state)->message_count, 2);
}

static void copies_use_no_addresses(void **state)
{
	submit_beside_addressed(*state, false);
	gpu_expect_silence(*state);
}

/* ---- The device writes, the host reads ---- */

enum readback {
	RIGHT,
	NO_INVALIDATE,
	NO_BARRIER,
	FLUSH_INSTEAD,
};

/* One shot: a shader writes, then the memory is mapped and read. Returns what the host saw. */
static uint32_t read_back(struct gpu *gpu, enum readback how)
{
	struct gpu_buffer results;
	uint32_t seen;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_name(gpu, &results, "results");
	gpu_map(gpu, &results);
	memset(results.map, 6, SIZE);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_add_one(gpu, &results, SIZE);
	if (how != NO_BARRIER)
		gpu_host_barrier(gpu);
	gpu_run(gpu);
	if (how == FLUSH_INSTEAD)
		gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	if (how == RIGHT || how == NO_BARRIER)
		gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	seen = word(results.map);
	gpu_unmap(gpu, &results);
	gpu_buffer_destroy(gpu, &results);
	return seen;
}

static void invalidate_is_missing(void **state)
{
	const struct gpu_message *message;

	assert_int_equal(read_back(*state, NO_INVALIDATE), 0x06060606);
	message = expect(*state, "cpu-read-stale");
	assert_non_null(strstr(message->text, "VkBuffer \"results\" at 0"));
	assert_non_null(strstr(message->text, "4096 bytes at offset 0"));
}

static void invalidate_is_there(void **state)
{
	assert_int_equal(read_back(*state, RIGHT), 0x06060607);
	gpu_expect_silence(*state);
}

static void barrier_is_missing(void **state)
{
	read_back(*state, NO_BARRIER);
	expect(*state, "no-host-barrier");
}

static void flush_is_no_invalidate(void **state)
{
	assert_int_equal(read_back(*state, FLUSH_INSTEAD), 0x06060606);
	gpu_find(*state, "flush-for-invalidate");
	gpu_find(*state, "cpu-read-stale");
}

/* Memory that nobody mapped before the device wrote: its lines are cached from their birth. */
static uint32_t read_once(struct gpu *gpu, bool invalidate)
{
	struct gpu_buffer results;
	uint32_t seen;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 0x77777777);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &results);
	if (invalidate)
		gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	seen = word(results.map);
	gpu_unmap(gpu, &results);
	gpu_buffer_destroy(gpu, &results);
	return seen;
}

static void one_shot_is_stale(void **state)
{
	assert_int_not_equal(read_once(*state, false), 0x77777777);
	expect(*state, "cpu-read-stale");
}

static void one_shot_is_right(void **state)
{
	assert_int_equal(read_once(*state, true), 0x77777777);
	gpu_expect_silence(*state);
}

/* A barrier of the host's stage is due for coherent memory too. */
static void coherent(struct gpu *gpu, bool barrier)
{
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_COHERENT);
	gpu_map(gpu, &results);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 1);
	if (barrier)
		gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(word(results.map), 1);
	gpu_buffer_destroy(gpu, &results);
}

static void coherent_wants_a_barrier(void **state)
{
	coherent(*state, false);
	assert_true(expect(*state, "no-host-barrier")->possibly);
}

static void coherent_has_a_barrier(void **state)
{
	coherent(*state, true);
	gpu_expect_silence(*state);
}

/* The device waits until the host has invalidated, so that it surely writes after that. */
static void invalidate_early(struct gpu *gpu, bool again)
{
	VkSemaphore gate = gpu_timeline_create(gpu);
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 8);
	gpu_host_barrier(gpu);
	gpu_submit_behind(gpu, gate, 1);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_timeline_signal(gpu, gate, 1);
	gpu_wait(gpu);
	if (again)
		gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(results.map) == 8, again);
	gpu_unmap(gpu, &results);
	gpu_buffer_destroy(gpu, &results);
	vkDestroySemaphore(gpu->device, gate, NULL);
}

static void invalidate_is_too_early(void **state)
{
	invalidate_early(*state, false);
	expect(*state, "invalidate-too-early");
}

static void invalidate_is_late_enough(void **state)
{
	invalidate_early(*state, true);
	gpu_expect_silence(*state);
}

/* ---- The wrong call, or range ---- */

static uint32_t invalidate_stores(struct gpu *gpu, bool flush)
{
	struct gpu_buffer from;
	uint32_t seen;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 9, SIZE);
	if (flush)
		gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	gpu_invalidate(gpu, &from, 0, VK_WHOLE_SIZE);
	seen = word(from.map);
	gpu_buffer_destroy(gpu, &from);
	return seen;
}

static void invalidate_is_no_flush(void **state)
{
	assert_int_not_equal(invalidate_stores(*state, false), 0x09090909);
	expect(*state, "invalidate-for-flush");
}

static void invalidate_after_flush(void **state)
{
	assert_int_equal(invalidate_stores(*state, true), 0x09090909);
	gpu_expect_silence(*state);
}

static void flush_unaligned(struct gpu *gpu, VkDeviceSize offset, VkDeviceSize size)
{
	struct gpu_buffer from;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 10, SIZE);
	gpu_flush(gpu, &from, offset, size);
	gpu_buffer_destroy(gpu, &from);
}

static void offset_is_misaligned(void **state)
{
	flush_unaligned(*state, 16, 48);
	expect(*state, "misaligned");
}

static void size_is_misaligned(void **state)
{
	flush_unaligned(*state, 64, 16);
	expect(*state, "misaligned");
}

static void range_is_aligned(void **state)
{
	flush_unaligned(*state, 64, 128);
	flush_unaligned(*state, SIZE - 64, VK_WHOLE_SIZE);
	gpu_expect_silence(*state);
}

/* The device writes to an atom whose stores were not flushed: a later flush destroys that. */
static void write_over_stores(struct gpu *gpu, bool flush)
{
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 11, SIZE);
	if (flush)
		gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, 128, 12);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	if (flush) {
		gpu_invalidate(gpu, &results, 0, 128);
		assert_int_equal(word(results.map), 12);
	}
	gpu_buffer_destroy(gpu, &results);
}

static void stores_before_a_write(void **state)
{
	write_over_stores(*state, false);
	expect(*state, "dev-write-dirty");
}

static void flush_before_a_write(void **state)
{
	write_over_stores(*state, true);
	gpu_expect_silence(*state);
}

/* Host and device share an atom: what the host does not invalidate first, its flush destroys. */
static uint32_t share_an_atom(struct gpu *gpu, bool invalidate, size_t stored)
{
	struct gpu_buffer shared;
	uint32_t seen;

	gpu_buffer_create(gpu, &shared, SIZE, GPU_NONCOHERENT);
	gpu_name(gpu, &shared, "shared");
	gpu_map(gpu, &shared);
	memset(shared.map, 0, SIZE);
	gpu_flush(gpu, &shared, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_fill(gpu, &shared, 0, 32, 0x21212121);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	if (invalidate)
		gpu_invalidate(gpu, &shared, 0, 64);
	memset(shared.map + 64 - stored, 0x22, stored);
	gpu_flush(gpu, &shared, 0, 64);
	gpu_peek(gpu, &shared, 0, &seen, sizeof(seen));
	gpu_buffer_destroy(gpu, &shared);
	return seen;
}

static void flush_over_results(void **state)
{
	const struct gpu_message *message;

	assert_int_equal(share_an_atom(*state, false, 32), 0);
	message = expect(*state, "lost-update");
	assert_true(message->possibly);
	assert_non_null(strstr(message->text, "32 bytes at offset 0"));
	assert_non_null(strstr(message->text, "VkBuffer \"shared\" at 0"));
}

static void flush_beside_results(void **state)
{
	assert_int_equal(share_an_atom(*state, true, 32), 0x21212121);
	gpu_expect_silence(*state);
}

/* Who stores all of an atom discards what was there. */
static void flush_of_a_whole_atom(void **state)
{
	assert_int_equal(share_an_atom(*state, false, 64), 0x22222222);
	gpu_expect_silence(*state);
}

/* ---- Telling ---- */

/* The same again is counted, not told again. */
static void once_is_enough(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer from;
	uint32_t seen;
	int i;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 13, SIZE);
	for (i = 0; i < 5; i++)
		gpu_peek(gpu, &from, 0, &seen, sizeof(seen));
	assert_int_equal(gpu_count(gpu, "dev-read-dirty"), 1);
	gpu_buffer_destroy(gpu, &from);
}

/* What is found when the device goes is told too: the loader holds its lock then. */
static void the_last_findings_are_told(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 1);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &results);
	(void)*(volatile uint8_t *)results.map;
	gpu_close(gpu);
	expect(gpu, "cpu-read-stale");
}

/* ---- Report mode ---- */

static int open_reporting(void **state)
{
	return open_gpu_with(state, "mode=report");
}

static void report_makes_flushes_good(void **state)
{
	assert_int_equal(upload(*state, false), 0x11111111);
	expect(*state, "dev-read-dirty");
}

static void report_makes_invalidates_good(void **state)
{
	assert_int_equal(read_back(*state, NO_INVALIDATE), 0x06060607);
	expect(*state, "cpu-read-stale");
}

static void report_makes_one_shots_good(void **state)
{
	assert_int_equal(read_once(*state, false), 0x77777777);
}

static void report_is_silent_when_all_is_well(void **state)
{
	upload(*state, true);
	read_back(*state, RIGHT);
	read_once(*state, true);
	gpu_expect_silence(*state);
}

/* ---- Chaos: what is right stays right, and what is missing may come by itself ---- */

static void chaos_keeps_what_is_right(void **state)
{
	char settings[64];
	int seed, i;

	for (seed = 1; seed <= 4; seed++) {
		snprintf(settings, sizeof(settings), "mode=chaos,seed=%d", seed);
		open_gpu_with(state, settings);
		for (i = 0; i < 4; i++) {
			assert_int_equal(upload(*state, true), 0x11111111);
			assert_int_equal(read_back(*state, RIGHT), 0x06060607);
			assert_int_equal(read_once(*state, true), 0x77777777);
			assert_int_equal(share_an_atom(*state, true, 32), 0x21212121);
		}
		gpu_expect_silence(*state);
		close_gpu(state);
	}
}

#define ATOMS	256

/* Nobody flushes: which atoms a submission sees all the same, as bytes of 0 and 1. */
static void see_what_moved(struct gpu *gpu, uint8_t byte, uint8_t *moved)
{
	uint8_t seen[ATOMS * 64];
	struct gpu_buffer from;
	unsigned int i;

	gpu_buffer_create(gpu, &from, sizeof(seen), GPU_NONCOHERENT);
	/* New memory may hold anything, @byte too. */
	gpu_begin(gpu);
	gpu_fill(gpu, &from, 0, sizeof(seen), 0);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &from);
	gpu_invalidate(gpu, &from, 0, VK_WHOLE_SIZE);
	memset(from.map, byte, sizeof(seen));
	gpu_peek(gpu, &from, 0, seen, sizeof(seen));
	gpu_peek(gpu, &from, 0, seen, sizeof(seen));
	for (i = 0; i < ATOMS; i++)
		moved[i] = seen[64 * i] == byte;
	gpu_buffer_destroy(gpu, &from);
}

static void chaos_follows_its_seed(void **state)
{
	static const char *const settings[] = { "mode=chaos,seed=7", "mode=chaos,seed=7",
						"mode=chaos,seed=8", "mode=strict" };
	static const uint8_t none[ATOMS];
	uint8_t moved[4][ATOMS];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		open_gpu_with(state, settings[i]);
		see_what_moved(*state, (uint8_t)(0x51 + i), moved[i]);
		close_gpu(state);
	}
	assert_memory_equal(moved[0], moved[1], ATOMS);
	assert_memory_not_equal(moved[0], moved[2], ATOMS);
	assert_memory_not_equal(moved[0], none, ATOMS);
	assert_memory_equal(moved[3], none, ATOMS);
}

/* ---- The cost report ---- */

static int open_costly(void **state)
{
	return open_gpu_with(state, "mode=strict,cost");
}

static void flush_of_clean_memory(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer from;

	gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	memset(from.map, 14, SIZE);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	gpu_expect_silence(gpu);
	gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	expect(gpu, "clean-flush");
	gpu_buffer_destroy(gpu, &from);
}

#define STRICT(test)	cmocka_unit_test_setup_teardown(test, open_gpu, close_gpu)
#define REPORT(test)	cmocka_unit_test_setup_teardown(test, open_reporting, close_gpu)

static const struct CMUnitTest tests[] = {
	STRICT(flush_is_missing),
	STRICT(flush_is_there),
	STRICT(flush_is_too_early),
	STRICT(flush_is_late_enough),
	STRICT(flush_is_too_late),
	STRICT(unmap_is_no_flush),
	STRICT(unmap_after_flush),
	STRICT(what_is_not_read_needs_no_flush),
	STRICT(flush_is_exact),
	STRICT(addresses_are_possibly_read),
	STRICT(copies_use_no_addresses),
	STRICT(invalidate_is_missing),
	STRICT(invalidate_is_there),
	STRICT(barrier_is_missing),
	STRICT(flush_is_no_invalidate),
	STRICT(one_shot_is_stale),
	STRICT(one_shot_is_right),
	STRICT(coherent_wants_a_barrier),
	STRICT(coherent_has_a_barrier),
	STRICT(invalidate_is_too_early),
	STRICT(invalidate_is_late_enough),
	STRICT(invalidate_is_no_flush),
	STRICT(invalidate_after_flush),
	STRICT(offset_is_misaligned),
	STRICT(size_is_misaligned),
	STRICT(range_is_aligned),
	STRICT(stores_before_a_write),
	STRICT(flush_before_a_write),
	STRICT(flush_over_results),
	STRICT(flush_beside_results),
	STRICT(flush_of_a_whole_atom),
	STRICT(once_is_enough),
	cmocka_unit_test_setup(the_last_findings_are_told, open_gpu),
	REPORT(report_makes_flushes_good),
	REPORT(report_makes_invalidates_good),
	REPORT(report_makes_one_shots_good),
	REPORT(report_is_silent_when_all_is_well),
	cmocka_unit_test(chaos_keeps_what_is_right),
	cmocka_unit_test(chaos_follows_its_seed),
	cmocka_unit_test_setup_teardown(flush_of_clean_memory, open_costly, close_gpu),
};

/* [PATTERN]: tests to leave out */
int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_skip_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
