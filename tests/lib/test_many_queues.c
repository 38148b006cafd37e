// SPDX-License-Identifier: MIT
/*
 * Queues that wait for each other, and queues that do not care for each other: what
 * one client's streams do delays nobody else's.
 */
#include <unistd.h>

#include "panthor_calls.h"

#define TURNS	50u

/* A loop: wait for a word to exceed TURN - 1, add one to the other word. */
#define PLAYER(wait_va, add_va, first)						\
	csf_move48(80, wait_va), csf_move48(82, add_va), csf_move32(0, first),	\
	csf_move32(1, 1), csf_move32(2, TURNS),					\
	csf_sync_wait32(CSF_GT, 0, 80), csf_sync_add32(1, 82),			\
	csf_add_immediate32(0, 0, 1), csf_add_immediate32(2, 2, -1),		\
	csf_branch(-5, CSF_GT, 2)
#define PLAYER_WORDS	10

static struct drm_panthor_queue_submit player(struct fixture *f, unsigned int slot,
					      uint32_t queue, uint64_t wait, uint64_t add)
{
	return stream(f, slot, queue, WORDS(PLAYER(wait, add, 0)), PLAYER_WORDS);
}

/* The CPU gives the first turn; each side then does all of its turns. */
static void check_game(struct fixture *f, struct buffer *words, uint32_t done)
{
	assert_int_equal(wait_syncobj(f, done, 0, SHORT_NS), -ETIME);
	cpu_put(words, 0, 1);
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, done), 0);
	assert_int_equal(cpu_get(words, 64), TURNS);
	assert_int_equal(cpu_get(words, 0), 1 + TURNS);
}

static void queues_of_a_group(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *words = new_buffer(f, PAGE, 0);
	uint32_t group = new_group(f, f->vm, 2), done = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_queue_submit jobs[2] = {
		player(f, 1, 0, words->va, words->va + 64),
		player(f, 2, 1, words->va + 64, words->va),
	};

	jobs[1].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, group, jobs, 2));
	check_game(f, words, done);
}

static void queues_of_two_groups(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *words = new_buffer(f, PAGE, 0);
	uint32_t a = new_group(f, f->vm, 1), b = new_group(f, f->vm, 1), done = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_queue_submit job = player(f, 1, 0, words->va, words->va + 64);

	assert_ok(submit_jobs(f, a, &job, 1));
	job = player(f, 2, 0, words->va + 64, words->va);
	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, b, &job, 1));
	check_game(f, words, done);
}

/* Many that are blocked, and one that unblocks all of them. */
static void one_for_many(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *words = new_buffer(f, PAGE, 0);
	const struct drm_panthor_queue_submit waiter =
		stream(f, 1, 0, WORDS(csf_move48(80, words->va), csf_move48(82, words->va + 64),
				      csf_move32(0, 0), csf_sync_wait32(CSF_GT, 0, 80),
				      csf_move32(0, 1), csf_sync_add32(0, 82)), 6);
	struct drm_panthor_queue_submit jobs[8];
	struct drm_panthor_sync_op syncs[8];
	uint32_t groups[8], line = new_syncobj(f), i, g;

	for (g = 0; g < 8; g++) {
		groups[g] = new_group(f, f->vm, 8);
		for (i = 0; i < 8; i++) {
			syncs[i] = signal_to(line, 1 + 8 * g + i);
			jobs[i] = waiter;
			jobs[i].queue_index = i;
			jobs[i].syncs = (struct drm_panthor_obj_array)
				DRM_PANTHOR_OBJ_ARRAY(1, &syncs[i]);
		}
		assert_ok(submit_jobs(f, groups[g], jobs, 8));
	}
	assert_int_equal(wait_syncobj(f, line, 64, SHORT_NS), -ETIME);
	gpu_put(f, words, 0, 1);
	assert_ok(wait_syncobj(f, line, 64, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(words, 64), 64);
}

/*
 * The time of a blocked job stands still while another one runs that may unblock it: it
 * outlives an endless job that began with it, and the timeout that ended that.
 */
static void time_stands_still(void **state)
{
	struct fixture *f = need_file(state);
	struct gate gate = new_gate(f);
	uint32_t group = new_group(f, f->vm, 1), done = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_queue_submit endless =
		stream(f, 1, 0, WORDS(csf_nop(), csf_branch(-2, CSF_ALWAYS, 0)), 2);

	endless.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, group, &endless, 1));
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, done), -ETIMEDOUT);
	assert_int_equal(group_state(f, group), DRM_PANTHOR_GROUP_STATE_TIMEDOUT);
	assert_int_equal(wait_syncobj(f, gate.syncobj, 0, 0), -ETIME);
	assert_int_equal(group_state(f, gate.group), 0);
	gate_open(&gate);
	assert_ok(wait_syncobj(f, gate.syncobj, 0, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(syncobj_error(f, gate.syncobj), 0);
}

/* Its twin: two that wait for each other have nobody, and both end. */
static void circle(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *words = new_buffer(f, PAGE, 0);
	uint32_t a = new_group(f, f->vm, 1), b = new_group(f, f->vm, 1);
	struct drm_panthor_queue_submit job = player(f, 1, 0, words->va, words->va + 64);
	uint32_t line = new_syncobj(f);
	struct drm_panthor_sync_op sync = signal_to(line, 1);

	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, a, &job, 1));
	job = player(f, 2, 0, words->va + 64, words->va);
	sync = signal_to(line, 2);
	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, b, &job, 1));
	assert_ok(wait_syncobj(f, line, 2, 2 * GPU_CSF_TIMEOUT_NS));
	assert_int_equal(group_state(f, a), DRM_PANTHOR_GROUP_STATE_TIMEDOUT);
	assert_int_equal(group_state(f, b), DRM_PANTHOR_GROUP_STATE_TIMEDOUT);
}

