/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * User-space ABI of the panthor DRM driver (Arm Mali GPUs with a command stream
 * front end), up to driver version 1.9.
 *
 * Layouts, values and request numbers are those of the Linux driver, so programs
 * built against this header run on it and the other way round; see
 * panthor_drm_check.h. The descriptions are this project's own. Rules R1..R26
 * are those of the CPU-access contract.
 *
 * Errors that are not repeated for each call: -EFAULT for a user pointer that
 * cannot be read or written, -ENOMEM, -ENODEV after the device was unplugged,
 * -EINTR. "Must be zero" fields that are not zero are -EINVAL.
 *
 * May be included from the kernel, from C11 and from C++17. User space needs
 * <drm/drm.h> (linux-libc-dev), libdrm's <drm.h>, or neither.
 */
#ifndef _PANTHOR_DRM_H_
#define _PANTHOR_DRM_H_

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

/*
 * Pages of the device that user space may map: read-only, offsets for mmap() on
 * the DRM file. A 32-bit process cannot pass offsets of 2^44 and more through its
 * mmap2(), hence the two places. The default is that of the process; see
 * DRM_PANTHOR_SET_USER_MMIO_OFFSET.
 */
#define DRM_PANTHOR_USER_MMIO_OFFSET_32BIT	(1ULL << 43)
#define DRM_PANTHOR_USER_MMIO_OFFSET_64BIT	(1ULL << 56)
#define DRM_PANTHOR_USER_MMIO_OFFSET \
	(sizeof(unsigned long) == 8 ? DRM_PANTHOR_USER_MMIO_OFFSET_64BIT : \
				      DRM_PANTHOR_USER_MMIO_OFFSET_32BIT)

/* One page; its first u32 is the id of the last GPU cache flush. */
#define DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET	(DRM_PANTHOR_USER_MMIO_OFFSET | 0)

/* Command numbers, relative to the first driver-specific one. */
enum drm_panthor_ioctl_id {
	DRM_PANTHOR_DEV_QUERY = 0,
	DRM_PANTHOR_VM_CREATE = 1,
	DRM_PANTHOR_VM_DESTROY = 2,
	DRM_PANTHOR_VM_BIND = 3,
	DRM_PANTHOR_VM_GET_STATE = 4,
	DRM_PANTHOR_BO_CREATE = 5,
	DRM_PANTHOR_BO_MMAP_OFFSET = 6,
	DRM_PANTHOR_GROUP_CREATE = 7,
	DRM_PANTHOR_GROUP_DESTROY = 8,
	DRM_PANTHOR_GROUP_SUBMIT = 9,
	DRM_PANTHOR_GROUP_GET_STATE = 10,
	DRM_PANTHOR_TILER_HEAP_CREATE = 11,
	DRM_PANTHOR_TILER_HEAP_DESTROY = 12,
	DRM_PANTHOR_BO_SET_LABEL = 13,		/* since 1.4 */
	DRM_PANTHOR_SET_USER_MMIO_OFFSET = 14,	/* since 1.5 */
	DRM_PANTHOR_BO_SYNC = 15,		/* since 1.7 */
	DRM_PANTHOR_BO_QUERY_INFO = 16,		/* since 1.7 */
};

/**
 * struct drm_panthor_obj_array - an array of objects in user memory
 *
 * The stride lets objects grow: the kernel reads as much of each object as both
 * sides know. A stride that is too short for the object's first version is
 * -EINVAL; bytes that the kernel does not know must be zero, else -E2BIG.
 */
struct drm_panthor_obj_array {
	/** @stride: Bytes from one object to the next. */
	__u32 stride;

	/** @count: Number of objects; 0 is an empty array. */
	__u32 count;

	/** @array: User pointer to the first object. */
	__u64 array;
};

/* Initializer of a struct drm_panthor_obj_array: @cnt objects from pointer @ptr on. */
#define DRM_PANTHOR_OBJ_ARRAY(cnt, ptr) \
	{ (__u32)sizeof(*(ptr)), (__u32)(cnt), (__u64)(__UINTPTR_TYPE__)(ptr) }

/** enum drm_panthor_sync_op_flags - kind and direction of a &struct drm_panthor_sync_op */
enum drm_panthor_sync_op_flags {
	/** @DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK: Bits that say what the handle is. */
	DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_MASK = 0xff,

	/** @DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ: A binary syncobj. */
	DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ = 0,

	/** @DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ: A point of a timeline syncobj. */
	DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ = 1,

	/** @DRM_PANTHOR_SYNC_OP_WAIT: Wait for it before the work starts. */
	DRM_PANTHOR_SYNC_OP_WAIT = 0,

