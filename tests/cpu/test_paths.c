// SPDX-License-Identifier: MIT
/*
 * Who maintains a BO, on a device that is made up here: hardware's own path, this CPU,
 * on the CPU that records.
 */
#include "unit.h"

#include <errno.h>
#include <linux/dma-buf.h>

#include "backends.h"
#include "internal.h"

/* ---- The device ---- */

#define BO_SIZE	8192u

static char map[BO_SIZE] __attribute__((aligned(4096)));

static struct {
	size_t syncs;
	size_t ops;
	uint64_t bytes;		/* of the operations */
	int error;
} driver;

static int create_bo(struct gemsync_device *dev, uint32_t flags, uint64_t *size, uint32_t *handle)
{
	(void)dev;
	(void)flags;
	*size = BO_SIZE;
	*handle = 1;
	return 0;
}

static void destroy_bo(struct gemsync_device *dev, uint32_t handle)
{
	(void)dev;
	(void)handle;
}

static int map_bo(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	(void)dev;
	(void)bo;
	*out = map;
	return 0;
}

static int query_bo(struct gemsync_device *dev, uint32_t handle, struct gemsync_bo_info *info)
{
	(void)dev;
	(void)handle;
	(void)info;
	return 0;
}

static int sync_bos(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	size_t i;

	(void)dev;
	if (driver.error)
		return driver.error;
	driver.syncs++;
	for (i = 0; i < count; i++) {
		driver.ops += !op_is_idle(&ops[i]);
		driver.bytes += op_size(&ops[i]);
	}
	return 0;
}

static const struct device_ops with_sync = {
	.bo_create = create_bo,
	.bo_destroy = destroy_bo,
	.bo_map = map_bo,
	.bo_query = query_bo,
	.sync = sync_bos,
};

static struct gemsync_device dev;

/* A cached BO, mapped or not. */
static struct gemsync_bo *new_bo(bool mapped)
{
	struct gemsync_bo *bo;
	void *address;

	assert_int_equal(gemsync_bo_create(&dev, BO_SIZE, GEMSYNC_BO_CACHED, &bo), 0);
	if (mapped)
		assert_int_equal(gemsync_bo_map(bo, &address), 0);
	return bo;
}

static void expect_path(struct gemsync_bo *bo, enum gemsync_path path)
{
	struct gemsync_bo_info info;

	assert_int_equal(gemsync_bo_query(bo, &info), 0);
	assert_int_equal(info.path, path);
	assert_non_null(info.why);
}

static void expect_insns(size_t at, enum fake_insn insn, size_t count)
{
	size_t i;

	assert_true(at + count <= fake_count);
	for (i = at; i < at + count; i++)
		assert_int_equal(fake_events[i].insn, insn);
}

static void begin(void)
{
	memset(&driver, 0, sizeof(driver));
	fake_begin();
}

static int setup(void **state)
{
	(void)state;
	memset(&dev, 0, sizeof(dev));
	dev.ops = &with_sync;
	dev.info.line_size = 64;
	pthread_mutex_init(&dev.lock, NULL);
	begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (dev.bos)
		gemsync_bo_destroy(dev.bos);
	pthread_mutex_destroy(&dev.lock);
	return 0;
}

/* ---- Tests ---- */

static void mapped_bos_are_the_cpus(void **state)
{
	struct gemsync_bo *bo = new_bo(true);

	(void)state;
	expect_path(bo, GEMSYNC_PATH_CPU);
	assert_int_equal(gemsync_bo_flush(bo, 100, 64), 0);
	expect_insns(0, FAKE_CLWB, 2);
	assert_int_equal(fake_events[0].address, (uintptr_t)map + 64);
	expect_insns(2, FAKE_SFENCE, 1);
	assert_int_equal(fake_count, 3);
	assert_int_equal(gemsync_bo_invalidate(bo, BO_SIZE - 1, 1), 0);
	expect_insns(3, FAKE_CLFLUSHOPT, 1);
	assert_int_equal(fake_events[3].address, (uintptr_t)map + BO_SIZE - 64);
	expect_insns(4, FAKE_LOCKED, 1);
	assert_int_equal(driver.syncs, 0);
}

