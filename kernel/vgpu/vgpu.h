/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vgpu: what virtual GPU drivers share. The overview is in main.c (DOC: overview).
 */
#ifndef VGPU_H
#define VGPU_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_exec.h>
#include <drm/gpu_scheduler.h>

#include <compat.h>
#include <gem_sync/drm_gem_sync.h>
#include <ncmem/ncmem.h>

#include "vgpu_vm.h"

struct drm_file;
struct drm_minor;
struct drm_printer;
struct file;
struct vgpu_client;
struct vgpu_fence;
struct vgpu_job;
struct vgpu_queue;
struct vgpu_task;
struct vgpu_turns;
struct xarray;

/* Priorities of groups: 0 is the lowest. */
#define VGPU_PRIORITIES	4

/* Engines of a device at most. */
#define VGPU_ENGINES	2

/* The longest that a job may take: fences have to be signalled in finite time. */
#define VGPU_MAX_JOB_TIMEOUT_MS	10000u

/**
 * enum vgpu_run - how a slice of a job ended
 */
enum vgpu_run {
	/** @VGPU_RUN_RUNNING: the budget is used up; there is more to do */
	VGPU_RUN_RUNNING,
	/** @VGPU_RUN_BLOCKED: it waits for a value in memory */
	VGPU_RUN_BLOCKED,
	/** @VGPU_RUN_DONE: the job is complete */
	VGPU_RUN_DONE,
	/** @VGPU_RUN_FAULT: the job cannot go on */
	VGPU_RUN_FAULT,
};

/**
 * struct vgpu_fault - why a job cannot go on, for the log
 */
struct vgpu_fault {
	/** @name: what went wrong, such as "unmapped read" */
	const char *name;
	/** @opcode: name of the command that did it */
	const char *opcode;
	/** @address: GPU address that could not be accessed, else @pc */
	u64 address;
	/** @pc: GPU address of the command */
	u64 pc;
	/** @command: the command's word; 0 when it could not be fetched */
	u64 command;
};

/**
 * struct vgpu_engine_ops - what executes the jobs of a driver's queues
 *
 * @start, @run and @fault are called for one job of a queue at a time, in the
 * path that signals fences: they must not allocate memory with GFP_KERNEL, take a
 * reservation lock, or take a lock that is held across such an allocation. GPU
 * memory is reached with vgpu_vm_read() and its relatives.
 */
struct vgpu_engine_ops {
	/**
	 * @create: make the engine's state of a queue
	 *
	 * Returns the state, or an ERR_PTR().
	 */
	void *(*create)(struct vgpu_queue *queue);

	/** @destroy: free the state; no job is left */
	void (*destroy)(void *state);

	/** @start: begin a job: @size bytes of commands at GPU address @va */
	void (*start)(void *state, u64 va, u64 size);

	/** @run: execute at most *@budget commands; *@budget is reduced by those executed */
	enum vgpu_run (*run)(void *state, u32 *budget);

	/** @fault: after VGPU_RUN_FAULT: tell why */
	void (*fault)(void *state, struct vgpu_fault *fault);

	/**
	 * @names: of the engines that fdinfo tells of: queue n of a group is of number n,
	 * and what is behind the last of the last
	 */
	const char *names[VGPU_ENGINES];
	/** @hz: cycles per second of all of them; the clock never changes */
	u32 hz;
};

/**
 * struct vgpu_device_config - what a driver decides about its device
 */
struct vgpu_device_config {
	/** @engine: executes the jobs; NULL if there are no queues */
	const struct vgpu_engine_ops *engine;
	/** @memory: parameters of the emulated memory */
	struct ncmem_params memory;
	/** @coherent: the device snoops CPU caches (R12) */
	bool coherent;
	/** @policy: which objects may be shared; see vgpu_policy_param_ops */
	enum drm_gem_sync_policy policy;
	/** @cached_needs_private: cached objects must be private, if @policy is strict (R13) */
	bool cached_needs_private;
	/** @map_imports: the exporter of an imported object maps it for the CPU (R15) */
	bool map_imports;
	/** @jobs_fail_alone: a fault or timeout ends the job, and its group goes on */
	bool jobs_fail_alone;
	/**
	 * @job_timeout_ms: a job that takes longer is killed (see DOC: timeouts), at most
	 * VGPU_MAX_JOB_TIMEOUT_MS; see vgpu_timeout_param_ops
	 */
	unsigned int job_timeout_ms;
};

