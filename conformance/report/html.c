// SPDX-License-Identifier: MIT
/* The page: its frame, the verdict, the rules, the facts. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "html.h"
#include "rules.h"

void html_badge(const char *kind, const char *text, FILE *file)
{
	const char *sign = "\xc2\xb7";

	if (!strcmp(kind, "pass"))
		sign = "\xe2\x9c\x93";
	else if (!strcmp(kind, "fail"))
		sign = "\xe2\x9c\x97";
	else if (!strcmp(kind, "part"))
		sign = "\xe2\x97\x90";
	else if (!strcmp(kind, "skip"))
		sign = "\xe2\x80\x93";
	text_markup(file, "<span class=\"badge %s\"><span class=\"sign\" aria-hidden=\"true\">%s"
			  "</span>%s</span>", kind, sign, text);
}

/* ---- Verdict ---- */

static const char *plural(size_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static void write_sentence(const struct conform_report *report, FILE *file)
{
	if (report->failed)
		fprintf(file, "%zu of %zu cases failed", report->failed, report->count);
	else if (report->unexpected)
		fprintf(file, "No case failed, but %zu %s not expected", report->unexpected,
			plural(report->unexpected, "skip was", "skips were"));
	else if (!report->passed)
		fputs("Nothing failed, and nothing passed: the run shows nothing", file);
	else if (report->passed == 1)
		fputs("One case ran, and passed", file);
	else
		fprintf(file, "All %zu cases that ran passed", report->passed);
}

/* That it was not the whole suite. */
static void write_selection(const struct conform_report *report, FILE *file)
{
	if (report->filter) {
		text_markup(file,
			    "<p class=\"part\">A part of the suite: only the cases that match "
			    "<code>%s</code>", report->filter);
		fprintf(file, ", %zu of %zu. Of the others this says nothing.</p>\n",
			report->chosen, report->suite);
	}
	if (report->count < report->chosen)
		fprintf(file, "<p class=\"part\">The run ended after %zu of %zu cases.</p>\n",
			report->count, report->chosen);
}

/* " R1-R3, R7" of the rules of which @says is true, behind @text; nothing if there are none. */
static void write_rules_that(const struct conform_report *report, const char *text,
			     bool (*says)(const struct conform_total *total), FILE *file)
{
	struct conform_total totals[CONFORM_RULES + 1];
	const char *separator = text;
	unsigned int number, end;

	conform_totals(report, totals);
	for (number = 1; number <= CONFORM_RULES; number = end + 1) {
		end = number;
		while (end <= CONFORM_RULES && says(&totals[end]))
			end++;
		if (end == number)
			continue;
		fprintf(file, "%s R%u", separator, number);
		if (end - number > 1)
			fprintf(file, "\xe2\x80\x93" "R%u", end - 1);
		separator = ",";
	}
	if (separator != text)
		fputs(".</p>\n", file);
}

static bool is_not_run(const struct conform_total *total)
{
	return !rule_ran(total);
}

/* What a verdict says nothing about, or little. */
static void write_unproven(const struct conform_report *report, FILE *file)
{
	write_rules_that(report, "<p>No case ran for", is_not_run, file);
	write_rules_that(report, "<p>Fewer than half of the cases ran for", rule_is_in_part, file);
}

static void write_verdict(const struct conform_report *report, FILE *file)
{
	const char *kind = "fail", *says = "Not good";

	if (report_is_good(report)) {
		kind = report_is_whole(report) ? "pass" : "part";
		says = report_is_whole(report) ? "Good" : "Good in part";
	}
	fprintf(file, "<div class=\"verdict %s\"><p class=\"says\">", kind);
	html_badge(kind, says, file);
	fputc(' ', file);
	write_sentence(report, file);
	fprintf(file, "</p>\n<p>%zu passed, %zu failed, %zu skipped", report->passed,
		report->failed, report->skipped);
	if (report->unexpected)
		fprintf(file, ", of which %zu unexpectedly", report->unexpected);
	else if (report->skipped)
		fputs(report->expecting ? ", all as expected" : "; no list says which may be",
		      file);
	fprintf(file, "; %.1f seconds.</p>\n", report->seconds);
	write_selection(report, file);
	write_unproven(report, file);
	fputs("</div>\n", file);
}

/* ---- Facts ---- */

static void write_fact(const char *name, const char *value, FILE *file)
{
	text_markup(file, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static const char *describe_policy(const char *policy)
{
	if (!strcmp(policy, "strict"))
		return "strict: a cached BO stays within its DRM file";
	if (!strcmp(policy, "hooks"))
		return "hooks: cached BOs are shared";
	return "the driver does not tell it";
}

/* "name=value,...": a blank after each comma, where lines may break. */
static void write_configuration(const char *text, FILE *file)
{
	size_t length;

	fputs("<div><dt>Configuration</dt><dd>", file);
	for (; *text; text += length) {
		length = strcspn(text, ",") + 1;
		length = strnlen(text, length);
		text_markup(file, "%s", strndupa(text, length));
		if (text[length])
			fputc(' ', file);
	}
	fputs("</dd></div>\n", file);
}

static void write_device(const struct conform_facts *facts, FILE *file)
{
	const struct gemsync_device_info *info = &facts->info;
	const char *lines = "not emulated: this machine's own";
	char text[96];

	snprintf(text, sizeof(text), "%s %" PRIu32 ".%" PRIu32, info->driver,
		 info->version_major, info->version_minor);
	write_fact("Driver", text, file);
	write_fact("Device", *info->node ? info->node : facts->name, file);
	write_fact("Coherent", info->coherent ? "yes: the device snoops CPU caches" :
						"no: CPU caches must be synchronized", file);
	if (info->emulated)
		lines = info->chaos ? "emulated; lines also move on their own (chaos)" :
				      "emulated; only maintenance moves lines (lazy)";
	write_fact("Cache", lines, file);
	snprintf(text, sizeof(text), "%" PRIu32 " bytes", info->line_size);
	write_fact("Line", info->line_size ? text : "unknown", file);
	write_fact("Policy", describe_policy(facts->policy), file);
	if (*facts->configuration)
		write_configuration(facts->configuration, file);
}

static void write_facts(const struct conform_report *report, FILE *file)
{
	const struct conform_facts *facts = &report->facts;

	fputs("<section aria-label=\"Device and machine\">\n<dl class=\"facts\">\n", file);
	if (facts->exporter)
		write_fact("Exporter", facts->info.driver, file);
	else
		write_device(facts, file);
	text_markup(file, "<div><dt>Judged by</dt><dd>gemsync %s</dd></div>\n", report->version);
	write_fact("Kernel", facts->kernel, file);
	write_fact("CPU", facts->machine, file);
	write_fact("Kernel log", facts->kernel_log ? "watched: a warning fails the case" :
						     "not readable: warnings are not seen", file);
	write_fact("Started", facts->started, file);
	fputs("</dl></section>\n", file);
}

/* ---- Rules ---- */

static void write_count(uint32_t count, const char *what, const char **separator, FILE *file)
{
	if (!count)
		return;
	fprintf(file, "%s%" PRIu32 " %s", *separator, count, what);
	*separator = ", ";
}

static void write_bar(const struct conform_total *total, FILE *file)
{
	const struct {
		const char *kind;
		uint32_t count;
	} parts[] = {
		{ "fail", total->failed }, { "pass", total->passed }, { "skip", total->skipped },
	};
	size_t i;

	fputs("<div class=\"bar\" aria-hidden=\"true\">", file);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].count)
			fprintf(file, "<i class=\"%s\" style=\"flex-grow:%" PRIu32 "\"></i>",
				parts[i].kind, parts[i].count);
	fputs("</div>", file);
}

static const char *kind_of(const struct conform_total *total)
{
	if (total->failed)
		return "fail";
	if (rule_is_in_part(total))
		return "part";
	if (total->passed)
		return "pass";
	return total->skipped ? "skip" : "none";
}

static void write_rule(unsigned int number, const struct conform_total *total, FILE *file)
{
	const char *separator = "", *kind = kind_of(total);
	char name[16];

	snprintf(name, sizeof(name), "R%u", number);
	text_markup(file, "<li class=\"%s\"><p class=\"rule\">", kind);
	html_badge(kind, name, file);
	text_markup(file, " %s</p><p class=\"means\">%s</p>", rule_title(number),
		    rule_meaning(number));
	write_bar(total, file);
	fputs("<p class=\"counts\">", file);
	write_count(total->failed, "failed", &separator, file);
	write_count(total->passed, "passed", &separator, file);
	write_count(total->skipped, "skipped", &separator, file);
	write_count(total->not_run, "not run", &separator, file);
	fprintf(file, "%s</p></li>\n", *separator ? "" : "not covered by a case");
}

static void write_rules(const struct conform_report *report, FILE *file)
{
	struct conform_total totals[CONFORM_RULES + 1];
	unsigned int number;

	conform_totals(report, totals);
	fputs("<section aria-labelledby=\"rules\">"
	      "<h2 id=\"rules\">The contract, rule by rule</h2>\n"
	      "<p>A case counts for each rule that it names.</p>\n<ul class=\"rules\">\n", file);
	for (number = 1; number <= CONFORM_RULES; number++)
		write_rule(number, &totals[number], file);
	fputs("</ul></section>\n", file);
}

/* ---- The whole ---- */

static void write_head(const struct conform_report *report, FILE *file)
{
	fputs("<!DOCTYPE html>\n"
	      "<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n"
	      "<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<meta name=\"color-scheme\" content=\"light dark\"/>\n", file);
	text_markup(file, "<title>%s%s: gemsync conform, %s</title>\n",
		    report_is_good(report) ? "Good" : "Not good",
		    report->filter || !report_is_whole(report) ? ", a part" : "",
		    report->facts.name);
	fprintf(file, "<style>\n%s</style>\n</head>\n", report_html_style);
}

int report_html(const struct conform_report *report, FILE *file)
{
	write_head(report, file);
	text_markup(file, "<body>\n<main>\n<h1>Conformance of <span>%s</span></h1>\n",
		    report->facts.name);
	write_verdict(report, file);
	write_facts(report, file);
	html_failures(report, file);
	write_rules(report, file);
	html_skips(report, file);
	html_groups(report, file);
	fputs("</main>\n</body>\n</html>\n", file);
	return ferror(file) ? -EIO : 0;
}
