// SPDX-License-Identifier: GPL-2.0-only
/* What to map is told in a structure. */
#include <drm/drm_gpuvm.h>

int probe(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_map_req *req);
int probe(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_map_req *req)
{
	return drm_gpuvm_sm_map(gpuvm, NULL, req);
}
