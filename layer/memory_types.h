/* SPDX-License-Identifier: MIT */
/*
 * Memory types: as the driver has them, and as the application is shown them.
 *
 * The specification's rules hold for the types shown if they hold for the driver's: sets of
 * flags are of its list, a strict subset comes before its supersets, one type is host-visible
 * and coherent, one is device-local, and there are no more than 32.
 */
#ifndef GSL_MEMORY_TYPES_H
#define GSL_MEMORY_TYPES_H

#include <vulkan/vulkan_core.h>

#include "types.h"

enum gsl_types_mode {
	/* What finds most: as GSL_TYPES_ADD, or GSL_TYPES_DOWNGRADE where nothing can be added. */
	GSL_TYPES_AUTO,
	/* Host-cached types lose HOST_COHERENT; no index changes. */
	GSL_TYPES_DOWNGRADE,
	/* Beside each host-visible coherent type comes one that is cached and not coherent. */
	GSL_TYPES_ADD,
	/* The driver's types: copies only where one is not coherent of itself. */
	GSL_TYPES_KEEP,
	/* Nothing is shown differently, but what is not coherent is put into coherent memory. */
	GSL_TYPES_COHERENT,
};

struct gsl_types_options {
	enum gsl_types_mode mode;
	bool last;	/* added types come as late as they may, not as early */
	bool strip;	/* with GSL_TYPES_ADD: coherent types lose HOST_CACHED, as on a Mali */
};

struct gsl_types {
	VkPhysicalDeviceMemoryProperties driver;
	VkPhysicalDeviceMemoryProperties shown;
	u32 to_driver[VK_MAX_MEMORY_TYPES];	/* the driver's index of each type shown */
	enum gsl_types_mode mode;		/* what was done; never GSL_TYPES_AUTO */
};

/* Decide what is shown of @driver. */
void gsl_types_init(struct gsl_types *types, const VkPhysicalDeviceMemoryProperties *driver,
		    const struct gsl_types_options *options);

/* The memoryTypeBits to show for the driver's. */
u32 gsl_types_shown_bits(const struct gsl_types *types, u32 driver_bits);

/* Whether memory of a type shown gets copies: the host sees it, and it is not coherent. */
bool gsl_types_has_copies(const struct gsl_types *types, u32 shown);

/* The flags of the driver's type behind one that is shown. */
VkMemoryPropertyFlags gsl_types_driver_flags(const struct gsl_types *types, u32 shown);

#endif
