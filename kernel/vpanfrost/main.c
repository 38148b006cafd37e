// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include <vgpu/vgpu_params.h>

#include "vpanfrost.h"

/**
 * DOC: overview
 *
 * vpanfrost is a virtual Mali GPU with a job manager, behind the user-space ABI of the
 * panfrost driver. Loading the module makes one device; its DRM driver is called
 * "panfrost", so existing user space opens it. The memory of the device is not
 * coherent with CPU caches, which ncmem emulates: a missing flush shows.
 *
 * The device executes chains of jobs as far as they need no shader cores: NULL,
 * WRITE_VALUE and CACHE_FLUSH. What it cannot execute is a fault, which the log and the
 * fence report; the next chain runs. None of these jobs can read memory and tell what
 * it saw, so two types that no hardware has are there for tests: they copy, and wait
 * for a word to change (core/jm.h). ``virtual_jobs=0`` takes them away.
 *
 * The device can be unbound from the driver and bound again while files are open:
 * their calls return -ENODEV then, and touching a map raises SIGBUS.
 *
 * More module parameters: ``map_imports`` (whether the CPU may map imported objects
 * through this device, which GL user space needs), ``job_timeout_ms``, and those of
 * vgpu_params.h.
 */

static unsigned int job_timeout_ms = 500;
module_param_cb(job_timeout_ms, &vgpu_timeout_param_ops, &job_timeout_ms, 0444);
MODULE_PARM_DESC(job_timeout_ms,
		 "Kill chains that take longer (default 500); 0 and above 10000 is 10000");

static bool map_imports = true;
module_param(map_imports, bool, 0444);
MODULE_PARM_DESC(map_imports, "The CPU may map imported objects through this device (default Y)");

static bool virtual_jobs = true;
module_param(virtual_jobs, bool, 0444);
MODULE_PARM_DESC(virtual_jobs,
		 "The GPU knows two types of jobs that no hardware has, by which tests see what it reads (default Y)");

#define VPANFROST_IOCTL(name, function) \
	DRM_IOCTL_DEF_DRV(PANFROST_##name, vpanfrost_ioctl_##function, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc vpanfrost_ioctls[] = {
	VPANFROST_IOCTL(SUBMIT, submit),
	VPANFROST_IOCTL(WAIT_BO, wait_bo),
	VPANFROST_IOCTL(CREATE_BO, create_bo),
	VPANFROST_IOCTL(MMAP_BO, mmap_bo),
	VPANFROST_IOCTL(GET_PARAM, get_param),
	VPANFROST_IOCTL(GET_BO_OFFSET, get_bo_offset),
	VPANFROST_IOCTL(PERFCNT_ENABLE, perfcnt),
	VPANFROST_IOCTL(PERFCNT_DUMP, perfcnt),
	VPANFROST_IOCTL(MADVISE, madvise),
	VPANFROST_IOCTL(SET_LABEL_BO, set_label_bo),
	VPANFROST_IOCTL(JM_CTX_CREATE, jm_ctx_create),
	VPANFROST_IOCTL(JM_CTX_DESTROY, jm_ctx_destroy),
	VPANFROST_IOCTL(SYNC_BO, sync_bo),
	VPANFROST_IOCTL(QUERY_BO_INFO, query_bo_info),
};

/* The jobs go before the handles do: none is blamed for memory that went away under it. */
static int vpanfrost_release(struct inode *inode, struct file *filp)
{
	struct drm_file *file = filp->private_data;

	vpanfrost_file_kill_ctxs(file->driver_priv);
	return drm_release(inode, filp);
}

static const struct file_operations vpanfrost_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = vpanfrost_release,
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

static void vpanfrost_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct vpanfrost_file *vfile = file->driver_priv;

	vgpu_client_show(vfile->client, to_vgpu_device(file->minor->dev), p);
	vgpu_show_fdinfo(p, file);
}

/* The name and version that user space knows, see panfrost_drm.h. */
static const struct drm_driver vpanfrost_drm_driver = {
	.driver_features = DRIVER_RENDER | DRIVER_GEM | DRIVER_SYNCOBJ | COMPAT_DRIVER_GEM_GPUVA,
	.open = vpanfrost_open,
	.postclose = vpanfrost_postclose,
	.ioctls = vpanfrost_ioctls,
	.num_ioctls = ARRAY_SIZE(vpanfrost_ioctls),
	.fops = &vpanfrost_fops,
	.name = "panfrost",
	.gem_prime_import = vgpu_prime_import,
	.gem_prime_import_sg_table = vpanfrost_gem_import_sg_table,
	.show_fdinfo = vpanfrost_show_fdinfo,
	.debugfs_init = vgpu_debugfs_init,
	.desc = "Virtual Mali GPU with a job manager and non-coherent memory",
	.major = 1,
	.minor = 6,
};

static void vpanfrost_configure(struct vgpu_device_config *config)
{
	vgpu_params_apply(config);
	config->engine = &vpanfrost_jm_engine;
	config->jobs_fail_alone = true;
	config->map_imports = map_imports;
	config->job_timeout_ms = job_timeout_ms;
}

static int vpanfrost_device_init(struct vgpu_device *vdev)
{
	to_vpanfrost(&vdev->drm)->virtual_jobs = virtual_jobs;
	return 0;
}

static struct vgpu_driver vpanfrost_driver = {
	.base.driver.name = "vpanfrost",
	.drm = &vpanfrost_drm_driver,
	.device_size = sizeof(struct vpanfrost_device),
	.configure = vpanfrost_configure,
	.init = vpanfrost_device_init,
};

static int __init vpanfrost_init(void)
{
	return vgpu_driver_register(&vpanfrost_driver);
}
module_init(vpanfrost_init);

static void __exit vpanfrost_exit(void)
{
	vgpu_driver_unregister(&vpanfrost_driver);
}
module_exit(vpanfrost_exit);

MODULE_DESCRIPTION("Virtual Mali GPU with non-coherent memory, behind the panfrost ABI");
MODULE_LICENSE("GPL");
