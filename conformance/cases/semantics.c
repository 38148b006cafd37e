// SPDX-License-Identifier: MIT
/* What the two operations do, and what they leave alone (R2, R3, R4, R5). */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

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
      &r4_random_program,
      &r4_forgetful_program,
      &r3_lines_move_on_their_own,
      &r2_stays_put);
