/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drm_gem_sync: explicit CPU-cache synchronization of GEM objects. The overview
 * and an example are in main.c (DOC: overview).
 */
#ifndef DRM_GEM_SYNC_H
#define DRM_GEM_SYNC_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

struct dentry;
struct dma_buf;
struct dma_buf_attachment;
struct dma_resv;
struct drm_device;
struct drm_printer;
struct file;
struct gs_sync_op;
struct iosys_map;
struct page;
struct sg_table;
struct vm_area_struct;
struct vm_fault;
struct vm_operations_struct;

/**
 * enum drm_gem_object_access_flags - who accesses an object next, and how (R6)
 *
 * One accessor, or-ed with one or both types of access.
 */
enum drm_gem_object_access_flags {
	/** @DRM_GEM_OBJECT_CPU_ACCESS: the CPU: lines are flushed and invalidated */
	DRM_GEM_OBJECT_CPU_ACCESS = 0,

	/** @DRM_GEM_OBJECT_DEV_ACCESS: the device: lines are flushed */
	DRM_GEM_OBJECT_DEV_ACCESS = BIT(0),

	/** @DRM_GEM_OBJECT_ACCESSOR_MASK: the bits that name the accessor */
	DRM_GEM_OBJECT_ACCESSOR_MASK = BIT(0),

	/** @DRM_GEM_OBJECT_READ_ACCESS: it reads */
	DRM_GEM_OBJECT_READ_ACCESS = BIT(1),

	/** @DRM_GEM_OBJECT_WRITE_ACCESS: it writes */
	DRM_GEM_OBJECT_WRITE_ACCESS = BIT(2),

	/** @DRM_GEM_OBJECT_RW_ACCESS: it reads and writes */
	DRM_GEM_OBJECT_RW_ACCESS = DRM_GEM_OBJECT_READ_ACCESS | DRM_GEM_OBJECT_WRITE_ACCESS,

	/** @DRM_GEM_OBJECT_ACCESS_TYPE_MASK: the bits that name the type of access */
	DRM_GEM_OBJECT_ACCESS_TYPE_MASK = DRM_GEM_OBJECT_RW_ACCESS,
};

/**
 * struct drm_gem_sync_funcs - GEM object functions with a sync hook
 *
 * In the DRM core the hooks would be members of &struct drm_gem_object_funcs. Out of
 * tree, an object gets such a table from drm_gem_sync_shmem_init(),
 * drm_gem_sync_shmem_init_import() or drm_gem_sync_set_funcs(), which refuse one that the
 * helper would not recognize: it goes by &drm_gem_object_funcs.print_info, which has to be
 * drm_gem_sync_print_info().
 */
struct drm_gem_sync_funcs {
	/** @base: the object functions; .print_info must be drm_gem_sync_print_info() */
	struct drm_gem_object_funcs base;

	/**
	 * @shmem: objects with this table are &struct drm_gem_sync_shmem_object, whichever
	 * of their functions are the driver's
	 */
	bool shmem;

	/**
	 * @hold: optional; keep what @sync needs, for any number of calls of it
	 *
	 * Called without locks, once for a drm_gem_sync() and once for consecutive ops
	 * of a batch on one object. Returns 1 if @sync is to be called, and then
	 * @release; 0 if there is nothing to maintain; a negative errno.
	 */
	int (*hold)(struct drm_gem_object *obj);

	/** @release: undo a @hold that returned 1; there if @hold is */
	void (*release)(struct drm_gem_object *obj);

	/**
	 * @sync: optional; do the maintenance for a range
	 *
	 * Called either without locks, behind @hold if that is there, or, by
	 * drm_gem_dmabuf_begin_cpu_access() and drm_gem_dmabuf_end_cpu_access(), under
	 * the reservation lock: so it does not take that. The arguments were checked: a
	 * valid access, a range inside a native (not imported) object, not empty. For
	 * an object that is @shmem it is called only if there may be lines to maintain.
	 *
	 * NULL means that no access to the object ever needs maintenance by the helper:
	 * drm_gem_sync() succeeds, and does nothing. Importers' mappings are synced in
	 * any case, as those of an object that is in the CPU's caches.
	 *
	 * Returns 0 or a negative errno. Signals that do not kill should not end it:
	 * it would be done again from its beginning, and might never come to its end.
	 */
	int (*sync)(struct drm_gem_object *obj, size_t offset, size_t size,
		    enum drm_gem_object_access_flags access);

