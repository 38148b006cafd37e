// SPDX-License-Identifier: MIT
/*
 * Policy hooks (R14): cached BOs leave their file, and the CPU-access calls of the
 * dma-buf keep them right. On a device with policy strict all of it is skipped; what
 * that refuses is in test_bo.c and test_sharing.c.
 */
#include <linux/dma-buf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panthor_calls.h"
#include "pressure.h"
#include "sharing.h"

#define SIZE	(16 * KIB)

#define START_READ	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ)
#define START_WRITE	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE)
#define START_RW	(DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW)
#define END_READ	(DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ)
#define END_WRITE	(DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE)
#define END_RW		(DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW)

/* A fixture whose device shares cached BOs, and whose lines move by syncs alone. */
static struct fixture *need_hooks(void **state)
{
	struct fixture *f = need_lazy(state);
	struct gemsync_bo *bo;
	int ret;

	need_file(state);
	ret = gemsync_bo_create(f->dev, SIZE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE, &bo);
	if (ret == -EINVAL)
		skip_because("the policy is strict: load the driver with policy=hooks");
	assert_ok(ret);
	gemsync_bo_destroy(bo);
	return f;
}

static struct buffer *shared_buffer(struct fixture *f, int *dmabuf)
{
	struct buffer *buf = new_buffer(f, SIZE, GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE);

	*dmabuf = export_buffer(f, buf);
	return buf;
}

/* Case 42: the CPU reads what the GPU wrote; without the call it reads what was there. */
static void begin_invalidates(void **state)
{
	struct fixture *f = need_hooks(state);
	int dmabuf;
	struct buffer *buf = shared_buffer(f, &dmabuf);

	put_both(f, buf, 64, 1);
	gpu_put(f, buf, 64, 2);
	assert_int_equal(cpu_get(buf, 64), 1);
	sync_dmabuf(dmabuf, START_READ);
	assert_int_equal(cpu_get(buf, 64), 2);
	sync_dmabuf(dmabuf, END_READ);

	/* Who writes needs the bytes around as well. */
	gpu_put(f, buf, 64, 3);
	sync_dmabuf(dmabuf, START_WRITE);
	cpu_put(buf, 68, 4);
	sync_dmabuf(dmabuf, END_WRITE);
	assert_int_equal(gpu_get(f, buf, 64), 3);
	assert_int_equal(gpu_get(f, buf, 68), 4);
	close(dmabuf);
}

/* Case 44: the GPU reads what the CPU wrote; not before, and not for who only read. */
static void end_writes_back(void **state)
{
	struct fixture *f = need_hooks(state);
	int dmabuf;
	struct buffer *buf = shared_buffer(f, &dmabuf);

	sync_dmabuf(dmabuf, START_RW);
	cpu_put(buf, 0, 5);
	cpu_put(buf, SIZE - 4, 6);
	assert_int_equal(gpu_get(f, buf, 0), 0);
	sync_dmabuf(dmabuf, END_READ);
	assert_int_equal(gpu_get(f, buf, 0), 0);
	sync_dmabuf(dmabuf, END_WRITE);
	assert_int_equal(gpu_get(f, buf, 0), 5);
	assert_int_equal(gpu_get(f, buf, SIZE - 4), 6);
	close(dmabuf);
}

/* Case 43: what others wrote elsewhere in the BO and did not flush is not lost. */
static void unflushed_bytes_survive(void **state)
{
	struct fixture *f = need_hooks(state);
	int dmabuf;
	struct buffer *buf = shared_buffer(f, &dmabuf);

	cpu_put(buf, 4096, 7);
	gpu_put(f, buf, 0, 8);
	sync_dmabuf(dmabuf, START_READ);
	assert_int_equal(cpu_get(buf, 4096), 7);
	assert_int_equal(cpu_get(buf, 0), 8);
	sync_dmabuf(dmabuf, END_READ);
	assert_int_equal(gpu_get(f, buf, 4096), 7);
	close(dmabuf);
}

/* Every line once: written back through the exporter's mapping and dropped. */
static void lines_once(void **state)
{
	struct fixture *f = need_hooks(state);
	int dmabuf, vgem = vgem_open();
	struct buffer *buf = shared_buffer(f, &dmabuf);
	uint64_t lines = lines_of(f, 0, SIZE);
	struct gemsync_counters before;
	uint32_t handle;

	cpu_put(buf, 0, 9);
	assert_ok(import_dmabuf(vgem, dmabuf, &handle));
	before = lines_now(f);
	sync_dmabuf(dmabuf, START_READ);
	assert_lines(f, &before, lines, lines);
	before = lines_now(f);
	sync_dmabuf(dmabuf, END_READ);
	assert_lines(f, &before, 0, 0);
	sync_dmabuf(dmabuf, END_WRITE);
	assert_lines(f, &before, lines, 0);
	close(vgem);
	close(dmabuf);
}

