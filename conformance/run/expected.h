/* SPDX-License-Identifier: MIT */
/*
 * What a run is expected to show (--expect). Of the skips that it may have a file has a
 * case's name or a shell pattern of names on each line; "fails NAME", or a pattern, is for
 * cases that are known to fail; or "include FILE", relative to the file that says so; what
 * follows a '#' is a comment. A skip of any other case is a failure, so that a
 * green run cannot be an empty one. A line that names no case of the suite, whether
 * it is to be run or not, is an error: the case has another name, or is gone.
 */
#ifndef EXPECTED_H
#define EXPECTED_H

#include <stdbool.h>

struct expected;

#define EXPECTED_ERROR	512

/*
 * 0; -errno of reading a file; -ELOOP if too many are included; -EINVAL for a line that is
 * wrong; -ENOMEM. On failure @error says which file and line, and why.
 */
int expected_read(const char *path, struct expected **out, char error[EXPECTED_ERROR]);

/* NULL is allowed. */
void expected_destroy(struct expected *expected);

/* Whether a case of this name may be skipped; never, if @expected is NULL. */
bool expected_allows(const struct expected *expected, const char *name);

/* Whether a case of this name is known to fail; never, if @expected is NULL. */
bool expected_fails(const struct expected *expected, const char *name);

#endif
