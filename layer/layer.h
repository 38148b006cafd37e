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
#include "reads.h"
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
	pthread_mutex_t messenger_lock;
	struct gsl_messenger *messengers;
};

/* One of the application's. */
struct gsl_messenger {
	struct gsl_messenger *next;
	VkDebugUtilsMessengerEXT handle;
	VkDebugUtilsMessageSeverityFlagsEXT severities;
	VkDebugUtilsMessageTypeFlagsEXT types;
	PFN_vkDebugUtilsMessengerCallbackEXT callback;
	void *data;
};

struct gsl_instance *gsl_instance_of(const void *dispatchable);

/* The memory types of a physical device; NULL if there is no memory for them. */
const struct gsl_types *gsl_types_of(struct gsl_instance *instance, VkPhysicalDevice physical);

/* ---- Devices ---- */

#define GSL_QUEUES	16	/* that are followed; of others nothing is known */

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
	struct gsl_map templates;	/* VkDescriptorUpdateTemplate: struct gsl_template */
	struct gsl_map commands;	/* VkCommandBuffer: struct gsl_commands */
	struct gsl_map passes;		/* VkRenderPass: struct gsl_pass */
	struct gsl_map framebuffers;	/* VkFramebuffer: struct gsl_framebuffer */
	struct gsl_map queues;		/* VkQueue: struct gsl_queue */
	struct gsl_map fences;		/* VkFence: struct gsl_fence */
	struct gsl_map semaphores;	/* VkSemaphore: struct gsl_semaphore */
	struct gsl_map queries;		/* VkQueryPool: struct gsl_queries */
	struct gsl_map events;		/* VkEvent: struct gsl_event */
	struct gsl_map names;		/* any handle: its name */
	atomic_ulong serials;		/* of resources and views */

	pthread_mutex_t lock;
	/* Under @lock: */
	struct gsl_memory *first_memory;
	struct gsl_queue *queue_list[GSL_QUEUES];
	u32 queue_count;
	struct gs_random random;	/* of chaos */
	struct gsl_faults faults;	/* see there */
	u64 submissions;	/* calls */
	u64 jobs;
	u64 writes;
	u64 done;		/* grows with what the host knows to be done */
	u64 available;		/* a barrier made all writes up to this one available to the host */
};

struct gsl_device *gsl_device_of(const void *dispatchable);

/* From the driver's memoryTypeBits to those of the types that are shown. */
void gsl_device_translate_bits(struct gsl_device *device, uint32_t *bits);

/* An object goes: its handle may be another one's next. */
void gsl_device_forget_name(struct gsl_device *device, VkObjectType type, u64 handle);

/* Describe an object for a finding. The device's lock is held. */
struct gsl_object gsl_object_of(struct gsl_device *device, VkObjectType type, u64 handle);

/* ---- Memory ---- */

/*
 * Handles of several types may be alike. In maps that buffers and images share, and in all that
 * names one of them, an image and its views have other keys.
 */
#define GSL_IMAGE_KEY(handle)	(GSL_KEY(handle) ^ 0x9e3779b97f4a7c15ull)

/* What the device wrote, or may have written, and the host has not made visible to itself. */
struct gsl_write {
	u64 offset;
	u64 size;
	struct gsl_queue *queue;
	u64 submission;
	u64 job;
	u64 number;		/* of all writes of the device */
	u64 resource;		/* its key */
	bool done;		/* the host knows it by an event; &gsl_queue.done tells too */
	bool guarded;		/* loads of it are caught */
	bool certain;		/* a transfer, not a shader that may only read */
	bool available;		/* a barrier made it available to the host */
	bool early;		/* the host invalidated it before it was known to be done */
	bool refilled;		/* report mode: the host's copy has it */
	u64 stale_offset;	/* and what it had not seen then */
	u64 stale_end;
};

#define GSL_WRITES	32	/* kept of a memory; then they are joined */
#define GSL_SYNCS	8	/* the last ones */

