// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform.h"
#include "expected.h"

#define MAX_FILES	64	/* a file that includes itself ends here */

/* Of cases' names. */
struct patterns {
	char **pattern;
	size_t count;
};

struct expected {
	struct patterns skips;
	struct patterns failures;
};

/* A file that is read, or is still to be: what is included comes behind the others. */
struct file {
	char *path;
	const struct file *by;	/* which includes it, on this line; NULL for the first */
	unsigned int line;
};

struct reader {
	struct expected *expected;
	struct file files[MAX_FILES];
	size_t count;		/* of files */
	char *error;
};

/* Returns @ret. */
__attribute__((format(printf, 3, 4)))
static int set_error(struct reader *reader, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error, EXPECTED_ERROR, format, args);
	va_end(args);
	return ret;
}

static int no_memory(struct reader *reader)
{
	return set_error(reader, -ENOMEM, "%s", strerror(ENOMEM));
}

static bool matches_any(const char *pattern)
{
	const struct conform_case *c;
	size_t i;

	for (i = 0; (c = conform_case(i)); i++)
		if (!fnmatch(pattern, conform_case_name(c), 0))
			return true;
	return false;
}

static int add(struct reader *reader, struct patterns *patterns, const char *pattern)
{
	char **larger;

	larger = realloc(patterns->pattern, (patterns->count + 1) * sizeof(*larger));
	if (!larger)
		return no_memory(reader);
	patterns->pattern = larger;
	larger[patterns->count] = strdup(pattern);
	if (!larger[patterns->count])
		return no_memory(reader);
	patterns->count++;
	return 0;
}

/* @name is relative to the directory of the file that includes it. */
static int add_file(struct reader *reader, const char *name, const struct file *by,
		    unsigned int line)
{
	const char *beside = by && *name != '/' ? by->path : "";
	const char *slash = strrchr(beside, '/');
	struct file *file = &reader->files[reader->count];

	if (by && reader->count == MAX_FILES)
		return set_error(reader, -ELOOP,
				 "%s:%u: more than %d files: does one include itself?",
				 by->path, line, MAX_FILES);
	if (asprintf(&file->path, "%.*s%s", slash ? (int)(slash + 1 - beside) : 0, beside,
		     name) < 0)
		return no_memory(reader);
	file->by = by;
	file->line = line;
	reader->count++;
	return 0;
}

static int take_line(struct reader *reader, const struct file *file, unsigned int number,
		     char *line)
{
	struct patterns *patterns = &reader->expected->skips;
	char *next, *word, *included = NULL, *rest;

	line[strcspn(line, "#\n")] = '\0';
	word = strtok_r(line, " \t", &next);
	if (!word)
		return 0;
	if (!strcmp(word, "include")) {
		included = strtok_r(NULL, " \t", &next);
		if (!included)
			return set_error(reader, -EINVAL, "%s:%u: include which file?",
					 file->path, number);
	} else if (!strcmp(word, "fails")) {
		patterns = &reader->expected->failures;
		word = strtok_r(NULL, " \t", &next);
		if (!word)
			return set_error(reader, -EINVAL, "%s:%u: which case fails?", file->path,
					 number);
	}
	rest = strtok_r(NULL, " \t", &next);
	if (rest)
		return set_error(reader, -EINVAL, "%s:%u: '%s' is one word too many", file->path,
				 number, rest);
	if (included)
		return add_file(reader, included, file, number);
	if (!matches_any(word))
		return set_error(reader, -EINVAL, "%s:%u: no case matches '%s'", file->path,
				 number, word);
	return add(reader, patterns, word);
}

static int cannot_read(struct reader *reader, const struct file *file, int error)
{
	if (!file->by)
		return set_error(reader, -error, "%s: %s", file->path, strerror(error));
	return set_error(reader, -error, "%s: %s, included by %s:%u", file->path, strerror(error),
			 file->by->path, file->line);
}

static int read_file(struct reader *reader, const struct file *file)
{
	FILE *stream = fopen(file->path, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	if (!stream)
		return cannot_read(reader, file, errno);
	while (!ret && getline(&line, &size, stream) >= 0)
		ret = take_line(reader, file, ++number, line);
	if (!ret && !feof(stream))
		ret = cannot_read(reader, file, errno);
	free(line);
	fclose(stream);
	return ret;
}

int expected_read(const char *path, struct expected **out, char error[EXPECTED_ERROR])
{
	struct reader reader = { .expected = calloc(1, sizeof(struct expected)), .error = error };
	size_t i;
	int ret;

	ret = reader.expected ? add_file(&reader, path, NULL, 0) : no_memory(&reader);
	for (i = 0; i < reader.count && !ret; i++)
		ret = read_file(&reader, &reader.files[i]);
	while (reader.count)
		free(reader.files[--reader.count].path);
	if (ret)
		expected_destroy(reader.expected);
	else
		*out = reader.expected;
	return ret;
}

static void patterns_fini(struct patterns *patterns)
{
	while (patterns->count)
		free(patterns->pattern[--patterns->count]);
	free(patterns->pattern);
}

void expected_destroy(struct expected *expected)
{
	if (!expected)
		return;
	patterns_fini(&expected->skips);
	patterns_fini(&expected->failures);
	free(expected);
}

static bool match(const struct patterns *patterns, const char *name)
{
	size_t i;

	for (i = 0; i < patterns->count; i++)
		if (!fnmatch(patterns->pattern[i], name, 0))
			return true;
	return false;
}

bool expected_allows(const struct expected *expected, const char *name)
{
	return expected && match(&expected->skips, name);
}

bool expected_fails(const struct expected *expected, const char *name)
{
	return expected && match(&expected->failures, name);
}
