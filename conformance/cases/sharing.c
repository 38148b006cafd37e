// SPDX-License-Identifier: MIT
/* What leaves its file, and how; what comes in from others (R11, R13, R14, R20). */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "machine.h"
#include "raw_sync.h"
#include "share.h"

#define SIZE	(64 * KIB)

/* ---- R13: cached or shareable ---- */

CASE(r13_cached_or_shareable, "R13", NEED_INCOHERENT | NEED_PRIVATE | NEED_STRICT,
     "a BO is cached or shareable: both at once is refused at creation, each alone is not")
{
	const uint32_t both = GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE;
	struct gemsync_bo *bo;

	EXPECT_EQ(gemsync_bo_create(cf->dev, PAGE, both, &bo), -EINVAL);
	EXPECT_EQ(gemsync_bo_create(cf->dev, PAGE, both | GEMSYNC_BO_NO_MMAP, &bo), -EINVAL);
	new_buffer(cf, PAGE, GEMSYNC_BO_CACHED);
	new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
}

CASE(r13_coherent_cached_is_shareable, "R13 R12", NEED_COHERENT | NEED_CACHED | NO_SYNC,
     "on a coherent device a cached BO may be shareable")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE);
	int dmabuf;

	if (cf->fd < 0)
		return;
	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	close(dmabuf);
}

CASE(r13_private_is_not_exported, "R13", NEED_PRIVATE,
     "private BOs, cached or not, are not exported; a shareable one is")
{
	/* Where there is nobody to share with, the policy comes first. */
	int allowed = cf->fd < 0 ? -EOPNOTSUPP : 0;
	int dmabuf;

	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, 0)->bo, &dmabuf), -EINVAL);
	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, GEMSYNC_BO_CACHED)->bo, &dmabuf),
		  -EINVAL);
	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE)->bo, &dmabuf),
		  allowed);
}

CASE(r13_shared_needs_no_sync, "R13 R14", NEED_FILE | NEED_LAZY,
     "shared BOs are in no cache: both sides see all at once, and begin and end maintain no line")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	struct buffer *cached = new_buffer(cf, SIZE, GEMSYNC_BO_CACHED);
	struct gemsync_counters before;
	volatile uint32_t *map;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	map = map_fd(dmabuf, 0, SIZE);
	before = lines_now(cf);
	cpu_put(buf, 64, NEW);
	EXPECT_GPU(cf, buf, 64, NEW);
	gpu_put(cf, buf, 64, OLD);
	EXPECT_EQ(map[16], OLD);
	EXPECT_CPU(cf, buf, 64, OLD);
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_OK(dmabuf_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_LINES(cf, &before, 0, 0);
	/* Its cached twin is stale. */
	cpu_put(cached, 64, NEW);
	EXPECT_GPU(cf, cached, 64, 0);
}

/* ---- R13: the way out by a name ---- */

static uint32_t name_of_new(struct gemsync_device *dev, uint32_t flags)
{
	struct drm_gem_flink flink = { 0 };
	struct gemsync_bo *bo;

	EXPECT_OK(gemsync_bo_create(dev, PAGE, flags, &bo));
	flink.handle = gemsync_bo_handle(bo);
	EXPECT_OK(raw_ioctl(gemsync_device_fd(dev), DRM_IOCTL_GEM_FLINK, &flink));
	return flink.name;
}

static int open_name(struct gemsync_device *dev, uint32_t name)
{
	struct drm_gem_open args = { .name = name };

	return raw_ioctl(gemsync_device_fd(dev), DRM_IOCTL_GEM_OPEN, &args);
}

CASE(r13_flink_is_a_way_out, "R13 R20", NEED_FILE | NEED_ROOT | NEED_PRIVATE,
     "private BOs, cached or not, are not opened by name on another file; a shareable one is")
{
	struct gemsync_device *first = primary_node(cf), *second = primary_node(cf);
	uint32_t name;

	EXPECT_OK(open_name(second, name_of_new(first, GEMSYNC_BO_SHAREABLE)));
	name = name_of_new(first, 0);
	EXPECT_EQ(open_name(second, name), -EPERM);
	EXPECT_OK(open_name(first, name));
	name = name_of_new(first, GEMSYNC_BO_CACHED);
	EXPECT_EQ(open_name(second, name), -EPERM);
	EXPECT_OK(open_name(first, name));
}

