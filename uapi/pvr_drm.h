/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * User-space ABI of the powervr DRM driver (Imagination GPUs from Series 6 on), of
 * driver version 1.0.
 *
 * Layouts, values and request numbers are those of the Linux driver, so programs
 * built against this header run on it and the other way round; see
 * pvr_drm_check.h. The descriptions are this project's own. Rules R1..R26 are those
 * of the CPU-access contract.
 *
 * The ABI has no call that synchronizes CPU caches: what user space maps is
 * write-combined on a device that does not snoop (R12). Cached BOs are the
 * kernel's own.
 *
 * Errors that are not repeated for each call: -EFAULT for a user pointer that
 * cannot be read or written, -ENOMEM, -EINTR, and an error after the device was
 * unplugged. Members called _padding_* are 0 going in, else -EINVAL.
 *
 * May be included from the kernel, from C11 and from C++17. User space needs
 * <drm/drm.h> (linux-libc-dev), libdrm's <drm.h>, or neither.
 */
#ifndef _PVR_DRM_H_
#define _PVR_DRM_H_

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

/**
 * struct drm_pvr_obj_array - an array of objects in user memory
 *
 * The stride lets objects grow: both sides read and write as much of each object as
 * both know. A stride that is too short for the object's first version is -EINVAL;
 * bytes going in that the kernel does not know must be zero, else -E2BIG.
 */
struct drm_pvr_obj_array {
	/** @stride: Bytes from one object to the next. */
	__u32 stride;

	/** @count: Number of objects; 0 is an empty array. */
	__u32 count;

	/** @array: User pointer to the first object. */
	__u64 array;
};

/* Initializer of a struct drm_pvr_obj_array: @cnt objects from pointer @ptr on. */
#define DRM_PVR_OBJ_ARRAY(cnt, ptr) \
	{ (__u32)sizeof(*(ptr)), (__u32)(cnt), (__u64)(__UINTPTR_TYPE__)(ptr) }

/* ---- Queries ---- */

/** enum drm_pvr_dev_query - what &struct drm_pvr_ioctl_dev_query_args asks for */
enum drm_pvr_dev_query {
	/** @DRM_PVR_DEV_QUERY_GPU_INFO_GET: &struct drm_pvr_dev_query_gpu_info */
	DRM_PVR_DEV_QUERY_GPU_INFO_GET = 0,

	/** @DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET: &struct drm_pvr_dev_query_runtime_info */
	DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET = 1,

	/** @DRM_PVR_DEV_QUERY_QUIRKS_GET: &struct drm_pvr_dev_query_quirks */
	DRM_PVR_DEV_QUERY_QUIRKS_GET = 2,

	/** @DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET: &struct drm_pvr_dev_query_enhancements */
	DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET = 3,

	/** @DRM_PVR_DEV_QUERY_HEAP_INFO_GET: &struct drm_pvr_dev_query_heap_info */
	DRM_PVR_DEV_QUERY_HEAP_INFO_GET = 4,

	/**
	 * @DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET: &struct
	 * drm_pvr_dev_query_static_data_areas
	 */
	DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET = 5,
};

/**
 * struct drm_pvr_dev_query_gpu_info - which GPU it is
 */
struct drm_pvr_dev_query_gpu_info {
	/**
	 * @gpu_id: Branch, version, number of scalable units and configuration, 16 bits
	 * each, the branch on top.
	 */
	__u64 gpu_id;

	/** @num_phantoms: Number of groups of shader clusters. */
	__u32 num_phantoms;

	/** @_padding_c: 0. */
	__u32 _padding_c;
};

/**
 * struct drm_pvr_dev_query_runtime_info - limits that user space computes with
 */
struct drm_pvr_dev_query_runtime_info {
	/** @free_list_min_pages: Least pages of a free list. */
	__u64 free_list_min_pages;

	/** @free_list_max_pages: Most pages of a free list. */
	__u64 free_list_max_pages;

	/** @common_store_alloc_region_size: Registers of the common store to allocate from. */
	__u32 common_store_alloc_region_size;

	/** @common_store_partition_space_size: Registers of it that hold pixel partitions. */
	__u32 common_store_partition_space_size;

	/** @max_coeffs: Most coefficient registers. */
	__u32 max_coeffs;

