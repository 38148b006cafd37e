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

int report_tap(const struct conform_report *report, FILE *file)
{
	size_t i;

	fprintf(file, "1..%zu\n", report->count);
	for (i = 0; i < report->count; i++)
		write_result(report, &report->results[i], i + 1, file);
	return ferror(file) ? -EIO : 0;
}
