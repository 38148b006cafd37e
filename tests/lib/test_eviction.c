// SPDX-License-Identifier: MIT
/*
 * Eviction: what was written is there again, through every view and without a sync,
 * and what is in use stays (R2, R9, R17, R18, R19). Swap is in test_swap.c.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panthor_calls.h"
#include "pressure.h"
#include "sharing.h"

#define SIZE	(64 * KIB)
#define PAGES	(SIZE / PAGE)

static struct buffer *labelled(struct fixture *f, uint32_t flags)
{
	struct buffer *buf = new_buffer(f, SIZE, flags);

	set_label(f, gemsync_bo_handle(buf->bo), "evicted one");
	return buf;
}

static void assert_resident(struct fixture *f, bool resident)
{
	assert_int_equal(resident_pages(f, "evicted one"), resident ? PAGES : 0);
}

static void fill(struct buffer *buf, uint32_t seed)
{
	for (uint32_t offset = 0; offset < SIZE; offset += 4)
		cpu_put(buf, offset, seed + offset);
}

static void assert_filled(const struct buffer *buf, uint32_t seed)
{
	for (uint32_t offset = 0; offset < SIZE; offset += 4)
		assert_int_equal(cpu_get(buf, offset), seed + offset);
}

static void assert_gpu_sees(struct fixture *f, const struct buffer *buf, uint32_t seed)
{
	static uint32_t words[SIZE / 4];

	assert_ok(gpu_read(f->gpu, buf->va, words, SIZE));
	for (uint32_t i = 0; i < SIZE / 4; i++)
		assert_int_equal(words[i], seed + 4 * i);
}

static void assert_evicts(struct fixture *f)
{
	assert_resident(f, true);
	assert_true(evict_all(f) >= PAGES);
	assert_resident(f, false);
}

/*
 * Case 55: what the CPU wrote last is what the GPU reads after an eviction, though it
 * was never flushed; before it, the GPU reads what was there before.
 */
static void dirty_lines_survive(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = labelled(f, GEMSYNC_BO_CACHED);

	fill(buf, 0x1000);
	if (!f->info.coherent && !f->info.chaos)
		assert_int_equal(gpu_get(f, buf, SIZE - 4), 0);
	assert_evicts(f);
	assert_gpu_sees(f, buf, 0x1000);
	assert_resident(f, true);
	assert_filled(buf, 0x1000);
}

/* The other way: a line that the CPU read before does not come over what the GPU wrote. */
static void clean_lines_are_dropped(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = labelled(f, GEMSYNC_BO_CACHED);

	put_both(f, buf, 128, 0xaaaa);
	gpu_put(f, buf, 128, 0xbbbb);
	if (!f->info.coherent && !f->info.chaos)
		assert_int_equal(cpu_get(buf, 128), 0xaaaa);
	assert_evicts(f);
	assert_int_equal(cpu_get(buf, 128), 0xbbbb);
	assert_int_equal(gpu_get(f, buf, 128), 0xbbbb);
}

/* R17: whoever comes first, the CPU or the GPU, cached or not. */
static void every_view_first(void **state)
{
	const uint32_t flags[] = { 0, GEMSYNC_BO_CACHED, GEMSYNC_BO_SHAREABLE };
	struct fixture *f = need_eviction(state);

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct buffer *buf = new_buffer(f, SIZE, flags[i]);

		set_label(f, gemsync_bo_handle(buf->bo), "evicted one");
		fill(buf, 0x2000);
		assert_evicts(f);
		assert_filled(buf, 0x2000);
		assert_evicts(f);
		assert_gpu_sees(f, buf, 0x2000);
		assert_filled(buf, 0x2000);
		set_label(f, gemsync_bo_handle(buf->bo), "");
	}
}

/* A BO that no address space maps, and one that the CPU does not map. */
static void views_of_one_kind(void **state)
{
	struct fixture *f = need_eviction(state);
	struct gemsync_bo *unbound, *hidden;
	uint32_t value;
	uint64_t va;
	void *map;

	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_CACHED, &unbound));
	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_NO_MMAP, &hidden));
	assert_ok(gemsync_bo_map(unbound, &map));
	memset(map, 0x5a, SIZE);
	assert_ok(gpu_bind(f->gpu, hidden, &va));
	assert_ok(gpu_fill(f->gpu, va, 0x600d, SIZE));
	assert_true(evict_all(f) >= 2 * PAGES);
	assert_int_equal(((uint8_t *)map)[SIZE - 1], 0x5a);
	assert_ok(gpu_read32(f->gpu, va + SIZE - 4, &value));
	assert_int_equal(value, 0x600d);
	gemsync_bo_destroy(unbound);
	gemsync_bo_destroy(hidden);
}

/* Case 56: unmapped from the GPU and mapped again, with an eviction between. */
static void unbound_and_bound_again(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = labelled(f, GEMSYNC_BO_CACHED);

	fill(buf, 0x3000);
	assert_ok(gpu_unbind(f->gpu, buf->va, SIZE));
	assert_evicts(f);
	assert_ok(gpu_bind(f->gpu, buf->bo, &buf->va));
	assert_resident(f, true);
	assert_gpu_sees(f, buf, 0x3000);
	assert_filled(buf, 0x3000);
}

