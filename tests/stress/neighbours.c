// SPDX-License-Identifier: MIT
/*
 * Usage: neighbours [SECONDS [SEED]]
 *
 * The other virtual drivers, while `stress` has panthor: processes on panfrost and powervr
 * do random work, pass BOs to the GPUs of all drivers, and read what these wrote; they are
 * killed in the middle of it, their BOs are evicted and purged, and in the second half of
 * the time their devices go and come back. Needs root. TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"
#include "random.h"
#include "random_ops.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define WORKERS		4u	/* processes, alternately of the drivers below */
#define SIZE		(16u << 10)
#define RANDOM_STEPS	400u	/* of a program */
#define LONG_ENOUGH	20	/* seconds in which every kind of work is done */
#define END_SECONDS	60

static const char *const own_drivers[] = { "panfrost", "powervr" };
static const char *const all_drivers[] = { "panthor", "panfrost", "powervr" };

enum count { PROGRAMS, SHARED, CHURNED, EVICTIONS, KILLS, UNBINDS, GONE, COUNTS };

static const char *const count_names[COUNTS] = {
	"programs", "shared", "churned", "evictions", "kills", "unbinds", "gone",
};

/* In memory that all processes share. */
struct control {
	atomic_bool stop;
	atomic_uint generation[ARRAY_SIZE(own_drivers)];	/* odd while the device is away */
	atomic_ulong counts[COUNTS];
	atomic_ulong wrong;
	atomic_ulong failures;
};

static struct control *control;

/* ---- A worker ---- */

struct worker {
	unsigned int own;	/* which of own_drivers */
	unsigned int generation;
	struct gs_random random;
	struct gemsync_device *dev;
	struct gemsync_gpu *gpu;
};

static struct worker *this_worker;	/* of this process, for the signal's handler */

static bool is_gone(const struct worker *worker)
{
	return control->generation[worker->own] != worker->generation;
}

/* The process ends: the device went, or something is wrong. */
__attribute__((noreturn))
static void end(struct worker *worker, const char *what, int error)
{
	if (is_gone(worker)) {
		control->counts[GONE]++;
		_exit(0);
	}
	control->failures++;
	printf("# %s: %s: %s\n", own_drivers[worker->own], what, strerror(-error));
	_exit(0);
}

static void need(struct worker *worker, const char *what, int ret)
{
	if (ret)
		end(worker, what, ret);
}

static void on_sigbus(int number)
{
	(void)number;
	end(this_worker, "SIGBUS", -EFAULT);
}

static void expect(struct worker *worker, const char *what, uint32_t seen, uint32_t right)
{
	if (seen == right || is_gone(worker))
		return;
	control->wrong++;
	printf("# %s: %s: %#x, not %#x\n", own_drivers[worker->own], what, seen, right);
}

/* A program with the syncs that it needs. */
static void run_program(struct worker *worker)
{
	struct random_ops_report report = { 0 };

	/* It has no cached BOs for user space. */
	if (!strcmp(own_drivers[worker->own], "powervr"))
		return;
	need(worker, "a random program",
	     random_ops_run(worker->dev, worker->gpu, gs_random_next(&worker->random), RANDOM_STEPS,
			    false, &report));
	control->wrong += is_gone(worker) ? 0 : report.bytes_wrong;
	control->counts[PROGRAMS]++;
}

/* What the other driver's device does may end with it at any time: `stress` takes it away. */
static int share_with(struct worker *worker, struct gemsync_gpu *other, struct gemsync_bo *bo,
		      volatile uint32_t *map, uint64_t va)
{
	uint32_t word = gs_random_below(&worker->random, SIZE / 4), seen;
	uint32_t value = (uint32_t)gs_random_next(&worker->random);
	uint64_t other_va;
	int dmabuf, ret;

	need(worker, "export", gemsync_bo_export(bo, &dmabuf));
	ret = gpu_bind_dmabuf(other, dmabuf, &other_va);
	close(dmabuf);
	if (ret)
		return ret;
	map[word] = value;
	ret = gpu_read32(other, other_va + word * 4, &seen);
	if (ret)
		return ret;
	expect(worker, "another driver reads", seen, value);
	ret = gpu_write32(other, other_va + word * 4, ~value);
	if (ret)
		return ret;
	need(worker, "read", gpu_read32(worker->gpu, va + word * 4, &seen));
	expect(worker, "another driver wrote", seen, ~value);
	expect(worker, "another driver wrote, for the CPU", map[word], ~value);
	return 0;
}