static void others_are_the_drivers(void **state)
{
	struct gemsync_bo *bo = new_bo(false);
	void *address;

	(void)state;
	expect_path(bo, GEMSYNC_PATH_DRIVER);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), 0);
	assert_int_equal(driver.ops, 1);
	assert_int_equal(gemsync_bo_map(bo, &address), 0);
	expect_path(bo, GEMSYNC_PATH_CPU);
	gemsync_bo_unmap(bo);
	expect_path(bo, GEMSYNC_PATH_DRIVER);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), 0);
	assert_int_equal(driver.ops, 2);
	assert_int_equal(fake_count, 0);
}

static void the_driver_can_be_asked_for(void **state)
{
	struct gemsync_bo *bo = new_bo(true);

	(void)state;
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_DRIVER), 0);
	expect_path(bo, GEMSYNC_PATH_DRIVER);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), 0);
	assert_int_equal(driver.ops, 1);
	assert_int_equal(fake_count, 0);
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_AUTO), 0);
	expect_path(bo, GEMSYNC_PATH_CPU);
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_NONE), -EINVAL);
	assert_int_equal(gemsync_bo_set_path(bo, (enum gemsync_path)9), -EINVAL);
}

/* R24: asked for and not possible is an error, not the other path. */
static void the_cpu_without_an_address_is_an_error(void **state)
{
	struct gemsync_bo *bo = new_bo(false);

	(void)state;
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_CPU), 0);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), -EOPNOTSUPP);
	assert_int_equal(gemsync_bo_flush(bo, 0, 0), 0);
	assert_int_equal(driver.syncs, 0);
	assert_int_equal(fake_count, 0);
}

static void emulated_caches_are_the_drivers(void **state)
{
	struct gemsync_bo *bo;

	(void)state;
	dev.info.emulated = true;
	bo = new_bo(true);
	expect_path(bo, GEMSYNC_PATH_DRIVER);
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_CPU), -EOPNOTSUPP);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), 0);
	assert_int_equal(driver.ops, 1);
	assert_int_equal(fake_count, 0);
}

/* R9 */
static void nothing_to_do_is_nobodys(void **state)
{
	struct gemsync_bo *bo;
	void *address;

	(void)state;
	assert_int_equal(gemsync_bo_create(&dev, BO_SIZE, 0, &bo), 0);
	assert_int_equal(gemsync_bo_map(bo, &address), 0);
	expect_path(bo, GEMSYNC_PATH_NONE);
	dev.info.coherent = true;
	bo = new_bo(true);
	expect_path(bo, GEMSYNC_PATH_NONE);
	assert_int_equal(gemsync_bo_invalidate(bo, 0, 64), 0);
	assert_int_equal(driver.syncs, 0);
	assert_int_equal(fake_count, 0);
}

static void no_driver_call_is_an_error(void **state)
{
	static struct device_ops without;
	struct gemsync_bo *bo;

	(void)state;
	without = with_sync;
	without.sync = NULL;
	dev.ops = &without;
	bo = new_bo(false);
	assert_int_equal(gemsync_bo_flush(bo, 0, 64), -EOPNOTSUPP);
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_DRIVER), -EOPNOTSUPP);
}

/* R7, R25: one call, one fence, and nothing if the driver fails or any operation is bad. */
static void batches_take_both_paths(void **state)
{
	struct gemsync_bo *cpu = new_bo(true), *other = new_bo(true);
	struct gemsync_op ops[] = {
		{ .bo = cpu, .type = GEMSYNC_FLUSH, .offset = 0, .size = 64 },
		{ .bo = other, .type = GEMSYNC_FLUSH, .offset = 0, .size = 64 },
		{ .bo = cpu, .type = GEMSYNC_FLUSH, .offset = 4096, .size = 128 },
		{ .bo = other, .type = GEMSYNC_INVALIDATE, .offset = 4096, .size = 64 },
	};

	(void)state;
	assert_int_equal(gemsync_bo_set_path(other, GEMSYNC_PATH_DRIVER), 0);
	assert_int_equal(gemsync_device_sync(&dev, ops, 4), 0);
	assert_int_equal(driver.syncs, 1);
	assert_int_equal(driver.ops, 2);
	expect_insns(0, FAKE_CLWB, 3);
	expect_insns(3, FAKE_SFENCE, 1);
	assert_int_equal(fake_count, 4);

	begin();
	ops[2].type = GEMSYNC_INVALIDATE;
	assert_int_equal(gemsync_device_sync(&dev, ops, 4), 0);
	expect_insns(fake_count - 1, FAKE_LOCKED, 1);

	begin();
	driver.error = -EINTR;
	assert_int_equal(gemsync_device_sync(&dev, ops, 4), -EINTR);
	driver.error = 0;
	ops[3].offset = BO_SIZE;
	assert_int_equal(gemsync_device_sync(&dev, ops, 4), -EINVAL);
	assert_int_equal(driver.syncs, 0);
	assert_int_equal(fake_count, 0);
}

