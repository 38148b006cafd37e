// SPDX-License-Identifier: MIT
/*
 * What is bound to a command buffer while it is recorded. Work (draws, dispatches) uses it: what
 * was bound since the last work, and after a barrier to the host all that is bound.
 */
#include <stdlib.h>
#include <string.h>

#include "layer.h"

void gsl_commands_unbind(struct gsl_commands *commands)
{
	commands->time = 1;
	commands->barrier = 0;
	commands->pushed_count = 0;
	memset(commands->worked, 0, sizeof(commands->worked));
	memset(commands->sets, 0, sizeof(commands->sets));
	memset(commands->vertices, 0, sizeof(commands->vertices));
	memset(&commands->index, 0, sizeof(commands->index));
}

/* ---- Work ---- */

static bool is_due(const struct gsl_commands *commands, enum gsl_point point, u64 since)
{
	return since > commands->worked[point] || commands->barrier > commands->worked[point];
}

static void use_sets(struct gsl_commands *commands, enum gsl_point point)
{
	u32 i;

	for (i = 0; i < GSL_BOUND; i++) {
		const struct gsl_bound *set = &commands->sets[point][i];

		if (set->handle && is_due(commands, point, set->since))
			gsl_commands_add(commands, &(struct gsl_use){
				.kind = GSL_USE_SET,
				.handle = set->handle,
				.first_dynamic = set->first_dynamic,
				.dynamic_count = set->dynamic_count,
			});
	}
}

static void use_pushed(struct gsl_commands *commands, enum gsl_point point)
{
	size_t i;

	for (i = 0; i < commands->pushed_count; i++) {
		const struct gsl_pushed *pushed = &commands->pushed[i];
		const struct gsl_slot *slot = &pushed->slot;

		if (pushed->point != point || !slot->resource ||
		    !is_due(commands, point, pushed->since))
			continue;
		gsl_commands_add(commands, &(struct gsl_use){
			.kind = GSL_USE_RESOURCE,
			.access = gsl_is_storage(slot->type) ? GSL_READ | GSL_WRITE : GSL_READ,
			.shader = true,
			.handle = slot->resource,
			.offset = slot->offset,
			.size = slot->size,
		});
	}
}

static void use_buffer(struct gsl_commands *commands, const struct gsl_bound *buffer)
{
	if (buffer->handle && is_due(commands, GSL_GRAPHICS, buffer->since))
		gsl_commands_add(commands, &(struct gsl_use){
			.kind = GSL_USE_RESOURCE,
			.access = GSL_READ,
			.handle = buffer->handle,
			.offset = buffer->offset,
			.size = buffer->size,
		});
}

void gsl_commands_work(struct gsl_device *device, VkCommandBuffer handle, enum gsl_point point)
{
	struct gsl_commands *commands = gsl_commands_of(device, handle);
	u32 i;

	if (!commands || !is_due(commands, point, commands->time))
		return;
	use_sets(commands, point);
	use_pushed(commands, point);
	for (i = 0; point == GSL_GRAPHICS && i < GSL_BOUND; i++)
		use_buffer(commands, &commands->vertices[i]);
	if (point == GSL_GRAPHICS)
		use_buffer(commands, &commands->index);
	gsl_commands_add(commands, &(struct gsl_use){ .kind = GSL_USE_WORK });
	commands->worked[point] = commands->time;
}

void gsl_commands_use_addresses(struct gsl_device *device, VkCommandBuffer handle)
{
	gsl_commands_add(gsl_commands_of(device, handle), &(struct gsl_use){
		.kind = GSL_USE_WORK,
	});
}

/* ---- Sets ---- */

/* Their offsets go into the command buffer's own array; sets are looked into at the submit. */
static u32 keep_dynamic(struct gsl_commands *commands, u32 count, const u32 *offsets)
{
	u32 first;

	if (commands->dynamic_count + count > commands->dynamic_space) {
		size_t space = 2 * commands->dynamic_space + count;
		void *grown = realloc(commands->dynamic, space * sizeof(*offsets));

		if (!grown)
			return 0;
		commands->dynamic = grown;
		commands->dynamic_space = space;
	}
	first = (u32)commands->dynamic_count;
	if (count)
		memcpy(commands->dynamic + first, offsets, count * sizeof(*offsets));
	commands->dynamic_count += count;
	return first;
}

