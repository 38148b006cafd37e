// SPDX-License-Identifier: MIT
/* Queues and their jobs: when the commands of a submission are looked at. */
#include <stdlib.h>

#include "layer.h"

/* ---- Queues ---- */

struct gsl_queue *gsl_queue_of(struct gsl_device *device, VkQueue handle)
{
	struct gsl_queue *queue = gsl_map_get(&device->queues, GSL_KEY(handle));

	if (queue || device->queue_count == GSL_QUEUES)
		return queue;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	queue->handle = handle;
	queue->index = device->queue_count;
	queue->end = &queue->first;
	if (!gsl_map_put(&device->queues, GSL_KEY(handle), queue)) {
		free(queue);
		return NULL;
	}
	device->queue_list[device->queue_count++] = queue;
	return queue;
}

/* ---- Jobs ---- */

/* With room for what it waits for, signals and executes. */
static struct gsl_job *make_job(u32 waits, u32 signals, u32 commands)
{
	struct gsl_job *job = calloc(1, sizeof(*job) +
				     ((size_t)waits + signals) * sizeof(*job->waits) +
				     commands * sizeof(*job->commands));

	if (!job)
		return NULL;
	job->waits = (struct gsl_wait *)(job + 1);
	job->signals = job->waits + waits;
	job->commands = (u64 *)(job->signals + signals);
	job->wait_count = waits;
	job->signal_count = signals;
	job->command_count = commands;
	return job;
}

static void flush_range(struct gsl_memory *memory, u64 offset, u64 end)
{
	u64 map_end = memory->map_offset + memory->map_size;

	if (offset < memory->map_offset)
		offset = memory->map_offset;
	if (end > map_end)
		end = map_end;
	if (offset >= end)
		return;
	gsl_copies_flush(memory->copies, offset, end - offset,
			 gsl_memory_device_writes(memory, offset, end - offset), NULL, NULL);
	gsl_memory_flush_driver(memory, offset, end - offset);
}

/* Report mode: what was not flushed is told by now, and made good: of what the device can see. */
static void flush_all(struct gsl_device *device)
{
	struct gsl_resource *resource;
	struct gsl_memory *memory;

	for (memory = device->first_memory; memory; memory = memory->next) {
		if (!memory->copies || !memory->mapped ||
		    !gsl_copies_find_changed(memory->copies, memory->map_offset,
					     memory->map_size, NULL, NULL))
			continue;
		if (memory->opaque)
			flush_range(memory, 0, memory->size);
		for (resource = memory->resources; resource; resource = resource->next)
			flush_range(memory, resource->offset, resource->offset + resource->size);
	}
}

static void run(struct gsl_device *device, struct gsl_job *job, const char *call,
		struct gsl_batch *batch)
{
	struct gsl_queue *queue = job->queue;
	u32 i;

	for (i = 0; i < job->wait_count; i++)
		gsl_wait_merge(device, &job->waits[i], &queue->clock);
	queue->clock.jobs[queue->index] = job->number;
	gsl_job_use(device, job, call, batch);
	if (device->instance->settings.mode == GSL_REPORT)
		flush_all(device);
	for (i = 0; i < job->signal_count; i++)
		gsl_signal_post(device, &job->signals[i], &queue->clock);
	gsl_fence_post(device, job);
	free(job);
}

/*
 * A wait for a value that nothing known signals is one for the host, until the driver says that
 * it is over: then it is not known since when the job runs, unless something else kept it.
 */
static bool is_ready(struct gsl_device *device, struct gsl_job *job)
{
	bool ready = !gsl_job_waits_for_event(device, job), late = false;
	u32 i;

	for (i = 0; i < job->wait_count; i++) {
		struct gsl_wait *wait = &job->waits[i];

		if (wait->over || gsl_wait_is_known(device, wait))
			continue;
		wait->over = gsl_wait_is_over(device, wait);
		ready = ready && wait->over;
		late = true;
	}
	job->late = ready && late;
	return ready;
}

static struct gsl_job *take_first(struct gsl_queue *queue)
{
	struct gsl_job *job = queue->first;

	queue->first = job->next;
	if (!queue->first)
		queue->end = &queue->first;
	return job;
}

/* One may signal what another one waits for. */
void gsl_jobs_run(struct gsl_device *device, const char *call, struct gsl_batch *batch)
{
	bool any = true;
	u32 i;

	while (any) {
		any = false;
		for (i = 0; i < device->queue_count; i++) {
			struct gsl_queue *queue = device->queue_list[i];

			while (queue->first && is_ready(device, queue->first)) {
				run(device, take_first(queue), call, batch);
				any = true;
			}
		}
	}
}

