// SPDX-License-Identifier: GPL-2.0-only
/* The pages of objects: poison, cache copies, and operations on their lines. */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "internal.h"

/*
 * All devices' pages by page frame number: there is one CPU cache, so a sync
 * through any device's mapping moves the lines of the page, whosever it is.
 */
static DEFINE_XARRAY(all_pages);

DEFINE_SPINLOCK(ncmem_holders_lock);

static atomic64_t last_set_id;

struct ncmem_page *ncmem_page_find(phys_addr_t phys)
{
	return xa_load(&all_pages, PHYS_PFN(phys));
}

/* The page as the cache-line model sees it; false without a cache copy. */
bool ncmem_page_lines(struct ncmem_page *page, struct gs_lines *lines)
{
	if (!page->cache)
		return false;
	*lines = (struct gs_lines){
		.mem = page_address(page->mem),
		.cache = page_address(page->cache),
		.base = page_address(page->base),
		.size = PAGE_SIZE,
		.line = page->set->nc->params.line_size,
		.under = page->under,
		.stored = page->stored,
	};
	return true;
}

static unsigned int lines_per_page(const struct ncmem *nc)
{
	return PAGE_SIZE / nc->params.line_size;
}

/* C and B before they are a page's. */
struct shadow {
	struct page *cache;
	struct page *base;
	u32 id;
};

static void free_copies(struct page *cache, struct page *base)
{
	if (cache)
		__free_page(cache);
	if (base)
		__free_page(base);
}

/*
 * Chaos may pick the page as soon as it has an id, so its lock is taken first there. C is
 * @own, or a new page.
 */
static int alloc_shadow(struct ncmem_page *page, struct page *own, gfp_t gfp,
			struct shadow *shadow)
{
	int ret = -ENOMEM;

	shadow->cache = own ?: alloc_page(gfp);
	shadow->base = alloc_page(gfp);
	if (!shadow->cache || !shadow->base)
		goto err_free;
	ret = xa_alloc(&page->set->nc->shadows, &shadow->id, page, xa_limit_32b, gfp);
	if (ret)
		goto err_free;
	if (shadow->id > READ_ONCE(page->set->nc->shadow_ids))
		WRITE_ONCE(page->set->nc->shadow_ids, shadow->id);
	atomic_long_inc(&ncmem_totals.shadows);
	return 0;

err_free:
	free_copies(own ? NULL : shadow->cache, shadow->base);
	return ret;
}

/* Under the page's lock, unless nobody else can know the page. */
static void set_shadow(struct ncmem_page *page, const struct shadow *shadow)
{
	page->cache = shadow->cache;
	page->base = shadow->base;
	page->shadow_id = shadow->id;
}

static void discard_shadow(struct ncmem *nc, const struct shadow *shadow)
{
	spin_lock(&nc->shadow_lock);
	xa_erase(&nc->shadows, shadow->id);
	spin_unlock(&nc->shadow_lock);
	free_copies(shadow->cache, shadow->base);
	atomic_long_dec(&ncmem_totals.shadows);
}

static void free_shadow(struct ncmem_page *page)
{
	const struct shadow shadow = {
		.cache = page->cache,
		.base = page->base,
		.id = page->shadow_id,
	};

	if (!page->cache)
		return;
	page->cache = NULL;
	page->base = NULL;
	discard_shadow(page->set->nc, &shadow);
}

/*
 * What the kernel left in a page is in the CPU cache, and nobody knows what
 * memory holds (R17): poison it, with the content as dirty lines above. A line
 * that happens to hold the poison is clean, and right.
 */
static int page_init(struct ncmem_page *page, unsigned int lines)
{
	void *content = page_address(page->mem);
	struct shadow shadow;
	int ret;

	if (!memchr_inv(content, 0, PAGE_SIZE)) {
		bitmap_fill(page->fresh, lines);
		if (page->set->nc->params.mode != NCMEM_KIND)
			bitmap_fill(page->born, lines);
	} else {
		ret = alloc_shadow(page, NULL, GFP_KERNEL_ACCOUNT, &shadow);
		if (ret)
			return ret;
		copy_page(page_address(shadow.cache), content);
		memset(page_address(shadow.base), NCMEM_POISON, PAGE_SIZE);
		spin_lock(&page->lock);
		set_shadow(page, &shadow);
		spin_unlock(&page->lock);
	}
	memset(content, NCMEM_POISON, PAGE_SIZE);
	return 0;
}

/* A page without a cached view holds no dirty line, except fresh ones: their number. */
static u32 clean_fresh(struct ncmem_page *page, u32 line, u32 first, u32 end)
{
	u32 i = first, count = 0;

	for_each_set_bit_from(i, page->fresh, end) {
		memset(page_address(page->mem) + i * line, 0, line);
		__clear_bit(i, page->fresh);
		count++;
	}
	return count;
}

