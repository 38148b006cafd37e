// SPDX-License-Identifier: MIT
/*
 * Syncs, maps and handles against the end of what they use (R19). A race that is lost
 * shows in the kernel's log, as a crash, or as data that is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#include "raw_sync.h"
#include "share.h"

#define DURATION_MS	1000
#define RING		16u	/* how many BOs live at once */
#define SIZE		(64 * KIB)

static pthread_t start(void *(*work)(void *), void *data)
{
	pthread_t thread;

	EXPECT_OK(-pthread_create(&thread, NULL, work, data));
	return thread;
}

/* ---- Sync against the end of handles ---- */

struct churn {
	struct cf *cf;
	_Atomic uint32_t handles[RING];
	atomic_bool stop;
	atomic_ulong done, missed;
	atomic_int error;	/* of a call that must not fail */
};

/* Syncs whatever BO is there; one that has just gone is -ENOENT and nothing else. */
static void *sync_handles(void *data)
{
	struct churn *churn = data;
	const struct gemsync_sync_abi *abi = gpu_sync_abi(churn->cf->dev);
	uint64_t op[8];
	unsigned int i;
	int ret;

	for (i = 0; !churn->stop; i++) {
		abi->encode(op, churn->handles[i % RING], i & 1, 0, 64);
		ret = gpu_sync_call(abi, churn->cf->fd, op, 1, abi->op_size, 0);
		if (ret && ret != -ENOENT)
			churn->error = ret;
		churn->done += !ret;
		churn->missed += ret == -ENOENT;
	}
	return NULL;
}

static struct gemsync_bo *new_dirty(struct cf *cf, uint8_t value)
{
	struct gemsync_bo *bo;
	void *map;

	EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, GEMSYNC_BO_CACHED, &bo));
	EXPECT_OK(gemsync_bo_map(bo, &map));
	*(volatile uint8_t *)map = value;
	return bo;
}

/* In place of the oldest BO of the ring, a new one. */
static void renew(struct churn *churn, struct gemsync_bo **bos, unsigned int turn)
{
	unsigned int i = turn % RING;

	gemsync_bo_destroy(bos[i]);
	bos[i] = new_dirty(churn->cf, (uint8_t)turn);
	churn->handles[i] = gemsync_bo_handle(bos[i]);
}

CASE(r19_sync_against_close, "R19", NEED_SYNC_ABI,
     "syncs race with BOs that are made, mapped, closed and freed: they succeed, or are -ENOENT")
{
	struct churn churn = { .cf = cf };
	struct gemsync_bo *bos[RING] = { NULL };
	pthread_t threads[2];
	unsigned int i, n;
	int64_t end;

	/* All are there before a thread looks: what it misses has gone since. */
	for (i = 0; i < RING; i++)
		renew(&churn, bos, i);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = start(sync_handles, &churn);
	end = now_ms() + DURATION_MS;
	/* Until syncs have met BOs that are there, and some that are not. */
	for (n = 0; now_ms() < end || !churn.done || !churn.missed; n++)
		renew(&churn, bos, n);
	churn.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < RING; i++)
		gemsync_bo_destroy(bos[i]);
	EXPECT_EQ(churn.error, 0);
}

/* ---- Sync against the GPU's binding ---- */

struct rebinding {
	struct cf *cf;
	struct buffer *buf;
	atomic_bool stop;
	atomic_ulong done;
	atomic_int error;
	atomic_ulong lost;
};

/* The CPU's lines are the odd ones of each page: what it wrote there is never lost. */
static void *write_and_sync(void *data)
{
	struct rebinding *r = data;
	uint64_t line = r->cf->info.line_size, at;
	uint32_t turn;
	int ret;

	for (turn = 1; !r->stop; turn++) {
		at = turn % (SIZE / PAGE) * PAGE + line;
		cpu_put(r->buf, at, turn);
		ret = turn & 1 ? gemsync_bo_flush(r->buf->bo, at, 4) :
				 gemsync_bo_invalidate(r->buf->bo, at, line);
		if (ret)
			r->error = ret;
		r->lost += cpu_get(r->buf, at) != turn;
		r->done++;
	}
	return NULL;
}

