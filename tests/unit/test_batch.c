// SPDX-License-Identifier: MIT
/* batch.h: what a batch must be before any of it runs (R7, R8, R11). */
#include "unit.h"

#include "batch.h"

#define OP_SIZE	24

static const struct gs_sync_target native = { .size = 4096 };
static const struct gs_sync_target imported = { .size = 4096, .imported = true };

static int check(u64 offset, u64 size, u32 type, u64 pad)
{
	const struct gs_sync_op op = {
		.handle = 1, .offset = offset, .size = size, .type = type, .pad = pad,
	};

	return gs_sync_op_check(&op, &native);
}

/* R8: before everything else, also before a bad stride. */
static void batch_of_nothing_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(gs_batch_check(0, 0, OP_SIZE), 0);
	assert_int_equal(gs_batch_check(0, OP_SIZE, OP_SIZE), 0);
	assert_int_equal(gs_batch_check(0, U32_MAX, OP_SIZE), 0);
}

/* R8: before the limit on the count. */
static void batch_stride_too_short_is_refused(void **state)
{
	(void)state;
	assert_int_equal(gs_batch_check(1, 0, OP_SIZE), -EINVAL);
	assert_int_equal(gs_batch_check(1, OP_SIZE - 1, OP_SIZE), -EINVAL);
	assert_int_equal(gs_batch_check(U32_MAX, OP_SIZE - 1, OP_SIZE), -EINVAL);
}

/* R8 */
static void batch_stride_may_be_longer(void **state)
{
	(void)state;
	assert_int_equal(gs_batch_check(1, OP_SIZE, OP_SIZE), 1);
	assert_int_equal(gs_batch_check(1, OP_SIZE + 1, OP_SIZE), 1);
	assert_int_equal(gs_batch_check(1, U32_MAX, OP_SIZE), 1);
}

/* R8 */
static void batch_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(GS_BATCH_MAX, 1048576);
	assert_int_equal(gs_batch_check(GS_BATCH_MAX, OP_SIZE, OP_SIZE), 1);
	assert_int_equal(gs_batch_check(GS_BATCH_MAX + 1, OP_SIZE, OP_SIZE), -E2BIG);
	assert_int_equal(gs_batch_check(U32_MAX, U32_MAX, OP_SIZE), -E2BIG);
}

static void op_inside_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(check(0, 4096, GS_SYNC_FLUSH, 0), 0);
	assert_int_equal(check(4095, 1, GS_SYNC_FLUSH_AND_INVALIDATE, 0), 0);
	assert_int_equal(check(4096, 0, GS_SYNC_FLUSH, 0), 0);
}

/* R4, R8: there are two operations. */
static void op_type_unknown_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check(0, 64, 2, 0), -EINVAL);
	assert_int_equal(check(0, 0, 2, 0), -EINVAL);
	assert_int_equal(check(0, 64, U32_MAX, 0), -EINVAL);
}

/* R8: any of the uAPI's pads, in any bit. */
static void op_pad_is_refused(void **state)
{
	(void)state;
	for (u32 bit = 0; bit < 64; bit++)
		assert_int_equal(check(0, 64, GS_SYNC_FLUSH, 1ULL << bit), -EINVAL);
}

/* R8: also with size 0. */
static void op_out_of_bounds_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check(0, 4097, GS_SYNC_FLUSH, 0), -EINVAL);
	assert_int_equal(check(4097, 0, GS_SYNC_FLUSH, 0), -EINVAL);
	assert_int_equal(check(U64_MAX, 2, GS_SYNC_FLUSH, 0), -EINVAL);
	assert_int_equal(check(64, U64_MAX, GS_SYNC_FLUSH_AND_INVALIDATE, 0), -EINVAL);
}

/* R11: whatever the op is. */
static void op_on_an_imported_bo_is_refused(void **state)
{
	const struct gs_sync_op op = { .handle = 1, .size = 64, .type = GS_SYNC_FLUSH };
	const struct gs_sync_op nothing = { .handle = 1, .type = GS_SYNC_FLUSH };

	(void)state;
	assert_int_equal(gs_sync_op_check(&op, &imported), -EINVAL);
	assert_int_equal(gs_sync_op_check(&nothing, &imported), -EINVAL);
	assert_int_equal(gs_sync_op_check(&op, &native), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_of_nothing_is_nothing),
		cmocka_unit_test(batch_stride_too_short_is_refused),
		cmocka_unit_test(batch_stride_may_be_longer),
		cmocka_unit_test(batch_has_a_limit),
		cmocka_unit_test(op_inside_is_accepted),
		cmocka_unit_test(op_type_unknown_is_refused),
		cmocka_unit_test(op_pad_is_refused),
		cmocka_unit_test(op_out_of_bounds_is_refused),
		cmocka_unit_test(op_on_an_imported_bo_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
