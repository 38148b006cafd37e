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

/* ---- What is run on ---- */

static void print_device(const struct conform_facts *facts)
{
	const struct gemsync_device_info *info = &facts->info;
	char text[512];

	if (facts->exporter)
		snprintf(text, sizeof(text), "Exporter: %s; %s on %s", info->driver, facts->kernel,
			 facts->machine);
	else
		snprintf(text, sizeof(text), "Device: %s, driver %s %" PRIu32 ".%" PRIu32
			 ", %scoherent%s%s, lines of %" PRIu32 " bytes; %s on %s", info->node,
			 info->driver, info->version_major, info->version_minor,
			 info->coherent ? "" : "not ", info->emulated ? ", emulated" : "",
			 info->chaos ? " (chaos)" : "", info->line_size, facts->kernel,
			 facts->machine);
	tool_print_wrapped(text, 0, 2);
}

/* "name=value,...": with blanks, where lines may break. */
static void print_configuration(const char *text)
{
	char spaced[2 * sizeof(((struct conform_facts *)NULL)->configuration) + 16];
	size_t end = snprintf(spaced, sizeof(spaced), "Configuration: ");

	for (; *text && end < sizeof(spaced) - 2; text++) {
		spaced[end++] = *text;
		if (*text == ',')
			spaced[end++] = ' ';
	}
	spaced[end] = '\0';
	tool_print_wrapped(spaced, 0, 2);
}

void conform_table_begin(const struct conform_report *report)
{
	printf("gemsync %s\n", report->version);
	print_device(&report->facts);
	if (*report->facts.configuration)
		print_configuration(report->facts.configuration);
	if (!report->facts.kernel_log)
		puts("The kernel's log cannot be read: its warnings are not seen.");
	if (report->filter)
		printf("Only cases that match '%s': %zu of %zu.\n", report->filter,
		       report->chosen, report->suite);
	putchar('\n');
	fflush(stdout);
}

/* ---- A case ---- */

static const char *answer(enum conform_answer was, enum conform_answer should)
{
	static const char *const texts[3][2] = {
		[CONFORM_NO] = { "no", "NO, should be" },
		[CONFORM_YES] = { "YES, should not", "yes" },
		[CONFORM_UNKNOWN] = { "not asked for", "asked for" },
	};

	return texts[was][should == CONFORM_YES];
}

