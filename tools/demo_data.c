// SPDX-License-Identifier: MIT
/* What the demo's scenarios do with data: write, read, look, count lines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"

int demo_buffer_create(struct demo *demo, uint64_t size, uint32_t flags, struct demo_buffer *buf)
{
	void *map;
	int ret;

	ret = gemsync_bo_create(demo->dev, size, flags, &buf->bo);
	if (ret)
		return ret;
	ret = gemsync_bo_map(buf->bo, &map);
	if (ret)
		goto err_destroy;
	ret = gpu_bind(demo->gpu, buf->bo, &buf->va);
	if (ret)
		goto err_destroy;
	buf->map = map;
	return 0;
err_destroy:
	gemsync_bo_destroy(buf->bo);
	return ret;
}

void demo_buffer_destroy(struct demo *demo, struct demo_buffer *buf)
{
	gpu_unbind(demo->gpu, buf->va, gemsync_bo_size(buf->bo));
	gemsync_bo_destroy(buf->bo);
}

int demo_on_buffer(struct demo *demo, const struct demo_row *row, struct demo_result *result)
{
	struct demo_buffer buf;
	int ret;

	ret = demo_buffer_create(demo, row->bo_size ? row->bo_size : DEMO_BO_SIZE, row->bo_flags,
				 &buf);
	if (ret)
		return ret;
	ret = row->use(demo, row, &buf, result);
	demo_buffer_destroy(demo, &buf);
	return ret;
}

static int read_counters(struct demo *demo, struct gemsync_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	return demo->info.emulated ? gemsync_device_counters(demo->dev, counters) : 0;
}

int demo_lines_begin(struct demo *demo)
{
	return read_counters(demo, &demo->lines_before);
}

int demo_lines_end(struct demo *demo, struct demo_result *result)
{
	const struct gemsync_counters *before = &demo->lines_before;
	struct gemsync_counters now;
	int ret;

	ret = read_counters(demo, &now);
	if (ret)
		return ret;
	result->lines.lines_cleaned = now.lines_cleaned - before->lines_cleaned;
	result->lines.lines_dropped = now.lines_dropped - before->lines_dropped;
	return 0;
}

int demo_skip(struct demo_result *result)
{
	result->skipped = true;
	return 0;
}

int demo_sync_counted(struct demo *demo, const struct gemsync_op *ops, size_t count,
		      struct demo_result *result)
{
	int ret, err;

	ret = demo_lines_begin(demo);
	if (ret)
		return ret;
	ret = gemsync_device_sync(demo->dev, ops, count);
	err = demo_lines_end(demo, result);
	return err ? err : ret;
}

uint64_t demo_lines_of(const struct demo *demo, uint64_t offset, uint64_t size)
{
	uint64_t line = demo->info.line_size;

	return size ? (offset + size - 1) / line - offset / line + 1 : 0;
}

static uint8_t pattern(uint8_t seed, size_t i)
{
	return seed + 7 * i;
}

void demo_cpu_write(uint8_t *map, size_t size, uint8_t seed)
{
	volatile uint8_t *to = map;
	size_t i;

	for (i = 0; i < size; i++)
		to[i] = pattern(seed, i);
}

void demo_cpu_read(const uint8_t *map, size_t size, uint8_t *data)
{
	const volatile uint8_t *from = map;
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = from[i];
}

int demo_gpu_read_bytes(struct demo *demo, uint64_t va, uint8_t *data, size_t size)
{
	uint8_t words[DEMO_RANGE_MAX + 8];
	uint64_t start = va & ~3ull;
	uint64_t end = (va + size + 3) & ~3ull;
	int ret;

	ret = gpu_read(demo->gpu, start, words, end - start);
	if (ret)
		return ret;
	memcpy(data, words + (va - start), size);
	return 0;
}

size_t demo_count_matches(const uint8_t *data, size_t size, uint8_t seed)
{
	size_t i, n = 0;

	for (i = 0; i < size; i++)
		n += data[i] == pattern(seed, i);
	return n;
}

void demo_name_data(const uint8_t *data, size_t size, uint8_t old, uint8_t new, char *text,
		      size_t text_size)
{
	size_t n_old = demo_count_matches(data, size, old);
	size_t n_new = demo_count_matches(data, size, new);

	if (n_old == size)
		snprintf(text, text_size, "old data");
	else if (n_new == size)
		snprintf(text, text_size, "new data");
	else
		snprintf(text, text_size, "%zu bytes old, %zu new, %zu neither", n_old, n_new,
			 size - n_old - n_new);
}

int demo_put_baseline(struct demo *demo, struct demo_buffer *buf, uint64_t offset, size_t size,
			uint8_t seed)
{
	uint8_t data[DEMO_RANGE_MAX];
	int ret;

	demo_cpu_write(buf->map + offset, size, seed);
	ret = gemsync_bo_flush(buf->bo, offset, size);
	if (ret)
		return ret;
	ret = demo_gpu_read_bytes(demo, buf->va + offset, data, size);
	if (ret)
		return ret;
	return demo_count_matches(data, size, seed) == size ? 0 : -EILSEQ;
}
