/* SPDX-License-Identifier: MIT */
#ifndef WATCHED_H
#define WATCHED_H

#include <gemsync/gemsync.h>

/* What a device looks for, and what it looked for before (GEMSYNC_WATCH_*). */
struct watched {
	uint32_t now;
	uint32_t before;
};

/*
 * As gemsync_device_open(), and if the device is emulated it looks for all that it can: a
 * simulated one whose name says nothing else, and one in the kernel if this user may say so.
 * Who cannot watch gets the device as it is.
 */
int open_watched(const char *name, struct gemsync_device **out, struct watched *watched);

/* The same for a device that is open. */
void watch_all(struct gemsync_device *dev, struct watched *watched);

/* It looks for what it looked for before. */
void watch_again(struct gemsync_device *dev, const struct watched *watched);

#endif
