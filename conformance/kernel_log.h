/* SPDX-License-Identifier: MIT */
/* Complaints of the kernel, from its log. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* A descriptor that is at the log's end, or -errno if it may not be read. */
int kernel_log_open(void);

/*
 * Read on to the end. Whether there was a complaint: a warning, an oops, a report of
 * lockdep or KASAN, a stall. Its first line goes to @text.
 */
bool kernel_log_complained(int fd, char *text, size_t size);

#endif
