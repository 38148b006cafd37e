// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma-buf hooks (R14) of an object that is not shmem-backed, and the importers'
 * mappings that they know: which are synced, in which direction and in which order.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_prime.h>

#include "fake.h"

#define SIZE	(4 * PAGE_SIZE)

/* In as many pieces an object is synced for the CPU. */
#define PIECES	(SIZE / 512)

/* An object with memory of its own and a hook that writes down its calls. */
struct own_object {
	struct drm_gem_object base;
	struct page *page;
	struct fake *importer;		/* the hook's calls go into its log */
	unsigned int pins;
	unsigned int calls;
	size_t size;			/* of the calls that follow each other from offset 0 on */
	enum drm_gem_object_access_flags access;
	int result;
};

#define to_own(obj) container_of(obj, struct own_object, base)

static int own_sync(struct drm_gem_object *obj, size_t offset, size_t size,
		    enum drm_gem_object_access_flags access)
{
	struct own_object *own = to_own(obj);

	fake_log(own->importer, access & DRM_GEM_OBJECT_DEV_ACCESS ? 'F' : 'I');
	own->calls++;
	if (!offset)
		own->size = 0;
	if (offset == own->size)
		own->size += size;
	own->access = access;
	return own->result;
}

static int own_pin(struct drm_gem_object *obj)
{
	to_own(obj)->pins++;
	return 0;
}

static void own_unpin(struct drm_gem_object *obj)
{
	to_own(obj)->pins--;
}

static struct sg_table *own_sg_table(struct drm_gem_object *obj)
{
	struct page *pages[SIZE / PAGE_SIZE];

	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = nth_page(to_own(obj)->page, i);
	return drm_prime_pages_to_sg(obj->dev, pages, ARRAY_SIZE(pages));
}

static void own_free(struct drm_gem_object *obj)
{
	struct own_object *own = to_own(obj);

	drm_gem_object_release(obj);
	__free_pages(own->page, get_order(SIZE));
	kfree(own);
}

static const struct drm_gem_sync_funcs own_funcs = {
	.base = {
		.free = own_free,
		.pin = own_pin,
		.unpin = own_unpin,
		.get_sg_table = own_sg_table,
		.print_info = drm_gem_sync_print_info,
	},
	.sync = own_sync,
};

static const struct dma_buf_ops own_dmabuf_ops = {
	.attach = drm_gem_sync_dmabuf_attach,
	.detach = drm_gem_sync_dmabuf_detach,
	.map_dma_buf = drm_gem_sync_dmabuf_map,
	.unmap_dma_buf = drm_gem_sync_dmabuf_unmap,
	.release = drm_gem_dmabuf_release,
	.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
	.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
};

/* An exported object, an importer, and up to two attachments of it. */
struct setup {
	struct own_object *own;
	struct dma_buf *dma_buf;
	struct fake *importer;
	struct dma_buf_attachment *attach[2];
};

/* A kernel thread's files are closed later: not here, where the test's devices go next. */
static void put_dma_buf(void *data)
{
	dma_buf_put(data);
	flush_delayed_fput();
}

static struct dma_buf *export(struct kunit *test, struct drm_gem_object *obj,
			      const struct dma_buf_ops *ops)
{
	struct dma_buf_export_info info = {
		.exp_name = "gem-sync-kunit",
		.owner = THIS_MODULE,
		.ops = ops,
		.size = obj->size,
		.priv = obj,
		.resv = obj->resv,
	};
	struct dma_buf *dma_buf = drm_gem_dmabuf_export(obj->dev, &info);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_dma_buf, dma_buf), 0);
	return dma_buf;
}

static struct own_object *own_create(struct fake *exporter)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, get_order(SIZE));
	struct own_object *own = kzalloc(sizeof(*own), GFP_KERNEL | __GFP_NOFAIL);

	own->page = page;
	drm_gem_private_object_init(&exporter->drm, &own->base, SIZE);
	WARN_ON(drm_gem_sync_set_funcs(&own->base, &own_funcs));
	return own;
}

static void detach(struct setup *setup, unsigned int i)
{
	dma_buf_detach(setup->dma_buf, setup->attach[i]);
	setup->attach[i] = NULL;
}

static struct setup set_up(struct kunit *test)
{
	struct fake *exporter = fake_create(test);
	struct setup setup = { .importer = fake_create(test) };

	setup.own = own_create(exporter);
	setup.own->importer = setup.importer;
	setup.dma_buf = export(test, &setup.own->base, &own_dmabuf_ops);
	/* The dma-buf keeps it, and ends with the test. */
	drm_gem_object_put(&setup.own->base);
	for (unsigned int i = 0; i < ARRAY_SIZE(setup.attach); i++) {
		setup.attach[i] = dma_buf_attach(setup.dma_buf, setup.importer->drm.dev);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, setup.attach[i]);
	}
	KUNIT_EXPECT_EQ(test, setup.own->pins, 2);
	return setup;
}

