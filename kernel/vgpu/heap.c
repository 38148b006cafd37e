// SPDX-License-Identifier: GPL-2.0-only
/* Objects that grow: memory comes when the device touches it. */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "internal.h"

/**
 * DOC: growing objects
 *
 * An object that grows has no pages of its own and is never mapped by the CPU. It
 * consists of chunks, objects without handles, which are made when the device touches
 * them for the first time, and stay.
 *
 * The access that finds no chunk happens in the path that signals fences, which must
 * not allocate. It leaves a mark, and returns -EAGAIN: the job blocks. A work item
 * makes the chunk, maps it, and wakes the job, which does the access again. If there
 * is no memory, that access is the job's fault, and the next one tries again. So
 * memory is allocated while a fence waits for it, as in drivers for hardware; reclaim
 * by these drivers waits for no fence. Mapping a chunk takes the locks of binds too,
 * reservation locks among them: whoever holds one while it waits for the job's fence
 * keeps it from growing, until the job times out (DOC: timeouts).
 */

struct vgpu_heap {
	struct drm_device *drm;	/* a reference */
	const struct drm_gem_sync_funcs *funcs;
	struct mem_cgroup *memcg;	/* pays for the chunks; a reference, or NULL */
	struct work_struct release_work;
	struct mutex lock;	/* protects @chunks */
	atomic_long_t bytes;	/* of all chunks */
	unsigned int count;
	struct vgpu_bo *chunks[] __counted_by(count);	/* pinned; NULL: not grown so far */
};

struct vgpu_heap_map {
	struct vgpu_mapping *mapping;
	struct work_struct work;
	unsigned long *wanted;	/* bit n: the device touched chunk n */
	unsigned long *failed;	/* bit n: it could not be made */
};

#define CHUNK(offset)	((offset) >> ilog2(VGPU_HEAP_CHUNK))

/* Whoever drops an object's last reference may hold locks, which unpinning takes. */
static void release_work(struct work_struct *work)
{
	struct vgpu_heap *heap = container_of(work, struct vgpu_heap, release_work);
	struct drm_device *drm = heap->drm;

	for (unsigned int i = 0; i < heap->count; i++) {
		struct vgpu_bo *chunk = heap->chunks[i];

		if (!chunk)
			continue;
		drm_gem_sync_shmem_unpin(&chunk->base);
		drm_gem_object_put(&chunk->base.base);
		cond_resched();
	}
	mutex_destroy(&heap->lock);
	mem_cgroup_put(heap->memcg);
	kvfree(heap);
	drm_dev_put(drm);
}

struct vgpu_heap *vgpu_heap_create(struct vgpu_device *vdev,
				   const struct drm_gem_sync_funcs *funcs, u64 size)
{
	u64 count = DIV_ROUND_UP_ULL(size, VGPU_HEAP_CHUNK);
	struct vgpu_heap *heap;

	if (count > INT_MAX / sizeof(heap->chunks[0]))
		return NULL;
	heap = kvzalloc(struct_size(heap, chunks, count), GFP_KERNEL_ACCOUNT);
	if (!heap)
		return NULL;
	drm_dev_get(&vdev->drm);
	heap->drm = &vdev->drm;
	INIT_WORK(&heap->release_work, release_work);
	heap->funcs = funcs;
	heap->memcg = get_mem_cgroup_from_mm(current->mm);
	heap->count = count;
	mutex_init(&heap->lock);
	return heap;
}

void vgpu_heap_destroy(struct vgpu_heap *heap)
{
	if (heap)
		queue_work(vgpu_release_wq, &heap->release_work);
}

/**
 * vgpu_bo_grown() - how much memory an object that grows has
 * @bo: the object
 *
 * Context: Any.
 *
 * Return: bytes; 0 also if it is not one that grows.
 */
u64 vgpu_bo_grown(const struct vgpu_bo *bo)
{
	return bo->heap ? atomic_long_read(&bo->heap->bytes) : 0;
}
EXPORT_SYMBOL_GPL(vgpu_bo_grown);

static struct vgpu_bo *chunk_create(struct vgpu_bo *bo, unsigned int index)
{
	struct vgpu_device *vdev = to_vgpu_device(bo->base.base.dev);
	u64 offset = (u64)index * VGPU_HEAP_CHUNK;
	const struct vgpu_bo_args args = {
		.size = min_t(u64, bo->base.base.size - offset, VGPU_HEAP_CHUNK),
		.no_mmap = -EPERM,
	};
	struct vgpu_bo *chunk;
	int ret;

	chunk = vgpu_bo_create(vdev, bo->heap->funcs, &args);
	if (IS_ERR(chunk))
		return chunk;
	mutex_lock(&vdev->lock);
	chunk->owner = bo->owner;
	mutex_unlock(&vdev->lock);
	ret = drm_gem_sync_shmem_pin(&chunk->base);
	if (ret) {
		drm_gem_object_put(&chunk->base.base);
		return ERR_PTR(ret);
	}
	return chunk;
}

/* The chunk, which may be there from another mapping's growth. */
static struct vgpu_bo *chunk_get(struct vgpu_bo *bo, unsigned int index)
{
	struct vgpu_heap *heap = bo->heap;
	struct vgpu_bo *chunk;

