// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "settings.h"

#define PREFIX		"gemsync_noncoherent."
#define LAYER_NAME	"VK_LAYER_GEMSYNC_noncoherent"
#define MAX_VALUES	6

/* Of VK_EXT_layer_settings, which the headers may not have yet. */
#define TYPE_LAYER_SETTINGS	1000496000

struct api_setting {
	const char *layer;
	const char *name;
	int type;
	u32 count;
	const void *values;
};

struct api_settings {
	int type;
	const void *next;
	u32 count;
	const struct api_setting *settings;
};

enum api_type { API_BOOL32, API_INT32, API_INT64, API_UINT32, API_UINT64, API_FLOAT32,
		API_FLOAT64, API_STRING };

/* A setting: one of some words, whose places are its values, or a number in a range. */
static const struct setting {
	const char *name;
	size_t offset;
	const char *values[MAX_VALUES];
	int min;
	int max;
	bool power;	/* of two */
} table[] = {
	{ "mode", offsetof(struct gsl_settings, mode), { "strict", "report", "chaos" },
	  0, 0, 0 },
	{ "types", offsetof(struct gsl_settings, types),
	  { "auto", "downgrade", "add", "keep", "coherent" }, 0, 0, 0 },
	{ "order", offsetof(struct gsl_settings, order), { "first", "last" }, 0, 0, 0 },
	{ "strip", offsetof(struct gsl_settings, strip), { "false", "true" }, 0, 0, 0 },
	{ "atom", offsetof(struct gsl_settings, atom), { NULL }, 32, 256, true },
	{ "messages", offsetof(struct gsl_settings, messages), { "auto", "stderr", "none" }, 0, 0,
	  0 },
	{ "written", offsetof(struct gsl_settings, written), { "auto", "compare" }, 0, 0, 0 },
	{ "reads", offsetof(struct gsl_settings, reads), { "guess", "pages", "protect" }, 0, 0,
	  0 },
	{ "cost", offsetof(struct gsl_settings, cost), { "false", "true" }, 0, 0, 0 },
	{ "seed", offsetof(struct gsl_settings, seed), { NULL }, 0, INT_MAX, 0 },
	{ "limit", offsetof(struct gsl_settings, limit), { NULL }, 1, 1000000, 0 },
};

#define SETTINGS	(sizeof(table) / sizeof(*table))

static void complain(struct gsl_settings *settings, const char *name, const char *value,
		     const char *from)
{
	settings->ignored++;
	fprintf(stderr, "gemsync: %s: %s=%s is not understood, and ignored\n", from, name, value);
}

