// SPDX-License-Identifier: MIT
/* Devices of the kernel: finding and opening their nodes, and what all their drivers share. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "internal.h"
#include "names.h"

#define DEVICES_MAX	64

static const struct drm_ops *const drivers[] = {
	&gemsync_panthor_ops,
	&gemsync_powervr_ops,
	&gemsync_panfrost_ops,
};

const char *gemsync_driver_at(unsigned int index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index]->base.driver : NULL;
}

int gemsync_drm_ioctl(const struct gemsync_device *dev, unsigned long request, void *arg)
{
	return drmIoctl(dev->fd, request, arg) ? -errno : 0;
}

static const struct drm_ops *drm_ops_of(const struct gemsync_device *dev)
{
	return (const struct drm_ops *)dev->ops;	/* base is the first member */
}

static const struct drm_ops *find_own(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->base.driver, name))
			return drivers[i];
	return NULL;
}

bool gemsync_drm_knows(const char *name)
{
	return find_own(name);
}

static const struct device_ops *find_driver(const char *name)
{
	const struct drm_ops *ops = find_own(name);

	if (!ops)
		ops = gemsync_described_find(name);
	return ops ? &ops->base : NULL;
}

/* The driver's name and version. -ENODEV if @fd is no DRM node, or not of driver @want. */
static int read_version(int fd, const char *want, struct gemsync_device_info *info)
{
	drmVersionPtr version;
	int ret = 0;

	if (drmGetNodeTypeFromFd(fd) < 0)
		return -ENODEV;
	version = drmGetVersion(fd);
	if (!version)
		return -ENODEV;
	if (want && strcmp(want, version->name))
		ret = -ENODEV;
	snprintf(info->driver, sizeof(info->driver), "%s", version->name);
	info->version_major = version->version_major;
	info->version_minor = version->version_minor;
	drmFreeVersion(version);
	return ret;
}

static void read_node(int fd, struct gemsync_device_info *info)
{
	char *node = drmGetDeviceNameFromFd2(fd);

	if (node)
		snprintf(info->node, sizeof(info->node), "%s", node);
	free(node);
}

/* Everything about a device but its address space; dev->fd is open. */
static int read_info(struct gemsync_device *dev, const char *want)
{
	int ret;

	memset(&dev->info, 0, sizeof(dev->info));
	ret = read_version(dev->fd, want, &dev->info);
	if (ret)
		return ret;
	dev->ops = find_driver(dev->info.driver);
	if (!dev->ops)
		return -EOPNOTSUPP;
	ret = drm_ops_of(dev)->probe(dev);
	if (ret)
		return ret;
	read_node(dev->fd, &dev->info);
	dev->info.page_size = sysconf(_SC_PAGESIZE);
	dev->info.can_sync = dev->ops->sync;
	return drm_ops_of(dev)->query(dev, &dev->info);
}

/* An emulated device that does not tell its line size is an error, not a guess (R24). */
static int read_emulated_cache(struct gemsync_device *dev)
{
	uint64_t line;
	int ret;

	ret = gemsync_emulation_read(dev->attributes, "line_size", &line);
	if (ret)
		return ret;
	if (!line || line > UINT32_MAX)
		return -EIO;
	dev->info.line_size = line;
	dev->info.granule = line;
	ret = gemsync_emulation_read_user_ops(dev->attributes, &dev->user_ops);
	if (ret)
		return ret;
	return gemsync_emulation_read_chaos(dev->attributes, &dev->info.chaos);
}

static int read_cache(struct gemsync_device *dev)
{
	struct gemsync_cpu_info cpu;

	dev->attributes = gemsync_emulation_open(dev->fd);
	dev->unseen = dev->attributes == -ENODEV;
	if (dev->attributes < 0 && dev->attributes != -ENOENT && !dev->unseen)
		return dev->attributes;
	dev->info.emulated = dev->attributes >= 0;
	if (dev->info.emulated) {
		dev->emulation = &gemsync_kernel_emulation_ops;
		return read_emulated_cache(dev);
	}
	gemsync_cpu_query(&cpu);	/* a line size of 0 says enough */
	dev->info.line_size = (uint32_t)cpu.line_size;
	dev->info.granule = (uint32_t)cpu.granule;
	return 0;
}

