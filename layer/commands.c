// SPDX-License-Identifier: MIT
/* Command buffers: which resources their commands read and write, in their order. */
#include <stdlib.h>
#include <string.h>

#include "layer.h"

/* ---- Uses ---- */

static void add_use(struct gsl_device *device, VkCommandBuffer handle, const struct gsl_use *use)
{
	struct gsl_commands *commands = gsl_map_get(&device->commands, GSL_KEY(handle));

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

static void add_resource(struct gsl_device *device, VkCommandBuffer handle, u64 resource,
			 u64 offset, u64 size, u32 access)
{
	if (!resource)
		return;
	add_use(device, handle, &(struct gsl_use){
		.kind = GSL_USE_RESOURCE,
		.access = access,
		.handle = resource,
		.offset = offset,
		.size = size,
	});
}

static void add_buffer(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
		       u64 offset, u64 size, u32 access)
{
	add_resource(device, handle, GSL_KEY(buffer), offset, size, access);
}

/* Which part of an image a copy touches is the driver's affair. */
static void add_image(struct gsl_device *device, VkCommandBuffer handle, VkImage image, u32 access)
{
	add_resource(device, handle, GSL_KEY(image), 0, VK_WHOLE_SIZE, access);
}

/* ---- Life ---- */

static void reset(struct gsl_commands *commands)
{
	commands->count = 0;
	commands->dynamic_count = 0;
}

static void destroy(struct gsl_commands *commands)
{
	if (!commands)
		return;
	free(commands->uses);
	free(commands->dynamic);
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
		destroy(gsl_map_take(&device->commands, GSL_KEY(buffers[i])));
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
			destroy(gsl_map_take(&device->commands, search.keys[i]));
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

	if (commands)
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

VKAPI_ATTR void VKAPI_CALL gsl_CmdExecuteCommands(VkCommandBuffer handle, uint32_t count,
						  const VkCommandBuffer *buffers)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++) {
		add_use(device, handle, &(struct gsl_use){
			.kind = GSL_USE_COMMANDS,
			.handle = GSL_KEY(buffers[i]),
		});
	}
	device->calls.CmdExecuteCommands(handle, count, buffers);
}

/* ---- Bound for shaders and draws ---- */

/* Their offsets go into the command buffer's own array; sets are looked into at the submit. */
static u32 keep_dynamic(struct gsl_device *device, VkCommandBuffer handle, u32 count,
			const u32 *offsets)
{
	struct gsl_commands *commands = gsl_map_get(&device->commands, GSL_KEY(handle));
	u32 first;

	if (!commands)
		return 0;
	if (commands->dynamic_count + count > commands->dynamic_space) {
		size_t space = 2 * commands->dynamic_space + count;
		void *grown = realloc(commands->dynamic, space * sizeof(*offsets));

		if (!grown)
			return 0;
		commands->dynamic = grown;
		commands->dynamic_space = space;
	}
	first = (u32)commands->dynamic_count;
	if (count)
		memcpy(commands->dynamic + first, offsets, count * sizeof(*offsets));
	commands->dynamic_count += count;
	return first;
}

static u32 count_dynamic(const struct gsl_set *set)
{
	u32 count = 0, i;

	for (i = 0; i < set->layout->count; i++) {
		const struct gsl_binding *binding = &set->layout->bindings[i];

		if (binding->type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
		    binding->type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC)
			count += binding->count;
	}
	return count;
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdBindDescriptorSets(VkCommandBuffer handle, VkPipelineBindPoint point,
			  VkPipelineLayout layout, uint32_t first, uint32_t count,
			  const VkDescriptorSet *sets, uint32_t dynamic_count,
			  const uint32_t *dynamic)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 next = keep_dynamic(device, handle, dynamic_count, dynamic), i;

	for (i = 0; i < count; i++) {
		struct gsl_set *set = gsl_map_get(&device->sets, GSL_KEY(sets[i]));
		struct gsl_use use = {
			.kind = GSL_USE_SET,
			.handle = GSL_KEY(sets[i]),
			.first_dynamic = next,
		};

		if (!set)
			continue;
		use.dynamic_count = count_dynamic(set);
		next += use.dynamic_count;
		add_use(device, handle, &use);
	}
	device->calls.CmdBindDescriptorSets(handle, point, layout, first, count, sets,
					    dynamic_count, dynamic);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBindIndexBuffer(VkCommandBuffer handle, VkBuffer buffer,
						  VkDeviceSize offset, VkIndexType type)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_buffer(device, handle, buffer, offset, VK_WHOLE_SIZE, GSL_READ);
	device->calls.CmdBindIndexBuffer(handle, buffer, offset, type);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBindVertexBuffers(VkCommandBuffer handle, uint32_t first,
						    uint32_t count, const VkBuffer *buffers,
						    const VkDeviceSize *offsets)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		add_buffer(device, handle, buffers[i], offsets[i], VK_WHOLE_SIZE, GSL_READ);
	device->calls.CmdBindVertexBuffers(handle, first, count, buffers, offsets);
}

