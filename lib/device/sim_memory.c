// SPDX-License-Identifier: MIT
/* The memory of simulated BOs under an emulated cache. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sim_internal.h"

#define POISON	0xa5	/* what every byte of memory holds that nothing was written to */

/* ---- Pages ---- */

static int map_pages(uint64_t size, uint64_t **out)
{
	void *map;

	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	*out = map;
	return 0;
}

static uint64_t under_bytes(const struct sim_bo *bo)
{
	return bo->size / SIM_WINDOW * SIM_UNDER_WORDS * sizeof(*bo->under);
}

static uint64_t windows_bytes(const struct sim_bo *bo)
{
	return bo->size / SIM_WINDOW * sizeof(*bo->windows);
}

static void unmap_pages(void *pages, uint64_t size)
{
	if (pages)
		munmap(pages, size);
}

void gemsync_sim_bo_put(struct sim_bo *bo)
{
	if (--bo->refs)
		return;
	unmap_pages(bo->mem, bo->size);
	unmap_pages(bo->cache, bo->size);
	unmap_pages(bo->base, bo->size);
	unmap_pages(bo->under, under_bytes(bo));
	unmap_pages(bo->touched, under_bytes(bo));
	unmap_pages(bo->view, bo->size);
	unmap_pages(bo->windows, windows_bytes(bo));
	free(bo);
}

/* A piece of a BO that core/line.h takes; without C and B for device accesses only. */
static struct gs_lines window_at(const struct sim *sim, const struct sim_bo *bo, uint64_t start)
{
	size_t word = start / sizeof(*bo->mem), bits = start / SIM_WINDOW * SIM_UNDER_WORDS;

	return (struct gs_lines){
		.mem = bo->mem + word,
		.cache = bo->cache ? bo->cache + word : NULL,
		.base = bo->base ? bo->base + word : NULL,
		.size = SIM_WINDOW,
		.line = sim->config.line,
		.under = bo->under ? bo->under + bits : NULL,
		.stored = bo->touched ? bo->touched + bits : NULL,
	};
}

/* Write the content of a new BO back: zeros, which is what untouched pages hold (R17). */
static void publish(struct sim *sim, struct sim_bo *bo)
{
	bo->fresh = false;
	sim->costs.lines_cleaned += bo->size / sim->config.line;
	sim->costs.lines_dirty += bo->size / sim->config.line;
}

void gemsync_sim_memory_view(struct sim *sim, struct sim_bo *bo)
{
	(void)sim;
	if (!bo->fresh || bo->stored)
		return;
	memset(bo->mem, POISON, bo->size);
	bo->stored = true;
}

/* C = B = M, or dirty zeros over poison for content that was not written back. */
static void fill_cache(struct sim *sim, struct sim_bo *bo)
{
	struct gs_lines lines;
	uint64_t start;

	if (bo->fresh) {
		gemsync_sim_memory_view(sim, bo);
		memset(bo->base, POISON, bo->size);
		bo->fresh = false;
		return;
	}
	for (start = 0; bo->stored && start < bo->size; start += SIM_WINDOW) {
		lines = window_at(sim, bo, start);
		gs_lines_fill(&lines);
	}
}

/* C: with a view of its own for the CPU, if the CPU's touches are watched. */
static int map_cache(struct sim *sim, struct sim_bo *bo)
{
	uint64_t *windows, *stored;
	int ret;

	if (!sim->config.watch)
		return map_pages(bo->size, &bo->cache);
	ret = map_pages(windows_bytes(bo), &windows);
	if (ret)
		return ret;
	ret = map_pages(under_bytes(bo), &stored);
	if (ret)
		goto err_windows;
	ret = gemsync_sim_watch_map(sim, bo->size, &bo->cache, &bo->view);
	if (ret)
		goto err_stored;
	bo->windows = (struct sim_window *)windows;
	bo->touched = stored;
	return 0;
err_stored:
	unmap_pages(stored, under_bytes(bo));
err_windows:
	unmap_pages(windows, windows_bytes(bo));
	return ret;
}

