// SPDX-License-Identifier: GPL-2.0-only
/* What a DRM file says about itself. */
#include <linux/export.h>

#include <drm/drm_file.h>

#include "internal.h"

/**
 * vgpu_show_fdinfo() - &drm_driver.show_fdinfo: memory of a file
 * @p: where to print to
 * @file: the DRM file
 */
void vgpu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	drm_show_memory_stats(p, file);
}
EXPORT_SYMBOL_GPL(vgpu_show_fdinfo);
