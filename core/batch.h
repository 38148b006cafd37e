/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a batch of sync ops must be before any of it runs (R7, R8).
 *
 * A caller checks the array header with gs_batch_check(), copies the array
 * (before it takes any lock), then checks every op with gs_sync_op_check() in
 * the order of R8, and runs the batch only if all of them passed.
 */
#ifndef GS_BATCH_H
#define GS_BATCH_H

#include "access.h"
#include "range.h"

/* The most ops that one call takes; more is -E2BIG (R8). */
#define GS_BATCH_MAX	1048576u

/* One decoded op, the same for every driver's uAPI. */
struct gs_sync_op {
	u64 offset;	/* bytes into the BO */
	u64 size;	/* bytes; 0 is allowed and does nothing */
	u32 handle;
	u32 type;	/* as the user gave it; valid ones are enum gs_sync_type */
	u64 pad;	/* every must-be-zero field of the uAPI, or-ed together */
};

/* What an op is checked against. */
struct gs_sync_target {
	u64 size;	/* bytes of the BO */
	bool imported;	/* R11 */
};

/**
 * Check the header of an op array, before anything is copied.
 *
 * @count: number of ops, @stride: bytes from one user op to the next,
 * @op_size: bytes of the op that the kernel knows.
 * Returns 1 if the array has to be read; 0 if @count is 0 and there is nothing
 * to do; -EINVAL if @stride is shorter than @op_size; -E2BIG if there are more
 * than GS_BATCH_MAX ops. In this order (R8).
 */
int gs_batch_check(u32 count, u32 stride, u32 op_size);

/**
 * Check one op against its BO.
 *
 * The handle was looked up before (-ENOENT is the caller's).
 * Returns 0; -EINVAL for an unknown type or a non-zero pad; -EINVAL for a range
 * that leaves the BO or wraps, whatever the BO's caching and also with size 0;
 * -EINVAL for an imported BO. In this order (R8, R11).
 */
int gs_sync_op_check(const struct gs_sync_op *op, const struct gs_sync_target *target);

#endif
