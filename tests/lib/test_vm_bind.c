// SPDX-License-Identifier: MIT
/*
 * The address space: what the GPU sees after maps, unmaps and all ways in which
 * one map can cut another, and what is refused. Each page of BO a holds 0xa0 +
 * its number, each of BO b 0xb0 + its number.
 */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

#define PAGE	4096ull
#define PAGES	8u
#define BASE	GPU_BIND_AT_START

struct space {
	struct fixture *f;
	struct gemsync_bo *a;
	struct gemsync_bo *b;
};

static struct gemsync_bo *numbered(struct fixture *f, uint32_t number)
{
	struct buffer *buf = new_buffer(f, PAGES * PAGE, 0);
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		cpu_put(buf, i * PAGE, number + i);
	return buf->bo;
}

static struct space new_space(void **state)
{
	struct fixture *f = need_device(state);

	return (struct space){ f, numbered(f, 0xa0), numbered(f, 0xb0) };
}

static void map(struct space *s, struct gemsync_bo *bo, unsigned int bo_page, unsigned int count,
		unsigned int at)
{
	assert_ok(gpu_bind_at(s->f->gpu, bo, bo_page * PAGE, count * PAGE, BASE + at * PAGE));
}

static void unmap(struct space *s, unsigned int at, unsigned int count)
{
	assert_ok(gpu_unbind(s->f->gpu, BASE + at * PAGE, count * PAGE));
}

/* What the GPU reads from page 0 on: two characters a page, "--" if not mapped. */
static void check_pages(struct space *s, const char *expected, const char *file, int line)
{
	char seen[64] = "";
	uint32_t value;
	size_t i;
	int ret;

	for (i = 0; i < strlen(expected) / 2; i++) {
		ret = gpu_read32(s->f->gpu, BASE + i * PAGE, &value);
		if (ret != -EIO)
			_assert_int_equal(ret, 0, file, line);
		snprintf(seen + 2 * i, sizeof(seen) - 2 * i, "%02x", value & 0xff);
		if (ret)
			memset(seen + 2 * i, '-', 2);
	}
	_assert_string_equal(seen, expected, file, line);
}

#define assert_pages(s, expected) check_pages(s, expected, __FILE__, __LINE__)

static void map_and_unmap(void **state)
{
	struct space s = new_space(state);

	assert_pages(&s, "----");
	map(&s, s.a, 0, 8, 0);
	assert_pages(&s, "a0a1a2a3a4a5a6a7--");
	unmap(&s, 0, 8);
	assert_pages(&s, "----");
	/* Nothing there: nothing to do. */
	unmap(&s, 0, 8);
	map(&s, s.a, 3, 2, 1);
	assert_pages(&s, "--a3a4--");
}

static void unmap_a_part(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 8, 0);
	unmap(&s, 0, 1);
	assert_pages(&s, "--a1a2a3a4a5a6a7");
	unmap(&s, 7, 1);
	assert_pages(&s, "--a1a2a3a4a5a6--");
	unmap(&s, 3, 2);
	assert_pages(&s, "--a1a2----a5a6--");
	unmap(&s, 2, 4);
	assert_pages(&s, "--a1--------a6--");
}

static void overwrite_the_middle(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 6, 0);
	map(&s, s.b, 2, 2, 2);
	assert_pages(&s, "a0a1b2b3a4a5--");
}

static void overwrite_the_front(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 6, 1);
	map(&s, s.b, 0, 3, 0);
	assert_pages(&s, "b0b1b2a2a3a4a5--");
}

static void overwrite_the_back(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 4, 0);
	map(&s, s.b, 5, 3, 2);
	assert_pages(&s, "a0a1b5b6b7--");
}

static void overwrite_the_whole(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 4, 1);
	map(&s, s.b, 1, 4, 1);
	assert_pages(&s, "--b1b2b3b4--");
	map(&s, s.a, 0, 6, 0);
	assert_pages(&s, "a0a1a2a3a4a5--");
}

static void overwrite_across_two(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 3, 0);
	map(&s, s.b, 0, 3, 3);
	map(&s, s.a, 4, 4, 1);
	assert_pages(&s, "a0a4a5a6a7b2--");
	unmap(&s, 0, 5);
	assert_pages(&s, "----------b2--");
}

static void one_bo_at_two_places(void **state)
{
	struct space s = new_space(state);

	map(&s, s.a, 0, 4, 0);
	map(&s, s.a, 0, 4, 4);
	assert_pages(&s, "a0a1a2a3a0a1a2a3--");
	assert_ok(gpu_write32(s.f->gpu, BASE + PAGE, 0xee));
	assert_pages(&s, "a0eea2a3a0eea2a3--");
	unmap(&s, 0, 4);
	assert_pages(&s, "--------a0eea2a3--");
}

