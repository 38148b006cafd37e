/* SPDX-License-Identifier: MIT */
/*
 * Everything at once on one device (R19): several processes, each with a DRM file and
 * threads on it. A thread is a worker: it repeats one random step until its session
 * ends, which is when the device goes, or the session has had its time. What a worker
 * chooses comes from the seed; how the choices of different workers meet does not.
 *
 * Functions return 0 or -errno.
 */
#ifndef STRESS_H
#define STRESS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "gpu.h"
#include "gpu_panthor.h"
#include "panthor_drm.h"
#include "random.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define KIB			1024u
#define PAGE			4096u
#define CLIENTS			3u	/* processes that behave; one more is hostile */
#define RING			16u	/* BOs that come and go while others sync them */

/* What is counted; a run that never did one of these proves too little. */
#define OPERATIONS(op) \
	op(OPEN, "open") op(COPY, "copy") op(FILL, "fill") op(STORE, "store") \
	op(LOAD, "load") op(FLUSH, "flush") op(INVALIDATE, "invalidate") op(BATCH, "batch") \
	op(BIND, "bind") op(BIND_ASYNC, "bind-async") op(LOOK, "look") op(FAULT, "fault") \
	op(CREATE, "create") op(MAP, "map") op(REMAP, "remap") op(CLOSE, "close") \
	op(SYNC, "sync") op(REFUSAL, "refusal") op(LABEL, "label") op(QUERY, "query") \
	op(EXPORT, "export") op(SEND, "send") op(IMPORT, "import") op(VGEM, "vgem") \
	op(HEAP, "heap") op(HOSTILE, "hostile") op(ENDLESS, "endless") op(KILL, "kill") \
	op(UNBIND, "unbind") op(SIGBUS, "sigbus") op(GONE, "gone")

#define OPERATION_NUMBER(name, text) OP_##name,
enum operation {
	OPERATIONS(OPERATION_NUMBER)
	OPERATION_COUNT
};

/* In memory that all processes share. */
struct control {
	atomic_bool stop;
	atomic_uint generation;	/* of the device; odd while it goes and comes */
	atomic_ulong counts[OPERATION_COUNT];
	atomic_ulong bytes;	/* that were checked */
	atomic_ulong bytes_wrong;
	atomic_ulong failures;	/* calls that failed and must not */
	atomic_ulong messages;	/* of the above; the first ones are printed */
};

extern struct control *control;

struct shared_bo {
	struct gemsync_bo *bo;
	uint8_t *map;
	uint64_t va;
};

#define LINE_BOS	4u		/* the last one is write-combined */
#define LINE_BO_SIZE	(32u * KIB)

/* One DRM file with its address space, and what its workers share. */
struct session {
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	struct gemsync_gpu *gpu;
	int fd;
	uint32_t vm;
	unsigned int generation;	/* of the device that was opened */
	uint64_t cut;			/* seed of how the BOs are cut into pieces */
	struct shared_bo bos[LINE_BOS];
	_Atomic uint32_t ring[RING];	/* handles */
	atomic_bool ending;
};

/* A queue of the GPU with a place for its stream, and memory for what it reads. */
struct engine {
	struct gpu_queue *queue;
	unsigned int slot;
	uint64_t words[256];
	size_t count;
	struct shared_bo scratch;	/* write-combined, one page */
};

struct worker {
	const struct work *work;
	struct session *session;
	struct gs_random random;
	unsigned int client;		/* which process */
	unsigned int index;		/* which thread of it */
	bool tolerant;			/* what it has in hand may be of a device that went */
	int in, out;			/* sockets from and to other clients */
	struct engine engine;
	void *data;			/* of this kind of work */
	pthread_t thread;
};

/* A kind of work. All but step() run while no other worker of the session does. */
struct work {
	const char *name;
	size_t size;			/* of worker->data, zero at first */
	int (*setup)(struct worker *worker);
	int (*step)(struct worker *worker);
	int (*finish)(struct worker *worker);		/* while the file is open */
	void (*after_close)(struct worker *worker);
};

extern const struct work lines_work, binds_work, churn_work, sync_work, share_work;
extern const struct work hostile_work;

/* ---- session.c ---- */

/* Run sessions with these workers until the end. */
void run_sessions(struct worker *workers, unsigned int count);

/*
 * Every call that a worker makes goes through this: counts it, or, if it failed and
 * neither the device's going explains it nor the worker is tolerant, reports it.
 * Returns @ret.
 */
int done(struct worker *worker, enum operation op, int ret);

/* Compare what was read; report what is wrong. */
void check_bytes(struct worker *worker, enum operation op, const void *seen, const void *right,
		 size_t size);

uint32_t below(struct worker *worker, uint32_t limit);
int call(int fd, unsigned long request, void *arg);
int new_shared_bo(struct worker *worker, uint64_t size, uint32_t flags, struct shared_bo *out);

/* ---- engine.c: the GPU works ---- */

int engine_setup(struct worker *worker);
void engine_finish(struct worker *worker);

/* Up to 1 KiB, in words. They start; engine_wait() says how it ended, and replaces a dead queue. */
int engine_copy(struct worker *worker, uint64_t dst, uint64_t src, uint32_t size);
int engine_fill(struct worker *worker, uint64_t va, uint32_t value, uint32_t size);
int engine_endless(struct worker *worker);
int engine_wait(struct worker *worker);
int engine_replace(struct worker *worker);

/* The GPU's view of at most a page, in @data. */
int engine_read(struct worker *worker, uint64_t va, void *data, uint32_t size);

/* One VM_BIND of whole pages; handle 0 unmaps. */
struct drm_panthor_vm_bind_op bind_op(uint32_t handle, uint64_t offset, uint64_t va,
				      uint64_t size);
int bind_ops(struct session *session, uint32_t flags, const struct drm_panthor_vm_bind_op *ops,
	     uint32_t count);

#endif
