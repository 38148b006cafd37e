// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#include "add_one.h"	/* wants the integer types */

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define PREFIX			"GEMSYNC-"

static VKAPI_ATTR VkBool32 VKAPI_CALL
keep_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
	     const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
	struct gpu *gpu = user;
	struct gpu_message *message;

	if (gpu->message_count == GPU_MESSAGES || !data->pMessageIdName ||
	    strncmp(data->pMessageIdName, PREFIX, strlen(PREFIX)))
		return VK_FALSE;
	message = &gpu->messages[gpu->message_count++];
	strncpy(message->id, data->pMessageIdName + strlen(PREFIX), sizeof(message->id) - 1);
	strncpy(message->text, data->pMessage, sizeof(message->text) - 1);
	message->possibly = severity == VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
	message->object = data->objectCount ? data->pObjects[0].objectHandle : 0;
	return VK_FALSE;
}

static void create_instance(struct gpu *gpu, bool with_layer)
{
	const char *layer = "VK_LAYER_GEMSYNC_noncoherent";
	const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_3,
	};
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = 0x1111,
		.messageType = 7,
		.pfnUserCallback = keep_message,
		.pUserData = gpu,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
		.enabledLayerCount = with_layer,
		.ppEnabledLayerNames = &layer,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = &extension,
	};
	PFN_vkCreateDebugUtilsMessengerEXT create;

	CHECK(vkCreateInstance(&info, NULL, &gpu->instance));
	create = (PFN_vkCreateDebugUtilsMessengerEXT)
		vkGetInstanceProcAddr(gpu->instance, "vkCreateDebugUtilsMessengerEXT");
	CHECK(create(gpu->instance, &messenger, NULL, &gpu->messenger));
}

static void create_device(struct gpu *gpu)
{
	const float priority = 1;
	uint32_t count = 1;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceVulkan12Features features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = VK_TRUE,
		.bufferDeviceAddress = VK_TRUE,
		.imagelessFramebuffer = VK_TRUE,
	};
	VkPhysicalDeviceVulkan13Features features13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
		.pNext = &features,
		.dynamicRendering = VK_TRUE,
		.synchronization2 = VK_TRUE,
	};
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const char *extension = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &features13,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = &extension,
	};

	vkEnumeratePhysicalDevices(gpu->instance, &count, &gpu->physical);
	assert_int_equal(count, 1);
	vkGetPhysicalDeviceMemoryProperties(gpu->physical, &gpu->types);
	vkGetPhysicalDeviceProperties(gpu->physical, &properties);
	gpu->atom = (uint32_t)properties.limits.nonCoherentAtomSize;
	CHECK(vkCreateDevice(gpu->physical, &info, NULL, &gpu->device));
	vkGetDeviceQueue(gpu->device, 0, 0, &gpu->queue);
	gpu->set_name = (PFN_vkSetDebugUtilsObjectNameEXT)
		vkGetInstanceProcAddr(gpu->instance, "vkSetDebugUtilsObjectNameEXT");
}

static void create_commands(struct gpu *gpu)
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

	CHECK(vkCreateCommandPool(gpu->device, &pool, NULL, &gpu->pool));
	commands.commandPool = gpu->pool;
	CHECK(vkAllocateCommandBuffers(gpu->device, &commands, &gpu->commands));
	CHECK(vkCreateFence(gpu->device, &fence, NULL, &gpu->fence));
}

static void create_layouts(struct gpu *gpu)
{
	VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	VkDescriptorSetLayoutCreateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &gpu->set_layout,
	};
	VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 64 };
	VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 64,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};

	CHECK(vkCreateDescriptorSetLayout(gpu->device, &set, NULL, &gpu->set_layout));
	CHECK(vkCreatePipelineLayout(gpu->device, &layout, NULL, &gpu->pipeline_layout));
	CHECK(vkCreateDescriptorPool(gpu->device, &pool, NULL, &gpu->sets));
}

