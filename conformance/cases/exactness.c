// SPDX-License-Identifier: MIT
/* A sync maintains the lines of its range, and costs what these cost (R1, R10). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

struct range {
	uint64_t offset;
	uint64_t size;
};

/* Each is flushed and invalidated, and costs the lines that it overlaps, once. */
static void expect_lines_of(struct cf *cf, const struct buffer *buf, const struct range *ranges,
			    size_t count)
{
	struct gemsync_counters before;
	uint64_t lines;
	size_t i;

	for (i = 0; i < count; i++) {
		lines = lines_of(cf, ranges[i].offset, ranges[i].size);
		before = lines_now(cf);
		EXPECT_OK(flush(cf, buf, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, 0);
		before = lines_now(cf);
		EXPECT_OK(invalidate(cf, buf, ranges[i].offset, ranges[i].size));
		EXPECT_LINES(cf, &before, lines, lines);
	}
}

CASE(r1_lines_of_a_range, "R1", NEED_LAZY,
     "a sync counts exactly the lines that overlap its range, wherever it lies")
{
	struct buffer *buf = new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct range ranges[] = {
		{ 0, 64 }, { 0, 1 }, { 0, line }, { 0, line + 1 }, { line - 1, 1 },
		{ line - 1, 2 }, { line / 2, line }, { 3 * line + 5, 10 * line - 7 },
		{ 4095, 1 }, { 4095, 2 }, { 4096 - line, line }, { 4090, 4096 },
		{ 5 * 4096 + 1, 3 * 4096 }, { MIB - 1, 1 }, { MIB - 64, 64 },
		{ MIB - line - 1, line + 1 }, { 0, MIB },
	};

	expect_lines_of(cf, buf, ranges, ARRAY_SIZE(ranges));
}

/* The same by what both sides see, which hardware can show too. */
CASE(r1_each_line_seen, "R1 R4", NEED_INCOHERENT | NEED_SYNC,
     "line by line, a flush writes its range back, and an invalidate also drops it")
{
	struct buffer *buf = new_buffer(cf, 64 * KIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct range ranges[] = {
		{ 8 * line, line }, { 8 * line + 4, 4 }, { 9 * line - 1, 2 },
		{ 4096 - 2 * line, 4 * line }, { 4096 + line / 2, 4096 }, { 64 * KIB - 1, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT_RANGE(cf, buf, GEMSYNC_FLUSH, ranges[i].offset, ranges[i].size);
		EXPECT_RANGE(cf, buf, GEMSYNC_INVALIDATE, ranges[i].offset, ranges[i].size);
	}
}

CASE(r1_lines_around_stay_dirty, "R1", NEED_LAZY,
     "a flush shows the GPU the lines of its range, and nothing of the lines around")
{
	struct buffer *buf = new_buffer(cf, 16 * KIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size, at;

	for (at = 0; at < 4 * line; at += line)
		put_both(cf, buf, at, OLD);
	for (at = 0; at < 4 * line; at += line)
		cpu_put(buf, at, NEW);
	EXPECT_OK(flush(cf, buf, line + 4, line));
	EXPECT_GPU(cf, buf, 0, OLD);
	EXPECT_GPU(cf, buf, line, NEW);
	EXPECT_GPU(cf, buf, 2 * line, NEW);
	EXPECT_GPU(cf, buf, 3 * line, OLD);
}

/* A walk of several steps visits the line between two steps once. */
CASE(r1_long_walks, "R1 R10", NEED_LAZY,
     "a sync of several MiB that begins and ends within lines counts each line once")
{
	struct buffer *buf = new_buffer(cf, 8 * MIB, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct range ranges[] = {
		{ line / 2, 3 * MIB }, { line - 1, MIB }, { MIB - 1, 2 * MIB + 2 },
		{ 1, 8 * MIB - 2 }, { 5 * line + 3, MIB + line }, { 4096 - 1, 6 * MIB },
	};

	expect_lines_of(cf, buf, ranges, ARRAY_SIZE(ranges));
}

/* ---- Large BOs ---- */

CASE(r10_first_sync, "R10 R1", NEED_LAZY,
     "the first sync of a BO too touches the lines of its range alone")
{
	struct buffer *buf = new_buffer(cf, 64 * KIB, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;
	uint64_t at;

	for (at = 0; at < 64 * KIB; at += 4)
		cpu_put(buf, at, NEW);
	before = lines_now(cf);
	EXPECT_OK(flush(cf, buf, 32 * KIB, 64));
	EXPECT_LINES(cf, &before, lines_of(cf, 32 * KIB, 64), 0);
	EXPECT_GPU(cf, buf, 32 * KIB, NEW);
	EXPECT_GPU(cf, buf, 0, 0);
	EXPECT_GPU(cf, buf, 32 * KIB - 4, 0);
	EXPECT_GPU(cf, buf, 64 * KIB - 4, 0);
}

/*
 * Bytes: 1 GiB, or less where half of the machine's memory is, or where each page is
 * poisoned and emulated before it can be used.
 */
static uint64_t large_size(const struct cf *cf)
{
	uint64_t limit = memory_available() / 2, size = 1024 * MIB;

	if (cf->info.emulated && cf->fd >= 0 && limit > 128 * MIB)
		limit = 128 * MIB;
	while (size > 64 * MIB && size > limit)
		size /= 2;
	return size;
}

CASE_WITHIN(r10_end_of_a_large_bo, "R10 R1", NEED_LAZY, 60,
	    "64 bytes at the end of a large BO are as many lines as 64 at its start")
{
	uint64_t size = large_size(cf);
	struct buffer *buf = new_buffer(cf, size, GEMSYNC_BO_CACHED);
	uint64_t lines = lines_of(cf, 0, 64);
	struct gemsync_counters before;

	before = lines_now(cf);
	cpu_put(buf, size - 64, NEW);
	EXPECT_GPU(cf, buf, size - 64, 0);
	EXPECT_OK(flush(cf, buf, size - 64, 64));
	EXPECT_LINES(cf, &before, lines, 0);
	EXPECT_GPU(cf, buf, size - 64, NEW);
	before = lines_now(cf);
	EXPECT_OK(flush(cf, buf, 0, 64));
	EXPECT_LINES(cf, &before, lines, 0);
}

#define TRIES	200

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int64_t time_of_sync(struct cf *cf, const struct buffer *buf, uint64_t offset)
{
	int64_t begin;

	cpu_put(buf, offset, NEW);
	begin = now_ns();
	EXPECT_OK(gemsync_bo_invalidate(buf->bo, offset, 64));
	return now_ns() - begin;
}

/*
 * What is not maintained is in no counter, so this is about time, but not about how long
 * anything takes: a walk from the BO's start takes thousands of times as long at its end.
 * The fastest of many are compared, in turns: others use the machine too.
 */
CASE_WITHIN(r10_cost_of_an_offset, "R10", NEED_SYNC, 60,
	    "a sync at the end of a large BO takes no longer than at its start")
{
	uint64_t size = large_size(cf) / 4;
	struct buffer *buf = new_buffer(cf, size, GEMSYNC_BO_CACHED);
	int64_t start = INT64_MAX, end = INT64_MAX, took;
	int i;

	/* CONFIG_DMA_API_DEBUG looks for what was mapped from an address downwards. */
	if (!access("/sys/kernel/debug/dma-api/disabled", F_OK))
		skip("the kernel checks the DMA API, which takes long behind a mapping's start",
		     "run on a kernel without such checks");
	for (i = 0; i < TRIES; i++) {
		took = time_of_sync(cf, buf, 0);
		start = took < start ? took : start;
		took = time_of_sync(cf, buf, size - 64);
		end = took < end ? took : end;
	}
	if (end >= 8 * start + 50000)
		fail("the fastest sync took %lld ns at the start of the BO, and %lld ns at the end",
		     (long long)start, (long long)end);
}

#define HUGE_SIZE	(4096 * MIB)

CASE_WITHIN(r8_last_byte_of_4_gib, "R8 R10", 0, 120,
	    "the last byte of a BO of 4 GiB is synced, or the BO is refused with -ENOMEM")
{
	uint64_t last = HUGE_SIZE - 4;
	struct gemsync_bo *bo;
	struct buffer *buf;
	int ret;

	ret = gemsync_bo_create(cf->dev, HUGE_SIZE, GEMSYNC_BO_CACHED, &bo);
	if (ret) {
		EXPECT_EQ(ret, -ENOMEM);
		new_buffer(cf, MIB, GEMSYNC_BO_CACHED);
		return;
	}
	gemsync_bo_destroy(bo);
	need_memory(HUGE_SIZE + HUGE_SIZE / 4);
	buf = new_buffer(cf, HUGE_SIZE, GEMSYNC_BO_CACHED);
	put_both(cf, buf, last, OLD);
	put_both(cf, buf, 0, OLD);
	cpu_put(buf, last, NEW);
	cpu_put(buf, 0, NEW);
	EXPECT_OK(flush(cf, buf, HUGE_SIZE - 1, 1));
	EXPECT_GPU(cf, buf, last, NEW);
	if (shows_lines(cf))
		EXPECT_GPU(cf, buf, 0, OLD);
	EXPECT_EQ(flush(cf, buf, HUGE_SIZE - 1, 2), -EINVAL);
	EXPECT_OK(flush(cf, buf, HUGE_SIZE, 0));
}

/* ---- Locks ---- */

#define BATCH	10000u

static uint64_t locks_now(void)
{
	uint64_t locks;

	if (module_counter("drm_gem_sync", "locks", &locks))
		skip("the driver does not count the locks that syncs take",
		     "run on a driver that is built on drm_gem_sync");
	return locks;
}

/* The locks that a batch takes on two BOs in turns of @turn ops. */
static uint64_t locks_of_batch(struct cf *cf, struct buffer *const bufs[2], unsigned int turn)
{
	struct gemsync_op *ops = new_array(BATCH, sizeof(*ops));
	uint64_t before;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		ops[i] = (struct gemsync_op){
			.bo = bufs[i / turn % 2]->bo, .offset = i % 1024 * 4ull, .size = 4,
		};
	before = locks_now();
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, BATCH));
	free(ops);
	return locks_now() - before;
}

CASE(r10_one_lock_per_group, "R10", NEED_SYNC_ABI | NEED_INCOHERENT,
     "10,000 ops take the lock once for each group that follow each other on one BO")
{
	struct buffer *const bufs[2] = {
		new_buffer(cf, 4096, GEMSYNC_BO_CACHED), new_buffer(cf, 4096, GEMSYNC_BO_CACHED),
	};

	cpu_put(bufs[0], 0, NEW);
	cpu_put(bufs[1], 0, NEW);
	EXPECT_EQ(locks_of_batch(cf, bufs, BATCH), 1);
	EXPECT_EQ(locks_of_batch(cf, bufs, BATCH / 2), 2);
	EXPECT_EQ(locks_of_batch(cf, bufs, 100), 100);
	EXPECT_EQ(locks_of_batch(cf, bufs, 1), BATCH);
}

/* Whole syncs of a large BO, one after the other. */
struct long_syncs {
	struct buffer *buf;
	atomic_uint edge;	/* counts their begins and ends: odd while one runs */
	int error;
};

#define LONG_SYNCS	9u
#define LONG_SIZE	(16 * MIB)

static void *sync_whole_bo(void *arg)
{
	struct long_syncs *syncs = arg;
	uint32_t i;

	for (i = 0; i < LONG_SYNCS && !syncs->error; i++) {
		syncs->edge++;
		syncs->error = gemsync_bo_invalidate(syncs->buf->bo, 0, LONG_SIZE);
		syncs->edge++;
	}
	syncs->edge = 2 * LONG_SYNCS;
	return NULL;
}

/*
 * With the lock held during the walk a small sync gets it when the walk is over. Those
 * that end before the long one has the lock, or before its thread says that it is over,
 * seem to be inside: a few, now and then many, but not of most long ones.
 */
#define INSIDE	8u

/* Of how many long syncs so many small ones begin and end within. */
static uint32_t count_shared(struct long_syncs *syncs, const struct buffer *small, int *error)
{
	uint32_t inside[LONG_SYNCS] = { 0 }, shared = 0, edge, i;

	*error = 0;
	while ((edge = syncs->edge) < 2 * LONG_SYNCS && !*error) {
		if (edge % 2 == 0) {
			sched_yield();
			continue;
		}
		cpu_put(small, 0, edge);
		*error = gemsync_bo_flush(small->bo, 0, 4);
		inside[edge / 2] += syncs->edge == edge;
	}
	for (i = 0; i < LONG_SYNCS; i++)
		shared += inside[i] >= INSIDE;
	return shared;
}

CASE_WITHIN(r10_long_sync_lets_others_go, "R10", NEED_SYNC, 60,
	    "while a sync of a large BO goes on, syncs of other BOs of its address space are done")
{
	struct long_syncs syncs = { 0 };
	struct buffer *small;
	pthread_t thread;
	uint32_t shared;
	uint64_t at;
	int error;

	if (cf->info.coherent)
		skip("on a coherent device no sync takes long", "run on one that is not coherent");
	need_memory(4 * LONG_SIZE);
	syncs.buf = new_buffer(cf, LONG_SIZE, GEMSYNC_BO_CACHED);
	small = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	for (at = 0; at < LONG_SIZE; at += cf->info.page_size)
		cpu_put(syncs.buf, at, NEW);
	EXPECT_OK(pthread_create(&thread, NULL, sync_whole_bo, &syncs));
	shared = count_shared(&syncs, small, &error);
	EXPECT_OK(pthread_join(thread, NULL));
	EXPECT_OK(error);
	EXPECT_OK(syncs.error);
	if (shared <= LONG_SYNCS / 2)
		fail("during %u of %u long syncs others were done: expected most of them", shared,
		     LONG_SYNCS);
}

CASES(exactness, "Exactness and cost",
      &r1_lines_of_a_range,
      &r1_each_line_seen,
      &r1_lines_around_stay_dirty,
      &r1_long_walks,
      &r10_first_sync,
      &r10_end_of_a_large_bo,
      &r10_cost_of_an_offset,
      &r8_last_byte_of_4_gib,
      &r10_one_lock_per_group,
      &r10_long_sync_lets_others_go);
