// SPDX-License-Identifier: MIT
/* GPU work for panthor: address space and queues. The streams are in gpu_csf.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "gpu_csf.h"
#include "gpu_panthor.h"
#include "panthor_drm.h"

struct gpu_panthor {
	struct gpu_csf csf;	/* the first member */
	int fd;
	uint32_t vm;
};

/* A group with one queue, and the syncobj that tells of its stream's end. */
struct panthor_queue {
	struct gpu_queue base;	/* the first member */
	int fd;
	uint32_t group;
	uint32_t syncobj;
};

static struct gpu_panthor *to_panthor(struct gemsync_gpu *gpu)
{
	return (struct gpu_panthor *)gpu;
}

static struct panthor_queue *to_queue(struct gpu_queue *queue)
{
	return (struct panthor_queue *)queue;
}

/* ---- Queues ---- */

static int panthor_queue_create(struct gpu_csf *csf, struct gpu_queue **out)
{
	struct gpu_panthor *gpu = to_panthor(&csf->base);
	struct panthor_queue *queue;
	int ret;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->fd = gpu->fd;
	if (drmSyncobjCreate(gpu->fd, 0, &queue->syncobj)) {
		ret = -errno;
		goto err_free;
	}
	ret = gpu_panthor_group_create(gpu->fd, gpu->vm, &queue->group);
	if (ret)
		goto err_syncobj;
	*out = &queue->base;
	return 0;
err_syncobj:
	drmSyncobjDestroy(gpu->fd, queue->syncobj);
err_free:
	free(queue);
	return ret;
}

static void panthor_queue_destroy(struct gpu_queue *base)
{
	struct panthor_queue *queue = to_queue(base);

	gpu_panthor_group_destroy(queue->fd, queue->group);
	drmSyncobjDestroy(queue->fd, queue->syncobj);
	free(queue);
}

static int panthor_submit(struct gpu_queue *base, uint64_t va, uint32_t size)
{
	struct panthor_queue *queue = to_queue(base);

	if (drmSyncobjReset(queue->fd, &queue->syncobj, 1))
		return -errno;
	return gpu_panthor_submit(queue->fd, queue->group, va, size, queue->syncobj);
}

static int panthor_wait(struct gpu_queue *base, int64_t timeout_ns)
{
	struct panthor_queue *queue = to_queue(base);
	uint32_t state;
	int ret, error;

	ret = gpu_syncobj_wait(queue->fd, queue->syncobj, timeout_ns);
	if (ret)
		return ret;
	ret = gpu_panthor_group_state(queue->fd, queue->group, &state);
	if (ret)
		return ret;
	if (state)
		return state & DRM_PANTHOR_GROUP_STATE_TIMEDOUT ? -ETIMEDOUT : -EIO;
	ret = gpu_syncobj_error(queue->fd, queue->syncobj, &error);
	return ret ? ret : error;
}

void gpu_panthor_queue_handles(struct gpu_queue *queue, uint32_t *group, uint32_t *syncobj)
{
	*group = to_queue(queue)->group;
	*syncobj = to_queue(queue)->syncobj;
}

static int panthor_spin_fence(struct gemsync_gpu *gpu, int *sync_file)
{
	struct gpu_panthor *panthor = to_panthor(gpu);
	int fd;

	if (!panthor->csf.queue)
		return -ENODEV;
	if (drmSyncobjExportSyncFile(panthor->fd, to_queue(panthor->csf.queue)->syncobj, &fd))
		return -errno;
	*sync_file = fd;
	return 0;
}

/* ---- Address space ---- */

static int bind_on(int fd, uint32_t vm, const struct drm_panthor_vm_bind_op *op)
{
	struct drm_panthor_vm_bind args = { .vm_id = vm, .ops = DRM_PANTHOR_OBJ_ARRAY(1, op) };

	return drmIoctl(fd, DRM_IOCTL_PANTHOR_VM_BIND, &args) ? -errno : 0;
}

static int bind_one(struct gpu_panthor *gpu, const struct drm_panthor_vm_bind_op *op)
{
	return bind_on(gpu->fd, gpu->vm, op);
}

static int bind_noexec(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
		       uint64_t va, uint32_t flags)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC |
			 flags,
		.bo_handle = handle,
		.bo_offset = offset,
		.va = va,
		.size = size,
	};

	return bind_one(to_panthor(gpu), &op);
}

static int panthor_bind(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
			uint64_t va)
{
	return bind_noexec(gpu, handle, offset, size, va, 0);
}

static int panthor_bind_readonly(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset,
				 uint64_t size, uint64_t va)
{
	return bind_noexec(gpu, handle, offset, size, va, DRM_PANTHOR_VM_BIND_OP_MAP_READONLY);
}

static int panthor_bind_program(struct gpu_csf *gpu, uint32_t handle, uint64_t size, uint64_t va)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_READONLY,
		.bo_handle = handle,
		.va = va,
		.size = size,
	};

	return bind_one(to_panthor(&gpu->base), &op);
}

