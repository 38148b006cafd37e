/* SPDX-License-Identifier: MIT */
/*
 * libgemsync: explicit CPU-cache synchronization of GPU buffer objects (BOs).
 *
 * On a non-coherent device the GPU does not see the CPU's caches. A BO is then
 * either mapped write-combined, and needs no synchronization, or cached
 * (GEMSYNC_BO_CACHED), and its user says which bytes to synchronize and when:
 *
 *	CPU writes, GPU reads:	write, gemsync_bo_flush(), submit
 *	GPU writes, CPU reads:	wait for the GPU, gemsync_bo_invalidate(), read
 *
 * The CPU and the GPU may use one BO at the same time as long as no granule of lines
 * (struct gemsync_device_info, granule) is written by one while the other uses
 * it: lines have no owner, the caller's fences decide (R3).
 *
 * Conventions of every call: 0 or a positive result is success, a failure is a
 * negative errno and changes nothing; output arguments are set on success only.
 * The library prints nothing, never exits, and starts no threads, except that a
 * simulated device has one that plays its GPU, from the GPU's first work until
 * gemsync_device_close(). Numbers like (R4) are the rules of docs/contract.md.
 *
 * Threads: any call may run in any thread, and at the same time as any other, on the
 * same device and the same BO too, except gemsync_bo_map(), gemsync_bo_unmap(),
 * gemsync_bo_set_path(), gemsync_bo_set_label() and gemsync_bo_destroy(): these must
 * not run at the same time as any other call on that BO, batches of it included.
 * gemsync_device_close() must be the last call on its device. A batch is of one thread
 * at a time.
 */
#ifndef GEMSYNC_GEMSYNC_H
#define GEMSYNC_GEMSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gemsync/cpu.h>
#include <gemsync/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open device: a file descriptor and an address space of the driver, or a simulation. */
struct gemsync_device;

/* A buffer object of one device: struct gemsync_bo, see gemsync/range.h. */

/* ---- Devices ---- */

/**
 * Open a device.
 *
 * @name: a device node ("/dev/dri/renderD128"), the name of a DRM driver
 * ("panthor": the first render node of that driver), NULL for the first render
 * node whose driver the library knows, or "sim" for a new simulated device.
 * @out: the device; release it with gemsync_device_close().
 *
 * A simulated device needs no hardware, no root and no kernel module: it is a
 * non-coherent GPU with an emulated cache in this process, and belongs to this
 * one struct gemsync_device. Options follow a colon, separated by commas, as in
 * "sim:line=128,mode=chaos,seed=7":
 *
 *	driver=panthor|panfrost	whose rules and commands it has; panthor
 *	line=32|64|128		bytes of a cache line; 64
 *	mode=lazy		lines move by maintenance alone, and whatever may be stale is: a
 *				BO's lines are in the cache from its birth, with zeros, until
 *				they are invalidated; the default
 *	mode=kind		the same, but no line is in the cache before the first map
 *	mode=chaos		lines are also written back and refilled at random
 *				moments, as a real cache may do at any time
 *	mode=coherent		the device snoops: nothing is ever stale
 *	seed=N			of the random moments, decimal; 1. The same calls from
 *				one thread, each waiting for the GPU, repeat exactly
 *	policy=strict|hooks	who may share cached BOs (R13, R14); strict
 *	watch=nothing|loads|stores|all	what else is looked for (gemsync_device_watch()), by
 *				taking pages away from maps until they are touched; nothing.
 *				Slower, and for those who may use userfaultfd(2) for system
 *				calls
 *
 * Returns 0; -ENODEV if there is no such device; -EOPNOTSUPP if its driver is
 * not one the library knows, or too old to synchronize cached maps, or the kernel cannot
 * watch so, -EPERM if this user may not; -EINVAL for
 * an unknown option of a simulated device, or value of one; -EACCES if the node
 * may not be opened; or another error of the kernel.
 */
int gemsync_device_open(const char *name, struct gemsync_device **out);

/**
 * Open the device behind a file descriptor that the caller already has.
 *
 * @fd stays the caller's and may be closed after the call (it is duplicated, so
 * both share one DRM file: handles are valid on both).
 *
 * What the caller has on that file stays its own: the library knows none of its BOs
 * until gemsync_bo_wrap() says so.
 *
 * Returns as gemsync_device_open(); -ENODEV if @fd is no DRM device.
 */
