/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of vgpu.ko share and drivers do not see. */
#ifndef VGPU_INTERNAL_H
#define VGPU_INTERNAL_H

#include <linux/dma-fence.h>

#include "vgpu.h"

/*
 * The end of groups, jobs, binds and heaps, which may allocate, take any lock and wait;
 * no fence waits for it. Flushed by module exit.
 */
extern struct workqueue_struct *vgpu_release_wq;
/* The refill of heaps, for which jobs may be waiting soon: nobody's end keeps it. */
extern struct workqueue_struct *vgpu_fill_wq;

/* CPU maps of all devices, for cache instructions of user space. */
extern struct ncmem_maps vgpu_maps;

/*
 * The fence of a task, which is all of it that the outside sees: it needs neither
 * the queue nor the scheduler, so it may outlive both.
 */
struct vgpu_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
};

/*
 * In probe, before drm_dev_register(), on a zeroed device, which is counted in @devices
 * until it is freed. 0; -EINVAL for an impossible line size or size of DMA addresses;
 * -ENOMEM; -EOPNOTSUPP where devices cannot have DMA operations of their own.
 */
int vgpu_device_init(struct vgpu_device *vdev, const struct vgpu_device_config *config,
		     atomic_t *devices);
/* Undo it when probe fails later. */
void vgpu_device_fini(struct vgpu_device *vdev);
/*
 * Take a registered device away from its users (R19). On return all groups are killed and
 * no job executes, CPU maps are revoked and nothing is mapped for DMA any more, nor will
 * be. Calls of the driver may still be under way: a user decides how long his memory keeps
 * one waiting that copies from it. They find that objects have no pages and groups are
 * dead. What open files have lives until they are closed, and the device until the last of
 * it is gone. Another device may be probed meanwhile.
 */
void vgpu_device_unplug(struct vgpu_device *vdev);

void vgpu_get_comm(char comm[TASK_COMM_LEN]);

struct vgpu_fence *vgpu_fence_alloc(void);
void vgpu_fence_init(struct vgpu_fence *fence, struct vgpu_timeline *timeline);
void vgpu_fence_signal(struct vgpu_fence *fence, int error);
void vgpu_fence_put(struct vgpu_fence *fence);

/* What a submission consists of: a job of a queue, or a change of a VM. */
struct vgpu_task {
	struct drm_sched_job base;
	struct vgpu_fence *fence;
	struct vgpu_timeline *timeline;
	u32 queue_index;		/* 0 for a bind */
	struct drm_gem_object *obj;	/* what a bind maps, or NULL */
	void (*free)(struct vgpu_task *task);	/* in process context, may sleep */
};

#define to_vgpu_task(job) container_of(job, struct vgpu_task, base)

/* Give a zeroed task what all have. 0 or a negative errno, and then there is nothing to undo. */
int vgpu_task_init(struct vgpu_task *task, struct drm_sched_entity *entity, u64 client_id);
void vgpu_task_fini(struct vgpu_task *task);
/* The scheduler never got the task. NULL is allowed. */
void vgpu_task_free(struct vgpu_task *task);

struct vgpu_job {
	struct vgpu_task task;
	struct vgpu_group *group;
	struct vgpu_queue *queue;
	u64 va;
	u64 size;
	void *data;			/* the driver's */
	void (*release)(void *data);	/* gives it back; or NULL */
	struct work_struct free_work;
	struct ncmem_job nc_job;	/* for reports of violations */
	u64 used_ns;			/* of its time limit (DOC: timeouts) */
	u64 blocked_ns;			/* in which it was blocked */
};

#define to_vgpu_job(job) container_of(to_vgpu_task(job), struct vgpu_job, task)

struct vgpu_task *vgpu_job_create(struct vgpu_group *group, const struct vgpu_job_args *args,
				  u64 client_id);
struct vgpu_task *vgpu_bind_create(struct vgpu_vm *vm, const struct vgpu_bind_args *args,
				   u64 client_id);

