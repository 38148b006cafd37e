// SPDX-License-Identifier: MIT
/* How a virtual device of the kernel shows its emulated cache: sysfs and debugfs. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"
#include "record.h"

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

int gemsync_emulation_read_user_ops(int dir, bool *work)
{
	uint64_t value = 0;
	int ret;

	/* Older modules do not have it. */
	ret = gemsync_emulation_read(dir, "user_ops", &value);
	*work = !ret && value;
	return ret == -ENOENT ? 0 : ret;
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

static int read_costs(struct gemsync_device *dev, struct gemsync_costs *costs)
{
	const struct {
		const char *name;
		uint64_t *value;
	} attributes[] = {
		{ "lines_cleaned", &costs->lines_cleaned },
		{ "lines_cleaned_dirty", &costs->lines_dirty },
		{ "lines_dropped", &costs->lines_dropped },
		{ "lines_dropped_stale", &costs->lines_stale },
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(attributes) && !ret; i++)
		ret = gemsync_emulation_read(dev->attributes, attributes[i].name,
					     attributes[i].value);
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

static int read_violation_count(struct gemsync_device *dev, enum gemsync_violation_kind kind,
				uint64_t *count)
{
	char name[64];
	size_t i;
	int ret;

	snprintf(name, sizeof(name), "violations_%s", gemsync_violation_name(kind));
	for (i = 0; name[i]; i++)
		if (name[i] == '-')
			name[i] = '_';
	ret = gemsync_emulation_read(dev->attributes, name, count);
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

/* ---- What is looked for ---- */

static int set_watch(struct gemsync_device *dev, uint32_t watch, uint32_t *before)
{
	const char *word = gemsync_watch_name(watch);
	char text[32];
	int fd, ret;

	ret = read_text(dev->attributes, "watch", text, sizeof(text));
	if (ret)
		return ret == -ENOENT ? -EOPNOTSUPP : ret;
	for (*before = GEMSYNC_WATCH_LOADS | GEMSYNC_WATCH_STORES; *before; (*before)--)
		if (!strcmp(text, gemsync_watch_name(*before)))
			break;
	if (!strcmp(text, word))
		return 0;
	fd = openat(dev->attributes, "watch", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, word, strlen(word)) < 0)
		ret = -errno;
	close(fd);
	return ret;
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

/* The number of a name among @count ones. */
static int find_name(const char *text, const char *(*name)(int number), int count, int *number)
{
	int i;

	for (i = 0; i < count; i++) {
		if (strcmp(text, name(i)))
			continue;
		*number = i;
		return 0;
	}
	return -EIO;
}

static const char *kind_name(int kind)
{
	return gs_violation_name((enum gs_violation_kind)kind);
}

static const char *cause_name(int cause)
{
	return gs_cause_name((enum gs_cause)cause);
}

static const char *last_name(int last)
{
	static const char *const names[] = {
		[GEMSYNC_LAST_NONE] = "never",
		[GEMSYNC_LAST_FLUSH] = "flush",
		[GEMSYNC_LAST_INVALIDATE] = "invalidate",
		[GEMSYNC_LAST_FORGOTTEN] = "forgotten",
	};

	return names[last];
}

#define LASTS	(GEMSYNC_LAST_FORGOTTEN + 1)

static void copy_field(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The members that are numbers, by their names in the file. */
static const struct field {
	const char *name;
	size_t offset;
	size_t size;
} fields[] = {
#define FIELD(name_, member_) \
	{ name_, offsetof(struct found_violation, member_), \
	  sizeof(((struct found_violation *)NULL)->member_) }
	FIELD("serial", serial),
	FIELD("time_ns", violation.time_ns),
	FIELD("offset", violation.offset),
	FIELD("size", violation.size),
	FIELD("rows", violation.rows),
	FIELD("stride", violation.stride),
	FIELD("sync_offset", violation.sync_offset),
	FIELD("sync_size", violation.sync_size),
	FIELD("again", violation.again),
	FIELD("times", violation.times),
	FIELD("bo", violation.bo),
	FIELD("bo_size", violation.bo_size),
	FIELD("handle", violation.bo_handle),
	FIELD("job", violation.job),
	FIELD("submission", violation.submission),
	FIELD("address", violation.job_address),
	FIELD("group", violation.group),
	FIELD("queue", violation.queue),
	FIELD("pid", violation.pid),
	FIELD("last_offset", violation.last_offset),
	FIELD("last_size", violation.last_size),
	FIELD("last_time_ns", violation.last_time_ns),
	FIELD("last_job", violation.last_job),
	FIELD("last_pid", violation.last_pid),
	FIELD("cpu_address", violation.cpu_address),
	FIELD("pc", violation.pc),
#undef FIELD
};

static int set_number(struct found_violation *found, const struct field *field, const char *text)
{
	char *to = (char *)found + field->offset;
	unsigned long long number;
	uint32_t half;
	uint64_t word;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		return -EIO;
	word = number;
	half = (uint32_t)number;
	if (field->size == sizeof(half))
		memcpy(to, &half, sizeof(half));
	else
		memcpy(to, &word, sizeof(word));
	return 0;
}

static int set_field(struct found_violation *found, const char *name, const char *value)
{
	struct gemsync_violation *violation = &found->violation;
	int number, ret;
	size_t i;

	if (!strcmp(name, "kind")) {
		ret = find_name(value, kind_name, GS_VIOLATION_KINDS, &number);
		violation->kind = ret ? 0 : (enum gemsync_violation_kind)number;
		return ret;
	}
	if (!strcmp(name, "cause")) {
		ret = find_name(value, cause_name, GS_CAUSES, &number);
		violation->cause = ret ? 0 : (enum gemsync_violation_cause)number;
		return ret;
	}
	if (!strcmp(name, "last")) {
		ret = find_name(value, last_name, LASTS, &number);
		violation->last_sync = ret ? 0 : (enum gemsync_last_sync)number;
		return ret;
	}
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(name, fields[i].name))
			return set_number(found, &fields[i], value);
	return 0;	/* of a newer module */
}

/* "program:pid label=..." up to the end of the line; the names may have blanks. */
static int parse_names(const char *owner, struct gemsync_violation *violation)
{
	const char *label = strstr(owner, " label="), *next, *colon;
	size_t length;

	/* The last one that a number stands in front of: labels can look like anything. */
	for (colon = NULL; label; label = next) {
		length = label - owner;
		while (length && owner[length - 1] >= '0' && owner[length - 1] <= '9')
			length--;
		if (length && owner[length - 1] == ':' && owner + length < label) {
			colon = owner + length - 1;
			break;
		}
		next = strstr(label + 1, " label=");
	}
	if (!colon)
		return -EIO;
	violation->bo_pid = (int32_t)strtol(colon + 1, NULL, 10);
	if (colon > owner)
		copy_field(violation->owner, sizeof(violation->owner), owner, label - owner);
	label += strlen(" label=");
	copy_field(violation->label, sizeof(violation->label), label, strlen(label));
	return 0;
}

/* "name=value name=value ... owner=PROGRAM:PID label=LABEL" */
static int parse_line(char *line, struct found_violation *found)
{
	char *value, *next;
	int ret = 0;

	*found = (struct found_violation){ 0 };
	line[strcspn(line, "\n")] = '\0';
	for (; !ret; line = next) {
		value = strchr(line, '=');
		if (!value)
			return -EIO;
		*value++ = '\0';
		if (!strcmp(line, "owner"))
			return parse_names(value, &found->violation);
		next = strchr(value, ' ');
		if (!next)
			return -EIO;
		*next++ = '\0';
		ret = set_field(found, line, value);
	}
	return ret;
}

static int append(struct gemsync_device *dev, size_t *room, const struct found_violation *one)
{
	struct found_violation *larger;

	if (dev->found_count == *room) {
		*room = *room ? 2 * *room : 16;
		larger = realloc(dev->found, *room * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		dev->found = larger;
	}
	dev->found[dev->found_count++] = *one;
	return 0;
}

/* All that is recorded, in the place of what was read before. Under the device's lock. */
static int read_all(struct gemsync_device *dev)
{
	struct found_violation one;
	size_t size = 0, room = 0;
	char *line = NULL;
	FILE *file;
	int ret;

	file = open_record(dev, &ret);
	if (!file)
		return ret;
	free(dev->found);
	dev->found = NULL;
	dev->found_count = 0;
	ret = 0;
	while (!ret && getline(&line, &size, file) > 0) {
		ret = parse_line(line, &one);
		if (!ret)
			ret = append(dev, &room, &one);
	}
	free(line);
	fclose(file);
	return ret;
}

static const struct found_violation *find_read(const struct gemsync_device *dev, uint64_t serial)
{
	size_t i;

	for (i = 0; i < dev->found_count; i++)
		if (dev->found[i].serial > serial)
			return &dev->found[i];
	return NULL;
}

/*
 * Reading the file tells the kernel that all of it was read, and makes room: so what was
 * read is kept, and handed out one by one.
 */
static int next_violation(struct gemsync_device *dev, uint64_t serial,
			  struct found_violation *found)
{
	const struct found_violation *next;
	int ret = 0;

	pthread_mutex_lock(&dev->lock);
	next = find_read(dev, serial);
	if (!next) {
		ret = read_all(dev);
		next = ret ? NULL : find_read(dev, serial);
	}
	if (next)
		*found = *next;
	else if (!ret)
		ret = -ENOENT;
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

static int last_violation(struct gemsync_device *dev, uint64_t *serial)
{
	int ret;

	pthread_mutex_lock(&dev->lock);
	ret = read_all(dev);
	if (!ret)
		*serial = dev->found_count ? dev->found[dev->found_count - 1].serial : 0;
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

const struct emulation_ops gemsync_kernel_emulation_ops = {
	.counters = read_counters,
	.costs = read_costs,
	.violation_count = read_violation_count,
	.next_violation = next_violation,
	.last_violation = last_violation,
	.watch = set_watch,
};
