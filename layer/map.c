// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "map.h"

void gsl_map_init(struct gsl_map *map)
{
	*map = (struct gsl_map)GSL_MAP_INIT;
}

void gsl_map_fini(struct gsl_map *map)
{
	pthread_rwlock_destroy(&map->lock);
	free(map->slots);
}

static size_t home(const struct gsl_map *map, u64 key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (map->size - 1);
}

/* The slot of a key, or the free one where it belongs. There always is a free one. */
static struct gsl_map_slot *find(const struct gsl_map *map, u64 key)
{
	size_t i = home(map, key);

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & (map->size - 1);
	return &map->slots[i];
}

static bool grow(struct gsl_map *map)
{
	struct gsl_map bigger = { .size = map->size ? 2 * map->size : 64 };
	size_t i;

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (i = 0; i < map->size; i++) {
		if (map->slots[i].key)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	}
	free(map->slots);
	map->slots = bigger.slots;
	map->size = bigger.size;
	return true;
}

bool gsl_map_put(struct gsl_map *map, u64 key, void *value)
{
	struct gsl_map_slot *slot;
	bool done = false;

	pthread_rwlock_wrlock(&map->lock);
	if (2 * map->count < map->size || grow(map)) {
		slot = find(map, key);
		map->count += !slot->key;
		*slot = (struct gsl_map_slot){ key, value };
		done = true;
	}
	pthread_rwlock_unlock(&map->lock);
	return done;
}

void *gsl_map_get(struct gsl_map *map, u64 key)
{
	void *value = NULL;

	pthread_rwlock_rdlock(&map->lock);
	if (map->size && key)
		value = find(map, key)->value;
	pthread_rwlock_unlock(&map->lock);
	return value;
}

/* Close the gap: a later slot moves into it if its home is not between the gap and itself. */
static void close_gap(struct gsl_map *map, size_t gap)
{
	size_t mask = map->size - 1, i = gap;

	for (;;) {
		i = (i + 1) & mask;
		if (!map->slots[i].key)
			break;
		if (((i - home(map, map->slots[i].key)) & mask) >= ((i - gap) & mask)) {
			map->slots[gap] = map->slots[i];
			gap = i;
		}
	}
	map->slots[gap] = (struct gsl_map_slot){ 0 };
}

void *gsl_map_take(struct gsl_map *map, u64 key)
{
	void *value = NULL;

	pthread_rwlock_wrlock(&map->lock);
	if (map->size && key) {
		struct gsl_map_slot *slot = find(map, key);

		value = slot->value;
		if (slot->key) {
			map->count--;
			close_gap(map, (size_t)(slot - map->slots));
		}
	}
	pthread_rwlock_unlock(&map->lock);
	return value;
}

void gsl_map_each(struct gsl_map *map, void (*visit)(void *ctx, void *value), void *ctx)
{
	size_t i;

	pthread_rwlock_rdlock(&map->lock);
	for (i = 0; i < map->size; i++) {
		if (map->slots[i].key)
			visit(ctx, map->slots[i].value);
	}
	pthread_rwlock_unlock(&map->lock);
}

void gsl_map_find(struct gsl_map *map, bool (*visit)(void *ctx, u64 key, void *value), void *ctx)
{
	size_t i;

	pthread_rwlock_rdlock(&map->lock);
	for (i = 0; i < map->size; i++) {
		if (map->slots[i].key && !visit(ctx, map->slots[i].key, map->slots[i].value))
			break;
	}
	pthread_rwlock_unlock(&map->lock);
}
