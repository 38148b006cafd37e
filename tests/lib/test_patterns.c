// SPDX-License-Identifier: MIT
/*
 * What is forgotten, what then is wrong, and what is told of it: the table of
 * docs/virtual-devices.md is what the device under test shows, whichever that is.
 * With --print the table of a simulated one is printed, to be put there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define MANUAL	"docs/virtual-devices.md"	/* tests run where the project is */

#define AT	4096u
#define SIZE	512u
#define STRIDE	128u	/* a word in each line, whatever its size is */

enum step {
	END,
	CPU_STORES,		/* all bytes */
	CPU_STORES_WORDS,	/* a part of each line */
	CPU_STORES_THE_SAME,	/* zeros, which are there */
	CPU_LOADS,
	CPU_LOADS_HALF,		/* the second one */
	CPU_UPLOADS,
	FLUSH,
	FLUSH_HALF,		/* the first one */
	INVALIDATE,
	INVALIDATE_HALF,
	DEVICE_READS,
	DEVICE_WRITES,
	DEVICE_WRITES_WORDS,
};

/* A new BO, whose bytes are all zero, and what becomes of it. */
static const struct pattern {
	const char *wrong;
	enum step steps[8];
} patterns[] = {
	{ "flush before the device reads", { CPU_STORES, DEVICE_READS } },
	{ "a flush of a part", { CPU_STORES, FLUSH_HALF, DEVICE_READS } },
	{ "a flush too early, before the last store",
	  { CPU_STORES, FLUSH, CPU_STORES_WORDS, DEVICE_READS } },
	{ "flush before the device writes",
	  { CPU_STORES, DEVICE_WRITES, INVALIDATE, CPU_LOADS } },
	{ "the same, after the CPU cleared what was clear",
	  { CPU_STORES_THE_SAME, DEVICE_WRITES, INVALIDATE, CPU_LOADS } },
	{ "invalidate before the CPU reads", { DEVICE_WRITES, CPU_LOADS } },
	{ "a flush in place of the invalidate", { DEVICE_WRITES, FLUSH, CPU_LOADS } },
	{ "an invalidate too early, before the device writes",
	  { INVALIDATE, DEVICE_WRITES, CPU_LOADS } },
	{ "an invalidate of a part", { DEVICE_WRITES, INVALIDATE_HALF, CPU_LOADS_HALF } },
	{ "invalidate before the CPU stores to a part of a line",
	  { CPU_LOADS, DEVICE_WRITES, CPU_STORES_WORDS, FLUSH } },
	{ "the same, where the device wrote that part alone",
	  { CPU_LOADS, DEVICE_WRITES_WORDS, CPU_STORES_WORDS, FLUSH } },
	{ "nothing: whole lines are overwritten",
	  { DEVICE_WRITES, CPU_STORES, FLUSH, DEVICE_READS } },
	{ "nothing: an upload", { DEVICE_WRITES, CPU_UPLOADS, DEVICE_READS } },
	{ "nothing", { CPU_STORES, FLUSH, DEVICE_READS, DEVICE_WRITES, INVALIDATE, CPU_LOADS } },
	{ "nothing, but the lines were clean", { FLUSH, INVALIDATE, FLUSH, CPU_LOADS } },
};

/* A pattern on its way. */
struct play {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bo;
	uint8_t *map;
	uint64_t va;
	uint8_t due[SIZE];	/* what a coherent machine has */
	uint8_t seen[SIZE];
	bool device_is_wrong;
	bool cpu_is_wrong;
};

static void set_words(uint8_t *bytes, int value)
{
	uint32_t i;

	for (i = 0; i < SIZE; i += STRIDE)
		memset(bytes + i, value, 4);
}

/* Up from the first byte: what is told of is the first touch, and memcpy() begins anywhere. */
static void load(struct play *play, uint32_t from)
{
	volatile const uint8_t *bytes = play->map;
	uint32_t i;

	for (i = from; i < SIZE; i++)
		play->seen[i] = bytes[i];
	play->cpu_is_wrong |= memcmp(play->seen + from, play->due + from, SIZE - from) != 0;
}

static void cpu_step(struct play *play, enum step step)
{
	if (step == CPU_LOADS || step == CPU_LOADS_HALF) {
		load(play, step == CPU_LOADS_HALF ? SIZE / 2 : 0);
		return;
	}
	if (step == CPU_STORES_WORDS)
		set_words(play->due, 0x33);
	else
		memset(play->due, step == CPU_STORES_THE_SAME ? 0 : 0x11, SIZE);
	if (step == CPU_UPLOADS)
		assert_ok(gemsync_bo_upload(play->bo, AT, play->due, SIZE, 0));
	else if (step == CPU_STORES_WORDS)
		set_words(play->map, 0x33);
	else
		memcpy(play->map, play->due, SIZE);
}

static void device_step(struct play *play, enum step step)
{
	uint64_t i;

	switch (step) {
	case DEVICE_READS:
		assert_ok(gpu_read(play->gpu, play->va, play->seen, SIZE));
		play->device_is_wrong |= memcmp(play->seen, play->due, SIZE) != 0;
		break;
	case DEVICE_WRITES:
		memset(play->due, 0x22, SIZE);
		assert_ok(gpu_write(play->gpu, play->va, play->due, SIZE));
		break;
	default:
		set_words(play->due, 0x22);
		for (i = 0; i < SIZE; i += STRIDE)
			assert_ok(gpu_write(play->gpu, play->va + i, play->due + i, 4));
	}
}

