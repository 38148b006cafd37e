// SPDX-License-Identifier: MIT
/* Heaps: they grow when the GPU touches them, and there is never anything to sync. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panfrost_calls.h"

#define HEAP	(PANFROST_BO_HEAP | PANFROST_BO_NOEXEC)
#define PAGES	"drm_gem_sync/parameters/pages"

/*
 * Pages that objects have. Those that are ready for heaps to grow by are nobody's so far:
 * they come at a submit, and again behind the GPU's back.
 */
static long used_pages(void)
{
	return pf_module_value(PAGES) - pf_module_value("vgpu/parameters/reserved_pages");
}

/*
 * The same, when heaps of files that were just closed are gone: what is made ready for them is
 * made to its end, then it is nobody's no longer, and then it goes, chunk by chunk.
 */
static long settled_pages(void)
{
	long used = used_pages(), all = pf_module_value(PAGES);
	long used_before, all_before;
	unsigned int same = 0;

	while (same < 10) {
		usleep(50000);
		used_before = used;
		all_before = all;
		used = used_pages();
		all = pf_module_value(PAGES);
		same = used == used_before && all == all_before ? same + 1 : 0;
	}
	return used;
}

/* It comes to this and no other number; what is ready may be in the making. */
#define assert_used_pages(pages) check_used_pages(pages, __FILE__, __LINE__)

static void check_used_pages(long pages, const char *file, int line)
{
	uint32_t i;

	for (i = 0; i < 100 && used_pages() != pages; i++)
		usleep(20000);
	_assert_int_equal(used_pages(), pages, file, line);
}

/* Bytes of this file that are in memory. */
static long resident(struct fixture *f)
{
	char path[64], line[256], unit[8];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "drm-resident-memory: %ld %7s", &value, unit) == 2)
			value *= unit[0] == 'M' ? (long)MIB : (long)KIB;
	}
	fclose(file);
	return value;
}

/* Where the GPU touches it, and nowhere else: 2 MiB at once, and what is left at the end. */
static void grows_where_it_is_touched(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	uint32_t heap = pf_new_bo(f->fd, 64 * MIB + 3 * PAGE, HEAP);
	uint64_t va = pf_bo_va(f->fd, heap);
	long before = settled_pages(), in_file = resident(f);

	chain.jobs[0] = jm_write_value(va + 10 * MIB, JM_IMM32, 7, 0);
	assert_ok(run_chain(&chain));
	assert_used_pages(before + CHUNK / PAGE);
	assert_int_equal(resident(f) - in_file, CHUNK);
	/* In the same chunk. */
	chain.jobs[0] = jm_write_value(va + 12 * MIB - 8, JM_IMM64, 7, 0);
	assert_ok(run_chain(&chain));
	assert_used_pages(before + CHUNK / PAGE);
	/* In the last one, which is short. */
	chain.jobs[0] = jm_write_value(va + 64 * MIB + 3 * PAGE - 4, JM_IMM32, 7, 0);
	assert_ok(run_chain(&chain));
	assert_used_pages(before + CHUNK / PAGE + 3);
	chain.jobs[0] = jm_write_value(va + 64 * MIB + 3 * PAGE, JM_IMM32, 7, 0);
	assert_int_equal(run_chain(&chain), -EINVAL);
	assert_used_pages(before + CHUNK / PAGE + 3);
}

/* R17: what is new is zero, also over a boundary; what was written stays. */
static void keeps_what_is_written(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct chain chain = new_chain(f);
	uint64_t va = pf_bo_va(f->fd, pf_new_bo(f->fd, 8 * MIB, HEAP));
	uint32_t copy = pf_new_bo(f->fd, PAGE, PANFROST_BO_NOEXEC), i;
	volatile uint32_t *seen = pf_map_bo(f->fd, copy, PAGE);

	/* The copy comes to the second chunk in its middle. */
	memset((void *)seen, 0x55, PAGE);
	chain.jobs[0] = jm_copy(pf_bo_va(f->fd, copy), va + CHUNK - PAGE / 2, PAGE, 0);
	assert_ok(run_chain(&chain));
	for (i = 0; i < PAGE / 4; i++)
		assert_int_equal(seen[i], 0);
	chain.jobs[0] = jm_write_value(va + CHUNK - 8, JM_IMM64, 0x1122334455667788,
				       job_va(&chain, 1));
	chain.jobs[1] = jm_write_value(va + CHUNK, JM_IMM64, 0x99aabbccddeeff00,
				       job_va(&chain, 2));
	chain.jobs[2] = jm_copy(pf_bo_va(f->fd, copy), va + CHUNK - 8, 16, 0);
	assert_ok(run_chain(&chain));
	assert_int_equal(seen[0], 0x55667788);
	assert_int_equal(seen[3], 0x99aabbcc);
}

