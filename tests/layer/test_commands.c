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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
