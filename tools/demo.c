// SPDX-License-Identifier: MIT
/* gemsync demo: one table of what synchronization does, and what happens without. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "first.h"
#include "tool.h"

#define SIM	"sim"

static const struct tool_column columns[] = {
	{ "scenario", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "done", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "expected", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "seen", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "lines", SCOLS_JSON_STRING, 0 },
	{ "verdict", SCOLS_JSON_STRING, 0 },
};

static const char legend[] =
	"Lines: cache lines that the driver wrote back / dropped during the synchronization of the "
	"row, counted by the device. A row holds if what was seen, and the lines, are as expected; "
	"rows \"without\" show that the data really is stale when nobody synchronizes.";

static const struct demo_rows *const chapters[] = {
	&demo_sync_rows,
	&demo_share_rows,
	&demo_long_rows,
};

/* Only an emulated cache, and not in chaos mode, promises that a stale line stays stale. */
static bool is_decided(const struct demo *demo, const struct demo_result *result)
{
	return !result->stale || (demo->info.emulated && !demo->info.chaos);
}

static bool lines_match(const struct demo *demo, const struct demo_result *result)
{
	if (!demo->info.emulated)
		return true;
	return result->lines.lines_cleaned == result->expected_lines.lines_cleaned &&
	       result->lines.lines_dropped == result->expected_lines.lines_dropped;
}

static void format_lines(const struct demo *demo, const struct demo_result *result, char *text,
			 size_t size)
{
	int len;

	if (!demo->info.emulated) {
		snprintf(text, size, "not counted");
		return;
	}
	len = snprintf(text, size, "%" PRIu64 " / %" PRIu64, result->lines.lines_cleaned,
		       result->lines.lines_dropped);
	if (!lines_match(demo, result))
		snprintf(text + len, size - len, " (expected %" PRIu64 " / %" PRIu64 ")",
			 result->expected_lines.lines_cleaned,
			 result->expected_lines.lines_dropped);
}

static const char broken[] = "BROKEN";

/* Of all kinds, so far; 0 where nobody looks. */
static uint64_t count_violations(const struct demo *demo)
{
	uint64_t sum = 0, count;
	int kind;

	for (kind = 0; kind <= GEMSYNC_CPU_READ_STALE; kind++)
		if (!gemsync_device_violation_count(demo->dev, (enum gemsync_violation_kind)kind,
						    &count))
			sum += count;
	return sum;
}

/* Whoever does all that has to be done, and is not refused it, is blamed for nothing. */
static bool is_blamed(const struct demo_row *row, const struct demo_result *result)
{
	return row->sync && !result->stale && result->violations;
}

/* @error: what kept the row from running, or 0. */
static const char *judge(const struct demo *demo, const struct demo_result *result, int error)
{
	if (error)
		return broken;
	if (result->skipped)
		return "skipped";
	if (!strcmp(result->expected, result->seen) && lines_match(demo, result))
		return "holds";
	return is_decided(demo, result) ? broken : "undecided";
}

/* Run one row and add it to the table. Returns whether it does not hold, or -errno. */
static int run_row(struct demo *demo, const struct demo_row *row, struct libscols_table *table)
{
	struct demo_result result = { 0 };
	char lines[96];
	const char *cells[ARRAY_SIZE(columns)];
	const char *verdict;
	uint64_t before;
	int ret;

	before = count_violations(demo);
	ret = row->run(demo, row, &result);
	result.violations = count_violations(demo) - before;
	verdict = is_blamed(row, &result) ? broken : judge(demo, &result, ret);
	if (ret)
		snprintf(result.seen, sizeof(result.seen), "error: %s", strerror(-ret));
	else if (result.skipped)
		snprintf(result.seen, sizeof(result.seen), "not on this device");
	else if (is_blamed(row, &result))
		snprintf(result.seen, sizeof(result.seen), "%" PRIu64 " false violations",
			 result.violations);
	format_lines(demo, &result, lines, sizeof(lines));
	cells[0] = row->scenario;
	cells[1] = row->did;
	cells[2] = result.expected;
	cells[3] = result.seen;
	cells[4] = lines;
	cells[5] = verdict;
	ret = tool_table_add(table, cells, ARRAY_SIZE(cells));
	return ret ? ret : verdict == broken;
}

/* The same, for all rows. */
static int run_chapter(struct demo *demo, const struct demo_rows *chapter,
		       struct libscols_table *table)
{
	int any_broken = 0;
	size_t i;
	int ret;

	for (i = 0; i < chapter->count; i++) {
		ret = run_row(demo, &chapter->rows[i], table);
		if (ret < 0)
			return ret;
		any_broken |= ret;
	}
	return any_broken;
}

