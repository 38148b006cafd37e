// SPDX-License-Identifier: MIT
/*
 * What is written back by ops of one batch, as the DMA API is told of it: by lists, each of
 * which the kernel may end with one barrier. Its trace events show the calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "panthor_calls.h"

#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/gemsync-lists"
#define LIST		16	/* pieces that one call takes */

static const char *const events[] = {
	"dma_sync_sg_for_device", "dma_sync_single_for_device", "dma_sync_single_for_cpu",
};

/* How often each was called. */
struct calls {
	unsigned int lists, singles, drops;
};

static int write_to(const char *file, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), INSTANCE "/%s", file);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	fputs(text, out);
	return fclose(out) ? -errno : 0;
}

static int enable_events(void)
{
	char path[96], filter[48];
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), "events/dma/%s/filter", events[i]);
		snprintf(filter, sizeof(filter), "common_pid == %d", (int)getpid());
		ret = write_to(path, filter);
		if (ret)
			return ret;
		snprintf(path, sizeof(path), "events/dma/%s/enable", events[i]);
		ret = write_to(path, "1");
		if (ret)
			return ret;
	}
	return 0;
}

static void trace_begin(void)
{
	if (access(TRACING "/events/dma", F_OK))
		skip_because("no events of the DMA API in " TRACING ": a kernel from 6.12 on, as root");
	rmdir(INSTANCE);
	assert_ok(mkdir(INSTANCE, 0700));
	assert_ok(enable_events());
}

static struct calls trace_end(void)
{
	FILE *trace = fopen(INSTANCE "/trace", "re");
	struct calls calls = {};
	char line[4096];

	assert_non_null(trace);
	while (fgets(line, sizeof(line), trace)) {
		calls.lists += !!strstr(line, " dma_sync_sg_for_device: ");
		calls.singles += !!strstr(line, " dma_sync_single_for_device: ");
		calls.drops += !!strstr(line, " dma_sync_single_for_cpu: ");
	}
	fclose(trace);
	assert_ok(rmdir(INSTANCE));
	return calls;
}

/* A line in each page of a BO, by as many ops of which @special is another. */
static struct calls sync_lines(struct fixture *f, unsigned int count, int special)
{
	struct buffer *buf = new_buffer(f, count * PAGE, GEMSYNC_BO_CACHED);
	struct drm_panthor_bo_sync_op *ops = calloc(count, sizeof(*ops));
	struct gemsync_counters before;
	struct calls calls;

	assert_non_null(ops);
	for (unsigned int i = 0; i < count; i++) {
		cpu_put(buf, i * PAGE, i + 1);
		ops[i] = (struct drm_panthor_bo_sync_op){
			.handle = gemsync_bo_handle(buf->bo),
			.type = DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH,
			.offset = i * PAGE,
			.size = 4,
		};
	}
	if (special >= 0)
		ops[special].type = DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE;
	before = lines_now(f);
	trace_begin();
	assert_ok(raw_sync(f->fd, ops, count, sizeof(*ops)));
	calls = trace_end();
	assert_lines(f, &before, count, special >= 0);
	free(ops);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(gpu_get(f, buf, i * PAGE), i + 1);
	return calls;
}

static void one_list(void **state)
{
	struct calls calls = sync_lines(need_lazy(state), LIST, -1);

	assert_int_equal(calls.lists, 1);
	assert_int_equal(calls.singles, 0);
	assert_int_equal(calls.drops, 0);
}

static void lists_are_short(void **state)
{
	struct calls calls = sync_lines(need_lazy(state), 3 * LIST + 1, -1);

	assert_int_equal(calls.lists, 3);
	assert_int_equal(calls.singles, 1);
}

/* Ops are done in their order, so a list ends where lines are dropped. */
static void order_is_kept(void **state)
{
	struct calls calls = sync_lines(need_lazy(state), 9, 4);

	assert_int_equal(calls.lists, 2);
	assert_int_equal(calls.singles, 1);
	assert_int_equal(calls.drops, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(one_list),
		device_test(lists_are_short),
		device_test(order_is_kept),
	};

	return cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
