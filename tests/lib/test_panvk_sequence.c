// SPDX-License-Identifier: MIT
/*
 * The calls of Mesa's Vulkan driver, from opening the device to its end, in their
 * order: each answer is one that it goes on with.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panthor_calls.h"

#define HIGH_VA		0x7fff00000000ull
#define SUB_ALLOC	(512 * KIB)

struct app {
	struct fixture f;	/* its fd and VM; nothing else is set up */
	struct drm_panthor_gpu_info gpu;
	uint32_t group;
	uint32_t heap;
	uint64_t next_va;
};

struct memory {
	uint32_t handle;
	uint64_t va;
	uint64_t size;
	uint8_t *map;
};

static void query(struct app *app, uint32_t type, void *to, uint32_t size)
{
	struct drm_panthor_dev_query args = {
		.type = type, .size = size, .pointer = (uintptr_t)to,
	};

	memset(to, 0, size);
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args));
}

static void check_version(struct app *app)
{
	drmVersion *version = drmGetVersion(app->f.fd);

	assert_non_null(version);
	assert_string_equal(version->name, "panthor");
	assert_int_equal(version->version_major, 1);
	assert_true(version->version_minor >= 9);
	drmFreeVersion(version);
}

static void check_syncobjs(struct app *app)
{
	uint64_t timeline = 0;
	uint32_t syncobj;

	assert_ok(drmGetCap(app->f.fd, DRM_CAP_SYNCOBJ_TIMELINE, &timeline));
	assert_int_equal(timeline, 1);
	assert_ok(drmSyncobjCreate(app->f.fd, DRM_SYNCOBJ_CREATE_SIGNALED, &syncobj));
	assert_ok(drmSyncobjWait(app->f.fd, &syncobj, 1, 0, 0, NULL));
	assert_ok(drmSyncobjDestroy(app->f.fd, syncobj));
}

static void open_physical_device(struct app *app)
{
	struct drm_panthor_set_user_mmio_offset mmio = {
		.offset = DRM_PANTHOR_USER_MMIO_OFFSET_64BIT,
	};
	struct drm_panthor_csif_info csif;
	struct drm_panthor_timestamp_info time;
	struct drm_panthor_group_priorities_info priorities;
	void *flush_id;

	check_version(app);
	query(app, DRM_PANTHOR_DEV_QUERY_GPU_INFO, &app->gpu, 112);
	assert_int_equal(app->gpu.gpu_id >> 28, 10);
	assert_true(app->gpu.shader_present && app->gpu.tiler_present);
	query(app, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, &csif, 24);
	assert_true(csif.cs_slot_count >= 3 && csif.cs_reg_count >= 96);
	query(app, DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO, &time, 24);
	assert_true(time.timestamp_frequency > 0);
	query(app, DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO, &priorities, 4);
	assert_true(priorities.allowed_mask & 1 << PANTHOR_GROUP_PRIORITY_MEDIUM);
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_SET_USER_MMIO_OFFSET, &mmio));
	flush_id = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, app->f.fd, 1ll << 56);
	assert_true(flush_id != MAP_FAILED);
	assert_int_equal(*(volatile uint32_t *)flush_id & 0x7f000000, 0);
	assert_ok(munmap(flush_id, PAGE));
	check_syncobjs(app);
}

static void bind_memory(struct app *app, const struct memory *mem, uint32_t flags)
{
	const struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | flags,
		.bo_handle = mem->handle,
		.va = mem->va,
		.size = mem->size,
	};

	assert_ok(bind_sync(&app->f, app->f.vm, &op, 1));
}

static struct memory allocate(struct app *app, uint64_t size, uint32_t bo_flags,
			      uint32_t bind_flags)
{
	struct drm_panthor_bo_create create = {
		.size = size, .flags = bo_flags, .exclusive_vm_id = app->f.vm,
	};
	struct drm_panthor_bo_mmap_offset offset = { 0 };
	struct memory mem = { .va = app->next_va, .size = size };

	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_BO_CREATE, &create));
	mem.handle = create.handle;
	app->next_va += size;
	bind_memory(app, &mem, bind_flags);
	if (bo_flags & DRM_PANTHOR_BO_NO_MMAP)
		return mem;
	offset.handle = create.handle;
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset));
	mem.map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, app->f.fd,
		       (off_t)offset.offset);
	assert_true(mem.map != MAP_FAILED);
	return mem;
}

static void release(struct app *app, struct memory *mem)
{
	const struct drm_panthor_vm_bind_op op = unmap_op(mem->va, mem->size, NULL, 0);

	if (mem->map)
		assert_ok(munmap(mem->map, mem->size));
	assert_ok(bind_sync(&app->f, app->f.vm, &op, 1));
	assert_ok(drmCloseBufferHandle(app->f.fd, mem->handle));
}

