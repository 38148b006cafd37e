// SPDX-License-Identifier: MIT
/* policy.h: every combination of device and object (R13, R14). */
#include "unit.h"

#include "policy.h"

/*
 * One row for each combination of what a rule looks at. The rest (cached_needs_private
 * for export and opening, is_protected for creation and export) must not matter: every
 * row is tried with each value of it.
 */
#define N	0	/* no, or no error */
#define Y	1

/* Creation: policy, coherent, cached_needs_private, cached, private. */
static const struct {
	enum gs_policy policy;
	bool coherent, needs_private, cached, private;
	int result;
} creations[] = {
	{ GS_POLICY_STRICT, N, N, N, N, 0 },
	{ GS_POLICY_STRICT, N, N, N, Y, 0 },
	{ GS_POLICY_STRICT, N, N, Y, N, 0 },
	{ GS_POLICY_STRICT, N, N, Y, Y, 0 },
	{ GS_POLICY_STRICT, N, Y, N, N, 0 },
	{ GS_POLICY_STRICT, N, Y, N, Y, 0 },
	{ GS_POLICY_STRICT, N, Y, Y, N, -EINVAL },
	{ GS_POLICY_STRICT, N, Y, Y, Y, 0 },
	{ GS_POLICY_STRICT, Y, N, N, N, 0 },
	{ GS_POLICY_STRICT, Y, N, N, Y, 0 },
	{ GS_POLICY_STRICT, Y, N, Y, N, 0 },
	{ GS_POLICY_STRICT, Y, N, Y, Y, 0 },
	{ GS_POLICY_STRICT, Y, Y, N, N, 0 },
	{ GS_POLICY_STRICT, Y, Y, N, Y, 0 },
	{ GS_POLICY_STRICT, Y, Y, Y, N, 0 },
	{ GS_POLICY_STRICT, Y, Y, Y, Y, 0 },
	{ GS_POLICY_HOOKS, N, N, N, N, 0 },
	{ GS_POLICY_HOOKS, N, N, N, Y, 0 },
	{ GS_POLICY_HOOKS, N, N, Y, N, 0 },
	{ GS_POLICY_HOOKS, N, N, Y, Y, 0 },
	{ GS_POLICY_HOOKS, N, Y, N, N, 0 },
	{ GS_POLICY_HOOKS, N, Y, N, Y, 0 },
	{ GS_POLICY_HOOKS, N, Y, Y, N, 0 },
	{ GS_POLICY_HOOKS, N, Y, Y, Y, 0 },
	{ GS_POLICY_HOOKS, Y, N, N, N, 0 },
	{ GS_POLICY_HOOKS, Y, N, N, Y, 0 },
	{ GS_POLICY_HOOKS, Y, N, Y, N, 0 },
	{ GS_POLICY_HOOKS, Y, N, Y, Y, 0 },
	{ GS_POLICY_HOOKS, Y, Y, N, N, 0 },
	{ GS_POLICY_HOOKS, Y, Y, N, Y, 0 },
	{ GS_POLICY_HOOKS, Y, Y, Y, N, 0 },
	{ GS_POLICY_HOOKS, Y, Y, Y, Y, 0 },
};

static void creation(void **state)
{
	(void)state;
	assert_int_equal(sizeof(creations) / sizeof(creations[0]), 1 << 5);
	for (u32 i = 0; i < 2 << 5; i++) {
		const struct gs_policy_device device = {
			.policy = creations[i / 2].policy,
			.coherent = creations[i / 2].coherent,
			.cached_needs_private = creations[i / 2].needs_private,
		};
		const struct gs_policy_object object = {
			.cached = creations[i / 2].cached,
			.private = creations[i / 2].private,
			.is_protected = i % 2,
		};

		assert_int_equal(gs_policy_create(&device, &object), creations[i / 2].result);
	}
}

