// SPDX-License-Identifier: MIT
/* What a sync refuses, with which error, and in which order (R8, R20). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "raw_sync.h"

/* Page size of the BOs here. */
#define PAGE	4096u

struct range {
	uint64_t offset;
	uint64_t size;
};

/* ---- Ranges ---- */

CASE(r8_range_leaves_the_bo, "R8", 0,
     "a range that leaves its BO is -EINVAL, for cached and write-combined BOs alike")
{
	static const struct range ranges[] = {
		{ 0, 8193 }, { 8192, 1 }, { 8193, 0 }, { 1, 8192 },
		{ 1, UINT64_MAX - 1 }, { 2, UINT64_MAX - 1 }, { 8193, GEMSYNC_WHOLE_SIZE },
		{ UINT64_MAX, 1 }, { UINT64_MAX, UINT64_MAX }, { UINT64_MAX - 1, 4 },
		{ UINT64_MAX, 0 }, { 1ull << 32, 0 }, { 0, 1ull << 32 },
	};
	const struct buffer *bufs[] = {
		new_buffer(cf, 8192, GEMSYNC_BO_CACHED), new_buffer(cf, 8192, 0),
	};
	char what[64];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		snprintf(what, sizeof(what), "sync of %#llx + %#llx",
			 (unsigned long long)ranges[i].offset, (unsigned long long)ranges[i].size);
		for (k = 0; k < ARRAY_SIZE(bufs); k++) {
			EXPECT_EQ_AS(what, flush(cf, bufs[k], ranges[i].offset, ranges[i].size),
				     -EINVAL);
			EXPECT_EQ_AS(what, invalidate(cf, bufs[k], ranges[i].offset,
						      ranges[i].size), -EINVAL);
		}
	}
	for (k = 0; k < ARRAY_SIZE(bufs); k++) {
		EXPECT_OK(flush(cf, bufs[k], 8192, 0));
		EXPECT_OK(flush(cf, bufs[k], 0, 8192));
		EXPECT_OK(flush(cf, bufs[k], 1, GEMSYNC_WHOLE_SIZE));
		EXPECT_OK(invalidate(cf, bufs[k], 8192, GEMSYNC_WHOLE_SIZE));
		EXPECT_OK(invalidate(cf, bufs[k], 8191, 1));
	}
}

/* ---- One thing wrong with one op ---- */

struct wrong {
	const char *what;
	int error;
	struct raw_op added;	/* to an op that is right: offset 0, size 4 */
	bool wide;		/* only where offsets have 64 bits */
};

static void add_wrong(struct raw_op *op, const struct wrong *wrong)
{
	op->handle += wrong->added.handle;
	op->type += wrong->added.type;
	op->offset += wrong->added.offset;
	op->size += wrong->added.size;
}

/* The op stands first, in between and last, among ops that are right. */
static void expect_refused(struct cf *cf, const struct raw_op *right, const struct wrong *wrong)
{
	struct raw_op ops[3];
	char what[112], error[32];
	size_t k;

	if (wrong->wide && !gpu_sync_abi(cf->dev)->wide)
		return;
	snprintf(error, sizeof(error), "-%s", strerrorname_np(-wrong->error));
	for (k = 0; k < ARRAY_SIZE(ops); k++) {
		ops[0] = ops[1] = ops[2] = *right;
		add_wrong(&ops[k], wrong);
		snprintf(what, sizeof(what), "op %zu of 3 has %s", k + 1, wrong->what);
		expect_int(what, raw_sync(cf, ops, 3), error, wrong->error, __FILE__, __LINE__);
	}
}

static void expect_all_refused(struct cf *cf, const struct wrong *wrongs, size_t count)
{
	struct buffer *wc = new_buffer(cf, WITNESS_SIZE, 0);
	struct witness witness;
	struct raw_op op;
	size_t i;

	new_witness(cf, &witness);
	op = witness.flush;
	for (i = 0; i < count; i++)
		expect_refused(cf, &op, &wrongs[i]);
	op.handle = gemsync_bo_handle(wc->bo);
	for (i = 0; i < count; i++)
		expect_refused(cf, &op, &wrongs[i]);
	expect_nothing_done(cf, &witness);
	expect_flush_works(cf, &witness);
}

