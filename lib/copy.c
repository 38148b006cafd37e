// SPDX-License-Identifier: MIT
/* Copies to and from BOs. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static size_t copy_size(const struct gemsync_bo *bo, uint64_t offset, size_t size)
{
	bool whole = size == (size_t)GEMSYNC_WHOLE_SIZE && offset <= bo->size;

	return whole ? (size_t)(bo->size - offset) : size;
}

/* A range of a BO that is mapped. */
static int check(struct gemsync_bo *bo, enum gemsync_op_type type, uint64_t offset, size_t size)
{
	struct gemsync_op op = { .bo = bo, .type = type, .offset = offset, .size = size };
	int ret;

	ret = gemsync_op_check(&op);
	if (!ret && !bo->map)
		ret = -EINVAL;
	return ret;
}

/*
 * Write-combined stores leave the CPU before later ones. A CPU without maintenance has no
 * fence of its own: the compiler's strongest one, and the submit's call to the kernel.
 */
static int drain(void)
{
	if (gemsync_cpu_fence(GEMSYNC_BEFORE_DEVICE))
		__sync_synchronize();
	return 0;
}

int gemsync_bo_upload(struct gemsync_bo *bo, uint64_t offset, const void *from, size_t size,
		      uint32_t flags)
{
	char *to;
	int ret;

	if (flags & ~GEMSYNC_UPLOAD_CACHED)
		return -EINVAL;
	size = copy_size(bo, offset, size);
	ret = check(bo, GEMSYNC_FLUSH, offset, size);
	if (ret || !size)
		return ret;
	to = (char *)bo->map + offset;
	if (bo->by_cpu)
		return gemsync_cpu_upload(to, from, size, flags);
	memcpy(to, from, size);
	return bo->needs_sync ? gemsync_bo_flush(bo, offset, size) : drain();
}

int gemsync_bo_readback(struct gemsync_bo *bo, uint64_t offset, void *to, size_t size)
{
	const char *from;
	int ret;

	size = copy_size(bo, offset, size);
	ret = check(bo, GEMSYNC_INVALIDATE, offset, size);
	if (ret || !size)
		return ret;
	from = (const char *)bo->map + offset;
	if (bo->by_cpu)
		return gemsync_cpu_readback(to, from, size);
	ret = gemsync_bo_invalidate(bo, offset, size);
	if (!ret)
		memcpy(to, from, size);
	return ret;
}
