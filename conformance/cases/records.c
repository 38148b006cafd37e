// SPDX-License-Identifier: MIT
/*
 * What is told of a mistake is something that a person can act on: one record for each,
 * of which BO, by which job, and what had to be synchronized.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "machine.h"

#define SIZE	(128 * KIB)
#define NEEDS	(NEED_LAZY | NEED_VIOLATIONS)

/* What the device has recorded of this process from here on. */
struct log {
	struct cf *cf;
	uint64_t serial;
	uint64_t counts[GEMSYNC_CPU_READ_STALE + 1];
};

static uint64_t count_of(struct cf *cf, enum gemsync_violation_kind kind)
{
	uint64_t count = 0;

	EXPECT_OK(gemsync_device_violation_count(cf->dev, kind, &count));
	return count;
}

static struct log log_from_now(struct cf *cf)
{
	struct log log = { .cf = cf };
	int kind;

	EXPECT_OK(gemsync_device_last_violation(cf->dev, &log.serial));
	for (kind = 0; kind <= GEMSYNC_CPU_READ_STALE; kind++)
		log.counts[kind] = count_of(cf, (enum gemsync_violation_kind)kind);
	return log;
}

static struct gemsync_violation next_own(struct log *log, enum gemsync_violation_kind kind)
{
	struct gemsync_violation violation = { 0 };

	EXPECT_OK(gemsync_device_read_violation(log->cf->dev, &log->serial, &violation,
						sizeof(violation), GEMSYNC_VIOLATIONS_OWN));
	EXPECT_TEXT(gemsync_violation_name(violation.kind), gemsync_violation_name(kind));
	return violation;
}

static void expect_row(const struct gemsync_violation *violation, uint64_t offset, uint64_t size)
{
	EXPECT_EQ(violation->rows, 1);
	EXPECT_EQ(violation->offset, offset);
	EXPECT_EQ(violation->size, size);
}

static void expect_no_more(struct log *log)
{
	struct gemsync_violation violation;

	EXPECT_EQ(gemsync_device_read_violation(log->cf->dev, &log->serial, &violation,
						sizeof(violation), GEMSYNC_VIOLATIONS_OWN),
		  -ENOENT);
}

static void expect_counted(const struct log *log, enum gemsync_violation_kind kind,
			   uint64_t count)
{
	EXPECT_EQ_AS(gemsync_violation_name(kind), count_of(log->cf, kind) - log->counts[kind],
		     count);
}

static void gpu_reads(struct cf *cf, const struct buffer *buf, uint64_t offset, size_t size)
{
	void *data = new_array(1, size);

	EXPECT_OK(gpu_read(cf->gpu, buf->va + offset, data, size));
	free(data);
}

CASE(r4_ring_that_nobody_flushes_is_told, "R4", NEEDS | NEED_JOBS,
     "slots of a ring that are never flushed are reported one by one, read or not")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	uint64_t line = cf->info.line_size, frame, i;
	struct gemsync_violation violation;

	for (frame = 0; frame < 6; frame++) {
		for (i = 0; i < line; i += 4)
			cpu_put(buf, frame * line + i, NEW);
		gpu_reads(cf, buf, frame * line, line);
		/* The first three are read before the next one comes. */
		if (frame >= 3)
			continue;
		violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
		expect_row(&violation, frame * line, line);
		expect_no_more(&log);
	}
	for (frame = 3; frame < 6; frame++) {
		violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
		expect_row(&violation, frame * line, line);
	}
	expect_no_more(&log);
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 6);
}

CASE(r4_forgotten_range_is_one_record, "R4", NEEDS,
     "one forgotten flush is one record, however few of its bytes have changed")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;
	void *map = buf->map + 8192;
	float *floats = map;
	int i;

	for (i = 0; i < 1024; i++)
		floats[i] = 1 + 0.5f * (float)i;
	gpu_reads(cf, buf, 8192, 4096);
	violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
	EXPECT_EQ(violation.rows, 1);
	EXPECT_EQ(violation.sync_offset, 8192);
	EXPECT_EQ(violation.sync_size, 4096);
	EXPECT(violation.offset >= 8192 && violation.offset < 8192 + 4);
	EXPECT_EQ(violation.offset + violation.size, 8192 + 4096);
	expect_no_more(&log);
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 1);
}