static int create_cache(struct sim *sim, struct sim_bo *bo)
{
	uint64_t *base, *under;
	int ret;

	ret = map_pages(bo->size, &base);
	if (ret)
		return ret;
	ret = map_pages(under_bytes(bo), &under);
	if (ret)
		goto err_base;
	ret = map_cache(sim, bo);
	if (ret)
		goto err_under;
	bo->base = base;
	bo->under = under;
	return 0;
err_under:
	unmap_pages(under, under_bytes(bo));
err_base:
	unmap_pages(base, bo->size);
	return ret;
}

static bool is_cached(const struct sim *sim, const struct sim_bo *bo)
{
	return bo->flags & GEMSYNC_BO_CACHED && sim->config.mode != SIM_COHERENT;
}

int gemsync_sim_populate(struct sim *sim, struct sim_bo *bo)
{
	uint64_t *mem;
	int ret;

	if (bo->mem)
		return 0;
	ret = map_pages(bo->size, &mem);
	if (ret)
		return ret;
	if (is_cached(sim, bo) && sim->config.mode != SIM_KIND) {
		ret = create_cache(sim, bo);
		if (ret) {
			unmap_pages(mem, bo->size);
			return ret;
		}
	}
	bo->mem = mem;
	if (sim->config.mode == SIM_COHERENT)
		return 0;
	bo->fresh = true;
	publish(sim, bo);
	return 0;
}

int gemsync_sim_cpu_view(struct sim *sim, struct sim_bo *bo, void **out)
{
	bool first = !bo->cache;
	int ret;

	if (!is_cached(sim, bo)) {
		gemsync_sim_memory_view(sim, bo);
		*out = bo->mem;
		return 0;
	}
	if (first) {
		ret = create_cache(sim, bo);
		if (ret)
			return ret;
	}
	if (first || bo->fresh)
		fill_cache(sim, bo);
	*out = bo->view ? bo->view : bo->cache;
	return 0;
}

/* ---- Violations ---- */

/* Where core/violation.h looks. */
struct look {
	struct sim *sim;
	const struct sim_bo *bo;
	uint64_t start;		/* of the window, in the BO */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void report(void *ctx, const struct gs_violation *violation)
{
	const struct look *look = ctx;
	struct sim *sim = look->sim;

	gs_journal_add(&sim->journal, &(struct gs_sighting){
		.kind = violation->kind,
		.object = &look->bo->object,
		.syncs = &look->bo->syncs,
		.job = sim->job,
		.pid = sim->job ? 0 : getpid(),
		.time_ns = now_ns(),
		.offset = look->start + violation->offset,
		.size = violation->size,
		.late = violation->late,
	});
}

void gemsync_sim_note_sync(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size,
			   enum gs_sync_type type)
{
	struct gs_sync_note note = {
		.offset = offset,
		.end = offset + size,
		.time_ns = now_ns(),
		.job = sim->journal.last_job,
		.pid = getpid(),
		.type = GS_SYNC_FLUSH,
	};

