// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: their registers, and the walk of their page tables for each access, so
 * that nothing remembers a translation. Tables are of four levels in 4 KiB pages, in one of
 * two formats: Mali's own (LPAE), or that of AArch64's stage 1.
 */
#include <linux/bitfield.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "mali.h"
#include "regs.h"

#define LEVELS		4
#define LEVEL_BITS	9
#define ADDRESS_BITS	48

#define ENTRY_TYPE	GENMASK_ULL(1, 0)
#define ENTRY_BLOCK	1	/* in Mali's format also that of a page */
#define ENTRY_TABLE	3	/* in AArch64's, at the last level, that of a page */
#define ENTRY_ADDRESS	GENMASK_ULL(39, 12)
#define MALI_MAY_READ	BIT_ULL(6)
#define MALI_MAY_WRITE	BIT_ULL(7)
#define AARCH64_READ_ONLY	BIT_ULL(7)

static struct mali_as *as_of(struct mali *gpu, u32 offset)
{
	return &gpu->as[(offset - MMU_AS) / MMU_AS_SIZE];
}

bool mali_as_register(u32 offset)
{
	return offset >= MMU_AS && offset < MMU_AS + MALI_ADDRESS_SPACES * MMU_AS_SIZE;
}

/* The register of 64 bits that a word is a half of, or NULL. */
static u64 *as_wide(struct mali_as *as, u32 offset)
{
	switch (ALIGN_DOWN(offset % MMU_AS_SIZE, 8)) {
	case AS_TRANSTAB:
		return &as->transtab;
	case AS_MEMATTR:
		return &as->memattr;
	case AS_LOCKADDR:
		return &as->lockaddr;
	case AS_FAULTADDRESS:
		return &as->fault_address;
	case AS_TRANSCFG:
		return &as->transcfg;
	}
	return NULL;
}

/* AS_STATUS is that commands are done, as they are. */
u32 mali_as_read(struct mali *gpu, u32 offset)
{
	struct mali_as *as = as_of(gpu, offset);
	const u64 *wide = as_wide(as, offset);

	if (wide)
		return mali_half(*wide, offset);
	return offset % MMU_AS_SIZE == AS_FAULTSTATUS ? as->fault_status : 0;
}

void mali_as_write(struct mali *gpu, u32 offset, u32 value)
{
	struct mali_as *as = as_of(gpu, offset);
	u64 *wide = as_wide(as, offset);

	if (wide && wide != &as->fault_address)
		mali_set_half(wide, offset, value);
}

static struct mali_tables tables_of(const struct mali_as *as)
{
	u64 mode = as->transcfg & AS_TRANSCFG_MODE;

	return (struct mali_tables) {
		.enabled = mode == AS_TRANSCFG_AARCH64_4K ||
			   (mode == AS_TRANSCFG_LEGACY &&
			    (as->transtab & ENTRY_TYPE) == AS_TRANSTAB_TABLE),
		.aarch64 = mode == AS_TRANSCFG_AARCH64_4K,
		.root = as->transtab & ENTRY_ADDRESS,
	};
}

/*
 * After a write, if it was a command. All are done when the write is: what was accessed by
 * the old translations is waited for, and who waits for new ones tries again.
 */
void mali_as_command(struct mali *gpu, u32 offset, u32 command)
{
	struct mali_as *as = as_of(gpu, offset);

	if (offset % MMU_AS_SIZE != AS_COMMAND || !command)
		return;
	spin_lock(&gpu->memory_lock);
	WRITE_ONCE(as->commands, as->commands + 1);
	if (command == AS_COMMAND_UPDATE)
		as->tables = tables_of(as);
	spin_unlock(&gpu->memory_lock);
	if (command != AS_COMMAND_LOCK)
		gpu->model->unstall(gpu, as - gpu->as);
}

void mali_drain(struct mali *gpu)
{
	spin_lock(&gpu->memory_lock);
	spin_unlock(&gpu->memory_lock);
}

/* The tables stay until the lock of memory is free: see mali_as_forget(). */
void mali_as_reset(struct mali *gpu)
{
	u32 i;

	for (i = 0; i < MALI_ADDRESS_SPACES; i++) {
		struct mali_as *as = &gpu->as[i];

		as->transtab = 0;
		as->memattr = 0;
		as->lockaddr = 0;
		as->transcfg = 0;
		as->fault_address = 0;
		as->fault_status = 0;
	}
}

void mali_as_forget(struct mali *gpu)
{
	u32 i;

	spin_lock(&gpu->memory_lock);
	for (i = 0; i < MALI_ADDRESS_SPACES; i++)
		gpu->as[i].tables = (struct mali_tables){};
	spin_unlock(&gpu->memory_lock);
}

