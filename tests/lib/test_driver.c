// SPDX-License-Identifier: MIT
/* Descriptions of drivers that the library does not know: which it takes. No device is needed. */
#include "fixture.h"

#include <gemsync/driver.h>

static int query(int fd, bool *coherent)
{
	(void)fd;
	*coherent = false;
	return 0;
}

static int bo_create(int fd, uint32_t vm, uint32_t flags, uint64_t *size, uint32_t *handle)
{
	(void)fd;
	(void)vm;
	(void)flags;
	(void)size;
	*handle = 1;
	return 0;
}

static int bo_map_offset(int fd, uint32_t handle, uint64_t *offset)
{
	(void)fd;
	(void)handle;
	*offset = 0;
	return 0;
}

static int vm_create(int fd, uint32_t *vm)
{
	(void)fd;
	*vm = 1;
	return 0;
}

static int gpu_open_(int fd, uint32_t vm, void **gpu)
{
	(void)fd;
	(void)vm;
	*gpu = NULL;
	return 0;
}

static void gpu_close_(void *gpu)
{
	(void)gpu;
}

static int gpu_address_(void *gpu, uint32_t handle, uint64_t *va)
{
	(void)gpu;
	*va = handle;
	return 0;
}

static int gpu_copy_(void *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	(void)gpu;
	(void)dst;
	(void)src;
	(void)size;
	return 0;
}

static const struct gemsync_driver_gpu whole_gpu = {
	.open = gpu_open_,
	.close = gpu_close_,
	.address = gpu_address_,
	.copy = gpu_copy_,
};

static const struct gemsync_driver whole = {
	.size = sizeof(whole),
	.name = "no-such-driver",
	.query = query,
	.bo_create = bo_create,
	.bo_map_offset = bo_map_offset,
	.gpu = &whole_gpu,
};

#define refused_without(member) do {					\
	struct gemsync_driver driver_ = whole;				\
	driver_.member = 0;						\
	assert_int_equal(gemsync_driver_add(&driver_), -EINVAL);	\
} while (0)

#define refused_without_gpu(member) do {				\
	struct gemsync_driver_gpu gpu_ = whole_gpu;			\
	struct gemsync_driver driver_ = whole;				\
	gpu_.member = 0;						\
	driver_.gpu = &gpu_;						\
	assert_int_equal(gemsync_driver_add(&driver_), -EINVAL);	\
} while (0)

static void what_must_be_there(void **state)
{
	static const struct gemsync_sync_abi empty;
	struct gemsync_driver driver = whole;

	(void)state;
	refused_without(size);
	refused_without(name);
	refused_without(query);
	refused_without(bo_create);
	refused_without(bo_map_offset);
	refused_without_gpu(open);
	refused_without_gpu(close);
	refused_without_gpu(address);
	refused_without_gpu(copy);
	driver.vm_create = vm_create;
	assert_int_equal(gemsync_driver_add(&driver), -EINVAL);
	driver = whole;
	driver.sync_abi = &empty;
	assert_int_equal(gemsync_driver_add(&driver), -EINVAL);
}

static void one_of_a_name(void **state)
{
	struct gemsync_driver driver = whole;
	struct gemsync_device *dev;

	(void)state;
	driver.name = "panthor";
	assert_int_equal(gemsync_driver_add(&driver), -EEXIST);
	assert_ok(gemsync_driver_add(&whole));
	assert_int_equal(gemsync_driver_add(&whole), -EEXIST);
	assert_int_equal(gemsync_device_open("no-such-driver", &dev), -ENODEV);
	assert_ok(gemsync_device_open("sim", &dev));
	assert_null(gemsync_device_driver(dev));
	gemsync_device_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_there),
		cmocka_unit_test(one_of_a_name),
	};

	return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
