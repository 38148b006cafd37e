// SPDX-License-Identifier: MIT
/*
 * What lavapipe does not have: two queues, indices of types that differ, sparse binding, memory
 * that is slow to read; and what loaders and other layers rely on.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"

/* ---- Types ---- */

static void indices_are_the_drivers(void **state)
{
	assert_int_equal(rig_allocated_type(), 1);
}

/* ---- Two queues ---- */

/* One queue writes, the other one waits for it, or does not, and the host for the other one. */
static void wait_by_another_queue(struct rig *rig, bool chained)
{
	VkSemaphoreCreateInfo semaphore_info = { 0 };
	VkFence fence = RIG_FENCE;
	VkSemaphore semaphore;
	VkCommandBuffer fill;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CreateSemaphore(rig->device, &semaphore_info, NULL, &semaphore);
	fill = rig_commands(rig);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_submit(rig, 0, fill, VK_NULL_HANDLE, semaphore, VK_NULL_HANDLE);
	rig_submit(rig, 1, NULL, chained ? semaphore : VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_WaitForFences(rig->device, 1, &fence, VK_TRUE, UINT64_MAX);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	gsl_DestroySemaphore(rig->device, semaphore, NULL);
	gsl_DestroyFence(rig->device, fence, NULL);
}

/* It is done, so that only the barrier is missing. */
static void semaphores_chain_queues(void **state)
{
	wait_by_another_queue(*state, true);
	rig_expect(*state, "no-host-barrier");
}

static void queues_without_a_chain(void **state)
{
	struct rig *rig = *state;

	wait_by_another_queue(rig, false);
	rig_expect(rig, NULL);
	/* The device wrote, it seems, after the host had invalidated. */
	memset(rig->mem, 8, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "invalidate-too-early");
}

/* ---- Waiting by other means ---- */

enum means { NOTHING, FENCE_FD, SEMAPHORE_FD, PRESENT_FENCE };

#ifdef VK_EXT_swapchain_maintenance1
static void wait_for_present(struct rig *rig, VkSemaphore semaphore)
{
	VkFence fence = (VkFence)(uintptr_t)0xfe7cf;
	VkSwapchainPresentFenceInfoEXT fences = {
		.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
		.swapchainCount = 1,
		.pFences = &fence,
	};
	VkPresentInfoKHR info = {
		.pNext = &fences,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphore,
	};

	gsl_QueuePresentKHR(rig->queues[0], &info);
	gsl_WaitForFences(rig->device, 1, &fence, VK_TRUE, UINT64_MAX);
}
#else
static void wait_for_present(struct rig *rig, VkSemaphore semaphore)
{
}
#endif

/* The device writes, the host learns somehow that it is done, invalidates, and looks. */
static void learn_by(struct rig *rig, enum means means)
{
	VkSemaphoreCreateInfo semaphore_info = { 0 };
	VkFenceGetFdInfoKHR fence_info = { .fence = RIG_FENCE };
	VkSemaphoreGetFdInfoKHR info = { 0 };
	VkCommandBuffer fill = rig_commands(rig);
	int fd;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CreateSemaphore(rig->device, &semaphore_info, NULL, &info.semaphore);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	rig_submit(rig, 0, fill, VK_NULL_HANDLE, info.semaphore, RIG_FENCE);
	if (means == FENCE_FD)
		gsl_GetFenceFdKHR(rig->device, &fence_info, &fd);
	else if (means == SEMAPHORE_FD)
		gsl_GetSemaphoreFdKHR(rig->device, &info, &fd);
	else if (means == PRESENT_FENCE)
		wait_for_present(rig, info.semaphore);
	memset(rig->mem, 7, RIG_SIZE);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	/* What the host has not seen: an invalidate that was too early would tell of it. */
	memset(rig->mem, 8, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_DestroySemaphore(rig->device, info.semaphore, NULL);
}

static void nothing_was_waited_for(void **state)
{
	learn_by(*state, NOTHING);
	rig_expect(*state, "invalidate-too-early");
}

static void file_of_a_fence(void **state)
{
	learn_by(*state, FENCE_FD);
	rig_expect(*state, NULL);
}

static void file_of_a_semaphore(void **state)
{
	learn_by(*state, SEMAPHORE_FD);
	rig_expect(*state, NULL);
}

#ifdef VK_EXT_swapchain_maintenance1
static void fence_of_a_present(void **state)
{
	learn_by(*state, PRESENT_FENCE);
	rig_expect(*state, NULL);
}
#endif

/* ---- Sparse binding ---- */

static void bind_pieces(struct rig *rig, u32 count, const VkSparseMemoryBind *binds)
{
	VkSparseBufferMemoryBindInfo buffer = { rig->buffer, count, binds };
	VkBindSparseInfo info = { .bufferBindCount = 1, .pBufferBinds = &buffer };

	gsl_QueueBindSparse(rig->queues[0], 1, &info, VK_NULL_HANDLE);
}

/* Where a sparse image is, the device may write to: what the host did not store stays. */
static void flush_beside_sparse_writes(void **state)
{
	struct rig *rig = *state;
	VkSparseMemoryBind bind = { .size = RIG_SIZE, .memory = rig->memory };
	VkSparseImageOpaqueMemoryBindInfo image = { VK_NULL_HANDLE, 1, &bind };
	VkBindSparseInfo info = { .imageOpaqueBindCount = 1, .pImageOpaqueBinds = &image };

	gsl_QueueBindSparse(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	memset(rig->mem + 1024, 2, 1024);
	rig->map[0] = 3;
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[0], 3);
	assert_int_equal(rig->mem[1024], 2);
}

/* A buffer whose first 1024 bytes lie in one memory, at 2048, and the rest in another one. */
struct sparse {
	VkDeviceMemory rest;
	u8 *map;
	u8 *mem;
};

static struct sparse make_sparse(struct rig *rig)
{
	struct sparse sparse;
	VkSparseMemoryBind binds[2];

	sparse.rest = rig_allocate(rig, &sparse.map, &sparse.mem);
	binds[0] = (VkSparseMemoryBind){ 0, 1024, rig->memory, 2048, 0 };
	binds[1] = (VkSparseMemoryBind){ 1024, 3072, sparse.rest, 0, 0 };
	bind_pieces(rig, 2, binds);
	return sparse;
}

static void copy_sparse(struct rig *rig, u64 offset, u64 size)
{
	VkBufferCopy region = { offset, 0, size };
	VkCommandBuffer copy = rig_commands(rig);

	gsl_CmdCopyBuffer(copy, rig->buffer, VK_NULL_HANDLE, 1, &region);
	rig_run(rig, copy);
}

/* @flush: which memory is flushed of the two that are stored to. */
static void read_sparse(struct rig *rig, bool first, bool rest)
{
	struct sparse sparse = make_sparse(rig);

	memset(rig->map + 2048, 1, 1024);
	memset(sparse.map, 1, 64);
	if (first)
		rig_flush(rig, rig->memory, 2048, 1024);
	if (rest)
		rig_flush(rig, sparse.rest, 0, 64);
	copy_sparse(rig, 960, 128);
	gsl_FreeMemory(rig->device, sparse.rest, NULL);
}

static void first_piece_is_not_flushed(void **state)
{
	struct rig *rig = *state;

	read_sparse(rig, false, true);
	rig_expect(rig, "dev-read-dirty");
	assert_int_equal(rig->offsets[0], 960);
}

static void second_piece_is_not_flushed(void **state)
{
	struct rig *rig = *state;

	read_sparse(rig, true, false);
	rig_expect(rig, "dev-read-dirty");
	assert_int_equal(rig->offsets[0], 1024);
}

static void pieces_are_flushed(void **state)
{
	read_sparse(*state, true, true);
	rig_expect(*state, NULL);
}

/* What is not the buffer's any more, and what another memory took the place of. */
static void pieces_move(void **state)
{
	struct rig *rig = *state;
	struct sparse sparse = make_sparse(rig);
	VkSparseMemoryBind middle = { 512, 1024, rig->memory, 0, 0 };

	bind_pieces(rig, 1, &middle);
	memset(rig->map + 2048 + 512, 1, 512);
	memset(sparse.map, 1, 512);
	copy_sparse(rig, 512, 1024);
	rig_expect(rig, NULL);
	/* What is left of the two on both sides: at 448, and at 1536. */
	rig->map[2048 + 448] = 1;
	copy_sparse(rig, 448, 1024);
	rig_expect(rig, "dev-read-dirty");
	assert_int_equal(rig->offsets[0], 448);
	sparse.map[512] = 1;
	copy_sparse(rig, 1536, 64);
	assert_int_equal(rig->count, 1);	/* of the same buffer: counted */
	middle.memory = VK_NULL_HANDLE;
	bind_pieces(rig, 1, &middle);
	gsl_FreeMemory(rig->device, sparse.rest, NULL);
}

/* The device writes all of the buffer. */
static void write_sparse(struct rig *rig, bool barrier, bool rest)
{
	struct sparse sparse = make_sparse(rig);
	VkCommandBuffer fill = rig_commands(rig);

	gsl_CmdFillBuffer(fill, rig->buffer, 0, VK_WHOLE_SIZE, 0);
	if (barrier)
		rig_host_barrier(fill);
	memset(rig->mem + 2048, 7, 1024);
	memset(sparse.mem, 7, 3072);
	rig_run(rig, fill);
	rig_invalidate(rig, rig->memory, 2048, 1024);
	if (rest)
		rig_invalidate(rig, sparse.rest, 0, 3072);
	assert_int_equal(rig->map[2048], 7);
	assert_int_equal(sparse.map[0] == 7, rest);
	gsl_UnmapMemory(rig->device, sparse.rest);
	gsl_FreeMemory(rig->device, sparse.rest, NULL);
}

static void piece_is_not_invalidated(void **state)
{
	struct rig *rig = *state;

	write_sparse(rig, true, false);
	rig_expect(rig, "cpu-read-stale");
	assert_int_equal(rig->offsets[0], 1024);
}

static void pieces_have_no_barrier(void **state)
{
	write_sparse(*state, false, true);
	rig_expect(*state, "no-host-barrier");
}

static void pieces_are_invalidated(void **state)
{
	write_sparse(*state, true, true);
	rig_expect(*state, NULL);
}

/* ---- Memory that is slow to read is read in invalidates alone ---- */

static int open_uncached(void **state)
{
	rig_driver.flags &= ~(VkMemoryPropertyFlags)VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
	return rig_open(state);
}

static int open_uncached_reporting(void **state)
{
	rig_driver.settings = "mode=report";
	return open_uncached(state);
}

static struct sigaction before;
static u8 *closed;
static volatile sig_atomic_t seen;

/* Locks may be held: the test goes on, and fails later. */
static void on_read(int number)
{
	seen = 1;
	mprotect(closed, RIG_SIZE, PROT_READ | PROT_WRITE);
}

static void close_memory(struct rig *rig)
{
	struct sigaction action = { .sa_handler = on_read };

	seen = 0;
	closed = rig->mem;
	sigaction(SIGSEGV, &action, &before);
	assert_int_equal(mprotect(rig->mem, RIG_SIZE, PROT_NONE), 0);
}

/* Nobody read it since it was closed. */
static void open_memory(struct rig *rig)
{
	assert_int_equal(mprotect(rig->mem, RIG_SIZE, PROT_READ | PROT_WRITE), 0);
	sigaction(SIGSEGV, &before, NULL);
	assert_false(seen);
}

static void uncached_memory_is_not_read(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	close_memory(rig);
	rig->map[64] = 2;
	fill = rig_commands(rig);
	gsl_CmdFillBuffer(fill, rig->buffer, 1024, 1024, 0);
	rig_host_barrier(fill);
	rig_run(rig, fill);
	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_MapMemory(rig->device, rig->memory, 0, VK_WHOLE_SIZE, 0, (void **)&rig->map);
	open_memory(rig);
	memset(rig->mem + 1024, 3, 1024);
	rig_invalidate(rig, rig->memory, 1024, 1024);
	assert_int_equal(rig->map[1024], 3);
	rig_expect(rig, NULL);
}

/* In report mode what the host may look at is made good, and only that: it has to be mapped. */
static void unmapped_memory_is_not_read(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_UnmapMemory(rig->device, rig->memory);
	close_memory(rig);
	fill = rig_commands(rig);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	rig_run(rig, fill);
	open_memory(rig);
	memset(rig->mem, 3, RIG_SIZE);
	gsl_MapMemory(rig->device, rig->memory, 0, VK_WHOLE_SIZE, 0, (void **)&rig->map);
	assert_int_equal(rig->map[0], 3);
}

/* ---- What loaders and other layers rely on ---- */

static int open_lacking(void **state)
{
	rig_driver.lacks = "vkCmdBeginConditionalRenderingEXT";
	return rig_open(state);
}

/*
 * What the driver lacks, or nobody enabled, the layer does not add; and what it does not know
 * is the next one's.
 */
static void calls_are_those_of_the_driver(void **state)
{
	struct rig *rig = *state;
	PFN_vkVoidFunction own = (PFN_vkVoidFunction)gsl_QueueSubmit;

	assert_null(gsl_GetDeviceProcAddr(rig->device, rig_driver.lacks));
	assert_null(gsl_GetInstanceProcAddr(rig->instance, rig_driver.lacks));
	assert_ptr_equal(gsl_GetDeviceProcAddr(rig->device, "vkQueueSubmit"), own);
	assert_ptr_equal(gsl_GetInstanceProcAddr(rig->instance, "vkQueueSubmit"), own);
	assert_non_null(gsl_GetDeviceProcAddr(rig->device, "vkOfTomorrowEXT"));
	assert_null(gsl_GetInstanceProcAddr(NULL, "vkQueueSubmit"));
	assert_non_null(gsl_GetInstanceProcAddr(NULL, "vkCreateInstance"));
}

static void lists_are_asked_for_twice(void **state)
{
	VkExtensionProperties extensions[2];
	VkLayerProperties layers[2];
	uint32_t count = 0;

	assert_int_equal(gsl_EnumerateInstanceExtensionProperties(GSL_LAYER_NAME, &count, NULL),
			 VK_SUCCESS);
	assert_int_equal(count, 1);
	count = 0;
	assert_int_equal(gsl_EnumerateInstanceExtensionProperties(GSL_LAYER_NAME, &count,
								  extensions), VK_INCOMPLETE);
	assert_int_equal(count, 0);
	count = 2;
	assert_int_equal(gsl_EnumerateInstanceLayerProperties(&count, layers), VK_SUCCESS);
	assert_int_equal(count, 1);
	assert_int_equal(gsl_EnumerateInstanceExtensionProperties(NULL, &count, extensions),
			 VK_ERROR_LAYER_NOT_PRESENT);
}

static void null_may_be_destroyed(void **state)
{
	struct rig *rig = *state;
	VkDevice device = rig->device;

	gsl_FreeMemory(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyBuffer(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyBufferView(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyImage(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyImageView(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyDescriptorSetLayout(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyDescriptorPool(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyDescriptorUpdateTemplate(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyCommandPool(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyRenderPass(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyFramebuffer(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyFence(device, VK_NULL_HANDLE, NULL);
	gsl_DestroySemaphore(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyEvent(device, VK_NULL_HANDLE, NULL);
	gsl_DestroyDebugUtilsMessengerEXT(rig->instance, VK_NULL_HANDLE, NULL);
	gsl_DestroyDevice(NULL, NULL);
	gsl_DestroyInstance(NULL, NULL);
	rig_expect(rig, NULL);
}

static void name(struct rig *rig, VkObjectType type, u64 handle, const char *text)
{
	VkDebugUtilsObjectNameInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
		.objectType = type,
		.objectHandle = handle,
		.pObjectName = text,
	};

	gsl_SetDebugUtilsObjectNameEXT(rig->device, &info);
}

/* Handles of several types may be alike. */
static void names_are_of_their_types(void **state)
{
	struct rig *rig = *state;
	struct gsl_device *device = gsl_device_of(rig->device);
	u64 handle = GSL_KEY(rig->buffer);

	name(rig, VK_OBJECT_TYPE_BUFFER, handle, "buffer");
	name(rig, VK_OBJECT_TYPE_IMAGE, handle, "image");
	assert_string_equal(gsl_object_of(device, VK_OBJECT_TYPE_BUFFER, handle).name, "buffer");
	assert_string_equal(gsl_object_of(device, VK_OBJECT_TYPE_IMAGE, handle).name, "image");
	gsl_DestroyImage(rig->device, (VkImage)(uintptr_t)handle, NULL);
	assert_string_equal(gsl_object_of(device, VK_OBJECT_TYPE_BUFFER, handle).name, "buffer");
}

/* ---- Report mode ---- */

static int open_reporting(void **state)
{
	rig_driver.settings = "mode=report";
	return rig_open(state);
}

/* What a shader stores by an address alone, the host sees as soon as it knows it to be done. */
static void report_shows_addressed_memory(void **state)
{
	struct rig *rig = *state;
	VkBufferCreateInfo info = {
		.size = RIG_SIZE,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
			 VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
	};
	VkCommandBuffer commands = rig_commands(rig);
	VkBuffer buffer;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 0);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_submit(rig, 0, commands, VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE);
	memset(rig->mem, 7, RIG_SIZE);
	assert_int_not_equal(rig->map[100], 7);
	gsl_QueueWaitIdle(rig->queues[0]);
	assert_int_equal(rig->map[100], 7);
	gsl_DestroyBuffer(rig->device, buffer, NULL);
}

/* A store of the same value, beside results that nobody has seen yet, is no store over them. */
static void report_harms_nothing(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	gsl_CmdFillBuffer(fill, rig->buffer, 1024, 1024, 0);
	rig_submit(rig, 0, fill, VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE);
	memset(rig->mem + 1024, 7, 1024);
	memset(rig->map, 1, 64);
	rig_submit(rig, 0, NULL, VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE);
	assert_int_equal(rig->mem[1024], 7);
	rig->map[1020] = 2;
	rig_submit(rig, 0, NULL, VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE);
	assert_int_equal(rig->mem[1020], 2);
	assert_int_equal(rig->mem[1024], 7);
}

/* ---- What is left alone ---- */

static int open_lazy(void **state)
{
	rig_driver.flags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
			   VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT;
	return rig_open(state);
}

static void lazy_memory_is_told_once(void **state)
{
	struct rig *rig = *state;
	VkMemoryAllocateInfo info = { .allocationSize = RIG_SIZE, .memoryTypeIndex = 1 };
	VkDeviceMemory memory[2];
	int i;

	rig_expect(rig, NULL);
	for (i = 0; i < 2; i++)
		gsl_AllocateMemory(rig->device, &info, NULL, &memory[i]);
	rig_expect(rig, "left-alone");
	for (i = 0; i < 2; i++)
		gsl_FreeMemory(rig->device, memory[i], NULL);
}

/* ---- Ranges ---- */

/* All of a map that does not begin at 0. */
static void flush_of_all_of_a_part(void **state)
{
	struct rig *rig = *state;

	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_MapMemory(rig->device, rig->memory, 2048, 1024, 0, (void **)&rig->map);
	memset(rig->map, 1, 1024);
	rig_flush(rig, rig->memory, 2048, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[2048], 1);
	assert_int_equal(rig->mem[3071], 1);
	rig_expect(rig, NULL);
}

/* What is behind an invalidated part is still unseen. */
static void invalidate_in_the_middle(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	memset(rig->mem, 7, RIG_SIZE);
	rig_run(rig, fill);
	rig_invalidate(rig, rig->memory, 1024, 1024);
	rig_invalidate(rig, rig->memory, 0, 1024);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "cpu-read-stale");
	assert_int_equal(rig->offsets[0], 2048);
}

/* Results that the host has not taken yet stay, though the buffer that they came by is gone. */
static void results_stay_when_their_buffer_goes(void **state)
{
	struct rig *rig = *state;
	VkBufferCreateInfo info = { .size = RIG_SIZE, .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT };
	VkCommandBuffer fill = rig_commands(rig);
	VkBuffer buffer;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 0);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	gsl_CmdFillBuffer(fill, buffer, 1024, 1024, 0);
	rig_host_barrier(fill);
	rig_run(rig, fill);
	memset(rig->mem + 1024, 7, 1024);
	gsl_DestroyBuffer(rig->device, buffer, NULL);
	rig->map[0] = 2;
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[0], 2);
	assert_int_equal(rig->mem[1024], 7);
}

static void results_stay_when_their_piece_is_cut(void **state)
{
	struct rig *rig = *state;
	VkSparseMemoryBind all = { 0, RIG_SIZE, rig->memory, 0, 0 }, none = { 0, 64, 0, 0, 0 };
	VkSparseBufferMemoryBindInfo buffer = { rig->buffer, 1, &all };
	VkBindSparseInfo info = { .bufferBindCount = 1, .pBufferBinds = &buffer };
	VkCommandBuffer fill = rig_commands(rig);

	gsl_QueueBindSparse(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	gsl_CmdFillBuffer(fill, rig->buffer, 1024, 1024, 0);
	rig_host_barrier(fill);
	rig_run(rig, fill);
	memset(rig->mem + 1024, 7, 1024);
	buffer.pBinds = &none;
	gsl_QueueBindSparse(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	rig->map[2048] = 2;
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[2048], 2);
	assert_int_equal(rig->mem[1024], 7);
}

/* ---- The log ---- */

static char log_name[] = "/tmp/gemsync-layer-XXXXXX", log_setting[64];

static int open_logging(void **state)
{
	int fd = mkstemp(log_name);

	assert_true(fd >= 0);
	close(fd);
	snprintf(log_setting, sizeof(log_setting), "log=%s", log_name);
	rig_driver.settings = log_setting;
	return rig_open(state);
}

/* Offsets in the memory and in the buffer, which does not begin at 0. */
static void log_has_both_offsets(void **state)
{
	struct rig *rig = *state;
	VkBufferCreateInfo info = { .size = 1024, .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT };
	VkBufferCopy region = { 64, 0, 64 };
	VkCommandBuffer copy = rig_commands(rig);
	char line[2048], last[2048] = "";
	VkBuffer buffer;
	FILE *file;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 1024);
	rig->map[1024 + 64] = 1;
	gsl_CmdCopyBuffer(copy, buffer, VK_NULL_HANDLE, 1, &region);
	rig_run(rig, copy);
	file = fopen(log_name, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		snprintf(last, sizeof(last), "%s", line);
	fclose(file);
	unlink(log_name);
	assert_non_null(strstr(last, "\"offset\":1088,"));
	assert_non_null(strstr(last, "\"resource_offset\":64,"));
	gsl_DestroyBuffer(rig->device, buffer, NULL);
}

/* ---- Limits ---- */

static void properties2_have_the_atom(void **state)
{
	struct rig *rig = *state;
	VkPhysicalDeviceProperties2 properties = { 0 };

	gsl_GetPhysicalDeviceProperties2(rig->physical, &properties);
	assert_int_equal(properties.properties.limits.nonCoherentAtomSize, 64);
}

#define RIG(test)		cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
#define WITH(test, open)	cmocka_unit_test_setup_teardown(test, open, rig_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG(indices_are_the_drivers),
		RIG(semaphores_chain_queues),
		RIG(queues_without_a_chain),
		RIG(nothing_was_waited_for),
		RIG(file_of_a_fence),
		RIG(file_of_a_semaphore),
#ifdef VK_EXT_swapchain_maintenance1
		RIG(fence_of_a_present),
#endif
		RIG(flush_beside_sparse_writes),
		RIG(first_piece_is_not_flushed),
		RIG(second_piece_is_not_flushed),
		RIG(pieces_are_flushed),
		RIG(pieces_move),
		RIG(piece_is_not_invalidated),
		RIG(pieces_have_no_barrier),
		RIG(pieces_are_invalidated),
		WITH(uncached_memory_is_not_read, open_uncached),
		WITH(unmapped_memory_is_not_read, open_uncached_reporting),
		WITH(calls_are_those_of_the_driver, open_lacking),
		RIG(lists_are_asked_for_twice),
		RIG(null_may_be_destroyed),
		RIG(names_are_of_their_types),
		WITH(report_shows_addressed_memory, open_reporting),
		WITH(report_harms_nothing, open_reporting),
		WITH(lazy_memory_is_told_once, open_lazy),
		RIG(flush_of_all_of_a_part),
		RIG(invalidate_in_the_middle),
		RIG(results_stay_when_their_buffer_goes),
		RIG(results_stay_when_their_piece_is_cut),
		WITH(log_has_both_offsets, open_logging),
		RIG(properties2_have_the_atom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
