// SPDX-License-Identifier: MIT
#include "report.h"

bool report_is_good(const struct conform_report *report)
{
	return !report->failed && !report->unexpected && report->passed;
}

uint32_t rule_ran(const struct conform_total *total)
{
	return total->passed + total->failed;
}

uint32_t rule_cases(const struct conform_total *total)
{
	return rule_ran(total) + total->skipped + total->not_run;
}

bool rule_is_unseen(const struct conform_total *total)
{
	return rule_cases(total) && !rule_ran(total);
}

bool rule_is_in_part(const struct conform_total *total)
{
	return rule_ran(total) && 2 * rule_ran(total) < rule_cases(total);
}

bool report_is_whole(const struct conform_report *report)
{
	struct conform_total totals[CONFORM_RULES + 1];
	unsigned int number;

	conform_totals(report, totals);
	for (number = 1; number <= CONFORM_RULES; number++)
		if (rule_is_unseen(&totals[number]) || rule_is_in_part(&totals[number]))
			return false;
	return true;
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
