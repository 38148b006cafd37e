// SPDX-License-Identifier: MIT
/* Devices and the names of their objects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

static struct gsl_map devices = GSL_MAP_INIT;

struct gsl_device *gsl_device_of(const void *dispatchable)
{
	return gsl_map_get(&devices, GSL_KEY(*(void *const *)dispatchable));
}

void gsl_device_translate_bits(struct gsl_device *device, uint32_t *bits)
{
	*bits = gsl_types_shown_bits(device->types, *bits);
}

/* ---- Creation ---- */

static VkLayerDeviceCreateInfo *find_link(const VkDeviceCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		VkLayerDeviceCreateInfo *link = (void *)next;

		if (next->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO &&
		    link->function == VK_LAYER_LINK_INFO)
			return link;
	}
	return NULL;
}

/* The maps of a device, and what frees the values of each. */
static void each_map(struct gsl_device *device, void (*each)(struct gsl_map *map))
{
	struct gsl_map *maps[] = {
		&device->memories, &device->resources, &device->views, &device->layouts,
		&device->sets, &device->templates, &device->commands, &device->queues,
		&device->fences, &device->semaphores, &device->queries, &device->events,
		&device->names, &device->passes, &device->framebuffers,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(maps); i++)
		each(maps[i]);
}

static void free_value(void *ctx, void *value)
{
	free(value);
}

/* What the application forgot to destroy. */
static void free_values(struct gsl_map *map)
{
	gsl_map_each(map, free_value, NULL);
	gsl_map_fini(map);
}

static void read_limits(struct gsl_device *device, VkPhysicalDevice physical)
{
	VkPhysicalDeviceProperties properties;

	gsl_GetPhysicalDeviceProperties(physical, &properties);
	device->atom = (u32)properties.limits.nonCoherentAtomSize;
	device->map_align = properties.limits.minMemoryMapAlignment;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateDevice(VkPhysicalDevice physical,
						const VkDeviceCreateInfo *info,
						const VkAllocationCallbacks *allocator,
						VkDevice *out)
{
	struct gsl_instance *instance = gsl_instance_of(physical);
	VkLayerDeviceCreateInfo *link = find_link(info);
	struct gsl_device *device;
	PFN_vkCreateDevice create;
	VkResult result;

	if (!link)
		return VK_ERROR_INITIALIZATION_FAILED;
	device = calloc(1, sizeof(*device));
	if (!device)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	device->instance = instance;
	device->types = gsl_types_of(instance, physical);
	device->next = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
	create = (PFN_vkCreateDevice)link->u.pLayerInfo->pfnNextGetInstanceProcAddr(
		instance->handle, "vkCreateDevice");
	link->u.pLayerInfo = link->u.pLayerInfo->pNext;
	result = device->types ? create(physical, info, allocator, out) :
				 VK_ERROR_OUT_OF_HOST_MEMORY;
	if (result) {
		free(device);
		return result;
	}
	device->handle = *out;
	gsl_reads_init();
	gs_random_seed(&device->random, (u64)instance->settings.seed);
	read_limits(device, physical);
	pthread_mutex_init(&device->lock, NULL);
	each_map(device, gsl_map_init);
	gsl_device_calls_load(&device->calls, *out, device->next);
	if (gsl_map_put(&devices, GSL_KEY(*(void **)*out), device))
		return VK_SUCCESS;
	device->calls.DestroyDevice(*out, allocator);
	each_map(device, free_values);
	pthread_mutex_destroy(&device->lock);
	free(device);
	return VK_ERROR_OUT_OF_HOST_MEMORY;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyDevice(VkDevice handle,
					     const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device;

	if (!handle)
		return;
	device = gsl_map_take(&devices, GSL_KEY(*(void **)handle));
	gsl_device_free_memories(device);
	gsl_device_free_commands(device);
	gsl_device_free_jobs(device);
	gsl_device_free_pieces(device);
	device->calls.DestroyDevice(handle, allocator);
	each_map(device, free_values);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

/* ---- Names ---- */

/* Handles of several types may be alike. */
static u64 name_key(VkObjectType type, u64 handle)
{
	return handle ^ (u64)type * 0x9e3779b97f4a7c15ull;
}

/* Others may be told of the object right now. */
void gsl_device_forget_name(struct gsl_device *device, VkObjectType type, u64 handle)
{
	pthread_mutex_lock(&device->lock);
	free(gsl_map_take(&device->names, name_key(type, handle)));
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_SetDebugUtilsObjectNameEXT(VkDevice handle, const VkDebugUtilsObjectNameInfoEXT *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	char *name = NULL;

	if (info->pObjectName && *info->pObjectName)
		name = strdup(info->pObjectName);
	gsl_device_forget_name(device, info->objectType, info->objectHandle);
	if (name && !gsl_map_put(&device->names, name_key(info->objectType, info->objectHandle),
				 name))
		free(name);
	/* The loader gives this out where nobody enabled the extension, and takes it for done. */
	if (!device->calls.SetDebugUtilsObjectNameEXT)
		return VK_SUCCESS;
	return device->calls.SetDebugUtilsObjectNameEXT(handle, info);
}

/* A name that was cut ends with a whole character of UTF-8. */
static void cut_to_character(char *name)
{
	size_t end = strlen(name), start = end;
	unsigned char first;

	while (start && (name[start - 1] & 0xc0) == 0x80)
		start--;
	first = start ? (unsigned char)name[--start] : 0;
	if (end - start < (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4))
		name[start] = 0;
}

struct gsl_object gsl_object_of(struct gsl_device *device, VkObjectType type, u64 handle)
{
	struct gsl_object object = { .type = type, .handle = handle };
	const char *name = gsl_map_get(&device->names, name_key(type, handle));

	if (name && snprintf(object.name, sizeof(object.name), "%s", name) >= GSL_NAME)
		cut_to_character(object.name);
	return object;
}
