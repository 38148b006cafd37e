/* SPDX-License-Identifier: MIT */
/*
 * Calls of the panthor driver as they are, for tests of what the library does not
 * use. Those that return int return 0 or -errno.
 */
#ifndef PANTHOR_CALLS_H
#define PANTHOR_CALLS_H

#include "fixture.h"

/* Where tests bind: gpu_bind() never chooses it. */
#define BASE		GPU_BIND_AT_START
#define PAGE		4096ull
#define SHORT_NS	(50 * 1000000ll)	/* long enough to see that something waits */

#define WORDS(...)	((const uint64_t[]){ __VA_ARGS__ })
#define COUNT_WORDS(...) (sizeof(WORDS(__VA_ARGS__)) / sizeof(uint64_t))

struct drm_panthor_sync_op wait_for(uint32_t syncobj, uint64_t point);
struct drm_panthor_sync_op signal_to(uint32_t syncobj, uint64_t point);

/* ---- Syncobjs of the fixture's file ---- */

uint32_t new_syncobj(struct fixture *f);
/* 0 if it (its point, unless 0) is signalled in time, else -ETIME. */
int wait_syncobj(struct fixture *f, uint32_t syncobj, uint64_t point, int64_t timeout_ns);
/* With what error the fence in a binary syncobj ended, or 0. */
int syncobj_error(struct fixture *f, uint32_t syncobj);

/* ---- VMs ---- */

uint32_t new_vm(struct fixture *f);
int destroy_vm(struct fixture *f, uint32_t vm);
/* Of enum drm_panthor_vm_state. */
uint32_t vm_state(struct fixture *f, uint32_t vm);
int bind_async(struct fixture *f, uint32_t vm, const struct drm_panthor_vm_bind_op *ops,
	       uint32_t count);
int bind_sync(struct fixture *f, uint32_t vm, const struct drm_panthor_vm_bind_op *ops,
	      uint32_t count);

/* @count sync ops, which the op refers to. */
struct drm_panthor_vm_bind_op map_op(struct gemsync_bo *bo, uint64_t va, uint64_t size,
				     const struct drm_panthor_sync_op *syncs, uint32_t count);
struct drm_panthor_vm_bind_op unmap_op(uint64_t va, uint64_t size,
				       const struct drm_panthor_sync_op *syncs, uint32_t count);
struct drm_panthor_vm_bind_op sync_only_op(const struct drm_panthor_sync_op *syncs,
					   uint32_t count);

/* ---- Groups ---- */

uint32_t new_group(struct fixture *f, uint32_t vm, uint32_t queues);
void destroy_group(struct fixture *f, uint32_t group);
uint32_t group_state(struct fixture *f, uint32_t group);

/* A stream that is in program slot @slot from now on. */
struct drm_panthor_queue_submit stream(struct fixture *f, unsigned int slot, uint32_t queue,
				       const uint64_t *words, size_t count);
int submit_jobs(struct fixture *f, uint32_t group, const struct drm_panthor_queue_submit *jobs,
		uint32_t count);

/*
 * A fence that waits for the CPU: a job that blocks until gate_open(), in a group of
 * its own, and then signals @syncobj.
 */
struct gate {
	struct buffer *word;
	uint32_t group;
	uint32_t syncobj;
};

#define GATE_SLOT	15

struct gate new_gate(struct fixture *f);
void gate_open(struct gate *gate);

#endif
