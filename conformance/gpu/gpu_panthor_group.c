// SPDX-License-Identifier: MIT
/* Groups and submits of panthor, on a bare DRM file. */
#include <errno.h>
#include <string.h>
#include <xf86drm.h>

#include "gpu_panthor.h"
#include "panthor_drm.h"

#define RING_SIZE	(64u << 10)

static int call(int fd, unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

static int core_masks(int fd, struct drm_panthor_gpu_info *info)
{
	struct drm_panthor_dev_query query = {
		.type = DRM_PANTHOR_DEV_QUERY_GPU_INFO,
		.size = sizeof(*info),
		.pointer = (uintptr_t)info,
	};

	memset(info, 0, sizeof(*info));
	return call(fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &query);
}

int gpu_panthor_group_create(int fd, uint32_t vm, uint32_t *group)
{
	struct drm_panthor_queue_create queue = { .ringbuf_size = RING_SIZE };
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(1, &queue),
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.vm_id = vm,
	};
	struct drm_panthor_gpu_info info;
	int ret;

	ret = core_masks(fd, &info);
	if (ret)
		return ret;
	args.compute_core_mask = info.shader_present;
	args.fragment_core_mask = info.shader_present;
	args.tiler_core_mask = info.tiler_present;
	args.max_compute_cores = __builtin_popcountll(info.shader_present);
	args.max_fragment_cores = __builtin_popcountll(info.shader_present);
	args.max_tiler_cores = __builtin_popcountll(info.tiler_present);
	ret = call(fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
	if (ret)
		return ret;
	*group = args.group_handle;
	return 0;
}

int gpu_panthor_group_destroy(int fd, uint32_t group)
{
	struct drm_panthor_group_destroy args = { .group_handle = group };

	return call(fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
}

int gpu_panthor_group_state(int fd, uint32_t group, uint32_t *state)
{
	struct drm_panthor_group_get_state args = { .group_handle = group };
	int ret;

	ret = call(fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);
	if (ret)
		return ret;
	*state = args.state;
	return 0;
}

int gpu_panthor_submit(int fd, uint32_t group, uint64_t va, uint32_t size, uint32_t syncobj)
{
	struct drm_panthor_sync_op signal = {
		.flags = (uint32_t)DRM_PANTHOR_SYNC_OP_SIGNAL |
			 DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ,
		.handle = syncobj,
	};
	struct drm_panthor_queue_submit submit = {
		.stream_size = size,
		.stream_addr = va,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(1, &signal),
	};
	struct drm_panthor_group_submit args = {
		.group_handle = group,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(1, &submit),
	};

	return call(fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}
