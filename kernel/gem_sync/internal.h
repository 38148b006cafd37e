/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of drm_gem_sync.ko share and nobody else sees. */
#ifndef GEM_SYNC_INTERNAL_H
#define GEM_SYNC_INTERNAL_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>

#include <drm/drm_drv.h>

#include <access.h>
#include <batch.h>
#include <compat.h>
#include <policy.h>

#include "drm_gem_sync.h"

struct device;
struct dma_resv;

/* Totals over all devices, readable as module parameters; 0 when nothing leaked. */
struct gem_sync_totals {
	atomic_long_t objects;	/* shmem objects that exist */
	atomic_long_t pages;	/* pages of populated ones */
	atomic_long_t locks;	/* times that a sync took an object's lock (R10) */
};

extern struct gem_sync_totals gem_sync_totals;

/*
 * Whether the CPU can map memory write-combined at all. RISC-V cannot without Svpbmt: what
 * is asked for is what a cached map has then.
 */
static inline bool gem_sync_has_wc(void)
{
	return pgprot_val(pgprot_writecombine(PAGE_SHARED)) != pgprot_val(PAGE_SHARED);
}

/* The device and an object to be, or that is, as the rules of sharing see them (R13). */
static inline struct gs_policy_device gem_sync_policy(const struct drm_gem_sync_device *sdev)
{
	return (struct gs_policy_device){
		.policy = sdev->policy == DRM_GEM_SYNC_HOOKS ? GS_POLICY_HOOKS : GS_POLICY_STRICT,
		.coherent = sdev->coherent,
		.cached_needs_private = sdev->cached_needs_private,
		.no_wc = !gem_sync_has_wc(),
	};
}

static inline struct gs_policy_object
gem_sync_policy_object(const struct drm_gem_sync_shmem_args *args)
{
	return (struct gs_policy_object){
		.cached = args->cached,
		.private = args->private,
		.no_map = args->no_mmap,
	};
}

const struct drm_gem_sync_funcs *gem_sync_funcs(const struct drm_gem_object *obj);
const struct drm_gem_sync_shmem_object *gem_sync_shmem(const struct drm_gem_object *obj);
int gem_sync_check(const struct drm_gem_object *obj, const struct gs_sync_op *op);

/*
 * Before an object is made: whether its table, and its device, are such that its syncs
 * will be done. 0, or -EINVAL with a word to the driver's author in the log.
 */
int gem_sync_check_funcs(const struct drm_device *drm, const struct drm_gem_sync_funcs *funcs,
			 bool shmem);
int gem_sync_check_device(const struct drm_gem_sync_device *sdev);

/* Take a reservation lock for a sync: 0, or -EINTR for a signal that kills. */
int gem_sync_lock(struct dma_resv *resv);

/*
 * Under the reservation lock or with a hold: whether there are lines to maintain (R9). If
 * not, the object's hook need not be called.
 */
static inline bool gem_sync_needs_sync(const struct drm_gem_sync_shmem_object *shmem)
{
	return !shmem->sdev->coherent && shmem->args.cached && !shmem->imported && shmem->sgt;
}

/* Begin and end of an object's life, for totals and unplug. 0 or -ENODEV. */
int gem_sync_track(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_untrack(struct drm_gem_sync_shmem_object *shmem);
/* The device's mapping of the object goes; its pages stay. */
void gem_sync_unmap(struct drm_gem_sync_shmem_object *shmem);
/* The pages go as well, if there are any. No user has a view, and nobody holds them. */
void gem_sync_depopulate(struct drm_gem_sync_shmem_object *shmem);
/* As that, with the content given up: no cache is maintained for it. */
void gem_sync_discard(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_drop_unplugged(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_write_back(struct drm_gem_sync_shmem_object *shmem);
int gem_sync_populate_locked(struct drm_gem_sync_shmem_object *shmem);
int gem_sync_pin_locked(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_unpin_locked(struct drm_gem_sync_shmem_object *shmem);

int gem_sync_may_use(const struct drm_gem_sync_shmem_object *shmem, const struct drm_file *file);

int gem_sync_evict_init(struct drm_gem_sync_device *sdev);
void gem_sync_lru_update(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_lru_fini(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_revoke_maps(struct drm_gem_sync_shmem_object *shmem);

struct page *gem_sync_view_page(struct drm_gem_sync_shmem_object *shmem, pgoff_t index);

/*
 * Whether swiotlb may put bounce buffers between a device and pages that are mapped for
 * it, and whether it did (R21). What an IOMMU or DMA operations of the device's own do
 * is not looked at; but a device that cannot address all memory can bounce in any case.
 */
bool gem_sync_can_bounce(struct device *dev);
bool gem_sync_is_bounced(struct device *dev, const struct sg_table *sgt);
/* Whether it certainly did not: DMA operations of the device's own may bounce as well. */
bool gem_sync_is_direct(struct device *dev, const struct sg_table *sgt);

/*
 * The DMA API has no call that writes a line back and drops it in one go: what a CPU
 * stores to the line between the two calls is lost. Where that may be somebody's who has
 * no part in the sync, both are made for so many bytes at a time, without preemption.
 */
#define GEM_SYNC_NARROW	512u

int gem_sync_runs_build(struct drm_gem_sync_shmem_object *shmem);
void gem_sync_runs_free(struct drm_gem_sync_shmem_object *shmem);
int gem_sync_runs_walk(const struct drm_gem_sync_shmem_object *shmem, u64 offset, u64 size,
		       enum gs_sync_type type);

/*
 * Pieces that are written back by one call. Where the kernel maintains lists with one barrier
 * at their end (arm64 from 7.2 on) that is all that a batch waits for. The debugging of the
 * DMA API only knows lists of all that was mapped.
 */
#define GEM_SYNC_LIST	(IS_ENABLED(CONFIG_DMA_API_DEBUG) ? 1u : 16u)

/* Walks of several ranges of an object, one behind another, which share lists of pieces. */
struct gem_sync_walk {
	const struct drm_gem_sync_shmem_object *shmem;
	struct scatterlist pieces[GEM_SYNC_LIST];
	unsigned int count;
	u64 bytes;
};

void gem_sync_walk_begin(struct gem_sync_walk *walk, const struct drm_gem_sync_shmem_object *shmem);
int gem_sync_walk_range(struct gem_sync_walk *walk, u64 offset, u64 size, enum gs_sync_type type);
/* What was listed is written back, also behind a range that was not done to its end. */
void gem_sync_walk_end(struct gem_sync_walk *walk);

/*
 * Whether a sync under way has to end: -EINTR for a signal that kills, -ENODEV because
 * unplugging waits for it, else 0. Other signals wait for its end, however long it takes:
 * it would be done again from its beginning, and with signals that come in short intervals
 * (a profiler's) it would never end.
 */
static inline int gem_sync_interrupted(struct drm_device *drm)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return drm_dev_is_unplugged(drm) ? -ENODEV : 0;
}

#endif
