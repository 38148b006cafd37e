// SPDX-License-Identifier: MIT
/* Copies, fills and other commands that name the buffers and images which they use. */
#include "layer.h"

/* ---- Buffers and images ---- */

static void use_buffer(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
		       u64 offset, u64 size, u32 access, bool possibly)
{
	if (buffer && size)
		gsl_commands_add(gsl_commands_of(device, handle), &(struct gsl_use){
			.kind = GSL_USE_RESOURCE,
			.access = access,
			.possibly = possibly,
			.shader = possibly,
			.handle = GSL_KEY(buffer),
			.offset = offset,
			.size = size,
		});
}

void gsl_commands_read(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
		       u64 offset, u64 size)
{
	use_buffer(device, handle, buffer, offset, size, GSL_READ, false);
}

void gsl_commands_may_read(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			   u64 offset, u64 size)
{
	use_buffer(device, handle, buffer, offset, size, GSL_READ, true);
}

void gsl_commands_write(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			u64 offset, u64 size)
{
	use_buffer(device, handle, buffer, offset, size, GSL_WRITE, false);
}

void gsl_commands_may_write(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			    u64 offset, u64 size)
{
	use_buffer(device, handle, buffer, offset, size, GSL_WRITE, true);
}

/* A part of it may be any. */
void gsl_commands_use_image(struct gsl_device *device, VkCommandBuffer handle, u64 key,
			    u32 access, u32 count, VkExtent3D extent)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, key);
	bool part = resource && (count != 1 || extent.width < resource->extent.width ||
				 extent.height < resource->extent.height ||
				 extent.depth < resource->extent.depth);

	gsl_commands_add(gsl_commands_of(device, handle), &(struct gsl_use){
		.kind = GSL_USE_RESOURCE,
		.access = access,
		.possibly = part,
		.shader = part,
		.handle = key,
		.size = VK_WHOLE_SIZE,
	});
}

static void use_image(struct gsl_device *device, VkCommandBuffer handle, VkImage image,
		      u32 access, u32 count, VkExtent3D extent)
{
	gsl_commands_use_image(device, handle, GSL_IMAGE_KEY(image), access, count, extent);
}

static VkExtent3D box(const VkOffset3D corners[2])
{
	u32 extent[3] = {
		(u32)(corners[1].x - corners[0].x), (u32)(corners[1].y - corners[0].y),
		(u32)(corners[1].z - corners[0].z),
	};
	u32 i;

	for (i = 0; i < 3; i++) {
		if (extent[i] > INT32_MAX)
			extent[i] = -extent[i];
	}
	return (VkExtent3D){ extent[0], extent[1], extent[2] };
}

static const VkExtent3D everything = { UINT32_MAX, UINT32_MAX, UINT32_MAX };

/* ---- Buffer to buffer ---- */

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBuffer(VkCommandBuffer handle, VkBuffer from, VkBuffer to,
					     uint32_t count, const VkBufferCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++) {
		gsl_commands_read(device, handle, from, regions[i].srcOffset, regions[i].size);
		gsl_commands_write(device, handle, to, regions[i].dstOffset, regions[i].size);
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
		const VkBufferCopy2KHR *region = &info->pRegions[i];

		gsl_commands_read(device, handle, info->srcBuffer, region->srcOffset,
				  region->size);
		gsl_commands_write(device, handle, info->dstBuffer, region->dstOffset,
				   region->size);
	}
	device->calls.CmdCopyBuffer2(handle, info);
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_CmdUpdateBuffer(VkCommandBuffer handle, VkBuffer buffer,
					       VkDeviceSize offset, VkDeviceSize size,
					       const void *data)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_write(device, handle, buffer, offset, size);
	device->calls.CmdUpdateBuffer(handle, buffer, offset, size, data);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdFillBuffer(VkCommandBuffer handle, VkBuffer buffer,
					     VkDeviceSize offset, VkDeviceSize size, uint32_t data)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_write(device, handle, buffer, offset, size);
	device->calls.CmdFillBuffer(handle, buffer, offset, size, data);
}

/* ---- Words that the device writes ---- */

