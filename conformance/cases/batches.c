// SPDX-License-Identifier: MIT
/* Many syncs in one call: all of them or none (R7). */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "raw_sync.h"

#define RANGES	256u
#define STRIDE	4096u

/* ---- Through the library ---- */

/* 256 words, one a page; the GPU knows the old ones, the CPU has written new ones. */
static struct buffer *dirty_pages(struct cf *cf, struct gemsync_op *ops)
{
	struct buffer *buf = new_buffer(cf, (uint64_t)RANGES * STRIDE, GEMSYNC_BO_CACHED);
	unsigned int i;

	for (i = 0; i < RANGES; i++) {
		ops[i] = (struct gemsync_op){
			.bo = buf->bo, .offset = (uint64_t)i * STRIDE, .size = 4,
		};
		cpu_put(buf, ops[i].offset, OLD + i);
	}
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, RANGES));
	for (i = 0; i < RANGES; i++)
		cpu_put(buf, ops[i].offset, NEW + i);
	return buf;
}

/* In how many pages the GPU sees @value + page. */
static unsigned int gpu_count(struct cf *cf, const struct buffer *buf, uint32_t value)
{
	uint8_t *data = new_array(RANGES, STRIDE);
	unsigned int i, n = 0;

	EXPECT_OK(gpu_read(cf->gpu, buf->va, data, (uint64_t)RANGES * STRIDE));
	for (i = 0; i < RANGES; i++)
		n += *(uint32_t *)(data + (size_t)i * STRIDE) == value + i;
	free(data);
	return n;
}

CASE(r7_batch_of_256, "R7 R1 R4", NEED_LAZY,
     "a batch does what its ops do, each a line, and nothing else")
{
	struct gemsync_op ops[RANGES];
	struct buffer *buf = dirty_pages(cf, ops);
	struct gemsync_counters before;

	EXPECT_EQ(gpu_count(cf, buf, OLD), RANGES);
	before = lines_now(cf);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, RANGES));
	EXPECT_LINES(cf, &before, RANGES, 0);
	EXPECT_EQ(gpu_count(cf, buf, NEW), RANGES);
}

/* Every thing that can be wrong with op @place. */
static void expect_refused(struct cf *cf, struct gemsync_op *ops, unsigned int place)
{
	struct gemsync_op good = ops[place];

	ops[place].offset = (uint64_t)RANGES * STRIDE;
	EXPECT_EQ_AS("a batch with a range behind the BO",
		     gemsync_device_sync(cf->dev, ops, RANGES), -EINVAL);
	ops[place] = good;
	ops[place].type = (enum gemsync_op_type)2;
	EXPECT_EQ_AS("a batch with an unknown type",
		     gemsync_device_sync(cf->dev, ops, RANGES), -EINVAL);
	ops[place] = good;
	ops[place].bo = NULL;
	EXPECT_EQ_AS("a batch with an op without a BO",
		     gemsync_device_sync(cf->dev, ops, RANGES), -EINVAL);
	ops[place] = good;
}

CASE(r7_one_bad_op, "R7 R8", NEED_LAZY,
     "whatever is wrong with one op of a batch, and wherever it stands, none of them is done")
{
	static const unsigned int places[] = { 0, RANGES / 2, RANGES - 1 };
	struct gemsync_op ops[RANGES];
	struct buffer *buf = dirty_pages(cf, ops);
	struct gemsync_counters before = lines_now(cf);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		expect_refused(cf, ops, places[i]);
	EXPECT_LINES(cf, &before, 0, 0);
	EXPECT_EQ(gpu_count(cf, buf, OLD), RANGES);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, RANGES));
	EXPECT_EQ(gpu_count(cf, buf, NEW), RANGES);
}

