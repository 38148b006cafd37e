/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * User-space ABI of the panfrost DRM driver (Arm Mali Midgard and Bifrost GPUs, whose
 * front end is a job manager), up to driver version 1.6.
 *
 * Layouts, values and request numbers are those of the Linux driver, so programs
 * built against this header run on it and the other way round; see
 * panfrost_drm_check.h. The descriptions are this project's own. Rules R1..R26
 * are those of the CPU-access contract.
 *
 * Errors that are not repeated for each call: -EFAULT for a user pointer that
 * cannot be read or written, -ENOMEM, -ENODEV after the device was unplugged,
 * -EINTR; -ENOENT for an unknown BO. "Must be zero" fields that are not zero are
 * -EINVAL.
 *
 * May be included from the kernel, from C11 and from C++17. User space needs
 * <drm/drm.h> (linux-libc-dev), libdrm's <drm.h>, or neither.
 */
#ifndef _PANFROST_DRM_H_
#define _PANFROST_DRM_H_

#if defined(__KERNEL__)
#include <drm/drm.h>
#elif defined(__has_include)
#if __has_include(<drm/drm.h>)
#include <drm/drm.h>
#elif __has_include(<drm.h>)
#include <drm.h>
#endif
#endif

#include <linux/ioctl.h>
#include <linux/types.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Command numbers, relative to the first driver-specific one. */
#define DRM_PANFROST_SUBMIT		0x00
#define DRM_PANFROST_WAIT_BO		0x01
#define DRM_PANFROST_CREATE_BO		0x02
#define DRM_PANFROST_MMAP_BO		0x03
#define DRM_PANFROST_GET_PARAM		0x04
#define DRM_PANFROST_GET_BO_OFFSET	0x05
#define DRM_PANFROST_PERFCNT_ENABLE	0x06
#define DRM_PANFROST_PERFCNT_DUMP	0x07
#define DRM_PANFROST_MADVISE		0x08
#define DRM_PANFROST_SET_LABEL_BO	0x09	/* since 1.4 */
#define DRM_PANFROST_JM_CTX_CREATE	0x0a	/* since 1.5 */
#define DRM_PANFROST_JM_CTX_DESTROY	0x0b	/* since 1.5 */
#define DRM_PANFROST_SYNC_BO		0x0c	/* since 1.6 */
#define DRM_PANFROST_QUERY_BO_INFO	0x0d	/* since 1.6 */

/* &drm_panfrost_submit.requirements: the chain is fragment work, for its own job slot. */
#define PANFROST_JD_REQ_FS		(1 << 0)
/* The GPU counts cycles while the chain runs. */
#define PANFROST_JD_REQ_CYCLE_COUNT	(1 << 1)

/**
 * struct drm_panfrost_submit - DRM_IOCTL_PANFROST_SUBMIT: run a chain of jobs
 *
 * The chain runs when all @in_syncs, and all that was submitted earlier for any of
 * the BOs, are done. Chains of one context and one job slot run in their order.
 *
 * Errors: -EINVAL for a @jc of 0, unknown @requirements, an unknown context, or an
 * in_sync that has no fence; -ENOENT for an unknown in_sync or BO; -ENODEV for an
 * unknown @out_sync; -EFAULT also for an array at 0 with a count that is not 0. Then
 * nothing runs.
 */
struct drm_panfrost_submit {
	/** @jc: GPU address of the first job. */
	__u64 jc;

	/** @in_syncs: User pointer to @in_sync_count handles (u32) of binary syncobjs. */
	__u64 in_syncs;

	/** @in_sync_count: Number of syncobjs to wait for. */
	__u32 in_sync_count;

	/** @out_sync: Binary syncobj that gets the chain's fence, or 0. */
	__u32 out_sync;

	/** @bo_handles: User pointer to @bo_handle_count handles (u32) of the BOs in use. */
	__u64 bo_handles;

