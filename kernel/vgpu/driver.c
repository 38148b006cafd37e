// SPDX-License-Identifier: GPL-2.0-only
/* A module and its device, from loading to unloading. */
#include <linux/export.h>
#include <linux/module.h>

#include "internal.h"

/**
 * __vgpu_driver_register() - register a platform driver and make its device
 * @driver: the driver, its @base filled but for &device_driver.probe_type
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
	driver->base.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	ret = __platform_driver_register(&driver->base, owner);
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
	vgpu_wait_for_devices(&driver->devices);
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
	vgpu_wait_for_devices(&driver->devices);
}
EXPORT_SYMBOL_GPL(vgpu_driver_unregister);
