// SPDX-License-Identifier: MIT
/* What the commands of a job read and write. The device's lock is held throughout. */
#include "layer.h"

#define REMEMBERED	64

/* A range that was looked at: within one job the host does nothing. */
struct look {
	const struct gsl_memory *memory;
	u64 offset;
	u64 size;
	bool possibly;
};

/* A job that is looked at. */
struct walk {
	struct gsl_device *device;
	const struct gsl_job *job;
	struct gsl_finding where;
	struct gsl_batch *batch;
	bool any_work;
	struct look looks[REMEMBERED];
};

/* ---- Ranges ---- */

/* What was read certainly need not be looked at for what may read it. */
static bool was_looked_at(struct walk *walk, const struct gsl_memory *memory, u64 offset, u64 size,
			  bool possibly)
{
	u64 hash = (GSL_KEY(memory) ^ offset ^ size << 20) * 0x9e3779b97f4a7c15ull;
	struct look *look = &walk->looks[hash >> 58];

	if (look->memory == memory && look->offset == offset && look->size == size &&
	    (possibly || !look->possibly))
		return true;
	*look = (struct look){ memory, offset, size, possibly };
	return false;
}

static void read_range(struct walk *walk, struct gsl_memory *memory, u64 offset, u64 size,
		       bool possibly)
{
	if (walk->job->late || !memory->copies ||
	    was_looked_at(walk, memory, offset, size, possibly))
		return;
	gsl_memory_device_reads(memory, offset, size, possibly, &walk->where, walk->batch);
}

static void write_range(struct walk *walk, struct gsl_resource *resource, u64 offset,
			u64 size, bool certain)
{
	struct gsl_memory *memory = resource->memory;
	struct gsl_write write = {
		.offset = offset,
		.size = size,
		.queue = walk->job->queue,
		.submission = walk->job->submission,
		.job = walk->job->number,
		.number = ++walk->device->writes,
		.resource = resource->key,
		.certain = certain,
	};

	resource->written = true;
	if (!resource->device_writes || !gsl_memory_is_visible(memory))
		return;
	if (resource->optimal)
		gsl_memory_device_overwrote(memory, &write, &walk->where, walk->batch);
	else
		gsl_memory_device_wrote(memory, &write, &walk->where, walk->batch);
}

/* A use, and whose it is. */
struct range_use {
	struct walk *walk;
	const struct gsl_use *use;
};

static void use_place(void *ctx, struct gsl_resource *place, u64 offset, u64 size)
{
	struct range_use *range = ctx;
	const struct gsl_use *use = range->use;

	if (use->access & GSL_READ && !place->optimal)
		read_range(range->walk, place->memory, offset, size, use->possibly);
	if (use->access & GSL_WRITE)
		write_range(range->walk, place, offset, size, !use->shader);
}

static void use_range(struct walk *walk, const struct gsl_use *use)
{
	struct gsl_resource *resource = gsl_map_get(&walk->device->resources, use->handle);
	struct range_use range = { walk, use };

	if (!resource)
		return;
	gsl_resource_each_place(resource, use->offset, use->size, use_place, &range);
	if (use->access & GSL_WRITE && resource->host_copied)
		resource->unavailable = (struct gsl_write){
			.queue = walk->job->queue,
			.submission = walk->job->submission,
			.number = ++walk->device->writes,
			.certain = !use->shader,
		};
}

/* ---- Sets ---- */

static void use_slot(struct walk *walk, const struct gsl_slot *slot, u64 dynamic, bool possibly)
{
	if (!slot->resource || !gsl_slot_is_valid(walk->device, slot))
		return;
	use_range(walk, &(struct gsl_use){
		.handle = slot->resource,
		.offset = slot->offset + dynamic,
		.size = slot->size,
		.access = gsl_is_storage(slot->type) ? GSL_READ | GSL_WRITE : GSL_READ,
		.shader = true,
		.possibly = possibly,
	});
}

static void use_set(struct walk *walk, const struct gsl_commands *commands,
		    const struct gsl_use *use)
{
	struct gsl_set *set = gsl_map_get(&walk->device->sets, use->handle);
	u32 dynamic = 0, i, j;

	for (i = 0; set && i < set->layout->count; i++) {
		const struct gsl_binding *binding = &set->layout->bindings[i];

		for (j = 0; j < binding->count; j++) {
			u64 offset = 0;

			if (gsl_is_dynamic(binding->type) && dynamic < use->dynamic_count &&
			    use->first_dynamic + dynamic < commands->dynamic_count)
				offset = commands->dynamic[use->first_dynamic + dynamic++];
			use_slot(walk, &set->slots[binding->first + j], offset,
				 binding->possibly);
		}
	}
}

/* ---- Barriers and events ---- */

static void make_available(void *ctx, struct gsl_resource *place, u64 offset, u64 size)
{
	gsl_memory_made_available(place->memory, offset, size);
}

