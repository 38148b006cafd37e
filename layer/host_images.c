// SPDX-License-Identifier: MIT
/*
 * Images that the host copies without a map: vkCopyMemoryToImage and its kin. What that asks of
 * caches the driver does; to make the device's writes available to the host first is the
 * application's affair.
 */
#include "layer.h"

#ifdef GSL_HAS_CopyMemoryToImage
static void check_available(struct gsl_device *device, VkImage image, const char *call)
{
	struct gsl_batch batch = { 0 };
	struct gsl_resource *resource;
	struct gsl_finding finding;

	pthread_mutex_lock(&device->lock);
	resource = gsl_map_get(&device->resources, GSL_IMAGE_KEY(image));
	if (resource && resource->memory && resource->unavailable.number > device->available) {
		const struct gsl_write *write = &resource->unavailable;

		finding = gsl_memory_finding(resource->memory, GSL_NO_HOST_BARRIER,
					     resource->offset, resource->size);
		finding.possibly = !write->certain;
		finding.queue = gsl_object_of(device, VK_OBJECT_TYPE_QUEUE,
					      GSL_KEY(write->queue->handle));
		finding.submission = write->submission;
		finding.call = call;
		gsl_batch_add(&batch, &finding);
	}
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

/* The driver stored past the copy of the application, who may look at it by a map too. */
static void refill(struct gsl_device *device, VkImage image)
{
	struct gsl_resource *resource;

	pthread_mutex_lock(&device->lock);
	resource = gsl_map_get(&device->resources, GSL_IMAGE_KEY(image));
	if (resource && resource->memory && resource->memory->copies)
		gsl_copies_refill(resource->memory->copies, resource->offset, resource->size);
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CopyMemoryToImage(VkDevice handle,
						     const VkCopyMemoryToImageInfoEXT *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CopyMemoryToImage(handle, info);

	refill(device, info->dstImage);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CopyImageToMemory(VkDevice handle,
						     const VkCopyImageToMemoryInfoEXT *info)
{
	struct gsl_device *device = gsl_device_of(handle);

	check_available(device, info->srcImage, "vkCopyImageToMemory");
	return device->calls.CopyImageToMemory(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CopyImageToImage(VkDevice handle,
						    const VkCopyImageToImageInfoEXT *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result;

	check_available(device, info->srcImage, "vkCopyImageToImage");
	result = device->calls.CopyImageToImage(handle, info);
	refill(device, info->dstImage);
	return result;
}
#endif