	/** @DRM_PANTHOR_SYNC_OP_SIGNAL: Signal it when the work is done. */
	DRM_PANTHOR_SYNC_OP_SIGNAL = (int)(1u << 31),
};

/**
 * struct drm_panthor_sync_op - one thing to wait for or to signal
 *
 * Unknown flags or handle types, a point with a binary syncobj, an unknown handle to
 * signal, and a wait for a syncobj or point that has no fence yet are -EINVAL; an unknown
 * handle to wait for is -ENOENT.
 */
struct drm_panthor_sync_op {
	/** @flags: Of &enum drm_panthor_sync_op_flags. */
	__u32 flags;

	/** @handle: Syncobj handle of the same file. */
	__u32 handle;

	/** @timeline_value: Point on the timeline; 0 for a binary syncobj. */
	__u64 timeline_value;
};

/** enum drm_panthor_dev_query_type - what &struct drm_panthor_dev_query asks for */
enum drm_panthor_dev_query_type {
	/** @DRM_PANTHOR_DEV_QUERY_GPU_INFO: &struct drm_panthor_gpu_info */
	DRM_PANTHOR_DEV_QUERY_GPU_INFO = 0,

	/** @DRM_PANTHOR_DEV_QUERY_CSIF_INFO: &struct drm_panthor_csif_info */
	DRM_PANTHOR_DEV_QUERY_CSIF_INFO = 1,

	/** @DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO: &struct drm_panthor_timestamp_info */
	DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO = 2,

	/**
	 * @DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO:
	 * &struct drm_panthor_group_priorities_info
	 */
	DRM_PANTHOR_DEV_QUERY_GROUP_PRIORITIES_INFO = 3,

	/** @DRM_PANTHOR_DEV_QUERY_MMU_INFO: &struct drm_panthor_mmu_info */
	DRM_PANTHOR_DEV_QUERY_MMU_INFO = 4,
};

/** enum drm_panthor_gpu_coherency - values of &drm_panthor_gpu_info.selected_coherency */
enum drm_panthor_gpu_coherency {
	/** @DRM_PANTHOR_GPU_COHERENCY_ACE_LITE: The GPU snoops CPU caches: no sync is needed. */
	DRM_PANTHOR_GPU_COHERENCY_ACE_LITE = 0,

	/** @DRM_PANTHOR_GPU_COHERENCY_ACE: Both snoop each other: no sync is needed. */
	DRM_PANTHOR_GPU_COHERENCY_ACE = 1,

	/** @DRM_PANTHOR_GPU_COHERENCY_NONE: Nobody snoops: cached maps need DRM_PANTHOR_BO_SYNC. */
	DRM_PANTHOR_GPU_COHERENCY_NONE = 31,
};

/**
 * struct drm_panthor_gpu_info - identity and features of the GPU
 *
 * Raw values of the hardware's registers, unless stated otherwise.
 */
struct drm_panthor_gpu_info {
	/**
	 * @gpu_id: Architecture major [31:28], minor [27:24], revision [23:20],
	 * product [19:16], version major [15:12], minor [11:4], status [3:0].
	 */
	__u32 gpu_id;

	/** @gpu_rev: Revision register. */
	__u32 gpu_rev;

	/** @csf_id: Versions of the command stream hardware and of its microcontroller. */
	__u32 csf_id;

	/** @l2_features: Geometry of the L2 cache. */
	__u32 l2_features;

	/** @tiler_features: Bin size and hierarchy levels of the tiler. */
	__u32 tiler_features;

	/** @mem_features: Coherency of the core groups, number of L2 slices. */
	__u32 mem_features;

	/** @mmu_features: Virtual address bits [7:0], physical address bits [15:8]. */
	__u32 mmu_features;

	/** @thread_features: Registers, task queue and threads of a shader core. */
	__u32 thread_features;

	/** @max_threads: Threads that a shader core runs at once. */
	__u32 max_threads;

	/** @thread_max_workgroup_size: Threads of a work group at most. */
	__u32 thread_max_workgroup_size;

	/** @thread_max_barrier_size: Threads that can meet at a barrier at most. */
	__u32 thread_max_barrier_size;

	/** @coherency_features: Bit n: protocol n of &enum drm_panthor_gpu_coherency is there. */
	__u32 coherency_features;

	/** @texture_features: Bit n of word n / 32: texture format n is there. */
	__u32 texture_features[4];

	/** @as_present: Bit n: hardware address space n is there. */
	__u32 as_present;

	/** @selected_coherency: The protocol in use: &enum drm_panthor_gpu_coherency. */
	__u32 selected_coherency;

	/** @shader_present: Bit n: shader core n is there. */
	__u64 shader_present;

	/** @l2_present: Bit n: L2 slice n is there. */
	__u64 l2_present;