/* Accesses that lie in two maps see both. */
static void across_an_edge(void **state)
{
	struct space s = new_space(state);
	uint32_t words[2];

	map(&s, s.a, 0, 1, 0);
	map(&s, s.b, 6, 1, 1);
	assert_ok(gpu_read(s.f->gpu, BASE + PAGE - 4, words, sizeof(words)));
	assert_int_equal(words[0], 0);
	assert_int_equal(words[1], 0xb6);
	assert_int_equal(gpu_read(s.f->gpu, BASE + 2 * PAGE - 4, words, sizeof(words)), -EIO);
}

/* Case 56: what the CPU wrote and nobody flushed outlives the GPU's map. */
static void dirty_data_outlives_a_map(void **state)
{
	struct fixture *f = need_incoherent(state);
	struct buffer *buf = new_buffer(f, PAGE, GEMSYNC_BO_CACHED);
	uint32_t value;

	put_both(f, buf, 64, 1);
	cpu_put(buf, 64, 2);
	assert_ok(gpu_unbind(f->gpu, buf->va, PAGE));
	assert_int_equal(cpu_get(buf, 64), 2);
	assert_ok(gpu_bind_at(f->gpu, buf->bo, 0, PAGE, BASE));
	assert_int_equal(cpu_get(buf, 64), 2);
	assert_ok(gemsync_bo_flush(buf->bo, 64, 4));
	assert_ok(gpu_read32(f->gpu, BASE + 64, &value));
	assert_int_equal(value, 2);
}

/* ---- The call itself ---- */

static struct space new_raw_space(void **state)
{
	need_file(state);
	return new_space(state);
}

typedef struct drm_panthor_vm_bind_op op_t;

static int bind_ops(struct fixture *f, const op_t *ops, uint32_t count)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = f->vm,
		.ops = { .stride = sizeof(*ops), .count = count, .array = (uintptr_t)ops },
	};

	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

static op_t good_op(struct space *s)
{
	return (op_t){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
		.bo_handle = gemsync_bo_handle(s->a),
		.va = BASE,
		.size = PAGE,
	};
}

/* Each broken in one thing. */
static void bad_ops(void **state)
{
	static const struct {
		const char *what;
		op_t wrong;	/* what is added to the good op */
	} cases[] = {
		{ "address not aligned", { .va = 64 } },
		{ "size not aligned", { .size = 64 } },
		{ "offset not aligned", { .bo_offset = 64 } },
		{ "size beyond the BO", { .size = PAGES * PAGE } },
		{ "offset beyond the BO", { .bo_offset = PAGES * PAGE } },
		{ "offset and size wrap", { .bo_offset = UINT64_MAX - PAGE + 1 } },
		{ "address beyond the space", { .va = 1ull << 60 } },
		{ "address and size wrap", { .va = 0ull - BASE - PAGE, .size = PAGE } },
		{ "unknown handle", { .bo_handle = 0x10000000 } },
		{ "unknown flag", { .flags = 1u << 20 } },
		{ "unknown type", { .flags = 5u << 28 } },
	};
	struct space s = new_raw_space(state);
	op_t op;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		op = good_op(&s);
		op.flags += cases[i].wrong.flags;
		op.bo_handle += cases[i].wrong.bo_handle;
		op.bo_offset += cases[i].wrong.bo_offset;
		op.va += cases[i].wrong.va;
		op.size += cases[i].wrong.size;
		if (bind_ops(s.f, &op, 1) != -EINVAL)
			fail_msg("%s: not refused", cases[i].what);
	}
	assert_pages(&s, "----");
	op = good_op(&s);
	assert_ok(bind_ops(s.f, &op, 1));
	assert_pages(&s, "a0--");
}

static void bad_unmaps(void **state)
{
	struct space s = new_raw_space(state);
	const op_t good = {
		.flags = (uint32_t)DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP, .va = BASE, .size = PAGE,
	};
	op_t op;

	map(&s, s.a, 0, 2, 0);
	op = good;
	op.va += 64;
	assert_int_equal(bind_ops(s.f, &op, 1), -EINVAL);
	op = good;
	op.size += 64;
	assert_int_equal(bind_ops(s.f, &op, 1), -EINVAL);
	op = good;
	op.flags |= DRM_PANTHOR_VM_BIND_OP_MAP_READONLY;
	assert_int_equal(bind_ops(s.f, &op, 1), -EINVAL);
	op = good;
	op.bo_handle = gemsync_bo_handle(s.a);
	assert_int_equal(bind_ops(s.f, &op, 1), -EINVAL);
	assert_pages(&s, "a0a1");
	assert_ok(bind_ops(s.f, &good, 1));
	assert_pages(&s, "--a1");
}

