/* SPDX-License-Identifier: MIT */
/*
 * What the layer found: kinds, the words for people, and who gets to read them.
 *
 * A finding is told once for each kind and resource; further ones are counted, and the counts
 * told when the instance goes. Of a kind there are so many messages as a setting says; the log
 * goes on. Findings are collected in a batch while locks are held, and
 * told when none is, since the application's callback may take locks of its own.
 */
#ifndef GSL_FINDINGS_H
#define GSL_FINDINGS_H

#include <pthread.h>
#include <stdio.h>
#include <vulkan/vulkan_core.h>

#include "settings.h"
#include "violation.h"

/* The kinds of the emulations, and those that only Vulkan has. Their names are stable. */
enum gsl_kind {
	/* 0 to GS_VIOLATION_KINDS - 1: enum gs_violation_kind */

	/* The host made device writes visible that no barrier had made available to it. */
	GSL_NO_HOST_BARRIER = GS_VIOLATION_KINDS,
	/* Stores after the flush and before the submit. */
	GSL_FLUSH_TOO_EARLY,
	/* A flush of what a submit before it should have read. */
	GSL_FLUSH_TOO_LATE,
	/* An invalidate before it is known that the device is done. */
	GSL_INVALIDATE_TOO_EARLY,
	/* A flush of what the device wrote and the host did not. */
	GSL_FLUSH_FOR_INVALIDATE,
	/* An invalidate of what the host stored to and did not flush. */
	GSL_INVALIDATE_FOR_FLUSH,
	/* Stores that were not flushed when the memory was unmapped. */
	GSL_UNMAP_FOR_FLUSH,
	/* A range that does not begin or end at an atom. */
	GSL_MISALIGNED,
	/* A flush of memory that nobody stored to: cost. */
	GSL_CLEAN_FLUSH,
	/* Memory that this layer leaves as the driver has it: no finding, but told. */
	GSL_LEFT_ALONE,

	GSL_KINDS,
};

const char *gsl_kind_name(int kind);

#define GSL_NAME	64

/* An object as messages call it. */
struct gsl_object {
	VkObjectType type;	/* 0: none */
	u64 handle;
	char name[GSL_NAME];	/* given by VK_EXT_debug_utils, or empty */
};

struct gsl_finding {
	int kind;
	bool possibly;		/* not certainly */
	struct gsl_object memory;
	u64 offset;		/* of the first byte, in the memory */
	u64 size;		/* from there to the last one */
	u64 bytes;		/* of them, those that it is about */
	struct gsl_object resource;	/* what is bound there */
	u64 resource_offset;	/* of the first byte, in the resource */
	struct gsl_object queue;
	u64 submission;		/* counts from 1 for each device; 0: none */
	const char *call;	/* where it was seen, such as "vkQueueSubmit" */
	char detail[160];	/* a clause more, or empty */
};

struct gsl_batch {
	struct gsl_finding *items;
	size_t count;
	size_t space;
};

void gsl_batch_add(struct gsl_batch *batch, const struct gsl_finding *finding);

struct gsl_known;

/* All that were told by an instance. */
struct gsl_findings {
	pthread_mutex_t lock;
	struct gsl_known *known;
	size_t count;
	size_t space;
	u32 told[GSL_KINDS];	/* messages of each kind */
	u32 listed[GSL_KINDS];	/* what is in @known */
	u64 more[GSL_KINDS];	/* what is not, as there is too much of it */
	const struct gsl_settings *settings;
	FILE *log;
	/* Tell the application's messengers; false if there are none. May be NULL. */
	bool (*tell)(void *ctx, const struct gsl_finding *finding, const char *text);
	void *ctx;
};

void gsl_findings_init(struct gsl_findings *findings, const struct gsl_settings *settings);

/* Tell what is new of a batch, count the rest, and empty it. No lock is held meanwhile. */
void gsl_findings_tell(struct gsl_findings *findings, struct gsl_batch *batch);

/* Tell the counts, and close the log. */
void gsl_findings_fini(struct gsl_findings *findings);

/* The sentence for people: what, where, and what to do. */
void gsl_finding_text(const struct gsl_finding *finding, char *text, size_t size);

#endif
