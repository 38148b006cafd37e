/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ncmem: emulated non-coherent memory of a virtual device. The overview is in
 * main.c (DOC: overview).
 */
#ifndef NCMEM_H
#define NCMEM_H

#include <linux/bits.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/types.h>

#include <access.h>

struct dentry;
struct device;
struct module;
struct ncmem;
struct ncmem_pages;
struct page;
struct task_struct;
struct vm_area_struct;

/**
 * enum ncmem_mode - how the emulated cache behaves
 */
enum ncmem_mode {
	/**
	 * @NCMEM_LAZY: lines move only when maintenance moves them, and are in the cache
	 * from the birth of their page
	 */
	NCMEM_LAZY,
	/** @NCMEM_CHAOS: lines also move on their own, at random */
	NCMEM_CHAOS,
	/** @NCMEM_COHERENT: there is no incoherent cache */
	NCMEM_COHERENT,
	/** @NCMEM_KIND: as lazy, but no line is in the cache before a view shows it */
	NCMEM_KIND,
};

/* What is looked for beside what is always seen, by taking pages away from CPU maps. */
#define NCMEM_WATCH_LOADS	BIT(0)	/* loads of stale lines */
#define NCMEM_WATCH_STORES	BIT(1)	/* stores, even of what was there */
#define NCMEM_WATCH_ALL		(NCMEM_WATCH_LOADS | NCMEM_WATCH_STORES)

/**
 * struct ncmem_params - fixed for the life of an emulated device
 */
struct ncmem_params {
	/** @line_size: bytes of a CPU cache line: 32, 64 or 128 */
	u32 line_size;
	/** @mode: how the cache behaves */
	enum ncmem_mode mode;
	/** @seed: of chaos: the same seed and the same accesses, the same moves */
	u64 seed;
	/**
	 * @chaos_period_ms: chaos also moves lines every so many milliseconds; 0 is
	 * never, which a replay needs
	 */
	u32 chaos_period_ms;
	/** @merge_segments: DMA addresses of a mapping follow each other, as an IOMMU's may */
	bool merge_segments;
	/**
	 * @dma_bits: bits of the DMA addresses that the device can use, 24 to 64; 0 is 64.
	 * The DMA API takes a device with fewer than 32 for one that can bounce.
	 */
	u32 dma_bits;
	/** @can_watch: its jobs are told (ncmem_job_begin()), and maps can be revoked */
	bool can_watch;
	/** @watch: NCMEM_WATCH_*, if @can_watch; sysfs may change it */
	u32 watch;
	/**
	 * @identity: DMA addresses are physical ones, as drivers with page tables of their own
	 * want it; then @merge_segments and @dma_bits are not looked at. What such a driver
	 * maps without ncmem_pages_add() is the CPU's cache itself, and the device sees a copy.
	 */
	bool identity;
	/** @owner: with @identity: pinned while anything is mapped */
	struct module *owner;
};

/**
 * ncmem_dma_mask - the DMA mask that a device is to set
 * @params: of the emulation
 *
 * Return: The mask.
 */
static inline u64 ncmem_dma_mask(const struct ncmem_params *params)
{
	return DMA_BIT_MASK(params->dma_bits ?: 64);
}

#define NCMEM_LABEL_SIZE	64

/**
 * struct ncmem_owner - whose pages they are, for reports
 */
struct ncmem_owner {
	/** @label: name of the object, or empty; see ncmem_owner_set_label() */
	char label[NCMEM_LABEL_SIZE];
	/** @comm: name of the process that created the object */
	char comm[16];
	/** @pid: process that created the object */
	int pid;
	/** @handle: of the object, in its creator's file; 0 if unknown */
	u32 handle;
	/**
	 * @id: objects of the device in the order of their creation, from 1, and of no other
	 * one. A driver that numbers none leaves it 0, and sets of pages are numbered.
	 */
	u64 id;
	/**
	 * @revoke: optional; takes @count pages from @first on away from the maps of user
	 * space, so that the next touch of each is a fault. Without it none is watched, as
	 * none has to be of an object that the CPU does not map cached.
	 * Called in process context, when a job ends; its set of pages is there meanwhile. It
	 * must not allocate memory, or take a lock that is held across an allocation.
	 */
	void (*revoke)(const struct ncmem_owner *owner, unsigned long first,
		       unsigned long count);
};

/**
 * struct ncmem_touch - user space touches a page that its map does not show, or only to
 * loads
 */