static struct {
	int fd;
	atomic_bool stop;
} restless;

/* Each call lets blocked jobs look at memory. */
static void *sync_nothing(void *arg)
{
	struct drm_panthor_bo_sync args = {
		.ops.stride = sizeof(struct drm_panthor_bo_sync_op),
	};

	while (!restless.stop)
		raw_ioctl(restless.fd, DRM_IOCTL_PANTHOR_BO_SYNC, &args);
	return arg;
}

/* A job that waits in vain ends as soon where somebody makes it look all the time. */
static void looks_all_the_time(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *words = new_buffer(f, PAGE, 0);
	struct drm_panthor_queue_submit job = player(f, 1, 0, words->va, words->va + 64);
	uint32_t group = new_group(f, f->vm, 1), done = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(done, 0);

	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, group, &job, 1));
	restless.fd = f->fd;
	restless.stop = false;
	start_worker(f, sync_nothing, NULL, &restless.stop);
	assert_ok(wait_syncobj(f, done, 0, 3 * GPU_CSF_TIMEOUT_NS));
	stop_worker(f);
	assert_int_equal(group_state(f, group), DRM_PANTHOR_GROUP_STATE_TIMEDOUT);
}

static void check_progress(struct fixture *f, struct buffer *buf)
{
	uint32_t i;

	for (i = 0; i < 20; i++) {
		gpu_put(f, buf, 4 * i, i + 1);
		assert_int_equal(gpu_get(f, buf, 4 * i), i + 1);
	}
}

/* Other clients' endless, blocked and faulting streams, all at once. */
static void hostile_neighbours(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *mine = new_buffer(f, PAGE, 0);
	struct fixture other = { .dev = fixture_other(f) };
	struct buffer *word;
	struct drm_panthor_queue_submit jobs[3];
	uint32_t groups[6], i;

	other.fd = gemsync_device_fd(other.dev);
	other.vm = gemsync_device_vm(other.dev);
	assert_ok(gpu_open(other.dev, &other.gpu));
	word = new_buffer(&other, PAGE, 0);
	jobs[0] = stream(&other, 1, 0, WORDS(csf_nop(), csf_branch(-2, CSF_ALWAYS, 0)), 2);
	jobs[1] = stream(&other, 2, 1, WORDS(csf_move48(80, word->va), csf_move32(0, 0),
					     csf_sync_wait32(CSF_GT, 0, 80)), 3);
	jobs[2] = stream(&other, 3, 0, WORDS(csf_op(CSF_OP_RUN_COMPUTE)), 1);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		groups[i] = new_group(&other, other.vm, 2);
		if (i % 3 == 2)
			assert_ok(submit_jobs(&other, groups[i], &jobs[2], 1));
		else
			assert_ok(submit_jobs(&other, groups[i], jobs, 2));
	}
	check_progress(f, mine);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		destroy_group(&other, groups[i]);
	check_progress(f, mine);
	gpu_close(other.gpu);
	gemsync_bo_destroy(word->bo);
}