/* Case 35: a sync of an evicted BO succeeds, does nothing and brings nothing back. */
static void sync_of_an_evicted_one(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = labelled(f, GEMSYNC_BO_CACHED);
	struct gemsync_counters before = {};

	fill(buf, 0x4000);
	assert_evicts(f);
	if (!f->info.coherent && !f->info.chaos)
		before = lines_now(f);
	assert_ok(gemsync_bo_flush(buf->bo, 0, SIZE));
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, SIZE));
	assert_resident(f, false);
	if (!f->info.coherent && !f->info.chaos)
		assert_lines(f, &before, 0, 0);
	assert_filled(buf, 0x4000);
}

/* What a job may access stays, whatever the job does; when it ends it may go. */
static void busy_ones_stay(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *flag = new_buffer(f, PAGE, 0);
	struct buffer *buf = labelled(f, GEMSYNC_BO_CACHED);

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	evict_all(f);
	assert_resident(f, true);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
	assert_evicts(f);
	assert_int_equal(gpu_get(f, buf, 0), 0);
}

/*
 * A BO that was bound while a job ran does not know of the job, which may access it all
 * the same; neither does one that another file's job uses.
 */
static void bound_while_a_job_runs(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *flag = new_buffer(f, PAGE, 0);
	struct drm_panthor_vm_bind_op op;
	struct gemsync_bo *bo;

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	set_label(f, gemsync_bo_handle(bo), "evicted one");
	op = map_op(bo, BASE, SIZE, NULL, 0);
	assert_ok(bind_sync(f, f->vm, &op, 1));
	evict_all(f);
	assert_resident(f, true);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
	assert_evicts(f);
	gemsync_bo_destroy(bo);
}

/* An importer has the pages for as long as it is there; a map of the dma-buf has not. */
static void importers_keep_it(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = labelled(f, GEMSYNC_BO_SHAREABLE);
	int dmabuf = export_buffer(f, buf), vgem = vgem_open();
	uint32_t handle, *map;

	map = map_dmabuf(dmabuf, SIZE);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[0] = 0x77;
	assert_ok(import_dmabuf(vgem, dmabuf, &handle));
	evict_all(f);
	assert_resident(f, true);
	close(vgem);
	assert_evicts(f);
	assert_int_equal(map[0], 0x77);
	munmap(map, SIZE);
	close(dmabuf);
}

