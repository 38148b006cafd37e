// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run_findings.h"

/* ---- Lines of JSON, as the layer writes them: no blank between a key and its value ---- */

/* What stands behind a key, from @from on; NULL if it is not there. */
static const char *find_key(const char *from, const char *key)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(from, quoted);
	return at ? at + strlen(quoted) : NULL;
}

/* The string behind a key, to be freed; empty if there is none. NULL: no memory. */
static char *take_string(const char *from, const char *key)
{
	const char *at = find_key(from, key);
	char *string = malloc(strlen(from) + 1), *out = string;

	if (!string)
		return NULL;
	for (at = at && *at == '"' ? at + 1 : ""; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1] == 'u' && strlen(at) > 5) {
			*out++ = ' ';
			at += 5;
			continue;
		}
		if (*at == '\\' && at[1])
			at++;
		*out++ = *at;
	}
	*out = 0;
	return string;
}

static unsigned long take_number(const char *from, const char *key)
{
	const char *at = find_key(from, key);

	return at ? strtoul(at, NULL, 10) : 0;
}

static char *take_where(const char *line)
{
	const char *object = find_key(line, "resource");
	char *name;

	if (!object)
		object = find_key(line, "memory");
	if (!object)
		return strdup("");
	name = take_string(object, "name");
	if (name && *name)
		return name;
	free(name);
	return take_string(object, "handle");
}

/* ---- Reading ---- */

static int add(struct run_findings *findings, const char *line)
{
	struct run_finding finding = {
		.kind = take_string(line, "kind"),
		.text = take_string(line, "text"),
		.where = take_where(line),
		.count = 1,
	};
	char *sure = take_string(line, "sure");
	void *items = realloc(findings->items, (findings->count + 1) * sizeof(finding));

	if (items)
		findings->items = items;
	if (!items || !sure || !finding.kind || !finding.text || !finding.where) {
		free(finding.kind);
		free(finding.text);
		free(finding.where);
		free(sure);
		return -ENOMEM;
	}
	finding.possibly = !strcmp(sure, "possibly");
	free(sure);
	finding.counts = strcmp(finding.kind, "left-alone") && strcmp(finding.kind, "clean-flush");
	if (finding.counts)
		++*(finding.possibly ? &findings->possible : &findings->certain);
	findings->items[findings->count++] = finding;
	return 0;
}

/* @first: of the findings of the line's instance. */
static int take_line(struct run_findings *findings, size_t *first, const char *line)
{
	size_t again;

	if (find_key(line, "layer")) {
		findings->instances++;
		findings->ignored += take_number(line, "ignored");
		*first = findings->count;
		return 0;
	}
	if (find_key(line, "text"))
		return add(findings, line);
	if (find_key(line, "more")) {
		findings->more += take_number(line, "more");
		return 0;
	}
	again = *first + take_number(line, "again");
	if (find_key(line, "again") && again < findings->count)
		findings->items[again].count = take_number(line, "count");
	return 0;
}

int run_findings_read(struct run_findings *findings, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t room = 0, first = 0;
	char *line = NULL;
	int ret = 0;

	*findings = (struct run_findings){ 0 };
	if (!file)
		return -errno;
	while (!ret && getline(&line, &room, file) > 0)
		ret = take_line(findings, &first, line);
	free(line);
	fclose(file);
	if (ret)
		run_findings_free(findings);
	return ret;
}

void run_findings_free(struct run_findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		free(findings->items[i].kind);
		free(findings->items[i].text);
		free(findings->items[i].where);
	}
	free(findings->items);
	*findings = (struct run_findings){ 0 };
}

/* ---- Writing ---- */

void run_findings_print(const struct run_findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct run_finding *finding = &findings->items[i];

		fprintf(stderr, "gemsync run: %-22s %-10s %6lu x  %s\n", finding->kind,
			!finding->counts ? "" : finding->possibly ? "possibly" : "certainly",
			finding->count, finding->where);
	}
	if (findings->more)
		fprintf(stderr, "gemsync run: and %lu that are not listed\n", findings->more);
	if (findings->instances)
		fprintf(stderr, "gemsync run: %u certain, %u possible\n", findings->certain,
			findings->possible);
}

static void write_xml(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '&':
			fputs("&amp;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc(*text, file);
		}
	}
}

/* What may be a name in JUnit; anything else becomes '_'. */
static void write_token(FILE *file, const char *text)
{
	for (; *text; text++)
		fputc(isalnum((unsigned char)*text) || strchr("._:-", *text) ? *text : '_', file);
}

static void write_case(FILE *file, const struct run_finding *finding)
{
	fprintf(file, "    <testcase classname=\"gemsync.run\" name=\"%s:", finding->kind);
	write_token(file, finding->where);
	fprintf(file, "\" time=\"0\">\n      <failure type=\"%s\" message=\"",
		finding->possibly ? "possibly" : "certainly");
	write_xml(file, finding->text);
	fprintf(file, "\">seen %lu times</failure>\n    </testcase>\n", finding->count);
}

/* Not of a finding: of the run. */
static void write_failure(FILE *file, const char *name, const char *message)
{
	fprintf(file, "    <testcase classname=\"gemsync.run\" name=\"%s\" time=\"0\">\n"
		"      <failure type=\"certainly\" message=\"%s\"/>\n    </testcase>\n", name,
		message);
}

static void write_totals(FILE *file, unsigned int failures)
{
	fprintf(file, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\" time=\"0\">\n",
		failures ? failures : 1, failures);
}

static void write_head(FILE *file, const char *program, unsigned int failures)
{
	char now[32];
	time_t seconds = time(NULL);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S", &utc);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gemsync run\"", file);
	write_totals(file, failures);
	fputs("  <testsuite name=\"", file);
	write_xml(file, program);
	fprintf(file, "\" timestamp=\"%s\"", now);
	write_totals(file, failures);
	fputs("    <properties>\n      <property name=\"layer\" "
	      "value=\"VK_LAYER_GEMSYNC_noncoherent\"/>\n    </properties>\n", file);
}

int run_findings_write_junit(const struct run_findings *findings, const char *path,
			     const char *program)
{
	unsigned int failures = findings->certain + findings->possible + !findings->instances +
				!!findings->ignored;
	FILE *file = fopen(path, "we");
	size_t i;

	if (!file)
		return -errno;
	write_head(file, program, failures);
	if (!failures)
		fputs("    <testcase classname=\"gemsync.run\" name=\"no-finding\" time=\"0\"/>\n",
		      file);
	if (!findings->instances)
		write_failure(file, "no-instance", "no Vulkan instance was made with the layer");
	if (findings->ignored)
		write_failure(file, "settings", "the layer did not understand all settings");
	for (i = 0; i < findings->count; i++) {
		if (findings->items[i].counts)
			write_case(file, &findings->items[i]);
	}
	fputs("  </testsuite>\n</testsuites>\n", file);
	return fclose(file) ? -errno : 0;
}