	/** @cdm_max_local_mem_size_regs: Most registers of local memory of a compute kernel. */
	__u32 cdm_max_local_mem_size_regs;
};

/**
 * struct drm_pvr_dev_query_quirks - numbers of the GPU's bugs that user space works around
 *
 * -E2BIG if there are more than @count.
 */
struct drm_pvr_dev_query_quirks {
	/** @quirks: User pointer to room for the numbers, __u32 each; 0 asks for @count alone. */
	__u64 quirks;

	/** @count: In: room for so many; out: so many there are. */
	__u16 count;

	/**
	 * @musthave_count: Out, with @quirks: so many, from the first on, that user space
	 * has to know, or else must not use the GPU.
	 */
	__u16 musthave_count;

	/** @_padding_c: Must be 0. */
	__u32 _padding_c;
};

/**
 * struct drm_pvr_dev_query_enhancements - numbers of what the GPU has beyond its version
 *
 * -E2BIG if there are more than @count.
 */
struct drm_pvr_dev_query_enhancements {
	/** @enhancements: As &drm_pvr_dev_query_quirks.quirks. */
	__u64 enhancements;

	/** @count: In: room for so many; out: so many there are. */
	__u16 count;

	/** @_padding_a: Must be 0. */
	__u16 _padding_a;

	/** @_padding_c: Must be 0. */
	__u32 _padding_c;
};

/** enum drm_pvr_heap_id - parts of the address space, indices of the array of heaps */
enum drm_pvr_heap_id {
	/** @DRM_PVR_HEAP_GENERAL: What has no heap of its own. */
	DRM_PVR_HEAP_GENERAL = 0,

	/** @DRM_PVR_HEAP_PDS_CODE_DATA: Programs and data of the data sequencer. */
	DRM_PVR_HEAP_PDS_CODE_DATA = 1,

	/** @DRM_PVR_HEAP_USC_CODE: Shader programs. */
	DRM_PVR_HEAP_USC_CODE = 2,

	/** @DRM_PVR_HEAP_RGNHDR: Region headers; of size 0 on GPUs that need no such heap. */
	DRM_PVR_HEAP_RGNHDR = 3,

	/** @DRM_PVR_HEAP_VIS_TEST: Results of visibility tests. */
	DRM_PVR_HEAP_VIS_TEST = 4,

	/** @DRM_PVR_HEAP_TRANSFER_FRAG: What fragment jobs of transfers use. */
	DRM_PVR_HEAP_TRANSFER_FRAG = 5,

	/** @DRM_PVR_HEAP_COUNT: Number of heaps. */
	DRM_PVR_HEAP_COUNT,
};

/**
 * struct drm_pvr_heap - a part of the address space
 */
struct drm_pvr_heap {
	/** @base: Its first address. */
	__u64 base;

	/** @size: Bytes; 0 if the GPU does not have it. */
	__u64 size;

	/** @flags: 0. */
	__u32 flags;

	/** @page_size_log2: Addresses and sizes of mappings are multiples of 2^this. */
	__u32 page_size_log2;
};

/**
 * struct drm_pvr_dev_query_heap_info - the heaps
 */
struct drm_pvr_dev_query_heap_info {
	/**
	 * @heaps: Room for &struct drm_pvr_heap, in the order of &enum drm_pvr_heap_id;
	 * out: the count of those that were written. An array at 0 asks for count and
	 * stride alone.
	 */
	struct drm_pvr_obj_array heaps;
};

/** enum drm_pvr_static_data_area_usage - for what memory is set aside in a heap */
enum drm_pvr_static_data_area_usage {
	/** @DRM_PVR_STATIC_DATA_AREA_EOT: Program at the end of a tile. */
	DRM_PVR_STATIC_DATA_AREA_EOT = 0,

	/** @DRM_PVR_STATIC_DATA_AREA_FENCE: Written by memory fences. */
	DRM_PVR_STATIC_DATA_AREA_FENCE = 1,

	/** @DRM_PVR_STATIC_DATA_AREA_VDM_SYNC: Program that synchronizes vertex data. */
	DRM_PVR_STATIC_DATA_AREA_VDM_SYNC = 2,