	mutex_lock(&heap->lock);
	chunk = heap->chunks[index];
	if (!chunk) {
		chunk = chunk_create(bo, index);
		if (!IS_ERR(chunk)) {
			heap->chunks[index] = chunk;
			atomic_long_add(chunk->base.base.size, &heap->bytes);
		}
	}
	mutex_unlock(&heap->lock);
	return chunk;
}

static int grow(struct vgpu_mapping *mapping, unsigned int index)
{
	struct vgpu_bo *chunk;
	int ret, idx;

	if (!drm_dev_enter(&mapping->vm->vdev->drm, &idx))
		return -ENODEV;
	chunk = chunk_get(mapping->bo, index);
	if (IS_ERR(chunk))
		ret = PTR_ERR(chunk);
	else
		ret = vgpu_mapping_bind(mapping, chunk, (u64)index * VGPU_HEAP_CHUNK);
	drm_dev_exit(idx);
	return ret;
}

/* At the expense of whoever created the heap: the worker is nobody's. */
static int grow_charged(struct vgpu_mapping *mapping, unsigned int index)
{
	struct mem_cgroup *old = set_active_memcg(mapping->bo->heap->memcg);
	int ret = grow(mapping, index);

	set_active_memcg(old);
	return ret;
}

static void grow_work(struct work_struct *work)
{
	struct vgpu_heap_map *map = container_of(work, struct vgpu_heap_map, work);
	struct vgpu_mapping *mapping = map->mapping;
	struct vgpu_device *vdev = mapping->vm->vdev;
	unsigned int index;

	for_each_set_bit(index, map->wanted, mapping->bo->heap->count) {
		/* What follows comes before a mark that is set later. */
		if (!test_and_clear_bit(index, map->wanted))
			continue;
		if (grow_charged(mapping, index))
			set_bit(index, map->failed);
		cond_resched();
	}
	atomic_dec(&vdev->running);
	vgpu_device_kick(vdev);
}

static void map_free(struct vgpu_heap_map *map)
{
	bitmap_free(map->failed);
	bitmap_free(map->wanted);
	kfree(map);
}

static void set_heap_map(struct vgpu_mapping *mapping, struct vgpu_heap_map *map)
{
	mutex_lock(&mapping->vm->kernel_lock);
	mapping->heap_map = map;
	mutex_unlock(&mapping->vm->kernel_lock);
}

/* From here on device accesses to the mapping make the object grow. 0 or -ENOMEM. */
int vgpu_heap_map(struct vgpu_mapping *mapping)
{
	unsigned int count = mapping->bo->heap->count;
	struct vgpu_heap_map *map;

	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	map->mapping = mapping;
	INIT_WORK(&map->work, grow_work);
	map->wanted = bitmap_zalloc(count, GFP_KERNEL_ACCOUNT);
	map->failed = bitmap_zalloc(count, GFP_KERNEL_ACCOUNT);
	if (!map->wanted || !map->failed) {
		map_free(map);
		return -ENOMEM;
	}
	set_heap_map(mapping, map);
	return 0;
}

/* On return nothing grows through the mapping any more; what has grown stays mapped. */
void vgpu_heap_unmap(struct vgpu_mapping *mapping)
{
	struct vgpu_heap_map *map = mapping->heap_map;

	/* Whoever found it before has left its mark and queued the work. */
	set_heap_map(mapping, NULL);
	if (cancel_work_sync(&map->work))
		atomic_dec(&mapping->vm->vdev->running);
	map_free(map);
}

/* The mapping in the driver's part of @vm that has @va, or NULL. */
static struct vgpu_mapping *find_mapping(struct vgpu_vm *vm, u64 va)
{
	struct drm_mm_node *node = __drm_mm_interval_first(&vm->kernel_space, va, va);
	struct vgpu_mapping *mapping;

	/* What is found if there is none is no mapping's. */
	if (!drm_mm_node_allocated(node))
		return NULL;
	mapping = container_of(node, struct vgpu_mapping, node);
	return va - node->start < mapping->bo->base.base.size ? mapping : NULL;
}

static int request_chunk(struct vgpu_heap_map *map, unsigned int index)
{
	atomic_t *running = &map->mapping->vm->vdev->running;

	if (test_and_clear_bit(index, map->failed))
		return -EFAULT;
	set_bit(index, map->wanted);
	/* The time of jobs stands still until it is done (DOC: timeouts). */
	atomic_inc(running);
	if (!queue_work(vgpu_grow_wq, &map->work))
		atomic_dec(running);
	return -EAGAIN;
}

/*
 * An access found nothing mapped at @va: -EAGAIN if memory is on its way, else -EFAULT.
 * In the path that signals fences: nothing is allocated under the lock.
 */
int vgpu_heap_fault(struct vgpu_vm *vm, u64 va)
{
	struct vgpu_mapping *mapping;
	int ret = -EFAULT;

	mutex_lock(&vm->kernel_lock);
	mapping = find_mapping(vm, va);
	if (mapping && mapping->heap_map)
		ret = request_chunk(mapping->heap_map, CHUNK(va - mapping->node.start));
	mutex_unlock(&vm->kernel_lock);
	return ret;
}
