// SPDX-License-Identifier: MIT
/*
 * jm.h: random chains against a second interpreter, which works byte by byte on its
 * own memory and never stops in between; and random garbage.
 */
#include "jm_gpu.h"

#define SLOTS	(REGION / SLOT)
#define CHAINS	20000
#define STEPS	24	/* jobs, and 64 bytes of copies, of a chain at most */

/* The second interpreter: what the header of jm.h says, in the order in which it says it. */
struct model {
	struct gpu gpu;
	u64 job;
	u64 copied;
	bool virtual_jobs;
	bool indices[GS_JM_INDICES];	/* those of jobs that are done */
	struct gs_jm_fault fault;
	enum gs_jm_status status;
	u32 steps;	/* those that are left */
};

static bool accessible(struct model *m, u64 va, u64 size, enum gpu_access access)
{
	for (u64 i = 0; i < size; i++) {
		if (va + i < va || !gpu_resolve(&m->gpu, va + i, 1, access))
			return false;
	}
	return true;
}

static u64 peek(struct model *m, u64 va, u32 size)
{
	u64 value = 0;

	for (u32 i = size; i-- > 0;)
		value = value * 256 + *gpu_resolve(&m->gpu, va + i, 1, GPU_READ);
	return value;
}

static void poke(struct model *m, u64 va, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++, value /= 256)
		*gpu_resolve(&m->gpu, va + i, 1, GPU_WRITE) = value % 256;
}

static void stop(struct model *m, enum gs_jm_fault_kind kind, u64 address, u32 control)
{
	m->status = GS_JM_FAULT;
	m->fault = (struct gs_jm_fault){ kind, address, m->job, control };
}

static void model_write(struct model *m, u32 control)
{
	static const u32 sizes[] = { 0, 8, 8, 8, 1, 2, 4, 8 };
	u64 va = peek(m, m->job + 32, 8), value = peek(m, m->job + 48, 8);
	u32 kind = (u32)peek(m, m->job + 40, 4);

	if (kind < 1 || kind > 7)
		return stop(m, GS_JM_FAULT_JOB, m->job, control);
	if (va % sizes[kind])
		return stop(m, GS_JM_FAULT_ALIGNMENT, va, control);
	if (kind == 1)
		value = CYCLES;
	if (kind == 2)
		value = TIMESTAMP;
	if (kind == 3)
		value = 0;
	if (!accessible(m, va, sizes[kind], GPU_WRITE))
		return stop(m, GS_JM_FAULT_WRITE, va, control);
	poke(m, va, value, sizes[kind]);
}

static void model_copy(struct model *m, u32 control)
{
	u64 dst = peek(m, m->job + 32, 8), src = peek(m, m->job + 40, 8);
	u64 size = peek(m, m->job + 48, 8);
	u8 bytes[64];

	if (dst % 4)
		return stop(m, GS_JM_FAULT_ALIGNMENT, dst, control);
	if (src % 4)
		return stop(m, GS_JM_FAULT_ALIGNMENT, src, control);
	if (size % 4)
		return stop(m, GS_JM_FAULT_ALIGNMENT, size, control);
	while (m->copied < size) {
		u64 left = size - m->copied, d = dst + m->copied, s = src + m->copied;
		u32 piece = left < 64 ? (u32)left : 64;

		if (s + (piece - 1) < s)
			return stop(m, GS_JM_FAULT_READ, s, control);
		if (d + (piece - 1) < d)
			return stop(m, GS_JM_FAULT_WRITE, d, control);
		if (!accessible(m, s, piece, GPU_READ))
			return stop(m, GS_JM_FAULT_READ, s, control);
		if (!accessible(m, d, piece, GPU_WRITE))
			return stop(m, GS_JM_FAULT_WRITE, d, control);
		for (u32 i = 0; i < piece; i++)
			bytes[i] = (u8)peek(m, s + i, 1);
		for (u32 i = 0; i < piece; i++)
			poke(m, d + i, bytes[i], 1);
		if (left <= 64)
			return;
		m->copied += 64;
		if (!--m->steps) {
			m->status = GS_JM_RUNNING;
			return;
		}
	}
}

static void model_wait(struct model *m, u32 control)
{
	u64 va = peek(m, m->job + 32, 8);

	if (va % 4)
		return stop(m, GS_JM_FAULT_ALIGNMENT, va, control);
	if (!accessible(m, va, 4, GPU_READ))
		return stop(m, GS_JM_FAULT_READ, va, control);
	if (peek(m, va, 4) == peek(m, m->job + 40, 4))
		m->status = GS_JM_BLOCKED;
}

