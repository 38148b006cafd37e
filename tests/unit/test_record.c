// SPDX-License-Identifier: MIT
/* record.h: what becomes one record, what is counted, and what is kept of a flood. */
#include "unit.h"

#include "record.h"

#define ROOM	8u
#define LINE	64u

struct fixture {
	struct gs_journal journal;
	struct gs_record *kept;
	struct gs_object object;
	struct gs_object other;
	struct gs_sync_log syncs;
	u64 serial;	/* of the last record that was read */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->kept = calloc(1, gs_journal_bytes(ROOM));
	assert_non_null(f->kept);
	gs_journal_init(&f->journal, f->kept, ROOM, LINE);
	f->object = (struct gs_object){ .id = 1, .size = 1 << 20, .handle = 3, .label = "one" };
	f->other = (struct gs_object){ .id = 2, .size = 1 << 20, .handle = 4, .label = "two" };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->kept);
	free(f);
	return 0;
}

static struct gs_job begin(struct fixture *f)
{
	struct gs_job job = { .submission = 9, .address = 0x1000, .queue = 2 };

	gs_journal_job_begins(&f->journal, &job);
	return job;
}

static void add_of(struct fixture *f, const struct gs_object *object, const struct gs_job *job,
		   enum gs_violation_kind kind, u64 offset, u64 size)
{
	gs_journal_add(&f->journal, &(struct gs_sighting){
		.kind = kind,
		.object = object,
		.syncs = &f->syncs,
		.job = job,
		.offset = offset,
		.size = size,
	});
}

static void add(struct fixture *f, const struct gs_job *job, u64 offset, u64 size)
{
	add_of(f, &f->object, job, GS_DEV_READ_DIRTY, offset, size);
}

/* The last job ends, if there is one, and the next record is read. */
static struct gs_record next(struct fixture *f)
{
	const struct gs_job job = { .number = f->journal.last_job };
	struct gs_record record;

	gs_journal_job_ends(&f->journal, &job);
	assert_true(gs_journal_next(&f->journal, f->serial, &record));
	f->serial = record.serial;
	return record;
}

static void assert_row(const struct gs_record *record, u64 offset, u64 size)
{
	assert_int_equal(record->rows, 1);
	assert_int_equal(record->stride, 0);
	assert_int_equal(record->offset, offset);
	assert_int_equal(record->size, size);
}

static void assert_no_more(struct fixture *f)
{
	struct gs_record record;

	assert_false(gs_journal_next(&f->journal, f->serial, &record));
}

/* One forgotten flush of floats: rows of the bytes that differ, and of no others. */
static void rows_of_one_range_are_one_record(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	struct gs_record record;

	for (u64 at = 4096; at < 8192; at += 4)
		add(f, &job, at, 3);
	record = next(f);
	assert_row(&record, 4096, 4095);
	assert_int_equal(record.start, 4096);
	assert_int_equal(record.end, 8192);
	assert_int_equal(record.again, 0);
	assert_int_equal(record.job.submission, 9);
	assert_int_equal(record.job.queue, 2);
	assert_int_equal(record.object.handle, 3);
	assert_no_more(f);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 1);
}

/* In whatever order the device comes to them; a gap that fills joins its sides. */
static void order_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	struct gs_record record;

	add(f, &job, 640, 64);
	add(f, &job, 512, 64);
	add(f, &job, 0, 8);
	add(f, &job, 576, 64);
	record = next(f);
	assert_row(&record, 512, 192);
	record = next(f);
	assert_row(&record, 0, 8);
	assert_no_more(f);
}

/* Twins: other lines, another object, another kind, another job. */
static void others_are_records_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	struct gs_job later;
	struct gs_record record;

	add(f, &job, 0, 64);
	add(f, &job, 128, 64);
	add_of(f, &f->other, &job, GS_DEV_READ_DIRTY, 64, 64);
	add_of(f, &f->object, &job, GS_DEV_WRITE_DIRTY, 64, 64);
	gs_journal_job_ends(&f->journal, &job);
	later = begin(f);
	add(f, &later, 64, 64);
	for (u32 i = 0; i < 5; i++) {
		record = next(f);
		assert_int_equal(record.serial, i + 1);
		assert_int_equal(record.times, 1);
		assert_int_equal(record.size, 64);
	}
	assert_int_equal(record.job.number, 2);
	assert_no_more(f);
}

static void lose(struct fixture *f, s32 pid, u64 offset)
{
	gs_journal_add(&f->journal, &(struct gs_sighting){
		.kind = GS_LOST_UPDATE,
		.object = &f->object,
		.syncs = &f->syncs,
		.pid = pid,
		.offset = offset,
		.size = 64,
	});
}

