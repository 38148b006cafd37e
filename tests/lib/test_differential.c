// SPDX-License-Identifier: MIT
/*
 * Two implementations of one cache: random operations, right and wrong ones, on the device
 * under test and on a simulated one. Both have to show the same data and the same records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"

#define BOS		3u
#define SIZE		(16 * KIB)
#define OPERATIONS	3000u
#define LENGTH_MAX	700u
#define PAGE		4096u

/* SplitMix64, as tests/unit have it. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((next_random(state) >> 32) * limit >> 32);
}

struct side {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bos[BOS];
	uint8_t *maps[BOS];
	uint64_t vas[BOS];
	uint64_t serial;
};

/* One step, the same for both. */
struct step {
	uint32_t kind;
	uint32_t bo;
	uint32_t offset;
	uint32_t size;
	uint64_t seed;
};

static void make_bo(struct side *side, uint32_t i)
{
	assert_ok(gemsync_bo_create(side->dev, SIZE, GEMSYNC_BO_CACHED, &side->bos[i]));
	assert_ok(gpu_bind(side->gpu, side->bos[i], &side->vas[i]));
	side->maps[i] = NULL;
}

static void drop_bo(struct side *side, uint32_t i)
{
	gpu_unbind(side->gpu, side->vas[i], SIZE);
	gemsync_bo_destroy(side->bos[i]);
}

static struct side open_side(struct gemsync_device *dev)
{
	struct side side = { .dev = dev };

	assert_ok(gpu_open(dev, &side.gpu));
	for (uint32_t i = 0; i < BOS; i++)
		make_bo(&side, i);
	assert_ok(gemsync_device_last_violation(dev, &side.serial));
	return side;
}

static void close_side(struct side *side)
{
	for (uint32_t i = 0; i < BOS; i++)
		drop_bo(side, i);
	gpu_close(side->gpu);
}

static uint8_t *map_of(struct side *side, uint32_t i)
{
	void *map;

	if (!side->maps[i]) {
		assert_ok(gemsync_bo_map(side->bos[i], &map));
		side->maps[i] = map;
	}
	return side->maps[i];
}

/* Few values, so that stores of what was there happen, and bytes that stay in a word. */
static void fill(uint8_t *to, uint32_t size, uint64_t seed)
{
	while (size--)
		*to++ = (uint8_t)below(&seed, 3) * 0x55;
}

enum { CPU_STORES, CPU_LOADS, GPU_WRITES, GPU_READS, FLUSH, INVALIDATE, UPLOAD, REBIRTH, KINDS };

/* What the step showed is in @seen. */
static void take(struct side *side, const struct step *step, uint8_t *seen)
{
	struct gemsync_bo *bo = side->bos[step->bo];
	uint64_t va = side->vas[step->bo] + step->offset;
	uint8_t data[LENGTH_MAX];

	memset(seen, 0, LENGTH_MAX);
	fill(data, step->size, step->seed);
	switch (step->kind) {
	case CPU_STORES:
		memcpy(map_of(side, step->bo) + step->offset, data, step->size);
		break;
	case CPU_LOADS:
		memcpy(seen, map_of(side, step->bo) + step->offset, step->size);
		break;
	case GPU_WRITES:
		assert_ok(gpu_write(side->gpu, va, data, step->size));
		break;
	case GPU_READS:
		assert_ok(gpu_read(side->gpu, va, seen, step->size));
		break;
	case FLUSH:
		assert_ok(gemsync_bo_flush(bo, step->offset, step->size));
		break;
	case INVALIDATE:
		assert_ok(gemsync_bo_invalidate(bo, step->offset, step->size));
		break;
	case UPLOAD:
		map_of(side, step->bo);
		assert_ok(gemsync_bo_upload(bo, step->offset, data, step->size, 0));
		break;
	case REBIRTH:
		drop_bo(side, step->bo);
		make_bo(side, step->bo);
		break;
	}
}

static struct step make_step(uint64_t *random)
{
	struct step step = {
		.kind = below(random, KINDS),
		.bo = below(random, BOS),
		.seed = next_random(random),
	};

	/* Seldom, or nothing that takes a while is ever seen. */
	if (step.kind == REBIRTH && below(random, 8))
		step.kind = CPU_LOADS;
	step.size = 4 * (1 + below(random, below(random, 4) ? 32 : LENGTH_MAX / 4));
	/* Mostly near each other, so that they meet. */
	step.offset = 4 * below(random, (below(random, 4) ? 2048 : SIZE - LENGTH_MAX) / 4);
	return step;
}

static int next_record(struct side *side, struct gemsync_violation *record)
{
	return gemsync_device_read_violation(side->dev, &side->serial, record, sizeof(*record),
					     GEMSYNC_VIOLATIONS_OWN);
}

static uint32_t bo_of(const struct side *side, const struct gemsync_violation *record)
{
	uint32_t i;

	for (i = 0; i < BOS; i++)
		if (gemsync_bo_handle(side->bos[i]) == record->bo_handle)
			break;
	return i;
}

