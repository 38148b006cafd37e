// SPDX-License-Identifier: GPL-2.0-only
/* CPU maps of imported objects (R15). */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "fake.h"

#define SIZE	(4 * PAGE_SIZE)

/* An exporter whose maps are never touched, and what its mmap was called with. */
static struct {
	struct page *page;
	unsigned int maps;
	int result;
	bool clean;		/* nothing of the importer was left in the map */
	struct file *file;
	unsigned long pgoff;
} exporter;

static struct sg_table *exporter_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto err_free;
	sg_set_page(sgt->sgl, exporter.page, SIZE, 0);
	if (dma_map_sgtable(attach->dev, sgt, dir, 0))
		goto err_free_table;
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void exporter_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void exporter_release(struct dma_buf *dma_buf)
{
}

static int exporter_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	exporter.maps++;
	exporter.clean = !vma->vm_ops && !vma->vm_private_data;
	exporter.file = vma->vm_file;
	exporter.pgoff = vma->vm_pgoff;
	return exporter.result;
}

static const struct dma_buf_ops exporter_ops = {
	.map_dma_buf = exporter_map,
	.unmap_dma_buf = exporter_unmap,
	.release = exporter_release,
	.mmap = exporter_mmap,
};

/* A kernel thread's files are closed later: not here, where the test's devices go next. */
static void put_dma_buf(void *data)
{
	dma_buf_put(data);
	flush_delayed_fput();
}

static void free_exporter_page(void *data)
{
	__free_pages(data, get_order(SIZE));
}

static struct dma_buf *export(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dma_buf;

	memset(&exporter, 0, sizeof(exporter));
	exporter.page = alloc_pages(GFP_KERNEL, get_order(SIZE));
	KUNIT_ASSERT_NOT_NULL(test, exporter.page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_exporter_page, exporter.page),
			0);
	info.ops = &exporter_ops;
	info.size = SIZE;
	info.priv = &exporter;
	dma_buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_dma_buf, dma_buf), 0);
	return dma_buf;
}

/* A file in the place of the device's. */
static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = file->private_data;

	return drm_gem_mmap_obj(obj, obj->size, vma);
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.mmap = file_mmap,
};

static long try_map(struct kunit *test, struct drm_gem_sync_shmem_object *bo)
{
	struct file *file = anon_inode_getfile("gem-sync-kunit", &file_ops, &bo->base, O_RDWR);
	long addr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	addr = kunit_vm_mmap(test, file, 0, SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	return addr;
}

/* R15: with the switch the exporter makes the map, and the object is not kept for it. */
static void exporter_maps(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;
	unsigned int references;
	struct dma_buf *dma_buf;
	long addr;

	fake->sdev.map_imports = true;
	dma_buf = export(test);
	bo = fake_import(test, fake, dma_buf);
	references = kref_read(&bo->base.refcount);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_map_error(bo), 0);
	addr = try_map(test, bo);
	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR_VALUE(addr), "mmap: %ld", addr);
	KUNIT_EXPECT_EQ(test, exporter.maps, 1);
	KUNIT_EXPECT_TRUE(test, exporter.clean);
	KUNIT_EXPECT_PTR_EQ(test, exporter.file, dma_buf->file);
	KUNIT_EXPECT_EQ(test, exporter.pgoff, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), references);

	exporter.result = -EBUSY;
	KUNIT_EXPECT_EQ(test, try_map(test, bo), -EBUSY);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), references);
}

/* R15: without it nobody does. */
static void nobody_maps(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo = fake_import(test, fake, export(test));

	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_map_error(bo), -EPERM);
	KUNIT_EXPECT_EQ(test, try_map(test, bo), -EPERM);
	KUNIT_EXPECT_EQ(test, exporter.maps, 0);
}

/* R11: whoever maps it, it is not the importer's to sync. */
static void no_sync(struct kunit *test)
{
	const unsigned int access = DRM_GEM_OBJECT_DEV_ACCESS | DRM_GEM_OBJECT_RW_ACCESS;
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;

	fake->sdev.map_imports = true;
	bo = fake_import(test, fake, export(test));
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, 64, access), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gem_sync(&bo->base, 0, 0, access), -EINVAL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(exporter_maps),
	KUNIT_CASE(nobody_maps),
	KUNIT_CASE(no_sync),
	{}
};

struct kunit_suite gem_sync_import_suite = {
	.name = "gem_sync_import",
	.test_cases = cases,
};

COMPAT_IMPORT_NS(DMA_BUF);