CASE(r7_duplicates_and_overlaps, "R7 R4", NEED_LAZY,
     "ops on the same range twice, and one over another, are done one by one")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	uint64_t line = cf->info.line_size;
	const struct gemsync_op ops[] = {
		{ buf->bo, GEMSYNC_FLUSH, 0, line },
		{ buf->bo, GEMSYNC_FLUSH, 0, line },
		{ buf->bo, GEMSYNC_INVALIDATE, line / 2, line },
		{ buf->bo, GEMSYNC_INVALIDATE, 0, 4 * line },
	};
	struct gemsync_counters before;

	put_both(cf, buf, 0, OLD);
	put_both(cf, buf, 2 * line, OLD);
	cpu_put(buf, 0, NEW);
	gpu_put(cf, buf, 2 * line, NEW);
	EXPECT_GPU(cf, buf, 0, OLD);
	EXPECT_CPU(cf, buf, 2 * line, OLD);
	before = lines_now(cf);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, ARRAY_SIZE(ops)));
	EXPECT_LINES(cf, &before, 1 + 1 + 2 + 4, 2 + 4);
	EXPECT_GPU(cf, buf, 0, NEW);
	EXPECT_CPU(cf, buf, 0, NEW);
	EXPECT_CPU(cf, buf, 2 * line, NEW);
}

CASE(r7_idle_ops_in_between, "R7 R9", NEED_LAZY,
     "write-combined BOs and empty ranges in a batch change nothing for the other ops")
{
	struct buffer *a = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct buffer *b = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(cf, 4096, 0);
	const struct gemsync_op ops[] = {
		{ wc->bo, GEMSYNC_FLUSH, 0, 4096 },
		{ a->bo, GEMSYNC_FLUSH, 0, 4 },
		{ a->bo, GEMSYNC_FLUSH, 512, 0 },
		{ wc->bo, GEMSYNC_INVALIDATE, 0, 4096 },
		{ b->bo, GEMSYNC_FLUSH, 0, 4 },
	};
	struct gemsync_counters before;

	put_both(cf, a, 0, OLD);
	put_both(cf, b, 0, OLD);
	cpu_put(a, 0, NEW);
	cpu_put(b, 0, NEW);
	before = lines_now(cf);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, ARRAY_SIZE(ops)));
	EXPECT_LINES(cf, &before, 2, 0);
	EXPECT_GPU(cf, a, 0, NEW);
	EXPECT_GPU(cf, b, 0, NEW);
}

CASE(r7_longest_batch, "R7 R8", NEED_LAZY,
     "1,048,576 ops are done in one call, the first one and the last one too")
{
	struct buffer *buf = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	struct gemsync_op *ops = new_array(MOST_OPS, sizeof(*ops));
	struct gemsync_counters before;
	size_t i;

	for (i = 0; i < MOST_OPS; i++)
		ops[i].bo = buf->bo;
	ops[0].size = 1;
	ops[MOST_OPS - 1].size = 1;
	ops[MOST_OPS - 1].offset = 4095;
	put_both(cf, buf, 4092, OLD);
	cpu_put(buf, 4092, NEW);
	before = lines_now(cf);
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, MOST_OPS));
	free(ops);
	EXPECT_LINES(cf, &before, 2, 0);
	EXPECT_GPU(cf, buf, 4092, NEW);
}

/* ---- The array ---- */

CASE(r7_array_faults, "R7 R8", NEED_SYNC_ABI,
     "an array whose second op lies in a page that is not there is -EFAULT, and nothing is done")
{
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	uint64_t page = cf->info.page_size;
	struct witness witness;
	uint8_t *pages;
	void *op;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pages != MAP_FAILED);
	EXPECT_OK(munmap(pages + page, page));
	new_witness(cf, &witness);
	op = raw_ops(cf, &witness.flush, 1);
	memcpy(pages + page - op_size, op, op_size);
	free(op);
	EXPECT_EQ(raw_call(cf, pages + page - op_size, 2, op_size), -EFAULT);
	expect_nothing_done(cf, &witness);
	EXPECT_OK(raw_call(cf, pages + page - op_size, 1, op_size));
	EXPECT_GPU(cf, witness.buf, 0, NEW);
}

