// SPDX-License-Identifier: MIT
/*
 * Cases that behave badly, or as told, to test the suite's frame: each ends in another
 * way, and tests/conform/test knows how it is to be judged.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

/* Text that breaks out of every format that does not escape it. */
#define HOSTILE	"]]></script><b a='1' b=\"2\">&amp; \\ %s\t\n\x01\x1b[31m \xff\xc3 \xed\xa0\x80 " \
		"\xe2\x82\xac # TODO"

/* ---- Verdicts ---- */

CASE(r1_passes, "R1 R10", 0, "a case that passes is passed")
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(i - i, 0);
}

CASE(r2_fails, "R2", 0, "a case that fails is failed by its first check that does not hold")
{
	EXPECT_EQ(1 + 1, 2);
	EXPECT_EQ(-EINVAL, 0);
	fail("a failed check does not end the case");
}

CASE(r2_wrong_word, "R2", 0, "a word that is wrong is shown with the lines around it")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 1024, OLD);
	cpu_put(buf, 1024, NEW);
	EXPECT_OK(flush(cf, buf, 1088, 4));
	EXPECT_GPU(cf, buf, 1024, NEW);
}

/* The GPU's last write is newer than the invalidate. */
CASE(r2_stale_word, "R2", 0, "a sync before the last write is shown as too early for it")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);

	put_both(cf, buf, 1024, OLD);
	EXPECT_OK(invalidate(cf, buf, 1024, 128));
	EXPECT_CPU(cf, buf, 1024, OLD);
	gpu_put(cf, buf, 1024, NEW);
	EXPECT_CPU(cf, buf, 1024, NEW);
}

CASE(r3_skips, "R3", 0, "a case that skips is skipped")
{
	skip("it was told to", "do not tell it to");
}

CASE(r3_needs, "R3", NEED_COHERENT, "a case is skipped without what it needs")
{
	fail("it runs on a device that is not coherent");
}

CASE(r4_many_checks, "R4", 0, "checks beyond those that are kept are counted")
{
	int i;

	for (i = 0; i < 1000; i++)
		expect_true("a check of many", true, "many.c", i);
	expect_true("the last one", false, "many.c", i);
}

/* ---- Bad behaviour ---- */

CASE(r5_crashes, "R5", 0, "a crash fails only its case")
{
	raise(SIGSEGV);
}

CASE_WITHIN(r5_hangs, "R5", 0, 1, "a hang fails only its case")
{
	for (;;)
		pause();
}

/* Deaf to all signals that can be ignored. */
CASE_WITHIN(r5_hangs_deaf, "R5", 0, 1, "a case that ignores signals ends all the same")
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	for (;;)
		;
}

CASE(r6_exits_early, "R6", 0, "a case that exits has not passed")
{
	exit(EXIT_SUCCESS);
}

CASE(r6_exits_with_status, "R6", 0, "a case that exits with an error has failed")
{
	_exit(3);
}

/*
 * A process that stays, a daemon with a child of its own: out of reach of signals to the
 * case's group. Their numbers are in the file that GEMSYNC_FRAME_PID names when this returns.
 */
static void leave(bool is_daemon)
{
	const char *path = getenv("GEMSYNC_FRAME_PID");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	int ready[2], i;
	pid_t pid;
	char byte;

	EXPECT(fd >= 0);
	EXPECT_OK(pipe(ready));
	pid = fork();
	EXPECT(pid >= 0);
	if (!pid) {
		if (is_daemon && (setsid() < 0 || fork() < 0))
			_exit(EXIT_FAILURE);
		dprintf(fd, "%d\n", (int)getpid());
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(EXIT_FAILURE);
	}
	for (i = 0; i < 1 + is_daemon; i++)
		EXPECT_EQ(read(ready[0], &byte, 1), 1);
}

CASE(r7_leaves_child, "R7", 0, "a child that stays does not outlive the case")
{
	leave(false);
}

CASE(r7_leaves_daemon, "R7", 0, "nor do a child with a session of its own, and its child")
{
	leave(true);
}

CASE(r8_prints, "R8", 0, "what a case prints is not in the report")
{
	puts("a case prints this");
	fflush(stdout);
	dprintf(STDOUT_FILENO, "and this\n");
}

CASE(r8_hostile_fail, "R8", 0, "any text of a case is data to the report: " HOSTILE)
{
	expect_true(HOSTILE, true, HOSTILE, 1);
	fail("%s", HOSTILE);
}

CASE(r8_hostile_skip, "R8", 0, HOSTILE)
{
	skip(HOSTILE, HOSTILE);
}

/* A verdict that was set is void if the process then dies. */
CASE(r9_dies_in_the_end, "R9", 0, "a case that dies while it ends has not passed")
{
	atexit(abort);
}

/* ---- The kernel's log ---- */

/* The kernel's log is everyone's: not but in the VM. */
static void say_in_kernel_log(const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char record[128];
	int length = snprintf(record, sizeof(record), "<4>%s\n", line);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, record, length), length);
	close(fd);
}

CASE(r9_kernel_complains, "R9", NEED_VM, "a case in whose time the kernel complains has failed")
{
	say_in_kernel_log("WARNING: CPU: 0 PID: 1 at planted_in_a_case+0x1/0x2");
}

CASE(r9_kernel_speaks, "R9", NEED_VM, "a case in whose time the kernel says something has passed")
{
	say_in_kernel_log("a harmless line, planted in a case");
	say_in_kernel_log("DMA-API: preallocated 65536 debug entries, planted in a case");
}

CASE(r9_kernel_complains_of_failure, "R9", NEED_VM, "a failed case says what the kernel said")
{
	say_in_kernel_log("BUG: planted_in_a_case");
	fail("it fails");
}

CASE(r9_kernel_is_quiet, "R9", NEED_VM, "a complaint is not that of the next case")
{
}

CASES(verdicts, "Verdicts", &r1_passes, &r2_fails, &r2_wrong_word, &r2_stale_word,
      &r3_skips, &r3_needs,
      &r4_many_checks);

CASES(behaviour, "Bad behaviour <&>", &r5_crashes, &r5_hangs, &r5_hangs_deaf, &r6_exits_early,
      &r6_exits_with_status, &r7_leaves_child, &r7_leaves_daemon, &r8_prints, &r8_hostile_fail,
      &r8_hostile_skip, &r9_dies_in_the_end);

CASES(kernel_log, "The kernel's log", &r9_kernel_complains, &r9_kernel_speaks,
      &r9_kernel_complains_of_failure, &r9_kernel_is_quiet);

const struct case_group *const suite_groups[] = {
	&verdicts_group,
	&behaviour_group,
	&kernel_log_group,
	NULL,
};
