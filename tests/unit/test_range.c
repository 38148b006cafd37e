// SPDX-License-Identifier: MIT
/* range.h: bounds (R8) and widening to lines (R1). */
#include "unit.h"

#include "range.h"

static struct gs_range lines_of(u64 offset, u64 size, u32 line)
{
	struct gs_range range = { 1, 1 };

	assert_int_equal(gs_range_to_lines(offset, size, line, &range), 0);
	return range;
}

/* R8 */
static void range_inside_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(gs_range_check(0, 0, 0), 0);
	assert_int_equal(gs_range_check(0, 4096, 4096), 0);
	assert_int_equal(gs_range_check(4095, 1, 4096), 0);
	assert_int_equal(gs_range_check(0, U64_MAX, U64_MAX), 0);
	assert_int_equal(gs_range_check(U64_MAX - 1, 1, U64_MAX), 0);
}

/* R8 */
static void range_outside_is_refused(void **state)
{
	(void)state;
	assert_int_equal(gs_range_check(0, 1, 0), -EINVAL);
	assert_int_equal(gs_range_check(0, 4097, 4096), -EINVAL);
	assert_int_equal(gs_range_check(4096, 1, 4096), -EINVAL);
	assert_int_equal(gs_range_check(1, 4096, 4096), -EINVAL);
}

/* R8: the sum of offset and size wraps to something small. */
static void range_that_wraps_is_refused(void **state)
{
	(void)state;
	assert_int_equal(gs_range_check(U64_MAX, 2, 4096), -EINVAL);
	assert_int_equal(gs_range_check(2, U64_MAX, 4096), -EINVAL);
	assert_int_equal(gs_range_check(U64_MAX, U64_MAX, U64_MAX), -EINVAL);
	assert_int_equal(gs_range_check(1, U64_MAX, U64_MAX), -EINVAL);
}

/* R8: a size of 0 still needs an offset inside. */
static void range_empty_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(gs_range_check(4096, 0, 4096), 0);
	assert_int_equal(gs_range_check(4097, 0, 4096), -EINVAL);
	assert_int_equal(gs_range_check(U64_MAX, 0, 4096), -EINVAL);
}

/* R1 */
static void range_widens_to_its_lines_only(void **state)
{
	struct gs_range range = lines_of(63, 2, 64);

	(void)state;
	assert_int_equal(range.start, 0);
	assert_int_equal(range.end, 128);
	assert_int_equal(gs_range_lines(&range, 64), 2);

	range = lines_of(64, 64, 64);
	assert_int_equal(range.start, 64);
	assert_int_equal(range.end, 128);
	assert_int_equal(gs_range_lines(&range, 64), 1);
}

/* R1 */
static void range_of_nothing_has_no_lines(void **state)
{
	struct gs_range range = lines_of(65, 0, 64);

	(void)state;
	assert_int_equal(range.start, range.end);
	assert_int_equal(gs_range_lines(&range, 64), 0);
	range = lines_of(U64_MAX, 0, 64);
	assert_int_equal(gs_range_lines(&range, 64), 0);
}

/* R1: against counting lines one by one. */
static void range_lines_match_a_count(void **state)
{
	(void)state;
	for (u32 line = 2; line <= 32; line *= 2) {
		for (u32 offset = 0; offset < 70; offset++) {
			for (u32 size = 0; size < 70; size++) {
				struct gs_range range = lines_of(offset, size, line);
				u64 count = 0;

				for (u32 i = 0; i < size; i++)
					count += !i || !((offset + i) % line);
				assert_int_equal(gs_range_lines(&range, line), count);
				assert_int_equal(range.start % line, 0);
				assert_true(range.start <= offset);
			}
		}
	}
}

static void range_at_the_end_of_everything(void **state)
{
	struct gs_range range = { 5, 6 };

	(void)state;
	assert_int_equal(gs_range_to_lines(U64_MAX - 64, 1, 64, &range), 0);
	assert_int_equal(range.start, U64_MAX - 127);
	assert_int_equal(range.end, U64_MAX - 63);

	range = (struct gs_range){ 5, 6 };
	assert_int_equal(gs_range_to_lines(U64_MAX - 63, 1, 64, &range), -EINVAL);
	assert_int_equal(gs_range_to_lines(U64_MAX, 1, 2, &range), -EINVAL);
	assert_int_equal(gs_range_to_lines(U64_MAX, 2, 64, &range), -EINVAL);
	assert_int_equal(gs_range_to_lines(2, U64_MAX, 64, &range), -EINVAL);
	assert_int_equal(range.start, 5);
	assert_int_equal(range.end, 6);
}

static void line_sizes(void **state)
{
	(void)state;
	for (u32 line = 0; line <= 10000; line++) {
		bool valid = false;

		for (u32 power = 2; power <= 4096; power *= 2)
			valid |= line == power;
		assert_int_equal(gs_line_size_valid(line), valid);
	}
	assert_false(gs_line_size_valid(0x80000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_inside_is_accepted),
		cmocka_unit_test(range_outside_is_refused),
		cmocka_unit_test(range_that_wraps_is_refused),
		cmocka_unit_test(range_empty_is_bounded),
		cmocka_unit_test(range_widens_to_its_lines_only),
		cmocka_unit_test(range_of_nothing_has_no_lines),
		cmocka_unit_test(range_lines_match_a_count),
		cmocka_unit_test(range_at_the_end_of_everything),
		cmocka_unit_test(line_sizes),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