	/** @DRM_PVR_STATIC_DATA_AREA_YUV_CSC: Coefficients of colour spaces. */
	DRM_PVR_STATIC_DATA_AREA_YUV_CSC = 3,
};

/**
 * struct drm_pvr_static_data_area - a place that firmware expects things in
 */
struct drm_pvr_static_data_area {
	/** @area_usage: Of &enum drm_pvr_static_data_area_usage. */
	__u16 area_usage;

	/** @location_heap_id: Of &enum drm_pvr_heap_id. */
	__u16 location_heap_id;

	/** @size: Bytes. */
	__u32 size;

	/** @offset: Bytes from the heap's base on. */
	__u64 offset;
};

/**
 * struct drm_pvr_dev_query_static_data_areas - the areas
 */
struct drm_pvr_dev_query_static_data_areas {
	/**
	 * @static_data_areas: Room for &struct drm_pvr_static_data_area; as
	 * &drm_pvr_dev_query_heap_info.heaps.
	 */
	struct drm_pvr_obj_array static_data_areas;
};

/**
 * struct drm_pvr_ioctl_dev_query_args - DRM_IOCTL_PVR_DEV_QUERY
 *
 * -EINVAL for an unknown type, or a @size less than that of the struct's first version.
 */
struct drm_pvr_ioctl_dev_query_args {
	/** @type: Of &enum drm_pvr_dev_query. */
	__u32 type;

	/**
	 * @size: Bytes that user space has room for; out: bytes of the struct that were
	 * written. What is beyond them is zeroed.
	 */
	__u32 size;

	/** @pointer: User pointer to the struct; 0 asks for its @size alone. */
	__u64 pointer;
};

/* ---- Buffer objects ---- */

/* The GPU's caches do not keep what is read of the BO. */
#define DRM_PVR_BO_BYPASS_DEVICE_CACHE		(1ULL << 0)
/* Only firmware and the parameter manager access the BO: no job, and no user space. */
#define DRM_PVR_BO_PM_FW_PROTECT		(1ULL << 1)
/* User space may map the BO; without it, mmap() is -EINVAL (R16). */
#define DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS	(1ULL << 2)
#define DRM_PVR_BO_FLAGS_MASK \
	(DRM_PVR_BO_BYPASS_DEVICE_CACHE | DRM_PVR_BO_PM_FW_PROTECT | \
	 DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS)

/*
 * Not of the user-space ABI: the flag that the kernel's own BOs have whose CPU maps are
 * cached. From user space it is -EINVAL, as any other bit, except where a kernel was
 * changed to take it.
 */
#define PVR_BO_CPU_CACHED			(1ULL << 63)

/**
 * struct drm_pvr_ioctl_create_bo_args - DRM_IOCTL_PVR_CREATE_BO
 *
 * The content is zero (R17). -EINVAL for a @size of 0 or one that is not a multiple of
 * the page size, an unknown flag, or PM_FW_PROTECT with ALLOW_CPU_USERSPACE_ACCESS.
 */
struct drm_pvr_ioctl_create_bo_args {
	/** @size: Bytes. */
	__u64 size;

	/** @handle: Out: GEM handle. */
	__u32 handle;

	/** @_padding_c: Must be 0. */
	__u32 _padding_c;

	/** @flags: DRM_PVR_BO_*. */
	__u64 flags;
};

/**
 * struct drm_pvr_ioctl_get_bo_mmap_offset_args - DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET
 *
 * Of any native BO, also one that mmap() then refuses. -ENOENT for an unknown handle;
 * -EPERM for an imported BO (R15).
 */
struct drm_pvr_ioctl_get_bo_mmap_offset_args {
	/** @handle: The BO. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;

	/** @offset: Out: offset for mmap() on the DRM file. */
	__u64 offset;
};

/* ---- Address spaces ---- */

/**
 * struct drm_pvr_ioctl_create_vm_context_args - DRM_IOCTL_PVR_CREATE_VM_CONTEXT
 */
