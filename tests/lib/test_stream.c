// SPDX-License-Identifier: MIT
/* Each instruction of the command stream that needs no shader cores, run by the GPU. */
#include <string.h>

#include "fixture.h"

/* Streams leave results through this register pair. */
#define OUT	80

static void run_words(struct fixture *f, const uint64_t *words, size_t count)
{
	assert_ok(gpu_csf_run(f->gpu, words, count));
}

#define WORDS(...)	((const uint64_t[]){ __VA_ARGS__ })
#define run(f, ...)	\
	run_words(f, WORDS(__VA_ARGS__), sizeof(WORDS(__VA_ARGS__)) / sizeof(uint64_t))

static struct buffer *new_out(struct fixture *f)
{
	return new_buffer(f, 4096, 0);
}

static void moves(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	run(f, csf_move32(1, 0xffffffff), csf_move32(3, 0xffffffff),
	    csf_move48(0, 0xcdef89abcdefull), csf_move32(2, 0x12345678),
	    csf_move48(OUT, out->va), csf_store_multiple(0, 0xf, OUT, 0));
	assert_int_equal(cpu_get(out, 0), 0x89abcdef);
	assert_int_equal(cpu_get(out, 4), 0xcdef);
	assert_int_equal(cpu_get(out, 8), 0x12345678);
	assert_int_equal(cpu_get(out, 12), 0xffffffff);
}

/* 32 bits wrap and do not carry; 64 bits carry, the immediate is sign-extended. */
static void adds(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	run(f, csf_move32(0, 5), csf_add_immediate32(0, 0, -7),
	    csf_move32(3, 9), csf_move32(2, 0xffffffff), csf_add_immediate32(2, 2, 2),
	    csf_move48(4, 0xffffffffull), csf_add_immediate64(4, 4, 1),
	    csf_move48(6, 0), csf_add_immediate64(8, 6, -1),
	    csf_move48(OUT, out->va), csf_store_multiple(0, 0x3ff, OUT, 0));
	assert_int_equal(cpu_get(out, 0), 0xfffffffe);
	assert_int_equal(cpu_get(out, 8), 1);
	assert_int_equal(cpu_get(out, 12), 9);
	assert_int_equal(cpu_get(out, 16), 0);
	assert_int_equal(cpu_get(out, 20), 1);
	assert_int_equal(cpu_get(out, 24), 0);
	assert_int_equal(cpu_get(out, 32), 0xffffffff);
	assert_int_equal(cpu_get(out, 36), 0xffffffff);
}

/* Masks with holes, offsets of both signs; what is not in the mask stays. */
static void loads_and_stores(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);
	unsigned int i;

	for (i = 0; i < 16; i++)
		cpu_put(out, 256 + 4 * i, 0x100 + i);
	run(f, csf_move32(21, 0x77), csf_move48(64, out->va + 256),
	    csf_load_multiple(20, 0xfffd, 64, 0), csf_wait(CSF_ALL_SCOREBOARDS),
	    csf_store_multiple(20, 0x8003, 64, -256), csf_store_multiple(20, 0x0001, 64, 1024));
	assert_int_equal(cpu_get(out, 0), 0x100);
	assert_int_equal(cpu_get(out, 4), 0x77);
	assert_int_equal(cpu_get(out, 8), 0);
	assert_int_equal(cpu_get(out, 56), 0);
	assert_int_equal(cpu_get(out, 60), 0x10f);
	assert_int_equal(cpu_get(out, 1280), 0x100);
	assert_int_equal(cpu_get(out, 1284), 0);
}

/* Every condition on every kind of value: a taken branch skips the store. */
static void branches(void **state)
{
	static const struct {
		uint32_t value;
		uint8_t taken;	/* bit of each enum csf_cond */
	} cases[] = {
		{ 0, 1 << CSF_LE | 1 << CSF_EQ | 1 << CSF_GE },
		{ 1, 1 << CSF_GT | 1 << CSF_NE | 1 << CSF_GE },
		{ 0x7fffffff, 1 << CSF_GT | 1 << CSF_NE | 1 << CSF_GE },
		{ 0xffffffff, 1 << CSF_LE | 1 << CSF_NE | 1 << CSF_LT },
		{ 0x80000000, 1 << CSF_LE | 1 << CSF_NE | 1 << CSF_LT },
	};
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);
	unsigned int cond;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (cond = CSF_LE; cond <= CSF_ALWAYS; cond++) {
			cpu_put(out, 0, 0);
			run(f, csf_move32(0, cases[i].value), csf_move48(OUT, out->va),
			    csf_move32(2, 1), csf_branch(1, (enum csf_cond)cond, 0),
			    csf_store_multiple(2, 1, OUT, 0), csf_nop());
			assert_int_equal(!cpu_get(out, 0),
					 cond == CSF_ALWAYS || cases[i].taken >> cond & 1);
		}
	}
}

