// SPDX-License-Identifier: MIT
/* The demo's scenarios of who may map a BO, and who may share it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "demo.h"

#define GUESSES	512	/* pages before and behind a known offset */

/* ---- Maps ---- */

/* At how many offsets around that of @bo something maps. */
static int count_offsets(struct demo *demo, struct gemsync_device *dev, struct gemsync_bo *bo,
			 unsigned int *count)
{
	uint64_t page = demo->info.page_size, known;
	unsigned int n = 0;
	void *map;
	int i, ret;

	ret = gpu_map_offset(dev, bo, &known);
	if (ret)
		return ret;
	for (i = -GUESSES; i <= GUESSES; i++) {
		map = mmap(NULL, page, PROT_READ, MAP_SHARED, gemsync_device_fd(dev),
			   known + (int64_t)i * (int64_t)page);
		if (map == MAP_FAILED)
			continue;
		munmap(map, page);
		n++;
	}
	*count = n;
	return 0;
}

/* @dev has no other BOs than these, of one page each. */
static int try_maps(struct demo *demo, struct gemsync_device *dev, struct gemsync_bo *open_bo,
		    struct gemsync_bo *tried, struct demo_result *result)
{
	bool may_map = !strcmp(result->expected, "mapped");
	unsigned int count;
	const char *first;
	void *map;
	int ret;

	ret = gemsync_bo_map(tried, &map);
	first = !ret ? "mapped" : ret == -EPERM ? "refused" : strerror(-ret);
	ret = count_offsets(demo, dev, open_bo, &count);
	if (ret == -EOPNOTSUPP) {
		snprintf(result->seen, sizeof(result->seen), "%s", first);
		return 0;
	}
	if (ret)
		return ret;
	snprintf(result->seen, sizeof(result->seen), "%s, %u offsets map", first, count);
	snprintf(result->expected, sizeof(result->expected), "%s, %d offsets map",
		 may_map ? "mapped" : "refused", may_map ? 2 : 1);
	return 0;
}

/* A second BO beside one that may be mapped, on a file without others (R16). */
static int maps(struct demo *demo, const struct demo_row *row, struct demo_result *result)
{
	struct gemsync_bo *open_bo = NULL, *tried = NULL;
	struct gemsync_device *dev;
	int ret;

	snprintf(result->expected, sizeof(result->expected),
		 row->bo_flags & GEMSYNC_BO_NO_MMAP ? "refused" : "mapped");
	ret = gemsync_device_open(demo->info.node, &dev);
	if (ret)
		return ret;
	ret = gemsync_bo_create(dev, demo->info.page_size, 0, &open_bo);
	if (!ret)
		ret = gemsync_bo_create(dev, demo->info.page_size, row->bo_flags, &tried);
	if (!ret)
		ret = try_maps(demo, dev, open_bo, tried, result);
	gemsync_bo_destroy(tried);
	gemsync_bo_destroy(open_bo);
	gemsync_device_close(dev);
	return ret;
}

/* ---- Sharing ---- */

static bool is_missing(int error)
{
	return error == -EOPNOTSUPP || error == -ENOSYS;
}

static int private_export(struct demo *demo, const struct demo_row *row,
			  struct demo_buffer *buf, struct demo_result *result)
{
	int fd, ret;

	(void)row;
	/* A driver without private BOs has made another one. */
	if (!gemsync_device_vm(demo->dev))
		return demo_skip(result);
	ret = gemsync_bo_export(buf->bo, &fd);
	if (is_missing(ret))
		return demo_skip(result);
	if (!ret)
		close(fd);
	snprintf(result->seen, sizeof(result->seen), "%s", ret ? strerror(-ret) : "exported");
	snprintf(result->expected, sizeof(result->expected), "%s", strerror(EINVAL));
	return 0;
}

