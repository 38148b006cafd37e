/* SPDX-License-Identifier: MIT */
/*
 * User-space ABI of the example driver, courier 1.0: buffer objects, their caches, and a
 * device that carries bytes from one to the other.
 *
 * Errors that are not repeated for each call: -EFAULT for a user pointer that cannot be
 * read, -ENOENT for a handle that the file does not have, -EINVAL for a flag that is
 * unknown or a pad that is not 0, -ENODEV once the device is gone, -ENOMEM, -EINTR.
 */
#ifndef COURIER_DRM_H
#define COURIER_DRM_H

#if defined(__KERNEL__)
#include <drm/drm.h>
#else
#include <drm.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_COURIER_QUERY		0x00
#define DRM_COURIER_BO_CREATE		0x01
#define DRM_COURIER_BO_MMAP_OFFSET	0x02
#define DRM_COURIER_BO_QUERY		0x03
#define DRM_COURIER_BO_SYNC		0x04
#define DRM_COURIER_WORK		0x05
#define DRM_COURIER_BO_SET_LABEL	0x06

struct drm_courier_query {
	__u32 coherent;		/* out: 1 if the device snoops CPU caches, else 0 */
	__u32 pad;
};

#define DRM_COURIER_BO_CACHED	(1 << 0)	/* CPU maps are write-back, not write-combined */
#define DRM_COURIER_BO_NO_MMAP	(1 << 1)	/* the CPU never maps it: -EPERM */

struct drm_courier_bo_create {
	__u64 size;		/* bytes; out: rounded up to pages */
	__u32 flags;		/* DRM_COURIER_BO_* */
	__u32 handle;		/* out */
};

struct drm_courier_bo_mmap_offset {
	__u32 handle;
	__u32 pad;
	__u64 offset;		/* out: for mmap() of the DRM file */
};

#define DRM_COURIER_BO_IMPORTED	(1 << 0)	/* another driver's memory */

struct drm_courier_bo_query {
	__u32 handle;
	__u32 pad;
	__u32 create_flags;	/* out: DRM_COURIER_BO_*; of an import NO_MMAP */
	__u32 extra_flags;	/* out: DRM_COURIER_BO_IMPORTED */
};

#define DRM_COURIER_SYNC_FLUSH			0
#define DRM_COURIER_SYNC_FLUSH_AND_INVALIDATE	1

struct drm_courier_bo_sync_op {
	__u32 handle;
	__u32 type;		/* DRM_COURIER_SYNC_* */
	__u32 pad;
	__u32 pad2;
	__u64 offset;		/* bytes */
	__u64 size;
};

/* The array's layout and errors are those of the contract (R7, R8). */
struct drm_courier_bo_sync {
	__u64 ops;		/* address of the first */
	__u32 count;
	__u32 stride;		/* bytes from one to the next */
};

#define DRM_COURIER_LABEL_SIZE	64	/* bytes with the 0 at the end; longer is -E2BIG */

struct drm_courier_bo_set_label {
	__u32 handle;
	__u32 pad;
	__u64 label;		/* address of a string, for reports; 0 is none */
};

#define DRM_COURIER_WORK_COPY	0	/* src to dst */
#define DRM_COURIER_WORK_FILL	1	/* value to each 32-bit word of dst */

/*
 * The device works, and the call waits for its end. Offsets and size are multiples of 4.
 * -ERANGE if a range leaves its object.
 */
struct drm_courier_work {
	__u32 type;		/* DRM_COURIER_WORK_* */
	__u32 value;
	__u32 dst;		/* handles */
	__u32 src;
	__u64 dst_offset;	/* bytes */
	__u64 src_offset;
	__u64 size;
};

#define DRM_IOCTL_COURIER_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_COURIER_QUERY, struct drm_courier_query)
#define DRM_IOCTL_COURIER_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_COURIER_BO_CREATE, struct drm_courier_bo_create)
#define DRM_IOCTL_COURIER_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_COURIER_BO_MMAP_OFFSET, \
		 struct drm_courier_bo_mmap_offset)
#define DRM_IOCTL_COURIER_BO_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_COURIER_BO_QUERY, struct drm_courier_bo_query)
#define DRM_IOCTL_COURIER_BO_SYNC \
	DRM_IOW(DRM_COMMAND_BASE + DRM_COURIER_BO_SYNC, struct drm_courier_bo_sync)
#define DRM_IOCTL_COURIER_WORK \
	DRM_IOW(DRM_COMMAND_BASE + DRM_COURIER_WORK, struct drm_courier_work)
#define DRM_IOCTL_COURIER_BO_SET_LABEL \
	DRM_IOW(DRM_COMMAND_BASE + DRM_COURIER_BO_SET_LABEL, struct drm_courier_bo_set_label)

#if defined(__cplusplus)
}
#endif

#endif
