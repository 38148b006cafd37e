// SPDX-License-Identifier: MIT
/* The part of gpu.h that is the same for every driver. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "gpu_ops.h"

#define STAGING_SIZE	(256u << 10)
#define FIRST_VA	(1ull << 32)
#define LAST_VA		GPU_BIND_AT_START
#define VA_ALIGN	(2ull << 20)

static const struct gpu_ops *const drivers[] = {
	&gpu_panthor_ops,
	&gpu_panfrost_ops,
	&gpu_powervr_ops,
	&gpu_sim_ops,
};

static const struct gpu_ops *find_ops(struct gemsync_device *dev)
{
	struct gemsync_device_info info;
	size_t i;

	if (gemsync_device_query(dev, &info))
		return NULL;
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i]->driver, info.driver))
			return drivers[i];
	return gemsync_device_driver(dev) ? &gpu_described_ops : NULL;
}

static int create_staging(struct gemsync_gpu *gpu)
{
	int ret;

	ret = gemsync_bo_create(gpu->dev, STAGING_SIZE, 0, &gpu->staging);
	if (ret)
		return ret;
	ret = gemsync_bo_map(gpu->staging, &gpu->staging_map);
	if (ret)
		goto err_destroy;
	ret = gpu_bind(gpu, gpu->staging, &gpu->staging_va);
	if (ret)
		goto err_destroy;
	return 0;
err_destroy:
	gemsync_bo_destroy(gpu->staging);
	return ret;
}

int gpu_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	const struct gpu_ops *ops = find_ops(dev);
	struct gemsync_gpu *gpu;
	int ret;

	if (!ops)
		return -EOPNOTSUPP;
	ret = ops->open(dev, &gpu);
	if (ret)
		return ret;
	gpu->dev = dev;
	gpu->next_va = FIRST_VA;
	ret = create_staging(gpu);
	if (ret)
		goto err_close;
	*out = gpu;
	return 0;
err_close:
	gpu->ops->close(gpu);
	return ret;
}

void gpu_close(struct gemsync_gpu *gpu)
{
	struct gemsync_bo *staging;

	if (!gpu)
		return;
	staging = gpu->staging;
	gpu_unbind(gpu, gpu->staging_va, gemsync_bo_size(staging));
	gpu->ops->close(gpu);
	gemsync_bo_destroy(staging);
}

typedef int (*bind_fn)(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
		       uint64_t va);

static int bind_somewhere(struct gemsync_gpu *gpu, uint32_t handle, uint64_t size, bind_fn bind,
			  uint64_t *va)
{
	uint64_t at = gpu->next_va;
	int ret;

	if (!bind)
		return -EOPNOTSUPP;
	if (size > LAST_VA - VA_ALIGN || at > LAST_VA - VA_ALIGN - size)
		return -ENOSPC;
	ret = bind(gpu, handle, 0, size, at);
	if (ret)
		return ret;
	/* A gap, so that accesses past a BO's end fault. */
	gpu->next_va = (at + size + VA_ALIGN) / VA_ALIGN * VA_ALIGN;
	*va = at;
	return 0;
}

static int bind_handle(struct gemsync_gpu *gpu, uint32_t handle, uint64_t size, uint64_t *va)
{
	if (gpu->ops->address)
		return gpu->ops->address(gpu, handle, va);
	return bind_somewhere(gpu, handle, size, gpu->ops->bind, va);
}

int gpu_bind(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t *va)
{
	return bind_handle(gpu, gemsync_bo_handle(bo), gemsync_bo_size(bo), va);
}

int gpu_bind_dmabuf(struct gemsync_gpu *gpu, int dmabuf, uint64_t *va)
{
	off_t size = lseek(dmabuf, 0, SEEK_END);
	uint32_t handle;

	if (size < 0)
		return -errno;
	if (drmPrimeFDToHandle(gemsync_device_fd(gpu->dev), dmabuf, &handle))
		return -errno;
	return bind_handle(gpu, handle, (uint64_t)size, va);
}

int gpu_bind_readonly(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t *va)
{
	return bind_somewhere(gpu, gemsync_bo_handle(bo), gemsync_bo_size(bo),
			      gpu->ops->bind_readonly, va);
}

int gpu_bind_at(struct gemsync_gpu *gpu, struct gemsync_bo *bo, uint64_t offset, uint64_t size,
		uint64_t va)
{
	if (!gpu->ops->bind)
		return -EOPNOTSUPP;
	if (size == GEMSYNC_WHOLE_SIZE && offset <= gemsync_bo_size(bo))
		size = gemsync_bo_size(bo) - offset;
	return gpu->ops->bind(gpu, gemsync_bo_handle(bo), offset, size, va);
}

int gpu_unbind(struct gemsync_gpu *gpu, uint64_t va, uint64_t size)
{
	if (!gpu->ops->unbind)
		return -EOPNOTSUPP;
	return gpu->ops->unbind(gpu, va, size);
}

