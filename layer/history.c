// SPDX-License-Identifier: MIT
/*
 * What happens to a memory, and what of it is wrong: flushes and submissions, writes of the
 * device and what the host does about them. The device's lock is held throughout.
 */
#include <stdio.h>

#include "layer.h"

/* How often a resource is looked for results that nobody invalidated: a look costs its size. */
#define MAX_JUDGED	8

/* Rows of atoms, as one that has them all. */
struct hull {
	u64 offset;
	u64 end;
	u64 bytes;
};

static void hull_add(void *ctx, u64 offset, u64 size)
{
	struct hull *hull = ctx;

	if (!hull->bytes || offset < hull->offset)
		hull->offset = offset;
	if (!hull->bytes || offset + size > hull->end)
		hull->end = offset + size;
	hull->bytes += size;
}

static bool overlap(u64 a, u64 a_end, u64 b, u64 b_end)
{
	return a < b_end && b < a_end;
}

static u64 max(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

struct gsl_finding gsl_memory_finding(struct gsl_memory *memory, int kind, u64 offset, u64 size)
{
	struct gsl_device *device = memory->device;
	struct gsl_resource *resource = gsl_resource_at(memory, offset);
	struct gsl_finding finding = {
		.kind = kind,
		.memory = gsl_object_of(device, VK_OBJECT_TYPE_DEVICE_MEMORY,
					GSL_KEY(memory->handle)),
		.offset = offset,
		.size = size,
		.bytes = size,
	};

	if (resource) {
		finding.resource = gsl_object_of(device, resource->type, resource->handle);
		finding.resource_offset = resource->begin + offset - resource->offset;
	}
	return finding;
}

static void add_hull(struct gsl_memory *memory, int kind, const struct hull *hull,
		     const struct gsl_finding *where, struct gsl_batch *batch)
{
	struct gsl_finding finding =
		gsl_memory_finding(memory, kind, hull->offset, hull->end - hull->offset);

	finding.bytes = hull->bytes;
	finding.possibly = where->possibly;
	finding.queue = where->queue;
	finding.submission = where->submission;
	finding.call = where->call;
	snprintf(finding.detail, sizeof(finding.detail), "%s", where->detail);
	gsl_batch_add(batch, &finding);
}

enum gsl_device_writes gsl_memory_device_writes(struct gsl_memory *memory, u64 offset, u64 size)
{
	enum gsl_device_writes writes = GSL_WROTE_NOT;
	struct gsl_resource *resource;
	u32 i;

	if (!memory->device->submissions)
		return GSL_WROTE_NOT;
	if (memory->opaque)
		return GSL_WROTE;
	/* By something that may be gone. */
	for (i = 0; i < memory->write_count; i++) {
		const struct gsl_write *write = &memory->writes[i];

		if (overlap(offset, offset + size, write->offset, write->offset + write->size))
			return GSL_WROTE;
	}
	for (resource = memory->resources; resource; resource = resource->next) {
		if (!resource->device_writes ||
		    !overlap(offset, offset + size, resource->offset,
			     resource->offset + resource->size))
			continue;
		if (resource->written)
			return GSL_WROTE;
		if (resource->addressed)
			writes = GSL_WROTE_UNKNOWN;
	}
	return writes;
}

/* Whether its driver's map may be read beside invalidates: write-combined ones are slow. */
static bool is_cheap_to_read(const struct gsl_memory *memory)
{
	return gsl_types_driver_flags(memory->device->types, memory->type) &
	       VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}

static bool is_done(const struct gsl_write *write)
{
	return write->done || write->job <= write->queue->done;
}

static bool may_be_done(const struct gsl_write *write)
{
	return is_done(write) || write->job <= write->queue->shared;
}

static void note(const struct gsl_memory *memory, struct gsl_syncs *syncs, u64 offset, u64 end)
{
	u32 i = syncs->count++ % GSL_SYNCS;

	syncs->last[i].offset = offset;
	syncs->last[i].end = end;
	syncs->last[i].submission = memory->device->submissions;
	syncs->last[i].job = memory->device->jobs;
}

/* ---- Writes that the host has not seen ---- */

static void remove_write(struct gsl_memory *memory, u32 i)
{
	memory->writes[i] = memory->writes[--memory->write_count];
}

void gsl_memory_find_unseen(struct gsl_memory *memory, u64 offset, u64 size,
			    struct gsl_unseen *unseen)
{
	u32 i;

	unseen->count = 0;

	for (i = 0; i < memory->write_count && is_cheap_to_read(memory); i++) {
		const struct gsl_write *write = &memory->writes[i];

		if (is_done(write) && !write->refilled &&
		    overlap(offset, offset + size, write->offset, write->offset + write->size)) {
			unseen->rows[unseen->count].offset = write->offset;
			unseen->rows[unseen->count++].end = write->offset + write->size;
		}
	}
}

/* What of a write the host cannot have seen; none if that is not known. */
static struct hull find_unseen(struct gsl_memory *memory, const struct gsl_write *write,
			       u64 offset, u64 end)
{
	struct hull hull = { 0 };

	offset = max(offset, write->offset);
	end = min(end, write->offset + write->size);
	if (write->refilled) {
		offset = max(offset, write->stale_offset);
		end = min(end, write->stale_end);
		if (offset < end)
			hull_add(&hull, offset, end - offset);
		return hull;
	}
	gsl_copies_find_stale(memory->copies, offset, end - offset, hull_add, &hull);
	return hull;
}

/*
 * Whether the host is likely to read what was written. Allocators keep memory mapped that many
 * things share, most of which the host never looks at; who maps memory afterwards wants to see.
 */
static bool is_for_host(const struct gsl_memory *memory, const struct gsl_write *write)
{
	return memory->mapped && (!memory->shared || write->job <= memory->map_job);
}

static void judge_write(struct gsl_memory *memory, const struct gsl_write *write,
			const char *call, struct gsl_batch *batch)
{
	struct gsl_finding where = {
		.possibly = true,
		.queue = gsl_object_of(memory->device, VK_OBJECT_TYPE_QUEUE,
				       GSL_KEY(write->queue->handle)),
		.submission = write->submission,
		.call = call,
	};
	struct gsl_resource *resource =
		gsl_map_get(&memory->device->resources, write->resource);
	struct hull unseen;

	if (!is_for_host(memory, write) || (resource && resource->judged++ >= MAX_JUDGED))
		return;
	/* Where loads are seen, nothing has to be guessed. */
	if (gsl_reads_are_seen_of(memory, write->offset, write->offset + write->size))
		return;
	unseen = find_unseen(memory, write, 0, memory->size);
	if (unseen.bytes)
		add_hull(memory, write->early ? GSL_INVALIDATE_TOO_EARLY : GS_CPU_READ_STALE,
			 &unseen, &where, batch);
}

/* Before the host cannot read a range any more, or what was there is overwritten. */
static void judge_reads(struct gsl_memory *memory, u64 offset, u64 end, const char *call,
			struct gsl_batch *batch)
{
	u32 i;

	if (!memory->copies || !memory->mapped || !is_cheap_to_read(memory))
		return;
	for (i = memory->write_count; i-- > 0;) {
		struct gsl_write *write = &memory->writes[i];

		if (!is_done(write) ||
		    !overlap(offset, end, write->offset, write->offset + write->size))
			continue;
		judge_write(memory, write, call, batch);
		remove_write(memory, i);
	}
}

/* A write that is seen in part goes on with what is left of it. */
static void trim_write(struct gsl_memory *memory, u32 i, u64 offset, u64 end)
{
	struct gsl_write *write = &memory->writes[i];
	u64 write_end = write->offset + write->size;
	struct gsl_write behind = *write;

	behind.offset = end;
	behind.size = write_end > end ? write_end - end : 0;
	if (write->offset < offset) {
		write->size = offset - write->offset;
		if (behind.size && memory->write_count < GSL_WRITES)
			memory->writes[memory->write_count++] = behind;
	} else if (behind.size) {
		*write = behind;
	} else {
		remove_write(memory, i);
	}
}

/* The pages of a write that the host has not seen are looked after, if that is asked for. */
static void guard(struct gsl_memory *memory, struct gsl_write *write)
{
	struct hull unseen;

	if (!memory->copies || !memory->mapped || write->guarded || !is_done(write))
		return;
	unseen = find_unseen(memory, write, 0, memory->size);
	gsl_reads_protect(memory, unseen.offset, unseen.end);
	write->guarded = true;
}

/* Pages are whole: what else is in them is guarded again by the next look. */
static void unguard(struct gsl_memory *memory, u64 offset, u64 end)
{
	u32 i;

	gsl_reads_unprotect(memory, offset, end);
	for (i = 0; i < memory->write_count; i++)
		memory->writes[i].guarded = false;
}

void gsl_memory_invalidating(struct gsl_memory *memory, u64 offset, u64 size,
			     struct gsl_batch *batch)
{
	struct gsl_finding where = { .call = "vkInvalidateMappedMemoryRanges" };
	u64 end = offset + size;
	u32 i;

	gsl_reads_judge(memory, batch);
	note(memory, &memory->invalidates, offset, end);
	for (i = memory->write_count; i-- > 0;) {
		struct gsl_write *write = &memory->writes[i];
		struct hull unseen;

		if (!overlap(offset, end, write->offset, write->offset + write->size))
			continue;
		if (!may_be_done(write)) {
			write->early = true;
			continue;
		}
		unseen = find_unseen(memory, write, offset, end);
		where.submission = write->submission;
		where.queue = gsl_object_of(memory->device, VK_OBJECT_TYPE_QUEUE,
					    GSL_KEY(write->queue->handle));
		if (unseen.bytes && !write->available)
			add_hull(memory, GSL_NO_HOST_BARRIER, &unseen, &where, batch);
		trim_write(memory, i, offset, end);
	}
	if (memory->copies)
		unguard(memory, offset, end);
}

/* ---- Loads ---- */

void gsl_memory_loaded(struct gsl_memory *memory, u64 offset, u64 code, struct gsl_batch *batch)
{
	u64 atom = offset & ~(u64)(memory->device->atom - 1);
	u32 i;

	for (i = 0; i < memory->write_count; i++) {
		const struct gsl_write *write = &memory->writes[i];
		struct gsl_finding where = {
			.submission = write->submission,
			.call = "a load of the host",
		};
		struct hull unseen;

		if (!is_done(write) || offset < write->offset ||
		    offset - write->offset >= write->size)
			continue;
		unseen = find_unseen(memory, write, atom, atom + memory->device->atom);
		if (!unseen.bytes)
			continue;
		where.queue = gsl_object_of(memory->device, VK_OBJECT_TYPE_QUEUE,
					    GSL_KEY(write->queue->handle));
		snprintf(where.detail, sizeof(where.detail), "by ");
		gsl_code_name(code, where.detail + 3, sizeof(where.detail) - 3);
		add_hull(memory, write->early ? GSL_INVALIDATE_TOO_EARLY : GS_CPU_READ_STALE,
			 &unseen, &where, batch);
		return;
	}
}

/*
 * What of a write the host did not see in pages that it touched: none where it stored to them,
 * or where not all of a page is of the write.
 */
static struct hull find_touched(struct gsl_memory *memory, const struct gsl_write *write,
				u64 offset, u64 end, u64 page)
{
	struct hull all = { 0 };

	for (; offset < end; offset += page) {
		u64 page_end = min(offset + page, memory->size);
		struct hull unseen;

		if (write->offset > offset || write->offset + write->size < page_end ||
		    gsl_copies_find_changed(memory->copies, offset, page_end - offset, NULL, NULL))
			continue;
		unseen = find_unseen(memory, write, offset, page_end);
		if (!unseen.bytes)
			continue;
		if (!all.bytes)
			all.offset = unseen.offset;
		all.end = unseen.end;
		all.bytes += unseen.bytes;
	}
	return all;
}

void gsl_memory_touched(struct gsl_memory *memory, u64 offset, u64 end, u64 page,
			struct gsl_batch *batch)
{
	u32 i;

	for (i = 0; i < memory->write_count; i++) {
		const struct gsl_write *write = &memory->writes[i];
		struct gsl_finding where = {
			.possibly = true,
			.queue = gsl_object_of(memory->device, VK_OBJECT_TYPE_QUEUE,
					       GSL_KEY(write->queue->handle)),
			.submission = write->submission,
			.call = "pages that the host touched",
		};
		int kind = write->early ? GSL_INVALIDATE_TOO_EARLY : GS_CPU_READ_STALE;
		struct hull unseen;

		if (!is_done(write))
			continue;
		unseen = find_touched(memory, write, offset, end, page);
		if (unseen.bytes)
			add_hull(memory, kind, &unseen, &where, batch);
	}
}

/* ---- Flushes ---- */

static void note_flush(struct gsl_memory *memory, u64 offset, u64 end)
{
	note(memory, &memory->flushes, offset, end);
	if (offset <= memory->unmap_offset && end >= memory->unmap_end)
		memory->unmap_offset = memory->unmap_end = 0;
}

/* Since the last submission before one. */
static bool was_flushed(const struct gsl_memory *memory, const struct hull *hull, u64 submission)
{
	u32 i;

	for (i = 0; i < GSL_SYNCS && i < memory->flushes.count; i++) {
		if (memory->flushes.last[i].submission + 1 >= submission &&
		    overlap(hull->offset, hull->end, memory->flushes.last[i].offset,
			    memory->flushes.last[i].end))
			return true;
	}
	return false;
}

/* An invalidate of what a job will write that waits for the host. */
static bool was_invalidated(const struct gsl_memory *memory, const struct gsl_write *write)
{
	u32 i;

	for (i = 0; i < GSL_SYNCS && i < memory->invalidates.count; i++) {
		if (memory->invalidates.last[i].job >= write->job &&
		    overlap(write->offset, write->offset + write->size,
			    memory->invalidates.last[i].offset, memory->invalidates.last[i].end))
			return true;
	}
	return false;
}

static void check_late(struct gsl_memory *memory, u64 offset, u64 end, struct gsl_batch *batch)
{
	struct gsl_finding where = {
		.possibly = memory->missed_possibly,
		.submission = memory->missed_submission,
		.call = "vkFlushMappedMemoryRanges",
	};
	struct hull hull = {
		max(offset, memory->missed_offset), min(end, memory->missed_end), 0,
	};

	if (memory->missed_submission != memory->device->submissions || hull.offset >= hull.end)
		return;
	hull.bytes = hull.end - hull.offset;
	add_hull(memory, GSL_FLUSH_TOO_LATE, &hull, &where, batch);
	memory->missed_end = memory->missed_offset;
}

/* Nothing was stored to, but the device wrote: what did the host want of it? */
static void check_wrong_way(struct gsl_memory *memory, u64 offset, u64 end,
			    struct gsl_batch *batch)
{
	struct gsl_finding where = { .call = "vkFlushMappedMemoryRanges" };
	u32 i;

	if (!is_cheap_to_read(memory))
		return;
	for (i = 0; i < memory->write_count; i++) {
		const struct gsl_write *write = &memory->writes[i];
		struct hull unseen;

		if (!is_done(write) ||
		    !overlap(offset, end, write->offset, write->offset + write->size))
			continue;
		unseen = find_unseen(memory, write, offset, end);
		where.submission = write->submission;
		if (unseen.bytes)
			add_hull(memory, GSL_FLUSH_FOR_INVALIDATE, &unseen, &where, batch);
	}
}

static void check_cost(struct gsl_memory *memory, u64 offset, u64 size,
		       const struct gsl_moved *moved, struct gsl_batch *batch)
{
	struct gsl_finding finding;

	if (!memory->device->instance->settings.cost || moved->unwritten < moved->atoms || !size)
		return;
	finding = gsl_memory_finding(memory, GSL_CLEAN_FLUSH, offset, size);
	finding.call = "vkFlushMappedMemoryRanges";
	gsl_batch_add(batch, &finding);
}

void gsl_memory_flushed(struct gsl_memory *memory, u64 offset, u64 size,
			const struct gsl_moved *moved, struct gsl_batch *batch)
{
	u64 end = offset + size;

	if (moved->changed)
		check_late(memory, offset, end, batch);
	else
		check_wrong_way(memory, offset, end, batch);
	check_cost(memory, offset, size, moved, batch);
	note_flush(memory, offset, end);
}

/* What is not flushed now may be taken for flushed by the unmap: a submission will tell. */
void gsl_memory_unmapping(struct gsl_memory *memory, const char *call, struct gsl_batch *batch)
{
	struct hull hull = { memory->unmap_offset, memory->unmap_end, 0 };

	gsl_reads_collect(memory->device, batch);
	gsl_reads_judge(memory, batch);
	if (memory->copies && memory->mapped) {
		hull.bytes = hull.end - hull.offset;
		gsl_copies_find_changed(memory->copies, memory->map_offset, memory->map_size,
					hull_add, &hull);
		memory->unmap_offset = hull.offset;
		memory->unmap_end = hull.end;
		judge_reads(memory, memory->map_offset, memory->map_offset + memory->map_size,
			    call, batch);
		unguard(memory, 0, memory->size);
	}
	memory->mapped = false;
}

/* ---- Submissions ---- */

/* The same was found possible in this submission, and now is certain. */
static bool was_possible(const struct gsl_memory *memory, int kind, const struct hull *hull,
			 const struct gsl_finding *where, struct gsl_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++) {
		struct gsl_finding *found = &batch->items[i];

		if (found->kind == kind && found->possibly &&
		    found->submission == where->submission &&
		    found->memory.handle == GSL_KEY(memory->handle) &&
		    found->offset == hull->offset && found->size == hull->end - hull->offset) {
			found->possibly = false;
			return true;
		}
	}
	return false;
}

