// SPDX-License-Identifier: GPL-2.0-only
/* Single pieces are mapped by physical addresses, which need no struct page. */
#include <linux/dma-map-ops.h>

dma_addr_t probe(const struct dma_map_ops *ops, struct device *dev, phys_addr_t phys);
dma_addr_t probe(const struct dma_map_ops *ops, struct device *dev, phys_addr_t phys)
{
	return ops->map_phys(dev, phys, PAGE_SIZE, DMA_TO_DEVICE, 0);
}
