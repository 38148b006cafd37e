// SPDX-License-Identifier: MIT
/* Timing: rounds of turns, medians. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <gemsync/cpu.h>

#include "bench.h"
#include "reference.h"

#define RING		(256u << 10)	/* bytes that small ranges go round in: more than L1, */
#define RING_COUNT	256u		/* but not so many that a turn is interrupted */
/*
 * Rounds on small ranges are at different places: lines are not equally far from their
 * memory, and some have the lower bits of an address on the stack, which costs too.
 */
#define PLACES		61u
#define PLACE_STEP	((68u << 10) + 5 * 64)
#define PLACED		(4u * RING)	/* all that a turn touches */
#define BUFFER_MIN	(PLACES * PLACE_STEP + PLACED)
#define ROUNDS_MAX	2001u
#define TURN_NS		30000.0		/* a turn takes this long at least */
#define CASE_NS		400e6		/* rounds of a case, as many as fit in */
#define ROUNDS_MIN	9u

struct turn {
	double ns[ROUNDS_MAX];		/* for one range */
	double ratio[ROUNDS_MAX];
};

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

static double median(double *numbers, unsigned int count)
{
	qsort(numbers, count, sizeof(*numbers), compare);
	return numbers[count / 2];
}

static void pass(const struct bench_contender *contender, const struct bench_work *work)
{
	size_t i;

	for (i = 0; i < work->calls; i++)
		contender->run(work, i);
}

/* One pass for the caches, then timed ones. */
static double take_turn(const struct bench_contender *contender, const struct bench_work *work,
			unsigned int passes)
{
	double start, took = 0;
	unsigned int i;

	pass(contender, work);
	start = now();
	for (i = 0; i < passes; i++) {
		if (contender->prepare) {
			took += now() - start;
			contender->prepare(work);
			start = now();
		}
		pass(contender, work);
	}
	return (took + now() - start) / passes / (double)work->count;
}

static unsigned int passes_for(const struct bench_contender *contender,
			       const struct bench_work *work)
{
	double once = take_turn(contender, work, 1) * (double)work->count;

	return once > TURN_NS ? 1 : (unsigned int)(TURN_NS / once) + 1;
}

static unsigned int rounds_for(double ns, unsigned int asked)
{
	double fit = CASE_NS / ns;

	if (asked)
		return asked < ROUNDS_MAX ? asked : ROUNDS_MAX;
	if (fit < ROUNDS_MIN)
		return ROUNDS_MIN;
	return fit < ROUNDS_MAX ? (unsigned int)fit : ROUNDS_MAX;
}

/*
 * Who runs here: the reference, and the others that do the same work or those that do
 * not. These are apart, as they leave the caches in a state that lasts for some passes
 * of the others.
 */
static size_t choose_contenders(const struct bench_group *group, bool incomparable,
				const struct bench_contender **chosen)
{
	const struct bench_contender *contender = group->contenders;
	size_t i, count = 0;

	for (i = 0; i < BENCH_CONTENDERS && contender[i].name; i++)
		if (contender[i].run && (!i || contender[i].incomparable == incomparable))
			chosen[count++] = &contender[i];
	return count;
}

static struct bench_work placed(const struct bench_work *work, unsigned int round)
{
	struct bench_work moved = *work;

	if (work->size < RING) {
		moved.bo += round % PLACES * PLACE_STEP;
		moved.other += round % PLACES * PLACE_STEP;
	}
	return moved;
}

static void run_rounds(const struct bench_contender **contenders, size_t count,
		       const struct bench_work *work, unsigned int rounds, struct turn *turns)
{
	unsigned int passes[BENCH_CONTENDERS], round;
	struct bench_work here;
	size_t i, at;

	for (i = 0; i < count; i++)
		passes[i] = passes_for(contenders[i], work);
	for (round = 0; round < rounds; round++) {
		here = placed(work, round);
		for (i = 0; i < count; i++) {
			at = (i + round) % count;	/* nobody is always first */
			turns[at].ns[round] = take_turn(contenders[at], &here, passes[at]);
		}
		for (i = 0; i < count; i++)
			turns[i].ratio[round] = turns[i].ns[round] / turns[0].ns[round];
	}
}

static void run_contenders(const struct bench_group *group, bool incomparable,
			   const struct bench_work *work, unsigned int rounds,
			   struct turn *turns, struct bench_case *done)
{
	const struct bench_contender *contenders[BENCH_CONTENDERS];
	double once = 0;
	size_t i, count;

	count = choose_contenders(group, incomparable, contenders);
	if (incomparable && count == 1)
		return;
	for (i = 0; i < count; i++)
		once += take_turn(contenders[i], work, 1) * (double)work->count * 2;
	rounds = rounds_for(once, rounds);
	run_rounds(contenders, count, work, rounds, turns);
	for (i = incomparable; i < count; i++)	/* the reference is there already */
		done->results[done->count++] = (struct bench_result){
			.group = group,
			.contender = contenders[i],
			.size = work->size,
			.ns = median(turns[i].ns, rounds),
			.ratio = median(turns[i].ratio, rounds),
		};
}

static void run_case(const struct bench_group *group, const struct bench_work *work,
		     unsigned int rounds, struct turn *turns, struct bench_case *done)
{
	done->count = 0;
	run_contenders(group, false, work, rounds, turns, done);
	run_contenders(group, true, work, rounds, turns, done);
}

static char *alloc_buffer(size_t size)
{
	char *buffer;

	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return NULL;
	/* The driver's pages may be small or huge: the same ones for all is what counts. */
	madvise(buffer, size, MADV_HUGEPAGE);
	memset(buffer, 1, size);
	return buffer;
}

static size_t count_for(const struct bench_group *group, size_t size)
{
	if (group->fixed_count)
		return group->fixed_count;
	if (size >= RING)
		return 1;
	return RING / size < RING_COUNT ? RING / size : RING_COUNT;
}

static void run_sizes(const struct bench_group *group, const struct bench_options *options,
		      size_t size_max, struct bench_work *work, struct turn *turns,
		      void (*report)(const struct bench_case *done, void *context), void *context)
{
	struct bench_case done;

	for (work->size = group->size_min; work->size <= size_max; work->size *= 4) {
		work->count = count_for(group, work->size);
		work->calls = group->at_once ? 1 : work->count;
		run_case(group, work, options->rounds, turns, &done);
		report(&done, context);
	}
}

int bench_run(const struct bench_group *group, const struct bench_options *options,
	      void (*report)(const struct bench_case *done, void *context), void *context)
{
	size_t size_max = group->size_max, buffer;
	struct gemsync_cpu_info info;
	struct bench_work work = { 0 };
	struct turn *turns;
	int ret = -ENOMEM;

	if (gemsync_cpu_query(&info) || !reference_exists)
		return -EOPNOTSUPP;
	if (options->size_max && options->size_max < size_max)
		size_max = options->size_max;
	buffer = size_max > BUFFER_MIN ? size_max : BUFFER_MIN;
	turns = calloc(BENCH_CONTENDERS, sizeof(*turns));
	work.bo = alloc_buffer(buffer);
	work.other = alloc_buffer(buffer);
	if (turns && work.bo && work.other) {
		run_sizes(group, options, size_max, &work, turns, report, context);
		ret = 0;
	}
	if (work.bo)
		munmap(work.bo, buffer);
	if (work.other)
		munmap(work.other, buffer);
	free(turns);
	return ret;
}
