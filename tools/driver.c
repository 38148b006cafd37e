// SPDX-License-Identifier: MIT
/* Drivers that the library does not know: the descriptions of others (gemsync/driver.h). */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gemsync/driver.h>

#include "tool.h"

#define SYMBOL	"gemsync_driver"

/* A path, never a name that is looked for among the system's libraries. */
static void *load(const char *path)
{
	char *full = realpath(path, NULL);
	void *object;

	if (!full) {
		tool_complain("%s: %s", path, strerror(errno));
		return NULL;
	}
	object = dlopen(full, RTLD_NOW | RTLD_LOCAL);
	free(full);
	if (!object)
		tool_complain("%s", dlerror());
	return object;
}

static const char *reason(int error)
{
	switch (error) {
	case -EINVAL:
		return "a description of another version of gemsync/driver.h, or not a whole one";
	case -EEXIST:
		return "the library knows this driver by itself";
	default:
		return strerror(-error);
	}
}

bool tool_load_driver(const char *path, const char **name)
{
	const struct gemsync_driver *driver;
	void *object = load(path);
	int ret;

	if (!object)
		return false;
	driver = dlsym(object, SYMBOL);
	if (!driver) {
		tool_complain("%s: it has no struct gemsync_driver " SYMBOL, path);
		return false;
	}
	ret = gemsync_driver_add(driver);
	if (ret) {
		tool_complain("%s: %s", path, reason(ret));
		return false;
	}
	*name = driver->name;
	return true;
}
