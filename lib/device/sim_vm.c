// SPDX-License-Identifier: MIT
/* The simulated GPU's address space, and its accesses to memory through it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_internal.h"

/* ---- The list of pieces ---- */

static uint64_t end_of(const struct sim_va *va)
{
	return va->va + va->size;
}

/* The first piece that ends behind @va. */
static size_t find_first(const struct sim_vm *vm, uint64_t va)
{
	size_t low = 0, high = vm->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (end_of(&vm->vas[middle]) > va)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int reserve(struct sim_vm *vm, size_t more)
{
	size_t room = vm->room ? 2 * vm->room : 64;
	struct sim_va *vas;

	if (vm->room - vm->count >= more)
		return 0;
	vas = realloc(vm->vas, room * sizeof(*vas));
	if (!vas)
		return -ENOMEM;
	vm->vas = vas;
	vm->room = room;
	return 0;
}

/* There is room, and the piece comes with its reference. */
static void insert(struct sim_vm *vm, size_t at, const struct sim_va *va)
{
	memmove(&vm->vas[at + 1], &vm->vas[at], (vm->count - at) * sizeof(*va));
	vm->vas[at] = *va;
	vm->count++;
}

static void remove_at(struct sim_vm *vm, size_t at)
{
	gemsync_sim_bo_put(vm->vas[at].bo);
	vm->count--;
	memmove(&vm->vas[at], &vm->vas[at + 1], (vm->count - at) * sizeof(*vm->vas));
}

/* Cut a piece in two at an address inside of it. */
static void split(struct sim_vm *vm, size_t at, uint64_t va)
{
	struct sim_va back = vm->vas[at];
	uint64_t front = va - back.va;

	vm->vas[at].size = front;
	back.va = va;
	back.size -= front;
	back.offset += front;
	back.bo->refs++;
	insert(vm, at + 1, &back);
}

/* There is room for the two pieces more that two cuts can make. */
static void cut_out(struct sim_vm *vm, uint64_t start, uint64_t end)
{
	size_t at = find_first(vm, start);

	if (at < vm->count && vm->vas[at].va < start)
		split(vm, at++, start);
	while (at < vm->count && end_of(&vm->vas[at]) <= end)
		remove_at(vm, at);
	if (at < vm->count && vm->vas[at].va < end) {
		split(vm, at, end);
		remove_at(vm, at);
	}
}

void gemsync_sim_vm_fini(struct sim_vm *vm)
{
	while (vm->count)
		remove_at(vm, vm->count - 1);
	free(vm->vas);
}

/* ---- Binding ---- */

static int check_range(const struct gemsync_device *dev, uint64_t va, uint64_t size)
{
	if (!size || (va | size) & (dev->info.page_size - 1))
		return -EINVAL;
	return gs_range_check(va, size, GEMSYNC_SIM_VA_END);
}

static int bind_locked(struct sim *sim, uint32_t handle, struct sim_va *va)
{
	int ret;

	va->bo = gemsync_sim_bo_find(sim, handle);
	if (!va->bo)
		return -ENOENT;
	if (gs_range_check(va->offset, va->size, va->bo->size))
		return -EINVAL;
	ret = reserve(&sim->vm, 3);
	if (ret)
		return ret;
	ret = gemsync_sim_populate(sim, va->bo);
	if (ret)
		return ret;
	gemsync_sim_memory_view(sim, va->bo);
	va->bo->refs++;
	cut_out(&sim->vm, va->va, end_of(va));
	insert(&sim->vm, find_first(&sim->vm, va->va), va);
	return 0;
}

/* Where BOs are that the driver binds, as in vpanfrost. */
#define BO_START	(32ull << 20)
#define BO_END		((4ull << 30) - BO_START)
#define BO_ALIGN	(2ull << 20)

/* The first gap with room for @size bytes. */
static int find_gap(const struct sim_vm *vm, uint64_t size, uint64_t *va)
{
	uint64_t start = BO_START;
	size_t i;

	if (size > BO_END - BO_START)
		return -ENOMEM;
	for (i = 0; i < vm->count; i++) {
		if (vm->vas[i].va >= start && vm->vas[i].va - start >= size)
			break;
		/* What leaves a BO at its end hits nothing. */
		start = end_of(&vm->vas[i]) / BO_ALIGN * BO_ALIGN + BO_ALIGN;
	}
	if (start > BO_END || size > BO_END - start)
		return -ENOSPC;
	*va = start;
	return 0;
}

int gemsync_sim_bind_somewhere(struct sim *sim, struct sim_bo *bo)
{
	struct sim_va va = { .size = bo->size, .bo = bo };
	int ret;

	ret = find_gap(&sim->vm, bo->size, &va.va);
	if (!ret)
		ret = reserve(&sim->vm, 1);
	if (!ret)
		ret = gemsync_sim_populate(sim, bo);
	if (ret)
		return ret;
	gemsync_sim_memory_view(sim, bo);
	bo->refs++;
	bo->va = va.va;
	insert(&sim->vm, find_first(&sim->vm, va.va), &va);
	return 0;
}

void gemsync_sim_unbind_bo(struct sim *sim, struct sim_bo *bo)
{
	/* One whole piece, so that nothing is split. */
	if (bo->va)
		cut_out(&sim->vm, bo->va, bo->va + bo->size);
}

int gemsync_sim_bind(struct gemsync_device *dev, uint32_t handle, uint64_t offset, uint64_t size,
		     uint64_t va, uint32_t flags)
{
	struct sim_va piece = { .va = va, .size = size, .offset = offset, .flags = flags };
	int ret;

	if (gemsync_sim_has_job_manager(dev))
		return -EOPNOTSUPP;
	if (flags & ~GEMSYNC_SIM_READONLY)
		return -EINVAL;
	if (offset & (dev->info.page_size - 1))
		return -EINVAL;
	ret = check_range(dev, va, size);
	if (ret)
		return ret;
	gemsync_sim_lock(dev->sim);
	ret = bind_locked(dev->sim, handle, &piece);
	gemsync_sim_unlock(dev->sim);
	return ret;
}

int gemsync_sim_unbind(struct gemsync_device *dev, uint64_t va, uint64_t size)
{
	int ret;

	if (gemsync_sim_has_job_manager(dev))
		return -EOPNOTSUPP;
	ret = check_range(dev, va, size);
	if (ret)
		return ret;
	gemsync_sim_lock(dev->sim);
	ret = reserve(&dev->sim->vm, 2);
	if (!ret)
		cut_out(&dev->sim->vm, va, va + size);
	gemsync_sim_unlock(dev->sim);
	return ret;
}

/* ---- Accesses ---- */

/* A part of an access, in one BO. */
struct target {
	struct sim_bo *bo;
	uint64_t offset;
	uint32_t size;
};

/* @deny: flags of pieces that may not be accessed so. */
static int find_target(const struct sim_vm *vm, uint64_t va, uint32_t size, uint32_t deny,
		       struct target *target)
{
	size_t at = find_first(vm, va);
	const struct sim_va *piece = &vm->vas[at];
	uint64_t room;

	if (at == vm->count || piece->va > va)
		return -EFAULT;
	if (piece->flags & deny)
		return -EACCES;
	room = end_of(piece) - va;
	target->bo = piece->bo;
	target->offset = piece->offset + (va - piece->va);
	target->size = size < room ? size : room;
	return 0;
}

/* All parts are there: a fault leaves memory as it was. */
static int check_access(const struct sim_vm *vm, uint64_t va, uint32_t size, uint32_t deny)
{
	struct target target = { 0 };
	uint32_t done;
	int ret;

	for (done = 0; done < size; done += target.size) {
		ret = find_target(vm, va + done, size - done, deny, &target);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_memory(struct sim *sim, uint64_t va, void *to, uint32_t size, uint32_t deny)
{
	struct target target = { 0 };
	uint32_t done;
	int ret;

	ret = check_access(&sim->vm, va, size, deny);
	for (done = 0; !ret && done < size; done += target.size) {
		ret = find_target(&sim->vm, va + done, size - done, deny, &target);
		if (!ret)
			gemsync_sim_dev_read(sim, target.bo, target.offset, (char *)to + done,
					     target.size);
	}
	return ret;
}

static int csf_read(void *ctx, uint64_t va, void *to, uint32_t size)
{
	return read_memory(ctx, va, to, size, 0);
}

static int csf_write(void *ctx, uint64_t va, const void *from, uint32_t size)
{
	struct sim *sim = ctx;
	struct target target = { 0 };
	uint32_t done;
	int ret;

	ret = check_access(&sim->vm, va, size, GEMSYNC_SIM_READONLY);
	for (done = 0; !ret && done < size; done += target.size) {
		ret = find_target(&sim->vm, va + done, size - done, GEMSYNC_SIM_READONLY, &target);
		if (!ret)
			gemsync_sim_dev_write(sim, target.bo, target.offset,
					      (const char *)from + done, target.size);
	}
	if (!ret)
		gemsync_sim_gpu_kick(sim);
	return ret;
}

/* Sync objects are aligned to their size, so that they lie in one piece. */

static int csf_sync_read(void *ctx, uint64_t va, void *to, uint32_t size)
{
	struct sim *sim = ctx;
	struct target target = { 0 };
	uint64_t value;
	uint32_t low;
	int ret;

	ret = find_target(&sim->vm, va, size, 0, &target);
	if (ret)
		return ret;
	value = gemsync_sim_dev_poll(sim, target.bo, target.offset, size);
	low = value;
	if (size == sizeof(low))
		memcpy(to, &low, sizeof(low));
	else
		memcpy(to, &value, sizeof(value));
	return 0;
}

static int csf_sync_set(void *ctx, uint64_t va, uint64_t value, uint32_t size)
{
	struct sim *sim = ctx;
	struct target target = { 0 };
	int ret;

	ret = find_target(&sim->vm, va, size, GEMSYNC_SIM_READONLY, &target);
	if (ret)
		return ret;
	gemsync_sim_dev_set(sim, target.bo, target.offset, value, size);
	gemsync_sim_gpu_kick(sim);
	return 0;
}

static int csf_sync_add(void *ctx, uint64_t va, uint64_t value, uint32_t size)
{
	struct sim *sim = ctx;
	struct target target = { 0 };
	int ret;

	ret = find_target(&sim->vm, va, size, GEMSYNC_SIM_READONLY, &target);
	if (ret)
		return ret;
	gemsync_sim_dev_add(sim, target.bo, target.offset, value, size);
	gemsync_sim_gpu_kick(sim);
	return 0;
}

/* Both count nanoseconds. */
static uint64_t csf_time(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

const struct gs_csf_mem gemsync_sim_csf_mem = {
	.fetch = csf_read,
	.read = csf_read,
	.write = csf_write,
	.sync_read = csf_sync_read,
	.sync_set = csf_sync_set,
	.sync_add = csf_sync_add,
	.timestamp = csf_time,
	.cycles = csf_time,
};

/* Jobs are data: what must not be executed is for shader cores. */
const struct gs_jm_mem gemsync_sim_jm_mem = {
	.fetch = csf_read,
	.read = csf_read,
	.write = csf_write,
	.poll = csf_sync_read,
	.timestamp = csf_time,
	.cycles = csf_time,
};
