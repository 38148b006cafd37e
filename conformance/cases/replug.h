/* SPDX-License-Identifier: MIT */
/* The case's device goes from its driver, and comes back. */
#ifndef REPLUG_H
#define REPLUG_H

#include "share.h"

/* First of all: where it is. From here on it is back when the case's process has ended. */
void find_place(struct cf *cf);

void unplug(void);
void plug(void);

/* As unplug(), in any thread: 0 or -errno. */
int try_unplug(void);

/* While an old file is open its minor is taken: the node may be another than before. */
struct gemsync_device *open_new(void);

#endif
