// SPDX-License-Identifier: MIT
/*
 * Threads that do at once what Vulkan lets them: one submits, others flush and invalidate disjoint
 * parts of one memory, make and destroy what others do not use, and name it. What each one does
 * is right: nothing is told, and every result is there. Under ThreadSanitizer there is no race.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#define PART	4096
#define PARTS	3
#define ROUNDS	60

struct work {
	struct gpu *gpu;
	struct gpu_buffer *block;	/* that all parts are in */
	unsigned int part;
	int wrong;
};

/* Each part is flushed and invalidated by its own thread; only whole atoms are. */
static void *sync_part(void *data)
{
	struct work *work = data;
	VkDeviceSize offset = work->part * PART;
	uint8_t *map = work->block->map + offset;
	int i;

	for (i = 1; i <= ROUNDS; i++) {
		memset(map, i, PART);
		gpu_flush(work->gpu, work->block, offset, PART);
		gpu_invalidate(work->gpu, work->block, offset, PART);
		work->wrong += map[0] != i || map[PART - 1] != i;
	}
	return NULL;
}

/* Buffers with names come and go, mapped and not. */
static void *make_and_destroy(void *data)
{
	struct work *work = data;
	struct gpu_buffer buffer;
	char name[32];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		gpu_buffer_create(work->gpu, &buffer, PART, i & 1 ? GPU_COHERENT :
								   GPU_NONCOHERENT);
		snprintf(name, sizeof(name), "buffer %d", i);
		gpu_name(work->gpu, &buffer, name);
		gpu_map(work->gpu, &buffer);
		buffer.map[0] = 1;
		gpu_unmap(work->gpu, &buffer);
		gpu_buffer_destroy(work->gpu, &buffer);
	}
	return NULL;
}

/* Only this one uses the queue, the command buffer and the descriptor pool. */
static void submit_all_the_time(struct gpu *gpu)
{
	struct gpu_buffer results;
	uint32_t word;
	int i;

	gpu_buffer_create(gpu, &results, PART, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 0, PART);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	for (i = 0; i < ROUNDS; i++) {
		gpu_begin(gpu);
		gpu_add_one(gpu, &results, PART);
		gpu_host_barrier(gpu);
		gpu_run(gpu);
		vkResetDescriptorPool(gpu->device, gpu->sets, 0);
		gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
		memcpy(&word, results.map, sizeof(word));
		assert_int_equal(word, i + 1);
	}
	gpu_buffer_destroy(gpu, &results);
}

static void all_at_once(void **state)
{
	static struct gpu gpu;
	struct work works[PARTS + 1];
	pthread_t threads[PARTS + 1];
	struct gpu_buffer block;
	unsigned int i;

	gpu_open(&gpu, "mode=strict");
	gpu_buffer_create(&gpu, &block, PARTS * PART, GPU_NONCOHERENT);
	gpu_map(&gpu, &block);
	for (i = 0; i <= PARTS; i++) {
		works[i] = (struct work){ &gpu, &block, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < PARTS ? sync_part : make_and_destroy,
						&works[i]), 0);
	}
	submit_all_the_time(&gpu);
	for (i = 0; i <= PARTS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(works[i].wrong, 0);
	}
	gpu_expect_silence(&gpu);
	gpu_buffer_destroy(&gpu, &block);
	gpu_close(&gpu);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(all_at_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