#define ROWS	60u
#define STRIDE	1024u
#define WIDTH	384u

CASE(r4_forgotten_rows_are_one_record, "R4", NEEDS,
     "rows with a stride that are not flushed, as of a picture's plane, are one record")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;
	uint32_t row, i;

	for (row = 0; row < ROWS; row++)
		for (i = 0; i < WIDTH; i += 4)
			cpu_put(buf, row * STRIDE + i, 0x10200000 + i);
	gpu_reads(cf, buf, 0, ROWS * STRIDE);
	violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
	EXPECT_EQ(violation.rows, ROWS);
	EXPECT_EQ(violation.stride, STRIDE);
	EXPECT_EQ(violation.sync_offset, 0);
	EXPECT_EQ(violation.sync_size, WIDTH);
	expect_no_more(&log);
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 1);
}

CASE_WITHIN(r4_polled_word_is_told_once, "R4", NEEDS | NEED_SPIN, 60,
	    "a job that waits in vain for a word that was not flushed is one record")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;

	cpu_put(buf, 4096, NEW);
	EXPECT_OK(gpu_spin_begin(cf->gpu, buf->va + 4096));
	/* It ends by its time limit. */
	EXPECT(gpu_spin_end(cf->gpu) < 0);
	violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
	expect_row(&violation, 4096, 4);
	expect_no_more(&log);
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 1);
}

CASE(r3_older_store_is_told, "R3", NEEDS,
     "a write-back that destroys what the device wrote over older stores is a lost update")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;

	/* The CPU clears, and forgets to flush; then the GPU has a result. */
	memset(buf->map + 4096, 0x11, 1024);
	gpu_put(cf, buf, 4096 + 512, NEW);
	EXPECT_OK(invalidate(cf, buf, 4096, 1024));
	EXPECT_CPU(cf, buf, 4096 + 512, 0x11111111);
	violation = next_own(&log, GEMSYNC_DEV_WRITE_DIRTY);
	EXPECT_EQ(violation.sync_offset, 4096 + 512);
	violation = next_own(&log, GEMSYNC_LOST_UPDATE);
	expect_row(&violation, 4096 + 512, 4);
	EXPECT_EQ(violation.pid, getpid());
	EXPECT_EQ(violation.cause, GEMSYNC_CAUSE_TOO_LATE);
	expect_no_more(&log);
	expect_counted(&log, GEMSYNC_CPU_STORE_STALE, 0);
}

CASE(r3_discards_are_not_blamed, "R3 R26", NEEDS,
     "whoever overwrites whole lines that the device wrote is not blamed, nor is an upload")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	uint64_t i, line = cf->info.line_size;
	struct gemsync_violation violation;
	uint8_t data[512];

	for (i = 0; i < sizeof(data); i++)
		data[i] = 0x81 + i % 0x61;
	EXPECT_OK(gpu_write(cf->gpu, buf->va + 4096, data, sizeof(data)));
	memset(buf->map + 4096, 0x33, sizeof(data));
	EXPECT_OK(flush(cf, buf, 4096, sizeof(data)));
	EXPECT_GPU(cf, buf, 4096, 0x33333333);
	EXPECT_OK(gpu_write(cf->gpu, buf->va + 8192, data, sizeof(data)));
	for (i = 0; i < sizeof(data); i++)
		data[i] = 0x22 + i % 0x47;
	EXPECT_OK(gemsync_bo_upload(buf->bo, 8192, data, sizeof(data), 0));
	expect_no_more(&log);
	/* The twin: but for one word. */
	EXPECT_OK(gpu_write(cf->gpu, buf->va + 4096, data, line));
	memset(buf->map + 4096, 0x44, line - 4);
	EXPECT_OK(flush(cf, buf, 4096, line));
	violation = next_own(&log, GEMSYNC_LOST_UPDATE);
	EXPECT_EQ(violation.offset, 4096 + line - 4);
	/* Here the invalidate is missing, before the stores. */
	EXPECT_EQ(violation.cause, GEMSYNC_CAUSE_MISSING);
	expect_no_more(&log);
}

