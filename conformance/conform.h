/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite: cases that show whether a driver keeps the contract
 * (docs/contract.md), and what a run of them found. docs/conformance.md says how to
 * run it, and how to add a case (run/case.h) or a driver (gpu/gpu_ops.h).
 *
 * Each case runs in a process of its own, with its own DRM file, and has a time
 * limit: one that crashes or hangs fails alone.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <gemsync/gemsync.h>

#include "watched.h"

struct conform_case;
struct conform_report;
struct expected;	/* expected.h */

enum conform_verdict {
	CONFORM_PASS,
	CONFORM_FAIL,
	CONFORM_SKIP,	/* the device cannot run it; reason and remedy say why */
};

/* One thing that a case looked at. Strings that are too long are cut. */
struct conform_check {
	char what[112];
	char expected[64];
	char seen[64];
	char file[32];
	uint32_t line;
	uint32_t times;		/* how often it was looked at, with this outcome */
	bool ok;
};

enum conform_answer { CONFORM_NO, CONFORM_YES, CONFORM_UNKNOWN };

/* What a cache line looked like, and what was done to it. */
struct conform_line {
	uint64_t offset;	/* of the line, in the BO */
	char memory[16];	/* what the device sees */
	char cache[16];		/* what the CPU sees */
	char memory_due[16];	/* what it should be, "" if it is that, or if that is not known */
	char cache_due[16];
	enum conform_answer cleaned, should_clean;
	enum conform_answer dropped, should_drop;
	/* It was asked for, but before the CPU's last store, or the device's last write. */
	bool clean_early, drop_early;
};

#define CONFORM_PICTURE_LINES	24

struct conform_picture {
	char title[112];
	char note[256];		/* how to read it */
	uint32_t line_size;
	uint32_t count;		/* of lines; 0 if there is no picture */
	struct conform_line lines[CONFORM_PICTURE_LINES];
};

#define CONFORM_CHECKS	48

struct conform_result {
	const struct conform_case *c;
	enum conform_verdict verdict;
	char reason[512];	/* why it failed or was skipped */
	char remedy[160];	/* of a skip: what would make it run */
	bool expected_skip;	/* the skip is one of conform_options.expected */
	double seconds;
	uint32_t check_count;	/* things looked at */
	uint32_t kept;		/* of which these are kept: */
	struct conform_check checks[CONFORM_CHECKS];
	struct conform_picture picture;
};

struct conform_options {
	const char *device;	/* as for gemsync_device_open(), or an exporter (exporter.h) */
	const char *filter;	/* shell patterns of names or rules, by commas; NULL is all */
	const struct expected *expected;	/* the skips that are allowed, or NULL */
	uint32_t watch;		/* what an emulated device looks for (watched.h) */
	double timeout;		/* seconds for a case without a limit of its own, 0: measured */
	bool stop;		/* after the first case that fails */
	/* Optional: called once the device is known, before the first case. */
	void (*begun)(const struct conform_report *report, void *data);
	/* Optional: called before each case, and after it with its result as the report's last. */
	void (*starting)(const struct conform_case *c, void *data);
	void (*ended)(const struct conform_report *report, const struct conform_result *result,
		      void *data);
	void *data;
};

/* Of a case, on a machine that is not slow (see run/pace.h). */
#define CONFORM_TIMEOUT	30.0

/* What is known of the device and of the machine, for reports. */
struct conform_facts {
	struct gemsync_device_info info;	/* driver is the exporter's name for one */
	bool exporter;				/* no GPU: a maker of dma-bufs */
	bool kernel_log;			/* warnings of the kernel fail cases */
	struct watched watched;			/* what the device looks for until the run ends */
	char name[96];				/* as given */
	char policy[16];			/* "strict" or "hooks" (R13, R14); "" if not told */
	/* "name=value,...": of a simulated device its options, of others their module's; "" if none
	 * can be read.
	 */
	char configuration[512];
	char kernel[96];
	char machine[96];			/* CPU */
	char started[32];			/* UTC, ISO 8601 */
};

struct conform_report {
	const char *version;		/* of gemsync, which judged */
	struct conform_facts facts;
	char *filter;			/* of the options; NULL if there was none */
	size_t suite, chosen;		/* cases that there are, and that the filter chooses */
	size_t count;
	struct conform_result *results;	/* of cases that ran or were skipped, in their order */
	size_t passed, failed, skipped;
	bool expecting;			/* options.expected was given: */
	size_t unexpected;		/* skips that it does not name */
	double seconds;
};

/**
 * Run the cases on a device.
 *
 * @out: to be released with conform_report_destroy().
 *
 * A case that hangs in the kernel and cannot be killed is the last one that is run.
 *
 * Returns 0, whatever the verdicts are; -EINVAL if no case matches the filter;
 * -ETIME if the device does not open in options->timeout;
 * errors of gemsync_device_open() if the device does not open; -EOPNOTSUPP also if
 * the suite does not know how to make its GPU work; -ENOMEM.
 */
int conform_run(const struct conform_options *options, struct conform_report **out);

/* NULL is allowed. */
void conform_report_destroy(struct conform_report *report);

/* What a report says of one rule: the cases that name it. */
struct conform_total {
	uint32_t passed, failed, skipped;
	uint32_t not_run;	/* not chosen, or the run ended before */
};

#define CONFORM_RULES	26

/* @totals[n] is of rule n; a case counts for each rule that it names. */
void conform_totals(const struct conform_report *report,
		    struct conform_total totals[CONFORM_RULES + 1]);

/* ---- The cases ---- */

/* Case @index of the suite, NULL behind the last one. */
const struct conform_case *conform_case(size_t index);
const char *conform_case_name(const struct conform_case *c);
const char *conform_case_rules(const struct conform_case *c);	/* "R1 R10" */
const char *conform_case_purpose(const struct conform_case *c);
const char *conform_case_group(const struct conform_case *c);
bool conform_case_matches(const struct conform_case *c, const char *filter);

/* The first term of a filter that matches no case, of *@length bytes; NULL if all do. */
const char *conform_filter_unknown(const char *filter, size_t *length);

/* One word: "pass", "fail", "skip". */
const char *conform_verdict_name(enum conform_verdict verdict);

#endif