	/**
	 * @bo_handle_count: Number of BOs, which stay mapped for the GPU until the chain
	 * has ended, even if their handles are closed.
	 */
	__u32 bo_handle_count;

	/** @requirements: PANFROST_JD_REQ_*. */
	__u32 requirements;

	/** @jm_ctx_handle: Of DRM_IOCTL_PANFROST_JM_CTX_CREATE; 0 is the file's own. Since 1.5. */
	__u32 jm_ctx_handle;

	/** @pad: Must be zero. */
	__u32 pad;
};

/**
 * struct drm_panfrost_wait_bo - DRM_IOCTL_PANFROST_WAIT_BO: wait until nobody uses a BO
 *
 * Errors: -ETIMEDOUT; -EBUSY if it is in use and the time was over from the start.
 */
struct drm_panfrost_wait_bo {
	/** @handle: The BO. */
	__u32 handle;

	/** @pad: Must be zero. */
	__u32 pad;

	/** @timeout_ns: Until when to wait, of CLOCK_MONOTONIC; at most 0 asks only. */
	__s64 timeout_ns;
};

/* The GPU does not execute shaders from the BO. */
#define PANFROST_BO_NOEXEC	1

/*
 * The GPU gets memory when it touches the BO for the first time, 2 MiB at once. The
 * CPU never maps it. Needs PANFROST_BO_NOEXEC.
 */
#define PANFROST_BO_HEAP	2

/*
 * CPU maps of the BO are write-back cached, and need DRM_IOCTL_PANFROST_SYNC_BO unless
 * the GPU is coherent. Otherwise they are write-combined. Since 1.6.
 */
#define PANFROST_BO_WB_MMAP	4

/**
 * struct drm_panfrost_create_bo - DRM_IOCTL_PANFROST_CREATE_BO: make a BO
 *
 * Its bytes are 0 (R17), and it is mapped for the GPU until its handle is closed.
 *
 * Errors: -EINVAL for a @size of 0, unknown @flags, or a heap without
 * PANFROST_BO_NOEXEC; -ENOSPC if there are no GPU addresses left.
 */
struct drm_panfrost_create_bo {
	/** @size: Bytes, rounded up to whole pages. */
	__u32 size;

	/** @flags: PANFROST_BO_*. */
	__u32 flags;

	/** @handle: Out: the BO. */
	__u32 handle;

	/** @pad: Must be zero. */
	__u32 pad;

	/** @offset: Out: its GPU address, as DRM_IOCTL_PANFROST_GET_BO_OFFSET gives it. */
	__u64 offset;
};

/**
 * struct drm_panfrost_mmap_bo - DRM_IOCTL_PANFROST_MMAP_BO: where to mmap() a BO
 *
 * Errors: -EINVAL for a heap (R16); -EPERM for an imported BO, if the device does not
 * let them be mapped (R15).
 */
struct drm_panfrost_mmap_bo {
	/** @handle: The BO. */
	__u32 handle;

	/** @flags: Must be zero. */
	__u32 flags;

	/** @offset: Out: offset for mmap() on the DRM file. */
	__u64 offset;
};

/** enum drm_panfrost_param - what DRM_IOCTL_PANFROST_GET_PARAM tells */
enum drm_panfrost_param {
	/** @DRM_PANFROST_PARAM_GPU_PROD_ID: Product: the upper half of the id register. */
	DRM_PANFROST_PARAM_GPU_PROD_ID = 0,

	/** @DRM_PANFROST_PARAM_GPU_REVISION: Its version [15:4] and status [3:0]. */
	DRM_PANFROST_PARAM_GPU_REVISION = 1,

	/** @DRM_PANFROST_PARAM_SHADER_PRESENT: Bit n: shader core n is there. */
	DRM_PANFROST_PARAM_SHADER_PRESENT = 2,

	/** @DRM_PANFROST_PARAM_TILER_PRESENT: Bit n: tiler n is there. */
	DRM_PANFROST_PARAM_TILER_PRESENT = 3,

