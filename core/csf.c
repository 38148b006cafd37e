// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "csf.h"

#define INSTRUCTION	8u	/* bytes */

/* One call of gs_csf_run(). */
struct run {
	struct gs_csf *csf;
	const struct gs_csf_mem *mem;
	void *ctx;
	u64 word;	/* the instruction */
	u64 next;	/* pc of the next one */
};

struct opcode {
	const char *name;
	enum gs_csf_status (*execute)(struct run *run);
};

static u32 field(u64 word, u32 low, u32 bits)
{
	return (u32)(word >> low) & ((1u << bits) - 1);
}

static u32 field_dst(u64 word)
{
	return field(word, 48, 8);
}

static u32 field_address(u64 word)
{
	return field(word, 40, 8);
}

static u32 field_data(u64 word)
{
	return field(word, 32, 8);
}

static u64 field_offset(u64 word)
{
	return (u64)(s64)(s16)(u16)word;
}

static bool reg_valid(u32 reg)
{
	return reg < GS_CSF_REGS;
}

static bool pair_valid(u32 reg)
{
	return reg < GS_CSF_REGS && !(reg & 1);
}

static u64 pair_get(const struct gs_csf *csf, u32 reg)
{
	return csf->regs[reg] | (u64)csf->regs[reg + 1] << 32;
}

static void pair_set(struct gs_csf *csf, u32 reg, u64 value)
{
	csf->regs[reg] = (u32)value;
	csf->regs[reg + 1] = (u32)(value >> 32);
}

/* Memory is little-endian, whatever runs this. */
static u64 le_get(const u8 *from, u32 size)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < size; i++)
		value |= (u64)from[i] << (8 * i);
	return value;
}

static void le_set(u8 *to, u64 value, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		to[i] = (u8)(value >> (8 * i));
}

static bool wraps(u64 va, u32 size)
{
	return va + (size - 1) < va;
}

static enum gs_csf_status fault(struct run *run, enum gs_csf_fault_kind kind, u64 address)
{
	struct gs_csf_fault *fault = &run->csf->fault;

	fault->kind = kind;
	fault->address = address;
	fault->pc = run->csf->pc;
	fault->instruction = run->word;
	return GS_CSF_FAULT;
}

static enum gs_csf_status bad_instruction(struct run *run)
{
	return fault(run, GS_CSF_FAULT_INSTRUCTION, run->csf->pc);
}

/* What in-order execution without caches of its own has done already. */
static enum gs_csf_status execute_nothing(struct run *run)
{
	(void)run;
	return GS_CSF_RUNNING;
}

static enum gs_csf_status execute_flush_cache2(struct run *run)
{
	if (!reg_valid(field(run->word, 40, 8)))
		return bad_instruction(run);
	return GS_CSF_RUNNING;
}

static enum gs_csf_status execute_move48(struct run *run)
{
	u32 dst = field_dst(run->word);

	if (!pair_valid(dst))
		return bad_instruction(run);
	pair_set(run->csf, dst, run->word & ((1ULL << 48) - 1));
	return GS_CSF_RUNNING;
}

static enum gs_csf_status execute_move32(struct run *run)
{
	u32 dst = field_dst(run->word);

	if (!reg_valid(dst))
		return bad_instruction(run);
	run->csf->regs[dst] = (u32)run->word;
	return GS_CSF_RUNNING;
}

static enum gs_csf_status execute_add_immediate32(struct run *run)
{
	u32 dst = field_dst(run->word);
	u32 src = field(run->word, 40, 8);

	if (!reg_valid(dst) || !reg_valid(src))
		return bad_instruction(run);
	run->csf->regs[dst] = run->csf->regs[src] + (u32)run->word;
	return GS_CSF_RUNNING;
}

static enum gs_csf_status execute_add_immediate64(struct run *run)
{
	u64 addend = (u64)(s64)(s32)(u32)run->word;
	u32 dst = field_dst(run->word);
	u32 src = field(run->word, 40, 8);

	if (!pair_valid(dst) || !pair_valid(src))
		return bad_instruction(run);
	pair_set(run->csf, dst, pair_get(run->csf, src) + addend);
	return GS_CSF_RUNNING;
}

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

static enum gs_csf_status execute_load_multiple(struct run *run)
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

static enum gs_csf_status execute_store_multiple(struct run *run)
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

static enum gs_csf_status execute_branch(struct run *run)
{
	struct gs_csf *csf = run->csf;
	u32 value = field(run->word, 40, 8);
	u64 target = run->next + field_offset(run->word) * INSTRUCTION;
	int taken;

	if (!reg_valid(value))
		return bad_instruction(run);
	taken = branch_taken(field(run->word, 28, 3), csf->regs[value]);
	if (taken < 0)
		return bad_instruction(run);
	if (!taken)
		return GS_CSF_RUNNING;
	if (target - csf->start > csf->end - csf->start)
		return fault(run, GS_CSF_FAULT_FETCH, target);
	run->next = target;
	return GS_CSF_RUNNING;
}

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