/* The last flushes, or invalidates. */
struct gsl_syncs {
	u32 count;	/* of all times */
	struct {
		u64 offset;
		u64 end;
		u64 submission;		/* the last one before it */
		u64 job;		/* likewise */
	} last[GSL_SYNCS];
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
	bool shared;			/* several things were bound here at once */
	u64 map_job;			/* the last one submitted when it was mapped */
	bool addressed;			/* something bound here may be reached by its address */
	u64 shown;			/* report mode: &gsl_device.done when that was shown */
	bool opaque;			/* something is bound here that is not followed */

	/* Under the device's lock. */
	struct gsl_write writes[GSL_WRITES];
	u32 write_count;
	struct gsl_syncs flushes;
	struct gsl_syncs invalidates;
	u64 unmap_offset, unmap_end;	/* what had changed and was not flushed at the unmap */
	u64 missed_offset, missed_end;	/* what a submission should have read: not flushed then */
	u64 missed_submission;
	bool missed_possibly;
};

struct gsl_memory *gsl_memory_of(struct gsl_device *device, VkDeviceMemory handle);

/* Something is bound to it that is not followed. The device's lock is held. */
void gsl_memory_set_opaque(struct gsl_device *device, VkDeviceMemory handle);

/* Before the device goes. */
void gsl_device_free_memories(struct gsl_device *device);

/* Let the driver drop, or write back, its lines too, if its memory is not coherent of itself. */
VkResult gsl_memory_invalidate_driver(struct gsl_memory *memory, u64 offset, u64 size);
VkResult gsl_memory_flush_driver(struct gsl_memory *memory, u64 offset, u64 size);

/* Chaos: some atoms of all memories move. The device's lock is held. */
void gsl_device_move(struct gsl_device *device);

/* Whether the host can see it, in whatever way. */
bool gsl_memory_is_visible(const struct gsl_memory *memory);

/* ---- What happens to memory (history.c). The device's lock is held. ---- */

/* A finding in a memory, with what is bound at @offset. */
struct gsl_finding gsl_memory_finding(struct gsl_memory *memory, int kind, u64 offset, u64 size);

/* Whether the device wrote to what is bound in a range. */
enum gsl_device_writes gsl_memory_device_writes(struct gsl_memory *memory, u64 offset, u64 size);

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

/* The host loads a byte: does it see what the device wrote? @code: where that stands. */
void gsl_memory_loaded(struct gsl_memory *memory, u64 offset, u64 code, struct gsl_batch *batch);

/* The host touched pages that hold what the device wrote. @page: bytes of one. */
void gsl_memory_touched(struct gsl_memory *memory, u64 offset, u64 end, u64 page,
			struct gsl_batch *batch);

/* The host unmaps it. */
void gsl_memory_unmapping(struct gsl_memory *memory, const char *call, struct gsl_batch *batch);

/* The host knows by an event that the writes of a job up to a number are done. */
void gsl_memory_writes_done(struct gsl_memory *memory, u64 job, u64 number);

/* A submission reads, or writes, a range that is inside the memory. */
void gsl_memory_device_reads(struct gsl_memory *memory, u64 offset, u64 size, bool possibly,
			     const struct gsl_finding *where, struct gsl_batch *batch);
void gsl_memory_device_wrote(struct gsl_memory *memory, const struct gsl_write *write,
			     const struct gsl_finding *where, struct gsl_batch *batch);

/* As gsl_memory_device_wrote(), to what the host will not read. */
void gsl_memory_device_overwrote(struct gsl_memory *memory, const struct gsl_write *write,
				 const struct gsl_finding *where, struct gsl_batch *batch);

/* A barrier makes writes to a range available to the host. */
void gsl_memory_made_available(struct gsl_memory *memory, u64 offset, u64 size);

/* The host learnt that some submissions are done: &gsl_queue.done has changed. */
void gsl_memory_completed(struct gsl_memory *memory, const char *call, struct gsl_batch *batch);

/* A name for a place in the application's code (reads.c). */
void gsl_code_name(u64 code, char *name, size_t size);

/* ---- Resources ---- */

/*
 * A buffer or an image, in one place of memory; or a piece of a sparse buffer, which has the
 * buffer's handle.
 */
