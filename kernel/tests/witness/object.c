// SPDX-License-Identifier: GPL-2.0-only
/* Objects whose every byte is looked at, through the CPU's view and the device's. */
#include <linux/dma-direct.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "witness.h"

#define to_object(obj) container_of(to_drm_gem_sync_shmem(obj), struct witness_object, base)

static void free_memory(struct witness_object *object)
{
	for (unsigned int i = 0; i < CONTENTS; i++)
		kvfree(object->content[i]);
	kvfree(object->want.cpu);
	kvfree(object->want.device);
	kvfree(object->want.passed);
	kvfree(object->passed);
	kvfree(object->device);
}

static void object_free(struct drm_gem_object *obj)
{
	struct witness_object *object = to_object(obj);

	drm_gem_sync_shmem_fini(&object->base);
	free_memory(object);
	kfree(object);
}

static const struct drm_gem_sync_funcs object_funcs = DRM_GEM_SYNC_SHMEM_FUNCS(object_free, NULL);

int witness_create(struct witness *w, struct drm_gem_sync_device *sdev, u64 size, bool cached,
		   struct witness_object **out)
{
	const struct drm_gem_sync_shmem_args args = { .cached = cached };
	struct witness_object *object;
	int ret;

	object = kzalloc(sizeof(*object), GFP_KERNEL);
	if (!object)
		return -ENOMEM;
	ret = drm_gem_sync_shmem_init(sdev, &object->base, &object_funcs, size, &args);
	if (ret) {
		kfree(object);
		return ret;
	}
	list_add_tail(&object->node, &w->objects);
	*out = object;
	return 0;
}

static void unmap(struct witness_object *object)
{
	struct drm_gem_object *obj = &object->base.base;
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(object->cpu);

	dma_resv_lock(obj->resv, NULL);
	drm_gem_sync_shmem_vunmap(obj, &map);
	dma_resv_unlock(obj->resv);
}

void witness_release(struct witness *w)
{
	struct witness_object *object, *next;

	list_for_each_entry_safe(object, next, &w->objects, node) {
		list_del(&object->node);
		if (object->cpu)
			unmap(object);
		drm_gem_object_put(&object->base.base);
	}
}

/* ---- Views and memories ---- */

/* Neither of them is 0, and two contents differ at every offset. */
static u8 content_at(enum content content, u64 offset)
{
	return (content + 1) << 6 | ((u32)offset * 2654435761u) >> 26;
}

static int alloc_memory(struct witness_object *object, size_t size)
{
	u8 **const memories[] = {
		&object->content[BY_CPU], &object->content[BY_DEVICE],
		&object->content[BY_DEVICE_LATE], &object->want.cpu, &object->want.device,
		&object->want.passed, &object->passed,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(memories); i++) {
		*memories[i] = kvzalloc(size, GFP_KERNEL);
		if (!*memories[i])
			return -ENOMEM;
	}
	for (unsigned int i = 0; i < CONTENTS; i++)
		for (size_t offset = 0; offset < size; offset++)
			object->content[i][offset] = content_at(i, offset);
	return 0;
}

/* The CPU's view; it pins the object. */
static int map_cpu(struct witness_object *object)
{
	struct drm_gem_object *obj = &object->base.base;
	struct iosys_map map;
	int ret;

	dma_resv_lock(obj->resv, NULL);
	ret = drm_gem_sync_shmem_vmap(obj, &map);
	dma_resv_unlock(obj->resv);
	if (!ret)
		object->cpu = map.vaddr;
	return ret;
}

/*
 * The device's view. From the scatter list, and not from the helper's runs, which are
 * what is on trial. Returns -EXDEV if a page is not bounced: the device would see what
 * the CPU writes, and everything would look right.
 */
static int map_device(struct witness_object *object)
{
	struct device *dev = object->base.base.dev->dev;
	struct scatterlist *sg;
	unsigned int i, page = 0;

	object->device = kvcalloc(object->base.base.size >> PAGE_SHIFT, sizeof(*object->device),
				  GFP_KERNEL);
	if (!object->device)
		return -ENOMEM;
	for_each_sgtable_sg(object->base.sgt, sg, i) {
		phys_addr_t phys = dma_to_phys(dev, sg_dma_address(sg));

		if (phys == sg_phys(sg) || sg_dma_len(sg) != sg->length)
			return -EXDEV;
		for (u32 offset = 0; offset < sg->length; offset += PAGE_SIZE)
			object->device[page++] = phys_to_virt(phys + offset);
	}
	return 0;
}

