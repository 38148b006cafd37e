/* SPDX-License-Identifier: MIT */
/*
 * What the layer knows of instances, devices and their objects, and who may touch it.
 *
 * An instance and a device are found by the first word of their handles and of those of their
 * children, which the loader fills (gsl_instance_of(), gsl_device_of()). Everything else is
 * found by its handle in a map. Objects that the application has to serialize (command buffers,
 * descriptor sets while they are written) have no lock of their own; what submissions look at
 * is under &gsl_device.lock. Locks nest in this order: device, map, copies. None is held while
 * the driver is called for anything that may wait, nor while findings are told.
 */
#ifndef GSL_LAYER_H
#define GSL_LAYER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "gsl_calls.h"

#include "copies.h"
#include "findings.h"
#include "map.h"
#include "memory_types.h"
#include "settings.h"
#include "types.h"

#define GSL_LAYER_NAME	"VK_LAYER_GEMSYNC_noncoherent"
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* ---- Instances and physical devices ---- */

struct gsl_instance {
	VkInstance handle;
	PFN_vkGetInstanceProcAddr next;
	PFN_GetPhysicalDeviceProcAddr next_physical;
	struct gsl_instance_calls calls;
	struct gsl_settings settings;
	struct gsl_findings findings;
	struct gsl_map physical;	/* VkPhysicalDevice to its struct gsl_types */
	atomic_int messengers;
};

struct gsl_instance *gsl_instance_of(const void *dispatchable);

/* The memory types of a physical device; NULL if there is no memory for them. */
const struct gsl_types *gsl_types_of(struct gsl_instance *instance, VkPhysicalDevice physical);

/* ---- Devices ---- */

struct gsl_device {
	VkDevice handle;
	PFN_vkGetDeviceProcAddr next;
	struct gsl_device_calls calls;
	struct gsl_instance *instance;
	const struct gsl_types *types;
	u32 atom;		/* the nonCoherentAtomSize that is shown */
	u64 map_align;		/* minMemoryMapAlignment */

	struct gsl_map memories;	/* VkDeviceMemory: struct gsl_memory */
	struct gsl_map resources;	/* VkBuffer, VkImage: struct gsl_resource */
	struct gsl_map views;		/* VkBufferView, VkImageView: struct gsl_view */
	struct gsl_map layouts;		/* VkDescriptorSetLayout: struct gsl_layout */
	struct gsl_map sets;		/* VkDescriptorSet: struct gsl_set */
	struct gsl_map commands;	/* VkCommandBuffer: struct gsl_commands */
	struct gsl_map queues;		/* VkQueue: struct gsl_queue */
	struct gsl_map fences;		/* VkFence: struct gsl_signal */
	struct gsl_map semaphores;	/* VkSemaphore: struct gsl_timeline */
	struct gsl_map names;		/* any handle: its name */

	pthread_mutex_t lock;
	struct gsl_memory *first_memory;	/* under @lock */
	u64 submissions;			/* under @lock */
};

struct gsl_device *gsl_device_of(const void *dispatchable);

/* From the driver's memoryTypeBits to those of the types that are shown. */
void gsl_device_translate_bits(struct gsl_device *device, uint32_t *bits);

/* Describe an object for a finding. */
struct gsl_object gsl_object_of(struct gsl_device *device, VkObjectType type, u64 handle);

/* ---- Memory ---- */

/* What the device wrote, or may have written, and the host has not made visible to itself. */
struct gsl_write {
	u64 offset;
	u64 size;
	struct gsl_queue *queue;
	u64 submission;
	u64 resource;		/* VkBuffer or VkImage */
	bool certain;		/* a transfer, not a shader that may only read */
	bool available;		/* a barrier made it available to the host */
	bool early;		/* the host invalidated it before it was known to be done */
	bool refilled;		/* report mode: the host's copy has it */
	u64 stale_offset;	/* and what it had not seen then */
	u64 stale_end;
};

#define GSL_WRITES	32	/* kept of a memory; then they are joined */
#define GSL_FLUSHES	8	/* the last ones */

struct gsl_flush {
	u64 offset;
	u64 end;
	u64 submission;		/* the last one before it */
};

struct gsl_memory {
	VkDeviceMemory handle;
	struct gsl_device *device;
	struct gsl_memory *next;	/* of the device, under its lock */
	struct gsl_memory **link;
	u64 size;
	u32 type;			/* as shown */
	bool has_copies;		/* it gets them at the first map */
	struct gsl_copies *copies;	/* NULL before */
	bool mapped;
	u64 map_offset;
	u64 map_size;
	struct gsl_resource *resources;	/* bound here, under the device's lock */
	bool addressed;			/* something bound here may be reached by its address */

	/* Under the device's lock. */
	struct gsl_write writes[GSL_WRITES];
	u32 write_count;
	struct gsl_flush flushes[GSL_FLUSHES];
	u32 flush_count;		/* of all times */
	u64 unmap_offset, unmap_end;	/* what had changed and was not flushed at the unmap */
	u64 missed_offset, missed_end;	/* what a submission should have read: not flushed then */
	u64 missed_submission;
};

struct gsl_memory *gsl_memory_of(struct gsl_device *device, VkDeviceMemory handle);

/* Before the device goes. */
void gsl_device_free_memories(struct gsl_device *device);

/* Let the driver drop, or write back, its lines too, if its memory is not coherent of itself. */
VkResult gsl_memory_invalidate_driver(struct gsl_memory *memory, u64 offset, u64 size);
VkResult gsl_memory_flush_driver(struct gsl_memory *memory, u64 offset, u64 size);

/* Whether the host can see it, in whatever way. */
bool gsl_memory_is_visible(const struct gsl_memory *memory);

