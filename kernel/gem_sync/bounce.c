// SPDX-License-Identifier: GPL-2.0-only
/* Bounce buffers: what they hold, a CPU map does not show (R21). */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>
#include <linux/scatterlist.h>
#include <linux/swiotlb.h>

#include "internal.h"

/* Whether DMA addresses are physical ones, which only swiotlb exchanges for others. */
static bool maps_directly(struct device *dev)
{
	return !get_dma_ops(dev) && !use_dma_iommu(dev);
}

/* A device that cannot reach all memory counts, however its mappings are made. */
bool gem_sync_can_bounce(struct device *dev)
{
	return dma_addressing_limited(dev) ||
	       (maps_directly(dev) && is_swiotlb_force_bounce(dev));
}

bool gem_sync_is_direct(struct device *dev, const struct sg_table *sgt)
{
	return !get_dma_ops(dev) && !gem_sync_is_bounced(dev, sgt);
}

/* How many segments certainly are. Direct mappings have a DMA segment for each of pages. */
static unsigned int count_bounced(struct device *dev, const struct sg_table *sgt)
{
	unsigned int count = 0;
	struct scatterlist *sg;
	int i;

	if (!maps_directly(dev))
		return 0;
	for_each_sgtable_sg(sgt, sg, i)
		count += dma_to_phys(dev, sg_dma_address(sg)) != sg_phys(sg);
	return count;
}

bool gem_sync_is_bounced(struct device *dev, const struct sg_table *sgt)
{
	return count_bounced(dev, sgt);
}

bool gem_sync_is_all_bounced(struct device *dev, const struct sg_table *sgt)
{
	return count_bounced(dev, sgt) == sgt->orig_nents;
}
