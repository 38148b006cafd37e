// SPDX-License-Identifier: MIT
/*
 * BOs whose pages were taken away: what was written is there again, in every view and
 * without a sync; what is in use stays (R2, R9, R17, R18, R19).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "machine.h"
#include "share.h"

#define SIZE	(64 * KIB)
#define PAGES	(SIZE / PAGE)

static void fill(const struct buffer *buf, uint32_t seed)
{
	uint32_t offset;

	for (offset = 0; offset < SIZE; offset += 4)
		cpu_put(buf, offset, seed + offset);
}

static uint32_t wrong_words(const volatile uint32_t *words, uint32_t seed)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < SIZE / 4; i++)
		wrong += words[i] != seed + 4 * i;
	return wrong;
}

static uint32_t wrong_for_cpu(const struct buffer *buf, uint32_t seed)
{
	return wrong_words((const volatile uint32_t *)(const void *)buf->map, seed);
}

static uint32_t wrong_for_gpu(struct cf *cf, const struct buffer *buf, uint32_t seed)
{
	uint32_t *words = new_array(1, SIZE), wrong;

	EXPECT_OK(gpu_read(cf->gpu, buf->va, words, SIZE));
	wrong = wrong_words(words, seed);
	free(words);
	return wrong;
}

static void evict(struct cf *cf)
{
	EXPECT(evict_all(cf) >= PAGES);
}

CASE(r18_dirty_data_survives_eviction, "R18 R17", NEED_EVICTION | NEED_SYNC,
     "what the CPU wrote and never flushed is what CPU and GPU read after an eviction")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	fill(buf, NEW);
	/* The twin: without one the GPU reads what was there before. */
	if (shows_lines(cf))
		EXPECT_GPU(cf, buf, SIZE - 4, 0);
	evict(cf);
	EXPECT_EQ(wrong_for_gpu(cf, buf, NEW), 0);
	EXPECT_EQ(wrong_for_cpu(buf, NEW), 0);
}

CASE(r18_clean_lines_do_not_outlive_eviction, "R18 R17", NEED_EVICTION | NEED_SYNC,
     "a line that the CPU read before does not come over what the GPU wrote, once evicted")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 128, OLD);
	gpu_put(cf, buf, 128, NEW);
	if (shows_lines(cf))
		EXPECT_CPU(cf, buf, 128, OLD);
	evict(cf);
	EXPECT_CPU(cf, buf, 128, NEW);
	EXPECT_GPU(cf, buf, 128, NEW);
}

CASE(r17_evicted_pages_in_every_view, "R17 R18", NEED_EVICTION | NO_SYNC,
     "pages that come back have their content, whoever looks first, cached, write-combined or shareable")
{
	static const uint32_t flags[] = { 0, GEMSYNC_BO_CACHED, GEMSYNC_BO_SHAREABLE };
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i] & GEMSYNC_BO_CACHED && !makes_cached(cf))
			continue;
		buf = new_buffer(cf, SIZE, flags[i]);
		fill(buf, NEW);
		evict(cf);
		EXPECT_EQ_AS("words that the CPU sees wrong first", wrong_for_cpu(buf, NEW), 0);
		evict(cf);
		EXPECT_EQ_AS("words that the GPU sees wrong first", wrong_for_gpu(cf, buf, NEW), 0);
		EXPECT_EQ_AS("words that the CPU sees wrong then", wrong_for_cpu(buf, NEW), 0);
	}
}

CASE(r17_evicted_pages_behind_a_dmabuf, "R17 R19", NEED_EVICTION | NO_SYNC,
     "a map of a dma-buf shows its content after an eviction, also when the BO's handle is closed")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	struct exported *made = new_exported(cf, SIZE);
	uint32_t *map;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	map = map_fd(dmabuf, 0, SIZE);
	fill(buf, NEW);
	evict(cf);
	EXPECT_EQ(wrong_words(map, NEW), 0);
	munmap(map, SIZE);
	close(dmabuf);

	map = map_fd(made->dmabuf, 0, SIZE);
	map[SIZE / 4 - 1] = NEW;
	forget_maker(made);
	evict(cf);
	EXPECT_EQ(map[SIZE / 4 - 1], NEW);
	munmap(map, SIZE);
}

