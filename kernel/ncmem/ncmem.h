/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ncmem: emulated non-coherent memory of a virtual device. The overview is in
 * main.c (DOC: overview).
 */
#ifndef NCMEM_H
#define NCMEM_H

#include <linux/types.h>

struct device;
struct ncmem;
struct ncmem_pages;
struct page;

/**
 * struct ncmem_params - fixed for the life of an emulated device
 */
struct ncmem_params {
	/** @line_size: bytes of a CPU cache line: 32, 64 or 128 */
	u32 line_size;
};

struct ncmem *ncmem_create(struct device *dev, const struct ncmem_params *params);
void ncmem_destroy(struct ncmem *nc);

struct ncmem_pages *ncmem_pages_add(struct ncmem *nc, struct page **pages, unsigned long count);
void ncmem_pages_remove(struct ncmem_pages *set);
struct page *ncmem_cpu_page(struct ncmem_pages *set, unsigned long index);

int ncmem_dev_read(struct ncmem *nc, dma_addr_t addr, void *to, size_t size);
int ncmem_dev_write(struct ncmem *nc, dma_addr_t addr, const void *from, size_t size);
int ncmem_dev_add(struct ncmem *nc, dma_addr_t addr, u64 value, size_t size);

#endif