static void use_barrier(struct walk *walk, const struct gsl_use *use)
{
	struct gsl_device *device = walk->device;
	struct gsl_resource *resource;
	struct gsl_memory *memory;

	if (use->handle) {
		resource = gsl_map_get(&device->resources, use->handle);
		if (!resource)
			return;
		gsl_resource_each_place(resource, use->offset, use->size, make_available, NULL);
		resource->unavailable.number = 0;
		return;
	}
	for (memory = device->first_memory; memory; memory = memory->next)
		gsl_memory_made_available(memory, 0, memory->size);
	device->available = device->writes;
}

static void use_event(struct walk *walk, const struct gsl_use *use)
{
	struct gsl_event *event = gsl_event_of(walk->device, use->handle);

	if (!event)
		return;
	event->set = use->kind == GSL_USE_SET_EVENT;
	event->by_device = event->set;
	event->job = walk->job->number;
	event->write = walk->device->writes;
	event->clock = walk->job->queue->clock;
	/* Of the job itself only what came before. */
	event->clock.jobs[walk->job->queue->index] = walk->job->number - 1;
}

/* ---- All of them ---- */

static void use_one(struct walk *walk, const struct gsl_commands *commands,
		    const struct gsl_use *use)
{
	switch (use->kind) {
	case GSL_USE_RESOURCE:
		use_range(walk, use);
		break;
	case GSL_USE_SET:
		use_set(walk, commands, use);
		break;
	case GSL_USE_WORK:
		walk->any_work = true;
		break;
	case GSL_USE_HOST_BARRIER:
		use_barrier(walk, use);
		break;
	case GSL_USE_SET_EVENT:
	case GSL_USE_RESET_EVENT:
		use_event(walk, use);
		break;
	default:
		break;
	}
}

typedef bool (*use_visitor)(void *ctx, const struct gsl_commands *commands,
			    const struct gsl_use *use);

#define MAX_NESTED	8	/* command buffers in command buffers */

static bool each_nested_use(struct gsl_device *device, u64 handle, u32 depth, use_visitor visit,
			    void *ctx)
{
	const struct gsl_commands *commands = gsl_map_get(&device->commands, handle);
	size_t i;

	for (i = 0; commands && depth < MAX_NESTED && i < commands->count; i++) {
		const struct gsl_use *use = &commands->uses[i];
		bool more;

		if (use->kind == GSL_USE_COMMANDS)
			more = each_nested_use(device, use->handle, depth + 1, visit, ctx);
		else
			more = visit(ctx, commands, use);
		if (!more)
			return false;
	}
	return true;
}

/* Calls @visit with each use until it returns false. */
static bool each_use(struct gsl_device *device, u64 handle, use_visitor visit, void *ctx)
{
	return each_nested_use(device, handle, 0, visit, ctx);
}

static bool visit_use(void *ctx, const struct gsl_commands *commands, const struct gsl_use *use)
{
	use_one(ctx, commands, use);
	return true;
}

/* What shaders may reach by addresses alone: read for certain is nothing of it. */
static void use_addressed(struct walk *walk)
{
	struct gsl_resource *resource;
	struct gsl_memory *memory;

	for (memory = walk->device->first_memory; memory; memory = memory->next) {
		if (!memory->addressed || !memory->copies)
			continue;
		for (resource = memory->resources; resource; resource = resource->next) {
			if (resource->addressed)
				read_range(walk, memory, resource->offset, resource->size, true);
		}
	}
}

void gsl_job_use(struct gsl_device *device, const struct gsl_job *job, const char *call,
		 struct gsl_batch *batch)
{
	struct walk walk = { .device = device, .job = job, .batch = batch };
	u32 i;

	walk.where = (struct gsl_finding){
		.queue = gsl_object_of(device, VK_OBJECT_TYPE_QUEUE, GSL_KEY(job->queue->handle)),
		.submission = job->submission,
		.call = call,
	};
	for (i = 0; i < job->command_count; i++)
		each_use(device, job->commands[i], visit_use, &walk);
	if (walk.any_work)
		use_addressed(&walk);
}

/* ---- Waiting for events ---- */

#define MAX_SET	32

/* Events that the job itself sets before it waits for them. */
struct setting {
	struct gsl_device *device;
	u64 set[MAX_SET];
	u32 count;
};

static bool is_set(struct setting *setting, u64 handle)
{
	struct gsl_event *event = gsl_event_of(setting->device, handle);
	u32 i;

	for (i = 0; i < setting->count; i++) {
		if (setting->set[i] == handle)
			return true;
	}
	return !event || event->set;
}

static bool visit_event(void *ctx, const struct gsl_commands *commands, const struct gsl_use *use)
{
	struct setting *setting = ctx;

	/* Who sets more events than fit is taken to set all. */
	if (use->kind == GSL_USE_SET_EVENT && setting->count < MAX_SET)
		setting->set[setting->count++] = use->handle;
	return use->kind != GSL_USE_WAIT_EVENT || setting->count == MAX_SET ||
	       is_set(setting, use->handle);
}

bool gsl_job_waits_for_event(struct gsl_device *device, const struct gsl_job *job)
{
	struct setting setting = { .device = device };
	u32 i;

	for (i = 0; i < job->command_count; i++) {
		if (!each_use(device, job->commands[i], visit_event, &setting))
			return true;
	}
	return false;
}
