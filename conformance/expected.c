// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected.h"

#define MAX_FILES	64	/* a file that includes itself ends here */

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

/* Files that are read, or are still to be: what is included comes behind the others. */
struct files {
	char *paths[MAX_FILES];
	size_t count;
};

/* @name is relative to the directory of @path, which includes it. */
static int add_file(struct files *files, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (files->count == MAX_FILES)
		return -ELOOP;
	if (asprintf(&files->paths[files->count], "%.*s%s",
		     slash && *name != '/' ? (int)(slash + 1 - path) : 0, path, name) < 0)
		return -ENOMEM;
	files->count++;
	return 0;
}

static int read_file(struct expected *expected, struct files *files, const char *path)
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
		ret = word ? add_file(files, path, word) : -EINVAL;
	}
	fclose(file);
	return ret;
}

int expected_read(const char *path, struct expected **out)
{
	struct expected *expected = calloc(1, sizeof(*expected));
	struct files files = { 0 };
	size_t i;
	int ret;

	ret = expected ? add_file(&files, "", path) : -ENOMEM;
	for (i = 0; i < files.count && !ret; i++)
		ret = read_file(expected, &files, files.paths[i]);
	while (files.count)
		free(files.paths[--files.count]);
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