	/**
	 * @print_info: optional; what &drm_gem_object_funcs.print_info would be
	 */
	void (*print_info)(struct drm_printer *p, unsigned int indent,
			   const struct drm_gem_object *obj);
};

int drm_gem_sync_set_funcs(struct drm_gem_object *obj, const struct drm_gem_sync_funcs *funcs);
int drm_gem_sync(struct drm_gem_object *obj, size_t offset, size_t size,
		 enum drm_gem_object_access_flags access);
void drm_gem_sync_print_info(struct drm_printer *p, unsigned int indent,
			     const struct drm_gem_object *obj);

int drm_gem_dmabuf_begin_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir);
int drm_gem_dmabuf_end_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir);

int drm_gem_sync_dmabuf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach);
void drm_gem_sync_dmabuf_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach);
struct sg_table *drm_gem_sync_dmabuf_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir);
void drm_gem_sync_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir);

/**
 * struct drm_gem_sync_array - the op array of a driver's sync ioctl
 */
struct drm_gem_sync_array {
	/** @ptr: user address of the first op */
	u64 ptr;
	/** @stride: bytes from one op to the next, as user space gave it */
	u32 stride;
	/** @count: number of ops, as user space gave it */
	u32 count;
	/** @op_size: bytes of an op that the driver knows */
	u32 op_size;
	/** @decode: turn @op_size bytes of the driver's op into the common form */
	void (*decode)(const void *raw, struct gs_sync_op *op);
};

int drm_gem_sync_ioctl(struct drm_file *file, const struct drm_gem_sync_array *array);

struct drm_gem_sync_shmem_object;

/**
 * enum drm_gem_sync_show - how a map of user space may show a page
 */
enum drm_gem_sync_show {
	/** @DRM_GEM_SYNC_HIDE: not at all: the next touch has to be a fault */
	DRM_GEM_SYNC_HIDE,
	/** @DRM_GEM_SYNC_SHOW_READ_ONLY: the next store has to be a fault */
	DRM_GEM_SYNC_SHOW_READ_ONLY,
	/** @DRM_GEM_SYNC_SHOW: as the map is */
	DRM_GEM_SYNC_SHOW,
};

/**
 * struct drm_gem_sync_device_ops - what takes part in the life of an object's pages
 *
 * All but @evicting are for an emulation of memory, and NULL on hardware.
 */
struct drm_gem_sync_device_ops {
	/**
	 * @populated: optional; the pages of an object were allocated or paged in
	 *
	 * Called under the object's reservation lock before the pages are mapped
	 * for the device and before any view of them exists. Returns 0 or a
	 * negative errno, which fails the population.
	 */
	int (*populated)(struct drm_gem_sync_shmem_object *shmem);

	/**
	 * @releasing: optional; the pages are about to be put
	 *
	 * No view is left and the device's mapping is gone. Called in reclaim, or when
	 * the object is freed; without the reservation lock in the latter case. It must
	 * not allocate memory.
	 */
	void (*releasing)(struct drm_gem_sync_shmem_object *shmem);

	/**
	 * @cpu_page: optional; the page that a cached CPU view shows at @index
	 *
	 * Called under the object's reservation lock with the object populated.
	 * Returns a page that lives until @releasing, or an ERR_PTR().
	 */
	struct page *(*cpu_page)(struct drm_gem_sync_shmem_object *shmem, pgoff_t index);

	/**
	 * @touched: optional; how a cached map of user space may show a page
	 *
	 * @vmf is the fault for it, or NULL if another page was touched and this one would
	 * be there as well. With a fault it has to be so that the touch can go on. Called
	 * under the object's reservation lock, after @cpu_page, and again for a store to a
	 * page that was shown to loads alone.
	 */
	enum drm_gem_sync_show (*touched)(struct drm_gem_sync_shmem_object *shmem, pgoff_t index,
					  const struct vm_fault *vmf);

	/**
	 * @evicting: optional; the pages are about to go: keep the device away from them
	 *
	 * For drivers whose address spaces map objects that are not pinned. From here
	 * on the device must not access the object until the driver has called
	 * drm_gem_sync_shmem_populate() for it.
	 *
	 * Called in reclaim, under the object's reservation lock, with all its fences
	 * signalled. It must not allocate memory, wait for fences, or take a lock that
	 * is held across an allocation. Returns 0; -EBUSY if the device may be at the
	 * object, which then stays as it is.
	 */
	int (*evicting)(struct drm_gem_sync_shmem_object *shmem);
};

