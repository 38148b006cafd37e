// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "watched.h"

#define SIM	"sim"

static const uint32_t choices[] = {
	GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES,
	GEMSYNC_WATCH_LOADS,
	GEMSYNC_WATCH_STORES,
};

static bool is_simulated(const char *name)
{
	const size_t length = strlen(SIM);

	return !strncmp(name, SIM, length) && (!name[length] || name[length] == ':');
}

/* A name that says what to look for; false if this one says so already. */
static bool name_watching(const char *name, uint32_t watch, char *watching, size_t size)
{
	const char *word = gemsync_watch_name(watch == WATCH_WHAT_CAN_BE ? choices[0] : watch);
	int written;

	if (!word || strstr(name, "watch="))
		return false;
	written = snprintf(watching, size, "%s%cwatch=%s", name, strchr(name, ':') ? ',' : ':',
			   word);
	return written > 0 && (size_t)written < size;
}

/* Where that cannot be looked for, the device as its name says, which says what is wrong. */
static int open_sim(const char *name, uint32_t watch, struct gemsync_device **out)
{
	char watching[128];

	if (name_watching(name, watch, watching, sizeof(watching)) &&
	    !gemsync_device_open(watching, out))
		return 0;
	return gemsync_device_open(name, out);
}

static int watch_exactly(struct gemsync_device *dev, uint32_t watch, struct watched *watched)
{
	int ret = gemsync_device_watch(dev, watch, &watched->before);

	if (ret)
		return watch ? -ENODATA : 0;
	watched->now = watch;
	watched->set = true;
	return 0;
}

int watch_device(struct gemsync_device *dev, uint32_t watch, struct watched *watched)
{
	size_t i;

	*watched = (struct watched){ 0 };
	if (watch == WATCH_AS_IT_IS)
		return 0;
	if (watch != WATCH_WHAT_CAN_BE)
		return watch_exactly(dev, watch, watched);
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (!watch_exactly(dev, choices[i], watched))
			break;
	return 0;
}

int watch_or_close(struct gemsync_device **dev, uint32_t watch, struct watched *watched)
{
	int ret = watch_device(*dev, watch, watched);

	if (ret) {
		gemsync_device_close(*dev);
		*dev = NULL;
	}
	return ret;
}

void watch_again(struct gemsync_device *dev, const struct watched *watched)
{
	if (watched->set)
		gemsync_device_watch(dev, watched->before, NULL);
}

int open_watched(const char *name, uint32_t watch, struct gemsync_device **out,
		 struct watched *watched)
{
	int ret = is_simulated(name) ? open_sim(name, watch, out) : gemsync_device_open(name, out);

	return ret ? ret : watch_or_close(out, watch, watched);
}
