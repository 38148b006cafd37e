// SPDX-License-Identifier: MIT
/*
 * Streams that fault or never end: the group is dead and says why, its fence is
 * in error, nothing hangs, and other queues go on (case 72). Then the refusals
 * of group calls.
 */
#include <unistd.h>
#include <xf86drm.h>

#include "fixture.h"

#define OUT		80
#define UNBOUND		(GPU_BIND_AT_END - (1ull << 30))
#define MSEC		1000000ll

/* A queue of its own, with one stream submitted. */
struct job {
	struct gpu_queue *queue;
	uint64_t va;
	uint32_t size;
};

static struct job start_at(struct fixture *f, uint64_t va, uint32_t size)
{
	struct job job = { .va = va, .size = size };

	assert_ok(gpu_csf_queue_create(f->gpu, &job.queue));
	assert_ok(gpu_csf_submit(job.queue, va, size));
	return job;
}

static struct job start_words(struct fixture *f, const uint64_t *words, size_t count)
{
	uint64_t va;

	assert_ok(gpu_csf_load(f->gpu, 1, words, count, &va));
	return start_at(f, va, count * sizeof(*words));
}

#define WORDS(...)	((const uint64_t[]){ __VA_ARGS__ })
#define start(f, ...)	\
	start_words(f, WORDS(__VA_ARGS__), sizeof(WORDS(__VA_ARGS__)) / sizeof(uint64_t))

static void check_gpu_works(struct fixture *f)
{
	struct buffer *buf = new_buffer(f, 4096, 0);

	gpu_put(f, buf, 0, 0x600d);
	assert_int_equal(gpu_get(f, buf, 0), 0x600d);
}

/* In panthor's terms: its fence is in error, its group dead with @flag. */
static void check_dead_group(struct fixture *f, struct job *job, uint32_t flag)
{
	uint32_t group, syncobj, state;
	int error;

	gpu_panthor_queue_handles(job->queue, &group, &syncobj);
	assert_ok(gpu_syncobj_error(f->fd, syncobj, &error));
	assert_true(error < 0);
	assert_ok(gpu_panthor_group_state(f->fd, group, &state));
	assert_true(state & flag);
}

/* The job ended with @error and its queue is dead; other queues are alive. */
static void check_dead(struct fixture *f, struct job *job, int error)
{
	assert_int_equal(gpu_csf_wait(job->queue, GPU_CSF_TIMEOUT_NS), error);
	if (f->fd >= 0)
		check_dead_group(f, job, error == -EIO ? DRM_PANTHOR_GROUP_STATE_FATAL_FAULT :
							 DRM_PANTHOR_GROUP_STATE_TIMEDOUT);
	assert_int_equal(gpu_csf_submit(job->queue, job->va, job->size), -EINVAL);
	check_gpu_works(f);
	gpu_csf_queue_destroy(job->queue);
}

static void check_fault(struct fixture *f, struct job job)
{
	check_dead(f, &job, -EIO);
}

/* The twin of all that follow: a good job leaves its queue alive. */
static void good_job(void **state)
{
	struct fixture *f = need_device(state);
	struct job job = start(f, csf_nop());

	assert_ok(gpu_csf_wait(job.queue, GPU_CSF_TIMEOUT_NS));
	assert_ok(gpu_csf_submit(job.queue, job.va, job.size));
	assert_ok(gpu_csf_wait(job.queue, GPU_CSF_TIMEOUT_NS));
	gpu_csf_queue_destroy(job.queue);
}

static void read_of_unmapped(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_move48(OUT, UNBOUND), csf_load_multiple(0, 1, OUT, 0)));
}

static void write_to_unmapped(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_move48(OUT, UNBOUND), csf_store_multiple(0, 1, OUT, 0)));
}

static void sync_on_unmapped(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_move48(OUT, UNBOUND), csf_sync_add32(0, OUT)));
	check_fault(f, start(f, csf_move48(OUT, UNBOUND), csf_sync_set64(0, OUT)));
	check_fault(f, start(f, csf_move48(OUT, UNBOUND), csf_sync_wait32(CSF_GT, 0, OUT)));
}

