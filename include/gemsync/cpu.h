/* SPDX-License-Identifier: MIT */
/*
 * Cache maintenance by this CPU, on addresses of this process.
 *
 * Usable alone: no device, no other header of the library, nothing to set up. No
 * call allocates, takes a lock, prints, or starts a thread.
 *
 * Threads: any call may run in any thread, at the same time as any other, and in a
 * signal handler; but the first one, whichever it is, reads the environment, so it must
 * not come in a handler nor at the same time as setenv(). gemsync_cpu_query() at the
 * start of a program settles that. A fence orders the maintenance of its own thread only.
 *
 *	CPU writes, device reads:	write, gemsync_cpu_flush(), submit
 *	device writes, CPU reads:	wait for the device, gemsync_cpu_invalidate(), read
 *	many ranges:			gemsync_cpu_flush_unfenced() for each, then
 *					gemsync_cpu_fence(GEMSYNC_BEFORE_DEVICE) once
 *
 * The addresses are a cached (write-back) map of memory that the device also uses.
 * A range is any number of bytes and needs no alignment: the lines that overlap it
 * are maintained, and no other (R1); bytes beside it in these lines are never lost
 * (R5). A page of it that is not there is faulted in, as by a load. What the CPU's
 * own maintenance does to an emulated cache is nothing: use gemsync/gemsync.h there,
 * which knows.
 *
 * Numbers like (R4) are the rules of docs/contract.md.
 *
 * A CPU that lacks user-space maintenance fails every call with -EOPNOTSUPP, and
 * gemsync_cpu_query() says why: never assume that nothing was needed (R24).
 *
 * The environment variable GEMSYNC_CPU, read once, at the first call, forces a back
 * end by its name. If the CPU lacks it, or no back end has that name, every call
 * fails with -EOPNOTSUPP. It is ignored in set-user-ID programs.
 *
 *	x86-64	movdir64b	as clwb; uploads by direct stores past the caches
 *		clwb		clwb; clflushopt where lines are dropped
 *		clflushopt	clflushopt
 *		clflush		clflush between fences: CPUs before 2015
 *		clflushopt-twice, clflush-twice
 *				the last line of each range twice: Intel Atoms up to
 *				Tremont, where a fence may overtake the last clflush
 *	aarch64	dc		DC CVAC and DC CIVAC
 *		dc-twice	every pass twice, for interconnects that report the end of
 *				maintenance too early (SI L1 erratum 4311569). User space
 *				cannot see them: this one is never chosen unless forced
 *	riscv64	zicbom		cbo.clean and cbo.flush, where Linux allows them (6.16)
 */
#ifndef GEMSYNC_CPU_H
#define GEMSYNC_CPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who looks at memory next: what a fence is for (R25). */
enum gemsync_direction {
	/* Flushed lines are on their way before any later store, such as a doorbell. */
	GEMSYNC_BEFORE_DEVICE = 0,
	/* No later load sees what a dropped line held. */
	GEMSYNC_BEFORE_CPU = 1,
};

/* Flushes keep lines in the cache, as far as the CPU's makers say. */
#define GEMSYNC_CPU_KEEPS_LINES		(1u << 0)
/* Uploads go around the cache where that is faster. */
#define GEMSYNC_CPU_STREAMS		(1u << 1)
/* Maintenance is repeated: a defect of this CPU, or a forced back end. */
#define GEMSYNC_CPU_REPEATS		(1u << 2)

struct gemsync_cpu_info {
	/* Bytes of the line that maintenance works on; 0 if that is unknown. */
	size_t line_size;
	/*
	 * Bytes, never 0, a multiple of the line: what CPU and device, or two that flush
	 * on their own, must not share (Vulkan: nonCoherentAtomSize).
	 */
	size_t granule;
	uint32_t features;	/* GEMSYNC_CPU_* */
	const char *backend;	/* its name, "none" if there is none */
	const char *why;	/* why that one; one line of English, lives forever */
};

/**
 * What this CPU does, and why.
 *
 * Unlike other calls it fills @info in any case: where nothing can be done, the
 * back end is "none", @why the reason, and the granule one that is safe anywhere.
 *
 * Returns 0; -EOPNOTSUPP if all other calls here will fail.
 */
int gemsync_cpu_query(struct gemsync_cpu_info *info);

/**
 * Write the dirty lines of a range back (R4), and order that before the doorbell or
 * submit that follows. A @size of 0 writes nothing.
 *
 * Does not wait until memory has the data: what is stored later becomes visible
 * later, and that is what a submit needs.
 *
 * Returns 0; -EINVAL if the range wraps around the address space; -EOPNOTSUPP.
 */
int gemsync_cpu_flush(const void *start, size_t size);

/**
 * Write the dirty lines of a range back and drop them all, before any later load
 * (R4: there is no bare invalidate).
 *
 * The caller has waited for the device. Stores of other threads into whole lines of
 * the range meanwhile are a race; stores beside the range are safe (R5).
 *
 * Returns as gemsync_cpu_flush().
 */
int gemsync_cpu_invalidate(const void *start, size_t size);

/**
 * The same without a fence: nothing is ordered until gemsync_cpu_fence(), whose
 * direction is BEFORE_DEVICE for flushes, BEFORE_CPU for invalidations. The
 * latter's fence does for both.
 *
 * Return as gemsync_cpu_flush().
 */
int gemsync_cpu_flush_unfenced(const void *start, size_t size);
int gemsync_cpu_invalidate_unfenced(const void *start, size_t size);

/**
 * Order the maintenance that this thread did before the access named by @direction.
 *
 * Returns 0; -EINVAL for an unknown direction; -EOPNOTSUPP.
 */
int gemsync_cpu_fence(enum gemsync_direction direction);

/*
 * A hint: most of the destination is in this CPU's cache, for instance because the CPU
 * stored to it a moment ago. (Most uploads leave nothing there.) Wrong hints cost time,
 * nothing else.
 */
#define GEMSYNC_UPLOAD_CACHED	(1u << 0)

/**
 * Copy to a cached map of device memory, and flush, as in gemsync_cpu_flush().
 *
 * Every line that overlaps the destination is clean afterwards, whatever it was
 * before; no byte outside the destination is stored to (R26). The ranges must not
 * overlap. @flags: GEMSYNC_UPLOAD_*, or 0.
 *
 * Returns 0; -EINVAL for an unknown flag, or if the destination wraps around the
 * address space; -EOPNOTSUPP. Nothing was copied if it fails.
 */
int gemsync_cpu_upload(void *to, const void *from, size_t size, uint32_t flags);

/**
 * Invalidate a cached map of device memory, as in gemsync_cpu_invalidate(), and copy
 * from it. A @size of 0 does nothing, and is no fence.
 *
 * The ranges must not overlap.
 *
 * Returns 0; -EINVAL if the source wraps around the address space; -EOPNOTSUPP.
 * Nothing was copied if it fails.
 */
int gemsync_cpu_readback(void *to, const void *from, size_t size);

#ifdef __cplusplus
}
#endif

#endif