	gs_sync_log_add(&bo->syncs, &note);
	if (type == GS_SYNC_FLUSH_AND_INVALIDATE) {
		note.type = type;
		gs_sync_log_add(&bo->syncs, &note);
	}
}

typedef void (*find_violations)(const struct gs_lines *lines, u32 offset, u32 size,
				gs_violation_report report, void *ctx);

/* ---- Windows ---- */

/* A piece of a range of a BO that lies in one window. */
struct piece {
	uint64_t start;		/* of the window, in the BO */
	uint32_t offset;	/* in the window */
	uint32_t size;
	struct gs_lines lines;
};

static struct piece piece_at(const struct sim *sim, const struct sim_bo *bo, uint64_t offset,
			     uint64_t size)
{
	struct piece piece = { .offset = offset % SIM_WINDOW };
	uint32_t room = SIM_WINDOW - piece.offset;

	piece.start = offset - piece.offset;
	piece.size = size < room ? size : room;
	piece.lines = window_at(sim, bo, piece.start);
	return piece;
}

static void look_for(struct sim *sim, const struct sim_bo *bo, const struct piece *piece,
		     find_violations find)
{
	struct look look = { sim, bo, piece->start };

	if (bo->cache)
		find(&piece->lines, piece->offset, piece->size, report, &look);
}

/* ---- Maintenance ---- */

void gemsync_sim_clean(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size)
{
	struct piece piece;

	for (; size; offset += piece.size, size -= piece.size) {
		piece = piece_at(sim, bo, offset, size);
		look_for(sim, bo, &piece, gs_violations_of_clean);
		sim->costs.lines_dirty += gs_lines_count_dirty(&piece.lines, piece.offset,
							       piece.size);
		sim->costs.lines_cleaned += gs_lines_clean(&piece.lines, piece.offset,
							   piece.size);
	}
}

/* The lines that a drop covers in part are written back by it. */
static void look_at_edges(struct sim *sim, const struct sim_bo *bo, const struct piece *piece)
{
	uint32_t end = piece->offset + piece->size;
	struct piece edge = *piece;

	edge.size = 1;
	if (piece->offset % sim->config.line)
		look_for(sim, bo, &edge, gs_violations_of_clean);
	edge.offset = end - 1;
	if (end % sim->config.line)
		look_for(sim, bo, &edge, gs_violations_of_clean);
}

void gemsync_sim_drop(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size)
{
	struct piece piece;

	for (; size; offset += piece.size, size -= piece.size) {
		piece = piece_at(sim, bo, offset, size);
		look_at_edges(sim, bo, &piece);
		sim->costs.lines_stale += gs_lines_count_stale(&piece.lines, piece.offset,
							       piece.size);
		sim->costs.lines_dropped += gs_lines_drop(&piece.lines, piece.offset,
							  piece.size);
	}
}

/* ---- The CPU's accesses ---- */

/* The job that wrote there last. */
static struct gs_job writer_of(const struct sim *sim, const struct sim_bo *bo, uint64_t offset)
{
	uint32_t number = bo->windows[offset / SIM_WINDOW].writer;
	const struct gs_job *job = &sim->watch.jobs[number % SIM_JOBS];

