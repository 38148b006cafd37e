// SPDX-License-Identifier: MIT
/* In the process of one case: its device, its expectations, its end. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"
#include "configuration.h"
#include "exporter.h"
#include "first.h"
#include "needs.h"
#include "result.h"

/* One case a process: expectations find their result here. */
static struct conform_result *current;

/* ---- Ends ---- */

__attribute__((noreturn))
static void end(enum conform_verdict verdict)
{
	current->verdict = verdict;
	exit(EXIT_SUCCESS);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(current->reason, sizeof(current->reason), format, args);
	va_end(args);
	end(CONFORM_FAIL);
}

void skip(const char *reason, const char *remedy)
{
	snprintf(current->reason, sizeof(current->reason), "%s", reason);
	snprintf(current->remedy, sizeof(current->remedy), "%s", remedy);
	end(CONFORM_SKIP);
}

/* ---- Expectations ---- */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The same check once more, as in a loop: its entry. */
static struct conform_check *find_check(const char *what, const char *file, uint32_t line)
{
	struct conform_check *check;

	for (check = current->checks; check < current->checks + current->kept; check++)
		if (check->ok && check->line == line && !strcmp(check->file, file) &&
		    !strncmp(check->what, what, sizeof(check->what) - 1))
			return check;
	return NULL;
}

static void record(const char *what, const char *expected, const char *seen, bool ok,
		   const char *path, int line)
{
	const char *file = file_name(path);
	struct conform_check *check = ok ? find_check(what, file, line) : NULL;

	current->check_count++;
	if (check) {
		check->times++;
		return;
	}
	/* The last place is for the one that fails. */
	if (ok && current->kept >= CONFORM_CHECKS - 1)
		return;
	check = &current->checks[current->kept++];
	snprintf(check->what, sizeof(check->what), "%s", what);
	snprintf(check->expected, sizeof(check->expected), "%s", expected);
	snprintf(check->seen, sizeof(check->seen), "%s", seen);
	snprintf(check->file, sizeof(check->file), "%s", file);
	check->line = line;
	check->times = 1;
	check->ok = ok;
	if (!ok)
		fail("%s:%d: %s: expected %s, seen %s", file, line, what, expected, seen);
}

/* Errors by their name, small numbers decimal, patterns hexadecimal. */
static void format_value(char *text, size_t size, int64_t value)
{
	const char *error = value < 0 && value > -4096 ? strerrorname_np((int)-value) : NULL;

	if (error)
		snprintf(text, size, "-%s", error);
	else if (value >= 0 && value < 1 << 20)
		snprintf(text, size, "%" PRId64, value);
	else
		snprintf(text, size, "%#" PRIx64, (uint64_t)value);
}

/* A word that has a name, by this too: "new (0x7e37e37e)". */
static void format_word(char *text, size_t size, uint32_t word)
{
	const char *name = picture_name(word);
	char value[32];

	format_value(value, sizeof(value), word);
	if (name)
		snprintf(text, size, "%s (%s)", name, value);
	else
		snprintf(text, size, "%s", value);
}

void expect_int(const char *what, int64_t seen, const char *expected_text, int64_t expected,
		const char *file, int line)
{
	char seen_value[32], value[32], text[64];

	format_value(seen_value, sizeof(seen_value), seen);
	format_value(value, sizeof(value), expected);
	/* A literal says it all. */
	if (!strcmp(expected_text, value))
		snprintf(text, sizeof(text), "%s", value);
	else
		snprintf(text, sizeof(text), "%s (%.24s)", value, expected_text);
	record(what, text, seen_value, seen == expected, file, line);
}

void expect_text(const char *what, const char *seen, const char *expected, const char *file,
		 int line)
{
	char seen_text[64], expected_text[64];

	snprintf(seen_text, sizeof(seen_text), "\"%.60s\"", seen);
	snprintf(expected_text, sizeof(expected_text), "\"%.60s\"", expected);
	record(what, expected_text, seen_text, !strcmp(seen, expected), file, line);
}

void expect_true(const char *what, bool holds, const char *file, int line)
{
	record(what, "true", holds ? "true" : "false", holds, file, line);
}

