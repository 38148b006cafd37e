// SPDX-License-Identifier: MIT
/* A signal during a long BO_SYNC (R7, case 18). */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "fixture.h"

#define OLD	0x01d01d01u
#define NEW	0x7e37e37eu
#define BOTH	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE

typedef struct drm_panthor_bo_sync_op op_t;

static void on_alarm(int signal)
{
	(void)signal;
}

static void set_timer(int64_t ms)
{
	const struct itimerval value = {
		.it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
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

/* How many of them take long enough to be interrupted, and how long; 0 if too short. */
static int64_t measure_batch(struct fixture *f, const op_t *ops, uint32_t max, uint32_t *count)
{
	int64_t start, took;

	for (*count = 64; *count <= max; *count *= 2) {
		start = now_ms();
		assert_ok(raw_sync(f->fd, ops, *count, sizeof(*ops)));
		took = now_ms() - start;
		if (took >= 100)
			return took;
	}
	return 0;
}

/* The call is interrupted after @ms, by a handler that does not restart it. */
static int sync_interrupted(struct fixture *f, struct drm_panthor_bo_sync *args, int64_t ms)
{
	struct sigaction old, action = { .sa_handler = on_alarm };
	int ret;

	assert_ok(sigaction(SIGALRM, &action, &old));
	set_timer(ms);
	ret = raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_SYNC, args);
	set_timer(0);
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
	took = measure_batch(f, ops, max, &count);
	if (!took)
		skip_because("the longest batch ends within 100 ms: nothing can be interrupted");
	args.ops.stride = sizeof(*ops);
	args.ops.count = count;
	args.ops.array = (uintptr_t)ops;
	before = args;
	put_both(f, buf, 0, OLD);
	/* On a busy machine the batch may end before the signal comes: try earlier. */
	for (value = NEW; took > 1 && !ret; value++) {
		cpu_put(buf, 0, value);
		took /= 2;
		ret = sync_interrupted(f, &args, took);
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
	interrupt_batch(need_incoherent(state), 65536, 4 * MIB);
}

/* and many that do not. */
static void signal_in_a_batch_of_short_ops(void **state)
{
	interrupt_batch(need_incoherent(state), 1048576, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(signal_in_a_batch_of_long_ops),
		device_test(signal_in_a_batch_of_short_ops),
	};

	return cmocka_run_group_tests_name("bo_sync_signal", tests, NULL, NULL);
}