static bool parse_word(const struct setting *setting, const char *value, int *out)
{
	int i;

	for (i = 0; i < MAX_VALUES && setting->values[i]; i++) {
		if (!strcmp(setting->values[i], value)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool parse_number(const struct setting *setting, const char *value, int *out)
{
	char *end;
	long number = strtol(value, &end, 0);

	if (end == value || *end || number < setting->min || number > setting->max ||
	    (setting->power && (number & (number - 1))))
		return false;
	*out = (int)number;
	return true;
}

static void set(struct gsl_settings *settings, const char *name, const char *value,
		const char *from)
{
	size_t i;

	if (!strcmp(name, "log")) {
		if (snprintf(settings->log, sizeof(settings->log), "%s", value) >=
		    (int)sizeof(settings->log))
			complain(settings, name, value, from);
		return;
	}
	for (i = 0; i < SETTINGS; i++) {
		int *out = (int *)((char *)settings + table[i].offset);

		if (strcmp(table[i].name, name))
			continue;
		if (!(table[i].values[0] ? parse_word : parse_number)(&table[i], value, out))
			complain(settings, name, value, from);
		return;
	}
	complain(settings, name, value, from);
}

/* ---- VK_EXT_layer_settings ---- */

static void set_from_api(struct gsl_settings *settings, const struct api_setting *setting)
{
	const char *from = "VkLayerSettingsCreateInfoEXT";
	char number[32];

	if (strcmp(setting->layer, LAYER_NAME) || !setting->count)
		return;
	switch (setting->type) {
	case API_STRING:
		set(settings, setting->name, *(const char *const *)setting->values, from);
		break;
	case API_BOOL32:
		set(settings, setting->name, *(const u32 *)setting->values ? "true" : "false",
		    from);
		break;
	case API_INT32:
	case API_UINT32:
		snprintf(number, sizeof(number), "%d", *(const int *)setting->values);
		set(settings, setting->name, number, from);
		break;
	default:
		complain(settings, setting->name, "a value of another type", from);
	}
}

static void read_api(struct gsl_settings *settings, const VkInstanceCreateInfo *info)
{
	const VkBaseInStructure *next;
	u32 i;

	for (next = info->pNext; next; next = next->pNext) {
		const struct api_settings *api = (const void *)next;

		if ((int)next->sType != TYPE_LAYER_SETTINGS)
			continue;
		for (i = 0; i < api->count; i++)
			set_from_api(settings, &api->settings[i]);
	}
}

/* ---- vk_layer_settings.txt ---- */

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return text;
}

static void read_line(struct gsl_settings *settings, char *line)
{
	char *name, *value = strchr(line, '=');

	if (!value || *trim(line) == '#')
		return;
	*value++ = 0;
	name = trim(line);
	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		set(settings, name + strlen(PREFIX), trim(value), "vk_layer_settings.txt");
}

static FILE *try_file(const char *folder, const char *name)
{
	char path[4096];

	if (!folder || snprintf(path, sizeof(path), "%s%s", folder, name) >= (int)sizeof(path))
		return NULL;
	return fopen(path, "re");
}

/* Where the loader's other layers look: what VK_LAYER_SETTINGS_PATH says, here, at home. */
static FILE *open_file(void)
{
	const char *said = getenv("VK_LAYER_SETTINGS_PATH");
	FILE *file = try_file(said, "/vk_layer_settings.txt");

	if (!file)
		file = try_file(said, "");
	if (!file)
		file = try_file(".", "/vk_layer_settings.txt");
	if (!file)
		file = try_file(getenv("HOME"),
				"/.local/share/vulkan/settings.d/vk_layer_settings.txt");
	return file;
}

static void read_file(struct gsl_settings *settings)
{
	char line[4096];
	FILE *file = open_file();

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		read_line(settings, line);
	fclose(file);
}

/* ---- The environment ---- */

static void read_variable(struct gsl_settings *settings, const char *prefix, const char *name)
{
	char variable[80];
	const char *value;
	char *c;

	snprintf(variable, sizeof(variable), "%s%s", prefix, name);
	for (c = variable; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	value = getenv(variable);
	if (value)
		set(settings, name, value, variable);
}

static void read_variables(struct gsl_settings *settings)
{
	static const char *const prefixes[] = { "VK_NONCOHERENT_", "VK_GEMSYNC_NONCOHERENT_" };
	size_t i, j;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		for (j = 0; j < SETTINGS; j++)
			read_variable(settings, prefixes[i], table[j].name);
		read_variable(settings, prefixes[i], "log");
	}
}

static void read_words(struct gsl_settings *settings)
{
	const char *words = getenv("GEMSYNC");
	char *copy = words ? strdup(words) : NULL;
	char *rest = copy, *word;

	while (rest && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (!*word)
			continue;
		if (value)
			*value++ = 0;
		set(settings, word, value ? value : "true", "GEMSYNC");
	}
	free(copy);
}

static void guess(struct gsl_settings *settings, const char *said, const char *needs)
{
	fprintf(stderr, "gemsync: reads=%s needs %s, and is ignored\n", said, needs);
	settings->reads = GSL_READS_GUESS;
}

/* Not every system can see loads. */
static void check_reads(struct gsl_settings *settings)
{
	bool asks = settings->written == GSL_WRITTEN_AUTO;

	if (settings->reads == GSL_READS_PAGES && !(asks && gsl_touched_supported()))
		guess(settings, "pages", asks ? "Linux 7.3 and userfaultfd" : "written=auto");
#ifndef __x86_64__
	/* Whoever catches faults has to tell loads from stores. */
	if (settings->reads == GSL_READS_PROTECT)
		guess(settings, "protect", "x86-64 (elsewhere: libgemsync-trace)");
#endif
}

void gsl_settings_read(struct gsl_settings *settings, const VkInstanceCreateInfo *info)
{
	*settings = (struct gsl_settings){ .atom = 64, .limit = 10, .seed = 1 };
	read_api(settings, info);
	read_file(settings);
	read_variables(settings);
	read_words(settings);
	check_reads(settings);
}
