// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf_internal.h"

/* Operands of a SYNC_*: where the value of the object is, and what to do with it. */
struct sync {
	u64 va;
	u64 data;
	u32 size;
};

/* Returns GS_CSF_RUNNING with @out set, or the fault. */
static enum gs_csf_status decode_sync(struct run *run, u32 size, struct sync *out)
{
	u32 address = field_address(run->word);
	u32 data = field_data(run->word);
	u64 va;

	if (!pair_valid(address) || !(size == 8 ? pair_valid(data) : reg_valid(data)))
		return bad_instruction(run);
	va = pair_get(run->csf, address);
	if (va & (size - 1))
		return fault(run, GS_CSF_FAULT_ALIGNMENT, va);
	*out = (struct sync){ va, run->csf->regs[data], size };
	if (size == 8)
		out->data = pair_get(run->csf, data);
	return GS_CSF_RUNNING;
}

static enum gs_csf_status update(struct run *run, u32 size,
				 int (*change)(void *ctx, u64 va, u64 value, u32 size))
{
	struct sync sync;

	if (decode_sync(run, size, &sync) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	if (change(run->ctx, sync.va, sync.data, size))
		return fault(run, GS_CSF_FAULT_WRITE, sync.va);
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_sync_add32(struct run *run)
{
	return update(run, 4, run->mem->sync_add);
}

enum gs_csf_status gs_csf_op_sync_add64(struct run *run)
{
	return update(run, 8, run->mem->sync_add);
}

enum gs_csf_status gs_csf_op_sync_set32(struct run *run)
{
	return update(run, 4, run->mem->sync_set);
}

enum gs_csf_status gs_csf_op_sync_set64(struct run *run)
{
	return update(run, 8, run->mem->sync_set);
}

/* Returns GS_CSF_RUNNING with @value set, or the fault. */
static enum gs_csf_status poll(struct run *run, u64 va, u32 size, u64 *value)
{
	u8 data[8];

	if (run->mem->sync_read(run->ctx, va, data, size))
		return fault(run, GS_CSF_FAULT_READ, va);
	*value = le_get(data, size);
	return GS_CSF_RUNNING;
}

/* The error follows the value in the object, and counts whether or not the value is met. */
static enum gs_csf_status poll_error(struct run *run, const struct sync *sync)
{
	enum gs_csf_status status;
	u64 error;

	if (!(run->word & 1))
		return GS_CSF_RUNNING;
	if (wraps(sync->va, sync->size + 4))
		return fault(run, GS_CSF_FAULT_READ, sync->va);
	status = poll(run, sync->va + sync->size, 4, &error);
	if (status == GS_CSF_RUNNING && error)
		return fault(run, GS_CSF_FAULT_SYNC_ERROR, sync->va);
	return status;
}

static enum gs_csf_status block(struct run *run, const struct sync *sync)
{
	run->csf->wait = (struct gs_csf_wait){
		.address = sync->va,
		.reference = sync->data,
		.size = sync->size,
		.condition = field(run->word, 28, 4),
		.reject = run->word & 1,
	};
	return GS_CSF_BLOCKED;
}

static enum gs_csf_status wait(struct run *run, u32 size)
{
	u32 condition = field(run->word, 28, 4);
	struct sync sync;
	u64 value;

	if (condition != GS_CSF_LESS_OR_EQUAL && condition != GS_CSF_GREATER)
		return bad_instruction(run);
	if (decode_sync(run, size, &sync) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	if (poll(run, sync.va, size, &value) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	if (poll_error(run, &sync) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	if ((value > sync.data) != (condition == GS_CSF_GREATER))
		return block(run, &sync);
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_sync_wait32(struct run *run)
{
	return wait(run, 4);
}

enum gs_csf_status gs_csf_op_sync_wait64(struct run *run)
{
	return wait(run, 8);
}
