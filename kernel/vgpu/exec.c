// SPDX-License-Identifier: GPL-2.0-only
/* The reservation locks of all objects of an address space. */
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>

#include "internal.h"

/* Imports of one dma-buf have one lock. */
void vgpu_exec_init(struct drm_exec *exec)
{
	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
}

/*
 * drm_exec_fini() drops each object while those before it are still locked. If that
 * is the last reference of an import, freeing it takes the lock of its dma-buf: so the
 * references outlive the locks.
 */
void vgpu_exec_fini(struct drm_exec *exec)
{
	struct drm_gem_object **objs = exec->objects;
	unsigned int count = exec->num_objects;

	for (unsigned int i = count; i--;)
		dma_resv_unlock(objs[i]->resv);
	exec->objects = NULL;
	exec->num_objects = 0;
	drm_exec_fini(exec);
	for (unsigned int i = count; i--;)
		drm_gem_object_put(objs[i]);
	kvfree(objs);
}
