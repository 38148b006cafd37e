// SPDX-License-Identifier: MIT
/*
 * A device that cannot address all memory can bounce, and has no cached BOs (R21).
 * That it is such a device is what its virtual one says; the rest of these tests is
 * the other BOs, which work as ever.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fixture.h"

/* What the DMA API takes for enough. */
#define ENOUGH_BITS	32

/* Bits of the device's DMA addresses; 64 if it does not tell. */
static unsigned int dma_bits(struct fixture *f)
{
	unsigned int bits = 64;
	struct stat st;
	char path[64];
	FILE *file;

	assert_int_equal(fstat(f->fd, &st), 0);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/ncmem/dma_bits",
		 major(st.st_rdev), minor(st.st_rdev));
	file = fopen(path, "re");
	if (!file)
		return bits;
	assert_int_equal(fscanf(file, "%u", &bits), 1);
	fclose(file);
	return bits;
}

static struct fixture *need_limited(void **state)
{
	struct fixture *f = need_file(state);

	need_incoherent(state);
	if (dma_bits(f) >= ENOUGH_BITS)
		skip_because("the device addresses all memory: load vpanthor with dma_bits=26");
	return f;
}

static void cached_is_refused(void **state)
{
	struct fixture *f = need_limited(state);
	struct drm_panthor_bo_create args = {
		.size = 4096,
		.flags = DRM_PANTHOR_BO_WB_MMAP,
		.exclusive_vm_id = f->vm,
	};
	struct gemsync_bo *bo = NULL;

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args), -EOPNOTSUPP);
	assert_int_equal(args.handle, 0);
	assert_int_equal(gemsync_bo_create(f->dev, 4096, GEMSYNC_BO_CACHED, &bo), -EOPNOTSUPP);
	assert_null(bo);
}

/* What is wrong whatever the device is wrong first. */
static void other_refusals_come_first(void **state)
{
	struct fixture *f = need_limited(state);
	struct drm_panthor_bo_create args = { .size = 4096, .flags = DRM_PANTHOR_BO_WB_MMAP };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args), -EINVAL);
	args.exclusive_vm_id = f->vm;
	args.size = 0;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args), -EINVAL);
}

static void write_combined_works(void **state)
{
	static const uint32_t flags[] = { 0, GEMSYNC_BO_SHAREABLE };
	struct fixture *f = need_limited(state);
	struct buffer *buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = new_buffer(f, 256 * KIB, flags[i]);
		cpu_put(buf, 256 * KIB - 4, 0x600d);
		assert_int_equal(gpu_get(f, buf, 256 * KIB - 4), 0x600d);
		gpu_put(f, buf, 8, 0x1234);
		assert_int_equal(cpu_get(buf, 8), 0x1234);
		assert_ok(gemsync_bo_invalidate(buf->bo, 0, 256 * KIB));
	}
	gpu_put(f, new_buffer(f, 4096, GEMSYNC_BO_NO_MMAP), 0, 1);
}

/* Addresses are what is short: more than they reach is not mapped, half of it is. */
static void addresses_end(void **state)
{
	struct fixture *f = need_limited(state);
	unsigned int bits = dma_bits(f);
	uint64_t reach;
	struct gemsync_bo *bo;
	void *map;

	if (bits > 28)
		skip_because("the machine has no memory for more: load vpanthor with dma_bits=26");
	reach = 1ull << bits;
	assert_ok(gemsync_bo_create(f->dev, reach / 2, 0, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	gemsync_bo_destroy(bo);
	assert_ok(gemsync_bo_create(f->dev, reach, 0, &bo));
	assert_int_equal(gemsync_bo_map(bo, &map), -ENOMEM);
	gemsync_bo_destroy(bo);
}

/* The twin: a device without the limit has cached BOs, and maps more than that. */
static void unlimited(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_bo *bo;
	void *map;

	if (dma_bits(f) < ENOUGH_BITS)
		skip_because("the device does not address all memory: load vpanthor as it is");
	assert_ok(gemsync_bo_create(f->dev, 64 * MIB, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	gemsync_bo_destroy(bo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(cached_is_refused),
		device_test(other_refusals_come_first),
		device_test(write_combined_works),
		device_test(addresses_end),
		device_test(unlimited),
	};

	return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
