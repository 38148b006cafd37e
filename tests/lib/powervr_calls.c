// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#include "powervr_calls.h"

static int open_pvr(struct pvr *p, const char *name)
{
	int ret;

	ret = gemsync_device_open(name, &p->dev);
	if (ret)
		return ret;
	gemsync_device_query(p->dev, &p->info);
	p->fd = gemsync_device_fd(p->dev);
	p->other = open(p->info.node, O_RDWR | O_CLOEXEC);
	if (p->other >= 0)
		return create_vm_context(p->fd, &p->vm);
	ret = -errno;
	gemsync_device_close(p->dev);
	return ret;
}

int pvr_setup(void **state)
{
	const char *name = getenv("GEMSYNC_TEST_DEVICE");
	struct pvr *p;
	int ret;

	*state = NULL;
	if (!name || strcmp(name, "powervr"))
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -1;
	ret = open_pvr(p, name);
	if (ret) {
		print_error("cannot open %s: %s\n", name, strerror(-ret));
		free(p);
		return -1;
	}
	*state = p;
	return 0;
}

int pvr_teardown(void **state)
{
	struct pvr *p = *state;

	if (!p)
		return 0;
	close(p->other);
	gemsync_device_close(p->dev);
	free(p);
	return 0;
}

struct pvr *need_pvr(void **state)
{
	if (!*state)
		skip_because("run with GEMSYNC_TEST_DEVICE=powervr");
	return *state;
}

struct pvr *need_user_cached(void **state)
{
	struct pvr *p = need_pvr(state);
	uint32_t bo;

	if (create_bo(p->fd, PAGE, CACHED, &bo))
		skip_because("no cached BOs for user space: run with vpowervr.user_cached=1");
	close_bo(p->fd, bo);
	return p;
}

struct pvr *need_cached_lazy(void **state)
{
	struct pvr *p = need_user_cached(state);

	if (p->info.coherent)
		skip_because("the device is coherent: run on one that is not");
	if (!p->info.emulated || p->info.chaos)
		skip_because("lines move on their own: run on an emulated device in mode lazy");
	return p;
}

/* ---- Objects ---- */

int create_bo(int fd, uint64_t size, uint64_t flags, uint32_t *handle)
{
	struct drm_pvr_ioctl_create_bo_args args = { .size = size, .flags = flags };
	int ret = raw_ioctl(fd, DRM_IOCTL_PVR_CREATE_BO, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

uint32_t new_bo(struct pvr *p, uint64_t size, uint64_t flags)
{
	uint32_t handle = 0;

	assert_ok(create_bo(p->fd, size, flags, &handle));
	return handle;
}

void close_bo(int fd, uint32_t handle)
{
	assert_ok(drmCloseBufferHandle(fd, handle));
}

int export_bo(int fd, uint32_t handle, int *dmabuf)
{
	return drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, dmabuf) ? -errno : 0;
}

int import_bo(int fd, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(fd, dmabuf, handle) ? -errno : 0;
}

int bo_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_pvr_ioctl_get_bo_mmap_offset_args args = { .handle = handle };
	int ret = raw_ioctl(fd, DRM_IOCTL_PVR_GET_BO_MMAP_OFFSET, &args);

	if (!ret)
		*offset = args.offset;
	return ret;
}

void *map_offset(int fd, uint64_t offset)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

volatile uint32_t *map_bo(struct pvr *p, uint32_t handle)
{
	uint64_t offset = 0;
	void *map;

	assert_ok(bo_offset(p->fd, handle, &offset));
	map = map_offset(p->fd, offset);
	assert_ptr_not_equal(map, MAP_FAILED);
	return map;
}

/* ---- VM contexts ---- */

int create_vm_context(int fd, uint32_t *vm)
{
	struct drm_pvr_ioctl_create_vm_context_args args = { 0 };
	int ret = raw_ioctl(fd, DRM_IOCTL_PVR_CREATE_VM_CONTEXT, &args);

	if (!ret)
		*vm = args.handle;
	return ret;
}

int destroy_vm_context(int fd, uint32_t vm)
{
	struct drm_pvr_ioctl_destroy_vm_context_args args = { .handle = vm };

	return raw_ioctl(fd, DRM_IOCTL_PVR_DESTROY_VM_CONTEXT, &args);
}

int vm_map(int fd, uint32_t vm, uint32_t bo, uint64_t offset, uint64_t va, uint64_t size)
{
	struct drm_pvr_ioctl_vm_map_args args = {
		.vm_context_handle = vm,
		.device_addr = va,
		.handle = bo,
		.offset = offset,
		.size = size,
	};

	return raw_ioctl(fd, DRM_IOCTL_PVR_VM_MAP, &args);
}

int vm_unmap(int fd, uint32_t vm, uint64_t va, uint64_t size)
{
	struct drm_pvr_ioctl_vm_unmap_args args = {
		.vm_context_handle = vm,
		.device_addr = va,
		.size = size,
	};

	return raw_ioctl(fd, DRM_IOCTL_PVR_VM_UNMAP, &args);
}

/* ---- Memory as others see it ---- */

static int open_debugfs(struct pvr *p, const char *name)
{
	char path[96];
	struct stat st;
	int fd;

	assert_ok(fstat(p->fd, &st));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/%s", minor(st.st_rdev), name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		skip_because("%s: %s: run as root on a virtual device", path, strerror(errno));
	return fd;
}

/* All of it, or the error of the part that failed. */
static int transfer(struct pvr *p, const char *name, uint64_t pos, void *to, const void *from,
		    size_t size)
{
	int fd = open_debugfs(p, name);
	size_t done;
	ssize_t len;

	for (done = 0; done < size; done += len) {
		if (to)
			len = pread(fd, (char *)to + done, size - done, pos + done);
		else
			len = pwrite(fd, (const char *)from + done, size - done, pos + done);
		if (len <= 0) {
			len = len ? -errno : -EIO;
			close(fd);
			return len;
		}
	}
	close(fd);
	return 0;
}

int dev_read(struct pvr *p, uint32_t vm, uint64_t va, void *to, size_t size)
{
	return transfer(p, "device_access", (uint64_t)vm << 40 | va, to, NULL, size);
}

int dev_write(struct pvr *p, uint32_t vm, uint64_t va, const void *from, size_t size)
{
	return transfer(p, "device_access", (uint64_t)vm << 40 | va, NULL, from, size);
}

uint32_t dev_get(struct pvr *p, uint64_t va)
{
	uint32_t value = 0;

	assert_ok(dev_read(p, p->vm, va, &value, sizeof(value)));
	return value;
}

void dev_put(struct pvr *p, uint64_t va, uint32_t value)
{
	assert_ok(dev_write(p, p->vm, va, &value, sizeof(value)));
}

int kernel_read(struct pvr *p, uint64_t pos, void *to, size_t size)
{
	return transfer(p, "kernel_access", pos, to, NULL, size);
}

int kernel_write(struct pvr *p, uint64_t pos, const void *from, size_t size)
{
	return transfer(p, "kernel_access", pos, NULL, from, size);
}
