// SPDX-License-Identifier: MIT
/* What the device says about itself, in structs of every size, and its clocks. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "panthor_calls.h"

static int query(struct fixture *f, uint32_t type, void *to, uint32_t size)
{
	struct drm_panthor_dev_query args = {
		.type = type, .size = size, .pointer = (uintptr_t)to,
	};

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args);
}

static const struct {
	uint32_t type;
	uint32_t size;
	uint32_t min_size;	/* of the first version */
} queries[] = {
	{ DRM_PANTHOR_DEV_QUERY_GPU_INFO, 112, 96 },
	{ DRM_PANTHOR_DEV_QUERY_CSIF_INFO, 24, 24 },
	{ DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, 56, 16 },
	{ DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO, 4, 4 },
	{ DRM_PANTHOR_DEV_QUERY_MMU_INFO, 8, 8 },
};

static void sizes(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_dev_query args;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		args = (struct drm_panthor_dev_query){ .type = queries[i].type };
		assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args));
		assert_int_equal(args.size, queries[i].size);
	}
}

/* Nothing behind a short struct is touched, and all of a long one is written. */
static void short_and_long(void **state)
{
	struct fixture *f = need_file(state);
	uint8_t bytes[160];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		memset(bytes, 0, sizeof(bytes));
		memset(bytes + queries[i].min_size, 0xee, 8);
		assert_ok(query(f, queries[i].type, bytes, queries[i].min_size));
		assert_int_equal(bytes[queries[i].min_size], 0xee);
		assert_int_equal(query(f, queries[i].type, bytes, queries[i].min_size - 1),
				 -EINVAL);
		assert_int_equal(query(f, queries[i].type, bytes, 0), -EINVAL);

		memset(bytes, 0, sizeof(bytes));
		if (queries[i].type != DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO)
			memset(bytes, 0xee, sizeof(bytes));
		assert_ok(query(f, queries[i].type, bytes, queries[i].size + 8));
		assert_int_equal(bytes[queries[i].size], 0);
		assert_int_equal(bytes[queries[i].size + 7], 0);
		assert_int_equal(query(f, queries[i].type, (void *)8, queries[i].size), -EFAULT);
	}
}

/* 5 is the first type that nobody knows. */
static void unknown_types(void **state)
{
	struct fixture *f = need_file(state);
	uint8_t bytes[64];

	assert_int_equal(query(f, 5, bytes, 64), -EINVAL);
	assert_int_equal(query(f, 5, NULL, 0), -EINVAL);
}

/* 1.8 brought the flags of timestamps, 1.9 the MMU's query and sparse maps. */
static void version(void **state)
{
	struct fixture *f = need_file(state);

	assert_int_equal(f->info.version_major, 1);
	assert_int_equal(f->info.version_minor, 9);
}

static void page_sizes(void **state)
{
	struct drm_panthor_mmu_info info = { 0 };
	struct fixture *f = need_file(state);

	assert_ok(query(f, DRM_PANTHOR_DEV_QUERY_MMU_INFO, &info, sizeof(info)));
	assert_true(info.page_size_bitmap == (PAGE | 2 * MIB));
}

static struct drm_panthor_timestamp_info timestamp(struct fixture *f, uint32_t flags)
{
	struct drm_panthor_timestamp_info info = { .flags = flags };

	assert_ok(query(f, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, &info, sizeof(info)));
	assert_int_equal(info.flags, flags);
	return info;
}

/* The short struct of older user space, and no flags. */
static void timestamps_move(void **state)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct fixture *f = need_file(state);
	struct drm_panthor_timestamp_info before = { 0 }, after = { 0 };
	uint64_t ticks;

	assert_ok(query(f, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, &before, 24));
	nanosleep(&pause, NULL);
	assert_ok(query(f, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, &after, 24));
	assert_true(before.timestamp_frequency > 0);
	assert_int_equal(after.timestamp_frequency, before.timestamp_frequency);
	ticks = after.current_timestamp - before.current_timestamp;
	assert_true(ticks >= before.timestamp_frequency / 50);
	assert_true(ticks < before.timestamp_frequency * 60);
	assert_int_equal(after.cycle_count, 0);
	after = timestamp(f, 0);
	assert_true(after.timestamp_frequency && after.current_timestamp);
	assert_int_equal(after.cycle_count | after.cpu_timestamp_sec | after.cpu_timestamp_nsec, 0);
}

