// SPDX-License-Identifier: GPL-2.0-only
/* A timed out job that was dealt with was reset, not nominal. */
#include <drm/gpu_scheduler.h>

enum drm_gpu_sched_stat probe(void);
enum drm_gpu_sched_stat probe(void)
{
	return DRM_GPU_SCHED_STAT_RESET;
}
