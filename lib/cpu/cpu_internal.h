/* SPDX-License-Identifier: MIT */
/*
 * Back ends of gemsync/cpu.h. A file per architecture has a table of them, the best
 * one first, and uses the CPU's instructions through a header of its own, <arch>_insn.h:
 * tests put another one in front of it that records.
 */
#ifndef GEMSYNC_CPU_INTERNAL_H
#define GEMSYNC_CPU_INTERNAL_H

#include <stdbool.h>

/* The build hides symbols; of a shared library the public calls are the ones that are seen. */
#ifdef GEMSYNC_SHARED
#pragma GCC visibility push(default)
#endif
#include <gemsync/cpu.h>
#ifdef GEMSYNC_SHARED
#pragma GCC visibility pop
#endif

/* Bytes, powers of two. */
struct cpu_lines {
	size_t line;
	size_t granule;
};

/* A back end. Ranges are whole lines, [start, end). What it lacks is NULL. */
struct cpu_ops {
	const char *name;			/* GEMSYNC_CPU=name forces it */
	const char *why;			/* what gemsync_cpu_query() says if it is chosen */
	uint32_t features;			/* GEMSYNC_CPU_* */
	bool (*probe)(struct cpu_lines *lines);	/* can this CPU do it? */
	bool (*preferred)(void);		/* and should it? NULL: yes */
	void (*clean)(uintptr_t start, uintptr_t end, size_t line);
	void (*clean_inval)(uintptr_t start, uintptr_t end, size_t line);
	void (*fence)(enum gemsync_direction direction);
	/*
	 * Copies better than memcpy() before or after maintenance, or NULL. upload leaves
	 * the fence to the caller; readback does its own.
	 */
	void (*upload)(char *to, const char *from, size_t size, size_t line, uint32_t flags);
	void (*readback)(char *to, const char *from, size_t size, size_t line);
};

/* The architecture's back ends in the order of preference; the last has no name. */
extern const struct cpu_ops gemsync_cpu_backends[] __attribute__((visibility("hidden")));

#endif
