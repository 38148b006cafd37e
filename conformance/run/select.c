// SPDX-License-Identifier: MIT
/* Cases by number, what they are, how they are chosen and counted. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "suite.h"

const struct conform_case *conform_case(size_t index)
{
	const struct case_group *const *group;

	for (group = suite_groups; *group; group++) {
		if (index < (*group)->count)
			return (*group)->cases[index];
		index -= (*group)->count;
	}
	return NULL;
}

const char *conform_case_name(const struct conform_case *c)
{
	return c->name;
}

const char *conform_case_rules(const struct conform_case *c)
{
	return c->rules;
}

const char *conform_case_purpose(const struct conform_case *c)
{
	return c->purpose;
}

const char *conform_case_group(const struct conform_case *c)
{
	const struct case_group *const *group;
	size_t i;

	for (group = suite_groups; *group; group++)
		for (i = 0; i < (*group)->count; i++)
			if ((*group)->cases[i] == c)
				return (*group)->title;
	return "";
}

/* One pattern, not terminated: of the name, or one of the rules. */
static bool matches(const struct conform_case *c, const char *pattern, size_t length)
{
	const char *rule = c->rules;
	size_t size;

	if (!fnmatch(strndupa(pattern, length), c->name, 0))
		return true;
	for (; *rule; rule += size + (rule[size] == ' ')) {
		size = strcspn(rule, " ");
		if (size == length && !strncasecmp(rule, pattern, length))
			return true;
	}
	return false;
}

bool conform_case_matches(const struct conform_case *c, const char *filter)
{
	size_t length;

	if (!filter)
		return true;
	for (; *filter; filter += length + (filter[length] == ',')) {
		length = strcspn(filter, ",");
		if (length && matches(c, filter, length))
			return true;
	}
	return false;
}

static bool matches_any(const char *pattern, size_t length)
{
	const struct conform_case *c;
	size_t i;

	for (i = 0; (c = conform_case(i)); i++)
		if (matches(c, pattern, length))
			return true;
	return false;
}

const char *conform_filter_unknown(const char *filter, size_t *length)
{
	const char *term = filter;

	if (!filter)
		return NULL;
	do {
		*length = strcspn(term, ",");
		if (!matches_any(term, *length))
			return term;
		term += *length + (term[*length] == ',');
	} while (*term);
	return NULL;
}

const char *conform_verdict_name(enum conform_verdict verdict)
{
	static const char *const names[] = {
		[CONFORM_PASS] = "pass", [CONFORM_FAIL] = "fail", [CONFORM_SKIP] = "skip",
	};

	return names[verdict];
}

/* What became of a case: NULL if it was not run. */
static const struct conform_result *result_of(const struct conform_report *report,
					      const struct conform_case *c)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (report->results[i].c == c)
			return &report->results[i];
	return NULL;
}

static void count(struct conform_total *total, const struct conform_result *result)
{
	if (!result) {
		total->not_run++;
		return;
	}
	total->passed += result->verdict == CONFORM_PASS;
	total->failed += result->verdict == CONFORM_FAIL;
	total->skipped += result->verdict == CONFORM_SKIP;
}

void conform_totals(const struct conform_report *report,
		    struct conform_total totals[CONFORM_RULES + 1])
{
	const struct conform_case *c;
	char rules[64], *rule, *rest;
	unsigned long number;
	size_t i;

	memset(totals, 0, (CONFORM_RULES + 1) * sizeof(*totals));
	for (i = 0; (c = conform_case(i)); i++) {
		snprintf(rules, sizeof(rules), "%s", c->rules);
		rest = rules;
		while ((rule = strsep(&rest, " "))) {
			number = strtoul(rule + 1, NULL, 10);
			if (number && number <= CONFORM_RULES)
				count(&totals[number], result_of(report, c));
		}
	}
}
