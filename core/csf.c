// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf_internal.h"

struct opcode {
	const char *name;
	enum gs_csf_status (*execute)(struct run *run);
};

/* What in-order execution without caches, statistics and traces has done already. */
static enum gs_csf_status nothing(struct run *run)
{
	(void)run;
	return GS_CSF_RUNNING;
}

/* Opcodes of Mali v10. Those without a function are GS_CSF_FAULT_UNSUPPORTED. */
static const struct opcode opcodes[] = {
	[0] = { "NOP", nothing },
	[1] = { "MOVE48", gs_csf_op_move48 },
	[2] = { "MOVE32", gs_csf_op_move32 },
	[3] = { "WAIT", nothing },
	[4] = { "RUN_COMPUTE", NULL },
	[5] = { "RUN_TILING", NULL },
	[6] = { "RUN_IDVS", NULL },
	[7] = { "RUN_FRAGMENT", NULL },
	[8] = { "RUN_FULLSCREEN", NULL },
	[9] = { "FINISH_TILING", NULL },
	[11] = { "FINISH_FRAGMENT", NULL },
	[16] = { "ADD_IMMEDIATE32", gs_csf_op_add_immediate32 },
	[17] = { "ADD_IMMEDIATE64", gs_csf_op_add_immediate64 },
	[18] = { "UMIN32", gs_csf_op_umin32 },
	[20] = { "LOAD_MULTIPLE", gs_csf_op_load_multiple },
	[21] = { "STORE_MULTIPLE", gs_csf_op_store_multiple },
	[22] = { "BRANCH", gs_csf_op_branch },
	[23] = { "SET_SB_ENTRY", nothing },
	[24] = { "PROGRESS_WAIT", nothing },
	[25] = { "SET_EXCEPTION_HANDLER", gs_csf_op_set_exception_handler },
	[32] = { "CALL", gs_csf_op_call },
	[33] = { "JUMP", gs_csf_op_jump },
	[34] = { "REQ_RESOURCE", nothing },
	[36] = { "FLUSH_CACHE2", gs_csf_op_flush_cache2 },
	[37] = { "SYNC_ADD32", gs_csf_op_sync_add32 },
	[38] = { "SYNC_SET32", gs_csf_op_sync_set32 },
	[39] = { "SYNC_WAIT32", gs_csf_op_sync_wait32 },
	[40] = { "STORE_STATE", gs_csf_op_store_state },
	[41] = { "PROT_REGION", NULL },
	[42] = { "PROGRESS_STORE", NULL },
	[43] = { "PROGRESS_LOAD", NULL },
	[44] = { "RUN_COMPUTE_INDIRECT", NULL },
	[47] = { "ERROR_BARRIER", nothing },
	[48] = { "HEAP_SET", gs_csf_op_heap_set },
	[49] = { "HEAP_OPERATION", nothing },
	[50] = { "TRACE_POINT", nothing },
	[51] = { "SYNC_ADD64", gs_csf_op_sync_add64 },
	[52] = { "SYNC_SET64", gs_csf_op_sync_set64 },
	[53] = { "SYNC_WAIT64", gs_csf_op_sync_wait64 },
};

/* The entry of an instruction; NULL if there is no such opcode. */
static const struct opcode *opcode_of(u64 word)
{
	u32 code = (u32)(word >> 56);

	if (code >= sizeof(opcodes) / sizeof(opcodes[0]) || !opcodes[code].name)
		return NULL;
	return &opcodes[code];
}

static enum gs_csf_status step(struct run *run)
{
	struct gs_csf_stream *stream = &run->csf->stream;
	const struct opcode *opcode;
	enum gs_csf_status status;
	u8 data[INSTRUCTION];

	run->word = 0;
	if (run->mem->fetch(run->ctx, stream->pc, data, INSTRUCTION))
		return fault(run, GS_CSF_FAULT_FETCH, stream->pc);
	run->word = le_get(data, INSTRUCTION);
	opcode = opcode_of(run->word);
	if (!opcode)
		return bad_instruction(run);
	if (!opcode->execute)
		return fault(run, GS_CSF_FAULT_UNSUPPORTED, stream->pc);
	run->next = *stream;
	run->next.pc += INSTRUCTION;
	status = opcode->execute(run);
	if (status == GS_CSF_RUNNING)
		*stream = run->next;
	return status;
}

/* Return from the streams that have ended; whether that was the outermost one. */
static bool ended(struct gs_csf *csf)
{
	while (csf->stream.pc == csf->stream.end) {
		if (!csf->depth)
			return true;
		csf->stream = csf->callers[--csf->depth];
	}
	return false;
}

void gs_csf_init(struct gs_csf *csf)
{
	*csf = (struct gs_csf){ 0 };
}

int gs_csf_start(struct gs_csf *csf, u64 va, u64 size)
{
	if (((va | size) & (INSTRUCTION - 1)) || va + size < va)
		return -EINVAL;
	csf->stream = (struct gs_csf_stream){ .pc = va, .start = va, .end = va + size };
	csf->depth = 0;
	csf->fault = (struct gs_csf_fault){ .kind = GS_CSF_FAULT_NONE };
	csf->wait = (struct gs_csf_wait){ 0 };
	return 0;
}

enum gs_csf_status gs_csf_run(struct gs_csf *csf, const struct gs_csf_mem *mem, void *ctx,
			      u32 *budget)
{
	struct run run = { .csf = csf, .mem = mem, .ctx = ctx };
	enum gs_csf_status status;

	if (csf->fault.kind != GS_CSF_FAULT_NONE)
		return GS_CSF_FAULT;
	while (!ended(csf)) {
		if (!*budget)
			return GS_CSF_RUNNING;
		status = step(&run);
		if (status != GS_CSF_RUNNING)
			return status;
		(*budget)--;
	}
	return GS_CSF_DONE;
}

const char *gs_csf_fault_name(enum gs_csf_fault_kind kind)
{
	switch (kind) {
	case GS_CSF_FAULT_NONE:
		return "no fault";
	case GS_CSF_FAULT_FETCH:
		return "unmapped instruction";
	case GS_CSF_FAULT_READ:
		return "unmapped read";
	case GS_CSF_FAULT_WRITE:
		return "unmapped write";
	case GS_CSF_FAULT_ALIGNMENT:
		return "unaligned address";
	case GS_CSF_FAULT_INSTRUCTION:
		return "bad instruction";
	case GS_CSF_FAULT_UNSUPPORTED:
		return "unsupported instruction";
	case GS_CSF_FAULT_SYNC_ERROR:
		return "error in sync object";
	case GS_CSF_FAULT_CALL_STACK:
		return "call stack overflow";
	}
	return "unknown fault";
}

const char *gs_csf_opcode_name(u64 instruction)
{
	const struct opcode *opcode = opcode_of(instruction);

	return opcode ? opcode->name : "unknown";
}
