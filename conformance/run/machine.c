// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine.h"

/* The number behind @key, in bytes: files of /proc write "key: number unit". */
static int read_bytes(const char *path, const char *key, uint64_t *bytes)
{
	FILE *file = fopen(path, "re");
	char line[256], unit[8];
	size_t length = strlen(key);
	int ret = -ENOENT, words;

	while (file && ret && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, length) || line[length] != ':')
			continue;
		words = sscanf(line + length + 1, "%" SCNu64 " %7s", bytes, unit);
		if (words < 1)
			break;
		if (words == 2 && (unit[0] == 'k' || unit[0] == 'K'))
			*bytes *= KIB;
		else if (words == 2 && unit[0] == 'M')
			*bytes *= MIB;
		ret = 0;
	}
	if (file)
		fclose(file);
	return ret;
}

uint64_t memory_available(void)
{
	uint64_t bytes = 0;

	EXPECT_OK(read_bytes("/proc/meminfo", "MemAvailable", &bytes));
	return bytes;
}

void need_memory(uint64_t bytes)
{
	uint64_t available = memory_available();
	char reason[128], remedy[128];

	if (available >= bytes)
		return;
	snprintf(reason, sizeof(reason), "it takes %llu MiB of memory, and %llu are available",
		 bytes / MIB, available / MIB);
	snprintf(remedy, sizeof(remedy), "give the machine %llu MiB more (vm/run --memory)",
		 (bytes - available) / MIB + 1);
	skip(reason, remedy);
}

long faults_now(void)
{
	struct rusage usage;

	EXPECT_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

int module_counter(const char *module, const char *name, uint64_t *value)
{
	char path[128];
	FILE *file;
	int ret = -ENOENT;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	file = fopen(path, "re");
	if (!file)
		return -ENOENT;
	if (fscanf(file, "%" SCNu64, value) == 1)
		ret = 0;
	fclose(file);
	return ret;
}

int module_parameters(struct cf *cf, char *path, size_t size)
{
	struct stat st;

	if (fstat(cf->fd, &st))
		return -errno;
	snprintf(path, size, "/sys/dev/char/%u:%u/device/driver/module/parameters",
		 major(st.st_rdev), minor(st.st_rdev));
	return 0;
}

int module_parameter(struct cf *cf, const char *name, char *value, size_t size)
{
	char folder[96], path[192];
	FILE *file;
	int ret = module_parameters(cf, folder, sizeof(folder));

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fgets(value, (int)size, file))
		value[strcspn(value, "\n")] = '\0';
	else
		ret = -EIO;
	fclose(file);
	return ret;
}

/* Bytes of the file's BOs that have pages, as its fdinfo says. */
static int resident_memory(struct cf *cf, uint64_t *bytes)
{
	char path[64];

	if (cf->fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", cf->fd);
	return read_bytes(path, "drm-resident-memory", bytes);
}

struct memory memory_now(struct cf *cf)
{
	struct memory now = { 0 };

	now.has_resident = !resident_memory(cf, &now.resident);
	/* The case's GPU has a BO: where no page is counted the driver's are not. */
	now.has_pages = !module_counter("drm_gem_sync", "pages", &now.pages) && now.pages;
	now.has_shadows = !module_counter("ncmem", "shadows", &now.shadows);
	return now;
}

void need_memory_counters(struct cf *cf)
{
	struct memory now = memory_now(cf);

	if (!now.has_resident && !now.has_pages)
		skip("nothing says how much memory the device's BOs have",
		     "run on a kernel driver with drm-resident-memory or drm_gem_sync (vm/run)");
}

void expect_same_memory(struct cf *cf, const struct memory *before)
{
	struct memory now = memory_now(cf);

	if (before->has_resident)
		EXPECT_EQ(now.resident, before->resident);
	if (before->has_pages)
		EXPECT_EQ(now.pages, before->pages);
	if (before->has_shadows)
		EXPECT_EQ(now.shadows, before->shadows);
}

void expect_more_memory(struct cf *cf, const struct memory *before)
{
	struct memory now = memory_now(cf);

	if (before->has_resident)
		EXPECT(now.resident > before->resident);
	if (before->has_pages)
		EXPECT(now.pages > before->pages);
}

/* The device's file in debugfs that evicts, and counts. */
static int evict_path(struct cf *cf, char *path, size_t size)
{
	struct stat st;

	if (fstat(cf->fd, &st))
		return -errno;
	snprintf(path, size, "/sys/kernel/debug/dri/%u/evict", minor(st.st_rdev));
	return 0;
}

int evicted_pages(struct cf *cf, uint64_t *pages)
{
	char path[64], name[32];
	uint64_t number;
	int ret = evict_path(cf, path, sizeof(path));
	FILE *file;

	if (ret)
		return ret;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	ret = -ENOENT;
	while (ret && fscanf(file, "%31s %" SCNu64, name, &number) == 2) {
		if (strcmp(name, "evicted"))
			continue;
		*pages = number;
		ret = 0;
	}
	fclose(file);
	return ret;
}

int open_evict(struct cf *cf)
{
	char path[64];
	int fd;

	EXPECT_OK(evict_path(cf, path, sizeof(path)));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(fd < 0 ? -errno : 0, 0);
	return fd;
}

uint64_t evict_all(struct cf *cf)
{
	uint64_t before = 0, after = 0;
	int fd = open_evict(cf);

	EXPECT_OK(evicted_pages(cf, &before));
	EXPECT_EQ(write(fd, EVICT_ALL, strlen(EVICT_ALL)), strlen(EVICT_ALL));
	EXPECT_OK(evicted_pages(cf, &after));
	close(fd);
	return after - before;
}

/* The device's file in debugfs that purges: a descriptor or -errno. */
static int open_purge(struct cf *cf)
{
	char path[64];
	struct stat st;
	int fd;

	if (fstat(cf->fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/purge", minor(st.st_rdev));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool can_purge(struct cf *cf)
{
	int fd = open_purge(cf);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void purge_all(struct cf *cf)
{
	int fd = open_purge(cf);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, "all", 3), 3);
	close(fd);
}
