// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "binding.h"

static struct place find_place(int fd)
{
	char path[128], link[256];
	struct place place;
	struct stat st;
	ssize_t length;

	assert_ok(fstat(fd, &st));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	length = readlink(path, link, sizeof(link) - 1);
	assert_true(length > 0);
	link[length] = '\0';
	snprintf(place.name, sizeof(place.name), "%s", strrchr(link, '/') + 1);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/driver", major(st.st_rdev),
		 minor(st.st_rdev));
	assert_non_null(realpath(path, link));
	snprintf(place.driver, sizeof(place.driver), "%s", link);
	return place;
}

struct place need_place(int fd, const struct gemsync_device_info *info)
{
	struct place place = find_place(fd);
	char path[300];

	snprintf(path, sizeof(path), "%s/unbind", place.driver);
	if (access(path, W_OK))
		skip_because("cannot write %s: run as root", path);
	if (!info->emulated)
		skip_because("not with the hardware of this machine: run on an emulated device");
	return place;
}

static int write_name(const struct place *place, const char *file)
{
	char path[300];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", place->driver, file);
	stream = fopen(path, "we");
	if (!stream)
		return -errno;
	fprintf(stream, "%s\n", place->name);
	return fclose(stream) ? -errno : 0;
}

void unbind_device(const struct place *place)
{
	assert_ok(write_name(place, "unbind"));
}

void bind_device(const struct place *place)
{
	assert_ok(write_name(place, "bind"));
}

static sigjmp_buf after_sigbus;

static void on_sigbus(int signal)
{
	siglongjmp(after_sigbus, 1);
}

int touch_is_sigbus(volatile uint32_t *word)
{
	struct sigaction action = { .sa_handler = on_sigbus }, old;
	volatile int caught = 0;

	sigaction(SIGBUS, &action, &old);
	if (sigsetjmp(after_sigbus, 1))
		caught = 1;
	else
		(void)*word;
	sigaction(SIGBUS, &old, NULL);
	return caught;
}
