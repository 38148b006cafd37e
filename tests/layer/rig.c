// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define HOST_TYPE							\
	(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |	\
	 VK_MEMORY_PROPERTY_HOST_CACHED_BIT)

struct rig_driver rig_driver = { .flags = HOST_TYPE };

/* ---- The driver ---- */

static u8 memories[RIG_MEMORIES][RIG_SIZE] __attribute__((aligned(RIG_SIZE)));
static u64 memory_handles[RIG_MEMORIES];
static u32 memory_count;
static u32 allocated_type;
static u64 handles;

/* Handles with a first word that tells whose they are. */
static void *instance_words[2] = { instance_words };
static void *device_words[2] = { device_words };
static void *queues[2][1] = { { device_words }, { device_words } };
static void *commands[4][1] = { { device_words }, { device_words }, { device_words },
				{ device_words } };
static u32 command_count;

static VkResult done(void)
{
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
						      const VkAllocationCallbacks *allocator,
						      VkInstance *out)
{
	*out = (VkInstance)instance_words;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical,
						    const VkDeviceCreateInfo *info,
						    const VkAllocationCallbacks *allocator,
						    VkDevice *out)
{
	*out = (VkDevice)device_words;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL get_memory(VkPhysicalDevice physical,
					     VkPhysicalDeviceMemoryProperties *out)
{
	*out = (VkPhysicalDeviceMemoryProperties){
		.memoryTypeCount = 2,
		.memoryTypes = {
			{ VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0 },
			{ rig_driver.flags, 0 },
		},
		.memoryHeapCount = 1,
	};
}

static VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice physical,
						 VkPhysicalDeviceProperties *out)
{
	*out = (VkPhysicalDeviceProperties){
		.limits = { .nonCoherentAtomSize = 1, .minMemoryMapAlignment = 64 },
	};
}

static VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo *info,
					       const VkAllocationCallbacks *allocator,
					       VkDeviceMemory *out)
{
	assert_true(memory_count < RIG_MEMORIES);
	allocated_type = info->memoryTypeIndex;
	*out = (VkDeviceMemory)(uintptr_t)++handles;
	memory_handles[memory_count++] = handles;
	return VK_SUCCESS;
}

static u8 *memory_of(VkDeviceMemory handle)
{
	u32 i;

	for (i = 0; memory_handles[i] != GSL_KEY(handle); i++)
		assert_true(i + 1 < memory_count);
	return memories[i];
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice device, VkDeviceMemory handle,
						 VkDeviceSize offset, VkDeviceSize size,
						 VkMemoryMapFlags flags, void **out)
{
	*out = memory_of(handle) + offset;
	return VK_SUCCESS;
}

#ifdef GSL_HAS_MapMemory2
static VKAPI_ATTR VkResult VKAPI_CALL map_memory2(VkDevice device, const VkMemoryMapInfoKHR *info,
						  void **out)
{
	return map_memory(device, info->memory, info->offset, info->size, info->flags, out);
}
#endif

static VKAPI_ATTR void VKAPI_CALL get_image(VkDevice device, VkImage image,
					    VkMemoryRequirements *out)
{
	*out = (VkMemoryRequirements){ RIG_SIZE, 256, 2 };
}

