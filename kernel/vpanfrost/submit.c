// SPDX-License-Identifier: GPL-2.0-only
/* Submission of job chains. */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_syncobj.h>

#include <jm.h>

#include "vpanfrost.h"

#define REQUIREMENTS	(PANFROST_JD_REQ_FS | PANFROST_JD_REQ_CYCLE_COUNT)

/* The most objects that a file can have: an address has two pages at least, one of them empty. */
#define MAX_OBJECTS	((VPANFROST_VA_END - VPANFROST_VA_START) / (2 * PAGE_SIZE))

/* The objects that a chain uses: mapped until it has ended. */
struct job_objects {
	u32 count;
	struct vgpu_mapping *mappings[] __counted_by(count);
};

static void put_objects(void *data)
{
	struct job_objects *objects = data;

	for (u32 i = 0; i < objects->count; i++) {
		vgpu_mapping_put(objects->mappings[i]);
		cond_resched();
	}
	kvfree(objects);
}

/* An array of @count handles, at most @max, to be freed with kvfree(); NULL if there are none. */
static u32 *get_handles(u64 ptr, u32 count, u32 max)
{
	const struct vgpu_uarray array = {
		.ptr = ptr,
		.stride = sizeof(u32),
		.count = count,
		.min_size = sizeof(u32),
		.size = sizeof(u32),
	};

	if (count > max)
		return ERR_PTR(-E2BIG);
	if (count && !ptr)
		return ERR_PTR(-EFAULT);
	return vgpu_uarray_get(&array);
}

/* -ENOENT for an unknown handle; -EINVAL for one that is coming or going. */
static int find_mapping(struct drm_file *file, u32 handle, struct vgpu_mapping **mapping)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	if (!obj)
		return -ENOENT;
	*mapping = vpanfrost_mapping_get(file->driver_priv, obj);
	drm_gem_object_put(obj);
	return *mapping ? 0 : -EINVAL;
}

/* An object is there once, however often its handle is named. */
static int add_object(struct drm_file *file, u32 handle, struct job_objects *objects,
		      struct xarray *seen)
{
	struct vgpu_mapping *mapping;
	int ret;

	if (xa_load(seen, handle))
		return 0;
	ret = find_mapping(file, handle, &mapping);
	if (ret)
		return ret;
	objects->count++;
	objects->mappings[objects->count - 1] = mapping;
	return xa_err(xa_store(seen, handle, xa_mk_value(0), GFP_KERNEL_ACCOUNT));
}

static int add_objects(struct drm_file *file, const u32 *handles, u32 count,
		       struct job_objects *objects)
{
	struct xarray seen;
	int ret = 0;

	xa_init(&seen);
	for (u32 i = 0; i < count && !ret; i++) {
		ret = add_object(file, handles[i], objects, &seen);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	xa_destroy(&seen);
	return ret;
}

static struct job_objects *find_objects(struct drm_file *file, const u32 *handles, u32 count)
{
	struct job_objects *objects;
	int ret;

	objects = kvzalloc(struct_size(objects, mappings, count),
			   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!objects)
		return ERR_PTR(-ENOMEM);
	ret = add_objects(file, handles, count, objects);
	if (ret) {
		put_objects(objects);
		return ERR_PTR(ret);
	}
	return objects;
}

static struct job_objects *get_objects(struct drm_file *file,
				       const struct drm_panfrost_submit *args)
{
	u32 *handles = get_handles(args->bo_handles, args->bo_handle_count, MAX_OBJECTS);
	struct job_objects *objects;

	if (IS_ERR(handles))
		return ERR_CAST(handles);
	objects = find_objects(file, handles, args->bo_handle_count);
	kvfree(handles);
	return objects;
}

/* For &vgpu_submit.objs; they live as long as their mappings. NULL if there are none. */
static struct drm_gem_object **gem_objects(const struct job_objects *objects)
{
	struct drm_gem_object **objs;

	if (!objects->count)
		return NULL;
	objs = kvmalloc_array(objects->count, sizeof(*objs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!objs)
		return ERR_PTR(-ENOMEM);
	for (u32 i = 0; i < objects->count; i++)
		objs[i] = &objects->mappings[i]->bo->base.base;
	return objs;
}

/* What the chain waits for and signals, to be freed with kvfree(); of *@count ops. */
static struct vgpu_sync_op *get_syncs(const struct drm_panfrost_submit *args, u32 *count)
{
	u32 *handles = get_handles(args->in_syncs, args->in_sync_count, VGPU_MAX_WAITS);
	struct vgpu_sync_op *ops;

	if (IS_ERR(handles))
		return ERR_CAST(handles);
	ops = kvcalloc((size_t)args->in_sync_count + 1, sizeof(*ops),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ops) {
		kvfree(handles);
		return ERR_PTR(-ENOMEM);
	}
	for (u32 i = 0; i < args->in_sync_count; i++)
		ops[i].handle = handles[i];
	kvfree(handles);
	*count = args->in_sync_count;
	if (args->out_sync)
		ops[(*count)++] = (struct vgpu_sync_op){ .handle = args->out_sync, .signal = true };
	return ops;
}

static int add_job(struct vgpu_submit *submit, const struct drm_panfrost_submit *args,
		   struct job_objects *objects)
{
	const struct vgpu_job_args job = {
		.queue = args->requirements & PANFROST_JD_REQ_FS ?
			 VPANFROST_SLOT_FRAGMENT : VPANFROST_SLOT_OTHER,
		.va = args->jc,
		.size = GS_JM_ALIGN,	/* of the first job: the chain has no size */
		.data = objects,
		.release = put_objects,
	};
	struct vgpu_sync_op *syncs;
	u32 count;

	syncs = get_syncs(args, &count);
	if (IS_ERR(syncs)) {
		put_objects(objects);
		return PTR_ERR(syncs);
	}
	return vgpu_submit_add_job(submit, &job, syncs, count);
}

static int submit_job(struct drm_file *file, struct vgpu_group *ctx,
		      const struct drm_panfrost_submit *args)
{
	struct job_objects *objects = get_objects(file, args);
	struct vgpu_submit submit;
	int ret;

	if (IS_ERR(objects))
		return PTR_ERR(objects);
	ret = vgpu_submit_init(&submit, file, ctx->vm, ctx, 1);
	if (ret) {
		put_objects(objects);
		return ret;
	}
	submit.objs = gem_objects(objects);
	submit.obj_count = objects->count;
	ret = PTR_ERR_OR_ZERO(submit.objs);
	if (ret)
		put_objects(objects);
	else
		ret = add_job(&submit, args, objects);
	if (!ret)
		ret = vgpu_submit_commit(&submit);
	vgpu_submit_fini(&submit);
	if (!IS_ERR(submit.objs))
		kvfree(submit.objs);
	return ret;
}

static int check_out_sync(struct drm_file *file, u32 handle)
{
	struct drm_syncobj *syncobj;

	if (!handle)
		return 0;
	syncobj = drm_syncobj_find(file, handle);
	if (!syncobj)
		return -ENODEV;
	drm_syncobj_put(syncobj);
	return 0;
}

int vpanfrost_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panfrost_submit *args = data;
	struct vgpu_group *ctx;
	int ret;

	if (args->pad || !args->jc || (args->requirements & ~REQUIREMENTS))
		return -EINVAL;
	ret = check_out_sync(file, args->out_sync);
	if (ret)
		return ret;
	ctx = vpanfrost_ctx_lookup(file->driver_priv, args->jm_ctx_handle);
	if (!ctx)
		return -EINVAL;
	ret = submit_job(file, ctx, args);
	vgpu_group_put(ctx);
	return ret;
}
