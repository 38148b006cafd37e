// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "driver.h"
#include "pressure.h"

void driver_begin(struct context *c, const struct fixture *f)
{
	c->f = f;
	c->own = (struct own *)(c + 1);
	c->made_fd = -1;
	c->fd = fault_open_file(f);
	assert_true(c->fd >= 0);
}

void driver_end(struct context *c)
{
	if (c->map)
		assert_ok(fault_unmap(&c->map));
	if (c->fd >= 0)
		assert_ok(close(c->fd));
	if (c->made_fd >= 0)
		assert_ok(close(c->made_fd));
	peer_close(&c->peer);
}

/* ---- Around the calls ---- */

void with_wc_offset(struct context *c)
{
	driver.with_bos(c);
	assert_ok(driver.mmap_offset(c, c->wc, &c->offset));
}

void with_wc_map(struct context *c)
{
	with_wc_offset(c);
	assert_ok(call_mmap(c));
}

void with_wb_offset(struct context *c)
{
	driver.with_bos(c);
	assert_ok(driver.mmap_offset(c, c->wb, &c->offset));
}

void with_wb_map(struct context *c)
{
	with_wb_offset(c);
	assert_ok(call_mmap(c));
}

void with_dirty(struct context *c)
{
	with_wb_map(c);
	fault_dirty(c->map);
}

void with_dirty_unmapped(struct context *c)
{
	with_dirty(c);
	assert_ok(fault_unmap(&c->map));
}

void with_evicted_map(struct context *c)
{
	with_dirty(c);
	assert_true(evict_all(c->f) >= FAULT_PAGES);
}

void open_made(struct context *c, const char *name)
{
	c->made_fd = open_debugfs(c->f, name);
	assert_true(c->made_fd >= 0);
}

void with_evictable(struct context *c)
{
	with_dirty(c);
	open_made(c, "evict");
}

void with_dmabuf(struct context *c)
{
	driver.with_bos(c);
	assert_ok(call_export(c));
}

void with_peer(struct context *c)
{
	peer_open(&c->peer, driver.peer);
	peer_share(&c->peer);
}

void with_import(struct context *c)
{
	with_peer(c);
	assert_ok(call_import(c));
}

/* ---- The calls ---- */

int call_open(struct context *c)
{
	int fd = fault_open_file(c->f);

	if (fd < 0)
		return fd;
	c->made_fd = fd;
	return 0;
}

int call_close(struct context *c)
{
	int fd = c->fd;

	c->fd = -1;
	return close(fd) ? -errno : 0;
}

int call_mmap(struct context *c)
{
	return fault_map(c->fd, c->offset, &c->map);
}

int call_mmap_dmabuf(struct context *c)
{
	return fault_map(c->made_fd, 0, &c->map);
}

int call_munmap(struct context *c)
{
	return fault_unmap(&c->map);
}

/* The fault is tried again until it succeeds. */
int call_touch(struct context *c)
{
	return fault_touch(c->map) ? -EIO : 0;
}

int call_touch_evicted(struct context *c)
{
	return fault_touch(c->map) == 1 ? 0 : -EIO;
}

/* Nothing that they need can be refused to eviction and purge. */
int call_write_all(struct context *c)
{
	return fault_write_all(c->made_fd);
}

static int close_handle(struct context *c, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return raw_ioctl(c->fd, DRM_IOCTL_GEM_CLOSE, &args);
}

/* The last reference: the pages go. */
int call_close_wb(struct context *c)
{
	return close_handle(c, c->wb);
}

int call_close_made(struct context *c)
{
	return close_handle(c, c->made);
}

int call_export(struct context *c)
{
	return fault_export(c->fd, c->wc, &c->made_fd);
}

int call_import(struct context *c)
{
	return fault_import(c->fd, c->peer.dmabuf, &c->made);
}

int call_import_own(struct context *c)
{
	return fault_import(c->fd, c->made_fd, &c->made);
}

void check_touched(struct context *c)
{
	assert_int_equal(fault_touch(c->map), 1);
}
