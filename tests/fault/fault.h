/* SPDX-License-Identifier: MIT */
/*
 * Runs a call with every one of its allocations and copies from and to user memory
 * failing: one at a time, by the kernel's fail-nth, and then all allocations at once.
 * The call fails with -ENOMEM or -EFAULT or does its work, nothing is left over, and
 * without the failure it works. Needs a kernel with CONFIG_FAULT_INJECTION;
 * GEMSYNC_FAULT_VERBOSE=1 shows in the kernel log where failures were injected,
 * GEMSYNC_FAULT_CASE=PATTERN runs the cases of that name, which may have * and ?.
 */
#ifndef FAULT_H
#define FAULT_H

#include "fixture.h"

/* What a case works with: each program has its own. */
struct context;

struct context_ops {
	size_t size;
	/* The fixture of a device that the calls are for, or the test is skipped. */
	const struct fixture *(*need)(void **state);
	/* Around each point: @c is zeroed before; nothing is left behind. */
	void (*begin)(struct context *c, const struct fixture *f);
	void (*end)(struct context *c);
};

/* A call with injection, and what is around it. */
struct fault_case {
	void (*prepare)(struct context *c);	/* optional */
	int (*call)(struct context *c);		/* one system call or page fault; -errno */
	void (*check)(struct context *c);	/* optional; after success */
	int never_fails;
	int retries;				/* for ever, as page faults do */
	int all_only;				/* too many points for one at a time */
	int other_error;			/* besides -ENOMEM and -EFAULT */
};

void fault_run(void **state, const struct context_ops *ops, const struct fault_case *fc);

/* A cmocka test @name; the program's context_ops have that name. */
#define FAULT_CASE(name, ...)						\
	static void name(void **state)					\
	{								\
		static const struct fault_case fc = { __VA_ARGS__ };	\
									\
		fault_run(state, &context_ops, &fc);			\
	}

/* The cases of a program, which is called "fault-@name"; for main() to return. */
#define fault_main(name, tests) \
	(fault_open(), cmocka_run_group_tests_name("fault-" name, tests, NULL, NULL))
void fault_open(void);

/* The fixture, or the test is skipped: it needs a device of @driver. */
struct fixture *fault_need(void **state, const char *driver);

/* ---- What all drivers' calls need; 0 or -errno, and no call but the one ---- */

#define FAULT_PAGES	4u
#define FAULT_SIZE	(FAULT_PAGES * 4096ull)	/* of the BOs */

/* Another DRM file of the fixture's device: a descriptor. */
int fault_open_file(const struct fixture *f);

/* A map of a BO; NULL when there is none. */
int fault_map(int fd, uint64_t offset, uint8_t **map);
int fault_unmap(uint8_t **map);

/* Write to each of its pages, or read what that was (0 without) from the second one. */
void fault_dirty(uint8_t *map);
int fault_touch(const uint8_t *map);

/* PRIME: a descriptor of its own, or a handle. */
int fault_export(int fd, uint32_t handle, int *dmabuf);
int fault_import(int fd, int dmabuf, uint32_t *handle);

/* Write "all" to the device's debugfs file @fd, which evicts or purges. */
int fault_write_all(int fd);

/* ---- Another virtual device, whose memory is imported, or which imports ---- */

struct peer {
	struct gemsync_device *dev;	/* NULL: not opened */
	struct gemsync_bo *bo;
	int dmabuf;			/* of @bo, of FAULT_SIZE */
};

/* Open the device of @driver, which must be there; with a dma-buf, or without. */
void peer_open(struct peer *peer, const char *driver);
void peer_share(struct peer *peer);
void peer_close(struct peer *peer);

#endif
