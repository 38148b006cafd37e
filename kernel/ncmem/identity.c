// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA operations of a device whose DMA addresses are physical ones, for drivers that this
 * project does not know from inside: whatever they map is under the emulation from then
 * on. Pages that somebody added (ncmem_pages_add()) are memory, and cached views show
 * another page. All others, page tables of the driver or objects of other exporters, are
 * what the CPU works on, so they are the cache, and memory is a copy.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

/* The page gets one more holder. 0 or -ENOMEM. */
static int hold_page(struct ncmem *nc, u64 pfn, gfp_t gfp)
{
	struct ncmem_page *page;

	do {
		spin_lock(&ncmem_holders_lock);
		page = ncmem_page_find(PFN_PHYS(pfn));
		if (page)
			page->holders++;
		spin_unlock(&ncmem_holders_lock);
		if (page)
			return 0;
		page = ncmem_page_adopt(nc, pfn_to_page(pfn), gfp);
	} while (page == ERR_PTR(-EBUSY));
	return PTR_ERR_OR_ZERO(page);
}

static void release_page(u64 pfn)
{
	struct ncmem_page *page, *gone = NULL;

	spin_lock(&ncmem_holders_lock);
	page = ncmem_page_find(PFN_PHYS(pfn));
	if (!WARN_ON(!page || !page->holders) && !--page->holders && page->adopted) {
		ncmem_page_forget(page);
		gone = page;
	}
	spin_unlock(&ncmem_holders_lock);
	if (gone)
		ncmem_page_disown(gone);
}

static void release_range(phys_addr_t phys, u64 size)
{
	u64 pfn;

	for (pfn = PHYS_PFN(phys); size && pfn <= PHYS_PFN(phys + size - 1); pfn++)
		release_page(pfn);
}

/* Returns 0; -ENOMEM; -EINVAL for what is no memory that the kernel maps. */
static int hold_range(struct ncmem *nc, phys_addr_t phys, u64 size, gfp_t gfp)
{
	u64 pfn, first = PHYS_PFN(phys);
	int ret;

	for (pfn = first; size && pfn <= PHYS_PFN(phys + size - 1); pfn++) {
		ret = pfn_valid(pfn) ? hold_page(nc, pfn, gfp) : -EINVAL;
		if (ret) {
			while (pfn-- > first)
				release_page(pfn);
			return ret;
		}
	}
	return 0;
}

/* A mapping begins: the caller's driver pins the owner of the emulation already. */
static void map_begins(struct ncmem *nc)
{
	__module_get(nc->params.owner);
	atomic_long_inc(&ncmem_totals.maps);
}

static void map_ends(struct ncmem *nc)
{
	atomic_long_dec(&ncmem_totals.maps);
	module_put(nc->params.owner);
}

static void unmap_pieces(struct ncmem *nc, struct scatterlist *sgl, int count,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, count, i) {
		if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
			ncmem_maintain_for_cpu(nc, sg_phys(sg), sg->length, dir);
		release_range(sg_phys(sg), sg->length);
		cond_resched();
	}
}

static int map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		  enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);
	struct scatterlist *sg;
	int i, ret;

	for_each_sg(sgl, sg, nents, i) {
		ret = hold_range(nc, sg_phys(sg), sg->length, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (ret) {
			unmap_pieces(nc, sgl, i, DMA_TO_DEVICE, attrs);
			return ret;
		}
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
		if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
			ncmem_maintain_for_device(nc, sg_phys(sg), sg->length);
		cond_resched();
	}
	map_begins(nc);
	return nents;
}

static void unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);

	unmap_pieces(nc, sgl, nents, dir, attrs);
	map_ends(nc);
}

/* Drivers map page tables where they must not wait for memory. */
static dma_addr_t map_phys(struct device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);

	if (hold_range(nc, phys, size, GFP_ATOMIC | __GFP_NOWARN))
		return DMA_MAPPING_ERROR;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		ncmem_maintain_for_device(nc, phys, size);
	map_begins(nc);
	return phys;
}

static void unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct ncmem *nc = to_ncmem(dev);

	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		ncmem_maintain_for_cpu(nc, addr, size, dir);
	release_range(addr, size);
	map_ends(nc);
}

#if !HAVE_DMA_MAP_PHYS
static dma_addr_t map_page(struct device *dev, struct page *page, unsigned long offset,
			   size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	return map_phys(dev, page_to_phys(page) + offset, size, dir, attrs);
}
#endif

static void sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	ncmem_sync_for_device(to_ncmem(dev), addr, size);
}

static void sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	ncmem_sync_for_cpu(to_ncmem(dev), addr, size, dir);
}

/* Starts from what all devices have, whose lists of pieces are synchronized alike. */
void ncmem_identity_ops_init(struct dma_map_ops *ops)
{
	ncmem_dma_ops_init(ops);
	ops->map_sg = map_sg;
	ops->unmap_sg = unmap_sg;
#if HAVE_DMA_MAP_PHYS
	ops->map_phys = map_phys;
	ops->unmap_phys = unmap_phys;
#else
	ops->map_page = map_page;
	ops->unmap_page = unmap_phys;
#endif
	ops->sync_single_for_device = sync_single_for_device;
	ops->sync_single_for_cpu = sync_single_for_cpu;
}
