/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of ncmem.ko share and nobody else sees. */
#ifndef NCMEM_INTERNAL_H
#define NCMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/dma-direction.h>
#include <linux/dma-map-ops.h>
#include <linux/kref.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <line.h>
#include <random.h>
#include <record.h>

#include "ncmem.h"

/* What every byte of a new page's memory holds, until its content is written back. */
#define NCMEM_POISON	0xa5

#define NCMEM_LINE_MIN	32
#define NCMEM_LINE_MAX	128

/* Jobs that are remembered, for what the CPU reads of what they wrote. */
#define NCMEM_ENDED_JOBS	64

/* Fewer leave nothing to map to. */
#define NCMEM_DMA_BITS_MIN	24

/**
 * struct ncmem - one virtual device's emulation
 * @ref: one is the creator's, and each set of pages has one
 * @node: in the list of those that are attached
 * @dev: the device
 * @ops: the device's DMA operations; &struct ncmem is found from them
 * @params: as created
 * @maps: &struct ncmem_map by page number of the DMA address
 * @has_no_maps: some of @maps are ranges that only memory was missing for to free
 * @lines_cleaned: lines written back by maintenance, dirty or not
 * @lines_dropped: lines dropped by maintenance
 * @lines_cleaned_dirty: of those cleaned the ones that were dirty: others cost time alone
 * @lines_dropped_stale: of those dropped the ones that showed old data, likewise
 * @lines_evicted: lines written back by chaos
 * @lines_refilled: lines refilled by chaos
 * @report_lock: protects @journal, @jobs, @ended, @written, every owner's label and every
 *	set's syncs; taken after a page's lock
 * @journal: records of violations
 * @records: the journal's
 * @jobs: &struct ncmem_job that are executed at the moment
 * @expired: how many of them are ending, waiting for a word in vain
 * @watch: NCMEM_WATCH_* (watch.c)
 * @watch_mutex: keeps sets in @written; taken before @report_lock
 * @written: sets with pages that the end of a job takes away from maps
 * @ended: the last jobs that ended, by number
 * @shadow_lock: keeps the pages in @shadows; taken before a page's lock
 * @shadows: pages that have a cache copy, for chaos to choose from
 * @shadow_ids: no id in @shadows was ever larger
 * @random: chaos at device accesses; under @shadow_lock
 * @work_random: chaos of @chaos_work; under @shadow_lock
 * @chaos_work: chaos every now and then
 */
struct ncmem {
	struct kref ref;
	struct list_head node;
	struct device *dev;
	struct dma_map_ops ops;
	struct ncmem_params params;
	struct maple_tree maps;
	bool has_no_maps;
	atomic64_t lines_cleaned;
	atomic64_t lines_dropped;
	atomic64_t lines_cleaned_dirty;
	atomic64_t lines_dropped_stale;
	atomic64_t lines_evicted;
	atomic64_t lines_refilled;
	spinlock_t report_lock;
	struct gs_journal journal;
	struct gs_record *records;
	struct list_head jobs;
	atomic_t expired;
	u32 watch;
	struct mutex watch_mutex;
	struct list_head written;
	struct gs_job ended[NCMEM_ENDED_JOBS];
	spinlock_t shadow_lock;
	struct xarray shadows;
	u32 shadow_ids;
	struct gs_random random;
	struct gs_random work_random;
	struct delayed_work chaos_work;
};

/**
 * struct ncmem_page - one page of an object
 * @lock: serializes line operations and device accesses
 * @shadow_id: index in &ncmem.shadows, while C exists
 * @set: the pages of the object
 * @holders: with identity: DMA mappings that have the page; under ncmem_holders_lock
 * @adopted: nobody added the page, but it was mapped: C is its own page and M is not
 * @mem: M, the object's own page unless @adopted
 * @cache: C, what cached CPU views show; NULL until there is one
 * @base: B, C as of the last fill or write-back; exists together with C
 * @fresh: lines whose content is still only in the cache and all zero, over
 *	poisoned memory; only while C does not exist
 * @born: lines of which the cache still has the zeros of their birth; only while C does
 *	not exist
 * @under: as in &struct gs_lines
 * @stored: as in &struct gs_lines
 * @writer: while loads are watched, number of the last job that wrote here; this,
 *	@written and @writable are under the lock of reports
 * @written: that job has not ended
 * @writable: while stores are watched: a map may show the page to stores, which are not
 *	seen then
 * @watched: no map shows the page; who touches it is looked at
 * @viewed: a cached view may show it: it was asked for (ncmem_cpu_page())
 * @taken: maps lost it by the end of a job, and nobody touched it since
 */
struct ncmem_page {
	spinlock_t lock;
	u32 shadow_id;
	struct ncmem_pages *set;
	u32 holders;
	bool adopted;
	struct page *mem;
	struct page *cache;
	struct page *base;
	DECLARE_BITMAP(fresh, PAGE_SIZE / NCMEM_LINE_MIN);
	DECLARE_BITMAP(born, PAGE_SIZE / NCMEM_LINE_MIN);
	u64 under[PAGE_SIZE / NCMEM_LINE_MIN / 64];
	u64 stored[PAGE_SIZE / NCMEM_LINE_MIN / 64];
	u64 writer;
	bool written;
	bool writable;
	bool watched;
	bool viewed;
	bool taken;
};

