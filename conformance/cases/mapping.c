// SPDX-License-Identifier: MIT
/* CPU maps: what they show, and which there are (R12, R15, R16, R18, R23). */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "share.h"

#define SIZE	(64 * KIB)
#define LARGE	(5 * MIB)

/* ---- Creation ---- */

CASE(r8_bo_that_cannot_be, "R8", NO_SYNC,
     "a BO of no size, of a size that wraps, or with an unknown flag is refused; sizes are whole pages")
{
	uint64_t page = cf->info.page_size;
	struct gemsync_bo *bo = NULL;

	EXPECT_EQ(gemsync_bo_create(cf->dev, 0, 0, &bo), -EINVAL);
	EXPECT_EQ(gemsync_bo_create(cf->dev, page, 1u << 31, &bo), -EINVAL);
	EXPECT(gemsync_bo_create(cf->dev, UINT64_MAX, 0, &bo) < 0);
	EXPECT(gemsync_bo_create(cf->dev, UINT64_MAX - page + 1, 0, &bo) < 0);
	EXPECT(!bo);
	EXPECT_EQ(gemsync_bo_size(new_buffer(cf, 1, 0)->bo), page);
	EXPECT_EQ(gemsync_bo_size(new_buffer(cf, page, 0)->bo), page);
	EXPECT_EQ(gemsync_bo_size(new_buffer(cf, page + 1, 0)->bo), 2 * page);
}

CASE(r8_bo_larger_than_memory, "R8 R19", NEED_FILE | NO_SYNC,
     "BOs that no memory can hold are refused, the kernel does not complain, and the next BO works")
{
	struct gemsync_bo *bo;
	uint64_t size;

	for (size = 1ull << 38; size; size <<= 1)
		EXPECT(gemsync_bo_create(cf->dev, size, 0, &bo) < 0);
	put_both(cf, new_buffer(cf, PAGE, 0), 0, NEW);
}

/* ---- R12: caching ---- */

CASE(r12_write_combined_by_default, "R12 R9", NEED_INCOHERENT,
     "without the flag a map is write-combined: CPU and GPU see each other without a sync")
{
	struct buffer *buf = new_buffer(cf, SIZE, 0);
	struct gemsync_bo_info info;
	uint64_t at;

	EXPECT_OK(gemsync_bo_query(buf->bo, &info));
	EXPECT_EQ(info.needs_sync, false);
	for (at = 0; at < SIZE; at += SIZE / 8) {
		cpu_put(buf, at, NEW);
		EXPECT_GPU(cf, buf, at, NEW);
		gpu_put(cf, buf, at, OLD);
		EXPECT_CPU(cf, buf, at, OLD);
	}
}

CASE(r12_cached_when_asked_for, "R12", NEED_LAZY,
     "with the flag a map is cached: neither side sees the other without a sync")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct gemsync_bo_info info;

	EXPECT_OK(gemsync_bo_query(buf->bo, &info));
	EXPECT_EQ(info.needs_sync, true);
	put_both(cf, buf, 64, OLD);
	cpu_put(buf, 64, NEW);
	EXPECT_GPU(cf, buf, 64, OLD);
	put_both(cf, buf, 4096, OLD);
	gpu_put(cf, buf, 4096, NEW);
	EXPECT_CPU(cf, buf, 4096, OLD);
	EXPECT_OK(invalidate(cf, buf, 4096, 4));
	EXPECT_CPU(cf, buf, 4096, NEW);
}

CASE(r12_every_map_is_alike, "R12", NEED_LAZY | NEED_OFFSETS,
     "each map of a cached BO, through its offset and when mapped anew, is the same cache's view")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	volatile uint32_t *second;
	uint64_t offset;
	void *map;

	EXPECT_OK(gpu_map_offset(cf->dev, buf->bo, &offset));
	second = map_fd(cf->fd, offset, SIZE);
	put_both(cf, buf, 128, OLD);
	second[32] = NEW;
	EXPECT_CPU(cf, buf, 128, NEW);
	EXPECT_GPU(cf, buf, 128, OLD);
	gemsync_bo_unmap(buf->bo);
	munmap((void *)second, SIZE);
	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
	EXPECT_CPU(cf, buf, 128, NEW);
	EXPECT_GPU(cf, buf, 128, OLD);
}

