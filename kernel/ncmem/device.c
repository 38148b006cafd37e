// SPDX-License-Identifier: GPL-2.0-only
/* What the virtual device itself does: reads and writes of memory, past the CPU's cache. */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/unaligned.h>

#include "internal.h"

enum access { ACCESS_READ, ACCESS_POLL, ACCESS_WRITE, ACCESS_ADD };

/* One access of the device. */
struct transfer {
	enum access access;
	void *buffer;
	u64 value;
};

/* Words move in one access each: CPU and device poll each other's. */
static void transfer_piece(struct transfer *transfer, struct page *mem, u32 offset, u32 size)
{
	const struct gs_lines lines = { .mem = page_address(mem), .size = PAGE_SIZE };
	void *word = page_address(mem) + offset;

	switch (transfer->access) {
	case ACCESS_READ:
	case ACCESS_POLL:
		gs_lines_dev_read(&lines, offset, transfer->buffer, size);
		transfer->buffer += size;
		break;
	case ACCESS_WRITE:
		gs_lines_dev_write(&lines, offset, transfer->buffer, size);
		transfer->buffer += size;
		break;
	case ACCESS_ADD:
		if (size == sizeof(u64))
			atomic64_add(transfer->value, word);
		else
			atomic_add(transfer->value, word);
		break;
	}
}

static void check_piece(const struct transfer *transfer, struct ncmem_page *page, u32 offset,
			u32 size)
{
	if (transfer->access == ACCESS_READ || transfer->access == ACCESS_ADD)
		ncmem_check_dev_read(page, offset, size);
	if (transfer->access == ACCESS_POLL)
		ncmem_check_dev_poll(page, offset, size);
	if (transfer->access == ACCESS_WRITE || transfer->access == ACCESS_ADD)
		ncmem_check_dev_write(page, offset, size);
}

static void transfer_phys(struct ncmem *nc, struct transfer *transfer, phys_addr_t phys, u32 size)
{
	struct ncmem_page *page = ncmem_page_find(phys);
	u32 offset = offset_in_page(phys);

	if (!page) {
		transfer_piece(transfer, pfn_to_page(PHYS_PFN(phys)), offset, size);
		return;
	}
	ncmem_chaos_at_access(nc, page);
	if (transfer->access == ACCESS_WRITE || transfer->access == ACCESS_ADD)
		ncmem_page_prepare_write(page, offset, size);
	spin_lock(&page->lock);
	check_piece(transfer, page, offset, size);
	transfer_piece(transfer, page->mem, offset, size);
	spin_unlock(&page->lock);
}

/* The whole range is checked before its first byte moves. */
static int check_range(struct ncmem *nc, u64 addr, size_t size)
{
	const struct ncmem_segment *segment;
	u64 bytes;

	for (; size; size -= bytes, addr += bytes) {
		segment = ncmem_segment_find(nc, addr);
		if (!segment)
			return -EFAULT;
		bytes = min_t(u64, size, segment->size - (addr - segment->addr));
	}
	return 0;
}

static bool all_held(u64 addr, size_t size)
{
	const struct ncmem_page *page;
	u64 pfn;

	for (pfn = PHYS_PFN(addr); size && pfn <= PHYS_PFN(addr + size - 1); pfn++) {
		page = ncmem_page_find(PFN_PHYS(pfn));
		if (!page || !page->holders)
			return false;
	}
	return true;
}

/*
 * Where addresses are physical ones, a driver that leaves an old one in its page tables
 * leads the device anywhere: it gets to what is mapped, and to nothing else.
 */
static int identity_access(struct ncmem *nc, u64 addr, size_t size, struct transfer *transfer)
{
	int ret = -EFAULT;
	u32 bytes;

	if (size > U64_MAX - addr)
		return -EFAULT;
	spin_lock(&ncmem_holders_lock);
	if (all_held(addr, size)) {
		for (; size; size -= bytes, addr += bytes) {
			bytes = min_t(u64, size, PAGE_SIZE - offset_in_page(addr));
			transfer_phys(nc, transfer, addr, bytes);
		}
		ret = 0;
	}
	spin_unlock(&ncmem_holders_lock);
	return ret;
}

static int device_access(struct ncmem *nc, u64 addr, size_t size, struct transfer *transfer)
{
	const struct ncmem_segment *segment;
	phys_addr_t phys;
	u32 bytes;
	int ret;

	if (nc->params.identity)
		return identity_access(nc, addr, size, transfer);
	ret = check_range(nc, addr, size);
	if (ret)
		return ret;
	for (; size; size -= bytes, addr += bytes) {
		segment = ncmem_segment_find(nc, addr);
		phys = segment->phys + (addr - segment->addr);
		bytes = min3((u64)size, segment->size - (addr - segment->addr),
			     (u64)(PAGE_SIZE - offset_in_page(phys)));
		transfer_phys(nc, transfer, phys, bytes);
	}
	return 0;
}

/**
 * ncmem_dev_read() - the device reads memory
 * @nc: the emulation of the device
 * @addr: DMA address
 * @to: where to
 * @size: bytes
 *
 * Context: Any context that may take a spinlock. The caller keeps the mapping.
 *
 * Return: 0; -EFAULT if part of the range is not mapped, then nothing is read.
 */
int ncmem_dev_read(struct ncmem *nc, dma_addr_t addr, void *to, size_t size)
{
	struct transfer transfer = { .access = ACCESS_READ, .buffer = to };

	return device_access(nc, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(ncmem_dev_read);

/**
 * ncmem_dev_poll() - the device polls a word that the CPU writes at any time
 * @nc: the emulation of the device
 * @addr: DMA address
 * @to: where to
 * @size: bytes
 *
 * As ncmem_dev_read(), but finding the word dirty is no hazard worth a report, unless the
 * job has waited in vain for it (ncmem_job_run()).
 *
 * Context: Any context that may take a spinlock. The caller keeps the mapping.
 *
 * Return: As ncmem_dev_read().
 */
int ncmem_dev_poll(struct ncmem *nc, dma_addr_t addr, void *to, size_t size)
{
	struct transfer transfer = { .access = ACCESS_POLL, .buffer = to };

	return device_access(nc, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(ncmem_dev_poll);

/**
 * ncmem_dev_write() - the device writes memory
 * @nc: the emulation of the device
 * @addr: DMA address
 * @from: where from
 * @size: bytes
 *
 * Context: Any context that may take a spinlock. The caller keeps the mapping.
 *
 * Return: 0; -EFAULT if part of the range is not mapped, then nothing is written.
 */
int ncmem_dev_write(struct ncmem *nc, dma_addr_t addr, const void *from, size_t size)
{
	struct transfer transfer = { .access = ACCESS_WRITE, .buffer = (void *)from };

	return device_access(nc, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(ncmem_dev_write);

/**
 * ncmem_dev_add() - the device adds to a word of memory in one step
 * @nc: the emulation of the device
 * @addr: DMA address, a multiple of @size
 * @value: what to add
 * @size: bytes of the word: 4 or 8
 *
 * Context: Any context that may take a spinlock. The caller keeps the mapping.
 *
 * Return: 0; -EFAULT if the word is not mapped; -EINVAL for another @size or
 * alignment.
 */
int ncmem_dev_add(struct ncmem *nc, dma_addr_t addr, u64 value, size_t size)
{
	struct transfer transfer = { .access = ACCESS_ADD, .value = value };

	if ((size != sizeof(u32) && size != sizeof(u64)) || addr % size)
		return -EINVAL;
	return device_access(nc, addr, size, &transfer);
}
EXPORT_SYMBOL_GPL(ncmem_dev_add);
