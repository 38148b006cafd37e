// SPDX-License-Identifier: MIT
/* Loads of old data, seen by the protection of pages or by hooks in the code that loads. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "gpu.h"
#include "traced.h"

#define SIZE	(4 * 4096)

static int open_with(void **state, const char *settings)
{
	static struct gpu gpu;

	gpu_open(&gpu, settings);
	*state = &gpu;
	return 0;
}

static int open_protecting(void **state)
{
	return open_with(state, "reads=protect");
}

static int open_guessing(void **state)
{
	return open_with(state, "reads=guess");
}

static int close_gpu(void **state)
{
	gpu_close(*state);
	return 0;
}

/* The device has written bytes from 4096 to 8192, is done, and nobody has invalidated. */
static void make_results(struct gpu *gpu, struct gpu_buffer *results)
{
	gpu_buffer_create(gpu, results, SIZE, GPU_NONCOHERENT);
	gpu_name(gpu, results, "results");
	gpu_map(gpu, results);
	memset(results->map, 1, SIZE);
	gpu_flush(gpu, results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_fill(gpu, results, 4096, 4096, 0x02020202);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
}

/* The loads are judged by the next call, which may be the last one for the memory. */
static void end(struct gpu *gpu, struct gpu_buffer *results)
{
	gpu_unmap(gpu, results);
	gpu_buffer_destroy(gpu, results);
}

static void expect_load(struct gpu *gpu, const char *place)
{
	const struct gpu_message *message = gpu_find(gpu, "cpu-read-stale");

	assert_int_equal(gpu->message_count, 1);
	assert_false(message->possibly);
	assert_non_null(strstr(message->text, place));
	assert_non_null(strstr(message->text, "a load of the host"));
}

static void load_of_old_data(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	assert_int_equal(*(volatile uint8_t *)&results.map[4096 + 100], 1);
	end(*state, &results);
	expect_load(*state, "64 bytes at offset 4160");
	assert_non_null(strstr(gpu_find(*state, "cpu-read-stale")->text, "test-layer-reads"));
}

/* Who does not look needs no invalidate, and beside the results all is well. */
static void no_load_of_old_data(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	assert_int_equal(*(volatile uint8_t *)&results.map[100], 1);
	assert_int_equal(*(volatile uint8_t *)&results.map[8192], 1);
	end(*state, &results);
	gpu_expect_silence(*state);
}

static void load_after_invalidate(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	gpu_invalidate(*state, &results, 4096, 4096);
	assert_int_equal(*(volatile uint8_t *)&results.map[4096 + 100], 2);
	end(*state, &results);
	gpu_expect_silence(*state);
}

/* Stores of whole atoms discard what was there. */
static void store_over_results(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	memset(results.map + 4096, 3, 4096);
	gpu_flush(*state, &results, 4096, 4096);
	end(*state, &results);
	gpu_expect_silence(*state);
}

/* More loads than are kept between two calls: further ones are lost, and later ones are not. */
static void loads_after_too_many(void **state)
{
	struct gpu_buffer many, results;
	VkDeviceSize size = 300 * 4096, page;

	gpu_buffer_create(*state, &many, size, GPU_NONCOHERENT);
	gpu_name(*state, &many, "many");
	gpu_map(*state, &many);
	memset(many.map, 1, size);
	gpu_flush(*state, &many, 0, VK_WHOLE_SIZE);
	gpu_begin(*state);
	gpu_fill(*state, &many, 0, size, 0x02020202);
	gpu_host_barrier(*state);
	gpu_run(*state);
	for (page = 0; page < size; page += 4096)
		assert_int_equal(*(volatile uint8_t *)&many.map[page], 1);
	make_results(*state, &results);
	assert_int_equal(*(volatile uint8_t *)&results.map[4096], 1);
	end(*state, &results);
	assert_int_equal(gpu_count(*state, "cpu-read-stale"), 2);
	end(*state, &many);
}

/* A fault that is none of the layer's goes to the handler that was there before. */
static sigjmp_buf elsewhere;

static void jump(int number)
{
	siglongjmp(elsewhere, number);
}

static void other_faults_are_passed_on(void **state)
{
	volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = { .sa_handler = jump };
	struct gpu_buffer results;

	/* Before the layer protects anything. */
	sigaction(SIGSEGV, &action, NULL);
	make_results(*state, &results);
	if (!sigsetjmp(elsewhere, 1)) {
		*nowhere = 1;
		fail();
	}
	assert_int_equal(*(volatile uint8_t *)&results.map[4096], 1);
	end(*state, &results);
	expect_load(*state, "64 bytes at offset 4096");
	munmap((void *)nowhere, 4096);
}

/* ---- Hooks ---- */

#ifdef HAS_TRACED
static void traced_load_of_old_data(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	assert_int_equal(traced_sum(results.map + 4096 + 128, 8), 8);
	expect_load(*state, "64 bytes at offset 4224");
	end(*state, &results);
}

static void traced_load_beside(void **state)
{
	struct gpu_buffer results;

	make_results(*state, &results);
	assert_int_equal(traced_sum(results.map, 4096), 4096);
	gpu_invalidate(*state, &results, 4096, 4096);
	assert_int_equal(traced_sum(results.map + 4096, 4096), 2 * 4096);
	end(*state, &results);
	gpu_expect_silence(*state);
}
#endif

#define PROTECT(test)	cmocka_unit_test_setup_teardown(test, open_protecting, close_gpu)

static const struct CMUnitTest tests[] = {
	PROTECT(load_of_old_data),
	PROTECT(no_load_of_old_data),
	PROTECT(load_after_invalidate),
	PROTECT(store_over_results),
	PROTECT(loads_after_too_many),
	PROTECT(other_faults_are_passed_on),
#ifdef HAS_TRACED
	cmocka_unit_test_setup_teardown(traced_load_of_old_data, open_guessing, close_gpu),
	cmocka_unit_test_setup_teardown(traced_load_beside, open_guessing, close_gpu),
#endif
};

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_skip_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
