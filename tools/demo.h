/* SPDX-License-Identifier: MIT */
/*
 * Between the demo's table (demo.c), its scenarios (demo_rows.c: one range or batch,
 * demo_share.c: who may map and share, demo_long.c: many operations), and what they
 * do with data (demo_data.c).
 */
#ifndef DEMO_H
#define DEMO_H

#include "gpu.h"
#include "watched.h"

#define DEMO_BO_SIZE	(16u << 10)	/* bytes, where the row does not say */
#define DEMO_RANGE_MAX	2048u	/* bytes that a scenario looks at */

struct demo {
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	struct gemsync_gpu *gpu;
	uint8_t next_seed;	/* no two rows use the same data */
	struct gemsync_counters lines_before;
	struct watched watched;
};

/* What a row expected and what was measured. */
struct demo_result {
	char expected[48];
	char seen[48];
	struct gemsync_counters expected_lines;
	struct gemsync_counters lines;
	uint64_t violations;	/* that were recorded, of whatever kind */
	bool stale;	/* it expects that no line moves on its own */
	bool skipped;	/* this device cannot show it */
};

/* A BO that is mapped and bound. */
struct demo_buffer {
	struct gemsync_bo *bo;
	uint8_t *map;
	uint64_t va;
};

struct demo_row {
	const char *scenario;
	const char *did;
	/* 0, or the error that kept the row from running at all. */
	int (*run)(struct demo *demo, const struct demo_row *row, struct demo_result *result);
	/* What a row does with its BO, if run is the one that makes it one. */
	int (*use)(struct demo *demo, const struct demo_row *row, struct demo_buffer *buf,
		   struct demo_result *result);
	uint64_t bo_size;	/* bytes; 0 is DEMO_BO_SIZE */
	uint32_t bo_flags;	/* GEMSYNC_BO_* */
	uint64_t line;		/* the range begins at this line of the BO, */
	uint32_t before;	/* less this many bytes */
	uint32_t size;		/* bytes of the range, at most DEMO_RANGE_MAX */
	bool sync;		/* with the sync, or its negative twin */
};

struct demo_rows {
	const struct demo_row *rows;
	size_t count;
};

extern const struct demo_rows demo_sync_rows;	/* demo_rows.c */
extern const struct demo_rows demo_share_rows;	/* demo_share.c */
extern const struct demo_rows demo_long_rows;	/* demo_long.c */

/* All functions that return int: 0 or -errno. */

/* For demo_row.run: make a BO as the row says, and let row->use use it. */
int demo_on_buffer(struct demo *demo, const struct demo_row *row, struct demo_result *result);

int demo_buffer_create(struct demo *demo, uint64_t size, uint32_t flags, struct demo_buffer *buf);
void demo_buffer_destroy(struct demo *demo, struct demo_buffer *buf);

/* result->lines is what was maintained in between. */
int demo_lines_begin(struct demo *demo);
int demo_lines_end(struct demo *demo, struct demo_result *result);

/* The row cannot be shown on this device: returns 0. */
int demo_skip(struct demo_result *result);

/* Do the operations; result->lines is what they maintained, also when they fail. */
int demo_sync_counted(struct demo *demo, const struct gemsync_op *ops, size_t count,
		      struct demo_result *result);

/* Lines of this device that overlap a range (R1). */
uint64_t demo_lines_of(const struct demo *demo, uint64_t offset, uint64_t size);

/* Bytes that @seed stands for: the CPU writes them, or a buffer is filled with them. */
void demo_cpu_write(uint8_t *map, size_t size, uint8_t seed);

/* How many bytes are those of @seed. */
size_t demo_count_matches(const uint8_t *data, size_t size, uint8_t seed);

/* The CPU reads through a map. */
void demo_cpu_read(const uint8_t *map, size_t size, uint8_t *data);

/* The GPU reads, whole words; @data gets the bytes asked for, at most DEMO_RANGE_MAX. */
int demo_gpu_read_bytes(struct demo *demo, uint64_t va, uint8_t *data, size_t size);

/* Call measured bytes "old data", "new data", or say how mixed they are. */
void demo_name_data(const uint8_t *data, size_t size, uint8_t old, uint8_t new, char *text,
		    size_t text_size);

/*
 * The CPU writes @seed and flushes; -EILSEQ if the GPU does not see it. Then no
 * line of the range is dirty.
 */
int demo_put_baseline(struct demo *demo, struct demo_buffer *buf, uint64_t offset, size_t size,
		      uint8_t seed);

#endif
