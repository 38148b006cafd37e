// SPDX-License-Identifier: MIT
/*
 * While memory comes or mappings go, nobody else waits for it: neither who reads of the
 * process in /proc, nor who is killed (r19_killed_while_memory_comes is about the process
 * itself), nor jobs. What is soon is measured by the time that all of it takes. And who may
 * read counters.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "panthor_calls.h"
#include "pressure.h"

/* Memory for some seconds of emulation. */
#define LARGE		(192 * MIB)
#define SMALL		(64 * KIB)
#define BEGINS_IN_MS	10000

enum step { STEP_NONE, STEP_BEGUN, STEP_DONE, STEP_FAILED };

/* What a child and its parent see of each other. */
static atomic_int *shared_step(void)
{
	atomic_int *step = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);

	assert_true(step != MAP_FAILED);
	*step = STEP_NONE;
	return step;
}

static void wait_for_step(atomic_int *step, int wanted, int64_t within_ms)
{
	int64_t end = now_ms() + within_ms;

	while (*step < wanted && now_ms() < end)
		usleep(1000);
	assert_int_equal(*step, wanted);
}

static void sleep_ms(int64_t ms)
{
	usleep((useconds_t)(ms * 1000));
}

/* Kill a child: how long until it is gone, in milliseconds. */
static int64_t kill_child(pid_t pid)
{
	int64_t begin = now_ms();

	assert_ok(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return now_ms() - begin;
}

/* ---- A population ---- */

static pid_t map_in_child(atomic_int *step)
{
	pid_t pid = fork();
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	void *map;

	if (pid)
		return pid;
	if (gemsync_device_open(getenv("GEMSYNC_TEST_DEVICE"), &dev) ||
	    gemsync_bo_create(dev, LARGE, 0, &bo))
		_exit(1);
	*step = STEP_BEGUN;
	*step = gemsync_bo_map(bo, &map) ? STEP_FAILED : STEP_DONE;
	pause();
	_exit(0);
}

/* How long it takes if nobody is killed. */
static int64_t time_to_map(void)
{
	atomic_int *step = shared_step();
	pid_t pid = map_in_child(step);
	int64_t begin;

	wait_for_step(step, STEP_BEGUN, BEGINS_IN_MS);
	begin = now_ms();
	wait_for_step(step, STEP_DONE, 120 * 1000);
	begin = now_ms() - begin;
	kill_child(pid);
	return begin;
}

/* ps, which reads what a process maps. */
static void proc_while_memory_comes(void **state)
{
	int64_t whole = (need_file(state), time_to_map()), begin, took;
	atomic_int *step = shared_step();
	pid_t pid = map_in_child(step);
	char path[64], text[4096];
	int fd;

	wait_for_step(step, STEP_BEGUN, BEGINS_IN_MS);
	sleep_ms(whole / 8);
	begin = now_ms();
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text)) > 0);
	took = now_ms() - begin;
	assert_int_equal(*step, STEP_BEGUN);
	close(fd);
	kill_child(pid);
	print_message("# %ld ms for all of it; its maps were read in %ld ms\n", (long)whole,
		      (long)took);
	assert_true(2 * took < whole);
}

/* ---- Another's population, under the same lock ---- */

/* Of threads that end by themselves; a failed test's teardown waits for them. */
static atomic_bool worker_stop;

struct large {
	struct gemsync_bo *bo;
	atomic_int step;
};

static void *map_large(void *data)
{
	struct large *large = data;
	void *map;

	large->step = STEP_BEGUN;
	large->step = gemsync_bo_map(large->bo, &map) ? STEP_FAILED : STEP_DONE;
	return NULL;
}

static pid_t touch_in_child(struct buffer *buf, atomic_int *step)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	*step = STEP_BEGUN;
	cpu_put(buf, 0, 1);
	*step = STEP_DONE;
	pause();
	_exit(0);
}

