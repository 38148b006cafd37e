// SPDX-License-Identifier: MIT
/*
 * VM_BIND with syncobjs: it waits, runs in order and signals; nothing of it is seen
 * before. The twin of each wait is that it has not happened before the gate opens.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#include "binding.h"
#include "panthor_calls.h"

static struct buffer *marked(struct fixture *f, uint32_t mark)
{
	struct buffer *buf = new_buffer(f, 4 * PAGE, 0);

	cpu_put(buf, 0, mark);
	return buf;
}

static void assert_seen(struct fixture *f, uint64_t va, uint32_t expected)
{
	uint32_t value;

	assert_ok(gpu_read32(f->gpu, va, &value));
	assert_int_equal(value, expected);
}

static void assert_unmapped(struct fixture *f, uint64_t va)
{
	uint32_t value;

	assert_int_equal(gpu_read32(f->gpu, va, &value), -EIO);
}

static void map_waits_and_signals(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = marked(f, 0xa1);
	struct gate gate = new_gate(f);
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op syncs[] = {
		wait_for(gate.syncobj, 0), signal_to(done, 0),
	};
	const struct drm_panthor_vm_bind_op op = map_op(buf->bo, BASE, PAGE, syncs, 2);

	assert_ok(bind_async(f, f->vm, &op, 1));
	assert_int_equal(wait_syncobj(f, done, 0, SHORT_NS), -ETIME);
	assert_unmapped(f, BASE);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, done), 0);
	assert_seen(f, BASE, 0xa1);
	assert_int_equal(vm_state(f, f->vm), DRM_PANTHOR_VM_STATE_USABLE);
}

static void unmap_waits(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = marked(f, 0xa2);
	struct gate gate = new_gate(f);
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op syncs[] = {
		wait_for(gate.syncobj, 0), signal_to(done, 7),
	};
	const struct drm_panthor_vm_bind_op op = unmap_op(buf->va, PAGE, syncs, 2);

	assert_ok(bind_async(f, f->vm, &op, 1));
	assert_int_equal(wait_syncobj(f, done, 7, SHORT_NS), -ETIME);
	assert_seen(f, buf->va, 0xa2);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, done, 7, GPU_CSF_TIMEOUT_NS));
	assert_unmapped(f, buf->va);
	assert_seen(f, buf->va + PAGE, 0);
}

/* Later binds without a wait stay behind earlier ones that wait. */
static void runs_in_order(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *a = marked(f, 0xa3), *b = marked(f, 0xb3);
	struct gate gate = new_gate(f);
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op wait = wait_for(gate.syncobj, 0);
	const struct drm_panthor_sync_op signal = signal_to(done, 0);
	const struct drm_panthor_vm_bind_op ops[] = {
		map_op(a->bo, BASE, 4 * PAGE, &wait, 1),
		map_op(b->bo, BASE + PAGE, PAGE, NULL, 0),
		unmap_op(BASE + 3 * PAGE, PAGE, NULL, 0),
	};
	const struct drm_panthor_vm_bind_op last = sync_only_op(&signal, 1);

	assert_ok(bind_async(f, f->vm, ops, ARRAY_SIZE(ops)));
	assert_ok(bind_async(f, f->vm, &last, 1));
	assert_int_equal(wait_syncobj(f, done, 0, SHORT_NS), -ETIME);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_seen(f, BASE, 0xa3);
	assert_seen(f, BASE + PAGE, 0xb3);
	assert_seen(f, BASE + 2 * PAGE, 0);
	assert_unmapped(f, BASE + 3 * PAGE);
}