	/** @DRM_PANFROST_PARAM_L2_PRESENT: Bit n: L2 slice n is there. */
	DRM_PANFROST_PARAM_L2_PRESENT = 4,

	/** @DRM_PANFROST_PARAM_STACK_PRESENT: Bit n: core stack n is there. */
	DRM_PANFROST_PARAM_STACK_PRESENT = 5,

	/** @DRM_PANFROST_PARAM_AS_PRESENT: Bit n: hardware address space n is there. */
	DRM_PANFROST_PARAM_AS_PRESENT = 6,

	/** @DRM_PANFROST_PARAM_JS_PRESENT: Bit n: job slot n is there. */
	DRM_PANFROST_PARAM_JS_PRESENT = 7,

	/** @DRM_PANFROST_PARAM_L2_FEATURES: Geometry of the L2 cache. */
	DRM_PANFROST_PARAM_L2_FEATURES = 8,

	/** @DRM_PANFROST_PARAM_CORE_FEATURES: Kind of the shader cores. */
	DRM_PANFROST_PARAM_CORE_FEATURES = 9,

	/** @DRM_PANFROST_PARAM_TILER_FEATURES: Bin size and hierarchy levels of the tiler. */
	DRM_PANFROST_PARAM_TILER_FEATURES = 10,

	/** @DRM_PANFROST_PARAM_MEM_FEATURES: Coherency of core groups, number of L2 slices. */
	DRM_PANFROST_PARAM_MEM_FEATURES = 11,

	/** @DRM_PANFROST_PARAM_MMU_FEATURES: Virtual [7:0] and physical [15:8] address bits. */
	DRM_PANFROST_PARAM_MMU_FEATURES = 12,

	/** @DRM_PANFROST_PARAM_THREAD_FEATURES: Registers and task queue of a shader core. */
	DRM_PANFROST_PARAM_THREAD_FEATURES = 13,

	/** @DRM_PANFROST_PARAM_MAX_THREADS: Threads that a shader core runs at once. */
	DRM_PANFROST_PARAM_MAX_THREADS = 14,

	/** @DRM_PANFROST_PARAM_THREAD_MAX_WORKGROUP_SZ: Threads of a work group at most. */
	DRM_PANFROST_PARAM_THREAD_MAX_WORKGROUP_SZ = 15,

	/** @DRM_PANFROST_PARAM_THREAD_MAX_BARRIER_SZ: Threads that meet at a barrier at most. */
	DRM_PANFROST_PARAM_THREAD_MAX_BARRIER_SZ = 16,

	/** @DRM_PANFROST_PARAM_COHERENCY_FEATURES: Bit n: protocol n is there. */
	DRM_PANFROST_PARAM_COHERENCY_FEATURES = 17,

	/** @DRM_PANFROST_PARAM_TEXTURE_FEATURES0: Bit n: texture format n is there. */
	DRM_PANFROST_PARAM_TEXTURE_FEATURES0 = 18,
	/** @DRM_PANFROST_PARAM_TEXTURE_FEATURES1: Bit n: texture format 32 + n. */
	DRM_PANFROST_PARAM_TEXTURE_FEATURES1 = 19,
	/** @DRM_PANFROST_PARAM_TEXTURE_FEATURES2: Bit n: texture format 64 + n. */
	DRM_PANFROST_PARAM_TEXTURE_FEATURES2 = 20,
	/** @DRM_PANFROST_PARAM_TEXTURE_FEATURES3: Bit n: texture format 96 + n. */
	DRM_PANFROST_PARAM_TEXTURE_FEATURES3 = 21,

