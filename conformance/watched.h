/* SPDX-License-Identifier: MIT */
#ifndef WATCHED_H
#define WATCHED_H

#include <stdbool.h>

#include <gemsync/gemsync.h>

/* What a device is to look for, if not GEMSYNC_WATCH_*: what it can, or what it does. */
#define WATCH_WHAT_CAN_BE	UINT32_MAX
#define WATCH_AS_IT_IS		(UINT32_MAX - 1)

/* What a device looks for, and what it looked for before (GEMSYNC_WATCH_*). */
struct watched {
	uint32_t now;
	uint32_t before;
	bool set;	/* it was told what to look for */
};

/*
 * As gemsync_device_open(), and the device looks for @watch: a simulated one whose name says
 * nothing else, and one in the kernel if this user may say so. With WATCH_WHAT_CAN_BE who
 * cannot watch gets the device as it is. Else -ENODATA says that the device, or this user,
 * cannot look for that; nobody has to for nothing.
 */
int open_watched(const char *name, uint32_t watch, struct gemsync_device **out,
		 struct watched *watched);

/* The same for a device that is open. */
int watch_device(struct gemsync_device *dev, uint32_t watch, struct watched *watched);

/* And where it cannot look for that, it is closed, and *dev NULL. */
int watch_or_close(struct gemsync_device **dev, uint32_t watch, struct watched *watched);

/* It looks for what it looked for before. */
void watch_again(struct gemsync_device *dev, const struct watched *watched);

#endif