/* What the GPU may only read it may not add to either. */
static void sync_on_read_only(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);
	struct job job;
	uint64_t va;

	assert_ok(gpu_bind_readonly(f->gpu, buf->bo, &va));
	cpu_put(buf, 0, 5);
	check_fault(f, start(f, csf_move48(OUT, va), csf_move48(0, 1), csf_sync_add32(0, OUT)));
	check_fault(f, start(f, csf_move48(OUT, va), csf_move48(0, 1), csf_sync_add64(0, OUT)));
	check_fault(f, start(f, csf_move48(OUT, va), csf_move48(0, 1), csf_sync_set32(0, OUT)));
	check_fault(f, start(f, csf_move48(OUT, va), csf_move48(0, 1), csf_sync_set64(0, OUT)));
	assert_int_equal(cpu_get(buf, 0), 5);
	assert_int_equal(cpu_get(buf, 4), 0);
	/* Where it may write, it adds. */
	job = start(f, csf_move48(OUT, buf->va), csf_move48(0, 1), csf_sync_add32(0, OUT));
	assert_ok(gpu_csf_wait(job.queue, GPU_CSF_TIMEOUT_NS));
	gpu_csf_queue_destroy(job.queue);
	assert_int_equal(cpu_get(buf, 0), 6);
}

static void address_out_of_range(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_move48(OUT, 0), csf_add_immediate64(OUT, OUT, -64),
			     csf_load_multiple(0, 1, OUT, 0)));
	check_fault(f, start(f, csf_move48(OUT, 0xfffffffffffcull),
			     csf_store_multiple(0, 3, OUT, 0)));
}

static void stream_of_unmapped(void **state)
{
	check_fault(need_device(state), start_at(need_device(state), UNBOUND, 64));
}

/* What comes before the fault is done, what comes after it is not. */
static void stops_at_the_fault(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);

	check_fault(f, start(f, csf_move48(OUT, buf->va), csf_move32(0, 0x11),
			     csf_store_multiple(0, 1, OUT, 0), csf_move48(OUT + 2, UNBOUND),
			     csf_store_multiple(0, 1, OUT + 2, 0),
			     csf_store_multiple(0, 1, OUT, 4)));
	assert_int_equal(cpu_get(buf, 0), 0x11);
	assert_int_equal(cpu_get(buf, 4), 0);
}

/* Programs are bound read-only: that is where this stream itself lies. */
static void write_to_read_only(void **state)
{
	struct fixture *f = need_device(state);
	uint64_t target[1] = { 0x1122334455667788 };
	uint64_t va;
	uint32_t value;

	assert_ok(gpu_csf_load(f->gpu, 2, target, 1, &va));
	check_fault(f, start(f, csf_move48(OUT, va), csf_store_multiple(0, 1, OUT, 0)));
	assert_ok(gpu_read32(f->gpu, va, &value));
	assert_int_equal(value, 0x55667788);
}

static void misaligned_addresses(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *buf = new_buffer(f, 4096, 0);

	check_fault(f, start(f, csf_move48(OUT, buf->va + 2), csf_load_multiple(0, 1, OUT, 0)));
	check_fault(f, start(f, csf_move48(OUT, buf->va + 4), csf_sync_set64(0, OUT)));
}

/* What needs shader cores, or what nobody knows, is reported and never skipped. */
static void unsupported_instructions(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_op(CSF_OP_RUN_COMPUTE)));
	check_fault(f, start(f, csf_op(CSF_OP_PROGRESS_STORE)));
	check_fault(f, start(f, 0xff00000000000000ull));
}

/* Registers that do not exist, an odd register as a pair. */
static void bad_registers(void **state)
{
	struct fixture *f = need_device(state);

	check_fault(f, start(f, csf_move32(96, 1)));
	check_fault(f, start(f, csf_move48(1, 1)));
	check_fault(f, start(f, csf_move48(OUT, new_buffer(f, 4096, 0)->va),
			     csf_load_multiple(90, 0xffff, OUT, 0)));
}