void gsl_memory_device_reads(struct gsl_memory *memory, u64 offset, u64 size, bool possibly,
			     const struct gsl_finding *where, struct gsl_batch *batch)
{
	struct gsl_finding found = *where;
	struct hull hull = { 0 };
	int kind = GS_DEV_READ_DIRTY;

	if (!memory->copies ||
	    !gsl_copies_find_changed(memory->copies, offset, size, hull_add, &hull))
		return;
	if (overlap(hull.offset, hull.end, memory->unmap_offset, memory->unmap_end))
		kind = GSL_UNMAP_FOR_FLUSH;
	else if (was_flushed(memory, &hull, where->submission))
		kind = GSL_FLUSH_TOO_EARLY;
	found.possibly = possibly;
	if (possibly || !was_possible(memory, kind, &hull, &found, batch))
		add_hull(memory, kind, &hull, &found, batch);
	memory->missed_offset = hull.offset;
	memory->missed_end = hull.end;
	memory->missed_submission = where->submission;
	memory->missed_possibly = possibly;
}

/* The same range again, or a place; when there is none, the last one takes both. */
static struct gsl_write *find_place(struct gsl_memory *memory, const struct gsl_write *write)
{
	u32 i;

	for (i = 0; i < memory->write_count; i++) {
		struct gsl_write *old = &memory->writes[i];

		if (old->offset == write->offset && old->size == write->size)
			return old;
	}
	if (memory->write_count < GSL_WRITES) {
		memory->writes[memory->write_count] = *write;
		return &memory->writes[memory->write_count++];
	}
	return &memory->writes[GSL_WRITES - 1];
}

