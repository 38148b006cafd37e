// SPDX-License-Identifier: MIT
/* What the host knows by its waits on a driver that works: nothing but what it waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#define SIZE	4096

static int open_gpu(void **state)
{
	static struct gpu gpu;

	gpu_open(&gpu, "mode=strict");
	*state = &gpu;
	return 0;
}

static int close_gpu(void **state)
{
	gpu_close(*state);
	return 0;
}

static uint32_t word(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

/*
 * A frame is waited for while the next one is in flight: by a value of the timeline that is
 * not the last one.
 */
static void a_wait_is_for_its_value(void **state)
{
	struct gpu *gpu = *state;
	VkSemaphore gate = gpu_timeline_create(gpu), frames = gpu_timeline_create(gpu);
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 8);
	gpu_host_barrier(gpu);
	gpu_submit_signal(gpu, VK_NULL_HANDLE, 0, frames, 1);
	gpu_submit_signal(gpu, gate, 1, frames, 2);
	gpu_timeline_wait(gpu, frames, 1);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(results.map), 8);
	gpu_unmap(gpu, &results);
	gpu_timeline_signal(gpu, gate, 1);
	CHECK(vkDeviceWaitIdle(gpu->device));
	gpu_expect_silence(gpu);
	gpu_buffer_destroy(gpu, &results);
	vkDestroySemaphore(gpu->device, gate, NULL);
	vkDestroySemaphore(gpu->device, frames, NULL);
}

/*
 * The host takes the second frame's results after a wait for one of the two. The device is kept
 * busy before it writes them. Returns whether they were there.
 */
static bool take_a_frame(struct gpu *gpu, VkDeviceSize work, uint64_t value)
{
	VkSemaphore frames = gpu_timeline_create(gpu), open = gpu_timeline_create(gpu);
	struct gpu_buffer results, busy;
	bool seen;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_buffer_create(gpu, &busy, work, GPU_COHERENT);
	gpu_map(gpu, &results);
	gpu_timeline_signal(gpu, open, 1);
	gpu_submit_signal(gpu, open, 1, frames, 1);
	gpu_begin(gpu);
	gpu_fill(gpu, &busy, 0, work, 7);
	gpu_fill(gpu, &results, 0, SIZE, 8);
	gpu_host_barrier(gpu);
	gpu_submit_signal(gpu, VK_NULL_HANDLE, 0, frames, 2);
	gpu_timeline_wait(gpu, frames, value);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	seen = word(results.map) == 8;
	CHECK(vkDeviceWaitIdle(gpu->device));
	gpu_unmap(gpu, &results);
	gpu_buffer_destroy(gpu, &results);
	gpu_buffer_destroy(gpu, &busy);
	vkDestroySemaphore(gpu->device, frames, NULL);
	vkDestroySemaphore(gpu->device, open, NULL);
	return seen;
}

/* A device that was quicker than the host gives it another try, with more to do. */
static void wait_is_for_the_frame_before(void **state)
{
	VkDeviceSize work;

	for (work = 16 << 20; take_a_frame(*state, work, 1); work += 16 << 20)
		gpu_expect_silence(*state);
	gpu_find(*state, "invalidate-too-early");
}

static void wait_is_for_the_frame(void **state)
{
	assert_true(take_a_frame(*state, 16 << 20, 2));
	gpu_expect_silence(*state);
}

/* Of two fences one is signalled: the other one's job is not known to be done. */
static void wait_for_any_fence(void **state)
{
	struct gpu *gpu = *state;
	VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkFence fences[2];
	VkSemaphore gate;
	struct gpu_buffer results;

	gate = gpu_timeline_create(gpu);
	CHECK(vkCreateFence(gpu->device, &info, NULL, &fences[0]));
	fences[1] = gpu->fence;
	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	CHECK(vkQueueSubmit(gpu->queue, 0, NULL, fences[0]));
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 8);
	gpu_host_barrier(gpu);
	gpu_submit_behind(gpu, gate, 1);
	CHECK(vkWaitForFences(gpu->device, 2, fences, VK_FALSE, UINT64_MAX));
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_timeline_signal(gpu, gate, 1);
	gpu_wait(gpu);
	gpu_unmap(gpu, &results);
	gpu_find(gpu, "invalidate-too-early");
	assert_int_equal(gpu->message_count, 1);
	gpu_buffer_destroy(gpu, &results);
	vkDestroyFence(gpu->device, fences[0], NULL);
	vkDestroySemaphore(gpu->device, gate, NULL);
}

#define STRICT(test)	cmocka_unit_test_setup_teardown(test, open_gpu, close_gpu)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		STRICT(a_wait_is_for_its_value),
		STRICT(wait_is_for_the_frame_before),
		STRICT(wait_is_for_the_frame),
		STRICT(wait_for_any_fence),
	};

	if (argc > 1)
		cmocka_set_skip_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
