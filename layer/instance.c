// SPDX-License-Identifier: MIT
/* Instances, physical devices as they are shown, and messengers. */
#include <stdlib.h>
#include <string.h>

#include "layer.h"

static struct gsl_map instances = GSL_MAP_INIT;

struct gsl_instance *gsl_instance_of(const void *dispatchable)
{
	return gsl_map_get(&instances, GSL_KEY(*(void *const *)dispatchable));
}

/* ---- Creation ---- */

static VkLayerInstanceCreateInfo *find_link(const VkInstanceCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		VkLayerInstanceCreateInfo *link = (void *)next;

		if (next->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO &&
		    link->function == VK_LAYER_LINK_INFO)
			return link;
	}
	return NULL;
}

/*
 * Messengers are called from here, not by vkSubmitDebugUtilsMessageEXT: the loader holds its lock
 * while a device is created or destroyed, and that call takes it too. Nobody may destroy one
 * meanwhile: the application has to keep that apart from all calls of the instance.
 */
static bool tell_each(struct gsl_instance *instance,
		      VkDebugUtilsMessageSeverityFlagBitsEXT severity,
		      VkDebugUtilsMessageTypeFlagsEXT types,
		      const VkDebugUtilsMessengerCallbackDataEXT *data)
{
	struct gsl_messenger *first, *messenger;

	pthread_mutex_lock(&instance->messenger_lock);
	first = instance->messengers;
	pthread_mutex_unlock(&instance->messenger_lock);
	for (messenger = first; messenger; messenger = messenger->next) {
		if (messenger->severities & severity && messenger->types & types)
			messenger->callback(severity, types, data, messenger->data);
	}
	return first;
}

static bool tell_messengers(void *ctx, const struct gsl_finding *finding, const char *text)
{
	char id[64] = "GEMSYNC-";
	VkDebugUtilsObjectNameInfoEXT objects[3];
	const struct gsl_object *found[3] = { &finding->memory, &finding->resource,
					      &finding->queue };
	VkDebugUtilsMessengerCallbackDataEXT data = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CALLBACK_DATA_EXT,
		.pMessageIdName = id,
		.messageIdNumber = 0x6e6300 + finding->kind,
		.pMessage = text,
		.pObjects = objects,
	};
	bool cost = finding->kind == GSL_CLEAN_FLUSH, info = finding->kind == GSL_LEFT_ALONE;
	u32 i;

	strncat(id, gsl_kind_name(finding->kind), sizeof(id) - strlen(id) - 1);
	for (i = 0; i < ARRAY_SIZE(found); i++) {
		if (!found[i]->type)
			continue;
		objects[data.objectCount++] = (VkDebugUtilsObjectNameInfoEXT){
			.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
			.objectType = found[i]->type,
			.objectHandle = found[i]->handle,
			.pObjectName = found[i]->name[0] ? found[i]->name : NULL,
		};
	}
	return tell_each(ctx,
			 info ? VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT :
			 finding->possibly || cost ?
			 VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT :
			 VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			 info ? VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT :
			 cost ? VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT :
			 VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT, &data);
}

static void remove_messenger(struct gsl_instance *instance, VkDebugUtilsMessengerEXT handle);

static void free_value(void *ctx, void *value)
{
	free(value);
}

