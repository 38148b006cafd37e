/* SPDX-License-Identifier: MIT */
/*
 * What the files of the simulated device share:
 *
 *	sim.c		the device as the library sees it: options, BOs, syncs
 *	sim_memory.c	BOs' memory under an emulated cache: lines, chaos, violations
 *	sim_vm.c	the GPU's address space, and its accesses to memory
 *	sim_gpu.c	queues, and the thread that executes them
 *	sim_watch.c	touches of the CPU's maps, and the thread that looks at them
 *
 * One lock guards everything but the bytes of the maps: CPU threads load and store
 * there at any time, which is what core/line.h is made for.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include <pthread.h>

#include "../internal.h"
#include "../sim.h"
#include "batch.h"
#include "csf.h"
#include "jm.h"
#include "line.h"
#include "policy.h"
#include "random.h"
#include "record.h"
#include "violation.h"

#define SIM_WINDOW	4096u	/* bytes that one call of core/line.h works on */
#define SIM_UNDER_WORDS	2u	/* bits for the lines of a window: they have 32 bytes or more */

enum sim_mode {
	SIM_LAZY,
	SIM_CHAOS,
	SIM_COHERENT,
	SIM_KIND,	/* lazy, and no line is cached before the BO is mapped */
};

/* Whose front end the GPU has, and whose rules the BOs follow. */
enum sim_driver {
	SIM_PANTHOR,	/* command streams; who binds is the user */
	SIM_PANFROST,	/* job chains; every BO has an address from the start */
};

struct sim_config {
	enum sim_driver driver;
	uint32_t line;		/* bytes */
	enum sim_mode mode;
	uint64_t seed;
	enum gs_policy policy;
	uint32_t watch;		/* GEMSYNC_WATCH_* */
};

/* What is known of the CPU's and the jobs' accesses to a window, where they are watched. */
struct sim_window {
	uint32_t writer;	/* the last job that wrote here */
	uint8_t written;	/* and it has not ended */
	uint8_t watched;	/* the next touch is looked at */
	uint8_t writable;	/* while stores are watched: maps may store without a touch */
};

/*
 * A BO. M, C and B are as in core/line.h. M exists when the BO is populated, and C and B
 * of a cached BO with it: zeroing the pages left their lines in the cache, and nobody may
 * count on their being gone. With SIM_KIND they exist from the first map on. All are
 * anonymous maps that cost nothing until somebody touches them.
 */
struct sim_bo {
	unsigned int refs;	/* the handle, and each piece of address space */
	uint64_t size;		/* bytes, whole pages */
	uint32_t flags;		/* GEMSYNC_BO_* */
	uint64_t va;		/* where SIM_PANFROST has bound it, else 0 */
	struct gs_object object;	/* for reports */
	struct gs_sync_log syncs;
	uint64_t *mem;
	uint64_t *cache;
	uint64_t *base;
	void *view;		/* what the CPU maps of C, if its touches are watched; else NULL */
	struct sim_window *windows;	/* with a view, else NULL */
	uint64_t listed_first;	/* all windows that are written or writable are in here */
	uint64_t listed_end;
	uint64_t *under;	/* SIM_UNDER_WORDS for each window, as in core/line.h */
	uint64_t *touched;	/* the same, of gs_lines.stored */
	/*
	 * The content, all zero, is still in the cache only, and memory is poisoned
	 * (R17). The poison is put there by the first view that would show it.
	 */
	bool fresh;
	bool stored;		/* memory is not all zero any more, as far as is known */
};

/* A piece of the GPU's address space. */
struct sim_va {
	uint64_t va;
	uint64_t size;
	struct sim_bo *bo;
	uint64_t offset;	/* bytes into the BO */
	uint32_t flags;		/* GEMSYNC_SIM_* */
};

struct sim_vm {
	struct sim_va *vas;	/* in ascending addresses, none overlap */
	size_t count;
	size_t room;
};

/* A handle of a BO, or a free one. */
struct sim_handle {
	struct sim_bo *bo;
};

#define SIM_JOBS	64u	/* that are remembered */

/* sim_watch.c */
struct sim_watch {
	int fd;			/* userfaultfd; negative: nothing is watched */
	int stop;		/* eventfd */
	pthread_t thread;
	struct gs_job jobs[SIM_JOBS];	/* that have ended, by number */
};

struct sim {
	/*
	 * Whoever wants the lock waits for it with its turn taken. Without turns the
	 * GPU thread, which drops the lock only to take it again, would starve all
	 * others.
	 */
	pthread_mutex_t turn;
	pthread_mutex_t lock;
	struct sim_config config;
	struct gs_random random;
	struct sim_handle *handles;	/* from handle 1 on */
	size_t handle_count;
	uint64_t last_id;		/* of a BO */
	struct sim_vm vm;
	struct gemsync_costs costs;
	struct gs_journal journal;
	struct gs_record *records;	/* the journal's */
	const struct gs_job *job;	/* that the GPU executes, or NULL */
	struct sim_watch watch;
	bool job_expired;		/* and that ends now, waiting for a word in vain */

