// SPDX-License-Identifier: MIT
/*
 * The layer when memory runs out, at each place where it asks for some: what it cannot do it says
 * by a result of Vulkan, or does not follow; nothing crashes, and nothing that the application
 * has is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "rig.h"

/* ---- Memory that runs out ---- */

static u32 asked;	/* how often, since it was set to 0 */
static u32 fails_at;	/* 0: never */
static bool fails_on;	/* and from then on, always */

static bool fails(void)
{
	if (!fails_at)
		return false;
	asked++;
	return asked == fails_at || (fails_on && asked > fails_at);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_memfd_create(const char *name, unsigned int flags);

void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : __real_mmap(address, size, protection, flags, fd, offset);
}

int __wrap_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags)
{
	return fails() ? -1 : __real_memfd_create(name, flags);
}

/* ---- An application that goes on with what it has ---- */

static void make_objects(struct rig *rig, VkFramebuffer *framebuffer, VkRenderPass *pass)
{
	VkBufferCreateInfo buffer = {
		.size = RIG_SIZE,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkAttachmentDescription attachment = { .storeOp = VK_ATTACHMENT_STORE_OP_STORE };
	VkRenderPassCreateInfo pass_info = { .attachmentCount = 1, .pAttachments = &attachment };
	VkImageView view = VK_NULL_HANDLE;
	VkFramebufferCreateInfo info = { .attachmentCount = 1, .pAttachments = &view };
	VkDebugUtilsObjectNameInfoEXT name = { .objectType = VK_OBJECT_TYPE_BUFFER };

	name.pObjectName = "buffer";
	gsl_CreateBuffer(rig->device, &buffer, NULL, &rig->buffer);
	name.objectHandle = GSL_KEY(rig->buffer);
	gsl_SetDebugUtilsObjectNameEXT(rig->device, &name);
	gsl_CreateRenderPass(rig->device, &pass_info, NULL, pass);
	gsl_CreateFramebuffer(rig->device, &info, NULL, framebuffer);
}

static VkDescriptorSet make_set(struct rig *rig, VkDescriptorSetLayout *layout)
{
	VkDescriptorSetLayoutBinding binding = { 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, 0, NULL };
	VkDescriptorSetLayoutCreateInfo info = { .bindingCount = 1, .pBindings = &binding };
	VkDescriptorSetAllocateInfo allocate = { .descriptorSetCount = 1, .pSetLayouts = layout };
	VkDescriptorBufferInfo range = { rig->buffer, 0, VK_WHOLE_SIZE };
	VkWriteDescriptorSet write = {
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
		.pBufferInfo = &range,
	};

	gsl_CreateDescriptorSetLayout(rig->device, &info, NULL, layout);
	gsl_AllocateDescriptorSets(rig->device, &allocate, &write.dstSet);
	gsl_UpdateDescriptorSets(rig->device, 1, &write, 0, NULL);
	return write.dstSet;
}

static void record(struct rig *rig, VkCommandBuffer commands, VkDescriptorSet set,
		   VkRenderPass pass, VkFramebuffer framebuffer)
{
	VkRenderPassBeginInfo begin = { .renderPass = pass, .framebuffer = framebuffer };
	u32 dynamic = 0, i;

	gsl_CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 1,
				  &set, 1, &dynamic);
	gsl_CmdDispatch(commands, 1, 1, 1);
	gsl_CmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	gsl_CmdEndRenderPass(commands);
	for (i = 0; i < 20; i++)
		gsl_CmdFillBuffer(commands, rig->buffer, 64 * i, 64, 0);
	rig_host_barrier(commands);
}

static void use_memory(struct rig *rig, VkDeviceMemory memory, VkCommandBuffer commands)
{
	VkSparseMemoryBind pieces[2] = { { 0, 1024, memory, 0, 0 }, { 512, 64, memory, 2048, 0 } };
	VkSparseBufferMemoryBindInfo buffer = { rig->buffer, 2, pieces };
	VkBindSparseInfo sparse = { .bufferBindCount = 1, .pBufferBinds = &buffer };
	void *map;

	if (gsl_MapMemory(rig->device, memory, 0, VK_WHOLE_SIZE, 0, &map))
		return;
	memset(map, 1, RIG_SIZE);
	gsl_QueueBindSparse(rig->queues[0], 1, &sparse, VK_NULL_HANDLE);
	rig_run(rig, commands);
	rig_flush(rig, memory, 0, VK_WHOLE_SIZE);
	/* What is stored and flushed is there, whatever else there was no memory for. */
	assert_int_equal(((u8 *)map)[0], 1);
	rig_invalidate(rig, memory, 0, VK_WHOLE_SIZE);
	assert_int_equal(((u8 *)map)[RIG_SIZE - 1], 1);
	gsl_UnmapMemory(rig->device, memory);
}

static void use_device(struct rig *rig)
{
	VkMemoryAllocateInfo allocate = { .allocationSize = RIG_SIZE, .memoryTypeIndex = 0 };
	VkDescriptorSetLayout layout = VK_NULL_HANDLE;
	VkFramebuffer framebuffer = VK_NULL_HANDLE;
	VkCommandPool pool = (VkCommandPool)(uintptr_t)0x9001;
	VkRenderPass pass = VK_NULL_HANDLE;
	VkCommandBuffer commands;
	VkDeviceMemory memory;
	VkDescriptorSet set;

	make_objects(rig, &framebuffer, &pass);
	set = make_set(rig, &layout);
	commands = rig_commands(rig);
	record(rig, commands, set, pass, framebuffer);
	if (!gsl_AllocateMemory(rig->device, &allocate, NULL, &memory)) {
		use_memory(rig, memory, commands);
		gsl_FreeMemory(rig->device, memory, NULL);
	}
	gsl_FreeCommandBuffers(rig->device, pool, 1, &commands);
	gsl_FreeDescriptorSets(rig->device, VK_NULL_HANDLE, 1, &set);
	gsl_DestroyDescriptorSetLayout(rig->device, layout, NULL);
	gsl_DestroyFramebuffer(rig->device, framebuffer, NULL);
	gsl_DestroyRenderPass(rig->device, pass, NULL);
	gsl_DestroyBuffer(rig->device, rig->buffer, NULL);
}

static void use_layer(void)
{
	struct rig rig = { 0 };

	if (rig_create(&rig))
		return;
	use_device(&rig);
	gsl_DestroyDevice(rig.device, NULL);
	gsl_DestroyInstance(rig.instance, NULL);
}

/* Each time one place further, until all of them had their turn. */
static void run_out_at_each_place(bool on)
{
	fails_on = on;
	for (fails_at = 1;; fails_at++) {
		asked = 0;
		use_layer();
		if (asked < fails_at)
			break;
	}
	/* That there were such places. */
	assert_in_range(fails_at, 30, 1000);
	fails_at = 0;
}

static void one_allocation_fails(void **state)
{
	run_out_at_each_place(false);
}

static void all_fail_from_one_on(void **state)
{
	run_out_at_each_place(true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_allocation_fails),
		cmocka_unit_test(all_fail_from_one_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
