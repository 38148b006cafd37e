// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_irq.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "mali.h"
#include "regs.h"

/**
 * DOC: overview
 *
 * Linux's own drivers for Mali GPUs, unmodified, on GPUs that this module emulates: for
 * arm64 guests of an emulator that has no such GPU. The device tree has nodes of them, at
 * addresses where nothing is, and with the property "gemsync,emulated", without which a
 * node is not looked at. So each access to a register is an abort (trap.c), and the
 * registers are those of gpu.c, mmu.c and the model.
 *
 * The GPU's memory is that of ncmem: incoherent with the CPU's cache, as such GPUs are in
 * most machines. Its DMA operations take the place of the device's when a driver binds, and
 * stay until the module goes, as drivers unmap things after they are gone. Buffer objects
 * are looked after by objects.c.
 *
 * Load it before the driver. As long as a driver has the device, or an object or mapping of
 * it is left, the module cannot be unloaded.
 *
 * What the emulation lacks is what vgpu lacks too: shader cores and the tiler. A job that
 * needs them is a fault. There are no counters and no protected mode. Two kinds of jobs are
 * there that no hardware has (core/jm.h), so that reads can be tested.
 */

unsigned int mali_line_size = 64;
module_param_named(line_size, mali_line_size, uint, 0444);
MODULE_PARM_DESC(line_size, "Bytes of an emulated CPU cache line: 32, 64 or 128 (default 64)");

static bool chaos;
module_param(chaos, bool, 0444);
MODULE_PARM_DESC(chaos, "Cache lines also move on their own, at random (default N)");

static bool kind;
module_param(kind, bool, 0444);
MODULE_PARM_DESC(kind,
		 "No line is in the cache before a cached map shows it; without, lines are there from birth (default N)");

static unsigned long long seed = 1;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "Of chaos: the same seed, the same moves (default 1)");

static unsigned int chaos_period_ms;
module_param(chaos_period_ms, uint, 0444);
MODULE_PARM_DESC(chaos_period_ms,
		 "Chaos also moves lines between accesses, this often; 0 is never (default 0)");

static const struct mali_model *const models[] = { &mali_job_manager };

/* Filled when the module is loaded, and looked at by who has no time for locks. */
static LIST_HEAD(gpus);

struct mali *mali_at(phys_addr_t phys)
{
	struct mali *gpu;

	list_for_each_entry(gpu, &gpus, node) {
		if (phys >= gpu->base && phys - gpu->base < gpu->size)
			return gpu;
	}
	return NULL;
}

struct mali *mali_of(const struct device *dev)
{
	struct mali *gpu;

	list_for_each_entry(gpu, &gpus, node) {
		if (gpu->dev == dev)
			return gpu;
	}
	return NULL;
}

bool mali_calls(unsigned long caller)
{
	struct mali *gpu;

	list_for_each_entry(gpu, &gpus, node) {
		const struct device_driver *driver = READ_ONCE(gpu->driver);

		if (driver && within_module(caller, driver->owner))
			return true;
	}
	return false;
}

/* ---- Drivers come and go ---- */

static void bind(struct mali *gpu)
{
	if (!gpu->bound)
		__module_get(THIS_MODULE);
	gpu->bound = true;
	WRITE_ONCE(gpu->driver, gpu->dev->driver);
	ncmem_reattach(gpu->nc);
}

/* What it has mapped it may still unmap, so the DMA operations are put back once more. */
static void unbind(struct mali *gpu)
{
	ncmem_reattach(gpu->nc);
	if (gpu->bound)
		module_put(THIS_MODULE);
	gpu->bound = false;
}

static int notice(struct notifier_block *nb, unsigned long action, void *data)
{
	struct mali *gpu = mali_of(data);

	if (!gpu)
		return NOTIFY_DONE;
	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:
		bind(gpu);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		unbind(gpu);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notice };

/* ---- GPUs ---- */

static enum ncmem_mode memory_mode(const struct device_node *node)
{
	if (of_dma_is_coherent((struct device_node *)node))
		return NCMEM_COHERENT;
	if (chaos)
		return NCMEM_CHAOS;
	return kind ? NCMEM_KIND : NCMEM_LAZY;
}

/* What the device tree says of it. */
static int describe(struct mali *gpu, struct device_node *node)
{
	static const char *const names[MALI_IRQS] = { "job", "mmu", "gpu" };
	struct platform_device *pdev;
	struct resource registers;
	enum mali_irq irq;
	int ret;

	ret = of_address_to_resource(node, 0, &registers);
	if (ret)
		return ret;
	gpu->base = registers.start;
	gpu->size = resource_size(&registers);
	for (irq = 0; irq < MALI_IRQS; irq++) {
		gpu->irq[irq] = of_irq_get_byname(node, names[irq]);
		if (gpu->irq[irq] <= 0)
			return gpu->irq[irq] ?: -ENXIO;
	}
	pdev = of_find_device_by_node(node);
	if (!pdev)
		return -ENODEV;
	gpu->dev = &pdev->dev;
	return 0;
}