struct drm_pvr_ioctl_create_vm_context_args {
	/** @handle: Out: handle, never 0. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;
};

/**
 * struct drm_pvr_ioctl_destroy_vm_context_args - DRM_IOCTL_PVR_DESTROY_VM_CONTEXT
 *
 * Everything is unmapped. -EINVAL for an unknown handle.
 */
struct drm_pvr_ioctl_destroy_vm_context_args {
	/** @handle: Of DRM_IOCTL_PVR_CREATE_VM_CONTEXT. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;
};

/**
 * struct drm_pvr_ioctl_vm_map_args - DRM_IOCTL_PVR_VM_MAP: map part of a BO
 *
 * In place of what is mapped there. -EINVAL for flags, addresses that are not all in
 * one heap, an unknown VM context, a range that leaves the BO or is empty, or any of
 * the three not being a multiple of the page size; -ENOENT for an unknown BO.
 */
struct drm_pvr_ioctl_vm_map_args {
	/** @vm_context_handle: The VM context. */
	__u32 vm_context_handle;

	/** @flags: Must be 0. */
	__u32 flags;

	/** @device_addr: GPU address. */
	__u64 device_addr;

	/** @handle: The BO. */
	__u32 handle;

	/** @_padding_14: Must be 0. */
	__u32 _padding_14;

	/** @offset: Bytes into the BO. */
	__u64 offset;

	/** @size: Bytes. */
	__u64 size;
};

/**
 * struct drm_pvr_ioctl_vm_unmap_args - DRM_IOCTL_PVR_VM_UNMAP: unmap one whole mapping
 *
 * -EINVAL for an unknown VM context; -ENOENT if there is no mapping of exactly this
 * address and size.
 */
struct drm_pvr_ioctl_vm_unmap_args {
	/** @vm_context_handle: The VM context. */
	__u32 vm_context_handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;

	/** @device_addr: GPU address of the mapping. */
	__u64 device_addr;

	/** @size: Bytes of the mapping. */
	__u64 size;
};

/* ---- Contexts: what runs jobs ---- */

/** enum drm_pvr_ctx_priority - priority of a context */
enum drm_pvr_ctx_priority {
	/** @DRM_PVR_CTX_PRIORITY_LOW: Behind the others. */
	DRM_PVR_CTX_PRIORITY_LOW = -512,

	/** @DRM_PVR_CTX_PRIORITY_NORMAL: The usual one. */
	DRM_PVR_CTX_PRIORITY_NORMAL = 0,

	/** @DRM_PVR_CTX_PRIORITY_HIGH: Before the others; for CAP_SYS_NICE or the DRM master. */
	DRM_PVR_CTX_PRIORITY_HIGH = 512,
};

/** enum drm_pvr_ctx_type - what kinds of jobs a context runs */
enum drm_pvr_ctx_type {
	/** @DRM_PVR_CTX_TYPE_RENDER: Geometry and fragment jobs. */
	DRM_PVR_CTX_TYPE_RENDER = 0,

	/** @DRM_PVR_CTX_TYPE_COMPUTE: Compute jobs. */
	DRM_PVR_CTX_TYPE_COMPUTE = 1,

	/** @DRM_PVR_CTX_TYPE_TRANSFER_FRAG: Transfers done by fragment jobs. */
	DRM_PVR_CTX_TYPE_TRANSFER_FRAG = 2,
};

/**
 * struct drm_pvr_ioctl_create_context_args - DRM_IOCTL_PVR_CREATE_CONTEXT
 *
 * -EINVAL for an unknown type, priority or VM context, flags, or a state that is missing
 * or, for transfers, there; -EACCES for a priority that the file may not use.
 */
struct drm_pvr_ioctl_create_context_args {
	/** @type: Of &enum drm_pvr_ctx_type. */
	__u32 type;

	/** @flags: Must be 0. */
	__u32 flags;

	/** @priority: Of &enum drm_pvr_ctx_priority. */
	__s32 priority;

	/** @handle: Out: handle. */
	__u32 handle;

	/** @static_context_state: User pointer to a stream of registers. */
	__u64 static_context_state;

	/** @static_context_state_len: Bytes of the stream. */
	__u32 static_context_state_len;

	/** @vm_context_handle: The address space of its jobs. */
	__u32 vm_context_handle;

