/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DRM device on a made-up bus, whose DMA operations do nothing but write down
 * each sync, and whose IOMMU cuts mappings as a test wants it.
 */
#ifndef GEM_SYNC_KUNIT_FAKE_H
#define GEM_SYNC_KUNIT_FAKE_H

#include <kunit/test.h>

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/dma-map-ops.h>

#include <drm/drm_device.h>

#include <compat.h>
#include <gem_sync/drm_gem_sync.h>

/* Syncs that are kept; a test makes fewer. */
#define FAKE_RECORDS	4096

/* Segments that a test names at most, and a 0 behind them. */
#define FAKE_CUTS	16

/* One call of a sync operation. */
struct fake_record {
	bool for_cpu;
	enum dma_data_direction dir;
	dma_addr_t addr;
	size_t size;
};

/**
 * struct fake - the device of one test
 * @drm: the DRM device
 * @sdev: what the helper knows of it: not coherent; a test may change that
 * @ops: its DMA operations
 * @dma_mask: of the device
 * @dma_parms: of the device
 * @next_addr: where the next mapping's DMA addresses begin: each has addresses of its own
 * @max_segment: pages that a physical segment has at most; 0 is any number
 * @cuts: pages of each segment of DMA addresses, up to a 0; none: as the physical ones
 * @signal_after: syncs after which a signal is sent to the caller; 0 is never
 * @signal: which
 * @signal_delay_ms: how long the sync with the signal takes
 * @unmapping: called when an object is unmapped, if there is one
 * @log: what happened so far, in its order: syncs for the (c)PU and the (d)evice,
 *	(u)nmapping, and what a test adds with fake_log()
 * @records: the syncs so far, in their order
 * @count: number of records
 */
struct fake {
	struct drm_device drm;
	struct drm_gem_sync_device sdev;
	struct dma_map_ops ops;
	u64 dma_mask;
	struct device_dma_parameters dma_parms;
	u64 next_addr;
	unsigned int max_segment;
	unsigned int cuts[FAKE_CUTS + 1];
	unsigned int signal_after;
	int signal;
	unsigned int signal_delay_ms;
	void (*unmapping)(void);
	char log[256];
	struct fake_record *records;
	unsigned int count;
};

#define to_fake(drm_) container_of(drm_, struct fake, drm)

/* Fails the test if there is no device; everything ends with the test. */
struct fake *fake_create(struct kunit *test);

/* Create an object that the test puts. 0 or what drm_gem_sync_shmem_init() returned. */
int fake_try_bo(struct fake *fake, u64 size, const struct drm_gem_sync_shmem_args *args,
		struct drm_gem_sync_shmem_object **bo);

/* A cached and private object that dies with the test. */
struct drm_gem_sync_shmem_object *fake_bo(struct kunit *test, struct fake *fake, u64 size);
struct drm_gem_sync_shmem_object *fake_bo_args(struct kunit *test, struct fake *fake, u64 size,
					       const struct drm_gem_sync_shmem_args *args);

/* The same, with its pages mapped for the device until the test ends. */
struct drm_gem_sync_shmem_object *fake_pinned(struct kunit *test, struct fake *fake, u64 size);

/* An import of the dma-buf, which dies with the test. */
struct drm_gem_sync_shmem_object *fake_import(struct kunit *test, struct fake *fake,
					      struct dma_buf *dma_buf);

void fake_log(struct fake *fake, char event);

static inline void fake_forget(struct fake *fake)
{
	fake->count = 0;
	memset(fake->log, 0, sizeof(fake->log));
}

extern struct kunit_suite gem_sync_access_suite;
extern struct kunit_suite gem_sync_bounce_suite;
extern struct kunit_suite gem_sync_evict_suite;
extern struct kunit_suite gem_sync_hooks_suite;
extern struct kunit_suite gem_sync_import_suite;
extern struct kunit_suite gem_sync_life_suite;
extern struct kunit_suite gem_sync_walk_suite;

#endif