static void deferred_batches_are_one_call(void **state)
{
	struct gemsync_bo *cpu = new_bo(true), *other = new_bo(true);
	struct gemsync_op array[8];
	struct gemsync_batch batch;
	uint64_t i;

	(void)state;
	assert_int_equal(gemsync_bo_set_path(other, GEMSYNC_PATH_DRIVER), 0);
	assert_int_equal(gemsync_device_batch_init(&dev, &batch, array, 8, 0), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(gemsync_batch_add(&batch, cpu, GEMSYNC_FLUSH, i * 256, 64), 0);
		assert_int_equal(gemsync_batch_add(&batch, other, GEMSYNC_FLUSH, i * 256, 64), 0);
	}
	assert_int_equal(fake_count, 0);
	assert_int_equal(gemsync_batch_submit(&batch), 0);
	assert_int_equal(driver.syncs, 1);
	assert_int_equal(driver.ops, 4);
	expect_insns(0, FAKE_CLWB, 4);
	expect_insns(4, FAKE_SFENCE, 1);
	assert_int_equal(fake_count, 5);
}

/* One flush of @bo from @offset to its end, by each of the calls that can ask for it. */
static void flush_rest(struct gemsync_bo *bo, uint64_t offset, int ret)
{
	struct gemsync_op op = {
		.bo = bo, .type = GEMSYNC_FLUSH, .offset = offset, .size = GEMSYNC_WHOLE_SIZE,
	};
	struct gemsync_op array[2];
	struct gemsync_batch batch;

	assert_int_equal(gemsync_bo_flush(bo, offset, GEMSYNC_WHOLE_SIZE), ret);
	assert_int_equal(gemsync_device_sync(&dev, &op, 1), ret);
	assert_int_equal(gemsync_device_batch_init(&dev, &batch, array, 2, 0), 0);
	assert_int_equal(gemsync_batch_add(&batch, bo, GEMSYNC_FLUSH, offset,
					   GEMSYNC_WHOLE_SIZE), 0);
	assert_int_equal(gemsync_batch_submit(&batch), ret);
}

static void the_whole_size_ends_with_the_bo(void **state)
{
	struct gemsync_bo *cpu = new_bo(true), *other = new_bo(true);

	(void)state;
	assert_int_equal(gemsync_bo_set_path(other, GEMSYNC_PATH_DRIVER), 0);
	flush_rest(other, 4096, 0);
	assert_int_equal(gemsync_bo_invalidate(other, 0, GEMSYNC_WHOLE_SIZE), 0);
	assert_int_equal(driver.ops, 4);
	assert_int_equal(driver.bytes, 3 * 4096 + BO_SIZE);
	assert_int_equal(fake_count, 0);

	begin();
	flush_rest(cpu, BO_SIZE - 65, 0);
	expect_insns(0, FAKE_CLWB, 2);
	assert_int_equal(fake_count, 9);
	assert_int_equal(gemsync_bo_invalidate(cpu, BO_SIZE - 1, GEMSYNC_WHOLE_SIZE), 0);
	expect_insns(9, FAKE_CLFLUSHOPT, 1);

	/* At the end nothing is left; behind it is no place. */
	begin();
	flush_rest(cpu, BO_SIZE, 0);
	flush_rest(other, BO_SIZE, 0);
	flush_rest(cpu, BO_SIZE + 1, -EINVAL);
	flush_rest(other, BO_SIZE + 1, -EINVAL);
	assert_int_equal(driver.syncs, 0);
	assert_int_equal(fake_count, 0);
}

