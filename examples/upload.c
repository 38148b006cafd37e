// SPDX-License-Identifier: MIT
/* A cached BO on a device that is simulated in this process: no hardware, no root. */
#include <stdio.h>
#include <string.h>

#include <gemsync/gemsync.h>

static int use(struct gemsync_bo *bo)
{
	struct gemsync_bo_info info;
	char back[8];
	int ret;

	ret = gemsync_bo_query(bo, &info);
	if (ret)
		return ret;
	printf("maintained by %s: %s\n", info.path == GEMSYNC_PATH_CPU ? "the CPU" : "the driver",
	       info.why);
	ret = gemsync_bo_upload(bo, 100, "texels", 7, 0);
	if (ret)
		return ret;
	/* ... submit, and wait ... */
	ret = gemsync_bo_readback(bo, 100, back, 7);
	if (ret)
		return ret;
	printf("%s\n", back);
	return strcmp(back, "texels");
}

int main(void)
{
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	void *map;
	int ret;

	ret = gemsync_device_open("sim", &dev);
	if (ret)
		return 1;
	ret = gemsync_bo_create(dev, 4096, GEMSYNC_BO_CACHED, &bo);
	if (ret)
		goto err_close;
	ret = gemsync_bo_map(bo, &map);
	if (!ret)
		ret = use(bo);
	gemsync_bo_destroy(bo);
err_close:
	gemsync_device_close(dev);
	return ret ? 1 : 0;
}
