/* SPDX-License-Identifier: MIT */
/*
 * What copies.c and touches.c share: a memory's copies, and what is known of their pages. The
 * lock of the copies is held by whoever calls these functions.
 */
#ifndef GSL_COPIES_INTERNAL_H
#define GSL_COPIES_INTERNAL_H

#include <pthread.h>
#include <string.h>

#include "copies.h"

/* What the kernel tells of a page. */
enum gsl_guard {
	GSL_UNGUARDED,	/* its stores */
	GSL_GUARDED,	/* its touches: stores are known by changed atoms alone */
	GSL_TOUCHED,	/* its stores again; it was touched while it was guarded */
	GSL_JUDGED,	/* likewise, and the touch was told as a load */
};

struct gsl_copies {
	u8 *app;	/* what the application has: watched */
	u8 *cache;	/* the same memory for the layer, whose stores nobody watches */
	u8 *base;
	u8 *mem;	/* the driver's map; @size bytes */
	u64 size;
	u64 mapped;	/* bytes of app, cache and base: whole pages */
	u64 app_reserved;	/* and what was reserved to align it */
	u8 *reserved;
	u64 page;
	u32 atom;
	bool watched;
	u32 grain;	/* what is moved together, of a changed atom: all of it, or less */
	u64 *touched;	/* a bit for each atom: in a page written to since its last move */
	u8 *changed;	/* a byte for each page: has touched atoms, or such that may have changed */
	u8 *guards;	/* of each page an enum gsl_guard */
	u64 guarded;	/* how many pages have one */
	u64 *moved;	/* a bit for each atom: it was flushed, invalidated or refilled once */
	pthread_mutex_t lock;
};

static inline bool gsl_atom_is_touched(const struct gsl_copies *copies, u64 atom)
{
	return copies->touched[atom / 64] >> atom % 64 & 1;
}

static inline bool gsl_atom_is_moved(const struct gsl_copies *copies, u64 atom)
{
	return copies->moved[atom / 64] >> atom % 64 & 1;
}

static inline void gsl_atom_set_touched(struct gsl_copies *copies, u64 atom)
{
	copies->touched[atom / 64] |= 1ull << atom % 64;
}

static inline u64 gsl_page_down(const struct gsl_copies *copies, u64 offset)
{
	return offset & ~(copies->page - 1);
}

static inline u64 gsl_page_up(const struct gsl_copies *copies, u64 end)
{
	return gsl_page_down(copies, end + copies->page - 1);
}

/* Pages of which it is not known whether their atoms changed: whoever looks compares them. */
static inline void gsl_copies_set_changed(struct gsl_copies *copies, u64 start, u64 end)
{
	memset(copies->changed + start / copies->page, 1, (end - start) / copies->page);
}

/* Where the pages end that have the same guard as the first one. */
u64 gsl_guard_end(const struct gsl_copies *copies, u64 start, u64 end);

/* Take over what the kernel knows of stores to unguarded pages. 0 or -errno. */
int gsl_copies_note_written(struct gsl_copies *copies, u64 start, u64 end);

/* Whether all atoms of a page are unlike memory, and the host stored to none of them. */
bool gsl_page_is_old(const struct gsl_copies *copies, u64 start);

/* Touched pages that a range overlaps, which is flushed: whoever flushes has stored. */
void gsl_copies_take_for_stores(struct gsl_copies *copies, u64 offset, u64 end);

#endif