int gemsync_device_open_fd(int fd, struct gemsync_device **out);

/**
 * Close a device. Every BO of it must have been destroyed. NULL is allowed.
 */
void gemsync_device_close(struct gemsync_device *dev);

/* What is known of a device. */
struct gemsync_device_info {
	char driver[32];	/* name of the DRM driver, or "sim" */
	char node[80];		/* path of the node, "" if it was opened by descriptor and has none;
				 * of a simulated device, the name that opens another one like it
				 */
	uint32_t version_major;	/* version of the driver's uAPI */
	uint32_t version_minor;
	bool coherent;		/* the device snoops CPU caches: no sync is ever needed (R12) */
	bool can_sync;		/* the driver has a call that syncs; without, flush and invalidate
				 * of cached BOs are -EOPNOTSUPP, unless the CPU does them
				 * (GEMSYNC_PATH_CPU) or the device is coherent
				 */
	bool emulated;		/* a virtual device with an emulated incoherent cache */
	bool chaos;		/* whose lines also move on their own, at random moments */
	uint32_t line_size;	/* bytes of a cache line: emulated, or of this CPU; 0 if unknown */
	uint64_t page_size;	/* bytes; BO sizes are rounded up to it */
	uint32_t granule;	/* bytes that CPU and device must not share while one of them writes
				 * there; a multiple of the line, never 0
				 */
};

/* Tell what a device is. Returns 0. @info is valid after the device is closed. */
int gemsync_device_query(struct gemsync_device *dev, struct gemsync_device_info *info);

/*
 * The device's descriptor, for the driver's own ioctls. It stays the library's.
 * -EOPNOTSUPP for a simulated device, which has none.
 */
int gemsync_device_fd(const struct gemsync_device *dev);

/*
 * The driver's handle of the address space that private BOs belong to (panthor:
 * the exclusive VM). 0 for drivers without one.
 */
uint32_t gemsync_device_vm(const struct gemsync_device *dev);

/* Counters of an emulated device since it was created, over all its users. */
struct gemsync_counters {
	uint64_t lines_cleaned;	/* lines written back by maintenance, dirty or not */
	uint64_t lines_dropped;	/* lines dropped by maintenance */
};

/**
 * Read the maintenance counters of an emulated device.
 *
 * Returns 0; -EOPNOTSUPP if the device is not emulated: hardware has no such
 * counters.
 */
int gemsync_device_counters(struct gemsync_device *dev, struct gemsync_counters *counters);

/*
 * The same, and what it was good for. A flush of lines that are not dirty, or an invalidate
 * of ones that are neither dirty nor stale, costs time and does nothing else. Each invalidate
 * writes back before it drops. Members may be added at the end.
 */
struct gemsync_costs {
	uint64_t lines_cleaned;	/* as in struct gemsync_counters */
	uint64_t lines_dirty;	/* of these were dirty */
	uint64_t lines_dropped;	/* as in struct gemsync_counters */
	uint64_t lines_stale;	/* of these had other bytes than memory, by the device */
};

/**
 * Read the maintenance counters of an emulated device, and what was of use.
 *
 * @size is the caller's sizeof(*@costs): members that this library does not know are 0.
 *
 * Returns 0; -EINVAL if @size is 0; -EOPNOTSUPP if the device is not emulated, or its
 * emulation does not count that.
 */
int gemsync_device_costs(struct gemsync_device *dev, struct gemsync_costs *costs, size_t size);

/*
 * What an emulated cache can see go wrong, or nearly so. Unseen are, where it does not watch
 * for them (gemsync_device_watch()), stores of the value that was there, and CPU loads of
 * stale lines: these show as wrong data.
 */
