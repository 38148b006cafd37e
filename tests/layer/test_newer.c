// SPDX-License-Identifier: MIT
/*
 * Calls of Vulkan 1.4 and of extensions that are newer than the oldest headers: each with a
 * mistake that is found by it alone, and its twin. Where the headers lack a call its tests are
 * skipped: tests/layer/newer has newer ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

/* ---- Maps ---- */

#ifdef GSL_HAS_MapMemory2
static void map_again(struct rig *rig, u64 offset)
{
	VkMemoryMapInfoKHR info = {
		.memory = rig->memory,
		.offset = offset,
		.size = VK_WHOLE_SIZE,
	};

	assert_int_equal(gsl_MapMemory2(rig->device, &info, (void **)&rig->map), VK_SUCCESS);
}

static void unmap(struct rig *rig)
{
	VkMemoryUnmapInfoKHR info = { .memory = rig->memory };

	assert_int_equal(gsl_UnmapMemory2(rig->device, &info), VK_SUCCESS);
}

static void copy(struct rig *rig)
{
	VkBufferCopy region = { 1024, 0, 64 };
	VkCommandBuffer commands = rig_commands(rig);

	gsl_CmdCopyBuffer(commands, rig->buffer, VK_NULL_HANDLE, 1, &region);
	rig_run(rig, commands);
}

static void store_and_unmap(struct rig *rig, bool flush)
{
	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	unmap(rig);
	map_again(rig, 1024);
	rig->map[0] = 1;
	if (flush)
		rig_flush(rig, rig->memory, 1024, 64);
	unmap(rig);
	copy(rig);
	assert_int_equal(rig->mem[1024], flush);
}

static void unmap2_is_no_flush(void **state)
{
	store_and_unmap(*state, false);
	rig_expect(*state, "unmap-for-flush");
}

static void unmap2_after_flush(void **state)
{
	store_and_unmap(*state, true);
	rig_expect(*state, NULL);
}

/* Memory without copies is mapped by the driver. */
static void map2_of_coherent_memory(void **state)
{
	struct rig *rig = *state;
	VkMemoryAllocateInfo allocate = { .allocationSize = RIG_SIZE, .memoryTypeIndex = 2 };
	VkMemoryMapInfoKHR map = { .size = VK_WHOLE_SIZE };
	VkMemoryUnmapInfoKHR unmap_info = { 0 };
	void *data;

	gsl_AllocateMemory(rig->device, &allocate, NULL, &map.memory);
	assert_int_equal(gsl_MapMemory2(rig->device, &map, &data), VK_SUCCESS);
	assert_ptr_equal(data, rig->mem + RIG_SIZE);
	unmap_info.memory = map.memory;
	assert_int_equal(gsl_UnmapMemory2(rig->device, &unmap_info), VK_SUCCESS);
	gsl_FreeMemory(rig->device, map.memory, NULL);
}
#endif

/* ---- Descriptors ---- */

#ifdef GSL_HAS_CmdPushDescriptorSet2
/* A storage buffer with stores that are not flushed, or are. */
static VkBuffer make_stored(struct rig *rig, bool flush)
{
	VkBufferCreateInfo info = {
		.size = RIG_SIZE,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	VkBuffer buffer;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 0);
	rig->map[0] = 1;
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	return buffer;
}

static const VkDescriptorSetLayoutBinding binding = {
	.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	.descriptorCount = 1,
	.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
};

static VkWriteDescriptorSet write_of(const VkDescriptorBufferInfo *info)
{
	return (VkWriteDescriptorSet){
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = info,
	};
}

/* How a dispatch gets its buffer. */
enum way { PUSH, PUSH_BY_TEMPLATE, BIND };

static void push(VkCommandBuffer commands, const VkDescriptorBufferInfo *info,
		 VkShaderStageFlags stages)
{
	VkWriteDescriptorSet write = write_of(info);
	VkPushDescriptorSetInfoKHR pushed = {
		.stageFlags = stages,
		.descriptorWriteCount = 1,
		.pDescriptorWrites = &write,
	};

	gsl_CmdPushDescriptorSet2(commands, &pushed);
}

static void push_by_template(struct rig *rig, VkCommandBuffer commands,
			     const VkDescriptorBufferInfo *info)
{
	VkDescriptorUpdateTemplateEntry entry = {
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	};
	VkDescriptorUpdateTemplateCreateInfo template = {
		.descriptorUpdateEntryCount = 1,
		.pDescriptorUpdateEntries = &entry,
		.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
	};
	VkPushDescriptorSetWithTemplateInfoKHR pushed = { .pData = info };

	gsl_CreateDescriptorUpdateTemplate(rig->device, &template, NULL,
					   &pushed.descriptorUpdateTemplate);
	gsl_CmdPushDescriptorSetWithTemplate2(commands, &pushed);
	gsl_DestroyDescriptorUpdateTemplate(rig->device, pushed.descriptorUpdateTemplate, NULL);
}