static u32 count_dynamic(const struct gsl_set *set)
{
	u32 count = 0, i;

	for (i = 0; i < set->layout->count; i++) {
		const struct gsl_binding *binding = &set->layout->bindings[i];

		if (gsl_is_dynamic(binding->type))
			count += binding->count;
	}
	return count;
}

static void forget_pushed(struct gsl_commands *commands, enum gsl_point point, u32 set)
{
	size_t i;

	for (i = commands->pushed_count; i-- > 0;) {
		if (commands->pushed[i].point == point && commands->pushed[i].set == set)
			commands->pushed[i] = commands->pushed[--commands->pushed_count];
	}
}

static void bind_set(struct gsl_commands *commands, enum gsl_point point, u32 number,
		     const struct gsl_bound *set)
{
	if (number >= GSL_BOUND)
		return;
	forget_pushed(commands, point, number);
	commands->sets[point][number] = *set;
	commands->sets[point][number].since = ++commands->time;
}

static void bind_sets(struct gsl_device *device, VkCommandBuffer handle, enum gsl_point point,
		      u32 first, u32 count, const VkDescriptorSet *sets, u32 dynamic_count,
		      const u32 *dynamic)
{
	struct gsl_commands *commands = gsl_commands_of(device, handle);
	u32 next, i;

	if (!commands)
		return;
	next = keep_dynamic(commands, dynamic_count, dynamic);
	for (i = 0; i < count; i++) {
		struct gsl_set *set = gsl_map_get(&device->sets, GSL_KEY(sets[i]));
		struct gsl_bound bound = { .handle = GSL_KEY(sets[i]), .first_dynamic = next };

		if (set)
			bound.dynamic_count = count_dynamic(set);
		next += bound.dynamic_count;
		bind_set(commands, point, first + i, &bound);
	}
}

static enum gsl_point point_of(VkPipelineBindPoint point)
{
	switch (point) {
	case VK_PIPELINE_BIND_POINT_GRAPHICS:
		return GSL_GRAPHICS;
	case VK_PIPELINE_BIND_POINT_COMPUTE:
		return GSL_COMPUTE;
	default:
		return GSL_RAYS;
	}
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdBindDescriptorSets(VkCommandBuffer handle, VkPipelineBindPoint point,
			  VkPipelineLayout layout, uint32_t first, uint32_t count,
			  const VkDescriptorSet *sets, uint32_t dynamic_count,
			  const uint32_t *dynamic)
{
	struct gsl_device *device = gsl_device_of(handle);

	bind_sets(device, handle, point_of(point), first, count, sets, dynamic_count, dynamic);
	device->calls.CmdBindDescriptorSets(handle, point, layout, first, count, sets,
					    dynamic_count, dynamic);
}

/* ---- Descriptors that are pushed ---- */

/* Where they go. */
struct push {
	struct gsl_device *device;
	struct gsl_commands *commands;
	enum gsl_point point;
	u32 set;
};

static struct gsl_pushed *find_pushed(struct push *push, u32 binding, u32 element)
{
	struct gsl_commands *commands = push->commands;
	size_t i;