/* The content of the cache goes to memory. Nobody lost anything by it, so nothing is said. */
static void page_settle(struct ncmem_page *page)
{
	const u32 line = page->set->nc->params.line_size;
	struct gs_lines lines;

	spin_lock(&page->lock);
	if (ncmem_page_lines(page, &lines))
		gs_lines_clean(&lines, 0, PAGE_SIZE);
	else
		clean_fresh(page, line, 0, PAGE_SIZE / line);
	spin_unlock(&page->lock);
}

static int page_add(struct ncmem_pages *set, unsigned long index, struct page *mem)
{
	struct ncmem_page *page = &set->page[index];
	int ret;

	spin_lock_init(&page->lock);
	page->set = set;
	page->mem = mem;
	if (set->nc->params.mode != NCMEM_COHERENT) {
		ret = page_init(page, lines_per_page(set->nc));
		if (ret)
			return ret;
	}
	ret = xa_err(xa_store(&all_pages, page_to_pfn(mem), page, GFP_KERNEL_ACCOUNT));
	if (ret) {
		page_settle(page);
		free_shadow(page);
	}
	return ret;
}

/* The CPU's content goes back to the page: what is dirty was never written back. */
static void page_remove(struct ncmem_page *page)
{
	spin_lock(&ncmem_holders_lock);
	WARN_ON(page->holders);
	xa_erase(&all_pages, page_to_pfn(page->mem));
	spin_unlock(&ncmem_holders_lock);
	page_settle(page);
	free_shadow(page);
}

static void free_set(struct ncmem_pages *set)
{
	struct ncmem *nc = set->nc;

	kvfree(set);
	ncmem_put(nc);
}

static int adopted_init(struct ncmem_page *page, struct page *own, gfp_t gfp)
{
	struct shadow shadow;
	int ret;

	page->mem = alloc_page(gfp);
	if (!page->mem)
		return -ENOMEM;
	ret = alloc_shadow(page, own, gfp, &shadow);
	if (ret) {
		__free_page(page->mem);
		return ret;
	}
	memset(page_address(page->mem), NCMEM_POISON, PAGE_SIZE);
	memset(page_address(shadow.base), NCMEM_POISON, PAGE_SIZE);
	spin_lock(&page->lock);
	set_shadow(page, &shadow);
	spin_unlock(&page->lock);
	return 0;
}

static void adopted_free(struct ncmem_page *page)
{
	struct shadow shadow = { .base = page->base, .id = page->shadow_id };

	if (page->cache) {
		discard_shadow(page->set->nc, &shadow);
		__free_page(page->mem);
	}
	free_set(page->set);
}

/*
 * A page that somebody maps for the device, whosever it is. What the CPU has of it is the
 * cache, and memory is poisoned until lines are written back. It has one holder.
 * Returns ERR_PTR of -EBUSY if another task was quicker; -ENOMEM.
 */
struct ncmem_page *ncmem_page_adopt(struct ncmem *nc, struct page *own, gfp_t gfp)
{
	struct ncmem_pages *set = kzalloc(struct_size(set, page, 1), gfp);
	struct ncmem_page *page;
	int ret = 0;

	if (!set)
		return ERR_PTR(-ENOMEM);
	kref_get(&nc->ref);
	set->nc = nc;
	set->id = atomic64_inc_return(&last_set_id);
	INIT_LIST_HEAD(&set->written);
	set->count = 1;
	page = &set->page[0];
	spin_lock_init(&page->lock);
	page->set = set;
	page->adopted = true;
	page->holders = 1;
	page->mem = own;
	if (nc->params.mode != NCMEM_COHERENT)
		ret = adopted_init(page, own, gfp);
	if (ret) {
		free_set(set);
		return ERR_PTR(ret);
	}
	ret = xa_insert(&all_pages, page_to_pfn(own), page, gfp);
	if (ret) {
		adopted_free(page);
		return ERR_PTR(ret);
	}
	atomic_long_inc(&ncmem_totals.pages);
	return page;
}

/* Nobody finds the adopted page any more; under the lock of holders. */
void ncmem_page_forget(struct ncmem_page *page)
{
	xa_erase(&all_pages, page_to_pfn(page->cache ?: page->mem));
}

/* Its last holder is gone, and it was forgotten. */
void ncmem_page_disown(struct ncmem_page *page)
{
	adopted_free(page);
	atomic_long_dec(&ncmem_totals.pages);
}

