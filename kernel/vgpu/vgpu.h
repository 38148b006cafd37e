/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vgpu: what virtual GPU drivers share. The overview is in main.c (DOC: overview).
 */
#ifndef VGPU_H
#define VGPU_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include <gem_sync/drm_gem_sync.h>
#include <ncmem/ncmem.h>

struct vgpu_fence;
struct vgpu_job;
struct vgpu_queue;

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
};

/**
 * struct vgpu_device_config - what a driver decides about its device
 */
struct vgpu_device_config {
	/** @engine: executes the jobs */
	const struct vgpu_engine_ops *engine;
	/** @memory: parameters of the emulated memory */
	struct ncmem_params memory;
	/** @coherent: the device snoops CPU caches (R12) */
	bool coherent;
	/** @cached_needs_private: cached objects must be private (R13) */
	bool cached_needs_private;
	/** @job_timeout_ms: a job that runs or blocks longer is killed; 0 is never */
	unsigned int job_timeout_ms;
};

/**
 * struct vgpu_device - a virtual GPU; drivers embed it as their first member
 */
struct vgpu_device {
	/** @drm: the DRM device, made by devm_drm_dev_alloc() */
	struct drm_device drm;
	/** @gem: the device as drm_gem_sync knows it */
	struct drm_gem_sync_device gem;
	/** @nc: the emulated memory */
	struct ncmem *nc;
	/** @engine: executes the jobs */
	const struct vgpu_engine_ops *engine;
	/** @job_timeout: in jiffies; 0 is never */
	unsigned long job_timeout;

	/** @sched_wq: schedulers, in the path that signals fences */
	struct workqueue_struct *sched_wq;
	/** @run_wq: slices of jobs, in the path that signals fences */
	struct workqueue_struct *run_wq;
	/** @free_wq: the end of groups, which may allocate and take any lock */
	struct workqueue_struct *free_wq;

	/** @groups: number of groups whose memory exists */
	atomic_t groups;
	/** @groups_gone: woken when @groups becomes 0 */
	wait_queue_head_t groups_gone;
	/** @group_ids: ids for log lines */
	atomic_t group_ids;

	/** @kicks: counts the events after which blocked queues look again */
	atomic64_t kicks;
	/** @parked_lock: protects @parked */
	spinlock_t parked_lock;
	/** @parked: blocked queues */
	struct list_head parked;
};

#define to_vgpu_device(drm_) container_of(drm_, struct vgpu_device, drm)

int vgpu_device_init(struct vgpu_device *vdev, const struct vgpu_device_config *config);
void vgpu_device_fini(struct vgpu_device *vdev);
void vgpu_device_kick(struct vgpu_device *vdev);

/**
 * struct vgpu_bo - a buffer object of a virtual GPU
 */
struct vgpu_bo {
	/** @base: the shmem-backed object */
	struct drm_gem_sync_shmem_object base;
	/** @nc_pages: its pages as the emulated memory knows them; NULL while not populated */
	struct ncmem_pages *nc_pages;
	/** @owner: whose it is, for reports of the emulated memory */
	struct ncmem_owner owner;
	/** @vm_resv_obj: the reservation object of the only VM that may map it; or NULL */
	struct drm_gem_object *vm_resv_obj;
	/** @create_flags: the flags of creation, in the driver's encoding (R23) */
	u32 create_flags;
	/** @gpuva_lock: protects the object's list of mappings; nothing is allocated under it */
	struct mutex gpuva_lock;
};

#define to_vgpu_bo(obj) container_of(to_drm_gem_sync_shmem(obj), struct vgpu_bo, base)

/**
 * struct vgpu_bo_args - decided when an object is created (R12)
 */
struct vgpu_bo_args {
	/** @size: bytes, rounded up to whole pages */
	u64 size;
	/** @create_flags: kept for queries */
	u32 create_flags;
	/** @cached: CPU maps are write-back */
	bool cached;
	/** @no_mmap: 0, or the negative errno with which CPU maps are refused (R16) */
	int no_mmap;
	/** @vm: optional; the only VM that may map the object, which makes it private */
	struct vgpu_vm *vm;
};

struct vgpu_bo *vgpu_bo_create(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       const struct vgpu_bo_args *args);
struct vgpu_bo *vgpu_bo_import(struct vgpu_device *vdev, const struct drm_gem_sync_funcs *funcs,
			       struct dma_buf_attachment *attach, struct sg_table *sgt);
void vgpu_bo_free(struct drm_gem_object *obj);

/* Permissions and attributes of a mapping. */
#define VGPU_VA_READONLY	BIT(0)
#define VGPU_VA_NOEXEC		BIT(1)
#define VGPU_VA_UNCACHED	BIT(2)

/**
 * struct vgpu_vm - a GPU address space
 *
 * Locks, outermost first: @objs_lock, a reservation lock; @mmu_lock,
 * &vgpu_bo.gpuva_lock. The latter two are taken in the path that signals fences.
 */
struct vgpu_vm {
	/** @base: the address space manager; its reference count is the VM's */
	struct drm_gpuvm base;
	/** @vdev: the device */
	struct vgpu_device *vdev;
	/** @mmu_lock: read: one device access; write: a change of the mappings */
	struct rw_semaphore mmu_lock;
	/** @objs_lock: the set of mapped objects shrinks only under it */
	struct mutex objs_lock;
	/** @destroyed: nothing can be mapped any more; under @mmu_lock */
	bool destroyed;
};