static void model_execute(struct model *m, u32 control)
{
	u32 type = control / 2 % 128, first = (u32)peek(m, m->job + 20, 2);
	u32 second = (u32)peek(m, m->job + 22, 2);

	if (peek(m, m->job, 4))
		return stop(m, GS_JM_FAULT_DATA, m->job, control);
	if (type >= 4 && type <= 10)
		return stop(m, GS_JM_FAULT_UNSUPPORTED, m->job, control);
	if (!((type >= 1 && type <= 3) || (type >= 126 && m->virtual_jobs)))
		return stop(m, GS_JM_FAULT_JOB, m->job, control);
	if ((first && !m->indices[first]) || (second && !m->indices[second])) {
		m->status = GS_JM_BLOCKED;
		return;
	}
	if (type == 2)
		model_write(m, control);
	if (type == 126)
		model_copy(m, control);
	if (type == 127)
		model_wait(m, control);
}

static void model_step(struct model *m)
{
	u32 control;
	u64 next;

	if (m->job % 64)
		return stop(m, GS_JM_FAULT_ALIGNMENT, m->job, 0);
	/* Regions begin and end on multiples of 64. */
	if (!accessible(m, m->job, 64, GPU_READ))
		return stop(m, GS_JM_FAULT_FETCH, m->job, 0);
	control = (u32)peek(m, m->job + 16, 4);
	next = peek(m, m->job + 24, control % 2 ? 8 : 4);
	model_execute(m, control);
	if (m->status != GS_JM_DONE)
		return;
	if (!accessible(m, m->job + 8, 8, GPU_WRITE))
		return stop(m, GS_JM_FAULT_WRITE, m->job + 8, control);
	poke(m, m->job + 8, 0, 8);
	poke(m, m->job, 1, 4);
	m->indices[control / 65536] = true;
	m->job = next;
	m->copied = 0;
	m->steps--;
}

static void model_run(struct model *m, u32 steps)
{
	m->steps = steps;
	m->status = GS_JM_DONE;
	while (m->job && m->status == GS_JM_DONE) {
		if (!m->steps) {
			m->status = GS_JM_RUNNING;
			return;
		}
		model_step(m);
	}
}

/* ---- Random chains ---- */

static bool rarely(struct rng *rng)
{
	return !rng_below(rng, 40);
}

static u64 random_job(struct rng *rng)
{
	if (rarely(rng))
		return rng_below(rng, 3) ? JOB(rng_below(rng, SLOTS)) + 8 : NOWHERE;
	if (!rng_below(rng, 8))
		return 0;
	return JOB(rng_below(rng, SLOTS));
}

static u64 random_address(struct rng *rng)
{
	u64 offset = 4 * rng_below(rng, REGION / 4);

	if (rarely(rng))
		offset += rng_below(rng, 4);
	switch (rng_below(rng, 12)) {
	case 0:
		return ROM + offset;
	case 1:
		return TOP + offset;
	case 2:
		return CODE + offset;
	case 3:
		return rarely(rng) ? NOWHERE : CODE + SLOT * rng_below(rng, SLOTS);
	default:
		return DATA + offset;
	}
}

static void random_payload(struct rng *rng, u8 *job, u32 type)
{
	gpu_set64(job, 32, random_address(rng));
	if (type == GS_JM_WRITE_VALUE) {
		if (rng_below(rng, 2))
			gpu_set64(job, 32, random_address(rng) & ~7ull);
		gpu_set32(job, 40, rarely(rng) ? rng_below(rng, 10) : 1 + rng_below(rng, 7));
		gpu_set64(job, 48, rng_next(rng));
	} else {
		gpu_set64(job, 40, type == GS_JM_VIRTUAL_WAIT ? rng_below(rng, 2) :
							       random_address(rng));
		gpu_set64(job, 48, rarely(rng) ? rng_next(rng) : 4 * rng_below(rng, 80));
	}
}

static void random_slot(struct rng *rng, u8 *job)
{
	static const u8 usual[] = { 1, 2, 2, 2, 2, 2, 3, 126, 126, 126, 126, 127 };
	u32 type = rarely(rng) ? rng_below(rng, 128) : usual[rng_below(rng, 12)];

	memset(job, 0, SLOT);
	if (rarely(rng))
		gpu_set32(job, 0, rng_below(rng, 3));
	gpu_set64(job, 8, rng_next(rng));
	gpu_set32(job, 16, (jm_control(type, rng_below(rng, 5)) & ~(u32)rarely(rng)) |
		  rng_below(rng, 2) << 8);
	if (!rng_below(rng, 12))
		gpu_set32(job, 20, rng_below(rng, 5) | rng_below(rng, 5) << 16);
	gpu_set64(job, 24, random_job(rng));
	random_payload(rng, job, type);
}