/* The exporter's handle is gone, and with it what the DRM core knows of the dma-buf. */
static void map_of_a_bare_dmabuf(void **state)
{
	struct fixture *f = need_eviction(state);
	struct gemsync_device *other = fixture_other(f);
	struct gemsync_bo *bo;
	uint32_t *map;
	int dmabuf;

	assert_ok(gemsync_bo_create(other, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	assert_ok(export_handle(gemsync_device_fd(other), gemsync_bo_handle(bo), &dmabuf));
	gemsync_bo_destroy(bo);
	map = map_dmabuf(dmabuf, SIZE);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (uint32_t i = 0; i < SIZE / 4; i++)
		map[i] = i;
	assert_true(evict_all(f) >= PAGES);
	assert_true(debugfs_number(f, "evict", "evictable") < PAGES);
	for (uint32_t i = 0; i < SIZE / 4; i++)
		assert_int_equal(map[i], i);
	assert_true(debugfs_number(f, "evict", "evictable") >= PAGES);
	munmap(map, SIZE);
	close(dmabuf);
}

/* Two address spaces map it: it comes back in each, and stays while either is busy. */
static void in_two_address_spaces(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *flag = new_buffer(f, PAGE, 0);
	struct buffer *buf = labelled(f, GEMSYNC_BO_SHAREABLE);
	struct gemsync_device *other = fixture_other(f);
	int dmabuf = export_buffer(f, buf), fd = gemsync_device_fd(other);
	uint32_t handle, value;
	struct gpu *gpu;

	assert_ok(gpu_open(other, &gpu));
	assert_ok(import_dmabuf(fd, dmabuf, &handle));
	assert_ok(bind_handle(fd, gemsync_device_vm(other), handle, IMPORT_VA, SIZE));
	fill(buf, 0x5000);
	assert_evicts(f);
	assert_ok(gpu_read32(gpu, IMPORT_VA + 4, &value));
	assert_int_equal(value, 0x5004);
	assert_gpu_sees(f, buf, 0x5000);

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	evict_all(f);
	assert_resident(f, true);
	assert_ok(gpu_write32(gpu, IMPORT_VA, 0x99));
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
	assert_evicts(f);
	assert_int_equal(gpu_get(f, buf, 0), 0x99);
	gpu_close(gpu);
	close(dmabuf);
}

/* Without swap evicted pages free no memory, so the shrinker leaves them alone. */
static void not_without_swap(void **state)
{
	struct fixture *f = need_eviction(state);

	if (swap_total())
		skip_because("there is swap: run without");
	labelled(f, GEMSYNC_BO_CACHED);
	drop_slab();
	assert_resident(f, true);
	assert_evicts(f);
}

#define GPU_PAGES	64	/* of the BO through which the GPU's data goes */

static void so_many_pages(void **state)
{
	struct fixture *f = need_eviction(state);
	uint64_t before, went;

	for (int i = 0; i < 4; i++)
		new_buffer(f, SIZE, 0);
	before = debugfs_number(f, "evict", "evicted");
	assert_ok(write_debugfs(f, "evict", "17"));
	went = debugfs_number(f, "evict", "evicted") - before;
	/* Whole BOs, and not one more than needed; the GPU's own is the largest. */
	assert_in_range(went, 17, 16 + GPU_PAGES);
	assert_int_equal(write_debugfs(f, "evict", "many"), -EINVAL);
	assert_int_equal(write_debugfs(f, "evict", "-1"), -EINVAL);
	assert_int_equal(write_debugfs(f, "evict", "00000000000000000000"), -EINVAL);
	assert_ok(write_debugfs(f, "evict", "0"));
	assert_int_equal(debugfs_number(f, "evict", "evicted") - before, went);
}

struct race {
	struct fixture *f;
	struct buffer *buf;
	atomic_bool stop;
	atomic_ulong evicted;
	atomic_ulong syncs;
	atomic_int error;
};

static void *evict_thread(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		race->evicted += evict_all(race->f);
	return NULL;
}

static void *sync_thread(void *arg)
{
	struct race *race = arg;
	int ret;

	while (!race->stop) {
		ret = gemsync_bo_flush(race->buf->bo, 0, SIZE / 2);
		if (ret)
			race->error = ret;
		race->syncs++;
	}
	return NULL;
}

/*
 * Case 57, R19: the CPU writes and flushes one half and reads back the other, into
 * which the GPU copies, while the pages go all the time.
 */
static void races(void **state)
{
	struct fixture *f = need_eviction(state);
	struct race race = { .f = f, .buf = labelled(f, GEMSYNC_BO_CACHED) };
	int64_t end = now_ms() + 3000;
	pthread_t threads[2];
	uint32_t round;

	assert_ok(pthread_create(&threads[0], NULL, evict_thread, &race));
	assert_ok(pthread_create(&threads[1], NULL, sync_thread, &race));
	for (round = 1; now_ms() < end; round++) {
		for (uint32_t offset = 0; offset < SIZE / 2; offset += 252)
			cpu_put(race.buf, offset, round + offset);
		assert_ok(gemsync_bo_flush(race.buf->bo, 0, SIZE / 2));
		assert_ok(gpu_copy(f->gpu, race.buf->va + SIZE / 2, race.buf->va, SIZE / 2));
		assert_ok(gemsync_bo_invalidate(race.buf->bo, SIZE / 2, SIZE / 2));
		for (uint32_t offset = 0; offset < SIZE / 2; offset += 252)
			assert_int_equal(cpu_get(race.buf, SIZE / 2 + offset), round + offset);
	}
	race.stop = true;
	assert_ok(pthread_join(threads[0], NULL));
	assert_ok(pthread_join(threads[1], NULL));
	assert_ok(race.error);
	assert_true(race.evicted > PAGES && race.syncs > 0 && round > 2);
}

/* R19: BOs are made, used and closed while others of all kinds are taken away. */
static void races_with_close(void **state)
{
	struct fixture *f = need_eviction(state);
	struct race race = { .f = f };
	int64_t end = now_ms() + 2000;
	pthread_t thread;

	assert_ok(pthread_create(&thread, NULL, evict_thread, &race));
	for (uint32_t round = 1; now_ms() < end; round++) {
		struct gemsync_bo *bo;
		uint32_t *map, value;
		uint64_t va;
		void *ptr;

		assert_ok(gemsync_bo_create(f->dev, SIZE, round & 1 ? GEMSYNC_BO_CACHED : 0,
					    &bo));
		assert_ok(gemsync_bo_map(bo, &ptr));
		map = ptr;
		map[SIZE / 4 - 1] = round;
		assert_ok(gemsync_bo_flush(bo, SIZE - 4, 4));
		assert_ok(gpu_bind(f->gpu, bo, &va));
		assert_ok(gpu_read32(f->gpu, va + SIZE - 4, &value));
		assert_int_equal(value, round);
		assert_ok(gpu_unbind(f->gpu, va, SIZE));
		gemsync_bo_destroy(bo);
	}
	race.stop = true;
	assert_ok(pthread_join(thread, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(dirty_lines_survive),
		device_test(clean_lines_are_dropped),
		device_test(every_view_first),
		device_test(views_of_one_kind),
		device_test(unbound_and_bound_again),
		device_test(sync_of_an_evicted_one),
		device_test(busy_ones_stay),
		device_test(bound_while_a_job_runs),
		device_test(importers_keep_it),
		device_test(map_of_a_bare_dmabuf),
		device_test(in_two_address_spaces),
		device_test(not_without_swap),
		device_test(so_many_pages),
		device_test(races),
		device_test(races_with_close),
	};

	return cmocka_run_group_tests_name("eviction", tests, NULL, NULL);
}
