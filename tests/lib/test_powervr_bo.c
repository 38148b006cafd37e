// SPDX-License-Identifier: MIT
/* powervr's buffer objects: creation, and who maps them (R12, R16, R17). */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "powervr_calls.h"

/* The driver's refusals, each with one thing broken. */
static void create_refuses(void **state)
{
	static const struct {
		const char *what;
		struct drm_pvr_ioctl_create_bo_args wrong;
	} cases[] = {
		{ "no size", { .size = 0 } },
		{ "half a page", { .size = PAGE / 2 } },
		{ "a byte more than a page", { .size = PAGE + 1 } },
		{ "size that no object has", { .size = UINT64_MAX - PAGE + 1 } },
		{ "padding", { .size = PAGE, ._padding_c = 1 } },
		{ "unknown flag", { .size = PAGE, .flags = 1 << 3 } },
		{ "another flag of the kernel", { .size = PAGE, .flags = 1ull << 62 } },
		{ "flag in the upper half", { .size = PAGE, .flags = 1ull << 33 } },
		{ "protected and mapped",
		  { .size = PAGE, .flags = DRM_PVR_BO_PM_FW_PROTECT | USER_ACCESS } },
	};
	static const uint64_t good[] = {
		0, USER_ACCESS, DRM_PVR_BO_PM_FW_PROTECT,
		DRM_PVR_BO_BYPASS_DEVICE_CACHE | USER_ACCESS,
		DRM_PVR_BO_BYPASS_DEVICE_CACHE | DRM_PVR_BO_PM_FW_PROTECT,
	};
	struct drm_pvr_ioctl_create_bo_args args;
	struct pvr *p = need_pvr(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = cases[i].wrong;
		if (raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_BO, &args) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
		assert_int_equal(args.handle, 0);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++)
		close_bo(p->fd, new_bo(p, PAGE, good[i]));
	assert_int_equal(create_bo(p->fd, 1ull << 50, 0, &args.handle), -ENOMEM);
}

/* The kernel's flag is the kernel's, unless the module's parameter says otherwise. */
static void cached_is_the_kernels(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t bo;

	if (access("/sys/module/vpowervr/parameters/user_cached", R_OK))
		skip_because("not the virtual device: run on vpowervr");
	if (!create_bo(p->fd, PAGE, CACHED, &bo))
		skip_because("user space may: run without vpowervr.user_cached");
	assert_int_equal(create_bo(p->fd, PAGE, CACHED, &bo), -EINVAL);
	assert_int_equal(create_bo(p->fd, PAGE, PVR_BO_CPU_CACHED, &bo), -EINVAL);
	assert_ok(create_bo(p->fd, PAGE, USER_ACCESS, &bo));
}

static void offset_refuses(void **state)
{
	struct pvr *p = need_pvr(state);
	struct drm_pvr_ioctl_get_bo_mmap_offset_args args = {
		.handle = new_bo(p, PAGE, USER_ACCESS), ._padding_4 = 1,
	};
	uint64_t offset, again;

	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET, &args), -EINVAL);
	assert_int_equal(bo_offset(p->fd, NO_HANDLE, &offset), -ENOENT);
	assert_int_equal(bo_offset(p->fd, 0, &offset), -ENOENT);
	assert_ok(bo_offset(p->fd, args.handle, &offset));
	assert_ok(bo_offset(p->fd, args.handle, &again));
	assert_int_equal(offset, again);
	/* R20: a handle and its offset mean nothing on another file. */
	assert_int_equal(bo_offset(p->other, args.handle, &offset), -ENOENT);
	assert_ptr_equal(map_offset(p->other, offset), MAP_FAILED);
	assert_int_equal(errno, EACCES);
}

/* R16: what user space did not ask for, it does not get, though there is an offset. */
static void map_by_flag_only(void **state)
{
	static const uint64_t closed[] = {
		0, DRM_PVR_BO_BYPASS_DEVICE_CACHE, DRM_PVR_BO_PM_FW_PROTECT,
	};
	struct pvr *p = need_pvr(state);
	uint64_t offset;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(closed); i++) {
		assert_ok(bo_offset(p->fd, new_bo(p, PAGE, closed[i]), &offset));
		assert_ptr_equal(map_offset(p->fd, offset), MAP_FAILED);
		assert_int_equal(errno, EINVAL);
	}
	map_bo(p, new_bo(p, PAGE, USER_ACCESS))[0] = 1;
	map_bo(p, new_bo(p, PAGE, USER_ACCESS | DRM_PVR_BO_BYPASS_DEVICE_CACHE))[0] = 1;
}

/* A copy of the pages would see nothing that the device writes. */
static void map_is_shared(void **state)
{
	struct pvr *p = need_pvr(state);
	uint64_t offset;

	assert_ok(bo_offset(p->fd, new_bo(p, PAGE, USER_ACCESS), &offset));
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, p->fd, offset),
			 MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_not_equal(map_offset(p->fd, offset), MAP_FAILED);
}