static void take(struct play *play, enum step step)
{
	switch (step) {
	case FLUSH:
		assert_ok(gemsync_bo_flush(play->bo, AT, SIZE));
		break;
	case FLUSH_HALF:
		assert_ok(gemsync_bo_flush(play->bo, AT, SIZE / 2));
		break;
	case INVALIDATE:
		assert_ok(gemsync_bo_invalidate(play->bo, AT, SIZE));
		break;
	case INVALIDATE_HALF:
		assert_ok(gemsync_bo_invalidate(play->bo, AT, SIZE / 2));
		break;
	case DEVICE_READS:
	case DEVICE_WRITES:
	case DEVICE_WRITES_WORDS:
		device_step(play, step);
		break;
	default:
		cpu_step(play, step);
	}
}

static const char *cause_of(const struct gemsync_violation *violation)
{
	static const char *const causes[] = {
		[GEMSYNC_CAUSE_MISSING] = "missing",
		[GEMSYNC_CAUSE_TOO_EARLY] = "too early",
		[GEMSYNC_CAUSE_TOO_SHORT] = "too short",
		[GEMSYNC_CAUSE_WRONG_KIND] = "wrong kind",
		[GEMSYNC_CAUSE_TOO_LATE] = "too late",
	};

	assert_true((size_t)violation->cause < ARRAY_SIZE(causes));
	return causes[violation->cause];
}

static void write_records(struct play *play, uint64_t serial, FILE *file)
{
	struct gemsync_violation violation;
	const char *before = "";
	int ret;

	while (!(ret = gemsync_device_read_violation(play->dev, &serial, &violation,
						     sizeof(violation), GEMSYNC_VIOLATIONS_OWN))) {
		fprintf(file, "%s`%s` (%s)", before, gemsync_violation_name(violation.kind),
			cause_of(&violation));
		before = ", ";
	}
	assert_int_equal(ret, -ENOENT);
	fprintf(file, "%s |\n", *before ? "" : "nothing");
}

/* Whether memory lacks what the device has to find there in the end. */
static bool lost_something(struct play *play)
{
	assert_ok(gpu_read(play->gpu, play->va, play->seen, SIZE));
	return memcmp(play->seen, play->due, SIZE) != 0;
}

static void begin(struct play *play)
{
	void *map;

	assert_ok(gemsync_bo_create(play->dev, 4 * AT, GEMSYNC_BO_CACHED, &play->bo));
	assert_ok(gemsync_bo_map(play->bo, &map));
	assert_ok(gpu_bind(play->gpu, play->bo, &play->va));
	play->map = (uint8_t *)map + AT;
	play->va += AT;
}

static void write_row(struct gemsync_device *dev, struct gemsync_gpu *gpu,
		      const struct pattern *pattern, FILE *file)
{
	struct play play = { .dev = dev, .gpu = gpu };
	const enum step *step;
	uint64_t serial;
	char *records;
	size_t size;
	FILE *memory = open_memstream(&records, &size);

	assert_non_null(memory);
	begin(&play);
	assert_ok(gemsync_device_last_violation(dev, &serial));
	for (step = pattern->steps; *step != END; step++)
		take(&play, *step);
	write_records(&play, serial, memory);
	fclose(memory);
	fprintf(file, "| %s | ", pattern->wrong);
	if (play.device_is_wrong)
		fprintf(file, "reads what was there | | ");
	else if (lost_something(&play))
		fprintf(file, "| its result is gone | ");
	else
		fprintf(file, "| %s| ", play.cpu_is_wrong ? "reads what was there " : "");
	fputs(records, file);
	free(records);
	gpu_unbind(gpu, play.va - AT, 4 * AT);
	gemsync_bo_destroy(play.bo);
}

/* To be freed. */
static char *make_table(struct gemsync_device *dev, struct gemsync_gpu *gpu)
{
	char *text;
	size_t size, i;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	for (i = 0; i < ARRAY_SIZE(patterns); i++)
		write_row(dev, gpu, &patterns[i], file);
	fclose(file);
	return text;
}

static char *read_manual(void)
{
	FILE *file = fopen(MANUAL, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		skip_because("%s cannot be read", MANUAL);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void manual_shows_what_devices_do(void **state)
{
	struct fixture *f = need_lazy(state);
	char *table, *manual = read_manual();
	uint32_t before;

	if (gemsync_device_watch(f->dev, GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES, &before))
		skip_because("touches are not watched: run as root in the VM, or on sim:watch=all");
	table = make_table(f->dev, f->gpu);
	assert_ok(gemsync_device_watch(f->dev, before, NULL));
	if (!strstr(manual, table))
		fail_msg("the table of %s is not what this device shows:\n%s", MANUAL, table);
	free(table);
	free(manual);
}

static int print_table(void)
{
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	char *table;

	if (gemsync_device_open("sim:watch=all", &dev))
		return EXIT_FAILURE;
	if (gpu_open(dev, &gpu))
		return EXIT_FAILURE;
	table = make_table(dev, gpu);
	fputs(table, stdout);
	free(table);
	gpu_close(gpu);
	gemsync_device_close(dev);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		device_test(manual_shows_what_devices_do),
	};

	if (argc > 1 && !strcmp(argv[1], "--print"))
		return print_table();
	return cmocka_run_group_tests_name("patterns", tests, NULL, NULL);
}
