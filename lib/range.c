// SPDX-License-Identifier: MIT
/* Ranges, and batches of them. */
#include <errno.h>
#include <string.h>

#include "batch.h"
#include "internal.h"
#include "range.h"

static bool is_power_of_two(uint64_t number)
{
	return number && !(number & (number - 1));
}

int gemsync_range_make(uint64_t offset, uint64_t size, uint64_t limit, uint64_t granule,
		       struct gemsync_range *out)
{
	uint64_t mask = granule - 1;
	uint64_t last, end;

	if (!is_power_of_two(granule))
		return -EINVAL;
	if (size == GEMSYNC_WHOLE_SIZE && offset <= limit)
		size = limit - offset;
	if (gs_range_check(offset, size, limit))
		return -EINVAL;
	out->offset = offset & ~mask;
	out->size = 0;
	if (!size)
		return 0;
	last = (offset + (size - 1)) | mask;	/* of the bytes, so that it cannot wrap */
	end = last < limit ? last + 1 : limit;
	out->size = end - out->offset;
	return 0;
}

/* ---- Batches ---- */

#define BATCH_FLAGS	GEMSYNC_BATCH_UPGRADE

int gemsync_batch_init(struct gemsync_batch *batch, struct gemsync_op *ops, size_t room,
		       uint64_t line, uint32_t flags, const struct gemsync_batch_limits *limits,
		       gemsync_submit_fn submit, void *context)
{
	static const struct gemsync_batch_limits none;

	if (!limits)
		limits = &none;
	if (!ops || !room || !submit || flags & ~BATCH_FLAGS || !is_power_of_two(line))
		return -EINVAL;
	if (limits->size_max && limits->size_max < line)
		return -EINVAL;
	*batch = (struct gemsync_batch){
		.ops = ops,
		.room = room,
		.line = line,
		.flags = flags,
		.limits = *limits,
		.submit = submit,
		.context = context,
	};
	if (!batch->limits.offset_max)
		batch->limits.offset_max = UINT64_MAX;
	if (!batch->limits.size_max)
		batch->limits.size_max = UINT64_MAX;
	if (!batch->limits.count_max || batch->limits.count_max > room)
		batch->limits.count_max = room;
	return 0;
}

void gemsync_batch_drop(struct gemsync_batch *batch)
{
	batch->count = 0;
}

int gemsync_batch_submit(struct gemsync_batch *batch)
{
	size_t done = 0, count;
	int ret = 0;

	while (done < batch->count) {
		count = batch->count - done;
		if (count > batch->limits.count_max)
			count = batch->limits.count_max;
		ret = batch->submit(batch->context, batch->ops + done, count);
		if (ret)
			break;
		done += count;
	}
	batch->count -= done;
	if (done && batch->count)
		memmove(batch->ops, batch->ops + done, batch->count * sizeof(*batch->ops));
	return ret;
}

/*
 * Where an object ends is not known here. So a whole one takes in nothing but the same once
 * more: a range beside it that leaves the object has to be seen when it is submitted.
 */
static bool merge_whole(struct gemsync_op *before, const struct gemsync_op *op)
{
	if (before->type != op->type || before->size != op->size)
		return false;
	if (before->offset > op->offset)
		before->offset = op->offset;
	return true;
}

/*
 * Put a range, neither empty nor wrapping, into the operation before it, if the two make
 * one: their lines overlap, or follow each other. Of an invalidation it is the bytes: a
 * byte of an edge line that neither asked for keeps what the CPU stores to it (R5), which
 * it would not within a longer range.
 */
static inline bool merge(const struct gemsync_batch *batch, const struct gemsync_op *op)
{
	uint64_t start, last, op_last, before_last;
	unsigned int shift = 0;
	struct gemsync_op *before;

	if (!batch->count)
		return false;
	before = &batch->ops[batch->count - 1];
	if (before->bo != op->bo)
		return false;
	if (op->size == GEMSYNC_WHOLE_SIZE || before->size == GEMSYNC_WHOLE_SIZE)
		return merge_whole(before, op);
	if (before->type != op->type && !(batch->flags & GEMSYNC_BATCH_UPGRADE))
		return false;
	if (before->type == GEMSYNC_FLUSH && op->type == GEMSYNC_FLUSH)
		shift = (unsigned int)__builtin_ctzll(batch->line);
	op_last = op->offset + (op->size - 1);
	before_last = before->offset + (before->size - 1);
	if (op->offset >> shift > (before_last >> shift) + 1 ||
	    before->offset >> shift > (op_last >> shift) + 1)
		return false;
	start = before->offset < op->offset ? before->offset : op->offset;
	last = before_last > op_last ? before_last : op_last;
	if (last - start >= batch->limits.size_max)
		return false;
	before->offset = start;
	before->size = last - start + 1;
	if (op->type == GEMSYNC_INVALIDATE)
		before->type = GEMSYNC_INVALIDATE;
	return true;
}

