// SPDX-License-Identifier: GPL-2.0-only
/* The pages of objects: poison, cache copies, and operations on their lines. */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "internal.h"

/*
 * All devices' pages by page frame number: there is one CPU cache, so a sync
 * through any device's mapping moves the lines of the page, whosever it is.
 */
static DEFINE_XARRAY(all_pages);

struct ncmem_page *ncmem_page_find(phys_addr_t phys)
{
	return xa_load(&all_pages, PHYS_PFN(phys));
}

static struct gs_lines page_lines(const struct ncmem *nc, const struct ncmem_page *page)
{
	return (struct gs_lines){
		.mem = page_address(page->mem),
		.cache = page_address(page->cache),
		.base = page_address(page->base),
		.size = PAGE_SIZE,
		.line = nc->line,
	};
}

static unsigned int lines_per_page(const struct ncmem *nc)
{
	return PAGE_SIZE / nc->line;
}

static int alloc_shadow(struct ncmem_page *page)
{
	page->cache = alloc_page(GFP_KERNEL_ACCOUNT);
	page->base = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!page->cache || !page->base)
		return -ENOMEM;
	atomic_long_inc(&ncmem_totals.shadows);
	return 0;
}

static void free_shadow(struct ncmem_page *page)
{
	if (page->cache && page->base)
		atomic_long_dec(&ncmem_totals.shadows);
	if (page->cache)
		__free_page(page->cache);
	if (page->base)
		__free_page(page->base);
	page->cache = NULL;
	page->base = NULL;
}

/*
 * What the kernel left in a page is in the CPU cache, and nobody knows what
 * memory holds (R17): poison it, with the content as dirty lines above. A line
 * that happens to hold the poison is clean, and right.
 */
static int page_init(struct ncmem_page *page, struct page *mem, unsigned int lines)
{
	void *content = page_address(mem);
	int ret;

	spin_lock_init(&page->lock);
	page->mem = mem;
	if (!memchr_inv(content, 0, PAGE_SIZE)) {
		bitmap_fill(page->fresh, lines);
	} else {
		ret = alloc_shadow(page);
		if (ret)
			return ret;
		copy_page(page_address(page->cache), content);
		memset(page_address(page->base), NCMEM_POISON, PAGE_SIZE);
	}
	ret = xa_err(xa_store(&all_pages, page_to_pfn(mem), page, GFP_KERNEL_ACCOUNT));
	if (ret)
		return ret;
	memset(content, NCMEM_POISON, PAGE_SIZE);
	return 0;
}

/* The CPU's content goes back to the page: what is dirty was never written back. */
static void page_fini(struct ncmem *nc, struct ncmem_page *page)
{
	xa_erase(&all_pages, page_to_pfn(page->mem));
	ncmem_page_clean(nc, page, 0, PAGE_SIZE);
	free_shadow(page);
}

/**
 * ncmem_pages_add() - put an object's pages under the emulation
 * @nc: the emulation of the object's device
 * @pages: the pages; they stay the caller's and must live until the removal
 * @count: number of pages
 *
 * From here on the pages are what memory holds, and their content so far is what
 * the CPU's cache holds: it reaches memory when the pages are mapped for the
 * device, as dma_map_sg() does on hardware. Until then memory is poisoned.
 *
 * Context: Process context, may sleep.
 *
 * Return: The set of pages, or ERR_PTR(-ENOMEM) with the pages as they were.
 */
struct ncmem_pages *ncmem_pages_add(struct ncmem *nc, struct page **pages, unsigned long count)
{
	struct ncmem_pages *set;
	unsigned long i;
	int ret;

	set = kvzalloc(struct_size(set, page, count), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!set)
		return ERR_PTR(-ENOMEM);
	set->nc = nc;
	set->count = count;
	for (i = 0; i < count; i++) {
		ret = page_init(&set->page[i], pages[i], lines_per_page(nc));
		if (ret)
			goto err_undo;
		cond_resched();
	}
	atomic_long_add(count, &ncmem_totals.pages);
	return set;

err_undo:
	free_shadow(&set->page[i]);
	while (i--)
		page_fini(nc, &set->page[i]);
	kvfree(set);
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

	for (i = 0; i < set->count; i++) {
		page_fini(set->nc, &set->page[i]);
		cond_resched();
	}
	atomic_long_sub(set->count, &ncmem_totals.pages);
	kvfree(set);
}
EXPORT_SYMBOL_GPL(ncmem_pages_remove);

/* C = B = M, except that lines whose content is only in the cache show that. */
static void fill_shadow(struct ncmem *nc, struct ncmem_page *page)
{
	struct gs_lines lines = page_lines(nc, page);
	unsigned int line;

	gs_lines_fill(&lines);
	for_each_set_bit(line, page->fresh, lines_per_page(nc))
		memset((void *)lines.cache + line * nc->line, 0, nc->line);
	bitmap_zero(page->fresh, lines_per_page(nc));
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
	struct ncmem_page shadow = {};
	int ret;

	if (page->cache)
		return page->cache;
	ret = alloc_shadow(&shadow);
	if (ret) {
		free_shadow(&shadow);
		return ERR_PTR(ret);
	}
	spin_lock(&page->lock);
	page->cache = shadow.cache;
	page->base = shadow.base;
	fill_shadow(set->nc, page);
	spin_unlock(&page->lock);
	return page->cache;
}
EXPORT_SYMBOL_GPL(ncmem_cpu_page);

/* The lines of a page that overlap a range inside it, as [*first, *end). */
static void line_span(const struct ncmem *nc, u32 offset, u32 size, u32 *first, u32 *end)
{
	*first = offset / nc->line;
	*end = DIV_ROUND_UP(offset + size, nc->line);
}

/* A page without a cached view holds no dirty line, except fresh ones. */
static void clean_fresh(struct ncmem *nc, struct ncmem_page *page, u32 first, u32 end)
{
	u32 line = first;

	for_each_set_bit_from(line, page->fresh, end) {
		memset(page_address(page->mem) + line * nc->line, 0, nc->line);
		__clear_bit(line, page->fresh);
	}
}

/* Write lines of a page back. Returns the number of lines that overlap the range. */
u64 ncmem_page_clean(struct ncmem *nc, struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;
	u32 first, end;

	line_span(nc, offset, size, &first, &end);
	spin_lock(&page->lock);
	if (page->cache) {
		lines = page_lines(nc, page);
		gs_lines_clean(&lines, offset, size);
	} else {
		clean_fresh(nc, page, first, end);
	}
	spin_unlock(&page->lock);
	return end - first;
}

/* Drop lines of a page; partial edge lines are written back first, as arm64 does (R5). */
u64 ncmem_page_drop(struct ncmem *nc, struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;
	u32 first, end;

	line_span(nc, offset, size, &first, &end);
	spin_lock(&page->lock);
	if (page->cache) {
		lines = page_lines(nc, page);
		gs_lines_drop(&lines, offset, size);
	} else {
		if (offset % nc->line)
			clean_fresh(nc, page, first, first + 1);
		if ((offset + size) % nc->line)
			clean_fresh(nc, page, end - 1, end);
		bitmap_clear(page->fresh, first, end - first);
	}
	spin_unlock(&page->lock);
	return end - first;
}
