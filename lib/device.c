// SPDX-License-Identifier: MIT
/* Opening devices, and what is known of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "internal.h"

#define DEVICES_MAX	64

static const struct device_ops *const drivers[] = {
	&gemsync_panthor_ops,
};

int gemsync_device_ioctl(const struct gemsync_device *dev, unsigned long request, void *arg)
{
	return drmIoctl(dev->fd, request, arg) ? -errno : 0;
}

static const struct device_ops *find_driver(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->driver, name))
			return drivers[i];
	return NULL;
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

/* An emulated device that does not tell its line size is an error, not a guess (R24). */
static int read_line_size(struct gemsync_device *dev)
{
	uint64_t line;
	int ret;

	if (!dev->info.emulated) {
		dev->info.line_size = gemsync_cpu_line_size();
		return 0;
	}
	ret = gemsync_emulation_read(dev->counters, "line_size", &line);
	if (ret)
		return ret;
	if (!line || line > UINT32_MAX)
		return -EIO;
	dev->info.line_size = line;
	return 0;
}

/* Everything about a device but its address space; dev->fd is open. */
static int read_info(struct gemsync_device *dev, const char *want)
{
	int ret;

	ret = read_version(dev->fd, want, &dev->info);
	if (ret)
		return ret;
	dev->ops = find_driver(dev->info.driver);
	if (!dev->ops)
		return -EOPNOTSUPP;
	ret = dev->ops->probe(dev);
	if (ret)
		return ret;
	read_node(dev->fd, &dev->info);
	dev->info.page_size = sysconf(_SC_PAGESIZE);
	return dev->ops->query(dev, &dev->info);
}

static int read_emulation(struct gemsync_device *dev)
{
	dev->counters = gemsync_emulation_open(dev->fd);
	if (dev->counters < 0 && dev->counters != -ENOENT)
		return dev->counters;
	dev->info.emulated = dev->counters >= 0;
	return read_line_size(dev);
}

/* Takes @fd over, also when it fails. @want: the only driver to accept, or NULL. */
static int create_device(int fd, const char *want, struct gemsync_device **out)
{
	struct gemsync_device *dev;
	int ret;

	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		ret = -ENOMEM;
		goto err_close;
	}
	dev->fd = fd;
	dev->counters = -1;
	ret = read_info(dev, want);
	if (ret)
		goto err_free;
	ret = read_emulation(dev);
	if (ret)
		goto err_counters;
	if (dev->ops->vm_create) {
		ret = dev->ops->vm_create(dev, &dev->vm);
		if (ret)
			goto err_counters;
	}
	*out = dev;
	return 0;
err_counters:
	if (dev->counters >= 0)
		close(dev->counters);
err_free:
	free(dev);
err_close:
	close(fd);
	return ret;
}

static int open_node(const char *path, const char *want, struct gemsync_device **out)
{
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
	return create_device(fd, want, out);
}

/*
 * The first render node that opens. If none does, the error of a node that is
 * there says more than that there is no device.
 */
static int open_first(const char *want, struct gemsync_device **out)
{
	drmDevicePtr devices[DEVICES_MAX];
	int count, i, err, ret = -ENODEV;

	count = drmGetDevices2(0, devices, DEVICES_MAX);
	if (count < 0)
		return count == -ENOMEM ? -ENOMEM : -ENODEV;
	for (i = 0; i < count; i++) {
		if (!(devices[i]->available_nodes & 1 << DRM_NODE_RENDER))
			continue;
		err = open_node(devices[i]->nodes[DRM_NODE_RENDER], want, out);
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

int gemsync_device_open(const char *name, struct gemsync_device **out)
{
	if (name && strchr(name, '/'))
		return open_node(name, NULL, out);
	return open_first(name, out);
}

int gemsync_device_open_fd(int fd, struct gemsync_device **out)
{
	int copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	return create_device(copy, NULL, out);
}

void gemsync_device_close(struct gemsync_device *dev)
{
	if (!dev)
		return;
	if (dev->ops->vm_destroy)
		dev->ops->vm_destroy(dev, dev->vm);
	if (dev->counters >= 0)
		close(dev->counters);
	close(dev->fd);
	free(dev);
}

int gemsync_device_query(struct gemsync_device *dev, struct gemsync_device_info *info)
{
	*info = dev->info;
	return 0;
}

int gemsync_device_fd(const struct gemsync_device *dev)
{
	return dev->fd;
}

uint32_t gemsync_device_vm(const struct gemsync_device *dev)
{
	return dev->vm;
}

int gemsync_device_counters(struct gemsync_device *dev, struct gemsync_counters *counters)
{
	struct gemsync_counters now;
	int ret;

	if (!dev->info.emulated)
		return -EOPNOTSUPP;
	ret = gemsync_emulation_read(dev->counters, "lines_cleaned", &now.lines_cleaned);
	if (ret)
		return ret;
	ret = gemsync_emulation_read(dev->counters, "lines_dropped", &now.lines_dropped);
	if (ret)
		return ret;
	*counters = now;
	return 0;
}
