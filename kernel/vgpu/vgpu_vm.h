/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffer objects and address spaces; a part of vgpu.h, which drivers include. */
#ifndef VGPU_VM_H
#define VGPU_VM_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_mm.h>
#include <drm/gpu_scheduler.h>

#include <gem_sync/drm_gem_sync.h>
#include <ncmem/ncmem.h>

struct dma_buf;
struct vgpu_device;
struct vgpu_heap;
struct vgpu_heap_map;
struct vgpu_vm;

/* Bytes by which objects grow. */
#define VGPU_HEAP_CHUNK		SZ_2M

/**
 * struct vgpu_bo - a buffer object of a virtual GPU
 */
struct vgpu_bo {
	/** @base: the shmem-backed object */
	struct drm_gem_sync_shmem_object base;
	/** @nc_pages: its pages as the emulated memory knows them; NULL while not populated */
	struct ncmem_pages *nc_pages;
	/** @owner: whose it is, for reports of the emulated memory */
	struct ncmem_owner owner;
	/** @vm_resv_obj: the reservation object of the only VM that may map it; or NULL */
	struct drm_gem_object *vm_resv_obj;
	/** @heap: what it has grown so far (DOC: growing objects); NULL for most objects */
	struct vgpu_heap *heap;
	/** @create_flags: the flags of creation, in the driver's encoding (R23) */
	u32 create_flags;
	/** @files: that have handles of it, if the driver counts them */
	atomic_t files;
	/** @gpuva_lock: behind vgpu_gpuva_lock(), where DRM has no such lock */
	struct mutex gpuva_lock;
};

#define to_vgpu_bo(obj) container_of(to_drm_gem_sync_shmem(obj), struct vgpu_bo, base)

/* It protects the object's list of mappings; nothing is allocated under it. */
static inline struct mutex *vgpu_gpuva_lock(struct vgpu_bo *bo)
{
	return compat_gpuva_lock(&bo->base.base, &bo->gpuva_lock);
}

/**
 * struct vgpu_bo_args - decided when an object is created (R12)
 */
struct vgpu_bo_args {
	/** @size: bytes, rounded up to whole pages */
	u64 size;
	/** @create_flags: kept for queries */
	u32 create_flags;
	/** @cached: CPU maps are write-back */
	bool cached;
	/** @no_mmap: 0, or the negative errno with which CPU maps are refused (R16) */
	int no_mmap;
	/** @vm: optional; the only VM that may map the object, which makes it private */
	struct vgpu_vm *vm;
	/** @chunk_funcs: optional; the object grows, and this is the table of its chunks */
	const struct drm_gem_sync_funcs *chunk_funcs;
};

struct vgpu_bo *vgpu_bo_create(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       const struct vgpu_bo_args *args);
struct drm_gem_object *vgpu_prime_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct vgpu_bo *vgpu_bo_import(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       struct dma_buf_attachment *attach, struct sg_table *sgt);
int vgpu_bo_handle_create(struct drm_file *file, struct vgpu_bo *bo, u32 *handle);
void vgpu_bo_free(struct drm_gem_object *obj);
void vgpu_bo_set_label(struct vgpu_bo *bo, const char *label);
int vgpu_bo_set_user_label(struct drm_file *file, u32 handle, u64 user_label);
int vgpu_bo_mmap_offset(struct drm_file *file, u32 handle, u64 *offset);
int vgpu_bo_sync(struct drm_file *file, const struct drm_gem_sync_array *array);
u64 vgpu_bo_grown(const struct vgpu_bo *bo);

/*
 * Define a &drm_gem_sync_array.decode, for a driver's ops of @type_: all have the same
 * members, of whatever width.
 */
#define VGPU_DEFINE_SYNC_DECODE(name_, type_)					\
	static void name_(const void *raw, struct gs_sync_op *op)		\
	{									\
		const type_ *sync = raw;					\
										\
		op->handle = sync->handle;					\
		op->type = sync->type;						\
		op->offset = sync->offset;					\
		op->size = sync->size;						\
	}

/*
 * Permissions of a mapping. What may be executed is a matter of shader cores, and what
 * is cached one of the GPU's caches: a virtual GPU has neither.
 */
#define VGPU_VA_READONLY	BIT(0)

/**
 * struct vgpu_timeline - the fences of jobs that end in order
 */
struct vgpu_timeline {
	/** @context: of the fences */
	u64 context;
	/** @seqno: last one used; under the VM's reservation lock */
	u64 seqno;
};

/**
 * struct vgpu_vm - a GPU address space
 *
 * Locks, outermost first: that under which chunks of growing objects are made;
 * @objs_lock; a reservation lock; @kernel_lock, that of a growing object; @mmu_lock;
 * vgpu_gpuva_lock(). Those from @kernel_lock on are taken in the path that signals
 * fences, and the last two, within a reservation lock, in reclaim: nothing is allocated
 * under them.
 */
struct vgpu_vm {
	/** @base: the address space manager; its reference count is the VM's */
	struct drm_gpuvm base;
	/** @vdev: the device */
	struct vgpu_device *vdev;
	/** @mmu_lock: read: one device access; write: a change of the mappings */
	struct rw_semaphore mmu_lock;
	/** @objs_lock: the set of mapped objects shrinks only under it */
	struct mutex objs_lock;
	/** @destroyed: nothing can be mapped any more; under @mmu_lock */
	bool destroyed;
	/** @unusable: an asynchronous bind failed; under @mmu_lock */
	bool unusable;

	/** @user_range: bytes from address 0 on that the user binds; the rest is the driver's */
	u64 user_range;
	/** @kernel_lock: protects @kernel_space, @heap_maps and &vgpu_mapping.heap_map */
	struct mutex kernel_lock;
	/** @heap_maps: where objects that grow are mapped */
	struct list_head heap_maps;
	/** @kernel_space: what of the driver's part is in use, each by a &struct vgpu_mapping */
	struct drm_mm kernel_space;

