/* SPDX-License-Identifier: MIT */
/* GPU memory for the tests of job chains, and jobs for it. */
#ifndef JM_GPU_H
#define JM_GPU_H

#include "csf_gpu.h"	/* the memory */
#include "jm.h"

struct jm_gpu {
	struct gpu gpu;
	u32 absent;	/* so many of the next accesses find memory on its way */
	u32 busy_until;	/* no access before this many calls does */
};

static inline bool jm_absent(struct jm_gpu *gpu)
{
	if (gpu->gpu.calls < gpu->busy_until || !gpu->absent)
		return false;
	gpu->absent--;
	return true;
}

static inline int jm_read(void *ctx, u64 va, void *to, u32 size)
{
	struct jm_gpu *gpu = ctx;

	if (jm_absent(gpu))
		return -EAGAIN;
	return gpu_read(&gpu->gpu, va, to, size);
}

static inline int jm_fetch(void *ctx, u64 va, void *to, u32 size)
{
	struct jm_gpu *gpu = ctx;

	gpu->gpu.fetches++;
	return jm_read(ctx, va, to, size);
}

static inline int jm_write(void *ctx, u64 va, const void *from, u32 size)
{
	struct jm_gpu *gpu = ctx;

	if (jm_absent(gpu))
		return -EAGAIN;
	return gpu_write(&gpu->gpu, va, from, size);
}

static inline int jm_poll(void *ctx, u64 va, void *to, u32 size)
{
	assert_int_equal(size, 4);
	assert_int_equal(va % 4, 0);
	return jm_read(ctx, va, to, size);
}

static const struct gs_jm_mem jm_mem = {
	.fetch = jm_fetch,
	.read = jm_read,
	.write = jm_write,
	.poll = jm_poll,
	.timestamp = gpu_timestamp,
	.cycles = gpu_cycles,
};

#define SLOT		64u			/* bytes of a job */
#define JOB(n)		(CODE + SLOT * (n))	/* where job n is, in executable memory */

/* The word at +16 of a header. */
static inline u32 jm_control(u32 type, u32 index)
{
	return 1 | type << 1 | index << 16;
}

/* Job @n of @type, that depends on nothing and ends the chain. */
static inline u8 *put_job(struct jm_gpu *gpu, u32 n, u32 type)
{
	u8 *job = gpu->gpu.code + SLOT * n;

	memset(job, 0, SLOT);
	gpu_set32(job, 16, jm_control(type, 0));
	return job;
}

static inline void link_job(struct jm_gpu *gpu, u32 n, u64 next)
{
	gpu_set64(gpu->gpu.code + SLOT * n, 24, next);
}

static inline u8 *put_write(struct jm_gpu *gpu, u32 n, u64 va, u32 kind, u64 immediate)
{
	u8 *job = put_job(gpu, n, GS_JM_WRITE_VALUE);

	gpu_set64(job, 32, va);
	gpu_set32(job, 40, kind);
	gpu_set64(job, 48, immediate);
	return job;
}

static inline u8 *put_copy(struct jm_gpu *gpu, u32 n, u64 dst, u64 src, u64 size)
{
	u8 *job = put_job(gpu, n, GS_JM_VIRTUAL_COPY);

	gpu_set64(job, 32, dst);
	gpu_set64(job, 40, src);
	gpu_set64(job, 48, size);
	return job;
}

static inline u8 *put_wait(struct jm_gpu *gpu, u32 n, u64 va, u32 value)
{
	u8 *job = put_job(gpu, n, GS_JM_VIRTUAL_WAIT);

	gpu_set64(job, 32, va);
	gpu_set32(job, 40, value);
	return job;
}

static inline u32 job_status(const struct jm_gpu *gpu, u32 n)
{
	return gpu_get32(gpu->gpu.code, SLOT * n);
}

#endif
