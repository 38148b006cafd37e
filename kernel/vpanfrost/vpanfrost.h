/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of vpanfrost.ko share. */
#ifndef VPANFROST_H
#define VPANFROST_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include <vgpu/vgpu.h>

#include "panfrost_drm.h"

/* Where in the GPU's address space objects are. */
#define VPANFROST_VA_START	0x2000000ULL
#define VPANFROST_VA_END	(0x100000000ULL - VPANFROST_VA_START)

/* Ticks per second of the GPU's clock. */
#define VPANFROST_CYCLES_HZ	800000000

/* Queues of a context: the job slots. */
#define VPANFROST_SLOTS		2
#define VPANFROST_SLOT_FRAGMENT	0
#define VPANFROST_SLOT_OTHER	1

struct vpanfrost_device {
	struct vgpu_device base;
	bool virtual_jobs;	/* see core/jm.h */
};

#define to_vpanfrost(drm_) container_of(to_vgpu_device(drm_), struct vpanfrost_device, base)

/* Per open file. */
struct vpanfrost_file {
	struct vgpu_client *client;	/* whose turns the contexts' jobs take */
	struct vgpu_vm *vm;		/* where all of the file's objects are mapped */
	struct mutex lock;		/* protects @objects */
	struct xarray objects;		/* struct vpanfrost_object, by the object's address */
	struct xarray ctxs;		/* struct vgpu_group, one reference each, by handle */
};

/* An object that the file has handles of. */
struct vpanfrost_object {
	struct vgpu_mapping *mapping;	/* a reference */
	unsigned int handles;
};

/* The mapping of an object with a reference, or NULL. */
struct vgpu_mapping *vpanfrost_mapping_get(struct vpanfrost_file *vfile,
					   struct drm_gem_object *obj);
int vpanfrost_object_open(struct drm_gem_object *obj, struct drm_file *file);
void vpanfrost_object_close(struct drm_gem_object *obj, struct drm_file *file);

int vpanfrost_open(struct drm_device *drm, struct drm_file *file);
void vpanfrost_postclose(struct drm_device *drm, struct drm_file *file);

/* The context of a handle with a reference, or NULL. */
struct vgpu_group *vpanfrost_ctx_lookup(struct vpanfrost_file *vfile, u32 handle);
/* The context that every file has, 0. 0 or -ENOMEM. */
int vpanfrost_ctx_create_default(struct vpanfrost_file *vfile);
void vpanfrost_file_kill_ctxs(struct vpanfrost_file *vfile);
void vpanfrost_file_put_ctxs(struct vpanfrost_file *vfile);
/* As vgpu_check_priority(). */
int vpanfrost_check_priority(struct drm_file *file, u32 priority);

/* The GPU's clocks now, in ticks, which never stop. */
u64 vpanfrost_timestamp(void);
u64 vpanfrost_cycles(void);

extern const struct vgpu_engine_ops vpanfrost_jm_engine;

struct drm_gem_object *vpanfrost_gem_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt);

int vpanfrost_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_wait_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_create_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_mmap_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_get_param(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_get_bo_offset(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_perfcnt(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_madvise(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_set_label_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_jm_ctx_create(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_jm_ctx_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_sync_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpanfrost_ioctl_query_bo_info(struct drm_device *drm, void *data, struct drm_file *file);

#endif