static void create_pipeline(struct gpu *gpu)
{
	VkShaderModuleCreateInfo module = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(add_one),
		.pCode = add_one,
	};
	VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.pName = "main",
		},
		.layout = gpu->pipeline_layout,
	};

	CHECK(vkCreateShaderModule(gpu->device, &module, NULL, &pipeline.stage.module));
	CHECK(vkCreateComputePipelines(gpu->device, VK_NULL_HANDLE, 1, &pipeline, NULL,
				       &gpu->add_one));
	vkDestroyShaderModule(gpu->device, pipeline.stage.module, NULL);
}

void gpu_open(struct gpu *gpu, const char *settings)
{
	memset(gpu, 0, sizeof(*gpu));
	setenv("VK_ADD_LAYER_PATH", LAYER_FOLDER, 1);
	setenv("VK_LAYER_PATH", LAYER_FOLDER, 0);
	if (settings)
		setenv("GEMSYNC", settings, 1);
	create_instance(gpu, settings != NULL);
	create_device(gpu);
	create_commands(gpu);
	create_layouts(gpu);
	create_pipeline(gpu);
}

void gpu_close(struct gpu *gpu)
{
	PFN_vkDestroyDebugUtilsMessengerEXT destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)
		vkGetInstanceProcAddr(gpu->instance, "vkDestroyDebugUtilsMessengerEXT");

	vkDestroyPipeline(gpu->device, gpu->add_one, NULL);
	vkDestroyDescriptorPool(gpu->device, gpu->sets, NULL);
	vkDestroyPipelineLayout(gpu->device, gpu->pipeline_layout, NULL);
	vkDestroyDescriptorSetLayout(gpu->device, gpu->set_layout, NULL);
	vkDestroyFence(gpu->device, gpu->fence, NULL);
	vkDestroyCommandPool(gpu->device, gpu->pool, NULL);
	vkDestroyDevice(gpu->device, NULL);
	destroy(gpu->instance, gpu->messenger, NULL);
	vkDestroyInstance(gpu->instance, NULL);
}

/* ---- Messages ---- */

unsigned int gpu_count(const struct gpu *gpu, const char *id)
{
	unsigned int count = 0, i;

	for (i = 0; i < gpu->message_count; i++)
		count += !strcmp(gpu->messages[i].id, id);
	return count;
}

static void print_messages(const struct gpu *gpu)
{
	unsigned int i;

	for (i = 0; i < gpu->message_count; i++)
		print_message("# %s: %s\n", gpu->messages[i].id, gpu->messages[i].text);
}

const struct gpu_message *gpu_find(const struct gpu *gpu, const char *id)
{
	unsigned int i;

	for (i = 0; i < gpu->message_count; i++) {
		if (!strcmp(gpu->messages[i].id, id))
			return &gpu->messages[i];
	}
	print_messages(gpu);
	fail_msg("no message %s", id);
	return NULL;
}

void gpu_expect_silence(const struct gpu *gpu)
{
	print_messages(gpu);
	assert_int_equal(gpu->message_count, 0);
}

/* ---- Buffers ---- */

uint32_t gpu_find_type(const struct gpu *gpu, uint32_t bits, enum gpu_kind kind)
{
	uint32_t i;

	for (i = 0; i < gpu->types.memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = gpu->types.memoryTypes[i].propertyFlags;
		bool coherent = flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

		if ((bits >> i & 1) && (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
		    coherent == (kind == GPU_COHERENT))
			return i;
	}
	fail_msg("no memory type of kind %d", kind);
	return 0;
}

void gpu_buffer_create_for(struct gpu *gpu, struct gpu_buffer *buffer, VkDeviceSize size,
			   enum gpu_kind kind, VkBufferUsageFlags usage)
{
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = usage,
	};
	VkMemoryAllocateFlagsInfo address = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT ? &address : NULL,
	};
	VkMemoryRequirements requirements;

	memset(buffer, 0, sizeof(*buffer));
	CHECK(vkCreateBuffer(gpu->device, &info, NULL, &buffer->buffer));
	vkGetBufferMemoryRequirements(gpu->device, buffer->buffer, &requirements);
	allocate.allocationSize = requirements.size;
	allocate.memoryTypeIndex = gpu_find_type(gpu, requirements.memoryTypeBits, kind);
	buffer->size = requirements.size;
	CHECK(vkAllocateMemory(gpu->device, &allocate, NULL, &buffer->memory));
	CHECK(vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0));
}

