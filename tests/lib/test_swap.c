// SPDX-License-Identifier: MIT
/*
 * Memory that is really short: the shrinker, and content that went to swap and came
 * back (R9, R17, R18). Needs swap, see tests/vm/swap-on.
 */
#include <string.h>

#include "panthor_calls.h"
#include "pressure.h"

#define SIZE	(16 * MIB)
#define PAGES	(SIZE / PAGE)

static struct fixture *need_swap(void **state)
{
	struct fixture *f = need_eviction(state);

	if (swap_total() < 4 * SIZE)
		skip_because("there is not enough swap: tests/vm/swap-on makes some");
	return f;
}

static struct buffer *filled(struct fixture *f, uint32_t flags, uint32_t seed)
{
	struct buffer *buf = new_buffer(f, SIZE, flags);

	set_label(f, gemsync_bo_handle(buf->bo), "swapped one");
	for (uint32_t offset = 0; offset < SIZE; offset += 508)
		cpu_put(buf, offset, seed + offset);
	return buf;
}

static void assert_filled(const struct buffer *buf, uint32_t seed)
{
	for (uint32_t offset = 0; offset < SIZE; offset += 508)
		assert_int_equal(cpu_get(buf, offset), seed + offset);
}

/* What the CPU reads after an invalidate is memory's content, as the GPU sees it. */
static void assert_memory_filled(struct buffer *buf, uint32_t seed)
{
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, SIZE));
	assert_filled(buf, seed);
}

/*
 * Use memory until the BO was evicted by the kernel, and then until its pages are in
 * swap: more than its size was swapped out after it had gone.
 */
static void push_out(struct fixture *f)
{
	for (int i = 0; i < 20 && resident_pages(f, "swapped one"); i++)
		swap_out(PAGES / 4);
	assert_int_equal(resident_pages(f, "swapped one"), 0);
	swap_out(2 * PAGES);
}

/* Case 54, 55: unflushed data of the CPU, to swap and back into the CPU's view. */
static void cached_view(void **state)
{
	struct fixture *f = need_swap(state);
	struct buffer *buf = filled(f, GEMSYNC_BO_CACHED, 0x1000);
	uint64_t in;

	push_out(f);
	in = vmstat("pswpin");
	assert_filled(buf, 0x1000);
	/* It was there, and nowhere else. */
	assert_true(vmstat("pswpin") - in > PAGES / 2);
	assert_int_equal(gpu_get(f, buf, 508), 0x1000 + 508);
	assert_memory_filled(buf, 0x1000);
}

/* Case 54: the same into the GPU's view, and a map that is write-combined. */
static void gpu_and_wc_view(void **state)
{
	struct fixture *f = need_swap(state);
	struct buffer *buf = filled(f, 0, 0x2000);

	push_out(f);
	assert_int_equal(gpu_get(f, buf, 508), 0x2000 + 508);
	assert_int_equal(gpu_get(f, buf, SIZE / 508 * 508), 0x2000 + SIZE / 508 * 508);
	assert_filled(buf, 0x2000);
}

/* Case 35: a sync of what is in swap swaps nothing in. */
static void sync_of_a_swapped_one(void **state)
{
	struct fixture *f = need_swap(state);
	struct buffer *buf = filled(f, GEMSYNC_BO_CACHED, 0x3000);

	push_out(f);
	assert_ok(gemsync_bo_flush(buf->bo, 0, SIZE));
	assert_ok(gemsync_bo_invalidate(buf->bo, 0, SIZE));
	assert_int_equal(resident_pages(f, "swapped one"), 0);
	assert_filled(buf, 0x3000);
}

/* The shrinker alone, without anybody who needs the memory. */
static void shrinker(void **state)
{
	struct fixture *f = need_swap(state);
	struct buffer *buf = filled(f, GEMSYNC_BO_CACHED, 0x4000);

	for (int i = 0; i < 10 && resident_pages(f, "swapped one"); i++)
		drop_slab();
	assert_int_equal(resident_pages(f, "swapped one"), 0);
	assert_filled(buf, 0x4000);
}

/* It takes what no job can be at, and only that. */
static void shrinker_spares_the_busy(void **state)
{
	struct fixture *f = need_swap(state);
	struct buffer *flag = new_buffer(f, PAGE, 0);

	filled(f, GEMSYNC_BO_CACHED, 0x5000);
	assert_ok(gpu_spin_begin(f->gpu, flag->va));
	for (int i = 0; i < 10; i++)
		drop_slab();
	assert_int_equal(resident_pages(f, "swapped one"), PAGES);
	cpu_put(flag, 0, 1);
	assert_ok(gpu_spin_end(f->gpu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(cached_view),
		device_test(gpu_and_wc_view),
		device_test(sync_of_a_swapped_one),
		device_test(shrinker),
		device_test(shrinker_spares_the_busy),
	};

	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
