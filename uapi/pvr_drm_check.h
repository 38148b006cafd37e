/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Proof at compile time that pvr_drm.h is the ABI of the Linux driver: size of every
 * struct, offset and size of every member, every value, every request number. Include
 * it from one file of each side that speaks the ABI. Request numbers are those of
 * 64-bit x86, arm64 and riscv.
 */
#ifndef _PVR_DRM_CHECK_H_
#define _PVR_DRM_CHECK_H_

#include "pvr_drm.h"

#if defined(__cplusplus)
#define PVR_CHECK(what) static_assert(what, #what)
#else
#define PVR_CHECK(what) _Static_assert(what, #what)
#endif

#define PVR_CHECK_SIZE(object, bytes) \
	PVR_CHECK(sizeof(struct drm_pvr_##object) == (bytes))

#define PVR_CHECK_MEMBER(object, member, offset, bytes) \
	PVR_CHECK(__builtin_offsetof(struct drm_pvr_##object, member) == (offset) && \
		  sizeof(((struct drm_pvr_##object *)0)->member) == (bytes))

/* Enumerators are ints: negative ones extend to 64 bits. */
#define PVR_CHECK_VALUE(name, value) PVR_CHECK((__u64)(name) == (__u64)(value))

PVR_CHECK_SIZE(obj_array, 16);
PVR_CHECK_MEMBER(obj_array, stride, 0, 4);
PVR_CHECK_MEMBER(obj_array, count, 4, 4);
PVR_CHECK_MEMBER(obj_array, array, 8, 8);

PVR_CHECK_SIZE(dev_query_gpu_info, 16);
PVR_CHECK_MEMBER(dev_query_gpu_info, gpu_id, 0, 8);
PVR_CHECK_MEMBER(dev_query_gpu_info, num_phantoms, 8, 4);
PVR_CHECK_MEMBER(dev_query_gpu_info, _padding_c, 12, 4);

PVR_CHECK_SIZE(dev_query_runtime_info, 32);
PVR_CHECK_MEMBER(dev_query_runtime_info, free_list_min_pages, 0, 8);
PVR_CHECK_MEMBER(dev_query_runtime_info, free_list_max_pages, 8, 8);
PVR_CHECK_MEMBER(dev_query_runtime_info, common_store_alloc_region_size, 16, 4);
PVR_CHECK_MEMBER(dev_query_runtime_info, common_store_partition_space_size, 20, 4);
PVR_CHECK_MEMBER(dev_query_runtime_info, max_coeffs, 24, 4);
PVR_CHECK_MEMBER(dev_query_runtime_info, cdm_max_local_mem_size_regs, 28, 4);

PVR_CHECK_SIZE(dev_query_quirks, 16);
PVR_CHECK_MEMBER(dev_query_quirks, quirks, 0, 8);
PVR_CHECK_MEMBER(dev_query_quirks, count, 8, 2);
PVR_CHECK_MEMBER(dev_query_quirks, musthave_count, 10, 2);
PVR_CHECK_MEMBER(dev_query_quirks, _padding_c, 12, 4);

PVR_CHECK_SIZE(dev_query_enhancements, 16);
PVR_CHECK_MEMBER(dev_query_enhancements, enhancements, 0, 8);
PVR_CHECK_MEMBER(dev_query_enhancements, count, 8, 2);
PVR_CHECK_MEMBER(dev_query_enhancements, _padding_a, 10, 2);
PVR_CHECK_MEMBER(dev_query_enhancements, _padding_c, 12, 4);

PVR_CHECK_SIZE(heap, 24);
PVR_CHECK_MEMBER(heap, base, 0, 8);
PVR_CHECK_MEMBER(heap, size, 8, 8);
PVR_CHECK_MEMBER(heap, flags, 16, 4);
PVR_CHECK_MEMBER(heap, page_size_log2, 20, 4);

PVR_CHECK_SIZE(dev_query_heap_info, 16);
PVR_CHECK_MEMBER(dev_query_heap_info, heaps, 0, 16);

PVR_CHECK_SIZE(static_data_area, 16);
PVR_CHECK_MEMBER(static_data_area, area_usage, 0, 2);
PVR_CHECK_MEMBER(static_data_area, location_heap_id, 2, 2);
PVR_CHECK_MEMBER(static_data_area, size, 4, 4);
PVR_CHECK_MEMBER(static_data_area, offset, 8, 8);

PVR_CHECK_SIZE(dev_query_static_data_areas, 16);
PVR_CHECK_MEMBER(dev_query_static_data_areas, static_data_areas, 0, 16);

PVR_CHECK_SIZE(ioctl_dev_query_args, 16);
PVR_CHECK_MEMBER(ioctl_dev_query_args, type, 0, 4);
PVR_CHECK_MEMBER(ioctl_dev_query_args, size, 4, 4);
PVR_CHECK_MEMBER(ioctl_dev_query_args, pointer, 8, 8);

PVR_CHECK_SIZE(ioctl_create_bo_args, 24);
PVR_CHECK_MEMBER(ioctl_create_bo_args, size, 0, 8);
PVR_CHECK_MEMBER(ioctl_create_bo_args, handle, 8, 4);
PVR_CHECK_MEMBER(ioctl_create_bo_args, _padding_c, 12, 4);
PVR_CHECK_MEMBER(ioctl_create_bo_args, flags, 16, 8);

PVR_CHECK_SIZE(ioctl_get_bo_mmap_offset_args, 16);
PVR_CHECK_MEMBER(ioctl_get_bo_mmap_offset_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_get_bo_mmap_offset_args, _padding_4, 4, 4);
PVR_CHECK_MEMBER(ioctl_get_bo_mmap_offset_args, offset, 8, 8);

PVR_CHECK_SIZE(ioctl_create_vm_context_args, 8);
PVR_CHECK_MEMBER(ioctl_create_vm_context_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_create_vm_context_args, _padding_4, 4, 4);

PVR_CHECK_SIZE(ioctl_destroy_vm_context_args, 8);
PVR_CHECK_MEMBER(ioctl_destroy_vm_context_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_destroy_vm_context_args, _padding_4, 4, 4);

PVR_CHECK_SIZE(ioctl_vm_map_args, 40);
PVR_CHECK_MEMBER(ioctl_vm_map_args, vm_context_handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_vm_map_args, flags, 4, 4);
PVR_CHECK_MEMBER(ioctl_vm_map_args, device_addr, 8, 8);
PVR_CHECK_MEMBER(ioctl_vm_map_args, handle, 16, 4);
PVR_CHECK_MEMBER(ioctl_vm_map_args, _padding_14, 20, 4);
PVR_CHECK_MEMBER(ioctl_vm_map_args, offset, 24, 8);
PVR_CHECK_MEMBER(ioctl_vm_map_args, size, 32, 8);

PVR_CHECK_SIZE(ioctl_vm_unmap_args, 24);
PVR_CHECK_MEMBER(ioctl_vm_unmap_args, vm_context_handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_vm_unmap_args, _padding_4, 4, 4);
PVR_CHECK_MEMBER(ioctl_vm_unmap_args, device_addr, 8, 8);
PVR_CHECK_MEMBER(ioctl_vm_unmap_args, size, 16, 8);

PVR_CHECK_SIZE(ioctl_create_context_args, 40);
PVR_CHECK_MEMBER(ioctl_create_context_args, type, 0, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, flags, 4, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, priority, 8, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, handle, 12, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, static_context_state, 16, 8);
PVR_CHECK_MEMBER(ioctl_create_context_args, static_context_state_len, 24, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, vm_context_handle, 28, 4);
PVR_CHECK_MEMBER(ioctl_create_context_args, callstack_addr, 32, 8);

PVR_CHECK_SIZE(ioctl_destroy_context_args, 8);
PVR_CHECK_MEMBER(ioctl_destroy_context_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_destroy_context_args, _padding_4, 4, 4);

PVR_CHECK_SIZE(ioctl_create_free_list_args, 32);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, free_list_gpu_addr, 0, 8);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, initial_num_pages, 8, 4);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, max_num_pages, 12, 4);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, grow_num_pages, 16, 4);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, grow_threshold, 20, 4);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, vm_context_handle, 24, 4);
PVR_CHECK_MEMBER(ioctl_create_free_list_args, handle, 28, 4);

PVR_CHECK_SIZE(ioctl_destroy_free_list_args, 8);
PVR_CHECK_MEMBER(ioctl_destroy_free_list_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_destroy_free_list_args, _padding_4, 4, 4);

PVR_CHECK_SIZE(create_hwrt_geom_data_args, 32);
PVR_CHECK_MEMBER(create_hwrt_geom_data_args, tpc_dev_addr, 0, 8);
PVR_CHECK_MEMBER(create_hwrt_geom_data_args, tpc_size, 8, 4);
PVR_CHECK_MEMBER(create_hwrt_geom_data_args, tpc_stride, 12, 4);
PVR_CHECK_MEMBER(create_hwrt_geom_data_args, vheap_table_dev_addr, 16, 8);
PVR_CHECK_MEMBER(create_hwrt_geom_data_args, rtc_dev_addr, 24, 8);

PVR_CHECK_SIZE(create_hwrt_rt_data_args, 24);
PVR_CHECK_MEMBER(create_hwrt_rt_data_args, pm_mlist_dev_addr, 0, 8);
PVR_CHECK_MEMBER(create_hwrt_rt_data_args, macrotile_array_dev_addr, 8, 8);
PVR_CHECK_MEMBER(create_hwrt_rt_data_args, region_header_dev_addr, 16, 8);

PVR_CHECK_SIZE(ioctl_create_hwrt_dataset_args, 136);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, geom_data_args, 0, 32);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, rt_data_args, 32, 48);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, free_list_handles, 80, 8);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, width, 88, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, height, 92, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, samples, 96, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, layers, 100, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_lower_x, 104, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_lower_y, 108, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_scale_x, 112, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_scale_y, 116, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_upper_x, 120, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, isp_merge_upper_y, 124, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, region_header_size, 128, 4);
PVR_CHECK_MEMBER(ioctl_create_hwrt_dataset_args, handle, 132, 4);

