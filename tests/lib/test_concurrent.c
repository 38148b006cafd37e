// SPDX-License-Identifier: MIT
/* CPU and GPU at the same time: different lines of one BO; syncs that wait for nothing (R3). */
#include <pthread.h>
#include <stdatomic.h>

#include "fixture.h"

#define LINES	64u

struct gpu_worker {
	struct fixture *f;
	struct buffer *buf;
	atomic_bool stop;
	atomic_uint turns;
	uint32_t wrong;		/* values that were not what the GPU itself wrote */
	atomic_int error;
};

static uint64_t even_line(struct fixture *f, unsigned int i)
{
	return 2ull * i * f->info.line_size;
}

static uint64_t odd_line(struct fixture *f, unsigned int i)
{
	return even_line(f, i) + f->info.line_size;
}

/* The GPU owns the even lines. It is the only user of the GPU, and may not assert. */
static void *gpu_works(void *arg)
{
	struct gpu_worker *worker = arg;
	struct gpu *gpu = worker->f->gpu;
	uint32_t turn, value = 0;
	uint64_t va;

	for (turn = 1; !worker->stop && !worker->error; turn++) {
		va = worker->buf->va + even_line(worker->f, turn % LINES);
		worker->error = gpu_write32(gpu, va, turn);
		if (!worker->error)
			worker->error = gpu_read32(gpu, va, &value);
		worker->wrong += value != turn;
		worker->turns = turn;
	}
	return NULL;
}

/* The CPU owns the odd lines: it writes, flushes, invalidates and reads back. */
static uint32_t cpu_works(struct fixture *f, struct buffer *buf, uint32_t turns, int *error)
{
	uint32_t turn, wrong = 0;
	uint64_t at;

	*error = 0;
	for (turn = 1; turn <= turns && !*error; turn++) {
		at = odd_line(f, turn % LINES);
		cpu_put(buf, at, ~turn);
		*error = gemsync_bo_flush(buf->bo, at, 4);
		if (!*error && turn % 3 == 0)
			*error = gemsync_bo_invalidate(buf->bo, at, f->info.line_size);
		wrong += cpu_get(buf, at) != ~turn;
	}
	return wrong;
}

/* R1, R3, case 27: what each side wrote is there at the end, for both. */
static void lines_of_their_own(void **state)
{
	const uint32_t turns = 3000;
	struct fixture *f = need_incoherent(state);
	struct buffer *buf = new_buffer(f, 2ull * LINES * f->info.line_size, GEMSYNC_BO_CACHED);
	struct gpu_worker worker = { .f = f, .buf = buf };
	uint32_t wrong, turn;
	pthread_t thread;
	int error;

	assert_ok(pthread_create(&thread, NULL, gpu_works, &worker));
	wrong = cpu_works(f, buf, turns, &error);
	/* Let the GPU have its share on a slow machine. */
	while (worker.turns < LINES && !worker.error)
		;
	worker.stop = true;
	assert_ok(pthread_join(thread, NULL));
	assert_ok(error);
	assert_ok(worker.error);
	assert_int_equal(wrong, 0);
	assert_int_equal(worker.wrong, 0);

	for (turn = turns - LINES + 1; turn <= turns; turn++)
		assert_int_equal(gpu_get(f, buf, odd_line(f, turn % LINES)), ~turn);
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, gemsync_bo_size(buf->bo)));
	for (turn = worker.turns - LINES + 1; turn <= worker.turns; turn++)
		assert_int_equal(cpu_get(buf, even_line(f, turn % LINES)), turn);
}

/*
 * R3, case 28: while a job runs on a BO, syncs of other lines of it return; then
 * the flush of the word that the job looks at ends it.
 */
static void sync_does_not_wait(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *buf = new_buffer(f, MIB, GEMSYNC_BO_CACHED);
	int64_t began;
	int i, ret = 0;

	put_both(f, buf, 0, 0);
	cpu_put(buf, 0, 1);
	assert_ok(gpu_spin_begin(f->gpu, buf->va));
	assert_int_equal(gpu_spin_running(f->gpu), 1);
	began = now_ms();
	for (i = 0; i < 20 && !ret; i++) {
		cpu_put(buf, 8192, i);
		ret = gemsync_bo_flush(buf->bo, 8192, 4);
		if (!ret)
			ret = gemsync_bo_invalidate(buf->bo, 4096, 64);
	}
	assert_ok(ret);
	assert_true(now_ms() - began < 2000);
	assert_int_equal(gpu_spin_running(f->gpu), 1);
	assert_ok(gemsync_bo_flush(buf->bo, 0, 4));
	assert_ok(gpu_spin_end(f->gpu));
}

/* The same for maps, binds and new BOs beside a running job. */
static void other_calls_do_not_wait(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *flag = new_buffer(f, 4096, 0);
	int64_t began;
	int i;

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	began = now_ms();
	for (i = 0; i < 8; i++)
		cpu_put(new_buffer(f, 64 * KIB, i & 1 ? GEMSYNC_BO_CACHED : 0), 4096, i);
	assert_true(now_ms() - began < 2000);
	assert_int_equal(gpu_spin_running(f->gpu), 1);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
}

struct sync_worker {
	struct fixture *f;
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

/* Calls on one BO from several threads. */
static void syncs_of_one_bo_from_four_threads(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 64 * KIB, GEMSYNC_BO_CACHED);
	struct sync_worker workers[4];
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++) {
		workers[i] = (struct sync_worker){
			.f = f, .buf = buf, .offset = i * 16 * KIB,
		};
		assert_ok(pthread_create(&threads[i], NULL, sync_quarter, &workers[i]));
	}
	for (i = 0; i < 4; i++)
		assert_ok(pthread_join(threads[i], NULL));
	for (i = 0; i < 4; i++) {
		assert_ok(workers[i].error);
		assert_int_equal(workers[i].wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(lines_of_their_own),
		device_test(sync_does_not_wait),
		device_test(other_calls_do_not_wait),
		device_test(syncs_of_one_bo_from_four_threads),
	};

	return cmocka_run_group_tests_name("concurrent", tests, NULL, NULL);
}
