// SPDX-License-Identifier: MIT
/* Submissions: what they read and write, and when the host knows that they are done. */
#include <stdlib.h>

#include "layer.h"

/* One call of vkQueueSubmit and what it found. The device's lock is held. */
struct submission {
	struct gsl_device *device;
	struct gsl_queue *queue;
	u64 number;
	struct gsl_finding where;
	struct gsl_batch *batch;
	bool any_commands;
};

/* ---- Uses ---- */

static void use_range(struct submission *submission, struct gsl_resource *resource, u64 offset,
		      u64 size, u32 access, bool certain)
{
	struct gsl_memory *memory = resource->memory;
	struct gsl_write write;

	if (!memory || offset >= resource->size)
		return;
	if (size > resource->size - offset)
		size = resource->size - offset;
	offset += resource->offset;
	if (access & GSL_READ)
		gsl_memory_device_reads(memory, offset, size, false, &submission->where,
					submission->batch);
	if (!(access & GSL_WRITE) || !resource->device_writes || !gsl_memory_is_visible(memory))
		return;
	write = (struct gsl_write){
		.offset = offset,
		.size = size,
		.queue = submission->queue,
		.submission = submission->number,
		.resource = resource->handle,
		.certain = certain,
	};
	gsl_memory_device_wrote(memory, &write, &submission->where, submission->batch);
}

static void use_resource(struct submission *submission, u64 handle, u64 offset, u64 size,
			 u32 access, bool certain)
{
	struct gsl_resource *resource = gsl_map_get(&submission->device->resources, handle);

	if (resource)
		use_range(submission, resource, offset, size, access, certain);
}