/**
 * struct vgpu_driver - a module and the one device that it makes
 */
struct vgpu_driver {
	/** @base: the platform driver, of which the driver fills in its name, the device's too */
	struct platform_driver base;
	/** @drm: the DRM driver */
	const struct drm_driver *drm;
	/** @device_size: bytes of the driver's device, which begins with &struct vgpu_device */
	size_t device_size;
	/** @configure: fill in what the driver decides; the rest is zero */
	void (*configure)(struct vgpu_device_config *config);
	/**
	 * @init: optional; make the driver's part of a device
	 *
	 * Called in probe, before anybody can open the device. What it makes goes with the
	 * device (drmm_add_action()). Returns 0 or a negative errno, which fails the probe.
	 */
	int (*init)(struct vgpu_device *vdev);

	/* vgpu's: */

	/** @pdev: the device, made by vgpu_driver_register() */
	struct platform_device *pdev;
	/** @devices: that are not freed yet, unplugged ones too */
	atomic_t devices;
};

int __vgpu_driver_register(struct vgpu_driver *driver, struct module *owner);
void vgpu_driver_unregister(struct vgpu_driver *driver);

/* For module_init(); see __vgpu_driver_register(). */
#define vgpu_driver_register(driver) __vgpu_driver_register(driver, THIS_MODULE)

/**
 * struct vgpu_device - a virtual GPU; drivers embed it as their first member
 */
struct vgpu_device {
	/** @drm: the DRM device, made by devm_drm_dev_alloc() */
	struct drm_device drm;
	/** @gem: the device as drm_gem_sync knows it */
	struct drm_gem_sync_device gem;
	/** @nc: the emulated memory; behind an unplug nothing is mapped there any more */
	struct ncmem *nc;
	/** @engine: executes the jobs */
	const struct vgpu_engine_ops *engine;
	/** @jobs_fail_alone: as configured */
	bool jobs_fail_alone;
	/** @job_timeout_ms: as configured */
	unsigned int job_timeout_ms;

	/** @sched_wq: schedulers, in the path that signals fences */
	struct workqueue_struct *sched_wq;
	/** @run_wq: slices of jobs, in the path that signals fences */
	struct workqueue_struct *run_wq;
	/** @devices: &vgpu_driver.devices */
	atomic_t *devices;

	/** @import_lock: read: an import; write: an unplug, which waits for those under way */
	struct rw_semaphore import_lock;
	/** @lock: protects @groups and the labels of objects */
	struct mutex lock;
	/** @groups: all groups that can be killed */
	struct list_head groups;
	/** @group_ids: ids for log lines */
	atomic_t group_ids;
	/** @bo_ids: ids of objects, for reports of violations */
	atomic64_t bo_ids;
	/** @running: number of jobs that execute, and do not block */
	atomic_t running;
	/** @fail_binds: so many asynchronous binds fail, for tests of user space */
	atomic_t fail_binds;

	/** @turns: which queue executes next (DOC: turns) */
	struct vgpu_turns *turns;
};

#define to_vgpu_device(drm_) container_of(drm_, struct vgpu_device, drm)

void vgpu_device_kick(struct vgpu_device *vdev);
u64 vgpu_ticks(u32 hz);

/* For module_param_cb() of an enum drm_gem_sync_policy: "strict" or "hooks". */
extern const struct kernel_param_ops vgpu_policy_param_ops;
/* For module_param_cb() of &vgpu_device_config.job_timeout_ms: 0 is the longest there is. */
extern const struct kernel_param_ops vgpu_timeout_param_ops;