/* ---- Shares ---- */

/* A queue that counts for ever at @va. */
static struct drm_panthor_queue_submit counter(struct fixture *f, unsigned int slot,
					       uint32_t queue, uint64_t va)
{
	return stream(f, slot, queue, WORDS(csf_move48(80, va), csf_move32(0, 1),
					    csf_sync_add32(0, 80), csf_branch(-2, CSF_ALWAYS, 0)),
		      4);
}

static uint32_t new_group_at(struct fixture *f, uint32_t queues, uint8_t priority)
{
	struct drm_panthor_queue_create queue[8];
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(queues, queue),
		.priority = priority,
		.vm_id = f->vm,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(queue); i++)
		queue[i] = (struct drm_panthor_queue_create){ .ringbuf_size = 4096 };
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args));
	return args.group_handle;
}

#define COUNTERS	8u

#define FAVOURED_COUNT	3000u
#define FAVOURED_MS	3000	/* more than a hundred turns, or some ten on a busy machine */
#define PATIENCE_MS	60000

/*
 * While word 0 of @mine counts for many turns, on slow machines and on fast ones, no word
 * of @theirs comes to a third of that.
 */
static void check_favoured(struct buffer *mine, struct buffer *theirs)
{
	uint32_t begin = cpu_get(mine, 0), before[COUNTERS], i;
	int64_t start = now_ms();

	for (i = 0; i < COUNTERS; i++)
		before[i] = cpu_get(theirs, 64 * i);
	while ((cpu_get(mine, 0) - begin < FAVOURED_COUNT || now_ms() - start < FAVOURED_MS) &&
	       now_ms() - start < PATIENCE_MS)
		usleep(1000);
	assert_true(cpu_get(mine, 0) - begin >= FAVOURED_COUNT);
	for (i = 0; i < COUNTERS; i++)
		assert_in_range(cpu_get(theirs, 64 * i) - before[i], 0,
				(cpu_get(mine, 0) - begin) / 3);
}

/* Which of them are ahead is the priorities' matter, not that of who was first. */
static void realtime_beside_eight_high(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *mine = new_buffer(f, PAGE, 0), *theirs = new_buffer(f, PAGE, 0);
	struct drm_panthor_queue_submit job;
	uint32_t groups[COUNTERS + 1], i;

	for (i = 0; i < COUNTERS; i++) {
		groups[i] = new_group_at(f, 1, PANTHOR_GROUP_PRIORITY_HIGH);
		job = counter(f, i + 1, 0, theirs->va + 64 * i);
		assert_ok(submit_jobs(f, groups[i], &job, 1));
	}
	groups[COUNTERS] = new_group_at(f, 1, PANTHOR_GROUP_PRIORITY_REALTIME);
	job = counter(f, COUNTERS + 1, 0, mine->va);
	assert_ok(submit_jobs(f, groups[COUNTERS], &job, 1));
	check_favoured(mine, theirs);
	for (i = 0; i <= COUNTERS; i++)
		destroy_group(f, groups[i]);
}

/* The queues of one group share the turns that a group with one queue has alone. */
static void turns_by_group(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *mine = new_buffer(f, PAGE, 0), *theirs = new_buffer(f, PAGE, 0);
	uint32_t many = new_group(f, f->vm, COUNTERS), one = new_group(f, f->vm, 1), i;
	struct drm_panthor_queue_submit job;

	for (i = 0; i < COUNTERS; i++) {
		job = counter(f, i + 1, i, theirs->va + 64 * i);
		assert_ok(submit_jobs(f, many, &job, 1));
	}
	job = counter(f, COUNTERS + 1, 0, mine->va);
	assert_ok(submit_jobs(f, one, &job, 1));
	check_favoured(mine, theirs);
	destroy_group(f, many);
	destroy_group(f, one);
}

