// SPDX-License-Identifier: MIT
/*
 * Loads of old data, seen by the protection of pages, by pages that the kernel says were touched,
 * or by hooks in the code that loads.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* ---- Touched pages ---- */

/* Linux 7.3: UFFD_FEATURE_RWP and UFFD_FEATURE_RWP_ASYNC. */
static bool kernel_tells_touches(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = 3u << 17 };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
	bool tells = fd >= 0 && !ioctl(fd, UFFDIO_API, &api);

	close(fd);
	return tells;
}

static int open_touches(void **state)
{
	return kernel_tells_touches() ? open_with(state, "reads=pages") : 0;
}

static int close_touches(void **state)
{
	return *state ? close_gpu(state) : 0;
}

static struct gpu *need_touches(void **state)
{
	struct gpu *gpu = *state;

	if (!gpu) {
		print_message("the kernel does not tell which pages are touched (Linux 7.3)\n");
		skip();
		abort();	/* what skip() does not tell its reader: it never returns */
	}
	return gpu;
}

static void expect_touch(struct gpu *gpu, const char *place)
{
	const struct gpu_message *message = gpu_find(gpu, "cpu-read-stale");

	assert_int_equal(gpu->message_count, 1);
	assert_true(message->possibly);
	assert_non_null(strstr(message->text, place));
	assert_non_null(strstr(message->text, "pages that the host touched"));
}

static void touch_of_old_data(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	make_results(gpu, &results);
	assert_int_equal(*(volatile uint8_t *)&results.map[4096 + 100], 1);
	end(gpu, &results);
	expect_touch(gpu, "4096 bytes at offset 4096");
}

static void no_touch_of_old_data(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	make_results(gpu, &results);
	assert_int_equal(*(volatile uint8_t *)&results.map[100], 1);
	assert_int_equal(*(volatile uint8_t *)&results.map[8192], 1);
	end(gpu, &results);
	gpu_expect_silence(gpu);
}

static void touch_after_invalidate(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	make_results(gpu, &results);
	gpu_invalidate(gpu, &results, 4096, 4096);
	assert_int_equal(*(volatile uint8_t *)&results.map[4096 + 100], 2);
	end(gpu, &results);
	gpu_expect_silence(gpu);
}

/* One page of two: what was not touched is not told. */
static void touch_of_a_part(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	make_results(gpu, &results);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 4096, 8192, 0x03030303);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(*(volatile uint8_t *)&results.map[8192 + 100], 1);
	end(gpu, &results);
	expect_touch(gpu, "4096 bytes at offset 8192");
}

/* As the device has it. */
static uint8_t device_byte(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset)
{
	uint8_t byte;

	gpu_peek(gpu, buffer, offset, &byte, 1);
	return byte;
}

/* Whole pages that are stored to are discarded; and stores reach the device after that. */
static void touch_by_stores(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	make_results(gpu, &results);
	memset(results.map + 4096, 3, 4096);
	gpu_flush(gpu, &results, 4096, 4096);
	memset(results.map + 4096, 4, 64);
	gpu_flush(gpu, &results, 4096, 64);
	assert_int_equal(device_byte(gpu, &results, 4096 + 63), 4);
	assert_int_equal(device_byte(gpu, &results, 4096 + 64), 3);
	end(gpu, &results);
	gpu_expect_silence(gpu);
}

enum flushes { AT_ONCE, IN_HALVES, AFTER_A_JOB };

/* A store of the value that the host's copy still has looks like a load, until it is flushed. */
static void same_stores_arrive(struct gpu *gpu, enum flushes flushes)
{
	struct gpu_buffer results;

	make_results(gpu, &results);
	memset(results.map + 4096, 1, 4096);
	if (flushes == AFTER_A_JOB) {
		gpu_begin(gpu);
		gpu_run(gpu);
	}
	gpu_flush(gpu, &results, 4096, flushes == IN_HALVES ? 2048 : 4096);
	if (flushes == IN_HALVES)
		gpu_flush(gpu, &results, 4096 + 2048, 2048);
	assert_int_equal(device_byte(gpu, &results, 4096), 1);
	assert_int_equal(device_byte(gpu, &results, 8191), 1);
	end(gpu, &results);
}

