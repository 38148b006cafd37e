// SPDX-License-Identifier: MIT
/* What the powervr device says about itself, and what it says that it cannot do. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "powervr_calls.h"

static int query(struct pvr *p, uint32_t type, void *to, uint32_t size)
{
	struct drm_pvr_ioctl_dev_query_args args = {
		.type = type, .size = size, .pointer = (uintptr_t)to,
	};

	return raw_ioctl(p->fd, DRM_IOCTL_PVR_DEV_QUERY, &args);
}

static const struct {
	uint32_t type;
	uint32_t size;
	uint32_t min_size;	/* of the first version */
	bool reads;		/* the struct goes in as well */
} queries[] = {
	{ DRM_PVR_DEV_QUERY_GPU_INFO_GET, 16, 12, false },
	{ DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET, 32, 32, false },
	{ DRM_PVR_DEV_QUERY_QUIRKS_GET, 16, 16, true },
	{ DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, 16, 16, true },
	{ DRM_PVR_DEV_QUERY_HEAP_INFO_GET, 16, 16, true },
	{ DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET, 16, 16, true },
};

static void sizes(void **state)
{
	struct pvr *p = need_pvr(state);
	struct drm_pvr_ioctl_dev_query_args args;
	uint8_t bytes[64] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		args = (struct drm_pvr_ioctl_dev_query_args){ .type = queries[i].type };
		assert_ok(raw_ioctl(p->fd, DRM_IOCTL_PVR_DEV_QUERY, &args));
		assert_int_equal(args.size, queries[i].size);
		/* What was written is what is told. */
		args.pointer = (uintptr_t)bytes;
		args.size = sizeof(bytes);
		memset(bytes, 0, sizeof(bytes));
		assert_ok(raw_ioctl(p->fd, DRM_IOCTL_PVR_DEV_QUERY, &args));
		assert_int_equal(args.size, queries[i].size);
		args.size = queries[i].min_size;
		memset(bytes, 0, sizeof(bytes));
		assert_ok(raw_ioctl(p->fd, DRM_IOCTL_PVR_DEV_QUERY, &args));
		assert_int_equal(args.size, queries[i].min_size);
	}
}

/* Nothing behind a short struct is touched, all of a long one is written, or has to be 0. */
static void short_and_long(void **state)
{
	struct pvr *p = need_pvr(state);
	uint8_t bytes[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		memset(bytes, 0, sizeof(bytes));
		memset(bytes + queries[i].min_size, 0xee, 8);
		assert_ok(query(p, queries[i].type, bytes, queries[i].min_size));
		assert_int_equal(bytes[queries[i].min_size], 0xee);
		assert_int_equal(query(p, queries[i].type, bytes, queries[i].min_size - 1),
				 -EINVAL);
		assert_int_equal(query(p, queries[i].type, bytes, 0), -EINVAL);
		assert_int_equal(query(p, queries[i].type, (void *)8, queries[i].size), -EFAULT);

		memset(bytes, 0, sizeof(bytes));
		bytes[queries[i].size + 7] = 0xee;
		assert_int_equal(query(p, queries[i].type, bytes, queries[i].size + 8),
				 queries[i].reads ? -E2BIG : 0);
		assert_int_equal(bytes[queries[i].size + 7], queries[i].reads ? 0xee : 0);
	}
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_HEAP_INFO_GET, bytes, 1 << 20), -E2BIG);
}

static void unknown_types(void **state)
{
	struct pvr *p = need_pvr(state);
	uint8_t bytes[64];

	assert_int_equal(query(p, 6, bytes, 64), -EINVAL);
	assert_int_equal(query(p, 6, NULL, 0), -EINVAL);
	assert_int_equal(query(p, UINT32_MAX, bytes, 64), -EINVAL);
}