static void loop(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	run(f, csf_move32(0, 1000), csf_move32(1, 0), csf_add_immediate32(1, 1, 3),
	    csf_add_immediate32(0, 0, -1), csf_branch(-3, CSF_GT, 0),
	    csf_move48(OUT, out->va), csf_store_multiple(0, 3, OUT, 0));
	assert_int_equal(cpu_get(out, 0), 0);
	assert_int_equal(cpu_get(out, 4), 3000);
}

/* What an in-order GPU has done already changes nothing. */
static void no_effect(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	run(f, csf_move48(OUT, out->va), csf_move32(0, 0x42), csf_nop(),
	    csf_wait(CSF_ALL_SCOREBOARDS), csf_move32(2, 0), csf_flush_cache2(2),
	    csf_wait(1), csf_store_multiple(0, 1, OUT, 0));
	assert_int_equal(cpu_get(out, 0), 0x42);
}

static void sync_objects(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	cpu_put(out, 0, 100);
	cpu_put(out, 64, 0xffffffff);
	run(f, csf_move48(OUT, out->va), csf_move48(0, 7), csf_sync_add32(0, OUT),
	    csf_move48(OUT, out->va + 16), csf_sync_set32(0, OUT),
	    csf_move48(OUT, out->va + 32), csf_move48(2, 0x123456789abcull),
	    csf_sync_set64(2, OUT),
	    csf_move48(OUT, out->va + 64), csf_sync_add64(0, OUT));
	assert_int_equal(cpu_get(out, 0), 107);
	assert_int_equal(cpu_get(out, 4), 0);
	assert_int_equal(cpu_get(out, 16), 7);
	assert_int_equal(cpu_get(out, 20), 0);
	assert_int_equal(cpu_get(out, 32), 0x56789abc);
	assert_int_equal(cpu_get(out, 36), 0x1234);
	assert_int_equal(cpu_get(out, 64), 6);
	assert_int_equal(cpu_get(out, 68), 1);
}

static uint64_t seen(struct fixture *f, enum gemsync_violation_kind kind)
{
	uint64_t count;

	assert_ok(gemsync_device_violation_count(f->dev, kind, &count));
	return count;
}

/* What is added to is read and written; what is set is only written. */
static void sync_objects_in_the_cache(void **state)
{
	struct fixture *f = need_lazy(state);
	struct buffer *out = new_buffer(f, 4096, GEMSYNC_BO_CACHED);
	uint64_t read = seen(f, GEMSYNC_DEV_READ_DIRTY);
	uint64_t written = seen(f, GEMSYNC_DEV_WRITE_DIRTY);

	run(f, csf_move48(OUT, out->va), csf_move48(0, 7), csf_sync_add32(0, OUT),
	    csf_sync_set32(0, OUT), csf_sync_add64(0, OUT), csf_sync_set64(0, OUT));
	assert_int_equal(seen(f, GEMSYNC_DEV_READ_DIRTY), read);
	assert_int_equal(seen(f, GEMSYNC_DEV_WRITE_DIRTY), written);
	cpu_put(out, 256, 1);
	run(f, csf_move48(OUT, out->va + 256), csf_move48(0, 7), csf_sync_set32(0, OUT));
	assert_int_equal(seen(f, GEMSYNC_DEV_READ_DIRTY), read);
	assert_int_equal(seen(f, GEMSYNC_DEV_WRITE_DIRTY), written + 1);
	cpu_put(out, 512, 1);
	run(f, csf_move48(OUT, out->va + 512), csf_move48(0, 7), csf_sync_add32(0, OUT));
	assert_int_equal(seen(f, GEMSYNC_DEV_READ_DIRTY), read + 1);
	assert_int_equal(seen(f, GEMSYNC_DEV_WRITE_DIRTY), written + 2);
	cpu_put(out, 772, 1);
	run(f, csf_move48(OUT, out->va + 768), csf_move48(0, 7), csf_sync_add64(0, OUT));
	assert_int_equal(seen(f, GEMSYNC_DEV_READ_DIRTY), read + 2);
	assert_int_equal(seen(f, GEMSYNC_DEV_WRITE_DIRTY), written + 3);
}

