// SPDX-License-Identifier: MIT
/* gemsync/range.h: ranges that cannot overflow (R8), batches (R1, R25). */
#include "unit.h"

#include <errno.h>

#include <gemsync/cpu.h>
#include <gemsync/range.h>

#include "backends.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define LINE	64u
#define ROOM	4u

/* ---- Ranges ---- */

static void check_make(uint64_t offset, uint64_t size, uint64_t limit, uint64_t granule,
		       uint64_t want_offset, uint64_t want_size)
{
	struct gemsync_range range = { 1, 1 };

	assert_int_equal(gemsync_range_make(offset, size, limit, granule, &range), 0);
	assert_int_equal(range.offset, want_offset);
	assert_int_equal(range.size, want_size);
}

static void check_refused(uint64_t offset, uint64_t size, uint64_t limit, uint64_t granule)
{
	struct gemsync_range range = { 5, 6 };

	assert_int_equal(gemsync_range_make(offset, size, limit, granule, &range), -EINVAL);
	assert_int_equal(range.offset, 5);
	assert_int_equal(range.size, 6);
}

static void ranges_widen_to_granules(void **state)
{
	(void)state;
	check_make(63, 2, 4096, 64, 0, 128);
	check_make(64, 64, 4096, 64, 64, 64);
	check_make(10, 20, 4096, 1, 10, 20);
	check_make(100, 0, 4096, 64, 64, 0);
	check_make(4096, 0, 4096, 64, 4096, 0);
	/* The object ends inside of a granule. */
	check_make(90, 5, 100, 64, 64, 36);
}

static void whole_size_is_the_rest(void **state)
{
	(void)state;
	check_make(0, GEMSYNC_WHOLE_SIZE, 4096, 64, 0, 4096);
	check_make(100, GEMSYNC_WHOLE_SIZE, 4096, 64, 64, 4032);
	check_make(4096, GEMSYNC_WHOLE_SIZE, 4096, 64, 4096, 0);
	check_make(0, GEMSYNC_WHOLE_SIZE, UINT64_MAX, 64, 0, UINT64_MAX);
	check_refused(4097, GEMSYNC_WHOLE_SIZE, 4096, 64);
}

/* R8 */
static void ranges_outside_are_refused(void **state)
{
	(void)state;
	check_refused(0, 4097, 4096, 64);
	check_refused(4096, 1, 4096, 64);
	check_refused(4097, 0, 4096, 64);
	check_refused(UINT64_MAX, 2, 4096, 64);
	check_refused(2, UINT64_MAX - 1, 4096, 64);
	check_refused(0, 1, 4096, 0);
	check_refused(0, 1, 4096, 48);
	check_make(UINT64_MAX - 1, 1, UINT64_MAX, 4096, UINT64_MAX - 4095, 4095);
}

/* ---- Batches ---- */

/* The callback's record, and what it says next. */
static struct {
	struct gemsync_op ops[256];
	size_t count;		/* operations */
	size_t calls;
	size_t largest;		/* operations of one call */
	size_t fail_at;		/* call that fails, from 1 on; 0: none */
} seen;

static int submit(void *context, const struct gemsync_op *ops, size_t count)
{
	assert_ptr_equal(context, &seen);
	seen.calls++;
	if (seen.calls == seen.fail_at)
		return -EIO;
	if (count > seen.largest)
		seen.largest = count;
	assert_true(seen.count + count <= ARRAY_SIZE(seen.ops));
	memcpy(seen.ops + seen.count, ops, count * sizeof(*ops));
	seen.count += count;
	return 0;
}

static struct gemsync_op array[ROOM];

static struct gemsync_batch begin(uint32_t flags, const struct gemsync_batch_limits *limits)
{
	struct gemsync_batch batch;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(gemsync_batch_init(&batch, array, ROOM, LINE, flags, limits, submit,
					    &seen), 0);
	return batch;
}

/* Two objects. */
static char a, b;

