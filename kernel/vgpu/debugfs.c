// SPDX-License-Identifier: GPL-2.0-only
/* What debugfs shows of a device, in the directory of its DRM device. */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/seq_file.h>

#include <drm/drm_file.h>

#include "internal.h"

/* One line; what changes meanwhile is seen as it was or as it will be. */
static void show_object(struct seq_file *seq, struct vgpu_bo *bo)
{
	const struct drm_gem_sync_shmem_object *shmem = &bo->base;
	const struct drm_gem_object *obj = &shmem->base;
	size_t resident = READ_ONCE(shmem->pages) ? obj->size >> PAGE_SHIFT : 0;

	seq_printf(seq, "%zu %zu %s%s%s%s%s%s %u %s:%d %s\n", obj->size, resident,
		   drm_gem_sync_shmem_is_wc(shmem) ? "wc" : "cached",
		   shmem->args.private ? ",private" : "",
		   READ_ONCE(obj->handle_count) > 1 ? ",shared" : "",
		   READ_ONCE(obj->dma_buf) ? ",exported" : "",
		   shmem->imported ? ",imported" : "",
		   READ_ONCE(shmem->purged) ? ",purged" : "",
		   READ_ONCE(shmem->pins), bo->owner.comm, bo->owner.pid,
		   bo->owner.label[0] ? bo->owner.label : "-");
}

static int gems_show(struct seq_file *seq, void *unused)
{
	struct vgpu_device *vdev = seq->private;
	struct drm_gem_sync_shmem_object *shmem;

	seq_puts(seq, "# bytes resident_pages flags pins owner label\n");
	mutex_lock(&vdev->lock);
	mutex_lock(&vdev->gem.lock);
	list_for_each_entry(shmem, &vdev->gem.objects, node)
		show_object(seq, container_of(shmem, struct vgpu_bo, base));
	mutex_unlock(&vdev->gem.lock);
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
