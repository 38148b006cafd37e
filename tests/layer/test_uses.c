// SPDX-License-Identifier: MIT
/*
 * What is used of each thing that there may be several of, or parts of: bindings, elements,
 * sets, views, images and semaphores; and what is told of memory that is used in part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static int open_bound(void **state)
{
	struct rig *rig;

	rig_open(state);
	rig = *state;
	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	return 0;
}

/* A copy of all of the buffer to somewhere else. */
static VkCommandBuffer record_copy(struct rig *rig)
{
	VkCommandBuffer copy = rig_commands(rig);
	VkBufferCopy region = { 0, 0, RIG_SIZE };

	gsl_CmdCopyBuffer(copy, rig->buffer, VK_NULL_HANDLE, 1, &region);
	return copy;
}

/* ---- Memory that others may see ---- */

/* A store to its map is in the driver's map at once. */
static bool is_left_alone(struct rig *rig, VkExternalMemoryHandleTypeFlags types)
{
	VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = types,
	};
	VkMemoryAllocateInfo info = { .pNext = &export, .allocationSize = RIG_SIZE };
	VkDeviceMemory memory;
	void *map, *mem;
	bool alone;

	gsl_AllocateMemory(rig->device, &info, NULL, &memory);
	gsl_MapMemory(rig->device, memory, 0, VK_WHOLE_SIZE, 0, &map);
	gsl_device_of(rig->device)->calls.MapMemory(rig->device, memory, 0, VK_WHOLE_SIZE, 0,
						    &mem);
	memset(map, 7, 64);
	alone = !memcmp(map, mem, 64);
	gsl_UnmapMemory(rig->device, memory);
	gsl_FreeMemory(rig->device, memory, NULL);
	return alone;
}

static void exported_memory_is_left_alone(void **state)
{
	struct rig *rig = *state;

	assert_true(is_left_alone(rig, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT));
	rig_expect(rig, "left-alone");
}

static void memory_exported_as_nothing_is_not(void **state)
{
	struct rig *rig = *state;

	assert_false(is_left_alone(rig, 0));
	rig_expect(rig, NULL);
}

/* ---- Vertices ---- */

/* The first binding stays bound, with what was stored to its vertices. */
static void draw_of_two(struct rig *rig, bool flush)
{
	VkCommandBuffer draw = rig_commands(rig);
	VkDeviceSize offsets[] = { 0, 1024 }, size = 64;

	rig->map[0] = 1;
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	gsl_CmdBindVertexBuffers2(draw, 0, 1, &rig->buffer, &offsets[0], &size, NULL);
	gsl_CmdBindVertexBuffers2(draw, 1, 1, &rig->buffer, &offsets[1], &size, NULL);
	gsl_CmdDraw(draw, 3, 1, 0, 0);
	rig_run(rig, draw);
	rig_expect(rig, flush ? NULL : "dev-read-dirty");
}

static void first_vertices_are_not_flushed(void **state)
{
	draw_of_two(*state, false);
}

static void first_vertices_are_flushed(void **state)
{
	draw_of_two(*state, true);
}

/* ---- Descriptors ---- */

static VkDescriptorSet make_set(struct rig *rig, VkDescriptorType type)
{
	VkDescriptorSetLayoutBinding binding = { 0, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL };
	VkDescriptorSetLayoutCreateInfo info = { .bindingCount = 1, .pBindings = &binding };
	VkDescriptorSetLayout layout;
	VkDescriptorSetAllocateInfo allocate = { .descriptorSetCount = 1, .pSetLayouts = &layout };
	VkDescriptorSet set;

	gsl_CreateDescriptorSetLayout(rig->device, &info, NULL, &layout);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &set);
	gsl_DestroyDescriptorSetLayout(rig->device, layout, NULL);
	return set;
}

static void dispatch(struct rig *rig, VkDescriptorSet set)
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 1,
				  &set, 0, NULL);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_run(rig, commands);
}

/* By a view of the second KiB. */
static void dispatch_of_texels(struct rig *rig, u32 stored)
{
	VkBufferViewCreateInfo info = { .buffer = rig->buffer, .offset = 1024, .range = 1024 };
	VkBufferView view;
	VkWriteDescriptorSet write = {
		.dstSet = make_set(rig, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER),
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
		.pTexelBufferView = &view,
	};

	gsl_CreateBufferView(rig->device, &info, NULL, &view);
	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	rig->map[stored] = 1;
	dispatch(rig, write.dstSet);
	gsl_DestroyBufferView(rig->device, view, NULL);
}

