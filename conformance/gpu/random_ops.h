/* SPDX-License-Identifier: MIT */
/*
 * Random operations of a correct program, against a model of plain bytes.
 *
 * Several BOs are cut into line-aligned pieces of random lengths. The CPU writes and
 * flushes bytes of pieces, the GPU writes and copies, the CPU invalidates and reads,
 * the GPU reads; before each step the program does just the synchronization that the
 * contract asks for. Everything that is read must then be what was written last,
 * whatever lines a cache writes back or refills on its own meanwhile (R1, R4, R5).
 */
#ifndef RANDOM_OPS_H
#define RANDOM_OPS_H

#include "gpu.h"

struct random_ops_report {
	uint64_t bytes_read;	/* by the CPU and by the GPU */
	uint64_t bytes_wrong;	/* of these, those that were not what the model says */
	uint64_t syncs;
};

/**
 * Do @count operations.
 *
 * The same @seed does the same operations on every device with lines of the same
 * size. With @forget a flush in 16 is left out: then bytes are wrong on a device
 * that is not coherent, or the test proves nothing.
 *
 * Returns 0; or -errno of the first call that failed.
 */
int random_ops_run(struct gemsync_device *dev, struct gemsync_gpu *gpu, uint64_t seed,
		   uint32_t count, bool forget, struct random_ops_report *report);

#endif
