/* SPDX-License-Identifier: GPL-2.0-only */
/* The module parameters that all drivers have; to be included by one file of each. */
#ifndef VGPU_PARAMS_H
#define VGPU_PARAMS_H

#include <linux/moduleparam.h>

#include "vgpu.h"

static unsigned int line_size = 64;
module_param(line_size, uint, 0444);
MODULE_PARM_DESC(line_size, "Bytes of an emulated CPU cache line: 32, 64 or 128 (default 64)");

static bool coherent;
module_param(coherent, bool, 0444);
MODULE_PARM_DESC(coherent, "The device is coherent with CPU caches (default N)");

static enum drm_gem_sync_policy policy = DRM_GEM_SYNC_STRICT;
module_param_cb(policy, &vgpu_policy_param_ops, &policy, 0444);
MODULE_PARM_DESC(policy,
		 "What happens to cached objects that are shared: strict, there are none; hooks, their dma-bufs sync (default strict)");

static bool chaos;
module_param(chaos, bool, 0444);
MODULE_PARM_DESC(chaos, "Cache lines also move on their own, at random (default N)");

static bool kind;
module_param(kind, bool, 0444);
MODULE_PARM_DESC(kind,
		 "No line is in the cache before a cached map shows it; without, lines are there from birth (default N)");

static unsigned long long seed = 1;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "Of chaos: the same seed, the same moves (default 1)");

static unsigned int chaos_period_ms;
module_param(chaos_period_ms, uint, 0444);
MODULE_PARM_DESC(chaos_period_ms,
		 "Chaos also moves lines between accesses, this often; 0 is never, as a replay needs (default 0)");

static bool watch;
module_param(watch, bool, 0444);
MODULE_PARM_DESC(watch,
		 "Look for loads of stale lines, and stores of what was there, from the start; sysfs has a switch (default N)");

static bool merge_segments;
module_param(merge_segments, bool, 0444);
MODULE_PARM_DESC(merge_segments, "DMA segments follow each other, as behind an IOMMU (default N)");

static unsigned int dma_bits = 64;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits,
		 "Bits of the device's DMA addresses, 24 to 64; fewer than 32 are too few for cached objects (default 64)");

static enum ncmem_mode vgpu_params_mode(void)
{
	if (coherent)
		return NCMEM_COHERENT;
	if (chaos)
		return NCMEM_CHAOS;
	return kind ? NCMEM_KIND : NCMEM_LAZY;
}

/* What the parameters say of a device. */
static void vgpu_params_apply(struct vgpu_device_config *config)
{
	config->coherent = coherent;
	config->policy = policy;
	config->memory = (struct ncmem_params) {
		.line_size = line_size,
		.mode = vgpu_params_mode(),
		.seed = seed,
		.chaos_period_ms = chaos_period_ms,
		.merge_segments = merge_segments,
		.dma_bits = dma_bits,
		.can_watch = true,
		.watch = watch ? NCMEM_WATCH_ALL : 0,
	};
}

#endif
