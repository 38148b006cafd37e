// SPDX-License-Identifier: GPL-2.0-only
/* A platform driver is registered with the name of its module. */
#include <linux/platform_device.h>

int probe(struct platform_driver *driver);
int probe(struct platform_driver *driver)
{
	return __platform_driver_register(driver, NULL, "name");
}
