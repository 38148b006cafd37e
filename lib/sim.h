/* SPDX-License-Identifier: MIT */
/*
 * The GPU of a simulated device: its address space and its queues, for the
 * conformance suite and libgemsync-gpu, for which alone the shared library exports it. Not
 * installed, and no interface: it changes with this library.
 *
 * A queue executes one command stream at a time (core/csf.h says which
 * instructions), one after the other in the device's GPU thread, which turns to
 * the next queue every few hundred instructions. All calls return 0 or -errno, and
 * may be used from any thread; a queue by one at a time. @dev is one that
 * gemsync_device_open("sim...") opened.
 *
 * With driver=panfrost it executes job chains (core/jm.h, virtual jobs included), every
 * BO has an address from the start, and a queue goes on after a failure.
 */
#ifndef GEMSYNC_SIM_H
#define GEMSYNC_SIM_H

#include <gemsync/gemsync.h>

#ifdef GEMSYNC_SHARED
#pragma GCC visibility push(default)
#endif

/* Whether it executes job chains. */
bool gemsync_sim_has_job_manager(const struct gemsync_device *dev);

/* Where such a device has bound a BO. -ENOENT for an unknown handle; -EOPNOTSUPP. */
int gemsync_sim_address(struct gemsync_device *dev, uint32_t handle, uint64_t *va);

#define GEMSYNC_SIM_READONLY	(1u << 0)	/* the GPU may not write */

/* GPU addresses are below this. */
#define GEMSYNC_SIM_VA_END	(1ull << 48)

/**
 * Bind @size bytes of a BO from @offset on at GPU address @va, in place of what is
 * bound there. The BO lives on as long as any of it is bound.
 *
 * Returns 0; -ENOENT for an unknown handle; -EINVAL if a number is not a multiple
 * of the page, the range leaves the BO or the address space, @size is 0 or a flag
 * is unknown; -ENOMEM; -EOPNOTSUPP on a device with job chains.
 */
int gemsync_sim_bind(struct gemsync_device *dev, uint32_t handle, uint64_t offset, uint64_t size,
		     uint64_t va, uint32_t flags);

/* Unbind whatever is bound in the range. -EINVAL, -EOPNOTSUPP as for bind; -ENOMEM. */
int gemsync_sim_unbind(struct gemsync_device *dev, uint64_t va, uint64_t size);

struct gemsync_sim_queue;

int gemsync_sim_queue_create(struct gemsync_device *dev, struct gemsync_sim_queue **out);

/* Ends what still runs. NULL is allowed. All queues go before their device. */
void gemsync_sim_queue_destroy(struct gemsync_sim_queue *queue);

/**
 * Begin to execute the stream of @size bytes, or the job chain, at @va. CPU stores up
 * to here come first: write-combined ones, and cached ones that were flushed.
 *
 * Returns 0; -EINVAL if @va or @size is not a multiple of 8 or wraps, or the queue
 * is dead: its last stream failed; -EBUSY if it runs; -EAGAIN if no thread can be
 * started.
 */
int gemsync_sim_submit(struct gemsync_sim_queue *queue, uint64_t va, uint64_t size);

/* A stream or chain that is not done in this time is ended, as the driver would. */
#define GEMSYNC_SIM_JOB_TIMEOUT_MS	5000
#define GEMSYNC_SIM_CHAIN_TIMEOUT_MS	500

/**
 * Wait at most @timeout_ns for the end of the stream.
 *
 * Returns 0 if there is none that runs, and the last one was done; -ETIME if it
 * still runs; -EIO if it faulted; -ETIMEDOUT if it took too long.
 */
int gemsync_sim_wait(struct gemsync_sim_queue *queue, int64_t timeout_ns);

#ifdef GEMSYNC_SHARED
#pragma GCC visibility pop
#endif

#endif
