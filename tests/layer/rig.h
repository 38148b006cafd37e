/* SPDX-License-Identifier: MIT */
/*
 * The layer, built in, on a driver that does nothing: with two queues, two memory types of which
 * the second one is for the host, sparse binding, and every call that the headers know. What its
 * device writes, the test writes into the driver's memory.
 */
#ifndef RIG_H
#define RIG_H

#include "layer.h"

#define RIG_SIZE	4096	/* of each memory */
#define RIG_MEMORIES	4	/* that a test may allocate */
#define RIG_FENCE	((VkFence)(uintptr_t)0xfe7ce)

struct rig {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queues[2];
	VkDeviceMemory memory;	/* not coherent, mapped */
	VkBuffer buffer;	/* of that size, not bound */
	u8 *map;		/* of the application */
	u8 *mem;		/* of the driver */
	char found[8][64];	/* the kinds of what was found */
	u64 offsets[8];		/* in the resource, or memory */
	bool possibly[8];
	u32 count;
};

/* What the next one is opened with. */
struct rig_driver {
	VkMemoryPropertyFlags flags;	/* of the second type */
	const char *settings;		/* as for GEMSYNC */
	const char *lacks;		/* a call that there is not, or NULL */
	VkSemaphore reached;		/* a timeline that has every value; others have none */
};

extern struct rig_driver rig_driver;

/* An instance and a device, or neither of them. */
VkResult rig_create(struct rig *rig);

/* Of cmocka: *state is the struct rig. Closing sets &rig_driver back. */
int rig_open(void **state);
int rig_close(void **state);

/* The type that the last allocation asked the driver for. */
u32 rig_allocated_type(void);

/* One more memory of RIG_SIZE bytes, mapped; *@mem is the driver's. */
VkDeviceMemory rig_allocate(struct rig *rig, u8 **map, u8 **mem);

VkCommandBuffer rig_commands(struct rig *rig);
void rig_submit(struct rig *rig, int queue, VkCommandBuffer commands, VkSemaphore wait,
		VkSemaphore signal, VkFence fence);

/* Submit to the first queue, and wait. */
void rig_run(struct rig *rig, VkCommandBuffer commands);

void rig_flush(struct rig *rig, VkDeviceMemory memory, u64 offset, u64 size);
void rig_invalidate(struct rig *rig, VkDeviceMemory memory, u64 offset, u64 size);
void rig_host_barrier(VkCommandBuffer commands);

/* Exactly this was found; NULL: nothing. */
void rig_expect(struct rig *rig, const char *kind);

#endif
