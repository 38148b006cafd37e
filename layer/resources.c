// SPDX-License-Identifier: MIT
/* Buffers and images, their views, and where they are bound. */
#include <stdlib.h>

#include "layer.h"

/* ---- Places in memory. The device's lock is held. ---- */

void gsl_resource_unbind(struct gsl_resource *resource)
{
	struct gsl_resource **link;

	if (!resource->memory)
		return;
	for (link = &resource->memory->resources; *link != resource; link = &(*link)->next)
		;
	*link = resource->next;
	resource->memory = NULL;
}

static void bind_at(struct gsl_resource *resource, struct gsl_memory *memory, u64 offset)
{
	resource->memory = memory;
	resource->offset = offset;
	if (resource->size > memory->size - offset)
		resource->size = memory->size - offset;
	memory->shared |= memory->resources && memory->resources->key != resource->key;
	resource->next = memory->resources;
	memory->resources = resource;
	memory->addressed |= resource->addressed;
}

struct gsl_resource *gsl_resource_at(struct gsl_memory *memory, u64 offset)
{
	struct gsl_resource *resource;

	for (resource = memory->resources; resource; resource = resource->next) {
		if (offset >= resource->offset && offset - resource->offset < resource->size)
			return resource;
	}
	return NULL;
}

static void bind(struct gsl_device *device, u64 key, VkDeviceMemory memory_handle, u64 offset)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, key);
	struct gsl_memory *memory = gsl_memory_of(device, memory_handle);

	if (!resource || !memory)
		return;
	pthread_mutex_lock(&device->lock);
	gsl_resource_unbind(resource);
	bind_at(resource, memory, offset);
	pthread_mutex_unlock(&device->lock);
}

/* ---- Pieces of sparse buffers. The device's lock is held. ---- */

static void free_dead_pieces(struct gsl_resource *resource)
{
	struct gsl_resource **link = &resource->pieces;

	while (*link) {
		struct gsl_resource *piece = *link;

		if (piece->memory) {
			link = &piece->next_piece;
			continue;
		}
		*link = piece->next_piece;
		free(piece);
	}
}

static void free_pieces(struct gsl_resource *resource)
{
	struct gsl_resource *piece;

	for (piece = resource->pieces; piece; piece = piece->next_piece)
		gsl_resource_unbind(piece);
	free_dead_pieces(resource);
}

static void add_piece(struct gsl_resource *resource, struct gsl_memory *memory, u64 begin,
		      u64 size, u64 offset, bool written)
{
	struct gsl_resource *piece = malloc(sizeof(*piece));

	if (!piece) {
		memory->opaque = true;
		return;
	}
	*piece = *resource;
	piece->begin = begin;
	piece->size = size;
	piece->written = written;
	piece->pieces = NULL;
	piece->next_piece = resource->pieces;
	resource->pieces = piece;
	bind_at(piece, memory, offset);
}

/* What is left of a piece, of which the part from @begin to @end is bound elsewhere. */
static void cut_piece(struct gsl_resource *resource, struct gsl_resource *piece, u64 begin, u64 end)
{
	u64 piece_end = piece->begin + piece->size;
	struct gsl_memory *memory = piece->memory;

	if (!memory || begin >= piece_end || end <= piece->begin)
		return;
	gsl_resource_unbind(piece);
	if (piece->begin < begin)
		add_piece(resource, memory, piece->begin, begin - piece->begin, piece->offset,
			  piece->written);
	if (end < piece_end)
		add_piece(resource, memory, end, piece_end - end,
			  piece->offset + end - piece->begin, piece->written);
}