/* BOs of one address space have one reservation lock. */
static void killed_while_others_get_memory(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = new_buffer(f, SMALL, 0);
	atomic_int *step = shared_step();
	static struct large large;
	int64_t gone, begin;
	pid_t pid;

	cpu_put(buf, 0, 5);
	assert_ok(gemsync_bo_create(f->dev, LARGE, 0, &large.bo));
	assert_true(evict_all(f) >= SMALL / PAGE);
	begin = now_ms();
	start_worker(f, map_large, &large, &worker_stop);
	wait_for_step(&large.step, STEP_BEGUN, BEGINS_IN_MS);
	sleep_ms(100);
	pid = touch_in_child(buf, step);
	wait_for_step(step, STEP_BEGUN, BEGINS_IN_MS);
	sleep_ms(200);
	assert_int_equal(large.step, STEP_BEGUN);
	assert_int_equal(*step, STEP_BEGUN);
	gone = kill_child(pid);
	/* It did not wait for the end of the other. */
	assert_int_equal(large.step, STEP_BEGUN);
	stop_worker(f);
	print_message("# gone %ld ms after the signal; the other took %ld ms\n", (long)gone,
		      (long)(now_ms() - begin));
	assert_int_equal(large.step, STEP_DONE);
	assert_int_equal(cpu_get(buf, 0), 5);
	gemsync_bo_destroy(large.bo);
}

/* ---- A submission that brings in what its address space maps ---- */

struct submission {
	struct fixture *f;
	uint32_t group;
	struct drm_panthor_queue_submit job;
	atomic_int step;
	int64_t end;		/* in milliseconds, as now_ms() */
};

static void *submit(void *data)
{
	struct submission *s = data;
	int step;

	s->step = STEP_BEGUN;
	step = submit_jobs(s->f, s->group, &s->job, 1) ? STEP_FAILED : STEP_DONE;
	s->end = now_ms();
	s->step = step;
	return NULL;
}

static pid_t unmap_in_child(struct fixture *f, atomic_int *step)
{
	struct drm_panthor_vm_bind_op op = unmap_op(BASE, SMALL, NULL, 0);
	pid_t pid = fork();

	if (pid)
		return pid;
	*step = STEP_BEGUN;
	*step = bind_sync(f, f->vm, &op, 1) ? STEP_FAILED : STEP_DONE;
	pause();
	_exit(0);
}

/* Until a process sleeps in an ioctl. */
static void wait_for_ioctl(pid_t pid)
{
	int64_t end = now_ms() + BEGINS_IN_MS;
	char path[64];
	long call = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (call != SYS_ioctl && now_ms() < end) {
		file = fopen(path, "re");
		assert_non_null(file);
		/* One that runs has no number. */
		if (fscanf(file, "%ld", &call) != 1)
			call = -1;
		fclose(file);
	}
	assert_int_equal(call, SYS_ioctl);
}

/* Who is killed in an unmap has done it, and lets others do what they want with the objects. */
static void killed_while_a_submission_gets_memory(void **state)
{
	struct fixture *f = need_eviction(state);
	struct buffer *buf = new_buffer(f, SMALL, 0);
	struct drm_panthor_vm_bind_op op = map_op(buf->bo, BASE, SMALL, NULL, 0);
	static struct submission submission;
	atomic_int *step = shared_step();
	struct gemsync_bo *large;
	int64_t killed, gone;
	uint32_t value;
	uint64_t va;
	pid_t pid;

	submission.f = f;
	submission.group = new_group(f, f->vm, 1);
	submission.job = stream(f, 1, 0, WORDS(csf_nop()), 1);
	assert_ok(bind_sync(f, f->vm, &op, 1));
	assert_ok(gemsync_bo_create(f->dev, LARGE, 0, &large));
	assert_ok(gpu_bind(f->gpu, large, &va));
	assert_true(evict_all(f) >= LARGE / PAGE);
	start_worker(f, submit, &submission, &worker_stop);
	wait_for_step(&submission.step, STEP_BEGUN, BEGINS_IN_MS);
	sleep_ms(20);
	pid = unmap_in_child(f, step);
	wait_for_step(step, STEP_BEGUN, BEGINS_IN_MS);
	/* Not in the first lock that it meets. */
	wait_for_ioctl(pid);
	sleep_ms(150);
	wait_for_ioctl(pid);
	assert_int_equal(submission.step, STEP_BEGUN);
	killed = now_ms();
	gone = kill_child(pid);
	stop_worker(f);
	print_message("# gone %ld ms after the signal; the submission took %ld ms from there\n",
		      (long)gone, (long)(submission.end - killed));
	assert_int_equal(submission.step, STEP_DONE);
	assert_true(2 * gone < submission.end - killed);
	assert_int_equal(gpu_read32(f->gpu, BASE, &value), -EIO);
	gemsync_bo_destroy(large);
}

/* ---- An unmap of more mappings than anybody would wait for ---- */

#define MAPPINGS	81920u
#define BATCH		2048u

