// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pressure.h"

static void debugfs_path(const struct fixture *f, const char *file, char *path, size_t size)
{
	struct stat st;

	assert_ok(fstat(f->fd, &st));
	snprintf(path, size, "/sys/kernel/debug/dri/%u/%s", minor(st.st_rdev), file);
}

struct fixture *need_eviction(void **state)
{
	struct fixture *f = need_file(state);
	char path[96];

	debugfs_path(f, "evict", path, sizeof(path));
	if (access(path, W_OK))
		skip_because("cannot write %s: run as root on an emulated device", path);
	return f;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

int open_debugfs(const struct fixture *f, const char *file)
{
	char path[96];
	int fd;

	debugfs_path(f, file, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int write_debugfs(const struct fixture *f, const char *file, const char *text)
{
	char path[96];

	debugfs_path(f, file, path, sizeof(path));
	return write_file(path, text);
}

/* In a file of lines "name number". */
static uint64_t number_in(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	uint64_t number, found = UINT64_MAX;
	char word[64];

	assert_non_null(file);
	while (fscanf(file, "%63s %" SCNu64, word, &number) == 2) {
		if (!strcmp(word, name))
			found = number;
	}
	fclose(file);
	assert_int_not_equal(found, UINT64_MAX);
	return found;
}

uint64_t debugfs_number(const struct fixture *f, const char *file, const char *name)
{
	char path[96];

	debugfs_path(f, file, path, sizeof(path));
	return number_in(path, name);
}

uint64_t evict_all(const struct fixture *f)
{
	uint64_t before = debugfs_number(f, "evict", "evicted");

	assert_ok(write_debugfs(f, "evict", "all"));
	return debugfs_number(f, "evict", "evicted") - before;
}

uint64_t resident_pages(const struct fixture *f, const char *label)
{
	char path[96], line[512], end[96];
	uint64_t pages = 0, resident;
	unsigned int found = 0;
	FILE *file;

	debugfs_path(f, "gems", path, sizeof(path));
	snprintf(end, sizeof(end), " %s\n", label);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strlen(line) < strlen(end) || strcmp(line + strlen(line) - strlen(end), end))
			continue;
		assert_int_equal(sscanf(line, "%*u %" SCNu64, &resident), 1);
		pages += resident;
		found++;
	}
	fclose(file);
	assert_int_equal(found, 1);
	return pages;
}

void set_label(const struct fixture *f, uint32_t handle, const char *label)
{
	struct drm_panthor_bo_set_label args = { .handle = handle, .label = (uintptr_t)label };

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args));
}

uint64_t swap_total(void)
{
	struct sysinfo info;

	assert_ok(sysinfo(&info));
	return (uint64_t)info.totalswap * info.mem_unit;
}

uint64_t vmstat(const char *name)
{
	return number_in("/proc/vmstat", name);
}

void drop_slab(void)
{
	assert_ok(write_file("/proc/sys/vm/drop_caches", "2"));
}

#define STEP	(4 * MIB)

void swap_out(uint64_t pages)
{
	uint64_t before = vmstat("pswpout"), size = 0, limit;
	struct sysinfo info;
	uint64_t *map;

	assert_ok(sysinfo(&info));
	/* Room for the swapped pages' own swap, and for those who must go on. */
	limit = (info.totalram + info.totalswap / 2) * (uint64_t)info.mem_unit;
	map = mmap(NULL, limit, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	while (vmstat("pswpout") - before < pages && size < limit) {
		uint64_t *end = map + (size + STEP) / 8;

		/* Pages that compress, but are not all the same. */
		for (uint64_t *word = map + size / 8; word < end; word += 64)
			*word = (uintptr_t)word;
		size += STEP;
	}
	munmap(map, limit);
	assert_true(vmstat("pswpout") - before >= pages);
}
