// SPDX-License-Identifier: MIT
/*
 * Which pages of the copies were touched, where the kernel tells: those that hold what the
 * device wrote and the host has not invalidated are guarded, and then it tells of their touches
 * in place of their stores (pages.h). A touch may be a load or a store. It was a store if an
 * atom of the page changed, or if the page is flushed afterwards.
 *
 * Only pages are guarded of which every atom is old: nothing in them is the host's to load. A
 * store of the same value by another thread, just as its page gets or loses its guard, is lost.
 */
#include "copies_internal.h"
#include "pages.h"

/* ---- Stores ---- */

/* What a look at some pages needs to know. */
struct look {
	struct gsl_copies *copies;
	u64 start;	/* of what is looked at, from the begin of the memory */
};

static void set_touched(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 atom;

	for (atom = offset / copies->atom; atom < end / copies->atom; atom++)
		gsl_atom_set_touched(copies, atom);
}

static void note_written(void *ctx, u64 offset, u64 size)
{
	struct look *look = ctx;
	u64 start = look->start + offset;

	gsl_copies_set_changed(look->copies, start, start + size);
	set_touched(look->copies, start, start + size);
}

int gsl_copies_note_written(struct gsl_copies *copies, u64 start, u64 end)
{
	struct look look = { copies, start };

	return gsl_written_collect(copies->app + start, end - start, note_written, &look);
}

/* ---- Guards ---- */

u64 gsl_guard_end(const struct gsl_copies *copies, u64 start, u64 end)
{
	u8 guard = copies->guards[start / copies->page];
	u64 next = start + copies->page;

	if (!copies->guarded)
		return end;
	while (next < end && copies->guards[next / copies->page] == guard)
		next += copies->page;
	return next;
}

static void set_guard(struct gsl_copies *copies, u64 start, u64 end, enum gsl_guard guard)
{
	u64 pages = (end - start) / copies->page;

	copies->guarded -= copies->guards[start / copies->page] ? pages : 0;
	copies->guarded += guard ? pages : 0;
	memset(copies->guards + start / copies->page, guard, pages);
}

/* From touches to stores again; stores that there were meanwhile are seen by comparing. */
static void watch_stores(struct gsl_copies *copies, u64 start, u64 end, enum gsl_guard guard)
{
	gsl_pages_forget(copies->app + start, end - start);
	if (gsl_written_watch(copies->app + start, end - start))
		copies->watched = false;
	gsl_copies_set_changed(copies, start, end);
	set_guard(copies, start, end, guard);
}

/*
 * Call @act for the rows of pages in a range that have a guard. It may change that of its row.
 */
static void each_row(struct gsl_copies *copies, u64 start, u64 end, enum gsl_guard guard,
		     void (*act)(struct gsl_copies *copies, u64 start, u64 end))
{
	u64 next;

	for (; start < end && copies->guarded; start = next) {
		next = gsl_guard_end(copies, start, end);
		if (copies->guards[start / copies->page] == guard)
			act(copies, start, next);
	}
}

/* ---- What others call ---- */

static bool can_be_guarded(const struct gsl_copies *copies, u64 start)
{
	return copies->guards[start / copies->page] == GSL_UNGUARDED &&
	       gsl_page_is_old(copies, start);
}

/* The end of a row of pages that can be guarded; @start if the first one cannot. */
static u64 old_end(const struct gsl_copies *copies, u64 start, u64 end)
{
	while (start < end && can_be_guarded(copies, start))
		start += copies->page;
	return start;
}

/* A row of pages. What was stored to them while they were compared is looked at last. */
static void guard(struct gsl_copies *copies, u64 start, u64 end)
{
	if (gsl_copies_note_written(copies, start, end) || old_end(copies, start, end) != end)
		return;
	gsl_pages_forget(copies->app + start, end - start);
	if (!gsl_touched_watch(copies->app + start, end - start))
		set_guard(copies, start, end, GSL_GUARDED);
	else
		watch_stores(copies, start, end, GSL_UNGUARDED);
}

void gsl_copies_guard(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start, next;

	end = end >= copies->size ? copies->mapped : gsl_page_down(copies, end);
	pthread_mutex_lock(&copies->lock);
	for (start = gsl_page_up(copies, offset); start < end && copies->watched; start = next) {
		next = old_end(copies, start, end);
		if (next > start)
			guard(copies, start, next);
		else
			next = start + copies->page;
	}
	pthread_mutex_unlock(&copies->lock);
}

bool gsl_copies_have_guards(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 page = offset / copies->page, last = (end - 1) / copies->page;
	bool found = false;

	pthread_mutex_lock(&copies->lock);
	for (; copies->guarded && page <= last && !found; page++)
		found = copies->guards[page] != GSL_UNGUARDED;
	pthread_mutex_unlock(&copies->lock);
	return found;
}

static void unguard(struct gsl_copies *copies, u64 start, u64 end)
{
	watch_stores(copies, start, end, GSL_UNGUARDED);
}

/* The page counts as written to, as if the kernel had told so. */
static void take_for_stores(struct gsl_copies *copies, u64 start, u64 end)
{
	gsl_copies_set_changed(copies, start, end);
	set_touched(copies, start, end);
	set_guard(copies, start, end, GSL_UNGUARDED);
}

void gsl_copies_take_for_stores(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start = gsl_page_down(copies, offset);

	end = gsl_page_up(copies, end);
	each_row(copies, start, end, GSL_TOUCHED, take_for_stores);
	each_row(copies, start, end, GSL_JUDGED, take_for_stores);
}

void gsl_copies_unguard(struct gsl_copies *copies, u64 offset, u64 end)
{
	pthread_mutex_lock(&copies->lock);
	each_row(copies, gsl_page_down(copies, offset), gsl_page_up(copies, end), GSL_GUARDED,
		 unguard);
	gsl_copies_take_for_stores(copies, offset, end);
	pthread_mutex_unlock(&copies->lock);
}

static void note_touched(void *ctx, u64 offset, u64 size)
{
	struct look *look = ctx;
	u64 start = look->start + offset;

	watch_stores(look->copies, start, start + size, GSL_TOUCHED);
}

static void find_touches(struct gsl_copies *copies, u64 start, u64 end)
{
	struct look look = { copies, start };

	gsl_touched_collect(copies->app + start, end - start, note_touched, &look);
}

void gsl_copies_find_touches(struct gsl_copies *copies)
{
	pthread_mutex_lock(&copies->lock);
	each_row(copies, 0, copies->mapped, GSL_GUARDED, find_touches);
	pthread_mutex_unlock(&copies->lock);
}

bool gsl_copies_take_touched(struct gsl_copies *copies, u64 *offset, u64 *size)
{
	u64 start, next;

	*size = 0;
	pthread_mutex_lock(&copies->lock);
	for (start = 0; start < copies->mapped && copies->guarded && !*size; start = next) {
		next = gsl_guard_end(copies, start, copies->mapped);
		if (copies->guards[start / copies->page] != GSL_TOUCHED)
			continue;
		*offset = start;
		*size = next - start;
		set_guard(copies, start, next, GSL_JUDGED);
	}
	pthread_mutex_unlock(&copies->lock);
	return *size;
}
