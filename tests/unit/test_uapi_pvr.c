// SPDX-License-Identifier: MIT
/* uapi/pvr_drm.h: the layouts are proven at compile time by pvr_drm_check.h. */
#include "unit.h"

#include "pvr_drm_check.h"

/* A program passes arrays with the stride that it was built with. */
static void obj_array_describes_an_array(void **state)
{
	struct drm_pvr_job jobs[3];
	struct drm_pvr_ioctl_submit_jobs_args submit = { .jobs = DRM_PVR_OBJ_ARRAY(3, jobs) };

	(void)state;
	assert_int_equal(submit.jobs.stride, 48);
	assert_int_equal(submit.jobs.count, 3);
	assert_int_equal(submit.jobs.array, (uintptr_t)jobs);
}

/* Flags of a BO are 64 bits wide; the kernel's own are none of the ABI's. */
static void flags_fit_their_fields(void **state)
{
	struct drm_pvr_ioctl_create_bo_args bo = { .flags = PVR_BO_CPU_CACHED };
	struct drm_pvr_sync_op op = { .flags = DRM_PVR_SYNC_OP_FLAG_SIGNAL };

	(void)state;
	assert_true(bo.flags == 0x8000000000000000);
	assert_true(!(bo.flags & DRM_PVR_BO_FLAGS_MASK));
	assert_int_equal(op.flags, 0x80000000);
}

/* A context below normal has a negative number. */
static void priorities_are_signed(void **state)
{
	struct drm_pvr_ioctl_create_context_args context = {
		.priority = DRM_PVR_CTX_PRIORITY_LOW,
	};

	(void)state;
	assert_true(context.priority < DRM_PVR_CTX_PRIORITY_NORMAL);
	assert_true(context.priority < DRM_PVR_CTX_PRIORITY_HIGH);
}

/* What only goes in is not copied out. */
static void requests_are_driver_commands(void **state)
{
	(void)state;
	assert_int_equal(_IOC_TYPE(DRM_IOCTL_PVR_VM_MAP), 'd');
	assert_int_equal(_IOC_NR(DRM_IOCTL_PVR_VM_MAP), 0x45);
	assert_int_equal(_IOC_DIR(DRM_IOCTL_PVR_VM_MAP), _IOC_WRITE);
	assert_int_equal(_IOC_DIR(DRM_IOCTL_PVR_CREATE_BO), _IOC_READ | _IOC_WRITE);
	assert_int_equal(_IOC_SIZE(DRM_IOCTL_PVR_VM_MAP), sizeof(struct drm_pvr_ioctl_vm_map_args));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(obj_array_describes_an_array),
		cmocka_unit_test(flags_fit_their_fields),
		cmocka_unit_test(priorities_are_signed),
		cmocka_unit_test(requests_are_driver_commands),
	};

	return cmocka_run_group_tests_name("uapi_pvr", tests, NULL, NULL);
}
