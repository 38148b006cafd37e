/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Interpreter of the Mali v10 command stream (CSF).
 *
 * A stream is an array of little-endian 64-bit instructions in GPU memory. The
 * interpreter executes it in order, so that every scoreboard wait is already
 * met; SYNC_WAIT is the one instruction that can block. It is resumable: it
 * runs until its budget is used up, it blocks, finishes or faults, and goes on
 * from there at the next call. It allocates nothing and keeps all its state in
 * struct gs_csf; memory is reached through callbacks only.
 *
 * Executed: NOP, MOVE48, MOVE32, WAIT, ADD_IMMEDIATE32, ADD_IMMEDIATE64,
 * LOAD_MULTIPLE, STORE_MULTIPLE, BRANCH, FLUSH_CACHE2, SYNC_ADD32, SYNC_SET32,
 * SYNC_WAIT32, SYNC_ADD64, SYNC_SET64, SYNC_WAIT64. Every other opcode is a
 * fault: what needs shader cores cannot run without them and is never skipped.
 * FLUSH_CACHE2 acts on the GPU's own caches, of which a virtual GPU has none.
 *
 * Fields that matter to asynchronous execution only (scoreboards, slots, scopes)
 * are not looked at. A field that names a register past r95, an odd register
 * where a pair is meant, or an unknown condition is GS_CSF_FAULT_INSTRUCTION.
 *
 * A faulting instruction changes no register. It changes no memory either, except
 * that a STORE_MULTIPLE whose mask has gaps stores one run of consecutive
 * registers after the other, and those in front of the faulting run are done.
 *
 * Data of LOAD_MULTIPLE and STORE_MULTIPLE is aligned to 4 bytes, the value of a
 * sync object to its own size. The error that a SYNC_SET or SYNC_ADD may hand on
 * is that of a failed queue; a failed queue runs nothing here, so the error field
 * of a sync object is never written.
 */
#ifndef GS_CSF_H
#define GS_CSF_H

#include "types.h"

#define GS_CSF_REGS	96

/**
 * GPU memory as the stream's address space maps it.
 *
 * Each returns 0, or a negative errno for an address that is not mapped for this
 * access; then nothing was transferred. @size is at most 64 bytes and the range
 * does not wrap. They may sleep if the caller of gs_csf_run() may.
 */
struct gs_csf_mem {
	/* Fetch instructions: like read, from memory that may be executed. */
	int (*fetch)(void *ctx, u64 va, void *to, u32 size);
	int (*read)(void *ctx, u64 va, void *to, u32 size);
	int (*write)(void *ctx, u64 va, const void *from, u32 size);
	/*
	 * Polls and updates of sync objects (SYNC_*): as read and write, but the
	 * update is one atomic step against the other queues. @size is 4 or 8.
	 */
	int (*sync_read)(void *ctx, u64 va, void *to, u32 size);
	int (*sync_set)(void *ctx, u64 va, u64 value, u32 size);
	int (*sync_add)(void *ctx, u64 va, u64 value, u32 size);
};

enum gs_csf_status {
	GS_CSF_RUNNING,	/* budget used up: call again */
	GS_CSF_BLOCKED,	/* a SYNC_WAIT is not met: call again after a store (see wait) */
	GS_CSF_DONE,	/* the end of the stream */
	GS_CSF_FAULT,	/* see fault; the stream cannot go on */
};

enum gs_csf_fault_kind {
	GS_CSF_FAULT_NONE,
	GS_CSF_FAULT_FETCH,		/* address: of the instruction: unmapped, or branched to
					 * outside the stream
					 */
	GS_CSF_FAULT_READ,		/* address: of the access that failed */
	GS_CSF_FAULT_WRITE,		/* address: of the access that failed */
	GS_CSF_FAULT_ALIGNMENT,		/* address: not naturally aligned */
	GS_CSF_FAULT_INSTRUCTION,	/* unknown opcode, or a bad field in a known one */
	GS_CSF_FAULT_UNSUPPORTED,	/* needs hardware that a virtual GPU lacks */
	GS_CSF_FAULT_SYNC_ERROR,	/* SYNC_WAIT with reject found an error in the object */
};

struct gs_csf_fault {
	enum gs_csf_fault_kind kind;
	u64 address;		/* the GPU address that could not be accessed, else the pc */
	u64 pc;			/* GPU address of the faulting instruction, or branch */
	u64 instruction;	/* its word; 0 when it could not be fetched */
};

/* Conditions of SYNC_WAIT; the comparison is unsigned. */
enum gs_csf_condition {
	GS_CSF_LESS_OR_EQUAL = 0,
	GS_CSF_GREATER = 1,
};

/*
 * What a blocked stream waits for: (value at address) condition reference. With
 * reject, an error in the object ends the wait too. For callers that want to know
 * whether a store concerns it; calling gs_csf_run() after any store is right too.
 */
struct gs_csf_wait {
	u64 address;
	u64 reference;
	u32 size;		/* 4 or 8 bytes */
	u32 condition;		/* enum gs_csf_condition */
	bool reject;
};

struct gs_csf {
	u32 regs[GS_CSF_REGS];
	u64 pc;			/* GPU address of the next instruction */
	u64 start;		/* GPU address of the first instruction */
	u64 end;		/* GPU address of the first byte behind the stream */
	struct gs_csf_fault fault;
	struct gs_csf_wait wait;	/* set when GS_CSF_BLOCKED is returned */
};

/* All registers 0, no stream. */
void gs_csf_init(struct gs_csf *csf);

/**
 * Begin a stream of @size bytes at GPU address @va; registers keep their values.
 *
 * Returns 0; -EINVAL if @va or @size is not a multiple of 8 or the stream wraps.
 * A @size of 0 is a stream that is done at once. A stream may not touch the last
 * byte of the address space, so that its end is an address.
 */
int gs_csf_start(struct gs_csf *csf, u64 va, u64 size);

/**
 * Run at most *@budget instructions; *@budget is reduced by those completed.
 *
 * Instructions are fetched one by one when they are run, so a stream may change
 * itself. A SYNC_WAIT that is not met stays at the pc, and the next call tests it
 * again. The end of the stream is reported with any budget, also 0.
 * After GS_CSF_FAULT the reason is in csf->fault, and further calls return
 * GS_CSF_FAULT again until gs_csf_start().
 */
enum gs_csf_status gs_csf_run(struct gs_csf *csf, const struct gs_csf_mem *mem, void *ctx,
			      u32 *budget);

/* A short name for log lines, such as "unmapped read". Never NULL. */
const char *gs_csf_fault_name(enum gs_csf_fault_kind kind);

/* Name of the opcode of @instruction, such as "RUN_COMPUTE"; "unknown" if there is none. */
const char *gs_csf_opcode_name(u64 instruction);

#endif
