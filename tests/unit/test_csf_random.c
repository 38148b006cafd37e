// SPDX-License-Identifier: MIT
/*
 * csf.h: random streams against a second interpreter, which works byte by byte
 * on its own memory and never stops in between; and random garbage.
 */
#include "csf_gpu.h"

#define WORDS	(REGION / 8)
#define STREAMS	20000
#define STEPS	150	/* instructions of a stream at most */

/* The second interpreter: what the manual says, in the order in which it says it. */
struct model {
	struct gpu gpu;
	u64 regs[GS_CSF_REGS];
	u64 start, pc, end;
	u64 stack[24];	/* start, pc and end of the callers */
	u32 depth;	/* of the stack, 3 for each caller */
	u64 heap, handler, handler_length;
	struct gs_csf_fault fault;
	enum gs_csf_status status;
	u64 word;
};

static u8 *byte_at(struct model *m, u64 va, enum gpu_access access)
{
	return gpu_resolve(&m->gpu, va, 1, access);
}

static bool accessible(struct model *m, u64 va, u32 size, enum gpu_access access)
{
	for (u32 i = 0; i < size; i++) {
		if (va + i < va || !byte_at(m, va + i, access))
			return false;
	}
	return true;
}

static u64 peek(struct model *m, u64 va, u32 size)
{
	u64 value = 0;

	for (u32 i = size; i-- > 0;)
		value = value * 256 + *byte_at(m, va + i, GPU_READ);
	return value;
}

static void poke(struct model *m, u64 va, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++, value /= 256)
		*byte_at(m, va + i, GPU_WRITE) = value % 256;
}

static void stop(struct model *m, enum gs_csf_fault_kind kind, u64 address)
{
	m->status = GS_CSF_FAULT;
	m->fault = (struct gs_csf_fault){ kind, address, m->pc, m->word };
}

static void bad(struct model *m)
{
	stop(m, GS_CSF_FAULT_INSTRUCTION, m->pc);
}

static bool is_pair(u32 reg)
{
	return reg % 2 == 0 && reg <= 94;
}

static u64 get64(const struct model *m, u32 reg)
{
	return m->regs[reg + 1] * 0x100000000 + m->regs[reg];
}

static void set64(struct model *m, u32 reg, u64 value)
{
	m->regs[reg] = value % 0x100000000;
	m->regs[reg + 1] = value / 0x100000000;
}

static u64 sign_extend(u64 value, u32 bits)
{
	u64 sign = 1ull << (bits - 1);

	return ((value & (2 * sign - 1)) ^ sign) - sign;
}

static void model_multiple(struct model *m, bool is_store, u32 base, u32 address)
{
	enum gpu_access access = is_store ? GPU_WRITE : GPU_READ;
	u64 regs[GS_CSF_REGS];
	u32 run = 0;
	u64 va;

	if (!is_pair(address) || base > 95)
		return bad(m);
	for (u32 i = 0; i < 16; i++) {
		if ((m->word & (0x10000ull << i)) && base + i > 95)
			return bad(m);
	}
	va = get64(m, address) + sign_extend(m->word, 16);
	if (va % 4)
		return stop(m, GS_CSF_FAULT_ALIGNMENT, va);
	memcpy(regs, m->regs, sizeof(regs));
	for (u32 i = 0; i < 16; i = run + 1) {
		for (run = i; run < 16 && (m->word & (0x10000ull << run)); run++)
			;
		if (run == i)
			continue;
		if (!accessible(m, va + 4 * i, 4 * (run - i), access))
			return stop(m, is_store ? GS_CSF_FAULT_WRITE : GS_CSF_FAULT_READ,
				    va + 4 * i);
		for (u32 j = i; j < run; j++) {
			if (is_store)
				poke(m, va + 4 * j, m->regs[base + j], 4);
			else
				regs[base + j] = peek(m, va + 4 * j, 4);
		}
	}
	memcpy(m->regs, regs, sizeof(regs));
}

static void model_branch(struct model *m, u32 reg, u64 *next)
{
	u32 condition = m->word / 0x10000000 % 8;
	u64 target = *next + 8 * sign_extend(m->word, 16);
	s64 value;

	if (reg > 95 || condition == 7)
		return bad(m);
	value = (s64)sign_extend(m->regs[reg], 32);
	if (!((condition == 0 && value <= 0) || (condition == 1 && value > 0) ||
	      (condition == 2 && value == 0) || (condition == 3 && value != 0) ||
	      (condition == 4 && value < 0) || (condition == 5 && value >= 0) || condition == 6))
		return;
	if (target < m->start || target > m->end)
		return stop(m, GS_CSF_FAULT_FETCH, target);
	*next = target;
}

