// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "range.h"
#include "record.h"

/* ---- Syncs ---- */

static struct gs_sync_note *note_at(const struct gs_sync_log *log, u64 number)
{
	return (struct gs_sync_note *)&log->notes[number % GS_SYNC_SLOTS];
}

static bool same_caller(const struct gs_sync_note *a, const struct gs_sync_note *b)
{
	return a->pid == b->pid && a->job == b->job;
}

/* The driver flushed a piece, and now drops it. */
static bool becomes_drop(const struct gs_sync_note *last, const struct gs_sync_note *note)
{
	return last->type == GS_SYNC_FLUSH && note->type == GS_SYNC_FLUSH_AND_INVALIDATE &&
	       last->end == note->end && last->offset <= note->offset;
}

static bool goes_on(const struct gs_sync_note *last, const struct gs_sync_note *note)
{
	return last->type == note->type && last->end == note->offset;
}

/* The last flush is the first half of @note. False if @note is still to be appended. */
static bool drop_last(struct gs_sync_log *log, const struct gs_sync_note *note)
{
	struct gs_sync_note *last = note_at(log, log->count - 1);
	struct gs_sync_note *before = log->count > 1 ? note_at(log, log->count - 2) : NULL;

	if (last->offset < note->offset) {
		/* It had been joined to a flush that ended where it starts. */
		last->end = note->offset;
		return false;
	}
	if (before && same_caller(before, note) && goes_on(before, note)) {
		/* The pieces of one long call: flush, drop, flush, drop. */
		before->end = note->end;
		log->count--;
	} else {
		last->type = note->type;
	}
	return true;
}

void gs_sync_log_add(struct gs_sync_log *log, const struct gs_sync_note *note)
{
	struct gs_sync_note *last = log->count ? note_at(log, log->count - 1) : NULL;

	if (last && same_caller(last, note)) {
		if (goes_on(last, note)) {
			last->end = note->end;
			return;
		}
		if (becomes_drop(last, note) && drop_last(log, note))
			return;
	}
	*note_at(log, log->count) = *note;
	log->count++;
}

static u64 oldest_note(const struct gs_sync_log *log)
{
	return log->count > GS_SYNC_NOTES ? log->count - GS_SYNC_NOTES : 0;
}

/* The newest sync of any line of [@start, @end). */
static enum gs_sync_known find_sync(const struct gs_sync_log *log, u64 start, u64 end,
				    struct gs_sync_note *found)
{
	u64 oldest = oldest_note(log), i;

	for (i = log->count; i-- > oldest;) {
		const struct gs_sync_note *note = note_at(log, i);

		if (note->offset < end && note->end > start) {
			*found = *note;
			return GS_SYNC_KNOWN;
		}
	}
	return oldest ? GS_SYNC_LONG_AGO : GS_SYNC_NEVER;
}

/* A sync of @type since job @since began that ended right beside the lines. */
static bool ended_beside(const struct gs_sync_log *log, const struct gs_record *record, u32 line,
			 enum gs_sync_type type, u64 since)
{
	u64 oldest = oldest_note(log), i;

	for (i = log->count; i-- > oldest;) {
		const struct gs_sync_note *note = note_at(log, i);
		u64 start = note->offset / line * line;
		u64 end = (note->end + line - 1) / line * line;

		if (note->job < since)
			return false;
		if (note->type == type && (end == record->start || start == record->end))
			return true;
	}
	return false;
}

/* What was flushed since the job before was flushed for this one. */
static enum gs_cause cause_of_dirty_read(const struct gs_sync_log *log,
					 const struct gs_record *record, u32 line)
{
	u64 before = record->job.number - 1;

	if (record->sync_known == GS_SYNC_KNOWN && record->sync.job >= before)
		return GS_CAUSE_TOO_EARLY;
	return ended_beside(log, record, line, GS_SYNC_FLUSH, before) ? GS_CAUSE_TOO_SHORT :
									GS_CAUSE_MISSING;
}

