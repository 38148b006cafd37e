// SPDX-License-Identifier: MIT
/*
 * Commands whose use of memory no driver for the CPU shows, or that it does not have: what they
 * read has to be flushed, and what they write stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

/* ---- What draws capture ---- */

static void capture(struct rig *rig, bool invalidate)
{
	VkCommandBuffer commands = rig_commands(rig);
	VkDeviceSize offset = 1024, size = 1024;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdBindTransformFeedbackBuffersEXT(commands, 0, 1, &rig->buffer, &offset, &size);
	gsl_CmdDraw(commands, 3, 1, 0, 0);
	rig_host_barrier(commands);
	memset(rig->mem + 1024, 7, 64);
	rig_run(rig, commands);
	if (invalidate)
		rig_invalidate(rig, rig->memory, 1024, 1024);
	assert_int_equal(rig->map[1024] == 7, invalidate);
	gsl_UnmapMemory(rig->device, rig->memory);
}

static void captured_is_not_invalidated(void **state)
{
	capture(*state, false);
	rig_expect(*state, "cpu-read-stale");
}

static void captured_is_invalidated(void **state)
{
	capture(*state, true);
	rig_expect(*state, NULL);
}

/* ---- Command buffers in command buffers in command buffers ---- */

static void nest(struct rig *rig, bool flush)
{
	VkCommandBuffer primary = rig_commands(rig), outer = rig_commands(rig);
	VkCommandBuffer inner = rig_commands(rig);
	VkBufferCopy region = { 0, 0, 64 };

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig->map[0] = 1;
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	gsl_CmdCopyBuffer(inner, rig->buffer, VK_NULL_HANDLE, 1, &region);
	gsl_CmdExecuteCommands(outer, 1, &inner);
	gsl_CmdExecuteCommands(primary, 1, &outer);
	rig_run(rig, primary);
}

static void nested_copy_is_not_flushed(void **state)
{
	nest(*state, false);
	rig_expect(*state, "dev-read-dirty");
}

static void nested_copy_is_flushed(void **state)
{
	nest(*state, true);
	rig_expect(*state, NULL);
}

/* ---- What the device writes to ---- */

/* Results of the device stay, where the host flushes more than it stored to. */
static void expect_results_kept(struct rig *rig, VkBuffer buffer,
				void (*write)(VkCommandBuffer commands, VkBuffer buffer))
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 0);
	memset(rig->map, 1, RIG_SIZE);
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	write(commands, buffer);
	rig_run(rig, commands);
	memset(rig->mem + 1024, 7, 4);
	rig->map[0] = 2;
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[0], 2);
	assert_int_equal(rig->mem[1024], 7);
}

static void fill(VkCommandBuffer commands, VkBuffer buffer)
{
	gsl_CmdFillBuffer(commands, buffer, 1024, 1024, 0);
}

static void write_marker(VkCommandBuffer commands, VkBuffer buffer)
{
	gsl_CmdWriteBufferMarkerAMD(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, buffer, 1024, 0);
}

static void write_marker_2(VkCommandBuffer commands, VkBuffer buffer)
{
	gsl_CmdWriteBufferMarker2AMD(commands, VK_PIPELINE_STAGE_2_COPY_BIT, buffer, 1024, 0);
}

static void write_counters(VkCommandBuffer commands, VkBuffer buffer)
{
	VkBuffer counters[] = { VK_NULL_HANDLE, buffer };
	VkDeviceSize offsets[] = { 0, 1024 };

	gsl_CmdBeginTransformFeedbackEXT(commands, 0, 0, NULL, NULL);
	gsl_CmdEndTransformFeedbackEXT(commands, 0, 2, counters, offsets);
}

static void results_are_kept(void **state)
{
	struct rig *rig = *state;

	expect_results_kept(rig, rig->buffer, fill);
}

static void markers_are_kept(void **state)
{
	struct rig *rig = *state;

	expect_results_kept(rig, rig->buffer, write_marker);
}

static void markers_2_are_kept(void **state)
{
	struct rig *rig = *state;

	expect_results_kept(rig, rig->buffer, write_marker_2);
}

static void counters_are_kept(void **state)
{
	struct rig *rig = *state;

	expect_results_kept(rig, rig->buffer, write_counters);
}

/* The usage of Vulkan 1.4 stands for the other one, which is 0. */
static void results_are_kept_by_usage_2(void **state)
{
	struct rig *rig = *state;
	struct {
		int type;
		const void *next;
		u64 usage;
	} usage = { 1000470006, NULL, VK_BUFFER_USAGE_TRANSFER_DST_BIT };
	VkBufferCreateInfo info = { .pNext = &usage, .size = RIG_SIZE };
	VkBuffer buffer;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	expect_results_kept(rig, buffer, fill);
	gsl_DestroyBuffer(rig->device, buffer, NULL);
}