CASE(r14_cached_one_by_name, "R14 R13", NEED_HOOKS | NEED_ROOT,
     "under policy hooks a cached BO is opened by name on another file; a private one is not")
{
	struct gemsync_device *first = primary_node(cf), *second = primary_node(cf);

	EXPECT_OK(open_name(second, name_of_new(first, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE)));
	if (gemsync_device_vm(first))
		EXPECT_EQ(open_name(second, name_of_new(first, GEMSYNC_BO_CACHED)), -EPERM);
}

/* Where no BO is private the way out is closed, not the creation. */
CASE(r13_cached_does_not_leave, "R13",
     NEED_FILE | NEED_INCOHERENT | NEED_STRICT | NEED_PUBLIC | NEED_CACHED | NO_SYNC,
     "where no BO is private a cached one is made, and not exported; a write-combined one is")
{
	const uint32_t both = GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE;
	struct gemsync_bo *bo;
	int dmabuf;

	EXPECT_EQ(gemsync_bo_export(new_buffer(cf, PAGE, GEMSYNC_BO_CACHED)->bo, &dmabuf), -EPERM);
	/* The library says so at once. */
	EXPECT_EQ(gemsync_bo_create(cf->dev, PAGE, both, &bo), -EINVAL);
	EXPECT_EQ(gemsync_bo_create(cf->dev, PAGE, both | GEMSYNC_BO_NO_MMAP, &bo), -EINVAL);
	EXPECT_OK(gemsync_bo_export(new_buffer(cf, PAGE, 0)->bo, &dmabuf));
	close(dmabuf);
	EXPECT_OK(gemsync_bo_export(new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE)->bo, &dmabuf));
	close(dmabuf);
}

CASE(r13_cached_is_not_opened_by_name, "R13 R20",
     NEED_FILE | NEED_ROOT | NEED_INCOHERENT | NEED_STRICT | NEED_PUBLIC | NEED_CACHED | NO_SYNC,
     "where no BO is private a cached one is not opened by name on another file, but on its own")
{
	struct gemsync_device *first = primary_node(cf), *second = primary_node(cf);
	uint32_t name;

	EXPECT_OK(open_name(second, name_of_new(first, 0)));
	name = name_of_new(first, GEMSYNC_BO_CACHED);
	EXPECT_EQ(open_name(second, name), -EPERM);
	EXPECT_OK(open_name(first, name));
}

/* ---- R11: what comes home, and what is another's ---- */

CASE(r11_own_export_comes_home, "R11 R23", NEED_OFFSETS,
     "a BO that is exported and imported again is what it was: its handle, map and sync")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	struct gemsync_bo_info info;
	uint32_t handle;
	uint64_t offset;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_OK(drmPrimeFDToHandle(cf->fd, dmabuf, &handle));
	EXPECT_EQ(handle, gemsync_bo_handle(buf->bo));
	EXPECT_OK(gemsync_bo_query(buf->bo, &info));
	EXPECT_EQ(info.imported, false);
	EXPECT_EQ(info.flags, 0);
	EXPECT_OK(flush(cf, buf, 0, 64));
	EXPECT_OK(gpu_map_offset(cf->dev, buf->bo, &offset));
	EXPECT_OK(try_map(cf->fd, offset, PAGE));
}

/* How a handle is closed, the library keeps; whether it is, the driver says. */
static bool handle_is_known(struct cf *cf, uint32_t handle)
{
	int dmabuf, ret = drmPrimeHandleToFD(cf->fd, handle, DRM_CLOEXEC, &dmabuf);

	if (!ret)
		close(dmabuf);
	return !ret || errno != ENOENT;
}

CASE(r11_imports_are_counted, "R11 R20", NEED_FILE,
     "a BO that is imported again lives until it was destroyed as often as it was made or imported")
{
	struct gemsync_bo *first, *again;
	uint32_t handle;
	int dmabuf;

	EXPECT_OK(gemsync_bo_create(cf->dev, PAGE, GEMSYNC_BO_SHAREABLE, &first));
	handle = gemsync_bo_handle(first);
	EXPECT_OK(gemsync_bo_export(first, &dmabuf));
	EXPECT_OK(gemsync_device_import(cf->dev, dmabuf, &again));
	EXPECT(again == first);
	gemsync_bo_destroy(first);
	EXPECT(handle_is_known(cf, handle));
	EXPECT_OK(gemsync_bo_flush(again, 0, 4));
	EXPECT_OK(gemsync_device_import(cf->dev, dmabuf, &first));
	EXPECT(again == first);
	gemsync_bo_destroy(again);
	EXPECT(handle_is_known(cf, handle));
	gemsync_bo_destroy(first);
	EXPECT(!handle_is_known(cf, handle));
	close(dmabuf);
}

