// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as the kernel's CPUs and the device see it, for root: what the driver and the
 * firmware of a real GPU do with it, and nothing does here.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "vpowervr.h"

/* More than that is done by further calls. */
#define MAX_TRANSFER	SZ_1M

/* One read() or write(), of either kind. */
struct transfer {
	struct vpowervr_device *vdev;
	char __user *to;		/* NULL for a write */
	const char __user *from;	/* NULL for a read */
	u64 pos;
	size_t count;
};

/* ---- kernel_access ---- */

/* The object that an mmap offset lies in, with a reference, or NULL. */
static struct drm_gem_object *find_object(struct drm_device *drm, u64 pos, u64 *offset)
{
	struct drm_vma_offset_manager *manager = drm->vma_offset_manager;
	struct drm_gem_object *obj = NULL;
	struct drm_vma_offset_node *node;

	drm_vma_offset_lock_lookup(manager);
	node = drm_vma_offset_lookup_locked(manager, pos >> PAGE_SHIFT, 1);
	if (node) {
		obj = container_of(node, struct drm_gem_object, vma_node);
		*offset = pos - drm_vma_node_offset_addr(node);
		if (!kref_get_unless_zero(&obj->refcount))
			obj = NULL;
	}
	drm_vma_offset_unlock_lookup(manager);
	return obj;
}

/* What the device wrote is seen (R6). */
static int read_mapped(const struct transfer *t, struct drm_gem_object *obj,
		       const struct iosys_map *map, u64 offset, size_t count)
{
	int ret = drm_gem_sync(obj, offset, count,
			       DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_READ_ACCESS);

	if (ret)
		return ret;
	return copy_to_user(t->to, map->vaddr + offset, count) ? -EFAULT : 0;
}

/* The device sees what the CPU wrote, also if that ended early. */
static int write_mapped(const struct transfer *t, struct drm_gem_object *obj,
			const struct iosys_map *map, u64 offset, size_t count)
{
	int ret, copied;

	ret = drm_gem_sync(obj, offset, count,
			   DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_WRITE_ACCESS);
	if (ret)
		return ret;
	copied = copy_from_user(map->vaddr + offset, t->from, count) ? -EFAULT : 0;
	ret = drm_gem_sync(obj, offset, count,
			   DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS);
	return copied ?: ret;
}

static ssize_t access_object(const struct transfer *t, struct drm_gem_object *obj, u64 offset)
{
	size_t count = min_t(u64, t->count, obj->size - offset);
	struct iosys_map map;
	int ret;

	ret = vpowervr_bo_kernel_map(obj, &map);
	if (ret)
		return ret;
	if (t->to)
		ret = read_mapped(t, obj, &map, offset, count);
	else
		ret = write_mapped(t, obj, &map, offset, count);
	vpowervr_bo_kernel_unmap(obj, &map);
	return ret ?: count;
}

static ssize_t kernel_access(const struct transfer *t)
{
	struct drm_gem_object *obj;
	ssize_t ret;
	u64 offset;

	obj = find_object(&t->vdev->base.drm, t->pos, &offset);
	if (!obj)
		return -ENXIO;
	ret = access_object(t, obj, offset);
	drm_gem_object_put(obj);
	return ret;
}

/* ---- device_access ---- */

/*
 * What was evicted is back, and stays, while the device is at it; an unplug takes no object
 * away whose lock is held.
 */
static int access_memory(const struct transfer *t, struct vgpu_vm *vm, u64 va, void *bounce,
			 size_t size)
{
	struct drm_exec exec;
	int ret;

	ret = vgpu_vm_use_begin(vm, &exec);
	if (ret)
		return ret;
	if (drm_dev_is_unplugged(&t->vdev->base.drm))
		ret = -ENODEV;
	else if (t->to)
		ret = vgpu_vm_read(vm, va, bounce, size);
	else
		ret = vgpu_vm_write(vm, va, bounce, size);
	vgpu_vm_use_end(&exec);
	return ret;
}