static int panthor_unbind(struct gemsync_gpu *gpu, uint64_t va, uint64_t size)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = va,
		.size = size,
	};

	return bind_one(to_panthor(gpu), &op);
}

static int panthor_map_offset(struct gemsync_device *dev, uint32_t handle, uint64_t *offset)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = handle };

	if (drmIoctl(gemsync_device_fd(dev), DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args))
		return -errno;
	*offset = args.offset;
	return 0;
}

static int panthor_map_registers(struct gemsync_device *dev, void **out)
{
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, gemsync_device_fd(dev),
			 (off_t)DRM_PANTHOR_USER_MMIO_OFFSET);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

/* ---- BO_SYNC as it is ---- */

static void encode_sync_op(void *raw, uint32_t handle, uint32_t type, uint64_t offset,
			   uint64_t size)
{
	struct drm_panthor_bo_sync_op op = {
		.handle = handle, .type = type, .offset = offset, .size = size,
	};

	memcpy(raw, &op, sizeof(op));
}

static void encode_sync_args(void *raw, const void *ops, uint32_t count, uint32_t stride,
			     uint32_t pad)
{
	struct drm_panthor_bo_sync args = {
		.ops = { .stride = stride, .count = count, .array = (uintptr_t)ops },
	};

	(void)pad;
	memcpy(raw, &args, sizeof(args));
}

_Static_assert(sizeof(struct drm_panthor_bo_sync) <= GEMSYNC_SYNC_ARGS, "room for the argument");

static const struct gemsync_sync_abi panthor_sync_abi = {
	.op_size = sizeof(struct drm_panthor_bo_sync_op),
	.has_stride = true,
	.wide = true,
	.encode = encode_sync_op,
	.request = DRM_IOCTL_PANTHOR_BO_SYNC,
	.args_size = sizeof(struct drm_panthor_bo_sync),
	.encode_args = encode_sync_args,
};

/* ---- Calls that take a handle ---- */

static int call_bind(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC,
		.bo_handle = handle,
		.va = GPU_BIND_AT_START,
		.size = 4096,
	};

	return bind_on(gemsync_device_fd(dev), gemsync_device_vm(dev), &op);
}

static int call_map_offset(struct gemsync_device *dev, uint32_t handle)
{
	uint64_t offset;

	return panthor_map_offset(dev, handle, &offset);
}

static int call_query(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panthor_bo_query_info args = { .handle = handle };
	int fd = gemsync_device_fd(dev);

	return drmIoctl(fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &args) ? -errno : 0;
}

static int call_set_label(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panthor_bo_set_label args = { .handle = handle, .label = (uintptr_t)"label" };
	int fd = gemsync_device_fd(dev);

	return drmIoctl(fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &args) ? -errno : 0;
}

static int call_sync_one(struct gemsync_device *dev, uint32_t handle)
{
	struct drm_panthor_bo_sync_op op = { .handle = handle, .size = 64 };

	return gpu_sync_call(&panthor_sync_abi, gemsync_device_fd(dev), &op, 1, sizeof(op), 0);
}

static const struct gpu_handle_call panthor_handle_calls[] = {
	{ "VM_BIND", -EINVAL, call_bind },
	{ "BO_MMAP_OFFSET", -ENOENT, call_map_offset },
	{ "BO_QUERY_INFO", -ENOENT, call_query },
	{ "BO_SET_LABEL", -ENOENT, call_set_label },
	{ "BO_SYNC", -ENOENT, call_sync_one },
	{ 0 },
};

/* ---- Opening ---- */

static const struct gpu_csf_ops panthor_csf_ops = {
	.queue_create = panthor_queue_create,
	.queue_destroy = panthor_queue_destroy,
	.submit = panthor_submit,
	.wait = panthor_wait,
	.bind_program = panthor_bind_program,
};

static int panthor_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	struct gpu_panthor *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->csf.base.ops = &gpu_panthor_ops;
	gpu->csf.csf = &panthor_csf_ops;
	gpu->fd = gemsync_device_fd(dev);
	gpu->vm = gemsync_device_vm(dev);
	ret = gpu_csf_init(&gpu->csf, dev);
	if (ret)
		free(gpu);
	else
		*out = &gpu->csf.base;
	return ret;
}

static void panthor_close(struct gemsync_gpu *gpu)
{
	gpu_csf_fini(&to_panthor(gpu)->csf);
	free(gpu);
}

const struct gpu_ops gpu_panthor_ops = {
	.driver = "panthor",
	.open = panthor_open,
	.close = panthor_close,
	.bind = panthor_bind,
	.bind_readonly = panthor_bind_readonly,
	.unbind = panthor_unbind,
	.map_offset = panthor_map_offset,
	.map_registers = panthor_map_registers,
	.sync_abi = &panthor_sync_abi,
	.handle_calls = panthor_handle_calls,
	.copy = gpu_csf_copy,
	.fill = gpu_csf_fill,
	.spin_begin = gpu_csf_spin_begin,
	.spin_running = gpu_csf_spin_running,
	.spin_fence = panthor_spin_fence,
	.spin_end = gpu_csf_spin_end,
};
