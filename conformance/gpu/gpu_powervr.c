// SPDX-License-Identifier: MIT
/*
 * Device work for the powervr driver. No job of a user's runs on the virtual device, and
 * none that the suite could write runs on a real one, whose shaders need a compiler; so
 * what makes the device read and write is the file device_access in debugfs, as its
 * firmware would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#include "gpu_ops.h"
#include "pvr_drm.h"

#define GENERAL_HEAP	(1ull << 39)	/* our addresses are relative to it; 128 GiB */
#define VM_SHIFT	40		/* of the VM context's handle in device_access */
#define PIECE		(64u << 10)

struct gpu_powervr {
	struct gemsync_gpu base;	/* the first member */
	int fd;
	int access;		/* device_access */
	uint32_t vm;		/* a VM context */
	uint32_t piece[PIECE / 4];
};

static struct gpu_powervr *to_powervr(struct gemsync_gpu *gpu)
{
	return (struct gpu_powervr *)gpu;
}

static int map_on(int fd, uint32_t vm, uint32_t handle, uint64_t offset, uint64_t size,
		  uint64_t va)
{
	struct drm_pvr_ioctl_vm_map_args args = {
		.vm_context_handle = vm,
		.device_addr = GENERAL_HEAP + va,
		.handle = handle,
		.offset = offset,
		.size = size,
	};

	return drmIoctl(fd, DRM_IOCTL_PVR_VM_MAP, &args) ? -errno : 0;
}

static int powervr_bind(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
			uint64_t va)
{
	return map_on(to_powervr(gpu)->fd, to_powervr(gpu)->vm, handle, offset, size, va);
}

/* The driver unmaps what was mapped by one call, no more and no less. */
static int powervr_unbind(struct gemsync_gpu *gpu, uint64_t va, uint64_t size)
{
	struct drm_pvr_ioctl_vm_unmap_args args = {
		.vm_context_handle = to_powervr(gpu)->vm,
		.device_addr = GENERAL_HEAP + va,
		.size = size,
	};

	return drmIoctl(to_powervr(gpu)->fd, DRM_IOCTL_PVR_VM_UNMAP, &args) ? -errno : 0;
}

static int powervr_map_offset(struct gemsync_device *dev, uint32_t handle, uint64_t *offset)
{
	struct drm_pvr_ioctl_get_bo_mmap_offset_args args = { .handle = handle };

	if (drmIoctl(gemsync_device_fd(dev), DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET, &args))
		return -errno;
	*offset = args.offset;
	return 0;
}

/* ---- The device's accesses ---- */

/* What pread() or pwrite() returned: a part that is not mapped is a fault. */
static int result(ssize_t len, size_t size)
{
	if (len == (ssize_t)size)
		return 0;
	return len >= 0 || errno == EFAULT ? -EIO : -errno;
}

static off_t position(const struct gpu_powervr *gpu, uint64_t va)
{
	return (off_t)((uint64_t)gpu->vm << VM_SHIFT | (GENERAL_HEAP + va));
}

static int device_read(struct gpu_powervr *gpu, uint64_t va, size_t size)
{
	return result(pread(gpu->access, gpu->piece, size, position(gpu, va)), size);
}

static int device_write(struct gpu_powervr *gpu, uint64_t va, size_t size)
{
	return result(pwrite(gpu->access, gpu->piece, size, position(gpu, va)), size);
}

/* Addresses of the heap alone: what is above would name another VM context. */
static bool in_heap(uint64_t va, uint64_t size)
{
	return va < GENERAL_HEAP && size <= GENERAL_HEAP - va;
}

static int powervr_copy(struct gemsync_gpu *base, uint64_t dst, uint64_t src, uint64_t size)
{
	struct gpu_powervr *gpu = to_powervr(base);
	uint64_t done, piece;
	int ret;

	if (!in_heap(dst, size) || !in_heap(src, size))
		return -EIO;
	for (done = 0; done < size; done += piece) {
		piece = size - done < PIECE ? size - done : PIECE;
		ret = device_read(gpu, src + done, piece);
		if (!ret)
			ret = device_write(gpu, dst + done, piece);
		if (ret)
			return ret;
	}
	return 0;
}

