// SPDX-License-Identifier: MIT
/* What the ioctls of VMs, groups and BOs refuse, each call broken in one thing. */
#include <xf86drm.h>

#include "panthor_calls.h"

static int create_vm(struct fixture *f, struct drm_panthor_vm_create *args)
{
	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_CREATE, args);
}

static void bad_vms(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create args = { .flags = 1 };

	assert_int_equal(create_vm(f, &args), -EINVAL);
	args = (struct drm_panthor_vm_create){ .user_va_range = 1ull << 48 };
	assert_int_equal(create_vm(f, &args), -EINVAL);
	args.user_va_range = (1ull << 48) - 256 * MIB + 1;
	assert_int_equal(create_vm(f, &args), -EINVAL);
	args.user_va_range = UINT64_MAX;
	assert_int_equal(create_vm(f, &args), -EINVAL);
	assert_int_equal(args.id, 0);
}

/* The kernel's part is a power of two: the user gets what is asked for, or more. */
static void vm_ranges(void **state)
{
	static const struct {
		uint64_t wanted;
		uint64_t given;
	} cases[] = {
		{ 0, 1ull << 47 },
		{ 1ull << 32, 1ull << 47 },
		{ 1ull << 47, 1ull << 47 },
		{ (1ull << 47) + 4096, (1ull << 47) + (1ull << 46) },
		{ (1ull << 48) - 256 * MIB, (1ull << 48) - 256 * MIB },
	};
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create args;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = (struct drm_panthor_vm_create){ .user_va_range = cases[i].wanted };
		assert_ok(create_vm(f, &args));
		assert_int_equal(args.user_va_range, cases[i].given);
		assert_ok(destroy_vm(f, args.id));
	}
}

static void too_many_vms(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create args = { 0 };
	uint32_t count = 1, last = 0;	/* the fixture has one */
	int ret;

	while (!(ret = create_vm(f, &args))) {
		last = args.id;
		count++;
		args = (struct drm_panthor_vm_create){ 0 };
		assert_true(count <= 32);
	}
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(count, 32);
	assert_ok(destroy_vm(f, last));
	assert_ok(create_vm(f, &args));
}

static void bad_vm_ends(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_destroy destroy = { .id = f->vm, .pad = 1 };
	struct drm_panthor_vm_get_state query = { .vm_id = NO_HANDLE };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy), -EINVAL);
	assert_int_equal(destroy_vm(f, NO_HANDLE), -EINVAL);
	assert_int_equal(destroy_vm(f, 0), -EINVAL);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &query), -EINVAL);
	assert_int_equal(vm_state(f, f->vm), DRM_PANTHOR_VM_STATE_USABLE);
}

/* What the call only writes may hold anything before; what it reads may not. */
static void bo_queries(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_query_info query = {
		.handle = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo),
		.extra_flags = UINT32_MAX,
		.create_flags = UINT32_MAX,
		.pad = UINT32_MAX,
	};

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &query));
	assert_int_equal(query.extra_flags | query.create_flags | query.pad, 0);
	query.handle = NO_HANDLE;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &query), -ENOENT);
}

/* IGT keeps offsets in an int and takes 0 for none: no BO's is a multiple of 4 GiB. */
static void mmap_offsets(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_mmap_offset args;
	unsigned int handle, found = 0;

	/* The fixture's own are the device's first. */
	new_buffer(f, PAGE, 0);
	for (handle = 1; handle < 64; handle++) {
		args = (struct drm_panthor_bo_mmap_offset){ .handle = handle };
		if (raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args))
			continue;
		assert_int_not_equal((uint32_t)args.offset, 0);
		found++;
	}
	assert_true(found > 1);
}

static void bad_mmap_offsets(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_mmap_offset args = {
		.handle = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo), .pad = 1,
	};

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args), -EINVAL);
	args.pad = 0;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args));
}

static int create_bo(struct fixture *f, struct drm_panthor_bo_create *args)
{
	int ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, args);

	if (!ret)
		drmCloseBufferHandle(f->fd, args->handle);
	return ret;
}

static void bad_bos(void **state)
{
	static const struct drm_panthor_bo_create wrong[] = {
		{ .size = 0 },
		{ .size = PAGE, .flags = 1u << 30 },
		{ .size = PAGE, .pad = 1 },
		{ .size = PAGE, .exclusive_vm_id = NO_HANDLE },
	};
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_create args = { .size = PAGE, .exclusive_vm_id = f->vm };
	size_t i;

	assert_ok(create_bo(f, &args));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		args = wrong[i];
		if (!args.exclusive_vm_id)
			args.exclusive_vm_id = f->vm;
		assert_int_equal(create_bo(f, &args), -EINVAL);
	}
}

/* ---- Groups ---- */

static struct drm_panthor_group_create good_group(struct fixture *f,
						  struct drm_panthor_queue_create *queue)
{
	*queue = (struct drm_panthor_queue_create){ .ringbuf_size = 4096, .priority = 15 };
	return (struct drm_panthor_group_create){
		.queues = DRM_PANTHOR_OBJ_ARRAY(1, queue),
		.max_compute_cores = 4,
		.compute_core_mask = 0x50005,
		.vm_id = f->vm,
	};
}

