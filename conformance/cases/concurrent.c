// SPDX-License-Identifier: MIT
/* Syncs beside a GPU at work, and beside each other (R3, R4). */
#include <pthread.h>
#include <stdatomic.h>

#include "case.h"

#define LINES	64u

struct gpu_worker {
	struct cf *cf;
	struct buffer *buf;
	atomic_bool stop;
	atomic_uint turns;
	uint32_t wrong;		/* values that were not what the GPU itself wrote */
	atomic_int error;
};

static uint64_t even_line(const struct cf *cf, unsigned int i)
{
	return 2ull * i * cf->info.line_size;
}

static uint64_t odd_line(const struct cf *cf, unsigned int i)
{
	return even_line(cf, i) + cf->info.line_size;
}

/* The GPU owns the even lines. This thread is the only user of the GPU. */
static void *gpu_works(void *arg)
{
	struct gpu_worker *worker = arg;
	struct gemsync_gpu *gpu = worker->cf->gpu;
	uint32_t turn, value = 0;
	uint64_t va;

	for (turn = 1; !worker->stop && !worker->error; turn++) {
		va = worker->buf->va + even_line(worker->cf, turn % LINES);
		worker->error = gpu_write32(gpu, va, turn);
		if (!worker->error)
			worker->error = gpu_read32(gpu, va, &value);
		worker->wrong += value != turn;
		worker->turns = turn;
	}
	return NULL;
}

/* The CPU owns the odd lines: it writes, flushes, invalidates and reads back. */
static uint32_t cpu_works(struct cf *cf, struct buffer *buf, uint32_t turns, int *error)
{
	uint32_t turn, wrong = 0;
	uint64_t at;

	*error = 0;
	for (turn = 1; turn <= turns && !*error; turn++) {
		at = odd_line(cf, turn % LINES);
		cpu_put(buf, at, ~turn);
		*error = gemsync_bo_flush(buf->bo, at, 4);
		if (!*error && turn % 3 == 0)
			*error = gemsync_bo_invalidate(buf->bo, at, cf->info.line_size);
		wrong += cpu_get(buf, at) != ~turn;
	}
	return wrong;
}

CASE(r3_lines_of_their_own, "R3 R1", NEED_INCOHERENT | NEED_SYNC,
     "the GPU works on some lines of a BO while the CPU writes and syncs the others: nothing is lost")
{
	const uint32_t turns = 3000;
	struct buffer *buf = new_buffer(cf, even_line(cf, LINES), GEMSYNC_BO_CACHED);
	struct gpu_worker worker = { .cf = cf, .buf = buf };
	uint32_t wrong, turn;
	pthread_t thread;
	int error;

	EXPECT_OK(pthread_create(&thread, NULL, gpu_works, &worker));
	wrong = cpu_works(cf, buf, turns, &error);
	/* Let the GPU have its share on a slow machine. */
	while (worker.turns < LINES && !worker.error)
		;
	worker.stop = true;
	EXPECT_OK(pthread_join(thread, NULL));
	EXPECT_OK(error);
	EXPECT_OK(worker.error);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(worker.wrong, 0);

	for (turn = turns - LINES + 1; turn <= turns; turn++)
		EXPECT_GPU(cf, buf, odd_line(cf, turn % LINES), ~turn);
	EXPECT_OK(invalidate(cf, buf, 0, gemsync_bo_size(buf->bo)));
	for (turn = worker.turns - LINES + 1; turn <= worker.turns; turn++)
		EXPECT_CPU(cf, buf, even_line(cf, turn % LINES), turn);
}

/* A sync that waits for the job would wait for ever, or for the job's timeout. */
#define SOON_MS	2000

static int sync_around(struct buffer *buf, uint64_t first)
{
	int i, ret = 0;

	for (i = 0; i < 20 && !ret; i++) {
		cpu_put(buf, first + 4096, i);
		ret = gemsync_bo_flush(buf->bo, first + 4096, 4);
		if (!ret)
			ret = gemsync_bo_invalidate(buf->bo, first, 64);
	}
	return ret;
}

CASE(r3_waits_for_no_fence, "R3", NEED_SYNC | NEED_SPIN,
     "syncs of a BO that a running job may use return at once; the job goes on")
{
	struct buffer *flag = new_buffer(cf, 4096, 0);
	struct buffer *buf = new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
	int64_t began;

	EXPECT_OK(gpu_spin_begin(cf->gpu, flag->va));
	EXPECT_EQ(gpu_spin_running(cf->gpu), 1);
	began = now_ms();
	EXPECT_OK(sync_around(buf, 0));
	EXPECT_EQ(gpu_spin_running(cf->gpu), 1);
	EXPECT(now_ms() - began < SOON_MS);
	cpu_put(flag, 0, 1);
	EXPECT_OK(gpu_spin_end(cf->gpu));
}

CASE(r3_flush_ends_a_job, "R3 R4", NEED_LAZY | NEED_SPIN,
     "while a job polls a word, syncs of the BO's other lines return; a flush of the word ends it")
{
	struct buffer *buf = new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
	int64_t began;

	put_both(cf, buf, 0, 0);
	cpu_put(buf, 0, 1);
	EXPECT_OK(gpu_spin_begin(cf->gpu, buf->va));
	EXPECT_EQ(gpu_spin_running(cf->gpu), 1);
	began = now_ms();
	EXPECT_OK(sync_around(buf, 4096));
	EXPECT(now_ms() - began < SOON_MS);
	EXPECT_EQ(gpu_spin_running(cf->gpu), 1);
	EXPECT_OK(flush(cf, buf, 0, 4));
	EXPECT_OK(gpu_spin_end(cf->gpu));
}

struct sync_worker {
	struct buffer *buf;
	uint64_t offset;	/* where this thread's quarter of the BO begins */
	uint32_t wrong;
	int error;
};

static void *sync_quarter(void *arg)
{
	struct sync_worker *worker = arg;
	uint64_t quarter = gemsync_bo_size(worker->buf->bo) / 4, at;
	uint32_t i;

	for (i = 0; i < 500 && !worker->error; i++) {
		at = worker->offset + i * 68 % (quarter - 4) / 4 * 4;
		cpu_put(worker->buf, at, i);
		if (i & 1)
			worker->error = gemsync_bo_flush(worker->buf->bo, at, 4);
		else
			worker->error = gemsync_bo_invalidate(worker->buf->bo, worker->offset,
							      quarter);
		worker->wrong += cpu_get(worker->buf, at) != i;
	}
	return NULL;
}

CASE(r4_four_threads, "R4 R5", NEED_SYNC,
     "four threads sync quarters of one BO at the same time: no store is lost")
{
	struct buffer *buf = new_buffer(cf, 64 * KIB, GEMSYNC_BO_CACHED);
	struct sync_worker workers[4];
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++) {
		workers[i] = (struct sync_worker){ .buf = buf, .offset = i * 16 * KIB };
		EXPECT_OK(pthread_create(&threads[i], NULL, sync_quarter, &workers[i]));
	}
	for (i = 0; i < 4; i++)
		EXPECT_OK(pthread_join(threads[i], NULL));
	for (i = 0; i < 4; i++) {
		EXPECT_OK(workers[i].error);
		EXPECT_EQ(workers[i].wrong, 0);
	}
}

CASES(concurrent, "CPU and GPU at the same time",
      &r3_lines_of_their_own,
      &r3_waits_for_no_fence,
      &r3_flush_ends_a_job,
      &r4_four_threads);
