// SPDX-License-Identifier: MIT
/* What is visible to whom on a powervr device, which user space cannot sync (R4, R12, R24). */
#include <string.h>
#include <sys/mman.h>

#include "powervr_calls.h"

/* A BO of two pages, mapped for user and device. */
struct shared {
	uint64_t offset;
	volatile uint32_t *map;
};

static struct shared share(struct pvr *p, uint64_t flags)
{
	uint32_t bo = new_bo(p, 2 * PAGE, flags);
	struct shared s = { .map = map_bo(p, bo) };

	assert_ok(bo_offset(p->fd, bo, &s.offset));
	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, 2 * PAGE));
	return s;
}

static struct gemsync_counters lines(struct pvr *p)
{
	struct gemsync_counters now;

	assert_ok(gemsync_device_counters(p->dev, &now));
	return now;
}

/* What was written back and dropped since @before. */
static void check_lines_since(struct pvr *p, const struct gemsync_counters *before,
			      uint64_t cleaned, uint64_t dropped)
{
	struct gemsync_counters now = lines(p);

	assert_int_equal(now.lines_cleaned - before->lines_cleaned, cleaned);
	assert_int_equal(now.lines_dropped - before->lines_dropped, dropped);
}

/* R9, R12: write-combined maps need nothing, also none of the kernel's. */
static void write_combined(void **state)
{
	struct pvr *p = need_pvr(state);
	struct shared s = share(p, USER_ACCESS);
	struct gemsync_counters before = { 0 };
	uint32_t value = 3;

	if (p->info.emulated)
		before = lines(p);
	s.map[0] = 1;
	assert_int_equal(dev_get(p, GENERAL), 1);
	dev_put(p, GENERAL, 2);
	assert_int_equal(s.map[0], 2);
	assert_ok(kernel_write(p, s.offset, &value, 4));
	assert_int_equal(s.map[0], 3);
	assert_int_equal(dev_get(p, GENERAL), 3);
	if (p->info.emulated)
		check_lines_since(p, &before, 0, 0);
}

/* The twin of the one above: cached, and nobody syncs. */
static void cached_is_stale(void **state)
{
	struct pvr *p = need_cached_lazy(state);
	struct shared s = share(p, CACHED);

	s.map[0] = 1;
	assert_int_equal(dev_get(p, GENERAL), 0);
	(void)s.map[64];
	dev_put(p, GENERAL + 256, 2);
	assert_int_equal(s.map[64], 0);
}

/* R4, R6: after the kernel reads, the CPU sees what the device wrote, and the user's bytes live. */
static void kernel_reads(void **state)
{
	struct pvr *p = need_cached_lazy(state);
	const uint64_t line = p->info.line_size;
	struct shared s = share(p, CACHED);
	struct gemsync_counters before;
	uint32_t value;

	s.map[0] = 1;		/* dirty, in the line that the kernel reads */
	s.map[2 * line / 4] = 5;	/* and in another one */
	(void)s.map[line / 4];
	dev_put(p, GENERAL + line, 2);
	before = lines(p);
	assert_ok(kernel_read(p, s.offset, &value, 4));
	check_lines_since(p, &before, 1, 1);
	assert_int_equal(value, 1);
	assert_int_equal(dev_get(p, GENERAL), 1);
	assert_int_equal(s.map[line / 4], 0);
	assert_int_equal(dev_get(p, GENERAL + 2 * line), 0);
	assert_ok(kernel_read(p, s.offset + line, &value, 4));
	assert_int_equal(value, 2);
	assert_int_equal(s.map[line / 4], 2);
}

/* What the kernel writes the device sees at once, and the user, and nothing around it is lost. */
static void kernel_writes(void **state)
{
	struct pvr *p = need_cached_lazy(state);
	const uint64_t line = p->info.line_size;
	struct shared s = share(p, CACHED);
	struct gemsync_counters before;
	uint32_t value = 7;

	s.map[1] = 1;
	dev_put(p, GENERAL + 2 * line, 9);
	s.map[3 * line / 4] = 5;
	before = lines(p);
	assert_ok(kernel_write(p, s.offset + 8, &value, 4));
	check_lines_since(p, &before, 2, 1);
	assert_int_equal(dev_get(p, GENERAL + 8), 7);
	assert_int_equal(s.map[2], 7);
	assert_int_equal(dev_get(p, GENERAL + 4), 1);
	/* A line of which it writes a part keeps what the device wrote to the rest. */
	assert_ok(kernel_write(p, s.offset + 2 * line + 4, &value, 4));
	assert_int_equal(dev_get(p, GENERAL + 2 * line), 9);
	assert_int_equal(dev_get(p, GENERAL + 3 * line), 0);
}

/* The library's flush and invalidate of a cached BO are never a silent nothing (R24). */
static void library_cannot(void **state)
{
	struct pvr *p = need_user_cached(state);
	const int expected = p->info.coherent ? 0 : -EOPNOTSUPP;
	struct gemsync_bo *cached, *wc, *both;
	struct gemsync_op ops[2];
	void *map;

	assert_ok(gemsync_bo_create(p->dev, PAGE, GEMSYNC_BO_CACHED, &cached));
	assert_ok(gemsync_bo_create(p->dev, PAGE, 0, &wc));
	assert_ok(gemsync_bo_map(cached, &map));
	memset(map, 1, PAGE);
	assert_int_equal(gemsync_bo_flush(cached, 0, 64), expected);
	assert_int_equal(gemsync_bo_invalidate(cached, 0, 64), expected);
	assert_ok(gemsync_bo_flush(wc, 0, 64));
	assert_ok(gemsync_bo_invalidate(wc, 0, 64));
	assert_ok(gemsync_bo_flush(cached, 0, 0));
	assert_int_equal(gemsync_bo_flush(wc, PAGE, 1), -EINVAL);
	assert_int_equal(gemsync_bo_flush(cached, PAGE, 1), -EINVAL);
	ops[0] = (struct gemsync_op){ .bo = wc, .size = 64 };
	ops[1] = (struct gemsync_op){ .bo = cached, .size = 64 };
	assert_int_equal(gemsync_device_sync(p->dev, ops, 2), expected);
	assert_ok(gemsync_device_sync(p->dev, ops, 1));
	gemsync_bo_destroy(cached);
	gemsync_bo_destroy(wc);
	/* R13 */
	both = NULL;
	assert_int_equal(gemsync_bo_create(p->dev, PAGE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE,
					   &both), p->info.coherent ? 0 : -EINVAL);
	gemsync_bo_destroy(both);
}

/* R12: a coherent device, as the emulation says, for the driver does not. */
static void coherent(void **state)
{
	struct pvr *p = need_user_cached(state);
	struct shared s;

	if (!p->info.coherent)
		skip_because("the device is not coherent: run on one that is");
	s = share(p, CACHED);
	s.map[0] = 1;
	assert_int_equal(dev_get(p, GENERAL), 1);
	dev_put(p, GENERAL, 2);
	assert_int_equal(s.map[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvr_test(write_combined),
		pvr_test(cached_is_stale),
		pvr_test(kernel_reads),
		pvr_test(kernel_writes),
		pvr_test(library_cannot),
		pvr_test(coherent),
	};

	return cmocka_run_group_tests_name("powervr_sync", tests, NULL, NULL);
}
