// SPDX-License-Identifier: GPL-2.0-only
/* The engine of the queues: the interpreter of job chains on the file's memory. */
#include <linux/slab.h>

#include <jm.h>

#include "vpanfrost.h"

struct slot {
	struct vgpu_vm *vm;
	struct gs_jm jm;
};

static int mem_read(void *ctx, u64 va, void *to, u32 size)
{
	struct slot *slot = ctx;

	return vgpu_vm_read(slot->vm, va, to, size);
}

static int mem_write(void *ctx, u64 va, const void *from, u32 size)
{
	struct slot *slot = ctx;

	return vgpu_vm_write(slot->vm, va, from, size);
}

static int mem_poll(void *ctx, u64 va, void *to, u32 size)
{
	struct slot *slot = ctx;

	return vgpu_vm_sync_read(slot->vm, va, to, size);
}

static u64 mem_timestamp(void *ctx)
{
	return vpanfrost_timestamp();
}

static u64 mem_cycles(void *ctx)
{
	return vpanfrost_cycles();
}

static const struct gs_jm_mem jm_mem = {
	.fetch = mem_read,
	.read = mem_read,
	.write = mem_write,
	.poll = mem_poll,
	.timestamp = mem_timestamp,
	.cycles = mem_cycles,
};

static void *slot_create(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	struct slot *slot;

	slot = kvzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	slot->vm = queue->group->vm;
	gs_jm_init(&slot->jm, to_vpanfrost(&vdev->drm)->virtual_jobs);
	return slot;
}

static void slot_destroy(void *state)
{
	kvfree(state);
}

static void slot_start(void *state, u64 va, u64 size)
{
	struct slot *slot = state;

	gs_jm_start(&slot->jm, va);
}

static enum vgpu_run slot_run(void *state, u32 *budget)
{
	struct slot *slot = state;

	switch (gs_jm_run(&slot->jm, &jm_mem, slot, budget)) {
	case GS_JM_RUNNING:
		return VGPU_RUN_RUNNING;
	case GS_JM_BLOCKED:
		return VGPU_RUN_BLOCKED;
	case GS_JM_DONE:
		return VGPU_RUN_DONE;
	case GS_JM_FAULT:
		break;
	}
	return VGPU_RUN_FAULT;
}

static void slot_fault(void *state, struct vgpu_fault *fault)
{
	const struct slot *slot = state;
	const struct gs_jm_fault *jm = &slot->jm.fault;

	fault->name = gs_jm_fault_name(jm->kind);
	/* A job that could not be fetched has no type. */
	fault->opcode = jm->control ? gs_jm_type_name(jm->control) : "not fetched";
	fault->address = jm->address;
	fault->pc = jm->job;
	fault->command = jm->control;
}

const struct vgpu_engine_ops vpanfrost_jm_engine = {
	.create = slot_create,
	.destroy = slot_destroy,
	.start = slot_start,
	.run = slot_run,
	.fault = slot_fault,
	.names = {
		[VPANFROST_SLOT_FRAGMENT] = "fragment",
		[VPANFROST_SLOT_OTHER] = "vertex-tiler",
	},
	.hz = VPANFROST_CYCLES_HZ,
};
