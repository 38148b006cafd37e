// SPDX-License-Identifier: MIT
/*
 * The back ends of one architecture on a CPU that records (fake/fake.h): which lines are
 * maintained, how, and in which order (R1, R4, R25); copies on a pretended cache (R26).
 *
 * It is built once for each architecture, of which it needs nothing: it runs anywhere.
 */
#include "unit.h"

#include "../../lib/cpu/cpu.c"

#include "backends.h"

#define MEMORY	(40u << 20)
#define ALIGN	4096u
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define SMALL	(4096u + 512)	/* what is checked around small copies */

static struct {
	char *view, *memory, *base, *plain;
} mem;

/* What gemsync/cpu.h does next is as in a new process on that machine. */
static void restart(const struct fake_machine *machine, const char *forced)
{
	chosen = 0;
	fake_machine = *machine;
	if (forced)
		setenv("GEMSYNC_CPU", forced, 1);
	else
		unsetenv("GEMSYNC_CPU");
	fake_begin();
}

/* With back end @i; fake_line is set. */
static void use(size_t i)
{
	struct gemsync_cpu_info info;

	restart(&has_all, backends[i].name);
	assert_int_equal(gemsync_cpu_query(&info), 0);
	assert_string_equal(info.backend, backends[i].name);
	fake_line = info.line_size;
}

/* ---- What is chosen ---- */

/* R24 */
static void each_machine_gets_its_back_end(void **state)
{
	struct gemsync_cpu_info info;
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < machine_count; i++) {
		printf("# %s\n", machines[i].what);
		restart(&machines[i].fake, NULL);
		ret = gemsync_cpu_query(&info);
		assert_int_equal(ret, machines[i].line ? 0 : -EOPNOTSUPP);
		assert_string_equal(info.backend, machines[i].chosen);
		assert_int_equal(info.line_size, machines[i].line);
		assert_int_equal(info.granule, machines[i].granule);
		assert_non_null(info.why);
		assert_true(info.why[0]);
	}
}

static void check_all_refuse(void)
{
	struct gemsync_cpu_info info;
	char byte = 1, other = 2;

	assert_int_equal(gemsync_cpu_query(&info), -EOPNOTSUPP);
	assert_int_equal(info.granule, 4096);
	assert_int_equal(gemsync_cpu_flush(&byte, 1), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_flush(&byte, 0), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_invalidate(&byte, 1), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_flush_unfenced(&byte, 1), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_invalidate_unfenced(&byte, 1), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_fence(GEMSYNC_BEFORE_DEVICE), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_upload(&byte, &other, 1, 0), -EOPNOTSUPP);
	assert_int_equal(gemsync_cpu_readback(&byte, &other, 1), -EOPNOTSUPP);
	assert_int_equal(byte, 1);
	assert_int_equal(fake_count, 0);
}

/* R24: no way around the one that was asked for. */
static void forced_and_not_there_is_an_error(void **state)
{
	struct gemsync_cpu_info info;

	(void)state;
	restart(&has_all, "no such");
	check_all_refuse();
	restart(&has_all, "");
	check_all_refuse();
	if (!lacks_name)
		return;
	restart(&lacks_some, lacks_name);
	check_all_refuse();
	gemsync_cpu_query(&info);
	assert_non_null(strstr(info.why, "GEMSYNC_CPU"));
}

/* ---- Which lines, and how ---- */

static size_t expect(size_t at, enum fake_insn insn, uintptr_t address)
{
	if (insn == NOTHING)
		return at;
	assert_true(at < fake_count);
	assert_int_equal(fake_events[at].insn, insn);
	assert_int_equal(fake_events[at].address, address);
	return at + 1;
}

/* The lines of a range, as the back end maintains them; @at is where the record has them. */
static size_t expect_lines(size_t at, const struct backend *backend, enum fake_insn insn,
			   uintptr_t start, size_t size)
{
	uintptr_t first = start / fake_line * fake_line;
	uintptr_t last = (start + size - 1) / fake_line * fake_line, line;
	unsigned int i;

	if (!size)
		return at;
	at = expect(at, backend->before, 0);
	for (i = 0; i < backend->passes; i++) {
		if (i)
			at = expect(at, backend->to_cpu, 0);
		for (line = first; line <= last; line += fake_line)
			at = expect(at, insn, line);
	}
	for (i = 1; i < backend->last_line; i++)
		at = expect(at, insn, last);
	return at;
}

