// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "random_ops.h"

#define BOS		4u	/* the last one is write-combined */
#define BO_SIZE		(16u << 10)
#define LINES_MAX	8u	/* of a piece */
#define PIECES_MAX	(BOS * BO_SIZE / 32)
#define FORGET_ONE_OF	16u

/* A piece of a BO that has lines of its own, and what the program knows of it. */
struct piece {
	struct gemsync_bo *bo;
	uint8_t *map;		/* of the BO */
	uint64_t va;		/* of the BO */
	uint32_t offset;	/* in the BO */
	uint32_t size;
	uint32_t dirty;		/* the CPU wrote [dirty, dirty_end) and has not flushed it */
	uint32_t dirty_end;
	bool stale;		/* the GPU wrote, and the CPU has not invalidated all of it */
	uint8_t *model;		/* what its bytes are */
};

struct run {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gs_random random;
	bool forget;
	struct gemsync_bo *bos[BOS];
	struct piece pieces[PIECES_MAX];
	uint32_t piece_count;
	uint8_t model[BOS][BO_SIZE];
	struct random_ops_report report;
};

/* Bytes inside a piece. */
struct bytes {
	uint32_t offset;
	uint32_t size;
};

static uint32_t below(struct run *run, uint32_t limit)
{
	return gs_random_below(&run->random, limit);
}

static struct piece *any_piece(struct run *run)
{
	return &run->pieces[below(run, run->piece_count)];
}

/* At least one byte; GPUs access whole words. */
static struct bytes any_bytes(struct run *run, const struct piece *piece, uint32_t unit)
{
	uint32_t units = piece->size / unit;
	uint32_t first = below(run, units);

	return (struct bytes){ first * unit, (1 + below(run, units - first)) * unit };
}

static void random_bytes(struct run *run, uint8_t *to, uint32_t size)
{
	while (size--)
		*to++ = gs_random_next(&run->random) >> 56;
}

/* ---- What a correct program does before an access ---- */

static int sync_bytes(struct run *run, struct piece *piece, enum gemsync_op_type type,
		      struct bytes bytes)
{
	run->report.syncs++;
	if (type == GEMSYNC_FLUSH)
		return gemsync_bo_flush(piece->bo, piece->offset + bytes.offset, bytes.size);
	return gemsync_bo_invalidate(piece->bo, piece->offset + bytes.offset, bytes.size);
}

/* Before the GPU reads or writes: no line is dirty. */
static int flush_dirty(struct run *run, struct piece *piece)
{
	struct bytes bytes = { piece->dirty, piece->dirty_end - piece->dirty };
	int ret = 0;

	if (!bytes.size)
		return 0;
	if (!run->forget || below(run, FORGET_ONE_OF))
		ret = sync_bytes(run, piece, GEMSYNC_FLUSH, bytes);
	piece->dirty = 0;
	piece->dirty_end = 0;
	return ret;
}

/* Before the CPU writes: no line is older than what the GPU wrote. */
static int refresh(struct run *run, struct piece *piece)
{
	struct bytes all = { 0, piece->size };

	if (!piece->stale)
		return 0;
	piece->stale = false;
	return sync_bytes(run, piece, GEMSYNC_INVALIDATE, all);
}

static void note_dirty(struct piece *piece, struct bytes bytes)
{
	uint32_t end = bytes.offset + bytes.size;

	if (piece->dirty == piece->dirty_end) {
		piece->dirty = bytes.offset;
		piece->dirty_end = end;
		return;
	}
	if (bytes.offset < piece->dirty)
		piece->dirty = bytes.offset;
	if (end > piece->dirty_end)
		piece->dirty_end = end;
}

/* ---- Operations ---- */

static void compare(struct run *run, const struct piece *piece, struct bytes bytes,
		    const uint8_t *seen)
{
	uint32_t i;

	for (i = 0; i < bytes.size; i++)
		run->report.bytes_wrong += seen[i] != piece->model[bytes.offset + i];
	run->report.bytes_read += bytes.size;
}

static int cpu_write(struct run *run, struct piece *piece)
{
	struct bytes bytes = any_bytes(run, piece, 1);
	volatile uint8_t *to = piece->map + piece->offset + bytes.offset;
	uint32_t i;
	int ret;

	ret = refresh(run, piece);
	if (ret)
		return ret;
	random_bytes(run, piece->model + bytes.offset, bytes.size);
	for (i = 0; i < bytes.size; i++)
		to[i] = piece->model[bytes.offset + i];
	note_dirty(piece, bytes);
	/* At once, or when the GPU comes. */
	return below(run, 2) ? flush_dirty(run, piece) : 0;
}

static int cpu_read(struct run *run, struct piece *piece)
{
	struct bytes bytes = any_bytes(run, piece, 1);
	volatile const uint8_t *from = piece->map + piece->offset + bytes.offset;
	uint8_t seen[LINES_MAX * 128];
	uint32_t i;
	int ret = 0;

	/* What is read is invalidated, no more. */
	if (piece->stale)
		ret = sync_bytes(run, piece, GEMSYNC_INVALIDATE, bytes);
	if (ret)
		return ret;
	for (i = 0; i < bytes.size; i++)
		seen[i] = from[i];
	compare(run, piece, bytes, seen);
	return 0;
}

