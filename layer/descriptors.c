// SPDX-License-Identifier: MIT
/* Descriptor sets: what each names. */
#include <stdlib.h>
#include <string.h>

#include "layer.h"

/* ---- Layouts ---- */

static int compare_bindings(const void *a, const void *b)
{
	u32 first = ((const struct gsl_binding *)a)->number;
	u32 second = ((const struct gsl_binding *)b)->number;

	return first < second ? -1 : first > second;
}

static const VkDescriptorSetLayoutBindingFlagsCreateInfo *
find_flags(const VkDescriptorSetLayoutCreateInfo *info)
{
	const VkBaseInStructure *next;

	for (next = info->pNext; next; next = next->pNext) {
		if (next->sType ==
		    VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO)
			return (const void *)next;
	}
	return NULL;
}

/* Of an array a shader takes what it wants; and what need not be there it may not touch. */
static bool is_bindless(const VkDescriptorSetLayoutCreateInfo *info, u32 i)
{
	const VkDescriptorSetLayoutBindingFlagsCreateInfo *flags = find_flags(info);

	return info->pBindings[i].descriptorCount > 1 ||
	       (flags && i < flags->bindingCount &&
		flags->pBindingFlags[i] & (VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT |
					   VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT));
}

static struct gsl_layout *make_layout(const VkDescriptorSetLayoutCreateInfo *info)
{
	struct gsl_layout *layout =
		calloc(1, sizeof(*layout) + info->bindingCount * sizeof(layout->bindings[0]));
	u32 i;