/* Buffers, semaphores: a handle is all that there is of them. */
static VKAPI_ATTR VkResult VKAPI_CALL create(VkDevice device, const void *info,
					     const VkAllocationCallbacks *allocator, u64 *out)
{
	*out = ++handles;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_sets(VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *out)
{
	*out = (VkDescriptorSet)(uintptr_t)++handles;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_commands(VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *out)
{
	*out = (VkCommandBuffer)commands[command_count++ % 4];
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL get_counter(VkDevice device, VkSemaphore semaphore,
						  uint64_t *value)
{
	*value = semaphore == rig_driver.reached ? UINT64_MAX : 0;
	return VK_SUCCESS;
}

static const struct {
	const char *name;
	PFN_vkVoidFunction function;
} calls[] = {
	{ "vkCreateInstance", (PFN_vkVoidFunction)create_instance },
	{ "vkCreateDevice", (PFN_vkVoidFunction)create_device },
	{ "vkGetPhysicalDeviceMemoryProperties", (PFN_vkVoidFunction)get_memory },
	{ "vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)get_properties },
	{ "vkAllocateMemory", (PFN_vkVoidFunction)allocate },
	{ "vkMapMemory", (PFN_vkVoidFunction)map_memory },
#ifdef GSL_HAS_MapMemory2
	{ "vkMapMemory2", (PFN_vkVoidFunction)map_memory2 },
	{ "vkMapMemory2KHR", (PFN_vkVoidFunction)map_memory2 },
#endif
	{ "vkGetSemaphoreCounterValue", (PFN_vkVoidFunction)get_counter },
	{ "vkGetSemaphoreCounterValueKHR", (PFN_vkVoidFunction)get_counter },
	{ "vkGetImageMemoryRequirements", (PFN_vkVoidFunction)get_image },
	{ "vkAllocateDescriptorSets", (PFN_vkVoidFunction)allocate_sets },
	{ "vkAllocateCommandBuffers", (PFN_vkVoidFunction)allocate_commands },
};

static PFN_vkVoidFunction find(const char *name)
{
	size_t i;

	if (rig_driver.lacks && !strcmp(name, rig_driver.lacks))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!strcmp(calls[i].name, name))
			return calls[i].function;
	}
	if (!strncmp(name, "vkCreate", strlen("vkCreate")))
		return (PFN_vkVoidFunction)create;
	return (PFN_vkVoidFunction)done;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL find_of_instance(VkInstance instance,
								 const char *name)
{
	return find(name);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL find_of_device(VkDevice device, const char *name)
{
	return find(name);
}

u32 rig_allocated_type(void)
{
	return allocated_type;
}

/* ---- The loader's part ---- */

static bool keep(void *ctx, const struct gsl_finding *finding, const char *text)
{
	struct rig *rig = ctx;
	u32 i = rig->count++ % ARRAY_SIZE(rig->found);

	snprintf(rig->found[i], sizeof(rig->found[0]), "%s", gsl_kind_name(finding->kind));
	rig->offsets[i] = finding->resource.type ? finding->resource_offset : finding->offset;
	rig->possibly[i] = finding->possibly;
	return true;
}

VkResult rig_create(struct rig *rig)
{
	VkLayerInstanceLink instance_link = { .pfnNextGetInstanceProcAddr = find_of_instance };
	VkLayerInstanceCreateInfo instance_chain = {
		.sType = VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO,
		.function = VK_LAYER_LINK_INFO,
		.u.pLayerInfo = &instance_link,
	};
	VkInstanceCreateInfo instance = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pNext = &instance_chain,
	};
	VkLayerDeviceLink device_link = {
		.pfnNextGetInstanceProcAddr = find_of_instance,
		.pfnNextGetDeviceProcAddr = find_of_device,
	};
	VkLayerDeviceCreateInfo device_chain = {
		.sType = VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO,
		.function = VK_LAYER_LINK_INFO,
		.u.pLayerInfo = &device_link,
	};
	VkDeviceCreateInfo device = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &device_chain,
	};

	VkResult result;

	memory_count = 0;
	rig->physical = (VkPhysicalDevice)instance_words;
	rig->queues[0] = (VkQueue)queues[0];
	rig->queues[1] = (VkQueue)queues[1];
	result = gsl_CreateInstance(&instance, NULL, &rig->instance);
	if (result)
		return result;
	gsl_instance_of(rig->instance)->findings.tell = keep;
	gsl_instance_of(rig->instance)->findings.ctx = rig;
	result = gsl_CreateDevice(rig->physical, &device, NULL, &rig->device);
	if (result)
		gsl_DestroyInstance(rig->instance, NULL);
	return result;
}

/* ---- Opening and closing ---- */

/* Shown is first a twin of the driver's second type, then the driver's two. */
VkDeviceMemory rig_allocate(struct rig *rig, u8 **map, u8 **mem)
{
	VkMemoryAllocateInfo info = { .allocationSize = RIG_SIZE, .memoryTypeIndex = 0 };
	VkDeviceMemory memory;

	assert_int_equal(gsl_AllocateMemory(rig->device, &info, NULL, &memory), VK_SUCCESS);
	assert_int_equal(gsl_MapMemory(rig->device, memory, 0, VK_WHOLE_SIZE, 0, (void **)map),
			 VK_SUCCESS);
	*mem = memory_of(memory);
	return memory;
}

int rig_open(void **state)
{
	static struct rig rig;
	VkBufferCreateInfo buffer = {
		.size = RIG_SIZE,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};

	if (rig_driver.settings)
		setenv("GEMSYNC", rig_driver.settings, 1);
	else
		unsetenv("GEMSYNC");
	memset(&rig, 0, sizeof(rig));
	memset(memories, 0, sizeof(memories));
	assert_int_equal(rig_create(&rig), VK_SUCCESS);
	gsl_CreateBuffer(rig.device, &buffer, NULL, &rig.buffer);
	rig.memory = rig_allocate(&rig, &rig.map, &rig.mem);
	*state = &rig;
	return 0;
}

int rig_close(void **state)
{
	struct rig *rig = *state;

	gsl_DestroyBuffer(rig->device, rig->buffer, NULL);
	gsl_FreeMemory(rig->device, rig->memory, NULL);
	gsl_DestroyDevice(rig->device, NULL);
	gsl_DestroyInstance(rig->instance, NULL);
	rig_driver = (struct rig_driver){ .flags = HOST_TYPE };
	return 0;
}

/* ---- What tests do ---- */

VkCommandBuffer rig_commands(struct rig *rig)
{
	VkCommandBufferAllocateInfo info = { .commandBufferCount = 1 };
	VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkCommandBuffer buffer;

	gsl_AllocateCommandBuffers(rig->device, &info, &buffer);
	gsl_BeginCommandBuffer(buffer, &begin);
	return buffer;
}

void rig_submit(struct rig *rig, int queue, VkCommandBuffer buffer, VkSemaphore wait,
		VkSemaphore signal, VkFence fence)
{
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphores = &wait,
		.commandBufferCount = buffer != NULL,
		.pCommandBuffers = &buffer,
		.signalSemaphoreCount = signal != VK_NULL_HANDLE,
		.pSignalSemaphores = &signal,
	};

	gsl_QueueSubmit(rig->queues[queue], 1, &info, fence);
}

void rig_run(struct rig *rig, VkCommandBuffer buffer)
{
	VkFence fence = RIG_FENCE;

	rig_submit(rig, 0, buffer, VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
	gsl_WaitForFences(rig->device, 1, &fence, VK_TRUE, UINT64_MAX);
	gsl_ResetFences(rig->device, 1, &fence);
}

void rig_flush(struct rig *rig, VkDeviceMemory memory, u64 offset, u64 size)
{
	VkMappedMemoryRange range = { .memory = memory, .offset = offset, .size = size };

	gsl_FlushMappedMemoryRanges(rig->device, 1, &range);
}

void rig_invalidate(struct rig *rig, VkDeviceMemory memory, u64 offset, u64 size)
{
	VkMappedMemoryRange range = { .memory = memory, .offset = offset, .size = size };

	gsl_InvalidateMappedMemoryRanges(rig->device, 1, &range);
}

void rig_host_barrier(VkCommandBuffer buffer)
{
	VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};

	gsl_CmdPipelineBarrier(buffer, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			       VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void rig_expect(struct rig *rig, const char *kind)
{
	if (!kind) {
		if (rig->count)
			print_message("# found: %s\n", rig->found[0]);
		assert_int_equal(rig->count, 0);
		return;
	}
	assert_int_equal(rig->count, 1);
	assert_string_equal(rig->found[0], kind);
}
