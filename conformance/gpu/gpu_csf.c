// SPDX-License-Identifier: MIT
/*
 * The streams behind gpu.h. Copies and fills are loops, so that streams stay small
 * whatever the size, and are cut into jobs that end well before a driver's timeout
 * of 5 s.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_csf.h"

#define JOB_MAX		(1ull << 18)	/* bytes that one job copies or fills */
#define BURST		64u		/* bytes of one LOAD or STORE: 16 registers */
#define BLOCK		256u		/* bytes of one turn of a loop: 64 registers */
#define STREAM_MAX	128		/* instructions of our own streams */

/* Programs lie below every address that gpu_bind() chooses. */
#define PROGRAM_VA	(1ull << 31)
#define PROGRAM_SIZE	(GPU_CSF_SLOTS * GPU_CSF_SLOT_SIZE)

/* Registers of our streams; 0 to 63 carry data. */
enum {
	REG_SRC = 64,
	REG_DST = 66,
	REG_COUNT = 68,
	REG_FLUSH_ID = 69,
};

struct stream {
	uint64_t words[STREAM_MAX];
	size_t count;
};

static struct gpu_csf *to_csf(struct gemsync_gpu *gpu)
{
	return (struct gpu_csf *)gpu;	/* base is the first member */
}

/* ---- Queues ---- */

int gpu_csf_queue_create(struct gemsync_gpu *gpu, struct gpu_queue **out)
{
	struct gpu_queue *queue;
	int ret;

	ret = to_csf(gpu)->csf->queue_create(to_csf(gpu), &queue);
	if (ret)
		return ret;
	queue->gpu = to_csf(gpu);
	*out = queue;
	return 0;
}

void gpu_csf_queue_destroy(struct gpu_queue *queue)
{
	if (queue)
		queue->gpu->csf->queue_destroy(queue);
}

int gpu_csf_submit(struct gpu_queue *queue, uint64_t va, uint32_t size)
{
	return queue->gpu->csf->submit(queue, va, size);
}

int gpu_csf_wait(struct gpu_queue *queue, int64_t timeout_ns)
{
	return queue->gpu->csf->wait(queue, timeout_ns);
}

/* ---- Jobs ---- */

/* A queue that failed takes no more jobs: replace it. */
static int replace_queue(struct gpu_csf *gpu)
{
	gpu_csf_queue_destroy(gpu->queue);
	gpu->queue = NULL;
	return gpu_csf_queue_create(&gpu->base, &gpu->queue);
}

/* Wait for the job under way, and say how it ended. */
static int finish_job(struct gpu_csf *gpu)
{
	int ret, err;

	if (!gpu->queue)
		return -ENODEV;
	ret = gpu_csf_wait(gpu->queue, GPU_CSF_TIMEOUT_NS);
	if (!ret)
		return 0;
	err = replace_queue(gpu);
	if (err)
		return err;
	return ret == -ETIMEDOUT ? -ETIME : ret;
}

static int start_job(struct gpu_csf *gpu, const uint64_t *words, size_t count)
{
	uint64_t va;
	int ret;

	if (!gpu->queue)
		return -ENODEV;
	ret = gpu_csf_load(&gpu->base, 0, words, count, &va);
	if (ret)
		return ret;
	return gpu_csf_submit(gpu->queue, va, count * sizeof(*words));
}

int gpu_csf_load(struct gemsync_gpu *gpu, unsigned int slot, const uint64_t *words, size_t count,
		 uint64_t *va)
{
	uint64_t offset = (uint64_t)slot * GPU_CSF_SLOT_SIZE;

	if (slot >= GPU_CSF_SLOTS || count > GPU_CSF_SLOT_SIZE / sizeof(*words))
		return -EINVAL;
	memcpy((char *)to_csf(gpu)->program_map + offset, words, count * sizeof(*words));
	/* Write-combined stores leave the CPU before the submit. */
	__sync_synchronize();
	*va = PROGRAM_VA + offset;
	return 0;
}

int gpu_csf_run(struct gemsync_gpu *gpu, const uint64_t *words, size_t count)
{
	int ret;

	ret = start_job(to_csf(gpu), words, count);
	return ret ? ret : finish_job(to_csf(gpu));
}

/* ---- Streams ---- */

static void emit(struct stream *stream, uint64_t word)
{
	if (stream->count == STREAM_MAX)
		abort();	/* a bug of this file */
	stream->words[stream->count++] = word;
}

/* LOADs or STOREs of registers 0 and up, for the first @size bytes at the address. */
static void emit_bursts(struct stream *stream, enum csf_opcode op, unsigned int pair,
			unsigned int size)
{
	unsigned int offset, words;

	for (offset = 0; offset < size; offset += BURST) {
		words = (size - offset < BURST ? size - offset : BURST) / 4;
		emit(stream, csf_multiple(op, offset / 4, (1u << words) - 1, pair, offset));
	}
	emit(stream, csf_wait(CSF_ALL_SCOREBOARDS));
}

