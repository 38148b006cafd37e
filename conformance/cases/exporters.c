// SPDX-License-Identifier: MIT
/*
 * What everyone who makes dma-bufs owes those who use them. These run on makers without
 * a GPU too, where the GPU that imports is that of the first device that opens.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "share.h"

#define PAGES	16ull
#define SIZE	(PAGES * PAGE)
#define ANYONE	(NEED_FILE | ANY_EXPORTER)
#define START	DMA_BUF_SYNC_START
#define END	DMA_BUF_SYNC_END

/* ---- What is in new pages ---- */

/* Its pages, or some of them, were used and freed just before. */
static struct exported *new_from_used_pages(struct cf *cf)
{
	struct exported *used;
	void *map;
	int i;

	for (i = 0; i < 4; i++) {
		used = new_exported(cf, SIZE);
		map = map_fd(used->dmabuf, 0, SIZE);
		memset(map, 0x5a, SIZE);
		EXPECT_EQ(count_nonzero(map, SIZE), SIZE);
		munmap(map, SIZE);
		forget_maker(used);
		close(used->dmabuf);
	}
	return new_exported(cf, SIZE);
}

CASE(r17_makers_map_of_new_pages, "R17", ANYONE,
     "new pages read as zero through their maker's own map")
{
	struct exported *made = new_from_used_pages(cf);

	if (!made->map)
		skip("this maker maps buffers through the dma-buf alone",
		     "run on vgem, udmabuf or a GPU's device");
	EXPECT_EQ(count_nonzero(made->map, SIZE), 0);
}

CASE(r17_dmabufs_map_of_new_pages, "R17", ANYONE,
     "new pages read as zero through the dma-buf's map")
{
	struct exported *made = new_from_used_pages(cf);

	EXPECT_EQ(count_nonzero(map_fd(made->dmabuf, 0, SIZE), SIZE), 0);
}

CASE(r17_begin_access_on_new_pages, "R17 R14", ANYONE,
     "new pages read as zero after begin access, also when a device was attached before any map")
{
	struct exported *made = new_from_used_pages(cf);

	need_importer(cf);
	import_buffer(cf, made->dmabuf);
	EXPECT_OK(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(count_nonzero(map_fd(made->dmabuf, 0, SIZE), SIZE), 0);
	EXPECT_OK(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_READ));
}

CASE(r17_importer_of_new_pages, "R17", ANYONE,
     "a GPU that imports new pages reads zero, and the CPU after it")
{
	struct exported *made = new_from_used_pages(cf);
	struct buffer *imported;

	need_importer(cf);
	imported = import_buffer(cf, made->dmabuf);
	EXPECT_EQ(count_nonzero_by_gpu(cf, imported, SIZE), 0);
	EXPECT_EQ(count_nonzero(map_fd(made->dmabuf, 0, SIZE), SIZE), 0);
	gpu_put(cf, imported, SIZE - 4, ~0u);
	EXPECT_EQ(count_nonzero_by_gpu(cf, imported, SIZE), 4);
}

/* ---- Maps ---- */

static void number_pages(struct exported *made)
{
	uint8_t *map = map_fd(made->dmabuf, 0, SIZE);
	uint32_t i;

	EXPECT_OK(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_WRITE));
	for (i = 0; i < PAGES; i++)
		*(volatile uint32_t *)(map + i * PAGE) = NEW + i;
	EXPECT_OK(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_WRITE));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(*(volatile uint32_t *)(map + i * PAGE), NEW + i);
	munmap(map, SIZE);
}

static void expect_page(const uint8_t *at, uint32_t number)
{
	char what[64];

	snprintf(what, sizeof(what), "page that the map shows at page %u", number);
	expect_int(what, *(const volatile uint32_t *)at - NEW, "its own", number, __FILE__,
		   __LINE__);
}

/* Pages fault in one by one, after the map was cut: whoever counts from its start errs. */
static void expect_right_after_cut(uint8_t *map)
{
	uint32_t i;

	EXPECT_OK(munmap(map, PAGE));
	for (i = 1; i < 4; i++)
		expect_page(map + i * PAGE, i);
}