	/** @tiler_present: Bit n: tiler n is there. */
	__u64 tiler_present;

	/** @core_features: Kind of the shader cores. */
	__u32 core_features;

	/** @pad: 0. */
	__u32 pad;

	/** @gpu_features: Features of the whole GPU, such as ray tracing. */
	__u64 gpu_features;
};

/** struct drm_panthor_csif_info - what the command stream interface offers */
struct drm_panthor_csif_info {
	/** @csg_slot_count: Groups that are on the hardware at once. */
	__u32 csg_slot_count;

	/** @cs_slot_count: Queues of a group at most. */
	__u32 cs_slot_count;

	/** @cs_reg_count: Registers of a queue. */
	__u32 cs_reg_count;

	/** @scoreboard_slot_count: Scoreboard slots of a queue. */
	__u32 scoreboard_slot_count;

	/**
	 * @unpreserved_cs_reg_count: Registers, counted from the last, that the
	 * kernel uses between two submits and whose values get lost there.
	 */
	__u32 unpreserved_cs_reg_count;

	/** @pad: 0. */
	__u32 pad;
};

/**
 * enum drm_panthor_timestamp_info_flags - which values of
 * &struct drm_panthor_timestamp_info are wanted (since 1.8)
 *
 * What is not asked for is 0 in the answer. With no flag at all the frequency,
 * the timestamp and the offset are given.
 */
enum drm_panthor_timestamp_info_flags {
	/** @DRM_PANTHOR_TIMESTAMP_GPU: current_timestamp. */
	DRM_PANTHOR_TIMESTAMP_GPU = 1 << 0,

	/** @DRM_PANTHOR_TIMESTAMP_CPU_NONE: No CPU time. */
	DRM_PANTHOR_TIMESTAMP_CPU_NONE = 0 << 1,

	/** @DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC: cpu_timestamp_*, of CLOCK_MONOTONIC. */
	DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC = 1 << 1,

	/** @DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC_RAW: cpu_timestamp_*, of CLOCK_MONOTONIC_RAW. */
	DRM_PANTHOR_TIMESTAMP_CPU_MONOTONIC_RAW = 2 << 1,

	/** @DRM_PANTHOR_TIMESTAMP_CPU_TYPE_MASK: Bits that choose the CPU's clock. */
	DRM_PANTHOR_TIMESTAMP_CPU_TYPE_MASK = 7 << 1,

	/** @DRM_PANTHOR_TIMESTAMP_GPU_OFFSET: timestamp_offset. */
	DRM_PANTHOR_TIMESTAMP_GPU_OFFSET = 1 << 4,

	/** @DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT: cycle_count. */
	DRM_PANTHOR_TIMESTAMP_GPU_CYCLE_COUNT = 1 << 5,

	/** @DRM_PANTHOR_TIMESTAMP_FREQ: timestamp_frequency. */
	DRM_PANTHOR_TIMESTAMP_FREQ = 1 << 6,

	/** @DRM_PANTHOR_TIMESTAMP_DURATION: duration_nsec. */
	DRM_PANTHOR_TIMESTAMP_DURATION = 1 << 7,
};

/**
 * struct drm_panthor_timestamp_info - the GPU's clock
 *
 * Older user space knows the first three fields only and passes their size.
 * Unknown flags are -EINVAL; bytes behind the struct that are not 0 are -E2BIG.
 */
struct drm_panthor_timestamp_info {
	/** @timestamp_frequency: Ticks per second; 0 if unknown. */
	__u64 timestamp_frequency;

	/** @current_timestamp: The counter now, in ticks. */
	__u64 current_timestamp;

	/** @timestamp_offset: What the GPU adds to the counter, in ticks. */
	__u64 timestamp_offset;

	/** @flags: In: of &enum drm_panthor_timestamp_info_flags. */
	__u32 flags;

	/** @duration_nsec: Nanoseconds that it took to read all of the clocks. */
	__u32 duration_nsec;

	/** @cycle_count: GPU clock cycles. */
	__u64 cycle_count;

	/** @cpu_timestamp_sec: Seconds of the CPU's clock at the same time. */
	__u64 cpu_timestamp_sec;

	/** @cpu_timestamp_nsec: Nanoseconds that belong to @cpu_timestamp_sec. */
	__u64 cpu_timestamp_nsec;
};

/** struct drm_panthor_mmu_info - what the GPU's MMU offers (since 1.9) */
struct drm_panthor_mmu_info {
	/** @page_size_bitmap: Bit n: pages of 2^n bytes. */
	__u64 page_size_bitmap;
};

/** struct drm_panthor_group_priorities_info - priorities that this file may use */
struct drm_panthor_group_priorities_info {
	/** @allowed_mask: Bit n: priority n of &enum drm_panthor_group_priority. */
	__u8 allowed_mask;