/* A job that waits for a bind uses what it mapped; the next bind waits for the job. */
static void jobs_and_binds(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = marked(f, 0xa4), *out = new_buffer(f, PAGE, 0);
	uint32_t line = new_syncobj(f), group = new_group(f, f->vm, 1);
	struct gate gate = new_gate(f);
	const struct drm_panthor_sync_op map_syncs[] = {
		wait_for(gate.syncobj, 0), signal_to(line, 1),
	};
	const struct drm_panthor_sync_op job_syncs[] = { wait_for(line, 1), signal_to(line, 2) };
	const struct drm_panthor_sync_op unmap_syncs[] = { wait_for(line, 2), signal_to(line, 3) };
	const struct drm_panthor_vm_bind_op map = map_op(buf->bo, BASE, PAGE, map_syncs, 2);
	const struct drm_panthor_vm_bind_op unmap = unmap_op(BASE, PAGE, unmap_syncs, 2);
	struct drm_panthor_queue_submit job =
		stream(f, 1, 0, WORDS(csf_move48(80, BASE), csf_load_multiple(0, 1, 80, 0),
				      csf_wait(CSF_ALL_SCOREBOARDS), csf_move48(82, out->va),
				      csf_store_multiple(0, 1, 82, 0)), 5);

	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(2, job_syncs);
	assert_ok(bind_async(f, f->vm, &map, 1));
	assert_ok(submit_jobs(f, group, &job, 1));
	assert_ok(bind_async(f, f->vm, &unmap, 1));
	assert_int_equal(cpu_get(out, 0), 0);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, line, 3, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(out, 0), 0xa4);
	assert_int_equal(group_state(f, group), 0);
	assert_unmapped(f, BASE);
}

/* The bind keeps what it maps: its handle can go first. */
static void bo_closed_before(void **state)
{
	struct fixture *f = need_file(state);
	struct gate gate = new_gate(f);
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op syncs[] = {
		wait_for(gate.syncobj, 0), signal_to(done, 0),
	};
	struct drm_panthor_vm_bind_op op;
	struct gemsync_bo *bo;
	uint32_t *map;
	void *addr;

	assert_ok(gemsync_bo_create(f->dev, PAGE, 0, &bo));
	assert_ok(gemsync_bo_map(bo, &addr));
	map = addr;
	*map = 0xa5;
	op = map_op(bo, BASE, PAGE, syncs, 2);
	assert_ok(bind_async(f, f->vm, &op, 1));
	gemsync_bo_destroy(bo);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_seen(f, BASE, 0xa5);
}

/* A map that comes after the end of its VM is an error, and nothing else. */
static void vm_destroyed_before(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = new_buffer(f, PAGE, GEMSYNC_BO_SHAREABLE);
	uint32_t vm = new_vm(f), done = new_syncobj(f);
	struct gate gate = new_gate(f);
	const struct drm_panthor_sync_op syncs[] = {
		wait_for(gate.syncobj, 0), signal_to(done, 0),
	};
	const struct drm_panthor_vm_bind_op op = map_op(buf->bo, BASE, PAGE, syncs, 2);

	assert_ok(bind_async(f, vm, &op, 1));
	assert_ok(destroy_vm(f, vm));
	gate_open(&gate);
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, done), -EINVAL);
}

static void file_closed_before(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create create = { 0 };
	struct gate gate = new_gate(f);
	struct fixture other = { 0 };
	struct drm_panthor_sync_op sync;
	struct drm_panthor_vm_bind_op op;
	int syncobj_fd;
	uint32_t wait;

	other.fd = open(f->info.node, O_RDWR | O_CLOEXEC);
	assert_true(other.fd >= 0);
	assert_ok(raw_ioctl(other.fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	assert_ok(drmSyncobjHandleToFD(f->fd, gate.syncobj, &syncobj_fd));
	assert_ok(drmSyncobjFDToHandle(other.fd, syncobj_fd, &wait));
	sync = wait_for(wait, 0);
	op = sync_only_op(&sync, 1);
	assert_ok(bind_async(&other, create.id, &op, 1));
	close(syncobj_fd);
	close(other.fd);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, gate.syncobj, 0, GPU_CSF_TIMEOUT_NS));
}

/* Somebody else's job, which runs until it is told to end. */
struct stranger {
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	struct gemsync_bo *bo;
	uint64_t va;
	volatile uint32_t *word;
};

static struct stranger need_stranger(void)
{
	struct stranger s;
	void *map;

	if (gemsync_device_open("panfrost", &s.dev))
		skip_because("there is no panfrost device whose job a bind could wait for");
	assert_ok(gpu_open(s.dev, &s.gpu));
	assert_ok(gemsync_bo_create(s.dev, PAGE, 0, &s.bo));
	assert_ok(gemsync_bo_map(s.bo, &map));
	s.word = map;
	assert_ok(gpu_bind(s.gpu, s.bo, &s.va));
	return s;
}