	if (!layout)
		return NULL;
	layout->count = info->bindingCount;
	for (i = 0; i < info->bindingCount; i++) {
		layout->bindings[i] = (struct gsl_binding){
			.number = info->pBindings[i].binding,
			.count = info->pBindings[i].descriptorCount,
			.type = info->pBindings[i].descriptorType,
			.possibly = is_bindless(info, i),
		};
	}
	qsort(layout->bindings, layout->count, sizeof(layout->bindings[0]), compare_bindings);
	for (i = 0; i < layout->count; i++) {
		/* The count of an inline block is one of bytes: it names nothing. */
		if (layout->bindings[i].type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
			layout->bindings[i].count = 0;
		layout->bindings[i].first = layout->slots;
		layout->slots += layout->bindings[i].count;
	}
	return layout;
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_CreateDescriptorSetLayout(VkDevice handle, const VkDescriptorSetLayoutCreateInfo *info,
			      const VkAllocationCallbacks *allocator, VkDescriptorSetLayout *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateDescriptorSetLayout(handle, info, allocator, out);
	struct gsl_layout *layout;

	if (result)
		return result;
	layout = make_layout(info);
	if (layout && !gsl_map_put(&device->layouts, GSL_KEY(*out), layout))
		free(layout);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyDescriptorSetLayout(VkDevice handle,
							  VkDescriptorSetLayout layout,
							  const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	free(gsl_map_take(&device->layouts, GSL_KEY(layout)));
	device->calls.DestroyDescriptorSetLayout(handle, layout, allocator);
}

/* ---- Sets ---- */

/* A set keeps its layout's bindings: the layout may go before it. */
static struct gsl_set *make_set(const struct gsl_layout *layout, VkDescriptorPool pool)
{
	size_t bindings = sizeof(*layout) + layout->count * sizeof(layout->bindings[0]);
	struct gsl_set *set = calloc(1, sizeof(*set) + layout->slots * sizeof(set->slots[0]) +
					bindings);

	if (!set)
		return NULL;
	set->pool = pool;
	set->layout = (struct gsl_layout *)&set->slots[layout->slots];
	memcpy(set->layout, layout, bindings);
	return set;
}

VKAPI_ATTR VkResult VKAPI_CALL
gsl_AllocateDescriptorSets(VkDevice handle, const VkDescriptorSetAllocateInfo *info,
			   VkDescriptorSet *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.AllocateDescriptorSets(handle, info, out);
	u32 i;

	for (i = 0; !result && i < info->descriptorSetCount; i++) {
		struct gsl_layout *layout =
			gsl_map_get(&device->layouts, GSL_KEY(info->pSetLayouts[i]));
		struct gsl_set *set = layout ? make_set(layout, info->descriptorPool) : NULL;

		if (set && !gsl_map_put(&device->sets, GSL_KEY(out[i]), set))
			free(set);
	}
	return result;
}

static void forget_set(struct gsl_device *device, u64 key)
{
	struct gsl_set *set;

	/* A submission of another thread may be looking at sets. */
	pthread_mutex_lock(&device->lock);
	set = gsl_map_take(&device->sets, key);
	pthread_mutex_unlock(&device->lock);
	free(set);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_FreeDescriptorSets(VkDevice handle, VkDescriptorPool pool,
						      uint32_t count,
						      const VkDescriptorSet *sets)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		forget_set(device, GSL_KEY(sets[i]));
	return device->calls.FreeDescriptorSets(handle, pool, count, sets);
}

struct pool_search {
	VkDescriptorPool pool;
	u64 keys[64];
	u32 count;
};

static bool find_of_pool(void *ctx, u64 key, void *value)
{
	struct pool_search *search = ctx;

	if (((struct gsl_set *)value)->pool == search->pool)
		search->keys[search->count++] = key;
	return search->count < ARRAY_SIZE(search->keys);
}

static void forget_pool(struct gsl_device *device, VkDescriptorPool pool)
{
	struct pool_search search = { .pool = pool };
	u32 i;

	do {
		search.count = 0;
		gsl_map_find(&device->sets, find_of_pool, &search);
		for (i = 0; i < search.count; i++)
			forget_set(device, search.keys[i]);
	} while (search.count);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_ResetDescriptorPool(VkDevice handle, VkDescriptorPool pool,
						       VkDescriptorPoolResetFlags flags)
{
	struct gsl_device *device = gsl_device_of(handle);

	forget_pool(device, pool);
	return device->calls.ResetDescriptorPool(handle, pool, flags);
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyDescriptorPool(VkDevice handle, VkDescriptorPool pool,
						     const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	if (pool)
		forget_pool(device, pool);
	device->calls.DestroyDescriptorPool(handle, pool, allocator);
}

/* ---- Updates ---- */

/* The slot of an element: what a write leaves over goes on in the next binding. */
static u32 find_slot(const struct gsl_set *set, u32 number, u32 element)
{
	u32 i;

	for (i = 0; i < set->layout->count; i++) {
		if (set->layout->bindings[i].number == number)
			return set->layout->bindings[i].first + element;
	}
	return set->layout->slots;
}

bool gsl_is_dynamic(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

bool gsl_is_storage(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
}

enum info_kind { NO_INFO, BUFFER_INFO, VIEW_INFO, IMAGE_INFO };

static enum info_kind info_kind(VkDescriptorType type)
{
	switch (type) {
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
		return BUFFER_INFO;
	case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
		return VIEW_INFO;
	case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
	case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
	case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
		return IMAGE_INFO;
	default:
		return NO_INFO;
	}
}

const void *gsl_write_info(const VkWriteDescriptorSet *write, u32 i)
{
	switch (info_kind(write->descriptorType)) {
	case BUFFER_INFO:
		return &write->pBufferInfo[i];
	case VIEW_INFO:
		return &write->pTexelBufferView[i];
	case IMAGE_INFO:
		return &write->pImageInfo[i];
	default:
		return NULL;
	}
}

static void name_resource(struct gsl_device *device, struct gsl_slot *slot,
			  const VkDescriptorBufferInfo *info)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, GSL_KEY(info->buffer));

	if (!resource)
		return;
	slot->resource = resource->key;
	slot->serial = resource->serial;
	slot->offset = info->offset;
	slot->size = info->range;
}

static void name_view(struct gsl_device *device, struct gsl_slot *slot, u64 handle)
{
	struct gsl_view *view = gsl_map_get(&device->views, handle);

	if (!view)
		return;
	slot->view = handle;
	slot->view_serial = view->serial;
	slot->resource = view->resource;
	slot->serial = view->resource_serial;
	slot->offset = view->offset;
	slot->size = view->size;
}

void gsl_slot_write(struct gsl_device *device, struct gsl_slot *slot, VkDescriptorType type,
		    const void *info)
{
	*slot = (struct gsl_slot){ .type = type };
	switch (info ? info_kind(type) : NO_INFO) {
	case BUFFER_INFO:
		name_resource(device, slot, info);
		break;
	case VIEW_INFO:
		name_view(device, slot, GSL_KEY(*(const VkBufferView *)info));
		break;
	case IMAGE_INFO:
		name_view(device, slot,
			  GSL_IMAGE_KEY(((const VkDescriptorImageInfo *)info)->imageView));
		break;
	default:
		break;
	}
}

bool gsl_slot_is_valid(struct gsl_device *device, const struct gsl_slot *slot)
{
	struct gsl_resource *resource = gsl_map_get(&device->resources, slot->resource);
	struct gsl_view *view;

	if (!resource || resource->serial != slot->serial)
		return false;
	if (!slot->view)
		return true;
	view = gsl_map_get(&device->views, slot->view);
	return view && view->serial == slot->view_serial;
}

static void write_set(struct gsl_device *device, struct gsl_set *set, u32 binding, u32 element,
		      VkDescriptorType type, const void *info)
{
	u32 slot = find_slot(set, binding, element);

	if (slot < set->layout->slots)
		gsl_slot_write(device, &set->slots[slot], type, info);
}

static void update(struct gsl_device *device, const VkWriteDescriptorSet *write)
{
	struct gsl_set *set = gsl_map_get(&device->sets, GSL_KEY(write->dstSet));
	u32 i;

	/* The count of an inline block is one of bytes. */
	if (!set || write->descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
		return;
	for (i = 0; i < write->descriptorCount; i++)
		write_set(device, set, write->dstBinding, write->dstArrayElement + i,
			  write->descriptorType, gsl_write_info(write, i));
}

static void copy_slots(struct gsl_device *device, const VkCopyDescriptorSet *copy)
{
	struct gsl_set *from = gsl_map_get(&device->sets, GSL_KEY(copy->srcSet));
	struct gsl_set *to = gsl_map_get(&device->sets, GSL_KEY(copy->dstSet));
	u32 source, target, i;

	if (!from || !to)
		return;
	source = find_slot(from, copy->srcBinding, copy->srcArrayElement);
	target = find_slot(to, copy->dstBinding, copy->dstArrayElement);
	for (i = 0; i < copy->descriptorCount && source + i < from->layout->slots &&
	     target + i < to->layout->slots; i++)
		to->slots[target + i] = from->slots[source + i];
}

VKAPI_ATTR void VKAPI_CALL gsl_UpdateDescriptorSets(VkDevice handle, uint32_t write_count,
						    const VkWriteDescriptorSet *writes,
						    uint32_t copy_count,
						    const VkCopyDescriptorSet *copies)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	pthread_mutex_lock(&device->lock);
	for (i = 0; i < write_count; i++)
		update(device, &writes[i]);
	for (i = 0; i < copy_count; i++)
		copy_slots(device, &copies[i]);
	pthread_mutex_unlock(&device->lock);
	device->calls.UpdateDescriptorSets(handle, write_count, writes, copy_count, copies);
}

/* ---- Updates by templates ---- */

VKAPI_ATTR VkResult VKAPI_CALL
gsl_CreateDescriptorUpdateTemplate(VkDevice handle,
				   const VkDescriptorUpdateTemplateCreateInfo *info,
				   const VkAllocationCallbacks *allocator,
				   VkDescriptorUpdateTemplate *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateDescriptorUpdateTemplate(handle, info, allocator,
								       out);
	u32 count = info->descriptorUpdateEntryCount;
	struct gsl_template *template;

	if (result)
		return result;
	template = malloc(sizeof(*template) + count * sizeof(template->entries[0]));
	if (!template)
		return VK_SUCCESS;
	template->point = info->pipelineBindPoint;
	template->count = count;
	memcpy(template->entries, info->pDescriptorUpdateEntries,
	       count * sizeof(template->entries[0]));
	if (!gsl_map_put(&device->templates, GSL_KEY(*out), template))
		free(template);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
gsl_DestroyDescriptorUpdateTemplate(VkDevice handle, VkDescriptorUpdateTemplate template,
				    const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	free(gsl_map_take(&device->templates, GSL_KEY(template)));
	device->calls.DestroyDescriptorUpdateTemplate(handle, template, allocator);
}

void gsl_template_each(const struct gsl_template *template, const void *data,
		       void (*write)(void *ctx, u32 binding, u32 element, VkDescriptorType type,
				     const void *info),
		       void *ctx)
{
	u32 i, j;

	for (i = 0; i < template->count; i++) {
		const VkDescriptorUpdateTemplateEntry *entry = &template->entries[i];

		if (info_kind(entry->descriptorType) == NO_INFO)
			continue;
		for (j = 0; j < entry->descriptorCount; j++)
			write(ctx, entry->dstBinding, entry->dstArrayElement + j,
			      entry->descriptorType,
			      (const char *)data + entry->offset + j * entry->stride);
	}
}

struct updated {
	struct gsl_device *device;
	struct gsl_set *set;
};

static void write_updated(void *ctx, u32 binding, u32 element, VkDescriptorType type,
			  const void *info)
{
	struct updated *updated = ctx;

	write_set(updated->device, updated->set, binding, element, type, info);
}

VKAPI_ATTR void VKAPI_CALL
gsl_UpdateDescriptorSetWithTemplate(VkDevice handle, VkDescriptorSet set,
				    VkDescriptorUpdateTemplate template_handle, const void *data)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_template *template =
		gsl_map_get(&device->templates, GSL_KEY(template_handle));
	struct updated updated = { .device = device };

	pthread_mutex_lock(&device->lock);
	updated.set = gsl_map_get(&device->sets, GSL_KEY(set));
	if (template && updated.set)
		gsl_template_each(template, data, write_updated, &updated);
	pthread_mutex_unlock(&device->lock);
	device->calls.UpdateDescriptorSetWithTemplate(handle, set, template_handle, data);
}
