// SPDX-License-Identifier: MIT
/*
 * The demo's scenarios of one range or one batch. Each measures what it reports:
 * data comes from the GPU's own reads or the CPU's map, lines from the device's
 * counters.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define MIB		(1ull << 20)
#define BATCH_RANGES	256u
#define BATCH_STRIDE	4096u
#define BATCH_BYTES	8u

/* Whether the row leaves out a sync that its BO needs. */
static bool lacks_sync(const struct demo_row *row)
{
	return row->bo_flags & GEMSYNC_BO_CACHED && !row->sync;
}

static bool does_maintenance(const struct demo_row *row)
{
	return row->bo_flags & GEMSYNC_BO_CACHED && row->sync;
}

static uint64_t row_offset(const struct demo *demo, const struct demo_row *row)
{
	return row->line * demo->info.line_size - row->before;
}

static void expect_data(const struct demo_row *row, struct demo_result *result)
{
	snprintf(result->expected, sizeof(result->expected), "%s data",
		 lacks_sync(row) ? "old" : "new");
	result->stale = lacks_sync(row);
}

static int cpu_to_gpu(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		      struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	struct gemsync_op op = {
		.bo = buf->bo,
		.type = GEMSYNC_FLUSH,
		.offset = row_offset(demo, row),
		.size = row->size,
	};
	uint8_t data[DEMO_RANGE_MAX];
	int ret;

	ret = demo_put_baseline(demo, buf, op.offset, op.size, old);
	if (ret)
		return ret;
	demo_cpu_write(buf->map + op.offset, op.size, new);
	ret = demo_sync_counted(demo, &op, row->sync, result);
	if (ret)
		return ret;
	ret = demo_gpu_read_bytes(demo, buf->va + op.offset, data, op.size);
	if (ret)
		return ret;
	demo_name_data(data, op.size, old, new, result->seen, sizeof(result->seen));
	expect_data(row, result);
	if (does_maintenance(row))
		result->expected_lines.lines_cleaned = demo_lines_of(demo, op.offset, op.size);
	return 0;
}

static int gpu_to_cpu(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		      struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	struct gemsync_op op = {
		.bo = buf->bo,
		.type = GEMSYNC_INVALIDATE,
		.offset = row_offset(demo, row),
		.size = row->size,
	};
	uint8_t data[DEMO_RANGE_MAX];
	int ret;

	ret = demo_put_baseline(demo, buf, op.offset, op.size, old);
	if (ret)
		return ret;
	demo_cpu_write(data, op.size, new);
	ret = gpu_write(demo->gpu, buf->va + op.offset, data, op.size);
	if (ret)
		return ret;
	ret = demo_sync_counted(demo, &op, row->sync, result);
	if (ret)
		return ret;
	demo_cpu_read(buf->map + op.offset, op.size, data);
	demo_name_data(data, op.size, old, new, result->seen, sizeof(result->seen));
	expect_data(row, result);
	if (does_maintenance(row)) {
		result->expected_lines.lines_cleaned = demo_lines_of(demo, op.offset, op.size);
		result->expected_lines.lines_dropped = demo_lines_of(demo, op.offset, op.size);
	}
	return 0;
}

/* How many of the 4 + 4 bytes at the two places are those of @seed, for CPU and GPU. */
static int count_outside(struct demo *demo, struct demo_buffer *buf, const uint64_t *places,
			 uint8_t seed, size_t *by_cpu, size_t *by_gpu)
{
	uint8_t data[4];
	int i, ret;

	*by_cpu = 0;
	*by_gpu = 0;
	for (i = 0; i < 2; i++) {
		demo_cpu_read(buf->map + places[i], sizeof(data), data);
		*by_cpu += demo_count_matches(data, sizeof(data), seed);
		ret = demo_gpu_read_bytes(demo, buf->va + places[i], data, sizeof(data));
		if (ret)
			return ret;
		*by_gpu += demo_count_matches(data, sizeof(data), seed);
	}
	return 0;
}

/*
 * The range begins in the middle of line 1 and ends in the middle of line 3; the
 * CPU writes 4 bytes just outside of each end, into the lines of the edges (R5).
 */
static int neighbours(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		      struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	uint64_t line = demo->info.line_size;
	struct gemsync_op op = {
		.bo = buf->bo,
		.type = GEMSYNC_INVALIDATE,
		.offset = line + line / 2,
		.size = 2 * line,
	};
	uint64_t places[2] = { op.offset - 4, op.offset + op.size };
	size_t by_cpu, by_gpu;
	int ret;

	ret = demo_put_baseline(demo, buf, 0, 5 * line, old);
	if (ret)
		return ret;
	demo_cpu_write(buf->map + places[0], 4, new);
	demo_cpu_write(buf->map + places[1], 4, new);
	ret = demo_sync_counted(demo, &op, row->sync, result);
	if (ret)
		return ret;
	ret = count_outside(demo, buf, places, new, &by_cpu, &by_gpu);
	if (ret)
		return ret;
	snprintf(result->seen, sizeof(result->seen), "new: CPU %zu of 8, GPU %zu", by_cpu, by_gpu);
	snprintf(result->expected, sizeof(result->expected), "new: CPU 8 of 8, GPU %d",
		 row->sync ? 8 : 0);
	result->stale = !row->sync;
	if (row->sync) {
		result->expected_lines.lines_cleaned = demo_lines_of(demo, op.offset, op.size);
		result->expected_lines.lines_dropped = demo_lines_of(demo, op.offset, op.size);
	}
	return 0;
}

