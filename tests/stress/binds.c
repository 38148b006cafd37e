// SPDX-License-Identifier: MIT
/*
 * Map, unmap and split ranges of the address space, at once or by the driver's queue,
 * and look with the GPU at what is where. Every page of the BOs says which one it is.
 */
#include <string.h>
#include <xf86drm.h>

#include "stress.h"

#define BOS		4u
#define BO_PAGES	16u
#define WINDOW_PAGES	64u
#define OPS_MAX		4u

struct binds {
	struct shared_bo bos[BOS];
	uint32_t pages[WINDOW_PAGES];	/* the mark of the page that is there, or 0 */
	uint32_t before, after;		/* syncobjs */
};

static uint32_t mark_of(unsigned int bo, unsigned int page)
{
	return 0x10000 * (bo + 1) + page;
}

static uint64_t window(const struct worker *worker)
{
	return GPU_BIND_AT_START + ((uint64_t)worker->index << 30);
}

static int mark_bo(struct binds *binds, unsigned int bo)
{
	unsigned int page;

	for (page = 0; page < BO_PAGES; page++)
		*(volatile uint32_t *)(binds->bos[bo].map + page * PAGE) = mark_of(bo, page);
	return gemsync_bo_flush(binds->bos[bo].bo, 0, BO_PAGES * PAGE);
}

static int binds_setup(struct worker *worker)
{
	static const uint32_t flags[BOS] = {
		GEMSYNC_BO_CACHED, GEMSYNC_BO_CACHED, 0, GEMSYNC_BO_SHAREABLE,
	};
	struct binds *binds = worker->data;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < BOS && !ret; i++) {
		ret = new_shared_bo(worker, BO_PAGES * PAGE, flags[i], &binds->bos[i]);
		if (!ret)
			ret = mark_bo(binds, i);
	}
	if (ret)
		return ret;
	if (drmSyncobjCreate(worker->session->fd, 0, &binds->before) ||
	    drmSyncobjCreate(worker->session->fd, 0, &binds->after))
		return -errno;
	return 0;
}

/* What is bound stays bound, and goes with the file. */
static int binds_finish(struct worker *worker)
{
	struct binds *binds = worker->data;
	unsigned int i;

	for (i = 0; i < BOS; i++)
		gemsync_bo_destroy(binds->bos[i].bo);
	return 0;
}

/* Chooses one operation and notes it in @pages. */
static struct drm_panthor_vm_bind_op any_op(struct worker *worker, uint32_t *pages)
{
	struct binds *binds = worker->data;
	uint32_t bo = below(worker, BOS + 2), count = 1 + below(worker, BO_PAGES);
	uint32_t first = below(worker, BO_PAGES - count + 1);
	uint32_t at = below(worker, WINDOW_PAGES - count + 1), i;
	uint64_t va = window(worker) + (uint64_t)at * PAGE;

	for (i = 0; i < count; i++)
		pages[at + i] = bo < BOS ? mark_of(bo, first + i) : 0;
	if (bo >= BOS)
		return bind_op(0, 0, va, count * PAGE);
	return bind_op(gemsync_bo_handle(binds->bos[bo].bo), first * PAGE, va, count * PAGE);
}

/* The binds wait for a job of the GPU, and the CPU for the binds. */
static int bind_async(struct worker *worker, struct drm_panthor_vm_bind_op *ops, uint32_t count)
{
	struct binds *binds = worker->data;
	struct session *session = worker->session;
	struct drm_panthor_sync_op wait = { .handle = binds->before };
	struct drm_panthor_sync_op signal = {
		.flags = (uint32_t)DRM_PANTHOR_SYNC_OP_SIGNAL, .handle = binds->after,
	};
	struct drm_panthor_vm_bind_op last = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(1, &signal),
	};
	uint32_t group, syncobj;
	int ret, error;

	gpu_panthor_queue_handles(worker->engine.queue, &group, &syncobj);
	ret = engine_fill(worker, worker->engine.scratch.va, 0, 512);
	if (ret)
		return ret;
	wait.handle = syncobj;
	ops[0].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &wait);
	ops[count] = last;
	if (drmSyncobjReset(session->fd, &binds->after, 1))
		return -errno;
	ret = bind_ops(session, DRM_PANTHOR_VM_BIND_ASYNC, ops, count + 1);
	if (!ret)
		ret = gpu_syncobj_wait(session->fd, binds->after, 3 * GPU_CSF_TIMEOUT_NS);
	if (!ret)
		ret = gpu_syncobj_error(session->fd, binds->after, &error);
	if (!ret)
		ret = error;
	return ret ? ret : engine_wait(worker);
}

static int bind_some(struct worker *worker)
{
	struct binds *binds = worker->data;
	struct drm_panthor_vm_bind_op ops[OPS_MAX + 1];
	uint32_t count = 1 + below(worker, OPS_MAX), i;
	int ret;

	for (i = 0; i < count; i++)
		ops[i] = any_op(worker, binds->pages);
	if (below(worker, 2))
		return done(worker, OP_BIND_ASYNC, bind_async(worker, ops, count));
	ret = bind_ops(worker->session, 0, ops, count);
	return done(worker, OP_BIND, ret);
}

static int look(struct worker *worker)
{
	struct binds *binds = worker->data;
	uint32_t page = below(worker, WINDOW_PAGES), seen;
	uint64_t va = window(worker) + (uint64_t)page * PAGE;
	int ret;

	if (!binds->pages[page] && below(worker, 4))
		return 0;
	ret = engine_read(worker, va, &seen, 4);
	if (!binds->pages[page])
		return done(worker, OP_FAULT, ret == -EIO ? 0 : ret ? ret : -EEXIST);
	if (!ret)
		check_bytes(worker, OP_LOOK, &seen, &binds->pages[page], 4);
	return done(worker, OP_LOOK, ret);
}

static int binds_step(struct worker *worker)
{
	return below(worker, 2) ? bind_some(worker) : look(worker);
}

const struct work binds_work = {
	.name = "binds",
	.size = sizeof(struct binds),
	.setup = binds_setup,
	.step = binds_step,
	.finish = binds_finish,
};