CASE(r8_offset_wraps, "R8 R7", NEED_SYNC_ABI,
     "a range whose end wraps into the BO again is -EINVAL, wherever the op stands")
{
	static const struct wrong wrongs[] = {
		{ "offset -4, size 8", -EINVAL, { .offset = -4ull, .size = 4 }, false },
		{ "offset -4096, size 8192", -EINVAL, { .offset = -4096ull, .size = 8188 }, false },
		{ "offset -1, size 1", -EINVAL, { .offset = -1ull, .size = -3ull }, false },
		{ "offset 4, size -4", -EINVAL, { .offset = 4, .size = -8ull }, false },
		{ "offset 4096, size -1", -EINVAL, { .offset = 4096, .size = -5ull }, false },
	};

	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
}

CASE(r8_wraps_32_bits, "R8 R7", NEED_SYNC_ABI,
     "a range whose end wraps into the BO again in 32 bits is -EINVAL")
{
	static const struct wrong wrongs[] = {
		{ "offset 2^32 - 4, size 8", -EINVAL, { .offset = 0xfffffffc, .size = 4 }, false },
		{ "offset 2^32 - 4096, size 8192", -EINVAL,
		  { .offset = 0xfffff000, .size = 8188 }, false },
		{ "offset 8, size 2^32 - 4", -EINVAL, { .offset = 8, .size = 0xfffffff8 }, false },
		{ "offset 2^32", -EINVAL, { .offset = 1ull << 32 }, true },
		{ "size 2^32 + 4", -EINVAL, { .size = 1ull << 32 }, true },
		{ "offset 2^63", -EINVAL, { .offset = 1ull << 63 }, true },
	};

	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
}

CASE(r8_past_the_end, "R8 R7", NEED_SYNC_ABI,
     "a range that ends behind its BO is -EINVAL, by a single byte too")
{
	static const struct wrong wrongs[] = {
		{ "all of the BO and a byte", -EINVAL, { .size = 8193 - 4 }, false },
		{ "its last 3 bytes and a byte", -EINVAL, { .offset = 8189 }, false },
		{ "a byte behind it", -EINVAL, { .offset = 8192, .size = -3ull }, false },
		{ "offset and size of its end", -EINVAL, { .offset = 8192, .size = 8188 }, false },
	};

	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
}

CASE(r8_unknown_type, "R8 R7", NEED_SYNC_ABI,
     "an unknown type is -EINVAL, on write-combined BOs and with size 0 too")
{
	static const struct wrong wrongs[] = {
		{ "type 2", -EINVAL, { .type = 2 }, false },
		{ "type 2^31", -EINVAL, { .type = 1u << 31 }, false },
		{ "type 2, size 0", -EINVAL, { .type = 2, .size = -4ull }, false },
		{ "type 2^32 - 1, size 0", -EINVAL, { .type = UINT32_MAX, .size = -4ull }, false },
	};

	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
}

CASE(r8_unknown_handle, "R8 R7 R20", NEED_SYNC_ABI,
     "a handle that the file does not have is -ENOENT, wherever the op stands")
{
	static const struct wrong wrongs[] = {
		{ "a handle that nothing has", -ENOENT, { .handle = 0x10000000 }, false },
		{ "the same with size 0", -ENOENT, { .handle = 0x10000000, .size = -4ull }, false },
	};
	struct raw_op none = { .handle = 0, .size = 4 };

	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
	EXPECT_EQ(raw_sync(cf, &none, 1), -ENOENT);
}

CASE(r8_empty_range_is_checked, "R8 R7", NEED_SYNC_ABI,
     "size 0 is right at the BO's end, and -EINVAL behind it")
{
	static const struct wrong wrongs[] = {
		{ "offset 8193, size 0", -EINVAL, { .offset = 8193, .size = -4ull }, false },
		{ "offset -1, size 0", -EINVAL, { .offset = -1ull, .size = -4ull }, false },
		{ "offset 2^32, size 0", -EINVAL, { .offset = 1ull << 32, .size = -4ull }, true },
	};
	struct raw_op end = {
		.handle = gemsync_bo_handle(new_buffer(cf, 8192, GEMSYNC_BO_CACHED)->bo),
		.offset = 8192,
	};

	EXPECT_OK(raw_sync(cf, &end, 1));
	expect_all_refused(cf, wrongs, ARRAY_SIZE(wrongs));
}

CASE(r8_pad, "R8 R7", NEED_SYNC_ABI, "a pad of the call that is not 0 is -EINVAL")
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);
	struct witness witness;
	void *raw;

	if (!abi->has_pad)
		skip("the driver's sync call has no pad", "run on a driver with one (panfrost)");
	new_witness(cf, &witness);
	raw = raw_ops(cf, &witness.flush, 1);
	EXPECT_EQ(gpu_sync_call(abi, cf->fd, raw, 1, abi->op_size, 1), -EINVAL);
	EXPECT_EQ(gpu_sync_call(abi, cf->fd, raw, 1, abi->op_size, 1u << 31), -EINVAL);
	free(raw);
	expect_nothing_done(cf, &witness);
	expect_flush_works(cf, &witness);
}