static void texels_are_read_where_the_view_is(void **state)
{
	struct rig *rig = *state;

	dispatch_of_texels(rig, 1024);
	rig_expect(rig, "dev-read-dirty");
	assert_int_equal(rig->offsets[0], 1024);
}

static void texels_before_the_view_are_not_read(void **state)
{
	dispatch_of_texels(*state, 0);
	rig_expect(*state, NULL);
}

static void dispatch_of_second_set(struct rig *rig, bool free)
{
	VkDescriptorType type = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
	VkDescriptorSet sets[] = { make_set(rig, type), make_set(rig, type) };
	VkDescriptorBufferInfo range = { rig->buffer, 0, VK_WHOLE_SIZE };
	VkWriteDescriptorSet write = {
		.dstSet = sets[1],
		.descriptorCount = 1,
		.descriptorType = type,
		.pBufferInfo = &range,
	};

	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	if (free)
		gsl_FreeDescriptorSets(rig->device, VK_NULL_HANDLE, 2, sets);
	rig->map[0] = 1;
	dispatch(rig, sets[1]);
	rig_expect(rig, free ? NULL : "dev-read-dirty");
}

static void sets_are_followed(void **state)
{
	dispatch_of_second_set(*state, false);
}

/* A handle that is one no more names nothing. */
static void freed_sets_are_not_followed(void **state)
{
	dispatch_of_second_set(*state, true);
}

static void push(struct rig *rig, VkCommandBuffer commands, u32 element, u64 offset)
{
	VkDescriptorBufferInfo range = { rig->buffer, offset, 64 };
	VkWriteDescriptorSet write = {
		.dstArrayElement = element,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
		.pBufferInfo = &range,
	};

	gsl_CmdPushDescriptorSet(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 1,
				 &write);
}

/* The first element is pushed, then another one, at other offsets. */
static void dispatch_of_pushed(struct rig *rig, u32 element)
{
	VkCommandBuffer commands = rig_commands(rig);

	push(rig, commands, 0, 0);
	push(rig, commands, element, 1024);
	rig->map[0] = 1;
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_run(rig, commands);
}

static void pushed_elements_stay_beside_others(void **state)
{
	dispatch_of_pushed(*state, 1);
	rig_expect(*state, "dev-read-dirty");
}

static void pushed_elements_are_replaced(void **state)
{
	dispatch_of_pushed(*state, 0);
	rig_expect(*state, NULL);
}

/* ---- Images ---- */

struct linear {
	VkImage image;
	VkDeviceMemory memory;
	u8 *map;
	u8 *mem;
};

static const VkExtent3D extent = { 16, 16, 1 };

/* In a memory of its own. */
static struct linear make_linear(struct rig *rig, VkImageUsageFlags usage)
{
	VkImageCreateInfo info = {
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = extent,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = usage,
	};
	struct linear linear;

	linear.memory = rig_allocate(rig, &linear.map, &linear.mem);
	gsl_CreateImage(rig->device, &info, NULL, &linear.image);
	gsl_BindImageMemory(rig->device, linear.image, linear.memory, 0);
	return linear;
}

static void destroy_linear(struct rig *rig, const struct linear *linear)
{
	gsl_DestroyImage(rig->device, linear->image, NULL);
	gsl_FreeMemory(rig->device, linear->memory, NULL);
}