static void share(struct worker *worker)
{
	const char *driver = all_drivers[gs_random_below(&worker->random, ARRAY_SIZE(all_drivers))];
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	struct gemsync_gpu *gpu;
	uint64_t va;
	void *map;

	if (gemsync_device_open(driver, &dev))
		return;
	if (gpu_open(dev, &gpu)) {
		gemsync_device_close(dev);
		return;
	}
	need(worker, "create", gemsync_bo_create(worker->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	need(worker, "map", gemsync_bo_map(bo, &map));
	need(worker, "bind", gpu_bind(worker->gpu, bo, &va));
	if (!share_with(worker, gpu, bo, map, va))
		control->counts[SHARED]++;
	gpu_unbind(worker->gpu, va, SIZE);
	gpu_close(gpu);
	gemsync_device_close(dev);
	gemsync_bo_destroy(bo);
}

static void churn(struct worker *worker)
{
	struct gemsync_bo *bos[8];
	bool retained;
	uint32_t i, value;
	void *map;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		need(worker, "create", gemsync_bo_create(worker->dev, SIZE, 0, &bos[i]));
		need(worker, "map", gemsync_bo_map(bos[i], &map));
		*(volatile uint32_t *)map = i;
	}
	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		need(worker, "map", gemsync_bo_map(bos[i], &map));
		value = *(volatile uint32_t *)map;
		expect(worker, "what was stored", value, i);
		/* From here on it may be purged, where there is such a call. */
		gpu_madvise(worker->dev, bos[i], false, &retained);
	}
	usleep(gs_random_below(&worker->random, 2000));
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		gemsync_bo_destroy(bos[i]);
	control->counts[CHURNED]++;
}

static void work(unsigned int own, uint64_t seed)
{
	static void (*const kinds[])(struct worker *worker) = { run_program, share, churn };
	const struct sigaction action = { .sa_handler = on_sigbus };
	struct worker worker = { .own = own };
	int ret;

	this_worker = &worker;
	sigaction(SIGBUS, &action, NULL);
	gs_random_seed(&worker.random, seed);
	while ((worker.generation = control->generation[own]) & 1 && !control->stop)
		usleep(1000);
	need(&worker, "open", gemsync_device_open(own_drivers[own], &worker.dev));
	ret = gpu_open(worker.dev, &worker.gpu);
	need(&worker, "the GPU", ret);
	while (!control->stop && !is_gone(&worker))
		kinds[gs_random_below(&worker.random, ARRAY_SIZE(kinds))](&worker);
	gpu_close(worker.gpu);
	gemsync_device_close(worker.dev);
	_exit(0);
}

/* ---- What happens to them ---- */

struct neighbour {
	char device[64];	/* in sysfs */
	char driver[PATH_MAX];
};

static int find(const char *name, struct neighbour *neighbour)
{
	char path[128], link[PATH_MAX];
	struct gemsync_device *dev;
	struct stat st;
	ssize_t length;
	int ret;

	ret = gemsync_device_open(name, &dev);
	if (ret)
		return ret;
	fstat(gemsync_device_fd(dev), &st);
	gemsync_device_close(dev);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return -errno;
	link[length] = '\0';
	snprintf(neighbour->device, sizeof(neighbour->device), "%s", strrchr(link, '/') + 1);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/driver", major(st.st_rdev),
		 minor(st.st_rdev));
	return realpath(path, neighbour->driver) ? 0 : -errno;
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* All devices' BOs that can go, and those that nobody needs. */
static void evict(void)
{
	char path[64];
	int card, done = 0;

	for (card = 0; card < 64; card++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/evict", card);
		done += !write_to(path, "all");
		snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/purge", card);
		write_to(path, "all");
	}
	if (done)
		control->counts[EVICTIONS]++;
}

static void unbind(const struct neighbour *neighbour, unsigned int which)
{
	char path[PATH_MAX + 16];

	control->generation[which]++;
	snprintf(path, sizeof(path), "%s/unbind", neighbour->driver);
	if (write_to(path, neighbour->device))
		control->failures++;
	usleep(20000);
	snprintf(path, sizeof(path), "%s/bind", neighbour->driver);
	if (write_to(path, neighbour->device))
		control->failures++;
	control->generation[which]++;
	control->counts[UNBINDS]++;
}

