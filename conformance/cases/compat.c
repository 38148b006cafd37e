// SPDX-License-Identifier: MIT
/* The calls of 32-bit programs on a 64-bit kernel: the same layout, the same answers (R8). */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "raw_sync.h"

#if defined(__x86_64__)

static sigjmp_buf no_call;

static void on_segv(int number)
{
	siglongjmp(no_call, number);
}

/* A call as 32-bit code makes it; what is passed lies below 4 GiB. */
static long call_32(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

#define IOCTL_32	54
#define GETPID_32	20

/* Without such calls in the kernel, the instruction faults. */
static bool has_calls_32(void)
{
	const struct sigaction action = { .sa_handler = on_segv };
	struct sigaction old;
	volatile bool has = false;

	if (sigaction(SIGSEGV, &action, &old))
		return false;
	if (!sigsetjmp(no_call, 1))
		has = call_32(GETPID_32, 0, 0, 0) > 0;
	sigaction(SIGSEGV, &old, NULL);
	return has;
}

static int ioctl_32(int fd, unsigned long request, void *arg)
{
	return (int)call_32(IOCTL_32, fd, (long)request, (long)arg);
}

#else

static bool has_calls_32(void)
{
	return false;
}

static int ioctl_32(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	return -ENOSYS;
}

#endif

/* Memory that a 32-bit pointer reaches. */
static uint8_t *low_page(void)
{
#ifdef MAP_32BIT
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
#else
	void *page = MAP_FAILED;
#endif

	EXPECT(page != MAP_FAILED);
	return page;
}

/* The sync call of a 32-bit program. */
static int sync_32(struct cf *cf, uint8_t *low, const struct raw_op *ops, uint32_t count)
{
	const struct gemsync_sync_abi *abi = gpu_sync_abi(cf->dev);
	uint8_t *array = low + GEMSYNC_SYNC_ARGS;
	void *raw = raw_ops(cf, ops, count);

	memcpy(array, raw, (size_t)count * abi->op_size);
	free(raw);
	abi->encode_args(low, array, count, abi->op_size, 0);
	return ioctl_32(cf->fd, abi->request, low);
}

CASE(r8_32_bit_program, "R8 R4", NEED_SYNC_ABI,
     "the sync call of a 32-bit program does the same, refuses the same, and loses no upper half")
{
	struct witness witness;
	struct raw_op ops[2];
	uint8_t *low;

	if (!has_calls_32())
		skip("the machine does not take the calls of 32-bit programs from this one",
		     "run on x86-64 with CONFIG_IA32_EMULATION");
	low = low_page();
	new_witness(cf, &witness);
	ops[0] = witness.flush;
	ops[1] = witness.flush;
	ops[1].offset = WITNESS_SIZE;
	EXPECT_EQ_AS("a range behind the BO", sync_32(cf, low, ops, 2), -EINVAL);
	ops[1] = witness.flush;
	ops[1].handle = NO_HANDLE;
	EXPECT_EQ_AS("an unknown handle", sync_32(cf, low, ops, 2), -ENOENT);
	ops[1] = witness.flush;
	if (gpu_sync_abi(cf->dev)->wide) {
		ops[1].offset = 1ull << 32;
		EXPECT_EQ_AS("an offset of 2^32", sync_32(cf, low, ops, 2), -EINVAL);
		ops[1] = witness.flush;
		ops[1].size = 1ull << 32;
		EXPECT_EQ_AS("a size of 2^32", sync_32(cf, low, ops, 2), -EINVAL);
	}
	expect_nothing_done(cf, &witness);

	ops[1] = witness.flush;
	EXPECT_OK(sync_32(cf, low, ops, 2));
	EXPECT_GPU(cf, witness.buf, 0, NEW);
	if (shows_lines(cf))
		EXPECT_LINES(cf, &witness.before, 2, 0);
}

CASES(compat, "32-bit programs",
      &r8_32_bit_program);