CASE(r4_record_says_which_bo_and_job, "R4", NEEDS | NEED_JOBS,
     "a record names the BO, the job, the lines to sync, their last sync, and what to do")
{
	struct buffer *first = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct buffer *second = new_buffer(cf, 2 * SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation one, two;
	char text[512];
	int length;

	/* The same mistake in two BOs without labels. */
	cpu_put(first, 8192, NEW);
	cpu_put(second, 8192, NEW);
	gpu_reads(cf, first, 8192, 4);
	one = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
	EXPECT_OK(flush(cf, second, 8192, 4));
	cpu_put(second, 8192, OLD);
	gpu_reads(cf, second, 8192, 4);
	two = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
	EXPECT_TEXT(one.label, "");
	EXPECT_EQ(one.bo_handle, gemsync_bo_handle(first->bo));
	EXPECT_EQ(two.bo_handle, gemsync_bo_handle(second->bo));
	EXPECT_EQ(one.bo_size, SIZE);
	EXPECT_EQ(two.bo_size, 2 * SIZE);
	EXPECT(two.bo > one.bo);
	EXPECT_EQ(one.bo_pid, getpid());
	EXPECT(two.submission > one.submission && two.job > one.job);
	EXPECT(one.job_address);
	EXPECT_EQ(one.sync_offset, 8192);
	EXPECT_EQ(one.sync_size, cf->info.line_size);
	EXPECT_EQ(one.last_sync, GEMSYNC_LAST_NONE);
	EXPECT_EQ(one.cause, GEMSYNC_CAUSE_MISSING);
	EXPECT_EQ(two.last_sync, GEMSYNC_LAST_FLUSH);
	EXPECT_EQ(two.last_offset, 8192);
	EXPECT_EQ(two.last_size, 4);
	EXPECT_EQ(two.last_pid, getpid());
	EXPECT_EQ(two.cause, GEMSYNC_CAUSE_TOO_EARLY);
	EXPECT(two.last_time_ns > one.time_ns && two.last_time_ns < two.time_ns);
	length = gemsync_violation_describe(&two, text, sizeof(text));
	EXPECT(length > 0 && (size_t)length < sizeof(text));
	EXPECT(strstr(text, "flush") && strstr(text, "too early"));
	/* It is cut like a string of snprintf(). */
	EXPECT_EQ(gemsync_violation_describe(&two, text, 8), length);
	EXPECT_EQ(strlen(text), 7);
	expect_no_more(&log);
}

CASE(r4_owner_may_have_any_name, "R4", NEEDS | NEED_FILE,
     "the owner of a BO is told by name, also where that looks like the rest of the record")
{
	static const char *const names[] = { "plain", "a:7:b c", "with label=", ":9" };
	struct log log = log_from_now(cf);
	struct gemsync_violation record;
	struct buffer *buf;
	char owner[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_OK(prctl(PR_SET_NAME, names[i]));
		buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
		EXPECT_OK(gemsync_bo_set_label(buf->bo, "b:1 label=c"));
		cpu_put(buf, 0, NEW);
		gpu_reads(cf, buf, 0, 4);
		record = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
		snprintf(owner, sizeof(owner), "%s:%d", names[i], getpid());
		EXPECT_TEXT(record.owner, owner);
		EXPECT_TEXT(record.label, "b:1 label=c");
		EXPECT_EQ(record.bo_pid, getpid());
	}
}

CASE(r4_mistake_that_repeats_is_counted, "R4", NEEDS | NEED_JOBS,
     "the same mistake of a later submission is a record that says how many there were")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;
	uint32_t i;

	cpu_put(buf, 4096, NEW);
	for (i = 0; i < 1000; i++)
		gpu_reads(cf, buf, 4096, 4);
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 1000);
	for (i = 0; i < 10; i++) {
		violation = next_own(&log, GEMSYNC_DEV_READ_DIRTY);
		expect_row(&violation, 4096, 4);
		EXPECT_EQ(violation.times, i + 1);
		EXPECT_EQ(violation.again, 0);
	}
}

