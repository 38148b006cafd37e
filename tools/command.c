// SPDX-License-Identifier: MIT
/* Commands that the tool runs for somebody. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

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