	/** @pad: 0. */
	__u8 pad[3];
};

/**
 * struct drm_panthor_dev_query - DRM_IOCTL_PANTHOR_DEV_QUERY: properties of the device
 *
 * With @pointer 0, @size is set to the size of the object and nothing else is
 * done. Otherwise the object is written to @pointer: cut off if @size is
 * smaller than it, followed by zeros if @size is larger.
 * -EINVAL for an unknown @type, or a @size less than that of the object's first version.
 */
struct drm_panthor_dev_query {
	/** @type: Of &enum drm_panthor_dev_query_type. */
	__u32 type;

	/** @size: Bytes at @pointer; out if @pointer is 0. */
	__u32 size;

	/** @pointer: User pointer to the object, or 0. */
	__u64 pointer;
};

/**
 * struct drm_panthor_vm_create - DRM_IOCTL_PANTHOR_VM_CREATE: make a GPU address space
 *
 * -EINVAL for flags, or a range that the GPU cannot address; -EBUSY when the
 * file has too many.
 */
struct drm_panthor_vm_create {
	/** @flags: Must be 0. */
	__u32 flags;

	/** @id: Out: its id, never 0; means something on this file only (R20). */
	__u32 id;

	/**
	 * @user_va_range: Bytes from address 0 on that user space manages; the
	 * kernel needs the rest. In: 0 lets the kernel choose. Out: what it is.
	 */
	__u64 user_va_range;
};

/**
 * struct drm_panthor_vm_destroy - DRM_IOCTL_PANTHOR_VM_DESTROY: destroy an address space
 *
 * All of it is unmapped, also when groups still use it. -EINVAL for an unknown @id.
 */
struct drm_panthor_vm_destroy {
	/** @id: Of DRM_IOCTL_PANTHOR_VM_CREATE. */
	__u32 id;

	/** @pad: Must be 0. */
	__u32 pad;
};

/** enum drm_panthor_vm_bind_op_flags - kind and details of a &struct drm_panthor_vm_bind_op */
enum drm_panthor_vm_bind_op_flags {
	/** @DRM_PANTHOR_VM_BIND_OP_MAP_READONLY: The GPU may not write. */
	DRM_PANTHOR_VM_BIND_OP_MAP_READONLY = 1 << 0,

	/** @DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC: The GPU may not run code from it. */
	DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC = 1 << 1,

	/** @DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED: The GPU's own caches are bypassed. */
	DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED = 1 << 2,

	/**
	 * @DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE: No BO behind it: nothing faults, what the
	 * GPU reads is undefined, and what it writes is lost (since 1.9). Handle and
	 * BO offset must be 0, and MAP_NOEXEC must be set.
	 */
	DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE = 1 << 3,

	/** @DRM_PANTHOR_VM_BIND_OP_TYPE_MASK: Bits that say what the op does. */
	DRM_PANTHOR_VM_BIND_OP_TYPE_MASK = (int)(0xfu << 28),

	/** @DRM_PANTHOR_VM_BIND_OP_TYPE_MAP: Map part of a BO, in place of what is there. */
	DRM_PANTHOR_VM_BIND_OP_TYPE_MAP = 0 << 28,

	/** @DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP: Unmap whatever is in the range. */
	DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP = 1 << 28,

	/** @DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY: Only the op's syncs; asynchronous binds only. */
	DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY = 2 << 28,
};

/**
 * struct drm_panthor_vm_bind_op - one change of an address space
 *
 * Addresses, offsets and sizes are multiples of the page size.
 * -EINVAL if they are not, for a range outside the BO or the user's part of the
 * address space, for flags that do not go with the type, for a handle that is
 * unknown, and for a BO that is exclusive to another address space.
 */
struct drm_panthor_vm_bind_op {
	/** @flags: Of &enum drm_panthor_vm_bind_op_flags. */
	__u32 flags;

	/** @bo_handle: BO to map; 0 for other types. */
	__u32 bo_handle;

	/** @bo_offset: First byte of the BO; 0 for other types. */
	__u64 bo_offset;

	/** @va: GPU address; 0 for a sync-only op. */
	__u64 va;

	/** @size: Bytes; 0 for a sync-only op. */
	__u64 size;

	/** @syncs: Of &struct drm_panthor_sync_op; empty in a synchronous bind. */
	struct drm_panthor_obj_array syncs;
};

/** enum drm_panthor_vm_bind_flags - how a &struct drm_panthor_vm_bind runs */
enum drm_panthor_vm_bind_flags {
	/**
	 * @DRM_PANTHOR_VM_BIND_ASYNC: Queue the ops, in order, after their syncs.
	 * Without it they are done when the call returns.
	 */
	DRM_PANTHOR_VM_BIND_ASYNC = 1 << 0,
};

