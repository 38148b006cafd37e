// SPDX-License-Identifier: MIT
/* What an emulated cache sees go wrong: counted, and recorded to the byte. */
#include <string.h>

#include "fixture.h"

#define LABEL	"test/planted"

static struct fixture *need_violations(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_violation_counters counters;

	if (gemsync_device_violations(f->dev, &counters))
		skip_because("the emulation does not look for violations: load a newer one");
	return f;
}

static struct gemsync_violation_counters violations_now(struct fixture *f)
{
	struct gemsync_violation_counters now;

	assert_ok(gemsync_device_violations(f->dev, &now));
	return now;
}

#define assert_violations(f, before, lost, stale, dev_write, dev_read) do {		\
	struct gemsync_violation_counters now_ = violations_now(f);			\
											\
	assert_int_equal(now_.lost_update - (before)->lost_update, lost);		\
	assert_int_equal(now_.cpu_store_stale - (before)->cpu_store_stale, stale);	\
	assert_int_equal(now_.dev_write_dirty - (before)->dev_write_dirty, dev_write);	\
	assert_int_equal(now_.dev_read_dirty - (before)->dev_read_dirty, dev_read);	\
} while (0)

/* What is recorded from here on. */
static uint64_t last_serial(struct fixture *f)
{
	struct gemsync_violation violation;
	uint64_t serial = 0;
	int ret;

	while (!(ret = gemsync_device_next_violation(f->dev, &serial, &violation)))
		;
	if (ret == -EACCES || ret == -EOPNOTSUPP)
		skip_because("violations cannot be read: run as root with debugfs mounted");
	assert_int_equal(ret, -ENOENT);
	return serial;
}

static void assert_next(struct fixture *f, uint64_t *serial, enum gemsync_violation_kind kind,
			uint64_t offset, uint64_t size)
{
	struct gemsync_violation violation;

	assert_ok(gemsync_device_next_violation(f->dev, serial, &violation));
	assert_int_equal(violation.kind, kind);
	assert_string_equal(violation.label, LABEL);
	assert_int_equal(violation.offset, offset);
	assert_int_equal(violation.size, size);
	assert_true(strlen(violation.owner) > 0);
}

static void assert_no_more(struct fixture *f, uint64_t serial)
{
	struct gemsync_violation violation;

	assert_int_equal(gemsync_device_next_violation(f->dev, &serial, &violation), -ENOENT);
}

static struct buffer *labelled(struct fixture *f)
{
	struct buffer *buf = new_buffer(f, 4096, GEMSYNC_BO_CACHED);

	if (gemsync_bo_set_label(buf->bo, LABEL) == -EOPNOTSUPP)
		skip_because("the driver keeps no labels: load a newer one");
	return buf;
}

/* The twin of the others: a program that does it right. */
static void nothing_to_see(void **state)
{
	struct fixture *f = need_violations(state);
	struct buffer *buf = labelled(f);
	struct gemsync_violation_counters before = violations_now(f);
	uint64_t serial = last_serial(f);

	put_both(f, buf, 256, 1);
	gpu_put(f, buf, 256, 2);
	assert_ok(gemsync_bo_invalidate(buf->bo, 256, 4));
	assert_int_equal(cpu_get(buf, 256), 2);
	assert_violations(f, &before, 0, 0, 0, 0);
	assert_no_more(f, serial);
}

static void device_reads_dirty(void **state)
{
	struct fixture *f = need_violations(state);
	struct buffer *buf = labelled(f);
	struct gemsync_violation_counters before = violations_now(f);
	uint64_t serial = last_serial(f), at;
	uint8_t data[1024];

	for (at = 512; at < 512 + 600; at += 4)
		cpu_put(buf, at, 0x11111111);
	assert_ok(gpu_read(f->gpu, buf->va + 256, data, sizeof(data)));
	assert_violations(f, &before, 0, 0, 0, 1);
	assert_next(f, &serial, GEMSYNC_DEV_READ_DIRTY, 512, 600);
	assert_no_more(f, serial);
}

static void device_writes_dirty(void **state)
{
	struct fixture *f = need_violations(state);
	struct buffer *buf = labelled(f);
	struct gemsync_violation_counters before = violations_now(f);
	uint64_t serial = last_serial(f);

	cpu_put(buf, 128 + 8, 0x11111111);
	gpu_put(f, buf, 128, 0x22222222);
	assert_violations(f, &before, 0, 0, 1, 0);
	assert_next(f, &serial, GEMSYNC_DEV_WRITE_DIRTY, 128 + 8, 4);
	/* The write-back of the line then takes the device's word with it. */
	assert_ok(gemsync_bo_flush(buf->bo, 128 + 8, 4));
	assert_violations(f, &before, 1, 0, 1, 0);
	assert_next(f, &serial, GEMSYNC_LOST_UPDATE, 128, 4);
	assert_no_more(f, serial);
	assert_int_equal(gpu_get(f, buf, 128), 0);
}

/* The CPU overwrites what the device wrote, without having looked. */
static void cpu_stores_to_stale_line(void **state)
{
	struct fixture *f = need_violations(state);
	struct buffer *buf = labelled(f);
	struct gemsync_violation_counters before = violations_now(f);
	uint64_t serial = last_serial(f);

	/* From here on the line is in the cache. */
	assert_int_equal(cpu_get(buf, 128), 0);
	gpu_put(f, buf, 128, 0x22222222);
	cpu_put(buf, 128, 0x11111111);
	assert_ok(gemsync_bo_flush(buf->bo, 128, 4));
	assert_violations(f, &before, 0, 1, 0, 0);
	assert_next(f, &serial, GEMSYNC_CPU_STORE_STALE, 128, 4);
	assert_no_more(f, serial);
}

/* Write-combined BOs have no cache in which something could be. */
static void write_combined(void **state)
{
	struct fixture *f = need_violations(state);
	struct buffer *buf = new_buffer(f, 4096, 0);
	struct gemsync_violation_counters before = violations_now(f);

	cpu_put(buf, 128, 1);
	assert_int_equal(gpu_get(f, buf, 128), 1);
	gpu_put(f, buf, 132, 2);
	cpu_put(buf, 136, 3);
	assert_violations(f, &before, 0, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(nothing_to_see),
		device_test(device_reads_dirty),
		device_test(device_writes_dirty),
		device_test(cpu_stores_to_stale_line),
		device_test(write_combined),
	};

	return cmocka_run_group_tests_name("violations", tests, NULL, NULL);
}
