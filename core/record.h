/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Records of violations (violation.h) that a person can act on: which mistake, in which
 * object, by which job, what the last sync of these lines was, and how often.
 *
 * The model finds rows of bytes; a journal makes records of them. There is one for each
 * mistake, job and contiguous range of lines. Ranges of one mistake that lie in three or
 * more rows of one stride are one record too. What a job does again to the same lines is
 * counted in its record; what another job does again is a record of its own, which says
 * how many of the same there were.
 *
 * A record is open, and grows, until its job ends. What no running job did, but a sync or
 * the CPU's load showed, is open until any job ends or somebody reads. Then it gets its
 * serial number, is counted, and never grows again. Each kind has room of its own. Where a
 * kind's is full of records that nobody has read, it is the newest that is not kept: its
 * mistake is counted, by kind and in the record of the same mistake that is there.
 *
 * Nothing here locks: the caller serializes all calls on one journal.
 */
#ifndef GS_RECORD_H
#define GS_RECORD_H

#include "access.h"
#include "violation.h"

#define GS_RECORDS_OPEN	64u	/* that can grow at once */
#define GS_RECORDS_ROOM	128u	/* that an emulation keeps of each kind */
#define GS_SYNC_SLOTS	16u	/* notes of each object: see gs_sync_log_add() */
#define GS_SYNC_NOTES	(GS_SYNC_SLOTS - 1)	/* syncs that are remembered of it */

/* An object, as it was when the violation was seen. */
struct gs_object {
	u64 id;			/* objects of the device in the order of their creation, from 1 */
	u64 size;		/* bytes */
	u32 handle;		/* of its creator, 0 if unknown */
	s32 pid;		/* of its creator */
	char program[20];	/* of its creator */
	char label[64];
};

/* A job of the device; all 0 where the device accesses memory without one. */
struct gs_job {
	u64 number;		/* jobs of the device in the order in which they begin, from 1 */
	u64 submission;		/* jobs of its queue, from 1 */
	u64 address;		/* GPU address of its commands */
	u32 group;
	u32 queue;
};

enum gs_sync_known {
	GS_SYNC_NEVER,		/* these lines were not synchronized yet */
	GS_SYNC_KNOWN,
	GS_SYNC_LONG_AGO,	/* never, or so long ago that it is not remembered */
};

struct gs_sync_note {
	u64 offset;		/* bytes of the object */
	u64 end;
	u64 time_ns;
	u64 job;		/* number of the last job that had begun */
	s32 pid;
	enum gs_sync_type type;
};

/* The last syncs of an object; zeroed memory is one of an object without any. */
struct gs_sync_log {
	struct gs_sync_note notes[GS_SYNC_SLOTS];
	u64 count;		/* ever */
};

/* What was wrong with the sync that was there. */
enum gs_cause {
	GS_CAUSE_MISSING,	/* there was none for this use */
	GS_CAUSE_TOO_EARLY,	/* it came, and after it the bytes changed */
	GS_CAUSE_TOO_SHORT,	/* it came, and ended beside these lines */
	GS_CAUSE_WRONG_KIND,	/* it was a flush, where lines had to be dropped */
	GS_CAUSE_TOO_LATE,	/* it came when the device had written, and destroyed that */

	GS_CAUSES,
};

struct gs_record {
	u64 serial;		/* from 1; 0 while it is open */
	u64 time_ns;		/* when it was first seen */
	enum gs_violation_kind kind;
	enum gs_cause cause;
	struct gs_object object;
	struct gs_job job;	/* of the device's access; of a CPU's, the last that had begun */
	s32 pid;		/* whose sync showed it; 0 if a job did */
	u32 rows;		/* 1, or how many rows of @size, each @stride after the last */
	u64 offset;		/* of the first byte */
	u64 size;		/* bytes from the first to the last of a row */
	u64 stride;		/* bytes; 0 with one row */
	u64 start;		/* the same in whole lines: what had to be synchronized */
	u64 end;		/* of the first row */
	u64 first;		/* the byte that was seen first */
	bool of_job;		/* a job does it: open until that ends */
	u64 again;		/* how often the job did it again */
	u64 times;		/* jobs that made this mistake so far, this one included */
	enum gs_sync_known sync_known;
	struct gs_sync_note sync;	/* if GS_SYNC_KNOWN: the last one of any of the lines */
	u64 address;		/* of a load: what it read, in the program's address space */
	u64 pc;			/* and where the program was; 0 if unknown */
};

