// SPDX-License-Identifier: MIT
#include <stdint.h>

#include "reference.h"

#define LINE	((uintptr_t)64)

#if defined(__x86_64__)

#include <emmintrin.h>

const bool reference_exists = true;
const bool streaming_exists = true;

void reference_flush(const void *start, size_t size)
{
	uintptr_t line = (uintptr_t)start & ~(LINE - 1);
	uintptr_t end = (uintptr_t)start + size;

	_mm_mfence();
	for (; line < end; line += LINE)
		_mm_clflush((const void *)line);
	_mm_mfence();
}

void reference_wait(void)
{
	_mm_lfence();
}

void stream_fill(void *to, int byte, size_t size)
{
	__m128i value = _mm_set1_epi8((char)byte);
	__m128i *at = to, *end = at + size / sizeof(*at);

	for (; at < end; at++)
		_mm_stream_si128(at, value);
	_mm_sfence();
}

void stream_copy(void *to, const void *from, size_t size)
{
	const __m128i *source = from;
	__m128i *at = to, *end = at + size / sizeof(*at);

	for (; at < end; at++, source++)
		_mm_stream_si128(at, _mm_loadu_si128(source));
	_mm_sfence();
}

#else

const bool streaming_exists;

void stream_fill(void *to, int byte, size_t size)
{
	(void)to;
	(void)byte;
	(void)size;
}

void stream_copy(void *to, const void *from, size_t size)
{
	(void)to;
	(void)from;
	(void)size;
}

#if defined(__aarch64__)

const bool reference_exists = true;

void reference_flush(const void *start, size_t size)
{
	uintptr_t line, step, end = (uintptr_t)start + size;
	uint64_t ctr;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	step = (uintptr_t)4 << (ctr >> 16 & 0xf);
	__asm__ volatile("dsb sy" : : : "memory");
	for (line = (uintptr_t)start & ~(step - 1); line < end; line += step)
		__asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

void reference_wait(void)
{
	__asm__ volatile("dsb ld" : : : "memory");
}

#else

const bool reference_exists;

void reference_flush(const void *start, size_t size)
{
	(void)start;
	(void)size;
}

void reference_wait(void)
{
}

#endif
#endif
