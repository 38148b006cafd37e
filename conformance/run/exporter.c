// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "exporter.h"

#define HEAP_NODE	"/dev/dma_heap/system"
#define UDMABUF_NODE	"/dev/udmabuf"

struct exporter {
	const char *name;
	/* A descriptor of its node, or -errno. */
	int (*open)(void);
	/* Fill out->dmabuf, map and handle; out->node is open. 0 or -errno. */
	int (*alloc)(struct exported *out);
};

static int map_shared(int fd, uint64_t offset, uint64_t size, void **out)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

int dmabuf_map(int dmabuf, uint64_t size, void **out)
{
	return map_shared(dmabuf, 0, size, out);
}

int dmabuf_sync(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

static int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	return fd;
}

/* ---- The system dma-heap ---- */

static int heap_open(void)
{
	return open_node(HEAP_NODE);
}

static int heap_alloc(struct exported *out)
{
	struct dma_heap_allocation_data data = {
		.len = out->size, .fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(out->node, DMA_HEAP_IOCTL_ALLOC, &data))
		return -errno;
	out->dmabuf = data.fd;
	return 0;
}

/* ---- udmabuf: the pages of a memfd ---- */

static int udmabuf_open(void)
{
	return open_node(UDMABUF_NODE);
}

static int udmabuf_create(int node, int memfd, uint64_t size)
{
	struct udmabuf_create create = {
		.memfd = memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .size = size,
	};
	int dmabuf;

	if (ftruncate(memfd, size) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	dmabuf = ioctl(node, UDMABUF_CREATE, &create);
	return dmabuf < 0 ? -errno : dmabuf;
}

static int udmabuf_alloc(struct exported *out)
{
	int memfd = memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret;

	if (memfd < 0)
		return -errno;
	ret = udmabuf_create(out->node, memfd, out->size);
	if (ret >= 0) {
		out->dmabuf = ret;
		ret = map_shared(memfd, 0, out->size, &out->map);
		if (ret)
			close(out->dmabuf);
	}
	close(memfd);
	return ret;
}

/* ---- vgem: dumb buffers ---- */

static bool is_vgem(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool found = version && !strcmp(version->name, "vgem");

	drmFreeVersion(version);
	return found;
}

static int vgem_open(void)
{
	char path[32];
	int minor, fd;

	for (minor = 0; minor < 16; minor++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vgem(fd))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static int vgem_alloc(struct exported *out)
{
	struct drm_mode_create_dumb dumb = { .width = out->size / 4, .height = 1, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	int ret;

	if (ioctl(out->node, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return -errno;
	out->handle = dumb.handle;
	map.handle = dumb.handle;
	if (ioctl(out->node, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return -errno;
	out->map_offset = map.offset;
	ret = map_shared(out->node, map.offset, out->size, &out->map);
	if (ret)
		return ret;
	if (drmPrimeHandleToFD(out->node, dumb.handle, DRM_CLOEXEC | DRM_RDWR, &out->dmabuf)) {
		ret = -errno;
		munmap(out->map, out->size);
	}
	return ret;
}

/* ---- All of them ---- */

static const struct exporter exporters[] = {
	{ "vgem", vgem_open, vgem_alloc },
	{ "udmabuf", udmabuf_open, udmabuf_alloc },
	{ "heap", heap_open, heap_alloc },
};

const struct exporter *exporter_at(unsigned int index)
{
	return index < sizeof(exporters) / sizeof(exporters[0]) ? &exporters[index] : NULL;
}

const struct exporter *exporter_find(const char *name)
{
	const struct exporter *exporter;
	unsigned int i;

	for (i = 0; (exporter = exporter_at(i)); i++)
		if (name && !strcmp(exporter->name, name))
			return exporter;
	return NULL;
}

const char *exporter_name(const struct exporter *exporter)
{
	return exporter->name;
}

int exporter_probe(const struct exporter *exporter)
{
	int node = exporter->open();

	if (node < 0)
		return node;
	close(node);
	return 0;
}

int exporter_alloc(const struct exporter *exporter, uint64_t size, struct exported *out)
{
	struct exported buffer = { .dmabuf = -1, .size = size };
	int ret;

	buffer.node = exporter->open();
	if (buffer.node < 0)
		return buffer.node;
	ret = exporter->alloc(&buffer);
	/* A handle that was made goes with its file. */
	if (ret)
		close(buffer.node);
	else
		*out = buffer;
	return ret;
}

void exporter_free(struct exported *buffer)
{
	if (buffer->map)
		munmap(buffer->map, buffer->size);
	close(buffer->dmabuf);
	close(buffer->node);
}
