// SPDX-License-Identifier: MIT
/* Records of violations as the public calls give them, and in words. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "record.h"

_Static_assert((int)GEMSYNC_LOST_UPDATE == (int)GS_LOST_UPDATE &&
	       (int)GEMSYNC_CPU_STORE_STALE == (int)GS_CPU_STORE_STALE &&
	       (int)GEMSYNC_DEV_WRITE_DIRTY == (int)GS_DEV_WRITE_DIRTY &&
	       (int)GEMSYNC_DEV_READ_DIRTY == (int)GS_DEV_READ_DIRTY &&
	       (int)GEMSYNC_CPU_READ_STALE == (int)GS_CPU_READ_STALE,
	       "kinds of violations are those of core/");
_Static_assert((int)GEMSYNC_CAUSE_MISSING == (int)GS_CAUSE_MISSING &&
	       (int)GEMSYNC_CAUSE_TOO_EARLY == (int)GS_CAUSE_TOO_EARLY &&
	       (int)GEMSYNC_CAUSE_TOO_SHORT == (int)GS_CAUSE_TOO_SHORT &&
	       (int)GEMSYNC_CAUSE_WRONG_KIND == (int)GS_CAUSE_WRONG_KIND,
	       "so are their causes");

const char *gemsync_violation_name(enum gemsync_violation_kind kind)
{
	return gs_violation_name((enum gs_violation_kind)kind);
}

const char *gemsync_violation_explain(enum gemsync_violation_kind kind)
{
	return gs_violation_explain((enum gs_violation_kind)kind);
}

/* ---- Reading ---- */

int gemsync_device_violation_count(struct gemsync_device *dev, enum gemsync_violation_kind kind,
				   uint64_t *count)
{
	if ((unsigned int)kind >= GS_VIOLATION_KINDS)
		return -EINVAL;
	return dev->emulation ? dev->emulation->violation_count(dev, kind, count) : -EOPNOTSUPP;
}

int gemsync_device_violations(struct gemsync_device *dev,
			      struct gemsync_violation_counters *counters)
{
	struct gemsync_violation_counters now;
	const struct {
		enum gemsync_violation_kind kind;
		uint64_t *count;
	} counts[] = {
		{ GEMSYNC_LOST_UPDATE, &now.lost_update },
		{ GEMSYNC_CPU_STORE_STALE, &now.cpu_store_stale },
		{ GEMSYNC_DEV_WRITE_DIRTY, &now.dev_write_dirty },
		{ GEMSYNC_DEV_READ_DIRTY, &now.dev_read_dirty },
	};
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		ret = gemsync_device_violation_count(dev, counts[i].kind, counts[i].count);
		if (ret)
			return ret;
	}
	*counters = now;
	return 0;
}

int gemsync_device_read_violation(struct gemsync_device *dev, uint64_t *serial,
				  struct gemsync_violation *violation, size_t size,
				  uint32_t flags)
{
	size_t known = size < sizeof(*violation) ? size : sizeof(*violation);
	struct found_violation found = { .serial = *serial };
	int ret;

	if (!size || flags & ~GEMSYNC_VIOLATIONS_OWN)
		return -EINVAL;
	if (!dev->emulation)
		return -EOPNOTSUPP;
	do {
		ret = dev->emulation->next_violation(dev, found.serial, &found);
		if (ret)
			return ret;
	} while (flags & GEMSYNC_VIOLATIONS_OWN && found.violation.bo_pid != getpid());
	memset(violation, 0, size);
	memcpy(violation, &found.violation, known);
	*serial = found.serial;
	return 0;
}

/* Programs that were built with the first version of the header know what is in front. */
int (gemsync_device_next_violation)(struct gemsync_device *dev, uint64_t *serial,
				    struct gemsync_violation *violation)
{
	return gemsync_device_read_violation(dev, serial, violation,
					     offsetof(struct gemsync_violation, time_ns), 0);
}

int gemsync_device_last_violation(struct gemsync_device *dev, uint64_t *serial)
{
	return dev->emulation ? dev->emulation->last_violation(dev, serial) : -EOPNOTSUPP;
}

const char *gemsync_watch_name(uint32_t watch)
{
	static const char *const names[] = {
		[0] = "nothing",
		[GEMSYNC_WATCH_LOADS] = "loads",
		[GEMSYNC_WATCH_STORES] = "stores",
		[GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES] = "all",
	};

	return watch < ARRAY_SIZE(names) ? names[watch] : NULL;
}

int gemsync_device_watch(struct gemsync_device *dev, uint32_t watch, uint32_t *before)
{
	uint32_t watched;
	int ret;

	if (watch & ~(GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES))
		return -EINVAL;
	if (!dev->emulation)
		return -EOPNOTSUPP;
	ret = dev->emulation->watch(dev, watch, &watched);
	if (!ret && before)
		*before = watched;
	return ret;
}

static enum gemsync_last_sync last_sync(const struct gs_record *record)
{
	if (record->sync_known == GS_SYNC_NEVER)
		return GEMSYNC_LAST_NONE;
	if (record->sync_known == GS_SYNC_LONG_AGO)
		return GEMSYNC_LAST_FORGOTTEN;
	return record->sync.type == GS_SYNC_FLUSH ? GEMSYNC_LAST_FLUSH : GEMSYNC_LAST_INVALIDATE;
}

