// SPDX-License-Identifier: MIT
/* What the two operations do, beside CPU threads and a GPU at work (R2, R3, R4, R5). */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "machine.h"
#include "random_ops.h"

/* ---- The two operations ---- */

CASE(r4_cpu_to_gpu, "R4", NEED_LAZY, "what the CPU wrote reaches the GPU by a flush alone")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 256, OLD);
	cpu_put(buf, 256, NEW);
	EXPECT_GPU(cf, buf, 256, OLD);
	EXPECT_OK(flush(cf, buf, 256, 4));
	EXPECT_GPU(cf, buf, 256, NEW);
}

CASE(r4_gpu_to_cpu, "R4", NEED_LAZY, "what the GPU wrote reaches the CPU by an invalidate alone")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 256, OLD);
	gpu_put(cf, buf, 256, NEW);
	EXPECT_CPU(cf, buf, 256, OLD);
	EXPECT_OK(invalidate(cf, buf, 256, 4));
	EXPECT_CPU(cf, buf, 256, NEW);
}

CASE(r4_flush_keeps_lines, "R4", NEED_LAZY,
     "a flush writes back and drops nothing, be the line dirty or clean")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);

	cpu_put(buf, 256, OLD);
	EXPECT_OK(flush(cf, buf, 256, 4));
	EXPECT_CPU(cf, buf, 256, OLD);
	gpu_put(cf, buf, 256, NEW);
	EXPECT_OK(flush(cf, buf, 256, 4));
	EXPECT_CPU(cf, buf, 256, OLD);
	EXPECT_GPU(cf, buf, 256, NEW);
}

CASE(r4_invalidate_writes_back_first, "R4", NEED_INCOHERENT | NEED_SYNC,
     "an invalidate loses nothing that the CPU wrote, in whole lines and in parts of them")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size, at;

	for (at = 0; at < 3 * line; at += 4)
		put_both(cf, buf, at, OLD);
	for (at = 0; at < 3 * line; at += 4)
		cpu_put(buf, at, NEW + at);
	if (shows_lines(cf))
		EXPECT_GPU(cf, buf, line, OLD);
	EXPECT_OK(invalidate(cf, buf, 0, 3 * line));
	for (at = 0; at < 3 * line; at += 4) {
		EXPECT_CPU(cf, buf, at, NEW + at);
		EXPECT_GPU(cf, buf, at, NEW + at);
	}
}

/* ---- Neighbours ---- */

CASE(r5_edges_survive, "R5", NEED_LAZY,
     "what the CPU wrote to the edge lines beside the range stays in the cache and reaches memory")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	uint64_t low = line + line / 2, high = 3 * line + line / 2;

	put_both(cf, buf, low - 4, OLD);
	put_both(cf, buf, high, OLD);
	cpu_put(buf, low - 4, NEW);
	cpu_put(buf, high, NEW);
	EXPECT_GPU(cf, buf, low - 4, OLD);
	EXPECT_GPU(cf, buf, high, OLD);
	EXPECT_OK(invalidate(cf, buf, low, high - low));
	EXPECT_CPU(cf, buf, low - 4, NEW);
	EXPECT_CPU(cf, buf, high, NEW);
	EXPECT_GPU(cf, buf, low - 4, NEW);
	EXPECT_GPU(cf, buf, high, NEW);
}

struct writer {
	struct buffer *buf;
	uint64_t low;
	uint64_t high;
	atomic_bool stop;
	uint32_t lost;		/* stores that were gone when looked at again */
	atomic_uint last;
};

static void *write_neighbours(void *arg)
{
	struct writer *writer = arg;
	uint32_t i;

	for (i = 1; !writer->stop; i++) {
		cpu_put(writer->buf, writer->low, i);
		cpu_put(writer->buf, writer->high, ~i);
		writer->lost += cpu_get(writer->buf, writer->low) != i;
		writer->lost += cpu_get(writer->buf, writer->high) != ~i;
		writer->last = i;
	}
	return NULL;
}

/* Calls, of which so many meet a store of the writer, if that takes no longer. */
#define CALLS		5000
#define MEETINGS	100000
#define MEETING_MS	1500

static int sync_beside_writer(const struct writer *writer, uint64_t offset, uint64_t size)
{
	int64_t end = now_ms() + MEETING_MS;
	uint32_t calls, meetings = 0, last;
	int ret = 0;

	for (calls = 0; !ret; calls++) {
		if (calls >= CALLS && (meetings >= MEETINGS || now_ms() >= end))
			break;
		last = writer->last;
		ret = gemsync_bo_invalidate(writer->buf->bo, offset, size);
		meetings += last != writer->last;
	}
	return ret;
}

CASE(r5_edges_survive_a_writer, "R5", NEED_INCOHERENT | NEED_SYNC,
     "no store of another thread to the edge lines beside the range is lost, in 5000 calls or more")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	struct writer writer = { .buf = buf, .low = 2 * line - 8, .high = 3 * line + 8 };
	uint64_t start = writer.low + 4, size = writer.high - start;
	pthread_t thread;
	int ret;

	EXPECT_OK(pthread_create(&thread, NULL, write_neighbours, &writer));
	while (!writer.last)
		;
	ret = sync_beside_writer(&writer, start, size);
	writer.stop = true;
	EXPECT_OK(pthread_join(thread, NULL));
	EXPECT_OK(ret);
	EXPECT_EQ(writer.lost, 0);
	EXPECT_OK(flush(cf, buf, 0, 4096));
	EXPECT_GPU(cf, buf, writer.low, writer.last);
	EXPECT_GPU(cf, buf, writer.high, ~writer.last);
}

/* ---- CPU and GPU at the same time ---- */

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
	struct gpu *gpu = worker->cf->gpu;
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