CASE(r4_flood_hides_no_other_mistake, "R4", NEEDS | NEED_JOBS,
     "however often one mistake is made, the first one of another kind is kept")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct gemsync_violation violation = { 0 };
	struct log log = log_from_now(cf);
	uint32_t i;

	cpu_put(buf, 4096, NEW);
	for (i = 0; i < 1500; i++)
		gpu_reads(cf, buf, 4096, 4);
	gpu_put(cf, buf, 4096 + 4, OLD);
	for (i = 0; i < 1500; i++)
		gpu_reads(cf, buf, 4096, 4);
	while (violation.kind != GEMSYNC_DEV_WRITE_DIRTY)
		EXPECT_OK(gemsync_device_next_violation(cf->dev, &log.serial, &violation));
	EXPECT_EQ(violation.bo_handle, gemsync_bo_handle(buf->bo));
	expect_counted(&log, GEMSYNC_DEV_READ_DIRTY, 3000);
}

/* What was built with the first header, whose struct ended behind the owner. */
CASE(r24_records_grow_without_breaking_callers, "R24", NEEDS,
     "a caller gets the members that its header has, and no byte behind them is touched")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	int (*old)(struct gemsync_device *dev, uint64_t *serial,
		   struct gemsync_violation *violation) = gemsync_device_next_violation;
	struct log log = log_from_now(cf);
	uint64_t serial = log.serial;
	union {
		struct gemsync_violation violation;
		uint8_t bytes[2 * sizeof(struct gemsync_violation)];
	} room;
	size_t i;

	cpu_put(buf, 4096, NEW);
	gpu_reads(cf, buf, 4096, 4);
	memset(&room, 0x5a, sizeof(room));
	EXPECT_OK(old(cf->dev, &serial, &room.violation));
	EXPECT_EQ(room.violation.offset, 4096);
	for (i = offsetof(struct gemsync_violation, time_ns); i < sizeof(room); i++)
		EXPECT_EQ_AS("a byte behind the old members", room.bytes[i], 0x5a);
	/* A newer header has members that this library does not fill. */
	serial = log.serial;
	EXPECT_OK(gemsync_device_read_violation(cf->dev, &serial, &room.violation, sizeof(room),
						0));
	EXPECT_EQ(room.violation.rows, 1);
	for (i = sizeof(room.violation); i < sizeof(room); i++)
		EXPECT_EQ_AS("a byte that the library does not know", room.bytes[i], 0);
	EXPECT_EQ(gemsync_device_read_violation(cf->dev, &serial, &room.violation, 0, 0), -EINVAL);
	EXPECT_EQ(gemsync_device_read_violation(cf->dev, &serial, &room.violation, 8, 1u << 31),
		  -EINVAL);
}

static void expect_stale(struct log *log, const struct buffer *buf, uint64_t offset,
			 enum gemsync_violation_cause cause)
{
	const uint64_t line = log->cf->info.line_size;
	struct gemsync_violation violation = next_own(log, GEMSYNC_CPU_READ_STALE);

	EXPECT_EQ(violation.offset, offset);
	EXPECT_EQ(violation.sync_offset, offset / line * line);
	EXPECT_EQ(violation.cause, cause);
	EXPECT_EQ(violation.pid, getpid());
	EXPECT_EQ(violation.cpu_address, (uintptr_t)buf->map + offset);
	EXPECT(violation.submission > 0);
	expect_no_more(log);
}