static void create_heap(struct app *app)
{
	struct drm_panthor_tiler_heap_create args = {
		.vm_id = app->f.vm,
		.initial_chunk_count = 5,
		.chunk_size = 2 * MIB,
		.max_chunks = 64,
		.target_in_flight = 65535,
	};

	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, &args));
	assert_true(args.tiler_heap_ctx_gpu_va && args.first_heap_chunk_gpu_va);
	app->heap = args.handle;
}

static void create_group(struct app *app)
{
	struct drm_panthor_queue_create queues[3] = {
		{ .priority = 1, .ringbuf_size = 64 << 10 },
		{ .priority = 1, .ringbuf_size = 64 << 10 },
		{ .priority = 1, .ringbuf_size = 64 << 10 },
	};
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(3, queues),
		.max_compute_cores = 4,
		.max_fragment_cores = 4,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = app->gpu.shader_present,
		.fragment_core_mask = app->gpu.shader_present,
		.tiler_core_mask = app->gpu.tiler_present,
		.vm_id = app->f.vm,
	};

	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args));
	app->group = args.group_handle;
}

/* Each queue is set up by a small stream, which has to end. */
static void init_queues(struct app *app, struct memory *mem)
{
	const uint64_t set_sb_entry = 23ull << 56, heap_set = 48ull << 56 | 80ull << 40;
	const uint64_t words[] = { csf_move48(80, mem->va), set_sb_entry, heap_set, csf_nop() };
	struct drm_panthor_queue_submit job = { .stream_addr = mem->va };
	uint32_t syncobj = new_syncobj(&app->f), i;
	const struct drm_panthor_sync_op sync = signal_to(syncobj, 0);
	struct drm_panthor_bo_sync_op flush = { .handle = mem->handle, .size = sizeof(words) };

	memcpy(mem->map, words, sizeof(words));
	assert_ok(raw_sync(app->f.fd, &flush, 1, sizeof(flush)));
	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	for (i = 0; i < 3; i++) {
		job.queue_index = i;
		job.stream_size = i < 2 ? 32 : 16;
		assert_ok(submit_jobs(&app->f, app->group, &job, 1));
		assert_ok(drmSyncobjWait(app->f.fd, &syncobj, 1, INT64_MAX, 0, NULL));
		assert_int_equal(syncobj_error(&app->f, syncobj), 0);
		assert_ok(drmSyncobjReset(app->f.fd, &syncobj, 1));
	}
	assert_ok(drmSyncobjDestroy(app->f.fd, syncobj));
}

/* One BO bound twice, side by side, by one call. */
static void bind_twice(struct app *app, struct memory *mem)
{
	struct drm_panthor_bo_create create = {
		.size = SUB_ALLOC, .flags = DRM_PANTHOR_BO_NO_MMAP, .exclusive_vm_id = app->f.vm,
	};
	struct drm_panthor_vm_bind_op ops[2];

	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_BO_CREATE, &create));
	*mem = (struct memory){
		.handle = create.handle, .va = app->next_va, .size = 2 * SUB_ALLOC,
	};
	app->next_va += 2 * SUB_ALLOC;
	ops[0] = (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
		.bo_handle = create.handle,
		.va = mem->va,
		.size = SUB_ALLOC,
	};
	ops[1] = ops[0];
	ops[1].va += SUB_ALLOC;
	assert_ok(bind_sync(&app->f, app->f.vm, ops, 2));
}

/* Ten queue submits, the empty ones among them; the last signals points. */
static void submit_and_wait(struct app *app, struct memory *mem)
{
	struct drm_panthor_group_get_state group = { .group_handle = app->group };
	uint32_t fence = new_syncobj(&app->f), line = new_syncobj(&app->f), i;
	const struct drm_panthor_sync_op syncs[] = { signal_to(line, 1), signal_to(line, 2) };
	struct drm_panthor_queue_submit jobs[10];

	for (i = 0; i < 10; i++) {
		jobs[i] = (struct drm_panthor_queue_submit){ .queue_index = i % 3 };
		if (i % 2)
			continue;
		jobs[i].stream_addr = mem->va;
		jobs[i].stream_size = 32;
	}
	jobs[9].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(2, syncs);
	assert_ok(submit_jobs(&app->f, app->group, jobs, 10));
	assert_ok(drmSyncobjTransfer(app->f.fd, fence, 0, line, 2, 0));
	assert_ok(drmSyncobjWait(app->f.fd, &fence, 1, INT64_MAX,
				 DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL |
				 DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, NULL));
	assert_ok(drmSyncobjReset(app->f.fd, &fence, 1));
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &group));
	assert_int_equal(group.state | group.fatal_queues, 0);
	assert_int_equal(vm_state(&app->f, app->f.vm), DRM_PANTHOR_VM_STATE_USABLE);
	assert_ok(drmSyncobjDestroy(app->f.fd, fence));
	assert_ok(drmSyncobjDestroy(app->f.fd, line));
}

