/* SPDX-License-Identifier: MIT */
/* What the unit tests share: cmocka, and reproducible randomness. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* SplitMix64: any seed is a good one. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* From 0 to @limit - 1. */
static inline uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)((rng_next(rng) >> 32) * limit >> 32);
}

/* GEMSYNC_TEST_SEED=n repeats a run; the seed is printed as a TAP comment. */
static inline struct rng rng_seeded(void)
{
	const char *seed = getenv("GEMSYNC_TEST_SEED");
	struct timespec now;
	struct rng rng;

	clock_gettime(CLOCK_REALTIME, &now);
	rng.state = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (seed)
		rng.state = strtoull(seed, NULL, 0);
	printf("# GEMSYNC_TEST_SEED=%llu\n", (unsigned long long)rng.state);
	fflush(stdout);
	return rng;
}

#endif