/* R9, case 33: before and after it has grown: no lines, no pages. */
static void sync_does_nothing(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_bo_sync_op op = { .size = 4 * MIB };
	struct chain chain = new_chain(f);
	struct gemsync_counters before;
	long pages;

	op.handle = pf_new_bo(f->fd, 4 * MIB, HEAP);
	pages = settled_pages();
	before = lines_now(f);
	for (op.type = 0; op.type < 2; op.type++)
		assert_ok(pf_sync_bo(f->fd, &op, 1));
	assert_lines(f, &before, 0, 0);
	assert_used_pages(pages);
	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, op.handle), JM_IMM32, 1, 0);
	assert_ok(run_chain(&chain));
	before = lines_now(f);
	op.type = 1;
	assert_ok(pf_sync_bo(f->fd, &op, 1));
	assert_lines(f, &before, 0, 0);
	assert_used_pages(pages + (long)(CHUNK / PAGE));
	/* What is refused is refused for heaps too (R8). */
	op.size = 4 * MIB + 1;
	assert_int_equal(pf_sync_bo(f->fd, &op, 1), -EINVAL);
}

/* ---- Case 60: syncs while it grows ---- */

struct syncer {
	struct fixture *f;
	uint32_t heap;
	atomic_bool stop;
	atomic_int error;
	unsigned long syncs;
};

static void *sync_loop(void *arg)
{
	struct syncer *syncer = arg;
	struct drm_panfrost_bo_sync_op op = {
		.handle = syncer->heap, .type = 1, .size = 64 * MIB,
	};

	while (!atomic_load(&syncer->stop)) {
		int ret = pf_sync_bo(syncer->f->fd, &op, 1);

		if (ret)
			atomic_store(&syncer->error, ret);
		syncer->syncs++;
	}
	return NULL;
}

static void sync_while_it_grows(void **state)
{
	struct fixture *f = need_panfrost(state);
	static struct syncer syncer;
	struct chain chain = new_chain(f);
	uint32_t i, round;

	syncer = (struct syncer){ .f = f };
	for (round = 0; round < 4; round++) {
		uint64_t va;

		syncer.heap = pf_new_bo(f->fd, 64 * MIB, HEAP);
		va = pf_bo_va(f->fd, syncer.heap);
		start_worker(f, sync_loop, &syncer, &syncer.stop);
		for (i = 0; i < 16; i++)
			chain.jobs[i] = jm_write_value(va + i * 4 * MIB, JM_IMM32, i,
						       i < 15 ? job_va(&chain, i + 1) : 0);
		assert_ok(run_chain(&chain));
		stop_worker(f);
		pf_close_bo(f->fd, syncer.heap);
	}
	assert_int_equal(atomic_load(&syncer.error), 0);
	assert_true(syncer.syncs > 0);
}

/* The handle goes while the GPU makes the heap grow: whoever named it goes on. */
static void close_while_it_grows(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	uint32_t i, round, bos[2], done = pf_new_syncobj(f->fd);
	struct drm_panfrost_submit args = submit_args(&chain, done);

	for (round = 0; round < 6; round++) {
		uint64_t va;

		bos[0] = pf_new_bo(f->fd, 64 * MIB, HEAP);
		bos[1] = chain.bo;
		va = pf_bo_va(f->fd, bos[0]);
		for (i = 0; i < 8; i++)
			chain.jobs[i] = jm_write_value(va + i * 8 * MIB, JM_IMM32, i,
						       i < 7 ? job_va(&chain, i + 1) : 0);
		args.bo_handles = (uintptr_t)bos;
		args.bo_handle_count = round % 2 ? 2 : 0;
		if (!args.bo_handle_count)
			args.bo_handles = 0;
		assert_ok(pf_submit(f->fd, &args));
		pf_close_bo(f->fd, bos[0]);
		assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
		if (args.bo_handle_count)
			assert_ok(pf_syncobj_error(f->fd, done));
		assert_ok(drmSyncobjReset(f->fd, &done, 1));
	}
}

/* Two address spaces see one memory, whoever made it grow. */
static void shared_heap(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	int other = gemsync_device_fd(fixture_other(f)), fd;
	uint32_t heap = pf_new_bo(f->fd, 8 * MIB, HEAP), imported;
	uint32_t copy = pf_new_bo(other, PAGE, PANFROST_BO_NOEXEC);
	volatile uint32_t *seen = pf_map_bo(other, copy, PAGE);
	struct chain chain = new_chain(f), far = new_chain_on(other);

	assert_ok(drmPrimeHandleToFD(f->fd, heap, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other, fd, &imported));
	close(fd);
	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, heap) + 5 * MIB, JM_IMM32, 0x1234, 0);
	assert_ok(run_chain(&chain));
	far.jobs[0] = jm_copy(pf_bo_va(other, copy), pf_bo_va(other, imported) + 5 * MIB, 4, 0);
	assert_ok(run_chain(&far));
	assert_int_equal(seen[0], 0x1234);
}