VKAPI_ATTR void VKAPI_CALL gsl_CmdWriteBufferMarkerAMD(VkCommandBuffer handle,
						       VkPipelineStageFlagBits stage,
						       VkBuffer buffer, VkDeviceSize offset,
						       uint32_t marker)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_write(device, handle, buffer, offset, sizeof(u32));
	device->calls.CmdWriteBufferMarkerAMD(handle, stage, buffer, offset, marker);
}

#ifdef GSL_HAS_CmdWriteBufferMarker2AMD
VKAPI_ATTR void VKAPI_CALL gsl_CmdWriteBufferMarker2AMD(VkCommandBuffer handle,
							VkPipelineStageFlags2 stage,
							VkBuffer buffer, VkDeviceSize offset,
							uint32_t marker)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_write(device, handle, buffer, offset, sizeof(u32));
	device->calls.CmdWriteBufferMarker2AMD(handle, stage, buffer, offset, marker);
}
#endif

/* Counters of transform feedback: read at its begin, written at its end. */
static void use_counters(VkCommandBuffer handle, uint32_t count, const VkBuffer *buffers,
			 const VkDeviceSize *offsets,
			 void (*use)(struct gsl_device *device, VkCommandBuffer handle,
				     VkBuffer buffer, u64 offset, u64 size))
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; buffers && i < count; i++)
		use(device, handle, buffers[i], offsets ? offsets[i] : 0, sizeof(u32));
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBeginTransformFeedbackEXT(VkCommandBuffer handle,
							    uint32_t first, uint32_t count,
							    const VkBuffer *buffers,
							    const VkDeviceSize *offsets)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_counters(handle, count, buffers, offsets, gsl_commands_read);
	device->calls.CmdBeginTransformFeedbackEXT(handle, first, count, buffers, offsets);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdEndTransformFeedbackEXT(VkCommandBuffer handle,
							  uint32_t first, uint32_t count,
							  const VkBuffer *buffers,
							  const VkDeviceSize *offsets)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_counters(handle, count, buffers, offsets, gsl_commands_write);
	device->calls.CmdEndTransformFeedbackEXT(handle, first, count, buffers, offsets);
}

/* ---- Between buffers and images ---- */

/* Of the buffer's bytes it is known which ones; of the image's not. */
static void copy_region(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			VkImage image, u32 count, const VkBufferImageCopy *region, bool to_image)
{
	(to_image ? gsl_commands_read : gsl_commands_write)(device, handle, buffer,
							    region->bufferOffset,
							    gsl_region_size(device, image,
									    region));
	use_image(device, handle, image, to_image ? GSL_WRITE : GSL_READ, count,
		  region->imageExtent);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBufferToImage(VkCommandBuffer handle, VkBuffer buffer,
						    VkImage image, VkImageLayout layout,
						    uint32_t count,
						    const VkBufferImageCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		copy_region(device, handle, buffer, image, count, &regions[i], true);
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
		copy_region(device, handle, buffer, image, count, &regions[i], false);
	device->calls.CmdCopyImageToBuffer(handle, image, layout, buffer, count, regions);
}

#ifdef GSL_HAS_CmdCopyBufferToImage2
static void copy_region2(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
			 VkImage image, u32 count, const VkBufferImageCopy2KHR *region,
			 bool to_image)
{
	VkBufferImageCopy plain = {
		region->bufferOffset, region->bufferRowLength, region->bufferImageHeight,
		region->imageSubresource, region->imageOffset, region->imageExtent,
	};

	copy_region(device, handle, buffer, image, count, &plain, to_image);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyBufferToImage2(VkCommandBuffer handle,
						     const VkCopyBufferToImageInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < info->regionCount; i++)
		copy_region2(device, handle, info->srcBuffer, info->dstImage, info->regionCount,
			     &info->pRegions[i], true);
	device->calls.CmdCopyBufferToImage2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyImageToBuffer2(VkCommandBuffer handle,
						     const VkCopyImageToBufferInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < info->regionCount; i++)
		copy_region2(device, handle, info->dstBuffer, info->srcImage, info->regionCount,
			     &info->pRegions[i], false);
	device->calls.CmdCopyImageToBuffer2(handle, info);
}
#endif

/* ---- Image to image ---- */

VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyImage(VkCommandBuffer handle, VkImage from,
					    VkImageLayout from_layout, VkImage to,
					    VkImageLayout to_layout, uint32_t count,
					    const VkImageCopy *regions)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_image(device, handle, from, GSL_READ, count, regions[0].extent);
	use_image(device, handle, to, GSL_WRITE, count, regions[0].extent);
	device->calls.CmdCopyImage(handle, from, from_layout, to, to_layout, count, regions);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBlitImage(VkCommandBuffer handle, VkImage from,
					    VkImageLayout from_layout, VkImage to,
					    VkImageLayout to_layout, uint32_t count,
					    const VkImageBlit *regions, VkFilter filter)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_image(device, handle, from, GSL_READ, count, box(regions[0].srcOffsets));
	use_image(device, handle, to, GSL_WRITE, count, box(regions[0].dstOffsets));
	device->calls.CmdBlitImage(handle, from, from_layout, to, to_layout, count, regions,
				   filter);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdResolveImage(VkCommandBuffer handle, VkImage from,
					       VkImageLayout from_layout, VkImage to,
					       VkImageLayout to_layout, uint32_t count,
					       const VkImageResolve *regions)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_image(device, handle, to, GSL_WRITE, count, regions[0].extent);
	device->calls.CmdResolveImage(handle, from, from_layout, to, to_layout, count, regions);
}