/**
 * struct drm_panthor_vm_bind - DRM_IOCTL_PANTHOR_VM_BIND: map and unmap
 *
 * -EINVAL for an unknown @vm_id or @flags, an address space that is unusable, or
 * a bad op. A synchronous bind stops at the first op that fails. An asynchronous one
 * queues all of its ops or none; one that fails later makes the address space unusable,
 * and its fence carries the error. Unmapping at once works in an unusable one too.
 */
struct drm_panthor_vm_bind {
	/** @vm_id: Address space. */
	__u32 vm_id;

	/** @flags: Of &enum drm_panthor_vm_bind_flags. */
	__u32 flags;

	/**
	 * @ops: Of &struct drm_panthor_vm_bind_op. Out, when a synchronous bind
	 * fails: count is the number of ops that were done.
	 */
	struct drm_panthor_obj_array ops;
};

/** enum drm_panthor_vm_state - values of &drm_panthor_vm_get_state.state */
enum drm_panthor_vm_state {
	/** @DRM_PANTHOR_VM_STATE_USABLE: All is well. */
	DRM_PANTHOR_VM_STATE_USABLE = 0,

	/**
	 * @DRM_PANTHOR_VM_STATE_UNUSABLE: An asynchronous bind failed, so what is
	 * mapped is not what was asked for. All that is left is to destroy it.
	 */
	DRM_PANTHOR_VM_STATE_UNUSABLE = 1,
};

/**
 * struct drm_panthor_vm_get_state - DRM_IOCTL_PANTHOR_VM_GET_STATE: is it still usable?
 *
 * -EINVAL for an unknown @vm_id.
 */
struct drm_panthor_vm_get_state {
	/** @vm_id: Address space. */
	__u32 vm_id;

	/** @state: Out: of &enum drm_panthor_vm_state. */
	__u32 state;
};

/** enum drm_panthor_bo_flags - flags of a buffer object, fixed at creation (R12) */
enum drm_panthor_bo_flags {
	/** @DRM_PANTHOR_BO_NO_MMAP: It is never mapped by the CPU (R16). */
	DRM_PANTHOR_BO_NO_MMAP = 1 << 0,

	/**
	 * @DRM_PANTHOR_BO_WB_MMAP: CPU maps are cached (write-back) rather than
	 * uncached (write-combined), and need DRM_IOCTL_PANTHOR_BO_SYNC where the
	 * device is not coherent. Since 1.7. Not together with NO_MMAP, and only
	 * with an exclusive address space (R13).
	 */
	DRM_PANTHOR_BO_WB_MMAP = 1 << 1,
};

/**
 * struct drm_panthor_bo_create - DRM_IOCTL_PANTHOR_BO_CREATE: make a buffer object
 *
 * Its bytes are zero (R17). -EINVAL for a @size of 0, unknown @flags or a
 * combination that is not allowed, or an unknown @exclusive_vm_id.
 */
struct drm_panthor_bo_create {
	/** @size: Bytes; rounded up to whole pages. Out: the size that it has. */
	__u64 size;

	/** @flags: Of &enum drm_panthor_bo_flags. */
	__u32 flags;

	/**
	 * @exclusive_vm_id: The only address space that may map it, or 0 for any.
	 * An exclusive BO cannot be exported.
	 */
	__u32 exclusive_vm_id;

	/** @handle: Out: GEM handle, never 0. */
	__u32 handle;

	/** @pad: Must be 0. */
	__u32 pad;
};

/**
 * struct drm_panthor_bo_mmap_offset - DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET: prepare an mmap()
 *
 * -ENOENT for an unknown @handle; -EPERM for a BO with NO_MMAP (R16) and, where imports
 * are not mapped, for an imported one (R15).
 */
struct drm_panthor_bo_mmap_offset {
	/** @handle: The BO. */
	__u32 handle;

	/** @pad: Must be 0. */
	__u32 pad;

	/** @offset: Out: what to pass to mmap() on the DRM file for the BO's first byte. */
	__u64 offset;
};

/** struct drm_panthor_queue_create - one queue of a group */
struct drm_panthor_queue_create {
	/** @priority: Among the group's queues, 0 to 15. */
	__u8 priority;

	/** @pad: Must be 0. */
	__u8 pad[3];

	/** @ringbuf_size: Bytes of its ring buffer: a power of two from 4 KiB to 64 KiB. */
	__u32 ringbuf_size;
};

/** enum drm_panthor_group_priority - priority of a group among all groups */
enum drm_panthor_group_priority {
	/** @PANTHOR_GROUP_PRIORITY_LOW: Below the others. */
	PANTHOR_GROUP_PRIORITY_LOW = 0,