CASE(r19_sync_against_binding, "R19 R18", NEED_SYNC | NEED_BIND,
     "syncs of a BO race with the GPU that binds, writes and unbinds it: nothing fails, nothing is lost")
{
	struct rebinding r = { .cf = cf, .buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED) };
	int64_t end = now_ms() + DURATION_MS / 2;
	pthread_t thread = start(write_and_sync, &r);
	unsigned int n;

	for (n = 0; now_ms() < end || !r.done; n++) {
		EXPECT_OK(gpu_unbind(cf->gpu, r.buf->va, SIZE));
		EXPECT_OK(gpu_bind_at(cf->gpu, r.buf->bo, 0, SIZE, r.buf->va));
		gpu_put(cf, r.buf, n % (SIZE / PAGE) * PAGE, n);
		EXPECT_GPU(cf, r.buf, n % (SIZE / PAGE) * PAGE, n);
	}
	r.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(r.error, 0);
	EXPECT_EQ(r.lost, 0);
}

/* ---- Growth ---- */

#define HEAP_SIZE	(32 * MIB)

struct growing {
	struct cf *cf;
	struct gemsync_bo *bo;
	atomic_bool stop;
	atomic_int error;
	atomic_ulong done;
};

static void *sync_growing(void *data)
{
	struct growing *g = data;
	struct raw_op op = { .handle = gemsync_bo_handle(g->bo), .size = HEAP_SIZE };
	int ret;

	for (; !g->stop; g->done++) {
		op.type = g->done & 1;
		ret = raw_sync(g->cf, &op, 1);
		if (ret)
			g->error = ret;
	}
	return NULL;
}

CASE(r19_sync_against_growth, "R19 R3", NEED_SYNC_ABI,
     "syncs of a BO that the CPU never maps race with the GPU that touches it for the first time: nothing fails")
{
	struct growing g = { .cf = cf, .bo = new_hidden(cf, HEAP_SIZE) };
	pthread_t thread;
	uint32_t value;
	uint64_t at, va;

	EXPECT_OK(gpu_bind(cf->gpu, g.bo, &va));
	thread = start(sync_growing, &g);
	while (!g.done)
		sched_yield();
	for (at = 0; at < HEAP_SIZE; at += MIB)
		EXPECT_OK(gpu_write32(cf->gpu, va + at, NEW + (uint32_t)at));
	g.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(g.error, 0);
	for (at = 0; at < HEAP_SIZE; at += MIB) {
		EXPECT_OK(gpu_read32(cf->gpu, va + at, &value));
		EXPECT_EQ(value, NEW + (uint32_t)at);
	}
	unbind(cf, va, HEAP_SIZE);
	gemsync_bo_destroy(g.bo);
}

/* ---- Maps against an open that is refused ---- */

struct opener {
	struct gemsync_device *dev;
	uint32_t name;
	atomic_bool stop;
	atomic_ulong refused;
};

static void *open_again_and_again(void *data)
{
	struct opener *opener = data;
	struct drm_gem_open args;

	while (!opener->stop) {
		args = (struct drm_gem_open){ .name = opener->name };
		opener->refused += raw_ioctl(gemsync_device_fd(opener->dev), DRM_IOCTL_GEM_OPEN,
					     &args) == -EPERM;
	}
	return NULL;
}

/* The DRM core lets the file map the BO for as long as the refusal takes. */
CASE(r13_map_while_open_is_refused, "R13 R19", NEED_OFFSETS | NEED_ROOT | NEED_PRIVATE,
     "while an open by name is refused to a file, it cannot map the BO either; its owner can")
{
	struct drm_gem_flink flink = { 0 };
	struct gemsync_device *owner;
	struct opener opener = { 0 };
	int64_t end = now_ms() + DURATION_MS;
	unsigned long maps = 0;
	struct gemsync_bo *bo;
	uint64_t offset;
	pthread_t thread;

	owner = primary_node(cf);
	opener.dev = primary_node(cf);
	EXPECT_OK(gemsync_bo_create(owner, PAGE, 0, &bo));
	EXPECT_OK(gpu_map_offset(owner, bo, &offset));
	flink.handle = gemsync_bo_handle(bo);
	EXPECT_OK(raw_ioctl(gemsync_device_fd(owner), DRM_IOCTL_GEM_FLINK, &flink));
	opener.name = flink.name;
	EXPECT_OK(try_map(gemsync_device_fd(owner), offset, PAGE));

	thread = start(open_again_and_again, &opener);
	while ((now_ms() < end || !opener.refused) && !maps)
		maps += !try_map(gemsync_device_fd(opener.dev), offset, PAGE);
	opener.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(maps, 0);
}

CASES(races, "Races",
      &r19_sync_against_close,
      &r19_sync_against_binding,
      &r19_sync_against_growth,
      &r13_map_while_open_is_refused);
