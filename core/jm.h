/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Interpreter of the job chains of Mali GPUs with a job manager (Midgard, Bifrost).
 *
 * A chain is a list of jobs in GPU memory. A job begins, on a multiple of 64 bytes, with
 * a header, all of it little-endian:
 *
 *	+0	u32	exception status: 0; the GPU writes 1 when the job is done
 *	+4	u32	first incomplete task
 *	+8	u64	fault pointer; the GPU writes 0 when the job is done
 *	+16	u32	is64 [0], type [7:1], barrier [8], index [31:16]
 *	+20	u16 x 2	indices of the jobs that it depends on; 0: of none
 *	+24	u64	GPU address of the next job, 0 at the end; u32 without is64
 *
 * The interpreter executes the jobs in the order of the list, so that barriers are
 * always met. A job that depends on an index that no job of the chain has completed
 * waits for ever. Like the interpreter of command streams (csf.h) this one is
 * resumable, allocates nothing, and reaches memory through callbacks only.
 *
 * Executed is what needs no shader core and no tiler: NULL, CACHE_FLUSH, which acts
 * on caches that a virtual GPU lacks, and WRITE_VALUE, whose payload is
 *
 *	+32	u64	GPU address, a multiple of the size of what is written
 *	+40	u32	kind of value, enum gs_jm_value
 *	+48	u64	immediate
 *
 * COMPUTE, VERTEX, GEOMETRY, TILER, FUSED, FRAGMENT and INDEXED_VERTEX need shader
 * cores and are a fault, never skipped. So is a job whose status is not 0 when it
 * begins. A job that faults leaves its header as it is. It has written nothing, unless
 * it is the header that cannot be written, or a GS_JM_VIRTUAL_COPY came to where it could
 * not go on.
 *
 * Virtual jobs: with the job types above no shader-less GPU can read memory and tell
 * what it saw. So that reads can be tested, two more types can be switched on, which
 * no hardware has: GS_JM_VIRTUAL_COPY and GS_JM_VIRTUAL_WAIT.
 */
#ifndef GS_JM_H
#define GS_JM_H

#include "types.h"

#define GS_JM_ALIGN	64u	/* bytes, of the address of a job */
#define GS_JM_INDICES	65536u

enum gs_jm_type {
	GS_JM_NULL = 1,
	GS_JM_WRITE_VALUE = 2,
	GS_JM_CACHE_FLUSH = 3,
	GS_JM_COMPUTE = 4,
	GS_JM_VERTEX = 5,
	GS_JM_GEOMETRY = 6,
	GS_JM_TILER = 7,
	GS_JM_FUSED = 8,
	GS_JM_FRAGMENT = 9,
	GS_JM_INDEXED_VERTEX = 10,	/* Bifrost */
	/*
	 * Virtual: copy +48 u64 bytes from address +40 u64 to address +32 u64, all of them
	 * multiples of 4, upwards, in pieces of 64 bytes.
	 */
	GS_JM_VIRTUAL_COPY = 126,
	/* Virtual: block while the aligned u32 at address +32 u64 is +40 u32. */
	GS_JM_VIRTUAL_WAIT = 127,
};

/* What WRITE_VALUE writes. */
enum gs_jm_value {
	GS_JM_VALUE_CYCLES = 1,		/* 8 bytes */
	GS_JM_VALUE_TIMESTAMP = 2,	/* 8 bytes */
	GS_JM_VALUE_ZERO = 3,		/* 8 bytes */
	GS_JM_VALUE_IMM8 = 4,
	GS_JM_VALUE_IMM16 = 5,
	GS_JM_VALUE_IMM32 = 6,
	GS_JM_VALUE_IMM64 = 7,
};

/**
 * GPU memory as the chain's address space maps it.
 *
 * Each returns 0; -EAGAIN if the memory is on its way: the job blocks and does the
 * access again; or another negative errno for an address that is not mapped for this
 * access. Unless 0 is returned nothing was transferred. @size is at most 64 bytes and
 * the range does not wrap. They may sleep if the caller of gs_jm_run() may.
 */