/* Case 38: what comes home is the BO that left. */
static int round_trip(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		      struct demo_result *result)
{
	struct gemsync_bo *back;
	int fd, ret;

	(void)row;
	ret = gemsync_bo_export(buf->bo, &fd);
	if (is_missing(ret))
		return demo_skip(result);
	if (ret)
		return ret;
	ret = gemsync_device_import(demo->dev, fd, &back);
	close(fd);
	if (is_missing(ret))
		return demo_skip(result);
	if (ret)
		return ret;
	snprintf(result->seen, sizeof(result->seen), "%s",
		 back == buf->bo ? "the same BO" : "another BO");
	snprintf(result->expected, sizeof(result->expected), "the same BO");
	gemsync_bo_destroy(back);
	return 0;
}

static int heap_buffer(uint64_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap, ret;

	heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	if (heap < 0)
		return -errno;
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -errno : (int)data.fd;
	close(heap);
	return ret;
}

static int udmabuf_of(int memory, uint64_t size)
{
	struct udmabuf_create create = { .memfd = memory, .flags = UDMABUF_FLAGS_CLOEXEC };
	int device, ret;

	if (ftruncate(memory, size) || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	create.size = size;
	ret = ioctl(device, UDMABUF_CREATE, &create);
	ret = ret < 0 ? -errno : ret;
	close(device);
	return ret;
}

static int udmabuf(uint64_t size)
{
	int memory, ret;

	memory = memfd_create("gemsync-demo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0)
		return -errno;
	ret = udmabuf_of(memory, size);
	close(memory);
	return ret;
}

/* A dma-buf that is not this device's, from whoever makes one here. */
static int foreign_buffer(uint64_t size)
{
	int fd = heap_buffer(size);

	return fd >= 0 ? fd : udmabuf(size);
}

/* What the driver says of maps (R23) is what holds. */
static int try_import(struct gemsync_bo *bo, struct demo_result *result)
{
	struct gemsync_bo_info info;
	int mapped, flushed, ret;
	const char *expected;
	void *map;

	ret = gemsync_bo_query(bo, &info);
	if (ret)
		return ret;
	expected = info.flags & GEMSYNC_BO_NO_MMAP ? "map and flush refused" :
						     "mapped, flush refused";
	mapped = gemsync_bo_map(bo, &map);
	flushed = gemsync_bo_flush(bo, 0, 64);
	snprintf(result->expected, sizeof(result->expected), "%s", expected);
	if (flushed == -EINVAL && mapped == (info.flags & GEMSYNC_BO_NO_MMAP ? -EPERM : 0))
		snprintf(result->seen, sizeof(result->seen), "%s", expected);
	else
		snprintf(result->seen, sizeof(result->seen), "map: %d, flush: %d", mapped,
			 flushed);
	return 0;
}

/* R11, R15: an imported BO belongs to its exporter. */
static int foreign_import(struct demo *demo, const struct demo_row *row,
			  struct demo_result *result)
{
	struct gemsync_bo *bo;
	int fd, ret;

	(void)row;
	fd = foreign_buffer(DEMO_BO_SIZE);
	if (fd < 0)
		return demo_skip(result);
	ret = gemsync_device_import(demo->dev, fd, &bo);
	close(fd);
	if (is_missing(ret))
		return demo_skip(result);
	if (ret)
		return ret;
	ret = try_import(bo, result);
	gemsync_bo_destroy(bo);
	return ret;
}

static const struct demo_row rows[] = {
	{ "BO that may be mapped", "CPU maps it; tries 1025 offsets around another one's",
	  maps, .sync = true },
	{ "BO that may not", "CPU maps it; tries 1025 offsets around another one's",
	  maps, .bo_flags = GEMSYNC_BO_NO_MMAP, .sync = true },
	{ "private BO", "it is exported",
	  demo_on_buffer, private_export, .sync = true },
	{ "shareable BO", "it is exported, and imported back",
	  demo_on_buffer, round_trip, .bo_flags = GEMSYNC_BO_SHAREABLE, .sync = true },
	{ "buffer of another device", "it is imported; CPU maps and flushes it",
	  foreign_import, .sync = true },
};

const struct demo_rows demo_share_rows = { rows, sizeof(rows) / sizeof(rows[0]) };