static int create_memory(struct mali *gpu)
{
	const struct ncmem_params params = {
		.line_size = mali_line_size,
		.mode = memory_mode(gpu->dev->of_node),
		.seed = seed,
		.chaos_period_ms = chaos_period_ms,
		.identity = true,
		.owner = THIS_MODULE,
	};

	gpu->nc = ncmem_create(gpu->dev, &params);
	return PTR_ERR_OR_ZERO(gpu->nc);
}

static void gpu_destroy(struct mali *gpu)
{
	list_del(&gpu->node);
	gpu->model->destroy(gpu);
	destroy_workqueue(gpu->wq);
	ncmem_detach(gpu->nc);
	ncmem_put(gpu->nc);
	put_device(gpu->dev);
	kfree(gpu);
}

static int gpu_create(const struct mali_model *model, struct device_node *node)
{
	struct mali *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	int ret;

	if (!gpu)
		return -ENOMEM;
	gpu->model = model;
	spin_lock_init(&gpu->lock);
	spin_lock_init(&gpu->memory_lock);
	ret = describe(gpu, node);
	if (ret)
		goto err_free;
	ret = -EBUSY;
	if (device_is_bound(gpu->dev))
		goto err_put;
	ret = create_memory(gpu);
	if (ret)
		goto err_put;
	ret = -ENOMEM;
	gpu->wq = alloc_ordered_workqueue("mali-%s", WQ_HIGHPRI, model->driver);
	if (!gpu->wq)
		goto err_memory;
	ret = model->create(gpu);
	if (ret)
		goto err_wq;
	list_add(&gpu->node, &gpus);
	return 0;

err_wq:
	destroy_workqueue(gpu->wq);
err_memory:
	ncmem_detach(gpu->nc);
	ncmem_put(gpu->nc);
err_put:
	put_device(gpu->dev);
err_free:
	kfree(gpu);
	return ret;
}

static int create_of_model(const struct mali_model *model)
{
	struct device_node *node;
	int ret;

	for_each_compatible_node(node, NULL, model->compatible) {
		if (!of_property_read_bool(node, "gemsync,emulated"))
			continue;
		ret = gpu_create(model, node);
		if (ret) {
			pr_err("mali: cannot emulate %pOF: %d%s\n", node, ret,
			       ret == -EBUSY ? ": its driver was loaded before" : "");
			of_node_put(node);
			return ret;
		}
	}
	return 0;
}

static void destroy_all(void)
{
	struct mali *gpu, *next;

	list_for_each_entry_safe(gpu, next, &gpus, node)
		gpu_destroy(gpu);
}

static int create_all(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(models); i++) {
		ret = create_of_model(models[i]);
		if (ret)
			goto err_destroy;
	}
	ret = -ENODEV;
	if (!list_empty(&gpus))
		return 0;
	pr_err("mali: the device tree has no GPU with the property gemsync,emulated\n");

err_destroy:
	destroy_all();
	return ret;
}

/* Does the CPU call the trap, and does the right value come out of it? */
static int test_trap(struct mali *gpu)
{
	void __iomem *registers = ioremap(gpu->base, gpu->size);
	u32 id, expected = mali_read(gpu, GPU_ID);

	if (!registers)
		return -ENOMEM;
	id = readl(registers + GPU_ID);
	iounmap(registers);
	if (id == expected && atomic64_read(&gpu->accesses))
		return 0;
	pr_err("mali: a read at %pa is %#x and no abort: under KVM, or is there something?\n",
	       &gpu->base, id);
	return -ENODEV;
}

static int test_traps(void)
{
	struct mali *gpu;
	int ret = 0;

	list_for_each_entry(gpu, &gpus, node)
		ret = ret ?: test_trap(gpu);
	return ret;
}

static int __init mali_init(void)
{
	int ret;

	ret = create_all();
	if (ret)
		return ret;
	ret = mali_trap_init();
	if (ret)
		goto err_destroy;
	ret = test_traps();
	if (ret)
		goto err_trap;
	ret = mali_objects_init();
	if (ret)
		goto err_trap;
	ret = bus_register_notifier(&platform_bus_type, &notifier);
	if (ret)
		goto err_objects;
	return 0;

err_objects:
	mali_objects_exit();
err_trap:
	mali_trap_exit();
err_destroy:
	destroy_all();
	return ret;
}

static void __exit mali_exit(void)
{
	bus_unregister_notifier(&platform_bus_type, &notifier);
	mali_objects_exit();
	mali_trap_exit();
	destroy_all();
}

module_init(mali_init);
module_exit(mali_exit);

MODULE_DESCRIPTION("Emulated Mali GPUs for Linux's own drivers");
MODULE_LICENSE("GPL");
