/* SPDX-License-Identifier: MIT */
/* Making memory short for the fixture's device: by debugfs, by the shrinker, for real. */
#ifndef PRESSURE_H
#define PRESSURE_H

#include "fixture.h"

/* The fixture of a device that evicts on demand, or the test is skipped. */
struct fixture *need_eviction(void **state);

/* Open one of the device's debugfs files: a descriptor or -errno. */
int open_debugfs(const struct fixture *f, const char *file);

/* Write to the device's debugfs file: 0 or -errno. */
int write_debugfs(const struct fixture *f, const char *file, const char *text);

/* The number behind @name in a debugfs file of the device. */
uint64_t debugfs_number(const struct fixture *f, const char *file, const char *name);

/* Evict all that can go. Returns the number of pages that went. */
uint64_t evict_all(const struct fixture *f);

/* Pages that a BO has in memory; also of one that only a dma-buf keeps. */
uint64_t resident_pages(const struct fixture *f, const char *label);

/* Name a BO for resident_pages(). */
void set_label(const struct fixture *f, uint32_t handle, const char *label);

/* Bytes of swap there are; 0 without any. */
uint64_t swap_total(void);

/* The number behind a name in /proc/vmstat. */
uint64_t vmstat(const char *name);

/* Let all shrinkers run, as far as they come. */
void drop_slab(void);

/*
 * Use memory until the kernel has swapped @pages out since the call began, and give it
 * back. The test fails if that never happens.
 */
void swap_out(uint64_t pages);

#endif
