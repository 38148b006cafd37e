// SPDX-License-Identifier: MIT
/* gemsync conform: run the conformance suite, and say what it found in several ways. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conform.h"
#include "conform_table.h"
#include "expected.h"
#include "report.h"
#include "tool.h"

static const char help[] =
	"usage: gemsync conform [OPTION...]\n\n"
	"Runs the conformance suite on a device: does its driver keep the contract\n"
	"(docs/contract.md)? Each case runs in a process of its own.\n\n"
	"  -d, --device DEVICE   a node (/dev/dri/renderD128), a driver's name (panthor), sim, or\n"
	"                        a maker of dma-bufs without a GPU: vgem, udmabuf, heap;\n"
	"                        without it the first device whose driver is known\n"
	"      --driver FILE     a driver that the library does not know: FILE is a shared object\n"
	"                        that describes it (gemsync/driver.h); the device is its first,\n"
	"                        if --device does not name one\n"
	"  -f, --filter LIST     only these cases: names, shell patterns of names, or rules,\n"
	"                        separated by commas (r4_*,R13)\n"
	"  -l, --list            list the cases and what they show, and run none\n"
	"  -e, --expect FILE     names of cases that may be skipped, one a line, and behind 'fails'\n"
	"                        of those that are known to fail; any other skip, and one of\n"
	"                        these that passes, counts as a failure\n"
	"  -t, --timeout SECONDS for each case without a limit of its own (30,\n"
	"                        and as much more as this machine is slower than usual)\n"
	"  -x, --stop            stop after the first case that fails\n"
	"  -w, --watch WHAT      what an emulated device looks for meanwhile beside what it always\n"
	"                        sees: all, loads, stores or nothing; without it all that it can\n"
	"      --tap             print TAP in place of the table\n"
	"      --junit FILE      write JUnit XML\n"
	"      --json FILE       write JSON\n"
	"      --html FILE       write a page to look at; for each, - is standard output, in\n"
	"                        place of the table\n"
	"  -h, --help            print this help\n\n"
	"Exit status: 0 if cases passed and none failed, 1 if one failed, or was skipped that\n"
	"--expect does not name, or none passed, 2 for wrong usage, 3 if the device cannot be used.\n";

/* A file that a report goes to. */
struct output {
	const char *path;	/* NULL if it was not asked for; "-" is standard output */
	int (*write)(const struct conform_report *report, FILE *file);
	FILE *file;
	bool created;		/* there was none before */
};

enum { JUNIT, JSON, HTML, OUTPUTS };

struct conform_arguments {
	struct conform_options options;
	bool list;
	bool tap;
	const char *expect;
	const char *driver;	/* path of a description, or NULL */
	struct output outputs[OUTPUTS];
};

#define for_each_output(args, output)						\
	for ((output) = (args)->outputs; (output) < (args)->outputs + OUTPUTS; (output)++)

/* ---- Files ---- */

static bool is_stdout(const struct output *output)
{
	return output->path && !strcmp(output->path, "-");
}

/* How many outputs there are that take the table's place. */
static unsigned int in_place(struct conform_arguments *args)
{
	struct output *output;
	unsigned int count = args->tap;

	for_each_output(args, output)
		count += is_stdout(output);
	return count;
}