struct witness_object *witness_object(struct witness *w, struct drm_gem_sync_device *sdev,
				      u64 size, bool cached)
{
	struct witness_object *object;
	int ret;

	ret = witness_create(w, sdev, size, cached, &object);
	if (!ret)
		ret = alloc_memory(object, size);
	if (!ret)
		ret = map_cpu(object);
	if (!ret)
		ret = map_device(object);
	EXPECT(w, ret != -EXDEV, "the mapping is not bounced: boot with swiotlb=force");
	EXPECT(w, !ret, "no object of %llu bytes: %d", size, ret);
	if (ret)
		return NULL;
	witness_reset(object);
	return object;
}

/* ---- What is and what should be ---- */

void witness_reset(struct witness_object *object)
{
	size_t size = object->base.base.size;

	memcpy(object->cpu, object->content[BY_CPU], size);
	memcpy(object->want.cpu, object->content[BY_CPU], size);
	memcpy(object->want.device, object->content[BY_DEVICE], size);
	memset(object->passed, 0, size);
	memset(object->want.passed, 0, size);
	for (size_t offset = 0; offset < size; offset += PAGE_SIZE)
		memcpy(object->device[offset >> PAGE_SHIFT], object->content[BY_DEVICE] + offset,
		       PAGE_SIZE);
}

/*
 * The device looks which bytes of the CPU's it has by now, and writes a page. Most
 * pages have none.
 */
static void write_late(const struct witness_object *object, u8 *page, u8 *passed, size_t offset)
{
	const u8 *by_cpu = object->content[BY_CPU] + offset;
	const u8 *late = object->content[BY_DEVICE_LATE] + offset;

	if (!memcmp(page, late, PAGE_SIZE))
		return;
	if (memcmp(page, object->content[BY_DEVICE] + offset, PAGE_SIZE)) {
		for (size_t i = 0; i < PAGE_SIZE; i++)
			passed[i] |= page[i] == by_cpu[i];
	}
	memcpy(page, late, PAGE_SIZE);
}

static bool has_address(const struct witness_object *object, dma_addr_t addr)
{
	struct scatterlist *sg;
	int i;

	if (!object->device)
		return false;
	for_each_sgtable_dma_sg(object->base.sgt, sg, i)
		if (addr >= sg_dma_address(sg) && addr - sg_dma_address(sg) < sg_dma_len(sg))
			return true;
	return false;
}

void witness_device_writes(struct witness *w, dma_addr_t addr)
{
	struct witness_object *object;

	list_for_each_entry(object, &w->objects, node) {
		if (!has_address(object, addr))
			continue;
		for (size_t offset = 0; offset < object->base.base.size; offset += PAGE_SIZE)
			write_late(object, object->device[offset >> PAGE_SHIFT],
				   object->passed + offset, offset);
		return;
	}
	w->strays++;
}

/*
 * Bounced memory has no dirty bits: for the device, the bytes of the range go to it;
 * for the CPU, they come back. In between the device wrote.
 */
void witness_want(struct witness_object *object, u64 offset, u64 size, enum gs_sync_type type)
{
	struct memory *want = &object->want;

	memcpy(want->device + offset, want->cpu + offset, size);
	if (type == GS_SYNC_FLUSH || !size)
		return;
	for (size_t i = 0; i < object->base.base.size; i += PAGE_SIZE)
		write_late(object, want->device + i, want->passed + i, i);
	memcpy(want->cpu + offset, want->device + offset, size);
}

static size_t first_difference(const u8 *have, const u8 *want, size_t size)
{
	size_t i;

	for (i = 0; i < size && have[i] == want[i]; i++)
		;
	return i;
}

static void verify_page(struct witness *w, const u8 *have, const u8 *want, size_t offset,
			const char *what, const char *memory)
{
	size_t i;

	if (!memcmp(have, want + offset, PAGE_SIZE))
		return;
	i = first_difference(have, want + offset, PAGE_SIZE);
	witness_fail(w, "%s: %s: byte %zu is %#x, should be %#x", what, memory, offset + i,
		     have[i], want[offset + i]);
}

void witness_verify(struct witness *w, struct witness_object *object, const char *what)
{
	const struct memory *want = &object->want;

	for (size_t offset = 0; offset < object->base.base.size; offset += PAGE_SIZE) {
		verify_page(w, object->device[offset >> PAGE_SHIFT], want->device, offset, what,
			    "device's memory");
		verify_page(w, object->cpu + offset, want->cpu, offset, what, "CPU's memory");
		verify_page(w, object->passed + offset, want->passed, offset, what,
			    "with the device before the CPU's turn");
	}
	EXPECT(w, !w->strays, "%s: %u syncs outside of all objects", what, w->strays);
	w->strays = 0;
}