/**
 * ncmem_pages_add() - put an object's pages under the emulation
 * @nc: the emulation of the object's device
 * @pages: the pages; they stay the caller's and must live until the removal
 * @count: number of pages
 * @owner: whose they are; stays the caller's and must live until the removal
 *
 * From here on the pages are what memory holds, and their content so far is what
 * the CPU's cache holds: it reaches memory when the pages are mapped for the
 * device, as dma_map_sg() does on hardware. Until then memory is poisoned.
 *
 * Context: Process context, may sleep.
 *
 * Return: The set of pages; ERR_PTR of -ENOMEM, or of -EINTR if the task is killed, with
 * the pages as they were.
 */
struct ncmem_pages *ncmem_pages_add(struct ncmem *nc, struct page **pages, unsigned long count,
				    const struct ncmem_owner *owner)
{
	struct ncmem_pages *set;
	unsigned long i;
	int ret;

	set = kvzalloc(struct_size(set, page, count), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!set)
		return ERR_PTR(-ENOMEM);
	kref_get(&nc->ref);
	set->nc = nc;
	set->id = atomic64_inc_return(&last_set_id);
	set->owner = owner;
	INIT_LIST_HEAD(&set->written);
	set->count = count;
	for (i = 0; i < count; i++) {
		ret = fatal_signal_pending(current) ? -EINTR : page_add(set, i, pages[i]);
		if (ret)
			goto err_undo;
		cond_resched();
	}
	atomic_long_add(count, &ncmem_totals.pages);
	return set;

err_undo:
	while (i--)
		page_remove(&set->page[i]);
	free_set(set);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ncmem_pages_add);

/**
 * ncmem_pages_remove() - take an object's pages out of the emulation
 * @set: the pages
 *
 * No CPU view of them and no DMA mapping is left. The pages are left with what
 * the CPU would read.
 *
 * Context: Process context, may sleep.
 */
void ncmem_pages_remove(struct ncmem_pages *set)
{
	unsigned long i;

	ncmem_watch_forget(set);
	for (i = 0; i < set->count; i++) {
		page_remove(&set->page[i]);
		cond_resched();
	}
	atomic_long_sub(set->count, &ncmem_totals.pages);
	free_set(set);
}
EXPORT_SYMBOL_GPL(ncmem_pages_remove);

/* C = B = M, except that lines whose content is in the cache, dirty or clean, show that. */
static void fill_shadow(struct ncmem_page *page)
{
	unsigned int line, count = lines_per_page(page->set->nc);
	struct gs_lines lines;

	ncmem_page_lines(page, &lines);
	gs_lines_fill(&lines);
	for_each_set_bit(line, page->fresh, count)
		memset((void *)lines.cache + line * lines.line, 0, lines.line);
	for_each_andnot_bit(line, page->born, page->fresh, count) {
		memset((void *)lines.cache + line * lines.line, 0, lines.line);
		memset((void *)lines.base + line * lines.line, 0, lines.line);
	}
	bitmap_zero(page->fresh, count);
	bitmap_zero(page->born, count);
}

/* Give a page its cache copy, whoever else is about to. 0 or -ENOMEM. */
static int create_shadow(struct ncmem_page *page, gfp_t gfp)
{
	struct shadow shadow;
	bool late;
	int ret;

	ret = alloc_shadow(page, NULL, gfp, &shadow);
	if (ret)
		return ret;
	spin_lock(&page->lock);
	late = page->cache;
	if (!late) {
		set_shadow(page, &shadow);
		fill_shadow(page);
	}
	spin_unlock(&page->lock);
	if (late)
		discard_shadow(page->set->nc, &shadow);
	return 0;
}

/**
 * ncmem_cpu_page() - the page that a cached CPU view shows
 * @set: the pages of the object
 * @index: which page
 *
 * Context: Process context, may sleep. Calls for one page are serialized by the
 * caller.
 *
 * Return: The page, which lives until ncmem_pages_remove(), or ERR_PTR(-ENOMEM).
 */
struct page *ncmem_cpu_page(struct ncmem_pages *set, unsigned long index)
{
	struct ncmem_page *page = &set->page[index];
	int ret;

	if (set->nc->params.mode == NCMEM_COHERENT)
		return page->mem;
	if (!READ_ONCE(page->cache)) {
		ret = create_shadow(page, GFP_KERNEL_ACCOUNT);
		if (ret)
			return ERR_PTR(ret);
	}
	if (!READ_ONCE(page->viewed)) {
		/* The end of a job sees this, or who asked sees that the page is watched. */
		smp_store_mb(page->viewed, true);
	}
	return page->cache;
}
EXPORT_SYMBOL_GPL(ncmem_cpu_page);

