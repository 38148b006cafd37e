// SPDX-License-Identifier: MIT
/*
 * JUnit has no skip that is a failure: an unexpected skip is a failure of the type
 * "unexpected skip".
 */
#include <errno.h>
#include <inttypes.h>

#include "report.h"
#include "text.h"

struct totals {
	size_t tests, failures, skipped;
	double seconds;
};

static bool is_failure(const struct conform_report *report, const struct conform_result *result)
{
	return result->verdict == CONFORM_FAIL || report_is_unexpected(report, result);
}

static struct totals add_up(const struct conform_report *report, size_t first, size_t count)
{
	struct totals totals = { .tests = count };
	const struct conform_result *result;

	for (result = report->results + first; count--; result++) {
		if (is_failure(report, result))
			totals.failures++;
		else
			totals.skipped += result->verdict == CONFORM_SKIP;
		totals.seconds += result->seconds;
	}
	return totals;
}

static void write_totals(const struct totals *totals, FILE *file)
{
	fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
		totals->tests, totals->failures, totals->skipped, totals->seconds);
}

/* ---- Properties ---- */

static void write_property(const char *name, const char *value, FILE *file)
{
	text_markup(file, "      <property name=\"%s\" value=\"%s\"/>\n", name, value);
}

static void write_properties(const struct conform_report *report, FILE *file)
{
	const struct conform_facts *facts = &report->facts;
	const struct gemsync_device_info *info = &facts->info;
	char version[32], line[16];

	snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32, info->version_major,
		 info->version_minor);
	snprintf(line, sizeof(line), "%" PRIu32, info->line_size);
	fputs("    <properties>\n", file);
	write_property("gemsync", report->version, file);
	write_property("device", facts->name, file);
	if (report->filter)
		write_property("filter", report->filter, file);
	write_property("driver", info->driver, file);
	if (!facts->exporter) {
		write_property("node", info->node, file);
		write_property("version", version, file);
		write_property("coherent", info->coherent ? "yes" : "no", file);
		write_property("emulated", info->emulated ? "yes" : "no", file);
		write_property("chaos", info->chaos ? "yes" : "no", file);
		write_property("line_size", line, file);
		write_property("policy", *facts->policy ? facts->policy : "not told", file);
		write_property("configuration", facts->configuration, file);
	}
	write_property("kernel", facts->kernel, file);
	write_property("cpu", facts->machine, file);
	write_property("kernel_log", facts->kernel_log ? "watched" : "not readable", file);
	fputs("    </properties>\n", file);
}

/* ---- Cases ---- */

static void write_checks(const struct conform_result *result, FILE *file)
{
	const struct conform_check *check;
	char line[16];

	for (check = result->checks; check < result->checks + result->kept; check++) {
		snprintf(line, sizeof(line), "%" PRIu32, check->line);
		text_markup(file, "%s %s:%s: %s: expected %s, seen %s\n",
			    check->ok ? "ok    " : "not ok", check->file, line, check->what,
			    check->expected, check->seen);
	}
}

static void write_failure(const struct conform_result *result, FILE *file)
{
	bool skipped = result->verdict == CONFORM_SKIP;

	text_markup(file, "      <failure type=\"%s\" message=\"%s\">",
		    skipped ? "unexpected skip" : "failure", result->reason);
	text_markup(file, "shows that: %s (%s)\n", conform_case_purpose(result->c),
		    conform_case_rules(result->c));
	if (skipped)
		text_markup(file, "to see it, %s\n", result->remedy);
	write_checks(result, file);
	fputs("</failure>\n", file);
}

static void write_case(const struct conform_report *report, const struct conform_result *result,
		       FILE *file)
{
	text_markup(file, "    <testcase classname=\"gemsync.%s\" name=\"%s\"",
		    report->facts.info.driver, conform_case_name(result->c));
	fprintf(file, " time=\"%.3f\"", result->seconds);
	if (is_failure(report, result)) {
		fputs(">\n", file);
		write_failure(result, file);
		fputs("    </testcase>\n", file);
	} else if (result->verdict == CONFORM_SKIP) {
		text_markup(file, ">\n      <skipped message=\"%s; %s\"/>\n    </testcase>\n",
			    result->reason, result->remedy);
	} else {
		fputs("/>\n", file);
	}
}

static void write_suite(const struct conform_report *report, size_t first, size_t count,
			FILE *file)
{
	struct totals totals = add_up(report, first, count);
	size_t i;

	text_markup(file, "  <testsuite name=\"%s\" timestamp=\"%s\"",
		    conform_case_group(report->results[first].c), report->facts.started);
	write_totals(&totals, file);
	fputs(">\n", file);
	write_properties(report, file);
	for (i = first; i < first + count; i++)
		write_case(report, &report->results[i], file);
	fputs("  </testsuite>\n", file);
}

int report_junit(const struct conform_report *report, FILE *file)
{
	struct totals totals = add_up(report, 0, report->count);
	size_t i, first, count;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gemsync conform\"",
	      file);
	write_totals(&totals, file);
	fputs(">\n", file);
	for (i = 0; report_group(report, i, &first, &count); i++)
		write_suite(report, first, count, file);
	fputs("</testsuites>\n", file);
	return ferror(file) ? -EIO : 0;
}
