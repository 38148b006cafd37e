/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the interpreter share. Not for others. */
#ifndef GS_CSF_INTERNAL_H
#define GS_CSF_INTERNAL_H

#include "csf.h"
#include "mem_internal.h"

#define INSTRUCTION	8u	/* bytes */

/* One call of gs_csf_run(). */
struct run {
	struct gs_csf *csf;
	const struct gs_csf_mem *mem;
	void *ctx;
	u64 word;			/* the instruction */
	struct gs_csf_stream next;	/* goes on here, unless the instruction changes it */
};

/*
 * Each executes the instruction of @run. They return GS_CSF_RUNNING if it is completed
 * and the queue goes on at next, else GS_CSF_BLOCKED or GS_CSF_FAULT.
 */

/* csf_alu.c */
enum gs_csf_status gs_csf_op_move48(struct run *run);
enum gs_csf_status gs_csf_op_move32(struct run *run);
enum gs_csf_status gs_csf_op_add_immediate32(struct run *run);
enum gs_csf_status gs_csf_op_add_immediate64(struct run *run);
enum gs_csf_status gs_csf_op_umin32(struct run *run);

/* csf_flow.c */
enum gs_csf_status gs_csf_op_branch(struct run *run);
enum gs_csf_status gs_csf_op_call(struct run *run);
enum gs_csf_status gs_csf_op_jump(struct run *run);
enum gs_csf_status gs_csf_op_set_exception_handler(struct run *run);

/* csf_memory.c */
enum gs_csf_status gs_csf_op_load_multiple(struct run *run);
enum gs_csf_status gs_csf_op_store_multiple(struct run *run);
enum gs_csf_status gs_csf_op_store_state(struct run *run);
enum gs_csf_status gs_csf_op_flush_cache2(struct run *run);
enum gs_csf_status gs_csf_op_heap_set(struct run *run);

/* csf_sync.c */
enum gs_csf_status gs_csf_op_sync_add32(struct run *run);
enum gs_csf_status gs_csf_op_sync_add64(struct run *run);
enum gs_csf_status gs_csf_op_sync_set32(struct run *run);
enum gs_csf_status gs_csf_op_sync_set64(struct run *run);
enum gs_csf_status gs_csf_op_sync_wait32(struct run *run);
enum gs_csf_status gs_csf_op_sync_wait64(struct run *run);

static inline u32 field(u64 word, u32 low, u32 bits)
{
	return (u32)(word >> low) & ((1u << bits) - 1);
}

static inline u32 field_dst(u64 word)
{
	return field(word, 48, 8);
}

static inline u32 field_address(u64 word)
{
	return field(word, 40, 8);
}

static inline u32 field_data(u64 word)
{
	return field(word, 32, 8);
}

static inline u64 field_offset(u64 word)
{
	return (u64)(s64)(s16)(u16)word;
}

static inline bool reg_valid(u32 reg)
{
	return reg < GS_CSF_REGS;
}

static inline bool pair_valid(u32 reg)
{
	return reg < GS_CSF_REGS && !(reg & 1);
}

static inline u64 pair_get(const struct gs_csf *csf, u32 reg)
{
	return csf->regs[reg] | (u64)csf->regs[reg + 1] << 32;
}

static inline void pair_set(struct gs_csf *csf, u32 reg, u64 value)
{
	csf->regs[reg] = (u32)value;
	csf->regs[reg + 1] = (u32)(value >> 32);
}

static inline enum gs_csf_status fault(struct run *run, enum gs_csf_fault_kind kind, u64 address)
{
	struct gs_csf_fault *fault = &run->csf->fault;

	fault->kind = kind;
	fault->address = address;
	fault->pc = run->csf->stream.pc;
	fault->instruction = run->word;
	return GS_CSF_FAULT;
}

static inline enum gs_csf_status bad_instruction(struct run *run)
{
	return fault(run, GS_CSF_FAULT_INSTRUCTION, run->csf->stream.pc);
}

#endif