/* What was invalidated since the job before, or while it ran, was too early to help. */
static enum gs_cause cause_of_stale_load(const struct gs_sync_log *log,
					 const struct gs_record *record, u32 line)
{
	u64 writer = record->job.number;

	if (record->sync_known == GS_SYNC_KNOWN) {
		if (record->sync.type == GS_SYNC_FLUSH && record->sync.job >= writer)
			return GS_CAUSE_WRONG_KIND;
		if (record->sync.type != GS_SYNC_FLUSH && record->sync.job + 1 >= writer)
			return GS_CAUSE_TOO_EARLY;
	}
	return ended_beside(log, record, line, GS_SYNC_FLUSH_AND_INVALIDATE, writer) ?
		GS_CAUSE_TOO_SHORT : GS_CAUSE_MISSING;
}

static enum gs_cause find_cause(const struct gs_sync_log *log, const struct gs_record *record,
				u32 line)
{
	if (!record->job.number)
		return GS_CAUSE_MISSING;
	if (record->kind == GS_DEV_READ_DIRTY)
		return cause_of_dirty_read(log, record, line);
	if (record->kind == GS_CPU_READ_STALE)
		return cause_of_stale_load(log, record, line);
	return GS_CAUSE_MISSING;
}

/* ---- Records ---- */

void gs_journal_init(struct gs_journal *journal, struct gs_record *kept, u32 room, u32 line)
{
	journal->kept = kept;
	journal->room = room;
	journal->line = line;
}

static struct gs_record *kept_at(struct gs_journal *journal, enum gs_violation_kind kind, u32 i)
{
	return &journal->kept[kind * journal->room + (journal->first[kind] + i) % journal->room];
}

/* Of one mistake of one job. */
static bool same_mistake(const struct gs_record *a, const struct gs_record *b)
{
	return a->kind == b->kind && a->object.id == b->object.id &&
	       a->job.number == b->job.number && a->pid == b->pid;
}

/* The row of @record whose lines hold those of @piece; @rows of them. */
static bool row_holds(const struct gs_record *record, const struct gs_record *piece, u64 row)
{
	u64 start = record->start + row * record->stride;

	return piece->start >= start && piece->end <= start + (record->end - record->start);
}

static bool holds(const struct gs_record *record, const struct gs_record *piece)
{
	u64 row = 0;

	if (piece->start < record->start)
		return false;
	if (record->stride)
		row = (piece->start - record->start) / record->stride;
	return row < record->rows && row_holds(record, piece, row);
}

static bool touches(const struct gs_record *record, const struct gs_record *piece)
{
	return record->rows == 1 && piece->start <= record->end && piece->end >= record->start;
}

static void extend(struct gs_record *record, const struct gs_record *piece)
{
	u64 end = record->offset + record->size;

	if (piece->offset + piece->size > end)
		end = piece->offset + piece->size;
	if (piece->offset < record->offset)
		record->offset = piece->offset;
	record->size = end - record->offset;
	if (piece->start < record->start)
		record->start = piece->start;
	if (piece->end > record->end)
		record->end = piece->end;
}

/* Bytes of a row after the first, which counts for the first one's size too. */
static void extend_row(struct gs_record *record, const struct gs_record *piece)
{
	struct gs_record shifted = *piece;
	u64 shift = (piece->start - record->start) / record->stride * record->stride;

	shifted.offset -= shift;
	shifted.start -= shift;
	shifted.end -= shift;
	extend(record, &shifted);
}

static void remove_open(struct gs_journal *journal, u32 i)
{
	journal->open_count--;
	for (; i < journal->open_count; i++)
		journal->open[i] = journal->open[i + 1];
}

/* One that @piece made longer may now touch another one. */
static void join(struct gs_journal *journal, u32 at)
{
	struct gs_record *record = &journal->open[at];
	u32 i;

	for (i = journal->open_count; i-- > 0;) {
		const struct gs_record *other = &journal->open[i];

		if (i == at || record->rows > 1 || !same_mistake(record, other) ||
		    !touches(other, record))
			continue;
		if (i < at) {
			extend(&journal->open[i], record);
			remove_open(journal, at);
			at = i;
			record = &journal->open[at];
		} else {
			extend(record, other);
			remove_open(journal, i);
		}
	}
}

