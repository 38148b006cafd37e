// SPDX-License-Identifier: MIT
/* Memory types and limits of physical devices as they are shown. */
#include <stdlib.h>

#include "layer.h"

static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

const struct gsl_types *gsl_types_of(struct gsl_instance *instance, VkPhysicalDevice physical)
{
	struct gsl_types_options options = {
		.mode = (enum gsl_types_mode)instance->settings.types,
		.last = instance->settings.order,
		.strip = instance->settings.strip,
	};
	struct gsl_types *types = gsl_map_get(&instance->physical, GSL_KEY(physical));
	VkPhysicalDeviceMemoryProperties driver;
	struct gsl_types *kept;

	if (types)
		return types;
	instance->calls.GetPhysicalDeviceMemoryProperties(physical, &driver);
	types = calloc(1, sizeof(*types));
	if (!types)
		return NULL;
	gsl_types_init(types, &driver, &options);
	/* Of two threads that ask first, one keeps its types: the other's are the same. */
	pthread_mutex_lock(&keeping);
	kept = gsl_map_get(&instance->physical, GSL_KEY(physical));
	if (!kept && gsl_map_put(&instance->physical, GSL_KEY(physical), types))
		kept = types;
	pthread_mutex_unlock(&keeping);
	if (kept != types)
		free(types);
	return kept;
}

VKAPI_ATTR void VKAPI_CALL
gsl_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice physical,
				      VkPhysicalDeviceMemoryProperties *properties)
{
	struct gsl_instance *instance = gsl_instance_of(physical);
	const struct gsl_types *types = gsl_types_of(instance, physical);

	if (types)
		*properties = types->shown;
	else
		instance->calls.GetPhysicalDeviceMemoryProperties(physical, properties);
}

VKAPI_ATTR void VKAPI_CALL
gsl_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice physical,
				       VkPhysicalDeviceMemoryProperties2 *properties)
{
	struct gsl_instance *instance = gsl_instance_of(physical);
	const struct gsl_types *types = gsl_types_of(instance, physical);

	instance->calls.GetPhysicalDeviceMemoryProperties2(physical, properties);
	if (types)
		properties->memoryProperties = types->shown;
}

static void raise_atom(struct gsl_instance *instance, VkPhysicalDeviceLimits *limits)
{
	if (limits->nonCoherentAtomSize < (VkDeviceSize)instance->settings.atom)
		limits->nonCoherentAtomSize = (VkDeviceSize)instance->settings.atom;
}

VKAPI_ATTR void VKAPI_CALL gsl_GetPhysicalDeviceProperties(VkPhysicalDevice physical,
							   VkPhysicalDeviceProperties *properties)
{
	struct gsl_instance *instance = gsl_instance_of(physical);

	instance->calls.GetPhysicalDeviceProperties(physical, properties);
	raise_atom(instance, &properties->limits);
}

/* A driver on top of another one has that one's limits in a list in the chain. */
#ifdef VK_KHR_maintenance7
static void raise_of_api(struct gsl_instance *instance,
			 VkPhysicalDeviceLayeredApiPropertiesKHR *api)
{
	VkBaseOutStructure *next;

	for (next = api->pNext; next; next = next->pNext) {
		VkPhysicalDeviceLayeredApiVulkanPropertiesKHR *vulkan = (void *)next;

		if (next->sType ==
		    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_VULKAN_PROPERTIES_KHR)
			raise_atom(instance, &vulkan->properties.properties.limits);
	}
}

static void raise_in_chain(struct gsl_instance *instance, void *chain)
{
	VkBaseOutStructure *next;
	u32 i;

	for (next = chain; next; next = next->pNext) {
		VkPhysicalDeviceLayeredApiPropertiesListKHR *list = (void *)next;

		if (next->sType !=
		    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_PROPERTIES_LIST_KHR)
			continue;
		for (i = 0; list->pLayeredApis && i < list->layeredApiCount; i++)
			raise_of_api(instance, &list->pLayeredApis[i]);
	}
}
#else
static void raise_in_chain(struct gsl_instance *instance, void *chain)
{
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_GetPhysicalDeviceProperties2(VkPhysicalDevice physical,
							    VkPhysicalDeviceProperties2 *properties)
{
	struct gsl_instance *instance = gsl_instance_of(physical);

	instance->calls.GetPhysicalDeviceProperties2(physical, properties);
	raise_atom(instance, &properties->properties.limits);
	raise_in_chain(instance, properties->pNext);
}