void vgpu_show_fdinfo(struct drm_printer *p, struct drm_file *file);
void vgpu_debugfs_init(struct drm_minor *minor);

/**
 * struct vgpu_queue - executes its jobs one after the other
 */
struct vgpu_queue {
	/** @group: the group that it is part of */
	struct vgpu_group *group;
	/** @index: in &vgpu_group.queues */
	u32 index;
	/** @engine: state of the engine */
	void *engine;
	/** @sched: keeps jobs until their dependencies are met */
	struct drm_gpu_scheduler sched;
	/** @entity: the one entity of @sched */
	struct drm_sched_entity entity;
	/** @timeline: of the jobs */
	struct vgpu_timeline timeline;
	/** @job: the job that runs; set by the scheduler, cleared by the slice that ends it */
	struct vgpu_job *job;
	/** @blocked: @job waits for memory, or there is none; else one of &vgpu_device.running */
	bool blocked;

	/** @turn: where it waits for its turn, or is parked; from here on under the turns' lock */
	struct list_head turn;
	/** @wants_turn: it waits for its turn */
	bool wants_turn;
	/** @has_turn: it executes a slice */
	bool has_turn;
	/** @again: it was woken while it did */
	bool again;
	/** @looked_ns: when the last slice ended */
	u64 looked_ns;
};

/**
 * struct vgpu_group - queues that share a VM and the consequences of a fault
 */
struct vgpu_group {
	/** @ref: reference count; each job has a reference */
	struct kref ref;
	/** @vdev: the device, with a reference to its @drm */
	struct vgpu_device *vdev;
	/** @node: in &vgpu_device.groups */
	struct list_head node;
	/** @vm: the address space */
	struct vgpu_vm *vm;
	/** @client: whose turns its jobs take; a reference */
	struct vgpu_client *client;
	/** @priority: of its jobs, below VGPU_PRIORITIES */
	unsigned int priority;
	/** @turn: where it waits for its turn, if @ready has queues */
	struct list_head turn;
	/** @ready: queues that wait for their turn; as @turn under the turns' lock */
	struct list_head ready;
	/** @id: for log lines */
	u32 id;
	/** @comm: name of the process that created it */
	char comm[TASK_COMM_LEN];
	/** @pid: process that created it */
	pid_t pid;
	/** @lock: protects the members up to @release_work */
	spinlock_t lock;
	/** @fatal_queues: bit n: a job of queue n faulted */
	u32 fatal_queues;
	/** @timedout: a job ran into the timeout */
	bool timedout;
	/** @killed: the group was destroyed, or its device is gone */
	bool killed;
	/** @release_work: the end of the group, outside of its schedulers' work items */
	struct work_struct release_work;
	/** @queue_count: number of queues */
	u32 queue_count;
	/** @queues: the queues */
	struct vgpu_queue *queues[] __counted_by(queue_count);
};

struct vgpu_client *vgpu_client_create(void);
void vgpu_client_put(struct vgpu_client *client);
void vgpu_client_show(struct vgpu_client *client, struct vgpu_device *vdev, struct drm_printer *p);

struct vgpu_group *vgpu_group_create(struct vgpu_client *client, struct vgpu_vm *vm,
				     unsigned int priority, u32 queue_count);
void vgpu_group_put(struct vgpu_group *group);
void vgpu_group_kill(struct vgpu_group *group);
bool vgpu_group_can_run(struct vgpu_group *group);
u32 vgpu_group_fatal_queues(struct vgpu_group *group, bool *timedout);
struct vgpu_group *vgpu_group_lookup(struct xarray *groups, unsigned long handle);
int vgpu_check_priority(struct drm_file *file, u32 priority, u32 everybodys, u32 highest);

/**
 * vgpu_group_get - take a reference
 * @group: the group
 *
 * Return: @group.
 */
