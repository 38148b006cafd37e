// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>

#include "report.h"

static void write_result(const struct conform_result *result, size_t number, bool expecting,
			 FILE *file)
{
	const char *name = conform_case_name(result->c);
	bool bad_skip = expecting && result->verdict == CONFORM_SKIP && !result->expected_skip;

	if (result->verdict == CONFORM_FAIL || bad_skip) {
		fprintf(file, "not ok %zu - %s\n# %s%s\n", number, name,
			bad_skip ? "an unexpected skip: " : "", result->reason);
		return;
	}
	fprintf(file, "ok %zu - %s", number, name);
	if (result->verdict == CONFORM_SKIP)
		fprintf(file, " # SKIP %s: %s", result->reason, result->remedy);
	fputc('\n', file);
}

int report_tap(const struct conform_report *report, FILE *file)
{
	size_t i;

	fprintf(file, "1..%zu\n", report->count);
	for (i = 0; i < report->count; i++)
		write_result(&report->results[i], i + 1, report->expecting, file);
	return ferror(file) ? -EIO : 0;
}
