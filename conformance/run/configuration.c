// SPDX-License-Identifier: MIT
/* What a device was told to be, for reports. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "configuration.h"

static const char sim[] = "sim:";

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The parameters of its module that can be read, by their names. */
static void read_parameters(struct cf *cf, char *text, size_t size)
{
	struct dirent **entries;
	char folder[96], value[64];
	size_t length = 0;
	int count, i;

	if (module_parameters(cf, folder, sizeof(folder)))
		return;
	count = scandir(folder, &entries, is_shown, alphasort);
	for (i = 0; i < count; i++) {
		if (!module_parameter(cf, entries[i]->d_name, value, sizeof(value)) &&
		    length < size)
			length += snprintf(text + length, size - length, "%s%s=%s",
					   length ? "," : "", entries[i]->d_name, value);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void read_configuration(struct cf *cf, struct conform_facts *facts)
{
	const char *node = cf->info.node, *policy = "strict";

	if (!strncmp(node, sim, strlen(sim))) {
		snprintf(facts->configuration, sizeof(facts->configuration), "%s",
			 node + strlen(sim));
		/* The name that opens another one like it has what is not so by default. */
		if (strstr(node, "policy=hooks"))
			policy = "hooks";
		snprintf(facts->policy, sizeof(facts->policy), "%s", policy);
		return;
	}
	read_parameters(cf, facts->configuration, sizeof(facts->configuration));
	if (module_parameter(cf, "policy", facts->policy, sizeof(facts->policy)))
		facts->policy[0] = '\0';
}
