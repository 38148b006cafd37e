// SPDX-License-Identifier: MIT
/* powervr's VM contexts, what is mapped into them, and its end while it is in use (R19). */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binding.h"
#include "powervr_calls.h"

#define USC_CODE	0xe000000000ull
#define VIS_TEST	0xf200000000ull
#define VIS_TEST_SIZE	(2 * MIB)

static void contexts(void **state)
{
	struct pvr *p = need_pvr(state);
	struct drm_pvr_ioctl_create_vm_context_args create = { ._padding_4 = 1 };
	struct drm_pvr_ioctl_destroy_vm_context_args destroy = { .handle = p->vm, ._padding_4 = 1 };
	uint32_t vm = 0;

	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_CREATE_VM_CONTEXT, &create), -EINVAL);
	assert_int_equal(create.handle, 0);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_DESTROY_VM_CONTEXT, &destroy), -EINVAL);
	assert_ok(create_vm_context(p->fd, &vm));
	assert_true(vm && vm != p->vm);
	/* R20: handles of one file mean nothing on another. */
	assert_int_equal(destroy_vm_context(p->other, vm), -EINVAL);
	assert_ok(destroy_vm_context(p->fd, vm));
	assert_int_equal(destroy_vm_context(p->fd, vm), -EINVAL);
	assert_int_equal(destroy_vm_context(p->fd, 0), -EINVAL);
}

static void too_many_contexts(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t vm = 0, elsewhere, count;
	int ret;

	for (count = 1; !(ret = create_vm_context(p->fd, &vm)); count++)
		assert_true(count < 10000);
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(count, 256);
	assert_ok(create_vm_context(p->other, &elsewhere));
	assert_ok(destroy_vm_context(p->fd, vm));
	assert_ok(create_vm_context(p->fd, &vm));
}

/* What goes in where is what the device finds there. */
static void device_sees_what_is_mapped(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t first = new_bo(p, 4 * PAGE, USER_ACCESS);
	uint32_t second = new_bo(p, 4 * PAGE, USER_ACCESS);
	uint32_t other_vm;

	map_bo(p, first)[0] = 1;
	map_bo(p, second)[0] = 2;
	assert_ok(vm_map(p->fd, p->vm, first, 0, GENERAL, 4 * PAGE));
	assert_ok(vm_map(p->fd, p->vm, second, 0, USC_CODE + PAGE, 2 * PAGE));
	assert_int_equal(dev_get(p, GENERAL), 1);
	assert_int_equal(dev_get(p, USC_CODE + PAGE), 2);
	/* Part of a BO, and at two places at once. */
	dev_put(p, GENERAL + 3 * PAGE, 3);
	assert_ok(vm_map(p->fd, p->vm, first, 3 * PAGE, VIS_TEST, PAGE));
	assert_int_equal(dev_get(p, VIS_TEST), 3);
	/* In place of what is there. */
	assert_ok(vm_map(p->fd, p->vm, second, 0, GENERAL + PAGE, PAGE));
	assert_int_equal(dev_get(p, GENERAL), 1);
	assert_int_equal(dev_get(p, GENERAL + PAGE), 2);
	assert_int_equal(dev_get(p, GENERAL + 3 * PAGE), 3);
	/* In one VM context, and in no other. */
	assert_ok(create_vm_context(p->fd, &other_vm));
	assert_int_equal(dev_read(p, other_vm, GENERAL, &(uint32_t){ 0 }, 4), -EFAULT);
	assert_ok(destroy_vm_context(p->fd, other_vm));
	assert_int_equal(dev_read(p, other_vm, GENERAL, &(uint32_t){ 0 }, 4), -ENXIO);
}

/* An access crosses mappings, and ends where they end. */
static void device_crosses_mappings(void **state)
{
	struct pvr *p = need_pvr(state);
	uint64_t words[2] = { 0x1111111111111111, 0x2222222222222222 }, seen[2];

	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, 0), 0, GENERAL, PAGE));
	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, 0), 0, GENERAL + PAGE, PAGE));
	assert_ok(dev_write(p, p->vm, GENERAL + PAGE - 8, words, 16));
	assert_ok(dev_read(p, p->vm, GENERAL + PAGE - 8, seen, 16));
	assert_memory_equal(words, seen, 16);
	assert_int_equal(dev_write(p, p->vm, GENERAL + 2 * PAGE - 8, words, 16), -EFAULT);
	assert_ok(dev_read(p, p->vm, GENERAL + 2 * PAGE - 8, seen, 8));
	assert_int_equal(seen[0], 0);
}