	for (i = 0; i < commands->pushed_count; i++) {
		struct gsl_pushed *pushed = &commands->pushed[i];

		if (pushed->point == push->point && pushed->set == push->set &&
		    pushed->binding == binding && pushed->element == element)
			return pushed;
	}
	if (commands->pushed_count == commands->pushed_space) {
		size_t space = commands->pushed_space ? 2 * commands->pushed_space : 8;
		void *grown = realloc(commands->pushed, space * sizeof(*commands->pushed));

		if (!grown)
			return NULL;
		commands->pushed = grown;
		commands->pushed_space = space;
	}
	return &commands->pushed[commands->pushed_count++];
}

static void push_one(void *ctx, u32 binding, u32 element, VkDescriptorType type,
		     const void *info)
{
	struct push *push = ctx;
	struct gsl_pushed *pushed = find_pushed(push, binding, element);

	if (!pushed)
		return;
	*pushed = (struct gsl_pushed){
		.point = push->point,
		.set = push->set,
		.binding = binding,
		.element = element,
		.since = ++push->commands->time,
	};
	gsl_slot_write(push->device, &pushed->slot, type, info);
}

static void begin_push(struct push *push)
{
	if (push->commands && push->set < GSL_BOUND)
		push->commands->sets[push->point][push->set] = (struct gsl_bound){ 0 };
}

static void push_writes(struct push *push, u32 count, const VkWriteDescriptorSet *writes)
{
	u32 i, j;

	begin_push(push);
	for (i = 0; push->commands && i < count; i++) {
		if (writes[i].descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
			continue;
		for (j = 0; j < writes[i].descriptorCount; j++)
			push_one(push, writes[i].dstBinding, writes[i].dstArrayElement + j,
				 writes[i].descriptorType, gsl_write_info(&writes[i], j));
	}
}

static void push_template(struct push *push, VkDescriptorUpdateTemplate handle,
			  const void *data)
{
	struct gsl_template *template = gsl_map_get(&push->device->templates, GSL_KEY(handle));

	begin_push(push);
	if (push->commands && template)
		gsl_template_each(template, data, push_one, push);
}

static struct push push_to(VkCommandBuffer handle, enum gsl_point point, u32 set)
{
	struct gsl_device *device = gsl_device_of(handle);

	return (struct push){ device, gsl_commands_of(device, handle), point, set };
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdPushDescriptorSet(VkCommandBuffer handle, VkPipelineBindPoint point,
			 VkPipelineLayout layout, uint32_t set, uint32_t count,
			 const VkWriteDescriptorSet *writes)
{
	struct push push = push_to(handle, point_of(point), set);

	push_writes(&push, count, writes);
	push.device->calls.CmdPushDescriptorSet(handle, point, layout, set, count, writes);
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdPushDescriptorSetWithTemplate(VkCommandBuffer handle, VkDescriptorUpdateTemplate template,
				     VkPipelineLayout layout, uint32_t set, const void *data)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_template *known = gsl_map_get(&device->templates, GSL_KEY(template));
	struct push push = push_to(handle, known ? point_of(known->point) : GSL_GRAPHICS, set);

	push_template(&push, template, data);
	device->calls.CmdPushDescriptorSetWithTemplate(handle, template, layout, set, data);
}

/* ---- The same by stages, of Vulkan 1.4 ---- */

#ifdef GSL_HAS_CmdBindDescriptorSets2
static bool is_of(VkShaderStageFlags stages, enum gsl_point point)
{
	switch (point) {
	case GSL_GRAPHICS:
		return stages & (VK_SHADER_STAGE_ALL_GRAPHICS | VK_SHADER_STAGE_TASK_BIT_EXT |
				 VK_SHADER_STAGE_MESH_BIT_EXT);
	case GSL_COMPUTE:
		return stages & VK_SHADER_STAGE_COMPUTE_BIT;
	default:
		return stages & (VK_SHADER_STAGE_RAYGEN_BIT_KHR |
				 VK_SHADER_STAGE_ANY_HIT_BIT_KHR |
				 VK_SHADER_STAGE_CLOSEST_HIT_BIT_KHR |
				 VK_SHADER_STAGE_MISS_BIT_KHR |
				 VK_SHADER_STAGE_INTERSECTION_BIT_KHR |
				 VK_SHADER_STAGE_CALLABLE_BIT_KHR);
	}
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdBindDescriptorSets2(VkCommandBuffer handle, const VkBindDescriptorSetsInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 point;

	for (point = 0; point < GSL_POINTS; point++) {
		if (is_of(info->stageFlags, point))
			bind_sets(device, handle, point, info->firstSet, info->descriptorSetCount,
				  info->pDescriptorSets, info->dynamicOffsetCount,
				  info->pDynamicOffsets);
	}
	device->calls.CmdBindDescriptorSets2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdPushDescriptorSet2(VkCommandBuffer handle,
						     const VkPushDescriptorSetInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 point;

	for (point = 0; point < GSL_POINTS; point++) {
		struct push push = push_to(handle, point, info->set);

		if (is_of(info->stageFlags, point))
			push_writes(&push, info->descriptorWriteCount, info->pDescriptorWrites);
	}
	device->calls.CmdPushDescriptorSet2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL
gsl_CmdPushDescriptorSetWithTemplate2(VkCommandBuffer handle,
				      const VkPushDescriptorSetWithTemplateInfoKHR *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_template *known =
		gsl_map_get(&device->templates, GSL_KEY(info->descriptorUpdateTemplate));
	struct push push = push_to(handle, known ? point_of(known->point) : GSL_GRAPHICS,
				   info->set);

	push_template(&push, info->descriptorUpdateTemplate, info->pData);
	device->calls.CmdPushDescriptorSetWithTemplate2(handle, info);
}
#endif

/* ---- Vertices and indices ---- */

static void bind_vertices(struct gsl_device *device, VkCommandBuffer handle, u32 first, u32 count,
			  const VkBuffer *buffers, const VkDeviceSize *offsets,
			  const VkDeviceSize *sizes)
{
	struct gsl_commands *commands = gsl_commands_of(device, handle);
	u32 i;

	for (i = 0; commands && i < count && first + i < GSL_BOUND; i++) {
		commands->vertices[first + i] = (struct gsl_bound){
			.handle = GSL_KEY(buffers[i]),
			.offset = offsets[i],
			.size = sizes ? sizes[i] : VK_WHOLE_SIZE,
			.since = ++commands->time,
		};
	}
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBindVertexBuffers(VkCommandBuffer handle, uint32_t first,
						    uint32_t count, const VkBuffer *buffers,
						    const VkDeviceSize *offsets)
{
	struct gsl_device *device = gsl_device_of(handle);

	bind_vertices(device, handle, first, count, buffers, offsets, NULL);
	device->calls.CmdBindVertexBuffers(handle, first, count, buffers, offsets);
}

#ifdef GSL_HAS_CmdBindVertexBuffers2
VKAPI_ATTR void VKAPI_CALL gsl_CmdBindVertexBuffers2(VkCommandBuffer handle, uint32_t first,
						     uint32_t count, const VkBuffer *buffers,
						     const VkDeviceSize *offsets,
						     const VkDeviceSize *sizes,
						     const VkDeviceSize *strides)
{
	struct gsl_device *device = gsl_device_of(handle);

	bind_vertices(device, handle, first, count, buffers, offsets, sizes);
	device->calls.CmdBindVertexBuffers2(handle, first, count, buffers, offsets, sizes,
					    strides);
}
#endif

/* What draws capture: nobody knows how much of it. */
VKAPI_ATTR void VKAPI_CALL
gsl_CmdBindTransformFeedbackBuffersEXT(VkCommandBuffer handle, uint32_t first, uint32_t count,
				       const VkBuffer *buffers, const VkDeviceSize *offsets,
				       const VkDeviceSize *sizes)
{
	struct gsl_device *device = gsl_device_of(handle);
	u32 i;

	for (i = 0; i < count; i++)
		gsl_commands_may_write(device, handle, buffers[i], offsets[i],
				       sizes ? sizes[i] : VK_WHOLE_SIZE);
	device->calls.CmdBindTransformFeedbackBuffersEXT(handle, first, count, buffers, offsets,
							 sizes);
}

static void bind_index(struct gsl_device *device, VkCommandBuffer handle, VkBuffer buffer,
		       u64 offset, u64 size)
{
	struct gsl_commands *commands = gsl_commands_of(device, handle);

	if (commands)
		commands->index = (struct gsl_bound){
			.handle = GSL_KEY(buffer),
			.offset = offset,
			.size = size,
			.since = ++commands->time,
		};
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBindIndexBuffer(VkCommandBuffer handle, VkBuffer buffer,
						  VkDeviceSize offset, VkIndexType type)
{
	struct gsl_device *device = gsl_device_of(handle);

	bind_index(device, handle, buffer, offset, VK_WHOLE_SIZE);
	device->calls.CmdBindIndexBuffer(handle, buffer, offset, type);
}

#ifdef GSL_HAS_CmdBindIndexBuffer2
VKAPI_ATTR void VKAPI_CALL gsl_CmdBindIndexBuffer2(VkCommandBuffer handle, VkBuffer buffer,
						   VkDeviceSize offset, VkDeviceSize size,
						   VkIndexType type)
{
	struct gsl_device *device = gsl_device_of(handle);

	bind_index(device, handle, buffer, offset, size);
	device->calls.CmdBindIndexBuffer2(handle, buffer, offset, size, type);
}
#endif