	/** @DRM_PANFROST_PARAM_JS_FEATURES0: Bit n: job slot 0 takes jobs of type n. */
	DRM_PANFROST_PARAM_JS_FEATURES0 = 22,
	/** @DRM_PANFROST_PARAM_JS_FEATURES1: The same for job slot 1. */
	DRM_PANFROST_PARAM_JS_FEATURES1 = 23,
	/** @DRM_PANFROST_PARAM_JS_FEATURES2: The same for job slot 2. */
	DRM_PANFROST_PARAM_JS_FEATURES2 = 24,
	/** @DRM_PANFROST_PARAM_JS_FEATURES3: The same for job slot 3. */
	DRM_PANFROST_PARAM_JS_FEATURES3 = 25,
	/** @DRM_PANFROST_PARAM_JS_FEATURES4: The same for job slot 4. */
	DRM_PANFROST_PARAM_JS_FEATURES4 = 26,
	/** @DRM_PANFROST_PARAM_JS_FEATURES5: The same for job slot 5. */
	DRM_PANFROST_PARAM_JS_FEATURES5 = 27,
	/** @DRM_PANFROST_PARAM_JS_FEATURES6: The same for job slot 6. */
	DRM_PANFROST_PARAM_JS_FEATURES6 = 28,
	/** @DRM_PANFROST_PARAM_JS_FEATURES7: The same for job slot 7. */
	DRM_PANFROST_PARAM_JS_FEATURES7 = 29,
	/** @DRM_PANFROST_PARAM_JS_FEATURES8: The same for job slot 8. */
	DRM_PANFROST_PARAM_JS_FEATURES8 = 30,
	/** @DRM_PANFROST_PARAM_JS_FEATURES9: The same for job slot 9. */
	DRM_PANFROST_PARAM_JS_FEATURES9 = 31,
	/** @DRM_PANFROST_PARAM_JS_FEATURES10: The same for job slot 10. */
	DRM_PANFROST_PARAM_JS_FEATURES10 = 32,
	/** @DRM_PANFROST_PARAM_JS_FEATURES11: The same for job slot 11. */
	DRM_PANFROST_PARAM_JS_FEATURES11 = 33,
	/** @DRM_PANFROST_PARAM_JS_FEATURES12: The same for job slot 12. */
	DRM_PANFROST_PARAM_JS_FEATURES12 = 34,
	/** @DRM_PANFROST_PARAM_JS_FEATURES13: The same for job slot 13. */
	DRM_PANFROST_PARAM_JS_FEATURES13 = 35,
	/** @DRM_PANFROST_PARAM_JS_FEATURES14: The same for job slot 14. */
	DRM_PANFROST_PARAM_JS_FEATURES14 = 36,
	/** @DRM_PANFROST_PARAM_JS_FEATURES15: The same for job slot 15. */
	DRM_PANFROST_PARAM_JS_FEATURES15 = 37,

	/** @DRM_PANFROST_PARAM_NR_CORE_GROUPS: Groups of shader cores. */
	DRM_PANFROST_PARAM_NR_CORE_GROUPS = 38,

	/** @DRM_PANFROST_PARAM_THREAD_TLS_ALLOC: Threads with local storage; 0: MAX_THREADS. */
	DRM_PANFROST_PARAM_THREAD_TLS_ALLOC = 39,

	/** @DRM_PANFROST_PARAM_AFBC_FEATURES: Compressed render targets. */
	DRM_PANFROST_PARAM_AFBC_FEATURES = 40,

	/** @DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP: The clock now, in ticks. */
	DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP = 41,

	/** @DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP_FREQUENCY: Its ticks per second. */
	DRM_PANFROST_PARAM_SYSTEM_TIMESTAMP_FREQUENCY = 42,

	/** @DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES: Bit n: this file may use priority n. */
	DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES = 43,

	/** @DRM_PANFROST_PARAM_SELECTED_COHERENCY: &enum drm_panfrost_gpu_coherency in use. */
	DRM_PANFROST_PARAM_SELECTED_COHERENCY = 44,
};

/** enum drm_panfrost_gpu_coherency - who snoops */
enum drm_panfrost_gpu_coherency {
	/** @DRM_PANFROST_GPU_COHERENCY_ACE_LITE: The GPU snoops CPU caches: no sync is needed. */
	DRM_PANFROST_GPU_COHERENCY_ACE_LITE = 0,

