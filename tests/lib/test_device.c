// SPDX-License-Identifier: MIT
/* Opening devices, and what is known of them. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"

static void no_such_node(void **state)
{
	struct gemsync_device *dev = NULL;

	(void)state;
	assert_int_equal(gemsync_device_open("/dev/dri/no-such-node", &dev), -ENODEV);
	assert_null(dev);
}

static void no_such_driver(void **state)
{
	struct gemsync_device *dev = NULL;

	(void)state;
	assert_int_equal(gemsync_device_open("no-such-driver", &dev), -ENODEV);
	assert_null(dev);
}

static void node_is_no_drm_device(void **state)
{
	struct gemsync_device *dev = NULL;

	(void)state;
	assert_int_equal(gemsync_device_open("/dev/null", &dev), -ENODEV);
	assert_null(dev);
}

static void fd_is_no_drm_device(void **state)
{
	struct gemsync_device *dev = NULL;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(gemsync_device_open_fd(fd, &dev), -ENODEV);
	assert_null(dev);
	/* It stayed ours. */
	assert_ok(close(fd));
	assert_int_equal(gemsync_device_open_fd(fd, &dev), -EBADF);
}

static void null_is_released(void **state)
{
	(void)state;
	gemsync_device_close(NULL);
	gemsync_bo_destroy(NULL);
}

static void driver_without_back_end(void **state)
{
	struct gemsync_device *dev = NULL;
	int ret;

	(void)state;
	ret = gemsync_device_open("vgem", &dev);
	if (ret == -ENODEV)
		skip_because("no device of a driver that the library does not know: load vgem");
	assert_int_equal(ret, -EOPNOTSUPP);
	assert_null(dev);
}

/* The node, the driver's name and a descriptor lead to the same device. */
static void every_way_to_open(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_device_info info;
	struct gemsync_device *dev;

	assert_ok(gemsync_device_open(f->info.node, &dev));
	assert_ok(gemsync_device_query(dev, &info));
	gemsync_device_close(dev);
	assert_string_equal(info.node, f->info.node);
	assert_string_equal(info.driver, f->info.driver);

	assert_ok(gemsync_device_open(f->info.driver, &dev));
	assert_ok(gemsync_device_query(dev, &info));
	gemsync_device_close(dev);
	assert_string_equal(info.driver, f->info.driver);

	need_file(state);
	assert_ok(gemsync_device_open(NULL, &dev));
	gemsync_device_close(dev);

	assert_ok(gemsync_device_open_fd(f->fd, &dev));
	assert_ok(gemsync_device_query(dev, &info));
	gemsync_device_close(dev);
	assert_string_equal(info.node, f->info.node);
}

static void info_is_sane(void **state)
{
	struct fixture *f = need_device(state);
	uint32_t line = f->info.line_size;

	assert_int_equal(f->info.version_major, 1);
	if (strcmp(f->info.driver, "sim")) {
		assert_string_equal(f->info.driver, "panthor");
		assert_true(f->info.version_minor >= 7);
		assert_int_equal(strncmp(f->info.node, "/dev/dri/", 9), 0);
	}
	assert_int_equal(f->info.page_size, sysconf(_SC_PAGESIZE));
	assert_true(line >= 16 && line <= 4096);
	assert_int_equal(line & (line - 1), 0);
	assert_true(f->info.granule >= line);
	assert_int_equal(f->info.granule % line, 0);
	assert_int_not_equal(f->vm, 0);
}

/* A BO that somebody else made, on the same DRM file. */
static void wrapped_bos(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_bo *bo, *wrapped, *again = NULL;
	struct gemsync_counters before;
	struct gemsync_bo_info info;
	struct gemsync_device *dev;
	uint32_t handle;
	void *map, *own;

	assert_ok(gemsync_bo_create(f->dev, 8192, GEMSYNC_BO_CACHED, &bo));
	handle = gemsync_bo_handle(bo);
	assert_ok(gemsync_device_open_fd(f->fd, &dev));
	assert_ok(gemsync_bo_map(bo, &map));
	assert_int_equal(gemsync_bo_wrap(dev, handle, 0, map, &again), -EINVAL);
	assert_int_equal(gemsync_bo_wrap(dev, NO_HANDLE, 8192, map, &again), -ENOENT);
	assert_null(again);
	assert_ok(gemsync_bo_wrap(dev, handle, 8192, map, &wrapped));
	assert_int_equal(gemsync_bo_wrap(dev, handle, 8192, map, &again), -EEXIST);
	assert_ok(gemsync_bo_query(wrapped, &info));
	assert_int_equal(info.flags, GEMSYNC_BO_CACHED);
	assert_int_equal(gemsync_bo_size(wrapped), 8192);
	assert_ok(gemsync_bo_map(wrapped, &own));
	assert_ptr_equal(own, map);
	memset(map, 7, 8192);
	before = lines_now(f);
	assert_ok(gemsync_bo_flush(wrapped, 0, 4096));
	assert_lines(f, &before, f->info.coherent ? 0 : 4096 / f->info.line_size, 0);
	assert_int_equal(gemsync_bo_flush(wrapped, 8192, 1), -EINVAL);
	/* The map and the handle are still there. */
	gemsync_bo_unmap(wrapped);
	assert_int_equal(*(uint8_t *)map, 7);
	assert_ok(gemsync_bo_map(wrapped, &own));
	assert_ptr_not_equal(own, map);
	assert_int_equal(*(uint8_t *)own, 7);
	/* And the library's own map is not, when it is unmapped. */
	gemsync_bo_unmap(wrapped);
	assert_int_equal(msync(own, 4096, MS_ASYNC), -1);
	assert_int_equal(*(uint8_t *)map, 7);
	gemsync_bo_destroy(wrapped);
	assert_ok(gemsync_bo_flush(bo, 0, 64));
	gemsync_device_close(dev);
	gemsync_bo_destroy(bo);
}

static void counters_where_emulated(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_violation_counters violations;
	struct gemsync_counters counters;

	assert_int_equal(gemsync_device_violations(f->dev, &violations),
			 f->info.emulated ? 0 : -EOPNOTSUPP);
	assert_int_equal(gemsync_device_counters(f->dev, &counters),
			 f->info.emulated ? 0 : -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_such_node),
		cmocka_unit_test(no_such_driver),
		cmocka_unit_test(node_is_no_drm_device),
		cmocka_unit_test(fd_is_no_drm_device),
		cmocka_unit_test(null_is_released),
		cmocka_unit_test(driver_without_back_end),
		device_test(every_way_to_open),
		device_test(info_is_sane),
		device_test(wrapped_bos),
		device_test(counters_where_emulated),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
