// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffer objects of the drivers. Their pages are memory, as the device and write-combined
 * maps see it; cached maps of user space show other pages. So what gets the pages of an
 * object, and what shows them, goes through here if the object is of an emulated GPU.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>

#include "mali.h"

/* The pages of an object, from drm_gem_get_pages() to drm_gem_put_pages(). */
struct object {
	struct ncmem_owner owner;
	struct ncmem_pages *set;
};

/* &struct object by the address of its array of pages. */
static DEFINE_XARRAY(objects);

/* Who is in one of the functions that replace others. */
static atomic_t inside = ATOMIC_INIT(0);

static atomic64_t last_id;

/* ---- Pages come and go ---- */

static struct object *object_create(struct mali *gpu, struct page **pages, unsigned long count)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	int ret;

	if (!object)
		return ERR_PTR(-ENOMEM);
	object->owner.pid = task_tgid_nr(current);
	get_task_comm(object->owner.comm, current);
	object->owner.id = atomic64_inc_return(&last_id);
	object->set = ncmem_pages_add(gpu->nc, pages, count, &object->owner);
	if (IS_ERR(object->set)) {
		ret = PTR_ERR(object->set);
		goto err_free;
	}
	ret = xa_err(xa_store(&objects, (unsigned long)pages, object, GFP_KERNEL));
	if (ret)
		goto err_remove;
	/* The driver is there, and pins this module; the object may outlive that. */
	__module_get(THIS_MODULE);
	return object;

err_remove:
	ncmem_pages_remove(object->set);
err_free:
	kfree(object);
	return ERR_PTR(ret);
}

static struct page **get_pages(struct drm_gem_object *obj)
{
	struct page **pages = drm_gem_get_pages(obj);
	struct object *object;

	if (IS_ERR(pages))
		return pages;
	object = object_create(mali_of(obj->dev->dev), pages, obj->size >> PAGE_SHIFT);
	if (IS_ERR(object)) {
		drm_gem_put_pages(obj, pages, false, false);
		return ERR_CAST(object);
	}
	return pages;
}

static struct page **replace_get_pages(struct drm_gem_object *obj)
{
	struct page **pages;

	atomic_inc(&inside);
	pages = get_pages(obj);
	atomic_dec(&inside);
	return pages;
}

/* Maps may still show the pages: not all drivers take them away before. */
static void put_pages(struct drm_gem_object *obj, struct page **pages)
{
	struct object *object = xa_erase(&objects, (unsigned long)pages);

	if (!object)
		return;
	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
	ncmem_pages_remove(object->set);
	kfree(object);
	module_put(THIS_MODULE);
}

static void replace_put_pages(struct drm_gem_object *obj, struct page **pages, bool dirty,
			      bool accessed)
{
	atomic_inc(&inside);
	put_pages(obj, pages);
	drm_gem_put_pages(obj, pages, dirty, accessed);
	atomic_dec(&inside);
}

static bool is_emulated(const struct drm_gem_object *obj)
{
	return mali_of(obj->dev->dev);
}

/* ---- Pages are shown ---- */

/* The object that a map shows, or NULL if it is not one of an emulated GPU. */
static struct drm_gem_object *mapped_object(const struct vm_area_struct *vma,
					    unsigned long caller)
{
	struct drm_gem_object *obj = vma->vm_private_data;
	const struct vm_operations_struct *ops = vma->vm_ops;

	if (!obj || !ops)
		return NULL;
	/* The helper's operations, or those of a driver, which calls by itself. */
	if (ops != &drm_gem_shmem_vm_ops && !mali_calls(caller))
		return NULL;
	return is_emulated(obj) ? obj : NULL;
}

static bool is_cached(const struct vm_area_struct *vma)
{
	return (pgprot_val(vma->vm_page_prot) & PTE_ATTRINDX_MASK) ==
	       PTE_ATTRINDX(MT_NORMAL);
}

static vm_fault_t show_page(struct vm_area_struct *vma, unsigned long address,
			    unsigned long pfn)
{
	struct page *view = ncmem_view_of(pfn_to_page(pfn));

	if (IS_ERR(view))
		return VM_FAULT_OOM;
	return vmf_insert_pfn(vma, address, page_to_pfn(view));
}

static vm_fault_t replace_insert_pfn(struct vm_area_struct *vma, unsigned long address,
				     unsigned long pfn)
{
	vm_fault_t ret;

	atomic_inc(&inside);
	ret = show_page(vma, address, pfn);
	atomic_dec(&inside);
	return ret;
}

/* Views are single pages. */
static vm_fault_t replace_insert_pfn_pmd(void)
{
	return VM_FAULT_FALLBACK;
}

/* ---- Replacing functions ---- */

static void notrace divert(struct ftrace_regs *fregs, void *replacement)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)replacement);
}

static void notrace divert_get_pages(unsigned long ip, unsigned long parent,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (!within_module(parent, THIS_MODULE) &&
	    is_emulated((void *)ftrace_regs_get_argument(fregs, 0)))
		divert(fregs, replace_get_pages);
}

static void notrace divert_put_pages(unsigned long ip, unsigned long parent,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (!within_module(parent, THIS_MODULE) &&
	    is_emulated((void *)ftrace_regs_get_argument(fregs, 0)))
		divert(fregs, replace_put_pages);
}

static void notrace divert_insert_pfn(unsigned long ip, unsigned long parent,
				      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma = (void *)ftrace_regs_get_argument(fregs, 0);

	if (!within_module(parent, THIS_MODULE) && mapped_object(vma, parent) && is_cached(vma))
		divert(fregs, replace_insert_pfn);
}

static void notrace divert_insert_pfn_pmd(unsigned long ip, unsigned long parent,
					  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (void *)ftrace_regs_get_argument(fregs, 0);

	if (mapped_object(vmf->vma, parent) && is_cached(vmf->vma))
		divert(fregs, replace_insert_pfn_pmd);
}

static struct replaced {
	char *name;
	struct ftrace_ops ops;
} replaced[] = {
	{ "drm_gem_get_pages", { .func = divert_get_pages, .flags = FTRACE_OPS_FL_IPMODIFY } },
	{ "drm_gem_put_pages", { .func = divert_put_pages, .flags = FTRACE_OPS_FL_IPMODIFY } },
	{ "vmf_insert_pfn", { .func = divert_insert_pfn, .flags = FTRACE_OPS_FL_IPMODIFY } },
	{ "vmf_insert_pfn_pmd",
	  { .func = divert_insert_pfn_pmd, .flags = FTRACE_OPS_FL_IPMODIFY } },
};

static int replace(struct replaced *function)
{
	int ret;

	ret = ftrace_set_filter(&function->ops, function->name, strlen(function->name), 1);
	if (!ret)
		ret = register_ftrace_function(&function->ops);
	if (ret) {
		ftrace_free_filter(&function->ops);
		pr_err("mali: %s() of this kernel cannot be diverted: %d\n", function->name, ret);
	}
	return ret;
}

static void put_back(struct replaced *function)
{
	unregister_ftrace_function(&function->ops);
	ftrace_free_filter(&function->ops);
}

int mali_objects_init(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(replaced); i++) {
		ret = replace(&replaced[i]);
		if (ret)
			goto err_put_back;
	}
	return 0;

err_put_back:
	while (i--)
		put_back(&replaced[i]);
	return ret;
}

void mali_objects_exit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(replaced); i++)
		put_back(&replaced[i]);
	while (atomic_read(&inside))
		msleep(20);
	/* Who counted itself out last is still on its way out. */
	synchronize_rcu_tasks();
	WARN_ON(!xa_empty(&objects));
}