#define add(batch, object, type, offset, size) \
	assert_int_equal(gemsync_batch_add(batch, object, type, offset, size), 0)

static void check_op(const struct gemsync_op *op, void *object, enum gemsync_op_type type,
		     uint64_t offset, uint64_t size)
{
	assert_ptr_equal(op->bo, object);
	assert_int_equal(op->type, type);
	assert_int_equal(op->offset, offset);
	assert_int_equal(op->size, size);
}

static void ranges_that_meet_are_merged(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 130, 10);
	add(&batch, &a, GEMSYNC_FLUSH, 180, 4);		/* the same line */
	add(&batch, &a, GEMSYNC_FLUSH, 192, 64);	/* the next line */
	add(&batch, &a, GEMSYNC_FLUSH, 70, 1);		/* the line before */
	add(&batch, &a, GEMSYNC_FLUSH, 100, 20);	/* inside */
	assert_int_equal(batch.count, 1);
	check_op(batch.ops, &a, GEMSYNC_FLUSH, 70, 186);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(batch.count, 0);
}

/* R1: a line between two ranges is not theirs. */
static void ranges_apart_stay_apart(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 0, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 128, 64);
	add(&batch, &b, GEMSYNC_FLUSH, 192, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 192, 64);	/* not with the one before the last */
	assert_int_equal(batch.count, 4);
	check_op(batch.ops + 1, &a, GEMSYNC_FLUSH, 128, 64);
	check_op(batch.ops + 3, &a, GEMSYNC_FLUSH, 192, 64);
}

/* R5: bytes of an edge line that nobody asked for are not theirs either. */
static void invalidations_are_merged_by_bytes(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_INVALIDATE, 0, 60);
	add(&batch, &a, GEMSYNC_INVALIDATE, 64, 64);	/* 60 to 63 are of others */
	add(&batch, &a, GEMSYNC_INVALIDATE, 128, 10);	/* meets it */
	add(&batch, &a, GEMSYNC_INVALIDATE, 100, 20);	/* inside */
	add(&batch, &a, GEMSYNC_INVALIDATE, 62, 2);	/* meets it from below */
	assert_int_equal(batch.count, 2);
	check_op(batch.ops, &a, GEMSYNC_INVALIDATE, 0, 60);
	check_op(batch.ops + 1, &a, GEMSYNC_INVALIDATE, 62, 76);
}

/* The last byte that there is, and the first one. */
static void ranges_do_not_meet_around_the_end(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_INVALIDATE, UINT64_MAX, 1);
	add(&batch, &a, GEMSYNC_INVALIDATE, 0, 1);
	add(&batch, &a, GEMSYNC_FLUSH, UINT64_MAX - 63, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 0, 64);
	assert_int_equal(batch.count, 4);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 64, UINT64_MAX - 62),
			 -EINVAL);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 64, UINT64_MAX - 1),
			 -EINVAL);
	check_op(batch.ops + 3, &a, GEMSYNC_FLUSH, 0, 64);
}

/* Up to an end that the callback knows: not cut, and no range beside it is lost in it. */
static void whole_objects_reach_the_callback(void **state)
{
	static const struct gemsync_batch_limits limits = { .offset_max = 4096, .size_max = 128 };
	struct gemsync_batch batch = begin(GEMSYNC_BATCH_UPGRADE, &limits);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 64, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 128, GEMSYNC_WHOLE_SIZE);
	add(&batch, &a, GEMSYNC_FLUSH, 64, GEMSYNC_WHOLE_SIZE);		/* once more */
	add(&batch, &a, GEMSYNC_FLUSH, 4096, GEMSYNC_WHOLE_SIZE);	/* and inside */
	add(&batch, &a, GEMSYNC_INVALIDATE, 0, GEMSYNC_WHOLE_SIZE);
	add(&batch, &a, GEMSYNC_INVALIDATE, 0, 64);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 4097, GEMSYNC_WHOLE_SIZE),
			 -EOVERFLOW);
	assert_int_equal(batch.count, 4);
	check_op(batch.ops, &a, GEMSYNC_FLUSH, 64, 64);
	check_op(batch.ops + 1, &a, GEMSYNC_FLUSH, 64, GEMSYNC_WHOLE_SIZE);
	check_op(batch.ops + 2, &a, GEMSYNC_INVALIDATE, 0, GEMSYNC_WHOLE_SIZE);
	check_op(batch.ops + 3, &a, GEMSYNC_INVALIDATE, 0, 64);
}