static void gpu_and_limits(void **state)
{
	struct drm_pvr_dev_query_runtime_info limits;
	struct drm_pvr_dev_query_gpu_info gpu;
	struct pvr *p = need_pvr(state);

	assert_ok(query(p, DRM_PVR_DEV_QUERY_GPU_INFO_GET, &gpu, sizeof(gpu)));
	assert_true(gpu.gpu_id == 0x0021000f000b0003);
	assert_int_equal(gpu.num_phantoms, 1);
	assert_int_equal(gpu._padding_c, 0);
	assert_ok(query(p, DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET, &limits, sizeof(limits)));
	assert_true(limits.free_list_min_pages < limits.free_list_max_pages);
	assert_true(limits.common_store_partition_space_size <
		    limits.common_store_alloc_region_size);
	assert_true(limits.max_coeffs && limits.cdm_max_local_mem_size_regs);
}

static void quirks_and_enhancements(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t numbers[4] = { 1, 1, 1, 1 };
	struct drm_pvr_dev_query_quirks quirks = { .count = 4, .musthave_count = 9 };
	struct drm_pvr_dev_query_enhancements more = { .count = 4 };

	assert_ok(query(p, DRM_PVR_DEV_QUERY_QUIRKS_GET, &quirks, sizeof(quirks)));
	assert_int_equal(quirks.count, 0);
	assert_int_equal(quirks.musthave_count, 9);
	quirks.quirks = (uintptr_t)numbers;
	assert_ok(query(p, DRM_PVR_DEV_QUERY_QUIRKS_GET, &quirks, sizeof(quirks)));
	assert_int_equal(quirks.musthave_count, 0);
	quirks._padding_c = 1;
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_QUIRKS_GET, &quirks, sizeof(quirks)), -EINVAL);

	assert_ok(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)));
	assert_int_equal(more.count, 1);
	more.enhancements = (uintptr_t)numbers;
	assert_ok(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)));
	assert_int_equal(more.count, 1);
	assert_int_equal(numbers[0], 35421);
	assert_int_equal(numbers[1], 1);
	more.count = 0;
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)),
			 -E2BIG);
	more = (struct drm_pvr_dev_query_enhancements){ .count = 1, .enhancements = 8 };
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)),
			 -EFAULT);
	more = (struct drm_pvr_dev_query_enhancements){ ._padding_a = 1 };
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)),
			 -EINVAL);
	more = (struct drm_pvr_dev_query_enhancements){ ._padding_c = 1 };
	assert_int_equal(query(p, DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, &more, sizeof(more)),
			 -EINVAL);
}

static struct drm_pvr_obj_array get_array(struct pvr *p, uint32_t type,
					  struct drm_pvr_obj_array array)
{
	assert_ok(query(p, type, &array, sizeof(array)));
	return array;
}

/* Count and stride alone; fewer; more than there are; and objects of another stride. */
static void heaps(void **state)
{
	const uint32_t type = DRM_PVR_DEV_QUERY_HEAP_INFO_GET;
	struct pvr *p = need_pvr(state);
	struct {
		struct drm_pvr_heap heap;
		uint64_t tail;
	} far[8];
	struct drm_pvr_heap near[8];
	struct drm_pvr_obj_array array;
	unsigned int i;

	array = get_array(p, type, (struct drm_pvr_obj_array){ 0 });
	assert_int_equal(array.count, DRM_PVR_HEAP_COUNT);
	assert_int_equal(array.stride, sizeof(struct drm_pvr_heap));
	memset(near, 0xee, sizeof(near));
	array = get_array(p, type, (struct drm_pvr_obj_array)DRM_PVR_OBJ_ARRAY(8, near));
	assert_int_equal(array.count, DRM_PVR_HEAP_COUNT);
	assert_int_equal(near[DRM_PVR_HEAP_COUNT].flags, 0xeeeeeeee);
	assert_int_equal(near[DRM_PVR_HEAP_RGNHDR].size, 0);
	assert_true(near[DRM_PVR_HEAP_GENERAL].base == GENERAL);
	memset(far, 0xee, sizeof(far));
	array = get_array(p, type, (struct drm_pvr_obj_array)DRM_PVR_OBJ_ARRAY(2, far));
	assert_int_equal(array.count, 2);
	assert_memory_equal(&far[1].heap, &near[1], sizeof(near[1]));
	assert_int_equal(far[1].tail, 0);
	assert_true(far[2].tail == 0xeeeeeeeeeeeeeeee);
	for (i = 0; i < DRM_PVR_HEAP_COUNT; i++) {
		assert_int_equal(near[i].page_size_log2, 12);
		if (near[i].size)
			assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, 0), 0, near[i].base, PAGE));
	}
	array = (struct drm_pvr_obj_array){ 20, 2, (uintptr_t)near };
	assert_int_equal(query(p, type, &array, sizeof(array)), -EINVAL);
	array = (struct drm_pvr_obj_array){ 24, 2, 8 };
	assert_int_equal(query(p, type, &array, sizeof(array)), -EFAULT);
}