/**
 * ncmem_view_of() - the page that a cached CPU view shows in the place of a page
 * @page: a page of an object; its owner keeps it where it is
 *
 * As ncmem_cpu_page() for who knows only the page. One that is not under the emulation, or
 * was only mapped and never added, is what a view shows.
 *
 * Context: As ncmem_cpu_page().
 *
 * Return: As ncmem_cpu_page().
 */
struct page *ncmem_view_of(struct page *page)
{
	struct ncmem_page *found = ncmem_page_find(page_to_phys(page));

	if (!found || found->adopted)
		return page;
	return ncmem_cpu_page(found->set, found - found->set->page);
}
EXPORT_SYMBOL_GPL(ncmem_view_of);

/* The lines of a page that overlap a range inside it, as [*first, *end). */
static void line_span(u32 line, u32 offset, u32 size, u32 *first, u32 *end)
{
	*first = offset / line;
	*end = DIV_ROUND_UP(offset + size, line);
}

/* Whether the cache may hold a line whose content only memory has, and memory is to lose. */
static bool needs_shadow(struct ncmem_page *page, u32 offset, u32 size)
{
	u32 first, end, i, line = page->set->nc->params.line_size;
	const void *content = page_address(page->mem);
	bool needs = false;

	line_span(line, offset, size, &first, &end);
	spin_lock(&page->lock);
	for (i = first; i < end && !page->cache && !needs; i++) {
		if (test_bit(i, page->fresh) || test_bit(i, page->born))
			continue;
		/* Zero lines are as they were born. */
		needs = memchr_inv(content + i * line, 0, line);
		if (!needs)
			__set_bit(i, page->born);
	}
	spin_unlock(&page->lock);
	return needs;
}

/*
 * Before the device writes to a page that no view shows: the cache may have the lines since
 * their last drop, and hold them for ever. Devices access memory under locks, so no memory
 * is waited for. Without it the lines are refilled when somebody looks, as a kinder cache
 * would do it.
 */
void ncmem_page_prepare_write(struct ncmem_page *page, u32 offset, u32 size)
{
	if (READ_ONCE(page->cache) || page->set->nc->params.mode == NCMEM_COHERENT ||
	    page->set->nc->params.mode == NCMEM_KIND || !needs_shadow(page, offset, size))
		return;
	create_shadow(page, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

/* Write lines of a page back: those that overlap the range. */
void ncmem_page_clean(struct ncmem_page *page, u32 offset, u32 size,
		      struct ncmem_maintained *maintained)
{
	u32 first, end, line = page->set->nc->params.line_size;
	struct gs_lines lines;

	line_span(line, offset, size, &first, &end);
	spin_lock(&page->lock);
	if (ncmem_page_lines(page, &lines)) {
		ncmem_check_clean(page, offset, size);
		maintained->useful += gs_lines_count_dirty(&lines, offset, size);
		gs_lines_clean(&lines, offset, size);
	} else {
		maintained->useful += clean_fresh(page, line, first, end);
	}
	spin_unlock(&page->lock);
	maintained->lines += end - first;
}

/* Of a page without a cached view: zeros of its birth that the device has written over. */
static u32 count_stale_births(const struct ncmem_page *page, u32 line, u32 first, u32 end)
{
	u32 i = first, count = 0;

	for_each_set_bit_from(i, page->born, end) {
		if (!test_bit(i, page->fresh) &&
		    memchr_inv(page_address(page->mem) + i * line, 0, line))
			count++;
	}
	return count;
}

static void drop_fresh(struct ncmem_page *page, u32 line, u32 offset, u32 size)
{
	u32 first, end;

	line_span(line, offset, size, &first, &end);
	if (offset % line)
		clean_fresh(page, line, first, first + 1);
	if ((offset + size) % line)
		clean_fresh(page, line, end - 1, end);
	bitmap_clear(page->fresh, first, end - first);
	bitmap_clear(page->born, first, end - first);
}

/* Drop lines of a page; partial edge lines are written back first, as arm64 does (R5). */
void ncmem_page_drop(struct ncmem_page *page, u32 offset, u32 size,
		     struct ncmem_maintained *maintained)
{
	u32 first, end, line = page->set->nc->params.line_size;
	struct gs_lines lines;

	line_span(line, offset, size, &first, &end);
	spin_lock(&page->lock);
	if (ncmem_page_lines(page, &lines)) {
		if (offset % line)
			ncmem_check_clean(page, offset, 1);
		if ((offset + size) % line)
			ncmem_check_clean(page, offset + size - 1, 1);
		maintained->useful += gs_lines_count_stale(&lines, offset, size);
		gs_lines_drop(&lines, offset, size);
	} else {
		maintained->useful += count_stale_births(page, line, first, end);
		drop_fresh(page, line, offset, size);
	}
	spin_unlock(&page->lock);
	maintained->lines += end - first;
}