static bool is_dynamic(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

static bool is_storage(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
}

static void use_slot(struct submission *submission, const struct gsl_slot *slot, u64 dynamic)
{
	u32 access = is_storage(slot->type) ? GSL_READ | GSL_WRITE : GSL_READ;
	struct gsl_view *view;

	if (slot->resource) {
		use_resource(submission, slot->resource, slot->offset + dynamic, slot->size,
			     access, false);
		return;
	}
	view = slot->view ? gsl_map_get(&submission->device->views, slot->view) : NULL;
	if (view)
		use_resource(submission, view->resource, view->offset, view->size, access, false);
}

static void use_set(struct submission *submission, const struct gsl_commands *commands,
		    const struct gsl_use *use)
{
	struct gsl_set *set = gsl_map_get(&submission->device->sets, use->handle);
	u32 dynamic = 0, i;

	for (i = 0; set && i < set->layout->slots; i++) {
		u64 offset = 0;

		if (is_dynamic(set->slots[i].type) && dynamic < use->dynamic_count &&
		    use->first_dynamic + dynamic < commands->dynamic_count)
			offset = commands->dynamic[use->first_dynamic + dynamic++];
		use_slot(submission, &set->slots[i], offset);
	}
}

static void use_barrier(struct submission *submission, const struct gsl_use *use)
{
	struct gsl_device *device = submission->device;
	struct gsl_resource *resource = NULL;
	struct gsl_memory *memory;

	if (use->handle) {
		resource = gsl_map_get(&device->resources, use->handle);
		if (resource && resource->memory)
			gsl_memory_made_available(resource->memory,
						  resource->offset + use->offset,
						  use->size > resource->size ? resource->size :
									       use->size);
		return;
	}
	for (memory = device->first_memory; memory; memory = memory->next)
		gsl_memory_made_available(memory, 0, memory->size);
}

static void use_one(struct submission *submission, const struct gsl_commands *commands,
		    const struct gsl_use *use)
{
	switch (use->kind) {
	case GSL_USE_RESOURCE:
		use_resource(submission, use->handle, use->offset, use->size, use->access, true);
		break;
	case GSL_USE_SET:
		use_set(submission, commands, use);
		break;
	case GSL_USE_HOST_BARRIER:
		use_barrier(submission, use);
		break;
	default:
		break;
	}
}

static void use_secondary(struct submission *submission, u64 handle)
{
	struct gsl_commands *commands = gsl_map_get(&submission->device->commands, handle);
	size_t i;

	for (i = 0; commands && i < commands->count; i++)
		use_one(submission, commands, &commands->uses[i]);
}

/* Primary ones execute secondary ones, which execute no others. */
static void use_commands(struct submission *submission, u64 handle)
{
	struct gsl_commands *commands = gsl_map_get(&submission->device->commands, handle);
	size_t i;

	for (i = 0; commands && i < commands->count; i++) {
		if (commands->uses[i].kind == GSL_USE_COMMANDS)
			use_secondary(submission, commands->uses[i].handle);
		else
			use_one(submission, commands, &commands->uses[i]);
	}
	submission->any_commands |= commands != NULL;
}

/* What shaders may reach by addresses alone: read for certain is nothing of it. */
static void use_addressed(struct submission *submission)
{
	struct gsl_memory *memory;
	struct gsl_resource *resource;

	for (memory = submission->device->first_memory; memory; memory = memory->next) {
		if (!memory->addressed || !memory->copies)
			continue;
		for (resource = memory->resources; resource; resource = resource->next) {
			if (resource->addressed)
				gsl_memory_device_reads(memory, resource->offset, resource->size,
							true, &submission->where,
							submission->batch);
		}
	}
}

/* ---- Submitting ---- */

static struct submission begin(struct gsl_device *device, VkQueue queue, const char *call,
			       struct gsl_batch *batch)
{
	struct submission submission = {
		.device = device,
		.queue = gsl_map_get(&device->queues, GSL_KEY(queue)),
		.number = ++device->submissions,
		.batch = batch,
	};

	submission.where = (struct gsl_finding){
		.queue = gsl_object_of(device, VK_OBJECT_TYPE_QUEUE, GSL_KEY(queue)),
		.submission = submission.number,
		.call = call,
	};
	if (submission.queue)
		submission.queue->last = submission.number;
	return submission;
}

/* Report mode: what was not flushed is told by now, and made good. */
static void flush_all(struct gsl_device *device)
{
	struct gsl_memory *memory;

	for (memory = device->first_memory; memory; memory = memory->next) {
		if (!memory->copies || !memory->mapped)
			continue;
		gsl_copies_flush(memory->copies, memory->map_offset, memory->map_size, true, NULL,
				 NULL);
		gsl_memory_flush_driver(memory, memory->map_offset, memory->map_size);
	}
}

static void end(struct submission *submission)
{
	if (submission->any_commands)
		use_addressed(submission);
	if (submission->device->instance->settings.mode == GSL_REPORT)
		flush_all(submission->device);
}

/* What is known of a handle, made at its first use; NULL if there is no memory. */
static void *find_or_make(struct gsl_map *map, u64 handle, size_t size)
{
	void *value = gsl_map_get(map, handle);

	if (value)
		return value;
	value = calloc(1, size);
	if (value && !gsl_map_put(map, handle, value)) {
		free(value);
		value = NULL;
	}
	return value;
}

static void signal_fence(struct submission *submission, VkFence fence)
{
	struct gsl_signal *signal;

	if (!fence || !submission->queue)
		return;
	signal = find_or_make(&submission->device->fences, GSL_KEY(fence), sizeof(*signal));
	if (signal)
		*signal = (struct gsl_signal){ submission->queue, submission->number, 0 };
}

static void signal_semaphore(struct submission *submission, VkSemaphore semaphore, u64 value)
{
	struct gsl_timeline *timeline;

	if (!semaphore || !submission->queue)
		return;
	timeline = find_or_make(&submission->device->semaphores, GSL_KEY(semaphore),
				sizeof(*timeline));
	if (timeline)
		timeline->signals[timeline->count++ % GSL_SIGNALS] = (struct gsl_signal){
			submission->queue, submission->number, value,
		};
}

static const VkTimelineSemaphoreSubmitInfo *find_values(const VkSubmitInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO)
			return (const void *)next;
	}
	return NULL;
}

