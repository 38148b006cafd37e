// SPDX-License-Identifier: MIT
/* Tiler heaps: where they are, what is in them, and what is refused. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "panthor_calls.h"

typedef struct drm_panthor_tiler_heap_create heap_t;

static heap_t good_heap(struct fixture *f)
{
	return (heap_t){
		.vm_id = f->vm,
		.initial_chunk_count = 5,
		.chunk_size = 2 * MIB,
		.max_chunks = 64,
		.target_in_flight = 65535,
	};
}

static int create(struct fixture *f, heap_t *heap)
{
	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, heap);
}

static int destroy(struct fixture *f, uint32_t handle)
{
	struct drm_panthor_tiler_heap_destroy args = { .handle = handle };

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args);
}

static uint64_t user_range(struct fixture *f)
{
	struct drm_panthor_vm_create args = { 0 };

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &args));
	assert_ok(destroy_vm(f, args.id));
	return args.user_va_range;
}

/* The chunks are a list: each begins with address and size of the next one. */
static void chunks(void **state)
{
	struct fixture *f = need_file(state);
	uint64_t first_kernel = user_range(f), va, next;
	heap_t heap = good_heap(f);
	uint8_t context[64];
	uint32_t count = 0;
	size_t i;

	assert_ok(create(f, &heap));
	for (va = heap.first_heap_chunk_gpu_va; va; va = next & ~0xfffull) {
		assert_true(va >= first_kernel);
		assert_ok(gpu_read(f->gpu, va, &next, sizeof(next)));
		if (next)
			assert_int_equal(next & 0xfff, heap.chunk_size / PAGE);
		assert_ok(gpu_write32(f->gpu, va + heap.chunk_size - 4, 1));
		count++;
	}
	assert_int_equal(count, heap.initial_chunk_count);
	assert_true(heap.tiler_heap_ctx_gpu_va >= first_kernel);
	assert_ok(gpu_read(f->gpu, heap.tiler_heap_ctx_gpu_va, context, sizeof(context)));
	for (i = 0; i < sizeof(context); i++)
		assert_int_equal(context[i], 0);
	assert_ok(destroy(f, heap.handle));
}

/* What is destroyed is not mapped, and what is left still is. */
static void destroyed(void **state)
{
	struct fixture *f = need_file(state);
	heap_t a = good_heap(f), b = good_heap(f);
	uint32_t value;

	assert_ok(create(f, &a));
	assert_ok(create(f, &b));
	assert_int_not_equal(a.handle, b.handle);
	assert_int_not_equal(a.tiler_heap_ctx_gpu_va, b.tiler_heap_ctx_gpu_va);
	assert_ok(destroy(f, a.handle));
	assert_int_equal(destroy(f, a.handle), -EINVAL);
	assert_int_equal(gpu_read32(f->gpu, a.first_heap_chunk_gpu_va, &value), -EIO);
	assert_int_equal(gpu_read32(f->gpu, a.tiler_heap_ctx_gpu_va, &value), -EIO);
	assert_ok(gpu_read32(f->gpu, b.first_heap_chunk_gpu_va, &value));
	assert_ok(destroy(f, b.handle));
}

/* A heap goes with its VM, and one of another file or VM is not reached. */
static void of_a_vm(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_tiler_heap_destroy args;
	heap_t heap = good_heap(f);

	heap.vm_id = new_vm(f);
	assert_ok(create(f, &heap));
	args = (struct drm_panthor_tiler_heap_destroy){ .handle = heap.handle };
	assert_int_equal(raw_ioctl(gemsync_device_fd(fixture_other(f)),
				   DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args), -EINVAL);
	assert_ok(destroy_vm(f, heap.vm_id));
	assert_int_equal(destroy(f, heap.handle), -EINVAL);
	assert_int_equal(create(f, &heap), -EINVAL);
	/* The same id again has no heaps. */
	assert_int_equal(new_vm(f), heap.vm_id);
	assert_int_equal(destroy(f, heap.handle), -ENOENT);
	assert_ok(destroy_vm(f, heap.vm_id));
}

static void many(void **state)
{
	struct fixture *f = need_file(state);
	heap_t heap, heaps[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heaps); i++) {
		heaps[i] = good_heap(f);
		heaps[i].initial_chunk_count = 1;
		heaps[i].chunk_size = 128 * KIB;
		assert_ok(create(f, &heaps[i]));
	}
	heap = good_heap(f);
	assert_int_equal(create(f, &heap), -EBUSY);
	assert_ok(destroy(f, heaps[77].handle));
	assert_ok(create(f, &heap));
	assert_int_equal(heap.handle, heaps[77].handle);
}

/* The user binds nothing where the kernel's objects are. */
static void out_of_reach(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_bind_op op;
	heap_t heap = good_heap(f);

	assert_ok(create(f, &heap));
	op = unmap_op(heap.first_heap_chunk_gpu_va, PAGE, NULL, 0);
	assert_int_equal(bind_sync(f, f->vm, &op, 1), -EINVAL);
	op = map_op(new_buffer(f, PAGE, 0)->bo, heap.first_heap_chunk_gpu_va, PAGE, NULL, 0);
	assert_int_equal(bind_sync(f, f->vm, &op, 1), -EINVAL);
	op.va = user_range(f) - PAGE;
	assert_ok(bind_sync(f, f->vm, &op, 1));
	op.va += PAGE;
	assert_int_equal(bind_sync(f, f->vm, &op, 1), -EINVAL);
	assert_ok(destroy(f, heap.handle));
}

