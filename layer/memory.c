// SPDX-License-Identifier: MIT
/* Device memory: allocation, maps, flush and invalidate. */
#include <stdio.h>
#include <stdlib.h>

#include "layer.h"

struct gsl_memory *gsl_memory_of(struct gsl_device *device, VkDeviceMemory handle)
{
	return gsl_map_get(&device->memories, GSL_KEY(handle));
}

bool gsl_memory_is_visible(const struct gsl_memory *memory)
{
	return gsl_types_driver_flags(memory->device->types, memory->type) &
	       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
}

void gsl_memory_set_opaque(struct gsl_device *device, VkDeviceMemory handle)
{
	struct gsl_memory *memory = gsl_memory_of(device, handle);

	if (memory)
		memory->opaque = true;
}

static void tell(struct gsl_device *device, struct gsl_batch *batch)
{
	gsl_findings_tell(&device->instance->findings, batch);
}

/* ---- Allocation ---- */

/*
 * What may stand in the chain of an allocation that gets copies. Anything else (imports and
 * exports, and what comes after this was written) may show the memory to others.
 */
static bool is_harmless(VkStructureType type)
{
	switch (type) {
	case VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO:
	case VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO:
	case VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT:
	case VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO:
		return true;
	default:
		return false;
	}
}

/* The first structure for whose sake the memory is left alone, or NULL. */
static const VkBaseInStructure *find_reason(const VkMemoryAllocateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO &&
		    !((const VkExportMemoryAllocateInfo *)next)->handleTypes)
			continue;
		if (!is_harmless(next->sType))
			return next;
	}
	return NULL;
}

/* Memory of such types is none that the host sees. */
static const char *type_reason(const struct gsl_memory *memory)
{
	VkMemoryPropertyFlags flags = gsl_types_driver_flags(memory->device->types, memory->type);

	if (flags & VK_MEMORY_PROPERTY_PROTECTED_BIT)
		return "since it is protected";
	if (flags & VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT)
		return "since it is lazily allocated";
	return NULL;
}

static const char *reason_name(VkStructureType type)
{
	switch ((int)type) {
	case VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO:
		return "since it is exported";
	case VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR:
		return "since it is imported by a file descriptor";
	case VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT:
		return "since it is the host's own, imported by its pointer";
	default:
		return NULL;
	}
}

static void tell_left_alone(struct gsl_memory *memory, const VkBaseInStructure *chained)
{
	const char *reason = chained ? reason_name(chained->sType) : type_reason(memory);
	struct gsl_batch batch = { 0 };
	struct gsl_finding finding = {
		.kind = GSL_LEFT_ALONE,
		.memory = { VK_OBJECT_TYPE_DEVICE_MEMORY, GSL_KEY(memory->handle), "" },
		.call = "vkAllocateMemory",
	};

	if (reason)
		snprintf(finding.detail, sizeof(finding.detail), "%s", reason);
	else if (chained)
		snprintf(finding.detail, sizeof(finding.detail),
			 "since structure type %d asks for memory that others may see",
			 chained->sType);
	gsl_batch_add(&batch, &finding);
	tell(memory->device, &batch);
}