CASE(r18_evicted_while_unbound, "R18", NEED_EVICTION | NEED_SYNC | NEED_BIND,
     "what the CPU wrote survives that the GPU unbinds the BO, that it is evicted, and bound again")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	fill(buf, NEW);
	EXPECT_OK(gpu_unbind(cf->gpu, buf->va, SIZE));
	evict(cf);
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	EXPECT_EQ(wrong_for_gpu(cf, buf, NEW), 0);
	EXPECT_EQ(wrong_for_cpu(buf, NEW), 0);
}

CASE(r9_evicted, "R9 R2", NEED_EVICTION | NEED_SYNC,
     "a sync of an evicted BO is 0, touches no line and brings nothing back")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	bool counted = shows_lines(cf);
	struct gemsync_counters lines;
	struct memory before;

	need_memory_counters(cf);
	fill(buf, NEW);
	evict(cf);
	before = memory_now(cf);
	if (counted)
		lines = lines_now(cf);
	EXPECT_OK(flush(cf, buf, 0, SIZE));
	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	EXPECT_OK(flush(cf, buf, SIZE - 64, 64));
	EXPECT_EQ(invalidate(cf, buf, SIZE, 1), -EINVAL);
	if (counted)
		EXPECT_LINES(cf, &lines, 0, 0);
	expect_same_memory(cf, &before);
	/* The twin: a load brings all of it back. */
	EXPECT_EQ(wrong_for_cpu(buf, NEW), 0);
	expect_more_memory(cf, &before);
}

CASE(r2_busy_bo_stays, "R2 R19", NEED_EVICTION | NEED_SPIN,
     "what a running job may access is not evicted; once the job has ended, it is")
{
	struct buffer *flag = new_buffer(cf, PAGE, 0);
	struct buffer *buf = new_buffer(cf, SIZE, 0);

	fill(buf, NEW);
	/* The job brings back all that its address space maps. */
	evict_all(cf);
	EXPECT_OK(gpu_spin_begin(cf->gpu, flag->va));
	EXPECT_EQ(evict_all(cf), 0);
	cpu_put(flag, 0, 1);
	EXPECT_OK(gpu_spin_end(cf->gpu));
	evict(cf);
	EXPECT_EQ(wrong_for_gpu(cf, buf, NEW), 0);
}

CASE(r2_importers_keep_pages, "R2 R19", NEED_EVICTION | NO_SYNC,
     "a BO that another driver has attached is not evicted; once that lets go of it, it is")
{
	struct exported *vgem = new_foreign("vgem", PAGE);
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	uint32_t handle;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	/* Nothing else has pages then. */
	evict_all(cf);
	fill(buf, NEW);
	EXPECT_OK(drmPrimeFDToHandle(vgem->node, dmabuf, &handle));
	EXPECT_EQ(evict_all(cf), 0);
	EXPECT_OK(drmCloseBufferHandle(vgem->node, handle));
	EXPECT_EQ(evict_all(cf), PAGES);
	EXPECT_EQ(wrong_for_cpu(buf, NEW), 0);
	close(dmabuf);
}

