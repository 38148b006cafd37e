// SPDX-License-Identifier: MIT
/* Cases on the page: those that failed, those that were skipped, all of them. */
#include <inttypes.h>
#include <string.h>

#include "html.h"

static bool is_failed(const struct conform_result *result)
{
	return result->verdict == CONFORM_FAIL;
}

/* ---- Checks ---- */

/* "3 times", where it was more than one. */
static void write_place(const struct conform_check *check, FILE *file)
{
	text_markup(file, "<td class=\"place\"><code>%s", check->file);
	fprintf(file, ":%" PRIu32 "</code>", check->line);
	if (check->times > 1)
		fprintf(file, " <span class=\"times\">%" PRIu32 " times</span>", check->times);
	fputs("</td>", file);
}

static void write_check(const struct conform_check *check, FILE *file)
{
	fprintf(file, "<tr%s><td>", check->ok ? "" : " class=\"wrong\"");
	html_badge(check->ok ? "pass" : "fail", check->ok ? "holds" : "fails", file);
	text_markup(file, "</td><td><code>%s</code></td><td><code>%s</code></td>"
			  "<td><code>%s</code></td>",
		    check->what, check->expected, check->seen);
	write_place(check, file);
	fputs("</tr>\n", file);
}

static void write_checks(const struct conform_result *result, FILE *file)
{
	uint32_t i, shown = 0;

	if (!result->kept) {
		fputs("<p>It looked at nothing.</p>\n", file);
		return;
	}
	fputs("<div class=\"scroll\" tabindex=\"0\"><table class=\"checks\"><thead><tr>"
	      "<th>Check</th><th>Looked at</th><th>Expected</th><th>Seen</th>"
	      "<th>Where</th></tr></thead><tbody>\n", file);
	for (i = 0; i < result->kept; i++) {
		write_check(&result->checks[i], file);
		shown += result->checks[i].times;
	}
	fputs("</tbody></table></div>\n", file);
	if (shown < result->check_count)
		fprintf(file, "<p>%" PRIu32 " more checks held, and are not listed.</p>\n",
			result->check_count - shown);
}

/* ---- Failures ---- */

static const struct conform_check *failed_check(const struct conform_result *result)
{
	const struct conform_check *end = result->checks + result->kept;

	return result->kept && !end[-1].ok ? &end[-1] : NULL;
}

static void write_reason(const struct conform_result *result, FILE *file)
{
	const struct conform_check *check = failed_check(result);

	if (!check) {
		text_markup(file, "<p class=\"reason\">%s</p>\n", result->reason);
		return;
	}
	text_markup(file, "<dl class=\"seen\"><div><dt>Looked at</dt><dd><code>%s</code></dd></div>"
			  "<div><dt>Expected</dt><dd><code>%s</code></dd></div>"
			  "<div><dt>Seen</dt><dd class=\"fail\"><code>%s</code></dd></div>"
			  "<div><dt>Where</dt><dd><code>%s",
		    check->what, check->expected, check->seen, check->file);
	fprintf(file, ":%" PRIu32 "</code></dd></div></dl>\n", check->line);
}

static void write_failure(const struct conform_result *result, FILE *file)
{
	const char *name = conform_case_name(result->c);

	text_markup(file, "<article id=\"failed-%s\" class=\"failure\">\n"
			  "<h3><a href=\"#%s\">%s</a> <span class=\"of\">%s</span></h3>\n"
			  "<p>Does not hold: %s.</p>\n",
		    name, name, name, conform_case_rules(result->c),
		    conform_case_purpose(result->c));
	write_reason(result, file);
	if (result->picture.count)
		html_picture(&result->picture, file);
	fputs("</article>\n", file);
}

void html_failures(const struct conform_report *report, FILE *file)
{
	size_t i;

	if (!report->failed)
		return;
	fputs("<section aria-labelledby=\"failures\"><h2 id=\"failures\">What failed</h2>\n", file);
	for (i = 0; i < report->count; i++)
		if (is_failed(&report->results[i]))
			write_failure(&report->results[i], file);
	fputs("</section>\n", file);
}

/* ---- Skips ---- */

static bool same_skip(const struct conform_result *a, const struct conform_result *b)
{
	return a->verdict == CONFORM_SKIP && b->verdict == CONFORM_SKIP &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->remedy, b->remedy);
}