struct ncmem_touch {
	/** @address: that was touched, in the program's address space */
	unsigned long address;
	/** @store: it stores; else it loads */
	bool store;
};

/**
 * enum ncmem_show - how a map of user space may show a page
 */
enum ncmem_show {
	/** @NCMEM_HIDE: not at all: the next touch has to be a fault */
	NCMEM_HIDE,
	/** @NCMEM_SHOW_READ_ONLY: the next store has to be a fault */
	NCMEM_SHOW_READ_ONLY,
	/** @NCMEM_SHOW: as the map is */
	NCMEM_SHOW,
};

/**
 * struct ncmem_job - what the device works at when it accesses memory, for reports
 */
struct ncmem_job {
	/** @submission: jobs of its queue, from 1 */
	u64 submission;
	/** @address: GPU address of its commands */
	u64 address;
	/** @group: of the queue */
	u32 group;
	/** @queue: its number in the group */
	u32 queue;

	/* ncmem's own: */

	/** @number: jobs of the device in the order in which they begin */
	u64 number;
	/** @task: that executes it at the moment; NULL if nobody does */
	struct task_struct *task;
	/** @node: in &ncmem.jobs, while somebody executes it */
	struct list_head node;
	/** @expired: it ends now, waiting for a word in vain */
	bool expired;
};

/**
 * enum ncmem_user_op - what became of a cache instruction of user space
 */
enum ncmem_user_op {
	/** @NCMEM_USER_OP_FOREIGN: the map is somebody else's */
	NCMEM_USER_OP_FOREIGN,
	/** @NCMEM_USER_OP_DONE: there is nothing left to do, or was nothing */
	NCMEM_USER_OP_DONE,
	/** @NCMEM_USER_OP_AGAIN: a lock was taken; the instruction has to come again */
	NCMEM_USER_OP_AGAIN,
};

/**
 * struct ncmem_maps - the CPU maps of a driver, for cache instructions of user space
 */
struct ncmem_maps {
	/**
	 * @maintain: do to the object's line what the instruction does, by ncmem_user_op(), if
	 * the map is one of these: @size bytes of the CPU's line at @address. Called with the
	 * map's address space locked, in a context that must not sleep.
	 */
	enum ncmem_user_op (*maintain)(struct vm_area_struct *vma, unsigned long address,
				       u32 size, enum gs_sync_type type);

	/* ncmem's own: */

	/** @node: in the list of all */
	struct list_head node;
};

struct ncmem *ncmem_create(struct device *dev, const struct ncmem_params *params);
void ncmem_reattach(struct ncmem *nc);
void ncmem_detach(struct ncmem *nc);
void ncmem_put(struct ncmem *nc);
void ncmem_debugfs_init(struct ncmem *nc, struct dentry *root);

void ncmem_owner_set_label(struct ncmem *nc, struct ncmem_owner *owner, const char *label);

struct ncmem_pages *ncmem_pages_add(struct ncmem *nc, struct page **pages, unsigned long count,
				    const struct ncmem_owner *owner);
void ncmem_pages_remove(struct ncmem_pages *set);
struct page *ncmem_cpu_page(struct ncmem_pages *set, unsigned long index);
struct page *ncmem_view_of(struct page *page);
enum ncmem_show ncmem_cpu_touch(struct ncmem_pages *set, unsigned long index,
				const struct ncmem_touch *touch);

void ncmem_maps_register(struct ncmem_maps *maps);
void ncmem_maps_unregister(struct ncmem_maps *maps);
void ncmem_user_op(struct ncmem_pages *set, unsigned long index, u32 offset, u32 size,
		   enum gs_sync_type type);

void ncmem_job_begin(struct ncmem *nc, struct ncmem_job *job);
void ncmem_job_run(struct ncmem *nc, struct ncmem_job *job, bool expired);
void ncmem_job_pause(struct ncmem *nc, struct ncmem_job *job);
void ncmem_job_end(struct ncmem *nc, struct ncmem_job *job);

int ncmem_dev_read(struct ncmem *nc, dma_addr_t addr, void *to, size_t size);
int ncmem_dev_poll(struct ncmem *nc, dma_addr_t addr, void *to, size_t size);
int ncmem_dev_write(struct ncmem *nc, dma_addr_t addr, const void *from, size_t size);
int ncmem_dev_add(struct ncmem *nc, dma_addr_t addr, u64 value, size_t size);

#endif
