// SPDX-License-Identifier: MIT
/* Running the cases: each in a process of its own, with an end that it cannot miss. */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "expected.h"
#include "kernel_log.h"
#include "pace.h"
#include "result.h"
#include "suite.h"

/* How long a process that was killed may take to go, in seconds. */
#define GONE_WITHIN	10.0

struct run {
	const struct conform_options *options;
	struct conform_report *report;
	struct conform_result *shared;	/* with the process of the case */
	const char *device;		/* its name */
	double pace;			/* of the machine: limits are longer by it */
	struct kernel_log kernel_log;
	bool childless;			/* between cases: it was when the run began */
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- One process ---- */

/* Wait for its end at most @seconds: its wait status, or -ETIME. */
static int wait_within(pid_t pid, double seconds)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status, ready;

	if (end.fd < 0)
		return -errno;
	do
		ready = poll(&end, 1, (int)(seconds * 1000));
	while (ready < 0 && errno == EINTR);
	close(end.fd);
	if (!ready)
		return -ETIME;
	if (ready < 0)
		return -errno;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status;
}

/* The process, for good; a kernel call that never returns outlives this. */
static bool kill_it(pid_t pid)
{
	kill(-pid, SIGKILL);
	return wait_within(pid, GONE_WITHIN) >= 0;
}

/* Every child; what they left running is killed in its turn. */
static void kill_children(void)
{
	FILE *children = fopen("/proc/thread-self/children", "re");
	int pid;

	while (children && fscanf(children, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (children)
		fclose(children);
}

/*
 * What the case left running goes before the kernel's log is read: its group, and, as
 * orphans are this process's children (PR_SET_CHILD_SUBREAPER), what left the group.
 * False if one of them is still there.
 */
static bool kill_leftovers(const struct run *run, pid_t group)
{
	double end = seconds_now() + GONE_WITHIN;
	pid_t whose = run->childless ? -1 : -group;

	kill(-group, SIGKILL);
	while (waitpid(whose, NULL, WNOHANG) >= 0) {
		if (seconds_now() > end)
			return false;
		if (run->childless)
			kill_children();
		usleep(1000);
	}
	return true;
}

/* Fork into a process group that dies with this process: 0 in the new process. */
static pid_t fork_group(void)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		setpgid(pid, pid);
		return pid;
	}
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	return 0;
}

__attribute__((format(printf, 2, 3)))
static void set_failed(struct conform_result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->reason, sizeof(result->reason), format, args);
	va_end(args);
	result->verdict = CONFORM_FAIL;
}

/* What its end says, if it is not that the verdict stands. False if there is no end. */
static bool judge_end(struct conform_result *result, pid_t pid, int status, double limit)
{
	if (status == -ETIME) {
		if (!kill_it(pid)) {
			set_failed(result, "it hangs in a call to the kernel and cannot be killed: "
				   "with it on the device, no other case is run");
			return false;
		}
		set_failed(result, "it did not end within %.0f s", limit);
	} else if (status < 0) {
		set_failed(result, "waiting for its process: %s", strerror(-status));
	} else if (WIFSIGNALED(status)) {
		set_failed(result, "its process died: %s", strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status)) {
		set_failed(result, "its process ended with status %d", WEXITSTATUS(status));
	}
	return true;
}

/* A complaint fails the case, or says more of its failure. */
static void judge_kernel(struct conform_result *result, struct kernel_log *kernel_log)
{
	char complaint[256], reason[sizeof(result->reason)];

	if (!kernel_log_complained(kernel_log, complaint, sizeof(complaint)))
		return;
	if (result->verdict != CONFORM_FAIL) {
		set_failed(result, "the kernel complained: %s", complaint);
		return;
	}
	snprintf(reason, sizeof(reason), "%s", result->reason);
	set_failed(result, "%.240s; the kernel complained: %s", reason, complaint);
}

/* Of the machine that limits were made on; 0: what was said explicitly, is the limit. */
static double made_limit(const struct run *run, const struct conform_case *c)
{
	if (c->timeout)
		return c->timeout;
	return run->options->timeout ? 0 : CONFORM_TIMEOUT;
}

