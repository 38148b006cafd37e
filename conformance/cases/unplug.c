// SPDX-License-Identifier: MIT
/*
 * The device goes while files, maps and jobs are there, and comes back (R19): old files
 * get -ENODEV, old maps SIGBUS, fences end, new files work. Not on a machine in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>

#include "machine.h"
#include "peer.h"
#include "replug.h"

#define ROUNDS	5
#define SIZE	(64 * KIB)
#define NEEDS	(NEED_FILE | NEED_VM | NEED_SYNC)

/* A new file on the device works. */
static void expect_new_file(void)
{
	struct gemsync_device *dev = open_new();
	struct gemsync_bo *bo;
	volatile uint32_t *map;
	struct gemsync_gpu *gpu;
	uint32_t value;
	uint64_t va;
	void *ptr;

	EXPECT_OK(gpu_open(dev, &gpu));
	EXPECT_OK(gemsync_bo_create(dev, PAGE, GEMSYNC_BO_CACHED, &bo));
	EXPECT_OK(gemsync_bo_map(bo, &ptr));
	EXPECT_OK(gpu_bind(gpu, bo, &va));
	map = ptr;
	map[16] = NEW;
	EXPECT_OK(gemsync_bo_flush(bo, 64, 4));
	EXPECT_OK(gpu_read32(gpu, va + 64, &value));
	EXPECT_EQ(value, NEW);
	EXPECT_OK(gpu_write32(gpu, va + 64, OLD));
	EXPECT_OK(gemsync_bo_invalidate(bo, 64, 4));
	EXPECT_EQ(map[16], OLD);
	gpu_close(gpu);
	gemsync_bo_destroy(bo);
	gemsync_device_close(dev);
}

/* What a file of the device that is gone still can do: nothing. */
static void expect_gone(struct cf *cf, const struct buffer *buf, uint64_t offset)
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);
	const struct gpu_handle_call *call;
	struct gemsync_bo *bo;
	unsigned int i;
	int dmabuf;

	EXPECT_EQ(gemsync_bo_create(cf->dev, PAGE, 0, &bo), -ENODEV);
	EXPECT_EQ(gemsync_bo_export(buf->bo, &dmabuf), -ENODEV);
	for (i = 0; (call = gpu_handle_call(cf->dev, i)); i++)
		expect_int(call->name, call->call(cf->dev, gemsync_bo_handle(buf->bo)), "-ENODEV",
			   -ENODEV, __FILE__, __LINE__);
	if (abi)
		EXPECT_EQ(gpu_sync_call(abi, cf->fd, NULL, 0, abi->op_size, 0), -ENODEV);
	EXPECT_EQ(try_map(cf->fd, offset, PAGE), -ENODEV);
}

/* ---- Cases ---- */

/* Of BOs, and of the GPU's registers where the driver has such maps. */
static void expect_maps_gone(const void *const *maps, size_t count, bool gone)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (maps[i])
			EXPECT_EQ(is_sigbus(maps[i]), gone);
}

CASE(r19_unplug_ends_maps_and_calls, "R19 R24", NEEDS | NEED_OFFSETS,
     "when the device goes, its files get -ENODEV, its maps SIGBUS; when it is back, only new ones work")
{
	struct buffer *cached = new_buffer(cf, PAGE, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	void *registers = NULL;
	uint64_t offset;
	int ret = gpu_map_registers(cf->dev, &registers);
	const void *const maps[] = { cached->map, wc->map, registers };

	find_place(cf);
	EXPECT(!ret || ret == -EOPNOTSUPP);
	EXPECT_OK(gpu_map_offset(cf->dev, wc->bo, &offset));
	EXPECT_OK(try_map(cf->fd, offset, PAGE));
	cpu_put(cached, 0, NEW);
	expect_maps_gone(maps, ARRAY_SIZE(maps), false);
	unplug();
	expect_gone(cf, wc, offset);
	expect_maps_gone(maps, ARRAY_SIZE(maps), true);
	EXPECT_EQ(gpu_map_registers(cf->dev, &registers), ret ? ret : -ENODEV);
	if (!cf->info.coherent)
		EXPECT_EQ(flush(cf, cached, 0, 4), -ENODEV);
	plug();
	expect_new_file();
	expect_gone(cf, wc, offset);
	expect_maps_gone(maps, ARRAY_SIZE(maps), true);
}

CASE(r19_unplug_ends_fences, "R19", NEEDS | NEED_SPIN_FENCE,
     "when the device goes, the fence of a job that would run for long ends for all who wait")
{
	struct buffer *word = new_buffer(cf, PAGE, 0);
	struct pollfd poller = { .events = POLLIN };

	find_place(cf);
	EXPECT_OK(gpu_spin_begin(cf->gpu, word->va));
	EXPECT_OK(gpu_spin_fence(cf->gpu, &poller.fd));
	EXPECT_EQ(poll(&poller, 1, 50), 0);
	unplug();
	EXPECT_EQ(poll(&poller, 1, 3000), 1);
	close(poller.fd);
	plug();
	expect_new_file();
}

CASE(r19_unplug_of_an_exporter, "R19", NEEDS,
     "when the device goes, a dma-buf of its memory stays, and its maps are SIGBUS for good")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	volatile uint32_t *map;
	int dmabuf;

	find_place(cf);
	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	map = map_fd(dmabuf, 0, PAGE);
	*map = NEW;
	EXPECT(!is_sigbus((void *)map));
	unplug();
	EXPECT(is_sigbus((void *)map));
	plug();
	EXPECT(is_sigbus((void *)map));
	munmap((void *)map, PAGE);
	close(dmabuf);
	expect_new_file();
}

