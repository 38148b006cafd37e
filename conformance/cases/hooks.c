// SPDX-License-Identifier: MIT
/*
 * Policy hooks (R14): cached BOs are shared, and begin and end access of their dma-bufs
 * keep them right.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "machine.h"
#include "share.h"

#define SIZE		(16 * KIB)
#define CACHED_SHARED	(GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE)

#define START_READ	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ)
#define START_WRITE	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE)
#define START_RW	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW)
#define END_READ	(DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ)
#define END_WRITE	(DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE)
#define END_RW		(DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW)

static struct buffer *new_shared(struct cf *cf, int *dmabuf)
{
	struct buffer *buf = new_buffer(cf, SIZE, CACHED_SHARED);

	EXPECT_OK(gemsync_bo_export(buf->bo, dmabuf));
	return buf;
}

CASE(r14_begin_brings_what_the_gpu_wrote, "R14", NEED_HOOKS,
     "begin access, to read or to write, shows the CPU what the GPU wrote; before, it is stale")
{
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	put_both(cf, buf, 64, OLD);
	gpu_put(cf, buf, 64, NEW);
	EXPECT_CPU(cf, buf, 64, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, START_READ));
	EXPECT_CPU(cf, buf, 64, NEW);
	EXPECT_OK(dmabuf_sync(dmabuf, END_READ));
	/* Who writes needs the bytes around as well. */
	gpu_put(cf, buf, 64, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, START_WRITE));
	cpu_put(buf, 68, NEW);
	EXPECT_OK(dmabuf_sync(dmabuf, END_WRITE));
	EXPECT_GPU(cf, buf, 64, OLD);
	EXPECT_GPU(cf, buf, 68, NEW);
	close(dmabuf);
}

CASE(r14_end_writes_back, "R14", NEED_HOOKS,
     "end access of who wrote shows the GPU what the CPU wrote; before, and for a reader, it is stale")
{
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	EXPECT_OK(dmabuf_sync(dmabuf, START_RW));
	cpu_put(buf, 0, NEW);
	cpu_put(buf, SIZE - 4, NEW);
	EXPECT_GPU(cf, buf, 0, 0);
	EXPECT_OK(dmabuf_sync(dmabuf, END_READ));
	EXPECT_GPU(cf, buf, 0, 0);
	EXPECT_OK(dmabuf_sync(dmabuf, END_WRITE));
	EXPECT_GPU(cf, buf, 0, NEW);
	EXPECT_GPU(cf, buf, SIZE - 4, NEW);
	/* Who did both wrote too. */
	cpu_put(buf, 0, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, END_RW));
	EXPECT_GPU(cf, buf, 0, OLD);
	close(dmabuf);
}

CASE(r14_begin_keeps_unflushed_bytes, "R14 R4", NEED_HOOKS,
     "begin access to read loses nothing that others wrote elsewhere in the BO and did not flush")
{
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	cpu_put(buf, 4096, NEW);
	cpu_put(buf, SIZE - 4, NEW);
	gpu_put(cf, buf, 0, OLD);
	EXPECT_GPU(cf, buf, 4096, 0);
	EXPECT_OK(dmabuf_sync(dmabuf, START_READ));
	EXPECT_CPU(cf, buf, 4096, NEW);
	EXPECT_CPU(cf, buf, SIZE - 4, NEW);
	EXPECT_CPU(cf, buf, 0, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, END_READ));
	EXPECT_GPU(cf, buf, 4096, NEW);
	close(dmabuf);
}

/* A thread that uses words of the BO that are its own, and the only ones in their lines. */
struct neighbour {
	volatile uint32_t *words;
	unsigned int stores;
	unsigned int lost;
	atomic_bool stop;
};

#define NEIGHBOURS	32u
#define SHARED_SIZE	(256 * KIB)
#define SHARED_STRIDE	(SHARED_SIZE / NEIGHBOURS / sizeof(uint32_t))
#define SHARED_MS	3000

