// SPDX-License-Identifier: MIT
/* GPU work for panfrost: submits. The chains are in gpu_jm.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>

#include "gpu_jm.h"
#include "gpu_syncobj.h"
#include "panfrost_drm.h"

struct gpu_panfrost {
	struct gpu_jm jm;	/* the first member */
	int fd;
	uint32_t ctx;
	uint32_t syncobj;	/* tells of the chain's end */
};

static struct gpu_panfrost *to_panfrost(struct gpu_jm *gpu)
{
	return (struct gpu_panfrost *)gpu;
}

static int call(int fd, unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

/* No BOs are named: implicit synchronization would wait for what others do. */
static int panfrost_submit(struct gpu_jm *base, uint64_t va)
{
	struct gpu_panfrost *gpu = to_panfrost(base);
	struct drm_panfrost_submit args = {
		.jc = va,
		.out_sync = gpu->syncobj,
		.jm_ctx_handle = gpu->ctx,
	};

	if (drmSyncobjReset(gpu->fd, &gpu->syncobj, 1))
		return -errno;
	return call(gpu->fd, DRM_IOCTL_PANFROST_SUBMIT, &args);
}

static int panfrost_wait(struct gpu_jm *base, int64_t timeout_ns)
{
	struct gpu_panfrost *gpu = to_panfrost(base);
	int ret, error;

	ret = gpu_syncobj_wait(gpu->fd, gpu->syncobj, timeout_ns);
	if (!ret)
		ret = gpu_syncobj_error(gpu->fd, gpu->syncobj, &error);
	if (ret)
		return ret;
	return error && error != -ETIMEDOUT ? -EIO : error;
}

static int panfrost_fence(struct gpu_jm *base, int *sync_file)
{
	struct gpu_panfrost *gpu = to_panfrost(base);

	return drmSyncobjExportSyncFile(gpu->fd, gpu->syncobj, sync_file) ? -errno : 0;
}

static const struct gpu_jm_ops panfrost_jm_ops = {
	.submit = panfrost_submit,
	.wait = panfrost_wait,
	.fence = panfrost_fence,
};

static int panfrost_address(struct gemsync_gpu *gpu, uint32_t handle, uint64_t *va)
{
	struct drm_panfrost_get_bo_offset args = { .handle = handle };
	int ret;

	ret = call(gemsync_device_fd(gpu->dev), DRM_IOCTL_PANFROST_GET_BO_OFFSET, &args);
	if (!ret)
		*va = args.offset;
	return ret;
}

static int panfrost_map_offset(struct gemsync_device *dev, uint32_t handle, uint64_t *offset)
{
	struct drm_panfrost_mmap_bo args = { .handle = handle };
	int ret;

	ret = call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_MMAP_BO, &args);
	if (!ret)
		*offset = args.offset;
	/* With a good handle, this is how the driver says that it is a heap. */
	return ret == -EINVAL ? -EPERM : ret;
}

static int panfrost_madvise(struct gemsync_device *dev, uint32_t handle, bool needed,
			    bool *retained)
{
	struct drm_panfrost_madvise args = {
		.handle = handle,
		.madv = needed ? PANFROST_MADV_WILLNEED : PANFROST_MADV_DONTNEED,
	};
	int ret;

	ret = call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_MADVISE, &args);
	if (!ret)
		*retained = args.retained;
	return ret;
}

/* ---- SYNC_BO as it is ---- */

static void encode_sync_op(void *raw, uint32_t handle, uint32_t type, uint64_t offset,
			   uint64_t size)
{
	struct drm_panfrost_bo_sync_op op = {
		.handle = handle, .type = type, .offset = offset, .size = size,
	};

	memcpy(raw, &op, sizeof(op));
}

static void encode_sync_args(void *raw, const void *ops, uint32_t count, uint32_t stride,
			     uint32_t pad)
{
	struct drm_panfrost_sync_bo args = {
		.ops = (uintptr_t)ops, .op_count = count, .pad = pad,
	};

	(void)stride;
	memcpy(raw, &args, sizeof(args));
}

_Static_assert(sizeof(struct drm_panfrost_sync_bo) <= GEMSYNC_SYNC_ARGS, "room for the argument");

static const struct gemsync_sync_abi panfrost_sync_abi = {
	.op_size = sizeof(struct drm_panfrost_bo_sync_op),
	.has_pad = true,
	.encode = encode_sync_op,
	.request = DRM_IOCTL_PANFROST_SYNC_BO,
	.args_size = sizeof(struct drm_panfrost_sync_bo),
	.encode_args = encode_sync_args,
};

/* ---- Calls that take a handle ---- */

