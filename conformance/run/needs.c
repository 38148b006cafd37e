// SPDX-License-Identifier: MIT
/*
 * What a case needs, and whether the device has it. Only an answer that says "no" is a
 * skip; a device that errs when it is asked runs the case, which fails by that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "gpu_ops.h"
#include "needs.h"

static bool is_incoherent(struct cf *cf)
{
	return !cf->info.coherent;
}

static bool is_coherent(struct cf *cf)
{
	return cf->info.coherent;
}

static bool has_counters(struct cf *cf)
{
	struct gemsync_counters counters;

	return gemsync_device_counters(cf->dev, &counters) != -EOPNOTSUPP;
}

static bool is_lazy(struct cf *cf)
{
	return !cf->info.chaos;
}

static bool has_file(struct cf *cf)
{
	return cf->fd >= 0;
}

static bool has_sync_abi(struct cf *cf)
{
	return gpu_sync_abi(cf->dev);
}

static bool has_violations(struct cf *cf)
{
	struct gemsync_violation violation;
	uint64_t serial = UINT64_MAX;
	int ret = gemsync_device_next_violation(cf->dev, &serial, &violation);

	return ret != -EOPNOTSUPP && ret != -EACCES;
}

static bool is_root(struct cf *cf)
{
	return !geteuid();
}

static bool is_vm(struct cf *cf)
{
	return getenv("GEMSYNC_VM");
}

static bool has_private(struct cf *cf)
{
	return gemsync_device_vm(cf->dev);
}

bool makes_cached(struct cf *cf)
{
	struct gemsync_bo *bo;
	int ret = gemsync_bo_create(cf->dev, 4096, GEMSYNC_BO_CACHED, &bo);

	if (!ret)
		gemsync_bo_destroy(bo);
	return ret != -EOPNOTSUPP && ret != -EINVAL;
}

static bool has_sync(struct cf *cf)
{
	struct gemsync_bo *bo;
	int ret;

	if (!makes_cached(cf))
		return false;
	ret = gemsync_bo_create(cf->dev, 4096, GEMSYNC_BO_CACHED, &bo);
	if (ret)
		return true;
	ret = gemsync_bo_flush(bo, 0, 4);
	gemsync_bo_destroy(bo);
	return ret != -EOPNOTSUPP;
}

static bool has_no_private(struct cf *cf)
{
	return !has_private(cf);
}

static bool has_spin(struct cf *cf)
{
	const struct gpu_ops *ops = cf->gpu->ops;

	return ops->spin_begin && ops->spin_running && ops->spin_end;
}

static bool has_spin_fence(struct cf *cf)
{
	return cf->gpu->ops->spin_fence;
}

static bool has_offsets(struct cf *cf)
{
	return cf->gpu->ops->map_offset;
}

static bool has_hooks(struct cf *cf)
{
	char policy[16];

	/* A driver without the choice has one policy: strict. */
	return !module_parameter(cf, "policy", policy, sizeof(policy)) && !strcmp(policy, "hooks");
}

static bool is_strict(struct cf *cf)
{
	return !has_hooks(cf);
}

static bool has_eviction(struct cf *cf)
{
	uint64_t pages;

	return !evicted_pages(cf, &pages);
}

static bool has_bind(struct cf *cf)
{
	return cf->gpu->ops->bind;
}

static bool has_purge(struct cf *cf)
{
	return cf->gpu->ops->madvise && can_purge(cf);
}

static bool has_import_maps(struct cf *cf)
{
	char value[4];

	if (module_parameter(cf, "map_imports", value, sizeof(value)))
		return cf->gpu->ops->maps_imports;
	return value[0] == 'Y';
}

static bool has_no_import_maps(struct cf *cf)
{
	return !has_import_maps(cf);
}

static bool watches_loads(struct cf *cf)
{
	return cf->watched.now & GEMSYNC_WATCH_LOADS;
}

static bool watches_stores(struct cf *cf)
{
	return cf->watched.now & GEMSYNC_WATCH_STORES;
}

/* As all devices of this project's own drivers; a watch needs it, and so tells of others. */
static bool tells_jobs(struct cf *cf)
{
	return cf->fd < 0 || cf->watched.set;
}