	/** @callstack_addr: GPU address of call stacks; render contexts alone have it. */
	__u64 callstack_addr;
};

/**
 * struct drm_pvr_ioctl_destroy_context_args - DRM_IOCTL_PVR_DESTROY_CONTEXT
 *
 * -EINVAL for an unknown handle.
 */
struct drm_pvr_ioctl_destroy_context_args {
	/** @handle: Of DRM_IOCTL_PVR_CREATE_CONTEXT. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;
};

/**
 * struct drm_pvr_ioctl_create_free_list_args - DRM_IOCTL_PVR_CREATE_FREE_LIST
 *
 * Pages that the parameter manager takes from; numbers of pages are multiples of 4.
 * -EINVAL for numbers out of order, a list that shall grow by nothing, an unknown VM
 * context, or an address where no suitable BO is mapped that holds 4 bytes a page.
 */
struct drm_pvr_ioctl_create_free_list_args {
	/** @free_list_gpu_addr: GPU address of a firmware-protected BO for the list itself. */
	__u64 free_list_gpu_addr;

	/** @initial_num_pages: Pages to begin with. */
	__u32 initial_num_pages;

	/** @max_num_pages: Most pages. */
	__u32 max_num_pages;

	/** @grow_num_pages: Pages by which it grows at a time. */
	__u32 grow_num_pages;

	/** @grow_threshold: Percentage in use at which it grows. */
	__u32 grow_threshold;

	/** @vm_context_handle: The address space. */
	__u32 vm_context_handle;

	/** @handle: Out: handle. */
	__u32 handle;
};

/**
 * struct drm_pvr_ioctl_destroy_free_list_args - DRM_IOCTL_PVR_DESTROY_FREE_LIST
 *
 * -EINVAL for an unknown handle.
 */
struct drm_pvr_ioctl_destroy_free_list_args {
	/** @handle: Of DRM_IOCTL_PVR_CREATE_FREE_LIST. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;
};

/**
 * struct drm_pvr_create_hwrt_geom_data_args - what geometry jobs need of a render target
 */
struct drm_pvr_create_hwrt_geom_data_args {
	/** @tpc_dev_addr: GPU address of the tail pointer cache. */
	__u64 tpc_dev_addr;

	/** @tpc_size: Bytes of it. */
	__u32 tpc_size;

	/** @tpc_stride: Bytes from one layer's to the next. */
	__u32 tpc_stride;

	/** @vheap_table_dev_addr: GPU address of the table of virtual heaps. */
	__u64 vheap_table_dev_addr;

	/** @rtc_dev_addr: GPU address of the render target cache. */
	__u64 rtc_dev_addr;
};

/**
 * struct drm_pvr_create_hwrt_rt_data_args - what both halves of a render target have each
 */
struct drm_pvr_create_hwrt_rt_data_args {
	/** @pm_mlist_dev_addr: GPU address of the parameter manager's list. */
	__u64 pm_mlist_dev_addr;

	/** @macrotile_array_dev_addr: GPU address of the array of macrotiles. */
	__u64 macrotile_array_dev_addr;

	/** @region_header_dev_addr: GPU address of the region headers. */
	__u64 region_header_dev_addr;
};

/* Indices of &drm_pvr_ioctl_create_hwrt_dataset_args.free_list_handles. */
#define PVR_DRM_HWRT_FREE_LIST_LOCAL	0
#define PVR_DRM_HWRT_FREE_LIST_GLOBAL	1U

/**
 * struct drm_pvr_ioctl_create_hwrt_dataset_args - DRM_IOCTL_PVR_CREATE_HWRT_DATASET
 *
 * A render target as firmware knows it. -EINVAL for an unknown free list or impossible
 * dimensions.
 */
struct drm_pvr_ioctl_create_hwrt_dataset_args {
	/** @geom_data_args: For geometry jobs. */
	struct drm_pvr_create_hwrt_geom_data_args geom_data_args;

	/** @rt_data_args: The two halves, used in turn. */
	struct drm_pvr_create_hwrt_rt_data_args rt_data_args[2];

	/** @free_list_handles: PVR_DRM_HWRT_FREE_LIST_* are the indices. */
	__u32 free_list_handles[2];

	/** @width: Pixels. */
	__u32 width;

	/** @height: Pixels. */
	__u32 height;

	/** @samples: Samples of a pixel. */
	__u32 samples;

	/** @layers: Layers. */
	__u32 layers;

	/** @isp_merge_lower_x: Lower end of the merging of samples, in x. */
	__u32 isp_merge_lower_x;

