// SPDX-License-Identifier: GPL-2.0-only
/* Objects that grow: they get memory where the device touches them. */
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include <drm/drm_drv.h>

#include "internal.h"
#include "vm_op.h"

/**
 * DOC: growing objects
 *
 * An object that grows has no pages of its own and is never mapped by the CPU. It
 * consists of chunks, objects without handles, which become part of it when the device
 * touches them for the first time, and stay.
 *
 * The access that finds no chunk happens in the path that signals fences. There memory
 * must not be waited for, because reclaim may wait for the fence. So chunks are made
 * before: a submission sees to it that each object that its jobs can reach has some
 * ready, with their pages and with all that mapping them takes. Growing takes one of
 * them, and maps it wherever the object is mapped. It allocates nothing and waits for
 * nobody who does. What is taken is replaced by a work item for which no fence waits. A
 * job that is faster than that, or for which there was no memory, faults.
 *
 * A chunk is ready, or it is grown; it never goes back, and ends with its object.
 */

/* So many chunks are ready when a job begins: it cannot grow by more at once. */
#define RESERVE		16

#define CHUNK(offset)	((offset) >> ilog2(VGPU_HEAP_CHUNK))

struct chunk {
	struct vgpu_bo *bo;		/* pinned */
	struct list_head all;		/* in &vgpu_heap.all */
	struct list_head ready;		/* in &vgpu_heap.ready, until it is grown */
	struct list_head links;		/* struct link.node, until it is grown */
	bool grown;
	unsigned int index;		/* of a grown one */
};

/* All that mapping a chunk takes, at one of the places where its object is mapped. */
struct link {
	struct list_head node;		/* in &chunk.links or &vgpu_heap.done */
	struct chunk *chunk;
	struct vgpu_heap_map *map;
	struct vgpu_vm_op op;
};

struct vgpu_heap_map {
	struct vgpu_mapping *mapping;
	struct vgpu_heap *heap;
	struct list_head node;		/* in &vgpu_heap.maps */
	struct list_head vm_node;	/* in &vgpu_vm.heap_maps */
};

/*
 * @prepare comes before all other locks of address spaces, and memory is allocated under
 * it. @lock comes after &vgpu_vm.kernel_lock and before &vgpu_vm.mmu_lock, and is taken in
 * the path that signals fences: nothing is allocated under it.
 */
struct vgpu_heap {
	struct drm_device *drm;	/* a reference */
	const struct drm_gem_sync_funcs *funcs;
	struct mem_cgroup *memcg;	/* pays for the chunks; a reference, or NULL */
	struct work_struct release_work;
	struct work_struct fill_work;
	u64 size;

	struct mutex prepare;		/* chunks and maps come, and maps go, under it */
	struct list_head all;		/* struct chunk; under @prepare */
	struct ncmem_owner owner;	/* of chunks to be made; under @prepare */

	struct mutex lock;		/* protects all below */
	struct list_head maps;		/* struct vgpu_heap_map; changes under @prepare as well */
	struct list_head ready;		/* struct chunk */
	struct list_head done;		/* struct link: executed, and to be freed */
	atomic_long_t bytes;		/* of grown chunks; read without the lock */
	unsigned int count;
	struct chunk *chunks[] __counted_by(count);	/* NULL: not grown so far */
};

/* Pages of chunks that are ready, of all devices: they are allocated, and nobody's so far. */
static atomic_long_t reserved_pages;

static int reserved_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&reserved_pages));
}

static const struct kernel_param_ops reserved_ops = { .get = reserved_get };
module_param_cb(reserved_pages, &reserved_ops, NULL, 0400);
MODULE_PARM_DESC(reserved_pages, "Pages that are ready for objects that grow (read-only)");

static void count_reserved(const struct chunk *chunk, int sign)
{
	atomic_long_add(sign * (long)(chunk->bo->base.base.size >> PAGE_SHIFT), &reserved_pages);
}

static u64 chunk_size(const struct vgpu_heap *heap, unsigned int index)
{
	return min_t(u64, heap->size - (u64)index * VGPU_HEAP_CHUNK, VGPU_HEAP_CHUNK);
}

/* ---- Links ---- */

static struct link *link_create(struct vgpu_heap_map *map, struct chunk *chunk)
{
	struct vgpu_mapping *mapping = map->mapping;
	const struct vgpu_bind_args args = {
		.bo = chunk->bo,
		.size = chunk->bo->base.base.size,
		.flags = mapping->flags,
	};
	struct link *link;
	int ret;

	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->chunk = chunk;
	link->map = map;
	ret = vgpu_vm_op_prepare(mapping->vm, &link->op, &args);
	if (ret) {
		kfree(link);
		return ERR_PTR(ret);
	}
	return link;
}

