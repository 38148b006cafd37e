// SPDX-License-Identifier: MIT
/* The simulated device itself: its options, what it has not, its GPU thread, its chaos. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "random_ops.h"

struct sim {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
};

static struct sim open_sim(const char *name)
{
	struct sim sim;

	assert_ok(gemsync_device_open(name, &sim.dev));
	assert_ok(gpu_open(sim.dev, &sim.gpu));
	return sim;
}

static void close_sim(struct sim *sim)
{
	gpu_close(sim->gpu);
	gemsync_device_close(sim->dev);
}

static void options(void **state)
{
	static const struct {
		const char *name;
		const char *node;
		uint32_t line;
		bool coherent;
		bool chaos;
	} good[] = {
		{ "sim", "sim:line=64,mode=lazy", 64, false, false },
		{ "sim:line=32", "sim:line=32,mode=lazy", 32, false, false },
		{ "sim:mode=chaos,line=128", "sim:line=128,mode=chaos", 128, false, true },
		{ "sim:mode=coherent", "sim:line=64,mode=coherent", 64, true, false },
		{ "sim:driver=panthor", "sim:line=64,mode=lazy", 64, false, false },
		{ "sim:line=32,driver=panfrost", "sim:driver=panfrost,line=32,mode=lazy", 32, false,
		  false },
		{ "sim:seed=0,policy=hooks", "sim:line=64,mode=lazy,seed=0,policy=hooks", 64,
		  false, false },
		{ "sim:line=128,mode=coherent,seed=18446744073709551615,policy=hooks",
		  "sim:line=128,mode=coherent,seed=18446744073709551615,policy=hooks", 128, true,
		  false },
		/* The last one counts. */
		{ "sim:line=32,line=64", "sim:line=64,mode=lazy", 64, false, false },
	};
	static const char *const bad[] = {
		"sim:", "sim:line", "sim:line=", "sim:line=16", "sim:line=256", "sim:line=064",
		"sim:line=64,", "sim:,line=64", "sim:driver=", "sim:driver=mali",
		"sim:mode=wild", "sim:seed=", "sim:seed=-1",
		"sim:seed=+1", "sim:seed=1x", "sim:seed=18446744073709551616", "sim:policy=",
		"sim:policy=none", "sim:color=red", "sim:Line=64",
	};
	struct gemsync_device *dev = NULL;
	struct gemsync_device_info info;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (gemsync_device_open(bad[i], &dev) != -EINVAL)
			fail_msg("%s: not refused", bad[i]);
	assert_null(dev);
	assert_int_equal(gemsync_device_open("simulator", &dev), -ENODEV);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_ok(gemsync_device_open(good[i].name, &dev));
		assert_ok(gemsync_device_query(dev, &info));
		gemsync_device_close(dev);
		assert_string_equal(info.driver, "sim");
		assert_string_equal(info.node, good[i].node);
		assert_int_equal(info.line_size, good[i].line);
		assert_int_equal(info.coherent, good[i].coherent);
		assert_int_equal(info.chaos, good[i].chaos);
		assert_true(info.emulated);
		assert_ok(gemsync_device_open(info.node, &dev));
		gemsync_device_close(dev);
	}
}

/* There is no kernel behind it: no descriptor, nobody to share with. */
static void no_kernel(void **state)
{
	struct sim sim = open_sim("sim");
	struct gemsync_bo *bo;
	int fd = 77;

	(void)state;
	assert_int_equal(gemsync_device_fd(sim.dev), -EOPNOTSUPP);
	assert_int_equal(gemsync_device_import(sim.dev, 0, &bo), -EOPNOTSUPP);
	assert_ok(gemsync_bo_create(sim.dev, 4096, GEMSYNC_BO_SHAREABLE, &bo));
	assert_int_equal(gemsync_bo_export(bo, &fd), -EOPNOTSUPP);
	assert_int_equal(fd, 77);
	gemsync_bo_destroy(bo);
	close_sim(&sim);
}

/* R13, R14: the policy decides over BOs that are cached and shareable. */
static void policies(void **state)
{
	struct sim strict = open_sim("sim"), hooks = open_sim("sim:policy=hooks");
	const uint32_t both = GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE;
	struct gemsync_bo *bo = NULL;

	(void)state;
	assert_int_equal(gemsync_bo_create(strict.dev, 4096, both, &bo), -EINVAL);
	assert_null(bo);
	assert_ok(gemsync_bo_create(hooks.dev, 4096, both, &bo));
	gemsync_bo_destroy(bo);
	close_sim(&hooks);
	close_sim(&strict);
}

