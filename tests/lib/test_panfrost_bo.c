// SPDX-License-Identifier: MIT
/* BOs of panfrost: creation, addresses, maps, waits, queries; each bad call in one thing. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panfrost_calls.h"
#include "pressure.h"

#define NOEXEC	PANFROST_BO_NOEXEC
#define HEAP	(PANFROST_BO_HEAP | PANFROST_BO_NOEXEC)
#define WB	PANFROST_BO_WB_MMAP
#define GIB	(1024ull * MIB)

static void bad_creations(void **state)
{
	static const struct {
		const char *what;
		struct drm_panfrost_create_bo args;
	} cases[] = {
		{ "size 0", { .size = 0 } },
		{ "pad", { .size = 4096, .pad = 1 } },
		{ "unknown flag", { .size = 4096, .flags = 8 } },
		{ "unknown high flag", { .size = 4096, .flags = 0x80000000 } },
		{ "executable heap", { .size = 4096, .flags = PANFROST_BO_HEAP } },
		{ "executable cached heap", { .size = 4096, .flags = PANFROST_BO_HEAP | WB } },
		{ "cached heap", { .size = 4096, .flags = HEAP | WB } },
	};
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_create_bo args;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = cases[i].args;
		if (raw_ioctl(f->fd, DRM_IOCTL_PANFROST_CREATE_BO, &args) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
		assert_int_equal(args.handle, 0);
	}
}

/* R23: every combination that can be created is reported as it was created. */
static void creations(void **state)
{
	static const uint32_t flags[] = { 0, NOEXEC, WB, NOEXEC | WB, HEAP };
	struct fixture *f = need_panfrost(state);
	uint32_t create, extra;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		uint32_t bo = pf_new_bo(f->fd, 1, flags[i]);

		assert_ok(pf_query_bo(f->fd, bo, &create, &extra));
		assert_int_equal(create, flags[i]);
		assert_int_equal(extra, 0);
		pf_close_bo(f->fd, bo);
	}
}

/* What the call only writes may hold anything before; what it reads may not. */
static void queries(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_query_bo_info args = {
		.handle = pf_new_bo(f->fd, 4096, 0),
		.extra_flags = UINT32_MAX,
		.create_flags = UINT32_MAX,
		.pad = UINT32_MAX,
	};

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_QUERY_BO_INFO, &args));
	assert_int_equal(args.extra_flags | args.create_flags | args.pad, 0);
	args.handle = NO_HANDLE;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_QUERY_BO_INFO, &args), -ENOENT);
}

/* As IGT expects it of panthor, see ioctl_errors: no offset is a multiple of 4 GiB. */
static void mmap_offsets(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_mmap_bo args;
	unsigned int handle, found = 0;

	/* The fixture's own are the device's first. */
	pf_new_bo(f->fd, PAGE, 0);
	for (handle = 1; handle < 64; handle++) {
		args = (struct drm_panfrost_mmap_bo){ .handle = handle };
		if (raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args))
			continue;
		assert_int_not_equal((uint32_t)args.offset, 0);
		found++;
	}
	assert_true(found > 1);
}

/* ---- Addresses ---- */

static void addresses(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_create_bo args = { .size = 3 * PAGE - 1 };
	struct chain chain = new_chain(f);
	struct drm_panfrost_get_bo_offset unknown = { .handle = NO_HANDLE };
	uint64_t va;

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_CREATE_BO, &args));
	va = pf_bo_va(f->fd, args.handle);
	assert_int_equal(va, args.offset);
	assert_int_equal(va % PAGE, 0);
	assert_true(va >= 32 * MIB);
	/* What leaves it at its end finds nothing. */
	chain.jobs[0] = jm_write_value(va + 3 * PAGE - 4, JM_IMM32, 1, 0);
	assert_ok(run_chain(&chain));
	chain.jobs[0] = jm_write_value(va + 3 * PAGE, JM_IMM32, 1, 0);
	assert_int_equal(run_chain(&chain), -EINVAL);
	/* Not twice the same. */
	assert_true(pf_bo_va(f->fd, pf_new_bo(f->fd, PAGE, NOEXEC)) != va);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_GET_BO_OFFSET, &unknown), -ENOENT);
}

/* Shaders have 24-bit program counters: what is executable lies between two multiples. */
static void executable_bos(void **state)
{
	struct fixture *f = need_panfrost(state);
	const uint64_t size = 5 * MIB, block = 16 * MIB;
	size_t i;

	for (i = 0; i < 8; i++) {
		uint64_t va = pf_bo_va(f->fd, pf_new_bo(f->fd, size, 0));

		assert_int_equal(va / block, (va + size - 1) / block);
	}
}

