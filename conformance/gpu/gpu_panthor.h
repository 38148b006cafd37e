/* SPDX-License-Identifier: MIT */
/*
 * What tests of the panthor driver need beyond gpu_csf.h: its own objects. Those
 * that return int return 0 or -errno.
 */
#ifndef GPU_PANTHOR_H
#define GPU_PANTHOR_H

#include "gpu_csf.h"
#include "gpu_syncobj.h"

/* A group with one queue on address space @vm of the DRM file @fd. */
int gpu_panthor_group_create(int fd, uint32_t vm, uint32_t *group);
int gpu_panthor_group_destroy(int fd, uint32_t group);

/* Bits DRM_PANTHOR_GROUP_STATE_*; 0 is alive. */
int gpu_panthor_group_state(int fd, uint32_t group, uint32_t *state);

/* Submit the stream at @va to the queue; binary syncobj @syncobj is signalled at its end. */
int gpu_panthor_submit(int fd, uint32_t group, uint64_t va, uint32_t size, uint32_t syncobj);

/* What a queue of gpu_csf.h is made of. */
void gpu_panthor_queue_handles(struct gpu_queue *queue, uint32_t *group, uint32_t *syncobj);

#endif
