// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "inject.h"

static int fail_nth = -1;
static int make_it_fail = -1;

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void set_kind(const char *kind, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	write_text(path, value);
}

/*
 * By default only atomic allocations fail, and each failure is a page of log. All
 * allocations fail of a task that says so in make-it-fail, and of no other.
 */
void inject_open(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	const char *verbose = getenv("GEMSYNC_FAULT_VERBOSE") ? "2" : "0";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_kind(kinds[i], "verbose", verbose);
		set_kind(kinds[i], "ignore-gfp-wait", "N");
		set_kind(kinds[i], "task-filter", "Y");
		set_kind(kinds[i], "times", "-1");
		set_kind(kinds[i], "probability", "100");
	}
	set_kind("fail_page_alloc", "ignore-gfp-highmem", "N");
	set_kind("fail_page_alloc", "min-order", "0");
	set_kind("fail_usercopy", "verbose", verbose);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	make_it_fail = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
}

int inject_available(void)
{
	return fail_nth >= 0 && make_it_fail >= 0;
}

void inject_arm(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	assert_int_equal(write(fail_nth, text, length), length);
}

/* Whether the failure came. Reading is itself a copy to user memory that may fail. */
int inject_disarm(void)
{
	char text[16] = "";
	int fired = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	if (write(fail_nth, "0", 1) != 1)
		assert_int_equal(write(fail_nth, "0", 1), 1);
	return fired;
}

void inject_all_failures(const char *on)
{
	assert_int_equal(pwrite(make_it_fail, on, 1, 0), 1);
}

/* ---- Totals ---- */

static const char *const counters[] = {
	"drm_gem_sync/parameters/objects", "drm_gem_sync/parameters/pages",
	"ncmem/parameters/pages", "ncmem/parameters/shadows", "ncmem/parameters/maps",
};

struct totals totals_now(void)
{
	struct totals totals;
	char path[128];
	FILE *file;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", counters[i]);
		file = fopen(path, "re");
		assert_non_null(file);
		assert_int_equal(fscanf(file, "%ld", &totals.value[i]), 1);
		fclose(file);
	}
	return totals;
}

/* Groups end in a work item, and closed files when the call returns: give it a moment. */
void totals_settle(const struct totals *before, unsigned int n)
{
	struct totals now;
	unsigned int i, round;

	for (round = 0; round < 200; round++) {
		now = totals_now();
		if (!memcmp(&now, before, sizeof(now)))
			return;
		usleep(10000);
	}
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (now.value[i] != before->value[i])
			print_error("with failure %u: %s is %ld, was %ld\n", n, counters[i],
				    now.value[i], before->value[i]);
	fail();
}

_Static_assert(ARRAY_SIZE(counters) == TOTALS, "struct totals has a value for each counter");
