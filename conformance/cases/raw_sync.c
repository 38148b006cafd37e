// SPDX-License-Identifier: MIT
#include "raw_sync.h"

#define FEW	16u
#define OP_MAX	64u	/* bytes */

static void encode(struct cf *cf, uint8_t *raw, const struct raw_op *ops, uint32_t count)
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);
	uint32_t i;

	for (i = 0; i < count; i++)
		abi->encode(raw + (size_t)i * abi->op_size, ops[i].handle, ops[i].type,
			    ops[i].offset, ops[i].size);
}

void *raw_ops(struct cf *cf, const struct raw_op *ops, uint32_t count)
{
	uint8_t *raw = new_array(count, gpu_sync_abi(cf->dev)->op_size);

	encode(cf, raw, ops, count);
	return raw;
}

int raw_call(struct cf *cf, const void *ops, uint32_t count, uint32_t stride)
{
	return gpu_sync_call(gpu_sync_abi(cf->dev), cf->fd, ops, count, stride, 0);
}

int raw_sync(struct cf *cf, const struct raw_op *ops, uint32_t count)
{
	uint32_t op_size = gpu_sync_abi(cf->dev)->op_size;
	_Alignas(uint64_t) uint8_t raw[FEW * OP_MAX];

	if (count > FEW || op_size > OP_MAX)
		fail("%u ops of %u bytes are not few", count, op_size);
	encode(cf, raw, ops, count);
	return raw_call(cf, raw, count, op_size);
}

void new_witness(struct cf *cf, struct witness *witness)
{
	witness->buf = new_buffer(cf, WITNESS_SIZE, GEMSYNC_BO_CACHED);
	witness->flush = (struct raw_op){
		.handle = gemsync_bo_handle(witness->buf->bo), .type = FLUSH, .size = 4,
	};
	put_both(cf, witness->buf, 0, OLD);
	cpu_put(witness->buf, 0, NEW);
	if (shows_lines(cf))
		witness->before = lines_now(cf);
}

void expect_nothing_done(struct cf *cf, const struct witness *witness)
{
	EXPECT_CPU(cf, witness->buf, 0, NEW);
	if (!shows_lines(cf))
		return;
	EXPECT_LINES(cf, &witness->before, 0, 0);
	EXPECT_GPU(cf, witness->buf, 0, OLD);
}

void expect_flush_works(struct cf *cf, const struct witness *witness)
{
	EXPECT_OK(raw_sync(cf, &witness->flush, 1));
	EXPECT_GPU(cf, witness->buf, 0, NEW);
	if (shows_lines(cf))
		EXPECT_LINES(cf, &witness->before, 1, 0);
}