static void copies_of_the_whole_size_end_with_the_bo(void **state)
{
	struct gemsync_bo *bo = new_bo(true);
	char data[100], back[100] = { 0 };

	(void)state;
	memset(data, 9, sizeof(data));
	memset(map, 0, sizeof(map));
	assert_int_equal(gemsync_bo_upload(bo, BO_SIZE - 100, data, GEMSYNC_WHOLE_SIZE, 0), 0);
	assert_memory_equal(map + BO_SIZE - 100, data, 100);
	assert_int_equal(map[BO_SIZE - 101], 0);
	assert_int_equal(gemsync_bo_readback(bo, BO_SIZE - 100, back, GEMSYNC_WHOLE_SIZE), 0);
	assert_memory_equal(back, data, 100);
	begin();
	assert_int_equal(gemsync_bo_upload(bo, BO_SIZE, data, GEMSYNC_WHOLE_SIZE, 0), 0);
	assert_int_equal(gemsync_bo_readback(bo, BO_SIZE, back, GEMSYNC_WHOLE_SIZE), 0);
	assert_int_equal(gemsync_bo_upload(bo, BO_SIZE + 1, data, GEMSYNC_WHOLE_SIZE, 0), -EINVAL);
	assert_int_equal(gemsync_bo_readback(bo, BO_SIZE + 1, back, GEMSYNC_WHOLE_SIZE), -EINVAL);
	assert_int_equal(fake_count, 0);
}

static void copies_take_the_path(void **state)
{
	struct gemsync_bo *bo = new_bo(true);
	char data[100], back[100];

	(void)state;
	memset(data, 7, sizeof(data));
	memset(map, 0, sizeof(map));
	assert_int_equal(gemsync_bo_upload(bo, 30, data, 100, 0), 0);
	assert_memory_equal(map + 30, data, 100);
	assert_int_equal(map[29] | map[130], 0);
	expect_insns(0, FAKE_CLWB, 1);
	expect_insns(1, FAKE_MOVDIR64B, 1);
	expect_insns(2, FAKE_CLWB, 1);
	expect_insns(3, FAKE_SFENCE, 1);
	begin();
	assert_int_equal(gemsync_bo_readback(bo, 30, back, 100), 0);
	assert_memory_equal(back, data, 100);
	expect_insns(0, FAKE_CLFLUSHOPT, 3);
	expect_insns(3, FAKE_LOCKED, 1);

	begin();
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_DRIVER), 0);
	assert_int_equal(gemsync_bo_upload(bo, 0, data, 100, GEMSYNC_UPLOAD_CACHED), 0);
	assert_int_equal(driver.ops, 1);
	assert_int_equal(gemsync_bo_readback(bo, 0, back, 100), 0);
	assert_int_equal(driver.ops, 2);
	assert_int_equal(fake_count, 0);
}

/* R25: write-combined stores are on their way before the submit. */
static void uploads_to_write_combined_maps_are_ordered(void **state)
{
	struct gemsync_bo *bo;
	void *address;

	(void)state;
	assert_int_equal(gemsync_bo_create(&dev, BO_SIZE, 0, &bo), 0);
	assert_int_equal(gemsync_bo_map(bo, &address), 0);
	assert_int_equal(gemsync_bo_upload(bo, 0, "text", 4, 0), 0);
	assert_memory_equal(map, "text", 4);
	expect_insns(0, FAKE_SFENCE, 1);
	assert_int_equal(fake_count, 1);
}

