// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tiler heaps. There is no tiler that would use or grow one; what the driver for
 * hardware sets up is there, in memory that streams can read.
 */
#include <linux/bitops.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "vpanthor.h"

#define MAX_HEAPS_PER_VM	128
/* A handle is the VM's id and the heap's number in it. */
#define HANDLE_VM_SHIFT		16

struct vpanthor_heap {
	struct vgpu_kernel_bo *context;
	struct list_head chunks;	/* struct chunk, the last one first */
};

struct chunk {
	struct list_head node;
	struct vgpu_kernel_bo *kbo;
};

static u64 chunk_va(const struct chunk *chunk)
{
	return vgpu_kernel_bo_va(chunk->kbo);
}

static struct chunk *first_chunk(struct vpanthor_heap *heap)
{
	return list_first_entry_or_null(&heap->chunks, struct chunk, node);
}

static void heap_free(struct vpanthor_heap *heap)
{
	struct chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &heap->chunks, node) {
		vgpu_kernel_bo_destroy(chunk->kbo);
		kfree(chunk);
		cond_resched();
	}
	if (heap->context)
		vgpu_kernel_bo_destroy(heap->context);
	kfree(heap);
}

/* A chunk begins with the address of the next one and, in units of 4 KiB, its size. */
static int link_chunk(struct vgpu_vm *vm, const struct chunk *chunk, const struct chunk *next,
		      u32 size)
{
	__le64 header;
	int ret, idx;

	if (!next)
		return 0;
	header = cpu_to_le64((chunk_va(next) & GENMASK_ULL(63, 12)) | size / SZ_4K);
	if (!drm_dev_enter(&vm->vdev->drm, &idx))
		return -ENODEV;
	ret = vgpu_vm_write(vm, chunk_va(chunk), &header, sizeof(header));
	drm_dev_exit(idx);
	return ret;
}

static int add_chunk(struct vgpu_vm *vm, struct vpanthor_heap *heap, u32 size)
{
	struct chunk *chunk;
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (drm_dev_is_unplugged(&vm->vdev->drm))
		return -ENODEV;
	chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	chunk->kbo = vgpu_kernel_bo_create(vm, &vpanthor_bo_funcs, size, "tiler heap chunk");
	if (IS_ERR(chunk->kbo)) {
		ret = PTR_ERR(chunk->kbo);
		goto err_free;
	}
	ret = link_chunk(vm, chunk, first_chunk(heap), size);
	if (ret)
		goto err_destroy;
	list_add(&chunk->node, &heap->chunks);
	return 0;

err_destroy:
	vgpu_kernel_bo_destroy(chunk->kbo);
err_free:
	kfree(chunk);
	return ret;
}

static int fill_heap(struct vgpu_vm *vm, struct vpanthor_heap *heap,
		     const struct drm_panthor_tiler_heap_create *args)
{
	struct vgpu_kernel_bo *context;
	int ret = 0;

	context = vgpu_kernel_bo_create(vm, &vpanthor_bo_funcs, SZ_4K, "tiler heap context");
	if (IS_ERR(context))
		return PTR_ERR(context);
	heap->context = context;
	for (u32 i = 0; i < args->initial_chunk_count && !ret; i++)
		ret = add_chunk(vm, heap, args->chunk_size);
	return ret;
}

static struct vpanthor_heap *heap_create(struct vgpu_vm *vm,
					 const struct drm_panthor_tiler_heap_create *args)
{
	struct vpanthor_heap *heap;
	int ret;

	heap = kzalloc(sizeof(*heap), GFP_KERNEL_ACCOUNT);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&heap->chunks);
	ret = fill_heap(vm, heap, args);
	if (ret) {
		heap_free(heap);
		return ERR_PTR(ret);
	}
	return heap;
}

static int check_heap(const struct drm_panthor_tiler_heap_create *args)
{
	if (!args->initial_chunk_count || args->initial_chunk_count > args->max_chunks)
		return -EINVAL;
	if (!PAGE_ALIGNED(args->chunk_size) || args->chunk_size < SZ_128K ||
	    args->chunk_size > SZ_8M)
		return -EINVAL;
	return 0;
}