/* In the order in which they are looked at: later ones build upon earlier ones. */
static const struct {
	uint32_t need;
	bool (*has)(struct cf *cf);
	const char *reason;
	const char *remedy;
} needs[] = {
	{ NEED_INCOHERENT, is_incoherent, "the device snoops CPU caches: nothing is ever stale",
	  "run on a device that is not coherent (vpanthor.coherent=0, sim)" },
	{ NEED_COHERENT, is_coherent, "the device does not snoop CPU caches",
	  "run on a coherent device (vpanthor.coherent=1, sim:mode=coherent)" },
	{ NEED_CACHED, makes_cached, "the driver makes no cached BOs for user space",
	  "run on a driver that does (panthor, panfrost, vpowervr.user_cached=1)" },
	{ NEED_SYNC, has_sync, "user space cannot sync cached BOs of this driver",
	  "run on a driver with a sync call (panthor, panfrost, sim)" },
	{ NEED_COUNTERS, has_counters, "the device does not count the lines that are maintained",
	  "run on an emulated device (panthor in the VM, sim)" },
	{ NEED_LAZY & ~(NEED_INCOHERENT | NEED_COUNTERS), is_lazy,
	  "the emulated cache moves lines on its own (mode chaos)",
	  "run on a device in mode lazy (vpanthor.chaos=0, sim)" },
	{ NEED_FILE, has_file, "the device has no file for PRIME and ioctls",
	  "run on the device of a kernel driver (vm/run -- gemsync conform)" },
	{ NEED_SYNC_ABI & ~NEED_FILE, has_sync_abi,
	  "the driver has no ioctl that takes an array of sync ops",
	  "run on a driver with one (panthor 1.7, panfrost 1.6)" },
	{ NEED_VIOLATIONS, has_violations, "violations are not reported, or cannot be read",
	  "run on an emulated device; in the VM as root with debugfs mounted" },
	{ NEED_WATCH & ~NEED_VIOLATIONS, watches_loads,
	  "the emulation does not look for loads of stale lines",
	  "run as root, in the VM or on a simulated device" },
	{ NEED_STORES & ~NEED_WATCH, watches_stores,
	  "the emulation does not look for stores of what was there",
	  "run as root, in the VM or on a simulated device" },
	{ NEED_JOBS & ~NEED_VIOLATIONS, tells_jobs,
	  "the driver does not tell the emulation which jobs run, and of which BOs",
	  "run on one that does (panthor and panfrost in the VM, sim)" },
	{ NEED_ROOT, is_root, "the case needs what only root may do", "run as root" },
	{ NEED_VM & ~NEED_ROOT, is_vm, "the case takes the device away from all its users",
	  "run in the VM (vm/run), or set GEMSYNC_VM=1 where nobody else uses the device" },
	{ NEED_PRIVATE, has_private, "the driver has no private BOs",
	  "run on a driver with exclusive BOs (panthor, sim)" },
	{ NEED_PUBLIC, has_no_private, "the driver has private BOs",
	  "run on a driver without exclusive BOs (panfrost, powervr)" },
	{ NEED_SPIN, has_spin, "the GPU cannot be made to run until it is told to stop",
	  "run on a driver with such a job (panthor, sim)" },
	{ NEED_SPIN_FENCE & ~NEED_SPIN, has_spin_fence,
	  "the end of a job cannot be had as a sync file",
	  "run on a driver that hands out fences (panthor)" },
	{ NEED_OFFSETS & ~NEED_FILE, has_offsets,
	  "BOs are not mapped at offsets of the device's file",
	  "run on a driver whose BOs are (panthor)" },
	{ NEED_STRICT, is_strict, "the policy is hooks: cached BOs are shared",
	  "load its module with policy=strict" },
	{ NEED_HOOKS & ~(NEED_FILE | NEED_LAZY), has_hooks,
	  "the policy is strict: cached BOs are not shared",
	  "load its module with policy=hooks, if it has that parameter" },
	{ NEED_EVICTION & ~(NEED_FILE | NEED_ROOT), has_eviction,
	  "nothing evicts the device's BOs on demand",
	  "run on an emulated device; in the VM as root with debugfs mounted" },
	{ NEED_BIND, has_bind, "the driver binds every BO itself",
	  "run on a driver that is told what to bind (panthor, sim)" },
	{ NEED_PURGE & ~(NEED_FILE | NEED_ROOT), has_purge,
	  "nothing purges the device's BOs on demand",
	  "run on an emulated device whose driver purges (panfrost in the VM)" },
	{ NEED_NO_IMPORT_MAPS, has_no_import_maps, "imported BOs may be mapped",
	  "run on a driver that refuses it (panthor, vpanfrost.map_imports=0)" },
	{ NEED_IMPORT_MAPS & ~NEED_OFFSETS, has_import_maps, "imported BOs are not mapped",
	  "run on a driver that maps them (panfrost, vpanthor.map_imports=1)" },
};

void check_needs(struct cf *cf, const struct conform_case *c)
{
	uint32_t needed = c->needs;
	size_t i;

	if (!(needed & (NO_SYNC | ANY_EXPORTER)))
		needed |= NEED_SYNC;
	if (!cf->dev) {
		if (c->needs & ANY_EXPORTER)
			return;
		skip("an exporter has no GPU and no sync call",
		     "run on the device of a GPU driver");
	}
	for (i = 0; i < ARRAY_SIZE(needs); i++)
		if (needed & needs[i].need && !needs[i].has(cf))
			skip(needs[i].reason, needs[i].remedy);
}
