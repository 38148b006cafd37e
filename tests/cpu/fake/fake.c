// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define CLEAN	SIZE_MAX

/* A line on its way to memory, or back from there. */
struct move {
	size_t offset;	/* in the cache */
	size_t data;	/* in the pool: what goes to memory; CLEAN: nothing */
	bool drop;
};

struct fake_machine fake_machine;
size_t fake_line;
struct fake_event *fake_events;
size_t fake_count;
bool fake_keep = true;

static size_t event_room;
static struct move *moves;
static size_t move_count, move_room;
static char *pool;
static size_t pool_lines, pool_room;

static struct {
	char *view, *memory, *base;
	size_t size;
} cache;

/* The array, with room for one more. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 1024;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

void fake_begin(void)
{
	fake_count = 0;
	move_count = 0;
	pool_lines = 0;
	cache.size = 0;
}

void fake_cache(char *view, char *memory, char *base, size_t size)
{
	cache.view = view;
	cache.memory = memory;
	cache.base = base;
	cache.size = size;
	memcpy(base, view, size);
}

static void keep(enum fake_insn insn, uintptr_t address)
{
	if (!fake_keep)
		return;
	fake_events = grow(fake_events, fake_count, &event_room, sizeof(*fake_events));
	fake_events[fake_count].insn = insn;
	fake_events[fake_count].address = address;
	fake_count++;
}

static bool drops(enum fake_insn insn)
{
	return insn == FAKE_CLFLUSHOPT || insn == FAKE_CLFLUSH || insn == FAKE_MOVDIR64B ||
	       insn == FAKE_DC_CIVAC || insn == FAKE_CBO_FLUSH;
}

/* Where the pool has a copy of the line, if it is dirty. */
static size_t save(size_t offset)
{
	if (!memcmp(cache.view + offset, cache.base + offset, fake_line))
		return CLEAN;
	pool = grow(pool, pool_lines, &pool_room, fake_line);
	memcpy(pool + pool_lines * fake_line, cache.view + offset, fake_line);
	memcpy(cache.base + offset, cache.view + offset, fake_line);
	return pool_lines++;
}

void fake_line_insn(enum fake_insn insn, uintptr_t address)
{
	size_t offset = address - (uintptr_t)cache.view;

	keep(insn, address);
	if (insn == FAKE_STREAM || offset >= cache.size)
		return;
	offset -= offset % fake_line;
	moves = grow(moves, move_count, &move_room, sizeof(*moves));
	moves[move_count++] = (struct move){
		.offset = offset,
		.data = save(offset),
		.drop = drops(insn),
	};
}

static void write_back(const struct move *move)
{
	if (move->data != CLEAN)
		memcpy(cache.memory + move->offset, pool + move->data * fake_line, fake_line);
}

static void refill(const struct move *move)
{
	memcpy(cache.view + move->offset, cache.memory + move->offset, fake_line);
	memcpy(cache.base + move->offset, cache.memory + move->offset, fake_line);
}

/* sfence does not order loads: dropped lines may still be seen after it. */
void fake_fence_insn(enum fake_insn insn)
{
	size_t i, kept = 0;

	keep(insn, 0);
	for (i = 0; i < move_count; i++) {
		write_back(&moves[i]);
		moves[i].data = CLEAN;
		if (!moves[i].drop)
			continue;
		if (insn == FAKE_SFENCE)
			moves[kept++] = moves[i];
		else
			refill(&moves[i]);
	}
	move_count = kept;
	if (!kept)
		pool_lines = 0;
}