struct gsl_resource {
	u64 key;		/* by which it is found */
	u64 handle;
	u64 serial;		/* handles are used again, serials are not */
	VkObjectType type;
	u64 size;
	bool device_writes;	/* its usage lets the device write to it */
	bool written;		/* something that was submitted does, or may do so */
	bool addressed;		/* the device may reach it by its address */
	VkFormat format;	/* of an image */
	VkExtent3D extent;
	bool optimal;		/* where its texels are the host cannot know */
	bool host_copied;	/* the host may copy it without a map */
	struct gsl_write unavailable;	/* such an image's last one; number 0: none */
	u64 begin;		/* of a piece, in the buffer; else 0 */
	struct gsl_resource *pieces;	/* of a sparse buffer; those that are not bound are dead */
	struct gsl_resource *next_piece;
	struct gsl_memory *memory;	/* NULL: not bound. These under the device's lock */
	u64 offset;
	struct gsl_resource *next;
	u32 judged;		/* how often it was looked for what the host did not see */
};

/* A part of a resource that a descriptor can name. */
struct gsl_view {
	u64 serial;
	u64 resource;
	u64 resource_serial;
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

/* A piece of a buffer is bound, or unbound. The device's lock is held. */
void gsl_resource_bind_piece(struct gsl_device *device, VkBuffer buffer,
			     const VkSparseMemoryBind *bind);

/* Call @visit for each row of memory where a range of a resource lies. Likewise. */
void gsl_resource_each_place(struct gsl_resource *resource, u64 offset, u64 size,
			     void (*visit)(void *ctx, struct gsl_resource *place, u64 offset,
					   u64 size),
			     void *ctx);

/* Before the device goes. */
void gsl_device_free_pieces(struct gsl_device *device);

/* What is bound at an offset, or NULL. The device's lock is held. */
struct gsl_resource *gsl_resource_at(struct gsl_memory *memory, u64 offset);

/* ---- Descriptors ---- */

struct gsl_binding {
	u32 number;
	u32 count;
	u32 first;	/* of the set's slots */
	bool possibly;	/* which of its descriptors a shader reads, nobody knows */
	VkDescriptorType type;
};

struct gsl_layout {
	u32 count;
	u32 slots;
	struct gsl_binding bindings[];	/* by their numbers */
};

/* One descriptor: what it names, a part of a resource. */
struct gsl_slot {
	VkDescriptorType type;
	u64 resource;	/* its key; 0: nothing */
	u64 serial;	/* of the resource */
	u64 view;	/* by which it is named, or 0 */
	u64 view_serial;
	u64 offset;
	u64 size;
};

/*
 * What a descriptor of a type names: @info is a VkDescriptorBufferInfo, VkDescriptorImageInfo
 * or VkBufferView, as the type wants it.
 */
void gsl_slot_write(struct gsl_device *device, struct gsl_slot *slot, VkDescriptorType type,
		    const void *info);

/* The @i-th info of a write; NULL if its type names no resource. */
const void *gsl_write_info(const VkWriteDescriptorSet *write, u32 i);

/* Whether what a descriptor named is there still. */
bool gsl_slot_is_valid(struct gsl_device *device, const struct gsl_slot *slot);

/* Whether a shader may write to what a descriptor of a type names. */
bool gsl_is_storage(VkDescriptorType type);
bool gsl_is_dynamic(VkDescriptorType type);

struct gsl_template {
	VkPipelineBindPoint point;	/* of what it pushes */
	u32 count;
	VkDescriptorUpdateTemplateEntry entries[];
};

/* Call @write for each descriptor that an update by a template writes. */
void gsl_template_each(const struct gsl_template *template, const void *data,
		       void (*write)(void *ctx, u32 binding, u32 element, VkDescriptorType type,
				     const void *info),
		       void *ctx);

struct gsl_set {
	VkDescriptorPool pool;
	struct gsl_layout *layout;	/* behind the slots */
	struct gsl_slot slots[];
};

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
		GSL_USE_WORK,		/* memory may be used by its address: shaders run */
		GSL_USE_HOST_BARRIER,	/* writes before it are made available to the host */
		GSL_USE_SET_EVENT,
		GSL_USE_RESET_EVENT,
		GSL_USE_WAIT_EVENT,
		GSL_USE_COMMANDS,	/* a secondary command buffer is executed */
	} kind;
	u32 access;
	bool shader;		/* a shader may write: it is not certain that it does */
	bool possibly;		/* nor that any of it is read */
	u64 handle;		/* resource's key (0 in a barrier: all), set, event or commands */
	u64 offset;
	u64 size;		/* VK_WHOLE_SIZE: to the end */
	u32 first_dynamic;	/* of the set's dynamic offsets, in the command buffer's */
	u32 dynamic_count;
};