/* ---- Whatever a cache does on its own ---- */

#define RANDOM_OPS	10000u

CASE(r4_random_program, "R1 R4 R5", NEED_SYNC,
     "a program that syncs what it has to reads what was written last, 30,000 random steps long")
{
	struct gemsync_violation_counters before = { 0 }, after;
	struct random_ops_report report;
	uint64_t seed;

	gemsync_device_violations(cf->dev, &before);
	for (seed = 1; seed <= 3; seed++) {
		EXPECT_OK(random_ops_run(cf->dev, cf->gpu, seed, RANDOM_OPS, false, &report));
		EXPECT(report.bytes_read > RANDOM_OPS);
		EXPECT_EQ(report.bytes_wrong, 0);
	}
	if (gemsync_device_violations(cf->dev, &after))
		return;
	EXPECT_EQ(after.lost_update - before.lost_update, 0);
	EXPECT_EQ(after.dev_write_dirty - before.dev_write_dirty, 0);
	EXPECT_EQ(after.dev_read_dirty - before.dev_read_dirty, 0);
}

/* On hardware all lines may be written back in time. */
CASE(r4_forgetful_program, "R4", NEED_INCOHERENT | NEED_COUNTERS,
     "the same program without one flush in 16 reads wrong bytes")
{
	struct random_ops_report report;

	EXPECT_OK(random_ops_run(cf->dev, cf->gpu, 1, RANDOM_OPS, true, &report));
	EXPECT(report.bytes_wrong > 0);
}

/* ---- Staying put ---- */

#define PLACES	16u	/* pages */
#define ROUNDS	5

/* Page faults of this process that needed no disk. */
static long faults_now(void)
{
	struct rusage usage;

	EXPECT_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

/* How many faults it takes to look at each page of the map. */
static long faults_of_a_look(const struct cf *cf, const struct buffer *buf, uint32_t *sum)
{
	long before = faults_now();
	uint64_t i;

	for (i = 0; i < PLACES; i++)
		*sum += cpu_get(buf, i * cf->info.page_size) - i;
	return faults_now() - before;
}

/* The same after syncs of all kinds: a map that was torn down has to be made again. */
static long faults_after_syncs(const struct cf *cf, const struct buffer *buf, uint32_t *sum)
{
	uint64_t page = cf->info.page_size, i;

	for (i = 0; i < PLACES; i++) {
		EXPECT_OK(gemsync_bo_flush(buf->bo, i * page + 100, page / 2));
		EXPECT_OK(gemsync_bo_invalidate(buf->bo, i * page, page));
	}
	EXPECT_OK(gemsync_bo_invalidate(buf->bo, 0, PLACES * page));
	return faults_of_a_look(cf, buf, sum);
}

/* What /proc says of pages is nothing for a driver's maps: faults tell. */
CASE(r2_stays_put, "R2", NEED_SYNC,
     "a sync tears down no map, allocates no page, and moves none from under CPU or GPU")
{
	uint64_t page = cf->info.page_size, i;
	struct buffer *buf = new_buffer(cf, PLACES * page, GEMSYNC_BO_CACHED);
	long faults, fewest = LONG_MAX;
	struct memory before;
	uint32_t sum = 0;
	void *map;

	for (i = 0; i < PLACES; i++)
		put_both(cf, buf, i * page, OLD + i);
	before = memory_now(cf);
	/* The first round is for what this process itself touches first. */
	for (i = 0; i < ROUNDS; i++) {
		faults = faults_after_syncs(cf, buf, &sum);
		fewest = faults < fewest ? faults : fewest;
	}
	EXPECT_EQ(sum, ROUNDS * PLACES * OLD);
	EXPECT_EQ_AS("page faults in the map after syncs", fewest, 0);
	expect_same_memory(cf, &before);
	for (i = 0; i < PLACES; i++)
		EXPECT_GPU(cf, buf, i * page, OLD + i);
	if (cf->fd < 0)
		return;
	/* The twin: a map that is really new. */
	gemsync_bo_unmap(buf->bo);
	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
	EXPECT(faults_of_a_look(cf, buf, &sum) > 0);
}

/* GPU reads until a line that nobody flushed reaches memory, at the most. */
#define CHANCES	20000u

/* What chaos is for: a program that relies on stale lines is wrong. */
CASE(r3_lines_move_on_their_own, "R3", NEED_SYNC | NEED_INCOHERENT | NEED_COUNTERS,
     "in mode chaos a dirty line is written back though nobody flushed it; no line count says so")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;
	uint32_t i;

	if (!cf->info.chaos)
		skip("lines move by maintenance alone (mode lazy)",
		     "run on a device in mode chaos (vpanthor.chaos=1, sim:mode=chaos)");
	put_both(cf, buf, 256, OLD);
	before = lines_now(cf);
	cpu_put(buf, 256, NEW);
	for (i = 0; i < CHANCES && gpu_get(cf, buf, 256) != NEW; i++)
		;
	EXPECT(i < CHANCES);
	EXPECT_LINES(cf, &before, 0, 0);
	EXPECT_CPU(cf, buf, 256, NEW);
}

CASES(semantics, "Semantics of the two operations",
      &r4_cpu_to_gpu,
      &r4_gpu_to_cpu,
      &r4_flush_keeps_lines,
      &r4_invalidate_writes_back_first,
      &r5_edges_survive,
      &r5_edges_survive_a_writer,
      &r3_lines_of_their_own,
      &r3_waits_for_no_fence,
      &r3_flush_ends_a_job,
      &r4_four_threads,
      &r4_random_program,
      &r4_forgetful_program,
      &r3_lines_move_on_their_own,
      &r2_stays_put);
