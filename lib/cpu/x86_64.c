// SPDX-License-Identifier: MIT
/*
 * x86-64: clwb, clflushopt or clflush. All three are ordered after older stores of
 * this thread to their line; the newer two need a fence before later accesses: sfence
 * is enough for stores, loads take mfence. clflush gets a fence in front too, as the
 * manuals of its first years ask for.
 *
 * Non-temporal stores are no flush: a line that is in the cache may be updated there
 * and stay dirty (R26). Here they only save reading lines before they are overwritten,
 * and a flush follows. Direct stores are one: a cached line is written back and dropped
 * before the store goes past the caches (Intel SDM, volume 2, MOVDIR64B). Seen on a Zen 5:
 * loads of the line then take as long as after clflush; after a non-temporal store, as
 * from the L1.
 */
#include <string.h>

#include <x86_64_insn.h>

#include "cpu_internal.h"

#define LINE	64u	/* of the copies; with other lines, memcpy() and a pass */

enum insn {
	CLWB,
	CLFLUSHOPT,
	CLFLUSH,
};

/* ---- What the CPU is ---- */

#define FEATURES_BASE	1u
#define FEATURES_MORE	7u

#define BASE_EDX_CLFSH		(1u << 19)
#define MORE_EBX_ERMS		(1u << 9)
#define MORE_EBX_CLFLUSHOPT	(1u << 23)
#define MORE_EBX_CLWB		(1u << 24)
#define MORE_ECX_MOVDIR64B	(1u << 28)

static bool has_more(unsigned int ebx, unsigned int ecx)
{
	struct insn_cpuid id;

	return insn_cpuid(FEATURES_MORE, &id) && (id.ebx & ebx) == ebx && (id.ecx & ecx) == ecx;
}

static bool probe_clflush(struct cpu_lines *lines)
{
	struct insn_cpuid id;

	if (!insn_cpuid(FEATURES_BASE, &id) || !(id.edx & BASE_EDX_CLFSH))
		return false;
	lines->line = (id.ebx >> 8 & 0xff) * 8;	/* EBX[15:8], in units of 8 bytes */
	lines->granule = lines->line;
	return true;
}

static bool probe_clflushopt(struct cpu_lines *lines)
{
	return has_more(MORE_EBX_CLFLUSHOPT, 0) && probe_clflush(lines);
}

static bool probe_clwb(struct cpu_lines *lines)
{
	return has_more(MORE_EBX_CLWB | MORE_EBX_CLFLUSHOPT, 0) && probe_clflush(lines);
}

static bool probe_movdir64b(struct cpu_lines *lines)
{
	return has_more(0, MORE_ECX_MOVDIR64B) && probe_clwb(lines);
}

/* Atoms, of family 6, on which mfence was seen to pass the last clflush. */
static bool is_atom(void)
{
	static const unsigned char models[] = {
		0x37, 0x4a, 0x4d, 0x5a, 0x5d,	/* Silvermont */
		0x4c, 0x65, 0x6e, 0x75,		/* Airmont */
		0x5c, 0x5f,			/* Goldmont */
		0x7a,				/* Goldmont Plus */
		0x86, 0x8a, 0x96, 0x9c,		/* Tremont */
	};
	unsigned int model;
	struct insn_cpuid id;

	if (!insn_cpuid(0, &id) || id.ebx != signature_INTEL_ebx ||
	    id.ecx != signature_INTEL_ecx || id.edx != signature_INTEL_edx)
		return false;
	if (!insn_cpuid(FEATURES_BASE, &id) || (id.eax >> 8 & 0xf) != 6)
		return false;
	model = (id.eax >> 4 & 0xf) | (id.eax >> 12 & 0xf0);
	return memchr(models, (int)model, sizeof(models));
}

/* ---- Maintenance ---- */

static inline void flush_line(enum insn insn, uintptr_t line)
{
	if (insn == CLWB)
		insn_clwb(line);
	else if (insn == CLFLUSHOPT)
		insn_clflushopt(line);
	else
		insn_clflush(line);
}