struct gs_journal {
	struct gs_record *kept;		/* GS_VIOLATION_KINDS times @room */
	u32 room;			/* records of each kind */
	u32 line;			/* bytes of a line */
	struct gs_record open[GS_RECORDS_OPEN];	/* in the order in which they were seen */
	u32 open_count;
	u32 first[GS_VIOLATION_KINDS];	/* the oldest one in the room of its kind */
	u32 count[GS_VIOLATION_KINDS];
	u64 seen[GS_VIOLATION_KINDS];	/* so many records there ever were */
	u64 last_serial;
	u64 read;			/* somebody has read them up to this serial */
	u64 last_job;			/* number of the last one that began */
	/* Optional: called for each record when it got its serial, kept or not. */
	void (*closed)(struct gs_journal *journal, const struct gs_record *record);
};

/* Where and by whom a violation was seen. */
struct gs_sighting {
	enum gs_violation_kind kind;
	const struct gs_object *object;
	const struct gs_sync_log *syncs;	/* of the object */
	const struct gs_job *job;	/* NULL for what a sync shows; of a load, who wrote */
	s32 pid;			/* of the CPU's sync or load; 0 for the device's access */
	u64 time_ns;
	u64 offset;			/* bytes of the object */
	u64 size;
	bool late;			/* as in &struct gs_violation */
	u64 address;			/* of a load, as in &struct gs_record */
	u64 pc;
};

/* Bytes of the memory for records that a journal with @room for each kind needs. */
static inline size_t gs_journal_bytes(u32 room)
{
	return sizeof(struct gs_record) * room * GS_VIOLATION_KINDS;
}

/*
 * @kept: zeroed memory of gs_journal_bytes(@room), of the caller. @journal is
 * zeroed. The member @closed may be set after it.
 */
void gs_journal_init(struct gs_journal *journal, struct gs_record *kept, u32 room, u32 line);

/* A job begins: gives it its number. */
void gs_journal_job_begins(struct gs_journal *journal, struct gs_job *job);

/* Its records do not grow any more. Each job that begins has to end. */
void gs_journal_job_ends(struct gs_journal *journal, const struct gs_job *job);

/* Take a row of bytes that the model found. */
void gs_journal_add(struct gs_journal *journal, const struct gs_sighting *sighting);

/* How many records of a kind there were; those of running jobs are not complete. */
u64 gs_journal_count(struct gs_journal *journal, enum gs_violation_kind kind);

/*
 * A copy of the kept record with the lowest serial above @serial, which somebody has
 * then read; false if there is none.
 */
bool gs_journal_next(struct gs_journal *journal, u64 serial, struct gs_record *record);

/* The serial of the last record. */
u64 gs_journal_last(struct gs_journal *journal);

/* A short name, such as "too-early". Never NULL. */
const char *gs_cause_name(enum gs_cause cause);

/* The serial of the last record; what comes later has a greater one. All count as read. */
u64 gs_journal_now(struct gs_journal *journal);

/*
 * Remember a sync: the flush of each piece, and, where it is dropped, the drop right behind
 * that. A piece that goes on where the last one of the same caller ended is part of it; the
 * flush of a piece has a slot of its own until the drop comes.
 */
void gs_sync_log_add(struct gs_sync_log *log, const struct gs_sync_note *note);

#endif
