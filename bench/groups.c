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
#define WITH_STREAMING(run)	NULL
#endif

#define LINE		64u
#define END		{ NULL, NULL, NULL, false }

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
	{ "reference", flush_reference, NULL, false },
	{ BENCH_OWN, flush_own, NULL, false },
	{ "libpmem", WITH_LIBPMEM(flush_libpmem), LIBPMEM_NOTE, false },
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
	{ "reference", invalidate_reference, NULL, false },
	{ BENCH_OWN, invalidate_own, NULL, false },
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
	{ "reference", upload_reference, "memcpy() first", false },
	{ BENCH_OWN, upload_own, NULL, false },
	{ "libpmem", WITH_LIBPMEM(upload_libpmem), LIBPMEM_NOTE, false },
	{ "libpmem-nt", WITH_LIBPMEM(upload_libpmem_streamed), "leaves lines dirty (R26)", true },
	{ "nt-copy", WITH_STREAMING(copy_streamed), "the limit; leaves lines dirty (R26)", true },
	END
};

static const struct bench_contender upload_over[] = {
	{ "reference", upload_cached_reference, "memcpy() first", false },
	{ BENCH_OWN, upload_cached, "with the hint", false },
	{ BENCH_OWN "-unhinted", upload_unhinted, NULL, false },
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

static const struct bench_contender readback[] = {
	{ "reference", readback_reference, "then memcpy()", false },
	{ BENCH_OWN, readback_own, NULL, false },
	{ "memcpy", copy_plain, "may copy stale data", true },
	END
};

/* ---- Batches: range by range, or all with one fence ---- */

#define RANGES	256u

static struct gemsync_op batch_ops[RANGES];

/* Range @i of @RANGES; those of a turn are @step apart, the last one ends the batch. */
static void batch_own(const struct bench_work *work, size_t i, size_t step)
{
	static struct gemsync_batch batch;

	if (!i)
		gemsync_batch_init(&batch, batch_ops, RANGES, LINE, 0, NULL,
				   gemsync_batch_submit_cpu, NULL);
	dirty(work->bo + i * step, work->size);
	gemsync_batch_add(&batch, work->bo, GEMSYNC_FLUSH, i * step, work->size);
	if (i == RANGES - 1)
		gemsync_batch_submit(&batch);
}

static void batch_next_own(const struct bench_work *work, size_t i)
{
	batch_own(work, i, work->size);
}

static void batch_apart_own(const struct bench_work *work, size_t i)
{
	batch_own(work, i, 4 * work->size);
}

static void batch_apart_reference(const struct bench_work *work, size_t i)
{
	dirty(work->bo + i * 4 * work->size, work->size);
	reference_flush(work->bo + i * 4 * work->size, work->size);
}

static const struct bench_contender batch_next[] = {
	{ "reference", flush_reference, "each on its own", false },
	{ BENCH_OWN, batch_next_own, "merged into one", false },
	END
};

static const struct bench_contender batch_apart[] = {
	{ "reference", batch_apart_reference, "each on its own", false },
	{ BENCH_OWN, batch_apart_own, "one fence", false },
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
	{ "memset", fill_plain, NULL, false },
	{ "memcpy", copy_plain, NULL, true },
	{ "nt-fill", WITH_STREAMING(fill_streamed), NULL, true },
	{ "nt-copy", WITH_STREAMING(copy_streamed), NULL, true },
	END
};

const struct bench_group bench_groups[] = {
	{ "flush", "store to each line, flush, on one range", 64, 64 << 20, 1, flush },
	{ "flush-ring", "store to each line, flush, range after range", 64, 64 << 10, 0, flush },
	{ "invalidate", "invalidate clean lines", 64, 64 << 20, 0, invalidate },
	{ "upload", "copy in, flush", 64, 64 << 20, 0, upload },
	{ "upload-cached", "store to each line, copy in, flush", 64 << 10, 1 << 20, 0,
	  upload_over },
	{ "readback", "invalidate, copy out", 64, 64 << 20, 0, readback },
	{ "batch", "256 ranges, one after the other", 64, 64, RANGES, batch_next },
	{ "batch-apart", "256 ranges, apart", 64, 64, RANGES, batch_apart },
	{ "machine", "its limits", 64 << 10, 64 << 20, 0, machine },
};
const size_t bench_group_count = sizeof(bench_groups) / sizeof(bench_groups[0]);