/* What the library would say itself never gets to the driver: its own call does. */
static int sync_one(struct cf *cf, const struct buffer *buf, uint32_t type, uint64_t size)
{
	const struct raw_op op = {
		.handle = gemsync_bo_handle(buf->bo), .type = type, .size = size,
	};

	return raw_sync(cf, &op, 1);
}

CASE(r11_import_is_not_synced, "R11", NEED_SYNC_ABI,
     "imported BOs are their exporter's to sync: -EINVAL, also for write-combined memory and 0 bytes")
{
	static const char *const makers[] = { "heap", "vgem" };
	struct buffer *native = new_buffer(cf, SIZE, 0), *imported;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		imported = import_buffer(cf, new_foreign(makers[i], SIZE)->dmabuf);
		EXPECT_EQ(sync_one(cf, imported, FLUSH, 64), -EINVAL);
		EXPECT_EQ(sync_one(cf, imported, BOTH, 64), -EINVAL);
		EXPECT_EQ(sync_one(cf, imported, FLUSH, 0), -EINVAL);
		EXPECT_EQ(flush(cf, imported, 0, 64), -EINVAL);
		EXPECT_EQ(invalidate(cf, imported, 0, 0), -EINVAL);
	}
	EXPECT_OK(sync_one(cf, native, FLUSH, 64));
	EXPECT_OK(sync_one(cf, native, BOTH, 0));
}

/* ---- Memory of other makers ---- */

static void share_with(struct cf *cf, const char *maker)
{
	struct exported *made = new_foreign(maker, SIZE);
	struct buffer *imported = import_buffer(cf, made->dmabuf);

	if (made->map)
		expect_shared(cf, made, made->map, imported);
	expect_shared(cf, made, map_fd(made->dmabuf, 0, SIZE), imported);
}

CASE(r11_shares_with_heap, "R11 R22", NEED_FILE,
     "CPU and GPU share memory of the system dma-heap, in both directions")
{
	share_with(cf, "heap");
}

CASE(r11_shares_with_udmabuf, "R11 R22", NEED_FILE,
     "CPU and GPU share memory of udmabuf, in both directions")
{
	share_with(cf, "udmabuf");
}

CASE(r11_shares_with_vgem, "R11 R22", NEED_FILE,
     "CPU and GPU share memory of vgem, in both directions")
{
	share_with(cf, "vgem");
}

