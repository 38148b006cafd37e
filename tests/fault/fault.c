// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "fault.h"
#include "inject.h"
#include "pressure.h"

/* More than any call has: the test ends if injection does not. */
#define POINTS_MAX	5000

struct run {
	const struct context_ops *ops;
	const struct fault_case *fc;
	const struct fixture *f;
	struct context *c;
	int next_fd;	/* what the call would get */
};

/* ---- One point ---- */

static int next_fd(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void begin(struct run *r)
{
	memset(r->c, 0, r->ops->size);
	r->ops->begin(r->c, r->f);
	if (r->fc->prepare)
		r->fc->prepare(r->c);
	r->next_fd = next_fd();
}

static void check_result(const struct fault_case *fc, int ret, unsigned int n)
{
	if (!ret)
		return;
	if (!fc->never_fails && (ret == -ENOMEM || ret == -EFAULT || ret == fc->other_error))
		return;
	print_error("with failure %u the call returns %d (%s)\n", n, ret, strerror(-ret));
	fail();
}

/* Whatever a failure left behind, the call works now. */
static int call_again(const struct run *r, unsigned int n)
{
	int ret = r->fc->call(r->c);

	if (ret)
		print_error("after failure %u the call returns %d (%s)\n", n, ret,
			    strerror(-ret));
	return ret;
}

/*
 * The result could not be copied out, but the work may have been done. A descriptor is
 * there then, which the DRM core cannot take back.
 */
static void drop_untold(const struct run *r)
{
	if (fcntl(r->next_fd, F_GETFD) >= 0)
		assert_ok(close(r->next_fd));
}

/* What holds after every call with injection. */
static void check_after(const struct run *r, int ret, unsigned int n)
{
	check_result(r->fc, ret, n);
	if (ret == -EFAULT)
		drop_untold(r);
	else if (ret)
		assert_ok(call_again(r, n));
	if (ret != -EFAULT && r->fc->check)
		r->fc->check(r->c);
	r->ops->end(r->c);
}

/* Returns whether there is an n-th point at which the call can fail. */
static int inject(struct run *r, unsigned int n)
{
	int ret, fired;

	begin(r);
	inject_arm(n);
	ret = r->fc->call(r->c);
	fired = inject_disarm();
	check_after(r, ret, n);
	return fired;
}

/* Where one failure is made up for by trying again. */
static void inject_all(struct run *r)
{
	int ret;

	begin(r);
	inject_all_failures("1");
	ret = r->fc->call(r->c);
	inject_all_failures("0");
	check_after(r, ret, 0);
}

/* ---- All points ---- */

static void run_points(struct run *r)
{
	struct totals before;
	unsigned int n;

	/* Cases evict all that there is: not what the fixture has. */
	evict_all(r->f);
	before = totals_now();
	/* What is made at the first use of a thing, and stays, is no point of failure. */
	begin(r);
	assert_ok(r->fc->call(r->c));
	r->ops->end(r->c);
	totals_settle(&before, 0);
	for (n = 1; !r->fc->all_only && inject(r, n); n++) {
		assert_in_range(n, 1, POINTS_MAX);
		totals_settle(&before, n);
	}
	totals_settle(&before, n);
	if (!r->fc->retries) {
		inject_all(r);
		totals_settle(&before, 0);
	}
	print_message("# %u points of failure\n", n - 1);
}

void fault_run(void **state, const struct context_ops *ops, const struct fault_case *fc)
{
	struct run r = { .ops = ops, .fc = fc, .f = ops->need(state) };

	if (!inject_available())
		skip_because("the kernel has no fault injection: run tests/check-sanitize");
	r.c = malloc(ops->size);
	assert_non_null(r.c);
	run_points(&r);
	free(r.c);
}

void fault_open(void)
{
	cmocka_set_test_filter(getenv("GEMSYNC_FAULT_CASE"));
	inject_open();
}

struct fixture *fault_need(void **state, const char *driver)
{
	struct fixture *f = need_file(state);

	if (strcmp(f->info.driver, driver))
		skip_because("the driver is %s: run on a %s device", f->info.driver, driver);
	return f;
}

/* ---- Calls of all drivers ---- */

int fault_open_file(const struct fixture *f)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int fault_map(int fd, uint64_t offset, uint8_t **out)
{
	void *map = mmap(NULL, FAULT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (map == MAP_FAILED)
		return -errno;
	*out = map;
	return 0;
}

int fault_unmap(uint8_t **map)
{
	if (munmap(*map, FAULT_SIZE))
		return -errno;
	*map = NULL;
	return 0;
}

void fault_dirty(uint8_t *map)
{
	unsigned int i;

	for (i = 0; i < FAULT_PAGES; i++)
		((volatile uint8_t *)map)[i * 4096] = 1;
}

int fault_touch(const uint8_t *map)
{
	return ((const volatile uint8_t *)map)[4096];
}

int fault_export(int fd, uint32_t handle, int *dmabuf)
{
	return drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, dmabuf) ? -errno : 0;
}

int fault_import(int fd, int dmabuf, uint32_t *handle)
{
	return drmPrimeFDToHandle(fd, dmabuf, handle) ? -errno : 0;
}

int fault_write_all(int fd)
{
	return write(fd, "all", 3) == 3 ? 0 : -errno;
}

/* ---- The other device ---- */

void peer_open(struct peer *peer, const char *driver)
{
	assert_ok(gemsync_device_open(driver, &peer->dev));
	peer->bo = NULL;
	peer->dmabuf = -1;
}

void peer_share(struct peer *peer)
{
	assert_ok(gemsync_bo_create(peer->dev, FAULT_SIZE, GEMSYNC_BO_SHAREABLE, &peer->bo));
	assert_ok(gemsync_bo_export(peer->bo, &peer->dmabuf));
}

void peer_close(struct peer *peer)
{
	if (!peer->dev)
		return;
	if (peer->dmabuf >= 0)
		assert_ok(close(peer->dmabuf));
	gemsync_bo_destroy(peer->bo);
	gemsync_device_close(peer->dev);
	peer->dev = NULL;
}