static void map_many(struct fixture *f, struct buffer *buf)
{
	static struct drm_panthor_vm_bind_op ops[BATCH];
	uint32_t i, k;

	for (i = 0; i < MAPPINGS; i += BATCH) {
		for (k = 0; k < BATCH; k++)
			ops[k] = map_op(buf->bo, BASE + (i + k) * PAGE, PAGE, NULL, 0);
		assert_ok(bind_sync(f, f->vm, ops, BATCH));
	}
}

struct unmap {
	struct fixture *f;
	atomic_int step;
};

static void *unmap_many(void *data)
{
	struct drm_panthor_vm_bind_op op = unmap_op(BASE, MAPPINGS * PAGE, NULL, 0);
	struct unmap *unmap = data;

	unmap->step = STEP_BEGUN;
	unmap->step = bind_sync(unmap->f, unmap->f->vm, &op, 1) ? STEP_FAILED : STEP_DONE;
	return NULL;
}

/* How long the longest of the jobs beside it takes, as a part of the whole, in percent. */
static int64_t longest_beside_unmap(struct fixture *f, struct buffer *word)
{
	int64_t begin, before, took, longest = 0;
	static struct unmap unmap;
	uint32_t jobs = 0;

	map_many(f, word);
	gpu_put(f, word, 0, 0);
	unmap = (struct unmap){ .f = f };
	begin = now_ms();
	start_worker(f, unmap_many, &unmap, &worker_stop);
	while (unmap.step <= STEP_BEGUN) {
		before = now_ms();
		gpu_put(f, word, 0, ++jobs);
		took = now_ms() - before;
		longest = took > longest ? took : longest;
	}
	took = now_ms() - begin;
	stop_worker(f);
	assert_int_equal(unmap.step, STEP_DONE);
	assert_int_equal(gpu_get(f, word, 0), jobs);
	print_message("# %ld ms for all; %u jobs meanwhile, the longest took %ld ms\n", (long)took,
		      jobs, (long)longest);
	return 100 * longest / took;
}

/*
 * Jobs that access the address space take turns with it. Mappings go in half of the time, and
 * their memory in the other: a job that waited for all mappings would take nearly half of it,
 * and a quarter tells the two apart. A job can be late for other reasons, so there are some
 * tries.
 */
static void jobs_while_mappings_go(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *word = new_buffer(f, PAGE, 0);
	int64_t percent = 100;
	uint32_t tries;

	for (tries = 0; tries < 5 && percent > 25; tries++)
		percent = longest_beside_unmap(f, word);
	assert_in_range(percent, 0, 25);
}

/* ---- What others see ---- */

#define GEM_SYNC_PARAMETERS	"/sys/module/drm_gem_sync/parameters/"
#define NCMEM_PARAMETERS	"/sys/module/ncmem/parameters/"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -errno : 0;
}

static int read_error(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t size;

	if (fd < 0)
		return errno;
	size = read(fd, text, sizeof(text));
	close(fd);
	return size < 0 ? errno : 0;
}

/* What reading it says to a user without any rights. */
static int error_as_nobody(const char *path)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(255);
		_exit(read_error(path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void set_public(const char *value)
{
	assert_ok(write_file(GEM_SYNC_PARAMETERS "public_counters", value));
	assert_ok(write_file(NCMEM_PARAMETERS "public_counters", value));
}

/* Of what is counted, and what just is, who sees which. */
static void counters_are_closed(void **state)
{
	static const char *const counters[] = {
		GEM_SYNC_PARAMETERS "locks", GEM_SYNC_PARAMETERS "pages",
		NCMEM_PARAMETERS "shadows",
		"/sys/devices/platform/vpanthor/ncmem/lines_cleaned",
		"/sys/devices/platform/vpanthor/ncmem/violations_lost_update",
	};
	static const char mode[] = "/sys/devices/platform/vpanthor/ncmem/mode";

	need_lazy(state);
	if (geteuid())
		skip_because("this needs the rights of root");
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		assert_int_equal(error_as_nobody(counters[i]), 0);
	set_public("0");
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		assert_int_equal(error_as_nobody(counters[i]), EPERM);
		assert_int_equal(read_error(counters[i]), 0);
	}
	assert_int_equal(error_as_nobody(mode), 0);
	set_public("1");
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		assert_int_equal(error_as_nobody(counters[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(proc_while_memory_comes),
		device_test(killed_while_others_get_memory),
		device_test(killed_while_a_submission_gets_memory),
		device_test(jobs_while_mappings_go),
		device_test(counters_are_closed),
	};

	return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
