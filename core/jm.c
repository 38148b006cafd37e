// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "jm_internal.h"

#define STATUS_DONE	1u

static enum gs_jm_status nothing(struct run *run)
{
	(void)run;
	return GS_JM_DONE;
}

struct type {
	const char *name;
	enum gs_jm_status (*execute)(struct run *run);
	bool is_virtual;
};

/* What has a name is known; known ones without a function are GS_JM_FAULT_UNSUPPORTED. */
static const struct type types[128] = {
	[GS_JM_NULL] = { "NULL", nothing, false },
	[GS_JM_WRITE_VALUE] = { "WRITE_VALUE", gs_jm_job_write_value, false },
	[GS_JM_CACHE_FLUSH] = { "CACHE_FLUSH", nothing, false },
	[GS_JM_COMPUTE] = { "COMPUTE", NULL, false },
	[GS_JM_VERTEX] = { "VERTEX", NULL, false },
	[GS_JM_GEOMETRY] = { "GEOMETRY", NULL, false },
	[GS_JM_TILER] = { "TILER", NULL, false },
	[GS_JM_FUSED] = { "FUSED", NULL, false },
	[GS_JM_FRAGMENT] = { "FRAGMENT", NULL, false },
	[GS_JM_INDEXED_VERTEX] = { "INDEXED_VERTEX", NULL, false },
	[GS_JM_VIRTUAL_COPY] = { "VIRTUAL_COPY", gs_jm_job_copy, true },
	[GS_JM_VIRTUAL_WAIT] = { "VIRTUAL_WAIT", gs_jm_job_wait, true },
};

static const struct type *type_of(u32 control)
{
	return &types[control >> 1 & 127];
}

static enum gs_jm_status fetch_header(struct run *run)
{
	struct gs_jm_header *header = &run->jm->header;
	u64 va = run->jm->job;
	enum gs_jm_status status;
	u8 data[HEADER];

	*header = (struct gs_jm_header){ 0 };
	if (va & (GS_JM_ALIGN - 1))
		return fault(run, GS_JM_FAULT_ALIGNMENT, va);
	status = accessed(run, run->mem->fetch(run->ctx, va, data, HEADER), GS_JM_FAULT_FETCH, va);
	if (status != GS_JM_DONE)
		return status;
	header->status = (u32)le_get(data, 4);
	header->control = (u32)le_get(data + 16, 4);
	header->dependencies[0] = (u32)le_get(data + 20, 2);
	header->dependencies[1] = (u32)le_get(data + 22, 2);
	header->next = le_get(data + 24, header->control & 1 ? 8 : 4);
	return GS_JM_DONE;
}

static bool is_met(const struct gs_jm *jm, u32 index)
{
	return !index || (jm->completed[index / 64] >> (index % 64) & 1);
}

static enum gs_jm_status begin(struct run *run)
{
	const struct gs_jm *jm = run->jm;
	const struct gs_jm_header *header = &jm->header;
	enum gs_jm_status status;
	const struct type *type;

	status = fetch_header(run);
	if (status != GS_JM_DONE)
		return status;
	type = type_of(header->control);
	if (header->status)
		return fault(run, GS_JM_FAULT_DATA, jm->job);
	if (!type->name || (type->is_virtual && !jm->virtual_jobs))
		return fault(run, GS_JM_FAULT_JOB, jm->job);
	if (!type->execute)
		return fault(run, GS_JM_FAULT_UNSUPPORTED, jm->job);
	if (!is_met(jm, header->dependencies[0]) || !is_met(jm, header->dependencies[1]))
		return GS_JM_BLOCKED;
	return type->execute(run);
}

/* The fault pointer goes first: who sees the status sees all. */
static enum gs_jm_status write_header(struct run *run)
{
	u64 va = run->jm->job;
	enum gs_jm_status status;
	u8 data[8] = { 0 };

	status = accessed(run, run->mem->write(run->ctx, va + 8, data, 8), GS_JM_FAULT_WRITE,
			  va + 8);
	if (status != GS_JM_DONE)
		return status;
	le_set(data, STATUS_DONE, 4);
	return accessed(run, run->mem->write(run->ctx, va, data, 4), GS_JM_FAULT_WRITE, va);
}

static enum gs_jm_status execute(struct run *run)
{
	switch (run->jm->phase) {
	case GS_JM_TO_BEGIN:
		return begin(run);
	case GS_JM_COPYING:
		return gs_jm_job_copy_on(run);
	case GS_JM_TO_END:
		break;
	}
	return GS_JM_DONE;
}

/* GS_JM_DONE if the job is; what else there is ends gs_jm_run(). */
static enum gs_jm_status step(struct run *run)
{
	struct gs_jm *jm = run->jm;
	enum gs_jm_status status;
	u32 index;

	status = execute(run);
	if (status != GS_JM_DONE)
		return status;
	jm->phase = GS_JM_TO_END;
	status = write_header(run);
	if (status != GS_JM_DONE)
		return status;
	index = jm->header.control >> 16;
	jm->completed[index / 64] |= 1ull << (index % 64);
	jm->job = jm->header.next;
	jm->phase = GS_JM_TO_BEGIN;
	return GS_JM_DONE;
}

void gs_jm_init(struct gs_jm *jm, bool virtual_jobs)
{
	jm->virtual_jobs = virtual_jobs;
	gs_jm_start(jm, 0);
}

void gs_jm_start(struct gs_jm *jm, u64 va)
{
	u32 i;

	jm->job = va;
	jm->phase = GS_JM_TO_BEGIN;
	jm->header = (struct gs_jm_header){ 0 };
	jm->copy = (struct gs_jm_copy){ 0 };
	jm->fault = (struct gs_jm_fault){ .kind = GS_JM_FAULT_NONE };
	for (i = 0; i < GS_JM_INDICES / 64; i++)
		jm->completed[i] = 0;
}

enum gs_jm_status gs_jm_run(struct gs_jm *jm, const struct gs_jm_mem *mem, void *ctx,
			    u32 *budget)
{
	struct run run = { .jm = jm, .mem = mem, .ctx = ctx, .budget = budget };
	enum gs_jm_status status;

	if (jm->fault.kind != GS_JM_FAULT_NONE)
		return GS_JM_FAULT;
	while (jm->job) {
		if (!*budget)
			return GS_JM_RUNNING;
		status = step(&run);
		if (status != GS_JM_DONE)
			return status;
		(*budget)--;
	}
	return GS_JM_DONE;
}

const char *gs_jm_fault_name(enum gs_jm_fault_kind kind)
{
	switch (kind) {
	case GS_JM_FAULT_NONE:
		return "no fault";
	case GS_JM_FAULT_FETCH:
		return "unmapped job";
	case GS_JM_FAULT_READ:
		return "unmapped read";
	case GS_JM_FAULT_WRITE:
		return "unmapped write";
	case GS_JM_FAULT_ALIGNMENT:
		return "unaligned address";
	case GS_JM_FAULT_DATA:
		return "job with a status";
	case GS_JM_FAULT_JOB:
		return "bad job";
	case GS_JM_FAULT_UNSUPPORTED:
		return "unsupported job";
	}
	return "unknown fault";
}

const char *gs_jm_type_name(u32 control)
{
	const char *name = type_of(control)->name;

	return name ? name : "unknown";
}
