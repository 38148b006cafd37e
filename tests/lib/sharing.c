// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "sharing.h"

int export_handle(int drm, uint32_t handle, int *dmabuf)
{
	return drmPrimeHandleToFD(drm, handle, DRM_CLOEXEC | DRM_RDWR, dmabuf) ? -errno : 0;
}

int import_dmabuf(int drm, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(drm, dmabuf, handle) ? -errno : 0;
}

int export_buffer(struct fixture *f, const struct buffer *buf)
{
	int dmabuf;

	assert_ok(export_handle(f->fd, gemsync_bo_handle(buf->bo), &dmabuf));
	return dmabuf;
}

int bind_handle(int drm, uint32_t vm, uint32_t handle, uint64_t va, uint64_t size)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
		.bo_handle = handle,
		.va = va,
		.size = size,
	};
	struct drm_panthor_vm_bind bind = {
		.vm_id = vm,
		.ops = { .stride = sizeof(op), .count = 1, .array = (uintptr_t)&op },
	};

	return raw_ioctl(drm, DRM_IOCTL_PANTHOR_VM_BIND, &bind);
}

int query_handle(int drm, uint32_t handle, uint32_t *create_flags, uint32_t *extra_flags)
{
	struct drm_panthor_bo_query_info info = { .handle = handle };
	int ret = raw_ioctl(drm, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &info);

	*create_flags = info.create_flags;
	*extra_flags = info.extra_flags;
	return ret;
}

int mmap_offset(int drm, uint32_t handle, uint64_t *offset)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = handle };
	int ret = raw_ioctl(drm, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);

	if (!ret)
		*offset = args.offset;
	return ret;
}

int open_primary(struct fixture *f)
{
	char path[64], *name;
	int fd;

	name = drmGetPrimaryDeviceNameFromFd(f->fd);
	assert_non_null(name);
	snprintf(path, sizeof(path), "%s", name);
	drmFree(name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		skip_because("%s: %s", path, strerror(errno));
	return fd;
}

void *map_dmabuf(int dmabuf, uint64_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
}

void sync_dmabuf(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	assert_ok(raw_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync));
}

int vgem_open(void)
{
	char path[32];
	int minor, fd;

	for (minor = 0; minor < 16; minor++) {
		drmVersionPtr version;
		bool found;

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
	skip_because("no vgem device: load the module vgem, and run as root");
}
