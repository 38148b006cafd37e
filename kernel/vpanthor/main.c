// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include <vgpu/vgpu_params.h>

#include "vpanthor.h"

/**
 * DOC: overview
 *
 * vpanthor is a virtual Mali GPU with a command stream front end, behind the
 * user-space ABI of the panthor driver. Loading the module makes one device; its
 * DRM driver is called "panthor", so existing user space opens it. The memory of
 * the device is not coherent with CPU caches, which ncmem emulates: a missing
 * flush shows.
 *
 * The device executes command streams as far as they need no shader cores: moves,
 * arithmetic, loads and stores, branches, and sync objects. What it cannot execute
 * is a fault, which the log and the group's state report.
 *
 * The device can be unbound from the driver and bound again while files are open:
 * their calls return -ENODEV then, and touching a map of an object raises SIGBUS.
 *
 * Module parameters: ``line_size`` (32, 64 or 128 bytes), ``coherent`` (the device
 * snoops CPU caches, so nothing needs a flush), ``policy`` (strict, or hooks: cached
 * objects may be shared), ``chaos`` (cache lines also move on their own) with ``seed``
 * and ``chaos_period_ms``, ``merge_segments``, ``dma_bits`` (a device that cannot address
 * all memory has no cached objects), ``map_imports`` (the CPU may map imported objects
 * through this device, as Linux's driver lets it), and ``job_timeout_ms``.
 */

static unsigned int job_timeout_ms = 5000;
module_param_cb(job_timeout_ms, &vgpu_timeout_param_ops, &job_timeout_ms, 0444);
MODULE_PARM_DESC(job_timeout_ms,
		 "Kill jobs that take longer (default 5000); 0 and above 10000 is 10000");

static int vpanthor_open(struct drm_device *drm, struct drm_file *file)
{
	struct vpanthor_file *vfile;

	vfile = kzalloc(sizeof(*vfile), GFP_KERNEL_ACCOUNT);
	if (!vfile)
		return -ENOMEM;
	vfile->client = vgpu_client_create();
	if (!vfile->client) {
		kfree(vfile);
		return -ENOMEM;
	}
	xa_init_flags(&vfile->vms, XA_FLAGS_ALLOC1);
	xa_init_flags(&vfile->groups, XA_FLAGS_ALLOC1);
	xa_init_flags(&vfile->heaps, XA_FLAGS_ALLOC);
	mutex_init(&vfile->heaps_lock);
	vfile->mmio_offset = vpanthor_default_mmio_offset();
	file->driver_priv = vfile;
	return 0;
}

static void vpanthor_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;

	/* In this order no job is blamed for memory that goes away under it. */
	vpanthor_file_kill_groups(vfile);
	vpanthor_file_destroy_vms(vfile);
	mutex_destroy(&vfile->heaps_lock);
	xa_destroy(&vfile->heaps);
	xa_destroy(&vfile->groups);
	xa_destroy(&vfile->vms);
	vgpu_client_put(vfile->client);
	kfree(vfile);
}

static bool map_imports;
module_param(map_imports, bool, 0444);
MODULE_PARM_DESC(map_imports, "The CPU may map imported objects through this device (default N)");

#define VPANTHOR_IOCTL(name, function) \
	DRM_IOCTL_DEF_DRV(PANTHOR_##name, vpanthor_ioctl_##function, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc vpanthor_ioctls[] = {
	VPANTHOR_IOCTL(DEV_QUERY, dev_query),
	VPANTHOR_IOCTL(VM_CREATE, vm_create),
	VPANTHOR_IOCTL(VM_DESTROY, vm_destroy),
	VPANTHOR_IOCTL(VM_BIND, vm_bind),
	VPANTHOR_IOCTL(VM_GET_STATE, vm_get_state),
	VPANTHOR_IOCTL(BO_CREATE, bo_create),
	VPANTHOR_IOCTL(BO_MMAP_OFFSET, bo_mmap_offset),
	VPANTHOR_IOCTL(GROUP_CREATE, group_create),
	VPANTHOR_IOCTL(GROUP_DESTROY, group_destroy),
	VPANTHOR_IOCTL(GROUP_SUBMIT, group_submit),
	VPANTHOR_IOCTL(GROUP_GET_STATE, group_get_state),
	VPANTHOR_IOCTL(TILER_HEAP_CREATE, tiler_heap_create),
	VPANTHOR_IOCTL(TILER_HEAP_DESTROY, tiler_heap_destroy),
	VPANTHOR_IOCTL(BO_SET_LABEL, bo_set_label),
	VPANTHOR_IOCTL(SET_USER_MMIO_OFFSET, set_user_mmio_offset),
	VPANTHOR_IOCTL(BO_SYNC, bo_sync),
	VPANTHOR_IOCTL(BO_QUERY_INFO, bo_query_info),
};

static const struct file_operations vpanthor_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = vpanthor_mmap,
	.get_unmapped_area = drm_gem_sync_get_unmapped_area,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static void vpanthor_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct vpanthor_file *vfile = file->driver_priv;

	vgpu_client_show(vfile->client, to_vgpu_device(file->minor->dev), p);
	vgpu_show_fdinfo(p, file);
}

/* The name and version that user space knows, see panthor_drm.h. */
static const struct drm_driver vpanthor_drm_driver = {
	.driver_features = DRIVER_RENDER | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | COMPAT_DRIVER_GEM_GPUVA,
	.open = vpanthor_open,
	.postclose = vpanthor_postclose,
	.ioctls = vpanthor_ioctls,
	.num_ioctls = ARRAY_SIZE(vpanthor_ioctls),
	.fops = &vpanthor_fops,
	.name = "panthor",
	.gem_prime_import = vgpu_prime_import,
	.gem_prime_import_sg_table = vpanthor_gem_import_sg_table,
	.show_fdinfo = vpanthor_show_fdinfo,
	.debugfs_init = vgpu_debugfs_init,
	.desc = "Virtual Mali GPU with non-coherent memory",
	.major = 1,
	.minor = 9,
};

static void vpanthor_configure(struct vgpu_device_config *config)
{
	vgpu_params_apply(config);
	config->engine = &vpanthor_csf_engine;
	config->cached_needs_private = true;
	config->map_imports = map_imports;
	config->job_timeout_ms = job_timeout_ms;
}

static struct vgpu_driver vpanthor_driver = {
	.base.driver.name = "vpanthor",
	.drm = &vpanthor_drm_driver,
	.device_size = sizeof(struct vpanthor_device),
	.configure = vpanthor_configure,
	.init = vpanthor_init_flush_page,
};

static int __init vpanthor_init(void)
{
	return vgpu_driver_register(&vpanthor_driver);
}
module_init(vpanthor_init);

static void __exit vpanthor_exit(void)
{
	vgpu_driver_unregister(&vpanthor_driver);
}
module_exit(vpanthor_exit);

MODULE_DESCRIPTION("Virtual Mali GPU with non-coherent memory, behind the panthor ABI");
MODULE_LICENSE("GPL");