static int call_map(struct gemsync_device *dev, uint32_t handle)
{
	uint64_t offset;

	return panfrost_map_offset(dev, handle, &offset);
}

static int call_address(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_get_bo_offset args = { .handle = handle };

	return call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_GET_BO_OFFSET, &args);
}

static int call_wait(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_wait_bo args = { .handle = handle, .timeout_ns = INT64_MAX };

	return call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_WAIT_BO, &args);
}

static int call_madvise(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_madvise args = { .handle = handle, .madv = PANFROST_MADV_WILLNEED };

	return call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_MADVISE, &args);
}

static int call_set_label(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_set_label_bo args = { .handle = handle, .label = (uintptr_t)"label" };

	return call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_SET_LABEL_BO, &args);
}

static int call_query(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_query_bo_info args = { .handle = handle };

	return call(gemsync_device_fd(dev), DRM_IOCTL_PANFROST_QUERY_BO_INFO, &args);
}

static int call_sync_one(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panfrost_bo_sync_op op = { .handle = handle, .size = 64 };

	return gpu_sync_call(&panfrost_sync_abi, gemsync_device_fd(dev), &op, 1, sizeof(op), 0);
}

static const struct gpu_handle_call panfrost_handle_calls[] = {
	{ "MMAP_BO", -ENOENT, call_map },
	{ "GET_BO_OFFSET", -ENOENT, call_address },
	{ "WAIT_BO", -ENOENT, call_wait },
	{ "MADVISE", -ENOENT, call_madvise },
	{ "SET_LABEL_BO", -ENOENT, call_set_label },
	{ "QUERY_BO_INFO", -ENOENT, call_query },
	{ "SYNC_BO", -ENOENT, call_sync_one },
	{ 0 },
};

/* ---- Opening ---- */

/* A context of its own: with it goes what still runs. */
static int create_queue(struct gpu_panfrost *gpu)
{
	struct drm_panfrost_jm_ctx_create args = { .priority = PANFROST_JM_CTX_PRIORITY_MEDIUM };
	int ret;

	if (drmSyncobjCreate(gpu->fd, 0, &gpu->syncobj))
		return -errno;
	ret = call(gpu->fd, DRM_IOCTL_PANFROST_JM_CTX_CREATE, &args);
	if (ret)
		drmSyncobjDestroy(gpu->fd, gpu->syncobj);
	else
		gpu->ctx = args.handle;
	return ret;
}

static void destroy_queue(struct gpu_panfrost *gpu)
{
	struct drm_panfrost_jm_ctx_destroy args = { .handle = gpu->ctx };

	call(gpu->fd, DRM_IOCTL_PANFROST_JM_CTX_DESTROY, &args);
	drmSyncobjDestroy(gpu->fd, gpu->syncobj);
}

static int panfrost_init(struct gpu_panfrost *gpu)
{
	struct gemsync_device_info info;
	int ret;

	ret = gemsync_device_query(gpu->jm.base.dev, &info);
	if (ret)
		return ret;
	ret = create_queue(gpu);
	if (ret)
		return ret;
	ret = gpu_jm_init(&gpu->jm, info.emulated);
	if (ret)
		destroy_queue(gpu);
	return ret;
}

static int panfrost_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	struct gpu_panfrost *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->jm.base.ops = &gpu_panfrost_ops;
	gpu->jm.base.dev = dev;
	gpu->jm.jm = &panfrost_jm_ops;
	gpu->fd = gemsync_device_fd(dev);
	ret = panfrost_init(gpu);
	if (ret)
		free(gpu);
	else
		*out = &gpu->jm.base;
	return ret;
}

static void panfrost_close(struct gemsync_gpu *base)
{
	struct gpu_panfrost *gpu = (struct gpu_panfrost *)base;

	destroy_queue(gpu);
	gpu_jm_fini(&gpu->jm);
	free(gpu);
}

const struct gpu_ops gpu_panfrost_ops = {
	.driver = "panfrost",
	.open = panfrost_open,
	.close = panfrost_close,
	.address = panfrost_address,
	.map_offset = panfrost_map_offset,
	.maps_imports = true,
	.madvise = panfrost_madvise,
	.sync_abi = &panfrost_sync_abi,
	.handle_calls = panfrost_handle_calls,
	.copy = gpu_jm_copy,
	.write = gpu_jm_write,
	.fill = gpu_jm_fill,
	.spin_begin = gpu_jm_spin_begin,
	.spin_running = gpu_jm_spin_running,
	.spin_fence = gpu_jm_spin_fence,
	.spin_end = gpu_jm_spin_end,
};
