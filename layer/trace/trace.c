// SPDX-License-Identifier: MIT
/*
 * libgemsync-trace: hooks for code that clang compiles with
 * -fsanitize-coverage=func,trace-loads,trace-stores. In a Vulkan application they tell the
 * layer of each load from memory that it gave out, so that a load of old data is found exactly.
 * Without the layer they cost two compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace.h"

static struct gemsync_trace trace = { .version = GEMSYNC_TRACE_VERSION };

/* The layer is in the same process: it takes this only where the process is its own. */
__attribute__((constructor)) static void publish(void)
{
	char text[48];

	snprintf(text, sizeof(text), "%ld:%llx", (long)getpid(),
		 (unsigned long long)(uintptr_t)&trace);
	setenv(GEMSYNC_TRACE_VARIABLE, text, 1);
}

static inline void loaded(const void *address, const void *code)
{
	uintptr_t at = (uintptr_t)address;
	void (*load)(const void *address, const void *code);

	if (at < atomic_load_explicit(&trace.start, memory_order_relaxed) ||
	    at >= atomic_load_explicit(&trace.end, memory_order_relaxed))
		return;
	load = atomic_load_explicit(&trace.load, memory_order_acquire);
	if (load)
		load(address, code);
}

#define LOAD(size)							\
	void __sanitizer_cov_load##size(const void *address);		\
	void __sanitizer_cov_load##size(const void *address)		\
	{								\
		loaded(address, __builtin_return_address(0));		\
	}								\
	void __sanitizer_cov_store##size(const void *address);		\
	void __sanitizer_cov_store##size(const void *address)		\
	{								\
	}

LOAD(1)
LOAD(2)
LOAD(4)
LOAD(8)
LOAD(16)
