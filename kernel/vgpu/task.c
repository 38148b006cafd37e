// SPDX-License-Identifier: GPL-2.0-only
/* What jobs and binds have in common, from creation to the scheduler's hands. */
#include <linux/slab.h>

#include "internal.h"

int vgpu_task_init(struct vgpu_task *task, struct drm_sched_entity *entity, u64 client_id)
{
	int ret;

	task->fence = vgpu_fence_alloc();
	if (!task->fence)
		return -ENOMEM;
	ret = drm_sched_job_init(&task->base, entity, 1, NULL, client_id);
	if (ret)
		vgpu_fence_put(task->fence);
	return ret;
}

void vgpu_task_fini(struct vgpu_task *task)
{
	drm_sched_job_cleanup(&task->base);
	vgpu_fence_put(task->fence);
}

void vgpu_task_free(struct vgpu_task *task)
{
	if (task)
		task->free(task);
}