static void types_stay_apart(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 0, 64);
	add(&batch, &a, GEMSYNC_INVALIDATE, 0, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 64, 64);
	assert_int_equal(batch.count, 3);
}

static void types_are_upgraded_if_asked(void **state)
{
	struct gemsync_batch batch = begin(GEMSYNC_BATCH_UPGRADE, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 0, 64);
	add(&batch, &a, GEMSYNC_INVALIDATE, 64, 64);
	add(&batch, &a, GEMSYNC_FLUSH, 100, 64);
	assert_int_equal(batch.count, 1);
	check_op(batch.ops, &a, GEMSYNC_INVALIDATE, 0, 164);
	add(&batch, &a, GEMSYNC_FLUSH, 4096, 64);
	check_op(batch.ops + 1, &a, GEMSYNC_FLUSH, 4096, 64);
}

static void nothing_adds_nothing(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 0, 0);
	add(&batch, &a, GEMSYNC_FLUSH, UINT64_MAX, 0);
	assert_int_equal(batch.count, 0);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(seen.calls, 0);
}

static void a_full_batch_is_submitted(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);
	uint64_t i;

	(void)state;
	for (i = 0; i < 2 * ROOM + 1; i++)
		add(&batch, &a, GEMSYNC_FLUSH, i * 4096, 64);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(batch.count, 1);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(seen.count, 2 * ROOM + 1);
	for (i = 0; i < 2 * ROOM + 1; i++)
		check_op(seen.ops + i, &a, GEMSYNC_FLUSH, i * 4096, 64);
}

static void a_failed_batch_is_kept(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);
	uint64_t i;

	(void)state;
	for (i = 0; i < ROOM; i++)
		add(&batch, &a, GEMSYNC_FLUSH, i * 4096, 64);
	seen.fail_at = 1;
	assert_int_equal(gemsync_batch_add(&batch, &b, GEMSYNC_FLUSH, 0, 64), -EIO);
	assert_int_equal(batch.count, ROOM);
	seen.fail_at = 2;
	assert_int_equal(gemsync_batch_submit(&batch), -EIO);
	assert_int_equal(batch.count, ROOM);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(batch.count, 0);
	assert_int_equal(seen.count, ROOM);
}

/* What was done before the call that failed is not done again. */
static void calls_take_what_the_driver_can(void **state)
{
	const struct gemsync_batch_limits limits = { .count_max = 3 };
	struct gemsync_batch batch = begin(0, &limits);
	uint64_t i;

	(void)state;
	for (i = 0; i < ROOM; i++)
		add(&batch, &a, GEMSYNC_FLUSH, i * 4096, 64);
	seen.fail_at = 2;
	assert_int_equal(gemsync_batch_submit(&batch), -EIO);
	assert_int_equal(seen.largest, 3);
	assert_int_equal(batch.count, 1);
	check_op(batch.ops, &a, GEMSYNC_FLUSH, 3 * 4096, 64);
	gemsync_batch_drop(&batch);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(seen.count, 3);
}

static const struct gemsync_batch_limits bits32 = {
	.offset_max = UINT32_MAX,
	.size_max = UINT32_MAX,
};

