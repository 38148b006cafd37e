// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gemsync/cpu.h>

#include "verify.h"

#define GUARD	64u

/* Marsaglia's xorshift64: enough for bytes that differ. */
static uint64_t next(struct verify *verify)
{
	uint64_t x = verify->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return verify->random = x;
}

static void fill(struct verify *verify, unsigned char *to, size_t size)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < size; i += sizeof(word)) {
		word = next(verify);
		memcpy(to + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
	}
}

int verify_init(struct verify *verify, size_t size, uint64_t seed)
{
	verify->size = size;
	verify->random = seed | 1;
	verify->bo = malloc(size);
	verify->other = malloc(size);
	verify->plain = malloc(size);
	if (!verify->bo || !verify->other || !verify->plain) {
		verify_fini(verify);
		return -ENOMEM;
	}
	fill(verify, verify->bo, size);
	fill(verify, verify->other, size);
	return 0;
}

void verify_fini(struct verify *verify)
{
	free(verify->bo);
	free(verify->other);
	free(verify->plain);
}

static int run(enum verify_op op, unsigned char *bo, unsigned char *other, size_t size)
{
	switch (op) {
	case VERIFY_FLUSH:
		return gemsync_cpu_flush(bo, size);
	case VERIFY_INVALIDATE:
		return gemsync_cpu_invalidate(bo, size);
	case VERIFY_UPLOAD:
		return gemsync_cpu_upload(bo, other, size, 0);
	case VERIFY_UPLOAD_CACHED:
		return gemsync_cpu_upload(bo, other, size, GEMSYNC_UPLOAD_CACHED);
	default:
		return gemsync_cpu_readback(other, bo, size);
	}
}

/* The plain form goes to the third buffer: the range with its guards. */
int verify_one(struct verify *verify, enum verify_op op, size_t offset, size_t other, size_t size)
{
	unsigned char *to = op == VERIFY_READBACK ? verify->other + other : verify->bo + offset;
	const unsigned char *from = verify->bo + offset;
	size_t around = size + GUARD + GUARD;
	int ret;

	if (op == VERIFY_UPLOAD || op == VERIFY_UPLOAD_CACHED)
		from = verify->other + other;
	/* The last copy may have left the same bytes at both ends. */
	if (size)
		to[next(verify) % size] ^= 0xff;
	memcpy(verify->plain, to - GUARD, around);
	memcpy(verify->plain + GUARD, from, size);
	ret = run(op, verify->bo + offset, verify->other + other, size);
	if (ret)
		return ret;
	if (memcmp(verify->plain, to - GUARD, around) ||
	    memcmp(verify->plain + GUARD, from, size))
		return -EILSEQ;
	return 0;
}

/* Small numbers as often as large ones. */
static size_t skewed(struct verify *verify, size_t limit)
{
	size_t top = limit >> next(verify) % 24;

	return next(verify) % (top + 1);
}

int verify_random(struct verify *verify, unsigned int turns)
{
	size_t room = verify->size - GUARD - GUARD;
	size_t size, offset, other;
	unsigned int i;
	int ret;

	for (i = 0; i < turns; i++) {
		size = skewed(verify, room);
		offset = GUARD + next(verify) % (room - size + 1);
		other = GUARD + next(verify) % (room - size + 1);
		ret = verify_one(verify, next(verify) % VERIFY_OPS, offset, other, size);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- Back ends ---- */

const struct verify_backend verify_backends[] = {
#if defined(__x86_64__)
	{ "movdir64b", true }, { "clwb", true }, { "clflushopt", true }, { "clflush", false },
	{ "clflushopt-twice", false }, { "clflush-twice", false },
#elif defined(__aarch64__)
	{ "dc", false }, { "dc-twice", false },
#elif defined(__riscv) && __riscv_xlen == 64
	{ "zicbom", false },
#endif
	{ NULL, false },
};

static int check_with(const char *name, int (*check)(void *context), void *context)
{
	struct gemsync_cpu_info info;

	if (setenv("GEMSYNC_CPU", name, 1))
		return -errno;
	if (gemsync_cpu_query(&info))
		return -EOPNOTSUPP;
	return strcmp(info.backend, name) ? -EBUSY : check(context);
}

int verify_with(const char *name, int (*check)(void *context), void *context)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = -check_with(name, check, context);	/* errnos fit into a status */
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}
