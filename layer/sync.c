// SPDX-License-Identifier: MIT
/*
 * Fences, semaphores and events: what the host may know to be done, and what the device waits
 * for. A job comes after all jobs that its queue, or a semaphore that it waits for, has in its
 * clock. &gsl_device.lock protects all of it.
 */
#include <stdlib.h>

#include "layer.h"

static void merge(struct gsl_clock *clock, const struct gsl_clock *other)
{
	u32 i;

	for (i = 0; i < GSL_QUEUES; i++) {
		if (clock->jobs[i] < other->jobs[i])
			clock->jobs[i] = other->jobs[i];
	}
}

/* What is known of a handle, made at its first use; NULL if there is no memory. */
static void *find_or_make(struct gsl_map *map, u64 handle, size_t size)
{
	void *value = gsl_map_get(map, handle);

	if (value || !handle)
		return value;
	value = calloc(1, size);
	if (value && !gsl_map_put(map, handle, value)) {
		free(value);
		value = NULL;
	}
	return value;
}

/* ---- What the device waits for ---- */

static struct gsl_semaphore *semaphore_of(struct gsl_device *device, u64 handle)
{
	return gsl_map_get(&device->semaphores, handle);
}

bool gsl_wait_is_known(struct gsl_device *device, const struct gsl_wait *wait)
{
	struct gsl_semaphore *semaphore = semaphore_of(device, wait->semaphore);

	if (!semaphore)
		return true;
	return semaphore->timeline ? wait->value <= semaphore->known : !semaphore->pending;
}

bool gsl_wait_is_over(struct gsl_device *device, const struct gsl_wait *wait)
{
	struct gsl_semaphore *semaphore = semaphore_of(device, wait->semaphore);
	u64 value = 0;

	if (!semaphore || !semaphore->timeline || !device->calls.GetSemaphoreCounterValue)
		return false;
	return device->calls.GetSemaphoreCounterValue(device->handle,
						      (VkSemaphore)wait->semaphore, &value) ||
	       value >= wait->value;
}

/*
 * The first value of a timeline that ends a wait, and with it all before. Of those that are not
 * kept any more it is known only that they came before the others.
 */
static u64 find_end(const struct gsl_semaphore *semaphore, u64 value)
{
	u64 end = UINT64_MAX;
	u32 i;

	if (semaphore->count > GSL_SIGNALS && semaphore->dropped.value >= value)
		return semaphore->dropped.value;
	for (i = 0; i < GSL_SIGNALS && i < semaphore->count; i++) {
		u64 signalled = semaphore->signals[i].value;

		if (signalled >= value && signalled < end)
			end = signalled;
	}
	return end == UINT64_MAX ? value : end;
}

/* All that signalled a value up to @end is done. */
static void merge_up_to(const struct gsl_semaphore *semaphore, u64 end, struct gsl_clock *clock)
{
	u32 i;

	for (i = 0; i < GSL_SIGNALS && i < semaphore->count; i++) {
		if (semaphore->signals[i].value <= end)
			merge(clock, &semaphore->signals[i].clock);
	}
	if (semaphore->count > GSL_SIGNALS && semaphore->dropped.value <= end)
		merge(clock, &semaphore->dropped.clock);
}

void gsl_wait_merge(struct gsl_device *device, const struct gsl_wait *wait,
		    struct gsl_clock *clock)
{
	struct gsl_semaphore *semaphore = semaphore_of(device, wait->semaphore);

	if (semaphore)
		merge_up_to(semaphore, semaphore->timeline ? find_end(semaphore, wait->value) : 0,
			    clock);
}

void gsl_signal_submit(struct gsl_device *device, const struct gsl_wait *signal)
{
	struct gsl_semaphore *semaphore = semaphore_of(device, signal->semaphore);

	if (semaphore && !semaphore->timeline)
		semaphore->pending = true;
}

void gsl_signal_post(struct gsl_device *device, const struct gsl_wait *signal,
		     const struct gsl_clock *clock)
{
	struct gsl_semaphore *semaphore = semaphore_of(device, signal->semaphore);
	u32 i;

	if (!semaphore)
		return;
	i = semaphore->timeline ? semaphore->count++ % GSL_SIGNALS : 0;
	if (!semaphore->timeline)
		semaphore->count = 1;
	semaphore->pending = false;
	semaphore->dropped = semaphore->signals[i];
	semaphore->signals[i].value = semaphore->timeline ? signal->value : 0;
	semaphore->signals[i].clock = *clock;
	if (semaphore->known < signal->value)
		semaphore->known = signal->value;
}