static struct sg_table *map(struct kunit *test, struct setup *setup, unsigned int i,
			    enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(setup->attach[i], dir);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	return sgt;
}

static void unmap(struct setup *setup, unsigned int i, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(setup->attach[i], sgt, dir);
}

/* The importer's syncs and the hook's calls since the last time. */
static void expect_log(struct kunit *test, struct setup *setup, const char *log)
{
	KUNIT_EXPECT_STREQ(test, setup->importer->log, log);
	fake_forget(setup->importer);
}

/* The same of @times begins, piece by piece, with @before and @behind them. */
static void expect_pieces(struct kunit *test, struct setup *setup, const char *before,
			  const char *piece, unsigned int times, const char *behind)
{
	char log[sizeof(setup->importer->log)];

	strscpy(log, before, sizeof(log));
	for (unsigned int i = 0; i < times * PIECES; i++)
		strlcat(log, piece, sizeof(log));
	strlcat(log, behind, sizeof(log));
	expect_log(test, setup, log);
}

/* R14: of each piece, the object first, then each mapping in its own direction. */
static void every_mapping(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
	};
	struct setup setup = set_up(test);
	const struct fake_record *records = setup.importer->records;
	struct sg_table *sgt[3];

	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++)
		sgt[i] = map(test, &setup, i % 2, dirs[i]);
	fake_forget(setup.importer);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, setup.own->access,
			DRM_GEM_OBJECT_CPU_ACCESS | DRM_GEM_OBJECT_READ_ACCESS);
	KUNIT_EXPECT_EQ(test, setup.own->size, SIZE);
	KUNIT_ASSERT_EQ(test, setup.importer->count, 2 * PIECES);
	for (unsigned int i = 0; i < 2 * PIECES; i++) {
		/* Attachments are in order, the newest first; nobody promises that. */
		KUNIT_EXPECT_NE(test, records[i].dir, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, records[i].size, SIZE / PIECES);
		KUNIT_EXPECT_EQ(test, records[i].addr - records[i % 2].addr,
				i / 2 * (SIZE / PIECES));
	}
	KUNIT_EXPECT_NE(test, records[0].dir, records[1].dir);
	expect_pieces(test, &setup, "", "Icc", 1, "");

	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(setup.dma_buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, setup.own->access & DRM_GEM_OBJECT_ACCESSOR_MASK,
			DRM_GEM_OBJECT_DEV_ACCESS);
	KUNIT_ASSERT_EQ(test, setup.importer->count, 2);
	for (unsigned int i = 0; i < 2; i++)
		KUNIT_EXPECT_NE(test, records[i].dir, DMA_FROM_DEVICE);
	KUNIT_EXPECT_NE(test, records[0].dir, records[1].dir);
	expect_log(test, &setup, "Fdd");

	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++)
		unmap(&setup, i % 2, sgt[i], dirs[i]);
	detach(&setup, 0);
	detach(&setup, 1);
	KUNIT_EXPECT_EQ(test, setup.own->pins, 0);
}

/* Case 46: two mappings on one attachment, which go in the order in which they came. */
static void two_on_one_attachment(struct kunit *test)
{
	struct setup setup = set_up(test);
	struct sg_table *first = map(test, &setup, 0, DMA_BIDIRECTIONAL);
	struct sg_table *second = map(test, &setup, 0, DMA_FROM_DEVICE);

	KUNIT_EXPECT_PTR_NE(test, first, second);
	fake_forget(setup.importer);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_BIDIRECTIONAL), 0);
	expect_pieces(test, &setup, "", "Icc", 1, "");
	unmap(&setup, 0, first, DMA_BIDIRECTIONAL);
	fake_forget(setup.importer);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, setup.importer->records[0].dir, DMA_FROM_DEVICE);
	expect_pieces(test, &setup, "", "Ic", 1, "");
	unmap(&setup, 0, second, DMA_FROM_DEVICE);
	fake_forget(setup.importer);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_BIDIRECTIONAL), 0);
	expect_pieces(test, &setup, "", "I", 1, "");
	detach(&setup, 1);
	detach(&setup, 0);
}

/* Case 45: who only read has nothing to write back; no call needs another one. */
static void nothing_to_do(struct kunit *test)
{
	struct setup setup = set_up(test);
	struct sg_table *sgt = map(test, &setup, 1, DMA_TO_DEVICE);

	fake_forget(setup.importer);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(setup.dma_buf, DMA_FROM_DEVICE), 0);
	expect_log(test, &setup, "");
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_TO_DEVICE), 0);
	expect_pieces(test, &setup, "", "I", 2, "");
	KUNIT_EXPECT_EQ(test, drm_gem_dmabuf_begin_cpu_access(setup.dma_buf, DMA_NONE), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_dmabuf_end_cpu_access(setup.dma_buf, DMA_NONE), -EINVAL);
	expect_log(test, &setup, "");
	unmap(&setup, 1, sgt, DMA_TO_DEVICE);
	detach(&setup, 0);
	detach(&setup, 1);
}