struct access {
	int dmabuf;
	uint64_t flags;
	atomic_bool done;
};

static void *access_thread(void *arg)
{
	struct access *access = arg;

	sync_dmabuf(access->dmabuf, access->flags);
	access->done = true;
	return NULL;
}

/* A fence of the gate becomes one of the dma-buf's: DMA_BUF_SYNC_READ or _WRITE. */
static void add_fence(struct fixture *f, const struct gate *gate, int dmabuf, uint32_t flags)
{
	struct dma_buf_import_sync_file args = { .flags = flags };

	assert_ok(drmSyncobjExportSyncFile(f->fd, gate->syncobj, &args.fd));
	assert_ok(raw_ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args));
	close(args.fd);
}

/* Case 42: what the GPU writes while the CPU waits for it is seen when the wait is over. */
static void begin_waits_and_then_invalidates(void **state)
{
	struct fixture *f = need_hooks(state);
	struct gate gate = new_gate(f);
	struct access access = { .flags = START_READ };
	struct buffer *buf = shared_buffer(f, &access.dmabuf);
	pthread_t thread;

	put_both(f, buf, 0, 10);
	add_fence(f, &gate, access.dmabuf, DMA_BUF_SYNC_WRITE);
	assert_ok(pthread_create(&thread, NULL, access_thread, &access));
	usleep(SHORT_NS / 1000);
	assert_false(access.done);
	gpu_put(f, buf, 0, 11);
	assert_int_equal(cpu_get(buf, 0), 10);
	gate_open(&gate);
	assert_ok(pthread_join(thread, NULL));
	assert_int_equal(cpu_get(buf, 0), 11);
	close(access.dmabuf);
}

/* Only what conflicts: the CPU may read while a device reads, and not write. */
static void readers_do_not_wait_for_readers(void **state)
{
	struct fixture *f = need_hooks(state);
	struct gate gate = new_gate(f);
	struct access access = { .flags = START_WRITE };
	pthread_t thread;

	shared_buffer(f, &access.dmabuf);
	add_fence(f, &gate, access.dmabuf, DMA_BUF_SYNC_READ);
	sync_dmabuf(access.dmabuf, START_READ);
	sync_dmabuf(access.dmabuf, END_READ);
	assert_ok(pthread_create(&thread, NULL, access_thread, &access));
	usleep(SHORT_NS / 1000);
	assert_false(access.done);
	gate_open(&gate);
	assert_ok(pthread_join(thread, NULL));
	close(access.dmabuf);
}

/* Case 45: in any number and order, and with nothing to do. */
static void unbalanced_calls(void **state)
{
	const uint64_t flags[] = {
		END_WRITE, END_READ, END_RW, START_READ, START_READ, START_WRITE, START_RW,
		END_READ, START_RW, END_RW, END_RW, END_WRITE,
	};
	struct fixture *f = need_hooks(state);
	int dmabuf, vgem = vgem_open();
	struct buffer *buf = shared_buffer(f, &dmabuf);
	struct buffer *wc = new_buffer(f, SIZE, GEMSYNC_BO_SHAREABLE);
	int wc_dmabuf = export_buffer(f, wc);
	uint32_t handle;

	put_both(f, buf, 0, 12);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
			sync_dmabuf(dmabuf, flags[i]);
			sync_dmabuf(wc_dmabuf, flags[i]);
		}
		assert_ok(import_dmabuf(vgem, dmabuf, &handle));
		assert_ok(import_dmabuf(vgem, wc_dmabuf, &handle));
	}
	assert_int_equal(cpu_get(buf, 0), 12);
	assert_int_equal(gpu_get(f, buf, 0), 12);
	close(vgem);
	close(wc_dmabuf);
	close(dmabuf);
}

/* R9: evicted or never populated, there is nothing to do, and nothing comes back. */
static void nothing_populated(void **state)
{
	struct fixture *f = need_hooks(state);
	struct fixture *evictable = need_eviction(state);
	int dmabuf;
	struct buffer *buf = shared_buffer(f, &dmabuf);

	set_label(f, gemsync_bo_handle(buf->bo), "hooked one");
	cpu_put(buf, 0, 13);
	evict_all(evictable);
	assert_int_equal(resident_pages(f, "hooked one"), 0);
	sync_dmabuf(dmabuf, START_RW);
	sync_dmabuf(dmabuf, END_RW);
	assert_int_equal(resident_pages(f, "hooked one"), 0);
	assert_int_equal(cpu_get(buf, 0), 13);
	close(dmabuf);
}

