// SPDX-License-Identifier: MIT
/*
 * The device's memory without an emulation. The device of a real driver reads and writes
 * by DMA, at the addresses of drm_gem_sync_shmem_dma_addr(); in this example the CPU plays
 * its part.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/shmem_fs.h>

#include "courier.h"

int courier_memory_init(struct courier_device *courier)
{
	struct device *dev = courier->drm.dev;
	enum dev_dma_attr attr = device_get_dma_attr(dev);
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);
	/*
	 * What the device tree (dma-coherent) or ACPI (_CCA) says of the bus. This device is in
	 * neither, and the CPU that plays it snoops; for a real one the first term is all: who
	 * is not known to snoop does not.
	 */
	courier->gem.coherent = attr == DEV_DMA_COHERENT || attr == DEV_DMA_NOT_SUPPORTED;
	return 0;
}

void courier_memory_fini(struct courier_device *courier)
{
}

void courier_memory_debugfs(struct courier_device *courier, struct dentry *root)
{
}

void courier_memory_label(struct courier_bo *bo)
{
}

/* Part of a page of an object that is pinned. */
static int access_page(struct courier_bo *bo, u64 offset, void *buffer, size_t size, bool write)
{
	struct address_space *mapping = bo->base.base.filp->f_mapping;
	struct page *page = shmem_read_mapping_page(mapping, offset >> PAGE_SHIFT);

	if (IS_ERR(page))
		return PTR_ERR(page);
	if (write)
		memcpy_to_page(page, offset_in_page(offset), buffer, size);
	else
		memcpy_from_page(buffer, page, offset_in_page(offset), size);
	put_page(page);
	return 0;
}

static int access_import(struct courier_bo *bo, u64 offset, void *buffer, size_t size, bool write)
{
	struct dma_buf *dma_buf = bo->base.base.import_attach->dmabuf;
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dma_buf, &map);
	if (ret)
		return ret;
	if (write)
		iosys_map_memcpy_to(&map, offset, buffer, size);
	else
		iosys_map_memcpy_from(buffer, &map, offset, size);
	dma_buf_vunmap_unlocked(dma_buf, &map);
	return 0;
}

static int access(struct courier_bo *bo, u64 offset, void *buffer, size_t size, bool write)
{
	size_t done, piece;
	int ret = 0;

	if (bo->base.base.import_attach)
		return access_import(bo, offset, buffer, size, write);
	for (done = 0; !ret && done < size; done += piece) {
		piece = min(size - done, PAGE_SIZE - offset_in_page(offset + done));
		ret = access_page(bo, offset + done, buffer + done, piece, write);
	}
	return ret;
}

int courier_memory_read(struct courier_bo *bo, u64 offset, void *to, size_t size)
{
	return access(bo, offset, to, size, false);
}

int courier_memory_write(struct courier_bo *bo, u64 offset, const void *from, size_t size)
{
	return access(bo, offset, (void *)from, size, true);
}

/* What MODULE_IMPORT_NS() makes, which takes a name in some kernels and a string in others. */
MODULE_INFO(import_ns, "DMA_BUF");