enum gemsync_violation_kind {
	/*
	 * Error: a write-back put a byte over one that the device wrote, and the CPU did not
	 * change it, or had changed it before the device wrote.
	 */
	GEMSYNC_LOST_UPDATE = 0,
	/*
	 * Hazard: the CPU stored to a part of a line that the device wrote since the last fill.
	 * Storing all words of such a line discards what was there, and is none.
	 */
	GEMSYNC_CPU_STORE_STALE = 1,
	/* Hazard: the device wrote to a line that is dirty. */
	GEMSYNC_DEV_WRITE_DIRTY = 2,
	/*
	 * Hazard: the device read a byte whose value is still in the cache. Of a word that it
	 * waits for, only if it waits in vain.
	 */
	GEMSYNC_DEV_READ_DIRTY = 3,
	/*
	 * Hazard: the CPU read from a line that a job, which has ended, wrote since the last
	 * fill. Seen only where loads are watched (gemsync_device_watch()), by the first touch
	 * of each page after a job. offset and size are from the byte that was read to the
	 * end of such lines.
	 */
	GEMSYNC_CPU_READ_STALE = 4,
};

/*
 * A short name of a kind, such as "dev-read-dirty", and what it means and what to do about
 * it, in a line of English. They live forever, and are "unknown" for an unknown kind.
 */
const char *gemsync_violation_name(enum gemsync_violation_kind kind);
const char *gemsync_violation_explain(enum gemsync_violation_kind kind);

/**
 * Read how often a kind of violation was seen on an emulated device since it was created,
 * over all its users: the number of records that there ever were, kept or not.
 *
 * Returns 0; -EINVAL for an unknown kind; -EOPNOTSUPP if the device is not emulated, or its
 * emulation does not look for violations.
 */
int gemsync_device_violation_count(struct gemsync_device *dev, enum gemsync_violation_kind kind,
				   uint64_t *count);

/* The same for those kinds that the first version of this library had. */
struct gemsync_violation_counters {
	uint64_t lost_update;
	uint64_t cpu_store_stale;
	uint64_t dev_write_dirty;
	uint64_t dev_read_dirty;
};

/**
 * Read the violation counters of an emulated device.
 *
 * Returns 0; -EOPNOTSUPP if the device is not emulated, or its emulation does not
 * look for violations.
 */
int gemsync_device_violations(struct gemsync_device *dev,
			      struct gemsync_violation_counters *counters);

/* What was wrong with the sync that there was, as far as that is known. */
enum gemsync_violation_cause {
	GEMSYNC_CAUSE_MISSING = 0,	/* there was none for this use of the lines */
	GEMSYNC_CAUSE_TOO_EARLY = 1,	/* after it the bytes changed once more */
	GEMSYNC_CAUSE_TOO_SHORT = 2,	/* it ended beside these lines */
	GEMSYNC_CAUSE_WRONG_KIND = 3,	/* it was a flush, where lines had to be dropped */
	/*
	 * It came when the device had written to lines that were dirty, and by its write-back
	 * destroyed that.
	 */
	GEMSYNC_CAUSE_TOO_LATE = 4,
};

/* The last sync of the lines of a violation. */
enum gemsync_last_sync {
	GEMSYNC_LAST_NONE = 0,		/* they never had one */
	GEMSYNC_LAST_FLUSH = 1,
	GEMSYNC_LAST_INVALIDATE = 2,
	GEMSYNC_LAST_FORGOTTEN = 3,	/* none, or so long ago that nobody remembers */
};

/*
 * One mistake that one job of the device, or one CPU's sync behind it, made or showed: a
 * range of lines of a BO, or rows of them that have a stride.
 *
 * Strings that are too long are cut. What is unknown is 0. New members may be added at the
 * end: see gemsync_device_read_violation().
 */
struct gemsync_violation {
	enum gemsync_violation_kind kind;
	uint64_t offset;	/* of the first byte that was seen, in the BO */
	uint64_t size;		/* bytes from there to the last one; with rows, of each row */
	char label[64];		/* of the BO (gemsync_bo_set_label()), "" without one */
	char owner[32];		/* who created the BO, as "program:pid"; "" if unknown */

	uint64_t time_ns;	/* when it was first seen, in CLOCK_BOOTTIME */
	uint32_t rows;		/* 1, or how many rows there are, */
	enum gemsync_violation_cause cause;
	uint64_t stride;	/* bytes from one to the next */
	uint64_t sync_offset;	/* the whole lines that had to be synchronized; of the first row */
	uint64_t sync_size;
	uint64_t again;		/* how often the same job did the same again */
	uint64_t times;		/* jobs that did the same so far, this one included */

