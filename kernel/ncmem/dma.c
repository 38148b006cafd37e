// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual device's DMA operations: where the DMA API's calls move lines, as
 * the cache maintenance of a non-coherent architecture would.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "internal.h"

/* DMA page numbers; 0 is never one, so that a cleared address is not mapped. */
#define FIRST_DMA_PAGE	0x100
#define LAST_DMA_PAGE	(ULONG_MAX >> (PAGE_SHIFT + 1))

enum line_op { LINE_CLEAN, LINE_DROP };

/* One op on the lines of a physically contiguous range; foreign pages have none. */
static void maintain(struct ncmem *nc, phys_addr_t phys, u64 size, enum line_op op)
{
	struct ncmem_maintained done = {};

	if (nc->params.mode == NCMEM_COHERENT)
		return;
	while (size) {
		u32 offset = offset_in_page(phys);
		u32 bytes = min_t(u64, size, PAGE_SIZE - offset);
		struct ncmem_page *page = ncmem_page_find(phys);

		if (page && op == LINE_CLEAN)
			ncmem_page_clean(page, offset, bytes, &done);
		else if (page)
			ncmem_page_drop(page, offset, bytes, &done);
		phys += bytes;
		size -= bytes;
	}
	if (op == LINE_CLEAN) {
		atomic64_add(done.lines, &nc->lines_cleaned);
		atomic64_add(done.useful, &nc->lines_cleaned_dirty);
	} else {
		atomic64_add(done.lines, &nc->lines_dropped);
		atomic64_add(done.useful, &nc->lines_dropped_stale);
	}
}

/* What the architecture does before the device accesses, whatever the direction. */
void ncmem_maintain_for_device(struct ncmem *nc, phys_addr_t phys, u64 size)
{
	maintain(nc, phys, size, LINE_CLEAN);
}

/* What it does before the CPU accesses: nothing if the device only read. */
void ncmem_maintain_for_cpu(struct ncmem *nc, phys_addr_t phys, u64 size,
			    enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		maintain(nc, phys, size, LINE_DROP);
}

/*
 * For reports, whose last sync is the one before that which shows what they tell: whose
 * lines these are is known by the first one.
 */
static void note_sync(phys_addr_t phys, u64 size, enum gs_sync_type type)
{
	struct ncmem_page *page = ncmem_page_find(phys);

	if (page)
		ncmem_note_sync(page, offset_in_page(phys), size, type);
}

void ncmem_sync_for_device(struct ncmem *nc, phys_addr_t phys, u64 size)
{
	ncmem_maintain_for_device(nc, phys, size);
	note_sync(phys, size, GS_SYNC_FLUSH);
}

void ncmem_sync_for_cpu(struct ncmem *nc, phys_addr_t phys, u64 size,
			enum dma_data_direction dir)
{
	ncmem_maintain_for_cpu(nc, phys, size, dir);
	if (dir != DMA_TO_DEVICE)
		note_sync(phys, size, GS_SYNC_FLUSH_AND_INVALIDATE);
}

/*
 * In the place of a map that was removed when there was no memory for its removal:
 * unmapping cannot fail, and eviction unmaps when memory is short.
 */
static struct ncmem_map no_map;

static struct ncmem_map *map_find(struct ncmem *nc, u64 addr)
{
	return mtree_load(&nc->maps, addr >> PAGE_SHIFT);
}

/* The segment that holds a DMA address, or NULL if the address is not mapped. */
const struct ncmem_segment *ncmem_segment_find(struct ncmem *nc, u64 addr)
{
	struct ncmem_map *map = map_find(nc, addr);
	unsigned int first = 0, last;

	if (!map || map == &no_map)
		return NULL;
	last = map->count - 1;
	while (first < last) {
		unsigned int middle = first + (last - first + 1) / 2;

		if (map->segment[middle].addr <= addr)
			first = middle;
		else
			last = middle - 1;
	}
	if (addr < map->segment[first].addr ||
	    addr - map->segment[first].addr >= map->segment[first].size)
		return NULL;
	return &map->segment[first];
}