static bool takes(struct gs_record *record, const struct gs_record *piece)
{
	if (holds(record, piece)) {
		if (piece->first == record->first)
			record->again++;
		if (record->rows == 1)
			extend(record, piece);
		else
			extend_row(record, piece);
		return true;
	}
	if (touches(record, piece)) {
		extend(record, piece);
		return true;
	}
	if (record->rows > 1 && row_holds(record, piece, record->rows)) {
		record->rows++;
		extend_row(record, piece);
		return true;
	}
	return false;
}

static bool add_to_open(struct gs_journal *journal, const struct gs_record *piece)
{
	u32 i;

	for (i = journal->open_count; i-- > 0;) {
		struct gs_record *record = &journal->open[i];

		if (!same_mistake(record, piece) || !takes(record, piece))
			continue;
		join(journal, i);
		return true;
	}
	return false;
}

/* The job did again what was told of it: that record is closed, and only counts. */
static bool add_to_kept(struct gs_journal *journal, const struct gs_record *piece)
{
	u32 i;

	for (i = journal->count[piece->kind]; i-- > 0;) {
		struct gs_record *record = kept_at(journal, piece->kind, i);

		if (!same_mistake(record, piece) || !holds(record, piece))
			continue;
		if (piece->first == record->first)
			record->again++;
		return true;
	}
	return false;
}

static u64 length(const struct gs_record *record)
{
	return record->end - record->start;
}

/* Two rows of one length that are open, and @piece where the third one would be. */
static bool begin_stride(struct gs_journal *journal, const struct gs_record *piece)
{
	u32 i, k;

	for (i = journal->open_count; i-- > 1;) {
		const struct gs_record *second = &journal->open[i];

		if (second->rows > 1 || !same_mistake(second, piece) ||
		    piece->start <= second->start || length(piece) > length(second))
			continue;
		for (k = i; k-- > 0;) {
			struct gs_record *first = &journal->open[k];

			if (first->rows > 1 || !same_mistake(first, piece) ||
			    length(first) != length(second) ||
			    second->start - first->start != piece->start - second->start ||
			    second->start <= first->start)
				continue;
			first->stride = second->start - first->start;
			first->rows = 3;
			extend_row(first, second);
			extend_row(first, piece);
			remove_open(journal, i);
			return true;
		}
	}
	return false;
}

/* The newest one that is kept of the same mistake in the same lines, of whichever job. */
static struct gs_record *find_alike(struct gs_journal *journal, const struct gs_record *record)
{
	u32 i;

	for (i = journal->count[record->kind]; i-- > 0;) {
		struct gs_record *other = kept_at(journal, record->kind, i);

		if (other->object.id == record->object.id && other->start == record->start &&
		    other->end == record->end && other->rows == record->rows &&
		    other->stride == record->stride)
			return other;
	}
	return NULL;
}

/* Whether there is room for one more of the kind; the oldest one goes if it was read. */
static bool make_room(struct gs_journal *journal, enum gs_violation_kind kind)
{
	if (journal->count[kind] < journal->room)
		return true;
	if (kept_at(journal, kind, 0)->serial > journal->read)
		return false;
	journal->first[kind] = (journal->first[kind] + 1) % journal->room;
	journal->count[kind]--;
	return true;
}

static void keep(struct gs_journal *journal, struct gs_record *record)
{
	struct gs_record *alike = find_alike(journal, record);
	u64 times = alike ? alike->times + 1 : 1;

	record->serial = ++journal->last_serial;
	record->times = times;
	journal->seen[record->kind]++;
	if (make_room(journal, record->kind))
		*kept_at(journal, record->kind, journal->count[record->kind]++) = *record;
	else if (alike)
		alike->times = times;
	if (journal->closed)
		journal->closed(journal, record);
}

static void close_first(struct gs_journal *journal)
{
	keep(journal, &journal->open[0]);
	remove_open(journal, 0);
}