void gsl_memory_device_overwrote(struct gsl_memory *memory, const struct gsl_write *write,
				 const struct gsl_finding *where, struct gsl_batch *batch)
{
	struct hull hull = { 0 };

	judge_reads(memory, write->offset, write->offset + write->size, where->call, batch);
	if (write->certain && memory->copies &&
	    gsl_copies_find_changed(memory->copies, write->offset, write->size, hull_add, &hull))
		add_hull(memory, GS_DEV_WRITE_DIRTY, &hull, where, batch);
}

void gsl_memory_device_wrote(struct gsl_memory *memory, const struct gsl_write *write,
			     const struct gsl_finding *where, struct gsl_batch *batch)
{
	u64 end = write->offset + write->size;
	struct gsl_write *place;
	struct hull hull;

	gsl_memory_device_overwrote(memory, write, where, batch);
	place = find_place(memory, write);
	hull = (struct hull){ min(place->offset, write->offset),
			      max(place->offset + place->size, end), 0 };
	*place = *write;
	place->early = was_invalidated(memory, write);
	place->offset = hull.offset;
	place->size = hull.end - hull.offset;
}

void gsl_memory_made_available(struct gsl_memory *memory, u64 offset, u64 size)
{
	u32 i;

	for (i = 0; i < memory->write_count; i++) {
		struct gsl_write *write = &memory->writes[i];

		if (overlap(offset, offset + size, write->offset, write->offset + write->size))
			write->available = true;
	}
}