enum gsl_point { GSL_GRAPHICS, GSL_COMPUTE, GSL_RAYS, GSL_POINTS };

#define GSL_BOUND	32	/* sets, and vertex buffers */

/* Something bound. It is used by the first work after that, and after a barrier again. */
struct gsl_bound {
	u64 handle;	/* 0: nothing */
	u64 since;	/* &gsl_commands.time */
	u64 offset;
	u64 size;
	u32 first_dynamic;
	u32 dynamic_count;
};

/* A descriptor that was pushed. */
struct gsl_pushed {
	enum gsl_point point;
	u32 set;
	u32 binding;
	u32 element;
	u64 since;
	struct gsl_slot slot;
};

struct gsl_commands {
	VkCommandPool pool;
	struct gsl_use *uses;
	size_t count;
	size_t space;
	u32 *dynamic;
	size_t dynamic_count;
	size_t dynamic_space;
	bool waits_for_events;
	bool pass_ends_with_barrier;

	/* While it is recorded: what is bound, and when; times count binds and barriers. */
	u64 time;
	u64 barrier;			/* the last one to the host */
	u64 worked[GSL_POINTS];		/* the last work */
	struct gsl_bound sets[GSL_POINTS][GSL_BOUND];
	struct gsl_bound vertices[GSL_BOUND];
	struct gsl_bound index;
	struct gsl_pushed *pushed;
	size_t pushed_count;
	size_t pushed_space;
};

struct gsl_commands *gsl_commands_of(struct gsl_device *device, VkCommandBuffer handle);

void gsl_commands_add(struct gsl_commands *commands, const struct gsl_use *use);

/* A range of a buffer is read, or written. NULL handles are nothing. */
void gsl_commands_read(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
		       u64 offset, u64 size);
void gsl_commands_may_read(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			   u64 offset, u64 size);
void gsl_commands_write(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			u64 offset, u64 size);
void gsl_commands_may_write(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			    u64 offset, u64 size);

/* What a barrier to VK_PIPELINE_STAGE_HOST_BIT has to be for. */
#define GSL_HOST_READS	(VK_ACCESS_HOST_READ_BIT | VK_ACCESS_MEMORY_READ_BIT)

/* All that came before in the command buffer is made available to the host. */
void gsl_commands_barrier(struct gsl_device *device, VkCommandBuffer handle);

/*
 * An image is read, or written; where in its memory the part of @extent lies is the driver's
 * affair. @count: of parts.
 */
void gsl_commands_use_image(struct gsl_device *device, VkCommandBuffer handle, u64 key,
			    u32 access, u32 count, VkExtent3D extent);

/* Shaders run with what is bound. */
void gsl_commands_work(struct gsl_device *device, VkCommandBuffer handle, enum gsl_point point);

/* The device may read and write whatever has an address. */
void gsl_commands_use_addresses(struct gsl_device *device, VkCommandBuffer handle);

/* Nothing is bound: recording begins. */
void gsl_commands_unbind(struct gsl_commands *commands);

/* ---- Queues, and what is known to come after what ---- */

/* Of each queue, the last job of it that is known to come before something. */
struct gsl_clock {
	u64 jobs[GSL_QUEUES];
};

/* A wait for a semaphore, or a signal of one; the value is that of a timeline. */
struct gsl_wait {
	u64 semaphore;
	u64 value;
	bool over;	/* it was while the job waited for something else */
};

/*
 * A batch of a submission. It is looked at when it is submitted, or, if it waits for what the
 * host signals, when the host does that: so long the host may store and flush.
 */
