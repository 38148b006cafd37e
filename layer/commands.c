// SPDX-License-Identifier: MIT
/* Command buffers: their life, and barriers and events in them. */
#include <stdlib.h>

#include "layer.h"

struct gsl_commands *gsl_commands_of(struct gsl_device *device, VkCommandBuffer handle)
{
	return gsl_map_get(&device->commands, GSL_KEY(handle));
}

void gsl_commands_add(struct gsl_commands *commands, const struct gsl_use *use)
{
	if (!commands)
		return;
	if (commands->count == commands->space) {
		size_t space = commands->space ? 2 * commands->space : 16;
		void *uses = realloc(commands->uses, space * sizeof(*use));

		if (!uses)
			return;
		commands->uses = uses;
		commands->space = space;
	}
	commands->uses[commands->count++] = *use;
}

/* ---- Life ---- */

static void reset(struct gsl_commands *commands)
{
	commands->count = 0;
	commands->dynamic_count = 0;
	commands->waits_for_events = false;
	gsl_commands_unbind(commands);
}

static void destroy(struct gsl_device *device, u64 key)
{
	struct gsl_commands *commands;

	gsl_jobs_finish(device, VK_NULL_HANDLE, key);
	/* A submission of another thread may be looking at command buffers. */
	pthread_mutex_lock(&device->lock);
	commands = gsl_map_take(&device->commands, key);
	pthread_mutex_unlock(&device->lock);
	if (!commands)
		return;
	free(commands->uses);
	free(commands->dynamic);
	free(commands->pushed);
	free(commands);
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_AllocateCommandBuffers(VkDevice handle, const VkCommandBufferAllocateInfo *info,
			   VkCommandBuffer *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.AllocateCommandBuffers(handle, info, out);
	u32 i;

	for (i = 0; !result && i < info->commandBufferCount; i++) {
		struct gsl_commands *commands = calloc(1, sizeof(*commands));

		if (!commands)
			continue;
		commands->pool = info->commandPool;
		gsl_commands_unbind(commands);
		if (!gsl_map_put(&device->commands, GSL_KEY(out[i]), commands))
			free(commands);
	}
	return result;
}

VKAPI_ATTR void VKAPI_CALL gsl_FreeCommandBuffers(VkDevice handle, VkCommandPool pool,
						  uint32_t count, const VkCommandBuffer *buffers)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		destroy(device, GSL_KEY(buffers[i]));
	device->calls.FreeCommandBuffers(handle, pool, count, buffers);
}

static void reset_of_pool(void *ctx, void *value)
{
	struct gsl_commands *commands = value;

	if (commands->pool == *(VkCommandPool *)ctx)
		reset(commands);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetCommandPool(VkDevice handle, VkCommandPool pool,
						    VkCommandPoolResetFlags flags)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_jobs_finish(device, pool, 0);
	gsl_map_each(&device->commands, reset_of_pool, &pool);
	return device->calls.ResetCommandPool(handle, pool, flags);
}

struct pool_search {
	VkCommandPool pool;	/* VK_NULL_HANDLE: any */
	u64 keys[64];
	u32 count;
};

static bool find_of_pool(void *ctx, u64 key, void *value)
{
	struct pool_search *search = ctx;

	if (!search->pool || ((struct gsl_commands *)value)->pool == search->pool)
		search->keys[search->count++] = key;
	return search->count < ARRAY_SIZE(search->keys);
}

