// SPDX-License-Identifier: GPL-2.0-only
/* A module, its parameters and its device, from loading to unloading. */
#include <linux/export.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>

#include "internal.h"

static struct vgpu_driver *to_vgpu_driver(struct platform_device *pdev)
{
	return container_of(to_platform_driver(pdev->dev.driver), struct vgpu_driver, base);
}

/* The driver's part of a device that is there, and its users. */
static int add_device(struct vgpu_driver *driver, struct vgpu_device *vdev)
{
	int ret = 0;

	if (driver->init)
		ret = driver->init(vdev);
	return ret ?: drm_dev_register(&vdev->drm, 0);
}

static int probe(struct platform_device *pdev)
{
	struct vgpu_driver *driver = to_vgpu_driver(pdev);
	struct vgpu_device_config config = {};
	struct vgpu_device *vdev;
	int ret;

	driver->configure(&config);
	vdev = __devm_drm_dev_alloc(&pdev->dev, driver->drm, driver->device_size,
				    offsetof(struct vgpu_device, drm));
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	platform_set_drvdata(pdev, vdev);
	ret = vgpu_device_init(vdev, &config, &driver->devices);
	if (ret)
		return dev_err_probe(&pdev->dev, ret,
				     "no emulated memory with line_size=%u dma_bits=%u\n",
				     config.memory.line_size, config.memory.dma_bits);
	ret = add_device(driver, vdev);
	if (ret)
		vgpu_device_fini(vdev);
	return ret;
}

static void remove(struct platform_device *pdev)
{
	vgpu_device_unplug(platform_get_drvdata(pdev));
}

/* What files that are closed leave behind may still run the driver's code. */
static void wait_for_devices(struct vgpu_driver *driver)
{
	wait_var_event(&driver->devices, !atomic_read(&driver->devices));
}

/**
 * __vgpu_driver_register() - register a platform driver and make its device
 * @driver: the driver
 * @owner: the driver's module
 *
 * Context: Process context, in the module's init.
 *
 * Return: 0; -ENODEV if the driver does not bind to its device, for a reason that is in
 * the log: a module without a device helps nobody; -ENOMEM or another error of the
 * driver core. On failure nothing is left.
 */
int __vgpu_driver_register(struct vgpu_driver *driver, struct module *owner)
{
	const struct platform_device_info info = {
		.name = driver->base.driver.name,
		.id = PLATFORM_DEVID_NONE,
	};
	int ret;

	/* Loading the module tells whether it worked. */
	driver->base.probe = probe;
	driver->base.remove = remove;
	driver->base.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	ret = compat_platform_driver_register(&driver->base, owner);
	if (ret)
		return ret;
	driver->pdev = platform_device_register_full(&info);
	if (IS_ERR(driver->pdev)) {
		ret = PTR_ERR(driver->pdev);
		goto err_driver;
	}
	if (!device_is_bound(&driver->pdev->dev)) {
		ret = -ENODEV;
		goto err_device;
	}
	return 0;

err_device:
	platform_device_unregister(driver->pdev);
err_driver:
	platform_driver_unregister(&driver->base);
	wait_for_devices(driver);
	return ret;
}
EXPORT_SYMBOL_GPL(__vgpu_driver_register);

/**
 * vgpu_driver_unregister() - undo vgpu_driver_register()
 * @driver: the driver
 *
 * Context: Process context, in the module's exit. May sleep.
 */
void vgpu_driver_unregister(struct vgpu_driver *driver)
{
	platform_device_unregister(driver->pdev);
	platform_driver_unregister(&driver->base);
	wait_for_devices(driver);
}
EXPORT_SYMBOL_GPL(vgpu_driver_unregister);

static const char *const policy_names[] = {
	[DRM_GEM_SYNC_STRICT] = "strict",
	[DRM_GEM_SYNC_HOOKS] = "hooks",
};

static int policy_set(const char *value, const struct kernel_param *param)
{
	enum drm_gem_sync_policy *policy = param->arg;
	int index = sysfs_match_string(policy_names, value);

	if (index < 0)
		return index;
	*policy = index;
	return 0;
}

static int policy_get(char *buffer, const struct kernel_param *param)
{
	const enum drm_gem_sync_policy *policy = param->arg;

	return sysfs_emit(buffer, "%s\n", policy_names[*policy]);
}

const struct kernel_param_ops vgpu_policy_param_ops = {
	.set = policy_set,
	.get = policy_get,
};
EXPORT_SYMBOL_GPL(vgpu_policy_param_ops);

static int timeout_set(const char *value, const struct kernel_param *param)
{
	unsigned int *timeout = param->arg, ms;
	int ret = kstrtouint(value, 0, &ms);

	if (ret)
		return ret;
	*timeout = min_not_zero(ms, VGPU_MAX_JOB_TIMEOUT_MS);
	return 0;
}

const struct kernel_param_ops vgpu_timeout_param_ops = {
	.set = timeout_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_GPL(vgpu_timeout_param_ops);