static void compare_records(const struct side *sides, const struct gemsync_violation *a,
			    const struct gemsync_violation *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->rows, b->rows);
	assert_int_equal(a->stride, b->stride);
	assert_int_equal(a->sync_offset, b->sync_offset);
	assert_int_equal(a->sync_size, b->sync_size);
	assert_int_equal(a->cause, b->cause);
	assert_int_equal(a->again, b->again);
	assert_int_equal(a->times, b->times);
	assert_int_equal(a->last_sync, b->last_sync);
	assert_int_equal(a->last_offset, b->last_offset);
	assert_int_equal(a->last_size, b->last_size);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(bo_of(&sides[0], a), bo_of(&sides[1], b));
	/* The BO, and its map, may be gone. */
	assert_int_equal(a->cpu_address % PAGE, b->cpu_address % PAGE);
}

__attribute__((noreturn))
static void fail_of(const struct gemsync_violation *record, const char *who)
{
	char text[512];

	gemsync_violation_describe(record, text, sizeof(text));
	fail_msg("%s tells: %s: %s", who, gemsync_violation_name(record->kind), text);
	abort();
}

/* Both sides' records, which are then read; returns their number. */
static uint32_t compare_all(struct side *sides)
{
	struct gemsync_violation records[2];
	uint32_t count = 0;
	int ret;

	while (!(ret = next_record(&sides[0], &records[0]))) {
		if (next_record(&sides[1], &records[1]))
			fail_of(&records[0], "the device alone");
		compare_records(sides, &records[0], &records[1]);
		count++;
	}
	assert_int_equal(ret, -ENOENT);
	if (next_record(&sides[1], &records[1]) != -ENOENT)
		fail_of(&records[1], "the twin alone");
	return count;
}

static uint64_t first_seed(void)
{
	const char *text = getenv("GEMSYNC_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text ? strtoull(text, NULL, 0) :
		      (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	printf("# GEMSYNC_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

static struct gemsync_device *open_twin(const struct fixture *f, const char *options)
{
	struct gemsync_device *dev;
	char name[80];
	int ret;

	if (!strcmp(f->info.driver, "sim"))
		snprintf(name, sizeof(name), "%s", f->info.node);
	else
		snprintf(name, sizeof(name), "sim:driver=%s,line=%u%s", f->info.driver,
			 f->info.line_size, options);
	ret = gemsync_device_open(name, &dev);
	if (ret == -EOPNOTSUPP)
		skip_because("no touches are seen on sim: a kernel with userfaultfd shows them");
	assert_ok(ret);
	return dev;
}

static struct gemsync_costs costs_of(struct side *side)
{
	struct gemsync_costs costs;

	assert_ok(gemsync_device_costs(side->dev, &costs, sizeof(costs)));
	return costs;
}

/* The step, and what it cost if it was a sync: births and deaths are not alike. */
static struct gemsync_costs take_counted(struct side *side, const struct step *step, uint8_t *seen)
{
	struct gemsync_costs before = costs_of(side), after;

	take(side, step, seen);
	if (step->kind != FLUSH && step->kind != INVALIDATE)
		return (struct gemsync_costs){ 0 };
	after = costs_of(side);
	after.lines_cleaned -= before.lines_cleaned;
	after.lines_dirty -= before.lines_dirty;
	after.lines_dropped -= before.lines_dropped;
	after.lines_stale -= before.lines_stale;
	return after;
}

static void random_steps(struct fixture *f, struct gemsync_device *twin)
{
	struct side sides[2] = { open_side(f->dev), open_side(twin) };
	uint64_t random = first_seed();
	uint8_t seen[2][LENGTH_MAX];
	uint32_t i, records = 0;

	for (i = 0; i < OPERATIONS; i++) {
		struct step step = make_step(&random);
		struct gemsync_costs costs[2];

		costs[0] = take_counted(&sides[0], &step, seen[0]);
		costs[1] = take_counted(&sides[1], &step, seen[1]);
		if (memcmp(seen[0], seen[1], LENGTH_MAX))
			fail_msg("step %u: %u of BO %u, %u bytes at %u: the data differs", i,
				 step.kind, step.bo, step.size, step.offset);
		assert_memory_equal(&costs[0], &costs[1], sizeof(costs[0]));
		/* Now and then, so that records are open for a while; before a BO goes, too. */
		if (!below(&random, 4) || step.kind == REBIRTH)
			records += compare_all(sides);
	}
	records += compare_all(sides);
	assert_true(records > OPERATIONS / 20);
	close_side(&sides[1]);
	close_side(&sides[0]);
}

static void same_data_and_records(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_device *twin = open_twin(f, "");

	random_steps(f, twin);
	gemsync_device_close(twin);
}

/* What the whole device looked for before the test; UINT32_MAX: as it does. */
static uint32_t watched_before = UINT32_MAX;

/* Loads and stores are seen by the touch of a page: by the same one on both. */
static void same_touches(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_device *twin = open_twin(f, ",watch=all");

	if (gemsync_device_watch(f->dev, GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES,
				 &watched_before))
		skip_because("touches are not watched: run as root in the VM, or on sim:watch=all");
	random_steps(f, twin);
	gemsync_device_close(twin);
}

/* Also behind a test that failed: others would have its faults. */
static int watch_as_before(void **state)
{
	const struct fixture *f = *state;

	if (f && watched_before != UINT32_MAX)
		assert_ok(gemsync_device_watch(f->dev, watched_before, NULL));
	return fixture_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(same_data_and_records),
		cmocka_unit_test_setup_teardown(same_touches, fixture_setup, watch_as_before),
	};

	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
