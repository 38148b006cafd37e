// SPDX-License-Identifier: GPL-2.0-only
/* A driver says that its objects are mapped with drm_gpuvm. */
#include <drm/drm_drv.h>

const u32 probe = DRIVER_GEM_GPUVA;
