// SPDX-License-Identifier: MIT
/*
 * CPU and GPU work on pieces of shared BOs. A piece is of whole lines and belongs to one
 * worker, its neighbours to others. Before each access the worker synchronizes what the
 * contract asks for, and all that is read must be what was written last (R1, R4, R5).
 */
#include <string.h>

#include "stress.h"

#define WORKERS		2u	/* that share the BOs */
#define LINES_MAX	8u
#define PIECE_MAX	(LINES_MAX * 128u)
#define PIECES_MAX	160u

struct piece {
	struct shared_bo *bo;
	uint32_t offset;
	uint32_t size;
	uint32_t dirty, dirty_end;	/* the CPU wrote it and has not flushed it */
	bool stale;			/* the GPU wrote, and the CPU has not invalidated */
	uint8_t model[PIECE_MAX];
};

struct lines {
	struct piece pieces[PIECES_MAX];
	unsigned int count;
};

struct bytes {
	uint32_t offset, size;
};

static struct piece *any_piece(struct worker *worker)
{
	struct lines *lines = worker->data;

	return &lines->pieces[below(worker, lines->count)];
}

static struct bytes any_bytes(struct worker *worker, uint32_t size, uint32_t unit)
{
	uint32_t first = below(worker, size / unit);

	return (struct bytes){ first * unit, (1 + below(worker, size / unit - first)) * unit };
}

/* ---- What the contract asks for ---- */

static int flush_dirty(struct worker *worker, struct piece *piece)
{
	uint32_t size = piece->dirty_end - piece->dirty;
	int ret;

	if (!size)
		return 0;
	ret = gemsync_bo_flush(piece->bo->bo, piece->offset + piece->dirty, size);
	piece->dirty = 0;
	piece->dirty_end = 0;
	return done(worker, OP_FLUSH, ret);
}

