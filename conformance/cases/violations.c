// SPDX-License-Identifier: MIT
/*
 * What goes wrong is told: by the emulation, what a program forgot, to the byte; by the
 * library, what the kernel refused (R24).
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <xf86drm.h>

#include "case.h"

#define SIZE	(16 * KIB)
#define AT	(3 * 4096ull)	/* in a page that is not the first */
#define LABEL	"conformance/planted"
#define NEEDS	(NEED_LAZY | NEED_VIOLATIONS)

static struct gemsync_violation_counters violations_now(struct cf *cf)
{
	struct gemsync_violation_counters now = { 0 };

	EXPECT_OK(gemsync_device_violations(cf->dev, &now));
	return now;
}

/* lost updates, stores to stale lines, device writes to and reads of dirty lines */
static void expect_violations(struct cf *cf, const struct gemsync_violation_counters *before,
			      uint64_t lost, uint64_t stale, uint64_t dev_write, uint64_t dev_read)
{
	struct gemsync_violation_counters now = violations_now(cf);

	EXPECT_EQ(now.lost_update - before->lost_update, lost);
	EXPECT_EQ(now.cpu_store_stale - before->cpu_store_stale, stale);
	EXPECT_EQ(now.dev_write_dirty - before->dev_write_dirty, dev_write);
	EXPECT_EQ(now.dev_read_dirty - before->dev_read_dirty, dev_read);
}

/* What is recorded from here on has greater numbers. */
static uint64_t last_serial(struct cf *cf)
{
	struct gemsync_violation violation;
	uint64_t serial = 0;
	int ret;

	while (!(ret = gemsync_device_next_violation(cf->dev, &serial, &violation)))
		;
	EXPECT_EQ(ret, -ENOENT);
	return serial;
}

static void expect_next(struct cf *cf, uint64_t *serial, enum gemsync_violation_kind kind,
			uint64_t offset, uint64_t size)
{
	struct gemsync_violation violation = { 0 };
	char owner[48];

	EXPECT_OK(gemsync_device_next_violation(cf->dev, serial, &violation));
	EXPECT_EQ(violation.kind, kind);
	EXPECT_EQ(violation.offset, offset);
	EXPECT_EQ(violation.size, size);
	EXPECT_TEXT(violation.label, LABEL);
	/* The kernel keeps 15 characters of the program's name. */
	snprintf(owner, sizeof(owner), "%.15s:%d", program_invocation_short_name, getpid());
	EXPECT_TEXT(violation.owner, owner);
}

static void expect_no_more(struct cf *cf, uint64_t serial)
{
	struct gemsync_violation violation;

	EXPECT_EQ(gemsync_device_next_violation(cf->dev, &serial, &violation), -ENOENT);
}

static struct buffer *new_labelled(struct cf *cf)
{
	struct buffer *other = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	if (gemsync_bo_set_label(buf->bo, LABEL) == -EOPNOTSUPP)
		skip("the driver keeps no labels of BOs", "run on a newer driver");
	EXPECT_OK(gemsync_bo_set_label(other->bo, "conformance/bystander"));
	return buf;
}

CASE(r3_correct_program_is_not_blamed, "R3 R4", NEEDS,
     "no violation is reported of a program that syncs what it shares")
{
	struct buffer *buf = new_labelled(cf);
	struct gemsync_violation_counters before = violations_now(cf);
	uint64_t serial = last_serial(cf), line = cf->info.line_size;

	put_both(cf, buf, AT, OLD);
	gpu_put(cf, buf, AT, NEW);
	EXPECT_OK(invalidate(cf, buf, AT, 4));
	EXPECT_CPU(cf, buf, AT, NEW);
	/* The next lines are others' business. */
	cpu_put(buf, AT + line, OLD);
	gpu_put(cf, buf, AT, OLD);
	gpu_put(cf, buf, AT + 2 * line, OLD);
	EXPECT_GPU(cf, buf, AT, OLD);
	expect_violations(cf, &before, 0, 0, 0, 0);
	expect_no_more(cf, serial);
}

CASE(r4_forgotten_flush_is_told, "R4", NEEDS,
     "a device read of bytes that the CPU has not flushed is reported: these bytes, once")
{
	struct buffer *buf = new_labelled(cf);
	struct gemsync_violation_counters before = violations_now(cf);
	uint64_t serial = last_serial(cf), at;
	uint8_t data[1024];

	for (at = AT + 256; at < AT + 256 + 600; at += 4)
		cpu_put(buf, at, NEW);
	EXPECT_OK(gpu_read(cf->gpu, buf->va + AT, data, sizeof(data)));
	expect_violations(cf, &before, 0, 0, 0, 1);
	expect_next(cf, &serial, GEMSYNC_DEV_READ_DIRTY, AT + 256, 600);
	expect_no_more(cf, serial);
	/* Flushed, it is right. */
	EXPECT_OK(flush(cf, buf, AT + 256, 600));
	EXPECT_OK(gpu_read(cf->gpu, buf->va + AT, data, sizeof(data)));
	expect_violations(cf, &before, 0, 0, 0, 1);
	expect_no_more(cf, serial);
}

