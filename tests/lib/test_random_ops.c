// SPDX-License-Identifier: MIT
/* A correct program reads what was written last, whatever the cache does on its own. */
#include "fixture.h"
#include "random_ops.h"

#define COUNT	10000u

/* Case 30; on a device in chaos mode lines are evicted and refilled between all steps. */
static void correct_program(void **state)
{
	struct fixture *f = need_device(state);
	struct random_ops_report report;
	struct gemsync_violation_counters before = { 0 }, after;
	uint64_t seed;

	gemsync_device_violations(f->dev, &before);
	for (seed = 1; seed <= 3; seed++) {
		assert_ok(random_ops_run(f->dev, f->gpu, seed, COUNT, false, &report));
		assert_true(report.bytes_read > COUNT);
		assert_int_equal(report.bytes_wrong, 0);
	}
	if (gemsync_device_violations(f->dev, &after))
		return;
	assert_int_equal(after.lost_update, before.lost_update);
	assert_int_equal(after.dev_write_dirty, before.dev_write_dirty);
	assert_int_equal(after.dev_read_dirty, before.dev_read_dirty);
}

/* The twin: without some of the flushes, some bytes are wrong. */
static void forgetful_program(void **state)
{
	struct fixture *f = need_incoherent(state);
	struct random_ops_report report;

	if (!f->info.emulated)
		skip_because("real lines may be written back in time: run on an emulated device");
	assert_ok(random_ops_run(f->dev, f->gpu, 1, COUNT, true, &report));
	assert_int_not_equal(report.bytes_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(correct_program),
		device_test(forgetful_program),
	};

	return cmocka_run_group_tests_name("random_ops", tests, NULL, NULL);
}
