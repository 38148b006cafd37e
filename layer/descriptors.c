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

static void forget_set(struct gsl_device *device, VkDescriptorSet handle)
{
	struct gsl_set *set;

	/* A submission of another thread may be looking at sets. */
	pthread_mutex_lock(&device->lock);
	set = gsl_map_take(&device->sets, GSL_KEY(handle));
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
		forget_set(device, sets[i]);
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
			forget_set(device, (VkDescriptorSet)search.keys[i]);
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

static void write_slot(struct gsl_slot *slot, const VkWriteDescriptorSet *write, u32 i)
{
	*slot = (struct gsl_slot){ .type = write->descriptorType };
	switch (write->descriptorType) {
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
		slot->resource = GSL_KEY(write->pBufferInfo[i].buffer);
		slot->offset = write->pBufferInfo[i].offset;
		slot->size = write->pBufferInfo[i].range;
		break;
	case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
		slot->view = GSL_KEY(write->pTexelBufferView[i]);
		break;
	case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
	case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
	case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
		slot->view = GSL_KEY(write->pImageInfo[i].imageView);
		break;
	default:
		break;
	}
}

void gsl_set_write(struct gsl_set *set, const VkWriteDescriptorSet *write)
{
	u32 slot = find_slot(set, write->dstBinding, write->dstArrayElement);
	u32 i;

	if (write->descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
		return;
	for (i = 0; i < write->descriptorCount && slot + i < set->layout->slots; i++)
		write_slot(&set->slots[slot + i], write, i);
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
	for (i = 0; i < write_count; i++) {
		struct gsl_set *set = gsl_map_get(&device->sets, GSL_KEY(writes[i].dstSet));

		if (set)
			gsl_set_write(set, &writes[i]);
	}
	for (i = 0; i < copy_count; i++)
		copy_slots(device, &copies[i]);
	pthread_mutex_unlock(&device->lock);
	device->calls.UpdateDescriptorSets(handle, write_count, writes, copy_count, copies);
}
