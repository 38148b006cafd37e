// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "witness.h"

/**
 * DOC: overview
 *
 * A witness of drm_gem_sync.ko that knows nothing of the emulation. The kernel is
 * booted with ``swiotlb=force``, so that every object of this module's device is
 * mapped to bounce buffers, and what the DMA API's sync calls mean is done by the
 * kernel's own code: bytes of exactly the range are copied to the bounce buffer or
 * back. The device's part is played by reading and writing the bounce buffer. Kernels
 * from 7.0 on count what is used with ``swiotlb=track_hiwater`` too; a small machine that
 * bounces nothing by itself needs ``swiotlb=65536`` for buffers that suffice.
 *
 * So a flush must have copied the bytes of its range to the device and no others. A
 * flush and invalidate must have done so too, and then, after the device wrote again,
 * have copied exactly the bytes of the range back. As bouncing knows no dirty lines,
 * it says nothing about what the two steps together do to a line.
 *
 * A second device imports what the first one exports, and sees it through bounce buffers
 * of its own: one for each of its mappings.
 *
 * No device that bounces has cached objects (R21). The module takes that refusal back
 * for its own device, with probes on the functions that refuse, and first sees that it
 * was there.
 *
 * Reading the debugfs file ``gem_sync_witness`` runs all cases and gives the result in
 * TAP.
 */

#define NAME		"gem_sync_witness"
#define TEXT_SIZE	(64 * 1024)

/* What a case tells of its failures; the first says most. */
#define MAX_FAILURES	5

static struct platform_device *platform;
static struct witness *witness;
static struct dentry *file;
/* One run at a time. */
static DEFINE_MUTEX(lock);

DEFINE_DRM_GEM_FOPS(witness_fops);

static const struct drm_driver witness_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.gem_prime_import_sg_table = witness_import_sg_table,
	.fops = &witness_fops,
	.name = "gem-sync-witness",
	.desc = "device of a test",
	.major = 1,
};

long witness_slots(struct witness *w)
{
	const struct io_tlb_mem *mem = w->drm.dev->dma_io_tlb_mem;

	return atomic_long_read(&mem->total_used);
}

/* ---- TAP ---- */

static __printf(2, 0) void say_args(struct witness *w, const char *format, va_list args)
{
	w->length += vscnprintf(w->text + w->length, w->size - w->length, format, args);
}

static __printf(2, 3) void say(struct witness *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(w, format, args);
	va_end(args);
}

void witness_fail(struct witness *w, const char *format, ...)
{
	va_list args;

	if (w->failures++ >= MAX_FAILURES)
		return;
	say(w, "# ");
	va_start(args, format);
	say_args(w, format, args);
	va_end(args);
	say(w, "\n");
}

static void run_case(struct witness *w, unsigned int number, const struct witness_case *c)
{
	w->failures = 0;
	w->strays = 0;
	w->refusals = false;
	c->run(w);
	witness_release(w);
	if (w->failures > MAX_FAILURES)
		say(w, "# %u failures in all\n", w->failures);
	say(w, "%sok %u - %s\n", w->failures ? "not " : "", number, c->name);
}

static const struct witness_case *const tables[] = {
	witness_cases, witness_hook_cases, witness_driver_cases,
};

/* Run all cases, or only count them. */
static unsigned int for_cases(struct witness *w, bool run)
{
	unsigned int number = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct witness_case *c = tables[i]; c->name; c++) {
			number++;
			if (run)
				run_case(w, number, c);
		}
	}
	return number;
}

static int run_cases(struct witness *w)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/dri/%s", dev_name(w->drm.render->kdev));
	w->file = filp_open(path, O_RDWR, 0);
	if (IS_ERR(w->file))
		return PTR_ERR(w->file);
	w->length = 0;
	say(w, "1..%u\n", for_cases(w, false));
	for_cases(w, true);
	fput(w->file);
	return 0;
}

static int file_open(struct inode *inode, struct file *filp)
{
	int ret;

	mutex_lock(&lock);
	ret = run_cases(witness);
	mutex_unlock(&lock);
	return ret;
}

static ssize_t file_read(struct file *filp, char __user *buffer, size_t size, loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&lock);
	ret = simple_read_from_buffer(buffer, size, pos, witness->text, witness->length);
	mutex_unlock(&lock);
	return ret;
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.read = file_read,
	.llseek = default_llseek,
};

/* ---- The device ---- */

static int init_devices(struct witness *w)
{
	struct drm_gem_sync_device *const sdevs[] = { &w->sdev, &w->coherent, &w->hooks };
	int ret = 0;

	w->coherent.coherent = true;
	w->hooks.policy = DRM_GEM_SYNC_HOOKS;
	for (unsigned int i = 0; i < ARRAY_SIZE(sdevs) && !ret; i++) {
		sdevs[i]->drm = &w->drm;
		ret = drm_gem_sync_device_init(sdevs[i]);
	}
	return ret;
}

/* Its memory, up to the release of the platform device's resources. */
static int create_witness(struct device *dev)
{
	int ret;

	ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	witness = devm_drm_dev_alloc(dev, &witness_driver, struct witness, drm);
	if (IS_ERR(witness))
		return PTR_ERR(witness);
	INIT_LIST_HEAD(&witness->objects);
	witness->refusals = true;
	ret = init_devices(witness);
	if (ret)
		return ret;
	witness->size = TEXT_SIZE;
	witness->text = devm_kmalloc(dev, TEXT_SIZE, GFP_KERNEL);
	return witness->text ? 0 : -ENOMEM;
}

static int __init witness_init(void)
{
	int ret;

	platform = platform_device_register_simple(NAME, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	/* It has no driver whose unbinding would release these. */
	if (!devres_open_group(&platform->dev, NULL, GFP_KERNEL)) {
		ret = -ENOMEM;
		goto err_platform;
	}
	ret = create_witness(&platform->dev);
	if (ret)
		goto err_group;
	ret = witness_importer_register(witness);
	if (ret)
		goto err_group;
	ret = witness_probes_register(witness);
	if (ret)
		goto err_importer;
	ret = drm_dev_register(&witness->drm, 0);
	if (ret)
		goto err_probes;
	file = debugfs_create_file(NAME, 0400, NULL, NULL, &file_ops);
	return 0;

err_probes:
	witness_probes_unregister();
err_importer:
	witness_importer_unregister();
err_group:
	devres_release_group(&platform->dev, NULL);
err_platform:
	platform_device_unregister(platform);
	return ret;
}
module_init(witness_init);

static void __exit witness_exit(void)
{
	debugfs_remove(file);
	drm_dev_unregister(&witness->drm);
	witness_probes_unregister();
	witness_importer_unregister();
	devres_release_group(&platform->dev, NULL);
	platform_device_unregister(platform);
}
module_exit(witness_exit);

MODULE_DESCRIPTION("Looks at what drm_gem_sync has the kernel copy to bounce buffers and back");
MODULE_LICENSE("GPL");
