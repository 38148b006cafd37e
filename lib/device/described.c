// SPDX-License-Identifier: MIT
/* Back end for drivers that others describe (gemsync/driver.h). */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../internal.h"

#define STACK_BYTES	1024	/* ops of batches up to this size allocate nothing */

/* A driver that was added; it stays for good. */
struct described {
	struct drm_ops ops;	/* the first member */
	const struct gemsync_driver *driver;
	struct described *next;
};

static struct described *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct gemsync_driver *driver_of(const struct gemsync_device *dev)
{
	return ((const struct described *)dev->ops)->driver;
}

/* ---- The calls ---- */

static int described_probe(const struct gemsync_device *dev)
{
	const struct gemsync_driver *driver = driver_of(dev);

	if (dev->info.version_major != driver->version_major ||
	    dev->info.version_minor < driver->version_minor)
		return -EOPNOTSUPP;
	return 0;
}

static int described_query(struct gemsync_device *dev, struct gemsync_device_info *info)
{
	return driver_of(dev)->query(dev->fd, &info->coherent);
}

static int described_vm_create(struct gemsync_device *dev, uint32_t *vm)
{
	return driver_of(dev)->vm_create(dev->fd, vm);
}

static void described_vm_destroy(struct gemsync_device *dev, uint32_t vm)
{
	driver_of(dev)->vm_destroy(dev->fd, vm);
}

static int described_bo_create(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			       uint32_t *handle)
{
	uint32_t vm = flags & GEMSYNC_BO_SHAREABLE ? 0 : dev->vm;
	uint32_t created;
	int ret;

	ret = driver_of(dev)->bo_create(dev->fd, vm, flags, size, &created);
	if (ret)
		return ret;
	/* What its policy is, a driver may say at the export only (R13). */
	if (flags & GEMSYNC_BO_CACHED && flags & GEMSYNC_BO_SHAREABLE)
		ret = gemsync_drm_bo_check_export(dev, created);
	if (ret)
		gemsync_drm_bo_destroy(dev, created);
	else
		*handle = created;
	return ret;
}

static int described_bo_map(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	uint64_t offset;
	int ret;

	ret = driver_of(dev)->bo_map_offset(dev->fd, bo->handle, &offset);
	if (ret)
		return ret;
	return gemsync_drm_bo_map_at(dev, bo, offset, out);
}

static int described_bo_query(struct gemsync_device *dev, uint32_t handle,
			      struct gemsync_bo_info *info)
{
	return driver_of(dev)->bo_query(dev->fd, handle, &info->flags, &info->imported);
}

static int described_bo_set_label(struct gemsync_device *dev, uint32_t handle, const char *label)
{
	return driver_of(dev)->bo_set_label(dev->fd, handle, label);
}

/* Fills @to with the operations that have something to do; returns how many. */
static uint32_t encode_ops(const struct gemsync_sync_abi *abi, char *to,
			   const struct gemsync_op *ops, size_t count)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (op_is_idle(&ops[i]))
			continue;
		abi->encode(to + (size_t)n * abi->op_size, ops[i].bo->handle,
			    ops[i].type == GEMSYNC_FLUSH ? 0 : 1, ops[i].offset, op_size(&ops[i]));
		n++;
	}
	return n;
}

static bool fit(const struct gemsync_sync_abi *abi, const struct gemsync_op *ops, size_t count)
{
	size_t i;

	for (i = 0; i < count && !abi->wide; i++)
		if (!op_is_idle(&ops[i]) &&
		    (ops[i].offset > UINT32_MAX || op_size(&ops[i]) > UINT32_MAX))
			return false;
	return true;
}