void gpu_buffer_create(struct gpu *gpu, struct gpu_buffer *buffer, VkDeviceSize size,
		       enum gpu_kind kind)
{
	gpu_buffer_create_for(gpu, buffer, size, kind,
			      VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
}

void gpu_buffer_destroy(struct gpu *gpu, struct gpu_buffer *buffer)
{
	vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
	vkFreeMemory(gpu->device, buffer->memory, NULL);
}

void gpu_name(struct gpu *gpu, const struct gpu_buffer *buffer, const char *name)
{
	VkDebugUtilsObjectNameInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
		.objectType = VK_OBJECT_TYPE_BUFFER,
		.objectHandle = (uint64_t)(uintptr_t)buffer->buffer,
		.pObjectName = name,
	};

	CHECK(gpu->set_name(gpu->device, &info));
}

void gpu_map(struct gpu *gpu, struct gpu_buffer *buffer)
{
	CHECK(vkMapMemory(gpu->device, buffer->memory, 0, VK_WHOLE_SIZE, 0,
			  (void **)&buffer->map));
}

void gpu_unmap(struct gpu *gpu, struct gpu_buffer *buffer)
{
	vkUnmapMemory(gpu->device, buffer->memory);
	buffer->map = NULL;
}

static VkMappedMemoryRange range_of(const struct gpu_buffer *buffer, VkDeviceSize offset,
				    VkDeviceSize size)
{
	return (VkMappedMemoryRange){
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = buffer->memory,
		.offset = offset,
		.size = size,
	};
}

void gpu_flush(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
	       VkDeviceSize size)
{
	VkMappedMemoryRange range = range_of(buffer, offset, size);

	CHECK(vkFlushMappedMemoryRanges(gpu->device, 1, &range));
}

void gpu_invalidate(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
		    VkDeviceSize size)
{
	VkMappedMemoryRange range = range_of(buffer, offset, size);

	CHECK(vkInvalidateMappedMemoryRanges(gpu->device, 1, &range));
}

/* ---- Commands ---- */

void gpu_begin(struct gpu *gpu)
{
	VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };

	CHECK(vkBeginCommandBuffer(gpu->commands, &info));
}

void gpu_copy(struct gpu *gpu, const struct gpu_buffer *from, const struct gpu_buffer *to,
	      VkDeviceSize offset, VkDeviceSize size)
{
	VkBufferCopy region = { offset, offset, size };

	vkCmdCopyBuffer(gpu->commands, from->buffer, to->buffer, 1, &region);
}

void gpu_fill(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
	      VkDeviceSize size, uint32_t word)
{
	vkCmdFillBuffer(gpu->commands, buffer->buffer, offset, size, word);
}

VkDescriptorSet gpu_set_allocate(struct gpu *gpu)
{
	VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = gpu->sets,
		.descriptorSetCount = 1,
		.pSetLayouts = &gpu->set_layout,
	};
	VkDescriptorSet set;

	CHECK(vkAllocateDescriptorSets(gpu->device, &allocate, &set));
	return set;
}

void gpu_set_write(struct gpu *gpu, VkDescriptorSet set, const struct gpu_buffer *buffer)
{
	VkDescriptorBufferInfo range = { buffer->buffer, 0, VK_WHOLE_SIZE };
	VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &range,
	};

	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
}