/* A counter that goes on is read: the host may have set it. */
static void continue_capture(struct rig *rig, bool flush)
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	memset(rig->map, 1, 4);
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	gsl_CmdBeginTransformFeedbackEXT(commands, 0, 1, &rig->buffer, NULL);
	rig_run(rig, commands);
	rig_expect(rig, flush ? NULL : "dev-read-dirty");
}

static void counter_is_not_flushed(void **state)
{
	continue_capture(*state, false);
}

static void counter_is_flushed(void **state)
{
	continue_capture(*state, true);
}

/* So does a draw of what was captured. */
static void draw_captured(struct rig *rig, bool flush)
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	memset(rig->map, 1, 4);
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	gsl_CmdDrawIndirectByteCountEXT(commands, 1, 0, rig->buffer, 0, 0, 16);
	rig_run(rig, commands);
	rig_expect(rig, flush ? NULL : "dev-read-dirty");
}

static void drawn_counter_is_not_flushed(void **state)
{
	draw_captured(*state, false);
}

static void drawn_counter_is_flushed(void **state)
{
	draw_captured(*state, true);
}

/* A command that is given an address may read all that has one. */
static void copy_by_address(struct rig *rig, bool flush)
{
	VkBufferCreateInfo info = {
		.size = RIG_SIZE,
		.usage = VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
	};
	VkCopyMemoryToAccelerationStructureInfoKHR copy = { .src = { .deviceAddress = 4096 } };
	VkCommandBuffer commands = rig_commands(rig);
	VkBuffer buffer;

	gsl_CreateBuffer(rig->device, &info, NULL, &buffer);
	gsl_BindBufferMemory(rig->device, buffer, rig->memory, 0);
	memset(rig->map, 1, 64);
	if (flush)
		rig_flush(rig, rig->memory, 0, 64);
	gsl_CmdCopyMemoryToAccelerationStructureKHR(commands, &copy);
	rig_run(rig, commands);
	rig_expect(rig, flush ? NULL : "dev-read-dirty");
	gsl_DestroyBuffer(rig->device, buffer, NULL);
}

static void addressed_copy_is_not_flushed(void **state)
{
	copy_by_address(*state, false);
}

static void addressed_copy_is_flushed(void **state)
{
	copy_by_address(*state, true);
}

/* Memory that held anything, of a buffer that the device could write to, and did not. */
static void first_zeros_arrive(void **state)
{
	struct rig *rig = *state;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig_run(rig, rig_commands(rig));
	memset(rig->mem, 0xee, RIG_SIZE);
	memset(rig->map, 0, RIG_SIZE);
	rig->map[2048] = 1;
	rig_flush(rig, rig->memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(rig->mem[0], 0);
	assert_int_equal(rig->mem[2048], 1);
	assert_int_equal(rig->mem[RIG_SIZE - 1], 0);
}

/* ---- Command buffers ---- */

/*
 * A job that another process lets run: who records its commands anew knows, by some means, that
 * it is done. What it wrote is what was recorded then.
 */
static void jobs_end_before_their_commands(void **state)
{
	struct rig *rig = *state;
	VkSemaphoreTypeCreateInfo timeline = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	VkSemaphoreCreateInfo semaphore = { .pNext = &timeline };
	u64 value = 1;
	VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &value,
	};
	VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
	VkCommandBuffer fill = rig_commands(rig);
	VkSubmitInfo info = {
		.pNext = &values,
		.waitSemaphoreCount = 1,
		.commandBufferCount = 1,
		.pCommandBuffers = &fill,
	};
	VkSemaphore wait;

	gsl_CreateSemaphore(rig->device, &semaphore, NULL, &wait);
	info.pWaitSemaphores = &wait;
	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	gsl_QueueSubmit(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	gsl_BeginCommandBuffer(fill, &begin);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "cpu-read-stale");
	gsl_DestroySemaphore(rig->device, wait, NULL);
}

/* ---- Copies and barriers ---- */

/* vkCmdCopyBuffer2 has two offsets. */
static void copy2_writes_where_it_says(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer copy = rig_commands(rig);
	VkBufferCopy2 region = { .srcOffset = 0, .dstOffset = 1024, .size = 64 };
	VkCopyBufferInfo2 info = { .dstBuffer = rig->buffer, .regionCount = 1,
				   .pRegions = &region };

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdCopyBuffer2(copy, &info);
	rig_host_barrier(copy);
	memset(rig->mem + 1024, 7, 64);
	rig_run(rig, copy);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "cpu-read-stale");
	assert_int_equal(rig->offsets[0], 1024);
}

