/* SPDX-License-Identifier: MIT */
#ifndef CONFORM_TABLE_H
#define CONFORM_TABLE_H

#include "conform.h"
#include "tool.h"

/* List the cases that match; complains of what fails. */
enum exit_code conform_list(const char *filter);

/*
 * What the run says as it goes on: on what it runs; each case as it ends, a failure with its
 * picture; what was skipped and why, what was not looked at, and the sum.
 */
void conform_table_begin(const struct conform_report *report);
void conform_table_row(const struct conform_report *report, const struct conform_result *result);
void conform_table_end(const struct conform_report *report);

#endif
