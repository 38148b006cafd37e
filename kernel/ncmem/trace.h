/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ncmem

#if !defined(NCMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NCMEM_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

#include "internal.h"

TRACE_EVENT(ncmem_violation,
	TP_PROTO(struct device *dev, const struct gs_record *record),
	TP_ARGS(dev, record),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__string(kind, gs_violation_name(record->kind))
		__string(label, record->object.label)
		__string(program, record->object.program)
		__field(int, pid)
		__field(u64, id)
		__field(u64, offset)
		__field(u64, size)
		__field(u32, rows)
		__field(u64, stride)
		__field(u64, job)
	),
	TP_fast_assign(
		__assign_str(device);
		__assign_str(kind);
		__assign_str(label);
		__assign_str(program);
		__entry->pid = record->object.pid;
		__entry->id = record->object.id;
		__entry->offset = record->offset;
		__entry->size = record->size;
		__entry->rows = record->rows;
		__entry->stride = record->stride;
		__entry->job = record->job.number;
	),
	TP_printk("%s %s label=\"%s\" owner=%s:%d bo=%llu %llu+%llu rows=%u stride=%llu job=%llu",
		  __get_str(device), __get_str(kind), __get_str(label), __get_str(program),
		  __entry->pid, __entry->id, __entry->offset, __entry->size, __entry->rows,
		  __entry->stride, __entry->job)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