/* Takes reservation locks: not in the path that signals fences. */
static void free_links(struct list_head *links)
{
	struct link *link, *next;

	list_for_each_entry_safe(link, next, links, node) {
		vgpu_vm_op_cleanup(link->map->mapping->vm, &link->op);
		kfree(link);
		cond_resched();
	}
	INIT_LIST_HEAD(links);
}

/* An address space that takes no more mappings is not the others' concern. */
static void execute(struct link *link)
{
	struct vgpu_mapping *mapping = link->map->mapping;

	link->op.va = mapping->node.start + (u64)link->chunk->index * VGPU_HEAP_CHUNK;
	vgpu_vm_op_execute(mapping->vm, &link->op);
}

static void tidy(struct vgpu_heap *heap)
{
	LIST_HEAD(done);

	lockdep_assert_held(&heap->prepare);
	mutex_lock(&heap->lock);
	list_splice_init(&heap->done, &done);
	mutex_unlock(&heap->lock);
	free_links(&done);
}

/* ---- Chunks ---- */

static struct vgpu_bo *create_bo(struct vgpu_heap *heap, u64 size)
{
	struct vgpu_device *vdev = to_vgpu_device(heap->drm);
	const struct vgpu_bo_args args = { .size = size, .no_mmap = -EPERM };
	struct vgpu_bo *bo;
	int ret;

	bo = vgpu_bo_create(vdev, heap->funcs, &args);
	if (IS_ERR(bo))
		return bo;
	/* Whose it is may be looked up already. */
	mutex_lock(&vdev->lock);
	bo->owner = heap->owner;
	mutex_unlock(&vdev->lock);
	ret = drm_gem_sync_shmem_pin(&bo->base);
	if (ret) {
		drm_gem_object_put(&bo->base.base);
		return ERR_PTR(ret);
	}
	return bo;
}

static void chunk_free(struct chunk *chunk)
{
	free_links(&chunk->links);
	drm_gem_sync_shmem_unpin(&chunk->bo->base);
	drm_gem_object_put(&chunk->bo->base.base);
	kfree(chunk);
}

static int create_links(struct vgpu_heap *heap, struct chunk *chunk)
{
	struct vgpu_heap_map *map;

	list_for_each_entry(map, &heap->maps, node) {
		struct link *link = link_create(map, chunk);

		if (IS_ERR(link))
			return PTR_ERR(link);
		list_add_tail(&link->node, &chunk->links);
	}
	return 0;
}

static int add_chunk(struct vgpu_heap *heap, u64 size)
{
	struct chunk *chunk;
	int ret;

	chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	INIT_LIST_HEAD(&chunk->links);
	chunk->bo = create_bo(heap, size);
	if (IS_ERR(chunk->bo)) {
		ret = PTR_ERR(chunk->bo);
		kfree(chunk);
		return ret;
	}
	ret = create_links(heap, chunk);
	if (ret) {
		chunk_free(chunk);
		return ret;
	}
	count_reserved(chunk, 1);
	list_add_tail(&chunk->all, &heap->all);
	mutex_lock(&heap->lock);
	list_add_tail(&chunk->ready, &heap->ready);
	mutex_unlock(&heap->lock);
	return 0;
}

static struct chunk *find_ready(struct vgpu_heap *heap, u64 size)
{
	struct chunk *chunk;

	list_for_each_entry(chunk, &heap->ready, ready) {
		if (chunk->bo->base.base.size == size)
			return chunk;
	}
	return NULL;
}

/* Bytes of the next chunk to be made; 0 if enough are ready. The last one may be short. */
static u64 wanted_size(struct vgpu_heap *heap)
{
	unsigned int last = heap->count - 1, ready, missing;
	u64 last_size = chunk_size(heap, last), size = 0;

	mutex_lock(&heap->lock);
	ready = list_count_nodes(&heap->ready);
	missing = heap->count - DIV_ROUND_UP_ULL(atomic_long_read(&heap->bytes), VGPU_HEAP_CHUNK);
	if (ready < min(missing, RESERVE))
		size = VGPU_HEAP_CHUNK;
	if (size && !heap->chunks[last] && !find_ready(heap, last_size))
		size = last_size;
	mutex_unlock(&heap->lock);
	return size;
}

/* 0, or why fewer are ready than there should be. */
static int fill_locked(struct vgpu_heap *heap)
{
	struct mem_cgroup *old;
	int ret = 0;
	u64 size;

	/* At the expense of whoever created the object: a worker is nobody's. */
	old = set_active_memcg(heap->memcg);
	tidy(heap);
	while (!ret) {
		size = wanted_size(heap);
		if (!size)
			break;
		ret = fatal_signal_pending(current) ? -EINTR : add_chunk(heap, size);
		cond_resched();
	}
	set_active_memcg(old);
	return ret;
}