void gsl_resource_bind_piece(struct gsl_device *device, VkBuffer buffer,
			     const VkSparseMemoryBind *bind)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, GSL_KEY(buffer));
	struct gsl_memory *memory = gsl_memory_of(device, bind->memory);
	u64 end = bind->resourceOffset + bind->size;
	struct gsl_resource *piece;

	if (!resource)
		return;
	for (piece = resource->pieces; piece; piece = piece->next_piece)
		cut_piece(resource, piece, bind->resourceOffset, end);
	free_dead_pieces(resource);
	if (memory)
		add_piece(resource, memory, bind->resourceOffset, bind->size, bind->memoryOffset,
			  false);
}

static void visit_place(struct gsl_resource *place, u64 offset, u64 end,
			void (*visit)(void *ctx, struct gsl_resource *place, u64 offset, u64 size),
			void *ctx)
{
	if (offset < place->begin)
		offset = place->begin;
	if (end > place->begin + place->size)
		end = place->begin + place->size;
	if (place->memory && offset < end)
		visit(ctx, place, place->offset + offset - place->begin, end - offset);
}

void gsl_resource_each_place(struct gsl_resource *resource, u64 offset, u64 size,
			     void (*visit)(void *ctx, struct gsl_resource *place, u64 offset,
					   u64 size),
			     void *ctx)
{
	u64 end = size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
	struct gsl_resource *piece;

	visit_place(resource, offset, end, visit, ctx);
	for (piece = resource->pieces; piece; piece = piece->next_piece)
		visit_place(piece, offset, end, visit, ctx);
}

static void free_pieces_of(void *ctx, void *value)
{
	free_pieces(value);
}

void gsl_device_free_pieces(struct gsl_device *device)
{
	gsl_map_each(&device->resources, free_pieces_of, NULL);
}

/* ---- Their life ---- */

static void add_resource(struct gsl_device *device, const struct gsl_resource *model)
{
	struct gsl_resource *resource = malloc(sizeof(*resource));

	if (!resource)
		return;
	*resource = *model;
	resource->serial = atomic_fetch_add(&device->serials, 1) + 1;
	if (!gsl_map_put(&device->resources, resource->key, resource))
		free(resource);
}

static void remove_resource(struct gsl_device *device, u64 key)
{
	struct gsl_resource *resource = gsl_map_take(&device->resources, key);

	if (!resource)
		return;
	pthread_mutex_lock(&device->lock);
	gsl_resource_unbind(resource);
	free_pieces(resource);
	pthread_mutex_unlock(&device->lock);
	gsl_device_forget_name(device, resource->type, resource->handle);
	free(resource);
}

/* ---- Buffers ---- */

/* With these alone the device only reads. */
#define BUFFER_READS							\
	(VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |	\
	 VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_INDEX_BUFFER_BIT |	\
	 VK_BUFFER_USAGE_VERTEX_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT)

/* VkBufferUsageFlags2CreateInfo of Vulkan 1.4, which the headers may not have yet. */
#define TYPE_BUFFER_USAGE_2	1000470006

struct buffer_usage_2 {
	VkStructureType type;
	const void *next;
	u64 usage;
};

/* Where it is in the chain, the usage beside it says nothing. */
static u64 buffer_usage(const VkBufferCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if ((int)next->sType == TYPE_BUFFER_USAGE_2)
			return ((const struct buffer_usage_2 *)next)->usage;
	}
	return info->usage;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateBuffer(VkDevice handle, const VkBufferCreateInfo *info,
						const VkAllocationCallbacks *allocator,
						VkBuffer *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateBuffer(handle, info, allocator, out);
	u64 usage = buffer_usage(info);

	if (!result) {
		add_resource(device, &(struct gsl_resource){
			.key = GSL_KEY(*out),
			.handle = GSL_KEY(*out),
			.type = VK_OBJECT_TYPE_BUFFER,
			.size = info->size,
			.device_writes = usage & ~(u64)BUFFER_READS,
			.addressed = usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
		});
	}
	return result;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyBuffer(VkDevice handle, VkBuffer buffer,
					     const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	remove_resource(device, GSL_KEY(buffer));
	device->calls.DestroyBuffer(handle, buffer, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_BindBufferMemory(VkDevice handle, VkBuffer buffer,
						    VkDeviceMemory memory, VkDeviceSize offset)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.BindBufferMemory(handle, buffer, memory, offset);

	if (!result)
		bind(device, GSL_KEY(buffer), memory, offset);
	return result;
}

#ifdef GSL_HAS_BindBufferMemory2
VKAPI_ATTR VkResult VKAPI_CALL gsl_BindBufferMemory2(VkDevice handle, uint32_t count,
						     const VkBindBufferMemoryInfo *infos)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.BindBufferMemory2(handle, count, infos);
	uint32_t i;

	for (i = 0; !result && i < count; i++)
		bind(device, GSL_KEY(infos[i].buffer), infos[i].memory, infos[i].memoryOffset);
	return result;
}
#endif

/* ---- Images ---- */

#define IMAGE_READS	(VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_SAMPLED_BIT | \
			 VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT)