	/** @PANTHOR_GROUP_PRIORITY_MEDIUM: The usual one. */
	PANTHOR_GROUP_PRIORITY_MEDIUM = 1,

	/** @PANTHOR_GROUP_PRIORITY_HIGH: For CAP_SYS_NICE and the DRM master. */
	PANTHOR_GROUP_PRIORITY_HIGH = 2,

	/** @PANTHOR_GROUP_PRIORITY_REALTIME: For CAP_SYS_NICE and the DRM master. */
	PANTHOR_GROUP_PRIORITY_REALTIME = 3,
};

/**
 * struct drm_panthor_group_create - DRM_IOCTL_PANTHOR_GROUP_CREATE: make queues that run together
 *
 * -EINVAL for no queues or too many of them, a bad queue, more cores than the
 * mask has, a core that is not there, an unknown priority or an unknown @vm_id;
 * -EACCES for a priority that this file may not use.
 */
struct drm_panthor_group_create {
	/** @queues: Of &struct drm_panthor_queue_create. */
	struct drm_panthor_obj_array queues;

	/** @max_compute_cores: Cores that compute work may use at once. */
	__u8 max_compute_cores;

	/** @max_fragment_cores: Cores that fragment work may use at once. */
	__u8 max_fragment_cores;

	/** @max_tiler_cores: Tilers that it may use at once. */
	__u8 max_tiler_cores;

	/** @priority: Of &enum drm_panthor_group_priority. */
	__u8 priority;

	/** @pad: Must be 0. */
	__u32 pad;

	/** @compute_core_mask: Cores that compute work may use. */
	__u64 compute_core_mask;

	/** @fragment_core_mask: Cores that fragment work may use. */
	__u64 fragment_core_mask;

	/** @tiler_core_mask: Tilers that it may use. */
	__u64 tiler_core_mask;

	/** @vm_id: Address space of all its queues. */
	__u32 vm_id;

	/** @group_handle: Out: its handle, never 0. */
	__u32 group_handle;
};

/**
 * struct drm_panthor_group_destroy - DRM_IOCTL_PANTHOR_GROUP_DESTROY: destroy a group
 *
 * Its work is killed. -EINVAL for an unknown handle.
 */
struct drm_panthor_group_destroy {
	/** @group_handle: Of DRM_IOCTL_PANTHOR_GROUP_CREATE. */
	__u32 group_handle;

	/** @pad: Must be 0. */
	__u32 pad;
};

/**
 * struct drm_panthor_queue_submit - a command stream for one queue
 *
 * The queue CALLs the stream, after the waits of its syncs; when it is through,
 * the others are signalled. A stream of size 0 at address 0 only does the syncs.
 * -EINVAL for an unknown queue, a bad alignment, only one of address and size
 * being 0, or bits [30:24] in @latest_flush.
 */
struct drm_panthor_queue_submit {
	/** @queue_index: Index into the queues of the group. */
	__u32 queue_index;

	/** @stream_size: Bytes, a multiple of 8. */
	__u32 stream_size;

	/** @stream_addr: GPU address, a multiple of 64. */
	__u64 stream_addr;

	/**
	 * @latest_flush: Flush id read (DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET) when
	 * the stream was complete; lets the GPU skip a cache flush that it has
	 * done since.
	 */
	__u32 latest_flush;

	/** @pad: Must be 0. */
	__u32 pad;

	/** @syncs: Of &struct drm_panthor_sync_op. */
	struct drm_panthor_obj_array syncs;
};

/**
 * struct drm_panthor_group_submit - DRM_IOCTL_PANTHOR_GROUP_SUBMIT: submit streams
 *
 * All or nothing; no submits are a success. -EINVAL for an unknown group, one that has
 * failed, or a bad submit. What was submitted to a group before it failed is not run:
 * its fences signal -ECANCELED.
 */
struct drm_panthor_group_submit {
	/** @group_handle: The group. */
	__u32 group_handle;

	/** @pad: Must be 0. */
	__u32 pad;

	/** @queue_submits: Of &struct drm_panthor_queue_submit, in order. */
	struct drm_panthor_obj_array queue_submits;
};

/** enum drm_panthor_group_state_flags - bits of &drm_panthor_group_get_state.state */
enum drm_panthor_group_state_flags {
	/** @DRM_PANTHOR_GROUP_STATE_TIMEDOUT: A job took too long and was killed. */
	DRM_PANTHOR_GROUP_STATE_TIMEDOUT = 1 << 0,

	/** @DRM_PANTHOR_GROUP_STATE_FATAL_FAULT: A queue faulted; see fatal_queues. */
	DRM_PANTHOR_GROUP_STATE_FATAL_FAULT = 1 << 1,

