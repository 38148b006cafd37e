// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "vk.h"

static void create_instance(struct vk *vk)
{
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_3,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};

	CHECK(vkCreateInstance(&info, NULL, &vk->instance));
}

static bool has_extension(const struct vk *vk, const char *name)
{
	static VkExtensionProperties all[512];
	uint32_t count = ARRAY_SIZE(all), i;

	CHECK(vkEnumerateDeviceExtensionProperties(vk->physical, NULL, &count, all));
	for (i = 0; i < count; i++) {
		if (!strcmp(all[i].extensionName, name))
			return true;
	}
	return false;
}

static void create_device(struct vk *vk)
{
	const float priority = 1;
	VkPhysicalDeviceConditionalRenderingFeaturesEXT conditions = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_CONDITIONAL_RENDERING_FEATURES_EXT,
		.conditionalRendering = VK_TRUE,
	};
	VkPhysicalDeviceVulkan12Features features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = VK_TRUE,
		.hostQueryReset = VK_TRUE,
	};
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const char *extensions[] = {
		VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
		VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
		VK_EXT_CONDITIONAL_RENDERING_EXTENSION_NAME,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &features,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = 2,
		.ppEnabledExtensionNames = extensions,
	};

	vk->has_conditions = has_extension(vk, extensions[2]);
	if (vk->has_conditions) {
		features.pNext = &conditions;
		info.enabledExtensionCount++;
	}
	CHECK(vkCreateDevice(vk->physical, &info, NULL, &vk->device));
	vkGetDeviceQueue(vk->device, 0, 0, &vk->queue);
}

static void choose_physical(struct vk *vk)
{
	VkPhysicalDeviceProperties properties;
	VkQueueFamilyProperties family;
	uint32_t count = 1, families = 1;
	VkResult result = vkEnumeratePhysicalDevices(vk->instance, &count, &vk->physical);

	assert_true(result == VK_SUCCESS || result == VK_INCOMPLETE);
	assert_int_equal(count, 1);
	vkGetPhysicalDeviceProperties(vk->physical, &properties);
	/* Arm's. */
	assert_int_equal(properties.vendorID, 0x13b5);
	vkGetPhysicalDeviceMemoryProperties(vk->physical, &vk->types);
	vkGetPhysicalDeviceQueueFamilyProperties(vk->physical, &families, &family);
	vk->has_times = families && family.timestampValidBits;
}

static void create_commands(struct vk *vk)
{
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

	CHECK(vkCreateCommandPool(vk->device, &pool, NULL, &vk->pool));
	commands.commandPool = vk->pool;
	CHECK(vkAllocateCommandBuffers(vk->device, &commands, &vk->commands));
	CHECK(vkCreateFence(vk->device, &fence, NULL, &vk->fence));
}

void vk_open(struct vk *vk)
{
	memset(vk, 0, sizeof(*vk));
	assert_int_equal(gemsync_device_open("panthor", &vk->dev), 0);
	assert_int_equal(gemsync_device_query(vk->dev, &vk->info), 0);
	assert_int_equal(gemsync_device_last_violation(vk->dev, &vk->serial), 0);
	create_instance(vk);
	choose_physical(vk);
	create_device(vk);
	create_commands(vk);
}

void vk_close(struct vk *vk)
{
	vkDestroyFence(vk->device, vk->fence, NULL);
	vkDestroyCommandPool(vk->device, vk->pool, NULL);
	vkDestroyDevice(vk->device, NULL);
	vkDestroyInstance(vk->instance, NULL);
	gemsync_device_close(vk->dev);
}

/* ---- Memory ---- */