static void random_start(struct rng *rng, struct jm_gpu *gpu, bool garbage)
{
	*gpu = (struct jm_gpu){ 0 };
	for (u32 i = 0; i < SLOTS; i++)
		random_slot(rng, gpu->gpu.code + SLOT * i);
	for (u32 i = 0; i < REGION; i += 8) {
		if (garbage)
			gpu_set64(gpu->gpu.code, i, rng_below(rng, 2) ? rng_next(rng) : 0);
		gpu_set64(gpu->gpu.data, i, rng_below(rng, 3));
		gpu_set64(gpu->gpu.rom, i, rng_next(rng));
		gpu_set64(gpu->gpu.top, i, rng_below(rng, 3));
	}
}

static void assert_same(const struct jm_gpu *gpu, const struct gs_jm *jm, const struct model *m)
{
	assert_int_equal(jm->job, m->job);
	assert_int_equal(jm->fault.kind, m->fault.kind);
	assert_int_equal(jm->fault.address, m->fault.address);
	assert_int_equal(jm->fault.job, m->fault.job);
	assert_int_equal(jm->fault.control, m->fault.control);
	assert_memory_equal(gpu->gpu.code, m->gpu.code, REGION);
	assert_memory_equal(gpu->gpu.data, m->gpu.data, REGION);
	assert_memory_equal(gpu->gpu.rom, m->gpu.rom, REGION);
	assert_memory_equal(gpu->gpu.top, m->gpu.top, REGION);
}

/* In slices of random length. Returns how it ended, with what is left in *@steps. */
static enum gs_jm_status run_sliced(struct rng *rng, struct gs_jm *jm, struct jm_gpu *gpu,
				    u32 *steps)
{
	enum gs_jm_status status;

	do {
		u32 slice = rng_below(rng, 6), budget = slice < *steps ? slice : *steps;
		u32 left = budget;

		status = gs_jm_run(jm, &jm_mem, gpu, &left);
		assert_true(left <= budget);
		assert_true(status != GS_JM_RUNNING || !left);
		*steps -= budget - left;
	} while (status == GS_JM_RUNNING && *steps);
	return status;
}

static u32 seen[4];	/* how chains ended, by enum gs_jm_status */
static u32 faults[GS_JM_FAULT_UNSUPPORTED + 1];
static u32 completed;

static void compare_chain(struct rng *rng, bool garbage)
{
	static struct model m;
	static struct jm_gpu gpu;
	static struct gs_jm jm;
	bool virtual_jobs = rng_below(rng, 8);
	u64 first = JOB(rng_below(rng, SLOTS));
	enum gs_jm_status status;
	u32 steps = 1 + rng_below(rng, STEPS), left = steps;

	random_start(rng, &gpu, garbage);
	m = (struct model){ .gpu = gpu.gpu, .job = first, .virtual_jobs = virtual_jobs };
	gs_jm_init(&jm, virtual_jobs);
	gs_jm_start(&jm, first);
	status = run_sliced(rng, &jm, &gpu, &left);
	model_run(&m, steps);
	assert_int_equal(status, m.status);
	assert_int_equal(left, m.steps);
	assert_same(&gpu, &jm, &m);
	seen[status]++;
	faults[jm.fault.kind]++;
	completed += steps - left;
}

static void random_chains_match_the_model(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 i = 0; i < CHAINS; i++)
		compare_chain(&rng, false);
	printf("# %u steps; %u out of budget, %u blocked, %u done, %u faults\n", completed,
	       seen[GS_JM_RUNNING], seen[GS_JM_BLOCKED], seen[GS_JM_DONE], seen[GS_JM_FAULT]);
	fflush(stdout);
	for (u32 i = 0; i < 4; i++)
		assert_true(seen[i] > 0);
	for (u32 i = 0; i <= GS_JM_FAULT_UNSUPPORTED; i++)
		assert_true(faults[i] > 0);
}

static void garbage_matches_the_model(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 i = 0; i < CHAINS / 4; i++)
		compare_chain(&rng, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_chains_match_the_model),
		cmocka_unit_test(garbage_matches_the_model),
	};

	return cmocka_run_group_tests_name("jm_random", tests, NULL, NULL);
}