/* The array lies across the pages of a BO, whose lock the fault on its map takes. */
static void sync_from_inside(struct cf *cf, uint32_t flags)
{
	struct buffer *buf = new_buffer(cf, 8192, flags);
	const struct raw_op op = {
		.handle = gemsync_bo_handle(buf->bo), .type = BOTH, .size = 8192,
	};
	const struct raw_op ops[2] = { op, op };
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	void *raw = raw_ops(cf, ops, 2);
	uint8_t *place = buf->map + 4096 - op_size;

	memcpy(place, raw, 2ull * op_size);
	EXPECT_OK(raw_call(cf, place, 2, op_size));
	EXPECT(!memcmp(place, raw, 2ull * op_size));
	free(raw);
}

CASE(r7_array_inside_the_bo, "R7", NEED_SYNC_ABI,
     "the array may lie in a map of the BO that it syncs, touched before or not")
{
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	struct buffer *fresh;

	sync_from_inside(cf, GEMSYNC_BO_CACHED);
	sync_from_inside(cf, 0);
	/* Never touched: the copy itself faults the page in, and finds zeros. */
	fresh = new_buffer(cf, 4096, GEMSYNC_BO_CACHED);
	EXPECT_EQ(raw_call(cf, fresh->map, 1, op_size), -ENOENT);
}

/* ---- Signals ---- */

/* Once a batch that had taken longer than this listened to signals. */
#define LONG_MS		1000

static atomic_uint alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
}

/* SIGALRM every @ms; 0: never again. */
static void set_timer(int64_t ms)
{
	const struct timeval time = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	const struct itimerval value = { .it_value = time, .it_interval = time };

	EXPECT_OK(setitimer(ITIMER_REAL, &value, NULL));
}

/* A batch of ops that are all the same, as long as it has to be. */
struct long_batch {
	struct buffer *buf;
	void *ops;		/* MOST_OPS or fewer: */
	uint32_t most;
	uint32_t count;		/* that take the time wanted */
	uint8_t args[GEMSYNC_SYNC_ARGS];
};

static int64_t time_of(struct cf *cf, const struct long_batch *batch, uint32_t count)
{
	int64_t begin = now_ms();

	EXPECT_OK(raw_call(cf, batch->ops, count, gpu_sync_abi(cf->dev)->op_size));
	return now_ms() - begin;
}

__attribute__((noreturn))
static void skip_too_fast(void)
{
	skip("the longest batch ends before a signal could come", "run on a slower device");
}

/* How many of the ops take @ms, measured on fewer; skips if all of them take less. */
static uint32_t choose_count(struct cf *cf, const struct long_batch *batch, int64_t ms)
{
	uint64_t count = 1;
	int64_t took;

	for (;;) {
		took = time_of(cf, batch, count);
		if (took > 0 && took >= ms / 10)
			break;
		count *= 2;
		if (count > batch->most)
			skip_too_fast();
	}
	count = count * ms / took;
	if (count > batch->most)
		skip_too_fast();
	return count;
}

static void set_count(struct cf *cf, struct long_batch *batch, uint32_t count)
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);

	batch->count = count;
	abi->encode_args(batch->args, batch->ops, count, abi->op_size, 0);
}

/* Up to @most ops that each sync @size bytes of 4 MiB, so many that they take @ms. */
static void new_long_batch(struct cf *cf, struct long_batch *batch, uint32_t most, uint64_t size,
			   int64_t ms)
{
	struct raw_op *ops = new_array(most, sizeof(*ops));
	uint32_t i;

	batch->buf = new_buffer(cf, 4 * MIB, GEMSYNC_BO_CACHED);
	memset(batch->buf->map, 1, 4 * MIB);
	for (i = 0; i < most; i++)
		ops[i] = (struct raw_op){
			.handle = gemsync_bo_handle(batch->buf->bo), .type = BOTH, .size = size,
		};
	batch->most = most;
	batch->ops = raw_ops(cf, ops, most);
	free(ops);
	set_count(cf, batch, choose_count(cf, batch, ms));
}

#define PROFILED_MS	100

