// SPDX-License-Identifier: MIT
/* Sharing with other drivers and processes (R11, R13, R15, R17, R23; case 49). */
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sharing.h"

#define SIZE	(64 * 1024u)

/* CPU map and GPU map of the same memory agree, in both directions and at its end. */
static void check_shared(struct fixture *f, uint32_t *map, int dmabuf)
{
	const uint32_t last = SIZE / 4 - 1;
	uint32_t value;

	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	map[0] = 0x01010101;
	map[last] = 0x02020202;
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	assert_ok(gpu_read32(f->gpu, IMPORT_VA, &value));
	assert_int_equal(value, 0x01010101);
	assert_ok(gpu_read32(f->gpu, IMPORT_VA + SIZE - 4, &value));
	assert_int_equal(value, 0x02020202);

	assert_ok(gpu_write32(f->gpu, IMPORT_VA + SIZE - 4, 0x03030303));
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	assert_int_equal(map[last], 0x03030303);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

static void import_from_the_system_heap(void **state)
{
	struct fixture *f = need_file(state);
	int dmabuf = heap_alloc(SIZE);
	void *map = map_dmabuf(dmabuf, SIZE);

	assert_ptr_not_equal(map, MAP_FAILED);
	import_and_bind(f, dmabuf, SIZE);
	check_shared(f, map, dmabuf);
	munmap(map, SIZE);
	close(dmabuf);
}

static void import_from_udmabuf(void **state)
{
	struct fixture *f = need_file(state);
	void *map;
	int dmabuf = udmabuf_alloc(SIZE, &map);

	import_and_bind(f, dmabuf, SIZE);
	check_shared(f, map, dmabuf);
	munmap(map, SIZE);
	close(dmabuf);
}

static void import_from_vgem(void **state)
{
	struct fixture *f = need_file(state);
	int vgem = vgem_open();
	uint32_t handle;
	int dmabuf = vgem_alloc(vgem, SIZE, &handle);
	void *map = vgem_map(vgem, handle, SIZE);

	import_and_bind(f, dmabuf, SIZE);
	check_shared(f, map, dmabuf);
	munmap(map, SIZE);
	close(dmabuf);
	close(vgem);
}

/* R17: an importer that comes before any map of the exporter's sees zeros. */
static void export_to_vgem(void **state)
{
	struct fixture *f = need_file(state);
	int vgem = vgem_open();
	struct gemsync_bo *bo;
	uint32_t handle, *map;
	uint64_t va;
	size_t i;
	int dmabuf;

	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	assert_ok(export_handle(f->fd, gemsync_bo_handle(bo), &dmabuf));
	assert_ok(import_dmabuf(vgem, dmabuf, &handle));
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	map = map_dmabuf(dmabuf, SIZE);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < SIZE / 4; i++)
		assert_int_equal(map[i], 0);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);

	assert_ok(gpu_bind(f->gpu, bo, &va));
	assert_ok(gpu_write32(f->gpu, va, 0x600d));
	assert_int_equal(map[0], 0x600d);
	munmap(map, SIZE);
	assert_ok(gpu_unbind(f->gpu, va, SIZE));
	gemsync_bo_destroy(bo);
	close(dmabuf);
	close(vgem);
}

/* R11, R23: an imported BO is its exporter's to sync, and says so. */
static void import_is_not_synced(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *native = new_buffer(f, SIZE, 0);
	struct drm_panthor_bo_sync_op op = { .size = 64 };
	uint32_t create_flags, extra_flags;
	int dmabuf = heap_alloc(SIZE);

	op.handle = import_and_bind(f, dmabuf, SIZE);
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -EINVAL);
	op.size = 0;
	assert_int_equal(raw_sync(f->fd, &op, 1, sizeof(op)), -EINVAL);
	op.handle = gemsync_bo_handle(native->bo);
	assert_ok(raw_sync(f->fd, &op, 1, sizeof(op)));

	assert_ok(query_handle(f->fd, import_and_bind(f, dmabuf, SIZE), &create_flags,
			       &extra_flags));
	assert_int_equal(extra_flags, DRM_PANTHOR_BO_IS_IMPORTED);
	assert_int_equal(create_flags, DRM_PANTHOR_BO_NO_MMAP);
	close(dmabuf);
}

/* How often mmap() of @size bytes succeeds at any page offset of [from, to]. */
static unsigned int guess_offsets(int fd, uint64_t from, uint64_t to, uint64_t size)
{
	unsigned int hits = 0;
	uint64_t offset;
	void *map;

	for (offset = from; offset <= to; offset += 4096) {
		map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, offset);
		if (map == MAP_FAILED)
			continue;
		munmap(map, size);
		hits++;
	}
	return hits;
}

/* R15, R16: not by the call, and not by guessing; the guess finds one native BO more. */
static void import_is_not_mapped(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *first = new_buffer(f, SIZE, 0);
	uint64_t offset, from, to;
	int dmabuf = heap_alloc(SIZE);
	unsigned int hits;
	uint32_t handle;

	assert_ok(mmap_offset(f->fd, gemsync_bo_handle(first->bo), &offset));
	from = offset > 64 * SIZE ? offset - 64 * SIZE : 0;
	to = offset + 64 * SIZE;
	hits = guess_offsets(f->fd, from, to, SIZE);

	handle = import_and_bind(f, dmabuf, SIZE);
	assert_int_equal(mmap_offset(f->fd, handle, &offset), -EPERM);
	assert_int_equal(guess_offsets(f->fd, from, to, SIZE), hits);
	new_buffer(f, SIZE, 0);
	assert_int_equal(guess_offsets(f->fd, from, to, SIZE), hits + 1);
	close(dmabuf);
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
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
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static int receive_fd(int sock)
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

/* The other process: imports, lets its GPU add a word, and ends with 0 if all went well. */
static int other_process(int sock)
{
	struct gemsync_device *dev;
	struct gpu *gpu;
	uint32_t handle, value;
	int dmabuf = receive_fd(sock);

	if (dmabuf < 0 || gemsync_device_open(getenv("GEMSYNC_TEST_DEVICE"), &dev))
		return 1;
	if (gpu_open(dev, &gpu) || import_dmabuf(gemsync_device_fd(dev), dmabuf, &handle))
		return 2;
	if (bind_handle(gemsync_device_fd(dev), gemsync_device_vm(dev), handle, IMPORT_VA, SIZE))
		return 3;
	if (gpu_read32(gpu, IMPORT_VA, &value) || value != 0x1234)
		return 4;
	if (gpu_write32(gpu, IMPORT_VA + 4, 0x5678))
		return 5;
	gpu_close(gpu);
	gemsync_device_close(dev);
	return 0;
}

/* Two processes, each with its own device file, and a socket between them. */
static void between_processes(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = new_buffer(f, SIZE, GEMSYNC_BO_SHAREABLE);
	int socks[2], status, dmabuf = export_bo(f, buf);
	pid_t pid;

	assert_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	cpu_put(buf, 0, 0x1234);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(other_process(socks[1]));
	send_fd(socks[0], dmabuf);
	close(dmabuf);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(cpu_get(buf, 4), 0x5678);
	close(socks[0]);
	close(socks[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(import_from_the_system_heap),
		device_test(import_from_udmabuf),
		device_test(import_from_vgem),
		device_test(export_to_vgem),
		device_test(import_is_not_synced),
		device_test(import_is_not_mapped),
		device_test(between_processes),
	};

	return cmocka_run_group_tests_name("sharing_devices", tests, NULL, NULL);
}