#ifdef GSL_HAS_CmdCopyImage2
VKAPI_ATTR void VKAPI_CALL gsl_CmdCopyImage2(VkCommandBuffer handle,
					     const VkCopyImageInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkExtent3D extent = info->pRegions[0].extent;

	use_image(device, handle, info->srcImage, GSL_READ, info->regionCount, extent);
	use_image(device, handle, info->dstImage, GSL_WRITE, info->regionCount, extent);
	device->calls.CmdCopyImage2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBlitImage2(VkCommandBuffer handle,
					     const VkBlitImageInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	const VkImageBlit2KHR *region = &info->pRegions[0];

	use_image(device, handle, info->srcImage, GSL_READ, info->regionCount,
		  box(region->srcOffsets));
	use_image(device, handle, info->dstImage, GSL_WRITE, info->regionCount,
		  box(region->dstOffsets));
	device->calls.CmdBlitImage2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdResolveImage2(VkCommandBuffer handle,
						const VkResolveImageInfo2KHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_image(device, handle, info->dstImage, GSL_WRITE, info->regionCount,
		  info->pRegions[0].extent);
	device->calls.CmdResolveImage2(handle, info);
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_CmdClearColorImage(VkCommandBuffer handle, VkImage image,
						  VkImageLayout layout,
						  const VkClearColorValue *color,
						  uint32_t count,
						  const VkImageSubresourceRange *ranges)
{
	struct gsl_device *device = gsl_device_of(handle);

	use_image(device, handle, image, GSL_WRITE, count, everything);
	device->calls.CmdClearColorImage(handle, image, layout, color, count, ranges);
}

/* ---- Others ---- */

#ifdef GSL_HAS_CmdDecodeVideoKHR
VKAPI_ATTR void VKAPI_CALL gsl_CmdDecodeVideoKHR(VkCommandBuffer handle,
						 const VkVideoDecodeInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_read(device, handle, info->srcBuffer, info->srcBufferOffset,
			  info->srcBufferRange);
	device->calls.CmdDecodeVideoKHR(handle, info);
}
#endif

#ifdef GSL_HAS_CmdEncodeVideoKHR
/* How much of the range is written, a query tells. */
VKAPI_ATTR void VKAPI_CALL gsl_CmdEncodeVideoKHR(VkCommandBuffer handle,
						 const VkVideoEncodeInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_may_write(device, handle, info->dstBuffer, info->dstBufferOffset,
			       info->dstBufferRange);
	device->calls.CmdEncodeVideoKHR(handle, info);
}
#endif

VKAPI_ATTR void VKAPI_CALL
gsl_CmdBeginConditionalRenderingEXT(VkCommandBuffer handle,
				    const VkConditionalRenderingBeginInfoEXT *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	gsl_commands_read(device, handle, info->buffer, info->offset, sizeof(u32));
	device->calls.CmdBeginConditionalRenderingEXT(handle, info);
}
