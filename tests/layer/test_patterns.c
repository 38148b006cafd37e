// SPDX-License-Identifier: MIT
/*
 * Mistakes of real programs, as public reports tell of them: each as a small program that does
 * the same, what has to be found, and the program as it was mended, which is silent and right.
 * The table is at the end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#define SIZE	4096

static uint32_t word(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint32_t peek(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset)
{
	uint32_t seen;

	gpu_peek(gpu, buffer, offset, &seen, sizeof(seen));
	return seen;
}

/* ---- From the host to the device ---- */

/* Text of an overlay: mapped, stored to, unmapped, drawn. */
static void upload_and_unmap(struct gpu *gpu, bool right)
{
	struct gpu_buffer text;

	gpu_buffer_create(gpu, &text, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &text);
	memset(text.map, 0x11, SIZE);
	if (right)
		gpu_flush(gpu, &text, 0, VK_WHOLE_SIZE);
	gpu_unmap(gpu, &text);
	assert_int_equal(peek(gpu, &text, 0) == 0x11111111, right);
	gpu_buffer_destroy(gpu, &text);
}

/* A staging block that stays mapped; each update takes the next part of it. */
static void staging_ring(struct gpu *gpu, bool right)
{
	struct gpu_buffer ring;
	VkDeviceSize offset;

	gpu_buffer_create(gpu, &ring, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &ring);
	for (offset = 0; offset < SIZE; offset += 1024) {
		memset(ring.map + offset, 0x22, 1024);
		if (right)
			gpu_flush(gpu, &ring, offset, 1024);
		assert_int_equal(peek(gpu, &ring, offset) == 0x22222222, right);
	}
	gpu_buffer_destroy(gpu, &ring);
}

/* Uniforms of a frame, in a buffer that a set names. */
static void uniforms(struct gpu *gpu, bool right)
{
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map, 0, SIZE);
	gpu_flush(gpu, &buffer, 0, VK_WHOLE_SIZE);
	memset(buffer.map + 256, 0x33, 64);
	if (right)
		gpu_flush(gpu, &buffer, 256, 64);
	gpu_begin(gpu);
	gpu_add_one(gpu, &buffer, SIZE);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(peek(gpu, &buffer, 256), right ? 0x33333334 : 1);
	if (right)
		gpu_invalidate(gpu, &buffer, 0, VK_WHOLE_SIZE);
	gpu_buffer_destroy(gpu, &buffer);
}

/* New memory that the host clears; an indirect dispatch takes its arguments from there. */
static void clear_new_memory(struct gpu *gpu, bool right)
{
	struct gpu_buffer arguments, other;

	gpu_buffer_create_for(gpu, &arguments, SIZE, GPU_NONCOHERENT,
			      VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
			      VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	gpu_buffer_create(gpu, &other, SIZE, GPU_COHERENT);
	/* Whatever is there would be a number of groups. */
	gpu_begin(gpu);
	gpu_fill(gpu, &arguments, 0, SIZE, 0);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &arguments);
	memset(arguments.map, 0, SIZE);
	if (right)
		gpu_flush(gpu, &arguments, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_add_one(gpu, &other, SIZE);
	vkCmdDispatchIndirect(gpu->commands, arguments.buffer, 0);
	gpu_run(gpu);
	gpu_buffer_destroy(gpu, &arguments);
	gpu_buffer_destroy(gpu, &other);
}

/* A buffer for results that the host clears first: the device writes where that was not flushed. */
static void clear_results(struct gpu *gpu, bool right)
{
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 0, SIZE);
	if (right)
		gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_unmap(gpu, &results);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 0x44444444);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &results);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(results.map), 0x44444444);
	gpu_buffer_destroy(gpu, &results);
}

/* No flush anywhere: memory has to be of a coherent type then, not of the first visible one. */
static void no_flush_anywhere(struct gpu *gpu, bool right)
{
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, right ? GPU_COHERENT : GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map, 0x55, SIZE);
	assert_int_equal(peek(gpu, &buffer, 0) == 0x55555555, right);
	gpu_buffer_destroy(gpu, &buffer);
}

/* ---- From the device to the host ---- */

/* Contents of a buffer or texture, through one that is mapped when the copy is done. */
static void get_data(struct gpu *gpu, bool right)
{
	struct gpu_buffer window;

	gpu_buffer_create(gpu, &window, SIZE, GPU_NONCOHERENT);
	gpu_begin(gpu);
	gpu_fill(gpu, &window, 0, SIZE, 0x66666666);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &window);
	if (right)
		gpu_invalidate(gpu, &window, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(window.map) == 0x66666666, right);
	gpu_unmap(gpu, &window);
	gpu_buffer_destroy(gpu, &window);
}

