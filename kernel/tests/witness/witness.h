/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of drm_gem_sync_witness.ko share. The overview is in main.c. */
#ifndef GEM_SYNC_WITNESS_H
#define GEM_SYNC_WITNESS_H

#include <linux/list.h>
#include <linux/types.h>

#include <drm/drm_device.h>

#include <batch.h>
#include <gem_sync/drm_gem_sync.h>

struct file;

/* Bytes of an object: its content differs from offset to offset, and its author shows. */
enum content {
	BY_CPU,		/* written by the CPU */
	BY_DEVICE,	/* written by the device before the sync */
	BY_DEVICE_LATE,	/* written by the device between the two steps of an invalidate */
	CONTENTS
};

/**
 * struct witness - the device, and the case that runs
 * @drm: the DRM device, on a platform device that the DMA API maps for directly
 * @sdev: not coherent
 * @coherent: the same device, believed to be coherent
 * @file: of its render node
 * @objects: of the case
 * @refusals: R21 is in force, as it is without a test
 * @strays: syncs for the CPU in the case that met no object
 * @text: TAP so far
 * @size: of @text
 * @length: of what is in @text
 * @failures: of the case
 */
struct witness {
	struct drm_device drm;
	struct drm_gem_sync_device sdev;
	struct drm_gem_sync_device coherent;
	struct file *file;
	struct list_head objects;
	bool refusals;
	unsigned int strays;
	char *text;
	size_t size;
	size_t length;
	unsigned int failures;
};

/* Three memories of an object: what the CPU has, what the device has, what was passed on. */
struct memory {
	u8 *cpu;
	u8 *device;
	u8 *passed;	/* 1: the CPU's byte was with the device at the step for the CPU */
};

/**
 * struct witness_object - an object whose every byte is looked at
 * @base: the object
 * @node: in &witness.objects
 * @cpu: the CPU's view
 * @device: the device's view, the bounce buffer, by page
 * @passed: see &struct memory; filled by the probe
 * @want: what should be, computed from what the syncs mean
 * @content: by &enum content
 */
struct witness_object {
	struct drm_gem_sync_shmem_object base;
	struct list_head node;
	u8 *cpu;
	u8 **device;
	u8 *passed;
	struct memory want;
	u8 *content[CONTENTS];
};

/* The case goes on, and has failed. */
__printf(2, 3) void witness_fail(struct witness *w, const char *format, ...);

#define EXPECT(w, condition, ...)			\
	do {						\
		if (!(condition))			\
			witness_fail(w, __VA_ARGS__);	\
	} while (0)

/* ---- main.c: the device ---- */

/* Slots of bounce buffers in use, by all devices. */
long witness_slots(struct witness *w);

/* ---- object.c ---- */

/* An object that lives as long as the case. 0 or a negative errno. */
int witness_create(struct witness *w, struct drm_gem_sync_device *sdev, u64 size, bool cached,
		   struct witness_object **out);
/* The same, pinned, with both views, and reset; the case has failed if it is NULL. */
struct witness_object *witness_object(struct witness *w, struct drm_gem_sync_device *sdev,
				      u64 size, bool cached);
void witness_release(struct witness *w);

/* BY_CPU in the CPU's view, BY_DEVICE in the device's, and that is what is wanted. */
void witness_reset(struct witness_object *object);
/* From now on what a sync of the range makes of that is wanted. */
void witness_want(struct witness_object *object, u64 offset, u64 size, enum gs_sync_type type);
/* Fail the case if a byte of one of the three memories is not as wanted. */
void witness_verify(struct witness *w, struct witness_object *object, const char *what);

/* In the middle of an invalidate at @addr: the device writes all of that object. */
void witness_device_writes(struct witness *w, dma_addr_t addr);

/* ---- probes.c ---- */

int witness_probes_register(struct witness *w);
void witness_probes_unregister(void);

/* ---- cases.c ---- */

struct witness_case {
	const char *name;
	void (*run)(struct witness *w);
};

extern const struct witness_case witness_cases[];
extern const unsigned int witness_case_count;

#endif
