// SPDX-License-Identifier: GPL-2.0-only
/* Contexts of the job manager: a queue for each job slot. */
#include <drm/drm_file.h>

#include "vpanfrost.h"

#define MAX_CTXS_PER_FILE	64
#define DEFAULT_CTX		0

struct vgpu_group *vpanfrost_ctx_lookup(struct vpanfrost_file *vfile, u32 handle)
{
	return vgpu_group_lookup(&vfile->ctxs, handle);
}

void vpanfrost_file_kill_ctxs(struct vpanfrost_file *vfile)
{
	struct vgpu_group *ctx;
	unsigned long handle;

	xa_for_each(&vfile->ctxs, handle, ctx)
		vgpu_group_kill(ctx);
}

void vpanfrost_file_put_ctxs(struct vpanfrost_file *vfile)
{
	struct vgpu_group *ctx;
	unsigned long handle;

	xa_for_each(&vfile->ctxs, handle, ctx) {
		xa_erase(&vfile->ctxs, handle);
		vgpu_group_put(ctx);
	}
}

int vpanfrost_check_priority(struct drm_file *file, u32 priority)
{
	return vgpu_check_priority(file, priority, PANFROST_JM_CTX_PRIORITY_MEDIUM,
				   PANFROST_JM_CTX_PRIORITY_HIGH);
}

/* The priorities are those of vgpu. */
static_assert(PANFROST_JM_CTX_PRIORITY_HIGH < VGPU_PRIORITIES);

static int create_ctx(struct vpanfrost_file *vfile, u32 priority, u32 *handle)
{
	struct vgpu_group *ctx;
	int ret;

	ctx = vgpu_group_create(vfile->client, vfile->vm, priority, VPANFROST_SLOTS);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = xa_alloc(&vfile->ctxs, handle, ctx, XA_LIMIT(0, MAX_CTXS_PER_FILE - 1),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		vgpu_group_put(ctx);
	return ret;
}

int vpanfrost_ctx_create_default(struct vpanfrost_file *vfile)
{
	u32 handle;

	/* The first one is DEFAULT_CTX. */
	return create_ctx(vfile, PANFROST_JM_CTX_PRIORITY_MEDIUM, &handle);
}

int vpanfrost_ioctl_jm_ctx_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_panfrost_jm_ctx_create *args = data;
	int ret;

	ret = vpanfrost_check_priority(file, args->priority);
	if (ret)
		return ret;
	return create_ctx(file->driver_priv, args->priority, &args->handle);
}

int vpanfrost_ioctl_jm_ctx_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_panfrost_jm_ctx_destroy *args = data;
	struct vpanfrost_file *vfile = file->driver_priv;
	struct vgpu_group *ctx;

	if (args->pad || args->handle == DEFAULT_CTX)
		return -EINVAL;
	ctx = xa_erase(&vfile->ctxs, args->handle);
	if (!ctx)
		return -EINVAL;
	vgpu_group_kill(ctx);
	vgpu_group_put(ctx);
	return 0;
}