static void check_range(const struct backend *backend, size_t offset, size_t size)
{
	const char *start = mem.view + offset;
	uintptr_t address = (uintptr_t)start;
	size_t at;

	fake_begin();
	assert_int_equal(gemsync_cpu_flush(start, size), 0);
	at = expect_lines(0, backend, backend->clean, address, size);
	assert_int_equal(expect(at, backend->to_device, 0), fake_count);

	fake_begin();
	assert_int_equal(gemsync_cpu_invalidate(start, size), 0);
	at = expect_lines(0, backend, backend->clean_inval, address, size);
	assert_int_equal(expect(at, backend->to_cpu, 0), fake_count);

	fake_begin();
	assert_int_equal(gemsync_cpu_flush_unfenced(start, size), 0);
	at = expect_lines(0, backend, backend->clean, address, size);
	assert_int_equal(gemsync_cpu_invalidate_unfenced(start, size), 0);
	at = expect_lines(at, backend, backend->clean_inval, address, size);
	assert_int_equal(at, fake_count);
}

/* R1, R4 */
static void lines_maintained_are_lines_overlapping(void **state)
{
	struct rng rng = rng_seeded();
	size_t i, offset, size;

	(void)state;
	for (i = 0; i < backend_count; i++) {
		use(i);
		for (offset = 0; offset < fake_line; offset++)
			for (size = 0; size < 3 * fake_line; size++)
				check_range(&backends[i], offset, size);
		for (size = 0; size < 200; size++)
			check_range(&backends[i], rng_below(&rng, 65536), rng_below(&rng, 65536));
	}
}

/* R25 */
static void fences_belong_to_directions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < backend_count; i++) {
		use(i);
		assert_int_equal(gemsync_cpu_fence(GEMSYNC_BEFORE_DEVICE), 0);
		assert_int_equal(gemsync_cpu_fence(GEMSYNC_BEFORE_CPU), 0);
		assert_int_equal(expect(expect(0, backends[i].to_device, 0), backends[i].to_cpu, 0),
				 fake_count);
		assert_int_equal(gemsync_cpu_fence((enum gemsync_direction)2), -EINVAL);
		assert_int_equal(fake_count, 2);
	}
}

/* R8 */
static void ranges_that_wrap_are_refused(void **state)
{
	const char *near_end = (const char *)(UINTPTR_MAX - 99);
	char byte = 1;

	(void)state;
	use(0);
	assert_int_equal(gemsync_cpu_flush(near_end, 101), -EINVAL);
	assert_int_equal(gemsync_cpu_flush(near_end, 100), -EINVAL);
	assert_int_equal(gemsync_cpu_flush((const char *)2, SIZE_MAX), -EINVAL);
	assert_int_equal(gemsync_cpu_invalidate(near_end, 101), -EINVAL);
	assert_int_equal(gemsync_cpu_flush_unfenced(near_end, 101), -EINVAL);
	assert_int_equal(gemsync_cpu_invalidate_unfenced(near_end, 101), -EINVAL);
	assert_int_equal(gemsync_cpu_upload((char *)near_end, &byte, 101, 0), -EINVAL);
	assert_int_equal(gemsync_cpu_readback(&byte, near_end, 101), -EINVAL);
	assert_int_equal(gemsync_cpu_upload(&byte, mem.view, 1, 2), -EINVAL);
	assert_int_equal(byte, 1);
	assert_int_equal(fake_count, 0);
}

/* ---- Copies ---- */

static void fill(struct rng *rng, char *to, size_t size)
{
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		word = rng_next(rng);
		memcpy(to + i, &word, sizeof(word));
	}
}

/*
 * R26: after an upload all lines of the range are clean, and the bytes around it are as
 * they were.
 */
static void check_upload(size_t offset, const char *from, size_t size, uint32_t flags,
			 size_t around)
{
	size_t first = offset / fake_line * fake_line;
	size_t end = (offset + size + fake_line - 1) / fake_line * fake_line;

	memcpy(mem.memory, mem.view, around);
	fake_begin();
	fake_cache(mem.view, mem.memory, mem.base, around);
	mem.view[first] ^= 1;	/* dirty, beside the range or in it */
	memcpy(mem.plain, mem.view, around);
	memcpy(mem.plain + offset, from, size);
	assert_int_equal(gemsync_cpu_upload(mem.view + offset, from, size, flags), 0);
	assert_memory_equal(mem.view, mem.plain, around);
	if (size)
		assert_memory_equal(mem.memory + first, mem.plain + first, end - first);
}