	/** @DRM_PANFROST_GPU_COHERENCY_ACE: Both snoop each other: no sync is needed. */
	DRM_PANFROST_GPU_COHERENCY_ACE = 1,

	/** @DRM_PANFROST_GPU_COHERENCY_NONE: Nobody snoops: cached maps need syncs. */
	DRM_PANFROST_GPU_COHERENCY_NONE = 31,
};

/**
 * struct drm_panfrost_get_param - DRM_IOCTL_PANFROST_GET_PARAM: ask about the GPU
 *
 * Raw values of the hardware's registers, unless stated otherwise. An unknown
 * parameter is -EINVAL.
 */
struct drm_panfrost_get_param {
	/** @param: Of &enum drm_panfrost_param. */
	__u32 param;

	/** @pad: Must be zero. */
	__u32 pad;

	/** @value: Out. */
	__u64 value;
};

/** struct drm_panfrost_get_bo_offset - DRM_IOCTL_PANFROST_GET_BO_OFFSET: ask for an address */
struct drm_panfrost_get_bo_offset {
	/** @handle: The BO. */
	__u32 handle;

	/** @pad: Not looked at. */
	__u32 pad;

	/** @offset: Out: its address in the GPU address space of this file. */
	__u64 offset;
};

/**
 * struct drm_panfrost_perfcnt_enable - DRM_IOCTL_PANFROST_PERFCNT_ENABLE
 *
 * Not a part of the stable ABI: -ENOSYS, unless the driver was told otherwise.
 */
struct drm_panfrost_perfcnt_enable {
	/** @enable: 1 to count, 0 to stop. */
	__u32 enable;

	/** @counterset: Which counters. */
	__u32 counterset;
};

/** struct drm_panfrost_perfcnt_dump - DRM_IOCTL_PANFROST_PERFCNT_DUMP, likewise */
struct drm_panfrost_perfcnt_dump {
	/** @buf_ptr: User pointer to room for all counters. */
	__u64 buf_ptr;
};

/* The BO is in use. */
#define PANFROST_MADV_WILLNEED	0
/* Its content may be thrown away when memory is short. */
#define PANFROST_MADV_DONTNEED	1

/**
 * struct drm_panfrost_madvise - DRM_IOCTL_PANFROST_MADVISE: whether a BO is needed
 *
 * A BO whose pages were taken never gets new ones: neither GPU nor CPU can access
 * it any more.
 *
 * Errors: -EINVAL for unknown advice, or PANFROST_MADV_DONTNEED for a BO that other
 * files use too.
 */
struct drm_panfrost_madvise {
	/** @handle: The BO. */
	__u32 handle;

	/** @madv: PANFROST_MADV_*. */
	__u32 madv;

	/** @retained: Out: 1 if the BO still has its content, 0 if its pages were taken. */
	__u32 retained;
};

/**
 * struct drm_panfrost_set_label_bo - DRM_IOCTL_PANFROST_SET_LABEL_BO: name a BO for debugging
 *
 * Errors: -E2BIG for 4096 bytes and more.
 */
struct drm_panfrost_set_label_bo {
	/** @handle: The BO. */
	__u32 handle;

	/** @pad: Must be zero. */
	__u32 pad;

	/** @label: User pointer to a string that ends with 0; 0 removes the name. */
	__u64 label;
};

/* Write dirty lines back: what the CPU wrote becomes visible to the GPU (R4). */
#define PANFROST_BO_SYNC_CPU_CACHE_FLUSH			0
/* Write back, then drop: what the GPU wrote becomes visible to the CPU (R4). */
#define PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE		1

/** struct drm_panfrost_bo_sync_op - one range to maintain */
struct drm_panfrost_bo_sync_op {
	/** @handle: The BO. */
	__u32 handle;

	/** @type: PANFROST_BO_SYNC_CPU_CACHE_*. */
	__u32 type;

