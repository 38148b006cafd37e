// SPDX-License-Identifier: MIT
#include "memory_types.h"

#define LOCAL		VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
#define COHERENT	VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
#define CACHED		VK_MEMORY_PROPERTY_HOST_CACHED_BIT

/* Types with other flags (protected, AMD's uncached ones) are left as they are. */
static bool is_coherent_for_host(VkMemoryPropertyFlags flags)
{
	return (flags & VISIBLE) && (flags & COHERENT) &&
	       !(flags & ~(LOCAL | VISIBLE | COHERENT | CACHED));
}

static bool is_strict_subset(VkMemoryPropertyFlags a, VkMemoryPropertyFlags b)
{
	return a != b && !(a & ~b);
}

static bool can_be_downgraded(const VkPhysicalDeviceMemoryProperties *driver)
{
	bool any = false, left = false;
	u32 i;

	for (i = 0; i < driver->memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = driver->memoryTypes[i].propertyFlags;

		if (is_coherent_for_host(flags) && (flags & CACHED))
			any = true;
		else if ((flags & VISIBLE) && (flags & COHERENT))
			left = true;
	}
	return any && left;
}

/*
 * A type that loses a flag may then be a strict subset of one before it, or have a new strict
 * superset before it: then its place would be wrong, and it stays as it is.
 */
static void lose_flag(VkPhysicalDeviceMemoryProperties *shown, u32 i, VkMemoryPropertyFlags flag)
{
	VkMemoryPropertyFlags flags = shown->memoryTypes[i].propertyFlags & ~flag;
	u32 j;

	for (j = 0; j < shown->memoryTypeCount; j++) {
		VkMemoryPropertyFlags other = shown->memoryTypes[j].propertyFlags;

		if (j < i ? is_strict_subset(flags, other) : is_strict_subset(other, flags))
			return;
	}
	shown->memoryTypes[i].propertyFlags = flags;
}

static void downgrade(struct gsl_types *types)
{
	u32 i;

	for (i = 0; i < types->shown.memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = types->shown.memoryTypes[i].propertyFlags;

		if (is_coherent_for_host(flags) && (flags & CACHED))
			lose_flag(&types->shown, i, COHERENT);
	}
}

/* Behind the last strict subset, or before the first strict superset: in between all is well. */
static u32 find_place(const VkPhysicalDeviceMemoryProperties *shown, VkMemoryPropertyFlags flags,
		      bool last)
{
	u32 first = 0, end = shown->memoryTypeCount, i;

	for (i = 0; i < shown->memoryTypeCount; i++) {
		VkMemoryPropertyFlags other = shown->memoryTypes[i].propertyFlags;

		if (is_strict_subset(other, flags))
			first = i + 1;
		else if (is_strict_subset(flags, other) && i < end)
			end = i;
	}
	return last ? end : first;
}

static void insert(struct gsl_types *types, u32 place, VkMemoryType type, u32 driver_index)
{
	VkPhysicalDeviceMemoryProperties *shown = &types->shown;
	u32 i;

	for (i = shown->memoryTypeCount++; i > place; i--) {
		shown->memoryTypes[i] = shown->memoryTypes[i - 1];
		types->to_driver[i] = types->to_driver[i - 1];
	}
	shown->memoryTypes[place] = type;
	types->to_driver[place] = driver_index;
}

static void add_twins(struct gsl_types *types, bool last)
{
	u32 i;

	for (i = 0; i < types->driver.memoryTypeCount; i++) {
		VkMemoryType type = types->driver.memoryTypes[i];

		if (!is_coherent_for_host(type.propertyFlags) ||
		    types->shown.memoryTypeCount == VK_MAX_MEMORY_TYPES)
			continue;
		type.propertyFlags = (type.propertyFlags & LOCAL) | VISIBLE | CACHED;
		insert(types, find_place(&types->shown, type.propertyFlags, last), type, i);
	}
}

