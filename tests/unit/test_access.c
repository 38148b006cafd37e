// SPDX-License-Identifier: MIT
/* access.h: which maintenance an access needs (R6). */
#include "unit.h"

#include "access.h"

/* R6: no dirty line may be evicted later over what the device writes. */
static void access_of_the_device_is_flush(void **state)
{
	(void)state;
	assert_int_equal(gs_access_to_sync(GS_ACCESS_DEV | GS_ACCESS_READ), GS_SYNC_FLUSH);
	assert_int_equal(gs_access_to_sync(GS_ACCESS_DEV | GS_ACCESS_WRITE), GS_SYNC_FLUSH);
	assert_int_equal(gs_access_to_sync(GS_ACCESS_DEV | GS_ACCESS_READ | GS_ACCESS_WRITE),
			 GS_SYNC_FLUSH);
}

/* R6: a CPU write too needs a fresh line, for the bytes that it does not write. */
static void access_of_the_cpu_is_flush_and_invalidate(void **state)
{
	(void)state;
	assert_int_equal(gs_access_to_sync(GS_ACCESS_CPU | GS_ACCESS_READ),
			 GS_SYNC_FLUSH_AND_INVALIDATE);
	assert_int_equal(gs_access_to_sync(GS_ACCESS_CPU | GS_ACCESS_WRITE),
			 GS_SYNC_FLUSH_AND_INVALIDATE);
	assert_int_equal(gs_access_to_sync(GS_ACCESS_CPU | GS_ACCESS_READ | GS_ACCESS_WRITE),
			 GS_SYNC_FLUSH_AND_INVALIDATE);
}

/* R6 */
static void access_without_a_type_is_refused(void **state)
{
	(void)state;
	assert_int_equal(gs_access_to_sync(GS_ACCESS_CPU), -EINVAL);
	assert_int_equal(gs_access_to_sync(GS_ACCESS_DEV), -EINVAL);
}

/* R6 */
static void access_with_an_unknown_bit_is_refused(void **state)
{
	(void)state;
	for (u32 bit = 3; bit < 32; bit++) {
		assert_int_equal(gs_access_to_sync(1u << bit), -EINVAL);
		assert_int_equal(gs_access_to_sync(1u << bit | GS_ACCESS_READ), -EINVAL);
	}
	assert_int_equal(gs_access_to_sync(U32_MAX), -EINVAL);
}

static void sync_types_come_back(void **state)
{
	(void)state;
	assert_int_equal(gs_access_to_sync(gs_sync_to_access(GS_SYNC_FLUSH)), GS_SYNC_FLUSH);
	assert_int_equal(gs_access_to_sync(gs_sync_to_access(GS_SYNC_FLUSH_AND_INVALIDATE)),
			 GS_SYNC_FLUSH_AND_INVALIDATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_of_the_device_is_flush),
		cmocka_unit_test(access_of_the_cpu_is_flush_and_invalidate),
		cmocka_unit_test(access_without_a_type_is_refused),
		cmocka_unit_test(access_with_an_unknown_bit_is_refused),
		cmocka_unit_test(sync_types_come_back),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
