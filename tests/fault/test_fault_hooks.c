// SPDX-License-Identifier: MIT
/*
 * Cached BOs that leave their file (R14), with failures: panfrost exports, and two
 * virtual devices and vgem import. Where the machine bounces (swiotlb=force), so do
 * vgem's mappings.
 */
#include <linux/dma-buf.h>
#include <unistd.h>
#include <xf86drm.h>

#include "exporter.h"
#include "fault.h"
#include "panfrost_calls.h"

/* Made anew for each point. */
struct context {
	int fd;			/* of panfrost: a DRM file of its own */
	int dmabuf;		/* of @bo, or -1 */
	uint32_t bo;
	uint8_t *map;
	struct peer peers[2];
	struct exported vgem;	/* for its file */
	uint32_t imported;	/* by the first peer */
};

static const char *const peer_drivers[] = { "panthor", "powervr" };

/* ---- Around the calls ---- */

static void with_bo(struct context *c)
{
	struct drm_panfrost_mmap_bo args = { 0 };

	c->bo = pf_new_bo(c->fd, FAULT_SIZE, PANFROST_BO_WB_MMAP | PANFROST_BO_NOEXEC);
	args.handle = c->bo;
	assert_ok(raw_ioctl(c->fd, DRM_IOCTL_PANFROST_MMAP_BO, &args));
	assert_ok(fault_map(c->fd, args.offset, &c->map));
	fault_dirty(c->map);
}

static int call_export(struct context *c)
{
	return fault_export(c->fd, c->bo, &c->dmabuf);
}

static void with_dmabuf(struct context *c)
{
	with_bo(c);
	assert_ok(call_export(c));
}

static void with_peer(struct context *c)
{
	with_dmabuf(c);
	peer_open(&c->peers[0], peer_drivers[0]);
}

static int call_import(struct context *c)
{
	return fault_import(gemsync_device_fd(c->peers[0].dev), c->dmabuf, &c->imported);
}

static void with_import(struct context *c)
{
	with_peer(c);
	assert_ok(call_import(c));
}

static void with_vgem(struct context *c)
{
	with_dmabuf(c);
	assert_ok(exporter_alloc(exporter_find("vgem"), PAGE, &c->vgem));
}

static int call_import_vgem(struct context *c)
{
	uint32_t handle;

	return fault_import(c->vgem.node, c->dmabuf, &handle);
}

/* Two attachments, each with a mapping that is direct. */
static void with_peers(struct context *c)
{
	uint32_t handle;

	with_import(c);
	peer_open(&c->peers[1], peer_drivers[1]);
	assert_ok(fault_import(gemsync_device_fd(c->peers[1].dev), c->dmabuf, &handle));
	fault_dirty(c->map);
}

/* A third one, with a bounce buffer. */
static void with_imports(struct context *c)
{
	with_peers(c);
	assert_ok(exporter_alloc(exporter_find("vgem"), PAGE, &c->vgem));
	assert_ok(call_import_vgem(c));
	fault_dirty(c->map);
}

static int call_begin(struct context *c)
{
	return dmabuf_sync(c->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
}

static int call_end(struct context *c)
{
	return dmabuf_sync(c->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

/* What is not in the bounce buffer, a begin replaces by what is. */
static void with_all_told(struct context *c)
{
	with_imports(c);
	assert_ok(call_end(c));
}

static void with_access(struct context *c)
{
	with_imports(c);
	assert_ok(call_begin(c));
	fault_dirty(c->map);
}

/* What the CPU wrote is there, before and after. */
static void check_written(struct context *c)
{
	assert_int_equal(fault_touch(c->map), 1);
}

/* ---- The dma-buf's own map, and its end ---- */

static void with_dmabuf_unmapped(struct context *c)
{
	with_dmabuf(c);
	assert_ok(fault_unmap(&c->map));
}

static int call_mmap(struct context *c)
{
	return fault_map(c->dmabuf, 0, &c->map);
}

static void with_dmabuf_map(struct context *c)
{
	with_dmabuf_unmapped(c);
	assert_ok(call_mmap(c));
}

/* The fault is tried again until it succeeds. */
static int call_touch(struct context *c)
{
	return fault_touch(c->map) == 1 ? 0 : -EIO;
}

static int call_close_import(struct context *c)
{
	struct drm_gem_close args = { .handle = c->imported };

	return raw_ioctl(gemsync_device_fd(c->peers[0].dev), DRM_IOCTL_GEM_CLOSE, &args);
}

static int call_close_dmabuf(struct context *c)
{
	int dmabuf = c->dmabuf;

	c->dmabuf = -1;
	return close(dmabuf) ? -errno : 0;
}

/* ---- The cases ---- */

/* A device that lets cached BOs out, and vgem. */
static const struct fixture *need_hooks(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, PANFROST_BO_WB_MMAP | PANFROST_BO_NOEXEC);
	int dmabuf, ret = fault_export(f->fd, bo, &dmabuf);

	pf_close_bo(f->fd, bo);
	if (ret)
		skip_because("no exports of cached BOs: run with vpanfrost.policy=hooks");
	assert_ok(close(dmabuf));
	if (exporter_probe(exporter_find("vgem")))
		skip_because("vgem is not there, or not for this user");
	return f;
}

static void begin(struct context *c, const struct fixture *f)
{
	c->dmabuf = -1;
	c->fd = fault_open_file(f);
	assert_true(c->fd >= 0);
}

/* Importers go first, in another order than they came. */
static void end(struct context *c)
{
	size_t i;

	if (c->map)
		assert_ok(fault_unmap(&c->map));
	for (i = 0; i < ARRAY_SIZE(c->peers); i++)
		peer_close(&c->peers[i]);
	if (c->vgem.handle)
		exporter_free(&c->vgem);
	assert_ok(close(c->fd));
	if (c->dmabuf >= 0)
		assert_ok(close(c->dmabuf));
}

static const struct context_ops context_ops = {
	.size = sizeof(struct context),
	.need = need_hooks,
	.begin = begin,
	.end = end,
};

FAULT_CASE(export_cached, .prepare = with_bo, .call = call_export, .check = check_written)
FAULT_CASE(import_cached, .prepare = with_peer, .call = call_import, .check = check_written)
FAULT_CASE(import_vgem, .prepare = with_vgem, .call = call_import_vgem, .check = check_written)
FAULT_CASE(begin_cpu_access, .prepare = with_peers, .call = call_begin,
	   .check = check_written)
FAULT_CASE(begin_with_a_bounce, .prepare = with_all_told, .call = call_begin,
	   .check = check_written)
FAULT_CASE(end_cpu_access, .prepare = with_access, .call = call_end, .check = check_written)
FAULT_CASE(mmap_dmabuf, .prepare = with_dmabuf_unmapped, .call = call_mmap,
	   .check = check_written)
FAULT_CASE(touch_dmabuf, .prepare = with_dmabuf_map, .call = call_touch, .never_fails = 1,
	   .retries = 1)
FAULT_CASE(close_import, .prepare = with_imports, .call = call_close_import,
	   .check = check_written)
FAULT_CASE(close_dmabuf, .prepare = with_imports, .call = call_close_dmabuf,
	   .check = check_written)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(export_cached),
		device_test(import_cached),
		device_test(import_vgem),
		device_test(begin_cpu_access),
		device_test(begin_with_a_bounce),
		device_test(end_cpu_access),
		device_test(mmap_dmabuf),
		device_test(touch_dmabuf),
		device_test(close_import),
		device_test(close_dmabuf),
	};

	return fault_main("hooks", tests);
}