static void expect_right_after_move(uint8_t *map)
{
	uint8_t *moved;
	uint32_t i;

	EXPECT_OK(munmap(map + 7 * PAGE, PAGE));
	moved = mremap(map + 8 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	EXPECT(moved != MAP_FAILED);
	for (i = 8; i < 12; i++)
		expect_page(moved + (i - 8) * PAGE, i);
	for (i = 12; i < PAGES; i++)
		expect_page(map + i * PAGE, i);
}

CASE(r17_cut_map_of_the_maker, "R17", ANYONE,
     "the maker's map shows each page's own content, also when its first page was unmapped")
{
	struct exported *made = new_exported(cf, SIZE);

	if (!made->map)
		skip("this maker maps buffers through the dma-buf alone",
		     "run on vgem, udmabuf or a GPU's device");
	number_pages(made);
	expect_right_after_cut(made->map);
}

CASE(r17_cut_map_of_the_dmabuf, "R17", ANYONE,
     "the dma-buf's map shows each page's own content, also when its first page was unmapped")
{
	struct exported *made = new_exported(cf, SIZE);

	number_pages(made);
	expect_right_after_cut(map_fd(made->dmabuf, 0, SIZE));
}

CASE(r17_map_from_an_offset, "R17", ANYONE,
     "a map of a dma-buf from its third page on begins with that page")
{
	struct exported *made = new_exported(cf, SIZE);
	uint8_t *map;

	number_pages(made);
	map = map_fd(made->dmabuf, 2 * PAGE, SIZE - 2 * PAGE);
	expect_page(map, 2);
	expect_page(map + (PAGES - 3) * PAGE, PAGES - 1);
}

CASE(r17_torn_and_moved_map, "R17", ANYONE,
     "a map with a hole, part of which was moved, shows each page's own content")
{
	struct exported *made = new_exported(cf, SIZE);

	number_pages(made);
	expect_right_after_move(map_fd(made->dmabuf, 0, SIZE));
}

CASE(r17_both_maps_agree, "R17", ANYONE,
     "what is written through the maker's map shows in the dma-buf's, and the other way")
{
	struct exported *made = new_exported(cf, SIZE);
	volatile uint32_t *own = made->map, *shared = map_fd(made->dmabuf, 0, SIZE);
	uint64_t i;

	if (!own)
		skip("this maker maps buffers through the dma-buf alone",
		     "run on vgem, udmabuf or a GPU's device");
	EXPECT_OK(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_RW));
	for (i = 0; i < SIZE / 4; i += PAGE / 4) {
		own[i] = NEW + (uint32_t)i;
		EXPECT_EQ(shared[i], NEW + (uint32_t)i);
		shared[i + 1] = OLD + (uint32_t)i;
		EXPECT_EQ(own[i + 1], OLD + (uint32_t)i);
	}
	EXPECT_OK(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_RW));
}

/* Refused at once, or as soon as it is touched. */
static bool shows_nothing(int fd, uint64_t offset, uint64_t size, uint64_t at)
{
	uint8_t *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	bool nothing = map == MAP_FAILED || is_sigbus(map + at);

	if (map != MAP_FAILED)
		munmap(map, size);
	return nothing;
}

CASE(r8_map_beyond_the_end, "R8 R17", NEED_OFFSETS | ANY_EXPORTER,
     "a map shows nothing beyond the buffer's end: it is refused, or touching it is SIGBUS")
{
	struct exported *made = new_exported(cf, SIZE);

	EXPECT(!shows_nothing(made->dmabuf, 0, SIZE, SIZE - 1));
	EXPECT(!shows_nothing(made->dmabuf, SIZE - PAGE, PAGE, PAGE - 1));
	EXPECT(shows_nothing(made->dmabuf, 0, SIZE + PAGE, SIZE));
	EXPECT(shows_nothing(made->dmabuf, SIZE - PAGE, 2 * PAGE, PAGE));
	EXPECT(shows_nothing(made->dmabuf, SIZE, PAGE, 0));
	EXPECT(shows_nothing(made->dmabuf, 1ull << 40, PAGE, 0));
	EXPECT(shows_nothing(made->dmabuf, INT64_MAX - PAGE + 1, PAGE, 0));
	if (!made->handle)
		return;
	EXPECT(!shows_nothing(made->node, made->map_offset, SIZE, SIZE - 1));
	EXPECT(shows_nothing(made->node, made->map_offset, SIZE + PAGE, SIZE));
}

CASE(r8_size_of_the_dmabuf, "R8", ANYONE, "a dma-buf tells its size: that of its pages")
{
	struct exported *made = new_exported(cf, SIZE);

	EXPECT_EQ(lseek(made->dmabuf, 0, SEEK_END), SIZE);
	EXPECT_EQ(lseek(made->dmabuf, 0, SEEK_SET), 0);
}