/* What is asked for is there, and the rest is 0. */
static void timestamp_flags(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_timestamp_info info;
	struct timespec now;

	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_FREQ);
	assert_true(info.timestamp_frequency && !info.current_timestamp);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_GPU);
	assert_true(!info.timestamp_frequency && info.current_timestamp);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT);
	assert_true(info.cycle_count && !info.current_timestamp);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_GPU_OFFSET);
	assert_int_equal(info.current_timestamp | info.timestamp_frequency, 0);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_DURATION);
	assert_true(info.duration_nsec < 1000000000);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec - (int64_t)info.cpu_timestamp_sec <= 2);
	assert_true(info.cpu_timestamp_nsec < 1000000000);
	info = timestamp(f, DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC_RAW);
	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	assert_true(now.tv_sec - (int64_t)info.cpu_timestamp_sec <= 2);
}

static void bad_timestamp_flags(void **state)
{
	static const uint32_t wrong[] = { 1u << 8, 1u << 31, 3u << 1, 4u << 1 };
	struct drm_panthor_timestamp_info info[2];
	struct fixture *f = need_file(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		info[0] = (struct drm_panthor_timestamp_info){ .flags = wrong[i] };
		assert_int_equal(query(f, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, info,
				       sizeof(*info)), -EINVAL);
	}
	memset(info, 0, sizeof(info));
	info[1].flags = 1;
	assert_int_equal(query(f, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, info, sizeof(info)),
			 -E2BIG);
}

/* The clocks that streams store are those. */
static void store_state(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *out = new_buffer(f, PAGE, 0);
	struct drm_panthor_timestamp_info before, after;
	uint64_t stored[2];
	const uint64_t op = 40ull << 56 | 80ull << 40;

	before = timestamp(f, DRM_PANTHOR_TIMESTAMP_GPU | DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT);
	assert_ok(gpu_csf_run(f->gpu, WORDS(csf_move48(80, out->va), op, op | 1ull << 32 | 8), 3));
	after = timestamp(f, DRM_PANTHOR_TIMESTAMP_GPU | DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT);
	memcpy(stored, out->map, sizeof(stored));
	assert_in_range(stored[0], before.current_timestamp, after.current_timestamp);
	assert_in_range(stored[1], before.cycle_count, after.cycle_count);
}

/* What the caller may have is what GROUP_CREATE gives. */
static uint8_t check_priorities(struct fixture *f)
{
	struct drm_panthor_group_priorities_info info = { .pad = { 1, 1, 1 } };
	struct drm_panthor_queue_create queue = { .ringbuf_size = 4096 };
	struct drm_panthor_group_create args;
	unsigned int i;
	int ret;

	assert_ok(query(f, DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO, &info, sizeof(info)));
	assert_int_equal(info.pad[0] | info.pad[1] | info.pad[2], 0);
	for (i = 0; i < 4; i++) {
		args = (struct drm_panthor_group_create){
			.queues = DRM_PANTHOR_OBJ_ARRAY(1, &queue), .priority = i, .vm_id = f->vm,
		};
		ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
		assert_int_equal(ret, info.allowed_mask & 1 << i ? 0 : -EACCES);
		if (!ret)
			destroy_group(f, args.group_handle);
	}
	return info.allowed_mask;
}

/* Low and medium are for all, high and realtime for who may set priorities. */
static void priorities(void **state)
{
	struct fixture *f = need_file(state);
	uint8_t mine = check_priorities(f), others;

	if (geteuid()) {
		assert_int_equal(mine, 3);
		return;
	}
	assert_int_equal(mine, 15);
	assert_ok(seteuid(NOBODY));
	others = check_priorities(f);
	assert_ok(seteuid(0));
	assert_int_equal(others, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(sizes),
		device_test(short_and_long),
		device_test(unknown_types),
		device_test(version),
		device_test(page_sizes),
		device_test(timestamps_move),
		device_test(timestamp_flags),
		device_test(bad_timestamp_flags),
		device_test(store_state),
		device_test(priorities),
	};

	return cmocka_run_group_tests_name("queries", tests, NULL, NULL);
}