/* What the program sees is what it would see without. */
CASE(r4_stale_load_is_told, "R4", NEEDS | NEED_WATCH,
     "a load of what the GPU wrote is told, if it was not invalidated, or in a wrong way")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	const uint64_t line = cf->info.line_size;
	struct log log = log_from_now(cf);
	uint32_t i;

	cpu_get(buf, 4096);
	gpu_put(cf, buf, 4096 + 8, NEW);
	EXPECT_CPU(cf, buf, 4096 + 8, 0);
	expect_stale(&log, buf, 4096 + 8, GEMSYNC_CAUSE_MISSING);
	/* A flush in its place. */
	gpu_put(cf, buf, 8192, NEW);
	EXPECT_OK(flush(cf, buf, 8192, 4));
	EXPECT_CPU(cf, buf, 8192, 0);
	expect_stale(&log, buf, 8192, GEMSYNC_CAUSE_WRONG_KIND);
	/* Too early. */
	EXPECT_OK(invalidate(cf, buf, 12288, 4));
	gpu_put(cf, buf, 12288, NEW);
	EXPECT_CPU(cf, buf, 12288, 0);
	expect_stale(&log, buf, 12288, GEMSYNC_CAUSE_TOO_EARLY);
	/* A line short. */
	EXPECT_OK(gpu_fill(cf->gpu, buf->va + 16384, NEW, 4 * line));
	EXPECT_OK(invalidate(cf, buf, 16384, 3 * line));
	EXPECT_CPU(cf, buf, 16384 + 3 * line, 0);
	expect_stale(&log, buf, 16384 + 3 * line, GEMSYNC_CAUSE_TOO_SHORT);
	/* In a loop: each job's is told. */
	for (i = 2; i < 5; i++) {
		gpu_put(cf, buf, 20480, i);
		EXPECT_CPU(cf, buf, 20480, 0);
		EXPECT_EQ(next_own(&log, GEMSYNC_CPU_READ_STALE).times, i - 1);
	}
}

/* Nobody mapped it before; in kind mode its lines come from memory then. */
CASE(r4_stale_load_of_a_new_map_is_told, "R4", NEEDS | NEED_WATCH,
     "what the GPU wrote to a new BO and is read once without an invalidate is told")
{
	struct buffer *buf = next_buffer(cf);
	struct log log = log_from_now(cf);
	uint32_t seen;
	void *map;

	EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, GEMSYNC_BO_CACHED, &buf->bo));
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	gpu_put(cf, buf, 4096, NEW);
	EXPECT_OK(gemsync_bo_map(buf->bo, &map));
	buf->map = map;
	seen = cpu_get(buf, 4096);
	if (seen == NEW)
		skip("the emulated cache has no line of a BO that was not mapped",
		     "run on a device that is not in kind mode");
	EXPECT_EQ(seen, 0);
	expect_stale(&log, buf, 4096, GEMSYNC_CAUSE_MISSING);
}

CASE(r4_fresh_load_is_not_blamed, "R4", NEEDS | NEED_WATCH | NEED_SPIN,
     "loads of lines that were invalidated, or that the GPU did not write, are not told")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	const uint64_t line = cf->info.line_size;
	struct log log = log_from_now(cf);

	EXPECT_OK(gpu_fill(cf->gpu, buf->va, NEW, 8192));
	EXPECT_OK(invalidate(cf, buf, 0, 8192));
	EXPECT_CPU(cf, buf, 0, NEW);
	EXPECT_CPU(cf, buf, 8188, NEW);
	/* Lines beside, and stores. */
	gpu_put(cf, buf, line, OLD);
	EXPECT_CPU(cf, buf, 2 * line, NEW);
	EXPECT_OK(gpu_fill(cf->gpu, buf->va + 4096, OLD, line));
	memset((char *)buf->map + 4096, 8, line);
	EXPECT_OK(flush(cf, buf, 4096, line));
	/* What a job that runs has written, nobody could know of. */
	EXPECT_OK(gpu_spin_begin(cf->gpu, buf->va + 32768));
	EXPECT_CPU(cf, buf, 32768, 0);
	cpu_put(buf, 32768, 1);
	EXPECT_OK(flush(cf, buf, 32768, 4));
	EXPECT_OK(gpu_spin_end(cf->gpu));
	expect_counted(&log, GEMSYNC_CPU_READ_STALE, 0);
}