CASE(r12_coherent_is_in_step, "R12 R9", NEED_COHERENT,
     "on a coherent device CPU and GPU see each other without a sync, whatever the flags")
{
	static const uint32_t flags[] = { 0, GEMSYNC_BO_CACHED, GEMSYNC_BO_SHAREABLE };
	struct gemsync_bo_info info;
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = new_buffer(cf, SIZE, flags[i]);
		EXPECT_OK(gemsync_bo_query(buf->bo, &info));
		EXPECT_EQ(info.needs_sync, false);
		cpu_put(buf, 64, NEW);
		EXPECT_GPU(cf, buf, 64, NEW);
		gpu_put(cf, buf, 64, OLD);
		EXPECT_CPU(cf, buf, 64, OLD);
	}
}

/* ---- Content ---- */

CASE(r18_content_outlives_its_map, "R18", NEED_SYNC,
     "a second map is the first; what the CPU wrote, flushed or not, is there in the next map")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	void *map;

	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	EXPECT(map == buf->map);
	cpu_put(buf, 4096, NEW);
	cpu_put(buf, 8192, OLD);
	EXPECT_OK(flush(cf, buf, 8192, 4));
	gemsync_bo_unmap(buf->bo);
	gemsync_bo_unmap(buf->bo);
	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
	EXPECT_CPU(cf, buf, 4096, NEW);
	EXPECT_CPU(cf, buf, 8192, OLD);
	EXPECT_OK(flush(cf, buf, 4096, 4));
	EXPECT_GPU(cf, buf, 4096, NEW);
}

CASE(r18_dirty_data_survives_rebinding, "R18", NEED_SYNC | NEED_BIND,
     "what the CPU wrote and has not flushed survives that the GPU unbinds and binds the BO")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	uint64_t at;

	for (at = 0; at < SIZE; at += PAGE)
		cpu_put(buf, at + 8, NEW + (uint32_t)at);
	EXPECT_OK(gpu_unbind(cf->gpu, buf->va, SIZE));
	for (at = 0; at < SIZE; at += PAGE)
		EXPECT_CPU(cf, buf, at + 8, NEW + (uint32_t)at);
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	for (at = 0; at < SIZE; at += PAGE)
		EXPECT_CPU(cf, buf, at + 8, NEW + (uint32_t)at);
	EXPECT_OK(flush(cf, buf, 0, SIZE));
	for (at = 0; at < SIZE; at += PAGE)
		EXPECT_GPU(cf, buf, at + 8, NEW + (uint32_t)at);
}

