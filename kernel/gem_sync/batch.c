// SPDX-License-Identifier: GPL-2.0-only
/* Many syncs in one ioctl: copied, then checked, then run (R7, R8). */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>

#include "internal.h"

/* A user's batch while it is handled. */
struct batch {
	struct drm_device *drm;
	const struct drm_gem_sync_array *array;
	void *raw;			/* array->count ops of array->op_size bytes */
	struct drm_gem_object **objs;	/* per op; one reference per group of equal ones */
	u32 looked_up;			/* how many of objs are set */
};

static void batch_op(const struct batch *batch, u32 index, struct gs_sync_op *op)
{
	memset(op, 0, sizeof(*op));
	batch->array->decode(batch->raw + (size_t)index * batch->array->op_size, op);
}

/* Bytes of a tail looked at between two looks at the scheduler. */
#define TAIL_STEP	SZ_1M

static int interrupted(const struct batch *batch)
{
	return gem_sync_interrupted(batch->drm);
}

/* Returns 0; -E2BIG if the bytes behind an op are not zero; -EFAULT; -EINTR; -ENODEV. */
static int check_tail(const struct batch *batch, u64 ptr, u64 size)
{
	u64 step;
	int ret;

	for (; size; size -= step, ptr += step) {
		step = min_t(u64, size, TAIL_STEP);
		ret = check_zeroed_user(u64_to_user_ptr(ptr), step);
		if (ret <= 0)
			return ret ?: -E2BIG;
		ret = interrupted(batch);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/* A fault anywhere counts before a tail that is not zero (R8). */
static int copy_strided(struct batch *batch)
{
	const struct drm_gem_sync_array *array = batch->array;
	int ret, result = 0;
	u64 ptr;
	u32 i;

	for (i = 0; i < array->count; i++) {
		ptr = array->ptr + (u64)i * array->stride;
		if (copy_from_user(batch->raw + (size_t)i * array->op_size, u64_to_user_ptr(ptr),
				   array->op_size))
			return -EFAULT;
		ret = check_tail(batch, ptr + array->op_size, array->stride - array->op_size);
		if (ret == -E2BIG)
			result = -E2BIG;
		else if (ret)
			return ret;
		ret = interrupted(batch);
		if (ret)
			return ret;
		cond_resched();
	}
	return result;
}

/* The array may lie in a map of the very object: no lock is held here (R7). */
static int batch_copy(struct batch *batch)
{
	const struct drm_gem_sync_array *array = batch->array;

	batch->raw = kvmalloc_array(array->count, array->op_size,
				    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	batch->objs = kvmalloc_array(array->count, sizeof(*batch->objs),
				     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!batch->raw || !batch->objs)
		return -ENOMEM;
	if (array->stride != array->op_size)
		return copy_strided(batch);
	if (copy_from_user(batch->raw, u64_to_user_ptr(array->ptr),
			   (size_t)array->count * array->op_size))
		return -EFAULT;
	return 0;
}

static struct drm_gem_object *lookup(struct batch *batch, struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	if (!obj)
		return NULL;
	/* Two handles may name one object: a group holds one reference. */
	if (batch->looked_up && batch->objs[batch->looked_up - 1] == obj)
		drm_gem_object_put(obj);
	batch->objs[batch->looked_up++] = obj;
	return obj;
}

static int batch_check(struct batch *batch, struct drm_file *file)
{
	struct gs_sync_op op, previous = {};
	struct drm_gem_object *obj;
	int ret;
	u32 i;

	for (i = 0; i < batch->array->count; i++) {
		batch_op(batch, i, &op);
		if (i && op.handle == previous.handle) {
			obj = batch->objs[i - 1];
			batch->objs[batch->looked_up++] = obj;
		} else {
			obj = lookup(batch, file, op.handle);
			if (!obj)
				return -ENOENT;
		}
		ret = gem_sync_check(obj, &op) ?: interrupted(batch);
		if (ret)
			return ret;
		previous = op;
		cond_resched();
	}
	return 0;
}

/* Ops of a group that its object's hook gets at once. */
#define OPS_AT_ONCE	16u

/* The next ops of a group, up to @count: how many were done, or an errno. */
static int run_ops(const struct batch *batch, struct drm_gem_object *obj, u32 first, u32 count)
{
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);
	struct gs_sync_op ops[OPS_AT_ONCE];
	int ret = 0;
	u32 i;

	count = funcs->sync_ops ? min(count, OPS_AT_ONCE) : 1;
	for (i = 0; i < count; i++)
		batch_op(batch, first + i, &ops[i]);
	if (funcs->sync_ops)
		ret = funcs->sync_ops(obj, ops, count);
	else if (ops[0].size)
		ret = funcs->sync(obj, ops[0].offset, ops[0].size,
				  gs_sync_to_access(ops[0].type));
	return ret ?: count;
}

/* One hold, which is one lock, for all ops of the group (R10). */
static int run_group(struct batch *batch, u32 first, u32 end)
{
	struct drm_gem_object *obj = batch->objs[first];
	const struct drm_gem_sync_funcs *funcs = gem_sync_funcs(obj);
	int ret;

	if (!funcs || !funcs->sync)
		return 0;
	ret = funcs->hold ? funcs->hold(obj) : 1;
	if (ret <= 0)
		return ret;
	do {
		ret = run_ops(batch, obj, first, end - first);
		if (ret < 0)
			break;
		first += ret;
		cond_resched();
		ret = first < end ? interrupted(batch) : 0;
	} while (first < end && !ret);
	if (funcs->release)
		funcs->release(obj);
	return ret;
}

static int batch_run(struct batch *batch)
{
	u32 first, end, count = batch->array->count;
	int ret = 0;

	for (first = 0; first < count && !ret; first = end) {
		for (end = first + 1; end < count; end++)
			if (batch->objs[end] != batch->objs[first])
				break;
		if (first)
			ret = interrupted(batch);
		if (!ret)
			ret = run_group(batch, first, end);
	}
	return ret;
}

static void batch_fini(struct batch *batch)
{
	u32 i;

	for (i = 0; i < batch->looked_up; i++) {
		if (!i || batch->objs[i] != batch->objs[i - 1])
			drm_gem_object_put(batch->objs[i]);
		cond_resched();
	}
	kvfree(batch->objs);
	kvfree(batch->raw);
}

/**
 * drm_gem_sync_ioctl() - run a user's array of sync ops
 * @file: the DRM file whose handles the ops use
 * @array: where the array is, and how to read it
 *
 * All or nothing: the array is copied before any lock is taken, then all ops are
 * checked, then they run in their order (R7). The lock of an object is taken
 * once per group of consecutive ops on it, and not held during the walks (R10).
 *
 * Context: Process context, may sleep, no locks held.
 *
 * Return: 0; in this order (R8): -EINVAL for a stride shorter than the op;
 * -E2BIG for more than 1,048,576 ops; -EFAULT if the array cannot be read;
 * -E2BIG for a longer stride with a non-zero tail; then per op -ENOENT for an
 * unknown handle, -EINVAL for an unknown type, a non-zero pad, a range that
 * leaves the object, or an imported object (R11), -EOPNOTSUPP as in drm_gem_sync().
 * -ENOMEM. -EINTR if a signal came that kills the task; other signals wait for the end.
 * -ENODEV if the device was unplugged before or meanwhile.
 */
int drm_gem_sync_ioctl(struct drm_file *file, const struct drm_gem_sync_array *array)
{
	struct batch batch = {
		.drm = file->minor->dev,
		.array = array,
	};
	int ret;

	ret = gs_batch_check(array->count, array->stride, array->op_size);
	if (ret <= 0)
		return ret;
	ret = batch_copy(&batch);
	if (!ret)
		ret = batch_check(&batch, file);
	if (!ret)
		ret = batch_run(&batch);
	batch_fini(&batch);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sync_ioctl);
