// SPDX-License-Identifier: MIT
/* Names of buffer objects, and where they and their memory show: debugfs and fdinfo. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "panthor_calls.h"

#define LIMIT	4096	/* bytes of a label with its terminating 0 */

static int set_label(struct fixture *f, uint32_t handle, const char *label)
{
	struct drm_panthor_bo_set_label args = { .handle = handle, .label = (uintptr_t)label };

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args);
}

static FILE *open_gems(struct fixture *f)
{
	char path[64];
	struct stat st;
	FILE *file;

	assert_ok(fstat(f->fd, &st));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/gems", minor(st.st_rdev));
	file = fopen(path, "re");
	if (!file)
		skip_because("cannot read %s: run as root on an emulated device", path);
	return file;
}

/* How many lines of debugfs end with @end. */
static unsigned int gems_with(struct fixture *f, const char *end)
{
	FILE *file = open_gems(f);
	unsigned int count = 0;
	char line[512];

	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) >= strlen(end))
			count += !strcmp(line + strlen(line) - strlen(end), end);
	}
	fclose(file);
	return count;
}

static void set_and_removed(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t bo = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo);

	assert_int_equal(gems_with(f, " one-label"), 0);
	assert_ok(set_label(f, bo, "one-label"));
	assert_int_equal(gems_with(f, " one-label"), 1);
	assert_ok(set_label(f, bo, "other"));
	assert_int_equal(gems_with(f, " one-label"), 0);
	assert_int_equal(gems_with(f, " other"), 1);
	assert_ok(set_label(f, bo, NULL));
	assert_int_equal(gems_with(f, " other"), 0);
}

/* It is cut off where it is shown, not refused. */
static void long_label(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t bo = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo);
	char *label = malloc(LIMIT + 1);
	char shown[66] = " ";

	assert_non_null(label);
	memset(label, 'x', LIMIT + 1);
	memset(shown + 1, 'x', 63);
	label[LIMIT] = '\0';
	assert_int_equal(set_label(f, bo, label), -E2BIG);
	label[LIMIT - 1] = '\0';
	assert_ok(set_label(f, bo, label));
	assert_int_equal(gems_with(f, shown), 1);
	free(label);
}

static void bad_labels(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t bo = gemsync_bo_handle(new_buffer(f, PAGE, 0)->bo);
	struct drm_panthor_bo_set_label args = {
		.handle = bo, .label = (uintptr_t)"label", .pad = 1,
	};
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	assert_true(page != MAP_FAILED);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args), -EINVAL);
	assert_int_equal(set_label(f, NO_HANDLE, "label"), -ENOENT);
	assert_int_equal(set_label(f, NO_HANDLE, NULL), -ENOENT);
	assert_int_equal(set_label(f, bo, (const char *)8), -EFAULT);
	/* A string that runs into what is not mapped. */
	assert_ok(munmap(page + PAGE, PAGE));
	memset(page, 'x', PAGE);
	assert_int_equal(set_label(f, bo, page + 8), -EFAULT);
	page[PAGE - 1] = '\0';
	assert_ok(set_label(f, bo, page + 8));
	assert_ok(munmap(page, PAGE));
}

/* Memory counts when it is there, and shared memory apart. */
static void memory_in_fdinfo(void **state)
{
	struct fixture *f = need_file(state);
	int64_t total, resident, shared;
	struct gemsync_bo *bo;
	char driver[64] = "";
	void *map;
	int fd;

	fdinfo(f, "drm-driver", driver, sizeof(driver));
	assert_string_equal(driver, "panthor\n");
	assert_true(fdinfo(f, "drm-client-id", NULL, 0) > 0);
	total = fdinfo_memory(f, "drm-total-memory");
	resident = fdinfo_memory(f, "drm-resident-memory");
	shared = fdinfo_memory(f, "drm-shared-memory");
	assert_int_equal(fdinfo_memory(f, "drm-purgeable-memory"), 0);
	assert_ok(gemsync_bo_create(f->dev, MIB, GEMSYNC_BO_SHAREABLE, &bo));
	assert_int_equal(fdinfo_memory(f, "drm-total-memory"), total + (int64_t)MIB);
	assert_int_equal(fdinfo_memory(f, "drm-resident-memory"), resident);
	assert_ok(gemsync_bo_map(bo, &map));
	assert_int_equal(fdinfo_memory(f, "drm-resident-memory"), resident + (int64_t)MIB);
	assert_int_equal(fdinfo_memory(f, "drm-shared-memory"), shared);
	assert_ok(gemsync_bo_export(bo, &fd));
	assert_int_equal(fdinfo_memory(f, "drm-shared-memory"), shared + (int64_t)MIB);
	close(fd);
	gemsync_bo_destroy(bo);
	assert_int_equal(fdinfo_memory(f, "drm-total-memory"), total);
}

/* Work makes engine time and cycles, of the file alone that did it; the clock never changes. */
static void engine_in_fdinfo(void **state)
{
	struct fixture *f = need_file(state);
	const int64_t max = fdinfo(f, "drm-maxfreq-panthor", NULL, 0);
	struct fixture other = { .fd = gemsync_device_fd(fixture_other(f)) };
	const uint64_t loop[] = {
		csf_move32(0, 3000), csf_add_immediate32(0, 0, -1), csf_branch(-2, CSF_GT, 0),
	};
	int64_t time, cycles;
	char unit[64] = "";

	assert_true(max > 0);
	assert_int_equal(fdinfo(f, "drm-curfreq-panthor", unit, sizeof(unit)), max);
	assert_non_null(strstr(unit, " Hz\n"));
	time = fdinfo(f, "drm-engine-panthor", unit, sizeof(unit));
	assert_non_null(strstr(unit, " ns\n"));
	cycles = fdinfo(f, "drm-cycles-panthor", NULL, 0);
	assert_true(time >= 0 && cycles >= 0);
	assert_ok(gpu_csf_run(f->gpu, loop, ARRAY_SIZE(loop)));
	assert_true(fdinfo(f, "drm-engine-panthor", NULL, 0) > time);
	assert_true(fdinfo(f, "drm-cycles-panthor", NULL, 0) > cycles);
	assert_int_equal(fdinfo(&other, "drm-engine-panthor", NULL, 0), 0);
	assert_int_equal(fdinfo(&other, "drm-cycles-panthor", NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(set_and_removed),
		device_test(long_label),
		device_test(bad_labels),
		device_test(memory_in_fdinfo),
		device_test(engine_in_fdinfo),
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