static const struct tool_column picture_columns[] = {
	{ "line at", SCOLS_JSON_STRING, 0 },
	{ "memory", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "cache", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "written back", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "dropped", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

static int add_line(const struct conform_line *line, struct libscols_table *table)
{
	const char *cells[ARRAY_SIZE(picture_columns)];
	char offset[24], memory[48], cache[48];

	snprintf(offset, sizeof(offset), "%#" PRIx64, line->offset);
	snprintf(memory, sizeof(memory), *line->memory_due ? "%s, should be %s" : "%s",
		 line->memory, line->memory_due);
	snprintf(cache, sizeof(cache), *line->cache_due ? "%s, should be %s" : "%s",
		 line->cache, line->cache_due);
	cells[0] = offset;
	cells[1] = memory;
	cells[2] = cache;
	cells[3] = line->clean_early ? "asked before the last store" :
				       answer(line->cleaned, line->should_clean);
	cells[4] = line->drop_early ? "asked before the last write" :
				      answer(line->dropped, line->should_drop);
	return tool_table_add(table, cells, ARRAY_SIZE(cells));
}

static void print_picture(const struct conform_result *result)
{
	const struct conform_picture *picture = &result->picture;
	struct libscols_table *table;
	uint32_t i;
	int ret = -ENOMEM;

	putchar('\n');
	tool_print_wrapped(picture->title, 0, 2);
	tool_print_wrapped(picture->note, 0, 0);
	table = tool_table_create("picture", picture_columns, ARRAY_SIZE(picture_columns), false);
	if (table)
		ret = 0;
	for (i = 0; i < picture->count && !ret; i++)
		ret = add_line(&picture->lines[i], table);
	if (!ret)
		ret = tool_table_print(table);
	if (ret)
		tool_complain("cannot print the picture: %s", strerror(-ret));
	scols_unref_table(table);
	putchar('\n');
}

#define INDENT	8

static enum tool_colour colour_of(const struct conform_report *report,
				  const struct conform_result *result)
{
	if (result->verdict == CONFORM_FAIL || report_is_unexpected(report, result))
		return TOOL_RED;
	return result->verdict == CONFORM_PASS ? TOOL_GREEN : TOOL_YELLOW;
}

static const char *verdict_of(const struct conform_report *report,
			      const struct conform_result *result)
{
	if (report_is_unexpected(report, result))
		return "skip!";
	return conform_verdict_name(result->verdict);
}

/* Why, and of a skip what would make it run. */
static void print_reason(const struct conform_result *result, size_t indent)
{
	char why[sizeof(result->reason) + sizeof(result->remedy) + 4];

	snprintf(why, sizeof(why), "%s%s%s", result->reason, *result->remedy ? "; " : "",
		 result->remedy);
	printf("%*s", (int)indent, "");
	tool_print_wrapped(why, indent, indent);
}

void conform_table_row(const struct conform_report *report, const struct conform_result *result)
{
	bool unexpected = report_is_unexpected(report, result);
	char verdict[8];

	snprintf(verdict, sizeof(verdict), "%-5s", verdict_of(report, result));
	printf("%3zu of %zu ", report->count, report->chosen);
	tool_print_coloured(colour_of(report, result), verdict);
	printf(" %-40s %6.2f s\n", conform_case_name(result->c), result->seconds);
	if (result->verdict == CONFORM_FAIL || unexpected)
		print_reason(result, INDENT);
	if (result->picture.count)
		print_picture(result);
	fflush(stdout);
}

/* ---- The end ---- */

static bool same_skip(const struct conform_result *a, const struct conform_result *b)
{
	return a->verdict == CONFORM_SKIP && b->verdict == CONFORM_SKIP &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->remedy, b->remedy);
}

/* All the skips that have the reason of result @first, which is the first of them. */
static void print_skips(const struct conform_report *report, size_t first)
{
	const struct conform_result *results = report->results;
	size_t i, at = INDENT, length, width = tool_width();

	print_reason(&results[first], INDENT / 2);
	printf("%*s", INDENT, "");
	for (i = first; i < report->count; i++) {
		if (!same_skip(&results[first], &results[i]))
			continue;
		length = strlen(conform_case_name(results[i].c));
		if (at > INDENT && at + 1 + length > width) {
			printf("\n%*s", INDENT, "");
			at = INDENT;
		}
		at += printf("%s%s", at > INDENT ? " " : "", conform_case_name(results[i].c));
	}
	putchar('\n');
}

static void print_all_skips(const struct conform_report *report)
{
	size_t i, before;

	if (report->skipped)
		puts("\nSkipped, by reason:");
	for (i = 0; i < report->count; i++) {
		if (report->results[i].verdict != CONFORM_SKIP)
			continue;
		for (before = 0; before < i; before++)
			if (same_skip(&report->results[before], &report->results[i]))
				break;
		if (before == i)
			print_skips(report, i);
	}
}

/* The rules that the run says nothing of, or little: the totals have the numbers. */
static void print_unseen(const struct conform_report *report)
{
	struct conform_total totals[CONFORM_RULES + 1];
	char unseen[256] = "Not looked at:", part[512] = "Looked at in part:";
	size_t unseen_end = strlen(unseen), part_end = strlen(part), before;
	unsigned int number;

	conform_totals(report, totals);
	for (number = 1; number <= CONFORM_RULES; number++) {
		before = part_end;
		if (rule_is_unseen(&totals[number]))
			unseen_end += snprintf(unseen + unseen_end, sizeof(unseen) - unseen_end,
					       " R%u", number);
		else if (rule_is_in_part(&totals[number]))
			part_end += snprintf(part + part_end, sizeof(part) - part_end,
					     " R%u (%" PRIu32 " of %" PRIu32 "),", number,
					     rule_ran(&totals[number]),
					     rule_cases(&totals[number]));
		if (part_end >= sizeof(part))
			part_end = before;
	}
	putchar('\n');
	if (strchr(unseen, 'R'))
		tool_print_wrapped(unseen, 0, 2);
	if (part[part_end - 1] == ',') {
		part[part_end - 1] = '\0';
		tool_print_wrapped(part, 0, 2);
	}
}

static void print_unexpected(const struct conform_report *report)
{
	size_t i;
	const char *separator = ": ";

	printf(", %zu unexpectedly", report->unexpected);
	for (i = 0; i < report->count; i++) {
		if (!report_is_unexpected(report, &report->results[i]))
			continue;
		printf("%s%s", separator, conform_case_name(report->results[i].c));
		separator = ", ";
	}
}

void conform_table_end(const struct conform_report *report)
{
	print_all_skips(report);
	if (report->count < report->chosen)
		printf("\nThe run ended after %zu of %zu cases.\n", report->count,
		       report->chosen);
	print_unseen(report);
	printf("%zu passed, %zu failed, %zu skipped", report->passed, report->failed,
	       report->skipped);
	if (report->unexpected)
		print_unexpected(report);
	else if (report_is_good(report) && !report_is_whole(report))
		fputs("; what ran is good, but not all was looked at", stdout);
	putchar('\n');
}
