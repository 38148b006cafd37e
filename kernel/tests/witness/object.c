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

void witness_free_views(struct witness_object *object)
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
	witness_free_views(object);
	kfree(object);
}

const struct drm_gem_sync_funcs witness_object_funcs = DRM_GEM_SYNC_SHMEM_FUNCS(object_free, NULL);

int witness_create(struct witness *w, struct drm_gem_sync_device *sdev, u64 size, bool cached,
		   struct witness_object **out)
{
	return witness_create_funcs(w, sdev, size, cached, &witness_object_funcs, out);
}

int witness_create_funcs(struct witness *w, struct drm_gem_sync_device *sdev, u64 size,
			 bool cached, const struct drm_gem_sync_funcs *funcs,
			 struct witness_object **out)
{
	const struct drm_gem_sync_shmem_args args = { .cached = cached };
	struct witness_object *object;
	int ret;

	object = kzalloc(sizeof(*object), GFP_KERNEL);
	if (!object)
		return -ENOMEM;
	ret = drm_gem_sync_shmem_init(sdev, &object->base, funcs, size, &args);
	if (ret) {
		kfree(object);
		return ret;
	}
	list_add_tail(&object->node, &w->objects);
	*out = object;
	return 0;
}

void witness_release(struct witness *w)
{
	struct witness_object *object, *next;

	list_for_each_entry_safe(object, next, &w->objects, node) {
		struct drm_gem_object *obj = &object->base.base;
		struct iosys_map map = IOSYS_MAP_INIT_VADDR(object->cpu);

		list_del(&object->node);
		if (object->cpu)
			compat_vunmap_unlocked(obj, &map);
		drm_gem_object_put(obj);
	}
}

/* ---- Views and memories ---- */

/* Neither of them is 0, and two contents differ at every offset. */
static u8 content_at(enum content content, u64 offset)
{
	return (content + 1) << 5 | ((u32)offset * 2654435761u) >> 27;
}

static int alloc_memory(struct witness_object *object, size_t size)
{
	u8 **const memories[] = {
		&object->want.cpu, &object->want.device, &object->want.passed, &object->passed,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(memories); i++) {
		*memories[i] = kvzalloc(size, GFP_KERNEL);
		if (!*memories[i])
			return -ENOMEM;
	}
	return witness_make_content(object, BY_CPU, BY_DEVICE_LATE);
}

int witness_make_content(struct witness_object *object, enum content first, enum content last)
{
	size_t size = object->base.base.size;

	for (enum content i = first; i <= last; i++) {
		object->content[i] = kvmalloc(size, GFP_KERNEL);
		if (!object->content[i])
			return -ENOMEM;
		for (size_t offset = 0; offset < size; offset++)
			object->content[i][offset] = content_at(i, offset);
	}
	return 0;
}

/*
 * From the scatter list, and not from the helper's runs, which are what is on trial. It is
 * an error if a page is not bounced: the device would see what the CPU writes, and
 * everything would look right.
 */
int witness_view(struct device *dev, const struct sg_table *sgt, u8 ***out)
{
	unsigned int i, pages = 0;
	struct scatterlist *sg;
	u8 **view;

	for_each_sgtable_sg(sgt, sg, i) {
		if (dma_to_phys(dev, sg_dma_address(sg)) == sg_phys(sg) ||
		    sg_dma_len(sg) != sg->length)
			return -EXDEV;
		pages += sg->length >> PAGE_SHIFT;
	}
	view = kvcalloc(pages, sizeof(*view), GFP_KERNEL);
	if (!view)
		return -ENOMEM;
	*out = view;
	for_each_sgtable_sg(sgt, sg, i)
		for (u32 offset = 0; offset < sg->length; offset += PAGE_SIZE)
			*view++ = phys_to_virt(dma_to_phys(dev, sg_dma_address(sg)) + offset);
	return 0;
}

/* The CPU's view pins the object. */
static int look(struct witness_object *object)
{
	struct drm_gem_object *obj = &object->base.base;
	struct iosys_map map;
	int ret;

	ret = alloc_memory(object, obj->size);
	if (ret)
		return ret;
	ret = compat_vmap_unlocked(obj, &map);
	if (ret)
		return ret;
	object->cpu = map.vaddr;
	if (!object->sgt)
		object->sgt = object->base.sgt;
	ret = witness_view(obj->dev->dev, object->sgt, &object->device);
	if (!ret)
		witness_reset(object);
	return ret;
}

struct witness_object *witness_ready(struct witness *w, struct witness_object *object, int ret)
{
	if (!ret)
		ret = look(object);
	EXPECT(w, ret != -EXDEV, "the mapping is not bounced: boot with swiotlb=force");
	EXPECT(w, !ret, "no object: %d", ret);
	return ret ? NULL : object;
}

struct witness_object *witness_object(struct witness *w, struct drm_gem_sync_device *sdev,
				      u64 size, bool cached)
{
	struct witness_object *object;
	int ret = witness_create(w, sdev, size, cached, &object);

	return witness_ready(w, object, ret);
}

/* ---- What is and what should be ---- */

void witness_write_view(u8 *const *view, const u8 *content, size_t size)
{
	for (size_t offset = 0; offset < size; offset += PAGE_SIZE)
		memcpy(view[offset >> PAGE_SHIFT], content + offset, PAGE_SIZE);
}

void witness_reset(struct witness_object *object)
{
	size_t size = object->base.base.size;

	memcpy(object->cpu, object->content[BY_CPU], size);
	memcpy(object->want.cpu, object->content[BY_CPU], size);
	memcpy(object->want.device, object->content[BY_DEVICE], size);
	memset(object->passed, 0, size);
	memset(object->want.passed, 0, size);
	witness_write_view(object->device, object->content[BY_DEVICE], size);
}

/*
 * The device looks which bytes of the CPU's it has by now, and writes a page unless it is
 * quiet. Most pages have none.
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
	if (!object->quiet)
		memcpy(page, late, PAGE_SIZE);
}

static bool has_address(const struct witness_object *object, dma_addr_t addr)
{
	struct scatterlist *sg;
	int i;

	if (!object->device)
		return false;
	for_each_sgtable_dma_sg(object->sgt, sg, i)
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

void witness_verify_view(struct witness *w, u8 *const *view, const u8 *want, size_t size,
			 const char *what, const char *memory)
{
	for (size_t offset = 0; offset < size; offset += PAGE_SIZE)
		verify_page(w, view[offset >> PAGE_SHIFT], want, offset, what, memory);
}

void witness_verify(struct witness *w, struct witness_object *object, const char *what)
{
	const struct memory *want = &object->want;
	size_t size = object->base.base.size;

	witness_verify_view(w, object->device, want->device, size, what, "device's memory");
	for (size_t offset = 0; offset < size; offset += PAGE_SIZE) {
		verify_page(w, object->cpu + offset, want->cpu, offset, what, "CPU's memory");
		verify_page(w, object->passed + offset, want->passed, offset, what,
			    "with the device before the CPU's turn");
	}
	EXPECT(w, !w->strays, "%s: %u syncs outside of all objects", what, w->strays);
	w->strays = 0;
}