/* A size that the device tells, in a buffer that stays mapped: flushed, to read it. */
static void read_back_by_flush(struct gpu *gpu, bool right)
{
	struct gpu_buffer size;

	gpu_buffer_create(gpu, &size, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &size);
	memset(size.map, 0, SIZE);
	gpu_flush(gpu, &size, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_fill(gpu, &size, 0, 64, 0x17171717);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	(right ? gpu_invalidate : gpu_flush)(gpu, &size, 0, 64);
	assert_int_equal(word(size.map) == 0x17171717, right);
	gpu_buffer_destroy(gpu, &size);
}

/* A fence is waited for and the range invalidated: what is missing is the barrier. */
static void fence_alone(struct gpu *gpu, bool right)
{
	struct gpu_buffer results;

	gpu_buffer_create(gpu, &results, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &results);
	memset(results.map, 0, SIZE);
	gpu_flush(gpu, &results, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_add_one(gpu, &results, SIZE);
	if (right)
		gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(results.map), 1);
	gpu_buffer_destroy(gpu, &results);
}

static void fence_alone_by_copy(struct gpu *gpu, bool right)
{
	struct gpu_buffer from, to;

	gpu_buffer_create(gpu, &from, SIZE, GPU_COHERENT);
	gpu_buffer_create(gpu, &to, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &from);
	gpu_map(gpu, &to);
	memset(from.map, 0x77, SIZE);
	gpu_begin(gpu);
	gpu_copy(gpu, &from, &to, 0, SIZE);
	if (right)
		gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_invalidate(gpu, &to, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(to.map), 0x77777777);
	gpu_buffer_destroy(gpu, &from);
	gpu_buffer_destroy(gpu, &to);
}

/* ---- Both ways ---- */

/* The host stores, a shader works on that, the host invalidates: the flush is missing. */
static void in_and_out(struct gpu *gpu, bool right)
{
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map, 0x10, SIZE);
	if (right)
		gpu_flush(gpu, &buffer, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	gpu_add_one(gpu, &buffer, SIZE);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_invalidate(gpu, &buffer, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(buffer.map) == 0x10101011, right);
	gpu_buffer_destroy(gpu, &buffer);
}

/* A part is flushed from where it begins, not from where its atom does. */
static void flush_a_part(struct gpu *gpu, bool right)
{
	VkDeviceSize mask = right ? gpu->atom - 1 : 0;
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map + 64, 0x12, 64);
	gpu_flush(gpu, &buffer, 64 & ~mask, (64 + mask) & ~mask);
	assert_int_equal(peek(gpu, &buffer, 64), 0x12121212);
	gpu_buffer_destroy(gpu, &buffer);
}

/* All of a map is invalidated, and the map ends within an atom: not where the memory does. */
static void map_a_part(struct gpu *gpu, bool right)
{
	struct gpu_buffer window;
	void *map;

	gpu_buffer_create(gpu, &window, SIZE, GPU_NONCOHERENT);
	gpu_begin(gpu);
	gpu_fill(gpu, &window, 0, SIZE, 0x16161616);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	CHECK(vkMapMemory(gpu->device, window.memory, 0, right ? VK_WHOLE_SIZE : 60, 0, &map));
	gpu_invalidate(gpu, &window, 0, VK_WHOLE_SIZE);
	assert_int_equal(word(map), 0x16161616);
	gpu_unmap(gpu, &window);
	gpu_buffer_destroy(gpu, &window);
}

/* Each buffer is flushed at each update, also where nothing was stored. */
static void flush_always(struct gpu *gpu, bool right)
{
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map, 0x13, SIZE);
	gpu_flush(gpu, &buffer, 0, VK_WHOLE_SIZE);
	if (!right)
		gpu_flush(gpu, &buffer, 0, VK_WHOLE_SIZE);
	assert_int_equal(peek(gpu, &buffer, 0), 0x13131313);
	gpu_buffer_destroy(gpu, &buffer);
}

/* With types=coherent all that is wrong by caches alone is right: it was a flush. */
static void was_it_a_flush(struct gpu *gpu, bool right)
{
	struct gpu_buffer buffer;

	gpu_buffer_create(gpu, &buffer, SIZE, GPU_COHERENT);
	gpu_map(gpu, &buffer);
	memset(buffer.map, 0x14, SIZE);
	assert_int_equal(peek(gpu, &buffer, 0), 0x14141414);
	gpu_buffer_destroy(gpu, &buffer);
	(void)right;
}

/* ---- Two frames in flight: one thread stores, another one reads ---- */

struct frames {
	struct gpu *gpu;
	struct gpu_buffer block;	/* first what is stored, then the results */
	int wrong;
};

