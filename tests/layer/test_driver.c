// SPDX-License-Identifier: MIT
/*
 * The layer, built in, on a driver that does nothing: with two queues, two memory types of which
 * the second one is for the host, and sparse binding, none of which lavapipe has. What its
 * device writes, the test writes into the driver's memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layer.h"

#define SIZE	4096

/* ---- The driver ---- */

static u8 memory[SIZE] __attribute__((aligned(SIZE)));
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
			{ VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
			  VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
			  VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 0 },
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
	allocated_type = info->memoryTypeIndex;
	*out = (VkDeviceMemory)(uintptr_t)++handles;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice device, VkDeviceMemory handle,
						 VkDeviceSize offset, VkDeviceSize size,
						 VkMemoryMapFlags flags, void **out)
{
	*out = memory + offset;
	return VK_SUCCESS;
}

/* Buffers, semaphores: a handle is all that there is of them. */
static VKAPI_ATTR VkResult VKAPI_CALL create(VkDevice device, const void *info,
					     const VkAllocationCallbacks *allocator, u64 *out)
{
	*out = ++handles;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_commands(VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *out)
{
	*out = (VkCommandBuffer)commands[command_count++ % 4];
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
	{ "vkCreateBuffer", (PFN_vkVoidFunction)create },
	{ "vkCreateSemaphore", (PFN_vkVoidFunction)create },
	{ "vkAllocateCommandBuffers", (PFN_vkVoidFunction)allocate_commands },
};

static PFN_vkVoidFunction find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!strcmp(calls[i].name, name))
			return calls[i].function;
	}
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

/* ---- The loader's part, and a buffer ---- */

struct rig {
	VkInstance instance;
	VkDevice device;
	VkDeviceMemory memory;
	VkBuffer buffer;
	u8 *map;
	char found[8][64];
	u32 count;
};

static bool keep(void *ctx, const struct gsl_finding *finding, const char *text)
{
	struct rig *rig = ctx;

	snprintf(rig->found[rig->count++ % 8], sizeof(rig->found[0]), "%s",
		 gsl_kind_name(finding->kind));
	return true;
}

static void create_both(struct rig *rig)
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
	VkPhysicalDevice physical = (VkPhysicalDevice)instance_words;

	assert_int_equal(gsl_CreateInstance(&instance, NULL, &rig->instance), VK_SUCCESS);
	gsl_instance_of(rig->instance)->findings.tell = keep;
	gsl_instance_of(rig->instance)->findings.ctx = rig;
	assert_int_equal(gsl_CreateDevice(physical, &device, NULL, &rig->device), VK_SUCCESS);
}

static int open_rig(void **state)
{
	static struct rig rig;
	VkBufferCreateInfo buffer = {
		.size = SIZE,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	/* Shown is first a twin of the driver's second type, then the driver's two. */
	VkMemoryAllocateInfo info = { .allocationSize = SIZE, .memoryTypeIndex = 0 };

	memset(&rig, 0, sizeof(rig));
	memset(memory, 0, sizeof(memory));
	create_both(&rig);
	gsl_CreateBuffer(rig.device, &buffer, NULL, &rig.buffer);
	gsl_AllocateMemory(rig.device, &info, NULL, &rig.memory);
	gsl_MapMemory(rig.device, rig.memory, 0, VK_WHOLE_SIZE, 0, (void **)&rig.map);
	*state = &rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	gsl_DestroyBuffer(rig->device, rig->buffer, NULL);
	gsl_FreeMemory(rig->device, rig->memory, NULL);
	gsl_DestroyDevice(rig->device, NULL);
	gsl_DestroyInstance(rig->instance, NULL);
	return 0;
}

static VkMappedMemoryRange whole(const struct rig *rig)
{
	return (VkMappedMemoryRange){ .memory = rig->memory, .size = VK_WHOLE_SIZE };
}

static void flush_all(struct rig *rig)
{
	VkMappedMemoryRange range = whole(rig);

	gsl_FlushMappedMemoryRanges(rig->device, 1, &range);
}

static void invalidate_all(struct rig *rig)
{
	VkMappedMemoryRange range = whole(rig);

	gsl_InvalidateMappedMemoryRanges(rig->device, 1, &range);
}

/* ---- Types ---- */

static void indices_are_the_drivers(void **state)
{
	assert_int_equal(allocated_type, 1);
}

/* ---- Two queues ---- */

static void submit(int queue, VkCommandBuffer buffer, VkSemaphore wait, VkSemaphore signal,
		   VkFence fence)
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

	gsl_QueueSubmit((VkQueue)queues[queue], 1, &info, fence);
}

/* One queue writes, the other one waits for it, or does not, and the host for the other one. */
static void wait_by_another_queue(struct rig *rig, bool chained)
{
	VkCommandBufferAllocateInfo info = { .commandBufferCount = 1 };
	VkSemaphoreCreateInfo semaphore_info = { 0 };
	VkFence fence = (VkFence)(uintptr_t)0xfe7ce;
	VkSemaphore semaphore;
	VkCommandBuffer fill;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CreateSemaphore(rig->device, &semaphore_info, NULL, &semaphore);
	gsl_AllocateCommandBuffers(rig->device, &info, &fill);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, SIZE, 0);
	submit(0, fill, VK_NULL_HANDLE, semaphore, VK_NULL_HANDLE);
	submit(1, NULL, chained ? semaphore : VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
	memset(memory, 7, SIZE);
	gsl_WaitForFences(rig->device, 1, &fence, VK_TRUE, UINT64_MAX);
	invalidate_all(rig);
	gsl_DestroySemaphore(rig->device, semaphore, NULL);
	gsl_DestroyFence(rig->device, fence, NULL);
}

/* It is done, so that only the barrier is missing. */
static void semaphores_chain_queues(void **state)
{
	struct rig *rig = *state;

	wait_by_another_queue(rig, true);
	assert_int_equal(rig->count, 1);
	assert_string_equal(rig->found[0], "no-host-barrier");
}

static void queues_without_a_chain(void **state)
{
	struct rig *rig = *state;

	wait_by_another_queue(rig, false);
	assert_int_equal(rig->count, 0);
	/* The device wrote, it seems, after the host had invalidated. */
	memset(memory, 8, SIZE);
	gsl_QueueWaitIdle((VkQueue)queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	assert_int_equal(rig->count, 1);
	assert_string_equal(rig->found[0], "invalidate-too-early");
}

/* ---- Sparse binding ---- */

/* What may be bound in pieces the device may write to: what the host did not store stays. */
static void flush_beside_sparse_writes(void **state)
{
	struct rig *rig = *state;
	VkSparseMemoryBind bind = { .size = SIZE, .memory = rig->memory };
	VkSparseBufferMemoryBindInfo buffer = { rig->buffer, 1, &bind };
	VkBindSparseInfo info = { .bufferBindCount = 1, .pBufferBinds = &buffer };

	gsl_QueueBindSparse((VkQueue)queues[0], 1, &info, VK_NULL_HANDLE);
	memset(rig->map, 1, SIZE);
	flush_all(rig);
	memset(memory + 1024, 2, 1024);
	rig->map[0] = 3;
	flush_all(rig);
	assert_int_equal(memory[0], 3);
	assert_int_equal(memory[1024], 2);
}

#define RIG(test)	cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG(indices_are_the_drivers),
		RIG(semaphores_chain_queues),
		RIG(queues_without_a_chain),
		RIG(flush_beside_sparse_writes),
	};

	unsetenv("GEMSYNC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
