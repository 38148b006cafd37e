/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ncmem

#if !defined(NCMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NCMEM_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

#include "internal.h"

TRACE_EVENT(ncmem_violation,
	TP_PROTO(struct device *dev, const struct ncmem_report *report),
	TP_ARGS(dev, report),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__string(kind, gs_violation_name(report->violation.kind))
		__string(label, report->owner.label)
		__string(comm, report->owner.comm)
		__field(int, pid)
		__field(u64, offset)
		__field(u64, size)
	),
	TP_fast_assign(
		__assign_str(device);
		__assign_str(kind);
		__assign_str(label);
		__assign_str(comm);
		__entry->pid = report->owner.pid;
		__entry->offset = report->offset;
		__entry->size = report->size;
	),
	TP_printk("%s %s label=\"%s\" owner=%s:%d offset=%llu size=%llu", __get_str(device),
		  __get_str(kind), __get_str(label), __get_str(comm), __entry->pid,
		  __entry->offset, __entry->size)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
