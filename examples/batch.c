// SPDX-License-Identifier: MIT
/* Collecting what has to be flushed until the submit. */
#include <stdio.h>

#include <gemsync/gemsync.h>

/* All uniforms that this frame changed, with one call to the kernel, or one fence. */
static int write_frame(struct gemsync_device *dev, struct gemsync_bo *bo, char *map)
{
	struct gemsync_batch batch;
	struct gemsync_op ops[64];
	uint64_t offset;
	int ret;

	ret = gemsync_device_batch_init(dev, &batch, ops, 64, 0);
	for (offset = 0; !ret && offset < 65536; offset += 1024) {
		map[offset] = 1;
		ret = gemsync_batch_add(&batch, bo, GEMSYNC_FLUSH, offset, 256);
	}
	if (!ret)
		ret = gemsync_batch_submit(&batch);
	return ret;
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
	ret = gemsync_bo_create(dev, 65536, GEMSYNC_BO_CACHED, &bo);
	if (ret)
		goto err_close;
	ret = gemsync_bo_map(bo, &map);
	if (!ret)
		ret = write_frame(dev, bo, map);
	printf("batch: %d\n", ret);
	gemsync_bo_destroy(bo);
err_close:
	gemsync_device_close(dev);
	return ret ? 1 : 0;
}