/* Each breaks one thing of the call that works at the end. */
static void map_refuses(void **state)
{
	struct pvr *p = need_pvr(state);
	const struct drm_pvr_ioctl_vm_map_args good = {
		.vm_context_handle = p->vm,
		.device_addr = GENERAL,
		.handle = new_bo(p, 4 * PAGE, 0),
		.offset = PAGE,
		.size = 2 * PAGE,
	};
	const struct {
		const char *what;
		struct drm_pvr_ioctl_vm_map_args wrong;	/* what is added to the good one */
		int error;
	} cases[] = {
		{ "flags", { .flags = 1 }, -EINVAL },
		{ "padding", { ._padding_14 = 1 }, -EINVAL },
		{ "VM context", { .vm_context_handle = NO_HANDLE - p->vm }, -EINVAL },
		{ "BO", { .handle = NO_HANDLE - good.handle }, -ENOENT },
		{ "address within a page", { .device_addr = 1 }, -EINVAL },
		{ "address below the heap", { .device_addr = 0 - PAGE }, -EINVAL },
		{ "address of no heap", { .device_addr = 0x2000000000 }, -EINVAL },
		{ "address of a heap that the GPU has not", { .device_addr = 0x5bf0000000 },
		  -EINVAL },
		{ "address across the end of a heap",
		  { .device_addr = 0x2000000000 - PAGE }, -EINVAL },
		{ "address past all bits", { .device_addr = 1ull << 40 }, -EINVAL },
		{ "no size", { .size = 0 - 2 * PAGE }, -EINVAL },
		{ "size within a page", { .size = 1 }, -EINVAL },
		{ "size past the BO", { .size = 2 * PAGE }, -EINVAL },
		{ "size past everything", { .size = 0 - 4 * PAGE }, -EINVAL },
		{ "offset within a page", { .offset = 1 }, -EINVAL },
		{ "offset past the BO", { .offset = 2 * PAGE }, -EINVAL },
		{ "offset that wraps", { .offset = 0 - 2 * PAGE }, -EINVAL },
	};
	struct drm_pvr_ioctl_vm_map_args args;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = good;
		args.vm_context_handle += cases[i].wrong.vm_context_handle;
		args.flags += cases[i].wrong.flags;
		args.device_addr += cases[i].wrong.device_addr;
		args.handle += cases[i].wrong.handle;
		args._padding_14 += cases[i].wrong._padding_14;
		args.offset += cases[i].wrong.offset;
		args.size += cases[i].wrong.size;
		ret = raw_ioctl(p->fd, DRM_IOCTL_PVR_VM_MAP, &args);
		if (ret != cases[i].error)
			fail_msg("%s: %d, not %d", cases[i].what, ret, cases[i].error);
	}
	args = good;
	assert_ok(raw_ioctl(p->fd, DRM_IOCTL_PVR_VM_MAP, &args));
	/* The last page of the last heap. */
	assert_ok(vm_map(p->fd, p->vm, good.handle, 0, VIS_TEST + VIS_TEST_SIZE - PAGE, PAGE));
	/* R20 */
	assert_int_equal(vm_map(p->other, p->vm, good.handle, 0, GENERAL, PAGE), -EINVAL);
}