static void static_data_areas(void **state)
{
	const uint32_t type = DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET;
	struct pvr *p = need_pvr(state);
	struct drm_pvr_static_data_area areas[8];
	struct drm_pvr_obj_array array;
	uint32_t usages = 0, i;

	array = get_array(p, type, (struct drm_pvr_obj_array){ 0 });
	assert_int_equal(array.stride, sizeof(areas[0]));
	assert_in_range(array.count, 4, 8);
	array = get_array(p, type, (struct drm_pvr_obj_array)DRM_PVR_OBJ_ARRAY(8, areas));
	for (i = 0; i < array.count; i++) {
		usages |= 1u << areas[i].area_usage;
		assert_true(areas[i].location_heap_id < DRM_PVR_HEAP_COUNT);
		assert_true(areas[i].size);
	}
	assert_int_equal(usages, 0xf);
}

/* ---- What needs firmware or shader cores ---- */

static void no_contexts(void **state)
{
	struct pvr *p = need_pvr(state);
	uint64_t context_state[4] = { 0 };
	const struct drm_pvr_ioctl_create_context_args good = {
		.static_context_state = (uintptr_t)context_state,
		.static_context_state_len = sizeof(context_state),
		.vm_context_handle = p->vm,
	};
	struct drm_pvr_ioctl_destroy_context_args destroy = { .handle = 1 };
	static const int32_t priorities[] = { -512, 0, 512 };
	struct drm_pvr_ioctl_create_context_args args;
	uint32_t type;
	size_t i;

	for (type = 0; type <= DRM_PVR_CTX_TYPE_TRANSFER_FRAG; type++) {
		for (i = 0; i < ARRAY_SIZE(priorities) - !!geteuid(); i++) {
			args = good;
			args.type = type;
			if (type == DRM_PVR_CTX_TYPE_TRANSFER_FRAG)
				args.static_context_state_len = 0;
			args.priority = priorities[i];
			assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args),
					 -EOPNOTSUPP);
			assert_int_equal(args.handle, 0);
		}
	}
	args = good;
	args.type = 3;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	args = good;
	args.flags = 1;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	args = good;
	args.priority = 1;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	args = good;
	args.vm_context_handle = NO_HANDLE;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	args = good;
	args.type = DRM_PVR_CTX_TYPE_COMPUTE;
	args.callstack_addr = GENERAL;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	/* Contexts of shader cores have a state, those of transfers have none. */
	args = good;
	args.static_context_state_len = 0;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	args = good;
	args.static_context_state = 8;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EFAULT);
	args = good;
	args.type = DRM_PVR_CTX_TYPE_TRANSFER_FRAG;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EINVAL);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_DESTROY_CONTEXT, &destroy), -EINVAL);
}

/* High is for who may set priorities, and that is looked at before all is refused. */
static void high_priority(void **state)
{
	struct pvr *p = need_pvr(state);
	uint64_t context_state[4] = { 0 };
	struct drm_pvr_ioctl_create_context_args args = {
		.static_context_state = (uintptr_t)context_state,
		.static_context_state_len = sizeof(context_state),
		.vm_context_handle = p->vm,
		.priority = DRM_PVR_CTX_PRIORITY_HIGH,
	};
	int ret;

	if (geteuid())
		skip_because("what root may and others may not: run as root");
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EOPNOTSUPP);
	assert_ok(seteuid(NOBODY));
	ret = raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args);
	assert_ok(seteuid(0));
	assert_int_equal(ret, -EACCES);
	args.priority = DRM_PVR_CTX_PRIORITY_NORMAL;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EOPNOTSUPP);
}

