// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "fixture.h"

static int open_fixture(struct fixture *f, const char *name)
{
	int ret;

	ret = gemsync_device_open(name, &f->dev);
	if (ret)
		return ret;
	ret = gemsync_device_query(f->dev, &f->info);
	if (ret)
		goto err_close;
	f->fd = gemsync_device_fd(f->dev);
	f->vm = gemsync_device_vm(f->dev);
	ret = gpu_open(f->dev, &f->gpu);
	if (ret)
		goto err_close;
	return 0;
err_close:
	gemsync_device_close(f->dev);
	return ret;
}

int fixture_setup(void **state)
{
	const char *name = getenv("GEMSYNC_TEST_DEVICE");
	struct fixture *f;
	int ret;

	*state = NULL;
	if (!name || !*name)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	ret = open_fixture(f, name);
	if (ret) {
		print_error("cannot open %s: %s\n", name, strerror(-ret));
		free(f);
		return -1;
	}
	*state = f;
	return 0;
}

void start_worker(struct fixture *f, void *(*work)(void *arg), void *arg, atomic_bool *stop)
{
	atomic_store(stop, false);
	assert_ok(pthread_create(&f->worker, NULL, work, arg));
	f->stop = stop;
}

void stop_worker(struct fixture *f)
{
	if (!f->stop)
		return;
	atomic_store(f->stop, true);
	pthread_join(f->worker, NULL);
	f->stop = NULL;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	size_t i;

	if (!f)
		return 0;
	stop_worker(f);
	/* The GPU goes first: a job that a failed test left running ends with it. */
	gpu_close(f->gpu);
	for (i = 0; i < f->buffer_count; i++)
		gemsync_bo_destroy(f->buffers[i].bo);
	gemsync_device_close(f->other);
	gemsync_device_close(f->dev);
	free(f);
	return 0;
}

void skip_because(const char *format, ...)
{
	char reason[256];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	print_message("# SKIP %s\n", reason);
	skip();
	abort();	/* skip() does not return */
}

struct fixture *need_device(void **state)
{
	if (!*state)
		skip_because("GEMSYNC_TEST_DEVICE is not set: name a device node or driver");
	return *state;
}

struct fixture *need_incoherent(void **state)
{
	struct fixture *f = need_device(state);

	if (f->info.coherent)
		skip_because("the device is coherent: run on one that is not");
	return f;
}

struct fixture *need_lazy(void **state)
{
	struct fixture *f = need_incoherent(state);

	if (!f->info.emulated)
		skip_because("the device counts no lines: run on an emulated one");
	if (f->info.chaos)
		skip_because("the emulated cache's mode is chaos: run it in mode lazy");
	return f;
}

struct fixture *need_file(void **state)
{
	struct fixture *f = need_device(state);

	if (f->fd < 0)
		skip_because("the device has no file for ioctls: run on one of a kernel driver");
	return f;
}

struct gemsync_device *fixture_other(struct fixture *f)
{
	if (!f->other)
		assert_ok(gemsync_device_open(getenv("GEMSYNC_TEST_DEVICE"), &f->other));
	return f->other;
}

struct buffer *new_buffer(struct fixture *f, uint64_t size, uint32_t flags)
{
	struct buffer *buf = &f->buffers[f->buffer_count];
	void *map;

	assert_true(f->buffer_count < ARRAY_SIZE(f->buffers));
	assert_ok(gemsync_bo_create(f->dev, size, flags, &buf->bo));
	f->buffer_count++;
	if (!(flags & GEMSYNC_BO_NO_MMAP)) {
		assert_ok(gemsync_bo_map(buf->bo, &map));
		buf->map = map;
	}
	assert_ok(gpu_bind(f->gpu, buf->bo, &buf->va));
	return buf;
}

uint32_t cpu_get(const struct buffer *buf, uint64_t offset)
{
	return *(const volatile uint32_t *)(buf->map + offset);
}

void cpu_put(struct buffer *buf, uint64_t offset, uint32_t value)
{
	*(volatile uint32_t *)(buf->map + offset) = value;
}

uint32_t gpu_get(struct fixture *f, const struct buffer *buf, uint64_t offset)
{
	uint32_t value;

	assert_ok(gpu_read32(f->gpu, buf->va + offset, &value));
	return value;
}

void gpu_put(struct fixture *f, const struct buffer *buf, uint64_t offset, uint32_t value)
{
	assert_ok(gpu_write32(f->gpu, buf->va + offset, value));
}

void put_both(struct fixture *f, struct buffer *buf, uint64_t offset, uint32_t value)
{
	cpu_put(buf, offset, value);
	assert_ok(gemsync_bo_flush(buf->bo, offset, sizeof(value)));
	assert_int_equal(gpu_get(f, buf, offset), value);
}

struct gemsync_counters lines_now(struct fixture *f)
{
	struct gemsync_counters now;

	assert_ok(gemsync_device_counters(f->dev, &now));
	return now;
}

void check_lines(struct fixture *f, const struct gemsync_counters *before, uint64_t cleaned,
		 uint64_t dropped, const char *file, int line)
{
	struct gemsync_counters now = lines_now(f);

	_assert_int_equal(now.lines_cleaned - before->lines_cleaned, cleaned, file, line);
	_assert_int_equal(now.lines_dropped - before->lines_dropped, dropped, file, line);
}

uint64_t lines_of(const struct fixture *f, uint64_t offset, uint64_t size)
{
	uint64_t line = f->info.line_size;

	return size ? (offset + size - 1) / line - offset / line + 1 : 0;
}

int raw_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int raw_sync(int fd, const void *ops, uint32_t count, uint32_t stride)
{
	struct drm_panthor_bo_sync args = {
		.ops = { .stride = stride, .count = count, .array = (uintptr_t)ops },
	};

	return raw_ioctl(fd, DRM_IOCTL_PANTHOR_BO_SYNC, &args);
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

int64_t fdinfo(struct fixture *f, const char *key, char *text, size_t size)
{
	char path[64], line[256], *rest;
	int64_t value = -1, scale = 1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) || line[strlen(key)] != ':')
			continue;
		value = strtoll(line + strlen(key) + 1, &rest, 10);
		if (!strncmp(rest, " KiB", 4))
			scale = 1024;
		if (!strncmp(rest, " MiB", 4))
			scale = 1024 * 1024;
		if (text)
			snprintf(text, size, "%s", line + strlen(key) + 2);
	}
	fclose(file);
	return value * scale;
}

int64_t fdinfo_memory(struct fixture *f, const char *key)
{
	int64_t bytes = fdinfo(f, key, NULL, 0);

	return bytes < 0 ? 0 : bytes;
}
