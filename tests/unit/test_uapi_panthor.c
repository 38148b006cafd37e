// SPDX-License-Identifier: MIT
/* uapi/panthor_drm.h: the layouts are proven at compile time by panthor_drm_check.h. */
#include "unit.h"

#include "panthor_drm_check.h"

#include "access.h"

/* A program passes arrays with the stride that it was built with. */
static void obj_array_describes_an_array(void **state)
{
	struct drm_panthor_bo_sync_op ops[3];
	struct drm_panthor_bo_sync sync = { .ops = DRM_PANTHOR_OBJ_ARRAY(3, ops) };

	(void)state;
	assert_int_equal(sync.ops.stride, 24);
	assert_int_equal(sync.ops.count, 3);
	assert_int_equal(sync.ops.array, (uintptr_t)ops);
}

static void flags_fit_their_fields(void **state)
{
	struct drm_panthor_sync_op op = { .flags = DRM_PANTHOR_SYNC_OP_SIGNAL };
	struct drm_panthor_vm_bind_op bind = { .flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MASK };

	(void)state;
	assert_int_equal(op.flags, 0x80000000);
	assert_int_equal(bind.flags, 0xf0000000);
}

/* R4: the driver's two types are core's two operations. */
static void sync_types_are_those_of_core(void **state)
{
	(void)state;
	assert_int_equal(DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, GS_SYNC_FLUSH);
	assert_int_equal(DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE,
			 GS_SYNC_FLUSH_AND_INVALIDATE);
}

static void requests_are_driver_commands(void **state)
{
	(void)state;
	assert_int_equal(_IOC_TYPE(DRM_IOCTL_PANTHOR_BO_SYNC), 'd');
	assert_int_equal(_IOC_NR(DRM_IOCTL_PANTHOR_BO_SYNC), 0x40 + DRM_PANTHOR_BO_SYNC);
	assert_int_equal(_IOC_DIR(DRM_IOCTL_PANTHOR_BO_SYNC), _IOC_READ | _IOC_WRITE);
	assert_int_equal(_IOC_SIZE(DRM_IOCTL_PANTHOR_BO_SYNC), sizeof(struct drm_panthor_bo_sync));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(obj_array_describes_an_array),
		cmocka_unit_test(flags_fit_their_fields),
		cmocka_unit_test(sync_types_are_those_of_core),
		cmocka_unit_test(requests_are_driver_commands),
	};

	return cmocka_run_group_tests_name("uapi_panthor", tests, NULL, NULL);
}