	/** @offset: First byte. */
	__u32 offset;

	/** @size: Bytes; the range is widened to whole cache lines. */
	__u32 size;
};

/**
 * struct drm_panfrost_sync_bo - DRM_IOCTL_PANFROST_SYNC_BO: cache maintenance (R1 to R11)
 *
 * All or nothing: a bad op anywhere means that nothing was done.
 *
 * Errors, in this order: -E2BIG for more than 1,048,576 ops; -EFAULT; then per op
 * -ENOENT for an unknown BO, -EINVAL for an unknown type, a range that leaves the
 * BO, or an imported BO.
 */
struct drm_panfrost_sync_bo {
	/** @ops: User pointer to @op_count of &struct drm_panfrost_bo_sync_op. */
	__u64 ops;

	/** @op_count: Number of ops; 0 does nothing. */
	__u32 op_count;

	/** @pad: Must be zero. */
	__u32 pad;
};

/* The BO belongs to another exporter. */
#define DRM_PANFROST_BO_IS_IMPORTED	(1 << 0)

/**
 * struct drm_panfrost_query_bo_info - DRM_IOCTL_PANFROST_QUERY_BO_INFO (R23)
 *
 * All but the handle is only written.
 */
struct drm_panfrost_query_bo_info {
	/** @handle: The BO. */
	__u32 handle;

	/** @extra_flags: Out: DRM_PANFROST_BO_IS_IMPORTED. */
	__u32 extra_flags;

	/** @create_flags: Out: the flags of creation. */
	__u32 create_flags;

	/** @pad: Out: 0. */
	__u32 pad;
};

/* Whose chains run first. */
#define PANFROST_JM_CTX_PRIORITY_LOW	0
/* The usual one, and that of context 0. */
#define PANFROST_JM_CTX_PRIORITY_MEDIUM	1
/* For CAP_SYS_NICE and the DRM master. */
#define PANFROST_JM_CTX_PRIORITY_HIGH	2

/**
 * struct drm_panfrost_jm_ctx_create - DRM_IOCTL_PANFROST_JM_CTX_CREATE: make a context
 *
 * Errors: -EINVAL for an unknown priority; -EACCES for one that the caller may not
 * use; -EBUSY for more than 64 contexts of a file.
 */
struct drm_panfrost_jm_ctx_create {
	/** @handle: Out: the context. */
	__u32 handle;

	/** @priority: PANFROST_JM_CTX_PRIORITY_*. */
	__u32 priority;
};

/**
 * struct drm_panfrost_jm_ctx_destroy - DRM_IOCTL_PANFROST_JM_CTX_DESTROY: end a context
 *
 * What it still runs is killed. Errors: -EINVAL for an unknown context, or 0.
 */
struct drm_panfrost_jm_ctx_destroy {
	/** @handle: The context. */
	__u32 handle;

	/** @pad: Must be zero. */
	__u32 pad;
};

/*
 * What a devcoredump of the driver holds: headers, each for a part of the file; all
 * little-endian.
 */
#define PANFROSTDUMP_MAJOR	1
#define PANFROSTDUMP_MINOR	0
#define PANFROSTDUMP_MAGIC	0x464e4150	/* "PANF" */

#define PANFROSTDUMP_BUF_REG		0			/* registers */
#define PANFROSTDUMP_BUF_BOMAP		(PANFROSTDUMP_BUF_REG + 1)	/* pages of BOs */
#define PANFROSTDUMP_BUF_BO		(PANFROSTDUMP_BUF_BOMAP + 1)	/* bytes of a BO */
#define PANFROSTDUMP_BUF_TRAILER	(PANFROSTDUMP_BUF_BO + 1)

/** struct panfrost_dump_object_header - describes a part of a dump */
struct panfrost_dump_object_header {
	/** @magic: PANFROSTDUMP_MAGIC. */
	__u32 magic;

	/** @type: PANFROSTDUMP_BUF_*. */
	__u32 type;

