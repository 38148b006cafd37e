/* SPDX-License-Identifier: MIT */
/* A window of the cache-line model on the heap, whose ends the address sanitizer guards. */
#ifndef WINDOW_H
#define WINDOW_H

#include "unit.h"

#include "line.h"

struct window {
	struct gs_lines lines;
	u8 *mem;	/* the same buffers, as bytes */
	u8 *cache;
	u8 *base;
	u64 *under;	/* a bit for each line */
	u64 *stored;
};

/* All bytes are 0 and clean. */
static inline struct window *window_create(u32 size, u32 line)
{
	struct window *window = calloc(1, sizeof(*window));

	assert_non_null(window);
	window->mem = calloc(1, size);
	window->cache = calloc(1, size);
	window->base = calloc(1, size);
	window->under = calloc(size / line / 64 + 1, sizeof(*window->under));
	window->stored = calloc(size / line / 64 + 1, sizeof(*window->stored));
	assert_true(window->mem && window->cache && window->base && window->under &&
		    window->stored);
	window->lines = (struct gs_lines){
		.mem = (u64 *)window->mem,
		.cache = (u64 *)window->cache,
		.base = (u64 *)window->base,
		.size = size,
		.line = line,
		.under = window->under,
		.stored = window->stored,
	};
	return window;
}

static inline void window_destroy(struct window *window)
{
	free(window->mem);
	free(window->cache);
	free(window->base);
	free(window->under);
	free(window->stored);
	free(window);
}

static inline void assert_bytes(const u8 *bytes, u32 from, u32 to, u8 value)
{
	for (u32 i = from; i < to; i++) {
		if (bytes[i] != value)
			fail_msg("byte %u of [%u, %u) is 0x%02x, not 0x%02x", i, from, to,
				 bytes[i], value);
	}
}

#endif