	uint64_t bo;		/* BOs of the device in the order of their creation, from 1 */
	uint64_t bo_size;	/* bytes */
	uint32_t bo_handle;	/* of its creator */
	int32_t bo_pid;		/* of its creator */

	uint64_t job;		/* jobs of the device in the order in which they begin, from 1: the
				 * one that did it, or wrote what was read; of what a sync showed,
				 * the last one before
				 */
	uint64_t submission;	/* its number in its queue, from 1; of what a sync showed, 0 */
	uint64_t job_address;	/* GPU address of its commands */
	uint32_t group;
	uint32_t queue;
	int32_t pid;		/* process whose sync showed it; 0 if a job did */

	enum gemsync_last_sync last_sync;	/* of any of the lines, and if it is known: */
	uint64_t last_offset;	/* its range */
	uint64_t last_size;
	uint64_t last_time_ns;
	uint64_t last_job;	/* the last job that had begun before it */
	int32_t last_pid;	/* who did it */

	uint64_t cpu_address;	/* of what the CPU read: in the address space of the process, */
	uint64_t pc;		/* and the instruction, or that behind the system call */
};

/* Only violations of BOs that this process created. */
#define GEMSYNC_VIOLATIONS_OWN	(1u << 0)

/**
 * Read the oldest recorded violation whose serial number is greater than *@serial.
 *
 * @size: sizeof(*@violation). A caller that was built with an older header gets the members
 * that it knows; what it knows and the library does not is 0.
 * @flags: GEMSYNC_VIOLATIONS_*, or 0.
 *
 * On success *@serial is the number of @violation: to read all of them, begin with
 * 0 and call until -ENOENT; for those from now on begin with what
 * gemsync_device_last_violation() says. Once it is read, a record never changes: what
 * follows is a record of its own, with the exception of what the same job does again to
 * the same lines, which is nothing new.
 *
 * The emulation keeps a number of records of each kind. If nobody reads them it keeps the
 * first ones, and counts the others: a gap in the serial numbers says so.
 *
 * Returns 0; -ENOENT if there is none (yet); -EINVAL for a @size of 0 or unknown flags;
 * -EOPNOTSUPP if the device is not emulated, or its emulation does not record violations;
 * -EACCES if this user may not read them (those of a kernel device are for root: debugfs).
 */
int gemsync_device_read_violation(struct gemsync_device *dev, uint64_t *serial,
				  struct gemsync_violation *violation, size_t size,
				  uint32_t flags);

/* Read the next record of any BO, with the size that the caller's header says. */
int gemsync_device_next_violation(struct gemsync_device *dev, uint64_t *serial,
				  struct gemsync_violation *violation);
#define gemsync_device_next_violation(dev, serial, violation) \
	gemsync_device_read_violation(dev, serial, violation, sizeof(*(violation)), 0)

/**
 * Begin at now: *@serial is that of the last violation that was recorded, or 0, and all up
 * to it count as read.
 *
 * Returns 0, or as gemsync_device_read_violation().
 */
int gemsync_device_last_violation(struct gemsync_device *dev, uint64_t *serial);

/* Loads of stale lines (GEMSYNC_CPU_READ_STALE). */
#define GEMSYNC_WATCH_LOADS	(1u << 0)

/*
 * Stores, whatever their value: by the first one to each page, after a job or the map, its
 * line is dirty, as in a real cache, even if the value was there. Other stores of what was
 * there stay unseen.
 */
#define GEMSYNC_WATCH_STORES	(1u << 1)

/* A word for GEMSYNC_WATCH_*: "nothing", "loads", "stores", or "all"; NULL for other flags. */
const char *gemsync_watch_name(uint32_t watch);

/**
 * What an emulated device looks for beside what it always sees, from now on and for all its
 * users: GEMSYNC_WATCH_*, or 0. It costs a fault for each page that a job wrote and the CPU
 * touches, or that the CPU stores to after a job. @before, if it is not NULL, is what it
 * looked for until then.
 *
 * A simulated device looks for what it was opened for, all the time.
 *
 * Returns 0; -EINVAL for unknown flags; -EOPNOTSUPP if the device is not emulated, or its
 * emulation or its driver cannot do so; -EACCES if this user may not say so (that of a
 * kernel device is root).
 */