int gpu_copy(struct gemsync_gpu *gpu, uint64_t dst, uint64_t src, uint64_t size)
{
	if ((dst | src | size) % 4)
		return -EINVAL;
	if (!gpu->ops->copy)
		return -EOPNOTSUPP;
	return size ? gpu->ops->copy(gpu, dst, src, size) : 0;
}

int gpu_fill(struct gemsync_gpu *gpu, uint64_t va, uint32_t value, uint64_t size)
{
	if ((va | size) % 4)
		return -EINVAL;
	if (!gpu->ops->fill)
		return -EOPNOTSUPP;
	return size ? gpu->ops->fill(gpu, va, value, size) : 0;
}

int gpu_map_offset(struct gemsync_device *dev, struct gemsync_bo *bo, uint64_t *offset)
{
	const struct gpu_ops *ops = find_ops(dev);

	if (!ops || !ops->map_offset)
		return -EOPNOTSUPP;
	return ops->map_offset(dev, gemsync_bo_handle(bo), offset);
}

int gpu_madvise(struct gemsync_device *dev, struct gemsync_bo *bo, bool needed, bool *retained)
{
	const struct gpu_ops *ops = find_ops(dev);

	if (!ops || !ops->madvise)
		return -EOPNOTSUPP;
	return ops->madvise(dev, gemsync_bo_handle(bo), needed, retained);
}

int gpu_map_registers(struct gemsync_device *dev, void **out)
{
	const struct gpu_ops *ops = find_ops(dev);

	return ops && ops->map_registers ? ops->map_registers(dev, out) : -EOPNOTSUPP;
}

const struct gemsync_sync_abi *gpu_sync_abi(struct gemsync_device *dev)
{
	const struct gemsync_driver *driver = gemsync_device_driver(dev);
	const struct gpu_ops *ops = find_ops(dev);

	if (driver)
		return driver->sync_abi;
	return ops ? ops->sync_abi : NULL;
}

int gpu_sync_call(const struct gemsync_sync_abi *abi, int fd, const void *ops, uint32_t count,
		  uint32_t stride, uint32_t pad)
{
	_Alignas(uint64_t) uint8_t args[GEMSYNC_SYNC_ARGS];

	abi->encode_args(args, ops, count, stride, pad);
	return ioctl(fd, abi->request, args) ? -errno : 0;
}

const struct gpu_handle_call *gpu_handle_call(struct gemsync_device *dev, unsigned int index)
{
	const struct gpu_ops *ops = find_ops(dev);
	const struct gpu_handle_call *call;

	if (!ops || !ops->handle_calls)
		return NULL;
	if (gemsync_device_driver(dev))
		return gpu_described_call(dev, index);
	for (call = ops->handle_calls; call->name && index; call++)
		index--;
	return call->name ? call : NULL;
}

static uint64_t piece_of(uint64_t size)
{
	return size < STAGING_SIZE ? size : STAGING_SIZE;
}

int gpu_write(struct gemsync_gpu *gpu, uint64_t va, const void *data, uint64_t size)
{
	uint64_t done, piece;
	int ret;

	if ((va | size) % 4)
		return -EINVAL;
	if (gpu->ops->write)
		return size ? gpu->ops->write(gpu, va, data, size) : 0;
	for (done = 0; done < size; done += piece) {
		piece = piece_of(size - done);
		memcpy(gpu->staging_map, (const char *)data + done, piece);
		ret = gpu_copy(gpu, va + done, gpu->staging_va, piece);
		if (ret)
			return ret;
	}
	return 0;
}

int gpu_read(struct gemsync_gpu *gpu, uint64_t va, void *data, uint64_t size)
{
	uint64_t done, piece;
	int ret;

	if ((va | size) % 4)
		return -EINVAL;
	for (done = 0; done < size; done += piece) {
		piece = piece_of(size - done);
		ret = gpu_copy(gpu, gpu->staging_va, va + done, piece);
		if (ret)
			return ret;
		memcpy((char *)data + done, gpu->staging_map, piece);
	}
	return 0;
}

int gpu_write32(struct gemsync_gpu *gpu, uint64_t va, uint32_t value)
{
	return gpu_fill(gpu, va, value, sizeof(value));
}

int gpu_read32(struct gemsync_gpu *gpu, uint64_t va, uint32_t *value)
{
	return gpu_read(gpu, va, value, sizeof(*value));
}

int gpu_spin_begin(struct gemsync_gpu *gpu, uint64_t va)
{
	if (va % 4)
		return -EINVAL;
	return gpu->ops->spin_begin ? gpu->ops->spin_begin(gpu, va) : -EOPNOTSUPP;
}

int gpu_spin_running(struct gemsync_gpu *gpu)
{
	return gpu->ops->spin_running ? gpu->ops->spin_running(gpu) : -EOPNOTSUPP;
}

int gpu_spin_fence(struct gemsync_gpu *gpu, int *sync_file)
{
	return gpu->ops->spin_fence ? gpu->ops->spin_fence(gpu, sync_file) : -EOPNOTSUPP;
}

int gpu_spin_end(struct gemsync_gpu *gpu)
{
	return gpu->ops->spin_end ? gpu->ops->spin_end(gpu) : -EOPNOTSUPP;
}
