// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects whose memory goes although address spaces map them. The mappings stay, and
 * say that the object is evicted; the next job of an address space brings back all
 * that was evicted from it.
 */
#include <linux/export.h>

#include <drm/drm_exec.h>

#include "internal.h"

/*
 * Stop a VM in which no job runs. A job that is about to run holds the VM's reservation
 * lock, and one that runs has its fence there: also if the object was mapped while it
 * ran, and so does not know the fence.
 */
static bool stop_idle_vm(struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_vm *vm = to_vgpu_vm(vm_bo->vm);
	struct dma_resv *resv = drm_gpuvm_resv(&vm->base);
	bool external = resv != vm_bo->obj->resv;

	if (external && !dma_resv_trylock(resv))
		return false;
	if (dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP) &&
	    down_write_trylock(&vm->mmu_lock))
		return true;
	if (external)
		dma_resv_unlock(resv);
	return false;
}

static void resume_vm(struct drm_gpuvm_bo *vm_bo)
{
	struct vgpu_vm *vm = to_vgpu_vm(vm_bo->vm);
	struct dma_resv *resv = drm_gpuvm_resv(&vm->base);

	up_write(&vm->mmu_lock);
	if (resv != vm_bo->obj->resv)
		dma_resv_unlock(resv);
}

int vgpu_bo_evicting(struct drm_gem_sync_shmem_object *shmem)
{
	struct vgpu_bo *bo = container_of(shmem, struct vgpu_bo, base);
	struct drm_gem_object *obj = &shmem->base;
	struct drm_gpuvm_bo *vm_bo, *busy = NULL;

	mutex_lock(vgpu_gpuva_lock(bo));
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (!stop_idle_vm(vm_bo)) {
			busy = vm_bo;
			break;
		}
	}
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (vm_bo == busy)
			break;
		if (!busy)
			drm_gpuvm_bo_evict(vm_bo, true);
		resume_vm(vm_bo);
	}
	mutex_unlock(vgpu_gpuva_lock(bo));
	return busy ? -EBUSY : 0;
}

/* A purged object stays evicted: the device faults where it is mapped. */
int vgpu_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct vgpu_vm *vm = to_vgpu_vm(vm_bo->vm);
	struct vgpu_bo *bo = to_vgpu_bo(vm_bo->obj);
	int ret;

	if (drm_gem_sync_shmem_is_purged(&bo->base))
		return 0;
	ret = drm_gem_sync_shmem_populate(&bo->base);
	if (ret)
		return ret;
	down_write(&vm->mmu_lock);
	drm_gpuvm_bo_evict(vm_bo, false);
	up_write(&vm->mmu_lock);
	return 0;
}

/**
 * vgpu_vm_use_begin() - have all that an address space maps in memory, and keep it there
 * @vm: the address space
 * @exec: ended by vgpu_vm_use_end(); not to be initialized
 *
 * For device accesses that are no jobs, which bring back what was evicted themselves.
 *
 * Context: Process context, may sleep. Takes the reservation locks of the address space
 * and of all that it maps: memory of user space must not be touched until
 * vgpu_vm_use_end().
 *
 * Return: 0; -EINTR if a signal came; -ENOMEM. On failure nothing is held.
 */
int vgpu_vm_use_begin(struct vgpu_vm *vm, struct drm_exec *exec)
{
	int ret;

	ret = mutex_lock_interruptible(&vm->objs_lock);
	if (ret)
		return ret;
	vgpu_exec_init(exec);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_prepare_vm(&vm->base, exec, 0);
		if (!ret)
			ret = drm_gpuvm_prepare_objects(&vm->base, exec, 0);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}
	if (!ret)
		ret = drm_gpuvm_validate(&vm->base, exec);
	mutex_unlock(&vm->objs_lock);
	if (ret)
		vgpu_exec_fini(exec);
	return ret;
}
EXPORT_SYMBOL_GPL(vgpu_vm_use_begin);

/**
 * vgpu_vm_use_end() - let go of what vgpu_vm_use_begin() held
 * @exec: of vgpu_vm_use_begin()
 */
void vgpu_vm_use_end(struct drm_exec *exec)
{
	vgpu_exec_fini(exec);
}
EXPORT_SYMBOL_GPL(vgpu_vm_use_end);