static inline void flush_lines(enum insn insn, uintptr_t start, uintptr_t end, size_t line)
{
	for (; start != end; start += line)
		flush_line(insn, start);
}

static void clwb(uintptr_t start, uintptr_t end, size_t line)
{
	flush_lines(CLWB, start, end, line);
}

static void clflushopt(uintptr_t start, uintptr_t end, size_t line)
{
	flush_lines(CLFLUSHOPT, start, end, line);
}

static void clflush(uintptr_t start, uintptr_t end, size_t line)
{
	insn_mfence();
	flush_lines(CLFLUSH, start, end, line);
}

static void clflushopt_twice(uintptr_t start, uintptr_t end, size_t line)
{
	flush_lines(CLFLUSHOPT, start, end, line);
	insn_clflushopt(end - line);
}

static void clflush_twice(uintptr_t start, uintptr_t end, size_t line)
{
	clflush(start, end, line);
	insn_clflush(end - line);
}

static void fence_opt(enum gemsync_direction direction)
{
	if (direction == GEMSYNC_BEFORE_DEVICE)
		insn_sfence();
	else
		insn_locked();
}

static void fence_all(enum gemsync_direction direction)
{
	(void)direction;
	insn_mfence();
}

/* ---- Uploads ---- */

/*
 * Measured on a Zen 5 server core (L1 48 KiB, L2 1 MiB, L3 32 MiB), time to that of
 * memcpy() and the reference's flush; the flush of streamed lines lags 64 lines:
 *
 *	KiB	1/16	1	2	4	16	64	256	512	1024	4096
 *	after another upload
 *	fused	0.53	0.44	0.47	0.56	0.60	0.63	0.64	0.69	0.74	0.79
 *	stream	0.56	0.44	0.44	0.49	0.50	0.50	0.49	0.52	0.55	0.54
 *	direct	0.33	0.28	0.29	0.35	0.40	0.41	0.40	0.42	0.45	0.44
 *	after a load of each
 *	fused	0.63	0.48	0.63	0.63	0.57	0.63	0.67	0.77	0.82	0.91
 *	stream	0.70	0.62	0.79	0.76	0.56	0.80	0.86	0.85	0.70	0.72
 *	direct	0.74	0.52	0.63	0.62	0.57	0.57	0.62	0.60	0.54	0.53
 *	after a store to each
 *	fused	0.63	0.47	0.61	0.64	0.57	0.63	0.67	0.76	0.80	0.86
 *	stream	0.72	0.69	0.83	0.84	0.57	1.04	1.11	1.02	0.73	0.70
 *	direct	0.87	0.60	0.72	0.76	0.76	0.88	0.97	0.85	0.58	0.52
 */
#define STREAM_MIN	2048u		/* from here on whole lines are streamed, */
#define CACHED_MIN	(64u << 10)	/* but not to a cached destination from here */
#define CACHED_END	(1u << 20)	/* up to here; */
#define DIRECT_CACHED_MIN (512u << 10)	/* to that one, direct stores only from here */
#define LAG		(64u * LINE)

/* The compiler makes registers of it. */
static inline void copy_line(char *to, const char *from)
{
	memcpy(to, from, LINE);
}

static inline void upload_fused(enum insn insn, char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += LINE) {
		copy_line(to + i, from + i);
		flush_line(insn, (uintptr_t)to + i);
	}
}

static inline void upload_streamed(enum insn insn, char *to, const char *from, size_t size)
{
	size_t lag = size < LAG ? size : LAG;
	size_t i;

	for (i = 0; i < lag; i += LINE)
		insn_stream_line(to + i, from + i);
	for (; i < size; i += LINE) {
		insn_stream_line(to + i, from + i);
		flush_line(insn, (uintptr_t)to + i - LAG);
	}
	for (i = size - lag; i < size; i += LINE)
		flush_line(insn, (uintptr_t)to + i);
}

static inline void upload_direct(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += LINE)
		insn_direct_line(to + i, from + i);
}

