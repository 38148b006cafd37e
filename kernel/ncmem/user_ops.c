// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache instructions of user space. In a virtual machine they move no line of the emulation,
 * so a program that flushes by itself, as Mesa does on arm64, would be told of mistakes that
 * it did not make. With the parameter user_ops they are trapped, and do to the line of their
 * address what a sync by the driver does.
 */
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/moduleparam.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "internal.h"
#include "user_ops.h"

static bool user_ops;
module_param(user_ops, bool, 0444);
MODULE_PARM_DESC(user_ops,
		 "Cache instructions of user space move lines too; arm64 only (default N)");

static DEFINE_SPINLOCK(maps_lock);
static LIST_HEAD(all_maps);

bool ncmem_user_ops_work(void)
{
	return user_ops;
}

/**
 * ncmem_maps_register() - make a driver's CPU maps known
 * @maps: stays the caller's until ncmem_maps_unregister()
 *
 * Context: Any context that may take a spinlock.
 */
void ncmem_maps_register(struct ncmem_maps *maps)
{
	spin_lock(&maps_lock);
	list_add_rcu(&maps->node, &all_maps);
	spin_unlock(&maps_lock);
}
EXPORT_SYMBOL_GPL(ncmem_maps_register);

/**
 * ncmem_maps_unregister() - the end of ncmem_maps_register()
 * @maps: not called any more when this returns
 *
 * Context: Process context, may sleep.
 */
void ncmem_maps_unregister(struct ncmem_maps *maps)
{
	spin_lock(&maps_lock);
	list_del_rcu(&maps->node);
	spin_unlock(&maps_lock);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(ncmem_maps_unregister);

/**
 * ncmem_user_op() - a cache instruction of user space meets a page of an object
 * @set: the pages of the object, which stay there
 * @index: which page
 * @offset: of the first byte of the CPU's line in the page
 * @size: bytes of the CPU's line, which ends in the page
 * @type: what the instruction does
 *
 * For &ncmem_maps.maintain.
 *
 * Context: Any context that may take a spinlock.
 */
void ncmem_user_op(struct ncmem_pages *set, unsigned long index, u32 offset, u32 size,
		   enum gs_sync_type type)
{
	phys_addr_t phys = page_to_phys(set->page[index].mem) + offset;

	ncmem_sync_for_device(set->nc, phys, size);
	if (type == GS_SYNC_FLUSH_AND_INVALIDATE)
		ncmem_sync_for_cpu(set->nc, phys, size, DMA_BIDIRECTIONAL);
}
EXPORT_SYMBOL_GPL(ncmem_user_op);

static enum ncmem_user_op maintain(struct vm_area_struct *vma, unsigned long address, u32 size,
				   enum gs_sync_type type)
{
	enum ncmem_user_op result = NCMEM_USER_OP_FOREIGN;
	const struct ncmem_maps *maps;

	rcu_read_lock();
	list_for_each_entry_rcu(maps, &all_maps, node) {
		result = maps->maintain(vma, address, size, type);
		if (result != NCMEM_USER_OP_FOREIGN)
			break;
	}
	rcu_read_unlock();
	return result;
}

/* The task's instruction is about to work on the line at @address. In any context. */
enum ncmem_user_op ncmem_user_op_at(unsigned long address, u32 size, enum gs_sync_type type)
{
	enum ncmem_user_op result = NCMEM_USER_OP_FOREIGN;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (!mm)
		return NCMEM_USER_OP_FOREIGN;
	if (!mmap_read_trylock(mm))
		return NCMEM_USER_OP_AGAIN;
	vma = vma_lookup(mm, address);
	if (vma)
		result = maintain(vma, address, size, type);
	mmap_read_unlock(mm);
	return result;
}

/* Returns 0 if they are not asked for; -EOPNOTSUPP if this machine cannot trap them. */
int ncmem_user_ops_init(void)
{
	return user_ops ? ncmem_trap_init() : 0;
}

void ncmem_user_ops_exit(void)
{
	if (user_ops)
		ncmem_trap_exit();
}
