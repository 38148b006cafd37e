// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "internal.h"
#include "trace.h"

/**
 * DOC: overview
 *
 * On a non-coherent device a GEM object that is mapped cached on the CPU needs
 * explicit maintenance: CPU writes are flushed before the device reads, and
 * lines are flushed and invalidated before the CPU reads what the device wrote.
 * This module does that for drivers with shmem-backed objects, and gives other
 * drivers the hooks, the checks and the ioctl: their objects get a table with a sync hook
 * of the driver's by drm_gem_sync_set_funcs().
 *
 * It does CPU cache maintenance and nothing else. drm_gem_sync() works on the
 * lines that overlap the range and on no other (R1); it never moves, allocates
 * or pins memory (R2) and waits on no fence (R3). The rules are in
 * docs/contract.md.
 *
 * A driver embeds &struct drm_gem_sync_shmem_object in its object, tells
 * whether the device is coherent, and forwards its sync ioctl::
 *
 *	struct foo_bo {
 *		struct drm_gem_sync_shmem_object base;
 *		u32 flags;
 *	};
 *
 *	static void foo_bo_free(struct drm_gem_object *obj)
 *	{
 *		struct foo_bo *bo = container_of(to_drm_gem_sync_shmem(obj), struct foo_bo, base);
 *
 *		drm_gem_sync_shmem_fini(&bo->base);
 *		kfree(bo);
 *	}
 *
 *	static const struct drm_gem_sync_funcs foo_bo_funcs =
 *		DRM_GEM_SYNC_SHMEM_FUNCS(foo_bo_free, foo_bo_export);
 *
 *	static void foo_decode(const void *raw, struct gs_sync_op *op)
 *	{
 *		const struct drm_foo_bo_sync_op *foo = raw;
 *
 *		op->handle = foo->handle;
 *		op->type = foo->type;
 *		op->pad = foo->pad;
 *		op->offset = foo->offset;
 *		op->size = foo->size;
 *	}
 *
 *	static int foo_ioctl_bo_sync(struct drm_device *drm, void *data, struct drm_file *file)
 *	{
 *		struct drm_foo_bo_sync *args = data;
 *		struct drm_gem_sync_array array = {
 *			.ptr = args->ops.array,
 *			.stride = args->ops.stride,
 *			.count = args->ops.count,
 *			.op_size = sizeof(struct drm_foo_bo_sync_op),
 *			.decode = foo_decode,
 *		};
 *
 *		return drm_gem_sync_ioctl(file, &array);
 *	}
 *
 * All fields of an op that have to be 0 go into its pad, or-ed together; the helper
 * refuses the batch if one is not (R8). examples/driver is a whole driver outside this tree.
 *
 * Before the device uses an object, the driver takes drm_gem_sync_shmem_pin(),
 * which allocates the pages, maps them for the device and publishes their
 * content to every view (R17); device addresses come from
 * drm_gem_sync_shmem_dma_addr().
 *
 * No maintenance reaches through a bounce buffer (R21). A non-coherent device that
 * can bounce, because swiotlb is forced or it cannot address all memory, has no cached
 * objects, and populating any object fails with -EOPNOTSUPP if its mapping did bounce.
 * A driver whose device cannot address all memory keeps the pages of its objects in
 * reach with mapping_set_gfp_mask() on their &drm_gem_object.filp.
 *
 * Objects that nobody pins may lose their pages when memory is short, once all their
 * fences are signalled: evicted ones get them back, with their content, at the next
 * access of any kind (R18); those of which the user said so with
 * drm_gem_sync_shmem_madvise() are purged instead. A driver whose address spaces map
 * objects without pinning them has &drm_gem_sync_device_ops.evicting, and calls
 * drm_gem_sync_shmem_populate() before its device comes back to them.
 *
 * What leaves the DRM file of its creator is a matter of &drm_gem_sync_device.policy:
 * either what the CPU maps cached stays (R13), or its dma-buf has
 * drm_gem_dmabuf_begin_cpu_access() and drm_gem_dmabuf_end_cpu_access(), which sync it for
 * the CPU, for the device and for all importers (R14). These are for any object that has a
 * sync hook::
 *
 *	static const struct dma_buf_ops foo_dmabuf_ops = {
 *		.attach = drm_gem_sync_dmabuf_attach,
 *		.detach = drm_gem_sync_dmabuf_detach,
 *		.map_dma_buf = drm_gem_sync_dmabuf_map,
 *		.unmap_dma_buf = drm_gem_sync_dmabuf_unmap,
 *		.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
 *		.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
 *		.release = drm_gem_dmabuf_release,
 *		...
 *	};
 */