/* One call for the whole batch: two calls would not be all or nothing (R7). */
static int described_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	const struct gemsync_sync_abi *abi = driver_of(dev)->sync_abi;
	_Alignas(uint64_t) char args[GEMSYNC_SYNC_ARGS] = { 0 };
	_Alignas(uint64_t) char on_stack[STACK_BYTES] = { 0 };
	char *raw = on_stack;
	int ret;

	if (!fit(abi, ops, count))
		return -EINVAL;
	if (count > STACK_BYTES / abi->op_size) {
		raw = calloc(count, abi->op_size);
		if (!raw)
			return -ENOMEM;
	}
	abi->encode_args(args, raw, encode_ops(abi, raw, ops, count), abi->op_size, 0);
	ret = gemsync_drm_ioctl(dev, abi->request, args);
	if (raw != on_stack)
		free(raw);
	return ret;
}

/* ---- Descriptions ---- */

static bool sync_abi_is_whole(const struct gemsync_sync_abi *abi)
{
	return abi->op_size && abi->encode && abi->encode_args &&
	       abi->args_size <= GEMSYNC_SYNC_ARGS;
}

static bool gpu_is_whole(const struct gemsync_driver_gpu *gpu)
{
	return gpu->open && gpu->close && gpu->copy && (gpu->address || gpu->bind) &&
	       !gpu->spin_begin == !gpu->spin_end && !gpu->spin_begin == !gpu->spin_running;
}

static bool is_whole(const struct gemsync_driver *driver)
{
	if (driver->size != sizeof(*driver) || !driver->name)
		return false;
	return driver->query && driver->bo_create && driver->bo_map_offset &&
	       !driver->vm_create == !driver->vm_destroy &&
	       (!driver->sync_abi || sync_abi_is_whole(driver->sync_abi)) &&
	       (!driver->gpu || gpu_is_whole(driver->gpu));
}

static struct described *describe(const struct gemsync_driver *driver)
{
	struct described *described = calloc(1, sizeof(*described));

	if (!described)
		return NULL;
	described->driver = driver;
	described->ops = (struct drm_ops){
		.base = {
			.driver = driver->name,
			.close = gemsync_drm_close,
			.bo_create = described_bo_create,
			.bo_destroy = gemsync_drm_bo_destroy,
			.bo_map = described_bo_map,
			.bo_unmap = gemsync_drm_bo_unmap,
			.bo_query = driver->bo_query ? described_bo_query : NULL,
			.bo_set_label = driver->bo_set_label ? described_bo_set_label : NULL,
			.bo_export = gemsync_drm_bo_export,
			.bo_import = gemsync_drm_bo_import,
			.sync = driver->sync_abi ? described_sync : NULL,
		},
		.probe = described_probe,
		.query = described_query,
		.vm_create = driver->vm_create ? described_vm_create : NULL,
		.vm_destroy = driver->vm_destroy ? described_vm_destroy : NULL,
	};
	if (driver->sync_abi && !driver->sync_abi->wide)
		described->ops.base.limits = (struct gemsync_batch_limits){
			.offset_max = UINT32_MAX,
			.size_max = UINT32_MAX,
		};
	return described;
}

const struct drm_ops *gemsync_described_find(const char *name)
{
	struct described *described;

	pthread_mutex_lock(&lock);
	for (described = all; described; described = described->next)
		if (!strcmp(described->driver->name, name))
			break;
	pthread_mutex_unlock(&lock);
	return described ? &described->ops : NULL;
}

int gemsync_driver_add(const struct gemsync_driver *driver)
{
	struct described *described, *other;
	int ret = 0;

	if (!is_whole(driver))
		return -EINVAL;
	if (gemsync_drm_knows(driver->name))
		return -EEXIST;
	described = describe(driver);
	if (!described)
		return -ENOMEM;
	pthread_mutex_lock(&lock);
	for (other = all; other; other = other->next)
		if (!strcmp(other->driver->name, driver->name))
			ret = -EEXIST;
	if (!ret) {
		described->next = all;
		all = described;
	}
	pthread_mutex_unlock(&lock);
	if (ret)
		free(described);
	return ret;
}

const struct gemsync_driver *gemsync_device_driver(const struct gemsync_device *dev)
{
	return dev->ops->close == gemsync_drm_close && !gemsync_drm_knows(dev->info.driver) ?
	       driver_of(dev) : NULL;
}