static void copy_of_images(struct rig *rig, bool invalidate)
{
	struct linear from = make_linear(rig, VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
	struct linear to = make_linear(rig, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
	VkImageCopy region = { .extent = extent };
	VkCommandBuffer copy = rig_commands(rig);

	gsl_CmdCopyImage(copy, from.image, VK_IMAGE_LAYOUT_GENERAL, to.image,
			 VK_IMAGE_LAYOUT_GENERAL, 1, &region);
	rig_host_barrier(copy);
	memset(to.mem, 7, RIG_SIZE);
	rig_run(rig, copy);
	if (invalidate)
		rig_invalidate(rig, to.memory, 0, VK_WHOLE_SIZE);
	gsl_UnmapMemory(rig->device, to.memory);
	rig_expect(rig, invalidate ? NULL : "cpu-read-stale");
	destroy_linear(rig, &from);
	destroy_linear(rig, &to);
}

static void copied_image_is_not_invalidated(void **state)
{
	copy_of_images(*state, false);
}

static void copied_image_is_invalidated(void **state)
{
	copy_of_images(*state, true);
}

static void barrier_of_image(struct rig *rig, VkAccessFlags access, const char *kind)
{
	struct linear linear = make_linear(rig, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
	VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = access,
		.image = linear.image,
	};
	VkClearColorValue color = { 0 };
	VkImageSubresourceRange range = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 };
	VkCommandBuffer clear = rig_commands(rig);

	gsl_CmdClearColorImage(clear, linear.image, VK_IMAGE_LAYOUT_GENERAL, &color, 1, &range);
	gsl_CmdPipelineBarrier(clear, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT,
			       0, 0, NULL, 0, NULL, 1, &barrier);
	memset(linear.mem, 7, RIG_SIZE);
	rig_run(rig, clear);
	rig_invalidate(rig, linear.memory, 0, VK_WHOLE_SIZE);
	rig_expect(rig, kind);
	destroy_linear(rig, &linear);
}

static void barrier_of_image_for_any_read(void **state)
{
	barrier_of_image(*state, VK_ACCESS_MEMORY_READ_BIT, NULL);
}

static void barrier_of_image_for_stores_alone(void **state)
{
	barrier_of_image(*state, VK_ACCESS_HOST_WRITE_BIT, "no-host-barrier");
}

/* ---- Semaphores, which go with the device ---- */

static VkSemaphore make_semaphore(struct rig *rig, VkSemaphoreType kind, u64 value)
{
	VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = kind,
		.initialValue = value,
	};
	VkSemaphoreCreateInfo info = { .pNext = &type };
	VkSemaphore semaphore;

	gsl_CreateSemaphore(rig->device, &info, NULL, &semaphore);
	return semaphore;
}

static VkSemaphore make_timeline(struct rig *rig, u64 value)
{
	return make_semaphore(rig, VK_SEMAPHORE_TYPE_TIMELINE, value);
}

static void signal_by_host(struct rig *rig, VkSemaphore semaphore, u64 value)
{
	VkSemaphoreSignalInfo info = { .semaphore = semaphore, .value = value };

	gsl_SignalSemaphore(rig->device, &info);
}

/* On the second queue. When it runs, what is not flushed is told. */
static void submit_copy(struct rig *rig, u32 count, const VkSemaphoreSubmitInfo *waits)
{
	VkCommandBufferSubmitInfo copy = { .commandBuffer = record_copy(rig) };
	VkSubmitInfo2 info = {
		.waitSemaphoreInfoCount = count,
		.pWaitSemaphoreInfos = waits,
		.commandBufferInfoCount = 1,
		.pCommandBufferInfos = &copy,
	};

	rig->map[0] = 1;
	gsl_QueueSubmit2(rig->queues[1], 1, &info, VK_NULL_HANDLE);
}