static int access_piece(const struct transfer *t, struct vgpu_vm *vm, void *bounce, size_t done,
			size_t size)
{
	u64 va = (t->pos & GENMASK_ULL(VPOWERVR_VA_BITS - 1, 0)) + done;
	int ret;

	if (t->from && copy_from_user(bounce, t->from + done, size))
		return -EFAULT;
	ret = access_memory(t, vm, va, bounce, size);
	if (!ret && t->to && copy_to_user(t->to + done, bounce, size))
		ret = -EFAULT;
	return ret;
}

static ssize_t access_vm(const struct transfer *t, struct vgpu_vm *vm)
{
	void *bounce = kmalloc(PAGE_SIZE, GFP_KERNEL);
	size_t done = 0, size;
	int ret = 0;

	if (!bounce)
		return -ENOMEM;
	for (; done < t->count; done += size) {
		size = min_t(size_t, t->count - done, PAGE_SIZE);
		ret = access_piece(t, vm, bounce, done, size);
		if (ret)
			break;
		cond_resched();
	}
	kfree(bounce);
	return done ?: ret;
}

static ssize_t device_access(const struct transfer *t)
{
	struct vgpu_vm *vm = vgpu_vm_lookup(&t->vdev->vms, t->pos >> VPOWERVR_VA_BITS);
	ssize_t ret;

	if (!vm)
		return -ENXIO;
	ret = access_vm(t, vm);
	vgpu_vm_put(vm);
	return ret;
}

/* ---- Files ---- */

static ssize_t transfer_at(struct file *file, struct transfer *t, loff_t *ppos,
			   ssize_t (*access)(const struct transfer *t))
{
	ssize_t ret;

	t->vdev = file->private_data;
	t->pos = *ppos;
	t->count = min_t(size_t, t->count, MAX_TRANSFER);
	if (drm_dev_is_unplugged(&t->vdev->base.drm))
		return -ENODEV;
	ret = access(t);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

static ssize_t kernel_access_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	struct transfer t = { .to = to, .count = count };

	return transfer_at(file, &t, ppos, kernel_access);
}

static ssize_t kernel_access_write(struct file *file, const char __user *from, size_t count,
				   loff_t *ppos)
{
	struct transfer t = { .from = from, .count = count };

	return transfer_at(file, &t, ppos, kernel_access);
}

static const struct file_operations kernel_access_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = kernel_access_read,
	.write = kernel_access_write,
	.llseek = default_llseek,
};

static ssize_t device_access_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	struct transfer t = { .to = to, .count = count };

	return transfer_at(file, &t, ppos, device_access);
}

static ssize_t device_access_write(struct file *file, const char __user *from, size_t count,
				   loff_t *ppos)
{
	struct transfer t = { .from = from, .count = count };

	return transfer_at(file, &t, ppos, device_access);
}

static const struct file_operations device_access_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = device_access_read,
	.write = device_access_write,
	.llseek = default_llseek,
};

/*
 * Besides the files of all virtual GPUs, in the directory of the DRM device:
 *
 * kernel_access: at an object's mmap offset, the object, which need not be one that user
 * space may map. The kernel reads and writes it through a map of its own and syncs what
 * it touches, and nothing else, before and after.
 *
 * device_access: at a GPU address plus VM context handle * 2^40, what is mapped there. The
 * device reads and writes it, as firmware would. -EFAULT where nothing is mapped.
 */
void vpowervr_debugfs_init(struct drm_minor *minor)
{
	struct vpowervr_device *vdev = to_vpowervr(minor->dev);

	vgpu_debugfs_init(minor);
	debugfs_create_file("kernel_access", 0600, minor->debugfs_root, vdev, &kernel_access_fops);
	debugfs_create_file("device_access", 0600, minor->debugfs_root, vdev, &device_access_fops);
}
