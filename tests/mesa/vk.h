/* SPDX-License-Identifier: MIT */
/*
 * A Vulkan device of Mesa's panvk, and the emulated device beneath it, as gemsync sees that.
 * What fails here fails the test.
 */
#ifndef VK_H
#define VK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gemsync/gemsync.h>
#include <vulkan/vulkan.h>

#define CHECK(call)		assert_int_equal(call, VK_SUCCESS)
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
/* Long enough for a busy machine; what hangs, hangs longer. */
#define LONG_NS			60000000000ull

struct vk {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceMemoryProperties types;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
	bool has_conditions;		/* VK_EXT_conditional_rendering */
	bool has_times;			/* timestamps */
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	uint64_t serial;		/* of the last violation before the test */
};

void vk_open(struct vk *vk);
void vk_close(struct vk *vk);

enum memory_kind { MEMORY_CACHED, MEMORY_COHERENT };

/* Host-visible, and not coherent, or coherent. UINT32_MAX if there is none in @bits. */
uint32_t vk_find_type(const struct vk *vk, uint32_t bits, enum memory_kind kind);

struct vk_memory {
	VkDeviceMemory memory;
	VkBuffer buffer;	/* all of it */
	VkDeviceSize size;
	uint8_t *map;		/* all of it */
};

/* @next: of VkMemoryAllocateInfo; @external: handles by which the buffer comes or goes. */
void vk_alloc(struct vk *vk, struct vk_memory *memory, VkDeviceSize size, enum memory_kind kind,
	      const void *next, VkExternalMemoryHandleTypeFlags external);
void vk_free(struct vk *vk, struct vk_memory *memory);
void vk_flush(struct vk *vk, const struct vk_memory *memory, VkDeviceSize offset,
	      VkDeviceSize size);
void vk_invalidate(struct vk *vk, const struct vk_memory *memory, VkDeviceSize offset,
		   VkDeviceSize size);

/* Record, and then submit and wait: what was recorded, or nothing but a fence. */
void vk_begin(struct vk *vk);
VkResult vk_try(struct vk *vk, bool with_commands);
void vk_run(struct vk *vk, bool with_commands);

/* A compute shader. Whatever it does, it needs a shader core. */
struct vk_shader {
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

void vk_shader_create(struct vk *vk, struct vk_shader *shader);
void vk_shader_destroy(struct vk *vk, const struct vk_shader *shader);

/* Violations since the test began, or since they were asked for the last time. */
uint32_t vk_violations(struct vk *vk, struct gemsync_violation *first);
struct gemsync_costs vk_costs(struct vk *vk);

#endif