/* R13: the rules of panfrost, which knows no private BOs. */
static void rules_of_panfrost(void **state)
{
	struct sim sim = open_sim("sim:driver=panfrost");
	struct gemsync_bo *bo = NULL;
	int fd;

	(void)state;
	assert_int_equal(gemsync_device_vm(sim.dev), 0);
	assert_int_equal(gemsync_bo_create(sim.dev, 4096, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE,
					   &bo), -EINVAL);
	assert_int_equal(gemsync_bo_create(sim.dev, 1ull << 32, 0, &bo), -ENOMEM);
	assert_null(bo);
	assert_ok(gemsync_bo_create(sim.dev, 4096, GEMSYNC_BO_CACHED, &bo));
	assert_int_equal(gemsync_bo_export(bo, &fd), -EPERM);
	gemsync_bo_destroy(bo);
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bo));
	assert_int_equal(gemsync_bo_export(bo, &fd), -EOPNOTSUPP);
	gemsync_bo_destroy(bo);
	close_sim(&sim);
}

/* Every BO has an address of its own, and none when it is gone; who binds is the driver. */
static void addresses_of_panfrost(void **state)
{
	struct sim sim = open_sim("sim:driver=panfrost");
	struct gemsync_bo *bos[2];
	uint64_t va[2], again;

	(void)state;
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bos[0]));
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bos[1]));
	assert_ok(gpu_bind(sim.gpu, bos[0], &va[0]));
	assert_ok(gpu_bind(sim.gpu, bos[1], &va[1]));
	assert_true(va[0] != va[1]);
	assert_ok(gpu_bind(sim.gpu, bos[0], &again));
	assert_int_equal(again, va[0]);
	assert_int_equal(gpu_bind_at(sim.gpu, bos[0], 0, 4096, GPU_BIND_AT_START), -EOPNOTSUPP);
	assert_int_equal(gpu_unbind(sim.gpu, va[0], 4096), -EOPNOTSUPP);
	assert_ok(gpu_write32(sim.gpu, va[0], 1));
	gemsync_bo_destroy(bos[0]);
	assert_int_equal(gpu_write32(sim.gpu, va[0], 1), -EIO);
	/* The next chain runs, and the hole is used again. */
	assert_ok(gpu_write32(sim.gpu, va[1], 1));
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bos[0]));
	assert_ok(gpu_bind(sim.gpu, bos[0], &again));
	assert_int_equal(again, va[0]);
	gemsync_bo_destroy(bos[0]);
	gemsync_bo_destroy(bos[1]);
	close_sim(&sim);
}

/* A chain that waits for ever is ended after 500 ms, and the next one runs. */
static void patience_of_panfrost(void **state)
{
	struct sim sim = open_sim("sim:driver=panfrost");
	int64_t begin = now_ms();
	struct gemsync_bo *bo;
	uint64_t va;

	(void)state;
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bo));
	assert_ok(gpu_bind(sim.gpu, bo, &va));
	assert_ok(gpu_spin_begin(sim.gpu, va));
	assert_int_equal(gpu_spin_end(sim.gpu), -ETIME);
	assert_true(now_ms() - begin >= 480);
	assert_ok(gpu_write32(sim.gpu, va, 1));
	assert_ok(gpu_spin_begin(sim.gpu, va));
	assert_ok(gpu_spin_end(sim.gpu));
	gemsync_bo_destroy(bo);
	close_sim(&sim);
}

static void labels(void **state)
{
	struct sim sim = open_sim("sim");
	char longest[65];
	struct gemsync_bo *bo;

	(void)state;
	memset(longest, 'x', 64);
	longest[64] = '\0';
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bo));
	assert_int_equal(gemsync_bo_set_label(bo, longest), -E2BIG);
	longest[63] = '\0';
	assert_ok(gemsync_bo_set_label(bo, longest));
	assert_ok(gemsync_bo_set_label(bo, NULL));
	gemsync_bo_destroy(bo);
	close_sim(&sim);
}