CASE(r13_vgem_gets_the_same_bytes, "R13 R17", NEED_FILE | NO_SYNC,
     "a driver that imports a shareable BO before anyone mapped it gets the bytes that CPU and GPU share")
{
	struct exported *vgem = new_foreign("vgem", PAGE);
	struct exported made = { .size = SIZE };
	struct gemsync_bo *bo;
	struct buffer *buf;
	uint32_t handle;
	void *map;

	EXPECT_OK(gemsync_bo_create(cf->dev, SIZE, GEMSYNC_BO_SHAREABLE, &bo));
	EXPECT_OK(gemsync_bo_export(bo, &made.dmabuf));
	EXPECT_OK(drmPrimeFDToHandle(vgem->node, made.dmabuf, &handle));
	EXPECT_OK(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	map = map_fd(made.dmabuf, 0, SIZE);
	EXPECT_EQ(count_nonzero(map, SIZE), 0);
	EXPECT_OK(dmabuf_sync(made.dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	buf = import_buffer(cf, made.dmabuf);
	expect_shared(cf, &made, map, buf);
	EXPECT_OK(drmCloseBufferHandle(vgem->node, handle));
	gemsync_bo_destroy(bo);
}

/* ---- Other files, other processes ---- */

CASE(r13_another_file_by_dmabuf, "R13", NEED_FILE,
     "another file gets a shareable BO by its dma-buf: its map and GPU see the same bytes")
{
	struct gemsync_device *other = other_file(cf);
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	struct gemsync_bo *bo;
	void *ptr;
	volatile uint32_t *map;
	int dmabuf;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_OK(gemsync_device_import(other, dmabuf, &bo));
	EXPECT_OK(gemsync_bo_map(bo, &ptr));
	map = ptr;
	map[3] = NEW;
	EXPECT_GPU(cf, buf, 12, NEW);
	gpu_put(cf, buf, 16, OLD);
	EXPECT_EQ(map[4], OLD);
	gemsync_bo_destroy(bo);
}

/* The other process: it imports, its GPU reads a word and writes the next. 0 if all is well. */
static int other_process(const char *name, int sock)
{
	struct gemsync_device *dev;
	struct gemsync_bo *bo;
	struct gemsync_gpu *gpu;
	uint32_t value;
	uint64_t va;
	int dmabuf = receive_fd(sock);

	if (dmabuf < 0)
		return 1;
	if (gemsync_device_open(name, &dev) || gpu_open(dev, &gpu))
		return 2;
	if (gemsync_device_import(dev, dmabuf, &bo) || gpu_bind(gpu, bo, &va))
		return 3;
	if (gpu_read32(gpu, va, &value) || value != NEW)
		return 4;
	if (gpu_write32(gpu, va + 4, OLD))
		return 5;
	gpu_close(gpu);
	gemsync_bo_destroy(bo);
	gemsync_device_close(dev);
	return 0;
}

CASE(r13_another_process, "R13", NEED_FILE,
     "a process that gets a dma-buf over a socket shares its bytes, by a file and GPU of its own")
{
	struct buffer *buf = new_buffer(cf, SIZE, GEMSYNC_BO_SHAREABLE);
	int socks[2], dmabuf, status = -1;
	pid_t pid;

	EXPECT_OK(gemsync_bo_export(buf->bo, &dmabuf));
	EXPECT_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks));
	cpu_put(buf, 0, NEW);
	pid = fork();
	EXPECT(pid >= 0);
	if (!pid)
		_exit(other_process(cf->name, socks[1]));
	send_fd(socks[0], dmabuf);
	close(dmabuf);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_CPU(cf, buf, 4, OLD);
}

/* ---- R20 ---- */

CASE(r20_calls_with_a_foreign_handle, "R20", NEED_FILE | NO_SYNC,
     "each call of the driver that takes a handle refuses one of another file as it does one of no BO")
{
	struct gemsync_device *other = other_file(cf);
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_SHAREABLE);
	uint32_t handle = gemsync_bo_handle(buf->bo);
	const struct gpu_handle_call *call;
	char what[64];
	unsigned int i;

	for (i = 0; (call = gpu_handle_call(cf->dev, i)); i++) {
		snprintf(what, sizeof(what), "%s of another file's BO", call->name);
		expect_int(what, call->call(other, handle), "refused", call->missing, __FILE__,
			   __LINE__);
		snprintf(what, sizeof(what), "%s of no BO", call->name);
		expect_int(what, call->call(cf->dev, NO_HANDLE), "refused", call->missing, __FILE__,
			   __LINE__);
		snprintf(what, sizeof(what), "%s of an own BO", call->name);
		expect_int(what, call->call(cf->dev, handle), "0", 0, __FILE__, __LINE__);
	}
	EXPECT(i > 0);
}

CASE(r20_offset_on_another_file, "R20", NEED_OFFSETS | NO_SYNC,
     "the offset at which a file maps a BO maps nothing on another file that has no handle to it")
{
	struct gemsync_device *other = other_file(cf);
	struct buffer *buf = new_buffer(cf, PAGE, 0);
	uint64_t offset;

	EXPECT_OK(gpu_map_offset(cf->dev, buf->bo, &offset));
	EXPECT_EQ(try_map(gemsync_device_fd(other), offset, PAGE), -EACCES);
	EXPECT_OK(try_map(cf->fd, offset, PAGE));
}