static void waits_that_are_met(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	cpu_put(out, 0, 5);
	cpu_put(out, 64, 5);
	cpu_put(out, 68, 1);
	run(f, csf_move48(OUT, out->va), csf_move32(0, 5), csf_sync_wait32(CSF_LE, 0, OUT),
	    csf_move32(0, 4), csf_sync_wait32(CSF_GT, 0, OUT),
	    csf_move48(OUT, out->va + 64), csf_move48(2, 0x100000004ull),
	    csf_sync_wait64(CSF_GT, 2, OUT), csf_move48(2, 0x100000005ull),
	    csf_sync_wait64(CSF_LE, 2, OUT), csf_store_multiple(0, 1, OUT, 64));
	assert_int_equal(cpu_get(out, 128), 4);
}

/* Streams of one queue go on with the registers of the one before. */
static void registers_are_kept(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *out = new_out(f);

	run(f, csf_move32(70, 0xabcd), csf_move48(72, out->va));
	run(f, csf_store_multiple(70, 1, 72, 0));
	assert_int_equal(cpu_get(out, 0), 0xabcd);
}

/* ---- Waiting for another queue or for the CPU ---- */

struct waiter {
	struct gpu_queue *queue;
	struct buffer *object;	/* sync object at 0, the mark that it went on at 64 */
};

static struct waiter start_waiter(struct fixture *f)
{
	struct waiter w = { .object = new_out(f) };
	const uint64_t words[] = {
		csf_move48(OUT, w.object->va), csf_move32(0, 0), csf_sync_wait32(CSF_GT, 0, OUT),
		csf_move32(0, 0x99), csf_store_multiple(0, 1, OUT, 64),
	};
	uint64_t va;

	assert_ok(gpu_csf_queue_create(f->gpu, &w.queue));
	assert_ok(gpu_csf_load(f->gpu, 1, words, ARRAY_SIZE(words), &va));
	assert_ok(gpu_csf_submit(w.queue, va, sizeof(words)));
	return w;
}

static void check_waiter_blocked(struct waiter *w)
{
	assert_int_equal(gpu_csf_wait(w->queue, 200000000), -ETIME);
	assert_int_equal(cpu_get(w->object, 64), 0);
}

static void finish_waiter(struct waiter *w)
{
	assert_ok(gpu_csf_wait(w->queue, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(w->object, 64), 0x99);
	gpu_csf_queue_destroy(w->queue);
}

static void wait_for_another_queue(void **state)
{
	struct fixture *f = need_device(state);
	struct waiter w = start_waiter(f);

	check_waiter_blocked(&w);
	run(f, csf_move48(OUT, w.object->va), csf_move32(0, 1), csf_sync_add32(0, OUT));
	finish_waiter(&w);
}

static void wait_for_the_cpu(void **state)
{
	struct fixture *f = need_device(state);
	struct waiter w = start_waiter(f);

	check_waiter_blocked(&w);
	cpu_put(w.object, 0, 1);
	finish_waiter(&w);
}

/* A stream of size 0 only does its syncs. */
static void empty_stream(void **state)
{
	struct fixture *f = need_device(state);
	struct gpu_queue *queue;

	assert_ok(gpu_csf_queue_create(f->gpu, &queue));
	assert_ok(gpu_csf_submit(queue, 0, 0));
	assert_ok(gpu_csf_wait(queue, GPU_CSF_TIMEOUT_NS));
	gpu_csf_queue_destroy(queue);
}

/*
 * The hardware reads commands as data: user space binds its streams with NOEXEC, as
 * gpu_bind() does, and they run.
 */
static void stream_of_noexec(void **state)
{
	struct fixture *f = need_device(state);
	struct buffer *program = new_out(f), *out = new_out(f);
	const uint64_t words[] = {
		csf_move48(OUT, out->va), csf_move32(0, 0x600d), csf_store_multiple(0, 1, OUT, 0),
	};
	struct gpu_queue *queue;

	memcpy(program->map, words, sizeof(words));
	assert_ok(gpu_csf_queue_create(f->gpu, &queue));
	assert_ok(gpu_csf_submit(queue, program->va, sizeof(words)));
	assert_ok(gpu_csf_wait(queue, GPU_CSF_TIMEOUT_NS));
	assert_int_equal(cpu_get(out, 0), 0x600d);
	gpu_csf_queue_destroy(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(moves),
		device_test(adds),
		device_test(loads_and_stores),
		device_test(branches),
		device_test(loop),
		device_test(no_effect),
		device_test(sync_objects),
		device_test(sync_objects_in_the_cache),
		device_test(waits_that_are_met),
		device_test(registers_are_kept),
		device_test(wait_for_another_queue),
		device_test(wait_for_the_cpu),
		device_test(empty_stream),
		device_test(stream_of_noexec),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