/* Large ones begin where large pages do. */
static void large_bos(void **state)
{
	struct fixture *f = need_panfrost(state);

	pf_new_bo(f->fd, PAGE, NOEXEC);
	assert_int_equal(pf_bo_va(f->fd, pf_new_bo(f->fd, 2 * MIB, NOEXEC)) % (2 * MIB), 0);
}

/* Every file has an address space of its own (R20). */
static void address_space_per_file(void **state)
{
	struct fixture *f = need_panfrost(state);
	int other = gemsync_device_fd(fixture_other(f)), fd;
	struct chain chain = new_chain_on(other);
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC), imported;
	uint64_t far = pf_bo_va(f->fd, pf_new_bo(f->fd, 64 * MIB, HEAP));

	/* What only the first file has mapped there is nothing to the other. */
	chain.jobs[0] = jm_write_value(far, JM_IMM32, 1, 0);
	assert_int_equal(run_chain(&chain), -EINVAL);
	/* A shared object has an address in each. */
	assert_ok(drmPrimeHandleToFD(f->fd, bo, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other, fd, &imported));
	close(fd);
	chain.jobs[0] = jm_write_value(pf_bo_va(other, imported), JM_IMM32, 5, 0);
	assert_ok(run_chain(&chain));
	assert_int_equal(*(uint32_t *)pf_map_bo(f->fd, bo, PAGE), 5);
}

/* There are not quite 4 GiB of them; heaps take addresses and no memory. */
static void addresses_run_out(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t handles[8] = { 0 }, count = 0, last = 0;
	int ret;

	while (!(ret = pf_create_bo(f->fd, 1 * GIB, HEAP, &last))) {
		assert_true(count < ARRAY_SIZE(handles));
		handles[count++] = last;
	}
	/* -ENOMEM comes first where an object is larger than the machine's memory. */
	if (ret == -ENOMEM && !count)
		skip_because("an object of 1 GiB is larger than memory: run with more of it");
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(count, 3);
	pf_close_bo(f->fd, handles[1]);
	assert_ok(pf_create_bo(f->fd, 1 * GIB, HEAP, &last));
}

/* ---- Maps ---- */

static void bad_maps(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_mmap_bo args = { .handle = pf_new_bo(f->fd, PAGE, 0), .flags = 1 };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args), -EINVAL);
	args.flags = 0;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args));
	args.handle = NO_HANDLE;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args), -ENOENT);
}

static int map_errno(int fd, uint64_t offset)
{
	void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, PAGE);
	return 0;
}

/* R16: no offset, and none that is guessed, nor through its dma-buf. */
static void heaps_are_not_mapped(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_mmap_bo before = { .handle = pf_new_bo(f->fd, PAGE, 0) };
	struct drm_panfrost_mmap_bo heap = { .handle = pf_new_bo(f->fd, PAGE, HEAP) };
	struct drm_panfrost_mmap_bo behind = { .handle = pf_new_bo(f->fd, PAGE, 0) };
	uint64_t offset, end;
	int fd;

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &heap), -EINVAL);
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &before));
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_MMAP_BO, &behind));
	end = before.offset > behind.offset ? before.offset : behind.offset;
	offset = before.offset < behind.offset ? before.offset : behind.offset;
	for (; offset <= end + 4 * PAGE; offset += PAGE) {
		if (offset != before.offset && offset != behind.offset)
			assert_int_equal(map_errno(f->fd, offset), -EINVAL);
	}
	assert_ok(drmPrimeHandleToFD(f->fd, heap.handle, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_int_equal(map_errno(fd, 0), -EINVAL);
	close(fd);
}

/* ---- Waits ---- */

static void bad_waits(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_wait_bo args = { .handle = pf_new_bo(f->fd, PAGE, 0), .pad = 1 };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_WAIT_BO, &args), -EINVAL);
	assert_int_equal(pf_wait_bo(f->fd, NO_HANDLE, 0), -ENOENT);
	assert_ok(pf_wait_bo(f->fd, args.handle, 0));
}

static void waits(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	uint32_t bos[2] = { pf_new_bo(f->fd, PAGE, NOEXEC), pf_new_bo(f->fd, PAGE, NOEXEC) };
	struct chain chain = new_chain(f);
	volatile uint32_t *word = pf_map_bo(f->fd, bos[0], PAGE);
	struct drm_panfrost_submit args = submit_args(&chain, 0);

	assert_true(word != MAP_FAILED);
	chain.jobs[0] = jm_wait(pf_bo_va(f->fd, bos[0]), 0, 0);
	args.bo_handles = (uintptr_t)bos;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(f->fd, &args));
	assert_int_equal(pf_wait_bo(f->fd, bos[0], 0), -EBUSY);
	assert_int_equal(pf_wait_bo(f->fd, bos[0], 50 * MSEC), -ETIMEDOUT);
	/* One that the submit did not name is free. */
	assert_ok(pf_wait_bo(f->fd, bos[1], 0));
	*word = 1;
	assert_ok(pf_wait_bo(f->fd, bos[0], LONG_NS));
	assert_ok(pf_wait_bo(f->fd, bos[0], 0));
}