/* CALL or JUMP. */
static void model_stream(struct model *m, u32 address, u32 length, u64 *next)
{
	u64 va, room;

	if (!is_pair(address) || length > 95)
		return bad(m);
	va = get64(m, address);
	room = U64_MAX - va;
	if (va % 8)
		return stop(m, GS_CSF_FAULT_ALIGNMENT, va);
	if (m->regs[length] % 8)
		return stop(m, GS_CSF_FAULT_ALIGNMENT, va + m->regs[length]);
	if (m->regs[length] > room)
		return stop(m, GS_CSF_FAULT_FETCH, va);
	if (m->word >> 56 == 32) {
		if (m->depth == 3 * 7)
			return stop(m, GS_CSF_FAULT_CALL_STACK, m->pc);
		m->stack[m->depth++] = m->start;
		m->stack[m->depth++] = *next;
		m->stack[m->depth++] = m->end;
	}
	m->start = va;
	m->end = va + m->regs[length];
	*next = va;
}

/* SET_EXCEPTION_HANDLER and HEAP_SET. */
static void model_keep(struct model *m, u32 address, u32 length)
{
	if (!is_pair(address))
		return bad(m);
	if (m->word >> 56 == 48) {
		m->heap = get64(m, address);
		return;
	}
	if (m->word % 256 != 2 || length > 95)
		return bad(m);
	m->handler = get64(m, address);
	m->handler_length = m->regs[length];
}

static void model_store_state(struct model *m, u32 address)
{
	static const u64 values[] = { TIMESTAMP, CYCLES, 0, 0 };
	u64 va;

	if (!is_pair(address))
		return bad(m);
	va = get64(m, address) + sign_extend(m->word, 16);
	if (va % 8)
		return stop(m, GS_CSF_FAULT_ALIGNMENT, va);
	if (!accessible(m, va, 8, GPU_WRITE))
		return stop(m, GS_CSF_FAULT_WRITE, va);
	poke(m, va, values[m->word >> 32 & 3], 8);
}

static void model_wait(struct model *m, u64 va, u64 reference, u32 size)
{
	u64 value;

	if (!accessible(m, va, size, GPU_READ))
		return stop(m, GS_CSF_FAULT_READ, va);
	value = peek(m, va, size);
	if (m->word % 2) {
		if (va + size + 3 < va)
			return stop(m, GS_CSF_FAULT_READ, va);
		if (!accessible(m, va + size, 4, GPU_READ))
			return stop(m, GS_CSF_FAULT_READ, va + size);
		if (peek(m, va + size, 4))
			return stop(m, GS_CSF_FAULT_SYNC_ERROR, va);
	}
	if ((m->word >> 28 & 1) ? value <= reference : value > reference)
		m->status = GS_CSF_BLOCKED;
}

static void model_sync(struct model *m, u32 opcode, u32 address, u32 data)
{
	u32 size = opcode > 50 ? 8 : 4;
	u64 va, value;

	if ((opcode == 39 || opcode == 53) && (m->word >> 28 & 15) > 1)
		return bad(m);
	if (!is_pair(address) || (size == 8 ? !is_pair(data) : data > 95))
		return bad(m);
	va = get64(m, address);
	value = size == 8 ? get64(m, data) : m->regs[data];
	if (va % size)
		return stop(m, GS_CSF_FAULT_ALIGNMENT, va);
	if (opcode == 39 || opcode == 53)
		return model_wait(m, va, value, size);
	if (!accessible(m, va, size, GPU_WRITE))
		return stop(m, GS_CSF_FAULT_WRITE, va);
	if (opcode == 37 || opcode == 51)
		value += peek(m, va, size);
	poke(m, va, value, size);
}

static bool is_unsupported(u32 opcode)
{
	static const char list[] = { 4, 5, 6, 7, 8, 9, 11, 41, 42, 43, 44 };

	return memchr(list, (int)opcode, sizeof(list)) != NULL;
}

