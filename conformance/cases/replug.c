// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replug.h"

/* The device's name, its folder and its driver's in sysfs. */
static struct {
	char name[NAME_MAX + 1];
	char device[PATH_MAX];
	char driver[PATH_MAX];
} place;

/* What looks after the device if the case is killed. */
static struct {
	pid_t pid;
	int end;
} guard;

static int write_name(const char *file)
{
	char path[PATH_MAX + 16];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", place.driver, file);
	stream = fopen(path, "we");
	if (!stream)
		return -errno;
	fprintf(stream, "%s\n", place.name);
	return fclose(stream) ? -errno : 0;
}

/* The next case finds the device, at the node that it had if nothing holds that any more. */
static void put_back(void)
{
	write_name("unbind");
	write_name("bind");
	if (write(guard.end, "\n", 1) == 1)
		waitpid(guard.pid, NULL, 0);
}

/*
 * A case that is killed runs no handlers. Another process waits for a line or for the end
 * of the case; not in its process group, and by exec without its maps and files.
 */
static void start_guard(void)
{
	static const char script[] =
		"read line || test -e \"$1/driver\" || echo \"$2\" > \"$3/bind\"";
	int ends[2];

	EXPECT_OK(pipe2(ends, O_CLOEXEC));
	guard.end = ends[1];
	guard.pid = fork();
	EXPECT(guard.pid >= 0);
	if (!guard.pid) {
		setsid();
		dup2(ends[0], STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", script, "sh", place.device, place.name, place.driver,
		      (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	close(ends[0]);
}

void find_place(struct cf *cf)
{
	char path[64];
	struct stat st;

	EXPECT_OK(fstat(cf->fd, &st));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	EXPECT(realpath(path, place.device));
	snprintf(place.name, sizeof(place.name), "%s", strrchr(place.device, '/') + 1);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/driver", major(st.st_rdev),
		 minor(st.st_rdev));
	EXPECT(realpath(path, place.driver));
	start_guard();
	EXPECT_OK(atexit(put_back));
}

int try_unplug(void)
{
	return write_name("unbind");
}

void unplug(void)
{
	EXPECT_OK(try_unplug());
}

void plug(void)
{
	EXPECT_OK(write_name("bind"));
}

struct gemsync_device *open_new(void)
{
	char pattern[PATH_MAX + 32], node[64];
	struct gemsync_device *dev;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/drm/renderD*", place.device);
	EXPECT_OK(glob(pattern, 0, NULL, &found));
	snprintf(node, sizeof(node), "/dev/dri/%.40s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	EXPECT_OK(gemsync_device_open(node, &dev));
	return dev;
}
