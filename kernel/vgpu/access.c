// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device access to memory, through an address space. All of it may run in the path
 * that signals fences: nothing is allocated.
 */
#include <linux/dma-mapping.h>
#include <linux/export.h>

#include "internal.h"
#include "vm_op.h"

enum access_kind {
	ACCESS_READ,
	ACCESS_POLL,
	ACCESS_WRITE,
	ACCESS_ADD,
};

/* One device access; @to, @from and @value are for those kinds that need them. */
struct access {
	enum access_kind kind;
	u64 va;
	size_t size;
	void *to;
	const void *from;
	u64 value;
};

/* A piece of an access that is contiguous for DMA, or has no memory. */
struct piece {
	bool sparse;
	dma_addr_t dma;
	u64 size;
};

static bool is_store(enum access_kind kind)
{
	return kind == ACCESS_WRITE || kind == ACCESS_ADD;
}

static int check_access(const struct vgpu_va *va, enum access_kind kind)
{
	return is_store(kind) && (va->flags & VGPU_VA_READONLY) ? -EACCES : 0;
}

/* The piece at @addr of at most @size bytes. -EAGAIN if nothing is mapped there. */
static int find_piece(struct vgpu_vm *vm, u64 addr, u64 size, enum access_kind kind,
		      struct piece *piece)
{
	struct drm_gpuva *base = drm_gpuva_find_first(&vm->base, addr, 1);
	u64 start, length;
	struct vgpu_va *va;
	int ret;

	if (!base)
		return -EAGAIN;
	va = to_vgpu_va(base);
	/* Evicted objects are back before a job begins; what is left was purged. */
	if (va->vm_bo && va->vm_bo->evicted)
		return -EFAULT;
	ret = check_access(va, kind);
	if (ret)
		return ret;
	start = addr - base->va.addr;
	piece->sparse = !va->vm_bo;
	if (piece->sparse) {
		piece->size = min(size, base->va.range - start);
		return 0;
	}
	piece->dma = drm_gem_sync_shmem_dma_addr(to_drm_gem_sync_shmem(base->gem.obj),
						 base->gem.offset + start, &length);
	piece->size = min3(size, base->va.range - start, length);
	return 0;
}

/* Where nothing is mapped on purpose there is nothing to read, and a store changes nothing. */
static int transfer_nothing(const struct access *access, const struct piece *piece, size_t done)
{
	if (!is_store(access->kind))
		memset(access->to + done, 0, piece->size);
	return 0;
}

static int transfer(struct vgpu_vm *vm, const struct access *access, const struct piece *piece,
		    size_t done)
{
	struct ncmem *nc = vm->vdev->nc;

	if (piece->sparse)
		return transfer_nothing(access, piece, done);
	switch (access->kind) {
	case ACCESS_READ:
		return ncmem_dev_read(nc, piece->dma, access->to + done, piece->size);
	case ACCESS_POLL:
		return ncmem_dev_poll(nc, piece->dma, access->to + done, piece->size);
	case ACCESS_WRITE:
		return ncmem_dev_write(nc, piece->dma, access->from + done, piece->size);
	case ACCESS_ADD:
		return ncmem_dev_add(nc, piece->dma, access->value, piece->size);
	}
	return -EINVAL;
}

/*
 * Find all pieces before the first is transferred: a fault leaves memory as it was. On
 * -EAGAIN nothing is mapped at *@missing.
 */
static int check_pieces(struct vgpu_vm *vm, const struct access *access, u64 *missing)
{
	struct piece piece;
	int ret;

	for (size_t done = 0; done < access->size; done += piece.size) {
		*missing = access->va + done;
		ret = find_piece(vm, *missing, access->size - done, access->kind, &piece);
		if (ret)
			return ret;
		if (access->kind == ACCESS_ADD && piece.size != access->size)
			return -EFAULT;
	}
	return 0;
}

static int transfer_pieces(struct vgpu_vm *vm, const struct access *access)
{
	struct piece piece;
	int ret;

	for (size_t done = 0; done < access->size; done += piece.size) {
		ret = find_piece(vm, access->va + done, access->size - done, access->kind, &piece);
		if (!ret)
			ret = transfer(vm, access, &piece, done);
		if (ret)
			return ret;
	}
	return 0;
}

