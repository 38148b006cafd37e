// SPDX-License-Identifier: MIT
/*
 * Cases that behave badly, or as told, to test the suite's frame: each ends in another
 * way, and tests/conform/test knows how it is to be judged.
 */
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

/* Its number is in the file that GEMSYNC_FRAME_PID names. */
CASE(r7_leaves_child, "R7", 0, "a child that stays does not outlive the case")
{
	const char *path = getenv("GEMSYNC_FRAME_PID");
	FILE *file = path ? fopen(path, "we") : NULL;
	pid_t pid;

	EXPECT(file);
	pid = fork();
	EXPECT(pid >= 0);
	if (!pid) {
		for (;;)
			pause();
	}
	fprintf(file, "%d\n", (int)pid);
	fclose(file);
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

CASES(verdicts, "Verdicts", &r1_passes, &r2_fails, &r2_wrong_word, &r3_skips, &r3_needs,
      &r4_many_checks);

CASES(behaviour, "Bad behaviour <&>", &r5_crashes, &r5_hangs, &r5_hangs_deaf, &r6_exits_early,
      &r6_exits_with_status, &r7_leaves_child, &r8_prints, &r8_hostile_fail, &r8_hostile_skip,
      &r9_dies_in_the_end);

const struct case_group *const suite_groups[] = {
	&verdicts_group,
	&behaviour_group,
	NULL,
};