/* All that no job does, and those of the job with this number. */
static void close_complete(struct gs_journal *journal, u64 job)
{
	u32 i = 0;

	while (i < journal->open_count) {
		struct gs_record *record = &journal->open[i];

		if (record->of_job && record->job.number != job) {
			i++;
			continue;
		}
		keep(journal, record);
		remove_open(journal, i);
	}
}

void gs_journal_job_begins(struct gs_journal *journal, struct gs_job *job)
{
	job->number = ++journal->last_job;
}

void gs_journal_job_ends(struct gs_journal *journal, const struct gs_job *job)
{
	close_complete(journal, job->number);
}

static void fill_lines(struct gs_record *record, const struct gs_sighting *sighting, u32 line)
{
	record->offset = sighting->offset;
	record->size = sighting->size;
	record->first = sighting->offset;
	record->start = sighting->offset / line * line;
	record->end = (sighting->offset + sighting->size + line - 1) / line * line;
}

void gs_journal_add(struct gs_journal *journal, const struct gs_sighting *sighting)
{
	struct gs_record piece = {
		.time_ns = sighting->time_ns,
		.kind = sighting->kind,
		.object = *sighting->object,
		.pid = sighting->pid,
		.rows = 1,
		.of_job = sighting->job && !sighting->pid,
		.address = sighting->address,
		.pc = sighting->pc,
	};

	if (sighting->job)
		piece.job = *sighting->job;
	else
		piece.job.number = journal->last_job;
	fill_lines(&piece, sighting, journal->line);
	if (add_to_open(journal, &piece) || add_to_kept(journal, &piece) ||
	    begin_stride(journal, &piece))
		return;
	if (journal->open_count == GS_RECORDS_OPEN)
		close_first(journal);
	piece.sync_known = find_sync(sighting->syncs, piece.start, piece.end, &piece.sync);
	piece.cause = find_cause(sighting->syncs, &piece, journal->line);
	/* Of a job's access the write-back is the cache's own, not a sync. */
	if (sighting->late && !sighting->job)
		piece.cause = GS_CAUSE_TOO_LATE;
	journal->open[journal->open_count++] = piece;
}

u64 gs_journal_count(struct gs_journal *journal, enum gs_violation_kind kind)
{
	close_complete(journal, 0);
	return journal->seen[kind];
}

/* The first one of a kind with a serial above @serial: they are in the order of these. */
static struct gs_record *next_of_kind(struct gs_journal *journal, enum gs_violation_kind kind,
				      u64 serial)
{
	u32 low = 0, high = journal->count[kind];

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (kept_at(journal, kind, middle)->serial > serial)
			high = middle;
		else
			low = middle + 1;
	}
	return low < journal->count[kind] ? kept_at(journal, kind, low) : NULL;
}

bool gs_journal_next(struct gs_journal *journal, u64 serial, struct gs_record *record)
{
	struct gs_record *next = NULL, *other;
	u32 kind;

	close_complete(journal, 0);
	for (kind = 0; kind < GS_VIOLATION_KINDS; kind++) {
		other = next_of_kind(journal, (enum gs_violation_kind)kind, serial);
		if (other && (!next || other->serial < next->serial))
			next = other;
	}
	if (!next)
		return false;
	if (next->serial > journal->read)
		journal->read = next->serial;
	*record = *next;
	return true;
}

u64 gs_journal_last(struct gs_journal *journal)
{
	close_complete(journal, 0);
	return journal->last_serial;
}

u64 gs_journal_now(struct gs_journal *journal)
{
	journal->read = gs_journal_last(journal);
	return journal->read;
}

const char *gs_cause_name(enum gs_cause cause)
{
	static const char *const names[GS_CAUSES] = {
		[GS_CAUSE_MISSING] = "missing",
		[GS_CAUSE_TOO_EARLY] = "too-early",
		[GS_CAUSE_TOO_SHORT] = "too-short",
		[GS_CAUSE_WRONG_KIND] = "wrong-kind",
		[GS_CAUSE_TOO_LATE] = "too-late",
	};

	return cause < GS_CAUSES ? names[cause] : "unknown";
}
