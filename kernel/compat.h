/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only home of what differs between kernels. Nothing else knows of it, and nothing
 * here knows a version: distributions carry interfaces back. kernel/build compiles each of
 * probes/ for the kernel at hand, and writes into probes.h which of them compile.
 */
#ifndef GEMSYNC_COMPAT_H
#define GEMSYNC_COMPAT_H

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include "probes.h"

#if !HAVE_PFN_PLAIN
#include <linux/pfn_t.h>
#endif

/* What MODULE_IMPORT_NS() makes, which takes a name in some kernels and a string in others. */
#define COMPAT_IMPORT_NS(ns) MODULE_INFO(import_ns, #ns)

/* Initializer of a dma-buf whose mappings are kept, as far as the kernel keeps any. */
#if HAVE_ATTACH_SGT
#define COMPAT_CACHE_SGT_MAPPING .cache_sgt_mapping = true,
#else
#define COMPAT_CACHE_SGT_MAPPING
#endif

static inline bool compat_vma_is_cow(const struct vm_area_struct *vma)
{
#if HAVE_VMA_IS_COW
	return vma_is_cow_mapping(vma);
#else
	return is_cow_mapping(vma->vm_flags);
#endif
}

static inline vm_fault_t compat_insert_pfn_pmd(struct vm_fault *vmf, unsigned long pfn,
					       bool write)
{
#if HAVE_PFN_PLAIN
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), write);
#endif
}

/* COMPAT_LRU_SHRINK(fn) makes a fn_lru of fn(obj), for compat_lru_scan(). */
#if HAVE_LRU_OF_DEVICE
typedef bool (*compat_lru_shrink)(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket);
#define COMPAT_LRU_SHRINK(fn)								\
static bool fn##_lru(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket)	\
{											\
	return fn(obj);									\
}
#else
typedef bool (*compat_lru_shrink)(struct drm_gem_object *obj);
#define COMPAT_LRU_SHRINK(fn)								\
static bool fn##_lru(struct drm_gem_object *obj)					\
{											\
	return fn(obj);									\
}
#endif

static inline void compat_lru_init(struct drm_gem_lru *lru, struct mutex *lock)
{
#if HAVE_LRU_OF_DEVICE
	drm_gem_lru_init(lru);
#else
	drm_gem_lru_init(lru, lock);
#endif
}

static inline unsigned long compat_lru_scan(struct drm_device *drm, struct drm_gem_lru *lru,
					    unsigned int count, unsigned long *remaining,
					    compat_lru_shrink shrink)
{
#if HAVE_LRU_OF_DEVICE
	return drm_gem_lru_scan(drm, lru, count, remaining, shrink, NULL);
#else
	return drm_gem_lru_scan(lru, count, remaining, shrink);
#endif
}

/* The reservation lock is taken. */
static inline int compat_vmap_unlocked(struct drm_gem_object *obj, struct iosys_map *map)
{
#if HAVE_VMAP_UNLOCKED
	return drm_gem_vmap_unlocked(obj, map);
#else
	return drm_gem_vmap(obj, map);
#endif
}

static inline void compat_vunmap_unlocked(struct drm_gem_object *obj, struct iosys_map *map)
{
#if HAVE_VMAP_UNLOCKED
	drm_gem_vunmap_unlocked(obj, map);
#else
	drm_gem_vunmap(obj, map);
#endif
}

#if HAVE_SCHED_STAT_RESET
#define COMPAT_SCHED_STAT_RESET DRM_GPU_SCHED_STAT_RESET
#else
#define COMPAT_SCHED_STAT_RESET DRM_GPU_SCHED_STAT_NOMINAL
#endif

#if HAVE_DRIVER_GEM_GPUVA
#define COMPAT_DRIVER_GEM_GPUVA DRIVER_GEM_GPUVA
#else
#define COMPAT_DRIVER_GEM_GPUVA 0
#endif

/* Flag of a GPU address space that is changed in the path of fences. */
#if HAVE_GPUVA_LOCK
#define COMPAT_GPUVM_IMMEDIATE_MODE DRM_GPUVM_IMMEDIATE_MODE
#else
#define COMPAT_GPUVM_IMMEDIATE_MODE 0
#endif

/* The lock of an object's GPU mappings: DRM's, or where it has none the driver's. */
static inline struct mutex *compat_gpuva_lock(struct drm_gem_object *obj, struct mutex *own)
{
#if HAVE_GPUVA_LOCK
	return &obj->gpuva.lock;
#else
	return own;
#endif
}

static inline void compat_gpuva_set_lock(struct drm_gem_object *obj, struct mutex *own)
{
#if !HAVE_GPUVA_LOCK
	drm_gem_gpuva_set_lock(obj, own);
#endif
}

/* Without that lock held. */
static inline struct drm_gpuvm_bo *
compat_gpuvm_bo_obtain_prealloc(struct drm_gpuvm_bo *new, struct mutex *own)
{
#if HAVE_GPUVM_BO_LOCKS
	return drm_gpuvm_bo_obtain_prealloc(new);
#else
	struct mutex *lock = compat_gpuva_lock(new->obj, own);
	struct drm_gpuvm_bo *vm_bo;

	mutex_lock(lock);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(new);
	mutex_unlock(lock);
	return vm_bo;
#endif
}

static inline int compat_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv, u64 va, u64 size,
				      struct drm_gem_object *obj, u64 offset)
{
#if HAVE_GPUVM_MAP_REQ
	const struct drm_gpuvm_map_req req = {
		.map = { .va = { va, size }, .gem = { offset, obj } },
	};

	return drm_gpuvm_sm_map(gpuvm, priv, &req);
#else
	return drm_gpuvm_sm_map(gpuvm, priv, va, size, obj, offset);
#endif
}

static inline int compat_platform_driver_register(struct platform_driver *driver,
						  struct module *owner)
{
#if HAVE_DRIVER_MOD_NAME
	return __platform_driver_register(driver, owner, module_name(owner));
#else
	return __platform_driver_register(driver, owner);
#endif
}

#endif