/* A job that waits for one that waits for the host. */
static void chain_of_jobs(struct rig *rig, bool signalled)
{
	VkSemaphore host = make_timeline(rig, 0);
	VkSemaphore binary = make_semaphore(rig, VK_SEMAPHORE_TYPE_BINARY, 0);
	VkSemaphoreSubmitInfo first = { .semaphore = host, .value = 1 };
	VkSemaphoreSubmitInfo second = { .semaphore = binary };
	VkSubmitInfo2 info = {
		.waitSemaphoreInfoCount = 1,
		.pWaitSemaphoreInfos = &first,
		.signalSemaphoreInfoCount = 1,
		.pSignalSemaphoreInfos = &second,
	};

	if (signalled)
		signal_by_host(rig, host, 1);
	gsl_QueueSubmit2(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	submit_copy(rig, 1, &second);
	rig_expect(rig, signalled ? "dev-read-dirty" : NULL);
}

static void signalled_jobs_run(void **state)
{
	chain_of_jobs(*state, true);
}

static void other_jobs_wait(void **state)
{
	chain_of_jobs(*state, false);
}

static void wait_for_value(struct rig *rig, u64 value, const char *kind)
{
	VkSemaphore timeline = make_timeline(rig, 5);
	VkSemaphoreSubmitInfo wait = { .semaphore = timeline, .value = value };

	submit_copy(rig, 1, &wait);
	rig_expect(rig, kind);
}

static void initial_values_are_reached(void **state)
{
	wait_for_value(*state, 5, "dev-read-dirty");
}

static void values_after_the_initial_one_are_not(void **state)
{
	wait_for_value(*state, 6, NULL);
}

static void each_signal_has_its_value(void **state)
{
	struct rig *rig = *state;
	VkSemaphoreSubmitInfo signals[] = {
		{ .semaphore = make_timeline(rig, 0), .value = 1 },
		{ .semaphore = make_timeline(rig, 0), .value = 5 },
	};
	VkSubmitInfo2 info = { .signalSemaphoreInfoCount = 2, .pSignalSemaphoreInfos = signals };

	gsl_QueueSubmit2(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	submit_copy(rig, 1, &signals[1]);
	rig_expect(rig, "dev-read-dirty");
}

/* The second one is not reached by the value of the first one. */
static void each_wait_has_its_value(void **state)
{
	struct rig *rig = *state;
	VkSemaphoreSubmitInfo waits[] = {
		{ .semaphore = make_timeline(rig, 0), .value = 1 },
		{ .semaphore = make_timeline(rig, 0), .value = 5 },
	};

	signal_by_host(rig, waits[0].semaphore, 1);
	signal_by_host(rig, waits[1].semaphore, 1);
	submit_copy(rig, 2, waits);
	rig_flush(rig, rig->memory, 0, 64);
	signal_by_host(rig, waits[1].semaphore, 5);
	rig_expect(rig, NULL);
}

/* ---- Memory that is used in part ---- */

/* Of two atoms that are not flushed when the memory is unmapped, one is later. */
static void rest_is_not_flushed_by_the_unmap(void **state)
{
	struct rig *rig = *state;

	rig->map[0] = rig->map[1024] = 1;
	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_MapMemory(rig->device, rig->memory, 0, VK_WHOLE_SIZE, 0, (void **)&rig->map);
	rig_flush(rig, rig->memory, 0, 64);
	rig_run(rig, record_copy(rig));
	rig_expect(rig, "unmap-for-flush");
	assert_int_equal(rig->offsets[0], 1024);
}

/* The device writes this everywhere, and the host neither invalidates nor keeps its map. */
static void fill_and_unmap(struct rig *rig, int value)
{
	VkCommandBuffer fill = rig_commands(rig);

	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	memset(rig->mem, value, RIG_SIZE);
	rig_run(rig, fill);
	gsl_UnmapMemory(rig->device, rig->memory);
	gsl_MapMemory(rig->device, rig->memory, 0, VK_WHOLE_SIZE, 0, (void **)&rig->map);
}

/* Of the first results nothing is new to the host. */
static void later_results_are_looked_for(void **state)
{
	struct rig *rig = *state;

	fill_and_unmap(rig, 0);
	rig_expect(rig, NULL);
	fill_and_unmap(rig, 7);
	rig_expect(rig, "cpu-read-stale");
}

static char told[1024];

static bool keep_text(void *ctx, const struct gsl_finding *finding, const char *text)
{
	snprintf(told, sizeof(told), "%s", text);
	return true;
}

/* Two atoms of 64 bytes, with one between them that nobody stored to. */
static void text_counts_what_is_wrong(void **state)
{
	struct rig *rig = *state;

	gsl_instance_of(rig->instance)->findings.tell = keep_text;
	rig->map[64] = rig->map[192] = 1;
	rig_run(rig, record_copy(rig));
	assert_non_null(strstr(told, " 192 bytes at offset 64 of (128 of them) "));
}

#define RIG(test)	cmocka_unit_test_setup_teardown(test, open_bound, rig_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG(exported_memory_is_left_alone),
		RIG(memory_exported_as_nothing_is_not),
		RIG(first_vertices_are_not_flushed),
		RIG(first_vertices_are_flushed),
		RIG(texels_are_read_where_the_view_is),
		RIG(texels_before_the_view_are_not_read),
		RIG(sets_are_followed),
		RIG(freed_sets_are_not_followed),
		RIG(pushed_elements_stay_beside_others),
		RIG(pushed_elements_are_replaced),
		RIG(copied_image_is_not_invalidated),
		RIG(copied_image_is_invalidated),
		RIG(barrier_of_image_for_any_read),
		RIG(barrier_of_image_for_stores_alone),
		RIG(signalled_jobs_run),
		RIG(other_jobs_wait),
		RIG(initial_values_are_reached),
		RIG(values_after_the_initial_one_are_not),
		RIG(each_signal_has_its_value),
		RIG(each_wait_has_its_value),
		RIG(rest_is_not_flushed_by_the_unmap),
		RIG(later_results_are_looked_for),
		RIG(text_counts_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
