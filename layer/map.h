/* SPDX-License-Identifier: MIT */
/* From Vulkan handles to what the layer knows of them. Safe to use from several threads. */
#ifndef GSL_MAP_H
#define GSL_MAP_H

#include <pthread.h>

#include "types.h"

struct gsl_map_slot {
	u64 key;	/* 0: free */
	void *value;
};

struct gsl_map {
	pthread_rwlock_t lock;
	struct gsl_map_slot *slots;
	size_t size;	/* a power of two, or 0 */
	size_t count;
};

#define GSL_MAP_INIT	{ .lock = PTHREAD_RWLOCK_INITIALIZER }

void gsl_map_init(struct gsl_map *map);

/* The values are not freed. */
void gsl_map_fini(struct gsl_map *map);

/* Put @value in; another one of the same @key (not 0) is replaced. False: no memory. */
bool gsl_map_put(struct gsl_map *map, u64 key, void *value);

/* NULL if there is none. */
void *gsl_map_get(struct gsl_map *map, u64 key);

/* Take it out and return it; NULL if there is none. */
void *gsl_map_take(struct gsl_map *map, u64 key);

/* Call @visit with each value, in no order, the map locked for changes. */
void gsl_map_each(struct gsl_map *map, void (*visit)(void *ctx, void *value), void *ctx);

/* Call @visit with each key and value, in no order, until it returns false. */
void gsl_map_find(struct gsl_map *map, bool (*visit)(void *ctx, u64 key, void *value), void *ctx);

/* Handles are pointers; where these are of 32 bits, most are numbers of 64. */
#if UINTPTR_MAX == UINT64_MAX
#define GSL_KEY(handle) ((u64)(uintptr_t)(handle))
#else
#define GSL_KEY(handle)							\
	_Generic((handle), u64: (handle), default: (u64)(uintptr_t)(handle))
#endif

#endif