void gemsync_found_violation(const struct gs_record *record, struct found_violation *found)
{
	const struct gs_object *object = &record->object;
	const struct gs_job *job = &record->job;
	struct gemsync_violation violation = {
		.kind = (enum gemsync_violation_kind)record->kind,
		.offset = record->offset,
		.size = record->size,
		.time_ns = record->time_ns,
		.rows = record->rows,
		.cause = (enum gemsync_violation_cause)record->cause,
		.stride = record->stride,
		.sync_offset = record->start,
		.sync_size = record->end - record->start,
		.again = record->again,
		.times = record->times,
		.bo = object->id,
		.bo_size = object->size,
		.bo_handle = object->handle,
		.bo_pid = object->pid,
		.job = job->number,
		.submission = job->submission,
		.job_address = job->address,
		.group = job->group,
		.queue = job->queue,
		.pid = record->pid,
		.last_sync = last_sync(record),
		.cpu_address = record->address,
		.pc = record->pc,
	};

	if (record->sync_known == GS_SYNC_KNOWN) {
		violation.last_offset = record->sync.offset;
		violation.last_size = record->sync.end - record->sync.offset;
		violation.last_time_ns = record->sync.time_ns;
		violation.last_job = record->sync.job;
		violation.last_pid = record->sync.pid;
	}
	snprintf(violation.label, sizeof(violation.label), "%s", object->label);
	if (object->program[0])
		snprintf(violation.owner, sizeof(violation.owner), "%s:%d", object->program,
			 object->pid);
	found->serial = record->serial;
	found->violation = violation;
}

/* ---- Words ---- */

/* What happened, and what had to be done. */
static const struct {
	const char *did;
	const char *remedy;
	const char *when;	/* before or after the job */
} words[] = {
	[GEMSYNC_LOST_UPDATE] = { "what the device wrote was overwritten by a write-back of",
				  "flush or invalidate",
				  "before the device writes, and not after" },
	[GEMSYNC_CPU_STORE_STALE] = { "the CPU stored into lines that the device had written,",
				      "invalidate", "before the store, after" },
	[GEMSYNC_DEV_WRITE_DIRTY] = { "the device wrote to lines that were not flushed,", "flush",
				      "before" },
	[GEMSYNC_DEV_READ_DIRTY] = { "the device read stores that were not flushed,", "flush",
				     "before" },
	[GEMSYNC_CPU_READ_STALE] = { "the CPU read lines that the device had written,",
				     "invalidate", "before that read, after" },
};

/* Text that grows, and may be cut. */
struct text {
	char *text;
	size_t size;
	size_t length;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *text, const char *format, ...)
{
	size_t at = text->length < text->size ? text->length : text->size;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->text + at, text->size - at, format, args);
	va_end(args);
	text->length += length;
}

static void add_rows(struct text *text, const struct gemsync_violation *violation)
{
	if (violation->rows > 1)
		add(text, " in each of %" PRIu32 " rows that are %" PRIu64 " apart",
		    violation->rows, violation->stride);
}

static void add_bo(struct text *text, const struct gemsync_violation *violation)
{
	if (violation->label[0])
		add(text, " of %s", violation->label);
	else
		add(text, " of BO %" PRIu64 " (handle %" PRIu32 ", %" PRIu64 " bytes)",
		    violation->bo, violation->bo_handle, violation->bo_size);
}

static void add_job(struct text *text, const struct gemsync_violation *violation)
{
	if (violation->submission)
		add(text, "submit %" PRIu64 " of queue %" PRIu32, violation->submission,
		    violation->queue);
	else if (violation->job)
		add(text, "job %" PRIu64, violation->job);
	else
		add(text, "the device's access");
}

static void add_cause(struct text *text, const struct gemsync_violation *violation)
{
	static const char *const causes[] = {
		[GEMSYNC_CAUSE_TOO_EARLY] = "; the sync that there was came too early",
		[GEMSYNC_CAUSE_TOO_SHORT] = "; a sync ended right beside them",
		[GEMSYNC_CAUSE_WRONG_KIND] = "; they were flushed, which drops no line",
		[GEMSYNC_CAUSE_TOO_LATE] = "; that sync came too late, after the device's write",
	};

	if (violation->cause)
		add(text, "%s", causes[violation->cause]);
	if (violation->again)
		add(text, "; %" PRIu64 " times more", violation->again);
	if (violation->times > 1)
		add(text, "; the %" PRIu64 ". job to do so", violation->times);
}

int gemsync_violation_describe(const struct gemsync_violation *violation, char *text, size_t size)
{
	struct text out = { text, size, 0 };

	if ((size_t)violation->kind >= ARRAY_SIZE(words) ||
	    violation->cause > GEMSYNC_CAUSE_TOO_LATE)
		return snprintf(text, size, "unknown");
	add(&out, "%s %" PRIu64 " bytes at %" PRIu64, words[violation->kind].did, violation->size,
	    violation->offset);
	add_rows(&out, violation);
	add_bo(&out, violation);
	add(&out, ": %s %" PRIu64 " bytes at %" PRIu64, words[violation->kind].remedy,
	    violation->sync_size, violation->sync_offset);
	add_rows(&out, violation);
	add(&out, " %s ", words[violation->kind].when);
	add_job(&out, violation);
	add_cause(&out, violation);
	return (int)out.length;
}
