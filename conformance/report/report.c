// SPDX-License-Identifier: MIT
#include "report.h"

bool report_is_good(const struct conform_report *report)
{
	return !report->failed && !report->unexpected && report->passed;
}

bool report_is_unexpected(const struct conform_report *report, const struct conform_result *result)
{
	return report->expecting && result->verdict == CONFORM_SKIP && !result->expected_skip;
}

bool report_group(const struct conform_report *report, size_t index, size_t *first, size_t *count)
{
	size_t i = 0, end = 0;

	do {
		i = end;
		if (i == report->count)
			return false;
		while (end < report->count && conform_case_group(report->results[end].c) ==
						      conform_case_group(report->results[i].c))
			end++;
	} while (index--);
	*first = i;
	*count = end - i;
	return true;
}
