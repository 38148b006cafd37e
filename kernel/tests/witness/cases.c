// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cases. Every byte of every object is compared after each sync, so each of them is
 * its own negative twin: what lies outside the range has not been copied.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>

#include "witness.h"

#define FLUSH		(DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)
#define INVALIDATE	(DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)

/* More than a step of the walk, and than four pieces that swiotlb maps at once. */
#define LARGE	(SZ_1M + 67 * PAGE_SIZE)

static enum gs_sync_type type_of(enum drm_gem_object_access_flags access)
{
	return access & DRM_GEM_OBJECT_DEV_ACCESS ? GS_SYNC_FLUSH : GS_SYNC_FLUSH_AND_INVALIDATE;
}

static void check_sync(struct witness *w, struct witness_object *object, u64 offset, u64 size,
		       enum drm_gem_object_access_flags access)
{
	char what[64];
	int ret;

	snprintf(what, sizeof(what), "access %#x of %llu+%llu", access, offset, size);
	witness_reset(object);
	witness_want(object, offset, size, type_of(access));
	ret = drm_gem_sync(&object->base.base, offset, size, access);
	EXPECT(w, !ret, "%s: %d", what, ret);
	witness_verify(w, object, what);
}

/* Both operations; what leaves the object is left out. */
static void check_range(struct witness *w, struct witness_object *object, s64 offset, u64 size)
{
	u64 limit = object->base.base.size;

	if (offset < 0 || offset > limit || size > limit - offset)
		return;
	check_sync(w, object, offset, size, FLUSH);
	check_sync(w, object, offset, size, INVALIDATE);
}

/* Ranges that begin and end in, at and around @at. */
static void check_around(struct witness *w, struct witness_object *object, u64 at)
{
	check_range(w, object, at - 1, 1);
	check_range(w, object, at, 1);
	check_range(w, object, at - 1, 2);
	check_range(w, object, at - 64, 64);
	check_range(w, object, at, 64);
	check_range(w, object, at - 61, 99);
	check_range(w, object, at - PAGE_SIZE - 3, 2 * PAGE_SIZE + 7);
}

/* Nothing is copied that no sync copies: not by mapping, and not in time. */
static void without_sync(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, SMALL, true);

	if (!object)
		return;
	witness_verify(w, object, "no sync");
	EXPECT(w, !drm_gem_sync(&object->base.base, 100, 0, FLUSH), "size 0");
	EXPECT(w, !drm_gem_sync(&object->base.base, SMALL, 0, INVALIDATE), "size 0");
	EXPECT(w, drm_gem_sync(&object->base.base, 1, SMALL, INVALIDATE) == -EINVAL, "range");
	EXPECT(w, drm_gem_sync(&object->base.base, 0, SMALL, 0) == -EINVAL, "access");
	witness_verify(w, object, "syncs of nothing");
}

/* R6: which copy each access makes. */
static void access_flags(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, SMALL, true);

	if (!object)
		return;
	for (unsigned int access = 0; access < 8; access++)
		if (access & DRM_GEM_OBJECT_RW_ACCESS)
			check_sync(w, object, 1001, 4999, access);
}

/* R1: ends of the object and of its pages, and byte by byte over two lines. */
static void exact_bytes(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, SMALL, true);

	if (!object)
		return;
	for (unsigned int start = 0; start < 8; start++)
		for (unsigned int size = 1; size <= 130; size += 3)
			check_range(w, object, start * 17, size);
	for (u64 at = 0; at <= SMALL; at += PAGE_SIZE)
		check_around(w, object, at);
	check_range(w, object, 0, SMALL);
	check_range(w, object, 1, SMALL - 2);
}

/* R1, R22: over every border of contiguous memory, and over many of them. */
static void across_pieces(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, LARGE, true);
	unsigned int pieces = 0;
	u64 at, length;

	if (!object)
		return;
	for (at = 0; at < LARGE; at += length) {
		drm_gem_sync_shmem_dma_addr(&object->base, at, &length);
		check_around(w, object, at);
		pieces++;
	}
	EXPECT(w, pieces >= LARGE / SZ_256K, "%u pieces: longer ones than swiotlb maps", pieces);
	check_range(w, object, 0, LARGE);
	check_range(w, object, 1, LARGE - 2);
	check_range(w, object, 3 * PAGE_SIZE - 1, LARGE / 2);
}

/* R1, R10: the walk pauses after a step; the object ends where no step does. */
static void steps_and_end(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, LARGE, true);

	if (!object)
		return;
	check_around(w, object, SZ_1M);
	check_around(w, object, LARGE);
	check_range(w, object, LARGE - 99, 99);
}

