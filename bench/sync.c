// SPDX-License-Identifier: MIT
/*
 * What a sync call of a driver costs (R10), for a virtual device in the VM:
 *
 *	vm/run --memory 3072 -- build/user/bench/bench-sync panthor
 *
 * By turns, medians of the rounds; ratios, because a VM's time is not a machine's.
 * Exit status: 0; 1 if a goal is missed; 3 if it cannot run.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gemsync/gemsync.h>

#define ROUNDS		101u
#define CALLS		64u		/* of one turn */
#define BIG		(1ull << 30)
#define OPS		256u
#define PAGE		4096u

#define END_GOAL	1.20	/* time at the end of a large BO to that at its start */
#define BATCH_GOAL	0.15	/* time of one call with all ops to that of a call for each */
#define NO_GOAL		0.0

typedef int (*turn_fn)(struct gemsync_bo *bo, struct gemsync_device *dev);

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The median of the rounds' ratios of the second to the first; negative is -errno. */
static double compare_turns(struct gemsync_device *dev, struct gemsync_bo *bo, turn_fn first,
			    turn_fn second)
{
	double ratios[ROUNDS], start, middle;
	unsigned int i;
	int ret;

	for (i = 0; i < ROUNDS; i++) {
		start = now();
		ret = first(bo, dev);
		middle = now();
		if (!ret)
			ret = second(bo, dev);
		if (ret)
			return ret;
		ratios[i] = (now() - middle) / (middle - start);
	}
	qsort(ratios, ROUNDS, sizeof(ratios[0]), compare);
	return ratios[ROUNDS / 2];
}

/* ---- The turns ---- */

static int flush_at(struct gemsync_bo *bo, uint64_t offset)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < CALLS; i++)
		ret = gemsync_bo_flush(bo, offset, 64);
	return ret;
}

static int at_start(struct gemsync_bo *bo, struct gemsync_device *dev)
{
	(void)dev;
	return flush_at(bo, 0);
}

static int at_end(struct gemsync_bo *bo, struct gemsync_device *dev)
{
	(void)dev;
	return flush_at(bo, BIG - 64);
}

static int one_by_one(struct gemsync_bo *bo, struct gemsync_device *dev)
{
	unsigned int i;
	int ret = 0;

	(void)dev;
	for (i = 0; !ret && i < OPS; i++)
		ret = gemsync_bo_flush(bo, (uint64_t)i * PAGE, 64);
	return ret;
}

static int all_at_once(struct gemsync_bo *bo, struct gemsync_device *dev)
{
	struct gemsync_op ops[OPS];
	unsigned int i;

	for (i = 0; i < OPS; i++)
		ops[i] = (struct gemsync_op){
			.bo = bo, .type = GEMSYNC_FLUSH, .offset = (uint64_t)i * PAGE, .size = 64,
		};
	return gemsync_device_sync(dev, ops, OPS);
}

/* ---- What is compared ---- */

/*
 * A BO without pages has no lines to maintain (R9): what is compared is the calls alone.
 * With a line for each op, half of an op's time is the emulation of its maintenance: on
 * hardware it takes tens of ns, here almost a microsecond, to three of the call. So that
 * has no goal.
 */
static const struct {
	const char *what;
	uint64_t size;
	bool has_pages;
	turn_fn first, second;
	double goal;
} cases[] = {
	{ "64 bytes at the end of 1 GiB, to at its start", BIG, true, at_start, at_end, END_GOAL },
	{ "256 ops in one call, to 256 calls", OPS * PAGE, false, one_by_one, all_at_once,
	  BATCH_GOAL },
	{ "the same, a line emulated for each op", OPS * PAGE, true, one_by_one, all_at_once,
	  NO_GOAL },
};

/* The pages that are flushed are there from here on. */
static int touch(struct gemsync_bo *bo, uint64_t size)
{
	volatile char *bytes;
	uint64_t offset;
	void *map;
	int ret;

	ret = gemsync_bo_map(bo, &map);
	if (ret)
		return ret;
	bytes = map;
	for (offset = 0; offset < size && offset < OPS * PAGE; offset += PAGE)
		bytes[offset] = 1;
	bytes[size - 1] = 1;
	return 0;
}

static double run_case(struct gemsync_device *dev, size_t i)
{
	struct gemsync_bo *bo;
	double ratio;
	int ret;

	ret = gemsync_bo_create(dev, cases[i].size, GEMSYNC_BO_CACHED, &bo);
	if (ret)
		return ret;
	ret = cases[i].has_pages ? touch(bo, cases[i].size) : 0;
	if (!ret)
		ret = gemsync_bo_set_path(bo, GEMSYNC_PATH_DRIVER);
	ratio = ret ? ret : compare_turns(dev, bo, cases[i].first, cases[i].second);
	gemsync_bo_destroy(bo);
	return ratio;
}

/* Print a line; whether a goal is missed. */
static bool report(size_t i, double ratio)
{
	bool missed = cases[i].goal > NO_GOAL && ratio > cases[i].goal;

	printf("%-46s %.3f", cases[i].what, ratio);
	if (cases[i].goal > NO_GOAL)
		printf(", goal %.2f: %s", cases[i].goal, missed ? "MISSES" : "holds");
	putchar('\n');
	return missed;
}

int main(int argc, char **argv)
{
	struct gemsync_device *dev;
	double ratio;
	int ret, status = 0;
	size_t i;

	ret = gemsync_device_open(argc > 1 ? argv[1] : NULL, &dev);
	if (ret) {
		fprintf(stderr, "bench-sync: no device: %s\n", strerror(-ret));
		return 3;
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ratio = run_case(dev, i);
		if (ratio < 0) {
			fprintf(stderr, "bench-sync: %s: %s\n", cases[i].what,
				strerror((int)-ratio));
			status = 3;
			break;
		}
		if (report(i, ratio))
			status = 1;
	}
	gemsync_device_close(dev);
	return status;
}