CASE(r20_other_devices_bo, "R20 R7", NEED_SYNC,
     "a batch with a BO of another open of the device is refused, and nothing of it is done")
{
	struct buffer *buf = new_buffer(cf, PAGE, GEMSYNC_BO_CACHED);
	struct gemsync_device *other;
	struct gemsync_bo *foreign;
	struct gemsync_op ops[2] = {
		{ .bo = buf->bo, .type = GEMSYNC_FLUSH, .size = 64 },
		{ .type = GEMSYNC_FLUSH, .size = 64 },
	};

	other = other_file(cf);
	EXPECT_OK(gemsync_bo_create(other, PAGE, GEMSYNC_BO_CACHED, &foreign));
	cpu_put(buf, 0, NEW);
	ops[1].bo = foreign;
	EXPECT_EQ(gemsync_device_sync(cf->dev, ops, 2), -EINVAL);
	if (shows_lines(cf))
		EXPECT_GPU(cf, buf, 0, 0);
	/* The twins: each on its own device. */
	EXPECT_OK(gemsync_device_sync(other, &ops[1], 1));
	EXPECT_OK(gemsync_device_sync(cf->dev, ops, 1));
	EXPECT_GPU(cf, buf, 0, NEW);
	gemsync_bo_destroy(foreign);
}

CASE(r20_same_file_twice, "R20 R13", NEED_FILE | NO_SYNC,
     "a descriptor that was duplicated is the same file: its handles and private BOs are valid on both")
{
	struct gemsync_device *dev;
	const struct gpu_handle_call *call = gpu_handle_call(cf->dev, 0);
	struct gemsync_bo *bo;

	EXPECT(call);
	EXPECT_OK(gemsync_device_open_fd(cf->fd, &dev));
	EXPECT_OK(gemsync_bo_create(dev, PAGE, GEMSYNC_BO_SHAREABLE, &bo));
	EXPECT_OK(call->call(cf->dev, gemsync_bo_handle(bo)));
	EXPECT_EQ(call->call(other_file(cf), gemsync_bo_handle(bo)), call->missing);
	gemsync_bo_destroy(bo);
	gemsync_device_close(dev);
}

/* It holds references of the BO while it runs, and none behind it. */
CASE(r20_two_handles_of_one_bo, "R20 R7", NEED_SYNC_ABI | NEED_ROOT,
     "a batch names one BO by two handles, in turns, and keeps nothing of it")
{
	struct gemsync_device *dev = primary_node(cf);
	const struct gemsync_sync_abi *abi = gpu_sync_abi(dev);
	const int fd = gemsync_device_fd(dev);
	struct drm_gem_flink flink = { 0 };
	struct drm_gem_open opened = { 0 };
	uint64_t before, after;
	struct gemsync_bo *bo;
	uint8_t *ops;
	uint32_t i;

	if (module_counter("drm_gem_sync", "objects", &before))
		skip("nothing counts BOs", "run on a driver with drm_gem_sync");
	EXPECT_OK(gemsync_bo_create(dev, PAGE, GEMSYNC_BO_SHAREABLE, &bo));
	flink.handle = gemsync_bo_handle(bo);
	EXPECT_OK(raw_ioctl(fd, DRM_IOCTL_GEM_FLINK, &flink));
	opened.name = flink.name;
	EXPECT_OK(raw_ioctl(fd, DRM_IOCTL_GEM_OPEN, &opened));
	EXPECT(opened.handle != flink.handle);
	ops = new_array(4, abi->op_size);
	for (i = 0; i < 4; i++)
		abi->encode(ops + (size_t)i * abi->op_size, i % 2 ? opened.handle : flink.handle,
			    0, 0, 64);
	EXPECT_OK(gpu_sync_call(abi, fd, ops, 4, abi->op_size, 0));
	free(ops);
	EXPECT_OK(drmCloseBufferHandle(fd, opened.handle));
	gemsync_bo_destroy(bo);
	EXPECT_OK(module_counter("drm_gem_sync", "objects", &after));
	EXPECT_EQ(after, before);
}

CASES(sharing, "Sharing",
      &r13_cached_or_shareable,
      &r13_coherent_cached_is_shareable,
      &r13_private_is_not_exported,
      &r13_shared_needs_no_sync,
      &r13_flink_is_a_way_out,
      &r14_cached_one_by_name,
      &r13_cached_does_not_leave,
      &r13_cached_is_not_opened_by_name,
      &r13_vgem_gets_the_same_bytes,
      &r13_another_file_by_dmabuf,
      &r13_another_process,
      &r11_own_export_comes_home,
      &r11_imports_are_counted,
      &r11_import_is_not_synced,
      &r11_shares_with_heap,
      &r11_shares_with_udmabuf,
      &r11_shares_with_vgem,
      &r20_calls_with_a_foreign_handle,
      &r20_offset_on_another_file,
      &r20_other_devices_bo,
      &r20_same_file_twice,
      &r20_two_handles_of_one_bo);
