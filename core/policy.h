/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Which buffer objects may be made, exported and opened elsewhere (R13, R14).
 *
 * On a non-coherent device a cached object is right only for those who sync it,
 * which other files and other devices do not know of: it is cached or shared, not
 * both. On a coherent device nothing needs a sync, and caching refuses nothing.
 */
#ifndef GS_POLICY_H
#define GS_POLICY_H

#include "types.h"

enum gs_policy {
	GS_POLICY_STRICT,	/* a cached object stays in its file (R13) */
	GS_POLICY_HOOKS,	/* it may leave: its dma-buf syncs for the importer (R14) */
};

/* Of a device; the same for all its objects. */
struct gs_policy_device {
	enum gs_policy policy;
	bool coherent;			/* the device snoops CPU caches (R12) */
	/*
	 * Under GS_POLICY_STRICT cached objects have to be private from the start
	 * (panthor). Without, they just cannot be exported (panfrost, powervr).
	 */
	bool cached_needs_private;
	bool no_wc;			/* no map of this machine is write-combined (R12) */
};

/* Of an object, for life. */
struct gs_policy_object {
	bool cached;		/* CPU maps are cached because the creator asked for it */
	bool private;		/* bound to one address space, never shared */
	bool is_protected;	/* firmware-protected content */
	bool no_map;		/* the CPU never maps it (R16) */
};

/* Cached in a way that others have to know of. */
static inline bool gs_policy_incoherent(const struct gs_policy_device *device,
					const struct gs_policy_object *object)
{
	return object->cached && !device->coherent;
}

/**
 * Check that an object may be created (R12, R13).
 *
 * Returns 0; -EINVAL for an incoherent object that is not private, on a device that
 * needs it to be; -EOPNOTSUPP for one whose maps should be write-combined where they
 * would be cached, and nobody knew that it needs a sync.
 */
static inline int gs_policy_create(const struct gs_policy_device *device,
				   const struct gs_policy_object *object)
{
	if (device->policy != GS_POLICY_HOOKS && device->cached_needs_private &&
	    gs_policy_incoherent(device, object) && !object->private)
		return -EINVAL;
	if (device->no_wc && !device->coherent && !object->cached && !object->no_map)
		return -EOPNOTSUPP;
	return 0;
}

/**
 * Check that an object may be exported as a dma-buf (R13, R14).
 *
 * Returns 0; -EINVAL for a private object, under any policy; -EPERM for an incoherent
 * one, but not under GS_POLICY_HOOKS. In this order.
 */
static inline int gs_policy_export(const struct gs_policy_device *device,
				   const struct gs_policy_object *object)
{
	if (object->private)
		return -EINVAL;
	if (device->policy != GS_POLICY_HOOKS && gs_policy_incoherent(device, object))
		return -EPERM;
	return 0;
}

/**
 * Check that an object may get a handle on another file than its creator's (R13).
 *
 * That is by name (GEM_OPEN), and also how a dma-buf comes back to its own device:
 * under GS_POLICY_HOOKS what may be exported may be opened.
 * Returns 0; -EPERM for a private or protected object, under any policy, and for an
 * incoherent one, but not under GS_POLICY_HOOKS.
 */
static inline int gs_policy_open_elsewhere(const struct gs_policy_device *device,
					   const struct gs_policy_object *object)
{
	if (object->private || object->is_protected)
		return -EPERM;
	if (device->policy != GS_POLICY_HOOKS && gs_policy_incoherent(device, object))
		return -EPERM;
	return 0;
}

#endif
