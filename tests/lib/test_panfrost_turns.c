// SPDX-License-Identifier: MIT
/*
 * Whose turn it is: what one file's chains do delays another file's, but never kills
 * them; and what ends a chain that has no end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panfrost_calls.h"

#define PIECE		64u	/* bytes that a copy does at once */
#define WORK		(4096u * PIECE)	/* of chains that are compared */

/* The device once more, without a GPU of the tests on it. */
static int open_again(const struct fixture *f)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* ---- The same work in several chains ---- */

struct worker {
	struct chain chain;
	uint32_t ctx;
	uint32_t done;		/* syncobj */
};

/* A chain of WORK in a context of its own. */
static struct worker new_worker(int fd, uint32_t priority)
{
	struct worker worker = { .chain = new_chain_on(fd), .done = pf_new_syncobj(fd) };
	uint64_t va = pf_bo_va(fd, pf_new_bo(fd, WORK, PANFROST_BO_NOEXEC));

	assert_ok(pf_create_ctx(fd, priority, &worker.ctx));
	worker.chain.jobs[0] = jm_copy(va, va, WORK, 0);
	return worker;
}

/* It begins when @gate is signalled, unless that is 0. */
static void begin(struct worker *worker, uint32_t gate)
{
	struct drm_panfrost_submit args = submit_args(&worker->chain, worker->done);

	args.jm_ctx_handle = worker->ctx;
	args.in_syncs = gate ? (uintptr_t)&gate : 0;
	args.in_sync_count = gate ? 1 : 0;
	assert_ok(pf_submit(worker->chain.fd, &args));
}

/* How many have ended by now. */
static uint32_t count_done(const struct worker *workers, uint32_t count)
{
	uint32_t done = 0, i;

	for (i = 0; i < count; i++)
		done += !pf_wait_syncobj(workers[i].chain.fd, workers[i].done, 0);
	return done;
}

static void check_all_done(const struct worker *workers, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		assert_ok(pf_wait_syncobj(workers[i].chain.fd, workers[i].done, 3 * LONG_NS));
		assert_ok(pf_syncobj_error(workers[i].chain.fd, workers[i].done));
	}
}

/* What all wait for, so that they begin together: a chain that waits for the CPU. */
static uint32_t new_gate(int fd, volatile uint32_t **word)
{
	struct chain chain = new_chain_on(fd);
	uint32_t bo = pf_new_bo(fd, PAGE, PANFROST_BO_NOEXEC), gate = pf_new_syncobj(fd);
	struct drm_panfrost_submit args = submit_args(&chain, gate);

	*word = pf_map_bo(fd, bo, PAGE);
	assert_true(*word != MAP_FAILED);
	chain.jobs[0] = jm_wait(pf_bo_va(fd, bo), 0, 0);
	assert_ok(pf_submit(fd, &args));
	return gate;
}

#define OTHERS	24u

/* The first ends before any of the others, which began with it. */
static void check_first_wins(struct worker *workers, int fd)
{
	volatile uint32_t *word;
	uint32_t gate = new_gate(fd, &word), i;

	for (i = OTHERS + 1; i--;)
		begin(&workers[i], gate);
	*word = 1;
	assert_ok(pf_wait_syncobj(fd, workers[0].done, 3 * LONG_NS));
	assert_int_equal(count_done(&workers[1], OTHERS), 0);
	check_all_done(workers, OTHERS + 1);
}

/* A context of a higher priority is faster, although it is the last that was made. */
static void high_before_medium(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct worker workers[OTHERS + 1];
	uint32_t i;

	for (i = 1; i <= OTHERS; i++)
		workers[i] = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM);
	workers[0] = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_HIGH);
	check_first_wins(workers, f->fd);
}

static void medium_before_low(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct worker workers[OTHERS + 1];
	uint32_t i;

	for (i = 1; i <= OTHERS; i++)
		workers[i] = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_LOW);
	workers[0] = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM);
	check_first_wins(workers, f->fd);
}

/* Turns go round by file: one that has a single chain does not wait for all of another's. */
static void one_file_beside_another(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	int other = open_again(f);
	struct worker workers[OTHERS], mine = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM);
	volatile uint32_t *word;
	uint32_t gate = new_gate(other, &word), i;

	for (i = 0; i < OTHERS; i++) {
		workers[i] = new_worker(other, PANFROST_JM_CTX_PRIORITY_MEDIUM);
		begin(&workers[i], gate);
	}
	*word = 1;
	begin(&mine, 0);
	assert_ok(pf_wait_syncobj(f->fd, mine.done, 3 * LONG_NS));
	assert_int_equal(count_done(workers, OTHERS), 0);
	check_all_done(workers, OTHERS);
	close(other);
}

/* ---- A flood ---- */

#define FLOODERS	8u	/* files of one user */
#define CTXS		64u	/* of a file, with the one that it always has */
#define VICTIMS		8u
#define ENDLESS		(FLOODERS * CTXS * 2u)	/* chains at a time: two slots each */
#define IN_A_ROW	3u	/* of these, in each slot */

struct flooder {
	int fd;
	uint32_t ctxs[CTXS];
	uint64_t chains[CTXS * 2];
};

/* IN_A_ROW times two jobs that run each other for ever. */
static uint64_t new_endless(int fd)
{
	struct chain chain = new_chain_on(fd);
	uint64_t va = chain.va;
	uint32_t i;

	for (i = 0; i < IN_A_ROW; i++) {
		struct chain pair = chain;

		pair.jobs += 2 * i;
		pair.va = job_va(&chain, 2 * i);
		put_endless(&pair);
	}
	munmap(chain.jobs, CHAIN_MAX * JM_JOB_SIZE);
	return va;
}

