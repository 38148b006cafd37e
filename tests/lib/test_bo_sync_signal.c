// SPDX-License-Identifier: MIT
/* Signals during a long BO_SYNC (R7, case 18). */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "fixture.h"

#define OLD	0x01d01d01u
#define NEW	0x7e37e37eu
#define BOTH	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE

typedef struct drm_panthor_bo_sync_op op_t;

static struct fixture *need_raw(void **state)
{
	need_file(state);
	return need_incoherent(state);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A call that has taken less is not interrupted: a profiler's signals let it end. */
#define PATIENCE_MS	1000

/* SIGALRM after @ms, and then every @interval_ms if that is not 0. */
static void set_timer(int64_t ms, int64_t interval_ms)
{
	const struct itimerval value = {
		.it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
		.it_interval = { .tv_usec = interval_ms * 1000 },
	};

	assert_ok(setitimer(ITIMER_REAL, &value, NULL));
}

/* @max ops that each sync @size bytes. */
static op_t *many_ops(const struct buffer *buf, uint32_t max, uint64_t size)
{
	op_t *ops = malloc(max * sizeof(*ops));
	uint32_t i;

	assert_non_null(ops);
	for (i = 0; i < max; i++)
		ops[i] = (op_t){
			.handle = gemsync_bo_handle(buf->bo),
			.type = BOTH,
			.size = size,
		};
	return ops;
}

/* How many of them take @ms at least, and how long; 0 if all of them take less. */
static int64_t measure_batch(struct fixture *f, const op_t *ops, uint32_t max, int64_t ms,
			     uint32_t *count)
{
	int64_t start, took;

	for (*count = 1; *count <= max; *count *= 2) {
		start = now_ms();
		assert_ok(raw_sync(f->fd, ops, *count, sizeof(*ops)));
		took = now_ms() - start;
		if (took >= ms)
			return took;
	}
	return 0;
}

/* Signals come while the call runs, to a handler that does not restart it. */
static int sync_interrupted(struct fixture *f, struct drm_panthor_bo_sync *args, int64_t ms,
			    int64_t interval_ms)
{
	struct sigaction old, action = { .sa_handler = on_alarm };
	int ret;

	assert_ok(sigaction(SIGALRM, &action, &old));
	set_timer(ms, interval_ms);
	ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SYNC, args);
	set_timer(0, 0);
	assert_ok(sigaction(SIGALRM, &old, NULL));
	return ret;
}

/* The arguments are untouched, and doing it again is right. */
static void interrupt_batch(struct fixture *f, uint32_t max, uint64_t size)
{
	struct buffer *buf = new_buffer(f, 4 * MIB, GEMSYNC_BO_CACHED);
	struct drm_panthor_bo_sync args, before;
	op_t *ops = many_ops(buf, max, size), *expected = many_ops(buf, max, size);
	uint32_t count, value;
	int64_t took;
	int ret = 0;

	memset(buf->map, 1, 4 * MIB);
	took = measure_batch(f, ops, max, 3 * PATIENCE_MS, &count);
	if (!took)
		skip_because("the longest batch ends within %d ms: nothing can be interrupted",
			     3 * PATIENCE_MS);
	args.ops.stride = sizeof(*ops);
	args.ops.count = count;
	args.ops.array = (uintptr_t)ops;
	before = args;
	put_both(f, buf, 0, OLD);
	/* On a busy machine the batch may end before the signal comes: try earlier. */
	for (value = NEW; took > 1 && !ret; value++) {
		cpu_put(buf, 0, value);
		took /= 2;
		ret = sync_interrupted(f, &args, took, 0);
	}
	assert_int_equal(ret, -EINTR);
	assert_memory_equal(&args, &before, sizeof(args));
	assert_memory_equal(ops, expected, max * sizeof(*ops));
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SYNC, &args));
	assert_int_equal(gpu_get(f, buf, 0), value - 1);
	free(expected);
	free(ops);
}

/* Ops that take long, */
static void signal_in_a_batch_of_long_ops(void **state)
{
	interrupt_batch(need_raw(state), 65536, 4 * MIB);
}

/* and many that do not. */
static void signal_in_a_batch_of_short_ops(void **state)
{
	interrupt_batch(need_raw(state), 1048576, 4096);
}

/* Signals in short intervals do not keep a batch from its end. */
static void signals_of_a_profiler(void **state)
{
	struct fixture *f = need_raw(state);
	struct buffer *buf = new_buffer(f, 4 * MIB, GEMSYNC_BO_CACHED);
	op_t *ops = many_ops(buf, 65536, 4 * MIB);
	struct drm_panthor_bo_sync args = {
		.ops = { .stride = sizeof(*ops), .array = (uintptr_t)ops },
	};
	uint32_t count;

	memset(buf->map, 1, 4 * MIB);
	if (!measure_batch(f, ops, 65536, PATIENCE_MS / 20, &count))
		skip_because("no batch takes %d ms: no signal comes in time", PATIENCE_MS / 20);
	args.ops.count = count;
	assert_ok(sync_interrupted(f, &args, 5, 5));
	free(ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(signal_in_a_batch_of_long_ops),
		device_test(signal_in_a_batch_of_short_ops),
		device_test(signals_of_a_profiler),
	};

	return cmocka_run_group_tests_name("bo_sync_signal", tests, NULL, NULL);
}
