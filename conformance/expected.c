// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected.h"

#define INCLUDE_DEPTH	8

struct expected {
	char **patterns;
	size_t count;
};

static int add(struct expected *expected, const char *pattern)
{
	char **patterns;

	patterns = realloc(expected->patterns, (expected->count + 1) * sizeof(*patterns));
	if (!patterns)
		return -ENOMEM;
	expected->patterns = patterns;
	patterns[expected->count] = strdup(pattern);
	if (!patterns[expected->count])
		return -ENOMEM;
	expected->count++;
	return 0;
}

static int read_file(struct expected *expected, const char *path, int depth);

/* @name is relative to the directory of @path, which includes it. */
static int include(struct expected *expected, const char *path, const char *name, int depth)
{
	const char *slash = strrchr(path, '/');
	char *included;
	int ret;

	if (!depth)
		return -ELOOP;
	if (asprintf(&included, "%.*s%s", slash && *name != '/' ? (int)(slash + 1 - path) : 0,
		     path, name) < 0)
		return -ENOMEM;
	ret = read_file(expected, included, depth - 1);
	free(included);
	return ret;
}

static int read_file(struct expected *expected, const char *path, int depth)
{
	FILE *file = fopen(path, "re");
	char line[512], *word, *next;
	int ret = 0;

	if (!file)
		return -errno;
	while (!ret && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "#\n")] = '\0';
		word = strtok_r(line, " \t", &next);
		if (!word)
			continue;
		if (strcmp(word, "include")) {
			ret = add(expected, word);
			continue;
		}
		word = strtok_r(NULL, " \t", &next);
		ret = word ? include(expected, path, word, depth) : -EINVAL;
	}
	fclose(file);
	return ret;
}

int expected_read(const char *path, struct expected **out)
{
	struct expected *expected = calloc(1, sizeof(*expected));
	int ret;

	ret = expected ? read_file(expected, path, INCLUDE_DEPTH) : -ENOMEM;
	if (ret)
		expected_destroy(expected);
	else
		*out = expected;
	return ret;
}

void expected_destroy(struct expected *expected)
{
	if (!expected)
		return;
	while (expected->count)
		free(expected->patterns[--expected->count]);
	free(expected->patterns);
	free(expected);
}

bool expected_allows(const struct expected *expected, const char *name)
{
	size_t i;

	for (i = 0; expected && i < expected->count; i++)
		if (!fnmatch(expected->patterns[i], name, 0))
			return true;
	return false;
}