/* ---- What the host learns ---- */

static void complete(struct gsl_device *device, const struct gsl_clock *clock)
{
	u32 i;

	for (i = 0; i < device->queue_count; i++) {
		struct gsl_queue *queue = device->queue_list[i];

		if (queue->done >= clock->jobs[i])
			continue;
		device->done += clock->jobs[i] - queue->done;
		queue->done = clock->jobs[i];
	}
}

/* The host looks at memory that is done: what it has not made visible to itself is told. */
static void look(struct gsl_device *device, const char *call, struct gsl_batch *batch)
{
	struct gsl_memory *memory;

	gsl_reads_collect(device, batch);
	for (memory = device->first_memory; memory; memory = memory->next)
		gsl_memory_completed(memory, call, batch);
	gsl_device_move(device);
}

static void end_look(struct gsl_device *device, const char *call, struct gsl_batch *batch)
{
	look(device, call, batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, batch);
}

/* ---- Fences ---- */

void gsl_fence_submit(struct gsl_device *device, const struct gsl_job *job)
{
	struct gsl_fence *fence = find_or_make(&device->fences, job->fence, sizeof(*fence));

	if (fence)
		*fence = (struct gsl_fence){ .queue = job->queue, .job = job->number };
}

void gsl_fence_post(struct gsl_device *device, const struct gsl_job *job)
{
	struct gsl_fence *fence = gsl_map_get(&device->fences, job->fence);

	if (!fence || fence->job != job->number)
		return;
	fence->posted = true;
	fence->clock = job->queue->clock;
}

static void complete_fence(struct gsl_device *device, VkFence handle, const char *call,
			   struct gsl_batch *batch)
{
	struct gsl_fence *fence = gsl_map_get(&device->fences, GSL_KEY(handle));

	if (!fence)
		return;
	if (!fence->posted)
		gsl_jobs_force(device, fence->queue, fence->job, call, batch);
	complete(device, &fence->clock);
}

