// SPDX-License-Identifier: MIT
/* gemsync conform: run the conformance suite, and say what it found in several ways. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"
#include "report.h"
#include "tool.h"

static const char help[] =
	"usage: gemsync conform [OPTION...]\n\n"
	"Runs the conformance suite on a device: does its driver keep the contract\n"
	"(docs/contract.md)? Each case runs in a process of its own.\n\n"
	"  -d, --device DEVICE   a node (/dev/dri/renderD128), a driver's name (panthor), sim, or\n"
	"                        a maker of dma-bufs without a GPU: vgem, udmabuf, heap;\n"
	"                        without it the first device whose driver is known\n"
	"  -f, --filter LIST     only these cases: names, shell patterns of names, or rules,\n"
	"                        separated by commas (r4_*,R13)\n"
	"  -l, --list            list the cases and what they show, and run none\n"
	"  -e, --expect FILE     names of cases that may be skipped, one a line; any other skip\n"
	"                        counts as a failure\n"
	"  -t, --timeout SECONDS for each case without a limit of its own (30)\n"
	"  -x, --stop            stop after the first case that fails\n"
	"      --tap             print TAP in place of the table\n"
	"      --junit FILE      write JUnit XML\n"
	"      --json FILE       write JSON\n"
	"      --html FILE       write a page to look at; for each, - is standard output, in\n"
	"                        place of the table\n"
	"  -h, --help            print this help\n\n"
	"Exit status: 0 if cases passed and none failed, 1 if one failed, or was skipped that\n"
	"--expect does not name, or none passed, 2 for wrong usage, 3 if the device cannot be used.\n";

struct conform_arguments {
	struct conform_options options;
	bool list;
	bool tap;
	const char *junit;
	const char *json;
	const char *html;
};

static const struct tool_column list_columns[] = {
	{ "case", SCOLS_JSON_STRING, 0 },
	{ "rules", SCOLS_JSON_STRING, 0 },
	{ "shows that", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

static const struct tool_column result_columns[] = {
	{ "case", SCOLS_JSON_STRING, 0 },
	{ "rules", SCOLS_JSON_STRING, 0 },
	{ "verdict", SCOLS_JSON_STRING, 0 },
	{ "time", SCOLS_JSON_STRING, SCOLS_FL_RIGHT },
	{ "why", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

/* ---- Listing ---- */

static enum exit_code list_cases(const char *filter)
{
	struct libscols_table *table;
	const struct conform_case *c;
	const char *cells[ARRAY_SIZE(list_columns)];
	size_t i, count = 0;

	table = tool_table_create("cases", list_columns, ARRAY_SIZE(list_columns), false);
	for (i = 0; table && (c = conform_case(i)); i++) {
		if (!conform_case_matches(c, filter))
			continue;
		cells[0] = conform_case_name(c);
		cells[1] = conform_case_rules(c);
		cells[2] = conform_case_purpose(c);
		if (tool_table_add(table, cells, ARRAY_SIZE(cells)))
			break;
		count++;
	}
	if (!count) {
		tool_complain(table ? "no case matches '%s'" : "out of memory", filter);
		scols_unref_table(table);
		return TOOL_USAGE;
	}
	tool_table_print(table);
	scols_unref_table(table);
	return TOOL_OK;
}

/* ---- The table ---- */

static const char *verdict_of(const struct conform_report *report,
			      const struct conform_result *result)
{
	if (report_is_unexpected(report, result))
		return "skip!";
	return conform_verdict_name(result->verdict);
}

static int add_result(const struct conform_report *report, const struct conform_result *result,
		      struct libscols_table *table)
{
	const char *cells[ARRAY_SIZE(result_columns)];
	char seconds[16], why[sizeof(result->reason) + sizeof(result->remedy) + 4];

	snprintf(seconds, sizeof(seconds), "%.2f s", result->seconds);
	snprintf(why, sizeof(why), "%s%s%s", result->reason, *result->remedy ? "; " : "",
		 result->remedy);
	cells[0] = conform_case_name(result->c);
	cells[1] = conform_case_rules(result->c);
	cells[2] = verdict_of(report, result);
	cells[3] = seconds;
	cells[4] = why;
	return tool_table_add(table, cells, ARRAY_SIZE(cells));
}