static void strip_cached(struct gsl_types *types)
{
	u32 i;

	for (i = 0; i < types->shown.memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = types->shown.memoryTypes[i].propertyFlags;

		if (is_coherent_for_host(flags) && (flags & CACHED))
			lose_flag(&types->shown, i, CACHED);
	}
}

/* The first coherent type of the driver in the heap, or in any; VK_MAX_MEMORY_TYPES if none. */
static u32 find_coherent(const VkPhysicalDeviceMemoryProperties *driver, u32 heap)
{
	u32 found = VK_MAX_MEMORY_TYPES, i;

	for (i = 0; i < driver->memoryTypeCount; i++) {
		if (!is_coherent_for_host(driver->memoryTypes[i].propertyFlags))
			continue;
		if (driver->memoryTypes[i].heapIndex == heap)
			return i;
		if (found == VK_MAX_MEMORY_TYPES)
			found = i;
	}
	return found;
}

static void put_into_coherent(struct gsl_types *types)
{
	u32 i;

	for (i = 0; i < types->shown.memoryTypeCount; i++) {
		VkMemoryType *type = &types->shown.memoryTypes[i];
		u32 coherent = find_coherent(&types->driver, type->heapIndex);

		if ((type->propertyFlags & VISIBLE) && !(type->propertyFlags & COHERENT) &&
		    coherent < VK_MAX_MEMORY_TYPES)
			types->to_driver[i] = coherent;
	}
}

static enum gsl_types_mode choose_mode(const VkPhysicalDeviceMemoryProperties *driver,
				       enum gsl_types_mode asked)
{
	u32 coherent = 0, i;

	if (asked != GSL_TYPES_AUTO)
		return asked;
	for (i = 0; i < driver->memoryTypeCount; i++)
		coherent += is_coherent_for_host(driver->memoryTypes[i].propertyFlags);
	if (driver->memoryTypeCount + coherent > VK_MAX_MEMORY_TYPES && can_be_downgraded(driver))
		return GSL_TYPES_DOWNGRADE;
	return GSL_TYPES_ADD;
}

void gsl_types_init(struct gsl_types *types, const VkPhysicalDeviceMemoryProperties *driver,
		    const struct gsl_types_options *options)
{
	u32 i;

	types->driver = *driver;
	types->shown = *driver;
	types->mode = choose_mode(driver, options->mode);
	for (i = 0; i < VK_MAX_MEMORY_TYPES; i++)
		types->to_driver[i] = i;
	switch (types->mode) {
	case GSL_TYPES_DOWNGRADE:
		if (can_be_downgraded(driver))
			downgrade(types);
		break;
	case GSL_TYPES_ADD:
		add_twins(types, options->last);
		if (options->strip)
			strip_cached(types);
		break;
	case GSL_TYPES_COHERENT:
		put_into_coherent(types);
		break;
	default:
		break;
	}
}

u32 gsl_types_shown_bits(const struct gsl_types *types, u32 driver_bits)
{
	u32 bits = 0, i;

	for (i = 0; i < types->shown.memoryTypeCount; i++) {
		if (driver_bits >> types->to_driver[i] & 1)
			bits |= 1u << i;
	}
	return bits;
}

bool gsl_types_has_copies(const struct gsl_types *types, u32 shown)
{
	VkMemoryPropertyFlags flags;

	if (shown >= types->shown.memoryTypeCount || types->mode == GSL_TYPES_COHERENT)
		return false;
	flags = types->shown.memoryTypes[shown].propertyFlags;
	return (flags & VISIBLE) && !(flags & COHERENT) &&
	       !(flags & (VK_MEMORY_PROPERTY_PROTECTED_BIT |
			  VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT));
}

VkMemoryPropertyFlags gsl_types_driver_flags(const struct gsl_types *types, u32 shown)
{
	return types->driver.memoryTypes[types->to_driver[shown]].propertyFlags;
}
