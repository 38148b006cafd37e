/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From "who accesses next, and how" to the maintenance that makes it right (R6).
 * The values are those of the kernel's enum drm_gem_object_access_flags, as
 * proposed on the DRM list.
 */
#ifndef GS_ACCESS_H
#define GS_ACCESS_H

#include "types.h"

#define GS_ACCESS_CPU		0x0u	/* the accessor is the CPU */
#define GS_ACCESS_DEV		0x1u	/* the accessor is the device */
#define GS_ACCESS_READ		0x2u
#define GS_ACCESS_WRITE		0x4u

/* The two operations there are (R4). */
enum gs_sync_type {
	GS_SYNC_FLUSH = 0,			/* write dirty lines back */
	GS_SYNC_FLUSH_AND_INVALIDATE = 1,	/* write back, then drop */
};

/**
 * Choose the operation for an access (R6).
 *
 * Returns an enum gs_sync_type; -EINVAL for unknown bits, or an accessor
 * without a type of access.
 */
static inline int gs_access_to_sync(u32 access)
{
	if (access & ~(GS_ACCESS_DEV | GS_ACCESS_READ | GS_ACCESS_WRITE))
		return -EINVAL;
	if (!(access & (GS_ACCESS_READ | GS_ACCESS_WRITE)))
		return -EINVAL;
	return access & GS_ACCESS_DEV ? GS_SYNC_FLUSH : GS_SYNC_FLUSH_AND_INVALIDATE;
}

/* The access that asks for @type: the inverse of gs_access_to_sync(). */
static inline u32 gs_sync_to_access(enum gs_sync_type type)
{
	u32 rw = GS_ACCESS_READ | GS_ACCESS_WRITE;

	return type == GS_SYNC_FLUSH ? GS_ACCESS_DEV | rw : GS_ACCESS_CPU | rw;
}

#endif