/* Stores at moments that have nothing to do with the other thread's, and looks back later. */
static void *use_own_part(void *data)
{
	struct neighbour *own = data;
	const struct timespec pause = { .tv_nsec = 20000 };

	while (!own->stop) {
		volatile uint32_t *word = &own->words[own->stores % NEIGHBOURS * SHARED_STRIDE];

		if (own->stores >= NEIGHBOURS && *word != own->stores - NEIGHBOURS + 1)
			own->lost++;
		*word = ++own->stores;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * No call of the DMA API writes a line back and drops it in one go, so a store can be lost;
 * but not one of the many that fall into a begin.
 */
CASE_WITHIN(r14_begin_keeps_stores_meanwhile, "R14", NEED_HOOKS, 120,
	    "what another thread stores elsewhere in the BO during begin accesses to read is as good as never lost")
{
	struct buffer *buf = new_buffer(cf, SHARED_SIZE, CACHED_SHARED);
	struct neighbour own = { .words = (volatile uint32_t *)buf->map };
	int64_t end = now_ms() + SHARED_MS;
	unsigned int begins = 0;
	pthread_t thread;
	int dmabuf;

	memset(buf->map, 0, SHARED_SIZE);
	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_OK(-pthread_create(&thread, NULL, use_own_part, &own));
	while (now_ms() < end || begins < 10 || own.stores < 8 * NEIGHBOURS) {
		EXPECT_OK(dmabuf_sync(dmabuf, START_READ));
		EXPECT_OK(dmabuf_sync(dmabuf, END_READ));
		begins++;
	}
	own.stop = true;
	pthread_join(thread, NULL);
	close(dmabuf);
	EXPECT(own.lost * 25 < own.stores);
}

CASE(r14_every_line_once, "R14 R22", NEED_HOOKS,
     "begin cleans and drops each line once, end cleans it once, with an importer too; for readers it does nothing")
{
	struct exported *vgem = new_foreign("vgem", PAGE);
	uint64_t lines = lines_of(cf, 0, SIZE);
	struct gemsync_counters before;
	uint32_t handle;
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	cpu_put(buf, 0, NEW);
	EXPECT_OK(drmPrimeFDToHandle(vgem->node, dmabuf, &handle));
	before = lines_now(cf);
	EXPECT_OK(dmabuf_sync(dmabuf, START_READ));
	EXPECT_LINES(cf, &before, lines, lines);
	before = lines_now(cf);
	EXPECT_OK(dmabuf_sync(dmabuf, END_READ));
	EXPECT_LINES(cf, &before, 0, 0);
	EXPECT_OK(dmabuf_sync(dmabuf, END_WRITE));
	EXPECT_LINES(cf, &before, lines, 0);
	EXPECT_OK(drmCloseBufferHandle(vgem->node, handle));
	close(dmabuf);
}

/* ---- Fences ---- */

struct access {
	int dmabuf;
	uint64_t flags;
	atomic_bool done;
	atomic_int error;
};

static void *access_buffer(void *data)
{
	struct access *access = data;

	access->error = dmabuf_sync(access->dmabuf, access->flags);
	access->done = true;
	return NULL;
}

static pthread_t start_access(struct access *access)
{
	pthread_t thread;

	EXPECT_OK(-pthread_create(&thread, NULL, access_buffer, access));
	return thread;
}

static void end_access(pthread_t thread, struct access *access)
{
	pthread_join(thread, NULL);
	EXPECT_OK(access->error);
}

/* A job of another file that runs until the word of a BO of its own is not 0. */
struct other_job {
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bo;
	volatile uint32_t *word;
};

/* Start it; the dma-buf gets its end as a fence: DMA_BUF_SYNC_READ or _WRITE. */
static struct other_job start_job(struct cf *cf, int dmabuf, uint32_t flags)
{
	struct gemsync_device *dev = other_file(cf);
	struct dma_buf_import_sync_file args = { .flags = flags };
	struct other_job job;
	uint64_t va;
	void *map;

	EXPECT_OK(gpu_open(dev, &job.gpu));
	EXPECT_OK(gemsync_bo_create(dev, PAGE, 0, &job.bo));
	EXPECT_OK(gemsync_bo_map(job.bo, &map));
	job.word = map;
	EXPECT_OK(gpu_bind(job.gpu, job.bo, &va));
	EXPECT_OK(gpu_spin_begin(job.gpu, va));
	EXPECT_OK(gpu_spin_fence(job.gpu, &args.fd));
	EXPECT_OK(raw_ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args));
	close(args.fd);
	return job;
}

static void end_job(struct other_job *job)
{
	*job->word = 1;
	EXPECT_OK(gpu_spin_end(job->gpu));
	gpu_close(job->gpu);
	gemsync_bo_destroy(job->bo);
}

#define A_WHILE_US	50000	/* long enough for a call that does not wait */

CASE(r14_begin_waits_then_invalidates, "R14", NEED_HOOKS | NEED_SPIN_FENCE,
     "begin access waits for the fence of a writer, and shows what was written while it waited")
{
	struct access access = { .flags = START_READ };
	struct buffer *buf = new_shared(cf, &access.dmabuf);
	struct other_job job;
	pthread_t thread;

	put_both(cf, buf, 0, OLD);
	job = start_job(cf, access.dmabuf, DMA_BUF_SYNC_WRITE);
	thread = start_access(&access);
	usleep(A_WHILE_US);
	EXPECT_EQ(access.done, false);
	gpu_put(cf, buf, 0, NEW);
	EXPECT_CPU(cf, buf, 0, OLD);
	end_job(&job);
	end_access(thread, &access);
	EXPECT_CPU(cf, buf, 0, NEW);
	close(access.dmabuf);
}

CASE(r14_begin_waits_for_conflicts_alone, "R14", NEED_HOOKS | NEED_SPIN_FENCE,
     "who reads does not wait for a device that reads; who writes does")
{
	struct access reader = { .flags = START_READ }, writer = { .flags = START_WRITE };
	struct other_job job;
	pthread_t thread;

	new_shared(cf, &reader.dmabuf);
	writer.dmabuf = reader.dmabuf;
	job = start_job(cf, reader.dmabuf, DMA_BUF_SYNC_READ);
	/* If it waits, the case is too long. */
	thread = start_access(&reader);
	end_access(thread, &reader);
	thread = start_access(&writer);
	usleep(A_WHILE_US);
	EXPECT_EQ(writer.done, false);
	end_job(&job);
	end_access(thread, &writer);
	close(reader.dmabuf);
}

/* ---- Calls of all kinds, and who calls ---- */

CASE(r14_calls_need_no_balance, "R14 R9", NEED_HOOKS,
     "begin and end, in any order and number, of cached and other BOs, attached or not, are 0")
{
	static const uint64_t flags[] = {
		END_WRITE, END_READ, END_RW, START_READ, START_READ, START_WRITE, START_RW,
		END_READ, START_RW, END_RW, END_RW, END_WRITE,
	};
	struct exported *vgem = new_foreign("vgem", PAGE);
	int cached_fd, wc_fd, round;
	uint32_t handles[2];
	size_t i;
	struct buffer *cached = new_shared(cf, &cached_fd);
	struct buffer *wc = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);

	EXPECT_OK(gemsync_bo_export(wc->bo, &wc_fd));
	put_both(cf, cached, 0, NEW);
	cpu_put(wc, 0, NEW);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(flags); i++) {
			EXPECT_OK(dmabuf_sync(cached_fd, flags[i]));
			EXPECT_OK(dmabuf_sync(wc_fd, flags[i]));
		}
		EXPECT_OK(drmPrimeFDToHandle(vgem->node, cached_fd, &handles[0]));
		EXPECT_OK(drmPrimeFDToHandle(vgem->node, wc_fd, &handles[1]));
	}
	EXPECT_CPU(cf, cached, 0, NEW);
	EXPECT_GPU(cf, cached, 0, NEW);
	EXPECT_CPU(cf, wc, 0, NEW);
	EXPECT_OK(drmCloseBufferHandle(vgem->node, handles[0]));
	EXPECT_OK(drmCloseBufferHandle(vgem->node, handles[1]));
	close(wc_fd);
	close(cached_fd);
}