void gsl_jobs_force(struct gsl_device *device, struct gsl_queue *queue, u64 number,
		    const char *call, struct gsl_batch *batch)
{
	while (queue->first && queue->first->number <= number) {
		struct gsl_job *job = take_first(queue);

		job->late = true;
		run(device, job, call, batch);
	}
	gsl_jobs_run(device, call, batch);
}

static bool is_job_of(struct gsl_device *device, const struct gsl_job *job, VkCommandPool pool,
		      u64 key)
{
	u32 i;

	for (i = 0; i < job->command_count; i++) {
		const struct gsl_commands *commands =
			pool ? gsl_map_get(&device->commands, job->commands[i]) : NULL;

		if ((key && job->commands[i] == key) || (commands && commands->pool == pool))
			return true;
	}
	return false;
}

void gsl_jobs_finish(struct gsl_device *device, VkCommandPool pool, u64 commands)
{
	struct gsl_batch batch = { 0 };
	u32 i;

	pthread_mutex_lock(&device->lock);
	for (i = 0; i < device->queue_count; i++) {
		struct gsl_queue *queue = device->queue_list[i];
		const struct gsl_job *job;
		u64 last = 0;

		for (job = queue->first; job; job = job->next) {
			if (is_job_of(device, job, pool, commands))
				last = job->number;
		}
		if (last)
			gsl_jobs_force(device, queue, last, "vkResetCommandBuffer", &batch);
	}
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

void gsl_device_free_jobs(struct gsl_device *device)
{
	u32 i;

	for (i = 0; i < device->queue_count; i++) {
		while (device->queue_list[i]->first)
			free(take_first(device->queue_list[i]));
	}
}

/* ---- Submitting ---- */

/* One call, for as long as the device's lock is held. */
struct submission {
	struct gsl_device *device;
	struct gsl_queue *queue;
	const char *call;
	struct gsl_batch batch;
};

static struct submission begin(VkQueue queue, const char *call)
{
	struct submission submission = { .device = gsl_device_of(queue), .call = call };

	pthread_mutex_lock(&submission.device->lock);
	submission.device->submissions++;
	submission.queue = gsl_queue_of(submission.device, queue);
	return submission;
}

/* Behind those of the queue that wait. Jobs of a queue that is not followed are nothing. */
static void add(struct submission *submission, struct gsl_job *job)
{
	u32 i;

	if (!job || !submission->queue) {
		free(job);
		return;
	}
	job->queue = submission->queue;
	job->submission = submission->device->submissions;
	job->number = ++submission->device->jobs;
	for (i = 0; i < job->signal_count; i++)
		gsl_signal_submit(submission->device, &job->signals[i]);
	if (job->fence)
		gsl_fence_submit(submission->device, job);
	*job->queue->end = job;
	job->queue->end = &job->next;
}

static void end(struct submission *submission)
{
	gsl_reads_collect(submission->device, &submission->batch);
	gsl_reads_judge_all(submission->device, &submission->batch);
	gsl_jobs_run(submission->device, submission->call, &submission->batch);
	gsl_device_move(submission->device);
	pthread_mutex_unlock(&submission->device->lock);
	gsl_findings_tell(&submission->device->instance->findings, &submission->batch);
}

/* The fence is that of the last batch; where there is none, it comes alone. */
static void add_fence(struct submission *submission, u32 count, VkFence fence)
{
	struct gsl_job *job = !count && fence ? make_job(0, 0, 0) : NULL;

	if (job)
		job->fence = GSL_KEY(fence);
	add(submission, job);
}

static u64 fence_of(u32 i, u32 count, VkFence fence)
{
	return i + 1 == count ? GSL_KEY(fence) : 0;
}

static const VkTimelineSemaphoreSubmitInfo *find_values(const void *chain)
{
	const VkBaseInStructure *next;

	for (next = chain; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO)
			return (const void *)next;
	}
	return NULL;
}

/* Semaphores, and their values if they have some. */
static void fill_waits(struct gsl_wait *waits, u32 count, const VkSemaphore *semaphores,
		       u32 value_count, const u64 *values)
{
	u32 i;

	for (i = 0; i < count; i++)
		waits[i] = (struct gsl_wait){
			.semaphore = GSL_KEY(semaphores[i]),
			.value = i < value_count ? values[i] : 0,
		};
}

static void fill_semaphores(struct gsl_job *job, const void *chain, const VkSemaphore *waits,
			    const VkSemaphore *signals)
{
	const VkTimelineSemaphoreSubmitInfo *values = find_values(chain);

	fill_waits(job->waits, job->wait_count, waits,
		   values ? values->waitSemaphoreValueCount : 0,
		   values ? values->pWaitSemaphoreValues : NULL);
	fill_waits(job->signals, job->signal_count, signals,
		   values ? values->signalSemaphoreValueCount : 0,
		   values ? values->pSignalSemaphoreValues : NULL);
}

