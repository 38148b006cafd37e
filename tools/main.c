// SPDX-License-Identifier: MIT
/* gemsync(1): commands and options. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

struct command {
	const char *name;
	const char *help;
	enum exit_code (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "info", "show devices, their coherency, and how they are synchronized", tool_info },
	{ "demo", "show on a device what synchronization does, and what happens without",
	  tool_demo },
	{ "conform", "prove a driver right, or wrong: run the conformance suite", tool_conform },
	{ "watch", "show what goes wrong on emulated devices, live, while a program runs",
	  tool_watch },
	{ "bench", "compare this CPU's cache maintenance with others", tool_bench },
	{ "run", "run a Vulkan program, and name the flushes that it lacks", tool_run },
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

enum exit_code tool_usage(const char *command)
{
	fprintf(stderr, "Try 'gemsync %s%s--help'.\n", command, *command ? " " : "");
	return TOOL_USAGE;
}

bool tool_has_arguments(int argc, char **argv)
{
	if (optind >= argc)
		return false;
	tool_complain("'%s' is one argument too many", argv[optind]);
	return true;
}

static void print_help(void)
{
	size_t i;

	puts("usage: gemsync COMMAND [OPTION...]\n"
	     "       gemsync COMMAND --help\n"
	     "       gemsync --help | --version\n\n"
	     "Explicit CPU-cache synchronization of GPU buffer objects.\n\n"
	     "Commands:");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s%s\n", commands[i].name, commands[i].help);
	puts("\nDevices, for --device of every command: a node (/dev/dri/renderD128), a driver's\n"
	     "name (panthor), or sim: a simulated one (sim:line=128,mode=chaos,seed=7).\n\n"
	     "Exit status: 0 if all is well, 1 if something does not hold, 2 for wrong usage, 3 if\n"
	     "there is no device or it cannot run the command.");
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Without a command: what the tool says of itself. */
static enum exit_code run_alone(const char *option)
{
	if (!option) {
		tool_complain("which command?");
		return tool_usage("");
	}
	if (!strcmp(option, "--help") || !strcmp(option, "-h")) {
		print_help();
		return TOOL_OK;
	}
	if (!strcmp(option, "--version") || !strcmp(option, "-V")) {
		puts("gemsync " GEMSYNC_VERSION);
		return TOOL_OK;
	}
	tool_complain("'%s' is no command", option);
	return tool_usage("");
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	enum exit_code code;

	if (command)
		code = command->run(argc - 1, argv + 1);
	else
		code = run_alone(argv[1]);
	if (fflush(stdout) || ferror(stdout)) {
		tool_complain("cannot write the output: %s", strerror(errno));
		return TOOL_CANNOT;
	}
	return code;
}