uint32_t vk_find_type(const struct vk *vk, uint32_t bits, enum memory_kind kind)
{
	uint32_t i;

	for (i = 0; i < vk->types.memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = vk->types.memoryTypes[i].propertyFlags;
		bool is_coherent = flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

		if ((bits >> i & 1) && (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
		    is_coherent == (kind == MEMORY_COHERENT))
			return i;
	}
	return UINT32_MAX;
}

void vk_alloc(struct vk *vk, struct vk_memory *memory, VkDeviceSize size, enum memory_kind kind,
	      const void *next, VkExternalMemoryHandleTypeFlags external)
{
	VkExternalMemoryBufferCreateInfo handles = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = external,
	};
	VkBufferCreateInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = external ? &handles : NULL,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			 (vk->has_conditions ?
			  VK_BUFFER_USAGE_CONDITIONAL_RENDERING_BIT_EXT : 0),
	};
	VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = next,
	};
	VkMemoryRequirements needs;

	memset(memory, 0, sizeof(*memory));
	CHECK(vkCreateBuffer(vk->device, &buffer, NULL, &memory->buffer));
	vkGetBufferMemoryRequirements(vk->device, memory->buffer, &needs);
	memory->size = needs.size;
	allocate.allocationSize = needs.size;
	allocate.memoryTypeIndex = vk_find_type(vk, needs.memoryTypeBits, kind);
	assert_int_not_equal(allocate.memoryTypeIndex, UINT32_MAX);
	CHECK(vkAllocateMemory(vk->device, &allocate, NULL, &memory->memory));
	CHECK(vkBindBufferMemory(vk->device, memory->buffer, memory->memory, 0));
	CHECK(vkMapMemory(vk->device, memory->memory, 0, VK_WHOLE_SIZE, 0,
			  (void **)&memory->map));
}

void vk_free(struct vk *vk, struct vk_memory *memory)
{
	vkDestroyBuffer(vk->device, memory->buffer, NULL);
	vkFreeMemory(vk->device, memory->memory, NULL);
}

static VkMappedMemoryRange range_of(const struct vk_memory *memory, VkDeviceSize offset,
				    VkDeviceSize size)
{
	return (VkMappedMemoryRange) {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = memory->memory,
		.offset = offset,
		.size = size,
	};
}

void vk_flush(struct vk *vk, const struct vk_memory *memory, VkDeviceSize offset,
	      VkDeviceSize size)
{
	VkMappedMemoryRange range = range_of(memory, offset, size);

	CHECK(vkFlushMappedMemoryRanges(vk->device, 1, &range));
}

void vk_invalidate(struct vk *vk, const struct vk_memory *memory, VkDeviceSize offset,
		   VkDeviceSize size)
{
	VkMappedMemoryRange range = range_of(memory, offset, size);

	CHECK(vkInvalidateMappedMemoryRanges(vk->device, 1, &range));
}

/* ---- Submissions ---- */

void vk_begin(struct vk *vk)
{
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};

	CHECK(vkBeginCommandBuffer(vk->commands, &begin));
}

VkResult vk_try(struct vk *vk, bool with_commands)
{
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = with_commands,
		.pCommandBuffers = &vk->commands,
	};
	VkResult result;

	if (with_commands)
		CHECK(vkEndCommandBuffer(vk->commands));
	result = vkQueueSubmit(vk->queue, 1, &submit, vk->fence);
	if (!result)
		result = vkWaitForFences(vk->device, 1, &vk->fence, VK_TRUE, LONG_NS);
	/* Mesa finds a queue that was lost when it is asked. */
	if (!result)
		result = vkQueueWaitIdle(vk->queue);
	if (!result)
		result = vkResetFences(vk->device, 1, &vk->fence);
	return result;
}

void vk_run(struct vk *vk, bool with_commands)
{
	CHECK(vk_try(vk, with_commands));
}

/* ---- What the emulation saw ---- */

uint32_t vk_violations(struct vk *vk, struct gemsync_violation *first)
{
	struct gemsync_violation violation;
	uint32_t count = 0;
	char text[512];

	while (!gemsync_device_next_violation(vk->dev, &vk->serial, &violation)) {
		if (!count++ && first)
			*first = violation;
		gemsync_violation_describe(&violation, text, sizeof(text));
		print_message("# %s: %s\n", gemsync_violation_name(violation.kind), text);
	}
	return count;
}

struct gemsync_costs vk_costs(struct vk *vk)
{
	struct gemsync_costs costs;

	assert_int_equal(gemsync_device_costs(vk->dev, &costs, sizeof(costs)), 0);
	return costs;
}
