/* SPDX-License-Identifier: MIT */
/*
 * Ranges of buffer objects, and lists of them: collecting what has to be
 * synchronized, so that one fence or one call to the kernel does for all.
 *
 * Usable alone: nothing here allocates, locks or knows a device. All offsets and
 * sizes are bytes. Numbers like (R4) are the rules of docs/contract.md.
 *
 * Threads: any call may run in any thread. Calls on different batches may run at the
 * same time, calls on one batch may not.
 */
#ifndef GEMSYNC_RANGE_H
#define GEMSYNC_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Ranges ---- */

/*
 * As a size, in every call that takes a range of an object: up to the object's end. Addresses
 * (gemsync/cpu.h) are of no object that the library could know the end of.
 */
#define GEMSYNC_WHOLE_SIZE	UINT64_MAX

struct gemsync_range {
	uint64_t offset;
	uint64_t size;
};

/**
 * Check a range, and widen it to multiples of @granule.
 *
 * @size: may be GEMSYNC_WHOLE_SIZE. A size of 0 stays 0: its range has no lines.
 * @limit: of the object; a last granule that is cut off by it ends there.
 * @granule: a power of two; 1 widens nothing.
 *
 * Widen flushes only: of an invalidation, bytes of edge lines that were not asked for keep
 * what the CPU stores to them meanwhile (R5), and those of a widened one do not.
 *
 * No input overflows. Returns 0; -EINVAL if the range leaves the object (R8), or
 * @granule is not a power of two.
 */
int gemsync_range_make(uint64_t offset, uint64_t size, uint64_t limit, uint64_t granule,
		       struct gemsync_range *out);

/* ---- Operations ---- */

/* The library's, or, where only this header is used, the caller's to define. */
struct gemsync_bo;

enum gemsync_op_type {
	GEMSYNC_FLUSH = 0,		/* write dirty lines back (R4) */
	GEMSYNC_INVALIDATE = 1,		/* write back, then drop */
};

struct gemsync_op {
	struct gemsync_bo *bo;		/* or, for callbacks of your own, what you added: cast it */
	enum gemsync_op_type type;
	uint64_t offset;
	uint64_t size;			/* or GEMSYNC_WHOLE_SIZE */
};

/* ---- Batches ---- */

/**
 * Do the operations of a batch, in any order, with one fence or one call.
 *
 * All of them may have been done before: a batch that failed is submitted again.
 * Returns 0 or -errno.
 */
typedef int (*gemsync_submit_fn)(void *context, const struct gemsync_op *ops, size_t count);

/*
 * Flushes that meet an invalidation become part of it, so that fewer operations are
 * left. Only for callers whose other threads store to no line of a batch until it is
 * submitted: what is harmless beside a flush may be lost beside an invalidation (R4).
 */
#define GEMSYNC_BATCH_UPGRADE	(1u << 0)

/* What one operation, and one call of the callback, can take; 0 is no limit. */
struct gemsync_batch_limits {
	uint64_t offset_max;	/* of its first byte; of 32-bit offsets: UINT32_MAX */
	uint64_t size_max;	/* of one operation; longer ones are cut at lines */
	size_t count_max;	/* operations in one call */
};

/*
 * A batch. The caller owns it and its array, and reads @count; the rest is set by
 * gemsync_batch_init().
 */
struct gemsync_batch {
	struct gemsync_op *ops;
	size_t room;
	size_t count;		/* operations that wait to be submitted */
	uint64_t line;
	uint32_t flags;
	struct gemsync_batch_limits limits;
	gemsync_submit_fn submit;
	void *context;
};

/**
 * Begin an empty batch.
 *
 * @ops, @room: array for that many operations; it lives as long as the batch.
 * @line: bytes of a cache line, a power of two: flushes that share one, or whose lines
 * are next to each other, are merged. 1 if it is unknown.
 * @limits: of the driver; NULL for none.
 *
 * Returns 0; -EINVAL if there is no room, no callback, a flag is unknown, @line is no
 * power of two, or limits->size_max is less than a line.
 */
int gemsync_batch_init(struct gemsync_batch *batch, struct gemsync_op *ops, size_t room,
		       uint64_t line, uint32_t flags, const struct gemsync_batch_limits *limits,
		       gemsync_submit_fn submit, void *context);

/**
 * Add an operation, to be done by gemsync_batch_submit() at the latest.
 *
 * It is merged with the one before it, and with no other, if it is for the same object
 * and of the same type (see GEMSYNC_BATCH_UPGRADE), and no line is maintained that
 * neither of them overlaps (R1). Invalidations are merged if their bytes overlap or
 * meet: between them may be bytes of others (R5). When the array is full, what is there is
 * submitted first. A @size of 0 adds nothing.
 *
 * Since this call may submit: stores that a flush is to write back come before it, and so
 * does the wait for the device whose writes an invalidation is to show. Their loads come
 * after gemsync_batch_submit().
 *
 * @size: GEMSYNC_WHOLE_SIZE gets to the callback as it is, never cut, as the callback alone
 * knows where the object ends. It is merged with nothing but the same.
 *
 * Returns 0; -EINVAL for an unknown type, or a range that wraps; -EOVERFLOW if the
 * driver cannot express where it, or a piece of it, begins; or the callback's error. A
 * range that was not added whole is to be added again; doing a part of it twice is
 * harmless.
 */
int gemsync_batch_add(struct gemsync_batch *batch, void *object, enum gemsync_op_type type,
		      uint64_t offset, uint64_t size);

/**
 * Submit what waits. An empty batch succeeds without a call.
 *
 * Returns 0, and the batch is empty; or the callback's error, and what was not done is
 * still there: call it again, or drop it.
 */
int gemsync_batch_submit(struct gemsync_batch *batch);

/* Forget what waits. */
void gemsync_batch_drop(struct gemsync_batch *batch);

/**
 * A callback that maintains by this CPU (gemsync/cpu.h), with one fence. The object is
 * the address of a cached map, aligned to a line; the context is not used.
 *
 * Returns 0; -EINVAL if a range wraps, or is GEMSYNC_WHOLE_SIZE, and nothing was done;
 * -EOPNOTSUPP.
 */
int gemsync_batch_submit_cpu(void *context, const struct gemsync_op *ops, size_t count);

#ifdef __cplusplus
}
#endif

#endif