/* Another file's CPU map and GPU, through its own handle of the dma-buf. */
static void another_file(void **state)
{
	struct fixture *f = need_hooks(state);
	struct gemsync_device *other = fixture_other(f);
	int dmabuf, fd = gemsync_device_fd(other);
	struct buffer *buf = shared_buffer(f, &dmabuf);
	struct drm_panthor_bo_sync_op op = { .size = 64 };
	uint32_t create_flags, extra_flags, *map;
	uint64_t offset;

	assert_ok(import_dmabuf(fd, dmabuf, &op.handle));
	assert_ok(query_handle(fd, op.handle, &create_flags, &extra_flags));
	assert_int_equal(create_flags, DRM_PANTHOR_BO_WB_MMAP);
	assert_int_equal(extra_flags, 0);
	assert_ok(mmap_offset(fd, op.handle, &offset));
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[0] = 14;
	assert_int_equal(gpu_get(f, buf, 0), 0);
	assert_ok(raw_sync(fd, &op, 1, sizeof(op)));
	assert_int_equal(gpu_get(f, buf, 0), 14);
	munmap(map, SIZE);
	close(dmabuf);
}

/* Through the importer's own call for maps, which leads to the exporter's. */
static void through_vgem(void **state)
{
	struct fixture *f = need_hooks(state);
	int dmabuf, vgem = vgem_open();
	struct buffer *buf = shared_buffer(f, &dmabuf);
	uint32_t handle, *map;

	assert_ok(import_dmabuf(vgem, dmabuf, &handle));
	map = map_dmabuf(dmabuf, SIZE);
	assert_ptr_not_equal(map, MAP_FAILED);
	sync_dmabuf(dmabuf, START_WRITE);
	map[5] = 15;
	assert_int_equal(gpu_get(f, buf, 20), 0);
	sync_dmabuf(dmabuf, END_WRITE);
	assert_int_equal(gpu_get(f, buf, 20), 15);
	gpu_put(f, buf, 24, 16);
	assert_int_equal(map[6], 0);
	sync_dmabuf(dmabuf, START_READ);
	assert_int_equal(map[6], 16);
	munmap(map, SIZE);
	close(vgem);
	close(dmabuf);
}

/* R13: what is private stays so, cached or not, whatever the policy. */
static void private_ones_stay(void **state)
{
	struct fixture *f = need_hooks(state);
	struct buffer *wb = new_buffer(f, SIZE, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(f, SIZE, 0);
	int dmabuf;

	assert_int_equal(export_handle(f->fd, gemsync_bo_handle(wb->bo), &dmabuf), -EINVAL);
	assert_int_equal(export_handle(f->fd, gemsync_bo_handle(wc->bo), &dmabuf), -EINVAL);
}

static int open_by_name(int owner, int other, uint32_t vm)
{
	struct drm_panthor_bo_create bo = {
		.size = SIZE, .flags = DRM_PANTHOR_BO_WB_MMAP, .exclusive_vm_id = vm,
	};
	struct drm_gem_flink flink = {};
	struct drm_gem_open open = {};

	assert_ok(raw_ioctl(owner, DRM_IOCTL_PANTHOR_BO_CREATE, &bo));
	flink.handle = bo.handle;
	assert_ok(raw_ioctl(owner, DRM_IOCTL_GEM_FLINK, &flink));
	open.name = flink.name;
	return raw_ioctl(other, DRM_IOCTL_GEM_OPEN, &open);
}

/* R13, R14: what may be exported may be opened by name; what is private may not. */
static void opened_by_name(void **state)
{
	struct fixture *f = need_hooks(state);
	struct drm_panthor_vm_create vm = {};
	int owner, other;

	if (getuid())
		skip_because("GEM_FLINK wants an authenticated file: run as root");
	owner = open_primary(f);
	other = open_primary(f);
	assert_ok(raw_ioctl(owner, DRM_IOCTL_PANTHOR_VM_CREATE, &vm));
	assert_ok(open_by_name(owner, other, 0));
	assert_int_equal(open_by_name(owner, other, vm.id), -EPERM);
	close(other);
	close(owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(begin_invalidates),
		device_test(end_writes_back),
		device_test(unflushed_bytes_survive),
		device_test(lines_once),
		device_test(begin_waits_and_then_invalidates),
		device_test(readers_do_not_wait_for_readers),
		device_test(unbalanced_calls),
		device_test(nothing_populated),
		device_test(another_file),
		device_test(through_vgem),
		device_test(private_ones_stay),
		device_test(opened_by_name),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