static void fill_work(struct work_struct *work)
{
	struct vgpu_heap *heap = container_of(work, struct vgpu_heap, fill_work);

	mutex_lock(&heap->prepare);
	fill_locked(heap);
	mutex_unlock(&heap->prepare);
}

/* ---- The object ---- */

/* Whoever drops an object's last reference may hold locks, which unpinning takes. */
static void release_work(struct work_struct *work)
{
	struct vgpu_heap *heap = container_of(work, struct vgpu_heap, release_work);
	struct drm_device *drm = heap->drm;
	struct chunk *chunk, *next;

	cancel_work_sync(&heap->fill_work);
	list_for_each_entry_safe(chunk, next, &heap->all, all) {
		if (!chunk->grown)
			count_reserved(chunk, -1);
		chunk_free(chunk);
		cond_resched();
	}
	mutex_destroy(&heap->lock);
	mutex_destroy(&heap->prepare);
	mem_cgroup_put(heap->memcg);
	kvfree(heap);
	drm_dev_put(drm);
}

struct vgpu_heap *vgpu_heap_create(struct vgpu_device *vdev,
				   const struct drm_gem_sync_funcs *funcs, u64 size)
{
	u64 count = DIV_ROUND_UP_ULL(size, VGPU_HEAP_CHUNK);
	struct vgpu_heap *heap;

	if (!count || count > INT_MAX / sizeof(heap->chunks[0]))
		return NULL;
	heap = kvzalloc(struct_size(heap, chunks, count), GFP_KERNEL_ACCOUNT);
	if (!heap)
		return NULL;
	drm_dev_get(&vdev->drm);
	heap->drm = &vdev->drm;
	INIT_WORK(&heap->release_work, release_work);
	INIT_WORK(&heap->fill_work, fill_work);
	heap->funcs = funcs;
	heap->memcg = get_mem_cgroup_from_mm(current->mm);
	heap->size = PAGE_ALIGN(size);
	heap->count = count;
	mutex_init(&heap->prepare);
	mutex_init(&heap->lock);
	INIT_LIST_HEAD(&heap->all);
	INIT_LIST_HEAD(&heap->maps);
	INIT_LIST_HEAD(&heap->ready);
	INIT_LIST_HEAD(&heap->done);
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

/* ---- Where it is mapped ---- */

/* A link of each chunk there is. */
static int create_map_links(struct vgpu_heap_map *map, struct list_head *links)
{
	struct chunk *chunk;

	list_for_each_entry(chunk, &map->heap->all, all) {
		struct link *link = link_create(map, chunk);

		if (IS_ERR(link))
			return PTR_ERR(link);
		list_add_tail(&link->node, links);
		cond_resched();
	}
	return 0;
}

/* What has grown is there at once, and what is ready may grow here as well. */
static void insert_map(struct vgpu_heap_map *map, struct list_head *links)
{
	struct vgpu_vm *vm = map->mapping->vm;
	struct vgpu_heap *heap = map->heap;
	struct link *link, *next;

	mutex_lock(&vm->kernel_lock);
	mutex_lock(&heap->lock);
	list_for_each_entry_safe(link, next, links, node) {
		if (link->chunk->grown) {
			execute(link);
			list_move(&link->node, &heap->done);
		} else {
			list_move(&link->node, &link->chunk->links);
		}
	}
	list_add_tail(&map->node, &heap->maps);
	list_add_tail(&map->vm_node, &vm->heap_maps);
	map->mapping->heap_map = map;
	mutex_unlock(&heap->lock);
	mutex_unlock(&vm->kernel_lock);
}

/* From here on device accesses to the mapping make the object grow. 0 or a negative errno. */
int vgpu_heap_map(struct vgpu_mapping *mapping)
{
	struct vgpu_heap *heap = mapping->bo->heap;
	struct vgpu_heap_map *map;
	LIST_HEAD(links);
	int ret;

	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	map->mapping = mapping;
	map->heap = heap;
	mutex_lock(&heap->prepare);
	ret = create_map_links(map, &links);
	if (!ret) {
		insert_map(map, &links);
		tidy(heap);
	}
	free_links(&links);
	mutex_unlock(&heap->prepare);
	if (ret)
		kfree(map);
	return ret;
}

/* Nobody finds the map any more; @links gets what is left to be freed. */
static void remove_map(struct vgpu_heap_map *map, struct list_head *links)
{
	struct vgpu_vm *vm = map->mapping->vm;
	struct vgpu_heap *heap = map->heap;
	struct link *link, *next;
	struct chunk *chunk;

	mutex_lock(&vm->kernel_lock);
	mutex_lock(&heap->lock);
	map->mapping->heap_map = NULL;
	list_del(&map->vm_node);
	list_del(&map->node);
	list_for_each_entry(chunk, &heap->ready, ready) {
		list_for_each_entry_safe(link, next, &chunk->links, node) {
			if (link->map == map)
				list_move(&link->node, links);
		}
	}
	list_splice_init(&heap->done, links);
	mutex_unlock(&heap->lock);
	mutex_unlock(&vm->kernel_lock);
}

/* On return nothing grows through the mapping any more; what has grown stays mapped. */
void vgpu_heap_unmap(struct vgpu_mapping *mapping)
{
	struct vgpu_heap_map *map = mapping->heap_map;
	struct vgpu_heap *heap = map->heap;
	LIST_HEAD(links);

	mutex_lock(&heap->prepare);
	remove_map(map, &links);
	free_links(&links);
	mutex_unlock(&heap->prepare);
	kfree(map);
}

/* ---- Before a job ---- */

/* An object of @vm that has too little ready, by a mapping with a reference; or NULL. */
static struct vgpu_mapping *find_wanting(struct vgpu_vm *vm)
{
	struct vgpu_mapping *mapping = NULL;
	struct vgpu_heap_map *map;

	mutex_lock(&vm->kernel_lock);
	list_for_each_entry(map, &vm->heap_maps, vm_node) {
		if (wanted_size(map->heap) && kref_get_unless_zero(&map->mapping->ref)) {
			mapping = map->mapping;
			break;
		}
	}
	mutex_unlock(&vm->kernel_lock);
	return mapping;
}

static int fill(struct vgpu_bo *bo)
{
	struct vgpu_device *vdev = to_vgpu_device(bo->base.base.dev);
	struct vgpu_heap *heap = bo->heap;
	int ret;

	if (mutex_lock_killable(&heap->prepare))
		return -EINTR;
	mutex_lock(&vdev->lock);
	heap->owner = bo->owner;
	mutex_unlock(&vdev->lock);
	ret = fill_locked(heap);
	mutex_unlock(&heap->prepare);
	return ret;
}

/*
 * Have chunks ready in all that grows in @vm. Without memory fewer are: that is the
 * concern of those jobs alone that touch what is not there. 0 or -EINTR.
 */
int vgpu_heaps_prepare(struct vgpu_vm *vm)
{
	struct vgpu_mapping *mapping;
	int ret = 0;

	while (!ret) {
		mapping = find_wanting(vm);
		if (!mapping)
			break;
		ret = fill(mapping->bo);
		vgpu_mapping_put(mapping);
	}
	return ret == -EINTR ? ret : 0;
}

/* ---- While a job runs: in the path that signals fences ---- */

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

static void grow(struct vgpu_heap *heap, unsigned int index)
{
	struct chunk *chunk;
	struct link *link;

	if (heap->chunks[index])
		return;
	chunk = find_ready(heap, chunk_size(heap, index));
	if (!chunk)
		return;
	list_del(&chunk->ready);
	count_reserved(chunk, -1);
	chunk->grown = true;
	chunk->index = index;
	heap->chunks[index] = chunk;
	atomic_long_add(chunk->bo->base.base.size, &heap->bytes);
	list_for_each_entry(link, &chunk->links, node)
		execute(link);
	list_splice_init(&chunk->links, &heap->done);
	queue_work(vgpu_fill_wq, &heap->fill_work);
}

static bool is_mapped(struct vgpu_vm *vm, u64 va)
{
	bool mapped;

	down_read(&vm->mmu_lock);
	mapped = drm_gpuva_find_first(&vm->base, va, 1);
	up_read(&vm->mmu_lock);
	return mapped;
}

/*
 * An access found nothing mapped at @va: 0 if something is now, also by somebody else's
 * access; -EFAULT if what @va is part of does not grow, or nothing is ready.
 */
int vgpu_heap_fault(struct vgpu_vm *vm, u64 va)
{
	struct vgpu_mapping *mapping;
	struct vgpu_heap *heap;
	int ret = -EFAULT;

	mutex_lock(&vm->kernel_lock);
	mapping = find_mapping(vm, va);
	if (mapping && mapping->heap_map) {
		heap = mapping->heap_map->heap;
		mutex_lock(&heap->lock);
		grow(heap, CHUNK(va - mapping->node.start));
		mutex_unlock(&heap->lock);
		ret = is_mapped(vm, va) ? 0 : -EFAULT;
	}
	mutex_unlock(&vm->kernel_lock);
	return ret;
}
