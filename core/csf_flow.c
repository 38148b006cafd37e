// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf_internal.h"

#define EXCEPTION_TILER_OOM	2u

/* Whether a BRANCH on @value is taken; -EINVAL for an unknown @condition. */
static int branch_taken(u32 condition, u32 value)
{
	bool negative = value >> 31;

	switch (condition) {
	case 0:
		return negative || !value;
	case 1:
		return !negative && value;
	case 2:
		return !value;
	case 3:
		return value != 0;
	case 4:
		return negative;
	case 5:
		return !negative;
	case 6:
		return 1;
	default:
		return -EINVAL;
	}
}

enum gs_csf_status gs_csf_op_branch(struct run *run)
{
	const struct gs_csf_stream *stream = &run->csf->stream;
	u32 value = field(run->word, 40, 8);
	u64 target = stream->pc + INSTRUCTION + field_offset(run->word) * INSTRUCTION;
	int taken;

	if (!reg_valid(value))
		return bad_instruction(run);
	taken = branch_taken(field(run->word, 28, 3), run->csf->regs[value]);
	if (taken < 0)
		return bad_instruction(run);
	if (!taken)
		return GS_CSF_RUNNING;
	if (target - stream->start > stream->end - stream->start)
		return fault(run, GS_CSF_FAULT_FETCH, target);
	run->next.pc = target;
	return GS_CSF_RUNNING;
}

/* The operands of a CALL or JUMP. Returns GS_CSF_RUNNING with @out set, or the fault. */
static enum gs_csf_status decode_stream(struct run *run, struct gs_csf_stream *out)
{
	u32 address = field_address(run->word);
	u32 length = field_data(run->word);
	u64 va, end;

	if (!pair_valid(address) || !reg_valid(length))
		return bad_instruction(run);
	va = pair_get(run->csf, address);
	end = va + run->csf->regs[length];
	if (va & (INSTRUCTION - 1))
		return fault(run, GS_CSF_FAULT_ALIGNMENT, va);
	if (end & (INSTRUCTION - 1))
		return fault(run, GS_CSF_FAULT_ALIGNMENT, end);
	if (end < va)
		return fault(run, GS_CSF_FAULT_FETCH, va);
	*out = (struct gs_csf_stream){ .pc = va, .start = va, .end = end };
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_call(struct run *run)
{
	struct gs_csf *csf = run->csf;
	struct gs_csf_stream stream;

	if (decode_stream(run, &stream) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	if (csf->depth == GS_CSF_DEPTH - 1)
		return fault(run, GS_CSF_FAULT_CALL_STACK, csf->stream.pc);
	csf->callers[csf->depth++] = run->next;
	run->next = stream;
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_jump(struct run *run)
{
	return decode_stream(run, &run->next);
}

enum gs_csf_status gs_csf_op_set_exception_handler(struct run *run)
{
	u32 address = field_address(run->word);
	u32 length = field_data(run->word);

	if (field(run->word, 0, 8) != EXCEPTION_TILER_OOM)
		return bad_instruction(run);
	if (!pair_valid(address) || !reg_valid(length))
		return bad_instruction(run);
	run->csf->tiler_oom.address = pair_get(run->csf, address);
	run->csf->tiler_oom.length = run->csf->regs[length];
	return GS_CSF_RUNNING;
}
