// SPDX-License-Identifier: MIT
/*
 * Many threads on one simulated device, built with the thread sanitizer, library and
 * all. The threads' own stores are atomic: the sanitizer knows of no cache lines.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

#define THREADS	4u
#define TURNS	400u
#define LINE	64u

struct worker {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bo;
	uint32_t *map;
	uint64_t va;
	unsigned int number;
	uint32_t wrong;
	int error;
};

static uint32_t load(const struct worker *worker, uint64_t offset)
{
	return __atomic_load_n(worker->map + offset / 4, __ATOMIC_ACQUIRE);
}

static void store(struct worker *worker, uint64_t offset, uint32_t value)
{
	__atomic_store_n(worker->map + offset / 4, value, __ATOMIC_RELEASE);
}

/* Each thread has every fourth line. */
static uint64_t line_of(const struct worker *worker, uint32_t turn)
{
	return ((turn % 8) * THREADS + worker->number) * LINE;
}

static void *cpu_works(void *arg)
{
	struct worker *worker = arg;
	uint32_t turn;
	uint64_t at;

	for (turn = 1; turn <= TURNS && !worker->error; turn++) {
		at = line_of(worker, turn);
		store(worker, at, turn);
		if (turn & 1)
			worker->error = gemsync_bo_flush(worker->bo, at, 4);
		else
			worker->error = gemsync_bo_invalidate(worker->bo, at, LINE);
		worker->wrong += load(worker, at) != turn;
	}
	return NULL;
}

/* Sync objects, the GPU's atomic words, in a write-combined BO. */
static void *gpu_works(void *arg)
{
	struct worker *worker = arg;
	const uint64_t words[] = {
		csf_move48(80, worker->va), csf_move48(0, 1), csf_sync_add32(0, 80),
		csf_sync_wait32(CSF_GT, 2, 80), csf_add_immediate64(80, 80, 64),
		csf_sync_add64(0, 80),
	};
	uint32_t turn;

	for (turn = 1; turn <= TURNS && !worker->error; turn++) {
		worker->error = gpu_csf_run(worker->gpu, words, ARRAY_SIZE(words));
		worker->wrong += load(worker, 0) != turn || load(worker, 64) != turn;
	}
	return NULL;
}

/* Copies and batches of a thread's own, on a BO of all; as one thread at a time would see. */
static void *copies_work(void *arg)
{
	struct worker *worker = arg;
	struct gemsync_batch batch;
	struct gemsync_op ops[4];
	uint32_t turn, back[16], data[16] = { 0 };
	uint64_t at;

	worker->error = gemsync_device_batch_init(worker->dev, &batch, ops, ARRAY_SIZE(ops), 0);
	for (turn = 1; turn <= TURNS && !worker->error; turn++) {
		at = line_of(worker, turn);
		data[turn % 16] = turn;
		worker->error = gemsync_bo_upload(worker->bo, at, data, sizeof(data), 0);
		if (!worker->error)
			worker->error = gemsync_bo_readback(worker->bo, at, back, sizeof(back));
		worker->wrong += !!memcmp(back, data, sizeof(data));
		if (!worker->error)
			worker->error = gemsync_batch_add(&batch, worker->bo, GEMSYNC_FLUSH, at, 4);
	}
	if (!worker->error)
		worker->error = gemsync_batch_submit(&batch);
	return NULL;
}

/* gemsync/cpu.h, from the first call on, which chooses: on lines of a thread's own. */
static void *own_cpu_works(void *arg)
{
	static uint32_t memory[THREADS][LINE / 4] __attribute__((aligned(LINE)));
	struct worker *worker = arg;
	uint32_t *line = memory[worker->number], turn, back = 0;
	struct gemsync_cpu_info cpu;

	if (gemsync_cpu_query(&cpu))
		return NULL;
	for (turn = 1; turn <= TURNS && !worker->error; turn++) {
		worker->error = gemsync_cpu_upload(line, &turn, sizeof(turn), 0);
		if (!worker->error)
			worker->error = gemsync_cpu_readback(&back, line, sizeof(back));
		if (!worker->error)
			worker->error = gemsync_cpu_flush(line, LINE);
		worker->wrong += back != turn;
	}
	return NULL;
}

static void *others_come_and_go(void *arg)
{
	struct worker *worker = arg;
	struct gemsync_violation violation;
	struct gemsync_counters counters;
	struct gemsync_bo *bo;
	uint64_t serial = 0;
	uint32_t turn;
	void *map;

	for (turn = 0; turn < TURNS && !worker->error; turn++) {
		worker->error = gemsync_bo_create(worker->dev, 4096, GEMSYNC_BO_CACHED, &bo);
		if (worker->error)
			break;
		worker->error = gemsync_bo_map(bo, &map);
		if (!worker->error)
			worker->error = gemsync_bo_flush(bo, 0, 4096);
		gemsync_bo_destroy(bo);
		gemsync_device_counters(worker->dev, &counters);
		gemsync_device_next_violation(worker->dev, &serial, &violation);
	}
	return NULL;
}

static void map_of(struct worker *worker, uint32_t flags)
{
	void *map;

	assert_ok(gemsync_bo_create(worker->dev, 4096, flags, &worker->bo));
	assert_ok(gemsync_bo_map(worker->bo, &map));
	worker->map = map;
}

static void run_on(const char *name, void *(*on_cpu)(void *arg))
{
	struct worker cached = { 0 }, workers[THREADS + 2];
	pthread_t threads[ARRAY_SIZE(workers)];
	void *(*work)(void *arg);
	struct gemsync_gpu *gpu;
	unsigned int i;

	assert_ok(gemsync_device_open(name, &cached.dev));
	assert_ok(gpu_open(cached.dev, &gpu));
	map_of(&cached, GEMSYNC_BO_CACHED);
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i] = cached;
		workers[i].number = i;
	}
	map_of(&workers[THREADS], 0);
	workers[THREADS].gpu = gpu;
	assert_ok(gpu_bind(gpu, workers[THREADS].bo, &workers[THREADS].va));
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		work = i < THREADS ? on_cpu : i == THREADS ? gpu_works : others_come_and_go;
		assert_ok(pthread_create(&threads[i], NULL, work, &workers[i]));
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++)
		assert_ok(pthread_join(threads[i], NULL));
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		assert_ok(workers[i].error);
		assert_int_equal(workers[i].wrong, 0);
	}
	gpu_close(gpu);
	gemsync_bo_destroy(workers[THREADS].bo);
	gemsync_bo_destroy(cached.bo);
	gemsync_device_close(cached.dev);
}

static void lazy(void **state)
{
	(void)state;
	run_on("sim", cpu_works);
}

/* The copies are plain memcpy(): only where no line of another thread moves by itself. */
static void lazy_copies(void **state)
{
	(void)state;
	run_on("sim", copies_work);
}

static void own_cpu(void **state)
{
	(void)state;
	run_on("sim", own_cpu_works);
}

static void chaos(void **state)
{
	(void)state;
	run_on("sim:mode=chaos", cpu_works);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_cpu),
		cmocka_unit_test(lazy),
		cmocka_unit_test(lazy_copies),
		cmocka_unit_test(chaos),
	};

	return cmocka_run_group_tests_name("sim_threads", tests, NULL, NULL);
}
