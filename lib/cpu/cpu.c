// SPDX-License-Identifier: MIT
/*
 * Which back end this CPU gets, and the calls of gemsync/cpu.h on it.
 *
 * The choice is one word, made again by each thread that does not see it yet: all of
 * them find the same, so it needs neither a lock nor an order.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE	/* secure_getenv() and syscall(), in whatever project this is built */
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_internal.h"
#include "range.h"

/* No cache has longer lines: what is safe where nothing is known. */
#define GRANULE_MAX	4096u

/* The chosen row, or why there is none. */
#define NO_BACKEND	0xf0u	/* and above: */
enum refusal {
	LACKS_ALL = NO_BACKEND,
	LACKS_FORCED,
	KNOWS_NOT_FORCED,
};

static const char *const refusals[] = {
	[LACKS_ALL - NO_BACKEND] =
		"no user-space cache maintenance on this CPU, or the kernel does not allow it",
	[LACKS_FORCED - NO_BACKEND] = "GEMSYNC_CPU names a back end that this CPU lacks",
	[KNOWS_NOT_FORCED - NO_BACKEND] =
		"GEMSYNC_CPU names no back end of this architecture",
};

#define FORCED_WHY	"forced by GEMSYNC_CPU"

/* What the word says. */
struct choice {
	unsigned int row;	/* or enum refusal */
	bool forced;
	struct cpu_lines lines;
};

static uint32_t chosen;	/* 0: not yet */

static uint32_t encode(const struct choice *choice)
{
	return 1u << 31 | (uint32_t)choice->forced << 30 | gs_log2(choice->lines.granule) << 16 |
	       gs_log2(choice->lines.line) << 8 | choice->row;
}

static struct choice decode(uint32_t word)
{
	return (struct choice){
		.row = word & 0xff,
		.forced = word >> 30 & 1,
		.lines.granule = (size_t)1 << (word >> 16 & 0xff),
		.lines.line = (size_t)1 << (word >> 8 & 0xff),
	};
}

static bool lines_valid(const struct cpu_lines *lines)
{
	return lines->line <= GRANULE_MAX && gs_line_size_valid((u32)lines->line) &&
	       lines->granule <= GRANULE_MAX && gs_line_size_valid((u32)lines->granule) &&
	       lines->granule >= lines->line;
}

static bool usable(const struct cpu_ops *ops, struct choice *choice)
{
	return ops->probe(&choice->lines) && lines_valid(&choice->lines);
}

static void choose_forced(const char *name, struct choice *choice)
{
	unsigned int i;

	choice->forced = true;
	choice->row = KNOWS_NOT_FORCED;
	for (i = 0; gemsync_cpu_backends[i].name; i++) {
		if (strcmp(gemsync_cpu_backends[i].name, name))
			continue;
		choice->row = usable(&gemsync_cpu_backends[i], choice) ? i : LACKS_FORCED;
	}
}

static void choose_best(struct choice *choice)
{
	const struct cpu_ops *ops;
	unsigned int i;

	choice->row = LACKS_ALL;
	for (i = 0; gemsync_cpu_backends[i].name && choice->row == LACKS_ALL; i++) {
		ops = &gemsync_cpu_backends[i];
		if ((!ops->preferred || ops->preferred()) && usable(ops, choice))
			choice->row = i;
	}
}

static __attribute__((cold, noinline)) uint32_t choose(void)
{
	const char *name = secure_getenv("GEMSYNC_CPU");
	struct choice choice = { 0 };
	uint32_t word, first = 0;

	if (name)
		choose_forced(name, &choice);
	else
		choose_best(&choice);
	if (choice.row >= NO_BACKEND)
		choice.lines = (struct cpu_lines){ .line = 1, .granule = GRANULE_MAX };
	word = encode(&choice);
	/* Of several first calls at the same time one decides for all. */
	if (__atomic_compare_exchange_n(&chosen, &first, word, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		return word;
	return first;
}

static inline struct choice get_choice(void)
{
	uint32_t word = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	return decode(word ? word : choose());
}

/* The back end, and the lines of a range. */
static inline int prepare(const void *start, size_t size, const struct cpu_ops **ops,
			  struct gs_range *lines, size_t *line)
{
	struct choice choice = get_choice();

	if (choice.row >= NO_BACKEND)
		return -EOPNOTSUPP;
	*ops = &gemsync_cpu_backends[choice.row];
	*line = choice.lines.line;
	return gs_range_to_lines((uintptr_t)start, size, (u32)choice.lines.line, lines);
}

int gemsync_cpu_query(struct gemsync_cpu_info *info)
{
	struct choice choice = get_choice();
	const struct cpu_ops *ops;

	info->granule = choice.lines.granule;
	if (choice.row >= NO_BACKEND) {
		info->line_size = 0;
		info->features = 0;
		info->backend = "none";
		info->why = refusals[choice.row - NO_BACKEND];
		return -EOPNOTSUPP;
	}
	ops = &gemsync_cpu_backends[choice.row];
	info->line_size = choice.lines.line;
	info->features = ops->features;
	info->backend = ops->name;
	info->why = choice.forced ? FORCED_WHY : ops->why;
	return 0;
}

int gemsync_cpu_flush_unfenced(const void *start, size_t size)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(start, size, &ops, &lines, &line);
	if (!ret && size)
		ops->clean(lines.start, lines.end, line);
	return ret;
}

int gemsync_cpu_invalidate_unfenced(const void *start, size_t size)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(start, size, &ops, &lines, &line);
	if (!ret && size)
		ops->clean_inval(lines.start, lines.end, line);
	return ret;
}

int gemsync_cpu_fence(enum gemsync_direction direction)
{
	struct choice choice = get_choice();

	if (choice.row >= NO_BACKEND)
		return -EOPNOTSUPP;
	if (direction != GEMSYNC_BEFORE_DEVICE && direction != GEMSYNC_BEFORE_CPU)
		return -EINVAL;
	gemsync_cpu_backends[choice.row].fence(direction);
	return 0;
}

int gemsync_cpu_flush(const void *start, size_t size)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(start, size, &ops, &lines, &line);
	if (ret)
		return ret;
	if (size)
		ops->clean(lines.start, lines.end, line);
	ops->fence(GEMSYNC_BEFORE_DEVICE);
	return 0;
}

int gemsync_cpu_invalidate(const void *start, size_t size)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(start, size, &ops, &lines, &line);
	if (ret)
		return ret;
	if (size)
		ops->clean_inval(lines.start, lines.end, line);
	ops->fence(GEMSYNC_BEFORE_CPU);
	return 0;
}

int gemsync_cpu_upload(void *to, const void *from, size_t size, uint32_t flags)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(to, size, &ops, &lines, &line);
	if (ret)
		return ret;
	if (flags & ~GEMSYNC_UPLOAD_CACHED)
		return -EINVAL;
	if (size && ops->upload) {
		ops->upload(to, from, size, line, flags);
	} else if (size) {
		memcpy(to, from, size);
		ops->clean(lines.start, lines.end, line);
	}
	ops->fence(GEMSYNC_BEFORE_DEVICE);
	return 0;
}

int gemsync_cpu_readback(void *to, const void *from, size_t size)
{
	const struct cpu_ops *ops;
	struct gs_range lines;
	size_t line;
	int ret;

	ret = prepare(from, size, &ops, &lines, &line);
	if (ret || !size)
		return ret;
	if (ops->readback) {
		ops->readback(to, from, size, line);
		return 0;
	}
	ops->clean_inval(lines.start, lines.end, line);
	ops->fence(GEMSYNC_BEFORE_CPU);
	memcpy(to, from, size);
	return 0;
}