static void bad_calls(void **state)
{
	struct space s = new_raw_space(state);
	op_t op = good_op(&s);
	const struct drm_panthor_vm_bind good = {
		.vm_id = s.f->vm,
		.ops = { .stride = sizeof(op), .count = 1, .array = (uintptr_t)&op },
	};
	struct drm_panthor_vm_bind args;

	args = good;
	args.vm_id = NO_HANDLE;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	args = good;
	args.flags = 1u << 20;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	args = good;
	args.ops.stride = sizeof(op) - 8;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	args = good;
	args.ops.array = 8;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EFAULT);
	assert_pages(&s, "--");
	args = good;
	assert_ok(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));
	assert_pages(&s, "a0");
}

/* Another file's address space is no more known here than its BOs (R20). */
static void vm_of_another_file(void **state)
{
	struct space s = new_raw_space(state);
	struct drm_panthor_vm_create create = { 0 };
	struct drm_panthor_vm_get_state query = { 0 };
	struct gemsync_device *other = fixture_other(s.f);
	uint32_t vm = gemsync_device_vm(other);

	/* Make one whose id this file does not have. */
	if (vm <= s.f->vm) {
		assert_ok(raw_ioctl(gemsync_device_fd(other), DRM_IOCTL_PANTHOR_VM_CREATE,
				    &create));
		vm = create.id;
	}
	query.vm_id = vm;
	assert_ok(raw_ioctl(gemsync_device_fd(other), DRM_IOCTL_PANTHOR_VM_GET_STATE, &query));
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &query), -EINVAL);
}

/* R13: a private BO is bound in its own address space only, a shareable one in any. */
static void exclusive_bo_of_another_vm(void **state)
{
	struct space s = new_raw_space(state);
	struct drm_panthor_vm_create create = { 0 };
	struct drm_panthor_vm_destroy destroy = { 0 };
	op_t op = good_op(&s);
	struct drm_panthor_vm_bind args = {
		.ops = { .stride = sizeof(op), .count = 1, .array = (uintptr_t)&op },
	};

	assert_ok(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	args.vm_id = create.id;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	args.ops.count = 1;
	op.bo_handle = gemsync_bo_handle(new_buffer(s.f, PAGE, GEMSYNC_BO_SHAREABLE)->bo);
	assert_ok(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));
	destroy.id = create.id;
	assert_ok(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy));
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy), -EINVAL);
}

/* Several ops in one call run in their order. */
static void ops_in_order(void **state)
{
	struct space s = new_raw_space(state);
	op_t ops[3] = { good_op(&s), good_op(&s), good_op(&s) };

	ops[0].size = 4 * PAGE;
	ops[1].flags = (uint32_t)DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP;
	ops[1].bo_handle = 0;
	ops[1].va = BASE + PAGE;
	ops[2].bo_handle = gemsync_bo_handle(s.b);
	ops[2].bo_offset = 7 * PAGE;
	ops[2].va = BASE + 2 * PAGE;
	assert_ok(bind_ops(s.f, ops, 3));
	assert_pages(&s, "a0--b7a3--");
}

/* ---- Sparse maps, of panthor's call alone ---- */

static int bind_sparse(struct fixture *f, struct drm_panthor_vm_bind_op op)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = f->vm, .ops = DRM_PANTHOR_OBJ_ARRAY(1, &op),
	};

	op.flags |= DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE;
	return raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

static struct drm_panthor_vm_bind_op sparse_op(unsigned int at, unsigned int count)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
		.va = BASE + at * PAGE,
		.size = count * PAGE,
	};
}

/* Nothing is there, and no access faults: what is read is 0 here, stores have no effect. */
static void sparse(void **state)
{
	struct space s = new_space(state);
	struct fixture *f = need_file(state);

	assert_ok(bind_sparse(f, sparse_op(0, 4)));
	assert_pages(&s, "00000000--");
	assert_ok(gpu_write32(f->gpu, BASE + PAGE, 0x55));
	assert_pages(&s, "00000000--");
	/* It is replaced, cut and taken away as others are, and takes their place. */
	map(&s, s.a, 1, 2, 1);
	assert_pages(&s, "00a1a200--");
	assert_ok(bind_sparse(f, sparse_op(2, 3)));
	assert_pages(&s, "00a1000000--");
	unmap(&s, 3, 1);
	assert_pages(&s, "00a100--00--");
	unmap(&s, 0, 5);
	assert_pages(&s, "------------");
}

