/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of ncmem.ko share and nobody else sees. */
#ifndef NCMEM_INTERNAL_H
#define NCMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/dma-direction.h>
#include <linux/dma-map-ops.h>
#include <linux/maple_tree.h>
#include <linux/spinlock.h>

#include <line.h>

#include "ncmem.h"

/* What every byte of a new page's memory holds, until its content is written back. */
#define NCMEM_POISON	0xa5

#define NCMEM_LINE_MIN	32
#define NCMEM_LINE_MAX	128

/**
 * struct ncmem - one virtual device's emulation
 * @dev: the device
 * @ops: the device's DMA operations; &struct ncmem is found from them
 * @line: bytes of a cache line
 * @maps: &struct ncmem_map by page number of the DMA address
 * @lines_cleaned: lines written back by maintenance, dirty or not
 * @lines_dropped: lines dropped by maintenance
 */
struct ncmem {
	struct device *dev;
	struct dma_map_ops ops;
	u32 line;
	struct maple_tree maps;
	atomic64_t lines_cleaned;
	atomic64_t lines_dropped;
};

/**
 * struct ncmem_page - one page of an object
 * @lock: serializes line operations and device accesses
 * @mem: M, the object's own page
 * @cache: C, what cached CPU views show; NULL until there is one
 * @base: B, C as of the last fill or write-back; exists together with C
 * @fresh: lines whose content is still only in the cache and all zero, over
 *	poisoned memory; only while C does not exist
 */
struct ncmem_page {
	spinlock_t lock;
	struct page *mem;
	struct page *cache;
	struct page *base;
	DECLARE_BITMAP(fresh, PAGE_SIZE / NCMEM_LINE_MIN);
};

/* The pages of one object. */
struct ncmem_pages {
	struct ncmem *nc;
	unsigned long count;
	struct ncmem_page page[] __counted_by(count);
};

/* A physically contiguous piece of a DMA mapping. */
struct ncmem_segment {
	u64 addr;		/* DMA address */
	u64 size;		/* bytes */
	phys_addr_t phys;
};

/* One DMA mapping: segments in ascending DMA addresses, gaps between them. */
struct ncmem_map {
	unsigned int count;
	struct ncmem_segment segment[] __counted_by(count);
};

/* Totals over all devices, readable as module parameters; 0 when nothing leaked. */
struct ncmem_totals {
	atomic_long_t pages;	/* pages of objects */
	atomic_long_t shadows;	/* of these, pages with C and B */
	atomic_long_t maps;	/* DMA mappings */
};

extern struct ncmem_totals ncmem_totals;

struct ncmem_page *ncmem_page_find(phys_addr_t phys);
u64 ncmem_page_clean(struct ncmem *nc, struct ncmem_page *page, u32 offset, u32 size);
u64 ncmem_page_drop(struct ncmem *nc, struct ncmem_page *page, u32 offset, u32 size);

void ncmem_dma_ops_init(struct dma_map_ops *ops);
const struct ncmem_segment *ncmem_segment_find(struct ncmem *nc, u64 addr);

static inline struct ncmem *to_ncmem(struct device *dev)
{
	return container_of((struct dma_map_ops *)get_dma_ops(dev), struct ncmem, ops);
}

#endif
