// SPDX-License-Identifier: MIT
/* A worker's own queue of the GPU. */
#include <string.h>

#include "stress.h"

#define BURST		64u	/* bytes of one LOAD or STORE */

enum {
	REG_SRC = 64,
	REG_DST = 66,
	REG_FLUSH_ID = 68,
};

static void begin(struct engine *engine)
{
	engine->count = 0;
}

static void emit(struct engine *engine, uint64_t word)
{
	engine->words[engine->count++] = word;
}

static void emit_burst(struct engine *engine, enum csf_opcode op, unsigned int pair,
		       uint32_t offset, uint32_t size)
{
	uint32_t words = (size - offset < BURST ? size - offset : BURST) / 4;

	emit(engine, csf_multiple(op, 0, (1u << words) - 1, pair, offset));
	emit(engine, csf_wait(CSF_ALL_SCOREBOARDS));
}

static int start(struct worker *worker)
{
	struct engine *engine = &worker->engine;
	uint64_t va;
	int ret;

	ret = gpu_csf_load(worker->session->gpu, engine->slot, engine->words, engine->count, &va);
	if (ret)
		return ret;
	return gpu_csf_submit(engine->queue, va, engine->count * sizeof(engine->words[0]));
}

static int finish_and_start(struct worker *worker)
{
	struct engine *engine = &worker->engine;

	emit(engine, csf_move32(REG_FLUSH_ID, 0));
	emit(engine, csf_flush_cache2(REG_FLUSH_ID));
	emit(engine, csf_wait(CSF_ALL_SCOREBOARDS));
	return start(worker);
}

int engine_copy(struct worker *worker, uint64_t dst, uint64_t src, uint32_t size)
{
	struct engine *engine = &worker->engine;
	uint32_t offset;

	begin(engine);
	emit(engine, csf_move48(REG_SRC, src));
	emit(engine, csf_move48(REG_DST, dst));
	for (offset = 0; offset < size; offset += BURST) {
		emit_burst(engine, CSF_OP_LOAD_MULTIPLE, REG_SRC, offset, size);
		emit_burst(engine, CSF_OP_STORE_MULTIPLE, REG_DST, offset, size);
	}
	return finish_and_start(worker);
}

int engine_fill(struct worker *worker, uint64_t va, uint32_t value, uint32_t size)
{
	struct engine *engine = &worker->engine;
	uint32_t i;

	begin(engine);
	for (i = 0; i < BURST / 4; i++)
		emit(engine, csf_move32(i, value));
	emit(engine, csf_move48(REG_DST, va));
	for (i = 0; i < size; i += BURST)
		emit_burst(engine, CSF_OP_STORE_MULTIPLE, REG_DST, i, size);
	return finish_and_start(worker);
}

int engine_endless(struct worker *worker)
{
	struct engine *engine = &worker->engine;

	begin(engine);
	emit(engine, csf_branch(-1, CSF_ALWAYS, 0));
	return start(worker);
}

int engine_replace(struct worker *worker)
{
	struct engine *engine = &worker->engine;

	gpu_csf_queue_destroy(engine->queue);
	engine->queue = NULL;
	return gpu_csf_queue_create(worker->session->gpu, &engine->queue);
}

int engine_wait(struct worker *worker)
{
	int ret, err;

	/* The limit of an endless stream is on the time that it ran, and it takes turns. */
	ret = gpu_csf_wait(worker->engine.queue, 12 * GPU_CSF_TIMEOUT_NS);
	if (!ret)
		return 0;
	err = engine_replace(worker);
	return err ? err : ret;
}

int engine_read(struct worker *worker, uint64_t va, void *data, uint32_t size)
{
	int ret;

	ret = engine_copy(worker, worker->engine.scratch.va, va, size);
	if (!ret)
		ret = engine_wait(worker);
	if (!ret)
		memcpy(data, worker->engine.scratch.map, size);
	return ret;
}

int engine_setup(struct worker *worker)
{
	struct engine *engine = &worker->engine;
	int ret;

	memset(engine, 0, sizeof(*engine));
	engine->slot = 1 + worker->index;
	ret = new_shared_bo(worker, PAGE, 0, &engine->scratch);
	return ret ? ret : gpu_csf_queue_create(worker->session->gpu, &engine->queue);
}

void engine_finish(struct worker *worker)
{
	gpu_csf_queue_destroy(worker->engine.queue);
	gemsync_bo_destroy(worker->engine.scratch.bo);
}

struct drm_panthor_vm_bind_op bind_op(uint32_t handle, uint64_t offset, uint64_t va,
				      uint64_t size)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = handle ? DRM_PANTHOR_VM_BIND_OP_TYPE_MAP |
				  DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC :
				  DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.bo_handle = handle,
		.bo_offset = offset,
		.va = va,
		.size = size,
	};
}

int bind_ops(struct session *session, uint32_t flags, const struct drm_panthor_vm_bind_op *ops,
	     uint32_t count)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = session->vm,
		.flags = flags,
		.ops = DRM_PANTHOR_OBJ_ARRAY(count, ops),
	};

	return call(session->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}