static inline bool should_stream(size_t size, uint32_t flags)
{
	if (size < STREAM_MIN)
		return false;
	return !(flags & GEMSYNC_UPLOAD_CACHED) || size < CACHED_MIN || size >= CACHED_END;
}

static inline bool should_store_directly(size_t size, uint32_t flags)
{
	return !(flags & GEMSYNC_UPLOAD_CACHED) || size >= DIRECT_CACHED_MIN;
}

/* How whole lines go. */
static inline void upload_lines(enum insn insn, bool direct, char *to, const char *from,
				size_t size, uint32_t flags)
{
	if (direct && should_store_directly(size, flags))
		upload_direct(to, from, size);
	else if (!direct && should_stream(size, flags))
		upload_streamed(insn, to, from, size);
	else
		upload_fused(insn, to, from, size);
}

/* Part of one line. */
static inline void upload_part(enum insn insn, char *to, const char *from, size_t size)
{
	if (!size)
		return;
	memcpy(to, from, size);
	flush_line(insn, (uintptr_t)to & ~(uintptr_t)(LINE - 1));
}

static inline void upload(enum insn insn, bool direct, char *to, const char *from, size_t size,
			  size_t line, uint32_t flags)
{
	uintptr_t first = (uintptr_t)to & ~(uintptr_t)(line - 1);
	size_t head = -(uintptr_t)to & (LINE - 1);
	size_t whole;

	if (line != LINE) {
		memcpy(to, from, size);
		flush_lines(insn, first, ((uintptr_t)to + size - 1 + line) & ~(line - 1), line);
		return;
	}
	if (head > size)
		head = size;
	whole = (size - head) & ~(size_t)(LINE - 1);
	upload_part(insn, to, from, head);
	upload_lines(insn, direct, to + head, from + head, whole, flags);
	upload_part(insn, to + head + whole, from + head + whole, size - head - whole);
}

static void upload_movdir64b(char *to, const char *from, size_t size, size_t line,
			     uint32_t flags)
{
	upload(CLWB, true, to, from, size, line, flags);
}

static void upload_clwb(char *to, const char *from, size_t size, size_t line, uint32_t flags)
{
	upload(CLWB, false, to, from, size, line, flags);
}

static void upload_clflushopt(char *to, const char *from, size_t size, size_t line,
			      uint32_t flags)
{
	upload(CLFLUSHOPT, false, to, from, size, line, flags);
}

/* ---- Readbacks ---- */

/*
 * Measured on the same core: time of two ways, dropping lines 128 KiB ahead of the copy
 * and dropping all of them before `rep movsb`, to dropping all before memcpy():
 *
 *	MiB		1/4	1/2	1	2	4	8	16	32	64
 *	ahead		1.00	0.92	0.78	0.78	0.80	0.81	0.83	0.91	0.99
 *	rep movsb	1.00	1.00	0.77	0.88	0.84	0.79	0.80	0.85	0.83
 */
#define AHEAD		(128u << 10)	/* lines are dropped that far ahead of the copy, */
#define AHEAD_MIN	(256u << 10)	/* from here */
#define AHEAD_MAX	(16u << 20)	/* to here; above, rep movsb */