#ifdef GSL_HAS_CmdBindVertexBuffers2
VKAPI_ATTR void VKAPI_CALL gsl_CmdBindVertexBuffers2(VkCommandBuffer handle, uint32_t first,
						     uint32_t count, const VkBuffer *buffers,
						     const VkDeviceSize *offsets,
						     const VkDeviceSize *sizes,
						     const VkDeviceSize *strides)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		add_buffer(device, handle, buffers[i], offsets[i],
			   sizes ? sizes[i] : VK_WHOLE_SIZE, GSL_READ);
	device->calls.CmdBindVertexBuffers2(handle, first, count, buffers, offsets, sizes,
					    strides);
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_CmdDispatchIndirect(VkCommandBuffer handle, VkBuffer buffer,
						   VkDeviceSize offset)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_buffer(device, handle, buffer, offset, sizeof(VkDispatchIndirectCommand), GSL_READ);
	device->calls.CmdDispatchIndirect(handle, buffer, offset);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdDrawIndirect(VkCommandBuffer handle, VkBuffer buffer,
					       VkDeviceSize offset, uint32_t count,
					       uint32_t stride)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (count)
		add_buffer(device, handle, buffer, offset,
			   (u64)(count - 1) * stride + sizeof(VkDrawIndirectCommand), GSL_READ);
	device->calls.CmdDrawIndirect(handle, buffer, offset, count, stride);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdDrawIndexedIndirect(VkCommandBuffer handle, VkBuffer buffer,
						      VkDeviceSize offset, uint32_t count,
						      uint32_t stride)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (count)
		add_buffer(device, handle, buffer, offset,
			   (u64)(count - 1) * stride + sizeof(VkDrawIndexedIndirectCommand),
			   GSL_READ);
	device->calls.CmdDrawIndexedIndirect(handle, buffer, offset, count, stride);
}

/* ---- Transfers ---- */

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBuffer(VkCommandBuffer handle, VkBuffer from, VkBuffer to,
					     uint32_t count, const VkBufferCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++) {
		add_buffer(device, handle, from, regions[i].srcOffset, regions[i].size, GSL_READ);
		add_buffer(device, handle, to, regions[i].dstOffset, regions[i].size, GSL_WRITE);
	}
	device->calls.CmdCopyBuffer(handle, from, to, count, regions);
}

