/* SPDX-License-Identifier: MIT */
/* What cases ask the machine: memory, and what the kernel counts. */
#ifndef MACHINE_H
#define MACHINE_H

#include "case.h"

/* Bytes that can be had without swapping. */
uint64_t memory_available(void);

/* Skip the case if there are fewer, and say how to have them. */
void need_memory(uint64_t bytes);

/* Page faults of this process that needed no disk, so far. */
long faults_now(void);

/*
 * A counter among a module's parameters. -ENOENT if there is none: the device is not
 * one of a driver that has it, or the module is not loaded.
 */
int module_counter(const char *module, const char *name, uint64_t *value);

/* The folder of the parameters of the device's own module, whether or not it has any. */
int module_parameters(struct cf *cf, char *path, size_t size);

/* One of them, without its line's end. 0 or -errno. */
int module_parameter(struct cf *cf, const char *name, char *value, size_t size);

/* What the BOs have, as far as the device and its modules say. */
struct memory {
	bool has_resident, has_pages, has_shadows;	/* which of these can be read */
	uint64_t resident;	/* bytes of the file's BOs that have pages (fdinfo) */
	uint64_t pages;		/* of all BOs of drivers on drm_gem_sync */
	uint64_t shadows;	/* pages with an emulated cache */
};

struct memory memory_now(struct cf *cf);

/* Skip the case if nothing says what BOs have. */
void need_memory_counters(struct cf *cf);

/* Pages that the device's BOs have lost to eviction so far. 0 or -errno. */
int evicted_pages(struct cf *cf, uint64_t *pages);

/* Evict all that can go (NEED_EVICTION): how many pages went. */
uint64_t evict_all(struct cf *cf);

/* A descriptor for threads: each write of EVICT_ALL to it evicts all that can go. */
int open_evict(struct cf *cf);

#define EVICT_ALL	"all"

/* Whether debugfs purges the device's BOs. */
bool can_purge(struct cf *cf);

/* Purge all that is not needed (NEED_PURGE). */
void purge_all(struct cf *cf);

/* Of what can be read nothing changed, or all grew that new pages are counted in. */
void expect_same_memory(struct cf *cf, const struct memory *before);
void expect_more_memory(struct cf *cf, const struct memory *before);

#endif
