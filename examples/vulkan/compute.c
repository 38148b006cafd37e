// SPDX-License-Identifier: MIT
/*
 * A small compute program: the CPU writes numbers, the GPU squares them, the CPU reads them.
 * It takes memory that need not be coherent, and does what that asks for, unless it is told to
 * forget something: compute [--forget flush | invalidate | barrier]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "square.h"

#define COUNT	1024
#define SIZE	(COUNT * sizeof(uint32_t))

static VkDevice device;
static VkPhysicalDevice physical;
static VkQueue queue;
static const char *forgotten = "";

static void check(VkResult result, const char *what)
{
	if (result == VK_SUCCESS)
		return;
	fprintf(stderr, "compute: %s failed: %d\n", what, result);
	exit(3);
}

#define CHECK(call)	check(call, #call)

static int forgets(const char *what)
{
	return !strcmp(forgotten, what);
}

/* Where the instance has names for objects, messages use them. */
static PFN_vkSetDebugUtilsObjectNameEXT set_name;

static int has_names(void)
{
	VkExtensionProperties extensions[64];
	uint32_t count = 64, i;

	vkEnumerateInstanceExtensionProperties(NULL, &count, extensions);
	for (i = 0; i < count; i++) {
		if (!strcmp(extensions[i].extensionName, VK_EXT_DEBUG_UTILS_EXTENSION_NAME))
			return 1;
	}
	return 0;
}

static void open_device(void)
{
	const char *names = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_1,
	};
	VkInstanceCreateInfo instance_info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
		.enabledExtensionCount = (uint32_t)has_names(),
		.ppEnabledExtensionNames = &names,
	};
	float priority = 1;
	VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo device_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
	};
	VkInstance instance;
	uint32_t count = 1;

	CHECK(vkCreateInstance(&instance_info, NULL, &instance));
	vkEnumeratePhysicalDevices(instance, &count, &physical);
	if (!count) {
		fprintf(stderr, "compute: no Vulkan device\n");
		exit(3);
	}
	CHECK(vkCreateDevice(physical, &device_info, NULL, &device));
	vkGetDeviceQueue(device, 0, 0, &queue);
	set_name = (PFN_vkSetDebugUtilsObjectNameEXT)
		vkGetInstanceProcAddr(instance, "vkSetDebugUtilsObjectNameEXT");
}

/* ---- Memory ---- */

struct numbers {
	VkBuffer buffer;
	VkDeviceMemory memory;
	uint32_t *map;
};

/* The first type that the host can see. Nothing below relies on its being coherent. */
static uint32_t choose_type(uint32_t bits)
{
	VkPhysicalDeviceMemoryProperties properties;
	uint32_t i;

	vkGetPhysicalDeviceMemoryProperties(physical, &properties);
	for (i = 0; i < properties.memoryTypeCount; i++) {
		if ((bits >> i & 1) && (properties.memoryTypes[i].propertyFlags &
					VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
			return i;
	}
	exit(3);
}

static void name(VkBuffer buffer, const char *text)
{
	VkDebugUtilsObjectNameInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
		.objectType = VK_OBJECT_TYPE_BUFFER,
		.objectHandle = (uint64_t)(uintptr_t)buffer,
		.pObjectName = text,
	};

	if (set_name)
		CHECK(set_name(device, &info));
}

static struct numbers make_numbers(const char *text)
{
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = SIZE,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	VkMemoryAllocateInfo allocate = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkMemoryRequirements requirements;
	struct numbers numbers;

	CHECK(vkCreateBuffer(device, &info, NULL, &numbers.buffer));
	name(numbers.buffer, text);
	vkGetBufferMemoryRequirements(device, numbers.buffer, &requirements);
	allocate.allocationSize = requirements.size;
	allocate.memoryTypeIndex = choose_type(requirements.memoryTypeBits);
	CHECK(vkAllocateMemory(device, &allocate, NULL, &numbers.memory));
	CHECK(vkBindBufferMemory(device, numbers.buffer, numbers.memory, 0));
	CHECK(vkMapMemory(device, numbers.memory, 0, VK_WHOLE_SIZE, 0, (void **)&numbers.map));
	return numbers;
}

static VkMappedMemoryRange whole(const struct numbers *numbers)
{
	return (VkMappedMemoryRange){
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = numbers->memory,
		.size = VK_WHOLE_SIZE,
	};
}

/* ---- The GPU's part ---- */

static VkDescriptorSetLayout make_set_layout(void)
{
	VkDescriptorSetLayoutBinding bindings[2] = {
		{ 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 2,
		.pBindings = bindings,
	};
	VkDescriptorSetLayout layout;

	CHECK(vkCreateDescriptorSetLayout(device, &info, NULL, &layout));
	return layout;
}

static VkDescriptorSet make_set(VkDescriptorSetLayout layout, const struct numbers *in,
				const struct numbers *out)
{
	VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 };
	VkDescriptorPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorBufferInfo buffers[2] = {
		{ in->buffer, 0, VK_WHOLE_SIZE },
		{ out->buffer, 0, VK_WHOLE_SIZE },
	};
	VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.descriptorCount = 2,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = buffers,
	};

	CHECK(vkCreateDescriptorPool(device, &pool_info, NULL, &allocate.descriptorPool));
	CHECK(vkAllocateDescriptorSets(device, &allocate, &write.dstSet));
	vkUpdateDescriptorSets(device, 1, &write, 0, NULL);
	return write.dstSet;
}