	/** @isp_merge_lower_y: In y. */
	__u32 isp_merge_lower_y;

	/** @isp_merge_scale_x: Scale of the merging, in x. */
	__u32 isp_merge_scale_x;

	/** @isp_merge_scale_y: In y. */
	__u32 isp_merge_scale_y;

	/** @isp_merge_upper_x: Upper end of the merging, in x. */
	__u32 isp_merge_upper_x;

	/** @isp_merge_upper_y: In y. */
	__u32 isp_merge_upper_y;

	/** @region_header_size: Bytes of the region headers. */
	__u32 region_header_size;

	/** @handle: Out: handle. */
	__u32 handle;
};

/**
 * struct drm_pvr_ioctl_destroy_hwrt_dataset_args - DRM_IOCTL_PVR_DESTROY_HWRT_DATASET
 *
 * -EINVAL for an unknown handle.
 */
struct drm_pvr_ioctl_destroy_hwrt_dataset_args {
	/** @handle: Of DRM_IOCTL_PVR_CREATE_HWRT_DATASET. */
	__u32 handle;

	/** @_padding_4: Must be 0. */
	__u32 _padding_4;
};

/* ---- Jobs ---- */

/* Flags of a &struct drm_pvr_sync_op: what the handle is, and what is done with it. */
#define DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_MASK			0xf
#define DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_SYNCOBJ		0
#define DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_TIMELINE_SYNCOBJ	1
#define DRM_PVR_SYNC_OP_FLAG_SIGNAL				(1U << 31)
#define DRM_PVR_SYNC_OP_FLAG_WAIT				0
#define DRM_PVR_SYNC_OP_FLAGS_MASK \
	(DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_MASK | DRM_PVR_SYNC_OP_FLAG_SIGNAL)

/**
 * struct drm_pvr_sync_op - one thing to wait for or to signal
 */
struct drm_pvr_sync_op {
	/** @handle: Syncobj handle of the same file. */
	__u32 handle;

	/** @flags: DRM_PVR_SYNC_OP_FLAG_*. */
	__u32 flags;

	/** @value: Point on the timeline; 0 for a binary syncobj. */
	__u64 value;
};

/* Flags of geometry jobs: the first or last of a render, and that one core does it. */
#define DRM_PVR_SUBMIT_JOB_GEOM_CMD_FIRST			(1U << 0)
#define DRM_PVR_SUBMIT_JOB_GEOM_CMD_LAST			(1U << 1)
#define DRM_PVR_SUBMIT_JOB_GEOM_CMD_SINGLE_CORE			(1U << 2)
#define DRM_PVR_SUBMIT_JOB_GEOM_CMD_FLAGS_MASK			0x7U

/* Flags of fragment jobs: one core, what buffers there are, and how it is done. */
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_SINGLE_CORE			(1U << 0)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_DEPTHBUFFER			(1U << 1)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_STENCILBUFFER		(1U << 2)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_PREVENT_CDM_OVERLAP		(1U << 3)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_SCRATCHBUFFER		(1U << 4)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_GET_VIS_RESULTS		(1U << 5)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_PARTIAL_RENDER		(1U << 6)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_DISABLE_PIXELMERGE		(1U << 7)
#define DRM_PVR_SUBMIT_JOB_FRAG_CMD_FLAGS_MASK			0xffU

/* Flags of compute jobs: alone on the GPU, and that one core does it. */
#define DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_PREVENT_ALL_OVERLAP	(1U << 0)
#define DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_SINGLE_CORE		(1U << 1)
#define DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_FLAGS_MASK		0x3U

/* Flags of transfers. */
#define DRM_PVR_SUBMIT_JOB_TRANSFER_CMD_SINGLE_CORE		(1U << 0)
#define DRM_PVR_SUBMIT_JOB_TRANSFER_CMD_FLAGS_MASK		0x1U

/** enum drm_pvr_job_type - kinds of jobs */
enum drm_pvr_job_type {
	/** @DRM_PVR_JOB_TYPE_GEOMETRY: Of a render context. */
	DRM_PVR_JOB_TYPE_GEOMETRY = 0,

	/** @DRM_PVR_JOB_TYPE_FRAGMENT: Of a render context. */
	DRM_PVR_JOB_TYPE_FRAGMENT = 1,

