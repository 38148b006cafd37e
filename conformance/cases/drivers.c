// SPDX-License-Identifier: MIT
/*
 * A BO that another process uses on the GPU of another driver (R13, R14). Which of them
 * are there is found out; the suite on each of them is the other direction.
 */
#include <linux/dma-buf.h>
#include <unistd.h>

#include "peer.h"

#define SIZE	(64 * KIB)

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
	for (i = 0; i < PEER_DRIVERS; i++) {
		if (!start_peer(cf, i, dmabuf, &peer))
			continue;
		check(cf, buf, dmabuf, &peer);
		end_peer(&peer);
		met++;
	}
	close(dmabuf);
	if (!met)
		skip_without_peer();
}

static void share_without_sync(struct cf *cf, struct buffer *buf, int dmabuf, struct peer *peer)
{
	(void)dmabuf;
	cpu_put(buf, 0, NEW);
	EXPECT_EQ(peer_load(peer, 0), NEW);
	cpu_put(buf, 0, OLD);
	EXPECT_EQ(peer_load(peer, 0), OLD);
	gpu_put(cf, buf, SIZE - 4, NEW);
	EXPECT_EQ(peer_load(peer, SIZE - 4), NEW);
	peer_store(peer, 4096, NEW);
	EXPECT_CPU(cf, buf, 4096, NEW);
	EXPECT_GPU(cf, buf, 4096, NEW);
	peer_store(peer, 4096, OLD);
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
	EXPECT_EQ(peer_load(peer, 0), OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(peer_load(peer, 0), NEW);
	peer_store(peer, 4096, NEW);
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
