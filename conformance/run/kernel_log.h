/* SPDX-License-Identifier: MIT */
/* Complaints of the kernel, from its log. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct kernel_log {
	int fd;
	regex_t complaint, harmless;
};

/*
 * Open the log at its end. Returns 0, @log to be closed with kernel_log_close(); -errno if
 * it may not be read, and then there are no complaints.
 */
int kernel_log_open(struct kernel_log *log);
void kernel_log_close(struct kernel_log *log);

/*
 * Read on to the end. Whether there was a complaint (kernel_complaints.h): a warning, an
 * oops, a report of lockdep or KASAN, a stall. Its first line goes to @text.
 */
bool kernel_log_complained(struct kernel_log *log, char *text, size_t size);

#endif
