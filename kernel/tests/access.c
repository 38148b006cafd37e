// SPDX-License-Identifier: GPL-2.0-only
/* Which access and which object needs what (R6, R8, R9, R11). */
#include <linux/dma-buf.h>

#include "fake.h"

#define DEV_RW	(DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)
#define CPU_RW	(DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_RW_ACCESS)

#define BO_SIZE	(4 * PAGE_SIZE)

/* R6: of all combinations of bits, exactly these six are an access. */
static void access_flags(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = fake_pinned(test, fake, BO_SIZE);

	for (unsigned int access = 0; access < 64; access++) {
		bool valid = access < 8 && (access & DRM_GEM_OBJECT_RW_ACCESS);

		KUNIT_EXPECT_EQ_MSG(test, drm_gem_sync(&bo->base, 0, 64, access),
				    valid ? 0 : -EINVAL, "access %#x", access);
	}
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, 64, ~0), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, 64, BIT(31) | DEV_RW), -EINVAL);
}

/* R6: whatever the device does next, lines are written back and none is dropped. */
static void device_access_flushes(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = fake_pinned(test, fake, BO_SIZE);

	for (unsigned int type = DRM_GEM_OBJECT_READ_ACCESS; type <= DRM_GEM_OBJECT_RW_ACCESS;
	     type += DRM_GEM_OBJECT_READ_ACCESS) {
		fake_forget(fake);
		KUNIT_ASSERT_EQ(test, drm_gem_sync(&bo->base, 64, 64,
						   DRM_GEM_OBJECT_DEV_ACCESS | type), 0);
		KUNIT_ASSERT_EQ(test, fake->count, 1);
		KUNIT_EXPECT_FALSE(test, fake->records[0].for_cpu);
		KUNIT_EXPECT_EQ(test, fake->records[0].dir, DMA_TO_DEVICE);
	}
}

/* R4, R6: whatever the CPU does next, lines are written back first and then dropped. */
static void cpu_access_invalidates(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = fake_pinned(test, fake, BO_SIZE);

	for (unsigned int type = DRM_GEM_OBJECT_READ_ACCESS; type <= DRM_GEM_OBJECT_RW_ACCESS;
	     type += DRM_GEM_OBJECT_READ_ACCESS) {
		fake_forget(fake);
		KUNIT_ASSERT_EQ(test, drm_gem_sync(&bo->base, 64, 64,
						   DRM_GEM_OBJECT_CPU_ACCESS | type), 0);
		KUNIT_ASSERT_EQ(test, fake->count, 2);
		KUNIT_EXPECT_FALSE(test, fake->records[0].for_cpu);
		KUNIT_EXPECT_EQ(test, fake->records[0].dir, DMA_TO_DEVICE);
		KUNIT_EXPECT_TRUE(test, fake->records[1].for_cpu);
		KUNIT_EXPECT_EQ(test, fake->records[1].dir, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, fake->records[0].addr, fake->records[1].addr);
		KUNIT_EXPECT_EQ(test, fake->records[0].size, fake->records[1].size);
	}
}

static void expect_range(struct kunit *test, struct drm_gem_object *obj, size_t offset,
			 size_t size, int result)
{
	KUNIT_EXPECT_EQ_MSG(test, drm_gem_sync(obj, offset, size, CPU_RW), result,
			    "offset %#zx size %#zx", offset, size);
}

/* R8: a range that leaves the object, also by wrapping. */
static void ranges(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_object *obj = &fake_pinned(test, fake, BO_SIZE)->base;

	expect_range(test, obj, 0, BO_SIZE, 0);
	expect_range(test, obj, BO_SIZE - 1, 1, 0);
	expect_range(test, obj, BO_SIZE, 0, 0);
	fake_forget(fake);
	expect_range(test, obj, BO_SIZE, 1, -EINVAL);
	expect_range(test, obj, 0, BO_SIZE + 1, -EINVAL);
	expect_range(test, obj, BO_SIZE + 1, 0, -EINVAL);
	expect_range(test, obj, SIZE_MAX, 2, -EINVAL);
	expect_range(test, obj, 1, SIZE_MAX, -EINVAL);
	expect_range(test, obj, SIZE_MAX, 0, -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

/* R9: nothing to maintain: no sync, no pages, no error. */
static void free_when_free(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args wc = {};
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;

	bo = fake_bo(test, fake, BO_SIZE);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, BO_SIZE, CPU_RW), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, BO_SIZE, DEV_RW), 0);
	KUNIT_EXPECT_NULL_MSG(test, bo->pages, "a sync populated the object");

	bo = fake_pinned(test, fake, BO_SIZE);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, 0, CPU_RW), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 100, 0, DEV_RW), 0);

	bo = fake_bo_args(test, fake, BO_SIZE, &wc);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, BO_SIZE, CPU_RW), 0);
	drm_gem_sync_shmem_unpin(bo);
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

