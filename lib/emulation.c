// SPDX-License-Identifier: MIT
/* How a virtual device of the kernel shows its emulated cache: sysfs and debugfs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"
#include "violation.h"

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
	if (dir >= 0 || errno != ENOENT)
		return dir < 0 ? -errno : dir;
	*strstr(path, "/device") = '\0';
	return access(path, F_OK) ? -ENODEV : -ENOENT;
}

/* One line of text without its end. */
static int read_text(int dir, const char *name, char *text, size_t size)
{
	ssize_t len;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return -EIO;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int gemsync_emulation_read(int dir, const char *name, uint64_t *value)
{
	unsigned long long number;
	char text[32];
	char *end;
	int ret;

	ret = read_text(dir, name, text, sizeof(text));
	if (ret)
		return ret;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		return -EIO;
	*value = number;
	return 0;
}

int gemsync_emulation_read_chaos(int dir, bool *chaos)
{
	char text[32];
	int ret;

	ret = read_text(dir, "mode", text, sizeof(text));
	if (ret && ret != -ENOENT)
		return ret;
	*chaos = !ret && !strcmp(text, "chaos");
	return 0;
}

int gemsync_emulation_read_coherent(int dir, bool *coherent)
{
	char text[32];
	int ret;

	ret = read_text(dir, "mode", text, sizeof(text));
	if (ret)
		return ret;
	*coherent = !strcmp(text, "coherent");
	return 0;
}

/* ---- Counters ---- */

static int read_counters(struct gemsync_device *dev, struct gemsync_counters *counters)
{
	struct gemsync_counters now;
	int ret;

	ret = gemsync_emulation_read(dev->attributes, "lines_cleaned", &now.lines_cleaned);
	if (ret)
		return ret;
	ret = gemsync_emulation_read(dev->attributes, "lines_dropped", &now.lines_dropped);
	if (ret)
		return ret;
	*counters = now;
	return 0;
}

static int read_violations(struct gemsync_device *dev,
			   struct gemsync_violation_counters *counters)
{
	struct gemsync_violation_counters now;
	const struct {
		const char *name;
		uint64_t *value;
	} attributes[] = {
		{ "violations_lost_update", &now.lost_update },
		{ "violations_cpu_store_stale", &now.cpu_store_stale },
		{ "violations_dev_write_dirty", &now.dev_write_dirty },
		{ "violations_dev_read_dirty", &now.dev_read_dirty },
	};
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		ret = gemsync_emulation_read(dev->attributes, attributes[i].name,
					     attributes[i].value);
		if (ret)
			return ret == -ENOENT ? -EOPNOTSUPP : ret;
	}
	*counters = now;
	return 0;
}

/* ---- Recorded violations ---- */

#define DEBUGFS		"/sys/kernel/debug"

static FILE *open_record(struct gemsync_device *dev, int *error)
{
	char path[64];
	struct stat st;
	FILE *file;

	if (fstat(dev->fd, &st)) {
		*error = -errno;
		return NULL;
	}
	snprintf(path, sizeof(path), DEBUGFS "/dri/%u/ncmem_violations", minor(st.st_rdev));
	file = fopen(path, "re");
	if (!file)
		*error = errno == EPERM ? -EACCES : errno == ENOENT ? -EOPNOTSUPP : -errno;
	return file;
}

static int find_kind(const char *name, enum gemsync_violation_kind *kind)
{
	int i;

	for (i = 0; i < GS_VIOLATION_KINDS; i++) {
		if (strcmp(name, gs_violation_name(i)))
			continue;
		*kind = (enum gemsync_violation_kind)i;
		return 0;
	}
	return -EIO;
}

static void copy_field(char *to, size_t size, const char *from, size_t len)
{
	if (len == 1 && *from == '-')
		len = 0;
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Bytes of "program:pid" in front of a blank; the program's name may have blanks itself. */
static size_t owner_length(const char *text)
{
	const char *colon, *end;

	for (colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
		end = colon + 1 + strspn(colon + 1, "0123456789");
		if (end > colon + 1 && (*end == ' ' || !*end))
			return end - text;
	}
	return strcspn(text, " ");
}

/* "serial time_ns kind offset size owner label", the label up to the end of the line. */
static int parse_line(char *line, uint64_t *serial, struct gemsync_violation *violation)
{
	unsigned long long number, offset, size;
	const char *owner, *label;
	char kind[32];
	int length = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%llu %*u %31s %llu %llu %n", &number, kind, &offset, &size,
		   &length) != 4 || !length)
		return -EIO;
	if (find_kind(kind, &violation->kind))
		return -EIO;
	owner = line + length;
	label = owner + owner_length(owner);
	violation->offset = offset;
	violation->size = size;
	copy_field(violation->owner, sizeof(violation->owner), owner, label - owner);
	label += *label == ' ';
	copy_field(violation->label, sizeof(violation->label), label, strlen(label));
	*serial = number;
	return 0;
}

/* Lines are in the order of their serials. */
static int next_violation(struct gemsync_device *dev, uint64_t *serial,
			  struct gemsync_violation *violation)
{
	struct gemsync_violation found = { 0 };
	uint64_t number = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int ret;

	file = open_record(dev, &ret);
	if (!file)
		return ret;
	ret = -ENOENT;
	while (getline(&line, &size, file) > 0) {
		if (line[0] == '#')
			continue;
		ret = parse_line(line, &number, &found);
		if (ret || number > *serial)
			break;
		ret = -ENOENT;
	}
	free(line);
	fclose(file);
	if (ret)
		return ret;
	*serial = number;
	*violation = found;
	return 0;
}

const struct emulation_ops gemsync_kernel_emulation_ops = {
	.counters = read_counters,
	.violations = read_violations,
	.next_violation = next_violation,
};