static enum exit_code run_rows(struct demo *demo, bool json)
{
	enum exit_code code = TOOL_OK;
	struct libscols_table *table;
	size_t i;
	int ret;

	table = tool_table_create("demo", columns, ARRAY_SIZE(columns), json);
	if (!table)
		return TOOL_CANNOT;
	for (i = 0; i < ARRAY_SIZE(chapters); i++) {
		ret = run_chapter(demo, chapters[i], table);
		if (ret < 0) {
			code = TOOL_CANNOT;
			break;
		}
		if (ret)
			code = TOOL_FAILED;
	}
	ret = tool_table_print(table);
	if (ret) {
		tool_complain("cannot print the table: %s", strerror(-ret));
		code = TOOL_CANNOT;
	}
	if (!json) {
		putchar('\n');
		tool_print_wrapped(legend, 0, 0);
	}
	scols_unref_table(table);
	return code;
}

/* What the table is about, where it can be printed. */
static void print_device(const struct demo *demo)
{
	const struct gemsync_device_info *info = &demo->info;

	if (!strcmp(info->driver, SIM))
		printf("Device: %s, simulated in this process\n\n", info->node);
	else
		printf("Device: %s, driver %s%s\n\n", info->node, info->driver,
		       info->emulated ? ", with an emulated cache" : "");
}

static enum exit_code show_device(struct demo *demo, const struct tool_options *options)
{
	enum exit_code code;
	int ret;

	if (demo->info.coherent) {
		tool_complain("%s (%s) is coherent: it snoops the CPU's caches, so no data is ever "
			      "stale, no synchronization is needed, and there is nothing to show",
			      demo->info.node, demo->info.driver);
		return TOOL_CANNOT;
	}
	if (!demo->info.line_size) {
		tool_complain("the line size of this CPU's cache is not known");
		return TOOL_CANNOT;
	}
	ret = gpu_open(demo->dev, &demo->gpu);
	if (ret) {
		tool_complain("cannot make the GPU work: %s", strerror(-ret));
		return TOOL_CANNOT;
	}
	if (!options->json)
		print_device(demo);
	code = run_rows(demo, options->json);
	gpu_close(demo->gpu);
	return code;
}

/* Open the device that was named, or the first that has something to show. */
static int open_device(const char *name, uint32_t watch, struct demo *demo)
{
	struct gemsync_device_info info;
	int ret;

	if (name)
		return open_watched(name, watch, &demo->dev, &demo->watched);
	ret = first_device(&demo->dev);
	if (!ret) {
		gemsync_device_query(demo->dev, &info);
		if (!info.coherent && info.can_sync)
			return watch_or_close(&demo->dev, watch, &demo->watched);
		gemsync_device_close(demo->dev);
	}
	tool_complain("no device can be used (%s): this is a simulated one",
		      ret ? strerror(-ret) : "coherent, or without a call to synchronize");
	return open_watched(SIM, watch, &demo->dev, &demo->watched);
}

static const char help[] =
	"usage: gemsync demo [--device DEVICE] [--json] [--watch WHAT]\n\n"
	"Shows on a device what synchronization does, and that data is stale without.\n\n"
	"  -d, --device DEVICE  a node, a driver's name, or sim; without it the first usable\n"
	"                       device, or sim if there is none\n"
	"  -j, --json           print JSON\n"
	"  -w, --watch WHAT     what an emulated device looks for meanwhile beside what it always\n"
	"                       sees: all, loads, stores or nothing; without it all that it can\n";

static const struct tool_syntax syntax = {
	.letters = "d:jw:h",
	.options = (const struct option[]) {
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	},
	.help = help,
	.take = tool_take_common,
};

enum exit_code tool_demo(int argc, char **argv)
{
	struct tool_options options = { .watch = WATCH_WHAT_CAN_BE };
	struct demo demo = { .next_seed = 1 };
	enum exit_code code;
	int ret;

	if (!tool_parse(argc, argv, &syntax, &options, &code))
		return code;
	if (tool_has_arguments(argc, argv))
		return tool_usage(argv[0]);
	ret = open_device(options.device, options.watch, &demo);
	if (ret) {
		tool_complain_of_device(options.device ? options.device : SIM, -ret);
		return TOOL_CANNOT;
	}
	code = TOOL_CANNOT;
	ret = gemsync_device_query(demo.dev, &demo.info);
	if (ret)
		tool_complain("cannot query the device: %s", strerror(-ret));
	else
		code = show_device(&demo, &options);
	watch_again(demo.dev, &demo.watched);
	gemsync_device_close(demo.dev);
	return code;
}