/**
 * enum drm_gem_sync_policy - what leaves the DRM file of its creator, on a non-coherent device
 */
enum drm_gem_sync_policy {
	/** @DRM_GEM_SYNC_STRICT: what the CPU maps write-combined (R13) */
	DRM_GEM_SYNC_STRICT,
	/** @DRM_GEM_SYNC_HOOKS: also what it maps cached: its dma-buf syncs (R14) */
	DRM_GEM_SYNC_HOOKS,
};

/**
 * struct drm_gem_sync_device - what the helper knows of a device
 *
 * Filled by the driver and constant while objects of the device exist.
 */
struct drm_gem_sync_device {
	/** @drm: the DRM device; its &drm_device.dev does the DMA */
	struct drm_device *drm;
	/** @ops: optional; see &struct drm_gem_sync_device_ops */
	const struct drm_gem_sync_device_ops *ops;
	/** @coherent: the device snoops CPU caches: every map is cached (R12) */
	bool coherent;
	/** @policy: which objects may be shared; private ones never are */
	enum drm_gem_sync_policy policy;
	/**
	 * @cached_needs_private: a non-coherent device with DRM_GEM_SYNC_STRICT refuses
	 * to create objects that are cached and not private (R13). Drivers whose objects
	 * are never private refuse to export cached ones instead.
	 */
	bool cached_needs_private;
	/**
	 * @map_imports: CPU maps of imported objects are made by their exporters;
	 * otherwise they are refused (R15)
	 */
	bool map_imports;

	/* The helper's, made by drm_gem_sync_device_init(): */

	/** @lock: protects @objects and writes of @unplugged */
	struct mutex lock;
	/** @objects: all objects of the device */
	struct list_head objects;
	/** @unplugged: nothing is populated any more */
	bool unplugged;
	/** @in_use: objects that no unplug has taken off the device */
	atomic_t in_use;

	/** @lru_lock: protects the three lists; nothing is allocated under it */
	struct mutex lru_lock;
	/** @evictable: objects whose pages may go, which keeps their content */
	struct drm_gem_lru evictable;
	/** @purgeable: objects whose pages may go with their content */
	struct drm_gem_lru purgeable;
	/** @unmovable: objects that have no pages, or pages that must stay */
	struct drm_gem_lru unmovable;
	/** @evicted: pages evicted so far */
	atomic_long_t evicted;
	/** @purged: pages purged so far */
	atomic_long_t purged;
};

int drm_gem_sync_device_init(struct drm_gem_sync_device *sdev);
unsigned long drm_gem_sync_device_evict(struct drm_gem_sync_device *sdev, unsigned int pages);
unsigned long drm_gem_sync_device_purge(struct drm_gem_sync_device *sdev, unsigned int pages);
void drm_gem_sync_debugfs_init(struct drm_gem_sync_device *sdev, struct dentry *root);
void drm_gem_sync_device_unplug(struct drm_gem_sync_device *sdev);
void drm_gem_sync_device_for_each(struct drm_gem_sync_device *sdev,
				  void (*fn)(struct drm_gem_sync_shmem_object *shmem, void *data),
				  void *data);

/**
 * struct drm_gem_sync_shmem_args - decided when an object is created (R12)
 */
struct drm_gem_sync_shmem_args {
	/** @cached: CPU maps are write-back; otherwise write-combined */
	bool cached;
	/** @private: the object never leaves its creator's DRM file (R13) */
	bool private;
	/** @no_mmap: 0, or the negative errno with which CPU maps are refused (R16) */
	int no_mmap;
	/** @resv: optional; a reservation object to share, which must outlive the object */
	struct dma_resv *resv;
};

/**
 * struct drm_gem_sync_run - one physically contiguous piece of an object
 *
 * A table of these maps object offsets to DMA addresses. A run ends where the
 * next one begins; a last entry holds the object's size. No run crosses a
 * physical or a DMA discontinuity (R22).
 */
struct drm_gem_sync_run {
	/** @offset: bytes into the object */
	u64 offset;
	/** @dma: DMA address of the run's first byte */
	dma_addr_t dma;
};

/**
 * struct drm_gem_sync_shmem_object - a shmem-backed GEM object with cache rules
 *
 * Drivers embed it as the first member of their object. All members but @base
 * are the helper's, who has functions for what drivers want to know.
 */
