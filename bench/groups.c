// SPDX-License-Identifier: MIT
/* The kinds of work, and who does them. */
#include <string.h>

#include <gemsync/cpu.h>
#include <gemsync/range.h>

#include "bench.h"
#include "reference.h"

#ifdef HAVE_LIBPMEM
#include <libpmem.h>
#define WITH_LIBPMEM(run)	run
#define LIBPMEM_NOTE		NULL
#else
#define WITH_LIBPMEM(run)	NULL
#define LIBPMEM_NOTE		"built without libpmem: run scripts/install-deps bench"
#endif

#if defined(__x86_64__)
#define WITH_STREAMING(run)	run
#else
/* It is used, and never called. */
#define WITH_STREAMING(run)	(0 ? (run) : NULL)
#endif

#define LINE		64u
#define END		{ .name = NULL }

static char *bo_at(const struct bench_work *work, size_t i)
{
	return work->bo + i * work->size;
}

static char *other_at(const struct bench_work *work, size_t i)
{
	return work->other + i * work->size;
}

/* ---- Flush: the CPU stores to each line, then flushes ---- */

static void dirty(char *start, size_t size)
{
	volatile char *at = start;
	size_t i;

	for (i = 0; i < size; i += LINE)
		at[i]++;
}

static void flush_reference(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	reference_flush(bo_at(work, i), work->size);
}

static void flush_own(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	gemsync_cpu_flush(bo_at(work, i), work->size);
}

#ifdef HAVE_LIBPMEM
static void flush_libpmem(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	pmem_flush(bo_at(work, i), work->size);
	pmem_drain();
}
#endif

static const struct bench_contender flush[] = {
	{ .name = "reference", .run = flush_reference },
	{ .name = BENCH_OWN, .run = flush_own },
	{ .name = "libpmem", .run = WITH_LIBPMEM(flush_libpmem), .note = LIBPMEM_NOTE },
	END
};

/* ---- Invalidate ---- */

static void invalidate_reference(const struct bench_work *work, size_t i)
{
	reference_flush(bo_at(work, i), work->size);
}

static void invalidate_own(const struct bench_work *work, size_t i)
{
	gemsync_cpu_invalidate(bo_at(work, i), work->size);
}

static const struct bench_contender invalidate[] = {
	{ .name = "reference", .run = invalidate_reference },
	{ .name = BENCH_OWN, .run = invalidate_own },
	END
};

/* ---- Upload ---- */

static void upload_reference(const struct bench_work *work, size_t i)
{
	memcpy(bo_at(work, i), other_at(work, i), work->size);
	reference_flush(bo_at(work, i), work->size);
}

static void upload_own(const struct bench_work *work, size_t i)
{
	gemsync_cpu_upload(bo_at(work, i), other_at(work, i), work->size, 0);
}

static void upload_cached(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	gemsync_cpu_upload(bo_at(work, i), other_at(work, i), work->size, GEMSYNC_UPLOAD_CACHED);
}

static void upload_unhinted(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	upload_own(work, i);
}

static void upload_cached_reference(const struct bench_work *work, size_t i)
{
	dirty(bo_at(work, i), work->size);
	upload_reference(work, i);
}

#ifdef HAVE_LIBPMEM
static void upload_libpmem(const struct bench_work *work, size_t i)
{
	pmem_memcpy(bo_at(work, i), other_at(work, i), work->size, PMEM_F_MEM_TEMPORAL);
}

static void upload_libpmem_streamed(const struct bench_work *work, size_t i)
{
	pmem_memcpy(bo_at(work, i), other_at(work, i), work->size, PMEM_F_MEM_NONTEMPORAL);
}
#endif

static void copy_streamed(const struct bench_work *work, size_t i)
{
	stream_copy(bo_at(work, i), other_at(work, i), work->size);
}

static const struct bench_contender upload[] = {
	{ .name = "reference", .run = upload_reference, .note = "memcpy() first" },
	{ .name = BENCH_OWN, .run = upload_own },
	{ .name = "libpmem", .run = WITH_LIBPMEM(upload_libpmem), .note = LIBPMEM_NOTE },
	{
		.name = "libpmem-nt",
		.run = WITH_LIBPMEM(upload_libpmem_streamed),
		.note = "leaves lines dirty (R26)",
		.incomparable = true,
	},
	{
		.name = "nt-copy",
		.run = WITH_STREAMING(copy_streamed),
		.note = "the limit; leaves lines dirty (R26)",
		.incomparable = true,
	},
	END
};

static const struct bench_contender upload_over[] = {
	{ .name = "reference", .run = upload_cached_reference, .note = "memcpy() first" },
	{ .name = BENCH_OWN, .run = upload_cached, .note = "with the hint" },
	{ .name = BENCH_OWN "-unhinted", .run = upload_unhinted },
	END
};

/* ---- Readback ---- */

static void readback_reference(const struct bench_work *work, size_t i)
{
	reference_flush(bo_at(work, i), work->size);
	memcpy(other_at(work, i), bo_at(work, i), work->size);
}

