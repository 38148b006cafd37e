// SPDX-License-Identifier: MIT
/*
 * Synchronization by the driver or by this CPU. Everything is checked here before
 * anything is done: operations that have nothing to do never reach the driver (R9), so
 * it could not refuse them.
 */
#include <errno.h>

#include "batch.h"
#include "internal.h"

_Static_assert((int)GEMSYNC_FLUSH == (int)GS_SYNC_FLUSH &&
	       (int)GEMSYNC_INVALIDATE == (int)GS_SYNC_FLUSH_AND_INVALIDATE,
	       "types of operations are those of core/");

/* ---- Paths ---- */

/* Whether this CPU's maintenance reaches the BO's lines, and if not, why. */
static bool cpu_works(const struct gemsync_bo *bo, const char **why)
{
	struct gemsync_cpu_info cpu;

	if (bo->dev->info.emulated && !bo->dev->user_ops) {
		*why = "emulated cache: only the driver's maintenance moves its lines";
		return false;
	}
	if (bo->dev->unseen) {
		*why = "no sysfs: the device may be one with an emulated cache";
		return false;
	}
	if (gemsync_cpu_query(&cpu)) {
		*why = cpu.why;
		return false;
	}
	*why = "the CPU maintains the map without a call to the kernel";
	return true;
}

void gemsync_bo_choose_path(struct gemsync_bo *bo)
{
	const char *why;

	bo->by_cpu = bo->needs_sync && bo->map && bo->wanted != GEMSYNC_PATH_DRIVER &&
		     cpu_works(bo, &why);
}

void gemsync_bo_describe_path(const struct gemsync_bo *bo, struct gemsync_bo_info *info)
{
	info->path = GEMSYNC_PATH_DRIVER;
	if (!bo->needs_sync) {
		info->path = GEMSYNC_PATH_NONE;
		info->why = bo->imported ? "imported: its exporter synchronizes it" :
			    bo->dev->info.coherent ? "the device snoops CPU caches" :
						     "the map is write-combined";
	} else if (bo->wanted == GEMSYNC_PATH_DRIVER) {
		info->why = "asked for";
	} else if (cpu_works(bo, &info->why)) {
		if (bo->by_cpu || bo->wanted == GEMSYNC_PATH_CPU)
			info->path = GEMSYNC_PATH_CPU;
		if (!bo->by_cpu)
			info->why = bo->wanted == GEMSYNC_PATH_CPU ?
				    "asked for, but not mapped: until it is, syncs fail" :
				    "not mapped: the CPU has no address for it";
	}
	if (info->path == GEMSYNC_PATH_DRIVER && !bo->dev->ops->sync)
		info->why = "the driver has no call that syncs, and the CPU cannot: syncs fail";
}

int gemsync_bo_set_path(struct gemsync_bo *bo, enum gemsync_path path)
{
	const char *why;

	switch (path) {
	case GEMSYNC_PATH_AUTO:
		break;
	case GEMSYNC_PATH_DRIVER:
		if (!bo->dev->ops->sync)
			return -EOPNOTSUPP;
		break;
	case GEMSYNC_PATH_CPU:
		if (!cpu_works(bo, &why))
			return -EOPNOTSUPP;
		break;
	default:
		return -EINVAL;
	}
	bo->wanted = path;
	gemsync_bo_choose_path(bo);
	return 0;
}

/* ---- Operations ---- */

int gemsync_op_check(const struct gemsync_op *op)
{
	struct gs_sync_op plain = {
		.type = op->type,
		.offset = op->offset,
		.size = op_size(op),
	};
	struct gs_sync_target target = { .size = op->bo->size, .imported = op->bo->imported };
	int ret;

	ret = gs_sync_op_check(&plain, &target);
	if (ret || op_is_idle(op))
		return ret;
	/* What is left to the driver: it has to be able to, and nobody asked for the CPU. */
	if (!op->bo->dev->ops->sync || op->bo->wanted == GEMSYNC_PATH_CPU)
		return -EOPNOTSUPP;
	return 0;
}

/* One fence for all: that of an invalidation does for flushes too (R25). */
static int sync_by_cpu(const struct gemsync_op *ops, size_t count)
{
	enum gemsync_direction direction = GEMSYNC_BEFORE_DEVICE;
	const char *start;
	uint64_t size;
	size_t i;
	int ret;

	for (i = 0; i < count; i++) {
		size = op_size(&ops[i]);
		if (!ops[i].bo->by_cpu || !size)
			continue;
		start = (const char *)ops[i].bo->map + ops[i].offset;
		if (ops[i].type == GEMSYNC_FLUSH) {
			ret = gemsync_cpu_flush_unfenced(start, size);
		} else {
			ret = gemsync_cpu_invalidate_unfenced(start, size);
			direction = GEMSYNC_BEFORE_CPU;
		}
		if (ret)
			return ret;
	}
	return gemsync_cpu_fence(direction);
}

int gemsync_device_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	bool driver = false, cpu = false;
	size_t i;
	int ret;

	if (count > GS_BATCH_MAX)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		ret = ops[i].bo && ops[i].bo->dev == dev ? gemsync_op_check(&ops[i]) : -EINVAL;
		if (ret)
			return ret;
		driver = driver || !op_is_idle(&ops[i]);
		cpu = cpu || (ops[i].bo->by_cpu && op_size(&ops[i]));
	}
	/* Only the driver can fail: it goes first, so that a failure is all of it (R7). */
	if (driver) {
		ret = dev->ops->sync(dev, ops, count);
		if (ret)
			return ret;
	}
	return cpu ? sync_by_cpu(ops, count) : 0;
}

static int submit_batch(void *context, const struct gemsync_op *ops, size_t count)
{
	return gemsync_device_sync(context, ops, count);
}

int gemsync_device_batch_init(struct gemsync_device *dev, struct gemsync_batch *batch,
			      struct gemsync_op *ops, size_t room, uint32_t flags)
{
	struct gemsync_batch_limits limits = dev->ops->limits;
	uint64_t line = dev->info.line_size ? dev->info.line_size : 1;

	limits.count_max = GS_BATCH_MAX;
	return gemsync_batch_init(batch, ops, room, line, flags, &limits, submit_batch, dev);
}

int gemsync_bo_flush(struct gemsync_bo *bo, uint64_t offset, uint64_t size)
{
	struct gemsync_op op = { .bo = bo, .type = GEMSYNC_FLUSH, .offset = offset, .size = size };

	return gemsync_device_sync(bo->dev, &op, 1);
}

int gemsync_bo_invalidate(struct gemsync_bo *bo, uint64_t offset, uint64_t size)
{
	struct gemsync_op op = {
		.bo = bo,
		.type = GEMSYNC_INVALIDATE,
		.offset = offset,
		.size = size,
	};

	return gemsync_device_sync(bo->dev, &op, 1);
}
