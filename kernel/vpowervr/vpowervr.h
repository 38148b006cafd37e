/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of vpowervr.ko share. */
#ifndef VPOWERVR_H
#define VPOWERVR_H

#include <linux/atomic.h>
#include <linux/xarray.h>

#include <vgpu/vgpu.h>

#include "pvr_drm.h"

/* Bits of a GPU address. */
#define VPOWERVR_VA_BITS	40

struct vpowervr_device {
	struct vgpu_device base;
	struct xarray vms;	/* struct vgpu_vm, of all files, by handle; no references */
	bool user_cached;	/* user space may ask for PVR_BO_CPU_CACHED */
};

#define to_vpowervr(drm_) container_of(to_vgpu_device(drm_), struct vpowervr_device, base)

/* Per open file. */
struct vpowervr_file {
	struct xarray vms;	/* struct vgpu_vm by handle, one reference each */
	atomic_t vm_count;
};

void vpowervr_file_destroy_vms(struct vpowervr_device *vdev, struct vpowervr_file *vfile);

/* The heap that holds all of a range of GPU addresses, or NULL. */
const struct drm_pvr_heap *vpowervr_find_heap(u64 addr, u64 size);

struct drm_gem_object *vpowervr_gem_import_sg_table(struct drm_device *drm,
						    struct dma_buf_attachment *attach,
						    struct sg_table *sgt);

/*
 * The kernel's own map of an object, which the user need not be able to map. Whoever
 * uses it calls drm_gem_sync() for what the CPU and the device do next (R6). 0, -EPERM
 * for an imported object, -ENODEV behind an unplug, -ENOMEM, -EINTR or an error of the
 * population.
 */
int vpowervr_bo_kernel_map(struct drm_gem_object *obj, struct iosys_map *map);
void vpowervr_bo_kernel_unmap(struct drm_gem_object *obj, struct iosys_map *map);

void vpowervr_debugfs_init(struct drm_minor *minor);

int vpowervr_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_create_bo(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_get_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_create_vm_context(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_destroy_vm_context(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_vm_map(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_vm_unmap(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_create_context(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_destroy_context(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_create_free_list(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_destroy_free_list(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_create_hwrt_dataset(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_destroy_hwrt_dataset(struct drm_device *drm, void *data, struct drm_file *file);
int vpowervr_ioctl_submit_jobs(struct drm_device *drm, void *data, struct drm_file *file);

#endif