static VkPipeline make_pipeline(VkPipelineLayout layout)
{
	VkShaderModuleCreateInfo module = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(square),
		.pCode = square,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.pName = "main",
		},
		.layout = layout,
	};
	VkPipeline pipeline;

	CHECK(vkCreateShaderModule(device, &module, NULL, &info.stage.module));
	CHECK(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
	return pipeline;
}

static VkCommandBuffer begin(void)
{
	VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO };
	VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandBufferCount = 1,
	};
	VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkCommandBuffer commands;

	CHECK(vkCreateCommandPool(device, &pool, NULL, &allocate.commandPool));
	CHECK(vkAllocateCommandBuffers(device, &allocate, &commands));
	CHECK(vkBeginCommandBuffer(commands, &info));
	return commands;
}

static void record_barrier(VkCommandBuffer commands)
{
	VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};

	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static void run(const struct numbers *in, const struct numbers *out)
{
	VkDescriptorSetLayout set_layout = make_set_layout();
	VkDescriptorSet set = make_set(set_layout, in, out);
	VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &set_layout,
	};
	VkCommandBuffer commands = begin();
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	VkPipelineLayout layout;

	CHECK(vkCreatePipelineLayout(device, &info, NULL, &layout));
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, make_pipeline(layout));
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
				NULL);
	vkCmdDispatch(commands, COUNT / 64, 1, 1);
	if (!forgets("barrier"))
		record_barrier(commands);
	CHECK(vkEndCommandBuffer(commands));
	CHECK(vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE));
	CHECK(vkQueueWaitIdle(queue));
}

int main(int argc, char **argv)
{
	struct numbers in, out;
	VkMappedMemoryRange range;
	uint32_t i, wrong = 0;

	if (argc == 3 && !strcmp(argv[1], "--forget"))
		forgotten = argv[2];
	open_device();
	in = make_numbers("numbers");
	out = make_numbers("squares");
	for (i = 0; i < COUNT; i++)
		in.map[i] = i + 1;
	range = whole(&in);
	if (!forgets("flush"))
		CHECK(vkFlushMappedMemoryRanges(device, 1, &range));
	run(&in, &out);
	range = whole(&out);
	if (!forgets("invalidate"))
		CHECK(vkInvalidateMappedMemoryRanges(device, 1, &range));
	for (i = 0; i < COUNT; i++)
		wrong += out.map[i] != (i + 1) * (i + 1);
	vkUnmapMemory(device, out.memory);
	printf("%u of %d squares are wrong\n", wrong, COUNT);
	return 0;
}