/* R9: a device that snoops needs nothing. */
static void coherent_device(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;

	fake->sdev.coherent = true;
	bo = fake_pinned(test, fake, BO_SIZE);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, BO_SIZE, CPU_RW), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, BO_SIZE, DEV_RW), 0);
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

/* An object without memory, whose functions a test chooses. */
static struct drm_gem_object *bare_object(struct kunit *test, struct fake *fake,
					  const struct drm_gem_object_funcs *funcs)
{
	struct drm_gem_object *obj = kunit_kzalloc(test, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	drm_gem_private_object_init(&fake->drm, obj, BO_SIZE);
	obj->funcs = funcs;
	return obj;
}

/* R9: objects of drivers that know no sync hook; arguments are checked all the same. */
static void without_hook(struct kunit *test)
{
	static const struct drm_gem_object_funcs plain = {};
	static const struct drm_gem_sync_funcs hookless = {
		.base = { .print_info = drm_gem_sync_print_info },
	};
	const struct drm_gem_object_funcs *const funcs[] = { NULL, &plain, &hookless.base };
	struct fake *fake = fake_create(test);

	for (unsigned int i = 0; i < ARRAY_SIZE(funcs); i++) {
		struct drm_gem_object *obj = bare_object(test, fake, funcs[i]);

		KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, CPU_RW), 0);
		KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, DEV_RW), 0);
		KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, 0), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 1, BO_SIZE, DEV_RW), -EINVAL);
		drm_gem_private_object_fini(obj);
	}
	KUNIT_EXPECT_EQ(test, fake->count, 0);
}

/* What a driver's own hook was called with. */
static struct {
	struct drm_gem_object *obj;
	size_t offset;
	size_t size;
	enum drm_gem_object_access_flags access;
	unsigned int calls;
	int result;
} hook;

static int own_sync(struct drm_gem_object *obj, size_t offset, size_t size,
		    enum drm_gem_object_access_flags access)
{
	hook.obj = obj;
	hook.offset = offset;
	hook.size = size;
	hook.access = access;
	hook.calls++;
	return hook.result;
}

static const struct drm_gem_sync_funcs own_funcs = {
	.base = { .print_info = drm_gem_sync_print_info },
	.sync = own_sync,
};

/* A driver's own hook gets what the caller said, once it was checked, and has the last word. */
static void own_hook(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_object *obj = bare_object(test, fake, &own_funcs.base);

	memset(&hook, 0, sizeof(hook));
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 12, 34,
					   DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_READ_ACCESS),
			0);
	KUNIT_EXPECT_EQ(test, hook.calls, 1);
	KUNIT_EXPECT_PTR_EQ(test, hook.obj, obj);
	KUNIT_EXPECT_EQ(test, hook.offset, 12);
	KUNIT_EXPECT_EQ(test, hook.size, 34);
	KUNIT_EXPECT_EQ(test, hook.access,
			DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_READ_ACCESS);

	hook.result = -EIO;
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, CPU_RW), -EIO);
	KUNIT_EXPECT_EQ(test, hook.calls, 2);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, DRM_GEM_OBJECT_DEV_ACCESS), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 1, BO_SIZE, CPU_RW), -EINVAL);
	KUNIT_EXPECT_EQ_MSG(test, hook.calls, 2, "a refused sync reached the hook");
	drm_gem_private_object_fini(obj);
}

/* R11: what is imported is its exporter's to sync. */
static void imported(struct kunit *test)
{
	struct dma_buf_attachment attach = {};
	struct fake *fake = fake_create(test);
	struct drm_gem_object *obj = bare_object(test, fake, &own_funcs.base);

	memset(&hook, 0, sizeof(hook));
	obj->import_attach = &attach;
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, BO_SIZE, CPU_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(obj, 0, 0, DEV_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, hook.calls, 0);
	obj->import_attach = NULL;
	drm_gem_private_object_fini(obj);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(access_flags),
	KUNIT_CASE(device_access_flushes),
	KUNIT_CASE(cpu_access_invalidates),
	KUNIT_CASE(ranges),
	KUNIT_CASE(free_when_free),
	KUNIT_CASE(coherent_device),
	KUNIT_CASE(without_hook),
	KUNIT_CASE(own_hook),
	KUNIT_CASE(imported),
	{}
};

struct kunit_suite gem_sync_access_suite = {
	.name = "gem_sync_access",
	.test_cases = cases,
};