PVR_CHECK_SIZE(ioctl_destroy_hwrt_dataset_args, 8);
PVR_CHECK_MEMBER(ioctl_destroy_hwrt_dataset_args, handle, 0, 4);
PVR_CHECK_MEMBER(ioctl_destroy_hwrt_dataset_args, _padding_4, 4, 4);

PVR_CHECK_SIZE(sync_op, 16);
PVR_CHECK_MEMBER(sync_op, handle, 0, 4);
PVR_CHECK_MEMBER(sync_op, flags, 4, 4);
PVR_CHECK_MEMBER(sync_op, value, 8, 8);

PVR_CHECK_SIZE(hwrt_data_ref, 8);
PVR_CHECK_MEMBER(hwrt_data_ref, set_handle, 0, 4);
PVR_CHECK_MEMBER(hwrt_data_ref, data_index, 4, 4);

PVR_CHECK_SIZE(job, 48);
PVR_CHECK_MEMBER(job, type, 0, 4);
PVR_CHECK_MEMBER(job, context_handle, 4, 4);
PVR_CHECK_MEMBER(job, flags, 8, 4);
PVR_CHECK_MEMBER(job, cmd_stream_len, 12, 4);
PVR_CHECK_MEMBER(job, cmd_stream, 16, 8);
PVR_CHECK_MEMBER(job, sync_ops, 24, 16);
PVR_CHECK_MEMBER(job, hwrt, 40, 8);

