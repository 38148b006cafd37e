// SPDX-License-Identifier: MIT
/* What is to be reached, by class of CPU. */
#include <stdlib.h>
#include <string.h>

#include <gemsync/cpu.h>

#include "bench.h"

#if defined(__x86_64__)

#include <cpuid.h>

/* AMD's family 1Ah, where what it has was chosen. */
static bool is_zen5(void)
{
	unsigned int eax, ebx, ecx, edx, family;
	struct gemsync_cpu_info info;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx)
		return false;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return false;
	family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
	return family == 0x1a && !gemsync_cpu_query(&info) && !strcmp(info.backend, "movdir64b");
}

#else

static bool is_zen5(void)
{
	return false;
}

#endif

/* libpmem still takes the best: it does other work then. */
static bool is_forced(void)
{
	return getenv("GEMSYNC_CPU");
}

static bool is_any(void)
{
	return true;
}

#define KIB		((size_t)1 << 10)
#define MIB		((size_t)1 << 20)
#define ALL_SIZES	0, SIZE_MAX
#define WITHIN		1.05	/* what two that do the same may differ by */
#define LIMIT_MAX	1.2	/* the machine's limit excuses no more than that */

/* What no CPU may miss: as good as the reference. */
#define NEVER_WORSE \
	{ "flush", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "flush-ring", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "invalidate", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "upload", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "upload-cached", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "readback", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "batch", NULL, ALL_SIZES, WITHIN, NULL }, \
	{ "batch-apart", NULL, ALL_SIZES, WITHIN, NULL }

#define AS_GOOD_AS_LIBPMEM \
	{ "flush", "libpmem", ALL_SIZES, WITHIN, NULL }, \
	{ "flush-ring", "libpmem", ALL_SIZES, WITHIN, NULL }, \
	{ "upload", "libpmem", ALL_SIZES, WITHIN, NULL }

static const struct bench_goal zen5[] = {
	{ "flush", NULL, 64, KIB, 0.45, "libpmem" },
	{ "flush", NULL, 4 * KIB, 4 * KIB, 0.50, NULL },
	{ "flush", NULL, 64 * KIB, 64 * KIB, 0.72, NULL },
	{ "upload", NULL, 64, 4 * KIB, 0.42, NULL },
	{ "upload", NULL, 64 * KIB, 16 * MIB, 0.52, NULL },
	{ "upload", NULL, 64 * MIB, 64 * MIB, 0.70, NULL },
	{ "upload", "nt-copy", 64 * KIB, 16 * MIB, 1 / 0.85, NULL },
	/* Only the reference's fences can be saved: 40 of its 390 ns, see lib/cpu/x86_64.c. */
	{ "readback", NULL, 64, 256, 0.96, NULL },
	{ "readback", NULL, MIB, MIB, 0.85, NULL },
	{ "readback", NULL, 4 * MIB, 16 * MIB, 0.90, NULL },
	{ "batch", NULL, 64, 64, 0.02, NULL },
	NEVER_WORSE,
	AS_GOOD_AS_LIBPMEM,
	{ 0 },
};

static const struct bench_goal forced[] = {
	NEVER_WORSE,
	{ 0 },
};

static const struct bench_goal any[] = {
	NEVER_WORSE,
	AS_GOOD_AS_LIBPMEM,
	{ 0 },
};

static const struct bench_class classes[] = {
	{ "Zen 5 with clwb and movdir64b", is_zen5, zen5 },
	{ "a forced back end", is_forced, forced },
	{ "any CPU", is_any, any },
};

const struct bench_class *bench_class_here(void)
{
	const struct bench_class *class = classes;

	while (!class->is_this())
		class++;
	return class;
}

const struct bench_class *bench_class_of_ratio(double ratio)
{
	static struct bench_goal goals[] = {
		NEVER_WORSE,
		{ 0 },
	};
	static const struct bench_class class = { "all work", is_any, goals };
	struct bench_goal *goal;

	for (goal = goals; goal->group; goal++)
		goal->ratio = ratio;
	return &class;
}

const struct bench_result *bench_find(const struct bench_case *done, const char *name)
{
	size_t i;

	for (i = 0; i < done->count; i++)
		if (!strcmp(done->results[i].contender->name, name))
			return &done->results[i];
	return NULL;
}

const struct bench_contender *bench_absent(const struct bench_case *done, const char *name)
{
	const struct bench_contender *contender = done->results[0].group->contenders;

	for (; contender && contender->name; contender++)
		if (!contender->run && !strcmp(contender->name, name))
			return contender;
	return NULL;
}

/* Whether the instructions by themselves, in the same rounds, are not faster either. */
static bool is_limit(const struct bench_goal *goal, const struct bench_case *done,
		     const struct bench_result *own)
{
	const struct bench_result *limit = goal->limit ? bench_find(done, goal->limit) : NULL;

	return limit && own->ratio <= limit->ratio * WITHIN &&
	       own->ratio <= goal->ratio * LIMIT_MAX;
}

enum bench_verdict bench_judge(const struct bench_goal *goal, const struct bench_case *done,
			       double *ratio)
{
	const struct bench_result *own = bench_find(done, BENCH_OWN), *other;

	if (!own || strcmp(goal->group, own->group->name) || own->size < goal->size_min ||
	    own->size > goal->size_max)
		return BENCH_NO_GOAL;
	*ratio = own->ratio;
	if (goal->against) {
		other = bench_find(done, goal->against);
		if (!other)
			return bench_absent(done, goal->against) ? BENCH_ABSENT : BENCH_NO_GOAL;
		*ratio /= other->ratio;
	}
	if (*ratio <= goal->ratio)
		return BENCH_HOLDS;
	if (goal->limit && bench_absent(done, goal->limit))
		return BENCH_ABSENT;
	return is_limit(goal, done, own) ? BENCH_LIMIT : BENCH_MISSES;
}