static void no_free_lists(void **state)
{
	struct pvr *p = need_pvr(state);
	const struct drm_pvr_ioctl_create_free_list_args good = {
		.free_list_gpu_addr = GENERAL,
		.initial_num_pages = 64,
		.max_num_pages = 128,
		.grow_num_pages = 64,
		.grow_threshold = 50,
		.vm_context_handle = p->vm,
	};
	const struct drm_pvr_ioctl_create_free_list_args wrong[] = {
		{ .initial_num_pages = 0u - 63 }, { .initial_num_pages = 68 },
		{ .max_num_pages = 2 }, { .grow_num_pages = 1 }, { .grow_num_pages = 68 },
		{ .grow_threshold = 51 }, { .vm_context_handle = 100000 },
		/* It shall grow, but not by anything; it shall not, but by something. */
		{ .grow_num_pages = 0u - 64 }, { .initial_num_pages = 64 },
		/* The list has four bytes a page. */
		{ .max_num_pages = PAGE / 4 },
		/* Nothing is mapped; it is not protected; user space maps it. */
		{ .free_list_gpu_addr = 8 * PAGE }, { .free_list_gpu_addr = PAGE },
		{ .free_list_gpu_addr = 2 * PAGE },
	};
	struct drm_pvr_ioctl_destroy_free_list_args destroy = { .handle = 1 };
	struct drm_pvr_ioctl_create_free_list_args args = good;
	size_t i;

	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_FREE_LIST, &args), -EINVAL);
	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, DRM_PVR_BO_PM_FW_PROTECT), 0, GENERAL,
			 PAGE));
	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, 0), 0, GENERAL + PAGE, PAGE));
	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, USER_ACCESS), 0, GENERAL + 2 * PAGE, PAGE));
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_FREE_LIST, &args), -EOPNOTSUPP);
	assert_int_equal(args.handle, 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		args = good;
		args.free_list_gpu_addr += wrong[i].free_list_gpu_addr;
		args.initial_num_pages += wrong[i].initial_num_pages;
		args.max_num_pages += wrong[i].max_num_pages;
		args.grow_num_pages += wrong[i].grow_num_pages;
		args.grow_threshold += wrong[i].grow_threshold;
		args.vm_context_handle += wrong[i].vm_context_handle;
		if (raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_FREE_LIST, &args) != -EINVAL)
			fail_msg("wrong free list %zu: not -EINVAL", i);
	}
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_DESTROY_FREE_LIST, &destroy), -EINVAL);
}

static void no_render_targets(void **state)
{
	struct pvr *p = need_pvr(state);
	const struct drm_pvr_ioctl_create_hwrt_dataset_args good = {
		.width = 64, .height = 64, .samples = 1, .layers = 1,
	};
	struct drm_pvr_ioctl_destroy_hwrt_dataset_args destroy = { .handle = 1 };
	struct drm_pvr_ioctl_create_hwrt_dataset_args args = good;

	/* They need free lists, of which there are none: so it is the handles that are wrong. */
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_HWRT_DATASET, &args), -EINVAL);
	assert_int_equal(args.handle, 0);
	args.free_list_handles[0] = 0xdead;
	args.free_list_handles[1] = 0xdead;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_HWRT_DATASET, &args), -EINVAL);
	args.width = 0;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_HWRT_DATASET, &args), -EINVAL);
	args = good;
	args.layers = 0;
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_HWRT_DATASET, &args), -EINVAL);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_DESTROY_HWRT_DATASET, &destroy), -EINVAL);
}

static int submit(struct pvr *p, struct drm_pvr_obj_array jobs)
{
	struct drm_pvr_ioctl_submit_jobs_args args = { .jobs = jobs };

	return raw_ioctl(p->fd, DRM_IOCTL_PVR_SUBMIT_JOBS, &args);
}