	/** @DRM_PVR_JOB_TYPE_COMPUTE: Of a compute context. */
	DRM_PVR_JOB_TYPE_COMPUTE = 2,

	/** @DRM_PVR_JOB_TYPE_TRANSFER_FRAG: Of a transfer context. */
	DRM_PVR_JOB_TYPE_TRANSFER_FRAG = 3,
};

/**
 * struct drm_pvr_hwrt_data_ref - one half of a render target
 */
struct drm_pvr_hwrt_data_ref {
	/** @set_handle: Of DRM_IOCTL_PVR_CREATE_HWRT_DATASET. */
	__u32 set_handle;

	/** @data_index: Which half. */
	__u32 data_index;
};

/**
 * struct drm_pvr_job - one job
 */
struct drm_pvr_job {
	/** @type: Of &enum drm_pvr_job_type. */
	__u32 type;

	/** @context_handle: What runs it. */
	__u32 context_handle;

	/** @flags: DRM_PVR_SUBMIT_JOB_*, of its type. */
	__u32 flags;

	/** @cmd_stream_len: Bytes of the commands. */
	__u32 cmd_stream_len;

	/** @cmd_stream: User pointer to the commands. */
	__u64 cmd_stream;

	/** @sync_ops: Of &struct drm_pvr_sync_op. */
	struct drm_pvr_obj_array sync_ops;

	/** @hwrt: The render target; geometry and fragment jobs alone have it. */
	struct drm_pvr_hwrt_data_ref hwrt;
};

/**
 * struct drm_pvr_ioctl_submit_jobs_args - DRM_IOCTL_PVR_SUBMIT_JOBS
 *
 * All of the jobs, or none. -EINVAL for an unknown type, flag or handle.
 */
struct drm_pvr_ioctl_submit_jobs_args {
	/** @jobs: Of &struct drm_pvr_job; no jobs are -EINVAL. */
	struct drm_pvr_obj_array jobs;
};

/* Driver commands of DRM ('d') begin at 0x40; some are read and written, some read alone. */
#define PVR_IOCTL(how, number, object) \
	how('d', 0x40 + (number), struct drm_pvr_ioctl_##object##_args)

#define DRM_IOCTL_PVR_DEV_QUERY			PVR_IOCTL(_IOWR, 0x0, dev_query)
#define DRM_IOCTL_PVR_CREATE_BO			PVR_IOCTL(_IOWR, 0x1, create_bo)
#define DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET	PVR_IOCTL(_IOWR, 0x2, get_bo_mmap_offset)
#define DRM_IOCTL_PVR_CREATE_VM_CONTEXT		PVR_IOCTL(_IOWR, 0x3, create_vm_context)
#define DRM_IOCTL_PVR_DESTROY_VM_CONTEXT	PVR_IOCTL(_IOW, 0x4, destroy_vm_context)
#define DRM_IOCTL_PVR_VM_MAP			PVR_IOCTL(_IOW, 0x5, vm_map)
#define DRM_IOCTL_PVR_VM_UNMAP			PVR_IOCTL(_IOW, 0x6, vm_unmap)
#define DRM_IOCTL_PVR_CREATE_CONTEXT		PVR_IOCTL(_IOWR, 0x7, create_context)
#define DRM_IOCTL_PVR_DESTROY_CONTEXT		PVR_IOCTL(_IOW, 0x8, destroy_context)
#define DRM_IOCTL_PVR_CREATE_FREE_LIST		PVR_IOCTL(_IOWR, 0x9, create_free_list)
#define DRM_IOCTL_PVR_DESTROY_FREE_LIST		PVR_IOCTL(_IOW, 0xa, destroy_free_list)
#define DRM_IOCTL_PVR_CREATE_HWRT_DATASET	PVR_IOCTL(_IOWR, 0xb, create_hwrt_dataset)
#define DRM_IOCTL_PVR_DESTROY_HWRT_DATASET	PVR_IOCTL(_IOW, 0xc, destroy_hwrt_dataset)
#define DRM_IOCTL_PVR_SUBMIT_JOBS		PVR_IOCTL(_IOW, 0xd, submit_jobs)

#if defined(__cplusplus)
}
#endif

#endif
