/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a map were written to since somebody asked: by userfaultfd in asynchronous
 * write-protect mode and PAGEMAP_SCAN, Linux 6.7 and later. It needs no privilege, no signal
 * and no thread, and sees what the kernel writes too, as for read(2).
 */
#ifndef GSL_WRITTEN_H
#define GSL_WRITTEN_H

#include "types.h"

/* Whether this system has it. */
bool gsl_written_supported(void);

/*
 * Watch [@start, @start + @size), whole pages. Nothing counts as written from then on.
 * 0; -errno if it cannot be watched.
 */
int gsl_written_watch(void *start, u64 size);

/* No longer; before the map goes. */
void gsl_written_forget(void *start, u64 size);

/*
 * Call @written for each row of pages of a watched range that were written to since this
 * was called for them last, or since they are watched. @offset counts from @start. Whoever
 * stores to them from now on is seen by the next call.
 * 0; -errno: nothing is known of the rest.
 */
int gsl_written_collect(void *start, u64 size,
			void (*written)(void *ctx, u64 offset, u64 size), void *ctx);

#endif