void expect_lines(struct cf *cf, const struct gemsync_counters *before, uint64_t cleaned,
		  uint64_t dropped, const char *file, int line)
{
	struct gemsync_counters now = lines_now(cf);
	uint64_t seen_cleaned = now.lines_cleaned - before->lines_cleaned;
	uint64_t seen_dropped = now.lines_dropped - before->lines_dropped;
	char expected[64], seen[64];

	snprintf(expected, sizeof(expected), "%" PRIu64 " / %" PRIu64, cleaned, dropped);
	snprintf(seen, sizeof(seen), "%" PRIu64 " / %" PRIu64, seen_cleaned, seen_dropped);
	record("lines written back / dropped", expected, seen,
	       seen_cleaned == cleaned && seen_dropped == dropped, file, line);
}

void expect_word(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value,
		 bool by_gpu, const char *file, int line)
{
	uint32_t word = by_gpu ? gpu_get(cf, buf, offset) : cpu_get(buf, offset);
	char what[64], expected[48], seen[48];

	snprintf(what, sizeof(what), "the %s's word at %#" PRIx64, by_gpu ? "GPU" : "CPU", offset);
	format_word(expected, sizeof(expected), value);
	format_word(seen, sizeof(seen), word);
	if (word != value) {
		snprintf(current->picture.title, sizeof(current->picture.title),
			 "%.50s should be %s", what, expected);
		picture_of_word(cf, buf, offset, value, by_gpu);
	}
	record(what, expected, seen, word == value, file, line);
}

/* ---- The device ---- */

struct gemsync_device *other_file(struct cf *cf)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cf->others); i++) {
		if (cf->others[i])
			continue;
		EXPECT_OK(gemsync_device_open(cf->name, &cf->others[i]));
		return cf->others[i];
	}
	fail("the case opens more files than there is room for");
}

struct buffer *next_buffer(struct cf *cf)
{
	if (cf->buffer_count == CASE_BUFFERS)
		fail("the case makes more buffers than there is room for");
	return &cf->buffers[cf->buffer_count++];
}

struct buffer *new_buffer(struct cf *cf, uint64_t size, uint32_t flags)
{
	struct buffer *buf = next_buffer(cf);
	void *map;

	EXPECT_OK(gemsync_bo_create(cf->dev, size, flags, &buf->bo));
	if (!(flags & GEMSYNC_BO_NO_MMAP)) {
		EXPECT_OK(gemsync_bo_map(buf->bo, &map));
		buf->map = map;
	}
	EXPECT_OK(gpu_bind(cf->gpu, buf->bo, &buf->va));
	return buf;
}

struct gemsync_bo *new_hidden(struct cf *cf, uint64_t size)
{
	const uint32_t flags = GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP;
	struct gemsync_bo *bo;

	if (gemsync_bo_create(cf->dev, size, flags, &bo))
		EXPECT_OK(gemsync_bo_create(cf->dev, size, GEMSYNC_BO_NO_MMAP, &bo));
	return bo;
}

void unbind(struct cf *cf, uint64_t va, uint64_t size)
{
	int ret = gpu_unbind(cf->gpu, va, size);

	if (ret != -EOPNOTSUPP)
		EXPECT_OK(ret);
}

uint32_t cpu_get(const struct buffer *buf, uint64_t offset)
{
	return *(const volatile uint32_t *)(buf->map + offset);
}

void cpu_put(const struct buffer *buf, uint64_t offset, uint32_t value)
{
	note_write(buf, offset, false);
	*(volatile uint32_t *)(buf->map + offset) = value;
}

uint32_t gpu_get(struct cf *cf, const struct buffer *buf, uint64_t offset)
{
	uint32_t value = 0;

	EXPECT_OK(gpu_read32(cf->gpu, buf->va + offset, &value));
	return value;
}

void gpu_put(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value)
{
	note_write(buf, offset, true);
	EXPECT_OK(gpu_write32(cf->gpu, buf->va + offset, value));
}

int flush(struct cf *cf, const struct buffer *buf, uint64_t offset, uint64_t size)
{
	note_sync(buf, offset, size, GEMSYNC_FLUSH);
	return gemsync_bo_flush(buf->bo, offset, size);
}

int invalidate(struct cf *cf, const struct buffer *buf, uint64_t offset, uint64_t size)
{
	note_sync(buf, offset, size, GEMSYNC_INVALIDATE);
	return gemsync_bo_invalidate(buf->bo, offset, size);
}

