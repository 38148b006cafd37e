// SPDX-License-Identifier: GPL-2.0-only
/* A GEM object has the lock of its GPU mappings, and who binds in a job says so. */
#include <drm/drm_gpuvm.h>

struct mutex *probe(struct drm_gem_object *obj, enum drm_gpuvm_flags *flags);
struct mutex *probe(struct drm_gem_object *obj, enum drm_gpuvm_flags *flags)
{
	*flags = DRM_GPUVM_IMMEDIATE_MODE;
	return &obj->gpuva.lock;
}
