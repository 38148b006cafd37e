// SPDX-License-Identifier: GPL-2.0-only
/* LRUs of a device share its lock, and shrinking may lock more objects. */
#include <drm/drm_gem.h>

unsigned long probe(struct drm_device *drm, struct drm_gem_lru *lru,
		    bool (*shrink)(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket));
unsigned long probe(struct drm_device *drm, struct drm_gem_lru *lru,
		    bool (*shrink)(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket))
{
	unsigned long remaining;

	drm_gem_lru_init(lru);
	return drm_gem_lru_scan(drm, lru, 1, &remaining, shrink, NULL);
}
