/* SPDX-License-Identifier: GPL-2.0-only */
/* Mappings and their changes, for the files that implement address spaces. */
#ifndef VGPU_VM_OP_H
#define VGPU_VM_OP_H

#include "vgpu.h"

struct vgpu_va {
	struct drm_gpuva base;
	u32 flags;			/* VGPU_VA_* */
	struct drm_gpuvm_bo *vm_bo;	/* a reference; NULL if it is sparse */
	struct list_head removed;	/* once it is unmapped */
};

#define to_vgpu_va(va) container_of(va, struct vgpu_va, base)

/*
 * A change splits at most two mappings in two and adds one; another is for the object that
 * was to be mapped, once that is done.
 */
#define VGPU_VM_OP_SPARES	4

/*
 * A change of the mappings. All that can fail is done before it executes, and all
 * that may take a reservation lock or free an object after it: the execution itself
 * is fit for the path that signals fences.
 */
struct vgpu_vm_op {
	u64 va;
	u64 size;			/* 0 changes nothing */
	u64 offset;			/* bytes into the object */
	u32 flags;			/* VGPU_VA_* */
	bool exact;			/* unmap this one mapping, else -ENOENT */
	bool sparse;			/* map nothing */
	struct vgpu_vm *vm;		/* while it executes */
	struct drm_gpuvm_bo *vm_bo;	/* of what is mapped; NULL to unmap only, or if @sparse */
	struct vgpu_va *spares[VGPU_VM_OP_SPARES];
	int spare_count;
	struct list_head removed;	/* struct vgpu_va.removed */
};

/* Returns 0, -ENOMEM, -EINTR or an error of the DMA mapping; @op is zeroed before. */
int vgpu_vm_op_prepare(struct vgpu_vm *vm, struct vgpu_vm_op *op,
		       const struct vgpu_bind_args *args);
/*
 * The device sees all of the change, or nothing; of more than a thousand mappings, it sees
 * some go before others. -EINVAL if nothing can be mapped any more;
 * -ENOENT if there is no such mapping as has to be unmapped.
 */
int vgpu_vm_op_execute(struct vgpu_vm *vm, struct vgpu_vm_op *op);
/* The same, but a failure makes the VM unusable. */
int vgpu_vm_op_execute_async(struct vgpu_vm *vm, struct vgpu_vm_op *op);
/* Let go of what the change was made with and of what it removed. */
void vgpu_vm_op_cleanup(struct vgpu_vm *vm, struct vgpu_vm_op *op);
/* &vgpu_vm.late_work */
void vgpu_vm_late_work(struct work_struct *work);

/* Whether the user may do this; 0 or -EINVAL. */
int vgpu_vm_check_bind(struct vgpu_vm *vm, const struct vgpu_bind_args *args);

/* Members of struct drm_gpuvm_ops. */
int vgpu_vm_step_map(struct drm_gpuva_op *step, void *priv);
int vgpu_vm_step_remap(struct drm_gpuva_op *step, void *priv);
int vgpu_vm_step_unmap(struct drm_gpuva_op *step, void *priv);

#endif
