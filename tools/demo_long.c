// SPDX-License-Identifier: MIT
/* The demo's scenarios of many operations: at once, at random, and what reports them. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "random_ops.h"

/* ---- CPU and GPU at once ---- */

#define LINES	32u	/* of each side */
#define TURNS	2000u

/* The GPU has the even lines, in a thread that is the only user of the GPU. */
struct gpu_side {
	struct demo *demo;
	uint64_t va;
	atomic_bool stop;
	atomic_uint turns;
	atomic_int error;
};

static uint64_t even_line(const struct demo *demo, uint32_t turn)
{
	return 2ull * (turn % LINES) * demo->info.line_size;
}

static uint64_t odd_line(const struct demo *demo, uint32_t turn)
{
	return even_line(demo, turn) + demo->info.line_size;
}

static void *gpu_works(void *arg)
{
	struct gpu_side *side = arg;
	uint32_t turn;

	for (turn = 1; !side->stop && !side->error; turn++) {
		side->error = gpu_write32(side->demo->gpu, side->va + even_line(side->demo, turn),
					  turn);
		side->turns = turn;
	}
	return NULL;
}

/* The CPU has the odd ones. */
static int cpu_works(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf)
{
	volatile uint32_t *word;
	uint32_t turn;
	int ret = 0;

	for (turn = 1; turn <= TURNS && !ret; turn++) {
		word = (uint32_t *)(buf->map + odd_line(demo, turn));
		*word = turn;
		if (row->sync)
			ret = gemsync_bo_flush(buf->bo, odd_line(demo, turn), 4);
	}
	return ret;
}

/* The cache has all lines before the GPU writes the first: it keeps the old ones. */
static void load_lines(const struct demo *demo, const struct demo_buffer *buf)
{
	uint32_t turn;

	for (turn = 0; turn < LINES; turn++) {
		(void)*(volatile uint32_t *)(buf->map + even_line(demo, turn));
		(void)*(volatile uint32_t *)(buf->map + odd_line(demo, turn));
	}
}

/* Both sides work until the CPU is through and the GPU was at each of its lines. */
static int work_at_once(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
			uint32_t *gpu_turns)
{
	struct gpu_side side = { .demo = demo, .va = buf->va };
	pthread_t thread;
	int ret;

	ret = -pthread_create(&thread, NULL, gpu_works, &side);
	if (ret)
		return ret;
	ret = cpu_works(demo, row, buf);
	while (side.turns < LINES && !side.error)
		;
	side.stop = true;
	pthread_join(thread, NULL);
	*gpu_turns = side.turns;
	return ret ? ret : side.error;
}

static int count_lines(struct demo *demo, struct demo_buffer *buf, uint32_t gpu_turns,
		       uint32_t *by_gpu, uint32_t *by_cpu)
{
	uint32_t i, turn, value;
	int ret;

	*by_gpu = 0;
	*by_cpu = 0;
	for (i = 0; i < LINES; i++) {
		turn = TURNS - i;
		ret = gpu_read32(demo->gpu, buf->va + odd_line(demo, turn), &value);
		if (ret)
			return ret;
		*by_gpu += value == turn;
		turn = gpu_turns - i;
		value = *(volatile uint32_t *)(buf->map + even_line(demo, turn));
		*by_cpu += value == turn;
	}
	return 0;
}

/* R3: lines have no owner, and nobody waits for anybody. */
static int at_once(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		   struct demo_result *result)
{
	uint64_t size = 2ull * LINES * demo->info.line_size;
	uint32_t gpu_turns, by_gpu, by_cpu;
	int ret;

	load_lines(demo, buf);
	ret = demo_lines_begin(demo);
	if (!ret)
		ret = work_at_once(demo, row, buf, &gpu_turns);
	if (!ret && row->sync)
		ret = gemsync_bo_invalidate(buf->bo, 0, size);
	if (!ret)
		ret = demo_lines_end(demo, result);
	if (!ret)
		ret = count_lines(demo, buf, gpu_turns, &by_gpu, &by_cpu);
	if (ret)
		return ret;
	snprintf(result->seen, sizeof(result->seen), "new: GPU %u of %u lines, CPU %u", by_gpu,
		 LINES, by_cpu);
	snprintf(result->expected, sizeof(result->expected), "new: GPU %u of %u lines, CPU %u",
		 row->sync ? LINES : 0, LINES, row->sync ? LINES : 0);
	result->stale = !row->sync;
	if (row->sync) {
		result->expected_lines.lines_cleaned = TURNS + 2 * LINES;
		result->expected_lines.lines_dropped = 2 * LINES;
	}
	return 0;
}

/* ---- Random operations ---- */

#define OPERATIONS	10000u

static int random_on(struct gemsync_device *dev, struct gemsync_gpu *gpu,
		     const struct demo_row *row, struct demo_result *result)
{
	struct random_ops_report report;
	int ret;

	ret = random_ops_run(dev, gpu, 1, OPERATIONS, !row->sync, &report);
	if (ret)
		return ret;
	if (row->sync || !report.bytes_wrong)
		snprintf(result->seen, sizeof(result->seen), "%" PRIu64 " bytes wrong",
			 report.bytes_wrong);
	else
		snprintf(result->seen, sizeof(result->seen), "wrong data");
	snprintf(result->expected, sizeof(result->expected), "%s",
		 row->sync ? "0 bytes wrong" : "wrong data");
	return 0;
}