/* ---- Completion ---- */

void gsl_memory_writes_done(struct gsl_memory *memory, u64 job, u64 number)
{
	u32 i;

	for (i = 0; i < memory->write_count; i++) {
		if (memory->writes[i].job == job && memory->writes[i].number <= number)
			memory->writes[i].done = true;
	}
}

/* Report mode: the host sees what the device wrote, as it would where all is coherent. */
static void show_write(struct gsl_memory *memory, struct gsl_write *write)
{
	struct hull unseen = find_unseen(memory, write, 0, memory->size);

	gsl_memory_invalidate_driver(memory, write->offset, write->size);
	gsl_copies_refill(memory->copies, write->offset, write->size);
	write->stale_offset = unseen.offset;
	write->stale_end = unseen.end;
	write->refilled = true;
}

/* Likewise what shaders may have stored by addresses alone, as far as it is cheap to look. */
static void show_addressed(struct gsl_memory *memory)
{
	struct gsl_resource *resource;

	if (!memory->addressed || memory->shown == memory->device->done ||
	    !is_cheap_to_read(memory))
		return;
	memory->shown = memory->device->done;
	for (resource = memory->resources; resource; resource = resource->next) {
		if (!resource->addressed || !resource->device_writes)
			continue;
		gsl_memory_invalidate_driver(memory, resource->offset, resource->size);
		gsl_copies_refill(memory->copies, resource->offset, resource->size);
	}
}

