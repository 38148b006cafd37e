// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

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
 * - &struct vgpu_group and &struct vgpu_queue: queues on drm_sched. One work item
 *   of a queue executes its current job in slices of bounded length, so that any
 *   number of endless jobs share the CPUs, and one that is killed is gone at
 *   the end of its slice. A job that waits for a value in memory is parked: it
 *   looks again after every store of a device, after vgpu_device_kick(), and
 *   every few milliseconds, because CPU stores go unnoticed.
 * - &struct vgpu_submit: submissions with binary and timeline syncobjs.
 *
 * A driver embeds &struct vgpu_device, supplies a &struct vgpu_engine_ops that
 * executes its commands, and translates its ioctls::
 *
 *	struct my_device {
 *		struct vgpu_device vgpu;
 *	};
 *
 *	static int my_probe(struct platform_device *pdev)
 *	{
 *		const struct vgpu_device_config config = {
 *			.engine = &my_engine,
 *			.memory.line_size = 64,
 *			.job_timeout_ms = 500,
 *		};
 *		struct my_device *mdev;
 *		int ret;
 *
 *		mdev = devm_drm_dev_alloc(&pdev->dev, &my_driver, struct my_device,
 *					  vgpu.drm);
 *		if (IS_ERR(mdev))
 *			return PTR_ERR(mdev);
 *		ret = vgpu_device_init(&mdev->vgpu, &config);
 *		if (ret)
 *			return ret;
 *		ret = drm_dev_register(&mdev->vgpu.drm, 0);
 *		if (ret)
 *			vgpu_device_fini(&mdev->vgpu);
 *		return ret;
 *	}
 *
 * When a file is closed, the driver kills its groups first and destroys its VMs
 * then, so that no job is blamed for memory that went away under it.
 */

MODULE_DESCRIPTION("Common parts of virtual GPUs with non-coherent memory");
MODULE_LICENSE("GPL");
