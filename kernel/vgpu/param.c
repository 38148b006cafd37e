// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters of drivers. */
#include <linux/export.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "vgpu.h"

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
