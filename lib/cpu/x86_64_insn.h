/* SPDX-License-Identifier: MIT */
/* The instructions that x86_64.c uses; it asks CPUID before it uses those of newer CPUs. */
#ifndef GEMSYNC_X86_64_INSN_H
#define GEMSYNC_X86_64_INSN_H

#include <cpuid.h>
#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct insn_cpuid {
	unsigned int eax, ebx, ecx, edx;
};

/* False if the CPU does not have the leaf. */
static inline bool insn_cpuid(unsigned int leaf, struct insn_cpuid *out)
{
	return __get_cpuid_count(leaf, 0, &out->eax, &out->ebx, &out->ecx, &out->edx);
}

static inline void insn_clwb(uintptr_t line)
{
	__asm__ volatile("clwb (%0)" : : "r"(line) : "memory");
}

static inline void insn_clflushopt(uintptr_t line)
{
	__asm__ volatile("clflushopt (%0)" : : "r"(line) : "memory");
}

static inline void insn_clflush(uintptr_t line)
{
	__asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
}

static inline void insn_sfence(void)
{
	__asm__ volatile("sfence" : : : "memory");
}

static inline void insn_mfence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* Orders what mfence orders, and is faster on the CPUs that were measured. */
static inline void insn_locked(void)
{
	__asm__ volatile("lock orl $0, -4(%%rsp)" : : : "memory", "cc");
}

/* Later loads begin when it, and what came before it, is done. */
static inline void insn_lfence(void)
{
	__asm__ volatile("lfence" : : : "memory");
}

/* 64 bytes to a whole line, around the cache. */
static inline void insn_stream_line(char *to, const char *from)
{
	__m128i a = _mm_loadu_si128((const __m128i *)from);
	__m128i b = _mm_loadu_si128((const __m128i *)(from + 16));
	__m128i c = _mm_loadu_si128((const __m128i *)(from + 32));
	__m128i d = _mm_loadu_si128((const __m128i *)(from + 48));

	_mm_stream_si128((__m128i *)to, a);
	_mm_stream_si128((__m128i *)(to + 16), b);
	_mm_stream_si128((__m128i *)(to + 32), c);
	_mm_stream_si128((__m128i *)(to + 48), d);
}

/*
 * 64 bytes to a whole line in memory, as a direct store: the line is written back and
 * leaves all caches first.
 */
static inline void insn_direct_line(char *to, const char *from)
{
	__asm__ volatile("movdir64b (%1), %0" : : "r"(to), "r"(from) : "memory");
}

static inline void insn_rep_movsb(char *to, const char *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

#endif
