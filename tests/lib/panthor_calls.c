// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <xf86drm.h>

#include "panthor_calls.h"

struct drm_panthor_sync_op wait_for(uint32_t syncobj, uint64_t point)
{
	return (struct drm_panthor_sync_op){
		.flags = point ? DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ : 0,
		.handle = syncobj,
		.timeline_value = point,
	};
}

struct drm_panthor_sync_op signal_to(uint32_t syncobj, uint64_t point)
{
	struct drm_panthor_sync_op op = wait_for(syncobj, point);

	op.flags |= (uint32_t)DRM_PANTHOR_SYNC_OP_SIGNAL;
	return op;
}

uint32_t new_syncobj(struct fixture *f)
{
	uint32_t handle;

	assert_ok(drmSyncobjCreate(f->fd, 0, &handle));
	return handle;
}

int wait_syncobj(struct fixture *f, uint32_t syncobj, uint64_t point, int64_t timeout_ns)
{
	int64_t until = now_ms() * 1000000 + timeout_ns;
	uint32_t flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;

	if (!point)
		return drmSyncobjWait(f->fd, &syncobj, 1, until, flags, NULL);
	return drmSyncobjTimelineWait(f->fd, &syncobj, &point, 1, until, flags, NULL);
}

int syncobj_error(struct fixture *f, uint32_t syncobj)
{
	int error;

	assert_ok(gpu_syncobj_error(f->fd, syncobj, &error));
	return error;
}

uint32_t new_vm(struct fixture *f)
{
	struct drm_panthor_vm_create args = { 0 };

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &args));
	return args.id;
}

int destroy_vm(struct fixture *f, uint32_t vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm };

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

uint32_t vm_state(struct fixture *f, uint32_t vm)
{
	struct drm_panthor_vm_get_state args = { .vm_id = vm };

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &args));
	return args.state;
}

static int vm_bind(struct fixture *f, uint32_t vm, uint32_t flags,
		   const struct drm_panthor_vm_bind_op *ops, uint32_t count)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = vm,
		.flags = flags,
		.ops = DRM_PANTHOR_OBJ_ARRAY(count, ops),
	};

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

int bind_async(struct fixture *f, uint32_t vm, const struct drm_panthor_vm_bind_op *ops,
	       uint32_t count)
{
	return vm_bind(f, vm, DRM_PANTHOR_VM_BIND_ASYNC, ops, count);
}

int bind_sync(struct fixture *f, uint32_t vm, const struct drm_panthor_vm_bind_op *ops,
	      uint32_t count)
{
	return vm_bind(f, vm, 0, ops, count);
}

struct drm_panthor_vm_bind_op sync_only_op(const struct drm_panthor_sync_op *syncs,
					   uint32_t count)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(count, syncs),
	};
}

struct drm_panthor_vm_bind_op unmap_op(uint64_t va, uint64_t size,
				       const struct drm_panthor_sync_op *syncs, uint32_t count)
{
	struct drm_panthor_vm_bind_op op = sync_only_op(syncs, count);

	op.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP;
	op.va = va;
	op.size = size;
	return op;
}

struct drm_panthor_vm_bind_op map_op(struct gemsync_bo *bo, uint64_t va, uint64_t size,
				     const struct drm_panthor_sync_op *syncs, uint32_t count)
{
	struct drm_panthor_vm_bind_op op = unmap_op(va, size, syncs, count);

	op.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC;
	op.bo_handle = gemsync_bo_handle(bo);
	return op;
}

uint32_t new_group(struct fixture *f, uint32_t vm, uint32_t queues)
{
	struct drm_panthor_queue_create queue[8];
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(queues, queue),
		.max_compute_cores = 1,
		.max_fragment_cores = 1,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = 1,
		.fragment_core_mask = 1,
		.tiler_core_mask = 1,
		.vm_id = vm,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(queue); i++)
		queue[i] = (struct drm_panthor_queue_create){ .ringbuf_size = 64 << 10 };
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args));
	return args.group_handle;
}

void destroy_group(struct fixture *f, uint32_t group)
{
	assert_ok(gpu_panthor_group_destroy(f->fd, group));
}

uint32_t group_state(struct fixture *f, uint32_t group)
{
	uint32_t state;

	assert_ok(gpu_panthor_group_state(f->fd, group, &state));
	return state;
}

struct drm_panthor_queue_submit stream(struct fixture *f, unsigned int slot, uint32_t queue,
				       const uint64_t *words, size_t count)
{
	uint64_t va;

	assert_ok(gpu_csf_load(f->gpu, slot, words, count, &va));
	return (struct drm_panthor_queue_submit){
		.queue_index = queue,
		.stream_size = count * sizeof(*words),
		.stream_addr = va,
	};
}

int submit_jobs(struct fixture *f, uint32_t group, const struct drm_panthor_queue_submit *jobs,
		uint32_t count)
{
	struct drm_panthor_group_submit args = {
		.group_handle = group,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(count, jobs),
	};

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

struct gate new_gate(struct fixture *f)
{
	struct gate gate = {
		.word = new_buffer(f, PAGE, 0),
		.group = new_group(f, f->vm, 1),
		.syncobj = new_syncobj(f),
	};
	const struct drm_panthor_sync_op sync = signal_to(gate.syncobj, 0);
	struct drm_panthor_queue_submit job;

	job = stream(f, GATE_SLOT, 0, WORDS(csf_move48(80, gate.word->va), csf_move32(0, 0),
					    csf_sync_wait32(CSF_GT, 0, 80)), 3);
	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, gate.group, &job, 1));
	return gate;
}

void gate_open(struct gate *gate)
{
	cpu_put(gate->word, 0, 1);
}
