/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of vpanthor.ko share. */
#ifndef VPANTHOR_H
#define VPANTHOR_H

#include <linux/bitmap.h>
#include <linux/stddef.h>
#include <linux/xarray.h>

#include <vgpu/vgpu.h>

#include "panthor_drm.h"

/* The shader cores and tilers that the device pretends to have. */
#define VPANTHOR_SHADERS	0x50005ULL
#define VPANTHOR_TILERS		0x1ULL

#define VPANTHOR_CSG_SLOTS	8
#define VPANTHOR_CS_SLOTS	8

/* Of a file; their ids begin with 1. */
#define VPANTHOR_MAX_VMS	32

/* Bits of a GPU address. */
#define VPANTHOR_VA_BITS	48

/* Ticks per second of the GPU's clocks, which never stop. */
#define VPANTHOR_TIMESTAMP_HZ	24000000
#define VPANTHOR_CYCLES_HZ	1000000000

struct vpanthor_device {
	struct vgpu_device base;
	struct page *flush_page;	/* what DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET shows */
};

#define to_vpanthor(drm_) container_of(to_vgpu_device(drm_), struct vpanthor_device, base)

/* Per open file: handles of VMs and groups, which begin with 1, and of heaps. */
struct vpanthor_file {
	struct vgpu_client *client;	/* whose turns the groups' jobs take */
	struct xarray vms;	/* struct vgpu_vm, one reference each */
	struct xarray groups;	/* struct vgpu_group, one reference each */
	struct xarray heaps;	/* struct vpanthor_heap */
	struct mutex heaps_lock;	/* a VM and its heaps come and go in order */
	/* Bit n: VM n had a heap, and since then has a pool of them, maybe empty. */
	DECLARE_BITMAP(heap_pools, VPANTHOR_MAX_VMS + 1);
	u64 mmio_offset;	/* see DRM_PANTHOR_SET_USER_MMIO_OFFSET */
};

/* The VM of a handle with a reference, or NULL. */
struct vgpu_vm *vpanthor_vm_lookup(struct vpanthor_file *vfile, u32 id);
void vpanthor_file_destroy_vms(struct vpanthor_file *vfile);
void vpanthor_vm_destroy_heaps(struct vpanthor_file *vfile, u32 vm_id);

/* The group of a handle with a reference, or NULL. */
struct vgpu_group *vpanthor_group_lookup(struct vpanthor_file *vfile, u32 handle);
void vpanthor_file_kill_groups(struct vpanthor_file *vfile);
/* As vgpu_check_priority(). */
int vpanthor_check_priority(struct drm_file *file, u8 priority);

/* The GPU's clocks now, in ticks. */
u64 vpanthor_timestamp(void);
u64 vpanthor_cycles(void);

int vpanthor_init_flush_page(struct vgpu_device *vdev);
u64 vpanthor_default_mmio_offset(void);
int vpanthor_mmap(struct file *filp, struct vm_area_struct *vma);

static inline struct vgpu_uarray vpanthor_uarray(const struct drm_panthor_obj_array *array,
						 u32 min_size, u32 size)
{
	return (struct vgpu_uarray){
		.ptr = array->array,
		.stride = array->stride,
		.count = array->count,
		.min_size = min_size,
		.size = size,
	};
}

/* A user's array of objects of @type, each of which has all members up to @last at least. */
#define VPANTHOR_UARRAY(array, type, last) \
	vpanthor_uarray(array, offsetofend(type, last), sizeof(type))

/* Sync ops in the common form, to be freed with kvfree(); NULL if there are none. */
struct vgpu_sync_op *vpanthor_get_syncs(const struct drm_panthor_obj_array *array);

extern const struct vgpu_engine_ops vpanthor_csf_engine;
extern const struct drm_gem_sync_funcs vpanthor_bo_funcs;

struct drm_gem_object *vpanthor_gem_import_sg_table(struct drm_device *drm,
						    struct dma_buf_attachment *attach,
						    struct sg_table *sgt);

int vpanthor_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_vm_get_state(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_bo_sync(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_bo_query_info(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_group_create(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_group_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_group_submit(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_group_get_state(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_tiler_heap_create(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_tiler_heap_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int vpanthor_ioctl_set_user_mmio_offset(struct drm_device *drm, void *data, struct drm_file *file);

#endif
