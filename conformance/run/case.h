/* SPDX-License-Identifier: MIT */
/*
 * What a case of the conformance suite is made of.
 *
 *	CASE(r4_cpu_to_gpu, "R4", NEED_LAZY, "what the CPU wrote reaches the GPU by a flush alone")
 *	{
 *		struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
 *
 *		put_both(cf, buf, 256, OLD);
 *		cpu_put(buf, 256, NEW);
 *		EXPECT_EQ(gpu_get(cf, buf, 256), OLD);
 *		EXPECT_OK(flush(cf, buf, 256, 4));
 *		EXPECT_EQ(gpu_get(cf, buf, 256), NEW);
 *	}
 *
 *	CASES(semantics, "Semantics of the two operations",
 *	      &r4_cpu_to_gpu);
 *
 * A case is named after the rule that it proves and checks it through public
 * interfaces. Where the rule has a negative that the device lets see, it shows that too:
 * without the sync the data is stale, or the case proves nothing. It runs in a process of
 * its own, which ends with the first EXPECT that does not hold; what it leaves behind is
 * released after it.
 * Only the thread that runs the case may use EXPECT and skip().
 */
#ifndef CASE_H
#define CASE_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "conform.h"
#include "gpu.h"
#include "watched.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define KIB			1024ull
#define MIB			(1024ull * 1024)
#define NO_HANDLE		0xfffffffeu	/* no object has it */
#define OLD			0x01d01d01u
#define NEW			0x7e37e37eu

/* What a case needs of the device; without it, the case is skipped. */
enum {
	NEED_INCOHERENT	= 1 << 0,	/* it does not snoop */
	NEED_COHERENT	= 1 << 1,	/* it does */
	NEED_COUNTERS	= 1 << 2,	/* it counts the lines that are maintained */
	NEED_LAZY	= 1 << 3 | NEED_INCOHERENT | NEED_COUNTERS,
					/* its lines move by maintenance alone */
	NEED_FILE	= 1 << 4,	/* it has a file, for PRIME and the driver's ioctls */
	NEED_SYNC_ABI	= 1 << 5 | NEED_FILE,	/* with an ioctl that takes an array of ops */
	NEED_VIOLATIONS	= 1 << 6,	/* it reports violations, and they can be read */
	NEED_ROOT	= 1 << 7,	/* the case uses what is root's */
	NEED_VM		= 1 << 8 | NEED_ROOT,	/* it takes devices away: not on a machine in use */
	NEED_PRIVATE	= 1 << 9,	/* BOs may be private to an address space */
	NEED_SYNC	= 1 << 10,	/* user space can sync cached BOs */
	ANY_EXPORTER	= 1 << 11,	/* nothing but shareable buffers: runs on exporters too */
	NEED_SPIN	= 1 << 12,	/* its GPU can run until it is told to stop */
	NEED_SPIN_FENCE	= 1 << 13 | NEED_SPIN,	/* with a sync file of the end */
	NEED_OFFSETS	= 1 << 14 | NEED_FILE,	/* BOs are mapped at offsets of the file */
	NEED_STRICT	= 1 << 15,	/* policy strict: cached BOs are not shared (R13) */
	NEED_HOOKS	= 1 << 16 | NEED_FILE | NEED_LAZY,
					/* policy hooks: they are, and their dma-bufs sync (R14) */
	NEED_EVICTION	= 1 << 17 | NEED_FILE | NEED_ROOT,
					/* its idle BOs lose their pages on demand */
	NEED_BIND	= 1 << 18,	/* user space says what its GPU's addresses mean */
	NEED_PURGE	= 1 << 19 | NEED_FILE | NEED_ROOT,
					/* what is said not to be needed goes on demand */
	NEED_PUBLIC	= 1 << 22,	/* no BO is private to an address space */
	NEED_NO_IMPORT_MAPS	= 1 << 20,	/* imported BOs are not mapped (R15) */
	NEED_IMPORT_MAPS	= 1 << 21 | NEED_OFFSETS,	/* they are */
	NEED_CACHED	= 1 << 23,	/* BOs can be cached */
	NEED_WATCH	= 1 << 25 | NEED_VIOLATIONS,	/* it can see loads of stale lines */
	NEED_STORES	= 1 << 27 | NEED_WATCH,	/* and stores of what was there */
	NEED_JOBS	= 1 << 26 | NEED_VIOLATIONS,	/* its driver tells the emulation of jobs */
	NO_SYNC		= 1 << 24,	/* it syncs nothing: all others need NEED_SYNC */
};

struct cf;

struct conform_case {
	const char *name;
	const char *rules;	/* "-" if the contract has none that says so */
	const char *purpose;	/* what holds if it passes */
	uint32_t needs;		/* NEED_* */
	double timeout;		/* seconds, 0 for the run's */
	void (*run)(struct cf *cf);
};

#define CASE(name_, rules_, needs_, purpose_) \
	CASE_WITHIN(name_, rules_, needs_, 0, purpose_)

/* A case that may take longer. */
#define CASE_WITHIN(name_, rules_, needs_, timeout_, purpose_)			\
	static void name_##_run(struct cf *cf);					\
	static const struct conform_case name_ = {				\
		.name = #name_,							\
		.rules = (rules_),						\
		.purpose = (purpose_),						\
		.needs = (needs_),						\
		.timeout = (timeout_),						\
		.run = name_##_run,						\
	};									\
	static void name_##_run(struct cf *cf)

/* The cases of a file, in the order in which they run. */
struct case_group {
	const char *title;
	const struct conform_case *const *cases;
	size_t count;
};

#define CASES(name_, title_, ...)						\
	static const struct conform_case *const name_##_cases[] = { __VA_ARGS__ };	\
	const struct case_group name_##_group = {				\
		.title = title_,						\
		.cases = name_##_cases,						\
		.count = ARRAY_SIZE(name_##_cases),				\
	}