static int refresh(struct worker *worker, struct piece *piece)
{
	if (!piece->stale)
		return 0;
	piece->stale = false;
	return done(worker, OP_INVALIDATE,
		    gemsync_bo_invalidate(piece->bo->bo, piece->offset, piece->size));
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

/* ---- Steps ---- */

static int store(struct worker *worker, struct piece *piece)
{
	struct bytes bytes = any_bytes(worker, piece->size, 1);
	volatile uint8_t *to = piece->bo->map + piece->offset + bytes.offset;
	uint32_t i;
	int ret;

	ret = refresh(worker, piece);
	if (ret)
		return ret;
	for (i = 0; i < bytes.size; i++)
		to[i] = piece->model[bytes.offset + i] = gs_random_next(&worker->random) >> 56;
	note_dirty(piece, bytes);
	done(worker, OP_STORE, 0);
	return below(worker, 2) ? flush_dirty(worker, piece) : 0;
}

static int load(struct worker *worker, struct piece *piece)
{
	struct bytes bytes = any_bytes(worker, piece->size, 1);
	volatile const uint8_t *from = piece->bo->map + piece->offset + bytes.offset;
	uint8_t seen[PIECE_MAX];
	uint32_t i;
	int ret;

	if (piece->stale) {
		ret = gemsync_bo_invalidate(piece->bo->bo, piece->offset + bytes.offset,
					    bytes.size);
		if (done(worker, OP_INVALIDATE, ret))
			return ret;
	}
	for (i = 0; i < bytes.size; i++)
		seen[i] = from[i];
	check_bytes(worker, OP_LOAD, seen, piece->model + bytes.offset, bytes.size);
	return done(worker, OP_LOAD, 0);
}

/* While the GPU works on its piece the CPU has another one in hand. */
static int wait_for_gpu(struct worker *worker, const struct piece *piece,
			const struct piece *other)
{
	struct piece *next = any_piece(worker);
	int ret = 0;

	if (next != piece && next != other)
		ret = store(worker, next);
	return ret ? ret : engine_wait(worker);
}

static int fill(struct worker *worker, struct piece *piece)
{
	struct bytes bytes = any_bytes(worker, piece->size, 4);
	uint32_t value = gs_random_next(&worker->random), i;
	int ret;

	ret = flush_dirty(worker, piece);
	if (ret)
		return ret;
	for (i = 0; i < bytes.size; i += 4)
		memcpy(piece->model + bytes.offset + i, &value, 4);
	piece->stale = true;
	ret = engine_fill(worker, piece->bo->va + piece->offset + bytes.offset, value,
			  bytes.size);
	if (!ret)
		ret = wait_for_gpu(worker, piece, piece);
	return done(worker, OP_FILL, ret);
}

static int copy(struct worker *worker, struct piece *to)
{
	struct piece *from = any_piece(worker);
	struct bytes bytes;
	int ret;

	if (from == to)
		return 0;
	bytes = any_bytes(worker, from->size < to->size ? from->size : to->size, 4);
	ret = flush_dirty(worker, from);
	if (!ret)
		ret = flush_dirty(worker, to);
	if (ret)
		return ret;
	memcpy(to->model + bytes.offset, from->model + bytes.offset, bytes.size);
	to->stale = true;
	ret = engine_copy(worker, to->bo->va + to->offset + bytes.offset,
			  from->bo->va + from->offset + bytes.offset, bytes.size);
	if (!ret)
		ret = wait_for_gpu(worker, from, to);
	return done(worker, OP_COPY, ret);
}

static int look(struct worker *worker, struct piece *piece)
{
	struct bytes bytes = any_bytes(worker, piece->size, 4);
	uint8_t seen[PIECE_MAX];
	int ret;

	ret = flush_dirty(worker, piece);
	if (ret)
		return ret;
	ret = engine_read(worker, piece->bo->va + piece->offset + bytes.offset, seen, bytes.size);
	if (!ret)
		check_bytes(worker, OP_LOOK, seen, piece->model + bytes.offset, bytes.size);
	return done(worker, OP_LOOK, ret);
}

/* Whole pieces, flushed or invalidated in one call: afterwards all of them are clean. */
static int batch(struct worker *worker, struct piece *piece)
{
	struct gemsync_op ops[8];
	unsigned int count = 1 + below(worker, ARRAY_SIZE(ops)), i;
	int ret;

	for (i = 0; i < count; i++) {
		ops[i] = (struct gemsync_op){
			.bo = piece->bo->bo,
			.type = piece->stale || below(worker, 2) ? GEMSYNC_INVALIDATE :
								   GEMSYNC_FLUSH,
			.offset = piece->offset,
			.size = piece->size,
		};
		piece->dirty = 0;
		piece->dirty_end = 0;
		piece->stale = false;
		piece = any_piece(worker);
	}
	ret = gemsync_device_sync(worker->session->dev, ops, count);
	return done(worker, OP_BATCH, ret);
}

static int lines_step(struct worker *worker)
{
	static int (*const steps[])(struct worker *worker, struct piece *piece) = {
		store, store, load, load, fill, copy, copy, look, batch,
	};

	return steps[below(worker, ARRAY_SIZE(steps))](worker, any_piece(worker));
}

/* All workers cut alike, and take turns. */
static int lines_setup(struct worker *worker)
{
	struct lines *lines = worker->data;
	struct session *session = worker->session;
	uint32_t bo, offset, size, number = 0;
	struct gs_random cut;

	gs_random_seed(&cut, session->cut);
	for (bo = 0; bo < LINE_BOS; bo++) {
		for (offset = 0; offset < LINE_BO_SIZE; offset += size) {
			size = (1 + gs_random_below(&cut, LINES_MAX)) * session->info.line_size;
			if (size > LINE_BO_SIZE - offset)
				size = LINE_BO_SIZE - offset;
			if (number++ % WORKERS != worker->index || lines->count == PIECES_MAX)
				continue;
			lines->pieces[lines->count++] = (struct piece){
				.bo = &session->bos[bo], .offset = offset, .size = size,
			};
		}
	}
	return 0;
}

const struct work lines_work = {
	.name = "lines",
	.size = sizeof(struct lines),
	.setup = lines_setup,
	.step = lines_step,
};