/* @syncobj gets the fence of the job. */
static void stranger_begins(struct stranger *s, int fd, uint32_t syncobj)
{
	int fence;

	*s->word = 0;
	assert_ok(gpu_spin_begin(s->gpu, s->va));
	assert_ok(gpu_spin_fence(s->gpu, &fence));
	assert_ok(drmSyncobjImportSyncFile(fd, syncobj, fence));
	close(fence);
}

/* Whether it ran until now: its driver ends it after half a second. */
static bool stranger_ends(struct stranger *s)
{
	*s->word = 1;
	return !gpu_spin_end(s->gpu);
}

static void stranger_goes(struct stranger *s)
{
	gpu_close(s->gpu);
	gemsync_bo_destroy(s->bo);
	gemsync_device_close(s->dev);
}

/* A device that goes while a bind of a file that is closed waits. Whether it did wait. */
static bool bind_outlives_device(const char *node, const struct place *place,
				 struct stranger *stranger)
{
	struct fixture other = { .fd = open(node, O_RDWR | O_CLOEXEC) };
	struct drm_panthor_vm_create create = { 0 };
	struct drm_panthor_vm_bind_op op;
	struct drm_panthor_sync_op sync;
	uint32_t wait;
	bool waited;

	assert_true(other.fd >= 0);
	assert_ok(raw_ioctl(other.fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	assert_ok(drmSyncobjCreate(other.fd, 0, &wait));
	sync = wait_for(wait, 0);
	op = sync_only_op(&sync, 1);
	stranger_begins(stranger, other.fd, wait);
	assert_ok(bind_async(&other, create.id, &op, 1));
	close(other.fd);
	unbind_device(place);
	waited = stranger_ends(stranger);
	bind_device(place);
	return waited;
}

/* A bind that nobody waits for any more keeps what it needs, until it has waited. */
static void device_gone_before(void **state)
{
	struct fixture *f = need_file(state);
	const struct place place = need_place(f->fd, &f->info);
	struct stranger stranger = need_stranger();
	bool waited = false;
	char node[sizeof(f->info.node)];
	uint32_t tries;

	snprintf(node, sizeof(node), "%s", f->info.node);
	/* No other file keeps the device. */
	assert_ok(fixture_teardown(state));
	*state = NULL;
	for (tries = 0; tries < 10 && !waited; tries++)
		waited = bind_outlives_device(node, &place, &stranger);
	assert_true(waited);
	stranger_goes(&stranger);
}

/* Each broken in one thing; no op of the call is queued. */
static void bad_ops(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = marked(f, 0xa6);
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op signal = signal_to(done, 0);
	const struct drm_panthor_vm_bind_op good = map_op(buf->bo, BASE, PAGE, &signal, 1);
	const struct {
		const char *what;
		struct drm_panthor_vm_bind_op wrong;	/* what is added to the good op */
	} cases[] = {
		{ "address not aligned", { .va = 64 } },
		{ "size not aligned", { .size = 64 } },
		{ "empty map", { .size = 0ull - PAGE } },
		{ "offset beyond the BO", { .bo_offset = 4 * PAGE } },
		{ "kernel's part of the space", { .va = 1ull << 47 } },
		{ "unknown handle", { .bo_handle = 0x10000000 } },
		{ "unknown flag", { .flags = 1u << 20 } },
		{ "unknown type", { .flags = 5u << 28 } },
		{ "unmap with a handle", { .flags = 1u << 28 } },
		{ "stride of the syncs", { .syncs.stride = 0u - 8 } },
	};
	struct drm_panthor_vm_bind_op ops[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ops[0] = good;
		ops[1] = good;
		ops[1].flags += cases[i].wrong.flags;
		ops[1].bo_handle += cases[i].wrong.bo_handle;
		ops[1].bo_offset += cases[i].wrong.bo_offset;
		ops[1].va += cases[i].wrong.va;
		ops[1].size += cases[i].wrong.size;
		ops[1].syncs.stride += cases[i].wrong.syncs.stride;
		if (bind_async(f, f->vm, ops, 2) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
	}
	assert_int_equal(wait_syncobj(f, done, 0, 0), -ETIME);
	assert_unmapped(f, BASE);
	assert_ok(bind_async(f, f->vm, &good, 1));
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
}

static void bad_syncs(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t done = new_syncobj(f);
	struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_vm_bind_op op = sync_only_op(&sync, 1);

	sync = wait_for(done, 0);
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);	/* no fence in it */
	sync = signal_to(NO_HANDLE, 0);
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	sync = wait_for(NO_HANDLE, 0);
	assert_int_equal(bind_async(f, f->vm, &op, 1), -ENOENT);
	sync = signal_to(done, 0);
	sync.timeline_value = 1;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	sync = signal_to(done, 0);
	sync.flags |= 2;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	sync = signal_to(done, 0);
	op.syncs.array = 8;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EFAULT);
	op = sync_only_op(&sync, 0);
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	op = sync_only_op(&sync, 1);
	op.va = PAGE;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	op = sync_only_op(&sync, 1);
	op.size = PAGE;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	op = sync_only_op(&sync, 1);
	op.bo_handle = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo);
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	op = sync_only_op(&sync, 1);
	op.bo_offset = PAGE;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	op = sync_only_op(&sync, 1);
	op.flags |= DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC;
	assert_int_equal(bind_async(f, f->vm, &op, 1), -EINVAL);
	/* A synchronous bind has no syncs. */
	op = unmap_op(BASE, PAGE, &sync, 1);
	assert_int_equal(bind_sync(f, f->vm, &op, 1), -EINVAL);
	assert_int_equal(wait_syncobj(f, done, 0, 0), -ETIME);
	op = sync_only_op(&sync, 1);
	assert_ok(bind_async(f, f->vm, &op, 1));
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_ok(bind_async(f, f->vm, &op, 0));
}

