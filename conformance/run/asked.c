// SPDX-License-Identifier: MIT
#include <stdatomic.h>

#include "asked.h"

#define SYNCS	64
#define WRITES	4096
#define PIECE	32u	/* bytes; the smallest line is one piece */

/* One case a process: its steps are counted here, from 1 on. */
static _Atomic uint32_t steps;

/* A ring: the newest ones. */
static struct sync {
	const struct buffer *buf;
	uint64_t offset, size;
	enum gemsync_op_type type;
	uint32_t step;
} syncs[SYNCS];
static size_t sync_count;

/*
 * When the CPU, and the device, last wrote to a piece of a buffer: its name above, the
 * step below. A newer write takes the place of one with the same last bits, which then
 * is not known: never is a piece said to be written later than it was.
 */
static _Atomic uint64_t writes[2][WRITES];

static uint32_t name_of(const struct buffer *buf, uint64_t offset)
{
	return (uint32_t)((uintptr_t)buf / sizeof(*buf)) * 2654435761u +
	       (uint32_t)(offset / PIECE);
}

void note_write(const struct buffer *buf, uint64_t offset, bool by_gpu)
{
	uint32_t name = name_of(buf, offset);

	atomic_store(&writes[by_gpu][name % WRITES],
		     (uint64_t)name << 32 | (atomic_fetch_add(&steps, 1) + 1));
}

void note_sync(const struct buffer *buf, uint64_t offset, uint64_t size, enum gemsync_op_type type)
{
	syncs[sync_count++ % SYNCS] = (struct sync){
		.buf = buf, .offset = offset, .size = size, .type = type,
		.step = atomic_fetch_add(&steps, 1) + 1,
	};
}

/* 0 if it is not known to have been written. */
static uint32_t last_write(const struct buffer *buf, uint64_t line, uint64_t line_size,
			   bool by_gpu)
{
	uint32_t name, last = 0;
	uint64_t at, write;

	for (at = line; at < line + line_size; at += PIECE) {
		name = name_of(buf, at);
		write = atomic_load(&writes[by_gpu][name % WRITES]);
		if (write >> 32 == name && (uint32_t)write > last)
			last = (uint32_t)write;
	}
	return last;
}

static bool overlaps(const struct sync *sync, uint64_t line, uint64_t line_size)
{
	/* A size may be GEMSYNC_WHOLE_SIZE. */
	return sync->size && sync->offset < line + line_size &&
	       (line < sync->offset || line - sync->offset < sync->size);
}

static enum asked asked(const struct buffer *buf, uint64_t line, uint64_t line_size, bool drops)
{
	size_t i, count = sync_count < SYNCS ? sync_count : SYNCS;
	uint32_t last = 0;

	for (i = 0; i < count; i++)
		if (syncs[i].buf == buf && (!drops || syncs[i].type == GEMSYNC_INVALIDATE) &&
		    overlaps(&syncs[i], line, line_size) && syncs[i].step > last)
			last = syncs[i].step;
	if (!last)
		return ASKED_NOT;
	return last > last_write(buf, line, line_size, drops) ? ASKED : ASKED_EARLY;
}

enum asked asked_to_clean(const struct buffer *buf, uint64_t line, uint64_t line_size)
{
	return asked(buf, line, line_size, false);
}

enum asked asked_to_drop(const struct buffer *buf, uint64_t line, uint64_t line_size)
{
	return asked(buf, line, line_size, true);
}