static void complete_fences(struct gsl_device *device, u32 count, const VkFence *fences,
			    const char *call)
{
	struct gsl_batch batch = { 0 };
	u32 i;

	pthread_mutex_lock(&device->lock);
	for (i = 0; i < count; i++)
		complete_fence(device, fences[i], call, &batch);
	end_look(device, call, &batch);
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

static void forget(struct gsl_device *device, struct gsl_map *map, u64 handle)
{
	pthread_mutex_lock(&device->lock);
	free(gsl_map_take(map, handle));
	pthread_mutex_unlock(&device->lock);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetFences(VkDevice handle, uint32_t count,
					       const VkFence *fences)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		forget(device, &device->fences, GSL_KEY(fences[i]));
	return device->calls.ResetFences(handle, count, fences);
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyFence(VkDevice handle, VkFence fence,
					    const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	forget(device, &device->fences, GSL_KEY(fence));
	device->calls.DestroyFence(handle, fence, allocator);
}

/* ---- Semaphores ---- */

static void read_type(struct gsl_semaphore *semaphore, const VkSemaphoreCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		const VkSemaphoreTypeCreateInfo *type = (const void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO)
			continue;
		semaphore->timeline = type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
		semaphore->known = type->initialValue;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateSemaphore(VkDevice handle,
						   const VkSemaphoreCreateInfo *info,
						   const VkAllocationCallbacks *allocator,
						   VkSemaphore *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateSemaphore(handle, info, allocator, out);
	struct gsl_semaphore *semaphore;

	if (result)
		return result;
	pthread_mutex_lock(&device->lock);
	semaphore = find_or_make(&device->semaphores, GSL_KEY(*out), sizeof(*semaphore));
	if (semaphore)
		read_type(semaphore, info);
	pthread_mutex_unlock(&device->lock);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroySemaphore(VkDevice handle, VkSemaphore semaphore,
						const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	forget(device, &device->semaphores, GSL_KEY(semaphore));
	device->calls.DestroySemaphore(handle, semaphore, allocator);
}

#ifdef GSL_HAS_WaitSemaphores
/* @waited: for a value, which one that is higher may have ended; else it is what there is. */
static void complete_semaphore(struct gsl_device *device, VkSemaphore handle, u64 value,
			       bool waited, const char *call)
{
	struct gsl_wait wait = { .semaphore = GSL_KEY(handle), .value = value };
	struct gsl_semaphore *semaphore;
	struct gsl_batch batch = { 0 };
	struct gsl_clock clock = { 0 };

	pthread_mutex_lock(&device->lock);
	/* What another process signalled opens jobs too. */
	gsl_jobs_run(device, call, &batch);
	semaphore = semaphore_of(device, wait.semaphore);
	if (waited)
		gsl_wait_merge(device, &wait, &clock);
	else if (semaphore)
		merge_up_to(semaphore, value, &clock);
	complete(device, &clock);
	end_look(device, call, &batch);
}

/* Of a wait for any of them it is looked for which ones it was. */
static bool is_reached(struct gsl_device *device, const VkSemaphoreWaitInfo *info, u32 i)
{
	u64 value = 0;

	if (!(info->flags & VK_SEMAPHORE_WAIT_ANY_BIT) || info->semaphoreCount == 1)
		return true;
	return !device->calls.GetSemaphoreCounterValue(device->handle, info->pSemaphores[i],
						       &value) &&
	       value >= info->pValues[i];
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_WaitSemaphores(VkDevice handle,
						  const VkSemaphoreWaitInfo *info,
						  uint64_t timeout)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.WaitSemaphores(handle, info, timeout);
	u32 i;

	for (i = 0; result == VK_SUCCESS && i < info->semaphoreCount; i++) {
		if (is_reached(device, info, i))
			complete_semaphore(device, info->pSemaphores[i], info->pValues[i], true,
					   "vkWaitSemaphores");
	}
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetSemaphoreCounterValue(VkDevice handle,
							    VkSemaphore semaphore,
							    uint64_t *value)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.GetSemaphoreCounterValue(handle, semaphore, value);

	if (result == VK_SUCCESS)
		complete_semaphore(device, semaphore, *value, false,
				   "vkGetSemaphoreCounterValue");
	return result;
}

/* Jobs that waited for this run from here on: what the host stores later is not for them. */
VKAPI_ATTR VkResult VKAPI_CALL gsl_SignalSemaphore(VkDevice handle,
						   const VkSemaphoreSignalInfo *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_wait signal = { .semaphore = GSL_KEY(info->semaphore), .value = info->value };
	struct gsl_clock nothing = { 0 };
	struct gsl_batch batch = { 0 };

	pthread_mutex_lock(&device->lock);
	gsl_signal_post(device, &signal, &nothing);
	gsl_jobs_run(device, "vkSignalSemaphore", &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
	return device->calls.SignalSemaphore(handle, info);
}
#endif

/* ---- Fences and semaphores as files: who has one may wait by other means ---- */

static void share(struct gsl_device *device, const struct gsl_clock *clock)
{
	u32 i;

	for (i = 0; i < device->queue_count; i++) {
		if (device->queue_list[i]->shared < clock->jobs[i])
			device->queue_list[i]->shared = clock->jobs[i];
	}
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetFenceFdKHR(VkDevice handle, const VkFenceGetFdInfoKHR *info,
						 int *fd)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_fence *fence;

	pthread_mutex_lock(&device->lock);
	fence = gsl_map_get(&device->fences, GSL_KEY(info->fence));
	if (fence && fence->posted)
		share(device, &fence->clock);
	pthread_mutex_unlock(&device->lock);
	return device->calls.GetFenceFdKHR(handle, info, fd);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetSemaphoreFdKHR(VkDevice handle,
						     const VkSemaphoreGetFdInfoKHR *info, int *fd)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_wait all = { .semaphore = GSL_KEY(info->semaphore), .value = UINT64_MAX };
	struct gsl_clock clock = { 0 };

	pthread_mutex_lock(&device->lock);
	gsl_wait_merge(device, &all, &clock);
	share(device, &clock);
	pthread_mutex_unlock(&device->lock);
	return device->calls.GetSemaphoreFdKHR(handle, info, fd);
}

/* ---- Presenting: it waits for semaphores, and may have fences of its own ---- */

#ifdef VK_EXT_swapchain_maintenance1
static void post_fences(struct gsl_device *device, const VkPresentInfoKHR *info,
			const struct gsl_clock *clock)
{
	const VkBaseInStructure *next;
	u32 i;

	for (next = info->pNext; next; next = next->pNext) {
		const VkSwapchainPresentFenceInfoEXT *fences = (const void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT)
			continue;
		for (i = 0; i < fences->swapchainCount; i++) {
			struct gsl_fence *fence = find_or_make(&device->fences,
							       GSL_KEY(fences->pFences[i]),
							       sizeof(*fence));

			if (fence)
				*fence = (struct gsl_fence){ .posted = true, .clock = *clock };
		}
	}
}
#else
static void post_fences(struct gsl_device *device, const VkPresentInfoKHR *info,
			const struct gsl_clock *clock)
{
}
#endif

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueuePresentKHR(VkQueue handle, const VkPresentInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_batch batch = { 0 };
	struct gsl_clock clock = { 0 };
	u32 i;

	pthread_mutex_lock(&device->lock);
	gsl_reads_collect(device, &batch);
	gsl_reads_judge_all(device, &batch);
	for (i = 0; i < info->waitSemaphoreCount; i++) {
		struct gsl_wait wait = { .semaphore = GSL_KEY(info->pWaitSemaphores[i]) };

		gsl_wait_merge(device, &wait, &clock);
	}
	post_fences(device, info, &clock);
	gsl_device_move(device);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
	return device->calls.QueuePresentKHR(handle, info);
}

/* ---- Events ---- */

struct gsl_event *gsl_event_of(struct gsl_device *device, u64 handle)
{
	return find_or_make(&device->events, handle, sizeof(struct gsl_event));
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_SetEvent(VkDevice handle, VkEvent event_handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_batch batch = { 0 };
	struct gsl_event *event;

	pthread_mutex_lock(&device->lock);
	event = gsl_event_of(device, GSL_KEY(event_handle));
	if (event)
		*event = (struct gsl_event){ .set = true };
	gsl_jobs_run(device, "vkSetEvent", &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
	return device->calls.SetEvent(handle, event_handle);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetEvent(VkDevice handle, VkEvent event)
{
	struct gsl_device *device = gsl_device_of(handle);

	forget(device, &device->events, GSL_KEY(event));
	return device->calls.ResetEvent(handle, event);
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyEvent(VkDevice handle, VkEvent event,
					    const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	forget(device, &device->events, GSL_KEY(event));
	device->calls.DestroyEvent(handle, event, allocator);
}

/* The device set it: all before that in its job, and what came before the job, is done. */
static void complete_event(struct gsl_device *device, VkEvent handle)
{
	struct gsl_batch batch = { 0 };
	struct gsl_memory *memory;
	struct gsl_event *event;

	pthread_mutex_lock(&device->lock);
	event = gsl_map_get(&device->events, GSL_KEY(handle));
	if (event && event->by_device) {
		complete(device, &event->clock);
		for (memory = device->first_memory; memory; memory = memory->next)
			gsl_memory_writes_done(memory, event->job, event->write);
	}
	end_look(device, "vkGetEventStatus", &batch);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_GetEventStatus(VkDevice handle, VkEvent event)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.GetEventStatus(handle, event);

	if (result == VK_EVENT_SET)
		complete_event(device, event);
	return result;
}

/* ---- Queues that are idle ---- */

static void complete_queue(struct gsl_device *device, struct gsl_queue *queue, const char *call,
			   struct gsl_batch *batch)
{
	gsl_jobs_force(device, queue, UINT64_MAX, call, batch);
	complete(device, &queue->clock);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueWaitIdle(VkQueue handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.QueueWaitIdle(handle);
	struct gsl_batch batch = { 0 };
	struct gsl_queue *queue;

	if (result != VK_SUCCESS)
		return result;
	pthread_mutex_lock(&device->lock);
	queue = gsl_queue_of(device, handle);
	if (queue)
		complete_queue(device, queue, "vkQueueWaitIdle", &batch);
	end_look(device, "vkQueueWaitIdle", &batch);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_DeviceWaitIdle(VkDevice handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.DeviceWaitIdle(handle);
	struct gsl_batch batch = { 0 };
	u32 i;

	if (result != VK_SUCCESS)
		return result;
	pthread_mutex_lock(&device->lock);
	for (i = 0; i < device->queue_count; i++)
		complete_queue(device, device->queue_list[i], "vkDeviceWaitIdle", &batch);
	end_look(device, "vkDeviceWaitIdle", &batch);
	return result;
}