static inline uintptr_t min_address(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

/*
 * Loads behind the locked operation begin before it is done, and again if their lines are
 * dropped meanwhile. Where that costs more than it gains, lfence keeps them back. Time of
 * three ways to that of the reference, of lines that are cached and of lines that are not:
 *
 *	KiB			1/16	1/4	1	2	4	6	8	16
 *	cached, locked		0.95	0.95	0.96	1.00	0.86	0.94	0.84	0.85
 *	cached, mfence		0.95	0.95	0.96	0.96	0.96	0.97	0.98	0.98
 *	cached, lfence too	0.94	0.93	0.95	0.95	0.96	0.97	0.97	0.97
 *	not cached, locked	0.94	0.92	0.94	1.22	1.32	0.84	0.80	0.78
 *	not cached, mfence	0.93	0.92	0.93	0.95	0.91	0.95	0.97	0.90
 *	not cached, lfence too	0.92	0.90	0.90	0.93	0.90	0.94	0.96	0.89
 *
 * More is not to be had of small ones: of the reference's 390 ns, 210 drop the cached
 * line, 140 fetch it again, and 20 are for each fence.
 */
#define WAIT_END	6144u

/* Each piece is dropped before the piece in front of it is copied. */
static void readback_ahead(char *to, uintptr_t from, uintptr_t end, size_t line)
{
	uintptr_t start = from & ~(uintptr_t)(line - 1);
	uintptr_t last = ((end - 1) & ~(uintptr_t)(line - 1)) + line;
	uintptr_t dropped = min_address(start + AHEAD, last);
	uintptr_t next;

	flush_lines(CLFLUSHOPT, start, dropped, line);
	while (from != end) {
		next = min_address(dropped, end);
		start = dropped;
		dropped = min_address(dropped + AHEAD, last);
		flush_lines(CLFLUSHOPT, start, dropped, line);
		insn_locked();
		memcpy(to, (const void *)from, next - from);
		to += next - from;
		from = next;
	}
}

static void readback_clflushopt(char *to, const char *from, size_t size, size_t line)
{
	uintptr_t start = (uintptr_t)from & ~(uintptr_t)(line - 1);
	uintptr_t end = (uintptr_t)from + size;

	if (size >= AHEAD_MIN && size <= AHEAD_MAX) {
		readback_ahead(to, (uintptr_t)from, end, line);
		return;
	}
	flush_lines(CLFLUSHOPT, start, ((end - 1) & ~(uintptr_t)(line - 1)) + line, line);
	insn_locked();
	if (size < WAIT_END)
		insn_lfence();
	if (size > AHEAD_MAX && has_more(MORE_EBX_ERMS, 0))
		insn_rep_movsb(to, from, size);
	else
		memcpy(to, from, size);
}

const struct cpu_ops gemsync_cpu_backends[] = {
	{
		.name = "clflushopt-twice",
		.why = "an Atom on which a fence may pass the last clflushopt",
		.features = GEMSYNC_CPU_REPEATS,
		.probe = probe_clflushopt,
		.preferred = is_atom,
		.clean = clflushopt_twice,
		.clean_inval = clflushopt_twice,
		.fence = fence_all,
	},
	{
		.name = "clflush-twice",
		.why = "an Atom on which a fence may pass the last clflush",
		.features = GEMSYNC_CPU_REPEATS,
		.probe = probe_clflush,
		.preferred = is_atom,
		.clean = clflush_twice,
		.clean_inval = clflush_twice,
		.fence = fence_all,
	},
	{
		.name = "movdir64b",
		.why = "the best there is: CPUID has clwb, and movdir64b for uploads",
		.features = GEMSYNC_CPU_KEEPS_LINES | GEMSYNC_CPU_STREAMS,
		.probe = probe_movdir64b,
		.clean = clwb,
		.clean_inval = clflushopt,
		.fence = fence_opt,
		.upload = upload_movdir64b,
		.readback = readback_clflushopt,
	},
	{
		.name = "clwb",
		.why = "CPUID has clwb, but not movdir64b",
		.features = GEMSYNC_CPU_KEEPS_LINES | GEMSYNC_CPU_STREAMS,
		.probe = probe_clwb,
		.clean = clwb,
		.clean_inval = clflushopt,
		.fence = fence_opt,
		.upload = upload_clwb,
		.readback = readback_clflushopt,
	},
	{
		.name = "clflushopt",
		.why = "CPUID has clflushopt, but not clwb",
		.features = GEMSYNC_CPU_STREAMS,
		.probe = probe_clflushopt,
		.clean = clflushopt,
		.clean_inval = clflushopt,
		.fence = fence_opt,
		.upload = upload_clflushopt,
		.readback = readback_clflushopt,
	},
	{
		.name = "clflush",
		.why = "CPUID has neither clwb nor clflushopt",
		.probe = probe_clflush,
		.clean = clflush,
		.clean_inval = clflush,
		.fence = fence_all,
	},
	{ 0 },
};