/* One whole mapping, and nothing but that. */
static void unmap_is_exact(void **state)
{
	struct pvr *p = need_pvr(state);
	struct drm_pvr_ioctl_vm_unmap_args args = {
		.vm_context_handle = p->vm,
		.device_addr = GENERAL,
		.size = 4 * PAGE,
		._padding_4 = 1,
	};

	assert_ok(vm_map(p->fd, p->vm, new_bo(p, 4 * PAGE, 0), 0, GENERAL, 4 * PAGE));
	dev_put(p, GENERAL + 3 * PAGE, 7);
	assert_int_equal(raw_ioctl(p->fd, DRM_IOCTL_PVR_VM_UNMAP, &args), -EINVAL);
	assert_int_equal(vm_unmap(p->fd, NO_HANDLE, GENERAL, 4 * PAGE), -EINVAL);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, 3 * PAGE), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, 5 * PAGE), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL + PAGE, 3 * PAGE), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, 0), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, 0, 0), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL + 8 * PAGE, PAGE), -ENOENT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL + 1, 4 * PAGE), -EINVAL);
	assert_int_equal(vm_unmap(p->fd, p->vm, UINT64_MAX - PAGE + 1, PAGE), -EINVAL);
	assert_int_equal(dev_get(p, GENERAL + 3 * PAGE), 7);
	assert_ok(vm_unmap(p->fd, p->vm, GENERAL, 4 * PAGE));
	assert_int_equal(dev_read(p, p->vm, GENERAL, &(uint32_t){ 0 }, 4), -EFAULT);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, 4 * PAGE), -ENOENT);
}

/* A mapping that another one took a part of is two, each of which can be unmapped. */
static void unmap_of_a_split_one(void **state)
{
	struct pvr *p = need_pvr(state);

	assert_ok(vm_map(p->fd, p->vm, new_bo(p, 4 * PAGE, 0), 0, GENERAL, 4 * PAGE));
	assert_ok(vm_map(p->fd, p->vm, new_bo(p, PAGE, 0), 0, GENERAL + PAGE, PAGE));
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, 4 * PAGE), -ENOENT);
	assert_ok(vm_unmap(p->fd, p->vm, GENERAL, PAGE));
	assert_ok(vm_unmap(p->fd, p->vm, GENERAL + PAGE, PAGE));
	assert_ok(vm_unmap(p->fd, p->vm, GENERAL + 2 * PAGE, 2 * PAGE));
}

/* The device goes on reading what was mapped of a BO without handles. */
static void mapping_keeps_the_object(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t bo = new_bo(p, PAGE, 0);

	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, PAGE));
	dev_put(p, GENERAL, 5);
	close_bo(p->fd, bo);
	assert_int_equal(dev_get(p, GENERAL), 5);
}

/* R19: old files get -ENODEV, old maps SIGBUS; debugfs has nothing of the old device. */
static void unbind_while_in_use(void **state)
{
	struct pvr *p = need_pvr(state);
	const struct place place = need_place(p->fd, &p->info);
	volatile uint32_t *map;
	uint32_t bo = new_bo(p, PAGE, USER_ACCESS), handle;
	struct pvr *fresh;
	void *fresh_state;

	map = map_bo(p, bo);
	map[0] = 1;
	assert_ok(vm_map(p->fd, p->vm, bo, 0, GENERAL, PAGE));
	assert_int_equal(dev_get(p, GENERAL), 1);
	unbind_device(&place);
	assert_true(touch_is_sigbus(map));
	assert_int_equal(create_bo(p->fd, PAGE, 0, &handle), -ENODEV);
	assert_int_equal(vm_unmap(p->fd, p->vm, GENERAL, PAGE), -ENODEV);
	assert_ptr_equal(map_offset(p->fd, 1ull << 32), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	bind_device(&place);
	assert_int_equal(destroy_vm_context(p->fd, p->vm), -ENODEV);
	assert_ok(pvr_setup(&fresh_state));
	fresh = fresh_state;
	assert_ok(vm_map(fresh->fd, fresh->vm, new_bo(fresh, PAGE, 0), 0, GENERAL, PAGE));
	dev_put(fresh, GENERAL, 2);
	assert_int_equal(dev_get(fresh, GENERAL), 2);
	pvr_teardown(&fresh_state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvr_test(contexts),
		pvr_test(too_many_contexts),
		pvr_test(device_sees_what_is_mapped),
		pvr_test(device_crosses_mappings),
		pvr_test(map_refuses),
		pvr_test(unmap_is_exact),
		pvr_test(unmap_of_a_split_one),
		pvr_test(mapping_keeps_the_object),
		pvr_test(unbind_while_in_use),
	};

	return cmocka_run_group_tests_name("powervr_vm", tests, NULL, NULL);
}
