/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the cache-line model (line.h) can see go wrong, or nearly so.
 *
 * Bytes are compared: B is the cache as of the last fill or write-back, when
 * memory was the same, so M != B means that the device wrote the byte since, and
 * C != B that the CPU did. Unseen are therefore changes back and forth between two
 * looks, and unless somebody sees the access, stores of the value that was there
 * (gs_lines_store()) and CPU loads of stale lines.
 *
 * A line of which the CPU stored every word (4 bytes; of lines below 16 bytes every
 * byte), after the device wrote to it, is no mistake: the CPU discards what was there.
 */
#ifndef GS_VIOLATION_H
#define GS_VIOLATION_H

#include "line.h"

enum gs_violation_kind {
	/*
	 * Error: a write-back puts a byte over one that the device wrote, and the CPU did
	 * not change it, or had changed it before the device wrote. Looked for before the
	 * write-back.
	 */
	GS_LOST_UPDATE,
	/* Hazard: the CPU stored to a line that the device wrote since the last fill. */
	GS_CPU_STORE_STALE,
	/* Hazard: the device writes to a line that is dirty. */
	GS_DEV_WRITE_DIRTY,
	/* Hazard: the device reads a byte whose value is still in the cache. */
	GS_DEV_READ_DIRTY,
	/* Hazard: the CPU loads from a line that the device wrote since the last fill. */
	GS_CPU_READ_STALE,

	GS_VIOLATION_KINDS,
};

struct gs_violation {
	enum gs_violation_kind kind;
	u32 offset;	/* of the first byte, in the window */
	u32 size;	/* bytes in a row */
	bool late;	/* of a lost update: the store was there before the device wrote */
};

typedef void (*gs_violation_report)(void *ctx, const struct gs_violation *violation);

/**
 * Report what a write-back of the lines of a range will do wrong.
 *
 * Call before gs_lines_clean() of the same range, and before gs_lines_drop() for
 * the lines that its range covers in part, under the same serialization. Of each
 * line that is dirty and that the device wrote, either the lost bytes are reported
 * or, when none is lost and some of the line is the device's still, the bytes that the
 * CPU stored. @report is called once per
 * row of bytes, in the order of their offsets; rows end with their line.
 * The ranges of all functions here are inside the window; a @size of 0 is nothing.
 */
void gs_violations_of_clean(const struct gs_lines *lines, u32 offset, u32 size,
			    gs_violation_report report, void *ctx);

/*
 * Before a device write of a range: reports the dirty bytes of all lines that overlap
 * it, inside the range or not, and marks these lines in &gs_lines.under. A line that is
 * dirty though none of its bytes changed is reported whole. Rows go on from line to line.
 */
void gs_violations_of_dev_write(const struct gs_lines *lines, u32 offset, u32 size,
				gs_violation_report report, void *ctx);

/* Before a device read of a range: reports its own dirty bytes, not those beside it. */
void gs_violations_of_dev_read(const struct gs_lines *lines, u32 offset, u32 size,
			       gs_violation_report report, void *ctx);

/*
 * The CPU loads the byte at @offset: whether its line is one that the device wrote since
 * the last fill. Then *@violation is from there to the end of such lines in the window.
 */
bool gs_violation_of_cpu_load(const struct gs_lines *lines, u32 offset,
			      struct gs_violation *violation);

/* A short name, such as "lost-update"; "unknown" if there is none. Never NULL. */
const char *gs_violation_name(enum gs_violation_kind kind);

/* What it means and what to do about it, in a line of English. Never NULL. */
const char *gs_violation_explain(enum gs_violation_kind kind);

#endif