/* ---- DMA_BUF_IOCTL_SYNC ---- */

CASE(r8_sync_flags_of_the_dmabuf, "R8 R14", ANYONE,
     "begin and end access refuse unknown flags, and an access that is none")
{
	struct exported *made = new_exported(cf, SIZE);

	EXPECT_OK(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_RW));
	EXPECT_OK(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(dmabuf_sync(made->dmabuf, START), -EINVAL);
	EXPECT_EQ(dmabuf_sync(made->dmabuf, END), -EINVAL);
	EXPECT_EQ(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_RW | 8), -EINVAL);
	EXPECT_EQ(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_READ | 1ull << 32), -EINVAL);
	EXPECT_EQ(dmabuf_sync(made->dmabuf, UINT64_MAX), -EINVAL);
}

CASE(r14_unbalanced_access, "R14", ANYONE,
     "begin and end access in any direction and number return 0 and leave the content alone")
{
	static const uint64_t directions[] = {
		DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
	};
	struct exported *made = new_exported(cf, SIZE);
	struct buffer *imported;
	volatile uint32_t *map;
	size_t i;

	need_importer(cf);
	imported = import_buffer(cf, made->dmabuf);
	map = map_fd(made->dmabuf, 0, SIZE);
	map[0] = OLD;
	gpu_put(cf, imported, 4, NEW);
	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		EXPECT_OK(dmabuf_sync(made->dmabuf, END | directions[i]));
		EXPECT_OK(dmabuf_sync(made->dmabuf, END | directions[i]));
		EXPECT_OK(dmabuf_sync(made->dmabuf, START | directions[i]));
		EXPECT_OK(dmabuf_sync(made->dmabuf, START | directions[i]));
		EXPECT_OK(dmabuf_sync(made->dmabuf, START | directions[(i + 1) % 3]));
	}
	EXPECT_EQ(map[0], OLD);
	EXPECT_EQ(map[1], NEW);
	EXPECT_GPU(cf, imported, 0, OLD);
	EXPECT_GPU(cf, imported, 4, NEW);
}

/* ---- Lives ---- */

CASE(r19_dmabuf_outlives_its_maker, "R19", ANYONE,
     "a dma-buf keeps its content when its maker's map, handle and file are closed")
{
	struct exported *made = new_exported(cf, SIZE);

	uint8_t *map;
	uint32_t i;

	number_pages(made);
	forget_maker(made);
	new_exported(cf, SIZE);		/* which may not get its pages */
	map = map_fd(made->dmabuf, 0, SIZE);
	for (i = 0; i < PAGES; i++)
		expect_page(map + i * PAGE, i);
}

CASE(r19_map_outlives_its_dmabuf, "R19", ANYONE,
     "a map keeps its content when the dma-buf and all of its maker is closed")
{
	struct exported *made = new_exported(cf, SIZE);
	uint8_t *map = map_fd(made->dmabuf, 0, SIZE);

	number_pages(made);
	forget_maker(made);
	close(made->dmabuf);
	new_exported(cf, SIZE);
	expect_page(map + 3 * PAGE, 3);
}

CASE(r19_import_outlives_its_maker, "R19", ANYONE,
     "a GPU's import works when the dma-buf and all of its maker is closed")
{
	struct exported *made = new_exported(cf, SIZE);
	struct buffer *imported;

	need_importer(cf);
	number_pages(made);
	imported = import_buffer(cf, made->dmabuf);
	forget_maker(made);
	close(made->dmabuf);
	new_exported(cf, SIZE);
	EXPECT_GPU(cf, imported, 5 * PAGE, NEW + 5);
	gpu_put(cf, imported, SIZE - 4, OLD);
	EXPECT_GPU(cf, imported, SIZE - 4, OLD);
}

