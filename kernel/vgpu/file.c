// SPDX-License-Identifier: GPL-2.0-only
/* File operations: ioctls that the unplugging of a device waits for, and statistics. */
#include <linux/export.h>
#include <linux/fs.h>

#include <drm/drm.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "internal.h"

/*
 * Whether a call needs the device: the driver's own, and imports, which map for DMA.
 * Others of the DRM core may wait for ever, for fences that unplugging would signal.
 * Syncs see to it themselves that objects stay mapped, and may take long; every
 * unplugging, of other devices too, waits for who is between enter and exit.
 */
static bool needs_device(struct vgpu_device *vdev, unsigned int cmd)
{
	unsigned int nr = DRM_IOCTL_NR(cmd);

	if (vdev->sync_nr && nr == vdev->sync_nr)
		return false;
	if (nr >= DRM_COMMAND_BASE && nr < DRM_COMMAND_END)
		return true;
	return nr == DRM_IOCTL_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE);
}

typedef long (ioctl_fn)(struct file *filp, unsigned int cmd, unsigned long arg);

static long guarded(struct file *filp, unsigned int cmd, unsigned long arg, ioctl_fn *call)
{
	struct drm_file *file = filp->private_data;
	long ret;
	int idx;

	if (!needs_device(to_vgpu_device(file->minor->dev), cmd))
		return call(filp, cmd, arg);
	if (!drm_dev_enter(file->minor->dev, &idx))
		return -ENODEV;
	ret = call(filp, cmd, arg);
	drm_dev_exit(idx);
	return ret;
}

/**
 * vgpu_ioctl() - &file_operations.unlocked_ioctl: drm_ioctl() on a device that stays
 * @filp: the DRM file
 * @cmd: the request
 * @arg: its argument
 *
 * The driver's ioctls run between drm_dev_enter() and drm_dev_exit(). They must not
 * wait for jobs.
 *
 * Return: -ENODEV behind an unplug, else what the ioctl returns.
 */
long vgpu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return guarded(filp, cmd, arg, drm_ioctl);
}
EXPORT_SYMBOL_GPL(vgpu_ioctl);

#ifdef CONFIG_COMPAT
/**
 * vgpu_compat_ioctl() - &file_operations.compat_ioctl: as vgpu_ioctl()
 * @filp: the DRM file
 * @cmd: the request
 * @arg: its argument
 *
 * Return: as vgpu_ioctl().
 */
long vgpu_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return guarded(filp, cmd, arg, drm_compat_ioctl);
}
EXPORT_SYMBOL_GPL(vgpu_compat_ioctl);
#endif

/**
 * vgpu_mmap() - &file_operations.mmap: drm_gem_mmap() on a device that stays
 * @filp: the DRM file
 * @vma: the map
 *
 * Return: -ENODEV behind an unplug, else what drm_gem_mmap() returns.
 */
int vgpu_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file = filp->private_data;
	int ret, idx;

	if (!drm_dev_enter(file->minor->dev, &idx))
		return -ENODEV;
	ret = drm_gem_mmap(filp, vma);
	drm_dev_exit(idx);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_mmap);

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