	/** @DRM_PANTHOR_GROUP_STATE_INNOCENT: It fell with a reset that another group caused. */
	DRM_PANTHOR_GROUP_STATE_INNOCENT = 1 << 2,
};

/**
 * struct drm_panthor_group_get_state - DRM_IOCTL_PANTHOR_GROUP_GET_STATE: is it still usable?
 *
 * A group with any state bit takes no more work. -EINVAL for an unknown handle.
 */
struct drm_panthor_group_get_state {
	/** @group_handle: The group. */
	__u32 group_handle;

	/** @state: Out: of &enum drm_panthor_group_state_flags. */
	__u32 state;

	/** @fatal_queues: Out: bit n: queue n faulted. */
	__u32 fatal_queues;

	/** @pad: Must be 0. */
	__u32 pad;
};

/**
 * struct drm_panthor_tiler_heap_create - DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE: make a tiler heap
 *
 * Memory for the tiler that grows by chunks.
 * -EINVAL for an unknown @vm_id, no initial chunk or more than @max_chunks, or a
 * @chunk_size that is not allowed; -EBUSY when the address space has too many.
 */
struct drm_panthor_tiler_heap_create {
	/** @vm_id: Address space to map it in. */
	__u32 vm_id;

	/** @initial_chunk_count: Chunks to begin with, at least 1. */
	__u32 initial_chunk_count;

	/** @chunk_size: Bytes of a chunk: whole pages, 128 KiB to 8 MiB. */
	__u32 chunk_size;

	/** @max_chunks: Chunks at most. */
	__u32 max_chunks;

	/** @target_in_flight: Render passes in flight before the heap rather waits than grows. */
	__u32 target_in_flight;

	/** @handle: Out: its handle. */
	__u32 handle;

	/** @tiler_heap_ctx_gpu_va: Out: GPU address of the heap's context. */
	__u64 tiler_heap_ctx_gpu_va;

	/** @first_heap_chunk_gpu_va: Out: GPU address of the first chunk. */
	__u64 first_heap_chunk_gpu_va;
};

/**
 * struct drm_panthor_tiler_heap_destroy - DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY
 *
 * -EINVAL for an unknown handle; -ENOENT if no heap was ever made in its address space.
 */
struct drm_panthor_tiler_heap_destroy {
	/** @handle: Of DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE. */
	__u32 handle;

	/** @pad: Must be 0. */
	__u32 pad;
};

/**
 * struct drm_panthor_bo_set_label - DRM_IOCTL_PANTHOR_BO_SET_LABEL: name a BO for debugging
 *
 * -ENOENT for an unknown handle; -E2BIG for a label of 4096 bytes or more.
 */
struct drm_panthor_bo_set_label {
	/** @handle: The BO. */
	__u32 handle;

	/** @pad: Must be 0. */
	__u32 pad;

	/** @label: User pointer to a string with a terminating 0; 0 removes the label. */
	__u64 label;
};

/**
 * struct drm_panthor_set_user_mmio_offset - DRM_IOCTL_PANTHOR_SET_USER_MMIO_OFFSET
 *
 * For emulators that run 32-bit programs in a 64-bit process, and the like.
 * Applies to this file's later mmap() calls. -EINVAL for any other offset.
 */
struct drm_panthor_set_user_mmio_offset {
	/** @offset: DRM_PANTHOR_USER_MMIO_OFFSET_32BIT or DRM_PANTHOR_USER_MMIO_OFFSET_64BIT. */
	__u64 offset;
};

/** enum drm_panthor_bo_sync_op_type - the two operations there are (R4) */
enum drm_panthor_bo_sync_op_type {
	/** @DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH: Write dirty lines back: before the GPU reads. */
	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH = 0,

	/**
	 * @DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE: Write dirty lines
	 * back, then drop all: after the GPU wrote, before the CPU reads.
	 */
	DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE = 1,
};

/**
 * struct drm_panthor_bo_sync_op - cache maintenance of part of a BO
 *
 * Works on the CPU cache lines that overlap the range and on no other (R1). It
 * waits for no GPU work (R3).
 */
struct drm_panthor_bo_sync_op {
	/** @handle: The BO. */
	__u32 handle;

	/** @type: Of &enum drm_panthor_bo_sync_op_type. */
	__u32 type;

	/** @offset: First byte; any alignment. */
	__u64 offset;

	/** @size: Bytes; any alignment; 0 does nothing. */
	__u64 size;
};

