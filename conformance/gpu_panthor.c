// SPDX-License-Identifier: MIT
/*
 * GPU work for panthor: command streams that need no shader cores. Copies and
 * fills are loops, so that streams stay small whatever the size, and are cut
 * into jobs that end well before the driver's timeout of 5 s.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>

#include "gpu_ops.h"
#include "gpu_panthor.h"
#include "panthor_drm.h"

#define JOB_MAX		(1ull << 20)	/* bytes that one job copies or fills */
#define BURST		64u		/* bytes of one LOAD or STORE: 16 registers */
#define BLOCK		256u		/* bytes of one turn of a loop: 64 registers */
#define STREAM_MAX	128		/* instructions of our own streams */

/* Registers of our streams; 0 to 63 carry data. */
enum {
	REG_SRC = 64,
	REG_DST = 66,
	REG_COUNT = 68,
	REG_FLUSH_ID = 69,
};

struct gpu_panthor {
	struct gpu base;
	int fd;
	uint32_t vm;
	uint32_t group;
	uint32_t syncobj;
	struct gemsync_bo *program;
	void *program_map;
	uint64_t program_va;	/* 0 until it is bound */
};

struct stream {
	uint64_t words[STREAM_MAX];
	size_t count;
};

static struct gpu_panthor *to_panthor(struct gpu *gpu)
{
	return (struct gpu_panthor *)gpu;	/* base is the first member */
}

/* ---- Jobs ---- */

/* A group that failed takes no more jobs: replace it. */
static int replace_group(struct gpu_panthor *gpu)
{
	gpu_panthor_group_destroy(gpu->fd, gpu->group);
	gpu->group = 0;
	return gpu_panthor_group_create(gpu->fd, gpu->vm, &gpu->group);
}

/* Wait for the job under way, and say how it ended. */
static int finish_job(struct gpu_panthor *gpu)
{
	uint32_t state;
	int ret, err;

	ret = gpu_panthor_wait(gpu->fd, gpu->syncobj, GPU_PANTHOR_TIMEOUT_NS);
	if (ret && ret != -ETIME)
		return ret;
	err = gpu_panthor_group_state(gpu->fd, gpu->group, &state);
	if (err)
		return err;
	if (!ret && !state)
		return 0;
	if (!ret)
		ret = state & DRM_PANTHOR_GROUP_STATE_TIMEDOUT ? -ETIME : -EIO;
	err = replace_group(gpu);
	return err ? err : ret;
}

static int start_job(struct gpu_panthor *gpu, const uint64_t *words, size_t count)
{
	uint64_t va;
	int ret;

	ret = gpu_panthor_load(&gpu->base, 0, words, count, &va);
	if (ret)
		return ret;
	if (drmSyncobjReset(gpu->fd, &gpu->syncobj, 1))
		return -errno;
	return gpu_panthor_submit(gpu->fd, gpu->group, va, count * sizeof(*words), gpu->syncobj);
}

int gpu_panthor_load(struct gpu *gpu, unsigned int slot, const uint64_t *words, size_t count,
		     uint64_t *va)
{
	struct gpu_panthor *panthor = to_panthor(gpu);
	uint64_t offset = (uint64_t)slot * GPU_PANTHOR_SLOT_SIZE;

	if (slot >= GPU_PANTHOR_SLOTS || count > GPU_PANTHOR_SLOT_SIZE / sizeof(*words))
		return -EINVAL;
	memcpy((char *)panthor->program_map + offset, words, count * sizeof(*words));
	/* Write-combined stores leave the CPU before the submit. */
	__sync_synchronize();
	*va = panthor->program_va + offset;
	return 0;
}