	/** @file_size: Bytes of the part. */
	__u32 file_size;

	/** @file_offset: Where in the file it begins. */
	__u32 file_offset;

	union {
		/** @reghdr: Of registers. */
		struct {
			/** @reghdr.jc: The chain that failed. */
			__u64 jc;
			/** @reghdr.gpu_id: The id register. */
			__u32 gpu_id;
			/** @reghdr.major: PANFROSTDUMP_MAJOR. */
			__u32 major;
			/** @reghdr.minor: PANFROSTDUMP_MINOR. */
			__u32 minor;
			/** @reghdr.nbos: Number of BOs. */
			__u64 nbos;
		} reghdr;

		/** @bomap: Of a BO. */
		struct {
			/** @bomap.valid: Whether its bytes are there. */
			__u32 valid;
			/** @bomap.iova: Its GPU address. */
			__u64 iova;
			/** @bomap.data: Where among the pages its own begin. */
			__u32 data[2];
		} bomap;

		/** @sizer: Keeps the size, whatever is added. */
		__u32 sizer[496];
	};
};

/** struct panfrost_dump_registers - a register in a dump */
struct panfrost_dump_registers {
	/** @reg: Its offset. */
	__u32 reg;

	/** @value: What it held. */
	__u32 value;
};

#define DRM_IOCTL_PANFROST_W(id, object) \
	_IOW('d', 0x40 + DRM_PANFROST_##id, struct drm_panfrost_##object)
#define DRM_IOCTL_PANFROST_WR(id, object) \
	_IOWR('d', 0x40 + DRM_PANFROST_##id, struct drm_panfrost_##object)

#define DRM_IOCTL_PANFROST_SUBMIT		DRM_IOCTL_PANFROST_W(SUBMIT, submit)
#define DRM_IOCTL_PANFROST_WAIT_BO		DRM_IOCTL_PANFROST_W(WAIT_BO, wait_bo)
#define DRM_IOCTL_PANFROST_CREATE_BO		DRM_IOCTL_PANFROST_WR(CREATE_BO, create_bo)
#define DRM_IOCTL_PANFROST_MMAP_BO		DRM_IOCTL_PANFROST_WR(MMAP_BO, mmap_bo)
#define DRM_IOCTL_PANFROST_GET_PARAM		DRM_IOCTL_PANFROST_WR(GET_PARAM, get_param)
#define DRM_IOCTL_PANFROST_GET_BO_OFFSET	DRM_IOCTL_PANFROST_WR(GET_BO_OFFSET, get_bo_offset)
#define DRM_IOCTL_PANFROST_PERFCNT_ENABLE	DRM_IOCTL_PANFROST_W(PERFCNT_ENABLE, perfcnt_enable)
#define DRM_IOCTL_PANFROST_PERFCNT_DUMP		DRM_IOCTL_PANFROST_W(PERFCNT_DUMP, perfcnt_dump)
#define DRM_IOCTL_PANFROST_MADVISE		DRM_IOCTL_PANFROST_WR(MADVISE, madvise)
#define DRM_IOCTL_PANFROST_SET_LABEL_BO		DRM_IOCTL_PANFROST_WR(SET_LABEL_BO, set_label_bo)
#define DRM_IOCTL_PANFROST_JM_CTX_CREATE	DRM_IOCTL_PANFROST_WR(JM_CTX_CREATE, jm_ctx_create)
#define DRM_IOCTL_PANFROST_JM_CTX_DESTROY \
	DRM_IOCTL_PANFROST_WR(JM_CTX_DESTROY, jm_ctx_destroy)
#define DRM_IOCTL_PANFROST_SYNC_BO		DRM_IOCTL_PANFROST_WR(SYNC_BO, sync_bo)
#define DRM_IOCTL_PANFROST_QUERY_BO_INFO	DRM_IOCTL_PANFROST_WR(QUERY_BO_INFO, query_bo_info)

#if defined(__cplusplus)
}
#endif

#endif