/* The queue for sparse memory binds asynchronously: nothing first, then a BO in its place. */
static void sparse_queue(struct app *app, struct memory *mem)
{
	uint32_t line = new_syncobj(&app->f);
	const struct drm_panthor_sync_op syncs[] = { signal_to(line, 1), wait_for(line, 1),
						     signal_to(line, 2) };
	struct drm_panthor_vm_bind_op ops[3] = {
		{
			.flags = DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE |
				 DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
			.va = HIGH_VA,
			.size = 64 * MIB,
		},
		{
			.flags = DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
			.bo_handle = mem->handle,
			.va = HIGH_VA,
			.size = PAGE,
			.syncs = DRM_PANTHOR_OBJ_ARRAY(1, syncs),
		},
		unmap_op(HIGH_VA, 64 * MIB, &syncs[1], 2),
	};

	assert_ok(bind_async(&app->f, app->f.vm, ops, 3));
	assert_ok(wait_syncobj(&app->f, line, 2, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(vm_state(&app->f, app->f.vm), DRM_PANTHOR_VM_STATE_USABLE);
	assert_ok(drmSyncobjDestroy(app->f.fd, line));
}

/* Nine flushes in one array, then an invalidate; odd multiples of a line. */
static void sync_memory(struct app *app, struct memory *mem)
{
	struct drm_panthor_bo_sync_op ops[9];
	uint32_t i;

	for (i = 0; i < 9; i++)
		ops[i] = (struct drm_panthor_bo_sync_op){
			.handle = mem->handle, .offset = 0x380 + i * 0x440, .size = 0x40,
		};
	assert_ok(raw_sync(app->f.fd, ops, 9, sizeof(*ops)));
	ops[0].type = DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE;
	assert_ok(raw_sync(app->f.fd, ops, 1, sizeof(*ops)));
}

static void share(struct app *app)
{
	struct drm_panthor_bo_create create = { .size = PAGE };
	struct drm_panthor_bo_query_info info = { 0 };
	uint32_t again;
	int fd;

	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_BO_CREATE, &create));
	assert_ok(drmPrimeHandleToFD(app->f.fd, create.handle, O_RDWR | O_CLOEXEC, &fd));
	assert_ok(drmPrimeFDToHandle(app->f.fd, fd, &again));
	assert_int_equal(again, create.handle);
	info.handle = again;
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &info));
	assert_int_equal(info.create_flags | info.extra_flags, 0);
	close(fd);
	assert_ok(drmCloseBufferHandle(app->f.fd, create.handle));
}

static void create_device(struct app *app)
{
	struct drm_panthor_vm_create vm = { .user_va_range = 1ull << 47 };

	open_physical_device(app);
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_VM_CREATE, &vm));
	assert_int_equal(vm.user_va_range, 1ull << 47);
	app->f.vm = vm.id;
	app->next_va = 32 * MIB;
	create_heap(app);
	create_group(app);
}

static void destroy_device(struct app *app)
{
	struct drm_panthor_tiler_heap_destroy heap = { .handle = app->heap };

	destroy_group(&app->f, app->group);
	assert_ok(raw_ioctl(app->f.fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &heap));
	assert_ok(destroy_vm(&app->f, app->f.vm));
	assert_ok(close(app->f.fd));
}

static void whole_life(void **state)
{
	struct fixture *f = need_file(state);
	struct memory stream_mem, shader, twice, big;
	struct app app = { .f.fd = open(f->info.node, O_RDWR | O_CLOEXEC) };

	assert_true(app.f.fd >= 0);
	open_physical_device(&app);
	create_device(&app);
	stream_mem = allocate(&app, 64 * KIB, DRM_PANTHOR_BO_WB_MMAP,
			      DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC);
	shader = allocate(&app, 2 * MIB, DRM_PANTHOR_BO_WB_MMAP,
			  DRM_PANTHOR_VM_BIND_OP_MAP_READONLY);
	init_queues(&app, &stream_mem);
	bind_twice(&app, &twice);
	big = allocate(&app, 10 * MIB, DRM_PANTHOR_BO_WB_MMAP, DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC);
	sync_memory(&app, &big);
	submit_and_wait(&app, &stream_mem);
	sparse_queue(&app, &big);
	share(&app);
	release(&app, &big);
	release(&app, &twice);
	release(&app, &shader);
	release(&app, &stream_mem);
	destroy_device(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(whole_life),
	};

	return cmocka_run_group_tests_name("panvk_sequence", tests, NULL, NULL);
}