int gpu_panthor_run(struct gpu *gpu, const uint64_t *words, size_t count)
{
	struct gpu_panthor *panthor = to_panthor(gpu);
	int ret;

	ret = start_job(panthor, words, count);
	return ret ? ret : finish_job(panthor);
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

static int copy_job(struct gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	struct stream stream = { .count = 0 };

	emit(&stream, csf_move48(REG_SRC, src));
	emit(&stream, csf_move48(REG_DST, dst));
	emit_loop(&stream, size, emit_copy_block);
	emit_end(&stream);
	return gpu_panthor_run(gpu, stream.words, stream.count);
}

static int panthor_copy(struct gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
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

static int fill_job(struct gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	struct stream stream = { .count = 0 };
	unsigned int i;

	for (i = 0; i < BLOCK / 4 && i < size / 4; i++)
		emit(&stream, csf_move32(i, value));
	emit(&stream, csf_move48(REG_DST, va));
	emit_loop(&stream, size, emit_fill_block);
	emit_end(&stream);
	return gpu_panthor_run(gpu, stream.words, stream.count);
}

static int panthor_fill(struct gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
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

static int panthor_spin_begin(struct gpu *gpu, uint64_t va)
{
	const uint64_t words[] = {
		csf_move48(REG_SRC, va),
		csf_load_multiple(0, 1, REG_SRC, 0),
		csf_wait(CSF_ALL_SCOREBOARDS),
		csf_branch(-3, CSF_EQ, 0),
	};

	return start_job(to_panthor(gpu), words, sizeof(words) / sizeof(words[0]));
}

static int panthor_spin_running(struct gpu *gpu)
{
	struct gpu_panthor *panthor = to_panthor(gpu);
	int ret;

	ret = gpu_panthor_wait(panthor->fd, panthor->syncobj, 0);
	return ret == -ETIME ? 1 : ret;
}

static int panthor_spin_end(struct gpu *gpu)
{
	return finish_job(to_panthor(gpu));
}

/* ---- Address space ---- */

static int bind_one(struct gpu_panthor *gpu, const struct drm_panthor_vm_bind_op *op)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = gpu->vm,
		.ops = DRM_PANTHOR_OBJ_ARRAY(1, op),
	};

	return drmIoctl(gpu->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args) ? -errno : 0;
}

static int panthor_bind(struct gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
			uint64_t va)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
		.bo_handle = handle,
		.bo_offset = offset,
		.va = va,
		.size = size,
	};

	return bind_one(to_panthor(gpu), &op);
}

static int panthor_unbind(struct gpu *gpu, uint64_t va, uint64_t size)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = va,
		.size = size,
	};

	return bind_one(to_panthor(gpu), &op);
}

/* ---- Opening ---- */

/* Programs lie below every address that gpu_bind() chooses. */
#define PROGRAM_VA	(1ull << 31)
#define PROGRAM_SIZE	(GPU_PANTHOR_SLOTS * GPU_PANTHOR_SLOT_SIZE)

static int create_program(struct gpu_panthor *gpu, struct gemsync_device *dev)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_READONLY,
		.va = PROGRAM_VA,
		.size = PROGRAM_SIZE,
	};
	int ret;

	ret = gemsync_bo_create(dev, PROGRAM_SIZE, 0, &gpu->program);
	if (ret)
		return ret;
	ret = gemsync_bo_map(gpu->program, &gpu->program_map);
	if (ret)
		goto err_destroy;
	op.bo_handle = gemsync_bo_handle(gpu->program);
	ret = bind_one(gpu, &op);
	if (ret)
		goto err_destroy;
	gpu->program_va = PROGRAM_VA;
	return 0;
err_destroy:
	gemsync_bo_destroy(gpu->program);
	return ret;
}

static int panthor_open(struct gemsync_device *dev, struct gpu **out)
{
	struct gpu_panthor *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->fd = gemsync_device_fd(dev);
	gpu->vm = gemsync_device_vm(dev);
	ret = create_program(gpu, dev);
	if (ret)
		goto err_free;
	if (drmSyncobjCreate(gpu->fd, 0, &gpu->syncobj)) {
		ret = -errno;
		goto err_program;
	}
	ret = gpu_panthor_group_create(gpu->fd, gpu->vm, &gpu->group);
	if (ret)
		goto err_syncobj;
	*out = &gpu->base;
	return 0;
err_syncobj:
	drmSyncobjDestroy(gpu->fd, gpu->syncobj);
err_program:
	panthor_unbind(&gpu->base, PROGRAM_VA, PROGRAM_SIZE);
	gemsync_bo_destroy(gpu->program);
err_free:
	free(gpu);
	return ret;
}

static void panthor_close(struct gpu *base)
{
	struct gpu_panthor *gpu = to_panthor(base);

	gpu_panthor_group_destroy(gpu->fd, gpu->group);
	drmSyncobjDestroy(gpu->fd, gpu->syncobj);
	panthor_unbind(base, PROGRAM_VA, PROGRAM_SIZE);
	gemsync_bo_destroy(gpu->program);
	free(gpu);
}

const struct gpu_ops gpu_panthor_ops = {
	.driver = "panthor",
	.open = panthor_open,
	.close = panthor_close,
	.bind = panthor_bind,
	.unbind = panthor_unbind,
	.copy = panthor_copy,
	.fill = panthor_fill,
	.spin_begin = panthor_spin_begin,
	.spin_running = panthor_spin_running,
	.spin_end = panthor_spin_end,
};
