/* SPDX-License-Identifier: MIT */
/*
 * The copies of one VkDeviceMemory's bytes, on core's line model with the atom as its line:
 * the driver's map is memory (M), what the application is given the cache (C), and the base
 * (B) is what C was when both were the same last.
 *
 * A store is told by C and B being unlike. A store of the value that was there leaves them
 * alike, and still it has to reach memory that holds something else. So pages that were
 * written to are known where the kernel tells (pages.h), and then:
 *  - an unchanged atom of a page that was not written to is clean;
 *  - where the device has not written (the caller knows), an unchanged atom is moved all the
 *    same, which harms nothing;
 *  - where that is not known, an unchanged atom is if it was never moved before: it holds zeros
 *    for the host, and anything for the device;
 *  - else an unchanged atom is moved if its page was written to and no atom of the
 *    page that is flushed with it changed: then a store of the same value is what the page was
 *    written for. Beside changed atoms it counts as not written: moving it could destroy what
 *    the device wrote.
 * Without the kernel's help every page counts as written by changed atoms alone, and the
 * application's copy begins filled with an unlikely byte, so that first stores are changes.
 *
 * All functions may be called from several threads.
 */
#ifndef GSL_COPIES_H
#define GSL_COPIES_H

#include "random.h"
#include "violation.h"

struct gsl_copies;

/* How copies are made. */
enum {
	GSL_COPIES_WATCH = 1,	/* let the kernel tell which pages are written to, if it can */
	/*
	 * Nothing that either side stored is destroyed, as if all were coherent: what moves is what
	 * changed and nothing beside it, and an invalidate writes back what it would drop.
	 */
	GSL_COPIES_GENTLE = 2,
};

/* Whether the device wrote to what is in a range. */
enum gsl_device_writes {
	GSL_WROTE_NOT,		/* nothing that was submitted does */
	GSL_WROTE_UNKNOWN,	/* shaders may, by addresses */
	GSL_WROTE,		/* something does, or may do so */
};

/* What an operation found, in atoms. */
struct gsl_moved {
	u64 atoms;	/* of the range */
	u64 changed;	/* of them, those that the CPU had stored to (C unlike B) */
	u64 unwritten;	/* of them, those in pages that nobody wrote to since the last flush */
};

/* A row of bytes; whole atoms. */
typedef void (*gsl_row)(void *ctx, u64 offset, u64 size);

/**
 * Make the copies of @size bytes; the lines are cached from their birth, and hold zeros.
 *
 * @mem is the driver's map of all of it. @atom is a
 * power of two from 8 to 256. @align: of the address that the application gets, a power of two.
 * @flags: GSL_COPIES_*.
 * Returns NULL if there is no memory.
 */
struct gsl_copies *gsl_copies_create(void *mem, u64 size, u32 atom, u64 align, u32 flags);
void gsl_copies_destroy(struct gsl_copies *copies);

/* Where the application's copy is. */
void *gsl_copies_address(const struct gsl_copies *copies);

/* Whether the kernel tells which pages are written to. */
bool gsl_copies_are_watched(const struct gsl_copies *copies);

/*
 * Have the kernel tell which pages of a range are touched from now on, be it by loads or by
 * stores. Until a page was, or is unguarded, its stores are known by changed atoms alone. Left out
 * are pages that are in the range in part, and those that hold anything but old data: this reads
 * the driver's map.
 */
void gsl_copies_guard(struct gsl_copies *copies, u64 offset, u64 end);
void gsl_copies_unguard(struct gsl_copies *copies, u64 offset, u64 end);

/* Whether pages of a range are guarded, or were touched since. */
bool gsl_copies_have_guards(struct gsl_copies *copies, u64 offset, u64 end);

/* Ask the kernel which guarded pages were touched: they are guarded no longer. */
void gsl_copies_find_touches(struct gsl_copies *copies);

/*
 * A row of pages that were found touched, and not flushed since; each is given once. False if
 * there is none.
 */
bool gsl_copies_take_touched(struct gsl_copies *copies, u64 *offset, u64 *size);

/* A row of bytes that a write-back does wrong, as core calls it. */
typedef void (*gsl_clash)(void *ctx, enum gs_violation_kind kind, u64 offset, u64 size);

/**
 * Write back the atoms that overlap a range inside the memory.
 *
 * @clash gets what this destroys of what the device wrote; looking for that reads the driver's
 * map. NULL: it is not looked for.
 */
struct gsl_moved gsl_copies_flush(struct gsl_copies *copies, u64 offset, u64 size,
				  enum gsl_device_writes device, gsl_clash clash, void *ctx);

/*
 * Drop the atoms that overlap a range: the application sees memory. Changed ones are lost, and
 * reported to @lost, unless it is NULL, in rows.
 */
struct gsl_moved gsl_copies_invalidate(struct gsl_copies *copies, u64 offset, u64 size,
				       gsl_row lost, void *ctx);

/* As gsl_copies_invalidate(), but changed atoms stay: what a cache may do by itself. */
void gsl_copies_refill(struct gsl_copies *copies, u64 offset, u64 size);

/*
 * What a cache may do by itself at any time: of some atoms, changed ones are written back, and
 * such that nobody stored to are refilled.
 */
void gsl_copies_move(struct gsl_copies *copies, struct gs_random *random, u32 atoms);

/*
 * Report the changed atoms of a range in rows, and zeros that were stored to what was never moved,
 * where the kernel tells of them; looks at pages alone that were written to, where that is known,
 * and never at the driver's map. True if there are any.
 */
bool gsl_copies_find_changed(struct gsl_copies *copies, u64 offset, u64 size, gsl_row row,
			     void *ctx);

/*
 * Report the unchanged atoms of a range that are unlike memory, in rows: what the device
 * wrote and the application did not see. Reads the driver's map.
 */
bool gsl_copies_find_stale(struct gsl_copies *copies, u64 offset, u64 size, gsl_row row,
			   void *ctx);

#endif
