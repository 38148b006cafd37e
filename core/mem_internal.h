/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* GPU memory as interpreters of commands see it: little-endian, whatever runs them. */
#ifndef GS_MEM_INTERNAL_H
#define GS_MEM_INTERNAL_H

#include "types.h"

static inline u64 le_get(const u8 *from, u32 size)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < size; i++)
		value |= (u64)from[i] << (8 * i);
	return value;
}

static inline void le_set(u8 *to, u64 value, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		to[i] = (u8)(value >> (8 * i));
}

static inline bool wraps(u64 va, u32 size)
{
	return va + (size - 1) < va;
}

#endif