	/** @late_lock: protects @late */
	spinlock_t late_lock;
	/** @late: mappings that are gone, whose objects tasks that were killed did not let go */
	struct list_head late;
	/** @late_work: does so in their place */
	struct work_struct late_work;

	/** @bind_sched: keeps asynchronous binds until their dependencies are met */
	struct drm_gpu_scheduler bind_sched;
	/** @bind_entity: the one entity of @bind_sched */
	struct drm_sched_entity bind_entity;
	/** @bind_timeline: of asynchronous binds */
	struct vgpu_timeline bind_timeline;
};

#define to_vgpu_vm(gpuvm) container_of(gpuvm, struct vgpu_vm, base)

/**
 * struct vgpu_bind_args - a change of an address space
 */
struct vgpu_bind_args {
	/** @bo: what to map, in the place of what was mapped there; NULL to unmap, or if @sparse */
	struct vgpu_bo *bo;
	/** @sparse: map nothing: what the device reads there is 0, what it writes is lost */
	bool sparse;
	/** @offset: bytes into @bo */
	u64 offset;
	/** @va: GPU address */
	u64 va;
	/** @size: bytes; 0 without a @bo changes nothing, for the sake of its sync ops */
	u64 size;
	/** @flags: VGPU_VA_* */
	u32 flags;
	/** @exact: to unmap: the range is one whole mapping, or nothing happens */
	bool exact;
};

struct vgpu_vm *vgpu_vm_create(struct vgpu_device *vdev, u64 user_range, u64 va_range);
void vgpu_vm_destroy(struct vgpu_vm *vm);
int vgpu_vm_bind(struct vgpu_vm *vm, const struct vgpu_bind_args *args);
bool vgpu_vm_is_unusable(struct vgpu_vm *vm);
struct vgpu_vm *vgpu_vm_lookup(struct xarray *vms, unsigned long handle);
struct vgpu_bo *vgpu_vm_find(struct vgpu_vm *vm, u64 va, u64 *size);

/**
 * vgpu_vm_get - take a reference
 * @vm: the VM
 *
 * Return: @vm.
 */
static inline struct vgpu_vm *vgpu_vm_get(struct vgpu_vm *vm)
{
	drm_gpuvm_get(&vm->base);
	return vm;
}

/**
 * vgpu_vm_put - drop a reference
 * @vm: the VM, or NULL
 */
static inline void vgpu_vm_put(struct vgpu_vm *vm)
{
	if (vm)
		drm_gpuvm_put(&vm->base);
}

/**
 * struct vgpu_mapping - an object, mapped in the driver's part of a VM
 */
struct vgpu_mapping {
	/** @ref: reference count */
	struct kref ref;
	/** @vm: the VM, with a reference */
	struct vgpu_vm *vm;
	/** @bo: the object, with a reference */
	struct vgpu_bo *bo;
	/** @heap_map: growth of @bo through this mapping; NULL if it does not grow */
	struct vgpu_heap_map *heap_map;
	/** @node: in &vgpu_vm.kernel_space, one page longer than @bo */
	struct drm_mm_node node;
	/** @flags: VGPU_VA_* */
	u32 flags;
};

struct vgpu_mapping *vgpu_mapping_create(struct vgpu_vm *vm, struct vgpu_bo *bo, u64 align,
					 u32 flags);
void vgpu_mapping_put(struct vgpu_mapping *mapping);

/**
 * vgpu_mapping_get - take a reference
 * @mapping: the mapping
 *
 * Return: @mapping.
 */
static inline struct vgpu_mapping *vgpu_mapping_get(struct vgpu_mapping *mapping)
{
	kref_get(&mapping->ref);
	return mapping;
}

/**
 * vgpu_mapping_va - where an object is mapped
 * @mapping: the mapping
 *
 * Return: its GPU address.
 */
static inline u64 vgpu_mapping_va(const struct vgpu_mapping *mapping)
{
	return mapping->node.start;
}

/**
 * struct vgpu_kernel_bo - an object of the driver, mapped in its part of a VM
 */
struct vgpu_kernel_bo {
	/** @bo: the object, which no user has a handle of */
	struct vgpu_bo *bo;
	/** @mapping: the only mapping of @bo */
	struct vgpu_mapping *mapping;
};

struct vgpu_kernel_bo *vgpu_kernel_bo_create(struct vgpu_vm *vm,
					     const struct drm_gem_sync_funcs *funcs, u64 size,
					     const char *label);
void vgpu_kernel_bo_destroy(struct vgpu_kernel_bo *kbo);

/**
 * vgpu_kernel_bo_va - where an object is mapped
 * @kbo: the object
 *
 * Return: its GPU address.
 */
static inline u64 vgpu_kernel_bo_va(const struct vgpu_kernel_bo *kbo)
{
	return vgpu_mapping_va(kbo->mapping);
}

int vgpu_vm_use_begin(struct vgpu_vm *vm, struct drm_exec *exec);
void vgpu_vm_use_end(struct drm_exec *exec);
int vgpu_vm_read(struct vgpu_vm *vm, u64 va, void *to, size_t size);
int vgpu_vm_write(struct vgpu_vm *vm, u64 va, const void *from, size_t size);
int vgpu_vm_sync_read(struct vgpu_vm *vm, u64 va, void *to, size_t size);
int vgpu_vm_sync_set(struct vgpu_vm *vm, u64 va, u64 value, size_t size);
int vgpu_vm_sync_add(struct vgpu_vm *vm, u64 va, u64 value, size_t size);

#endif
