// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/workqueue.h>

#include "internal.h"

/**
 * DOC: overview
 *
 * vgpu is what the virtual GPU drivers of this project share: everything that is
 * no matter of a particular user-space ABI or command format.
 *
 * - &struct vgpu_device: the device, its emulated memory (ncmem) and what
 *   drm_gem_sync has to know of both.
 * - &struct vgpu_bo: buffer objects, shmem-backed, with the cache rules of
 *   drm_gem_sync.
 * - &struct vgpu_vm: GPU address spaces on drm_gpuvm. The device reaches memory
 *   through vgpu_vm_read() and its relatives only: GPU address, buffer object,
 *   DMA address, emulated memory. What is not mapped cannot be accessed.
 *   What is mapped can be evicted while no job runs in the address space, and is back
 *   before the next one does.
 * - &struct vgpu_group and &struct vgpu_queue: queues on drm_sched. They execute their
 *   jobs in slices of bounded length and take turns (DOC: turns), so that any number of
 *   endless jobs share the CPUs, and one that is killed is gone at the end of its slice.
 *   A job that waits for a value in memory is parked: it looks again after every store
 *   of a device, after vgpu_device_kick(), and every few milliseconds, because CPU stores
 *   go unnoticed. What a job may take is in DOC: timeouts.
 * - &struct vgpu_client: an open file, whose jobs share its turns.
 * - &struct vgpu_submit: submissions of jobs, and of asynchronous binds, with binary
 *   and timeline syncobjs.
 * - &struct vgpu_mapping: objects at addresses that the driver chooses, which jobs
 *   keep, and which may grow (DOC: growing objects).
 * - &struct vgpu_kernel_bo: objects of the driver in a user's address space.
 * - &struct vgpu_driver: a module and its device.
 *
 * A driver embeds &struct vgpu_device, supplies a &struct vgpu_engine_ops that
 * executes its commands, and translates its ioctls::
 *
 *	struct my_device {
 *		struct vgpu_device vgpu;
 *	};
 *
 *	static void my_configure(struct vgpu_device_config *config)
 *	{
 *		config->engine = &my_engine;
 *		config->memory.line_size = 64;
 *		config->job_timeout_ms = 500;
 *	}
 *
 *	static struct vgpu_driver my_vgpu_driver = {
 *		.base.driver.name = "my",
 *		.drm = &my_drm_driver,
 *		.device_size = sizeof(struct my_device),
 *		.configure = my_configure,
 *	};
 *
 * Its module's init and exit are vgpu_driver_register() and vgpu_driver_unregister(),
 * and vgpu_params.h has the parameters that all have. Its file operations are those of
 * the DRM core: what needs the device itself, and not just its objects, goes between
 * drm_dev_enter() and drm_dev_exit() where it does, and touches no memory of user space
 * there, which may keep it waiting.
 *
 * When a file is closed, the driver kills its groups first and destroys its VMs
 * then, so that no job is blamed for memory that went away under it.
 */

struct workqueue_struct *vgpu_release_wq;
struct workqueue_struct *vgpu_fill_wq;

static int __init vgpu_init(void)
{
	vgpu_release_wq = alloc_workqueue("vgpu-release", WQ_UNBOUND, 0);
	if (!vgpu_release_wq)
		return -ENOMEM;
	vgpu_fill_wq = alloc_workqueue("vgpu-fill", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!vgpu_fill_wq) {
		destroy_workqueue(vgpu_release_wq);
		return -ENOMEM;
	}
	ncmem_maps_register(&vgpu_maps);
	return 0;
}
module_init(vgpu_init);

static void __exit vgpu_exit(void)
{
	ncmem_maps_unregister(&vgpu_maps);
	destroy_workqueue(vgpu_fill_wq);
	destroy_workqueue(vgpu_release_wq);
}
module_exit(vgpu_exit);

MODULE_DESCRIPTION("Common parts of virtual GPUs with non-coherent memory");
MODULE_LICENSE("GPL");
