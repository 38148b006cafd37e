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
 * Executed is what needs no shader core and no tiler: NOP, MOVE48, MOVE32, WAIT,
 * ADD_IMMEDIATE32, ADD_IMMEDIATE64, UMIN32, LOAD_MULTIPLE, STORE_MULTIPLE, BRANCH,
 * SET_SB_ENTRY, PROGRESS_WAIT, SET_EXCEPTION_HANDLER, CALL, JUMP, REQ_RESOURCE,
 * FLUSH_CACHE2, SYNC_ADD32, SYNC_SET32, SYNC_WAIT32, STORE_STATE, ERROR_BARRIER,
 * HEAP_SET, HEAP_OPERATION, TRACE_POINT, SYNC_ADD64, SYNC_SET64, SYNC_WAIT64.
 * Every other opcode is a fault: what needs shader cores (RUN_*, FINISH_*) cannot
 * run without them and is never skipped, nor are PROT_REGION, PROGRESS_STORE and
 * PROGRESS_LOAD.
 *
 * FLUSH_CACHE2 acts on the GPU's own caches, of which a virtual GPU has none;
 * HEAP_OPERATION and TRACE_POINT count and trace, which nobody reads here. HEAP_SET
 * and SET_EXCEPTION_HANDLER keep their operands in struct gs_csf: only the tiler
 * would use them. WAIT and PROGRESS_WAIT find all earlier work done. ERROR_BARRIER
 * and STORE_STATE of the error find no error, as a failed queue runs nothing here.
 *
 * CALL runs another stream, whose end returns; JUMP goes on in another stream in
 * place of its own, whose end is then that of the new one; BRANCH stays inside its
 * own stream. At most GS_CSF_DEPTH streams are open at once. That counts the
 * outermost one, as the hardware's queue CALLs it too; so CALLs nest 7 deep in it,
 * and one more is GS_CSF_FAULT_CALL_STACK. The end of the outermost stream is done.
 *
 * Fields that matter to asynchronous execution only (scoreboards, slots, scopes)
 * are not looked at. A field that names a register past r95, an odd register where
 * a pair is meant, an unknown condition or an unknown type of exception is
 * GS_CSF_FAULT_INSTRUCTION.
 *
 * A faulting instruction changes no register. It changes no memory either, except
 * that a STORE_MULTIPLE whose mask has gaps stores one run of consecutive
 * registers after the other, and those in front of the faulting run are done.
 *
 * Data of LOAD_MULTIPLE and STORE_MULTIPLE is aligned to 4 bytes, the value of a
 * sync object to its own size, what STORE_STATE stores and both ends of a stream to
 * 8. The error that a SYNC_SET or SYNC_ADD may hand on is that of a failed queue, so
 * the error field of a sync object is never written.
 */
#ifndef GS_CSF_H
#define GS_CSF_H

#include "types.h"

#define GS_CSF_REGS	96
#define GS_CSF_DEPTH	8	/* streams open at once: the outermost one and CALLs */

/**
 * GPU memory as the stream's address space maps it.
 *
 * Each returns 0, or a negative errno for an address that is not mapped for this
 * access; then nothing was transferred. @size is at most 64 bytes and the range
 * does not wrap. They may sleep if the caller of gs_csf_run() may.
 */
struct gs_csf_mem {
	/* Fetch instructions: like read. */
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
	/*
	 * What STORE_STATE stores: the GPU's timestamp, in its timestamp frequency, and
	 * its cycle counter. NULL: there is none, and asking is GS_CSF_FAULT_UNSUPPORTED.
	 */
	u64 (*timestamp)(void *ctx);
	u64 (*cycles)(void *ctx);
};

enum gs_csf_status {
	GS_CSF_RUNNING,	/* budget used up: call again */
	GS_CSF_BLOCKED,	/* a SYNC_WAIT is not met: call again after a store (see wait) */
	GS_CSF_DONE,	/* the end of the outermost stream */
	GS_CSF_FAULT,	/* see fault; the stream cannot go on */
};

enum gs_csf_fault_kind {
	GS_CSF_FAULT_NONE,
	GS_CSF_FAULT_FETCH,		/* address: of the instruction: unmapped, or branched to
					 * outside the stream; or of a called stream that
					 * wraps past 2^64
					 */
	GS_CSF_FAULT_READ,		/* address: of the access that failed */
	GS_CSF_FAULT_WRITE,		/* address: of the access that failed */
	GS_CSF_FAULT_ALIGNMENT,		/* address: not naturally aligned; of a called stream:
					 * its start, or the end that its length gives
					 */
	GS_CSF_FAULT_INSTRUCTION,	/* unknown opcode, or a bad field in a known one */
	GS_CSF_FAULT_UNSUPPORTED,	/* needs hardware that a virtual GPU lacks */
	GS_CSF_FAULT_SYNC_ERROR,	/* SYNC_WAIT with reject found an error in the object */
	GS_CSF_FAULT_CALL_STACK,	/* CALL with GS_CSF_DEPTH streams open */
};

struct gs_csf_fault {
	enum gs_csf_fault_kind kind;
	u64 address;		/* the GPU address that could not be accessed, else the pc */
	u64 pc;			/* GPU address of the faulting instruction, BRANCH, CALL or JUMP */
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

/* A stream that is open. GPU addresses. */
struct gs_csf_stream {
	u64 pc;			/* of the next instruction */
	u64 start;		/* of the first instruction */
	u64 end;		/* of the first byte behind the stream */
};

/* What SET_EXCEPTION_HANDLER named: a stream that nothing here ever runs. */
struct gs_csf_handler {
	u64 address;
	u32 length;		/* bytes */
};

/*
 * A queue. The registers, the heap and the handler stay from stream to stream; the
 * rest is set by gs_csf_start().
 */
struct gs_csf {
	u32 regs[GS_CSF_REGS];
	u64 heap;				/* of the last HEAP_SET */
	struct gs_csf_handler tiler_oom;	/* of the last SET_EXCEPTION_HANDLER */
	struct gs_csf_stream stream;		/* the one that runs */
	struct gs_csf_stream callers[GS_CSF_DEPTH - 1];	/* those that wait, outermost first */
	u32 depth;				/* number of callers */
	struct gs_csf_fault fault;
	struct gs_csf_wait wait;	/* set when GS_CSF_BLOCKED is returned */
};

/* All registers 0, no heap, no handler, no stream. */
void gs_csf_init(struct gs_csf *csf);

/**
 * Begin a stream of @size bytes at GPU address @va, the outermost one; what an earlier
 * one left open is forgotten. Registers, heap and handler keep their values.
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
 * again. Returning from a CALL is free, and the end of the outermost stream is
 * reported with any budget, also 0.
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