/*
 * The status of its process, or -ETIME after @limit seconds. The machine may have become
 * slower since its pace was measured: it is measured again before a case is said to hang.
 */
static int wait_for_case(struct run *run, const struct conform_case *c, pid_t pid, double *limit)
{
	const double made = made_limit(run, c);
	double pace;
	int status;

	*limit = made > 0 ? made * run->pace : run->options->timeout;
	status = wait_within(pid, *limit);
	if (status != -ETIME || made <= 0)
		return status;
	pace = pace_measure();
	if (pace <= run->pace)
		return status;
	status = wait_within(pid, made * (pace - run->pace));
	*limit = made * pace;
	run->pace = pace;
	return status;
}

/* False if the case is still there, and the device is no other case's. */
static bool run_case(const struct conform_case *c, struct run *run)
{
	struct conform_result *result = run->shared;
	double begin = seconds_now(), limit;
	bool ended = true;
	int status;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	/* Only the case itself can say otherwise. */
	set_failed(result, "its process ended without a verdict");
	pid = fork_group();
	if (!pid) {
		/* What it prints is no part of the report. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		case_process(c, run->device, run->options->watch, result);
	}
	if (pid < 0) {
		set_failed(result, "fork: %s", strerror(-pid));
	} else {
		status = wait_for_case(run, c, pid, &limit);
		ended = judge_end(result, pid, status, limit);
		if (ended && !kill_leftovers(run, pid)) {
			set_failed(result, "a process that it left running cannot be killed: "
				   "with it on the device, no other case is run");
			ended = false;
		}
	}
	judge_kernel(result, &run->kernel_log);
	if (result->verdict == CONFORM_PASS)
		result->reason[0] = '\0';
	result->seconds = seconds_now() - begin;
	result->c = c;
	return ended;
}

/* ---- All of them ---- */

/*
 * A failure that is known counts as a skip. When such a case passes, the list is wrong, and
 * that is a failure.
 */
static void judge_known_failure(struct conform_result *result)
{
	char reason[sizeof(result->reason)];

	if (result->verdict == CONFORM_PASS) {
		set_failed(result, "it passes, but is listed as one that fails");
		return;
	}
	if (result->verdict == CONFORM_SKIP)
		return;
	snprintf(reason, sizeof(reason), "%s", result->reason);
	snprintf(result->reason, sizeof(result->reason), "expected to fail: %.490s", reason);
	result->verdict = CONFORM_SKIP;
	result->expected_skip = true;
}

static void take_result(struct run *run)
{
	struct conform_report *report = run->report;
	struct conform_result *result = &report->results[report->count++];

	*result = *run->shared;
	if (expected_fails(run->options->expected, result->c->name))
		judge_known_failure(result);
	report->passed += result->verdict == CONFORM_PASS;
	report->failed += result->verdict == CONFORM_FAIL;
	report->skipped += result->verdict == CONFORM_SKIP;
	if (result->verdict == CONFORM_SKIP) {
		result->expected_skip |= expected_allows(run->options->expected,
							 result->c->name);
		report->unexpected += report->expecting && !result->expected_skip;
	}
	if (run->options->ended)
		run->options->ended(report, result, run->options->data);
}

/* Which cases there are for the run, and room for their results. */
static int choose_cases(struct run *run)
{
	struct conform_report *report = run->report;
	const char *filter = run->options->filter;
	const struct conform_case *c;

	for (; (c = conform_case(report->suite)); report->suite++)
		report->chosen += conform_case_matches(c, filter);
	if (!report->chosen)
		return -EINVAL;
	report->filter = filter ? strdup(filter) : NULL;
	report->results = calloc(report->chosen, sizeof(*report->results));
	return report->results && (!filter || report->filter) ? 0 : -ENOMEM;
}

static void run_cases(struct run *run)
{
	const struct conform_case *c;
	bool ended;
	size_t i;

	for (i = 0; (c = conform_case(i)); i++) {
		if (!conform_case_matches(c, run->options->filter))
			continue;
		if (run->options->starting)
			run->options->starting(c, run->options->data);
		ended = run_case(c, run);
		take_result(run);
		if (!ended || (run->options->stop && run->report->failed))
			break;
	}
}

/* ---- Facts ---- */

static void read_cpu_model(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *value;

	while (file && fgets(line, sizeof(line), file)) {
		value = strchr(line, ':');
		if (!value || strncmp(line, "model name", 10))
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(text, size, "%s", value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void read_machine(struct conform_facts *facts)
{
	struct utsname name;
	time_t now = time(NULL);
	struct tm utc;

	if (!uname(&name)) {
		snprintf(facts->kernel, sizeof(facts->kernel), "%.20s %.70s", name.sysname,
			 name.release);
		snprintf(facts->machine, sizeof(facts->machine), "%s", name.machine);
	}
	read_cpu_model(facts->machine, sizeof(facts->machine));
	gmtime_r(&now, &utc);
	strftime(facts->started, sizeof(facts->started), "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* In a process of its own, so that no file of the device stays open here. */
static int probe(struct run *run)
{
	struct {
		struct conform_facts facts;
		int ret;
	} *shared;
	pid_t pid;
	int ret;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return -ENOMEM;
	shared->ret = -EIO;
	pid = fork_group();
	if (!pid) {
		shared->ret = case_probe(run->options->device, run->options->watch,
					 &shared->facts);
		_exit(EXIT_SUCCESS);
	}
	ret = pid < 0 ? pid : wait_within(pid, run->options->timeout ? run->options->timeout :
					       CONFORM_TIMEOUT * run->pace);
	if (ret == -ETIME)
		kill_it(pid);
	if (ret >= 0)
		ret = shared->ret;
	run->report->facts = shared->facts;
	munmap(shared, sizeof(*shared));
	return ret;
}

/*
 * The device looks for what it looked for before the run. Cases cannot see to that: one may
 * not have ended when the next one begins.
 */
static void end_watch(const struct run *run)
{
	const struct watched *watched = &run->report->facts.watched;
	pid_t pid;

	if (!watched->set)
		return;
	pid = fork_group();
	if (!pid) {
		case_end_watch(run->device, watched);
		_exit(EXIT_SUCCESS);
	}
	if (pid > 0 && wait_within(pid, CONFORM_TIMEOUT * run->pace) == -ETIME)
		kill_it(pid);
}

static int gather_facts(struct run *run)
{
	struct conform_facts *facts = &run->report->facts;
	int ret = probe(run);

	if (ret)
		return ret;
	run->device = run->options->device ? run->options->device : facts->info.node;
	snprintf(facts->name, sizeof(facts->name), "%s", run->device);
	facts->kernel_log = run->kernel_log.fd >= 0;
	read_machine(facts);
	return 0;
}

/* ---- The whole ---- */

static int run_all(struct run *run)
{
	double begin = seconds_now();
	int ret;

	run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->shared == MAP_FAILED)
		return -ENOMEM;
	run->report->version = GEMSYNC_VERSION;
	run->report->expecting = run->options->expected;
	run->pace = pace_measure();
	ret = choose_cases(run);
	if (!ret)
		ret = gather_facts(run);
	if (!ret && run->options->begun)
		run->options->begun(run->report, run->options->data);
	if (!ret) {
		run_cases(run);
		end_watch(run);
	}
	run->report->seconds = seconds_now() - begin;
	munmap(run->shared, sizeof(*run->shared));
	return ret;
}

int conform_run(const struct conform_options *options, struct conform_report **out)
{
	struct run run = { .options = options };
	siginfo_t child;
	int ret;

	run.report = calloc(1, sizeof(*run.report));
	if (!run.report)
		return -ENOMEM;
	kernel_log_open(&run.kernel_log);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* A program that has replaced a shell may have children that are no case's. */
	run.childless = waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0;
	ret = run_all(&run);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	kernel_log_close(&run.kernel_log);
	if (ret)
		conform_report_destroy(run.report);
	else
		*out = run.report;
	return ret;
}

void conform_report_destroy(struct conform_report *report)
{
	if (!report)
		return;
	free(report->results);
	free(report->filter);
	free(report);
}