static enum gs_csf_status execute_sync_add32(struct run *run)
{
	return update(run, 4, run->mem->sync_add);
}

static enum gs_csf_status execute_sync_add64(struct run *run)
{
	return update(run, 8, run->mem->sync_add);
}

static enum gs_csf_status execute_sync_set32(struct run *run)
{
	return update(run, 4, run->mem->sync_set);
}

static enum gs_csf_status execute_sync_set64(struct run *run)
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

static enum gs_csf_status execute_sync_wait32(struct run *run)
{
	return wait(run, 4);
}

static enum gs_csf_status execute_sync_wait64(struct run *run)
{
	return wait(run, 8);
}

/* Opcodes of Mali v10. Those without a function are GS_CSF_FAULT_UNSUPPORTED. */
static const struct opcode opcodes[] = {
	[0] = { "NOP", execute_nothing },
	[1] = { "MOVE48", execute_move48 },
	[2] = { "MOVE32", execute_move32 },
	[3] = { "WAIT", execute_nothing },
	[4] = { "RUN_COMPUTE", NULL },
	[5] = { "RUN_TILING", NULL },
	[6] = { "RUN_IDVS", NULL },
	[7] = { "RUN_FRAGMENT", NULL },
	[8] = { "RUN_FULLSCREEN", NULL },
	[9] = { "FINISH_TILING", NULL },
	[11] = { "FINISH_FRAGMENT", NULL },
	[16] = { "ADD_IMMEDIATE32", execute_add_immediate32 },
	[17] = { "ADD_IMMEDIATE64", execute_add_immediate64 },
	[18] = { "UMIN32", NULL },
	[20] = { "LOAD_MULTIPLE", execute_load_multiple },
	[21] = { "STORE_MULTIPLE", execute_store_multiple },
	[22] = { "BRANCH", execute_branch },
	[23] = { "SET_SB_ENTRY", NULL },
	[24] = { "PROGRESS_WAIT", NULL },
	[25] = { "SET_EXCEPTION_HANDLER", NULL },
	[32] = { "CALL", NULL },
	[33] = { "JUMP", NULL },
	[34] = { "REQ_RESOURCE", NULL },
	[36] = { "FLUSH_CACHE2", execute_flush_cache2 },
	[37] = { "SYNC_ADD32", execute_sync_add32 },
	[38] = { "SYNC_SET32", execute_sync_set32 },
	[39] = { "SYNC_WAIT32", execute_sync_wait32 },
	[40] = { "STORE_STATE", NULL },
	[41] = { "PROT_REGION", NULL },
	[42] = { "PROGRESS_STORE", NULL },
	[43] = { "PROGRESS_LOAD", NULL },
	[44] = { "RUN_COMPUTE_INDIRECT", NULL },
	[47] = { "ERROR_BARRIER", NULL },
	[48] = { "HEAP_SET", NULL },
	[49] = { "HEAP_OPERATION", NULL },
	[50] = { "TRACE_POINT", NULL },
	[51] = { "SYNC_ADD64", execute_sync_add64 },
	[52] = { "SYNC_SET64", execute_sync_set64 },
	[53] = { "SYNC_WAIT64", execute_sync_wait64 },
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
	struct gs_csf *csf = run->csf;
	const struct opcode *opcode;
	enum gs_csf_status status;
	u8 data[INSTRUCTION];

	run->word = 0;
	if (run->mem->fetch(run->ctx, csf->pc, data, INSTRUCTION))
		return fault(run, GS_CSF_FAULT_FETCH, csf->pc);
	run->word = le_get(data, INSTRUCTION);
	run->next = csf->pc + INSTRUCTION;
	opcode = opcode_of(run->word);
	if (!opcode)
		return bad_instruction(run);
	if (!opcode->execute)
		return fault(run, GS_CSF_FAULT_UNSUPPORTED, csf->pc);
	status = opcode->execute(run);
	if (status == GS_CSF_RUNNING)
		csf->pc = run->next;
	return status;
}

void gs_csf_init(struct gs_csf *csf)
{
	*csf = (struct gs_csf){ 0 };
}

int gs_csf_start(struct gs_csf *csf, u64 va, u64 size)
{
	if (((va | size) & (INSTRUCTION - 1)) || va + size < va)
		return -EINVAL;
	csf->pc = va;
	csf->start = va;
	csf->end = va + size;
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
	while (csf->pc != csf->end) {
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
	}
	return "unknown fault";
}

const char *gs_csf_opcode_name(u64 instruction)
{
	const struct opcode *opcode = opcode_of(instruction);

	return opcode ? opcode->name : "unknown";
}