static void model_execute(struct model *m, u64 *next)
{
	u32 opcode = m->word >> 56, c = m->word >> 48 & 255, b = m->word >> 40 & 255;
	u32 a = m->word >> 32 & 255;

	switch (opcode) {
	case 0:
	case 3:
	case 23:
	case 24:
	case 34:
	case 47:
	case 49:
	case 50:
		return;
	case 36:
		return b > 95 ? bad(m) : (void)0;
	case 1:
		return is_pair(c) ? set64(m, c, m->word % (1ull << 48)) : bad(m);
	case 2:
		return c < 96 ? (void)(m->regs[c] = (u32)m->word) : bad(m);
	case 16:
		return c < 96 && b < 96 ? (void)(m->regs[c] = (u32)(m->regs[b] + m->word)) : bad(m);
	case 17:
		return is_pair(c) && is_pair(b) ?
			       set64(m, c, get64(m, b) + sign_extend(m->word, 32)) :
			       bad(m);
	case 18:
		return a < 96 && b < 96 && c < 96 ?
			       (void)(m->regs[c] = m->regs[a] < m->regs[b] ? m->regs[a] :
									     m->regs[b]) :
			       bad(m);
	case 25:
	case 48:
		return model_keep(m, b, a);
	case 32:
	case 33:
		return model_stream(m, b, a, next);
	case 40:
		return model_store_state(m, b);
	case 20:
	case 21:
		return model_multiple(m, opcode == 21, c, b);
	case 22:
		return model_branch(m, b, next);
	case 37:
	case 38:
	case 39:
	case 51:
	case 52:
	case 53:
		return model_sync(m, opcode, b, a);
	default:
		return is_unsupported(opcode) ? stop(m, GS_CSF_FAULT_UNSUPPORTED, m->pc) : bad(m);
	}
}

/* Returns whether an instruction was completed. */
static bool model_step(struct model *m)
{
	u64 next = m->pc + 8;

	m->status = GS_CSF_RUNNING;
	m->word = 0;
	if (!accessible(m, m->pc, 8, GPU_FETCH)) {
		stop(m, GS_CSF_FAULT_FETCH, m->pc);
		return false;
	}
	m->word = peek(m, m->pc, 8);
	model_execute(m, &next);
	if (m->status == GS_CSF_RUNNING)
		m->pc = next;
	return m->status == GS_CSF_RUNNING;
}

static u32 calls, returns, overflows; /* seen in the model */

static void model_return(struct model *m)
{
	while (m->pc == m->end && m->depth) {
		m->end = m->stack[--m->depth];
		m->pc = m->stack[--m->depth];
		m->start = m->stack[--m->depth];
		returns++;
	}
}

/* Run up to @steps instructions; returns how many were completed. */
static u32 model_run(struct model *m, u32 steps)
{
	u32 done = 0;

	model_return(m);
	while (m->pc != m->end && done < steps) {
		if (!model_step(m)) {
			overflows += m->fault.kind == GS_CSF_FAULT_CALL_STACK;
			return done;
		}
		calls += m->word >> 56 == 32;
		model_return(m);
		done++;
	}
	m->status = m->pc == m->end ? GS_CSF_DONE : GS_CSF_RUNNING;
	return done;
}

static u64 random_address(struct rng *rng)
{
	static const u64 regions[] = { DATA, CODE, ROM, TOP, NOWHERE };
	u64 va = regions[rng_below(rng, 8) ? 0 : rng_below(rng, 5)];

	va += 8 * rng_below(rng, REGION / 8);
	return rng_below(rng, 20) ? va : va + rng_below(rng, 9) - 4;
}

static bool rarely(struct rng *rng)
{
	return !rng_below(rng, 100);
}

/* r0, r2, r4 and r6 hold addresses. */
static u64 address_reg(struct rng *rng)
{
	return rarely(rng) ? rng_below(rng, 100) : 2 * rng_below(rng, 4);
}

/* r8 to r15 hold small numbers; @align is 2 for a pair. */
static u64 data_reg(struct rng *rng, u32 align)
{
	return rarely(rng) ? rng_below(rng, 100) : 8 + align * rng_below(rng, 8 / align);
}

static u64 random_multiple(struct rng *rng)
{
	u64 mask = rarely(rng) ? 0xffff : 0xff;
	u64 base = rarely(rng) ? rng_below(rng, 97) : 8 + rng_below(rng, 56);
	s16 offset = (s16)(4 * rng_below(rng, 32) - 64);

	if (rarely(rng))
		offset = (s16)(offset + 2);
	mask &= rng_next(rng);
	return rng_below(rng, 2) ? load(base, mask, address_reg(rng), offset) :
				   store(base, mask, address_reg(rng), offset);
}

static u64 random_branch(struct rng *rng)
{
	s16 offset = (s16)(rng_below(rng, 12) - (rng_below(rng, 3) ? 0 : 8));

	return branch(rarely(rng) ? 7 : rng_below(rng, 7), data_reg(rng, 1), offset);
}