struct gs_jm_mem {
	/* Read jobs. */
	int (*fetch)(void *ctx, u64 va, void *to, u32 size);
	int (*read)(void *ctx, u64 va, void *to, u32 size);
	int (*write)(void *ctx, u64 va, const void *from, u32 size);
	/* Look at a word that somebody else is about to change; @size is 4. */
	int (*poll)(void *ctx, u64 va, void *to, u32 size);
	/* What WRITE_VALUE writes. NULL: asking is GS_JM_FAULT_UNSUPPORTED. */
	u64 (*timestamp)(void *ctx);
	u64 (*cycles)(void *ctx);
};

enum gs_jm_status {
	GS_JM_RUNNING,	/* budget used up: call again */
	GS_JM_BLOCKED,	/* a wait, memory or a dependency is missing: call again later */
	GS_JM_DONE,	/* the end of the chain */
	GS_JM_FAULT,	/* see fault; the chain cannot go on */
};

enum gs_jm_fault_kind {
	GS_JM_FAULT_NONE,
	GS_JM_FAULT_FETCH,	/* address: of the part of the job that is not mapped */
	GS_JM_FAULT_READ,	/* address: of the access that failed */
	GS_JM_FAULT_WRITE,	/* address: of the access that failed */
	GS_JM_FAULT_ALIGNMENT,	/* address: of the job, or in its payload: not aligned */
	GS_JM_FAULT_DATA,	/* the status of the job is not 0 */
	GS_JM_FAULT_JOB,	/* unknown type, or kind of value */
	GS_JM_FAULT_UNSUPPORTED,	/* needs hardware that a virtual GPU lacks */
};

struct gs_jm_fault {
	enum gs_jm_fault_kind kind;
	u64 address;	/* the GPU address that was wrong, else that of the job */
	u64 job;	/* GPU address of the job */
	u32 control;	/* the word at +16 of its header; 0 when it could not be fetched */
};

/* A header without the parts that only the GPU writes, the status excepted. */
struct gs_jm_header {
	u32 status;
	u32 control;		/* the word at +16 */
	u32 dependencies[2];	/* 0: none */
	u64 next;
};

/* What is left of a GS_JM_VIRTUAL_COPY. */
struct gs_jm_copy {
	u64 dst;
	u64 src;
	u64 left;		/* bytes */
};

enum gs_jm_phase {
	GS_JM_TO_BEGIN,		/* the job is fetched, now or again */
	GS_JM_COPYING,		/* header and copy are set */
	GS_JM_TO_END,		/* header is set; what is left is to write the status */
};

/* A job slot. */
struct gs_jm {
	bool virtual_jobs;	/* their types are known */
	u64 job;		/* GPU address of the job that is next or under way; 0 at the end */
	enum gs_jm_phase phase;	/* of this job */
	struct gs_jm_header header;
	struct gs_jm_copy copy;
	struct gs_jm_fault fault;
	u64 completed[GS_JM_INDICES / 64];	/* bit n: a job with index n is done */
};

/* No chain. */
void gs_jm_init(struct gs_jm *jm, bool virtual_jobs);

/* Begin the chain whose first job is at @va; what an earlier one left is forgotten. */
void gs_jm_start(struct gs_jm *jm, u64 va);

/**
 * Run at most *@budget jobs, where each 64 bytes of a copy count as one; *@budget is
 * reduced by those completed.
 *
 * Jobs are fetched when they begin, so a chain may change itself. What a chain does is
 * the same, however its budget is cut. The end is reported with any budget, also 0.
 * After GS_JM_FAULT the reason is in jm->fault, and further calls return GS_JM_FAULT
 * again until gs_jm_start().
 */
enum gs_jm_status gs_jm_run(struct gs_jm *jm, const struct gs_jm_mem *mem, void *ctx,
			    u32 *budget);

/* A short name for log lines, such as "unmapped write". Never NULL. */
const char *gs_jm_fault_name(enum gs_jm_fault_kind kind);

/* Name of the type in the word at +16 of a header, such as "COMPUTE"; "unknown". */
const char *gs_jm_type_name(u32 control);

#endif