	struct gemsync_sim_queue *queues;
	uint32_t queue_count;		/* that there ever were */
	pthread_t gpu;
	bool gpu_started;
	bool gpu_stops;
	uint64_t stores;		/* device stores and syncs: blocked streams look again */

	/*
	 * What threads sleep for has a lock of its own, which is taken last: a sleeper
	 * that woke up with the lock above would take it without waiting for its turn.
	 */
	pthread_mutex_t bell_lock;
	pthread_cond_t gpu_wakes;
	pthread_cond_t stream_ended;
	bool gpu_rung;			/* there is a stream to execute, or something to look at */
};

void gemsync_sim_lock(struct sim *sim);
void gemsync_sim_unlock(struct sim *sim);

/* The lock is held by the callers of all that follows, but for gemsync_sim_gpu_stop(). */

/* NULL if the handle is unknown. */
struct sim_bo *gemsync_sim_bo_find(struct sim *sim, uint32_t handle);

/* ---- sim_memory.c ---- */

/* Drop a reference, and the memory with the last one. */
void gemsync_sim_bo_put(struct sim_bo *bo);

/* Give the BO its pages, if it has none: they read as zero in every view (R17). */
int gemsync_sim_populate(struct sim *sim, struct sim_bo *bo);

/* The bytes that a CPU map shows: C for cached BOs of an incoherent device, else M. */
int gemsync_sim_cpu_view(struct sim *sim, struct sim_bo *bo, void **out);

/* Before the first access of the device or of a write-combined map. */
void gemsync_sim_memory_view(struct sim *sim, struct sim_bo *bo);

/* Maintenance of the lines of a range inside a populated BO; counted. */
void gemsync_sim_clean(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size);
void gemsync_sim_drop(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size);

/* The CPU loads a byte of its map: a violation if the line is stale. */
void gemsync_sim_cpu_load(struct sim *sim, struct sim_bo *bo, uint64_t offset);

/* The CPU stores to a byte of its map, maybe what is there. */
void gemsync_sim_cpu_store(struct sim *sim, struct sim_bo *bo, uint64_t offset);

/* Remember a sync of a range, for reports. */
void gemsync_sim_note_sync(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t size,
			   enum gs_sync_type type);

/* Device accesses to a range of a populated BO. */
void gemsync_sim_dev_read(struct sim *sim, struct sim_bo *bo, uint64_t offset, void *to,
			  uint32_t size);
void gemsync_sim_dev_write(struct sim *sim, struct sim_bo *bo, uint64_t offset, const void *from,
			   uint32_t size);

/* Those of sync objects: one aligned word of 4 or 8 bytes, in one step. */
uint64_t gemsync_sim_dev_poll(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint32_t size);
void gemsync_sim_dev_set(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t value,
			 uint32_t size);
void gemsync_sim_dev_add(struct sim *sim, struct sim_bo *bo, uint64_t offset, uint64_t value,
			 uint32_t size);

/* In chaos mode: lines move, some in the page at @offset, some anywhere. */
void gemsync_sim_chaos(struct sim *sim, struct sim_bo *bo, uint64_t offset);

/* ---- sim_vm.c ---- */

void gemsync_sim_vm_fini(struct sim_vm *vm);

/* Bind a new BO where there is room, and unbind it. 0, -ENOMEM or -ENOSPC. */
int gemsync_sim_bind_somewhere(struct sim *sim, struct sim_bo *bo);
void gemsync_sim_unbind_bo(struct sim *sim, struct sim_bo *bo);

/* The GPU's accesses through the address space; the context is the struct sim. */
extern const struct gs_csf_mem gemsync_sim_csf_mem;
extern const struct gs_jm_mem gemsync_sim_jm_mem;

/* ---- sim_watch.c ---- */

/* 0; -EPERM; -EOPNOTSUPP if the kernel cannot do it; or another error. */
int gemsync_sim_watch_init(struct sim *sim);

/* Before the lock goes. Without it. */
void gemsync_sim_watch_stop(struct sim *sim);

/* C, and the view of it that the CPU maps. 0 or -errno. */
int gemsync_sim_watch_map(struct sim *sim, uint64_t size, uint64_t **cache, void **view);

/* Before anybody knows that the job has ended. */
void gemsync_sim_watch_job_ends(struct sim *sim, const struct gs_job *job);

/* ---- sim_gpu.c ---- */

int gemsync_sim_gpu_init(struct sim *sim);

/* The GPU thread ends. Without the lock. */
void gemsync_sim_gpu_stop(struct sim *sim);

/* After a store or a sync that a blocked stream may wait for. */
void gemsync_sim_gpu_kick(struct sim *sim);

#endif
