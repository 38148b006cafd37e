// SPDX-License-Identifier: MIT
/* uapi/panfrost_drm.h: the layouts are proven at compile time by panfrost_drm_check.h. */
#include "unit.h"

#include "panfrost_drm_check.h"

#include "access.h"

/* R4: the driver's two types are core's two operations. */
static void sync_types_are_those_of_core(void **state)
{
	(void)state;
	assert_int_equal(PANFROST_BO_SYNC_CPU_CACHE_FLUSH, GS_SYNC_FLUSH);
	assert_int_equal(PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE,
			 GS_SYNC_FLUSH_AND_INVALIDATE);
}

/* Each bit stands for one thing. */
static void flags_do_not_overlap(void **state)
{
	(void)state;
	assert_int_equal(PANFROST_BO_NOEXEC + PANFROST_BO_HEAP + PANFROST_BO_WB_MMAP,
			 PANFROST_BO_NOEXEC | PANFROST_BO_HEAP | PANFROST_BO_WB_MMAP);
	assert_int_equal(PANFROST_JD_REQ_FS & PANFROST_JD_REQ_CYCLE_COUNT, 0);
}

/* The sixteen job slots and the four words of texture formats are in a row. */
static void parameters_are_in_a_row(void **state)
{
	(void)state;
	assert_int_equal(DRM_PANFROST_PARAM_JS_FEATURES15 - DRM_PANFROST_PARAM_JS_FEATURES0, 15);
	assert_int_equal(DRM_PANFROST_PARAM_TEXTURE_FEATURES3 -
			 DRM_PANFROST_PARAM_TEXTURE_FEATURES0, 3);
}

static void requests_are_driver_commands(void **state)
{
	(void)state;
	assert_int_equal(_IOC_TYPE(DRM_IOCTL_PANFROST_SYNC_BO), 'd');
	assert_int_equal(_IOC_NR(DRM_IOCTL_PANFROST_SYNC_BO), 0x40 + DRM_PANFROST_SYNC_BO);
	assert_int_equal(_IOC_DIR(DRM_IOCTL_PANFROST_SYNC_BO), _IOC_READ | _IOC_WRITE);
	assert_int_equal(_IOC_DIR(DRM_IOCTL_PANFROST_SUBMIT), _IOC_WRITE);
	assert_int_equal(_IOC_SIZE(DRM_IOCTL_PANFROST_SYNC_BO),
			 sizeof(struct drm_panfrost_sync_bo));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sync_types_are_those_of_core),
		cmocka_unit_test(flags_do_not_overlap),
		cmocka_unit_test(parameters_are_in_a_row),
		cmocka_unit_test(requests_are_driver_commands),
	};

	return cmocka_run_group_tests_name("uapi_panfrost", tests, NULL, NULL);
}
