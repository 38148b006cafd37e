// SPDX-License-Identifier: MIT
/* What the benchmark says of figures: whether a goal holds, and what excuses a miss. */
#include "unit.h"

#include "bench.h"

static const struct bench_group group = { .name = "work" };

static const struct bench_contender own = { .name = BENCH_OWN };
static const struct bench_contender bare = { .name = "bare" };

/* Ratios to the reference of the library and of the bare instructions; 0: did not run. */
static enum bench_verdict judge(const struct bench_goal *goal, double own_ratio, double bare_ratio,
				double *ratio)
{
	struct bench_case done = { .count = 0 };

	done.results[done.count++] = (struct bench_result){
		.group = &group, .contender = &own, .size = 256, .ratio = own_ratio,
	};
	if (bare_ratio > 0)
		done.results[done.count++] = (struct bench_result){
			.group = &group, .contender = &bare, .size = 256, .ratio = bare_ratio,
		};
	return bench_judge(goal, &done, ratio);
}

static void against_the_reference(void **state)
{
	const struct bench_goal goal = { "work", NULL, 64, 1024, 0.5, NULL };
	double ratio;

	(void)state;
	assert_int_equal(judge(&goal, 0.5, 0, &ratio), BENCH_HOLDS);
	assert_true(ratio == 0.5);
	assert_int_equal(judge(&goal, 0.51, 0, &ratio), BENCH_MISSES);
	/* Who is no limit excuses nothing. */
	assert_int_equal(judge(&goal, 0.51, 0.51, &ratio), BENCH_MISSES);
}

static void against_another(void **state)
{
	const struct bench_goal goal = { "work", "bare", 64, 1024, 1.05, NULL };
	double ratio;

	(void)state;
	assert_int_equal(judge(&goal, 0.8, 0.8, &ratio), BENCH_HOLDS);
	assert_true(ratio == 1);
	assert_int_equal(judge(&goal, 0.8, 0.7, &ratio), BENCH_MISSES);
	assert_int_equal(judge(&goal, 0.8, 0, &ratio), BENCH_NO_GOAL);
}

static const struct bench_contender contenders[] = {
	{ .name = "bare", .note = "built without it" },
	{ 0 },
};

static const struct bench_group group_without = { .name = "work", .contenders = contenders };

/* Who is no part of this build is no miss, and no silence. */
static void not_there(void **state)
{
	struct bench_case done = { .count = 1, .results = {
		{ .group = &group_without, .contender = &own, .size = 256, .ratio = 0.55 },
	} };
	const struct bench_goal against = { "work", "bare", 64, 1024, 1.05, NULL };
	const struct bench_goal excused = { "work", NULL, 64, 1024, 0.5, "bare" };
	const struct bench_goal other = { "work", NULL, 64, 1024, 0.5, "another" };
	double ratio;

	(void)state;
	assert_int_equal(bench_judge(&against, &done, &ratio), BENCH_ABSENT);
	assert_int_equal(bench_judge(&excused, &done, &ratio), BENCH_ABSENT);
	assert_string_equal(bench_absent(&done, "bare")->note, "built without it");
	assert_int_equal(bench_judge(&other, &done, &ratio), BENCH_MISSES);
	done.results[0].ratio = 0.5;
	assert_int_equal(bench_judge(&excused, &done, &ratio), BENCH_HOLDS);
}

static void not_about_it(void **state)
{
	const struct bench_goal goals[] = {
		{ "other work", NULL, 64, 1024, 0.5, NULL },
		{ "work", NULL, 64, 255, 0.5, NULL },
		{ "work", NULL, 257, 1024, 0.5, NULL },
	};
	double ratio;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(goals) / sizeof(goals[0]); i++)
		assert_int_equal(judge(&goals[i], 2, 0, &ratio), BENCH_NO_GOAL);
}

static void limit_excuses_little(void **state)
{
	const struct bench_goal goal = { "work", NULL, 64, 1024, 0.5, "bare" };
	double ratio;

	(void)state;
	assert_int_equal(judge(&goal, 0.5, 0.1, &ratio), BENCH_HOLDS);
	assert_int_equal(judge(&goal, 0.55, 0.55, &ratio), BENCH_LIMIT);
	/* Not where the instructions by themselves are faster, did not run, or are far off. */
	assert_int_equal(judge(&goal, 0.55, 0.5, &ratio), BENCH_MISSES);
	assert_int_equal(judge(&goal, 0.55, 0, &ratio), BENCH_MISSES);
	assert_int_equal(judge(&goal, 0.7, 0.7, &ratio), BENCH_MISSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_reference),
		cmocka_unit_test(against_another),
		cmocka_unit_test(not_there),
		cmocka_unit_test(not_about_it),
		cmocka_unit_test(limit_excuses_little),
	};

	return cmocka_run_group_tests_name("goals", tests, NULL, NULL);
}