/* A barrier of the buffer alone, and not of all memory. */
static void barrier_of_a_buffer(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill = rig_commands(rig);
	VkBufferMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
		.buffer = rig->buffer,
		.size = VK_WHOLE_SIZE,
	};

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	gsl_CmdPipelineBarrier(fill, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT,
			       0, 0, NULL, 1, &barrier, 0, NULL);
	memset(rig->mem, 7, RIG_SIZE);
	rig_run(rig, fill);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	rig_expect(rig, NULL);
}

/* Of several that are bound by one call each has its own place. */
static void buffers_bound_by_one_call(void **state)
{
	struct rig *rig = *state;
	VkBufferCreateInfo info = { .size = 1024, .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT };
	VkBindBufferMemoryInfo binds[2] = { { .memory = rig->memory },
					    { .memory = rig->memory, .memoryOffset = 2048 } };
	VkCommandBuffer copy = rig_commands(rig);
	VkBufferCopy region = { 0, 0, 64 };

	gsl_CreateBuffer(rig->device, &info, NULL, &binds[0].buffer);
	gsl_CreateBuffer(rig->device, &info, NULL, &binds[1].buffer);
	gsl_BindBufferMemory2(rig->device, 2, binds);
	rig->map[2048] = 1;
	gsl_CmdCopyBuffer(copy, binds[1].buffer, VK_NULL_HANDLE, 1, &region);
	rig_run(rig, copy);
	rig_expect(rig, "dev-read-dirty");
	gsl_DestroyBuffer(rig->device, binds[0].buffer, NULL);
	gsl_DestroyBuffer(rig->device, binds[1].buffer, NULL);
}

/* The first use of a range in a job says what is told, even if a later one is certain. */
static void certain_after_possible(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer commands = rig_commands(rig);
	VkBufferCopy region = { 0, 0, 16 };

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig->map[0] = 1;
	gsl_CmdDrawIndirectCount(commands, rig->buffer, 0, VK_NULL_HANDLE, 0, 1, 16);
	gsl_CmdCopyBuffer(commands, rig->buffer, VK_NULL_HANDLE, 1, &region);
	rig_run(rig, commands);
	assert_false(rig->possibly[rig->count - 1]);
}

/* ---- Descriptor sets ---- */

/* Dynamic offsets go on from set to set. */
static VkDescriptorSet dynamic_set(struct rig *rig)
{
	VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	VkDescriptorSetLayoutCreateInfo info = { .bindingCount = 1, .pBindings = &binding };
	VkDescriptorSetLayout layout;
	VkDescriptorSetAllocateInfo allocate = { .descriptorSetCount = 1, .pSetLayouts = &layout };
	VkDescriptorBufferInfo range = { rig->buffer, 0, 64 };
	VkWriteDescriptorSet write = {
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC,
		.pBufferInfo = &range,
	};

	gsl_CreateDescriptorSetLayout(rig->device, &info, NULL, &layout);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &write.dstSet);
	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	return write.dstSet;
}

static void dynamic_offsets_go_on(void **state)
{
	struct rig *rig = *state;
	VkDescriptorSet sets[2] = { dynamic_set(rig), dynamic_set(rig) };
	u32 offsets[2] = { 0, 1024 };
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig->map[1024] = 1;
	gsl_CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 2,
				  sets, 2, offsets);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_run(rig, commands);
	rig_expect(rig, "dev-read-dirty");
	assert_int_equal(rig->offsets[0], 1024);
}

/* From one binding to another one. */
static void descriptors_are_copied(void **state)
{
	struct rig *rig = *state;
	VkDescriptorSetLayoutBinding bindings[2] = {
		{ 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
		{ 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL },
	};
	VkDescriptorSetLayoutCreateInfo info = { .bindingCount = 2, .pBindings = bindings };
	VkDescriptorSetLayout layout;
	VkDescriptorSetAllocateInfo allocate = { .descriptorSetCount = 1, .pSetLayouts = &layout };
	VkDescriptorBufferInfo range = { rig->buffer, 0, VK_WHOLE_SIZE };
	VkWriteDescriptorSet write = {
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
		.pBufferInfo = &range,
	};
	VkCopyDescriptorSet copy = { .srcBinding = 0, .dstBinding = 1, .descriptorCount = 1 };
	VkCommandBuffer commands = rig_commands(rig);

	gsl_CreateDescriptorSetLayout(rig->device, &info, NULL, &layout);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &write.dstSet);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &copy.dstSet);
	copy.srcSet = write.dstSet;
	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	gsl_UpdateDescriptorSets(rig->device, 0, NULL, 1, &copy);
	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	rig->map[0] = 1;
	gsl_CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 1,
				  &copy.dstSet, 0, NULL);
	gsl_CmdDispatch(commands, 1, 1, 1);
	rig_run(rig, commands);
	rig_expect(rig, "dev-read-dirty");
}