struct gsl_job {
	struct gsl_job *next;
	struct gsl_queue *queue;
	u64 number;	/* counts all jobs of the device */
	u64 submission;	/* counts calls */
	u64 fence;
	bool late;	/* it may run already: what it reads is not judged */
	struct gsl_wait *waits, *signals;	/* behind the job, as the commands are */
	u64 *commands;
	u32 wait_count, signal_count, command_count;
};

struct gsl_queue {
	VkQueue handle;
	u32 index;	/* in clocks; the rest is under the device's lock */
	u64 done;	/* the last job that the host knows to be done */
	u64 shared;	/* the last one of which the host may know it by an exported handle */
	struct gsl_clock clock;	/* what comes before its next job */
	struct gsl_job *first;	/* those that wait for the host, and those behind */
	struct gsl_job **end;
};

/* The queue of a handle, NULL if it is not followed. The device's lock is held. */
struct gsl_queue *gsl_queue_of(struct gsl_device *device, VkQueue handle);

/* Look at a job's commands: what they read and write. The device's lock is held. */
void gsl_job_use(struct gsl_device *device, const struct gsl_job *job, const char *call,
		 struct gsl_batch *batch);

/* Whether it waits for an event that nothing has set yet. The device's lock is held. */
bool gsl_job_waits_for_event(struct gsl_device *device, const struct gsl_job *job);

/* Look at the jobs that wait for nothing any more. The device's lock is held. */
void gsl_jobs_run(struct gsl_device *device, const char *call, struct gsl_batch *batch);

/* The jobs of a queue up to a number are done, whatever they waited for. Likewise. */
void gsl_jobs_force(struct gsl_device *device, struct gsl_queue *queue, u64 number,
		    const char *call, struct gsl_batch *batch);

/*
 * A command buffer, or all of a pool (0: of none), are recorded anew or go, so that the jobs
 * which were submitted with them are done, however the host learnt it. No lock is held.
 */
void gsl_jobs_finish(struct gsl_device *device, VkCommandPool pool, u64 commands);

/* Before the device goes. */
void gsl_device_free_jobs(struct gsl_device *device);

/* ---- Fences, semaphores and events (sync.c). The device's lock is held. ---- */

struct gsl_fence {
	struct gsl_queue *queue;
	u64 job;
	bool posted;	/* the job was looked at; only then there is a clock */
	struct gsl_clock clock;
};

#define GSL_SIGNALS	16	/* kept of a semaphore: more are hardly in flight */

/* A semaphore with its last signals; a binary one has one signal. */
struct gsl_signal {
	u64 value;
	struct gsl_clock clock;
};

struct gsl_semaphore {
	bool timeline;
	bool pending;	/* a binary one, which a job signals that waits for the host */
	u64 known;	/* the highest value that something signals which was looked at */
	u32 count;	/* of all times */
	struct gsl_signal signals[GSL_SIGNALS];
	struct gsl_signal dropped;	/* the last one that is not kept; once @count is higher */
};

struct gsl_event {
	bool set;	/* by the host, or by what was looked at */
	bool by_device;
	u64 job;	/* of the device: up to this write of this job all is done then */
	u64 write;
	struct gsl_clock clock;	/* and what came before the job */
};

/* The event of a handle; NULL if there is no memory for it. */
struct gsl_event *gsl_event_of(struct gsl_device *device, u64 handle);

/* Whether what a wait waits for is signalled by what was looked at. */
bool gsl_wait_is_known(struct gsl_device *device, const struct gsl_wait *wait);

/* Whether the driver says that it is signalled. */
bool gsl_wait_is_over(struct gsl_device *device, const struct gsl_wait *wait);

/* What comes before the end of a wait. */
void gsl_wait_merge(struct gsl_device *device, const struct gsl_wait *wait,
		    struct gsl_clock *clock);

void gsl_signal_submit(struct gsl_device *device, const struct gsl_wait *signal);
void gsl_signal_post(struct gsl_device *device, const struct gsl_wait *signal,
		     const struct gsl_clock *clock);
void gsl_fence_submit(struct gsl_device *device, const struct gsl_job *job);
void gsl_fence_post(struct gsl_device *device, const struct gsl_job *job);

/* Before the device goes. */
void gsl_device_free_commands(struct gsl_device *device);

#endif