/* What the syncs of two processes show, behind one job, side by side. */
static void each_process_has_its_own(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;

	begin(f);
	lose(f, 7, 0);
	lose(f, 8, 64);
	lose(f, 7, 64);
	record = next(f);
	assert_int_equal(record.pid, 7);
	assert_row(&record, 0, 128);
	record = next(f);
	assert_int_equal(record.pid, 8);
	assert_row(&record, 64, 64);
	assert_no_more(f);
}

/* A ring of slots that nobody flushes: each frame's slot begins where the last one ended. */
static void what_was_read_does_not_grow(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;
	struct gs_job job = begin(f);

	add(f, &job, 0, 64);
	/* While the job runs, it is not complete. */
	assert_no_more(f);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 0);
	add(f, &job, 64, 64);
	record = next(f);
	assert_row(&record, 0, 128);
	for (u64 frame = 2; frame < 4; frame++) {
		job = begin(f);
		add(f, &job, 64 * frame, 64);
		record = next(f);
		assert_row(&record, 64 * frame, 64);
	}
	assert_int_equal(record.serial, 3);
	assert_no_more(f);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 3);
}

/* The end of a job ends its records, also if nobody reads them; not those of another one. */
static void jobs_end_their_records(void **state)
{
	struct fixture *f = *state;
	struct gs_job first = begin(f), second = begin(f);

	add(f, &first, 0, 64);
	add_of(f, &f->other, &second, GS_DEV_READ_DIRTY, 0, 64);
	gs_journal_job_ends(&f->journal, &second);
	assert_int_equal(f->journal.open_count, 1);
	assert_int_equal(f->journal.open[0].object.id, 1);
	gs_journal_job_ends(&f->journal, &first);
	assert_int_equal(f->journal.open_count, 0);
	assert_int_equal(gs_journal_last(&f->journal), 2);
	/* What a sync shows is complete whenever somebody looks. */
	gs_journal_add(&f->journal, &(struct gs_sighting){
		.kind = GS_LOST_UPDATE,
		.object = &f->object,
		.syncs = &f->syncs,
		.pid = 1,
		.size = 4,
	});
	assert_int_equal(gs_journal_count(&f->journal, GS_LOST_UPDATE), 1);
}

/* A GPU that polls. What was read is the same record still, and nothing new. */
static void polls_are_counted(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	struct gs_record record;

	for (u32 i = 0; i < 1000; i++)
		add(f, &job, 256, 4);
	record = next(f);
	assert_int_equal(record.again, 999);
	/* A record that is closed early, for want of room, is not told twice. */
	for (u32 i = 0; i < 1000; i++)
		add(f, &job, 256, 4);
	assert_no_more(f);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 1);
	/* Another submission is news. */
	job = begin(f);
	add(f, &job, 256, 4);
	record = next(f);
	assert_int_equal(record.again, 0);
	assert_int_equal(record.times, 2);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 2);
}

/* A plane whose rows have a stride, read in pieces; rows with few differences count as whole. */
static void rows_with_a_stride_are_one_record(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	struct gs_record record;

	for (u64 row = 0; row < 540; row++) {
		for (u64 at = row % 5 && row > 2 ? 64 : 0; at < 960; at += 64)
			add(f, &job, 1024 + row * 2048 + at, 40);
	}
	/* Twin: what lies elsewhere is none of them. */
	add(f, &job, 64, 64);
	record = next(f);
	assert_int_equal(record.rows, 540);
	assert_int_equal(record.stride, 2048);
	assert_int_equal(record.offset, 1024);
	assert_int_equal(record.size, 960 - 24);
	assert_int_equal(record.start, 1024);
	assert_int_equal(record.end, 1024 + 960);
	record = next(f);
	assert_row(&record, 64, 64);
	assert_no_more(f);
}

/* Two are no stride yet, nor are three that lie as they like, or differ in length. */
static void two_rows_are_two_records(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);

	add(f, &job, 0, 64);
	add(f, &job, 1024, 64);
	add(f, &job, 4096, 64);
	add(f, &job, 10240, 64);
	add(f, &job, 20480, 128);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(next(f).rows, 1);
	assert_no_more(f);
}

/* Rounds over a range are counted, not its pieces, also when its record was read. */
static void rounds_are_counted(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);

	add(f, &job, 0, 64);
	add(f, &job, 64, 64);
	assert_int_equal(next(f).again, 0);
	for (u32 i = 0; i < 3; i++) {
		add(f, &job, 0, 64);
		add(f, &job, 64, 64);
	}
	assert_no_more(f);
	f->serial = 0;
	assert_int_equal(next(f).again, 3);
}