/**
 * struct drm_panthor_bo_sync - DRM_IOCTL_PANTHOR_BO_SYNC: CPU cache maintenance (since 1.7)
 *
 * Free of cost where nothing is needed: uncached BOs, coherent devices, BOs
 * without pages (R9). All ops are checked before the first one runs (R7):
 * -EINVAL for a stride that is too short, -E2BIG for more than 1048576 ops or
 * non-zero bytes behind the op that the kernel knows; -ENOENT for an unknown
 * handle; -EINVAL for an unknown type, a range that leaves the BO, or an
 * imported BO, which is its exporter's to sync (R11). -EINTR: do it again.
 */
struct drm_panthor_bo_sync {
	/** @ops: Of &struct drm_panthor_bo_sync_op; no ops are a success. */
	struct drm_panthor_obj_array ops;
};

/** enum drm_panthor_bo_extra_flags - bits of &drm_panthor_bo_query_info.extra_flags */
enum drm_panthor_bo_extra_flags {
	/** @DRM_PANTHOR_BO_IS_IMPORTED: A dma-buf of somebody else. */
	DRM_PANTHOR_BO_IS_IMPORTED = 1 << 0,
};

/**
 * struct drm_panthor_bo_query_info - DRM_IOCTL_PANTHOR_BO_QUERY_INFO (since 1.7)
 *
 * What a BO is (R23). All but the handle is only written. -ENOENT for an unknown handle.
 */
struct drm_panthor_bo_query_info {
	/** @handle: The BO. */
	__u32 handle;

	/** @extra_flags: Out: of &enum drm_panthor_bo_extra_flags. */
	__u32 extra_flags;

	/**
	 * @create_flags: Out: &enum drm_panthor_bo_flags of its creation; for an
	 * imported BO that is not mapped, DRM_PANTHOR_BO_NO_MMAP (R15).
	 */
	__u32 create_flags;

	/** @pad: Out: 0. */
	__u32 pad;
};

/* All requests are read and written; driver commands of DRM ('d') begin at 0x40. */
#define DRM_IOCTL_PANTHOR(id, object) \
	_IOWR('d', 0x40 + DRM_PANTHOR_##id, struct drm_panthor_##object)

#define DRM_IOCTL_PANTHOR_DEV_QUERY		DRM_IOCTL_PANTHOR(DEV_QUERY, dev_query)
#define DRM_IOCTL_PANTHOR_VM_CREATE		DRM_IOCTL_PANTHOR(VM_CREATE, vm_create)
#define DRM_IOCTL_PANTHOR_VM_DESTROY		DRM_IOCTL_PANTHOR(VM_DESTROY, vm_destroy)
#define DRM_IOCTL_PANTHOR_VM_BIND		DRM_IOCTL_PANTHOR(VM_BIND, vm_bind)
#define DRM_IOCTL_PANTHOR_VM_GET_STATE		DRM_IOCTL_PANTHOR(VM_GET_STATE, vm_get_state)
#define DRM_IOCTL_PANTHOR_BO_CREATE		DRM_IOCTL_PANTHOR(BO_CREATE, bo_create)
#define DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET	DRM_IOCTL_PANTHOR(BO_MMAP_OFFSET, bo_mmap_offset)
#define DRM_IOCTL_PANTHOR_GROUP_CREATE		DRM_IOCTL_PANTHOR(GROUP_CREATE, group_create)
#define DRM_IOCTL_PANTHOR_GROUP_DESTROY		DRM_IOCTL_PANTHOR(GROUP_DESTROY, group_destroy)
#define DRM_IOCTL_PANTHOR_GROUP_SUBMIT		DRM_IOCTL_PANTHOR(GROUP_SUBMIT, group_submit)
#define DRM_IOCTL_PANTHOR_GROUP_GET_STATE	DRM_IOCTL_PANTHOR(GROUP_GET_STATE, group_get_state)
#define DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE \
	DRM_IOCTL_PANTHOR(TILER_HEAP_CREATE, tiler_heap_create)
#define DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY \
	DRM_IOCTL_PANTHOR(TILER_HEAP_DESTROY, tiler_heap_destroy)
#define DRM_IOCTL_PANTHOR_BO_SET_LABEL		DRM_IOCTL_PANTHOR(BO_SET_LABEL, bo_set_label)
#define DRM_IOCTL_PANTHOR_SET_USER_MMIO_OFFSET \
	DRM_IOCTL_PANTHOR(SET_USER_MMIO_OFFSET, set_user_mmio_offset)
#define DRM_IOCTL_PANTHOR_BO_SYNC		DRM_IOCTL_PANTHOR(BO_SYNC, bo_sync)
#define DRM_IOCTL_PANTHOR_BO_QUERY_INFO		DRM_IOCTL_PANTHOR(BO_QUERY_INFO, bo_query_info)

#if defined(__cplusplus)
}
#endif

#endif
