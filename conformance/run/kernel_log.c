// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_log.h"

/* Each list as one expression, with one bar too many at its end. */
#define COMPLAINT(pattern)	"(" pattern ")|"
#define HARMLESS(pattern)
static const char complaints[] =
#include "kernel_complaints.h"
;
#undef COMPLAINT
#undef HARMLESS

#define COMPLAINT(pattern)
#define HARMLESS(pattern)	"(" pattern ")|"
static const char harmless[] =
#include "kernel_complaints.h"
;

/* 0 or -ENOMEM: the patterns themselves are right. */
static int compile(regex_t *regex, const char *alternatives)
{
	const char *pattern = strndupa(alternatives, strlen(alternatives) - 1);

	return regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB) ? -ENOMEM : 0;
}

static int compile_both(struct kernel_log *log)
{
	int ret = compile(&log->complaint, complaints);

	if (ret)
		return ret;
	ret = compile(&log->harmless, harmless);
	if (ret)
		regfree(&log->complaint);
	return ret;
}

int kernel_log_open(struct kernel_log *log)
{
	int ret;

	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log->fd < 0)
		return -errno;
	ret = lseek(log->fd, 0, SEEK_END) < 0 ? -EIO : compile_both(log);
	if (ret) {
		close(log->fd);
		log->fd = ret;
	}
	return ret;
}

void kernel_log_close(struct kernel_log *log)
{
	if (log->fd < 0)
		return;
	regfree(&log->complaint);
	regfree(&log->harmless);
	close(log->fd);
}

static bool is_complaint(const struct kernel_log *log, const char *line)
{
	return regexec(&log->harmless, line, 0, NULL, 0) &&
	       !regexec(&log->complaint, line, 0, NULL, 0);
}

bool kernel_log_complained(struct kernel_log *log, char *text, size_t size)
{
	bool complained = false;
	char record[8192], *line;
	ssize_t length;

	if (log->fd < 0)
		return false;
	for (;;) {
		length = read(log->fd, record, sizeof(record) - 1);
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
		complained = is_complaint(log, line + 1);
		if (complained)
			snprintf(text, size, "%s", line + 1);
	}
}
