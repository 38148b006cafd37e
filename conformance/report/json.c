// SPDX-License-Identifier: MIT
/* The names of the members are in docs/conformance.md. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "rules.h"
#include "text.h"

struct json {
	FILE *file;
	int depth;
	bool first;	/* nothing stands before the next value at this depth */
};

/* What comes before a value; @name is NULL in an array. */
static void begin(struct json *json, const char *name)
{
	if (json->depth)
		fprintf(json->file, "%s\n%*s", json->first ? "" : ",", json->depth * 2, "");
	if (name) {
		text_json(json->file, name);
		fputs(": ", json->file);
	}
	json->first = false;
}

static void open_in(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	fputc(bracket, json->file);
	json->depth++;
	json->first = true;
}

static void close_in(struct json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		fprintf(json->file, "\n%*s", json->depth * 2, "");
	fputc(bracket, json->file);
	json->first = false;
}

static void put_text(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	text_json(json->file, value);
}

static void put_number(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	fprintf(json->file, "%" PRIu64, value);
}

static void put_seconds(struct json *json, const char *name, double value)
{
	begin(json, name);
	fprintf(json->file, "%.3f", value);
}

static void put_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->file);
}

/* What has no value is null. */
static void put_optional(struct json *json, const char *name, const char *value)
{
	if (*value) {
		put_text(json, name, value);
		return;
	}
	begin(json, name);
	fputs("null", json->file);
}

/* Unknown is null. */
static void put_answer(struct json *json, const char *name, enum conform_answer value)
{
	if (value == CONFORM_UNKNOWN)
		put_optional(json, name, "");
	else
		put_bool(json, name, value == CONFORM_YES);
}

/* ---- Cases ---- */

static void put_check(struct json *json, const struct conform_check *check)
{
	open_in(json, NULL, '{');
	put_text(json, "what", check->what);
	put_text(json, "expected", check->expected);
	put_text(json, "seen", check->seen);
	put_bool(json, "ok", check->ok);
	put_number(json, "times", check->times);
	put_text(json, "file", check->file);
	put_number(json, "line", check->line);
	close_in(json, '}');
}

static void put_line(struct json *json, const struct conform_line *line)
{
	open_in(json, NULL, '{');
	put_number(json, "offset", line->offset);
	put_optional(json, "memory", line->memory);
	put_optional(json, "memory_due", line->memory_due);
	put_optional(json, "cache", line->cache);
	put_optional(json, "cache_due", line->cache_due);
	put_answer(json, "cleaned", line->cleaned);
	put_answer(json, "should_clean", line->should_clean);
	put_bool(json, "clean_early", line->clean_early);
	put_answer(json, "dropped", line->dropped);
	put_answer(json, "should_drop", line->should_drop);
	put_bool(json, "drop_early", line->drop_early);
	close_in(json, '}');
}

static void put_picture(struct json *json, const struct conform_picture *picture)
{
	uint32_t i;

	if (!picture->count) {
		put_optional(json, "picture", "");
		return;
	}
	open_in(json, "picture", '{');
	put_text(json, "title", picture->title);
	put_text(json, "note", picture->note);
	put_number(json, "line_size", picture->line_size);
	open_in(json, "lines", '[');
	for (i = 0; i < picture->count; i++)
		put_line(json, &picture->lines[i]);
	close_in(json, ']');
	close_in(json, '}');
}

static void put_rules_of(struct json *json, const struct conform_case *c)
{
	char rules[64], *rule, *rest = rules;

	snprintf(rules, sizeof(rules), "%s", conform_case_rules(c));
	open_in(json, "rules", '[');
	while ((rule = strsep(&rest, " ")))
		if (strcmp(rule, "-") != 0)
			put_text(json, NULL, rule);
	close_in(json, ']');
}

