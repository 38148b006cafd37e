// SPDX-License-Identifier: MIT
/* The attributes by which a virtual device shows its emulated cache. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

int gemsync_emulation_open(int fd)
{
	char path[64];
	struct stat st;
	int dir;

	if (fstat(fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/ncmem", major(st.st_rdev),
		 minor(st.st_rdev));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

int gemsync_emulation_read(int dir, const char *name, uint64_t *value)
{
	unsigned long long number;
	char text[32];
	ssize_t len;
	char *end;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -EIO;
	text[len] = '\0';
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || (*end && *end != '\n'))
		return -EIO;
	*value = number;
	return 0;
}