/* How many ranges of the batch the GPU sees the data of @seed in. */
static int count_ranges(struct demo *demo, struct demo_buffer *buf, uint8_t seed,
			unsigned int *count)
{
	uint64_t size = (uint64_t)BATCH_RANGES * BATCH_STRIDE;
	unsigned int i, n = 0;
	uint8_t *data;
	int ret;

	data = malloc(size);
	if (!data)
		return -ENOMEM;
	ret = gpu_read(demo->gpu, buf->va, data, size);
	if (ret)
		goto out_free;
	for (i = 0; i < BATCH_RANGES; i++)
		n += demo_count_matches(data + i * BATCH_STRIDE, BATCH_BYTES, seed) == BATCH_BYTES;
	*count = n;
out_free:
	free(data);
	return ret;
}

static void write_ranges(struct demo_buffer *buf, const struct gemsync_op *ops, uint8_t seed)
{
	unsigned int i;

	for (i = 0; i < BATCH_RANGES; i++)
		demo_cpu_write(buf->map + ops[i].offset, ops[i].size, seed);
}

/* One small range in each page, @old known to the GPU, @new written by the CPU. */
static int prepare_batch(struct demo *demo, struct demo_buffer *buf, struct gemsync_op *ops,
			 uint8_t old, uint8_t new)
{
	unsigned int i, count;
	int ret;

	for (i = 0; i < BATCH_RANGES; i++) {
		ops[i].bo = buf->bo;
		ops[i].type = GEMSYNC_FLUSH;
		ops[i].offset = (uint64_t)i * BATCH_STRIDE;
		ops[i].size = BATCH_BYTES;
	}
	write_ranges(buf, ops, old);
	ret = gemsync_device_sync(demo->dev, ops, BATCH_RANGES);
	if (ret)
		return ret;
	ret = count_ranges(demo, buf, old, &count);
	if (ret)
		return ret;
	if (count != BATCH_RANGES)
		return -EILSEQ;
	write_ranges(buf, ops, new);
	return 0;
}

static int batch(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		 struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	struct gemsync_op ops[BATCH_RANGES];
	unsigned int count;
	int ret;

	ret = prepare_batch(demo, buf, ops, old, new);
	if (ret)
		return ret;
	ret = demo_sync_counted(demo, ops, row->sync ? BATCH_RANGES : 0, result);
	if (ret)
		return ret;
	ret = count_ranges(demo, buf, new, &count);
	if (ret)
		return ret;
	snprintf(result->seen, sizeof(result->seen), "%u of %u new", count, BATCH_RANGES);
	snprintf(result->expected, sizeof(result->expected), "%u of %u new",
		 row->sync ? BATCH_RANGES : 0, BATCH_RANGES);
	result->stale = !row->sync;
	if (row->sync)
		result->expected_lines.lines_cleaned = BATCH_RANGES;
	return 0;
}

static int bad_batch(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		     struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	struct gemsync_op ops[BATCH_RANGES];
	unsigned int count;
	int ret, err;

	(void)row;
	ret = prepare_batch(demo, buf, ops, old, new);
	if (ret)
		return ret;
	ops[BATCH_RANGES - 1].offset = gemsync_bo_size(buf->bo);
	ret = demo_sync_counted(demo, ops, BATCH_RANGES, result);
	err = count_ranges(demo, buf, new, &count);
	if (err)
		return err;
	snprintf(result->seen, sizeof(result->seen), "%s, %u new",
		 ret ? strerror(-ret) : "accepted", count);
	snprintf(result->expected, sizeof(result->expected), "%s, 0 new", strerror(EINVAL));
	result->stale = true;
	return 0;
}

static int refused(struct demo *demo, const struct demo_row *row, struct demo_result *result)
{
	struct gemsync_bo *bo;
	int ret;

	/* A simulated device that was asked to allow it (R14). */
	if (strstr(demo->info.node, "policy=hooks"))
		return demo_skip(result);
	ret = gemsync_bo_create(demo->dev, DEMO_BO_SIZE, row->bo_flags, &bo);
	if (!ret)
		gemsync_bo_destroy(bo);
	snprintf(result->seen, sizeof(result->seen), "%s", ret ? strerror(-ret) : "created");
	snprintf(result->expected, sizeof(result->expected), "%s", strerror(EINVAL));
	return 0;
}