static void close_files(struct gemsync_device *dev)
{
	if (dev->attributes >= 0)
		close(dev->attributes);
	close(dev->fd);
}

/* Takes @fd over, also when it fails. @want: the only driver to accept, or NULL. */
static int attach(struct gemsync_device *dev, int fd, const char *want)
{
	int ret;

	dev->fd = fd;
	dev->attributes = -1;
	dev->emulation = NULL;
	ret = read_info(dev, want);
	if (!ret)
		ret = read_cache(dev);
	if (!ret && drm_ops_of(dev)->vm_create)
		ret = drm_ops_of(dev)->vm_create(dev, &dev->vm);
	if (ret)
		close_files(dev);
	return ret;
}

static int open_node(struct gemsync_device *dev, const char *path, const char *want)
{
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
	return attach(dev, fd, want);
}

/*
 * The first render node that opens. If none does, the error of a node that is
 * there says more than that there is no device.
 */
static int open_first(struct gemsync_device *dev, const char *want)
{
	drmDevicePtr devices[DEVICES_MAX];
	int count, i, err, ret = -ENODEV;

	count = drmGetDevices2(0, devices, DEVICES_MAX);
	if (count < 0)
		return count == -ENOMEM ? -ENOMEM : -ENODEV;
	for (i = 0; i < count; i++) {
		if (!(devices[i]->available_nodes & 1 << DRM_NODE_RENDER))
			continue;
		err = open_node(dev, devices[i]->nodes[DRM_NODE_RENDER], want);
		if (!err) {
			ret = 0;
			break;
		}
		if (err != -ENODEV)
			ret = err;
	}
	drmFreeDevices(devices, count);
	return ret;
}

int gemsync_drm_open(struct gemsync_device *dev, const char *name)
{
	if (name && strchr(name, '/'))
		return open_node(dev, name, NULL);
	return open_first(dev, name);
}

int gemsync_drm_open_fd(struct gemsync_device *dev, int fd)
{
	int copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	return attach(dev, copy, NULL);
}

void gemsync_drm_close(struct gemsync_device *dev)
{
	if (drm_ops_of(dev)->vm_destroy)
		drm_ops_of(dev)->vm_destroy(dev, dev->vm);
	close_files(dev);
}

void gemsync_drm_bo_destroy(struct gemsync_device *dev, uint32_t handle)
{
	drmCloseBufferHandle(dev->fd, handle);
}

int gemsync_drm_bo_map_at(struct gemsync_device *dev, const struct gemsync_bo *bo,
			  uint64_t offset, void **out)
{
	void *map;

	if ((size_t)bo->size != bo->size)
		return -ENOMEM;
	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, offset);
	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

void gemsync_drm_bo_unmap(struct gemsync_device *dev, const struct gemsync_bo *bo)
{
	(void)dev;
	munmap(bo->map, bo->size);
}

int gemsync_drm_bo_export(struct gemsync_device *dev, uint32_t handle, int *fd)
{
	int exported;

	if (drmPrimeHandleToFD(dev->fd, handle, DRM_CLOEXEC | DRM_RDWR, &exported))
		return -errno;
	*fd = exported;
	return 0;
}

int gemsync_drm_bo_check_export(struct gemsync_device *dev, uint32_t handle)
{
	int fd = -1, ret;

	ret = gemsync_drm_bo_export(dev, handle, &fd);
	if (!ret)
		close(fd);
	return ret == -EPERM ? -EINVAL : ret;
}

int gemsync_drm_bo_import(struct gemsync_device *dev, int fd, uint32_t *handle, uint64_t *size)
{
	off_t end;

	if (drmPrimeFDToHandle(dev->fd, fd, handle))
		return -errno;
	/* Of a dma-buf, which it is by now, this is the size. */
	end = lseek(fd, 0, SEEK_END);
	*size = end;
	return 0;
}