struct herd {
	struct gs_random random;
	uint64_t seed;
	unsigned int starts, died;
	pid_t pids[WORKERS];
	struct neighbour neighbours[ARRAY_SIZE(own_drivers)];
};

static void start(struct herd *herd, unsigned int i)
{
	herd->starts++;
	herd->pids[i] = fork();
	if (herd->pids[i] < 0)
		abort();
	if (!herd->pids[i])
		work(i % ARRAY_SIZE(own_drivers), herd->seed * 1000003 + herd->starts);
}

static void restart_ended(struct herd *herd)
{
	unsigned int i;
	int status;

	for (i = 0; i < WORKERS; i++) {
		if (waitpid(herd->pids[i], &status, WNOHANG) <= 0)
			continue;
		if (status) {
			herd->died++;
			printf("# a worker ended with %#x\n", (unsigned int)status);
		}
		start(herd, i);
	}
}

static void kill_one(struct herd *herd)
{
	unsigned int i = gs_random_below(&herd->random, WORKERS);

	kill(herd->pids[i], SIGKILL);
	waitpid(herd->pids[i], NULL, 0);
	control->counts[KILLS]++;
	start(herd, i);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void run_phase(struct herd *herd, int64_t ms, bool unbinding)
{
	int64_t end = now_ms() + ms;
	unsigned int which;

	while (now_ms() < end) {
		usleep(1000 * (100 + gs_random_below(&herd->random, 600)));
		restart_ended(herd);
		evict();
		which = gs_random_below(&herd->random, ARRAY_SIZE(own_drivers) + 1);
		if (unbinding && which < ARRAY_SIZE(own_drivers))
			unbind(&herd->neighbours[which], which);
		else if (which)
			kill_one(herd);
	}
}

/* How many do not end, or died. */
static unsigned int end_all(struct herd *herd)
{
	int64_t end = now_ms() + END_SECONDS * 1000;
	unsigned int i, left = herd->died;
	int status = 0;

	control->stop = true;
	for (i = 0; i < WORKERS; i++) {
		while (!waitpid(herd->pids[i], &status, WNOHANG) && now_ms() < end)
			usleep(10000);
		if (now_ms() >= end)
			kill(herd->pids[i], SIGKILL);
		left += now_ms() >= end || status;
	}
	return left;
}

static bool print_counts(uint64_t seed, int seconds)
{
	bool all = true;
	unsigned int i;

	printf("# seed %llu, %d s:", (unsigned long long)seed, seconds);
	for (i = 0; i < COUNTS; i++) {
		printf(" %s %lu", count_names[i], control->counts[i]);
		all &= control->counts[i] != 0;
	}
	printf("; wrong %lu, failures %lu\n", control->wrong, control->failures);
	return all;
}

static void result(unsigned int number, bool ok, const char *name)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", number, name);
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 30, ret = 0;
	struct herd herd = {
		.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL),
	};
	unsigned int i, left;
	bool all;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..4\n");
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (control == MAP_FAILED)
		ret = -errno;
	for (i = 0; i < ARRAY_SIZE(own_drivers) && !ret; i++)
		ret = find(own_drivers[i], &herd.neighbours[i]);
	if (ret) {
		printf("Bail out! no device: %s\n", strerror(-ret));
		return 1;
	}
	gs_random_seed(&herd.random, herd.seed);
	for (i = 0; i < WORKERS; i++)
		start(&herd, i);
	run_phase(&herd, seconds * 500, false);
	run_phase(&herd, seconds * 500, true);
	left = end_all(&herd);
	all = print_counts(herd.seed, seconds);
	result(1, !control->wrong, "no wrong word");
	result(2, !control->failures, "no call failed that must not");
	result(3, !left, "every worker ended");
	if (!all && seconds < LONG_ENOUGH)
		printf("ok 4 - every kind of work was done # SKIP too short a time\n");
	else
		result(4, all, "every kind of work was done");
	return control->wrong || control->failures || left || (!all && seconds >= LONG_ENOUGH);
}