PVR_CHECK_SIZE(ioctl_submit_jobs_args, 16);
PVR_CHECK_MEMBER(ioctl_submit_jobs_args, jobs, 0, 16);

PVR_CHECK_VALUE(DRM_IOCTL_PVR_DEV_QUERY, 0xc0106440);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_CREATE_BO, 0xc0186441);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET, 0xc0106442);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_CREATE_VM_CONTEXT, 0xc0086443);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_DESTROY_VM_CONTEXT, 0x40086444);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_VM_MAP, 0x40286445);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_VM_UNMAP, 0x40186446);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_CREATE_CONTEXT, 0xc0286447);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_DESTROY_CONTEXT, 0x40086448);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_CREATE_FREE_LIST, 0xc0206449);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_DESTROY_FREE_LIST, 0x4008644a);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_CREATE_HWRT_DATASET, 0xc088644b);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_DESTROY_HWRT_DATASET, 0x4008644c);
PVR_CHECK_VALUE(DRM_IOCTL_PVR_SUBMIT_JOBS, 0x4010644d);
PVR_CHECK_VALUE(DRM_PVR_BO_BYPASS_DEVICE_CACHE, 0x1);
PVR_CHECK_VALUE(DRM_PVR_BO_PM_FW_PROTECT, 0x2);
PVR_CHECK_VALUE(DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS, 0x4);
PVR_CHECK_VALUE(DRM_PVR_BO_FLAGS_MASK, 0x7);
PVR_CHECK_VALUE(PVR_DRM_HWRT_FREE_LIST_LOCAL, 0x0);
PVR_CHECK_VALUE(PVR_DRM_HWRT_FREE_LIST_GLOBAL, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_MASK, 0xf);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_SYNCOBJ, 0x0);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAG_HANDLE_TYPE_TIMELINE_SYNCOBJ, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAG_SIGNAL, 0x80000000);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAG_WAIT, 0x0);
PVR_CHECK_VALUE(DRM_PVR_SYNC_OP_FLAGS_MASK, 0x8000000f);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_GEOM_CMD_FIRST, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_GEOM_CMD_LAST, 0x2);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_GEOM_CMD_SINGLE_CORE, 0x4);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_GEOM_CMD_FLAGS_MASK, 0x7);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_SINGLE_CORE, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_DEPTHBUFFER, 0x2);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_STENCILBUFFER, 0x4);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_PREVENT_CDM_OVERLAP, 0x8);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_SCRATCHBUFFER, 0x10);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_GET_VIS_RESULTS, 0x20);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_PARTIAL_RENDER, 0x40);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_DISABLE_PIXELMERGE, 0x80);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_FRAG_CMD_FLAGS_MASK, 0xff);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_PREVENT_ALL_OVERLAP, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_SINGLE_CORE, 0x2);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_COMPUTE_CMD_FLAGS_MASK, 0x3);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_TRANSFER_CMD_SINGLE_CORE, 0x1);
PVR_CHECK_VALUE(DRM_PVR_SUBMIT_JOB_TRANSFER_CMD_FLAGS_MASK, 0x1);
PVR_CHECK_VALUE(DRM_PVR_HEAP_GENERAL, 0x0);
PVR_CHECK_VALUE(DRM_PVR_HEAP_PDS_CODE_DATA, 0x1);
PVR_CHECK_VALUE(DRM_PVR_HEAP_USC_CODE, 0x2);
PVR_CHECK_VALUE(DRM_PVR_HEAP_RGNHDR, 0x3);
PVR_CHECK_VALUE(DRM_PVR_HEAP_VIS_TEST, 0x4);
PVR_CHECK_VALUE(DRM_PVR_HEAP_TRANSFER_FRAG, 0x5);
PVR_CHECK_VALUE(DRM_PVR_HEAP_COUNT, 0x6);
PVR_CHECK_VALUE(DRM_PVR_STATIC_DATA_AREA_EOT, 0x0);
PVR_CHECK_VALUE(DRM_PVR_STATIC_DATA_AREA_FENCE, 0x1);
PVR_CHECK_VALUE(DRM_PVR_STATIC_DATA_AREA_VDM_SYNC, 0x2);
PVR_CHECK_VALUE(DRM_PVR_STATIC_DATA_AREA_YUV_CSC, 0x3);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_GPU_INFO_GET, 0x0);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_RUNTIME_INFO_GET, 0x1);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_QUIRKS_GET, 0x2);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_ENHANCEMENTS_GET, 0x3);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_HEAP_INFO_GET, 0x4);
PVR_CHECK_VALUE(DRM_PVR_DEV_QUERY_STATIC_DATA_AREAS_GET, 0x5);
PVR_CHECK_VALUE(DRM_PVR_CTX_PRIORITY_LOW, 0xfffffffffffffe00ULL);
PVR_CHECK_VALUE(DRM_PVR_CTX_PRIORITY_NORMAL, 0x0);
PVR_CHECK_VALUE(DRM_PVR_CTX_PRIORITY_HIGH, 0x200);
PVR_CHECK_VALUE(DRM_PVR_CTX_TYPE_RENDER, 0x0);
PVR_CHECK_VALUE(DRM_PVR_CTX_TYPE_COMPUTE, 0x1);
PVR_CHECK_VALUE(DRM_PVR_CTX_TYPE_TRANSFER_FRAG, 0x2);
PVR_CHECK_VALUE(DRM_PVR_JOB_TYPE_GEOMETRY, 0x0);
PVR_CHECK_VALUE(DRM_PVR_JOB_TYPE_FRAGMENT, 0x1);
PVR_CHECK_VALUE(DRM_PVR_JOB_TYPE_COMPUTE, 0x2);
PVR_CHECK_VALUE(DRM_PVR_JOB_TYPE_TRANSFER_FRAG, 0x3);

#endif
