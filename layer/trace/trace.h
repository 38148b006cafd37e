/* SPDX-License-Identifier: MIT */
/* How the hooks in an application and the layer find each other. */
#ifndef GEMSYNC_TRACE_H
#define GEMSYNC_TRACE_H

#include <stdatomic.h>
#include <stdint.h>

#define GEMSYNC_TRACE_VARIABLE	"GEMSYNC_TRACE"
#define GEMSYNC_TRACE_VERSION	1

struct gemsync_trace {
	uint32_t version;
	/* Loads in here are of interest; written by the layer. */
	atomic_uintptr_t start;
	atomic_uintptr_t end;
	void (*_Atomic load)(const void *address, const void *code);
};

#endif