CASE(r14_evicted_stays_out, "R14 R9 R18", NEED_HOOKS | NEED_EVICTION,
     "begin and end on a BO without pages do nothing and bring none; what was written is there")
{
	struct memory before;
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	need_memory_counters(cf);
	cpu_put(buf, 0, NEW);
	EXPECT(evict_all(cf) > 0);
	before = memory_now(cf);
	EXPECT_OK(dmabuf_sync(dmabuf, START_RW));
	EXPECT_OK(dmabuf_sync(dmabuf, END_RW));
	expect_same_memory(cf, &before);
	EXPECT_CPU(cf, buf, 0, NEW);
	expect_more_memory(cf, &before);
	close(dmabuf);
}

CASE(r14_map_of_the_dmabuf, "R14", NEED_HOOKS,
     "a map of the dma-buf is as cached as the BO's own: begin and end are what keeps it right")
{
	volatile uint32_t *map;
	int dmabuf;
	struct buffer *buf = new_shared(cf, &dmabuf);

	map = map_fd(dmabuf, 0, SIZE);
	EXPECT_OK(dmabuf_sync(dmabuf, START_WRITE));
	map[5] = NEW;
	EXPECT_CPU(cf, buf, 20, NEW);
	EXPECT_GPU(cf, buf, 20, 0);
	EXPECT_OK(dmabuf_sync(dmabuf, END_WRITE));
	EXPECT_GPU(cf, buf, 20, NEW);
	gpu_put(cf, buf, 24, OLD);
	EXPECT_EQ(map[6], 0);
	EXPECT_OK(dmabuf_sync(dmabuf, START_READ));
	EXPECT_EQ(map[6], OLD);
	munmap((void *)(uintptr_t)map, SIZE);
	close(dmabuf);
}