void gpu_set_bind(struct gpu *gpu, VkDescriptorSet set)
{
	vkCmdBindDescriptorSets(gpu->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
				gpu->pipeline_layout, 0, 1, &set, 0, NULL);
}

void gpu_dispatch(struct gpu *gpu, VkDeviceSize size)
{
	vkCmdBindPipeline(gpu->commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->add_one);
	vkCmdDispatch(gpu->commands, (uint32_t)(size / 256), 1, 1);
}

void gpu_add_one(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize size)
{
	VkDescriptorSet set = gpu_set_allocate(gpu);

	gpu_set_write(gpu, set, buffer);
	gpu_set_bind(gpu, set);
	gpu_dispatch(gpu, size);
}

static void barrier(struct gpu *gpu, VkPipelineStageFlags to, VkAccessFlags access)
{
	VkMemoryBarrier memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = access,
	};

	vkCmdPipelineBarrier(gpu->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, to, 0, 1, &memory,
			     0, NULL, 0, NULL);
}

void gpu_host_barrier(struct gpu *gpu)
{
	barrier(gpu, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

void gpu_transfer_barrier(struct gpu *gpu)
{
	barrier(gpu, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT);
}

void gpu_submit(struct gpu *gpu)
{
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &gpu->commands,
	};

	CHECK(vkEndCommandBuffer(gpu->commands));
	CHECK(vkQueueSubmit(gpu->queue, 1, &info, gpu->fence));
}

VkSemaphore gpu_timeline_create(struct gpu *gpu)
{
	VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &type,
	};
	VkSemaphore timeline;

	CHECK(vkCreateSemaphore(gpu->device, &info, NULL, &timeline));
	return timeline;
}

void gpu_timeline_signal(struct gpu *gpu, VkSemaphore timeline, uint64_t value)
{
	VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = timeline,
		.value = value,
	};

	CHECK(vkSignalSemaphore(gpu->device, &info));
}

void gpu_timeline_wait(struct gpu *gpu, VkSemaphore timeline, uint64_t value)
{
	VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &timeline,
		.pValues = &value,
	};

	CHECK(vkWaitSemaphores(gpu->device, &info, UINT64_MAX));
}

void gpu_submit_signal(struct gpu *gpu, VkSemaphore wait, uint64_t wait_value,
		       VkSemaphore signal, uint64_t signal_value)
{
	VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphoreValues = &wait_value,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &signal_value,
	};
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.waitSemaphoreCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphores = &wait,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = wait == VK_NULL_HANDLE,
		.pCommandBuffers = &gpu->commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &signal,
	};

	if (wait == VK_NULL_HANDLE)
		CHECK(vkEndCommandBuffer(gpu->commands));
	CHECK(vkQueueSubmit(gpu->queue, 1, &info, VK_NULL_HANDLE));
}

void gpu_submit_behind(struct gpu *gpu, VkSemaphore timeline, uint64_t value)
{
	VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &value,
	};
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &timeline,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.pCommandBuffers = &gpu->commands,
	};

	CHECK(vkEndCommandBuffer(gpu->commands));
	CHECK(vkQueueSubmit(gpu->queue, 1, &info, gpu->fence));
}

void gpu_wait(struct gpu *gpu)
{
	CHECK(vkWaitForFences(gpu->device, 1, &gpu->fence, VK_TRUE, UINT64_MAX));
	CHECK(vkResetFences(gpu->device, 1, &gpu->fence));
}

void gpu_run(struct gpu *gpu)
{
	gpu_submit(gpu);
	gpu_wait(gpu);
}

void gpu_peek(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset, void *to,
	      VkDeviceSize size)
{
	struct gpu_buffer window;

	gpu_buffer_create(gpu, &window, offset + size, GPU_COHERENT);
	gpu_map(gpu, &window);
	gpu_begin(gpu);
	gpu_copy(gpu, buffer, &window, offset, size);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	memcpy(to, window.map + offset, size);
	gpu_buffer_destroy(gpu, &window);
}
