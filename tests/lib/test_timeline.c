// SPDX-License-Identifier: MIT
/* Timeline syncobjs in GROUP_SUBMIT, and submissions of several jobs. */
#include <stdlib.h>
#include <xf86drm.h>

#include "panthor_calls.h"

#define ADD(va)	csf_move48(80, va), csf_move32(0, 1), csf_sync_add32(0, 80)

static struct drm_panthor_obj_array array_of(const struct drm_panthor_sync_op *syncs,
					     uint32_t count)
{
	return (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(count, syncs);
}

/* Each queue waits for the one before it, at points of one timeline. */
static void chain_of_queues(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *out = new_buffer(f, PAGE, 0);
	uint32_t group = new_group(f, f->vm, 3), line = new_syncobj(f);
	struct gate gate = new_gate(f);
	const struct drm_panthor_sync_op syncs[3][2] = {
		{ wait_for(gate.syncobj, 0), signal_to(line, 10) },
		{ wait_for(line, 10), signal_to(line, 20) },
		{ wait_for(line, 20), signal_to(line, 30) },
	};
	struct drm_panthor_queue_submit jobs[3];
	uint32_t i;

	for (i = 0; i < 3; i++) {
		/* Stores the number of those before it. */
		jobs[i] = stream(f, 1 + i, i,
				 WORDS(csf_move48(80, out->va), csf_load_multiple(2, 1, 80, 0),
				       csf_wait(CSF_ALL_SCOREBOARDS), csf_move48(82, out->va + 64),
				       csf_store_multiple(2, 1, 82, 4 * (int)i), csf_move32(0, 1),
				       csf_sync_add32(0, 80)), 7);
		jobs[i].syncs = array_of(syncs[i], 2);
	}
	assert_ok(submit_jobs(f, group, jobs, 3));
	assert_int_equal(wait_syncobj(f, line, 10, SHORT_NS), -ETIME);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, line, 30, GPU_CSF_TIMEOUT_NS));
	assert_ok(wait_syncobj(f, line, 10, 0));
	for (i = 0; i < 3; i++)
		assert_int_equal(cpu_get(out, 64 + 4 * i), i);
}

/* A point that was passed over is signalled by the next one. */
static void points_between(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t group = new_group(f, f->vm, 1), line = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(line, 100);
	struct drm_panthor_queue_submit job = { .syncs = array_of(&sync, 1) };

	assert_ok(submit_jobs(f, group, &job, 1));
	assert_ok(wait_syncobj(f, line, 55, GPU_CSF_TIMEOUT_NS));
	assert_ok(wait_syncobj(f, line, 100, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(wait_syncobj(f, line, 101, SHORT_NS), -ETIME);
}

/* As a Vulkan driver does it: ten jobs, empty ones among them; the last signals. */
static void many_jobs_one_signal(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *out = new_buffer(f, PAGE, 0);
	uint32_t group = new_group(f, f->vm, 3), line = new_syncobj(f), i;
	const struct drm_panthor_sync_op syncs[] = {
		signal_to(line, 1), signal_to(line, 2), signal_to(line, 3),
		wait_for(line, 1), wait_for(line, 2), wait_for(line, 3), signal_to(line, 4),
	};
	const struct drm_panthor_queue_submit add =
		stream(f, 1, 0, WORDS(ADD(out->va)), COUNT_WORDS(ADD(out->va)));
	struct drm_panthor_queue_submit jobs[10];

	for (i = 0; i < 10; i++) {
		jobs[i] = add;
		jobs[i].queue_index = i % 3;
	}
	jobs[5].stream_size = 0;
	jobs[5].stream_addr = 0;
	for (i = 6; i < 9; i++)
		jobs[i].syncs = array_of(&syncs[i - 6], 1);
	jobs[9].syncs = array_of(&syncs[3], 4);
	assert_ok(submit_jobs(f, group, jobs, 10));
	assert_ok(wait_syncobj(f, line, 4, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(out, 0), 9);
}

/* All or nothing: a bad job, or a bad sync op, in the last place stops the first. */
static void bad_last(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *out = new_buffer(f, PAGE, 0);
	uint32_t group = new_group(f, f->vm, 1), line = new_syncobj(f);
	struct drm_panthor_sync_op sync = signal_to(line, 1);
	const struct drm_panthor_queue_submit good =
		stream(f, 1, 0, WORDS(ADD(out->va)), COUNT_WORDS(ADD(out->va)));
	struct drm_panthor_queue_submit jobs[2] = { good, good };

	jobs[1].queue_index = 1;
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	jobs[1] = good;
	jobs[1].latest_flush = 1u << 24;
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	jobs[1] = good;
	jobs[1].stream_size = 0;
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	jobs[1] = good;
	jobs[1].syncs = array_of(&sync, 1);
	sync = wait_for(line, 5);
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	sync = wait_for(NO_HANDLE, 5);
	assert_int_equal(submit_jobs(f, group, jobs, 2), -ENOENT);
	sync = signal_to(NO_HANDLE, 5);
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	sync = signal_to(line, 5);
	sync.flags |= 4;
	assert_int_equal(submit_jobs(f, group, jobs, 2), -EINVAL);
	assert_int_equal(wait_syncobj(f, line, 5, SHORT_NS), -ETIME);
	assert_int_equal(cpu_get(out, 0), 0);
	sync = signal_to(line, 5);
	assert_ok(submit_jobs(f, group, jobs, 2));
	assert_ok(wait_syncobj(f, line, 5, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(out, 0), 2);
}

/* All jobs of a submission may name one array: what it costs is bounded for them together. */
static void sync_ops_of_all_jobs(void **state)
{
	enum { JOBS = 3, WAITS = 2000 };
	struct fixture *f = need_file(state);
	uint32_t group = new_group(f, f->vm, 1), done = new_syncobj(f), i;
	struct drm_panthor_queue_submit jobs[JOBS] = {};
	const struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_sync_op *waits = calloc(WAITS, sizeof(*waits));

	assert_non_null(waits);
	jobs[0].syncs = array_of(&sync, 1);
	assert_ok(submit_jobs(f, group, jobs, 1));
	for (i = 0; i < WAITS; i++)
		waits[i] = wait_for(done, 0);
	for (i = 0; i < JOBS; i++)
		jobs[i].syncs = array_of(waits, WAITS);
	assert_int_equal(submit_jobs(f, group, jobs, JOBS), -E2BIG);
	assert_ok(submit_jobs(f, group, jobs, 2));
	free(waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(chain_of_queues),
		device_test(points_between),
		device_test(many_jobs_one_signal),
		device_test(sync_ops_of_all_jobs),
		device_test(bad_last),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
