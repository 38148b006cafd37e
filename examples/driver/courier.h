/* SPDX-License-Identifier: MIT */
/* What the files of the driver share. */
#ifndef COURIER_H
#define COURIER_H

#include <linux/sched.h>

#include <drm/drm_device.h>

#include <drm_gem_sync.h>

#include "courier_drm.h"

struct emulated;
struct ncmem;

struct courier_device {
	struct drm_device drm;
	struct drm_gem_sync_device gem;
	struct ncmem *nc;			/* courier_ncmem.c alone has one */
};

struct courier_bo {
	struct drm_gem_sync_shmem_object base;	/* the first member */
	u32 flags;				/* DRM_COURIER_BO_*, as created */
	char comm[TASK_COMM_LEN];		/* of the process that created it, for reports */
	int pid;
	char label[DRM_COURIER_LABEL_SIZE];	/* under the reservation lock */
	struct emulated *emulated;		/* courier_ncmem.c: its pages */
};

static inline struct courier_device *to_courier(struct drm_device *drm)
{
	return container_of(drm, struct courier_device, drm);
}

static inline struct courier_bo *to_courier_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_sync_shmem(obj), struct courier_bo, base);
}

/* courier_bo.c */
struct drm_gem_object *courier_gem_import_sg_table(struct drm_device *drm,
						   struct dma_buf_attachment *attach,
						   struct sg_table *sgt);
int courier_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int courier_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int courier_ioctl_bo_query(struct drm_device *drm, void *data, struct drm_file *file);
int courier_ioctl_bo_sync(struct drm_device *drm, void *data, struct drm_file *file);
int courier_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file);

/* courier_work.c */
int courier_ioctl_work(struct drm_device *drm, void *data, struct drm_file *file);

/*
 * The device's memory: courier_hw.c, or with NCMEM=1 courier_ncmem.c in its place.
 *
 * courier_memory_init() fills what courier->gem has to know of it, and the masks of the
 * device; courier_memory_fini() undoes that once nothing is mapped for the device.
 */
int courier_memory_init(struct courier_device *courier);
void courier_memory_fini(struct courier_device *courier);
void courier_memory_debugfs(struct courier_device *courier, struct dentry *root);
/* The object has another label; its reservation lock is held. */
void courier_memory_label(struct courier_bo *bo);
/* The device reads, writes; of an object that is pinned, in range. 0 or -errno. */
int courier_memory_read(struct courier_bo *bo, u64 offset, void *to, size_t size);
int courier_memory_write(struct courier_bo *bo, u64 offset, const void *from, size_t size);

#endif
