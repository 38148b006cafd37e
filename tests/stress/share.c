// SPDX-License-Identifier: MIT
/* BOs go to other processes through sockets, and memory of other exporters comes in. */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xf86drm.h>

#include "stress.h"

#define SIZE		(4u * PAGE)
#define LOOK_SIZE	512u

struct share {
	int vgem;
	uint32_t held;		/* vgem's handle of a BO of ours, held for a while */
};

/* Comes with a descriptor. */
struct message {
	uint32_t seed;		/* of the content */
	uint32_t generation;	/* of the device that exported */
};

static uint8_t content(uint32_t seed, uint32_t offset)
{
	return (seed + offset / 4) * 2654435761u >> 24;
}

static uint64_t window(const struct worker *worker)
{
	return GPU_BIND_AT_START + ((uint64_t)worker->index << 30);
}

static void write_content(uint8_t *map, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < SIZE; i++)
		((volatile uint8_t *)map)[i] = content(seed, i);
}

static void check_content(struct worker *worker, enum operation op, const uint8_t *seen,
			  uint32_t seed, uint32_t offset, uint32_t size)
{
	uint8_t a[LOOK_SIZE], b[LOOK_SIZE];
	uint32_t i;

	for (i = 0; i < size; i++) {
		a[i] = ((volatile const uint8_t *)seen)[i];
		b[i] = content(seed, offset + i);
	}
	check_bytes(worker, op, a, b, size);
}

/* By the GPU, through an address of its own. */
static int look(struct worker *worker, enum operation op, uint32_t handle, uint32_t seed)
{
	uint32_t offset = below(worker, SIZE / LOOK_SIZE) * LOOK_SIZE;
	struct drm_panthor_vm_bind_op map = bind_op(handle, 0, window(worker), SIZE);
	struct drm_panthor_vm_bind_op unmap = bind_op(0, 0, window(worker), SIZE);
	uint8_t seen[LOOK_SIZE];
	int ret, err;

	ret = bind_ops(worker->session, 0, &map, 1);
	if (ret)
		return ret;
	ret = engine_read(worker, window(worker) + offset, seen, LOOK_SIZE);
	if (!ret)
		check_content(worker, op, seen, seed, offset, LOOK_SIZE);
	err = bind_ops(worker->session, 0, &unmap, 1);
	return ret ? ret : err;
}

/* ---- To and from other processes ---- */

static int send_fd(int socket, const struct message *message, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	struct iovec vector = { (void *)message, sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u),
	};

	u.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&u.head), &fd, sizeof(fd));
	return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_fd(int socket, struct message *message, int *fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	struct iovec vector = { message, sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u),
	};

	if (recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	if (header.msg_controllen < CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(fd, CMSG_DATA(&u.head), sizeof(*fd));
	return 0;
}

/* vgem keeps one of our BOs, also beyond the end of its file and its device. */
static void hold_in_vgem(struct worker *worker, int dmabuf)
{
	struct share *share = worker->data;
	uint32_t handle = 0;

	if (share->vgem < 0 || drmPrimeFDToHandle(share->vgem, dmabuf, &handle))
		return;
	if (share->held)
		drmCloseBufferHandle(share->vgem, share->held);
	share->held = handle;
}

static int export_one(struct worker *worker)
{
	struct message message = {
		.seed = below(worker, 1u << 31), .generation = worker->session->generation,
	};
	struct gemsync_bo *bo;
	int dmabuf = -1, ret;
	void *map;

	ret = gemsync_bo_create(worker->session->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo);
	if (ret)
		return done(worker, OP_CREATE, ret);
	ret = gemsync_bo_map(bo, &map);
	if (!ret) {
		write_content(map, message.seed);
		ret = gemsync_bo_export(bo, &dmabuf);
	}
	gemsync_bo_destroy(bo);
	if (done(worker, OP_EXPORT, ret))
		return ret;
	if (!below(worker, 4))
		hold_in_vgem(worker, dmabuf);
	ret = send_fd(worker->out, &message, dmabuf);
	close(dmabuf);
	return done(worker, OP_SEND, ret == -EAGAIN ? 0 : ret);
}

static int check_import(struct worker *worker, int dmabuf, uint32_t seed)
{
	uint32_t offset = below(worker, SIZE / LOOK_SIZE) * LOOK_SIZE;
	struct gemsync_bo *bo;
	uint8_t *map;
	int ret;

	ret = gemsync_device_import(worker->session->dev, dmabuf, &bo);
	if (ret)
		return ret;
	ret = look(worker, OP_IMPORT, gemsync_bo_handle(bo), seed);
	gemsync_bo_destroy(bo);
	if (ret)
		return ret;
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (map == MAP_FAILED)
		return -errno;
	check_content(worker, OP_IMPORT, map + offset, seed, offset, LOOK_SIZE);
	munmap(map, SIZE);
	return 0;
}

static int import_one(struct worker *worker)
{
	struct message message = { 0 };
	int dmabuf = -1, ret;

	ret = receive_fd(worker->in, &message, &dmabuf);
	if (ret == -EAGAIN)
		return 0;
	if (ret)
		return done(worker, OP_IMPORT, ret);
	worker->tolerant = message.generation != worker->session->generation;
	ret = check_import(worker, dmabuf, message.seed);
	close(dmabuf);
	return done(worker, OP_IMPORT, ret);
}

/* ---- Memory of others ---- */

static int look_at_import(struct worker *worker, enum operation op, int dmabuf, uint32_t seed)
{
	struct gemsync_bo *bo;
	int ret;

	ret = gemsync_device_import(worker->session->dev, dmabuf, &bo);
	if (!ret) {
		ret = look(worker, op, gemsync_bo_handle(bo), seed);
		gemsync_bo_destroy(bo);
	}
	return done(worker, op, ret);
}

static int from_heap(struct worker *worker)
{
	struct dma_heap_allocation_data data = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), ret;
	uint32_t seed = below(worker, 1u << 31);
	uint8_t *map;

	if (heap < 0)
		return done(worker, OP_HEAP, -errno);
	ret = call(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	if (ret)
		return done(worker, OP_HEAP, ret);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd, 0);
	if (map == MAP_FAILED)
		return done(worker, OP_HEAP, -errno);
	write_content(map, seed);
	ret = look_at_import(worker, OP_HEAP, data.fd, seed);
	munmap(map, SIZE);
	close(data.fd);
	return ret;
}

