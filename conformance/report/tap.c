// SPDX-License-Identifier: MIT
#include <errno.h>

#include "report.h"
#include "text.h"

static void write_result(const struct conform_report *report, const struct conform_result *result,
			 size_t number, FILE *file)
{
	bool unexpected = report_is_unexpected(report, result);
	bool ok = result->verdict != CONFORM_FAIL && !unexpected;

	fprintf(file, "%s %zu - %s", ok ? "ok" : "not ok", number, conform_case_name(result->c));
	if (result->verdict == CONFORM_PASS) {
		fputc('\n', file);
		return;
	}
	if (ok)
		fputs(" # SKIP ", file);
	else
		fprintf(file, "\n# %s", unexpected ? "an unexpected skip: " : "");
	text_line(file, result->reason);
	if (result->verdict == CONFORM_SKIP) {
		fputs("; ", file);
		text_line(file, result->remedy);
	}
	fputc('\n', file);
}

void report_tap_begin(const struct conform_report *report, FILE *file)
{
	const struct conform_facts *facts = &report->facts;

	fprintf(file, "# gemsync %s conform on %s, driver %s: %zu cases\n", report->version,
		facts->exporter ? facts->name : facts->info.node, facts->info.driver,
		report->chosen);
	fflush(file);
}

void report_tap_starting(const struct conform_case *c, FILE *file)
{
	fprintf(file, "# running %s\n", conform_case_name(c));
	fflush(file);
}

void report_tap_result(const struct conform_report *report, const struct conform_result *result,
		       FILE *file)
{
	write_result(report, result, result - report->results + 1, file);
	fflush(file);
}

int report_tap_end(const struct conform_report *report, FILE *file)
{
	fprintf(file, "1..%zu\n", report->count);
	return ferror(file) ? -EIO : 0;
}