CASE(r18_evicted_from_two_files, "R18 R2 R19", NEED_EVICTION | NEED_SPIN,
     "a BO that two files share comes back for both, and stays while a job of either may use it")
{
	struct gemsync_device *other = other_file(cf);
	struct buffer *flag = new_buffer(cf, PAGE, 0);
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	struct gemsync_bo *bo;
	uint32_t value, i;
	struct gemsync_gpu *gpu;
	uint64_t va;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_OK(gpu_open(other, &gpu));
	EXPECT_OK(gemsync_device_import(other, dmabuf, &bo));
	EXPECT_OK(gpu_bind(gpu, bo, &va));
	fill(buf, NEW);
	evict(cf);
	EXPECT_OK(gpu_read32(gpu, va + 4, &value));
	EXPECT_EQ(value, NEW + 4);
	EXPECT_EQ(wrong_for_gpu(cf, buf, NEW), 0);

	/* The other file's job has nothing to do with the one that runs, and is done at once. */
	EXPECT_OK(gpu_spin_begin(cf->gpu, flag->va));
	for (i = 0; i < 2; i++) {
		evict_all(cf);
		EXPECT_OK(gpu_write32(gpu, va, OLD + i));
		EXPECT_EQ(cpu_get(buf, 0), OLD + i);
	}
	cpu_put(flag, 0, 1);
	EXPECT_OK(gpu_spin_end(cf->gpu));
	evict(cf);
	EXPECT_GPU(cf, buf, 0, OLD + 1);
	gpu_close(gpu);
	gemsync_bo_destroy(bo);
	close(dmabuf);
}

/* ---- Races ---- */

#define DURATION_MS	1000
#define RACE_SIZE	(16 * MIB)

static pthread_t start(void *(*work)(void *), void *data)
{
	pthread_t thread;

	EXPECT_OK(-pthread_create(&thread, NULL, work, data));
	return thread;
}

struct syncing {
	struct gemsync_bo *bo;
	atomic_bool stop;
	atomic_uint begun, done;
	atomic_int error;
};

static void *sync_again_and_again(void *data)
{
	struct syncing *syncing = data;
	int ret;

	while (!syncing->stop) {
		syncing->begun++;
		/* A flush: the CPU stores meanwhile (R4). */
		ret = gemsync_bo_flush(syncing->bo, 0, RACE_SIZE);
		if (ret)
			syncing->error = ret;
		syncing->done++;
	}
	return NULL;
}

/* Wait for a sync that has begun to walk, and has not ended: its number, or 0 if it ended. */
static uint32_t walking_sync(struct cf *cf, struct syncing *syncing)
{
	uint64_t cleaned = lines_now(cf).lines_cleaned;
	uint32_t number = syncing->begun;

	while (syncing->done + 1 == number)
		if (lines_now(cf).lines_cleaned != cleaned)
			return number;
	return 0;
}

CASE(r19_sync_against_eviction, "R19 R18",
     NEED_SYNC | NEED_EVICTION | NEED_INCOHERENT | NEED_COUNTERS,
     "a BO is not evicted while it is synced, else it is; what the CPU wrote is there afterwards")
{
	struct syncing syncing = { 0 };
	int64_t end = now_ms() + DURATION_MS;
	uint32_t number, met = 0, wrong = 0, i;
	uint64_t pages, evicted = 0;
	volatile uint32_t *words;
	pthread_t thread;
	void *map;

	/* Nothing else has pages then; nothing but syncs and its map keep it. */
	evict_all(cf);
	EXPECT_OK(gemsync_bo_create(cf->dev, RACE_SIZE, GEMSYNC_BO_CACHED, &syncing.bo));
	EXPECT_OK(gemsync_bo_map(syncing.bo, &map));
	words = map;
	thread = start(sync_again_and_again, &syncing);
	while (now_ms() < end || met < 3 || !evicted) {
		for (i = 0; i < RACE_SIZE / PAGE; i++)
			words[i * PAGE / 4] = NEW + i;
		/* Now and then whenever it comes, else when a sync is at it for certain. */
		number = met % 2 ? 0 : walking_sync(cf, &syncing);
		pages = evict_all(cf);
		if (number && syncing.done + 1 == number) {
			EXPECT_EQ_AS("pages evicted while a sync walks them", pages, 0);
			met++;
		} else if (pages) {
			met += met % 2;
			evicted += pages;
		}
		for (i = 0; i < RACE_SIZE / PAGE; i++)
			wrong += words[i * PAGE / 4] != NEW + i;
	}
	syncing.stop = true;
	pthread_join(thread, NULL);
	EXPECT_OK(syncing.error);
	EXPECT_EQ(wrong, 0);
	gemsync_bo_destroy(syncing.bo);
}

