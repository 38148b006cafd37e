// SPDX-License-Identifier: GPL-2.0-only
/* What a device tells in debugfs, in the directory of its DRM device, and a file in fdinfo. */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/seq_file.h>

#include <drm/drm_file.h>

#include "internal.h"

/* One line. */
static void show_object(struct drm_gem_sync_shmem_object *shmem, void *data)
{
	const struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);
	const struct drm_gem_object *obj = &shmem->base;
	struct drm_gem_sync_shmem_info info;
	struct seq_file *seq = data;

	drm_gem_sync_shmem_get_info(shmem, &info);
	seq_printf(seq, "%zu %zu %s%s%s%s%s%s %u %s:%d %s\n", obj->size,
		   info.resident >> PAGE_SHIFT,
		   drm_gem_sync_shmem_is_wc(shmem) ? "wc" : "cached",
		   info.private ? ",private" : "",
		   READ_ONCE(obj->handle_count) > 1 ? ",shared" : "",
		   READ_ONCE(obj->dma_buf) ? ",exported" : "",
		   info.imported ? ",imported" : "",
		   info.purged ? ",purged" : "",
		   info.pins, bo->owner.comm, bo->owner.pid,
		   bo->owner.label[0] ? bo->owner.label : "-");
}

static int gems_show(struct seq_file *seq, void *unused)
{
	struct vgpu_device *vdev = seq->private;

	seq_puts(seq, "# bytes resident_pages flags pins owner label\n");
	/* Of the labels. */
	mutex_lock(&vdev->lock);
	drm_gem_sync_device_for_each(&vdev->gem, show_object, seq);
	mutex_unlock(&vdev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gems);

/**
 * vgpu_debugfs_init() - &drm_driver.debugfs_init
 * @minor: the primary node
 *
 * Files: `gems`, the buffer objects; `evict` and `purge`, see
 * drm_gem_sync_debugfs_init(); `ncmem_violations`, see ncmem;
 * `fail_async_binds`, how many of the next asynchronous binds fail, so that user space
 * can be tested with an address space that became unusable.
 */
void vgpu_debugfs_init(struct drm_minor *minor)
{
	struct vgpu_device *vdev = to_vgpu_device(minor->dev);

	debugfs_create_file("gems", 0444, minor->debugfs_root, vdev, &gems_fops);
	debugfs_create_atomic_t("fail_async_binds", 0644, minor->debugfs_root, &vdev->fail_binds);
	drm_gem_sync_debugfs_init(&vdev->gem, minor->debugfs_root);
	ncmem_debugfs_init(vdev->nc, minor->debugfs_root);
}
EXPORT_SYMBOL_GPL(vgpu_debugfs_init);

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