#define to_vgpu_vm(gpuvm) container_of(gpuvm, struct vgpu_vm, base)

/**
 * struct vgpu_map_args - a mapping to make
 */
struct vgpu_map_args {
	/** @bo: what to map */
	struct vgpu_bo *bo;
	/** @offset: bytes into @bo */
	u64 offset;
	/** @va: GPU address */
	u64 va;
	/** @size: bytes */
	u64 size;
	/** @flags: VGPU_VA_* */
	u32 flags;
};

struct vgpu_vm *vgpu_vm_create(struct vgpu_device *vdev, u64 va_range);
void vgpu_vm_destroy(struct vgpu_vm *vm);
int vgpu_vm_map(struct vgpu_vm *vm, const struct vgpu_map_args *args);
int vgpu_vm_unmap(struct vgpu_vm *vm, u64 va, u64 size);

/**
 * vgpu_vm_get - take a reference
 * @vm: the VM
 *
 * Return: @vm
 */
static inline struct vgpu_vm *vgpu_vm_get(struct vgpu_vm *vm)
{
	drm_gpuvm_get(&vm->base);
	return vm;
}

/**
 * vgpu_vm_put - drop a reference
 * @vm: the VM, or NULL
 */
static inline void vgpu_vm_put(struct vgpu_vm *vm)
{
	if (vm)
		drm_gpuvm_put(&vm->base);
}

int vgpu_vm_fetch(struct vgpu_vm *vm, u64 va, void *to, size_t size);
int vgpu_vm_read(struct vgpu_vm *vm, u64 va, void *to, size_t size);
int vgpu_vm_write(struct vgpu_vm *vm, u64 va, const void *from, size_t size);
int vgpu_vm_sync_read(struct vgpu_vm *vm, u64 va, void *to, size_t size);
int vgpu_vm_sync_set(struct vgpu_vm *vm, u64 va, u64 value, size_t size);
int vgpu_vm_sync_add(struct vgpu_vm *vm, u64 va, u64 value, size_t size);

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
	/** @fence_context: of the jobs' fences */
	u64 fence_context;
	/** @fence_seqno: last one used; under the VM's reservation lock */
	u64 fence_seqno;
	/** @job: the job that runs; set by the scheduler, cleared by @work */
	struct vgpu_job *job;
	/** @work: executes a slice of @job; the only one that ends a job */
	struct delayed_work work;
	/** @parked: node of &vgpu_device.parked */
	struct list_head parked;
};

/**
 * struct vgpu_group - queues that share a VM and the consequences of a fault
 */
struct vgpu_group {
	/** @ref: reference count; each job has a reference */
	struct kref ref;
	/** @vdev: the device */
	struct vgpu_device *vdev;
	/** @vm: the address space */
	struct vgpu_vm *vm;
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
	/** @killed: the group was destroyed */
	bool killed;
	/** @release_work: the end of the group, outside of its schedulers' work items */
	struct work_struct release_work;
	/** @queue_count: number of queues */
	u32 queue_count;
	/** @queues: the queues */
	struct vgpu_queue *queues[] __counted_by(queue_count);
};

struct vgpu_group *vgpu_group_create(struct vgpu_vm *vm, u32 queue_count);
void vgpu_group_put(struct vgpu_group *group);
void vgpu_group_kill(struct vgpu_group *group);
bool vgpu_group_can_run(struct vgpu_group *group);
u32 vgpu_group_fatal_queues(struct vgpu_group *group, bool *timedout);

/**
 * vgpu_group_get - take a reference
 * @group: the group
 *
 * Return: @group
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
};

/**
 * struct vgpu_sync_op - what a job waits for, or signals when it is done
 */
struct vgpu_sync_op {
	/** @handle: of a syncobj */
	u32 handle;
	/** @signal: signal it; otherwise wait for it */
	bool signal;
	/** @point: point of a timeline syncobj; 0 for a binary one */
	u64 point;
};

/**
 * struct vgpu_submit - a submission in the making: all of its jobs run, or none
 */
struct vgpu_submit {
	/** @file: whose handles the syncobjs are */
	struct drm_file *file;
	/** @group: the group that runs the jobs */
	struct vgpu_group *group;
	/** @entries: the jobs and their sync ops */
	struct vgpu_submit_entry *entries;
	/** @count: number of entries in use */
	u32 count;
	/** @capacity: number of entries allocated */
	u32 capacity;
	/** @signals: the syncobj points that the jobs signal */
	struct rb_root signals;
	/** @signal_count: number of @signals */
	u32 signal_count;
	/** @exec: the reservation locks */
	struct drm_exec exec;
};

int vgpu_submit_init(struct vgpu_submit *submit, struct drm_file *file, struct vgpu_group *group,
		     u32 capacity);
int vgpu_submit_add(struct vgpu_submit *submit, const struct vgpu_job_args *args,
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
int vgpu_uobj_set(u64 ptr, u32 user_size, const void *obj, u32 min_size, u32 size);

#endif