/* Pages fault in after the map was cut: whoever counts from its start errs. */
static void expect_cut_map_right(struct cf *cf, uint32_t flags)
{
	struct buffer *buf = new_buffer(cf, SIZE, flags);
	volatile uint32_t *map, *moved;
	uint64_t offset;
	uint32_t i;

	for (i = 0; i < SIZE / PAGE; i++)
		cpu_put(buf, i * PAGE, i);
	EXPECT_OK(gpu_map_offset(cf->dev, buf->bo, &offset));
	map = map_fd(cf->fd, offset, SIZE);
	EXPECT_OK(munmap((void *)map, PAGE));
	EXPECT_OK(munmap((void *)(map + 7 * 1024), PAGE));
	moved = mremap((void *)(map + 8 * 1024), 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	EXPECT(moved != MAP_FAILED);
	for (i = 1; i < SIZE / PAGE; i++)
		if (i != 7)
			EXPECT_EQ_AS("page that the map shows",
				     i < 8 || i > 11 ? map[i * 1024] : moved[(i - 8) * 1024], i);
	/* A BO lives as long as its last map. */
	unbind(cf, buf->va, SIZE);
	gemsync_bo_destroy(buf->bo);
	cf->buffer_count--;
	EXPECT_EQ(moved[1024], 9);
	EXPECT_EQ(map[1024], 1);
}

CASE(r17_cut_and_moved_maps, "R17 R19", NEED_OFFSETS,
     "maps that are cut and moved show each page's own content, after their BO's handle too")
{
	expect_cut_map_right(cf, GEMSYNC_BO_CACHED);
	expect_cut_map_right(cf, 0);
}

/* Entries that were never touched, and lie between others that were: each its own page. */
CASE(r17_every_page_of_a_large_map, "R17 R22", NO_SYNC,
     "in a map of some megabytes each page is its own, in whatever order they are touched")
{
	struct buffer *buf = new_buffer(cf, LARGE, 0);
	uint64_t at, wrong = 0;

	for (at = LARGE / 2 + 5 * PAGE; at < LARGE; at += 7 * PAGE)
		cpu_put(buf, at, (uint32_t)(at / PAGE) + 1);
	for (at = 0; at < LARGE; at += 7 * PAGE)
		gpu_put(cf, buf, at + 8, (uint32_t)(at / PAGE) + 2);
	for (at = LARGE / 2 + 5 * PAGE; at < LARGE; at += 7 * PAGE) {
		EXPECT_GPU(cf, buf, at, (uint32_t)(at / PAGE) + 1);
		wrong += cpu_get(buf, at) != (uint32_t)(at / PAGE) + 1;
	}
	for (at = 0; at < LARGE; at += 7 * PAGE)
		wrong += cpu_get(buf, at + 8) != (uint32_t)(at / PAGE) + 2;
	EXPECT_EQ(wrong, 0);
}

/* ---- R19: who is killed ---- */

#define MUCH		(128 * MIB)
#define BEGINS_IN_MS	30000

/* Bytes of shared memory, which BOs are made of, in use by all. */
static uint64_t shared_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	EXPECT(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Shmem: %" SCNu64, &kib) == 1)
			break;
	fclose(file);
	return kib * KIB;
}

/* In a file of its own, which goes with it. */
static pid_t map_in_child(const struct cf *cf)
{
	pid_t pid = fork();
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	void *map;

	if (pid)
		return pid;
	if (gemsync_device_open(cf->name, &dev) || gemsync_bo_create(dev, MUCH, 0, &bo) ||
	    gemsync_bo_map(bo, &map))
		_exit(1);
	/* Drivers that bring memory at the first touch do so here. */
	*(volatile uint8_t *)map = 1;
	pause();
	_exit(0);
}

/* The most there is until the process is gone; @most at least. */
static uint64_t most_until_gone(pid_t pid, uint64_t most)
{
	uint64_t now;
	pid_t gone;

	do {
		gone = waitpid(pid, NULL, WNOHANG);
		now = shared_memory();
		most = now > most ? now : most;
	} while (!gone);
	EXPECT_EQ(gone, pid);
	return most;
}

CASE(r19_killed_while_memory_comes, "R19", NEED_FILE | NEED_LAZY | NO_SYNC,
     "a process that is killed while memory of a BO is brought in is gone before all is in")
{
	uint64_t before = shared_memory(), most;
	int64_t end = now_ms() + BEGINS_IN_MS;
	pid_t pid;

	need_memory(2 * MUCH);
	pid = map_in_child(cf);
	while ((most = shared_memory()) < before + MUCH / 8 && now_ms() < end)
		sched_yield();
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	most = most_until_gone(pid, most);
	EXPECT(most >= before + MUCH / 8);
	EXPECT(most < before + MUCH / 4 * 3);
}

/* ---- R15, R16: what is not mapped ---- */

/* How often mmap() succeeds at any page from @pages before @around to as many behind it. */
static unsigned int count_mappable(int fd, uint64_t around, uint64_t pages, uint64_t size)
{
	uint64_t at = around > pages * PAGE ? around - pages * PAGE : 0;
	unsigned int hits = 0;

	for (; at <= around + pages * PAGE; at += PAGE)
		hits += !try_map(fd, at, size);
	return hits;
}

CASE(r15_import_is_not_mapped, "R15 R23", NEED_OFFSETS | NEED_NO_IMPORT_MAPS,
     "an imported BO is mapped neither by the call nor at a guessed offset, and the query says so")
{
	struct buffer *first = new_buffer(cf, SIZE, 0), *imported;
	struct gemsync_bo_info info;
	uint64_t around, offset;
	unsigned int hits;
	void *map;

	EXPECT_OK(gpu_map_offset(cf->dev, first->bo, &around));
	hits = count_mappable(cf->fd, around, 1024, SIZE);
	EXPECT(hits > 0);
	imported = import_buffer(cf, new_foreign("heap", SIZE)->dmabuf);
	EXPECT_EQ(gpu_map_offset(cf->dev, imported->bo, &offset), -EPERM);
	EXPECT_EQ(gemsync_bo_map(imported->bo, &map), -EPERM);
	EXPECT_EQ(count_mappable(cf->fd, around, 1024, SIZE), hits);
	EXPECT_OK(gemsync_bo_query(imported->bo, &info));
	EXPECT_EQ(info.imported, true);
	EXPECT_EQ(info.flags, GEMSYNC_BO_NO_MMAP);
	EXPECT_EQ(info.needs_sync, false);
	/* The guess finds one native BO more. */
	new_buffer(cf, SIZE, 0);
	EXPECT_EQ(count_mappable(cf->fd, around, 1024, SIZE), hits + 1);
}

CASE(r15_import_is_mapped_by_its_maker, "R15 R11 R23", NEED_IMPORT_MAPS,
     "where imports may be mapped, the map is their maker's and outlives the import; it is not synced")
{
	struct exported *made = new_foreign("heap", SIZE);
	volatile uint32_t *direct = map_fd(made->dmabuf, 0, SIZE), *map;
	struct buffer *imported = import_buffer(cf, made->dmabuf);
	struct gemsync_bo_info info;
	uint64_t offset;

	EXPECT_OK(gemsync_bo_query(imported->bo, &info));
	EXPECT_EQ(info.imported, true);
	EXPECT_EQ(info.flags, 0);
	EXPECT_EQ(info.needs_sync, false);
	EXPECT_OK(gpu_map_offset(cf->dev, imported->bo, &offset));
	map = map_fd(cf->fd, offset, SIZE);
	expect_shared(cf, made, (void *)map, imported);
	direct[17] = NEW;
	EXPECT_EQ(map[17], NEW);
	EXPECT_EQ(flush(cf, imported, 0, 64), -EINVAL);
	unbind(cf, imported->va, SIZE);
	gemsync_bo_destroy(imported->bo);
	cf->buffer_count--;
	EXPECT_EQ(map[17], NEW);
	map[18] = OLD;
	EXPECT_EQ(direct[18], OLD);
}

CASE(r16_no_mmap_is_refused, "R16", NO_SYNC,
     "a BO that may not be mapped is not, and the GPU uses it all the same")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_NO_MMAP);
	struct buffer *twin = new_buffer(cf, PAGE, 0);
	uint64_t offset;
	void *map;

	EXPECT_EQ(gemsync_bo_map(buf->bo, &map), -EPERM);
	if (gpu_map_offset(cf->dev, twin->bo, &offset) != -EOPNOTSUPP) {
		EXPECT_OK(gpu_map_offset(cf->dev, twin->bo, &offset));
		/* A driver that tells where it would be refuses the map itself. */
		if (!gpu_map_offset(cf->dev, buf->bo, &offset))
			EXPECT_EQ(try_map(cf->fd, offset, PAGE), -EINVAL);
		else
			EXPECT_EQ(gpu_map_offset(cf->dev, buf->bo, &offset), -EPERM);
	}
	gpu_put(cf, buf, 8, NEW);
	EXPECT_GPU(cf, buf, 8, NEW);
}