/* A heap gets its handle in a VM that is there, and goes with it. */
static int add_heap(struct vpanthor_file *vfile, struct vgpu_vm *vm, u32 vm_id,
		    struct vpanthor_heap *heap, u32 *handle)
{
	const u32 first = vm_id << HANDLE_VM_SHIFT;
	int ret = -EINVAL;

	mutex_lock(&vfile->heaps_lock);
	if (xa_load(&vfile->vms, vm_id) == vm) {
		__set_bit(vm_id, vfile->heap_pools);
		ret = xa_alloc(&vfile->heaps, handle, heap,
			       XA_LIMIT(first, first + MAX_HEAPS_PER_VM - 1), GFP_KERNEL_ACCOUNT);
	}
	mutex_unlock(&vfile->heaps_lock);
	return ret;
}

/* The heap is made first, which may take long: other threads' heaps do not wait for it. */
static int create_handle(struct vpanthor_file *vfile, struct vgpu_vm *vm,
			 struct drm_panthor_tiler_heap_create *args)
{
	struct vpanthor_heap *heap;
	int ret;

	heap = heap_create(vm, args);
	if (IS_ERR(heap))
		return PTR_ERR(heap);
	/* Once it has a handle, another thread may destroy it. */
	args->tiler_heap_ctx_gpu_va = vgpu_kernel_bo_va(heap->context);
	args->first_heap_chunk_gpu_va = chunk_va(first_chunk(heap));
	ret = add_heap(vfile, vm, args->vm_id, heap, &args->handle);
	if (ret)
		heap_free(heap);
	return ret;
}

int vpanthor_ioctl_tiler_heap_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_tiler_heap_create *args = data;
	struct vpanthor_file *vfile = file->driver_priv;
	struct vgpu_vm *vm = vpanthor_vm_lookup(vfile, args->vm_id);
	int ret;

	if (!vm)
		return -EINVAL;
	ret = check_heap(args);
	if (!ret)
		ret = create_handle(vfile, vm, args);
	vgpu_vm_put(vm);
	return ret;
}

/* 0; -EINVAL if there is no such VM; -ENOENT if it never had a heap. Under the heaps' lock. */
static int check_pool(struct vpanthor_file *vfile, u32 vm_id)
{
	struct vgpu_vm *vm = vpanthor_vm_lookup(vfile, vm_id);

	if (!vm)
		return -EINVAL;
	vgpu_vm_put(vm);
	return test_bit(vm_id, vfile->heap_pools) ? 0 : -ENOENT;
}

int vpanthor_ioctl_tiler_heap_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panthor_tiler_heap_destroy *args = data;
	struct vpanthor_file *vfile = file->driver_priv;
	struct vpanthor_heap *heap;
	int ret;

	if (args->pad)
		return -EINVAL;
	ret = mutex_lock_interruptible(&vfile->heaps_lock);
	if (ret)
		return ret;
	ret = check_pool(vfile, args->handle >> HANDLE_VM_SHIFT);
	if (ret)
		goto out_unlock;
	heap = xa_erase(&vfile->heaps, args->handle);
	if (heap)
		heap_free(heap);
	else
		ret = -EINVAL;
out_unlock:
	mutex_unlock(&vfile->heaps_lock);
	return ret;
}

void vpanthor_vm_destroy_heaps(struct vpanthor_file *vfile, u32 vm_id)
{
	unsigned long first = (unsigned long)vm_id << HANDLE_VM_SHIFT;
	struct vpanthor_heap *heap;
	unsigned long handle;

	__clear_bit(vm_id, vfile->heap_pools);
	xa_for_each_range(&vfile->heaps, handle, heap, first, first + MAX_HEAPS_PER_VM - 1) {
		xa_erase(&vfile->heaps, handle);
		heap_free(heap);
	}
}
