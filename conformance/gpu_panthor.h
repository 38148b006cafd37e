/* SPDX-License-Identifier: MIT */
/*
 * What tests of the panthor driver need beyond gpu.h: groups and streams of
 * their own. All return 0 or -errno.
 */
#ifndef GPU_PANTHOR_H
#define GPU_PANTHOR_H

#include "csf_asm.h"
#include "gpu.h"

#define GPU_PANTHOR_TIMEOUT_NS	10000000000ll

/* A group with one queue on address space @vm of the DRM file @fd. */
int gpu_panthor_group_create(int fd, uint32_t vm, uint32_t *group);
int gpu_panthor_group_destroy(int fd, uint32_t group);

/* Bits DRM_PANTHOR_GROUP_STATE_*; 0 is alive. */
int gpu_panthor_group_state(int fd, uint32_t group, uint32_t *state);

/* Submit the stream at @va to the queue; binary syncobj @syncobj is signalled at its end. */
int gpu_panthor_submit(int fd, uint32_t group, uint64_t va, uint32_t size, uint32_t syncobj);

/* Wait for a binary syncobj, at most @timeout_ns. -ETIME when it is over. */
int gpu_panthor_wait(int fd, uint32_t syncobj, int64_t timeout_ns);

/*
 * The error of the fence in a signalled binary syncobj: 0 if it ended well, else
 * the (negative) error that the job ended with.
 */
int gpu_panthor_fence_error(int fd, uint32_t syncobj, int *error);

/*
 * Programs: slots of GPU_PANTHOR_SLOT_SIZE bytes that the GPU may run but not
 * write. Slot 0 is the GPU's own.
 */
#define GPU_PANTHOR_SLOTS	16
#define GPU_PANTHOR_SLOT_SIZE	4096

/* Put a stream into a slot. -EINVAL if it does not fit. */
int gpu_panthor_load(struct gpu *gpu, unsigned int slot, const uint64_t *words, size_t count,
		     uint64_t *va);

/* Run a stream on the GPU's own queue and wait; -EIO, -ETIME as in gpu.h. */
int gpu_panthor_run(struct gpu *gpu, const uint64_t *words, size_t count);

#endif
