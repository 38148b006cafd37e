// SPDX-License-Identifier: MIT
#include <linux/dma-buf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xf86drm.h>

#include "first.h"
#include "share.h"

/* ---- Makers ---- */

/* Of a GPU's device: the library's side of it. */
struct made {
	struct exported buffer;
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
};

static struct made all_made[16];
static size_t made_count;

static struct made *next_made(void)
{
	if (made_count == ARRAY_SIZE(all_made))
		fail("the case makes more to share than there is room for");
	return &all_made[made_count++];
}

/* As the exporters of the stock kernel do: mapped, with a handle on a file. */
static void make_on_device(struct cf *cf, uint64_t size, struct made *made)
{
	int ret;

	EXPECT_OK(gemsync_device_open(cf->name, &made->dev));
	EXPECT_OK(gemsync_bo_create(made->dev, size, GEMSYNC_BO_SHAREABLE, &made->bo));
	EXPECT_OK(gemsync_bo_map(made->bo, &made->buffer.map));
	EXPECT_OK(gemsync_bo_export(made->bo, &made->buffer.dmabuf));
	ret = gpu_map_offset(made->dev, made->bo, &made->buffer.map_offset);
	EXPECT(!ret || ret == -EOPNOTSUPP);	/* who looks at it says NEED_OFFSETS */
	made->buffer.node = gemsync_device_fd(made->dev);
	made->buffer.handle = gemsync_bo_handle(made->bo);
	made->buffer.size = size;
}

struct exported *new_exported(struct cf *cf, uint64_t size)
{
	struct made *made = next_made();

	if (cf->exporter)
		EXPECT_OK(exporter_alloc(cf->exporter, size, &made->buffer));
	else
		make_on_device(cf, size, made);
	return &made->buffer;
}

struct exported *new_foreign(const char *maker, uint64_t size)
{
	struct made *made = next_made();
	int ret;

	ret = exporter_probe(exporter_find(maker));
	if (ret == -ENODEV || ret == -EACCES)
		skip("a maker of dma-bufs is not there, or not for this user",
		     "load vgem and udmabuf, enable the system dma-heap, and run as root");
	EXPECT_OK(exporter_alloc(exporter_find(maker), size, &made->buffer));
	return &made->buffer;
}

void forget_maker(struct exported *buffer)
{
	struct made *made = (struct made *)buffer;	/* buffer is the first member */

	if (made->dev) {
		gemsync_bo_destroy(made->bo);
		gemsync_device_close(made->dev);
		made->dev = NULL;
	} else {
		if (buffer->map)
			munmap(buffer->map, buffer->size);
		if (buffer->handle)
			EXPECT_OK(drmCloseBufferHandle(buffer->node, buffer->handle));
		close(buffer->node);
	}
	buffer->map = NULL;
	buffer->handle = 0;
	buffer->node = -1;
}

/* ---- Importers ---- */

void need_importer(struct cf *cf)
{
	if (cf->gpu)
		return;
	if (first_device(&cf->dev))
		skip("there is no GPU to import into",
		     "run where a driver that gemsync knows has a device (vm/run)");
	gemsync_device_query(cf->dev, &cf->info);
	cf->fd = gemsync_device_fd(cf->dev);
	EXPECT_OK(gpu_open(cf->dev, &cf->gpu));
}

struct gemsync_bo *import_bo(struct cf *cf, int dmabuf)
{
	struct gemsync_bo *bo;
	int ret;

	ret = gemsync_device_import(cf->dev, dmabuf, &bo);
	if (ret == -EOPNOTSUPP)
		skip("the driver does not tell what imported BOs are: the library takes over none",
		     "run on a driver with a query (panthor, panfrost)");
	EXPECT_OK(ret);
	return bo;
}

struct buffer *import_buffer(struct cf *cf, int dmabuf)
{
	struct buffer *buf = next_buffer(cf);

	buf->bo = import_bo(cf, dmabuf);
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	return buf;
}

struct gemsync_device *primary_node(struct cf *cf)
{
	char *name = drmGetPrimaryDeviceNameFromFd(cf->fd);
	struct gemsync_device *dev;

	if (!name || access(name, R_OK | W_OK))
		skip("the device has no primary node, or not for this user", "run as root");
	EXPECT_OK(gemsync_device_open(name, &dev));
	drmFree(name);
	return dev;
}

/* ---- Other processes ---- */

void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	EXPECT_EQ(sendmsg(sock, &msg, 0), 1);
}

int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* ---- Maps ---- */

void *map_fd(int fd, uint64_t offset, uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	EXPECT_EQ(map == MAP_FAILED ? -errno : 0, 0);
	return map;
}

int try_map(int fd, uint64_t offset, uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, size);
	return 0;
}

/* ---- What is in it ---- */

static uint32_t *words_by_gpu(struct cf *cf, const struct buffer *buf, uint64_t size)
{
	uint32_t *words = malloc(size);

	if (!words)
		fail("out of memory");
	memset(words, 0xff, size);
	EXPECT_OK(gpu_read(cf->gpu, buf->va, words, size));
	return words;
}

void expect_shared(struct cf *cf, const struct exported *made, void *map,
		   const struct buffer *imported)
{
	volatile uint32_t *words = map;
	uint64_t i, count = made->size / 4, page = PAGE / 4;
	uint32_t *seen;

	EXPECT_OK(dmabuf_sync(made->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	for (i = 0; i < count; i += page)
		words[i] = NEW + (uint32_t)i;
	words[count - 1] = OLD;
	EXPECT_OK(dmabuf_sync(made->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	seen = words_by_gpu(cf, imported, made->size);
	for (i = 0; i < count; i += page)
		EXPECT_EQ(seen[i], NEW + (uint32_t)i);
	EXPECT_EQ(seen[count - 1], OLD);
	free(seen);

	for (i = 0; i < count; i += page)
		gpu_put(cf, imported, i * 4 + 8, OLD + (uint32_t)i);
	gpu_put(cf, imported, made->size - 4, NEW);
	EXPECT_OK(dmabuf_sync(made->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	for (i = 0; i < count; i += page)
		EXPECT_EQ(words[i + 2], OLD + (uint32_t)i);
	EXPECT_EQ(words[count - 1], NEW);
	EXPECT_EQ(words[0], NEW);
	EXPECT_OK(dmabuf_sync(made->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

uint64_t count_nonzero(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint64_t i, n = 0;

	for (i = 0; i < size; i++)
		n += bytes[i] != 0;
	return n;
}

uint64_t count_nonzero_by_gpu(struct cf *cf, const struct buffer *buf, uint64_t size)
{
	uint32_t *words = words_by_gpu(cf, buf, size);
	uint64_t n = count_nonzero(words, size);

	free(words);
	return n;
}

/* ---- SIGBUS ---- */

static __thread sigjmp_buf after_sigbus;
static __thread volatile sig_atomic_t expecting;

static void on_sigbus(int number)
{
	if (expecting)
		siglongjmp(after_sigbus, 1);
	/* Nobody's: the instruction comes again, and ends the process. */
	signal(number, SIG_DFL);
}

bool ends_with_sigbus(void (*call)(void *data), void *data)
{
	const struct sigaction action = { .sa_handler = on_sigbus };
	volatile bool caught = false;

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(after_sigbus, 1)) {
		caught = true;
	} else {
		expecting = 1;
		call(data);
	}
	expecting = 0;
	return caught;
}

static void load(void *data)
{
	(void)*(volatile uint8_t *)data;
}

bool is_sigbus(const void *byte)
{
	return ends_with_sigbus(load, (void *)byte);
}