void put_both(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t value)
{
	cpu_put(buf, offset, value);
	EXPECT_OK(flush(cf, buf, offset, sizeof(value)));
	EXPECT_GPU(cf, buf, offset, value);
}

bool shows_lines(const struct cf *cf)
{
	return cf->info.emulated && !cf->info.coherent && !cf->info.chaos;
}

struct gemsync_counters lines_now(struct cf *cf)
{
	struct gemsync_counters now = { 0 };

	EXPECT_OK(gemsync_device_counters(cf->dev, &now));
	return now;
}

uint64_t lines_of(const struct cf *cf, uint64_t offset, uint64_t size)
{
	uint64_t line = cf->info.line_size;

	return size ? (offset + size - 1) / line - offset / line + 1 : 0;
}

int raw_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

void *new_array(size_t count, size_t size)
{
	void *array = calloc(count, size);

	if (!array)
		fail("out of memory: %zu times %zu bytes", count, size);
	return array;
}

/* ---- Its life ---- */

/* A device that the last case took away, when it was killed, is put back after its end. */
#define BACK_WITHIN_MS	3000

static int first_watched(uint32_t watch, struct gemsync_device **out, struct watched *watched)
{
	int ret = first_device(out);

	return ret ? ret : watch_or_close(out, watch, watched);
}

/* 0 or -errno; *@what says what failed. */
static int open_device(struct cf *cf, uint32_t watch, const char **what)
{
	int ret;

	cf->exporter = exporter_find(cf->name);
	cf->fd = -ENODEV;
	*what = "opening the device";
	if (cf->exporter)
		return exporter_probe(cf->exporter);
	if (cf->name)
		ret = open_watched(cf->name, watch, &cf->dev, &cf->watched);
	else
		ret = first_watched(watch, &cf->dev, &cf->watched);
	if (ret)
		return ret;
	cf->fd = gemsync_device_fd(cf->dev);
	gemsync_device_query(cf->dev, &cf->info);
	*what = "making its GPU work";
	return gpu_open(cf->dev, &cf->gpu);
}

static void close_device(struct cf *cf)
{
	size_t i;

	/* The GPU goes first: a job that the case left running ends with it. */
	gpu_close(cf->gpu);
	for (i = 0; i < cf->buffer_count; i++)
		gemsync_bo_destroy(cf->buffers[i].bo);
	for (i = 0; i < ARRAY_SIZE(cf->others); i++)
		gemsync_device_close(cf->others[i]);
	gemsync_device_close(cf->dev);
}

void case_process(const struct conform_case *c, const char *device, uint32_t watch,
		  struct conform_result *result)
{
	static struct cf cf;
	int64_t deadline = now_ms() + BACK_WITHIN_MS;
	const char *what;
	int ret;

	current = result;
	cf.name = device;
	cf.result = result;
	ret = open_device(&cf, watch, &what);
	while (ret == -ENODEV && !cf.dev && (c->needs & NEED_VM) == NEED_VM &&
	       now_ms() < deadline) {
		usleep(10000);
		ret = open_device(&cf, watch, &what);
	}
	if (ret)
		fail("%s: %s", what, strerror(-ret));
	check_needs(&cf, c);
	c->run(&cf);
	close_device(&cf);
	end(CONFORM_PASS);
}

void case_end_watch(const char *device, const struct watched *watched)
{
	struct gemsync_device *dev;

	if (gemsync_device_open(device, &dev))
		return;
	watch_again(dev, watched);
	gemsync_device_close(dev);
}

int case_probe(const char *device, uint32_t watch, struct conform_facts *facts)
{
	struct cf cf = { .name = device };
	const char *what;
	int ret;

	ret = open_device(&cf, watch, &what);
	if (!ret) {
		facts->exporter = cf.exporter;
		facts->info = cf.info;
		facts->watched = cf.watched;
		if (cf.exporter)
			snprintf(facts->info.driver, sizeof(facts->info.driver), "%s",
				 exporter_name(cf.exporter));
		else
			read_configuration(&cf, facts);
	}
	if (!ret || cf.dev)
		close_device(&cf);
	return ret;
}