static void put_result(struct json *json, const struct conform_report *report,
		       const struct conform_result *result)
{
	uint32_t i;

	open_in(json, NULL, '{');
	put_text(json, "name", conform_case_name(result->c));
	put_text(json, "group", conform_case_group(result->c));
	put_rules_of(json, result->c);
	put_text(json, "purpose", conform_case_purpose(result->c));
	put_text(json, "verdict", conform_verdict_name(result->verdict));
	put_optional(json, "reason", result->reason);
	put_optional(json, "remedy", result->remedy);
	put_bool(json, "unexpected_skip", report_is_unexpected(report, result));
	put_seconds(json, "seconds", result->seconds);
	put_number(json, "check_count", result->check_count);
	open_in(json, "checks", '[');
	for (i = 0; i < result->kept; i++)
		put_check(json, &result->checks[i]);
	close_in(json, ']');
	put_picture(json, &result->picture);
	close_in(json, '}');
}

/* ---- The rest ---- */

static void put_facts(struct json *json, const struct conform_facts *facts)
{
	const struct gemsync_device_info *info = &facts->info;

	open_in(json, "device", '{');
	put_text(json, "name", facts->name);
	put_bool(json, "exporter", facts->exporter);
	put_text(json, "driver", info->driver);
	put_optional(json, "node", info->node);
	put_number(json, "version_major", info->version_major);
	put_number(json, "version_minor", info->version_minor);
	put_bool(json, "coherent", info->coherent);
	put_bool(json, "emulated", info->emulated);
	put_bool(json, "chaos", info->chaos);
	put_number(json, "line_size", info->line_size);
	put_number(json, "page_size", info->page_size);
	put_optional(json, "policy", facts->policy);
	put_optional(json, "configuration", facts->configuration);
	close_in(json, '}');
	open_in(json, "machine", '{');
	put_text(json, "kernel", facts->kernel);
	put_text(json, "cpu", facts->machine);
	put_bool(json, "kernel_log", facts->kernel_log);
	close_in(json, '}');
}

static void put_rules(struct json *json, const struct conform_report *report)
{
	struct conform_total totals[CONFORM_RULES + 1];
	unsigned int number;
	char name[16];

	conform_totals(report, totals);
	open_in(json, "rules", '[');
	for (number = 1; number <= CONFORM_RULES; number++) {
		snprintf(name, sizeof(name), "R%u", number);
		open_in(json, NULL, '{');
		put_text(json, "rule", name);
		put_text(json, "title", rule_title(number));
		put_text(json, "meaning", rule_meaning(number));
		put_number(json, "passed", totals[number].passed);
		put_number(json, "failed", totals[number].failed);
		put_number(json, "skipped", totals[number].skipped);
		put_number(json, "not_run", totals[number].not_run);
		close_in(json, '}');
	}
	close_in(json, ']');
}

int report_json(const struct conform_report *report, FILE *file)
{
	struct json json = { .file = file, .first = true };
	size_t i;

	open_in(&json, NULL, '{');
	put_text(&json, "format", "gemsync-conform-1");
	put_text(&json, "gemsync", report->version);
	put_bool(&json, "good", report_is_good(report));
	put_bool(&json, "whole", report_is_whole(report));
	put_number(&json, "passed", report->passed);
	put_number(&json, "failed", report->failed);
	put_number(&json, "skipped", report->skipped);
	put_optional(&json, "filter", report->filter ? report->filter : "");
	put_number(&json, "suite", report->suite);
	put_number(&json, "chosen", report->chosen);
	put_bool(&json, "expecting", report->expecting);
	put_number(&json, "unexpected_skips", report->unexpected);
	put_text(&json, "started", report->facts.started);
	put_seconds(&json, "seconds", report->seconds);
	put_facts(&json, &report->facts);
	put_rules(&json, report);
	open_in(&json, "cases", '[');
	for (i = 0; i < report->count; i++)
		put_result(&json, report, &report->results[i]);
	close_in(&json, ']');
	close_in(&json, '}');
	fputc('\n', file);
	return ferror(file) ? -EIO : 0;
}
