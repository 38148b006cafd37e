// SPDX-License-Identifier: MIT
/* What the loader calls first, and the look-up of functions. */
#include <string.h>

#include "layer.h"

#define EXPORT	__attribute__((visibility("default")))

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL gsl_GetDeviceProcAddr(VkDevice handle, const char *name)
{
	const struct gsl_hook *hook = gsl_hook_find(name);
	struct gsl_device *device = gsl_device_of(handle);
	PFN_vkVoidFunction below;

	if (!strcmp(name, "vkGetDeviceProcAddr"))
		return hook->function;
	if (!device)
		return NULL;
	/* What the driver lacks, or the application did not enable, is not there. */
	below = device->next(handle, name);
	return below && hook && hook->device ? hook->function : below;
}

/* Before there is an instance these alone can be asked for. */
static bool is_global(const char *name)
{
	return !strcmp(name, "vkCreateInstance") || !strcmp(name, "vkGetInstanceProcAddr") ||
	       !strncmp(name, "vkEnumerateInstance", strlen("vkEnumerateInstance"));
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL gsl_GetInstanceProcAddr(VkInstance handle,
								 const char *name)
{
	const struct gsl_hook *hook = gsl_hook_find(name);
	struct gsl_instance *instance;
	PFN_vkVoidFunction below;

	if (is_global(name))
		return hook ? hook->function : NULL;
	instance = handle ? gsl_instance_of(handle) : NULL;
	if (!instance)
		return NULL;
	below = instance->next(handle, name);
	return below && hook ? hook->function : below;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_physical_proc_addr(VkInstance handle,
								       const char *name)
{
	const struct gsl_hook *hook = gsl_hook_find(name);
	struct gsl_instance *instance = gsl_instance_of(handle);
	PFN_vkVoidFunction below = NULL;

	if (instance && instance->next_physical)
		below = instance->next_physical(handle, name);
	/* The loader asks this of every name that it does not know: of devices' ones too. */
	return below && hook && !hook->device ? hook->function : below;
}

EXPORT PFN_vkVoidFunction vk_layerGetPhysicalDeviceProcAddr(VkInstance handle,
								     const char *name);

EXPORT PFN_vkVoidFunction vk_layerGetPhysicalDeviceProcAddr(VkInstance handle,
								     const char *name)
{
	return get_physical_proc_addr(handle, name);
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version)
{
	if (version->loaderLayerInterfaceVersion < 2)
		return VK_ERROR_INITIALIZATION_FAILED;
	version->loaderLayerInterfaceVersion = 2;
	version->pfnGetInstanceProcAddr = gsl_GetInstanceProcAddr;
	version->pfnGetDeviceProcAddr = gsl_GetDeviceProcAddr;
	version->pfnGetPhysicalDeviceProcAddr = get_physical_proc_addr;
	return VK_SUCCESS;
}
