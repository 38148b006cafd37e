// SPDX-License-Identifier: MIT
/*
 * A BO that another process uses on the GPU of another driver (R13, R14). Which of them
 * are there is found out; the suite on each of them is the other direction.
 */
#include <linux/dma-buf.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share.h"

#define SIZE	(64 * KIB)

static const char *const drivers[] = { "panthor", "panfrost", "powervr" };

/* What the other process is asked for, and what it answers. */
struct request {
	bool store;
	uint32_t value;
	uint64_t offset;
};

struct answer {
	bool opened;	/* there is such a device, and its GPU can be made to work */
	int error;
	uint32_t value;
};

struct peer {
	pid_t pid;
	int sock;
};

/* ---- The other process ---- */

static struct answer set_up(const char *driver, int dmabuf, struct gemsync_gpu **gpu, uint64_t *va)
{
	struct gemsync_device *dev;
	struct answer answer = { 0 };

	answer.error = gemsync_device_open(driver, &dev);
	if (!answer.error)
		answer.error = gpu_open(dev, gpu);
	answer.opened = !answer.error;
	if (answer.opened)
		answer.error = gpu_bind_dmabuf(*gpu, dmabuf, va);
	return answer;
}

static void serve(const char *driver, int sock)
{
	struct request request;
	struct answer answer;
	struct gemsync_gpu *gpu;
	uint64_t va;

	answer = set_up(driver, receive_fd(sock), &gpu, &va);
	while (write(sock, &answer, sizeof(answer)) == sizeof(answer) && !answer.error &&
	       read(sock, &request, sizeof(request)) == sizeof(request)) {
		if (request.store)
			answer.error = gpu_write32(gpu, va + request.offset, request.value);
		else
			answer.error = gpu_read32(gpu, va + request.offset, &answer.value);
	}
	_exit(0);
}

/* ---- This one ---- */

/* False if there is no such device, or not one whose GPU can be made to work. */
static bool start_peer(const char *driver, int dmabuf, struct peer *peer)
{
	struct answer answer;
	int socks[2];

	EXPECT_OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks));
	peer->pid = fork();
	EXPECT(peer->pid >= 0);
	if (!peer->pid) {
		close(socks[0]);
		serve(driver, socks[1]);
	}
	close(socks[1]);
	peer->sock = socks[0];
	send_fd(peer->sock, dmabuf);
	EXPECT_EQ(read(peer->sock, &answer, sizeof(answer)), sizeof(answer));
	if (answer.opened)
		EXPECT_OK(answer.error);
	else
		EXPECT(answer.error == -ENODEV || answer.error == -EACCES ||
		       answer.error == -EOPNOTSUPP);
	return answer.opened;
}

static void end_peer(struct peer *peer)
{
	int status = -1;

	close(peer->sock);
	EXPECT_EQ(waitpid(peer->pid, &status, 0), peer->pid);
	EXPECT_EQ(status, 0);
}

static uint32_t ask(struct peer *peer, bool store, uint64_t offset, uint32_t value)
{
	const struct request request = { .store = store, .offset = offset, .value = value };
	struct answer answer = { .error = -EPIPE };

	EXPECT_EQ(write(peer->sock, &request, sizeof(request)), sizeof(request));
	EXPECT_EQ(read(peer->sock, &answer, sizeof(answer)), sizeof(answer));
	EXPECT_OK(answer.error);
	return answer.value;
}

/* Run @check with a process on each of the other drivers, or skip the case. */
static void with_others(struct cf *cf, struct buffer *buf,
			void (*check)(struct cf *cf, struct buffer *buf, int dmabuf,
				      struct peer *peer))
{
	struct peer peer;
	unsigned int met = 0;
	int dmabuf;
	size_t i;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (!strcmp(drivers[i], cf->info.driver))
			continue;
		if (start_peer(drivers[i], dmabuf, &peer)) {
			check(cf, buf, dmabuf, &peer);
			met++;
		}
		end_peer(&peer);
	}
	close(dmabuf);
	if (!met)
		skip("no other driver has a device",
		     "run where another driver has one (vm/run has panthor, panfrost and powervr)");
}

static void share_without_sync(struct cf *cf, struct buffer *buf, int dmabuf, struct peer *peer)
{
	(void)dmabuf;
	cpu_put(buf, 0, NEW);
	EXPECT_EQ(ask(peer, false, 0, 0), NEW);
	cpu_put(buf, 0, OLD);
	EXPECT_EQ(ask(peer, false, 0, 0), OLD);
	gpu_put(cf, buf, SIZE - 4, NEW);
	EXPECT_EQ(ask(peer, false, SIZE - 4, 0), NEW);
	ask(peer, true, 4096, NEW);
	EXPECT_CPU(cf, buf, 4096, NEW);
	EXPECT_GPU(cf, buf, 4096, NEW);
	ask(peer, true, 4096, OLD);
	EXPECT_CPU(cf, buf, 4096, OLD);
}

CASE(r13_another_driver, "R13 R17", NEED_FILE | NO_SYNC,
     "another process's GPU, of another driver, shares a BO that is not cached, without any sync")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);

	with_others(cf, buf, share_without_sync);
}

static void share_by_hooks(struct cf *cf, struct buffer *buf, int dmabuf, struct peer *peer)
{
	put_both(cf, buf, 0, OLD);
	put_both(cf, buf, 4096, OLD);
	/* The twins: without the call either side sees what was there. */
	cpu_put(buf, 0, NEW);
	EXPECT_EQ(ask(peer, false, 0, 0), OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(ask(peer, false, 0, 0), NEW);
	ask(peer, true, 4096, NEW);
	EXPECT_CPU(cf, buf, 4096, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_CPU(cf, buf, 4096, NEW);
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

CASE(r14_another_driver, "R14", NEED_HOOKS | NEED_SYNC,
     "another process's GPU, of another driver, shares a cached BO by begin and end; without, it is stale")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE);

	with_others(cf, buf, share_by_hooks);
}

CASES(drivers, "Between drivers",
      &r13_another_driver,
      &r14_another_driver);
