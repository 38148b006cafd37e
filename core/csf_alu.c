// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf_internal.h"

enum gs_csf_status gs_csf_op_move48(struct run *run)
{
	u32 dst = field_dst(run->word);

	if (!pair_valid(dst))
		return bad_instruction(run);
	pair_set(run->csf, dst, run->word & ((1ULL << 48) - 1));
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_move32(struct run *run)
{
	u32 dst = field_dst(run->word);

	if (!reg_valid(dst))
		return bad_instruction(run);
	run->csf->regs[dst] = (u32)run->word;
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_add_immediate32(struct run *run)
{
	u32 dst = field_dst(run->word);
	u32 src = field(run->word, 40, 8);

	if (!reg_valid(dst) || !reg_valid(src))
		return bad_instruction(run);
	run->csf->regs[dst] = run->csf->regs[src] + (u32)run->word;
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_add_immediate64(struct run *run)
{
	u64 addend = (u64)(s64)(s32)(u32)run->word;
	u32 dst = field_dst(run->word);
	u32 src = field(run->word, 40, 8);

	if (!pair_valid(dst) || !pair_valid(src))
		return bad_instruction(run);
	pair_set(run->csf, dst, pair_get(run->csf, src) + addend);
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_umin32(struct run *run)
{
	u32 dst = field_dst(run->word);
	u32 src0 = field(run->word, 40, 8);
	u32 src1 = field(run->word, 32, 8);
	u32 *regs = run->csf->regs;

	if (!reg_valid(dst) || !reg_valid(src0) || !reg_valid(src1))
		return bad_instruction(run);
	regs[dst] = regs[src0] < regs[src1] ? regs[src0] : regs[src1];
	return GS_CSF_RUNNING;
}
