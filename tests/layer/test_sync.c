// SPDX-License-Identifier: MIT
/*
 * What the host may know to be done, and what jobs wait for: fences, timelines and events on a
 * driver that does nothing, so that every order of things can be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

/* ---- Fences ---- */

/* Of several batches of a call, the fence is that of the last one. */
static void fence_is_of_the_last_batch(void **state)
{
	struct rig *rig = *state;
	VkCommandBuffer fill = rig_commands(rig);
	VkSubmitInfo infos[2] = { { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO },
				  { .commandBufferCount = 1, .pCommandBuffers = &fill } };
	VkFence fence = RIG_FENCE;

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	gsl_QueueSubmit(rig->queues[0], 2, infos, fence);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_WaitForFences(rig->device, 1, &fence, VK_TRUE, UINT64_MAX);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	memset(rig->mem, 8, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, NULL);
}

/* ---- Events ---- */

/* An event that the device reset has to be set again. */
static void event_is_reset_by_the_device(void **state)
{
	struct rig *rig = *state;
	VkEvent event = (VkEvent)(uintptr_t)0xe7e47;
	VkCommandBuffer reset = rig_commands(rig), copy = rig_commands(rig);
	VkBufferCopy region = { 0, 0, 64 };

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_SetEvent(rig->device, event);
	gsl_CmdResetEvent(reset, event, VK_PIPELINE_STAGE_TRANSFER_BIT);
	rig_run(rig, reset);
	gsl_CmdWaitEvents(copy, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
			  VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL, 0, NULL);
	gsl_CmdCopyBuffer(copy, rig->buffer, VK_NULL_HANDLE, 1, &region);
	rig->map[0] = 1;
	rig_submit(rig, 0, copy, VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE);
	rig_flush(rig, rig->memory, 0, 64);
	gsl_SetEvent(rig->device, event);
	rig_expect(rig, NULL);
}

/* ---- Timelines ---- */

static VkSemaphore make_timeline(struct rig *rig)
{
	VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	VkSemaphoreCreateInfo info = { .pNext = &type };
	VkSemaphore semaphore;

	gsl_CreateSemaphore(rig->device, &info, NULL, &semaphore);
	return semaphore;
}

/* With a signal of a timeline. */
static void submit_signal(struct rig *rig, VkCommandBuffer *commands, VkSemaphore timeline,
			  u64 value)
{
	VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &value,
	};
	VkSubmitInfo info = {
		.pNext = &values,
		.commandBufferCount = commands != NULL,
		.pCommandBuffers = commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &timeline,
	};

	gsl_QueueSubmit(rig->queues[0], 1, &info, VK_NULL_HANDLE);
}

static void submit_fill(struct rig *rig, VkSemaphore timeline, u64 value)
{
	VkCommandBuffer fill = rig_commands(rig);

	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdFillBuffer(fill, rig->buffer, 0, RIG_SIZE, 0);
	rig_host_barrier(fill);
	submit_signal(rig, &fill, timeline, value);
}

/* The value was not reached. */
static void poll_tells_what_is_done_alone(void **state)
{
	struct rig *rig = *state;
	VkSemaphore timeline = make_timeline(rig);
	u64 value = 0;

	submit_fill(rig, timeline, 1);
	gsl_GetSemaphoreCounterValue(rig->device, timeline, &value);
	assert_int_equal(value, 0);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "invalidate-too-early");
}

static int open_reporting(void **state)
{
	rig_driver.settings = "mode=report";
	return rig_open(state);
}

static void poll_shows_what_is_done_alone(void **state)
{
	struct rig *rig = *state;
	VkSemaphore timeline = make_timeline(rig);
	u64 value = 0;

	submit_fill(rig, timeline, 1);
	gsl_GetSemaphoreCounterValue(rig->device, timeline, &value);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	assert_int_equal(rig->map[0], 7);
}

/* Of a timeline with many signals in flight the oldest ones are not kept one by one. */
static void wait_for_an_old_value(void **state)
{
	struct rig *rig = *state;
	VkSemaphore timeline = make_timeline(rig);
	u64 value, oldest = 1;
	VkSemaphoreWaitInfo wait = {
		.semaphoreCount = 1,
		.pSemaphores = &timeline,
		.pValues = &oldest,
	};

	for (value = 1; value <= GSL_SIGNALS + 2; value++) {
		if (value == 3)
			submit_fill(rig, timeline, value);
		else
			submit_signal(rig, NULL, timeline, value);
	}
	gsl_WaitSemaphores(rig->device, &wait, UINT64_MAX);
	rig_invalidate(rig, rig->memory, 0, VK_WHOLE_SIZE);
	memset(rig->mem, 7, RIG_SIZE);
	gsl_QueueWaitIdle(rig->queues[0]);
	gsl_UnmapMemory(rig->device, rig->memory);
	rig_expect(rig, "invalidate-too-early");
}

/*
 * A job waits for another process, which has signalled, and for the host: until that signals,
 * what the host stores may be flushed, and has to be.
 */
static void wait_for_another_process_and_the_host(void **state)
{
	struct rig *rig = *state;
	VkSemaphore waits[2] = { make_timeline(rig), make_timeline(rig) };
	VkPipelineStageFlags stages[2] = { VK_PIPELINE_STAGE_TRANSFER_BIT,
					   VK_PIPELINE_STAGE_TRANSFER_BIT };
	VkCommandBuffer copy = rig_commands(rig);
	u64 values[2] = { 1, 1 };
	VkTimelineSemaphoreSubmitInfo timelines = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 2,
		.pWaitSemaphoreValues = values,
	};
	VkSubmitInfo info = {
		.pNext = &timelines,
		.waitSemaphoreCount = 2,
		.pWaitSemaphores = waits,
		.pWaitDstStageMask = stages,
		.commandBufferCount = 1,
		.pCommandBuffers = &copy,
	};
	VkSemaphoreSignalInfo signal = { .semaphore = waits[1], .value = 1 };
	VkBufferCopy region = { 0, 0, 64 };

	rig_driver.reached = waits[0];
	gsl_BindBufferMemory(rig->device, rig->buffer, rig->memory, 0);
	gsl_CmdCopyBuffer(copy, rig->buffer, VK_NULL_HANDLE, 1, &region);
	gsl_QueueSubmit(rig->queues[0], 1, &info, VK_NULL_HANDLE);
	rig_expect(rig, NULL);
	rig->map[0] = 1;
	gsl_SignalSemaphore(rig->device, &signal);
	rig_expect(rig, "dev-read-dirty");
}

#define RIG(test)	cmocka_unit_test_setup_teardown(test, rig_open, rig_close)
#define REPORT(test)	cmocka_unit_test_setup_teardown(test, open_reporting, rig_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RIG(fence_is_of_the_last_batch),
		RIG(event_is_reset_by_the_device),
		RIG(poll_tells_what_is_done_alone),
		REPORT(poll_shows_what_is_done_alone),
		RIG(wait_for_an_old_value),
		RIG(wait_for_another_process_and_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
