/* SPDX-License-Identifier: MIT */
/*
 * Jobs of Mali GPUs with a job manager, as they are in memory: 64 bytes each, of which
 * the last 32 are the payload. A job that ran has a status and is to be written anew.
 */
#ifndef JM_ASM_H
#define JM_ASM_H

#include <stdint.h>
#include <string.h>

#define JM_JOB_SIZE	64u	/* bytes; also the alignment of a job's address */

enum jm_type {
	JM_NULL = 1,
	JM_WRITE_VALUE = 2,
	JM_CACHE_FLUSH = 3,
	JM_COMPUTE = 4,		/* from here on with shader cores */
	JM_FRAGMENT = 9,
	JM_VIRTUAL_COPY = 126,	/* not of hardware, see core/jm.h */
	JM_VIRTUAL_WAIT = 127,
};

enum jm_value {
	JM_CYCLES = 1,
	JM_TIMESTAMP = 2,
	JM_ZERO = 3,		/* 8 bytes */
	JM_IMM8 = 4,
	JM_IMM16 = 5,
	JM_IMM32 = 6,
	JM_IMM64 = 7,
};

/* Little-endian, like the CPUs that this runs on. */
struct jm_job {
	uint32_t status;
	uint32_t first_incomplete_task;
	uint64_t fault_pointer;
	uint32_t control;
	uint16_t dependencies[2];
	uint64_t next;
	uint64_t payload[4];
};

_Static_assert(sizeof(struct jm_job) == JM_JOB_SIZE, "a job has 64 bytes");

/* The word that holds the type, with 64-bit addresses. */
static inline uint32_t jm_control(enum jm_type type, uint16_t index)
{
	return 1 | (uint32_t)type << 1 | (uint32_t)index << 16;
}

/* A job that depends on nothing; @next is the GPU address of the one behind it, or 0. */
static inline struct jm_job jm_job(enum jm_type type, uint64_t next)
{
	return (struct jm_job){ .control = jm_control(type, 0), .next = next };
}

static inline struct jm_job jm_write_value(uint64_t va, enum jm_value kind, uint64_t immediate,
					   uint64_t next)
{
	struct jm_job job = jm_job(JM_WRITE_VALUE, next);

	job.payload[0] = va;
	job.payload[1] = kind;
	job.payload[2] = immediate;
	return job;
}

/* Virtual: copy @size bytes. */
static inline struct jm_job jm_copy(uint64_t dst, uint64_t src, uint64_t size, uint64_t next)
{
	struct jm_job job = jm_job(JM_VIRTUAL_COPY, next);

	job.payload[0] = dst;
	job.payload[1] = src;
	job.payload[2] = size;
	return job;
}

/* Virtual: wait while the word at @va is @value. */
static inline struct jm_job jm_wait(uint64_t va, uint32_t value, uint64_t next)
{
	struct jm_job job = jm_job(JM_VIRTUAL_WAIT, next);

	job.payload[0] = va;
	job.payload[1] = value;
	return job;
}

#endif