/* Nobody reads: the first ones stay, and what comes is counted. Others have room of their own. */
static void flood_hides_nothing(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;
	struct gs_job job;

	for (u32 i = 0; i < 100; i++) {
		job = begin(f);
		add(f, &job, 0, 64);
		gs_journal_job_ends(&f->journal, &job);
	}
	job = begin(f);
	add_of(f, &f->object, &job, GS_LOST_UPDATE, 0, 64);
	gs_journal_job_ends(&f->journal, &job);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 100);
	for (u32 i = 1; i <= ROOM; i++) {
		record = next(f);
		assert_int_equal(record.serial, i);
		assert_int_equal(record.kind, GS_DEV_READ_DIRTY);
	}
	/* The last one says how many there were. */
	assert_int_equal(record.times, 100);
	record = next(f);
	assert_int_equal(record.kind, GS_LOST_UPDATE);
	assert_int_equal(record.serial, 101);
	assert_no_more(f);
	/* They were read, which makes room. */
	job = begin(f);
	add(f, &job, 4096, 64);
	record = next(f);
	assert_row(&record, 4096, 64);
	assert_int_equal(record.serial, 102);
}

/* Room for one: the first stays until it is read, and then it is the next one's. */
static void one_record_of_room(void **state)
{
	struct fixture *f = *state;
	struct gs_job job;

	gs_journal_init(&f->journal, f->kept, 1, LINE);
	for (u32 i = 0; i < 3; i++) {
		job = begin(f);
		add(f, &job, 4096ull * i, 64);
		gs_journal_job_ends(&f->journal, &job);
	}
	assert_int_equal(next(f).offset, 0);
	assert_no_more(f);
	job = begin(f);
	add(f, &job, 64, 64);
	gs_journal_job_ends(&f->journal, &job);
	assert_int_equal(next(f).offset, 64);
	assert_no_more(f);
	assert_int_equal(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY), 4);
}

/* Whoever begins at now sees what comes, however much nobody had read. */
static void now_makes_room(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;
	struct gs_job job;

	for (u32 i = 0; i < 2 * ROOM; i++) {
		job = begin(f);
		add(f, &job, 4096ull * i, 64);
		gs_journal_job_ends(&f->journal, &job);
	}
	f->serial = gs_journal_now(&f->journal);
	assert_int_equal(f->serial, 2 * ROOM);
	assert_no_more(f);
	job = begin(f);
	add(f, &job, 64, 64);
	record = next(f);
	assert_row(&record, 64, 64);
}

/* More ranges than can be open: the oldest ones close, none is lost. */
static void many_ranges(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);
	u64 at = 0;

	for (u32 i = 0; i < 2 * GS_RECORDS_OPEN; i++) {
		add(f, &job, at, 64);
		at += 128 + 64ull * (i * i % 97);
	}
	assert_true(f->journal.open_count <= GS_RECORDS_OPEN);
	gs_journal_job_ends(&f->journal, &job);
	assert_true(gs_journal_count(&f->journal, GS_DEV_READ_DIRTY) > GS_RECORDS_OPEN);
	assert_int_equal(next(f).offset, 0);
}

/* ---- Syncs ---- */

static void sync_lines(struct fixture *f, enum gs_sync_type type, u64 offset, u64 size)
{
	gs_sync_log_add(&f->syncs, &(struct gs_sync_note){
		.offset = offset,
		.end = offset + size,
		.job = f->journal.last_job,
		.pid = 77,
		.type = type,
	});
}

static void drop_lines(struct fixture *f, u64 offset, u64 size)
{
	sync_lines(f, GS_SYNC_FLUSH, offset, size);
	sync_lines(f, GS_SYNC_FLUSH_AND_INVALIDATE, offset, size);
}

static struct gs_record one_record(struct fixture *f, u64 offset, u64 size)
{
	struct gs_job job = begin(f);

	add(f, &job, offset, size);
	return next(f);
}