static void open_flooder(struct fixture *f, struct flooder *flooder)
{
	uint32_t i;

	flooder->fd = open_again(f);
	flooder->ctxs[0] = 0;
	for (i = 1; i < CTXS; i++)
		assert_ok(pf_create_ctx(flooder->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM,
					&flooder->ctxs[i]));
	for (i = 0; i < CTXS * 2; i++)
		flooder->chains[i] = new_endless(flooder->fd);
}

/* Both slots of all contexts are busy for ever. */
static void flood(const struct flooder *flooder, uint32_t round)
{
	uint32_t i;

	for (i = 0; i < CTXS * 2; i++) {
		struct drm_panfrost_submit args = {
			.jc = flooder->chains[i] + 2 * round * JM_JOB_SIZE,
			.jm_ctx_handle = flooder->ctxs[i / 2],
			.requirements = i % 2 ? PANFROST_JD_REQ_FS : 0,
		};

		assert_ok(pf_submit(flooder->fd, &args));
	}
}

/*
 * One user keeps the device busy with a thousand endless chains. Chains of another are
 * slow, but none is killed for the time in which it did not run.
 */
static void flood_kills_nobody(void **state)
{
	struct fixture *f = need_panfrost(state);
	static struct flooder flooders[FLOODERS];
	struct worker victims[VICTIMS];
	uint32_t killed = 0, i;

	for (i = 0; i < FLOODERS; i++)
		open_flooder(f, &flooders[i]);
	for (i = 0; i < VICTIMS; i++) {
		victims[i] = new_worker(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM);
		victims[i].chain.jobs[0] = jm_job(JM_NULL, 0);
	}
	for (i = 0; i < FLOODERS * IN_A_ROW; i++)
		flood(&flooders[i % FLOODERS], i / FLOODERS);
	for (i = 0; i < VICTIMS; i++)
		begin(&victims[i], 0);
	for (i = 0; i < VICTIMS; i++) {
		assert_ok(pf_wait_syncobj(f->fd, victims[i].done, 3 * LONG_NS));
		killed += pf_syncobj_error(f->fd, victims[i].done) != 0;
	}
	print_message("# %u of %u victims killed by %u endless chains\n", killed, VICTIMS,
		      ENDLESS);
	for (i = 0; i < FLOODERS; i++)
		close(flooders[i].fd);
	assert_int_equal(killed, 0);
}

/* ---- What ends ---- */

/* No parameter makes a fence that never ends: 0 is the longest time that there is. */
static void there_is_always_a_limit(void **state)
{
	struct fixture *f = need_panfrost(state);
	long limit = pf_module_value("vpanfrost/parameters/job_timeout_ms");
	uint32_t killed = pf_new_syncobj(f->fd);
	struct chain endless = new_chain(f);
	struct drm_panfrost_submit args = submit_args(&endless, killed);

	put_endless(&endless);
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, killed, 4 * limit * MSEC + LONG_NS));
	assert_int_equal(pf_syncobj_error(f->fd, killed), -ETIMEDOUT);
	assert_in_range(limit, 1, 10000);
}

/* A fence that user space keeps keeps no module: its memory is all that is left of it. */
static void fences_keep_no_module(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t done = pf_new_syncobj(f->fd), i;
	struct chain chain = new_chain(f);
	struct drm_panfrost_submit args = submit_args(&chain, done);
	long before = pf_module_value("vgpu/refcnt");
	int fence;

	chain.jobs[0] = jm_job(JM_NULL, 0);
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_ok(drmSyncobjExportSyncFile(f->fd, done, &fence));
	/* What the job had goes in its own time. */
	for (i = 0; i < 100 && pf_module_value("vgpu/refcnt") != before; i++)
		usleep(20000);
	assert_int_equal(pf_module_value("vgpu/refcnt"), before);
	assert_ok(pf_syncobj_error(f->fd, done));
	close(fence);
}

/* ---- The log ---- */

static bool log_has(int log, const char *text)
{
	char record[8192];
	ssize_t length;

	for (;;) {
		length = read(log, record, sizeof(record) - 1);
		/* Records that were overwritten before they were read. */
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			return false;
		record[length] = '\0';
		if (strstr(record, text))
			return true;
	}
}

/* Who floods the log does not hide what another file's user has to know. */
static void log_is_shared_by_files(void **state)
{
	struct fixture *f = need_panfrost(state);
	int other = open_again(f), log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct chain flooder = new_chain_on(other), mine = new_chain(f);
	const struct jm_job bad = jm_job((enum jm_type)100, 0);
	char line[64];
	uint32_t i;

	if (log < 0)
		skip_because("cannot read /dev/kmsg: run as root");
	for (i = 0; i < 40; i++) {
		flooder.jobs[0] = bad;
		assert_int_equal(run_chain(&flooder), -EINVAL);
	}
	/* Not where the other file's chains are. */
	lseek(log, 0, SEEK_END);
	mine.jobs[7] = bad;
	mine.va = job_va(&mine, 7);
	snprintf(line, sizeof(line), "pc 0x%llx, command", (unsigned long long)mine.va);
	assert_int_equal(run_chain(&mine), -EINVAL);
	assert_true(log_has(log, line));
	/* The twin: the flooder has had its lines. */
	flooder.jobs[7] = bad;
	flooder.va = job_va(&flooder, 7);
	assert_int_equal(run_chain(&flooder), -EINVAL);
	assert_false(log_has(log, "command"));
	close(log);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(high_before_medium),
		device_test(medium_before_low),
		device_test(one_file_beside_another),
		device_test(flood_kills_nobody),
		device_test(there_is_always_a_limit),
		device_test(fences_keep_no_module),
		device_test(log_is_shared_by_files),
	};

	return cmocka_run_group_tests_name("panfrost_turns", tests, NULL, NULL);
}