static u64 random_sync(struct rng *rng)
{
	static const u8 opcodes[] = { 37, 38, 39, 51, 52, 53 };
	u64 word = sync_op(opcodes[rng_below(rng, 6)], address_reg(rng), data_reg(rng, 2));

	if (rarely(rng))
		return word | rng_below(rng, U32_MAX);
	return word | (u64)rng_below(rng, 2) << 28 | !rng_below(rng, 8);
}

/* r80 to r87 hold addresses of code, r88 to r91 lengths of streams. */
static u64 random_stream(struct rng *rng)
{
	u64 address = rarely(rng) ? rng_below(rng, 100) : 80 + 2 * rng_below(rng, 4);
	u64 length = rarely(rng) ? rng_below(rng, 100) : 88 + rng_below(rng, 4);

	return rng_below(rng, 4) ? call(address, length) : jump(address, length);
}

static u64 random_code(struct rng *rng)
{
	return CODE + 8 * rng_below(rng, REGION / 8) + (rarely(rng) ? 4 : 0);
}

static u64 random_length(struct rng *rng)
{
	return 8 * rng_below(rng, 8) + (rarely(rng) ? 4 : 0);
}

static u64 random_state(struct rng *rng)
{
	switch (rng_below(rng, 5)) {
	case 0:
		return umin32(data_reg(rng, 1), data_reg(rng, 1), data_reg(rng, 1));
	case 1:
		return store_state(rng_below(rng, 4), address_reg(rng),
				   (s16)(rarely(rng) ? 4 : 8 * rng_below(rng, 16) - 64));
	case 2:
		return heap_set(address_reg(rng));
	case 3:
		return set_exception_handler(rarely(rng) ? rng_below(rng, 4) : 2, address_reg(rng),
					     data_reg(rng, 1));
	default:
		return rng_below(rng, 2) ? move48(80 + 2 * rng_below(rng, 4), random_code(rng)) :
					   move32(88 + rng_below(rng, 4), (u32)random_length(rng));
	}
}

static u64 random_instruction(struct rng *rng)
{
	s32 small = (s32)rng_below(rng, 9) - 4;

	switch (rng_below(rng, 11)) {
	case 0:
		return move48(address_reg(rng), random_address(rng) % (1ull << 48));
	case 1:
		return move32(data_reg(rng, 1), (u32)small);
	case 2:
		return add32(data_reg(rng, 1), data_reg(rng, 1), small);
	case 3:
		return add64(data_reg(rng, 2), data_reg(rng, 2), small);
	case 4:
	case 5:
		return random_multiple(rng);
	case 6:
		return random_branch(rng);
	case 7:
		return random_sync(rng);
	case 8:
		return random_stream(rng);
	case 9:
		return random_state(rng);
	default:
		if (!rng_below(rng, 10))
			return rng_below(rng, 2) ? rng_next(rng) : op(rng_below(rng, 60));
		return rng_below(rng, 2) ? op(36) | data_reg(rng, 1) << 40 : op(0);
	}
}

static void random_start(struct rng *rng, struct gpu *gpu, struct gs_csf *csf, bool garbage)
{
	u64 va = CODE + 8 * rng_below(rng, 8);
	u64 size = 8 * rng_below(rng, WORDS + 2);

	for (u32 i = 0; i < WORDS; i++) {
		gpu_set64(gpu->code, 8 * i, garbage ? rng_next(rng) : random_instruction(rng));
		gpu_set64(gpu->data, 8 * i, rng_below(rng, 4));
		gpu_set64(gpu->rom, 8 * i, rng_next(rng));
		gpu_set64(gpu->top, 8 * i, rng_below(rng, 4));
	}
	gs_csf_init(csf);
	for (u32 i = 0; i < 16; i += 2) {
		u64 value = i < 8 ? random_address(rng) : rng_below(rng, 5);

		csf->regs[i] = (u32)value;
		csf->regs[i + 1] = (u32)(value >> 32);
	}
	for (u32 i = 0; i < 4; i++) {
		csf->regs[80 + 2 * i] = (u32)random_code(rng);
		csf->regs[81 + 2 * i] = CODE >> 32;
		csf->regs[88 + i] = (u32)random_length(rng);
	}
	assert_int_equal(gs_csf_start(csf, va, size), 0);
}

static void model_start(struct model *m, const struct gpu *gpu, const struct gs_csf *csf)
{
	*m = (struct model){ .gpu = *gpu,
			     .start = csf->stream.start,
			     .pc = csf->stream.pc,
			     .end = csf->stream.end };
	for (u32 i = 0; i < GS_CSF_REGS; i++)
		m->regs[i] = csf->regs[i];
}