static struct gsl_job *job_of(const VkSubmitInfo *info, u64 fence)
{
	struct gsl_job *job = make_job(info->waitSemaphoreCount, info->signalSemaphoreCount,
				       info->commandBufferCount);
	u32 i;

	if (!job)
		return NULL;
	job->fence = fence;
	fill_semaphores(job, info->pNext, info->pWaitSemaphores, info->pSignalSemaphores);
	for (i = 0; i < job->command_count; i++)
		job->commands[i] = GSL_KEY(info->pCommandBuffers[i]);
	return job;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueSubmit(VkQueue queue, uint32_t count,
					       const VkSubmitInfo *infos, VkFence fence)
{
	struct submission submission = begin(queue, "vkQueueSubmit");
	u32 i;

	for (i = 0; i < count; i++)
		add(&submission, job_of(&infos[i], fence_of(i, count, fence)));
	add_fence(&submission, count, fence);
	end(&submission);
	return submission.device->calls.QueueSubmit(queue, count, infos, fence);
}

#ifdef GSL_HAS_QueueSubmit2
static void fill_waits2(struct gsl_wait *waits, u32 count, const VkSemaphoreSubmitInfoKHR *infos)
{
	u32 i;

	for (i = 0; i < count; i++)
		waits[i] = (struct gsl_wait){
			.semaphore = GSL_KEY(infos[i].semaphore),
			.value = infos[i].value,
		};
}

static struct gsl_job *job_of2(const VkSubmitInfo2KHR *info, u64 fence)
{
	struct gsl_job *job = make_job(info->waitSemaphoreInfoCount,
				       info->signalSemaphoreInfoCount,
				       info->commandBufferInfoCount);
	u32 i;

	if (!job)
		return NULL;
	job->fence = fence;
	fill_waits2(job->waits, job->wait_count, info->pWaitSemaphoreInfos);
	fill_waits2(job->signals, job->signal_count, info->pSignalSemaphoreInfos);
	for (i = 0; i < job->command_count; i++)
		job->commands[i] = GSL_KEY(info->pCommandBufferInfos[i].commandBuffer);
	return job;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueSubmit2(VkQueue queue, uint32_t count,
						const VkSubmitInfo2KHR *infos, VkFence fence)
{
	struct submission submission = begin(queue, "vkQueueSubmit2");
	u32 i;

	for (i = 0; i < count; i++)
		add(&submission, job_of2(&infos[i], fence_of(i, count, fence)));
	add_fence(&submission, count, fence);
	end(&submission);
	return submission.device->calls.QueueSubmit2(queue, count, infos, fence);
}
#endif

/* ---- Sparse binding ---- */

static void bind_opaque(struct gsl_device *device, u32 count, const VkSparseMemoryBind *binds)
{
	u32 i;

	for (i = 0; i < count; i++)
		gsl_memory_set_opaque(device, binds[i].memory);
}

/*
 * Pieces of buffers are followed. Where in images they are the driver alone knows: the device
 * may write to their memory at any time.
 */
static void bind_sparse(struct gsl_device *device, const VkBindSparseInfo *info)
{
	u32 i, j;

	for (i = 0; i < info->bufferBindCount; i++) {
		for (j = 0; j < info->pBufferBinds[i].bindCount; j++)
			gsl_resource_bind_piece(device, info->pBufferBinds[i].buffer,
						&info->pBufferBinds[i].pBinds[j]);
	}
	for (i = 0; i < info->imageOpaqueBindCount; i++)
		bind_opaque(device, info->pImageOpaqueBinds[i].bindCount,
			    info->pImageOpaqueBinds[i].pBinds);
	for (i = 0; i < info->imageBindCount; i++) {
		for (j = 0; j < info->pImageBinds[i].bindCount; j++)
			gsl_memory_set_opaque(device, info->pImageBinds[i].pBinds[j].memory);
	}
}

static struct gsl_job *job_of_sparse(const VkBindSparseInfo *info, u64 fence)
{
	struct gsl_job *job = make_job(info->waitSemaphoreCount, info->signalSemaphoreCount, 0);

	if (!job)
		return NULL;
	job->fence = fence;
	fill_semaphores(job, info->pNext, info->pWaitSemaphores, info->pSignalSemaphores);
	return job;
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_QueueBindSparse(VkQueue queue, uint32_t count,
						   const VkBindSparseInfo *infos, VkFence fence)
{
	struct submission submission = begin(queue, "vkQueueBindSparse");
	u32 i;

	for (i = 0; i < count; i++) {
		bind_sparse(submission.device, &infos[i]);
		add(&submission, job_of_sparse(&infos[i], fence_of(i, count, fence)));
	}
	add_fence(&submission, count, fence);
	end(&submission);
	return submission.device->calls.QueueBindSparse(queue, count, infos, fence);
}