static int access_mapped(struct vgpu_vm *vm, const struct access *access, u64 *missing)
{
	int ret;

	down_read(&vm->mmu_lock);
	ret = check_pieces(vm, access, missing);
	if (!ret)
		ret = transfer_pieces(vm, access);
	up_read(&vm->mmu_lock);
	return ret;
}

static int device_access(struct vgpu_vm *vm, const struct access *access)
{
	u64 missing;
	int ret;

	if (access->size > U64_MAX - access->va)
		return -EFAULT;
	do {
		ret = access_mapped(vm, access, &missing);
		/* What grows does so here, and then the access is done again. */
		if (ret == -EAGAIN)
			ret = vgpu_heap_fault(vm, missing) ?: -EAGAIN;
	} while (ret == -EAGAIN);
	if (!ret && is_store(access->kind))
		vgpu_device_kick(vm->vdev);
	return ret;
}

/**
 * vgpu_vm_read() - the device reads memory, be it data or commands
 * @vm: the address space
 * @va: GPU address
 * @to: where the bytes go
 * @size: number of bytes; the range may cross mappings
 *
 * Context: Process context, may sleep. May be called where fences are signalled.
 *
 * Return: 0; -EFAULT if part of the range is not mapped, and then nothing was
 * transferred.
 */
int vgpu_vm_read(struct vgpu_vm *vm, u64 va, void *to, size_t size)
{
	const struct access access = { .kind = ACCESS_READ, .va = va, .size = size, .to = to };

	return device_access(vm, &access);
}
EXPORT_SYMBOL_GPL(vgpu_vm_read);

/**
 * vgpu_vm_write() - the device writes memory
 * @vm: the address space
 * @va: GPU address
 * @from: the bytes
 * @size: number of bytes; the range may cross mappings
 *
 * Context: Process context, may sleep. May be called where fences are signalled.
 *
 * Return: 0; -EFAULT if part of the range is not mapped, -EACCES if it is read-only,
 * and then nothing was transferred.
 */
int vgpu_vm_write(struct vgpu_vm *vm, u64 va, const void *from, size_t size)
{
	const struct access access = { .kind = ACCESS_WRITE, .va = va, .size = size, .from = from };

	return device_access(vm, &access);
}
EXPORT_SYMBOL_GPL(vgpu_vm_write);

/**
 * vgpu_vm_sync_read() - the device polls a sync object in memory
 * @vm: the address space
 * @va: GPU address, naturally aligned
 * @to: where the bytes go
 * @size: 4 or 8
 *
 * Context: Process context, may sleep. May be called where fences are signalled.
 *
 * Return: as vgpu_vm_read().
 */
int vgpu_vm_sync_read(struct vgpu_vm *vm, u64 va, void *to, size_t size)
{
	const struct access access = { .kind = ACCESS_POLL, .va = va, .size = size, .to = to };

	return device_access(vm, &access);
}
EXPORT_SYMBOL_GPL(vgpu_vm_sync_read);

/**
 * vgpu_vm_sync_set() - the device sets a sync object in memory
 * @vm: the address space
 * @va: GPU address, naturally aligned
 * @value: the value
 * @size: 4 or 8
 *
 * Context: Process context, may sleep. May be called where fences are signalled.
 *
 * Return: as vgpu_vm_write(); -EINVAL for another @size.
 */
int vgpu_vm_sync_set(struct vgpu_vm *vm, u64 va, u64 value, size_t size)
{
	__le64 bytes = cpu_to_le64(value);

	if (size != sizeof(u32) && size != sizeof(u64))
		return -EINVAL;
	return vgpu_vm_write(vm, va, &bytes, size);
}
EXPORT_SYMBOL_GPL(vgpu_vm_sync_set);

/**
 * vgpu_vm_sync_add() - the device adds to a sync object in memory, in one step
 * @vm: the address space
 * @va: GPU address, naturally aligned
 * @value: what is added
 * @size: 4 or 8
 *
 * Context: Process context, may sleep. May be called where fences are signalled.
 *
 * Return: as vgpu_vm_write(); -EINVAL for another @size.
 */
int vgpu_vm_sync_add(struct vgpu_vm *vm, u64 va, u64 value, size_t size)
{
	const struct access access = { .kind = ACCESS_ADD, .va = va, .size = size, .value = value };

	if (size != sizeof(u32) && size != sizeof(u64))
		return -EINVAL;
	return device_access(vm, &access);
}
EXPORT_SYMBOL_GPL(vgpu_vm_sync_add);