/* The driver's timeout is 5 s of running; other queues go on meanwhile, and take from these. */
static void endless_stream_times_out(void **state)
{
	struct fixture *f = need_device(state);
	int64_t began = now_ms();
	struct job job = start(f, csf_nop(), csf_branch(-2, CSF_ALWAYS, 0));

	check_gpu_works(f);
	assert_int_equal(gpu_csf_wait(job.queue, 1000 * MSEC), -ETIME);
	assert_int_equal(gpu_csf_wait(job.queue, 12 * GPU_CSF_TIMEOUT_NS), -ETIMEDOUT);
	assert_true(now_ms() - began >= 4000);
	check_dead(f, &job, -ETIMEDOUT);
}

/* Its group's end is its own: long before the timeout. */
static void endless_stream_and_destroyed_group(void **state)
{
	struct fixture *f = need_file(state);
	const uint64_t words[] = { csf_nop(), csf_branch(-2, CSF_ALWAYS, 0) };
	uint32_t group, syncobj;
	int64_t began;
	uint64_t va;

	assert_ok(gpu_panthor_group_create(f->fd, f->vm, &group));
	assert_ok(drmSyncobjCreate(f->fd, 0, &syncobj));
	assert_ok(gpu_csf_load(f->gpu, 1, words, ARRAY_SIZE(words), &va));
	assert_ok(gpu_panthor_submit(f->fd, group, va, sizeof(words), syncobj));
	began = now_ms();
	assert_int_equal(gpu_syncobj_wait(f->fd, syncobj, 100 * MSEC), -ETIME);
	assert_ok(gpu_panthor_group_destroy(f->fd, group));
	assert_ok(gpu_syncobj_wait(f->fd, syncobj, 2000 * MSEC));
	assert_true(now_ms() - began < 3000);
	assert_ok(drmSyncobjDestroy(f->fd, syncobj));
	check_gpu_works(f);
}

/* The same for every driver: its queue can go, and others go on. */
static void endless_stream_and_destroyed_queue(void **state)
{
	struct fixture *f = need_device(state);
	struct job job = start(f, csf_nop(), csf_branch(-2, CSF_ALWAYS, 0));
	int64_t began = now_ms();

	assert_int_equal(gpu_csf_wait(job.queue, 100 * MSEC), -ETIME);
	gpu_csf_queue_destroy(job.queue);
	assert_true(now_ms() - began < 3000);
	check_gpu_works(f);
}

/* The same for the end of the file: close does not wait for the timeout. */
static void endless_stream_and_closed_file(void **state)
{
	struct fixture *f = need_file(state);
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
	uint32_t group, syncobj, shared;
	int64_t began;
	uint64_t va;
	int fd, file;

	assert_ok(gemsync_device_open(f->info.node, &dev));
	assert_ok(gpu_open(dev, &gpu));
	fd = gemsync_device_fd(dev);
	assert_ok(gpu_panthor_group_create(fd, gemsync_device_vm(dev), &group));
	assert_ok(drmSyncobjCreate(fd, 0, &syncobj));
	assert_ok(gpu_csf_load(gpu, 1, WORDS(csf_nop(), csf_branch(-2, CSF_ALWAYS, 0)), 2,
				   &va));
	assert_ok(gpu_panthor_submit(fd, group, va, 16, syncobj));
	/* A handle that outlives the file. */
	assert_ok(drmSyncobjHandleToFD(fd, syncobj, &file));
	assert_ok(drmSyncobjFDToHandle(f->fd, file, &shared));
	assert_ok(close(file));
	assert_int_equal(gpu_syncobj_wait(f->fd, shared, 100 * MSEC), -ETIME);

	began = now_ms();
	gpu_close(gpu);
	gemsync_device_close(dev);
	assert_ok(gpu_syncobj_wait(f->fd, shared, 2000 * MSEC));
	assert_true(now_ms() - began < 3000);
	assert_ok(drmSyncobjDestroy(f->fd, shared));
	check_gpu_works(f);
}

/* ---- Refusals ---- */

static int try_group(struct fixture *f, const struct drm_panthor_group_create *good,
		     const struct drm_panthor_queue_create *queue, uint32_t count)
{
	struct drm_panthor_group_create args = *good;
	int ret;

	args.queues.stride = sizeof(*queue);
	args.queues.count = count;
	args.queues.array = (uintptr_t)queue;
	ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
	if (!ret)
		assert_ok(gpu_panthor_group_destroy(f->fd, args.group_handle));
	return ret;
}

