// SPDX-License-Identifier: MIT
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

static const char *const drivers[PEER_DRIVERS] = { "panthor", "panfrost", "powervr" };

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

void end_peer(struct peer *peer)
{
	int status = -1;

	/* Peers that came later have it too. */
	shutdown(peer->sock, SHUT_RDWR);
	close(peer->sock);
	EXPECT_EQ(waitpid(peer->pid, &status, 0), peer->pid);
	EXPECT_EQ(status, 0);
}

bool start_peer(struct cf *cf, unsigned int index, int dmabuf, struct peer *peer)
{
	const char *driver = drivers[index];
	struct answer answer;
	int socks[2];

	if (!strcmp(driver, cf->info.driver))
		return false;
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
	if (answer.opened) {
		EXPECT_OK(answer.error);
		return true;
	}
	EXPECT(answer.error == -ENODEV || answer.error == -EACCES || answer.error == -EOPNOTSUPP);
	end_peer(peer);
	return false;
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

uint32_t peer_load(struct peer *peer, uint64_t offset)
{
	return ask(peer, false, offset, 0);
}

void peer_store(struct peer *peer, uint64_t offset, uint32_t value)
{
	ask(peer, true, offset, value);
}

void skip_without_peer(void)
{
	skip("no other driver has a device",
	     "run where another driver has one (vm/run has panthor, panfrost and powervr)");
}
