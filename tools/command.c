// SPDX-License-Identifier: MIT
/* What is the same for all commands: their options, and commands that they run for somebody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

bool tool_parse(int argc, char **argv, const struct tool_syntax *syntax, void *data,
		enum exit_code *code)
{
	int opt;

	while ((opt = getopt_long(argc, argv, syntax->letters, syntax->options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(syntax->help, stdout);
			*code = TOOL_OK;
			return false;
		}
		if (opt == '?' || !syntax->take(opt, data)) {
			*code = tool_usage(argv[0]);
			return false;
		}
	}
	return true;
}

bool tool_watch_option(const char *word, uint32_t *watch)
{
	const char *name;

	for (*watch = 0; (name = gemsync_watch_name(*watch)); (*watch)++)
		if (!strcmp(word, name))
			return true;
	tool_complain("'%s' is nothing to watch: all, loads, stores or nothing are", word);
	return false;
}

bool tool_take_common(int opt, void *data)
{
	struct tool_options *options = data;

	switch (opt) {
	case 'd':
		options->device = optarg;
		return true;
	case 'j':
		options->json = true;
		return true;
	case 'w':
		return tool_watch_option(optarg, &options->watch);
	default:
		return false;
	}
}

void tool_exec(char **command)
{
	execvp(command[0], command);
	tool_complain("cannot run %s: %s", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int tool_command_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