static struct drm_panthor_group_create good_group(struct fixture *f)
{
	return (struct drm_panthor_group_create){
		.max_compute_cores = 1,
		.max_fragment_cores = 1,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = 1,
		.fragment_core_mask = 1,
		.tiler_core_mask = 1,
		.vm_id = f->vm,
	};
}

static void bad_groups(void **state)
{
	static const uint32_t bad_rings[] = { 0, 2048, 12288, 128 << 10 };
	struct fixture *f = need_file(state);
	const struct drm_panthor_group_create good = good_group(f);
	struct drm_panthor_queue_create queue = { .ringbuf_size = 4096 };
	struct drm_panthor_group_create bad;
	size_t i;

	assert_ok(try_group(f, &good, &queue, 1));
	assert_int_equal(try_group(f, &good, &queue, 0), -EINVAL);
	bad = good;
	bad.pad = 1;
	assert_int_equal(try_group(f, &bad, &queue, 1), -EINVAL);
	bad = good;
	bad.vm_id = NO_HANDLE;
	assert_int_equal(try_group(f, &bad, &queue, 1), -EINVAL);
	bad = good;
	bad.priority = 7;
	assert_int_equal(try_group(f, &bad, &queue, 1), -EINVAL);
	bad = good;
	bad.max_compute_cores = 2;
	assert_int_equal(try_group(f, &bad, &queue, 1), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad_rings); i++) {
		queue.ringbuf_size = bad_rings[i];
		assert_int_equal(try_group(f, &good, &queue, 1), -EINVAL);
	}
}

static void bad_submits(void **state)
{
	struct fixture *f = need_file(state);
	struct job job = start(f, csf_nop(), csf_nop());
	struct drm_panthor_queue_submit good = { .stream_size = 16, .stream_addr = job.va };
	struct drm_panthor_queue_submit submit;
	struct drm_panthor_group_submit args = {
		.queue_submits = { sizeof(submit), 1, (uintptr_t)&submit },
	};
	uint32_t group, syncobj;
	static const struct drm_panthor_queue_submit wrong[] = {
		{ .queue_index = 1 }, { .stream_addr = 8 }, { .stream_size = 4 }, { .pad = 1 },
	};
	size_t i;

	gpu_panthor_queue_handles(job.queue, &group, &syncobj);
	args.group_handle = group;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		submit = good;
		submit.queue_index += wrong[i].queue_index;
		submit.stream_addr += wrong[i].stream_addr;
		submit.stream_size += wrong[i].stream_size;
		submit.pad += wrong[i].pad;
		assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args), -EINVAL);
	}
	submit = good;
	args.pad = 1;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args), -EINVAL);
	args.pad = 0;
	args.group_handle = NO_HANDLE;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args), -EINVAL);
	args.group_handle = group;
	args.queue_submits.stride = sizeof(submit) - 8;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args), -EINVAL);
	args.queue_submits.stride = sizeof(submit);
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args));
	gpu_csf_queue_destroy(job.queue);
}

static void unknown_groups(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t group_state;

	assert_int_equal(gpu_panthor_group_destroy(f->fd, NO_HANDLE), -EINVAL);
	assert_int_equal(gpu_panthor_group_state(f->fd, NO_HANDLE, &group_state), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(good_job),
		device_test(read_of_unmapped),
		device_test(write_to_unmapped),
		device_test(sync_on_unmapped),
		device_test(sync_on_read_only),
		device_test(address_out_of_range),
		device_test(stream_of_unmapped),
		device_test(stops_at_the_fault),
		device_test(write_to_read_only),
		device_test(misaligned_addresses),
		device_test(unsupported_instructions),
		device_test(bad_registers),
		device_test(endless_stream_times_out),
		device_test(endless_stream_and_destroyed_group),
		device_test(endless_stream_and_destroyed_queue),
		device_test(endless_stream_and_closed_file),
		device_test(bad_groups),
		device_test(bad_submits),
		device_test(unknown_groups),
	};

	return cmocka_run_group_tests_name("stream_faults", tests, NULL, NULL);
}
