// SPDX-License-Identifier: MIT
/* A flush that is forgotten, and what shows it: on a GPU that is simulated in this process. */
#include <stdio.h>
#include <string.h>

#include <gemsync/gemsync.h>
#include <gemsync/gpu.h>

/* 0 if the GPU sees these 8 bytes. */
static int see(struct gemsync_gpu *gpu, uint64_t va, const char *expected)
{
	char seen[8];
	int ret;

	ret = gemsync_gpu_read(gpu, va, seen, sizeof(seen));
	if (ret)
		return ret;
	printf("the GPU sees %.8s\n", seen);
	return memcmp(seen, expected, sizeof(seen)) ? 1 : 0;
}

/* What the device saw go wrong, and what to do about it. */
static void print_violations(struct gemsync_device *dev)
{
	struct gemsync_violation violation;
	uint64_t serial = 0;
	char text[256];

	while (!gemsync_device_next_violation(dev, &serial, &violation)) {
		gemsync_violation_describe(&violation, text, sizeof(text));
		puts(text);
	}
}

static int draw(struct gemsync_device *dev, struct gemsync_bo *bo, struct gemsync_gpu *gpu)
{
	uint64_t va;
	void *map;
	int ret;

	gemsync_bo_set_label(bo, "vertices");
	ret = gemsync_bo_map(bo, &map);
	if (!ret)
		ret = gemsync_gpu_bind(gpu, bo, &va);
	if (ret)
		return ret;

	memcpy(map, "old data", 8);
	gemsync_bo_flush(bo, 0, 8);
	ret = see(gpu, va, "old data");
	if (ret)
		return ret;

	memcpy(map, "new data", 8);
	/* Forgotten: gemsync_bo_flush(bo, 0, 8). */
	ret = see(gpu, va, "old data");
	if (ret)
		return ret;
	print_violations(dev);

	ret = gemsync_bo_flush(bo, 0, 8);
	return ret ? ret : see(gpu, va, "new data");
}

int main(void)
{
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	struct gemsync_gpu *gpu;
	int ret;

	ret = gemsync_device_open("sim", &dev);
	if (ret)
		return 1;
	ret = gemsync_gpu_open(dev, &gpu);
	if (ret)
		goto err_close;
	ret = gemsync_bo_create(dev, 4096, GEMSYNC_BO_CACHED, &bo);
	if (!ret) {
		ret = draw(dev, bo, gpu);
		gemsync_bo_destroy(bo);
	}
	gemsync_gpu_close(gpu);
err_close:
	gemsync_device_close(dev);
	return ret ? 1 : 0;
}