/* The hook's error is the call's, and the lock is free again. */
static void failing_hook(struct kunit *test)
{
	struct setup setup = set_up(test);
	struct sg_table *sgt = map(test, &setup, 0, DMA_BIDIRECTIONAL);

	fake_forget(setup.importer);
	setup.own->result = -EIO;
	KUNIT_EXPECT_EQ(test, drm_gem_dmabuf_begin_cpu_access(setup.dma_buf, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, drm_gem_dmabuf_end_cpu_access(setup.dma_buf, DMA_TO_DEVICE), -EIO);
	expect_log(test, &setup, "IF");
	KUNIT_EXPECT_TRUE(test, dma_resv_trylock(setup.dma_buf->resv));
	dma_resv_unlock(setup.dma_buf->resv);
	unmap(&setup, 0, sgt, DMA_BIDIRECTIONAL);
	detach(&setup, 0);
	detach(&setup, 1);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "gem-sync-kunit";
}

/* A fence that signals itself after a while. The fence comes first: it frees all. */
struct own_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
	struct delayed_work work;
	struct fake *importer;
};

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static void signal_fence(struct work_struct *work)
{
	struct own_fence *fence = container_of(to_delayed_work(work), struct own_fence, work);

	fake_log(fence->importer, 's');
	dma_fence_signal(&fence->base);
}

static struct own_fence *add_fence(struct kunit *test, struct setup *setup)
{
	struct own_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_resv *resv = setup->dma_buf->resv;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	fence->importer = setup->importer;
	INIT_DELAYED_WORK(&fence->work, signal_fence);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	return fence;
}

/* R14: first the fence, then the lines. */
static void waits_first(struct kunit *test)
{
	struct setup setup = set_up(test);
	struct sg_table *sgt = map(test, &setup, 0, DMA_BIDIRECTIONAL);
	struct own_fence *fence = add_fence(test, &setup);

	fake_forget(setup.importer);
	schedule_delayed_work(&fence->work, HZ / 20);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_FROM_DEVICE), 0);
	expect_pieces(test, &setup, "s", "Ic", 1, "");
	flush_delayed_work(&fence->work);
	dma_fence_put(&fence->base);
	unmap(&setup, 0, sgt, DMA_BIDIRECTIONAL);
	detach(&setup, 0);
	detach(&setup, 1);
}

/* Who exports with other calls has hooks that sync the object, and importers of its own. */
static void without_bookkeeping(struct kunit *test)
{
	static const struct dma_buf_ops ops = {
		.attach = drm_gem_map_attach,
		.detach = drm_gem_map_detach,
		.map_dma_buf = drm_gem_map_dma_buf,
		.unmap_dma_buf = drm_gem_unmap_dma_buf,
		.release = drm_gem_dmabuf_release,
		.begin_cpu_access = drm_gem_dmabuf_begin_cpu_access,
		.end_cpu_access = drm_gem_dmabuf_end_cpu_access,
	};
	struct fake *exporter = fake_create(test);
	struct setup setup = { .importer = fake_create(test) };
	struct sg_table *sgt;

	setup.own = own_create(exporter);
	setup.own->importer = setup.importer;
	setup.dma_buf = export(test, &setup.own->base, &ops);
	drm_gem_object_put(&setup.own->base);
	setup.attach[0] = dma_buf_attach(setup.dma_buf, setup.importer->drm.dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, setup.attach[0]);
	sgt = map(test, &setup, 0, DMA_BIDIRECTIONAL);
	fake_forget(setup.importer);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(setup.dma_buf, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(setup.dma_buf, DMA_BIDIRECTIONAL), 0);
	expect_pieces(test, &setup, "", "I", 1, "F");
	unmap(&setup, 0, sgt, DMA_BIDIRECTIONAL);
	detach(&setup, 0);
}

/*
 * A shmem-backed object: a piece of it through the exporter, then, written back once more,
 * through importers.
 */