static int gpu_writes(struct run *run, struct piece *piece)
{
	struct bytes bytes = any_bytes(run, piece, 4);
	int ret;

	ret = flush_dirty(run, piece);
	if (ret)
		return ret;
	random_bytes(run, piece->model + bytes.offset, bytes.size);
	piece->stale = true;
	return gpu_write(run->gpu, piece->va + piece->offset + bytes.offset,
			 piece->model + bytes.offset, bytes.size);
}

static int gpu_reads(struct run *run, struct piece *piece)
{
	struct bytes bytes = any_bytes(run, piece, 4);
	uint8_t seen[LINES_MAX * 128];
	int ret;

	ret = flush_dirty(run, piece);
	if (ret)
		return ret;
	ret = gpu_read(run->gpu, piece->va + piece->offset + bytes.offset, seen, bytes.size);
	if (!ret)
		compare(run, piece, bytes, seen);
	return ret;
}

static int gpu_copies(struct run *run, struct piece *to)
{
	struct piece *from = any_piece(run);
	struct bytes bytes;
	int ret;

	if (from == to)
		return 0;
	bytes = any_bytes(run, from->size < to->size ? from : to, 4);
	ret = flush_dirty(run, from);
	if (!ret)
		ret = flush_dirty(run, to);
	if (ret)
		return ret;
	memcpy(to->model + bytes.offset, from->model + bytes.offset, bytes.size);
	to->stale = true;
	return gpu_copy(run->gpu, to->va + to->offset + bytes.offset,
			from->va + from->offset + bytes.offset, bytes.size);
}

static int (*const operations[])(struct run *run, struct piece *piece) = {
	cpu_write, cpu_write, cpu_read, cpu_read, gpu_writes, gpu_reads, gpu_copies,
};

#define OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

/* At the end everything is looked at, from both sides. */
static int check_all(struct run *run)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < run->piece_count && !ret; i++)
		ret = gpu_reads(run, &run->pieces[i]);
	for (i = 0; i < run->piece_count && !ret; i++)
		ret = cpu_read(run, &run->pieces[i]);
	return ret;
}

static int run_all(struct run *run, uint32_t count)
{
	int ret = 0;

	while (count-- && !ret)
		ret = operations[below(run, OPERATIONS)](run, any_piece(run));
	return ret ? ret : check_all(run);
}

/* ---- BOs ---- */

static void cut_into_pieces(struct run *run, uint32_t bo, uint8_t *map, uint64_t va,
			    uint32_t line)
{
	struct piece *piece;
	uint32_t offset, size;

	for (offset = 0; offset < BO_SIZE; offset += size) {
		size = (1 + below(run, LINES_MAX)) * line;
		if (size > BO_SIZE - offset)
			size = BO_SIZE - offset;
		piece = &run->pieces[run->piece_count++];
		*piece = (struct piece){
			.bo = run->bos[bo],
			.map = map,
			.va = va,
			.offset = offset,
			.size = size,
			.model = run->model[bo] + offset,
		};
	}
}

static int create_bos(struct run *run, uint32_t line)
{
	uint64_t va;
	void *map;
	uint32_t i;
	int ret;

	for (i = 0; i < BOS; i++) {
		ret = gemsync_bo_create(run->dev, BO_SIZE, i < BOS - 1 ? GEMSYNC_BO_CACHED : 0,
					&run->bos[i]);
		if (ret)
			return ret;
		ret = gemsync_bo_map(run->bos[i], &map);
		if (ret)
			return ret;
		ret = gpu_bind(run->gpu, run->bos[i], &va);
		if (ret)
			return ret;
		cut_into_pieces(run, i, map, va, line);
	}
	return 0;
}

/* BOs of which nothing was cut are not bound. */
static void destroy_bos(struct run *run)
{
	uint32_t i;

	for (i = 0; i < run->piece_count; i++)
		if (!run->pieces[i].offset)
			gpu_unbind(run->gpu, run->pieces[i].va, BO_SIZE);
	for (i = 0; i < BOS; i++)
		gemsync_bo_destroy(run->bos[i]);
}

int random_ops_run(struct gemsync_device *dev, struct gemsync_gpu *gpu, uint64_t seed,
		   uint32_t count, bool forget, struct random_ops_report *report)
{
	struct gemsync_device_info info;
	struct run *run;
	int ret;

	ret = gemsync_device_query(dev, &info);
	if (ret)
		return ret;
	if (info.line_size < 32 || info.line_size > 128)
		return -EOPNOTSUPP;
	run = calloc(1, sizeof(*run));
	if (!run)
		return -ENOMEM;
	run->dev = dev;
	run->gpu = gpu;
	run->forget = forget;
	gs_random_seed(&run->random, seed);
	ret = create_bos(run, info.line_size);
	if (!ret)
		ret = run_all(run, count);
	destroy_bos(run);
	if (!ret)
		*report = run->report;
	free(run);
	return ret;
}
