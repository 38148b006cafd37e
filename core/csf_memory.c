// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf_internal.h"

/* Registers of a LOAD_MULTIPLE or STORE_MULTIPLE, and where their data is. */
struct transfer {
	u64 va;		/* of register base */
	u32 base;
	u32 mask;	/* bit i: register base + i */
};

/* Returns GS_CSF_RUNNING with @out set, or the fault. */
static enum gs_csf_status decode_transfer(struct run *run, struct transfer *out)
{
	u32 address = field_address(run->word);
	u32 base = field_dst(run->word);
	u32 mask = field(run->word, 16, 16);
	u64 va;

	if (!pair_valid(address) || !reg_valid(base))
		return bad_instruction(run);
	if (GS_CSF_REGS - base < 16 && mask >> (GS_CSF_REGS - base))
		return bad_instruction(run);
	va = pair_get(run->csf, address) + field_offset(run->word);
	if (va & 3)
		return fault(run, GS_CSF_FAULT_ALIGNMENT, va);
	*out = (struct transfer){ va, base, mask };
	return GS_CSF_RUNNING;
}

/* The first run of set bits in @mask from bit *@i on: its length, 0 if there is none. */
static u32 next_run(u32 mask, u32 *i)
{
	u32 end;

	while (*i < 16 && !(mask >> *i & 1))
		(*i)++;
	for (end = *i; end < 16 && (mask >> end & 1); end++)
		;
	return end - *i;
}

enum gs_csf_status gs_csf_op_load_multiple(struct run *run)
{
	struct transfer transfer;
	u8 data[16 * 4];
	u32 i, count;

	if (decode_transfer(run, &transfer) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	for (i = 0; (count = next_run(transfer.mask, &i)) != 0; i += count) {
		u64 va = transfer.va + 4 * i;

		if (wraps(va, 4 * count) || run->mem->read(run->ctx, va, data + 4 * i, 4 * count))
			return fault(run, GS_CSF_FAULT_READ, va);
	}
	for (i = 0; i < 16; i++) {
		if (transfer.mask >> i & 1)
			run->csf->regs[transfer.base + i] = (u32)le_get(data + 4 * i, 4);
	}
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_store_multiple(struct run *run)
{
	struct transfer transfer;
	u8 data[16 * 4];
	u32 i, j, count;

	if (decode_transfer(run, &transfer) == GS_CSF_FAULT)
		return GS_CSF_FAULT;
	for (i = 0; (count = next_run(transfer.mask, &i)) != 0; i += count) {
		u64 va = transfer.va + 4 * i;

		for (j = 0; j < count; j++)
			le_set(data + 4 * j, run->csf->regs[transfer.base + i + j], 4);
		if (wraps(va, 4 * count) || run->mem->write(run->ctx, va, data, 4 * count))
			return fault(run, GS_CSF_FAULT_WRITE, va);
	}
	return GS_CSF_RUNNING;
}

/* The value that STORE_STATE stores; -EOPNOTSUPP if the GPU has no such counter. */
static int state_get(struct run *run, u64 *value)
{
	u64 (*counter)(void *ctx);

	switch (field(run->word, 32, 2)) {
	case 0:
		counter = run->mem->timestamp;
		break;
	case 1:
		counter = run->mem->cycles;
		break;
	default: /* the disjoint count, and the error of a queue that has none */
		*value = 0;
		return 0;
	}
	if (!counter)
		return -EOPNOTSUPP;
	*value = counter(run->ctx);
	return 0;
}

enum gs_csf_status gs_csf_op_store_state(struct run *run)
{
	u32 address = field_address(run->word);
	u8 data[8];
	u64 va, value;

	if (!pair_valid(address))
		return bad_instruction(run);
	va = pair_get(run->csf, address) + field_offset(run->word);
	if (va & 7)
		return fault(run, GS_CSF_FAULT_ALIGNMENT, va);
	if (state_get(run, &value))
		return fault(run, GS_CSF_FAULT_UNSUPPORTED, run->csf->stream.pc);
	le_set(data, value, 8);
	if (run->mem->write(run->ctx, va, data, 8))
		return fault(run, GS_CSF_FAULT_WRITE, va);
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_flush_cache2(struct run *run)
{
	if (!reg_valid(field(run->word, 40, 8)))
		return bad_instruction(run);
	return GS_CSF_RUNNING;
}

enum gs_csf_status gs_csf_op_heap_set(struct run *run)
{
	u32 address = field_address(run->word);

	if (!pair_valid(address))
		return bad_instruction(run);
	run->csf->heap = pair_get(run->csf, address);
	return GS_CSF_RUNNING;
}
