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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gemsync/cpu.h>

#include "verify.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define SIZES			4096u
#define GUARD			64u

/* Exit statuses of a child besides 0. */
#define WRONG	1
#define LACKS	2

/* The architecture's back ends; those that copy by memcpy() have fewer sizes to get wrong. */
static const struct {
	const char *name;
	size_t step;	/* from one size to the next */
} backends[] = {
#if defined(__x86_64__)
	{ "clwb", 1 }, { "clflushopt", 3 }, { "clflush", 5 }, { "clflushopt-twice", 5 },
	{ "clflush-twice", 5 },
#elif defined(__aarch64__)
	{ "dc", 3 }, { "dc-twice", 5 },
#else
	{ "zicbom", 3 },
#endif
};

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

static int check_backend(const char *name, size_t step, uint64_t seed)
{
	struct gemsync_cpu_info info;
	int ret;

	setenv("GEMSYNC_CPU", name, 1);
	if (gemsync_cpu_query(&info))
		return LACKS;
	if (strcmp(info.backend, name))
		return WRONG;
	ret = check_small(seed, quick ? 9 * step : step);
	if (!ret)
		ret = check_large(seed);
	if (ret)
		printf("# %s: %s\n", name, strerror(-ret));
	return ret ? WRONG : 0;
}

static int in_child(const char *name, size_t step, uint64_t seed)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = check_backend(name, step, seed);
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return WRONG;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const char *text = getenv("GEMSYNC_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
	int status, failed = 0, ran = 0;
	size_t i;

	if (argc > 1 && !strcmp(argv[1], "quick"))
		quick = true;
	printf("# GEMSYNC_TEST_SEED=%llu\n1..%zu\n", (unsigned long long)seed,
	       ARRAY_SIZE(backends) + 1);
	for (i = 0; i < ARRAY_SIZE(backends); i++) {
		status = in_child(backends[i].name, backends[i].step, seed);
		failed += status == WRONG;
		ran += !status;
		printf("%sok %zu - copies by %s are memcpy()%s\n", status == WRONG ? "not " : "",
		       i + 1, backends[i].name, status == LACKS ? " # SKIP this CPU lacks it" : "");
	}
	/* A CPU without any must say so, not pass by lacking all. */
	status = !ran && !gemsync_cpu_query(&(struct gemsync_cpu_info){ 0 });
	printf("%sok %zu - the CPU has a back end or says that it has none\n", status ? "not " : "",
	       i + 1);
	return failed || status;
}