CASE(r14_another_file, "R14 R20 R23", NEED_HOOKS,
     "another file that imports a cached BO is told that it is cached, and syncs it as its own")
{
	struct gemsync_device *other = other_file(cf);
	volatile uint32_t *map;
	struct gemsync_bo_info info;
	struct gemsync_bo *bo;
	int dmabuf;
	void *ptr;
	struct buffer *buf = new_shared(cf, &dmabuf);

	EXPECT_OK(gemsync_device_import(other, dmabuf, &bo));
	EXPECT_OK(gemsync_bo_query(bo, &info));
	EXPECT_EQ(info.imported, false);
	EXPECT_EQ(info.flags & GEMSYNC_BO_CACHED, GEMSYNC_BO_CACHED);
	EXPECT_OK(gemsync_bo_map(bo, &ptr));
	map = ptr;
	map[0] = NEW;
	EXPECT_GPU(cf, buf, 0, 0);
	EXPECT_OK(gemsync_bo_flush(bo, 0, 4));
	EXPECT_GPU(cf, buf, 0, NEW);
	gemsync_bo_destroy(bo);
	close(dmabuf);
}

CASE(r13_private_stays_private, "R13", NEED_HOOKS | NEED_PRIVATE,
     "a BO that is private to an address space is not exported, whatever the policy; a cached one else is")
{
	int dmabuf;

	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, GEMSYNC_BO_CACHED)->bo, &dmabuf),
		  -EINVAL);
	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, 0)->bo, &dmabuf), -EINVAL);
	new_shared(cf, &dmabuf);
	close(dmabuf);
}

CASES(hooks, "Policy hooks",
      &r14_begin_brings_what_the_gpu_wrote,
      &r14_end_writes_back,
      &r14_begin_keeps_unflushed_bytes,
      &r14_begin_keeps_stores_meanwhile,
      &r14_every_line_once,
      &r14_begin_waits_then_invalidates,
      &r14_begin_waits_for_conflicts_alone,
      &r14_calls_need_no_balance,
      &r14_evicted_stays_out,
      &r14_map_of_the_dmabuf,
      &r14_another_file,
      &r13_private_stays_private);
