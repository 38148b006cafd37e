/* SPDX-License-Identifier: MIT */
#ifndef CONFORM_TABLE_H
#define CONFORM_TABLE_H

#include "conform.h"
#include "tool.h"

/* List the cases that match; complains of what fails. */
enum exit_code conform_list(const char *filter);

/* The results, pictures of failures, and the sum. 0 or -errno. */
int conform_table(const struct conform_report *report);

#endif