/* Let the next asynchronous bind fail; only the emulation can do that. */
static void fail_next_bind(struct fixture *f)
{
	char path[64];
	struct stat st;
	FILE *file;

	assert_ok(fstat(f->fd, &st));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/fail_async_binds",
		 minor(st.st_rdev));
	file = fopen(path, "we");
	if (!file)
		skip_because("cannot write %s: run as root on an emulated device", path);
	fputs("1\n", file);
	assert_ok(fclose(file));
}

/* After a failure nothing is mapped any more; unmapping and destroying work. */
static void unusable(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = new_buffer(f, PAGE, GEMSYNC_BO_SHAREABLE);
	uint32_t vm = new_vm(f), done = new_syncobj(f);
	const struct drm_panthor_sync_op signal = signal_to(done, 0);
	const struct drm_panthor_vm_bind_op map = map_op(buf->bo, BASE, PAGE, &signal, 1);
	const struct drm_panthor_vm_bind_op map_now = map_op(buf->bo, BASE, PAGE, NULL, 0);
	const struct drm_panthor_vm_bind_op unmap = unmap_op(BASE, PAGE, NULL, 0);
	const struct drm_panthor_vm_bind_op sync = sync_only_op(&signal, 1);

	assert_ok(bind_sync(f, vm, &map_now, 1));
	fail_next_bind(f);
	assert_ok(bind_async(f, vm, &map, 1));
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, done), -ENOMEM);
	assert_int_equal(vm_state(f, vm), DRM_PANTHOR_VM_STATE_UNUSABLE);
	assert_int_equal(bind_async(f, vm, &map, 1), -EINVAL);
	assert_int_equal(bind_async(f, vm, &sync, 1), -EINVAL);
	assert_int_equal(bind_sync(f, vm, &map_now, 1), -EINVAL);
	assert_ok(bind_sync(f, vm, &unmap, 1));
	assert_ok(destroy_vm(f, vm));
	assert_int_equal(vm_state(f, f->vm), DRM_PANTHOR_VM_STATE_USABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(map_waits_and_signals),
		device_test(unmap_waits),
		device_test(runs_in_order),
		device_test(jobs_and_binds),
		device_test(bo_closed_before),
		device_test(vm_destroyed_before),
		device_test(file_closed_before),
		device_test(device_gone_before),
		device_test(bad_ops),
		device_test(bad_syncs),
		device_test(unusable),
	};

	return cmocka_run_group_tests_name("async_bind", tests, NULL, NULL);
}
