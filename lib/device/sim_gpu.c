// SPDX-License-Identifier: MIT
/* Queues of the simulated GPU, and the thread that executes them in turn. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sim_internal.h"

#define SLICE		256	/* instructions until the next queue, or who waits, has its turn */
#define POLL_NS		1000000	/* how often blocked streams look for stores of the CPU */
#define NSEC_PER_SEC	1000000000ll

enum stream_state {
	STREAM_DONE,		/* or there was none yet */
	STREAM_RUNS,
	STREAM_BLOCKED,
	STREAM_FAULT,
	STREAM_TIMEOUT,
};

struct gemsync_sim_queue {
	struct sim *sim;
	struct gemsync_sim_queue *next;
	union {			/* by the driver that the device has */
		struct gs_csf csf;
		struct gs_jm jm;
	};
	struct gs_job job;	/* the stream that runs, or the last one */
	enum stream_state state;
	enum stream_state shown;	/* the same for those who wait, under the bell's lock;
					 * RUNS where it is BLOCKED
					 */
	int64_t deadline;	/* ns */
	uint64_t seen;		/* sim->stores when it was blocked */
	int64_t look_at;	/* ns: when it is blocked, it looks again, whatever was seen */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
}

static bool is_open(const struct gemsync_sim_queue *queue)
{
	return queue->state == STREAM_RUNS || queue->state == STREAM_BLOCKED;
}

/* ---- The GPU thread ---- */

static void ring_gpu(struct sim *sim)
{
	pthread_mutex_lock(&sim->bell_lock);
	sim->gpu_rung = true;
	pthread_cond_signal(&sim->gpu_wakes);
	pthread_mutex_unlock(&sim->bell_lock);
}

static void set_state(struct gemsync_sim_queue *queue, enum stream_state state)
{
	struct sim *sim = queue->sim;

	queue->state = state;
	pthread_mutex_lock(&sim->bell_lock);
	queue->shown = state;
	if (state != STREAM_RUNS)
		pthread_cond_broadcast(&sim->stream_ended);
	pthread_mutex_unlock(&sim->bell_lock);
}

/* The driver's engine, in the words of command streams. */
static enum gs_csf_status run_engine(struct gemsync_sim_queue *queue, uint32_t *budget)
{
	struct sim *sim = queue->sim;

	if (sim->config.driver == SIM_PANTHOR)
		return gs_csf_run(&queue->csf, &gemsync_sim_csf_mem, sim, budget);
	switch (gs_jm_run(&queue->jm, &gemsync_sim_jm_mem, sim, budget)) {
	case GS_JM_RUNNING:
		return GS_CSF_RUNNING;
	case GS_JM_BLOCKED:
		return GS_CSF_BLOCKED;
	case GS_JM_DONE:
		return GS_CSF_DONE;
	case GS_JM_FAULT:
		break;
	}
	return GS_CSF_FAULT;
}

static bool can_run(const struct gemsync_sim_queue *queue)
{
	if (queue->state == STREAM_BLOCKED)
		return queue->seen != queue->sim->stores || now_ns() >= queue->look_at;
	return queue->state == STREAM_RUNS;
}

/* A stream that ends: its records of violations are complete before anybody knows. */
static void end_stream(struct gemsync_sim_queue *queue, enum stream_state state)
{
	gs_journal_job_ends(&queue->sim->journal, &queue->job);
	gemsync_sim_watch_job_ends(queue->sim, &queue->job);
	set_state(queue, state);
}

/* Let a stream that waited too long look once more, to tell of bytes that nobody flushed. */
static void expire(struct gemsync_sim_queue *queue)
{
	struct sim *sim = queue->sim;
	uint32_t budget = 1;

	if (queue->state == STREAM_BLOCKED) {
		sim->job = &queue->job;
		sim->job_expired = true;
		run_engine(queue, &budget);
		sim->job_expired = false;
		sim->job = NULL;
	}
	end_stream(queue, STREAM_TIMEOUT);
}

static void run_slice(struct gemsync_sim_queue *queue)
{
	uint32_t budget = SLICE;
	enum gs_csf_status status;

	if (now_ns() >= queue->deadline) {
		expire(queue);
		return;
	}
	queue->seen = queue->sim->stores;
	queue->sim->job = &queue->job;
	status = run_engine(queue, &budget);
	queue->sim->job = NULL;
	switch (status) {
	case GS_CSF_RUNNING:
		queue->state = STREAM_RUNS;
		break;
	case GS_CSF_BLOCKED:
		/* Stores of the CPU are not announced. */
		queue->look_at = now_ns() + POLL_NS;
		queue->state = STREAM_BLOCKED;
		break;
	case GS_CSF_DONE:
		end_stream(queue, STREAM_DONE);
		break;
	case GS_CSF_FAULT:
		end_stream(queue, STREAM_FAULT);
		break;
	}
}

/* A queue may be destroyed while the lock is not held: this begins at the front each time. */
static struct gemsync_sim_queue *find_runnable(struct sim *sim, uint32_t turn)
{
	struct gemsync_sim_queue *queue;
	uint32_t count = 0;

	for (queue = sim->queues; queue; queue = queue->next)
		count += can_run(queue);
	if (!count)
		return NULL;
	turn %= count;
	for (queue = sim->queues; queue; queue = queue->next)
		if (can_run(queue) && !turn--)
			return queue;
	return NULL;
}

static bool any_blocked(const struct sim *sim)
{
	const struct gemsync_sim_queue *queue;

	for (queue = sim->queues; queue; queue = queue->next)
		if (queue->state == STREAM_BLOCKED)
			return true;
	return false;
}