static void shmem_object(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args args = { .cached = true };
	struct fake *exporter = fake_create(test), *importer = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;
	struct dma_buf_attachment *attach;
	struct dma_buf *dma_buf;
	struct sg_table *sgt;

	exporter->sdev.policy = DRM_GEM_SYNC_HOOKS;
	bo = fake_bo_args(test, exporter, SIZE, &args);
	dma_buf = drm_gem_sync_shmem_export(&bo->base, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_dma_buf, dma_buf), 0);
	exporter->max_segment = 4;
	attach = dma_buf_attach(dma_buf, importer->drm.dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	fake_forget(exporter);
	fake_forget(importer);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dma_buf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, exporter->count, 3 * PIECES);
	KUNIT_EXPECT_EQ(test, strspn(exporter->log, "dc"), 3 * PIECES);
	KUNIT_EXPECT_EQ(test, strncmp(exporter->log, "dcddcd", 6), 0);
	KUNIT_EXPECT_EQ(test, importer->count, PIECES);
	KUNIT_EXPECT_EQ(test, strspn(importer->log, "c"), PIECES);
	fake_forget(exporter);
	fake_forget(importer);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dma_buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, exporter->count, bo->nr_runs);
	KUNIT_EXPECT_STREQ(test, importer->log, "d");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dma_buf, attach);
}

/*
 * R17: an importer that does not snoop finds in memory what the caches of a coherent
 * exporter had; what others exported is in memory since their pages were mapped. What it
 * wrote is synced for the CPU of a coherent exporter when its mapping goes.
 */
static void published_to_importers(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args wc = {};
	struct dma_buf_attachment *attach;
	struct dma_buf *dma_buf;
	struct sg_table *sgt;

	for (unsigned int coherent = 0; coherent < 2; coherent++) {
		struct fake *exporter = fake_create(test), *importer = fake_create(test);

		exporter->sdev.coherent = coherent;
		dma_buf = drm_gem_sync_shmem_export(&fake_bo_args(test, exporter, SIZE, &wc)->base,
						    0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_dma_buf, dma_buf), 0);
		attach = dma_buf_attach(dma_buf, importer->drm.dev);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
		KUNIT_EXPECT_STREQ(test, importer->log, coherent ? "d" : "");
		KUNIT_EXPECT_EQ(test, importer->records[0].size, coherent ? SIZE : 0);
		fake_forget(importer);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_EQ(test, strspn(importer->log, "c"), coherent ? PIECES : 0);
		dma_buf_detach(dma_buf, attach);
	}
}

/*
 * R14: what the CPU of a coherent exporter wrote is written back before the device of an
 * importer writes, also if that does nothing else: later it would go over what that wrote.
 */
static void written_before_the_device(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args wc = {};
	struct fake *exporter = fake_create(test), *importer = fake_create(test);
	struct dma_buf_attachment *attach;
	struct dma_buf *dma_buf;
	struct sg_table *sgt;

	exporter->sdev.coherent = true;
	dma_buf = drm_gem_sync_shmem_export(&fake_bo_args(test, exporter, SIZE, &wc)->base, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_dma_buf, dma_buf), 0);
	attach = dma_buf_attach(dma_buf, importer->drm.dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	fake_forget(importer);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dma_buf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_STREQ(test, importer->log, "d");
	KUNIT_EXPECT_EQ(test, importer->records[0].size, SIZE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dma_buf, attach);
}

/* R13, R14: what leaves, and with hooks. */
static void policies(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args cached = { .cached = true };
	const struct drm_gem_sync_shmem_args wc = {};
	struct fake *fake = fake_create(test);
	struct dma_buf *dma_buf;

	fake->sdev.cached_needs_private = false;
	dma_buf = drm_gem_sync_shmem_export(&fake_bo_args(test, fake, SIZE, &cached)->base, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -EPERM);
	dma_buf = drm_gem_sync_shmem_export(&fake_bo_args(test, fake, SIZE, &wc)->base, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_EXPECT_NULL(test, dma_buf->ops->begin_cpu_access);
	dma_buf_put(dma_buf);
	fake->sdev.policy = DRM_GEM_SYNC_HOOKS;
	dma_buf = drm_gem_sync_shmem_export(&fake_bo(test, fake, SIZE)->base, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -EINVAL);
	fake->sdev.policy = DRM_GEM_SYNC_STRICT;
	fake->sdev.coherent = true;
	dma_buf = drm_gem_sync_shmem_export(&fake_bo_args(test, fake, SIZE, &wc)->base, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_EXPECT_NOT_NULL(test, dma_buf->ops->begin_cpu_access);
	KUNIT_EXPECT_NOT_NULL(test, dma_buf->ops->end_cpu_access);
	dma_buf_put(dma_buf);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_mapping),
	KUNIT_CASE(two_on_one_attachment),
	KUNIT_CASE(nothing_to_do),
	KUNIT_CASE(failing_hook),
	KUNIT_CASE(waits_first),
	KUNIT_CASE(without_bookkeeping),
	KUNIT_CASE(shmem_object),
	KUNIT_CASE(published_to_importers),
	KUNIT_CASE(written_before_the_device),
	KUNIT_CASE(policies),
	{}
};

struct kunit_suite gem_sync_hooks_suite = {
	.name = "gem_sync_hooks",
	.test_cases = cases,
};

COMPAT_IMPORT_NS(DMA_BUF);