#ifdef GSL_HAS_CopyMemoryToImage
#define HOST_COPIES	VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT
#else
#define HOST_COPIES	0
#endif

/* Of depth and stencil, the latter may be used in other ways. */
static VkImageUsageFlags image_usage(const VkImageCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO)
			return info->usage |
			       ((const VkImageStencilUsageCreateInfo *)next)->stencilUsage;
	}
	return info->usage;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateImage(VkDevice handle, const VkImageCreateInfo *info,
					       const VkAllocationCallbacks *allocator,
					       VkImage *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateImage(handle, info, allocator, out);
	VkImageUsageFlags usage = image_usage(info);

	if (!result) {
		add_resource(device, &(struct gsl_resource){
			.key = GSL_IMAGE_KEY(*out),
			.handle = GSL_KEY(*out),
			.type = VK_OBJECT_TYPE_IMAGE,
			.device_writes = usage & ~(VkFlags)IMAGE_READS,
			.format = info->format,
			.extent = info->extent,
			.optimal = info->tiling == VK_IMAGE_TILING_OPTIMAL,
			.host_copied = usage & HOST_COPIES,
		});
	}
	return result;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyImage(VkDevice handle, VkImage image,
					    const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	remove_resource(device, GSL_IMAGE_KEY(image));
	device->calls.DestroyImage(handle, image, allocator);
}

/* Images say how much memory they take when they are bound, and may have several planes. */
static void bind_image(struct gsl_device *device, VkImage image, VkDeviceMemory memory,
		       u64 offset, bool plane)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, GSL_IMAGE_KEY(image));
	VkMemoryRequirements requirements;

	if (plane) {
		pthread_mutex_lock(&device->lock);
		gsl_memory_set_opaque(device, memory);
		pthread_mutex_unlock(&device->lock);
	}
	if (!resource || plane || !gsl_memory_of(device, memory))
		return;
	device->calls.GetImageMemoryRequirements(device->handle, image, &requirements);
	resource->size = requirements.size;
	bind(device, GSL_IMAGE_KEY(image), memory, offset);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_BindImageMemory(VkDevice handle, VkImage image,
						   VkDeviceMemory memory, VkDeviceSize offset)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.BindImageMemory(handle, image, memory, offset);

	if (!result)
		bind_image(device, image, memory, offset, false);
	return result;
}

#ifdef GSL_HAS_BindImageMemory2
static bool is_of_plane(const VkBindImageMemoryInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_BIND_IMAGE_PLANE_MEMORY_INFO)
			return true;
	}
	return false;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_BindImageMemory2(VkDevice handle, uint32_t count,
						    const VkBindImageMemoryInfo *infos)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.BindImageMemory2(handle, count, infos);
	uint32_t i;

	for (i = 0; !result && i < count; i++)
		bind_image(device, infos[i].image, infos[i].memory, infos[i].memoryOffset,
			   is_of_plane(&infos[i]));
	return result;
}
#endif

