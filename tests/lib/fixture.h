/* SPDX-License-Identifier: MIT */
/*
 * What the device tests share. They run on the device that the environment
 * variable GEMSYNC_TEST_DEVICE names (as for gemsync_device_open()); without it,
 * and where a device cannot show what a test checks, the test is skipped, after
 * a line "# SKIP reason". Every test has its own DRM file, address space and
 * GPU queue; what a test leaves behind is released after it.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include <gemsync/gemsync.h>

#include "gpu.h"
#include "gpu_panthor.h"
#include "panthor_drm.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define KIB			1024ull
#define MIB			(1024ull * 1024)
#define NO_HANDLE		0xfffffffeu	/* no object has it */
#define NOBODY			65534	/* a user without any rights */

#define assert_ok(call)		assert_int_equal(call, 0)

struct buffer {
	struct gemsync_bo *bo;
	uint8_t *map;	/* NULL if GEMSYNC_BO_NO_MMAP */
	uint64_t va;	/* where the GPU sees it */
};

struct fixture {
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	struct gemsync_gpu *gpu;
	int fd;		/* negative without a kernel driver */
	uint32_t vm;
	struct gemsync_device *other;	/* see fixture_other() */
	struct buffer buffers[32];
	size_t buffer_count;
	pthread_t worker;		/* of start_worker() */
	atomic_bool *stop;		/* NULL if there is none */
};

/*
 * A thread beside the test, which works until *@stop, and is ended by stop_worker(), or by
 * the teardown of a test that failed. So neither @arg nor @stop may lie on the test's stack.
 */
void start_worker(struct fixture *f, void *(*work)(void *arg), void *arg, atomic_bool *stop);
void stop_worker(struct fixture *f);

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define device_test(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* The fixture, or the test is skipped: it needs any device; */
struct fixture *need_device(void **state);
/* a device that does not snoop; */
struct fixture *need_incoherent(void **state);
/* a device with counters, whose lines move by maintenance alone; */
struct fixture *need_lazy(void **state);

/* a device of a kernel driver, for its ioctls. */
struct fixture *need_file(void **state);

/* Print the reason and skip the test. */
__attribute__((format(printf, 1, 2), noreturn))
void skip_because(const char *format, ...);

/* The same device once more: another DRM file. */
struct gemsync_device *fixture_other(struct fixture *f);

/* A BO, mapped and bound; it lives as long as the fixture. */
struct buffer *new_buffer(struct fixture *f, uint64_t size, uint32_t flags);

/* 32-bit words, by CPU map and by GPU. */
uint32_t cpu_get(const struct buffer *buf, uint64_t offset);
void cpu_put(struct buffer *buf, uint64_t offset, uint32_t value);
uint32_t gpu_get(struct fixture *f, const struct buffer *buf, uint64_t offset);
void gpu_put(struct fixture *f, const struct buffer *buf, uint64_t offset, uint32_t value);

/* The CPU writes and flushes the word, and the GPU sees it. */
void put_both(struct fixture *f, struct buffer *buf, uint64_t offset, uint32_t value);

/* Counters of an emulated device. */
struct gemsync_counters lines_now(struct fixture *f);

/* What was maintained since @before is exactly this. */
#define assert_lines(f, before, cleaned, dropped) \
	check_lines(f, before, cleaned, dropped, __FILE__, __LINE__)
void check_lines(struct fixture *f, const struct gemsync_counters *before, uint64_t cleaned,
		 uint64_t dropped, const char *file, int line);

/* Lines that overlap a range (R1). */
uint64_t lines_of(const struct fixture *f, uint64_t offset, uint64_t size);

/* One ioctl() without restart: 0 or -errno. */
int raw_ioctl(int fd, unsigned long request, void *arg);

/* BO_SYNC as it is. */
int raw_sync(int fd, const void *ops, uint32_t count, uint32_t stride);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t now_ms(void);

/*
 * The value of a key of the fixture's file in /proc, in bytes if it has such a unit; -1
 * without it. And its text, if @text is not NULL.
 */
int64_t fdinfo(struct fixture *f, const char *key, char *text, size_t size);

/* Bytes that a key tells: 0 without it, as newer kernels leave out what is 0. */
int64_t fdinfo_memory(struct fixture *f, const char *key);

#endif