struct drm_gem_sync_shmem_object {
	/** @base: the GEM object */
	struct drm_gem_object base;
	/** @sdev: the device */
	struct drm_gem_sync_device *sdev;
	/** @args: as created */
	struct drm_gem_sync_shmem_args args;
	/**
	 * @owner: &drm_file.client_id of the creator, the only file that may open
	 * or map a private or incoherent object (R13); 0 before the first handle
	 */
	u64 owner;
	/** @imported: another exporter backs the object; it has @sgt but no @pages */
	bool imported;
	/**
	 * @dma_buf: of an imported object; the reference is its own from the unplug on,
	 * which detaches from it, and that of &drm_gem_object.import_attach before
	 */
	struct dma_buf *dma_buf;
	/** @node: in &drm_gem_sync_device.objects, under its lock */
	struct list_head node;

	/* Its state (DOC: life of an object), under the reservation lock: */

	/** @pages: the backing pages; NULL while the object is not populated */
	struct page **pages;
	/** @sgt: @pages as mapped for the device; NULL behind an unplug */
	struct sg_table *sgt;
	/** @runs: @nr_runs entries and the end marker */
	struct drm_gem_sync_run *runs;
	/** @nr_runs: number of runs */
	unsigned int nr_runs;
	/** @pins: users that need the pages to stay: importers, kernel maps, drivers */
	unsigned int pins;
	/** @vmaps: users of @vaddr */
	unsigned int vmaps;
	/** @vaddr: the kernel map, NULL without one */
	void *vaddr;
	/** @unneeded: the user said that the content may go */
	bool unneeded;
	/** @purged: it went: the object has no pages any more */
	bool purged;
	/** @unplugged: the device is gone: no page is mapped or populated again */
	bool unplugged;

	/* And what others than the lock's holder may change: */

	/** @exported: there is a dma-buf of the object */
	bool exported;
	/** @holds: syncs that walk the runs without the lock (R10) */
	atomic_t holds;
	/** @late_unpins: pins that @unpin_work will drop */
	atomic_t late_unpins;
	/** @unpin_work: for tasks that were killed before they got the lock */
	struct work_struct unpin_work;
};

#define to_drm_gem_sync_shmem(obj) container_of(obj, struct drm_gem_sync_shmem_object, base)

/**
 * DRM_GEM_SYNC_SHMEM_FUNCS - initializer of &struct drm_gem_sync_funcs
 * @free_: the driver's &drm_gem_object_funcs.free, calling drm_gem_sync_shmem_fini()
 * @export_: the driver's &drm_gem_object_funcs.export, or drm_gem_sync_shmem_export
 */
#define DRM_GEM_SYNC_SHMEM_FUNCS(free_, export_)			\
	{								\
		.base = {						\
			.free = (free_),				\
			.open = drm_gem_sync_shmem_open,		\
			.print_info = drm_gem_sync_print_info,		\
			.export = (export_),				\
			.pin = drm_gem_sync_shmem_gem_pin,		\
			.unpin = drm_gem_sync_shmem_gem_unpin,		\
			.get_sg_table = drm_gem_sync_shmem_get_sg_table,	\
			.status = drm_gem_sync_shmem_status,		\
			.vmap = drm_gem_sync_shmem_vmap,		\
			.vunmap = drm_gem_sync_shmem_vunmap,		\
			.mmap = drm_gem_sync_shmem_mmap,		\
			.vm_ops = &drm_gem_sync_shmem_vm_ops,		\
		},							\
		.shmem = true,						\
		.hold = drm_gem_sync_shmem_hold,			\
		.release = drm_gem_sync_shmem_release,			\
		.sync = drm_gem_sync_shmem_sync,			\
		.print_info = drm_gem_sync_shmem_print_info,		\
	}

extern const struct vm_operations_struct drm_gem_sync_shmem_vm_ops;

int drm_gem_sync_shmem_init(struct drm_gem_sync_device *sdev,
			    struct drm_gem_sync_shmem_object *shmem,
			    const struct drm_gem_sync_funcs *funcs, u64 size,
			    const struct drm_gem_sync_shmem_args *args);
void drm_gem_sync_shmem_fini(struct drm_gem_sync_shmem_object *shmem);

int drm_gem_sync_shmem_pin(struct drm_gem_sync_shmem_object *shmem);
void drm_gem_sync_shmem_unpin(struct drm_gem_sync_shmem_object *shmem);
int drm_gem_sync_shmem_populate(struct drm_gem_sync_shmem_object *shmem);
int drm_gem_sync_shmem_madvise(struct drm_gem_sync_shmem_object *shmem, bool needed);
dma_addr_t drm_gem_sync_shmem_dma_addr(const struct drm_gem_sync_shmem_object *shmem,
				       u64 offset, u64 *length);

