// SPDX-License-Identifier: MIT
/* gemsync info: which devices are there, and how they are synchronized. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tool.h"

static const struct tool_column columns[] = {
	{ "node", SCOLS_JSON_STRING, 0 },
	{ "driver", SCOLS_JSON_STRING, 0 },
	{ "version", SCOLS_JSON_STRING, 0 },
	{ "coherent", SCOLS_JSON_BOOLEAN, 0 },
	{ "emulated", SCOLS_JSON_BOOLEAN, 0 },
	{ "line", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "page", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "synchronization", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

static const char *describe_sync(const struct gemsync_device_info *info)
{
	struct gemsync_cpu_info cpu;

	if (info->coherent)
		return "none needed: the device snoops CPU caches";
	if (info->emulated && !strcmp(info->driver, "sim"))
		return "by the library: it simulates the device in this process";
	if (info->emulated && info->can_sync)
		return "by the kernel: only its maintenance moves emulated lines";
	if (!info->emulated && !gemsync_cpu_query(&cpu))
		return info->can_sync ?
			       "by this CPU where a BO is mapped, else by the driver's call" :
			       "by this CPU where a BO is mapped: the driver has no call";
	if (!info->can_sync)
		return "none: the driver has no call for it; for write-combined BOs none is needed";
	return "by the driver's call: this CPU has no maintenance in user space";
}

/* Which is no column: there is one for all devices. */
static void print_cpu(void)
{
	struct gemsync_cpu_info cpu;

	if (gemsync_cpu_query(&cpu))
		printf("this CPU: %s\n", cpu.why);
	else
		printf("this CPU: %s, lines of %zu bytes, granule of %zu; %s\n", cpu.backend,
		       cpu.line_size, cpu.granule, cpu.why);
}

/* The device tree says so of hardware that kernel/mali emulates. */
static bool is_emulated_hardware(const char *node)
{
	char path[96];
	struct stat st;

	if (stat(node, &st) || !S_ISCHR(st.st_mode))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/of_node/gemsync,emulated",
		 major(st.st_rdev), minor(st.st_rdev));
	return !access(path, F_OK);
}

/* Neither is this: what is unusual of a device is said below the table. */
static void print_note(const char *node)
{
	struct gemsync_device_info info;
	struct gemsync_device *dev;
	struct utsname kernel;

	if (!is_emulated_hardware(node) || uname(&kernel) || gemsync_device_open(node, &dev))
		return;
	if (!gemsync_device_query(dev, &info))
		printf("%s: emulated hardware, under the driver %s %" PRIu32 ".%" PRIu32
		       " of Linux %s\n", info.node, info.driver, info.version_major,
		       info.version_minor, kernel.release);
	gemsync_device_close(dev);
}

static void print_notes(void)
{
	glob_t nodes;
	size_t i;

	if (glob("/dev/dri/renderD*", 0, NULL, &nodes))
		return;
	for (i = 0; i < nodes.gl_pathc; i++)
		print_note(nodes.gl_pathv[i]);
	globfree(&nodes);
}

static const char *describe_error(int error)
{
	switch (error) {
	case -ENODEV:
		return "no such device";
	case -EINVAL:
		return "unknown option of a simulated device";
	case -EOPNOTSUPP:
		return "driver unknown, or too old to synchronize cached maps";
	default:
		return strerror(-error);
	}
}

static int add_device(struct libscols_table *table, struct gemsync_device *dev)
{
	struct gemsync_device_info info;
	char version[24], line[12], page[24];
	const char *cells[ARRAY_SIZE(columns)];
	int ret;

	ret = gemsync_device_query(dev, &info);
	if (ret)
		return ret;
	snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32, info.version_major,
		 info.version_minor);
	snprintf(line, sizeof(line), "%" PRIu32, info.line_size);
	snprintf(page, sizeof(page), "%" PRIu64, info.page_size);
	cells[0] = info.node;
	cells[1] = info.driver;
	cells[2] = version;
	cells[3] = info.coherent ? "yes" : "no";
	cells[4] = info.emulated ? "yes" : "no";
	cells[5] = line;
	cells[6] = page;
	cells[7] = describe_sync(&info);
	return tool_table_add(table, cells, ARRAY_SIZE(cells));
}

/* A row for a device that opens; else the error, and a row for it if @row_anyway. */
static int add_named(struct libscols_table *table, const char *name, bool row_anyway)
{
	const char *cells[ARRAY_SIZE(columns)] = { name };
	struct gemsync_device *dev;
	int ret;

	ret = gemsync_device_open(name, &dev);
	if (!ret) {
		ret = add_device(table, dev);
		gemsync_device_close(dev);
	} else if (row_anyway) {
		cells[7] = describe_error(ret);
		tool_table_add(table, cells, ARRAY_SIZE(cells));
	}
	return ret;
}

/* The nodes, usable or not, and the simulated device, which always is. */
static int add_all(struct libscols_table *table)
{
	glob_t nodes;
	size_t i;

	if (!glob("/dev/dri/renderD*", 0, NULL, &nodes)) {
		for (i = 0; i < nodes.gl_pathc; i++)
			add_named(table, nodes.gl_pathv[i], true);
		globfree(&nodes);
	}
	return add_named(table, "sim", true);
}

static const char help[] =
	"usage: gemsync info [--device DEVICE] [--json]\n\n"
	"Shows the devices of this machine, or one: whether they snoop CPU caches, and how their\n"
	"buffer objects are synchronized; and what this CPU can do in user space.\n\n"
	"  -d, --device DEVICE  only this one\n"
	"  -j, --json           print JSON\n";

static const struct tool_syntax syntax = {
	.letters = "d:jh",
	.options = (const struct option[]) {
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	},
	.help = help,
	.take = tool_take_common,
};

enum exit_code tool_info(int argc, char **argv)
{
	struct tool_options options = { 0 };
	struct libscols_table *table;
	enum exit_code code;
	int ret, printed = 0;

	if (!tool_parse(argc, argv, &syntax, &options, &code))
		return code;
	if (tool_has_arguments(argc, argv))
		return tool_usage(argv[0]);
	table = tool_table_create("devices", columns, ARRAY_SIZE(columns), options.json);
	if (!table) {
		tool_complain("out of memory");
		return TOOL_CANNOT;
	}
	if (options.device)
		ret = add_named(table, options.device, false);
	else
		ret = add_all(table);
	if (!options.device || !ret) {
		printed = tool_table_print(table);
		if (!printed && !options.json) {
			print_notes();
			print_cpu();
		}
	}
	scols_unref_table(table);
	if (!ret && !printed)
		return TOOL_OK;
	if (printed) {
		tool_complain("cannot print the table: %s", strerror(-printed));
		return TOOL_CANNOT;
	}
	tool_complain_of_device(options.device ? options.device : "sim", -ret);
	return TOOL_CANNOT;
}
