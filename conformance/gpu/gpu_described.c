// SPDX-License-Identifier: MIT
/* GPU work of drivers that others describe (gemsync/driver.h). */
#include <errno.h>
#include <stdlib.h>

#include "gpu_ops.h"

struct gpu_described {
	struct gemsync_gpu base;	/* the first member */
	struct gpu_ops ops;	/* what this driver has of gpu_described_ops */
	const struct gemsync_driver_gpu *calls;
	void *gpu;		/* theirs */
};

static struct gpu_described *to_described(struct gemsync_gpu *gpu)
{
	return (struct gpu_described *)gpu;
}

/* ---- With an open GPU ---- */

static void described_close(struct gemsync_gpu *base)
{
	struct gpu_described *gpu = to_described(base);

	gpu->calls->close(gpu->gpu);
	free(gpu);
}

static int described_address(struct gemsync_gpu *base, uint32_t handle, uint64_t *va)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->address(gpu->gpu, handle, va);
}

static int described_bind(struct gemsync_gpu *base, uint32_t handle, uint64_t offset, uint64_t size,
			  uint64_t va)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->bind(gpu->gpu, handle, offset, size, va, false);
}

static int described_bind_readonly(struct gemsync_gpu *base, uint32_t handle, uint64_t offset,
				   uint64_t size, uint64_t va)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->bind(gpu->gpu, handle, offset, size, va, true);
}

static int described_unbind(struct gemsync_gpu *base, uint64_t va, uint64_t size)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->unbind(gpu->gpu, va, size);
}

static int described_copy(struct gemsync_gpu *base, uint64_t dst, uint64_t src, uint64_t size)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->copy(gpu->gpu, dst, src, size);
}

static int described_fill(struct gemsync_gpu *base, uint64_t va, uint32_t value, uint64_t size)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->fill(gpu->gpu, va, value, size);
}

static int described_spin_begin(struct gemsync_gpu *base, uint64_t va)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->spin_begin(gpu->gpu, va);
}

static int described_spin_running(struct gemsync_gpu *base)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->spin_running(gpu->gpu);
}

static int described_spin_fence(struct gemsync_gpu *base, int *sync_file)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->spin_fence(gpu->gpu, sync_file);
}

static int described_spin_end(struct gemsync_gpu *base)
{
	struct gpu_described *gpu = to_described(base);

	return gpu->calls->spin_end(gpu->gpu);
}

/* ---- Without ---- */

static int described_map_offset(struct gemsync_device *dev, uint32_t handle, uint64_t *offset)
{
	return gemsync_device_driver(dev)->bo_map_offset(gemsync_device_fd(dev), handle, offset);
}

static int described_madvise(struct gemsync_device *dev, uint32_t handle, bool needed,
			     bool *retained)
{
	const struct gemsync_driver *driver = gemsync_device_driver(dev);

	if (!driver->bo_madvise)
		return -EOPNOTSUPP;
	return driver->bo_madvise(gemsync_device_fd(dev), handle, needed, retained);
}

static int call_map_offset(struct gemsync_device *dev, uint32_t handle)
{
	uint64_t offset;

	return described_map_offset(dev, handle, &offset);
}

static int call_query(struct gemsync_device *dev, uint32_t handle)
{
	uint32_t flags;
	bool imported;

	return gemsync_device_driver(dev)->bo_query(gemsync_device_fd(dev), handle, &flags,
						    &imported);
}

static int call_set_label(struct gemsync_device *dev, uint32_t handle)
{
	return gemsync_device_driver(dev)->bo_set_label(gemsync_device_fd(dev), handle, "label");
}

static int call_sync(struct gemsync_device *dev, uint32_t handle)
{
	const struct gemsync_sync_abi *abi = gemsync_device_driver(dev)->sync_abi;
	void *op = calloc(1, abi->op_size);
	int ret;

	if (!op)
		return -ENOMEM;
	abi->encode(op, handle, 0, 0, 64);
	ret = gpu_sync_call(abi, gemsync_device_fd(dev), op, 1, abi->op_size, 0);
	free(op);
	return ret;
}

static const struct gpu_handle_call handle_calls[] = {
	{ "bo_map_offset", -ENOENT, call_map_offset },
	{ "bo_query", -ENOENT, call_query },
	{ "bo_set_label", -ENOENT, call_set_label },
	{ "sync", -ENOENT, call_sync },
	{ 0 },
};

static bool has_call(const struct gemsync_driver *driver, const struct gpu_handle_call *call)
{
	if (call->call == call_query)
		return driver->bo_query;
	if (call->call == call_set_label)
		return driver->bo_set_label;
	return call->call != call_sync || driver->sync_abi;
}

const struct gpu_handle_call *gpu_described_call(struct gemsync_device *dev, unsigned int index)
{
	const struct gemsync_driver *driver = gemsync_device_driver(dev);
	const struct gpu_handle_call *call;

	for (call = handle_calls; call->name; call++)
		if (has_call(driver, call) && !index--)
			return call;
	return NULL;
}

/* ---- Opening ---- */

static void choose_ops(struct gpu_described *gpu, const struct gemsync_driver *driver)
{
	const struct gemsync_driver_gpu *calls = gpu->calls;
	struct gpu_ops *ops = &gpu->ops;

	*ops = gpu_described_ops;
	ops->maps_imports = driver->maps_imports;
	ops->sync_abi = driver->sync_abi;
	if (!driver->bo_madvise)
		ops->madvise = NULL;
	ops->address = calls->address ? described_address : NULL;
	ops->bind = calls->bind ? described_bind : NULL;
	ops->bind_readonly = calls->bind && calls->binds_readonly ? described_bind_readonly : NULL;
	ops->unbind = calls->unbind ? described_unbind : NULL;
	ops->fill = calls->fill ? described_fill : NULL;
	ops->spin_begin = calls->spin_begin ? described_spin_begin : NULL;
	ops->spin_running = calls->spin_running ? described_spin_running : NULL;
	ops->spin_fence = calls->spin_fence ? described_spin_fence : NULL;
	ops->spin_end = calls->spin_end ? described_spin_end : NULL;
}

static int described_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	const struct gemsync_driver *driver = gemsync_device_driver(dev);
	struct gpu_described *gpu;
	int ret;

	if (!driver->gpu)
		return -EOPNOTSUPP;
	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->calls = driver->gpu;
	choose_ops(gpu, driver);
	gpu->base.ops = &gpu->ops;
	ret = gpu->calls->open(gemsync_device_fd(dev), gemsync_device_vm(dev), &gpu->gpu);
	if (ret)
		free(gpu);
	else
		*out = &gpu->base;
	return ret;
}

const struct gpu_ops gpu_described_ops = {
	.open = described_open,
	.close = described_close,
	.map_offset = described_map_offset,
	.madvise = described_madvise,
	.handle_calls = handle_calls,
	.copy = described_copy,
};