static void report_nonzero(const uint8_t *data, uint64_t size, struct demo_result *result)
{
	uint64_t i, n = 0;

	for (i = 0; i < size; i++)
		n += data[i] != 0;
	snprintf(result->seen, sizeof(result->seen), "%" PRIu64 " bytes not zero", n);
	snprintf(result->expected, sizeof(result->expected), "0 bytes not zero");
}

/* The GPU's view is the first one of the BO: no CPU map exists. */
static int fresh_gpu(struct demo *demo, const struct demo_row *row, struct demo_result *result)
{
	struct gemsync_bo *bo;
	uint8_t *data;
	uint64_t va;
	int ret;

	data = malloc(row->bo_size);
	if (!data)
		return -ENOMEM;
	ret = gemsync_bo_create(demo->dev, row->bo_size, row->bo_flags, &bo);
	if (ret)
		goto out_free;
	ret = gpu_bind(demo->gpu, bo, &va);
	if (ret)
		goto out_destroy;
	ret = gpu_read(demo->gpu, va, data, row->bo_size);
	if (!ret)
		report_nonzero(data, row->bo_size, result);
	gpu_unbind(demo->gpu, va, gemsync_bo_size(bo));
out_destroy:
	gemsync_bo_destroy(bo);
out_free:
	free(data);
	return ret;
}

/* The CPU's map is the first view of the BO: it is bound nowhere. */
static int fresh_wc(struct demo *demo, const struct demo_row *row, struct demo_result *result)
{
	struct gemsync_bo *bo;
	void *map;
	int ret;

	ret = gemsync_bo_create(demo->dev, row->bo_size, row->bo_flags, &bo);
	if (ret)
		return ret;
	ret = gemsync_bo_map(bo, &map);
	if (!ret)
		report_nonzero(map, row->bo_size, result);
	gemsync_bo_destroy(bo);
	return ret;
}

#define CACHED		.bo_flags = GEMSYNC_BO_CACHED
#define WC		.bo_flags = 0

static const struct demo_row rows[] = {
	{ "CPU to GPU, without", "CPU writes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, CACHED, .line = 2, .size = 4 },
	{ "CPU to GPU, flushed", "CPU writes, flushes 4 bytes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, CACHED, .line = 2, .size = 4, .sync = true },
	{ "GPU to CPU, without", "GPU writes; CPU reads",
	  demo_on_buffer, gpu_to_cpu, CACHED, .line = 2, .size = 4 },
	{ "GPU to CPU, invalidated", "GPU writes; CPU invalidates 4 bytes, reads",
	  demo_on_buffer, gpu_to_cpu, CACHED, .line = 2, .size = 4, .sync = true },
	{ "64 bytes of 64 MiB, without", "CPU writes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, 64 * MIB, CACHED, .line = 256 << 10, .size = 64 },
	{ "64 bytes of 64 MiB, flushed", "CPU writes, flushes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, 64 * MIB, CACHED, .line = 256 << 10, .size = 64,
	  .sync = true },
	{ "10 bytes over a line edge, without", "CPU writes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, CACHED, .line = 4, .before = 5, .size = 10 },
	{ "10 bytes over a line edge, flushed", "CPU writes, flushes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, CACHED, .line = 4, .before = 5, .size = 10, .sync = true },
	{ "edge lines, without", "CPU writes beside a range; both read there",
	  demo_on_buffer, neighbours, CACHED },
	{ "edge lines, invalidated", "CPU writes beside a range, invalidates it; both read there",
	  demo_on_buffer, neighbours, CACHED, .sync = true },
	{ "write-combined to GPU, without", "CPU writes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, WC, .line = 2, .size = 4 },
	{ "write-combined to GPU, flushed", "CPU writes, flushes; GPU reads",
	  demo_on_buffer, cpu_to_gpu, WC, .line = 2, .size = 4, .sync = true },
	{ "write-combined from GPU, without", "GPU writes; CPU reads",
	  demo_on_buffer, gpu_to_cpu, WC, .line = 2, .size = 4 },
	{ "256 ranges, without", "CPU writes; GPU reads",
	  demo_on_buffer, batch, 1 * MIB, CACHED },
	{ "256 ranges, one batch", "CPU writes, flushes in one call; GPU reads",
	  demo_on_buffer, batch, 1 * MIB, CACHED, .sync = true },
	{ "256 ranges, the last one bad", "CPU writes, flushes in one call; GPU reads",
	  demo_on_buffer, bad_batch, 1 * MIB, CACHED, .sync = true },
	{ "cached and shareable", "such a BO is created",
	  refused, .bo_flags = GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE, .sync = true },
	{ "fresh cached BO", "GPU reads all of it over poisoned memory",
	  fresh_gpu, .bo_size = 1 * MIB, CACHED, .sync = true },
	{ "fresh write-combined BO", "CPU reads all of it over poisoned memory",
	  fresh_wc, .bo_size = 1 * MIB, WC, .sync = true },
};

const struct demo_rows demo_sync_rows = { rows, sizeof(rows) / sizeof(rows[0]) };