static void free_instance(struct gsl_instance *instance)
{
	gsl_findings_fini(&instance->findings);
	gsl_map_each(&instance->physical, free_value, NULL);
	gsl_map_fini(&instance->physical);
	while (instance->messengers)
		remove_messenger(instance, instance->messengers->handle);
	pthread_mutex_destroy(&instance->messenger_lock);
	free(instance);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateInstance(const VkInstanceCreateInfo *info,
						  const VkAllocationCallbacks *allocator,
						  VkInstance *out)
{
	VkLayerInstanceCreateInfo *link = find_link(info);
	struct gsl_instance *instance;
	PFN_vkCreateInstance create;
	VkResult result;

	if (!link)
		return VK_ERROR_INITIALIZATION_FAILED;
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	instance->next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
	instance->next_physical = link->u.pLayerInfo->pfnNextGetPhysicalDeviceProcAddr;
	link->u.pLayerInfo = link->u.pLayerInfo->pNext;
	create = (PFN_vkCreateInstance)instance->next(NULL, "vkCreateInstance");
	result = create(info, allocator, out);
	if (result) {
		free(instance);
		return result;
	}
	instance->handle = *out;
	gsl_settings_read(&instance->settings, info);
	gsl_findings_init(&instance->findings, &instance->settings);
	instance->findings.tell = tell_messengers;
	instance->findings.ctx = instance;
	pthread_mutex_init(&instance->messenger_lock, NULL);
	gsl_map_init(&instance->physical);
	gsl_instance_calls_load(&instance->calls, *out, instance->next);
	if (!gsl_map_put(&instances, GSL_KEY(*(void **)*out), instance)) {
		instance->calls.DestroyInstance(*out, allocator);
		free_instance(instance);
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyInstance(VkInstance handle,
					       const VkAllocationCallbacks *allocator)
{
	struct gsl_instance *instance;

	if (!handle)
		return;
	instance = gsl_map_take(&instances, GSL_KEY(*(void **)handle));
	instance->calls.DestroyInstance(handle, allocator);
	free_instance(instance);
}

/* ---- What the layer is ---- */

static VkResult list_layers(uint32_t *count, VkLayerProperties *properties)
{
	if (!properties) {
		*count = 1;
		return VK_SUCCESS;
	}
	if (!*count)
		return VK_INCOMPLETE;
	*count = 1;
	*properties = (VkLayerProperties){
		.layerName = GSL_LAYER_NAME,
		.specVersion = VK_HEADER_VERSION_COMPLETE,
		.implementationVersion = 1,
		.description = "Makes coherent drivers non-coherent, and names the missing call",
	};
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_EnumerateInstanceLayerProperties(uint32_t *count,
								    VkLayerProperties *properties)
{
	return list_layers(count, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_EnumerateDeviceLayerProperties(VkPhysicalDevice physical,
								  uint32_t *count,
								  VkLayerProperties *properties)
{
	return list_layers(count, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_EnumerateInstanceExtensionProperties(const char *layer, uint32_t *count,
					 VkExtensionProperties *properties)
{
	static const VkExtensionProperties settings = { "VK_EXT_layer_settings", 2 };

	if (!layer || strcmp(layer, GSL_LAYER_NAME))
		return VK_ERROR_LAYER_NOT_PRESENT;
	if (!properties) {
		*count = 1;
		return VK_SUCCESS;
	}
	if (!*count)
		return VK_INCOMPLETE;
	*count = 1;
	*properties = settings;
	return VK_SUCCESS;
}

/* Memory is mapped where the layer's copy is: placed maps are not offered. */
static bool is_hidden(const VkExtensionProperties *extension)
{
	return !strcmp(extension->extensionName, "VK_EXT_map_memory_placed");
}

static VkResult list_all(struct gsl_instance *instance, VkPhysicalDevice physical,
			 VkExtensionProperties **list, uint32_t *count)
{
	PFN_vkEnumerateDeviceExtensionProperties enumerate =
		instance->calls.EnumerateDeviceExtensionProperties;
	VkResult result = enumerate(physical, NULL, count, NULL);
	uint32_t i, kept = 0;

	if (result)
		return result;
	*list = calloc(*count + 1, sizeof(**list));
	if (!*list)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = enumerate(physical, NULL, count, *list);
	for (i = 0; i < *count; i++) {
		if (!is_hidden(&(*list)[i]))
			(*list)[kept++] = (*list)[i];
	}
	*count = kept;
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char *layer,
				       uint32_t *count, VkExtensionProperties *properties)
{
	struct gsl_instance *instance = gsl_instance_of(physical);
	VkExtensionProperties *list = NULL;
	uint32_t all, room = *count;
	VkResult result;

	if (layer && !strcmp(layer, GSL_LAYER_NAME)) {
		*count = 0;
		return VK_SUCCESS;
	}
	if (layer)
		return instance->calls.EnumerateDeviceExtensionProperties(physical, layer, count,
									  properties);
	result = list_all(instance, physical, &list, &all);
	if (!result) {
		*count = all;
		if (properties) {
			*count = room < all ? room : all;
			memcpy(properties, list, *count * sizeof(*list));
			result = *count < all ? VK_INCOMPLETE : VK_SUCCESS;
		}
	}
	free(list);
	return result;
}

/* The next layer's handle tells them apart. */
static void add_messenger(struct gsl_instance *instance, VkDebugUtilsMessengerEXT handle,
			  const VkDebugUtilsMessengerCreateInfoEXT *info)
{
	struct gsl_messenger *messenger = malloc(sizeof(*messenger));

	if (!messenger)
		return;
	*messenger = (struct gsl_messenger){
		.handle = handle,
		.severities = info->messageSeverity,
		.types = info->messageType,
		.callback = info->pfnUserCallback,
		.data = info->pUserData,
	};
	pthread_mutex_lock(&instance->messenger_lock);
	messenger->next = instance->messengers;
	instance->messengers = messenger;
	pthread_mutex_unlock(&instance->messenger_lock);
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_CreateDebugUtilsMessengerEXT(VkInstance handle, const VkDebugUtilsMessengerCreateInfoEXT *info,
				 const VkAllocationCallbacks *allocator,
				 VkDebugUtilsMessengerEXT *messenger)
{
	struct gsl_instance *instance = gsl_instance_of(handle);
	VkResult result = instance->calls.CreateDebugUtilsMessengerEXT(handle, info, allocator,
								       messenger);

	if (!result)
		add_messenger(instance, *messenger, info);
	return result;
}

static void remove_messenger(struct gsl_instance *instance, VkDebugUtilsMessengerEXT handle)
{
	struct gsl_messenger **link, *found;

	pthread_mutex_lock(&instance->messenger_lock);
	for (link = &instance->messengers; *link && (*link)->handle != handle;
	     link = &(*link)->next)
		;
	found = *link;
	if (found)
		*link = found->next;
	pthread_mutex_unlock(&instance->messenger_lock);
	free(found);
}

VKAPI_ATTR void VKAPI_CALL
gsl_DestroyDebugUtilsMessengerEXT(VkInstance handle, VkDebugUtilsMessengerEXT messenger,
				  const VkAllocationCallbacks *allocator)
{
	struct gsl_instance *instance = gsl_instance_of(handle);

	if (messenger)
		remove_messenger(instance, messenger);
	instance->calls.DestroyDebugUtilsMessengerEXT(handle, messenger, allocator);
}