/* R1: ranges that nobody thought of. */
static void random_ranges(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, LARGE, true);
	struct rnd_state random;

	if (!object)
		return;
	prandom_seed_state(&random, 20);
	for (unsigned int i = 0; i < 24; i++) {
		u64 offset = prandom_u32_state(&random) % LARGE;
		u64 size = prandom_u32_state(&random) % (LARGE - offset) + 1;

		check_range(w, object, offset, i % 2 ? size : min(size, 5000ULL));
	}
}

/* R9: nothing is copied for a write-combined object, nor for a coherent device. */
static void free_when_free(struct witness *w)
{
	struct witness_object *objects[] = {
		witness_object(w, &w->sdev, SMALL, false),
		witness_object(w, &w->coherent, SMALL, true),
		witness_object(w, &w->coherent, SMALL, false),
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		if (!objects[i])
			return;
		EXPECT(w, !drm_gem_sync(&objects[i]->base.base, 0, SMALL, FLUSH), "flush %u", i);
		EXPECT(w, !drm_gem_sync(&objects[i]->base.base, 3, 99, INVALIDATE),
		       "invalidate %u", i);
		witness_verify(w, objects[i], "nothing to sync");
	}
}

/* ---- Batches ---- */

/* An op as this device's user space has it. */
struct op {
	u32 handle;
	u32 type;
	u64 offset;
	u64 size;
};

static void decode(const void *raw, struct gs_sync_op *op)
{
	const struct op *own = raw;

	op->handle = own->handle;
	op->type = own->type;
	op->offset = own->offset;
	op->size = own->size;
}

/* The ops lie in a map of the process that reads the results. */
static int run_batch(struct witness *w, const struct op *ops, u32 count)
{
	unsigned long user = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	const struct drm_gem_sync_array array = {
		.ptr = user,
		.stride = sizeof(*ops),
		.count = count,
		.op_size = sizeof(*ops),
		.decode = decode,
	};
	int ret;

	if (IS_ERR_VALUE(user))
		return user;
	ret = -EFAULT;
	if (!copy_to_user((void __user *)user, ops, count * sizeof(*ops)))
		ret = drm_gem_sync_ioctl(w->file->private_data, &array);
	vm_munmap(user, PAGE_SIZE);
	return ret;
}

/* Two objects with handles on the file. */
struct pair {
	struct witness_object *object[2];
	u32 handle[2];
};

static bool make_pair(struct witness *w, struct pair *pair)
{
	for (unsigned int i = 0; i < 2; i++) {
		int ret;

		pair->object[i] = witness_object(w, &w->sdev, i ? LARGE : SMALL, true);
		if (!pair->object[i])
			return false;
		ret = drm_gem_handle_create(w->file->private_data, &pair->object[i]->base.base,
					    &pair->handle[i]);
		EXPECT(w, !ret, "no handle: %d", ret);
		if (ret)
			return false;
	}
	return true;
}

static void drop_pair(struct witness *w, const struct pair *pair)
{
	for (unsigned int i = 0; i < 2; i++)
		if (pair->handle[i])
			drm_gem_handle_delete(w->file->private_data, pair->handle[i]);
}

static void verify_pair(struct witness *w, const struct pair *pair, const char *what)
{
	for (unsigned int i = 0; i < 2; i++)
		witness_verify(w, pair->object[i], what);
}

/* R7, R10: each op of a batch as if it were alone, in their order. */
static void batches(struct witness *w)
{
	static const struct {
		u32 object;
		u32 type;
		u64 offset;
		u64 size;
	} plan[] = {
		{ 0, GS_SYNC_FLUSH, 1, 1 },
		{ 0, GS_SYNC_FLUSH, 100, 5000 },
		{ 1, GS_SYNC_FLUSH_AND_INVALIDATE, SZ_1M - 777, 3 * PAGE_SIZE },
		{ 1, GS_SYNC_FLUSH, 3, 0 },
		{ 1, GS_SYNC_FLUSH, SZ_1M - 100, 1234 },
		{ 0, GS_SYNC_FLUSH_AND_INVALIDATE, 90, 200 },
		{ 1, GS_SYNC_FLUSH_AND_INVALIDATE, LARGE - 1, 1 },
	};
	struct op ops[ARRAY_SIZE(plan)];
	struct pair pair = {};
	int ret;

	if (!make_pair(w, &pair))
		goto out;
	for (unsigned int i = 0; i < ARRAY_SIZE(plan); i++) {
		ops[i] = (struct op){ pair.handle[plan[i].object], plan[i].type, plan[i].offset,
				      plan[i].size };
		witness_want(pair.object[plan[i].object], plan[i].offset, plan[i].size,
			     plan[i].type);
	}
	ret = run_batch(w, ops, ARRAY_SIZE(ops));
	EXPECT(w, !ret, "batch: %d", ret);
	verify_pair(w, &pair, "batch");
out:
	drop_pair(w, &pair);
}

