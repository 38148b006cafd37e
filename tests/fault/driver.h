/* SPDX-License-Identifier: MIT */
/*
 * What the programs of the drivers have in common: a context for each point, and
 * preparations and calls that need nothing of the driver but its BOs.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "fault.h"

/* What a program's context has besides. A program that has nothing needs no such struct. */
struct own;

/* Made anew for each point, and gone when the file is closed. */
struct context {
	const struct fixture *f;
	struct own *own;	/* zeroed, as the rest is */
	int fd;			/* a DRM file of its own */
	int made_fd;		/* what the call makes, reads or writes, or -1 */
	uint32_t made;
	uint32_t vm;
	uint32_t wc;		/* BOs of FAULT_SIZE: write-combined, shareable, */
	uint32_t wb;		/* and cached */
	uint64_t offset;	/* for mmap() */
	uint8_t *map;
	struct peer peer;
};

/* Of the program's driver. */
struct driver {
	void (*with_bos)(struct context *c);	/* makes @wc and @wb, and what they need */
	int (*mmap_offset)(struct context *c, uint32_t handle, uint64_t *offset);
	const char *peer;			/* name of the driver whose memory it imports */
};

extern const struct driver driver;

#define DRIVER_CONTEXT_SIZE(own_size)	(sizeof(struct context) + (own_size))

/* context_ops. */
void driver_begin(struct context *c, const struct fixture *f);
void driver_end(struct context *c);

/* ---- Around the calls ---- */

void with_wc_offset(struct context *c);		/* with_bos, and @offset of @wc */
void with_wc_map(struct context *c);		/* that, and @map */

void with_wb_offset(struct context *c);		/* with_bos, and @offset of @wb */
void with_wb_map(struct context *c);		/* that, and @map */
void with_dirty(struct context *c);		/* that, stored to */
void with_dirty_unmapped(struct context *c);	/* that, without its map again */
void with_evicted_map(struct context *c);	/* with_dirty, and what can be evicted is */
void with_evictable(struct context *c);		/* with_dirty, and @made_fd evicts */

void with_dmabuf(struct context *c);		/* with_bos, and @made_fd has @wc */
void with_peer(struct context *c);		/* @peer has a dma-buf */
void with_import(struct context *c);		/* that, and @made is its import */

/* Files of debugfs are there before, as opening them allocates: @made_fd. */
void open_made(struct context *c, const char *name);

/* ---- The calls ---- */

int call_open(struct context *c);
int call_close(struct context *c);
int call_mmap(struct context *c);
int call_mmap_dmabuf(struct context *c);
int call_munmap(struct context *c);
int call_touch(struct context *c);
int call_touch_evicted(struct context *c);
int call_write_all(struct context *c);
int call_close_wb(struct context *c);
int call_close_made(struct context *c);
int call_export(struct context *c);
int call_import(struct context *c);
int call_import_own(struct context *c);

void check_touched(struct context *c);

#endif
