/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of the pages of a map, by userfaultfd and PAGEMAP_SCAN. It needs no
 * privilege, no signal and no thread, and sees what the kernel does too, as in read(2).
 *
 * A range is watched for stores (Linux 6.7), or for every touch, be it a load or a store
 * (Linux 7.3), and not for both at once: the kernel has one bit for either.
 */
#ifndef GSL_PAGES_H
#define GSL_PAGES_H

#include "types.h"

/* A row of pages; @offset counts from the start of what was asked for. */
typedef void (*gsl_pages_row)(void *ctx, u64 offset, u64 size);

/* Whether this system has it. */
bool gsl_written_supported(void);
bool gsl_touched_supported(void);

/*
 * Watch [@start, @start + @size), whole pages that nobody watches. Nothing counts as written, or
 * as touched, from then on.
 * 0; -errno if it cannot be watched.
 */
int gsl_written_watch(void *start, u64 size);
int gsl_touched_watch(void *start, u64 size);

/* No longer; before the map goes. */
void gsl_pages_forget(void *start, u64 size);

/*
 * Call @written for each row of pages of a watched range that were written to since this
 * was called for them last, or since they are watched. Whoever stores to them from now on is
 * seen by the next call.
 * 0; -errno: nothing is known of the rest.
 */
int gsl_written_collect(void *start, u64 size, gsl_pages_row written, void *ctx);

/*
 * Call @touched for each row of pages of a range watched so that were touched since. A page
 * that was touched once stays so.
 * 0; -errno: nothing is known of the rest.
 */
int gsl_touched_collect(void *start, u64 size, gsl_pages_row touched, void *ctx);

#endif