/* The file has nothing but the two: around the first one's offset nothing else maps. */
CASE(r16_no_mmap_at_a_guessed_offset, "R16", NEED_OFFSETS | NO_SYNC,
     "a BO that may not be mapped is not at any offset near that of one that may be")
{
	struct gemsync_device *dev = other_file(cf);
	struct gemsync_bo *open_bo, *closed_bo;
	int fd = gemsync_device_fd(dev);
	uint64_t offset;

	EXPECT_OK(gemsync_bo_create(dev, PAGE, 0, &open_bo));
	EXPECT_OK(gemsync_bo_create(dev, PAGE, GEMSYNC_BO_NO_MMAP, &closed_bo));
	EXPECT_OK(gpu_map_offset(dev, open_bo, &offset));
	EXPECT_OK(try_map(fd, offset, PAGE));
	EXPECT_EQ(count_mappable(fd, offset, 512, PAGE), 1);
	gemsync_bo_destroy(closed_bo);
	gemsync_bo_destroy(open_bo);
}

/* Of each driver its own. */
static int no_mmap_error(const struct cf *cf)
{
	return strcmp(cf->info.driver, "panfrost") && strcmp(cf->info.driver, "powervr") ?
	       -EPERM : -EINVAL;
}

CASE(r16_no_mmap_through_its_dmabuf, "R16", NEED_FILE | NO_SYNC,
     "a BO that may not be mapped is not through its dma-buf either; one that may be is")
{
	struct buffer *hidden = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_NO_MMAP);
	struct buffer *shown = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	int hidden_fd, shown_fd;
	volatile uint32_t *map;

	EXPECT_OK(gemsync_bo_export(hidden->bo, &hidden_fd));
	EXPECT_OK(gemsync_bo_export(shown->bo, &shown_fd));
	EXPECT_EQ(try_map(hidden_fd, 0, PAGE), no_mmap_error(cf));
	EXPECT_OK(try_map(shown_fd, 0, PAGE));
	map = map_fd(shown_fd, 0, PAGE);
	gpu_put(cf, shown, 0, NEW);
	EXPECT_EQ(map[0], NEW);
}