static void forget_pool(struct gsl_device *device, VkCommandPool pool)
{
	struct pool_search search = { .pool = pool };
	u32 i;

	do {
		search.count = 0;
		gsl_map_find(&device->commands, find_of_pool, &search);
		for (i = 0; i < search.count; i++)
			destroy(device, search.keys[i]);
	} while (search.count);
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyCommandPool(VkDevice handle, VkCommandPool pool,
						  const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (pool)
		forget_pool(device, pool);
	device->calls.DestroyCommandPool(handle, pool, allocator);
}

void gsl_device_free_commands(struct gsl_device *device)
{
	forget_pool(device, VK_NULL_HANDLE);
}

static void reset_handle(struct gsl_device *device, VkCommandBuffer handle)
{
	struct gsl_commands *commands = gsl_map_get(&device->commands, GSL_KEY(handle));

	if (!commands)
		return;
	gsl_jobs_finish(device, VK_NULL_HANDLE, GSL_KEY(handle));
	reset(commands);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_BeginCommandBuffer(VkCommandBuffer handle,
						      const VkCommandBufferBeginInfo *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	reset_handle(device, handle);
	return device->calls.BeginCommandBuffer(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetCommandBuffer(VkCommandBuffer handle,
						      VkCommandBufferResetFlags flags)
{
	struct gsl_device *device = gsl_device_of(handle);

	reset_handle(device, handle);
	return device->calls.ResetCommandBuffer(handle, flags);
}

/* What is bound is undefined afterwards. */
VKAPI_ATTR void VKAPI_CALL gsl_CmdExecuteCommands(VkCommandBuffer handle, uint32_t count,
						  const VkCommandBuffer *buffers)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_commands *commands = gsl_commands_of(device, handle);
	u32 i;

	for (i = 0; commands && i < count; i++)
		gsl_commands_add(commands, &(struct gsl_use){
			.kind = GSL_USE_COMMANDS,
			.handle = GSL_KEY(buffers[i]),
		});
	if (commands)
		gsl_commands_unbind(commands);
	device->calls.CmdExecuteCommands(handle, count, buffers);
}

/* ---- Barriers to the host ---- */

static void add_barrier(struct gsl_device *device, VkCommandBuffer handle, u64 resource,
			u64 offset, u64 size)
{
	struct gsl_commands *commands = gsl_commands_of(device, handle);

	if (!commands)
		return;
	commands->barrier = ++commands->time;
	gsl_commands_add(commands, &(struct gsl_use){
		.kind = GSL_USE_HOST_BARRIER,
		.handle = resource,
		.offset = offset,
		.size = size,
	});
}

void gsl_commands_barrier(struct gsl_device *device, VkCommandBuffer handle)
{
	add_barrier(device, handle, 0, 0, VK_WHOLE_SIZE);
}

static void add_barriers(struct gsl_device *device, VkCommandBuffer handle,
			 u32 memory_count, const VkMemoryBarrier *memory,
			 u32 buffer_count, const VkBufferMemoryBarrier *buffer,
			 u32 image_count, const VkImageMemoryBarrier *image)
{
	u32 i;

	for (i = 0; i < memory_count; i++) {
		if (memory[i].dstAccessMask & GSL_HOST_READS)
			gsl_commands_barrier(device, handle);
	}
	for (i = 0; i < buffer_count; i++) {
		if (buffer[i].dstAccessMask & GSL_HOST_READS)
			add_barrier(device, handle, GSL_KEY(buffer[i].buffer), buffer[i].offset,
				    buffer[i].size);
	}
	for (i = 0; i < image_count; i++) {
		if (image[i].dstAccessMask & GSL_HOST_READS)
			add_barrier(device, handle, GSL_IMAGE_KEY(image[i].image), 0,
				    VK_WHOLE_SIZE);
	}
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdPipelineBarrier(VkCommandBuffer handle, VkPipelineStageFlags from, VkPipelineStageFlags to,
		       VkDependencyFlags flags, uint32_t memory_count,
		       const VkMemoryBarrier *memory, uint32_t buffer_count,
		       const VkBufferMemoryBarrier *buffer, uint32_t image_count,
		       const VkImageMemoryBarrier *image)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (to & VK_PIPELINE_STAGE_HOST_BIT)
		add_barriers(device, handle, memory_count, memory, buffer_count, buffer,
			     image_count, image);
	device->calls.CmdPipelineBarrier(handle, from, to, flags, memory_count, memory,
					 buffer_count, buffer, image_count, image);
}

static void add_event(struct gsl_device *device, VkCommandBuffer handle, enum gsl_use_kind kind,
		      VkEvent event)
{
	gsl_commands_add(gsl_commands_of(device, handle), &(struct gsl_use){
		.kind = kind,
		.handle = GSL_KEY(event),
	});
}

static void add_waits(struct gsl_device *device, VkCommandBuffer handle, u32 count,
		      const VkEvent *events)
{
	u32 i;

	for (i = 0; i < count; i++)
		add_event(device, handle, GSL_USE_WAIT_EVENT, events[i]);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdSetEvent(VkCommandBuffer handle, VkEvent event,
					   VkPipelineStageFlags stages)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_event(device, handle, GSL_USE_SET_EVENT, event);
	device->calls.CmdSetEvent(handle, event, stages);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdResetEvent(VkCommandBuffer handle, VkEvent event,
					     VkPipelineStageFlags stages)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_event(device, handle, GSL_USE_RESET_EVENT, event);
	device->calls.CmdResetEvent(handle, event, stages);
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdWaitEvents(VkCommandBuffer handle, uint32_t count, const VkEvent *events,
		  VkPipelineStageFlags from, VkPipelineStageFlags to, uint32_t memory_count,
		  const VkMemoryBarrier *memory, uint32_t buffer_count,
		  const VkBufferMemoryBarrier *buffer, uint32_t image_count,
		  const VkImageMemoryBarrier *image)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_waits(device, handle, count, events);
	if (to & VK_PIPELINE_STAGE_HOST_BIT)
		add_barriers(device, handle, memory_count, memory, buffer_count, buffer,
			     image_count, image);
	device->calls.CmdWaitEvents(handle, count, events, from, to, memory_count, memory,
				    buffer_count, buffer, image_count, image);
}

#ifdef GSL_HAS_CmdPipelineBarrier2
static bool is_to_host(VkPipelineStageFlags2KHR stages, VkAccessFlags2KHR access)
{
	return (stages & VK_PIPELINE_STAGE_HOST_BIT) && (access & GSL_HOST_READS);
}

static void add_dependency(struct gsl_device *device, VkCommandBuffer handle,
			   const VkDependencyInfoKHR *info)
{
	u32 i;

	for (i = 0; i < info->memoryBarrierCount; i++) {
		const VkMemoryBarrier2KHR *barrier = &info->pMemoryBarriers[i];

		if (is_to_host(barrier->dstStageMask, barrier->dstAccessMask))
			gsl_commands_barrier(device, handle);
	}
	for (i = 0; i < info->bufferMemoryBarrierCount; i++) {
		const VkBufferMemoryBarrier2KHR *barrier = &info->pBufferMemoryBarriers[i];

		if (is_to_host(barrier->dstStageMask, barrier->dstAccessMask))
			add_barrier(device, handle, GSL_KEY(barrier->buffer), barrier->offset,
				    barrier->size);
	}
	for (i = 0; i < info->imageMemoryBarrierCount; i++) {
		const VkImageMemoryBarrier2KHR *barrier = &info->pImageMemoryBarriers[i];

		if (is_to_host(barrier->dstStageMask, barrier->dstAccessMask))
			add_barrier(device, handle, GSL_IMAGE_KEY(barrier->image), 0,
				    VK_WHOLE_SIZE);
	}
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdPipelineBarrier2(VkCommandBuffer handle,
						   const VkDependencyInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_dependency(device, handle, info);
	device->calls.CmdPipelineBarrier2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdWaitEvents2(VkCommandBuffer handle, uint32_t count,
					      const VkEvent *events,
					      const VkDependencyInfoKHR *infos)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	add_waits(device, handle, count, events);
	for (i = 0; i < count; i++)
		add_dependency(device, handle, &infos[i]);
	device->calls.CmdWaitEvents2(handle, count, events, infos);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdSetEvent2(VkCommandBuffer handle, VkEvent event,
					    const VkDependencyInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_event(device, handle, GSL_USE_SET_EVENT, event);
	device->calls.CmdSetEvent2(handle, event, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdResetEvent2(VkCommandBuffer handle, VkEvent event,
					      VkPipelineStageFlags2KHR stages)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_event(device, handle, GSL_USE_RESET_EVENT, event);
	device->calls.CmdResetEvent2(handle, event, stages);
}
#endif