/* Export: policy, coherent, cached, private. */
static const struct {
	enum gs_policy policy;
	bool coherent, cached, private;
	int result;
} exports[] = {
	{ GS_POLICY_STRICT, N, N, N, 0 },
	{ GS_POLICY_STRICT, N, N, Y, -EINVAL },
	{ GS_POLICY_STRICT, N, Y, N, -EPERM },
	{ GS_POLICY_STRICT, N, Y, Y, -EINVAL },
	{ GS_POLICY_STRICT, Y, N, N, 0 },
	{ GS_POLICY_STRICT, Y, N, Y, -EINVAL },
	{ GS_POLICY_STRICT, Y, Y, N, 0 },
	{ GS_POLICY_STRICT, Y, Y, Y, -EINVAL },
	{ GS_POLICY_HOOKS, N, N, N, 0 },
	{ GS_POLICY_HOOKS, N, N, Y, -EINVAL },
	{ GS_POLICY_HOOKS, N, Y, N, 0 },
	{ GS_POLICY_HOOKS, N, Y, Y, -EINVAL },
	{ GS_POLICY_HOOKS, Y, N, N, 0 },
	{ GS_POLICY_HOOKS, Y, N, Y, -EINVAL },
	{ GS_POLICY_HOOKS, Y, Y, N, 0 },
	{ GS_POLICY_HOOKS, Y, Y, Y, -EINVAL },
};

static void export(void **state)
{
	(void)state;
	assert_int_equal(sizeof(exports) / sizeof(exports[0]), 1 << 4);
	for (u32 i = 0; i < 4 << 4; i++) {
		const struct gs_policy_device device = {
			.policy = exports[i / 4].policy,
			.coherent = exports[i / 4].coherent,
			.cached_needs_private = i % 2,
		};
		const struct gs_policy_object object = {
			.cached = exports[i / 4].cached,
			.private = exports[i / 4].private,
			.is_protected = i / 2 % 2,
		};

		assert_int_equal(gs_policy_export(&device, &object), exports[i / 4].result);
	}
}

/* Opening on another file: policy, coherent, cached, private, protected. */
static const struct {
	enum gs_policy policy;
	bool coherent, cached, private, is_protected;
	int result;
} openings[] = {
	{ GS_POLICY_STRICT, N, N, N, N, 0 },
	{ GS_POLICY_STRICT, N, N, N, Y, -EPERM },
	{ GS_POLICY_STRICT, N, N, Y, N, -EPERM },
	{ GS_POLICY_STRICT, N, N, Y, Y, -EPERM },
	{ GS_POLICY_STRICT, N, Y, N, N, -EPERM },
	{ GS_POLICY_STRICT, N, Y, N, Y, -EPERM },
	{ GS_POLICY_STRICT, N, Y, Y, N, -EPERM },
	{ GS_POLICY_STRICT, N, Y, Y, Y, -EPERM },
	{ GS_POLICY_STRICT, Y, N, N, N, 0 },
	{ GS_POLICY_STRICT, Y, N, N, Y, -EPERM },
	{ GS_POLICY_STRICT, Y, N, Y, N, -EPERM },
	{ GS_POLICY_STRICT, Y, N, Y, Y, -EPERM },
	{ GS_POLICY_STRICT, Y, Y, N, N, 0 },
	{ GS_POLICY_STRICT, Y, Y, N, Y, -EPERM },
	{ GS_POLICY_STRICT, Y, Y, Y, N, -EPERM },
	{ GS_POLICY_STRICT, Y, Y, Y, Y, -EPERM },
	{ GS_POLICY_HOOKS, N, N, N, N, 0 },
	{ GS_POLICY_HOOKS, N, N, N, Y, -EPERM },
	{ GS_POLICY_HOOKS, N, N, Y, N, -EPERM },
	{ GS_POLICY_HOOKS, N, N, Y, Y, -EPERM },
	{ GS_POLICY_HOOKS, N, Y, N, N, 0 },
	{ GS_POLICY_HOOKS, N, Y, N, Y, -EPERM },
	{ GS_POLICY_HOOKS, N, Y, Y, N, -EPERM },
	{ GS_POLICY_HOOKS, N, Y, Y, Y, -EPERM },
	{ GS_POLICY_HOOKS, Y, N, N, N, 0 },
	{ GS_POLICY_HOOKS, Y, N, N, Y, -EPERM },
	{ GS_POLICY_HOOKS, Y, N, Y, N, -EPERM },
	{ GS_POLICY_HOOKS, Y, N, Y, Y, -EPERM },
	{ GS_POLICY_HOOKS, Y, Y, N, N, 0 },
	{ GS_POLICY_HOOKS, Y, Y, N, Y, -EPERM },
	{ GS_POLICY_HOOKS, Y, Y, Y, N, -EPERM },
	{ GS_POLICY_HOOKS, Y, Y, Y, Y, -EPERM },
};

