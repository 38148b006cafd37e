/* SPDX-License-Identifier: MIT */
/* GPU memory for the interpreter's tests, and an assembler of its instructions. */
#ifndef CSF_GPU_H
#define CSF_GPU_H

#include <endian.h>

#include "unit.h"

#include "csf.h"

#define REGION	1024u			/* bytes of each */
#define CODE	0x1000000000ull		/* executable, and like the data */
#define DATA	0x2000000000ull		/* readable and writable */
#define ROM	0x3000000000ull		/* readable */
#define TOP	(0ull - REGION)		/* readable and writable: the last bytes there are */
#define NOWHERE	0x4000000000ull		/* not mapped */

/* Everything else is not mapped. */
struct gpu {
	u8 code[REGION];
	u8 data[REGION];
	u8 rom[REGION];
	u8 top[REGION];
	u32 calls;	/* of callbacks, with success or not */
	u32 fetches;
};

enum gpu_access { GPU_FETCH, GPU_READ, GPU_WRITE };

static inline u8 *gpu_resolve(struct gpu *gpu, u64 va, u32 size, enum gpu_access access)
{
	if (va >= CODE && va - CODE < REGION && size <= REGION - (va - CODE))
		return gpu->code + (va - CODE);
	if (access == GPU_FETCH)
		return NULL;
	if (va >= DATA && va - DATA < REGION && size <= REGION - (va - DATA))
		return gpu->data + (va - DATA);
	if (va >= TOP)
		return gpu->top + (va - TOP);
	if (access == GPU_READ && va >= ROM && va - ROM < REGION && size <= REGION - (va - ROM))
		return gpu->rom + (va - ROM);
	return NULL;
}

/* What the interpreter promises to its callbacks. */
static inline void gpu_called(struct gpu *gpu, u64 va, u32 size)
{
	gpu->calls++;
	assert_in_range(size, 1, 64);
	assert_true(va + (size - 1) >= va);
}

static inline int gpu_copy_out(struct gpu *gpu, u64 va, void *to, u32 size, enum gpu_access access)
{
	const u8 *at = gpu_resolve(gpu, va, size, access);

	gpu_called(gpu, va, size);
	if (!at)
		return -EFAULT;
	memcpy(to, at, size);
	return 0;
}

static inline int gpu_fetch(void *ctx, u64 va, void *to, u32 size)
{
	struct gpu *gpu = ctx;

	gpu->fetches++;
	return gpu_copy_out(gpu, va, to, size, GPU_FETCH);
}

static inline int gpu_read(void *ctx, u64 va, void *to, u32 size)
{
	return gpu_copy_out(ctx, va, to, size, GPU_READ);
}

static inline int gpu_write(void *ctx, u64 va, const void *from, u32 size)
{
	u8 *at = gpu_resolve(ctx, va, size, GPU_WRITE);

	gpu_called(ctx, va, size);
	if (!at)
		return -EFAULT;
	memcpy(at, from, size);
	return 0;
}

static inline int gpu_sync_read(void *ctx, u64 va, void *to, u32 size)
{
	assert_true(size == 4 || size == 8);
	return gpu_copy_out(ctx, va, to, size, GPU_READ);
}

static inline int gpu_sync_set(void *ctx, u64 va, u64 value, u32 size)
{
	u64 bytes = htole64(value);

	assert_true(size == 4 || size == 8);
	assert_int_equal(va % size, 0);
	return gpu_write(ctx, va, &bytes, size);
}

static inline int gpu_sync_add(void *ctx, u64 va, u64 value, u32 size)
{
	u64 bytes = 0;
	int ret = gpu_copy_out(ctx, va, &bytes, size, GPU_WRITE);

	return ret ? ret : gpu_sync_set(ctx, va, le64toh(bytes) + value, size);
}

#define TIMESTAMP	0x1122334455667788ull
#define CYCLES		0x99aabbccddeeff00ull

static inline u64 gpu_timestamp(void *ctx)
{
	(void)ctx;
	return TIMESTAMP;
}

static inline u64 gpu_cycles(void *ctx)
{
	(void)ctx;
	return CYCLES;
}

static const struct gs_csf_mem gpu_mem = {
	.fetch = gpu_fetch,
	.read = gpu_read,
	.write = gpu_write,
	.sync_read = gpu_sync_read,
	.sync_set = gpu_sync_set,
	.sync_add = gpu_sync_add,
	.timestamp = gpu_timestamp,
	.cycles = gpu_cycles,
};

static inline u32 gpu_get32(const u8 *region, u32 offset)
{
	u32 value;

	memcpy(&value, region + offset, 4);
	return le32toh(value);
}

static inline u64 gpu_get64(const u8 *region, u32 offset)
{
	u64 value;

	memcpy(&value, region + offset, 8);
	return le64toh(value);
}

static inline void gpu_set32(u8 *region, u32 offset, u32 value)
{
	value = htole32(value);
	memcpy(region + offset, &value, 4);
}

static inline void gpu_set64(u8 *region, u32 offset, u64 value)
{
	value = htole64(value);
	memcpy(region + offset, &value, 8);
}

static inline u64 op(u64 opcode)
{
	return opcode << 56;
}

static inline u64 move48(u64 dst, u64 value)
{
	return op(1) | dst << 48 | value;
}

static inline u64 move32(u64 dst, u32 value)
{
	return op(2) | dst << 48 | value;
}

static inline u64 add32(u64 dst, u64 src, s32 value)
{
	return op(16) | dst << 48 | src << 40 | (u32)value;
}

static inline u64 add64(u64 dst, u64 src, s32 value)
{
	return op(17) | dst << 48 | src << 40 | (u32)value;
}

static inline u64 load(u64 base, u64 mask, u64 address, s16 offset)
{
	return op(20) | base << 48 | address << 40 | mask << 16 | (u16)offset;
}

static inline u64 store(u64 base, u64 mask, u64 address, s16 offset)
{
	return op(21) | base << 48 | address << 40 | mask << 16 | (u16)offset;
}

static inline u64 branch(u64 condition, u64 value, s16 offset)
{
	return op(22) | value << 40 | condition << 28 | (u16)offset;
}

static inline u64 umin32(u64 dst, u64 src0, u64 src1)
{
	return op(18) | dst << 48 | src0 << 40 | src1 << 32;
}

static inline u64 set_exception_handler(u64 type, u64 address, u64 length)
{
	return op(25) | address << 40 | length << 32 | type;
}

static inline u64 call(u64 address, u64 length)
{
	return op(32) | address << 40 | length << 32;
}

static inline u64 jump(u64 address, u64 length)
{
	return op(33) | address << 40 | length << 32;
}

/* States: 0 timestamp, 1 cycles, 2 disjoint count, 3 error. */
static inline u64 store_state(u64 state, u64 address, s16 offset)
{
	return op(40) | address << 40 | state << 32 | (u16)offset;
}

static inline u64 heap_set(u64 address)
{
	return op(48) | address << 40;
}

/* Opcodes: ADD 37, 51; SET 38, 52; WAIT 39, 53. */
static inline u64 sync_op(u64 opcode, u64 address, u64 data)
{
	return op(opcode) | address << 40 | data << 32;
}

static inline u64 sync_wait(u64 opcode, u64 address, u64 data, u64 condition, u64 reject)
{
	return sync_op(opcode, address, data) | condition << 28 | reject;
}

#endif
