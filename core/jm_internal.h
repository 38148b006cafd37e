/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the interpreter share. Not for others. */
#ifndef GS_JM_INTERNAL_H
#define GS_JM_INTERNAL_H

#include "jm.h"
#include "mem_internal.h"

#define HEADER	32u	/* bytes */

/* One call of gs_jm_run(). */
struct run {
	struct gs_jm *jm;
	const struct gs_jm_mem *mem;
	void *ctx;
	u32 *budget;
};

/*
 * Each does what the job of @run does but for its end. They return GS_JM_DONE, or
 * what gs_jm_run() is to return.
 */
enum gs_jm_status gs_jm_job_write_value(struct run *run);
enum gs_jm_status gs_jm_job_copy(struct run *run);
enum gs_jm_status gs_jm_job_copy_on(struct run *run);	/* in GS_JM_COPYING */
enum gs_jm_status gs_jm_job_wait(struct run *run);

static inline enum gs_jm_status fault(struct run *run, enum gs_jm_fault_kind kind, u64 address)
{
	struct gs_jm_fault *fault = &run->jm->fault;

	fault->kind = kind;
	fault->address = address;
	fault->job = run->jm->job;
	fault->control = run->jm->header.control;
	return GS_JM_FAULT;
}

/* What an access that returned @ret means for the job. */
static inline enum gs_jm_status accessed(struct run *run, int ret, enum gs_jm_fault_kind kind,
					 u64 address)
{
	if (!ret)
		return GS_JM_DONE;
	return ret == -EAGAIN ? GS_JM_BLOCKED : fault(run, kind, address);
}

#endif