static int vgem_bo(int vgem, uint32_t seed, uint32_t *handle, int *dmabuf)
{
	struct drm_mode_create_dumb dumb = { .width = SIZE / 4, .height = 1, .bpp = 32 };
	struct drm_mode_map_dumb args = { 0 };
	uint8_t *map;
	int ret;

	ret = call(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	*handle = args.handle = dumb.handle;
	ret = call(vgem, DRM_IOCTL_MODE_MAP_DUMB, &args);
	if (ret)
		return ret;
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vgem, args.offset);
	if (map == MAP_FAILED)
		return -errno;
	write_content(map, seed);
	munmap(map, SIZE);
	return drmPrimeHandleToFD(vgem, dumb.handle, DRM_CLOEXEC | DRM_RDWR, dmabuf) ? -errno : 0;
}

static int from_vgem(struct worker *worker)
{
	struct share *share = worker->data;
	uint32_t seed = below(worker, 1u << 31), handle = 0;
	int dmabuf = -1, ret;

	if (share->vgem < 0)
		return 0;
	ret = vgem_bo(share->vgem, seed, &handle, &dmabuf);
	if (ret)
		return done(worker, OP_VGEM, ret);
	ret = look_at_import(worker, OP_VGEM, dmabuf, seed);
	close(dmabuf);
	drmCloseBufferHandle(share->vgem, handle);
	return ret;
}

static int open_vgem(void)
{
	drmVersionPtr version;
	char path[32];
	int minor, fd;
	bool found;

	for (minor = 0; minor < 16; minor++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		found = version && !strcmp(version->name, "vgem");
		drmFreeVersion(version);
		if (found)
			return fd;
		close(fd);
	}
	return -1;
}

static int share_setup(struct worker *worker)
{
	struct share *share = worker->data;

	share->vgem = open_vgem();
	return 0;
}

static void share_after_close(struct worker *worker)
{
	struct share *share = worker->data;

	if (share->vgem > 0)
		close(share->vgem);
}

static int share_step(struct worker *worker)
{
	static int (*const steps[])(struct worker *worker) = {
		export_one, export_one, import_one, import_one, from_heap, from_vgem,
	};

	return steps[below(worker, ARRAY_SIZE(steps))](worker);
}

const struct work share_work = {
	.name = "share",
	.size = sizeof(struct share),
	.setup = share_setup,
	.step = share_step,
	.after_close = share_after_close,
};
