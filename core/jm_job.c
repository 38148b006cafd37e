// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "jm_internal.h"

#define PIECE	64u	/* bytes of a copy that count as a job */

static enum gs_jm_status fetch_payload(struct run *run, u8 *payload, u32 size)
{
	u64 va = run->jm->job + HEADER;

	return accessed(run, run->mem->fetch(run->ctx, va, payload, size), GS_JM_FAULT_FETCH, va);
}

/* The bytes that a kind of value has; 0 for an unknown one. */
static u32 value_size(u32 kind)
{
	switch (kind) {
	case GS_JM_VALUE_IMM8:
		return 1;
	case GS_JM_VALUE_IMM16:
		return 2;
	case GS_JM_VALUE_IMM32:
		return 4;
	case GS_JM_VALUE_CYCLES:
	case GS_JM_VALUE_TIMESTAMP:
	case GS_JM_VALUE_ZERO:
	case GS_JM_VALUE_IMM64:
		return 8;
	default:
		return 0;
	}
}

/* -EOPNOTSUPP if the GPU has no such counter. */
static int value_get(struct run *run, u32 kind, u64 immediate, u64 *value)
{
	u64 (*counter)(void *ctx);

	switch (kind) {
	case GS_JM_VALUE_CYCLES:
		counter = run->mem->cycles;
		break;
	case GS_JM_VALUE_TIMESTAMP:
		counter = run->mem->timestamp;
		break;
	case GS_JM_VALUE_ZERO:
		*value = 0;
		return 0;
	default:
		*value = immediate;
		return 0;
	}
	if (!counter)
		return -EOPNOTSUPP;
	*value = counter(run->ctx);
	return 0;
}

enum gs_jm_status gs_jm_job_write_value(struct run *run)
{
	enum gs_jm_status status;
	u8 payload[24], data[8];
	u32 kind, size;
	u64 va, value;

	status = fetch_payload(run, payload, sizeof(payload));
	if (status != GS_JM_DONE)
		return status;
	va = le_get(payload, 8);
	kind = (u32)le_get(payload + 8, 4);
	size = value_size(kind);
	if (!size)
		return fault(run, GS_JM_FAULT_JOB, run->jm->job);
	if (va & (size - 1))
		return fault(run, GS_JM_FAULT_ALIGNMENT, va);
	if (value_get(run, kind, le_get(payload + 16, 8), &value))
		return fault(run, GS_JM_FAULT_UNSUPPORTED, run->jm->job);
	le_set(data, value, size);
	return accessed(run, run->mem->write(run->ctx, va, data, size), GS_JM_FAULT_WRITE, va);
}

static enum gs_jm_status copy_piece(struct run *run, u64 dst, u64 src, u32 size)
{
	enum gs_jm_status status;
	u8 data[PIECE];

	if (wraps(src, size))
		return fault(run, GS_JM_FAULT_READ, src);
	if (wraps(dst, size))
		return fault(run, GS_JM_FAULT_WRITE, dst);
	status = accessed(run, run->mem->read(run->ctx, src, data, size), GS_JM_FAULT_READ, src);
	if (status != GS_JM_DONE)
		return status;
	return accessed(run, run->mem->write(run->ctx, dst, data, size), GS_JM_FAULT_WRITE, dst);
}

/* The last piece is paid for by the job's end. */
enum gs_jm_status gs_jm_job_copy_on(struct run *run)
{
	struct gs_jm_copy *copy = &run->jm->copy;
	enum gs_jm_status status;

	while (copy->left) {
		u32 size = copy->left < PIECE ? (u32)copy->left : PIECE;

		status = copy_piece(run, copy->dst, copy->src, size);
		if (status != GS_JM_DONE)
			return status;
		copy->dst += size;
		copy->src += size;
		copy->left -= size;
		if (copy->left && !--*run->budget)
			return GS_JM_RUNNING;
	}
	return GS_JM_DONE;
}

enum gs_jm_status gs_jm_job_copy(struct run *run)
{
	struct gs_jm_copy *copy = &run->jm->copy;
	enum gs_jm_status status;
	u8 payload[24];

	status = fetch_payload(run, payload, sizeof(payload));
	if (status != GS_JM_DONE)
		return status;
	copy->dst = le_get(payload, 8);
	copy->src = le_get(payload + 8, 8);
	copy->left = le_get(payload + 16, 8);
	if (copy->dst & 3)
		return fault(run, GS_JM_FAULT_ALIGNMENT, copy->dst);
	if (copy->src & 3)
		return fault(run, GS_JM_FAULT_ALIGNMENT, copy->src);
	if (copy->left & 3)
		return fault(run, GS_JM_FAULT_ALIGNMENT, copy->left);
	run->jm->phase = GS_JM_COPYING;
	return gs_jm_job_copy_on(run);
}

enum gs_jm_status gs_jm_job_wait(struct run *run)
{
	enum gs_jm_status status;
	u8 payload[12], data[4];
	u64 va;

	status = fetch_payload(run, payload, sizeof(payload));
	if (status != GS_JM_DONE)
		return status;
	va = le_get(payload, 8);
	if (va & 3)
		return fault(run, GS_JM_FAULT_ALIGNMENT, va);
	status = accessed(run, run->mem->poll(run->ctx, va, data, 4), GS_JM_FAULT_READ, va);
	if (status != GS_JM_DONE)
		return status;
	return le_get(data, 4) == le_get(payload + 8, 4) ? GS_JM_BLOCKED : GS_JM_DONE;
}
