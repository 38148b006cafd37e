// SPDX-License-Identifier: MIT
/*
 * Usage: stress [SECONDS [SEED]]
 *
 * Needs root and the virtual panthor. In the first half of the time processes are
 * killed in the middle of their work; in the second half the device goes and comes
 * back as well. TAP.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define PROCESSES	(CLIENTS + 1)	/* the last one is hostile */
#define LONG_ENOUGH	20		/* seconds in which every kind of operation is done */
#define END_SECONDS	60		/* that all may take to end */

struct control *control;

static const struct work *const client_works[] = {
	&lines_work, &lines_work, &binds_work, &churn_work, &sync_work, &share_work,
};

static const struct work *const hostile_works[] = { &hostile_work, &hostile_work };

struct stress {
	uint64_t seed;
	struct gs_random random;
	pid_t pids[PROCESSES];
	unsigned int starts;
	int sockets[CLIENTS][2];	/* [i] leads from client i to the next one */
	char device[64];		/* in sysfs */
	char driver[PATH_MAX];
	unsigned int died;		/* processes that nobody killed */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* ---- Processes ---- */

static void run_client(struct stress *stress, unsigned int client)
{
	bool hostile = client == CLIENTS;
	const struct work *const *works = hostile ? hostile_works : client_works;
	unsigned int count = hostile ? ARRAY_SIZE(hostile_works) : ARRAY_SIZE(client_works);
	struct worker workers[ARRAY_SIZE(client_works)] = { 0 };
	struct session session;
	unsigned int i;

	for (i = 0; i < count; i++) {
		workers[i].work = works[i];
		workers[i].session = &session;
		workers[i].client = client;
		workers[i].index = i;
		workers[i].out = stress->sockets[client % CLIENTS][0];
		workers[i].in = stress->sockets[(client + CLIENTS - 1) % CLIENTS][1];
		gs_random_seed(&workers[i].random,
			       stress->seed * 1000003 + stress->starts * 64 + i);
	}
	run_sessions(workers, count);
	exit(0);
}

static void start(struct stress *stress, unsigned int client)
{
	fflush(stdout);
	stress->starts++;
	stress->pids[client] = fork();
	if (stress->pids[client] < 0)
		abort();
	if (!stress->pids[client])
		run_client(stress, client);
}

static void note_death(struct stress *stress, unsigned int client, int status)
{
	stress->died++;
	printf("# client %u died: %s %d\n", client, WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void restart_dead(struct stress *stress)
{
	unsigned int i;
	int status;

	for (i = 0; i < PROCESSES; i++) {
		if (waitpid(stress->pids[i], &status, WNOHANG) <= 0)
			continue;
		note_death(stress, i, status);
		start(stress, i);
	}
}

/* Its file is closed in the middle of all that its threads do. */
static void kill_one(struct stress *stress)
{
	unsigned int client = gs_random_below(&stress->random, PROCESSES);

	kill(stress->pids[client], SIGKILL);
	waitpid(stress->pids[client], NULL, 0);
	control->counts[OP_KILL]++;
	start(stress, client);
}

/* 0 if all ended by themselves. */
static int end_all(struct stress *stress)
{
	int64_t end = now_ms() + END_SECONDS * 1000;
	unsigned int i, left = 0;
	int status;

	control->stop = true;
	for (i = 0; i < PROCESSES; i++) {
		while (!waitpid(stress->pids[i], &status, WNOHANG) && now_ms() < end)
			usleep(10000);
		if (now_ms() >= end) {
			printf("# client %u does not end\n", i);
			kill(stress->pids[i], SIGKILL);
			left++;
		} else if (status) {
			note_death(stress, i, status);
		}
	}
	return left + stress->died;
}

/* ---- The device ---- */

static int find_device(struct stress *stress)
{
	struct gemsync_device *dev;
	char path[128], link[PATH_MAX];
	struct stat st;
	ssize_t length;
	int ret;

	ret = gemsync_device_open("panthor", &dev);
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
	snprintf(stress->device, sizeof(stress->device), "%s", strrchr(link, '/') + 1);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/driver", major(st.st_rdev),
		 minor(st.st_rdev));
	return realpath(path, stress->driver) ? 0 : -errno;
}

static void write_device(const struct stress *stress, const char *file)
{
	char path[PATH_MAX + 16];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", stress->driver, file);
	stream = fopen(path, "we");
	if (stream)
		fprintf(stream, "%s\n", stress->device);
	if (!stream || fclose(stream)) {
		printf("# cannot %s: %s\n", file, strerror(errno));
		control->failures++;
	}
}

static void unbind_and_bind(struct stress *stress)
{
	control->generation++;
	write_device(stress, "unbind");
	usleep(gs_random_below(&stress->random, 100000));
	write_device(stress, "bind");
	control->generation++;
	control->counts[OP_UNBIND]++;
}

/* ---- The course of it ---- */

static void run_phase(struct stress *stress, int64_t ms, bool unbinding)
{
	int64_t end = now_ms() + ms;

	while (now_ms() < end) {
		usleep(1000 * (300 + gs_random_below(&stress->random, 1500)));
		restart_dead(stress);
		if (unbinding && gs_random_below(&stress->random, 3))
			unbind_and_bind(stress);
		else
			kill_one(stress);
	}
}

static void open_sockets(struct stress *stress)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, stress->sockets[i]))
			abort();
}

static void print_counts(int seconds, uint64_t seed)
{
	static const char *const names[] = {
#define OPERATION_NAME(name, text) text,
		OPERATIONS(OPERATION_NAME)
	};
	unsigned int i;

	printf("# seed %llu, %d s:", (unsigned long long)seed, seconds);
	for (i = 0; i < OPERATION_COUNT; i++)
		printf(" %s %lu", names[i], control->counts[i]);
	printf("; bytes checked %lu, wrong %lu; failures %lu\n", control->bytes,
	       control->bytes_wrong, control->failures);
}

/* What a run that is long enough has done, else it proves too little. */
static bool did_all(void)
{
	unsigned int i;

	for (i = 0; i < OPERATION_COUNT; i++)
		if (!control->counts[i])
			return false;
	return true;
}

static void result(unsigned int number, bool ok, const char *name)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", number, name);
}

static int judge(int seconds, int left)
{
	bool all = did_all(), too_short = seconds < LONG_ENOUGH;

	result(1, !control->bytes_wrong, "no wrong byte");
	result(2, !control->failures, "no call failed that must not");
	result(3, !left, "every worker ended");
	if (!all && too_short)
		printf("ok 4 - every kind of operation was done # SKIP too short a time\n");
	else
		result(4, all, "every kind of operation was done");
	return control->bytes_wrong || control->failures || left || (!all && !too_short);
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 30, ret, left;
	struct stress stress = {
		.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL),
	};
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# seed %llu\n1..4\n", (unsigned long long)stress.seed);
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ret = control == MAP_FAILED ? -errno : find_device(&stress);
	if (ret) {
		printf("Bail out! no device: %s\n", strerror(-ret));
		return 1;
	}
	gs_random_seed(&stress.random, stress.seed);
	open_sockets(&stress);
	for (i = 0; i < PROCESSES; i++)
		start(&stress, i);
	run_phase(&stress, seconds * 500, false);
	run_phase(&stress, seconds * 500, true);
	left = end_all(&stress);
	print_counts(seconds, stress.seed);
	return judge(seconds, left);
}