/* Shared memory is not one file's to give up, also before it has grown. */
static void shared_heap_is_needed(void **state)
{
	struct fixture *f = need_panfrost(state);
	int other = gemsync_device_fd(fixture_other(f)), fd;
	uint32_t heap = pf_new_bo(f->fd, 8 * MIB, HEAP), imported, retained;

	assert_ok(pf_madvise_bo(f->fd, heap, PANFROST_MADV_DONTNEED, &retained));
	assert_ok(pf_madvise_bo(f->fd, heap, PANFROST_MADV_WILLNEED, &retained));
	assert_ok(drmPrimeHandleToFD(f->fd, heap, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other, fd, &imported));
	close(fd);
	assert_int_equal(pf_madvise_bo(f->fd, heap, PANFROST_MADV_DONTNEED, &retained), -EINVAL);
	assert_int_equal(pf_madvise_bo(other, imported, PANFROST_MADV_DONTNEED, &retained),
			 -EINVAL);
	pf_close_bo(other, imported);
	assert_ok(pf_madvise_bo(f->fd, heap, PANFROST_MADV_DONTNEED, &retained));
}

/* What a heap has goes with it. */
static void memory_comes_back(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	long before = settled_pages(), all = pf_module_value(PAGES);
	uint32_t heap = pf_new_bo(f->fd, 32 * MIB, HEAP), i;

	for (i = 0; i < 16; i++)
		chain.jobs[i] = jm_write_value(pf_bo_va(f->fd, heap) + i * CHUNK, JM_IMM32, i,
					       i < 15 ? job_va(&chain, i + 1) : 0);
	assert_ok(run_chain(&chain));
	assert_used_pages(before + 32 * MIB / PAGE);
	pf_close_bo(f->fd, heap);
	assert_used_pages(before);
	/* Also what was ready for it, beside what was still going when the test began. */
	for (i = 0; i < 100 && pf_module_value(PAGES) > all; i++)
		usleep(20000);
	assert_in_range(pf_module_value(PAGES), 0, all);
}

/* ---- Who pays ---- */

#define GROUP	"/gemsync-heap"

static int write_to(const char *dir, const char *file, const char *text)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	stream = fopen(path, "we");
	if (!stream)
		return -errno;
	fputs(text, stream);
	return fclose(stream) ? -errno : 0;
}

/* A group that counts memory, below @root, where the groups are mounted. */
static void make_group(char *root, char *group, size_t size)
{
	assert_non_null(mkdtemp(root));
	if (mount("none", root, "cgroup2", 0, NULL)) {
		rmdir(root);
		skip_because("no control groups: run as root, in a VM");
	}
	snprintf(group, size, "%s" GROUP, root);
	if (write_to(root, "cgroup.subtree_control", "+memory") ||
	    (mkdir(group, 0700) && errno != EEXIST)) {
		umount(root);
		rmdir(root);
		skip_because("groups that count memory are not to be had: run in a VM");
	}
}

static long memory_of(const char *group)
{
	char path[128];
	long bytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &bytes), 1);
	fclose(file);
	return bytes;
}

/*
 * A heap's memory is its maker's to pay for, whose submit it is that it grows in, and
 * whatever makes it ready behind the GPU's back.
 */
static void its_maker_pays(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	char root[] = "/tmp/gemsync-groups-XXXXXX", group[64];
	struct chain chain = new_chain(f);
	uint32_t heap, i;
	long before;

	make_group(root, group, sizeof(group));
	assert_ok(write_to(group, "cgroup.procs", "0"));
	heap = pf_new_bo(f->fd, 128 * MIB, HEAP);
	assert_ok(write_to(root, "cgroup.procs", "0"));
	before = memory_of(group);
	for (i = 0; i < 12; i++)
		chain.jobs[i] = jm_write_value(pf_bo_va(f->fd, heap) + i * CHUNK, JM_IMM32, i,
					       i < 11 ? job_va(&chain, i + 1) : 0);
	assert_ok(run_chain(&chain));
	/* Those 12, and the 16 that are ready again. */
	for (i = 0; i < 200 && memory_of(group) - before < (long)(28 * CHUNK); i++)
		usleep(20000);
	assert_in_range(memory_of(group) - before, 28 * CHUNK, 30 * CHUNK);
	pf_close_bo(f->fd, heap);
	rmdir(group);
	umount(root);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(grows_where_it_is_touched),
		device_test(keeps_what_is_written),
		device_test(sync_does_nothing),
		device_test(sync_while_it_grows),
		device_test(close_while_it_grows),
		device_test(shared_heap),
		device_test(shared_heap_is_needed),
		device_test(memory_comes_back),
		device_test(its_maker_pays),
	};

	return cmocka_run_group_tests_name("panfrost_heap", tests, NULL, NULL);
}