CASE(r19_unplug_writes_back_for_importers, "R18 R19 R14", NEEDS | NEED_HOOKS,
     "when the device goes, what the CPU stored into its exported cached BOs is seen by other GPUs")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE);
	struct peer peers[PEER_DRIVERS];
	unsigned int i, count = 0;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	for (i = 0; i < PEER_DRIVERS; i++)
		count += start_peer(cf, i, dmabuf, &peers[count]);
	if (!count)
		skip_without_peer();
	put_both(cf, buf, 0, OLD);
	put_both(cf, buf, SIZE - 4, OLD);
	cpu_put(buf, 0, NEW);
	cpu_put(buf, SIZE - 4, NEW);
	find_place(cf);
	for (i = 0; i < count; i++)
		EXPECT_EQ(peer_load(&peers[i], SIZE - 4), OLD);
	unplug();
	for (i = 0; i < count; i++) {
		EXPECT_EQ(peer_load(&peers[i], 0), NEW);
		EXPECT_EQ(peer_load(&peers[i], SIZE - 4), NEW);
		end_peer(&peers[i]);
	}
	close(dmabuf);
	plug();
	expect_new_file();
}

CASE(r19_unplug_of_an_importer, "R19", NEEDS,
     "when the device goes, what it imported is unmapped from it, and its maker keeps it")
{
	struct exported *vgem = new_foreign("vgem", PAGE), *heap = new_foreign("heap", PAGE);
	volatile uint32_t *map = map_fd(heap->dmabuf, 0, PAGE);
	struct gemsync_bo *unbound;
	struct buffer *imported;

	find_place(cf);
	imported = import_buffer(cf, heap->dmabuf);
	EXPECT_OK(gemsync_device_import(cf->dev, vgem->dmabuf, &unbound));
	gpu_put(cf, imported, 8, NEW);
	unplug();
	EXPECT_EQ(map[2], NEW);
	*(volatile uint32_t *)vgem->map = OLD;
	plug();
	expect_new_file();
	close(heap->dmabuf);
	forget_maker(vgem);
	close(vgem->dmabuf);
	EXPECT_EQ(map[2], NEW);
	gemsync_bo_destroy(unbound);
}

/* ---- Behind a sync ---- */

#define READ_WITHIN_MS	10000	/* a sync reads its ops */
#define UNPLUG_WITHIN_S	10

/* A page that is there when somebody fills it: who reads it before waits. */
struct late_page {
	void *page;
	int uffd;
};

static void new_late_page(struct late_page *late)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	late->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (late->uffd < 0)
		skip("a page that comes late, of this kernel, is not to be had",
		     "CONFIG_USERFAULTFD, as root");
	EXPECT_OK(ioctl(late->uffd, UFFDIO_API, &api));
	late->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(late->page != MAP_FAILED);
	range.range.start = (uintptr_t)late->page;
	range.range.len = PAGE;
	EXPECT_OK(ioctl(late->uffd, UFFDIO_REGISTER, &range));
}

static void expect_reader(const struct late_page *late)
{
	struct pollfd poller = { .fd = late->uffd, .events = POLLIN };
	struct uffd_msg message;

	EXPECT_EQ(poll(&poller, 1, READ_WITHIN_MS), 1);
	EXPECT_EQ(poller.revents, POLLIN);
	EXPECT_EQ(read(late->uffd, &message, sizeof(message)), sizeof(message));
	EXPECT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
}

