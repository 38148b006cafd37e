/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_gem_sync

#if !defined(GEM_SYNC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define GEM_SYNC_TRACE_H

#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

#include <access.h>
#include <batch.h>

/* A range of a shmem object was maintained, or the walk ended early with an error. */
TRACE_EVENT(drm_gem_sync,
	TP_PROTO(const struct drm_gem_object *obj, u64 offset, u64 size, u32 type, int error),
	TP_ARGS(obj, offset, size, type, error),
	TP_STRUCT__entry(
		__string(device, dev_name(obj->dev->dev))
		__field(const void *, obj)
		__field(u64, offset)
		__field(u64, size)
		__field(u32, type)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->obj = obj;
		__entry->offset = offset;
		__entry->size = size;
		__entry->type = type;
		__entry->error = error;
	),
	TP_printk("%s obj=%p offset=%llu size=%llu %s error=%d", __get_str(device), __entry->obj,
		  __entry->offset, __entry->size,
		  __entry->type == GS_SYNC_FLUSH ? "flush" : "flush+invalidate", __entry->error)
);

/* An op was refused before anything was done. */
TRACE_EVENT(drm_gem_sync_refused,
	TP_PROTO(const struct drm_gem_object *obj, const struct gs_sync_op *op, int error),
	TP_ARGS(obj, op, error),
	TP_STRUCT__entry(
		__string(device, dev_name(obj->dev->dev))
		__field(const void *, obj)
		__field(u64, limit)
		__field(u64, offset)
		__field(u64, size)
		__field(u32, type)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->obj = obj;
		__entry->limit = obj->size;
		__entry->offset = op->offset;
		__entry->size = op->size;
		__entry->type = op->type;
		__entry->error = error;
	),
	TP_printk("%s obj=%p of %llu bytes: offset=%llu size=%llu type=%u error=%d",
		  __get_str(device), __entry->obj, __entry->limit, __entry->offset,
		  __entry->size, __entry->type, __entry->error)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
