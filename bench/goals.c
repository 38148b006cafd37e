// SPDX-License-Identifier: MIT
/* What is to be reached, by class of CPU. */
#include <stdlib.h>
#include <string.h>

#include <gemsync/cpu.h>

#include "bench.h"

#if defined(__x86_64__)

#include <cpuid.h>

/* AMD's family 1Ah, where clwb was chosen. */
static bool is_zen5(void)
{
	unsigned int eax, ebx, ecx, edx, family;
	struct gemsync_cpu_info info;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx)
		return false;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return false;
	family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
	return family == 0x1a && !gemsync_cpu_query(&info) && !strcmp(info.backend, "clwb");
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

/* What no CPU may miss: as good as the reference, within what a measurement varies. */
#define NEVER_WORSE \
	{ "flush", NULL, ALL_SIZES, 1.05 }, \
	{ "flush-ring", NULL, ALL_SIZES, 1.05 }, \
	{ "invalidate", NULL, ALL_SIZES, 1.05 }, \
	{ "upload", NULL, ALL_SIZES, 1.05 }, \
	{ "upload-cached", NULL, ALL_SIZES, 1.05 }, \
	{ "readback", NULL, ALL_SIZES, 1.05 }, \
	{ "batch", NULL, ALL_SIZES, 1.05 }, \
	{ "batch-apart", NULL, ALL_SIZES, 1.05 }

#define AS_GOOD_AS_LIBPMEM \
	{ "flush", "libpmem", ALL_SIZES, 1.05 }, \
	{ "flush-ring", "libpmem", ALL_SIZES, 1.05 }, \
	{ "upload", "libpmem", ALL_SIZES, 1.05 }

static const struct bench_goal zen5[] = {
	{ "flush", NULL, 64, KIB, 0.45 },
	{ "flush", NULL, 4 * KIB, 4 * KIB, 0.50 },
	{ "flush", NULL, 64 * KIB, 64 * KIB, 0.72 },
	{ "upload", NULL, 64, 4 * KIB, 0.55 },
	{ "upload", NULL, 64 * KIB, 16 * MIB, 0.55 },
	{ "upload", NULL, 64 * MIB, 64 * MIB, 0.70 },
	{ "upload", "nt-copy", 64 * KIB, 16 * MIB, 1 / 0.75 },
	/* Only the reference's fences can be saved: 40 of its 390 ns, see lib/cpu/x86_64.c. */
	{ "readback", NULL, 64, 256, 0.96 },
	{ "readback", NULL, MIB, MIB, 0.85 },
	{ "readback", NULL, 4 * MIB, 16 * MIB, 0.90 },
	{ "batch", NULL, 64, 64, 0.02 },
	NEVER_WORSE,
	AS_GOOD_AS_LIBPMEM,
	{ NULL, NULL, 0, 0, 0 },
};

static const struct bench_goal forced[] = {
	NEVER_WORSE,
	{ NULL, NULL, 0, 0, 0 },
};

static const struct bench_goal any[] = {
	NEVER_WORSE,
	AS_GOOD_AS_LIBPMEM,
	{ NULL, NULL, 0, 0, 0 },
};

static const struct bench_class classes[] = {
	{ "Zen 5 with clwb", is_zen5, zen5 },
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
		{ NULL, NULL, 0, 0, 0 },
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

bool bench_judge(const struct bench_goal *goal, const struct bench_case *done, double *ratio)
{
	const struct bench_result *own = bench_find(done, BENCH_OWN), *other;

	if (!own || strcmp(goal->group, own->group->name) || own->size < goal->size_min ||
	    own->size > goal->size_max)
		return false;
	if (!goal->against) {
		*ratio = own->ratio;
		return true;
	}
	other = bench_find(done, goal->against);
	if (!other)
		return false;
	*ratio = own->ratio / other->ratio;
	return true;
}
