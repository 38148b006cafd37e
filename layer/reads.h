/* SPDX-License-Identifier: MIT */
/*
 * Loads of the host from what it has not made visible to itself. Three ways to see them: the
 * kernel tells which pages that hold such data were touched (Linux 7.3); they are protected, on
 * request, and a load of them is a signal; or the code of the application calls a hook for each
 * load (trace/trace.c), and is then heard at once.
 */
#ifndef GSL_READS_H
#define GSL_READS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "types.h"

struct gsl_device;
struct gsl_memory;
struct gsl_batch;

#define GSL_FAULTS	256	/* between two calls; further ones are lost */

struct gsl_fault {
	u64 address;
	u64 code;		/* where the load stands */
	bool store;
	atomic_bool ready;
};

/* Written by signal handlers, read under the device's lock. */
struct gsl_faults {
	atomic_uint begun;
	atomic_uint taken;
	struct gsl_fault ring[GSL_FAULTS];
};

/* Before the first memory of a device. */
void gsl_reads_init(void);

/* Whether loads are seen; of a range: then nothing has to be guessed of them. */
bool gsl_reads_are_seen(const struct gsl_device *device);
bool gsl_reads_are_seen_of(const struct gsl_memory *memory, u64 offset, u64 end);

/* Whether it is the kernel that tells them, of whole pages, which may be stores too. */
bool gsl_reads_are_touches(const struct gsl_device *device);

/* A memory has copies now, or will have none soon. */
void gsl_reads_add(struct gsl_memory *memory);
void gsl_reads_remove(struct gsl_memory *memory);

/*
 * A range holds what the host did not see, or the host may do with it what it wants. The
 * device's lock is held. Nothing happens where pages are not looked after.
 */
void gsl_reads_protect(struct gsl_memory *memory, u64 offset, u64 end);
void gsl_reads_unprotect(struct gsl_memory *memory, u64 offset, u64 end);

/*
 * Find the loads since the last time, and judge those that are known to be loads. The device's
 * lock is held.
 */
void gsl_reads_collect(struct gsl_device *device, struct gsl_batch *batch);

/*
 * Touches that were found, and could have been stores that would be flushed by now, were loads:
 * judge them. Before a submission, an invalidate, or the end of a map; the lock is held.
 */
void gsl_reads_judge(struct gsl_memory *memory, struct gsl_batch *batch);
void gsl_reads_judge_all(struct gsl_device *device, struct gsl_batch *batch);

#endif