/* Each broken in one thing. */
static void bad_heaps(void **state)
{
	static const struct {
		const char *what;
		heap_t wrong;	/* what is added to the good one */
	} cases[] = {
		{ "unknown VM", { .vm_id = NO_HANDLE } },
		{ "no chunk", { .initial_chunk_count = 0u - 5 } },
		{ "more chunks than allowed", { .initial_chunk_count = 60 } },
		{ "chunk size not whole pages", { .chunk_size = 64 } },
		{ "small chunks", { .chunk_size = 0u - (2048 - 124) * 1024 } },
		{ "large chunks", { .chunk_size = (6 << 20) + 4096 } },
	};
	struct fixture *f = need_file(state);
	struct drm_panthor_tiler_heap_destroy args = { .pad = 1 };
	heap_t heap;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		heap = good_heap(f);
		heap.vm_id += cases[i].wrong.vm_id;
		heap.initial_chunk_count += cases[i].wrong.initial_chunk_count;
		heap.chunk_size += cases[i].wrong.chunk_size;
		if (create(f, &heap) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
	}
	heap = good_heap(f);
	assert_ok(create(f, &heap));
	args.handle = heap.handle;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args), -EINVAL);
	assert_int_equal(destroy(f, heap.handle + 1), -EINVAL);
	assert_int_equal(destroy(f, NO_HANDLE), -EINVAL);
	assert_ok(destroy(f, heap.handle));
}

/* A VM has a pool of heaps from the first call that makes one; without it there is no entry. */
static void destroyed_in_a_vm_without_heaps(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t vm = new_vm(f);
	heap_t heap = good_heap(f);

	assert_int_equal(destroy(f, vm << 16), -ENOENT);
	heap.vm_id = vm;
	assert_ok(create(f, &heap));
	assert_ok(destroy(f, heap.handle));
	assert_int_equal(destroy(f, heap.handle), -EINVAL);
	assert_ok(destroy_vm(f, vm));
	assert_int_equal(destroy(f, vm << 16), -EINVAL);
	/* The id's next VM begins anew. */
	assert_int_equal(new_vm(f), vm);
	assert_int_equal(destroy(f, vm << 16), -ENOENT);
}

/* 128 KiB and 8 MiB are the limits, and are allowed; so is a heap that cannot grow. */
static void limits(void **state)
{
	struct fixture *f = need_file(state);
	heap_t heap = good_heap(f);

	heap.chunk_size = 128 * KIB;
	heap.max_chunks = 5;
	assert_ok(create(f, &heap));
	assert_ok(destroy(f, heap.handle));
	heap.chunk_size = 8 * MIB;
	assert_ok(create(f, &heap));
	assert_ok(destroy(f, heap.handle));
}

/* ---- Destroyed by who guesses the handle, and by its VM, at once ---- */

#define ROUNDS		200
#define HIT_IN_MS	60000

struct guesser {
	struct fixture *f;
	uint32_t handle;
	atomic_bool stop;
	atomic_int wrong;	/* an errno that no VM without the heap has */
	atomic_ulong hits;
};

static void *guess(void *arg)
{
	struct guesser *guesser = arg;

	while (!atomic_load(&guesser->stop)) {
		int ret = destroy(guesser->f, guesser->handle);

		if (!ret)
			guesser->hits++;
		else if (ret != -EINVAL && ret != -ENOENT)
			atomic_store(&guesser->wrong, ret);
	}
	return NULL;
}

static void destroyed_by_two(void **state)
{
	struct fixture *f = need_file(state);
	static struct guesser guesser;
	heap_t heap = good_heap(f);
	int64_t end = now_ms() + HIT_IN_MS;
	uint32_t vm, round;

	guesser = (struct guesser){ .f = f };
	/* Handles are given out from the lowest: the next ones are these. */
	vm = heap.vm_id = new_vm(f);
	assert_ok(create(f, &heap));
	guesser.handle = heap.handle;
	assert_ok(destroy_vm(f, vm));
	start_worker(f, guess, &guesser, &guesser.stop);
	/* Where the other thread gets no time between the calls, it takes more of them. */
	for (round = 0; round < ROUNDS || (!guesser.hits && now_ms() < end); round++) {
		heap = good_heap(f);
		heap.chunk_size = 128 * KIB;
		heap.vm_id = new_vm(f);
		assert_int_equal(heap.vm_id, vm);
		assert_ok(create(f, &heap));
		assert_ok(destroy_vm(f, vm));
	}
	stop_worker(f);
	assert_int_equal(atomic_load(&guesser.wrong), 0);
	assert_true(guesser.hits > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(chunks),
		device_test(destroyed),
		device_test(of_a_vm),
		device_test(many),
		device_test(out_of_reach),
		device_test(bad_heaps),
		device_test(destroyed_in_a_vm_without_heaps),
		device_test(limits),
		device_test(destroyed_by_two),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
