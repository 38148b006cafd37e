// SPDX-License-Identifier: MIT
/*
 * The chains behind gpu.h. They are cut so that each ends well before a driver's timeout
 * of 500 ms, also on a slow emulator.
 */
#include <errno.h>
#include <string.h>

#include "gpu_jm.h"

#define JOBS_MAX	1024u		/* of a chain */
#define COPY_MAX	(64ull << 10)	/* bytes that one chain copies */

static struct gpu_jm *to_jm(struct gemsync_gpu *gpu)
{
	return (struct gpu_jm *)gpu;	/* base is the first member */
}

/* ---- Chains ---- */

/* Where job @n is. */
static uint64_t job_va(const struct gpu_jm *gpu, uint32_t n)
{
	return gpu->jobs_va + n * JM_JOB_SIZE;
}

static int submit(struct gpu_jm *gpu)
{
	/* Write-combined stores leave the CPU before the submit. */
	__sync_synchronize();
	return gpu->jm->submit(gpu, job_va(gpu, 0));
}

static int finish(struct gpu_jm *gpu)
{
	int ret = gpu->jm->wait(gpu, GPU_JM_TIMEOUT_NS);

	return ret == -ETIMEDOUT ? -ETIME : ret;
}

/* A chain of one job. */
static int run_job(struct gpu_jm *gpu, const struct jm_job *job)
{
	int ret;

	gpu->jobs_map[0] = *job;
	ret = submit(gpu);
	return ret ? ret : finish(gpu);
}

static int run_virtual(struct gpu_jm *gpu, const struct jm_job *job)
{
	return gpu->has_virtual_jobs ? run_job(gpu, job) : -EOPNOTSUPP;
}

int gpu_jm_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	uint64_t done, piece;
	struct jm_job job;
	int ret;

	for (done = 0; done < size; done += piece) {
		piece = size - done < COPY_MAX ? size - done : COPY_MAX;
		job = jm_copy(dst + done, src + done, piece, 0);
		ret = run_virtual(to_jm(gpu), &job);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- Writing ---- */

/* What is still to be written: @data, or @value again and again. */
struct writing {
	uint64_t va;
	uint64_t size;
	const char *data;
	uint32_t value;
};

static uint32_t next_word(struct writing *writing)
{
	uint32_t word = writing->value;

	if (writing->data) {
		memcpy(&word, writing->data, sizeof(word));
		writing->data += sizeof(word);
	}
	writing->va += sizeof(word);
	writing->size -= sizeof(word);
	return word;
}

/* The next one or two words. */
static struct jm_job next_job(struct writing *writing, uint64_t next)
{
	uint64_t va = writing->va;
	bool two = va % 8 == 0 && writing->size >= 8;
	uint64_t value;

	value = next_word(writing);
	if (two)
		value |= (uint64_t)next_word(writing) << 32;
	return jm_write_value(va, two ? JM_IMM64 : JM_IMM32, value, next);
}

static int write_chain(struct gpu_jm *gpu, struct writing *writing)
{
	uint32_t n;
	int ret;

	for (n = 0; n < JOBS_MAX && writing->size; n++)
		gpu->jobs_map[n] = next_job(writing, job_va(gpu, n + 1));
	gpu->jobs_map[n - 1].next = 0;
	ret = submit(gpu);
	return ret ? ret : finish(gpu);
}

static int write_all(struct gemsync_gpu *gpu, struct writing *writing)
{
	int ret = 0;

	while (writing->size && !ret)
		ret = write_chain(to_jm(gpu), writing);
	return ret;
}

int gpu_jm_write(struct gemsync_gpu *gpu, uint64_t va, const void *data, uint64_t size)
{
	struct writing writing = { .va = va, .size = size, .data = data };

	return write_all(gpu, &writing);
}

int gpu_jm_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	struct writing writing = { .va = va, .size = size, .value = value };

	return write_all(gpu, &writing);
}

/* ---- Waiting ---- */

int gpu_jm_spin_begin(struct gemsync_gpu *gpu, uint64_t va)
{
	struct gpu_jm *jm = to_jm(gpu);

	if (!jm->has_virtual_jobs)
		return -EOPNOTSUPP;
	jm->jobs_map[0] = jm_wait(va, 0, 0);
	return submit(jm);
}

int gpu_jm_spin_running(struct gemsync_gpu *gpu)
{
	int ret = to_jm(gpu)->jm->wait(to_jm(gpu), 0);

	return ret == -ETIME ? 1 : ret;
}

int gpu_jm_spin_fence(struct gemsync_gpu *gpu, int *sync_file)
{
	return to_jm(gpu)->jm->fence ? to_jm(gpu)->jm->fence(to_jm(gpu), sync_file) : -EOPNOTSUPP;
}

int gpu_jm_spin_end(struct gemsync_gpu *gpu)
{
	return finish(to_jm(gpu));
}

/* ---- Opening ---- */

static int create_jobs(struct gpu_jm *gpu)
{
	void *map;
	int ret;

	ret = gemsync_bo_create(gpu->base.dev, JOBS_MAX * JM_JOB_SIZE, 0, &gpu->jobs);
	if (ret)
		return ret;
	ret = gemsync_bo_map(gpu->jobs, &map);
	if (!ret)
		ret = gpu->base.ops->address(&gpu->base, gemsync_bo_handle(gpu->jobs),
					     &gpu->jobs_va);
	if (ret)
		gemsync_bo_destroy(gpu->jobs);
	else
		gpu->jobs_map = map;
	return ret;
}

int gpu_jm_init(struct gpu_jm *gpu, bool ask)
{
	const struct jm_job nothing = jm_copy(0, 0, 0, 0);
	int ret;

	ret = create_jobs(gpu);
	if (ret || !ask)
		return ret;
	ret = run_job(gpu, &nothing);
	gpu->has_virtual_jobs = !ret;
	if (ret && ret != -EIO) {
		gpu_jm_fini(gpu);
		return ret;
	}
	return 0;
}

void gpu_jm_fini(struct gpu_jm *gpu)
{
	gemsync_bo_destroy(gpu->jobs);
}