static void fill(const struct late_page *late, const void *page)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)late->page,
		.src = (uintptr_t)page,
		.len = PAGE,
	};

	EXPECT_OK(ioctl(late->uffd, UFFDIO_COPY, &copy));
}

/* A sync whose op comes late. */
struct late_sync {
	struct cf *cf;
	struct late_page op;
	int ret;
};

static void *sync_late(void *data)
{
	struct late_sync *late = data;
	const struct gemsync_sync_abi *abi = gpu_sync_abi(late->cf->dev);

	late->ret = gpu_sync_call(abi, late->cf->fd, late->op.page, 1, abi->op_size, 0);
	return NULL;
}

static void *unplug_beside(void *error)
{
	*(int *)error = try_unplug();
	return NULL;
}

/* Whether it ends soon; else it goes on. */
static bool ends_soon(pthread_t thread)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += UNPLUG_WITHIN_S;
	return !pthread_timedjoin_np(thread, NULL, &end);
}

CASE(r19_unplug_waits_for_no_sync, "R19 R24", NEEDS | NEED_SYNC_ABI,
     "the device goes while a sync waits for its ops; when they come, it gets -ENODEV")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_CACHED);
	struct late_sync late = { .cf = cf };
	_Alignas(uint64_t) char ops[PAGE] = { 0 };
	pthread_t syncer, unplugger;
	bool gone;
	int error = 0;

	new_late_page(&late.op);
	find_place(cf);
	gpu_sync_abi(cf->dev)->encode(ops, gemsync_bo_handle(buf->bo), 0, 0, 64);
	EXPECT_OK(-pthread_create(&syncer, NULL, sync_late, &late));
	expect_reader(&late.op);
	EXPECT_OK(-pthread_create(&unplugger, NULL, unplug_beside, &error));
	gone = ends_soon(unplugger);
	fill(&late.op, ops);
	EXPECT_OK(-pthread_join(syncer, NULL));
	EXPECT(gone);
	EXPECT_OK(error);
	/* Where there is nothing to maintain, that may come first (R9). */
	EXPECT(late.ret == -ENODEV || (!late.ret && cf->info.coherent));
	plug();
	expect_new_file();
}

/* Any call of the driver, whose argument comes late: what it says to it does not matter. */
static void *call_late(void *data)
{
	const struct late_sync *late = data;

	ioctl(late->cf->fd, _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, DRM_COMMAND_BASE, 16),
	      late->op.page);
	return NULL;
}

CASE(r19_unplug_waits_for_no_argument, "R19", NEED_FILE | NEED_VM | NO_SYNC,
     "the device goes while a call of its driver waits for its argument in user memory")
{
	struct late_sync late = { .cf = cf };
	static const char zeros[PAGE];
	pthread_t caller, unplugger;
	bool gone;
	int error = 0;

	new_late_page(&late.op);
	find_place(cf);
	EXPECT_OK(-pthread_create(&caller, NULL, call_late, &late));
	expect_reader(&late.op);
	EXPECT_OK(-pthread_create(&unplugger, NULL, unplug_beside, &error));
	gone = ends_soon(unplugger);
	fill(&late.op, zeros);
	EXPECT_OK(-pthread_join(caller, NULL));
	EXPECT(gone);
	EXPECT_OK(error);
	plug();
	gemsync_device_close(open_new());
}

/* ---- Memory ---- */

CASE(r19_unplug_gives_pages_back, "R19", NEED_FILE | NEED_VM | NO_SYNC,
     "pages of a device that is gone are not kept for files that are open still")
{
	struct buffer *buf = new_buffer(cf, SIZE, 0);
	uint64_t before, after;

	if (module_counter("drm_gem_sync", "pages", &before))
		skip("nothing says how many pages BOs have", "run on a driver with drm_gem_sync");
	cpu_put(buf, 0, NEW);
	EXPECT_OK(module_counter("drm_gem_sync", "pages", &before));
	EXPECT(before >= SIZE / PAGE);
	find_place(cf);
	unplug();
	EXPECT_OK(module_counter("drm_gem_sync", "pages", &after));
	EXPECT_EQ(after, 0);
	plug();
	gemsync_device_close(open_new());
}

/* ---- Under load ---- */