/* ---- R23 ---- */

CASE(r23_query_is_what_was_created, "R23", 0,
     "the query reports the flags of creation, which creation accepts once more, and no import")
{
	static const uint32_t flags[] = {
		0, GEMSYNC_BO_CACHED, GEMSYNC_BO_NO_MMAP, GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP,
		GEMSYNC_BO_SHAREABLE, GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_NO_MMAP,
		GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_CACHED,
	};
	struct gemsync_bo_info info;
	struct gemsync_bo *bo, *again;
	uint32_t shareable;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		shareable = flags[i] & GEMSYNC_BO_SHAREABLE;
		if (gemsync_bo_create(cf->dev, PAGE, flags[i], &bo)) {
			/* A driver may refuse what is cached and something else. */
			EXPECT(flags[i] & GEMSYNC_BO_CACHED && flags[i] != GEMSYNC_BO_CACHED);
			continue;
		}
		EXPECT_OK(gemsync_bo_query(bo, &info));
		EXPECT_EQ(info.flags, flags[i] & ~GEMSYNC_BO_SHAREABLE);
		EXPECT_EQ(info.imported, false);
		EXPECT_EQ(info.needs_sync,
			  flags[i] & GEMSYNC_BO_CACHED && !cf->info.coherent);
		EXPECT_OK(gemsync_bo_create(cf->dev, PAGE, info.flags | shareable, &again));
		gemsync_bo_destroy(again);
		gemsync_bo_destroy(bo);
	}
}

CASES(mapping, "Maps and queries",
      &r8_bo_that_cannot_be,
      &r8_bo_larger_than_memory,
      &r12_write_combined_by_default,
      &r12_cached_when_asked_for,
      &r12_every_map_is_alike,
      &r12_coherent_is_in_step,
      &r18_content_outlives_its_map,
      &r18_dirty_data_survives_rebinding,
      &r17_cut_and_moved_maps,
      &r17_every_page_of_a_large_map,
      &r19_killed_while_memory_comes,
      &r15_import_is_not_mapped,
      &r15_import_is_mapped_by_its_maker,
      &r16_no_mmap_is_refused,
      &r16_no_mmap_at_a_guessed_offset,
      &r16_no_mmap_through_its_dmabuf,
      &r23_query_is_what_was_created);
