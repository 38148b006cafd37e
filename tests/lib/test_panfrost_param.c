// SPDX-License-Identifier: MIT
/* GET_PARAM, and the calls that only tell: what user space asks when it opens a device. */
#include <string.h>
#include <time.h>
#include <xf86drm.h>

#include "panfrost_calls.h"

static uint64_t param(struct fixture *f, uint32_t which)
{
	uint64_t value = UINT64_MAX;

	assert_ok(pf_get_param(f->fd, which, &value));
	return value;
}

static void driver_is_what_user_space_looks_for(void **state)
{
	struct fixture *f = need_panfrost(state);
	drmDevicePtr device;
	uint64_t has = 0;

	assert_int_equal(f->info.version_major, 1);
	assert_int_equal(f->info.version_minor, 6);
	assert_ok(drmGetDevice2(f->fd, 0, &device));
	assert_int_equal(device->bustype, DRM_BUS_PLATFORM);
	drmFreeDevice(&device);
	assert_ok(drmGetCap(f->fd, DRM_CAP_SYNCOBJ, &has));
	assert_int_equal(has, 1);
}

/* All that drivers in user space ask for: a Mali-G52, which is a Bifrost of version 7. */
static void parameters_of_the_gpu(void **state)
{
	struct fixture *f = need_panfrost(state);
	static const uint32_t non_zero[] = { 0, 1, 2, 10, 11, 12, 13, 14, 15, 18, 19, 20, 42 };
	static const uint32_t any[] = { 21, 39, 40, 43, 44 };
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(non_zero); i++)
		assert_int_not_equal(param(f, non_zero[i]), 0);
	for (i = 0; i < ARRAY_SIZE(any); i++)
		assert_ok(pf_get_param(f->fd, any[i], &value));
	if (!f->info.emulated)
		return;
	assert_int_equal(param(f, DRM_PANFROST_PARAM_GPU_PROD_ID), 0x7402);
	assert_int_equal(param(f, DRM_PANFROST_PARAM_MAX_THREADS), 768);
	assert_int_equal(param(f, DRM_PANFROST_PARAM_NR_CORE_GROUPS), 1);
	assert_int_equal(param(f, DRM_PANFROST_PARAM_JS_FEATURES15), 0);
}

static void bad_parameters(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_get_param args = { .param = 0, .pad = 1, .value = 77 };
	uint64_t value;

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_GET_PARAM, &args), -EINVAL);
	assert_int_equal(args.value, 77);
	assert_ok(pf_get_param(f->fd, 44, &value));
	assert_int_equal(pf_get_param(f->fd, 45, &value), -EINVAL);
	assert_int_equal(pf_get_param(f->fd, UINT32_MAX, &value), -EINVAL);
}

/* R12: what the driver says, and what the library makes of it. */
static void coherency_is_told(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint64_t selected = param(f, DRM_PANFROST_PARAM_SELECTED_COHERENCY);
	uint64_t features = param(f, DRM_PANFROST_PARAM_COHERENCY_FEATURES);

	if (f->info.coherent)
		assert_true(selected < 31 && features >> selected & 1);
	else
		assert_int_equal(selected, DRM_PANFROST_GPU_COHERENCY_NONE);
}

static void timestamp_runs(void **state)
{
	const struct timespec pause = { .tv_nsec = 20 * MSEC };
	struct fixture *f = need_panfrost(state);
	uint64_t hz = param(f, DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP_FREQUENCY);
	uint64_t before = param(f, DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP), ticks;

	nanosleep(&pause, NULL);
	ticks = param(f, DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP) - before;
	assert_true(ticks >= hz / 50);
	assert_true(ticks < hz * 60);
}

/* Low and medium are for all; high is for root, as whom tests run in the VM. */
static void priorities(void **state)
{
	struct fixture *f = need_panfrost(state);

	assert_int_equal(param(f, DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES) & 3, 3);
	assert_int_equal(param(f, DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES) & ~7ull, 0);
}

/* As the driver for hardware does that was not told to give them. */
static void no_counters(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_perfcnt_enable enable = { .enable = 1 };
	struct drm_panfrost_perfcnt_dump dump = { 0 };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_PERFCNT_ENABLE, &enable), -ENOSYS);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_PERFCNT_DUMP, &dump), -ENOSYS);
}

static void unknown_ioctl(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint64_t bytes[2] = { 0 };

	assert_int_equal(raw_ioctl(f->fd, _IOWR('d', 0x4e, uint64_t[2]), bytes), -EINVAL);
	assert_int_equal(raw_ioctl(f->fd, _IOWR('d', 0x9f, uint64_t[2]), bytes), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(driver_is_what_user_space_looks_for),
		device_test(parameters_of_the_gpu),
		device_test(bad_parameters),
		device_test(coherency_is_told),
		device_test(timestamp_runs),
		device_test(priorities),
		device_test(no_counters),
		device_test(unknown_ioctl),
	};

	return cmocka_run_group_tests_name("panfrost_param", tests, NULL, NULL);
}
