// SPDX-License-Identifier: GPL-2.0-only
/* The importer: its mappings of an exported object, and what it sees through them. */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "witness.h"

static struct platform_device *platform;

int witness_importer_register(struct witness *w)
{
	int ret;

	platform = platform_device_register_simple("gem_sync_witness_importer",
						   PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	ret = dma_coerce_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (ret)
		platform_device_unregister(platform);
	w->importer = &platform->dev;
	return ret;
}

void witness_importer_unregister(void)
{
	platform_device_unregister(platform);
}

/* ---- Attachments and mappings ---- */

static size_t size_of(const struct witness_share *share)
{
	return share->object->base.base.size;
}

static const u8 *content_of(const struct witness_share *share, unsigned int i)
{
	return share->object->content[BY_IMPORTER + i];
}

static int attach(struct witness_share *share, struct dma_buf *dma_buf)
{
	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);
	share->dma_buf = dma_buf;
	for (unsigned int i = 0; i < WITNESS_ATTACHMENTS; i++) {
		struct dma_buf_attachment *own = dma_buf_attach(dma_buf, share->w->importer);

		if (IS_ERR(own))
			return PTR_ERR(own);
		share->attach[i] = own;
	}
	return witness_make_content(share->object, BY_IMPORTER, BY_IMPORTER_3);
}

bool witness_share(struct witness_share *share, struct dma_buf *dma_buf)
{
	int ret = attach(share, dma_buf);

	EXPECT(share->w, !ret, "no attachments: %d", ret);
	if (ret)
		witness_unshare(share);
	return !ret;
}

void witness_unshare(struct witness_share *share)
{
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++)
		witness_unmap(share, i);
	for (unsigned int i = 0; i < WITNESS_ATTACHMENTS; i++)
		if (share->attach[i])
			dma_buf_detach(share->dma_buf, share->attach[i]);
	/* Now, and not when the process that reads the results is back in user space. */
	if (share->dma_buf)
		__fput_sync(share->dma_buf->file);
}

static int map(struct witness_share *share, struct witness_mapping *mapping)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(mapping->attach, mapping->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	mapping->sgt = sgt;
	mapping->want = kvmalloc(size_of(share), GFP_KERNEL);
	if (!mapping->want)
		return -ENOMEM;
	return witness_view(share->w->importer, sgt, &mapping->view);
}

bool witness_map(struct witness_share *share, unsigned int i, unsigned int attachment,
		 enum dma_data_direction dir)
{
	struct witness_mapping *mapping = &share->mappings[i];
	int ret;

	mapping->attach = share->attach[attachment];
	mapping->dir = dir;
	ret = map(share, mapping);
	EXPECT(share->w, !ret, "no mapping %u: %d", i, ret);
	if (ret)
		witness_unmap(share, i);
	return !ret;
}

void witness_unmap(struct witness_share *share, unsigned int i)
{
	struct witness_mapping *mapping = &share->mappings[i];

	if (mapping->sgt)
		dma_buf_unmap_attachment_unlocked(mapping->attach, mapping->sgt, mapping->dir);
	kvfree(mapping->view);
	kvfree(mapping->want);
	*mapping = (struct witness_mapping){};
}

/* ---- What is and what should be ---- */

void witness_importer_writes(struct witness_share *share, unsigned int i, const u8 *content)
{
	struct witness_mapping *mapping = &share->mappings[i];

	witness_write_view(mapping->view, content, size_of(share));
	memcpy(mapping->want, content, size_of(share));
}

void witness_share_reset(struct witness_share *share)
{
	witness_reset(share->object);
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++)
		if (share->mappings[i].sgt)
			witness_importer_writes(share, i, content_of(share, i));
}

static bool is_synced(const struct witness_share *share, const struct witness_mapping *mapping,
		      enum dma_data_direction but)
{
	return share->known && mapping->sgt && mapping->dir != but;
}

void witness_want_end(struct witness_share *share)
{
	struct witness_object *object = share->object;

	if (share->synced)
		witness_want(object, 0, size_of(share), GS_SYNC_FLUSH);
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++) {
		const struct witness_mapping *mapping = &share->mappings[i];

		if (is_synced(share, mapping, DMA_FROM_DEVICE))
			memcpy(mapping->want, object->want.cpu, size_of(share));
	}
}

void witness_want_begin(struct witness_share *share)
{
	const struct witness_mapping *last = NULL;
	struct witness_object *object = share->object;

	if (share->synced)
		witness_want(object, 0, size_of(share), GS_SYNC_FLUSH_AND_INVALIDATE);
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++) {
		const struct witness_mapping *mapping = &share->mappings[i];

		if (!is_synced(share, mapping, DMA_TO_DEVICE))
			continue;
		if (!last || *object->cpu == *mapping->want)
			last = mapping;
	}
	if (last)
		memcpy(object->want.cpu, last->want, size_of(share));
}

void witness_share_verify(struct witness_share *share, const char *what)
{
	static const char *const names[] = { "first mapping", "second mapping", "third mapping" };

	static_assert(ARRAY_SIZE(names) == WITNESS_MAPPINGS);
	witness_verify(share->w, share->object, what);
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++) {
		const struct witness_mapping *mapping = &share->mappings[i];

		if (mapping->sgt)
			witness_verify_view(share->w, mapping->view, mapping->want, size_of(share),
					    what, names[i]);
	}
}
