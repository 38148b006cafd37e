/* SPDX-License-Identifier: MIT */
/* The suite's own view of its cases. */
#ifndef SUITE_H
#define SUITE_H

#include "case.h"

/* Groups in the order in which they run, NULL behind the last one. */
extern const struct case_group *const suite_groups[];

#endif