/* R8: of drivers whose offsets and sizes have 32 bits. */
static void long_ranges_are_cut_at_lines(void **state)
{
	struct gemsync_batch batch = begin(0, &bits32);

	(void)state;
	add(&batch, &a, GEMSYNC_FLUSH, 10, 1ull << 32);
	assert_int_equal(batch.count, 2);
	check_op(batch.ops, &a, GEMSYNC_FLUSH, 10, UINT32_MAX - 63 - 10);
	check_op(batch.ops + 1, &a, GEMSYNC_FLUSH, UINT32_MAX - 63, 10 + 64);
	/* What meets is not made longer than the limit either. */
	gemsync_batch_drop(&batch);
	add(&batch, &a, GEMSYNC_FLUSH, 0, UINT32_MAX - 63);
	add(&batch, &a, GEMSYNC_FLUSH, UINT32_MAX - 63, 64);
	assert_int_equal(batch.count, 2);
}

static void offsets_beyond_the_limit_are_refused(void **state)
{
	struct gemsync_batch batch = begin(0, &bits32);

	(void)state;
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 1ull << 32, 1), -EOVERFLOW);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 0, 3ull << 32), -EOVERFLOW);
	assert_int_equal(batch.count, 0);
	assert_int_equal(seen.calls, 0);
	add(&batch, &a, GEMSYNC_FLUSH, UINT32_MAX, 1);
	assert_int_equal(batch.count, 1);
}

static void bad_operations_are_refused(void **state)
{
	struct gemsync_batch batch = begin(0, NULL);

	(void)state;
	assert_int_equal(gemsync_batch_add(&batch, &a, (enum gemsync_op_type)2, 0, 0), -EINVAL);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 3, UINT64_MAX - 1), -EINVAL);
	assert_int_equal(batch.count, 0);
	/* Nor behind one that it would make longer. */
	add(&batch, &a, GEMSYNC_FLUSH, 1000, 100);
	assert_int_equal(gemsync_batch_add(&batch, &a, GEMSYNC_FLUSH, 1100, UINT64_MAX - 500),
			 -EINVAL);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.ops[0].size, 100);
}

static void bad_batches_are_refused(void **state)
{
	const struct gemsync_batch_limits small = { .size_max = LINE - 1 };
	struct gemsync_batch batch;

	(void)state;
	assert_int_equal(gemsync_batch_init(&batch, NULL, 1, LINE, 0, NULL, submit, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 0, LINE, 0, NULL, submit, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 1, 0, 0, NULL, submit, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 1, 48, 0, NULL, submit, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 1, LINE, 2, NULL, submit, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 1, LINE, 0, NULL, NULL, NULL),
			 -EINVAL);
	assert_int_equal(gemsync_batch_init(&batch, array, 1, LINE, 0, &small, submit, NULL),
			 -EINVAL);
}

/* Random ranges: the lines of the operations are those of the ranges, each at least once. */
static void merging_keeps_the_lines(void **state)
{
	struct gemsync_batch_limits limits = { 0 };
	struct rng rng = rng_seeded();
	unsigned int turn, i, line;
	struct gemsync_batch batch;

	(void)state;
	for (turn = 0; turn < 5000; turn++) {
		bool want[64] = { false }, have[64] = { false };

		limits.size_max = turn & 1 ? 0 : LINE + rng_below(&rng, 512);
		batch = begin(0, &limits);
		for (i = 0; i < 8; i++) {
			uint64_t offset = rng_below(&rng, 3000);
			uint64_t size = 1 + rng_below(&rng, turn & 2 ? 900 : 100);

			add(&batch, &a, GEMSYNC_FLUSH, offset, size);
			for (line = offset / LINE; line <= (offset + size - 1) / LINE; line++)
				want[line] = true;
		}
		assert_int_equal(gemsync_batch_submit(&batch), 0);
		for (i = 0; i < seen.count; i++) {
			const struct gemsync_op *op = &seen.ops[i];

			assert_true(!limits.size_max || op->size <= limits.size_max);
			for (line = op->offset / LINE; line <= (op->offset + op->size - 1) / LINE;
			     line++)
				have[line] = true;
		}
		assert_memory_equal(have, want, sizeof(want));
	}
}