static void *read_results(void *data)
{
	struct frames *frames = data;
	int i;

	for (i = 0; i < 200; i++) {
		gpu_invalidate(frames->gpu, &frames->block, SIZE, SIZE);
		frames->wrong += word(frames->block.map + SIZE) != 0x15151515;
	}
	return NULL;
}

static void disjoint_ranges(struct gpu *gpu, bool right)
{
	struct frames frames = { .gpu = gpu };
	pthread_t reader;
	int i;

	gpu_buffer_create(gpu, &frames.block, 2 * SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, &frames.block);
	gpu_begin(gpu);
	gpu_fill(gpu, &frames.block, SIZE, SIZE, 0x15151515);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	assert_int_equal(pthread_create(&reader, NULL, read_results, &frames), 0);
	for (i = 1; i < 200; i++) {
		memset(frames.block.map, i, SIZE);
		gpu_flush(gpu, &frames.block, 0, SIZE);
	}
	pthread_join(reader, NULL);
	assert_int_equal(frames.wrong, 0);
	assert_int_equal(peek(gpu, &frames.block, 0), 0xc7c7c7c7);
	gpu_buffer_destroy(gpu, &frames.block);
	(void)right;
}

/* ---- The table ---- */

#define STRICT	"mode=strict"

/* A report, what does as it tells, and what is found of it; NULL: that all is well. */
struct pattern {
	const char *report;
	void (*run)(struct gpu *gpu, bool right);
	const char *found;
	const char *settings;
};

static const struct pattern patterns[] = {
	{ "RenderDoc 1090, overlay", upload_and_unmap, "unmap-for-flush", STRICT },
	{ "RenderDoc 1090, readback", get_data, "cpu-read-stale", STRICT },
	{ "Godot 103589", staging_ring, "dev-read-dirty", STRICT },
	{ "Godot 84852", get_data, "cpu-read-stale", STRICT },
	{ "wgpu 6089, mapped to write", upload_and_unmap, "unmap-for-flush", STRICT },
	{ "wgpu 6089, mapped to read", clear_results, "dev-write-dirty", STRICT },
	{ "wgpu 8838", read_back_by_flush, "flush-for-invalidate", STRICT },
	{ "Flutter 42685", uniforms, "dev-read-dirty", STRICT },
	{ "Flutter 56350", flush_always, "clean-flush", STRICT ",cost=true" },
	{ "vkd3d-proton 2323", clear_new_memory, "dev-read-dirty", STRICT },
	{ "blade 153", no_flush_anywhere, "dev-read-dirty", STRICT },
	{ "VK-GL-CTS 372", in_and_out, "dev-read-dirty", STRICT },
	{ "Validation Layers 1954", fence_alone_by_copy, "no-host-barrier", STRICT },
	{ "Validation Layers 2329", fence_alone, "no-host-barrier", STRICT },
	{ "atoms of 128", flush_a_part, "misaligned", STRICT ",atom=128" },
	{ "atoms of 256", flush_a_part, "misaligned", STRICT ",atom=256" },
	{ "prosper 1717", map_a_part, "misaligned", STRICT },
	{ "libGPULayers 114", was_it_a_flush, NULL, "types=coherent" },
	{ "MoltenVK 2738", disjoint_ranges, NULL, STRICT },
};

#define PATTERNS	(sizeof(patterns) / sizeof(patterns[0]))

static void mistake(void **state)
{
	const struct pattern *pattern = *state;
	static struct gpu gpu;

	gpu_open(&gpu, pattern->settings);
	pattern->run(&gpu, false);
	gpu_find(&gpu, pattern->found);
	gpu_close(&gpu);
}

static void mended(void **state)
{
	const struct pattern *pattern = *state;
	static struct gpu gpu;

	gpu_open(&gpu, pattern->settings);
	pattern->run(&gpu, true);
	gpu_expect_silence(&gpu);
	gpu_close(&gpu);
}

int main(void)
{
	static struct CMUnitTest tests[2 * PATTERNS];
	static char names[PATTERNS][80];
	size_t count = 0, i;

	for (i = 0; i < PATTERNS; i++) {
		void *row = (void *)(uintptr_t)&patterns[i];

		snprintf(names[i], sizeof(names[i]), "%s: mended", patterns[i].report);
		if (patterns[i].found)
			tests[count++] = (struct CMUnitTest){ patterns[i].report, mistake, NULL,
							      NULL, row };
		tests[count++] = (struct CMUnitTest){ names[i], mended, NULL, NULL, row };
	}
	return _cmocka_run_group_tests("patterns", tests, count, NULL, NULL);
}