/* ---- Translation, with the lock of memory held ---- */

static bool may(const struct mali_tables *tables, u64 entry, enum mali_access access)
{
	if (tables->aarch64)
		return access != MALI_WRITE || !(entry & AARCH64_READ_ONLY);
	return entry & (access == MALI_WRITE ? MALI_MAY_WRITE : MALI_MAY_READ);
}

static bool is_leaf(const struct mali_tables *tables, u64 entry, u32 level)
{
	if (!level)
		return false;
	if (level == LEVELS - 1 && tables->aarch64)
		return (entry & ENTRY_TYPE) == ENTRY_TABLE;
	return (entry & ENTRY_TYPE) == ENTRY_BLOCK;
}

/* Fills *phys, or returns why not, in the words of AS_FAULTSTATUS. */
static u32 translate(struct mali *gpu, const struct mali_tables *tables, u64 va,
		     enum mali_access access, phys_addr_t *phys)
{
	u64 entry, table = tables->root;
	u32 level, shift;

	if (va >> ADDRESS_BITS)
		return AS_FAULT_TRANSLATION;
	for (level = 0; level < LEVELS; level++) {
		shift = PAGE_SHIFT + LEVEL_BITS * (LEVELS - 1 - level);
		/* The driver changes entries beside the one that is read at any time. */
		if (ncmem_dev_poll(gpu->nc, table + (va >> shift) % BIT(LEVEL_BITS) * 8, &entry,
				   sizeof(entry)))
			return AS_FAULT_TABLE + level;
		if (is_leaf(tables, entry, level))
			break;
		if ((entry & ENTRY_TYPE) != ENTRY_TABLE || level == LEVELS - 1)
			return AS_FAULT_TRANSLATION + level;
		table = entry & ENTRY_ADDRESS;
	}
	if (!may(tables, entry, access))
		return AS_FAULT_PERMISSION + level;
	*phys = (entry & ENTRY_ADDRESS & GENMASK_ULL(63, shift)) |
		(va & GENMASK_ULL(shift - 1, 0));
	return 0;
}

static int transfer(struct mali *gpu, phys_addr_t phys, void *buffer, u32 size,
		    enum mali_access access)
{
	switch (access) {
	case MALI_READ:
		return ncmem_dev_read(gpu->nc, phys, buffer, size);
	case MALI_POLL:
		return ncmem_dev_poll(gpu->nc, phys, buffer, size);
	case MALI_WRITE:
		return ncmem_dev_write(gpu->nc, phys, buffer, size);
	}
	return -EINVAL;
}

/**
 * mali_access() - what executes accesses memory
 * @gpu: the GPU, its lock of memory held
 * @as: address space
 * @va: GPU address
 * @buffer: where to, or where from
 * @size: bytes, at most 64
 * @access: of which kind
 * @fault: why not
 *
 * Return: 0; -EFAULT, with @fault filled, and nothing was transferred, unless the second of
 * two pages is where the driver has mapped no memory.
 */
int mali_access(struct mali *gpu, u32 as, u64 va, void *buffer, u32 size,
		enum mali_access access, struct mali_fault *fault)
{
	const struct mali_tables *tables = &gpu->as[as].tables;
	u32 first = min_t(u32, size, PAGE_SIZE - offset_in_page(va));
	phys_addr_t phys[2];

	*fault = (struct mali_fault){ .address = va, .commands = gpu->as[as].commands };
	if (!tables->enabled)
		return -EFAULT;
	fault->status = translate(gpu, tables, va, access, &phys[0]);
	if (!fault->status && size > first) {
		fault->address = va + first;
		fault->status = translate(gpu, tables, va + first, access, &phys[1]);
	}
	if (!fault->status && transfer(gpu, phys[0], buffer, first, access))
		fault->status = AS_FAULT_TABLE + LEVELS - 1;
	if (!fault->status && size > first &&
	    transfer(gpu, phys[1], buffer + first, size - first, access))
		fault->status = AS_FAULT_TABLE + LEVELS - 1;
	if (!fault->status)
		return 0;
	fault->status |= access == MALI_WRITE ? AS_FAULT_WRITE : AS_FAULT_READ;
	return -EFAULT;
}

/* Tell the driver, with the lock held. A second fault waits until the first is answered. */
void mali_raise_fault(struct mali *gpu, u32 as, const struct mali_fault *fault)
{
	if (gpu->raw[MALI_IRQ_MMU] & BIT(as))
		return;
	gpu->as[as].fault_address = fault->address;
	gpu->as[as].fault_status = fault->status;
	mali_raise(gpu, MALI_IRQ_MMU, BIT(as));
}