/* What the device wrote is what the copy has; nothing around the copy changes. */
static void check_readback(struct rng *rng, size_t offset, size_t to, size_t size, size_t around)
{
	char *copy = mem.plain;

	fill(rng, mem.memory, around);
	memset(copy, 0x5a, around);
	fake_begin();
	fake_cache(mem.view, mem.memory, mem.base, around);
	assert_int_equal(gemsync_cpu_readback(copy + to, mem.view + offset, size), 0);
	assert_memory_equal(copy + to, mem.memory + offset, size);
	if (to)
		assert_int_equal(copy[to - 1], 0x5a);
	assert_int_equal(copy[to + size], 0x5a);
}

/* Sizes around those at which the way of copying changes. */
static const size_t large_sizes[] = {
	8192, 32767, 32768, 65536 + 1, 131072, 262143, 262144, 262145, 3u << 17, (1u << 20) - 1,
	1u << 20, (1u << 20) + 63, 3u << 20,
};

static void uploads_leave_clean_lines(void **state)
{
	struct rng rng = rng_seeded();
	size_t i, size, turn, offset;
	unsigned int step;

	(void)state;
	for (i = 0; i < backend_count; i++) {
		use(i);
		fake_keep = false;
		fill(&rng, mem.view, SMALL);
		/* Each offset where the back end has a copy of its own, else some. */
		step = gemsync_cpu_backends[get_choice().row].upload ? 1 : 16;
		for (size = 0; size <= 4200; size++)
			for (offset = 0; offset < fake_line; offset += 1 + rng_below(&rng, step))
				check_upload(offset, mem.base + (36u << 20) + rng_below(&rng, 64),
					     size, rng_below(&rng, 2), SMALL);
		for (turn = 0; turn < ARRAY_SIZE(large_sizes); turn++) {
			size = large_sizes[turn];
			check_upload(turn * 13, mem.base + (20u << 20) + turn, size, turn & 1,
				     size + SMALL);
			check_upload(turn * 17, mem.base + (20u << 20) + turn, size, ~turn & 1,
				     size + SMALL);
		}
		fake_keep = true;
	}
}

static void readbacks_see_what_the_device_wrote(void **state)
{
	struct rng rng = rng_seeded();
	size_t i, size, turn;

	(void)state;
	for (i = 0; i < backend_count; i++) {
		use(i);
		fake_keep = false;
		for (size = 0; size <= 4200; size += 1 + size / 1024)
			for (turn = 0; turn < 3; turn++)
				check_readback(&rng, rng_below(&rng, 256), rng_below(&rng, 64),
					       size, SMALL);
		for (turn = 0; turn < ARRAY_SIZE(large_sizes); turn++)
			check_readback(&rng, turn * 13, turn, large_sizes[turn],
				       large_sizes[turn] + SMALL);
		check_readback(&rng, 5, 3, (33u << 20) + 7, (33u << 20) + SMALL);
		fake_keep = true;
	}
}

static int setup(void **state)
{
	char **buffers[] = { &mem.view, &mem.memory, &mem.base, &mem.plain };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(buffers); i++) {
		*buffers[i] = aligned_alloc(ALIGN, MEMORY);
		if (!*buffers[i])
			return -1;
		memset(*buffers[i], (int)i, MEMORY);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(mem.view);
	free(mem.memory);
	free(mem.base);
	free(mem.plain);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_machine_gets_its_back_end),
		cmocka_unit_test(forced_and_not_there_is_an_error),
		cmocka_unit_test(lines_maintained_are_lines_overlapping),
		cmocka_unit_test(fences_belong_to_directions),
		cmocka_unit_test(ranges_that_wrap_are_refused),
		cmocka_unit_test(uploads_leave_clean_lines),
		cmocka_unit_test(readbacks_see_what_the_device_wrote),
	};

	return cmocka_run_group_tests_name("backends", tests, setup, teardown);
}