/* An access may begin in a BO and end in nothing. */
static void sparse_behind_a_bo(void **state)
{
	struct space s = new_space(state);
	struct fixture *f = need_file(state);
	struct buffer *out = new_buffer(f, PAGE, 0);
	const uint64_t words[] = {
		csf_move48(80, BASE + PAGE - 4), csf_move32(0, 1), csf_move32(1, 1),
		csf_load_multiple(0, 3, 80, 0), csf_wait(CSF_ALL_SCOREBOARDS),
		csf_move48(82, out->va), csf_store_multiple(0, 3, 82, 0),
	};

	map(&s, s.a, 0, 1, 0);
	assert_ok(bind_sparse(f, sparse_op(1, 1)));
	assert_ok(gpu_write32(f->gpu, BASE + PAGE - 4, 0x1234));
	assert_ok(gpu_csf_run(f->gpu, words, ARRAY_SIZE(words)));
	assert_int_equal(cpu_get(out, 0), 0x1234);
	assert_int_equal(cpu_get(out, 4), 0);
}

static void bad_sparse_maps(void **state)
{
	struct space s = new_raw_space(state);
	struct drm_panthor_vm_bind_op op;

	op = sparse_op(0, 1);
	op.bo_handle = gemsync_bo_handle(s.a);
	assert_int_equal(bind_sparse(s.f, op), -EINVAL);
	op = sparse_op(0, 1);
	op.bo_offset = PAGE;
	assert_int_equal(bind_sparse(s.f, op), -EINVAL);
	op = sparse_op(0, 1);
	op.flags = 0;
	assert_int_equal(bind_sparse(s.f, op), -EINVAL);
	op = sparse_op(0, 1);
	op.flags |= DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP;
	assert_int_equal(bind_sparse(s.f, op), -EINVAL);
	op = sparse_op(0, 1);
	op.size = PAGE / 2;
	assert_int_equal(bind_sparse(s.f, op), -EINVAL);
	assert_pages(&s, "--");
}

/* Without ASYNC the ops before the first that fails are done, and their number is told. */
static void count_of_a_failure(void **state)
{
	struct space s = new_raw_space(state);
	op_t ops[4] = { good_op(&s), good_op(&s), good_op(&s), good_op(&s) };
	struct drm_panthor_vm_bind args = {
		.vm_id = s.f->vm,
		.ops = { .stride = sizeof(ops[0]), .count = 4, .array = (uintptr_t)ops },
	};

	ops[1].va += PAGE;
	ops[2].va += 2 * PAGE;
	ops[2].bo_handle = NO_HANDLE;
	ops[3].va += 3 * PAGE;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	assert_int_equal(args.ops.count, 2);
	assert_pages(&s, "a0a0----");
	/* With it all of them are looked at first, and the call is as it was. */
	ops[1].va += 4 * PAGE;
	args.ops.count = 4;
	args.flags = DRM_PANTHOR_VM_BIND_ASYNC;
	assert_int_equal(raw_ioctl(s.f->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args), -EINVAL);
	assert_int_equal(args.ops.count, 4);
	assert_pages(&s, "a0a0--------");
}

/* What is left of a read-only mapping is read-only, in front of a hole and behind it. */
static void read_only_pieces(void **state)
{
	struct fixture *f = need_device(state);
	struct gemsync_bo *bo;
	uint32_t value;
	uint64_t va;
	int ret;

	assert_ok(gemsync_bo_create(f->dev, 3 * PAGE, 0, &bo));
	ret = gpu_bind_readonly(f->gpu, bo, &va);
	if (ret == -EOPNOTSUPP)
		skip_because("the driver has no read-only mappings: run on panthor or sim");
	assert_ok(ret);
	assert_ok(gpu_unbind(f->gpu, va + PAGE, PAGE));
	assert_int_equal(gpu_write32(f->gpu, va, 1), -EIO);
	assert_int_equal(gpu_write32(f->gpu, va + 2 * PAGE, 1), -EIO);
	assert_ok(gpu_read32(f->gpu, va, &value));
	assert_ok(gpu_read32(f->gpu, va + 2 * PAGE, &value));
	gemsync_bo_destroy(bo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(map_and_unmap),
		device_test(unmap_a_part),
		device_test(overwrite_the_middle),
		device_test(overwrite_the_front),
		device_test(overwrite_the_back),
		device_test(overwrite_the_whole),
		device_test(overwrite_across_two),
		device_test(one_bo_at_two_places),
		device_test(across_an_edge),
		device_test(dirty_data_outlives_a_map),
		device_test(bad_ops),
		device_test(bad_unmaps),
		device_test(bad_calls),
		device_test(vm_of_another_file),
		device_test(exclusive_bo_of_another_vm),
		device_test(ops_in_order),
		device_test(sparse),
		device_test(sparse_behind_a_bo),
		device_test(bad_sparse_maps),
		device_test(count_of_a_failure),
		device_test(read_only_pieces),
	};

	return cmocka_run_group_tests_name("vm_bind", tests, NULL, NULL);
}