/* ---- The array ---- */

CASE(r8_counts, "R8", 0,
     "no ops are 0, and too many are -E2BIG before the array is looked at")
{
	EXPECT_OK(gemsync_device_sync(cf->dev, NULL, 0));
	EXPECT_EQ(gemsync_device_sync(cf->dev, NULL, MOST_OPS + 1), -E2BIG);
	EXPECT_EQ(gemsync_device_sync(cf->dev, NULL, SIZE_MAX), -E2BIG);
}

CASE(r8_counts_of_the_call, "R8", NEED_SYNC_ABI,
     "the driver too takes 0 ops, and refuses 2^32 - 1 with -E2BIG and without a warning")
{
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	const void *nowhere = (const void *)8;

	EXPECT_OK(raw_call(cf, nowhere, 0, op_size));
	EXPECT_OK(raw_call(cf, NULL, 0, op_size));
	EXPECT_EQ(raw_call(cf, nowhere, MOST_OPS + 1, op_size), -E2BIG);
	EXPECT_EQ(raw_call(cf, nowhere, UINT32_MAX, op_size), -E2BIG);
	EXPECT_EQ(raw_call(cf, nowhere, 1u << 31, op_size), -E2BIG);
	/* The twins: a bad pointer is met when the count is right, also the highest one. */
	EXPECT_EQ(raw_call(cf, nowhere, 1, op_size), -EFAULT);
	EXPECT_EQ(raw_call(cf, nowhere, MOST_OPS, op_size), -EFAULT);
}

static const struct gemsync_sync_abi *need_stride(struct cf *cf)
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);

	if (!abi->has_stride)
		skip("the driver's sync call has no stride", "run on a driver with one (panthor)");
	return abi;
}

/* Two flushes of the witness, @stride bytes apart, zeros between; to be freed. */
static uint8_t *strided_flushes(struct cf *cf, const struct witness *witness, uint32_t stride)
{
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	uint8_t *raw = new_array(2, stride);
	void *op = raw_ops(cf, &witness->flush, 1);

	memcpy(raw, op, op_size);
	memcpy(raw + stride, op, op_size);
	free(op);
	return raw;
}

CASE(r8_strides, "R8 R7", NEED_SYNC_ABI,
     "a short stride is -EINVAL; a long one is right if what is behind the op is 0, else -E2BIG")
{
	const struct gemsync_sync_abi *abi = need_stride(cf);
	uint32_t stride = abi->op_size + 8;
	struct witness witness;
	uint8_t *raw;

	new_witness(cf, &witness);
	raw = strided_flushes(cf, &witness, stride);
	EXPECT_EQ(raw_call(cf, raw, 1, abi->op_size - 1), -EINVAL);
	EXPECT_EQ(raw_call(cf, raw, 1, abi->op_size - 8), -EINVAL);
	EXPECT_EQ(raw_call(cf, raw, 1, 0), -EINVAL);
	raw[2 * stride - 1] = 0x80;
	EXPECT_EQ(raw_call(cf, raw, 2, stride), -E2BIG);
	raw[2 * stride - 1] = 0;
	raw[abi->op_size] = 1;
	EXPECT_EQ(raw_call(cf, raw, 2, stride), -E2BIG);
	expect_nothing_done(cf, &witness);

	raw[abi->op_size] = 0;
	EXPECT_OK(raw_call(cf, raw, 2, stride));
	EXPECT_GPU(cf, witness.buf, 0, NEW);
	if (shows_lines(cf))
		EXPECT_LINES(cf, &witness.before, 2, 0);
	free(raw);
}

