// SPDX-License-Identifier: GPL-2.0-only
/*
 * drm_gpuvm_bo_obtain_prealloc() takes the lock of the mappings itself: it does since the
 * variant for callers who hold the lock is called so.
 */
#include <drm/drm_gpuvm.h>

struct drm_gpuvm_bo *probe(struct drm_gpuvm *gpuvm, struct drm_gem_object *obj);
struct drm_gpuvm_bo *probe(struct drm_gpuvm *gpuvm, struct drm_gem_object *obj)
{
	return drm_gpuvm_bo_obtain_locked(gpuvm, obj);
}
