/* SPDX-License-Identifier: MIT */
/*
 * Assembler of the Mali v10 command stream: one function per instruction, each
 * returns its 64-bit word. The opcode is in bits [63:56]. Registers are 32-bit,
 * 0 to 95; "pair" names the even register of a 64-bit pair. Offsets and
 * immediates are signed where the type is.
 */
#ifndef CSF_ASM_H
#define CSF_ASM_H

#include <stdint.h>

/* Of BRANCH and SYNC_WAIT: the value against 0, or against the reference. */
enum csf_cond {
	CSF_LE = 0,
	CSF_GT = 1,
	CSF_EQ = 2,
	CSF_NE = 3,
	CSF_LT = 4,
	CSF_GE = 5,
	CSF_ALWAYS = 6,
};

enum csf_opcode {
	CSF_OP_NOP = 0,
	CSF_OP_MOVE48 = 1,
	CSF_OP_MOVE32 = 2,
	CSF_OP_WAIT = 3,
	CSF_OP_RUN_COMPUTE = 4,
	CSF_OP_ADD_IMMEDIATE32 = 16,
	CSF_OP_ADD_IMMEDIATE64 = 17,
	CSF_OP_LOAD_MULTIPLE = 20,
	CSF_OP_STORE_MULTIPLE = 21,
	CSF_OP_BRANCH = 22,
	CSF_OP_FLUSH_CACHE2 = 36,
	CSF_OP_SYNC_ADD32 = 37,
	CSF_OP_SYNC_SET32 = 38,
	CSF_OP_SYNC_WAIT32 = 39,
	CSF_OP_PROGRESS_STORE = 42,
	CSF_OP_SYNC_ADD64 = 51,
	CSF_OP_SYNC_SET64 = 52,
	CSF_OP_SYNC_WAIT64 = 53,
};

#define CSF_ALL_SCOREBOARDS	0xffu

/* An instruction without fields, and the start of every other one. */
static inline uint64_t csf_op(enum csf_opcode op)
{
	return (uint64_t)op << 56;
}

static inline uint64_t csf_nop(void)
{
	return csf_op(CSF_OP_NOP);
}

/* pair = imm, 48 bits zero-extended */
static inline uint64_t csf_move48(unsigned int pair, uint64_t imm)
{
	return csf_op(CSF_OP_MOVE48) | (uint64_t)pair << 48 | (imm & 0xffffffffffffull);
}

/* reg = imm */
static inline uint64_t csf_move32(unsigned int reg, uint32_t imm)
{
	return csf_op(CSF_OP_MOVE32) | (uint64_t)reg << 48 | imm;
}

/* Wait for the scoreboard slots of @mask. */
static inline uint64_t csf_wait(unsigned int mask)
{
	return csf_op(CSF_OP_WAIT) | (uint64_t)mask << 16;
}

/* dst = src + imm */
static inline uint64_t csf_add_immediate32(unsigned int dst, unsigned int src, int32_t imm)
{
	return csf_op(CSF_OP_ADD_IMMEDIATE32) | (uint64_t)dst << 48 | (uint64_t)src << 40 |
	       (uint32_t)imm;
}

/* The same for pairs; the immediate is sign-extended. */
static inline uint64_t csf_add_immediate64(unsigned int dst, unsigned int src, int32_t imm)
{
	return csf_op(CSF_OP_ADD_IMMEDIATE64) | (uint64_t)dst << 48 | (uint64_t)src << 40 |
	       (uint32_t)imm;
}

static inline uint64_t csf_multiple(enum csf_opcode op, unsigned int base, unsigned int mask,
				    unsigned int pair, int16_t offset)
{
	return csf_op(op) | (uint64_t)base << 48 | (uint64_t)pair << 40 | (uint64_t)mask << 16 |
	       (uint16_t)offset;
}

/* For every bit i of @mask: register base + i = word at address pair + offset + 4 * i */
static inline uint64_t csf_load_multiple(unsigned int base, unsigned int mask, unsigned int pair,
					 int16_t offset)
{
	return csf_multiple(CSF_OP_LOAD_MULTIPLE, base, mask, pair, offset);
}

/* The other way round. */
static inline uint64_t csf_store_multiple(unsigned int base, unsigned int mask, unsigned int pair,
					  int16_t offset)
{
	return csf_multiple(CSF_OP_STORE_MULTIPLE, base, mask, pair, offset);
}

/* Skip @offset instructions, counted from the next one, if the register meets @cond. */
static inline uint64_t csf_branch(int16_t offset, enum csf_cond cond, unsigned int reg)
{
	return csf_op(CSF_OP_BRANCH) | (uint64_t)reg << 40 | (uint64_t)cond << 28 |
	       (uint16_t)offset;
}

/* Clean and invalidate all GPU caches; scoreboard slot 0 says when. */
static inline uint64_t csf_flush_cache2(unsigned int flush_id_reg)
{
	uint64_t clean_inval = 3, inval = 2;

	return csf_op(CSF_OP_FLUSH_CACHE2) | (uint64_t)flush_id_reg << 40 | inval << 8 |
	       clean_inval << 4 | clean_inval;
}

static inline uint64_t csf_sync(enum csf_opcode op, unsigned int data, unsigned int pair)
{
	return csf_op(op) | (uint64_t)pair << 40 | (uint64_t)data << 32;
}

/* Sync object at address pair += data register; scope system, no error propagated. */
static inline uint64_t csf_sync_add32(unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_ADD32, data, pair);
}

static inline uint64_t csf_sync_set32(unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_SET32, data, pair);
}

/* Block until the sync object meets @cond against the data register. */
static inline uint64_t csf_sync_wait32(enum csf_cond cond, unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_WAIT32, data, pair) | (uint64_t)cond << 28;
}

/* The same with 64-bit values, data in a pair. */
static inline uint64_t csf_sync_add64(unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_ADD64, data, pair);
}

static inline uint64_t csf_sync_set64(unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_SET64, data, pair);
}

static inline uint64_t csf_sync_wait64(enum csf_cond cond, unsigned int data, unsigned int pair)
{
	return csf_sync(CSF_OP_SYNC_WAIT64, data, pair) | (uint64_t)cond << 28;
}

#endif