static inline int add_one(struct gemsync_batch *batch, const struct gemsync_op *op)
{
	int ret;

	if (merge(batch, op))
		return 0;
	if (batch->count == batch->room) {
		ret = gemsync_batch_submit(batch);
		if (ret)
			return ret;
	}
	batch->ops[batch->count++] = *op;
	return 0;
}

/* A range of more bytes than one operation takes: pieces that end at lines. */
static int add_pieces(struct gemsync_batch *batch, struct gemsync_op op)
{
	uint64_t mask = batch->line - 1;
	uint64_t step = batch->limits.size_max & ~mask;
	uint64_t size = op.size, first = step - (op.offset & mask);
	int ret;

	/* The last piece first: what cannot be expressed changes nothing. */
	if (op.offset + first + (size - first - 1) / step * step > batch->limits.offset_max)
		return -EOVERFLOW;
	for (op.size = first; size; size -= op.size, op.offset += op.size, op.size = step) {
		if (op.size > size)
			op.size = size;
		ret = add_one(batch, &op);
		if (ret)
			return ret;
	}
	return 0;
}

/* The common case, quickly: a range that begins where the one before it ends. */
static inline bool append(const struct gemsync_batch *batch, const void *object,
			  enum gemsync_op_type type, uint64_t offset, uint64_t size)
{
	struct gemsync_op *before;
	uint64_t before_size;

	if (!batch->count)
		return false;
	before = &batch->ops[batch->count - 1];
	before_size = before->size;
	if (before->bo != object || before->type != type ||
	    offset - before->offset != before_size || offset < before_size ||
	    size > batch->limits.size_max - before_size || size > UINT64_MAX - offset)
		return false;
	before->size = before_size + size;
	return true;
}

int gemsync_batch_add(struct gemsync_batch *batch, void *object, enum gemsync_op_type type,
		      uint64_t offset, uint64_t size)
{
	const struct gemsync_op op = { .bo = object, .type = type, .offset = offset, .size = size };

	if (append(batch, object, type, offset, size))
		return 0;
	if (type != GEMSYNC_FLUSH && type != GEMSYNC_INVALIDATE)
		return -EINVAL;
	if (!size)
		return 0;
	if (size != GEMSYNC_WHOLE_SIZE && size - 1 > UINT64_MAX - offset)
		return -EINVAL;
	if (offset > batch->limits.offset_max)
		return -EOVERFLOW;
	if (size != GEMSYNC_WHOLE_SIZE && size > batch->limits.size_max)
		return add_pieces(batch, op);
	return add_one(batch, &op);
}

/* ---- By this CPU ---- */

#define PAGE	4096u	/* no line is longer */

static int check_addresses(const struct gemsync_op *ops, size_t count)
{
	struct gs_range pages;
	uint64_t start;
	size_t i;

	for (i = 0; i < count; i++) {
		if (ops[i].type != GEMSYNC_FLUSH && ops[i].type != GEMSYNC_INVALIDATE)
			return -EINVAL;
		if (ops[i].size == GEMSYNC_WHOLE_SIZE ||
		    __builtin_add_overflow((uintptr_t)ops[i].bo, ops[i].offset, &start))
			return -EINVAL;
		if (gs_range_to_lines(start, ops[i].size, PAGE, &pages))
			return -EINVAL;
	}
	return 0;
}

int gemsync_batch_submit_cpu(void *context, const struct gemsync_op *ops, size_t count)
{
	enum gemsync_direction direction = GEMSYNC_BEFORE_DEVICE;
	const char *start;
	size_t i;
	int ret;

	(void)context;
	ret = check_addresses(ops, count);
	for (i = 0; !ret && i < count; i++) {
		start = (const char *)ops[i].bo + ops[i].offset;
		if (ops[i].type == GEMSYNC_FLUSH) {
			ret = gemsync_cpu_flush_unfenced(start, ops[i].size);
		} else {
			ret = gemsync_cpu_invalidate_unfenced(start, ops[i].size);
			direction = GEMSYNC_BEFORE_CPU;
		}
	}
	return ret ? ret : gemsync_cpu_fence(direction);
}