static inline struct vgpu_group *vgpu_group_get(struct vgpu_group *group)
{
	kref_get(&group->ref);
	return group;
}

/**
 * struct vgpu_job_args - a job to submit
 */
struct vgpu_job_args {
	/** @queue: index of the queue */
	u32 queue;
	/** @va: GPU address of the commands */
	u64 va;
	/** @size: bytes of commands; a job of size 0 is done when those before it are */
	u64 size;
	/** @data: optional; what the driver keeps for the job */
	void *data;
	/**
	 * @release: optional; called with @data when the job is over, or was not submitted
	 *
	 * In process context, may sleep and take any lock.
	 */
	void (*release)(void *data);
};

/**
 * struct vgpu_sync_op - what a job or bind waits for, or signals when it is done
 */
struct vgpu_sync_op {
	/** @handle: of a syncobj */
	u32 handle;
	/** @signal: signal it; otherwise wait for it */
	bool signal;
	/** @point: point of a timeline syncobj; 0 for a binary one */
	u64 point;
};

/*
 * The most waits of one submission: the scheduler compares each with all before it,
 * under the reservation locks.
 */
#define VGPU_MAX_WAITS	4096

/**
 * struct vgpu_submit - a submission in the making: all of its jobs or binds run, or none
 */
struct vgpu_submit {
	/** @file: whose handles the syncobjs are */
	struct drm_file *file;
	/** @vm: the address space that the jobs use, or that the binds change */
	struct vgpu_vm *vm;
	/** @group: the group that runs the jobs; NULL for binds */
	struct vgpu_group *group;
	/**
	 * @objs: what the one job that there is reads and writes, with its fence as
	 * implicit synchronization; of the driver, which keeps them until
	 * vgpu_submit_fini()
	 */
	struct drm_gem_object **objs;
	/** @obj_count: number of @objs */
	u32 obj_count;
	/** @entries: the jobs or binds and their sync ops */
	struct vgpu_submit_entry *entries;
	/** @count: number of entries in use */
	u32 count;
	/** @capacity: number of entries allocated */
	u32 capacity;
	/** @sync_count: sync ops of all entries */
	u32 sync_count;
	/** @wait_count: fences that the jobs or binds wait for, at most VGPU_MAX_WAITS */
	u32 wait_count;
	/** @signals: the syncobj points that the jobs signal */
	struct rb_root signals;
	/** @signal_count: number of @signals */
	u32 signal_count;
	/** @exec: the reservation locks */
	struct drm_exec exec;
};

int vgpu_submit_init(struct vgpu_submit *submit, struct drm_file *file, struct vgpu_vm *vm,
		     struct vgpu_group *group, u32 capacity);
int vgpu_submit_add_job(struct vgpu_submit *submit, const struct vgpu_job_args *args,
			struct vgpu_sync_op *syncs, u32 sync_count);
int vgpu_submit_add_bind(struct vgpu_submit *submit, const struct vgpu_bind_args *args,
			 struct vgpu_sync_op *syncs, u32 sync_count);
int vgpu_submit_commit(struct vgpu_submit *submit);
void vgpu_submit_fini(struct vgpu_submit *submit);

/**
 * struct vgpu_uarray - an array of objects in user memory
 */
struct vgpu_uarray {
	/** @ptr: user address of the first object */
	u64 ptr;
	/** @stride: bytes from one object to the next, as user space gave it */
	u32 stride;
	/** @count: number of objects, as user space gave it */
	u32 count;
	/** @min_size: bytes of an object's first version */
	u32 min_size;
	/** @size: bytes of an object as the driver knows it */
	u32 size;
};

void *vgpu_uarray_get(const struct vgpu_uarray *array);
int vgpu_uobj_get(u64 ptr, u32 user_size, void *obj, u32 min_size, u32 size);
int vgpu_uobj_set(u64 ptr, u32 user_size, const void *obj, u32 min_size, u32 size);

#endif
