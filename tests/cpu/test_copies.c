// SPDX-License-Identifier: MIT
/*
 * Each back end that this CPU has, with its own instructions, against plain C: all
 * alignments and sizes, guard bytes around (R26). Each in a process of its own, because
 * the choice is made once. Needs nothing but libc: it is also built for other CPUs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gemsync/cpu.h>

#include "verify.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define SIZES			4096u
#define GUARD			64u

/* Where a CPU is emulated, all takes longer. */
static bool quick;

static int check_op(struct verify *verify, enum verify_op op, size_t step)
{
	size_t size, offset, other;
	int ret;

	for (size = 0; size <= SIZES; size += step) {
		for (offset = GUARD; offset < 2 * GUARD; offset++) {
			other = GUARD + (offset * 7 + size) % 64;
			ret = verify_one(verify, op, offset, other, size);
			if (ret) {
				printf("# op %d, size %zu, alignments %zu and %zu: %s\n", op, size,
				       offset % 64, other % 64, strerror(-ret));
				return ret;
			}
		}
	}
	return 0;
}

/* Buffers that end with what may be touched: the address sanitizer sees a byte more. */
static int check_small(uint64_t seed, size_t step)
{
	struct verify verify;
	enum verify_op op;
	int ret;

	ret = verify_init(&verify, SIZES + 3 * GUARD, seed);
	for (op = 0; !ret && op < VERIFY_OPS; op++)
		ret = check_op(&verify, op, op < VERIFY_UPLOAD ? 9 * step : step);
	if (ret != -ENOMEM)
		verify_fini(&verify);
	return ret;
}

static int check_large(uint64_t seed)
{
	static const size_t sizes[] = {
		32 << 10, 256 << 10, (256 << 10) - 1, 1 << 20, (1 << 20) + 65, (4 << 20) + 3,
		(32 << 20) + 64, 64 << 20,
	};
	size_t count = quick ? 4 : ARRAY_SIZE(sizes);
	struct verify verify;
	enum verify_op op;
	size_t i;
	int ret;

	ret = verify_init(&verify, sizes[count - 1] + 3 * GUARD, seed);
	if (ret)
		return ret;
	for (i = 0; !ret && i < count; i++)
		for (op = 0; !ret && op < VERIFY_OPS; op++)
			ret = verify_one(&verify, op, GUARD + i * 5 % 64, GUARD + i * 11 % 64,
					 sizes[i]);
	if (!ret)
		ret = verify_random(&verify, quick ? 50 : 100);
	verify_fini(&verify);
	return ret;
}

struct work {
	const struct verify_backend *backend;
	uint64_t seed;
};

static int check_backend(void *context)
{
	const struct work *work = context;
	size_t step = work->backend->copies ? 1 : 5;
	int ret;

	ret = check_small(work->seed, quick ? 9 * step : step);
	if (!ret)
		ret = check_large(work->seed);
	if (ret)
		printf("# %s: %s\n", work->backend->name, strerror(-ret));
	return ret;
}

int main(int argc, char **argv)
{
	const char *text = getenv("GEMSYNC_TEST_SEED");
	struct work work = { .seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) };
	int ret, failed = 0, ran = 0, number = 0;

	if (argc > 1 && !strcmp(argv[1], "quick"))
		quick = true;
	printf("# GEMSYNC_TEST_SEED=%llu\n", (unsigned long long)work.seed);
	for (work.backend = verify_backends; work.backend->name; work.backend++) {
		ret = verify_with(work.backend->name, check_backend, &work);
		ran += !ret;
		failed += ret && ret != -EOPNOTSUPP;
		printf("%sok %d - copies by %s are memcpy()%s\n",
		       ret && ret != -EOPNOTSUPP ? "not " : "", ++number, work.backend->name,
		       ret == -EOPNOTSUPP ? " # SKIP this CPU lacks it" : "");
	}
	/* A CPU without any must say so, not pass by lacking all. */
	ret = !ran && !gemsync_cpu_query(&(struct gemsync_cpu_info){ 0 });
	printf("%sok %d - the CPU has a back end or says that it has none\n1..%d\n",
	       ret ? "not " : "", number + 1, number + 1);
	return failed || ret;
}
