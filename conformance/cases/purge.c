// SPDX-License-Identifier: MIT
/* What user space said it does not need, and has lost (R9, R18, R19). */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "machine.h"
#include "share.h"

#define SIZE		(64 * KIB)
#define DURATION_MS	1000
#define RACE_SIZE	(4 * MIB)

static bool madvise_bo(struct cf *cf, struct gemsync_bo *bo, bool needed)
{
	bool retained = false;

	EXPECT_OK(gpu_madvise(cf->dev, bo, needed, &retained));
	return retained;
}

static struct buffer *new_unneeded(struct cf *cf)
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 4096, NEW);
	cpu_put(buf, 8192, OLD);
	EXPECT_EQ(madvise_bo(cf, buf->bo, false), true);
	return buf;
}

static void purge_one(struct cf *cf)
{
	struct memory before = memory_now(cf), after;

	purge_all(cf);
	after = memory_now(cf);
	if (before.has_resident)
		EXPECT_EQ(before.resident - after.resident, SIZE);
	if (before.has_pages)
		EXPECT_EQ(before.pages - after.pages, SIZE / cf->info.page_size);
}

CASE(r9_purged, "R9 R2", NEED_PURGE | NEED_SYNC,
     "a sync of a purged BO is 0, touches no line and brings nothing back; nor does a touch or the GPU")
{
	struct buffer *buf = new_unneeded(cf);
	bool counted = shows_lines(cf);
	struct gemsync_counters lines;
	struct memory before;
	uint32_t value;

	need_memory_counters(cf);
	purge_one(cf);
	before = memory_now(cf);
	if (counted)
		lines = lines_now(cf);
	EXPECT_OK(flush(cf, buf, 0, SIZE));
	EXPECT_OK(invalidate(cf, buf, 0, SIZE));
	EXPECT_EQ(invalidate(cf, buf, SIZE, 1), -EINVAL);
	expect_same_memory(cf, &before);
	EXPECT_EQ(madvise_bo(cf, buf->bo, true), false);
	EXPECT_OK(flush(cf, buf, 4096, 4));
	if (counted)
		EXPECT_LINES(cf, &lines, 0, 0);
	EXPECT(is_sigbus(buf->map + 4096));
	EXPECT_EQ(gpu_read32(cf->gpu, buf->va + 4096, &value), -EIO);
	expect_same_memory(cf, &before);
}

CASE(r18_needed_is_not_purged, "R18", NEED_PURGE | NEED_SYNC,
     "what is needed, or needed again in time, keeps its content; what is not needed loses it")
{
	struct buffer *gone = new_unneeded(cf), *again = new_unneeded(cf);
	struct buffer *always = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	cpu_put(always, 64, NEW);
	EXPECT_EQ(madvise_bo(cf, again->bo, true), true);
	purge_one(cf);
	EXPECT_EQ(madvise_bo(cf, gone->bo, true), false);
	EXPECT_EQ(madvise_bo(cf, again->bo, true), true);
	EXPECT_CPU(cf, again, 4096, NEW);
	EXPECT_CPU(cf, again, 8192, OLD);
	EXPECT_GPU(cf, again, 4096, NEW);
	EXPECT_CPU(cf, always, 64, NEW);
	EXPECT_OK(flush(cf, always, 64, 4));
	EXPECT_GPU(cf, always, 64, NEW);
}

CASE(r13_exported_is_not_purged, "R18 R13", NEED_PURGE,
     "what was exported is not its owner's alone to drop: it keeps its content")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	int dmabuf;

	cpu_put(buf, 0, NEW);
	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_EQ(madvise_bo(cf, buf->bo, false), true);
	purge_all(cf);
	EXPECT_EQ(madvise_bo(cf, buf->bo, true), true);
	EXPECT_CPU(cf, buf, 0, NEW);
	close(dmabuf);
}

/* ---- Races ---- */

struct syncing {
	struct gemsync_bo *bo;
	atomic_bool begun, stop;
	atomic_int error;
};

static void *sync_again_and_again(void *data)
{
	struct syncing *sync = data;
	int ret;

	while (!sync->stop) {
		sync->begun = true;
		ret = gemsync_bo_invalidate(sync->bo, 0, RACE_SIZE);
		if (ret)
			sync->error = ret;
	}
	return NULL;
}

static void race_purge(struct cf *cf)
{
	struct syncing sync = { 0 };
	pthread_t thread;
	void *map;

	EXPECT_OK(gemsync_bo_create(cf->dev, RACE_SIZE, GEMSYNC_BO_CACHED, &sync.bo));
	EXPECT_OK(gemsync_bo_map(sync.bo, &map));
	memset(map, 0x5a, RACE_SIZE);
	EXPECT_EQ(madvise_bo(cf, sync.bo, false), true);
	EXPECT_OK(-pthread_create(&thread, NULL, sync_again_and_again, &sync));
	while (!sync.begun)
		;
	/* Between two syncs it is gone. */
	do {
		purge_all(cf);
	} while (madvise_bo(cf, sync.bo, false));
	sync.stop = true;
	pthread_join(thread, NULL);
	EXPECT_OK(sync.error);
	gemsync_bo_destroy(sync.bo);
}

CASE(r19_sync_against_purge, "R19 R9", NEED_PURGE | NEED_SYNC,
     "syncs of a BO race with its purge: none fails, and in the end it is purged")
{
	int64_t end = now_ms() + DURATION_MS;
	unsigned int n;

	for (n = 0; now_ms() < end || n < 3; n++)
		race_purge(cf);
}

CASES(purge, "Purge",
      &r9_purged,
      &r18_needed_is_not_purged,
      &r13_exported_is_not_purged,
      &r19_sync_against_purge);