/* A simulated device in chaos mode, whatever the one at hand is. */
static int random_on_chaos(struct demo *demo, const struct demo_row *row,
			   struct demo_result *result)
{
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "sim:mode=chaos,line=%u", (unsigned int)demo->info.line_size);
	ret = gemsync_device_open(name, &dev);
	if (ret)
		return ret;
	ret = gpu_open(dev, &gpu);
	if (!ret) {
		ret = random_on(dev, gpu, row, result);
		gpu_close(gpu);
	}
	gemsync_device_close(dev);
	return ret;
}

static int random_operations(struct demo *demo, const struct demo_row *row,
			     struct demo_result *result)
{
	if (!strcmp(demo->info.driver, "sim") && !demo->info.chaos)
		return random_on_chaos(demo, row, result);
	/* A real cache may write every line back in time. */
	result->stale = !row->sync && !demo->info.emulated;
	return random_on(demo->dev, demo->gpu, row, result);
}

/* ---- What reports a missing flush ---- */

#define LABEL		"planted"
#define PLANTED_SIZE	40u

/* Go past all that is recorded. */
static int skip_recorded(struct demo *demo, uint64_t *serial)
{
	struct gemsync_violation violation;
	int ret;

	*serial = 0;
	do {
		ret = gemsync_device_next_violation(demo->dev, serial, &violation);
	} while (!ret);
	return ret == -ENOENT ? 0 : ret;
}

/* What was recorded of the BO: the first violation, or none. */
static int name_recorded(struct demo *demo, uint64_t serial, struct demo_result *result)
{
	struct gemsync_violation violation;
	int ret;

	do {
		ret = gemsync_device_next_violation(demo->dev, &serial, &violation);
	} while (!ret && strcmp(violation.label, LABEL));
	if (ret == -ENOENT)
		snprintf(result->seen, sizeof(result->seen), "nothing");
	else if (!ret && violation.kind == GEMSYNC_DEV_READ_DIRTY)
		snprintf(result->seen, sizeof(result->seen),
			 "%.16s + %" PRIu64 ": %" PRIu64 " bytes", violation.label,
			 violation.offset, violation.size);
	else if (!ret)
		snprintf(result->seen, sizeof(result->seen), "violation of kind %d",
			 (int)violation.kind);
	return ret == -ENOENT ? 0 : ret;
}

static int planted(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		   struct demo_result *result)
{
	uint8_t old = demo->next_seed++, new = demo->next_seed++;
	uint64_t offset = 3ull * demo->info.line_size, serial;
	struct gemsync_op op = {
		.bo = buf->bo, .type = GEMSYNC_FLUSH, .offset = offset, .size = PLANTED_SIZE,
	};
	uint8_t data[PLANTED_SIZE];
	int ret;

	if (gemsync_bo_set_label(buf->bo, LABEL) || skip_recorded(demo, &serial))
		return demo_skip(result);
	ret = demo_put_baseline(demo, buf, offset, PLANTED_SIZE, old);
	if (ret)
		return ret;
	demo_cpu_write(buf->map + offset, PLANTED_SIZE, new);
	ret = demo_sync_counted(demo, &op, row->sync, result);
	if (!ret)
		ret = demo_gpu_read_bytes(demo, buf->va + offset, data, PLANTED_SIZE);
	if (!ret)
		ret = name_recorded(demo, serial, result);
	if (ret)
		return ret;
	result->stale = !row->sync;
	if (!row->sync) {
		snprintf(result->expected, sizeof(result->expected),
			 LABEL " + %" PRIu64 ": %u bytes", offset, PLANTED_SIZE);
	} else {
		snprintf(result->expected, sizeof(result->expected), "nothing");
		result->expected_lines.lines_cleaned = demo_lines_of(demo, offset, PLANTED_SIZE);
	}
	return 0;
}

#define CACHED	.bo_flags = GEMSYNC_BO_CACHED

static const struct demo_row rows[] = {
	{ "lines side by side, without", "CPU writes 2000 words beside a busy GPU; both read",
	  demo_on_buffer, at_once, CACHED },
	{ "lines side by side, synced", "the same, each word flushed; CPU invalidates; both read",
	  demo_on_buffer, at_once, CACHED, .sync = true },
	{ "10,000 operations, 1 flush in 16 left out",
	  "random writes, copies and reads, evictions and refills",
	  random_operations, .sync = false },
	{ "10,000 operations, all flushed",
	  "random writes, copies and reads, evictions and refills",
	  random_operations, .sync = true },
	{ "planted missing flush", "CPU writes 40 bytes; GPU reads; reports are read",
	  demo_on_buffer, planted, CACHED },
	{ "the flush put in", "CPU writes 40 bytes, flushes; GPU reads; reports are read",
	  demo_on_buffer, planted, CACHED, .sync = true },
};

const struct demo_rows demo_long_rows = { rows, sizeof(rows) / sizeof(rows[0]) };
