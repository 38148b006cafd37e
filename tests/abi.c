// SPDX-License-Identifier: MIT
/*
 * The library's binary interface on LP64: sizes and offsets of what crosses it, and the
 * values of its constants. A change here is a change of the ABI, and of the soversion.
 * Compiled, never run, as C and as C++.
 */
#include <gemsync/cpu.h>
#include <gemsync/driver.h>
#include <gemsync/gemsync.h>
#include <gemsync/range.h>

#ifdef __cplusplus
#define ASSERT(condition)	static_assert(condition, #condition)
#else
#define ASSERT(condition)	_Static_assert(condition, #condition)
#endif

#define SIZE(type, size)		ASSERT(sizeof(struct type) == (size))
#define MEMBER(type, member, offset)	ASSERT(offsetof(struct type, member) == (offset))

SIZE(gemsync_cpu_info, 40);
MEMBER(gemsync_cpu_info, granule, 8);
MEMBER(gemsync_cpu_info, features, 16);
MEMBER(gemsync_cpu_info, backend, 24);
MEMBER(gemsync_cpu_info, why, 32);
ASSERT(GEMSYNC_BEFORE_DEVICE == 0 && GEMSYNC_BEFORE_CPU == 1);
ASSERT(GEMSYNC_CPU_KEEPS_LINES == 1 && GEMSYNC_CPU_STREAMS == 2 && GEMSYNC_CPU_REPEATS == 4);
ASSERT(GEMSYNC_UPLOAD_CACHED == 1);

SIZE(gemsync_range, 16);
MEMBER(gemsync_range, size, 8);
SIZE(gemsync_op, 32);
MEMBER(gemsync_op, type, 8);
MEMBER(gemsync_op, offset, 16);
MEMBER(gemsync_op, size, 24);
ASSERT(GEMSYNC_FLUSH == 0 && GEMSYNC_INVALIDATE == 1);
SIZE(gemsync_batch_limits, 24);
MEMBER(gemsync_batch_limits, offset_max, 0);
MEMBER(gemsync_batch_limits, size_max, 8);
MEMBER(gemsync_batch_limits, count_max, 16);
SIZE(gemsync_batch, 80);
MEMBER(gemsync_batch, room, 8);
MEMBER(gemsync_batch, count, 16);
MEMBER(gemsync_batch, line, 24);
MEMBER(gemsync_batch, flags, 32);
MEMBER(gemsync_batch, limits, 40);
MEMBER(gemsync_batch, submit, 64);
MEMBER(gemsync_batch, context, 72);
ASSERT(GEMSYNC_BATCH_UPGRADE == 1);

SIZE(gemsync_device_info, 144);
MEMBER(gemsync_device_info, node, 32);
MEMBER(gemsync_device_info, version_major, 112);
MEMBER(gemsync_device_info, version_minor, 116);
MEMBER(gemsync_device_info, coherent, 120);
MEMBER(gemsync_device_info, can_sync, 121);
MEMBER(gemsync_device_info, emulated, 122);
MEMBER(gemsync_device_info, chaos, 123);
MEMBER(gemsync_device_info, line_size, 124);
MEMBER(gemsync_device_info, page_size, 128);
MEMBER(gemsync_device_info, granule, 136);
SIZE(gemsync_counters, 16);
SIZE(gemsync_violation_counters, 32);
MEMBER(gemsync_violation_counters, cpu_store_stale, 8);
MEMBER(gemsync_violation_counters, dev_write_dirty, 16);
MEMBER(gemsync_violation_counters, dev_read_dirty, 24);
MEMBER(gemsync_counters, lines_dropped, 8);
/* What came behind the owner came later: old callers have the first 120 bytes. */
SIZE(gemsync_violation, 296);
MEMBER(gemsync_violation, cpu_address, 280);
MEMBER(gemsync_violation, pc, 288);
MEMBER(gemsync_violation, time_ns, 120);
MEMBER(gemsync_violation, cause, 132);
MEMBER(gemsync_violation, stride, 136);
MEMBER(gemsync_violation, times, 168);
MEMBER(gemsync_violation, bo, 176);
MEMBER(gemsync_violation, bo_pid, 196);
MEMBER(gemsync_violation, job, 200);
MEMBER(gemsync_violation, pid, 232);
MEMBER(gemsync_violation, last_sync, 236);
MEMBER(gemsync_violation, last_pid, 272);
MEMBER(gemsync_violation, cpu_address, 280);
MEMBER(gemsync_violation, pc, 288);
MEMBER(gemsync_violation, offset, 8);
MEMBER(gemsync_violation, size, 16);
MEMBER(gemsync_violation, owner, 88);
MEMBER(gemsync_violation, label, 24);
ASSERT(GEMSYNC_LOST_UPDATE == 0 && GEMSYNC_DEV_READ_DIRTY == 3);
ASSERT(GEMSYNC_CAUSE_MISSING == 0 && GEMSYNC_CAUSE_TOO_SHORT == 2);
ASSERT(GEMSYNC_LAST_NONE == 0 && GEMSYNC_LAST_FORGOTTEN == 3);
ASSERT(GEMSYNC_VIOLATIONS_OWN == 1);
SIZE(gemsync_bo_info, 24);
MEMBER(gemsync_bo_info, imported, 4);
MEMBER(gemsync_bo_info, needs_sync, 5);
MEMBER(gemsync_bo_info, path, 8);
MEMBER(gemsync_bo_info, why, 16);
ASSERT(GEMSYNC_BO_CACHED == 1 && GEMSYNC_BO_NO_MMAP == 2 && GEMSYNC_BO_SHAREABLE == 4);
ASSERT(GEMSYNC_PATH_AUTO == 0 && GEMSYNC_PATH_DRIVER == 1 && GEMSYNC_PATH_CPU == 2 &&
       GEMSYNC_PATH_NONE == 3);
ASSERT(GEMSYNC_ACCESS_READ == 1 && GEMSYNC_ACCESS_WRITE == 2);

SIZE(gemsync_sync_abi, 40);
MEMBER(gemsync_sync_abi, encode, 8);
MEMBER(gemsync_sync_abi, request, 16);
MEMBER(gemsync_sync_abi, args_size, 24);
MEMBER(gemsync_sync_abi, encode_args, 32);
ASSERT(GEMSYNC_SYNC_ARGS == 64);
SIZE(gemsync_driver_gpu, 96);
MEMBER(gemsync_driver_gpu, address, 16);
MEMBER(gemsync_driver_gpu, binds_readonly, 40);
MEMBER(gemsync_driver_gpu, copy, 48);
MEMBER(gemsync_driver_gpu, spin_end, 88);
SIZE(gemsync_driver, 112);
MEMBER(gemsync_driver, version_major, 16);
MEMBER(gemsync_driver, query, 24);
MEMBER(gemsync_driver, bo_create, 48);
MEMBER(gemsync_driver, bo_madvise, 80);
MEMBER(gemsync_driver, sync_abi, 96);
MEMBER(gemsync_driver, gpu, 104);
