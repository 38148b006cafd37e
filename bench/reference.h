/* SPDX-License-Identifier: MIT */
/*
 * What others do: the loop that user-mode drivers have, and the limits of the machine.
 * Those that this architecture has not are false, and do nothing.
 */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Fence, one instruction for each line that writes it back and drops it, fence: in the
 * one way for both directions, and without looking at what newer CPUs have.
 */
extern const bool reference_exists;
void reference_flush(const void *start, size_t size);

/* Wait until what was loaded before is there. */
void reference_wait(void);

/* Non-temporal stores of whole lines, and the fence that drains them. */
extern const bool streaming_exists;
void stream_fill(void *to, int byte, size_t size);
void stream_copy(void *to, const void *from, size_t size);

#endif