static void assert_same(const struct gpu *gpu, const struct gs_csf *csf, const struct model *m)
{
	assert_int_equal(csf->stream.pc, m->pc);
	assert_int_equal(csf->stream.start, m->start);
	assert_int_equal(csf->stream.end, m->end);
	assert_int_equal(3 * csf->depth, m->depth);
	assert_int_equal(csf->heap, m->heap);
	assert_int_equal(csf->tiler_oom.address, m->handler);
	assert_int_equal(csf->tiler_oom.length, m->handler_length);
	assert_int_equal(csf->fault.kind, m->fault.kind);
	assert_int_equal(csf->fault.address, m->fault.address);
	assert_int_equal(csf->fault.pc, m->fault.pc);
	assert_int_equal(csf->fault.instruction, m->fault.instruction);
	for (u32 i = 0; i < GS_CSF_REGS; i++)
		assert_int_equal(csf->regs[i], m->regs[i]);
	assert_memory_equal(gpu->code, m->gpu.code, REGION);
	assert_memory_equal(gpu->data, m->gpu.data, REGION);
	assert_memory_equal(gpu->rom, m->gpu.rom, REGION);
	assert_memory_equal(gpu->top, m->gpu.top, REGION);
}

/* In slices of random length; *@steps counts down. */
static enum gs_csf_status run_sliced(struct rng *rng, struct gs_csf *csf, struct gpu *gpu,
				     u32 *steps)
{
	enum gs_csf_status status;

	do {
		u32 slice = rng_below(rng, 12);
		u32 budget = slice < *steps ? slice : *steps;
		u32 left = budget;

		status = gs_csf_run(csf, &gpu_mem, gpu, &left);
		assert_true(left <= budget);
		assert_true(status != GS_CSF_RUNNING || !left);
		*steps -= budget - left;
	} while (status == GS_CSF_RUNNING && *steps);
	return status;
}

/* Somebody else stores to the sync object that both are blocked on. */
static void unblock(struct rng *rng, struct gpu *gpu, struct gs_csf *csf, struct model *m)
{
	u64 value = csf->wait.condition == GS_CSF_GREATER ? csf->wait.reference + 1 : 0;
	u8 *at = gpu_resolve(gpu, csf->wait.address, csf->wait.size, GPU_WRITE);

	if (!at || !rng_below(rng, 4))
		return;
	value = htole64(value);
	memcpy(at, &value, csf->wait.size);
	m->gpu = *gpu;
}

static u32 seen[4];	/* how streams ended, by enum gs_csf_status */
static u32 completed;	/* instructions */

static void compare_stream(struct rng *rng, bool garbage)
{
	static struct model m;
	static struct gpu gpu;
	struct gs_csf csf;
	u32 steps = STEPS;

	random_start(rng, &gpu, &csf, garbage);
	model_start(&m, &gpu, &csf);
	for (u32 blocks = 0; blocks < 8; blocks++) {
		u32 before = steps;
		enum gs_csf_status status = run_sliced(rng, &csf, &gpu, &steps);

		assert_int_equal(model_run(&m, before), before - steps);
		assert_int_equal(status, m.status);
		assert_same(&gpu, &csf, &m);
		seen[status]++;
		if (status != GS_CSF_BLOCKED)
			break;
		unblock(rng, &gpu, &csf, &m);
	}
	completed += STEPS - steps;
}

static void random_streams_match_the_model(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (u32 i = 0; i < STREAMS; i++)
		compare_stream(&rng, false);
	printf("# %u instructions; %u out of budget, %u blocked, %u done, %u faults\n", completed,
	       seen[GS_CSF_RUNNING], seen[GS_CSF_BLOCKED], seen[GS_CSF_DONE], seen[GS_CSF_FAULT]);
	fflush(stdout);
	printf("# %u calls, %u returns, %u overflows\n", calls, returns, overflows);
	fflush(stdout);
	for (u32 i = 0; i < 4; i++)
		assert_true(seen[i] > 0);
	assert_true(calls > 0 && returns > 0 && overflows > 0);
}

static void garbage_matches_the_model(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 i = 0; i < STREAMS / 4; i++)
		compare_stream(&rng, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_streams_match_the_model),
		cmocka_unit_test(garbage_matches_the_model),
	};

	return cmocka_run_group_tests_name("csf_random", tests, NULL, NULL);
}
