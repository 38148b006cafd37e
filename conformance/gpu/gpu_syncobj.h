/* SPDX-License-Identifier: MIT */
/* Binary syncobjs of a DRM file, by which drivers tell that work is done. */
#ifndef GPU_SYNCOBJ_H
#define GPU_SYNCOBJ_H

#include <stdint.h>

/* Wait for a binary syncobj, at most @timeout_ns. -ETIME when it is over; 0 or -errno. */
int gpu_syncobj_wait(int fd, uint32_t syncobj, int64_t timeout_ns);

/*
 * The error of the fence in a signalled binary syncobj: 0 if it ended well, else
 * the (negative) error that the work ended with. Returns 0 or -errno.
 */
int gpu_syncobj_error(int fd, uint32_t syncobj, int *error);

#endif
