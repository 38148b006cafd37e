// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads of stale lines, and stores of what was there, seen by the pages that they touch.
 *
 * When a job ends, the pages that it wrote are taken away from the CPU's maps. The next
 * touch of each is a fault, in a system call too, before which the line is looked at: a
 * load from one that the device wrote since it was filled is a violation. Then the page is
 * there again, and the program sees what it would have seen. So what is seen is the first
 * touch of each page after a job.
 *
 * Pages that a running job writes are left alone: who polls them, and invalidates each
 * time, makes no mistake if the device is quicker once. What is written without a job is
 * not watched.
 *
 * Where stores are watched, maps show pages to loads alone until something is stored. That
 * is a fault, by which its line is known to be dirty, whatever the value. When a job ends,
 * all such pages are taken away again. So what is seen is the first store to each page
 * after a job; of the others those that change something, as always.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "internal.h"

bool ncmem_can_watch(const struct ncmem_pages *set)
{
	return set->owner && set->owner->revoke;
}

/* Under the lock of reports: @page is among those that the end of a job may take away. */
static void add_page(struct ncmem_page *page)
{
	struct ncmem_pages *set = page->set;
	unsigned long index = page - set->page;

	if (list_empty(&set->written)) {
		list_add_tail(&set->written, &set->nc->written);
		set->written_first = index;
		set->written_end = index + 1;
	} else {
		set->written_first = min(set->written_first, index);
		set->written_end = max(set->written_end, index + 1);
	}
}

/* Under the lock of reports: a job wrote to @page. */
void ncmem_watch_write(struct ncmem_page *page, const struct ncmem_job *job)
{
	page->writer = job->number;
	page->written = true;
	add_page(page);
}

static bool wrote(const struct ncmem_page *page, u64 job)
{
	return page->written && page->writer == job;
}

/*
 * A job ends: from now on loads of the page are watched, if the job wrote it, and stores, if
 * a map can make them. True if a map may show the page, which then has to be taken from it.
 */
static bool begin_watch(struct ncmem_page *page, u64 job)
{
	if (!page->writable && !wrote(page, job))
		return false;
	page->writable = false;
	if (wrote(page, job)) {
		page->written = false;
		WRITE_ONCE(page->watched, true);
	}
	/* Who is about to show it for the first time sees that it is watched, or this does. */
	smp_mb();
	if (!READ_ONCE(page->viewed))
		return false;
	WRITE_ONCE(page->taken, true);
	return true;
}

/*
 * The next pages in a row that maps have to lose, from *@index on. Returns their number; 0
 * behind the last.
 */
static unsigned long next_row(struct ncmem_pages *set, u64 job, unsigned long *index)
{
	struct ncmem *nc = set->nc;
	unsigned long first, end;

	spin_lock(&nc->report_lock);
	first = *index;
	while (first < set->written_end && !begin_watch(&set->page[first], job))
		first++;
	end = first;
	if (first < set->written_end)
		end++;
	while (end < set->written_end && begin_watch(&set->page[end], job))
		end++;
	spin_unlock(&nc->report_lock);
	*index = first;
	return end - first;
}

static void take_away(struct ncmem_pages *set, u64 job)
{
	unsigned long index = READ_ONCE(set->written_first), count;

	for (; (count = next_row(set, job, &index)); index += count)
		set->owner->revoke(set->owner, index, count);
}

static bool stays_listed(const struct ncmem_page *page)
{
	return page->written || page->writable;
}

/* What is left are pages of jobs that run. */
static void shrink(struct ncmem_pages *set)
{
	struct ncmem *nc = set->nc;

	spin_lock(&nc->report_lock);
	while (set->written_first < set->written_end &&
	       !stays_listed(&set->page[set->written_first]))
		set->written_first++;
	while (set->written_first < set->written_end &&
	       !stays_listed(&set->page[set->written_end - 1]))
		set->written_end--;
	if (set->written_first == set->written_end)
		list_del_init(&set->written);
	spin_unlock(&nc->report_lock);
}

/* Sets leave the list only under the mutex, and new ones come at its end. */
static struct ncmem_pages *next_set(struct ncmem *nc, struct ncmem_pages *set)
{
	struct ncmem_pages *next;