/* What is in the file stays until there is something to write. 0 or -errno. */
static int open_output(struct output *output)
{
	int fd;

	if (is_stdout(output)) {
		output->file = stdout;
		return 0;
	}
	fd = open(output->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	output->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(output->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	output->file = fdopen(fd, "w");
	if (output->file)
		return 0;
	close(fd);
	return -ENOMEM;
}

/* Close what no report was written to: as if it had never been opened. */
static void drop_outputs(struct conform_arguments *args)
{
	struct output *output;

	for_each_output(args, output) {
		if (!output->file || is_stdout(output))
			continue;
		fclose(output->file);
		output->file = NULL;
		if (output->created)
			unlink(output->path);
	}
}

/* Before the run, which may be long: a path that cannot be written ends it at once. */
static bool open_outputs(struct conform_arguments *args)
{
	struct output *output;
	int ret;

	for_each_output(args, output) {
		ret = output->path ? open_output(output) : 0;
		if (!ret)
			continue;
		tool_complain("%s: %s", output->path, strerror(-ret));
		drop_outputs(args);
		return false;
	}
	return true;
}

/* Empty a file of what was in it before; what else there is to write to has nothing in it. */
static int empty(FILE *file)
{
	struct stat st;

	if (fstat(fileno(file), &st))
		return -errno;
	if (S_ISREG(st.st_mode) && ftruncate(fileno(file), 0))
		return -errno;
	return 0;
}

/* In memory first: of a stream that failed, nobody knows why. */
static int write_report(const struct conform_report *report, struct output *output, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	int ret;

	if (!memory)
		return -ENOMEM;
	ret = output->write(report, memory);
	if (fclose(memory) && !ret)
		ret = -ENOMEM;
	if (!ret && (fwrite(text, 1, size, file) != size || fflush(file)))
		ret = -errno;
	free(text);
	return ret;
}

static int write_output(const struct conform_report *report, struct output *output)
{
	FILE *file = output->file;
	int ret;

	if (!file)
		return 0;
	if (is_stdout(output))
		return write_report(report, output, file);
	output->file = NULL;
	ret = empty(file);
	if (!ret)
		ret = write_report(report, output, file);
	if (fclose(file) && !ret)
		ret = -errno;
	if (ret)
		tool_complain("%s: %s", output->path, strerror(-ret));
	return ret;
}

static enum exit_code say_all(const struct conform_report *report, struct conform_arguments *args)
{
	struct output *output;
	int ret = 0;

	if (args->tap)
		ret = report_tap_end(report, stdout);
	else if (!in_place(args))
		conform_table_end(report);
	if (ret)
		tool_complain("cannot print the results: %s", strerror(-ret));
	for_each_output(args, output)
		if (!ret)
			ret = write_output(report, output);
	if (ret)
		return TOOL_CANNOT;
	return report_is_good(report) ? TOOL_OK : TOOL_FAILED;
}

/* ---- Running ---- */

/* On a terminal, which case is running; its own line takes the place of that. */
static void show_start(const struct conform_case *c, void *data)
{
	(void)data;
	fprintf(stderr, "\r\033[K%s", conform_case_name(c));
}

static void clear_start(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void table_begin(const struct conform_report *report, void *data)
{
	(void)data;
	conform_table_begin(report);
}

static void table_end(const struct conform_report *report, const struct conform_result *result,
		      void *data)
{
	(void)data;
	clear_start();
	conform_table_row(report, result);
}

static void tap_begin(const struct conform_report *report, void *data)
{
	(void)data;
	report_tap_begin(report, stdout);
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
	bool terminal = !args->tap && isatty(STDERR_FILENO);
	struct conform_options *options = &args->options;
	struct conform_report *report;
	enum exit_code code;
	int ret;

	if (args->tap) {
		options->begun = tap_begin;
		options->starting = tap_start;
		options->ended = tap_end;
	} else {
		options->begun = in_place(args) ? NULL : table_begin;
		options->starting = terminal ? show_start : NULL;
		options->ended = in_place(args) ? NULL : table_end;
	}
	ret = conform_run(&args->options, &report);
	if (terminal)
		clear_start();
	if (ret) {
		tool_complain_of_device(options->device, -ret);
		return TOOL_CANNOT;
	}
	code = say_all(report, args);
	conform_report_destroy(report);
	return code;
}

/* Its device is the one that is meant, where none is named. */
static bool load_driver(struct conform_arguments *args)
{
	const char *name;

	if (!args->driver)
		return true;
	if (!tool_load_driver(args->driver, &name))
		return false;
	if (!args->options.device)
		args->options.device = name;
	return true;
}

/* All that can be wrong with the arguments is said before the device is opened. */
static enum exit_code run_with_files(struct conform_arguments *args)
{
	struct expected *expected = NULL;
	char error[EXPECTED_ERROR];
	enum exit_code code = TOOL_USAGE;

	if (args->expect && expected_read(args->expect, &expected, error)) {
		tool_complain("%s", error);
		return TOOL_USAGE;
	}
	args->options.expected = expected;
	if (load_driver(args) && open_outputs(args)) {
		code = run_suite(args);
		drop_outputs(args);
	}
	expected_destroy(expected);
	return code;
}

/* ---- Options ---- */

enum { OPTION_DRIVER = 256, OPTION_TAP, OPTION_JUNIT, OPTION_JSON, OPTION_HTML };

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "driver", required_argument, NULL, OPTION_DRIVER },
	{ "filter", required_argument, NULL, 'f' },
	{ "list", no_argument, NULL, 'l' },
	{ "expect", required_argument, NULL, 'e' },
	{ "timeout", required_argument, NULL, 't' },
	{ "stop", no_argument, NULL, 'x' },
	{ "watch", required_argument, NULL, 'w' },
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
static bool take_option(int opt, void *data)
{
	struct conform_arguments *args = data;
	const char **file = NULL;

	switch (opt) {
	case 'd': file = &args->options.device; break;
	case 'f': file = &args->options.filter; break;
	case 'e': file = &args->expect; break;
	case OPTION_DRIVER: file = &args->driver; break;
	case OPTION_JUNIT: file = &args->outputs[JUNIT].path; break;
	case OPTION_JSON: file = &args->outputs[JSON].path; break;
	case OPTION_HTML: file = &args->outputs[HTML].path; break;
	case 'l': args->list = true; return true;
	case 'x': args->options.stop = true; return true;
	case OPTION_TAP: args->tap = true; return true;
	case 'w': return tool_watch_option(optarg, &args->options.watch);
	case 't': return parse_seconds(optarg, &args->options.timeout);
	default: return false;
	}
	*file = optarg;
	return true;
}

/* Each term of a filter is to choose something: one that is misspelt leaves cases out. */
static bool filter_matches(const char *filter)
{
	size_t length;
	const char *term = conform_filter_unknown(filter, &length);

	if (term)
		tool_complain("no case matches '%.*s'", (int)length, term);
	return !term;
}

static const struct tool_syntax syntax = {
	.letters = "d:f:le:t:xw:h",
	.options = long_options,
	.help = help,
	.take = take_option,
};

enum exit_code tool_conform(int argc, char **argv)
{
	struct conform_arguments args = {
		.outputs = {
			[JUNIT].write = report_junit,
			[JSON].write = report_json,
			[HTML].write = report_html,
		},
		.options.watch = WATCH_WHAT_CAN_BE,
	};
	enum exit_code code;

	if (!tool_parse(argc, argv, &syntax, &args, &code))
		return code;
	if (tool_has_arguments(argc, argv))
		return tool_usage(argv[0]);
	if (in_place(&args) > 1) {
		tool_complain("only one output can go to standard output");
		return tool_usage(argv[0]);
	}
	if (!filter_matches(args.options.filter))
		return TOOL_USAGE;
	if (args.list)
		return conform_list(args.options.filter);
	return run_with_files(&args);
}
