/* SPDX-License-Identifier: MIT */
/*
 * The calls of gemsync/cpu.h against the plain C form of each: flushes and
 * invalidations change no byte, uploads and readbacks are memcpy(). The benchmark does
 * this first: a number for a wrong copy is worth nothing.
 */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verify_op {
	VERIFY_FLUSH,
	VERIFY_INVALIDATE,
	VERIFY_UPLOAD,
	VERIFY_UPLOAD_CACHED,
	VERIFY_READBACK,
	VERIFY_OPS,
};

/* Where the work is done: two buffers of random bytes, and room for what they should be. */
struct verify {
	unsigned char *bo;
	unsigned char *other;
	unsigned char *plain;
	size_t size;		/* bytes of each */
	uint64_t random;	/* state: a number that was not used before */
};

/* Returns 0; -ENOMEM. */
int verify_init(struct verify *verify, size_t size, uint64_t seed);
void verify_fini(struct verify *verify);

/**
 * One operation on @size bytes at @offset of the BO, and at @other of the other buffer
 * if it is a copy; 64 bytes on both sides must be inside of the buffers.
 *
 * Returns 0; -EILSEQ if any byte of the ranges, or within 64 bytes around them, is not
 * what the plain form leaves; or the error of the call.
 */
int verify_one(struct verify *verify, enum verify_op op, size_t offset, size_t other, size_t size);

/* @turns random ones, of all sizes that there is room for. Returns as verify_one(). */
int verify_random(struct verify *verify, unsigned int turns);

struct verify_backend {
	const char *name;
	bool copies;	/* in ways of its own, with more sizes to get wrong */
};

/* The architecture's, up to one without a name. */
extern const struct verify_backend verify_backends[];

/**
 * Call @check with a back end of gemsync/cpu.h, in a child: the choice is made once in a
 * process, and was not made in this one.
 *
 * Returns what @check returns, 0 or -errno; -EOPNOTSUPP if this CPU lacks the back end;
 * -EBUSY if the choice was made; -ECHILD if there is no child, or a signal ended it.
 */
int verify_with(const char *name, int (*check)(void *context), void *context);

#endif