int gemsync_device_watch(struct gemsync_device *dev, uint32_t watch, uint32_t *before);

/**
 * Say in words what happened and what to do about it, in one line without its end, such as
 * "the device read 4096 bytes at 8192 of vertices: flush 4096 bytes at 8192 before submit 17
 * of queue 0".
 *
 * Returns the length of the text, without its end, also if @size is too small for it, as
 * snprintf() does.
 */
int gemsync_violation_describe(const struct gemsync_violation *violation, char *text,
			       size_t size);

/* ---- Buffer objects ---- */

/* Map the BO cached on the CPU (write-back); without it, write-combined (R12). */
#define GEMSYNC_BO_CACHED	(1u << 0)
/* The CPU never maps the BO (R16). */
#define GEMSYNC_BO_NO_MMAP	(1u << 1)
/*
 * The BO may be exported to other devices and processes. Without it the BO is
 * private to this device, if the driver knows private BOs (powervr does not).
 * Together with GEMSYNC_BO_CACHED it is refused on a non-coherent device, but under
 * the policy hooks (R13, R14).
 */
#define GEMSYNC_BO_SHAREABLE	(1u << 2)

/**
 * Create a BO of at least @size bytes, its content zero (R17).
 *
 * @flags: GEMSYNC_BO_*, fixed for the BO's life.
 *
 * Returns 0; -EINVAL if @size is 0, a flag is unknown, or the driver refuses the
 * combination; -EOPNOTSUPP if the device has no cached BOs, since it cannot reach all
 * memory (R21); -ENOMEM; or another error of the kernel.
 */
int gemsync_bo_create(struct gemsync_device *dev, uint64_t size, uint32_t flags,
		      struct gemsync_bo **out);

/**
 * Import a dma-buf.
 *
 * @fd stays the caller's. A dma-buf that stands for a BO of @dev is that BO: @out is
 * the one that is there (flags, map and all), and it has to be destroyed once more.
 * A BO of another driver belongs to its exporter: it cannot be synchronized (R11), nor
 * mapped, unless the driver lets its exporter do that (R15).
 *
 * Drivers have one handle for a buffer in one DRM file: on a file that is shared with
 * others (gemsync_device_open_fd()), wrap a BO that these have before importing it, or
 * its handle is closed with the import.
 *
 * Returns 0; -EBADF or -EINVAL if @fd is no dma-buf that the device can use;
 * -EOPNOTSUPP if the device cannot import, or does not tell what it imported (powervr);
 * -ENOMEM; or another error of the kernel.
 */
int gemsync_device_import(struct gemsync_device *dev, int fd, struct gemsync_bo **out);

/**
 * Use a BO that the caller made with the driver's own calls.
 *
 * @handle: of the BO, on the DRM file that the device was opened from. It stays the
 * caller's, and lives longer than @out.
 * @size: of the BO in bytes, as the driver rounded it.
 * @map: where the caller mapped it, whole; it stays the caller's as well. NULL if it did
 * not: gemsync_bo_map() maps it then.
 *
 * What the BO is, cached or not, is asked of the driver (R23). gemsync_bo_destroy() ends
 * the use alone; gemsync_bo_unmap() forgets a map of the caller's.
 *
 * Returns 0; -EINVAL if @size is 0; -ENOENT for an unknown handle; -EEXIST if the library
 * has this BO already; -EOPNOTSUPP if the driver does not tell what a BO is (powervr);
 * -ENOMEM; or another error of the kernel.
 */
int gemsync_bo_wrap(struct gemsync_device *dev, uint32_t handle, uint64_t size, void *map,
		    struct gemsync_bo **out);

/**
 * Export a BO as a dma-buf: a new descriptor, close-on-exec, that the caller closes.
 *
 * Returns 0; -EINVAL if the BO is private (created without GEMSYNC_BO_SHAREABLE);
 * -EPERM if the driver does not share this one (R13); -EOPNOTSUPP if the device
 * cannot export; or another error of the kernel.
 */
int gemsync_bo_export(struct gemsync_bo *bo, int *fd);

/**
 * Name a BO for debugging and for reports of violations. NULL removes the name.
 *
 * Returns 0; -EOPNOTSUPP if the driver does not keep names; -E2BIG if the name is
 * longer than the driver takes (at least 63 bytes); or another error of the kernel.
 */
