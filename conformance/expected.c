// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected.h"

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

static int read_lines(struct expected *expected, FILE *file)
{
	char line[512], *pattern;
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "#\n")] = '\0';
		pattern = line + strspn(line, " \t");
		pattern[strcspn(pattern, " \t")] = '\0';
		if (*pattern)
			ret = add(expected, pattern);
	}
	return ret;
}

int expected_read(const char *path, struct expected **out)
{
	struct expected *expected;
	FILE *file = fopen(path, "re");
	int ret;

	if (!file)
		return -errno;
	expected = calloc(1, sizeof(*expected));
	ret = expected ? read_lines(expected, file) : -ENOMEM;
	fclose(file);
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
