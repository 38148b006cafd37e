// SPDX-License-Identifier: MIT
/* gemsync conform: the cases, and what a run found, as tables on standard output. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conform_table.h"
#include "report.h"

static const struct tool_column list_columns[] = {
	{ "case", SCOLS_JSON_STRING, 0 },
	{ "rules", SCOLS_JSON_STRING, 0 },
	{ "shows that", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

static const struct tool_column result_columns[] = {
	{ "case", SCOLS_JSON_STRING, 0 },
	{ "rules", SCOLS_JSON_STRING, 0 },
	{ "verdict", SCOLS_JSON_STRING, 0 },
	{ "time", SCOLS_JSON_STRING, SCOLS_FL_RIGHT },
	{ "why", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

/* ---- Listing ---- */

enum exit_code conform_list(const char *filter)
{
	struct libscols_table *table;
	const struct conform_case *c;
	const char *cells[ARRAY_SIZE(list_columns)];
	size_t i;
	int ret = -ENOMEM;

	table = tool_table_create("cases", list_columns, ARRAY_SIZE(list_columns), false);
	if (table)
		ret = 0;
	for (i = 0; !ret && (c = conform_case(i)); i++) {
		if (!conform_case_matches(c, filter))
			continue;
		cells[0] = conform_case_name(c);
		cells[1] = conform_case_rules(c);
		cells[2] = conform_case_purpose(c);
		ret = tool_table_add(table, cells, ARRAY_SIZE(cells));
	}
	if (!ret)
		ret = tool_table_print(table);
	scols_unref_table(table);
	if (!ret)
		return TOOL_OK;
	tool_complain("cannot print the cases: %s", strerror(-ret));
	return TOOL_CANNOT;
}

/* ---- The table ---- */

static const char *verdict_of(const struct conform_report *report,
			      const struct conform_result *result)
{
	if (report_is_unexpected(report, result))
		return "skip!";
	return conform_verdict_name(result->verdict);
}

static int add_result(const struct conform_report *report, const struct conform_result *result,
		      struct libscols_table *table)
{
	const char *cells[ARRAY_SIZE(result_columns)];
	char seconds[16], why[sizeof(result->reason) + sizeof(result->remedy) + 4];

	snprintf(seconds, sizeof(seconds), "%.2f s", result->seconds);
	snprintf(why, sizeof(why), "%s%s%s", result->reason, *result->remedy ? "; " : "",
		 result->remedy);
	cells[0] = conform_case_name(result->c);
	cells[1] = conform_case_rules(result->c);
	cells[2] = verdict_of(report, result);
	cells[3] = seconds;
	cells[4] = why;
	return tool_table_add(table, cells, ARRAY_SIZE(cells));
}

static const char *answer(enum conform_answer was, enum conform_answer should)
{
	static const char *const texts[3][2] = {
		[CONFORM_NO] = { "no", "NO, should be" },
		[CONFORM_YES] = { "YES, should not", "yes" },
		[CONFORM_UNKNOWN] = { "not asked for", "asked for" },
	};

	return texts[was][should == CONFORM_YES];
}

static void print_content(const char *is, const char *due)
{
	char text[48];

	snprintf(text, sizeof(text), *due ? "%s, should be %s" : "%s", is, due);
	printf("%-28s", text);
}

static void print_picture(const struct conform_result *result)
{
	const struct conform_picture *picture = &result->picture;
	const struct conform_line *line;

	printf("\n%s: %s\n%s\n  %-12s%-28s%-28s%-30s%s\n", conform_case_name(result->c),
	       picture->title, picture->note, "line at", "memory", "cache", "written back",
	       "dropped");
	for (line = picture->lines; line < picture->lines + picture->count; line++) {
		printf("  %#-12" PRIx64, line->offset);
		print_content(line->memory, line->memory_due);
		print_content(line->cache, line->cache_due);
		printf("%-30s%s\n", line->clean_early ? "asked before the last store" :
				    answer(line->cleaned, line->should_clean),
		       line->drop_early ? "asked before the last write" :
				    answer(line->dropped, line->should_drop));
	}
}

static void print_device(const struct conform_facts *facts)
{
	const struct gemsync_device_info *info = &facts->info;

	if (facts->exporter)
		printf("Exporter: %s", info->driver);
	else
		printf("Device: %s, driver %s %" PRIu32 ".%" PRIu32 ", %scoherent%s%s, lines of %"
		       PRIu32 " bytes", info->node, info->driver, info->version_major,
		       info->version_minor, info->coherent ? "" : "not ",
		       info->emulated ? ", emulated" : "", info->chaos ? " (chaos)" : "",
		       info->line_size);
	printf("; %s on %s\n", facts->kernel, facts->machine);
	if (*facts->configuration)
		printf("Configuration: %s\n", facts->configuration);
	if (!facts->kernel_log)
		printf("The kernel's log cannot be read: its warnings are not seen.\n");
}

static void print_selection(const struct conform_report *report)
{
	if (report->filter)
		printf("Only cases that match '%s': %zu of %zu.\n", report->filter,
		       report->chosen, report->suite);
	if (report->count < report->chosen)
		printf("The run ended after %zu of %zu cases.\n", report->count, report->chosen);
	putchar('\n');
}

int conform_table(const struct conform_report *report)
{
	struct libscols_table *table;
	size_t i;
	int ret = 0;

	table = tool_table_create("conformance", result_columns, ARRAY_SIZE(result_columns), false);
	if (!table)
		return -ENOMEM;
	print_device(&report->facts);
	print_selection(report);
	for (i = 0; i < report->count && !ret; i++)
		ret = add_result(report, &report->results[i], table);
	if (!ret)
		ret = tool_table_print(table);
	scols_unref_table(table);
	for (i = 0; i < report->count; i++)
		if (report->results[i].picture.count)
			print_picture(&report->results[i]);
	if (report->unexpected)
		printf("\n%zu skips (skip!) are not among the expected ones\n", report->unexpected);
	printf("\n%zu passed, %zu failed, %zu skipped\n", report->passed, report->failed,
	       report->skipped);
	return ret;
}