/* There are no contexts, so no job is of one: the handle is wrong, whatever it is. */
static void no_jobs(void **state)
{
	struct {
		struct drm_pvr_job job;
		uint64_t tail;
	} jobs[2] = {
		{ .job.type = DRM_PVR_JOB_TYPE_COMPUTE }, { .job.type = DRM_PVR_JOB_TYPE_FRAGMENT },
	};
	const struct drm_pvr_obj_array good = DRM_PVR_OBJ_ARRAY(2, jobs);
	struct drm_pvr_obj_array array = good;
	struct pvr *p = need_pvr(state);

	assert_int_equal(submit(p, good), -EINVAL);
	jobs[0].job.context_handle = 999;
	assert_int_equal(submit(p, good), -EINVAL);
	array.count = 0;
	assert_int_equal(submit(p, array), -EINVAL);
	array = (struct drm_pvr_obj_array){ 40, 2, (uintptr_t)jobs };
	assert_int_equal(submit(p, array), -EINVAL);
	array = (struct drm_pvr_obj_array){ 48, 2, 8 };
	assert_int_equal(submit(p, array), -EFAULT);
	array = good;
	array.count = UINT32_MAX;
	assert_int_equal(submit(p, array), -E2BIG);
	jobs[1].tail = 1;
	assert_int_equal(submit(p, good), -E2BIG);
	jobs[1].tail = 0;
	jobs[1].job.type = 4;
	assert_int_equal(submit(p, good), -EINVAL);
	jobs[1].job.type = DRM_PVR_JOB_TYPE_TRANSFER_FRAG;
	jobs[1].job.flags = 2;
	assert_int_equal(submit(p, good), -EINVAL);
	jobs[1].job.flags = 1;
	assert_int_equal(submit(p, good), -EINVAL);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		skip_because("cannot write %s: run as root", path);
	close(fd);
}

/* Whether a line of the log that was written after @log was opened at its end has @text. */
static bool log_has(int log, const char *text)
{
	char record[1024];
	ssize_t len;

	while ((len = read(log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		record[len > 0 ? len : 0] = '\0';
		if (strstr(record, text))
			return true;
		errno = 0;
	}
	return false;
}

/* Who wants to know why is told, and nobody else. */
static void log_says_why(void **state)
{
	static const char debug[] = "/sys/module/drm/parameters/debug";
	static const char why[] = "contexts need firmware and shader cores";
	struct pvr *p = need_pvr(state);
	struct drm_pvr_ioctl_create_context_args args = {
		.type = DRM_PVR_CTX_TYPE_TRANSFER_FRAG, .vm_context_handle = p->vm,
	};
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0)
		skip_because("cannot read /dev/kmsg: run as root");
	lseek(log, 0, SEEK_END);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EOPNOTSUPP);
	assert_false(log_has(log, why));
	write_text(debug, "2");
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_CONTEXT, &args), -EOPNOTSUPP);
	write_text(debug, "0");
	assert_true(log_has(log, why));
	close(log);
}

static void unknown_ioctl(void **state)
{
	struct pvr *p = need_pvr(state);
	uint64_t bytes[2] = { 0 };

	assert_int_equal(raw_ioctl(p->fd, _IOWR('d', 0x4e, uint64_t[2]), bytes), -EINVAL);
	assert_int_equal(raw_ioctl(p->fd, _IOWR('d', 0x9f, uint64_t[2]), bytes), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvr_test(sizes),
		pvr_test(short_and_long),
		pvr_test(unknown_types),
		pvr_test(gpu_and_limits),
		pvr_test(quirks_and_enhancements),
		pvr_test(heaps),
		pvr_test(static_data_areas),
		pvr_test(no_contexts),
		pvr_test(high_priority),
		pvr_test(no_free_lists),
		pvr_test(no_render_targets),
		pvr_test(no_jobs),
		pvr_test(log_says_why),
		pvr_test(unknown_ioctl),
	};

	return cmocka_run_group_tests_name("powervr_queries", tests, NULL, NULL);
}
