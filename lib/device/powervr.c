// SPDX-License-Identifier: MIT
/*
 * Back end for the powervr driver (Imagination GPUs). Its ABI has no call that
 * synchronizes: what it maps write-combined needs none, and cached BOs, which only
 * changed kernels give to user space, are left to the CPU; where that cannot, nobody can,
 * which the library says (R24). Nor does it tell what a BO is (R23), so BOs of others
 * cannot be taken over.
 */
#include <errno.h>
#include <unistd.h>
#include <xf86drm.h>

#include "../internal.h"
#include "pvr_drm.h"

static int powervr_probe(const struct gemsync_device *dev)
{
	return dev->info.version_major == 1 ? 0 : -EOPNOTSUPP;
}

/* The driver does not tell, so that the device has to be taken for one that does not snoop. */
static int powervr_query(struct gemsync_device *dev, struct gemsync_device_info *info)
{
	int dir = gemsync_emulation_open(dev->fd);
	int ret;

	info->coherent = false;
	if (dir == -ENOENT || dir == -ENODEV)
		return 0;
	if (dir < 0)
		return dir;
	ret = gemsync_emulation_read_coherent(dir, &info->coherent);
	close(dir);
	return ret;
}

static int powervr_bo_create(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			     uint32_t *handle)
{
	const uint64_t page_mask = dev->info.page_size - 1;
	struct drm_pvr_ioctl_create_bo_args args = { 0 };
	int ret;

	if (*size > UINT64_MAX - page_mask)
		return -EINVAL;
	args.size = (*size + page_mask) & ~page_mask;
	if (flags & GEMSYNC_BO_CACHED)
		args.flags |= PVR_BO_CPU_CACHED;
	if (!(flags & GEMSYNC_BO_NO_MMAP))
		args.flags |= DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS;
	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PVR_CREATE_BO, &args);
	if (ret)
		return ret;
	/* What its policy is, the driver says at the export only (R13). */
	if (flags & GEMSYNC_BO_CACHED && flags & GEMSYNC_BO_SHAREABLE)
		ret = gemsync_drm_bo_check_export(dev, args.handle);
	if (ret) {
		gemsync_drm_bo_destroy(dev, args.handle);
		return ret;
	}
	*size = args.size;
	*handle = args.handle;
	return 0;
}

static int powervr_bo_map(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	struct drm_pvr_ioctl_get_bo_mmap_offset_args args = { .handle = bo->handle };
	int ret;

	ret = gemsync_drm_ioctl(dev, DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET, &args);
	if (ret)
		return ret;
	ret = gemsync_drm_bo_map_at(dev, bo, args.offset, out);
	/* With the driver's own offset and size, this is how it says that the CPU may not. */
	return ret == -EINVAL ? -EPERM : ret;
}

const struct drm_ops gemsync_powervr_ops = {
	.base = {
		.driver = "powervr",
		.close = gemsync_drm_close,
		.bo_create = powervr_bo_create,
		.bo_destroy = gemsync_drm_bo_destroy,
		.bo_map = powervr_bo_map,
		.bo_unmap = gemsync_drm_bo_unmap,
		.bo_export = gemsync_drm_bo_export,
		.bo_import = gemsync_drm_bo_import,
	},
	.probe = powervr_probe,
	.query = powervr_query,
};
