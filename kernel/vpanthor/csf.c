// SPDX-License-Identifier: GPL-2.0-only
/* The engine of the queues: the command stream interpreter on the VM's memory. */
#include <linux/slab.h>

#include <csf.h>

#include "vpanthor.h"

struct cs {
	struct vgpu_vm *vm;
	struct gs_csf csf;
	int error;		/* of the last memory access */
};

/* Keep the reason of a refused access: the interpreter has one fault for all of them. */
static int note(struct cs *cs, int ret)
{
	cs->error = ret;
	return ret;
}

static int mem_read(void *ctx, u64 va, void *to, u32 size)
{
	struct cs *cs = ctx;

	return note(cs, vgpu_vm_read(cs->vm, va, to, size));
}

static int mem_write(void *ctx, u64 va, const void *from, u32 size)
{
	struct cs *cs = ctx;

	return note(cs, vgpu_vm_write(cs->vm, va, from, size));
}

static int mem_sync_read(void *ctx, u64 va, void *to, u32 size)
{
	struct cs *cs = ctx;

	return note(cs, vgpu_vm_sync_read(cs->vm, va, to, size));
}

static int mem_sync_set(void *ctx, u64 va, u64 value, u32 size)
{
	struct cs *cs = ctx;

	return note(cs, vgpu_vm_sync_set(cs->vm, va, value, size));
}

static int mem_sync_add(void *ctx, u64 va, u64 value, u32 size)
{
	struct cs *cs = ctx;

	return note(cs, vgpu_vm_sync_add(cs->vm, va, value, size));
}

static u64 mem_timestamp(void *ctx)
{
	return vpanthor_timestamp();
}

static u64 mem_cycles(void *ctx)
{
	return vpanthor_cycles();
}

static const struct gs_csf_mem csf_mem = {
	.fetch = mem_read,
	.read = mem_read,
	.write = mem_write,
	.sync_read = mem_sync_read,
	.sync_set = mem_sync_set,
	.sync_add = mem_sync_add,
	.timestamp = mem_timestamp,
	.cycles = mem_cycles,
};

static void *cs_create(struct vgpu_queue *queue)
{
	struct cs *cs;

	cs = kzalloc(sizeof(*cs), GFP_KERNEL_ACCOUNT);
	if (!cs)
		return ERR_PTR(-ENOMEM);
	cs->vm = queue->group->vm;
	gs_csf_init(&cs->csf);
	return cs;
}

static void cs_destroy(void *state)
{
	kfree(state);
}

static void cs_start(void *state, u64 va, u64 size)
{
	struct cs *cs = state;

	/* Only a stream that wraps is refused: what is left of it faults at its first fetch. */
	if (gs_csf_start(&cs->csf, va, size))
		gs_csf_start(&cs->csf, va, sizeof(u64));
}

static enum vgpu_run cs_run(void *state, u32 *budget)
{
	struct cs *cs = state;

	switch (gs_csf_run(&cs->csf, &csf_mem, cs, budget)) {
	case GS_CSF_RUNNING:
		return VGPU_RUN_RUNNING;
	case GS_CSF_BLOCKED:
		return VGPU_RUN_BLOCKED;
	case GS_CSF_DONE:
		return VGPU_RUN_DONE;
	case GS_CSF_FAULT:
		break;
	}
	return VGPU_RUN_FAULT;
}

static const char *fault_name(const struct cs *cs)
{
	if (cs->error == -EACCES && cs->csf.fault.kind == GS_CSF_FAULT_WRITE)
		return "write to read-only memory";
	return gs_csf_fault_name(cs->csf.fault.kind);
}

static void cs_fault(void *state, struct vgpu_fault *fault)
{
	const struct cs *cs = state;
	const struct gs_csf_fault *csf = &cs->csf.fault;

	fault->name = fault_name(cs);
	/* A command that could not be fetched has no name. */
	fault->opcode = csf->kind == GS_CSF_FAULT_FETCH ?
			"not fetched" : gs_csf_opcode_name(csf->instruction);
	fault->address = csf->address;
	fault->pc = csf->pc;
	fault->command = csf->instruction;
}

const struct vgpu_engine_ops vpanthor_csf_engine = {
	.create = cs_create,
	.destroy = cs_destroy,
	.start = cs_start,
	.run = cs_run,
	.fault = cs_fault,
	.names = { "panthor" },
	.hz = VPANTHOR_CYCLES_HZ,
};
