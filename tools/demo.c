// SPDX-License-Identifier: MIT
/* gemsync demo: one table of what synchronization does, and what happens without. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "tool.h"

static const struct tool_column columns[] = {
	{ "scenario", SCOLS_JSON_STRING, 0 },
	{ "done", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
	{ "expected", SCOLS_JSON_STRING, 0 },
	{ "seen", SCOLS_JSON_STRING, 0 },
	{ "lines", SCOLS_JSON_STRING, 0 },
	{ "verdict", SCOLS_JSON_STRING, 0 },
};

static const char legend[] =
	"\nLines: cache lines that the driver wrote back / dropped during the synchronization of\n"
	"the row, counted by the device. A row holds if what was seen, and the lines, are as\n"
	"expected; rows \"without\" show that the data really is stale when nobody synchronizes.\n";

/* Rows that need an unsynchronized cache to stay stale: only an emulated one promises it. */
static bool is_decided(const struct demo *demo, const struct demo_row *row)
{
	return demo->info.emulated || row->sync;
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

/* Run one row and add it to the table. Returns whether it does not hold, or -errno. */
static int run_row(struct demo *demo, const struct demo_row *row, struct libscols_table *table)
{
	struct demo_result result = { 0 };
	char lines[96];
	const char *cells[ARRAY_SIZE(columns)];
	bool holds;
	int ret;

	ret = row->run(demo, row, &result);
	if (ret)
		snprintf(result.seen, sizeof(result.seen), "error: %s", strerror(-ret));
	format_lines(demo, &result, lines, sizeof(lines));
	holds = !ret && !strcmp(result.expected, result.seen) && lines_match(demo, &result);
	cells[0] = row->scenario;
	cells[1] = row->did;
	cells[2] = result.expected;
	cells[3] = result.seen;
	cells[4] = lines;
	cells[5] = holds ? "holds" : ret || is_decided(demo, row) ? "BROKEN" : "undecided";
	ret = tool_table_add(table, cells, ARRAY_SIZE(cells));
	if (ret)
		return ret;
	return !strcmp(cells[5], "BROKEN");
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
	for (i = 0; i < demo_row_count; i++) {
		ret = run_row(demo, &demo_rows[i], table);
		if (ret < 0) {
			code = TOOL_CANNOT;
			break;
		}
		if (ret)
			code = TOOL_FAILED;
	}
	scols_print_table(table);
	if (!json)
		fputs(legend, stdout);
	scols_unref_table(table);
	return code;
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
	code = run_rows(demo, options->json);
	gpu_close(demo->gpu);
	return code;
}

enum exit_code tool_demo(const struct tool_options *options)
{
	struct demo demo = { .next_seed = 1 };
	enum exit_code code = TOOL_CANNOT;
	int ret;

	ret = gemsync_device_open(options->device, &demo.dev);
	if (ret) {
		tool_complain("cannot open %s: %s",
			      options->device ? options->device : "a device", strerror(-ret));
		return TOOL_CANNOT;
	}
	ret = gemsync_device_query(demo.dev, &demo.info);
	if (ret)
		tool_complain("cannot query the device: %s", strerror(-ret));
	else
		code = show_device(&demo, options);
	gemsync_device_close(demo.dev);
	return code;
}