static u64 sg_pages(const struct scatterlist *sg)
{
	return DIV_ROUND_UP(sg->offset + sg->length, PAGE_SIZE);
}

/* An IOMMU joins pages that lie apart, if whole pages follow each other. */
static bool joins(const struct ncmem *nc, const struct scatterlist *previous,
		  const struct scatterlist *sg, u64 length)
{
	return nc->params.merge_segments && !sg->offset &&
	       IS_ALIGNED(previous->offset + previous->length, PAGE_SIZE) &&
	       length + sg->length <= UINT_MAX;
}

/*
 * Lay the segments out from DMA page @page on: either joined, or each with
 * addresses of its own and a page that is not mapped behind it. Fills the DMA side
 * of @sgl and returns its number of entries.
 */
static int lay_out(struct ncmem *nc, struct ncmem_map *map, struct scatterlist *sgl,
		   unsigned long page)
{
	struct scatterlist *sg, *previous = NULL, *dma = NULL;
	unsigned int i;
	int count = 0;

	for_each_sg(sgl, sg, map->count, i) {
		struct ncmem_segment *segment = &map->segment[i];

		if (!previous || !joins(nc, previous, sg, sg_dma_len(dma))) {
			page += previous ? 1 : 0;
			dma = dma ? sg_next(dma) : sgl;
			sg_dma_address(dma) = ((u64)page << PAGE_SHIFT) + sg->offset;
			sg_dma_len(dma) = 0;
			count++;
		}
		segment->addr = ((u64)page << PAGE_SHIFT) + sg->offset;
		segment->size = sg->length;
		segment->phys = sg_phys(sg);
		sg_dma_len(dma) += sg->length;
		page += sg_pages(sg);
		previous = sg;
	}
	if (count < map->count)
		sg_dma_len(sg_next(dma)) = 0;
	return count;
}

/* The last DMA page that the device can use. */
static unsigned long last_dma_page(const struct ncmem *nc)
{
	return min_t(u64, LAST_DMA_PAGE, ncmem_dma_mask(&nc->params) >> PAGE_SHIFT);
}

/* Returns the number of DMA segments, or a negative errno. */
static int map_insert(struct ncmem *nc, struct ncmem_map *map, struct scatterlist *sgl)
{
	unsigned long page, pages = 0;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sg(sgl, sg, map->count, i) {
		/* The device accesses memory through the kernel's own mapping. */
		if (!sg_page(sg) || !pfn_valid(PHYS_PFN(sg_phys(sg))))
			return -EINVAL;
		pages += sg_pages(sg) + 1;
	}
	ret = mtree_alloc_range(&nc->maps, &page, map, pages, FIRST_DMA_PAGE,
				last_dma_page(nc), GFP_KERNEL_ACCOUNT);
	/* No memory, or no addresses: even for a mapping that is longer than all there are. */
	if (ret)
		return -ENOMEM;
	atomic_long_inc(&ncmem_totals.maps);
	return lay_out(nc, map, sgl, page);
}

/* A range becomes free. Without memory it stays taken; its replacement needs none. */
static void free_range(struct ncmem *nc, unsigned long first, unsigned long last)
{
	MA_STATE(free, &nc->maps, first, last);
	MA_STATE(replace, &nc->maps, first, last);

	if (!mas_store_gfp(&free, NULL, GFP_NOWAIT | __GFP_NOWARN))
		return;
	WARN_ON(mas_store_gfp(&replace, &no_map, GFP_NOWAIT | __GFP_NOWARN));
	nc->has_no_maps = true;
}

static struct ncmem_map *map_remove(struct ncmem *nc, u64 addr)
{
	MA_STATE(mas, &nc->maps, addr >> PAGE_SHIFT, addr >> PAGE_SHIFT);
	struct ncmem_map *map;

	mtree_lock(&nc->maps);
	map = mas_walk(&mas);
	if (map == &no_map)
		map = NULL;
	if (map)
		free_range(nc, mas.index, mas.last);
	mtree_unlock(&nc->maps);
	return map;
}

static void map_free(struct ncmem_map *map)
{
	kvfree(map);
	atomic_long_dec(&ncmem_totals.maps);
}