/* The batch under a profiler's signals, whose handler does not restart it. */
static int call_profiled(struct cf *cf, struct long_batch *batch)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	int ret;

	EXPECT_OK(sigaction(SIGALRM, &action, NULL));
	alarms = 0;
	set_timer(PROFILED_MS);
	ret = raw_ioctl(cf->fd, gpu_sync_abi(cf->dev)->request, batch->args);
	set_timer(0);
	return ret;
}

/*
 * The machine may be faster than it was when the time was measured: a batch that was not
 * long enough is made longer, twice.
 */
static int call_long_enough(struct cf *cf, struct long_batch *batch)
{
	int doublings, ret;
	int64_t began;

	for (doublings = 0;; doublings++) {
		began = now_ms();
		ret = call_profiled(cf, batch);
		if (ret || now_ms() - began >= LONG_MS + 2 * PROFILED_MS)
			return ret;
		if (doublings == 2 || batch->count > batch->most / 2)
			skip_too_fast();
		set_count(cf, batch, 2 * batch->count);
		cpu_put(batch->buf, 0, NEW);
	}
}

/*
 * A caller does again what a signal ended, from the beginning: with the next signal as near
 * as the last one it would never come to its end.
 */
CASE_WITHIN(r7_signals_of_a_profiler, "R7", NEED_SYNC_ABI | NEED_INCOHERENT, 120,
	    "a batch that is much longer than the time from one signal to the next ends all the same")
{
	struct long_batch batch;

	new_long_batch(cf, &batch, 65536, 4 * MIB, 2 * LONG_MS);
	put_both(cf, batch.buf, 0, OLD);
	cpu_put(batch.buf, 0, NEW);
	EXPECT_EQ_AS("a batch of over a second under a signal every 100 ms",
		     call_long_enough(cf, &batch), 0);
	EXPECT(alarms > 0);
	EXPECT_GPU(cf, batch.buf, 0, NEW);
	free(batch.ops);
}

/* How long a batch takes that is killed, and how much of that it may take to die. */
#define KILLED_MS	3000
#define DIES_MS		1000

/* A process is killed in the middle of the batch; then it is done again. */
static void kill_in_batch(struct cf *cf, uint32_t most, uint64_t size)
{
	struct long_batch batch;
	int64_t killed;
	int status;
	pid_t pid;

	new_long_batch(cf, &batch, most, size, KILLED_MS);
	put_both(cf, batch.buf, 0, OLD);
	cpu_put(batch.buf, 0, NEW);
	pid = fork();
	EXPECT(pid >= 0);
	if (!pid) {
		raw_ioctl(cf->fd, gpu_sync_abi(cf->dev)->request, batch.args);
		_exit(0);
	}
	usleep(KILLED_MS / 10 * 1000);
	killed = now_ms();
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT(waitpid(pid, &status, 0) == pid);
	killed = now_ms() - killed;
	if (WIFEXITED(status))
		skip_too_fast();
	EXPECT(WTERMSIG(status) == SIGKILL);
	EXPECT(killed < DIES_MS);
	EXPECT_OK(raw_ioctl(cf->fd, gpu_sync_abi(cf->dev)->request, batch.args));
	EXPECT_GPU(cf, batch.buf, 0, NEW);
	free(batch.ops);
}

CASE_WITHIN(r7_signal_in_long_ops, "R7", NEED_SYNC_ABI | NEED_INCOHERENT, 120,
	    "a process that is killed during a batch of large ops is gone long before its end; again, it completes")
{
	kill_in_batch(cf, 65536, 4 * MIB);
}

CASE_WITHIN(r7_signal_in_short_ops, "R7", NEED_SYNC_ABI | NEED_INCOHERENT, 120,
	    "a process that is killed during a batch of many small ops is gone as soon; again, it completes")
{
	kill_in_batch(cf, MOST_OPS, 4096);
}

CASES(batches, "Batches",
      &r7_batch_of_256,
      &r7_one_bad_op,
      &r7_duplicates_and_overlaps,
      &r7_idle_ops_in_between,
      &r7_longest_batch,
      &r7_array_faults,
      &r7_array_inside_the_bo,
      &r7_signal_in_long_ops,
      &r7_signal_in_short_ops,
      &r7_signals_of_a_profiler);