/* ---- What happens to memory (history.c). The device's lock is held. ---- */

/* A finding in a memory, with what is bound at @offset. */
struct gsl_finding gsl_memory_finding(struct gsl_memory *memory, int kind, u64 offset, u64 size);

/* Whether the device can write to what is bound in a range. */
bool gsl_memory_device_writes(struct gsl_memory *memory, u64 offset, u64 size);

/* Rows that the device wrote, is done with, and the host has not seen. */
struct gsl_unseen {
	struct {
		u64 offset;
		u64 end;
	} rows[GSL_WRITES];
	u32 count;
};

/* Those that overlap a range; none for memory that is slow to read. */
void gsl_memory_find_unseen(struct gsl_memory *memory, u64 offset, u64 size,
			    struct gsl_unseen *unseen);

/* The host flushed a range, and @moved was found. */
void gsl_memory_flushed(struct gsl_memory *memory, u64 offset, u64 size,
			const struct gsl_moved *moved, struct gsl_batch *batch);

/* The host is about to invalidate a range. */
void gsl_memory_invalidating(struct gsl_memory *memory, u64 offset, u64 size,
			     struct gsl_batch *batch);

/* The host unmaps it. */
void gsl_memory_unmapping(struct gsl_memory *memory, const char *call, struct gsl_batch *batch);

/* A submission reads, or writes, a range that is inside the memory. */
void gsl_memory_device_reads(struct gsl_memory *memory, u64 offset, u64 size, bool possibly,
			     const struct gsl_finding *where, struct gsl_batch *batch);
void gsl_memory_device_wrote(struct gsl_memory *memory, const struct gsl_write *write,
			     const struct gsl_finding *where, struct gsl_batch *batch);

/* A barrier makes writes to a range available to the host. */
void gsl_memory_made_available(struct gsl_memory *memory, u64 offset, u64 size);

/* The host learnt that some submissions are done: &gsl_queue.done has changed. */
void gsl_memory_completed(struct gsl_memory *memory, const char *call, struct gsl_batch *batch);

/* ---- Resources ---- */

struct gsl_resource {
	u64 handle;
	VkObjectType type;
	u64 size;
	bool device_writes;	/* its usage lets the device write to it */
	bool addressed;		/* the device may reach it by its address */
	VkFormat format;	/* of an image */
	struct gsl_memory *memory;	/* NULL: not bound. These under the device's lock */
	u64 offset;
	struct gsl_resource *next;
	u32 judged;		/* how often it was looked for what the host did not see */
};

/* A part of a resource that a descriptor can name. */
struct gsl_view {
	u64 resource;
	u64 offset;
	u64 size;
};

/*
 * Bytes of a buffer that a copy to or from an image takes; VK_WHOLE_SIZE if that is not known
 * of its format.
 */
u64 gsl_region_size(struct gsl_device *device, VkImage image, const VkBufferImageCopy *region);

/* Forget where it is bound. The device's lock is held. */
void gsl_resource_unbind(struct gsl_resource *resource);

/* What is bound at an offset, or NULL. The device's lock is held. */
struct gsl_resource *gsl_resource_at(struct gsl_memory *memory, u64 offset);

/* ---- Descriptors ---- */

struct gsl_binding {
	u32 number;
	u32 count;
	u32 first;	/* of the set's slots */
	VkDescriptorType type;
};

struct gsl_layout {
	u32 count;
	u32 slots;
	struct gsl_binding bindings[];	/* by their numbers */
};

/* One descriptor: what it names, as the handle of a resource or of a view. */
struct gsl_slot {
	VkDescriptorType type;
	u64 resource;
	u64 view;
	u64 offset;
	u64 size;
};

struct gsl_set {
	VkDescriptorPool pool;
	struct gsl_layout *layout;	/* behind the slots */
	struct gsl_slot slots[];
};

/* The device's lock is held. */
void gsl_set_write(struct gsl_set *set, const VkWriteDescriptorSet *write);

/* ---- Command buffers ---- */

enum gsl_access {
	GSL_READ = 1,
	GSL_WRITE = 2,
};

/* One thing that a command buffer does, in the order of its commands. */
struct gsl_use {
	enum gsl_use_kind {
		GSL_USE_RESOURCE,	/* a range of a resource is read or written */
		GSL_USE_SET,		/* what a descriptor set names is read or written */
		GSL_USE_HOST_BARRIER,	/* writes before it are made available to the host */
		GSL_USE_COMMANDS,	/* a secondary command buffer is executed */
	} kind;
	u32 access;
	u64 handle;		/* resource (0 in a barrier: all), set or command buffer */
	u64 offset;
	u64 size;		/* VK_WHOLE_SIZE: to the end */
	u32 first_dynamic;	/* of the set's dynamic offsets, in the command buffer's */
	u32 dynamic_count;
};

struct gsl_commands {
	VkCommandPool pool;
	struct gsl_use *uses;
	size_t count;
	size_t space;
	u32 *dynamic;
	size_t dynamic_count;
	size_t dynamic_space;
};

/* ---- Queues and submissions ---- */

struct gsl_queue {
	VkQueue handle;
	u64 last;	/* submission; these under the device's lock */
	u64 done;	/* the last one that the host knows to be done */
};

/* What a fence that is signalled tells: a submission is done. */
struct gsl_signal {
	struct gsl_queue *queue;
	u64 submission;
	u64 value;	/* of a timeline */
};

#define GSL_SIGNALS	32	/* kept of a semaphore: more are not in flight */

/* The last signals of a semaphore by submissions. */
struct gsl_timeline {
	struct gsl_signal signals[GSL_SIGNALS];
	u32 count;	/* of all times */
};

/* Before the device goes. */
void gsl_device_free_commands(struct gsl_device *device);

#endif
