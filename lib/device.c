// SPDX-License-Identifier: MIT
/* Opening devices, and what is known of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static struct gemsync_device *alloc_device(void)
{
	struct gemsync_device *dev = calloc(1, sizeof(*dev));

	if (dev)
		pthread_mutex_init(&dev->lock, NULL);
	return dev;
}

static void free_device(struct gemsync_device *dev)
{
	pthread_mutex_destroy(&dev->lock);
	free(dev->found);
	free(dev);
}

int gemsync_device_open(const char *name, struct gemsync_device **out)
{
	struct gemsync_device *dev = alloc_device();
	int ret;

	if (!dev)
		return -ENOMEM;
	if (name && gemsync_sim_is_name(name))
		ret = gemsync_sim_open(dev, name);
	else
		ret = gemsync_drm_open(dev, name);
	if (ret)
		free_device(dev);
	else
		*out = dev;
	return ret;
}

int gemsync_device_open_fd(int fd, struct gemsync_device **out)
{
	struct gemsync_device *dev = alloc_device();
	int ret;

	if (!dev)
		return -ENOMEM;
	ret = gemsync_drm_open_fd(dev, fd);
	if (ret)
		free_device(dev);
	else
		*out = dev;
	return ret;
}

void gemsync_device_close(struct gemsync_device *dev)
{
	if (!dev)
		return;
	dev->ops->close(dev);
	free_device(dev);
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
	return dev->emulation ? dev->emulation->counters(dev, counters) : -EOPNOTSUPP;
}

int gemsync_device_costs(struct gemsync_device *dev, struct gemsync_costs *costs, size_t size)
{
	struct gemsync_costs now;
	int ret;

	if (!size)
		return -EINVAL;
	ret = dev->emulation ? dev->emulation->costs(dev, &now) : -EOPNOTSUPP;
	if (ret)
		return ret;
	memset(costs, 0, size);
	memcpy(costs, &now, size < sizeof(now) ? size : sizeof(now));
	return 0;
}