static void emit_copy_block(struct stream *stream, unsigned int size)
{
	emit_bursts(stream, CSF_OP_LOAD_MULTIPLE, REG_SRC, size);
	emit_bursts(stream, CSF_OP_STORE_MULTIPLE, REG_DST, size);
}

static void emit_fill_block(struct stream *stream, unsigned int size)
{
	emit_bursts(stream, CSF_OP_STORE_MULTIPLE, REG_DST, size);
}

/* @block for each whole block of @size bytes, and once for the rest. */
static void emit_loop(struct stream *stream, uint64_t size,
		      void (*block)(struct stream *stream, unsigned int size))
{
	size_t top;

	if (size >= BLOCK) {
		emit(stream, csf_move32(REG_COUNT, size / BLOCK));
		top = stream->count;
		block(stream, BLOCK);
		emit(stream, csf_add_immediate64(REG_SRC, REG_SRC, BLOCK));
		emit(stream, csf_add_immediate64(REG_DST, REG_DST, BLOCK));
		emit(stream, csf_add_immediate32(REG_COUNT, REG_COUNT, -1));
		emit(stream, csf_branch((int)top - (int)stream->count - 1, CSF_GT, REG_COUNT));
	}
	if (size % BLOCK)
		block(stream, size % BLOCK);
}

/* What the GPU wrote has left its own caches before the job ends. */
static void emit_end(struct stream *stream)
{
	emit(stream, csf_move32(REG_FLUSH_ID, 0));
	emit(stream, csf_flush_cache2(REG_FLUSH_ID));
	emit(stream, csf_wait(CSF_ALL_SCOREBOARDS));
}

static int copy_job(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	struct stream stream = { .count = 0 };

	emit(&stream, csf_move48(REG_SRC, src));
	emit(&stream, csf_move48(REG_DST, dst));
	emit_loop(&stream, size, emit_copy_block);
	emit_end(&stream);
	return gpu_csf_run(gpu, stream.words, stream.count);
}

int gpu_csf_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	uint64_t done, piece;
	int ret;

	for (done = 0; done < size; done += piece) {
		piece = size - done < JOB_MAX ? size - done : JOB_MAX;
		ret = copy_job(gpu, dst + done, src + done, piece);
		if (ret)
			return ret;
	}
	return 0;
}

static int fill_job(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	struct stream stream = { .count = 0 };
	unsigned int i;

	for (i = 0; i < BLOCK / 4 && i < size / 4; i++)
		emit(&stream, csf_move32(i, value));
	emit(&stream, csf_move48(REG_DST, va));
	emit_loop(&stream, size, emit_fill_block);
	emit_end(&stream);
	return gpu_csf_run(gpu, stream.words, stream.count);
}

int gpu_csf_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	uint64_t done, piece;
	int ret;

	for (done = 0; done < size; done += piece) {
		piece = size - done < JOB_MAX ? size - done : JOB_MAX;
		ret = fill_job(gpu, va + done, value, piece);
		if (ret)
			return ret;
	}
	return 0;
}

int gpu_csf_spin_begin(struct gemsync_gpu *gpu, uint64_t va)
{
	const uint64_t words[] = {
		csf_move48(REG_SRC, va),
		csf_load_multiple(0, 1, REG_SRC, 0),
		csf_wait(CSF_ALL_SCOREBOARDS),
		csf_branch(-3, CSF_EQ, 0),
	};

	return start_job(to_csf(gpu), words, sizeof(words) / sizeof(words[0]));
}

int gpu_csf_spin_running(struct gemsync_gpu *gpu)
{
	int ret;

	if (!to_csf(gpu)->queue)
		return -ENODEV;
	ret = gpu_csf_wait(to_csf(gpu)->queue, 0);
	return ret == -ETIME ? 1 : ret;
}

int gpu_csf_spin_end(struct gemsync_gpu *gpu)
{
	return finish_job(to_csf(gpu));
}

/* ---- Opening ---- */

static int create_program(struct gpu_csf *gpu, struct gemsync_device *dev)
{
	int ret;

	ret = gemsync_bo_create(dev, PROGRAM_SIZE, 0, &gpu->program);
	if (ret)
		return ret;
	ret = gemsync_bo_map(gpu->program, &gpu->program_map);
	if (!ret)
		ret = gpu->csf->bind_program(gpu, gemsync_bo_handle(gpu->program), PROGRAM_SIZE,
					     PROGRAM_VA);
	if (ret)
		gemsync_bo_destroy(gpu->program);
	return ret;
}

static void destroy_program(struct gpu_csf *gpu)
{
	gpu->base.ops->unbind(&gpu->base, PROGRAM_VA, PROGRAM_SIZE);
	gemsync_bo_destroy(gpu->program);
}

int gpu_csf_init(struct gpu_csf *gpu, struct gemsync_device *dev)
{
	int ret;

	ret = create_program(gpu, dev);
	if (ret)
		return ret;
	ret = gpu_csf_queue_create(&gpu->base, &gpu->queue);
	if (ret)
		destroy_program(gpu);
	return ret;
}

void gpu_csf_fini(struct gpu_csf *gpu)
{
	gpu_csf_queue_destroy(gpu->queue);
	destroy_program(gpu);
}