int drm_gem_sync_shmem_init_import(struct drm_gem_sync_device *sdev,
				   struct drm_gem_sync_shmem_object *shmem,
				   const struct drm_gem_sync_funcs *funcs,
				   struct dma_buf_attachment *attach, struct sg_table *sgt);
struct dma_buf *drm_gem_sync_shmem_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *drm_gem_sync_prime_import(struct drm_device *drm, struct dma_buf *dma_buf);

int drm_gem_sync_shmem_gem_pin(struct drm_gem_object *obj);
void drm_gem_sync_shmem_gem_unpin(struct drm_gem_object *obj);
struct sg_table *drm_gem_sync_shmem_get_sg_table(struct drm_gem_object *obj);
int drm_gem_sync_shmem_vmap(struct drm_gem_object *obj, struct iosys_map *map);
void drm_gem_sync_shmem_vunmap(struct drm_gem_object *obj, struct iosys_map *map);

int drm_gem_sync_shmem_open(struct drm_gem_object *obj, struct drm_file *file);
int drm_gem_sync_shmem_map_error(const struct drm_gem_sync_shmem_object *shmem);
struct drm_gem_sync_shmem_object *
drm_gem_sync_shmem_of_map(const struct vm_area_struct *vma, unsigned long address, pgoff_t *index);
unsigned long drm_gem_sync_get_unmapped_area(struct file *filp, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags);
int drm_gem_sync_shmem_prepare_map(struct drm_gem_sync_shmem_object *shmem);
void drm_gem_sync_shmem_revoke(struct drm_gem_sync_shmem_object *shmem, pgoff_t first,
			       pgoff_t count);
int drm_gem_sync_shmem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma);
int drm_gem_sync_shmem_hold(struct drm_gem_object *obj);
void drm_gem_sync_shmem_release(struct drm_gem_object *obj);
int drm_gem_sync_shmem_sync(struct drm_gem_object *obj, size_t offset, size_t size,
			    enum drm_gem_object_access_flags access);
enum drm_gem_object_status drm_gem_sync_shmem_status(struct drm_gem_object *obj);
void drm_gem_sync_shmem_print_info(struct drm_printer *p, unsigned int indent,
				   const struct drm_gem_object *obj);

/**
 * struct drm_gem_sync_shmem_info - what an object is, as it was or will be shortly
 */
struct drm_gem_sync_shmem_info {
	/** @resident: bytes of backing pages */
	size_t resident;
	/** @pins: users that need the pages to stay */
	unsigned int pins;
	/** @private: as created */
	bool private;
	/** @imported: another exporter backs the object */
	bool imported;
	/** @purged: the content went, since the user did not need it */
	bool purged;
};

void drm_gem_sync_shmem_get_info(const struct drm_gem_sync_shmem_object *shmem,
				 struct drm_gem_sync_shmem_info *info);

/**
 * drm_gem_sync_shmem_pages - the backing pages of an object
 * @shmem: the object, in &drm_gem_sync_device_ops.populated
 *
 * Return: a page pointer for each page of the object's size.
 */
static inline struct page **
drm_gem_sync_shmem_pages(const struct drm_gem_sync_shmem_object *shmem)
{
	return shmem->pages;
}

/**
 * drm_gem_sync_shmem_is_purged - whether the content of an object went for ever
 * @shmem: the object, whose reservation lock is held
 *
 * Return: true if it did: then the object is never populated again.
 */
static inline bool drm_gem_sync_shmem_is_purged(const struct drm_gem_sync_shmem_object *shmem)
{
	return shmem->purged;
}

/**
 * drm_gem_sync_shmem_is_creator - whether a file is the one that an object was made on
 * @shmem: the object, of which @file was just given a handle
 * @file: the DRM file
 *
 * Return: true if it is.
 */
static inline bool drm_gem_sync_shmem_is_creator(const struct drm_gem_sync_shmem_object *shmem,
						 const struct drm_file *file)
{
	return READ_ONCE(shmem->owner) == file->client_id;
}

/**
 * drm_gem_sync_shmem_is_wc - whether CPU maps of an object are write-combined
 * @shmem: the object
 *
 * Return: true if they are.
 */
static inline bool drm_gem_sync_shmem_is_wc(const struct drm_gem_sync_shmem_object *shmem)
{
	return !shmem->args.cached && !shmem->sdev->coherent;
}

#endif
