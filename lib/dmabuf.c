// SPDX-License-Identifier: MIT
/* CPU access to dma-bufs of any exporter. */
#include <errno.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>

#include "internal.h"

static int sync_dmabuf(int fd, uint64_t step, uint32_t access)
{
	struct dma_buf_sync args = { .flags = step };
	int ret;

	if (!access || access & ~(GEMSYNC_ACCESS_READ | GEMSYNC_ACCESS_WRITE))
		return -EINVAL;
	if (access & GEMSYNC_ACCESS_READ)
		args.flags |= DMA_BUF_SYNC_READ;
	if (access & GEMSYNC_ACCESS_WRITE)
		args.flags |= DMA_BUF_SYNC_WRITE;
	do {
		ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &args);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

int gemsync_dmabuf_begin_access(int fd, uint32_t access)
{
	return sync_dmabuf(fd, DMA_BUF_SYNC_START, access);
}

int gemsync_dmabuf_end_access(int fd, uint32_t access)
{
	return sync_dmabuf(fd, DMA_BUF_SYNC_END, access);
}
