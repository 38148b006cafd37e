// SPDX-License-Identifier: GPL-2.0-only
/* The run table: from object offsets to DMA addresses, and the walk that syncs them. */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_device.h>

#include <range.h>

#include "internal.h"

/* Bytes maintained between two looks at signals and the scheduler (R10). */
#define WALK_STEP	SZ_1M

/* How far one list of segments has been read: of the pages, or of the DMA addresses. */
struct cursor {
	struct scatterlist *sg;
	u64 done;
};

static void cursor_advance(struct cursor *cursor, u64 bytes, u64 length)
{
	cursor->done += bytes;
	if (cursor->done == length) {
		cursor->sg = sg_next(cursor->sg);
		cursor->done = 0;
	}
}

/*
 * Cut the object where either its pages or its DMA addresses are discontinuous:
 * an IOMMU may merge or split the segments of the pages (R22). Of an import only
 * the DMA addresses count. Counts only if @runs is NULL.
 */
static unsigned int cut_runs(const struct drm_gem_sync_shmem_object *shmem,
			     struct drm_gem_sync_run *runs)
{
	struct scatterlist *sgl = shmem->sgt->sgl;
	struct cursor pages = { .sg = sgl }, dma = { .sg = sgl };
	u64 offset = 0, bytes, size = shmem->base.size;
	unsigned int count = 0;

	while (offset < size) {
		u64 dma_len = sg_dma_len(dma.sg);
		u64 page_len = shmem->imported ? dma_len : pages.sg->length;

		if (runs) {
			runs[count].offset = offset;
			runs[count].dma = sg_dma_address(dma.sg) + dma.done;
		}
		bytes = min(page_len - pages.done, dma_len - dma.done);
		cursor_advance(&pages, bytes, page_len);
		cursor_advance(&dma, bytes, dma_len);
		offset += bytes;
		count++;
	}
	if (runs)
		runs[count].offset = size;
	return count;
}

static u64 mapped_size(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 size = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		size += sg_dma_len(sg);
	return size;
}

/*
 * Build the table of a mapped object. Returns 0; -ENOMEM; -EINVAL if an exporter
 * mapped less than the size it promised.
 */
int gem_sync_runs_build(struct drm_gem_sync_shmem_object *shmem)
{
	unsigned int count;

	if (mapped_size(shmem->sgt) < shmem->base.size)
		return -EINVAL;
	count = cut_runs(shmem, NULL);
	shmem->runs = kvmalloc_array(count + 1, sizeof(*shmem->runs),
				     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!shmem->runs)
		return -ENOMEM;
	shmem->nr_runs = cut_runs(shmem, shmem->runs);
	return 0;
}

void gem_sync_runs_free(struct drm_gem_sync_shmem_object *shmem)
{
	kvfree(shmem->runs);
	shmem->runs = NULL;
	shmem->nr_runs = 0;
}

/* The run that holds @offset, which is inside the object. */
static const struct drm_gem_sync_run *find_run(const struct drm_gem_sync_shmem_object *shmem,
					       u64 offset)
{
	unsigned int first = 0, last = shmem->nr_runs - 1;

	while (first < last) {
		unsigned int middle = first + (last - first + 1) / 2;

		if (shmem->runs[middle].offset <= offset)
			first = middle;
		else
			last = middle - 1;
	}
	return &shmem->runs[first];
}

/**
 * drm_gem_sync_shmem_dma_addr() - the device's address of a byte of an object
 * @shmem: an object that the caller has pinned
 * @offset: byte offset inside the object
 * @length: optional; set to the number of bytes that follow contiguously
 *
 * Context: Any context.
 *
 * Return: The DMA address.
 */
dma_addr_t drm_gem_sync_shmem_dma_addr(const struct drm_gem_sync_shmem_object *shmem,
				       u64 offset, u64 *length)
{
	const struct drm_gem_sync_run *run = find_run(shmem, offset);

	if (length)
		*length = run[1].offset - offset;
	return run->dma + (offset - run->offset);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_shmem_dma_addr);

/*
 * The DMA API's words for R4: "for the device" writes back, whatever the
 * direction; "for the CPU" with FROM_DEVICE then drops.
 *
 * A call for each piece: those for lists, which arm64 ends with one barrier from 7.2 on, may
 * only be given the list that was mapped, whole (CONFIG_DMA_API_DEBUG looks at that).
 */
static void sync_piece(struct device *dev, dma_addr_t dma, size_t size, enum gs_sync_type type)
{
	bool narrow = size <= GEM_SYNC_NARROW;

	if (narrow)
		gem_sync_narrow_begin();
	dma_sync_single_for_device(dev, dma, size, DMA_TO_DEVICE);
	if (type == GS_SYNC_FLUSH_AND_INVALIDATE)
		dma_sync_single_for_cpu(dev, dma, size, DMA_FROM_DEVICE);
	if (narrow)
		gem_sync_narrow_end();
}

/*
 * Maintain the lines of a range, in steps that end on step-aligned offsets: no
 * line is visited twice. The caller holds the pages. Returns 0, or what
 * gem_sync_interrupted() says with part of the range done.
 */
int gem_sync_runs_walk(const struct drm_gem_sync_shmem_object *shmem, u64 offset, u64 size,
		       enum gs_sync_type type)
{
	struct device *dev = shmem->base.dev->dev;
	const struct drm_gem_sync_run *run;
	u64 end = offset + size, piece_end;
	int ret;

	if (!size)
		return 0;
	for (run = find_run(shmem, offset); ; run++) {
		while (offset < min(end, run[1].offset)) {
			piece_end = min3(end, run[1].offset, round_down(offset, WALK_STEP) +
					 WALK_STEP);
			sync_piece(dev, run->dma + (offset - run->offset), piece_end - offset,
				   type);
			offset = piece_end;
			if (offset == end)
				return 0;
			ret = gem_sync_interrupted(shmem->base.dev);
			if (ret)
				return ret;
			cond_resched();
		}
	}
}
