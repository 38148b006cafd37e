// SPDX-License-Identifier: MIT
/*
 * Which pages of the copies were touched, where the kernel tells: those that hold what the
 * device wrote and the host has not invalidated are guarded, and then it tells of their touches
 * in place of their stores (pages.h). A touch may be a load or a store. It was a store if an
 * atom of the page changed, or if the range is flushed afterwards.
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

/* ---- Birth ---- */

static bool was_never_used(const struct gsl_copies *copies, u64 page_start)
{
	u64 atom = page_start / copies->atom, end = (page_start + copies->page) / copies->atom;

	if (copies->changed[page_start / copies->page])
		return false;
	while (atom < end && !gsl_atom_is_moved(copies, atom))
		atom++;
	return atom == end;
}

/* Words of the copy that are @from become @to; whatever the host stores meanwhile stays. */
static void refill(struct gsl_copies *copies, u64 start, u8 from, u8 to)
{
	u64 *word = (u64 *)(copies->cache + start), *end = word + copies->page / sizeof(u64);
	u64 ones = 0x0101010101010101ull;

	for (; word < end; word++)
		gs_word_replace(word, from * ones, to * ones);
	memset(copies->base + start, to, copies->page);
}

/*
 * Pages that the host never used hold zeros, and while they are guarded nobody would see it
 * store zeros: they get an unlikely byte. If the host uses one just then, it keeps its zeros.
 */
static void fill_unused(struct gsl_copies *copies, u64 start, u64 end)
{
	u64 page;

	for (page = start; page < end; page += copies->page) {
		if (!was_never_used(copies, page))
			continue;
		refill(copies, page, 0, GSL_BIRTH);
		gsl_copies_note_written(copies, page, page + copies->page);
		if (copies->changed[page / copies->page])
			refill(copies, page, GSL_BIRTH, 0);
	}
}

/* ---- What others call ---- */

static void guard(struct gsl_copies *copies, u64 start, u64 end)
{
	if (gsl_copies_note_written(copies, start, end))
		return;
	fill_unused(copies, start, end);
	gsl_pages_forget(copies->app + start, end - start);
	if (!gsl_touched_watch(copies->app + start, end - start))
		set_guard(copies, start, end, GSL_GUARDED);
	else
		watch_stores(copies, start, end, GSL_UNGUARDED);
}

static u64 whole_pages_end(const struct gsl_copies *copies, u64 end)
{
	return end >= copies->size ? copies->mapped : gsl_page_down(copies, end);
}

bool gsl_copies_have_pages(const struct gsl_copies *copies, u64 offset, u64 end)
{
	return gsl_page_up(copies, offset) < whole_pages_end(copies, end);
}

void gsl_copies_guard(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start, next;

	end = whole_pages_end(copies, end);
	pthread_mutex_lock(&copies->lock);
	for (start = gsl_page_up(copies, offset); start < end && copies->watched; start = next) {
		next = gsl_guard_end(copies, start, end);
		if (copies->guards[start / copies->page] == GSL_UNGUARDED)
			guard(copies, start, next);
	}
	pthread_mutex_unlock(&copies->lock);
}

static void unguard(struct gsl_copies *copies, u64 start, u64 end)
{
	watch_stores(copies, start, end, GSL_UNGUARDED);
}

static void forget_touch(struct gsl_copies *copies, u64 start, u64 end)
{
	set_guard(copies, start, end, GSL_UNGUARDED);
}

void gsl_copies_unguard(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start = gsl_page_down(copies, offset);

	end = gsl_page_up(copies, end);
	pthread_mutex_lock(&copies->lock);
	each_row(copies, start, end, GSL_GUARDED, unguard);
	each_row(copies, start, end, GSL_TOUCHED, forget_touch);
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
		forget_touch(copies, start, next);
	}
	pthread_mutex_unlock(&copies->lock);
	return *size;
}

void gsl_copies_take_for_stores(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start = gsl_page_down(copies, offset), next;

	for (; start < end && copies->guarded; start = next) {
		next = start + copies->page;
		if (copies->guards[start / copies->page] != GSL_TOUCHED)
			continue;
		set_touched(copies, start > offset ? start : offset, next < end ? next : end);
		forget_touch(copies, start, next);
	}
}