/* ---- By the CPU ---- */

static char map[4096] __attribute__((aligned(4096)));

static size_t count_of(enum fake_insn insn)
{
	size_t i, count = 0;

	for (i = 0; i < fake_count; i++)
		count += fake_events[i].insn == insn;
	return count;
}

/* R25: one fence for all, behind them, in the direction that is needed. */
static void one_fence_does_for_a_batch(void **state)
{
	struct gemsync_op ops[] = {
		{ .bo = (void *)map, .type = GEMSYNC_FLUSH, .offset = 60, .size = 8 },
		{ .bo = (void *)map, .type = GEMSYNC_FLUSH, .offset = 1024, .size = 64 },
		{ .bo = (void *)map, .type = GEMSYNC_INVALIDATE, .offset = 2048, .size = 1 },
	};

	(void)state;
	fake_machine = has_all;
	fake_begin();
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 2), 0);
	assert_int_equal(count_of(FAKE_CLWB), 3);
	assert_int_equal(count_of(FAKE_SFENCE), 1);
	assert_int_equal(fake_count, 4);
	assert_int_equal(fake_events[3].insn, FAKE_SFENCE);

	fake_begin();
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 3), 0);
	assert_int_equal(count_of(FAKE_CLWB), 3);
	assert_int_equal(count_of(FAKE_CLFLUSHOPT), 1);
	assert_int_equal(fake_count, 5);
	assert_int_equal(fake_events[4].insn, FAKE_LOCKED);
}

/* R7, R8 */
static void nothing_is_done_if_an_address_wraps(void **state)
{
	struct gemsync_op ops[] = {
		{ .bo = (void *)map, .type = GEMSYNC_FLUSH, .offset = 0, .size = 64 },
		{ .bo = (void *)map, .type = GEMSYNC_FLUSH, .offset = UINT64_MAX, .size = 64 },
	};

	(void)state;
	fake_begin();
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 2), -EINVAL);
	ops[1].offset = UINT64_MAX - (uintptr_t)map;
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 2), -EINVAL);
	/* Of an address nobody knows the end. */
	ops[1].offset = 64;
	ops[1].size = GEMSYNC_WHOLE_SIZE;
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 2), -EINVAL);
	ops[1].size = 64;
	ops[1].offset = 0;
	ops[1].type = (enum gemsync_op_type)2;
	assert_int_equal(gemsync_batch_submit_cpu(NULL, ops, 2), -EINVAL);
	assert_int_equal(fake_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_widen_to_granules),
		cmocka_unit_test(whole_size_is_the_rest),
		cmocka_unit_test(ranges_outside_are_refused),
		cmocka_unit_test(ranges_that_meet_are_merged),
		cmocka_unit_test(ranges_apart_stay_apart),
		cmocka_unit_test(invalidations_are_merged_by_bytes),
		cmocka_unit_test(ranges_do_not_meet_around_the_end),
		cmocka_unit_test(whole_objects_reach_the_callback),
		cmocka_unit_test(types_stay_apart),
		cmocka_unit_test(types_are_upgraded_if_asked),
		cmocka_unit_test(nothing_adds_nothing),
		cmocka_unit_test(a_full_batch_is_submitted),
		cmocka_unit_test(a_failed_batch_is_kept),
		cmocka_unit_test(calls_take_what_the_driver_can),
		cmocka_unit_test(long_ranges_are_cut_at_lines),
		cmocka_unit_test(offsets_beyond_the_limit_are_refused),
		cmocka_unit_test(bad_operations_are_refused),
		cmocka_unit_test(bad_batches_are_refused),
		cmocka_unit_test(merging_keeps_the_lines),
		cmocka_unit_test(one_fence_does_for_a_batch),
		cmocka_unit_test(nothing_is_done_if_an_address_wraps),
	};

	unsetenv("GEMSYNC_CPU");
	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