struct evicting {
	int fd;
	atomic_bool stop;
	atomic_int error;
};

static void *evict_again_and_again(void *data)
{
	struct evicting *evicting = data;

	while (!evicting->stop)
		if (write(evicting->fd, EVICT_ALL, strlen(EVICT_ALL)) < 0)
			evicting->error = -errno;
	return NULL;
}

CASE(r19_jobs_against_eviction, "R19 R17 R18", NEED_SYNC | NEED_EVICTION,
     "CPU and GPU pass data to each other through a BO whose pages go all the time: none is lost")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct evicting evicting = { .fd = open_evict(cf) };
	uint32_t round = 0, offset, wrong = 0;
	int64_t end = now_ms() + DURATION_MS;
	uint64_t before, after;
	pthread_t thread;

	EXPECT_OK(evicted_pages(cf, &before));
	thread = start(evict_again_and_again, &evicting);
	while (now_ms() < end || round < 3) {
		round++;
		for (offset = 0; offset < SIZE / 2; offset += 252)
			cpu_put(buf, offset, round + offset);
		EXPECT_OK(flush(cf, buf, 0, SIZE / 2));
		EXPECT_OK(gpu_copy(cf->gpu, buf->va + SIZE / 2, buf->va, SIZE / 2));
		EXPECT_OK(invalidate(cf, buf, SIZE / 2, SIZE / 2));
		for (offset = 0; offset < SIZE / 2; offset += 252)
			wrong += cpu_get(buf, SIZE / 2 + offset) != round + offset;
	}
	evicting.stop = true;
	pthread_join(thread, NULL);
	close(evicting.fd);
	EXPECT_OK(evicting.error);
	EXPECT_EQ(wrong, 0);
	EXPECT_OK(evicted_pages(cf, &after));
	EXPECT(after > before + PAGES);
}

CASE(r19_close_against_eviction, "R19", NEED_SYNC | NEED_EVICTION,
     "BOs are made, mapped, synced, bound and closed while all that is idle is taken away")
{
	struct evicting evicting = { .fd = open_evict(cf) };
	int64_t end = now_ms() + DURATION_MS;
	uint32_t round = 0, value;
	struct gemsync_bo *bo;
	pthread_t thread;
	uint64_t va;
	void *map;

	thread = start(evict_again_and_again, &evicting);
	while (now_ms() < end || round < 3) {
		round++;
		EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, round & 1 ? GEMSYNC_BO_CACHED : 0, &bo));
		EXPECT_OK(gemsync_bo_map(bo, &map));
		((volatile uint32_t *)map)[SIZE / 4 - 1] = round;
		EXPECT_OK(gemsync_bo_flush(bo, SIZE - 4, 4));
		EXPECT_OK(gpu_bind(cf->gpu, bo, &va));
		EXPECT_OK(gpu_read32(cf->gpu, va + SIZE - 4, &value));
		EXPECT_EQ(value, round);
		unbind(cf, va, SIZE);
		gemsync_bo_destroy(bo);
	}
	evicting.stop = true;
	pthread_join(thread, NULL);
	close(evicting.fd);
	EXPECT_OK(evicting.error);
}

CASES(eviction, "Eviction",
      &r18_dirty_data_survives_eviction,
      &r18_clean_lines_do_not_outlive_eviction,
      &r17_evicted_pages_in_every_view,
      &r17_evicted_pages_behind_a_dmabuf,
      &r18_evicted_while_unbound,
      &r9_evicted,
      &r2_busy_bo_stays,
      &r2_importers_keep_pages,
      &r18_evicted_from_two_files,
      &r19_sync_against_eviction,
      &r19_jobs_against_eviction,
      &r19_close_against_eviction);