static const char *answer(enum conform_answer was, enum conform_answer should)
{
	static const char *const texts[3][2] = {
		[CONFORM_NO] = { "no", "NO, should be" },
		[CONFORM_YES] = { "YES, should not", "yes" },
		[CONFORM_UNKNOWN] = { "not asked for", "asked for" },
	};

	return texts[was][should == CONFORM_YES];
}

static void print_content(const char *is, const char *due)
{
	char text[48];

	snprintf(text, sizeof(text), *due ? "%s, should be %s" : "%s", is, due);
	printf("%-28s", text);
}

static void print_picture(const struct conform_result *result)
{
	const struct conform_picture *picture = &result->picture;
	const struct conform_line *line;

	printf("\n%s: %s\n%s\n  %-12s%-28s%-28s%-18s%s\n", conform_case_name(result->c),
	       picture->title, picture->note, "line at", "memory", "cache", "written back",
	       "dropped");
	for (line = picture->lines; line < picture->lines + picture->count; line++) {
		printf("  %#-12" PRIx64, line->offset);
		print_content(line->memory, line->memory_due);
		print_content(line->cache, line->cache_due);
		printf("%-18s%s\n", answer(line->cleaned, line->should_clean),
		       answer(line->dropped, line->should_drop));
	}
}

static void print_device(const struct conform_facts *facts)
{
	const struct gemsync_device_info *info = &facts->info;

	if (facts->exporter)
		printf("Exporter: %s", info->driver);
	else
		printf("Device: %s, driver %s %" PRIu32 ".%" PRIu32 ", %scoherent%s%s, lines of %"
		       PRIu32 " bytes", info->node, info->driver, info->version_major,
		       info->version_minor, info->coherent ? "" : "not ",
		       info->emulated ? ", emulated" : "", info->chaos ? " (chaos)" : "",
		       info->line_size);
	printf("; %s on %s\n", facts->kernel, facts->machine);
	if (!facts->kernel_log)
		printf("The kernel's log cannot be read: its warnings are not seen.\n");
	putchar('\n');
}

static int print_table(const struct conform_report *report)
{
	struct libscols_table *table;
	size_t i;
	int ret = 0;

	table = tool_table_create("conformance", result_columns, ARRAY_SIZE(result_columns), false);
	if (!table)
		return -ENOMEM;
	print_device(&report->facts);
	for (i = 0; i < report->count && !ret; i++)
		ret = add_result(report, &report->results[i], table);
	if (!ret)
		ret = tool_table_print(table);
	scols_unref_table(table);
	for (i = 0; i < report->count; i++)
		if (report->results[i].picture.count)
			print_picture(&report->results[i]);
	if (report->unexpected)
		printf("\n%zu skips (skip!) are not among the expected ones\n", report->unexpected);
	printf("\n%zu passed, %zu failed, %zu skipped\n", report->passed, report->failed,
	       report->skipped);
	return ret;
}

/* ---- Files ---- */

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

static int write_file(const struct conform_report *report, const char *path,
		      int (*write)(const struct conform_report *report, FILE *file))
{
	FILE *file;
	int ret;

	if (!path)
		return 0;
	if (is_stdout(path))
		return write(report, stdout);
	file = fopen(path, "we");
	if (!file) {
		ret = -errno;
		goto out;
	}
	ret = write(report, file);
	if (fclose(file) && !ret)
		ret = -errno;
out:
	if (ret)
		tool_complain("%s: %s", path, strerror(-ret));
	return ret;
}

/* How many outputs there are that take the table's place. */
static unsigned int in_place(const struct conform_arguments *args)
{
	return args->tap + is_stdout(args->junit) + is_stdout(args->json) + is_stdout(args->html);
}

static enum exit_code say_all(const struct conform_report *report,
			      const struct conform_arguments *args)
{
	int ret = 0;

	if (args->tap)
		ret = report_tap_end(report, stdout);
	else if (!in_place(args))
		ret = print_table(report);
	if (ret)
		tool_complain("cannot print the results: %s", strerror(-ret));
	if (!ret)
		ret = write_file(report, args->junit, report_junit);
	if (!ret)
		ret = write_file(report, args->json, report_json);
	if (!ret)
		ret = write_file(report, args->html, report_html);
	if (ret)
		return TOOL_CANNOT;
	return report_is_good(report) ? TOOL_OK : TOOL_FAILED;
}