static void open_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(sizeof(openings) / sizeof(openings[0]), 1 << 5);
	for (u32 i = 0; i < 2 << 5; i++) {
		const struct gs_policy_device device = {
			.policy = openings[i / 2].policy,
			.coherent = openings[i / 2].coherent,
			.cached_needs_private = i % 2,
		};
		const struct gs_policy_object object = {
			.cached = openings[i / 2].cached,
			.private = openings[i / 2].private,
			.is_protected = openings[i / 2].is_protected,
		};

		assert_int_equal(gs_policy_open_elsewhere(&device, &object),
				 openings[i / 2].result);
	}
}

/* R13: what strict lets be made cached and not private cannot leave its file. */
static void strict_is_cached_or_shared(void **state)
{
	const struct gs_policy_object object = { .cached = true };
	struct gs_policy_device device = { .policy = GS_POLICY_STRICT };

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		device.cached_needs_private = i;
		assert_true(gs_policy_create(&device, &object) ||
			    (gs_policy_export(&device, &object) &&
			     gs_policy_open_elsewhere(&device, &object)));
	}
}

/* A policy that does not exist is strict. */
static void unknown_policies_are_strict(void **state)
{
	const struct gs_policy_object object = { .cached = true };
	struct gs_policy_device device = { .policy = (enum gs_policy)7, .cached_needs_private = 1 };

	(void)state;
	assert_int_equal(gs_policy_create(&device, &object), -EINVAL);
	assert_int_equal(gs_policy_export(&device, &object), -EPERM);
	assert_int_equal(gs_policy_open_elsewhere(&device, &object), -EPERM);
}

/* R12: where a write-combined map would be a cached one that nobody syncs, there is none. */
static void no_write_combined_maps(void **state)
{
	struct gs_policy_device device = { .no_wc = true };
	struct gs_policy_object wc = { 0 }, cached = { .cached = true, .private = true };

	(void)state;
	assert_int_equal(gs_policy_create(&device, &wc), -EOPNOTSUPP);
	assert_int_equal(gs_policy_create(&device, &cached), 0);
	/* What is not mapped at all cannot be mapped wrongly. */
	wc.no_map = true;
	assert_int_equal(gs_policy_create(&device, &wc), 0);
	wc.no_map = false;
	device.coherent = true;
	assert_int_equal(gs_policy_create(&device, &wc), 0);
	device = (struct gs_policy_device){ .no_wc = true, .policy = GS_POLICY_HOOKS };
	assert_int_equal(gs_policy_create(&device, &wc), -EOPNOTSUPP);
	device.no_wc = false;
	assert_int_equal(gs_policy_create(&device, &wc), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation),
		cmocka_unit_test(export),
		cmocka_unit_test(open_elsewhere),
		cmocka_unit_test(strict_is_cached_or_shared),
		cmocka_unit_test(unknown_policies_are_strict),
		cmocka_unit_test(no_write_combined_maps),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