/* Threads of one file do all they can until they are told that the device is gone. */
struct load {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bo;
	uint64_t va;
	atomic_bool stop;
	atomic_int wrong;	/* an error that is none of these */
	atomic_uint done;
	atomic_uint begun;	/* syncs */
	atomic_bool unplugging;
	atomic_uint met;	/* syncs that ran when this came */
};

/* Of a walk that takes long enough to be met. */
#define SYNC_SIZE	(16 * MIB)

static void note(struct load *load, int ret)
{
	if (ret == -ENODEV || ret == -EIO)
		load->stop = true;
	else if (ret)
		load->wrong = ret;
	load->done++;
}

static void *syncs(void *data)
{
	struct load *load = data;
	bool before;
	int ret;

	while (!load->stop && !load->wrong) {
		before = !load->unplugging;
		load->begun++;
		ret = gemsync_bo_invalidate(load->bo, 0, SYNC_SIZE);
		load->met += before && load->unplugging;
		note(load, ret);
	}
	return NULL;
}

static void submit(void *data)
{
	struct load *load = data;

	note(load, gpu_write32(load->gpu, load->va, 1));
}

/* The GPU's streams lie in maps, which end too. */
static void *submits(void *data)
{
	struct load *load = data;

	while (!load->stop && !load->wrong)
		if (ends_with_sigbus(submit, load))
			note(load, -ENODEV);
	return NULL;
}

/* Maps come and go, so that each touch is a fault, which may well be the end. */
static void *faults(void *data)
{
	struct load *load = data;
	struct gemsync_bo *bo;
	void *map;
	int ret;

	while (!load->stop && !load->wrong) {
		ret = gemsync_bo_create(load->dev, SIZE, GEMSYNC_BO_CACHED, &bo);
		if (!ret) {
			ret = gemsync_bo_map(bo, &map);
			if (!ret)
				is_sigbus(map);
			gemsync_bo_destroy(bo);
		}
		note(load, ret);
	}
	return NULL;
}

/* Return when a sync has just begun. */
static void wait_until_busy(struct load *load)
{
	unsigned int begun;

	while (!load->done && !load->stop && !load->wrong)
		usleep(1000);
	begun = load->begun;
	while (load->begun == begun && !load->stop && !load->wrong)
		sched_yield();
	EXPECT(!load->stop);
}

/* How many syncs were in flight when the device went. */
static unsigned int one_round(void)
{
	void *(*const work[])(void *) = { syncs, submits, faults };
	struct load load = { 0 };
	pthread_t threads[ARRAY_SIZE(work)];
	void *map;
	size_t i;

	load.dev = open_new();
	EXPECT_OK(gpu_open(load.dev, &load.gpu));
	EXPECT_OK(gemsync_bo_create(load.dev, SYNC_SIZE, GEMSYNC_BO_CACHED, &load.bo));
	EXPECT_OK(gemsync_bo_map(load.bo, &map));
	memset(map, 1, SYNC_SIZE);
	EXPECT_OK(gpu_bind(load.gpu, load.bo, &load.va));
	for (i = 0; i < ARRAY_SIZE(work); i++)
		EXPECT_OK(-pthread_create(&threads[i], NULL, work[i], &load));
	wait_until_busy(&load);
	load.unplugging = true;
	unplug();
	for (i = 0; i < ARRAY_SIZE(work); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(load.wrong, 0);
	plug();
	gpu_close(load.gpu);
	gemsync_bo_destroy(load.bo);
	gemsync_device_close(load.dev);
	return load.met;
}

CASE(r19_unplug_under_load, "R19", NEEDS,
     "when the device goes under syncs, jobs and faults, they end with -ENODEV, -EIO or SIGBUS")
{
	unsigned int i, met = 0;

	find_place(cf);
	for (i = 0; i < ROUNDS; i++)
		met += one_round();
	/* Where there is nothing to walk, no sync takes long enough. */
	if (!cf->info.coherent)
		EXPECT(met > 0);
	expect_new_file();
}

CASES(unplug, "The device goes",
      &r19_unplug_ends_maps_and_calls,
      &r19_unplug_ends_fences,
      &r19_unplug_of_an_exporter,
      &r19_unplug_writes_back_for_importers,
      &r19_unplug_of_an_importer,
      &r19_unplug_waits_for_no_sync,
      &r19_unplug_waits_for_no_argument,
      &r19_unplug_gives_pages_back,
      &r19_unplug_under_load);