/* Two pages, of which the second one is not there. */
static uint8_t *page_before_a_hole(void)
{
	uint8_t *pages = mmap(NULL, 2ull * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(pages != MAP_FAILED);
	EXPECT_OK(munmap(pages + PAGE, PAGE));
	return pages;
}

CASE(r8_fault_before_tail, "R8", NEED_SYNC_ABI,
     "an array that cannot be read is -EFAULT, also when a tail that is not 0 comes first")
{
	const struct gemsync_sync_abi *abi = need_stride(cf);
	uint32_t stride = abi->op_size + 8;
	uint8_t *raw = page_before_a_hole() + PAGE - stride;

	memset(raw, 0xff, stride);
	EXPECT_EQ(raw_call(cf, raw, 1, stride), -E2BIG);
	EXPECT_EQ(raw_call(cf, raw, 2, stride), -EFAULT);
}

/* ---- Two things wrong ---- */

CASE(r8_order_of_the_call, "R8 R7", NEED_SYNC_ABI,
     "of two things wrong with the call, the first in the rule's order is reported")
{
	const struct gemsync_sync_abi *abi = need_stride(cf);
	uint32_t stride = abi->op_size + 8;
	const void *nowhere = (const void *)8;
	struct witness witness, unknown;
	uint8_t *raw;

	new_witness(cf, &witness);
	unknown = witness;
	unknown.flush.handle = NO_HANDLE;
	raw = strided_flushes(cf, &unknown, stride);
	raw[2 * stride - 1] = 1;
	EXPECT_EQ_AS("no ops, short stride, bad pointer", raw_call(cf, nowhere, 0, 0), 0);
	EXPECT_EQ_AS("short stride, too many ops, bad pointer",
		     raw_call(cf, nowhere, UINT32_MAX, abi->op_size - 1), -EINVAL);
	EXPECT_EQ_AS("too many ops, long stride, bad pointer",
		     raw_call(cf, nowhere, UINT32_MAX, UINT32_MAX), -E2BIG);
	EXPECT_EQ_AS("a tail that is not 0, unknown handle before it",
		     raw_call(cf, raw, 2, stride), -E2BIG);
	EXPECT_EQ_AS("unknown handle", raw_call(cf, raw, 1, stride), -ENOENT);
	free(raw);
	expect_nothing_done(cf, &witness);
	expect_flush_works(cf, &witness);
}

CASE(r8_order_of_the_ops, "R8 R7", NEED_SYNC_ABI,
     "of two things wrong with an op the first in the rule's order is reported, and of two ops the first")
{
	struct witness witness;
	struct raw_op ops[2];

	new_witness(cf, &witness);
	ops[0] = (struct raw_op){ .handle = NO_HANDLE, .type = 7, .offset = 1u << 31, .size = 4 };
	EXPECT_EQ_AS("unknown handle, unknown type, bad range", raw_sync(cf, ops, 1), -ENOENT);
	ops[1] = ops[0];
	ops[0].handle = witness.flush.handle;
	EXPECT_EQ_AS("unknown type, then unknown handle", raw_sync(cf, ops, 2), -EINVAL);
	ops[0] = ops[1];
	ops[1].handle = witness.flush.handle;
	EXPECT_EQ_AS("unknown handle, then unknown type", raw_sync(cf, ops, 2), -ENOENT);
	expect_nothing_done(cf, &witness);
	expect_flush_works(cf, &witness);
}

/* ---- Other files (R20) ---- */

CASE(r20_handle_of_another_file, "R20 R7", NEED_SYNC_ABI,
     "a handle of another file means nothing here: -ENOENT, and nothing is done")
{
	struct gemsync_device *other = other_file(cf);
	struct gemsync_bo *bos[256];
	struct witness witness;
	struct raw_op ops[2];
	size_t count = 0;
	void *raw;

	/* Handles are small numbers: make one that this file does not have. */
	new_witness(cf, &witness);
	do {
		EXPECT(count < ARRAY_SIZE(bos));
		EXPECT_OK(gemsync_bo_create(other, 4096, GEMSYNC_BO_CACHED, &bos[count]));
	} while (gemsync_bo_handle(bos[count++]) <= witness.flush.handle);
	/* A driver that binds every BO has written their pages back. */
	if (shows_lines(cf))
		witness.before = lines_now(cf);
	ops[0] = witness.flush;
	ops[1] = witness.flush;
	ops[1].handle = gemsync_bo_handle(bos[count - 1]);
	EXPECT_EQ(raw_sync(cf, ops, 2), -ENOENT);
	expect_nothing_done(cf, &witness);
	expect_flush_works(cf, &witness);

	raw = raw_ops(cf, &ops[1], 1);
	EXPECT_OK(gpu_sync_call(gpu_sync_abi(cf->dev), gemsync_device_fd(other), raw, 1,
				gpu_sync_abi(cf->dev)->op_size, 0));
	free(raw);
	while (count)
		gemsync_bo_destroy(bos[--count]);
}

CASES(refusals, "Refusals",
      &r8_range_leaves_the_bo,
      &r8_offset_wraps,
      &r8_wraps_32_bits,
      &r8_past_the_end,
      &r8_unknown_type,
      &r8_unknown_handle,
      &r8_empty_range_is_checked,
      &r8_pad,
      &r8_counts,
      &r8_counts_of_the_call,
      &r8_strides,
      &r8_fault_before_tail,
      &r8_order_of_the_call,
      &r8_order_of_the_ops,
      &r20_handle_of_another_file);