	return (uint32_t)job->number == number ? *job : (struct gs_job){ .number = number };
}

void gemsync_sim_cpu_load(struct sim *sim, struct sim_bo *bo, uint64_t offset)
{
	struct piece piece = piece_at(sim, bo, offset, SIM_WINDOW);
	struct gs_job job = writer_of(sim, bo, offset);
	struct gs_violation violation;

	if (!gs_violation_of_cpu_load(&piece.lines, piece.offset, &violation))
		return;
	gs_journal_add(&sim->journal, &(struct gs_sighting){
		.kind = violation.kind,
		.object = &bo->object,
		.syncs = &bo->syncs,
		.job = &job,
		.pid = getpid(),
		.time_ns = now_ns(),
		.address = (uintptr_t)bo->view + offset,
		.offset = piece.start + violation.offset,
		.size = violation.size,
	});
}

static void list_windows(struct sim_bo *bo, uint64_t first, uint64_t end)
{
	if (bo->listed_first == bo->listed_end || first < bo->listed_first)
		bo->listed_first = first;
	if (end > bo->listed_end)
		bo->listed_end = end;
}

void gemsync_sim_cpu_store(struct sim *sim, struct sim_bo *bo, uint64_t offset)
{
	struct piece piece = piece_at(sim, bo, offset, 1);
	uint64_t window = offset / SIM_WINDOW;

	gs_lines_store(&piece.lines, piece.offset);
	bo->windows[window].writable = 1;
	list_windows(bo, window, window + 1);
}

/* ---- Chaos ---- */

/* A line of the window: written back if it is dirty, or refilled if it is clean. */
static void move_line(struct sim *sim, struct sim_bo *bo, uint64_t start)
{
	uint32_t line = sim->config.line;
	uint32_t offset = gs_random_below(&sim->random, SIM_WINDOW / line) * line;
	struct piece piece = piece_at(sim, bo, start + offset, line);

	if (gs_random_below(&sim->random, 2)) {
		gs_lines_refill(&piece.lines, piece.offset, line);
		return;
	}
	look_for(sim, bo, &piece, gs_violations_of_clean);
	gs_lines_clean(&piece.lines, piece.offset, line);
}

static void move_any(struct sim *sim)
{
	struct sim_bo *bo;

	if (!sim->handle_count)
		return;
	bo = sim->handles[gs_random_below(&sim->random, sim->handle_count)].bo;
	if (bo && bo->cache)
		move_line(sim, bo, (uint64_t)gs_random_below(&sim->random, bo->size / SIM_WINDOW) *
				   SIM_WINDOW);
}

void gemsync_sim_chaos(struct sim *sim, struct sim_bo *bo, uint64_t offset)
{
	if (sim->config.mode != SIM_CHAOS)
		return;
	if (bo->cache)
		move_line(sim, bo, offset - offset % SIM_WINDOW);
	move_any(sim);
}

/* ---- The device ---- */

void gemsync_sim_dev_read(struct sim *sim, struct sim_bo *bo, uint64_t offset, void *to,
			  uint32_t size)
{
	struct piece piece;
	char *out = to;

	gemsync_sim_chaos(sim, bo, offset);
	for (; size; offset += piece.size, out += piece.size, size -= piece.size) {
		piece = piece_at(sim, bo, offset, size);
		look_for(sim, bo, &piece, gs_violations_of_dev_read);
		gs_lines_dev_read(&piece.lines, piece.offset, out, piece.size);
	}
}

/* The device writes to these bytes. */
static void note_store(const struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size)
{
	uint64_t first = offset / SIM_WINDOW, end = (offset + size - 1) / SIM_WINDOW + 1;

	bo->stored = true;
	if (!(sim->config.watch & GEMSYNC_WATCH_LOADS) || !bo->view || !sim->job)
		return;
	list_windows(bo, first, end);
	for (; first < end; first++) {
		bo->windows[first].writer = (uint32_t)sim->job->number;
		bo->windows[first].written = 1;
	}
}

void gemsync_sim_dev_write(struct sim *sim, struct sim_bo *bo, uint64_t offset, const void *from,
			   uint32_t size)
{
	const char *in = from;
	struct piece piece;

	gemsync_sim_chaos(sim, bo, offset);
	note_store(sim, bo, offset, size);
	for (; size; offset += piece.size, in += piece.size, size -= piece.size) {
		piece = piece_at(sim, bo, offset, size);
		look_for(sim, bo, &piece, gs_violations_of_dev_write);
		gs_lines_dev_write(&piece.lines, piece.offset, in, piece.size);
	}
}

static void *word_at(struct sim_bo *bo, uint64_t offset)
{
	return (char *)bo->mem + offset;
}

uint64_t gemsync_sim_dev_poll(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint32_t size)
{
	struct piece piece = piece_at(sim, bo, offset, size);

	gemsync_sim_chaos(sim, bo, offset);
	/* A word may be dirty for a moment, but not as long as anybody waits for it. */
	if (sim->job_expired)
		look_for(sim, bo, &piece, gs_violations_of_dev_read);
	if (size == sizeof(uint32_t))
		return __atomic_load_n((uint32_t *)word_at(bo, offset), __ATOMIC_ACQUIRE);
	return __atomic_load_n((uint64_t *)word_at(bo, offset), __ATOMIC_ACQUIRE);
}

static void before_store(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint32_t size)
{
	struct piece piece = piece_at(sim, bo, offset, size);

	gemsync_sim_chaos(sim, bo, offset);
	note_store(sim, bo, offset, size);
	look_for(sim, bo, &piece, gs_violations_of_dev_write);
}

void gemsync_sim_dev_set(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t value,
			 uint32_t size)
{
	before_store(sim, bo, offset, size);
	if (size == sizeof(uint32_t))
		__atomic_store_n((uint32_t *)word_at(bo, offset), value, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint64_t *)word_at(bo, offset), value, __ATOMIC_RELEASE);
}

void gemsync_sim_dev_add(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t value,
			 uint32_t size)
{
	struct piece piece = piece_at(sim, bo, offset, size);

	look_for(sim, bo, &piece, gs_violations_of_dev_read);
	before_store(sim, bo, offset, size);
	if (size == sizeof(uint32_t))
		__atomic_fetch_add((uint32_t *)word_at(bo, offset), value, __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_add((uint64_t *)word_at(bo, offset), value, __ATOMIC_ACQ_REL);
}
