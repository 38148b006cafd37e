/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of drm_gem_sync_witness.ko share. The overview is in main.c. */
#ifndef GEM_SYNC_WITNESS_H
#define GEM_SYNC_WITNESS_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/types.h>

#include <drm/drm_device.h>

#include <batch.h>
#include <compat.h>
#include <gem_sync/drm_gem_sync.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct file;
struct sg_table;

/* Of most objects. */
#define SMALL	(4 * PAGE_SIZE)

/* Bytes of an object: its content differs from offset to offset, and its author shows. */
enum content {
	BY_CPU,		/* written by the CPU */
	BY_DEVICE,	/* written by the device before the sync */
	BY_DEVICE_LATE,	/* written by the device between the two steps of an invalidate */
	BY_IMPORTER,	/* written by an importer's device through its first mapping */
	BY_IMPORTER_2,	/* through its second one */
	BY_IMPORTER_3,
	CONTENTS
};

/**
 * struct witness - the device, and the case that runs
 * @drm: the DRM device, on a platform device that the DMA API maps for directly
 * @sdev: not coherent
 * @coherent: the same device, believed to be coherent
 * @hooks: the same device, which exports cached objects
 * @importer: another device, which bounces as well
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
	struct drm_gem_sync_device hooks;
	struct device *importer;
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
 * @base: the object; all but its GEM object is unused if it is one of own.c
 * @node: in &witness.objects
 * @sgt: its memory, as mapped for the device
 * @quiet: the device does not write in the middle of an invalidate
 * @cpu: the CPU's view
 * @device: the device's view, the bounce buffer, by page
 * @passed: see &struct memory; filled by the probe
 * @want: what should be, computed from what the syncs mean
 * @content: by &enum content; importers' from witness_share() on
 */
struct witness_object {
	struct drm_gem_sync_shmem_object base;
	struct list_head node;
	struct sg_table *sgt;
	bool quiet;
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
/* The same with a table of the case's; @funcs is read as long as the object lives. */
int witness_create_funcs(struct witness *w, struct drm_gem_sync_device *sdev, u64 size,
			 bool cached, const struct drm_gem_sync_funcs *funcs,
			 struct witness_object **out);
/* The helper's functions, for a case's table. */
extern const struct drm_gem_sync_funcs witness_object_funcs;
/* The same as witness_create(), pinned, with both views, and reset; NULL: it has failed. */
struct witness_object *witness_object(struct witness *w, struct drm_gem_sync_device *sdev,
				      u64 size, bool cached);
/* The same for an object whose creation returned @ret. */
struct witness_object *witness_ready(struct witness *w, struct witness_object *object, int ret);
/* &witness_object.content of these, once; the first three are made already. 0 or -ENOMEM. */
int witness_make_content(struct witness_object *object, enum content first, enum content last);
/* What the object's free hook frees besides the object. */
void witness_free_views(struct witness_object *object);
void witness_release(struct witness *w);

/*
 * What @dev sees of an object through @sgt, by page, which the caller frees. 0; -EXDEV if
 * it is not bounced; -ENOMEM.
 */
int witness_view(struct device *dev, const struct sg_table *sgt, u8 ***out);
void witness_write_view(u8 *const *view, const u8 *content, size_t size);
/* Fail the case if a byte of a view is not as wanted. */
void witness_verify_view(struct witness *w, u8 *const *view, const u8 *want, size_t size,
			 const char *what, const char *memory);

/* BY_CPU in the CPU's view, BY_DEVICE in the device's, and that is what is wanted. */
void witness_reset(struct witness_object *object);
/* From now on what a sync of the range makes of that is wanted. */
void witness_want(struct witness_object *object, u64 offset, u64 size, enum gs_sync_type type);
/* Fail the case if a byte of one of the three memories is not as wanted. */
void witness_verify(struct witness *w, struct witness_object *object, const char *what);

/* In the middle of an invalidate at @addr: the device writes all of that object. */
void witness_device_writes(struct witness *w, dma_addr_t addr);

/* ---- own.c ---- */

/*
 * An object that has memory of its own and nothing of the helper but a sync hook, ready as
 * witness_object() makes them.
 */
struct witness_object *witness_own_object(struct witness *w, u64 size);
/* Its dma-buf. Without @known the helper is not told of importers' mappings. */
struct dma_buf *witness_own_export(struct witness_object *object, bool known);

/* ---- importer.c ---- */

#define WITNESS_ATTACHMENTS	2
#define WITNESS_MAPPINGS	3

/**
 * struct witness_mapping - what the importer sees of an object through one mapping
 * @attach: the attachment
 * @sgt: the mapping; NULL if there is none
 * @dir: what the device does
 * @view: the bounce buffer, by page
 * @want: what should be in it
 */
struct witness_mapping {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	u8 **view;
	u8 *want;
};

/**
 * struct witness_share - an object that was exported, and its importer
 * @w: the case
 * @object: the object
 * @synced: there is something to sync for the exporter's own device
 * @known: the helper knows the importer's mappings
 * @dma_buf: of the object
 * @attach: of the importer
 * @mappings: of any attachment; the i-th one's device writes BY_IMPORTER + i
 */
struct witness_share {
	struct witness *w;
	struct witness_object *object;
	bool synced;
	bool known;
	struct dma_buf *dma_buf;
	struct dma_buf_attachment *attach[WITNESS_ATTACHMENTS];
	struct witness_mapping mappings[WITNESS_MAPPINGS];
};

int witness_importer_register(struct witness *w);
void witness_importer_unregister(void);

/* Attach to an export of @share->object, which it takes over. The case has failed if false. */
bool witness_share(struct witness_share *share, struct dma_buf *dma_buf);
void witness_unshare(struct witness_share *share);
/* The @i-th mapping, on any attachment. The case has failed if false. */
bool witness_map(struct witness_share *share, unsigned int i, unsigned int attachment,
		 enum dma_data_direction dir);
void witness_unmap(struct witness_share *share, unsigned int i);

/* The importer's device writes all of the object through its @i-th mapping. */
void witness_importer_writes(struct witness_share *share, unsigned int i, const u8 *content);
/* Each view as its owner wrote it, and that is what is wanted. */
void witness_share_reset(struct witness_share *share);
/* From now on what an end of an access that wrote makes of that is wanted. */
void witness_want_end(struct witness_share *share);
/*
 * The same for a begin. Behind the call, as bouncing has it that of several devices that
 * write, one has all of the object in the end, and nobody promises which.
 */
void witness_want_begin(struct witness_share *share);
void witness_share_verify(struct witness_share *share, const char *what);

/* ---- driver.c: what drivers do, and forget ---- */

/* &drm_driver.gem_prime_import_sg_table */
struct drm_gem_object *witness_import_sg_table(struct drm_device *drm,
					       struct dma_buf_attachment *attach,
					       struct sg_table *sgt);

/* ---- probes.c ---- */

/* One call of a sync for a single range, of any device. */
struct witness_call {
	struct device *dev;
	dma_addr_t addr;
	size_t size;
	bool for_cpu;
};

/* From now on calls are written down, @size of them at the most. */
void witness_record(struct witness_call *calls, unsigned int size);
/* Up to now. Returns how many there were. */
unsigned int witness_record_end(void);

int witness_probes_register(struct witness *w);
void witness_probes_unregister(void);

/* ---- The cases ---- */

struct witness_case {
	const char *name;
	void (*run)(struct witness *w);
};

/* Up to one without a name. */
extern const struct witness_case witness_cases[];
extern const struct witness_case witness_hook_cases[];
extern const struct witness_case witness_driver_cases[];

#endif
