// SPDX-License-Identifier: MIT
/*
 * courier, described: `gemsync conform --driver courier.so` runs the suite on it. It uses
 * nothing but the driver's own calls.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <gemsync/driver.h>
#include <gemsync/gemsync.h>

#include "courier_drm.h"

static int call(int fd, unsigned long request, void *args)
{
	int ret;

	do
		ret = ioctl(fd, request, args);
	while (ret && (errno == EINTR || errno == EAGAIN));
	return ret ? -errno : 0;
}

/* ---- Buffer objects ---- */

static int courier_query(int fd, bool *coherent)
{
	struct drm_courier_query args = { 0 };
	int ret = call(fd, DRM_IOCTL_COURIER_QUERY, &args);

	if (!ret)
		*coherent = args.coherent;
	return ret;
}

static int courier_bo_create(int fd, uint32_t vm, uint32_t flags, uint64_t *size,
			     uint32_t *handle)
{
	struct drm_courier_bo_create args = { .size = *size };
	int ret;

	(void)vm;	/* there are no address spaces, and no private BOs */
	if (flags & GEMSYNC_BO_CACHED)
		args.flags |= DRM_COURIER_BO_CACHED;
	if (flags & GEMSYNC_BO_NO_MMAP)
		args.flags |= DRM_COURIER_BO_NO_MMAP;
	ret = call(fd, DRM_IOCTL_COURIER_BO_CREATE, &args);
	if (ret)
		return ret;
	*size = args.size;
	*handle = args.handle;
	return 0;
}

static int courier_bo_map_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_courier_bo_mmap_offset args = { .handle = handle };
	int ret = call(fd, DRM_IOCTL_COURIER_BO_MMAP_OFFSET, &args);

	if (!ret)
		*offset = args.offset;
	return ret;
}

static int courier_bo_query(int fd, uint32_t handle, uint32_t *flags, bool *imported)
{
	struct drm_courier_bo_query args = { .handle = handle };
	int ret = call(fd, DRM_IOCTL_COURIER_BO_QUERY, &args);

	if (ret)
		return ret;
	*flags = 0;
	if (args.create_flags & DRM_COURIER_BO_CACHED)
		*flags |= GEMSYNC_BO_CACHED;
	if (args.create_flags & DRM_COURIER_BO_NO_MMAP)
		*flags |= GEMSYNC_BO_NO_MMAP;
	*imported = args.extra_flags & DRM_COURIER_BO_IMPORTED;
	return 0;
}

static int courier_bo_set_label(int fd, uint32_t handle, const char *label)
{
	struct drm_courier_bo_set_label args = { .handle = handle, .label = (uintptr_t)label };

	return call(fd, DRM_IOCTL_COURIER_BO_SET_LABEL, &args);
}

/* ---- Its sync call, as it is ---- */

static void encode(void *raw, uint32_t handle, uint32_t type, uint64_t offset, uint64_t size)
{
	const struct drm_courier_bo_sync_op op = {
		.handle = handle, .type = type, .offset = offset, .size = size,
	};

	memcpy(raw, &op, sizeof(op));
}

static void encode_args(void *raw, const void *ops, uint32_t count, uint32_t stride, uint32_t pad)
{
	const struct drm_courier_bo_sync args = {
		.ops = (uintptr_t)ops, .count = count, .stride = stride,
	};

	(void)pad;	/* of the ops alone */
	memcpy(raw, &args, sizeof(args));
}

static const struct gemsync_sync_abi courier_sync_abi = {
	.op_size = sizeof(struct drm_courier_bo_sync_op),
	.has_stride = true,
	.wide = true,
	.encode = encode,
	.request = DRM_IOCTL_COURIER_BO_SYNC,
	.args_size = sizeof(struct drm_courier_bo_sync),
	.encode_args = encode_args,
};

/* ---- The device's work ---- */

/* The device has no addresses, it is told of objects. So an address is a handle and an offset. */
#define HANDLE_SHIFT	34	/* objects are smaller than that */
#define OFFSET_MASK	((1ull << HANDLE_SHIFT) - 1)

struct courier_gpu {
	int fd;
};

static int courier_open(int fd, uint32_t vm, void **out)
{
	struct courier_gpu *gpu = malloc(sizeof(*gpu));

	(void)vm;
	if (!gpu)
		return -ENOMEM;
	gpu->fd = fd;
	*out = gpu;
	return 0;
}

static void courier_close(void *gpu)
{
	free(gpu);
}

static int courier_address(void *gpu, uint32_t handle, uint64_t *va)
{
	(void)gpu;
	*va = (uint64_t)handle << HANDLE_SHIFT;
	return 0;
}

/* What is wrong with the place is a fault of the device. */
static int work(const struct courier_gpu *gpu, struct drm_courier_work *args)
{
	int ret = call(gpu->fd, DRM_IOCTL_COURIER_WORK, args);

	return ret == -ENOENT || ret == -ERANGE ? -EIO : ret;
}

static int courier_copy(void *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	struct drm_courier_work args = {
		.type = DRM_COURIER_WORK_COPY,
		.dst = (uint32_t)(dst >> HANDLE_SHIFT),
		.src = (uint32_t)(src >> HANDLE_SHIFT),
		.dst_offset = dst & OFFSET_MASK,
		.src_offset = src & OFFSET_MASK,
		.size = size,
	};

	return work(gpu, &args);
}

static int courier_fill(void *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	struct drm_courier_work args = {
		.type = DRM_COURIER_WORK_FILL,
		.value = value,
		.dst = (uint32_t)(va >> HANDLE_SHIFT),
		.dst_offset = va & OFFSET_MASK,
		.size = size,
	};

	return work(gpu, &args);
}

static const struct gemsync_driver_gpu courier_gpu = {
	.open = courier_open,
	.close = courier_close,
	.address = courier_address,
	.copy = courier_copy,
	.fill = courier_fill,
};

const struct gemsync_driver gemsync_driver = {
	.size = sizeof(gemsync_driver),
	.name = "courier",
	.version_major = 1,
	.query = courier_query,
	.bo_create = courier_bo_create,
	.bo_map_offset = courier_bo_map_offset,
	.bo_query = courier_bo_query,
	.bo_set_label = courier_bo_set_label,
	.sync_abi = &courier_sync_abi,
	.gpu = &courier_gpu,
};