static u64 divide_up(u64 value, u64 by)
{
	return (value + by - 1) / by;
}

/* Depth and stencil are copied apart, each as a format of its own. */
static struct gsl_block copied_block(VkFormat format, VkImageAspectFlags aspect)
{
	if (aspect == VK_IMAGE_ASPECT_STENCIL_BIT)
		return (struct gsl_block){ 1, 1, 1 };
	switch (format) {
	case VK_FORMAT_D16_UNORM_S8_UINT:
		return (struct gsl_block){ 2, 1, 1 };
	case VK_FORMAT_X8_D24_UNORM_PACK32:
	case VK_FORMAT_D24_UNORM_S8_UINT:
	case VK_FORMAT_D32_SFLOAT_S8_UINT:
		return (struct gsl_block){ 4, 1, 1 };
	default:
		return gsl_block_of(format);
	}
}

u64 gsl_region_size(struct gsl_device *device, VkImage image, const VkBufferImageCopy *region)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, GSL_IMAGE_KEY(image));
	u64 row_texels = region->bufferRowLength ? region->bufferRowLength :
						   region->imageExtent.width;
	u64 rows_apart = region->bufferImageHeight ? region->bufferImageHeight :
						     region->imageExtent.height;
	u64 layers = (u64)region->imageSubresource.layerCount * region->imageExtent.depth;
	struct gsl_block block;
	u64 row, rows;

	if (!resource || region->imageSubresource.layerCount == VK_REMAINING_ARRAY_LAYERS)
		return VK_WHOLE_SIZE;
	block = copied_block(resource->format, region->imageSubresource.aspectMask);
	if (!block.bytes || !layers || !region->imageExtent.height)
		return VK_WHOLE_SIZE;
	row = divide_up(row_texels, block.width) * block.bytes;
	rows = (layers - 1) * divide_up(rows_apart, block.height) +
	       divide_up(region->imageExtent.height, block.height) - 1;
	return rows * row + divide_up(region->imageExtent.width, block.width) * block.bytes;
}

/* ---- Views ---- */

static void add_view(struct gsl_device *device, u64 key, u64 resource_key, u64 offset, u64 size)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, resource_key);
	struct gsl_view *view = resource ? malloc(sizeof(*view)) : NULL;

	if (!view)
		return;
	*view = (struct gsl_view){
		.serial = atomic_fetch_add(&device->serials, 1) + 1,
		.resource = resource_key,
		.resource_serial = resource->serial,
		.offset = offset,
		.size = size,
	};
	if (!gsl_map_put(&device->views, key, view))
		free(view);
}

/* Sets may name it still while another thread submits. */
static void remove_view(struct gsl_device *device, u64 key)
{
	pthread_mutex_lock(&device->lock);
	free(gsl_map_take(&device->views, key));
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateBufferView(VkDevice handle,
						    const VkBufferViewCreateInfo *info,
						    const VkAllocationCallbacks *allocator,
						    VkBufferView *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateBufferView(handle, info, allocator, out);

	if (!result)
		add_view(device, GSL_KEY(*out), GSL_KEY(info->buffer), info->offset, info->range);
	return result;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyBufferView(VkDevice handle, VkBufferView view,
						 const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	remove_view(device, GSL_KEY(view));
	device->calls.DestroyBufferView(handle, view, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateImageView(VkDevice handle,
						   const VkImageViewCreateInfo *info,
						   const VkAllocationCallbacks *allocator,
						   VkImageView *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateImageView(handle, info, allocator, out);

	if (!result)
		add_view(device, GSL_IMAGE_KEY(*out), GSL_IMAGE_KEY(info->image), 0, VK_WHOLE_SIZE);
	return result;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyImageView(VkDevice handle, VkImageView view,
						const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	remove_view(device, GSL_IMAGE_KEY(view));
	device->calls.DestroyImageView(handle, view, allocator);
}