static void readback_own(const struct bench_work *work, size_t i)
{
	gemsync_cpu_readback(other_at(work, i), bo_at(work, i), work->size);
}

static void copy_plain(const struct bench_work *work, size_t i)
{
	memcpy(other_at(work, i), bo_at(work, i), work->size);
}

/*
 * What no readback can be faster than: lines that are in no cache come from memory. One
 * range after the other, and far apart, so that nothing brings the next one early.
 */
#define APART		4096u

static char *apart_at(const struct bench_work *work, size_t i)
{
	return work->count == 1 ? work->bo : work->bo + i * 37 % work->count * APART;
}

static void drop_all(const struct bench_work *work)
{
	size_t i;

	for (i = 0; i < work->count; i++)
		reference_flush(apart_at(work, i), work->size);
}

static void fetch(const struct bench_work *work, size_t i)
{
	memcpy(other_at(work, i), apart_at(work, i), work->size);
	reference_wait();
}

static const struct bench_contender readback[] = {
	{ .name = "reference", .run = readback_reference, .note = "then memcpy()" },
	{ .name = BENCH_OWN, .run = readback_own },
	{
		.name = "memcpy",
		.run = copy_plain,
		.note = "may copy stale data",
		.incomparable = true,
	},
	{
		.name = "fetch",
		.run = fetch,
		.note = "the limit: a copy of lines that were dropped before",
		.incomparable = true,
		.prepare = drop_all,
	},
	END
};

/* ---- Batches: range by range, or all with one fence ---- */

#define RANGES	256u
#define APART_STEP	4u	/* ranges, from one to the next */

static void each_alone(const struct bench_work *work, size_t step)
{
	size_t i;

	for (i = 0; i < work->count; i++) {
		dirty(work->bo + i * step, work->size);
		reference_flush(work->bo + i * step, work->size);
	}
}

static void all_in_a_batch(const struct bench_work *work, size_t step)
{
	struct gemsync_op ops[RANGES];
	struct gemsync_batch batch;
	size_t i;

	gemsync_batch_init(&batch, ops, RANGES, LINE, 0, NULL, gemsync_batch_submit_cpu, NULL);
	for (i = 0; i < work->count; i++) {
		dirty(work->bo + i * step, work->size);
		gemsync_batch_add(&batch, work->bo, GEMSYNC_FLUSH, i * step, work->size);
	}
	gemsync_batch_submit(&batch);
}

static void batch_next_reference(const struct bench_work *work, size_t call)
{
	(void)call;
	each_alone(work, work->size);
}

static void batch_next_own(const struct bench_work *work, size_t call)
{
	(void)call;
	all_in_a_batch(work, work->size);
}

static void batch_apart_reference(const struct bench_work *work, size_t call)
{
	(void)call;
	each_alone(work, APART_STEP * work->size);
}

static void batch_apart_own(const struct bench_work *work, size_t call)
{
	(void)call;
	all_in_a_batch(work, APART_STEP * work->size);
}

static const struct bench_contender batch_next[] = {
	{ .name = "reference", .run = batch_next_reference, .note = "each on its own" },
	{ .name = BENCH_OWN, .run = batch_next_own, .note = "merged into one" },
	END
};

static const struct bench_contender batch_apart[] = {
	{ .name = "reference", .run = batch_apart_reference, .note = "each on its own" },
	{ .name = BENCH_OWN, .run = batch_apart_own, .note = "one fence" },
	END
};

/* ---- The machine ---- */

static void fill_streamed(const struct bench_work *work, size_t i)
{
	stream_fill(bo_at(work, i), 1, work->size);
}

static void fill_plain(const struct bench_work *work, size_t i)
{
	memset(bo_at(work, i), 1, work->size);
}

static const struct bench_contender machine[] = {
	{ .name = "memset", .run = fill_plain },
	{ .name = "memcpy", .run = copy_plain, .incomparable = true },
	{ .name = "nt-fill", .run = WITH_STREAMING(fill_streamed), .incomparable = true },
	{ .name = "nt-copy", .run = WITH_STREAMING(copy_streamed), .incomparable = true },
	END
};

const struct bench_group bench_groups[] = {
	{ "flush", "store to each line, flush, on one range", 64, 64 << 20, 1, false, flush },
	{ "flush-ring", "store to each line, flush, range after range", 64, 64 << 10, 0, false,
	  flush },
	{ "invalidate", "invalidate clean lines", 64, 64 << 20, 0, false, invalidate },
	{ "upload", "copy in, flush", 64, 64 << 20, 0, false, upload },
	{ "upload-cached", "store to each line, copy in, flush", 64, 1 << 20, 0, false,
	  upload_over },
	{ "readback", "invalidate, copy out", 64, 64 << 20, 0, false, readback },
	{ "batch", "256 ranges, one after the other", 64, 64, RANGES, true, batch_next },
	{ "batch-apart", "256 ranges, apart", 64, 64, RANGES, true, batch_apart },
	{ "machine", "its limits", 64 << 10, 64 << 20, 0, false, machine },
};
const size_t bench_group_count = sizeof(bench_groups) / sizeof(bench_groups[0]);