static int create_group(struct fixture *f, struct drm_panthor_group_create *args)
{
	int ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, args);

	if (!ret)
		destroy_group(f, args->group_handle);
	return ret;
}

static void bad_groups(void **state)
{
	static const struct {
		const char *what;
		struct drm_panthor_group_create wrong;	/* what is added to the good one */
	} cases[] = {
		{ "fewer compute cores than promised", { .max_compute_cores = 1 } },
		{ "fewer fragment cores than promised", { .max_fragment_cores = 1 } },
		{ "fewer tilers than promised", { .max_tiler_cores = 1 } },
		{ "compute core that is not there", { .compute_core_mask = 2 } },
		{ "fragment core that is not there", { .fragment_core_mask = 2 } },
		{ "tiler that is not there", { .tiler_core_mask = 2 } },
		{ "stride of the queues", { .queues.stride = 0u - 4 } },
	};
	struct drm_panthor_queue_create queue;
	struct drm_panthor_group_create args;
	struct fixture *f = need_file(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = good_group(f, &queue);
		args.max_compute_cores += cases[i].wrong.max_compute_cores;
		args.max_fragment_cores += cases[i].wrong.max_fragment_cores;
		args.max_tiler_cores += cases[i].wrong.max_tiler_cores;
		args.compute_core_mask += cases[i].wrong.compute_core_mask;
		args.fragment_core_mask += cases[i].wrong.fragment_core_mask;
		args.tiler_core_mask += cases[i].wrong.tiler_core_mask;
		args.queues.stride += cases[i].wrong.queues.stride;
		if (create_group(f, &args) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
	}
	args = good_group(f, &queue);
	args.queues.array = 8;
	assert_int_equal(create_group(f, &args), -EFAULT);
	args = good_group(f, &queue);
	assert_ok(create_group(f, &args));
}

static void bad_queues(void **state)
{
	struct drm_panthor_queue_create queue, queues[9];
	struct drm_panthor_group_create args;
	struct fixture *f = need_file(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queue.pad); i++) {
		args = good_group(f, &queue);
		queue.pad[i] = 1;
		assert_int_equal(create_group(f, &args), -EINVAL);
	}
	args = good_group(f, &queue);
	queue.priority = 16;
	assert_int_equal(create_group(f, &args), -EINVAL);
	args = good_group(f, &queue);
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		queues[i] = queue;
	args.queues = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(9, queues);
	assert_int_equal(create_group(f, &args), -EINVAL);
	args.queues.count = UINT32_MAX;
	assert_int_equal(create_group(f, &args), -EINVAL);
	args.queues.count = 8;
	assert_ok(create_group(f, &args));
	/* One that is wrong is enough, whichever. */
	for (i = 0; i < 8; i++) {
		queues[i].priority = 16;
		assert_int_equal(create_group(f, &args), -EINVAL);
		queues[i].priority = 15;
	}
}

static void too_many_groups(void **state)
{
	struct drm_panthor_queue_create queue;
	struct drm_panthor_group_create args;
	struct fixture *f = need_file(state);
	uint32_t groups[128], count = 0;
	int ret;

	for (;;) {
		args = good_group(f, &queue);
		ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
		if (ret)
			break;
		assert_true(count < ARRAY_SIZE(groups));
		groups[count++] = args.group_handle;
	}
	assert_int_equal(ret, -EBUSY);
	while (count)
		destroy_group(f, groups[--count]);
	assert_ok(create_group(f, &args));
}

static void bad_group_calls(void **state)
{
	struct fixture *f = need_file(state);
	const uint32_t group = new_group(f, f->vm, 1);
	struct drm_panthor_group_destroy destroy = { .group_handle = group, .pad = 1 };
	struct drm_panthor_group_get_state query = { .group_handle = group, .pad = 1 };
	struct drm_panthor_group_submit submit = {
		.group_handle = group, .queue_submits = { 40, 1, 8 },
	};

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &destroy), -EINVAL);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &query), -EINVAL);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &submit), -EFAULT);
	/* No jobs are no error. */
	submit.queue_submits.count = 0;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &submit));
	assert_int_equal(group_state(f, group), 0);
	destroy_group(f, group);
}

/* A command that the driver does not have, the first one behind its last. */
static void unknown_ioctl(void **state)
{
	struct fixture *f = need_file(state);
	uint64_t bytes[2] = { 0 };

	assert_int_equal(raw_ioctl(f->fd, _IOWR('d', 0x51, uint64_t[2]), bytes), -EINVAL);
	assert_int_equal(raw_ioctl(f->fd, _IOWR('d', 0x9f, uint64_t[2]), bytes), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(bad_vms),
		device_test(vm_ranges),
		device_test(too_many_vms),
		device_test(bad_vm_ends),
		device_test(bo_queries),
		device_test(mmap_offsets),
		device_test(bad_mmap_offsets),
		device_test(bad_bos),
		device_test(bad_groups),
		device_test(bad_queues),
		device_test(too_many_groups),
		device_test(bad_group_calls),
		device_test(unknown_ioctl),
	};

	return cmocka_run_group_tests_name("ioctl_errors", tests, NULL, NULL);
}