/* Two devices know nothing of each other. */
static void devices_are_separate(void **state)
{
	struct sim a = open_sim("sim"), b = open_sim("sim");
	struct gemsync_counters before, after;
	struct gemsync_bo *bo;
	void *map;

	(void)state;
	assert_ok(gemsync_bo_create(a.dev, 4096, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	assert_ok(gemsync_device_counters(b.dev, &before));
	assert_ok(gemsync_bo_flush(bo, 0, 4096));
	assert_ok(gemsync_device_counters(b.dev, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	gemsync_bo_destroy(bo);
	close_sim(&b);
	close_sim(&a);
}

/* The end of the device ends what still runs. */
static void close_while_a_stream_runs(void **state)
{
	struct sim sim = open_sim("sim");
	int64_t began = now_ms();
	struct gemsync_bo *bo;
	uint64_t va;

	(void)state;
	assert_ok(gemsync_bo_create(sim.dev, 4096, 0, &bo));
	assert_ok(gpu_bind(sim.gpu, bo, &va));
	assert_ok(gpu_spin_begin(sim.gpu, va));
	assert_int_equal(gpu_spin_running(sim.gpu), 1);
	/* It is bound, and lives on. */
	gemsync_bo_destroy(bo);
	assert_int_equal(gpu_spin_running(sim.gpu), 1);
	close_sim(&sim);
	assert_true(now_ms() - began < 2000);
}

/* Memory that nobody touches costs nothing. */
static void huge_bo(void **state)
{
	const uint64_t size = 64ull << 30, last = size - 64, page = size - 4096;
	struct sim sim = open_sim("sim");
	struct gemsync_counters before, after;
	struct gemsync_bo *bo;
	uint32_t value;
	void *map;

	(void)state;
	if (sizeof(void *) < 8)
		skip_because("the address space is too small: run on a 64-bit machine");
	assert_ok(gemsync_bo_create(sim.dev, size, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	assert_ok(gpu_bind_at(sim.gpu, bo, page, 4096, GPU_BIND_AT_START));
	*(volatile uint32_t *)((char *)map + last) = 0x600d;
	assert_ok(gemsync_device_counters(sim.dev, &before));
	assert_ok(gemsync_bo_flush(bo, last, 64));
	assert_ok(gemsync_device_counters(sim.dev, &after));
	assert_int_equal(after.lines_cleaned - before.lines_cleaned, 1);
	assert_ok(gpu_read32(sim.gpu, GPU_BIND_AT_START + last - page, &value));
	assert_int_equal(value, 0x600d);
	gemsync_bo_destroy(bo);
	close_sim(&sim);
}

/* How many of some unflushed words the GPU sees: chaos writes some of them back. */
static unsigned int count_evicted(uint64_t seed)
{
	uint32_t data[4096 / 4];
	struct gemsync_bo *bo;
	unsigned int i, n = 0;
	char name[64];
	struct sim sim;
	uint64_t va;
	void *map;

	snprintf(name, sizeof(name), "sim:mode=chaos,seed=%llu", (unsigned long long)seed);
	sim = open_sim(name);
	assert_ok(gemsync_bo_create(sim.dev, 4096, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	assert_ok(gpu_bind(sim.gpu, bo, &va));
	for (i = 0; i < 4096; i += 64)
		*(volatile uint32_t *)((char *)map + i) = 1;
	assert_ok(gpu_read(sim.gpu, va, data, 4096));
	for (i = 0; i < 4096 / 4; i++)
		n += data[i];
	gemsync_bo_destroy(bo);
	close_sim(&sim);
	return n;
}

/* Chaos moves lines, not all of them, and the same ones for the same seed. */
static void chaos_moves_lines(void **state)
{
	unsigned int counts[8], i, distinct = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		counts[i] = count_evicted(i);
		assert_true(counts[i] > 0 && counts[i] < 64);
		assert_int_equal(counts[i], count_evicted(i));
		distinct += counts[i] != counts[0];
	}
	assert_true(distinct > 0);
}

/* The same program does the same on the same device, to the last violation. */
static void chaos_repeats(void **state)
{
	struct gemsync_violation_counters violations[2];
	struct random_ops_report reports[2];
	struct sim sim;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		sim = open_sim("sim:mode=chaos,seed=5");
		assert_ok(random_ops_run(sim.dev, sim.gpu, 9, 3000, true, &reports[i]));
		assert_ok(gemsync_device_violations(sim.dev, &violations[i]));
		close_sim(&sim);
	}
	assert_true(reports[0].bytes_wrong > 0);
	assert_memory_equal(&reports[0], &reports[1], sizeof(reports[0]));
	assert_memory_equal(&violations[0], &violations[1], sizeof(violations[0]));
}

static uint64_t count_kind(struct gemsync_device *dev, enum gemsync_violation_kind kind)
{
	uint64_t count;

	assert_ok(gemsync_device_violation_count(dev, kind, &count));
	return count;
}

/* Who may not see touches by system calls may not watch. */
static bool can_open(const char *name)
{
	struct gemsync_device *dev;
	int ret = gemsync_device_open(name, &dev);

	if (!ret)
		gemsync_device_close(dev);
	assert_true(!ret || (strstr(name, "watch") && (ret == -EPERM || ret == -EOPNOTSUPP)));
	return !ret;
}

struct watched {
	struct sim sim;
	struct gemsync_bo *bo;
	uint8_t *map;
	uint64_t va;
	uint64_t serial;
};

#define WATCHED_SIZE	(64 * 1024)

static struct watched open_watched(void)
{
	struct watched w;
	void *map;

	if (!can_open("sim:watch=loads")) {
		print_message("# SKIP needs userfaultfd(2) with privilege: run as root\n");
		skip();
	}
	w = (struct watched){ .sim = open_sim("sim:watch=loads") };
	assert_ok(gemsync_bo_create(w.sim.dev, WATCHED_SIZE, GEMSYNC_BO_CACHED, &w.bo));
	assert_ok(gpu_bind(w.sim.gpu, w.bo, &w.va));
	assert_ok(gemsync_bo_map(w.bo, &map));
	w.map = map;
	return w;
}

static void close_watched(struct watched *w)
{
	gemsync_bo_destroy(w->bo);
	close_sim(&w->sim);
}

static uint32_t load(const struct watched *w, uint64_t offset)
{
	return *(volatile uint32_t *)(w->map + offset);
}

static struct gemsync_violation next_of(struct watched *w)
{
	struct gemsync_violation violation;

	assert_ok(gemsync_device_next_violation(w->sim.dev, &w->serial, &violation));
	return violation;
}

static void assert_none(struct watched *w)
{
	struct gemsync_violation violation;

	assert_int_equal(gemsync_device_next_violation(w->sim.dev, &w->serial, &violation),
			 -ENOENT);
}

static void assert_stale(struct watched *w, uint64_t offset, enum gemsync_violation_cause cause)
{
	struct gemsync_violation violation = next_of(w);

	assert_string_equal(gemsync_violation_name(violation.kind), "cpu-read-stale");
	assert_int_equal(violation.offset, offset);
	assert_int_equal(violation.sync_offset, offset / 64 * 64);
	assert_int_equal(violation.cause, cause);
	assert_int_equal(violation.pid, getpid());
	assert_true(violation.submission > 0);
	assert_none(w);
}

/* The five forms of a missing invalidate. What the program sees is what it would see. */
static void stale_loads_are_told(void **state)
{
	struct watched w = open_watched();
	uint32_t i;

	(void)state;
	/* None at all. */
	assert_ok(gpu_write32(w.sim.gpu, w.va + 4096 + 8, 1));
	assert_int_equal(load(&w, 4096 + 8), 0);
	assert_stale(&w, 4096 + 8, GEMSYNC_CAUSE_MISSING);
	/* A flush in its place. */
	assert_ok(gpu_write32(w.sim.gpu, w.va + 8192, 1));
	assert_ok(gemsync_bo_flush(w.bo, 8192, 4));
	assert_int_equal(load(&w, 8192), 0);
	assert_stale(&w, 8192, GEMSYNC_CAUSE_WRONG_KIND);
	/* Too early. */
	assert_ok(gemsync_bo_invalidate(w.bo, 12288, 4));
	assert_ok(gpu_write32(w.sim.gpu, w.va + 12288, 1));
	assert_int_equal(load(&w, 12288), 0);
	assert_stale(&w, 12288, GEMSYNC_CAUSE_TOO_EARLY);
	/* A line short. */
	assert_ok(gpu_fill(w.sim.gpu, w.va + 16384, 1, 256));
	assert_ok(gemsync_bo_invalidate(w.bo, 16384, 192));
	assert_int_equal(load(&w, 16384 + 192), 0);
	assert_stale(&w, 16384 + 192, GEMSYNC_CAUSE_TOO_SHORT);
	/* In a loop: each job's is told. */
	for (i = 2; i < 5; i++) {
		assert_ok(gpu_write32(w.sim.gpu, w.va + 20480, i));
		assert_int_equal(load(&w, 20480), 0);
		assert_int_equal(next_of(&w).times, i - 1);
	}
	close_watched(&w);
}

/* The twins. */
static void fresh_loads_are_not_blamed(void **state)
{
	struct watched w = open_watched();

	(void)state;
	assert_ok(gpu_fill(w.sim.gpu, w.va, 7, 8192));
	assert_ok(gemsync_bo_invalidate(w.bo, 0, 8192));
	assert_int_equal(load(&w, 0), 7);
	assert_int_equal(load(&w, 8188), 7);
	/* Lines beside those that the device wrote, and stores. */
	assert_ok(gpu_write32(w.sim.gpu, w.va + 64, 9));
	assert_int_equal(load(&w, 128), 7);
	assert_ok(gpu_fill(w.sim.gpu, w.va + 4096, 9, 64));
	memset(w.map + 4096, 8, 64);
	assert_ok(gemsync_bo_flush(w.bo, 4096, 64));
	/* What a job that runs has written, nobody could know of. */
	assert_ok(gpu_spin_begin(w.sim.gpu, w.va + 32768));
	assert_int_equal(load(&w, 32768), 0);
	*(volatile uint32_t *)(w.map + 32768) = 1;
	assert_ok(gemsync_bo_flush(w.bo, 32768, 4));
	assert_ok(gpu_spin_end(w.sim.gpu));
	assert_int_equal(count_kind(w.sim.dev, GEMSYNC_CPU_READ_STALE), 0);
	close_watched(&w);
}

/* A map whose pages are away is memory like any other, for the kernel too. */
static void watched_maps_work_in_system_calls(void **state)
{
	struct watched w = open_watched();
	uint32_t words[2] = { 0, 0 };
	int fds[2];

	(void)state;
	assert_ok(pipe(fds));
	assert_ok(gpu_fill(w.sim.gpu, w.va, 5, 8192));
	assert_int_equal(write(fds[1], w.map + 64, sizeof(words)), sizeof(words));
	assert_int_equal(read(fds[0], words, sizeof(words)), sizeof(words));
	assert_int_equal(words[0], 0);
	assert_stale(&w, 64, GEMSYNC_CAUSE_MISSING);
	assert_ok(gemsync_bo_invalidate(w.bo, 0, 8192));
	assert_ok(gpu_fill(w.sim.gpu, w.va + 4096, 6, 64));
	words[1] = 8;
	assert_int_equal(write(fds[1], words, sizeof(words)), sizeof(words));
	assert_int_equal(read(fds[0], w.map + 4096, sizeof(words)), sizeof(words));
	assert_int_equal(load(&w, 4096 + 4), 8);
	close(fds[0]);
	close(fds[1]);
	close_watched(&w);
}

static uint64_t count_violations(struct gemsync_device *dev)
{
	uint64_t count, sum = 0;
	int kind;

	for (kind = 0; gemsync_device_violation_count(dev, kind, &count) != -EINVAL; kind++)
		sum += count;
	assert_true(kind > 0);
	return sum;
}

/* However often a program is right, it is never blamed; its twin that forgets flushes is. */
static void right_programs_are_not_blamed(void **state)
{
	static const char *const names[] = {
		"sim", "sim:mode=kind", "sim:mode=chaos,seed=3", "sim:driver=panfrost,line=32",
		"sim:watch=loads",
	};
	struct random_ops_report report;
	struct sim sim;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!can_open(names[i]))
			continue;
		sim = open_sim(names[i]);
		assert_ok(random_ops_run(sim.dev, sim.gpu, 7 + i, 100000, false, &report));
		assert_int_equal(report.bytes_wrong, 0);
		assert_int_equal(count_violations(sim.dev), 0);
		assert_ok(random_ops_run(sim.dev, sim.gpu, 7 + i, 1000, true, &report));
		assert_true(count_violations(sim.dev) > 0);
		close_sim(&sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(no_kernel),
		cmocka_unit_test(policies),
		cmocka_unit_test(rules_of_panfrost),
		cmocka_unit_test(addresses_of_panfrost),
		cmocka_unit_test(patience_of_panfrost),
		cmocka_unit_test(labels),
		cmocka_unit_test(devices_are_separate),
		cmocka_unit_test(close_while_a_stream_runs),
		cmocka_unit_test(huge_bo),
		cmocka_unit_test(chaos_moves_lines),
		cmocka_unit_test(chaos_repeats),
		cmocka_unit_test(right_programs_are_not_blamed),
		cmocka_unit_test(stale_loads_are_told),
		cmocka_unit_test(fresh_loads_are_not_blamed),
		cmocka_unit_test(watched_maps_work_in_system_calls),
	};

	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
