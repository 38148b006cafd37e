// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_log.h"

/* The first line of a report has one of these; vm/judge-log knows them too. */
static const char *const complaints[] = {
	"WARNING: ", "BUG: ", "BUG kmalloc", "kernel BUG at", "Oops: ", "INFO: task ", "INFO: rcu",
	"INFO: possible", "INFO: trying to register", "inconsistent lock state", "KASAN: ",
	"UBSAN: ", "KFENCE: ", "refcount_t: ", "nable to handle", "soft lockup", "hard LOCKUP",
	"DMA-API: ", "list_add corruption", "list_del corruption", "blocked for more than",
	"suspicious RCU",
};

int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static bool is_complaint(const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
		if (strstr(line, complaints[i]))
			return true;
	return false;
}

bool kernel_log_complained(int fd, char *text, size_t size)
{
	bool complained = false;
	char record[8192], *line;
	ssize_t length;

	if (fd < 0)
		return false;
	for (;;) {
		length = read(fd, record, sizeof(record) - 1);
		/* Records that were overwritten before they were read. */
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			return complained;
		record[length] = '\0';
		/* "level,serial,time,flags;text" and lines of details */
		line = strchr(record, ';');
		if (!line || complained)
			continue;
		line[strcspn(line, "\n")] = '\0';
		complained = is_complaint(line + 1);
		if (complained)
			snprintf(text, size, "%s", line + 1);
	}
}