struct gem_sync_totals gem_sync_totals;

static bool public_counters = true;
module_param(public_counters, bool, 0644);
MODULE_PARM_DESC(public_counters,
		 "Everybody may read the counters, which tell what others do; else who may monitor performance (default Y)");

static int totals_get(char *buffer, const struct kernel_param *param)
{
	if (!READ_ONCE(public_counters) && !perfmon_capable())
		return -EPERM;
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(param->arg));
}

static const struct kernel_param_ops totals_ops = { .get = totals_get };

module_param_cb(objects, &totals_ops, &gem_sync_totals.objects, 0444);
MODULE_PARM_DESC(objects, "shmem objects that exist (read only)");
module_param_cb(pages, &totals_ops, &gem_sync_totals.pages, 0444);
MODULE_PARM_DESC(pages, "pages of populated objects (read only)");
module_param_cb(locks, &totals_ops, &gem_sync_totals.locks, 0444);
MODULE_PARM_DESC(locks, "object locks taken by syncs so far (read only)");

/* The table that the object's functions are the base of, or NULL. */
const struct drm_gem_sync_funcs *gem_sync_funcs(const struct drm_gem_object *obj)
{
	if (!obj->funcs || obj->funcs->print_info != drm_gem_sync_print_info)
		return NULL;
	return container_of(obj->funcs, struct drm_gem_sync_funcs, base);
}

/* The object as a shmem-backed one, if it is one. */
const struct drm_gem_sync_shmem_object *gem_sync_shmem(const struct drm_gem_object *obj)
{
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);

	if (!funcs || !funcs->shmem)
		return NULL;
	return container_of_const(obj, struct drm_gem_sync_shmem_object, base);
}

static const char *wrong_with(const struct drm_gem_sync_funcs *funcs, bool shmem)
{
	if (funcs->base.print_info != drm_gem_sync_print_info)
		return "base.print_info is not drm_gem_sync_print_info()";
	if (!funcs->hold != !funcs->release)
		return "one of hold and release is missing";
	if (funcs->shmem != shmem)
		return shmem ? "shmem is not set" : "shmem is set";
	if (shmem && !funcs->sync != !funcs->hold)
		return "one of sync and hold is missing";
	return NULL;
}

int gem_sync_check_funcs(const struct drm_device *drm, const struct drm_gem_sync_funcs *funcs,
			 bool shmem)
{
	const char *wrong = wrong_with(funcs, shmem);

	if (!wrong)
		return 0;
	drm_err_ratelimited(drm, "a drm_gem_sync_funcs is refused: %s\n", wrong);
	return -EINVAL;
}

/**
 * drm_gem_sync_set_funcs() - give a table to an object that is not shmem-backed
 * @obj: the object, whose &drm_gem_object.funcs this sets
 * @funcs: the driver's table, whose @shmem is not set
 *
 * Context: Any. Before the object has a handle.
 *
 * Return: 0; -EINVAL if the helper would not recognize the table, or could not use it: the
 * log says why.
 */
int drm_gem_sync_set_funcs(struct drm_gem_object *obj, const struct drm_gem_sync_funcs *funcs)
{
	int ret = gem_sync_check_funcs(obj->dev, funcs, false);

	if (!ret)
		obj->funcs = &funcs->base;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_set_funcs);

/*
 * There is no killable lock of this kind. One that a signal interrupts would end a sync
 * that is done again from its beginning, and never ends if the next signal comes first.
 */
int gem_sync_lock(struct dma_resv *resv)
{
	int ret = dma_resv_lock_interruptible(resv, NULL);

	while (ret == -EINTR && !fatal_signal_pending(current)) {
		if (dma_resv_trylock(resv))
			return 0;
		schedule_timeout_killable(1);
	}
	return ret;
}

/*
 * Of RISC-V's lines the DMA API invalidates whole ones, after a write-back of its own:
 * what others store to an edge line between the two would be lost (R5).
 */
