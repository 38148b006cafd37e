// SPDX-License-Identifier: MIT
/* random.h: the same numbers for a seed everywhere, and all of a range. */
#include "unit.h"

#include "random.h"

/* Fixed: a replay of a seed has to give the same on every machine, in every release. */
static void sequences_are_fixed(void **state)
{
	static const struct {
		u64 seed;
		u64 numbers[5];
	} known[] = {
		{ 0,
		  { 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec,
		    0x1b39896a51a8749b } },
		{ 1234567,
		  { 6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
		    4593380528125082431u, 16408922859458223821u } },
	};

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct gs_random random;

		gs_random_seed(&random, known[i].seed);
		for (u32 j = 0; j < 5; j++)
			assert_int_equal(gs_random_next(&random), known[i].numbers[j]);
	}
}

static void below_is_fixed(void **state)
{
	static const u32 known[] = { 88, 43, 2, 97, 10 };
	struct gs_random random;

	(void)state;
	gs_random_seed(&random, 0);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(gs_random_below(&random, 100), known[i]);
}

static void seeding_again_repeats(void **state)
{
	struct gs_random random;
	u64 first;

	(void)state;
	gs_random_seed(&random, 42);
	first = gs_random_next(&random);
	assert_int_not_equal(gs_random_next(&random), first);
	gs_random_seed(&random, 42);
	assert_int_equal(gs_random_next(&random), first);
	gs_random_seed(&random, 43);
	assert_int_not_equal(gs_random_next(&random), first);
}

/* Every number below the limit about equally often, and no other. */
static void below_covers_its_range(void **state)
{
	(void)state;
	for (u32 limit = 1; limit <= 64; limit++) {
		u32 seen[64] = { 0 };
		struct gs_random random;

		gs_random_seed(&random, limit);
		for (u32 i = 0; i < 1000 * limit; i++) {
			u32 number = gs_random_below(&random, limit);

			assert_true(number < limit);
			seen[number]++;
		}
		for (u32 i = 0; i < limit; i++)
			assert_in_range(seen[i], 800, 1200);
	}
}

static void below_one_is_zero(void **state)
{
	struct gs_random random;

	(void)state;
	gs_random_seed(&random, 7);
	for (u32 i = 0; i < 1000; i++)
		assert_int_equal(gs_random_below(&random, 1), 0);
}

static void below_the_largest_limit(void **state)
{
	struct gs_random random;
	u32 low = 0, high = 0;

	(void)state;
	gs_random_seed(&random, 7);
	for (u32 i = 0; i < 1000; i++) {
		u32 number = gs_random_below(&random, U32_MAX);

		assert_true(number < U32_MAX);
		low += number < 0x40000000;
		high += number >= 0xc0000000;
	}
	assert_in_range(low, 180, 320);
	assert_in_range(high, 180, 320);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_are_fixed),
		cmocka_unit_test(below_is_fixed),
		cmocka_unit_test(seeding_again_repeats),
		cmocka_unit_test(below_covers_its_range),
		cmocka_unit_test(below_one_is_zero),
		cmocka_unit_test(below_the_largest_limit),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
