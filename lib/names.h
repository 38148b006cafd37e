/* SPDX-License-Identifier: MIT */
/*
 * Which names gemsync_device_open() takes, for messages of this project's own programs.
 * Not installed, and not exported by the shared library.
 */
#ifndef GEMSYNC_NAMES_H
#define GEMSYNC_NAMES_H

/* The name of driver @index that the library knows, NULL behind the last one. */
const char *gemsync_driver_at(unsigned int index);

/* Option @index of a simulated device, with its values: "line=32|64|128"; or NULL. */
const char *gemsync_sim_option_at(unsigned int index);

#endif
