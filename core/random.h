/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reproducible random numbers for chaos: the same seed gives the same numbers on
 * every machine. Not for secrets.
 */
#ifndef GS_RANDOM_H
#define GS_RANDOM_H

#include "types.h"

struct gs_random {
	u64 state;
};

static inline void gs_random_seed(struct gs_random *random, u64 seed)
{
	random->state = seed;
}

/* Weyl sequence with a mixer of two multiplications: every state is a valid one. */
static inline u64 gs_random_next(struct gs_random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* A number from 0 to @limit - 1; @limit is not 0. */
static inline u32 gs_random_below(struct gs_random *random, u32 limit)
{
	return (u32)(((gs_random_next(random) >> 32) * limit) >> 32);
}

#endif