int vgpu_bind_queue_init(struct vgpu_vm *vm);
void vgpu_bind_queue_fini(struct vgpu_vm *vm);

struct vgpu_queue *vgpu_queue_create(struct vgpu_group *group, u32 index);
void vgpu_queue_destroy(struct vgpu_queue *queue);
void vgpu_queue_begin(struct vgpu_queue *queue, struct vgpu_job *job);

/* What a queue does behind a slice. */
enum vgpu_after_slice {
	VGPU_QUEUE_IDLE,	/* nothing, until it is woken */
	VGPU_QUEUE_READY,	/* it wants another turn */
	VGPU_QUEUE_BLOCKED,	/* it looks again when it is kicked, or later */
};

/* Execute a slice. */
enum vgpu_after_slice vgpu_queue_run(struct vgpu_queue *queue);
void vgpu_queue_wake(struct vgpu_queue *queue);
void vgpu_queue_stop(struct vgpu_queue *queue);

int vgpu_turns_init(struct vgpu_device *vdev);
void vgpu_turns_fini(struct vgpu_device *vdev);
void vgpu_turns_flush(struct vgpu_device *vdev);

struct vgpu_client *vgpu_client_get(struct vgpu_client *client);
/* A queue of the client's executed for @ns. */
void vgpu_client_count(struct vgpu_queue *queue, u64 ns);
/* Whether one more line about the client's jobs is fit for the log. */
bool vgpu_client_may_log(struct vgpu_device *vdev, struct vgpu_client *client);

extern const struct drm_sched_backend_ops vgpu_sched_ops;

/* 0, or the negative errno with which the jobs of a queue end. */
int vgpu_group_error(struct vgpu_group *group, u32 queue);
void vgpu_group_set_fatal(struct vgpu_group *group, u32 queue);
void vgpu_group_set_timedout(struct vgpu_group *group);
/* Kill all groups; on return none executes anything. The DRM device is unplugged already. */
void vgpu_groups_unplug(struct vgpu_device *vdev);

/* See struct drm_gem_sync_device_ops and struct drm_gpuvm_ops. */
int vgpu_bo_evicting(struct drm_gem_sync_shmem_object *shmem);
int vgpu_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec);

struct vgpu_heap *vgpu_heap_create(struct vgpu_device *vdev,
				   const struct drm_gem_sync_funcs *funcs, u64 size);
void vgpu_heap_destroy(struct vgpu_heap *heap);
int vgpu_heap_map(struct vgpu_mapping *mapping);
void vgpu_heap_unmap(struct vgpu_mapping *mapping);
int vgpu_heaps_prepare(struct vgpu_vm *vm);
int vgpu_heap_fault(struct vgpu_vm *vm, u64 va);

/* Begin to take the locks of a VM's objects, and let go of them; each call to one fini(). */
void vgpu_exec_init(struct drm_exec *exec);
void vgpu_exec_fini(struct drm_exec *exec);

struct vgpu_submit_entry {
	struct vgpu_task *task;		/* NULL once the scheduler has it */
	struct dma_fence *fence;	/* of the task, once its place on the timeline is fixed */
	struct vgpu_sync_op *syncs;
	u32 sync_count;
};

/* What others do with &vgpu_submit.objs, which are locked. 0 or as vgpu_submit_commit(). */
int vgpu_implicit_prepare(struct vgpu_submit *submit);
int vgpu_implicit_wait(struct vgpu_submit *submit, struct vgpu_task *task);
void vgpu_implicit_add(struct vgpu_submit *submit, struct dma_fence *fence);

int vgpu_signals_collect(struct vgpu_submit *submit);
int vgpu_signals_wait(struct vgpu_submit *submit, struct vgpu_submit_entry *entry);
void vgpu_signals_update(struct vgpu_submit *submit, struct vgpu_submit_entry *entry);
void vgpu_signals_publish(struct vgpu_submit *submit);
void vgpu_signals_free(struct vgpu_submit *submit);

#endif
