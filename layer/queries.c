// SPDX-License-Identifier: MIT
/* Results of queries that the device copies to buffers: how many bytes that are. */
#include <stdlib.h>

#include "layer.h"

/* A query pool. */
struct gsl_queries {
	u32 values;	/* of each result */
};

static u32 count_bits(u32 bits)
{
	u32 count = 0;

	for (; bits; bits &= bits - 1)
		count++;
	return count;
}

static u32 count_values(const VkQueryPoolCreateInfo *info)
{
	switch ((int)info->queryType) {
	case VK_QUERY_TYPE_PIPELINE_STATISTICS:
		return count_bits(info->pipelineStatistics);
	case VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT:
		return 2;
	default:
		/* Of video and of performance there are more, which nobody copies by this. */
		return 1;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateQueryPool(VkDevice handle,
						   const VkQueryPoolCreateInfo *info,
						   const VkAllocationCallbacks *allocator,
						   VkQueryPool *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateQueryPool(handle, info, allocator, out);
	struct gsl_queries *queries = result ? NULL : malloc(sizeof(*queries));

	if (!queries)
		return result;
	queries->values = count_values(info);
	free(gsl_map_take(&device->queries, GSL_KEY(*out)));
	if (!gsl_map_put(&device->queries, GSL_KEY(*out), queries))
		free(queries);
	return result;
}

/* Only recording looks at it, which is over by then. */
VKAPI_ATTR void VKAPI_CALL gsl_DestroyQueryPool(VkDevice handle, VkQueryPool pool,
						const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	free(gsl_map_take(&device->queries, GSL_KEY(pool)));
	device->calls.DestroyQueryPool(handle, pool, allocator);
}

static u64 result_size(struct gsl_device *device, VkQueryPool pool, VkQueryResultFlags flags)
{
	const struct gsl_queries *queries = gsl_map_get(&device->queries, GSL_KEY(pool));
	u64 values = queries ? queries->values : 1;

	if (flags & (VK_QUERY_RESULT_WITH_AVAILABILITY_BIT | VK_QUERY_RESULT_WITH_STATUS_BIT_KHR))
		values++;
	return values * (flags & VK_QUERY_RESULT_64_BIT ? sizeof(u64) : sizeof(u32));
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdCopyQueryPoolResults(VkCommandBuffer handle, VkQueryPool pool, uint32_t first,
			    uint32_t count, VkBuffer buffer, VkDeviceSize offset,
			    VkDeviceSize stride, VkQueryResultFlags flags)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (count)
		gsl_commands_write(device, handle, buffer, offset,
				   (count - 1) * stride + result_size(device, pool, flags));
	device->calls.CmdCopyQueryPoolResults(handle, pool, first, count, buffer, offset, stride,
					      flags);
}