/* R7: a bad op at the end, and nothing was copied for those before it. */
static void refused_batch(struct witness *w)
{
	struct op ops[] = {
		{ .type = GS_SYNC_FLUSH, .size = SMALL },
		{ .type = GS_SYNC_FLUSH_AND_INVALIDATE, .size = 64 },
		{ .type = GS_SYNC_FLUSH, .offset = 1, .size = LARGE },
	};
	struct pair pair = {};
	int ret;

	if (!make_pair(w, &pair))
		goto out;
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i].handle = pair.handle[i > 0];
	ret = run_batch(w, ops, ARRAY_SIZE(ops));
	EXPECT(w, ret == -EINVAL, "batch: %d", ret);
	verify_pair(w, &pair, "refused batch");
out:
	drop_pair(w, &pair);
}

/* ---- R21, as it is without this test ---- */

static void cached_is_refused(struct witness *w)
{
	struct witness_object *object;
	int ret;

	w->refusals = true;
	ret = witness_create(w, &w->sdev, SMALL, true, &object);
	EXPECT(w, ret == -EOPNOTSUPP, "cached: %d", ret);
	ret = witness_create(w, &w->sdev, SMALL, false, &object);
	EXPECT(w, !ret, "write-combined: %d", ret);
	ret = witness_create(w, &w->coherent, SMALL, true, &object);
	EXPECT(w, !ret, "of a coherent device: %d", ret);
	/* The twin: it is this rule that refused. */
	w->refusals = false;
	ret = witness_create(w, &w->sdev, SMALL, true, &object);
	EXPECT(w, !ret, "without the rule: %d", ret);
}

/* Creation is allowed in any case, as for a device that bounces only later. */
static struct witness_object *create_anyway(struct witness *w, struct drm_gem_sync_device *sdev,
					    bool cached)
{
	struct witness_object *object = NULL;
	int ret;

	w->refusals = false;
	ret = witness_create(w, sdev, LARGE, cached, &object);
	EXPECT(w, !ret, "no object: %d", ret);
	w->refusals = true;
	return object;
}

static void check_undone(struct witness *w, struct witness_object *object)
{
	long slots = witness_slots(w);
	int ret;

	if (!object)
		return;
	ret = drm_gem_sync_shmem_pin(&object->base);
	EXPECT(w, ret == -EOPNOTSUPP, "population: %d", ret);
	EXPECT(w, !object->base.pages && !object->base.sgt && !object->base.runs,
	       "something is left of the population");
	EXPECT(w, witness_slots(w) == slots, "%ld slots of bounce buffers are left",
	       witness_slots(w) - slots);
	if (!ret)
		drm_gem_sync_shmem_unpin(&object->base);
	/* The twin: it is this rule that refused, and there was something to undo. */
	w->refusals = false;
	ret = drm_gem_sync_shmem_pin(&object->base);
	EXPECT(w, !ret, "population without the rule: %d", ret);
	EXPECT(w, witness_slots(w) > slots,
	       "no slot of a bounce buffer is used, or counted (swiotlb=track_hiwater)");
	if (!ret)
		drm_gem_sync_shmem_unpin(&object->base);
}

static void bounced_is_undone(struct witness *w)
{
	check_undone(w, create_anyway(w, &w->sdev, true));
	check_undone(w, create_anyway(w, &w->sdev, false));
	check_undone(w, create_anyway(w, &w->coherent, true));
}

/*
 * R10: the table of runs has an entry for each piece of memory, and one at its end: of a
 * large object no more than 0.1 % if it is in one piece, and 0.6 % if in pages.
 */
static void run_table(struct witness *w)
{
	struct witness_object *object = witness_object(w, &w->sdev, LARGE, true);
	const u64 entry = sizeof(struct drm_gem_sync_run);

	if (!object)
		return;
	EXPECT(w, object->base.nr_runs == object->base.sgt->orig_nents, "%u runs of %u pieces",
	       object->base.nr_runs, object->base.sgt->orig_nents);
	EXPECT(w, 2 * entry * 1000 <= LARGE, "one piece");
	EXPECT(w, (LARGE / PAGE_SIZE + 1) * entry * 1000 <= 6 * LARGE, "pages");
}

const struct witness_case witness_cases[] = {
	{ "R21: no cached object where all is bounced", cached_is_refused },
	{ "R21: a mapping that bounced is undone", bounced_is_undone },
	{ "without a sync nothing is copied", without_sync },
	{ "R6: each access makes its copies", access_flags },
	{ "R1: exact to the byte", exact_bytes },
	{ "R22: across the pieces of an object", across_pieces },
	{ "R10: across the walk's steps, and to the end", steps_and_end },
	{ "R1: random ranges", random_ranges },
	{ "R10: the table of runs is small", run_table },
	{ "R9: write-combined objects and coherent devices are left alone", free_when_free },
	{ "R7: each op of a batch", batches },
	{ "R7: a refused batch copies nothing", refused_batch },
	{}
};