int gemsync_bo_set_label(struct gemsync_bo *bo, const char *label);

/**
 * Release a BO, and with its last release unmap it. Dirty lines of it are not
 * written back first. NULL is allowed.
 */
void gemsync_bo_destroy(struct gemsync_bo *bo);

/* Size in bytes, as the kernel rounded it. */
uint64_t gemsync_bo_size(const struct gemsync_bo *bo);

/* The driver's handle, valid on gemsync_device_fd() if there is one. */
uint32_t gemsync_bo_handle(const struct gemsync_bo *bo);

/* Who does the maintenance of a BO. */
enum gemsync_path {
	/* The best one that works: the default. */
	GEMSYNC_PATH_AUTO = 0,
	/* The device's driver; of a simulated device, the simulation. */
	GEMSYNC_PATH_DRIVER = 1,
	/*
	 * This CPU, in user space (gemsync/cpu.h), on the BO's map: no call to the kernel. As
	 * with any access to the map, a page that is not there is faulted in, and SIGBUS is
	 * what comes where it cannot be: the BO was purged, or its device is gone. The
	 * driver's path does nothing and returns an error there (R2, R9).
	 */
	GEMSYNC_PATH_CPU = 2,
	/* Nobody: the device snoops, or the map is write-combined (R9). Cannot be asked for. */
	GEMSYNC_PATH_NONE = 3,
};

/*
 * What is known of a BO: the driver's word (R23), of drivers that do not tell (powervr)
 * what it was created with; and the path.
 */
struct gemsync_bo_info {
	uint32_t flags;		/* GEMSYNC_BO_CACHED, GEMSYNC_BO_NO_MMAP as created */
	bool imported;		/* the BO belongs to another exporter (R11) */
	bool needs_sync;	/* flush and invalidate do something for this BO */
	enum gemsync_path path;	/* what they would do it with now; never GEMSYNC_PATH_AUTO */
	const char *why;	/* why that path; one line of English, lives forever */
};

/* Tell what a BO is, and who maintains it. Returns 0, or an error of the kernel. */
int gemsync_bo_query(struct gemsync_bo *bo, struct gemsync_bo_info *info);

/**
 * Choose who does the maintenance of a BO from now on.
 *
 * AUTO takes the CPU while the BO is mapped, else the driver. It takes the driver too
 * where the CPU has no maintenance in user space, and on emulated devices, whose lines
 * only the driver moves, unless their kernel traps the CPU's instructions (vm/run
 * --user-ops). Asking for the CPU is refused there, never ignored (R24).
 *
 * Returns 0; -EOPNOTSUPP if the path does not work for this BO, which keeps the one it
 * had; -EINVAL for an unknown path.
 */
int gemsync_bo_set_path(struct gemsync_bo *bo, enum gemsync_path path);

/**
 * Map the whole BO for reading and writing.
 *
 * A second call returns the same address. The map lives until
 * gemsync_bo_unmap() or gemsync_bo_destroy().
 *
 * Returns 0; -EPERM if the BO was created with GEMSYNC_BO_NO_MMAP, or is imported and
 * the driver does not map imports (R15); -ENOMEM; or another error of the kernel.
 */
int gemsync_bo_map(struct gemsync_bo *bo, void **out);

/* Unmap the BO; nothing happens if it is not mapped. Unflushed lines stay as they are. */
void gemsync_bo_unmap(struct gemsync_bo *bo);

/* ---- Synchronization ---- */

/**
 * Make CPU writes to part of a BO visible to its device.
 *
 * @offset and @size are bytes and need no alignment: the range is widened to
 * whole cache lines, whose neighbours are written back but never dropped (R1,
 * R5). A zero @size succeeds; GEMSYNC_WHOLE_SIZE is up to the BO's end. Does nothing
 * on write-combined BOs and coherent devices. Does not wait for the GPU (R3). May sleep.
 *
 * Returns 0; -EINVAL if the range leaves the BO, or the BO is imported (R11);
 * -EOPNOTSUPP if the path cannot do it: the driver lacks the call, or the CPU was
 * asked for and the BO is not mapped (nothing was done: never assume coherence, R24);
 * or another error of the kernel.
 */