/* The pages of one object. */
struct ncmem_pages {
	struct ncmem *nc;
	u64 id;				/* of no other set, ever */
	const struct ncmem_owner *owner;
	struct gs_sync_log syncs;
	struct list_head written;	/* in &ncmem.written */
	unsigned long written_first;	/* all written and writable pages are in here */
	unsigned long written_end;
	bool refilled;			/* the last touch was of a page that was taken away */
	unsigned long count;
	struct ncmem_page page[] __counted_by(count);
};

/* A physically contiguous piece of a DMA mapping. */
struct ncmem_segment {
	u64 addr;		/* DMA address */
	u64 size;		/* bytes */
	phys_addr_t phys;
};

/* One DMA mapping: segments in ascending DMA addresses, gaps between them. */
struct ncmem_map {
	unsigned int count;
	struct ncmem_segment segment[] __counted_by(count);
};

/* What maintenance did. */
struct ncmem_maintained {
	u64 lines;	/* that it went over */
	u64 useful;	/* of these the dirty ones of a clean, or the stale ones of a drop */
};

/* Totals over all devices, readable as module parameters; 0 when nothing leaked. */
struct ncmem_totals {
	atomic_long_t pages;	/* pages of objects */
	atomic_long_t shadows;	/* of these, pages with C and B */
	atomic_long_t maps;	/* DMA mappings */
};

extern struct ncmem_totals ncmem_totals;

struct ncmem_page *ncmem_page_find(phys_addr_t phys);
struct ncmem_page *ncmem_page_adopt(struct ncmem *nc, struct page *own, gfp_t gfp);
void ncmem_page_forget(struct ncmem_page *page);
void ncmem_page_disown(struct ncmem_page *page);
bool ncmem_page_lines(struct ncmem_page *page, struct gs_lines *lines);
void ncmem_page_clean(struct ncmem_page *page, u32 offset, u32 size,
		      struct ncmem_maintained *maintained);
void ncmem_page_drop(struct ncmem_page *page, u32 offset, u32 size,
		     struct ncmem_maintained *maintained);
void ncmem_page_prepare_write(struct ncmem_page *page, u32 offset, u32 size);

/* The page's lock is held: look for violations of what comes next, and report them. */
void ncmem_check_clean(struct ncmem_page *page, u32 offset, u32 size);
void ncmem_check_dev_poll(struct ncmem_page *page, u32 offset, u32 size);
void ncmem_check_dev_read(struct ncmem_page *page, u32 offset, u32 size);
void ncmem_check_dev_write(struct ncmem_page *page, u32 offset, u32 size);
/* A driver syncs a range of an object that begins in @page. */
void ncmem_note_sync(struct ncmem_page *page, u32 offset, u64 size, enum gs_sync_type type);
u64 ncmem_violation_count(struct ncmem *nc, enum gs_violation_kind kind);
/* The CPU reads what the device wrote. */
void ncmem_report_load(struct ncmem_page *page, const struct gs_violation *violation,
		       u64 address, u64 pc);
int ncmem_reports_init(struct ncmem *nc);
void ncmem_reports_fini(struct ncmem *nc);

bool ncmem_can_watch(const struct ncmem_pages *set);
void ncmem_watch_write(struct ncmem_page *page, const struct ncmem_job *job);
void ncmem_watch_job_ends(struct ncmem *nc, const struct gs_job *job);
void ncmem_watch_forget(struct ncmem_pages *set);

bool ncmem_user_ops_work(void);
int ncmem_user_ops_init(void);
void ncmem_user_ops_exit(void);

void ncmem_chaos_init(struct ncmem *nc);
void ncmem_chaos_stop(struct ncmem *nc);
void ncmem_chaos_fini(struct ncmem *nc);
void ncmem_chaos_at_access(struct ncmem *nc, struct ncmem_page *page);

/* Whether the task may know what all others do. */
bool ncmem_may_read_counters(void);
extern const struct attribute_group ncmem_group;

void ncmem_dma_ops_init(struct dma_map_ops *ops);
void ncmem_identity_ops_init(struct dma_map_ops *ops);
void ncmem_maintain_for_device(struct ncmem *nc, phys_addr_t phys, u64 size);
void ncmem_maintain_for_cpu(struct ncmem *nc, phys_addr_t phys, u64 size,
			    enum dma_data_direction dir);
void ncmem_sync_for_device(struct ncmem *nc, phys_addr_t phys, u64 size);
void ncmem_sync_for_cpu(struct ncmem *nc, phys_addr_t phys, u64 size,
			enum dma_data_direction dir);
/* Where the device may go by physical addresses: keeps pages as they are found and held. */
extern spinlock_t ncmem_holders_lock;
void ncmem_free_ranges(struct ncmem *nc, gfp_t gfp);
const struct ncmem_segment *ncmem_segment_find(struct ncmem *nc, u64 addr);

/* For the files of sysfs, which are there no longer than the emulation is attached. */
struct ncmem *ncmem_of(struct device *dev);

/* For DMA operations, which the device has by the emulation. */
static inline struct ncmem *to_ncmem(struct device *dev)
{
	return container_of((struct dma_map_ops *)get_dma_ops(dev), struct ncmem, ops);
}

#endif
