// SPDX-License-Identifier: MIT
/*
 * Eviction, where it concerns panthor alone: address spaces, labels, debugfs. The rules
 * are in conformance/cases/eviction.c; swap is in test_swap.c.
 */
#include <string.h>
#include <unistd.h>

#include "panthor_calls.h"
#include "pressure.h"

#define SIZE	(64 * KIB)
#define PAGES	(SIZE / PAGE)

static struct buffer *labelled(struct fixture *f, uint32_t flags)
{
	struct buffer *buf = new_buffer(f, SIZE, flags);

	set_label(f, gemsync_bo_handle(buf->bo), "evicted one");
	return buf;
}

static void assert_resident(struct fixture *f, bool resident)
{
	assert_int_equal(resident_pages(f, "evicted one"), resident ? PAGES : 0);
}

static void assert_evicts(struct fixture *f)
{
	assert_resident(f, true);
	assert_true(evict_all(f) >= PAGES);
	assert_resident(f, false);
}

/* A BO that no address space maps, and one that the CPU does not map. */
static void views_of_one_kind(void **state)
{
	struct fixture *f = need_eviction(state);
	struct gemsync_bo *unbound, *hidden;
	uint32_t value;
	uint64_t va;
	void *map;

	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_CACHED, &unbound));
	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_NO_MMAP, &hidden));
	assert_ok(gemsync_bo_map(unbound, &map));
	memset(map, 0x5a, SIZE);
	assert_ok(gpu_bind(f->gpu, hidden, &va));
	assert_ok(gpu_fill(f->gpu, va, 0x600d, SIZE));
	assert_true(evict_all(f) >= 2 * PAGES);
	assert_int_equal(((uint8_t *)map)[SIZE - 1], 0x5a);
	assert_ok(gpu_read32(f->gpu, va + SIZE - 4, &value));
	assert_int_equal(value, 0x600d);
	gemsync_bo_destroy(unbound);
	gemsync_bo_destroy(hidden);
}

/*
 * A BO that was bound while a job ran does not know of the job, which may access it all
 * the same; neither does one that another file's job uses.
 */
static void bound_while_a_job_runs(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *flag = new_buffer(f, PAGE, 0);
	struct drm_panthor_vm_bind_op op;
	struct gemsync_bo *bo;

	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	set_label(f, gemsync_bo_handle(bo), "evicted one");
	op = map_op(bo, BASE, SIZE, NULL, 0);
	assert_ok(bind_sync(f, f->vm, &op, 1));
	evict_all(f);
	assert_resident(f, true);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
	assert_evicts(f);
	gemsync_bo_destroy(bo);
}

/* Without swap evicted pages free no memory, so the shrinker leaves them alone. */
static void not_without_swap(void **state)
{
	struct fixture *f = need_eviction(state);

	if (swap_total())
		skip_because("there is swap: run without");
	labelled(f, GEMSYNC_BO_CACHED);
	drop_slab();
	assert_resident(f, true);
	assert_evicts(f);
}

/* What is evicted comes back, so its lines are dropped; what is freed does not. */
static void freed_without_maintenance(void **state)
{
	struct fixture *f = need_eviction(state);
	struct gemsync_counters before;
	struct gemsync_bo *bo;
	void *map;

	need_lazy(state);
	assert_ok(gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_CACHED, &bo));
	assert_ok(gemsync_bo_map(bo, &map));
	memset(map, 0x5a, SIZE);
	before = lines_now(f);
	assert_true(evict_all(f) >= PAGES);
	assert_true(lines_now(f).lines_dropped - before.lines_dropped >= lines_of(f, 0, SIZE));
	memset(map, 0xa5, SIZE);
	before = lines_now(f);
	gemsync_bo_destroy(bo);
	assert_lines(f, &before, 0, 0);
}

#define GPU_PAGES	64	/* of the BO through which the GPU's data goes */

static void so_many_pages(void **state)
{
	struct fixture *f = need_eviction(state);
	uint64_t before, went;

	for (int i = 0; i < 4; i++)
		new_buffer(f, SIZE, 0);
	before = debugfs_number(f, "evict", "evicted");
	assert_ok(write_debugfs(f, "evict", "17"));
	went = debugfs_number(f, "evict", "evicted") - before;
	/* Whole BOs, and not one more than needed; the GPU's own is the largest. */
	assert_in_range(went, 17, 16 + GPU_PAGES);
	assert_int_equal(write_debugfs(f, "evict", "many"), -EINVAL);
	assert_int_equal(write_debugfs(f, "evict", "-1"), -EINVAL);
	assert_int_equal(write_debugfs(f, "evict", "00000000000000000000"), -EINVAL);
	assert_ok(write_debugfs(f, "evict", "0"));
	assert_int_equal(debugfs_number(f, "evict", "evicted") - before, went);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(views_of_one_kind),
		device_test(bound_while_a_job_runs),
		device_test(not_without_swap),
		device_test(freed_without_maintenance),
		device_test(so_many_pages),
	};

	return cmocka_run_group_tests_name("eviction", tests, NULL, NULL);
}
