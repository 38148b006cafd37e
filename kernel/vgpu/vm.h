/* SPDX-License-Identifier: GPL-2.0-only */
/* A mapping, for the files that implement address spaces. */
#ifndef VGPU_VM_H
#define VGPU_VM_H

#include "vgpu.h"

struct vgpu_va {
	struct drm_gpuva base;
	u32 flags;			/* VGPU_VA_* */
	struct drm_gpuvm_bo *vm_bo;	/* a reference */
	struct list_head removed;	/* once it is unmapped */
};

#define to_vgpu_va(va) container_of(va, struct vgpu_va, base)

#endif