static VkDescriptorSet make_set(struct rig *rig, const VkDescriptorBufferInfo *info)
{
	VkDescriptorSetLayoutCreateInfo layout = { .bindingCount = 1, .pBindings = &binding };
	VkDescriptorSetLayout handle;
	VkDescriptorSetAllocateInfo allocate = { .descriptorSetCount = 1, .pSetLayouts = &handle };
	VkWriteDescriptorSet write = write_of(info);

	gsl_CreateDescriptorSetLayout(rig->device, &layout, NULL, &handle);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &write.dstSet);
	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	gsl_DestroyDescriptorSetLayout(rig->device, handle, NULL);
	return write.dstSet;
}

static void bind(struct rig *rig, VkCommandBuffer commands, const VkDescriptorBufferInfo *info)
{
	VkDescriptorSet set = make_set(rig, info);
	VkBindDescriptorSetsInfoKHR bound = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.descriptorSetCount = 1,
		.pDescriptorSets = &set,
	};

	gsl_CmdBindDescriptorSets2(commands, &bound);
}

static void dispatch(struct rig *rig, enum way way, bool flush)
{
	VkDescriptorBufferInfo info = { make_stored(rig, flush), 0, VK_WHOLE_SIZE };
	VkCommandBuffer commands = rig_commands(rig);

	if (way == PUSH)
		push(commands, &info, VK_SHADER_STAGE_COMPUTE_BIT);
	else if (way == PUSH_BY_TEMPLATE)
		push_by_template(rig, commands, &info);
	else
		bind(rig, commands, &info);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_host_barrier(commands);
	rig_run(rig, commands);
	rig_expect(rig, flush ? NULL : "dev-read-dirty");
	gsl_DestroyBuffer(rig->device, info.buffer, NULL);
}

static void pushed2(void **state)
{
	dispatch(*state, PUSH, false);
}

static void pushed2_and_flushed(void **state)
{
	dispatch(*state, PUSH, true);
}

static void pushed_by_template2(void **state)
{
	dispatch(*state, PUSH_BY_TEMPLATE, false);
}

static void pushed_by_template2_and_flushed(void **state)
{
	dispatch(*state, PUSH_BY_TEMPLATE, true);
}

static void bound2(void **state)
{
	dispatch(*state, BIND, false);
}

static void bound2_and_flushed(void **state)
{
	dispatch(*state, BIND, true);
}

/* What is pushed for the stages of a draw is not for a dispatch. */
static void pushed2_for_other_stages(void **state)
{
	struct rig *rig = *state;
	VkDescriptorBufferInfo info = { make_stored(rig, false), 0, VK_WHOLE_SIZE };
	VkCommandBuffer commands = rig_commands(rig);

	push(commands, &info, VK_SHADER_STAGE_ALL_GRAPHICS);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_run(rig, commands);
	rig_expect(rig, NULL);
	gsl_CmdDraw(commands, 1, 1, 0, 0);
	rig_run(rig, commands);
	rig_expect(rig, "dev-read-dirty");
	gsl_DestroyBuffer(rig->device, info.buffer, NULL);
}
#endif

/* ---- Indices ---- */

#ifdef GSL_HAS_CmdBindIndexBuffer2
/* Of the buffer 64 bytes from 1024 on are indices. */
static void draw_indexed(struct rig *rig, u64 stored)
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig->map[stored] = 1;
	gsl_CmdBindIndexBuffer2(commands, rig->buffer, 1024, 64, VK_INDEX_TYPE_UINT16);
	gsl_CmdDrawIndexed(commands, 3, 1, 0, 0, 0);
	rig_run(rig, commands);
}

static void indices_are_not_flushed(void **state)
{
	draw_indexed(*state, 1024);
	rig_expect(*state, "dev-read-dirty");
}

static void what_is_no_index_needs_no_flush(void **state)
{
	draw_indexed(*state, 1088);
	rig_expect(*state, NULL);
}
#endif

/* ---- Copies of images by the host ---- */

#ifdef GSL_HAS_CopyMemoryToImage
static VkImage make_image(struct rig *rig)
{
	VkImageCreateInfo info = {
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = { 16, 16, 1 },
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkImage image;

	gsl_CreateImage(rig->device, &info, NULL, &image);
	gsl_BindImageMemory(rig->device, image, rig->memory, 0);
	return image;
}

/* @to: where the host copies it; to another image, or to memory. */
static void read_image(struct rig *rig, VkImage image, VkImage to)
{
	VkCopyImageToMemoryInfoEXT to_memory = { .srcImage = image };
	VkCopyImageToImageInfoEXT to_image = { .srcImage = image, .dstImage = to };

	if (to)
		gsl_CopyImageToImage(rig->device, &to_image);
	else
		gsl_CopyImageToMemory(rig->device, &to_memory);
}

static void clear_and_read(struct rig *rig, bool barrier, bool to_image)
{
	VkImage image = make_image(rig), other = make_image(rig);
	VkCommandBuffer commands = rig_commands(rig);
	VkImageSubresourceRange range = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 };
	VkClearColorValue color = { 0 };

	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_CmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_GENERAL, &color, 1, &range);
	if (barrier)
		rig_host_barrier(commands);
	rig_run(rig, commands);
	read_image(rig, image, to_image ? other : VK_NULL_HANDLE);
	rig_expect(rig, barrier ? NULL : "no-host-barrier");
	gsl_DestroyImage(rig->device, image, NULL);
	gsl_DestroyImage(rig->device, other, NULL);
}