static int powervr_fill(struct gemsync_gpu *base, uint64_t va, uint32_t value, uint64_t size)
{
	struct gpu_powervr *gpu = to_powervr(base);
	uint64_t done, piece, i;
	int ret;

	if (!in_heap(va, size))
		return -EIO;
	for (i = 0; i < PIECE / 4 && i < size / 4; i++)
		gpu->piece[i] = value;
	for (done = 0; done < size; done += piece) {
		piece = size - done < PIECE ? size - done : PIECE;
		ret = device_write(gpu, va + done, piece);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- Calls that take a handle ---- */

static int create_vm(int fd, uint32_t *vm)
{
	struct drm_pvr_ioctl_create_vm_context_args args = { 0 };

	if (drmIoctl(fd, DRM_IOCTL_PVR_CREATE_VM_CONTEXT, &args))
		return -errno;
	*vm = args.handle;
	return 0;
}

static void destroy_vm(int fd, uint32_t vm)
{
	struct drm_pvr_ioctl_destroy_vm_context_args args = { .handle = vm };

	drmIoctl(fd, DRM_IOCTL_PVR_DESTROY_VM_CONTEXT, &args);
}

static int call_map_offset(struct gemsync_device *dev, uint32_t handle)
{
	uint64_t offset;

	return powervr_map_offset(dev, handle, &offset);
}

static int call_vm_map(struct gemsync_device *dev, uint32_t handle)
{
	int fd = gemsync_device_fd(dev), ret;
	uint32_t vm = 0;

	ret = create_vm(fd, &vm);
	if (ret)
		return ret;
	ret = map_on(fd, vm, handle, 0, 4096, GPU_BIND_AT_START);
	destroy_vm(fd, vm);
	return ret;
}

static const struct gpu_handle_call powervr_handle_calls[] = {
	{ "GET_BO_MMAP_OFFSET", -ENOENT, call_map_offset },
	{ "VM_MAP", -ENOENT, call_vm_map },
	{ 0 },
};

/* ---- Opening ---- */

/* A descriptor, or -EOPNOTSUPP if there is no such device, -EACCES if it is root's alone. */
static int open_access(int fd)
{
	char path[96];
	struct stat st;
	int access;

	if (fstat(fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/device_access",
		 minor(st.st_rdev));
	access = open(path, O_RDWR | O_CLOEXEC);
	if (access >= 0)
		return access;
	return errno == ENOENT ? -EOPNOTSUPP : -errno;
}

static int powervr_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	struct gpu_powervr *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->base.ops = &gpu_powervr_ops;
	gpu->fd = gemsync_device_fd(dev);
	gpu->access = open_access(gpu->fd);
	if (gpu->access < 0) {
		ret = gpu->access;
		goto err_free;
	}
	ret = create_vm(gpu->fd, &gpu->vm);
	if (ret)
		goto err_close;
	*out = &gpu->base;
	return 0;
err_close:
	close(gpu->access);
err_free:
	free(gpu);
	return ret;
}

static void powervr_close(struct gemsync_gpu *base)
{
	struct gpu_powervr *gpu = to_powervr(base);

	destroy_vm(gpu->fd, gpu->vm);
	close(gpu->access);
	free(gpu);
}

const struct gpu_ops gpu_powervr_ops = {
	.driver = "powervr",
	.open = powervr_open,
	.close = powervr_close,
	.bind = powervr_bind,
	.unbind = powervr_unbind,
	.map_offset = powervr_map_offset,
	.handle_calls = powervr_handle_calls,
	.copy = powervr_copy,
	.fill = powervr_fill,
};