static void touch_by_same_stores(void **state)
{
	same_stores_arrive(need_touches(state), AT_ONCE);
	gpu_expect_silence(*state);
}

static void touch_by_same_stores_in_halves(void **state)
{
	same_stores_arrive(need_touches(state), IN_HALVES);
	gpu_expect_silence(*state);
}

/* The job takes the touch for a load, and says so. */
static void touch_by_same_stores_and_a_job(void **state)
{
	same_stores_arrive(need_touches(state), AFTER_A_JOB);
	expect_touch(*state, "4096 bytes at offset 4096");
}

/* A cache that moves lines by itself does not take the device's value for the host's either. */
static void touch_by_same_stores_in_chaos(void **state)
{
	need_touches(state);
	close_gpu(state);
	open_with(state, "mode=chaos,reads=pages");
	same_stores_arrive(*state, AT_ONCE);
}

/* A page that holds more than old data is the host's to load, and its flush keeps the rest. */
static void touch_of_what_is_the_same(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer source, results;

	gpu_buffer_create(gpu, &source, SIZE, GPU_COHERENT);
	gpu_map(gpu, &source);
	memset(source.map, 2, SIZE);
	memset(source.map + 2048, 1, 64);
	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 1, SIZE);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_copy(gpu, &source, &results, 0, SIZE);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(*(volatile uint8_t *)&results.map[2048], 1);
	gpu_flush(gpu, &results, 0, 4096);
	assert_int_equal(device_byte(gpu, &results, 64), 2);
	end(gpu, &results);
	end(gpu, &source);
}

/* New memory that the host clears after the device wrote it: zeros are no old data. */
static void touch_by_first_zeros(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 0x02020202);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &results);
	memset(results.map, 0, SIZE);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	assert_int_equal(device_byte(gpu, &results, 0), 0);
	assert_int_equal(device_byte(gpu, &results, SIZE - 1), 0);
	end(gpu, &results);
	gpu_expect_silence(gpu);
}

/* Who loads what is beside results in their page has done nothing wrong. */
static void touch_beside_in_the_page(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 1, SIZE);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 64, SIZE - 128, 0x02020202);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(*(volatile uint8_t *)results.map, 1);
	assert_int_equal(*(volatile uint8_t *)&results.map[SIZE - 1], 1);
	end(gpu, &results);
	gpu_expect_silence(gpu);
}

/* A system call that reads the memory is a load as any other, and works. */
static void touch_by_a_system_call(void **state)
{
	struct gpu *gpu = need_touches(state);
	struct gpu_buffer results;
	int fd = memfd_create("results", MFD_CLOEXEC);

	make_results(gpu, &results);
	assert_int_equal(write(fd, results.map + 4096, 64), 64);
	close(fd);
	end(gpu, &results);
	expect_touch(gpu, "4096 bytes at offset 4096");
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

#define TOUCHES(test)	cmocka_unit_test_setup_teardown(test, open_touches, close_touches)
#define PROTECT(test)	cmocka_unit_test_setup_teardown(test, open_protecting, close_gpu)

static const struct CMUnitTest tests[] = {
	PROTECT(load_of_old_data),
	PROTECT(no_load_of_old_data),
	PROTECT(load_after_invalidate),
	PROTECT(store_over_results),
	PROTECT(loads_after_too_many),
	PROTECT(other_faults_are_passed_on),
	TOUCHES(touch_of_old_data),
	TOUCHES(no_touch_of_old_data),
	TOUCHES(touch_after_invalidate),
	TOUCHES(touch_of_a_part),
	TOUCHES(touch_by_stores),
	TOUCHES(touch_by_same_stores),
	TOUCHES(touch_by_same_stores_in_halves),
	TOUCHES(touch_by_same_stores_and_a_job),
	TOUCHES(touch_by_same_stores_in_chaos),
	TOUCHES(touch_of_what_is_the_same),
	TOUCHES(touch_by_first_zeros),
	TOUCHES(touch_beside_in_the_page),
	TOUCHES(touch_by_a_system_call),
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