/*
 * Free the ranges that could not be freed before, if there is memory now. While others
 * map and unmap, @gfp must not allow to wait, for which the lock would be dropped.
 */
void ncmem_free_ranges(struct ncmem *nc, gfp_t gfp)
{
	MA_STATE(mas, &nc->maps, 0, 0);
	struct ncmem_map *map;

	if (!READ_ONCE(nc->has_no_maps))
		return;
	mtree_lock(&nc->maps);
	nc->has_no_maps = false;
	mas_for_each(&mas, map, ULONG_MAX) {
		if (map == &no_map && mas_store_gfp(&mas, NULL, gfp))
			nc->has_no_maps = true;
	}
	mtree_unlock(&nc->maps);
}

static int map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		  enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);
	struct ncmem_map *map;
	unsigned int i;
	int ret;

	map = kvzalloc(struct_size(map, segment, nents), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!map)
		return -ENOMEM;
	map->count = nents;
	ncmem_free_ranges(nc, GFP_NOWAIT | __GFP_NOWARN);
	ret = map_insert(nc, map, sgl);
	if (ret < 0) {
		kvfree(map);
		return ret;
	}
	for (i = 0; i < map->count && !(attrs & DMA_ATTR_SKIP_CPU_SYNC); i++) {
		/* What takes so long here is the emulation: who is killed does not wait. */
		if (fatal_signal_pending(current)) {
			map_free(map_remove(nc, sg_dma_address(sgl)));
			return -EIO;
		}
		ncmem_maintain_for_device(nc, map->segment[i].phys, map->segment[i].size);
		cond_resched();
	}
	return ret;
}

static void unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);
	struct ncmem_map *map = map_remove(nc, sg_dma_address(sgl));
	unsigned int i;

	if (WARN_ON(!map))
		return;
	for (i = 0; i < map->count && !(attrs & DMA_ATTR_SKIP_CPU_SYNC); i++) {
		ncmem_maintain_for_cpu(nc, map->segment[i].phys, map->segment[i].size, dir);
		cond_resched();
	}
	map_free(map);
}

/*
 * The segment of a sync, which must lie inside one physically contiguous piece
 * (R22). Both warnings are bugs of the driver, which no user can cause.
 */
static const struct ncmem_segment *sync_segment(struct ncmem *nc, u64 addr, size_t size)
{
	const struct ncmem_segment *segment = ncmem_segment_find(nc, addr);

	if (WARN_ONCE(!segment, "sync of an address that is not mapped: %#llx\n", addr))
		return NULL;
	if (WARN_ONCE(size > segment->size - (addr - segment->addr),
		      "sync crosses a segment's end: %#llx + %#zx\n", addr, size))
		return NULL;
	return segment;
}

static void sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	struct ncmem *nc = to_ncmem(dev);
	const struct ncmem_segment *segment = sync_segment(nc, addr, size);

	if (segment)
		ncmem_sync_for_device(nc, segment->phys + (addr - segment->addr), size);
}

static void sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	struct ncmem *nc = to_ncmem(dev);
	const struct ncmem_segment *segment = sync_segment(nc, addr, size);

	if (segment)
		ncmem_sync_for_cpu(nc, segment->phys + (addr - segment->addr), size, dir);
}

static void sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
			       enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		ncmem_sync_for_device(to_ncmem(dev), sg_phys(sg), sg->length);
		cond_resched();
	}
}

static void sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
			    enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		ncmem_sync_for_cpu(to_ncmem(dev), sg_phys(sg), sg->length, dir);
		cond_resched();
	}
}

/* A whole set of operations for one device, which finds its &struct ncmem by them. */
void ncmem_dma_ops_init(struct dma_map_ops *ops)
{
	*ops = (struct dma_map_ops){
		.map_sg = map_sg,
		.unmap_sg = unmap_sg,
		.sync_single_for_cpu = sync_single_for_cpu,
		.sync_single_for_device = sync_single_for_device,
		.sync_sg_for_cpu = sync_sg_for_cpu,
		.sync_sg_for_device = sync_sg_for_device,
	};
}
