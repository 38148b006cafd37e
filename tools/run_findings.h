/* SPDX-License-Identifier: MIT */
/* The log of the Vulkan layer, read for those who ran a program with it. */
#ifndef RUN_FINDINGS_H
#define RUN_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

struct run_finding {
	char *kind;
	char *text;
	char *where;	/* what it is about: the name of a resource, or its handle; may be empty */
	bool possibly;
	bool counts;	/* it is a mistake, not a remark */
	unsigned long count;
};

struct run_findings {
	struct run_finding *items;
	size_t count;
	unsigned int instances;	/* that the program made with the layer */
	unsigned long ignored;	/* settings that the layer did not understand */
	unsigned int certain;	/* findings that count */
	unsigned int possible;
	unsigned long more;	/* that the log does not list */
};

/* 0; -errno if the file cannot be read. */
int run_findings_read(struct run_findings *findings, const char *path);
void run_findings_free(struct run_findings *findings);

/* A table for people, to standard error: standard output is the program's. */
void run_findings_print(const struct run_findings *findings);

/*
 * JUnit: a failed test for each finding that counts, for a program that made no instance with
 * the layer, and for settings that the layer did not understand; or one that passed. 0 or -errno.
 */
int run_findings_write_junit(const struct run_findings *findings, const char *path,
			     const char *program);

#endif