static bool seen_before(const struct conform_report *report, size_t index)
{
	size_t i;

	for (i = 0; i < index; i++)
		if (same_skip(&report->results[i], &report->results[index]))
			return true;
	return false;
}

static void write_skipped(const struct conform_report *report,
			  const struct conform_result *result, FILE *file)
{
	const char *name = conform_case_name(result->c);

	text_markup(file, "<li><a href=\"#%s\">%s</a>", name, name);
	if (report_is_unexpected(report, result)) {
		fputc(' ', file);
		html_badge("fail", "unexpected", file);
	}
	fputs("</li>\n", file);
}

/* All cases that were skipped for the reason of case @index. */
static void write_skips(const struct conform_report *report, size_t index, FILE *file)
{
	const struct conform_result *first = &report->results[index], *result;

	text_markup(file, "<article class=\"skip\"><p><b>%s</b></p><p>To see it, %s.</p>\n<ul>\n",
		    first->reason, first->remedy);
	for (result = first; result < report->results + report->count; result++)
		if (same_skip(first, result))
			write_skipped(report, result, file);
	fputs("</ul></article>\n", file);
}

void html_skips(const struct conform_report *report, FILE *file)
{
	size_t i;

	if (!report->skipped)
		return;
	fputs("<section aria-labelledby=\"skips\"><h2 id=\"skips\">What was skipped</h2>\n", file);
	for (i = 0; i < report->count; i++)
		if (report->results[i].verdict == CONFORM_SKIP && !seen_before(report, i))
			write_skips(report, i, file);
	fputs("</section>\n", file);
}

/* ---- All cases ---- */

static void write_summary(const struct conform_report *report,
			  const struct conform_result *result, FILE *file)
{
	const char *verdict = conform_verdict_name(result->verdict);
	bool unexpected = report_is_unexpected(report, result);

	fputs("<summary><span class=\"v\">", file);
	html_badge(unexpected ? "fail" : verdict, unexpected ? "skip!" : verdict, file);
	text_markup(file, "</span><span class=\"n\">%s</span><span class=\"r\">%s</span>"
			  "<span class=\"p\">%s</span>",
		    conform_case_name(result->c), conform_case_rules(result->c),
		    conform_case_purpose(result->c));
	fprintf(file, "<span class=\"t\">%.2f s</span></summary>\n", result->seconds);
}

static void write_body(const struct conform_report *report, const struct conform_result *result,
		       FILE *file)
{
	if (result->verdict == CONFORM_SKIP) {
		text_markup(file, "<p>Skipped%s: %s.</p><p>To see it, %s.</p>\n",
			    report_is_unexpected(report, result) ? ", which was not expected" : "",
			    result->reason, result->remedy);
		return;
	}
	if (is_failed(result))
		text_markup(file, "<p class=\"reason\">%s "
				  "<a href=\"#failed-%s\">More above</a></p>\n",
			    result->reason, conform_case_name(result->c));
	write_checks(result, file);
}

static void write_case(const struct conform_report *report, const struct conform_result *result,
		       FILE *file)
{
	text_markup(file, "<details id=\"%s\">\n", conform_case_name(result->c));
	write_summary(report, result, file);
	fputs("<div class=\"body\">\n", file);
	write_body(report, result, file);
	fputs("</div></details>\n", file);
}

static void write_group(const struct conform_report *report, size_t first, size_t count,
			FILE *file)
{
	const struct conform_result *results = &report->results[first];
	size_t i, passed = 0;

	for (i = 0; i < count; i++)
		passed += results[i].verdict == CONFORM_PASS;
	text_markup(file, "<h3>%s ", conform_case_group(results->c));
	fprintf(file, "<span class=\"of\">%zu of %zu passed</span></h3>\n<div class=\"cases\">\n"
		      "<div class=\"head\" aria-hidden=\"true\"><span>Verdict</span>"
		      "<span>Case</span><span>Rules</span><span>Shows that</span>"
		      "<span class=\"t\">Time</span></div>\n",
		passed, count);
	for (i = 0; i < count; i++)
		write_case(report, &results[i], file);
	fputs("</div>\n", file);
}

void html_groups(const struct conform_report *report, FILE *file)
{
	size_t i, first, count;

	fputs("<section aria-labelledby=\"cases\"><h2 id=\"cases\">All cases</h2>\n"
	      "<p>Open a case to see what it looked at.</p>\n", file);
	for (i = 0; report_group(report, i, &first, &count); i++)
		write_group(report, first, count, file);
	fputs("</section>\n", file);
}