/* ---- Rendering ---- */

/* It ends here. */
static void resumed_rendering_stores(void **state)
{
	struct rig *rig = *state;
	VkImageCreateInfo info = {
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = { 16, 16, 1 },
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
	};
	VkImageViewCreateInfo view = { 0 };
	VkRenderingAttachmentInfoKHR attachment = { .storeOp = VK_ATTACHMENT_STORE_OP_STORE };
	VkRenderingInfoKHR rendering = {
		.flags = VK_RENDERING_RESUMING_BIT_KHR,
		.renderArea = { { 0, 0 }, { 16, 16 } },
		.colorAttachmentCount = 1,
		.pColorAttachments = &attachment,
	};
	VkCommandBuffer commands = rig_commands(rig);

	gsl_CreateImage(rig->device, &info, NULL, &view.image);
	gsl_BindImageMemory(rig->device, view.image, rig->memory, 0);
	gsl_CreateImageView(rig->device, &view, NULL, &attachment.imageView);
	gsl_CmdBeginRendering(commands, &rendering);
	rig_host_barrier(commands);
	memset(rig->mem, 7, RIG_SIZE);
	rig_run(rig, commands);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "cpu-read-stale");
	gsl_DestroyImageView(rig->device, attachment.imageView, NULL);
	gsl_DestroyImage(rig->device, view.image, NULL);
}

/* ---- Results of queries ---- */

/* What is written of them the host has to invalidate: from @offset on up to @last. */
static void copy_results(struct rig *rig, VkQueryPool pool, u64 offset, u64 last,
			 VkQueryResultFlags flags)
{
	VkCommandBuffer commands = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdCopyQueryPoolResults(commands, pool, 0, 1, rig->buffer, offset, 0,
				    flags | VK_QUERY_RESULT_64_BIT);
	rig_host_barrier(commands);
	rig->mem[last] = 1;
	rig_run(rig, commands);
	gsl_UnmapMemory(rig->device, rig->memory);
}

static void value_is_written(void **state)
{
	copy_results(*state, VK_NULL_HANDLE, 64, 64, 0);
	rig_expect(*state, "cpu-read-stale");
}

static void availability_is_written(void **state)
{
	copy_results(*state, VK_NULL_HANDLE, 56, 64, VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
	rig_expect(*state, "cpu-read-stale");
}

/* The byte behind them is nobody's. */
static void nothing_else_is_written(void **state)
{
	copy_results(*state, VK_NULL_HANDLE, 56, 64, 0);
	rig_expect(*state, NULL);
}

static void all_statistics_are_written(void **state)
{
	struct rig *rig = *state;
	VkQueryPoolCreateInfo info = {
		.queryType = VK_QUERY_TYPE_PIPELINE_STATISTICS,
		.queryCount = 1,
		.pipelineStatistics = 0x7ff,
	};
	VkQueryPool pool;

	gsl_CreateQueryPool(rig->device, &info, NULL, &pool);
	copy_results(rig, pool, 0, 87, 0);
	rig_expect(rig, "cpu-read-stale");
	gsl_DestroyQueryPool(rig->device, pool, NULL);
}

#define RIG(test)	cmocka_unit_test_setup_teardown(test, rig_open, rig_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG(captured_is_not_invalidated),
		RIG(captured_is_invalidated),
		RIG(nested_copy_is_not_flushed),
		RIG(nested_copy_is_flushed),
		RIG(results_are_kept),
		RIG(results_are_kept_by_usage_2),
		RIG(markers_are_kept),
		RIG(markers_2_are_kept),
		RIG(counters_are_kept),
		RIG(counter_is_not_flushed),
		RIG(counter_is_flushed),
		RIG(drawn_counter_is_not_flushed),
		RIG(drawn_counter_is_flushed),
		RIG(addressed_copy_is_not_flushed),
		RIG(addressed_copy_is_flushed),
		RIG(first_zeros_arrive),
		RIG(jobs_end_before_their_commands),
		RIG(copy2_writes_where_it_says),
		RIG(barrier_of_a_buffer),
		RIG(buffers_bound_by_one_call),
		RIG(certain_after_possible),
		RIG(dynamic_offsets_go_on),
		RIG(descriptors_are_copied),
		RIG(resumed_rendering_stores),
		RIG(value_is_written),
		RIG(availability_is_written),
		RIG(nothing_else_is_written),
		RIG(all_statistics_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