/* Memory that is coherent needs no invalidate, but the barrier all the same. */
static void check_coherent(struct gsl_memory *memory, u32 i, const char *call,
			   struct gsl_batch *batch)
{
	struct gsl_write *write = &memory->writes[i];
	struct hull hull = { write->offset, write->offset + write->size, write->size };
	struct gsl_finding where = {
		.possibly = true,
		.queue = gsl_object_of(memory->device, VK_OBJECT_TYPE_QUEUE,
				       GSL_KEY(write->queue->handle)),
		.submission = write->submission,
		.call = call,
	};

	if (is_for_host(memory, write) && write->certain && !write->available)
		add_hull(memory, GSL_NO_HOST_BARRIER, &hull, &where, batch);
	remove_write(memory, i);
}

void gsl_memory_completed(struct gsl_memory *memory, const char *call, struct gsl_batch *batch)
{
	bool report = memory->device->instance->settings.mode == GSL_REPORT;
	u32 i;

	for (i = memory->write_count; i-- > 0;) {
		struct gsl_write *write = &memory->writes[i];

		if (!is_done(write))
			continue;
		if (!memory->has_copies)
			check_coherent(memory, i, call, batch);
		else if (report && memory->copies && memory->mapped && !write->refilled)
			show_write(memory, write);
	}
	if (report && memory->copies && memory->mapped)
		show_addressed(memory);
	if (!gsl_reads_are_seen(memory->device))
		return;
	for (i = 0; i < memory->write_count; i++)
		guard(memory, &memory->writes[i]);
}
