// SPDX-License-Identifier: MIT
/* gemsync(1): commands and options. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

struct command {
	const char *name;
	const char *help;
	enum exit_code (*run)(const struct tool_options *options);
};

static const struct command commands[] = {
	{ "info", "show devices, their coherency, and how they are synchronized", tool_info },
	{ "demo", "show on a device what synchronization does, and what happens without",
	  tool_demo },
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void tool_complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("gemsync: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void print_help(void)
{
	size_t i;

	puts("usage: gemsync COMMAND [--device DEVICE] [--json]\n"
	     "       gemsync --help | --version\n\n"
	     "Explicit CPU-cache synchronization of GPU buffer objects.\n\n"
	     "Commands:");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s%s\n", commands[i].name, commands[i].help);
	puts("\nOptions:\n"
	     "  -d, --device DEVICE  a node (/dev/dri/renderD128), a driver's name (panthor), or\n"
	     "                       sim: a simulated device (sim:line=128,mode=chaos,seed=7);\n"
	     "                       without it: info shows all, demo takes the first usable\n"
	     "                       one, or sim if there is none\n"
	     "  -j, --json           print JSON\n"
	     "  -h, --help           print this help\n"
	     "  -V, --version        print the version\n\n"
	     "Exit status: 0 if all is well, 1 if a row does not hold, 2 for wrong usage,\n"
	     "3 if there is no device or it cannot run the command.");
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static enum exit_code usage_error(void)
{
	fputs("Try 'gemsync --help'.\n", stderr);
	return TOOL_USAGE;
}

static enum exit_code run_command(int argc, char **argv, const struct tool_options *options)
{
	const struct command *command;

	if (optind >= argc) {
		tool_complain("which command?");
		return usage_error();
	}
	command = find_command(argv[optind]);
	if (!command) {
		tool_complain("unknown command '%s'", argv[optind]);
		return usage_error();
	}
	if (optind + 1 < argc) {
		tool_complain("'%s' is one argument too many", argv[optind + 1]);
		return usage_error();
	}
	return command->run(options);
}

int main(int argc, char **argv)
{
	struct tool_options options = { 0 };
	enum exit_code code;
	int opt;

	while ((opt = getopt_long(argc, argv, "d:jhV", long_options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			options.device = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			print_help();
			return TOOL_OK;
		case 'V':
			puts("gemsync " GEMSYNC_VERSION);
			return TOOL_OK;
		default:
			return usage_error();
		}
	}
	code = run_command(argc, argv, &options);
	if (fflush(stdout)) {
		tool_complain("cannot write the output");
		return TOOL_CANNOT;
	}
	return code;
}
