// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a cache may do on its own at any time: write a dirty line back, refill a
 * clean one. A program that is right never notices.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "internal.h"

/* Moves per device access and per tick of the work item. */
#define MOVES_AT_ACCESS	2
#define MOVES_PER_TICK	64

static void move_line(struct ncmem *nc, struct ncmem_page *page, struct gs_random *random)
{
	u32 line = nc->params.line_size;
	u32 offset = gs_random_below(random, PAGE_SIZE / line) * line;
	bool evict = gs_random_below(random, 2);
	struct gs_lines lines;

	spin_lock(&page->lock);
	if (ncmem_page_lines(page, &lines)) {
		if (!evict) {
			atomic64_add(gs_lines_refill(&lines, offset, line), &nc->lines_refilled);
		} else if (gs_lines_dirty(&lines, offset, line)) {
			ncmem_check_clean(page, offset, line);
			gs_lines_clean(&lines, offset, line);
			atomic64_inc(&nc->lines_evicted);
		}
	}
	spin_unlock(&page->lock);
}

/* Any page with a cache copy: the first one from a random id on, around the end. */
static void move_any(struct ncmem *nc, struct gs_random *random)
{
	unsigned long first = gs_random_below(random, READ_ONCE(nc->shadow_ids) + 1);
	unsigned long id = first;
	struct ncmem_page *page;

	page = xa_find(&nc->shadows, &id, ULONG_MAX, XA_PRESENT);
	if (!page) {
		id = 0;
		page = xa_find(&nc->shadows, &id, first, XA_PRESENT);
	}
	if (page)
		move_line(nc, page, random);
}

/* The device accesses @page: some of its lines move, and some of others. */
void ncmem_chaos_at_access(struct ncmem *nc, struct ncmem_page *page)
{
	int i;

	if (nc->params.mode != NCMEM_CHAOS)
		return;
	spin_lock(&nc->shadow_lock);
	for (i = 0; i < MOVES_AT_ACCESS; i++) {
		move_line(nc, page, &nc->random);
		move_any(nc, &nc->random);
	}
	spin_unlock(&nc->shadow_lock);
}

static void chaos_tick(struct work_struct *work)
{
	struct ncmem *nc = container_of(work, struct ncmem, chaos_work.work);
	int i;

	spin_lock(&nc->shadow_lock);
	for (i = 0; i < MOVES_PER_TICK; i++)
		move_any(nc, &nc->work_random);
	spin_unlock(&nc->shadow_lock);
	schedule_delayed_work(&nc->chaos_work, msecs_to_jiffies(nc->params.chaos_period_ms));
}

void ncmem_chaos_init(struct ncmem *nc)
{
	spin_lock_init(&nc->shadow_lock);
	xa_init_flags(&nc->shadows, XA_FLAGS_ALLOC);
	gs_random_seed(&nc->random, nc->params.seed);
	gs_random_seed(&nc->work_random, ~nc->params.seed);
	INIT_DELAYED_WORK(&nc->chaos_work, chaos_tick);
	if (nc->params.mode == NCMEM_CHAOS && nc->params.chaos_period_ms)
		schedule_delayed_work(&nc->chaos_work, 0);
}

void ncmem_chaos_stop(struct ncmem *nc)
{
	cancel_delayed_work_sync(&nc->chaos_work);
}

void ncmem_chaos_fini(struct ncmem *nc)
{
	xa_destroy(&nc->shadows);
}