/* The CPU clears what is zero, and forgets to flush; then the GPU has a result. */
CASE(r3_store_of_the_same_is_told, "R3", NEEDS | NEED_STORES,
     "a store of the value that was there makes its line dirty, whose write-back is told")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	const uint64_t line = cf->info.line_size;
	struct log log = log_from_now(cf);
	struct gemsync_violation violation;
	uint32_t i;

	/* A load first: then the page is there, to loads alone. */
	for (i = 0; i < 2; i++) {
		EXPECT_CPU(cf, buf, 4096 + 8, 0);
		memset(buf->map + 4096, 0, 4096);
		gpu_put(cf, buf, 4096 + 4, NEW);
		EXPECT_OK(invalidate(cf, buf, 4096, 4096));
		EXPECT_CPU(cf, buf, 4096 + 4, 0);
		violation = next_own(&log, GEMSYNC_DEV_WRITE_DIRTY);
		expect_row(&violation, 4096, line);
		violation = next_own(&log, GEMSYNC_LOST_UPDATE);
		expect_row(&violation, 4096 + 4, 4);
		EXPECT_EQ(violation.pid, getpid());
		EXPECT_EQ(violation.cause, GEMSYNC_CAUSE_TOO_LATE);
		expect_no_more(&log);
	}
	/* A page that nobody had mapped; and one that the GPU read meanwhile. */
	cpu_put(buf, 8192, 0);
	gpu_reads(cf, buf, 8192, 4);
	EXPECT_OK(flush(cf, buf, 8192, 4));
	cpu_put(buf, 8192, 0);
	gpu_put(cf, buf, 8192, NEW);
	EXPECT_OK(flush(cf, buf, 8192, 4));
	EXPECT_GPU(cf, buf, 8192, 0);
	expect_counted(&log, GEMSYNC_LOST_UPDATE, 3);
	expect_counted(&log, GEMSYNC_CPU_STORE_STALE, 0);
}

CASE(r3_flushed_store_of_the_same_is_not_blamed, "R3", NEEDS | NEED_STORES,
     "whoever flushes what was stored, or stores to other lines of the page, is not blamed")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	const uint64_t line = cf->info.line_size;
	struct log log = log_from_now(cf);
	uint32_t i;

	for (i = 0; i < 3; i++) {
		memset(buf->map + 4096, 0, 4096);
		EXPECT_OK(flush(cf, buf, 4096, 4096));
		gpu_put(cf, buf, 4096, NEW);
		EXPECT_OK(invalidate(cf, buf, 4096, 4096));
		EXPECT_CPU(cf, buf, 4096, NEW);
		/* And back, which is flushed, too. */
		memset(buf->map + 4096, 0, 4096);
		EXPECT_OK(flush(cf, buf, 4096, 4096));
		/* Lines beside. */
		cpu_put(buf, 8192, 0);
		gpu_put(cf, buf, 8192 + line, NEW + i);
		EXPECT_OK(invalidate(cf, buf, 8192, 4096));
		EXPECT_CPU(cf, buf, 8192 + line, NEW + i);
		/* What the GPU wrote is overwritten, as a whole, by what was there before. */
		EXPECT_OK(gpu_fill(cf->gpu, buf->va + 12288, NEW, line));
		memset(buf->map + 12288, 0, line);
		EXPECT_OK(flush(cf, buf, 12288, line));
		EXPECT_GPU(cf, buf, 12288, 0);
	}
	expect_no_more(&log);
}

CASE(r4_watched_map_is_memory, "R4", NEEDS | NEED_WATCH,
     "system calls read and write maps whose loads are watched, and are seen like others")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct log log = log_from_now(cf);
	uint32_t words[2] = { OLD, OLD };
	int fds[2];

	EXPECT_OK(pipe(fds));
	cpu_get(buf, 0);
	EXPECT_OK(gpu_fill(cf->gpu, buf->va, NEW, 8192));
	EXPECT_EQ(write(fds[1], (char *)buf->map + 64, sizeof(words)), sizeof(words));
	EXPECT_EQ(read(fds[0], words, sizeof(words)), sizeof(words));
	EXPECT_EQ(words[0], 0);
	expect_stale(&log, buf, 64, GEMSYNC_CAUSE_MISSING);
	EXPECT_OK(invalidate(cf, buf, 0, 8192));
	EXPECT_OK(gpu_fill(cf->gpu, buf->va + 4096, OLD, 128));
	words[1] = NEW;
	EXPECT_EQ(write(fds[1], words, sizeof(words)), sizeof(words));
	EXPECT_EQ(read(fds[0], (char *)buf->map + 4096, sizeof(words)), sizeof(words));
	EXPECT_CPU(cf, buf, 4096 + 4, NEW);
	expect_no_more(&log);
	close(fds[0]);
	close(fds[1]);
}

