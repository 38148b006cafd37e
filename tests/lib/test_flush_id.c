// SPDX-License-Identifier: MIT
/* The page with the id of the GPU's last cache flush, and at which offsets it is. */
#include <sys/mman.h>

#include "panthor_calls.h"

#define AT_32	DRM_PANTHOR_USER_MMIO_OFFSET_32BIT
#define AT_64	DRM_PANTHOR_USER_MMIO_OFFSET_64BIT

/* 0 or -errno; what was mapped is unmapped again. */
static int try_map(struct fixture *f, size_t size, int prot, int flags, uint64_t offset)
{
	void *map = mmap(NULL, size, prot, flags, f->fd, (off_t)offset);

	if (map == MAP_FAILED)
		return -errno;
	assert_ok(munmap(map, size));
	return 0;
}

static int set_offset(struct fixture *f, uint64_t offset)
{
	struct drm_panthor_set_user_mmio_offset args = { .offset = offset };

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_SET_USER_MMIO_OFFSET, &args);
}

/* It is a number that a submit takes. */
static void readable(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_queue_submit job = { 0 };
	uint32_t group = new_group(f, f->vm, 1);
	volatile uint32_t *page;

	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, f->fd, (off_t)AT_64);
	assert_true(page != MAP_FAILED);
	job.latest_flush = page[0];
	assert_ok(submit_jobs(f, group, &job, 1));
	assert_int_equal(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_ok(munmap((void *)page, PAGE));
}

static void bad_maps(void **state)
{
	struct fixture *f = need_file(state);

	assert_ok(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64));
	assert_int_equal(try_map(f, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, AT_64), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, AT_64), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_PRIVATE, AT_64), -EINVAL);
	assert_int_equal(try_map(f, 2 * PAGE, PROT_READ, MAP_SHARED, AT_64), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64 + PAGE), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64 - PAGE), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_32), -EINVAL);
}

/* For this file from now on, and back. */
static void other_place(void **state)
{
	struct fixture *f = need_file(state);

	assert_ok(set_offset(f, AT_32));
	assert_ok(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_32));
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64), -EINVAL);
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_32 + PAGE), -EINVAL);
	/* BOs are where they were. */
	put_both(f, new_buffer(f, PAGE, 0), 0, 5);
	assert_ok(set_offset(f, AT_64));
	assert_ok(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64));
	assert_int_equal(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_32), -EINVAL);
}

static void bad_places(void **state)
{
	struct fixture *f = need_file(state);

	assert_int_equal(set_offset(f, 0), -EINVAL);
	assert_int_equal(set_offset(f, AT_32 + PAGE), -EINVAL);
	assert_int_equal(set_offset(f, AT_64 * 2), -EINVAL);
	assert_ok(try_map(f, PAGE, PROT_READ, MAP_SHARED, AT_64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(readable),
		device_test(bad_maps),
		device_test(other_place),
		device_test(bad_places),
	};

	return cmocka_run_group_tests_name("flush_id", tests, NULL, NULL);
}