/* ---- Labels ---- */

static int label_bo(struct fixture *f, uint32_t handle, const void *label, uint32_t pad)
{
	struct drm_panfrost_set_label_bo args = {
		.handle = handle, .label = (uintptr_t)label, .pad = pad,
	};

	return raw_ioctl(f->fd, DRM_IOCTL_PANFROST_SET_LABEL_BO, &args);
}

static void labels(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, 0);
	char label[4097];

	memset(label, 'x', 4096);
	label[4096] = '\0';
	assert_int_equal(label_bo(f, bo, label, 0), -E2BIG);
	assert_ok(label_bo(f, bo, label + 1, 0));
	assert_int_equal(label_bo(f, bo, "label", 1), -EINVAL);
	assert_int_equal(label_bo(f, NO_HANDLE, "label", 0), -ENOENT);
	assert_int_equal(label_bo(f, bo, (void *)8, 0), -EFAULT);
	assert_ok(label_bo(f, bo, "label", 0));
	assert_ok(label_bo(f, bo, NULL, 0));
}

/* ---- Advice ---- */

static void advice(void **state)
{
	struct fixture *f = need_panfrost(state);
	int other = gemsync_device_fd(fixture_other(f)), fd;
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC), retained = 0, imported;

	assert_int_equal(pf_madvise_bo(f->fd, bo, 2, &retained), -EINVAL);
	assert_int_equal(pf_madvise_bo(f->fd, bo, UINT32_MAX, &retained), -EINVAL);
	assert_int_equal(pf_madvise_bo(f->fd, NO_HANDLE, PANFROST_MADV_WILLNEED, &retained),
			 -ENOENT);
	assert_ok(pf_madvise_bo(f->fd, bo, PANFROST_MADV_DONTNEED, &retained));
	assert_int_equal(retained, 1);
	retained = 0;
	assert_ok(pf_madvise_bo(f->fd, bo, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(retained, 1);
	/* What another file uses is needed, whatever this one says. */
	assert_ok(drmPrimeHandleToFD(f->fd, bo, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other, fd, &imported));
	close(fd);
	assert_int_equal(pf_madvise_bo(f->fd, bo, PANFROST_MADV_DONTNEED, &retained), -EINVAL);
	assert_ok(pf_madvise_bo(other, imported, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(retained, 1);
}

static void purge_all(struct fixture *f)
{
	int ret = write_debugfs(f, "purge", "all");

	if (ret)
		skip_because("debugfs does not purge: run as root on an emulated device");
}

/* What the user does not need counts as purgeable while it is there: bound means populated. */
static void unneeded_in_fdinfo(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t bo = pf_new_bo(f->fd, 4 * PAGE, NOEXEC), retained;
	const char *key = "drm-purgeable-memory";
	int64_t before = fdinfo_memory(f, key);

	assert_ok(pf_madvise_bo(f->fd, bo, PANFROST_MADV_DONTNEED, &retained));
	assert_int_equal(fdinfo_memory(f, key), before + 4 * (int64_t)PAGE);
	assert_ok(pf_madvise_bo(f->fd, bo, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(fdinfo_memory(f, key), before);
	assert_ok(pf_madvise_bo(f->fd, bo, PANFROST_MADV_DONTNEED, &retained));
	purge_all(f);
	assert_int_equal(fdinfo_memory(f, key), before);
}

/* Cases 36: what was purged stays so, and syncs of it do nothing and allocate nothing. */
static void purged_bo(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_bo_sync_op op = { .type = 1, .size = PAGE };
	struct chain chain = new_chain(f);
	struct gemsync_counters before;
	uint32_t retained = 1;
	long pages;

	op.handle = pf_new_bo(f->fd, PAGE, NOEXEC | WB);
	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, op.handle), JM_IMM32, 1, 0);
	assert_ok(run_chain(&chain));
	assert_ok(pf_madvise_bo(f->fd, op.handle, PANFROST_MADV_DONTNEED, &retained));
	pages = pf_module_value("drm_gem_sync/parameters/pages");
	purge_all(f);
	assert_int_equal(pf_module_value("drm_gem_sync/parameters/pages"), pages - 1);
	before = lines_now(f);
	assert_ok(pf_sync_bo(f->fd, &op, 1));
	assert_lines(f, &before, 0, 0);
	assert_ok(pf_madvise_bo(f->fd, op.handle, PANFROST_MADV_WILLNEED, &retained));
	assert_int_equal(retained, 0);
	assert_ptr_equal(pf_map_bo(f->fd, op.handle, PAGE), MAP_FAILED);
	assert_int_equal(pf_module_value("drm_gem_sync/parameters/pages"), pages - 1);
	/* The GPU finds nothing there, and goes on with the next chain. */
	chain.jobs[0].status = 0;
	assert_int_equal(run_chain(&chain), -EINVAL);
	chain.jobs[0] = jm_job(JM_NULL, 0);
	assert_ok(run_chain(&chain));
}

/* What is needed, in use, or known to others is not purged. */
static void kept_bos(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	uint32_t needed = pf_new_bo(f->fd, PAGE, NOEXEC), busy = pf_new_bo(f->fd, PAGE, NOEXEC);
	uint32_t exported = pf_new_bo(f->fd, PAGE, NOEXEC), heap = pf_new_bo(f->fd, PAGE, HEAP);
	const uint32_t bos[] = { needed, busy, exported, heap };
	struct chain chain = new_chain(f);
	struct drm_panfrost_submit args = submit_args(&chain, 0);
	volatile uint32_t *word = pf_map_bo(f->fd, busy, PAGE);
	uint32_t retained;
	size_t i;
	int fd;

	assert_ok(drmPrimeHandleToFD(f->fd, exported, DRM_CLOEXEC, &fd));
	for (i = 1; i < ARRAY_SIZE(bos); i++)
		assert_ok(pf_madvise_bo(f->fd, bos[i], PANFROST_MADV_DONTNEED, &retained));
	chain.jobs[0] = jm_wait(pf_bo_va(f->fd, busy), 0, 0);
	args.bo_handles = (uintptr_t)&busy;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(f->fd, &args));
	purge_all(f);
	*word = 1;
	assert_ok(pf_wait_bo(f->fd, busy, LONG_NS));
	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		assert_ok(pf_madvise_bo(f->fd, bos[i], PANFROST_MADV_WILLNEED, &retained));
		assert_int_equal(retained, 1);
	}
	close(fd);
}

/* R18: what is evicted comes back for the next chain, with its content. */
static void evicted_bo_comes_back(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC), copy = pf_new_bo(f->fd, PAGE, NOEXEC);
	struct chain chain = new_chain(f);
	volatile uint32_t *seen;

	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, bo) + 8, JM_IMM32, 0x1234, 0);
	assert_ok(run_chain(&chain));
	if (write_debugfs(f, "evict", "all"))
		skip_because("debugfs does not evict: run as root on an emulated device");
	chain.jobs[0] = jm_copy(pf_bo_va(f->fd, copy), pf_bo_va(f->fd, bo), 64, 0);
	assert_ok(run_chain(&chain));
	seen = pf_map_bo(f->fd, copy, PAGE);
	assert_int_equal(seen[2], 0x1234);
}