/* What syncs did since then. */
static void expect_costs(struct cf *cf, struct gemsync_costs *before, uint64_t cleaned,
			 uint64_t dirty, uint64_t dropped, uint64_t stale)
{
	struct gemsync_costs now;

	EXPECT_OK(gemsync_device_costs(cf->dev, &now, sizeof(now)));
	EXPECT_EQ_AS("lines written back", now.lines_cleaned - before->lines_cleaned, cleaned);
	EXPECT_EQ_AS("of these dirty", now.lines_dirty - before->lines_dirty, dirty);
	EXPECT_EQ_AS("lines dropped", now.lines_dropped - before->lines_dropped, dropped);
	EXPECT_EQ_AS("of these stale", now.lines_stale - before->lines_stale, stale);
	*before = now;
}

CASE(r4_clean_lines_are_counted, "R4 R9", NEEDS,
     "syncs of clean lines are no mistake, and are counted: what was dirty, and what was stale")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	const uint64_t line = cf->info.line_size;
	struct log log = log_from_now(cf);
	struct gemsync_costs costs;

	put_both(cf, buf, 4096, OLD);
	EXPECT_OK(gemsync_device_costs(cf->dev, &costs, sizeof(costs)));
	/* Nothing to do. */
	EXPECT_OK(flush(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 0, 0, 0);
	EXPECT_OK(invalidate(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 0, 4, 0);
	/* Two lines that the CPU stored to, then one that the GPU wrote. */
	cpu_put(buf, 4096, NEW);
	cpu_put(buf, 4096 + line, NEW);
	EXPECT_OK(flush(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 2, 0, 0);
	gpu_put(cf, buf, 4096 + 3 * line, NEW);
	EXPECT_OK(gemsync_device_costs(cf->dev, &costs, sizeof(costs)));
	EXPECT_OK(flush(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 0, 0, 0);
	EXPECT_OK(invalidate(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 0, 4, 1);
	EXPECT_OK(invalidate(cf, buf, 4096, 4 * line));
	expect_costs(cf, &costs, 4, 0, 4, 0);
	EXPECT_EQ(gemsync_device_costs(cf->dev, &costs, 0), -EINVAL);
	expect_no_more(&log);
}

/* How many faults it takes to look at a word that the GPU has written. */
static long faults_of_a_result(struct cf *cf, const struct buffer *buf)
{
	long fewest = LONG_MAX, before, faults;
	uint32_t i;

	/* The first round is for what this process itself touches first. */
	for (i = 1; i < 6; i++) {
		gpu_put(cf, buf, 4096, i);
		EXPECT_OK(invalidate(cf, buf, 4096, 4));
		before = faults_now();
		EXPECT_CPU(cf, buf, 4096, i);
		faults = faults_now() - before;
		fewest = faults < fewest ? faults : fewest;
	}
	return fewest;
}

CASE(r12_write_combined_is_not_watched, "R12 R2", NEEDS | NEED_WATCH,
     "maps that go past the cache are left alone where loads are watched: nothing is stale there")
{
	struct buffer *combined = new_buffer(cf, SIZE, 0);
	struct buffer *cached = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);

	EXPECT_EQ_AS("faults in a write-combined map", faults_of_a_result(cf, combined), 0);
	/* The twin: a page that was taken away comes back by one. */
	EXPECT(faults_of_a_result(cf, cached) > 0);
}

CASES(records, "What is told can be acted on",
      &r4_ring_that_nobody_flushes_is_told,
      &r4_forgotten_range_is_one_record,
      &r4_forgotten_rows_are_one_record,
      &r4_polled_word_is_told_once,
      &r3_older_store_is_told,
      &r3_discards_are_not_blamed,
      &r4_record_says_which_bo_and_job,
      &r4_owner_may_have_any_name,
      &r4_mistake_that_repeats_is_counted,
      &r4_flood_hides_no_other_mistake,
      &r24_records_grow_without_breaking_callers,
      &r4_stale_load_is_told,
      &r4_stale_load_of_a_new_map_is_told,
      &r4_fresh_load_is_not_blamed,
      &r3_store_of_the_same_is_told,
      &r3_flushed_store_of_the_same_is_not_blamed,
      &r4_watched_map_is_memory,
      &r12_write_combined_is_not_watched,
      &r4_clean_lines_are_counted);
