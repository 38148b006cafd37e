/* SPDX-License-Identifier: MIT */
/*
 * Calls of the panfrost driver as they are. Tests with need_panfrost() are skipped on
 * devices of other drivers. Calls that return int return 0 or -errno.
 */
#ifndef PANFROST_CALLS_H
#define PANFROST_CALLS_H

#include "fixture.h"
#include "jm_asm.h"
#include "panfrost_drm.h"

#define PAGE		4096ull
#define CHUNK		(2 * MIB)	/* by which heaps grow */
#define MSEC		1000000ll	/* ns */
#define LONG_NS		(10000 * MSEC)	/* a job that takes longer hangs */

/* The fixture, or the test is skipped: it needs any panfrost device; */
struct fixture *need_panfrost(void **state);
/* one that knows the virtual jobs of core/jm.h. */
struct fixture *need_virtual_jobs(void **state);

/* ---- BOs, which live as long as the file ---- */

int pf_create_bo(int fd, uint32_t size, uint32_t flags, uint32_t *handle);
void pf_close_bo(int fd, uint32_t handle);
/* Those that must work: */
uint32_t pf_new_bo(int fd, uint32_t size, uint32_t flags);
uint64_t pf_bo_va(int fd, uint32_t handle);
/* A map of the whole BO, or MAP_FAILED with errno. */
void *pf_map_bo(int fd, uint32_t handle, uint64_t size);

/* Ask, or wait for at most @timeout_ns. */
int pf_wait_bo(int fd, uint32_t handle, int64_t timeout_ns);
int pf_madvise_bo(int fd, uint32_t handle, uint32_t madv, uint32_t *retained);
int pf_query_bo(int fd, uint32_t handle, uint32_t *create_flags, uint32_t *extra_flags);
int pf_sync_bo(int fd, const struct drm_panfrost_bo_sync_op *ops, uint32_t count);

/* ---- Chains: jobs in a write-combined BO ---- */

struct chain {
	int fd;
	uint32_t bo;
	struct jm_job *jobs;	/* CHAIN_MAX of them */
	uint64_t va;		/* of the first one */
};

#define CHAIN_MAX	64

struct chain new_chain(struct fixture *f);
/* The same on another file of the device. */
struct chain new_chain_on(int fd);
/* Where job @n is. */
uint64_t job_va(const struct chain *chain, uint32_t n);

/* Jobs 0 and 1 run each other for ever. */
void put_endless(struct chain *chain);

/* The submit of the chain, for tests to change. */
struct drm_panfrost_submit submit_args(const struct chain *chain, uint32_t out_sync);
int pf_submit(int fd, struct drm_panfrost_submit *args);

/* ---- Syncobjs ---- */

uint32_t pf_new_syncobj(int fd);
int pf_wait_syncobj(int fd, uint32_t syncobj, int64_t timeout_ns);
/* With what error the fence in a syncobj ended, or 0. */
int pf_syncobj_error(int fd, uint32_t syncobj);
/* Submit the chain's first job, wait, and say with what error it ended. */
int run_chain(const struct chain *chain);

/* ---- Contexts ---- */

int pf_create_ctx(int fd, uint32_t priority, uint32_t *handle);
int pf_destroy_ctx(int fd, uint32_t handle);

int pf_get_param(int fd, uint32_t param, uint64_t *value);

/* A number in /sys/module/PATH; the test is skipped without it. */
long pf_module_value(const char *path);

#endif
