/* SPDX-License-Identifier: MIT */
/*
 * How fast gemsync/cpu.h is, side by side with others in one run.
 *
 * A case is work of one size: all contenders do it by turns, round after round, each on
 * the same memory and after a turn that is not timed, which brings the caches into its
 * own state. What counts is the median of the rounds, and of the ratio to the reference
 * in the same round. Contenders that do other work have rounds of their own, with the
 * reference.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_CONTENDERS	5	/* at most, in one case; the first is the reference */

/* Memory that a turn works on: @count ranges of @size bytes in each buffer. */
struct bench_work {
	char *bo;
	char *other;
	size_t size;
	size_t count;	/* ranges of a pass */
	size_t calls;	/* in which a pass works on them */
};

struct bench_contender {
	const char *name;
	/* Do call @i of a pass; NULL: not on this machine, and @note says why. */
	void (*run)(const struct bench_work *work, size_t i);
	const char *note;	/* what is to be known of it, or NULL */
	bool incomparable;	/* does less than the others; these come last */
	/* Before each pass, and not timed; NULL if there is nothing to prepare. */
	void (*prepare)(const struct bench_work *work);
};

/* A kind of work. */
struct bench_group {
	const char *name;
	const char *what;	/* for people */
	size_t size_min;	/* bytes; each size is 4 times the one before */
	size_t size_max;
	size_t fixed_count;	/* ranges of a pass; 0: as many as fit into a ring */
	bool at_once;		/* a call works on all of them; else each has a call */
	const struct bench_contender *contenders;
};

extern const struct bench_group bench_groups[];
extern const size_t bench_group_count;

/* What was measured of one contender in one case. */
struct bench_result {
	const struct bench_group *group;
	const struct bench_contender *contender;
	size_t size;
	double ns;		/* median, for one range */
	double ratio;		/* of time, to the reference; 1 is the reference itself */
};

/* Of a case. */
struct bench_case {
	struct bench_result results[BENCH_CONTENDERS];
	size_t count;
};

struct bench_options {
	unsigned int rounds;	/* 0: a number that suits the size */
	size_t size_max;	/* no larger sizes than that; 0: all */
};

/**
 * Run all cases of a group, in ascending sizes.
 *
 * Returns 0; -EOPNOTSUPP if this machine has no reference or no back end; -ENOMEM.
 */
int bench_run(const struct bench_group *group, const struct bench_options *options,
	      void (*report)(const struct bench_case *done, void *context), void *context);

/* ---- Goals ---- */

/* Of a class of CPUs: @contender's @group, from one size to another. */
struct bench_goal {
	const char *group;
	const char *against;	/* NULL: the reference */
	size_t size_min, size_max;
	double ratio;		/* of time: at most */
	/*
	 * Who has nothing but the CPU's instructions, or NULL: a goal against the reference
	 * that is missed by little is at the machine's limit where that one is no faster.
	 */
	const char *limit;
};

struct bench_class {
	const char *name;
	bool (*is_this)(void);
	const struct bench_goal *goals;	/* up to one without a group */
};

/* The class of this machine: the last one fits all. */
const struct bench_class *bench_class_here(void);

/* In its place: all work that has goals is to reach @ratio. It lasts until the next call. */
const struct bench_class *bench_class_of_ratio(double ratio);

enum bench_verdict {
	BENCH_NO_GOAL,		/* the goal is not about this case */
	BENCH_HOLDS,
	BENCH_ABSENT,		/* who it compares with, or would excuse a miss, is not there */
	BENCH_LIMIT,		/* it is missed, and this machine has nothing faster */
	BENCH_MISSES,
};

/* The contender of that name if its group has it, but not on this machine; else NULL. */
const struct bench_contender *bench_absent(const struct bench_case *done, const char *name);

/* How @done compares with a goal. */
enum bench_verdict bench_judge(const struct bench_goal *goal, const struct bench_case *done,
			       double *ratio);

#define BENCH_OWN	"gemsync"	/* name of the contender that has goals */

/* A contender's result in a case, NULL if it did not run. */
const struct bench_result *bench_find(const struct bench_case *done, const char *name);

#endif