static void last_sync_is_told(void **state)
{
	struct fixture *f = *state;
	struct gs_record record = one_record(f, 0, 64);

	assert_int_equal(record.sync_known, GS_SYNC_NEVER);
	assert_int_equal(record.cause, GS_CAUSE_MISSING);
	sync_lines(f, GS_SYNC_FLUSH, 32, 4);
	drop_lines(f, 4096, 4096);
	begin(f);
	record = one_record(f, 0, 64);
	assert_int_equal(record.sync_known, GS_SYNC_KNOWN);
	assert_int_equal(record.sync.type, GS_SYNC_FLUSH);
	assert_int_equal(record.sync.offset, 32);
	assert_int_equal(record.sync.end, 36);
	assert_int_equal(record.sync.job, 1);
	assert_int_equal(record.sync.pid, 77);
	assert_int_equal(record.cause, GS_CAUSE_MISSING);
	record = one_record(f, 8128, 64);
	assert_int_equal(record.sync.type, GS_SYNC_FLUSH_AND_INVALIDATE);
	/* Where notes were dropped, nobody says never. */
	for (u32 i = 0; i < GS_SYNC_NOTES + 1; i++)
		sync_lines(f, GS_SYNC_FLUSH, 65536 + 128 * i, 1);
	record = one_record(f, 1024, 64);
	assert_int_equal(record.sync_known, GS_SYNC_LONG_AGO);
}

static void cause_is_told(void **state)
{
	struct fixture *f = *state;

	/* Flushed, then stored to again. */
	sync_lines(f, GS_SYNC_FLUSH, 0, 64);
	assert_int_equal(one_record(f, 0, 64).cause, GS_CAUSE_TOO_EARLY);
	/* The flush before the last submit was that submit's. */
	assert_int_equal(one_record(f, 0, 64).cause, GS_CAUSE_MISSING);
	sync_lines(f, GS_SYNC_FLUSH, 1000, 20);
	assert_int_equal(one_record(f, 1024, 64).cause, GS_CAUSE_TOO_SHORT);
	sync_lines(f, GS_SYNC_FLUSH, 1024, 64);
	assert_int_equal(one_record(f, 960, 64).cause, GS_CAUSE_TOO_SHORT);
	/* Twin: a line between them. */
	sync_lines(f, GS_SYNC_FLUSH, 1000, 20);
	assert_int_equal(one_record(f, 1088, 64).cause, GS_CAUSE_MISSING);
	assert_string_equal(gs_cause_name(GS_CAUSE_TOO_SHORT), "too-short");
	assert_string_equal(gs_cause_name(GS_CAUSES), "unknown");
}

static struct gs_record lost_update(struct fixture *f, const struct gs_job *job, u64 offset,
				    bool late)
{
	gs_journal_add(&f->journal, &(struct gs_sighting){
		.kind = GS_LOST_UPDATE,
		.object = &f->object,
		.syncs = &f->syncs,
		.job = job,
		.pid = job ? 0 : 5,
		.offset = offset,
		.size = 4,
		.late = late,
	});
	if (job)
		gs_journal_job_ends(&f->journal, job);
	return next(f);
}

/* A sync that writes older stores over what the device wrote. Chaos is no sync. */
static void late_sync_is_told(void **state)
{
	struct fixture *f = *state;
	struct gs_job job = begin(f);

	assert_int_equal(lost_update(f, NULL, 0, true).cause, GS_CAUSE_TOO_LATE);
	assert_int_equal(lost_update(f, NULL, 128, false).cause, GS_CAUSE_MISSING);
	assert_int_equal(lost_update(f, &job, 256, true).cause, GS_CAUSE_MISSING);
	assert_string_equal(gs_cause_name(GS_CAUSE_TOO_LATE), "too-late");
}

static struct gs_record stale_load(struct fixture *f, const struct gs_job *writer, u64 offset)
{
	gs_journal_add(&f->journal, &(struct gs_sighting){
		.kind = GS_CPU_READ_STALE,
		.object = &f->object,
		.syncs = &f->syncs,
		.job = writer,
		.pid = 5,
		.offset = offset,
		.size = 4,
	});
	return next(f);
}

static void cause_of_a_stale_load_is_told(void **state)
{
	struct fixture *f = *state;
	struct gs_job writer = begin(f);

	assert_int_equal(stale_load(f, &writer, 0).cause, GS_CAUSE_MISSING);
	/* Before the job, or while it ran. */
	drop_lines(f, 0, 64);
	writer = begin(f);
	assert_int_equal(stale_load(f, &writer, 0).cause, GS_CAUSE_TOO_EARLY);
	writer = begin(f);
	assert_int_equal(stale_load(f, &writer, 0).cause, GS_CAUSE_MISSING);
	sync_lines(f, GS_SYNC_FLUSH, 0, 64);
	writer = begin(f);
	sync_lines(f, GS_SYNC_FLUSH, 0, 64);
	assert_int_equal(stale_load(f, &writer, 0).cause, GS_CAUSE_WRONG_KIND);
	drop_lines(f, 4096, 100);
	assert_int_equal(stale_load(f, &writer, 4224).cause, GS_CAUSE_TOO_SHORT);
	/* Twin: a flush beside them was for others. */
	sync_lines(f, GS_SYNC_FLUSH, 8192, 64);
	assert_int_equal(stale_load(f, &writer, 8256).cause, GS_CAUSE_MISSING);
}