int gemsync_bo_flush(struct gemsync_bo *bo, uint64_t offset, uint64_t size);

/**
 * Make device writes to part of a BO visible to later CPU loads.
 *
 * Writes dirty lines back, then drops the lines of the range: there is no bare
 * invalidate (R4). The caller has waited for the device, and no CPU thread
 * stores into whole lines of the range meanwhile; stores to the parts of edge
 * lines outside the range are safe (R5). Otherwise as gemsync_bo_flush().
 */
int gemsync_bo_invalidate(struct gemsync_bo *bo, uint64_t offset, uint64_t size);

/**
 * Do @count operations with one call to the kernel at most, and one fence.
 *
 * The driver's come first, in their order, then those of BOs that the CPU maintains.
 * All or nothing: every operation is checked before the first one runs (R7).
 * A @count of 0 succeeds.
 *
 * Returns 0; -EINVAL if any operation would fail with it, a type is unknown, or
 * a BO belongs to another device; -E2BIG for more than 1,048,576 operations;
 * -ENOMEM; or another error of the kernel. Then nothing was done.
 */
int gemsync_device_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count);

/**
 * Begin a batch whose operations are on BOs of @dev: gemsync_batch_add() with the BO as
 * the object, then gemsync_batch_submit(), which is gemsync_device_sync().
 *
 * @ops, @room, @flags: as for gemsync_batch_init(), which is called with the line and
 * the limits of the device. A batch is the caller's, and of one thread at a time; it
 * must be empty or dropped before a BO of it is destroyed. Ranges are checked when they
 * are submitted: one that leaves its BO fails all of the batch, until it is dropped.
 *
 * Returns 0; -EINVAL as gemsync_batch_init().
 */
int gemsync_device_batch_init(struct gemsync_device *dev, struct gemsync_batch *batch,
			      struct gemsync_op *ops, size_t room, uint32_t flags);

/* ---- Copies ---- */

/**
 * Copy to a mapped BO, and make it visible to the device, as gemsync_bo_flush().
 *
 * No byte outside the range is stored to, and every line of it is clean afterwards
 * (R26). @size: of @from too; GEMSYNC_WHOLE_SIZE is up to the BO's end. @flags:
 * GEMSYNC_UPLOAD_*, or 0. Into a write-combined BO it is a copy, ordered
 * before the submit that follows.
 *
 * Returns 0; -EINVAL if the range leaves the BO, a flag is unknown, or the BO is not
 * mapped; or an error of gemsync_bo_flush(): bytes may have been copied then, and are
 * not visible to the device.
 */
int gemsync_bo_upload(struct gemsync_bo *bo, uint64_t offset, const void *from, size_t size,
		      uint32_t flags);

/**
 * Copy from a mapped BO what the device wrote, as after gemsync_bo_invalidate().
 *
 * @size: of @to too; GEMSYNC_WHOLE_SIZE is up to the BO's end.
 *
 * Returns 0; -EINVAL if the range leaves the BO, or the BO is not mapped; or an error of
 * gemsync_bo_invalidate(). Nothing was copied if it fails.
 */
int gemsync_bo_readback(struct gemsync_bo *bo, uint64_t offset, void *to, size_t size);

/* ---- Buffers of others ---- */

#define GEMSYNC_ACCESS_READ	(1u << 0)
#define GEMSYNC_ACCESS_WRITE	(1u << 1)

/**
 * Before and after CPU access to the map of a dma-buf, of whatever exporter.
 *
 * The kernel knows no ranges here: it is always the whole buffer. How much of it is
 * maintained, and whether it waits for devices first, is the exporter's choice. @fd
 * stays the caller's. May be called from any thread; a call that a signal interrupts,
 * or that the exporter wants again, is restarted.
 *
 * @access: GEMSYNC_ACCESS_*, what the CPU is going to do, and the same at the end.
 *
 * Returns 0; -EINVAL for no access or an unknown one; -EBADF or -ENOTTY if @fd is no
 * dma-buf; or an error of the exporter.
 */
int gemsync_dmabuf_begin_access(int fd, uint32_t access);
int gemsync_dmabuf_end_access(int fd, uint32_t access);

#ifdef __cplusplus
}
#endif

#endif
