// SPDX-License-Identifier: MIT
/*
 * A GPU that touches what it may not: reported, and nobody else's trouble. No rule of the
 * contract, but what every other case takes for granted.
 */
#include "case.h"

/* Behind every address that user space can bind. */
#define OUT_OF_RANGE	0xfffffffff000ull

/* Each kind of access to an address where there is nothing. */
static void expect_faults(struct cf *cf, uint64_t va, const char *what)
{
	struct buffer *spare = new_buffer(cf, 4096, 0);
	uint32_t value;

	EXPECT_EQ_AS(what, gpu_read32(cf->gpu, va, &value), -EIO);
	EXPECT_EQ_AS(what, gpu_write32(cf->gpu, va, NEW), -EIO);
	EXPECT_EQ_AS(what, gpu_copy(cf->gpu, va, spare->va, 64), -EIO);
	EXPECT_EQ_AS(what, gpu_copy(cf->gpu, spare->va, va, 64), -EIO);
}

static void expect_works(struct cf *cf, struct buffer *buf)
{
	gpu_put(cf, buf, 64, NEW);
	EXPECT_GPU(cf, buf, 64, NEW);
	EXPECT_CPU(cf, buf, 64, NEW);
}

CASE(gpu_fault_unmapped, "-", NO_SYNC,
     "a GPU access to an address that is not bound, or not any more, is reported as -EIO")
{
	struct buffer *buf = new_buffer(cf, 8192, 0);
	struct buffer *gone = new_buffer(cf, 8192, 0);
	int ret;

	expect_works(cf, gone);
	ret = gpu_unbind(cf->gpu, gone->va, 8192);
	/* Where the driver binds, addresses are given away again at once. */
	if (ret != -EOPNOTSUPP) {
		EXPECT_OK(ret);
		expect_faults(cf, gone->va, "an access to an address that was unbound");
	}
	expect_faults(cf, buf->va + 8192, "an access right behind a BO");
	EXPECT_EQ(gpu_fill(cf->gpu, buf->va + 8188, NEW, 8), -EIO);
	expect_works(cf, buf);
}

CASE(gpu_fault_out_of_range, "-", NO_SYNC,
     "a GPU access to an address that user space cannot bind is reported as -EIO")
{
	struct buffer *buf = new_buffer(cf, 4096, 0);

	expect_faults(cf, OUT_OF_RANGE, "an access at the end of the address space");
	expect_faults(cf, 0, "an access to address 0");
	expect_works(cf, buf);
}

CASE(gpu_fault_read_only, "-", 0,
     "a GPU write through a read-only binding is reported as -EIO and changes nothing")
{
	struct buffer *buf = new_buffer(cf, 4096, 0);
	uint32_t value;
	uint64_t va;
	int ret;

	ret = gpu_bind_readonly(cf->gpu, buf->bo, &va);
	if (ret == -EOPNOTSUPP)
		skip("the GPU's pages are always writable",
		     "run on a driver with read-only bindings (panthor, sim)");
	EXPECT_OK(ret);
	cpu_put(buf, 0, OLD);
	EXPECT_OK(gpu_read32(cf->gpu, va, &value));
	EXPECT_EQ(value, OLD);
	EXPECT_EQ(gpu_write32(cf->gpu, va, NEW), -EIO);
	EXPECT_CPU(cf, buf, 0, OLD);
	/* The twin: the other binding of the same BO. */
	EXPECT_OK(gpu_write32(cf->gpu, buf->va, NEW));
	EXPECT_CPU(cf, buf, 0, NEW);
	EXPECT_OK(gpu_read32(cf->gpu, va, &value));
	EXPECT_EQ(value, NEW);
}

CASE(gpu_fault_leaves_others, "-", NEED_SPIN,
     "a fault ends its own job alone: a job on another file of the device goes on to its end")
{
	struct gemsync_device *other = other_file(cf);
	struct buffer *buf = new_buffer(cf, 4096, 0);
	struct gemsync_bo *flag;
	struct gemsync_gpu *gpu;
	uint64_t va;
	void *map;

	EXPECT_OK(gpu_open(other, &gpu));
	EXPECT_OK(gemsync_bo_create(other, 4096, 0, &flag));
	EXPECT_OK(gemsync_bo_map(flag, &map));
	EXPECT_OK(gpu_bind(gpu, flag, &va));
	EXPECT_OK(gpu_spin_begin(gpu, va));
	expect_faults(cf, buf->va + 4096, "an access right behind a BO");
	EXPECT_EQ(gpu_spin_running(gpu), 1);
	*(volatile uint32_t *)map = 1;
	EXPECT_OK(gpu_spin_end(gpu));
	EXPECT_OK(gpu_write32(gpu, va, NEW));
	EXPECT_EQ(*(volatile uint32_t *)map, NEW);
	expect_works(cf, buf);
	gpu_close(gpu);
	gemsync_bo_destroy(flag);
}

CASES(faults, "GPU faults",
      &gpu_fault_unmapped,
      &gpu_fault_out_of_range,
      &gpu_fault_read_only,
      &gpu_fault_leaves_others);
