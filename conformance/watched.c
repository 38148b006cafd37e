// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "watched.h"

#define SIM	"sim"

/* A simulated device looks for what its name says. False if that is said already. */
static bool name_watching(const char *name, char *watching, size_t size)
{
	const size_t length = strlen(SIM);
	int written;

	if (strncmp(name, SIM, length) || (name[length] && name[length] != ':') ||
	    strstr(name, "watch="))
		return false;
	written = snprintf(watching, size, "%s%cwatch=all", name, name[length] ? ',' : ':');
	return written > 0 && (size_t)written < size;
}

void watch_all(struct gemsync_device *dev, struct watched *watched)
{
	static const uint32_t choices[] = {
		GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES,
		GEMSYNC_WATCH_LOADS,
		GEMSYNC_WATCH_STORES,
	};
	size_t i;

	*watched = (struct watched){ 0 };
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (gemsync_device_watch(dev, choices[i], &watched->before))
			continue;
		watched->now = choices[i];
		return;
	}
}

void watch_again(struct gemsync_device *dev, const struct watched *watched)
{
	if (watched->now)
		gemsync_device_watch(dev, watched->before, NULL);
}

int open_watched(const char *name, struct gemsync_device **out, struct watched *watched)
{
	char watching[128];
	int ret;

	if (!name_watching(name, watching, sizeof(watching)) ||
	    gemsync_device_open(watching, out)) {
		ret = gemsync_device_open(name, out);
		if (ret)
			return ret;
	}
	watch_all(*out, watched);
	return 0;
}