static void host_copy_wants_a_barrier(void **state)
{
	clear_and_read(*state, false, false);
}

static void host_copy_has_a_barrier(void **state)
{
	clear_and_read(*state, true, false);
}

static void host_copy_to_an_image_wants_a_barrier(void **state)
{
	clear_and_read(*state, false, true);
}

static void host_copy_to_an_image_has_a_barrier(void **state)
{
	clear_and_read(*state, true, true);
}

/* What the driver stored for the host, the host sees by a map as well; its own stores stay. */
static void host_copy_is_seen_by_the_host(void **state)
{
	struct rig *rig = *state;
	VkImage image = make_image(rig);
	VkCopyMemoryToImageInfoEXT info = { .dstImage = image };

	rig->map[64] = 2;
	memset(rig->mem, 5, 128);
	gsl_CopyMemoryToImage(rig->device, &info);
	assert_int_equal(rig->map[0], 5);
	assert_int_equal(rig->map[64], 2);
	rig_expect(rig, NULL);
	gsl_DestroyImage(rig->device, image, NULL);
}
#endif

/* ---- Video ---- */

#ifdef GSL_HAS_CmdEncodeVideoKHR
static void encode(struct rig *rig, bool invalidate)
{
	VkVideoEncodeInfoKHR info = { .dstBuffer = rig->buffer, .dstBufferRange = 1024 };
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdEncodeVideoKHR(commands, &info);
	rig_host_barrier(commands);
	memset(rig->mem, 7, 512);
	rig_run(rig, commands);
	if (invalidate)
		rig_invalidate(rig, rig->memory, 0, 1024);
	assert_int_equal(rig->map[0] == 7, invalidate);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, invalidate ? NULL : "cpu-read-stale");
}

static void bitstream_is_not_invalidated(void **state)
{
	encode(*state, false);
}

static void bitstream_is_invalidated(void **state)
{
	encode(*state, true);
}
#endif

/* ---- Limits of a driver below the driver ---- */

#ifdef VK_KHR_maintenance7
static void limits_of_layered_drivers(void **state)
{
	struct rig *rig = *state;
	VkPhysicalDeviceLayeredApiVulkanPropertiesKHR vulkan = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_VULKAN_PROPERTIES_KHR,
	};
	VkPhysicalDeviceLayeredApiPropertiesKHR api = { .pNext = &vulkan };
	VkPhysicalDeviceLayeredApiPropertiesListKHR list = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_PROPERTIES_LIST_KHR,
		.layeredApiCount = 1,
		.pLayeredApis = &api,
	};
	VkPhysicalDeviceProperties2 properties = { .pNext = &list };

	gsl_GetPhysicalDeviceProperties2(rig->physical, &properties);
	assert_int_equal(vulkan.properties.properties.limits.nonCoherentAtomSize, 64);
}
#endif

#define RIG(test)	cmocka_unit_test_setup_teardown(test, rig_open, rig_close)

/* What these headers have of all that. */
static void headers_are_old(void **state)
{
	skip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifdef GSL_HAS_MapMemory2
		RIG(unmap2_is_no_flush),
		RIG(unmap2_after_flush),
		RIG(map2_of_coherent_memory),
#endif
#ifdef GSL_HAS_CmdPushDescriptorSet2
		RIG(pushed2),
		RIG(pushed2_and_flushed),
		RIG(pushed_by_template2),
		RIG(pushed_by_template2_and_flushed),
		RIG(bound2),
		RIG(bound2_and_flushed),
		RIG(pushed2_for_other_stages),
#endif
#ifdef GSL_HAS_CmdBindIndexBuffer2
		RIG(indices_are_not_flushed),
		RIG(what_is_no_index_needs_no_flush),
#endif
#ifdef GSL_HAS_CopyMemoryToImage
		RIG(host_copy_wants_a_barrier),
		RIG(host_copy_has_a_barrier),
		RIG(host_copy_to_an_image_wants_a_barrier),
		RIG(host_copy_to_an_image_has_a_barrier),
		RIG(host_copy_is_seen_by_the_host),
#endif
#ifdef GSL_HAS_CmdEncodeVideoKHR
		RIG(bitstream_is_not_invalidated),
		RIG(bitstream_is_invalidated),
#endif
#ifdef VK_KHR_maintenance7
		RIG(limits_of_layered_drivers),
#else
		cmocka_unit_test(headers_are_old),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