static bool loses_neighbours(const struct drm_gem_object *obj, const struct gs_sync_op *op)
{
	const struct drm_gem_sync_shmem_object *shmem = gem_sync_shmem(obj);

	if (!IS_ENABLED(CONFIG_RISCV) || op->type != GS_SYNC_FLUSH_AND_INVALIDATE)
		return false;
	return shmem && shmem->args.cached && !shmem->sdev->coherent &&
	       !IS_ALIGNED(op->offset | op->size, dma_get_cache_alignment());
}

/* Behind an unplug an imported object has no attachment any more. */
static bool is_imported(const struct drm_gem_object *obj)
{
	const struct drm_gem_sync_shmem_object *shmem = gem_sync_shmem(obj);

	return shmem ? shmem->imported : !!obj->import_attach;
}

/* R8 and R11 for one op whose handle is known. */
int gem_sync_check(const struct drm_gem_object *obj, const struct gs_sync_op *op)
{
	const struct gs_sync_target target = {
		.size = obj->size,
		.imported = is_imported(obj),
	};
	int ret = gs_sync_op_check(op, &target);

	if (!ret && loses_neighbours(obj, op))
		ret = -EOPNOTSUPP;
	if (ret)
		trace_drm_gem_sync_refused(obj, op, ret);
	return ret;
}

/**
 * drm_gem_sync() - make part of an object coherent for the next access
 * @obj: the object
 * @offset: start of the range, in bytes
 * @size: length of the range, in bytes; 0 does nothing
 * @access: who accesses the range next, and how
 *
 * Device access flushes, CPU access flushes and invalidates (R6). The range is
 * widened to whole cache lines and no further (R1). Objects without a sync hook
 * need no maintenance.
 *
 * Context: Process context, may sleep. Takes the object's reservation lock, which the
 * caller must not hold, and drops it before the walk.
 *
 * Return: 0; -EINVAL for a bad @access, a range that leaves the object, or an
 * imported object (its exporter synchronizes it, R11); -EINTR if a signal came that kills
 * the task; -ENODEV if the device was unplugged before or meanwhile; -EOPNOTSUPP for CPU
 * access to part of a line on RISC-V, where its other bytes could be lost (R5); another
 * errno of the hooks.
 */
int drm_gem_sync(struct drm_gem_object *obj, size_t offset, size_t size,
		 enum drm_gem_object_access_flags access)
{
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);
	struct gs_sync_op op = { .offset = offset, .size = size };
	int ret;

	ret = gs_access_to_sync(access);
	if (ret < 0)
		return ret;
	op.type = ret;
	ret = gem_sync_check(obj, &op);
	if (ret)
		return ret;
	if (!size || !funcs || !funcs->sync)
		return 0;
	ret = funcs->hold ? funcs->hold(obj) : 1;
	if (ret <= 0)
		return ret;
	ret = funcs->sync(obj, offset, size, access);
	if (funcs->release)
		funcs->release(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync);

/**
 * drm_gem_sync_print_info() - &drm_gem_object_funcs.print_info of all objects with a hook
 * @p: where to print to
 * @indent: indentation level
 * @obj: the object
 *
 * It also marks the table as a &struct drm_gem_sync_funcs, whose own print_info
 * it calls.
 */
void drm_gem_sync_print_info(struct drm_printer *p, unsigned int indent,
			     const struct drm_gem_object *obj)
{
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);

	if (funcs && funcs->print_info)
		funcs->print_info(p, indent, obj);
}
EXPORT_SYMBOL_GPL(drm_gem_sync_print_info);

struct workqueue_struct *gem_sync_wq;

static int __init gem_sync_module_init(void)
{
	gem_sync_wq = alloc_workqueue("drm-gem-sync", WQ_UNBOUND, 0);
	return gem_sync_wq ? 0 : -ENOMEM;
}

static void __exit gem_sync_module_exit(void)
{
	destroy_workqueue(gem_sync_wq);
	WARN_ON(atomic_long_read(&gem_sync_totals.objects));
	WARN_ON(atomic_long_read(&gem_sync_totals.pages));
}

module_init(gem_sync_module_init);
module_exit(gem_sync_module_exit);

MODULE_DESCRIPTION("Explicit CPU-cache synchronization of GEM objects");
MODULE_LICENSE("GPL");