#ifdef GSL_HAS_CmdCopyBuffer2
VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBuffer2(VkCommandBuffer handle,
					      const VkCopyBufferInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < info->regionCount; i++) {
		add_buffer(device, handle, info->srcBuffer, info->pRegions[i].srcOffset,
			   info->pRegions[i].size, GSL_READ);
		add_buffer(device, handle, info->dstBuffer, info->pRegions[i].dstOffset,
			   info->pRegions[i].size, GSL_WRITE);
	}
	device->calls.CmdCopyBuffer2(handle, info);
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBufferToImage(VkCommandBuffer handle, VkBuffer buffer,
						    VkImage image, VkImageLayout layout,
						    uint32_t count,
						    const VkBufferImageCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		add_buffer(device, handle, buffer, regions[i].bufferOffset,
			   gsl_region_size(device, image, &regions[i]), GSL_READ);
	add_image(device, handle, image, GSL_WRITE);
	device->calls.CmdCopyBufferToImage(handle, buffer, image, layout, count, regions);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyImageToBuffer(VkCommandBuffer handle, VkImage image,
						    VkImageLayout layout, VkBuffer buffer,
						    uint32_t count,
						    const VkBufferImageCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		add_buffer(device, handle, buffer, regions[i].bufferOffset,
			   gsl_region_size(device, image, &regions[i]), GSL_WRITE);
	add_image(device, handle, image, GSL_READ);
	device->calls.CmdCopyImageToBuffer(handle, image, layout, buffer, count, regions);
}

#ifdef GSL_HAS_CmdCopyBufferToImage2
static VkBufferImageCopy plain_region(const VkBufferImageCopy2KHR *region)
{
	return (VkBufferImageCopy){
		region->bufferOffset, region->bufferRowLength, region->bufferImageHeight,
		region->imageSubresource, region->imageOffset, region->imageExtent,
	};
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBufferToImage2(VkCommandBuffer handle,
						     const VkCopyBufferToImageInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < info->regionCount; i++) {
		VkBufferImageCopy region = plain_region(&info->pRegions[i]);

		add_buffer(device, handle, info->srcBuffer, region.bufferOffset,
			   gsl_region_size(device, info->dstImage, &region), GSL_READ);
	}
	add_image(device, handle, info->dstImage, GSL_WRITE);
	device->calls.CmdCopyBufferToImage2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyImageToBuffer2(VkCommandBuffer handle,
						     const VkCopyImageToBufferInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < info->regionCount; i++) {
		VkBufferImageCopy region = plain_region(&info->pRegions[i]);

		add_buffer(device, handle, info->dstBuffer, region.bufferOffset,
			   gsl_region_size(device, info->srcImage, &region), GSL_WRITE);
	}
	add_image(device, handle, info->srcImage, GSL_READ);
	device->calls.CmdCopyImageToBuffer2(handle, info);
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_CmdUpdateBuffer(VkCommandBuffer handle, VkBuffer buffer,
					       VkDeviceSize offset, VkDeviceSize size,
					       const void *data)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_buffer(device, handle, buffer, offset, size, GSL_WRITE);
	device->calls.CmdUpdateBuffer(handle, buffer, offset, size, data);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdFillBuffer(VkCommandBuffer handle, VkBuffer buffer,
					     VkDeviceSize offset, VkDeviceSize size, uint32_t data)
{
	struct gsl_device *device = gsl_device_of(handle);

	add_buffer(device, handle, buffer, offset, size, GSL_WRITE);
	device->calls.CmdFillBuffer(handle, buffer, offset, size, data);
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdCopyQueryPoolResults(VkCommandBuffer handle, VkQueryPool pool, uint32_t first,
			    uint32_t count, VkBuffer buffer, VkDeviceSize offset,
			    VkDeviceSize stride, VkQueryResultFlags flags)
{
	struct gsl_device *device = gsl_device_of(handle);
	u64 last = flags & VK_QUERY_RESULT_64_BIT ? sizeof(u64) : sizeof(u32);

	if (count)
		add_buffer(device, handle, buffer, offset, (count - 1) * stride + last, GSL_WRITE);
	device->calls.CmdCopyQueryPoolResults(handle, pool, first, count, buffer, offset, stride,
					      flags);
}

/* ---- Barriers to the host ---- */

#define HOST_READS	(VK_ACCESS_HOST_READ_BIT | VK_ACCESS_MEMORY_READ_BIT)

static void add_barrier(struct gsl_device *device, VkCommandBuffer handle, u64 resource,
			u64 offset, u64 size)
{
	add_use(device, handle, &(struct gsl_use){
		.kind = GSL_USE_HOST_BARRIER,
		.handle = resource,
		.offset = offset,
		.size = size,
	});
}

static void add_barriers(struct gsl_device *device, VkCommandBuffer handle,
			 u32 memory_count, const VkMemoryBarrier *memory,
			 u32 buffer_count, const VkBufferMemoryBarrier *buffer,
			 u32 image_count, const VkImageMemoryBarrier *image)
{
	u32 i;

	for (i = 0; i < memory_count; i++) {
		if (memory[i].dstAccessMask & HOST_READS)
			add_barrier(device, handle, 0, 0, VK_WHOLE_SIZE);
	}
	for (i = 0; i < buffer_count; i++) {
		if (buffer[i].dstAccessMask & HOST_READS)
			add_barrier(device, handle, GSL_KEY(buffer[i].buffer), buffer[i].offset,
				    buffer[i].size);
	}
	for (i = 0; i < image_count; i++) {
		if (image[i].dstAccessMask & HOST_READS)
			add_barrier(device, handle, GSL_KEY(image[i].image), 0, VK_WHOLE_SIZE);
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

VKAPI_ATTR void VKAPI_CALL
gsl_CmdWaitEvents(VkCommandBuffer handle, uint32_t count, const VkEvent *events,
		  VkPipelineStageFlags from, VkPipelineStageFlags to, uint32_t memory_count,
		  const VkMemoryBarrier *memory, uint32_t buffer_count,
		  const VkBufferMemoryBarrier *buffer, uint32_t image_count,
		  const VkImageMemoryBarrier *image)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (to & VK_PIPELINE_STAGE_HOST_BIT)
		add_barriers(device, handle, memory_count, memory, buffer_count, buffer,
			     image_count, image);
	device->calls.CmdWaitEvents(handle, count, events, from, to, memory_count, memory,
				    buffer_count, buffer, image_count, image);
}

#ifdef GSL_HAS_CmdPipelineBarrier2
static bool is_to_host(VkPipelineStageFlags2KHR stages, VkAccessFlags2KHR access)
{
	return (stages & VK_PIPELINE_STAGE_HOST_BIT) && (access & HOST_READS);
}

static void add_dependency(struct gsl_device *device, VkCommandBuffer handle,
			   const VkDependencyInfoKHR *info)
{
	u32 i;

	for (i = 0; i < info->memoryBarrierCount; i++) {
		const VkMemoryBarrier2KHR *barrier = &info->pMemoryBarriers[i];

		if (is_to_host(barrier->dstStageMask, barrier->dstAccessMask))
			add_barrier(device, handle, 0, 0, VK_WHOLE_SIZE);
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
			add_barrier(device, handle, GSL_KEY(barrier->image), 0, VK_WHOLE_SIZE);
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

	for (i = 0; i < count; i++)
		add_dependency(device, handle, &infos[i]);
	device->calls.CmdWaitEvents2(handle, count, events, infos);
}
#endif
