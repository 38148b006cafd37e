// SPDX-License-Identifier: MIT
/*
 * What the layer costs, as ratios within one run: a flush against its range and against the
 * size of the memory, and against a copy of all of it; a submission beside memory that nobody
 * wrote to, against one without the layer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gpu.h"

#define KIB	1024ull
#define MIB	(1024 * KIB)
#define ROUNDS	31

/* Of this thread's work: what others do on the machine does not count. */
static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

static double median(double *times)
{
	qsort(times, ROUNDS, sizeof(*times), compare);
	return times[ROUNDS / 2];
}

static void row(const char *what, double time, const char *against, double other)
{
	printf("%-46s %10.1f us   %8.2f of %s\n", what, time, time / other, against);
}

/* Stores to a range, and its flush, in memory of a size. */
static double time_flush(struct gpu *gpu, VkDeviceSize size, VkDeviceSize range)
{
	struct gpu_buffer buffer;
	double times[ROUNDS];
	int i;

	gpu_buffer_create(gpu, &buffer, size, GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	for (i = 0; i < ROUNDS; i++) {
		memset(buffer.map, i + 1, range);
		times[i] = now();
		gpu_flush(gpu, &buffer, 0, range);
		times[i] = now() - times[i];
	}
	gpu_buffer_destroy(gpu, &buffer);
	return median(times);
}

static double time_copy(VkDeviceSize size)
{
	char *from = malloc(size), *to = malloc(size);
	double times[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		memset(from, i + 1, size);
		times[i] = now();
		memcpy(to, from, size);
		times[i] = now() - times[i];
	}
	free(from);
	free(to);
	return median(times);
}

/*
 * A submission of a fill, beside 64 MiB that are mapped and named by a set, and the first
 * @stored bytes of which were stored to and not flushed.
 */
static double time_submit(struct gpu *gpu, enum gpu_kind kind, VkDeviceSize stored)
{
	struct gpu_buffer mapped, filled;
	double times[ROUNDS];
	int i;

	gpu_buffer_create(gpu, &mapped, 64 * MIB, kind);
	gpu_buffer_create(gpu, &filled, 4 * KIB, GPU_COHERENT);
	gpu_map(gpu, &mapped);
	for (i = 0; i < ROUNDS; i++) {
		memset(mapped.map, i + 1, stored);
		gpu_begin(gpu);
		gpu_add_one(gpu, &mapped, 256);
		gpu_fill(gpu, &filled, 0, 64, 1);
		times[i] = now();
		gpu_submit(gpu);
		times[i] = now() - times[i];
		gpu_wait(gpu);
		vkResetDescriptorPool(gpu->device, gpu->sets, 0);
	}
	gpu_buffer_destroy(gpu, &mapped);
	gpu_buffer_destroy(gpu, &filled);
	return median(times);
}

/* An unmap, or an invalidate, of what the device wrote and nobody has looked at. */
static double time_look(struct gpu *gpu, VkDeviceSize size, bool unmap)
{
	struct gpu_buffer results;
	double times[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		gpu_buffer_create(gpu, &results, size, GPU_NONCOHERENT);
		gpu_map(gpu, &results);
		gpu_begin(gpu);
		gpu_fill(gpu, &results, 0, size, (uint32_t)i);
		gpu_host_barrier(gpu);
		gpu_run(gpu);
		times[i] = now();
		if (unmap)
			gpu_unmap(gpu, &results);
		else
			gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
		times[i] = now() - times[i];
		gpu_buffer_destroy(gpu, &results);
	}
	return median(times);
}

static void measure_submits(struct gpu *gpu, double without)
{
	double page;

	row("submit with 64 MiB mapped, nothing written", time_submit(gpu, GPU_NONCOHERENT, 0),
	    "one without the layer", without);
	page = time_submit(gpu, GPU_NONCOHERENT, 64 * KIB);
	row("submit with 64 KiB of them written", page, "itself", page);
	row("submit with 1 MiB of them written", time_submit(gpu, GPU_NONCOHERENT, MIB), "that",
	    page);
	row("submit with 16 MiB of them written", time_submit(gpu, GPU_NONCOHERENT, 16 * MIB),
	    "that", page);
}

static void measure(void **state)
{
	static struct gpu gpu;
	double small, copy, without;

	(void)state;
	gpu_open(&gpu, NULL);
	without = time_submit(&gpu, GPU_COHERENT, 0);
	gpu_close(&gpu);
	gpu_open(&gpu, "mode=strict,messages=none");
	small = time_flush(&gpu, 64 * KIB, 4 * KIB);
	row("flush of 4 KiB in 64 KiB", small, "itself", small);
	row("flush of 4 KiB in 1 MiB", time_flush(&gpu, MIB, 4 * KIB), "that", small);
	row("flush of 4 KiB in 64 MiB", time_flush(&gpu, 64 * MIB, 4 * KIB), "that", small);
	copy = time_copy(64 * MIB);
	row("flush of 4 KiB in 64 MiB", time_flush(&gpu, 64 * MIB, 4 * KIB),
	    "a copy of the 64 MiB", copy);
	row("flush of 64 KiB", time_flush(&gpu, 64 * MIB, 64 * KIB), "a copy of them",
	    time_copy(64 * KIB));
	row("flush of 1 MiB", time_flush(&gpu, 64 * MIB, MIB), "a copy of it", time_copy(MIB));
	row("flush of 16 MiB", time_flush(&gpu, 64 * MIB, 16 * MIB), "a copy of them",
	    time_copy(16 * MIB));
	measure_submits(&gpu, without);
	copy = time_look(&gpu, 16 * MIB, false);
	row("invalidate of 16 MiB that the device wrote", copy, "itself", copy);
	row("unmap of them, not invalidated", time_look(&gpu, 16 * MIB, true), "that", copy);
	gpu_close(&gpu);
	gpu_open(&gpu, "mode=report,messages=none");
	row("report mode: submit, 64 MiB, nothing written",
	    time_submit(&gpu, GPU_NONCOHERENT, 0), "one without the layer", without);
	gpu_close(&gpu);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(measure) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
