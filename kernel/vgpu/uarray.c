// SPDX-License-Identifier: GPL-2.0-only
/* Objects in user memory, whose size may differ from what the kernel knows. */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/* The most that one array takes in kernel memory. */
#define UARRAY_LIMIT	SZ_32M

static int copy_strided(const struct vgpu_uarray *array, void *to)
{
	for (u32 i = 0; i < array->count; i++) {
		int ret;

		ret = copy_struct_from_user(to + (size_t)i * array->size, array->size,
					    u64_to_user_ptr(array->ptr + (u64)i * array->stride),
					    array->stride);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * vgpu_uarray_get() - copy an array of objects from user memory
 * @array: where it is, and how to read it
 *
 * Objects that are shorter than the driver's are filled up with zeroes.
 *
 * Context: Process context, may sleep.
 *
 * Return: the array, to be freed with kvfree(); NULL if @count is 0; an ERR_PTR() of
 * -EINVAL for a stride shorter than the first version of the object; -E2BIG for a
 * longer one with a tail that is not zero, a stride of more than a page, or more
 * than 32 MiB; -EFAULT; -ENOMEM; -EINTR if the process is being killed.
 */
void *vgpu_uarray_get(const struct vgpu_uarray *array)
{
	size_t bytes = (size_t)array->count * array->size;
	void *to;
	int ret;

	if (!array->count)
		return NULL;
	if (array->stride < array->min_size)
		return ERR_PTR(-EINVAL);
	if (array->stride > PAGE_SIZE || bytes > UARRAY_LIMIT)
		return ERR_PTR(-E2BIG);
	to = kvmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!to)
		return ERR_PTR(-ENOMEM);
	if (array->stride == array->size)
		ret = copy_from_user(to, u64_to_user_ptr(array->ptr), bytes) ? -EFAULT : 0;
	else
		ret = copy_strided(array, to);
	if (ret) {
		kvfree(to);
		return ERR_PTR(ret);
	}
	return to;
}
EXPORT_SYMBOL_GPL(vgpu_uarray_get);

/**
 * vgpu_uobj_get() - copy an object from user memory
 * @ptr: user address
 * @user_size: bytes that the user has
 * @obj: where it goes; what the user does not have is zeroed
 * @min_size: bytes of the object's first version
 * @size: bytes of the object
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL if @user_size is less than @min_size; -E2BIG if there are bytes
 * behind @size that are not zero, or if @user_size is more than a page; -EFAULT.
 */
int vgpu_uobj_get(u64 ptr, u32 user_size, void *obj, u32 min_size, u32 size)
{
	if (user_size < min_size)
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(obj, size, u64_to_user_ptr(ptr), user_size);
}
EXPORT_SYMBOL_GPL(vgpu_uobj_get);

/* As long as the user says, so in steps. */
static int clear_rest(u64 ptr, u32 size)
{
	u32 step;

	for (; size; size -= step, ptr += step) {
		step = min_t(u32, size, SZ_1M);
		if (clear_user(u64_to_user_ptr(ptr), step))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * vgpu_uobj_set() - copy an object to user memory
 * @ptr: user address
 * @user_size: bytes that the user has room for
 * @obj: the object
 * @min_size: bytes of the object's first version
 * @size: bytes of the object
 *
 * Copies as much as fits, and zeroes what the user has beyond that.
 *
 * Context: Process context, may sleep.
 *
 * Return: 0; -EINVAL if @user_size is less than @min_size; -EFAULT; -EINTR if the
 * process is being killed.
 */
int vgpu_uobj_set(u64 ptr, u32 user_size, const void *obj, u32 min_size, u32 size)
{
	u32 copied = min(user_size, size);

	if (user_size < min_size)
		return -EINVAL;
	if (copy_to_user(u64_to_user_ptr(ptr), obj, copied))
		return -EFAULT;
	return clear_rest(ptr + copied, user_size - copied);
}
EXPORT_SYMBOL_GPL(vgpu_uobj_set);
