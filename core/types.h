/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What core/ needs of its surroundings: fixed-width types, errno values, and
 * single-copy word accesses. core/ is freestanding C11: it allocates nothing,
 * calls no libc and is compiled into the kernel modules, the library and the
 * unit tests from the same files.
 */
#ifndef GS_TYPES_H
#define GS_TYPES_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>

#else

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifndef U32_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#endif

#endif

/*
 * gs_copy() is memcpy(), which the compiler may call even in a freestanding
 * program (C11, 4p6). gs_log2() is for powers of two.
 *
 * Words that a CPU thread may store to at any time are only touched through
 * these, so that each access is one load or one store and no value is read
 * twice. gs_word_replace() leaves the word alone and returns false if it was
 * not @from. Halves (32 bits) and bytes are parts of such words.
 */
#ifdef __KERNEL__

#include <linux/atomic.h>

static inline void gs_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}

static inline u32 gs_log2(u32 power)
{
	return __ffs(power);
}

static inline u64 gs_word_load(const u64 *word)
{
	return READ_ONCE(*word);
}

static inline void gs_word_store(u64 *word, u64 value)
{
	WRITE_ONCE(*word, value);
}

static inline bool gs_word_replace(u64 *word, u64 from, u64 to)
{
	return cmpxchg64(word, from, to) == from;
}

static inline u32 gs_half_load(const void *half)
{
	return READ_ONCE(*(const u32 *)half);
}

static inline void gs_half_store(void *half, u32 value)
{
	WRITE_ONCE(*(u32 *)half, value);
}

static inline u8 gs_byte_load(const void *byte)
{
	return READ_ONCE(*(const u8 *)byte);
}

static inline void gs_byte_store(void *byte, u8 value)
{
	WRITE_ONCE(*(u8 *)byte, value);
}

#else

static inline void gs_copy(void *to, const void *from, size_t size)
{
	__builtin_memcpy(to, from, size);
}

static inline u32 gs_log2(u32 power)
{
	return (u32)__builtin_ctz(power);
}

static inline u64 gs_word_load(const u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void gs_word_store(u64 *word, u64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline bool gs_word_replace(u64 *word, u64 from, u64 to)
{
	return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

typedef u32 __attribute__((may_alias)) gs_half;

static inline u32 gs_half_load(const void *half)
{
	return __atomic_load_n((const gs_half *)half, __ATOMIC_RELAXED);
}

static inline void gs_half_store(void *half, u32 value)
{
	__atomic_store_n((gs_half *)half, value, __ATOMIC_RELAXED);
}

static inline u8 gs_byte_load(const void *byte)
{
	return __atomic_load_n((const u8 *)byte, __ATOMIC_RELAXED);
}

static inline void gs_byte_store(void *byte, u8 value)
{
	__atomic_store_n((u8 *)byte, value, __ATOMIC_RELAXED);
}

#endif

#endif