static void link_memory(struct gsl_device *device, struct gsl_memory *memory)
{
	pthread_mutex_lock(&device->lock);
	memory->next = device->first_memory;
	memory->link = &device->first_memory;
	if (memory->next)
		memory->next->link = &memory->next;
	device->first_memory = memory;
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_AllocateMemory(VkDevice handle,
						  const VkMemoryAllocateInfo *info,
						  const VkAllocationCallbacks *allocator,
						  VkDeviceMemory *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	const VkBaseInStructure *reason = find_reason(info);
	VkMemoryAllocateInfo translated = *info;
	struct gsl_memory *memory = calloc(1, sizeof(*memory));
	VkResult result;

	if (!memory)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	if (info->memoryTypeIndex < VK_MAX_MEMORY_TYPES)
		translated.memoryTypeIndex = device->types->to_driver[info->memoryTypeIndex];
	result = device->calls.AllocateMemory(handle, &translated, allocator, out);
	if (result) {
		free(memory);
		return result;
	}
	memory->handle = *out;
	memory->device = device;
	memory->size = info->allocationSize;
	memory->type = info->memoryTypeIndex;
	memory->has_copies = !reason && gsl_types_has_copies(device->types, memory->type);
	if (!gsl_map_put(&device->memories, GSL_KEY(*out), memory)) {
		device->calls.FreeMemory(handle, *out, allocator);
		free(memory);
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	link_memory(device, memory);
	if (reason && gsl_types_has_copies(device->types, memory->type))
		tell_left_alone(memory, reason);
	else if (type_reason(memory))
		tell_left_alone(memory, NULL);
	return VK_SUCCESS;
}

/* The device's lock is held. */
static void unlink_memory(struct gsl_memory *memory)
{
	while (memory->resources)
		gsl_resource_unbind(memory->resources);
	*memory->link = memory->next;
	if (memory->next)
		memory->next->link = memory->link;
}

VKAPI_ATTR void VKAPI_CALL gsl_FreeMemory(VkDevice handle, VkDeviceMemory memory_handle,
					  const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_memory *memory = gsl_map_take(&device->memories, GSL_KEY(memory_handle));
	struct gsl_batch batch = { 0 };

	if (memory) {
		pthread_mutex_lock(&device->lock);
		gsl_memory_unmapping(memory, "vkFreeMemory", &batch);
		unlink_memory(memory);
		gsl_reads_remove(memory);
		pthread_mutex_unlock(&device->lock);
		gsl_device_forget_name(device, VK_OBJECT_TYPE_DEVICE_MEMORY,
				       GSL_KEY(memory_handle));
		gsl_copies_destroy(memory->copies);
		free(memory);
		tell(device, &batch);
	}
	device->calls.FreeMemory(handle, memory_handle, allocator);
}

void gsl_device_free_memories(struct gsl_device *device)
{
	struct gsl_batch batch = { 0 };
	struct gsl_memory *memory;

	pthread_mutex_lock(&device->lock);
	for (memory = device->first_memory; memory; memory = memory->next) {
		gsl_memory_unmapping(memory, "vkDestroyDevice", &batch);
		gsl_reads_remove(memory);
		gsl_copies_destroy(memory->copies);
		memory->copies = NULL;
	}
	pthread_mutex_unlock(&device->lock);
	tell(device, &batch);
}

#define MOVED	16	/* atoms of each memory at each call */

void gsl_device_move(struct gsl_device *device)
{
	struct gsl_memory *memory;

	if (device->instance->settings.mode != GSL_CHAOS)
		return;
	for (memory = device->first_memory; memory; memory = memory->next) {
		if (!memory->copies)
			continue;
		gsl_copies_move(memory->copies, &device->random, MOVED);
	}
}

/* ---- Maps ---- */

/*
 * The driver maps all of it once, for as long as it lives: the cache keeps its lines when the
 * application unmaps the memory, and so the copies stay.
 */
static VkResult make_copies(struct gsl_memory *memory)
{
	struct gsl_device *device = memory->device;
	const struct gsl_settings *settings = &device->instance->settings;
	struct gsl_copies *copies;
	void *mem;
	VkResult result = device->calls.MapMemory(device->handle, memory->handle, 0, VK_WHOLE_SIZE,
						  0, &mem);

	if (result)
		return result;
	copies = gsl_copies_create(mem, memory->size, device->atom, device->map_align,
				   (settings->written == GSL_WRITTEN_AUTO ? GSL_COPIES_WATCH : 0) |
				   (settings->mode == GSL_REPORT ? GSL_COPIES_GENTLE : 0));
	if (!copies) {
		device->calls.UnmapMemory(device->handle, memory->handle);
		return VK_ERROR_MEMORY_MAP_FAILED;
	}
	/* Submissions look at the copies of all memories. */
	pthread_mutex_lock(&device->lock);
	memory->copies = copies;
	gsl_reads_add(memory);
	pthread_mutex_unlock(&device->lock);
	return VK_SUCCESS;
}

static void set_mapped(struct gsl_memory *memory, u64 offset, u64 size)
{
	pthread_mutex_lock(&memory->device->lock);
	memory->mapped = true;
	memory->map_job = memory->device->jobs;
	memory->map_offset = offset;
	memory->map_size = size == VK_WHOLE_SIZE ? memory->size - offset : size;
	pthread_mutex_unlock(&memory->device->lock);
}

/* Report mode: what the device wrote before there were copies. */
static void show_done(struct gsl_memory *memory)
{
	struct gsl_batch batch = { 0 };

	pthread_mutex_lock(&memory->device->lock);
	gsl_memory_completed(memory, "vkMapMemory", &batch);
	pthread_mutex_unlock(&memory->device->lock);
	tell(memory->device, &batch);
}

static VkResult map(struct gsl_memory *memory, u64 offset, u64 size, void **data)
{
	VkResult result = memory->copies ? VK_SUCCESS : make_copies(memory);

	if (result)
		return result;
	*data = (char *)gsl_copies_address(memory->copies) + offset;
	set_mapped(memory, offset, size);
	show_done(memory);
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_MapMemory(VkDevice handle, VkDeviceMemory memory_handle,
					     VkDeviceSize offset, VkDeviceSize size,
					     VkMemoryMapFlags flags, void **data)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_memory *memory = gsl_memory_of(device, memory_handle);
	VkResult result;

	if (memory && memory->has_copies)
		return map(memory, offset, size, data);
	result = device->calls.MapMemory(handle, memory_handle, offset, size, flags, data);
	if (!result && memory)
		set_mapped(memory, offset, size);
	return result;
}

#ifdef GSL_HAS_MapMemory2
VKAPI_ATTR VkResult VKAPI_CALL gsl_MapMemory2(VkDevice handle, const VkMemoryMapInfoKHR *info,
					      void **data)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_memory *memory = gsl_memory_of(device, info->memory);
	VkResult result;

	if (memory && memory->has_copies)
		return map(memory, info->offset, info->size, data);
	result = device->calls.MapMemory2(handle, info, data);
	if (!result && memory)
		set_mapped(memory, info->offset, info->size);
	return result;
}
#endif

static void unmap(struct gsl_memory *memory)
{
	struct gsl_device *device = memory->device;
	struct gsl_batch batch = { 0 };

	pthread_mutex_lock(&device->lock);
	gsl_memory_unmapping(memory, "vkUnmapMemory", &batch);
	pthread_mutex_unlock(&device->lock);
	tell(device, &batch);
}

VKAPI_ATTR void VKAPI_CALL gsl_UnmapMemory(VkDevice handle, VkDeviceMemory memory_handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_memory *memory = gsl_memory_of(device, memory_handle);

	if (memory)
		unmap(memory);
	if (!memory || !memory->has_copies)
		device->calls.UnmapMemory(handle, memory_handle);
}

#ifdef GSL_HAS_UnmapMemory2
VKAPI_ATTR VkResult VKAPI_CALL gsl_UnmapMemory2(VkDevice handle, const VkMemoryUnmapInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_memory *memory = gsl_memory_of(device, info->memory);

	if (memory)
		unmap(memory);
	if (memory && memory->has_copies)
		return VK_SUCCESS;
	return device->calls.UnmapMemory2(handle, info);
}
#endif

/* ---- Flush and invalidate ---- */

/* A range of a call, resolved: inside the memory, whatever the application said. */
struct range {
	struct gsl_memory *memory;
	u64 offset;
	u64 size;
};

static struct range resolve(struct gsl_device *device, const VkMappedMemoryRange *given)
{
	struct range range = { gsl_memory_of(device, given->memory), given->offset, given->size };
	u64 end;

	if (!range.memory)
		return range;
	end = range.memory->mapped ? range.memory->map_offset + range.memory->map_size :
				     range.memory->size;
	if (range.offset > end)
		range.offset = end;
	if (range.size > end - range.offset)
		range.size = end - range.offset;
	return range;
}

static void check_alignment(struct gsl_device *device, const VkMappedMemoryRange *given,
			    const struct range *range, const char *call, struct gsl_batch *batch)
{
	u64 mask = device->atom - 1;
	u64 end = range->offset + range->size;
	/* All of a map ends where the map does. */
	u64 last = given->size == VK_WHOLE_SIZE ? end : given->size;
	struct gsl_finding finding;

	if (!(given->offset & mask) && (!(last & mask) || end == range->memory->size))
		return;
	finding = gsl_memory_finding(range->memory, GSL_MISALIGNED, range->offset, range->size);
	finding.call = call;
	snprintf(finding.detail, sizeof(finding.detail), "which is %u", device->atom);
	gsl_batch_add(batch, &finding);
}

/*
 * A driver whose memory is not coherent has to be told too, of whole atoms of its own, which
 * are no larger than those shown.
 */
static VkResult tell_driver(struct gsl_device *device, const struct range *range,
			    PFN_vkFlushMappedMemoryRanges call)
{
	VkMemoryPropertyFlags flags = gsl_types_driver_flags(device->types, range->memory->type);
	u64 mask = device->atom - 1;
	VkMappedMemoryRange whole = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = range->memory->handle,
		.offset = range->offset & ~mask,
		.size = ((range->offset + range->size + mask) & ~mask) - (range->offset & ~mask),
	};

	if (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
		return VK_SUCCESS;
	if (whole.offset + whole.size > range->memory->size)
		whole.size = VK_WHOLE_SIZE;
	return call(device->handle, 1, &whole);
}

/* Rows of atoms, as one that has them all. */
static void widen(void *ctx, u64 offset, u64 size)
{
	struct gsl_finding *lost = ctx;

	if (!lost->bytes)
		lost->offset = offset;
	lost->size = offset + size - lost->offset;
	lost->bytes += size;
}

/*
 * What a flush destroys, as one finding of each kind. In atoms that the device did not write,
 * memory may be unlike the copy from its beginning.
 */
struct clashes {
	struct gsl_unseen unseen;
	u64 atom;
	struct gsl_finding of[GS_VIOLATION_KINDS];
};

static void add_clash(void *ctx, enum gs_violation_kind kind, u64 offset, u64 size)
{
	struct clashes *clashes = ctx;
	u64 atom = offset & ~(clashes->atom - 1);
	u32 i;

	for (i = 0; i < clashes->unseen.count; i++) {
		if (atom < clashes->unseen.rows[i].end &&
		    clashes->unseen.rows[i].offset < atom + clashes->atom) {
			widen(&clashes->of[kind], offset, size);
			return;
		}
	}
}

/* What was destroyed may be what nobody wants any more. */
static void tell_clashes(struct gsl_memory *memory, const struct clashes *clashes,
			 struct gsl_batch *batch)
{
	int kind;

	for (kind = 0; kind < GS_VIOLATION_KINDS; kind++) {
		const struct gsl_finding *row = &clashes->of[kind];
		struct gsl_finding finding;

		if (!row->bytes)
			continue;
		finding = gsl_memory_finding(memory, kind, row->offset, row->size);
		finding.bytes = row->bytes;
		finding.possibly = true;
		finding.call = "vkFlushMappedMemoryRanges";
		gsl_batch_add(batch, &finding);
	}
}

/* While bytes are moved, others may flush and invalidate: the device's lock is not held then. */
static VkResult flush(struct gsl_device *device, const VkMappedMemoryRange *given,
		      struct gsl_batch *batch)
{
	struct range range = resolve(device, given);
	struct clashes clashes = { .atom = device->atom };
	enum gsl_device_writes writes;
	struct gsl_moved moved;

	if (!range.memory || !range.memory->copies)
		return device->calls.FlushMappedMemoryRanges(device->handle, 1, given);
	pthread_mutex_lock(&device->lock);
	check_alignment(device, given, &range, "vkFlushMappedMemoryRanges", batch);
	writes = gsl_memory_device_writes(range.memory, range.offset, range.size);
	gsl_memory_find_unseen(range.memory, range.offset, range.size, &clashes.unseen);
	pthread_mutex_unlock(&device->lock);
	moved = gsl_copies_flush(range.memory->copies, range.offset, range.size, writes,
				 clashes.unseen.count ? add_clash : NULL, &clashes);
	pthread_mutex_lock(&device->lock);
	tell_clashes(range.memory, &clashes, batch);
	gsl_memory_flushed(range.memory, range.offset, range.size, &moved, batch);
	pthread_mutex_unlock(&device->lock);
	return tell_driver(device, &range, device->calls.FlushMappedMemoryRanges);
}

VkResult gsl_memory_invalidate_driver(struct gsl_memory *memory, u64 offset, u64 size)
{
	struct range range = { memory, offset, size };

	return tell_driver(memory->device, &range,
			   memory->device->calls.InvalidateMappedMemoryRanges);
}

VkResult gsl_memory_flush_driver(struct gsl_memory *memory, u64 offset, u64 size)
{
	struct range range = { memory, offset, size };

	return tell_driver(memory->device, &range,
			   memory->device->calls.FlushMappedMemoryRanges);
}

static VkResult invalidate(struct gsl_device *device, const VkMappedMemoryRange *given,
			   struct gsl_batch *batch)
{
	struct range range = resolve(device, given);
	struct gsl_finding lost = { 0 }, finding;
	VkResult result;

	if (!range.memory || !range.memory->copies)
		return device->calls.InvalidateMappedMemoryRanges(device->handle, 1, given);
	result = tell_driver(device, &range, device->calls.InvalidateMappedMemoryRanges);
	pthread_mutex_lock(&device->lock);
	check_alignment(device, given, &range, "vkInvalidateMappedMemoryRanges", batch);
	gsl_memory_invalidating(range.memory, range.offset, range.size, batch);
	pthread_mutex_unlock(&device->lock);
	gsl_copies_invalidate(range.memory->copies, range.offset, range.size, widen, &lost);
	if (!lost.bytes)
		return result;
	pthread_mutex_lock(&device->lock);
	finding = gsl_memory_finding(range.memory, GSL_INVALIDATE_FOR_FLUSH, lost.offset,
				     lost.size);
	finding.bytes = lost.bytes;
	finding.call = "vkInvalidateMappedMemoryRanges";
	gsl_batch_add(batch, &finding);
	pthread_mutex_unlock(&device->lock);
	return result;
}

static VkResult each_range(VkDevice handle, uint32_t count, const VkMappedMemoryRange *ranges,
			   VkResult (*act)(struct gsl_device *device,
					   const VkMappedMemoryRange *given,
					   struct gsl_batch *batch))
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_batch batch = { 0 };
	VkResult result = VK_SUCCESS;
	uint32_t i;

	pthread_mutex_lock(&device->lock);
	gsl_reads_collect(device, &batch);
	gsl_device_move(device);
	pthread_mutex_unlock(&device->lock);
	for (i = 0; i < count && !result; i++)
		result = act(device, &ranges[i], &batch);
	tell(device, &batch);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_FlushMappedMemoryRanges(VkDevice handle, uint32_t count,
							   const VkMappedMemoryRange *ranges)
{
	return each_range(handle, count, ranges, flush);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_InvalidateMappedMemoryRanges(VkDevice handle, uint32_t count,
								const VkMappedMemoryRange *ranges)
{
	return each_range(handle, count, ranges, invalidate);
}