CASE(r3_device_write_to_dirty_line_is_told, "R3", NEEDS,
     "a device write to a line that is dirty is reported, and that the line's write-back loses it")
{
	struct buffer *buf = new_labelled(cf);
	struct gemsync_violation_counters before = violations_now(cf);
	uint64_t serial = last_serial(cf);

	cpu_put(buf, AT + 128 + 8, OLD);
	gpu_put(cf, buf, AT + 128, NEW);
	expect_violations(cf, &before, 0, 0, 1, 0);
	expect_next(cf, &serial, GEMSYNC_DEV_WRITE_DIRTY, AT + 128 + 8, 4);
	expect_no_more(cf, serial);
	EXPECT_OK(flush(cf, buf, AT + 128 + 8, 4));
	expect_violations(cf, &before, 1, 0, 1, 0);
	expect_next(cf, &serial, GEMSYNC_LOST_UPDATE, AT + 128, 4);
	expect_no_more(cf, serial);
	EXPECT_GPU(cf, buf, AT + 128, 0);
}

CASE(r3_store_to_stale_line_is_told, "R3 R4", NEEDS,
     "a CPU store to a line that the device wrote since it was filled is reported")
{
	struct buffer *buf = new_labelled(cf);
	struct gemsync_violation_counters before = violations_now(cf);
	uint64_t serial = last_serial(cf);

	/* From here on the line is in the cache. */
	EXPECT_CPU(cf, buf, AT + 128, 0);
	gpu_put(cf, buf, AT + 128, OLD);
	cpu_put(buf, AT + 128, NEW);
	EXPECT_OK(flush(cf, buf, AT + 128, 4));
	expect_violations(cf, &before, 0, 1, 0, 0);
	expect_next(cf, &serial, GEMSYNC_CPU_STORE_STALE, AT + 128, 4);
	expect_no_more(cf, serial);
}

CASE(r12_write_combined_is_not_blamed, "R12 R9", NEEDS | NO_SYNC,
     "no violation is reported of write-combined BOs: they are in no cache")
{
	struct buffer *buf = new_buffer(cf, SIZE, 0);
	struct gemsync_violation_counters before = violations_now(cf);
	uint64_t serial = last_serial(cf);

	cpu_put(buf, AT + 128, OLD);
	EXPECT_GPU(cf, buf, AT + 128, OLD);
	gpu_put(cf, buf, AT + 132, OLD);
	cpu_put(buf, AT + 136, NEW);
	EXPECT_OK(flush(cf, buf, AT, 4096));
	expect_violations(cf, &before, 0, 0, 0, 0);
	expect_no_more(cf, serial);
}

/* ---- R24 ---- */

CASE(r24_failed_sync_is_told, "R24", NEED_FILE | NEED_SYNC | NEED_INCOHERENT,
     "a sync that the kernel refuses is the library's error, alone and in a batch")
{
	struct buffer *good = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_op ops[2] = {
		{ .bo = good->bo, .type = GEMSYNC_FLUSH, .size = 64 },
		{ .type = GEMSYNC_INVALIDATE, .size = 64 },
	};
	struct gemsync_bo *bad;
	int fd;

	/* Behind the library's back, one handle is closed. */
	EXPECT_OK(gemsync_bo_create(cf->dev, 4096, GEMSYNC_BO_CACHED, &bad));
	EXPECT_OK(gemsync_bo_flush(bad, 0, 64));
	EXPECT_OK(drmCloseBufferHandle(cf->fd, gemsync_bo_handle(bad)));
	ops[1].bo = bad;
	EXPECT_EQ(gemsync_bo_flush(bad, 0, 64), -ENOENT);
	EXPECT_EQ(gemsync_bo_invalidate(bad, 0, 64), -ENOENT);
	EXPECT_EQ(gemsync_device_sync(cf->dev, ops, 2), -ENOENT);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, 1));
	/* And what was the device is none any more. */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT(dup2(fd, cf->fd) == cf->fd);
	EXPECT(flush(cf, good, 0, 64) < 0);
	EXPECT(invalidate(cf, good, 0, 64) < 0);
	EXPECT(gemsync_device_sync(cf->dev, ops, 1) < 0);
}

CASES(violations, "What goes wrong is told",
      &r3_correct_program_is_not_blamed,
      &r4_forgotten_flush_is_told,
      &r3_device_write_to_dirty_line_is_told,
      &r3_store_to_stale_line_is_told,
      &r12_write_combined_is_not_blamed,
      &r24_failed_sync_is_told);