/* R16: of neighbours, one of which may be mapped, no guess finds the others. */
static void guessed_offsets(void **state)
{
	struct pvr *p = need_pvr(state);
	unsigned int found = 0;
	uint64_t offset;
	int64_t i;
	void *map;

	new_bo(p, PAGE, 0);
	assert_ok(bo_offset(p->fd, new_bo(p, PAGE, USER_ACCESS), &offset));
	new_bo(p, PAGE, DRM_PVR_BO_PM_FW_PROTECT);
	for (i = -256; i <= 256; i++) {
		map = map_offset(p->fd, offset + (uint64_t)i * PAGE);
		if (map == MAP_FAILED)
			continue;
		munmap(map, PAGE);
		assert_int_equal(i, 0);
		found++;
	}
	assert_int_equal(found, 1);
}

/* R17: zeroes for everybody, whoever looks first. */
static void content_is_zero(void **state)
{
	static const uint8_t zeroes[2 * PAGE];
	struct pvr *p = need_pvr(state);
	uint32_t bo = new_bo(p, 2 * PAGE, USER_ACCESS);
	uint32_t hidden = new_bo(p, 2 * PAGE, 0);
	uint8_t bytes[2 * PAGE];
	uint64_t offset;

	assert_memory_equal((const void *)map_bo(p, bo), zeroes, PAGE);
	assert_ok(vm_map(p->fd, p->vm, hidden, 0, GENERAL, 2 * PAGE));
	memset(bytes, 1, sizeof(bytes));
	assert_ok(dev_read(p, p->vm, GENERAL, bytes, sizeof(bytes)));
	assert_memory_equal(bytes, zeroes, sizeof(bytes));
	memset(bytes, 1, sizeof(bytes));
	assert_ok(bo_offset(p->fd, hidden, &offset));
	assert_ok(kernel_read(p, offset, bytes, sizeof(bytes)));
	assert_memory_equal(bytes, zeroes, sizeof(bytes));
}

/* The kernel's own map is there for all objects, and sees what the device and the user do. */
static void kernel_access(void **state)
{
	static const uint64_t kinds[] = { 0, USER_ACCESS, DRM_PVR_BO_PM_FW_PROTECT };
	struct pvr *p = need_pvr(state);
	uint64_t offset, va = GENERAL;
	uint32_t bo, value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++, va += 2 * PAGE) {
		bo = new_bo(p, 2 * PAGE, kinds[i]);
		assert_ok(bo_offset(p->fd, bo, &offset));
		assert_ok(vm_map(p->fd, p->vm, bo, 0, va, 2 * PAGE));
		value = 0x1000 + i;
		assert_ok(kernel_write(p, offset + PAGE + 4, &value, 4));
		assert_int_equal(dev_get(p, va + PAGE + 4), 0x1000 + i);
		dev_put(p, va + PAGE + 8, 0x2000 + i);
		assert_ok(kernel_read(p, offset + PAGE + 8, &value, 4));
		assert_int_equal(value, 0x2000 + i);
	}
	assert_ok(bo_offset(p->fd, new_bo(p, PAGE, USER_ACCESS), &offset));
	assert_int_equal(kernel_read(p, 0, &value, 4), -ENXIO);
}

/* The library rounds sizes up, and says -EPERM for what the driver does not map. */
static void library(void **state)
{
	struct pvr *p = need_pvr(state);
	struct gemsync_bo_info info;
	struct gemsync_bo *bo, *other;
	void *map;

	assert_false(p->info.can_sync);
	assert_int_equal(p->info.version_major, 1);
	assert_int_equal(p->info.version_minor, 0);
	assert_ok(gemsync_bo_create(p->dev, PAGE + 1, 0, &bo));
	assert_int_equal(gemsync_bo_size(bo), 2 * PAGE);
	assert_ok(gemsync_bo_map(bo, &map));
	memset(map, 1, 2 * PAGE);
	assert_ok(gemsync_bo_query(bo, &info));
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.path, GEMSYNC_PATH_NONE);
	/* What the library did not create, nobody tells it about. */
	assert_int_equal(gemsync_bo_wrap(p->dev, 77, PAGE, NULL, &other), -EOPNOTSUPP);
	assert_int_equal(gemsync_bo_set_label(bo, "name"), -EOPNOTSUPP);
	gemsync_bo_destroy(bo);
	assert_ok(gemsync_bo_create(p->dev, PAGE, GEMSYNC_BO_NO_MMAP, &bo));
	assert_int_equal(gemsync_bo_map(bo, &map), -EPERM);
	gemsync_bo_destroy(bo);
	/* What it was asked for is no property of a BO. */
	assert_ok(gemsync_bo_create(p->dev, PAGE, GEMSYNC_BO_NO_MMAP | GEMSYNC_BO_SHAREABLE, &bo));
	assert_ok(gemsync_bo_query(bo, &info));
	assert_int_equal(info.flags, GEMSYNC_BO_NO_MMAP);
	gemsync_bo_destroy(bo);
	assert_int_equal(gemsync_bo_create(p->dev, UINT64_MAX, 0, &bo), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvr_test(create_refuses),
		pvr_test(cached_is_the_kernels),
		pvr_test(offset_refuses),
		pvr_test(map_by_flag_only),
		pvr_test(map_is_shared),
		pvr_test(guessed_offsets),
		pvr_test(content_is_zero),
		pvr_test(kernel_access),
		pvr_test(library),
	};

	return cmocka_run_group_tests_name("powervr_bo", tests, NULL, NULL);
}