static void bad_copies_are_refused(void **state)
{
	struct gemsync_bo *bo = new_bo(true), *unmapped = new_bo(false);
	char data[2] = "";

	(void)state;
	assert_int_equal(gemsync_bo_upload(bo, BO_SIZE - 1, data, 2, 0), -EINVAL);
	assert_int_equal(gemsync_bo_upload(bo, UINT64_MAX, data, 2, 0), -EINVAL);
	assert_int_equal(gemsync_bo_upload(bo, 0, data, 2, 2), -EINVAL);
	assert_int_equal(gemsync_bo_upload(unmapped, 0, data, 2, 0), -EINVAL);
	assert_int_equal(gemsync_bo_readback(bo, BO_SIZE, data, 1), -EINVAL);
	assert_int_equal(gemsync_bo_readback(unmapped, 0, data, 1), -EINVAL);
	assert_int_equal(gemsync_bo_upload(bo, BO_SIZE, data, 0, 0), 0);
	driver.error = -ENODEV;
	assert_int_equal(gemsync_bo_set_path(bo, GEMSYNC_PATH_DRIVER), 0);
	assert_int_equal(gemsync_bo_upload(bo, 0, data, 1, 0), -ENODEV);
	data[0] = 9;
	assert_int_equal(gemsync_bo_readback(bo, 0, data, 1), -ENODEV);
	assert_int_equal(data[0], 9);
	assert_int_equal(fake_count, 0);
}

/* ---- dma-bufs ---- */

static struct {
	int errors[4];	/* of the first calls; 0 at the end */
	size_t calls;
	uint64_t flags;
} dmabuf;

int __wrap_ioctl(int fd, unsigned long request, void *arg);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct dma_buf_sync *sync = arg;

	assert_int_equal(fd, 42);
	assert_int_equal(request, DMA_BUF_IOCTL_SYNC);
	dmabuf.flags = sync->flags;
	errno = dmabuf.errors[dmabuf.calls++];
	return errno ? -1 : 0;
}

static void dmabufs_say_what_is_done(void **state)
{
	const uint32_t both = GEMSYNC_ACCESS_READ | GEMSYNC_ACCESS_WRITE;

	(void)state;
	memset(&dmabuf, 0, sizeof(dmabuf));
	assert_int_equal(gemsync_dmabuf_begin_access(42, GEMSYNC_ACCESS_READ), 0);
	assert_int_equal(dmabuf.flags, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	assert_int_equal(gemsync_dmabuf_end_access(42, GEMSYNC_ACCESS_WRITE), 0);
	assert_int_equal(dmabuf.flags, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	assert_int_equal(gemsync_dmabuf_begin_access(42, both), 0);
	assert_int_equal(dmabuf.flags, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	assert_int_equal(dmabuf.calls, 3);
	assert_int_equal(gemsync_dmabuf_begin_access(42, 0), -EINVAL);
	assert_int_equal(gemsync_dmabuf_end_access(42, 4), -EINVAL);
	assert_int_equal(dmabuf.calls, 3);
}

/* R24 */
static void dmabufs_are_asked_again_but_not_for_ever(void **state)
{
	(void)state;
	memset(&dmabuf, 0, sizeof(dmabuf));
	dmabuf.errors[0] = EINTR;
	dmabuf.errors[1] = EAGAIN;
	assert_int_equal(gemsync_dmabuf_begin_access(42, GEMSYNC_ACCESS_READ), 0);
	assert_int_equal(dmabuf.calls, 3);
	dmabuf.calls = 0;
	dmabuf.errors[0] = ENOTTY;
	assert_int_equal(gemsync_dmabuf_begin_access(42, GEMSYNC_ACCESS_READ), -ENOTTY);
	assert_int_equal(dmabuf.calls, 1);
}

#define device_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(mapped_bos_are_the_cpus),
		device_test(others_are_the_drivers),
		device_test(the_driver_can_be_asked_for),
		device_test(the_cpu_without_an_address_is_an_error),
		device_test(emulated_caches_are_the_drivers),
		device_test(nothing_to_do_is_nobodys),
		device_test(no_driver_call_is_an_error),
		device_test(batches_take_both_paths),
		device_test(deferred_batches_are_one_call),
		device_test(the_whole_size_ends_with_the_bo),
		device_test(copies_of_the_whole_size_end_with_the_bo),
		device_test(copies_take_the_path),
		device_test(uploads_to_write_combined_maps_are_ordered),
		device_test(bad_copies_are_refused),
		cmocka_unit_test(dmabufs_say_what_is_done),
		cmocka_unit_test(dmabufs_are_asked_again_but_not_for_ever),
	};

	unsetenv("GEMSYNC_CPU");
	fake_machine = has_all;
	fake_line = 64;
	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
