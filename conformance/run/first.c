// SPDX-License-Identifier: MIT
#include <errno.h>
#include <glob.h>

#include "first.h"
#include "gpu.h"

static int open_working(const char *node, bool syncs, struct gemsync_device **out)
{
	struct gemsync_device_info info;
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	int ret;

	ret = gemsync_device_open(node, &dev);
	if (ret)
		return ret;
	ret = gemsync_device_query(dev, &info);
	if (!ret && syncs && (info.coherent || !info.can_sync))
		ret = -EOPNOTSUPP;
	if (!ret)
		ret = gpu_open(dev, &gpu);
	if (ret) {
		gemsync_device_close(dev);
		return ret;
	}
	gpu_close(gpu);
	*out = dev;
	return 0;
}

int first_device(struct gemsync_device **out)
{
	int ret = -ENODEV, error = 0, syncs;
	glob_t nodes;
	size_t i;

	if (glob("/dev/dri/renderD*", 0, NULL, &nodes))
		return -ENODEV;
	for (syncs = 1; ret && syncs >= 0; syncs--) {
		for (i = 0; ret && i < nodes.gl_pathc; i++) {
			ret = open_working(nodes.gl_pathv[i], syncs, out);
			if (!error)
				error = ret;
		}
	}
	globfree(&nodes);
	return ret ? error : 0;
}
