/* SPDX-License-Identifier: MIT */
/*
 * Makers of dma-bufs without a GPU: drivers of the stock kernel that the suite
 * shares buffers with, and runs on ("vgem", "udmabuf", "heap"). A maker is a row of
 * the table in exporter.c.
 */
#ifndef EXPORTER_H
#define EXPORTER_H

#include <stdint.h>

struct exporter;

/* A buffer of an exporter. */
struct exported {
	int dmabuf;
	void *map;		/* by its maker's own way, not through the dma-buf; or NULL */
	uint64_t size;
	int node;		/* the maker's file, or -1 */
	uint32_t handle;	/* on that file, 0 if it has none */
	uint64_t map_offset;	/* where @map lies in @node; if it has a handle */
};

/* The exporter of that name, or NULL. */
const struct exporter *exporter_find(const char *name);
const char *exporter_name(const struct exporter *exporter);

/* All of them: number @index, or NULL. */
const struct exporter *exporter_at(unsigned int index);

/* Whether it can be used: 0; -ENODEV if it is not there; -EACCES; another errno. */
int exporter_probe(const struct exporter *exporter);

/* Make a buffer of whole pages. 0 or -errno. */
int exporter_alloc(const struct exporter *exporter, uint64_t size, struct exported *out);
void exporter_free(struct exported *buffer);

/* DMA_BUF_IOCTL_SYNC with DMA_BUF_SYNC_*: 0 or -errno, without restart. */
int dmabuf_sync(int dmabuf, uint64_t flags);

/* A shared map of a dma-buf. 0 or -errno. */
int dmabuf_map(int dmabuf, uint64_t size, void **out);

#endif