/* Drops the lock meanwhile. */
static void wait_for_work(struct sim *sim)
{
	struct timespec end = to_timespec(now_ns() + POLL_NS);
	bool polls = any_blocked(sim);
	int err = 0;

	gemsync_sim_unlock(sim);
	pthread_mutex_lock(&sim->bell_lock);
	while (!sim->gpu_rung && !err) {
		if (polls)
			err = pthread_cond_timedwait(&sim->gpu_wakes, &sim->bell_lock, &end);
		else
			err = pthread_cond_wait(&sim->gpu_wakes, &sim->bell_lock);
	}
	sim->gpu_rung = false;
	pthread_mutex_unlock(&sim->bell_lock);
	gemsync_sim_lock(sim);
}

static void *gpu_main(void *arg)
{
	struct gemsync_sim_queue *queue;
	struct sim *sim = arg;
	uint32_t turn = 0;

	gemsync_sim_lock(sim);
	while (!sim->gpu_stops) {
		queue = find_runnable(sim, turn++);
		if (!queue) {
			wait_for_work(sim);
			continue;
		}
		run_slice(queue);
		gemsync_sim_unlock(sim);
		gemsync_sim_lock(sim);
	}
	gemsync_sim_unlock(sim);
	return NULL;
}

static int start_gpu(struct sim *sim)
{
	if (sim->gpu_started)
		return 0;
	if (pthread_create(&sim->gpu, NULL, gpu_main, sim))
		return -EAGAIN;
	sim->gpu_started = true;
	return 0;
}

int gemsync_sim_gpu_init(struct sim *sim)
{
	pthread_condattr_t attr;
	int ret;

	ret = -pthread_condattr_init(&attr);
	if (ret)
		return ret;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sim->gpu_wakes, &attr);
	pthread_cond_init(&sim->stream_ended, &attr);
	pthread_mutex_init(&sim->bell_lock, NULL);
	pthread_condattr_destroy(&attr);
	return 0;
}

void gemsync_sim_gpu_stop(struct sim *sim)
{
	if (!sim->gpu_started)
		return;
	gemsync_sim_lock(sim);
	sim->gpu_stops = true;
	gemsync_sim_unlock(sim);
	ring_gpu(sim);
	pthread_join(sim->gpu, NULL);
}

void gemsync_sim_gpu_kick(struct sim *sim)
{
	sim->stores++;
	if (any_blocked(sim))
		ring_gpu(sim);
}

/* ---- Queues ---- */

int gemsync_sim_queue_create(struct gemsync_device *dev, struct gemsync_sim_queue **out)
{
	struct gemsync_sim_queue *queue;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->sim = dev->sim;
	if (dev->sim->config.driver == SIM_PANTHOR)
		gs_csf_init(&queue->csf);
	else
		gs_jm_init(&queue->jm, true);
	gemsync_sim_lock(dev->sim);
	queue->job.queue = dev->sim->queue_count++;
	queue->next = dev->sim->queues;
	dev->sim->queues = queue;
	gemsync_sim_unlock(dev->sim);
	*out = queue;
	return 0;
}

void gemsync_sim_queue_destroy(struct gemsync_sim_queue *queue)
{
	struct gemsync_sim_queue **at;

	if (!queue)
		return;
	gemsync_sim_lock(queue->sim);
	for (at = &queue->sim->queues; *at != queue; at = &(*at)->next)
		;
	*at = queue->next;
	if (is_open(queue))
		gs_journal_job_ends(&queue->sim->journal, &queue->job);
	gemsync_sim_unlock(queue->sim);
	free(queue);
}

static int start_engine(struct gemsync_sim_queue *queue, uint64_t va, uint64_t size)
{
	int64_t timeout_ms = GEMSYNC_SIM_JOB_TIMEOUT_MS;
	int ret = 0;

	if (queue->sim->config.driver == SIM_PANTHOR) {
		ret = gs_csf_start(&queue->csf, va, size);
	} else {
		gs_jm_start(&queue->jm, va);
		timeout_ms = GEMSYNC_SIM_CHAIN_TIMEOUT_MS;
	}
	queue->deadline = now_ns() + timeout_ms * 1000000;
	return ret;
}

static int submit_locked(struct gemsync_sim_queue *queue, uint64_t va, uint64_t size)
{
	int ret;

	if (is_open(queue))
		return -EBUSY;
	if (queue->state != STREAM_DONE && queue->sim->config.driver == SIM_PANTHOR)
		return -EINVAL;
	ret = start_gpu(queue->sim);
	if (ret)
		return ret;
	ret = start_engine(queue, va, size);
	if (ret)
		return ret;
	queue->job.submission++;
	queue->job.address = va;
	gs_journal_job_begins(&queue->sim->journal, &queue->job);
	set_state(queue, STREAM_RUNS);
	ring_gpu(queue->sim);
	return 0;
}

int gemsync_sim_submit(struct gemsync_sim_queue *queue, uint64_t va, uint64_t size)
{
	int ret;

	gemsync_sim_lock(queue->sim);
	ret = submit_locked(queue, va, size);
	gemsync_sim_unlock(queue->sim);
	return ret;
}

int gemsync_sim_wait(struct gemsync_sim_queue *queue, int64_t timeout_ns)
{
	struct timespec end = to_timespec(now_ns() + timeout_ns);
	struct sim *sim = queue->sim;
	enum stream_state state;
	int err = 0;

	pthread_mutex_lock(&sim->bell_lock);
	while (queue->shown == STREAM_RUNS && !err)
		err = pthread_cond_timedwait(&sim->stream_ended, &sim->bell_lock, &end);
	state = queue->shown;
	pthread_mutex_unlock(&sim->bell_lock);
	switch (state) {
	case STREAM_DONE:
		return 0;
	case STREAM_FAULT:
		return -EIO;
	case STREAM_TIMEOUT:
		return -ETIMEDOUT;
	default:
		return -ETIME;
	}
}