CASE(r19_content_outlives_an_import, "R19", ANYONE,
     "what a GPU wrote stays in the buffer when it unbinds and releases its import")
{
	struct exported *made = new_exported(cf, SIZE);
	struct gemsync_bo *bo;
	volatile uint32_t *map;
	uint64_t va;

	need_importer(cf);
	number_pages(made);
	bo = import_bo(cf, made->dmabuf);
	EXPECT_OK(gpu_bind(cf->gpu, bo, &va));
	EXPECT_OK(gpu_write32(cf->gpu, va + SIZE - 4, OLD));
	unbind(cf, va, SIZE);
	gemsync_bo_destroy(bo);
	map = map_fd(made->dmabuf, 0, SIZE);
	EXPECT_OK(dmabuf_sync(made->dmabuf, START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(map[SIZE / 4 - 1], OLD);
	EXPECT_EQ(map[0], NEW);
	EXPECT_OK(dmabuf_sync(made->dmabuf, END | DMA_BUF_SYNC_READ));
}

/* ---- Others ---- */

/* The same node, but another file. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0);
	return fd;
}

static int export_handle(int fd, uint32_t handle)
{
	int dmabuf, ret = drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC, &dmabuf) ? -errno : 0;

	if (!ret)
		close(dmabuf);
	return ret;
}

static int close_handle(int fd, uint32_t handle)
{
	return drmCloseBufferHandle(fd, handle) ? -errno : 0;
}

CASE(r20_handle_on_another_file, "R20", NEED_OFFSETS | ANY_EXPORTER,
     "a handle cannot be exported, closed or mapped on another file than its own")
{
	struct exported *made = new_exported(cf, SIZE);
	int other;

	if (!made->handle)
		skip("the buffers of this maker have no handles", "run on vgem or a GPU's device");
	other = open_again(made->node);
	EXPECT_EQ(export_handle(other, made->handle), -ENOENT);
	EXPECT_EQ(close_handle(other, made->handle), -EINVAL);
	EXPECT_EQ(try_map(other, made->map_offset, SIZE), -EACCES);
	EXPECT_OK(try_map(made->node, made->map_offset, SIZE));
	EXPECT_OK(export_handle(made->node, made->handle));
}

CASE(r11_gpu_and_cpu_share_pages, "R11 R22", ANYONE,
     "a GPU that imports reads what the CPU wrote through the dma-buf's map, and the other way")
{
	struct exported *made = new_exported(cf, SIZE);

	need_importer(cf);
	expect_shared(cf, made, map_fd(made->dmabuf, 0, SIZE), import_buffer(cf, made->dmabuf));
}

CASE(r11_gpu_and_maker_share_pages, "R11 R22", ANYONE,
     "a GPU that imports reads what the CPU wrote through the maker's map, and the other way")
{
	struct exported *made = new_exported(cf, SIZE);

	if (!made->map)
		skip("this maker maps buffers through the dma-buf alone",
		     "run on vgem, udmabuf or a GPU's device");
	need_importer(cf);
	expect_shared(cf, made, made->map, import_buffer(cf, made->dmabuf));
}

/* On another file of its own device, a BO is no import, and stays its device's to sync. */
CASE(r11_importer_does_not_sync, "R11", ANYONE,
     "an importer cannot sync what belongs to another maker, not even 0 bytes of it")
{
	struct exported *made = new_exported(cf, SIZE);
	int expected = cf->exporter ? -EINVAL : 0;
	struct gemsync_bo_info info;
	struct buffer *imported;

	need_importer(cf);
	imported = import_buffer(cf, made->dmabuf);
	EXPECT_OK(gemsync_bo_query(imported->bo, &info));
	EXPECT_EQ(info.imported, cf->exporter != NULL);
	EXPECT_EQ(flush(cf, imported, 0, 64), expected);
	EXPECT_EQ(invalidate(cf, imported, 0, SIZE), expected);
	EXPECT_EQ(flush(cf, imported, 0, 0), expected);
	EXPECT_OK(flush(cf, new_buffer(cf, SIZE, 0), 0, 64));
}

CASES(exporters, "What makers of dma-bufs owe",
      &r17_makers_map_of_new_pages,
      &r17_dmabufs_map_of_new_pages,
      &r17_begin_access_on_new_pages,
      &r17_importer_of_new_pages,
      &r17_cut_map_of_the_maker,
      &r17_cut_map_of_the_dmabuf,
      &r17_map_from_an_offset,
      &r17_torn_and_moved_map,
      &r17_both_maps_agree,
      &r8_map_beyond_the_end,
      &r8_size_of_the_dmabuf,
      &r8_sync_flags_of_the_dmabuf,
      &r14_unbalanced_access,
      &r19_dmabuf_outlives_its_maker,
      &r19_map_outlives_its_dmabuf,
      &r19_import_outlives_its_maker,
      &r19_content_outlives_an_import,
      &r20_handle_on_another_file,
      &r11_gpu_and_cpu_share_pages,
      &r11_gpu_and_maker_share_pages,
      &r11_importer_does_not_sync);