/* ---- Fresh memory ---- */

/* R17: through a map, and for the GPU without one. */
static void fresh_pages_are_zero(void **state)
{
	static const uint32_t flags[] = { NOEXEC, NOEXEC | WB };
	struct fixture *f = need_virtual_jobs(state);
	uint32_t copy = pf_new_bo(f->fd, PAGE, NOEXEC);
	volatile uint32_t *seen = pf_map_bo(f->fd, copy, PAGE);
	struct chain chain = new_chain(f);
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		uint32_t bo = pf_new_bo(f->fd, PAGE, flags[i]);
		volatile uint32_t *map;

		for (j = 0; j < PAGE / 4; j++)
			seen[j] = 0x55555555;
		chain.jobs[0] = jm_copy(pf_bo_va(f->fd, copy), pf_bo_va(f->fd, bo), PAGE, 0);
		assert_ok(run_chain(&chain));
		map = pf_map_bo(f->fd, bo, PAGE);
		for (j = 0; j < PAGE / 4; j++)
			assert_int_equal(seen[j] | map[j], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(bad_creations),
		device_test(creations),
		device_test(queries),
		device_test(mmap_offsets),
		device_test(addresses),
		device_test(executable_bos),
		device_test(large_bos),
		device_test(address_space_per_file),
		device_test(addresses_run_out),
		device_test(bad_maps),
		device_test(heaps_are_not_mapped),
		device_test(bad_waits),
		device_test(waits),
		device_test(labels),
		device_test(advice),
		device_test(unneeded_in_fdinfo),
		device_test(purged_bo),
		device_test(kept_bos),
		device_test(evicted_bo_comes_back),
		device_test(fresh_pages_are_zero),
	};

	return cmocka_run_group_tests_name("panfrost_bo", tests, NULL, NULL);
}
