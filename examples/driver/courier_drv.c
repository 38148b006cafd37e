// SPDX-License-Identifier: MIT
/* The device: from loading the module to taking it away, and its file. */
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "courier.h"

static int courier_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_courier_query *args = data;

	if (args->pad)
		return -EINVAL;
	args->coherent = to_courier(drm)->gem.coherent;
	return 0;
}

#define COURIER_IOCTL(name, function) \
	DRM_IOCTL_DEF_DRV(COURIER_##name, courier_ioctl_##function, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc courier_ioctls[] = {
	COURIER_IOCTL(QUERY, query),
	COURIER_IOCTL(BO_CREATE, bo_create),
	COURIER_IOCTL(BO_MMAP_OFFSET, bo_mmap_offset),
	COURIER_IOCTL(BO_QUERY, bo_query),
	COURIER_IOCTL(BO_SYNC, bo_sync),
	COURIER_IOCTL(WORK, work),
	COURIER_IOCTL(BO_SET_LABEL, bo_set_label),
};

static const struct file_operations courier_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static void courier_debugfs_init(struct drm_minor *minor)
{
	struct courier_device *courier = to_courier(minor->dev);

	drm_gem_sync_debugfs_init(&courier->gem, minor->debugfs_root);
	courier_memory_debugfs(courier, minor->debugfs_root);
}

static const struct drm_driver courier_driver = {
	.driver_features = DRIVER_RENDER | DRIVER_GEM,
	.ioctls = courier_ioctls,
	.num_ioctls = ARRAY_SIZE(courier_ioctls),
	.fops = &courier_fops,
	.name = "courier",
	.desc = "Example of a driver on drm_gem_sync",
	.major = 1,
	.minor = 0,
	.gem_prime_import = drm_gem_sync_prime_import,
	.gem_prime_import_sg_table = courier_gem_import_sg_table,
	.show_fdinfo = drm_show_memory_stats,
	.debugfs_init = courier_debugfs_init,
};

static int courier_probe(struct platform_device *pdev)
{
	struct courier_device *courier;
	int ret;

	courier = devm_drm_dev_alloc(&pdev->dev, &courier_driver, struct courier_device, drm);
	if (IS_ERR(courier))
		return PTR_ERR(courier);
	platform_set_drvdata(pdev, courier);
	courier->gem.drm = &courier->drm;
	ret = courier_memory_init(courier);
	if (ret)
		return ret;
	ret = drm_gem_sync_device_init(&courier->gem);
	if (!ret)
		ret = drm_dev_register(&courier->drm, 0);
	if (ret)
		courier_memory_fini(courier);
	return ret;
}

/*
 * In this order: no new call begins, and those under way have ended; nothing is mapped, by
 * the CPU or for the device; the device's memory goes. Objects live until their users end.
 */
static void courier_remove(struct platform_device *pdev)
{
	struct courier_device *courier = platform_get_drvdata(pdev);

	drm_dev_unplug(&courier->drm);
	drm_gem_sync_device_unplug(&courier->gem);
	courier_memory_fini(courier);
}

static struct platform_driver courier_platform_driver = {
	.probe = courier_probe,
	.remove = courier_remove,
	.driver = {
		.name = "courier",
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

/* Real hardware is found by its bus; this device comes and goes with the module. */
static struct platform_device *courier_pdev;

static int __init courier_init(void)
{
	int ret = platform_driver_register(&courier_platform_driver);

	if (ret)
		return ret;
	courier_pdev = platform_device_register_simple("courier", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(courier_pdev)) {
		ret = PTR_ERR(courier_pdev);
		goto err_driver;
	}
	if (!device_is_bound(&courier_pdev->dev)) {
		ret = -ENODEV;
		goto err_device;
	}
	return 0;

err_device:
	platform_device_unregister(courier_pdev);
err_driver:
	platform_driver_unregister(&courier_platform_driver);
	return ret;
}
module_init(courier_init);

static void __exit courier_exit(void)
{
	platform_device_unregister(courier_pdev);
	platform_driver_unregister(&courier_platform_driver);
}
module_exit(courier_exit);

MODULE_DESCRIPTION("Example of a driver on drm_gem_sync");
MODULE_LICENSE("Dual MIT/GPL");
