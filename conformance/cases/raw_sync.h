/* SPDX-License-Identifier: MIT */
/* The driver's own sync call (NEED_SYNC_ABI), in whatever layout the driver has. */
#ifndef RAW_SYNC_H
#define RAW_SYNC_H

#include "case.h"

#define FLUSH	0u
#define BOTH	1u	/* flush and invalidate */

/* The most ops that one call takes (R8). */
#define MOST_OPS	1048576u

struct raw_op {
	uint32_t handle;
	uint32_t type;
	uint64_t offset;
	uint64_t size;
};

/* An array of ops of the driver, for the caller to free(). */
void *raw_ops(struct cf *cf, const struct raw_op *ops, uint32_t count);

/* One call with a few ops: 0 or -errno. */
int raw_sync(struct cf *cf, const struct raw_op *ops, uint32_t count);

/* One call with an array as it is. */
int raw_call(struct cf *cf, const void *ops, uint32_t count, uint32_t stride);

/* ---- A sync that is refused does nothing (R7) ---- */

/* A dirty word at the start of a BO of two pages. */
struct witness {
	struct buffer *buf;
	struct gemsync_counters before;
	struct raw_op flush;	/* of the word */
};

#define WITNESS_SIZE	8192u

void new_witness(struct cf *cf, struct witness *witness);

/* Nothing was maintained since; says less where lines move on their own. */
void expect_nothing_done(struct cf *cf, const struct witness *witness);

/* The witness is one: the same call, with nothing wrong in it, does its work. */
void expect_flush_works(struct cf *cf, const struct witness *witness);

#endif