/* ---- Running ---- */

static void show_start(const struct conform_case *c, void *data)
{
	(void)data;
	fprintf(stderr, "\r\033[K%s", conform_case_name(c));
}

static void tap_start(const struct conform_case *c, void *data)
{
	(void)data;
	report_tap_starting(c, stdout);
}

static void tap_end(const struct conform_report *report, const struct conform_result *result,
		    void *data)
{
	(void)data;
	report_tap_result(report, result, stdout);
}

static enum exit_code run_suite(struct conform_arguments *args)
{
	const char *device = args->options.device ? args->options.device : "the first device";
	bool terminal = !args->tap && isatty(STDERR_FILENO);
	struct conform_report *report;
	enum exit_code code;
	int ret;

	if (args->tap) {
		args->options.starting = tap_start;
		args->options.ended = tap_end;
	} else if (terminal) {
		args->options.starting = show_start;
	}
	ret = conform_run(&args->options, &report);
	if (terminal)
		fputs("\r\033[K", stderr);
	if (ret) {
		tool_complain("cannot run the suite on %s: %s", device, strerror(-ret));
		return TOOL_CANNOT;
	}
	code = say_all(report, args);
	conform_report_destroy(report);
	return code;
}

/* ---- Options ---- */

enum { OPTION_TAP = 256, OPTION_JUNIT, OPTION_JSON, OPTION_HTML };

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "filter", required_argument, NULL, 'f' },
	{ "list", no_argument, NULL, 'l' },
	{ "expect", required_argument, NULL, 'e' },
	{ "timeout", required_argument, NULL, 't' },
	{ "stop", no_argument, NULL, 'x' },
	{ "tap", no_argument, NULL, OPTION_TAP },
	{ "junit", required_argument, NULL, OPTION_JUNIT },
	{ "json", required_argument, NULL, OPTION_JSON },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_seconds(const char *text, double *out)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || !(seconds > 0 && seconds < 86400)) {
		tool_complain("'%s' is no number of seconds", text);
		return false;
	}
	*out = seconds;
	return true;
}

/* Whether @opt is a good one. */
static bool take_option(int opt, struct conform_arguments *args)
{
	const char **file = NULL;

	switch (opt) {
	case 'd': file = &args->options.device; break;
	case 'f': file = &args->options.filter; break;
	case 'e': file = &args->options.expect; break;
	case OPTION_JUNIT: file = &args->junit; break;
	case OPTION_JSON: file = &args->json; break;
	case OPTION_HTML: file = &args->html; break;
	case 'l': args->list = true; return true;
	case 'x': args->options.stop = true; return true;
	case OPTION_TAP: args->tap = true; return true;
	case 't': return parse_seconds(optarg, &args->options.timeout);
	default: return false;
	}
	*file = optarg;
	return true;
}

static bool matches_any(const char *filter)
{
	const struct conform_case *c;
	size_t i;

	for (i = 0; (c = conform_case(i)); i++)
		if (conform_case_matches(c, filter))
			return true;
	tool_complain("no case matches '%s'", filter);
	return false;
}

enum exit_code tool_conform(int argc, char **argv)
{
	struct conform_arguments args = { .options.timeout = CONFORM_TIMEOUT };
	int opt;

	while ((opt = getopt_long(argc, argv, "d:f:le:t:xh", long_options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return TOOL_OK;
		}
		if (!take_option(opt, &args))
			return tool_usage(argv[0]);
	}
	if (tool_has_arguments(argc, argv))
		return tool_usage(argv[0]);
	if (in_place(&args) > 1) {
		tool_complain("only one output can go to standard output");
		return tool_usage(argv[0]);
	}
	if (args.list)
		return list_cases(args.options.filter);
	if (!matches_any(args.options.filter))
		return TOOL_USAGE;
	return run_suite(&args);
}