/* ---- The device under test ---- */

struct buffer {
	struct gemsync_bo *bo;
	uint8_t *map;	/* NULL if GEMSYNC_BO_NO_MMAP */
	uint64_t va;	/* where the GPU sees it */
};

#define CASE_BUFFERS	64

struct cf {
	const char *name;		/* of the device, to open it once more */
	struct gemsync_device *dev;	/* NULL if it is an exporter */
	struct gemsync_device_info info;
	struct gemsync_gpu *gpu;		/* NULL if it is an exporter */
	int fd;				/* of the device; negative without a kernel driver */
	const struct exporter *exporter;
	struct gemsync_device *others[4];
	struct buffer buffers[CASE_BUFFERS];
	size_t buffer_count;
	struct conform_result *result;
	struct watched watched;		/* what the device looks for */
};

/* The same device once more: another DRM file. It lives as long as the case. */
struct gemsync_device *other_file(struct cf *cf);

/* Room for one more, which the caller makes; it is released with the case. */
struct buffer *next_buffer(struct cf *cf);

/* A BO, mapped and bound; it lives as long as the case. */
struct buffer *new_buffer(struct cf *cf, uint64_t size, uint32_t flags);

/* A BO that the CPU never maps, cached if the driver makes such; not bound. */
struct gemsync_bo *new_hidden(struct cf *cf, uint64_t size);

/* Unbind a BO that is about to be destroyed; drivers that bind all BOs do it then. */
void unbind(struct cf *cf, uint64_t va, uint64_t size);

/* Whether BOs for user space can be cached. */
bool makes_cached(struct cf *cf);

/* 32-bit words, by CPU map and by GPU; what is written is noted for pictures. */
uint32_t cpu_get(const struct buffer *buf, uint64_t offset);
void cpu_put(const struct buffer *buf, uint64_t offset, uint32_t value);
uint32_t gpu_get(struct cf *cf, const struct buffer *buf, uint64_t offset);
void gpu_put(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value);

/* As gemsync_bo_flush() and gemsync_bo_invalidate(), noted for pictures. */
int flush(struct cf *cf, const struct buffer *buf, uint64_t offset, uint64_t size);
int invalidate(struct cf *cf, const struct buffer *buf, uint64_t offset, uint64_t size);

/* The CPU writes and flushes the word, and the GPU sees it. */
void put_both(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value);

/* Whether lines are counted, and move by maintenance alone (as NEED_LAZY). */
bool shows_lines(const struct cf *cf);

/* Lines maintained so far (NEED_COUNTERS), and those that overlap a range (R1). */
struct gemsync_counters lines_now(struct cf *cf);
uint64_t lines_of(const struct cf *cf, uint64_t offset, uint64_t size);

/* One ioctl() without restart: 0 or -errno. */
int raw_ioctl(int fd, unsigned long request, void *arg);

int64_t now_ms(void);	/* CLOCK_MONOTONIC */

/* Zeroed memory, to be freed; or the case fails. */
void *new_array(size_t count, size_t size);

/* ---- Expectations ---- */

#define EXPECT_EQ(seen, expected) \
	expect_int(#seen, (int64_t)(seen), #expected, (int64_t)(expected), __FILE__, __LINE__)
/* The same in the case's own words, where the expression does not tell: in loops. */
#define EXPECT_EQ_AS(what, seen, expected) \
	expect_int(what, (int64_t)(seen), #expected, (int64_t)(expected), __FILE__, __LINE__)
#define EXPECT_TEXT(seen, expected)	expect_text(#seen, seen, expected, __FILE__, __LINE__)
#define EXPECT_OK(call)		expect_int(#call, call, "0", 0, __FILE__, __LINE__)
#define EXPECT(condition)	expect_true(#condition, condition, __FILE__, __LINE__)

/* What was maintained since @before is exactly this. */
#define EXPECT_LINES(cf, before, cleaned, dropped) \
	expect_lines(cf, before, cleaned, dropped, __FILE__, __LINE__)

/* The word at @offset as one side sees it; a picture of the lines around if it is not @value. */
#define EXPECT_CPU(cf, buf, offset, value) \
	expect_word(cf, buf, offset, value, false, __FILE__, __LINE__)
#define EXPECT_GPU(cf, buf, offset, value) \
	expect_word(cf, buf, offset, value, true, __FILE__, __LINE__)

/*
 * Sync a range and see, line by line, what was written back and what was dropped: just
 * the lines of the range, on a device whose lines do not move on their own, and at
 * least these on every other. Overwrites the lines that it looks at.
 */
#define EXPECT_RANGE(cf, buf, type, offset, size) \
	expect_range(cf, buf, type, offset, size, __FILE__, __LINE__)

void expect_int(const char *what, int64_t seen, const char *expected_text, int64_t expected,
		const char *file, int line);
void expect_text(const char *what, const char *seen, const char *expected, const char *file,
		 int line);
void expect_true(const char *what, bool holds, const char *file, int line);
void expect_lines(struct cf *cf, const struct gemsync_counters *before, uint64_t cleaned,
		  uint64_t dropped, const char *file, int line);
void expect_word(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value,
		 bool by_gpu, const char *file, int line);
void expect_range(struct cf *cf, const struct buffer *buf, enum gemsync_op_type type,
		  uint64_t offset, uint64_t size, const char *file, int line);

/* End the case as failed, for a reason that no EXPECT has. */
__attribute__((format(printf, 1, 2), noreturn))
void fail(const char *format, ...);

/* End the case as skipped: why, and what would make it run. */
__attribute__((noreturn))
void skip(const char *reason, const char *remedy);

#endif
