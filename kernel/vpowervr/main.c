// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include <vgpu/vgpu_params.h>

#include "vpowervr.h"

/**
 * DOC: overview
 *
 * vpowervr is a virtual Imagination GPU behind the user-space ABI of the powervr
 * driver. Loading the module makes one device; its DRM driver is called "powervr", so
 * existing user space opens it. The memory of the device is not coherent with CPU
 * caches, which ncmem emulates.
 *
 * It has queries, buffer objects and VM contexts. Every job of this ABI is run by
 * firmware and shader cores, which there are not: contexts, free lists and render
 * targets cannot be made (-EOPNOTSUPP), and with drm.debug=2 the log says why. What
 * firmware would do with memory, root does in its place, through debugfs.
 *
 * The ABI has no call that synchronizes CPU caches, so what user space maps is
 * write-combined, and only if it asked for access at creation. The flag of the
 * kernel's own cached objects, PVR_BO_CPU_CACHED, is taken from user space only with
 * the parameter ``user_cached``, as some vendors' kernels do: such an object stays in
 * its file (R13), and its flushes are the kernel's, as in debugfs.
 *
 * The device can be unbound from the driver and bound again while files are open:
 * their calls return -ENODEV then, and touching a map raises SIGBUS.
 *
 * The other parameters are those of vgpu_params.h.
 */

static bool user_cached;
module_param(user_cached, bool, 0444);
MODULE_PARM_DESC(user_cached, "User space may create CPU-cached objects (default N)");

static int vpowervr_open(struct drm_device *drm, struct drm_file *file)
{
	struct vpowervr_file *vfile;

	vfile = kzalloc(sizeof(*vfile), GFP_KERNEL_ACCOUNT);
	if (!vfile)
		return -ENOMEM;
	xa_init(&vfile->vms);
	file->driver_priv = vfile;
	return 0;
}

static void vpowervr_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vpowervr_file *vfile = file->driver_priv;

	vpowervr_file_destroy_vms(to_vpowervr(drm), vfile);
	xa_destroy(&vfile->vms);
	kfree(vfile);
}

#define VPOWERVR_IOCTL(name, function) \
	DRM_IOCTL_DEF_DRV(PVR_##name, vpowervr_ioctl_##function, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc vpowervr_ioctls[] = {
	VPOWERVR_IOCTL(DEV_QUERY, dev_query),
	VPOWERVR_IOCTL(CREATE_BO, create_bo),
	VPOWERVR_IOCTL(GET_BO_MMAP_OFFSET, get_bo_mmap_offset),
	VPOWERVR_IOCTL(CREATE_VM_CONTEXT, create_vm_context),
	VPOWERVR_IOCTL(DESTROY_VM_CONTEXT, destroy_vm_context),
	VPOWERVR_IOCTL(VM_MAP, vm_map),
	VPOWERVR_IOCTL(VM_UNMAP, vm_unmap),
	VPOWERVR_IOCTL(CREATE_CONTEXT, create_context),
	VPOWERVR_IOCTL(DESTROY_CONTEXT, destroy_context),
	VPOWERVR_IOCTL(CREATE_FREE_LIST, create_free_list),
	VPOWERVR_IOCTL(DESTROY_FREE_LIST, destroy_free_list),
	VPOWERVR_IOCTL(CREATE_HWRT_DATASET, create_hwrt_dataset),
	VPOWERVR_IOCTL(DESTROY_HWRT_DATASET, destroy_hwrt_dataset),
	VPOWERVR_IOCTL(SUBMIT_JOBS, submit_jobs),
};

static const struct file_operations vpowervr_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.get_unmapped_area = drm_gem_sync_get_unmapped_area,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

/* The name and version that user space knows, see pvr_drm.h. */
static const struct drm_driver vpowervr_drm_driver = {
	.driver_features = DRIVER_RENDER | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | COMPAT_DRIVER_GEM_GPUVA,
	.open = vpowervr_open,
	.postclose = vpowervr_postclose,
	.ioctls = vpowervr_ioctls,
	.num_ioctls = ARRAY_SIZE(vpowervr_ioctls),
	.fops = &vpowervr_fops,
	.name = "powervr",
	.gem_prime_import = vgpu_prime_import,
	.gem_prime_import_sg_table = vpowervr_gem_import_sg_table,
	.show_fdinfo = vgpu_show_fdinfo,
	.debugfs_init = vpowervr_debugfs_init,
	.desc = "Virtual Imagination GPU with non-coherent memory",
	.major = 1,
	.minor = 0,
};

static void vpowervr_configure(struct vgpu_device_config *config)
{
	vgpu_params_apply(config);
}

static int vpowervr_device_init(struct vgpu_device *vdev)
{
	struct vpowervr_device *vpowervr = to_vpowervr(&vdev->drm);

	xa_init_flags(&vpowervr->vms, XA_FLAGS_ALLOC1);
	vpowervr->user_cached = user_cached;
	return 0;
}

static struct vgpu_driver vpowervr_driver = {
	.base.driver.name = "vpowervr",
	.drm = &vpowervr_drm_driver,
	.device_size = sizeof(struct vpowervr_device),
	.configure = vpowervr_configure,
	.init = vpowervr_device_init,
};

static int __init vpowervr_init(void)
{
	return vgpu_driver_register(&vpowervr_driver);
}
module_init(vpowervr_init);

static void __exit vpowervr_exit(void)
{
	vgpu_driver_unregister(&vpowervr_driver);
}
module_exit(vpowervr_exit);

MODULE_DESCRIPTION("Virtual Imagination GPU with non-coherent memory, behind the powervr ABI");
MODULE_LICENSE("GPL");