/* The least of priorities comes to its turns, however busy its betters are. */
static void low_is_not_starved(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *mine = new_buffer(f, PAGE, 0), *theirs = new_buffer(f, PAGE, 0);
	uint32_t groups[COUNTERS], low = new_group_at(f, 1, PANTHOR_GROUP_PRIORITY_LOW), i;
	uint32_t done = new_syncobj(f);
	const struct drm_panthor_sync_op sync = signal_to(done, 0);
	struct drm_panthor_queue_submit job;

	for (i = 0; i < COUNTERS; i++) {
		groups[i] = new_group_at(f, 1, PANTHOR_GROUP_PRIORITY_REALTIME);
		job = counter(f, i + 1, 0, theirs->va + 64 * i);
		assert_ok(submit_jobs(f, groups[i], &job, 1));
	}
	job = stream(f, COUNTERS + 1, 0, WORDS(csf_move48(80, mine->va), csf_move32(0, 7),
					       csf_sync_set32(0, 80)), 3);
	job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	assert_ok(submit_jobs(f, low, &job, 1));
	assert_ok(wait_syncobj(f, done, 0, GPU_CSF_TIMEOUT_NS));
	for (i = 0; i < COUNTERS; i++) {
		assert_int_equal(group_state(f, groups[i]), 0);
		destroy_group(f, groups[i]);
	}
	assert_int_equal(cpu_get(mine, 0), 7);
}

#define FLOODERS	128u	/* groups of 8 queues each, in one file */
#define VICTIMS		8u

/*
 * One user keeps the device busy with a thousand endless streams. Those of another are
 * slow, but none is killed for the time in which it did not run.
 */
static void flood_kills_nobody(void **state)
{
	struct fixture *f = need_file(state);
	struct fixture other = { .dev = fixture_other(f) };
	struct drm_panthor_queue_submit jobs[8], job;
	struct buffer *word = new_buffer(f, PAGE, 0);
	uint32_t groups[FLOODERS], done[VICTIMS], killed = 0, i, count;

	other.fd = gemsync_device_fd(other.dev);
	other.vm = gemsync_device_vm(other.dev);
	assert_ok(gpu_open(other.dev, &other.gpu));
	for (i = 0; i < 8; i++)
		jobs[i] = stream(&other, 1, i, WORDS(csf_nop(), csf_branch(-2, CSF_ALWAYS, 0)), 2);
	/* The GPU of the tests has a group of its own. */
	for (count = 0; count < FLOODERS - 1; count++) {
		groups[count] = new_group(&other, other.vm, 8);
		assert_ok(submit_jobs(&other, groups[count], jobs, 8));
	}
	job = stream(f, 1, 0, WORDS(csf_move48(80, word->va), csf_move32(0, 1),
				    csf_sync_add32(0, 80)), 3);
	for (i = 0; i < VICTIMS; i++) {
		const struct drm_panthor_sync_op sync = signal_to(done[i] = new_syncobj(f), 0);

		job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &sync);
		assert_ok(submit_jobs(f, new_group(f, f->vm, 1), &job, 1));
	}
	for (i = 0; i < VICTIMS; i++) {
		assert_ok(wait_syncobj(f, done[i], 0, 4 * GPU_CSF_TIMEOUT_NS));
		killed += syncobj_error(f, done[i]) != 0;
	}
	print_message("# %u of %u victims killed by %u endless streams\n", killed, VICTIMS,
		      8 * count);
	for (i = 0; i < count; i++)
		destroy_group(&other, groups[i]);
	gpu_close(other.gpu);
	assert_int_equal(killed, 0);
	assert_int_equal(cpu_get(word, 0), VICTIMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(queues_of_a_group),
		device_test(queues_of_two_groups),
		device_test(one_for_many),
		device_test(time_stands_still),
		device_test(circle),
		device_test(looks_all_the_time),
		device_test(hostile_neighbours),
		device_test(realtime_beside_eight_high),
		device_test(turns_by_group),
		device_test(low_is_not_starved),
		device_test(flood_kills_nobody),
	};

	return cmocka_run_group_tests_name("many_queues", tests, NULL, NULL);
}
