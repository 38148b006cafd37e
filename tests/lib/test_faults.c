// SPDX-License-Identifier: MIT
/* What touching a map costs: faults, and entries where memory is contiguous. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "panthor_calls.h"

#define SIZE		(64 * MIB)
/* What a page table maps. */
#define TABLE		(2 * MIB)

static long minor_faults(void)
{
	struct rusage usage;

	assert_ok(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

static void load(const struct buffer *buf)
{
	for (uint64_t offset = 0; offset < SIZE; offset += PAGE)
		cpu_get(buf, offset);
}

static void touch(struct buffer *buf)
{
	for (uint64_t offset = 0; offset < SIZE; offset += PAGE)
		cpu_put(buf, offset, (uint32_t)offset + 1);
}

static void assert_touched(const struct buffer *buf)
{
	for (uint64_t offset = 0; offset < SIZE; offset += PAGE)
		assert_int_equal(cpu_get(buf, offset), (uint32_t)offset + 1);
}

/* A map may begin inside of a table, and the test has faults of its own. */
static void assert_few_faults(const char *what, long before)
{
	long faults = minor_faults() - before;

	print_message("# %ld faults for %s of 64 MiB\n", faults, what);
	assert_in_range(faults, SIZE / TABLE, SIZE / TABLE + 1 + 32);
}

/* A fault maps all that is in memory anyway, as far as one page table goes. */
static void assert_faults_are_few(struct fixture *f, uint32_t flags)
{
	struct buffer *buf = new_buffer(f, SIZE, flags);
	long before = minor_faults();

	load(buf);
	assert_few_faults("loads", before);
	buf = new_buffer(f, SIZE, flags);
	before = minor_faults();
	touch(buf);
	/* Elsewhere the kernel may have to note for the processor that a page is stored to. */
#if defined(__x86_64__) || defined(__i386__)
	assert_few_faults("stores", before);
#endif
	assert_touched(buf);
}

static void faults_write_combined(void **state)
{
	assert_faults_are_few(need_file(state), 0);
}

static void faults_cached(void **state)
{
	assert_faults_are_few(need_incoherent(state), GEMSYNC_BO_CACHED);
}

/* Bytes of the process's page tables. */
static long table_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmPTE:", 6))
			assert_int_equal(sscanf(line + 6, "%ld", &kib), 1);
	fclose(file);
	assert_true(kib >= 0);
	return kib * 1024;
}

#define SHMEM_HUGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static int set_shmem_huge(const char *value)
{
	int fd = open(SHMEM_HUGE, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, value, strlen(value));
	close(fd);
	return written < 0 ? -errno : 0;
}

/* Entries for 2 MiB each need no page tables. */
static void huge_entries(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf;
	long before, grown;

	if (set_shmem_huge("always"))
		skip_because("tmpfs has no huge pages here: CONFIG_TRANSPARENT_HUGEPAGE, as root");
	buf = new_buffer(f, SIZE, 0);
	assert_ok(set_shmem_huge("never"));
	before = table_bytes();
	touch(buf);
	grown = table_bytes() - before;
	print_message("# %ld bytes of page tables for 64 MiB\n", grown);
	/* A quarter may lie in memory that was not contiguous. */
	assert_in_range(grown, 0, SIZE / TABLE * PAGE / 4);
	assert_touched(buf);
	/* Part of an entry goes: the rest shows what it did. */
	assert_ok(munmap(buf->map + 3 * TABLE + PAGE, PAGE));
	assert_int_equal(cpu_get(buf, 3 * TABLE), (uint32_t)(3 * TABLE) + 1);
	assert_int_equal(cpu_get(buf, 3 * TABLE + 2 * PAGE), (uint32_t)(3 * TABLE + 2 * PAGE) + 1);
}

/*
 * R1, R10: a walk pauses where the memory goes on, too, and so the line of that place is
 * visited once. In pages that are scattered a walk never pauses within a piece.
 */
static void long_walks_in_one_piece(void **state)
{
	struct fixture *f = need_lazy(state);
	const uint64_t line = f->info.line_size;
	const struct {
		uint64_t offset;
		uint64_t size;
	} ranges[] = {
		{ line / 2, 3 * MIB }, { line - 1, MIB }, { MIB - 1, 2 * MIB + 2 },
		{ 1, 8 * MIB - 2 }, { 5 * line + 3, MIB + line }, { 4095, 6 * MIB },
	};
	struct gemsync_counters before;
	struct buffer *buf;
	uint64_t lines;
	size_t i;

	if (set_shmem_huge("always"))
		skip_because("tmpfs has no huge pages here: CONFIG_TRANSPARENT_HUGEPAGE, as root");
	buf = new_buffer(f, 8 * MIB, GEMSYNC_BO_CACHED);
	assert_ok(set_shmem_huge("never"));
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		lines = lines_of(f, ranges[i].offset, ranges[i].size);
		before = lines_now(f);
		assert_ok(gemsync_bo_flush(buf->bo, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, lines, 0);
		before = lines_now(f);
		assert_ok(gemsync_bo_invalidate(buf->bo, ranges[i].offset, ranges[i].size));
		assert_lines(f, &before, lines, lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(faults_write_combined),
		device_test(faults_cached),
		device_test(huge_entries),
		device_test(long_walks_in_one_piece),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
