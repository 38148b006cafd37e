/* SPDX-License-Identifier: MIT */
/* A report for other programs, and as a page. All write to @file and return 0 or -errno. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "conform.h"

/*
 * The Test Anything Protocol, written while the cases run: what judges, and on what; a
 * comment before each case, so that a
 * machine that dies has named it; its line, and why it failed; the plan at the end.
 */
void report_tap_begin(const struct conform_report *report, FILE *file);
void report_tap_starting(const struct conform_case *c, FILE *file);
void report_tap_result(const struct conform_report *report, const struct conform_result *result,
		       FILE *file);
int report_tap_end(const struct conform_report *report, FILE *file);

/* JUnit XML: a suite for each group of cases. */
int report_junit(const struct conform_report *report, FILE *file);

/* All that there is to know. */
int report_json(const struct conform_report *report, FILE *file);

/* One page that needs no other file: totals by rule, facts, cases, pictures. */
int report_html(const struct conform_report *report, FILE *file);

/* Whether the run is a good one: nothing failed, no skip was unexpected, something passed. */
bool report_is_good(const struct conform_report *report);

/* How many cases name a rule, how many of these ran, and whether that was none, or under half. */
uint32_t rule_cases(const struct conform_total *total);
uint32_t rule_ran(const struct conform_total *total);
bool rule_is_unseen(const struct conform_total *total);
bool rule_is_in_part(const struct conform_total *total);

/* Whether the run looked at every rule that has cases, and at none of them in part. */
bool report_is_whole(const struct conform_report *report);

/* Whether a case was skipped that options.expect does not name. */
bool report_is_unexpected(const struct conform_report *report,
			  const struct conform_result *result);

/*
 * The cases in groups: the first result of group @index's own, and how many there are.
 * False behind the last group.
 */
bool report_group(const struct conform_report *report, size_t index, size_t *first, size_t *count);

#endif