	spin_lock(&nc->report_lock);
	next = set ? list_next_entry(set, written) :
		     list_first_entry(&nc->written, struct ncmem_pages, written);
	if (list_entry_is_head(next, &nc->written, written))
		next = NULL;
	spin_unlock(&nc->report_lock);
	return next;
}

static struct ncmem_pages *last_set(struct ncmem *nc)
{
	struct ncmem_pages *last = NULL;

	spin_lock(&nc->report_lock);
	if (!list_empty(&nc->written))
		last = list_last_entry(&nc->written, struct ncmem_pages, written);
	spin_unlock(&nc->report_lock);
	return last;
}

void ncmem_watch_job_ends(struct ncmem *nc, const struct gs_job *job)
{
	struct ncmem_pages *set, *next, *last;

	mutex_lock(&nc->watch_mutex);
	/* Those that the CPU touches meanwhile, again and again, wait for the next job. */
	last = last_set(nc);
	for (set = next_set(nc, NULL); set; set = next) {
		take_away(set, job->number);
		next = set == last ? NULL : next_set(nc, set);
		shrink(set);
	}
	mutex_unlock(&nc->watch_mutex);
}

/* Nobody takes its pages away from now on. */
void ncmem_watch_forget(struct ncmem_pages *set)
{
	struct ncmem *nc = set->nc;

	mutex_lock(&nc->watch_mutex);
	spin_lock(&nc->report_lock);
	list_del_init(&set->written);
	spin_unlock(&nc->report_lock);
	mutex_unlock(&nc->watch_mutex);
}

/* Where the program was: at the instruction that touched the page, or in a system call. */
static u64 program_counter(void)
{
	struct pt_regs *regs = current->mm ? task_pt_regs(current) : NULL;

	return regs && user_mode(regs) ? instruction_pointer(regs) : 0;
}

/* Under the page's lock. */
static void look_at_load(struct ncmem_page *page, const struct ncmem_touch *touch)
{
	struct gs_violation violation;
	struct gs_lines lines;

	if (ncmem_page_lines(page, &lines) &&
	    gs_violation_of_cpu_load(&lines, offset_in_page(touch->address), &violation))
		ncmem_report_load(page, &violation, touch->address, program_counter());
}

/* Under the page's lock. */
static void note_store(struct ncmem_page *page, const struct ncmem_touch *touch)
{
	struct ncmem *nc = page->set->nc;
	struct gs_lines lines;

	if (!ncmem_page_lines(page, &lines))
		return;
	gs_lines_store(&lines, offset_in_page(touch->address));
	spin_lock(&nc->report_lock);
	page->writable = true;
	add_page(page);
	spin_unlock(&nc->report_lock);
}

/**
 * ncmem_cpu_touch() - a cached map of user space is about to show a page
 * @set: the pages of the object
 * @index: which page; ncmem_cpu_page() was called for it
 * @touch: the touch that brings it in; NULL: nobody touched it, another page was
 *
 * Context: Process context. Calls for one set are serialized by the caller, and those for
 * other pages come after the touch.
 *
 * Return: How it may be shown; for a touch, so that it can go on.
 */
enum ncmem_show ncmem_cpu_touch(struct ncmem_pages *set, unsigned long index,
				const struct ncmem_touch *touch)
{
	const u32 watch = READ_ONCE(set->nc->watch);
	const bool stores = watch & NCMEM_WATCH_STORES && ncmem_can_watch(set);
	const enum ncmem_show show = stores ? NCMEM_SHOW_READ_ONLY : NCMEM_SHOW;
	struct ncmem_page *page = &set->page[index];
	bool watched = READ_ONCE(page->watched);
	bool taken = READ_ONCE(page->taken);

	if (touch)
		set->refilled = watch && taken;
	/* Where one was taken away, the others are there, and to show them again is waste. */
	else if (watched || (set->refilled && !taken))
		return NCMEM_HIDE;
	if (taken)
		WRITE_ONCE(page->taken, false);
	if (!touch || (!watched && !stores))
		return show;
	spin_lock(&page->lock);
	watched = page->watched;
	WRITE_ONCE(page->watched, false);
	if (stores && touch->store)
		note_store(page, touch);
	if (watched && !touch->store)
		look_at_load(page, touch);
	spin_unlock(&page->lock);
	return touch->store ? NCMEM_SHOW : show;
}
EXPORT_SYMBOL_GPL(ncmem_cpu_touch);