static void assert_note(const struct fixture *f, u32 i, enum gs_sync_type type, u64 offset,
			u64 end)
{
	assert_true(f->syncs.count > i);
	assert_int_equal(f->syncs.notes[i].type, type);
	assert_int_equal(f->syncs.notes[i].offset, offset);
	assert_int_equal(f->syncs.notes[i].end, end);
}

/* What is invalidated behind a flush of the same caller, or within it, is a call of its own. */
static void flush_stays_a_flush(void **state)
{
	struct fixture *f = *state;

	sync_lines(f, GS_SYNC_FLUSH, 0, 1000);
	drop_lines(f, 1000, 100);
	drop_lines(f, 1100, 4096);
	assert_int_equal(f->syncs.count, 2);
	assert_note(f, 0, GS_SYNC_FLUSH, 0, 1000);
	assert_note(f, 1, GS_SYNC_FLUSH_AND_INVALIDATE, 1000, 5196);
	sync_lines(f, GS_SYNC_FLUSH, 8192, 128);
	drop_lines(f, 8256, 64);
	assert_int_equal(f->syncs.count, 4);
	assert_note(f, 2, GS_SYNC_FLUSH, 8192, 8320);
	assert_note(f, 3, GS_SYNC_FLUSH_AND_INVALIDATE, 8256, 8320);
	/* The same once more. */
	sync_lines(f, GS_SYNC_FLUSH, 0, 64);
	drop_lines(f, 0, 64);
	assert_int_equal(f->syncs.count, 6);
	assert_note(f, 4, GS_SYNC_FLUSH, 0, 64);
	assert_note(f, 5, GS_SYNC_FLUSH_AND_INVALIDATE, 0, 64);
}

/* A call in pieces leaves as many notes of the calls before it as one in one piece. */
static void pieces_push_out_no_note(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;

	for (u64 i = 0; i < GS_SYNC_NOTES - 1; i++)
		sync_lines(f, GS_SYNC_FLUSH, 4096 * i, 64);
	for (u64 at = 0; at < 3 * 4096; at += 4096)
		drop_lines(f, 1024 * 1024 + at, 4096);
	record = one_record(f, 0, 64);
	assert_int_equal(record.sync_known, GS_SYNC_KNOWN);
	assert_int_equal(record.sync.offset, 0);
	assert_int_equal(record.sync.end, 64);
	/* Twin: one call more than there is room for. */
	sync_lines(f, GS_SYNC_FLUSH, 2 * 1024 * 1024, 64);
	assert_int_equal(one_record(f, 0, 64).sync_known, GS_SYNC_LONG_AGO);
}

/* One call of a user's, as drivers split it: flush and drop of each step. */
static void pieces_are_one_sync(void **state)
{
	struct fixture *f = *state;
	struct gs_record record;

	for (u64 at = 0; at < 10 * 4096; at += 4096)
		drop_lines(f, at, 4096);
	assert_int_equal(f->syncs.count, 1);
	record = one_record(f, 4096, 64);
	assert_int_equal(record.sync.type, GS_SYNC_FLUSH_AND_INVALIDATE);
	assert_int_equal(record.sync.offset, 0);
	assert_int_equal(record.sync.end, 40960);
	/* Twin: after a job it is another call. */
	drop_lines(f, 40960, 64);
	assert_int_equal(f->syncs.count, 2);
	assert_note(f, 1, GS_SYNC_FLUSH_AND_INVALIDATE, 40960, 41024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_of_one_range_are_one_record),
		TEST(order_does_not_matter),
		TEST(others_are_records_of_their_own),
		TEST(each_process_has_its_own),
		TEST(what_was_read_does_not_grow),
		TEST(jobs_end_their_records),
		TEST(polls_are_counted),
		TEST(rows_with_a_stride_are_one_record),
		TEST(two_rows_are_two_records),
		TEST(rounds_are_counted),
		TEST(flood_hides_nothing),
		TEST(one_record_of_room),
		TEST(now_makes_room),
		TEST(many_ranges),
		TEST(last_sync_is_told),
		TEST(cause_is_told),
		TEST(late_sync_is_told),
		TEST(cause_of_a_stale_load_is_told),
		TEST(pieces_are_one_sync),
		TEST(pieces_push_out_no_note),
		TEST(flush_stays_a_flush),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