static void submit(struct submission *submission, const VkSubmitInfo *info)
{
	const VkTimelineSemaphoreSubmitInfo *values = find_values(info);
	u32 i;

	for (i = 0; i < info->commandBufferCount; i++)
		use_commands(submission, GSL_KEY(info->pCommandBuffers[i]));
	for (i = 0; values && i < info->signalSemaphoreCount &&
	     i < values->signalSemaphoreValueCount; i++)
		signal_semaphore(submission, info->pSignalSemaphores[i],
				 values->pSignalSemaphoreValues[i]);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueSubmit(VkQueue queue, uint32_t count,
					       const VkSubmitInfo *infos, VkFence fence)
{
	struct gsl_device *device = gsl_device_of(queue);
	struct gsl_batch batch = { 0 };
	struct submission submission;
	u32 i;

	pthread_mutex_lock(&device->lock);
	submission = begin(device, queue, "vkQueueSubmit", &batch);
	for (i = 0; i < count; i++)
		submit(&submission, &infos[i]);
	end(&submission);
	signal_fence(&submission, fence);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
	return device->calls.QueueSubmit(queue, count, infos, fence);
}

#ifdef GSL_HAS_QueueSubmit2
static void submit2(struct submission *submission, const VkSubmitInfo2KHR *info)
{
	u32 i;

	for (i = 0; i < info->commandBufferInfoCount; i++)
		use_commands(submission, GSL_KEY(info->pCommandBufferInfos[i].commandBuffer));
	for (i = 0; i < info->signalSemaphoreInfoCount; i++)
		signal_semaphore(submission, info->pSignalSemaphoreInfos[i].semaphore,
				 info->pSignalSemaphoreInfos[i].value);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueSubmit2(VkQueue queue, uint32_t count,
						const VkSubmitInfo2KHR *infos, VkFence fence)
{
	struct gsl_device *device = gsl_device_of(queue);
	struct gsl_batch batch = { 0 };
	struct submission submission;
	u32 i;

	pthread_mutex_lock(&device->lock);
	submission = begin(device, queue, "vkQueueSubmit2", &batch);
	for (i = 0; i < count; i++)
		submit2(&submission, &infos[i]);
	end(&submission);
	signal_fence(&submission, fence);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
	return device->calls.QueueSubmit2(queue, count, infos, fence);
}
#endif

/* ---- Queues ---- */

static void add_queue(struct gsl_device *device, VkQueue handle)
{
	struct gsl_queue *queue;

	pthread_mutex_lock(&device->lock);
	if (handle && !gsl_map_get(&device->queues, GSL_KEY(handle))) {
		queue = calloc(1, sizeof(*queue));
		if (queue) {
			queue->handle = handle;
			gsl_map_put(&device->queues, GSL_KEY(handle), queue);
		}
	}
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR void VKAPI_CALL gsl_GetDeviceQueue(VkDevice handle, uint32_t family, uint32_t index,
					      VkQueue *out)
{
	struct gsl_device *device = gsl_device_of(handle);

	device->calls.GetDeviceQueue(handle, family, index, out);
	add_queue(device, *out);
}

#ifdef GSL_HAS_GetDeviceQueue2
VKAPI_ATTR void VKAPI_CALL gsl_GetDeviceQueue2(VkDevice handle, const VkDeviceQueueInfo2 *info,
					       VkQueue *out)
{
	struct gsl_device *device = gsl_device_of(handle);

	device->calls.GetDeviceQueue2(handle, info, out);
	add_queue(device, *out);
}
#endif

/* ---- Completion ---- */

static void look_at_memories(struct gsl_device *device, const char *call,
			     struct gsl_batch *batch)
{
	struct gsl_memory *memory;

	for (memory = device->first_memory; memory; memory = memory->next)
		gsl_memory_completed(memory, call, batch);
}

static void complete(struct gsl_signal *signal)
{
	if (signal->submission > signal->queue->done)
		signal->queue->done = signal->submission;
}

static void complete_fences(struct gsl_device *device, u32 count, const VkFence *fences,
			    const char *call)
{
	struct gsl_batch batch = { 0 };
	u32 i;

	pthread_mutex_lock(&device->lock);
	for (i = 0; i < count; i++) {
		struct gsl_signal *signal = gsl_map_get(&device->fences, GSL_KEY(fences[i]));

		if (signal)
			complete(signal);
	}
	look_at_memories(device, call, &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetFenceStatus(VkDevice handle, VkFence fence)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.GetFenceStatus(handle, fence);

	if (result == VK_SUCCESS)
		complete_fences(device, 1, &fence, "vkGetFenceStatus");
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_WaitForFences(VkDevice handle, uint32_t count,
						 const VkFence *fences, VkBool32 all,
						 uint64_t timeout)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.WaitForFences(handle, count, fences, all, timeout);
	u32 i;

	if (result != VK_SUCCESS)
		return result;
	if (all || count == 1) {
		complete_fences(device, count, fences, "vkWaitForFences");
		return result;
	}
	for (i = 0; i < count; i++) {
		if (device->calls.GetFenceStatus(handle, fences[i]) == VK_SUCCESS)
			complete_fences(device, 1, &fences[i], "vkWaitForFences");
	}
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetFences(VkDevice handle, uint32_t count,
					       const VkFence *fences)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	pthread_mutex_lock(&device->lock);
	for (i = 0; i < count; i++)
		free(gsl_map_take(&device->fences, GSL_KEY(fences[i])));
	pthread_mutex_unlock(&device->lock);
	return device->calls.ResetFences(handle, count, fences);
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyFence(VkDevice handle, VkFence fence,
					    const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	pthread_mutex_lock(&device->lock);
	free(gsl_map_take(&device->fences, GSL_KEY(fence)));
	pthread_mutex_unlock(&device->lock);
	device->calls.DestroyFence(handle, fence, allocator);
}

static void complete_semaphore(struct gsl_device *device, VkSemaphore semaphore, u64 value,
			       const char *call)
{
	struct gsl_batch batch = { 0 };
	struct gsl_timeline *timeline;
	u32 i;

	pthread_mutex_lock(&device->lock);
	timeline = gsl_map_get(&device->semaphores, GSL_KEY(semaphore));
	for (i = 0; timeline && i < GSL_SIGNALS && i < timeline->count; i++) {
		if (timeline->signals[i].value <= value)
			complete(&timeline->signals[i]);
	}
	look_at_memories(device, call, &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

#ifdef GSL_HAS_WaitSemaphores
VKAPI_ATTR VkResult VKAPI_CALL gsl_WaitSemaphores(VkDevice handle,
						  const VkSemaphoreWaitInfo *info,
						  uint64_t timeout)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.WaitSemaphores(handle, info, timeout);
	bool any = info->flags & VK_SEMAPHORE_WAIT_ANY_BIT && info->semaphoreCount > 1;
	u32 i;

	for (i = 0; result == VK_SUCCESS && !any && i < info->semaphoreCount; i++)
		complete_semaphore(device, info->pSemaphores[i], info->pValues[i],
				   "vkWaitSemaphores");
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetSemaphoreCounterValue(VkDevice handle,
							    VkSemaphore semaphore,
							    uint64_t *value)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.GetSemaphoreCounterValue(handle, semaphore, value);

	if (result == VK_SUCCESS)
		complete_semaphore(device, semaphore, *value, "vkGetSemaphoreCounterValue");
	return result;
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_DestroySemaphore(VkDevice handle, VkSemaphore semaphore,
						const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	pthread_mutex_lock(&device->lock);
	free(gsl_map_take(&device->semaphores, GSL_KEY(semaphore)));
	pthread_mutex_unlock(&device->lock);
	device->calls.DestroySemaphore(handle, semaphore, allocator);
}

static void complete_queue(void *ctx, void *value)
{
	struct gsl_queue *queue = value;

	if (!ctx || ctx == queue->handle)
		queue->done = queue->last;
}

static void complete_queues(struct gsl_device *device, VkQueue queue, const char *call)
{
	struct gsl_batch batch = { 0 };

	pthread_mutex_lock(&device->lock);
	gsl_map_each(&device->queues, complete_queue, queue);
	look_at_memories(device, call, &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueWaitIdle(VkQueue queue)
{
	struct gsl_device *device = gsl_device_of(queue);
	VkResult result = device->calls.QueueWaitIdle(queue);

	if (result == VK_SUCCESS)
		complete_queues(device, queue, "vkQueueWaitIdle");
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_DeviceWaitIdle(VkDevice handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.DeviceWaitIdle(handle);

	if (result == VK_SUCCESS)
		complete_queues(device, VK_NULL_HANDLE, "vkDeviceWaitIdle");
	return result;
}
