/* SPDX-License-Identifier: MIT */
#ifndef FIRST_H
#define FIRST_H

#include <gemsync/gemsync.h>

/*
 * Open the device that is meant where none is named: of the nodes, in their order, the
 * first whose GPU can be made to work, that does not snoop and whose driver has a sync
 * call, as all here is about these; else the first whose GPU works.
 *
 * Returns 0; -ENODEV if there is no node; else the error of the first that was tried.
 */
int first_device(struct gemsync_device **out);

#endif
